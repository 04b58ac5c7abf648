"""The learner's record as a file: one SQLite database, and what is done when something happens to it.

    what is met                          what is done
    a crash in the middle of a write     SQLite rolls it back at the next opening
    two kernels at once                  one waits for the other, up to PATIENCE seconds
    a home that cannot be written        the work goes on in memory, and reaches the file once that is possible
    a full disk, a file held for long    the same
    a damaged file                       set aside under another name, never deleted; what is readable is carried over
    a newer version than this one        left as it is; the work goes on in memory
    an older version                     brought up to date in the transaction that first writes to it

Each case but the first two and the last is told to the learner in one sentence of record.toml, once in a process.
The file is opened for one transaction at a time, so that nothing is held between two cells.
"""

import contextlib
import datetime
import errno
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from course.sentences import table

APPLICATION = 0x50264121  # SQLite's field for whose file this is: "P&A!"
PATIENCE = 10.0  # seconds to wait for another kernel's transaction

# Entry i takes a file from version i to version i + 1.  What was released is never changed, only added to.
# Rows are added and never altered, and each has a key of its own in all the world (a name and a moment), so that the
# union of two records is their rows together.
MIGRATIONS = (
    (
        "CREATE TABLE attempts (task TEXT NOT NULL, chapter TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (task, at))",
        """CREATE TABLE passes (task TEXT NOT NULL, chapter TEXT NOT NULL, at TEXT NOT NULL, source TEXT NOT NULL,
                                PRIMARY KEY (task, at))""",
        "CREATE TABLE hints (task TEXT NOT NULL, number INTEGER NOT NULL, at TEXT NOT NULL, PRIMARY KEY (task, number))",
        """CREATE TABLE answers (question TEXT NOT NULL, kind TEXT NOT NULL, options TEXT NOT NULL, choice TEXT NOT NULL,
                                 confidence REAL, at TEXT NOT NULL, PRIMARY KEY (question, at))""",
        """CREATE TABLE truths (question TEXT NOT NULL, answered TEXT NOT NULL, truth TEXT NOT NULL, loss REAL,
                                at TEXT NOT NULL, PRIMARY KEY (question, answered))""",
    ),
)

# ── what a row may hold ─────────────────────────────────────────────────────────────────────────────────────


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_moment(value: object) -> bool:
    with contextlib.suppress(ValueError):
        return isinstance(value, str) and datetime.datetime.strptime(value, MOMENT).strftime(MOMENT) == value
    return False


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value < 1_000_000


def _is_number(value: object) -> bool:
    return value is None or (type(value) in (int, float) and abs(value) < 1e300)


def _is_json(value: object) -> bool:
    with contextlib.suppress(ValueError, RecursionError):
        return _is_text(value) and (json.loads(value), True)[1]
    return False


def _is_list(value: object) -> bool:
    return _is_json(value) and isinstance(json.loads(value), list)


MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"  # universal time; sorts as text
COLUMNS: dict[str, dict[str, Callable[[object], bool]]] = {  # table: {column: whether a value can stand in it}
    "attempts": {"task": _is_text, "chapter": _is_text, "at": _is_moment},
    "passes": {"task": _is_text, "chapter": _is_text, "at": _is_moment, "source": _is_text},
    "hints": {"task": _is_text, "number": _is_count, "at": _is_moment},
    "answers": {"question": _is_text, "kind": _is_text, "options": _is_list, "choice": _is_json,
                "confidence": _is_number, "at": _is_moment},
    "truths": {"question": _is_text, "answered": _is_moment, "truth": _is_json, "loss": _is_number, "at": _is_moment},
}  # fmt: skip
Rows = Mapping[str, Iterable[Mapping[str, object]]]  # table: rows as {column: value}


def is_sound(name: str, row: object) -> bool:
    """Whether `row` is a mapping that can stand in the table `name`; columns not known are no matter."""
    return isinstance(row, Mapping) and all(column in row and fits(row[column]) for column, fits in COLUMNS[name].items())


def rows_of(db: sqlite3.Connection) -> dict[str, list[dict]]:
    """All that a record holds, {table: [{column: value}]}."""
    return {name: [dict(row) for row in db.execute(f"SELECT {', '.join(columns)} FROM {name} ORDER BY rowid")]
            for name, columns in COLUMNS.items()}  # fmt: skip


