"""Exercises of chapter 07 on the two filters, top-k and top-p."""

import math

import numpy as np

from course.blocks.attention import softmax
from course.exercises import variants_07 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.predict.sampling import top_k_filter, top_p_filter


def known(found: list) -> bool | None:
    """All of them, or None where there are none to look at."""
    return all(found) if found else None


def falling_ids(probs) -> np.ndarray:
    """Ids, likeliest first; of equals the smaller id."""
    return np.argsort(-probs, axis=-1, kind="stable")


def shares(weights) -> np.ndarray:
    """Each row divided by its sum."""
    return weights / weights.sum(axis=-1, keepdims=True)


def nucleus(probs, p: float) -> np.ndarray:
    """top-p with p as it is, also for rows that do not sum to 1."""
    order = falling_ids(probs)
    mass = np.take_along_axis(probs, order, axis=-1).cumsum(axis=-1)
    needed = probs.shape[-1] if p == 1 else (mass < p).sum(axis=-1, keepdims=True) + 1
    return shares(np.where(np.argsort(order, axis=-1) < needed, probs, 0.0))


def _in_order(probs, order, count) -> np.ndarray:
    """The largest `count` of each row, side by side from the left, zeros behind them."""
    return np.where(np.arange(probs.shape[-1]) < count, np.take_along_axis(probs, order, axis=-1), 0.0)


def _random(seed: int, *shape: int) -> np.ndarray:
    return softmax(np.random.default_rng(seed).normal(size=shape) * 1.5)


ROWS_SUM_TO_ONE = Property("rows_sum_to_one", lambda cases, values: all(np.allclose(v.sum(axis=-1), 1) for v in values))
SQUARE = np.array([[0.125, 0.5, 0.375], [0.75, 0.0625, 0.1875], [0.25, 0.5, 0.25]])

FROM_BELOW = Mistake("least_likely", {"order": lambda probs: np.argsort(probs, axis=-1, kind="stable")})
LARGER_IDS = Mistake("larger_ids", {"order": lambda probs: np.argsort(probs, axis=-1, kind="stable")[..., ::-1]})
PLACES_FOR_IDS = Mistake("places_for_ids", {"rank": lambda order: order})
AFTERWARDS = (  # what is done with those that are kept
    Mistake("not_renormalised", {"result": lambda kept: kept}),
    Mistake("softmax_of_kept", {"result": lambda probs, keep: softmax(np.where(keep, probs, -np.inf))}),
    Mistake("softmax_with_zeros", {"result": lambda kept: softmax(kept)}),
    Mistake("all_alike", {"result": lambda keep: shares(keep * 1.0)}),
    Mistake("sum_of_all", {"total": lambda kept: kept.sum()}),
)


def _nothing_likelier_is_cut(cases, values) -> bool:
    """Of one row, no token that is cut is likelier than one that is kept."""
    for case, value in zip(cases, values):
        least_kept = np.where(value > 0, case.arguments[0], np.inf).min(axis=-1)
        if (np.where(value > 0, 0.0, case.arguments[0]).max(axis=-1) > least_kept).any():
            return False
    return True


# ── top-k ───────────────────────────────────────────────────────────────────────────────────────────────────


def _top_k_cases() -> list[Case]:
    x = np.array
    tied = x([0.125, 0.1875, 0.1875, 0.1875, 0.3125])
    return [
        Case((x([0.5, 0.3, 0.2]), 2), "sorted"), Case((x([0.2, 0.5, 0.3]), 2)), Case((x([0.2, 0.5, 0.3]), 1), "one"),
        Case((x([0.2, 0.5, 0.3]), 3), "all"), Case((x([1.0]), 1), "all"), Case((x([0.5, 0.5]), 1), "tied"),
        Case((tied, 3), "tied"), Case((tied, 2), "tied"), Case((tied, 1), "one"),
        Case((x([0.5, 0.0, 0.5, 0.0]), 3), "impossible"), Case((SQUARE, 2), "square"), Case((SQUARE, 1), "one"),
        Case((x([[0.1, 0.2, 0.3, 0.4], [0.4, 0.1, 0.2, 0.3]]), 2)), Case((_random(1, 3, 5), 3)),
        Case((_random(2, 1, 6), 2)), Case((_random(3, 2, 3, 5), 2)), Case((_random(4, 2, 3, 5), 4)),
        Case((_random(5, 20, 9), 4)),
    ]  # fmt: skip


