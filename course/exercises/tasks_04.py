"""Exercises of chapter 04: heads cut and joined, many heads from scratch, a head scored against a pattern."""

import math

import numpy as np

from course.blocks.attention import attention, causal_mask, merge_heads, multi_head_attention, softmax, split_heads
from course.exercises import variants_04 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.lens.offset import offset_score

# ── traced by hand ──────────────────────────────────────────────────────────────────────────────────────────

TRACE_X = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [7.0, 8.0, 9.0, 10.0, 11.0, 12.0]])


def heads_trace() -> tuple[float, float]:
    """The first number of the second position in head 1, and the last of the first position in head 2 (of three, from 0)."""
    heads = split_heads(TRACE_X, 3)  # (3, 2, 2)
    return heads[1, 1, 0], heads[2, 0, 1]


SPLIT_STEPS = {
    "n": lambda n_heads: n_heads,
    "d": lambda x, n: x.shape[-1] // n,
    "cut": lambda x, n, d: x.reshape(*x.shape[:-1], n, d),
    "heads": lambda cut: cut.swapaxes(-3, -2),
}
SPLIT_MISTAKES = (
    Mistake("only_reshaped", {"cut": lambda x, n, d: x.reshape(*x.shape[:-2], n, x.shape[-2], d), "heads": lambda cut: cut}),
    Mistake("not_swapped", {"heads": lambda cut: cut}),
    Mistake("dealt_out", {"cut": lambda x, n, d: x.reshape(*x.shape[:-1], d, n).swapaxes(-1, -2)}),
    Mistake("width_for_number", {"cut": lambda x, n, d: x.reshape(*x.shape[:-1], d, n)}),
)

TRACE = Task(
    "heads_trace", "04", heads_trace,
    Pipeline(heads_trace, {
        "x": lambda: TRACE_X, "n_heads": lambda: 3, **SPLIT_STEPS,
        "counted": lambda heads: heads,
        "numbers": lambda counted: (counted[1, 1, 0], counted[2, 0, 1]),
    }),
    lambda: [Case(())],
    (
        SPLIT_MISTAKES[0],
        Mistake("dealt_out", {"heads": lambda x: x.reshape(2, 2, 3).transpose(2, 0, 1)}),
        Mistake("two_heads", {"heads": lambda x: x.reshape(2, 2, 3).transpose(1, 0, 2)[[0, 0, 1]][:, :, [0, 2]],
                              "counted": lambda heads: np.stack([heads[0], heads[2], heads[2]])}),
        Mistake("position_for_head", {"numbers": lambda cut: (cut[1, 1, 1], cut[0, 2, 0])}),
        Mistake("counted_from_one", {"numbers": lambda counted: (counted[0, 1, 0], counted[1, 0, 1])}),
        Mistake("positions_from_one", {"numbers": lambda counted: (counted[1, 0, 0], counted[2, 1, 1])}),
        Mistake("order_swapped", {"numbers": lambda counted: (counted[2, 0, 1], counted[1, 1, 0])}),
    ),
    variants.TRACE, results=("head_1", "head_2"), rtol=0.0, atol=1e-9, difficulty=1, minutes=3, traced=True, shown=("heads",),
)  # fmt: skip


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 2


# ── split and merge ─────────────────────────────────────────────────────────────────────────────────────────

