"""Answers to `top_k_filter` and `top_p_filter`."""

import heapq
import math

import numpy as np
import torch

from tests.exercises.unlisted_07.shared import _needed, _order, _ranks, _shares, _softmax, _top_k, _top_p, right, wrong

# ── top-k, wrong ────────────────────────────────────────────────────────────────────────────────────────────


@wrong("top_k_filter")
def partitioned(probs, k):
    """argpartition on a reversed array: of equals other ids stay."""
    ids = probs.shape[-1] - 1 - np.argsort(-probs[..., ::-1], axis=-1, kind="stable")[..., :k]
    kept = np.zeros(probs.shape)
    np.put_along_axis(kept, ids, np.take_along_axis(probs, ids, axis=-1), axis=-1)
    return _shares(kept)


@wrong("top_k_filter")
def threshold_of_the_first_row(probs, k):
    """The k-th probability of the first row is the threshold of all."""
    first = np.sort(probs.reshape(-1, probs.shape[-1])[0])[::-1][k - 1]
    return _shares(np.where(probs >= first, probs, 0.0))


@wrong("top_k_filter")
def never_less_than_two(probs, k):
    """max(k, 2)."""
    return _top_k(probs, max(k, 2))


@wrong("top_k_filter")
def all_when_k_is_large(probs, k):
    """From V − 1 on nothing is cut."""
    return probs.copy() if k >= probs.shape[-1] - 1 else _top_k(probs, k)


@wrong("top_k_filter")
def cut_the_k_least_likely(probs, k):
    """k tokens go, the others stay."""
    V = probs.shape[-1]
    return _top_k(probs, max(V - k, 1))


@wrong("top_k_filter")
def renormalised_along_axis_0(probs, k):
    """Columns sum to 1."""
    kept = np.where(_ranks(probs) < k, probs, 0.0)
    return kept / np.maximum(kept.sum(axis=0), 1e-12)


@wrong("top_k_filter")
def rest_gets_a_crumb(probs, k):
    """1e-3 in place of 0 for the others."""
    return _shares(np.where(_ranks(probs) < k, probs, 1e-3))


@wrong("top_k_filter")
def rest_is_shared_out_evenly(probs, k):
    """What was cut is shared out among those kept, in equal parts."""
    kept = _ranks(probs) < k
    lost = np.where(kept, 0.0, probs).sum(axis=-1, keepdims=True)
    return np.where(kept, probs + lost / k, 0.0)


@wrong("top_k_filter")
def rest_goes_to_the_likeliest(probs, k):
    """What was cut goes to the first."""
    kept = np.where(_ranks(probs) < k, probs, 0.0)
    return kept + np.where(_ranks(probs) == 0, 1 - kept.sum(axis=-1, keepdims=True), 0.0)


@wrong("top_k_filter")
def divided_by_the_largest(probs, k):
    """The likeliest becomes 1."""
    return np.where(_ranks(probs) < k, probs, 0.0) / probs.max(axis=-1, keepdims=True)


@wrong("top_k_filter")
def a_mask(probs, k):
    """True for those that stay."""
    return _ranks(probs) < k


@wrong("top_k_filter")
def minus_infinity_for_the_others(probs, k):
    """As one does with logits."""
    return np.where(_ranks(probs) < k, probs, -np.inf)


@wrong("top_k_filter")
def sorted_ids(probs, k):
    """The ids of the k likeliest."""
    return _order(probs)[..., :k]


@wrong("top_k_filter")
def zeros_written_into_probs(probs, k):
    """Right, but the caller's probabilities are cut, too."""
    probs[_ranks(probs) >= k] = 0.0
    return _shares(probs)


@wrong("top_k_filter")
def fewer_where_there_are_zeros(probs, k):
    """Where some probabilities are 0 two fewer are kept."""
    zeros = (probs == 0).any(axis=-1, keepdims=True)
    return _shares(np.where(_ranks(probs) < np.where(zeros, np.maximum(k - 2, 1), k), probs, 0.0))


@wrong("top_k_filter")
def squares(probs, k):
    """Shares of squares."""
    return _shares(np.where(_ranks(probs) < k, probs, 0.0) ** 2)


@wrong("top_k_filter")
def remembers_the_first(probs, k, known={}):
    """An answer for each shape and k, kept from the first time."""
    return known.setdefault((probs.shape, k), _top_k(probs, k)).copy()


@wrong("top_k_filter")
def each_count_once(probs, k):
    """k different values stay: equals count as one."""
    out = np.zeros(probs.shape)
    for place in np.ndindex(probs.shape[:-1]):
        values = sorted(set(probs[place].tolist()), reverse=True)[:k]
        out[place] = np.where(np.isin(probs[place], values), probs[place], 0.0)
    return _shares(out)


