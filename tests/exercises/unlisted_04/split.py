"""Answers to the exercise split_heads: wrong ones, then right ones by another road."""

import numpy as np
import torch

from tests.exercises.unlisted_04.shared import _split, right, wrong

# ── split_heads, wrong ──────────────────────────────────────────────────────────────────────────────────────


@wrong("split_heads")
def one_reshape_for_all(x, n_heads):
    """Right shape; each head gets pieces of other positions."""
    *lead, T, C = x.shape
    return x.reshape(*lead, n_heads, T, C // n_heads)


@wrong("split_heads")
def cut_and_left_there(x, n_heads):
    """(..., T, H, D): the axes never change places."""
    return x.reshape(*x.shape[:-1], n_heads, x.shape[-1] // n_heads)


@wrong("split_heads")
def features_dealt_like_cards(x, n_heads):
    """Head h gets features h, h + H, h + 2H …: right for one head, or for heads of width 1."""
    return np.stack([x[..., h::n_heads] for h in range(n_heads)], axis=-3)


@wrong("split_heads")
def heads_before_the_batch(x, n_heads):
    """(H, ..., T, D): right for one text."""
    return np.stack(np.split(x, n_heads, axis=-1))


@wrong("split_heads")
def heads_second_of_all_axes(x, n_heads):
    """The axis of heads is put at 1: right with one leading axis."""
    return np.stack(np.split(x, n_heads, axis=-1), axis=1)


@wrong("split_heads")
def n_heads_taken_for_their_width(x, n_heads):
    """C / H heads of width H: right where D = H."""
    return _split(x, x.shape[-1] // n_heads)


@wrong("split_heads")
def positions_cut(x, n_heads):
    """The text is cut into H parts of full width, where T can be cut."""
    *lead, T, C = x.shape
    return x.reshape(*lead, n_heads, T // n_heads, C)


@wrong("split_heads")
def batch_and_heads_in_one_axis(x, n_heads):
    """(B·H, T, D): right for one text."""
    heads = _split(x, n_heads)
    return heads.reshape(-1, *heads.shape[-2:])


@wrong("split_heads")
def always_a_batch(x, n_heads):
    """Leading axes become one axis, also where there is none: right with one leading axis."""
    *_, T, C = x.shape
    return x.reshape(-1, T, n_heads, C // n_heads).transpose(0, 2, 1, 3)


@wrong("split_heads")
def matrices_only_here(x, n_heads):
    """T, C = x.shape: a batch raises an error."""
    T, C = x.shape
    return x.reshape(T, n_heads, C // n_heads).transpose(1, 0, 2)


@wrong("split_heads")
def all_axes_turned(x, n_heads):
    """.T in place of the two axes: (D, H, T, ...)."""
    return x.reshape(*x.shape[:-1], n_heads, -1).T


@wrong("split_heads")
def columns_in_rows(x, n_heads):
    """(..., H, D, T): turned so that features come before positions, and not back."""
    *lead, T, C = x.shape
    return x.swapaxes(-1, -2).reshape(*lead, n_heads, C // n_heads, T)


@wrong("split_heads")
def turned_and_cut_anyhow(x, n_heads):
    """xᵀ reshaped to the right shape."""
    *lead, T, C = x.shape
    return x.swapaxes(-1, -2).reshape(*lead, n_heads, T, C // n_heads)


@wrong("split_heads")
def last_head_first(x, n_heads):
    """Heads in reverse."""
    return _split(x, n_heads)[..., ::-1, :, :]


@wrong("split_heads")
def features_in_reverse_within_heads(x, n_heads):
    """Each head's features run backwards: right for heads of width 1."""
    return _split(x, n_heads)[..., ::-1]


@wrong("split_heads")
def the_first_piece_for_all(x, n_heads):
    """x[..., :D] in each round of the loop."""
    D = x.shape[-1] // n_heads
    return np.stack([x[..., :D] for _ in range(n_heads)], axis=-3)


@wrong("split_heads")
def only_the_last_head_is_filled(x, n_heads):
    """The buffer is made anew in each round: all heads but the last are 0."""
    *lead, T, C = x.shape
    D = C // n_heads
    for h in range(n_heads):
        heads = np.zeros((*lead, n_heads, T, D))
        heads[..., h, :, :] = x[..., h * D : (h + 1) * D]
    return heads


@wrong("split_heads")
def last_feature_of_each_head_lost(x, n_heads):
    """The slice ends at (h + 1)·D − 1, which Python leaves out; the buffer keeps a 0 there."""
    *lead, T, C = x.shape
    D = C // n_heads
    heads = np.zeros((*lead, n_heads, T, D))
    for h in range(n_heads):
        heads[..., h, :, : D - 1] = x[..., h * D : (h + 1) * D - 1]
    return heads


@wrong("split_heads")
def slices_overlap(x, n_heads):
    """Head h starts at feature h, not h·D."""
    D = x.shape[-1] // n_heads
    return np.stack([x[..., h : h + D] for h in range(n_heads)], axis=-3)


@wrong("split_heads")
def two_heads_at_most(x, n_heads):
    """A first half and a rest, which is shared by all later heads."""
    D = x.shape[-1] // n_heads
    return np.stack([x[..., :D] if h == 0 else x[..., D : 2 * D] for h in range(n_heads)], axis=-3)


@wrong("split_heads")
def other_heads_zeroed(x, n_heads):
    """Each head keeps the whole width, with 0 where others' features are."""
    own = np.arange(x.shape[-1]) * n_heads // x.shape[-1] == np.arange(n_heads)[:, None]
    return np.where(own[:, None, :], x[..., None, :, :], 0.0)


@wrong("split_heads")
def a_list_of_heads(x, n_heads):
    """np.split gives a list, (..., T, D) each."""
    return np.split(x, n_heads, axis=-1)


@wrong("split_heads")
def one_head_needs_no_axis(x, n_heads):
    """x as it is for one head."""
    return x if n_heads == 1 else _split(x, n_heads)


@wrong("split_heads")
def ones_squeezed(x, n_heads):
    """Axes of length 1 are lost: a batch of one, one head, one position."""
    return _split(x, n_heads).squeeze()


@wrong("split_heads")
def only_example_0(x, n_heads):
    """The first example, in place of the batch."""
    while x.ndim > 2:
        x = x[0]
    return _split(x, n_heads)


@wrong("split_heads")
def scaled_ahead(x, n_heads):
    """Divided by √D, 'for the scores later'."""
    return _split(x, n_heads) / np.sqrt(x.shape[-1] // n_heads)


@wrong("split_heads")
def normalised_per_head(x, n_heads):
    """Each head's vector is brought to length 1."""
    heads = _split(x, n_heads)
    return heads / np.maximum(np.linalg.norm(heads, axis=-1, keepdims=True), 1e-300)


@wrong("split_heads")
def whole_numbers_only(x, n_heads):
    """A buffer of ints cuts the decimals off."""
    heads = np.empty(_split(x, n_heads).shape, dtype=int)
    heads[...] = _split(x, n_heads)
    return heads


@wrong("split_heads")
def seven_digits(x, n_heads):
    """float32."""
    return _split(x, n_heads).astype(np.float32)


@wrong("split_heads")
def heads_as_a_tensor(x, n_heads):
    """A torch tensor."""
    return torch.from_numpy(_split(x, n_heads).copy())


@wrong("split_heads")
def split_but_not_returned(x, n_heads):
    """No return."""
    _split(x, n_heads)


@wrong("split_heads")
def reshape_result_dropped(x, n_heads):
    """reshape is called and its result dropped: x comes back as it was."""
    x.reshape(*x.shape[:-1], n_heads, -1).swapaxes(-3, -2)
    return x


@wrong("split_heads")
def shape_of_the_caller_changed(x, n_heads):
    """Right heads; the caller's x has one more axis afterwards."""
    x.shape = (*x.shape[:-1], n_heads, x.shape[-1] // n_heads)
    return x.swapaxes(-3, -2)


@wrong("split_heads")
def heads_written_over_x(x, n_heads):
    """Right heads; the caller's x holds their numbers in another order."""
    heads = _split(x, n_heads).copy()
    x[...] = heads.reshape(x.shape)
    return heads


@wrong("split_heads")
def as_many_heads_as_the_first_time(x, n_heads, known={}):
    """n_heads is remembered per width: later numbers of heads are not heard."""
    return _split(x, known.setdefault(x.shape[-1], n_heads))


@wrong("split_heads")
def one_buffer_for_a_shape(x, n_heads, buffers={}):
    """Right when it returns; the next call with this shape overwrites what the last one returned."""
    heads = _split(x, n_heads)
    buffer = buffers.setdefault(heads.shape, np.empty(heads.shape))
    buffer[...] = heads
    return buffer


@wrong("split_heads")
def heads_shuffled(x, n_heads):
    """In a new order at each call."""
    return _split(x, n_heads)[..., np.random.default_rng().permutation(n_heads), :, :]


# ── split_heads, right ──────────────────────────────────────────────────────────────────────────────────────


@right("split_heads")
def slice_by_slice(x, n_heads):
    """A list comprehension over the heads, stacked."""
    D = x.shape[-1] // n_heads
    return np.stack([x[..., h * D : (h + 1) * D] for h in range(n_heads)], axis=-3)


@right("split_heads")
def number_by_number(x, n_heads):
    """One loop over every number of x."""
    *lead, T, C = x.shape
    D = C // n_heads
    heads = np.empty((*lead, n_heads, T, D), dtype=x.dtype)
    for *b, t, c in np.ndindex(x.shape):
        heads[(*b, c // D, t, c % D)] = x[(*b, t, c)]
    return heads


@right("split_heads")
def by_letters_split(x, n_heads):
    """einsum that only renames axes."""
    return np.einsum("...thd->...htd", x.reshape(*x.shape[:-1], n_heads, -1))


@right("split_heads")
def torch_inside(x, n_heads):
    """unflatten and transpose."""
    return torch.tensor(x).unflatten(-1, (n_heads, -1)).transpose(-3, -2).numpy()


@right("split_heads")
def turned_cut_turned(x, n_heads):
    """Features first, cut there, and turned back."""
    *lead, T, C = x.shape
    return np.swapaxes(np.swapaxes(x, -1, -2).reshape(*lead, n_heads, C // n_heads, T), -1, -2)


@right("split_heads")
def by_selecting_matrices(x, n_heads):
    """x times the columns of the identity that belong to a head."""
    C = x.shape[-1]
    chosen = np.eye(C).reshape(C, n_heads, C // n_heads).transpose(1, 0, 2)  # (H, C, D)
    return x[..., None, :, :] @ chosen


@right("split_heads")
def example_by_example(x, n_heads):
    """Leading axes by recursion, np.array_split for the rest."""
    if x.ndim > 2:
        return np.array([example_by_example(example, n_heads) for example in x])
    return np.array(np.array_split(x, n_heads, axis=1))


@right("split_heads")
def features_looked_up(x, n_heads):
    """Fancy indexing with a table of features, (H, D)."""
    features = np.arange(x.shape[-1]).reshape(n_heads, -1)
    return np.rollaxis(x[..., features], x.ndim - 1, x.ndim - 2)
