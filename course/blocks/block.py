r"""The block: words listen to each other, then each thinks by itself; both times the result is added to what was there.

    pre-norm    x = x + attention(norm(x))            Radford et al. 2019 (GPT-2), section 2.3; Xiong et al. 2020,
                x = x + feed_forward(norm(x))         arXiv 2002.04745
    post-norm   x = norm(x + attention(x))            Vaswani et al. 2017, arXiv 1706.03762, section 3.1; BERT
                x = norm(x + feed_forward(x))
    document    h = FFN(x + Attention(Q, K, V))       as the document that this course takes apart writes it

What is added to, and never replaced, is the **residual stream** x (..., T, C).  In a pre-norm block it runs through
untouched: with parts that give 0 the block is the identity, however many there are.

The hand version comes first (NumPy, float64): `self_attention`, `block`, `block_steps`, `post_norm_block`,
`document_block`.  The layers follow (PyTorch): `PreNormBlock`, `PostNormBlock`, `DocumentBlock`.

The parameters of one block by hand are a dict of arrays; matrices stand to the right of x, as in x @ W_Q:

    gamma_1, beta_1 (C,)   W_Q, W_K, W_V, W_O (C, C)   b_Q, b_K, b_V, b_O (C,)             norm and attention
    gamma_2, beta_2 (C,)   W_1 (C, F_)   b_1 (F_,)   W_2 (F_, C)   b_2 (C,)                norm and feed-forward part
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from course.blocks.attention import MultiHeadAttention, attention_steps, merge_heads, split_heads
from course.blocks.feed_forward import FeedForward, feed_forward, gelu_tanh
from course.blocks.norm import LayerNorm, layer_norm

# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────

Parameters = Mapping[str, np.ndarray]
Array = np.ndarray


class AttentionPart(NamedTuple):
    """What `self_attention_steps` returns: every intermediate, in order."""

    q: Array  # (..., H, T, D)  turned, where positions are rotary
    k: Array  # (..., H, T, D)
    v: Array  # (..., H, T, D)
    scores: Array  # (..., H, T, T)  q·k / √D
    weights: Array  # (..., H, T, T)  each row sums to 1
    heads: Array  # (..., H, T, D)  what each head found
    output: Array  # (..., T, C)  put side by side and mixed by W_O


def self_attention(x, parameters: Parameters, n_heads: int, mask=None, turn: Callable | None = None) -> Array:
    """Many heads look at the text itself: the four maps with their biases, and `turn` for rotary positions.

    x: (..., T, C);  parameters: W_Q, W_K, W_V, W_O (C, C), b_Q, b_K, b_V, b_O (C,);
    mask: None or bool, broadcastable to (..., H, T, T), True = may look;
    turn: None, or what turns queries and keys (..., H, T, D), as `lambda a: rotate(a, positions)`; values are not turned.
    Returns (..., T, C) float64.
    """
    return self_attention_steps(x, parameters, n_heads, mask, turn).output


def self_attention_steps(x, parameters: Parameters, n_heads: int, mask=None, turn: Callable | None = None) -> AttentionPart:
    """The same as `self_attention`, with every intermediate by name."""
    x, p = np.asarray(x, dtype=np.float64), parameters
    q, k, v = (split_heads(x @ p[f"W_{a}"] + p[f"b_{a}"], n_heads) for a in "QKV")  # (..., H, T, D) each
    if turn is not None:
        q, k = turn(q), turn(k)
    steps = attention_steps(q, k, v, mask)
    output = merge_heads(steps.output) @ p["W_O"] + p["b_O"]  # (..., T, C)
    return AttentionPart(q, k, v, steps.scores, steps.weights, steps.output, output)


def block(x, parameters: Parameters, n_heads: int, mask=None, *, activation: Callable = gelu_tanh, eps: float = 1e-5,
          turn: Callable | None = None) -> Array:  # fmt: skip
    """A pre-norm block: two lines, and in both the residual stream is added to.

        x = x + attention(norm(x))        x = x + feed_forward(norm(x))

    x: (..., T, C);  parameters: see the top of this file;  n_heads: H;
    mask: None or bool, broadcastable to (..., H, T, T), True = may look, as `causal_mask(T)`;
    activation: array → array, the feed-forward part's bend;  eps: both norms';  turn: see `self_attention`.
    Returns (..., T, C) float64.
    Raises ValueError when shapes do not fit, TypeError when the mask is not boolean.
    """
    p, x = parameters, np.asarray(x, dtype=np.float64)
    x = x + self_attention(layer_norm(x, p["gamma_1"], p["beta_1"], eps), p, n_heads, mask, turn)
    x = x + feed_forward(layer_norm(x, p["gamma_2"], p["beta_2"], eps), p["W_1"], p["b_1"], p["W_2"], p["b_2"], activation)
    return x


# ── the layers ──────────────────────────────────────────────────────────────────────────────────────────────


class _Block(nn.Module):
    """What all blocks have: the two parts.  Their arguments and `forward`'s are described at `PreNormBlock`."""

    needs_final_norm: bool

    def __init__(self, d_model: int, n_heads: int, d_ff: int, activation: str = "gelu_tanh", eps: float = 1e-5,
                 bias: bool = True, rotary: nn.Module | None = None):  # fmt: skip
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads, bias=bias, rotary=rotary)
        self.feed_forward = FeedForward(d_model, d_ff, activation, bias)


