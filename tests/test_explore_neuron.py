"""The neuron explorer: the page's numbers are Python's, what it says is so, and the picture without a kernel."""

import base64
import io
import json
import re
import shutil
import subprocess

import matplotlib.image
import numpy as np
import pytest
import torch
import traitlets

from course import explore, sentences
from course.blocks import feed_forward as by_hand
from course.blocks.feed_forward import FeedForward, GatedFeedForward
from course.explore import base, neuron_explorer
from course.lens import neurons
from course.models import GPT, GPTConfig
from course.text.tokenizer import BPETokenizer

NODE = shutil.which("node")
TEXT = "low lower lowest, I like eating apples and bananas; the apples' bananas. 我喜欢吃苹果和香蕉。吃苹果。 "
CORPUS = ["I like apples", "", "bananas and apples", "我喜欢吃香蕉", "low low low lower", "the lowest", "吃吃吃", "苹果和 apples", "x" * 200, "香蕉。"]
NAMES = ("relu", "gelu", "gelu_tanh", "silu")


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.train(TEXT * 3, 300, special_tokens=["<|endoftext|>"])


def little_gpt(tokenizer, seed=0, **settings):
    torch.manual_seed(seed)
    sizes = {"vocab_size": len(tokenizer), "context_length": 40, "d_model": 16, "n_heads": 2, "n_layers": 3}
    model = GPT(GPTConfig(**sizes | settings))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "feed_forward" in name:
                parameter += 0.3 * torch.randn(parameter.shape)
    return model


@pytest.fixture(scope="module")
def model(tokenizer):
    return little_gpt(tokenizer)


@pytest.fixture
def e(model, tokenizer):
    return explore.neuron(model, tokenizer, corpus=CORPUS)


