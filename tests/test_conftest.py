"""Every test runs in a home of its own, in quick mode, on one thread, without windows."""

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import hypothesis
import pytest

HERE = Path(__file__).parent
seen = []


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_empty_home_of_its_own(course_home, turn):
    home = Path(os.environ["COURSE_HOME"])
    assert home == course_home and home.is_relative_to(Path(tempfile.gettempdir()).resolve())
    assert list(home.iterdir()) == [] and home not in seen
    (home / "progress").touch()
    seen.append(home)


def test_the_home_of_longer_fixtures_is_ours_and_goes_away(tmp_path):
    """In runs of their own: one with a worker of xdist, one that leaves without passing Python's exit handlers."""
    shutil.copy(HERE / "conftest.py", tmp_path)
    probe = """
        import os, pathlib
        LASTING = os.environ["COURSE_HOME"]
        def test_it():
            assert pathlib.Path(LASTING).is_dir() and os.environ["COURSE_HOME"] != LASTING
            pathlib.Path("lasting.txt").write_text(LASTING)
    """
    (tmp_path / "test_probe.py").write_text(textwrap.dedent(probe), encoding="utf-8")
    learner = tmp_path / "learner"
    learner.mkdir()
    (learner / "progress").write_text("theirs", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"COURSE_HOME": str(learner), "TMPDIR": str(tmp_path)}
    quiet = ["-q", "-p", "no:cacheprovider", "."]
    abrupt = f"import os, pytest; os._exit(pytest.main({quiet}))"
    for arguments in (["-m", "pytest", "-n", "1", *quiet], ["-c", abrupt]):
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        lasting = Path((tmp_path / "lasting.txt").read_text(encoding="utf-8"))
        assert lasting.parent == tmp_path and lasting.name.startswith("course-tests-") and not lasting.exists()
    assert not list(tmp_path.glob("course-tests-*"))
    assert (learner / "progress").read_text(encoding="utf-8") == "theirs"


def test_numbers_and_pictures_do_not_depend_on_the_machine():
    import matplotlib
    import torch

    assert torch.get_num_threads() == int(os.environ["OMP_NUM_THREADS"])
    assert matplotlib.get_backend().lower() == "agg"
    assert os.environ["COURSE_QUICK"] == "1"
    assert hypothesis.settings().deadline is None
    assert hypothesis.settings().derandomize is bool(os.environ.get("CI"))
