"""Answers to `perplexity`."""

import math

import numpy as np
import torch

from tests.exercises.unlisted_07.shared import _log_softmax, _softmax, _surprises, right, wrong


@wrong("perplexity")
def ten_to_the_loss(logits, targets):
    """10 to a mean of natural logarithms."""
    return float(10.0 ** _surprises(logits, targets).mean())


@wrong("perplexity")
def median_surprise(logits, targets):
    """The median in place of the mean."""
    return float(np.exp(np.median(_surprises(logits, targets))))


@wrong("perplexity")
def largest_surprise(logits, targets):
    """The token that was the hardest."""
    return float(np.exp(_surprises(logits, targets).max()))


@wrong("perplexity")
def of_the_model_itself(logits, targets):
    """e to the mean entropy of the predictions: the targets are not looked at."""
    log_probs = _log_softmax(np.asarray(logits)[targets != -100])
    return float(np.exp(-(np.exp(log_probs) * log_probs).sum(axis=-1).mean()))


@wrong("perplexity")
def of_the_likeliest(logits, targets):
    """The probability of the likeliest token, not of the target."""
    return float(np.exp(-_log_softmax(np.asarray(logits)[targets != -100]).max(axis=-1).mean()))


@wrong("perplexity")
def squared_error(logits, targets):
    """e to the mean of (1 − p)²."""
    return float(np.exp(((1 - np.exp(-_surprises(logits, targets))) ** 2).mean()))


@wrong("perplexity")
def share_of_misses(logits, targets):
    """How often the likeliest token is not the target."""
    counted = targets != -100
    return float((np.asarray(logits)[counted].argmax(axis=-1) != targets[counted]).mean())


@wrong("perplexity")
def all_are_counted_from_the_end(logits, targets):
    """−100 as an index, modulo V: some token from the end."""
    V = np.shape(logits)[-1]
    rows = _log_softmax(logits).reshape(-1, V)
    return float(np.exp(-rows[np.arange(len(rows)), targets.ravel() % V].mean()))


@wrong("perplexity")
def zeros_are_left_out(logits, targets):
    """Token 0 is taken for padding."""
    kept = np.where(targets == 0, -100, targets)
    kept = kept if (kept != -100).any() else targets
    return float(np.exp(_surprises(logits, kept).mean()))


@wrong("perplexity")
def left_out_counts_as_certain(logits, targets):
    """−100 has surprise 0, and is counted."""
    return float(np.exp(_surprises(logits, targets).sum() / targets.size))


@wrong("perplexity")
def first_row_of_the_batch(logits, targets):
    """Only the first text of a batch."""
    if targets.ndim > 1:
        logits, targets = logits[0], targets[0]
    return float(np.exp(_surprises(logits, targets).mean()))


@wrong("perplexity")
def last_axis_is_not_the_vocabulary(logits, targets):
    """A softmax along the positions."""
    x = np.asarray(logits, float)
    x = x - np.logaddexp.reduce(x, axis=-2, keepdims=True)
    counted = targets != -100
    return float(np.exp(-x[counted][np.arange(counted.sum()), targets[counted]].mean()))


@wrong("perplexity")
def clipped_probabilities(logits, targets):
    """Probabilities below 1e-12 are 1e-12."""
    counted = targets != -100
    p = np.clip(_softmax(np.asarray(logits)[counted])[np.arange(counted.sum()), targets[counted]], 1e-12, 1)
    return float(np.exp(-np.log(p).mean()))


@wrong("perplexity")
def one_minus_loss(logits, targets):
    """e^(1 − loss)."""
    return float(np.exp(1 - _surprises(logits, targets).mean()))


@wrong("perplexity")
def one_number_a_row(logits, targets):
    """An array with one perplexity a token."""
    return np.exp(_surprises(logits, targets))


@wrong("perplexity")
def a_tensor(logits, targets):
    """A torch tensor."""
    return torch.tensor(np.exp(_surprises(logits, targets).mean()))


@wrong("perplexity")
def rounded_to_a_whole_number(logits, targets):
    """"As many as n tokens": n is rounded."""
    return float(np.round(np.exp(_surprises(logits, targets).mean())))


@wrong("perplexity")
def an_int(logits, targets):
    """int."""
    return int(np.exp(_surprises(logits, targets).mean()))


@wrong("perplexity")
def unbiased_mean(logits, targets):
    """Divided by N − 1."""
    surprises = _surprises(logits, targets)
    return float(np.exp(surprises.sum() / max(len(surprises) - 1, 1)))


@wrong("perplexity")
def smoothed(logits, targets):
    """A tenth of the target's share is spread over the vocabulary."""
    counted = targets != -100
    rows = _log_softmax(np.asarray(logits)[counted])
    return float(np.exp((0.9 * _surprises(logits, targets) - 0.1 * rows.mean(axis=-1)).mean()))


# ── right ───────────────────────────────────────────────────────────────────────────────────────────────────


@right("perplexity")
def root_of_the_product(logits, targets):
    """The N-th root of the product of 1/p, the product in logarithms."""
    surprises = _surprises(logits, targets)
    return math.exp(math.fsum(surprises.tolist()) / len(surprises))


@right("perplexity")
def by_one_hot(logits, targets):
    """Σ one_hot · log p over everything, divided by the number that count."""
    hot = np.arange(np.shape(logits)[-1]) == targets[..., None]
    return float(np.exp(-np.where(hot, _log_softmax(logits), 0.0).sum() / hot.sum()))


@right("perplexity")
def by_torch_with_sum(logits, targets):
    """reduction="sum", and divided by hand."""
    flat = torch.from_numpy(np.asarray(logits, float)).reshape(-1, np.shape(logits)[-1])
    ids = torch.from_numpy(np.asarray(targets)).reshape(-1)
    total = torch.nn.functional.cross_entropy(flat, ids, reduction="sum", ignore_index=-100)
    return float(torch.exp(total / (ids != -100).sum()))


@right("perplexity")
def weighted_mean_of_rows(logits, targets):
    """Means of rows, each with its number of targets as weight."""
    if targets.ndim == 1:
        return float(np.exp(_surprises(logits, targets).mean()))
    means = [_surprises(*pair).mean() for pair in zip(logits, targets)]
    return np.exp(np.average(means, weights=(targets != -100).sum(axis=-1)))


@right("perplexity")
def differences_of_logits(logits, targets):
    """1/p = Σ exp(z_j − z_target), by logaddexp."""
    counted = targets != -100
    rows, ids = np.asarray(logits, float)[counted], targets[counted]
    return np.exp(np.logaddexp.reduce(rows - rows[np.arange(len(ids)), ids][:, None], axis=-1).mean())