SPLIT = Task(
    "split_heads", "04", split_heads, Pipeline(split_heads, SPLIT_STEPS),
    lambda: [
        Case((np.arange(12.0).reshape(3, 4), 2)), Case((np.arange(6.0).reshape(1, 6), 3), "one_token"),
        Case((np.arange(8.0).reshape(2, 4), 4)), Case((np.arange(8.0).reshape(2, 4), 1), "one_head"),
        Case((np.arange(18.0).reshape(3, 6), 3)), Case((_random(1, 5, 6), 2)), Case((_random(5, 5, 6), 2)),
        Case((_random(2, 2, 5, 6), 3), "batch"),
        Case((_random(3, 3, 4, 4), 2), "batch"), Case((_random(4, 2, 3, 4, 6), 2), "batch"),
    ],
    (*SPLIT_MISTAKES,
     Mistake("positions_cut", {"cut": lambda x, n: x.reshape(*x.shape[:-2], n, x.shape[-2] // n, x.shape[-1]),
                               "heads": lambda cut: cut}),
     Mistake("batch_forgotten", {"cut": lambda x, n, d: x.reshape(x.shape[0], n, d),
                                 "heads": lambda cut: cut.transpose(1, 0, 2)}),
     Mistake("in_reverse", {"heads": lambda cut: cut.swapaxes(-3, -2)[..., ::-1, :, :]})),
    variants.SPLIT,
    properties=(Property("first_feature_first", lambda cases, values: all(
        np.array_equal(value[..., 0, :, 0], case.arguments[0][..., 0]) for case, value in zip(cases, values))),),
    blank="x.reshape(*lead, T, n_heads, _head_width(C, n_heads)).swapaxes(-3, -2)", difficulty=2, minutes=5,
)  # fmt: skip

MERGE = Task(
    "merge_heads", "04", merge_heads,
    Pipeline(merge_heads, {
        "order": lambda x: x,
        "side_by_side": lambda order: order.swapaxes(-3, -2),
        "joined": lambda side_by_side: side_by_side.reshape(*side_by_side.shape[:-2], -1),
    }),
    lambda: [
        Case((np.arange(8.0).reshape(2, 2, 2),), "cube"), Case((np.arange(6.0).reshape(3, 1, 2),), "one_token"),
        Case((np.arange(6.0).reshape(1, 3, 2),), "one_head"), Case((np.arange(12.0).reshape(3, 2, 2),)),
        Case((_random(1, 2, 5, 3),)), Case((_random(4, 2, 5, 3),)),
        Case((_random(2, 2, 3, 5, 4),), "batch"), Case((_random(3, 3, 3, 3, 3),), "batch"),
    ],
    (
        Mistake("not_swapped", {"joined": lambda order: order.reshape(*order.shape[:-3], order.shape[-2], -1)}),
        Mistake("added_up", {"joined": lambda order: order.sum(axis=-3)}),
        Mistake("averaged", {"joined": lambda order: order.mean(axis=-3)}),
        Mistake("one_below_the_other", {"joined": lambda order: order.reshape(*order.shape[:-3], -1, order.shape[-1])}),
        Mistake("dealt_out", {"side_by_side": lambda order: np.moveaxis(order, -3, -1)}),
        Mistake("in_reverse", {"order": lambda x: x[..., ::-1, :, :]}),
    ),
    variants.MERGE,
    properties=(Property("first_feature_first", lambda cases, values: all(
        np.array_equal(value[..., 0], case.arguments[0][..., 0, :, 0]) for case, value in zip(cases, values))),),
    difficulty=2, minutes=4,
)  # fmt: skip

# ── many heads ──────────────────────────────────────────────────────────────────────────────────────────────


def _matrices(seed: int, C: int, width: int, out: int | None = None) -> tuple[np.ndarray, ...]:
    return (*(_random(seed + i, C, width) / 2 for i in range(3)), _random(seed + 3, width, out or C) / 2)


def _many_heads_cases() -> list[Case]:
    head_masks = np.ones((2, 3, 3), bool)
    head_masks[1] = causal_mask(3)
    example_masks = head_masks[:, None]  # (B, 1, T, S): another for each example, the same for all heads
    nothing = np.ones((3, 3), bool)
    nothing[1] = False
    return [
        Case((np.eye(2), np.eye(2), np.eye(2), np.eye(2), np.eye(2)[::-1], 2)),
        Case((np.array([[1.0, 2.0], [0.0, -1.0]]), *(np.eye(2),) * 4, 1), "one_head"),
        Case((_random(1, 3, 4), *_matrices(10, 4, 4), 2)), Case((_random(2, 5, 6), *_matrices(20, 6, 6), 3)),
        Case((_random(3, 3, 4), *_matrices(30, 4, 4), 2, causal_mask(3)), "masked"),
        Case((_random(4, 3, 4), *_matrices(40, 4, 4), 2, nothing), "empty"),
        Case((_random(5, 3, 4), *_matrices(50, 4, 4), 2, head_masks), "head_masks"),
        Case((_random(6, 3, 4), *_matrices(60, 4, 6, 5), 2), "other_widths"),
        Case((_random(7, 3, 4), *_matrices(70, 4, 4), 2, None, _random(8, 5, 4)), "memory"),
        Case((_random(9, 2, 3, 4), *_matrices(80, 4, 4), 2), "batch"), Case((_random(9, 2, 3, 4)[0], *_matrices(80, 4, 4), 2)),
        Case((_random(10, 2, 3, 4), *_matrices(90, 4, 4), 2, causal_mask(3)), "batch"),
        Case((_random(11, 2, 3, 6), *_matrices(100, 6, 6), 3, None, _random(12, 2, 4, 6)), "memory"),
        Case((_random(13, 3, 3, 9) / 2, *_matrices(110, 9, 9), 3), "batch"),
        Case((_random(14, 2, 3, 4), *_matrices(120, 4, 4), 2, example_masks), "example_masks"),
    ]  # fmt: skip


def _own_slices(x, W, n):
    """Each head sees its slice of the features only, through its own block of W."""
    D = x.shape[-1] // n
    return np.concatenate([x[..., h * D : (h + 1) * D] @ W[h * D : (h + 1) * D, h * D : (h + 1) * D] for h in range(n)], axis=-1)


def _reshaped(a, n):
    return a.reshape(*a.shape[:-2], n, a.shape[-2], a.shape[-1] // n)


def _dealt_out(a, n):
    return np.moveaxis(a.reshape(*a.shape[:-1], a.shape[-1] // n, n), -1, -3)


def _repeated_in_other_order(mask, n):
    """Examples and heads made one axis: the scores have head after head of each example, the mask example after example."""
    if mask is None or mask.ndim < 4 or mask.shape[1] != 1:
        return mask
    return np.tile(mask[:, 0], (n, 1, 1)).reshape(len(mask), n, *mask.shape[-2:])


def _over_queries(q, k, v, mask):
    """The columns of the weights sum to 1 in place of the rows."""
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    weights = softmax(scores if mask is None else np.where(mask, scores, -np.inf), axis=-2)
    return weights @ v, weights


MANY_STEPS = {
    "vectors": lambda x: np.asarray(x, dtype=np.float64),
    "source": lambda vectors, memory: vectors if memory is None else np.asarray(memory, dtype=np.float64),
    "q": lambda vectors, W_Q: vectors @ W_Q,
    "k": lambda source, W_K: source @ W_K,
    "v": lambda source, W_V: source @ W_V,
    "cut": lambda: split_heads,
    "heads": lambda q, k, v, cut, n_heads: [cut(a, n_heads) for a in (q, k, v)],
    "may_look": lambda mask: mask,
    "stretch": lambda: 1.0,
    "attended": lambda heads, may_look, stretch: attention(heads[0] * stretch, heads[1], heads[2], may_look),
    "joined": lambda attended: merge_heads(attended[0]),
    "output": lambda joined, W_O: joined @ W_O,
    "weights": lambda attended: attended[1],
    "answer": lambda output, weights: (output, weights),
}
MANY_MISTAKES = (
    Mistake("no_output_matrix", {"output": lambda joined: joined}),
    Mistake("only_reshaped", {"cut": lambda: _reshaped}),
    Mistake("joined_without_swap", {"joined": lambda attended: attended[0].reshape(
        *attended[0].shape[:-3], attended[0].shape[-2], -1)}),
    Mistake("width_of_all_heads", {"stretch": lambda n_heads: 1 / math.sqrt(n_heads)}),
    Mistake("no_scale", {"stretch": lambda heads: math.sqrt(heads[0].shape[-1])}),
    Mistake("one_wide_head", {"heads": lambda q, k, v: [a[..., None, :, :] for a in (q, k, v)],
                              "weights": lambda attended: attended[1][..., 0, :, :]}),
    Mistake("dealt_out", {"cut": lambda: _dealt_out}),
    Mistake("joined_in_turn", {"joined": lambda attended: np.moveaxis(attended[0], -3, -1).reshape(
        *attended[0].shape[:-3], attended[0].shape[-2], -1)}),
    Mistake("input_split_first", {"q": lambda vectors, W_Q, n_heads: _own_slices(vectors, W_Q, n_heads),
                                  "k": lambda source, W_K, n_heads: _own_slices(source, W_K, n_heads),
                                  "v": lambda source, W_V, n_heads: _own_slices(source, W_V, n_heads)}),
    Mistake("matrices_transposed", {"q": lambda vectors, W_Q: vectors @ W_Q.T, "k": lambda source, W_K: source @ W_K.T,
                                    "v": lambda source, W_V: source @ W_V.T}),
    Mistake("values_not_projected", {"v": lambda source: source}),
    Mistake("along_the_batch", {"attended": lambda heads, may_look: tuple(
        a.swapaxes(0, -2) for a in attention(*(b.swapaxes(0, -2) for b in heads), may_look))}),
    Mistake("softmax_over_queries", {"attended": lambda heads, may_look: _over_queries(*heads, may_look)}),
    Mistake("memory_unused", {"source": lambda vectors: vectors}),
    Mistake("query_from_memory", {"q": lambda source, W_Q: source @ W_Q}),
    Mistake("mask_unused", {"may_look": lambda: None}),
    Mistake("mask_inverted", {"may_look": lambda mask: None if mask is None else ~mask}),
    Mistake("mask_in_other_order", {"may_look": lambda mask, n_heads: _repeated_in_other_order(mask, n_heads)}),
    Mistake("weights_averaged", {"weights": lambda attended: attended[1].mean(axis=-3)}),
    Mistake("results_swapped", {"answer": lambda output, weights: (weights, output)}),
)  # fmt: skip


MANY = Task(
    "multi_head_attention", "04", multi_head_attention, Pipeline(multi_head_attention, MANY_STEPS), _many_heads_cases,
    MANY_MISTAKES, variants.MANY, results=("output", "weights"),
    properties=(
        Property("rows_sum_to_one", lambda cases, values: all(
            np.allclose(weights.sum(axis=-1), weights.any(axis=-1)) for _, weights in values)),
    ),
    difficulty=4, minutes=20,
)  # fmt: skip

# ── a head against a pattern ────────────────────────────────────────────────────────────────────────────────


def _offset_cases() -> list[Case]:
    rows = np.array([[1.0, 0.0, 0.0], [0.75, 0.25, 0.0], [0.25, 0.5, 0.25]])
    return [
        Case((rows, -1)), Case((rows, 0)), Case((rows, 1)), Case((np.eye(3), -1)), Case((rows, -2)),
        Case((_shares(1, 5, 5), -1)), Case((_shares(2, 5, 5), 2)), Case((_shares(3, 4, 5, 5), -1), "heads"),
        Case((rows, 3), "nowhere"), Case((_shares(8, 2, 3, 3), -3), "nowhere"), Case((_shares(4, 4, 5, 5), 1), "heads"),
        Case((_shares(5, 2, 3, 6, 6), -2), "heads"), Case((_shares(6, 5, 5, 5), 1), "heads"),
        Case((_shares(9, 1, 5, 5), -1), "heads"),
    ]  # fmt: skip


def _shares(seed: int, *shape: int) -> np.ndarray:
    e = np.exp(_random(seed, *shape))
    return e / e.sum(axis=-1, keepdims=True)


OFFSET = Task(
    "offset_score", "04", offset_score,
    Pipeline(offset_score, {
        "w": lambda weights: np.asarray(weights, dtype=np.float64),
        "distance": lambda offset: offset,
        "found": lambda w, distance: np.diagonal(w, distance, axis1=-2, axis2=-1),
        "total": lambda found: found.sum(axis=-1),
        "number": lambda found: found.shape[-1],
        "score": lambda total, number: total / number,
    }),
    _offset_cases,
    (
        Mistake("other_way_round", {"distance": lambda offset: -offset}),
        Mistake("all_queries_counted", {"number": lambda w: w.shape[-1]}),
        Mistake("not_averaged", {"number": lambda: 1}),
        Mistake("one_number_for_all", {"score": lambda total, number: np.mean(total / number)}),
        Mistake("largest", {"total": lambda found: found.max(axis=-1), "number": lambda: 1}),
        Mistake("first_axes", {"found": lambda w, distance: np.diagonal(w, distance)}),
        Mistake("wraps_around", {"found": lambda w, distance: np.stack(
            [w[..., t, (t + distance) % w.shape[-1]] for t in range(w.shape[-1])], axis=-1)}),
        Mistake("previous_only", {"distance": lambda: -1}),
    ),
    variants.OFFSET,
    properties=(Property("between_0_and_1", lambda cases, values: all(
        not (np.asarray(value) < 0).any() and not (np.asarray(value) > 1).any() for value in values)),),
    difficulty=2, minutes=6,
)  # fmt: skip
