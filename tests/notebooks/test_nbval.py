"""nbval, called as `start.py test` calls it: it passes twice in a row, and it can fail."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course import build
from tests.notebooks.sample import build_sample

TESTS = Path(__file__).resolve().parent.parent
OPTIONS = ["--nbval-current-env", f"--nbval-sanitize-with={TESTS / 'sanitize.cfg'}", "--nbval-cell-timeout=120",
           "-p", "no:cacheprovider", "--color=no", "-rf"]  # fmt: skip


def pytest_run(*arguments, cwd):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(build.ROOT)
    command = [sys.executable, "-m", "pytest", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return build_sample(tmp_path_factory.mktemp("sample"))


def nbval(target):
    return pytest_run("--nbval", target.parent, *OPTIONS, cwd=target.parent.parent)


def test_it_passes_twice_in_a_row(sample):
    before = sample.read_bytes()
    for _ in range(2):
        done = nbval(sample)
        assert done.returncode == 0, done.stdout
        assert "7 passed" in done.stdout
    assert sample.read_bytes() == before


def alter_text(notebook):
    cell(notebook, "x * 2").outputs[0].data["text/plain"] = "array([0, 2, 5])"


def alter_stream(notebook):
    output = cell(notebook, "print(").outputs[0]
    output.text = output.text.replace("line 7", "line seven")


def alter_alternative_text(notebook):
    data = cell(notebook, "show(curves([1, 2, 4]").outputs[0].data
    data["text/html"] = data["text/html"].replace("rises", "falls")


def alter_error(notebook):
    cell(notebook, "x[7]").outputs[0].evalue = "another"


def alter_explorer(notebook):
    cell(notebook, "Live()").outputs[0].data["text/plain"] = "sample explorer: a curve that rises"


def alter_code(notebook):
    cell(notebook, "x * 2").source += " + 1"


def remove_output(notebook):
    cell(notebook, "x * 2").outputs.clear()


def add_output(notebook):
    cell(notebook, "import os").outputs.append(cell(notebook, "x * 2").outputs[0])  # tagged: may vary


ALTERATIONS = {alter_text: 1, alter_stream: 2, alter_alternative_text: 3, alter_error: 5, alter_explorer: 6, alter_code: 1,
               remove_output: 1, add_output: None}  # fmt: skip


def cell(notebook, code):
    return next(cell for cell in notebook.cells if cell.cell_type == "code" and code in cell.source)


def test_it_fails_where_an_output_differs(sample, tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for alter in ALTERATIONS:
        notebook = nbformat.read(sample, as_version=4)
        before = json.dumps(notebook)
        alter(notebook)
        assert json.dumps(notebook) != before
        (folder / f"{alter.__name__}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    done = pytest_run("--nbval", folder, *OPTIONS, "-n", "2", "--dist", "loadfile", cwd=tmp_path)
    failed = set(re.findall(r"^FAILED .*?(\w+)\.ipynb::Cell (\d+)", done.stdout, re.MULTILINE))
    assert failed == {(alter.__name__, str(number)) for alter, number in ALTERATIONS.items() if number}, done.stdout


def test_the_tests_hold_no_notebooks_and_nbval_collects_nothing_else():
    assert not list(TESTS.rglob("*.ipynb"))
    collected = pytest_run("--collect-only", "-q", "--nbval", "notebooks", *OPTIONS, cwd=build.ROOT)
    found = [line for line in collected.stdout.splitlines() if "::" in line]
    assert found and all(line.startswith("notebooks/") and ".ipynb::" in line for line in found)
    folders = {line.split("::")[0] for line in found}
    assert folders == {f"notebooks/{path.name}" for path in (build.ROOT / "notebooks").glob("*.ipynb")}
