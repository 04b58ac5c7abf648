r"""Scaled dot-product attention: every word looks for others, weighs them, and takes a blend.

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V         Vaswani et al. 2017, arXiv 1706.03762, equation 1

The hand version comes first (NumPy, float64): `softmax`, masks, `attention_scores`, `attention`, and
`attention_steps`, which returns every intermediate by name.  The layer follows (PyTorch, batched, trainable): `attention_torch`
and `SelfAttention`.  Both take any number of leading axes, so one head, many heads and a batch of
examples are the same call.

Conventions, stated because others exist:
  * rows are queries, columns are keys: `weights[i, j]` is how much query i listens to key j;
  * a mask is boolean and **True means "may look"** (as in torch's scaled_dot_product_attention;
    in nn.MultiheadAttention True means the opposite);
  * a query with nothing to look at has weights 0 and output 0 (never NaN).

    >>> q = k = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> v = np.array([[10.0], [20.0]])
    >>> output, weights = attention(q, k, v, causal_mask(2))
    >>> weights.round(2)
    array([[1.  , 0.  ],
           [0.33, 0.67]])
    >>> output.round(2)
    array([[10. ],
           [16.7]])
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────


def softmax(x, axis: int = -1) -> np.ndarray:
    """Turn scores into weights: positive, and summing to 1 along `axis`.

    softmax(x)_i = exp(x_i) / Σ_j exp(x_j).  Adding a constant to all scores changes nothing, so the largest is
    subtracted first and exp never overflows.  A score of −inf gets weight 0; a row of nothing but −inf gets
    zeros, since there is nothing to choose from.

    x: any shape, float or int.  Returns float64 of the same shape.
    """
    x = np.asarray(x, dtype=np.float64)
    largest = x.max(axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isneginf(largest), 0.0, largest)  # −inf − (−inf) would be NaN
    e = np.exp(x - largest)
    total = e.sum(axis=axis, keepdims=True)
    return e / np.where(total == 0.0, 1.0, total)


def softmax_jacobian(weights) -> np.ndarray:
    """How the weights react to the scores: J[i, j] = ∂ weights_i / ∂ scores_j = weights_i · (δ_ij − weights_j).

    weights: (..., S), an output of `softmax` along the last axis.  Returns (..., S, S).
    Every entry is at most 1/4 in size, and all are 0 where one weight is 1: a softmax that is certain has
    stopped learning.
    """
    w = np.asarray(weights, dtype=np.float64)
    return w[..., :, None] * (np.eye(w.shape[-1]) - w[..., None, :])  # (..., S, S)


def causal_mask(T: int) -> np.ndarray:
    """Who may look at whom when text is written from left to right: query t at keys 0 … t.

    Returns (T, T) bool, True = may look; the diagonal is True, a word may always look at itself.
    """
    return np.tril(np.ones((T, T), dtype=bool))


def padding_mask(lengths, T: int) -> np.ndarray:
    """Which positions of a padded batch hold real tokens: position t of example b, if t < lengths[b].

    lengths: (B,) ints, each 0 … T.  Returns (B, T) bool, True = real.  To use it as a mask for (B, T, T) scores
    give it a query axis, `padding_mask(lengths, T)[:, None, :]`, and combine with `&`.
    Raises ValueError for a length outside 0 … T.
    """
    lengths = np.asarray(lengths)
    if ((lengths < 0) | (lengths > T)).any():
        raise ValueError(f"lengths must lie between 0 and T={T}, got {lengths.tolist()}")
    return np.arange(T) < lengths[:, None]  # (B, T)


def window_mask(T: int, width: int) -> np.ndarray:
    """A causal mask with a short memory: query t may look at the `width` keys that end with its own, t−width+1 … t.

    width: int ≥ 1; the word itself counts, so width 1 is each word alone and width T the whole causal mask.
    Returns (T, T) bool, True = may look.  With it the cost of attention grows with T · width in place of T²
    (sliding-window attention; Beltagy et al. 2020, arXiv 2004.05150; Jiang et al. 2023, arXiv 2310.06825).
    """
    t = np.arange(T)
    distance = t[:, None] - t  # (T, T)  how far back each key lies from each query
    return (distance >= 0) & (distance < width)


def attention_scores(q, k) -> np.ndarray:
    """How interesting each key is to each query: q kᵀ / √D.

    q: (..., T, D) queries;  k: (..., S, D) keys.  Returns (..., T, S), row = query, column = key, float64.
    """
    q, k = np.asarray(q, dtype=np.float64), np.asarray(k, dtype=np.float64)
    D = q.shape[-1]
    return q @ k.swapaxes(-1, -2) / math.sqrt(D)  # (..., T, S)


def attention(q, k, v, mask=None) -> tuple[np.ndarray, np.ndarray]:
    """Let every query look at all keys and take a weighted blend of the values.

        weights = softmax(q kᵀ / √D)        output = weights v         (arXiv 1706.03762, equation 1)

    q: (..., T, D) queries;  k: (..., S, D) keys;  v: (..., S, Dv) values;
    mask: None or bool, broadcastable to (..., T, S), True = may look.
    Returns output (..., T, Dv) and weights (..., T, S), float64.
    A query that may look at nothing has weights 0 and output 0.
    Raises ValueError when shapes do not fit, TypeError when the mask is not boolean.
    """
    q, k, v = (np.asarray(a, dtype=np.float64) for a in (q, k, v))
    mask = None if mask is None else np.asarray(mask)
    _check(q, k, v, mask)

    scores = attention_scores(q, k)  # (..., T, S)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    weights = softmax(scores)
    return weights @ v, weights  # (..., T, Dv), (..., T, S)


class AttentionSteps(NamedTuple):
    """Every intermediate of `attention`, in the order in which they arise."""

    products: np.ndarray  # (..., T, S)  q · k
    scores: np.ndarray  # (..., T, S)  products / √D
    masked_scores: np.ndarray  # (..., T, S)  −inf where the query may not look
    weights: np.ndarray  # (..., T, S)  each row sums to 1 (or to 0: nothing to look at)
    output: np.ndarray  # (..., T, Dv)


def attention_steps(q, k, v, mask=None) -> AttentionSteps:
    """`attention`, with every step kept: see there for arguments and errors."""
    output, weights = attention(q, k, v, mask)
    products = np.asarray(q, dtype=np.float64) @ np.asarray(k, dtype=np.float64).swapaxes(-1, -2)
    scores = attention_scores(q, k)
    masked_scores = scores if mask is None else np.where(mask, scores, -np.inf)
    return AttentionSteps(products, scores, masked_scores, weights, output)


def _check(q, k, v, mask) -> None:
    """One sentence for what does not fit, for arrays and tensors alike; broadcasting would hide most of it."""
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise ValueError(f"q, k, v need at least two axes (positions, width), got {q.ndim}, {k.ndim}, {v.ndim}")
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"queries and keys must be equally wide for a dot product, got {q.shape[-1]} and {k.shape[-1]}")
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"every key needs its value, got {k.shape[-2]} keys and {v.shape[-2]} values")
    if mask is None:
        return
    if mask.dtype not in (np.bool_, torch.bool):  # 0 and 1, or numbers to add, are other conventions: refuse, not guess
        raise TypeError(f"a mask is boolean, True = may look; got {mask.dtype}")
    scores = (*np.broadcast_shapes(q.shape[:-2], k.shape[:-2]), q.shape[-2], k.shape[-2])
    missing = len(scores) - mask.ndim
    if missing < 0 or any(m not in (1, s) for m, s in zip(mask.shape, scores[missing:])):
        raise ValueError(f"a mask must broadcast to the scores' shape {scores}, got {tuple(mask.shape)}")


# ── the layer ───────────────────────────────────────────────────────────────────────────────────────────────


def attention_torch(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None = None):
    """`attention` in PyTorch: same arguments, shapes and errors, differentiable, on any device.

    Returns output (..., T, Dv) and weights (..., T, S).  To train without looking at the weights,
    torch's fused scaled_dot_product_attention gives the same output in a fraction of the memory;
    `SelfAttention` uses it.
    """
    _check(q, k, v, mask)
    D = q.shape[-1]

    scores = q @ k.transpose(-1, -2) / math.sqrt(D)  # (..., T, S)
    if mask is None:
        weights = scores.softmax(-1)
    else:
        # The second fill is for rows with nothing to look at: a softmax of −inf alone is NaN, and these become 0.
        weights = scores.masked_fill(~mask, -torch.inf).softmax(-1).masked_fill(~mask, 0.0)
    return weights @ v, weights  # (..., T, Dv), (..., T, S)


class SelfAttention(nn.Module):
    """One head: queries, keys and values are three learned linear views of the same vectors.

    d_model: width C of the vectors that come in;  d_head: width D of queries, keys and values.
    `forward(x, mask)` takes x (B, T, C) and a boolean mask broadcastable to (B, T, T), True = may look, and
    returns (B, T, D).  `attend(x, mask)` returns the output and the weights (B, T, T).
    Several heads and the way back to width C are MultiHeadAttention's, chapter 04.
    """

    def __init__(self, d_model: int, d_head: int):
        super().__init__()
        self.query = nn.Linear(d_model, d_head, bias=False)
        self.key = nn.Linear(d_model, d_head, bias=False)
        self.value = nn.Linear(d_model, d_head, bias=False)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        q, k, v = self.query(x), self.key(x), self.value(x)  # (B, T, D) each
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def attend(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """The same, slower, with the weights to look at."""
        return attention_torch(self.query(x), self.key(x), self.value(x), mask)
