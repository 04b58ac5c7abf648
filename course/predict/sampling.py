r"""From logits to one token: a temperature, two filters, and a draw.

    logits ── temperature ──▶ probs ── top-k ──▶ probs ── top-p ──▶ probs ── one uniform number ──▶ id

A logit is the score of one token of the vocabulary as the next one; softmax makes them probabilities.  Temperature:
Ackley, Hinton, Sejnowski 1985 (A Learning Algorithm for Boltzmann Machines); top-k: Fan et al. 2018, arXiv 1805.04833;
top-p, or nucleus sampling: Holtzman et al. 2020, arXiv 1904.09751.

Everything is NumPy in float64, and works along the last axis, V entries long; axes in front are rows that do not know
of each other.  Torch tensors are taken too, and detached.

Conventions, stated because others exist:
  * the order is temperature, top-k, renormalise, top-p: p is a share of what top-k has left;
  * top-k keeps exactly k, and of equals the smaller id stays (other libraries keep all that equal the k-th);
  * top-p keeps the smallest set of likeliest tokens whose mass reaches p, the one that crosses the line included;
  * temperature 0 is the argmax, and of equals the smaller id gets everything; a temperature near 0 shares it evenly;
  * a logit of −inf rules its token out; NaN, +inf, and a row of nothing but −inf are refused.

    >>> logits = np.array([1.0, 3.0, 2.0, 0.0])
    >>> temper(logits, 1.0).round(2)
    array([0.09, 0.64, 0.24, 0.03])
    >>> distribution(logits, temperature=0.5, top_k=3, top_p=0.9).round(2)
    array([0.  , 0.88, 0.12, 0.  ])
    >>> int(sample(distribution(logits), np.random.default_rng(0)))
    1
"""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import torch

from course.blocks.attention import softmax

ROUNDING = 0.01  # how far from 1 a row of probabilities may sum: half precision is this coarse

# ── from logits to probabilities ────────────────────────────────────────────────────────────────────────────


def temper(logits, temperature: float = 1.0) -> np.ndarray:
    """Turn logits into probabilities, sharper below temperature 1, flatter above.

    softmax(logits / temperature), along the last axis.  At temperature 0 all of it goes to the largest logit, and if
    several are the largest, to the one with the smallest id.  A logit of −inf gets probability 0.

    logits: (..., V);  temperature: a number, 0 or more.  Returns (..., V) float64, each row sums to 1.
    Raises ValueError for logits that say nothing (empty, NaN, +inf, a row of −inf), and for any other temperature.
    """
    logits = _checked_logits(logits)
    _check_temperature(temperature)
    if temperature == 0:
        return (np.arange(logits.shape[-1]) == greedy(logits)[..., None]).astype(np.float64)
    below = logits - logits.max(axis=-1, keepdims=True)  # the largest becomes 0, and stays it at any temperature
    with np.errstate(over="ignore"):  # far below, divided by next to nothing, is −inf: probability 0
        return softmax(below / temperature)


def ranks(probs) -> np.ndarray:
    """The rank of each token: 0 for the likeliest, 1 for the next … ; of equals the smaller id comes first.

    probs: (..., V).  Returns (..., V) int64.  `order` lists ids by place; sorting that again gives, by id, its place.
    """
    order = np.argsort(-as_array(probs), axis=-1, kind="stable")  # (..., V) ids, likeliest first
    return np.argsort(order, axis=-1)


def top_k_filter(probs, k: int) -> np.ndarray:
    """Keep the k likeliest tokens of each row, set all others to 0, and let the row sum to 1 again.

    Exactly k are kept: of several that are equally likely those with the smaller ids stay.

    probs: (..., V), each row sums to 1;  k: int from 1 to V.  Returns (..., V) float64, each row sums to 1.
    Raises ValueError for rows that are no probabilities, and for any other k.
    """
    probs = _checked_probs(probs)
    _check_k(k, probs.shape[-1])
    kept = np.where(ranks(probs) < k, probs, 0.0)
    return kept / kept.sum(axis=-1, keepdims=True)


