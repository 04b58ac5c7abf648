"""The explorer of a whole model: what travels to the page, heads switched off, patterns, and every text there is."""

import base64
import json
import shutil
import subprocess

import numpy as np
import pytest
import traitlets
from matplotlib.figure import Figure

from course import explore
from course.blocks.attention import causal_mask, softmax
from course.explore import model_readout as readout
from course.explore.model_explorer import ModelExplorer
from course.explore.model_figure import mosaic
from course.lens.patterns import PATTERNS, best, pattern_baselines, pattern_scores
from course.lens.recording import Recording
from course.lens.run import Run, divergence, moved
from tests import little_models

TEXT = "i like apples and my cat"


class Made:
    """A model of the small protocol, made of random numbers: three layers, of unlike kinds."""

    name = "made of random numbers"
    vocabulary = 7

    def __init__(self, logits: bool = True):
        self.logits, self.asked = logits, []

    def run(self, text, off=frozenset()):
        self.asked.append((text, off))
        tokens = text.split()
        if not tokens:
            raise ValueError("This text has 0 tokens.")
        if "?" in tokens:
            raise KeyError("?")
        if any(layer > 2 or head > 3 for layer, head in off):
            raise ValueError("There is no such head.")
        T = len(tokens)
        rng = np.random.default_rng([T, 5])
        q, k, v = (rng.normal(size=(3, 4, T, 6)) for _ in range(3))
        rows = np.ones((T, T)) / T
        layers = (
            Recording(tokens, q[0], k[0], v[0], mask=causal_mask(T)),
            Recording(tokens, q[1], k[1], v[1], bias=rng.normal(size=(4, T, T)), scale=0.7),
            Recording(tokens, weights=np.stack([rows, np.eye(T)[np.maximum(np.arange(T) - 1, 0)]]), note="bare"),
        )
        vectors = rng.normal(size=(T, 8)) + sum(layer + head + 1 for layer, head in off) * rng.normal(size=(T, 8))
        logits = vectors @ rng.normal(size=(8, self.vocabulary)) if self.logits else None
        special = tuple(token.startswith("[") for token in tokens)
        return Run(tuple(tokens), layers, ("layer 1", "layer 2", "layer 3"), vectors.astype(np.float32), logits, special, off,
                   note=f"{T} words")  # fmt: skip

    def top(self, run, position, n=5):
        if run.logits is None:
            return None
        p = softmax(run.logits[position])
        return [(f"word{i}", float(p[i])) for i in np.argsort(-p)[:n]]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """(model, tokenizer): a tiny random BertModel."""
    tokenizer = little_models.wordpiece(tmp_path_factory.mktemp("bert"))
    return little_models.model("BertModel", "BertConfig", **little_models.BERT).eval(), tokenizer


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    """(model, tokenizer): a tiny random BertForMaskedLM, which has a vocabulary head."""
    tokenizer = little_models.wordpiece(tmp_path_factory.mktemp("masked"))
    return little_models.model("BertForMaskedLM", "BertConfig", **little_models.BERT).eval(), tokenizer


# ── what it takes ────────────────────────────────────────────────────────────────────────────────────────────


def test_whatever_can_be_run_is_taken(bert):
    class Encoder:
        name, max_length, lowercase = "mine", 6, True
        model, tokenizer = bert

    assert explore.attention(Made(), text="a b").title == Made.name
    assert explore.attention(*bert, text=TEXT, title="mine").title == "mine"
    e = explore.attention(Encoder(), text=TEXT.upper())
    assert e.title == "mine" and len(e.tokens) == 6 and "this model reads" in e.note
    assert "apples" in explore.attention(*bert).text  # there is a text to begin with
    assert explore.attention(*bert, text="").problem  # "" is a text too


def test_what_is_no_model_or_does_not_fit_is_refused_in_one_sentence(bert):
    with pytest.raises(ValueError, match="its tokenizer is needed"):
        explore.attention(bert[0])
    with pytest.raises(ValueError, match="use= is for one layer"):
        explore.attention(*bert, use=lambda q, k, v, mask: None)
    with pytest.raises(ValueError, match="either a function or arrays"):
        explore.attention(Made(), q=np.ones((2, 2)))
    with pytest.raises(TypeError, match="takes neighbours for a whole model only"):
        explore.attention(q=np.ones((2, 2)), k=np.ones((2, 2)), neighbours=["a"])
    with pytest.raises(ValueError, match="neighbours= needs a model"):
        explore.attention(*bert, neighbours=["a"])


