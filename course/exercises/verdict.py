"""What is said of a wrong answer: the mistake it behaves like, or the symptom, or how far it is right."""

import re
from collections.abc import Sequence

import numpy as np

from course.exercises import exact
from course.exercises.compare import CONTENT, Answer, Difference, difference, parts_of
from course.exercises.diagnose import Version, built, outcome_of, recognise
from course.exercises.feedback import REFUSED, Feedback, call, grids, is_whole, rows, shortened
from course.exercises.run import Outcome
from course.exercises.task import Case, Property, Task
from course.sentences import table

LIMIT = 3.0  # seconds that a check gives an answer for all its inputs
MOST_VERSIONS = 3  # that are named where no input tells them apart
MOST_KEYS = 3  # of a dict that are named
CLOSE = 0.01  # of the largest number asked for: a difference below it is called close
ORDER = ("too_long", "exception")  # what is spoken of first, before any difference of values


def say(section: str, name: str, /, **values) -> str:
    """A sentence of exercises.toml with its holes filled."""
    return table("exercises")[section][name].format(**values)


def refusal(task: Task, cases: list[Case], answers: list[Answer], outcomes: list[Outcome], wrong: dict,
            helper: str = "", beside: Sequence[str] = ()) -> Feedback:  # fmt: skip
    """The feedback on an answer that is not right.

    cases, answers (of the reference), outcomes: of one length, but that outcomes end where the time was up;
    wrong: place → Difference, "exception" or "too_long";  helper: a sentence on something around the function that
    explains it, "" for none;  beside: sentences on what may have misled it.
    """
    complete = len(outcomes) == len(cases)
    versions = recognise(task, cases, answers, outcomes, list(wrong)) if complete and not helper else []
    if versions:
        place = _shows_first(task, versions[0], cases, answers, wrong)
        kind, sentences = "mistake", _recognised(task, versions, len(cases))
    else:
        place = _telling(wrong)
        kind, sentences = _symptom(task, cases, answers, outcomes, wrong, place)
        if helper:
            kind, sentences = "helper", [helper, *sentences[:1]]
    sentences += beside
    outcome = outcomes[place]
    if changed := {name for each in outcomes for name in each.changed}:
        sentences.append(changes(task, min(changed)))
    if task.traced:
        return Feedback(REFUSED, task.title, sentences, kind, _names(versions))
    picture = _picture(task, answers[place], outcome)
    named = versions or kind == "property"
    if named and not picture and isinstance(wrong[place], Difference) and wrong[place].kind != "numbers":
        sentences.append(_kind(wrong[place]))  # nothing to be seen side by side: the shapes, the keys, or what else is off
    if versions and outcome.kind == "exception":
        sentences.append(_exception(outcome)[1])
    sentences += _the_input(task, cases[place])
    return Feedback(REFUSED, task.title, sentences, kind, _names(versions), cases[place].arguments, picture)


def changes(task: Task, place: int) -> str:
    """That the argument at this place is changed in place, and how not to."""
    given = [case.arguments[place] for case in task.inputs if len(case.arguments) > place]  # the last ones may be left out
    kind = "changed" if any(isinstance(value, np.ndarray) for value in given) else "changed_list"
    return say("symptom", kind, name=task.parameters[place])


def _shows_first(task: Task, version: Version, cases, answers, wrong) -> int:
    """The smallest input on which the first of several mistakes alone is seen."""
    alone = built(task, version[:1])
    for place in sorted(wrong):
        outcome = outcome_of(alone, cases[place].arguments)
        if outcome.kind != "value" or difference(answers[place], outcome.value):
            return place
    return min(wrong)


def _names(versions: list[Version]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(mistake.name for mistake in version) for version in versions)


# ── a known mistake ─────────────────────────────────────────────────────────────────────────────────────────


def _recognised(task: Task, versions: list[Version], count: int, name: str = "same") -> list[str]:
    """What the answer behaves like, one version or several that no input tells apart; then what to do first."""
    words = task.words["mistakes"]
    shown = versions[:MOST_VERSIONS]
    done = [say("recognised", "and").join(words[each.name]["does"] for each in version) for version in shown]
    named = [say("recognised", "version", does=does) for does in done]
    tip = words[shown[0][0].name]["tip"]
    if len(versions) == 1:
        first = say("recognised", "traced" if task.traced else name, version=named[0], count=count)
        return [f"{first} {tip}"] if len(shown[0]) == 1 else [first, say("recognised", "begin", tip=tip)]
    listed = say("recognised", "or").join(named)
    many = "many" if len(versions) > len(shown) else "traced_several" if task.traced else "several"
    return [say("recognised", many, versions=listed, count=count)]


# ── a symptom ───────────────────────────────────────────────────────────────────────────────────────────────


def _telling(wrong: dict) -> int:
    """The input to speak of: where the time was up, or an exception came, or else the smallest that is wrong."""
    for kind in ORDER:
        if places := [place for place, found in wrong.items() if found == kind]:
            return min(places)
    return min(wrong)


