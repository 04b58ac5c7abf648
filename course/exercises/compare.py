"""Is this answer right, and does it behave as that one?  Nothing is broadcast, reshaped or converted to fit."""

import math
import numbers
import sys
from typing import NamedTuple

import numpy as np

from course.exercises import exact
from course.exercises.run import Outcome
from course.exercises.task import Task


CONTENT = ("numbers", "item", "items", "ends_early", "goes_on", "keys", "text")  # kinds of an answer of the right sort


class Difference(NamedTuple):
    """How an answer differs from the expected one: the name of a sentence of exercises.toml, [kinds], and its holes."""

    kind: str
    part: int = 0  # of an answer that is a tuple
    holes: dict = {}


class Answer(NamedTuple):
    """What is asked for: its parts (one, if it is no tuple), and how near is near enough."""

    parts: tuple
    names: tuple[str, ...]
    rtol: float
    atol: float


def expected(task: Task, value) -> Answer:
    """The reference's value as an Answer.  What is no tuple (an array, a list, a dict, a text) is one part without a name."""
    parts = value if isinstance(value, tuple) else (value,)
    if not task.traced:
        parts = tuple(part if exact.asked(part) else np.asarray(part) for part in parts)
    return Answer(parts, task.results or ("",), task.rtol, task.atol)


def parts_of(value, answer: Answer):
    """The learner's value cut into as many parts as are asked for, or a Difference."""
    if value is None:
        return Difference("nothing")
    if len(answer.parts) == 1:
        return (_as_asked(value, answer.parts[0]),)
    asked = {"names": ", ".join(answer.names), "count": len(answer.parts)}
    if not isinstance(value, (tuple, list)):
        return Difference("one_thing", holes=asked | {"type": type(value).__name__})
    if len(value) != len(answer.parts):
        return Difference("other_count", holes=asked | {"given": len(value)})
    return tuple(map(_as_asked, value, answer.parts))


def _as_asked(part, wanted):
    """A single number is as good as an array without axes, where NumPy itself gives now one, now the other.

    Python's whole numbers have no largest one, and NumPy's do: as floats they can be compared.
    """
    whole = isinstance(part, int) and not isinstance(part, bool) and not exact.asked(wanted)
    single = isinstance(wanted, np.ndarray) and wanted.ndim == 0
    if whole and (single or abs(part) > np.iinfo(np.int64).max):
        part = float(part) if abs(part) < sys.float_info.max else (math.inf if part > 0 else -math.inf)
    return np.asarray(part) if single and isinstance(part, (float, np.floating)) else part


def difference(answer: Answer, value) -> Difference | None:
    """The first thing that is off: kind before shape, shape before dtype, then NaN, then the content.  None if right."""
    parts = parts_of(value, answer)
    if isinstance(parts, Difference):
        return parts
    for check in (_type, _shape, _dtype, _finite, _numbers):
        for place, (wanted, part) in enumerate(zip(answer.parts, parts)):
            if exact.asked(wanted) and check in (_shape, _dtype, _finite):
                continue
            if found := check(wanted, part, answer):
                kind, holes = found
                return Difference(kind, place, holes | {"result": answer.names[place]})
    return None


def _type(wanted, part, _):
    if exact.asked(wanted):
        return exact.kind(wanted, part)
    if isinstance(wanted, numbers.Number):
        return None if isinstance(part, (numbers.Number, np.generic)) else ("number", {"type": type(part).__name__})
    if type(part) is np.ndarray:
        return None
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(part, torch.Tensor):
        return "tensor", {}
    kind = "list" if isinstance(part, (list, tuple)) else "nothing" if part is None else "no_array"
    return kind, {"type": type(part).__name__}


def _shape(wanted, part, _):
    if np.shape(wanted) != np.shape(part):
        return "shape", {"expected": np.shape(wanted), "given": np.shape(part)}
    return None


