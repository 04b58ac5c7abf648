"""The checks against answers that were thought up without looking at their lists: one folder a chapter, unlisted_NN/.

All wrong ones are refused, with a sentence that claims what was seen and no more; all right ones pass.
"""

import copy
import importlib
from pathlib import Path

import numpy as np
import pytest

from course.exercises import exact
from course.exercises.checking import answers_of, check
from course.exercises.diagnose import built
from course.exercises.feedback import REFUSED
from course.exercises.task import all_tasks
from tests.exercises.unlisted_01 import shared as chapter_01
from tests.exercises.unlisted_02 import shared as chapter_02
from tests.exercises.unlisted_03 import shared as chapter_03
from tests.exercises.unlisted_04 import shared as chapter_04
from tests.exercises.unlisted_05 import shared as chapter_05
from tests.exercises.unlisted_06 import shared as chapter_06
from tests.exercises.unlisted_07 import shared as chapter_07

CHAPTERS = (chapter_01, chapter_02, chapter_03, chapter_04, chapter_05, chapter_06, chapter_07)
for _chapter in CHAPTERS:
    for _path in sorted(Path(_chapter.__file__).parent.glob("*.py")):
        importlib.import_module(f"{_chapter.__name__.removesuffix('.shared')}.{_path.stem}")  # fills the two tables


def pairs(*tables):
    return [(task, function) for table in tables for task, functions in table.items() for function in functions]


WRONG = pairs(*(chapter.WRONG for chapter in CHAPTERS))
RIGHT = pairs(*(chapter.RIGHT for chapter in CHAPTERS))


def ids(answers):
    return [f"{task}-{function.__name__}" for task, function in answers]


def did(function, arguments):
    """What a call does, in a form that can be compared without the package's help."""
    try:
        with np.errstate(all="ignore"):
            value = function(*copy.deepcopy(arguments))
    except Exception as error:  # noqa: BLE001
        return type(error)
    return value if isinstance(value, tuple) else (value,)


def plain(value):
    """Text of a list, dict or text, in which 1 is not 1.0; the order of a dict's keys means nothing."""
    return sorted(map(repr, value.items())) if isinstance(value, dict) else repr(value)


def agree(a, b, rtol=1e-6, atol=1e-9):
    if isinstance(a, type) or isinstance(b, type):
        return a is b
    try:
        if any(isinstance(one, (list, dict, str)) for one in (*a, *b)):
            return list(map(plain, a)) == list(map(plain, b))
        pairs = list(zip(a, b, strict=True))
        return all(np.shape(x) == np.shape(y) and np.allclose(x, y, rtol, atol, equal_nan=True) for x, y in pairs)
    except (TypeError, ValueError):  # no numbers, or not as many: compared by identity
        return a is b


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.__name__)
def test_every_task_of_a_chapter_has_answers_with_names_of_their_own(chapter):
    for task in chapter.TASKS:
        names = [function.__name__ for function in chapter.WRONG[task] + chapter.RIGHT[task]]
        assert chapter.WRONG[task] and chapter.RIGHT[task] and len(set(names)) == len(names)


@pytest.mark.parametrize("name, function", RIGHT, ids=ids(RIGHT))
def test_right_answers_pass(name, function):
    feedback = check(name, function)
    assert feedback.passed, feedback


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, function", WRONG, ids=ids(WRONG))
def test_wrong_answers_are_refused_and_what_is_said_is_true(name, function):
    task = all_tasks()[name]
    feedback = check(name, function)
    assert feedback.state == REFUSED, "it passes"
    assert feedback.sentences and feedback.kind
    inputs = [case.arguments for case in task.inputs]
    results = None if feedback.kind == "random" else [did(function, arguments) for arguments in inputs]
    for version in feedback.versions:  # "the same answers as a version that …, on all inputs"
        mistakes = [mistake for mistake in task.mistakes if mistake.name in version]
        wrong = built(task, tuple(mistakes))
        assert all(agree(did(wrong, arguments), result) for arguments, result in zip(inputs, results))
    counts = [sentence for sentence in feedback.sentences if sentence.startswith("Right on ")]
    steady = check(name, function).sentences == feedback.sentences  # and not right at the first call only
    if counts and steady and feedback.kind not in ("dtype", "bool", "whole", "list", "tensor", "no_array", *exact.KINDS.values()):
        right = sum(agree(answer.parts, result) for answer, result in zip(answers_of(task), results))
        assert counts == [f"Right on {right} of {len(inputs)} inputs."]