def _symptom(task, cases, answers, outcomes, wrong, place) -> tuple[str, list[str]]:
    """(its name, what is said) where no known mistake behaves so."""
    found, outcome = wrong[place], outcomes[place]
    if found == "too_long":
        return found, [_at("too_long", outcome, seconds=f"{LIMIT:g}")]
    if found == "exception":
        kind, sentence = _exception(outcome)
        return kind, [sentence, *_explained(outcome.error, task), *_how_often(task, cases, wrong)]
    of_right_type = found.kind in (*CONTENT, "number", "shape", "nan", "infinite")
    if whole := _same_everywhere(task, cases, outcomes, constant=of_right_type):
        return whole
    if found.kind in CONTENT:
        return _wrong_numbers(task, cases, answers, outcomes, wrong, found)
    more = _apart_from_the_kind(task, cases, answers, outcomes) or _how_often(task, cases, wrong)
    return found.kind, [_kind(found), *more]


def _apart_from_the_kind(task, cases, answers: list[Answer], outcomes: list[Outcome]) -> list[str]:
    """What is to be said of the numbers, if they are looked at as arrays of the kind that was asked for."""
    converted = [_converted(answer, outcome) for answer, outcome in zip(answers, outcomes)]
    if len(converted) < len(cases) or None in converted:
        return []
    wrong = [place for place, (answer, each) in enumerate(zip(answers, converted)) if difference(answer, each.value)]
    if not wrong:
        return [say("evidence", "converted", count=len(cases))]
    versions = recognise(task, cases, answers, converted, wrong)
    return _recognised(task, versions, len(cases), "apart") if len(versions) == 1 else []


def _converted(answer: Answer, outcome: Outcome) -> Outcome | None:
    """The same with every part an array of the right dtype, as far as no number is lost on the way."""
    parts = parts_of(outcome.value, answer)
    if outcome.kind != "value" or isinstance(parts, Difference):
        return None
    try:
        made = [_made(wanted, part) for wanted, part in zip(answer.parts, parts)]
    except Exception:  # noqa: BLE001 (whatever a learner returns may refuse to become an array)
        return None
    return Outcome("value", value=tuple(made) if len(made) > 1 else made[0])


def _made(wanted, part):
    """A part made into the kind that is asked for.  Raises whatever hinders it."""
    if exact.asked(wanted):
        return exact.of_kind(wanted, part)
    value = np.asarray(part)
    array = value.astype(wanted.dtype)
    if array.dtype == bool and not np.array_equal(array, value):
        raise ValueError("numbers other than 0 and 1 are no truth values")
    return array


def _exception(outcome: Outcome) -> tuple[str, str]:
    if isinstance(outcome.error, RecursionError):
        return "recursion", say("symptom", "recursion")
    error = shortened(f"{type(outcome.error).__name__}: {outcome.error}".rstrip(": "))
    return "exception", _at("exception", outcome, error=error)


def _explained(error: BaseException, task: Task) -> list[str]:
    """What an error message means that says little to who reads it for the first time."""
    if isinstance(error, RecursionError):
        return []
    text = f"{type(error).__name__}: {error}"
    known = table("exercises")["explained"]
    said = next((each["say"] for each in known.values() if re.search(each["pattern"], text)), None)
    return [] if said is None else [said.format(parameters=", ".join(task.parameters))]


def _at(name: str, outcome: Outcome, **values) -> str:
    if outcome.line is None or not outcome.line[1]:
        return say("symptom", name, **values)
    return say("symptom", f"{name}_at", line=shortened(outcome.line[1], 100), **values)


def _same_everywhere(task: Task, cases, outcomes, constant: bool) -> tuple[str, list[str]] | None:
    """It hands back an argument, or (if asked for) one constant: seen on all inputs."""
    values = [outcome.value for outcome in outcomes if outcome.kind == "value"]
    if task.traced or len(values) < len(cases) or any(value is None for value in values):
        return None
    for place, name in enumerate(task.parameters):
        if all(len(case.arguments) > place and _equal(value, case.arguments[place]) for case, value in zip(cases, values)):
            return "argument", [say("symptom", "argument", name=name, count=len(cases))]
    if constant and all(_equal(value, values[0]) for value in values):
        return "constant", [say("symptom", "constant", count=len(cases))]
    return None


def _equal(a, b, depth: int = 0) -> bool:
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)) and depth < exact.DEEPEST:
        return len(a) == len(b) and all(_equal(x, y, depth + 1) for x, y in zip(a, b))
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b)
    return exact.equal(a, b)


def _kind(found: Difference) -> str:
    holes = dict(found.holes)
    if "type" in holes:
        name = holes["type"]
        spoken_with_an = name[0] in "aeiouAEIOU" or name == "ndarray"
        holes["type"] = say("kinds", "vowel" if spoken_with_an else "consonant", type=name)
    result = holes.pop("result", "")
    of = say("kinds", "part", result=result) if result else ""
    if found.kind == "keys":
        return _keys(of, **holes)
    return say("kinds", found.kind, **holes | {"of": of, "of_all": holes.get("of")})


