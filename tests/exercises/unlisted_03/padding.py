"""Answers to the exercise padding_mask: wrong ones, then right ones by another road."""

import numpy as np
import torch

from tests.exercises.unlisted_03.shared import _given, right, wrong

# ── padding_mask, wrong ─────────────────────────────────────────────────────────────────────────────────────


@wrong("padding_mask")
def one_pad_counts_as_real(lengths, T):
    """≤ in place of <: right where the length is T."""
    return np.arange(T) <= _given(lengths, T)[:, None]


@wrong("padding_mask")
def last_real_token_cut(lengths, T):
    """t < length − 1."""
    return np.arange(T) < _given(lengths, T)[:, None] - 1


@wrong("padding_mask")
def first_token_cut(lengths, T):
    """Position 0 taken for a start token that is not there."""
    t = np.arange(T)
    return (t > 0) & (t < _given(lengths, T)[:, None])


@wrong("padding_mask")
def true_is_padding(lengths, T):
    """The other convention."""
    return np.arange(T) >= _given(lengths, T)[:, None]


@wrong("padding_mask")
def padded_on_the_left(lengths, T):
    """Real tokens are looked for at the end."""
    return np.arange(T) >= T - _given(lengths, T)[:, None]


@wrong("padding_mask")
def as_many_as_there_are_pads(lengths, T):
    """t < T − length."""
    return np.arange(T) < T - _given(lengths, T)[:, None]


@wrong("padding_mask")
def positions_down_examples_across(lengths, T):
    """(T, B)."""
    return np.arange(T)[:, None] < _given(lengths, T)


@wrong("padding_mask")
def no_axis_for_the_positions(lengths, T):
    """arange(T) < lengths: fits where B = T or B = 1, and means something else."""
    return np.arange(T) < _given(lengths, T)


@wrong("padding_mask")
def same_number_of_examples_as_positions(lengths, T):
    """Loops over T examples: IndexError, or rows too many."""
    lengths = _given(lengths, T)
    mask = np.zeros((T, T), dtype=bool)
    for b in range(T):
        mask[b, : lengths[b]] = True
    return mask


@wrong("padding_mask")
def query_axis_already_there(lengths, T):
    """(B, 1, T)."""
    return (np.arange(T) < _given(lengths, T)[:, None])[:, None, :]


@wrong("padding_mask")
def queries_and_keys(lengths, T):
    """(B, T, T): padded queries hidden too."""
    real = np.arange(T) < _given(lengths, T)[:, None]
    return real[:, :, None] & real[:, None, :]


@wrong("padding_mask")
def causal_as_well(lengths, T):
    """(B, T, T): nobody asked for the triangle."""
    return (np.arange(T) < _given(lengths, T)[:, None])[:, None, :] & np.tri(T, dtype=bool)


@wrong("padding_mask")
def real_as_numbers(lengths, T):
    """1.0 and 0.0."""
    return (np.arange(T) < _given(lengths, T)[:, None]).astype(float)


@wrong("padding_mask")
def real_as_whole_numbers(lengths, T):
    """1 and 0."""
    return (np.arange(T) < _given(lengths, T)[:, None]) * 1


@wrong("padding_mask")
def position_numbers(lengths, T):
    """Position + 1 where real, 0 where not: truthy, not True."""
    t = np.arange(1, T + 1)
    return np.where(t <= _given(lengths, T)[:, None], t, 0)


@wrong("padding_mask")
def as_wide_as_the_longest(lengths, T):
    """T is never used: the width is that of the longest example."""
    lengths = _given(lengths, T)
    return np.arange(lengths.max()) < lengths[:, None]


@wrong("padding_mask")
def length_of_the_first_for_all(lengths, T):
    """lengths[0]: right where all are equally long."""
    lengths = _given(lengths, T)
    return np.tile(np.arange(T) < lengths[0], (len(lengths), 1))


@wrong("padding_mask")
def length_of_the_shortest_for_all(lengths, T):
    """min(lengths) in every row."""
    lengths = _given(lengths, T)
    return np.tile(np.arange(T) < lengths.min(), (len(lengths), 1))


