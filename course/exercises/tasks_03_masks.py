"""Exercises of chapter 03 on masks: who may look at whom."""

import numpy as np

from course.blocks.attention import causal_mask, padding_mask, window_mask
from course.exercises import variants_03 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task


def _each(at):
    """A property of masks: `at(mask)` holds for each of them."""
    return lambda cases, values: all(at(mask) for mask in values)


SQUARE_PROPERTIES = (
    Property("sees_itself", _each(lambda mask: mask.diagonal().all())),
    Property("future_is_hidden", _each(lambda mask: not np.triu(mask, 1).any())),
)
AS_NUMBERS = Mistake("numbers", {"answer": lambda may_look: may_look.astype(int)})
INVERTED = Mistake("inverted", {"answer": lambda may_look: ~may_look})

# ── causal ──────────────────────────────────────────────────────────────────────────────────────────────────

CAUSAL = Task(
    "causal_mask", "03", causal_mask,
    Pipeline(causal_mask, {
        "row": lambda T: np.arange(T)[:, None],
        "column": lambda T: np.arange(T),
        "may_look": lambda row, column: column <= row,
        "answer": lambda may_look: may_look,
    }),
    lambda: [Case((T,)) for T in (1, 2, 3, 4, 5, 8)],
    (
        Mistake("upper", {"may_look": lambda row, column: column >= row}),
        Mistake("not_itself", {"may_look": lambda row, column: column < row}),
        Mistake("one_ahead", {"may_look": lambda row, column: column <= row + 1}),
        INVERTED,
        Mistake("nothing_hidden", {"may_look": lambda row, column: column >= 0 * row}),
        Mistake("itself_only", {"may_look": lambda row, column: column == row}),
        AS_NUMBERS,
        Mistake("to_be_added", {"answer": lambda may_look: np.where(may_look, 0.0, -np.inf)}),
    ),
    variants.CAUSAL, properties=SQUARE_PROPERTIES, difficulty=1, minutes=3,
)  # fmt: skip

# ── padding ─────────────────────────────────────────────────────────────────────────────────────────────────


def _padding_cases() -> list[Case]:
    return [
        Case((np.array([1]), 2)), Case((np.array([2, 1]), 2), "square"), Case((np.array([0]), 3), "nothing_real"),
        Case((np.array([1, 3]), 3)), Case((np.array([3, 1, 2]), 3), "square"), Case((np.array([2, 5, 0, 4]), 5)),
        Case((np.array([4, 1, 3, 2]), 4), "square"), Case((np.array([6]), 6)),
    ]  # fmt: skip


PADDING = Task(
    "padding_mask", "03", padding_mask,
    Pipeline(padding_mask, {
        "position": lambda T: np.arange(T),
        "length": lambda lengths: np.asarray(lengths)[:, None],
        "may_look": lambda position, length: position < length,
        "answer": lambda may_look: may_look,
    }),
    _padding_cases,
    (
        Mistake("no_new_axis", {"length": lambda lengths: np.asarray(lengths)}),
        Mistake("one_too_many", {"may_look": lambda position, length: position <= length}),
        Mistake("counted_from_one", {"position": lambda T: np.arange(1, T + 1)}),
        Mistake("behind_the_text", {"may_look": lambda position, length: position > length}),
        INVERTED,
        Mistake("transposed", {"position": lambda T: np.arange(T)[:, None], "length": lambda lengths: np.asarray(lengths)}),
        Mistake("padding_on_the_left", {"position": lambda T: np.arange(T)[::-1]}),
        AS_NUMBERS,
    ),
    variants.PADDING,
    properties=(
        Property("right_count", lambda cases, values: all(
            (mask.sum(axis=1) == case.arguments[0]).all() for case, mask in zip(cases, values))),
    ),
    blank="np.arange(T) < lengths[:, None]", difficulty=1, minutes=3,
)  # fmt: skip

# ── window ──────────────────────────────────────────────────────────────────────────────────────────────────

WINDOW = Task(
    "window_mask", "03", window_mask,
    Pipeline(window_mask, {
        "t": lambda T: np.arange(T),
        "distance": lambda t: t[:, None] - t,
        "not_ahead": lambda distance: distance >= 0,
        "near": lambda distance, width: distance < width,
        "may_look": lambda not_ahead, near: not_ahead & near,
        "answer": lambda may_look: may_look,
    }),
    lambda: [Case((T, width)) for T, width in
             [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3), (4, 2), (4, 6), (5, 3), (6, 4), (7, 2)]],
    (
        Mistake("one_too_wide", {"near": lambda distance, width: distance <= width}),
        Mistake("one_too_narrow", {"near": lambda distance, width: distance < width - 1}),
        Mistake("both_sides", {"not_ahead": lambda: True, "near": lambda distance, width: abs(distance) < width}),
        Mistake("looks_ahead", {"distance": lambda t: t - t[:, None]}),
        Mistake("no_limit", {"near": lambda: True}),
        Mistake("future_open", {"not_ahead": lambda: True}),
        Mistake("too_far_only", {"near": lambda distance, width: distance >= width}),
        Mistake("not_itself", {"not_ahead": lambda distance: distance > 0}),
        INVERTED,
        AS_NUMBERS,
    ),
    variants.WINDOW, properties=SQUARE_PROPERTIES, difficulty=3, minutes=8,
)  # fmt: skip