def _as_many_as(cases, values) -> bool:
    """k of each row are above 0, or as many as there were."""
    return all(((value > 0).sum(axis=-1) == np.minimum(case.arguments[1], (case.arguments[0] > 0).sum(axis=-1))).all()
               for case, value in zip(cases, values))  # fmt: skip


def _of_the_whole_array(probs) -> np.ndarray:
    return np.argsort(np.argsort(-probs.ravel(), kind="stable")).reshape(probs.shape)


def _kth(probs, k: int) -> np.ndarray:
    return -np.sort(-probs, axis=-1)[..., k - 1 : k]


TOP_K = Task(
    "top_k_filter", "07", top_k_filter,
    Pipeline(top_k_filter, {
        "order": falling_ids,
        "rank": lambda order: np.argsort(order, axis=-1),
        "count": lambda k: k,
        "keep": lambda rank, count: rank < count,
        "kept": lambda probs, keep: np.where(keep, probs, 0.0),
        "total": lambda kept: kept.sum(axis=-1, keepdims=True),
        "result": lambda kept, total: kept / total,
    }),
    _top_k_cases,
    (
        Mistake("one_more", {"count": lambda k: k + 1}),
        Mistake("one_fewer", {"count": lambda k: k - 1}),
        Mistake("all_that_tie", {"keep": lambda probs, k: probs >= _kth(probs, k)}),
        Mistake("above_the_kth", {"keep": lambda probs, k: probs > _kth(probs, k)}),
        LARGER_IDS, FROM_BELOW, PLACES_FOR_IDS,
        Mistake("first_ids", {"rank": lambda probs: np.broadcast_to(np.arange(probs.shape[-1]), probs.shape)}),
        Mistake("in_order", {"kept": lambda probs, order, count: _in_order(probs, order, count)}),
        Mistake("others_left_out", {"kept": lambda probs, order, count: _in_order(probs, order, count)[..., :count]}),
        Mistake("k_of_all", {"rank": _of_the_whole_array}),
        Mistake("divided_by_k", {"total": lambda count: count}),
        *AFTERWARDS,
    ),
    variants.TOP_K,
    properties=(
        ROWS_SUM_TO_ONE, Property("exactly_k", _as_many_as), Property("likeliest_kept", _nothing_likelier_is_cut),
    ),
    difficulty=3, minutes=8,
)  # fmt: skip

# ── top-p ───────────────────────────────────────────────────────────────────────────────────────────────────


def _top_p_cases() -> list[Case]:
    x = np.array
    halves = x([0.25, 0.125, 0.5, 0.125])
    return [
        Case((x([0.5, 0.41, 0.09]), 0.9), "sorted"), Case((x([0.09, 0.5, 0.41]), 0.9)), Case((x([0.2, 0.5, 0.3]), 0.6)),
        Case((x([0.05, 0.9, 0.05]), 0.8), "one"), Case((x([0.2, 0.5, 0.3]), 0.01), "one"),
        Case((x([0.2, 0.5, 0.3]), 1), "all"), Case((x([1.0]), 0.5), "one"), Case((halves, 0.5), "exact"),
        Case((halves, 0.75), "exact"), Case((halves, 0.8), "tied"),
        Case((x([0.25, 0.25, 0.25, 0.25]), 0.5), "exact"), Case((x([0.25, 0.25, 0.25, 0.25]), 0.6), "tied"),
        Case((x([0.0, 0.5, 0.0, 0.5]), 0.9), "impossible"), Case((SQUARE, 0.7), "square"), Case((SQUARE, 1.0), "all"),
        Case((x([[0.1, 0.2, 0.3, 0.4], [0.05, 0.05, 0.85, 0.05]]), 0.65)),
        Case((_random(1, 3, 5), 0.8)), Case((_random(2, 1, 6), 0.5)), Case((_random(3, 2, 3, 5), 0.7)),
        Case((_random(4, 2, 3, 5), 0.95)), Case((_random(5, 20, 9), 0.75)),
    ]  # fmt: skip