@wrong("padding_mask")
def negative_slice(lengths, T):
    """[: −number of pads]: with no pad that is [: 0], and a full example is hidden."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for b, n in enumerate(lengths):
        mask[b, : -(T - n)] = True
    return mask


@wrong("padding_mask")
def row_of_a_triangle(lengths, T):
    """causal_mask[length − 1]: length 0 asks for row −1, which is all True."""
    return np.tri(T, dtype=bool)[_given(lengths, T) - 1]


@wrong("padding_mask")
def full_counts_as_empty(lengths, T):
    """lengths % T: wrong for length T only."""
    return np.arange(T) < (_given(lengths, T) % T)[:, None]


@wrong("padding_mask")
def empty_keeps_one(lengths, T):
    """At least one token is real, 'against NaN': wrong for length 0 only."""
    return np.arange(T) < np.maximum(_given(lengths, T), 1)[:, None]


@wrong("padding_mask")
def empty_counts_as_full(lengths, T):
    """`length or T`: 0 is taken for 'not given'."""
    return np.array([[t < (n or T) for t in range(T)] for n in _given(lengths, T).tolist()], dtype=bool)


@wrong("padding_mask")
def empty_examples_left_out(lengths, T):
    """An example of length 0 has no row."""
    lengths = _given(lengths, T)
    return np.arange(T) < lengths[lengths > 0][:, None]


@wrong("padding_mask")
def empty_examples_refused(lengths, T):
    """ValueError for length 0, which is allowed."""
    if (_given(lengths, T) == 0).any():
        raise ValueError("an example needs a token")
    return np.arange(T) < np.asarray(lengths)[:, None]


@wrong("padding_mask")
def full_examples_refused(lengths, T):
    """ValueError for length T, which is allowed."""
    if (_given(lengths, T) >= T).any():
        raise ValueError("too long")
    return np.arange(T) < np.asarray(lengths)[:, None]


@wrong("padding_mask")
def equal_lengths_once(lengths, T):
    """A row for each different length, in order of size."""
    return np.arange(T) < np.unique(_given(lengths, T))[:, None]


@wrong("padding_mask")
def shortest_first(lengths, T):
    """Examples in another order."""
    return np.arange(T) < np.sort(_given(lengths, T))[:, None]


@wrong("padding_mask")
def counted_through_the_batch(lengths, T):
    """Lengths taken as ends of one long text: they add up."""
    return np.arange(T) < np.cumsum(_given(lengths, T))[:, None]


@wrong("padding_mask")
def only_the_first_pad(lengths, T):
    """True at position `length` alone."""
    return np.arange(T) == _given(lengths, T)[:, None]


@wrong("padding_mask")
def only_the_last_real_token(lengths, T):
    """True at position `length − 1` alone."""
    return np.arange(T) == _given(lengths, T)[:, None] - 1


@wrong("padding_mask")
def examples_sliced(lengths, T):
    """mask[:length] fills rows, not positions."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for n in lengths:
        mask[:n] = True
    return mask


@wrong("padding_mask")
def last_position_never(lengths, T):
    """The loop over positions ends at T − 1."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for t in range(T - 1):
        mask[:, t] = t < lengths
    return mask


@wrong("padding_mask")
def stops_at_the_first_empty(lengths, T):
    """break at length 0: later examples stay False."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for b, n in enumerate(lengths):
        if n == 0:
            break
        mask[b, :n] = True
    return mask


@wrong("padding_mask")
def one_row_for_all_examples(lengths, T):
    """[[False] * T] * B is B times the same row: all get what the longest has."""
    lengths = _given(lengths, T)
    mask = [[False] * T] * len(lengths)
    for b, n in enumerate(lengths):
        mask[b][:n] = [True] * n
    return np.array(mask)


@wrong("padding_mask")
def one_example_is_a_row(lengths, T):
    """(T,) for a batch of one."""
    return (np.arange(T) < _given(lengths, T)[:, None]).squeeze(axis=0 if len(lengths) == 1 else ())


@wrong("padding_mask")
def counts_lengths_of_the_caller_down(lengths, T):
    """Right mask, but every length of the caller's array is one less."""
    lengths = _given(lengths, T)
    lengths -= 1
    return np.arange(T) <= lengths[:, None]


@wrong("padding_mask")
def ragged_lists(lengths, T):
    """As many True as there are tokens, and nothing for the pads."""
    return [[True] * int(n) for n in _given(lengths, T)]


@wrong("padding_mask")
def lists_of_truths(lengths, T):
    """The right truths in lists."""
    return (np.arange(T) < _given(lengths, T)[:, None]).tolist()


@wrong("padding_mask")
def nothing_assigned(lengths, T):
    """== where = was meant: nothing is ever written."""
    lengths = _given(lengths, T)
    mask = np.zeros((len(lengths), T), dtype=bool)
    for b, n in enumerate(lengths):
        mask[b, :n] == True  # noqa: E712
    return mask


# ── padding_mask, right ─────────────────────────────────────────────────────────────────────────────────────


@right("padding_mask")
def by_slices(lengths, T):
    """A slice of each row."""
    mask = np.zeros((len(lengths), T), dtype=bool)
    for row, n in zip(mask, _given(lengths, T)):
        row[:n] = True
    return mask


@right("padding_mask")
def by_comprehension(lengths, T):
    """Lists, then an array."""
    return np.array([[t < n for t in range(T)] for n in _given(lengths, T)], dtype=bool)


@right("padding_mask")
def repeated_truths(lengths, T):
    """n times True, T − n times False."""
    return np.stack([np.repeat([True, False], [n, T - n]) for n in _given(lengths, T)])


@right("padding_mask")
def rows_of_a_taller_triangle(lengths, T):
    """Row n of a strict triangle with T + 1 rows has n times True."""
    return np.tri(T + 1, T, -1, dtype=bool)[_given(lengths, T)]


@right("padding_mask")
def before_the_first_pad(lengths, T):
    """A mark at position n, and what comes before it."""
    marks = np.eye(T + 1, dtype=int)[_given(lengths, T)]
    return marks.cumsum(axis=1)[:, :T] == 0


@right("padding_mask")
def outer_comparison(lengths, T):
    """ufunc.outer."""
    return np.greater.outer(_given(lengths, T), np.arange(T))


@right("padding_mask")
def bits_of_a_number(lengths, T):
    """2ⁿ − 1 has n ones."""
    return ((1 << _given(lengths, T).astype(np.int64))[:, None] - 1 >> np.arange(T) & 1).astype(bool)


@right("padding_mask")
def lengths_by_torch(lengths, T):
    """torch in between."""
    return (torch.arange(T) < torch.tensor(_given(lengths, T)).unsqueeze(1)).numpy()
