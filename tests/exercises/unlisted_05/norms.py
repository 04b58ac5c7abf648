"""Answers to the exercises layer_norm and rms_norm: wrong ones, then right ones by another road."""

import math

import numpy as np
import torch

from tests.exercises.unlisted_05.shared import _moments, right, wrong

# ── layer_norm, wrong ───────────────────────────────────────────────────────────────────────────────────────


@wrong("layer_norm")
def as_torch_std_has_it(x, gamma, beta, eps=1e-5):
    """torch.std (of a sample) and eps outside of the root, as one well-known page has it."""
    t = torch.as_tensor(np.asarray(x, dtype=float))
    mean, std = t.mean(-1, keepdim=True), t.std(-1, keepdim=True)
    return ((t - mean) / (std + eps)).numpy() * gamma + beta


@wrong("layer_norm")
def largest_is_one(x, gamma, beta, eps=1e-5):
    """Between 0 and 1: (x − min) / (max − min)."""
    x = np.asarray(x, dtype=float)
    low, high = x.min(axis=-1, keepdims=True), x.max(axis=-1, keepdims=True)
    return (x - low) / (high - low + eps) * gamma + beta


@wrong("layer_norm")
def median_subtracted(x, gamma, beta, eps=1e-5):
    """The median in place of the mean."""
    x = np.asarray(x, dtype=float)
    return (x - np.median(x, axis=-1, keepdims=True)) / np.sqrt(_moments(x)[1] + eps) * gamma + beta


@wrong("layer_norm")
def without_its_own_feature(x, gamma, beta, eps=1e-5):
    """The variance about 0: E[x²] in place of E[x²] − mean²."""
    x = np.asarray(x, dtype=float)
    return (x - _moments(x)[0]) / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * gamma + beta


@wrong("layer_norm")
def statistics_of_each_feature(x, gamma, beta, eps=1e-5):
    """Batch norm: over all words and examples, for each feature."""
    x = np.asarray(x, dtype=float)
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axis=axes)) / np.sqrt(x.var(axis=axes) + eps) * gamma + beta


@wrong("layer_norm")
def over_words_and_features(x, gamma, beta, eps=1e-5):
    """Of each example as a whole."""
    x = np.asarray(x, dtype=float)
    axes = (-2, -1) if x.ndim > 1 else -1
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + eps) * gamma + beta


@wrong("layer_norm")
def eps_in_the_mean(x, gamma, beta, eps=1e-5):
    """eps is added to x before anything else."""
    mean, variance = _moments(x)
    return (x + eps - mean) / np.sqrt(variance + eps) * gamma + beta


@wrong("layer_norm")
def eps_in_both_places(x, gamma, beta, eps=1e-5):
    """Under the root and outside of it."""
    mean, variance = _moments(x)
    return (x - mean) / (np.sqrt(variance + eps) + eps) * gamma + beta


@wrong("layer_norm")
def at_least_eps(x, gamma, beta, eps=1e-5):
    """max(variance, eps) in place of the sum."""
    mean, variance = _moments(x)
    return (x - mean) / np.sqrt(np.maximum(variance, eps)) * gamma + beta


@wrong("layer_norm")
def eps_of_berts(x, gamma, beta, eps=1e-12):
    """Another default: right where eps is given."""
    mean, variance = _moments(x)
    return (x - mean) / np.sqrt(np.maximum(variance, 0) + eps) * gamma + beta


@wrong("layer_norm")
def nan_made_zero(x, gamma, beta, eps=1e-5):
    """No eps; what is 0 / 0 becomes 0 afterwards."""
    x = np.asarray(x, dtype=float)
    return np.nan_to_num((x - x.mean(axis=-1, keepdims=True)) / x.std(axis=-1, keepdims=True)) * gamma + beta


@wrong("layer_norm")
def gain_inside(x, gamma, beta, eps=1e-5):
    """x is scaled by gamma before its statistics are taken."""
    scaled = np.asarray(x, dtype=float) * gamma
    mean, variance = _moments(scaled)
    return (scaled - mean) / np.sqrt(variance + eps) + beta


@wrong("layer_norm")
def beta_twice(x, gamma, beta, eps=1e-5):
    """Added before the gain and after it."""
    mean, variance = _moments(x)
    return ((x - mean) / np.sqrt(variance + eps) + beta) * gamma + beta


