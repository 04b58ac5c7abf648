"""The explorer of an encoder–decoder without a page: parts, both texts, patterns between texts, heads off in each part."""

import copy

import numpy as np
import pytest
import traitlets

from course import explore
from course.explore import model_readout as readout
from course.explore.model_figure import mosaic, tile_places
from course.lens.patterns import PATTERNS
from course.lens.recording import Recording
from course.lens.run import NO_HEADS, Part, Run
from tests import little_models

TEXT, TARGET = "I like apples", "my cats like bananas"


class Ours:
    """An encoder–decoder that keeps to the protocol, as the course's own will: words, and vectors from the words alone.

    Encoder: 2 layers of 3 heads, decoder: 1 of 2, between them: 1 of 4.
    """

    name, takes_target = "ours", True

    def __init__(self):
        self.asked = []

    def run(self, text, off=NO_HEADS, target=None):
        self.asked.append((text, off, target))
        source = (*text.split(), "[end]")
        if len(source) == 1:
            raise ValueError("This text has 0 tokens.")
        if target == "?":
            raise ValueError("This target is a question.")
        words = ("yes", "no", "yes") if target is None else target.split() if isinstance(target, str) else map(str, target)
        tokens = ("[start]", *words)
        S, T = len(source), len(tokens)
        rng = np.random.default_rng([S, T])
        q, k = rng.normal(size=(4, 4, T, 5)), rng.normal(size=(4, 4, max(S, T), 5))
        past = np.tri(T, dtype=bool)
        layers = (Recording(source, k[0, :3, :S], k[1, :3, :S]), Recording(source, k[1, :3, :S], k[2, :3, :S]),
                  Recording(tokens, q[0, :2], k[3, :2, :T], mask=past), Recording(tokens, q[1], k[1, :, :S], key_tokens=source))  # fmt: skip
        vectors = rng.normal(size=(T, 6)) + sum(5 * layer + head + 1 for layer, head in off)
        return Run(tokens, layers, ("encoder 1", "encoder 2", "decoder 1", "cross 1"), vectors.astype(np.float32), None,
                   (True, *[False] * (T - 1)), off, parts=(Part("encoder", 2, True), Part("decoder", 1), Part("cross", 1)), source=source,
                   source_special=(*[False] * (S - 1), True))  # fmt: skip

    def top(self, run, position, n=5):
        return None


@pytest.fixture(scope="module", params=little_models.TWO)
def made(request):
    """(model, tokenizer, maps behind the heads) of a tiny random encoder–decoder of transformers."""
    kind, config, settings, tokenizer, maps = little_models.TWO[request.param]
    return little_models.model(kind, config, **settings).eval(), little_models.bytes_bpe(tokenizer), little_models.outs(maps)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_parts_are_those_of_the_run(made):
    e = explore.attention(*made[:2], text=TEXT)
    names = ("encoder", "decoder", "decoder looks at the text")
    assert [part["name"] for part in e.parts] == list(names)
    assert [(part["start"], part["stop"], part["between"]) for part in e.parts] == [(0, 2, False), (2, 5, False), (5, 8, True)]
    assert e.takes_target and len(e.layer_names) == 8


def test_a_model_of_one_stack_has_none(tmp_path):
    bert = little_models.model("BertModel", "BertConfig", **little_models.BERT)
    e = explore.attention(bert, little_models.wordpiece(tmp_path), text="i like apples")
    assert e.parts == [] and not e.takes_target
    with pytest.raises(ValueError, match="target= is what a model writes"):
        explore.attention(bert, little_models.wordpiece(tmp_path), text="i like apples", target="my cat")
    one = Ours().run(TEXT)
    assert readout.parts(Run(one.tokens, one.layers, one.names, one.vectors, None, one.special, parts=(Part("all", 4),))) == []


def test_rows_and_columns_are_named_by_their_own_texts():
    e = explore.attention(Ours(), text="a b c", target="x y")
    source, target = ["a", "b", "c", "[end]"], ["[start]", "x", "y"]
    for layer, (rows, columns) in enumerate([(source, source), (source, source), (target, target), (target, source)]):
        e.layer = layer
        assert (e.tokens, e.key_tokens) == (rows, columns)
        assert (e.shape["rows"], e.shape["columns"]) == (len(rows), len(columns))
        np.testing.assert_allclose(e.weights(), e.run.layers[layer].attend()[1], atol=1e-6)