def merge(db: sqlite3.Connection, rows: Rows) -> int:
    """Add the rows that `db` does not have yet.  Returns how many."""
    before = db.total_changes
    for name, columns in COLUMNS.items():
        insert = f"INSERT OR IGNORE INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        db.executemany(insert, ([row[column] for column in columns] for row in rows.get(name, ())))
    return db.total_changes - before


# ── one sentence, once ──────────────────────────────────────────────────────────────────────────────────────

_said: set[str] = set()


def say(name: str, /, **values) -> None:
    """Print the sentence `name` of record.toml's table [store], unless this process has printed the same already."""
    sentence = table("record")["store"][name].format(**values)
    if sentence not in _said:
        _said.add(sentence)
        print(sentence)


# ── the file ────────────────────────────────────────────────────────────────────────────────────────────────


class Broken(Exception):
    """The file is no record, or no longer one."""


class Newer(Exception):
    """The file was written by a later version of the course."""


class Older(Exception):
    """The file has to be migrated before it can be read."""


TROUBLE = (OSError, sqlite3.OperationalError, Broken, Newer)  # what sends the work into memory; all else is our mistake


class RecordFile:
    """The record at `path`.  `operation`s get a sqlite3.Connection inside a transaction, and must return plain data.

    An operation may run twice (in the file, which then fails, and in memory): it must have no effect but on the record.
    """

    def __init__(self, path: Path):
        self.path = path
        self._memory: sqlite3.Connection | None = None  # the record, while the file is not to be had
        self._guard = threading.RLock()

    @property
    def saved(self) -> bool:
        """False while there is something in memory that is not in the file."""
        return self._memory is None

    def write(self, operation: Callable):
        """Run `operation` on the file, which is made, mended or migrated first where needed; else in memory."""

        def all_of_it(db):
            _migrate(db)
            if self._memory is not None:
                merge(db, rows_of(self._memory))
            return operation(db)

        with self._guard:
            try:
                result = self._mending("IMMEDIATE", all_of_it)
            except TROUBLE as error:
                self._retreat(error)
                return operation(self._memory)
            if self._memory is not None:
                self._memory.close()
                self._memory = None
                say("saved")
            return result

    def read(self, operation: Callable):
        """Run `operation` on what is recorded.  Makes no file where there is none."""

        def look(db):
            if _version(db) < len(MIGRATIONS):
                raise Older
            return operation(db)

        with self._guard:
            if self._memory is None and not os.path.lexists(self.path):
                with contextlib.closing(_blank()) as nothing:
                    return operation(nothing)
            if self._memory is None:
                try:
                    return self._mending("DEFERRED", look)
                except Older:
                    return self.write(operation)
                except TROUBLE as error:
                    self._retreat(error)
            return operation(self._memory)

    def _mending(self, begin: str, operation: Callable):
        try:
            return self._transaction(begin, operation)
        except (FileNotFoundError, Broken):
            self._renew()
            return self._transaction(begin, operation)

    def _transaction(self, begin: str, operation: Callable):
        """One transaction in a file that must be there.  What fails before the end leaves no trace."""
        if not os.path.lexists(self.path):
            raise FileNotFoundError(self.path)
        if self.path.is_dir():
            raise Broken("a folder")
        # Once in memory, the file is tried anew at each write, and a learner should not wait for it each time.
        with _damage_named(), contextlib.closing(_connect(self.path, PATIENCE if self.saved else 0.2)) as db:
            db.execute(f"BEGIN {begin}")  # IMMEDIATE: a transaction that begins by reading could not wait for its turn
            _check(db)
            result = operation(db)
            db.execute("COMMIT")
            return result

    def _retreat(self, error: Exception) -> None:
        """Go on in memory with what the file holds, and say why."""
        if self._memory is None:
            self._memory = _blank()
            try:
                self._transaction("DEFERRED", self._copy_to_memory)
            except Broken:
                _rescue(self.path, self._memory)
            except TROUBLE:
                pass  # as when the file is of a newer version: nothing of it can be had
        name, values = _cause(error)
        say(name, path=self.path, **values)

    def _copy_to_memory(self, db: sqlite3.Connection) -> None:
        db.backup(self._memory)
        _migrate(self._memory)

    # ── a file that is missing or damaged ──

    def _renew(self) -> None:
        """Put a new record at `path`; a damaged one is set aside, and what is readable in it carried over."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            try:
                return self._transaction("DEFERRED", lambda db: None)  # another kernel was quicker
            except FileNotFoundError:
                damaged = False
            except Broken:
                damaged = True
            part = self.path.with_name(f"{self.path.name}.part")
            part.unlink(missing_ok=True)
            with contextlib.closing(_blank()) as record, contextlib.closing(_connect(part)) as copy:
                rescued = _rescue(self.path, record) if damaged else 0
                record.backup(copy)
            aside = self._set_aside()
            os.replace(part, self.path)  # whole, so that no kernel ever meets half a record
        if damaged:
            say("broken_rescued" if rescued else "broken", aside=aside, count=rescued)

    def _set_aside(self) -> Path:
        """Rename the file, and first its journal, which SQLite would otherwise play into the new one."""
        label = f"{self.path.stem}.broken-{datetime.date.today().isoformat()}"
        names = (f"{label}{number}{self.path.suffix}" for number in ["", *(f"-{n}" for n in range(2, 10_000))])
        aside = next(path for path in map(self.path.with_name, names) if not os.path.lexists(path))
        for ending in ("-journal", "-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self.path}{ending}", f"{aside}{ending}")
        return aside

    @contextlib.contextmanager
    def _alone(self):
        """Let one kernel at a time make or mend the file.

        The lock is SQLite's own on an empty file, which works on every system and ends with the process that holds it.
        """
        with _damage_named(), contextlib.closing(_connect(self.path.with_name(f"{self.path.name}.lock"))) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            yield


def _connect(where: Path | str, patience: float = PATIENCE) -> sqlite3.Connection:
    db = sqlite3.connect(where, timeout=patience, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    return db


def _blank() -> sqlite3.Connection:
    """An empty record in memory."""
    db = _connect(":memory:")
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    _migrate(db)
    return db


def _version(db: sqlite3.Connection) -> int:
    return db.execute("PRAGMA user_version").fetchone()[0]


def _migrate(db: sqlite3.Connection) -> None:
    for version in range(_version(db), len(MIGRATIONS)):
        for statement in MIGRATIONS[version]:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {version + 1}")


def _check(db: sqlite3.Connection) -> None:
    """Raise Broken or Newer unless `db` is a sound record of a version that is known here."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise Broken("no record of this course")
    if _version(db) > len(MIGRATIONS):
        raise Newer
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    missing = COLUMNS.keys() - tables if _version(db) == len(MIGRATIONS) else ()
    if missing or db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise Broken("damaged")


