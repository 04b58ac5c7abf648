"""The bench: its statistics and sentences, and that its watch in the page misses no time."""

import json
import subprocess
import sys
import types

import numpy as np
import pytest

from course.bench import __main__ as bench
from course.bench import explorer_bytes, explorer_latency, lab
from course.bench.report import Machine, Row, as_json, as_text, percentile, ratios


def test_percentiles_are_numpys():
    samples = np.random.default_rng(0).gamma(2.0, size=31).tolist()
    for percent in (0, 25, 50, 75, 95, 100):
        assert percentile(samples, percent) == pytest.approx(np.percentile(samples, percent), rel=1e-12)
    row = Row("w", "ours", "ms", tuple(samples))
    assert row.median == pytest.approx(np.median(samples)) and row.p95 == pytest.approx(np.percentile(samples, 95))
    assert row.spread == pytest.approx((np.percentile(samples, 75) - np.percentile(samples, 25)) / 2 / np.median(samples))
    assert percentile([3.0], 95) == 3.0


ROWS = [
    Row("a", "ours", "ms", (10.0, 12.0, 11.0), budget=20),
    Row("a", "peer", "ms", (110.0, 130.0, 121.0), note="slow"),
    Row("b", "ours", "ms", (40.0,), budget=33),
    Row("c", "peer", "kB", (2170.4,)),
]


def test_ratios_say_how_many_times_the_peer_takes_longer():
    assert ratios(ROWS) == [None, 11.0, None, None]  # nothing of ours to compare c with


def test_the_table_names_what_was_kept_and_missed():
    machine = Machine("Some CPU", 2, "Some OS", "3.11", {"numpy": "2.4"}, load=[0.5, 9.0])
    lines = as_text(ROWS, machine).splitlines()
    assert "≤ 20 kept" in lines[1] and "≤ 33 MISSED" in lines[3] and "11.0" in lines[2] and lines[2].endswith("slow")
    assert "2170 kB" in lines[4]
    assert "load 0.5 → 9.0; busy" in lines[6] and "numpy 2.4" in lines[7]
    data = json.loads(json.dumps(as_json(ROWS, machine)))
    assert data["rows"][0]["samples"] == [10.0, 12.0, 11.0] and data["rows"][1]["peer_over_ours"] == 11.0
    assert data["machine"]["processor"] == "Some CPU"


def test_the_machine_is_described():
    machine = Machine.here(["numpy", "no-such-package"])
    assert machine.packages == {"numpy": np.__version__} and machine.cores >= 1 and machine.processor
    assert machine.python == ".".join(map(str, sys.version_info[:3]))


def run_main(monkeypatch, capsys, rows, reason="", arguments=("fake",)):
    module = types.ModuleType("course.bench.fake")
    module.missing, module.measure = lambda: reason, lambda quick: [Row("w", "ours", "ms", (2.0 if quick else 1.0,), budget=b) for b in rows]
    monkeypatch.setitem(sys.modules, "course.bench.fake", module)
    monkeypatch.setattr(bench, "MEASUREMENTS", ("fake",))
    status = bench.main(list(arguments))
    return status, capsys.readouterr()


def test_main_prints_writes_and_tells_a_missed_budget(monkeypatch, capsys, tmp_path):
    status, printed = run_main(monkeypatch, capsys, [3.0], arguments=["--json", str(tmp_path / "b.json")])
    assert status == 0 and "1 ms" in printed.out
    assert json.loads((tmp_path / "b.json").read_text())["rows"][0]["median"] == 1.0
    status, printed = run_main(monkeypatch, capsys, [1.5], arguments=["--quick", "fake"])
    assert status == 1 and "MISSED" in printed.out and "2 ms" in printed.out


def test_what_cannot_be_measured_is_one_sentence(monkeypatch, capsys):
    status, printed = run_main(monkeypatch, capsys, [3.0], reason="there is no Chromium")
    assert status == 1 and "fake not measured: there is no Chromium" in printed.err and printed.out == ""
    with pytest.raises(SystemExit) as exit_:
        bench.main(["nonsense"])
    assert exit_.value.code == 2
    assert "there is no measurement 'nonsense'; there are: fake" in capsys.readouterr().err


def test_a_missing_browser_is_named(monkeypatch):
    monkeypatch.delenv("COURSE_CHROMIUM", raising=False)
    monkeypatch.setattr(lab.shutil, "which", lambda name: None)
    assert lab.missing().startswith("there is no Chromium (Debian: apt install chromium")
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
    assert "jupyterlab is not installed" in lab.missing()


def test_every_measurement_can_be_asked_for():
    for name in bench.MEASUREMENTS:
        module = __import__(f"course.bench.{name}", fromlist=["measure"])
        assert isinstance(module.missing(), str) and callable(module.measure)
    help_ = subprocess.run([sys.executable, "-m", "course.bench", "--help"], capture_output=True, text=True)
    assert help_.returncode == 0 and "explorer_latency" in help_.stdout


def test_bytes_are_those_of_the_tensors():
    rows = {row.work: row for row in explorer_bytes.measure(quick=True) if row.who == "ours"}
    for tokens in explorer_bytes.SIZES:
        tensors = 3 * explorer_bytes.HEADS * tokens * explorer_bytes.D_HEAD * 4 / 1000  # q, k, v as float32
        sent = rows[f"sent to the page, 12 heads × {tokens} tokens"].median
        assert tensors <= sent <= tensors + 20  # names and sentences are small beside them
    assert explorer_bytes.size_of({"a": b"12345", "b": [1]}) == 5 + len('{"b": [1]}')


@pytest.mark.browser
def test_the_watch_counts_from_the_key_to_the_painted_picture():
    """A picture made 150 ms late is measured at 150 ms or more, one sample for each press."""
    reason = lab.missing()
    if reason:
        pytest.skip(f"browser tests not run: {reason}")
    page_text = """<div data-revision=0 tabindex=0 id=late></div><script>
        late.addEventListener("keydown", () => setTimeout(() => requestAnimationFrame(() => { late.dataset.revision++ }), 150));
    </script>"""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=lab.chromium(), args=lab.CHROMIUM_FLAGS)
        page = program.new_page()
        page.set_content(page_text)
        notebook = types.SimpleNamespace(page=page)
        root = page.locator("#late")
        samples = explorer_latency.press(notebook, root, root)
        program.close()
    assert len(samples) == explorer_latency.TURN
    assert min(samples) >= 150


def test_checks_are_measured_for_every_exercise_and_leave_no_trace():
    from course.bench import checks
    from course.exercises.store import store
    from course.exercises.task import all_tasks

    rows = checks.measure(quick=True)
    assert [row.work for row in rows] == [f"{name}: {kind}" for name in all_tasks() for kind in ("right", "wrong")]
    assert all(row.samples and min(row.samples) > 0 and row.budget for row in rows)
    assert store().tasks() == []