class PreNormBlock(_Block):
    """`block` as a layer: x = x + attention(norm_1(x)), x = x + feed_forward(norm_2(x)).

    d_model: C;  n_heads: H;  d_ff: F_;  activation: a name of `ACTIVATIONS`;  eps: both norms';  bias: whether linear
    maps and norms have one;  rotary: None, or a RotaryPositions for queries and keys.
    Parameters: 4·C² + 2·C·F_, and where there are biases 9·C + F_ more for norms' gains and all biases.

    `forward(x, mask, causal=, positions=)`: x (B, T, C) and back; the others are MultiHeadAttention's: a boolean mask,
    True = may look, or causal=True for a text that is written from left to right.
    A stack of them ends with one more norm: nothing has brought the sum in the residual stream back to size.
    """

    needs_final_norm = True

    def __init__(self, d_model: int, n_heads: int, d_ff: int, activation: str = "gelu_tanh", eps: float = 1e-5,
                 bias: bool = True, rotary: nn.Module | None = None):  # fmt: skip
        super().__init__(d_model, n_heads, d_ff, activation, eps, bias, rotary)
        self.norm_1 = LayerNorm(d_model, eps, bias)
        self.norm_2 = LayerNorm(d_model, eps, bias)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None, *, causal: bool = False,
                positions: torch.Tensor | None = None) -> torch.Tensor:  # fmt: skip
        x = x + self.attention(self.norm_1(x), mask, causal=causal, positions=positions)
        x = x + self.feed_forward(self.norm_2(x))
        return x  # (B, T, C)


class PostNormBlock(_Block):
    """The block of "Attention Is All You Need" and of BERT: x = norm_1(x + attention(x)), x = norm_2(x + feed_forward(x)).

    Arguments as `PreNormBlock`.  Nothing passes a stack of them unchanged, and what comes out is normalised already.
    """

    needs_final_norm = False

    def __init__(self, d_model: int, n_heads: int, d_ff: int, activation: str = "gelu_tanh", eps: float = 1e-5,
                 bias: bool = True, rotary: nn.Module | None = None):  # fmt: skip
        super().__init__(d_model, n_heads, d_ff, activation, eps, bias, rotary)
        self.norm_1 = LayerNorm(d_model, eps, bias)
        self.norm_2 = LayerNorm(d_model, eps, bias)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None, *, causal: bool = False,
                positions: torch.Tensor | None = None) -> torch.Tensor:  # fmt: skip
        x = self.norm_1(x + self.attention(x, mask, causal=causal, positions=positions))
        x = self.norm_2(x + self.feed_forward(x))
        return x  # (B, T, C)


class DocumentBlock(_Block):
    """The document's formula to the letter: h = FFN(x + Attention(Q, K, V)), one residual addition and no norm.

    Arguments as `PreNormBlock`; eps is taken, so that all blocks are made alike, and of no use.
    """

    needs_final_norm = False

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None, *, causal: bool = False,
                positions: torch.Tensor | None = None) -> torch.Tensor:  # fmt: skip
        return self.feed_forward(x + self.attention(x, mask, causal=causal, positions=positions))  # (B, T, C)