def top_p_filter(probs, p: float) -> np.ndarray:
    """Keep the smallest set of likeliest tokens that holds at least the share p, and let the row sum to 1 again.

    From the likeliest down, tokens are kept until their mass reaches p; the one that crosses the line is kept too, so
    at least one is.  Of several that are equally likely those with the smaller ids come first.  p = 1 keeps all.

    probs: (..., V), each row sums to 1;  p: 0 < p ≤ 1.  Returns (..., V) float64, each row sums to 1.
    Raises ValueError for rows that are no probabilities, and for any other p.
    """
    probs = _checked_probs(probs)
    _check_p(p)
    if p == 1:
        return probs / probs.sum(axis=-1, keepdims=True)  # by the sum below, rounding would lose the least likely
    falling = -np.sort(-probs, axis=-1)  # (..., V) likeliest first
    short = np.cumsum(falling, axis=-1) < p  # with this token and all before it p is not reached yet
    needed = short.sum(axis=-1, keepdims=True) + 1  # (..., 1)
    kept = np.where(ranks(probs) < needed, probs, 0.0)
    return kept / kept.sum(axis=-1, keepdims=True)


def distribution(logits, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None) -> np.ndarray:
    """The probabilities that the next token is drawn from: temperature first, then top-k, then top-p.

    Each filter lets its row sum to 1 again before the next one looks at it.  None leaves a filter out.

    logits: (..., V);  temperature: 0 or more;  top_k: None, or int from 1 to V;  top_p: None, or 0 < top_p ≤ 1.
    Returns (..., V) float64, each row sums to 1.
    Raises ValueError as `temper`, `top_k_filter` and `top_p_filter` do.
    """
    probs = temper(logits, temperature)
    if top_k is not None:
        probs = top_k_filter(probs, top_k)
    if top_p is not None:
        probs = top_p_filter(probs, top_p)
    return probs


class DistributionSteps(NamedTuple):
    """Every intermediate of `distribution`, in the order in which they arise.  All are (..., V)."""

    scaled: np.ndarray  # logits / temperature (at temperature 0: 0 for the largest, −inf for all others)
    tempered: np.ndarray  # their softmax
    kept_by_top_k: np.ndarray  # bool, by id
    after_top_k: np.ndarray  # probabilities again
    order: np.ndarray  # ids, likeliest first
    mass: np.ndarray  # of after_top_k, summed up in that order: what top-p compares with p
    kept_by_top_p: np.ndarray  # bool, by id; what top-k has cut is not kept
    probs: np.ndarray  # what `distribution` returns


