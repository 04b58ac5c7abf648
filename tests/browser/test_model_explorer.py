"""The explorer of a whole model in real JupyterLab: heads chosen and switched off by hand and keyboard, as Python has it."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests import little_models
from tests.browser.lab import PICTURES, picture

pytestmark = pytest.mark.browser

SETUP = """import pathlib, sys, tempfile, time
sys.path.insert(0, {root!r})
from course import explore
from tests import little_models
folder = pathlib.Path(tempfile.mkdtemp())
tokenizer = little_models.wordpiece(folder)
bert = little_models.model("BertModel", "BertConfig", **little_models.BERT)
masked = little_models.model("BertForMaskedLM", "BertConfig", **little_models.BERT)
"""
BERT = "e = explore.attention(bert, tokenizer, text='i like apples and my cat', title='tiny'); e"
MASKED = "e = explore.attention(masked, tokenizer, text='i like apples and my cat'); e"


@pytest.fixture
def opened(open_notebook, request):
    """A function: the notebook with `cell` run, and the root of its explorer."""

    def opened(cell, **window):
        notebook = open_notebook([SETUP.format(root=str(request.config.rootpath)), cell, "'a cell after it'"], **window)
        notebook.run_all()
        assert notebook.errors() == []
        return notebook, notebook.explorer(0)

    return opened


def data(root, *names):
    return [json.loads(root.get_attribute(f"data-{name}")) for name in names]


def settled(notebook, root):
    """Waits until the page has told the kernel what the hand did, and shows the answer."""
    notebook.page.wait_for_timeout(500)
    notebook.wait_idle()
    root.page.wait_for_function("root => root.getAttribute('aria-busy') === 'false'", arg=root.element_handle())
    notebook.page.wait_for_timeout(150)


def assert_soon(notebook, root, expression, value):
    """Python comes to have the value; a busy machine tells it late what the hand did."""
    for _ in range(20):
        settled(notebook, root)
        if notebook.python(expression) == value:
            break
    assert notebook.python(expression) == value


def assert_cell_is_pythons(notebook, root):
    """The cell under the cursor, of the layer and head that are chosen, equals what Python computes."""
    settled(notebook, root)
    shown = data(root, "layer", "head", "row", "column")
    assert shown == notebook.python("[e.layer, e.head, e.row, e.column]")
    layer, head, row, column = shown
    (weight,) = data(root, "weight")
    assert weight == pytest.approx(notebook.python("e.weights()")[head][row][column], abs=1e-5)
    recorded = notebook.python(f"e.run.layers[{layer}].weights")[head][row][column]
    if notebook.python("[e.temperature, e.mask_mode]") == [1.0, "none"]:
        assert weight == pytest.approx(recorded, abs=1e-5)


def overview(root):
    return root.get_by_role("grid", name="Layers × heads")


def test_a_head_is_chosen_with_keys_and_with_the_mouse(opened):
    notebook, root = opened(BERT)
    page = notebook.page
    assert root.get_by_text("Opens on layer").count() == 1
    assert_cell_is_pythons(notebook, root)
    notebook.execute("e.layer, e.head = 0, 0")
    settled(notebook, root)
    overview(root).focus()
    for key, chosen in (("ArrowDown", [1, 0]), ("ArrowRight", [1, 1]), ("Control+End", [2, 2]), ("ArrowUp", [1, 2]), ("Home", [1, 0])):
        with notebook.repaint(root):
            page.keyboard.press(key)
        assert_cell_is_pythons(notebook, root)
        assert data(root, "layer", "head") == chosen
    assert root.get_by_text("layer 2 · head 0", exact=True).first.is_visible()
    assert "layer 2 · head 0" in overview(root).get_by_role("gridcell").text_content()
    assert notebook.cell_count() == 3

    canvas = overview(root).locator("canvas")
    box = canvas.bounding_box()
    with notebook.repaint(root):
        canvas.click(position={"x": box["width"] - 10, "y": box["height"] - 10})
    assert_cell_is_pythons(notebook, root)
    assert data(root, "layer", "head") == [2, 2]
    with notebook.repaint(root):  # the other controls act on the layer that is shown
        root.get_by_role("radio", name="causal").click()
    assert_cell_is_pythons(notebook, root)
    notebook.no_faults()


def test_a_head_is_switched_off_and_the_read_out_is_pythons(opened):
    notebook, root = opened(BERT)
    switch = root.get_by_role("checkbox", name="switched off")
    switch.focus()
    notebook.page.keyboard.press("Space")
    settled(notebook, root)
    layer, head = data(root, "layer", "head")
    assert notebook.python("e.off") == [[layer, head]] == data(root, "off")[0]
    assert_moved_is_a_direct_computation(notebook, root)
    assert "switched off" in overview(root).get_by_role("gridcell").text_content()

    overview(root).focus()
    notebook.page.keyboard.press("ArrowDown" if layer < 2 else "ArrowUp")
    settled(notebook, root)
    assert not switch.is_checked()
    switch.check()
    settled(notebook, root)
    assert len(notebook.python("e.off")) == 2
    assert_moved_is_a_direct_computation(notebook, root)
    picture(notebook, "model_off", root)
    root.get_by_role("button", name="all on again").click()
    settled(notebook, root)
    assert notebook.python("[e.off, e.effect]") == [[], {}] and not switch.is_checked()
    assert root.locator(".ex-effect").is_hidden()
    notebook.no_faults()


def assert_moved_is_a_direct_computation(notebook, root):
    notebook.execute("""
