"""Exercises of chapter 03 on scores, softmax and attention.  Those on masks are in tasks_03_masks.py.

Of the mistakes people are known to make with attention, two are not here: √d_model in place of √d_head, and masks
repeated in another order than the heads.  With one head there is no difference to see; chapter 04 has both.
"""

import math

import numpy as np

from course.blocks.attention import attention, attention_scores, attention_steps, attention_torch, causal_mask, softmax
from course.exercises import variants_03 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task

SQRT, INF = math.sqrt, math.inf


def _random(seed: int, *shape: int) -> np.ndarray:
    """Numbers of mean 0 and standard deviation 2: large enough that a missing scale shows."""
    return np.random.default_rng(seed).normal(size=shape) * 2


# ── softmax ─────────────────────────────────────────────────────────────────────────────────────────────────


def _softmax_cases() -> list[Case]:
    return [
        Case((np.array([1.0, 3.0]),)),
        Case((np.array([1000.0, 1001.0]),), "large"),
        Case((np.array([-1000.0, -1002.0]),), "large"),
        Case((np.array([-1000.0, 1000.0]),), "large"),
        Case((np.array([-INF, -INF]),), "empty"),
        Case((np.array([0.0, -INF, 1.0]),), "hidden"),
        Case((np.array([1, 2, 4]),), "integers"),
        Case((np.array([[1.0, 2.0, 4.0], [0.0, 5.0, 1.0]]),)),
        Case((np.array([[1.0, 2.0, 4.0], [0.0, 5.0, 1.0]]), 0), "columns"),
        Case((np.array([[1.0, 2.0, 4.0], [0.0, 5.0, 1.0], [3.0, 3.0, 3.0]]),), "square"),
        Case((np.array([[1.0, 2.0, 4.0], [0.0, 5.0, 1.0], [3.0, 3.0, 3.0]]), 0), "columns"),
        Case((np.array([[1.0, 2.0], [-900.0, -901.0]]),), "far_apart"),
        Case((np.array([[0.0, 1.0, -INF], [-INF, -INF, -INF]]),), "empty"),
        Case((_random(1, 1, 4),)), Case((_random(2, 4, 1),)), Case((_random(3, 3, 4),)), Case((_random(4, 4, 4),), "square"),
        Case((_random(5, 3, 4), 0), "columns"), Case((_random(6, 2, 3, 4),)), Case((_random(7, 2, 3, 4), 1), "columns"),
        Case((_random(8, 2, 3, 4), 0), "columns"), Case((_random(9, 3, 3, 3),), "square"), Case((_random(10, 4, 7) * 20,)),
    ]  # fmt: skip


SOFTMAX_STEPS = Pipeline(softmax, {
    "scores": lambda x: np.asarray(x, dtype=np.float64),
    "largest": lambda scores, axis: scores.max(axis=axis, keepdims=True, initial=-INF),
    "shift": lambda largest: np.where(np.isneginf(largest), 0.0, largest),
    "e": lambda scores, shift: np.exp(scores - shift),
    "total": lambda e, axis: e.sum(axis=axis, keepdims=True),
    "divisor": lambda total: np.where(total == 0.0, 1.0, total),
    "weights": lambda e, divisor: e / divisor,
})  # fmt: skip

