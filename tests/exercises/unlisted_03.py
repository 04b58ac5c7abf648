"""What learners might hand in for chapter 03, thought up without a look at the exercises or their lists of mistakes.

WRONG and RIGHT map each task to functions.  A wrong one differs from course.blocks.attention on some input a learner
could try, and its name and first line say how; a right one agrees on all of them, by another road.
Some keep something between calls; those are wrong from the second call on, and stay so.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

TASKS = ("softmax", "attention_scores", "causal_mask", "padding_mask", "window_mask", "attention")
WRONG: dict[str, list[Callable]] = {task: [] for task in TASKS}
RIGHT: dict[str, list[Callable]] = {task: [] for task in TASKS}


def wrong(task: str) -> Callable:
    """Decorator: the function is a wrong answer to the task."""
    return lambda function: WRONG[task].append(function) or function


def right(task: str) -> Callable:
    """Decorator: the function is a right answer to the task."""
    return lambda function: RIGHT[task].append(function) or function


# What the answers below share, each right by itself, so that an answer is wrong in the one way its name says.


def _floats(*arrays) -> list[np.ndarray]:
    return [np.array(a, dtype=np.float64) for a in arrays]


def _exps(x, axis=-1) -> np.ndarray:
    """exp of the distance to the largest score, 0 for hidden ones, also where all are hidden."""
    x = np.array(x, dtype=np.float64)
    largest = x.max(axis=axis, keepdims=True)
    return np.exp(x - np.where(largest == -np.inf, 0.0, largest))


def _weights(x, axis=-1) -> np.ndarray:
    e = _exps(x, axis)
    total = e.sum(axis=axis, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total > 0)


def _products(q, k) -> np.ndarray:
    q, k = _floats(q, k)
    return q @ k.swapaxes(-1, -2)


def _scores(q, k) -> np.ndarray:
    return _products(q, k) / np.sqrt(np.shape(q)[-1])


def _hide(scores, mask, fill=-np.inf) -> np.ndarray:
    return scores if mask is None else np.where(mask, scores, fill)


def _given(lengths, T) -> np.ndarray:
    """The lines of padding_mask that the exercise gives."""
    lengths = np.asarray(lengths)
    if ((lengths < 0) | (lengths > T)).any():
        raise ValueError(f"lengths must lie between 0 and T={T}, got {lengths.tolist()}")
    return lengths


# ── softmax, wrong ──────────────────────────────────────────────────────────────────────────────────────────


@wrong("softmax")
def overflows(x, axis=-1):
    """exp without a shift: NaN for large scores, and for a row where all is hidden."""
    e = np.exp(np.asarray(x, dtype=np.float64))
    return e / e.sum(axis=axis, keepdims=True)


@wrong("softmax")
def overflow_swept_under_nan_to_num(x, axis=-1):
    """exp without a shift, and NaN turned into 0: large scores get no weight at all."""
    e = np.exp(np.asarray(x, dtype=np.float64))
    return np.nan_to_num(e / e.sum(axis=axis, keepdims=True))


@wrong("softmax")
def sums_over_everything(x, axis=-1):
    """One sum for the whole array: right for a single row only."""
    e = _exps(x, axis)
    return e / max(e.sum(), 1e-300)


@wrong("softmax")
def always_the_last_axis(x, axis=-1):
    """The argument `axis` is never used."""
    return _weights(x, -1)


@wrong("softmax")
def always_the_first_axis(x, axis=-1):
    """Columns sum to 1; right for one row of one axis."""
    return _weights(x, 0)


@wrong("softmax")
def no_keepdims(x, axis=-1):
    """The sums line up with the wrong axis where the array is square, and do not fit where it is not."""
    e = _exps(x, axis)
    return e / e.sum(axis=axis)


@wrong("softmax")
def transposes_for_want_of_keepdims(x, axis=-1):
    """Transposing makes the sums fit a matrix's rows; three axes are turned around."""
    e = _exps(x, axis)
    return (e.T / np.maximum(e.sum(axis=axis), 1e-300)).T


@wrong("softmax")
def never_swaps_back(x, axis=-1):
    """Moves the axis to the end and leaves it there."""
    return _weights(np.swapaxes(np.asarray(x), axis, -1), -1)


@wrong("softmax")
def reshapes_to_rows(x, axis=-1):
    """reshape collects the right number of entries but, for another axis than the last, the wrong ones."""
    x = np.asarray(x)
    return _weights(x.reshape(-1, x.shape[axis]), -1).reshape(x.shape)


@wrong("softmax")
def axis_made_positive(x, axis=-1):
    """−1 becomes 1, which is the last axis of a matrix and of nothing else."""
    return _weights(x, abs(axis))


@wrong("softmax")
def shifts_the_argument_itself(x, axis=-1):
    """Right weights, but the caller's scores have changed (and whole numbers can't be)."""
    x = np.asarray(x)
    largest = x.max(axis=axis, keepdims=True)
    x -= np.where(np.isneginf(largest), 0, largest).astype(x.dtype)
    return _weights(x, axis)


@wrong("softmax")
def writes_weights_into_the_argument(x, axis=-1):
    """The weights stand where the caller had scores."""
    x = np.asarray(x)
    x[...] = _weights(x, axis)
    return x


@wrong("softmax")
def one_shift_for_all_rows(x, axis=-1):
    """Subtracts the largest of the whole array: a row far below it becomes 0 / 0."""
    x = np.asarray(x, dtype=np.float64)
    e = np.exp(x - max(x.max(), -1e300))
    total = e.sum(axis=axis, keepdims=True)
    return np.where(np.isneginf(x).all(axis=axis, keepdims=True), 0.0, e / total)


@wrong("softmax")
def shift_along_the_other_axis(x, axis=-1):
    """Each column is shifted by its own largest, which changes the rows."""
    x = np.asarray(x, dtype=np.float64)
    return _weights(x - np.maximum(x.max(axis=0), -1e300), axis)