import torch, numpy
changed = little_models.without(bert, "encoder.layer.{}.attention.output.dense", [tuple(pair) for pair in e.off], 3).eval()
ids = torch.tensor([tokenizer(e.text)["input_ids"]])
a, b = (little_models.forward(m, ids).last_hidden_state[0].double().numpy() for m in (bert.eval(), changed))
direct = (numpy.linalg.norm(b - a, axis=1) / numpy.linalg.norm(a, axis=1)).tolist()
""")
    (effect,) = data(root, "effect")
    direct = notebook.python("direct")
    np.testing.assert_allclose([part for _, part in effect["moved"]], direct, atol=1e-5)
    shown = root.get_by_role("region", name="How far the last vectors moved").locator("tbody tr td:nth-child(2)").all_text_contents()
    assert shown == [f"{part:.3f}" for part in direct] and max(direct) > 0.01


def test_predictions_at_the_cursor_before_and_after(opened):
    notebook, root = opened(MASKED)
    root.get_by_role("checkbox", name="switched off").check()
    settled(notebook, root)
    heat = root.get_by_role("grid", name="Heat map of")
    heat.focus()
    for key in ("Control+End", "ArrowUp"):
        notebook.page.keyboard.press(key)
    settled(notebook, root)
    row = notebook.python("e.row")
    for column, run in ((1, "e.run_before"), (3, "e.run")):
        top = notebook.python(f"e.model.top({run}, {row})")
        table = root.get_by_role("region", name="The most probable tokens before and after")
        assert table.locator(f"tbody tr td:nth-child({column})").all_text_contents() == [token for token, _ in top]
    assert root.locator(".ex-effect").get_by_text("What the model predicts at").is_visible()
    notebook.no_faults()


def test_the_ring_is_the_best_match_of_the_pattern_chosen(opened):
    notebook, root = opened(BERT)
    menu = root.get_by_role("combobox", name="Pattern")
    menu.focus()
    menu.select_option("next token")
    settled(notebook, root)
    notebook.execute("from course.lens.patterns import best, pattern_scores, pattern_baselines; match = best(e.run)['next token']")
    assert notebook.python("e.pattern") == "next token"
    assert data(root, "best")[0] == notebook.python("[match.layer, match.head]")
    ring = root.get_by_text("ring: the best match").text_content()
    assert f"{notebook.python('match.score'):.2f}" in ring and f"{notebook.python('match.baseline'):.2f}" in ring
    overview(root).focus()
    for key in ("Control+Home", "ArrowRight"):
        notebook.page.keyboard.press(key)
    settled(notebook, root)
    layer, head, score, baseline = data(root, "layer", "head", "pattern-score", "pattern-baseline")
    special = "e.run.special"
    for value, function in ((score, "pattern_scores"), (baseline, "pattern_baselines")):
        assert value == pytest.approx(notebook.python(f"{function}(e.run.layers[{layer}], {special})['next token']")[head], abs=1e-6)
    assert f"next token {score:.2f}, looking evenly {baseline:.2f}" in overview(root).get_by_role("gridcell").text_content()
    picture(notebook, "model_pattern", root)
    notebook.no_faults()


def test_a_mask_is_drawn_with_mouse_and_keys(opened):
    notebook, root = opened(BERT)
    root.get_by_role("radio", name="draw").click()
    settled(notebook, root)
    canvas = root.locator(".ex-stage > .ex-grid > canvas")
    box = canvas.bounding_box()
    T = notebook.python("len(e.tokens)")
    canvas.click(position={"x": box["width"] - 12, "y": box["height"] - 12})  # the last cell
    assert_soon(notebook, root, "e.closed", [T * T - 1])
    assert_cell_is_pythons(notebook, root)
    assert data(root, "weight") == [0] and "the mask hides it" in root.locator(".ex-sentence").text_content()
    root.get_by_role("grid", name="Heat map of").focus()
    for key in ("ArrowLeft", " ", "ArrowLeft", "Enter"):
        notebook.page.keyboard.press(key)
    assert_soon(notebook, root, "e.closed", [T * T - 3, T * T - 2, T * T - 1])
    notebook.page.keyboard.press("ArrowLeft")
    assert_cell_is_pythons(notebook, root)
    picture(notebook, "model_drawn", root)
    canvas.click(position={"x": box["width"] - 12, "y": box["height"] - 12})
    assert_soon(notebook, root, "e.drawn[-1]", [True] * (T - 3) + [False, False, True])
    root.get_by_role("button", name="clear").click()
    assert_cell_is_pythons(notebook, root)
    assert notebook.python("bool(e.drawn.all())") and notebook.python("e.run is e.run_before")
    notebook.no_faults()


def test_a_pinned_head_and_a_second_text_share_the_cursor(opened):
    notebook, root = opened(BERT)
    pinned = data(root, "layer", "head")
    root.get_by_role("button", name="pin this head").focus()
    notebook.page.keyboard.press("Enter")
    settled(notebook, root)
    assert notebook.python("e.pin") == pinned
    notebook.execute(f"e.layer, e.head = {(pinned[0] + 1) % 3}, {(pinned[1] + 1) % 3}")
    settled(notebook, root)
    beside = root.get_by_role("grid", name="pinned: layer")
    root.get_by_role("grid", name="Heat map of").focus()
    for key in ("Control+Home", "ArrowDown", "ArrowRight", "ArrowRight"):
        notebook.page.keyboard.press(key)
    assert_cell_is_pythons(notebook, root)
    assert data(root, "row", "column") == [1, 2]
    (weight,) = data(root.locator(".ex-beside-head"), "weight")
    assert weight == pytest.approx(notebook.python(f"e.run.layers[{pinned[0]}].weights[{pinned[1]}][1][2]"), abs=1e-6)
    beside.focus()
    notebook.page.keyboard.press("ArrowDown")  # the cursor is one and the same
    assert_cell_is_pythons(notebook, root)
    assert data(root, "row", "column") == [2, 2]
    picture(notebook, "model_pinned", root)
    root.get_by_role("button", name="unpin").click()
    settled(notebook, root)
    assert beside.count() == 0 and root.locator(".ex-lines").is_visible()

    root.get_by_text("The same head on a second text").click()
    root.get_by_role("textbox", name="Second text").fill("my cat")
    settled(notebook, root)
    assert notebook.python("e.text2") == "my cat"
    layer, head, row, column = data(root, "layer", "head", "row", "column")
    (weight,) = data(root.locator(".ex-beside-head"), "weight")
    last = 3  # [CLS] my cat [SEP]
    second = notebook.python(f"e.model.run('my cat').layers[{layer}].weights[{head}]")
    assert weight == pytest.approx(second[min(row, last)][min(column, last)], abs=1e-6)
    picture(notebook, "model_second_text", root)
    notebook.no_faults()


def test_the_second_head_is_sorted_with_the_large_one(opened):
    notebook, root = opened(BERT.replace("title=", "text2='my cat and i like apples', title="))
    notebook.execute("e.layer, e.head, e.row, e.column = 1, 2, 3, 2")
    settled(notebook, root)
    root.get_by_text("Order of rows and columns").click()
    for name in ("Sort columns by", "Sort rows by"):
        root.get_by_role("button", name=name).focus()
        with notebook.repaint(root):
            notebook.page.keyboard.press("Enter")
    assert_soon(notebook, root, "[e.columns_by, e.rows_by]", [3, 2])
    rows, columns = notebook.python("[order.tolist() for order in e.order()]")
    second = root.locator(".ex-beside-head")
    assert data(root, "order")[0] == data(second, "order")[0] == [rows, columns] and rows != sorted(rows) and columns != sorted(columns)
    assert not second.get_by_text("stays in text order").is_visible()
    weights = notebook.python("e.model.run(e.text2).layers[1].weights[2]")
    tokens = notebook.python("list(e.model.run(e.text2).tokens)")
    grid = second.get_by_role("grid")
    for start, keys in (("Heat map of", ["Control+Home", "ArrowDown", "ArrowRight", "ArrowRight"]), ("layer 2", ["ArrowDown", "ArrowLeft"])):
        root.get_by_role("grid", name=start).focus()
        for key in keys:
            notebook.page.keyboard.press(key)
            place = [2, 1] if start == "layer 2" and key == "ArrowLeft" else [2, 2] if start == "layer 2" else [1, 2]
        expected = [rows[place[0]], columns[place[1]]]
        assert_soon(notebook, root, "[e.row, e.column]", expected)
        assert_cell_is_pythons(notebook, root)  # of the large head, in text order's numbers
        row, column = expected
        assert data(second, "weight")[0] == pytest.approx(weights[row][column], abs=1e-6)
        query, key = second.locator(".ex-beside-sentence").text_content().split(" looks at ")
        assert tokens[row] in query and tokens[column] in key
        cell = grid.get_by_role("gridcell")
        assert [cell.get_attribute("aria-rowindex"), cell.get_attribute("aria-colindex")] == [str(at + 1) for at in place]
    canvas = grid.locator("canvas")
    box = canvas.bounding_box()
    with notebook.repaint(root):
        canvas.click(position={"x": box["width"] - 12, "y": box["height"] - 12})
    assert_soon(notebook, root, "[e.row, e.column]", [rows[-1], columns[-1]])
    place = canvas.bounding_box()
    notebook.page.mouse.move(place["x"] + place["width"] - 60, place["y"] + place["height"] - 60)  # where the mouse is, no key begins
    notebook.page.wait_for_timeout(200)
    notebook.page.keyboard.press("ArrowLeft")
    assert_soon(notebook, root, "[e.row, e.column]", [rows[-1], columns[-2]])
    picture(notebook, "model_second_sorted", root)

    notebook.execute("e.text2 = 'my cat'")  # other places: text order, and it says so
    settled(notebook, root)
    assert root.get_by_role("textbox", name="Second text").input_value() == "my cat"
    assert data(second, "order")[0] == [None, None] and second.get_by_text("stays in text order").is_visible()
    assert data(root, "order")[0] == [rows, columns]
    root.get_by_role("button", name="Text order").click()
    assert_soon(notebook, root, "[e.columns_by, e.rows_by]", [-1, -1])
    assert data(root, "order")[0] == [None, None] and not second.get_by_text("stays in text order").is_visible()
    notebook.no_faults()


SLOW = """class Slow:
    name = "slow"
    def __init__(self, inner): self.inner = inner
    def run(self, text, off=frozenset()):
        time.sleep(0.7 if "cat" in text else 0.0)
        return self.inner.run(text, off)
    def top(self, run, position, n=5): return self.inner.top(run, position, n)
