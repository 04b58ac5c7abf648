"""`start.py test`: what is run, and that the closing count and the exit code tell the truth."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import run
from tests.little_course import notebook

GREEN = "def test_one(): pass\ndef test_two(): pass\n"
MIXED = "import pytest\ndef test_bad(): assert 0\n@pytest.fixture\ndef broken(): raise OSError\n" \
        "def test_error(broken): pass\n@pytest.mark.skip\ndef test_later(): pass\n@pytest.mark.xfail\ndef test_x(): assert 0\n"


@pytest.fixture
def tree(tmp_path):
    """A checkout with three suites: two tests, one cell of a notebook, one test of the browser."""
    for folder in ("tests/browser", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
    # One process: each worker of xdist takes seconds to start.  One test below has its own two.
    text = Path(run.__file__).read_text(encoding="utf-8")
    (tmp_path / "tests/run.py").write_text(text.replace('["-n", "2", "--dist", "loadfile"]', "[]"), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "tests/sanitize.cfg").write_text("[none]\nregex: never-there\nreplace: x\n")
    (tmp_path / "tests/test_a.py").write_text(GREEN)
    (tmp_path / "tests/browser/test_b.py").write_text("def test_page(): pass\n")
    shown = notebook("print('the answer')")
    shown["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "notebooks/03_attention.ipynb").write_text(json.dumps(shown))
    return tmp_path


def run_in(tree: Path, *words):
    """(exit code, last line, all that was printed)"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run([sys.executable, "tests/run.py", *words], cwd=tree, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1], done.stdout


def test_all_three_suites_are_counted(tree):
    code, last, out = run_in(tree)
    assert (code, last) == (0, "4 passed, 0 failed, 0 skipped"), out


def test_failures_errors_and_skips_are_counted_with_two_workers_too(tree):
    shutil.copy(run.__file__, tree / "tests/run.py")
    (tree / "tests/test_c.py").write_text(MIXED)
    code, last, out = run_in(tree)
    assert (code, last) == (1, "4 passed, 2 failed, 2 skipped"), out


def test_a_notebook_whose_output_differs_fails(tree):
    chapter = tree / "notebooks/03_attention.ipynb"
    chapter.write_text(chapter.read_text().replace("the answer')", "another answer')"))
    assert run_in(tree, "notebooks")[:2] == (1, "0 passed, 1 failed, 0 skipped")


def test_what_follows_test_goes_to_pytest(tree):
    assert run_in(tree, "tests/test_a.py::test_one")[:2] == (0, "1 passed, 0 failed, 0 skipped")
    assert run_in(tree, "-k", "two")[:2] == (0, "1 passed, 0 failed, 0 skipped")
    assert run_in(tree, "-k", "nothing_like_it")[:2] == (1, "0 passed, 1 failed, 0 skipped")


def test_a_suite_without_tests_and_a_pytest_that_breaks_are_failures(tree):
    (tree / "tests/browser/test_b.py").unlink()
    (tree / "tests/test_a.py").write_text("def broken(:\n")
    code, last, out = run_in(tree)
    assert (code, last) == (1, "1 passed, 2 failed, 0 skipped"), out
    assert "browser: pytest ended with 5, which counts as a failed test." in out


def test_which_words_are_paths():
    assert list(run.suites([])) == ["package", "notebooks", "browser"]
    assert run.suites(["-x"])["browser"] == ["tests/browser", *run.PARALLEL, "-x"]
    assert run.suites(["tests/test_run.py", "-x"]) == {"chosen": ["tests/test_run.py", "-x"]}
    assert run.suites(["notebooks"]) == {"chosen": [*run.NBVAL, "notebooks"]}