def run_page(expression: str):
    """What an expression gives in node, where the page's functions are."""
    if NODE is None:
        pytest.skip("node is not installed; the browser tests cover the page as well")
    code = f"{base.module('tokens_bpe.js', 'neuron_numbers.js')}\nconsole.log(JSON.stringify({expression}));"
    done = subprocess.run([NODE, "--input-type=module", "-"], input=code, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


# ── the page's arithmetic ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_the_pages_bends_are_those_by_hand(name):
    z = np.concatenate([np.linspace(-12, 12, 961), [1e-12, -1e-12, 300, -300, 8.4852, -8.4853]])
    found = run_page(f"{z.tolist()}.map(BENDS[{name!r}])")
    np.testing.assert_allclose(found, getattr(by_hand, name)(z), rtol=0, atol=1e-13)
    assert run_page("Object.keys(BENDS)") == list(neuron_explorer.ACTIVATIONS) == list(by_hand.ACTIVATIONS)


def test_columns_and_the_order_of_neurons():
    table = np.random.default_rng(0).normal(size=(7, 30)).astype(np.float32)
    table[:, 9] = table[:, 4]  # of equals the smaller comes first
    flat = f"Float32Array.from({table.ravel().tolist()})"
    np.testing.assert_allclose(np.array(run_page(f"Array.from(column({flat}, 30, 11))"), float), table[:, 11])
    order = run_page(f"byLargest({flat}, 30)")
    assert order == np.argsort(-table.max(0), kind="stable").tolist() and order.index(9) == order.index(4) + 1
    assert run_page("[markStep(3), markStep(4), markStep(7), markStep(0.9), markStep(40)]") == [1, 2, 5, 0.5, 20]
    assert run_page("[around(5, 0, 30, 3), around(1, 0, 30, 3), around(29, 10, 30, 3), around(11, 10, 30, 3)]") == [[2, 9], [0, 5], [26, 30], [10, 15]]


def test_halves_of_characters_are_whole_again(e, tokenizer):
    ids = tokenizer.encode("喜欢吃 香𠀀é\x01") + [tokenizer.encode("喜")[0]] + tokenizer.encode("a<|endoftext|>") + [0xFF % 256]
    names = [[*e.subject.name(id), e.subject.halves(id)] for id in ids]
    for end in range(len(ids) + 1):
        assert run_page(f"joined({json.dumps(names[:end])})") == e.subject.spell(ids[:end])
    assert e.subject.spell(tokenizer.encode("喜欢吃 香𠀀é")) == "喜欢吃 香𠀀é"
    assert e.subject.spell(tokenizer.encode("𠀀")[:-1]).endswith("0xA0><0x80>") or len(tokenizer.encode("𠀀")) == 1


def test_what_travels_is_what_python_has(e, model, tokenizer):
    for layer in (0, 2, 1):
        e.layer = layer
        pre = np.frombuffer(e.pre, "<f4").reshape(-1, e.width)
        np.testing.assert_array_equal(pre, neurons.pre_activations(model, tokenizer.encode(e.text), layer))
        np.testing.assert_array_equal(np.frombuffer(e.bias, "<f4"), neurons.biases(model.blocks[layer].feed_forward))
        texts = [ids for one in CORPUS if (ids := tokenizer.encode(one)[:40])]
        peaks = neurons.peaks(model, texts, layer)
        places = np.frombuffer(e.peak_places, "<i4").reshape(e.width, -1, 2)
        np.testing.assert_array_equal(places, np.stack([peaks.texts, peaks.positions], -1))
        np.testing.assert_array_equal(np.frombuffer(e.peak_z, "<f4").reshape(e.width, -1), peaks.z)
        ends = neurons.extremes(model, layer)
        np.testing.assert_array_equal(np.frombuffer(e.said_ids, "<u4").reshape(e.width, 2, -1), np.stack([ends.raised, ends.lowered], 1))
        np.testing.assert_array_equal(np.frombuffer(e.said, "<f4").reshape(e.width, 2, -1), np.stack([ends.raised_by, ends.lowered_by], 1))
        corpus = np.frombuffer(e.corpus, "<u4")
        assert e.starts[-1] == len(corpus) and len(e.starts) == len(CORPUS)  # one text has no tokens
        for text, place in places[places[..., 0] >= 0]:
            assert corpus[e.starts[text] + place] == texts[text][place]
        shown = {*map(str, corpus), *map(str, np.frombuffer(e.said_ids, "<u4"))}
        assert shown <= set(e.names) and all(e.names[id][0] == e.subject.name(int(id))[0] for id in shown)


def test_at_first_less_than_two_megabytes_travel_for_a_layer_as_wide_as_gpt_2s():
    torch.manual_seed(0)

    class Numbers:
        def encode(self, text):
            return [ord(c) % 50257 for c in text]

        def decode(self, ids):
            return "".join(f" word{id}" for id in ids)

    wide = GPT(GPTConfig(vocab_size=50257, context_length=64, d_model=8, n_heads=1, n_layers=1, d_ff=3072))
    e = explore.neuron(wide, Numbers(), corpus=["abcdefgh " * 10] * 20, text="I like it. " * 60)
    state = e.get_state()
    size = sum(len(value) if isinstance(value, bytes | memoryview) else len(json.dumps(value)) for name, value in state.items() if name not in ("_esm", "_css"))
    assert size < 2e6
    assert e.answer["tokens"] == 660 and len(e.tokens()) == e.pre_activations.shape[0] == 150_000 // 3072


# ── the state, as Python has it ─────────────────────────────────────────────────────────────────────────────


def test_it_opens_on_the_most_active_neuron_and_its_token(e):
    assert e.pre_activations.max() == e.pre_activations[e.token, e.neuron] == pytest.approx(e.z)
    assert e.activation == e.own == "gelu_tanh" and e.layer == 0
    assert e.value == pytest.approx(float(by_hand.gelu_tanh(e.z)), abs=1e-12)
    order = e.by_strength().tolist()
    assert order[0] == e.neuron and sorted(order) == list(range(e.width))
    for right in [*order[1:4], order[4]]:
        e.next_most_active()
        assert e.neuron == right
    e.neuron = order[-1]
    e.next_most_active()
    assert e.neuron == order[0]


def test_another_bend_changes_the_activations_and_nothing_before_it(e):
    e.token, pre = 3, e.pre_activations.copy()
    for name in NAMES:
        e.activation = name
        np.testing.assert_array_equal(e.pre_activations, pre)
        np.testing.assert_allclose(e.activations, getattr(by_hand, name)(pre))
        assert e.value == pytest.approx(e.activations[3, e.neuron]) and f"{name}: at" in e.summary()
    assert e.own == "gelu_tanh"


def test_texts_and_tokens_of_the_neuron(e, model, tokenizer):
    e.layer, e.neuron, e.activation = 1, 5, "silu"
    every = {text: by_hand.silu(neurons.pre_activations(model, tokenizer.encode(text)[:40], 1)[:, 5]) for text in CORPUS if text}
    right = sorted(every, key=lambda text: -every[text].max())[:6]
    for text, (before, token, after, value) in zip(right, e.texts()):
        assert value == pytest.approx(every[text].max(), abs=1e-6)
        ids, place = tokenizer.encode(text)[:40], int(every[text].argmax())
        assert [token] == [e.subject.spell(ids[place : place + 1])] and before == e.subject.spell(ids[:place]) and after == e.subject.spell(ids[place + 1 :])
    effects = neurons.effects(model, 1, [5])[0]
    assert [x for _, x in e.raised()] == pytest.approx(np.sort(effects)[::-1][:8]) and [x for _, x in e.lowered()] == pytest.approx(np.sort(effects)[:8])
    assert e.raised()[0][0] == e.subject.name(int(effects.argmax()))[0]


def test_a_too_large_token_is_the_last_and_bad_numbers_are_refused(e):
    e.token = 10_000
    assert e.place == len(e.tokens()) - 1 and e.z == pytest.approx(float(e.pre_activations[-1, e.neuron]))
    before = e.neuron, e.layer
    for name, value in (("neuron", 64), ("neuron", -1), ("layer", 3), ("layer", -1), ("activation", "tanh")):
        with pytest.raises(traitlets.TraitError):
            setattr(e, name, value)
    assert (e.neuron, e.layer) == before
    e.text = "a\ud800"
    assert e.text == "a\ufffd"


def test_a_text_that_fails_says_so_and_the_last_picture_stays(e):
    good, z = e.answer, e.pre_activations
    e.text = ""
    assert "no tokens" in e.problem and e.answer is good and e.answered == ["", 0] and e.pre_activations is z
    e.text = "I like"
    assert e.problem == "" and e.answer["text"] == "I like" and len(e.tokens()) == len(e.pre_activations)

    def broken(text):
        raise KeyError("no word")

    e.subject.encode = broken
    e.text = "x"
    assert e.problem == "The model or the tokenizer raised KeyError: 'no word'" and e.answer["text"] == "I like"


def test_numbers_that_are_none_are_refused(tokenizer):
    model = little_gpt(tokenizer)
    e = explore.neuron(model, tokenizer, corpus=[])
    with torch.no_grad():
        model.blocks[1].feed_forward.up.bias[3] = float("nan")
    e.layer = 1
    assert "NaN" in e.problem and e.answer["layer"] == 0 and "layer 0" in e.summary()


def test_a_model_that_was_trained_on_is_run_again(tokenizer):
    model = little_gpt(tokenizer)
    e = explore.neuron(model, tokenizer, corpus=CORPUS, neuron=0)
    before = e.pre_activations, e.texts(), e.raised()
    with torch.no_grad():
        model.blocks[0].feed_forward.up.weight *= -1
        model.blocks[0].feed_forward.down.weight *= 2
    e.refresh()
    bias = neurons.biases(model.blocks[0].feed_forward)
    np.testing.assert_allclose(e.pre_activations - bias, -(before[0] - bias), atol=1e-5)
    assert e.texts() != before[1]
    assert e.raised()[0][1] == pytest.approx(2 * before[2][0][1], rel=1e-5)


def test_a_layer_is_measured_once(e, monkeypatch):
    asked = []
    measure = e.subject.measure
    monkeypatch.setattr(e.subject, "measure", lambda texts, layer: asked.append(layer) or measure(texts, layer))
    for e.layer in (1, 0, 1, 2, 1):
        pass
    e.text = "apples"
    assert asked == [1, 2]


def test_texts_longer_than_the_model_reads_are_shown_in_part(model, tokenizer):
    e = explore.neuron(model, tokenizer, corpus=["low " * 300], text="I like apples " * 30)
    assert e.answer["tokens"] == len(tokenizer.encode(e.text)) > 40 == len(e.tokens()) and e.problem == ""
    assert e.texts()[0].before + e.texts()[0].token + e.texts()[0].after == tokenizer.decode(tokenizer.encode("low " * 300)[: neuron_explorer.CORPUS_TOKENS])


def test_without_a_corpus_the_language_reference_is_read(model, tokenizer):
    from course.text.corpus import python_docs

    e = explore.neuron(model, tokenizer)
    assert len(e.starts) == 201 and e.texts()
    found = e.texts()[0]
    assert (found.before + found.token + found.after).strip() in python_docs()
    assert explore.neuron(model, tokenizer, corpus=[]).texts() == [] and explore.neuron(model, tokenizer, corpus="one text").starts[1:] == [len(tokenizer.encode("one text"))]


def test_one_layer_with_vectors():
    torch.manual_seed(0)
    layer, x = FeedForward(4, 10, "relu"), torch.randn(5, 4)
    e = explore.neuron(layer, vectors=x, tokens=["我", "喜欢", "吃", "苹果", "</b>"], neuron=3)
    np.testing.assert_allclose(e.pre_activations, layer.up(x).detach(), atol=1e-6)
    np.testing.assert_allclose(e.activations, layer.hidden(x).detach(), atol=1e-6)
    assert e.bare and e.own == "relu" and e.tokens()[1] == "喜欢" and e.texts() == e.raised() == [] and e.starts == [0]
    assert [text.get_text() for text in e.figure().axes[1].get_xticklabels()][4] == "</b>"
    assert explore.neuron(layer, vectors=np.ones((2, 4))).tokens() == ["0", "1"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (lambda m, t: (None, t, {}), "takes a model that can be called with ids, or a FeedForward with vectors, got NoneType"),
        (lambda m, t: (GPT, t, {}), "got GPT"),
        (lambda m, t: (m, None, {}), "takes a tokenizer with encode and decode, got NoneType"),
        (lambda m, t: (m, BPETokenizer, {}), "got BPETokenizer"),
        (lambda m, t: (torch.nn.Linear(2, 2), t, {}), "must have blocks with a feed_forward each, got Linear"),
        (lambda m, t: (FeedForward(4, 8), None, {"vectors": np.ones((2, 3))}), r"must have the shape \(T, 4\) with at least one row, got \(2, 3\)"),
        (lambda m, t: (FeedForward(4, 8), None, {"vectors": np.ones((0, 4))}), "at least one row"),
        (lambda m, t: (FeedForward(4, 8), None, {"vectors": np.ones((2, 4)), "tokens": "abc"}), "3 names for 2 vectors"),
        (lambda m, t: (GatedFeedForward(4, 8), None, {"vectors": np.ones((2, 4))}), "no gate"),
    ],
    ids=["no model", "class", "no tokenizer", "tokenizer class", "no blocks", "width", "no rows", "names", "gated"],
)
def test_what_does_not_fit_is_refused_in_one_sentence(model, tokenizer, given, sentence):
    model, tokenizer, more = given(model, tokenizer)
    with pytest.raises(ValueError, match=sentence) as caught:
        explore.neuron(model, tokenizer, **more)
    assert "\n" not in str(caught.value)


