"""IDS → LOGITS: blocks put together into whole models.  `GPTConfig`, `GPT`.

The names are fetched when they are first asked for, so that importing the package stays fast.
"""

from course.lazily import handed_on

_HOMES = {"GPT": "gpt", "GPTConfig": "config"}

__getattr__, __dir__, __all__ = handed_on(__name__, _HOMES)
