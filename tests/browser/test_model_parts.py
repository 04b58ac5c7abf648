"""The explorer of an encoder–decoder in real JupyterLab: parts chosen by keyboard, both texts named, heads off in each part."""

import json

import numpy as np
import pytest

from tests.browser.lab import picture
from tests.browser.test_model_explorer import assert_soon, data, overview, settled

pytestmark = pytest.mark.browser

SETUP = """import sys
sys.path.insert(0, {root!r})
from course import explore
from course.lens.patterns import PATTERNS, pattern_baselines, pattern_scores
from tests import little_models
kind, config, settings, tokenizer, maps = little_models.TWO[{name!r}]
made, tokenizer = little_models.model(kind, config, **settings).eval(), little_models.bytes_bpe(tokenizer)
"""
CELL = "e = explore.attention(made, tokenizer, text='I like to eat apples', target='my cats like bananas', title='tiny'); e"


@pytest.fixture
def opened(open_notebook, request):
    """A function: the notebook with the explorer of an encoder–decoder, and its root."""

    def opened(name, **window):
        notebook = open_notebook([SETUP.format(root=str(request.config.rootpath), name=name), CELL, "'a cell after it'"], **window)
        notebook.run_all()
        assert notebook.errors() == []
        return notebook, notebook.explorer(0)

    return opened


def part(root):
    return root.get_by_role("combobox", name="Part")


def assert_cell_is_pythons(notebook, root):
    """The cell under the cursor is that of the layer as recorded, and the sentence names its row's and its column's token."""
    settled(notebook, root)
    layer, head, row, column = data(root, "layer", "head", "row", "column")
    assert [layer, head, row, column] == notebook.python("[e.layer, e.head, e.row, e.column]")
    recorded = notebook.python(f"[e.run.layers[{layer}].weights[{head}, {row}, {column}].item(), e.run.layers[{layer}].tokens[{row}], "
                               f"e.run.layers[{layer}].key_tokens[{column}]]")  # fmt: skip
    assert data(root, "weight")[0] == pytest.approx(recorded[0], abs=1e-5)
    labels = root.locator(".ex-sentence").inner_text()
    query, key = (token.strip() for token in recorded[1:])
    assert query in labels.split(" looks at ")[0] and key in labels.split(" looks at ")[1]


@pytest.mark.parametrize("name", ["T5", "BART"])
def test_a_part_is_chosen_by_keyboard(opened, name):
    notebook, root = opened(name)
    page = notebook.page
    for layer in (5, 2, 0):  # each part is left where it begins
        notebook.execute(f"e.layer, e.head = {layer}, 0")
        settled(notebook, root)
    assert part(root).locator("option").all_inner_texts() == ["encoder", "decoder", "decoder looks at the text"]
    assert part(root).input_value() == "0" and overview(root).get_attribute("aria-rowcount") == "2"
    assert_cell_is_pythons(notebook, root)
    part(root).focus()
    for start, rows in (("2", 3), ("5", 3)):
        with notebook.repaint(root):
            page.keyboard.press("ArrowDown")
        assert_soon(notebook, root, "e.layer", int(start))
        assert part(root).input_value() == start and overview(root).get_attribute("aria-rowcount") == str(rows)
        assert_cell_is_pythons(notebook, root)
    grid = root.get_by_role("grid", name="Heat map of attention weights")
    T, S = notebook.python("[len(e.run.tokens), len(e.run.source)]")
    assert (grid.get_attribute("aria-rowcount"), grid.get_attribute("aria-colcount")) == (str(T), str(S)) and T != S
    grid.focus()
    page.keyboard.press("Control+End")
    assert_soon(notebook, root, "[e.row, e.column]", [T - 1, S - 1])
    assert_cell_is_pythons(notebook, root)
    picture(notebook, f"model_parts_{name}", root)

    overview(root).focus()  # the keys move among this part's layers
    page.keyboard.press("ArrowDown")
    assert_soon(notebook, root, "e.layer", 6)
    page.keyboard.press("Control+Home")
    assert_soon(notebook, root, "[e.layer, e.head]", [5, 0])
    page.keyboard.press("ArrowUp")
    assert_soon(notebook, root, "e.layer", 5)
    page.keyboard.press("Control+End")
    assert_soon(notebook, root, "[e.layer, e.head]", [7, notebook.python("e.run.layers[7].heads") - 1])
    part(root).select_option("encoder")  # where it was left …
    assert_soon(notebook, root, "e.layer", 0)
    assert_cell_is_pythons(notebook, root)
    part(root).select_option("decoder looks at the text")  # … as here
    assert_soon(notebook, root, "e.layer", 7)
    assert notebook.cell_count() == 3
    notebook.no_faults()


