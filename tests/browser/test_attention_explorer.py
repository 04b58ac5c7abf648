"""The attention explorer in real JupyterLab: hand and keyboard move it, and it shows what NumPy computes."""

import json
import re

import numpy as np
import pytest

from tests.browser.lab import picture

pytestmark = pytest.mark.browser

SETUP = """import numpy as np, time
from course import explore
from course.blocks.attention import attention, attention_steps, causal_mask, softmax
from course.lens.recording import Recording
words = "我 喜欢 吃 苹果 和 香蕉 。".split()
rng = np.random.default_rng(3)
q, k, v = rng.normal(size=(3, 7, 8)) * 1.5, rng.normal(size=(3, 7, 8)) * 1.5, rng.normal(size=(3, 7, 5))
mask = causal_mask(7); mask[4] = False"""
ARRAYS = "e = explore.attention(q=q, k=k, v=v, mask=mask, tokens=words, title='three heads'); e"


def opened(open_notebook, cell, **window):
    """(notebook, root of the explorer that the cell shows)"""
    notebook = open_notebook([SETUP, cell, "'a cell after it'"], **window)
    notebook.run_all()
    return notebook, notebook.explorer(0)


def data(root, *names):
    return [json.loads(root.get_attribute(f"data-{name}")) for name in names]


def settled(notebook):
    """Waits until the page has told the kernel what the hand did (it rests 120 ms first)."""
    notebook.page.wait_for_timeout(300)
    notebook.wait_idle()


def assert_cell_is_numpys(notebook, root):
    """The cursor's cell, its row and its head, shown by the page, equal what Python computes from the state it was told."""
    settled(notebook)
    head, row, column, weight, output = data(root, "head", "row", "column", "weight", "output")
    assert [head, row, column] == notebook.python("[e.head, e.row, e.column]")
    weights = np.array(notebook.python("e.weights()"))[head]
    np.testing.assert_allclose(weight, weights[row, column], rtol=0, atol=1e-5)
    np.testing.assert_allclose(output, np.array(notebook.python("e.output()"))[head, row], rtol=0, atol=1e-5)
    score, product, entropy, head_entropy = data(root, "score", "product", "entropy", "head-entropy")
    np.testing.assert_allclose(product, notebook.python("attention_steps(q, k, v).products")[head][row][column], atol=1e-5)
    scale = 1 / np.sqrt(8) if notebook.python("e.scale_on") else 1.0
    np.testing.assert_allclose(score, product * scale, rtol=1e-9)
    bits = [-sum(w * np.log2(w) for w in line if w > 0) for line in weights]
    np.testing.assert_allclose(entropy, bits[row], atol=1e-5)
    np.testing.assert_allclose(head_entropy, np.mean([b for b, line in zip(bits, weights) if line.any()]), atol=1e-5)


def press(notebook, root, *keys):
    for key in keys:
        with notebook.repaint(root):
            notebook.page.keyboard.press(key)


def test_keyboard_moves_everything_and_numbers_are_numpys(open_notebook):
    notebook, root = opened(open_notebook, ARRAYS)
    assert data(root, "row", "column") == notebook.python("[e.row, e.column]")
    notebook.execute("e.head = e.row = e.column = 0")
    notebook.wait_idle()
    root.get_by_role("grid").focus()
    for keys, cell in ((["ArrowDown", "ArrowDown", "ArrowRight"], [2, 1]), (["End"], [2, 6]), (["Control+End"], [6, 6]),
                       (["ArrowLeft", "ArrowUp"], [5, 5]), (["Home"], [5, 0]), (["PageUp"], [0, 0])):  # fmt: skip
        press(notebook, root, *keys)
        assert data(root, "row", "column") == cell
        assert_cell_is_numpys(notebook, root)
    notebook.page.keyboard.press("ArrowUp")  # at the edge nothing happens
    settled(notebook)
    assert data(root, "row", "column") == [0, 0]

    root.get_by_role("radio", name="Head 0").focus()
    press(notebook, root, "ArrowRight")
    assert data(root, "head") == [1]
    assert_cell_is_numpys(notebook, root)

    root.get_by_role("grid").focus()
    press(notebook, root, "Control+End", "ArrowUp")
    for state in ("e.scale_on, e.temperature", "e.mask_mode"):
        before = notebook.python(f"[{state}]")
        if "mask" in state:
            root.get_by_role("radio", name="none").focus()
            press(notebook, root, "ArrowRight")
        else:
            root.get_by_label("scale by").focus()
            press(notebook, root, "Space")
            root.get_by_role("slider", name="Temperature").focus()
            press(notebook, root, *["ArrowRight"] * 5)
        assert_cell_is_numpys(notebook, root)
        assert all(a != b for a, b in zip(before, notebook.python(f"[{state}]")))
    notebook.no_faults()


