"""Answers to the exercise gelu: wrong ones, then right ones by another road."""

import math

import numpy as np

from tests.exercises.unlisted_05.shared import _ERF, _bend, _phi, right, wrong

# ── gelu, wrong ─────────────────────────────────────────────────────────────────────────────────────────────


@wrong("gelu")
def leaky(x):
    """A hundredth of what is negative passes."""
    x = np.asarray(x, dtype=float)
    return np.where(x > 0, x, 0.01 * x)


@wrong("gelu")
def elu(x):
    """exp(x) − 1 below 0."""
    x = np.asarray(x, dtype=float)
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


@wrong("gelu")
def softplus(x):
    """log(1 + exp(x)): smooth, and not 0 at 0."""
    return np.logaddexp(0.0, np.asarray(x, dtype=float))


@wrong("gelu")
def tanh_without_its_cube(x):
    """The approximation, with the cubic term left out."""
    x = np.asarray(x, dtype=float)
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * x))


@wrong("gelu")
def tanh_with_a_square(x):
    """The approximation, with x² in place of x³."""
    x = np.asarray(x, dtype=float)
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**2)))


@wrong("gelu")
def tanh_with_the_root_inside_the_cube(x):
    """√(2/π) x + 0.044715 x³: the root goes with the first term only."""
    x = np.asarray(x, dtype=float)
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * x + 0.044715 * x**3))


@wrong("gelu")
def cut_at_zero(x):
    """What is negative becomes 0, what is positive is right."""
    x = np.asarray(x, dtype=float)
    return np.where(x > 0, _bend(x), 0.0)


@wrong("gelu")
def absolute_value_outside(x):
    """|x| Φ(x)."""
    return np.abs(x) * _phi(x)


@wrong("gelu")
def squared(x):
    """x² Φ(x)."""
    return np.square(np.asarray(x, dtype=float)) * _phi(x)


@wrong("gelu")
def rounded(x):
    """Three digits behind the point."""
    return np.round(_bend(x), 3)


@wrong("gelu")
def clipped(x):
    """Numbers beyond 6 are cut to 6."""
    return _bend(np.clip(x, -6, 6))


@wrong("gelu")
def first_number_only(x):
    """math.erf of one number, for all of them: right for arrays of one."""
    x = np.asarray(x, dtype=float)
    return x * (1 + math.erf(x.flat[0] / math.sqrt(2))) / 2


@wrong("gelu")
def math_erf_on_an_array(x):
    """math.erf of the array, which stops for more than one number."""
    return x * (1 + math.erf(x / math.sqrt(2))) / 2


@wrong("gelu")
def whole_numbers_stay_whole(x):
    """A result made with np.zeros_like: fractions are lost where x is whole."""
    bent = np.zeros_like(x)
    bent[...] = _bend(x)
    return bent


@wrong("gelu")
def flattened(x):
    """One long row, whatever the shape."""
    return _bend(np.ravel(x))


@wrong("gelu")
def a_list(x):
    """Python lists in place of an array."""
    return _bend(x).tolist()


@wrong("gelu")
def in_place(x):
    """Right, and written into the argument; whole numbers lose their fractions."""
    x[...] = _bend(x)
    return x


@wrong("gelu")
def erf_of_minus_x(x):
    """1 + erf(−x/√2): held back where it should pass."""
    return np.asarray(x) * (1 + _ERF(-np.asarray(x) / math.sqrt(2))) / 2


# ── gelu, right ─────────────────────────────────────────────────────────────────────────────────────────────


@right("gelu")
def by_the_half(x):
    """x/2 + x/2 · erf."""
    half = np.asarray(x, dtype=float) / 2
    return half + half * _ERF(half * math.sqrt(2))


@right("gelu")
def by_the_other_side(x):
    """x minus what lies above: x − x Φ(−x)."""
    return np.asarray(x, dtype=float) - np.asarray(x, dtype=float) * _phi(-np.asarray(x))


@right("gelu")
def by_the_absolute_value(x):
    """max(x, 0) − |x| (1 − Φ(|x|))."""
    size = np.abs(np.asarray(x, dtype=float))
    return np.maximum(x, 0) - size * np.vectorize(math.erfc, otypes=[float])(size / math.sqrt(2)) / 2


@right("gelu")
def by_a_comprehension(x):
    """Over the flat array, and back into shape."""
    x = np.asarray(x, dtype=float)
    return np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in x.flat]).reshape(x.shape)


@right("gelu")
def by_frompyfunc(x):
    """A ufunc made of Python's erf."""
    return x * (1 + np.frompyfunc(math.erf, 1, 1)(x / np.sqrt(2)).astype(float)) / 2
