"""Run a learner's function on some inputs, and nothing else: what it does to the kernel is put back.

    outcomes = run(softmax, [(np.array([1.0, 2.0]),), (np.zeros(3),)], seconds=3.0)
    outcomes[0].kind, outcomes[0].value        # "value", array([0.27, 0.73])

The function gets copies of the inputs.  What it prints is caught; random generators, settings, warnings and names of
NumPy that it changes are as before when `run` returns (state.py).  An exception is an outcome; an endless loop is one,
too (limits.py).  Only the learner's own interrupt, the stop button, goes through.
"""

import copy
import dataclasses
import inspect
import io
import linecache
import sys
from collections.abc import Callable, Iterable, Sequence

from numpy import array, generic, ndarray  # these objects, whatever np.array is when a learner has been there

from course.exercises.limits import Limit, is_foreign
from course.exercises.state import as_before, tampered

__all__ = ["PRINT_LIMIT", "Outcome", "called", "run", "tampered"]

PRINT_LIMIT = 2000  # characters of what is printed that are kept


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one call did.

    kind: "value", "exception" or "too_long";  value: what was returned, detached from what later calls change;
    error: the exception that was raised, without the frames that it went through;
    line: number in its file or cell, and text, of the learner's own line that failed or was interrupted, None where it
    can't be known;  changed: places of arguments that were changed in place;
    printed: the beginning of what was printed.
    """

    kind: str
    value: object = None
    error: BaseException | None = None
    line: tuple[int, str] | None = None
    changed: tuple[int, ...] = ()
    printed: str = ""


def run(function: Callable, inputs: Sequence[tuple], seconds: float = 3.0) -> list[Outcome]:
    """One outcome for each tuple of arguments; fewer where the time for all was up: the last is then "too_long".

    Raises KeyboardInterrupt where the learner interrupts the kernel, and nothing that the function raises but that.
    """
    outcomes: list[Outcome] = []
    with as_before() as put_names_back, Limit(seconds) as limit:
        for arguments in inputs:
            outcomes.append(_call(function, arguments, limit, put_names_back))
            if limit.up:
                break
    return outcomes


def _call(function: Callable, arguments: tuple, limit: Limit, put_names_back: Callable[[], None]) -> Outcome:
    given = tuple(map(_detached, arguments))
    printed = sys.stdout = sys.stderr = _Printed()
    value = error = None
    try:
        value = limit.call(function, given)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # noqa: BLE001 (SystemExit as well: `exit()` must not end the kernel)
        error = raised
    put_names_back()
    line = _own_line(error, function)
    changed = tuple(place for place, pair in enumerate(zip(arguments, given)) if not _unchanged(*pair))
    if limit.up:  # and whatever the function made of the interrupt, a value or another exception
        return Outcome("too_long", None, None, line, changed, printed.text)
    kind = "value" if error is None else "exception"
    return Outcome(kind, _detached(value), _without_frames(error), line, changed, printed.text)


# ── inputs and values ───────────────────────────────────────────────────────────────────────────────────────


def _detached(value):
    """A copy that shares nothing with its original; what can't be copied (a generator, a lock) stays what it is."""
    if type(value) is ndarray and not value.dtype.hasobject:
        return array(value, order="C")  # can be written to, even where the original can't
    if type(value) is tuple:
        return tuple(map(_detached, value))
    try:
        if _is_tensor(value) and not value.is_leaf:
            return value.detach().clone()  # deepcopy refuses a tensor that was computed from parameters
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001
        return value


def _is_tensor(value) -> bool:
    torch = sys.modules.get("torch")
    return hasattr(torch, "Tensor") and isinstance(value, torch.Tensor)


def _unchanged(before, after) -> bool:
    """Bit by bit, so that NaN is like itself.  What can't be looked into, such as a random generator, never counts."""
    if type(before) is not type(after):
        return False
    if isinstance(before, ndarray):
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            return False
        if before.dtype.hasobject:
            return _all_unchanged(before.flat, after.flat)
        return before.tobytes() == after.tobytes()
    if _is_tensor(before):
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            return False
        return bool(((before == after) | (before != before) & (after != after)).all())
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and _all_unchanged(before, after)
    if isinstance(before, dict):
        return list(before) == list(after) and _all_unchanged(before.values(), after.values())
    if isinstance(before, (int, float, complex, generic, str, bytes, bytearray, set, frozenset)):
        return bool(before == after or before != before and after != after)
    return True


def _all_unchanged(before: Iterable, after: Iterable) -> bool:
    return all(_unchanged(a, b) for a, b in zip(before, after))


# ── exceptions ──────────────────────────────────────────────────────────────────────────────────────────────


def _own_line(error: BaseException | None, function: Callable) -> tuple[int, str] | None:
    """The innermost line that the learner has written."""
    home = getattr(_code(function), "co_filename", None)
    found, trace = None, error.__traceback__ if error is not None else None
    while trace is not None:
        file, number = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        if (file == home or not is_foreign(file)) and (text := linecache.getline(file, number).strip()):
            found = number, text
        trace = trace.tb_next
    return found


def _code(function: Callable):
    """The code of a Python function, inside whatever wraps it; None for a builtin."""
    return getattr(inspect.unwrap(function), "__code__", None)


def _without_frames(error: BaseException | None) -> BaseException | None:
    """Frames keep everything alive that the function had made; so do those of what the exception came from."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = None
            waiting += [one.__context__, one.__cause__]
    return error


# ── what is printed ─────────────────────────────────────────────────────────────────────────────────────────


class _Printed(io.TextIOBase):
    """Takes what is printed, and keeps no more than the beginning.  It has neither a buffer nor a file number."""

    encoding, errors = "utf-8", "replace"

    def __init__(self):
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if (left := PRINT_LIMIT - len(self.text)) > 0:
            self.text += text[:left]
        return len(text)


# ── who is called ───────────────────────────────────────────────────────────────────────────────────────────


def called(function: Callable, arguments: tuple, watched: Sequence[Callable], seconds: float = 3.0) -> set[Callable]:
    """Those of `watched` that a call of `function` leads to, by whatever way.

    watched: functions of Python, wrapped or not, and builtins, of which torch's are some.  NumPy's ufuncs (np.exp)
    leave no trace that could be seen.  A function that is only written in the same words is not the watched one.
    """
    codes = {id(code): each for each in watched if (code := _code(each)) is not None}
    builtin = [each for each in watched if _code(each) is None]
    found = set()

    def notice(frame, event, argument):
        if event == "call" and (known := codes.get(id(frame.f_code))) is not None:
            found.add(known)
        elif event == "c_call":
            found.update(each for each in builtin if each is argument)

    def profiled(*given):
        sys.setprofile(notice)
        try:
            return function(*given)
        finally:
            sys.setprofile(None)  # what comes after is not the function's; `run` puts back whose turn it was before

    run(profiled, [arguments], seconds)
    return found
