"""Packages that hand names on, and import a module only when one of its names is asked for.

    _HOMES = {"check": "checking", "hint": "checking"}             # in course/exercises/__init__.py
    __getattr__, __dir__, __all__ = handed_on(__name__, _HOMES)    # `from course.exercises import check` works

Importing the package stays fast, however heavy what it hands on.
"""

import importlib
import sys
from collections.abc import Callable, Mapping


def handed_on(package: str, homes: Mapping[str, str]) -> tuple[Callable, Callable, list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package (PEP 562).  homes: name → module of the package it comes from."""
    names = sorted(homes)

    def get(name: str):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)  # found without us from now on
        return value

    return get, lambda: names, names