def _reaches(cases, values) -> bool:
    """What is kept holds p of the mass."""
    return all((np.where(value > 0, case.arguments[0], 0).sum(axis=-1) >= case.arguments[1] - 1e-9).all()
               for case, value in zip(cases, values))  # fmt: skip


def _no_more(cases, values) -> bool:
    """Without the least likely that is kept, p would not be reached."""
    for case, value in zip(cases, values):
        probs, p = case.arguments
        kept = np.where(value > 0, probs, 0.0)
        least = np.where(value > 0, probs, np.inf).min(axis=-1)
        if p < 1 and (kept.sum(axis=-1) - least >= p - 1e-12).any():
            return False
    return True


def _needed(mass, p) -> np.ndarray:
    return np.where(p == 1, mass.shape[-1], (mass < p).sum(axis=-1, keepdims=True) + 1)


TOP_P = Task(
    "top_p_filter", "07", top_p_filter,
    Pipeline(top_p_filter, {
        "order": falling_ids,
        "falling": lambda probs, order: np.take_along_axis(probs, order, axis=-1),
        "mass": lambda falling: falling.cumsum(axis=-1),
        "needed": _needed,
        "rank": lambda order: np.argsort(order, axis=-1),
        "keep": lambda rank, needed: rank < needed,
        "kept": lambda probs, keep: np.where(keep, probs, 0.0),
        "total": lambda kept: kept.sum(axis=-1, keepdims=True),
        "result": lambda kept, total: kept / total,
    }),
    _top_p_cases,
    (
        Mistake("crossing_lost", {"needed": lambda mass, p: (mass <= p).sum(axis=-1, keepdims=True)}),
        Mistake("crossing_lost_below", {"needed": lambda mass, p: (mass < p).sum(axis=-1, keepdims=True)}),
        Mistake("crossing_lost_but_one", {"needed": lambda mass, p:
                                          np.maximum((mass <= p).sum(axis=-1, keepdims=True), 1)}),
        Mistake("one_beyond", {"needed": lambda mass, p: (mass <= p).sum(axis=-1, keepdims=True) + 1}),
        Mistake("one_more", {"needed": lambda mass, p: _needed(mass, p) + 1}),
        Mistake("not_sorted", {"order": lambda probs: np.broadcast_to(np.arange(probs.shape[-1]), probs.shape)}),
        FROM_BELOW, LARGER_IDS, PLACES_FOR_IDS,
        Mistake("in_order", {"kept": lambda probs, order, needed: _in_order(probs, order, needed)}),
        Mistake("share_of_tokens", {"needed": lambda mass, p: math.ceil(p * mass.shape[-1])}),
        Mistake("share_to_cut", {"needed": lambda mass, p: (mass < 1 - p).sum(axis=-1, keepdims=True) + 1}),
        Mistake("own_probability", {"keep": lambda probs, p: probs >= p}),
        Mistake("share_of_largest", {"keep": lambda probs, p: probs >= p * probs.max(axis=-1, keepdims=True)}),
        *AFTERWARDS,
    ),
    variants.TOP_P,
    properties=(
        ROWS_SUM_TO_ONE, Property("reaches_p", _reaches), Property("no_more_than_needed", _no_more),
        Property("likeliest_kept", _nothing_likelier_is_cut),
    ),
    difficulty=4, minutes=10,
)  # fmt: skip
