"""Exercises of chapter 05 on norms: layer norm, and what is left of it in RMSNorm."""

import numpy as np
from torch.nn import functional as F

from course.blocks.norm import layer_norm, layer_norm_steps, rms_norm
from course.exercises import variants_05 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.exercises.tasks_05 import rows_alone, same_but_x, with_other_words

# ── layer norm ──────────────────────────────────────────────────────────────────────────────────────────────


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 2 + 1


def _layer_norm_cases() -> list[Case]:
    whole, plain = np.array([[1.0, 2.0, 3.0, 6.0]]), (1.0, 0.0)
    five = np.array([2.0, -0.5, 1.0, 3.0, 0.25]), np.array([1.0, 0.0, -2.0, 0.5, 4.0])
    x, batch = np.round(_random(1, 3, 5) * 8) / 8, _random(10, 2, 3, 5)
    square = _random(2, 3), _random(3, 3)
    return [
        Case((whole, *plain), "plain"), Case((np.array([[2.0, 4.0]]), np.array([1.0, 3.0]), np.array([0.0, 10.0]))),
        Case((np.array([[5.0, 5.0, 5.0]]), np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])), "constant"),
        Case((np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), np.array([0.0, 1.0]), 3.0), "eps"),
        Case((whole[0], _random(4, 4), _random(5, 4)), "one_vector"),
        Case((np.array([[7.0], [-3.0]]), np.array([2.0]), np.array([3.0])), "one_feature"),
        Case((np.array([[1, 2, 3, 6], [0, 0, 4, 8]]), _random(6, 4), _random(7, 4)), "integers"),
        Case((x, *five)), Case((with_other_words(x), *five)), Case((8 * x, *five)), Case((x + 64, *five), "shifted"),
        Case((x / 1024, *five), "small"), Case((x, *five, 0.1), "eps"), Case((_random(8, 3, 3), *square), "square"),
        Case((_random(9, 3, 3), *square), "square"), Case((batch, *five), "batch"), Case((with_other_words(batch), *five), "batch"),
        Case((_random(11, 3, 3, 3), *square), "batch"), Case((_random(12, 2, 2, 3, 5), *five, 1e-12), "batch"),
        Case((_random(13, 6, 4) - 1, *plain), "plain"), Case((_random(14, 2, 32), _random(15, 32), _random(16, 32))),
    ]  # fmt: skip


def _over(axis):
    """Mean and variance along another axis, of what has that axis."""
    return {
        "mean": lambda vectors: vectors.mean(axis=axis, keepdims=True),
        "variance": lambda centred: (centred**2).mean(axis=axis, keepdims=True),
    }


def _unbiased(centred):
    with np.errstate(all="ignore"):
        return (centred**2).sum(axis=-1, keepdims=True) / np.float64(centred.shape[-1] - 1)


LAYER_NORM_STEPS = {
    "vectors": lambda x: np.asarray(x, dtype=np.float64),
    "mean": lambda vectors: vectors.mean(axis=-1, keepdims=True),
    "centred": lambda vectors, mean: vectors - mean,
    "variance": lambda centred: (centred**2).mean(axis=-1, keepdims=True),
    "floor": lambda eps: eps,
    "size": lambda variance, floor: np.sqrt(variance + floor),
    "normalised": lambda centred, size: centred / size,
    "scaled": lambda normalised, gamma: normalised * gamma,
    "output": lambda scaled, beta: scaled + beta,
}
EPS_MISTAKES = (
    Mistake("eps_outside", {"size": lambda variance, floor: np.sqrt(variance) + floor}),
    Mistake("eps_added_last", {"normalised": lambda centred, size, variance, floor: centred / np.sqrt(variance) + floor}),
    Mistake("eps_fixed", {"floor": lambda: 1e-5}),
    Mistake("eps_squared", {"floor": lambda eps: eps**2}),
    Mistake("no_eps", {"floor": lambda: 0.0}),
)  # fmt: skip


