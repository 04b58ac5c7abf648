"""Answers to the exercise causal_mask: wrong ones, then right ones by another road."""

import numpy as np
import torch

from tests.exercises.unlisted_03.shared import right, wrong

# ── causal_mask, wrong ──────────────────────────────────────────────────────────────────────────────────────


@wrong("causal_mask")
def only_the_future(T):
    """triu: each word sees itself and what comes after."""
    return np.triu(np.ones((T, T), dtype=bool))


@wrong("causal_mask")
def not_oneself(T):
    """The diagonal is False; row 0 sees nothing."""
    return np.tril(np.ones((T, T), dtype=bool), -1)


@wrong("causal_mask")
def one_word_ahead(T):
    """Diagonal offset 1; right for T = 1."""
    return np.tril(np.ones((T, T), dtype=bool), 1)


@wrong("causal_mask")
def not_oneself_but_for_the_first(T):
    """Strictly the past, patched where row 0 was empty; right for T = 1."""
    mask = np.tril(np.ones((T, T), dtype=bool), -1)
    mask[0, 0] = True
    return mask


@wrong("causal_mask")
def true_hides(T):
    """The other convention: True = may not look."""
    return np.triu(np.ones((T, T), dtype=bool), 1)


@wrong("causal_mask")
def ones_and_zeros(T):
    """The right triangle in float64."""
    return np.tril(np.ones((T, T)))


@wrong("causal_mask")
def whole_ones_and_zeros(T):
    """The right triangle in int."""
    return np.tril(np.ones((T, T), dtype=int))


@wrong("causal_mask")
def bytes_of_ones(T):
    """The right triangle in uint8, where ~ gives 255 and 254."""
    return np.tri(T, dtype=np.uint8)


@wrong("causal_mask")
def to_be_added(T):
    """0 and −inf, to add to scores."""
    return np.where(np.tri(T, dtype=bool), 0.0, -np.inf)


@wrong("causal_mask")
def objects(T):
    """Python's True and False in an array of objects."""
    return np.tri(T, dtype=bool).astype(object)


@wrong("causal_mask")
def from_the_other_corner(T):
    """Upside down: the last word sees one key, the first all."""
    return np.tri(T, dtype=bool)[::-1]


@wrong("causal_mask")
def mirrored(T):
    """Left and right exchanged."""
    return np.tri(T, dtype=bool)[:, ::-1]


@wrong("causal_mask")
def all_may_look(T):
    """True everywhere; right for T = 1."""
    return np.ones((T, T), dtype=bool)


@wrong("causal_mask")
def oneself_alone(T):
    """The diagonal."""
    return np.eye(T, dtype=bool)


@wrong("causal_mask")
def first_row_skipped(T):
    """The loop over queries starts at 1."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(1, T):
        mask[t, : t + 1] = True
    return mask


@wrong("causal_mask")
def last_row_skipped(T):
    """The loop over queries ends at T − 1."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T - 1):
        mask[t, : t + 1] = True
    return mask