SUM_OF_ALL = lambda e: e.sum()  # noqa: E731 (in two mistakes the same, so that one is seen to contain the other)
SOFTMAX_MISTAKES = (
    Mistake("unchanged", {"weights": lambda scores: scores}),
    Mistake("not_divided", {"weights": lambda e: e}),
    Mistake("no_exp", {"e": lambda scores: scores}),
    Mistake("base_2", {"e": lambda scores, shift: 2.0 ** (scores - shift)}),
    Mistake("sum_of_all", {"total": SUM_OF_ALL}),
    Mistake("whole_array", {"largest": lambda scores: scores.max(), "total": SUM_OF_ALL}),
    Mistake("max_of_all", {"largest": lambda scores: scores.max()}),
    Mistake("first_axis", {"largest": lambda scores: scores.max(axis=0, keepdims=True),
                           "total": lambda e: e.sum(axis=0, keepdims=True)}),
    Mistake("sum_over_first_axis", {"total": lambda e: e.sum(axis=0, keepdims=True)}),
    Mistake("axis_ignored", {"largest": lambda scores: scores.max(axis=-1, keepdims=True),
                             "total": lambda e: e.sum(axis=-1, keepdims=True)}),
    Mistake("sum_without_keepdims", {"total": lambda e, axis: e.sum(axis=axis)}),
    Mistake("max_without_keepdims", {"largest": lambda scores, axis: scores.max(axis=axis)}),
    Mistake("logarithm", {"weights": lambda e, divisor: np.log(e / divisor)}),
    Mistake("no_max", {"shift": lambda: 0.0}),
    Mistake("empty_row", {"divisor": lambda total: total}),  # the finer points last: of several, the first is spoken of
)  # fmt: skip


def _sum_to_one(cases, values) -> bool:
    """Along the axis asked for; to 0 where there is nothing to choose from."""
    return all(_rows_are_shares(v, np.isneginf(c.arguments[0]), *c.arguments[1:]) for c, v in zip(cases, values))


def _rows_are_shares(weights, hidden, axis=-1) -> bool:
    wanted = ~np.broadcast_to(hidden, weights.shape).all(axis=axis)
    return np.allclose(weights.sum(axis=axis), wanted)


def _order_kept(cases, values) -> bool:
    """A larger score of the same row never has the smaller weight."""
    for case, value in zip(cases, values):
        axis = (*case.arguments[1:], -1)[0]
        order = np.argsort(case.arguments[0], axis=axis)
        if (np.diff(np.take_along_axis(value, order, axis), axis=axis) < -1e-9).any():
            return False
    return True


SOFTMAX = Task(
    "softmax", "03", softmax, SOFTMAX_STEPS, _softmax_cases, SOFTMAX_MISTAKES, variants.SOFTMAX,
    properties=(
        Property("rows_sum_to_one", _sum_to_one),
        Property("none_negative", lambda cases, values: all((value >= 0).all() for value in values)),
        Property("order_kept", _order_kept),
    ),
    difficulty=2, minutes=8,
)  # fmt: skip


# ── scores ──────────────────────────────────────────────────────────────────────────────────────────────────


def _scores_cases() -> list[Case]:
    return [
        Case((np.array([[3.0]]), np.array([[2.0]])), "width_one"),
        Case((np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]]))),
        Case((np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])), "square"),
        Case((np.array([[1, 2], [3, 4]]), np.array([[1, 0], [2, 2]])), "integers"),
        Case((np.zeros((2, 3)), _random(1, 4, 3))),
        Case((_random(2, 3, 4), _random(3, 5, 4))), Case((_random(4, 5, 4), _random(5, 3, 4))),
        Case((_random(6, 4, 4), _random(7, 4, 4)), "square"), Case((_random(8, 2, 9), _random(9, 3, 9))),
        Case((_random(10, 2, 3, 4), _random(11, 2, 5, 4)), "batch"),
        Case((_random(12, 3, 3, 3), _random(13, 3, 3, 3)), "batch"),
        Case((_random(14, 2, 3, 5, 4), _random(15, 2, 3, 6, 4)), "batch"),
    ]  # fmt: skip


SCORES_STEPS = Pipeline(attention_scores, {
    "queries": lambda q: np.asarray(q, dtype=np.float64),
    "keys": lambda k: np.asarray(k, dtype=np.float64),
    "columns": lambda keys: keys.swapaxes(-1, -2),
    "products": lambda queries, columns: queries @ columns,
    "width": lambda queries: queries.shape[-1],
    "divisor": lambda width: SQRT(width),
    "scores": lambda products, divisor: products / divisor,
})  # fmt: skip


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


