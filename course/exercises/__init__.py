"""The learner's own record: what was passed and predicted.  `progress()`, `restore(task)`, `export()`, `import_(path)`.

The names are fetched when they are first asked for, so that importing the package stays fast.
"""

import importlib

_HOMES = {
    **dict.fromkeys(("check", "hint", "solution"), "checking"),
    **dict.fromkeys(("my_prediction", "reveal", "quiz"), "questions"),
    **dict.fromkeys(("progress", "restore", "export", "import_"), "record"),
}

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
