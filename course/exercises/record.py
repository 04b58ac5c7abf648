"""The learner's record as the learner sees it: progress(), restore(task), export() and import_().

The file that export() writes is JSON:

    {"format": "predict-and-adjust record", "version": 1, "exported": "2026-11-24T06:12:03.120000Z",
     "attempts": [{"task": "softmax", "chapter": "03", "at": "2026-11-24T05:58:40.000000Z"}, …],
     "passes":   [{"task", "chapter", "at", "source"}, …],
     "hints":    [{"task", "number", "at"}, …],                                       number: 1, 2, … of each task
     "answers":  [{"question", "kind", "options", "choice", "confidence", "at"}, …],  kind: "prediction" or "quiz"
     "truths":   [{"question", "answered", "truth", "loss", "at"}, …]}                answered: `at` of the answer

Moments are in universal time, losses in nats; `version` is that of the record's tables.  To import is to add what is
new, so that it may be done twice and in any order: of two passing sources the newer counts, of two answers the earlier.
"""

import datetime
import difflib
import html
import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from course.exercises.record_file import COLUMNS, MIGRATIONS, MOMENT, is_sound
from course.exercises.store import PLAIN, Answer, TaskRecord, now, store, to_json, two_digits
from course.sentences import table
from course.workbook import write_whole

FORMAT = "predict-and-adjust record"
FILE = "predict-and-adjust-record.json"
MARKS = {"passed": "✓", "tried": "◐", "open": "○"}


# ── progress ────────────────────────────────────────────────────────────────────────────────────────────────


class Progress:
    """A report: `text` for a terminal, `html` for a notebook, which shows it as the value of a cell."""

    def __init__(self, chapters: list[dict], note: str):
        self.chapters, self.note = chapters, note

    @property
    def text(self) -> str:
        return "\n".join([*(_chapter_text(chapter) for chapter in self.chapters), *filter(None, [self.note])])

    @property
    def html(self) -> str:
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return "".join(map(_chapter_html, self.chapters)) + note

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def progress(tasks: Mapping | None = None) -> Progress:
    """Chapter by chapter: what is passed, tried and open, and how the predictions and the quiz went.

    tasks: {name: task with .chapter and .title}, by default those of the course.
    """
    tasks, record = _tasks_of_the_course() if tasks is None else tasks, store()
    known = {entry.task: entry for entry in record.tasks()}
    answers = record.answers()
    places = {name: (two_digits(task.chapter), task.title) for name, task in tasks.items()}
    for entry in known.values():  # what an earlier version of the course asked for stays in sight
        places.setdefault(entry.task, (entry.chapter, entry.task))
    numbers = {chapter for chapter, _ in places.values()} | {_chapter_of(answer) for answer in answers}
    chapters = []
    for number in sorted(numbers):
        rows = [_row(name, title, known.get(name)) for name, (chapter, title) in places.items() if chapter == number]
        notes = _questions([answer for answer in answers if _chapter_of(answer) == number])
        chapters.append({"title": _title(number, rows), "rows": rows, "notes": notes})
    note = _say("nothing") if not chapters else "" if record.saved else _say("not_saved")
    return Progress(chapters, note)


def _tasks_of_the_course() -> Mapping:
    from course.exercises.task import all_tasks

    return all_tasks()


def _row(name: str, title: str, entry: TaskRecord | None) -> dict:
    """One line of the report: mark, name, title, and what is known of it."""
    state = "open" if entry is None else "passed" if entry.first_passed else "tried" if entry.attempts else "open"
    known = []
    if state == "passed":
        known.append(_say("passed_on", day=_day(entry.first_passed)))
    if entry and entry.attempts:
        known.append(_count("attempts", entry.attempts))
    if entry and entry.hints:
        known.append(_count("hints", entry.hints))
    return {"state": state, "mark": MARKS[state], "name": name, "title": title, "known": ", ".join(known) or _say(state)}