def _rows(case: Case) -> np.ndarray:
    """The vectors of an input whose variance is far above its eps."""
    eps = case.arguments[3] if len(case.arguments) > 3 else 1e-5
    return np.asarray(case.arguments[0]).var(axis=-1) > max(0.1, 1e4 * eps)


def _unscaled(case: Case, value):
    """What was there before gain and shift."""
    return (value - case.arguments[2]) / case.arguments[1]


def _same_where(cases, values, related) -> bool | None:
    """Of all inputs with related x (all the rest alike), what comes out is nearly the same."""
    found = [np.allclose(v, w, rtol=1e-3, atol=1e-3) for x, y, v, w in same_but_x(cases, values) if related(x, y)]
    return all(found) if found else None


LAYER_NORM = Task(
    "layer_norm", "05", layer_norm, Pipeline(layer_norm, LAYER_NORM_STEPS), _layer_norm_cases,
    (
        Mistake("mean_only", {"normalised": lambda centred: centred}),
        Mistake("mean_not_subtracted", {"centred": lambda vectors: vectors}),
        Mistake("mean_in_variance_only", {"normalised": lambda vectors, size: vectors / size}),
        Mistake("whole_array", _over(None)),
        Mistake("over_words", _over(-2)),
        Mistake("first_axis", _over(0)),
        Mistake("divided_by_variance", {"size": lambda variance, floor: variance + floor}),
        Mistake("unbiased", {"variance": _unbiased}),
        Mistake("unit_length", {"variance": lambda centred: (centred**2).sum(axis=-1, keepdims=True)}),
        Mistake("mean_distance", {"size": lambda centred, floor: np.abs(centred).mean(axis=-1, keepdims=True) + floor}),
        Mistake("multiplied", {"normalised": lambda centred, size: centred * size}),
        Mistake("gamma_missing", {"scaled": lambda normalised: normalised}),
        Mistake("beta_missing", {"output": lambda scaled: scaled}),
        Mistake("shift_first", {"scaled": lambda normalised, beta: normalised + beta,
                                "output": lambda scaled, gamma: scaled * gamma}),
        Mistake("gamma_and_beta_swapped", {"scaled": lambda normalised, beta: normalised * beta,
                                           "output": lambda scaled, gamma: scaled + gamma}),
        Mistake("gamma_about_one", {"scaled": lambda normalised, gamma: normalised * (1 + np.asarray(gamma))}),
        Mistake("gamma_divides", {"scaled": lambda normalised, gamma: normalised / gamma}),
        Mistake("mean_without_keepdims", {"mean": lambda vectors: vectors.mean(axis=-1)}),
        Mistake("variance_without_keepdims", {"variance": lambda centred: (centred**2).mean(axis=-1)}),
        *EPS_MISTAKES,  # the finer points last: of several, the first is spoken of
    ),
    variants.LAYER_NORM,
    properties=(
        Property("rows_alone", rows_alone),
        Property("mean_0", lambda cases, values: all(
            np.allclose(_unscaled(case, value).mean(axis=-1), 0, atol=1e-6) for case, value in zip(cases, values))),
        Property("variance_1", lambda cases, values: all(
            np.allclose(_unscaled(case, value).var(axis=-1)[_rows(case)], 1, atol=1e-3) for case, value in zip(cases, values))),
        Property("size_is_lost", lambda cases, values: _same_where(cases, values, lambda x, y: np.array_equal(y, 8 * x))),
        Property("shift_is_lost", lambda cases, values: _same_where(cases, values, lambda x, y: np.array_equal(y, x + 64))),
    ),
    off_limits=(F.layer_norm, layer_norm_steps), difficulty=3, minutes=10,
)  # fmt: skip

# ── RMSNorm ─────────────────────────────────────────────────────────────────────────────────────────────────