def test_layers_of_different_width_are_refused(tokenizer):
    model = little_gpt(tokenizer)
    model.blocks[1].feed_forward = FeedForward(16, 5)
    with pytest.raises(ValueError, match="same number of neurons, got 5, 64"):
        explore.neuron(model, tokenizer)


# ── words and pictures ──────────────────────────────────────────────────────────────────────────────────────


def test_every_sentence_is_used_and_every_used_one_exists():
    page = "".join((base.STATIC / name).read_text(encoding="utf-8") for name in ("neuron.js", "neuron_parts.js"))
    python = "".join((base.STATIC.parent / f"neuron_{part}.py").read_text(encoding="utf-8") for part in ("explorer", "subject", "figure"))
    known = set(sentences.table("explore_neuron")["neuron"])
    on_page = set(re.findall(r"\bwords\.(\w+)", page)) | {"raised", "lowered"}
    assert on_page <= known | set(sentences.table("explore")["kit"])
    assert {name for name in known - on_page if not re.search(rf"[\"']{name}[\"']", python)} == set()


def test_the_picture_without_a_kernel(model, tokenizer):
    first, second = (explore.neuron(model, tokenizer, corpus=CORPUS) for _ in range(2))
    bundle = first._repr_mimebundle_()[0]
    assert bundle["text/plain"] == repr(first) == repr(second) and repr(first).startswith("neuron explorer: layer 0, neuron ") and not re.search("0x[0-9a-f]{6}", repr(first))
    pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert pixels.shape[1] > 1000 and pixels[..., :3].std() > 0.05
    assert bundle["image/png"] == second._repr_mimebundle_()[0]["image/png"]
    second.next_most_active()
    assert bundle["image/png"] != second._repr_mimebundle_()[0]["image/png"]


