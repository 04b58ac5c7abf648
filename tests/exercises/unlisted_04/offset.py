"""Answers to the exercise offset_score: wrong ones, then right ones by another road."""

import numpy as np
import torch

from tests.exercises.unlisted_04.shared import _diagonal, _score, right, wrong

# ── offset_score, wrong ─────────────────────────────────────────────────────────────────────────────────────


@wrong("offset_score")
def other_direction(weights, offset):
    """−1 is the next token: right for offset 0."""
    return _score(weights, -offset)


@wrong("offset_score")
def distance_without_a_direction(weights, offset):
    """|offset|: the previous token is looked for among the next ones."""
    return _score(weights, abs(offset))


@wrong("offset_score")
def both_directions(weights, offset):
    """The mean of offset and −offset."""
    return (_score(weights, offset) + _score(weights, -offset)) / 2


@wrong("offset_score")
def always_the_previous_token(weights, offset):
    """−1, whatever is asked."""
    return _score(weights, -1)


@wrong("offset_score")
def always_itself(weights, offset):
    """The main diagonal: offset is never used."""
    return _score(weights, 0)


@wrong("offset_score")
def one_further(weights, offset):
    """Counted from 1: offset 0 is the next token."""
    return _score(weights, offset + 1)


@wrong("offset_score")
def summed_not_averaged(weights, offset):
    """The sum of the weights: grows with the text."""
    return np.where(np.isnan(_score(weights, offset)), np.nan, _diagonal(weights, offset).sum(axis=-1))


@wrong("offset_score")
def divided_by_all_queries(weights, offset):
    """T in place of T − |offset|: right for offset 0."""
    score = _diagonal(weights, offset).sum(axis=-1) / np.shape(weights)[-1]
    return np.where(np.isnan(_score(weights, offset)), np.nan, score)


@wrong("offset_score")
def divided_by_t_minus_offset(weights, offset):
    """T − offset, which is T + 1 for the previous token: right for offsets from 0 on."""
    score = _diagonal(weights, offset).sum(axis=-1) / max(np.shape(weights)[-1] - offset, 1)
    return np.where(np.isnan(_score(weights, offset)), np.nan, score)


@wrong("offset_score")
def mean_of_a_matrix_of_zeros(weights, offset):
    """All other weights are set to 0, and all T² averaged."""
    T = np.shape(weights)[-1]
    return (np.asarray(weights) * np.eye(T, k=offset)).mean(axis=(-2, -1))


@wrong("offset_score")
def around_the_end(weights, offset):
    """The text is a ring: queries at the edge look at its other end."""
    T = np.shape(weights)[-1]
    return np.asarray(weights)[..., np.arange(T), (np.arange(T) + offset) % T].mean(axis=-1)


@wrong("offset_score")
def edge_queries_look_at_the_edge(weights, offset):
    """Keys outside are clipped to the first or the last one."""
    T = np.shape(weights)[-1]
    return np.asarray(weights)[..., np.arange(T), np.clip(np.arange(T) + offset, 0, T - 1)].mean(axis=-1)


@wrong("offset_score")
def negative_keys_count_from_the_end(weights, offset):
    """Python's w[-1] is the last key: only keys beyond the end are left out; right for offsets from 0 on."""
    w = np.asarray(weights, dtype=np.float64)
    T = w.shape[-1]
    found = [w[..., t, t + offset] for t in range(T) if -T <= t + offset < T]
    return np.mean(found, axis=0) if found else np.full(w.shape[:-2], np.nan)


@wrong("offset_score")
def query_0_left_out(weights, offset):
    """The first query is skipped for every offset, since it 'has no previous token': right for negative ones."""
    T = np.shape(weights)[-1]
    found = [np.asarray(weights)[..., t, t + offset] for t in range(1, T) if 0 <= t + offset < T]
    return np.mean(found, axis=0) if found else np.full(np.shape(weights)[:-2], np.nan)


@wrong("offset_score")
def last_query_left_out(weights, offset):
    """range(T − 1): right for positive offsets."""
    T = np.shape(weights)[-1]
    found = [np.asarray(weights)[..., t, t + offset] for t in range(T - 1) if 0 <= t + offset < T]
    return np.mean(found, axis=0) if found else np.full(np.shape(weights)[:-2], np.nan)


