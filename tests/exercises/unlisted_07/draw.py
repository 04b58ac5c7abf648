"""Answers to `inverse_cdf`."""

import bisect
import itertools

import numpy as np
import torch

from tests.exercises.unlisted_07.shared import _draw, _ends, right, wrong


@wrong("inverse_cdf")
def always_token_0(probs, u):
    """The first token."""
    return np.zeros(np.shape(u), dtype=np.int64)


@wrong("inverse_cdf")
def chance_of_its_own(probs, u):
    """u is not used: a draw of NumPy's."""
    return _draw(probs, np.random.default_rng().random(u.shape))


@wrong("inverse_cdf")
def seeded_by_u(probs, u):
    """u is a seed and no place on the line."""
    return _draw(probs, np.array([np.random.default_rng(int(1e6 * x)).random() for x in u.ravel()]).reshape(u.shape))


@wrong("inverse_cdf")
def least_likely(probs, u):
    """argmin."""
    return probs.argmin(axis=-1)


@wrong("inverse_cdf")
def likely_enough(probs, u):
    """The first token with a probability above u, else the likeliest."""
    found = probs > u[..., None]
    return np.where(found.any(axis=-1), found.argmax(axis=-1), probs.argmax(axis=-1))


@wrong("inverse_cdf")
def end_nearest_to_u(probs, u):
    """The token whose end is nearest."""
    return np.abs(_ends(probs) - u[..., None]).argmin(axis=-1)


@wrong("inverse_cdf")
def middle_nearest_to_u(probs, u):
    """The token whose middle is nearest."""
    return np.abs(_ends(probs) - probs / 2 - u[..., None]).argmin(axis=-1)


@wrong("inverse_cdf")
def from_the_last_token(probs, u):
    """The last token begins at 0."""
    return probs.shape[-1] - 1 - _draw(probs[..., ::-1], u)


@wrong("inverse_cdf")
def least_likely_first(probs, u):
    """Tokens lie in rising order of probability."""
    order = np.argsort(probs, axis=-1, kind="stable")
    place = _draw(np.take_along_axis(probs, order, axis=-1), u)
    return np.take_along_axis(order, place[..., None], axis=-1)[..., 0]


@wrong("inverse_cdf")
def u_squared(probs, u):
    """u²: the first tokens come too often."""
    return _draw(probs, u**2)


@wrong("inverse_cdf")
def last_token_never(probs, u):
    """A loop to V − 1."""
    return np.minimum(_draw(probs, u), max(probs.shape[-1] - 2, 0))


@wrong("inverse_cdf")
def one_hot(probs, u):
    """1 at the token drawn."""
    return (np.arange(probs.shape[-1]) == _draw(probs, u)[..., None]).astype(np.int64)


@wrong("inverse_cdf")
def as_floats(probs, u):
    """Ids as floats."""
    return _draw(probs, u).astype(float)


@wrong("inverse_cdf")
def as_a_list(probs, u):
    """A list."""
    return _draw(probs, u).tolist()


@wrong("inverse_cdf")
def one_axis_too_many(probs, u):
    """(..., 1)."""
    return _draw(probs, u)[..., None]


@wrong("inverse_cdf")
def the_probability_itself(probs, u):
    """The probability of the token drawn."""
    return np.take_along_axis(probs, _draw(probs, u)[..., None], axis=-1)[..., 0]


@wrong("inverse_cdf")
def end_included_by_search(probs, u):
    """searchsorted with side left: an end belongs to the token before."""
    flat = probs.reshape(-1, probs.shape[-1])
    return np.array([np.searchsorted(row.cumsum(), x) for row, x in zip(flat, u.ravel())]).reshape(u.shape)


@wrong("inverse_cdf")
def mass_in_tenths(probs, u):
    """The ends are rounded to one decimal."""
    return np.minimum((_ends(probs).round(1) <= u[..., None]).sum(axis=-1), probs.shape[-1] - 1)


# ── right ───────────────────────────────────────────────────────────────────────────────────────────────────


@right("inverse_cdf")
def with_bisect(probs, u):
    """Python's bisect on running sums."""
    flat = probs.reshape(-1, probs.shape[-1])
    found = [bisect.bisect_right(list(itertools.accumulate(row)), x) for row, x in zip(flat, u.ravel())]
    return np.array(found).reshape(u.shape)


@right("inverse_cdf")
def with_torch(probs, u):
    """torch.searchsorted, all rows at once."""
    ends = torch.from_numpy(probs).cumsum(-1)
    return torch.searchsorted(ends, torch.from_numpy(u)[..., None], right=True)[..., 0].numpy()


@right("inverse_cdf")
def between_start_and_end(probs, u):
    """start ≤ u < end."""
    ends = _ends(probs)
    starts = np.concatenate([np.zeros((*ends.shape[:-1], 1)), ends[..., :-1]], axis=-1)
    return ((starts <= u[..., None]) & (u[..., None] < ends)).argmax(axis=-1)


@right("inverse_cdf")
def from_the_far_side(probs, u):
    """V minus those that end beyond u."""
    return probs.shape[-1] - (_ends(probs) > u[..., None]).sum(axis=-1)


@right("inverse_cdf")
def row_by_row(probs, u):
    """A loop with a running sum."""
    ids = np.empty(u.shape, dtype=np.int64)
    for place, x in np.ndenumerate(u):
        total, token = 0.0, -1
        while total <= x:
            token += 1
            total += probs[place][token]
        ids[place] = token
    return ids