@wrong("softmax")
def shifts_by_the_smallest(x, axis=-1):
    """Subtracts the minimum: overflows where scores lie far apart, and a minimum of −inf gives NaN."""
    x = np.asarray(x, dtype=np.float64)
    e = np.exp(x - x.min(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@wrong("softmax")
def shifts_by_the_mean(x, axis=-1):
    """Subtracts the mean: overflows where scores lie far apart, and −inf makes the mean −inf."""
    x = np.asarray(x, dtype=np.float64)
    e = np.exp(x - x.mean(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@wrong("softmax")
def shifts_by_the_largest_size(x, axis=-1):
    """Subtracts the largest |x|: a row of −1000s is pushed down to 0 / 0."""
    x = np.asarray(x, dtype=np.float64)
    e = np.exp(x - np.abs(np.where(np.isneginf(x), 0.0, x)).max(axis=axis, keepdims=True))
    total = e.sum(axis=axis, keepdims=True)
    return np.where(np.isneginf(x).all(axis=axis, keepdims=True), 0.0, e / total)


@wrong("softmax")
def shift_above_the_line_only(x, axis=-1):
    """The numerator is shifted, the denominator is not."""
    x = np.asarray(x, dtype=np.float64)
    return np.exp(x - x.max(axis=axis, keepdims=True)) / np.exp(x).sum(axis=axis, keepdims=True)


@wrong("softmax")
def clipped_against_overflow(x, axis=-1):
    """Scores are clipped to ±500: 1000 and 900 become equals."""
    x = np.asarray(x, dtype=np.float64)
    return _weights(np.where(np.isneginf(x), x, np.clip(x, -500, 500)), axis)


@wrong("softmax")
def negative_scores_count_as_zero(x, axis=-1):
    """max(x, 0) before exp: wrong for negative numbers only."""
    x = np.asarray(x, dtype=np.float64)
    return _weights(np.where(np.isneginf(x), x, np.maximum(x, 0)), axis)


@wrong("softmax")
def exp_of_the_size(x, axis=-1):
    """exp |x|: a very negative score becomes the favourite."""
    x = np.abs(np.asarray(x, dtype=np.float64))
    return _weights(np.where(np.isinf(x), -np.inf, x), axis)


@wrong("softmax")
def smallest_wins(x, axis=-1):
    """exp(−x)."""
    x = -np.asarray(x, dtype=np.float64)
    return _weights(np.where(np.isinf(x), -np.inf, x), axis)


@wrong("softmax")
def powers_of_two(x, axis=-1):
    """2 ** x in place of e ** x."""
    return _weights(np.asarray(x) * np.log(2.0), axis)


@wrong("softmax")
def exp_by_compound_interest(x, axis=-1):
    """(1 + x/1000) ** 1000 is near e ** x, not e ** x."""
    x = np.asarray(x, dtype=np.float64)
    d = np.maximum(x - np.maximum(x.max(axis=axis, keepdims=True), -1e300), -1000)
    e = np.where(np.isneginf(x), 0.0, (1 + d / 1000) ** 1000)
    return e / np.maximum(e.sum(axis=axis, keepdims=True), 1e-300)


@wrong("softmax")
def exp_by_three_terms(x, axis=-1):
    """1 + x + x²/2 in place of exp: good near 0 only."""
    x = np.asarray(x, dtype=np.float64)
    e = 1 + x + x**2 / 2
    return e / e.sum(axis=axis, keepdims=True)


@wrong("softmax")
def share_of_the_sum(x, axis=-1):
    """x / Σ x, no exp: negative weights, and no sum to divide by where scores cancel."""
    x = np.asarray(x, dtype=np.float64)
    return x / x.sum(axis=axis, keepdims=True)


@wrong("softmax")
def share_of_the_squares(x, axis=-1):
    """x² / Σ x²: positive and sums to 1, yet no softmax."""
    x = np.asarray(x, dtype=np.float64)
    return x**2 / (x**2).sum(axis=axis, keepdims=True)


@wrong("softmax")
def from_least_to_most(x, axis=-1):
    """(x − min) / Σ (x − min): the least score gets exactly 0."""
    x = np.asarray(x, dtype=np.float64)
    d = x - x.min(axis=axis, keepdims=True)
    return d / np.maximum(d.sum(axis=axis, keepdims=True), 1e-300)


@wrong("softmax")
def shares_of_sigmoids(x, axis=-1):
    """sigmoid(x) / Σ sigmoid(x)."""
    s = 1 / (1 + np.exp(-np.asarray(x, dtype=np.float64)))
    return s / np.maximum(s.sum(axis=axis, keepdims=True), 1e-300)


@wrong("softmax")
def a_sigmoid_each(x, axis=-1):
    """Every score by itself through 1 / (1 + exp(−x)): nothing sums to 1."""
    return 1 / (1 + np.exp(-np.asarray(x, dtype=np.float64)))


@wrong("softmax")
def length_one_in_space(x, axis=-1):
    """exp divided by its Euclidean length: the squares sum to 1."""
    e = _exps(x, axis)
    return e / np.maximum(np.linalg.norm(e, axis=axis, keepdims=True), 1e-300)


@wrong("softmax")
def logs_of_the_weights(x, axis=-1):
    """log softmax."""
    return np.log(_weights(x, axis))


@wrong("softmax")
def all_to_the_largest(x, axis=-1):
    """1 at the largest score, 0 elsewhere."""
    x = np.asarray(x, dtype=np.float64)
    w = np.zeros(x.shape)
    np.put_along_axis(w, np.expand_dims(x.argmax(axis=axis), axis), 1.0, axis=axis)
    return w


@wrong("softmax")
def one_hot_when_scores_are_large(x, axis=-1):
    """Above 30 the exponential is skipped and the largest score takes all."""
    x = np.asarray(x, dtype=np.float64)
    return all_to_the_largest(x, axis) if x.max() > 30 else _weights(x, axis)


@wrong("softmax")
def sparsemax(x, axis=-1):
    """The nearest point of the simplex: small scores get exactly 0 (Martins & Astudillo 2016)."""
    z = np.moveaxis(np.asarray(x, dtype=np.float64), axis, -1)
    falling = -np.sort(-z, axis=-1)
    over = falling.cumsum(axis=-1) - 1
    n = (falling * np.arange(1, z.shape[-1] + 1) > over).sum(axis=-1, keepdims=True)
    cut = np.take_along_axis(over, np.maximum(n, 1) - 1, axis=-1) / np.maximum(n, 1)
    return np.moveaxis(np.maximum(z - cut, 0), -1, axis)


@wrong("softmax")
def epsilon_below(x, axis=-1):
    """1e-3 added to the sum, so that it is never 0: rows sum to less than 1."""
    e = _exps(x, axis)
    return e / (e.sum(axis=axis, keepdims=True) + 1e-3)


@wrong("softmax")
def leaves_a_way_out(x, axis=-1):
    """1 + Σ exp below: weights may sum to less than 1 (the 'softmax1' of a blog)."""
    e = _exps(x, axis)
    return e / (1 + e.sum(axis=axis, keepdims=True))


@wrong("softmax")
def sums_up_to_itself(x, axis=-1):
    """cumsum in place of sum: each score is compared with those before it only."""
    e = _exps(x, axis)
    return e / np.maximum(e.cumsum(axis=axis), 1e-300)


@wrong("softmax")
def ties_count_once(x, axis=-1):
    """The sum runs over a set: equal scores are added once, wrong for ties only."""

    def one_row(e):
        return e / max(sum(set(e.tolist())), 1e-300)

    return np.apply_along_axis(one_row, axis, _exps(x, axis))


@wrong("softmax")
def zero_means_hidden(x, axis=-1):
    """A score of exactly 0 gets no weight."""
    x = np.asarray(x, dtype=np.float64)
    return _weights(np.where(x == 0, -np.inf, x), axis)


@wrong("softmax")
def cooler_with_length(x, axis=-1):
    """Scores are divided by √n first, n scores in a row."""
    x = np.asarray(x, dtype=np.float64)
    return _weights(x / np.sqrt(x.shape[axis]), axis)


@wrong("softmax")
def softmax_of_softmax(x, axis=-1):
    """Applied twice: nearly uniform."""
    return _weights(_weights(x, axis), axis)


@wrong("softmax")
def from_small_to_large(x, axis=-1):
    """The right weights in sorted order."""
    return np.sort(_weights(x, axis), axis=axis)


@wrong("softmax")
def last_score_forgotten(x, axis=-1):
    """A loop to n − 1: the last score gets 0 and does not count."""
    z = np.moveaxis(np.array(x, dtype=np.float64), axis, -1)
    for i in np.ndindex(z.shape[:-1]):
        z[(*i, z.shape[-1] - 1)] = -np.inf
    return np.moveaxis(_weights(z), -1, axis)


@wrong("softmax")
def alone_it_stays_a_score(x, axis=-1):
    """A row of one score is returned as it is; its weight is 1."""
    x = np.asarray(x, dtype=np.float64)
    return x if x.shape[axis] == 1 else _weights(x, axis)


@wrong("softmax")
def hidden_row_is_nan(x, axis=-1):
    """A row of nothing but −inf: −inf − (−inf)."""
    x = np.asarray(x, dtype=np.float64)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@wrong("softmax")
def hidden_row_is_uniform(x, axis=-1):
    """−inf becomes the most negative number there is: a row of them shares its weight."""
    return _weights(np.nan_to_num(np.asarray(x, dtype=np.float64)), axis)


@wrong("softmax")
def whole_numbers_give_whole_numbers(x, axis=-1):
    """The result is made like x: for ints every weight below 1 is cut to 0."""
    x = np.asarray(x)
    w = np.zeros_like(x)
    w[...] = _weights(x, axis)
    return w


@wrong("softmax")
def single_precision(x, axis=-1):
    """float32."""
    return _weights(x, axis).astype(np.float32)


@wrong("softmax")
def rounded_to_half_precision(x, axis=-1):
    """float64 by name, with the digits of float16."""
    return _weights(x, axis).astype(np.float16).astype(np.float64)


@wrong("softmax")
def three_decimals(x, axis=-1):
    """Rounded as in the notebook's print."""
    return _weights(x, axis).round(3)


@wrong("softmax")
def crumbs_swept_away(x, axis=-1):
    """Weights below 0.001 are set to 0."""
    w = _weights(x, axis)
    return np.where(w < 0.001, 0.0, w)


@wrong("softmax")
def percent(x, axis=-1):
    """Sums to 100."""
    return 100 * _weights(x, axis)


@wrong("softmax")
def flattened(x, axis=-1):
    """The right numbers in one long row."""
    return _weights(x, axis).ravel()


@wrong("softmax")
def axes_of_length_one_lost(x, axis=-1):
    """squeeze: a column of scores becomes a row."""
    return _weights(x, axis).squeeze()


@wrong("softmax")
def lists_of_weights(x, axis=-1):
    """A list, which can't be divided or sliced like an array."""
    return _weights(x, axis).tolist()


@wrong("softmax")
def a_tensor(x, axis=-1):
    """A torch tensor."""
    return torch.from_numpy(_weights(x, axis))


@wrong("softmax")
def weights_not_returned(x, axis=-1):
    """No return."""
    _weights(x, axis)


@wrong("softmax")
def weights_printed(x, axis=-1):
    """Printed, not returned."""
    print(_weights(x, axis))


@wrong("softmax")
def a_little_noise(x, axis=-1):
    """Different at every call."""
    x = np.asarray(x, dtype=np.float64)
    return _weights(x + np.random.default_rng().normal(scale=0.01, size=x.shape), axis)


@wrong("softmax")
def remembers_by_shape(x, axis=-1, known={}):
    """Scores of a shape and axis seen before get the weights of the first."""
    return known.setdefault((np.shape(x), axis), _weights(x, axis)).copy()


@wrong("softmax")
def total_of_all_calls(x, axis=-1, totals=[]):
    """The list of totals is never emptied: right at the first call, smaller and smaller at every later one."""
    e = _exps(x, axis)
    totals.append(np.maximum(e.sum(axis=axis, keepdims=True), 1e-300))
    return e / (totals[-1] + sum(float(total.sum()) for total in totals[:-1]))


# ── softmax, right ──────────────────────────────────────────────────────────────────────────────────────────


@right("softmax")
def row_by_row_with_math(x, axis=-1):
    """Plain loops and math.exp."""
    z = np.moveaxis(np.array(x, dtype=np.float64), axis, -1)
    w = np.zeros(z.shape)
    for i in np.ndindex(z.shape[:-1]):
        row = z[i].tolist()
        largest = max(row)
        if largest == -math.inf:
            continue
        e = [math.exp(score - largest) for score in row]
        w[i] = [one / math.fsum(e) for one in e]
    return np.moveaxis(w, -1, axis)


@right("softmax")
def minus_the_log_of_the_sum(x, axis=-1):
    """exp(x − log Σ exp x)."""
    x = np.asarray(x, dtype=np.float64)
    log_total = np.logaddexp.reduce(x, axis=axis, keepdims=True)
    return np.exp(x - np.where(log_total == -np.inf, 0.0, log_total))


@right("softmax")
def by_differences(x, axis=-1):
    """weight_i = 1 / Σ_j exp(x_j − x_i)."""
    z = np.moveaxis(np.asarray(x, dtype=np.float64), axis, -1)
    with np.errstate(over="ignore", invalid="ignore"):
        rivals = np.exp(z[..., None, :] - z[..., :, None]).sum(axis=-1)
    return np.moveaxis(np.where(np.isneginf(z), 0.0, 1 / rivals), -1, axis)


@right("softmax")
def by_torch(x, axis=-1):
    """torch.softmax, with zeros for its NaN."""
    x = torch.tensor(np.asarray(x, dtype=np.float64))
    return torch.softmax(x, dim=axis).nan_to_num(0.0).numpy()


@right("softmax")
def as_a_gradient(x, axis=-1):
    """The gradient of log Σ exp x with respect to x."""
    x = torch.tensor(np.asarray(x, dtype=np.float64), requires_grad=True)
    (gradient,) = torch.autograd.grad(torch.logsumexp(x, dim=axis).sum(), x)
    return gradient.nan_to_num(0.0).numpy()


@right("softmax")
def in_powers_of_two(x, axis=-1):
    """2 ** (x · log₂ e), which is e ** x."""
    x = np.asarray(x, dtype=np.float64)
    d = x - np.maximum(np.max(x, axis=axis, keepdims=True), np.finfo(float).min)
    p = np.exp2(d * np.log2(np.e))
    return p / np.maximum(np.sum(p, axis=axis, keepdims=True), np.finfo(float).tiny)


@right("softmax")
def as_scores_arrive(x, axis=-1):
    """One pass: the total is rescaled whenever a larger score arrives."""
    z = np.moveaxis(np.asarray(x, dtype=np.float64), axis, 0)
    largest, total = np.full(z.shape[1:], np.finfo(float).min), np.zeros(z.shape[1:])
    for scores in z:
        new = np.maximum(largest, scores)
        total = total * np.exp(largest - new) + np.exp(scores - new)
        largest = new
    return np.moveaxis(np.exp(z - largest) / np.where(total > 0, total, 1), 0, axis)


@right("softmax")
def along_each_line(x, axis=-1):
    """apply_along_axis with a function of one row; the shift is its middle, after what can't matter is dropped."""

    def one_row(row):
        e = np.zeros(len(row))
        seen = row > row.max() - 1000  # exp of less is 0
        if seen.any():
            e[seen] = np.exp(row[seen] - row.max() + 100)
        return e / (e.sum() or 1.0)

    return np.apply_along_axis(one_row, axis, np.asarray(x, dtype=np.float64))


# ── attention_scores, wrong ─────────────────────────────────────────────────────────────────────────────────


@wrong("attention_scores")
def not_scaled(q, k):
    """No 1/√D: right for D = 1 only."""
    return _products(q, k)


@wrong("attention_scores")
def scaled_by_the_width(q, k):
    """1/D in place of 1/√D."""
    return _products(q, k) / np.shape(q)[-1]


@wrong("attention_scores")
def scaled_up(q, k):
    """Times √D."""
    return _products(q, k) * np.sqrt(np.shape(q)[-1])


@wrong("attention_scores")
def fourth_root(q, k):
    """Only the queries get their D^¼; the keys' share is forgotten."""
    q, k = _floats(q, k)
    return (q / q.shape[-1] ** 0.25) @ k.swapaxes(-1, -2)


@wrong("attention_scores")
def scaled_by_the_number_of_queries(q, k):
    """√T: the wrong axis of q; right where T = D."""
    return _products(q, k) / np.sqrt(np.shape(q)[-2])


@wrong("attention_scores")
def scaled_by_the_number_of_keys(q, k):
    """√S: `len` of a matrix of keys counts the keys."""
    return _products(q, k) / np.sqrt(np.shape(k)[-2])


@wrong("attention_scores")
def scaled_by_the_first_axis(q, k):
    """√len(q): with leading axes that is the batch."""
    return _products(q, k) / np.sqrt(len(q))


@wrong("attention_scores")
def scaled_by_the_second_axis(q, k):
    """√q.shape[1]: the width of a matrix, the number of positions of anything larger."""
    return _products(q, k) / np.sqrt(np.shape(q)[1])


@wrong("attention_scores")
def root_cut_to_a_whole_number(q, k):
    """isqrt: right where D is a square."""
    return _products(q, k) / math.isqrt(np.shape(q)[-1])


@wrong("attention_scores")
def root_of_one_less(q, k):
    """√(D − 1), as in a standard deviation of a sample."""
    return _products(q, k) / np.sqrt(max(np.shape(q)[-1] - 1, 0.5))


@wrong("attention_scores")
def root_of_two(q, k):
    """√2 typed in from a small example."""
    return _products(q, k) / np.sqrt(2)


@wrong("attention_scores")
def eight_as_in_the_paper(q, k):
    """The paper's d_k is 64."""
    return _products(q, k) / 8


@wrong("attention_scores")
def exponent_without_brackets(q, k):
    """D ** 1/2 is (D ** 1) / 2, and x / D ** 1/2 is x / D / 2."""
    return _products(q, k) / np.shape(q)[-1] ** 1 / 2


@wrong("attention_scores")
def all_axes_reversed(q, k):
    """k.T: the transpose of a matrix, and of nothing with leading axes."""
    q, k = _floats(q, k)
    return q @ k.T / np.sqrt(q.shape[-1])


@wrong("attention_scores")
def reshaped_for_a_transpose(q, k):
    """reshape gives the right shape, with the numbers in other places."""
    q, k = _floats(q, k)
    return q @ k.reshape(*k.shape[:-2], k.shape[-1], k.shape[-2]) / np.sqrt(q.shape[-1])


@wrong("attention_scores")
def not_transposed(q, k):
    """q @ k: no fit, unless S = D."""
    q, k = _floats(q, k)
    return q @ k / np.sqrt(q.shape[-1])


@wrong("attention_scores")
def keys_ask(q, k):
    """k qᵀ: rows are keys."""
    return _scores(k, q)


@wrong("attention_scores")
def transposed_to_suit_the_smaller(q, k):
    """Turned around when there are more queries than keys."""
    scores = _scores(q, k)
    return scores.swapaxes(-1, -2) if scores.shape[-2] > scores.shape[-1] else scores


@wrong("attention_scores")
def queries_with_themselves(q, k):
    """q qᵀ: k is never used."""
    return _scores(q, q)


@wrong("attention_scores")
def pairs_only(q, k):
    """Query i times key i, on the diagonal; the rest is 0."""
    q, k = _floats(q, k)
    n = min(q.shape[-2], k.shape[-2])
    same = (q[..., :n, :] * k[..., :n, :]).sum(axis=-1) / np.sqrt(q.shape[-1])
    return same[..., None] * np.eye(n)


@wrong("attention_scores")
def summed_too_late(q, k):
    """q * k and a sum: one number for each pair of equal index."""
    q, k = _floats(q, k)
    return (q * k).sum(axis=-1) / np.sqrt(q.shape[-1])


@wrong("attention_scores")
def as_many_keys_as_queries(q, k):
    """Both loops run to T: keys beyond are missed, or not there."""
    q, k = _floats(q, k)
    T, D = q.shape[-2:]
    scores = np.zeros((*np.broadcast_shapes(q.shape[:-2], k.shape[:-2]), T, T))
    for i in range(T):
        for j in range(T):
            scores[..., i, j] = (q[..., i, :] * k[..., j, :]).sum(axis=-1) / np.sqrt(D)
    return scores


@wrong("attention_scores")
def last_feature_forgotten(q, k):
    """The sum over features stops one early."""
    q, k = _floats(q, k)
    return q[..., :-1] @ k[..., :-1].swapaxes(-1, -2) / np.sqrt(q.shape[-1])


@wrong("attention_scores")
def every_batch_with_every_batch(q, k):
    """np.inner: right for matrices; with leading axes (B, T, B, S)."""
    q, k = _floats(q, k)
    return np.inner(q, k) / np.sqrt(q.shape[-1])


@wrong("attention_scores")
def batches_added_up(q, k):
    """The examples of a batch are summed."""
    scores = _scores(q, k)
    return scores.reshape(-1, *scores.shape[-2:]).sum(axis=0)


@wrong("attention_scores")
def angles(q, k):
    """Cosine similarity: how long a vector is no longer counts."""
    q, k = _floats(q, k)
    return _products(q / np.linalg.norm(q, axis=-1, keepdims=True), k / np.linalg.norm(k, axis=-1, keepdims=True))


@wrong("attention_scores")
def nearness(q, k):
    """Minus the squared distance, scaled."""
    q, k = _floats(q, k)
    apart = q[..., :, None, :] - k[..., None, :, :]
    return -(apart**2).sum(axis=-1) / np.sqrt(q.shape[-1])


@wrong("attention_scores")
def query_plus_key(q, k):
    """Sums of features in place of products."""
    q, k = _floats(q, k)
    return (q[..., :, None, :] + k[..., None, :, :]).sum(axis=-1) / np.sqrt(q.shape[-1])


@wrong("attention_scores")
def never_below_zero(q, k):
    """ReLU."""
    return np.maximum(_scores(q, k), 0)


@wrong("attention_scores")
def size_of_the_score(q, k):
    """|score|: opposite vectors find each other interesting."""
    return np.abs(_scores(q, k))


@wrong("attention_scores")
def softly_capped(q, k):
    """30 · tanh(score / 30): hardly different for small scores."""
    return 30 * np.tanh(_scores(q, k) / 30)


@wrong("attention_scores")
def already_weights(q, k):
    """The softmax is already in it."""
    return _weights(_scores(q, k))


@wrong("attention_scores")
def largest_already_subtracted(q, k):
    """Shifted row by row: the same weights later, but not the scores."""
    scores = _scores(q, k)
    return scores - scores.max(axis=-1, keepdims=True)


@wrong("attention_scores")
def future_already_hidden(q, k):
    """−inf above the diagonal, where nobody asked for a mask."""
    scores = _scores(q, k)
    return np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)


@wrong("attention_scores")
def no_interest_in_oneself(q, k):
    """The diagonal is set to 0."""
    scores = _scores(q, k)
    return scores * (1 - np.eye(*scores.shape[-2:]))


@wrong("attention_scores")
def interest_made_mutual(q, k):
    """Square scores are averaged with their transpose."""
    scores = _scores(q, k)
    return (scores + scores.swapaxes(-1, -2)) / 2 if scores.shape[-1] == scores.shape[-2] else scores


@wrong("attention_scores")
def features_centred(q, k):
    """The mean feature is taken off each query."""
    (q,) = _floats(q)
    return _scores(q - q.mean(axis=-1, keepdims=True), k)


@wrong("attention_scores")
def scores_to_two_decimals(q, k):
    """Rounded for reading."""
    return _scores(q, k).round(2)


@wrong("attention_scores")
def scores_in_single_precision(q, k):
    """float32."""
    return _scores(q, k).astype(np.float32)


@wrong("attention_scores")
def divided_without_rest(q, k):
    """// in place of /."""
    return _products(q, k) // np.sqrt(np.shape(q)[-1])


@wrong("attention_scores")
def scales_queries_of_the_caller(q, k):
    """q /= √D: right scores, smaller queries at the caller's (and no division in place of whole numbers)."""
    q = np.asarray(q)
    q /= np.sqrt(q.shape[-1])
    return _products(q, k)


@wrong("attention_scores")
def a_single_query_loses_its_axis(q, k):
    """(S,) in place of (1, S)."""
    scores = _scores(q, k)
    return scores[..., 0, :] if scores.shape[-2] == 1 else scores


@wrong("attention_scores")
def keys_of_the_first_call(q, k, known={}):
    """Keys are kept by shape, as a cache that nobody empties."""
    return _scores(q, known.setdefault(np.shape(k), np.array(k)))


@wrong("attention_scores")
def scores_not_returned(q, k):
    """No return."""
    q, k = _floats(q, k)
    q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])


# ── attention_scores, right ─────────────────────────────────────────────────────────────────────────────────


@right("attention_scores")
def by_einsum(q, k):
    """Letters for axes."""
    q, k = _floats(q, k)
    return np.einsum("...td,...sd->...ts", q, k) * q.shape[-1] ** -0.5


@right("attention_scores")
def by_broadcasting(q, k):
    """All pairs side by side, then the sum over features."""
    q, k = _floats(q, k)
    return (q[..., :, None, :] * k[..., None, :, :]).sum(axis=-1) / math.sqrt(q.shape[-1])


@right("attention_scores")
def by_two_loops(q, k):
    """One query and one key at a time."""
    q, k = _floats(q, k)
    scores = np.empty((*np.broadcast_shapes(q.shape[:-2], k.shape[:-2]), q.shape[-2], k.shape[-2]))
    for i, j in itertools.product(range(q.shape[-2]), range(k.shape[-2])):
        scores[..., i, j] = np.sum(q[..., i, :] * k[..., j, :], axis=-1) / math.sqrt(q.shape[-1])
    return scores


@right("attention_scores")
def a_feature_at_a_time(q, k):
    """The sum over features as a Python sum of outer products."""
    q, k = _floats(q, k)
    D = q.shape[-1]
    return sum(q[..., :, d, None] * k[..., None, :, d] for d in range(D)) / math.sqrt(D)


@right("attention_scores")
def each_side_takes_half_the_scale(q, k):
    """q and k both divided by D^¼."""
    q, k = (a / a.shape[-1] ** 0.25 for a in _floats(q, k))
    return np.matmul(q, np.moveaxis(k, -1, -2))


@right("attention_scores")
def scores_by_torch(q, k):
    """torch in, NumPy out."""
    q, k = (torch.from_numpy(a) for a in _floats(q, k))
    return torch.matmul(q, k.mT).mul(q.shape[-1] ** -0.5).numpy()


@right("attention_scores")
def keys_ask_and_are_turned(q, k):
    """(k qᵀ)ᵀ / √D."""
    q, k = _floats(q, k)
    return np.swapaxes(k @ np.swapaxes(q, -1, -2), -1, -2) / np.linalg.norm(np.ones(q.shape[-1]))


# ── causal_mask, wrong ──────────────────────────────────────────────────────────────────────────────────────


@wrong("causal_mask")
def only_the_future(T):
    """triu: each word sees itself and what comes after."""
    return np.triu(np.ones((T, T), dtype=bool))


@wrong("causal_mask")
def not_oneself(T):
    """The diagonal is False; row 0 sees nothing."""
    return np.tril(np.ones((T, T), dtype=bool), -1)


@wrong("causal_mask")
def one_word_ahead(T):
    """Diagonal offset 1; right for T = 1."""
    return np.tril(np.ones((T, T), dtype=bool), 1)


@wrong("causal_mask")
def not_oneself_but_for_the_first(T):
    """Strictly the past, patched where row 0 was empty; right for T = 1."""
    mask = np.tril(np.ones((T, T), dtype=bool), -1)
    mask[0, 0] = True
    return mask


@wrong("causal_mask")
def true_hides(T):
    """The other convention: True = may not look."""
    return np.triu(np.ones((T, T), dtype=bool), 1)


@wrong("causal_mask")
def ones_and_zeros(T):
    """The right triangle in float64."""
    return np.tril(np.ones((T, T)))


@wrong("causal_mask")
def whole_ones_and_zeros(T):
    """The right triangle in int."""
    return np.tril(np.ones((T, T), dtype=int))


@wrong("causal_mask")
def bytes_of_ones(T):
    """The right triangle in uint8, where ~ gives 255 and 254."""
    return np.tri(T, dtype=np.uint8)


@wrong("causal_mask")
def to_be_added(T):
    """0 and −inf, to add to scores."""
    return np.where(np.tri(T, dtype=bool), 0.0, -np.inf)


@wrong("causal_mask")
def objects(T):
    """Python's True and False in an array of objects."""
    return np.tri(T, dtype=bool).astype(object)


@wrong("causal_mask")
def from_the_other_corner(T):
    """Upside down: the last word sees one key, the first all."""
    return np.tri(T, dtype=bool)[::-1]


@wrong("causal_mask")
def mirrored(T):
    """Left and right exchanged."""
    return np.tri(T, dtype=bool)[:, ::-1]


@wrong("causal_mask")
def all_may_look(T):
    """True everywhere; right for T = 1."""
    return np.ones((T, T), dtype=bool)


@wrong("causal_mask")
def oneself_alone(T):
    """The diagonal."""
    return np.eye(T, dtype=bool)


@wrong("causal_mask")
def first_row_skipped(T):
    """The loop over queries starts at 1."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(1, T):
        mask[t, : t + 1] = True
    return mask


@wrong("causal_mask")
def last_row_skipped(T):
    """The loop over queries ends at T − 1."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T - 1):
        mask[t, : t + 1] = True
    return mask


@wrong("causal_mask")
def oneself_only_when_last(T):
    """mask[t, :t] leaves the word itself out, and only the last row is patched; right for T = 1."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        mask[t, :t] = True
    mask[-1] = True
    return mask


@wrong("causal_mask")
def first_word_sees_all(T):
    """Row 0 is True, so that it is never empty."""
    mask = np.tri(T, dtype=bool)
    mask[0] = True
    return mask


@wrong("causal_mask")
def all_see_the_last_word(T):
    """The last column is True."""
    mask = np.tri(T, dtype=bool)
    mask[:, -1] = True
    return mask


@wrong("causal_mask")
def memory_of_four(T):
    """Right up to T = 4; then the first words are forgotten."""
    return np.triu(np.tri(T, dtype=bool), -3)


@wrong("causal_mask")
def every_second_word(T):
    """Only keys at an even distance."""
    t = np.arange(T)
    return np.tri(T, dtype=bool) & ((t[:, None] - t) % 2 == 0)


@wrong("causal_mask")
def blocks_of_two(T):
    """Two neighbours see each other, whichever comes first; right for T = 1."""
    t = np.arange(T) // 2
    return t[:, None] >= t


@wrong("causal_mask")
def at_most_five(T):
    """Cut from a mask of 5 made once: too small from 6 on."""
    return np.tri(5, dtype=bool)[:T, :T]


@wrong("causal_mask")
def one_too_large(T):
    """Positions counted 0 … T."""
    return np.tri(T + 1, dtype=bool)


@wrong("causal_mask")
def one_column_too_many(T):
    """(T, T + 1)."""
    return np.tri(T, T + 1, dtype=bool)


@wrong("causal_mask")
def a_batch_of_one(T):
    """(1, T, T)."""
    return np.tri(T, dtype=bool)[None]


@wrong("causal_mask")
def no_axes_for_one_word(T):
    """squeeze: T = 1 gives a single truth."""
    return np.tri(T, dtype=bool).squeeze()


@wrong("causal_mask")
def last_row_alone(T):
    """One row of T, compared with the last position."""
    return np.arange(T) <= T - 1


@wrong("causal_mask")
def where_it_is_true(T):
    """Row and column numbers in place of a mask."""
    return np.tril_indices(T)


@wrong("causal_mask")
def list_of_lists(T):
    """The right truths in lists."""
    return [[j <= i for j in range(T)] for i in range(T)]


@wrong("causal_mask")
def a_tensor_of_truths(T):
    """A torch tensor."""
    return torch.ones(T, T, dtype=torch.bool).tril()


@wrong("causal_mask")
def mask_of_the_first_call(T, known=[]):
    """Made once, for the first T ever asked for."""
    known.append(np.tri(T, dtype=bool))
    return known[0].copy()


@wrong("causal_mask")
def mask_not_returned(T):
    """No return."""
    np.tri(T, dtype=bool)


@wrong("causal_mask")
def shape_given_as_two_numbers(T):
    """np.ones(T, T): the second argument is the dtype, so this raises."""
    return np.tril(np.ones(T, T)).astype(bool)


# ── causal_mask, right ──────────────────────────────────────────────────────────────────────────────────────


@right("causal_mask")
def tri(T):
    """NumPy's own triangle."""
    return np.tri(T, dtype=bool)


@right("causal_mask")
def triangle_of_one_row(T):
    """tril repeats a single row T times."""
    return np.tril(np.ones(T, dtype=bool))


@right("causal_mask")
def compared_positions(T):
    """Query number ≥ key number."""
    return np.greater_equal.outer(np.arange(T), np.arange(T))


@right("causal_mask")
def nested_lists_to_array(T):
    """A comprehension in a comprehension."""
    return np.array([[key <= query for key in range(T)] for query in range(T)])


@right("causal_mask")
def the_future_removed(T):
    """not (strictly above the diagonal)."""
    return ~np.triu(np.full((T, T), True), k=1)


@right("causal_mask")
def diagonal_smeared_down(T):
    """The running sum of the identity's rows."""
    return np.eye(T).cumsum(axis=0) > 0


@right("causal_mask")
def by_indices(T):
    """True written at tril_indices."""
    mask = np.zeros((T, T), dtype=np.bool_)
    mask[np.tril_indices(T)] = True
    return mask


@right("causal_mask")
def triangle_by_torch(T):
    """torch in between."""
    return torch.tril(torch.ones(T, T, dtype=torch.bool)).numpy()


@right("causal_mask")
def a_row_and_a_column_more(T):
    """The mask of T − 1 words, and one word that sees all."""
    if T <= 1:
        return np.ones((T, T), dtype=bool)
    mask = np.pad(a_row_and_a_column_more(T - 1), ((0, 1), (0, 1)))
    mask[-1] = True
    return mask


# ── padding_mask, wrong ─────────────────────────────────────────────────────────────────────────────────────


@wrong("padding_mask")
def one_pad_counts_as_real(lengths, T):
    """≤ in place of <: right where the length is T."""
    return np.arange(T) <= _given(lengths, T)[:, None]


@wrong("padding_mask")
def last_real_token_cut(lengths, T):
    """t < length − 1."""
    return np.arange(T) < _given(lengths, T)[:, None] - 1


@wrong("padding_mask")
def first_token_cut(lengths, T):
    """Position 0 taken for a start token that is not there."""
    t = np.arange(T)
    return (t > 0) & (t < _given(lengths, T)[:, None])


@wrong("padding_mask")
def true_is_padding(lengths, T):
    """The other convention."""
    return np.arange(T) >= _given(lengths, T)[:, None]


@wrong("padding_mask")
def padded_on_the_left(lengths, T):
    """Real tokens are looked for at the end."""
    return np.arange(T) >= T - _given(lengths, T)[:, None]


@wrong("padding_mask")
def as_many_as_there_are_pads(lengths, T):
    """t < T − length."""
    return np.arange(T) < T - _given(lengths, T)[:, None]


@wrong("padding_mask")
def positions_down_examples_across(lengths, T):
    """(T, B)."""
    return np.arange(T)[:, None] < _given(lengths, T)


@wrong("padding_mask")
def no_axis_for_the_positions(lengths, T):
    """arange(T) < lengths: fits where B = T or B = 1, and means something else."""
    return np.arange(T) < _given(lengths, T)


@wrong("padding_mask")
def same_number_of_examples_as_positions(lengths, T):
    """Loops over T examples: IndexError, or rows too many."""
    lengths = _given(lengths, T)
    mask = np.zeros((T, T), dtype=bool)
    for b in range(T):
        mask[b, : lengths[b]] = True
    return mask


@wrong("padding_mask")
def query_axis_already_there(lengths, T):
    """(B, 1, T)."""
    return (np.arange(T) < _given(lengths, T)[:, None])[:, None, :]


@wrong("padding_mask")
def queries_and_keys(lengths, T):
    """(B, T, T): padded queries hidden too."""
    real = np.arange(T) < _given(lengths, T)[:, None]
    return real[:, :, None] & real[:, None, :]


@wrong("padding_mask")
def causal_as_well(lengths, T):
    """(B, T, T): nobody asked for the triangle."""
    return (np.arange(T) < _given(lengths, T)[:, None])[:, None, :] & np.tri(T, dtype=bool)


@wrong("padding_mask")
def real_as_numbers(lengths, T):
    """1.0 and 0.0."""
    return (np.arange(T) < _given(lengths, T)[:, None]).astype(float)


@wrong("padding_mask")
def real_as_whole_numbers(lengths, T):
    """1 and 0."""
    return (np.arange(T) < _given(lengths, T)[:, None]) * 1


@wrong("padding_mask")
def position_numbers(lengths, T):
    """Position + 1 where real, 0 where not: truthy, not True."""
    t = np.arange(1, T + 1)
    return np.where(t <= _given(lengths, T)[:, None], t, 0)


@wrong("padding_mask")
def as_wide_as_the_longest(lengths, T):
    """T is never used: the width is that of the longest example."""
    lengths = _given(lengths, T)
    return np.arange(lengths.max()) < lengths[:, None]


@wrong("padding_mask")
def length_of_the_first_for_all(lengths, T):
    """lengths[0]: right where all are equally long."""
    lengths = _given(lengths, T)
    return np.tile(np.arange(T) < lengths[0], (len(lengths), 1))


@wrong("padding_mask")
def length_of_the_shortest_for_all(lengths, T):
    """min(lengths) in every row."""
    lengths = _given(lengths, T)
    return np.tile(np.arange(T) < lengths.min(), (len(lengths), 1))


@wrong("padding_mask")
def negative_slice(lengths, T):
    """[: −number of pads]: with no pad that is [: 0], and a full example is hidden."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for b, n in enumerate(lengths):
        mask[b, : -(T - n)] = True
    return mask


@wrong("padding_mask")
def row_of_a_triangle(lengths, T):
    """causal_mask[length − 1]: length 0 asks for row −1, which is all True."""
    return np.tri(T, dtype=bool)[_given(lengths, T) - 1]


@wrong("padding_mask")
def full_counts_as_empty(lengths, T):
    """lengths % T: wrong for length T only."""
    return np.arange(T) < (_given(lengths, T) % T)[:, None]


@wrong("padding_mask")
def empty_keeps_one(lengths, T):
    """At least one token is real, 'against NaN': wrong for length 0 only."""
    return np.arange(T) < np.maximum(_given(lengths, T), 1)[:, None]


@wrong("padding_mask")
def empty_counts_as_full(lengths, T):
    """`length or T`: 0 is taken for 'not given'."""
    return np.array([[t < (n or T) for t in range(T)] for n in _given(lengths, T).tolist()], dtype=bool)


@wrong("padding_mask")
def empty_examples_left_out(lengths, T):
    """An example of length 0 has no row."""
    lengths = _given(lengths, T)
    return np.arange(T) < lengths[lengths > 0][:, None]


@wrong("padding_mask")
def empty_examples_refused(lengths, T):
    """ValueError for length 0, which is allowed."""
    if (_given(lengths, T) == 0).any():
        raise ValueError("an example needs a token")
    return np.arange(T) < np.asarray(lengths)[:, None]


@wrong("padding_mask")
def full_examples_refused(lengths, T):
    """ValueError for length T, which is allowed."""
    if (_given(lengths, T) >= T).any():
        raise ValueError("too long")
    return np.arange(T) < np.asarray(lengths)[:, None]


@wrong("padding_mask")
def equal_lengths_once(lengths, T):
    """A row for each different length, in order of size."""
    return np.arange(T) < np.unique(_given(lengths, T))[:, None]


@wrong("padding_mask")
def shortest_first(lengths, T):
    """Examples in another order."""
    return np.arange(T) < np.sort(_given(lengths, T))[:, None]


@wrong("padding_mask")
def counted_through_the_batch(lengths, T):
    """Lengths taken as ends of one long text: they add up."""
    return np.arange(T) < np.cumsum(_given(lengths, T))[:, None]


@wrong("padding_mask")
def only_the_first_pad(lengths, T):
    """True at position `length` alone."""
    return np.arange(T) == _given(lengths, T)[:, None]


@wrong("padding_mask")
def only_the_last_real_token(lengths, T):
    """True at position `length − 1` alone."""
    return np.arange(T) == _given(lengths, T)[:, None] - 1


@wrong("padding_mask")
def examples_sliced(lengths, T):
    """mask[:length] fills rows, not positions."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for n in lengths:
        mask[:n] = True
    return mask


@wrong("padding_mask")
def last_position_never(lengths, T):
    """The loop over positions ends at T − 1."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for t in range(T - 1):
        mask[:, t] = t < lengths
    return mask


@wrong("padding_mask")
def stops_at_the_first_empty(lengths, T):
    """break at length 0: later examples stay False."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for b, n in enumerate(lengths):
        if n == 0:
            break
        mask[b, :n] = True
    return mask


@wrong("padding_mask")
def one_row_for_all_examples(lengths, T):
    """[[False] * T] * B is B times the same row: all get what the longest has."""
    lengths = _given(lengths, T)
    mask = [[False] * T] * len(lengths)
    for b, n in enumerate(lengths):
        mask[b][:n] = [True] * n
    return np.array(mask)


@wrong("padding_mask")
def one_example_is_a_row(lengths, T):
    """(T,) for a batch of one."""
    return (np.arange(T) < _given(lengths, T)[:, None]).squeeze(axis=0 if len(lengths) == 1 else ())


@wrong("padding_mask")
def counts_lengths_of_the_caller_down(lengths, T):
    """Right mask, but every length of the caller's array is one less."""
    lengths = _given(lengths, T)
    lengths -= 1
    return np.arange(T) <= lengths[:, None]


@wrong("padding_mask")
def ragged_lists(lengths, T):
    """As many True as there are tokens, and nothing for the pads."""
    return [[True] * int(n) for n in _given(lengths, T)]


@wrong("padding_mask")
def lists_of_truths(lengths, T):
    """The right truths in lists."""
    return (np.arange(T) < _given(lengths, T)[:, None]).tolist()


@wrong("padding_mask")
def nothing_assigned(lengths, T):
    """== where = was meant: nothing is ever written."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for b, n in enumerate(lengths):
        mask[b, :n] == True  # noqa: E712
    return mask


# ── padding_mask, right ─────────────────────────────────────────────────────────────────────────────────────


@right("padding_mask")
def by_slices(lengths, T):
    """A slice of each row."""
    mask = np.zeros((len(lengths), T), dtype=bool)
    for row, n in zip(mask, _given(lengths, T)):
        row[:n] = True
    return mask


@right("padding_mask")
def by_comprehension(lengths, T):
    """Lists, then an array."""
    return np.array([[t < n for t in range(T)] for n in _given(lengths, T)], dtype=bool)


@right("padding_mask")
def repeated_truths(lengths, T):
    """n times True, T − n times False."""
    return np.stack([np.repeat([True, False], [n, T - n]) for n in _given(lengths, T)])


@right("padding_mask")
def rows_of_a_taller_triangle(lengths, T):
    """Row n of a strict triangle with T + 1 rows has n times True."""
    return np.tri(T + 1, T, -1, dtype=bool)[_given(lengths, T)]


@right("padding_mask")
def before_the_first_pad(lengths, T):
    """A mark at position n, and what comes before it."""
    marks = np.eye(T + 1, dtype=int)[_given(lengths, T)]
    return marks.cumsum(axis=1)[:, :T] == 0


@right("padding_mask")
def outer_comparison(lengths, T):
    """ufunc.outer."""
    return np.greater.outer(_given(lengths, T), np.arange(T))


@right("padding_mask")
def bits_of_a_number(lengths, T):
    """2ⁿ − 1 has n ones."""
    return ((1 << _given(lengths, T).astype(np.int64))[:, None] - 1 >> np.arange(T) & 1).astype(bool)


@right("padding_mask")
def lengths_by_torch(lengths, T):
    """torch in between."""
    return (torch.arange(T) < torch.tensor(_given(lengths, T)).unsqueeze(1)).numpy()


# ── window_mask, wrong ──────────────────────────────────────────────────────────────────────────────────────


def _distance(T) -> np.ndarray:
    """How far back each key lies from each query."""
    return np.arange(T)[:, None] - np.arange(T)


@wrong("window_mask")
def on_both_sides(T, width):
    """|distance| < width: the future is seen too."""
    return np.abs(_distance(T)) < width


@wrong("window_mask")
def half_on_each_side(T, width):
    """A window with the word in its middle."""
    return np.abs(_distance(T)) <= width // 2


@wrong("window_mask")
def one_key_more(T, width):
    """distance ≤ width: the word itself is not counted."""
    return (_distance(T) >= 0) & (_distance(T) <= width)


@wrong("window_mask")
def one_key_less(T, width):
    """distance < width − 1."""
    return (_distance(T) >= 0) & (_distance(T) < width - 1)


@wrong("window_mask")
def without_oneself(T, width):
    """The `width` keys before the word, not the word."""
    return (_distance(T) > 0) & (_distance(T) <= width)


@wrong("window_mask")
def the_whole_past(T, width):
    """width is never used: right for width ≥ T."""
    return _distance(T) >= 0


@wrong("window_mask")
def no_end_to_the_front(T, width):
    """Only distance < width: right for T = 1, the future is open."""
    return _distance(T) < width


@wrong("window_mask")
def into_the_future(T, width):
    """Keys t … t + width − 1."""
    return (_distance(T) <= 0) & (_distance(T) > -width)


@wrong("window_mask")
def before_the_window(T, width):
    """Only what the window should leave out."""
    return _distance(T) >= width


@wrong("window_mask")
def true_hides_the_rest(T, width):
    """The other convention."""
    return ~((_distance(T) >= 0) & (_distance(T) < width))


@wrong("window_mask")
def or_for_and(T, width):
    """| in place of &: always True."""
    return (_distance(T) >= 0) | (_distance(T) < width)


@wrong("window_mask")
def negative_start_of_a_slice(T, width):
    """mask[t, t − width + 1 : t + 1]: a negative start counts from the end, and early rows stay empty."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        mask[t, t - width + 1 : t + 1] = True
    return mask


@wrong("window_mask")
def around_the_corner(T, width):
    """Negative indices wrap: early words see the end of the text."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        for back in range(min(width, T)):
            mask[t, t - back] = True
    return mask


@wrong("window_mask")
def diagonal_erased_by_wrapping(T, width):
    """Negative indices wrap: width T + 1 writes False on the diagonal, wider raises; right up to width T."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        for back in range(width):
            mask[t, t - back] = t - back >= 0
    return mask


@wrong("window_mask")
def wider_than_the_text_sees_all(T, width):
    """width > T: nothing left to hide, not even the future."""
    return np.ones((T, T), dtype=bool) if width > T else (_distance(T) >= 0) & (_distance(T) < width)


@wrong("window_mask")
def width_wraps(T, width):
    """width % (T + 1), to keep it within the text: wrong for width > T only."""
    return (_distance(T) >= 0) & (_distance(T) < width % (T + 1))


@wrong("window_mask")
def even_widths_only(T, width):
    """Twice half the width: an odd width loses a key, and 1 becomes 0."""
    return (_distance(T) >= 0) & (_distance(T) < width // 2 * 2)


@wrong("window_mask")
def sign_of_the_offset(T, width):
    """triu(…, width − 1): right for width 1."""
    return np.triu(np.tri(T, dtype=bool), width - 1)


@wrong("window_mask")
def difference_of_triangles(T, width):
    """tril − tril: NumPy refuses to subtract truths."""
    ones = np.ones((T, T), dtype=bool)
    return np.tril(ones) - np.tril(ones, -width)


@wrong("window_mask")
def difference_of_triangles_in_floats(T, width):
    """The right difference, in floats."""
    return np.tri(T) - np.tri(T, k=-width)


@wrong("window_mask")
def whole_numbers_for_truths(T, width):
    """1 and 0."""
    return ((_distance(T) >= 0) & (_distance(T) < width)).astype(int)


@wrong("window_mask")
def in_blocks(T, width):
    """The text is cut into pieces of `width`; each piece is causal in itself."""
    piece = np.arange(T) // width
    return (_distance(T) >= 0) & (piece[:, None] == piece)


@wrong("window_mask")
def every_width_th_key(T, width):
    """Keys t, t − width, t − 2 width …"""
    return (_distance(T) >= 0) & (_distance(T) % width == 0)


@wrong("window_mask")
def first_keys_for_last(T, width):
    """The first `width` keys of the text."""
    return (_distance(T) >= 0) & (np.arange(T) < width)


@wrong("window_mask")
def last_keys_of_the_text(T, width):
    """The last `width` keys of the text, as far as they are past."""
    return (_distance(T) >= 0) & (np.arange(T) >= T - width)


@wrong("window_mask")
def first_key_always(T, width):
    """A window and the first word of the text: right for T ≤ width."""
    return (_distance(T) >= 0) & ((_distance(T) < width) | (np.arange(T) == 0))


@wrong("window_mask")
def only_full_windows(T, width):
    """Queries before position width − 1 see nothing, since their window is not full."""
    t = np.arange(T)
    return (_distance(T) >= 0) & (_distance(T) < width) & (t[:, None] >= width - 1)


@wrong("window_mask")
def always_width_keys(T, width):
    """Early queries see `width` keys too, the missing ones from the future."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        start = max(0, t - width + 1)
        mask[t, start : start + width] = True
    return mask


@wrong("window_mask")
def start_clipped_at_one(T, width):
    """The start is clipped to 1 in place of 0: the first word is lost to all but itself."""
    mask = np.eye(T, dtype=bool)
    for t in range(T):
        mask[t, max(1, t - width + 1) : t + 1] = True
    return mask


@wrong("window_mask")
def only_the_far_end(T, width):
    """The diagonal and the key `width − 1` back; nothing in between."""
    return (_distance(T) == 0) | (_distance(T) == width - 1)


@wrong("window_mask")
def diagonals_added_from_one(T, width):
    """eye(T, k=−1) + … + eye(T, k=−width + 1): the sum starts at 1."""
    return sum((np.eye(T, k=-back) for back in range(1, width)), np.zeros((T, T))) > 0


@wrong("window_mask")
def never_narrower_than_two(T, width):
    """Width 1 is taken for 2, so that a word has company."""
    return (_distance(T) >= 0) & (_distance(T) < max(width, 2))


@wrong("window_mask")
def width_one_is_the_default(T, width):
    """Width 1 is taken for 'no window'."""
    return (_distance(T) >= 0) & ((_distance(T) < width) | (width == 1))


@wrong("window_mask")
def arguments_exchanged(T, width):
    """A mask of `width` words with a memory of T."""
    return (_distance(width) >= 0) & (_distance(width) < T)


@wrong("window_mask")
def one_column_per_distance(T, width):
    """(T, width): how far back, not which key."""
    return np.arange(T)[:, None] >= np.arange(width)


@wrong("window_mask")
def last_query_skipped(T, width):
    """The loop over queries ends at T − 1."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T - 1):
        mask[t, max(0, t - width + 1) : t + 1] = True
    return mask


@wrong("window_mask")
def window_of_the_first_call(T, width, known={}):
    """Kept by T: the first width ever asked for stays."""
    return known.setdefault(T, (_distance(T) >= 0) & (_distance(T) < width)).copy()


@wrong("window_mask")
def window_of_three(T, width):
    """3 typed in from the example."""
    return (_distance(T) >= 0) & (_distance(T) < 3)


@wrong("window_mask")
def one_comparison_after_another(T, width):
    """0 <= distance < width: Python asks an array for one truth, and it has none (it has for T = 1)."""
    return 0 <= _distance(T) < width


@wrong("window_mask")
def window_not_returned(T, width):
    """No return."""
    (_distance(T) >= 0) & (_distance(T) < width)


# ── window_mask, right ──────────────────────────────────────────────────────────────────────────────────────


@right("window_mask")
def clipped_slices(T, width):
    """A slice of each row, its start clipped at 0."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        mask[t, max(0, t - width + 1) : t + 1] = True
    return mask


@right("window_mask")
def triangle_of_a_triangle(T, width):
    """triu of tril."""
    return np.triu(np.tri(T, dtype=bool), 1 - width)


@right("window_mask")
def triangles_that_differ(T, width):
    """XOR of two triangles."""
    return np.tri(T, dtype=bool) ^ np.tri(T, k=-width, dtype=bool)


@right("window_mask")
def diagonals_added(T, width):
    """One diagonal a distance."""
    return sum(np.eye(T, k=-back) for back in range(width)) > 0


@right("window_mask")
def key_in_range(T, width):
    """Is the key in range(…)?"""
    return np.array([[key in range(t - width + 1, t + 1) for key in range(T)] for t in range(T)])


@right("window_mask")
def column_by_column(T, width):
    """Whom each key is seen by: itself and the width − 1 queries after it."""
    mask = np.zeros((T, T), dtype=bool)
    for key in range(T):
        mask[key : key + width, key] = True
    return mask


@right("window_mask")
def powers_of_a_step(T, width):
    """Stay or go one step back, width − 1 times."""
    step = np.eye(T, dtype=bool) | np.eye(T, k=-1, dtype=bool)
    return np.linalg.matrix_power(step, width - 1)


@right("window_mask")
def sliding_view(T, width):
    """A row of T − 1 false, `width` true, and false again, looked at through a window that slides."""
    row = np.repeat([False, True, False], [T, width, T])
    views = np.lib.stride_tricks.sliding_window_view(row, T)
    return views[[T + width - 1 - t for t in range(T)]].copy()


@right("window_mask")
def band_by_torch(T, width):
    """torch in between."""
    return torch.ones(T, T, dtype=torch.bool).tril().triu(1 - width).numpy()


# ── attention, wrong ────────────────────────────────────────────────────────────────────────────────────────


def _blend(scores, v) -> tuple[np.ndarray, np.ndarray]:
    """Output and weights, from scores that are hidden already."""
    weights = _weights(scores)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def softmax_over_queries(q, k, v, mask=None):
    """Columns sum to 1."""
    weights = _weights(_hide(_scores(q, k), mask), axis=-2)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def softmax_over_everything(q, k, v, mask=None):
    """All weights of a matrix together sum to 1."""
    scores = _hide(_scores(q, k), mask)
    weights = _weights(scores.reshape(*scores.shape[:-2], -1)).reshape(scores.shape)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def softmax_over_the_batch(q, k, v, mask=None):
    """axis 1: right for matrices, the queries of a batch."""
    weights = _weights(_hide(_scores(q, k), mask), axis=1)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def softmax_without_a_shift(q, k, v, mask=None):
    """exp of large scores overflows."""
    e = np.exp(_hide(_scores(q, k), mask))
    total = e.sum(axis=-1, keepdims=True)
    weights = e / np.where(total == 0, 1, total)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def shift_found_before_the_mask(q, k, v, mask=None):
    """The largest score is looked for among hidden keys too: far above the rest it leaves 0 / 0 behind."""
    scores = _scores(q, k)
    e = np.exp(_hide(scores - scores.max(axis=-1, keepdims=True), mask))
    total = e.sum(axis=-1, keepdims=True)
    weights = e / np.where(total == 0, 1, total)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def no_scale(q, k, v, mask=None):
    """q kᵀ as it is."""
    return _blend(_hide(_products(q, k), mask), v)


@wrong("attention")
def scale_of_the_values(q, k, v, mask=None):
    """√Dv: right where values are as wide as queries."""
    return _blend(_hide(_products(q, k) / np.sqrt(np.shape(v)[-1]), mask), v)


@wrong("attention")
def scale_of_the_number_of_keys(q, k, v, mask=None):
    """√S."""
    return _blend(_hide(_products(q, k) / np.sqrt(np.shape(k)[-2]), mask), v)


@wrong("attention")
def scale_of_the_whole_width(q, k, v, mask=None):
    """√(H · D): with a leading axis of heads the width of the model is taken."""
    width = np.shape(q)[-1] * (np.shape(q)[-3] if np.ndim(q) > 2 else 1)
    return _blend(_hide(_products(q, k) / np.sqrt(width), mask), v)


@wrong("attention")
def one_over_d(q, k, v, mask=None):
    """1/D."""
    return _blend(_hide(_products(q, k) / np.shape(q)[-1], mask), v)


@wrong("attention")
def weights_scaled_not_scores(q, k, v, mask=None):
    """softmax first, 1/√D after."""
    weights = _weights(_hide(_products(q, k), mask)) / np.sqrt(np.shape(q)[-1])
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def cosines(q, k, v, mask=None):
    """Vectors are brought to length 1 first."""
    q, k = (a / np.linalg.norm(a, axis=-1, keepdims=True) for a in _floats(q, k))
    return _blend(_hide(_scores(q, k), mask), v)


@wrong("attention")
def hardest(q, k, v, mask=None):
    """All weight to the best key."""
    scores = _hide(_scores(q, k), mask)
    weights = all_to_the_largest(scores) * np.isfinite(scores)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def logs_for_weights(q, k, v, mask=None):
    """Blends with exp(log weights), but hands the logs over."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    return output, np.log(weights)


@wrong("attention")
def a_gate_for_each_key(q, k, v, mask=None):
    """Sigmoid in place of softmax."""
    weights = 1 / (1 + np.exp(-_hide(_scores(q, k), mask)))
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def scores_blend(q, k, v, mask=None):
    """No softmax: scores times values."""
    scores = _hide(_scores(q, k), mask, fill=0.0)
    return scores @ np.asarray(v, dtype=np.float64), scores


@wrong("attention")
def linear_attention(q, k, v, mask=None):
    """max(score, 0) / Σ: no exp."""
    positive = np.maximum(_hide(_scores(q, k), mask), 0)
    weights = positive / np.maximum(positive.sum(axis=-1, keepdims=True), 1e-300)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def softmax_twice(q, k, v, mask=None):
    """The weights go through a softmax again."""
    weights = _weights(_hide(_weights(_hide(_scores(q, k), mask)), mask))
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def mask_not_used(q, k, v, mask=None):
    """The argument is there, nothing reads it."""
    return _blend(_scores(q, k), v)


@wrong("attention")
def true_means_hidden(q, k, v, mask=None):
    """The other convention."""
    return _blend(_hide(_scores(q, k), None if mask is None else ~np.asarray(mask)), v)


@wrong("attention")
def mask_times_scores(q, k, v, mask=None):
    """A hidden score is 0, and exp(0) is 1."""
    scores = _scores(q, k)
    return _blend(scores if mask is None else scores * mask, v)


@wrong("attention")
def mask_plus_scores(q, k, v, mask=None):
    """The mask is added as 0 and 1."""
    scores = _scores(q, k)
    return _blend(scores if mask is None else scores + mask, v)


@wrong("attention")
def hidden_by_minus_ten(q, k, v, mask=None):
    """−10 in place of −inf: hidden keys are whispered to, or, among low scores, preferred."""
    return _blend(_hide(_scores(q, k), mask, fill=-10.0), v)


@wrong("attention")
def hidden_by_minus_a_hundred(q, k, v, mask=None):
    """−100 in place of −inf: seen only where scores are large, or a row is empty."""
    return _blend(_hide(_scores(q, k), mask, fill=-100.0), v)


@wrong("attention")
def hidden_by_a_billion(q, k, v, mask=None):
    """−1e9 in place of −inf: a query with nothing to look at gets the average."""
    return _blend(_hide(_scores(q, k), mask, fill=-1e9), v)


@wrong("attention")
def a_hundred_taken_off(q, k, v, mask=None):
    """Hidden scores are lowered by 100: a hidden favourite of 200 stays one, empty rows look as if unmasked."""
    scores = _scores(q, k)
    return _blend(scores if mask is None else scores - 100.0 * ~np.asarray(mask), v)


@wrong("attention")
def empty_rows_are_nan(q, k, v, mask=None):
    """−inf − (−inf)."""
    scores = _hide(_scores(q, k), mask)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = e / e.sum(axis=-1, keepdims=True)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def minus_inf_times_zero(q, k, v, mask=None):
    """(1 − mask) · −inf: NaN wherever the mask is True."""
    scores = _scores(q, k)
    return _blend(scores if mask is None else scores + (1 - np.asarray(mask, dtype=float)) * -np.inf, v)


@wrong("attention")
def empty_rows_hear_everyone(q, k, v, mask=None):
    """Weights 0, yet the output of a query with nothing to look at is the mean of all values."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    mean = np.asarray(v, dtype=np.float64).mean(axis=-2, keepdims=True)
    return np.where(weights.sum(axis=-1, keepdims=True) == 0, mean, output), weights


@wrong("attention")
def empty_rows_have_weights(q, k, v, mask=None):
    """Output 0, yet the weights of a query with nothing to look at are all 1/S."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    empty = weights.sum(axis=-1, keepdims=True) == 0
    return output, np.where(empty, 1 / weights.shape[-1], weights)


@wrong("attention")
def empty_rows_look_at_the_first_key(q, k, v, mask=None):
    """Key 0 is opened for a query with nothing to look at."""
    scores = _hide(_scores(q, k), mask)
    scores[..., 0] = np.where(np.isneginf(scores).all(axis=-1), 0.0, scores[..., 0])
    return _blend(scores, v)


@wrong("attention")
def empty_rows_are_refused(q, k, v, mask=None):
    """ValueError for a query with nothing to look at, which is allowed."""
    if mask is not None and not np.asarray(mask).any(axis=-1).all():
        raise ValueError("a query needs a key")
    return _blend(_hide(_scores(q, k), mask), v)


@wrong("attention")
def a_mask_without_true_is_no_mask(q, k, v, mask=None):
    """`if mask.any()`: wrong only where every key is hidden from every query."""
    used = mask is not None and np.any(mask)
    return _blend(_hide(_scores(q, k), mask if used else None), v)


@wrong("attention")
def asks_a_mask_for_one_truth(q, k, v, mask=None):
    """`if mask:` raises for an array of more than one truth."""
    return _blend(_hide(_scores(q, k), mask) if mask else _scores(q, k), v)


@wrong("attention")
def mask_after_softmax(q, k, v, mask=None):
    """Hidden weights are set to 0, the others not made larger: rows sum to less than 1."""
    weights = _weights(_scores(q, k))
    weights = weights if mask is None else weights * mask
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def mask_on_output_only(q, k, v, mask=None):
    """The blend is masked; the weights that are returned are not."""
    output, _ = _blend(_hide(_scores(q, k), mask), v)
    return output, _weights(_scores(q, k))


@wrong("attention")
def mask_on_weights_only(q, k, v, mask=None):
    """The weights that are returned are masked; the blend is not."""
    output, _ = _blend(_scores(q, k), v)
    return output, _weights(_hide(_scores(q, k), mask))


@wrong("attention")
def renormalised_with_an_epsilon(q, k, v, mask=None):
    """Masked after the softmax and divided by the sum + 1e-3."""
    weights = _weights(_scores(q, k))
    if mask is not None:
        weights = weights * mask / ((weights * mask).sum(axis=-1, keepdims=True) + 1e-3)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def renormalised_into_nan(q, k, v, mask=None):
    """Masked after the softmax and divided by the sum, which is 0 for an empty row and under a hidden giant."""
    weights = _weights(_scores(q, k))
    if mask is not None:
        weights = weights * mask / (weights * mask).sum(axis=-1, keepdims=True)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def mask_only_when_square(q, k, v, mask=None):
    """T ≠ S: 'a mask is for self-attention'."""
    scores = _scores(q, k)
    return _blend(_hide(scores, mask) if scores.shape[-1] == scores.shape[-2] else scores, v)


@wrong("attention")
def mask_only_when_full_size(q, k, v, mask=None):
    """A mask that would have to be broadcast is not used."""
    scores = _scores(q, k)
    return _blend(_hide(scores, mask) if np.shape(mask) == scores.shape else scores, v)


@wrong("attention")
def mask_turned_around(q, k, v, mask=None):
    """Rows of the mask are taken for keys, where it is square."""
    mask = None if mask is None else np.asarray(mask)
    square = mask is not None and mask.ndim > 1 and mask.shape[-1] == mask.shape[-2]
    return _blend(_hide(_scores(q, k), mask.swapaxes(-1, -2) if square else mask), v)


@wrong("attention")
def first_row_of_the_mask_for_all(q, k, v, mask=None):
    """Query 0's row hides for every query."""
    mask = None if mask is None else np.atleast_2d(mask)[..., :1, :]
    return _blend(_hide(_scores(q, k), mask), v)


@wrong("attention")
def first_mask_of_the_batch_for_all(q, k, v, mask=None):
    """Only mask[0], where there is a leading axis."""
    mask = None if mask is None else np.asarray(mask)
    while mask is not None and mask.ndim > 2:
        mask = mask[0]
    return _blend(_hide(_scores(q, k), mask), v)


@wrong("attention")
def hidden_from_one_hidden_from_all(q, k, v, mask=None):
    """A key that any query may not see is hidden from every query."""
    mask = None if mask is None else np.atleast_2d(mask).all(axis=-2, keepdims=True)
    return _blend(_hide(_scores(q, k), mask), v)


@wrong("attention")
def hidden_values_zeroed(q, k, v, mask=None):
    """Keys that no query may see get value 0, and keep their weight; the rest of the mask is lost."""
    (v,) = _floats(v)
    if mask is not None:
        seen = np.atleast_2d(mask).any(axis=-2)
        v = np.where(np.broadcast_to(seen, (*seen.shape[:-1], v.shape[-2]))[..., None], v, 0.0)
    return _blend(_scores(q, k), v)


@wrong("attention")
def a_row_of_a_mask_hides_queries(q, k, v, mask=None):
    """A mask of one axis is stood up: it hides queries, not keys, where T = S."""
    mask = None if mask is None else np.asarray(mask)
    scores = _scores(q, k)
    if mask is not None and mask.ndim == 1 and mask.size == scores.shape[-2]:
        mask = mask[:, None]
    return _blend(_hide(scores, mask), v)


@wrong("attention")
def oneself_always_visible(q, k, v, mask=None):
    """The diagonal is opened, whatever the mask says."""
    scores = _scores(q, k)
    mask = None if mask is None else np.asarray(mask) | np.eye(*scores.shape[-2:], dtype=bool)
    return _blend(_hide(scores, mask), v)


@wrong("attention")
def causal_unless_told_otherwise(q, k, v, mask=None):
    """No mask is taken for the causal mask."""
    scores = _scores(q, k)
    return _blend(_hide(scores, np.tri(*scores.shape[-2:], dtype=bool) if mask is None else mask), v)


@wrong("attention")
def causal_in_any_case(q, k, v, mask=None):
    """The mask that is given is combined with the causal mask."""
    scores = _scores(q, k)
    causal = np.tri(*scores.shape[-2:], dtype=bool)
    return _blend(_hide(scores, causal if mask is None else causal & np.asarray(mask)), v)


@wrong("attention")
def mask_of_the_last_call(q, k, v, mask=None, last={}):
    """Without a mask the last one is used, where it fits."""
    scores = _scores(q, k)
    if mask is not None:
        last[scores.shape] = np.array(mask)
    return _blend(_hide(scores, last.get(scores.shape)), v)


@wrong("attention")
def mask_of_the_caller_inverted(q, k, v, mask=None):
    """Right numbers; the caller's mask says the opposite afterwards."""
    if mask is None:
        return _blend(_scores(q, k), v)
    hidden = np.logical_not(mask, out=mask)
    return _blend(np.where(hidden, -np.inf, _scores(q, k)), v)


@wrong("attention")
def queries_of_the_caller_scaled(q, k, v, mask=None):
    """Right numbers; the caller's queries are smaller afterwards."""
    q = np.asarray(q)
    q /= np.sqrt(q.shape[-1])
    return _blend(_hide(_products(q, k), mask), v)


@wrong("attention")
def values_of_the_caller_overwritten(q, k, v, mask=None):
    """The output is written over the caller's values where it fits."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    if np.shape(v) == output.shape:
        v[...] = output
    return output, weights


@wrong("attention")
def weights_first(q, k, v, mask=None):
    """(weights, output)."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    return weights, output


@wrong("attention")
def output_alone(q, k, v, mask=None):
    """The weights are not returned."""
    return _blend(_hide(_scores(q, k), mask), v)[0]


@wrong("attention")
def scores_returned_for_weights(q, k, v, mask=None):
    """(output, scores)."""
    scores = _hide(_scores(q, k), mask)
    return _blend(scores, v)[0], scores


@wrong("attention")
def side_by_side(q, k, v, mask=None):
    """Output and weights in one array."""
    return np.concatenate(_blend(_hide(_scores(q, k), mask), v), axis=-1)


@wrong("attention")
def nothing_returned(q, k, v, mask=None):
    """No return."""
    _blend(_hide(_scores(q, k), mask), v)


@wrong("attention")
def blends_keys(q, k, v, mask=None):
    """weights @ k: the values are never used."""
    return _blend(_hide(_scores(q, k), mask), k)


@wrong("attention")
def values_do_the_asking(q, k, v, mask=None):
    """q vᵀ weighs, where v is as wide as q."""
    fits = np.shape(v)[-1] == np.shape(q)[-1]
    return _blend(_hide(_scores(q, v if fits else k), mask), v)


@wrong("attention")
def keys_ask_queries(q, k, v, mask=None):
    """k qᵀ: no fit unless T = S."""
    return _blend(_hide(_scores(k, q), mask), v)


@wrong("attention")
def blends_by_columns(q, k, v, mask=None):
    """weightsᵀ @ v: no fit unless T = S."""
    weights = _weights(_hide(_scores(q, k), mask))
    return weights.swapaxes(-1, -2) @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def matrices_only(q, k, v, mask=None):
    """k.T: leading axes are turned around."""
    q, k = _floats(q, k)
    return _blend(_hide(q @ k.T / np.sqrt(q.shape[-1]), mask), v)


@wrong("attention")
def first_example_only(q, k, v, mask=None):
    """Leading axes are dropped."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    while weights.ndim > 2:
        output, weights = output[0], weights[0]
    return output, weights


@wrong("attention")
def weights_averaged_over_heads(q, k, v, mask=None):
    """The output is right; of the weights only the mean over the leading axis is returned, as some libraries do."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    return output, weights.mean(axis=0) if weights.ndim > 2 else weights


@wrong("attention")
def as_many_keys_as_there_are_queries(q, k, v, mask=None):
    """Only the first T keys are looked at."""
    T = np.shape(q)[-2]
    scores = _hide(_scores(q, k), mask)
    scores[..., T:] = -np.inf
    return _blend(scores, v)


@wrong("attention")
def values_averaged(q, k, v, mask=None):
    """The weights are right; the output is the plain average of all values."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    return np.broadcast_to(np.asarray(v, dtype=np.float64).mean(axis=-2, keepdims=True), output.shape).copy(), weights


@wrong("attention")
def values_in_reverse(q, k, v, mask=None):
    """weights @ v[::-1]."""
    return _blend(_hide(_scores(q, k), mask), np.asarray(v)[..., ::-1, :])


@wrong("attention")
def query_added(q, k, v, mask=None):
    """A residual connection, where the widths match."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    return output + np.asarray(q) if output.shape == np.shape(q) else output, weights


@wrong("attention")
def output_normalised(q, k, v, mask=None):
    """Each output is brought to length 1."""
    output, weights = _blend(_hide(_scores(q, k), mask), v)
    return output / np.maximum(np.linalg.norm(output, axis=-1, keepdims=True), 1e-300), weights


@wrong("attention")
def nobody_hears_oneself(q, k, v, mask=None):
    """The diagonal is hidden where T = S: 'a word knows itself already'."""
    scores = _hide(_scores(q, k), mask)
    T, S = scores.shape[-2:]
    return _blend(np.where(np.eye(T, dtype=bool), -np.inf, scores) if T == S else scores, v)


@wrong("attention")
def low_weights_dropped(q, k, v, mask=None):
    """Weights under 0.01 are set to 0 before the blend."""
    weights = _weights(_hide(_scores(q, k), mask))
    weights = np.where(weights < 0.01, 0.0, weights)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def weights_rounded(q, k, v, mask=None):
    """Three decimals, before the blend."""
    weights = _weights(_hide(_scores(q, k), mask)).round(3)
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def scores_capped(q, k, v, mask=None):
    """Scores are clipped to ±10 against overflow."""
    return _blend(_hide(np.clip(_scores(q, k), -10, 10), mask), v)


@wrong("attention")
def in_single_precision(q, k, v, mask=None):
    """float32 all the way."""
    return tuple(a.astype(np.float32) for a in _blend(_hide(_scores(q, k), mask), v))


@wrong("attention")
def axes_of_length_one_squeezed(q, k, v, mask=None):
    """One query: (Dv,) in place of (1, Dv)."""
    return tuple(a.squeeze() for a in _blend(_hide(_scores(q, k), mask), v))


@wrong("attention")
def tensors(q, k, v, mask=None):
    """torch tensors."""
    return tuple(torch.from_numpy(a) for a in _blend(_hide(_scores(q, k), mask), v))


@wrong("attention")
def with_dropout(q, k, v, mask=None):
    """Every weight gets lost with probability 0.1, the others grow: training is never switched off."""
    weights = _weights(_hide(_scores(q, k), mask))
    weights = weights * (np.random.default_rng().random(weights.shape) >= 0.1) / 0.9
    return weights @ np.asarray(v, dtype=np.float64), weights


@wrong("attention")
def values_of_the_first_call(q, k, v, mask=None, known={}):
    """A cache of values by shape, filled once and never emptied."""
    return _blend(_hide(_scores(q, k), mask), known.setdefault(np.shape(v), np.array(v)))


@wrong("attention")
def scale_divided_again_and_again(q, k, v, mask=None, scale=[1.0]):
    """The scale is kept in a list and multiplied at each call: right at the first one only (and for D = 1)."""
    scale[0] = max(scale[0] / np.sqrt(np.shape(q)[-1]), 1e-3)
    return _blend(_hide(_products(q, k) * scale[0], mask), v)


# ── attention, right ────────────────────────────────────────────────────────────────────────────────────────


@right("attention")
def by_letters(q, k, v, mask=None):
    """einsum for both products, the hidden left out of the sum."""
    q, k, v = _floats(q, k, v)
    scores = np.einsum("...td,...sd->...ts", q, k) / np.sqrt(q.shape[-1])
    visible = np.broadcast_to(True if mask is None else mask, scores.shape)
    largest = scores.max(axis=-1, keepdims=True, where=visible, initial=np.finfo(float).min)
    e = np.exp(np.where(visible, scores - largest, -np.inf))
    weights = e / np.maximum(e.sum(axis=-1, keepdims=True), np.finfo(float).tiny)
    return np.einsum("...ts,...sv->...tv", weights, v), weights


@right("attention")
def query_by_query(q, k, v, mask=None):
    """Loops and math; hidden keys are never touched."""
    q, k, v = _floats(q, k, v)
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    (T, D), S = q.shape[-2:], k.shape[-2]
    q, k = np.broadcast_to(q, (*lead, T, D)), np.broadcast_to(k, (*lead, S, D))
    visible = np.broadcast_to(True if mask is None else mask, (*lead, T, S))
    weights = np.zeros((*lead, T, S))
    for i in np.ndindex(*lead, T):
        keys = [s for s in range(S) if visible[(*i, s)]]
        scores = [sum(a * b for a, b in zip(q[i], k[(*i[:-1], s)])) / math.sqrt(D) for s in keys]
        e = [math.exp(score - max(scores)) for score in scores]
        for s, one in zip(keys, e):
            weights[(*i, s)] = one / sum(e)
    return sum(weights[..., s, None] * v[..., None, s, :] for s in range(S)), weights


@right("attention")
def by_torch_step_by_step(q, k, v, mask=None):
    """torch: masked_fill, softmax, zeros for NaN."""
    q, k, v = (torch.from_numpy(a) for a in _floats(q, k, v))
    scores = (q @ k.mT) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~torch.tensor(np.asarray(mask)), float("-inf"))
    weights = scores.softmax(dim=-1).nan_to_num(0.0)
    return torch.matmul(weights, v).numpy(), weights.numpy()


@right("attention")
def by_torch_in_one(q, k, v, mask=None):
    """torch's scaled_dot_product_attention; the weights are its output for values that are the identity."""
    q, k, v = (torch.from_numpy(a) for a in _floats(q, k, v))
    lead = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    (T, D), S = q.shape[-2:], k.shape[-2]
    visible = torch.ones(T, S, dtype=torch.bool) if mask is None else torch.tensor(np.asarray(mask))
    weights = F.scaled_dot_product_attention(
        q.expand(*lead, T, D),
        k.expand(*lead, S, D),
        torch.eye(S, dtype=q.dtype).expand(*lead, S, S),
        attn_mask=visible.expand(*lead, T, S),
    )
    weights = torch.nan_to_num(weights, nan=0.0)
    return (weights @ v).numpy(), weights.numpy()


@right("attention")
def mask_as_a_sum(q, k, v, mask=None):
    """log of the mask added to the scores: 0 or −inf."""
    scores = _scores(q, k)
    if mask is not None:
        with np.errstate(divide="ignore"):
            scores = scores + np.log(np.asarray(mask, dtype=np.float64))
    log_total = np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isfinite(log_total), log_total, 0.0))
    return weights @ np.asarray(v, dtype=np.float64), weights