def test_mouse_chooses_cells_heads_and_states(open_notebook):
    notebook, root = opened(open_notebook, ARRAYS)
    canvas = root.locator(".ex-grid canvas")
    box = canvas.bounding_box()
    with notebook.repaint(root):
        canvas.click(position={"x": box["width"] - 8, "y": box["height"] - 8})  # the last cell
    assert data(root, "row", "column") == [6, 6]
    assert_cell_is_numpys(notebook, root)

    with notebook.repaint(root):  # hovering shows another cell without moving the cursor
        notebook.page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8 - box["height"] / 3)
    row, column = data(root, "row", "column")
    assert row < 6 and column == 6
    with notebook.repaint(root):
        root.get_by_role("slider", name="Temperature").hover()
    assert data(root, "row", "column") == [6, 6] and notebook.python("[e.row, e.column]") == [6, 6]

    chosen = (notebook.python("e.head") + 1) % 3
    with notebook.repaint(root):
        root.get_by_role("radio", name=f"Head {chosen}").click()
    with notebook.repaint(root):
        root.get_by_role("radio", name="causal").click()
    with notebook.repaint(root):
        root.get_by_role("spinbutton", name="Temperature").fill("0.37")
    assert_cell_is_numpys(notebook, root)
    assert notebook.python("[e.head, e.mask_mode, e.temperature]") == [chosen, "causal", 0.37]
    lines = root.locator(".ex-lines canvas").bounding_box()
    with notebook.repaint(root):
        notebook.page.mouse.click(lines["x"] + 10, lines["y"] + lines["height"] * 0.5)
    notebook.page.mouse.click(lines["x"] + lines["width"] - 10, lines["y"] + lines["height"] * 0.7)
    assert_cell_is_numpys(notebook, root)
    assert 0 < notebook.python("e.row") < notebook.python("e.column") < 6
    notebook.no_faults()


def test_a_drag_across_the_cells_moves_the_cursor_in_every_frame(open_notebook):
    notebook, root = opened(open_notebook, ARRAYS)
    box = root.locator(".ex-grid canvas").bounding_box()
    page = notebook.page
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8)
    page.mouse.down()
    seen = []
    for step in range(1, 6):
        with notebook.repaint(root):
            page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8 - step * 60)
        seen.append(data(root, "row")[0])
    page.mouse.up()
    assert seen == [5, 4, 3, 2, 1]
    assert_cell_is_numpys(notebook, root)


def test_python_and_a_second_view_move_with_it(open_notebook):
    notebook = open_notebook([SETUP, ARRAYS, "e"])
    notebook.run_all()
    first, second = notebook.explorer(0), notebook.explorer(1)
    with notebook.repaint(second):
        notebook.execute("e.row, e.column, e.temperature = 5, 2, 4.0")
    assert data(first, "row", "column", "weight") == data(second, "row", "column", "weight")
    assert second.get_by_role("spinbutton", name="Temperature").input_value() == "4"
    first.get_by_role("grid").focus()
    with notebook.repaint(second):
        notebook.page.keyboard.press("ArrowUp")
    assert data(second, "row") == [4]
    assert_cell_is_numpys(notebook, second)
    notebook.no_faults()


