"""Right answers to chapter 07's exercises that look different: a check must pass every one of them."""

import math

import numpy as np
import torch
from torch.nn import functional as F

TRACE = (
    [0.7054, 0.7311],
    (0.71, 0.73),
    np.array([math.e**2 / (math.e**2 + math.e + 1 / math.e), math.e / (math.e + 1)]),
)


def _alone(logits):
    """All of it to the first of the largest."""
    probs = np.zeros(np.shape(logits))
    np.put_along_axis(probs, np.argmax(logits, axis=-1)[..., None], 1.0, axis=-1)
    return probs


def temper_of_log_softmax(logits, temperature=1.0):
    """The logarithms of the probabilities are logits, too."""
    if temperature == 0:
        return _alone(logits)
    log_probs = torch.log_softmax(torch.tensor(np.asarray(logits, float)), -1)
    return torch.softmax(log_probs / temperature, -1).numpy()


def temper_by_a_power(logits, temperature=1.0):
    """p to the power 1/temperature, and divided by the sum again."""
    if temperature == 0:
        return _alone(logits)
    e = np.exp(np.asarray(logits, float) - np.max(logits, axis=-1, keepdims=True))
    powers = (e / e.sum(axis=-1, keepdims=True)) ** (1 / temperature)
    return powers / powers.sum(axis=-1, keepdims=True)


def temper_row_by_row(logits, temperature=1.0):
    """Plain loops."""
    logits = np.asarray(logits, float)
    if logits.ndim > 1:
        return np.array([temper_row_by_row(row, temperature) for row in logits])
    if temperature == 0:
        return np.array([1.0 if i == logits.argmax() else 0.0 for i in range(len(logits))])
    e = [math.exp((score - max(logits)) / temperature) for score in logits]
    return np.array([each / sum(e) for each in e])


TEMPER = (temper_of_log_softmax, temper_by_a_power, temper_row_by_row)


def top_k_by_places(probs, k):
    """The first k of the sorted ids are copied."""
    ids = np.argsort(-probs, axis=-1, kind="stable")[..., :k]
    kept = np.zeros(probs.shape)
    np.put_along_axis(kept, ids, np.take_along_axis(probs, ids, axis=-1), axis=-1)
    return kept / kept.sum(axis=-1, keepdims=True)


def top_k_one_by_one(probs, k):
    """k times the likeliest of what is left."""
    if probs.ndim > 1:
        return np.array([top_k_one_by_one(row, k) for row in probs])
    left, kept = probs.copy(), np.zeros(len(probs))
    for _ in range(k):
        best = left.argmax()
        kept[best], left[best] = probs[best], -1.0
    return kept / kept.sum()


def top_k_by_python_sort(probs, k):
    """Sorted by falling probability and rising id, in words of Python."""
    flat = probs.reshape(-1, probs.shape[-1])
    kept = np.zeros(flat.shape)
    for row, out in zip(flat, kept):
        for i in sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]:
            out[i] = row[i]
    return (kept / kept.sum(axis=1, keepdims=True)).reshape(probs.shape)


def top_k_by_counting(probs, k):
    """A token stays if fewer than k come before it: likelier ones, or equals with a smaller id."""
    likelier = probs[..., None, :] > probs[..., :, None]
    equals = np.tril(probs[..., None, :] == probs[..., :, None], -1)
    kept = np.where((likelier | equals).sum(axis=-1) < k, probs, 0.0)
    return kept / kept.sum(axis=-1, keepdims=True)


TOP_K = (top_k_by_places, top_k_one_by_one, top_k_by_python_sort, top_k_by_counting)


def top_p_by_mass_before(probs, p):
    """A token stays while the mass before it is below p, put back into the order of ids."""
    order = np.argsort(-probs, axis=-1, kind="stable")
    falling = np.take_along_axis(probs, order, axis=-1)
    before = falling.cumsum(axis=-1) - falling
    kept = np.zeros(probs.shape)
    np.put_along_axis(kept, order, np.where(before < p, falling, 0.0), axis=-1)
    return kept / kept.sum(axis=-1, keepdims=True)


def top_p_one_by_one(probs, p):
    """The likeliest of what is left, until p is reached."""
    if probs.ndim > 1:
        return np.array([top_p_one_by_one(row, p) for row in probs])
    kept, left, mass = np.zeros(len(probs)), probs.copy(), 0.0
    while mass < p and left.max() > 0:
        best = left.argmax()
        kept[best], left[best], mass = probs[best], 0.0, mass + probs[best]
    return kept / kept.sum()


