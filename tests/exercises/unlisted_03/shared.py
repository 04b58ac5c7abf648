"""What learners might hand in for chapter 03, thought up without a look at the exercises or their lists of mistakes.

WRONG and RIGHT map each task to functions.  A wrong one differs from course.blocks.attention on some input a learner
could try, and its name and first line say how; a right one agrees on all of them, by another road.
Some keep something between calls; those are wrong from the second call on, and stay so.
"""

from collections.abc import Callable

import numpy as np

TASKS = ("softmax", "attention_scores", "causal_mask", "padding_mask", "window_mask", "attention")
WRONG: dict[str, list[Callable]] = {task: [] for task in TASKS}
RIGHT: dict[str, list[Callable]] = {task: [] for task in TASKS}


def wrong(task: str) -> Callable:
    """Decorator: the function is a wrong answer to the task."""
    return lambda function: WRONG[task].append(function) or function


def right(task: str) -> Callable:
    """Decorator: the function is a right answer to the task."""
    return lambda function: RIGHT[task].append(function) or function


# What the answers below share, each right by itself, so that an answer is wrong in the one way its name says.


def _floats(*arrays) -> list[np.ndarray]:
    return [np.array(a, dtype=np.float64) for a in arrays]


def _exps(x, axis=-1) -> np.ndarray:
    """exp of the distance to the largest score, 0 for hidden ones, also where all are hidden."""
    x = np.array(x, dtype=np.float64)
    largest = x.max(axis=axis, keepdims=True)
    return np.exp(x - np.where(largest == -np.inf, 0.0, largest))


def _weights(x, axis=-1) -> np.ndarray:
    e = _exps(x, axis)
    total = e.sum(axis=axis, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total > 0)


def _products(q, k) -> np.ndarray:
    q, k = _floats(q, k)
    return q @ k.swapaxes(-1, -2)


def _scores(q, k) -> np.ndarray:
    return _products(q, k) / np.sqrt(np.shape(q)[-1])


def _hide(scores, mask, fill=-np.inf) -> np.ndarray:
    return scores if mask is None else np.where(mask, scores, fill)


def _given(lengths, T) -> np.ndarray:
    """The lines of padding_mask that the exercise gives."""
    lengths = np.asarray(lengths)
    if ((lengths < 0) | (lengths > T)).any():
        raise ValueError(f"lengths must lie between 0 and T={T}, got {lengths.tolist()}")
    return lengths