def test_sentence_says_what_is_shown_and_what_is_hidden(open_notebook):
    notebook, root = opened(open_notebook, ARRAYS)
    live = root.locator("[aria-live=polite][aria-atomic]")
    grid = root.get_by_role("grid")
    for row, column, mode, pattern in (
            (6, 3, "given", r"。 looks at 苹果 with weight [\d.]+ \(score [−\d.]+ = q·k [−\d.]+ / √8\)\."),
            (2, 5, "given", r"吃 may not look at 香蕉: the mask hides it, and its score [−\d.]+ counts for nothing\."),
            (4, 1, "given", r"和 has nothing to look at: the mask hides every key, so all its weights are 0\.")):  # fmt: skip
        notebook.execute(f"e.row, e.column, e.mask_mode = {row}, {column}, '{mode}'")
        settled(notebook)
        sentence = root.locator(".ex-sentence").inner_text()
        assert re.fullmatch(pattern, sentence), sentence
        assert live.inner_text() == sentence and grid.get_by_role("gridcell").inner_text() == sentence
        assert root.get_by_role("gridcell").get_attribute("aria-rowindex") == str(row + 1)
    assert data(root, "weight") == [0]
    notebook.execute("e.row, e.scale_on, e.temperature = 6, False, 2.0")
    settled(notebook)
    sentence = root.locator(".ex-sentence").inner_text()
    assert re.fullmatch(r"。 looks at 喜欢 with weight \S+ \(score \S+ = q·k, not divided by √8\)\. The softmax sees score / 2\.00\.", sentence), sentence


def test_element_by_element(open_notebook):
    notebook, root = opened(open_notebook, ARRAYS)
    notebook.execute("e.head, e.row, e.column = 1, 6, 2")
    root.get_by_text("q·k, element by element").click()
    root.get_by_text("Output: the blend").click()
    settled(notebook)
    products, output = (
        [[cell.replace("−", "-") for cell in row] for row in table]
        for table in root.evaluate("""root => [...root.querySelectorAll("table")].filter(t => t.caption).map(
            t => [...t.tBodies[0].rows].map(r => [...r.cells].map(c => c.textContent)))"""))
    q, k, v = (np.array(notebook.python(name))[1] for name in "qkv")
    expected = np.stack([q[6], k[2], q[6] * k[2], (q[6] * k[2]).cumsum()], axis=1)
    np.testing.assert_allclose([[float(row[i]) for i in (1, 2, 3, 5)] for row in products], expected, rtol=6e-3, atol=1e-3)
    np.testing.assert_allclose([float(row[1]) for row in output], notebook.python("e.output()")[1][6], rtol=6e-3, atol=1e-3)
    root.get_by_role("grid").focus()
    press(notebook, root, "ArrowLeft")  # an open table follows the cursor
    assert float(root.locator(".ex-table td").nth(2).inner_text().replace("−", "-")) == pytest.approx(k[1][0], rel=6e-3)


def test_keys_stay_inside(open_notebook):
    notebook, root = opened(open_notebook, ARRAYS)
    count = notebook.cell_count()
    for part in (root.get_by_role("grid"), root.get_by_role("slider", name="Temperature"), root.get_by_label("scale by"),
                 root.get_by_role("radio", name="causal"), root.get_by_role("radio", name="Head 1"),
                 root.get_by_role("button", name="Save picture"), root.locator("summary").first):  # fmt: skip
        part.focus()
        for key in ("d", "d", "x", "a", "b", "ArrowDown", "m"):
            notebook.page.keyboard.press(key)
    settled(notebook)
    assert notebook.cell_count() == count
    kinds = notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.type)")
    assert kinds == ["code"] * count  # m would have made one of them text
    notebook.no_faults()


