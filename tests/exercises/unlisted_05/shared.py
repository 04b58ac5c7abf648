"""What learners might hand in for chapter 05, thought up from the docstrings, apart from the lists of mistakes.

WRONG and RIGHT map each task to functions.  A wrong one differs from course.blocks.feed_forward or course.blocks.norm on
some input a learner could try, and its name and first line say how; a right one agrees on all of them, by another road.
"""

import math
from collections.abc import Callable

import numpy as np

TASKS = ("gelu", "feed_forward", "gated_feed_forward", "layer_norm", "rms_norm")
WRONG: dict[str, list[Callable]] = {task: [] for task in TASKS}
RIGHT: dict[str, list[Callable]] = {task: [] for task in TASKS}


def wrong(task: str) -> Callable:
    """Decorator: the function is a wrong answer to the task."""
    return lambda function: WRONG[task].append(function) or function


def right(task: str) -> Callable:
    """Decorator: the function is a right answer to the task."""
    return lambda function: RIGHT[task].append(function) or function


# What the answers below share, each right by itself, so that an answer is wrong in the one way its name says.

_ERF = np.vectorize(math.erf, otypes=[float])


def _phi(x) -> np.ndarray:
    return 0.5 + 0.5 * _ERF(np.asarray(x, dtype=float) / 2**0.5)


def _bend(x) -> np.ndarray:
    return np.asarray(x, dtype=float) * _phi(x)


def _swish(x) -> np.ndarray:
    x = np.asarray(x, dtype=float)
    return x * np.exp(-np.logaddexp(0.0, -x))


def _moments(x) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each vector, with an axis of length 1."""
    x = np.asarray(x, dtype=float)
    mean = np.mean(x, axis=-1, keepdims=True)
    return mean, np.mean(np.square(x), axis=-1, keepdims=True) - np.square(mean)