SCALE_MISTAKES = (
    Mistake("no_scale", {"divisor": lambda: 1.0}),
    Mistake("divided_by_width", {"divisor": lambda width: width}),
    Mistake("multiplied", {"divisor": lambda width: 1 / SQRT(width)}),
)
KEY_MISTAKES = (
    Mistake("reshaped", {"columns": lambda keys: keys.reshape(*keys.shape[:-2], keys.shape[-1], keys.shape[-2])}),
    Mistake("all_axes_turned", {"columns": lambda keys: keys.T}),
)
SCORES_MISTAKES = (
    *SCALE_MISTAKES,
    *KEY_MISTAKES,
    Mistake("count_of_keys", {"width": lambda keys: keys.shape[-2]}),
    Mistake("count_of_queries", {"width": lambda queries: queries.shape[-2]}),
    Mistake("first_axis", {"width": lambda queries: queries.shape[0]}),
    Mistake("second_axis", {"width": lambda queries: queries.shape[1]}),
    Mistake("roles_swapped", {"products": lambda queries, keys: keys @ queries.swapaxes(-1, -2)}),
    Mistake("cosine", {"products": lambda queries, keys: _unit(queries) @ _unit(keys).swapaxes(-1, -2),
                       "divisor": lambda: 1.0}),
)  # fmt: skip

SCORES = Task(
    "attention_scores", "03", attention_scores, SCORES_STEPS, _scores_cases, SCORES_MISTAKES, variants.SCORES,
    properties=(
        Property("grow_with_query", lambda cases, values: all(
            np.allclose(value[case.arguments[0].any(axis=-1) == 0], 0) for case, value in zip(cases, values))),
    ),
    off_limits=(attention_steps,),
    difficulty=1, minutes=4,
)  # fmt: skip


# ── attention ───────────────────────────────────────────────────────────────────────────────────────────────


def _attention_cases() -> list[Case]:
    q, k, v = _random(1, 4, 3), _random(2, 4, 3), _random(3, 4, 2)
    other_k, other_v = k.copy(), v.copy()
    other_k[-1], other_v[-1] = [-2.0, 4.0, 1.0], [30.0, -30.0]  # another last word
    nothing = np.ones((3, 4), bool)
    nothing[1] = False
    return [
        Case((np.array([[2.0]]), np.array([[1.0], [3.0]]), np.array([[10.0], [20.0]])), "width_one"),
        Case((np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[10.0], [20.0]]))),
        Case((np.array([[1.0, 2.0], [0.0, -1.0]]), np.eye(2), np.array([[10.0], [20.0]])), "square"),
        Case((np.array([[1, 2], [0, 1]]), np.array([[2, 0], [0, 1]]), np.array([[4], [8]])), "integers"),
        Case((np.eye(2), np.eye(2), np.array([[10.0], [20.0]]), np.array([[True, False], [True, True]])), "masked"),
        Case((np.eye(2), -np.eye(2), np.array([[10.0], [20.0]]), np.array([[True, False], [True, True]])), "masked"),
        Case((np.eye(2), np.eye(2), np.array([[10.0], [20.0]]), np.array([[False, False], [True, True]])), "empty"),
        Case((np.array([[40.0, 0.0]]), np.array([[40.0, 0.0], [0.0, 40.0]]), np.array([[10.0], [20.0]])), "large"),
        Case((_random(4, 2, 4), _random(5, 3, 4), _random(6, 3, 5))),
        Case((_random(7, 3, 4), _random(8, 2, 4), _random(9, 2, 1))),
        Case((_random(10, 3, 3), _random(11, 3, 3), _random(12, 3, 3)), "square"),
        Case((q, k, v)), Case((q, k, v, causal_mask(4)), "causal"),
        Case((q, other_k, other_v, causal_mask(4)), "causal"),
        Case((_random(13, 3, 4), _random(14, 4, 4), _random(15, 4, 2), nothing), "empty"),
        Case((_random(16, 3, 4), _random(17, 4, 4), _random(18, 4, 2), np.array([True, True, True, False])), "one_row"),
        Case((_random(19, 2, 3, 4), _random(20, 2, 5, 4), _random(21, 2, 5, 6)), "batch"),
        Case((_random(22, 2, 4, 3), _random(23, 2, 4, 3), _random(24, 2, 4, 3), causal_mask(4)), "batch"),
        Case((_random(25, 3, 3, 3), _random(26, 3, 3, 3), _random(27, 3, 3, 3)), "batch"),
        Case((_random(28, 2, 3, 4), _random(29, 2, 5, 4), _random(30, 2, 5, 4),
              np.array([[[True] * 5], [[True, True, False, False, False]]])), "padding"),
        Case((np.eye(2), np.eye(2), np.array([[10.0], [20.0]]), np.zeros((2, 2), bool)), "empty"),
        Case((np.array([[1.0]]), np.array([[1.0], [2.0], [40.0]]), _random(37, 3, 1), np.array([[True, True, False]])),
             "large_and_hidden"),
        Case((q, k, v, np.array([True, False, True, True])), "one_row"),
        Case((_random(31, 2, 3, 4, 5), _random(32, 2, 3, 4, 5), _random(33, 2, 3, 4, 5), causal_mask(4)), "batch"),
        Case((_random(34, 3, 4) * 20, _random(35, 4, 4) * 20, _random(36, 4, 2)), "large"),
    ]  # fmt: skip