def top_p_by_torch(probs, p):
    """The mask is shifted by one place, as the transformers library once did."""
    falling, order = torch.sort(torch.from_numpy(probs), descending=True, stable=True)
    cut = falling.cumsum(-1) >= p
    cut = torch.cat([torch.zeros_like(cut[..., :1]), cut[..., :-1]], -1)
    kept = torch.zeros_like(falling).scatter(-1, order, falling.masked_fill(cut, 0.0))
    return (kept / kept.sum(-1, keepdim=True)).numpy()


TOP_P = (top_p_by_mass_before, top_p_one_by_one, top_p_by_torch)


def distribution_in_one_go(logits, temperature=1.0, top_k=None, top_p=None):
    """Everything sorted, and back at the end; what is cut goes to −inf before a last softmax."""
    logits = torch.from_numpy(np.asarray(logits, float))
    if temperature == 0:
        return _alone(logits.numpy())
    falling, order = torch.sort(logits / temperature, descending=True, stable=True)
    if top_k is not None:
        falling[..., top_k:] = -torch.inf
    if top_p is not None:
        probs = falling.softmax(-1)
        falling[probs.cumsum(-1) - probs >= top_p] = -torch.inf
    return torch.zeros_like(falling).scatter(-1, order, falling.softmax(-1)).numpy()


def distribution_by_parts(logits, temperature=1.0, top_k=None, top_p=None):
    """The three right answers above, one after the other."""
    probs = temper_by_a_power(logits, temperature)
    probs = top_k_by_places(probs, top_k or probs.shape[-1])
    return top_p_by_mass_before(probs, top_p or 1.0)


def distribution_with_top_k_on_logits(logits, temperature=1.0, top_k=None, top_p=None):
    """Temperature keeps the order, so that top-k may come first."""
    if top_k is not None:
        stay = top_k_by_places(temper_row_by_row(logits), top_k) > 0
        logits = np.where(stay, logits, -np.inf)
    probs = temper_row_by_row(logits, temperature)
    return probs if top_p is None else top_p_one_by_one(probs, top_p)


DISTRIBUTION = (distribution_in_one_go, distribution_by_parts, distribution_with_top_k_on_logits)


def draw_by_searching(probs, u):
    """Binary search in each row."""
    flat = probs.reshape(-1, probs.shape[-1])
    found = [np.searchsorted(row.cumsum(), at, side="right") for row, at in zip(flat, u.ravel())]
    return np.array(found).reshape(u.shape)


def draw_by_walking(probs, u):
    """Take off one share after the other, until u is used up."""
    ids = np.zeros(u.shape, dtype=np.int64)
    for place in np.ndindex(u.shape):
        left = u[place]
        for token, share in enumerate(probs[place]):
            left -= share
            if left < 0:
                break
        ids[place] = token
    return ids


def draw_by_first_beyond(probs, u):
    """The first token that ends beyond u."""
    return (probs.cumsum(axis=-1) > u[..., None]).argmax(axis=-1)


INVERSE_CDF = (draw_by_searching, draw_by_walking, draw_by_first_beyond)


def perplexity_by_torch(logits, targets):
    """PyTorch's own cross-entropy."""
    flat = torch.from_numpy(np.asarray(logits, float)).reshape(-1, np.shape(logits)[-1])
    return math.exp(F.cross_entropy(flat, torch.from_numpy(np.asarray(targets)).reshape(-1)).item())


def perplexity_by_geometric_mean(logits, targets):
    """The geometric mean of 1/p, by logarithms, token by token."""
    total, count = 0.0, 0
    for place in np.ndindex(np.shape(targets)):
        if targets[place] != -100:
            row = logits[place]
            total += np.logaddexp.reduce(row) - row[targets[place]]
            count += 1
    return float(np.exp(total / count))


def perplexity_in_base_2(logits, targets):
    """2 to the surprise in bits is e to the surprise in nats."""
    rows, ids = np.asarray(logits)[targets != -100], targets[targets != -100]
    bits = (np.logaddexp.reduce(rows, axis=-1) - rows[np.arange(len(ids)), ids]) / np.log(2)
    return 2 ** bits.mean()


PERPLEXITY = (perplexity_by_torch, perplexity_by_geometric_mean, perplexity_in_base_2)
