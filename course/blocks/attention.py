r"""Scaled dot-product attention: every word looks for others, weighs them, and takes a blend.

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V         Vaswani et al. 2017, arXiv 1706.03762, equation 1

The hand version comes first (NumPy, float64): `softmax`, masks, `attention_scores`, `attention`,
`attention_steps`, which returns every intermediate by name, and `multi_head_attention`.  The layer follows
(PyTorch, batched, trainable): `attention_torch`, `SelfAttention`, `MultiHeadAttention`.  Both take any number of
leading axes, so one head, many heads and a batch of examples are the same call.

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
    give it a query axis, `padding_mask(lengths, T)[:, None, :]`, and combine with `&`; for many heads also an axis of
    heads, `padding_mask(lengths, T)[:, None, None, :]`.
    Raises ValueError for a length outside 0 … T.
    """
    lengths = np.asarray(lengths)
    if ((lengths < 0) | (lengths > T)).any():
        raise ValueError(f"lengths must lie between 0 and T={T}, got {lengths.tolist()}")
    return np.arange(T) < lengths[:, None]  # (B, T)


def window_mask(T: int, width: int) -> np.ndarray:
    """A causal mask with a short memory: query t may look at the `width` keys that end with its own, t−width+1 … t.

    width: int ≥ 1; the word itself counts, so width 1 is each word alone and width T the whole causal mask.
    Returns (T, T) bool, True = may look.  A program that skips what is hidden does T · width steps in place of T²
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
    _check_mask(mask, (*np.broadcast_shapes(q.shape[:-2], k.shape[:-2]), q.shape[-2], k.shape[-2]))


def _check_mask(mask, scores: tuple[int, ...]) -> None:
    """Refuse a mask that is not boolean or does not fit scores of this shape."""
    if mask is None:
        return
    if mask.dtype not in (np.bool_, torch.bool):  # 0 and 1, or numbers to add, are other conventions: refuse, not guess
        raise TypeError(f"a mask is boolean, True = may look; got {mask.dtype}")
    missing = len(scores) - mask.ndim
    if missing < 0 or any(m not in (1, s) for m, s in zip(mask.shape, scores[missing:])):
        raise ValueError(f"a mask must broadcast to the scores' shape {scores}, got {tuple(mask.shape)}")


# ── many heads by hand ──────────────────────────────────────────────────────────────────────────────────────


def split_heads(x, n_heads: int):
    """Cut the width into heads: (..., T, C) → (..., H, T, D), D = C / H.  For arrays and tensors alike.

    Head h gets features h·D … (h+1)·D−1 of every position.  First the width is cut, then the axes of positions and
    heads change places; one reshape to (..., H, T, D) has the right shape too, and mixes the positions.
    Raises ValueError where n_heads does not divide C.
    """
    *lead, T, C = x.shape
    return x.reshape(*lead, T, n_heads, _head_width(C, n_heads)).swapaxes(-3, -2)  # (..., H, T, D)


def merge_heads(x):
    """Put the heads side by side again, the way back from `split_heads`: (..., H, T, D) → (..., T, H·D)."""
    *lead, H, T, D = x.shape
    return x.swapaxes(-3, -2).reshape(*lead, T, H * D)  # (..., T, C)


def multi_head_attention(x, W_Q, W_K, W_V, W_O, n_heads: int, mask=None, memory=None) -> tuple[np.ndarray, np.ndarray]:
    """Let several heads look at the same text, each for something else, and mix what they found.

        head_h = attention(x W_Q_h, x W_K_h, x W_V_h)        output = concat(head_1 … head_H) W_O

    (arXiv 1706.03762, section 3.2.2).  Head h owns D of the columns of W_Q, W_K and W_V, and D rows of W_O.

    x: (..., T, C);  W_Q, W_K, W_V: (C, H·D);  W_O: (H·D, C);
    memory: None or (..., S, C), the text that keys and values come from (cross-attention); None is x itself;
    mask: None or bool, True = may look: (T, S) for all heads, or with every axis of the scores, (..., H, T, S), of
    which each may be 1.
    Returns output (..., T, C) and weights (..., H, T, S), float64.
    A bias of a projection is one more row of its matrix, for one more feature of x that is always 1.
    Raises ValueError when shapes do not fit or n_heads does not divide H·D, TypeError when the mask is not boolean.
    """
    x, W_Q, W_K, W_V, W_O = (np.asarray(a, dtype=np.float64) for a in (x, W_Q, W_K, W_V, W_O))
    memory = x if memory is None else np.asarray(memory, dtype=np.float64)
    mask = None if mask is None else np.asarray(mask)
    if not W_Q.shape[-1] == W_K.shape[-1] == W_V.shape[-1] == W_O.shape[0]:
        shapes = ", ".join(str(W.shape) for W in (W_Q, W_K, W_V, W_O))
        raise ValueError(f"W_Q, W_K, W_V need equally many columns and W_O as many rows, got {shapes}")
    D = _head_width(W_Q.shape[-1], n_heads)
    scores = (*np.broadcast_shapes(x.shape[:-2], memory.shape[:-2]), n_heads, x.shape[-2], memory.shape[-2])
    _check_head_mask(mask, scores)
    mask = np.broadcast_to(True if mask is None else mask, scores)  # (..., H, T, S)

    outputs, weights = [], []
    for h in range(n_heads):
        own = slice(h * D, (h + 1) * D)  # this head's columns
        q, k, v = x @ W_Q[:, own], memory @ W_K[:, own], memory @ W_V[:, own]  # (..., T, D), (..., S, D), (..., S, D)
        head_output, head_weights = attention(q, k, v, mask[..., h, :, :])
        outputs.append(head_output)
        weights.append(head_weights)
    concat = np.concatenate(outputs, axis=-1)  # (..., T, H·D)
    return concat @ W_O, np.stack(weights, axis=-3)  # (..., T, C), (..., H, T, S)


def _head_width(width: int, n_heads: int) -> int:
    if n_heads < 1 or width % n_heads:
        raise ValueError(f"heads must be equally wide: a width of {width} can't be cut into {n_heads}")
    return width // n_heads


def _check_head_mask(mask, scores: tuple[int, ...]) -> None:
    """`_check_mask`, and no guessing: whether (3, T, S) is for 3 examples or for 3 heads, the shape does not say."""
    if mask is not None and mask.ndim not in (2, len(scores)):
        raise ValueError(
            f"a mask for several heads has two axes, or all {len(scores)} of the scores {scores}; "
            f"got {tuple(mask.shape)}, and mask[:, None] gives an axis of heads to one that differs between examples"
        )
    _check_mask(mask, scores)


def _check_causal(causal: bool, mask, memory) -> None:
    """`causal` stands for a mask of its own, for a text that looks at itself."""
    if causal and not (mask is None and memory is None):
        raise ValueError("causal=True is a mask, for a text that looks at itself: give no other mask and no memory with it")


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
    Several heads and the way back to width C are `MultiHeadAttention`'s.
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


class MultiHeadAttention(nn.Module):
    """Several heads side by side, all computed at once, and a matrix that mixes what they found.

    d_model: width C, in and out;  n_heads: H, which must divide C;  bias: whether the four linear maps have one (BERT's
    do);  rotary: None, or a RotaryPositions of width C/H, which then turns queries and keys, never values; one may serve
    many layers.  Parameters: 4·C² (and 4·C biases), however many heads; so is the arithmetic, but for the softmax: H
    heads of width C/H cost what one of width C costs, and keep H times as many weights, H·T·S for each example.

    x: (B, T, C);  memory: None or (B, S, C), the text that keys and values come from (cross-attention); None is x;
    mask: None or bool, True = may look: (T, S) for all, or (B, H, T, S), where any axis may be 1.  Three axes are
    refused, since (3, T, S) may be meant for 3 examples or for 3 heads;
    causal: True is the mask `causal_mask(T)`, which is then never built, and half of the work is left out;
    positions: for rotary ones, None for 0 … T−1, or whole numbers (T,) or (B, T).

    `heads_on` (H,) is a switch for each head.  `layer.heads_on[2] = False` takes head 2 out: its part of the
    concatenation is 0, so `out` gets nothing from it.  It still looks (its weights are shown); it is not heard.  The
    switches are no parameters and are not saved.
    """

    def __init__(self, d_model: int, n_heads: int, bias: bool = False, rotary: nn.Module | None = None):
        super().__init__()
        _head_width(d_model, n_heads)  # refuses a width that can't be cut
        self.n_heads = n_heads
        self.rotary = rotary
        self.query = nn.Linear(d_model, d_model, bias=bias)
        self.key = nn.Linear(d_model, d_model, bias=bias)
        self.value = nn.Linear(d_model, d_model, bias=bias)
        self.out = nn.Linear(d_model, d_model, bias=bias)
        self.register_buffer("heads_on", torch.ones(n_heads, dtype=torch.bool), persistent=False)

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor | None = None, memory: torch.Tensor | None = None, *,
        causal: bool = False, positions: torch.Tensor | None = None,
    ) -> torch.Tensor:  # fmt: skip
        _check_causal(causal, mask, memory)
        q, k, v = self.heads(x, mask, memory, positions)
        return self._mix(F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal))  # (B, T, C)

    def attend(
        self, x: torch.Tensor, mask: torch.Tensor | None = None, memory: torch.Tensor | None = None, *,
        causal: bool = False, positions: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        """The same, slower, with the weights to look at.  Returns output (B, T, C) and weights (B, H, T, S)."""
        _check_causal(causal, mask, memory)
        T = x.shape[-2]
        mask = torch.ones(T, T, dtype=torch.bool, device=x.device).tril() if causal else mask
        z, weights = attention_torch(*self.heads(x, mask, memory, positions), mask)
        return self._mix(z), weights

    def heads(self, x, mask=None, memory=None, positions=None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Queries (B, H, T, D), keys and values (B, H, S, D), turned where positions are rotary; the mask is checked."""
        if self.rotary is not None and memory is not None:
            raise ValueError("rotary positions tell how far apart the words of one text are: there is no memory with them")
        memory = x if memory is None else memory
        linear = (self.query(x), self.key(memory), self.value(memory))  # (B, T, C), (B, S, C), (B, S, C)
        q, k, v = (split_heads(a, self.n_heads) for a in linear)
        _check_head_mask(mask, (*q.shape[:-1], k.shape[-2]))
        if self.rotary is not None:
            positions = torch.arange(x.shape[-2], device=x.device) if positions is None else positions
            q, k = self.rotary(q, positions), self.rotary(k, positions)
        return q, k, v

    def _mix(self, z: torch.Tensor) -> torch.Tensor:
        """Switch heads off, put the others side by side, mix.  z: (B, H, T, D).  Returns (B, T, C)."""
        if z.is_cuda or not self.heads_on.all():  # a GPU is not asked: it would have to finish first
            z = z.masked_fill(~self.heads_on[:, None, None], 0.0)
        return self.out(merge_heads(z))