def test_hostile_tokens_are_text(open_notebook):
    tokens = ["<img src=x onerror=alert(1)>", "</script>", "<script>alert(2)</script>", ".net", "#tag", "👨‍👩‍👧‍👦", "مرحبا", "שלום",
              "e\u0301\u0301", "\ufffd", "\ud800", "", "x" * 200, " ", "\n", "\u202etxt", "{key}"]  # fmt: skip
    cell = f"e = explore.attention(q=rng.normal(size=({len(tokens)}, 4)), k=rng.normal(size=({len(tokens)}, 4)), tokens={tokens!a}); e"
    notebook = open_notebook([SETUP, cell])
    dialogs = []
    notebook.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    notebook.run_all()
    root = notebook.explorer(0)
    shown = []
    for i in range(len(tokens)):
        notebook.execute(f"e.row, e.column = {i}, 0")
        settled(notebook)
        shown.append(root.locator(".ex-sentence .ex-token").first.inner_text())
    assert shown[:9] == [tokens[0].replace(" ", "·")[:23] + "…", *tokens[1:2], "<script>alert(2)</scrip…", *tokens[3:9]]
    assert shown[9:] == ["\ufffd", "\ufffd", "∅", "x" * 23 + "…", "·", "↵", "⇄txt", "{key}"]
    assert root.locator("img, script").count() == 0 and dialogs == []
    picture(notebook, "attention-hostile", root)
    notebook.no_faults()


SLOW = """seen = []
def slow(text):
    seen.append(text)
    time.sleep(0.7)
    if "!" in text:
        raise ValueError("no ! please")
    n = len(text)
    return Recording(list(text), np.eye(n) * n, np.eye(n) * n, note=f"picture of {text}")
e = explore.attention(slow, text="ab"); e"""


def test_typing_faster_than_the_kernel_never_shows_a_stale_picture(open_notebook):
    notebook, root = opened(open_notebook, SLOW)
    notebook.page.evaluate("""root => { window.pictures = []; new MutationObserver(() => {
        const text = root.querySelector(".ex-why").textContent;
        if (window.pictures.at(-1) !== text) window.pictures.push(text);
    }).observe(root, {subtree: true, childList: true, characterData: true, attributes: true}); }""", root.element_handle())
    box = root.get_by_label("Text")
    box.focus()
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.type("c")
    notebook.page.wait_for_timeout(450)  # the kernel works on "abc" …
    for letter in "defgh":  # … while more is typed
        notebook.page.keyboard.type(letter)
        notebook.page.wait_for_timeout(120)
    assert root.get_attribute("aria-busy") == "true" and root.locator(".ex-busy").inner_text() == "computing …"
    notebook.page.wait_for_function("root => root.getAttribute('aria-busy') === 'false'", arg=root.element_handle())
    notebook.wait_idle()
    assert notebook.page.evaluate("window.pictures") == ["picture of ab", "picture of abcdefgh"]
    seen = notebook.python("seen")
    assert seen[:2] == ["ab", "abc"] and seen[-1] == "abcdefgh" and len(seen) <= 4  # not once a letter
    assert box.input_value() == "abcdefgh" and notebook.python("e.tokens") == list("abcdefgh")

    notebook.page.keyboard.type("i")
    root.locator(".ex-grid canvas").click()  # the cursor's message must not carry the old text as an answer
    root.get_by_text("picture of abcdefghi").wait_for()
    notebook.wait_idle()
    seen = notebook.python("seen")
    assert seen[-1] == "abcdefghi" and len(set(seen)) == len(seen)

    weight = data(root, "weight")
    box.focus()
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.type("!")
    root.get_by_role("alert").get_by_text("Your function of the text raised ValueError: no ! please").wait_for()
    notebook.wait_idle()
    assert root.get_attribute("aria-busy") == "false" and data(root, "weight") == weight and root.locator(".ex-grid").is_visible()
    notebook.page.keyboard.press("Backspace")
    root.get_by_role("alert").wait_for(state="hidden")
    notebook.no_faults()


