"""What learners might hand in for chapter 02, written from the stubs.

WRONG and RIGHT map each task to functions.  A wrong one differs from course.vectors.positions on some input a learner
could try, and its name and first line say how; a right one agrees on all of them, by another road.  Some keep something
between calls; those are wrong from the second call on, and stay so.
"""

from collections.abc import Callable

import numpy as np

TASKS = ("frequencies", "sinusoidal", "shift", "rotate", "deinterleave")
WRONG: dict[str, list[Callable]] = {task: [] for task in TASKS}
RIGHT: dict[str, list[Callable]] = {task: [] for task in TASKS}


def wrong(task: str) -> Callable:
    """Decorator: the function is a wrong answer to the task."""
    return lambda function: WRONG[task].append(function) or function


def right(task: str) -> Callable:
    """Decorator: the function is a right answer to the task."""
    return lambda function: RIGHT[task].append(function) or function


# What the answers below share, each right by itself, so that an answer is wrong in the one way its name says.


def _speeds(C, base) -> np.ndarray:
    return np.array([float(base) ** (-2 * i / C) for i in range((C + 1) // 2)])


def _table(angles, C) -> np.ndarray:
    """Sines in even columns, cosines in odd ones."""
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(len(angles), 2 * angles.shape[-1])[:, :C]


def _sinusoidal(T, C, base) -> np.ndarray:
    return _table(np.arange(T)[:, None] * _speeds(C, base), C)


def _blocks(angles) -> np.ndarray:
    M = np.zeros((2 * len(angles),) * 2)
    for i, angle in enumerate(angles):
        M[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return M


def _turn(x, angles) -> np.ndarray:
    """Neighbours turned by angles (..., T, D/2)."""
    x = np.asarray(x, dtype=np.float64)
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * angles)
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)


def _angles(x, positions, base) -> np.ndarray:
    return np.asarray(positions)[..., None] * _speeds(np.shape(x)[-1], base)


def _halves(D) -> list[int]:
    """One head: even features, then odd ones."""
    return [*range(0, D, 2), *range(1, D, 2)]
