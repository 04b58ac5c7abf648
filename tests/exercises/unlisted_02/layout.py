"""Answers to the exercise deinterleave: wrong ones, then right ones by another road."""

import numpy as np
import torch

from tests.exercises.unlisted_02.shared import _halves, right, wrong


def _order(D, n_heads) -> np.ndarray:
    return np.array([h * D + j for h in range(n_heads) for j in _halves(D)])


# ── deinterleave, wrong ─────────────────────────────────────────────────────────────────────────────────────


@wrong("deinterleave")
def inverse(D, n_heads=1):
    """argsort of the answer: right up to width 4."""
    return np.argsort(_order(D, n_heads))


@wrong("deinterleave")
def second_half_in_reverse(D, n_heads=1):
    """0, 2, 4 … 5, 3, 1: right for width 2."""
    return np.array([h * D + j for h in range(n_heads) for j in [*range(0, D, 2), *range(D - 1, 0, -2)]])


@wrong("deinterleave")
def backwards(D, n_heads=1):
    """All of it in reverse."""
    return _order(D, n_heads)[::-1].copy()


@wrong("deinterleave")
def heads_backwards(D, n_heads=1):
    """The last head first: right for one head."""
    return _order(D, n_heads).reshape(n_heads, D)[::-1].ravel()


@wrong("deinterleave")
def halves_exchanged(D, n_heads=1):
    """D/2 … D − 1, 0 …: the halves change places."""
    return np.array([h * D + (j + D // 2) % D for h in range(n_heads) for j in range(D)])


@wrong("deinterleave")
def even_ones_only(D, n_heads=1):
    """The odd features are lost."""
    return np.array([h * D + j for h in range(n_heads) for j in range(0, D, 2)])


@wrong("deinterleave")
def even_ones_twice(D, n_heads=1):
    """0, 2, 4 … 0, 2, 4 …"""
    return np.array([h * D + j for h in range(n_heads) for j in [*range(0, D, 2)] * 2])


@wrong("deinterleave")
def all_evens_first(D, n_heads=1):
    """Over the whole width: right for one head."""
    return np.array(_halves(D * n_heads))


@wrong("deinterleave")
def width_of_all_for_one(D, n_heads=1):
    """D is taken for the width of all heads together."""
    d = max(D // n_heads, 1)
    return np.array([h * d + j for h in range(n_heads) for j in _halves(d)])


@wrong("deinterleave")
def head_counted_from_one(D, n_heads=1):
    """Heads 1 … H: the first features are never taken."""
    return _order(D, n_heads) + D


@wrong("deinterleave")
def modulo(D, n_heads=1):
    """2j mod D, and 1 more in the second half of all places."""
    j = np.arange(D * n_heads)
    return 2 * j % D + (j >= D * n_heads // 2)


@wrong("deinterleave")
def fourth_by_fourth(D, n_heads=1):
    """0, 4, 8 … 1, 5 …: groups of four in place of two, where the width allows it."""
    group = 4 if D % 4 == 0 else 2
    return np.array([h * D + j for h in range(n_heads) for start in range(group) for j in range(start, D, group)])


@wrong("deinterleave")
def as_a_permutation_matrix(D, n_heads=1):
    """The matrix that does it."""
    return np.eye(D * n_heads)[:, _order(D, n_heads)]


@wrong("deinterleave")
def as_floats(D, n_heads=1):
    """Floats, which can't be indices."""
    return _order(D, n_heads).astype(float)


@wrong("deinterleave")
def as_a_list(D, n_heads=1):
    """A list."""
    return _order(D, n_heads).tolist()


@wrong("deinterleave")
def evens_and_odds_apart(D, n_heads=1):
    """Two arrays."""
    order = _order(D, n_heads).reshape(n_heads, 2, -1)
    return order[:, 0].ravel(), order[:, 1].ravel()


@wrong("deinterleave")
def as_a_tensor_of_indices(D, n_heads=1):
    """A torch tensor."""
    return torch.from_numpy(_order(D, n_heads))


@wrong("deinterleave")
def two_heads_at_most(D, n_heads=1):
    """range(min(H, 2))."""
    return _order(D, min(n_heads, 2))


@wrong("deinterleave")
def heads_of_the_first_call(D, n_heads=1, known={}):
    """n_heads is kept by width."""
    return _order(D, known.setdefault(D, n_heads))


# ── deinterleave, right ─────────────────────────────────────────────────────────────────────────────────────


@right("deinterleave")
def slices_of_a_range(D, n_heads=1):
    """Even columns beside odd ones, head by row."""
    features = np.arange(D * n_heads).reshape(n_heads, D)
    return np.concatenate([features[:, 0::2], features[:, 1::2]], axis=1).ravel()


@right("deinterleave")
def sorted_by_head_and_parity(D, n_heads=1):
    """A stable sort."""
    return np.array(sorted(range(D * n_heads), key=lambda j: (j // D, j % 2)))


@right("deinterleave")
def by_lexsort(D, n_heads=1):
    """The same, by NumPy."""
    j = np.arange(D * n_heads)
    return np.lexsort((j, j % 2, j // D))


@right("deinterleave")
def by_arithmetic(D, n_heads=1):
    """Where each index comes from, in a formula."""
    j = np.arange(D * n_heads)
    head, place = np.divmod(j, D)
    return head * D + place % (D // 2) * 2 + place // (D // 2)


@right("deinterleave")
def torch_inside_the_order(D, n_heads=1):
    """unflatten and transpose."""
    return torch.arange(D * n_heads).reshape(n_heads, -1, 2).transpose(1, 2).flatten().numpy()
