"""Right answers to chapter 04's exercises that look different: a check must pass every one of them."""

import numpy as np

from course.blocks.attention import attention

TRACE = ([9, 6], (9.0, 6.0), np.array([9, 6]))


def split_by_slices(x, n_heads):
    """One slice of the features for each head, stacked."""
    D = x.shape[-1] // n_heads
    return np.stack([x[..., h * D : (h + 1) * D] for h in range(n_heads)], axis=-3)


def split_by_np_split(x, n_heads):
    """NumPy's own knife."""
    return np.stack(np.split(x, n_heads, axis=-1), axis=-3)


def split_by_moveaxis(x, n_heads):
    """The axis of heads moved to where it belongs."""
    return np.moveaxis(x.reshape(*x.shape[:-1], n_heads, -1), -2, -3)


SPLIT = (split_by_slices, split_by_np_split, split_by_moveaxis)


def merge_by_concatenation(x):
    """Head after head along the features."""
    return np.concatenate([x[..., h, :, :] for h in range(x.shape[-3])], axis=-1)


def merge_by_moveaxis(x):
    """The axis of heads moved beside the features, and both made one."""
    moved = np.moveaxis(x, -3, -2)
    return moved.reshape(*moved.shape[:-2], -1)


MERGE = (merge_by_concatenation, merge_by_moveaxis)


def all_heads_at_once(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Split, one call of attention for all heads, merge."""
    memory = x if memory is None else memory
    q, k, v = (split_by_moveaxis(a, n_heads) for a in (x @ W_Q, memory @ W_K, memory @ W_V))
    output, weights = attention(q, k, v, mask)
    return merge_by_moveaxis(output) @ W_O, weights


def a_sum_over_heads(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Σ_h output_h W_O_h, with the rows of W_O that belong to each head: the same as concatenating first."""
    memory = x if memory is None else memory
    D = W_Q.shape[1] // n_heads
    total, weights = 0.0, []
    for h in range(n_heads):
        own = slice(h * D, (h + 1) * D)
        own_mask = mask[..., min(h, mask.shape[-3] - 1), :, :] if mask is not None and mask.ndim > 2 else mask
        output, w = attention(x @ W_Q[:, own], memory @ W_K[:, own], memory @ W_V[:, own], own_mask)
        total = total + output @ W_O[own]
        weights.append(w)
    return total, np.stack(weights, axis=-3)


MANY = (all_heads_at_once, a_sum_over_heads)


def offset_by_loop(weights, offset):
    """Query by query, where there is such a key."""
    T = weights.shape[-1]
    found = [weights[..., t, t + offset] for t in range(T) if 0 <= t + offset < T]
    return np.mean(found, axis=0) if found else np.full(weights.shape[:-2], np.nan)


def offset_by_mask(weights, offset):
    """All cells at the right distance."""
    T = weights.shape[-1]
    chosen = np.arange(T) - np.arange(T)[:, None] == offset
    return (weights * chosen).sum(axis=(-1, -2)) / chosen.sum()


OFFSET = (offset_by_loop, offset_by_mask)