@wrong("layer_norm")
def first_gain_for_all(x, gamma, beta, eps=1e-5):
    """gamma[0] for every feature."""
    mean, variance = _moments(x)
    return (x - mean) / np.sqrt(variance + eps) * np.ravel(gamma)[0] + beta


@wrong("layer_norm")
def gain_by_word(x, gamma, beta, eps=1e-5):
    """gamma as a column: one number for each word; silent where there are as many words as features."""
    mean, variance = _moments(x)
    return (x - mean) / np.sqrt(variance + eps) * np.asarray(gamma)[..., None] + beta


@wrong("layer_norm")
def statistics_of_the_first_word(x, gamma, beta, eps=1e-5):
    """Mean and variance of word 0, used for all."""
    x = np.asarray(x, dtype=float)
    mean, variance = _moments(x[..., :1, :] if x.ndim > 1 else x)
    return (x - mean) / np.sqrt(variance + eps) * gamma + beta


@wrong("layer_norm")
def one_half_of_the_batch(x, gamma, beta, eps=1e-5):
    """axis=1: right for (T, C), over words for (B, T, C)."""
    x = np.asarray(x, dtype=float)
    axis = 1 if x.ndim > 1 else 0
    return (x - x.mean(axis=axis, keepdims=True)) / np.sqrt(x.var(axis=axis, keepdims=True) + eps) * gamma + beta


@wrong("layer_norm")
def a_tensor(x, gamma, beta, eps=1e-5):
    """The right numbers as a torch tensor."""
    mean, variance = _moments(x)
    return torch.as_tensor((x - mean) / np.sqrt(np.maximum(variance, 0) + eps) * gamma + beta)


@wrong("layer_norm")
def single_precision(x, gamma, beta, eps=1e-5):
    """All in float32."""
    x = np.asarray(x, dtype=np.float32)
    out = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + np.float32(eps)) * gamma + beta
    return np.asarray(out, dtype=np.float64)


@wrong("layer_norm")
def centred_in_place(x, gamma, beta, eps=1e-5):
    """x −= mean: the caller's array is changed."""
    x -= x.mean(axis=-1, keepdims=True)
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * gamma + beta


# ── layer_norm, right ───────────────────────────────────────────────────────────────────────────────────────


@right("layer_norm")
def by_standardising_pairs(x, gamma, beta, eps=1e-5):
    """The variance as half the mean squared difference of all pairs of features."""
    x = np.asarray(x, dtype=float)
    variance = ((x[..., :, None] - x[..., None, :]) ** 2).mean(axis=(-1, -2))[..., None] / 2
    return (x - x.sum(axis=-1, keepdims=True) / x.shape[-1]) / np.sqrt(variance + eps) * gamma + beta


@right("layer_norm")
def with_axes_turned(x, gamma, beta, eps=1e-5):
    """Features first, so that no axis has to be kept, and back."""
    x = np.moveaxis(np.asarray(x, dtype=float), -1, 0)
    return np.moveaxis((x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps), 0, -1) * gamma + beta


@right("layer_norm")
def unbiased_and_corrected(x, gamma, beta, eps=1e-5):
    """The sample's variance times (C − 1)/C, where there is more than one feature."""
    x = np.asarray(x, dtype=float)
    C = x.shape[-1]
    variance = x.var(axis=-1, ddof=1, keepdims=True) * (C - 1) / C if C > 1 else np.zeros((*x.shape[:-1], 1))
    return gamma * ((x - np.average(x, axis=-1)[..., None]) / np.sqrt(variance + eps)) + beta


@right("layer_norm")
def loops_of_numbers(x, gamma, beta, eps=1e-5):
    """Number by number, with Python's sums."""
    x = np.asarray(x, dtype=float)
    gain, shift = np.broadcast_to(gamma, x.shape[-1:]), np.broadcast_to(beta, x.shape[-1:])
    out = np.zeros(x.shape)
    for place in np.ndindex(x.shape[:-1]):
        row = x[place]
        mean = math.fsum(row) / len(row)
        deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in row) / len(row) + eps)
        out[place] = [(v - mean) / deviation * g + b for v, g, b in zip(row, gain, shift)]
    return out


@right("layer_norm")
def by_rms_of_what_is_centred(x, gamma, beta, eps=1e-5):
    """RMSNorm of x − mean is layer norm without its shift."""
    centred = np.asarray(x, dtype=float) - _moments(x)[0]
    return centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + eps) * gamma + beta


# ── rms_norm, wrong ─────────────────────────────────────────────────────────────────────────────────────────