def artists(fig, gid):
    return [one for ax in fig.axes for one in ax.findobj() if str(one.get_gid() or "").startswith(gid)]


def test_the_figure_is_true_to_the_state(e):
    e.neuron, e.token, e.activation = 7, 4, "relu"
    fig = e.figure()
    bars = artists(fig, "token ")
    np.testing.assert_allclose([bar.get_height() for bar in bars], e.activations[:, 7], atol=1e-9)
    assert [bar.get_linewidth() > 1.5 for bar in bars] == [at == 4 for at in range(len(bars))]
    (chosen,) = artists(fig, "chosen")
    np.testing.assert_allclose(chosen.get_offsets()[0], [e.z, e.value])
    (bend,) = artists(fig, "bend")
    z, a = bend.get_data()
    np.testing.assert_allclose(a, np.maximum(z, 0))
    assert any("the layer's own" in text.get_text() for text in fig.axes[0].get_legend().get_texts())
    found = [text.get_text() for text in artists(fig, "activation ")]
    assert found == [f"{text.activation:.3g}" for text in e.texts()] and len(artists(fig, "switch ")) == len(found) > 0
    said = [bar.get_width() for bar in artists(fig, "said") if hasattr(bar, "get_width")] or [bar.get_width() for bar in fig.axes[3].patches]
    np.testing.assert_allclose(said, [x for _, x in e.raised()] + [x for _, x in e.lowered()][::-1])
    assert fig._suptitle.get_text() == "Layer 0, neuron 7"


def test_the_figure_of_a_long_text_shows_what_is_around_the_token(model, tokenizer):
    e = explore.neuron(model, tokenizer, corpus=[], text="low lower I like eating bananas " * 8)
    for e.token in (0, 20, 39):
        shown = [int(bar.get_gid().split()[1]) for bar in artists(e.figure(), "token ")]
        assert e.token in shown and shown == list(range(shown[0], shown[0] + 32))


def test_the_figure_without_anything_to_show(model, tokenizer):
    e = explore.neuron(model, tokenizer, corpus=[], text="")
    assert "no tokens" in e.figure().axes[0].texts[0].get_text() and e.summary() == "layer 0: no text, no activations"
    assert np.isnan(e.z) and e.place == -1