def _keys(of: str, other: list, missing: list, extra: list) -> str:
    """What of a dict differs: the first few keys of each sort, and how many more."""
    entries = [say("kinds", "entry", key=key, given=given, expected=expected) for key, given, expected in other]
    sentences = []
    for name, found in (("keys_other", entries), ("keys_missing", missing), ("keys_extra", extra)):
        if found:
            more = len(found) - MOST_KEYS
            keys = ", ".join(found[:MOST_KEYS]) + (say("kinds", "more", count=more) if more > 0 else "")
            sentences.append(say("kinds", name, of=of, keys=keys))
    return " ".join(sentences)


def _wrong_numbers(task, cases, answers, outcomes, wrong, found: Difference) -> tuple[str, list[str]]:
    """The right kind of answer with wrong content: the properties it lacks, else the plain difference."""
    if task.traced:
        return "numbers", [say("kinds", "traced", place=found.part + 1, name=task.name)]
    broken, kept = _properties(task, cases, outcomes, wrong)
    words = task.words.get("properties", {})
    sentences = [words[name]["broken"] for name in broken[:2]]
    if not broken:
        sentences = [_plain_difference(found, wrong)]
    if kept := [name for name in kept if words[name]["kept"]]:
        sentences.append(say("evidence", "kept", properties="; ".join(words[name]["kept"] for name in kept)))
    return "property" if broken else "numbers", sentences + _how_often(task, cases, wrong)


def _plain_difference(found: Difference, wrong: dict) -> str:
    if found.kind != "numbers":
        return _kind(found)
    holes = found.holes
    of = say("kinds", "part", result=holes["result"]) if holes["result"] else ""
    if holes["truth"]:
        return say("kinds", "truth_values", count=holes["count"], all=holes["all"], of=of)
    close = all(each.kind == "numbers" and each.holes["largest"] < CLOSE * each.holes["scale"] for each in wrong.values())
    single = all(each.kind == "numbers" and each.holes["single"] for each in wrong.values())
    name = "numbers_single" if single else "numbers_close" if close else "numbers"
    at = say("kinds", "at", place=list(holes["place"])) if holes["place"] else ""
    return say("kinds", name, largest=f"{holes['largest']:.2g}", of=of, at=at)


def _properties(task, cases, outcomes, wrong) -> tuple[list[str], list[str]]:
    """Names of the properties that are broken, and of those that hold, on inputs with an answer of the right kind."""
    fit = [i for i in range(len(outcomes)) if i not in wrong or getattr(wrong[i], "kind", "") in CONTENT]
    shown = [cases[i] for i in fit]
    values = [tuple(v) if isinstance(v, list) else v for v in (outcomes[i].value for i in fit)]
    with np.errstate(all="ignore"):
        verdicts = {each.name: _holds(each, shown, values) for each in task.properties}
    broken = [name for name, holds in verdicts.items() if holds is not None and not holds]
    return broken, [name for name, holds in verdicts.items() if holds]


def _holds(each: Property, cases: list[Case], values: list) -> bool | None:
    """Items of a list may be anything, and then a property can't be looked at."""
    try:
        return each.holds(cases, values)
    except Exception:  # noqa: BLE001
        return None


def _how_often(task, cases, wrong) -> list[str]:
    """On how many inputs it is right, and what those have in common on which it is not."""
    count, right = len(cases), len(cases) - len(wrong)
    if count == 1:
        return []
    if right == 0:
        return [say("evidence", "wrong_on_all", count=count)]
    sentences = [say("evidence", "right_on", right=right, count=count)]
    notes, others = {cases[i].note for i in wrong}, {case.note for i, case in enumerate(cases) if i not in wrong}
    if len(notes) == 1 and not notes & others and (note := notes.pop()):
        sentences.append(say("evidence", "only_where", note=task.words["notes"][note]))
    return sentences


# ── the input, and the picture ──────────────────────────────────────────────────────────────────────────────


def _the_input(task: Task, case: Case) -> list[str]:
    note = task.words.get("notes", {}).get(case.note, "")
    shown = call(task.parameters, case.arguments)
    sentences = [say("evidence", "smallest_noted" if note else "smallest", input=shown, note=note)]
    if not is_whole(case.arguments):
        sentences.append(say("evidence", "whole_input", name=task.name))
    return sentences


def _picture(task: Task, answer: Answer, outcome: Outcome):
    """Expected, yours, difference: of the first part that is off, where both are arrays of one shape or both are lists."""
    if outcome.kind != "value":
        return ()
    parts = parts_of(outcome.value, answer)
    if isinstance(parts, Difference):
        return ()
    for wanted, given, name in zip(answer.parts, parts, answer.names):
        if isinstance(wanted, list) and isinstance(given, list) and not exact.equal(wanted, given):
            return rows(wanted, given, name)
        if exact.asked(wanted):
            continue
        if type(given) is not np.ndarray or given.shape != wanted.shape or given.dtype.kind not in "biuf":
            continue
        if given.dtype.kind != wanted.dtype.kind and wanted.dtype == bool:
            continue
        with np.errstate(all="ignore"):
            if not np.allclose(given, wanted, rtol=answer.rtol, atol=answer.atol, equal_nan=True):
                return grids(wanted, given, name, answer.rtol, answer.atol)
    return ()