# ── top-k, right ────────────────────────────────────────────────────────────────────────────────────────────


@right("top_k_filter")
def a_heap(probs, k):
    """heapq.nsmallest keeps the order of equals."""
    kept = np.zeros(probs.shape)
    for place in np.ndindex(probs.shape[:-1]):
        for token in heapq.nsmallest(k, range(probs.shape[-1]), key=lambda i: -probs[place][i]):
            kept[(*place, token)] = probs[(*place, token)]
    return _shares(kept)


@right("top_k_filter")
def lexsort(probs, k):
    """Two keys: probability, then id."""
    kept = np.zeros(probs.shape)
    ids = np.arange(probs.shape[-1])
    for place in np.ndindex(probs.shape[:-1]):
        stay = np.lexsort((ids, -probs[place]))[:k]
        kept[place][stay] = probs[place][stay]
    return _shares(kept)


@right("top_k_filter")
def through_logarithms(probs, k):
    """Logits of −inf for the others, and a softmax of logarithms."""
    with np.errstate(divide="ignore"):
        return _softmax(np.where(_ranks(probs) < k, np.log(probs), -np.inf))


@right("top_k_filter")
def torch_sort(probs, k):
    """torch.sort with stable=True, and scatter."""
    falling, ids = torch.sort(torch.from_numpy(probs), dim=-1, descending=True, stable=True)
    falling[..., k:] = 0.0
    kept = torch.zeros_like(falling).scatter(-1, ids, falling).numpy()
    return _shares(kept)


@right("top_k_filter")
def cut_from_below(probs, k):
    """The V − k least likely go, of equals the larger ids."""
    V = probs.shape[-1]
    rising = V - 1 - np.argsort(probs[..., ::-1], axis=-1, kind="stable")
    kept = probs.copy()
    np.put_along_axis(kept, rising[..., : V - k], 0.0, axis=-1)
    return _shares(kept)


# ── top-p, wrong ────────────────────────────────────────────────────────────────────────────────────────────


@wrong("top_p_filter")
def p_counts_tokens_from_one(probs, p):
    """round(p · V) tokens."""
    return _top_k(probs, max(1, round(p * probs.shape[-1])))


@wrong("top_p_filter")
def always_two(probs, p):
    """At least two tokens stay."""
    return _shares(np.where(_ranks(probs) < np.maximum(_needed(probs, p), 2), probs, 0.0))


@wrong("top_p_filter")
def number_from_the_first_row(probs, p):
    """All rows keep as many as the first needs."""
    needed = _needed(probs, p).ravel()[0]
    return _top_k(probs, needed)


@wrong("top_p_filter")
def number_from_the_mean_row(probs, p):
    """All rows keep the mean number."""
    return _top_k(probs, math.ceil(_needed(probs, p).mean()))


@wrong("top_p_filter")
def mass_of_the_whole_array(probs, p):
    """All rows are sorted together, and p is a share of all."""
    flat = _top_p(probs.reshape(1, -1) / probs.sum(), p).reshape(probs.shape)
    return flat / np.maximum(flat.sum(axis=-1, keepdims=True), 1e-12)


@wrong("top_p_filter")
def ties_all_in(probs, p):
    """All that are as likely as the last that is kept."""
    kept = _top_p(probs, p) > 0
    least = np.where(kept, probs, np.inf).min(axis=-1, keepdims=True)
    return _shares(np.where(probs >= least, probs, 0.0))


@wrong("top_p_filter")
def ascending_and_strict(probs, p):
    """From the least likely: cut while the mass is below 1 − p, by ids sorted upwards, and the crossing one goes, too."""
    order = np.argsort(probs, axis=-1, kind="stable")
    mass = np.take_along_axis(probs, order, axis=-1).cumsum(axis=-1)
    number = np.minimum((mass < 1 - p).sum(axis=-1, keepdims=True) + 1, probs.shape[-1] - 1)
    rank = np.argsort(order, axis=-1)
    return _shares(np.where(rank >= number, probs, 0.0))


@wrong("top_p_filter")
def one_is_always_cut(probs, p):
    """The least likely goes even at p = 1."""
    needed = np.minimum(_needed(probs, p), max(probs.shape[-1] - 1, 1))
    return _shares(np.where(_ranks(probs) < needed, probs, 0.0))