def test_the_cursor_is_kept_where_there_is_room_and_the_mask_is_the_layers():
    e = explore.attention(Ours(), text="a b c d e f", target="x y")
    e.layer, e.row, e.column = 0, 6, 6
    e.layer = 2
    assert (e.row, e.column, e.mask_mode) == (2, 2, "given")
    e.layer = 3
    assert (e.row, e.mask_mode) == (2, "none")
    with pytest.raises(traitlets.TraitError, match="as many queries as keys, got 3 and 7"):
        e.mask_mode = "causal"


def test_what_the_page_chooses_is_measured_by_the_layer_it_chooses():
    e = explore.attention(Ours(), text="a b c d e f", target="x y")
    e.layer, e.head = 2, 0
    e.set_state({"head": 2, "row": 6, "layer": 1})  # two heads and three rows there, three and seven here
    assert (e.layer, e.head, e.row) == (1, 2, 6)
    e.set_state({"layer": 99, "head": 99})
    assert (e.layer, e.head) == (3, 3)


# ── the target ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_asked_for_once_and_again_when_it_changes():
    model = Ours()
    e = explore.attention(model, text="a b")
    assert model.asked == [("a b", NO_HEADS, None)] and e.run.tokens == ("[start]", "yes", "no", "yes")
    e.target = "x y"
    assert model.asked[1:] == [("a b", NO_HEADS, "x y")] and e.run.tokens[1:] == ("x", "y")
    e.off = [[3, 1]]
    assert model.asked[2:] == [("a b", {(3, 1)}, "x y")]  # the run with all heads on is at hand
    e.target = [7, 8]
    assert model.asked[3:] == [("a b", NO_HEADS, (7, 8)), ("a b", {(3, 1)}, (7, 8))] and e.run_before.tokens == e.run.tokens
    e.target = ""
    assert model.asked[5:] == [("a b", NO_HEADS, None), ("a b", {(3, 1)}, None)]
    assert explore.attention(Ours(), text="a b", target="x y").run.tokens[1:] == ("x", "y")


def test_a_target_that_is_refused_leaves_the_last_picture():
    e = explore.attention(Ours(), text="a b", target="x y")
    e.target = "?"
    assert e.problem == "This target is a question." and e.run.tokens[1:] == ("x", "y")
    e.target = "z"
    assert e.problem == "" and e.run.tokens[1:] == ("z",)


def test_the_second_text_has_the_same_target():
    model = Ours()
    e = explore.attention(model, text="a b", target="x y", text2="c d e")
    e.layer = 3
    assert ("c d e", NO_HEADS, "x y") in model.asked and e.beside["key_tokens"] == ["c", "d", "e", "[end]"]
    e.target = "z"
    assert ("c d e", NO_HEADS, "z") in model.asked and e.beside["tokens"] == ["[start]", "z"]


def test_in_one_line():
    e = explore.attention(Ours(), text="a b", target="x y z")
    e.layer, e.head = 3, 1
    assert e.summary() == "4 layers of 2/3/4 heads, 3 tokens read, 4 written; shown is cross 1, head 1"


# ── patterns ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_patterns_are_measured_against_the_part_s_own_texts():
    e = explore.attention(Ours(), text="a b a", target="b a")
    numbers = np.frombuffer(e.pattern_numbers, np.float32).reshape(len(PATTERNS), 2, 3 + 3 + 2 + 4)
    between = numbers[:, 0, 8:]
    assert {p for p, row in zip(PATTERNS, between) if not np.isnan(row).any()} == {"first token", "same word"}
    assert np.isnan(between[[PATTERNS.index(p) for p in ("previous token", "next token", "separator", "itself")]]).all()
    separator = numbers[PATTERNS.index("separator"), 0]
    weights = e.run.layers[1].attend()[1]
    np.testing.assert_allclose(separator[3:6], weights[:, :3, 3].mean(-1), rtol=1e-5)  # the source's last token, from its words
    assert np.isnan(separator[6:8]).all()  # the target begins with its special token and has no other
    same = e.run.layers[3].attend()[1]
    np.testing.assert_allclose(numbers[PATTERNS.index("same word"), 0, 8:], (same[:, 1, 1] + same[:, 2, 0] + same[:, 2, 2]) / 2, rtol=1e-5)