from course.lens.run import runnable
e = explore.attention(Slow(runnable(bert, tokenizer)), text="i like apples"); e"""


def test_a_text_typed_while_the_model_runs_never_shows_the_picture_of_an_older_one(opened):
    notebook, root = opened(SLOW)
    root.evaluate("""root => {
        root.seen = [];
        new MutationObserver(() => root.seen.push([root.querySelector(".ex-text").value, root.getAttribute("aria-busy"),
            root.querySelector(".ex-grid[aria-label^=Heat]").getAttribute("aria-rowcount")]))
            .observe(root, {attributes: true, attributeFilter: ["data-revision"]}); }""")
    box = root.get_by_role("textbox", name="Text")
    box.fill("my cat sat on the mat")  # slow
    notebook.page.wait_for_timeout(350)  # it is on its way
    root.get_by_role("checkbox", name="switched off").check()
    box.fill("my cat")
    notebook.page.wait_for_timeout(350)
    box.fill("i like")
    settled(notebook, root)
    notebook.page.wait_for_timeout(600)
    assert notebook.python("[e.text, e.request == e.answered, len(e.off_shown)]") == ["i like", True, 1]
    tokens = {"i like apples": 6, "my cat sat on the mat": 8, "my cat": 4, "i like": 4}
    for text, busy, rows in root.evaluate("root => root.seen"):
        assert busy == "true" or int(rows) == tokens[text], (text, busy, rows)
    assert_cell_is_pythons(notebook, root)
    notebook.no_faults()


def test_markup_and_control_characters_stay_text(opened):
    notebook, root = opened(MASKED)
    box = root.get_by_role("textbox", name="Text")
    for text in ("<img src=x onerror=\"document.title='gone'\"> i", "</script><script>document.title='gone'</script>", "👩‍👩‍👧‍👦 مرحبا \u202ei", "   ", "cat " * 4000):
        box.fill(text)
        settled(notebook, root)
        assert root.locator("img, script").count() == 0 and notebook.page.title() != "gone"
        if text.strip():
            assert notebook.python("e.problem") == "" and data(root, "row")[0] < notebook.python("len(e.tokens)")
    assert "this model reads 20" in root.locator(".ex-why").text_content()
    box.evaluate("box => { box.value = 'a\\ud800b'; box.dispatchEvent(new Event('input')); }")
    settled(notebook, root)
    assert notebook.python("e.text") == "a\ufffdb"
    notebook.no_faults()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(opened, theme):
    axe = little_models.needed("axe_playwright_python.sync_playwright").Axe()
    notebook, root = opened(BERT)
    notebook.set_theme(theme)
    root.get_by_role("combobox", name="Pattern").select_option("previous token")
    root.get_by_role("checkbox", name="switched off").check()
    root.get_by_role("radio", name="draw").click()
    for fold in root.locator("summary").all():
        fold.click()
    settled(notebook, root)
    found = axe.run(notebook.page, context=".ex").response["violations"]
    grave = [(fault["id"], node["html"][:200], node["failureSummary"][:300]) for fault in found if fault["impact"] in ("serious", "critical")
             for node in fault["nodes"]]  # fmt: skip
    assert grave == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_and_a_narrow_page(opened, theme):
    notebook, root = opened(BERT)
    notebook.set_theme(theme)
    root.get_by_role("combobox", name="Pattern").select_option("previous token")
    root.get_by_role("checkbox", name="switched off").check()
    settled(notebook, root)
    picture(notebook, f"model_{theme}", root)
    notebook.set_size(480, 1400)
    settled(notebook, root)
    picture(notebook, f"model_{theme}_narrow", root)
    assert root.evaluate("root => root.scrollWidth <= root.clientWidth")
    notebook.no_faults()


def test_tiles_sorted_by_a_pattern_are_walked_in_the_order_seen(opened):
    notebook, root = opened(BERT)
    page = notebook.page
    order = root.get_by_role("combobox", name="Order")
    assert not order.is_visible()  # nothing to sort by yet
    with notebook.repaint(root):
        root.get_by_role("combobox", name="Pattern").select_option("first token")
    before = data(root, "layer", "head")
    with notebook.repaint(root):
        order.select_option("by this pattern")
    assert_soon(notebook, root, "[e.pattern, e.tile_order]", ["first token", "pattern"])
    assert data(root, "layer", "head") == before  # sorting chooses no other head
    sequence = [list(place) for place in notebook.python("e.sequence()")]
    assert sequence != sorted(sequence) and sequence[0] == data(root, "best")[0]
    overview(root).focus()
    page.keyboard.press("Control+Home")
    if before != sequence[0]:
        page.wait_for_function("([root, chosen]) => root.dataset.layer + root.dataset.head === chosen",
                               arg=[root.element_handle(), "{}{}".format(*sequence[0])])  # fmt: skip
    for place in sequence[1:]:  # three in a line: from the last of a line to the first of the next
        with notebook.repaint(root):
            page.keyboard.press("ArrowRight")
        assert data(root, "layer", "head") == place
        assert_cell_is_pythons(notebook, root)
    for key, at in (("ArrowRight", 8), ("ArrowUp", 5), ("Home", 3), ("ArrowLeft", 2), ("ArrowDown", 5), ("ArrowDown", 8)):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
        assert data(root, "layer", "head") == sequence[at], key
    box = overview(root).locator("canvas").bounding_box()
    with notebook.repaint(root):
        page.mouse.click(box["x"] + 4 + 34 * 1.5, box["y"] + 4 + 48 * 0.4)  # the second tile of the first line
    assert data(root, "layer", "head") == sequence[1]
    said = overview(root).get_by_role("gridcell").text_content()
    assert "first token {:.2f}".format(data(root, "pattern-score")[0]) in said
    notebook.execute("e.tile_order = 'layers'")
    settled(notebook, root)
    assert order.input_value() == "layers" and data(root, "layer", "head") == sequence[1]
    notebook.execute("e.pattern = ''")
    settled(notebook, root)
    assert not order.is_visible()


MEANS = """(canvas, [left, top, size, rows, columns]) => {
    const pen = canvas.getContext("2d"), ratio = canvas.width / parseFloat(canvas.style.width), means = [];
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
        const box = [left + size * column + 3, top + size * row + 3, size - 6, size - 6].map((x) => Math.round(x * ratio));
        const pixels = pen.getImageData(...box).data;
        means.push([0, 1, 2].map((channel) => {
            let sum = 0;
            for (let at = channel; at < pixels.length; at += 4) sum += pixels[at];
            return 4 * sum / pixels.length;
        }));
    }
    return means;
}"""


@pytest.mark.parametrize("theme", ("light", "dark"))
@pytest.mark.parametrize("beside", (False, True), ids=("lines", "two heads"))
def test_the_saved_picture_holds_the_tiles_and_what_is_beside_them(opened, theme, beside, tmp_path):
    notebook, root = opened(BERT.replace("title=", "text2='my cat eats the apples', title=") if beside else BERT)
    notebook.set_theme(theme)
    with notebook.repaint(root):
        root.get_by_role("combobox", name="Pattern").select_option("previous token")
    settled(notebook, root)
    with notebook.page.expect_download() as download:
        root.get_by_role("button", name="Save picture").click()
    layer, head = data(root, "layer", "head")
    assert download.value.suggested_filename == f"attention-layer-{layer}-head-{head}.png"
    download.value.save_as(tmp_path / "saved.png")
    settled(notebook, root)
    saved = np.asarray(Image.open(tmp_path / "saved.png").convert("RGB")).astype(float)
    PICTURES.mkdir(parents=True, exist_ok=True)
    shutil.copy(tmp_path / "saved.png", PICTURES / f"model_saved_{theme}_{'two' if beside else 'one'}.png")
    canvas = overview(root).locator("canvas")
    across, _ = (float(canvas.evaluate(f"canvas => parseFloat(canvas.style.{side})")) for side in ("width", "height"))
    place = [across - 4 - 34 * 3, 20, 34, 3, 3]
    shown = canvas.evaluate(MEANS, place)
    assert np.ptp(shown, axis=0).max() > 20
    for at, mean in enumerate(shown):  # each tile of the page is in its place in the picture, twice as fine
        x, y = (2 * (start + 34 * step + 3) for start, step in zip((16 + place[0], 42 + place[1]), (at % 3, at // 3)))
        assert np.abs(saved[y : y + 56, int(x) : int(x) + 56].mean((0, 1)) - mean).max() < 9, at
    ground = saved[2, 2]
    assert (ground.mean() < 80) == (theme == "dark")
    heats = root.locator(".ex-stage .ex-grid canvas" if beside else ".ex-stage > .ex-grid canvas, .ex-lines canvas")
    sizes = [canvas.evaluate("canvas => [parseFloat(canvas.style.width), parseFloat(canvas.style.height)]") for canvas in heats.all()]
    assert len(sizes) == 2 and saved.shape[1] == pytest.approx(2 * max(sizes[0][0] + 22 + sizes[1][0] + 32, 452), abs=2)
    drawn = (np.abs(saved - ground).max(-1) > 24).any(1)  # lines of pixels with something in them
    assert drawn[: 2 * 26].any() and drawn[-2 * 60 :].any()  # the title, the scale
