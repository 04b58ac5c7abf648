"""Exported pages in a browser, without a kernel: explorers live where scripts can be had, pictures stand where not.

"With a network" the addresses that the page asks for are answered from packages that npm fetched; nothing outside this
machine is asked by the browser.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

import anywidget
import nbformat
import numpy as np
import pytest

from course import sentences
from course.bench.lab import CHROMIUM_FLAGS, chromium
from tests import little_models
from tests.browser.lab import CONTRAST, PICTURES, missing, skip_for

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
HOSTILE = '</script><img src=x onerror="window.harmed=1">'
NUMBERS = "q, k, v = np.random.default_rng(3).normal(size=(3, 2, 5, 4)) * 1.5"
FORMULA = r"$w_{ij} = \frac{e^{s_{ij}}}{\sum_k e^{s_{ik}}}$"
CELLS = [
    f"""import pathlib, sys, tempfile
sys.path.insert(0, {str(ROOT)!r})
import anywidget, ipywidgets
import numpy as np
from course import explore
from course.blocks.attention import attention
from course.exercises import my_prediction, quiz, reveal
from tests import little_models
{NUMBERS}
tokenizer = little_models.wordpiece(pathlib.Path(tempfile.mkdtemp()))
bert = little_models.model("BertModel", "BertConfig", **little_models.BERT)""",
    f"explore.attention(q=q, k=k, v=v, tokens=[{HOSTILE!r}, '吃', '苹果', '和', '香蕉'])",
    "explore.attention(bert, tokenizer, text='i like apples and my cat')",
    "explore.attention(q=q, k=k, v=v, use=attention)",
    f"my_prediction('97.dot', 'The largest is with …', ['苹果', {HOSTILE!r}])",
    "reveal('97.dot', '苹果')",  # from now on the card would say what Python does with an answer
    "quiz('03.shift')",
    "explore.tokens(tokenizer, text='i like apples')",
    "explore.positions()",
    "explore.scaling()",
    "explore.query_plane(k[0, :, :2], v[0, :, :2], query=[1, .7], names=list('abcde'))",
    "ipywidgets.IntSlider(3, description='plain')",
    """class Broken(anywidget.AnyWidget):
    _esm = "export default { render() { throw new Error('drawing failed') } }"
Broken()""",
    """class Half(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.innerHTML = '<p data-revision=0>half a drawing</p>'; throw new Error('later') } }"
