"""What the learner has done: tasks tried and passed, hints seen, predictions and quiz answers given.

    from course.exercises.store import store
    store().passed("softmax", "03", source)
    store().tasks()        # [TaskRecord(task="softmax", chapter="03", first_passed="2026-11-24T06:12:03.120000Z", …)]

One SQLite file, record.sqlite, in the folder COURSE_HOME, or else in the user's data folder of this system.  It is
made by the first thing worth keeping; importing and reading write nothing.  What befalls the file (two kernels at
once, no room, damage) is dealt with in record_file.py, and no method here raises for it.

Names of tasks and questions are kept for ever: a record made today must mean the same after an update.
"""

import datetime
import functools
import json
import math
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from course.exercises.record_file import MOMENT, RecordFile, Rows, merge, rows_of

NAME = "record.sqlite"
PLAIN = {"answers": ("options", "choice"), "truths": ("truth",)}  # columns that hold JSON, by table


class TaskRecord(NamedTuple):
    """One task so far.  Moments are texts in universal time, which sort as they are; None for what never was."""

    task: str
    chapter: str  # "03"; "" where only hints were asked for
    attempts: int
    hints: int
    begun: str
    first_passed: str | None
    last_passed: str | None
    source: str | None  # the newest source that passed


class Answer(NamedTuple):
    """One answer; `truth` and `loss` are None until the truth was revealed, and for answers after the first."""

    question: str
    kind: str  # "prediction" or "quiz"
    options: tuple
    choice: object  # as it was given: an option, or its place
    confidence: float | None
    at: str
    truth: object
    loss: float | None  # nats


class Store:
    """The learner's record at `path`, by default the one of this machine's user."""

    def __init__(self, path: str | os.PathLike | None = None):
        self._file = RecordFile(_default_path() if path is None else Path(path))

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def saved(self) -> bool:
        """False while there is something that could not be written to the file."""
        return self._file.saved

    # ── tasks ──

    def attempted(self, task: str, chapter: str | int) -> None:
        """Count one more attempt, whatever came of it."""

        def add(db):
            at = _moment(db, "attempts", "task", task)
            db.execute("INSERT INTO attempts (task, chapter, at) VALUES (?, ?, ?)", (task, two_digits(chapter), at))

        self._file.write(add)

    def passed(self, task: str, chapter: str | int, source: str) -> None:
        """Keep a source that passed, unless it is the newest already."""
        source = _text(source)

        def add(db):
            if _source(db, task) != source:
                row = (task, two_digits(chapter), _moment(db, "passes", "task", task), source)
                db.execute("INSERT INTO passes (task, chapter, at, source) VALUES (?, ?, ?, ?)", row)

        self._file.write(add)

    def source(self, task: str) -> str | None:
        """The newest source that passed."""
        return self._file.read(lambda db: _source(db, task))

    def hints(self, task: str) -> int:
        """How many hints were shown."""
        return self._file.read(lambda db: _hints(db, task))

    def hint_shown(self, task: str) -> int:
        """Count one more hint.  Returns the new count."""

        def add(db):
            number = _hints(db, task) + 1
            db.execute("INSERT INTO hints (task, number, at) VALUES (?, ?, ?)", (task, number, now()))
            return number

        return self._file.write(add)

    def tasks(self) -> list[TaskRecord]:
        """Every task of which anything is known, in the order in which they were begun."""
        return self._file.read(lambda db: [TaskRecord(*row) for row in db.execute(_TASKS)])

    # ── questions ──

    def answer(self, question: str, kind: str, options, choice, confidence: float | None = None) -> Answer:
        """Keep an answer.  Returns the one that stands, which is the first that was ever given.

        options: a sequence; options and choice may be whatever JSON can hold, and come back the same.
        """

        def add(db):
            at = _moment(db, "answers", "question", question)
            row = (question, kind, to_json(list(options)), to_json(choice), _number(confidence), at)
            db.execute("INSERT INTO answers (question, kind, options, choice, confidence, at) VALUES (?, ?, ?, ?, ?, ?)", row)
            return _first_answer(db, question)

        return self._file.write(add)

    def answered(self, question: str) -> Answer | None:
        """The first answer to a question."""
        return self._file.read(lambda db: _first_answer(db, question))

    def answers_to(self, question: str) -> list[Answer]:
        """Every answer to one question; the first one stands."""
        return self._file.read(lambda db: [answer for answer in _answers(db) if answer.question == question])

    def truth(self, question: str, truth, loss: float | None) -> None:
        """Keep what came out, and the learner's loss in nats, beside the first answer; nothing without one.

        Only the first truth counts.
        """
        first = self.answered(question)
        if first is None or first.truth is not None:
            return  # and so Run All on an untouched notebook writes nothing

        def add(db):
            row = (question, _first_answer(db, question).at, to_json(truth), _number(loss), now())
            db.execute("INSERT OR IGNORE INTO truths (question, answered, truth, loss, at) VALUES (?, ?, ?, ?, ?)", row)

        self._file.write(add)

    def answers(self) -> list[Answer]:
        """The first answer to each question, in the order in which they were given."""
        first = {}
        for answer in self._file.read(_answers):
            first.setdefault(answer.question, answer)
        return list(first.values())

    # ── as a whole ──

    def everything(self) -> dict[str, list[dict]]:
        """All rows of all tables (see record_file.py), ready for JSON."""
        rows = self._file.read(rows_of)
        for name, columns in PLAIN.items():
            rows[name] = [{**row, **{column: json.loads(row[column]) for column in columns}} for row in rows[name]]
        return rows

    def merge(self, rows: Rows) -> int:
        """Add the rows that are new here; they must be sound (record_file.is_sound).  Returns how many were new."""
        return self._file.write(lambda db: merge(db, rows))


