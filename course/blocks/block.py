r"""The block: words listen to each other, then each thinks by itself; both times the result is added to what was there.

    pre-norm    x = x + attention(norm(x))            Radford et al. 2019 (GPT-2), section 2.3; Xiong et al. 2020,
                x = x + feed_forward(norm(x))         arXiv 2002.04745
    post-norm   x = norm(x + attention(x))            Vaswani et al. 2017, arXiv 1706.03762, section 3.1; BERT
                x = norm(x + feed_forward(x))
    document    h = FFN(x + Attention(Q, K, V))       as the document that this course takes apart writes it

What is added to, and never replaced, is the **residual stream** x (..., T, C).  In a pre-norm block it runs through
untouched: with parts that give 0 the block is the identity, however many there are.

The hand version comes first (NumPy, float64): `self_attention`, `block` and `block_steps`, `post_norm_block`,
`document_block`.  The layers follow (PyTorch): `PreNormBlock`, `PostNormBlock`, `DocumentBlock`, and
`parameters_by_hand`, which carries a layer's parameters over to the hand versions.

The parameters of one block by hand are a dict of arrays; matrices stand to the right of x, as in x @ W_Q:

    gamma_1, beta_1 (C,)   W_Q, W_K, W_V, W_O (C, C)   b_Q, b_K, b_V, b_O (C,)             norm and attention
    gamma_2, beta_2 (C,)   W_1 (C, F_)   b_1 (F_,)   W_2 (F_, C)   b_2 (C,)                norm and feed-forward part
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from course.blocks.attention import MultiHeadAttention, _check_head_mask, attention_steps, merge_heads, split_heads
from course.blocks.feed_forward import FeedForward, feed_forward, gelu_tanh
from course.blocks.norm import LayerNorm, layer_norm

# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────

Parameters = Mapping[str, np.ndarray]

# What a block learns, and the axes of each: C the width, F the neurons.
_NORM_1, _NORM_2 = {"gamma_1": "C", "beta_1": "C"}, {"gamma_2": "C", "beta_2": "C"}
_ATTENTION = {f"W_{a}": "CC" for a in "QKVO"} | {f"b_{a}": "C" for a in "QKVO"}
_FEED_FORWARD = {"W_1": "CF", "b_1": "F", "W_2": "FC", "b_2": "C"}
_ALL = _NORM_1 | _ATTENTION | _NORM_2 | _FEED_FORWARD


class AttentionPart(NamedTuple):
    """What `self_attention_steps` returns: every intermediate, in order."""

    q: np.ndarray  # (..., H, T, D)  turned, where positions are rotary
    k: np.ndarray  # (..., H, T, D)
    v: np.ndarray  # (..., H, T, D)
    scores: np.ndarray  # (..., H, T, T)  q·k / √D, before the mask
    weights: np.ndarray  # (..., H, T, T)  each row sums to 1
    heads: np.ndarray  # (..., H, T, D)  what each head found
    attention: np.ndarray  # (..., T, C)  put side by side, and mixed by W_O


class BlockSteps(NamedTuple):
    """What `block_steps` returns: every intermediate, in order.  Those of AttentionPart are here under their names."""

    x: np.ndarray  # (..., T, C)  the residual stream that comes in
    normed_1: np.ndarray  # (..., T, C)
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    heads: np.ndarray
    attention: np.ndarray  # (..., T, C)  what attention adds
    middle: np.ndarray  # (..., T, C)  x + attention
    normed_2: np.ndarray  # (..., T, C)
    inner: np.ndarray  # (..., T, F_)  the neurons before the bend
    hidden: np.ndarray  # (..., T, F_)  … and after it
    feed_forward: np.ndarray  # (..., T, C)  what the feed-forward part adds
    output: np.ndarray  # (..., T, C)  middle + feed_forward


def self_attention(x, parameters: Parameters, n_heads: int, mask=None, turn: Callable | None = None) -> np.ndarray:
    """The attention part of a block: many heads look at the text itself, by four maps with biases.

    `multi_head_attention` has no biases; published models do, and rotary positions turn queries and keys in between.

    x: (..., T, C);  parameters: W_Q, W_K, W_V, W_O (C, C) and b_Q, b_K, b_V, b_O (C,), others are left alone;
    mask: None or bool, True = may look: (T, T), or with all axes of (..., H, T, T), of which each may be 1;
    turn: None, or what turns queries and keys (..., H, T, D), as `lambda a: rotate(a, np.arange(T))`; never the values.
    Returns (..., T, C) float64.
    Raises ValueError when shapes do not fit or H does not divide C, TypeError when the mask is not boolean.
    """
    return self_attention_steps(x, parameters, n_heads, mask, turn).attention


def self_attention_steps(x, parameters: Parameters, n_heads: int, mask=None, turn: Callable | None = None) -> AttentionPart:
    """The same as `self_attention`, with every intermediate by name."""
    x, p = _checked(x, parameters, _ATTENTION)
    q, k, v = (split_heads(x @ p[f"W_{a}"] + p[f"b_{a}"], n_heads) for a in "QKV")  # (..., H, T, D) each
    mask = None if mask is None else np.asarray(mask)
    _check_head_mask(mask, (*q.shape[:-1], q.shape[-2]))
    if turn is not None:
        q, k = turn(q), turn(k)
    found = attention_steps(q, k, v, mask)
    mixed = merge_heads(found.output) @ p["W_O"] + p["b_O"]  # (..., T, C)
    return AttentionPart(q, k, v, found.scores, found.weights, found.output, mixed)


def block(x, parameters: Parameters, n_heads: int, mask=None, *, activation: Callable = gelu_tanh, eps: float = 1e-5,
          turn: Callable | None = None) -> np.ndarray:  # fmt: skip
    """A pre-norm block: two lines, and both add to what is there.

        x = x + attention(norm(x))        x = x + feed_forward(norm(x))

    x: (..., T, C), the residual stream;  parameters: a dict of arrays, see the top of this file;  n_heads: H;
    mask: None or bool, True = may look, as `causal_mask(T)`: (T, T), or with all axes of (..., H, T, T);
    activation: array → array, the bend between W_1 and W_2;  eps: what stands under the root of both norms;
    turn: None, or what turns queries and keys, see `self_attention`.
    Returns (..., T, C) float64.
    Raises ValueError when shapes do not fit or a parameter is missing, TypeError when the mask is not boolean.
    """
    x, p = _checked(x, parameters, _ALL)
    x = x + self_attention(layer_norm(x, p["gamma_1"], p["beta_1"], eps), p, n_heads, mask, turn)
    x = x + feed_forward(layer_norm(x, p["gamma_2"], p["beta_2"], eps), p["W_1"], p["b_1"], p["W_2"], p["b_2"], activation)
    return x


def block_steps(x, parameters: Parameters, n_heads: int, mask=None, *, activation: Callable = gelu_tanh,
                eps: float = 1e-5, turn: Callable | None = None) -> BlockSteps:  # fmt: skip
    """The same as `block`, with every intermediate by name."""
    x, p = _checked(x, parameters, _ALL)
    normed_1 = layer_norm(x, p["gamma_1"], p["beta_1"], eps)
    part = self_attention_steps(normed_1, p, n_heads, mask, turn)
    middle = x + part.attention  # (..., T, C)
    normed_2 = layer_norm(middle, p["gamma_2"], p["beta_2"], eps)
    inner = normed_2 @ p["W_1"] + p["b_1"]  # (..., T, F_)
    hidden = activation(inner)
    added = hidden @ p["W_2"] + p["b_2"]  # (..., T, C)
    return BlockSteps(x, normed_1, *part, middle, normed_2, inner, hidden, added, middle + added)


def post_norm_block(x, parameters: Parameters, n_heads: int, mask=None, *, activation: Callable = gelu_tanh,
                    eps: float = 1e-5, turn: Callable | None = None) -> np.ndarray:  # fmt: skip
    """The block of 2017, which normalises the sums: x = norm(x + attention(x)), x = norm(x + feed_forward(x)).

    (arXiv 1706.03762, section 3.1; the paper's bend is ReLU and BERT's `gelu`.)  Arguments, result and errors are
    `block`'s; gamma_1 and beta_1 belong to the norm behind attention, gamma_2 and beta_2 to the one at the end.
    """
    x, p = _checked(x, parameters, _ALL)
    x = layer_norm(x + self_attention(x, p, n_heads, mask, turn), p["gamma_1"], p["beta_1"], eps)
    x = layer_norm(x + feed_forward(x, p["W_1"], p["b_1"], p["W_2"], p["b_2"], activation), p["gamma_2"], p["beta_2"], eps)
    return x


def document_block(x, parameters: Parameters, n_heads: int, mask=None, *, activation: Callable = gelu_tanh,
                   turn: Callable | None = None) -> np.ndarray:  # fmt: skip
    """The document's formula to the letter: h = FFN(x + Attention(Q, K, V)).  No norm, and FFN's result is not added.

    Arguments, result and errors are `block`'s, without eps; of the parameters the norms' are not needed.
    """
    x, p = _checked(x, parameters, _ATTENTION | _FEED_FORWARD)
    return feed_forward(x + self_attention(x, p, n_heads, mask, turn), p["W_1"], p["b_1"], p["W_2"], p["b_2"], activation)


def _checked(x, parameters: Parameters, axes: Mapping[str, str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """x and the parameters that are needed, in float64, or one sentence: broadcasting would hide a bias of one number."""
    x = np.asarray(x, dtype=np.float64)
    if x.ndim < 2:
        raise ValueError(f"x needs at least two axes (positions, width), got shape {x.shape}")
    missing = [name for name in axes if name not in parameters]
    if missing:
        raise ValueError(f"the parameters of a block lack {', '.join(missing)}")
    p = {name: np.asarray(parameters[name], dtype=np.float64) for name in axes}
    sizes = {"C": x.shape[-1], "F": p["b_1"].size if "b_1" in p else 0}
    for name, letters in axes.items():
        expected = tuple(sizes[letter] for letter in letters)
        if p[name].shape != expected:
            raise ValueError(f"{name} needs shape {expected} beside x of width {sizes['C']}, got {p[name].shape}")
    return x, p


# ── the layers ──────────────────────────────────────────────────────────────────────────────────────────────


class PreNormBlock(nn.Module):
    """`block` as a layer: x = x + attention(norm_1(x)), x = x + feed_forward(norm_2(x)).

    d_model: C;  n_heads: H, which must divide C;  d_ff: F_;  activation: a name of `ACTIVATIONS`;  eps: what stands under
    the root of both norms;  bias: whether linear maps and norms have one;  rotary: None, or a RotaryPositions of width
    C/H for queries and keys, which many blocks may share.
    Parameters: 4·C² + 2·C·F_ of matrices, 2·C of gains, and 7·C + F_ of biases.

    `forward(x, mask, causal=False, positions=None)`: x (B, T, C) and back; the others are MultiHeadAttention's: a boolean
    mask, True = may look, or causal=True for a text that is written from left to right, and rotary positions.
    A stack of these blocks ends with one more norm: nothing has brought the sum in the residual stream back to size.
    """

    needs_final_norm = True

    def __init__(self, d_model: int, n_heads: int, d_ff: int, activation: str = "gelu_tanh", eps: float = 1e-5,
                 bias: bool = True, rotary: nn.Module | None = None):  # fmt: skip
        super().__init__()
        self.norm_1 = LayerNorm(d_model, eps, bias)
        self.attention = MultiHeadAttention(d_model, n_heads, bias, rotary)
        self.norm_2 = LayerNorm(d_model, eps, bias)
        self.feed_forward = FeedForward(d_model, d_ff, activation, bias)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None, *, causal: bool = False,
                positions: torch.Tensor | None = None) -> torch.Tensor:  # fmt: skip
        x = x + self.attention(self.norm_1(x), mask, causal=causal, positions=positions)
        x = x + self.feed_forward(self.norm_2(x))
        return x  # (B, T, C)

    def initialise(self, n_layers: int) -> None:
        """Draw the matrices as GPT-2 does, for one of `n_layers` blocks; biases 0, norms as they begin.

        Standard deviation 0.02, and 0.02 / √(2L) for the two maps that write into the residual stream, so that the sum of
        2L parts does not grow with the depth.
        """
        _draw_for_a_stream(self, n_layers)


class PostNormBlock(nn.Module):
    """`post_norm_block` as a layer: x = norm_1(x + attention(x)), x = norm_2(x + feed_forward(x)).

    Arguments and parameters as `PreNormBlock`.  What comes out is normalised, so a stack needs no norm at its end.
    """

    needs_final_norm = False

    def __init__(self, d_model: int, n_heads: int, d_ff: int, activation: str = "gelu_tanh", eps: float = 1e-5,
                 bias: bool = True, rotary: nn.Module | None = None):  # fmt: skip
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads, bias, rotary)
        self.norm_1 = LayerNorm(d_model, eps, bias)
        self.feed_forward = FeedForward(d_model, d_ff, activation, bias)
        self.norm_2 = LayerNorm(d_model, eps, bias)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None, *, causal: bool = False,
                positions: torch.Tensor | None = None) -> torch.Tensor:  # fmt: skip
        x = self.norm_1(x + self.attention(x, mask, causal=causal, positions=positions))
        x = self.norm_2(x + self.feed_forward(x))
        return x  # (B, T, C)

    def initialise(self, n_layers: int) -> None:
        """As `PreNormBlock`'s, so that two models differ in nothing but the place of the norms."""
        _draw_for_a_stream(self, n_layers)


