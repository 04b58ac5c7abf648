"""Proof that a test can fail: run it against a wrong version of the package, and see it refuse.

One wrong version:

    assert_caught("course.blocks.attention", {"/ math.sqrt(D)": ""}, "tests/parity/test_attention.py::test_by_hand…")

A table of them, which runs as one batch (about a third of a second each):

    MUTANTS = [
        Mutant("no scale", "course.blocks.attention", {"/ math.sqrt(D)": ""}, "tests/test_attention.py::test_scale"),
        Mutant("exp(x)/sum", "course.blocks.attention", {"softmax": unstable_softmax}, "tests/…::test_large_scores"),
    ]

    @pytest.mark.parametrize("mutant", MUTANTS, ids=str)
    def test_wrong_version_is_caught(mutant):
        mutant.assert_caught(among=MUTANTS)

A change maps pieces of source (each must occur exactly once) to what replaces them, or the name of a function or
method of the module to a function that takes its place; that function may use only names of the module it moves into.

What is asserted: the named tests pass on the package as it is; with the change *each* of them fails (of a parametrised
test at least one case), by an assertion or by one of the exceptions named in `raises`, and never because the module
could not be imported.  The tests run in a copy of course/ and tests/, in processes of their own; the copy stands
before any installed course, and the run checks that it was the one imported.
"""

import compileall
import contextlib
import dataclasses
import functools
import gc
import importlib.metadata
import importlib.util
import inspect
import json
import multiprocessing
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 120  # seconds for the tests of one mutant
HEAVY = ("numpy", "torch", "torch.testing", "matplotlib.figure", "matplotlib.backends.backend_agg", "mpl_toolkits.axes_grid1",
         "anywidget", "ipywidgets", "IPython.display", "hypothesis", "hypothesis.strategies", "pytest")  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Mutant:
    """A wrong version of one module, and the tests that must notice it (one node id, or several)."""

    name: str
    module: str
    change: Mapping[str, str | Callable]
    tests: str | Sequence[str]
    raises: Sequence[str] = ()  # names of exceptions that are the symptom, beside a failed assertion

    def __str__(self) -> str:
        return self.name

    @property
    def nodes(self) -> list[str]:
        """Node ids of the tests."""
        return [self.tests] if isinstance(self.tests, str) else list(self.tests)

    @property
    def path(self) -> str:
        """The module's file, relative to the root."""
        file = self.module.replace(".", "/")
        return next(path for path in (f"{file}.py", f"{file}/__init__.py") if (ROOT / path).exists())

    def source(self) -> str:
        """The module's text with the change made.  Raises AssertionError where the change does not fit."""
        text = (ROOT / self.path).read_text(encoding="utf-8")
        for old, new in self.change.items():
            if callable(new):
                text += f"\n\n{textwrap.dedent(inspect.getsource(new))}\n{old} = {new.__name__}\n"
                continue
            count = text.count(old)
            assert count == 1, f"{self}: {old!r} occurs {count} times in {self.path}, the change needs exactly one"
            assert old != new, f"{self}: nothing is changed"
            text = text.replace(old, new)
        compile(text, self.path, "exec")
        return text

    def assert_caught(self, among: Sequence["Mutant"] = ()) -> None:
        """Fail unless each named test refuses this version.  `among`: the table to run in one batch with it."""
        batch = tuple(among) or (self,)
        clean, mutated = _run(batch)[batch.index(self)]
        for node in self.nodes:
            _assert_passes(clean, node)
            _assert_refuses(mutated, node, self)


def assert_caught(module: str, change: Mapping[str, str | Callable], *tests: str, raises: Sequence[str] = ()) -> None:
    """Fail unless each of `tests` passes as things are and refuses `module` with `change`."""
    Mutant("this version", module, change, tests, raises).assert_caught()


# ── the verdict ─────────────────────────────────────────────────────────────────────────────────────────────


def _assert_passes(result: dict, node: str) -> None:
    reports = _of(result, node)
    assert reports, f"{node} names no test that ran:\n{result['output'][-2000:]}"
    bad = [report for report in reports if report["outcome"] != "passed"]
    assert not bad, f"{node} does not pass on the package as it is: {bad[0]}"


def _assert_refuses(result: dict, node: str, mutant: Mutant) -> None:
    assert result["ended"], f"{mutant}: the tests hung for {LIMIT} seconds, or their process died; nothing was refused"
    reports = _of(result, node)
    assert reports, f"{mutant}: {node} could not run, so it refused nothing:\n{result['output'][-2000:]}"
    failed = [report for report in reports if report["outcome"] == "failed"]
    assert failed, f"{mutant}: {node} still passes"
    causes = {report["cause"] for report in failed}
    caught = [r for r in failed if r["when"] == "call" and (r["asserted"] or {*r["kinds"]} & {*mutant.raises})]
    assert caught, f"{mutant}: {node} fails by {causes}, not by an assertion (name it in raises= if it is the symptom)"


def _of(result: dict, node: str) -> list[dict]:
    """Reports of a node: the test itself, its parametrised cases, or all tests of a file or class."""
    below = (node + "[", node + "::")
    return [report for report in result["reports"] if report["node"] == node or report["node"].startswith(below)]


