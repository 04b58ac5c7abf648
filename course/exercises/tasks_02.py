"""Exercises of chapter 02: a table of positions by hand, its frequencies, the matrix of a step, rotary positions, layouts.

Two mistakes that people are known to make with positions are not here, since one function does not show them: the
table cut along the batch in place of the text, and values that are turned as well.  The chapter's text has both.
"""

import numpy as np

from course.exercises import variants_02 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.vectors.positions import RotaryPositions, deinterleave, frequencies, rotate, shift, sinusoidal


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 2


# ── frequencies ─────────────────────────────────────────────────────────────────────────────────────────────

EXPONENTS = {
    "twice_i": lambda d_model: np.arange(0, d_model, 2),
    "width": lambda d_model: d_model,
    "exponents": lambda twice_i, width: -twice_i / width,
    "speeds": lambda base, exponents: base**exponents,
}
EXPONENT_MISTAKES = (
    Mistake("all_alike", {"speeds": lambda twice_i: np.ones(len(twice_i))}),
    Mistake("always_10000", {"speeds": lambda exponents: 10000.0**exponents}),
    Mistake("always_1000", {"speeds": lambda exponents: 1000.0**exponents}),
    Mistake("faster_and_faster", {"exponents": lambda twice_i, width: twice_i / width}),
    Mistake("exponent_doubled", {"twice_i": lambda d_model: 2 * np.arange(0, d_model, 2)}),
    Mistake("exponent_halved", {"twice_i": lambda d_model: np.arange((d_model + 1) // 2)}),
    Mistake("pairs_from_one", {"twice_i": lambda d_model: np.arange(0, d_model, 2) + 2}),
    Mistake("to_the_end", {"exponents": lambda twice_i: -np.linspace(0.0, 1.0, len(twice_i))}),
    Mistake("in_reverse", {"speeds": lambda base, exponents: base ** exponents[::-1]}),
)  # fmt: skip
ODD_WIDTH_MISTAKES = (
    Mistake("width_in_pairs", {"width": lambda d_model: (d_model + 1) // 2}),  # of an even width that is exponent_doubled
)

FREQUENCIES = Task(
    "frequencies", "02", frequencies, Pipeline(frequencies, EXPONENTS),
    lambda: [
        Case((2, 16.0)), Case((4, 16.0)), Case((4,), "default"), Case((1,), "one_feature"), Case((1, 100.0), "one_feature"),
        Case((4, 100)), Case((6, 64.0)), Case((6,), "default"), Case((3, 27.0), "odd"), Case((7,), "odd"), Case((5, 32), "odd"),
        Case((8, 1.0), "base_1"), Case((12, 500000.0)), Case((64,), "default"),
    ],
    (
        *EXPONENT_MISTAKES, *ODD_WIDTH_MISTAKES,
        Mistake("one_for_each_feature", {"twice_i": lambda d_model: np.arange(d_model)}),
        Mistake("odd_one_left_out", {"twice_i": lambda d_model: np.arange(0, d_model - 1, 2)}),
        Mistake("evenly_spaced", {"speeds": lambda base, twice_i: np.linspace(1.0, 1 / base, len(twice_i))}),
        Mistake("wavelengths", {"speeds": lambda base, exponents: 2 * np.pi / base**exponents}),
        Mistake("powers_of_e", {"speeds": lambda exponents: np.exp(exponents)}),
    ),
    variants.FREQUENCIES,
    properties=(
        Property("first_is_one", lambda cases, values: all(value[0] == 1 for value in values)),
        Property("steady_ratio", lambda cases, values: _known([np.allclose(value[1:-1] ** 2, value[:-2] * value[2:])
                                                               for value in values if len(value) > 2])),
    ),
    blank="base ** (-np.arange(0, d_model, 2) / d_model)", rtol=1e-9, difficulty=2, minutes=5,
)  # fmt: skip


def _known(found: list) -> bool | None:
    """All of them, or None where there are none to look at."""
    return all(found) if found else None


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────


def _side_by_side(even, odd):
    return np.concatenate([even, odd], axis=-1)


def _dealt_out(even, odd):
    """Even columns and odd columns.  An axis too many raises, as it does in a learner's table."""
    table = np.empty((len(even), even.shape[-1] + odd.shape[-1]))
    table[:, 0::2], table[:, 1::2] = even, odd
    return table


TABLE_STEPS = {
    **EXPONENTS,
    "positions": lambda T: np.arange(T),
    "angles": lambda positions, speeds: np.outer(positions, speeds),
    "own_angles": lambda angles: angles,  # of the odd columns
    "even": lambda angles: np.sin(angles),
    "odd": lambda own_angles, d_model: np.cos(own_angles[:, : d_model // 2]),
    "table": lambda even, odd: _dealt_out(even, odd),
}


def _angles_of_odd_columns(positions, base, d_model):
    return np.outer(positions, base ** (-np.arange(1, d_model + 1, 2) / d_model))


SINUSOIDAL = Task(
    "sinusoidal", "02", sinusoidal, Pipeline(sinusoidal, TABLE_STEPS),
    lambda: [
        Case((1, 4)), Case((2, 2)), Case((3, 4, 16.0), "base"), Case((3, 4)), Case((3, 1), "odd"), Case((2, 3), "odd"),
        Case((0, 4), "empty"), Case((4, 4, 100), "base"), Case((4, 4, 64), "base"), Case((4, 6)), Case((7, 5, 32.0), "odd"),
        Case((6, 6)), Case((5, 7), "odd"), Case((9, 12)), Case((300, 8, 500.0), "base"), Case((70, 64)),
    ],
    (
        *EXPONENT_MISTAKES, *ODD_WIDTH_MISTAKES,
        Mistake("own_exponent", {"own_angles": _angles_of_odd_columns}),
        Mistake("halves", {"table": _side_by_side}),
        Mistake("sine_and_cosine_swapped", {"even": lambda angles: np.cos(angles),
                                            "odd": lambda own_angles, d_model: np.sin(own_angles[:, : d_model // 2])}),
        Mistake("sines_only", {"odd": lambda own_angles, d_model: np.sin(own_angles[:, : d_model // 2])}),
        Mistake("angles_only", {"even": lambda angles: angles, "odd": lambda own_angles, d_model: own_angles[:, : d_model // 2]}),
        Mistake("from_one", {"positions": lambda T: np.arange(1, T + 1)}),
        Mistake("in_reverse_order", {"positions": lambda T: np.arange(T)[::-1]}),
        Mistake("share_of_the_text", {"positions": lambda T: np.arange(T) / T}),
        Mistake("in_degrees", {"angles": lambda positions, speeds: np.radians(np.outer(positions, speeds))}),
        Mistake("in_turns", {"angles": lambda positions, speeds: 2 * np.pi * np.outer(positions, speeds)}),
        Mistake("cosines_too_many", {"odd": lambda own_angles: np.cos(own_angles)}),
        Mistake("transposed", {"table": lambda even, odd: _dealt_out(even, odd).T}),
        Mistake("one_row", {"table": lambda even, odd: _dealt_out(even, odd)[-1]}),
    ),
    variants.SINUSOIDAL,
    properties=(
        Property("position_0", lambda cases, values: all(
            not value[:1, 0::2].any() and (value[:1, 1::2] == 1).all() for value in values)),
        Property("of_length_one", lambda cases, values: all(
            np.allclose(value[:, 0 : value.shape[1] - 1 : 2] ** 2 + value[:, 1::2] ** 2, 1) for value in values)),
    ),
    difficulty=3, minutes=10,
)  # fmt: skip

# ── traced by hand ──────────────────────────────────────────────────────────────────────────────────────────


def positions_trace() -> tuple[float, float]:
    """Of position 2 in the table for C = 4 and base 16: what stands in column 1, and in column 2 (all counted from 0)."""
    table = sinusoidal(3, 4, base=16)
    return table[2, 1], table[2, 2]


TRACE = Task(
    "positions_trace", "02", positions_trace,
    Pipeline(positions_trace, {
        "T": lambda: 3, "d_model": lambda: 4, "base": lambda: 16.0,
        **EXPONENTS,
        "position": lambda: 2,
        "angles": lambda position, speeds: position * speeds,
        "own_angles": lambda angles: angles,
        "even": lambda angles: np.sin(angles),
        "odd": lambda own_angles: np.cos(own_angles),
        "row": lambda even, odd: np.stack([even, odd], axis=-1).ravel(),
        "columns": lambda: (1, 2),
        "numbers": lambda row, columns: (row[columns[0]], row[columns[1]]),
    }),
    lambda: [Case(())],
    (
        Mistake("in_degrees", {"even": lambda angles: np.sin(np.radians(angles)),
                               "odd": lambda own_angles: np.cos(np.radians(own_angles))}),
        Mistake("halves", {"row": lambda even, odd: _side_by_side(even, odd)}),
        Mistake("sine_and_cosine_swapped", {"even": lambda angles: np.cos(angles), "odd": lambda own_angles: np.sin(own_angles)}),
        Mistake("all_alike", {"speeds": lambda: np.ones(2)}),
        Mistake("faster_and_faster", {"exponents": lambda twice_i, width: twice_i / width}),
        Mistake("exponent_doubled", {"twice_i": lambda: np.array([0, 4])}),
        Mistake("exponent_halved", {"twice_i": lambda: np.array([0, 1])}),
        Mistake("base_10000", {"base": lambda: 10000.0}),
        Mistake("own_exponent", {"own_angles": lambda position, base: position * base ** (-np.array([1, 3]) / 4)}),
        Mistake("position_1", {"position": lambda: 1}),
        Mistake("position_3", {"position": lambda: 3}),
        Mistake("columns_from_one", {"columns": lambda: (0, 1)}),
    ),
    variants.TRACE, results=("column_1", "column_2"), rtol=0.0, atol=6e-3, difficulty=1, minutes=4, traced=True,
    shown=("speeds", "angles", "row"),
)  # fmt: skip

# ── a step, as a matrix ─────────────────────────────────────────────────────────────────────────────────────


def _blocks(cos, sin, minus, first, second):
    """Each pair turned by its angle; first, second: which features make a pair."""
    M = np.zeros((2 * len(cos),) * 2)
    M[first, first] = M[second, second] = cos
    M[second, first] = sin
    M[first, second] = minus * sin
    return M


def _adds_up(cases: list[Case], values: list) -> bool | None:
    """shift(a) @ shift(b) = shift(a + b), wherever all three were asked for at the same width and base."""
    made = {case.arguments: value for case, value in zip(cases, values)}
    sums = [(made[a], made[b], made[a[0] + b[0], *a[1:]]) for a in made for b in made
            if a[1:] == b[1:] and (a[0] + b[0], *a[1:]) in made]  # fmt: skip
    return _known([np.allclose(A @ B, C) for A, B, C in sums])


SHIFT = Task(
    "shift", "02", shift,
    Pipeline(shift, {
        **EXPONENTS,
        "distance": lambda offset: offset,
        "angles": lambda distance, speeds: distance * speeds,
        "minus": lambda: -1.0,
        "cos": lambda angles: np.cos(angles),
        "sin": lambda angles: np.sin(angles),
        "first": lambda d_model: np.arange(0, d_model, 2),
        "second": lambda first: first + 1,
        "M": lambda cos, sin, minus, first, second: _blocks(cos, sin, minus, first, second),
    }),
    lambda: [
        Case((1, 2)), Case((0, 4, 16.0), "stay"), Case((1, 4, 16.0)), Case((2, 4, 16.0)), Case((3, 4, 16.0)),
        Case((-1, 4, 16.0), "back"), Case((3, 6)), Case((-2, 6), "back"), Case((1, 6)), Case((0.5, 4, 16.0), "fraction"),
        Case((2.5, 4, 16.0), "fraction"), Case((-7, 8, 500.0), "back"), Case((40, 8, 500)), Case((5, 10)), Case((100, 14)),
    ],
    (
        Mistake("other_way", {"sin": lambda angles: -np.sin(angles)}),
        *EXPONENT_MISTAKES,
        Mistake("halves", {"first": lambda d_model: np.arange(d_model // 2), "second": lambda first: first + len(first)}),
        Mistake("minus_forgotten", {"minus": lambda: 1.0}),
        Mistake("sine_and_cosine_swapped", {"cos": lambda angles: np.sin(angles), "sin": lambda angles: np.cos(angles)}),
        Mistake("in_degrees", {"angles": lambda distance, speeds: np.radians(distance * speeds)}),
        Mistake("one_step", {"distance": lambda: 1}),
        Mistake("without_sign", {"distance": lambda offset: abs(offset)}),
        Mistake("whole_steps", {"distance": lambda offset: int(offset)}),
        Mistake("first_pair_only", {"angles": lambda distance, speeds: distance * speeds * (np.arange(len(speeds)) == 0)}),
        Mistake("one_block", {"M": lambda cos, sin: np.array([[cos[0], -sin[0]], [sin[0], cos[0]]])}),
        Mistake("no_off_diagonal", {"minus": lambda: 0.0, "sin": lambda angles: 0 * angles}),
    ),
    variants.SHIFT,
    properties=(
        Property("stays_at_0", lambda cases, values: _known([np.array_equal(value, np.eye(len(value)))
            for case, value in zip(cases, values) if case.arguments[0] == 0])),
        Property("orthogonal", lambda cases, values: all(np.allclose(M @ M.T, np.eye(len(M))) for M in values)),
        Property("adds_up", _adds_up),
    ),
    difficulty=3, minutes=10,
)  # fmt: skip

# ── rotary positions ────────────────────────────────────────────────────────────────────────────────────────


def _rotate_cases() -> list[Case]:
    alike = np.tile([[1.0, 2.0, -1.0, 0.5]], (5, 1))
    heads, examples = _random(6, 3, 3, 4), np.array([[[0, 1, 2, 3]], [[5, 6, 7, 8]]])  # examples: (B, 1, T)
    return [
        Case((np.array([[1.0, 0.0]]), np.array([1]))), Case((np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([0])), "position_0"),
        Case((np.array([[1.0, 0.0, 1.0, 0.0]]), np.array([1]), 16.0)), Case((np.array([[1, 2, 3, 4]]), np.array([2])), "integers"),
        Case((alike, np.arange(5)), "alike"), Case((alike, np.arange(7, 12), 16.0), "alike"),
        Case((_random(1, 3, 6), np.array([0, 1, 2]))), Case((_random(2, 3, 6), np.array([7, 8, 9])), "later"),
        Case((_random(3, 3, 6), np.array([5, 0, 2]), 100.0), "any_order"), Case((_random(4, 2, 8), np.array([-3, 4])), "back"),
        Case((_random(5, 2, 3, 4), np.array([0, 1, 2])), "heads"), Case((heads, np.array([4, 5, 6])), "heads"),
        Case((_random(7, 2, 3, 4, 6), np.array([3, 4, 5, 6]), 64.0), "heads"),
        Case((_random(8, 2, 3, 4, 6), examples), "examples"), Case((_random(9, 2, 4, 2), examples[:, 0] + 1), "examples"),
        Case((_random(10, 4, 10), np.array([1000, 20, 300, 4])), "later"),
        Case((_random(11, 2, 2, 2, 6), np.array([[[3, 4]], [[0, 1]]]), 10), "examples"),
    ]  # fmt: skip


def _turned(first, second, cos_first, sin_first, cos_second, sin_second):
    return first * cos_first - second * sin_first, first * sin_second + second * cos_second


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
                       "turned": lambda new_first, new_second: _side_by_side(new_first, new_second)}),
    Mistake("put_back_as_halves", {"turned": lambda new_first, new_second: _side_by_side(new_first, new_second)}),
    Mistake("taken_as_halves", {"first": lambda vectors: np.split(vectors, 2, axis=-1)[0],
                                "second": lambda vectors: np.split(vectors, 2, axis=-1)[1]}),
    Mistake("angles_for_halves", {"spread": lambda angles: _side_by_side(angles, angles)}),
    Mistake("positions_assumed", {"p": lambda vectors: np.arange(vectors.shape[-2])}),
    Mistake("from_one", {"p": lambda positions: np.asarray(positions) + 1}),
    Mistake("other_way", {"sin": lambda spread: -np.sin(spread)}),
    *EXPONENT_MISTAKES,
    Mistake("minus_forgotten", {"new_first": lambda first, second, cos, sin:
                                first * cos[..., 0::2] + second * sin[..., 0::2]}),
    Mistake("new_first_used", {"new_second": lambda new_first, second, cos, sin:
                               new_first * sin[..., 1::2] + second * cos[..., 1::2]}),
    Mistake("sine_and_cosine_swapped", {"cos": lambda spread: np.sin(spread), "sin": lambda spread: np.cos(spread)}),
    Mistake("added", {"turned": lambda vectors, sin, cos: vectors + _neighbours((sin[..., 0::2], cos[..., 0::2]), vectors)}),
    Mistake("second_not_turned", {"new_second": lambda second: second}),
    Mistake("first_pair_only", {"angles": lambda p, speeds: p[..., None] * speeds * (np.arange(len(speeds)) == 0)}),
    Mistake("in_degrees", {"angles": lambda p, speeds: np.radians(p[..., None] * speeds)}),
    Mistake("along_heads", {"angles": _along_heads}),
    Mistake("first_example_for_all", {"p": lambda positions, vectors: np.asarray(positions).reshape(-1, vectors.shape[-2])[0]}),
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
    return _known([np.allclose(each, each[0]) for each in products])


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
        Case((2,)), Case((4,)), Case((6,)), Case((6, 1)), Case((2, 3), "heads"), Case((4, 2), "heads"), Case((6, 2), "heads"),
        Case((8,)), Case((4, 3), "heads"), Case((6, 6), "heads"), Case((10, 4), "heads"), Case((64, 12), "heads"),
    ],
    (
        Mistake("unchanged", {"order": lambda width: np.arange(width)}),
        Mistake("the_way_back", {"order": lambda width: np.arange(width).reshape(2, -1).T.ravel()}),
        Mistake("odd_ones_first", {"order": lambda width: np.concatenate([np.arange(1, width, 2), np.arange(0, width, 2)])}),
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
        Property("each_once", lambda cases, values: all(np.array_equal(np.sort(value), np.arange(len(value))) for value in values)),
        Property("in_its_head", lambda cases, values: all(map(_stays_in_its_head, cases, values))),
    ),
    difficulty=3, minutes=8,
)  # fmt: skip
