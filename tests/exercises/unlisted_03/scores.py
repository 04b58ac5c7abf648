"""Answers to the exercise attention_scores: wrong ones, then right ones by another road."""

import itertools
import math

import numpy as np
import torch

from tests.exercises.unlisted_03.shared import _floats, _products, _scores, _weights, right, wrong

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
