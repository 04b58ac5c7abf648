"""Right answers to chapter 03's exercises that look different: a check must pass every one of them."""

import math

import numpy as np
import torch


def softmax_by_rows(x, axis=-1):
    """Row by row, each with its own maximum; a row of nothing but −inf on its own."""

    def row(scores):
        if np.isneginf(scores).all():
            return np.zeros(len(scores))
        e = np.exp(scores - max(scores))
        return e / sum(e)

    return np.apply_along_axis(row, axis, np.asarray(x, float))


def softmax_through_logarithms(x, axis=-1):
    """exp(x − log Σ exp x), the sum in one step."""
    x = np.asarray(x, float)
    log_total = np.logaddexp.reduce(x, axis=axis, keepdims=True)
    return np.exp(x - np.where(np.isneginf(log_total), 0, log_total))


def softmax_by_torch(x, axis=-1):
    """PyTorch's own, with zeros for the rows that it makes NaN of."""
    return torch.nan_to_num(torch.tensor(np.asarray(x, float)).softmax(axis), nan=0.0).numpy()


def softmax_cleaned_up_afterwards(x, axis=-1):
    """NaN is let happen, and becomes 0 at the end."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return np.nan_to_num(e / np.sum(e, axis=axis, keepdims=True))


SOFTMAX = (softmax_by_rows, softmax_through_logarithms, softmax_by_torch, softmax_cleaned_up_afterwards)


def scores_by_einsum(q, k):
    """The index form of the matrix product."""
    return np.einsum("...td,...sd->...ts", q, k) / np.sqrt(q.shape[-1])


def scores_with_the_query_scaled_first(q, k):
    """Scaling q alone is scaling the product."""
    return (q * q.shape[-1] ** -0.5) @ np.swapaxes(k, -2, -1)


def scores_one_by_one(q, k):
    """Every query with every key, in a loop; leading axes by recursion."""
    if q.ndim > 2:
        return np.stack([scores_one_by_one(*pair) for pair in zip(q, k)])
    return np.array([[sum(a * b for a, b in zip(query, key)) / math.sqrt(len(query)) for key in k] for query in q])


SCORES = (scores_by_einsum, scores_with_the_query_scaled_first, scores_one_by_one)


def causal_by_comparison(T):
    """Row number against column number."""
    return np.arange(T)[:, None] >= np.arange(T)


def causal_by_loops(T):
    """The definition, cell by cell."""
    mask = np.zeros((T, T), dtype=bool)
    for query in range(T):
        mask[query, : query + 1] = True
    return mask


def causal_without_the_upper_triangle(T):
    """Everything but what lies above the diagonal."""
    return ~np.triu(np.ones((T, T), bool), 1)


CAUSAL = (causal_by_comparison, causal_by_loops, causal_without_the_upper_triangle)


def padding_row_by_row(lengths, T):
    """One row an example."""
    return np.array([[t < length for t in range(T)] for length in lengths])


def padding_by_outer(lengths, T):
    """Every length against every position."""
    return np.greater.outer(lengths, np.arange(T))


PADDING = (padding_row_by_row, padding_by_outer)


def window_by_triangles(T, width):
    """A lower triangle less a lower one."""
    ones = np.ones((T, T), bool)
    return np.tril(ones) & ~np.tril(ones, -width)


def window_by_loops(T, width):
    """Each query's own slice."""
    mask = np.zeros((T, T), bool)
    for t in range(T):
        mask[t, max(0, t - width + 1) : t + 1] = True
    return mask


WINDOW = (window_by_triangles, window_by_loops)


def attention_renormalised(q, k, v, mask=None):
    """Masked after the softmax, then divided by the row's sum: the same as −inf before it."""
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    allowed = np.ones_like(scores) if mask is None else np.broadcast_to(mask, scores.shape)
    highest = np.where(allowed, scores, -np.inf).max(axis=-1, keepdims=True)
    e = np.exp(scores - np.where(np.isneginf(highest), 0, highest)) * allowed
    total = e.sum(axis=-1, keepdims=True)
    weights = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    return weights @ v, weights


def attention_query_by_query(q, k, v, mask=None):
    """Loops over queries; leading axes by recursion."""
    if q.ndim > 2:
        masks = [None] * len(q) if mask is None else np.broadcast_to(mask, (*q.shape[:-1], k.shape[-2]))
        parts = [attention_query_by_query(*part) for part in zip(q, k, v, masks)]
        return np.stack([output for output, _ in parts]), np.stack([weights for _, weights in parts])
    may_look = np.ones((len(q), len(k)), bool) if mask is None else np.broadcast_to(mask, (len(q), len(k)))
    weights = np.zeros((len(q), len(k)))
    for i, query in enumerate(q):
        open_keys = np.flatnonzero(may_look[i])
        if len(open_keys):
            scores = k[open_keys] @ query / math.sqrt(len(query))
            e = np.exp(scores - scores.max())
            weights[i, open_keys] = e / e.sum()
    return weights @ v, weights


def attention_in_torch(q, k, v, mask=None):
    """Tensors inside, arrays outside; −1e9 for what is hidden, and empty rows set to zero."""
    q, k, v = (torch.tensor(np.asarray(a, float)) for a in (q, k, v))
    scores = torch.einsum("...td,...sd->...ts", q, k) / q.shape[-1] ** 0.5
    if mask is not None:
        mask = torch.tensor(np.asarray(mask)).expand(scores.shape)
        scores = scores.masked_fill(~mask, -1e9)
    weights = scores.softmax(dim=-1)
    if mask is not None:
        weights = weights * mask.any(-1, keepdim=True)
    return (weights @ v).numpy(), weights.numpy()


ATTENTION = (attention_renormalised, attention_query_by_query, attention_in_torch)

# Two decimals are asked for; more are right as well, and so is any kind of sequence.
TRACE = ([0.73, 12.69], (0.7311, 12.6894), np.array([0.731, 12.689]))