def test_the_tiles_are_those_of_the_part(opened):
    notebook, root = opened("BART")
    notebook.execute("e.layer, e.head = 2, 0")
    settled(notebook, root)
    assert part(root).input_value() == "2"  # Python chose it
    canvas = overview(root).locator("canvas")
    box = canvas.bounding_box()
    with notebook.repaint(root):  # two heads in three layers: the last tile is head 1 of decoder 3
        canvas.click(position={"x": box["width"] - 10, "y": box["height"] - 10})
    assert_soon(notebook, root, "[e.layer, e.head]", [4, 1])
    assert root.get_by_text("decoder 3 · head 1", exact=True).first.is_visible()
    notebook.execute("e.layer, e.head = 1, 2")  # three heads here
    settled(notebook, root)
    box = canvas.bounding_box()
    with notebook.repaint(root):
        canvas.click(position={"x": box["width"] - 10, "y": 30})
    assert_soon(notebook, root, "[e.layer, e.head]", [0, 2])


def test_patterns_that_make_no_sense_between_two_texts_are_off_with_a_reason(opened):
    notebook, root = opened("T5")
    pattern = root.get_by_role("combobox", name="Pattern")
    notebook.execute("e.layer, e.head = 0, 0; e.pattern = 'first token'")
    settled(notebook, root)
    assert pattern.locator("option:disabled").count() == 0 and not root.get_by_text("Off here").is_visible()
    part(root).select_option("decoder looks at the text")
    assert_soon(notebook, root, "e.layer", 5)
    assert pattern.locator("option:disabled").all_inner_texts() == ["previous token", "next token", "separator", "itself"]
    assert root.get_by_text("Off here: previous token, next token, separator, itself.").is_visible()
    above = """max(((pattern_scores(e.run.layers[l], e.run.special)['first token'] - pattern_baselines(e.run.layers[l], e.run.special)['first token'])[h], -l, -h)
                   for l in range(5, 8) for h in range(3))[1:]"""
    best = [-number for number in notebook.python(f"list({above})")]
    assert data(root, "best")[0] == best  # the best of this part, not of all
    part(root).select_option("decoder")
    assert_soon(notebook, root, "e.layer", 2)
    assert not root.get_by_text("Off here").is_visible()


