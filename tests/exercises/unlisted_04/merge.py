"""Answers to the exercise merge_heads: wrong ones, then right ones by another road."""

import numpy as np
import torch

from tests.exercises.unlisted_04.shared import _join, right, wrong

# ── merge_heads, wrong ──────────────────────────────────────────────────────────────────────────────────────


@wrong("merge_heads")
def reshape_without_a_swap(x):
    """Right shape; positions and heads are mixed."""
    *lead, H, T, D = x.shape
    return x.reshape(*lead, T, H * D)


@wrong("merge_heads")
def last_two_axes_swapped_first(x):
    """Positions change places with features, not with heads; then the right shape."""
    *lead, H, T, D = x.shape
    return x.swapaxes(-1, -2).reshape(*lead, T, H * D)


@wrong("merge_heads")
def heads_swapped_with_features(x):
    """swapaxes(-3, -1), then the right shape."""
    *lead, H, T, D = x.shape
    return x.swapaxes(-3, -1).reshape(*lead, T, H * D)


@wrong("merge_heads")
def heads_interleaved(x):
    """Feature 0 of all heads, then feature 1 of all: right for one head, or for heads of width 1."""
    *lead, H, T, D = x.shape
    return np.moveaxis(x, -3, -1).reshape(*lead, T, D * H)


@wrong("merge_heads")
def heads_below_each_other(x):
    """(..., H·T, D): concatenated along positions."""
    *lead, H, T, D = x.shape
    return x.reshape(*lead, H * T, D)


@wrong("merge_heads")
def still_four_axes(x):
    """Swapped and never merged: (..., T, H, D)."""
    return x.swapaxes(-3, -2)


@wrong("merge_heads")
def heads_added(x):
    """The sum over heads, (..., T, D)."""
    return x.sum(axis=-3)


@wrong("merge_heads")
def heads_averaged(x):
    """The mean over heads, (..., T, D)."""
    return x.mean(axis=-3)


@wrong("merge_heads")
def average_repeated(x):
    """The mean over heads, H times side by side."""
    return np.concatenate([x.mean(axis=-3)] * x.shape[-3], axis=-1)


@wrong("merge_heads")
def head_0_repeated(x):
    """The first head, H times side by side."""
    return np.concatenate([x[..., 0, :, :]] * x.shape[-3], axis=-1)


@wrong("merge_heads")
def last_head_alone(x):
    """The loop keeps only what it saw last: (..., T, D)."""
    for h in range(x.shape[-3]):
        merged = x[..., h, :, :]
    return merged


@wrong("merge_heads")
def last_head_forgotten(x):
    """range(H − 1): the last head's place stays 0."""
    *lead, H, T, D = x.shape
    merged = np.zeros((*lead, T, H * D))
    for h in range(H - 1):
        merged[..., h * D : (h + 1) * D] = x[..., h, :, :]
    return merged


@wrong("merge_heads")
def heads_from_last_to_first(x):
    """Each new head is put to the left of the others."""
    merged = x[..., 0, :, :]
    for h in range(1, x.shape[-3]):
        merged = np.concatenate([x[..., h, :, :], merged], axis=-1)
    return merged


@wrong("merge_heads")
def examples_side_by_side(x):
    """The loop runs over the first axis: right for one text, with a batch the examples are put side by side."""
    return np.concatenate(list(x), axis=-1)


@wrong("merge_heads")
def concatenated_along_axis_1(x):
    """axis=1 of each head: right for one text, positions of a batch are strung together."""
    return np.concatenate([x[..., h, :, :] for h in range(x.shape[-3])], axis=1)


@wrong("merge_heads")
def first_and_second_axis_swapped(x):
    """x.swapaxes(0, 1): right for one text."""
    *lead, H, T, D = x.shape
    return x.swapaxes(0, 1).reshape(*lead, T, H * D)


@wrong("merge_heads")
def second_and_third_axis_swapped(x):
    """x.swapaxes(1, 2): right with one leading axis, with none or two the shape fits and the numbers don't."""
    *lead, H, T, D = x.shape
    return x.swapaxes(1, 2).reshape(*lead, T, H * D)


@wrong("merge_heads")
def a_batch_of_texts_in_any_case(x):
    """Leading axes become one, also where there is none."""
    *_, T, D = x.shape
    return x.reshape(-1, x.shape[-3], T, D).transpose(0, 2, 1, 3).reshape(-1, T, x.shape[-3] * D)


@wrong("merge_heads")
def one_long_text(x):
    """(B·T, C): the examples are strung together; right for one text."""
    merged = _join(x)
    return merged.reshape(-1, merged.shape[-1])


@wrong("merge_heads")
def features_before_positions(x):
    """(..., C, T): never turned back."""
    return _join(x).swapaxes(-1, -2)


@wrong("merge_heads")
def divided_by_the_heads(x):
    """Side by side, and divided by H."""
    return _join(x) / x.shape[-3]


@wrong("merge_heads")
def the_largest_of_the_heads(x):
    """The maximum over heads, (..., T, D)."""
    return x.max(axis=-3)