ATTENTION_STEPS = {
    **SCORES_STEPS.steps,
    "may_look": lambda mask: mask,
    "masked": lambda scores, may_look: scores if may_look is None else np.where(may_look, scores, -INF),
    "largest": lambda masked: masked.max(axis=-1, keepdims=True, initial=-INF),
    "shift": lambda largest: np.where(np.isneginf(largest), 0.0, largest),
    "e": lambda masked, shift: np.exp(masked - shift),
    "total": lambda e: e.sum(axis=-1, keepdims=True),
    "divisor_": lambda total: np.where(total == 0.0, 1.0, total),
    "shares": lambda e, divisor_: e / divisor_,
    "weights": lambda shares: shares,
    "output": lambda weights, v: weights @ v,
    "answer": lambda output, weights: (output, weights),
}


def _filled(filler):
    return lambda scores, may_look: scores if may_look is None else np.where(may_look, scores, filler)


ATTENTION_MISTAKES = (
    *SCALE_MISTAKES,
    Mistake("count_of_keys", {"width": lambda keys: keys.shape[-2]}),
    Mistake("mask_unused", {"may_look": lambda: None}),
    Mistake("mask_inverted", {"may_look": lambda mask: None if mask is None else ~mask}),
    Mistake("mask_transposed", {"may_look": lambda mask: None if mask is None else mask.T}),
    Mistake("mask_too_late", {"masked": lambda scores: scores,
                              "weights": lambda shares, may_look: shares if may_look is None else shares * may_look}),
    Mistake("filled_with_zero", {"masked": _filled(0.0)}),
    Mistake("filled_with_plus_infinity", {"masked": _filled(INF)}),
    Mistake("mask_added", {"masked": lambda scores, may_look: scores if may_look is None else scores + may_look}),
    Mistake("always_causal", {"may_look": lambda queries, keys: np.tril(np.ones((queries.shape[-2], keys.shape[-2]), bool))}),
    Mistake("softmax_over_queries", {"largest": lambda masked: masked.max(axis=-2, keepdims=True, initial=-INF),
                                     "total": lambda e: e.sum(axis=-2, keepdims=True)}),
    Mistake("softmax_over_first_axis", {"largest": lambda masked: masked.max(axis=0, keepdims=True, initial=-INF),
                                        "total": lambda e: e.sum(axis=0, keepdims=True)}),
    Mistake("softmax_over_all", {"largest": lambda masked: masked.max(), "total": lambda e: e.sum()}),
    Mistake("no_softmax", {"shares": lambda masked: masked}),
    *KEY_MISTAKES,
    Mistake("keys_handed_over", {"output": lambda weights, keys: weights @ keys}),
    Mistake("weights_transposed", {"output": lambda weights, v: weights.swapaxes(-1, -2) @ v}),
    Mistake("results_swapped", {"answer": lambda output, weights: (weights, output)}),
    Mistake("scores_returned", {"answer": lambda output, masked: (output, masked)}),
    Mistake("no_max", {"shift": lambda: 0.0}),
    Mistake("empty_row_uniform", {"masked": _filled(-1e9)}),
    Mistake("empty_row", {"divisor_": lambda total: total}),
)  # fmt: skip


