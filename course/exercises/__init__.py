"""Exercises, predictions, and the learner's record of both.

`check(task, attempt)`, `hint(task)`, `solution(task)`;  `my_prediction(question, …)`, `reveal(question, truth)`,
`quiz(question)`;  `progress()`, `restore(task)`, `export()`, `import_(path)`.

The names are fetched when they are first asked for, so that importing the package stays fast.
"""

import importlib

_HOMES = {
    "check": "checking", "hint": "checking", "solution": "checking",
    "my_prediction": "questions", "reveal": "questions", "quiz": "questions",
    "progress": "record", "restore": "record", "export": "record", "import_": "record",
}  # fmt: skip

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
