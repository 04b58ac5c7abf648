"""Lists, dicts and texts as answers: equal or not, without a tolerance, and where they differ first.

A list of ids, a dict of counts or a decoded text is right or wrong item by item; there is no "near".  Here 1 is neither
1.0 nor True, a tuple is no list, and a NumPy integer is as good as an int.  The order of a dict's keys means nothing.
"""

import numbers
import reprlib

import numpy as np

KINDS = {list: "no_list", dict: "no_dict", str: "no_text"}  # and the sentence of exercises.toml for what is none
DEEPEST = 4  # levels that are looked into: more than any answer has, and a list may hold itself
NEAR = 24  # characters of a text that are shown, a third of them before the place

_brief = reprlib.Repr()
_brief.maxlist = _brief.maxtuple = _brief.maxdict = 6
_brief.maxstring = _brief.maxother = _brief.maxlong = 40


def asked(wanted) -> bool:
    """Whether an answer of this kind is compared here."""
    return isinstance(wanted, tuple(KINDS))


def equal(a, b, depth: int = 0) -> bool:
    """Alike in every item and of the same kinds.  What can't be looked into is like nothing, not even like itself."""
    if depth > DEEPEST:
        return False
    for kind in (list, tuple):
        if isinstance(a, kind) and isinstance(b, kind):
            return len(a) == len(b) and all(equal(x, y, depth + 1) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return len(a) == len(b) and all(key in b and equal(value, b[key], depth + 1) for key, value in a.items())
    if isinstance(a, str) and isinstance(b, str):
        return str(a) == str(b)
    if _is_whole(a) and _is_whole(b):
        return int(a) == int(b)
    return type(a) is type(b) and isinstance(a, (bool, float, bytes, type(None))) and (a == b or a != a and b != b)


def _is_whole(value) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def shown(value) -> str:
    """An item as a learner would type it; long ones are cut."""
    return _brief.repr(int(value) if _is_whole(value) else value)


# ── how an answer differs: the name of a sentence of exercises.toml, [kinds], and its holes ─────────────────


def kind(wanted, given) -> tuple[str, dict] | None:
    """Whether it is a list, a dict or a text as asked for."""
    for asked_for, name in KINDS.items():
        if isinstance(wanted, asked_for):
            return None if isinstance(given, asked_for) else (name, {"type": type(given).__name__})
    raise TypeError(f"a list, a dict or a str is expected, not {type(wanted).__name__}")


def content(wanted, given) -> tuple[str, dict] | None:
    """Where two of the same kind differ, None if nowhere."""
    if equal(wanted, given):
        return None
    return _keys(wanted, given) if isinstance(wanted, dict) else _items(wanted, given)


def first_place(wanted, given) -> int:
    """The first place at which two lists or texts differ: the shorter one's length where it is a beginning of the other."""
    pairs = enumerate(zip(wanted, given))
    return next((place for place, pair in pairs if not equal(*pair)), min(len(wanted), len(given)))


def _items(wanted, given) -> tuple[str, dict]:
    place = first_place(wanted, given)
    holes = {"place": place, "length": len(given), "asked": len(wanted)}
    if isinstance(wanted, str):
        return "text", holes | {"expected": _part(wanted, place), "given": _part(given, place)}
    if place == len(given):
        return "ends_early", holes | {"expected": shown(wanted[place])}
    if place == len(wanted):
        return "goes_on", holes | {"given": shown(given[place])}
    name = "item" if len(wanted) == len(given) else "items"
    return name, holes | {"expected": shown(wanted[place]), "given": shown(given[place])}


def _part(text: str, place: int) -> str:
    """The piece of a text around a place, odd characters escaped as Python does."""
    first = max(0, min(place - NEAR // 3, len(text) - NEAR))
    last = first + NEAR
    return ("… " if first else "") + repr(text[first:last]) + (" …" if last < len(text) else "")


def _keys(wanted: dict, given: dict) -> tuple[str, dict]:
    other = [(key, given[key], value) for key, value in wanted.items() if key in given and not equal(value, given[key])]
    return "keys", {
        "other": [(shown(key), shown(mine), shown(value)) for key, mine, value in other],
        "missing": [shown(key) for key in wanted if key not in given],
        "extra": [shown(key) for key in given if key not in wanted],
    }


def of_kind(wanted, given):
    """The answer made a list where a list is asked for and a tuple or an array came.  Raises TypeError for all others."""
    if not isinstance(wanted, list) or not isinstance(given, (list, tuple, np.ndarray)):
        raise TypeError(f"no {type(wanted).__name__} is made of {type(given).__name__}")
    items = given.tolist() if isinstance(given, np.ndarray) else list(given)
    pairs = bool(wanted) and isinstance(wanted[0], tuple)
    return [tuple(item) if pairs and isinstance(item, list) else item for item in items]