# ── the run ─────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def _run(mutants: tuple[Mutant, ...]) -> list[tuple[dict, dict]]:
    """For each mutant the results of its tests on the package as it is, and on the wrong version.

    A result is {"reports", "course", "output", "ended"}.  Tests that several mutants name run once on the package.
    """
    wanted = sorted({tuple(mutant.nodes) for mutant in mutants})
    jobs: list[dict] = [{"path": None, "nodes": nodes} for nodes in wanted]
    jobs += [{"path": mutant.path, "source": mutant.source(), "nodes": mutant.nodes} for mutant in mutants]
    with tempfile.TemporaryDirectory(prefix="course-mutants-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder).resolve() / "copy"
        _copy_to(copy)
        (copy / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
        # Byte code by content (below), and none is written for a changed file: by date and size, one that is changed
        # within a second and keeps its size would look unchanged.  One thread: other tests run beside these.
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "CI": "1", **_a_home_in(folder)}
        compileall.compile_dir(copy, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        command = [sys.executable, "-P", str(copy / "tests" / "mutation.py")]
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"the mutants could not be run:\n{done.stderr[-4000:]}"
        results = json.loads((copy / "results.json").read_text(encoding="utf-8"))
        for result in results:
            assert result["course"] in (None, str(copy / "course")), f"the tests imported {result['course']}, not the copy"
    clean = dict(zip(wanted, results[: len(wanted)], strict=True))
    return [(clean[tuple(m.nodes)], result) for m, result in zip(mutants, results[len(wanted) :], strict=True)]


def _a_home_in(folder: str) -> dict[str, str]:
    """What a wrong version writes, moves or deletes below `~` is this folder's and not the user's."""
    home = Path(folder) / "home"
    home.mkdir()
    fonts = os.environ.get("MPLCONFIGDIR") or Path.home() / ".cache" / "matplotlib"  # or each batch lists all fonts anew
    return {"HOME": str(home), "USERPROFILE": str(home), "MPLCONFIGDIR": str(fonts)}


def _copy_to(copy: Path) -> None:
    junk = shutil.ignore_patterns("__pycache__", "pictures", "*.egg-info")
    for folder in ("course", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=junk)
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy2(path, copy)
    for folder in ("assets", "notebooks"):
        if (ROOT / folder).exists():
            shutil.copytree(ROOT / folder, copy / folder, ignore=junk)


# ── inside the copy ─────────────────────────────────────────────────────────────────────────────────────────


def _serve() -> None:
    """Run all jobs, each in a process forked from this one, which has imported what takes long (never course)."""
    root = Path.cwd()
    for heavy in HEAVY:
        if importlib.util.find_spec(heavy.partition(".")[0]):
            importlib.import_module(heavy)
    for plugin in importlib.metadata.entry_points(group="pytest11"):
        plugin.load()
    gc.freeze()  # what is here stays; pytest collects garbage at its end, and would search all of it each time
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    results = []
    for job in json.loads((root / "jobs.json").read_text(encoding="utf-8")):
        right = (root / job["path"]).read_text(encoding="utf-8") if job["path"] else ""
        if job["path"]:
            (root / job["path"]).write_text(job["source"], encoding="utf-8")
        (root / "result.json").unlink(missing_ok=True)
        child = context.Process(target=_run_tests, args=(job["nodes"], str(root), bool(job["path"])))
        child.start()
        child.join(LIMIT)
        _end(child)
        if job["path"]:
            (root / job["path"]).write_text(right, encoding="utf-8")
        results.append(_result_of(root))
    (root / "results.json").write_text(json.dumps(results), encoding="utf-8")


def _end(child) -> None:
    """End the tests and whatever they started: a wrong version may leave a program that never ends."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.join()


def _result_of(root: Path) -> dict:
    output = (root / "output.txt").read_text(encoding="utf-8", errors="replace")
    if not (root / "result.json").exists():
        return {"reports": [], "course": None, "ended": False, "output": output}
    return {**json.loads((root / "result.json").read_text(encoding="utf-8")), "ended": True, "output": output}


def _run_tests(nodes: list[str], root: str, wrong: bool) -> None:
    import pytest

    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own, so that all of it can be ended
    sys.dont_write_bytecode = wrong  # the tests themselves never change: what pytest makes of them serves the next runs
    output = os.open(os.path.join(root, "output.txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    recorder = _Recorder()
    quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    pytest.main([*nodes, *quiet, "--rootdir", root], plugins=[recorder])
    course = sys.modules.get("course")
    where = str(Path(course.__file__).resolve().parent) if course else None
    Path(root, "result.json").write_text(json.dumps({"reports": recorder.reports, "course": where}), encoding="utf-8")


class _Recorder:
    """A pytest plugin that writes down how each test ended, and by which exception."""

    def __init__(self) -> None:
        self.reports: list[dict] = []

    def pytest_runtest_makereport(self, item, call):
        outcome = "failed" if call.excinfo else "passed"
        if call.excinfo and call.excinfo.typename == "Skipped":
            outcome = "skipped"
        if call.when == "call" or call.excinfo:
            error = call.excinfo.value if call.excinfo else None
            kinds = [kind.__name__ for kind in type(error).__mro__] if error else []
            cause = f"{kinds[0]}: {str(error)[:300]}" if error else ""
            self.reports.append({"node": item.nodeid, "when": call.when, "outcome": outcome, "kinds": kinds,
                                 "asserted": _asserted(error), "cause": cause})  # fmt: skip


def _asserted(error: BaseException | None) -> bool:
    import pytest

    if isinstance(error, BaseExceptionGroup):  # hypothesis found several
        return any(map(_asserted, error.exceptions))
    return isinstance(error, AssertionError | pytest.fail.Exception)


if __name__ == "__main__":
    _serve()