def _rms_norm_cases() -> list[Case]:
    five = (np.array([2.0, -0.5, 1.0, 3.0, 0.25]),)
    x, batch = np.round(_random(21, 3, 5) * 8) / 8, _random(27, 2, 3, 5)
    square = (_random(22, 3),)
    return [
        Case((np.array([[1.0, 7.0]]), 1.0), "plain"), Case((np.array([[3.0, -4.0]]), np.array([1.0, 2.0]))),
        Case((np.array([[0.0, 0.0, 0.0]]), np.array([1.0, 2.0, 3.0])), "nothing"),
        Case((np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), 4.0), "eps"),
        Case((np.array([1.0, 2.0, 3.0, 6.0]), _random(23, 4)), "one_vector"),
        Case((np.array([[7.0], [-3.0]]), np.array([2.0])), "one_feature"),
        Case((np.array([[1, 2, 3, 6], [0, 0, 4, 8]]), _random(24, 4)), "integers"),
        Case((x, *five)), Case((with_other_words(x), *five)), Case((8 * x, *five)), Case((x / 1024, *five), "small"),
        Case((x, *five, 0.1), "eps"), Case((_random(25, 3, 3), *square), "square"), Case((_random(26, 3, 3), *square), "square"),
        Case((batch, *five), "batch"), Case((with_other_words(batch), *five), "batch"),
        Case((_random(28, 3, 3, 3), *square), "batch"),
        Case((_random(29, 2, 2, 3, 5), *five, 1e-12), "batch"), Case((_random(30, 2, 32), _random(31, 32))),
    ]  # fmt: skip


RMS_NORM = Task(
    "rms_norm", "05", rms_norm,
    Pipeline(rms_norm, {
        "vectors": lambda x: np.asarray(x, dtype=np.float64),
        "centred": lambda vectors: vectors,
        "square": lambda centred: (centred**2).mean(axis=-1, keepdims=True),
        "floor": lambda eps: eps,
        "size": lambda square, floor: np.sqrt(square + floor),
        "normalised": lambda centred, size: centred / size,
        "output": lambda normalised, gamma: normalised * gamma,
    }),
    _rms_norm_cases,
    (
        Mistake("mean_subtracted", {"centred": lambda vectors: vectors - vectors.mean(axis=-1, keepdims=True)}),
        Mistake("by_the_deviation", {"square": lambda centred: centred.var(axis=-1, keepdims=True)}),
        Mistake("unit_length", {"square": lambda centred: (centred**2).sum(axis=-1, keepdims=True)}),
        Mistake("mean_of_sizes", {"size": lambda centred, floor: np.abs(centred).mean(axis=-1, keepdims=True) + floor}),
        Mistake("square_of_mean", {"square": lambda centred: centred.mean(axis=-1, keepdims=True) ** 2}),
        Mistake("no_root", {"size": lambda square, floor: square + floor}),
        Mistake("multiplied", {"normalised": lambda centred, size: centred * size}),
        Mistake("whole_array", {"square": lambda centred: (centred**2).mean(keepdims=True)}),
        Mistake("over_words", {"square": lambda centred: (centred**2).mean(axis=-2, keepdims=True)}),
        Mistake("first_axis", {"square": lambda centred: (centred**2).mean(axis=0, keepdims=True)}),
        Mistake("without_keepdims", {"square": lambda centred: (centred**2).mean(axis=-1)}),
        Mistake("gamma_missing", {"output": lambda normalised: normalised}),
        Mistake("gamma_about_one", {"output": lambda normalised, gamma: normalised * (1 + np.asarray(gamma))}),
        Mistake("eps_outside", {"size": lambda square, floor: np.sqrt(square) + floor}),
        Mistake("eps_fixed", {"floor": lambda: 1e-6}),
        Mistake("eps_of_layer_norm", {"floor": lambda: 1e-5}),
        Mistake("no_eps", {"floor": lambda: 0.0}),
    ),
    variants.RMS_NORM,
    properties=(
        Property("rows_alone", rows_alone),
        Property("size_is_lost", lambda cases, values: _same_where(cases, values, lambda x, y: np.array_equal(y, 8 * x))),
        Property("direction_stays", lambda cases, values: all(
            np.allclose(_direction(value / case.arguments[1]), _direction(case.arguments[0]), atol=1e-6)
            for case, value in zip(cases, values))),
    ),
    off_limits=(F.rms_norm,), difficulty=2, minutes=5,
)  # fmt: skip


def _direction(vectors):
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length == 0, 1, length)