Half()""",
]
ARRAYS, WHOLE, THEIRS, PREDICTION, QUIZ, TOKENS, POSITIONS, SCALING, PLANE, PLAIN, BROKEN, HALF = range(12)
WITH_PICTURE = (ARRAYS, WHOLE, THEIRS, TOKENS, POSITIONS, SCALING, PLANE)
# name: version of the packages that the page asks for by name
PACKAGES = {
    "requirejs": "2.1.10",
    "@jupyter-widgets/html-manager": "1.0.15",
    "anywidget": anywidget.__version__,
}
HEIGHTS = """widgets => widgets.map(widget => [".course-picture", ".jupyter-widgets"]
    .map(part => widget.querySelector(part).getBoundingClientRect().height))"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The page, made by the command in a process of its own: playwright leaves no room for another asyncio loop here."""
    skip_for(missing())
    little_models.needed("transformers")
    folder = tmp_path_factory.mktemp("export")
    cells = [nbformat.v4.new_markdown_cell(FORMULA), *map(nbformat.v4.new_code_cell, CELLS)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "page.ipynb")
    command = [sys.executable, "-m", "course.export", str(folder / "page.ipynb")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return folder / "page.html"


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """{name: folder} of the front end's packages, fetched by npm."""
    if shutil.which("npm") is None:
        skip_for("there is no npm, which fetches the front end of exported pages (Debian: apt install npm)")
    folder = tmp_path_factory.mktemp("packages")
    wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
    command = [shutil.which("npm"), "pack", "--silent", *wanted]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        skip_for(f"npm could not fetch {', '.join(wanted)}: {done.stderr.strip()[-300:]}")
    found = {}
    for name, archive in zip(PACKAGES, done.stdout.split(), strict=True):
        with tarfile.open(folder / archive) as tar:
            tar.extractall(folder / name, filter="data")
        found[name] = folder / name / "package"
    return found


@pytest.fixture(scope="module")
def program(exported):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


class Page:
    """An exported page that was opened by its file; `packages` answer for the network, None: there is none."""

    def __init__(self, program, file: Path, packages, scheme="light"):
        self.page = program.new_page(viewport={"width": 1280, "height": 1000}, color_scheme=scheme)
        self.errors, self.asked, self.packages = [], [], packages
        self.page.on("pageerror", lambda error: self.errors.append(error.message))
        self.page.route("**/*", self.answer)
        self.page.goto(file.as_uri())
        self.widgets = self.page.locator(".course-widget")

    def answer(self, route):
        address = urlsplit(route.request.url)
        self.asked.append(route.request.url)
        if address.scheme in ("file", "blob", "data"):
            route.continue_()
        elif (file := self.stored(address.path)) and file.is_file():
            route.fulfill(path=file, headers={"access-control-allow-origin": "*"})
        else:
            route.abort()

    def stored(self, path: str) -> Path | None:
        """The file that a network would send."""
        if self.packages is None:
            return None
        if path.endswith("/require.min.js"):
            return self.packages["requirejs"] / "require.js"
        match = re.search(r"/(@jupyter-widgets/html-manager|anywidget)@[^/]*/(.+)", path)
        return match and self.packages[match[1]] / match[2]

    def widget(self, place: int):
        """The view of a widget, once it is live."""
        self.page.locator(f":nth-match(.course-widget, {place + 1}).course-live").wait_for(timeout=20_000)
        return self.widgets.nth(place).locator(".jupyter-widgets").first

    def root(self, place: int):
        return self.widget(place).locator("[data-revision]")

    def picture(self, name: str):
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def offline(program, exported):
    opened = Page(program, exported, None)
    yield opened
    opened.page.close()


@pytest.fixture(scope="module")
def shared(program, exported, packages):
    """One live page for the tests that leave no trace in one another's widgets."""
    opened = Page(program, exported, packages)
    yield opened
    opened.page.close()


def data(root, *names):
    return [json.loads(root.get_attribute(f"data-{name}")) for name in names]


def said(table: str, section: str, name: str) -> str:
    return sentences.table(table)[section][name]


NEEDS_PYTHON = said("explore", "kit", "alone")


def assert_says(root, sentence: str):
    """The sentence stands in the explorer and can be seen, and no sign of work does."""
    root.get_by_text(sentence).first.wait_for(timeout=5_000)
    root.page.wait_for_timeout(600)  # signs of work come after 250 ms at the latest
    assert root.get_by_text(sentence).first.is_visible()
    working = [said("explore", "kit", "computing"), said("explore", "kit", "kernel_slow"),
               said("explore_model", "page", "layer_late"), said("questions", "card", "waiting")]  # fmt: skip
    assert not [text for text in working if root.get_by_text(text).count()]


def weights(head: int, temperature: float = 1.0) -> np.ndarray:
    """(5, 5), what NumPy computes of the arrays of the first explorer."""
    names = {"np": np}
    exec(NUMBERS, names)
    scores = names["q"][head] @ names["k"][head].T / np.sqrt(4) / temperature
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


# ── without a network ───────────────────────────────────────────────────────────────────────────────────────


def test_without_a_network_pictures_stand_with_their_words(offline):
    kinds = ("attention", "attention", "attention", "tokens", "positions", "scaling", "query_plane")
    for place, kind in zip(WITH_PICTURE, kinds, strict=True):
        image = offline.widgets.nth(place).locator("img")
        assert image.is_visible() and image.evaluate("image => image.naturalWidth") > 300
        assert kind in image.get_attribute("alt")
    for place in (PREDICTION, QUIZ):
        assert offline.widgets.nth(place).locator("ol").is_visible()
    assert "IntSlider(value=3" in offline.widgets.nth(PLAIN).inner_text()
    for picture, view in offline.widgets.evaluate_all(HEIGHTS):
        assert picture > 10 and view == 0
    assert offline.errors == []


def test_without_a_network_formulas_are_read_as_tex_and_tokens_stay_text(offline):
    assert offline.page.get_by_text(FORMULA).is_visible()
    assert HOSTILE in offline.widgets.nth(PREDICTION).inner_text()
    assert offline.page.evaluate("window.harmed") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_read_in_both_themes(program, exported, scheme):
    opened = Page(program, exported, None, scheme)
    opened.picture(f"export-offline-{scheme}")
    measured = opened.page.evaluate(f"""() => {{ {CONTRAST}
        const nodes = document.querySelectorAll(".jp-RenderedMarkdown p, .highlight .n, .course-picture li, .course-picture p");
        return Array.from(nodes, node => [ratio(getComputedStyle(node).color, ground(node)), luminance(ground(node))]); }}""")
    opened.page.close()
    assert len(measured) > 20
    assert min(ratio for ratio, _ in measured) >= 4.5
    assert all((ground < 0.2) == (scheme == "dark") for _, ground in measured)


# ── with a network ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_view_takes_the_place_of_its_picture_if_it_draws(shared):
    for place in range(BROKEN):
        shared.widget(place)
    heights = shared.widgets.evaluate_all(HEIGHTS)
    assert [picture for picture, _ in heights[:BROKEN]] == [0] * BROKEN
    assert all(heights[place][1] > 200 for place in WITH_PICTURE) and heights[PLAIN][1] > 16
    assert all(shared.root(place).evaluate("root => root.clientWidth") > 900 for place in range(PLAIN))
    for place in (BROKEN, HALF):
        assert heights[place][0] > 10 and heights[place][1] == 0
    half = shared.page.get_by_text("half a drawing", exact=True)
    half.wait_for(state="attached", timeout=5_000)
    assert not half.is_visible()
    assert set(shared.errors) == {"drawing failed", "later"}
    assert shared.page.evaluate("window.harmed") is None


def test_scripts_come_from_the_network_alone(shared, exported):
    shared.widget(ARRAYS)
    local = [address for address in shared.asked if address.startswith("file:")]
    assert local == [exported.as_uri()]  # no anywidget.js that happens to lie beside the page
    assert any("anywidget@" in address for address in shared.asked)


def test_keys_and_temperature_act_as_numpy_says(shared):
    root, keyboard = shared.root(ARRAYS), shared.page.keyboard
    (head,) = data(root, "head")
    root.get_by_role("grid").focus()
    for keys, cell in ((["Control+Home"], [0, 0]), (["ArrowDown", "ArrowDown", "ArrowRight"], [2, 1]), (["End"], [2, 4])):
        for key in keys:
            keyboard.press(key)
        shared.page.wait_for_timeout(200)
        assert data(root, "row", "column") == cell
        assert data(root, "weight")[0] == pytest.approx(weights(head)[*cell], abs=1e-5)
    before = root.locator(".ex-sentence").inner_text()
    root.get_by_role("spinbutton", name="Temperature").fill("4")
    shared.page.wait_for_timeout(200)
    assert data(root, "weight")[0] == pytest.approx(weights(head, 4.0)[2, 4], abs=1e-5)
    assert root.locator(".ex-sentence").inner_text() != before
    assert NEEDS_PYTHON not in root.inner_text()  # nothing here does


def test_a_whole_model_says_what_needs_python(shared):
    root = shared.root(WHOLE)
    assert root.get_by_role("textbox", name="Text", exact=True).is_disabled()
    assert root.get_by_label("switched off").is_disabled()
    assert root.get_by_role("button", name="pin this head").is_disabled()
    root.get_by_text(said("explore_model", "page", "second_fold")).click()
    assert root.get_by_label("Second text").is_disabled()
    notice = root.locator(".ex-busy")
    assert not notice.is_visible()

    layer, head, weight = data(root, "layer", "head", "weight")
    tiles = root.locator(".ex-overview [role=grid]").first
    tiles.focus()
    shared.page.keyboard.press("ArrowUp" if layer else "ArrowDown")  # another layer
    notice.wait_for(timeout=5_000)
    assert notice.inner_text() == NEEDS_PYTHON
    assert_says(root, NEEDS_PYTHON)
    assert data(root, "layer", "head", "weight") == [layer, head, weight]
    assert root.get_attribute("aria-busy") == "false"

    tiles.focus()
    shared.page.keyboard.press("ArrowLeft" if head else "ArrowRight")  # another head of the layer that is here
    notice.wait_for(state="hidden", timeout=5_000)
    assert data(root, "layer", "head") == [layer, head - 1 if head else 1]


def test_the_learners_function_is_not_waited_for(shared):
    root = shared.root(THEIRS)
    assert root.get_by_role("spinbutton", name="Temperature").is_disabled() and root.get_by_label("scale by").is_disabled()
    assert_says(root, NEEDS_PYTHON)
    root.get_by_role("grid").focus()
    shared.page.keyboard.press("Control+End")  # the cursor needs no Python
    shared.page.wait_for_timeout(200)
    assert data(root, "row", "column") == [4, 4]


def test_tokens_of_a_tokenizer_that_runs_in_python(shared):
    root = shared.root(TOKENS)
    box, notice = root.get_by_role("textbox"), root.locator(".ex-busy")
    box.fill("i like bananas")
    notice.wait_for(timeout=5_000)
    assert_says(root, NEEDS_PYTHON)
    box.fill("i like apples")  # that, the page knows
    notice.wait_for(state="hidden", timeout=5_000)
    assert root.get_attribute("aria-busy") == "false"


def test_a_prediction_is_not_kept_and_may_change(shared):
    root, sentence = shared.root(PREDICTION), said("questions", "card", "alone_given")
    assert not root.locator(".qu-status").is_visible()
    for option in (0, 1):
        root.get_by_role("radio").nth(option).check()
        assert not root.locator(".qu-status").is_visible()
        root.get_by_role("button", name="certain").click()
        assert_says(root, sentence)
    assert root.get_by_role("radio").nth(1).is_checked() and root.get_by_role("radio").nth(0).is_enabled()


def test_quiz_answers_without_promising_a_record(shared):
    root = shared.root(QUIZ)
    hint = said("questions", "card", "alone_quiz_keys").format(count=4)
    assert root.locator(".qu-keys").inner_text() == hint
    root.get_by_role("button", name="They get sharper").click()
    assert_says(root, "✗ Not this one.")
    root.get_by_role("button", name="They stay as they are").click()
    assert_says(root, "✓ Right.")


def test_the_page_follows_the_theme(program, exported, packages):
    opened = Page(program, exported, packages, "dark")
    root = opened.root(ARRAYS)
    light = "document.body.dataset.jpThemeLight"  # by which style sheets put pictures on a light ground
    assert root.evaluate("root => root.classList.contains('ex-dark')") and opened.page.evaluate(light) == "false"
    opened.picture("export-online-dark")
    opened.page.emulate_media(color_scheme="light")
    opened.page.wait_for_timeout(300)
    assert not root.evaluate("root => root.classList.contains('ex-dark')") and opened.page.evaluate(light) == "true"
    opened.picture("export-online-light")
    opened.page.close()
