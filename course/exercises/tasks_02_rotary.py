"""Exercises of chapter 02 on rotary positions: turning, and weights from one layout to the other.

One mistake that people are known to make is not here, since the function does not show it: to turn values as well.
"""

import numpy as np

from course.exercises import variants_02 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.exercises.tasks_02 import EXPONENT_MISTAKES, EXPONENTS, known, side_by_side
from course.vectors.positions import RotaryPositions, deinterleave, rotate

# ── rotary positions ────────────────────────────────────────────────────────────────────────────────────────


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 2


def _rotate_cases() -> list[Case]:
    alike = np.tile([[1.0, 2.0, -1.0, 0.5]], (5, 1))
    heads, examples = _random(6, 3, 3, 4), np.array([[[0, 1, 2, 3]], [[5, 6, 7, 8]]])  # examples: (B, 1, T)
    return [
        Case((np.array([[1.0, 0.0]]), np.array([1]))),
        Case((np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([0])), "position_0"),
        Case((np.array([[1.0, 0.0, 1.0, 0.0]]), np.array([1]), 16.0)),
        Case((np.array([[1, 2, 3, 4]]), np.array([2])), "integers"),
        Case((alike, np.arange(5)), "alike"), Case((alike, np.arange(7, 12), 16.0), "alike"),
        Case((_random(1, 3, 6), np.array([0, 1, 2]))), Case((_random(2, 3, 6), np.array([7, 8, 9])), "later"),
        Case((_random(3, 3, 6), np.array([5, 0, 2]), 100.0), "any_order"),
        Case((_random(4, 2, 8), np.array([-3, 4])), "back"),
        Case((_random(5, 2, 3, 4), np.array([0, 1, 2])), "heads"), Case((heads, np.array([4, 5, 6])), "heads"),
        Case((_random(7, 2, 3, 4, 6), np.array([3, 4, 5, 6]), 64.0), "heads"),
        Case((_random(8, 2, 3, 4, 6), examples), "examples"),
        Case((_random(9, 2, 4, 2), examples[:, 0] + 1), "examples"),
        Case((_random(10, 4, 10), np.array([1000, 20, 300, 4])), "later"),
        Case((_random(11, 2, 2, 2, 6), np.array([[[3, 4]], [[0, 1]]]), 10), "examples"),
    ]  # fmt: skip


def _along_heads(p, speeds, vectors):
    """Positions counted along the axis before T, where there is one."""
    return p[..., None] * speeds if vectors.ndim == 2 else p[..., None, None] * speeds


def _neighbours(new, vectors):
    turned = np.empty_like(vectors)
    turned[..., 0::2], turned[..., 1::2] = new
    return turned


ROTATE_STEPS = {
    "vectors": lambda x: np.asarray(x, dtype=np.float64),
    "p": lambda positions: np.asarray(positions),
    "d_model": lambda vectors: vectors.shape[-1],
    **EXPONENTS,
    "angles": lambda p, speeds: p[..., None] * speeds,
    "spread": lambda angles: np.repeat(angles, 2, axis=-1),  # the angle that belongs to each feature
    "cos": lambda spread: np.cos(spread),
    "sin": lambda spread: np.sin(spread),
    "first": lambda vectors: vectors[..., 0::2],
    "second": lambda vectors: vectors[..., 1::2],
    "new_first": lambda first, second, cos, sin: first * cos[..., 0::2] - second * sin[..., 0::2],
    "new_second": lambda first, second, cos, sin: first * sin[..., 1::2] + second * cos[..., 1::2],
    "turned": lambda new_first, new_second, vectors: _neighbours((new_first, new_second), vectors),
}
ROTATE_MISTAKES = (
    Mistake("halves", {"first": lambda vectors: np.split(vectors, 2, axis=-1)[0],
                       "second": lambda vectors: np.split(vectors, 2, axis=-1)[1],
                       "turned": lambda new_first, new_second: side_by_side(new_first, new_second)}),
    Mistake("put_back_as_halves", {"turned": lambda new_first, new_second: side_by_side(new_first, new_second)}),
    Mistake("taken_as_halves", {"first": lambda vectors: np.split(vectors, 2, axis=-1)[0],
                                "second": lambda vectors: np.split(vectors, 2, axis=-1)[1]}),
    Mistake("angles_for_halves", {"spread": lambda angles: side_by_side(angles, angles)}),
    Mistake("positions_assumed", {"p": lambda vectors: np.arange(vectors.shape[-2])}),
    Mistake("from_one", {"p": lambda positions: np.asarray(positions) + 1}),
    Mistake("other_way", {"sin": lambda spread: -np.sin(spread)}),
    *EXPONENT_MISTAKES,
    Mistake("minus_forgotten", {"new_first": lambda first, second, cos, sin:
                                first * cos[..., 0::2] + second * sin[..., 0::2]}),
    Mistake("new_first_used", {"new_second": lambda new_first, second, cos, sin:
                               new_first * sin[..., 1::2] + second * cos[..., 1::2]}),
    Mistake("sine_and_cosine_swapped", {"cos": lambda spread: np.sin(spread), "sin": lambda spread: np.cos(spread)}),
    Mistake("added", {"turned": lambda vectors, sin, cos:
                      vectors + _neighbours((sin[..., 0::2], cos[..., 0::2]), vectors)}),
    Mistake("second_not_turned", {"new_second": lambda second: second}),
    Mistake("first_pair_only", {"angles": lambda p, speeds: p[..., None] * speeds * (np.arange(len(speeds)) == 0)}),
    Mistake("in_degrees", {"angles": lambda p, speeds: np.radians(p[..., None] * speeds)}),
    Mistake("along_heads", {"angles": _along_heads}),
    Mistake("axis_in_second_place", {"angles": lambda p, speeds: p[:, None] * speeds}),
    Mistake("first_example_for_all", {"p": lambda positions, vectors:
                                      np.asarray(positions).reshape(-1, vectors.shape[-2])[0]}),
)  # fmt: skip