def _dtype(wanted, part, _):
    if isinstance(wanted, np.ndarray) and wanted.dtype != part.dtype:
        kind = "bool" if wanted.dtype == bool else "whole" if part.dtype.kind in "iu" else "dtype"
        return kind, {"expected": wanted.dtype, "given": part.dtype}
    return None


def _finite(wanted, part, _):
    odd = np.isnan(part) & ~np.isnan(wanted)
    if np.any(odd):
        return "nan", {"count": int(np.sum(odd)), "of": np.size(part)}
    if np.any(odd := np.isnan(wanted) & ~np.isnan(part)):
        return "no_nan", {"count": int(np.sum(odd)), "of": np.size(part)}
    if np.any(odd := np.isinf(part) & np.isfinite(wanted)):
        return "infinite", {"count": int(np.sum(odd)), "of": np.size(part)}
    return None


def _numbers(wanted, part, answer: Answer):
    if exact.asked(wanted):
        return exact.content(wanted, part)
    if close(wanted, part, answer.rtol, answer.atol):
        return None
    gap = np.nan_to_num(np.abs(np.asarray(part, dtype=float) - np.asarray(wanted, dtype=float)), posinf=np.inf)
    place = np.unravel_index(np.argmax(gap), gap.shape) if np.ndim(gap) else ()
    truth = getattr(wanted, "dtype", None) == bool
    finite = np.abs(np.asarray(wanted, dtype=float))[np.isfinite(wanted)] if np.ndim(wanted) else abs(wanted)
    return "numbers", {
        "largest": float(np.max(gap)), "place": tuple(map(int, place)), "scale": float(np.max(finite, initial=0.0)),
        "single": bool(np.allclose(part, wanted, rtol=1e-5, atol=1e-6, equal_nan=True)), "truth": truth,
        "count": int(np.sum(gap > 0)), "all": int(np.size(gap)),
    }  # fmt: skip


def close(a, b, rtol: float, atol: float) -> bool:
    """Equal within the tolerance, NaN to NaN and infinity to infinity."""
    if getattr(a, "dtype", None) == bool:
        return bool(np.array_equal(a, b))
    return bool(np.allclose(b, a, rtol=rtol, atol=atol, equal_nan=True))


def largest_gap(answer: Answer, value) -> float:
    """The largest difference of a right answer, over all its parts."""
    gaps = [np.max(np.abs(np.asarray(part, float) - np.asarray(wanted, float)), initial=0.0, where=np.isfinite(wanted))
            for wanted, part in zip(answer.parts, parts_of(value, answer))]  # fmt: skip
    return float(max(gaps))


def same(a: Outcome, b: Outcome, answer: Answer) -> bool:
    """Do two calls show the same behaviour: the same kind of exception, or values alike in type, shape, dtype, numbers?"""
    if a.kind != b.kind or a.kind == "too_long":
        return False
    if a.kind == "exception":
        return type(a.error) is type(b.error)
    left, right = parts_of(a.value, answer), parts_of(b.value, answer)
    if isinstance(left, Difference) or isinstance(right, Difference):
        return isinstance(left, Difference) and isinstance(right, Difference) and left.kind == right.kind == "nothing"
    return all(exact.equal(x, y) if exact.asked(wanted) else _alike(x, y, answer)
               for wanted, x, y in zip(answer.parts, left, right))  # fmt: skip


def _alike(x, y, answer: Answer) -> bool:
    if isinstance(x, numbers.Number) and isinstance(y, numbers.Number):
        return close(x, y, answer.rtol, answer.atol)
    if type(x) is not np.ndarray or type(y) is not np.ndarray or x.shape != y.shape:
        return False
    numbers_alike = {x.dtype.kind, y.dtype.kind} == {"i", "f"}  # whole numbers of whole numbers are no mistake of their own
    if x.dtype != y.dtype and not numbers_alike:
        return False
    return x.dtype.kind in "biufc" and close(x, y, answer.rtol, answer.atol)