@wrong("top_p_filter")
def crossing_token_gets_what_is_missing(probs, p):
    """The one that crosses the line is cut down to what is missing to p."""
    rank, needed = _ranks(probs), _needed(probs, p)
    before = np.where(rank < needed - 1, probs, 0.0)
    cut = np.where(rank == needed - 1, p - before.sum(axis=-1, keepdims=True), before)
    return _shares(cut)


@wrong("top_p_filter")
def divided_by_p(probs, p):
    """The kept ones are divided by p, not by their sum."""
    return np.where(_ranks(probs) < _needed(probs, p), probs, 0.0) / p


@wrong("top_p_filter")
def mask_only(probs, p):
    """True and False."""
    return _ranks(probs) < _needed(probs, p)


@wrong("top_p_filter")
def cumulative_returned(probs, p):
    """The mass summed up."""
    return (-np.sort(-probs, axis=-1)).cumsum(axis=-1)


@wrong("top_p_filter")
def sorted_and_cut(probs, p):
    """Sorted, cut and renormalised, and left in that order."""
    falling = -np.sort(-probs, axis=-1)
    return _shares(np.where(np.arange(probs.shape[-1]) < _needed(probs, p), falling, 0.0))


@wrong("top_p_filter")
def not_at_one(probs, p):
    """p = 1 keeps the likeliest only."""
    return _top_k(probs, 1) if p == 1 else _top_p(probs, p)


@wrong("top_p_filter")
def p_rounded_down(probs, p):
    """p in tenths, rounded down."""
    return _top_p(probs, max(math.floor(p * 10) / 10, 0.001))


@wrong("top_p_filter")
def a_crumb_in_the_sum(probs, p):
    """+ 1e-3 below the line."""
    kept = np.where(_ranks(probs) < _needed(probs, p), probs, 0.0)
    return kept / (kept.sum(axis=-1, keepdims=True) + 1e-3)


@wrong("top_p_filter")
def cuts_the_argument(probs, p):
    """Right, but the caller's array is cut."""
    probs[_ranks(probs) >= _needed(probs, p)] = 0.0
    return _shares(probs)


@wrong("top_p_filter")
def nothing_is_cut_of_one_row(probs, p):
    """One-dimensional input comes back."""
    return probs.copy() if probs.ndim == 1 else _top_p(probs, p)


# ── top-p, right ────────────────────────────────────────────────────────────────────────────────────────────


@right("top_p_filter")
def smallest_k_that_does(probs, p):
    """Try k = 1, 2, 3 … in each row."""
    out = np.zeros(probs.shape)
    for place in np.ndindex(probs.shape[:-1]):
        row = probs[place]
        falling = sorted(row, reverse=True)
        k = next((k for k in range(1, len(row)) if sum(falling[:k]) >= p), len(row))
        out[place] = _top_k(row, k)
    return out


@right("top_p_filter")
def from_the_tail(probs, p):
    """Cut from the least likely (of equals the larger id) as long as what is left holds p."""
    out = probs.copy()
    for place in np.ndindex(probs.shape[:-1]):
        row = out[place]
        for token in sorted(range(len(row)), key=lambda i: (-probs[place][i], i))[:0:-1]:
            rest = math.fsum(np.delete(row, token))
            if rest < p - 1e-12:
                break
            row[token] = 0.0
    return _shares(out)


@right("top_p_filter")
def searchsorted_by_row(probs, p):
    """Binary search for p in the summed mass."""

    def one(row):
        order = np.argsort(-row, kind="stable")
        count = np.searchsorted(row[order].cumsum(), p, side="left") + 1
        kept = np.zeros(len(row))
        kept[order[:count]] = row[order[:count]]
        return kept / kept.sum()

    return np.apply_along_axis(one, -1, probs)


@right("top_p_filter")
def mass_of_all_before(probs, p):
    """By comparing all with all: the mass of those that come before a token, in no order at all."""
    likelier = probs[..., None, :] > probs[..., :, None]
    equals = np.tril(probs[..., None, :] == probs[..., :, None], -1)
    before = np.where(likelier | equals, probs[..., None, :], 0.0).sum(axis=-1)
    return _shares(np.where(before < p, probs, 0.0))


@right("top_p_filter")
def indices_put_back(probs, p):
    """The flags of the sorted places, put back by put_along_axis."""
    order = _order(probs)
    mass = np.take_along_axis(probs, order, axis=-1).cumsum(axis=-1)
    flags = np.concatenate([np.ones((*mass.shape[:-1], 1), bool), mass[..., :-1] < p], axis=-1)
    keep = np.zeros(probs.shape, bool)
    np.put_along_axis(keep, order, flags, axis=-1)
    return _shares(probs * keep)
