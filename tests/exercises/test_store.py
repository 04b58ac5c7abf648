"""The learner's record: what it keeps, and what it survives."""

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from course.exercises import record_file, store as module
from course.exercises.store import Answer, Store, store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def course_home(monkeypatch):
    """A home for each test, in memory where there is such a place: what a disk takes to be sure is not our matter here."""
    monkeypatch.setattr(record_file, "_said", set())
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as home:
        monkeypatch.setenv("COURSE_HOME", home)
        yield Path(home)


@pytest.fixture
def path(course_home):
    return course_home / "record.sqlite"


def filled(path, entries=3) -> Store:
    """A store whose file holds a few entries of each kind."""
    record = Store(path)
    for number in range(entries):
        record.attempted(f"task {number}", "03")
        record.passed(f"task {number}", "03", f"def f{number}(): return {'x' * 900!r}")
    record.hint_shown("task 0")
    record.answer("03.dot", "prediction", ["我", "吃"], "吃", 0.75)
    record.truth("03.dot", "我", 1.4)
    return record


def names(folder: Path) -> set[str]:
    """The files in a folder, but for the lock, which holds nothing."""
    return {path.name for path in folder.iterdir()} - {"record.sqlite.lock"}


def kernel(home, code: str, before=(), **how) -> subprocess.Popen:
    """Another process that runs `code` with a Store as `record`; `before`: a command to run it with."""
    code = "import sys\nfrom course.exercises.store import *\nfrom course.exercises import record_file\nrecord = store()\n" + code
    environment = {**os.environ, "COURSE_HOME": str(home), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen([*before, sys.executable, "-c", code], env=environment, text=True, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, **how)  # fmt: skip


def ended(process: subprocess.Popen) -> str:
    """What a kernel printed; it must have ended well."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output


# ── what is kept ────────────────────────────────────────────────────────────────────────────────────────────


def test_looking_writes_nothing(course_home, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(course_home / "not" / "there"))
    record = store()
    assert record.tasks() == record.answers() == record.answers_to("03.dot") == []
    assert record.hints("softmax") == 0
    assert record.answered("03.dot") is record.source("softmax") is None
    record.truth("03.dot", "我", 1.0)  # what Run All does where no prediction was made
    assert record.everything() == dict.fromkeys(record_file.COLUMNS, [])
    assert list(course_home.iterdir()) == []


def test_a_task(path):
    record = Store(path)
    record.attempted("softmax", 3)
    record.attempted("softmax", "03")
    record.passed("softmax", "03", "first")
    assert record.hint_shown("mask") == 1
    assert record.hint_shown("mask") == 2
    softmax, mask = Store(path).tasks()
    assert (softmax.task, softmax.chapter, softmax.attempts, softmax.hints) == ("softmax", "03", 2, 0)
    assert softmax.source == record.source("softmax") == "first"
    assert softmax.begun < softmax.first_passed == softmax.last_passed
    assert (mask.task, mask.chapter, mask.attempts, mask.hints) == ("mask", "", 0, 2)
    assert record.hints("mask") == 2
    assert mask.first_passed is mask.last_passed is mask.source is None


def test_the_newest_source_and_the_first_time(path):
    record = Store(path)
    record.passed("softmax", "03", "one")
    first = record.tasks()[0].first_passed
    for source in ("two", "two", "one", "one"):  # going back to an earlier one counts, repeating the newest does not
        record.passed("softmax", "03", source)
    (entry,) = record.tasks()
    assert (entry.first_passed, entry.source) == (first, "one")
    assert entry.last_passed > first
    assert [row["source"] for row in record.everything()["passes"]] == ["one", "two", "one"]


def test_the_order_holds_when_the_clock_goes_back(path, monkeypatch):
    record = Store(path)
    record.passed("softmax", "03", "old")
    record.answer("03.dot", "prediction", ["a", "b"], "a", 0.5)
    monkeypatch.setattr(module, "now", lambda: "2001-01-01T00:00:00.000000Z")
    record.passed("softmax", "03", "new")
    record.answer("03.dot", "prediction", ["a", "b"], "b", 0.5)
    assert record.source("softmax") == "new"
    assert record.answered("03.dot").choice == "a"


def test_moments_are_universal_time(path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    before = time.time()
    Store(path).attempted("softmax", "03")
    at = module.datetime.datetime.fromisoformat(Store(path).tasks()[0].begun).timestamp()
    assert before - 1 <= at <= time.time() + 1


def test_the_first_answer_stands(path):
    record = Store(path)
    first = record.answer("03.dot", "prediction", ("我", "喜欢"), "喜欢", 0.95)
    assert first == Answer("03.dot", "prediction", ("我", "喜欢"), "喜欢", 0.95, first.at, None, None)
    assert record.answer("03.dot", "prediction", ("我", "喜欢"), "我", 0.5) == first
    record.answer("03.quiz.1", "quiz", ["a", "b", "c"], 2)
    assert record.answered("03.dot") == first
    assert [(answer.question, answer.choice, answer.confidence) for answer in record.answers()] == [
        ("03.dot", "喜欢", 0.95), ("03.quiz.1", 2, None)]  # fmt: skip
    assert [answer.choice for answer in record.answers_to("03.dot")] == ["喜欢", "我"]


def test_the_truth_belongs_to_the_first_answer(path):
    record = Store(path)
    record.truth("03.dot", "我", 0.3)
    assert record.answered("03.dot") is None
    record.answer("03.dot", "prediction", ["我", "吃"], "吃", 0.75)
    record.answer("03.dot", "prediction", ["我", "吃"], "我", 0.75)
    record.truth("03.dot", np.str_("我"), np.float32(1.5))
    record.truth("03.dot", "吃", 0.1)  # the cell was run once more, after a change
    assert [(answer.choice, answer.truth, answer.loss) for answer in record.answers_to("03.dot")] == [
        ("吃", "我", 1.5), ("我", None, None)]  # fmt: skip


def test_numbers_of_numpy_come_back_plain(path):
    record = Store(path)
    record.answer("03.n", "prediction", [np.int64(4), 256], np.int64(256), np.float32(0.5))
    record.truth("03.n", np.bool_(False), None)
    answer = record.answered("03.n")
    assert (answer.options, answer.choice, answer.confidence) == ((4, 256), 256, 0.5)
    assert (answer.truth, answer.loss) == (False, None)
    with pytest.raises(ValueError, match="finite"):
        record.answer("03.m", "prediction", ["a"], "a", float("nan"))
    assert record.answered("03.m") is None


@pytest.mark.parametrize("text", ["喜欢 🍎 'quoted' \" -- ; \x00 end", "half of a pair \ud83c"], ids=["any text", "surrogate"])
def test_any_text_is_kept(path, text):
    record = Store(path)
    record.passed("softmax", "03", text)
    record.passed("softmax", "03", text)
    assert record.source("softmax") == text.replace("\ud83c", "?")
    assert len(record.everything()["passes"]) == 1


def test_the_home_may_change(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "a"))
    first = store()
    first.attempted("softmax", "03")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "b"))
    assert store().tasks() == []
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "a"))
    assert store() is first
    assert first.path == tmp_path / "a" / "record.sqlite"
    assert first.path.exists()


def test_without_a_home_it_is_the_users_folder(tmp_path, monkeypatch):
    import platformdirs

    monkeypatch.delenv("COURSE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store().path == Path(platformdirs.user_data_dir("predict-and-adjust", appauthor=False)) / "record.sqlite"
    assert list(tmp_path.iterdir()) == []


# ── a crash ─────────────────────────────────────────────────────────────────────────────────────────────────

HALF = """
def half(db):
    db.execute("PRAGMA cache_size = 2")  # so that changed pages have to go into the file before the end
    for number in range(400):
        db.execute("INSERT INTO passes VALUES (?, '03', ?, ?)", (f"half {number}", now(), "x" * 2000))
    print("half", flush=True)
    sys.stdin.readline()
record._file.write(half)
"""


def test_kill_in_the_middle_of_a_write(path, capsys):
    filled(path)
    whole, size = Store(path).everything(), path.stat().st_size
    process = kernel(path.parent, HALF)
    assert process.stdout.readline() == "half\n"
    process.kill()
    process.wait()
    assert path.stat().st_size > size  # half of it is in the file …
    assert "record.sqlite-journal" in names(path.parent)  # … and the way back beside it
    assert Store(path).everything() == whole
    Store(path).attempted("afterwards", "03")
    assert [entry.task for entry in Store(path).tasks()][-1] == "afterwards"
    assert names(path.parent) == {"record.sqlite"}
    assert capsys.readouterr().out == ""


def test_kill_at_any_moment_loses_nothing_that_was_written(path, capsys):
    dice = random.Random(3)
    said = set()
    for round_ in range(6):
        process = kernel(path.parent, f"""
for number in range(10_000):
    record.passed(f"{round_} {{number}}", "03", "x" * 3000)
    print(f"{round_} {{number}}", flush=True)
""")
        said.add(process.stdout.readline().strip())
        time.sleep(dice.uniform(0, 0.15))
        process.kill()
        said |= {*process.stdout.read().split("\n")} - {""}
        process.wait()
    kept = {entry.task for entry in Store(path).tasks()}
    assert len(said) > 6
    assert said <= kept and len(kept - said) <= 6  # at most one a round was kept but not said
    assert capsys.readouterr().out == ""


# ── two kernels at once ─────────────────────────────────────────────────────────────────────────────────────


def test_two_hundred_writes_at_once(path):
    """Eight kernels, from a record that does not exist yet: each writes 25 times, as fast as it can."""
    kernels = [kernel(path.parent, f"""
print("ready", flush=True)
sys.stdin.readline()
shown = []
for number in range(5):
    record.attempted("shared", "03")
    record.passed("shared", "03", "kernel {k}, source {{number}}".format(number=number))
    shown.append(record.hint_shown("shared"))
    record.answer("03.shared", "prediction", ["a", "b"], "a", 0.5)
    record.attempted("of kernel {k}", "03")
print(shown, record.saved)
""") for k in range(8)]  # fmt: skip
    for process in kernels:
        assert process.stdout.readline() == "ready\n"
    for process in kernels:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [ended(process) for process in kernels]
    assert all(output.endswith("] True\n") and output.count("\n") == 1 for output in outputs), outputs
    rows = Store(path).everything()
    assert {name: len(rows[name]) for name in rows} == {"attempts": 80, "passes": 40, "hints": 40, "answers": 40, "truths": 0}
    assert {row["source"] for row in rows["passes"]} == {f"kernel {k}, source {n}" for k in range(8) for n in range(5)}
    shown = [int(number) for output in outputs for number in output[1 : output.index("]")].split(", ")]
    assert sorted(shown) == list(range(1, 41))  # each hint was counted once
    assert names(path.parent) == {"record.sqlite"}


@pytest.mark.parametrize("writable", [True, False], ids=["in the file", "in memory"])
def test_threads_of_one_kernel(path, writable):
    record = Store(path if writable else Path(__file__) / "record.sqlite")
    threads = [threading.Thread(target=lambda: [record.hint_shown("softmax") for _ in range(5)]) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert record.hints("softmax") == 20
    assert record.saved == writable


def test_a_record_that_is_held(path, monkeypatch, capsys):
    record = filled(path)
    monkeypatch.setattr(record_file, "PATIENCE", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    record.attempted("meanwhile", "03")
    record.attempted("meanwhile", "03")
    assert [entry.attempts for entry in record.tasks() if entry.task == "meanwhile"] == [2]
    assert not record.saved
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "Another program" in said and str(path) in said
    other.execute("INSERT INTO attempts VALUES ('of the other', '03', '2026-01-01T00:00:00.000000Z')")
    other.execute("COMMIT")
    other.close()
    record.attempted("afterwards", "03")
    assert record.saved
    assert capsys.readouterr().out.count("can be written again") == 1
    attempts = [row["task"] for row in Store(path).everything()["attempts"]]
    assert sorted(attempts) == ["afterwards", "meanwhile", "meanwhile", "of the other", "task 0", "task 1", "task 2"]


# ── a damaged file ──────────────────────────────────────────────────────────────────────────────────────────


def cut(path, size):
    os.truncate(path, size)


def overwrite(path, where, length=4096):
    with path.open("r+b") as file:
        file.seek(where)
        file.write(random.Random(0).randbytes(length))


def another_database(path):
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.close()


def without_its_tables(path):
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE passes")
    db.close()


DAMAGES = {
    "text": lambda path: path.write_text("I am a text.\n" * 1000),
    "short text": lambda path: path.write_text("no"),
    "zero bytes": lambda path: cut(path, 0),
    "cut in its header": lambda path: cut(path, 60),
    "cut after a page": lambda path: cut(path, 4096),
    "cut in the middle": lambda path: cut(path, path.stat().st_size // 2 + 100),
    "its end overwritten": lambda path: overwrite(path, path.stat().st_size - 8192),
    "its beginning overwritten": lambda path: overwrite(path, 0),
    "its table of tables overwritten": lambda path: overwrite(path, 100, 900),
    "another program's database": another_database,
    "a table missing": without_its_tables,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("first", ["write", "read"])
def test_a_damaged_file_is_set_aside(path, capsys, damage, first):
    filled(path, 30)
    DAMAGES[damage](path)
    damaged = path.read_bytes()
    record = Store(path)
    if first == "read":
        record.tasks()
    record.attempted("afterwards", "03")
    record.attempted("afterwards", "03")
    said = capsys.readouterr().out
    (aside,) = names(path.parent) - {"record.sqlite"}
    assert aside.startswith("record.broken-2") and aside.endswith(".sqlite")
    assert (path.parent / aside).read_bytes() == damaged
    assert said.count("\n") == 1 and str(path.parent / aside) in said
    assert record.saved
    entries = {entry.task: entry for entry in Store(path).tasks()}
    assert entries["afterwards"].attempts == 2
    assert ("could still be read" in said) == (len(entries) > 1)


@pytest.mark.parametrize("damage", ["cut in the middle", "its end overwritten", "a table missing"])
def test_what_is_readable_is_carried_over(path, damage, capsys):
    before = filled(path, 30).everything()
    DAMAGES[damage](path)
    after = Store(path).everything()
    total = sum(map(len, after.values()))
    assert 20 < total < sum(map(len, before.values()))
    assert all(row in before[name] for name in after for row in after[name])
    assert f"the {total} entries" in capsys.readouterr().out


def test_damage_in_the_middle_costs_neither_end(path):
    before = filled(path, 60).everything()["passes"]
    page = path.read_bytes().index(b"def f30()") // 4096
    overwrite(path, page * 4096)
    after = Store(path).everything()["passes"]
    assert before[0] in after and before[59] in after and before[30] not in after
    assert 50 < len(after) < 60


def test_a_row_that_makes_no_sense_is_not_carried_over(path):
    good = filled(path).answered("03.dot")
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO answers VALUES ('03.bad', 'quiz', 'no JSON', '1', NULL, '2026-01-01T00:00:00.000000Z')")
    db.close()
    without_its_tables(path)
    assert Store(path).answers() == [good]


def test_a_folder_in_its_place(path, capsys):
    path.mkdir()
    (path / "letter.txt").write_text("mine")
    record = Store(path)
    assert record.tasks() == []
    record.attempted("softmax", "03")
    assert record.saved and path.is_file()
    (aside,) = names(path.parent) - {"record.sqlite"}
    assert (path.parent / aside / "letter.txt").read_text() == "mine"
    assert aside in capsys.readouterr().out


def test_a_second_damage_on_the_same_day(path, capsys):
    for text in ("one", "two", "three"):
        path.write_text(text)
        Store(path).attempted("softmax", "03")
    asides, said = names(path.parent) - {"record.sqlite"}, capsys.readouterr().out
    assert {(path.parent / aside).read_text() for aside in asides} == {"one", "two", "three"}
    assert said.count("\n") == 3 and all(aside in said for aside in asides)
    assert [entry.attempts for entry in Store(path).tasks()] == [1]


def test_a_journal_left_behind_does_not_get_into_a_new_record(path):
    filled(path)
    process = kernel(path.parent, HALF)
    process.stdout.readline()
    process.kill()
    process.wait()
    path.unlink()
    journal = path.with_name("record.sqlite-journal").read_bytes()
    Store(path).attempted("afterwards", "03")
    assert [entry.task for entry in Store(path).tasks()] == ["afterwards"]
    (aside,) = [name for name in names(path.parent) if name.endswith("-journal")]
    assert aside.startswith("record.broken-")
    assert (path.parent / aside).read_bytes() == journal


def test_kernels_that_meet_the_same_damage(path):
    path.write_text("damaged")
    code = 'print("ready", flush=True)\nsys.stdin.readline()\nfor n in range(5): record.hint_shown("softmax")\nprint(record.saved)'
    kernels = [kernel(path.parent, code) for _ in range(4)]
    for process in kernels:
        assert process.stdout.readline() == "ready\n"
    for process in kernels:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [ended(process).splitlines() for process in kernels]
    assert all(output[-1] == "True" for output in outputs)
    assert sum("record.broken-" in line for output in outputs for line in output) == 1  # who set it aside says so
    assert Store(path).hints("softmax") == 20
    assert len(names(path.parent)) == 2


# ── a home that cannot be written ───────────────────────────────────────────────────────────────────────────


def test_a_home_below_a_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file" / "home"))
    record = store()
    assert record.tasks() == []
    assert capsys.readouterr().out == ""
    record.passed("softmax", "03", "source")
    assert record.hint_shown("mask") == 1
    record.answer("03.dot", "prediction", ["a", "b"], "a", 0.5)
    record.truth("03.dot", "b", 1.4)
    assert (record.source("softmax"), record.hints("mask"), record.answered("03.dot").loss) == ("source", 1, 1.4)
    assert [entry.task for entry in record.tasks()] == ["softmax", "mask"]
    assert not record.saved
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "cannot be saved" in said and str(record.path) in said
    assert (tmp_path / "file").read_text() == "mine"


def test_what_waited_is_saved_when_the_home_can_be_written(tmp_path, capsys):
    (tmp_path / "home").write_text("in the way")
    record = Store(tmp_path / "home" / "record.sqlite")
    record.passed("softmax", "03", "source")
    (tmp_path / "home").unlink()
    record.attempted("mask", "03")
    assert record.saved
    assert [entry.task for entry in Store(record.path).tasks()] == ["softmax", "mask"]
    assert capsys.readouterr().out.count("\n") == 2


def in_a_namespace() -> list[str]:
    """The command for a process that may mount file systems of its own; skips where there is none."""
    with tempfile.TemporaryDirectory() as place:
        for command in (["unshare", "-m"], ["unshare", "-r", "-m"]):
            with contextlib.suppress(FileNotFoundError):
                if not subprocess.run([*command, "mount", "-t", "tmpfs", "none", place], capture_output=True, check=False).returncode:
                    return command
    pytest.skip("no mount namespace to be had here")


READ_ONLY = """
import subprocess
home = os.environ["COURSE_HOME"]
subprocess.run(["mount", "--bind", home, home], check=True)
subprocess.run(["mount", "-o", "remount,bind,ro", home], check=True)
print([entry.task for entry in record.tasks()], record.saved)
record.passed("new", "03", "source")
record.passed("new", "03", "source two")
print([entry.task for entry in record.tasks()], record.saved)
"""


@pytest.mark.parametrize("there", [True, False], ids=["with a record", "without a record"])
def test_a_read_only_file_system(path, there):
    old = [entry.task for entry in filled(path).tasks()] if there else []
    content = path.read_bytes() if there else None
    before, sentence, after = ended(kernel(path.parent, READ_ONLY, in_a_namespace())).splitlines()
    assert before == f"{old} True"
    assert after == f"{[*old, 'new']} False"
    assert "cannot be saved" in sentence and str(path) in sentence
    assert content is None or path.read_bytes() == content
    assert names(path.parent) == ({"record.sqlite"} if there else set())


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_home_of_somebody_else():
    """Root may write everywhere, so the kernel first becomes nobody."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        home = Path(folder)
        filled(home / "record.sqlite")
        home.chmod(0o555), (home / "record.sqlite").chmod(0o444)
        try:
            code = 'if not os.getuid(): os.setuid(65534)\nrecord.attempted("new", "03")\nprint(len(record.tasks()), record.saved)'
            sentence, after = ended(kernel(home, code)).splitlines()
        finally:
            home.chmod(0o755)
        assert "cannot be saved" in sentence
        assert after == "4 False"


FULL = """
import subprocess
home = os.environ["COURSE_HOME"]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", home], check=True)
record.passed("before", "03", "source")
with open(home + "/ballast", "wb", buffering=0) as ballast:
    try:
        while True:
            ballast.write(bytes(4096))
    except OSError:
        pass
for number in range(3):
    record.passed("meanwhile", "03", str(number) * 9000)
print([entry.task for entry in record.tasks()], record.saved)
os.unlink(home + "/ballast")
record.passed("after", "03", "source")
print([entry.task for entry in Store(record.path).tasks()], record.saved)
print(len(Store(record.path).everything()["passes"]))
"""


def test_a_full_disk(course_home):
    full, meanwhile, again, after, passes = ended(kernel(course_home, FULL, in_a_namespace())).splitlines()
    assert full.startswith("The disk is full")
    assert meanwhile == "['before', 'meanwhile'] False"
    assert "can be written again" in again
    assert after == "['before', 'meanwhile', 'after'] True"
    assert passes == "5"


@pytest.mark.parametrize("there", [True, False], ids=["with a record", "without a record"])
def test_no_room_for_a_page_more(path, monkeypatch, capsys, there):
    """The same without file systems of one's own: SQLite is told to take no page more."""
    if there:
        filled(path)
    content = path.read_bytes() if there else None
    connect = record_file._connect

    def without_room(where, *patience):
        db = connect(where, *patience)
        if where != ":memory:":
            db.execute("PRAGMA max_page_count = 1")
        return db

    monkeypatch.setattr(record_file, "_connect", without_room)
    record = Store(path)
    record.passed("new", "03", "x" * 30_000)
    assert record.source("new") == "x" * 30_000
    assert len(record.tasks()) == (4 if there else 1)
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and said.startswith("The disk is full")
    assert (path.read_bytes() if path.exists() else None) == content
    monkeypatch.undo()
    record.attempted("new", "03")
    assert Store(path).source("new") == "x" * 30_000


# ── other versions ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_newer_record_is_left_alone(path, capsys):
    filled(path)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(record_file.MIGRATIONS) + 1}")
        db.execute("DROP TABLE hints")
    db.close()
    content = path.read_bytes()
    record = Store(path)
    assert record.tasks() == []
    record.attempted("softmax", "03")
    record.hint_shown("softmax")
    assert [(entry.attempts, entry.hints) for entry in record.tasks()] == [(1, 1)]
    assert not record.saved
    assert path.read_bytes() == content
    assert names(path.parent) == {"record.sqlite"}
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "newer version" in said and str(path) in said


