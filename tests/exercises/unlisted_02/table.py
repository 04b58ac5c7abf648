"""Answers to the exercises frequencies and sinusoidal: wrong ones, then right ones by another road."""

import math

import numpy as np
import torch

from tests.exercises.unlisted_02.shared import _sinusoidal, _speeds, _table, right, wrong

# ── frequencies, wrong ──────────────────────────────────────────────────────────────────────────────────────


@wrong("frequencies")
def whole_division(d_model, base=10000.0):
    """// in the exponent: right where nothing is lost by it."""
    return base ** (-(np.arange(0, d_model, 2) // d_model).astype(float))


@wrong("frequencies")
def divided_by_width_minus_two(d_model, base=10000.0):
    """C − 2 in place of C, as some code has it: the last is 1/base."""
    return base ** (-np.arange(0, d_model, 2) / max(d_model - 2, 1))


@wrong("frequencies")
def base_to_the_power_times(d_model, base=10000.0):
    """base · x in place of base ** x."""
    return base * (-np.arange(0, d_model, 2) / d_model)


@wrong("frequencies")
def one_over_base_times_exponent(d_model, base=10000.0):
    """1/(1 + base · 2i/C)."""
    return 1 / (1 + base * np.arange(0, d_model, 2) / d_model)


@wrong("frequencies")
def minus_outside(d_model, base=10000.0):
    """The minus binds less than the power: all numbers are negative."""
    return -(base ** (np.arange(0, d_model, 2) / d_model))


@wrong("frequencies")
def repeated_for_both_of_a_pair(d_model, base=10000.0):
    """Each frequency twice, (C,)."""
    return np.repeat(_speeds(d_model, base), 2)[:d_model]


@wrong("frequencies")
def last_pair_missing(d_model, base=10000.0):
    """range(C // 2 − 1)."""
    return _speeds(d_model, base)[:-1]


@wrong("frequencies")
def floor_of_half_the_width(d_model, base=10000.0):
    """C // 2 pairs: right for even widths."""
    return _speeds(d_model, base)[: d_model // 2]


@wrong("frequencies")
def even_widths_only(d_model, base=10000.0):
    """An odd width is made even first: its last pair has two features, and C is one more."""
    return _speeds(d_model + d_model % 2, base)


@wrong("frequencies")
def a_list_of_frequencies(d_model, base=10000.0):
    """A list."""
    return _speeds(d_model, base).tolist()


@wrong("frequencies")
def seven_digits_of_frequencies(d_model, base=10000.0):
    """float32, as in most models."""
    return _speeds(d_model, base).astype(np.float32)


@wrong("frequencies")
def as_a_column(d_model, base=10000.0):
    """(⌈C/2⌉, 1)."""
    return _speeds(d_model, base)[:, None]


@wrong("frequencies")
def rounded_frequencies(d_model, base=10000.0):
    """To four places."""
    return _speeds(d_model, base).round(4)


@wrong("frequencies")
def logarithm_of_base_10(d_model, base=10000.0):
    """exp with log10."""
    return np.exp(-np.arange(0, d_model, 2) / d_model * math.log10(base))


@wrong("frequencies")
def frequencies_in_hertz(d_model, base=10000.0):
    """Turns in place of radians: ω/2π."""
    return _speeds(d_model, base) / (2 * np.pi)


@wrong("frequencies")
def frequencies_printed(d_model, base=10000.0):
    """Printed, not returned."""
    print(_speeds(d_model, base))


@wrong("frequencies")
def kept_by_width(d_model, base=10000.0, known={}):
    """Kept from the first call with this width: another base is not heard."""
    return known.setdefault(d_model, _speeds(d_model, base)).copy()


# ── frequencies, right ──────────────────────────────────────────────────────────────────────────────────────


@right("frequencies")
def one_over_a_power(d_model, base=10000.0):
    """1/base^(2i/C)."""
    return 1.0 / np.power(base, 2 * np.arange((d_model + 1) // 2) / d_model)


@right("frequencies")
def by_logspace(d_model, base=10000.0):
    """np.logspace with that base."""
    n = (d_model + 1) // 2
    return np.logspace(0, -2 * (n - 1) / d_model, n, base=base)


@right("frequencies")
def half_of_all_features(d_model, base=10000.0):
    """A number for each feature, of which every other is kept."""
    return (base ** (-np.arange(d_model) / d_model))[::2]


@right("frequencies")
def torch_in_double(d_model, base=10000.0):
    """torch.arange in float64."""
    return (float(base) ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)).numpy()


# ── sinusoidal, wrong ───────────────────────────────────────────────────────────────────────────────────────


@wrong("sinusoidal")
def sine_of_frequencies_times_position_after(T, d_model, base=10000.0):
    """p · sin(ω) in place of sin(p · ω)."""
    return np.arange(T)[:, None] * _table(np.tile(_speeds(d_model, base), (T, 1)), d_model)


@wrong("sinusoidal")
def parity_of_the_position(T, d_model, base=10000.0):
    """Even positions get sines, odd ones cosines."""
    angles = np.repeat(np.arange(T)[:, None] * _speeds(d_model, base), 2, axis=1)[:, :d_model]
    return np.where(np.arange(T)[:, None] % 2 == 0, np.sin(angles), np.cos(angles))


@wrong("sinusoidal")
def cosine_one_pair_late(T, d_model, base=10000.0):
    """The cosines of the next pair stand beside the sines of this one."""
    angles = np.arange(T)[:, None] * _speeds(d_model, base)
    table = _table(angles, d_model)
    table[:, 1::2] = np.roll(np.cos(angles), -1, axis=1)[:, : d_model // 2]
    return table


@wrong("sinusoidal")
def position_in_the_exponent(T, d_model, base=10000.0):
    """base^(−p/C) and i as factor: the two are swapped."""
    i = np.arange((d_model + 1) // 2)
    return _table(i * base ** (-2 * np.arange(T)[:, None] / d_model), d_model)


@wrong("sinusoidal")
def cosine_negative(T, d_model, base=10000.0):
    """−cos."""
    table = _sinusoidal(T, d_model, base)
    table[:, 1::2] *= -1
    return table


@wrong("sinusoidal")
def clockwise(T, d_model, base=10000.0):
    """−p: cosines are right."""
    return _table(-np.arange(T)[:, None] * _speeds(d_model, base), d_model)


@wrong("sinusoidal")
def of_length_one_each(T, d_model, base=10000.0):
    """Rows divided by their length."""
    table = _sinusoidal(T, d_model, base)
    return table / np.maximum(np.linalg.norm(table, axis=-1, keepdims=True), 1e-12)


@wrong("sinusoidal")
def times_root_of_width(T, d_model, base=10000.0):
    """· √C, which belongs to the words."""
    return _sinusoidal(T, d_model, base) * np.sqrt(d_model)


@wrong("sinusoidal")
def first_row_left_at_zero(T, d_model, base=10000.0):
    """Position 0 is kept for padding: all zeros, as some code has it."""
    table = _sinusoidal(T, d_model, base)
    table[:1] = 0
    return table


@wrong("sinusoidal")
def last_row_missing(T, d_model, base=10000.0):
    """range(T − 1), and the last row stays 0."""
    table = _sinusoidal(T, d_model, base)
    table[-1:] = 0
    return table


@wrong("sinusoidal")
def batch_axis_in_front(T, d_model, base=10000.0):
    """(1, T, C), as a layer keeps it."""
    return _sinusoidal(T, d_model, base)[None]


@wrong("sinusoidal")
def last_column_of_odd_widths_zero(T, d_model, base=10000.0):
    """Only C // 2 pairs are filled: right for even widths."""
    table = np.zeros((T, d_model))
    table[:, : d_model // 2 * 2] = _sinusoidal(T, d_model, base)[:, : d_model // 2 * 2]
    return table


@wrong("sinusoidal")
def one_column_more_for_odd_widths(T, d_model, base=10000.0):
    """The table is made for the next even width: right for even widths."""
    angles = np.arange(T)[:, None] * _speeds(d_model, base)
    return _table(angles, d_model + 1)


@wrong("sinusoidal")
def cosines_in_reverse(T, d_model, base=10000.0):
    """sin and cos of different pairs: the cosines run from slow to fast."""
    table = _sinusoidal(T, d_model, base)
    table[:, 1::2] = table[:, 1::2][:, ::-1]
    return table


@wrong("sinusoidal")
def stops_after_256(T, d_model, base=10000.0):
    """Positions from 256 on are all the same."""
    return _table(np.minimum(np.arange(T), 255)[:, None] * _speeds(d_model, base), d_model)


@wrong("sinusoidal")
def table_in_float32(T, d_model, base=10000.0):
    """float32."""
    return _sinusoidal(T, d_model, base).astype(np.float32)


@wrong("sinusoidal")
def table_as_a_tensor(T, d_model, base=10000.0):
    """A torch tensor."""
    return torch.from_numpy(_sinusoidal(T, d_model, base))


@wrong("sinusoidal")
def rows_as_a_list(T, d_model, base=10000.0):
    """A list of rows."""
    return list(_sinusoidal(T, d_model, base))


@wrong("sinusoidal")
def whole_numbers_in_the_table(T, d_model, base=10000.0):
    """A buffer of ints."""
    return _sinusoidal(T, d_model, base).astype(int)


@wrong("sinusoidal")
def needs_a_word(T, d_model, base=10000.0):
    """max over the angles: a text without words raises."""
    angles = np.arange(T)[:, None] * _speeds(d_model, base)
    return _table(angles, d_model) + 0 * angles.max()


@wrong("sinusoidal")
def kept_by_shape(T, d_model, base=10000.0, known={}):
    """The table of the first call with this shape: another base is not heard."""
    return known.setdefault((T, d_model), _sinusoidal(T, d_model, base)).copy()


# ── sinusoidal, right ───────────────────────────────────────────────────────────────────────────────────────


@right("sinusoidal")
def column_by_column(T, d_model, base=10000.0):
    """A loop over columns."""
    p = np.arange(T)
    columns = [(np.cos if j % 2 else np.sin)(p * base ** (-(j - j % 2) / d_model)) for j in range(d_model)]
    return np.array(columns).reshape(d_model, T).T.copy()


@right("sinusoidal")
def in_plain_python(T, d_model, base=10000.0):
    """Lists and math."""
    of = (math.sin, math.cos)
    rows = [[of[j % 2](p / base ** (j // 2 * 2 / d_model)) for j in range(d_model)] for p in range(T)]
    return np.array(rows, dtype=float).reshape(T, d_model)


@right("sinusoidal")
def where_even(T, d_model, base=10000.0):
    """All sines, all cosines, and np.where chooses."""
    j = np.arange(d_model)
    angles = np.arange(T)[:, None] / np.power(float(base), (j - j % 2) / d_model)
    return np.where(j % 2 == 0, np.sin(angles), np.cos(angles))


@right("sinusoidal")
def step_by_step(T, d_model, base=10000.0):
    """Each row is the one before, turned by one step."""
    speeds = _speeds(d_model, base)
    now, rows = np.full(len(speeds), 1.0 + 0j), []
    for _ in range(T):
        rows.append(np.stack([now.imag, now.real], axis=-1).ravel()[:d_model])
        now = now * np.exp(1j * speeds)
    return np.array(rows).reshape(T, d_model)


@right("sinusoidal")
def torch_inside_the_table(T, d_model, base=10000.0):
    """As tutorials have it, in float64."""
    position = torch.arange(T, dtype=torch.float64).unsqueeze(1)
    div = torch.exp(torch.arange(0, d_model, 2, dtype=torch.float64) * (-math.log(base) / d_model))
    table = torch.zeros(T, d_model, dtype=torch.float64)
    table[:, 0::2] = torch.sin(position * div)
    table[:, 1::2] = torch.cos(position * div[: d_model // 2])
    return table.numpy()