def test_tiles_are_sorted_within_their_part_and_each_part_begins_a_line():
    e = explore.attention(Ours(), text="a b a", target="b a")
    e.tile_order, e.pattern = "pattern", "same word"
    numbers = np.frombuffer(e.pattern_numbers, np.float32).reshape(len(PATTERNS), 2, 12).astype(float)
    score, baseline = numbers[PATTERNS.index("same word")]
    heads = [*((0, h) for h in range(3)), *((1, h) for h in range(3)), (2, 0), (2, 1), *((3, h) for h in range(4))]
    above = {place: s - b for place, s, b in zip(heads, score, baseline)}
    inside = lambda place: -np.inf if np.isnan(above[place]) else above[place]
    by_part = [sorted(part, key=lambda place: (-inside(place), place)) for part in (heads[:6], heads[6:8], heads[8:])]
    assert e.sequence() == [place for part in by_part for place in part]
    assert by_part[0] != heads[:6] and by_part[2] != heads[8:]
    assert inside(by_part[2][0]) > inside(by_part[0][1])  # over all parts it would be another order
    places = tile_places(e)
    assert [places[place] for place in by_part[0]] == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]  # four in a line
    assert [places[place] for place in by_part[1]] == [(2, 0), (2, 1)]
    assert [places[place] for place in by_part[2]] == [(3, column) for column in range(4)]
    picture = mosaic(e, side=4)
    assert picture.shape == (4 * 5, 4 * 5, 4) and (picture[5:9, 10:] == 0).all() and (picture[10:14, 10:] == 0).all()
    for e.layer, first in ((1, by_part[0][0]), (3, by_part[2][0])):  # the title names the best of the part that is shown
        overview = e.figure().axes[0]
        assert overview.get_title(loc="left").endswith(f"first {e.layer_names[first[0]]} · head {first[1]}")
        assert {text.get_text(): text.get_position()[1] // 36 for text in overview.texts} == {"encoder": 0, "decoder": 2, "cross": 3}


# ── heads switched off ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("off", [[0, 1], [3, 0], [6, 1]], ids=["encoder", "decoder", "cross"])
def test_what_the_model_says_next_before_and_after_is_a_direct_computation(made, off):
    model, tokenizer, maps = made
    torch = little_models.needed("torch")
    e = explore.attention(model, tokenizer, text=TEXT, target=[0, 7, 9, 11])
    e.layer = off[0]
    e.row = len(e.tokens) - 1
    e.off = [off]
    changed = little_models.without(copy.deepcopy(model), maps, [tuple(off)])
    ids, target = torch.tensor([tokenizer(TEXT)["input_ids"]]), torch.tensor([[0, 7, 9, 11]])
    for one, shown in zip((model, changed), e.effect["top"]):
        expected = little_models.forward(one, ids, target).logits[0, -1].softmax(-1).sort(descending=True).values[:5]
        np.testing.assert_allclose([p for _, p in shown], expected, atol=1e-5)
    assert [p for _, p in e.effect["top"][0]] != [p for _, p in e.effect["top"][1]]
    assert e.effect["position"] == 3 and e.effect["fixed"] == (off[0] == 0) and e.problem == ""


def test_an_encoders_cursor_says_nothing_of_the_target():
    e = explore.attention(Ours(), text="a b c d e f", target="x y")
    e.layer, e.row = 3, 1
    e.off = [[0, 0]]
    assert e.effect["token"] == "x" and not e.effect["fixed"] and [token for token, _ in e.effect["moved"]] == ["[start]", "x", "y"]
    e.layer, e.row = 0, 0
    assert e.effect["token"] == "y" and e.effect["fixed"] and e.effect["position"] == 2


def test_the_same_words_in_both_texts_are_still_two_texts():
    """An encoder's queries are the source even where the target happens to read alike."""

    class Alike(Ours):
        def run(self, text, off=NO_HEADS, target=None):
            run = super().run(text, off, target)
            return Run(run.source, run.layers[:2], run.names[:2], np.ones((len(run.source), 2), np.float32), None, (False,) * len(run.source),
                       off, parts=(Part("encoder", 1, True), Part("decoder", 1)), source=run.source, source_special=run.source_special)  # fmt: skip

    e = explore.attention(Alike(), text="a b")
    e.layer = 0
    e.row = 0
    assert e._position() == 2 and e.run.special_of(0) == (False, False, True)
    e.layer = 1
    assert e._position() == 0 and e.run.special_of(1) == (False, False, False)


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_picture_without_a_kernel_shows_the_rectangle(made):
    e = explore.attention(*made[:2], text=TEXT, target=TARGET)
    e.layer, e.head = 7, 1
    assert e.png().startswith(b"\x89PNG") and "cross 3, head 1" in repr(e)
    images = [np.asarray(image.get_array()) for axes in e.figure().axes for image in axes.images]
    shape = (len(e.run.tokens), len(e.run.source))
    shown = [image for image in images if image.shape == shape]
    assert len(shown) == 1
    np.testing.assert_allclose(shown[0], e.weights()[1], atol=1e-6)
