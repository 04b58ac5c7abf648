"""The kernel is as it was after a learner's function has run: settings, random numbers, NumPy's and Python's names."""

import builtins
import functools
import math
import os
import random
import signal
import subprocess
import sys
import warnings

import IPython.core.autocall
import numpy as np
import pytest
import torch

from course.exercises.run import run, tampered

ONE = [(np.array([1.0, 2.0]),)]


def only(function, seconds=3.0):
    (outcome,) = run(function, ONE, seconds)
    return outcome


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings of the kernel as a learner may have made them, none of them the usual; said anew by each call."""
    monkeypatch.chdir(tmp_path)

    def now():
        return {
            "numpy's errors": np.geterr(), "numpy's call": np.geterrcall(), "printing": np.get_printoptions(),
            "warnings": list(warnings.filters), "depth": sys.getrecursionlimit(), "folder": os.getcwd(),
            "gradients": torch.is_grad_enabled(), "dtype": torch.get_default_dtype(), "profile": sys.getprofile(),
            "showwarning": warnings.showwarning, "unraisable": sys.unraisablehook, "tracing": sys.gettrace(),
        }  # fmt: skip

    with np.errstate(over="raise"), np.printoptions(precision=3), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")
        yield now


def unsettle(x):
    np.seterr(all="print")
    np.seterrcall(print)
    np.set_printoptions(precision=1)
    warnings.simplefilter("always")
    warnings.showwarning = print
    sys.setrecursionlimit(5000)
    os.chdir("/")
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float64)
    sys.unraisablehook = print
    sys.settrace(lambda *_: None)
    sys.setprofile(lambda *_: None)


def unsettle_and_fail(x):
    unsettle(x)
    raise ValueError


def unsettle_and_loop(x):
    unsettle(x)
    while True:
        pass


@pytest.mark.parametrize("function", [unsettle, unsettle_and_fail, unsettle_and_loop], ids=lambda each: each.__name__)
def test_settings_are_put_back_however_it_ends(settings, function):
    before = settings()
    kinds = {unsettle: "value", unsettle_and_fail: "exception", unsettle_and_loop: "too_long"}
    assert only(function, seconds=0.3).kind == kinds[function]
    assert settings() == before


def test_random_numbers_go_on_as_if_nothing_had_been():
    def draws(x):
        return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002

    def reseeds(x):
        random.seed(5), np.random.seed(5), torch.manual_seed(5)  # noqa: NPY002

    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    wanted = draws(0)
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    first, second = run(draws, [(0,), (0,)])
    only(reseeds)
    assert first.value != second.value  # a random answer shows: nothing is seeded between calls
    assert draws(0) == wanted


def test_state_is_put_back_with_the_functions_there_were(monkeypatch):
    """Also when the learner has a function of their own under the name of the one that would do it."""

    def sabotages(x):
        random.seed(5)
        monkeypatch.setattr(random, "setstate", lambda state: None)

    before = random.getstate()
    only(sabotages)
    assert random.getstate() == before


def test_the_stop_button_goes_through_and_everything_is_put_back():
    def pressed(x):
        np.random.seed(0)  # noqa: NPY002
        signal.raise_signal(signal.SIGINT)
        return "went on"

    before = np.random.get_state()[1].copy(), sys.stdout, sys.stderr, signal.getsignal(signal.SIGALRM)  # noqa: NPY002
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started in the background ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            run(pressed, ONE, 60.0)
    finally:
        signal.signal(signal.SIGINT, usual)
    after = np.random.get_state()[1], sys.stdout, sys.stderr, signal.getsignal(signal.SIGALRM)  # noqa: NPY002
    np.testing.assert_array_equal(after[0], before[0])
    assert after[1:] == before[1:]


def test_numbers_that_are_not_finite_and_warnings_are_nobodys_business(recwarn):
    def warns(x):
        warnings.warn("mine", stacklevel=1)
        return np.log(-x) + np.float64(1) / np.zeros(2)

    with np.errstate(all="raise"):
        assert np.isnan(only(warns).value).all()
    assert not recwarn.list


def test_torch_is_not_loaded_for_this():
    line = "import sys; from course.exercises.run import run; run(abs, [(1,)]); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_exit_in_a_notebook_does_not_end_the_kernel(monkeypatch):
    class Shell:
        asked = 0

        def ask_exit(self):
            self.asked += 1

    shell = Shell()
    leave = IPython.core.autocall.ExitAutocall(shell)  # what `exit` is in a notebook
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    outcome = only(lambda x: leave())
    assert isinstance(outcome.error, SystemExit) and shell.asked == 0
    leave()
    assert shell.asked == 1


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = [(np, "exp"), (np, "array"), (np, "float64"), (np, "pi"), (np.linalg, "norm"), (math, "sqrt"),
         (builtins, "sum"), (builtins, "len"), (builtins, "zip")]  # fmt: skip
BY_TOOLS = [(builtins, "input"), (builtins, "print")]
for_each_name = pytest.mark.parametrize("module, name", NAMES, ids=lambda each: getattr(each, "__name__", each))


@for_each_name
def test_a_name_that_stands_for_something_else_is_reported_and_left_as_it_is(monkeypatch, module, name):
    assert tampered() == []
    other = functools.partial(getattr(module, name)) if callable(getattr(module, name)) else 3
    monkeypatch.setattr(module, name, other)
    assert tampered() == [f"{module.__name__}.{name}"]
    assert only(lambda x: getattr(module, name) is other).value is True
    assert getattr(module, name) is other


def test_a_name_that_is_gone_is_reported(monkeypatch):
    monkeypatch.delattr(np, "exp")
    assert tampered() == ["numpy.exp"]


@pytest.mark.parametrize("spoil", [lambda m, n: setattr(m, n, 5), lambda m, n: vars(m).pop(n, 0)], ids=["set", "gone"])
@pytest.mark.parametrize("module, name", NAMES + BY_TOOLS, ids=lambda each: getattr(each, "__name__", each))
def test_a_name_that_a_call_changes_is_put_back(module, name, spoil):
    right = getattr(module, name)
    outcomes = run(lambda x: spoil(module, name), ONE * 2)
    assert [outcome.kind for outcome in outcomes] == ["value", "value"]
    assert getattr(module, name) is right and tampered() == []


def test_names_are_put_back_when_the_learner_interrupts():
    def changes(x):
        np.exp = builtins.len = None
        raise KeyboardInterrupt

    right = np.exp, builtins.len
    with pytest.raises(KeyboardInterrupt):
        run(changes, ONE)
    assert (np.exp, builtins.len) == right


def test_names_that_tools_put_their_own_in_place_of_are_not_reported(monkeypatch):
    for module, name in BY_TOOLS:
        monkeypatch.setattr(module, name, lambda *_: None)
    assert tampered() == []