@wrong("merge_heads")
def nothing_negative(x):
    """A ReLU on the way."""
    return np.maximum(_join(x), 0.0)


@wrong("merge_heads")
def last_feature_overwritten(x):
    """Heads are laid D − 1 apart: each overwrites the last feature of the one before, and the end stays 0."""
    *lead, H, T, D = x.shape
    merged = np.zeros((*lead, T, H * D))
    for h in range(H):
        merged[..., h * (D - 1) : h * (D - 1) + D] = x[..., h, :, :]
    return merged


@wrong("merge_heads")
def heads_times_positions(x):
    """The loop counts as many heads as there are positions: right where H = T, else short or an error."""
    return np.concatenate([x[..., h, :, :] for h in range(x.shape[-2])], axis=-1)


@wrong("merge_heads")
def decimals_cut(x):
    """A buffer of ints."""
    merged = np.zeros(_join(x).shape, dtype=np.int64)
    merged[...] = _join(x)
    return merged


@wrong("merge_heads")
def single_precision_merge(x):
    """float32."""
    return np.float32(_join(x))


@wrong("merge_heads")
def nested_lists(x):
    """Lists, which have no shape."""
    return _join(x).tolist()


@wrong("merge_heads")
def a_merged_tensor(x):
    """A torch tensor."""
    return torch.from_numpy(_join(x))


@wrong("merge_heads")
def merged_and_forgotten(x):
    """No return."""
    merged = _join(x)
    merged.sum()


@wrong("merge_heads")
def merged_without_ones(x):
    """squeeze: one position, or a batch of one, loses its axis."""
    return _join(x).squeeze()


@wrong("merge_heads")
def heads_emptied(x):
    """Right result; the caller's heads are 0 afterwards."""
    merged = _join(x)
    x[...] = 0.0
    return merged


@wrong("merge_heads")
def heads_in_reverse_in_place(x):
    """Right result; the caller's heads are in reverse afterwards."""
    merged = _join(x)
    x[...] = x[..., ::-1, :, :].copy()
    return merged


@wrong("merge_heads")
def list_of_parts_never_emptied(x, parts=[]):
    """The default argument keeps the heads of all calls: wider and wider, or an error where they don't fit."""
    parts.extend(x[..., h, :, :].copy() for h in range(x.shape[-3]))
    return np.concatenate(parts, axis=-1)


@wrong("merge_heads")
def first_result_of_a_shape(x, known={}):
    """Heads of a shape seen before give the first result."""
    return known.setdefault(x.shape, _join(x)).copy()


@wrong("merge_heads")
def running_sum(x, total={}):
    """merged += … on a buffer that outlives the call."""
    merged = _join(x)
    total[merged.shape] = total.get(merged.shape, 0.0) + merged
    return total[merged.shape].copy()


@wrong("merge_heads")
def noise_added(x):
    """Noise, different at every call."""
    merged = _join(x)
    return merged + 1e-3 * np.random.default_rng().standard_normal(merged.shape)


# ── merge_heads, right ──────────────────────────────────────────────────────────────────────────────────────


@right("merge_heads")
def head_next_to_head(x):
    """A list of heads, hstacked along the last axis."""
    return np.concatenate([head for head in np.moveaxis(x, -3, 0)], axis=-1)


@right("merge_heads")
def filled_number_by_number(x):
    """One loop over every number of x."""
    *lead, H, T, D = x.shape
    merged = np.empty((*lead, T, H * D), dtype=x.dtype)
    for *b, h, t, d in np.ndindex(x.shape):
        merged[(*b, t, h * D + d)] = x[(*b, h, t, d)]
    return merged


@right("merge_heads")
def by_letters_merge(x):
    """einsum that renames axes, then a reshape."""
    swapped = np.einsum("...htd->...thd", x)
    return swapped.reshape(*swapped.shape[:-2], -1)


@right("merge_heads")
def torch_flatten_inside(x):
    """transpose and flatten."""
    return torch.tensor(x).transpose(-3, -2).flatten(-2).numpy()


@right("merge_heads")
def stood_up_and_laid_down(x):
    """Features before positions, merged there, and turned back."""
    *lead, H, T, D = x.shape
    return np.swapaxes(np.swapaxes(x, -1, -2).reshape(*lead, H * D, T), -1, -2)


@right("merge_heads")
def sum_of_placed_heads(x):
    """Each head times the rows of the identity that are its place, summed: the identity as W_O."""
    H, _, D = x.shape[-3:]
    return (x @ np.eye(H * D).reshape(H, D, H * D)).sum(axis=-3)


@right("merge_heads")
def text_by_text(x):
    """Leading axes by recursion, np.hstack for the heads."""
    return np.hstack(list(x)) if x.ndim == 3 else np.stack([text_by_text(text) for text in x])


@right("merge_heads")
def row_by_row_ravelled(x):
    """Each position's (H, D) is laid out as one row."""
    *lead, H, T, D = x.shape
    rows = [x[(*b, slice(None), t)].ravel() for *b, t in np.ndindex(*lead, T)]
    return np.array(rows).reshape(*lead, T, H * D)