def _title(number: str, rows: list[dict]) -> str:
    passed = sum(row["state"] == "passed" for row in rows)
    name = _say("chapter", number=number) if number else _say("no_chapter")
    return f"{name}: {_say('passed_of', passed=passed, total=len(rows))}" if rows else name


def _questions(answers: list[Answer]) -> list[str]:
    """One sentence on the predictions and one on the quiz, where there are answers."""
    sentences = []
    predictions = [answer for answer in answers if answer.kind == "prediction"]
    scored = [answer for answer in predictions if answer.loss is not None]
    if predictions:
        sentences.append(_count("predictions", len(predictions)))
    if scored:
        mean = math.fsum(answer.loss for answer in scored) / len(scored)
        even = math.fsum(math.log(len(answer.options)) for answer in scored if answer.options) / len(scored)
        sentences[-1] += _count("loss", len(scored), loss=mean, even=even)
    quiz = [answer for answer in answers if answer.kind == "quiz" and answer.truth is not None]
    if quiz:
        sentences.append(_count("quiz", len(quiz), right=sum(map(_is_right, quiz))))
    return sentences


def _is_right(answer: Answer) -> bool:
    """Whether the choice is the truth, each given as an option or as its place."""
    name = lambda given: answer.options[given] if type(given) is int and given not in answer.options else given
    return name(answer.choice) == name(answer.truth)


def _chapter_of(answer: Answer) -> str:
    return answer.question.partition(".")[0]


def _chapter_text(chapter: dict) -> str:
    width = max((len(row["name"]) for row in chapter["rows"]), default=0)
    lines = [f"  {row['mark']} {row['name']:<{width}}  {_text_title(row)}{row['known']}" for row in chapter["rows"]]
    return "\n".join([chapter["title"], *lines, *(f"  {note}" for note in chapter["notes"]), ""])


def _text_title(row: dict) -> str:
    return "" if row["title"] == row["name"] else f"{row['title']}  ·  "


def _chapter_html(chapter: dict) -> str:
    escape = html.escape
    left = 'style="text-align:left"'
    lines = "".join(
        f'<tr><td><span role="img" aria-label="{escape(_say(row["state"]))}">{row["mark"]}</span></td>'
        f'<th scope="row" {left}><code>{escape(row["name"])}</code></th>'
        f"<td {left}>{escape(row['title'] if row['title'] != row['name'] else '')}</td><td {left}>{escape(row['known'])}</td></tr>"
        for row in chapter["rows"]
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in chapter["notes"])
    return f"<table><caption {left}>{escape(chapter['title'])}</caption><tbody>{lines}</tbody></table>{notes}"


# ── restore ─────────────────────────────────────────────────────────────────────────────────────────────────


def restore(task: str, into_cell: bool = True) -> None:
    """Bring back the learner's newest source that passed: as the next cell of a notebook, or else in print.

    into_cell=False prints it in a notebook too.
    """
    record = store()
    source = record.source(task)
    if source is None:
        passed = [entry.task for entry in record.tasks() if entry.source is not None]
        print(_nothing_to_restore(task, passed))
        return
    shell = _shell() if into_cell else None
    if shell is None:
        print(source)
        return
    shell.set_next_input(source)
    print(_say("restored", task=task))


def _shell():
    """The running IPython, if any."""
    if "IPython" not in sys.modules:
        return None
    return sys.modules["IPython"].get_ipython()


def _nothing_to_restore(task: str, passed: list[str]) -> str:
    if near := difflib.get_close_matches(task, passed, n=1):
        return _say("restore_near", task=task, near=near[0])
    if passed:
        return _say("restore_other", task=task, passed=", ".join(passed))
    return _say("restore_nothing", task=task)


# ── export and import ───────────────────────────────────────────────────────────────────────────────────────


