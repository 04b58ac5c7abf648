r"""How surprised a model was by the token that came: cross-entropy, and two other ways to say the same.

    cross-entropy = mean of −ln p(target)   in nats a token       p = softmax(logits)
    perplexity    = e^cross-entropy         as undecided as that many equally likely tokens
    bits per byte = cross-entropy · tokens / (ln 2 · bytes)       comparable between tokenizers

By hand (NumPy, float64).  The layer is torch's own `F.cross_entropy`, whose convention is taken over: a target of −100
is left out of the mean.  Logits and targets stand side by side: the caller has shifted them, so that the logits at
position t belong to the token at t + 1.

    >>> logits, targets = np.log([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]), np.array([1, 2])
    >>> round(cross_entropy(logits, targets), 4)  # (ln 4 + ln 1.25) / 2
    0.8047
    >>> round(perplexity_of(logits, targets), 4)  # √(4 · 1.25)
    2.2361
"""

import math
from numbers import Real

import numpy as np
import torch

from course.predict.sampling import as_array

IGNORED = -100  # a target that does not count: padding, or what was not masked


def log_softmax(x) -> np.ndarray:
    """The logarithm of the softmax along the last axis: x − ln Σ e^x, in one step.

    Softmax first and its logarithm after gives −inf for a logit 750 below the largest, since e^−750 is 0 in float64;
    here it is −750.  A row that has NaN or +inf, or nothing but −inf, becomes NaN, as in torch.

    x: (..., V).  Returns (..., V) float64.
    """
    x = as_array(x)
    below = x - x.max(axis=-1, keepdims=True)  # e^below can't overflow
    return below - np.log(np.exp(below).sum(axis=-1, keepdims=True))


def cross_entropy(logits, targets) -> float:
    """The mean surprise −ln p(target) over all targets, in nats; p is the softmax of the logits.

    A target of −100 is left out: it counts neither in the sum nor in the number that divides it.

    logits: (..., V), such as (B, T, V);  targets: (...) ints, the id that came, 0 … V−1, or −100.  Returns a float.
    Raises ValueError when shapes do not fit, for an id that is none, and where no target is left; TypeError for targets
    that are no whole numbers.
    """
    logits, targets = _checked(logits, targets)
    counted = targets != IGNORED  # (...)
    log_probs, ids = log_softmax(logits[counted]), targets[counted]  # (N, V), (N,)
    return float(-log_probs[np.arange(len(ids)), ids].mean())


def perplexity(loss: float) -> float:
    """Of how many equally likely tokens the choice would have been as hard: e^loss.  loss: cross-entropy in nats.

    Infinity where that is more than a float64 holds, from a loss of 710 on.
    """
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


def perplexity_of(logits, targets) -> float:
    """The perplexity of a model on a text: e to the mean surprise −ln p(target), over all targets that count.

    p is the softmax of the logits along the last axis.  A target of −100 does not count; the mean runs over all others
    at once, however they are spread over the rows.

    logits: (..., V), such as (B, T, V);  targets: (...) ints, the id that came, 0 … V−1, or −100.  Returns a float.
    Raises ValueError and TypeError as `cross_entropy` does.
    """
    logits, targets = _checked(logits, targets)
    counted = targets != IGNORED  # (...)
    log_probs = log_softmax(logits[counted])  # (N, V)
    surprise = -np.take_along_axis(log_probs, targets[counted][:, None], axis=-1)  # (N, 1)
    return perplexity(surprise.mean())


def bits_per_byte(loss: float, tokens: int, bytes: int) -> float:
    """Surprise a byte of text, in bits: loss · tokens / (ln 2 · bytes).

    A tokenizer with longer tokens has fewer of them, each harder to guess; per byte of the same text models compare.

    loss: cross-entropy in nats a token;  tokens: how many were predicted;  bytes: length of their text in UTF-8.
    Raises ValueError where there is no token or no byte.
    """
    for name, count in (("token", tokens), ("byte", bytes)):
        if not (isinstance(count, Real) and count > 0):
            raise ValueError(f"there must be at least one {name}, got {count!r}")
    return loss * tokens / (math.log(2.0) * bytes)


def _checked(logits, targets) -> tuple[np.ndarray, np.ndarray]:
    """Logits as float64, targets as whole numbers, one for each row of logits."""
    logits = as_array(logits)
    targets = targets.detach().cpu().numpy() if torch.is_tensor(targets) else np.asarray(targets)
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets are ids, whole numbers, got {targets.dtype}")
    if logits.ndim == 0 or logits.shape[:-1] != targets.shape:
        raise ValueError(f"each target takes one row of logits: targets {targets.shape}, logits {logits.shape}")
    counted, V = targets[targets != IGNORED], logits.shape[-1]
    if counted.size == 0:
        raise ValueError(f"there is no target to take a mean of: of {targets.size}, all are {IGNORED}")
    if (other := (counted < 0) | (counted >= V)).any():
        raise ValueError(f"a target is an id from 0 to {V - 1}, or {IGNORED} to be left out, got {counted[other][0]}")
    return logits, targets