def store() -> Store:
    """The record of the present COURSE_HOME; one object for each home in a process."""
    return _store_at(_default_path())


@functools.cache
def _store_at(path: Path) -> Store:
    return Store(path)


def _default_path() -> Path:
    if home := os.environ.get("COURSE_HOME"):
        return Path(home).expanduser().absolute() / NAME
    import platformdirs

    return Path(platformdirs.user_data_dir("predict-and-adjust", appauthor=False)) / NAME


# ── inside a transaction ────────────────────────────────────────────────────────────────────────────────────

_TASKS = """
WITH seen AS (SELECT task, chapter, at FROM attempts UNION ALL SELECT task, chapter, at FROM passes
              UNION ALL SELECT task, '', at FROM hints)
SELECT task, max(chapter),
       (SELECT count(*) FROM attempts WHERE task = seen.task),
       (SELECT coalesce(max(number), 0) FROM hints WHERE task = seen.task),
       min(at) AS begun,
       (SELECT min(at) FROM passes WHERE task = seen.task),
       (SELECT max(at) FROM passes WHERE task = seen.task),
       (SELECT source FROM passes WHERE task = seen.task ORDER BY at DESC LIMIT 1)
FROM seen GROUP BY task ORDER BY begun, task"""

_ANSWERS = """
SELECT answers.question, kind, options, choice, confidence, answers.at, truth, loss
FROM answers LEFT JOIN truths ON truths.question = answers.question AND truths.answered = answers.at
ORDER BY answers.at, answers.question"""


def _source(db: sqlite3.Connection, task: str) -> str | None:
    row = db.execute("SELECT source FROM passes WHERE task = ? ORDER BY at DESC LIMIT 1", (task,)).fetchone()
    return row and row["source"]


def _hints(db: sqlite3.Connection, task: str) -> int:
    return db.execute("SELECT coalesce(max(number), 0) FROM hints WHERE task = ?", (task,)).fetchone()[0]


def _answers(db: sqlite3.Connection) -> list[Answer]:
    """Every answer, in order."""
    decoded = ("options", "choice", "truth")
    rows = [dict(row) for row in db.execute(_ANSWERS)]
    rows = [{**row, **{name: row[name] and json.loads(row[name]) for name in decoded}} for row in rows]
    return [Answer(**{**row, "options": tuple(row["options"])}) for row in rows]


def _first_answer(db: sqlite3.Connection, question: str) -> Answer | None:
    return next((answer for answer in _answers(db) if answer.question == question), None)


def now() -> str:
    """This moment in UTC, as text that sorts by time."""
    return datetime.datetime.now(datetime.UTC).strftime(MOMENT)


def _moment(db: sqlite3.Connection, table: str, column: str, name: str) -> str:
    """Now; but always after what is recorded for the same name, also where two come at once or the clock went back."""
    last = db.execute(f"SELECT max(at) FROM {table} WHERE {column} = ?", (name,)).fetchone()[0]
    if last is None or last < now():
        return now()
    return (datetime.datetime.strptime(last, MOMENT) + datetime.timedelta(microseconds=1)).strftime(MOMENT)


def two_digits(chapter: str | int) -> str:
    """A chapter's number as notebooks are named: 3 → "03"."""
    return f"{chapter:0>2}"


def to_json(value: object) -> str:
    """JSON of plain data, NumPy's and torch's single numbers included."""
    return _text(json.dumps(value, ensure_ascii=False, allow_nan=False, default=lambda number: number.item()))


def _number(value: float | None) -> float | None:
    """A plain float; ValueError for NaN and infinity, which no record can hold."""
    if value is not None and not math.isfinite(value):
        raise ValueError(f"a finite number is needed, got {value}")
    return None if value is None else float(value)


def _text(text: str) -> str:
    """The same, fit to be kept: half of a surrogate pair has no place in UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