def test_sorted_tiles_are_those_of_the_part_in_pythons_order(opened):
    notebook, root = opened("T5")
    notebook.execute("e.layer, e.head = 5, 0; e.pattern, e.tile_order = 'same word', 'pattern'; e.target = 'I eat bananas'")
    settled(notebook, root)
    for start, count in ((5, 9), (0, 6)):
        notebook.execute(f"e.layer, e.head = {start}, 0")
        settled(notebook, root)
        sequence = [list(place) for place in notebook.python("e.sequence()") if start <= place[0] < start + count // 3]
        assert len(sequence) == count and (start == 0 or sequence != sorted(sequence))
        overview(root).focus()
        notebook.page.keyboard.press("Control+Home")
        assert_soon(notebook, root, "[e.layer, e.head]", sequence[0])
        for place in sequence[1:]:
            notebook.page.keyboard.press("ArrowRight")
            notebook.page.wait_for_function("([root, place]) => `[${root.dataset.layer}, ${root.dataset.head}]` === place",
                                            arg=[root.element_handle(), str(place)], timeout=10_000)  # fmt: skip
        assert_soon(notebook, root, "[e.layer, e.head]", sequence[-1])
    picture(notebook, "model_parts_sorted", root)
    notebook.no_faults()


def test_what_is_off_changes_what_the_model_says_next(opened):
    notebook, root = opened("T5")
    for start, layer in (("encoder", 0), ("decoder", 2), ("decoder looks at the text", 5)):
        notebook.execute(f"e.layer, e.head = {layer}, 1")
        settled(notebook, root)
        assert part(root).locator("option:checked").inner_text() == start
        root.get_by_role("checkbox", name="switched off").check()
        settled(notebook, root)
    notebook.execute("e.layer, e.row = 5, len(e.run.tokens) - 1")
    settled(notebook, root)
    assert_soon(notebook, root, "e.off", [[0, 1], [2, 1], [5, 1]])
    notebook.execute("""
import torch
ids, target = (torch.tensor([t]) for t in (tokenizer(e.text)["input_ids"], [0, *tokenizer(e.target)["input_ids"]]))
changed = little_models.without(made, little_models.outs(maps), [tuple(pair) for pair in e.off])
direct = [little_models.forward(m, ids, target).logits[0, -1].softmax(-1).sort(descending=True).values[:5].tolist() for m in (made, changed)]
""")
    for layer in (5, 0):  # from a decoder's last token, and in the encoder, whose tokens predict nothing
        notebook.execute(f"e.layer = {layer}")
        settled(notebook, root)
        (effect,) = data(root, "effect")
        shown = [[p for _, p in part_] for part_ in effect["top"]]
        np.testing.assert_allclose(shown, notebook.python("direct"), atol=1e-5)
        assert effect["token"] == notebook.python("e.run.tokens[-1]") and effect["fixed"] == (layer == 0)
    picture(notebook, "model_parts_off", root)


def test_both_texts_are_typed(opened):
    notebook, root = opened("BART")
    target = root.get_by_role("textbox", name="Target")
    assert target.input_value() == "my cats like bananas"
    target.fill("I like")
    assert_soon(notebook, root, "[e.target, list(e.run.tokens)]", ["I like", ["</s>", "<s>", "I", " like"]])
    root.get_by_role("textbox", name="Text", exact=True).fill("my cats")
    assert_soon(notebook, root, "[list(e.run.source), e.run.tokens[2:]]", [["<s>", "my", " cats", "</s>"], ["I", " like"]])
    target.fill("")
    assert_soon(notebook, root, "[e.target, len(e.run.tokens)]", ["", 9])
    assert root.get_by_text("8 tokens after the start are what the model writes itself").is_visible()
    notebook.execute("e.target = 'my cats'")
    settled(notebook, root)
    assert target.input_value() == "my cats" and notebook.python("e.run.tokens[-1]") == " cats"
    assert json.loads(root.get_attribute("data-layer")) == notebook.python("e.layer")
    notebook.no_faults()


def test_a_narrow_window_and_the_dark_theme(opened):
    notebook, root = opened("T5", width=360, height=2600)
    notebook.execute("e.layer, e.pattern, e.tile_order, e.text2 = 5, 'first token', 'pattern', 'I like apples'; e.rows_by = e.columns_by = 2")
    settled(notebook, root)
    for fold in ("Order of rows and columns", "The same head on a second text"):
        summary = root.locator("summary", has_text=fold)
        if not summary.evaluate("summary => summary.parentElement.open"):
            summary.click()
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        settled(notebook, root)
        picture(notebook, f"model_parts_360_{theme}", root)
        assert root.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
        for control in ("Part", "Pattern", "Order"):
            assert root.get_by_role("combobox", name=control, exact=True).is_visible()
        for node in root.locator("button:visible, select:visible, summary:visible, input:visible, label:visible, p:visible, canvas:visible").all():
            cut = node.evaluate("""node => { const box = node.getBoundingClientRect(), root = node.closest(".ex").getBoundingClientRect();
                return node.closest(".ex-scroll, .ex-unseen, .ex-model-tiles") ? [] : [box.left - root.left, root.right - box.right].filter((room) => room < -1); }""")
            assert cut == [], node.evaluate("node => node.outerHTML.slice(0, 120)")


def test_a_model_of_one_stack_has_no_choice_of_parts(open_notebook, request):
    cell = SETUP.format(root=str(request.config.rootpath), name="T5") + """
gpt = little_models.model("GPT2LMHeadModel", "GPT2Config", **little_models.GPT2)
e = explore.attention(gpt, little_models.bytes_bpe(), text="I like apples"); e"""
    notebook = open_notebook([cell])
    notebook.run_all()
    root = notebook.explorer(0)
    assert not part(root).is_visible() and root.get_by_role("textbox", name="Target").count() == 0
    assert overview(root).get_attribute("aria-rowcount") == "3"
