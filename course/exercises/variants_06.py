"""Right answers to chapter 06's exercises that look different: a check must pass every one of them."""

import numpy as np
import torch
from torch.nn import functional as F

from course.blocks.attention import attention, causal_mask, merge_heads, split_heads
from course.blocks.block import block, block_steps, self_attention
from course.blocks.feed_forward import feed_forward, gelu_tanh
from course.blocks.norm import layer_norm

TRACE = ([190, 650], (190.0, 650.0), np.array([190, 650]))

# ── the block ───────────────────────────────────────────────────────────────────────────────────────────────


def block_as_a_sum(x, parameters, n_heads, mask=None, activation=gelu_tanh, eps=1e-5, turn=None):
    """What comes out is what came in, and two things that were added."""
    p, x = parameters, np.asarray(x, dtype=float)
    first = self_attention(layer_norm(x, p["gamma_1"], p["beta_1"], eps), p, n_heads, mask, turn)
    read = layer_norm(first + x, p["gamma_2"], p["beta_2"], eps)
    return x + first + feed_forward(read, p["W_1"], p["b_1"], p["W_2"], p["b_2"], activation)


def block_written_out(x, parameters, n_heads, mask=None, activation=gelu_tanh, eps=1e-5, turn=None):
    """Nothing imported but heads and softmax."""
    p, x = parameters, np.asarray(x, dtype=float)
    norm = lambda a, n: (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + eps) * p[f"gamma_{n}"] + p[f"beta_{n}"]
    h = norm(x, 1)
    q, k, v = (split_heads(h @ p["W_" + a] + p["b_" + a], n_heads) for a in "QKV")
    if turn is not None:
        q, k = turn(q), turn(k)
    x = x + merge_heads(attention(q, k, v, mask)[0]) @ p["W_O"] + p["b_O"]
    return x + activation(norm(x, 2) @ p["W_1"] + p["b_1"]) @ p["W_2"] + p["b_2"]


def block_in_torch(x, parameters, n_heads, mask=None, activation=gelu_tanh, eps=1e-5, turn=None):
    """PyTorch's own pieces, in double precision."""
    p = {name: torch.from_numpy(np.asarray(value)) for name, value in parameters.items()}
    x = torch.from_numpy(np.array(x, dtype=float))
    h = F.layer_norm(x, x.shape[-1:], p["gamma_1"], p["beta_1"], eps)
    q, k, v = (split_heads(h @ p["W_" + a] + p["b_" + a], n_heads) for a in "QKV")
    allowed = None if mask is None else torch.from_numpy(mask)
    x = x + merge_heads(F.scaled_dot_product_attention(q, k, v, allowed)) @ p["W_O"] + p["b_O"]
    h = F.layer_norm(x, x.shape[-1:], p["gamma_2"], p["beta_2"], eps)
    return (x + F.gelu(h @ p["W_1"] + p["b_1"], approximate="tanh") @ p["W_2"] + p["b_2"]).numpy()


BLOCK = (block_as_a_sum, block_written_out, block_in_torch)

# ── the whole model ─────────────────────────────────────────────────────────────────────────────────────────


def gpt_by_one_hot_rows(ids, parameters, n_heads, activation=gelu_tanh, eps=1e-5, turn=None):
    """The lookup as a matrix product, the stack as a chain of additions."""
    p, ids = parameters, np.asarray(ids)
    T = ids.shape[-1]
    x = np.eye(len(p["embedding"]))[ids] @ p["embedding"] + p["positions"][np.arange(T)]
    for own in p["blocks"]:
        steps = block_steps(x, own, n_heads, np.tril(np.ones((T, T))) > 0, activation=activation, eps=eps, turn=turn)
        x = x + steps.attention + steps.feed_forward
    return np.einsum("...c,cv->...v", layer_norm(x, p["gamma"], p["beta"], eps), p["unembedding"])


def gpt_text_by_text(ids, parameters, n_heads, activation=gelu_tanh, eps=1e-5, turn=None):
    """One text at a time."""
    ids = np.asarray(ids)
    if ids.ndim > 1:
        return np.stack([gpt_text_by_text(text, parameters, n_heads, activation, eps, turn) for text in ids])
    p = parameters
    x = np.take(p["embedding"], ids, axis=0) + p["positions"][: len(ids)]
    for n in range(len(p["blocks"])):
        x = block(x, p["blocks"][n], n_heads, causal_mask(len(ids)), activation=activation, eps=eps, turn=turn)
    return layer_norm(x, p["gamma"], p["beta"], eps).dot(p["unembedding"])


MODEL = (gpt_by_one_hot_rows, gpt_text_by_text)

# ── counting ────────────────────────────────────────────────────────────────────────────────────────────────


def count_by_shapes(vocab_size, context_length, d_model, n_heads, n_layers, d_ff=0, bias=True, tied=True, positions="learned"):
    """The shapes of all arrays, and their sizes added up."""
    C, F_ = d_model, d_ff or 4 * d_model
    linear = lambda i, o: [(i, o)] + [(o,)] * bool(bias)
    norm = [(C,)] * (1 + bool(bias))
    shapes = {
        "embedding": [(vocab_size, C)],
        "positions": [(context_length, C)] * (positions == "learned"),
        "attention": linear(C, C) * 4 * n_layers,
        "feed_forward": (linear(C, F_) + linear(F_, C)) * n_layers,
        "norms": norm * (2 * n_layers + 1),
        "unembedding": [] if tied else [(C, vocab_size)],
    }
    return {part: sum(int(np.prod(shape)) for shape in each) for part, each in shapes.items()}


def count_block_by_block(vocab_size, context_length, d_model, n_heads, n_layers, d_ff=0, bias=True, tied=True,
                         positions="learned"):  # fmt: skip
    """A loop over blocks; keys in another order, and NumPy's whole numbers."""
    C, F_, b = np.int64(d_model), np.int64(d_ff if d_ff > 0 else 4 * d_model), np.int64(bias)
    counts = {"unembedding": (not tied) * vocab_size * C, "norms": C * (1 + b), "attention": 0, "feed_forward": 0}
    for _ in range(n_layers):
        counts["norms"] += 2 * C * (1 + b)
        counts["attention"] += (C + b) * C * 4
        counts["feed_forward"] += (C + b) * F_ + (F_ + b) * C
    return counts | {"positions": {"learned": context_length * C}.get(positions, 0), "embedding": C * vocab_size}


COUNT = (count_by_shapes, count_block_by_block)