def _lengths_stay(cases: list[Case], values: list) -> bool:
    return all(np.allclose(np.linalg.norm(value, axis=-1), np.linalg.norm(case.arguments[0], axis=-1))
               for case, value in zip(cases, values))  # fmt: skip


def _position_0_stays(cases: list[Case], values: list) -> bool:
    """Vectors at position 0, wherever they are."""
    at_0 = [(np.broadcast_to(np.asarray(case.arguments[1]) == 0, value.shape[:-1]), case.arguments[0], value)
            for case, value in zip(cases, values)]  # fmt: skip
    return all(np.allclose(value[chosen], np.asarray(x)[chosen]) for chosen, x, value in at_0)


def _distance_alone(cases: list[Case], values: list) -> bool | None:
    """Of equal vectors at neighbouring positions each with the next has the same product."""
    products = [(value[:-1] * value[1:]).sum(axis=-1) for case, value in zip(cases, values) if case.note == "alike"]
    return known([np.allclose(each, each[0]) for each in products])


ROTATE = Task(
    "rotate", "02", rotate, Pipeline(rotate, ROTATE_STEPS), _rotate_cases, ROTATE_MISTAKES, variants.ROTATE,
    properties=(
        Property("position_0_stays", _position_0_stays),
        Property("lengths_stay", _lengths_stay),
        Property("distance_alone", _distance_alone),
    ),
    off_limits=(RotaryPositions.forward,), difficulty=3, minutes=12,
)  # fmt: skip

# ── something new: weights from one layout to the other ─────────────────────────────────────────────────────


def _stays_in_its_head(case: Case, value) -> bool:
    """A block of D places holds features of one head, in the order of the heads."""
    D, n_heads = (*case.arguments, 1)[:2]
    return np.array_equal(value // D, np.repeat(np.arange(n_heads), D))


DEINTERLEAVE = Task(
    "deinterleave", "02", deinterleave,
    Pipeline(deinterleave, {
        "H": lambda n_heads: n_heads,
        "width": lambda D: D,
        "order": lambda width: np.concatenate([np.arange(0, width, 2), np.arange(1, width, 2)]),
        "starts": lambda H, D: np.arange(H)[:, None] * D,
        "table": lambda starts, order: starts + order,  # (H, D)
        "indices": lambda table: table.ravel(),
    }),
    lambda: [
        Case((2,)), Case((4,)), Case((6,)), Case((6, 1)), Case((2, 3), "heads"), Case((4, 2), "heads"),
        Case((6, 2), "heads"), Case((8,)), Case((4, 3), "heads"), Case((6, 6), "heads"), Case((10, 4), "heads"),
        Case((64, 12), "heads"),
    ],
    (
        Mistake("unchanged", {"order": lambda width: np.arange(width)}),
        Mistake("the_way_back", {"order": lambda width: np.arange(width).reshape(2, -1).T.ravel()}),
        Mistake("odd_ones_first", {"order": lambda width:
                                   np.concatenate([np.arange(1, width, 2), np.arange(0, width, 2)])}),
        Mistake("neighbours_swapped", {"order": lambda width: np.arange(width).reshape(-1, 2)[:, ::-1].ravel()}),
        Mistake("across_all_heads", {"H": lambda: 1, "width": lambda D, n_heads: D * n_heads}),
        Mistake("one_head_only", {"H": lambda: 1}),
        Mistake("starts_forgotten", {"starts": lambda H: np.zeros((H, 1), dtype=int)}),
        Mistake("starts_one_apart", {"starts": lambda H: np.arange(H)[:, None]}),
        Mistake("heads_in_turn", {"indices": lambda table: table.T.ravel()}),
        Mistake("heads_dealt_out", {"table": lambda order, H: order * H + np.arange(H)[:, None]}),
        Mistake("counted_from_one", {"indices": lambda table: table.ravel() + 1}),
        Mistake("a_row_for_each_head", {"indices": lambda table: table}),
        Mistake("pairs_kept_as_rows", {"indices": lambda table: table.reshape(-1, 2)}),
    ),
    variants.DEINTERLEAVE,
    properties=(
        Property("each_once", lambda cases, values: all(
            np.array_equal(np.sort(value), np.arange(len(value))) for value in values)),
        Property("in_its_head", lambda cases, values: all(map(_stays_in_its_head, cases, values))),
    ),
    difficulty=3, minutes=8,
)  # fmt: skip