@wrong("offset_score")
def default_axes_of_diagonal(weights, offset):
    """np.diagonal's first two axes: right for one matrix."""
    diagonal = np.diagonal(np.asarray(weights), offset)
    return diagonal.mean(axis=-1) if diagonal.shape[-1] else np.full(diagonal.shape[:-1], np.nan)


@wrong("offset_score")
def one_number_for_all_heads(weights, offset):
    """The mean over everything: right for one matrix."""
    return np.asarray(_score(weights, offset)).mean()


@wrong("offset_score")
def one_number_for_each_query(weights, offset):
    """The diagonal itself, not averaged."""
    return _diagonal(weights, offset)


@wrong("offset_score")
def averaged_over_the_batch(weights, offset):
    """One number for each head, over all examples: right without a batch."""
    score = np.asarray(_score(weights, offset))
    return score.mean(axis=tuple(range(score.ndim - 1)))


@wrong("offset_score")
def only_the_first_head(weights, offset):
    """One matrix of many."""
    return _score(np.asarray(weights).reshape(-1, *np.shape(weights)[-2:])[0], offset)


@wrong("offset_score")
def heads_in_one_row(weights, offset):
    """Leading axes are flattened: right with one."""
    return np.ravel(_score(weights, offset))


@wrong("offset_score")
def an_axis_kept(weights, offset):
    """keepdims: (..., 1)."""
    return np.asarray(_score(weights, offset))[..., None]


@wrong("offset_score")
def batches_of_one_lost(weights, offset):
    """squeeze."""
    return np.squeeze(_score(weights, offset))


@wrong("offset_score")
def zero_where_there_is_no_key(weights, offset):
    """0 in place of NaN."""
    return np.nan_to_num(_score(weights, offset))


@wrong("offset_score")
def the_largest_weight(weights, offset):
    """max along the diagonal, not the mean."""
    return _diagonal(weights, offset).max(axis=-1, initial=0.0)


@wrong("offset_score")
def the_middle_weight(weights, offset):
    """The median: right for one or two queries, and close where a head is steady."""
    diagonal = _diagonal(weights, offset)
    return np.median(diagonal, axis=-1) if diagonal.shape[-1] else np.full(diagonal.shape[:-1], np.nan)


@wrong("offset_score")
def how_often_it_is_the_favourite(weights, offset):
    """The share of queries whose largest weight is there."""
    w = np.asarray(weights)
    T = w.shape[-1]
    t = np.arange(max(0, -offset), min(T, T - offset))
    hits = w.argmax(axis=-1)[..., t] == t + offset
    return hits.mean(axis=-1) if t.size else np.full(w.shape[:-2], np.nan)


@wrong("offset_score")
def share_of_the_whole_column(weights, offset):
    """Each weight relative to what its key gets from all queries: columns are taken for rows."""
    w = np.asarray(weights, dtype=np.float64)
    return _score(w / np.maximum(w.sum(axis=-2, keepdims=True), 1e-300), offset)


@wrong("offset_score")
def everything_within_reach(weights, offset):
    """The weight on all keys from the query to the offset, not on the last one: right for offset 0."""
    step = 1 if offset > 0 else -1
    return sum(_score(weights, between) for between in range(0, offset + step, step))


@wrong("offset_score")
def above_what_chance_gives(weights, offset):
    """1/T is subtracted."""
    return _score(weights, offset) - 1 / np.shape(weights)[-1]


@wrong("offset_score")
def in_percent(weights, offset):
    """0 to 100."""
    return 100 * _score(weights, offset)


@wrong("offset_score")
def two_decimals(weights, offset):
    """Rounded as in the table of the notebook."""
    return np.round(_score(weights, offset), 2)


@wrong("offset_score")
def score_in_single_precision(weights, offset):
    """float32."""
    return np.float32(_score(weights, offset))