class DocumentBlock(nn.Module):
    """`document_block` as a layer: h = FFN(x + Attention(Q, K, V)), one addition and no norm.

    Arguments as `PreNormBlock`; eps is taken so that all blocks are made alike, and has nothing to do.
    """

    needs_final_norm = False

    def __init__(self, d_model: int, n_heads: int, d_ff: int, activation: str = "gelu_tanh", eps: float = 1e-5,
                 bias: bool = True, rotary: nn.Module | None = None):  # fmt: skip
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads, bias, rotary)
        self.feed_forward = FeedForward(d_model, d_ff, activation, bias)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None, *, causal: bool = False,
                positions: torch.Tensor | None = None) -> torch.Tensor:  # fmt: skip
        return self.feed_forward(x + self.attention(x, mask, causal=causal, positions=positions))  # (B, T, C)

    def initialise(self, n_layers: int) -> None:
        """Draw every matrix so that the size of what passes is kept: standard deviation 1/√(features it reads), and √2
        times that behind the bend, which lets half through (He et al. 2015, arXiv 1502.01852).

        GPT-2's 0.02 counts on a residual stream beside; here all must pass through the matrices, and would fade.
        """
        for linear in _linears(self):
            _draw(linear, (2.0 if linear is self.feed_forward.down else 1.0) ** 0.5 / linear.in_features**0.5)


