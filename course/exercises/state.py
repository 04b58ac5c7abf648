"""The kernel's state, put back after a learner's function has run in it; and whether NumPy is still NumPy."""

import builtins
import contextlib
import math
import os
import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator

import numpy as np

# Functions of Python that others put their own in place of: notebooks at every cell, debuggers, consoles.
REPLACED_BY_TOOLS = frozenset(
    "breakpoint copyright credits display exit get_ipython help input license open print quit".split()
)


@contextlib.contextmanager
def as_before() -> Iterator[Callable[[], None]]:
    """Run the body without warnings; generators, settings, streams and names of NumPy are then what they were.

    The value is a function that puts back Python's own names at once, without which nothing can go on.
    Nothing is put back of what the body does to files, to the environment and to objects that it shares with others.
    """
    names, pythons_names = _Names(*_NUMBERS), _Names(builtins)
    with contextlib.ExitStack() as stack:
        for put_back, *state in _states():
            stack.callback(put_back, *state)
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(np.printoptions())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        _let_exit_raise(stack)
        sys.unraisablehook = id  # does nothing, and needs no frame; the usual one tells at length of every destructor
        try:
            yield pythons_names.put_back
        finally:
            pythons_names.put_back()
            names.put_back()


def _states() -> Iterator[tuple]:
    """What puts a piece of state back, and the state."""
    yield random.setstate, random.getstate()
    yield np.random.set_state, np.random.get_state()  # noqa: NPY002
    torch = sys.modules.get("torch")  # never imported for this: it takes seconds
    if hasattr(torch, "set_rng_state"):
        yield torch.set_rng_state, torch.get_rng_state()
        yield torch.set_default_dtype, torch.get_default_dtype()
        yield torch.set_grad_enabled, torch.is_grad_enabled()
    with contextlib.suppress(FileNotFoundError):  # a folder that was removed is no place to come back to
        yield os.chdir, os.getcwd()
    yield _set_streams, sys.stdout, sys.stderr, sys.unraisablehook


def _let_exit_raise(stack: contextlib.ExitStack) -> None:
    """In a notebook `exit()` raises nothing: it asks the kernel to end.  Let it raise SystemExit like `sys.exit()`."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if hasattr(ipython, "get_ipython") else None
    if shell is not None:
        stack.callback(setattr, shell, "ask_exit", shell.ask_exit)
        shell.ask_exit = sys.exit


def _set_streams(*streams) -> None:
    sys.stdout, sys.stderr, sys.unraisablehook = streams


# ── names that everybody relies on ──────────────────────────────────────────────────────────────────────────


class _Names:
    """The public names of some modules, and what they stand for at this moment.

    To look and to put back needs no function of Python's, for that may be what is gone.
    """

    def __init__(self, *modules: types.ModuleType):
        self._before = [(module.__name__, module.__dict__, _public(module)) for module in modules]

    def changed(self) -> list[tuple[str, dict, str, object]]:
        """Module, its names, the name that stands for something else or nothing now, and what it stood for."""
        return [
            (module, now, name, value)
            for module, now, before in self._before
            for name, value in before.items()
            if name not in now or now[name] is not value
        ]

    def put_back(self) -> None:
        for _, now, name, value in self.changed():
            now[name] = value


def _public(module: types.ModuleType) -> dict[str, object]:
    return {name: value for name, value in vars(module).items() if name[0] != "_"}


_NUMBERS = np, np.linalg, math
_AT_IMPORT = _Names(*_NUMBERS, builtins)


def tampered() -> list[str]:
    """Public names of NumPy, math and Python that stand for something else than when this module was imported."""
    return [f"{module}.{name}" for module, _, name, _ in _AT_IMPORT.changed() if name not in REPLACED_BY_TOOLS]
