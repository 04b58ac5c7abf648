r"""Normalisation: bring every vector back to a common size, each by itself, and let a learned gain and shift follow.

    LayerNorm(x) = (x − mean) / √(variance + eps) · γ + β        Ba, Kiros, Hinton 2016, arXiv 1607.06450, section 3.1
    RMSNorm(x)   = x / √(mean of x² + eps) · γ                   Zhang, Sennrich 2019, arXiv 1910.07467, equation 4

Mean and variance run over the C features of one vector: what a word becomes depends on no other word and no other
example.  The hand version comes first (NumPy, float64): `layer_norm`, `layer_norm_steps`, `rms_norm`.  The layers
follow (PyTorch): `LayerNorm`, `RMSNorm`.

Conventions, stated because others exist:
  * the variance is the biased one, divided by C and not by C − 1;
  * eps stands under the root.  1e-5 is PyTorch's default for LayerNorm and GPT-2's, BERT has 1e-12, T5's RMSNorm 1e-6.

    >>> layer_norm(np.array([[1.0, 2.0, 3.0, 6.0]]), gamma=1.0, beta=0.0).round(2)
    array([[-1.07, -0.53,  0.  ,  1.6 ]])
    >>> rms_norm(np.array([[1.0, 2.0, 3.0, 6.0]]), gamma=1.0).round(2)
    array([[0.28, 0.57, 0.85, 1.7 ]])
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────


class LayerNormSteps(NamedTuple):
    """What `layer_norm_steps` returns: every intermediate, in order."""

    mean: np.ndarray  # (..., 1)
    centred: np.ndarray  # (..., C)
    variance: np.ndarray  # (..., 1)
    normalised: np.ndarray  # (..., C)  mean 0, variance 1 (a little less, by eps)
    output: np.ndarray  # (..., C)


def layer_norm(x, gamma, beta, eps: float = 1e-5) -> np.ndarray:
    """Subtract the mean of each vector, divide by its standard deviation, then scale by gamma and shift by beta.

        (x − mean) / √(variance + eps) · γ + β

    Mean and variance run over the last axis, each vector by itself; the variance is divided by C (biased), and eps
    stands under the root: a vector of equal numbers becomes beta, and not NaN.

    x: (..., C);  gamma, beta: (C,), or one number for all features.  Returns (..., C) float64.
    Raises ValueError when gamma or beta has another width than x, or eps is negative.
    """
    x, gamma, beta = (np.asarray(a, dtype=np.float64) for a in (x, gamma, beta))
    _check(x.shape, eps, gamma=gamma.shape, beta=beta.shape)
    mean = x.mean(axis=-1, keepdims=True)  # (..., 1)
    variance = x.var(axis=-1, keepdims=True)  # (..., 1)  the biased one
    return (x - mean) / np.sqrt(variance + eps) * gamma + beta


def layer_norm_steps(x, gamma, beta, eps: float = 1e-5) -> LayerNormSteps:
    """The same as `layer_norm`, with every intermediate by name."""
    output = layer_norm(x, gamma, beta, eps)
    x = np.asarray(x, dtype=np.float64)
    mean = x.mean(axis=-1, keepdims=True)  # (..., 1)
    centred = x - mean
    variance = (centred**2).mean(axis=-1, keepdims=True)  # (..., 1)
    return LayerNormSteps(mean, centred, variance, centred / np.sqrt(variance + eps), output)


def rms_norm(x, gamma, eps: float = 1e-6) -> np.ndarray:
    """Divide each vector by its root mean square, then scale by gamma.  No mean is subtracted, nothing is shifted.

        x / √(mean of x² + eps) · γ

    The mean runs over the last axis, each vector by itself; eps stands under the root.
    x: (..., C);  gamma: (C,), or one number for all features.  Returns (..., C) float64.
    Raises ValueError when gamma has another width than x, or eps is negative.
    """
    x, gamma = np.asarray(x, dtype=np.float64), np.asarray(gamma, dtype=np.float64)
    _check(x.shape, eps, gamma=gamma.shape)
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * gamma


def _check(x: tuple[int, ...], eps: float, **parameters: tuple[int, ...]) -> None:
    """Parameters fit the last axis.  A column (C, 1) would broadcast into something else, and raise nothing."""
    if not x or x[-1] == 0:
        raise ValueError(f"there is nothing to take a mean of in x of shape {x}")
    if eps < 0:
        raise ValueError(f"eps is a small number, 0 or more, got {eps}")
    for name, shape in parameters.items():
        if shape not in ((), (x[-1],)):
            raise ValueError(f"{name} needs one number for each of {x[-1]} features, shape ({x[-1]},), got {shape}")


# ── the layers ──────────────────────────────────────────────────────────────────────────────────────────────


class LayerNorm(nn.Module):
    """`layer_norm` as a layer, with its γ in `weight` (begins with ones) and its β in `bias` (begins with zeros), (C,).

    The names are nn.LayerNorm's, so that published parameters load.  `bias=False` leaves β out, as some newer models do.
    `forward(x)`: (..., C), usually (B, T, C), and back in the same shape and dtype.
    """

    def __init__(self, d_model: int, eps: float = 1e-5, bias: bool = True):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model)) if bias else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)  # one fused operation


class RMSNorm(nn.Module):
    """`rms_norm` as a layer, with its γ in `weight` (C,), which begins with ones.  `forward(x)`: (..., C) and back.

    In half precision the mean is taken in float32: squares of large numbers overflow in float16.
    """

    def __init__(self, d_model: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        scale = torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + self.eps)  # (..., 1)
        return (wide * scale).to(x.dtype) * self.weight
