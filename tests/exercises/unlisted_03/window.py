"""Answers to the exercise window_mask: wrong ones, then right ones by another road."""

import numpy as np
import torch

from tests.exercises.unlisted_03.shared import right, wrong

# ── window_mask, wrong ──────────────────────────────────────────────────────────────────────────────────────


def _distance(T) -> np.ndarray:
    """How far back each key lies from each query."""
    return np.arange(T)[:, None] - np.arange(T)


@wrong("window_mask")
def on_both_sides(T, width):
    """|distance| < width: the future is seen too."""
    return np.abs(_distance(T)) < width


@wrong("window_mask")
def half_on_each_side(T, width):
    """A window with the word in its middle."""
    return np.abs(_distance(T)) <= width // 2


@wrong("window_mask")
def one_key_more(T, width):
    """distance ≤ width: the word itself is not counted."""
    return (_distance(T) >= 0) & (_distance(T) <= width)


@wrong("window_mask")
def one_key_less(T, width):
    """distance < width − 1."""
    return (_distance(T) >= 0) & (_distance(T) < width - 1)


@wrong("window_mask")
def without_oneself(T, width):
    """The `width` keys before the word, not the word."""
    return (_distance(T) > 0) & (_distance(T) <= width)


@wrong("window_mask")
def the_whole_past(T, width):
    """width is never used: right for width ≥ T."""
    return _distance(T) >= 0


@wrong("window_mask")
def no_end_to_the_front(T, width):
    """Only distance < width: right for T = 1, the future is open."""
    return _distance(T) < width


@wrong("window_mask")
def into_the_future(T, width):
    """Keys t … t + width − 1."""
    return (_distance(T) <= 0) & (_distance(T) > -width)


@wrong("window_mask")
def before_the_window(T, width):
    """Only what the window should leave out."""
    return _distance(T) >= width


@wrong("window_mask")
def true_hides_the_rest(T, width):
    """The other convention."""
    return ~((_distance(T) >= 0) & (_distance(T) < width))


@wrong("window_mask")
def or_for_and(T, width):
    """| in place of &: always True."""
    return (_distance(T) >= 0) | (_distance(T) < width)


@wrong("window_mask")
def negative_start_of_a_slice(T, width):
    """mask[t, t − width + 1 : t + 1]: a negative start counts from the end, and early rows stay empty."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        mask[t, t - width + 1 : t + 1] = True
    return mask


@wrong("window_mask")
def around_the_corner(T, width):
    """Negative indices wrap: early words see the end of the text."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        for back in range(min(width, T)):
            mask[t, t - back] = True
    return mask


@wrong("window_mask")
def diagonal_erased_by_wrapping(T, width):
    """Negative indices wrap: width T + 1 writes False on the diagonal, wider raises; right up to width T."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        for back in range(width):
            mask[t, t - back] = t - back >= 0
    return mask


@wrong("window_mask")
def wider_than_the_text_sees_all(T, width):
    """width > T: nothing left to hide, not even the future."""
    return np.ones((T, T), dtype=bool) if width > T else (_distance(T) >= 0) & (_distance(T) < width)


@wrong("window_mask")
def width_wraps(T, width):
    """width % (T + 1), to keep it within the text: wrong for width > T only."""
    return (_distance(T) >= 0) & (_distance(T) < width % (T + 1))


@wrong("window_mask")
def even_widths_only(T, width):
    """Twice half the width: an odd width loses a key, and 1 becomes 0."""
    return (_distance(T) >= 0) & (_distance(T) < width // 2 * 2)


@wrong("window_mask")
def sign_of_the_offset(T, width):
    """triu(…, width − 1): right for width 1."""
    return np.triu(np.tri(T, dtype=bool), width - 1)


@wrong("window_mask")
def difference_of_triangles(T, width):
    """tril − tril: NumPy refuses to subtract truths."""
    ones = np.ones((T, T), dtype=bool)
    return np.tril(ones) - np.tril(ones, -width)


@wrong("window_mask")
def difference_of_triangles_in_floats(T, width):
    """The right difference, in floats."""
    return np.tri(T) - np.tri(T, k=-width)


@wrong("window_mask")
def whole_numbers_for_truths(T, width):
    """1 and 0."""
    return ((_distance(T) >= 0) & (_distance(T) < width)).astype(int)


@wrong("window_mask")
def in_blocks(T, width):
    """The text is cut into pieces of `width`; each piece is causal in itself."""
    piece = np.arange(T) // width
    return (_distance(T) >= 0) & (piece[:, None] == piece)


@wrong("window_mask")
def every_width_th_key(T, width):
    """Keys t, t − width, t − 2 width …"""
    return (_distance(T) >= 0) & (_distance(T) % width == 0)


@wrong("window_mask")
def first_keys_for_last(T, width):
    """The first `width` keys of the text."""
    return (_distance(T) >= 0) & (np.arange(T) < width)


@wrong("window_mask")
def last_keys_of_the_text(T, width):
    """The last `width` keys of the text, as far as they are past."""
    return (_distance(T) >= 0) & (np.arange(T) >= T - width)


@wrong("window_mask")
def first_key_always(T, width):
    """A window and the first word of the text: right for T ≤ width."""
    return (_distance(T) >= 0) & ((_distance(T) < width) | (np.arange(T) == 0))


@wrong("window_mask")
def only_full_windows(T, width):
    """Queries before position width − 1 see nothing, since their window is not full."""
    t = np.arange(T)
    return (_distance(T) >= 0) & (_distance(T) < width) & (t[:, None] >= width - 1)


@wrong("window_mask")
def always_width_keys(T, width):
    """Early queries see `width` keys too, the missing ones from the future."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        start = max(0, t - width + 1)
        mask[t, start : start + width] = True
    return mask


