"""Other people's weights, loaded from a package, a folder or the Hugging Face hub: `sentence_encoder()`.

The only part of the course that imports the transformers library, and only inside functions.  The names are fetched
when they are first asked for, so that importing the package stays fast.
"""

import importlib

_HOMES = {"sentence_encoder": "sentence", "SentenceEncoder": "sentence", "NoModel": "folders"}

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