def test_a_function_with_a_name_is_still_a_function():
    e = explore.attention(lambda text: Recording(text.split(), np.ones((2, 2)), np.ones((2, 2))), text="a b")
    assert not isinstance(e, ModelExplorer)


# ── what travels ─────────────────────────────────────────────────────────────────────────────────────────────


def test_tiles_are_the_models_weights_with_the_largest_of_each_block(bert):
    e = explore.attention(Made(), text=" ".join("abcdefghijklmnopqrstuvwxyz" + "abcdefghijklmnopqrstuvwxyz"))
    levels = np.frombuffer(e.tiles, np.uint8)
    side, T = readout.TILE, 52
    assert e.tile_shapes == [[4, side, side], [4, side, side], [2, side, side]] and len(levels) == 10 * side * side
    at = 0
    for recording in e.run.layers:
        weights = recording.attend()[1]
        for head in range(recording.heads):
            cells = levels[at : at + side * side].reshape(side, side)
            at += side * side
            for row, column in [(0, 0), (3, 1), (side - 1, 0), (side - 1, side - 1), (7, 30)]:
                rows = [i for i in range(T) if i * side // T == row]
                columns = [j for j in range(T) if j * side // T == column]
                block = weights[head][np.ix_(rows, columns)]
                if recording.mask is not None and not recording.mask[np.ix_(rows, columns)].any():
                    assert cells[row, column] == 0
                else:
                    assert cells[row, column] == 1 + round(readout.LEVELS * block.max() / weights[head].max())


def test_a_small_picture_has_a_pixel_a_cell():
    e = explore.attention(Made(), text="a b c")
    assert e.tile_shapes == [[4, 3, 3], [4, 3, 3], [2, 3, 3]]
    assert np.frombuffer(e.tiles, np.uint8)[:9].reshape(3, 3)[0].tolist() == [1 + readout.LEVELS, 0, 0]


def test_only_the_layer_looked_at_travels_and_the_next_when_asked_for():
    e = explore.attention(Made(), text="a b c d")
    for layer, numbers in ((0, 3 * 4 * 4 * 6), (1, 3 * 4 * 4 * 6 + 4 * 4 * 4), (2, 2 * 4 * 4)):
        before = e.data_revision
        e.layer = layer
        assert e.shown_layer == layer and len(e.tensors) == 4 * numbers
        assert e.data_revision == before + (layer != e.opening_layer or before > 1)
    assert e.note == "4 words bare"
    assert len(e.model.asked) == 1  # the model ran once


def test_seventy_two_heads_of_64_tokens_stay_below_two_megabytes():
    from course.bench.explorer_bytes import size_of

    e = explore.attention(ManyHeads(6), text=" ".join(["word"] * 64))
    state = e.get_state()
    code = [state.pop(name) for name in ("_esm", "_css")]
    assert size_of(state) < 0.6e6 and size_of(state) + sum(map(len, code)) + len(e.png()) < 2e6
    e = explore.attention(ManyHeads(6), text=" ".join(["word"] * 512))
    assert size_of(e.get_state()) < 15e6


class ManyHeads(Made):
    def __init__(self, layers):
        super().__init__(logits=False)
        self.layers = layers

    def run(self, text, off=frozenset()):
        tokens = text.split()
        rng = np.random.default_rng(0)
        layers = [Recording(tokens, *rng.normal(size=(3, 12, len(tokens), 32))) for _ in range(self.layers)]
        names = tuple(f"layer {i + 1}" for i in range(self.layers))
        return Run(tuple(tokens), tuple(layers), names, np.ones((len(tokens), 8), np.float32), None, (False,) * len(tokens), off)


def test_weights_and_output_are_the_models_own(bert):
    e = explore.attention(*bert, text=TEXT)
    for layer, recording in enumerate(e.run.layers):
        e.layer = layer
        np.testing.assert_allclose(e.weights(), recording.weights, atol=1e-6)
        np.testing.assert_allclose(e.output(), recording.attend()[0], atol=1e-5)


PAGE = """
const state = JSON.parse(await new Promise((done) => { let text = ""; process.stdin.on("data", (d) => text += d).on("end", () => done(text)); }));
for (const name of ["tensors", "mask_bits", "pattern_numbers"]) {
    const raw = Buffer.concat([Buffer.from([0]), Buffer.from(state[name], "base64")]); // begins at an odd address
    state[name] = new DataView(raw.buffer, raw.byteOffset + 1, raw.length - 1); }
const model = { get: (name) => state[name] };
const data = new AttentionData(model);
const answer = { heads: [], marks: {} };
for (const mask of ["none", "causal", "given"]) for (const scaleOn of [true, false]) for (const temperature of [0.3, 7])
  for (let head = 0; head < data.H; head++) answer.heads.push({ mask, scaleOn, temperature, head,
    weights: Array.from(data.head(head, { temperature, scaleOn, mask }).weights), scale: data.scale({ scaleOn }), bias: data.biasAt(head, 5) });
for (const [name, { scores, baselines, best }] of Object.entries(patternMarks(model)))
  answer.marks[name] = { scores: Array.from(scores, String), baselines: Array.from(baselines, String), best };
console.log(JSON.stringify(answer));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the browser tests compare the page's numbers too")
@pytest.mark.parametrize("layer", [0, 1])
def test_the_pages_arithmetic_is_numpys_with_a_scale_and_a_bias_of_the_layers_own(layer):
    e = explore.attention(Made(), text="a [b] c a a")
    e.layer = layer
    state = {name: value for name, value in e.get_state().items() if name in ("shape", "tokens", "key_tokens", "patterns")}
    state |= {name: base64.b64encode(getattr(e, name)).decode() for name in ("tensors", "mask_bits", "pattern_numbers")}
    command = ["node", "--input-type=module", "-e", ModelExplorer._esm + PAGE]
    done = subprocess.run(command, input=json.dumps(state), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    own = e.run.layers[layer]
    for page in answer["heads"]:
        if page["mask"] == "given" and own.mask is None:
            continue
        e.mask_mode, e.scale_on, e.temperature = page["mask"], page["scaleOn"], page["temperature"]
        scale = own.scale if page["scaleOn"] else 1.0
        scores = (scale * np.einsum("htd,hsd->hts", own.q, own.k) + (0 if own.bias is None else own.bias)) / page["temperature"]
        mask = {"none": None, "causal": np.tri(5, dtype=bool), "given": own.mask}[page["mask"]]
        weights = softmax(scores if mask is None else np.where(mask, scores, -np.inf))
        np.testing.assert_allclose(e.weights(), weights, rtol=1e-5)
        np.testing.assert_allclose(np.reshape(page["weights"], (5, 5)), weights[page["head"]], rtol=1e-5)
        assert page["scale"] == pytest.approx(scale)
        assert page["bias"] == pytest.approx(0 if own.bias is None else own.bias[page["head"]].ravel()[5])
    marks, found = answer["marks"], best(e.run)
    assert list(marks) == list(PATTERNS)
    for pattern, mark in marks.items():
        for name, function in (("scores", pattern_scores), ("baselines", pattern_baselines)):
            truth = np.concatenate([function(recording, e.run.special)[pattern] for recording in e.run.layers])
            np.testing.assert_allclose(np.array(mark[name], float), truth, rtol=1e-6)
        place = found[pattern].head + 4 * found[pattern].layer if pattern in found else -1
        assert mark["best"] == place


# ── how it opens ─────────────────────────────────────────────────────────────────────────────────────────────


def test_it_opens_on_the_clearest_match_that_not_every_text_shows_and_says_why():
    e = explore.attention(Made(), text="a b c d e")
    match = max((m for p, m in best(e.run).items() if p not in readout.DULL), key=lambda m: m.score - m.baseline)
    assert (match.layer, match.head, match.pattern) == (2, 1, "previous token")
    assert (e.layer, e.head, e.opening_layer, e.opening_head) == (2, 1, 2, 1)
    assert e.why.startswith("Opens on layer 3, head 1: 1.00 of its looking goes to the previous token")
    assert "evenly would give 0.20" in e.why


def test_it_opens_on_a_weight_between_two_ordinary_words_where_there_is_one(bert):
    e = explore.attention(*bert, text=TEXT)
    last = len(e.tokens) - 1
    assert e.row != e.column and not {e.row, e.column} & {0, last}
    inner = e.run.layers[e.layer].weights[e.head][1:-1, 1:-1] * (1 - np.eye(last - 1))
    assert e.run.layers[e.layer].weights[e.head][e.row, e.column] == inner.max()
    assert (lambda e: (e.row, e.column))(explore.attention(Made(), text="a")) == (0, 0)


def test_where_no_pattern_has_a_target_it_says_so_in_bits():
    e = explore.attention(Made(), text="a")
    assert "depends most on the word that asks (0.00 bits)" in e.why


# ── heads switched off ───────────────────────────────────────────────────────────────────────────────────────


def test_switched_off_heads_change_what_a_direct_computation_says(masked):
    made, tokenizer = masked
    e = explore.attention(made, tokenizer, text=TEXT)
    assert e.effect == {}
    off, e.row = [(0, 1), (2, 2)], 3
    e.off = [list(pair) for pair in off]
    changed = little_models.without(made, little_models.BERT_OUT, off, 3)
    ids = little_models.needed("torch").tensor([tokenizer(TEXT)["input_ids"]])
    for part, direct in zip(e.effect["top"], (made, changed)):
        p = softmax(little_models.forward(direct, ids).logits[0, 3].double().numpy())
        order = np.argsort(-p)[:5]
        np.testing.assert_allclose([share for _, share in part], p[order], atol=1e-5)
        assert [token for token, _ in part] == [tokenizer.convert_ids_to_tokens(int(i)) or f"<{i}>" for i in order]
    assert e.effect["token"] == e.tokens[3] and e.effect["names"] == "layer 1 head 1, layer 3 head 2"
    assert divergence(e.run_before, e.run).max() > 0.01
    e.row = 1  # the cursor says where predictions are looked at
    assert e.effect["token"] == e.tokens[1] and e.effect["position"] == 1
    e.off = []
    assert e.effect == {} and e.run is e.run_before


def test_without_a_vocabulary_it_says_how_far_each_vector_moved(bert):
    made, tokenizer = bert
    e = explore.attention(made, tokenizer, text=TEXT)
    e.off = [[1, 0]]
    ids = little_models.needed("torch").tensor([tokenizer(TEXT)["input_ids"]])
    changed = little_models.without(made, "encoder.layer.{}.attention.output.dense", [(1, 0)], 3)
    a, b = (little_models.forward(direct, ids).last_hidden_state[0].double().numpy() for direct in (made, changed))
    direct = np.linalg.norm(b - a, axis=1) / np.linalg.norm(a, axis=1)
    assert [token for token, _ in e.effect["moved"]] == list(e.run.tokens)
    np.testing.assert_allclose([part for _, part in e.effect["moved"]], direct, atol=1e-5)
    np.testing.assert_allclose(direct, moved(e.run_before, e.run), atol=1e-5)
    assert direct.max() > 0.01


def test_the_nearest_sentences_before_are_the_encoders_own(bert):
    from course.pretrained.sentence import SentenceEncoder

    encoder = SentenceEncoder(*bert, "little", None, 20)
    near = ["my cat sat on the mat", "apples and banana", "i like to eat", "the mat , the cat .", "我 喜 欢", "苹 果"]
    e = explore.attention(encoder, text=TEXT, neighbours=near)
    e.off = [[0, 0], [0, 1]]
    cosines = encoder.encode(near) @ encoder.encode([TEXT])[0]
    before, after = e.effect["near"]
    assert [sentence for sentence, _ in before] == [near[i] for i in np.argsort(-cosines)[:5]]
    np.testing.assert_allclose([cosine for _, cosine in before], np.sort(cosines)[::-1][:5], atol=1e-5)
    changed = little_models.without(bert[0], "encoder.layer.{}.attention.output.dense", [(0, 0), (0, 1)], 3)
    direct = encoder.encode(near) @ SentenceEncoder(changed, bert[1], "changed", None, 20).encode([TEXT])[0]
    assert [sentence for sentence, _ in after] == [near[i] for i in np.argsort(-direct)[:5]]
    np.testing.assert_allclose([cosine for _, cosine in after], np.sort(direct)[::-1][:5], atol=1e-5)


def test_heads_that_cannot_be_switched_off_stay_on_and_it_says_so():
    e = explore.attention(Made(), text="a b c")
    e.off = [[0, 1]]
    revision = e.run_revision
    e.off = [[0, 1], [9, 9]]
    assert e.problem == "There is no such head." and e.off == [[0, 1]] == e.off_shown and e.run_revision == revision
    e.off = [[1, 1], [0, 2], [1, 1]]
    assert e.off == [[0, 2], [1, 1]] and e.problem == ""  # in order, each once
    with pytest.raises(traitlets.TraitError):
        e.off = [[1, 2, 3]]


def test_heads_stay_off_on_the_next_text_and_its_before_is_of_that_text():
    e = explore.attention(Made(), text="a b c")
    e.off = [[0, 1]]
    e.text = "a b c d"
    assert e.off_shown == [[0, 1]] and len(e.run_before.tokens) == len(e.run.tokens) == 4
    assert e.model.asked[-2:] == [("a b c d", frozenset()), ("a b c d", frozenset({(0, 1)}))]
    e.off = []
    assert len(e.model.asked) == 4  # the run with all heads on is known already


# ── a mask drawn by hand ─────────────────────────────────────────────────────────────────────────────────────


def test_a_mask_drawn_by_hand_acts_on_the_picture_and_not_on_the_model():
    e = explore.attention(Made(), text="a b c d")
    e.layer = 0
    mask = np.ones((4, 4), dtype=bool)
    mask[2, 1] = mask[3] = False
    e.drawn = mask
    assert e.closed == [9, 12, 13, 14, 15] and (e.drawn == mask).all() and e.mask_mode == "given"
    e.mask_mode = "draw"
    own = e.run.layers[0]
    np.testing.assert_allclose(e.weights(), softmax(np.where(mask, own.scores(), -np.inf)), rtol=1e-9)
    assert (e.weights()[:, 3] == 0).all() and (e.mask() == mask).all() and len(e.model.asked) == 1
    e.set_state({"closed": [5, 99, 5, -1]})
    assert e.closed == [5]
    e.layer = 1  # the same words: it stays
    assert e.closed == [5]
    e.text = "a b d c"
    assert e.closed == [] and e.drawn.all()
    with pytest.raises(ValueError, match=r"bool array of shape \(4, 4\)"):
        e.drawn = np.ones((4, 4))


def test_a_layer_with_a_mask_is_shown_under_it_whichever_was_seen_before():
    e = explore.attention(Made(), text="a b c d")
    assert e.layer == 2 and e.mask_mode == "none"
    e.layer = 0
    assert e.mask_mode == "given" and e.weights()[0, 0, 1] == 0
    e.layer = 1
    assert e.mask_mode == "none"


# ── a second head beside the first ───────────────────────────────────────────────────────────────────────────


def assert_beside_is(e, weights, title, tokens):
    assert e.beside["title"] == title and e.beside["tokens"] == tokens
    np.testing.assert_allclose(np.frombuffer(e.beside_weights, "<f4").reshape(len(tokens), -1), weights, rtol=1e-6)


def test_a_pinned_head_stays_while_another_is_chosen():
    e = explore.attention(Made(), text="a b c")
    assert e.beside == {}
    e.pin = [0, 3]
    for text in ("a b c", "a b c d"):
        e.text, e.layer, e.head, e.temperature = text, 1, 2, 5.0
        assert_beside_is(e, e.run.layers[0].attend()[1][3], "pinned: layer 1 · head 3, as the model has it", text.split())
        mask = np.frombuffer(e.beside_mask, np.uint8).reshape(len(text.split()), -1)
        assert e.beside["masked"] and (mask == np.tri(len(mask))).all()
    with pytest.raises(traitlets.TraitError, match="of a head there is"):
        e.pin = [2, 2]
    assert e.pin == [0, 3]
    e.pin = []
    assert e.beside == {} and e.beside_weights == b""


def test_the_same_head_on_a_second_text_with_the_same_heads_off():
    e = explore.attention(Made(), text="a b c", text2="d e")
    e.layer, e.head = 1, 2
    second = e.model.run("d e").layers[1].attend()[1][2]
    assert_beside_is(e, second, "layer 2 · head 2 on the second text", ["d", "e"])
    runs = len(e.model.asked)
    e.head = 1
    assert_beside_is(e, e.model.run("d e").layers[1].attend()[1][1], "layer 2 · head 1 on the second text", ["d", "e"])
    assert len(e.model.asked) == runs + 1  # the test's own
    e.off = [[0, 0]]
    assert e.model.asked[-1] == ("d e", frozenset({(0, 0)}))
    e.text2 = "?"
    assert "raised KeyError" in e.problem and e.beside == {} and e.tokens == ["a", "b", "c"]
    e.text2 = ""
    assert e.problem == "" and e.beside == {}


def test_two_models_on_one_text(bert):
    e = explore.attention(Made(), text="i like apples", compare=bert)
    e.layer, e.head = 2, 1
    run = e.compare.run("i like apples")
    assert_beside_is(e, run.layers[2].weights[1], "layer 3 · head 1 of BertModel", list(run.tokens))
    e.text = "my cat"
    run = e.compare.run("my cat")
    assert_beside_is(e, run.layers[2].weights[1], "layer 3 · head 1 of BertModel", list(run.tokens))
    with pytest.raises(ValueError, match="A model to look into"):
        explore.attention(Made(), text="a b", compare=3)


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_of_the_page_is_one_run_and_its_answer_names_it():
    e = explore.attention(Made(), text="a b c")
    e.set_state({"text": "d e", "off": [[1, 2]], "request": 5})
    assert e.answered == 5 and e.tokens == ["d", "e"] and e.off_shown == [[1, 2]]
    assert [text for text, _ in e.model.asked] == ["a b c", "d e", "d e"]
    e.set_state({"request": 6})
    assert e.answered == 6


def test_a_text_that_fails_speaks_and_the_last_picture_stays():
    e = explore.attention(Made(), text="a b c")
    e.set_state({"text": " ", "request": 1})
    assert e.problem == "This text has 0 tokens." and e.tokens == ["a", "b", "c"] and e.answered == 1
    e.text = "?"
    assert e.problem == "The model raised KeyError: '?'"
    e.text = "a b"
    assert e.problem == "" and e.tokens == ["a", "b"]


def test_a_late_word_of_the_page_is_bent_to_what_there_is():
    e = explore.attention(Made(), text="a b c")
    e.set_state({"layer": 40, "head": 9})
    assert (e.layer, e.head) == (2, 1)
    with pytest.raises(traitlets.TraitError, match="layer must lie between 0 and 2, counted from 0, got 3"):
        e.layer = 3
    with pytest.raises(traitlets.TraitError, match="pattern is one of previous token"):
        e.pattern = "rhyme"


def test_first_text_without_tokens_then_one_with():
    e = explore.attention(Made(), text="")
    assert e.problem == "This text has 0 tokens." and repr(e) == "attention explorer: no picture yet"
    assert isinstance(e.figure(), Figure)
    e.text = "a b c"
    assert e.problem == "" and e.layer == 2 and e.why


# ── odd texts ────────────────────────────────────────────────────────────────────────────────────────────────


def odd_texts():
    """300 texts that a keyboard, a clipboard or malice may send."""
    seeds = ["", " ", "\n\t ", "\0\1\x1b[31m", "<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "{x}", "{0}{}",
             "%s%n", "$\\frac{1}{0}$", "👩‍👩‍👧‍👦🏳️‍🌈👍🏽", "مرحبا بالعالم", "\u202eabc\u202c", "é̂̃̄" * 9, "\ud800", "a\udc00b", "\ufeff", "苹果和香蕉",
             "[CLS] [SEP] [MASK] [PAD]", "##s ##s", "'; DROP TABLE heads; --", "i" * 3000, "i like " * 900, "\u2028\u2029", "ﷺ" * 40]  # fmt: skip
    rng = np.random.default_rng(0)
    alphabet = [*"abc i,.[]#<>&\"'{}$\\/\n\t\0", *seeds[10], "苹", "\ud83d", "\u200d", "\u0301", "ا", "\ue000", "\U0010ffff"]
    made = ["".join(rng.choice(alphabet, size=int(rng.integers(1, 60)))) for _ in range(299 - len(seeds))]
    return [*seeds, "x" * 100_000, *made]


def test_three_hundred_odd_texts_are_read_out_or_refused_in_a_sentence(bert):
    e = explore.attention(*bert, text=TEXT)
    texts = odd_texts()
    assert len(texts) == 300
    for number, text in enumerate(texts, 1):
        e.set_state({"text": text, "request": number})
        assert e.answered == number
        sent = json.dumps({name: value for name, value in e.get_state().items() if not isinstance(value, bytes)}, default=str)
        sent.encode()  # what a lone surrogate would refuse
        json.dumps([e.tokens, e.text], ensure_ascii=False).encode()
        nothing = not bert[1].tokenize(readout_text(text))
        assert e.problem == ("This text has 0 tokens." if nothing else "")
        if nothing:
            continue
        np.testing.assert_allclose(e.weights().sum(-1), 1, atol=1e-6)
        expected = bert[1](readout_text(text), truncation=True, max_length=20)["input_ids"]
        assert len(e.tokens) == len(expected) and e.tokens[0] == "[CLS]"
        if bert[1].unk_token_id in expected:
            assert "unknown to this model" in e.note
        if len(bert[1](readout_text(text))["input_ids"]) > 20:
            assert "this model reads 20" in e.note
    assert isinstance(e.figure(), Figure)


def readout_text(text):
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


# ── without a kernel ─────────────────────────────────────────────────────────────────────────────────────────


def test_line_and_picture_say_the_same_for_the_same_state(bert, tmp_path):
    e = explore.attention(*bert, text=TEXT, title="tiny")
    e.off = [[1, 2]]
    e.layer, e.head = 2, 0
    tokens = len(e.tokens)
    assert repr(e) == f"attention explorer: 3 layers of 3 heads, {tokens} tokens; shown is layer 3, head 0; off: layer 2 head 2"
    figure = e.figure()
    assert len(figure.axes) == 3  # overview, large head, colour bar: not one for each head
    assert "tiny" in figure.axes[0].get_title(loc="left") and len(figure.axes[0].images) == 1
    assert [figure.axes[0].get_title(loc=loc) + figure.axes[1].get_title(loc=loc) for loc in ("left", "center", "right")] != [""] * 3
    np.testing.assert_allclose(figure.axes[1].images[0].get_array(), e.weights()[0])
    e.save(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    data, _ = e._repr_mimebundle_()
    assert {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"} <= set(data)


def test_the_mosaic_shows_each_tile_in_its_place_and_pales_what_is_off():
    e = explore.attention(Made(), text="a b c d")
    e.off = [[1, 2]]
    picture = mosaic(e, side=4)  # a pixel a cell, one between tiles
    assert picture.shape == (3 * 5, 4 * 5, 4)
    previous = picture[10:14, 5:9]  # layer 3, head 1 looks at the previous word
    bright = previous[..., 0] > 0.9
    assert bright.tolist() == np.eye(4, k=-1).astype(bool).tolist() or bright[0, 0]
    assert (picture[10:14, 10:20] == 0).all()  # layer 3 has two heads
    assert picture[5, 10, 3] < 0.5 and picture[5, 5, 3] == 1


def test_tiles_sorted_by_a_pattern_begin_with_the_best_and_end_with_those_without_a_target(bert):
    e = explore.attention(*bert, text=TEXT)
    by_layers = [(layer, head) for layer in range(3) for head in range(3)]
    assert e.sequence() == by_layers
    e.tile_order = "pattern"
    assert e.sequence() == by_layers  # by no pattern
    for e.pattern in PATTERNS:
        above = {}
        for layer, recording in enumerate(e.run.layers):
            scores, baselines = (f(recording, e.run.special)[e.pattern] for f in (pattern_scores, pattern_baselines))
            above |= {(layer, head): np.float32(scores[head]) - np.float64(np.float32(baselines[head])) for head in range(3)}
        if np.isnan(list(above.values())).any():  # nowhere in this text
            assert e.pattern == "same word" and e.sequence() == by_layers
            continue
        found = [above[place] for place in e.sequence()]
        assert sorted(e.sequence()) == by_layers and found == sorted(found, reverse=True) and found[0] > found[-1]
        assert e.sequence()[0] == (best(e.run)[e.pattern].layer, best(e.run)[e.pattern].head)
    with pytest.raises(traitlets.TraitError):
        e.tile_order = "rhyme"


def test_of_equal_heads_the_one_in_the_earlier_layer_comes_first():
    e = explore.attention(Made(), text="a b c d")
    even = explore.attention(Made(), text="a")
    even.tile_order, even.pattern = "pattern", "itself"  # one token: every head looks at itself alone
    assert even.sequence() == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1)]
    e.tile_order, e.pattern = "pattern", "previous token"
    assert e.sequence()[0] == (2, 1)  # by construction
    picture = mosaic(e, side=4)
    assert picture.shape == (3 * 5, 4 * 5, 4)  # ten tiles, four in a line
    assert np.argwhere(picture[0:4, 0:4, 0] > 0.9)[-3:].tolist() == [[1, 0], [2, 1], [3, 2]]
    assert (picture[10:14, 10:] == 0).all() and "first layer 3 · head 1" in e.figure().axes[0].get_title(loc="left")
