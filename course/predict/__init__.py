"""LOGITS → TOKEN: scores become probabilities, some are cut, and one token is drawn: `distribution`, `sample`.

The names are fetched when they are first asked for, so that importing the package stays fast.
"""

from course.lazily import handed_on

_HOMES = {
    "temper": "sampling", "ranks": "sampling", "top_k_filter": "sampling", "top_p_filter": "sampling",
    "distribution": "sampling", "distribution_steps": "sampling",
    "greedy": "sampling", "inverse_cdf": "sampling", "sample": "sampling", "entropy": "sampling",
}  # fmt: skip

__getattr__, __dir__, __all__ = handed_on(__name__, _HOMES)
