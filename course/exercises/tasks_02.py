"""Exercises of chapter 02 on sinusoidal positions: frequencies, the table and two numbers of it, a step as a matrix.

Those on rotary positions are in tasks_02_rotary.py.

One mistake that people are known to make with a table of positions is not here, since its function does not show it:
to cut the table along the batch in place of the text.
"""

import numpy as np

from course.exercises import variants_02 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.vectors.positions import frequencies, shift, sinusoidal

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
    Mistake("width_in_pairs", {"width": lambda d_model: (d_model + 1) // 2}),  # for even widths: exponent_doubled
)

FREQUENCIES = Task(
    "frequencies", "02", frequencies, Pipeline(frequencies, EXPONENTS),
    lambda: [
        Case((2, 16.0)), Case((4, 16.0)), Case((4,), "default"), Case((1,), "one_feature"),
        Case((1, 100.0), "one_feature"), Case((4, 100)), Case((6, 64.0)), Case((6,), "default"), Case((3, 27.0), "odd"),
        Case((7,), "odd"), Case((5, 32), "odd"), Case((8, 1.0), "base_1"), Case((12, 500000.0)), Case((64,), "default"),
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
        Property("steady_ratio", lambda cases, values: known([
            np.allclose(value[1:-1] ** 2, value[:-2] * value[2:]) for value in values if len(value) > 2])),
    ),
    blank="base ** (-np.arange(0, d_model, 2) / d_model)", difficulty=2, minutes=5,
)  # fmt: skip


def known(found: list) -> bool | None:
    """All of them, or None where there are none to look at."""
    return all(found) if found else None


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────


def side_by_side(even, odd):
    """All sines and then all cosines, or what else comes in halves."""
    return np.concatenate([even, odd], axis=-1)


def _dealt_out(even, odd, d_model=None):
    """Even columns and odd columns, of a table as wide as they are or as is asked for: then too many of them raise."""
    table = np.zeros((len(even), even.shape[-1] + odd.shape[-1] if d_model is None else d_model))
    table[:, 0::2], table[:, 1::2] = even, odd
    return table


def _whole_pairs(even, odd, d_model):
    """The pairs that have both; of an odd width the last column stays empty."""
    table = np.zeros((len(even), d_model))
    table[:, : 2 * odd.shape[-1]] = _dealt_out(even[:, : odd.shape[-1]], odd)
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


def _angles_of_odd_columns(positions, base, d_model, times=1):
    return np.outer(positions, base ** (-times * np.arange(1, d_model + 1, 2) / d_model))


SINUSOIDAL = Task(
    "sinusoidal", "02", sinusoidal, Pipeline(sinusoidal, TABLE_STEPS),
    lambda: [
        Case((1, 4)), Case((2, 2)), Case((3, 4, 16.0), "base"), Case((3, 4)), Case((3, 1), "odd"), Case((2, 3), "odd"),
        Case((0, 4), "empty"), Case((4, 4, 100), "base"), Case((4, 4, 64), "base"), Case((4, 6)),
        Case((7, 5, 32.0), "odd"), Case((6, 6)), Case((5, 7), "odd"), Case((9, 12)), Case((300, 8, 500.0), "base"),
        Case((70, 64)),
    ],
    (
        *EXPONENT_MISTAKES, *ODD_WIDTH_MISTAKES,
        Mistake("own_exponent", {"own_angles": lambda positions, base, d_model:
                                 _angles_of_odd_columns(positions, base, d_model)}),
        Mistake("columns_for_pairs", {"twice_i": lambda d_model: 2 * np.arange(0, d_model, 2),
                                      "own_angles": lambda positions, base, d_model:
                                      _angles_of_odd_columns(positions, base, d_model, times=2)}),
        Mistake("halves", {"table": side_by_side}),
        Mistake("sine_and_cosine_swapped", {
            "even": lambda angles: np.cos(angles),
            "odd": lambda own_angles, d_model: np.sin(own_angles[:, : d_model // 2])}),
        Mistake("sines_only", {"odd": lambda own_angles, d_model: np.sin(own_angles[:, : d_model // 2])}),
        Mistake("angles_only", {"even": lambda angles: angles,
                                "odd": lambda own_angles, d_model: own_angles[:, : d_model // 2]}),
        Mistake("from_one", {"positions": lambda T: np.arange(1, T + 1)}),
        Mistake("in_reverse_order", {"positions": lambda T: np.arange(T)[::-1]}),
        Mistake("share_of_the_text", {"positions": lambda T: np.arange(T) / T}),
        Mistake("in_degrees", {"angles": lambda positions, speeds: np.radians(np.outer(positions, speeds))}),
        Mistake("in_turns", {"angles": lambda positions, speeds: 2 * np.pi * np.outer(positions, speeds)}),
        Mistake("cosines_too_many", {"odd": lambda own_angles: np.cos(own_angles)}),
        Mistake("no_room_for_a_cosine", {"table": lambda even, own_angles, d_model:
                                         _dealt_out(even, np.cos(own_angles), d_model)}),
        Mistake("in_whole_pairs", {"table": lambda even, own_angles, d_model:
                                   np.stack([even, np.cos(own_angles)], axis=-1).reshape(len(even), d_model)}),
        Mistake("last_column_empty", {"table": lambda even, odd, d_model: _whole_pairs(even, odd, d_model)}),
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
    """Of position 2 in the table for C = 4 and base 16: what stands in columns 1 and 2, all counted from 0."""
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
        Mistake("halves", {"row": lambda even, odd: side_by_side(even, odd)}),
        Mistake("sine_and_cosine_swapped", {"even": lambda angles: np.cos(angles),
                                            "odd": lambda own_angles: np.sin(own_angles)}),
        Mistake("cosines_only", {"even": lambda angles: np.cos(angles)}),
        Mistake("sines_only", {"odd": lambda own_angles: np.sin(own_angles)}),
        Mistake("all_alike", {"speeds": lambda: np.ones(2)}),
        Mistake("faster_and_faster", {"exponents": lambda twice_i, width: twice_i / width}),
        Mistake("exponent_doubled", {"twice_i": lambda: np.array([0, 4])}),
        Mistake("exponent_halved", {"twice_i": lambda: np.array([0, 1])}),
        Mistake("base_10000", {"base": lambda: 10000.0}),
        Mistake("own_exponent", {"own_angles": lambda position, base: position * base ** (-np.array([1, 3]) / 4)}),
        Mistake("columns_for_pairs", {"twice_i": lambda: np.array([0, 4]),
                                      "own_angles": lambda position, base: position * base ** (-np.array([2, 6]) / 4)}),
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
    return known([np.allclose(A @ B, C) for A, B, C in sums])


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
        Case((-1, 4, 16.0), "back"), Case((3, 6)), Case((-2, 6), "back"), Case((1, 6)),
        Case((0.5, 4, 16.0), "fraction"), Case((2.5, 4, 16.0), "fraction"), Case((-7, 8, 500.0), "back"),
        Case((40, 8, 500)), Case((5, 10)), Case((100, 14)),
    ],
    (
        Mistake("other_way", {"sin": lambda angles: -np.sin(angles)}),
        *EXPONENT_MISTAKES,
        Mistake("halves", {"first": lambda d_model: np.arange(d_model // 2),
                           "second": lambda first: first + len(first)}),
        Mistake("minus_forgotten", {"minus": lambda: 1.0}),
        Mistake("sine_and_cosine_swapped", {"cos": lambda angles: np.sin(angles),
                                            "sin": lambda angles: np.cos(angles)}),
        Mistake("in_degrees", {"angles": lambda distance, speeds: np.radians(distance * speeds)}),
        Mistake("one_step", {"distance": lambda: 1}),
        Mistake("without_sign", {"distance": lambda offset: abs(offset)}),
        Mistake("whole_steps", {"distance": lambda offset: int(offset)}),
        Mistake("first_pair_only", {"angles": lambda distance, speeds:
                                    distance * speeds * (np.arange(len(speeds)) == 0)}),
        Mistake("one_block", {"M": lambda cos, sin: np.array([[cos[0], -sin[0]], [sin[0], cos[0]]])}),
        Mistake("no_off_diagonal", {"minus": lambda: 0.0, "sin": lambda angles: 0 * angles}),
    ),
    variants.SHIFT,
    properties=(
        Property("stays_at_0", lambda cases, values: known([np.array_equal(value, np.eye(len(value)))
            for case, value in zip(cases, values) if case.arguments[0] == 0])),
        Property("orthogonal", lambda cases, values: all(np.allclose(M @ M.T, np.eye(len(M))) for M in values)),
        Property("adds_up", _adds_up),
    ),
    difficulty=3, minutes=10,
)  # fmt: skip
