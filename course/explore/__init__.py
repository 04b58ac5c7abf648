"""Live explorers for the notebooks: `explore.attention(…)`, `explore.query_plane(…)`.

The names are fetched when they are first asked for, so that importing the package stays fast.
"""

from course.lazily import handed_on

_HOMES = {
    "attention": "attention_explorer",
    "neuron": "neuron_explorer",
    "positions": "positions_explorer",
    "query_plane": "query_plane_explorer",
    "sampling": "sampling_explorer",
    "scaling": "scaling_explorer",
    "stack": "stack_explorer",
    "tokens": "tokens_explorer",
}

__getattr__, __dir__, __all__ = handed_on(__name__, _HOMES)
