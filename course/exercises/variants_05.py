"""Right answers to chapter 05's exercises that look different: a check must pass every one of them."""

import math
import statistics

import numpy as np
import torch

from course.blocks.feed_forward import gelu as default_bend
from course.blocks.feed_forward import silu as default_gate

TRACE = ([0, -3], (0.0, -3.0), np.array([0, -3]))

erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x):
    """1 / (1 + exp(−x)), without an overflow."""
    return (1.0 + np.tanh(x / 2.0)) / 2.0


# ── the bend ────────────────────────────────────────────────────────────────────────────────────────────────


def gelu_number_by_number(x):
    """Python's own erf, in a loop."""
    x = np.asarray(x, dtype=np.float64)
    bent = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        bent[place] = 0.5 * x[place] * (1 + math.erf(x[place] / math.sqrt(2)))
    return bent


def gelu_by_erfc(x):
    """Φ(x) = erfc(−x/√2) / 2, with torch's erfc."""
    x = np.asarray(x, dtype=np.float64)
    return x * torch.erfc(torch.from_numpy(-x / math.sqrt(2))).numpy() / 2


def gelu_by_the_normal_distribution(x):
    """Φ from the standard library."""
    return np.asarray(x) * np.vectorize(statistics.NormalDist().cdf, otypes=[float])(x)


GELU = (gelu_number_by_number, gelu_by_erfc, gelu_by_the_normal_distribution)

# ── the feed-forward part ───────────────────────────────────────────────────────────────────────────────────


def feed_forward_neuron_by_neuron(x, W_1, b_1, W_2, b_2, activation=default_bend):
    """A sum over neurons: how strongly each answers, times what it adds."""
    output = np.zeros(np.shape(x)) + b_2
    for n in range(len(b_1)):
        strength = activation(np.asarray(x) @ W_1[:, n] + b_1[n])
        output = output + np.asarray(strength)[..., None] * W_2[n]
    return output


def feed_forward_with_a_column_of_ones(x, W_1, b_1, W_2, b_2, activation=default_bend):
    """A bias is the row of the matrix that belongs to a feature which is always 1."""
    ones = lambda a: np.concatenate([a, np.ones((*a.shape[:-1], 1))], axis=-1)
    hidden = activation(ones(np.asarray(x, dtype=float)) @ np.vstack([W_1, b_1]))
    return ones(hidden) @ np.vstack([W_2, b_2])


def feed_forward_by_einsum(x, W_1, b_1, W_2, b_2, activation=default_bend):
    """Axes by name."""
    hidden = activation(np.einsum("...c,cf->...f", x, W_1) + b_1)
    return np.einsum("...f,fc->...c", hidden, W_2) + b_2


def feed_forward_one_row_less_of_axes(x, W_1, b_1, W_2, b_2, activation=default_bend):
    """All vectors below each other, and back into shape."""
    flat = np.reshape(x, (-1, len(W_1)))
    return np.reshape(activation(flat @ W_1 + b_1) @ W_2 + b_2, np.shape(x))


FEED_FORWARD = (
    feed_forward_neuron_by_neuron, feed_forward_with_a_column_of_ones, feed_forward_by_einsum,
    feed_forward_one_row_less_of_axes,
)  # fmt: skip


def gated_with_one_wide_matrix(x, W_gate, W_up, W_down, activation=default_gate):
    """Both maps in one product, cut in two afterwards, as much code has it."""
    gate, up = np.split(np.asarray(x) @ np.concatenate([W_gate, W_up], axis=1), 2, axis=-1)
    return (up * activation(gate)) @ W_down


def gated_neuron_by_neuron(x, W_gate, W_up, W_down, activation=default_gate):
    """A sum over neurons."""
    strength = [np.asarray(activation(np.asarray(x) @ W_gate[:, n]) * (x @ W_up[:, n])) for n in range(W_up.shape[1])]
    return sum(s[..., None] * W_down[n] for n, s in enumerate(strength))


GATED = (gated_with_one_wide_matrix, gated_neuron_by_neuron)

# ── norms ───────────────────────────────────────────────────────────────────────────────────────────────────


def layer_norm_by_std(x, gamma, beta, eps=1e-5):
    """NumPy's own variance is the biased one."""
    x = np.asarray(x, dtype=float)
    return gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) + beta


def layer_norm_row_by_row(x, gamma, beta, eps=1e-5):
    """One vector after the other."""
    x = np.asarray(x, dtype=float)
    rows = [(row - row.mean()) / math.sqrt(row.var() + eps) for row in x.reshape(-1, x.shape[-1])]
    return np.reshape(rows, x.shape) * gamma + beta


def layer_norm_by_a_projection(x, gamma, beta, eps=1e-5):
    """To subtract the mean is to multiply by a matrix, 1 − 1/C; the variance is the mean square of what is left."""
    x = np.asarray(x, dtype=float)
    C = x.shape[-1]
    centred = x @ (np.eye(C) - np.full((C, C), 1 / C))
    return centred * gamma / np.sqrt(np.square(centred).sum(-1, keepdims=True) / C + eps) + beta


def layer_norm_by_statistics(x, gamma, beta, eps=1e-5):
    """The population's variance from the standard library, along the last axis."""
    variance = np.apply_along_axis(lambda row: statistics.pvariance(row.tolist()), -1, np.asarray(x, dtype=float))[..., None]
    return (x - np.mean(x, axis=-1, keepdims=True)) * (variance + eps) ** -0.5 * gamma + beta


LAYER_NORM = (layer_norm_by_std, layer_norm_row_by_row, layer_norm_by_a_projection, layer_norm_by_statistics)


def rms_norm_by_a_norm(x, gamma, eps=1e-6):
    """The length of a vector is √C times its root mean square."""
    x = np.asarray(x, dtype=float)
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return gamma * x / np.sqrt(length**2 / x.shape[-1] + eps)


def rms_norm_by_einsum(x, gamma, eps=1e-6):
    """The square of a vector as its product with itself."""
    x = np.asarray(x, dtype=float)
    square = np.einsum("...c,...c->...", x, x) / x.shape[-1]
    return x * (square + eps)[..., None] ** -0.5 * gamma


RMS_NORM = (rms_norm_by_a_norm, rms_norm_by_einsum)
