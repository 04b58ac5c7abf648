"""What learners might hand in for chapter 07.

WRONG and RIGHT map each task to functions.  A wrong one differs from course.predict.sampling or course.adjust.loss on
some input a learner could try, and its name and first line say how; a right one agrees on all of them, by another road.
"""

from collections.abc import Callable

import numpy as np

TASKS = ("temper", "top_k_filter", "top_p_filter", "distribution", "perplexity", "inverse_cdf")
WRONG: dict[str, list[Callable]] = {task: [] for task in TASKS}
RIGHT: dict[str, list[Callable]] = {task: [] for task in TASKS}


def wrong(task: str) -> Callable:
    """Decorator: the function is a wrong answer to the task."""
    return lambda function: WRONG[task].append(function) or function


def right(task: str) -> Callable:
    """Decorator: the function is a right answer to the task."""
    return lambda function: RIGHT[task].append(function) or function


# What the answers below share, each right by itself, so that an answer is wrong in the one way its name says.


def _softmax(x) -> np.ndarray:
    x = np.asarray(x, dtype=np.float64)
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _one_hot(logits) -> np.ndarray:
    probs = np.zeros(np.shape(logits))
    np.put_along_axis(probs, np.argmax(logits, axis=-1)[..., None], 1.0, axis=-1)
    return probs


def _temper(logits, temperature=1.0) -> np.ndarray:
    return _one_hot(logits) if temperature == 0 else _softmax(np.asarray(logits) / temperature)


def _shares(kept) -> np.ndarray:
    return kept / kept.sum(axis=-1, keepdims=True)


def _order(probs) -> np.ndarray:
    return np.argsort(-probs, axis=-1, kind="stable")


def _ranks(probs) -> np.ndarray:
    return np.argsort(_order(probs), axis=-1)


def _top_k(probs, k) -> np.ndarray:
    return _shares(np.where(_ranks(probs) < k, probs, 0.0))


def _needed(probs, p) -> np.ndarray:
    """(..., 1): how many of the likeliest reach p."""
    falling = np.take_along_axis(probs, _order(probs), axis=-1)
    return (falling.cumsum(axis=-1) - falling < p).sum(axis=-1, keepdims=True)


def _top_p(probs, p) -> np.ndarray:
    return _shares(np.where(_ranks(probs) < _needed(probs, p), probs, 0.0))


def _log_softmax(x) -> np.ndarray:
    x = np.asarray(x, dtype=np.float64)
    return x - np.logaddexp.reduce(x, axis=-1, keepdims=True)


def _surprises(logits, targets) -> np.ndarray:
    """(N,) of the targets that count."""
    counted = targets != -100
    rows, ids = _log_softmax(np.asarray(logits)[counted]), targets[counted]
    return -rows[np.arange(len(ids)), ids]


def _ends(probs) -> np.ndarray:
    return probs.cumsum(axis=-1)


def _draw(probs, u) -> np.ndarray:
    return (_ends(probs) <= u[..., None]).sum(axis=-1)
