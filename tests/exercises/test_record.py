"""progress(), restore(), export() and import_(): the record as the learner sees it."""

import functools
import json
import math
import os
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import IPython
import pytest

from course.exercises import record
from course.exercises.record import export, import_, progress, restore
from course.exercises.record_file import COLUMNS, MIGRATIONS
from course.exercises.store import Store, store

TASKS = {
    "softmax": SimpleNamespace(chapter="03", title="Scores to weights"),
    "mask": SimpleNamespace(chapter="03", title="No looking ahead <T>"),
    "heads": SimpleNamespace(chapter="04", title="Several at once"),
    "scores": SimpleNamespace(chapter=3, title="How alike"),
}


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch):
    """A working folder of its own."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def some_work(record=None) -> Store:
    """Softmax passed at the second attempt, the mask tried after a hint, two predictions, two quiz questions."""
    record = record or store()
    record.attempted("softmax", "03")
    record.attempted("softmax", "03")
    record.passed("softmax", "03", "def softmax(x):\n    return x\n")
    record.hint_shown("mask")
    record.attempted("mask", "03")
    record.answer("03.dot", "prediction", ["a", "b", "c"], "a", 0.75)
    record.truth("03.dot", "b", 2.0)
    record.answer("03.scale", "prediction", ["a", "b"], "a", 0.5)
    record.truth("03.scale", "a", 0.5)
    record.answer("03.open", "prediction", ["a", "b"], "a", 0.5)
    record.answer("03.quiz.1", "quiz", ["a", "b"], "a", None)
    record.truth("03.quiz.1", "a", None)
    record.answer("03.quiz.2", "quiz", ["a", "b"], 1, None)
    record.truth("03.quiz.2", 0, None)
    return record


# ── progress ────────────────────────────────────────────────────────────────────────────────────────────────


def lines_of(text: str) -> dict[str, str]:
    """{first word: line} of the lines that name a task."""
    return {line.split()[1]: line for line in text.splitlines() if line.startswith("  ") and line.split()[0] in "✓◐○"}


def test_progress_of_tasks():
    some_work()
    text = progress(TASKS).text
    lines = lines_of(text)
    assert list(lines) == ["softmax", "mask", "scores", "heads"]
    assert lines["softmax"].startswith("  ✓ softmax  Scores to weights  ·  passed on 2")
    assert lines["softmax"].endswith(", 2 attempts")
    assert lines["mask"] == "  ◐ mask     No looking ahead <T>  ·  1 attempt, 1 hint"
    assert lines["scores"] == "  ○ scores   How alike  ·  open"
    assert text.index("Chapter 03: 1 of 3 passed") < text.index("softmax") < text.index("Chapter 04: 0 of 1 passed")


def test_progress_of_questions():
    some_work()
    even = (math.log(3) + math.log(2)) / 2
    text = progress(TASKS).text
    assert f"3 predictions, mean loss 1.25 nats over 2 revealed (guessing evenly: {even:.2f})" in text
    assert "Quiz: 1 of 2 right at the first try" in text
    assert text.index("Quiz") < text.index("Chapter 04")


def test_quiz_choices_may_be_options_or_places():
    record = store()
    for number, (choice, truth) in enumerate([("b", 1), (1, "b"), (0, "b"), ("a", 1)]):
        record.answer(f"05.quiz.{number}", "quiz", ["a", "b"], choice)
        record.truth(f"05.quiz.{number}", truth, None)
    record.answer("05.n", "quiz", [1, 0], 0)  # options that are numbers are meant as such
    record.truth("05.n", 0, None)
    assert "Quiz: 3 of 5 right" in progress({}).text


def test_one_is_not_many():
    store().answer("03.dot", "prediction", ["a", "b"], "a", 0.5)
    assert "1 prediction\n" in progress(TASKS).text
    store().truth("03.dot", "b", 2.0)
    assert "1 prediction, loss 2.00 nats (guessing evenly: 0.69)" in progress(TASKS).text


def test_what_an_older_course_asked_for_stays_in_sight():
    store().passed("rope", "02", "source")
    store().hint_shown("nowhere")
    text = progress(TASKS).text
    assert "Chapter 02: 1 of 1 passed\n  ✓ rope  passed on" in text
    assert "Other exercises: 0 of 1 passed\n  ○ nowhere  1 hint" in text


def test_looking_at_progress_writes_nothing(course_home):
    report = progress(TASKS)
    assert report.text.count("○") == 4 and "✓" not in report.text
    assert "Nothing is recorded yet." in progress({}).text
    assert list(course_home.iterdir()) == []


def test_progress_says_so_when_nothing_can_be_saved(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file"))
    store().attempted("softmax", "03")
    assert "in memory only" in progress(TASKS).text
    assert "in memory only" in progress(TASKS).html
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    assert "in memory only" not in progress(TASKS).text


class Cells(HTMLParser):
    """The words of each table, and the names of its marks."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.words, self.labels, self.open = [], [], []
        self.feed(html)
        assert self.open == []  # each element is closed

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.labels += [value for name, value in attrs if name == "aria-label"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_progress_as_html_holds_the_same():
    some_work()
    report = progress(TASKS)
    cells = Cells(report._repr_html_())
    assert cells.labels == ["passed", "tried", "open", "open"]
    assert "No looking ahead <T>" in cells.words
    assert "Chapter 03: 1 of 3 passed" in cells.words
    for line in lines_of(report.text).values():
        assert all(part.strip() in cells.words for part in line.split("  ·  ")[1:])
    assert report.chapters[0]["notes"] and all(note in cells.words for note in report.chapters[0]["notes"])
    assert repr(report) == report.text


# ── restore ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_restore_prints_in_a_terminal(capsys):
    some_work()
    restore("softmax")
    assert capsys.readouterr().out == "def softmax(x):\n    return x\n\n"


def test_restore_makes_the_next_cell_in_a_notebook(capsys, monkeypatch):
    cells = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(set_next_input=cells.append))
    some_work()
    store().passed("softmax", "03", "def softmax(x):\n    return 2 * x\n")
    restore("softmax")
    assert cells == ["def softmax(x):\n    return 2 * x\n"]
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and 'restore("softmax", into_cell=False)' in said
    restore("softmax", into_cell=False)
    assert len(cells) == 1 and "return 2 * x" in capsys.readouterr().out