@wrong("window_mask")
def start_clipped_at_one(T, width):
    """The start is clipped to 1 in place of 0: the first word is lost to all but itself."""
    mask = np.eye(T, dtype=bool)
    for t in range(T):
        mask[t, max(1, t - width + 1) : t + 1] = True
    return mask


@wrong("window_mask")
def only_the_far_end(T, width):
    """The diagonal and the key `width − 1` back; nothing in between."""
    return (_distance(T) == 0) | (_distance(T) == width - 1)


@wrong("window_mask")
def diagonals_added_from_one(T, width):
    """eye(T, k=−1) + … + eye(T, k=−width + 1): the sum starts at 1."""
    return sum((np.eye(T, k=-back) for back in range(1, width)), np.zeros((T, T))) > 0


@wrong("window_mask")
def never_narrower_than_two(T, width):
    """Width 1 is taken for 2, so that a word has company."""
    return (_distance(T) >= 0) & (_distance(T) < max(width, 2))


@wrong("window_mask")
def width_one_is_the_default(T, width):
    """Width 1 is taken for 'no window'."""
    return (_distance(T) >= 0) & ((_distance(T) < width) | (width == 1))


@wrong("window_mask")
def arguments_exchanged(T, width):
    """A mask of `width` words with a memory of T."""
    return (_distance(width) >= 0) & (_distance(width) < T)


@wrong("window_mask")
def one_column_per_distance(T, width):
    """(T, width): how far back, not which key."""
    return np.arange(T)[:, None] >= np.arange(width)


@wrong("window_mask")
def last_query_skipped(T, width):
    """The loop over queries ends at T − 1."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T - 1):
        mask[t, max(0, t - width + 1) : t + 1] = True
    return mask


@wrong("window_mask")
def window_of_the_first_call(T, width, known={}):
    """Kept by T: the first width ever asked for stays."""
    return known.setdefault(T, (_distance(T) >= 0) & (_distance(T) < width)).copy()


@wrong("window_mask")
def window_of_three(T, width):
    """3 typed in from the example."""
    return (_distance(T) >= 0) & (_distance(T) < 3)


@wrong("window_mask")
def one_comparison_after_another(T, width):
    """0 <= distance < width: Python asks an array for one truth, and it has none (it has for T = 1)."""
    return 0 <= _distance(T) < width


@wrong("window_mask")
def window_not_returned(T, width):
    """No return."""
    (_distance(T) >= 0) & (_distance(T) < width)


# ── window_mask, right ──────────────────────────────────────────────────────────────────────────────────────


@right("window_mask")
def clipped_slices(T, width):
    """A slice of each row, its start clipped at 0."""
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        mask[t, max(0, t - width + 1) : t + 1] = True
    return mask


@right("window_mask")
def triangle_of_a_triangle(T, width):
    """triu of tril."""
    return np.triu(np.tri(T, dtype=bool), 1 - width)


@right("window_mask")
def triangles_that_differ(T, width):
    """XOR of two triangles."""
    return np.tri(T, dtype=bool) ^ np.tri(T, k=-width, dtype=bool)


@right("window_mask")
def diagonals_added(T, width):
    """One diagonal a distance."""
    return sum(np.eye(T, k=-back) for back in range(width)) > 0


@right("window_mask")
def key_in_range(T, width):
    """Is the key in range(…)?"""
    return np.array([[key in range(t - width + 1, t + 1) for key in range(T)] for t in range(T)])


@right("window_mask")
def column_by_column(T, width):
    """Whom each key is seen by: itself and the width − 1 queries after it."""
    mask = np.zeros((T, T), dtype=bool)
    for key in range(T):
        mask[key : key + width, key] = True
    return mask


@right("window_mask")
def powers_of_a_step(T, width):
    """Stay or go one step back, width − 1 times."""
    step = np.eye(T, dtype=bool) | np.eye(T, k=-1, dtype=bool)
    return np.linalg.matrix_power(step, width - 1)


@right("window_mask")
def sliding_view(T, width):
    """A row of T − 1 false, `width` true, and false again, looked at through a window that slides."""
    row = np.repeat([False, True, False], [T, width, T])
    views = np.lib.stride_tricks.sliding_window_view(row, T)
    return views[[T + width - 1 - t for t in range(T)]].copy()


@right("window_mask")
def band_by_torch(T, width):
    """torch in between."""
    return torch.ones(T, T, dtype=torch.bool).tril().triu(1 - width).numpy()
