"""What holds for every test: a home of its own, quick mode, no windows, one thread, reproducible examples."""

import os
import tempfile

# Before anything heavy is imported: these are read once, when matplotlib and torch start.  One thread, because sums
# over several threads are rounded in an order that depends on the machine; kernels and servers inherit it.
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("COURSE_QUICK", "1")

# A home for fixtures that outlive one test (a server, a browser); each test then gets its own.  The object removes
# the folder that it made itself and no other, whatever becomes of the variable.
_home = tempfile.TemporaryDirectory(prefix="course-tests-", ignore_cleanup_errors=True)
os.environ["COURSE_HOME"] = _home.name

import hypothesis  # noqa: E402
import pytest  # noqa: E402

hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_unconfigure():
    """At the end of a run: a forked process, as tests/mutation.py has them, passes no exit handlers."""
    _home.cleanup()


@pytest.fixture(autouse=True)
def course_home(tmp_path_factory, monkeypatch):
    """An empty COURSE_HOME for this test alone: nothing is read from or written to the learner's own."""
    home = tmp_path_factory.mktemp("course_home")
    monkeypatch.setenv("COURSE_HOME", str(home))
    return home
