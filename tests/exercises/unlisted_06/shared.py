"""What learners might hand in for chapter 06, thought up from the docstrings, apart from the lists of mistakes.

WRONG and RIGHT map each task to functions.  A wrong one differs from course.blocks.block, course.models.gpt or
course.models.counting on some input a learner could try, and its name and first line say how; a right one agrees on all
of them, by another road.
"""

from collections.abc import Callable

import numpy as np

from course.blocks.block import self_attention
from course.blocks.feed_forward import feed_forward
from course.blocks.norm import layer_norm

TASKS = ("block", "gpt", "parameter_count")
WRONG: dict[str, list[Callable]] = {task: [] for task in TASKS}
RIGHT: dict[str, list[Callable]] = {task: [] for task in TASKS}


def wrong(task: str) -> Callable:
    """Decorator: the function is a wrong answer to the task."""
    return lambda function: WRONG[task].append(function) or function


def right(task: str) -> Callable:
    """Decorator: the function is a right answer to the task."""
    return lambda function: RIGHT[task].append(function) or function


# What the answers below share, each right by itself, so that an answer is wrong in the one way its name says.


def _normed(x, p, number, eps=1e-5) -> np.ndarray:
    return layer_norm(x, p[f"gamma_{number}"], p[f"beta_{number}"], eps)


def _listen(x, p, n_heads, mask) -> np.ndarray:
    return self_attention(x, p, n_heads, mask)


def _think(x, p, activation) -> np.ndarray:
    return feed_forward(x, p["W_1"], p["b_1"], p["W_2"], p["b_2"], activation)
