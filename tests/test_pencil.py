"""The pencil model: paper, hand and layer give the same numbers; the sheet shows them, and the blank one does not."""

import html.parser
import itertools
import re

import numpy as np
import pytest
import torch

from course import pencil_sheet
from course.models import pencil

CHAPTERS = ("01", "02", "03", "04", "05", "06", "07")
PATTERNS = [("喜欢", "吃", "{0}", "和", "{1}", "。"), ("不", "喜欢", "吃", "{0}", "。")]
SENTENCES = [
    (who, *(word.format(*fruits) for word in pattern))
    for who, pattern, fruits in itertools.product(("我", "你"), PATTERNS, (("苹果", "香蕉"), ("香蕉", "苹果")))
]


@pytest.mark.parametrize("words", SENTENCES, ids="".join)
def test_every_box_equals_what_the_layer_computes(words):
    """The hand's numbers, box by box, are those of the parts of a GPT of PyTorch with these parameters."""
    words = words[:7]
    model, b = pencil.pencil_model(), pencil.boxes(words)
    block, ids = model.blocks[0], torch.tensor(pencil.to_ids(words))
    x = model.embed(ids[None])
    normed = block.norm_1(x)
    mask = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    attended, weights = block.attention.attend(normed, mask)
    after = x + attended
    neurons = block.feed_forward.up(block.norm_2(after))
    done = after + block.feed_forward.down(neurons.relu())
    logits = model(ids)
    layer = {
        "x": x[0], "normed": normed[0], "weights": weights[0], "attended": attended[0], "after_attention": after[0],
        "neurons": neurons[0], "bent": neurons[0].relu(), "after_block": done[0], "logits": logits, "probs": logits.softmax(-1),
    }  # fmt: skip
    for name, wanted in layer.items():
        got = getattr(b, name)
        assert got.shape == tuple(wanted.shape), name
        np.testing.assert_allclose(got, wanted.detach().numpy(), rtol=0, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(b.norm.output, block.norm_2(after)[0].detach().numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(b.final.output, model.norm(done)[0].detach().numpy(), rtol=0, atol=1e-12)


def test_each_number_follows_from_those_before_it_on_the_sheet():
    """What a pencil does, from the boxes' own numbers: scores, blend, mixing, the two additions."""
    b = pencil.boxes()
    for head in (0, 1):
        assert np.allclose(b.scores[head], b.q[head] @ b.k[head].T / np.sqrt(2), atol=1e-12)
        assert np.allclose(b.heads[head], b.weights[head] @ b.v[head], atol=1e-12)
        own = slice(2 * head, 2 * head + 2)
        assert np.array_equal(b.v[head], b.normed @ pencil.HEADS[f"W_V_{head + 1}"])
        assert np.array_equal(b.concat[:, own], b.heads[head])
    assert np.allclose(b.weights[0], np.tril(np.ones((4, 4))) / np.arange(1, 5)[:, None])  # head 1 hears all alike
    assert np.allclose(b.after_block - b.x, b.attended + b.thought, atol=1e-12)
    assert np.allclose(b.probs.sum(axis=-1), 1, atol=1e-12)


def test_parameters_have_one_decimal_and_count_as_the_model_says():
    arrays = [pencil.EMBEDDING, pencil.POSITIONS, *pencil.BLOCK.values()]
    for array in arrays:
        assert np.array_equal(np.round(array, 1), array)
    norms = 3 * 4  # gains, all 1
    counts = pencil.pencil_model().parameter_counts()
    assert sum(counts.values()) == sum(array.size for array in arrays) + norms


@pytest.mark.parametrize("words", SENTENCES, ids="".join)
def test_it_has_learned_its_language(words):
    """Where one word can follow, it gets nine tenths and more; where two can, together."""
    for t in range(1, len(words)):
        can = {other[t] for other in SENTENCES if other[:t] == words[:t]}
        probs = pencil.boxes(words[:t]).probs[-1]
        assert sum(probs[pencil.WORDS.index(word)] for word in can) > 0.9, (words[:t], can)
        assert min(probs[pencil.WORDS.index(word)] for word in can) > 0.4, (words[:t], can)


@pytest.mark.parametrize(("words", "sentence"), [
    ((), "reads 1 to 7 words, got 0"), (["我"] * 8, "reads 1 to 7 words, got 8"), (["我", "梨"], "not '梨'"),
])  # fmt: skip
def test_other_texts_are_refused(words, sentence):
    with pytest.raises(ValueError, match=sentence):
        pencil.boxes(words)
    with pytest.raises(ValueError, match="none for '08'"):
        pencil_sheet.box("08")


class _Cells(html.parser.HTMLParser):
    """The numbers in the cells of a page's boxes (the first section holds the parameters), empty ones as ""."""

    def __init__(self, page: str):
        super().__init__()
        self.sections, self.inside = [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "section":
            self.sections.append([])
        if tag == "td":
            self.sections[-1].append("")
        self.inside = tag == "td"

    def handle_data(self, data):
        if self.inside:
            self.sections[-1][-1] += data

    def handle_endtag(self, tag):
        self.inside = False


def test_the_blank_sheet_gives_the_parameters_and_nothing_away():
    parameters, *boxes = _Cells(pencil_sheet.page(filled=False)).sections
    assert len(boxes) == len(CHAPTERS) and "" not in parameters
    given = [len([cell for cell in box if cell]) for box in boxes]
    assert given == [0, 0, 16, 0, 0, 0, 0]  # the normed rows of box 03
    shown = [float(cell.replace("−", "-")) for cell in parameters]
    assert shown[:36] == pencil.EMBEDDING.ravel().tolist()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_solved_sheet_and_the_box_in_a_notebook_show_the_computed_numbers(chapter):
    cells = _Cells(pencil_sheet.page(filled=True)).sections[int(chapter)]
    wanted = np.concatenate([line.values.ravel() for line in pencil_sheet.lines(chapter)])
    assert np.abs(np.array([float(cell.replace("−", "-")) for cell in cells]) - wanted).max() <= 0.005 + 1e-9
    shown = re.findall(r"<td class='given'>([^<]*)</td>", pencil_sheet.box(chapter)._repr_html_())
    assert shown == cells
    numbers = [float(part.replace("−", "-")) for line in repr(pencil_sheet.box(chapter)).splitlines() if line.startswith("  ")
               for part in line.split()]  # fmt: skip
    assert np.abs(np.array(numbers) - wanted).max() <= 0.005 + 1e-9


def test_the_sheets_in_assets_are_those_that_the_command_writes(tmp_path, capsys):
    assert pencil_sheet.main(["--out", str(tmp_path / "new")]) == 0
    written = sorted((tmp_path / "new").iterdir())
    assert [path.name for path in written] == ["pencil_sheet.html", "pencil_sheet_solved.html"]
    assert capsys.readouterr().out.split() == [str(path) for path in written]
    for path in written:
        assert (pencil_sheet.ASSETS / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
