"""LOSS → WEIGHTS: how wrong a prediction was, and how a model learns from it: `cross_entropy`, `train`.

The names are fetched when they are first asked for, so that importing the package stays fast.
"""

from course.lazily import handed_on

_HOMES = {
    "log_softmax": "loss", "cross_entropy": "loss",
    "perplexity": "loss", "perplexity_of": "loss", "bits_per_byte": "loss",
    "train": "training", "Record": "training",
}  # fmt: skip

__getattr__, __dir__, __all__ = handed_on(__name__, _HOMES)