def _rescue(damaged: Path, record: sqlite3.Connection) -> int:
    """Add to `record` what can still be read in a damaged file, without touching that.  Returns how many rows."""
    rows = {name: [] for name in COLUMNS}
    for name, columns in COLUMNS.items():
        for order in ("ASC", "DESC"):  # from either end as far as the damage
            with contextlib.suppress(sqlite3.Error, OSError, ValueError):
                uri = f"{damaged.absolute().as_uri()}?mode=ro&immutable=1"
                with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
                    db.row_factory = sqlite3.Row
                    db.execute("PRAGMA writable_schema = ON")  # or SQLite reads nothing of a file that was cut short
                    for row in db.execute(f"SELECT {', '.join(columns)} FROM {name} ORDER BY rowid {order}"):
                        rows[name] += [dict(row)] if is_sound(name, dict(row)) else []
    return merge(record, rows)


@contextlib.contextmanager
def _damage_named():
    """Turn SQLite's two errors for a damaged file into Broken."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise Broken(str(error)) from error
        raise


def _code(error: Exception) -> int:
    """SQLite's primary result code, 0 for other errors."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _cause(error: Exception) -> tuple[str, dict]:
    """The sentence for why the file is not to be had, and its values."""
    if isinstance(error, Newer):
        return "newer", {}
    if _code(error) == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        return "full", {}
    if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "busy", {}
    return "unwritable", {"reason": getattr(error, "strerror", None) or error}
