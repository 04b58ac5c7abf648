"""Chapter 03's checks against answers that were thought up without looking at their lists (unlisted_03/).

All wrong ones are refused, with a sentence that claims what was seen and no more; all right ones pass.
"""

import importlib

import numpy as np
import pytest

from course.exercises.checking import answers_of, check
from course.exercises.diagnose import built
from course.exercises.feedback import REFUSED
from course.exercises.task import all_tasks
from tests.exercises.unlisted_03 import shared

for _name in ("softmax", "scores", "causal", "padding", "window", "attention"):
    importlib.import_module(f"tests.exercises.unlisted_03.{_name}")  # fills the two tables

WRONG = [(task, function) for task, functions in shared.WRONG.items() for function in functions]
RIGHT = [(task, function) for task, functions in shared.RIGHT.items() for function in functions]


def ids(pairs):
    return [f"{task}-{function.__name__}" for task, function in pairs]


def did(function, arguments):
    """What a call does, in a form that can be compared without the package's help."""
    try:
        with np.errstate(all="ignore"):
            value = function(*[np.array(a) if isinstance(a, np.ndarray) else a for a in arguments])
    except Exception as error:  # noqa: BLE001
        return type(error)
    return value if isinstance(value, tuple) else (value,)


def agree(a, b, rtol=1e-6, atol=1e-9):
    if isinstance(a, type) or isinstance(b, type):
        return a is b
    return len(a) == len(b) and all(np.shape(x) == np.shape(y) and np.allclose(x, y, rtol, atol, equal_nan=True) for x, y in zip(a, b))


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
    if counts and feedback.kind not in ("dtype", "bool", "whole", "list", "tensor", "no_array"):
        right = sum(agree(answer.parts, result) for answer, result in zip(answers_of(task), results))
        assert counts == [f"Right on {right} of {len(inputs)} inputs."]
