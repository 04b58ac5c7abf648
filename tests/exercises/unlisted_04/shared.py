"""What learners might hand in for chapter 04, thought up without a look at the exercises or their lists of mistakes.

WRONG and RIGHT map each task to functions.  A wrong one differs from course.blocks.attention or course.lens.offset on
some input a learner could try, and its name and first line say how; a right one agrees on all of them, by another road.
Some keep something between calls; those are wrong from the second call on, and stay so.
"""

from collections.abc import Callable

import numpy as np

from tests.exercises.unlisted_03.shared import _hide, _scores, _weights

TASKS = ("split_heads", "merge_heads", "multi_head_attention", "offset_score")
WRONG: dict[str, list[Callable]] = {task: [] for task in TASKS}
RIGHT: dict[str, list[Callable]] = {task: [] for task in TASKS}


def wrong(task: str) -> Callable:
    """Decorator: the function is a wrong answer to the task."""
    return lambda function: WRONG[task].append(function) or function


def right(task: str) -> Callable:
    """Decorator: the function is a right answer to the task."""
    return lambda function: RIGHT[task].append(function) or function


# What the answers below share, each right by itself, so that an answer is wrong in the one way its name says.


def _split(x, n_heads) -> np.ndarray:
    x = np.asarray(x)
    return np.moveaxis(x.reshape(*x.shape[:-1], n_heads, -1), -2, -3)


def _join(z) -> np.ndarray:
    return np.concatenate([z[..., h, :, :] for h in range(z.shape[-3])], axis=-1)


def _qkv(x, W_Q, W_K, W_V, n_heads, memory) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries, keys and values, (..., H, T, D) and (..., H, S, D)."""
    memory = x if memory is None else memory
    return _split(x @ W_Q, n_heads), _split(memory @ W_K, n_heads), _split(memory @ W_V, n_heads)


def _mix(weights, v, W_O) -> tuple[np.ndarray, np.ndarray]:
    return _join(weights @ v) @ W_O, weights


def _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory) -> tuple[np.ndarray, np.ndarray]:
    """Multi-head attention: the output and all weights."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_scores(q, k), mask)), v, W_O)


def _diagonal(weights, offset) -> np.ndarray:
    return np.diagonal(np.asarray(weights, dtype=np.float64), offset, axis1=-2, axis2=-1)


def _score(weights, offset) -> np.ndarray:
    weights = np.asarray(weights, dtype=np.float64)
    pairs = max(weights.shape[-1] - abs(offset), 0)
    return _diagonal(weights, offset).sum(axis=-1) / pairs if pairs else np.full(weights.shape[:-2], np.nan)
