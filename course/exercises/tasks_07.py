"""Exercises of chapter 07 on temperature, the whole distribution, a draw and perplexity, and two numbers by hand.

Those on top-k and top-p are in tasks_07_filters.py.
"""

import math

import numpy as np

from course.adjust.loss import cross_entropy, log_softmax, perplexity_of
from course.blocks.attention import softmax
from course.exercises import variants_07 as variants
from course.exercises.tasks_07_filters import ROWS_SUM_TO_ONE, falling_ids, known, nucleus, shares
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.predict.sampling import distribution, inverse_cdf, temper, top_k_filter

INF = math.inf


def _logits(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 2


# ── temperature ─────────────────────────────────────────────────────────────────────────────────────────────

UNSCALED = lambda below: below  # noqa: E731 (in two mistakes the same, so that one is seen to contain the other)
SQUARE = np.array([[1.0, 3.0, 2.0], [0.0, -1.0, 4.0], [5.0, 5.5, 2.5]])


def _one_hot(places, V: int) -> np.ndarray:
    return (np.arange(V) == places[..., None]).astype(np.float64)


def _first_of_all(scores) -> np.ndarray:
    first = np.zeros(scores.size)
    first[scores.argmax()] = 1.0
    return first.reshape(scores.shape)


def _temper_cases() -> list[Case]:
    x = np.array
    return [
        Case((x([0.0, 1.0]), 0.5)), Case((x([0.0, 1.0]), 2.0)), Case((x([1.0, 3.0, 2.0]), 1.0), "one"),
        Case((x([1.0, 3.0, 2.0]),), "one"), Case((x([2.0, -1.0, 0.5]), 4)), Case((x([1.0, 3.0, 2.0]), 0), "zero"),
        Case((x([1.0, 3.0, 3.0]), 0.0), "zero_tied"), Case((x([1.0, 3.0, 3.0]), 0.5)), Case((x([4]), 0.3)),
        Case((x([1, 4, 2]), 2.0), "integers"), Case((x([0.0, -INF, 1.0]), 0.7), "ruled_out"),
        Case((x([-INF, -2.0, -1.0]), 0), "zero"), Case((x([1000.0, 1001.0]), 0.5), "large"),
        Case((x([-1000.0, -1002.0]), 2.0), "large"), Case((x([30.0, 10.0, 29.0]), 0.01), "large"),
        Case((SQUARE, 0.5), "square"), Case((SQUARE, 3.0), "square"), Case((SQUARE, 0), "zero"),
        Case((x([[1.0, 2.0], [-2900.0, -2901.0]]), 1.5), "far_apart"),
        Case((x([[0.0, 2.0, 2.0], [1.0, 0.0, 1.0]]), 0), "zero_tied"), Case((_logits(1, 3, 4), 0.8)),
        Case((_logits(2, 1, 5), 1.7)), Case((_logits(3, 4, 1), 0.6)), Case((_logits(4, 2, 3, 4), 0.4)),
        Case((_logits(5, 2, 3, 4), 0), "zero"),
    ]  # fmt: skip


def _order_kept(cases, values) -> bool:
    """A larger logit of the same row never has the smaller probability."""
    pairs = [(np.asarray(case.arguments[0]), value) for case, value in zip(cases, values)]
    return not any((_above(z) & _above(-value, 1e-9)).any() for z, value in pairs)


def _above(x, by: float = 0.0) -> np.ndarray:
    """(..., V, V): whether entry i of a row is larger than entry j."""
    return x[..., :, None] > x[..., None, :] + by


TEMPER = Task(
    "temper", "07", temper,
    Pipeline(temper, {
        "scores": lambda logits: np.asarray(logits, dtype=np.float64),
        "largest": lambda scores: scores.max(axis=-1, keepdims=True),
        "below": lambda scores, largest: scores - largest,
        "scaled": lambda below, temperature: below / temperature,
        "e": lambda scaled: np.exp(scaled),
        "total": lambda e: e.sum(axis=-1, keepdims=True),
        "tempered": lambda e, total: e / total,
        "first": lambda scores: _one_hot(scores.argmax(axis=-1), scores.shape[-1]),
        "probs": lambda tempered, first, temperature: first if temperature == 0 else tempered,
    }),
    _temper_cases,
    (
        Mistake("multiplied", {"scaled": lambda below, temperature: below * temperature}),
        Mistake("no_effect", {"scaled": UNSCALED}),
        Mistake("divided_afterwards", {"scaled": UNSCALED,
                                       "tempered": lambda e, total, temperature: e / total / temperature}),
        Mistake("twice", {"scaled": lambda below, temperature: below / temperature / temperature}),
        Mistake("logits_only", {"tempered": lambda scores, temperature: scores / temperature}),
        Mistake("not_divided", {"tempered": lambda e: e}),
        Mistake("first_axis", {"largest": lambda scores: scores.max(axis=0, keepdims=True),
                               "total": lambda e: e.sum(axis=0, keepdims=True)}),
        Mistake("sum_of_all", {"total": lambda e: e.sum()}),
        Mistake("max_of_all", {"largest": lambda scores: scores.max()}),
        Mistake("logarithm", {"tempered": lambda e, total: np.log(e / total)}),
        Mistake("no_max", {"largest": lambda: 0.0}),
        Mistake("zero_divides", {"probs": lambda tempered: tempered}),
        Mistake("zero_is_one", {"first": lambda scores: softmax(scores)}),
        Mistake("zero_is_even", {"first": lambda scores: np.full(scores.shape, 1.0 / scores.shape[-1])}),
        Mistake("id_at_zero", {"first": lambda scores: scores.argmax(axis=-1)}),
        Mistake("one_for_all_rows", {"first": _first_of_all}),
        Mistake("equals_share", {"first": lambda scores, largest: shares((scores == largest) * 1.0)}),
        Mistake("last_of_equals", {"first": lambda scores: _one_hot(
            scores.shape[-1] - 1 - scores[..., ::-1].argmax(axis=-1), scores.shape[-1])}),
    ),
    variants.TEMPER,
    properties=(
        ROWS_SUM_TO_ONE,
        Property("order_kept", _order_kept),
        Property("ruled_out_is_0", lambda cases, values: known([not value[np.isneginf(case.arguments[0])].any()
            for case, value in zip(cases, values) if np.isneginf(case.arguments[0]).any()])),
    ),
    difficulty=2, minutes=7,
)  # fmt: skip

# ── all three together ──────────────────────────────────────────────────────────────────────────────────────


def _by_k(probs, k):
    return probs if k is None else top_k_filter(probs, k)


def _by_p(probs, p):
    """top-p, also of rows that do not sum to 1."""
    return probs if p is None else nucleus(probs, p)


def _again(probs, temperature):
    with np.errstate(divide="ignore"):
        return temper(np.log(probs), temperature)


def _either(probs, first, top_k, top_p):
    """What passes one of the two filters, where there are two."""
    if top_k is None or top_p is None:
        return _by_p(first, top_p)
    return shares(np.where((first > 0) | (nucleus(probs, top_p) > 0), probs, 0.0))


def _at_most_k(cases, values) -> bool | None:
    """No more than top_k of a row are above 0, where there is a top_k."""
    limits = [(*case.arguments, None, None)[2] for case in cases]
    with_k = [(k, value) for k, value in zip(limits, values) if k is not None]
    return known([((value > 0).sum(axis=-1) <= k).all() for k, value in with_k])


def _distribution_cases() -> list[Case]:
    four, tied = np.log([0.2, 0.4, 0.1, 0.3]), np.array([1.0, 3.0, 3.0, 2.0, 3.0])
    return [
        Case((four,), "bare"), Case((four, 0.5), "temperature"), Case((four, 1.0, 2), "top_k"),
        Case((four, 1.0, None, 0.6), "top_p"), Case((four, 1.0, 2, 0.56), "both"), Case((four, 1.0, 3, 0.75), "both"),
        Case((four, 0.5, None, 0.6), "top_p"), Case((four, 2.0, None, 0.45), "top_p"),
        Case((four, 2.0, 2, 0.5), "both"), Case((four, 0, 3, 0.9), "both"), Case((four, 1.0, 1), "top_k"),
        Case((tied, 1.0, 2), "top_k"), Case((four, 0.5, 3, 1), "both"),
        Case((_logits(1, 3, 6), 0.7, 4, 0.8), "both"), Case((_logits(2, 3, 6), 1.5, 3, 0.7), "both"),
        Case((_logits(3, 2, 3, 5), 1.2, None, 0.5), "top_p"), Case((_logits(4, 2, 3, 5), 3.0, 4, 0.6), "both"),
        Case((_logits(5, 4, 4), 0.5, 2), "top_k"), Case((_logits(6, 20, 8), 1.3, 5, 0.85), "both"),
    ]  # fmt: skip


DISTRIBUTION = Task(
    "distribution", "07", distribution,
    Pipeline(distribution, {
        "heat": lambda temperature: temperature,
        "probs": lambda logits, heat: temper(logits, heat),
        "first": lambda probs, top_k: _by_k(probs, top_k),
        "second": lambda first, top_p: _by_p(first, top_p),
        "result": lambda second: second,
    }),
    _distribution_cases,
    (
        Mistake("no_temperature", {"heat": lambda: 1.0}),
        Mistake("no_top_k", {"first": lambda probs: probs}),
        Mistake("no_top_p", {"second": lambda first: first}),
        Mistake("top_p_first", {"first": lambda probs, top_p: _by_p(probs, top_p),
                                "second": lambda first, top_k: _by_k(first, top_k)}),
        Mistake("temperature_last", {"heat": lambda: 1.0,
                                     "result": lambda second, temperature: _again(second, temperature)}),
        Mistake("temperature_twice", {"result": lambda second, temperature: _again(second, temperature)}),
        Mistake("multiplied", {"heat": lambda temperature: 1 / temperature if temperature else 0}),
        Mistake("not_renormalised", {"result": lambda probs, second: np.where(second > 0, probs, 0.0)}),
        Mistake("either_is_enough", {"second": _either}),
        Mistake("logits_are_returned", {"result": lambda logits, second: np.where(second > 0, logits, -np.inf)}),
    ),
    variants.DISTRIBUTION,
    properties=(
        ROWS_SUM_TO_ONE,
        Property("at_most_k", _at_most_k),
    ),
    difficulty=2, minutes=6,
)  # fmt: skip

# ── a draw ──────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_cases() -> list[Case]:
    x, probs = np.array, np.array([0.25, 0.5, 0.25])
    third = softmax(_logits(1, 5, 4))
    return [
        Case((x([[0.5, 0.5]]), x([0.2]))), Case((x([[0.5, 0.5]]), x([0.7]))),
        Case((x([[0.25, 0.75]]), x([0.25])), "on_an_end"), Case((x([[0.75, 0.25]]), x([0.0])), "on_an_end"), Case((x([probs]), x([0.1]))), Case((x([probs]), x([0.5]))),
        Case((x([probs]), x([0.9]))), Case((x([probs] * 4), x([0.0, 0.25, 0.75, 0.999])), "on_an_end"),
        Case((x([[1.0]]), x([0.3]))), Case((x([[0.0, 0.5, 0.0, 0.5, 0.0]] * 3), x([0.0, 0.5, 0.999])), "impossible"),
        Case((x([[0.125, 0.5, 0.375], [0.5, 0.125, 0.375], [0.25, 0.25, 0.5]]), x([0.6, 0.05, 0.3])), "square"),
        Case((third, x([0.9, 0.1, 0.45, 0.62, 0.3]))), Case((third, x([0.05, 0.55, 0.8, 0.2, 0.97]))),
        Case((softmax(_logits(2, 2, 3, 6)), np.random.default_rng(3).random((2, 3)))),
        Case((softmax(_logits(4, 40, 7)), np.random.default_rng(5).random(40))),
    ]  # fmt: skip


def _possible(cases, values) -> bool:
    """Every id drawn is in the vocabulary and has a probability above 0."""
    for case, ids in zip(cases, values):
        probs = case.arguments[0]
        if (ids < 0).any() or (ids >= probs.shape[-1]).any():
            return False
        if (np.take_along_axis(probs, ids[..., None], axis=-1) == 0).any():
            return False
    return True


INVERSE_CDF = Task(
    "inverse_cdf", "07", inverse_cdf,
    Pipeline(inverse_cdf, {
        "line": lambda probs: probs,
        "ends": lambda line: line.cumsum(axis=-1) / line.sum(axis=-1, keepdims=True),
        "at": lambda u: u,
        "passed": lambda ends, at: ends <= at[..., None],
        "place": lambda passed: passed.sum(axis=-1),
        "ids": lambda place: place,
    }),
    _draw_cases,
    (
        Mistake("likeliest", {"ids": lambda probs: probs.argmax(axis=-1)}),
        Mistake("end_belongs_to_it", {"passed": lambda ends, at: ends < at[..., None]}),
        Mistake("one_late", {"ids": lambda place: place + 1}),
        Mistake("one_early", {"ids": lambda place: place - 1}),
        Mistake("not_summed_up", {"ends": lambda line: line}),
        Mistake("nearest", {"ids": lambda probs, u: np.abs(probs - u[..., None]).argmin(axis=-1)}),
        Mistake("even", {"ids": lambda probs, u: (u * probs.shape[-1]).astype(np.int64)}),
        Mistake("from_the_far_end", {"at": lambda u: 1 - u}),
        Mistake("place_in_order", {"line": lambda probs: -np.sort(-probs, axis=-1)}),
        Mistake("likeliest_first", {"line": lambda probs: -np.sort(-probs, axis=-1), "ids": lambda probs, place:
                                    np.take_along_axis(falling_ids(probs), place[..., None], axis=-1)[..., 0]}),
        Mistake("mass_along_rows", {"ends": lambda line: line.cumsum(axis=0)}),
        Mistake("mass_over_all", {"ends": lambda line: line.cumsum().reshape(line.shape)}),
        Mistake("one_u_for_all", {"at": lambda u: np.full(u.shape, u.flat[0])}),
    ),
    variants.INVERSE_CDF,
    properties=(Property("possible", _possible),),
    difficulty=3, minutes=8, core=False,
)  # fmt: skip

# ── perplexity ──────────────────────────────────────────────────────────────────────────────────────────────


def _mean_by_rows(surprise, counted, each=lambda mean: mean) -> float:
    """Mean over the rows of a batch of what `each` makes of a row's mean."""
    row = np.flatnonzero(counted) // counted.shape[-1]  # of every target that counts
    return np.mean([each(surprise[row == one].mean()) for one in np.unique(row)])


def _shifted(logits, targets, counted) -> np.ndarray:
    """Surprise where the logits at t are held against the target at t + 1, once more."""
    later = counted[..., 1:]
    return _of_target(log_softmax(logits[..., :-1, :][later]), targets[..., 1:][later])


def _of_target(log_probs, ids) -> np.ndarray:
    return -log_probs[np.arange(len(ids)), ids]


def _perplexity_cases() -> list[Case]:
    x = np.array
    some, far = x([[3, 0, 2, 1, 1], [2, 2, -100, -100, -100]]), _logits(7, 40, 3)
    far[4] = [800.0, 0.0, 1.0]
    ragged = np.random.default_rng(9).integers(0, 6, size=(3, 7))
    ragged[0, 2:] = ragged[2, 5:] = -100
    return [
        Case((np.log(x([[0.5, 0.5], [0.25, 0.75]])), x([1, 0])), "probabilities"), Case((x([[1.0, 3.0]]), x([0]))),
        Case((x([[2.0, 0.0], [0.0, 1.0]]), x([0, 0]))), Case((np.zeros((3, 4)), x([0, 3, 1])), "even"),
        Case((_logits(1, 4, 3), x([2, 0, 1, 1]))), Case((_logits(2, 4, 3), x([2, -100, 1, -100])), "left_out"),
        Case((_logits(3, 2, 5, 4), some), "unequal_rows"), Case((_logits(4, 2, 3, 4), x([[1, 0, 3], [2, 2, 0]]))),
        Case((far, np.arange(40) % 3), "far_below"), Case((_logits(5, 3, 7, 6), ragged), "unequal_rows"),
        Case((np.zeros((2, 3, 5)), x([[1, 0, 4], [2, -100, -100]])), "even"),
        Case((_logits(6, 30, 9), np.arange(30) % 9)),
    ]  # fmt: skip


PERPLEXITY = Task(
    "perplexity", "07", perplexity_of,
    Pipeline(perplexity_of, {
        "scores": lambda logits: np.asarray(logits, dtype=np.float64),
        "counted": lambda targets: targets != -100,
        "ids": lambda targets: np.where(targets == -100, 0, targets),
        "log_probs": lambda scores, counted: log_softmax(scores[counted]),
        "surprise": lambda log_probs, ids, counted: _of_target(log_probs, ids[counted]),
        "mean": lambda surprise: surprise.mean(),
        "result": lambda mean: float(np.exp(mean)),
    }),
    _perplexity_cases,
    (
        Mistake("base_2", {"result": lambda mean: float(2.0**mean)}),
        Mistake("loss", {"result": lambda mean: float(mean)}),
        Mistake("no_minus", {"result": lambda mean: float(np.exp(-mean))}),
        Mistake("bits_with_e", {"result": lambda mean: float(np.exp(mean / np.log(2)))}),
        Mistake("total", {"mean": lambda surprise: surprise.sum()}),
        Mistake("mean_of_means", {"mean": lambda surprise, counted: _mean_by_rows(surprise, counted)}),
        Mistake("mean_of_perplexities", {"result": lambda surprise, counted:
                                         float(_mean_by_rows(surprise, counted, np.exp))}),
        Mistake("mean_of_inverses", {"result": lambda surprise: float(np.exp(surprise).mean())}),
        Mistake("inverse_of_mean", {"result": lambda surprise: float(1 / np.exp(-surprise).mean())}),
        Mistake("of_the_likeliest", {"surprise": lambda log_probs: -log_probs.max(axis=-1)}),
        Mistake("left_out_counts", {"counted": lambda targets: np.ones(targets.shape, dtype=bool)}),
        Mistake("divided_by_all", {"mean": lambda surprise, targets: surprise.sum() / targets.size}),
        Mistake("no_softmax", {"log_probs": lambda scores, counted: scores[counted]}),
        Mistake("softmax_twice", {"log_probs": lambda scores, counted: log_softmax(softmax(scores[counted]))}),
        Mistake("shifted_again", {"surprise": lambda scores, targets, counted: _shifted(scores, targets, counted)}),
        Mistake("logarithm_of_softmax", {"log_probs": lambda scores, counted: np.log(softmax(scores[counted]))}),
        Mistake("logarithm_with_a_crumb", {"log_probs": lambda scores, counted:
                                           np.log(softmax(scores[counted]) + 1e-10)}),
    ),
    variants.PERPLEXITY,
    properties=(
        Property("at_least_1", lambda cases, values: all(value >= 1 - 1e-9 for value in values)),
        Property("even_is_V", lambda cases, values: known([abs(value - case.arguments[0].shape[-1]) < 1e-6
            for case, value in zip(cases, values) if case.note == "even"])),
    ),
    off_limits=(cross_entropy,), difficulty=3, minutes=9,
)  # fmt: skip

# ── traced by hand ──────────────────────────────────────────────────────────────────────────────────────────


def output_trace() -> tuple[float, float]:
    """Logits 2, 4, −2: the second token's probability at temperature 2, and what top-p with p = 0.8 makes of it."""
    logits = np.array([2.0, 4.0, -2.0])
    return temper(logits, 2.0)[1], distribution(logits, 2.0, top_p=0.8)[1]


TRACE = Task(
    "output_trace", "07", output_trace,
    Pipeline(output_trace, {
        "logits": lambda: np.array([2.0, 4.0, -2.0]), "temperature": lambda: 2.0, "p": lambda: 0.8,
        "scaled": lambda logits, temperature: logits / temperature,
        "e": lambda scaled: np.exp(scaled),
        "probs": lambda e: e / e.sum(),
        "needed": lambda probs, p: 1 + (-np.sort(-probs)).cumsum().searchsorted(p),
        "kept": lambda probs, needed: np.where(np.argsort(falling_ids(probs)) < needed, probs, 0.0),
        "after_top_p": lambda kept: kept / kept.sum(),
        "token": lambda: 1,
        "numbers": lambda probs, after_top_p, token: (probs[token], after_top_p[token]),
    }),
    lambda: [Case(())],
    (
        Mistake("multiplied", {"scaled": lambda logits, temperature: logits * temperature}),
        Mistake("no_temperature", {"scaled": lambda logits: logits}),
        Mistake("twice", {"scaled": lambda logits, temperature: logits / temperature**2}),
        Mistake("base_2", {"e": lambda scaled: 2.0**scaled}),
        Mistake("not_divided", {"probs": lambda e: e}),
        Mistake("no_exp", {"e": lambda scaled: scaled}),
        Mistake("crossing_lost", {"needed": lambda: 1}),
        Mistake("not_renormalised", {"after_top_p": lambda kept: kept}),
        Mistake("first_token", {"token": lambda: 0}),
        Mistake("order_swapped", {"numbers": lambda probs, after_top_p, token: (after_top_p[token], probs[token])}),
    ),
    variants.TRACE, results=("after_temperature", "after_top_p"), rtol=0.0, atol=6e-3,
    difficulty=1, minutes=5, traced=True,
    shown=("scaled", "e", "probs", "kept", "after_top_p"),
)  # fmt: skip
