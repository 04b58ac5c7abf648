"""Answers to the exercise attention: wrong ones, then right ones by another road."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from tests.exercises.unlisted_03.shared import _floats, _hide, _products, _scores, _weights, right, wrong

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