@wrong("rms_norm")
def layer_norm_without_beta(x, gamma, eps=1e-6):
    """Mean subtracted, variance divided by."""
    mean, variance = _moments(x)
    return (x - mean) / np.sqrt(np.maximum(variance, 0) + eps) * gamma


@wrong("rms_norm")
def mean_added_back(x, gamma, eps=1e-6):
    """Normalised about the mean, and the mean is added again."""
    mean, variance = _moments(x)
    return ((x - mean) / np.sqrt(np.maximum(variance, 0) + eps) + mean) * gamma


@wrong("rms_norm")
def divided_by_the_largest(x, gamma, eps=1e-6):
    """The largest absolute value."""
    return x / (np.abs(x).max(axis=-1, keepdims=True) + eps) * gamma


@wrong("rms_norm")
def divided_by_the_square(x, gamma, eps=1e-6):
    """x / x², feature by feature."""
    x = np.asarray(x, dtype=float)
    return x / (x**2 + eps) * gamma


@wrong("rms_norm")
def only_the_sign(x, gamma, eps=1e-6):
    """Each feature divided by its own size."""
    x = np.asarray(x, dtype=float)
    return x / np.sqrt(x**2 + eps) * gamma


@wrong("rms_norm")
def one_size_for_an_example(x, gamma, eps=1e-6):
    """Over words and features."""
    x = np.asarray(x, dtype=float)
    axes = (-2, -1) if x.ndim > 1 else -1
    return x / np.sqrt((x**2).mean(axis=axes, keepdims=True) + eps) * gamma


@wrong("rms_norm")
def eps_before_the_mean_of_c(x, gamma, eps=1e-6):
    """√((Σx² + eps) / C): eps is divided as well."""
    x = np.asarray(x, dtype=float)
    return x / np.sqrt(((x**2).sum(axis=-1, keepdims=True) + eps) / x.shape[-1]) * gamma


@wrong("rms_norm")
def times_the_root_of_c_inverted(x, gamma, eps=1e-6):
    """Length times √C in place of length over √C."""
    x = np.asarray(x, dtype=float)
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.sqrt(length**2 * x.shape[-1] + eps) * gamma


@wrong("rms_norm")
def gain_squared(x, gamma, eps=1e-6):
    """gamma², since it is multiplied before and after."""
    x = np.asarray(x, dtype=float) * gamma
    return x / np.sqrt(((x / gamma) ** 2).mean(axis=-1, keepdims=True) + eps) * gamma


@wrong("rms_norm")
def zero_rows_are_one(x, gamma, eps=1e-6):
    """Rows of zeros are given back as ones."""
    x = np.asarray(x, dtype=float)
    square = (x**2).mean(axis=-1, keepdims=True)
    return np.where(square == 0, 1.0, x / np.sqrt(square + eps)) * gamma


@wrong("rms_norm")
def root_of_the_sum_of_roots(x, gamma, eps=1e-6):
    """The mean of |x|, squared and rooted: no square was taken."""
    x = np.asarray(x, dtype=float)
    return x / np.sqrt(np.abs(x).mean(axis=-1, keepdims=True) ** 2 + eps) * gamma


# ── rms_norm, right ─────────────────────────────────────────────────────────────────────────────────────────


@right("rms_norm")
def by_rsqrt(x, gamma, eps=1e-6):
    """torch's rsqrt, as its layers have it."""
    t = torch.as_tensor(np.asarray(x, dtype=float))
    return (t * torch.rsqrt(t.pow(2).mean(-1, keepdim=True) + eps)).numpy() * gamma


@right("rms_norm")
def by_variance_and_mean(x, gamma, eps=1e-6):
    """The mean square is variance plus squared mean."""
    mean, variance = _moments(x)
    return gamma * np.asarray(x) / np.sqrt(variance + mean**2 + eps)


@right("rms_norm")
def by_rows(x, gamma, eps=1e-6):
    """Row by row, a dot product of each with itself."""
    x = np.asarray(x, dtype=float)
    rows = [row / math.sqrt(row @ row / row.size + eps) for row in x.reshape(-1, x.shape[-1])]
    return np.array(rows).reshape(x.shape) * gamma


@right("rms_norm")
def by_hypot(x, gamma, eps=1e-6):
    """√(mean + eps) as the long side of a right triangle."""
    x = np.asarray(x, dtype=float)
    return x / np.hypot(np.sqrt((x**2).mean(axis=-1, keepdims=True)), math.sqrt(eps)) * gamma