def export(path: str | os.PathLike | None = None) -> None:
    """Write the whole record to one file, by default `predict-and-adjust-record.json` in the working folder.

    path: a file, or a folder for the file of that name.  An older export there is replaced if the record has all that
    it holds; raises FileExistsError for any other file, and OSError where nothing can be written.
    """
    path = Path(FILE if path is None else path).expanduser()
    path = path / FILE if path.is_dir() else path
    rows = store().everything()
    if os.path.lexists(path) and not _holds(rows, path):
        raise FileExistsError(_say("export_taken", path=path))
    content = {"format": FORMAT, "version": len(MIGRATIONS), "exported": now(), **rows}
    try:
        write_whole(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    except OSError as error:
        raise OSError(_say("export_failed", path=path, reason=error.strerror)) from None
    print(_say("exported", path=path, **_sizes(rows)))
    if "google.colab" in sys.modules:
        print(_say("exported_colab", name=path.name))


def import_(path: str | os.PathLike | None = None) -> None:
    """Add what an exported file holds to the record; nothing that is in the record is lost.

    path: a file, or a folder with a file of the default name.  Raises FileNotFoundError, or ValueError for a file that
    is no record, a damaged one, or one of a later version; then the record is as it was.
    """
    path = Path(FILE if path is None else path).expanduser()
    path = path / FILE if path.is_dir() else path
    rows = _read(path)
    record = store()
    new = record.merge({name: [_packed(name, row) for row in rows[name]] for name in COLUMNS})
    print(_say("imported" if new else "imported_nothing", path=path, new=new, **_sizes(record.everything())))


def _read(path: Path) -> dict[str, list[dict]]:
    """The rows in an exported file, all of them sound."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_refuse)
    except FileNotFoundError:
        raise FileNotFoundError(_say("import_missing", path=path)) from None
    except OSError as error:
        raise OSError(_say("import_failed", path=path, reason=error.strerror)) from None
    except (ValueError, RecursionError):  # not UTF-8, or not JSON
        raise ValueError(_say("import_other", path=path)) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(_say("import_other", path=path))
    version = content.get("version")
    if type(version) is int and version > len(MIGRATIONS):
        raise ValueError(_say("import_newer", path=path))
    for name in COLUMNS:
        rows = content.get(name)
        if type(version) is not int or not isinstance(rows, list):
            raise ValueError(_say("import_damaged", path=path, place=name))
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict) or not is_sound(name, _packed(name, row)):
                raise ValueError(_say("import_damaged", path=path, place=f"{name}, {number}"))
    return content


def _refuse(constant: str):
    raise ValueError(f"{constant} is no JSON")


def _packed(name: str, row: dict) -> dict:
    """A row as the tables hold it: plain data as JSON."""
    return {column: to_json(value) if column in PLAIN.get(name, ()) else value for column, value in row.items()}


def _holds(rows: dict[str, list[dict]], path: Path) -> bool:
    """Whether `path` is an export with nothing in it that is not in `rows`."""
    try:
        there = _read(path)
    except (ValueError, OSError):
        return False
    key = lambda row: json.dumps(row, sort_keys=True)
    return all({*map(key, there[name])} <= {*map(key, rows[name])} for name in COLUMNS)


def _sizes(rows: dict[str, list[dict]]) -> dict[str, str]:
    """How much a record holds, in words."""
    tasks = {row["task"] for name in ("attempts", "passes", "hints") for row in rows[name]}
    answers = {row["question"] for row in rows["answers"]}
    return {"tasks": _count("tasks", len(tasks)), "answers": _count("answers", len(answers))}


# ── sentences ───────────────────────────────────────────────────────────────────────────────────────────────


def _say(name: str, /, **values) -> str:
    return table("record")["record"][name].format(**values)


def _count(name: str, number: int, /, **values) -> str:
    """A sentence with a number, in the singular or the plural."""
    return _say(f"{name}_one" if number == 1 else name, number=number, **values)


def _day(moment: str) -> str:
    """The date where the learner is."""
    at = datetime.datetime.strptime(moment, MOMENT).replace(tzinfo=datetime.UTC)
    return at.astimezone().date().isoformat()
