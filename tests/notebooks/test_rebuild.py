"""A chapter built again, and again without a network, is the chapter that was committed."""

import configparser
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course import build
from tests.notebooks.offline import offline, why_not
from tests.notebooks.rules import Chapter
from tests.notebooks.sample import TEXT, build_sample, write_sample

TESTS = Path(__file__).resolve().parent.parent
CHAPTERS = Chapter.all()

# nbval reads the same file in its own way: pairs of lines `regex: …` and `replace: …`.
_config = configparser.ConfigParser(interpolation=None)
_config.read(TESTS / "sanitize.cfg", encoding="utf-8")
PATTERNS = [(re.compile(_config[name]["regex"]), _config[name]["replace"]) for name in _config.sections()]

BUILD = """
import sys
from pathlib import Path
from course import build
build.build(Path(sys.argv[1]), Path(sys.argv[2]), quick=True, timeout=120)
"""


def sanitized(text: str) -> str:
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def shown(notebook) -> dict[str, list]:
    """What must not change: for each cell its source, and its outputs as text, unless tagged as varying."""
    cells = {}
    for cell in notebook.cells:
        cells[cell.id] = [cell.source]
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            continue
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            texts = [output.get("text", ""), output.get("evalue", ""), data.get("text/plain", ""), data.get("text/html", "")]
            cells[cell.id] += [sorted(data), *map(sanitized, texts)]
    return cells


def rebuild(source: Path, target: Path, without_network: bool) -> nbformat.NotebookNode:
    command = [sys.executable, "-c", BUILD, str(source), str(target)]
    command = offline(*command) if without_network else command
    environment = os.environ | {"PYTHONPATH": str(build.ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return nbformat.read(target, as_version=4)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.target.stem)
def test_a_chapter_built_twice_is_the_committed_one(chapter, tmp_path):
    committed = shown(chapter.notebook)
    assert committed
    for run in ("first", "second"):
        target = tmp_path / f"{run}.ipynb"
        assert shown(rebuild(chapter.source, target, without_network=run == "second" and not why_not())) == committed


def test_without_a_network_there_is_none(tmp_path):
    if why_not():
        pytest.skip(f"the second build had a network: {why_not()}")
    program = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=3)"
    done = subprocess.run(offline(sys.executable, "-c", program), capture_output=True, text=True, check=False)
    assert "unreachable" in done.stderr
    text = TEXT.replace("x[7]", "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=3)")
    target = tmp_path / "notebooks" / "98_sample.ipynb"
    notebook = rebuild(write_sample(tmp_path, text), target, without_network=True)
    assert "unreachable" in str(notebook.cells)


# ── the comparison notices what differs ─────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return nbformat.read(build_sample(tmp_path_factory.mktemp("sample")), as_version=4)


VARYING = {
    "a random number": ("x * 2", "np.random.random(3)"),
    "the order of a set": ("x * 2", "print(set('abcdefgh'))"),
    "an output more": ("x * 2", "(lambda: np.random.random() < 2 or 1)(), id(object()) // 7"),
}


@pytest.mark.parametrize("old, new", VARYING.values(), ids=VARYING)
def test_what_varies_is_noticed(tmp_path, old, new):
    text = TEXT.replace(old, new)
    builds = [nbformat.read(build_sample(tmp_path / str(n), text), as_version=4) for n in range(2)]
    assert shown(builds[0]) != shown(builds[1])


def test_what_is_tagged_or_sanitized_may_vary(tmp_path, sample):
    again = nbformat.read(build_sample(tmp_path), as_version=4)
    assert again != sample  # the tagged cell prints its process id
    assert shown(again) == shown(sample)
    assert json.dumps([cell for cell in again.cells if not cell.metadata.get("tags")]) == json.dumps(
        [cell for cell in sample.cells if not cell.metadata.get("tags")]
    )


@pytest.mark.parametrize("left, right", [
    ("<object at 0x7f3a2b1c4d50>", "<object at 0x7f3a2b1c0000>"),
    ("took 3.2 s", "took 11 s"),
    ("12 ms a step", "9.75 ms a step"),
    ("1,234 tokens/s", "987.5 tokens/s"),
    ("saved to /tmp/tmpab12/x.pt", "saved to /var/folders/zz/T/y.pt"),
    ("2026-01-31 10:20:30.123", "2025-12-01 01:02:03"),
    ("largest difference 0e+00", "largest difference 1.1e-16"),
    ('<img alt="A" src="data:image/png;base64,iVBO+/=" style="width:301px">',
     '<img alt="A" src="data:image/png;base64,aaaa" style="width:300px">'),
])  # fmt: skip
def test_sanitizing_makes_runs_alike(left, right):
    assert sanitized(left) == sanitized(right)


@pytest.mark.parametrize("left, right", [
    ("weight 0.31", "weight 0.62"),
    ("0x7f", "0x80"),
    ("2 sentences", "3 sentences"),
    ("difference 1e-03", "difference 1e-07"),
    ("3 steps", "4 steps"),
    ("d_k = 4 more", "d_k = 8 more"),
    ('<img alt="up" src="data:image/png;base64,aaaa">', '<img alt="down" src="data:image/png;base64,aaaa">'),
])  # fmt: skip
def test_sanitizing_hides_no_result(left, right):
    assert sanitized(left) != sanitized(right)