@right("attention")
def keys_one_after_another(q, k, v, mask=None):
    """A running blend, total and largest, corrected at each key."""
    scores = _hide(_scores(q, k), mask)
    (v,) = _floats(v)
    largest = np.full((*scores.shape[:-1], 1), np.finfo(float).min)
    total, blend = np.zeros_like(largest), 0.0
    for s in range(scores.shape[-1]):
        score = scores[..., s, None]
        new = np.maximum(largest, score)
        old, e = np.exp(largest - new), np.exp(score - new)
        total, blend, largest = total * old + e, blend * old + e * v[..., None, s, :], new
    total = np.where(total == 0, 1.0, total)
    return blend / total, np.exp(scores - largest) / total


@right("attention")
def divided_at_the_end(q, k, v, mask=None):
    """Masked after exp, by multiplication; the blend is divided by the sum last."""
    scores = _scores(q, k)
    visible = np.broadcast_to(True if mask is None else mask, scores.shape)
    largest = np.where(visible, scores, np.finfo(float).min).max(axis=-1, keepdims=True)
    e = np.exp(np.minimum(scores - largest, 0.0)) * visible
    total = np.maximum(e.sum(axis=-1, keepdims=True), np.finfo(float).tiny)
    return (e @ np.asarray(v, dtype=np.float64)) / total, e / total


@right("attention")
def one_matrix_at_a_time(q, k, v, mask=None):
    """np.vectorize with a signature runs matrices through a function of matrices."""
    q, k, v = _floats(q, k, v)
    scores = _scores(q, k)
    visible = np.broadcast_to(True if mask is None else mask, scores.shape)

    def weigh(scores, visible):
        weights = np.zeros(scores.shape)
        for row, seen, weight in zip(scores, visible, weights):
            if seen.any():
                weight[seen] = np.exp(row[seen] - row[seen].max())
                weight /= weight.sum()
        return weights

    weights = np.vectorize(weigh, signature="(t,s),(t,s)->(t,s)")(scores, visible)
    return np.vectorize(np.dot, signature="(t,s),(s,v)->(t,v)")(weights, v), weights
