r"""The feed-forward part: after the words have listened to each other, each thinks about what it heard, by itself.

    FFN(x) = activation(x W₁ + b₁) W₂ + b₂           Vaswani et al. 2017, arXiv 1706.03762, equation 2 (with ReLU)
    SwiGLU(x) = (silu(x W_gate) · (x W_up)) W_down   Shazeer 2020, arXiv 2002.05202, equation 6 (no biases)

Without the bend in between the two matrices would be one.  Row n of W₁'s transpose says what neuron n looks for, row n
of W₂ what it adds when it finds it.

The hand version comes first (NumPy, float64): `relu`, `gelu`, `gelu_tanh`, `silu`, `feed_forward`,
`gated_feed_forward`.  The layers follow (PyTorch): `FeedForward`, `GatedFeedForward`.

Conventions, stated because others exist:
  * GELU has two forms, x·Φ(x) itself and an approximation by tanh (Hendrycks, Gimpel 2016, arXiv 1606.08415), which
    differ by less than 5e-4.  BERT was trained with the first (`gelu`), GPT-2 with the second (`gelu_tanh`);
  * silu(x) = x·σ(x) is Swish with β = 1.

    >>> x = np.array([-1.0, 0.0, 1.0, 3.0])
    >>> gelu(x).round(4)
    array([-0.1587,  0.    ,  0.8413,  2.996 ])
    >>> gelu_tanh(x).round(4)
    array([-0.1588,  0.    ,  0.8412,  2.9964])
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────

_erf = np.vectorize(math.erf, otypes=[np.float64])


def relu(x) -> np.ndarray:
    """max(x, 0): what is negative is cut off.  x: any shape.  Returns float64 of the same shape."""
    return np.maximum(np.asarray(x, dtype=np.float64), 0.0)


def gelu(x) -> np.ndarray:
    """x · Φ(x), where Φ is the share of a standard normal distribution that lies below x: Φ(x) = (1 + erf(x/√2)) / 2.

    (arXiv 1606.08415, section 2.)  x: any shape.  Returns float64 of the same shape.
    """
    x = np.asarray(x, dtype=np.float64)
    return x * (1.0 + _erf(x / math.sqrt(2.0))) / 2.0


def gelu_tanh(x) -> np.ndarray:
    """GELU by its approximation with tanh: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).

    (arXiv 1606.08415, section 2.)  x: any shape.  Returns float64 of the same shape.
    """
    x = np.asarray(x, dtype=np.float64)
    return x / 2.0 * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def silu(x) -> np.ndarray:
    """x · σ(x), σ(x) = 1 / (1 + exp(−x)).  x: any shape.  Returns float64 of the same shape; nothing overflows."""
    x = np.asarray(x, dtype=np.float64)
    return x * (1.0 + np.tanh(x / 2.0)) / 2.0  # σ(x) = (1 + tanh(x/2)) / 2, which is safe on both sides


def feed_forward(x, W_1, b_1, W_2, b_2, activation: Callable = gelu) -> np.ndarray:
    """Two linear maps with a bend in between, for each vector by itself: activation(x W₁ + b₁) W₂ + b₂.

    x: (..., C);  W_1: (C, F_);  b_1: (F_,);  W_2: (F_, C);  b_2: (C,);  activation: array → array of the same shape.
    Returns (..., C) float64.
    Raises ValueError when shapes do not fit.
    """
    x, W_1, b_1, W_2, b_2 = (np.asarray(a, dtype=np.float64) for a in (x, W_1, b_1, W_2, b_2))
    fits = W_1.ndim == W_2.ndim == 2 and W_2.shape[:1] == W_1.shape[1:] == b_1.shape and W_2.shape[1:] == b_2.shape
    if not fits or x.shape[-1:] != W_1.shape[:1]:
        shapes = ", ".join(str(a.shape) for a in (x, W_1, b_1, W_2, b_2))
        raise ValueError(f"x (…, C), W_1 (C, F), b_1 (F,), W_2 (F, C), b_2 (C,) do not fit together: {shapes}")
    hidden = activation(x @ W_1 + b_1)  # (..., F_)
    return hidden @ W_2 + b_2  # (..., C)


def gated_feed_forward(x, W_gate, W_up, W_down, activation: Callable = silu) -> np.ndarray:
    """Two views of each vector, of which one, bent, says how much of the other passes: (act(x W_gate) · x W_up) W_down.

    With `silu` it is SwiGLU, with `gelu` GEGLU (arXiv 2002.05202).  Three matrices in place of two: to have as many
    parameters as `feed_forward`, F_ is made two thirds as wide.

    x: (..., C);  W_gate, W_up: (C, F_);  W_down: (F_, C).  Returns (..., C) float64.
    Raises ValueError when shapes do not fit.
    """
    x, W_gate, W_up, W_down = (np.asarray(a, dtype=np.float64) for a in (x, W_gate, W_up, W_down))
    if W_gate.ndim != 2 or W_gate.shape != W_up.shape or W_down.shape[:-1] != W_up.shape[1:] or x.shape[-1:] != W_up.shape[:1]:
        shapes = ", ".join(str(a.shape) for a in (x, W_gate, W_up, W_down))
        raise ValueError(f"x (…, C), W_gate (C, F), W_up (C, F), W_down (F, C) do not fit together: {shapes}")
    hidden = activation(x @ W_gate) * (x @ W_up)  # (..., F_)
    return hidden @ W_down  # (..., C)


# ── the layers ──────────────────────────────────────────────────────────────────────────────────────────────

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
}


def _activation(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    if name not in ACTIVATIONS:
        raise ValueError(f"there is no activation {name!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


class FeedForward(nn.Module):
    """`feed_forward` as a layer: `up` (C → F_), the bend, `down` (F_ → C).

    d_model: C;  d_ff: F_, usually 4·C;  activation: a name of `ACTIVATIONS`;  bias: whether the two maps have one.
    Parameters: 2·C·F_ (and F_ + C biases).  `forward(x)`: (..., C), usually (B, T, C), and back.
    """

    def __init__(self, d_model: int, d_ff: int, activation: str = "gelu", bias: bool = True):
        super().__init__()
        self.activation = _activation(activation)
        self.up = nn.Linear(d_model, d_ff, bias=bias)
        self.down = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(self.hidden(x))  # (..., C)

    def hidden(self, x: torch.Tensor) -> torch.Tensor:
        """The neurons: how strongly each of the F_ answers to each vector.  (..., C) → (..., F_)."""
        return self.activation(self.up(x))


class GatedFeedForward(nn.Module):
    """`gated_feed_forward` as a layer: `down(activation(gate(x)) · up(x))`, without biases.

    d_model: C;  d_ff: F_;  activation: a name of `ACTIVATIONS`; "silu" makes it SwiGLU.  Parameters: 3·C·F_.
    `forward(x)`: (..., C), usually (B, T, C), and back.
    """

    def __init__(self, d_model: int, d_ff: int, activation: str = "silu"):
        super().__init__()
        self.activation = _activation(activation)
        self.gate = nn.Linear(d_model, d_ff, bias=False)
        self.up = nn.Linear(d_model, d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(self.activation(self.gate(x)) * self.up(x))  # (..., C)