LATER = (*record_file.MIGRATIONS, ("ALTER TABLE answers ADD COLUMN seconds REAL", "UPDATE answers SET seconds = 7"))


@pytest.mark.parametrize("first", ["write", "read"])
def test_an_older_record_is_migrated(path, monkeypatch, capsys, first):
    before = filled(path).everything()
    monkeypatch.setattr(record_file, "MIGRATIONS", LATER)
    record = Store(path)
    if first == "write":
        record.attempted("softmax", "03")
        before["attempts"] += record.everything()["attempts"][-1:]
    assert record.everything() == before
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (2,)
    assert db.execute("SELECT seconds FROM answers").fetchall() == [(7,)]
    db.close()
    assert record.saved and capsys.readouterr().out == ""
    assert names(path.parent) == {"record.sqlite"}


def test_an_older_record_in_a_place_that_cannot_be_written_is_read(path, monkeypatch):
    before = filled(path).everything()
    monkeypatch.setattr(record_file, "MIGRATIONS", LATER)
    monkeypatch.setattr(record_file, "PATIENCE", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    record = Store(path)
    assert record.everything() == before
    assert record._file.write(lambda db: [tuple(row) for row in db.execute("SELECT seconds FROM answers")]) == [(7,)]
    assert not record.saved
    other.close()


def test_a_migration_is_made_whole_or_not_at_all(path, monkeypatch):
    before = filled(path).everything()
    content = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(record_file, "MIGRATIONS", (*LATER, ("DROP TABLE attempts", "SELECT from nowhere")))
        with pytest.raises(sqlite3.OperationalError, match="syntax error"):
            Store(path).attempted("softmax", "03")
    assert path.read_bytes() == content
    assert Store(path).everything() == before