def _hidden(arguments) -> np.ndarray:
    """Where a query must not look; broadcastable to the scores."""
    mask = arguments[3] if len(arguments) > 3 else None
    return np.zeros(1, bool) if mask is None else ~mask


def _future_is_hidden(cases, values) -> bool | None:
    """Two of the inputs differ in their last key and value only: under the causal mask no earlier output may differ."""
    twins = [value[0] for case, value in zip(cases, values) if case.note == "causal"]
    return np.allclose(twins[0][:-1], twins[1][:-1]) if len(twins) == 2 else None


ATTENTION_PROPERTIES = (
    Property("rows_sum_to_one", lambda cases, values: all(
        _rows_are_shares(weights, _hidden(case.arguments)) for case, (_, weights) in zip(cases, values))),
    Property("masked_are_zero", lambda cases, values: all(
        (weights[np.broadcast_to(_hidden(case.arguments), weights.shape)] == 0).all()
        for case, (_, weights) in zip(cases, values))),
    Property("future_is_hidden", _future_is_hidden),
    Property("output_is_the_blend", lambda cases, values: all(
        np.allclose(output, weights @ case.arguments[2]) for case, (output, weights) in zip(cases, values))),
)  # fmt: skip

ATTENTION = Task(
    "attention", "03", attention, Pipeline(attention, ATTENTION_STEPS), _attention_cases, ATTENTION_MISTAKES,
    variants.ATTENTION, properties=ATTENTION_PROPERTIES, results=("output", "weights"),
    off_limits=(attention_steps, attention_torch), difficulty=3, minutes=15,
)  # fmt: skip


# ── traced by hand ──────────────────────────────────────────────────────────────────────────────────────────

TRACE_Q = np.array([[1.0, 1.0, 1.0, 1.0]])
TRACE_K = np.array([[2.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, -1.0]])
TRACE_V = np.array([[10.0], [20.0]])


def attention_trace() -> tuple[float, float]:
    """The weight of the first key and the output, for TRACE_Q, TRACE_K and TRACE_V."""
    output, weights = attention(TRACE_Q, TRACE_K, TRACE_V)
    return weights[0, 0], output[0, 0]


TRACE = Task(
    "attention_trace", "03", attention_trace,
    Pipeline(attention_trace, {
        "q": lambda: TRACE_Q, "k": lambda: TRACE_K, "v": lambda: TRACE_V, "mask": lambda: None, **ATTENTION_STEPS,
        "numbers": lambda weights, output: (weights[0, 0], output[0, 0]),
    }),
    lambda: [Case(())],
    (
        *SCALE_MISTAKES,
        Mistake("not_divided", {"shares": lambda masked: np.exp(masked)}),
        Mistake("no_exp", {"shares": lambda masked: masked / masked.sum(axis=-1, keepdims=True)}),
        Mistake("average", {"output": lambda v: v.mean(axis=0, keepdims=True)}),
        Mistake("values_swapped", {"output": lambda weights, v: weights @ v[::-1]}),
        Mistake("other_weight", {"numbers": lambda weights, output: (weights[0, 1], output[0, 0])}),
        Mistake("order_swapped", {"numbers": lambda weights, output: (output[0, 0], weights[0, 0])}),
    ),
    variants.TRACE, results=("weight", "output"), rtol=0.0, atol=0.015, difficulty=1, minutes=4, traced=True,
    shown=("products", "scores", "weights", "output"),
)  # fmt: skip
