"""The helper that proves tests can fail must itself be able to fail: a small package with good and bad tests."""

import shutil
from pathlib import Path

import pytest

from tests import mutation
from tests.mutation import Mutant

HERE = Path(__file__).parent

SUMS = '''
"""Sums."""

SCALE = 2


def total(numbers):
    result = 0
    for number in numbers:
        result = result + number
    return result


class Counter:
    def count(self, text):
        return len(text)
'''

TESTS = '''
import pytest

from course.sums import SCALE, Counter, total


def test_total():
    assert total([1, 2, 3]) == 6


@pytest.mark.parametrize("numbers", [[], [5], [5, 5]])
def test_cases(numbers):
    assert total(numbers) == 5 * len(numbers)


def test_raises():
    with pytest.raises(TypeError):
        total(["a"])


def test_blind():
    total([1])


def test_count():
    assert Counter().count("abc") == 3


def test_group():
    try:
        assert total([1, 2]) == 3
    except AssertionError as error:
        raise ExceptionGroup("as hypothesis does", [error]) from None


def test_broken_already():
    assert SCALE == 3


def test_skipped():
    pytest.skip("no accelerator")
'''

T = "tests/test_sums.py::"


def empty_total(numbers):
    return 0


def doubled(self, text):
    return SCALE * len(text)  # noqa: F821 - a name of the module it moves into


CAUGHT = [
    Mutant("starts at one", "course.sums", {"result = 0": "result = 1"}, T + "test_total"),
    Mutant("several tests", "course.sums", {"result + number": "number"}, (T + "test_total", T + "test_cases")),
    Mutant("some cases", "course.sums", {"result = 0\n": "result = 5 * (len(numbers) == 1)\n"}, T + "test_cases"),
    Mutant("one case by name", "course.sums", {"result = 0": "result = 1"}, T + "test_cases[numbers1]"),
    Mutant("does not raise", "course.sums", {"result = 0": 'result = ""'}, T + "test_raises"),
    Mutant("another exception", "course.sums", {"return result": "return {}[0]"}, T + "test_total", ("KeyError",)),
    Mutant("base of it", "course.sums", {"return result": "return {}[0]"}, T + "test_total", ("LookupError",)),
    Mutant("function", "course.sums", {"total": empty_total}, T + "test_total"),
    Mutant("method", "course.sums", {"Counter.count": doubled}, T + "test_count"),
    Mutant("in a group", "course.sums", {"result = 0": "result = 1"}, T + "test_group"),
    Mutant("whole file", "course.sums", {"return len(text)": "return 4"}, "tests/test_sums.py"),
]

# A mutant that is not caught, or not for the right reason; and what the helper has to say about it.
REFUSED = [
    (Mutant("blind", "course.sums", {"result = 0": "result = 1"}, T + "test_blind"), "still passes"),
    (Mutant("one of two", "course.sums", {"result = 0": "result = 1"}, (T + "test_total", T + "test_count")), "still passes"),
    (Mutant("import", "course.sums", {"SCALE = 2": "import nothing_like_it"}, T + "test_total"), "could not run"),
    (Mutant("name", "course.sums", {"return result": "return resul"}, T + "test_total"), "NameError.*not by an assertion"),
    (Mutant("no such test", "course.sums", {"result = 0": "result = 1"}, T + "test_nothing"), "names no test that ran"),
    (Mutant("broken already", "course.sums", {"result = 0": "result = 1"}, T + "test_broken_already"), "does not pass"),
    (Mutant("skipped", "course.sums", {"result = 0": "result = 1"}, T + "test_skipped"), "does not pass"),
    (Mutant("hangs", "course.sums", {"for number": "while True: pass\n    for number"}, T + "test_total"), "hung"),
    (Mutant("dies", "course.sums", {"return result": "import os; os._exit(1)"}, T + "test_total"), "hung .* or .* died"),
]

WRONG = [mutant for mutant, _ in REFUSED]

UNFIT = [
    ({"no such line": "x"}, "occurs 0 times"),
    ({"number": "x"}, "occurs 4 times"),
    ({"result = 0": "result = 0"}, "nothing is changed"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The helper at work on a project of two files that needs no torch, with five seconds of patience."""
    root = tmp_path_factory.mktemp("project")
    for folder in ("course", "tests"):
        (root / folder).mkdir()
    (root / "course" / "__init__.py").touch()
    (root / "course" / "sums.py").write_text(SUMS, encoding="utf-8")
    (root / "tests" / "test_sums.py").write_text(TESTS, encoding="utf-8")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n', encoding="utf-8")
    helper = (HERE / "mutation.py").read_text(encoding="utf-8")
    helper = helper.replace("LIMIT = 120", "LIMIT = 5").replace('"torch", "torch.testing", ', "")
    (root / "tests" / "mutation.py").write_text(helper, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutation, "ROOT", root)
        yield root


@pytest.mark.parametrize("mutant", CAUGHT, ids=str)
def test_a_wrong_version_is_caught(project, mutant):
    _, mutated = mutation._run(tuple(CAUGHT))[CAUGHT.index(mutant)]
    reports = mutation._of(mutated, mutant.nodes[0])
    assert any(report["outcome"] == "failed" for report in reports)
    if mutant.name != "whole file":  # one of whose tests is broken already
        mutant.assert_caught(among=CAUGHT)


@pytest.mark.parametrize("mutant, sentence", REFUSED, ids=lambda value: str(value) if isinstance(value, Mutant) else "")
def test_what_is_not_caught_is_reported(project, mutant, sentence):
    with pytest.raises(AssertionError, match=sentence):
        mutant.assert_caught(among=WRONG)


@pytest.mark.parametrize("change, sentence", UNFIT, ids=[sentence for _, sentence in UNFIT])
def test_a_change_must_fit_the_source(project, change, sentence):
    with pytest.raises(AssertionError, match=sentence):
        mutation.assert_caught("course.sums", change, T + "test_total")


def test_one_wrong_version_without_a_table(project):
    mutation.assert_caught("course.sums", {"result = 0": "result = 1"}, T + "test_total", T + "test_cases")
    with pytest.raises(AssertionError, match="still passes"):
        mutation.assert_caught("course.sums", {"result = 0": "result = 1"}, T + "test_count")


def test_the_package_itself_is_left_alone(project):
    mutation.assert_caught("course.sums", {"result = 0": "result = 1"}, T + "test_group")
    assert (project / "course" / "sums.py").read_text(encoding="utf-8") == SUMS
    assert not list(project.rglob("__pycache__"))


def test_a_wrong_version_cannot_reach_the_users_home(project, tmp_path, monkeypatch):
    (tmp_path / "diary").write_text("mine", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    careless = "import os; open(os.path.expanduser('~/diary'), 'w').close(); return 0"
    mutation.assert_caught("course.sums", {"return result": careless}, T + "test_total")
    assert (tmp_path / "diary").read_text(encoding="utf-8") == "mine"


def test_another_course_on_the_path_is_noticed(project, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(project / "course", other / "course")
    conftest = project / "tests" / "conftest.py"
    conftest.write_text(f"import sys\nsys.path.insert(0, {str(other)!r})\n", encoding="utf-8")
    try:
        with pytest.raises(AssertionError, match="not the copy"):
            mutation.assert_caught("course.sums", {"result = 0": "result = 1"}, T + "test_count")
    finally:
        conftest.unlink()