def test_the_learners_own_attention(open_notebook):
    cell = """def mine(q, k, v, mask=None):
    if mask is not None:
        raise NotImplementedError("masks come later")
    weights = softmax(q @ k.T)
    return weights @ v, weights
e = explore.attention(q=q, k=k, v=v, tokens=words, use=mine); e"""
    notebook, root = opened(open_notebook, cell)
    verdict = root.locator(".ex-verdict")
    assert verdict.inner_text() == notebook.python("e.verdict") and "differs from the course's by up to" in verdict.inner_text()
    first = verdict.inner_text()
    root.get_by_role("slider", name="Temperature").focus()
    press(notebook, root, *["ArrowRight"] * 20)
    notebook.page.wait_for_function("([v, first]) => v.textContent !== first", arg=[verdict.element_handle(), first])
    assert_cell_is_numpys(notebook, root)
    temperature, weight = notebook.python("e.temperature"), data(root, "weight")
    head, row, column = data(root, "head", "row", "column")
    scores = np.array(notebook.python("q"))[head] @ np.array(notebook.python("k"))[head].T / temperature
    theirs = np.exp(scores[row] - scores[row].max())
    np.testing.assert_allclose(weight, theirs[column] / theirs.sum(), atol=1e-5)  # theirs, not the course's
    root.get_by_role("radio", name="causal").click()
    root.get_by_role("alert").get_by_text("Your attention raised NotImplementedError: masks come later").wait_for()
    settled(notebook)
    assert data(root, "weight") == weight and root.get_attribute("aria-busy") == "false"
    root.get_by_role("radio", name="none").click()
    root.get_by_role("alert").wait_for(state="hidden")
    notebook.no_faults()


def test_weights_alone_switch_off_what_needs_scores(open_notebook):
    notebook, root = opened(open_notebook, "e = explore.attention(weights=softmax(q @ k.swapaxes(1, 2)), tokens=words); e")
    assert root.get_by_text("Only weights were given. Without scores there is nothing for").is_visible()
    for part in (root.get_by_role("slider", name="Temperature"), root.get_by_label("scale by"), root.get_by_role("radio", name="causal")):
        assert part.is_disabled()
    assert root.get_by_text("q·k, element by element").is_hidden()
    settled(notebook)
    head, row, column, weight = data(root, "head", "row", "column", "weight")
    np.testing.assert_allclose(weight, notebook.python("e.weights()")[head][row][column], atol=1e-7)
    picture(notebook, "attention-weights", root)
    notebook.no_faults()


def pixels(notebook, root, fractions):
    """Colours of the heat map's canvas at fractions of its width and height."""
    return root.locator(".ex-grid canvas").evaluate("""(canvas, fractions) => { const pen = canvas.getContext("2d");
        return fractions.map(([x, y]) => Array.from(pen.getImageData(Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data)); }""", fractions)


def test_closed_cells_look_unlike_weight_zero(open_notebook):
    """A row with one certain weight under a causal mask: weight 0 is viridis' darkest, a closed cell is grey."""
    cell = "e = explore.attention(q=np.eye(40) * 900, k=np.eye(40), mask=causal_mask(40)); e.row = e.column = 39; e"
    notebook, root = opened(open_notebook, cell)
    zero, closed = pixels(notebook, root, [(0.3, 0.85), (0.85, 0.3)])
    assert zero == [68, 1, 84, 255]
    assert max(closed[:3]) - min(closed[:3]) < 16 and closed[1] > 150  # light grey, hatched
    notebook.set_theme("dark")
    for _ in range(50):  # the picture follows the theme at its next repaint
        zero, closed = pixels(notebook, root, [(0.3, 0.85), (0.85, 0.3)])
        if closed[1] < 150:
            break
        notebook.page.wait_for_timeout(100)
    assert zero == [68, 1, 84, 255] and max(closed[:3]) - min(closed[:3]) < 16 and closed[1] < 150