@wrong("causal_mask")
def oneself_only_when_last(T):
    """mask[t, :t] leaves the word itself out, and only the last row is patched; right for T = 1."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        mask[t, :t] = True
    mask[-1] = True
    return mask


@wrong("causal_mask")
def first_word_sees_all(T):
    """Row 0 is True, so that it is never empty."""
    mask = np.tri(T, dtype=bool)
    mask[0] = True
    return mask


@wrong("causal_mask")
def all_see_the_last_word(T):
    """The last column is True."""
    mask = np.tri(T, dtype=bool)
    mask[:, -1] = True
    return mask


@wrong("causal_mask")
def memory_of_four(T):
    """Right up to T = 4; then the first words are forgotten."""
    return np.triu(np.tri(T, dtype=bool), -3)


@wrong("causal_mask")
def every_second_word(T):
    """Only keys at an even distance."""
    t = np.arange(T)
    return np.tri(T, dtype=bool) & ((t[:, None] - t) % 2 == 0)


@wrong("causal_mask")
def blocks_of_two(T):
    """Two neighbours see each other, whichever comes first; right for T = 1."""
    t = np.arange(T) // 2
    return t[:, None] >= t


@wrong("causal_mask")
def at_most_five(T):
    """Cut from a mask of 5 made once: too small from 6 on."""
    return np.tri(5, dtype=bool)[:T, :T]


@wrong("causal_mask")
def one_too_large(T):
    """Positions counted 0 … T."""
    return np.tri(T + 1, dtype=bool)


@wrong("causal_mask")
def one_column_too_many(T):
    """(T, T + 1)."""
    return np.tri(T, T + 1, dtype=bool)


@wrong("causal_mask")
def a_batch_of_one(T):
    """(1, T, T)."""
    return np.tri(T, dtype=bool)[None]


@wrong("causal_mask")
def no_axes_for_one_word(T):
    """squeeze: T = 1 gives a single truth."""
    return np.tri(T, dtype=bool).squeeze()


@wrong("causal_mask")
def last_row_alone(T):
    """One row of T, compared with the last position."""
    return np.arange(T) <= T - 1


@wrong("causal_mask")
def where_it_is_true(T):
    """Row and column numbers in place of a mask."""
    return np.tril_indices(T)


@wrong("causal_mask")
def list_of_lists(T):
    """The right truths in lists."""
    return [[j <= i for j in range(T)] for i in range(T)]


@wrong("causal_mask")
def a_tensor_of_truths(T):
    """A torch tensor."""
    return torch.ones(T, T, dtype=torch.bool).tril()


@wrong("causal_mask")
def mask_of_the_first_call(T, known=[]):
    """Made once, for the first T ever asked for."""
    known.append(np.tri(T, dtype=bool))
    return known[0].copy()


@wrong("causal_mask")
def mask_not_returned(T):
    """No return."""
    np.tri(T, dtype=bool)


@wrong("causal_mask")
def shape_given_as_two_numbers(T):
    """np.ones(T, T): the second argument is the dtype, so this raises."""
    return np.tril(np.ones(T, T)).astype(bool)


# ── causal_mask, right ──────────────────────────────────────────────────────────────────────────────────────


@right("causal_mask")
def tri(T):
    """NumPy's own triangle."""
    return np.tri(T, dtype=bool)


@right("causal_mask")
def triangle_of_one_row(T):
    """tril repeats a single row T times."""
    return np.tril(np.ones(T, dtype=bool))


@right("causal_mask")
def compared_positions(T):
    """Query number ≥ key number."""
    return np.greater_equal.outer(np.arange(T), np.arange(T))


@right("causal_mask")
def nested_lists_to_array(T):
    """A comprehension in a comprehension."""
    return np.array([[key <= query for key in range(T)] for query in range(T)])


@right("causal_mask")
def the_future_removed(T):
    """not (strictly above the diagonal)."""
    return ~np.triu(np.full((T, T), True), k=1)


@right("causal_mask")
def diagonal_smeared_down(T):
    """The running sum of the identity's rows."""
    return np.eye(T).cumsum(axis=0) > 0


@right("causal_mask")
def by_indices(T):
    """True written at tril_indices."""
    mask = np.zeros((T, T), dtype=np.bool_)
    mask[np.tril_indices(T)] = True
    return mask


@right("causal_mask")
def triangle_by_torch(T):
    """torch in between."""
    return torch.tril(torch.ones(T, T, dtype=torch.bool)).numpy()


@right("causal_mask")
def a_row_and_a_column_more(T):
    """The mask of T − 1 words, and one word that sees all."""
    if T <= 1:
        return np.ones((T, T), dtype=bool)
    mask = np.pad(a_row_and_a_column_more(T - 1), ((0, 1), (0, 1)))
    mask[-1] = True
    return mask