def distribution_steps(
    logits, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> DistributionSteps:
    """`distribution`, with every step kept: see there for arguments and errors."""
    probs = distribution(logits, temperature, top_k, top_p)
    tempered = temper(logits, temperature)
    everything = np.ones(tempered.shape, dtype=bool)
    if temperature == 0:
        scaled = np.where(tempered == 1.0, 0.0, -np.inf)
    else:
        with np.errstate(over="ignore"):
            scaled = as_array(logits) / temperature
    after_top_k = tempered if top_k is None else top_k_filter(tempered, top_k)
    kept_by_top_k = everything if top_k is None else ranks(tempered) < top_k
    kept_by_top_p = kept_by_top_k if top_p in (None, 1) else probs > 0
    order = np.argsort(ranks(after_top_k), axis=-1)
    mass = np.take_along_axis(after_top_k, order, axis=-1).cumsum(axis=-1)
    return DistributionSteps(scaled, tempered, kept_by_top_k, after_top_k, order, mass, kept_by_top_p, probs)


def entropy(probs) -> np.ndarray:
    """How undecided a distribution is: −Σ p ln p, in nats; 0 where one token has it all, ln V where all are equal.

    A probability of 0 adds nothing.  e^entropy is the number of equally likely tokens that would be as undecided.

    probs: (..., V), each row sums to 1.  Returns (...) float64.
    Raises ValueError for rows that are no probabilities.
    """
    probs = _checked_probs(probs)
    return 0.0 - (probs * np.log(np.where(probs > 0.0, probs, 1.0))).sum(axis=-1)


# ── from probabilities to a token ───────────────────────────────────────────────────────────────────────────


def greedy(logits) -> np.ndarray:
    """The id of the largest logit; of equals the smaller id.  The probabilities' largest is the same one.

    logits: (..., V).  Returns (...) int64.
    Raises ValueError for logits that say nothing (empty, NaN, +inf, a row of −inf).
    """
    return _checked_logits(logits).argmax(axis=-1)


def inverse_cdf(probs, u) -> np.ndarray:
    """The token that a number u between 0 and 1 falls on, if each token takes as much of that line as its probability.

    Token 0 begins at 0, and each next one where the one before ends; the end itself belongs to the next.  So a u that
    is drawn evenly from [0, 1) gives each token with its own probability, and one of probability 0 never.  (Inverse
    transform sampling: the mass summed up is the distribution function, and this is its inverse.)

    probs: (..., V), each row sums to 1;  u: (...), 0 ≤ u < 1, one number for each row.  Returns (...) int64, the ids.
    Raises ValueError for rows that are no probabilities, and for u outside of [0, 1) or of another shape.
    """
    probs, u = _checked_probs(probs), as_array(u)
    _check_u(u, probs.shape[:-1])
    ends = probs.cumsum(axis=-1)  # (..., V) where each token ends
    ends = ends / ends[..., -1:]  # the last at 1, whatever was lost to rounding
    return (ends <= u[..., None]).sum(axis=-1)  # as many as end before u


def sample(probs, rng: np.random.Generator) -> np.ndarray:
    """Draw one token a row.  It takes one uniform number of rng for each, in the order of the rows: see `inverse_cdf`.

    (For a single row rng.choice(V, p=probs) gives the same token.)
    probs: (..., V), each row sums to 1;  rng: such as np.random.default_rng(7); the same seed draws the same tokens.
    Returns (...) int64, the ids.
    Raises ValueError for rows that are no probabilities, TypeError for another source of chance.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"chance comes from a np.random.Generator, such as np.random.default_rng(7), got {rng!r}")
    probs = _checked_probs(probs)
    return inverse_cdf(probs, rng.random(probs.shape[:-1]))


# ── what does not fit ───────────────────────────────────────────────────────────────────────────────────────


def as_array(x) -> np.ndarray:
    """A float64 array of an array, a list or a torch tensor (detached, from whichever device)."""
    if torch.is_tensor(x):
        x = x.detach().cpu().double().numpy()
    return np.asarray(x, dtype=np.float64)


def _checked_logits(logits) -> np.ndarray:
    """As float64; each row has a largest number."""
    logits = as_array(logits)
    _check_entries(logits, "logits")
    if (infinite := np.isposinf(logits)).any():
        raise ValueError(f"a logit is a finite number, or −inf to rule its token out; +inf stands {_where(infinite)}")
    if (none := np.isneginf(logits).all(axis=-1)).any():
        raise ValueError(f"at least one token of each row must be possible; all logits are −inf {_where(none, 'row')}")
    return logits


def _checked_probs(probs) -> np.ndarray:
    """As float64; no row is anything else than shares of 1."""
    probs = as_array(probs)
    _check_entries(probs, "probabilities")
    if (negative := probs < 0).any():
        first = probs[negative][0]
        raise ValueError(f"probabilities are 0 or more, got {first:g} {_where(negative)}; are these logits?")
    total = probs.sum(axis=-1)
    if (off := ~(np.abs(total - 1) <= ROUNDING)).any():
        raise ValueError(f"probabilities of a row sum to 1, got {total[off].flat[0]:g} {_where(off, 'row')}")
    return probs


def _check_entries(x: np.ndarray, name: str) -> None:
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"{name} need one number for each token along their last axis, got shape {x.shape}")
    if np.isnan(x).any():
        raise ValueError(f"{name} must be numbers, and there is NaN {_where(np.isnan(x))}")


def _where(odd: np.ndarray, what: str = "place") -> str:
    """Of those that are odd, the first: "at place [0, 3]"."""
    return f"at {what} {[int(i) for i in np.argwhere(odd)[0]]}" if odd.ndim else "in the only row"


def _check_temperature(temperature) -> None:
    if not (isinstance(temperature, Real) and 0 <= temperature < np.inf):
        raise ValueError(f"temperature is a number, 0 or more and not infinite, got {temperature!r}")


def _check_k(k, V: int) -> None:
    if isinstance(k, bool) or not (isinstance(k, Integral) and 1 <= k <= V):
        raise ValueError(f"top-k keeps a whole number of tokens, from 1 to the {V} of the vocabulary, got {k!r}")


def _check_p(p) -> None:
    if isinstance(p, bool) or not (isinstance(p, Real) and 0 < p <= 1):
        raise ValueError(f"top-p keeps a share of the mass, above 0 and at most 1, got {p!r}")


def _check_u(u: np.ndarray, rows: tuple[int, ...]) -> None:
    if u.shape != rows:
        raise ValueError(f"each row takes one number u, shape {rows}, got {u.shape}")
    if not ((0 <= u) & (u < 1)).all():
        raise ValueError("u must lie between 0 and 1, 0 included and 1 not")