def test_text_is_readable_in_both_themes_and_pictures_are_kept(open_notebook):
    notebook, root = opened(open_notebook, ARRAYS)
    root.get_by_text("q·k, element by element").click()
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        notebook.page.wait_for_timeout(500)
        low = root.evaluate("""root => {
            const luminance = (text) => { const rgb = text.match(/[\\d.]+/g).map(Number);
                const [r, g, b] = rgb.slice(0, 3).map(v => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
                return [0.2126 * r + 0.7152 * g + 0.0722 * b, rgb.length > 3 ? rgb[3] : 1]; };
            const ground = luminance(getComputedStyle(root).backgroundColor)[0];
            const bad = [];
            for (const node of root.querySelectorAll("p, span, label, th, td, summary, button, input")) {
                if (!node.textContent.trim() || !node.checkVisibility() || node.closest(".ex-off")) continue;
                const own = getComputedStyle(node).backgroundColor;
                const behind = luminance(own)[1] === 1 ? luminance(own)[0] : ground;
                const [ink, opacity] = luminance(getComputedStyle(node).color);
                const seen = ink * opacity + behind * (1 - opacity);
                const contrast = (Math.max(seen, behind) + 0.05) / (Math.min(seen, behind) + 0.05);
                if (contrast < 4.5) bad.push([node.className, node.textContent.slice(0, 20), contrast]);
            }
            return [ground, bad]; }""")
        assert (low[0] > 0.5) == (theme == "light") and low[1] == []
        picture(notebook, f"attention-{theme}", root)
    notebook.no_faults()


def test_narrow_page(open_notebook):
    notebook, root = opened(open_notebook, ARRAYS, width=480, height=1200)
    assert root.bounding_box()["width"] <= 365
    wide = root.evaluate("""root => [...root.querySelectorAll("*")].filter(node => node.checkVisibility() && !node.closest(".ex-unseen") &&
        node.getBoundingClientRect().right > root.getBoundingClientRect().right + 1).map(node => node.className)""")
    assert wide == []
    heat = root.locator(".ex-grid").bounding_box()
    assert root.locator(".ex-lines").bounding_box()["y"] >= heat["y"] + heat["height"]  # stacked, not squeezed
    picture(notebook, "attention-narrow", root)