STD = 0.02  # of matrices at the start, as in GPT-2


def _draw_for_a_stream(layer: nn.Module, n_layers: int) -> None:
    writers = (layer.attention.out, layer.feed_forward.down)
    for linear in _linears(layer):
        _draw(linear, STD / (2 * n_layers) ** 0.5 if linear in writers else STD)


def _linears(layer: nn.Module) -> list[nn.Linear]:
    return [module for module in layer.modules() if isinstance(module, nn.Linear)]


def _draw(linear: nn.Linear, std: float) -> None:
    nn.init.normal_(linear.weight, std=std)
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)


def parameters_by_hand(layer: PreNormBlock | PostNormBlock | DocumentBlock) -> dict[str, np.ndarray]:
    """What a layer has learned, as the hand versions take it: float64 copies, matrices transposed to stand right of x.

    A bias that the layer does not have is zeros.  A DocumentBlock has no norms, and then there are none here.
    """
    attention, part = layer.attention, layer.feed_forward
    maps = {"Q": attention.query, "K": attention.key, "V": attention.value, "O": attention.out, "1": part.up, "2": part.down}
    p = {}
    for i in (1, 2):
        if (norm := getattr(layer, f"norm_{i}", None)) is not None:
            p |= {f"gamma_{i}": _array(norm.weight), f"beta_{i}": _bias(norm)}
    for name, linear in maps.items():
        p |= {f"W_{name}": _array(linear.weight).T, f"b_{name}": _bias(linear)}
    return p


def _array(parameter: torch.Tensor) -> np.ndarray:
    return parameter.detach().cpu().double().numpy().copy()


def _bias(module: nn.Module) -> np.ndarray:
    return np.zeros(len(module.weight)) if module.bias is None else _array(module.bias)