def test_restore_with_nothing_to_restore(capsys, monkeypatch):
    cells = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(set_next_input=cells.append))
    restore("mask")
    some_work()
    restore("mask")
    restore("softmaxx")
    nothing, other, near = capsys.readouterr().out.splitlines()
    assert "nor of any other" in nothing
    assert "mask" in other and other.endswith("of these: softmax.")
    assert near.endswith("did you mean softmax?")
    assert cells == []


# ── export and import ───────────────────────────────────────────────────────────────────────────────────────


def elsewhere(monkeypatch, tmp_path, name="elsewhere") -> Store:
    """From now on another machine's home."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / name))
    return store()


def test_everything_comes_along(desk, monkeypatch, tmp_path, capsys):
    here = some_work()
    here.passed("softmax", "03", "喜欢 = '🍎'\n")
    export()
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "2 tasks and 5 answers" in said and record.FILE in said
    assert [path.name for path in desk.iterdir()] == ["predict-and-adjust-record.json"]
    there = elsewhere(monkeypatch, tmp_path)
    import_()
    assert there.everything() == here.everything()
    assert there.tasks() == here.tasks() and there.answers() == here.answers()
    assert "15 entries were new" in capsys.readouterr().out
    import_()
    assert there.everything() == here.everything()
    assert "had all of it already" in capsys.readouterr().out


def test_the_file_is_as_documented(desk):
    some_work()
    export("mine.json")
    content = json.loads((desk / "mine.json").read_text(encoding="utf-8"))
    assert [content[name] for name in ("format", "version")] == ["predict-and-adjust record", len(MIGRATIONS)]
    assert {name: [*content[name][0]] for name in COLUMNS} == {name: [*columns] for name, columns in COLUMNS.items()}
    assert content["answers"][0]["options"] == ["a", "b", "c"] and content["answers"][4]["choice"] == 1
    for name, columns in COLUMNS.items():
        assert f'"{name}":' in record.__doc__ and all(f'"{column}"' in record.__doc__ for column in columns)


def test_two_records_become_one(desk, monkeypatch, tmp_path):
    """Earlier first times and answers stand, the newer source counts, whichever is imported into which."""
    a = elsewhere(monkeypatch, tmp_path, "a")
    a.passed("softmax", "03", "of a, first")
    a.attempted("softmax", "03")
    b = elsewhere(monkeypatch, tmp_path, "b")
    b.answer("03.dot", "prediction", ["x", "y"], "x", 0.5)
    b.truth("03.dot", "y", 2.0)
    b.passed("softmax", "03", "of b")
    b.attempted("softmax", "03")
    b.hint_shown("softmax")
    a.answer("03.dot", "prediction", ["x", "y"], "y", 0.95)
    a.truth("03.dot", "y", 0.05)
    a.passed("mask", "03", "of a")
    a.hint_shown("softmax"), a.hint_shown("softmax")
    first = a.tasks()[0].first_passed
    export("b.json")
    elsewhere(monkeypatch, tmp_path, "a")
    export("a.json")
    import_("b.json")
    elsewhere(monkeypatch, tmp_path, "b")
    import_("a.json")
    for merged in (a, b):
        softmax = next(entry for entry in merged.tasks() if entry.task == "softmax")
        assert (softmax.first_passed, softmax.source, softmax.attempts, softmax.hints) == (first, "of b", 2, 2)
        assert merged.source("mask") == "of a"
        assert [(answer.choice, answer.loss) for answer in merged.answers()] == [("x", 2.0)]
        assert [(answer.choice, answer.loss) for answer in merged.answers_to("03.dot")] == [("x", 2.0), ("y", 0.05)]
        assert {row["source"] for row in merged.everything()["passes"]} == {"of a, first", "of a", "of b"}


def test_an_export_takes_no_place_that_holds_something_else(desk, monkeypatch, tmp_path):
    some_work()
    export()
    store().attempted("heads", "04")
    export()  # the older export holds nothing that is not here
    assert "heads" in (desk / record.FILE).read_text()
    elsewhere(monkeypatch, tmp_path).attempted("rope", "02")
    (desk / "03_attention.ipynb").write_text('{"cells": []}')
    for path in (record.FILE, "03_attention.ipynb"):
        content = (desk / path).read_bytes()
        with pytest.raises(FileExistsError, match="another name"):
            export(path)
        assert (desk / path).read_bytes() == content
    import_()
    export()
    content = json.loads((desk / record.FILE).read_text())
    assert {row["task"] for row in content["attempts"]} == {"softmax", "mask", "heads", "rope"}
    assert sorted(path.name for path in desk.iterdir()) == ["03_attention.ipynb", record.FILE]


def test_a_folder_is_a_place_too(tmp_path, capsys):
    (tmp_path / "stick").mkdir()
    some_work()
    export(tmp_path / "stick")
    assert (tmp_path / "stick" / record.FILE).exists()
    import_(str(tmp_path / "stick"))
    assert "had all of it already" in capsys.readouterr().out


def test_what_cannot_be_saved_can_be_exported(desk, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file"))
    some_work()
    export()
    there = elsewhere(monkeypatch, tmp_path)
    import_()
    assert there.source("softmax") == "def softmax(x):\n    return x\n"
    with pytest.raises(OSError, match=r"^[^\n]* cannot be written \(Not a directory\): [^\n]*$"):
        export(tmp_path / "file" / "record.json")


def test_in_colab_it_says_how_to_take_the_file_home(monkeypatch, capsys):
    some_work()
    export()
    assert "Colab" not in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    export()
    assert f"download {record.FILE}" in capsys.readouterr().out


@functools.cache
def exported() -> str:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", folder)
        some_work()
        export(folder)
        return Path(folder, record.FILE).read_text(encoding="utf-8")


def changed(change) -> bytes:
    content = json.loads(exported())
    change(content)
    return json.dumps(content).encode()


NOT_OURS = {
    "a notebook": lambda: b'{"cells": []}',
    "a list": lambda: b"[]",
    "a text": lambda: b"I am a text.",
    "empty": lambda: b"",
    "no text": lambda: b"\xff\xfe\x00SQLite",
    "too deep": lambda: b"[" * 100_000,
    "cut short": lambda: changed(lambda content: None)[:-40],
    "NaN": lambda: changed(lambda content: content["truths"][0].update(loss=float("nan"))),
}
DAMAGED = {
    "a table missing": (lambda content: content.pop("hints"), "hints"),
    "a table of another kind": (lambda content: content.update(passes={}), "passes"),
    "a row of another kind": (lambda content: content["passes"].append("row"), "passes, 2"),
    "a column missing": (lambda content: content["attempts"][1].pop("task"), "attempts, 2"),
    "a number for a name": (lambda content: content["attempts"][0].update(task=7), "attempts, 1"),
    "no source": (lambda content: content["passes"][0].update(source=None), "passes, 1"),
    "a moment that never was": (lambda content: content["passes"][0].update(at="2026-02-30T00:00:00.000000Z"), "passes, 1"),
    "a moment in another form": (lambda content: content["answers"][0].update(at="yesterday"), "answers, 1"),
    "a hint of number 0": (lambda content: content["hints"][0].update(number=0), "hints, 1"),
    "a hint of a huge number": (lambda content: content["hints"][0].update(number=10**30), "hints, 1"),
    "options that are no list": (lambda content: content["answers"][2].update(options="ab"), "answers, 3"),
    "a loss in words": (lambda content: content["truths"][0].update(loss="much"), "truths, 1"),
    "half a surrogate pair": (lambda content: content["passes"][0].update(source="\ud83c"), "passes, 1"),
    "a version in words": (lambda content: content.update(version="one"), "attempts"),
}


def refused(content: bytes, tmp_path, monkeypatch) -> str:
    """What import_ says of a file with this content; the record must stay as it was."""
    path = tmp_path / "file.json"
    path.write_bytes(content)
    there = elsewhere(monkeypatch, tmp_path)
    there.passed("mask", "03", "mine")
    before = there.everything()
    with pytest.raises(ValueError) as refusal:
        import_(path)
    assert there.everything() == before
    sentence = str(refusal.value)
    assert str(path) in sentence and "\n" not in sentence
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None  # one sentence and no second traceback
    return sentence


@pytest.mark.parametrize("case", NOT_OURS)
def test_a_file_that_is_no_record(case, tmp_path, monkeypatch):
    assert refused(NOT_OURS[case](), tmp_path, monkeypatch).endswith("is no record that export() wrote.")


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_export(case, tmp_path, monkeypatch):
    change, place = DAMAGED[case]
    assert f"is damaged (in {place})" in refused(changed(change), tmp_path, monkeypatch)


def test_an_export_of_a_newer_course(tmp_path, monkeypatch):
    content = changed(lambda content: content.update(version=len(MIGRATIONS) + 1, attempts="in another form"))
    assert "newer version" in refused(content, tmp_path, monkeypatch)


def test_a_file_that_is_not_there(desk):
    with pytest.raises(FileNotFoundError, match=r"^There is no file .*predict-and-adjust-record.json"):
        import_()


def test_columns_of_tomorrow_are_no_matter(tmp_path, monkeypatch):
    (tmp_path / "file.json").write_bytes(changed(lambda content: content["passes"][0].update(seconds=12)))
    there = elsewhere(monkeypatch, tmp_path)
    import_(tmp_path / "file.json")
    assert there.source("softmax") is not None


def test_importing_the_package_writes_and_loads_nothing_heavy(course_home):
    code = "import sys, course.exercises.record; print({'numpy', 'torch', 'matplotlib', 'IPython', 'platformdirs'} & {*sys.modules})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parents[2]), *sys.path])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert list(course_home.iterdir()) == []