@pytest.mark.parametrize("T", [128, 512])
def test_large_layers(open_notebook, T):
    cell = f"""n = {T}; q, k = rng.normal(size=(12, n, 16)), rng.normal(size=(12, n, 16)); v = k[..., :2]
e = explore.attention(q=q, k=k, v=v, tokens=[f"w{{i}}" for i in range(n)]); e"""
    notebook, root = opened(open_notebook, cell)
    notebook.execute("e.head, e.row, e.column = 11, n - 1, n - 2")
    settled(notebook)
    root.get_by_role("grid").focus()
    press(notebook, root, "ArrowUp", "ArrowLeft")
    settled(notebook)
    row, column, weight, product = data(root, "row", "column", "weight", "product")
    assert [row, column] == [T - 2, T - 3]
    np.testing.assert_allclose(weight, notebook.python("e.weights()[11][e.row, e.column].item()"), rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(product, notebook.python("(q[11][e.row] @ k[11][e.column]).item()"), atol=1e-5)
    notebook.page.wait_for_timeout(1500)
    drawn = root.evaluate("""root => [...root.querySelectorAll(".ex-tile-picture")].map(canvas => {
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return new Set(pixels).size; })""")
    assert len(drawn) == 12 and min(drawn) > 10  # every tile has many colours
    picture(notebook, f"attention-{T}", root)
    notebook.no_faults()


def test_picture_is_saved_without_kernel_and_network(open_notebook, tmp_path):
    notebook, root = opened(open_notebook, ARRAYS)
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    with notebook.page.expect_download() as download:
        root.get_by_role("button", name="Save picture").click()
    download.value.save_as(tmp_path / "saved.png")
    content = (tmp_path / "saved.png").read_bytes()
    assert content.startswith(b"\x89PNG") and len(content) > 20_000
    assert re.fullmatch(r"attention-head-\d\.png", download.value.suggested_filename)
    assert notebook.outside_requests == []


def test_reduced_motion(open_notebook):
    notebook, root = opened(open_notebook, SLOW, reduced_motion=True)
    root.get_by_label("Text").press_sequentially("c")
    root.locator(".ex-busy").wait_for()
    assert root.locator(".ex-busy").evaluate("node => getComputedStyle(node, '::before').animationName") == "none"


def test_rows_and_columns_are_sorted_and_put_back_by_keyboard(open_notebook):
    notebook, root = opened(open_notebook, ARRAYS)
    notebook.execute("e.head = 1; e.row = 2; e.column = 3; e.mask_mode = 'none'")
    notebook.wait_idle()
    root.locator("summary", has_text="Order of rows and columns").focus()
    notebook.page.keyboard.press("Enter")
    for name, trait in (("Sort columns by what “吃” looks at", "columns_by"), ("Sort rows by who looks at “苹果”", "rows_by")):
        root.get_by_role("button", name=name).focus()
        press(notebook, root, "Enter")
        settled(notebook)
        assert notebook.python(f"e.{trait}") == {"columns_by": 2, "rows_by": 3}[trait]
    rows, columns = notebook.python("[list(map(int, order)) for order in e.order()]")
    assert data(root, "order") == [[rows, columns]] and columns != sorted(columns) and rows != sorted(rows)
    assert data(root, "row", "column") == [2, 3]  # the cursor stays on its pair of tokens
    assert "Columns: what “吃” looks at most comes first." in root.inner_text()

    root.get_by_role("grid").focus()  # keys and mouse go by what is seen
    press(notebook, root, "Control+Home")
    assert data(root, "row", "column") == [rows[0], columns[0]]
    press(notebook, root, "ArrowRight")
    assert data(root, "row", "column") == [rows[0], columns[1]]
    assert_cell_is_numpys(notebook, root)
    box = root.locator(".ex-grid canvas").first.bounding_box()
    with notebook.repaint(root):
        root.locator(".ex-grid canvas").first.click(position={"x": box["width"] - 8, "y": box["height"] - 8})
    assert data(root, "row", "column") == [rows[-1], columns[-1]]
    assert_cell_is_numpys(notebook, root)

    root.get_by_role("button", name="Text order").focus()
    press(notebook, root, "Enter")
    settled(notebook)
    assert notebook.python("[e.columns_by, e.rows_by]") == [-1, -1] and data(root, "order") == [[None, None]]
    assert data(root, "row", "column") == [rows[-1], columns[-1]]
    notebook.no_faults()


def test_the_sorted_picture_has_each_weight_where_its_names_are(open_notebook):
    notebook, root = opened(open_notebook, "e = explore.attention(weights=np.eye(7)[::-1].copy(), tokens=words); e")
    notebook.execute("e.columns_by = 6; e.rows_by = 0; e.row = 6; e.column = 0")  # row 6 looks at column 0 alone
    notebook.wait_idle()
    notebook.page.wait_for_timeout(200)
    bright = root.evaluate("""(root) => {
        const canvas = root.querySelector('.ex-grid canvas'), pen = canvas.getContext('2d');
        const {width, height} = canvas, seen = [];
        for (let y = 0; y < height; y += 4) for (let x = 0; x < width; x += 4) {
            const [r, g, b] = pen.getImageData(x, y, 1, 1).data;
            if (r > 230 && g > 210 && b < 90) seen.push([x / width, y / height]);   // the brightest colour of the scale
        }
        return seen; }""")
    left, above = min(x for x, _ in bright), min(y for _, y in bright)
    order = data(root, "order")[0]
    assert order[0][0] == 6 and order[1][0] == 0
    corner = [place for place in bright if place[0] < left + 0.05 and place[1] < above + 0.05]
    assert corner  # its cell is the first of the first row now
    notebook.no_faults()
