"""Run a learner's function on some inputs, and nothing else: what it does to the kernel is put back.

    outcomes = run(softmax, [(np.array([1.0, 2.0]),), (np.zeros(3),)], seconds=3.0)
    outcomes[0].kind, outcomes[0].value        # "value", array([0.27, 0.73])

The function gets copies of the inputs.  What it prints is caught; random generators, NumPy's settings, warnings and
names of NumPy that it changes are as before when `run` returns.  An exception is an outcome; an endless loop is one, too
(limits.py).  Only the learner's own interrupt goes through.
"""

import builtins
import contextlib
import copy
import dataclasses
import inspect
import io
import linecache
import math
import os
import random
import sys
import sysconfig
import time
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from course.exercises.limits import TimeIsUp, limited

PRINT_LIMIT = 2000  # characters of what is printed that are kept
COURSE = str(Path(__file__).resolve().parents[1])
LIBRARIES = tuple({str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib", "platlib")})


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one call did.

    kind: "value", "exception" or "too_long";  value: what was returned, detached from what later calls change;
    line: number and text of the learner's own line that failed or was interrupted, None where it can't be known;
    changed: places of arguments that were changed in place;  printed: the beginning of what was printed.
    """

    kind: str
    value: object = None
    error: BaseException | None = None
    line: tuple[int, str] | None = None
    changed: tuple[int, ...] = ()
    printed: str = ""


def run(function: Callable, inputs: Sequence[tuple], seconds: float = 3.0) -> list[Outcome]:
    """One outcome for each tuple of arguments; fewer where the time for all was up: the last is then "too_long"."""
    outcomes: list[Outcome] = []
    with _as_before():
        deadline = time.monotonic() + seconds
        for arguments in inputs:
            outcomes.append(_call(function, arguments, deadline - time.monotonic()))
            if outcomes[-1].kind == "too_long":
                break
    return outcomes


def _call(function: Callable, arguments: tuple, seconds: float) -> Outcome:
    given = tuple(map(_copied, arguments))
    printed = _Printed()
    value = error = None
    kind = "value"
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), limited(seconds):
            value = function(*given)
    except KeyboardInterrupt:
        raise
    except TimeIsUp as up:
        kind, error = "too_long", up
    except BaseException as raised:  # noqa: BLE001 (SystemExit as well: `exit()` must not end the kernel)
        kind, error = "exception", raised
    changed = tuple(place for place, (a, b) in enumerate(zip(arguments, given)) if not _unchanged(a, b))
    line = None if error is None else _own_line(error, function)
    if error is not None:
        error = error.with_traceback(None)  # frames keep large arrays alive
    return Outcome(kind, _detached(value), error, line, changed, printed.text)


# ── inputs and values ───────────────────────────────────────────────────────────────────────────────────────


def _copied(value):
    return np.array(value) if type(value) is np.ndarray else copy.deepcopy(value)


def _detached(value):
    try:
        return _copied(value)
    except Exception:  # noqa: BLE001 (a generator, a lock: what can't be copied is looked at as it is)
        return value


def _unchanged(before, after) -> bool:
    if type(before) is np.ndarray:
        same = before.shape == after.shape and before.dtype == after.dtype
        return same and np.array_equal(before, after, equal_nan=before.dtype.kind in "fc")
    if "torch" in sys.modules and isinstance(before, sys.modules["torch"].Tensor):
        return before.shape == after.shape and bool((before == after).logical_or(before.isnan() & after.isnan()).all())
    return before == after


# ── the learner's own line ──────────────────────────────────────────────────────────────────────────────────


def _own_line(error: BaseException, function: Callable) -> tuple[int, str] | None:
    """The innermost line that the learner has written."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    home = code.co_filename if code else None
    found, trace = None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name == home or not _is_foreign(name):
            found = (trace.tb_lineno, linecache.getline(name, trace.tb_lineno).strip())
        trace = trace.tb_next
    return found


def _is_foreign(file: str) -> bool:
    """Python's, a library's or the course's own file; the cells of a notebook are none of these."""
    return file.startswith((COURSE, "<frozen", "<__array_function__", *LIBRARIES))


# ── what is printed ─────────────────────────────────────────────────────────────────────────────────────────


class _Printed(io.TextIOBase):
    """Takes what is printed, and keeps no more than the beginning."""

    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, text) -> int:
        if len(self.text) < PRINT_LIMIT:
            self.text += str(text)[: PRINT_LIMIT - len(self.text)]
        return len(text)


# ── as before ───────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _as_before() -> Iterator[None]:
    """Run the body without warnings; afterwards generators, settings, streams and NumPy's names are what they were."""
    torch = sys.modules.get("torch")
    states = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()  # noqa: NPY002
    streams, recursion, folder = (sys.stdout, sys.stderr), sys.getrecursionlimit(), os.getcwd()
    names = _names_now()
    try:
        with np.errstate(all="ignore"), np.printoptions(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for module, before in names:
            for name in [name for name, value in before.items() if module.__dict__.get(name) is not value]:
                setattr(module, name, before[name])
        sys.stdout, sys.stderr = streams
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        if torch:
            torch.set_rng_state(states[2])
        sys.setrecursionlimit(recursion)
        if os.getcwd() != folder:
            os.chdir(folder)


OF_PYTHON = ("abs", "enumerate", "float", "int", "len", "list", "max", "min", "range", "round", "sum", "tuple", "zip")


def _names_now() -> list[tuple[types.ModuleType, dict]]:
    """The public functions of NumPy and math, and those of Python that numbers are made with, as they are now.

    Not all of Python's: the kernel itself puts another `input` in place for every cell.
    """
    modules = [(each, {name: value for name, value in vars(each).items() if name[0] != "_" and callable(value)})
               for each in (np, np.linalg, math)]  # fmt: skip
    return [*modules, (builtins, {name: vars(builtins)[name] for name in OF_PYTHON})]


_AT_IMPORT = _names_now()


def tampered() -> list[str]:
    """Public names of NumPy, math and Python that have another value than when this module was loaded."""
    return [
        f"{module.__name__}.{name}"
        for module, before in _AT_IMPORT
        for name, value in before.items()
        if module.__dict__.get(name) is not value
    ]


# ── who is called ───────────────────────────────────────────────────────────────────────────────────────────


def called(function: Callable, arguments: tuple, watched: Sequence[Callable], seconds: float = 3.0) -> set[Callable]:
    """Those of `watched` (functions of Python or builtins) that a call of `function` leads to, by whatever way."""
    codes = {code: each for each in watched if (code := getattr(inspect.unwrap(each), "__code__", None))}
    found = set()

    def notice(frame, event, argument):
        if event == "call" and frame.f_code in codes:
            found.add(codes[frame.f_code])
        elif event == "c_call" and argument in watched:
            found.add(argument)

    def profiled(*given):
        before = sys.getprofile()
        sys.setprofile(notice)
        try:
            return function(*given)
        finally:
            sys.setprofile(before)

    run(profiled, [arguments], seconds)
    return found