@wrong("offset_score")
def whole_number_division(weights, offset):
    """// in place of /."""
    pairs = np.shape(weights)[-1] - abs(offset)
    return np.where(np.isnan(_score(weights, offset)), np.nan, _diagonal(weights, offset).sum(axis=-1) // max(pairs, 1))


@wrong("offset_score")
def scores_as_a_list(weights, offset):
    """A list of numbers."""
    return np.atleast_1d(_score(weights, offset)).tolist()


@wrong("offset_score")
def scores_as_a_tensor(weights, offset):
    """A torch tensor."""
    return torch.as_tensor(_score(weights, offset))


@wrong("offset_score")
def printed_alone(weights, offset):
    """Printed, not returned."""
    print(_score(weights, offset))


@wrong("offset_score")
def other_diagonals_erased(weights, offset):
    """Right score; the caller's weights are 0 beside the diagonal afterwards."""
    score = _score(weights, offset)
    weights *= np.eye(weights.shape[-1], k=offset)
    return score


@wrong("offset_score")
def offset_of_the_first_call(weights, offset, first=[]):
    """The first offset is kept for all later calls."""
    first.append(offset)
    return _score(weights, first[0])


@wrong("offset_score")
def mean_of_all_calls(weights, offset, seen={}):
    """Averaged with what earlier calls with this offset and shape gave."""
    scores = seen.setdefault((np.shape(weights), offset), [])
    scores.append(_score(weights, offset))
    return np.mean(scores, axis=0)


# ── offset_score, right ─────────────────────────────────────────────────────────────────────────────────────


@right("offset_score")
def query_after_query(weights, offset):
    """A list comprehension over the queries that have such a key."""
    w = np.asarray(weights, dtype=np.float64)
    T = w.shape[-1]
    found = [w[..., t, t + offset] for t in range(T) if 0 <= t + offset < T]
    return sum(found) / len(found) if found else np.full(w.shape[:-2], np.nan)


@right("offset_score")
def by_letters_with_an_eye(weights, offset):
    """einsum with a shifted identity, and 0/0 for no queries."""
    chosen = np.eye(np.shape(weights)[-1], k=offset)
    with np.errstate(invalid="ignore"):
        return np.einsum("...ts,ts->...", weights, chosen) / chosen.sum()


@right("offset_score")
def head_by_head_in_plain_python(weights, offset):
    """Loops and floats."""
    w = np.asarray(weights)
    scores = np.empty(w.shape[:-2])
    for head in np.ndindex(scores.shape):
        total, count = 0.0, 0
        for t, row in enumerate(w[head].tolist()):
            for s, weight in enumerate(row):
                if s - t == offset:
                    total, count = total + weight, count + 1
        scores[head] = total / count if count else float("nan")
    return scores


@right("offset_score")
def torch_diagonal_inside(weights, offset):
    """torch.diagonal; its mean of nothing is NaN."""
    w = torch.tensor(np.asarray(weights, dtype=np.float64))
    T = w.shape[-1]
    return (w.diagonal(max(-T, min(T, offset)), dim1=-2, dim2=-1)).mean(dim=-1).numpy()


@right("offset_score")
def by_a_trace(weights, offset):
    """np.trace over the number of pairs."""
    w = np.asarray(weights, dtype=np.float64)
    pairs = w.shape[-1] - abs(offset)
    total = np.trace(w, offset, axis1=-2, axis2=-1)
    return total / pairs if pairs > 0 else total + np.nan


@right("offset_score")
def by_cutting_corners(weights, offset):
    """Rows and columns are cut so that the wanted diagonal is the main one."""
    w = np.asarray(weights, dtype=np.float64)
    w = w[..., :, offset:] if offset >= 0 else w[..., -offset:, :]
    n = min(w.shape[-2:])
    i = np.arange(n)
    return w[..., i, i].sum(axis=-1) / n if n else np.full(w.shape[:-2], np.nan)


@right("offset_score")
def by_a_mask_and_where(weights, offset):
    """A table of who is how far from whom; counts and totals over it."""
    t = np.arange(np.shape(weights)[-1])
    chosen = np.broadcast_to(t - t[:, None] == offset, np.shape(weights))
    count = chosen.sum(axis=(-2, -1))
    total = np.where(chosen, weights, 0.0).sum(axis=(-2, -1))
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


@right("offset_score")
def by_a_longer_row(weights, offset):
    """A flat matrix holds its diagonal every T + 1 numbers."""
    w = np.asarray(weights, dtype=np.float64)
    T = w.shape[-1]
    if abs(offset) >= T:
        return np.full(w.shape[:-2], np.nan)
    flat = w.reshape(*w.shape[:-2], T * T)
    start = offset if offset >= 0 else -offset * T
    return flat[..., start :: T + 1][..., : T - abs(offset)].mean(axis=-1)
