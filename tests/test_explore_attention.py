"""The attention explorer's Python side: the numbers, the state, the learner's own attention, errors as sentences."""

import base64
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
import traitlets

from course import explore
from course.blocks.attention import attention, causal_mask, softmax
from course.explore.attention_explorer import MOST_TOKENS, AttentionExplorer
from course.explore.attention_figure import nice_top
from course.lens.recording import Recording

H, T, D = 3, 6, 4
WORDS = "我 喜欢 吃 苹果 和 香蕉".split()
rng = np.random.default_rng(0)
q, k, v = ((1.5 * rng.normal(size=(H, T, D))).astype(np.float32).astype(float) for _ in range(3))
MASK = causal_mask(T)
MASK[3] = False  # a row with nothing to look at


def make(**changes):
    return explore.attention(**(dict(q=q, k=k, v=v, tokens=WORDS) | changes))


# ── the numbers ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("temperature", [0.3, 1.0, 7.0])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("mode", ["none", "causal", "given"])
def test_weights_and_output_are_attentions(temperature, scale, mode):
    e = make(mask=MASK)
    e.temperature, e.scale_on, e.mask_mode = temperature, scale, mode
    mask = {"none": None, "causal": causal_mask(T), "given": MASK}[mode]
    scores = np.einsum("htd,hsd->hts", q, k) / (np.sqrt(D) if scale else 1) / temperature
    weights = softmax(scores if mask is None else np.where(mask, scores, -np.inf))
    np.testing.assert_allclose(e.weights(), weights, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(e.output(), weights @ v, rtol=1e-12, atol=1e-15)
    if mode == "given":
        assert (e.weights()[:, 3] == 0).all()


def test_a_mask_for_each_head():
    masks = np.stack([causal_mask(T), np.ones((T, T), bool), np.eye(T, dtype=bool)])
    e = make(mask=masks)
    assert e.mask_mode == "given"  # a mask that is given holds from the start
    np.testing.assert_allclose(e.weights(), attention(q, k, v, masks)[1], rtol=1e-12)


def test_queries_and_keys_of_different_texts():
    e = explore.attention(q=q[:, :2], k=k, tokens=(["a", "b"], WORDS))
    np.testing.assert_allclose(e.weights(), attention(q[:, :2], k, k)[1], rtol=1e-12)
    assert e.tokens == ["a", "b"] and e.key_tokens == WORDS and e.output() is None


def test_what_travels_to_the_page_is_what_python_has():
    e = make(mask=MASK)
    numbers = np.frombuffer(e.tensors, "<f4")
    np.testing.assert_array_equal(numbers, np.concatenate([a.astype(np.float32).ravel() for a in (q, k, v)]))
    np.testing.assert_array_equal(np.frombuffer(e.mask_bits, np.uint8).reshape(T, T), MASK)
    assert e.shape == dict(heads=H, rows=T, columns=T, has_scores=True, width=D, value_width=D, mask_heads=1)


def test_seventy_two_heads_of_256_tokens_stay_small():
    """Queries and keys travel, not weights, and as bytes: 4.7 MB where weights would be 18.9."""
    e = explore.attention(q=rng.normal(size=(72, 256, 32)), k=rng.normal(size=(72, 256, 32)))
    state = e.get_state()
    size = sum(len(value) for value in state.values() if isinstance(value, bytes))
    rest = len(json.dumps({name: value for name, value in state.items() if not isinstance(value, bytes)}))
    assert size == 72 * 2 * 256 * 32 * 4 and size + rest < 10e6


PAGE = """
const state = JSON.parse(await new Promise((done) => { let text = ""; process.stdin.on("data", (d) => text += d).on("end", () => done(text)); }));
for (const name of ["tensors", "mask_bits"]) {
    const raw = Buffer.concat([Buffer.from([0]), Buffer.from(state[name], "base64")]); // begins at an odd address
    state[name] = new DataView(raw.buffer, raw.byteOffset + 1, raw.length - 1); }
const data = new AttentionData({ get: (name) => state[name] });
const answer = [];
for (const mask of ["none", "causal", "given"]) for (const scaleOn of [true, false]) for (const temperature of [0.3, 1, 7])
  for (let head = 0; head < data.H; head++) {
    const shown = data.head(head, { temperature, scaleOn, mask });
    answer.push({ mask, scaleOn, temperature, head, weights: Array.from(shown.weights), nothing: Array.from(shown.nothing), top: shown.top,
      products: Array.from(data.headProducts(head)), outputs: Array.from({ length: data.T }, (_, i) => Array.from(data.output(head, shown, i))),
      row: data.rowFacts(shown, 1), all: data.headFacts(shown) });
  }
console.log(JSON.stringify(answer));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the browser tests compare the page's numbers too")
@pytest.mark.parametrize("mask", [MASK, np.stack([causal_mask(T), MASK, MASK.T])], ids=["one mask", "a mask a head"])
def test_the_pages_arithmetic_is_numpys_in_every_cell(mask):
    e = make(mask=mask)
    state = {name: value for name, value in e.get_state().items() if name in ("shape", "tokens", "key_tokens")}
    state |= {name: base64.b64encode(getattr(e, name)).decode() for name in ("tensors", "mask_bits")}
    code = AttentionExplorer._esm + PAGE
    done = subprocess.run(["node", "--input-type=module", "-e", code], input=json.dumps(state), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == 3 * 2 * 3 * H
    for page in answers:
        e.mask_mode, e.scale_on, e.temperature = page["mask"], page["scaleOn"], page["temperature"]
        head = page["head"]
        weights = e.weights()[head]
        np.testing.assert_allclose(np.reshape(page["weights"], (T, T)), weights, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(np.reshape(page["products"], (T, T)), q[head] @ k[head].T, rtol=1e-12)
        np.testing.assert_allclose(page["outputs"], e.output()[head], rtol=1e-9, atol=1e-12)
        assert page["nothing"] == (~weights.any(-1)).astype(int).tolist() and page["top"] == pytest.approx(weights.max())
        bits = -(weights * np.log2(np.where(weights > 0, weights, 1))).sum(-1)
        far = (weights * np.abs(np.subtract.outer(np.arange(T), np.arange(T)))).sum(-1)
        some = weights.any(-1)
        assert page["row"] == pytest.approx({"bits": bits[1], "distance": far[1]})
        assert page["all"] == pytest.approx({"bits": bits[some].mean(), "distance": far[some].mean()})


# ── how it opens ─────────────────────────────────────────────────────────────────────────────────────────────


def test_opens_on_the_head_that_depends_most_on_who_looks_and_says_so():
    weights = np.stack([np.full((T, T), 1 / T), np.eye(T)[(np.arange(T) - 1) % T], np.tile(np.eye(T)[0], (T, 1))])
    e = explore.attention(weights=weights, tokens=WORDS)
    assert e.head == e.opening_head == 1
    assert f"head 1: of all heads, where it looks depends most on the word that asks ({np.log2(T):.2f} bits)" in e.why
    assert (e.row - e.column) % T == 1  # on one of its weights


def test_opens_on_the_largest_weight_off_the_diagonal():
    weights = np.full((T, T), 0.01) + 0.9 * np.eye(T)
    weights[4, 2] = 0.5
    assert (lambda e: (e.head, e.row, e.column, e.why))(explore.attention(weights=weights, tokens=WORDS)) == (0, 4, 2, "")


# ── state ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name, value, sentence", [
    ("row", 6, "row must lie between 0 and 5, got 6"), ("column", -1, "column must lie between 0 and 5, got -1"),
    ("head", 3, "head must lie between 0 and 2"), ("temperature", 0.0, "above 0, got 0.0"), ("temperature", -1, "above 0"),
    ("mask_mode", "given", "needs a mask, and none was given"), ("mask_mode", "sideways", "sideways"),
])  # fmt: skip
def test_impossible_states_are_refused(name, value, sentence):
    e = make()
    before = getattr(e, name)
    with pytest.raises(traitlets.TraitError, match=sentence):
        setattr(e, name, value)
    assert getattr(e, name) == before


def test_causal_needs_one_text():
    with pytest.raises(traitlets.TraitError, match="as many queries as keys, got 2 and 6"):
        explore.attention(q=q[:, :2], k=k, tokens=(["a", "b"], WORDS)).mask_mode = "causal"


def test_a_late_word_of_the_page_about_a_gone_text_is_bent_to_what_there_is():
    e = make()
    e.set_state({"row": 40, "column": -2, "head": 99, "temperature": 2.0})
    assert (e.row, e.column, e.head, e.temperature) == (5, 0, 2, 2.0)


# ── a function of the text ───────────────────────────────────────────────────────────────────────────────────


def vectors(text):
    if "!" in text:
        raise KeyError("no vector for !")
    tokens = text.split()
    one = np.arange(1.0, len(tokens) + 1)[:, None] * [1.0, -1.0]
    return Recording(tokens, one, one[::-1], note=f"{len(tokens)} words") if text != "?" else "not a recording"


def test_a_function_runs_again_for_each_text():
    e = explore.attention(vectors, text="a b c")
    assert e.can_type and e.tokens == ["a", "b", "c"] and e.note == "3 words"
    e.row, e.column, e.mask_mode = 2, 2, "causal"
    e.text = "x y"
    assert e.tokens == ["x", "y"] and (e.row, e.column, e.mask_mode) == (1, 1, "causal")
    one = np.array([[1.0, -1.0], [2.0, -2.0]])
    np.testing.assert_allclose(e.weights()[0], attention(one, one[::-1], one, causal_mask(2))[1], rtol=1e-6)


def test_the_answer_names_the_request_it_answers():
    """What the page sends: text and request in one message; it draws only the answer to its newest request."""
    seen = []
    e = explore.attention(lambda text: seen.append(text) or vectors(text), text="a")
    e.set_state({"text": "a b", "request": 4})
    assert e.answered == 4 and e.tokens == ["a", "b"] and seen == ["a", "a b"]
    e.set_state({"text": "a b", "request": 5})  # typed away and back: same text, yet an answer is waited for
    assert e.answered == 5


def test_a_failing_function_speaks_and_the_last_picture_stays():
    e = explore.attention(vectors, text="a b")
    revision, weights = e.data_revision, e.weights()
    for text, sentence in (("a !", "Your function of the text raised KeyError: 'no vector for !'"), ("", "This text has 0 tokens."),
                           ("?", "must return a Recording, it returned str")):  # fmt: skip
        e.set_state({"text": text, "request": e.request + 1})
        assert sentence in e.problem and "\n" not in e.problem and "Traceback" not in e.problem
        assert e.data_revision == revision and e.tokens == ["a", "b"] and e.answered == e.request
        np.testing.assert_array_equal(e.weights(), weights)
    e.text = "c"
    assert e.problem == "" and e.tokens == ["c"]


def test_failing_on_the_first_text():
    e = explore.attention(vectors, text="!")
    assert "no vector for !" in e.problem and e.data_revision == 0
    data, _ = e._repr_mimebundle_()
    assert data["text/plain"] == "attention explorer: no picture yet" and base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no vector for !"):
        e.weights()
    e.text = "a b"
    assert e.problem == "" and e.weights().shape == (1, 2, 2)


def test_long_texts_are_cut_and_it_says_so():
    words = [str(i) for i in range(MOST_TOKENS + 88)]
    long = rng.normal(size=(len(words), D))
    e = explore.attention(q=long, k=long, tokens=words)
    assert len(e.tokens) == MOST_TOKENS and e.weights().shape == (1, MOST_TOKENS, MOST_TOKENS)
    assert e.note == f"{MOST_TOKENS + 88} tokens: showing the first {MOST_TOKENS}."


# ── the learner's own attention ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("temperature, scale, mode", [(1.0, True, "none"), (3.0, False, "causal"), (0.5, False, "given")])
def test_their_attention_agrees_in_every_state(temperature, scale, mode):
    e = make(use=attention, mask=MASK)
    e.temperature, e.scale_on, e.mask_mode = temperature, scale, mode
    plain = make(mask=MASK)
    plain.temperature, plain.scale_on, plain.mask_mode = temperature, scale, mode
    np.testing.assert_allclose(e.weights(), plain.weights(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.frombuffer(e.theirs, "<f4").reshape(H, T, T), plain.weights(), atol=1e-6)
    assert "agrees with the course's" in e.verdict and e.problem == ""
    assert e.theirs_state == dict(temperature=temperature, scale_on=scale, mask_mode=mode)


def test_it_is_their_function_that_is_shown_and_called_with_plain_matrices():
    shapes = []

    def theirs(q, k, v, mask=None):
        shapes.append((q.shape, k.shape, v.shape, None if mask is None else mask.shape))
        weights = np.full((len(q), len(k)), 1 / len(k))
        return weights @ v, weights

    e = make(use=theirs, mask=MASK)
    assert shapes == [((T, D), (T, D), (T, D), (T, T))] * H
    np.testing.assert_allclose(e.weights(), 1 / T)


def test_a_difference_is_named_with_its_place():
    def unscaled(q, k, v, mask=None):
        weights = softmax(q @ k.T)
        return weights @ v, weights

    e = make(use=unscaled)
    gap = np.abs(e.weights() - attention(q, k, v)[1])
    head, row, column = np.unravel_index(gap.argmax(), gap.shape)
    assert f"differs from the course's by up to {gap.max():.2g}, in head {head}, row {row}, column {column}" in e.verdict
    ours = attention(q, k, v)[1][head, row, column]
    assert f"({e.weights()[head, row, column]:.4g} where the course has {ours:.4g})" in e.verdict


def test_right_weights_but_wrong_output():
    e = make(use=lambda q, k, v, mask=None: (attention(q, k, v, mask)[0] * 2, attention(q, k, v, mask)[1]))
    biggest = np.abs(attention(q, k, v)[0])
    _, row, element = np.unravel_index(biggest.argmax(), biggest.shape)
    assert f"your output does not: it differs by up to {biggest.max():.2g}, in row {row}, element {element}" in e.verdict


BROKEN = {
    "raises": (lambda q, k, v, mask=None: q @ k, "Your attention raised ValueError: matmul"),
    "one array": (lambda q, k, v, mask=None: q, "must return (output, weights), it returned ndarray"),
    "shape": (lambda q, k, v, mask=None: (v, np.ones((2, 2))), "must have the shape (6, 6) (queries, keys), they have (2, 2)"),
    "output": (lambda q, k, v, mask=None: (v[:2], np.ones((T, T))), "output must have the shape (6, 4)"),
    "NaN": (lambda q, k, v, mask=None: (v, np.diag([np.nan] * T)), "hold 6 numbers that are not finite (NaN or infinite), the first in row 0, column 0"),
}  # fmt: skip


@pytest.mark.parametrize("theirs, sentence", BROKEN.values(), ids=BROKEN)
def test_broken_attention_speaks_in_one_sentence(theirs, sentence):
    e = make(use=theirs)
    assert sentence in e.problem and "Traceback" not in e.problem and e.theirs_revision == 0


def test_attention_that_breaks_later_keeps_the_last_picture():
    def fragile(q, k, v, mask=None):
        if mask is not None:
            raise RuntimeError("I forgot the mask")
        return attention(q, k, v)

    e = make(use=fragile)
    before = e.theirs
    e.mask_mode = "causal"
    assert e.problem == "Your attention raised RuntimeError: I forgot the mask" and e.theirs == before
    e.mask_mode = "none"
    assert e.problem == ""


# ── weights alone ────────────────────────────────────────────────────────────────────────────────────────────


def test_weights_alone_are_shown_as_they_are():
    weights = softmax(rng.normal(size=(H, T, T))).astype(np.float32)
    e = explore.attention(weights=weights, tokens=WORDS)
    assert not e.shape["has_scores"] and e.note == ""
    np.testing.assert_array_equal(e.weights(), weights)
    np.testing.assert_array_equal(np.frombuffer(e.tensors, "<f4").reshape(H, T, T), weights)


def test_weights_that_are_no_shares_are_remarked():
    weights = softmax(rng.normal(size=(H, T, T)))
    weights[1, 2] *= 2
    weights[0, 0] = 0  # a row with nothing to look at is no mistake
    assert explore.attention(weights=weights, tokens=WORDS).note == "Rows of these weights do not sum to 1 (row 2 of head 1 sums to 2)."


# ── calling it wrongly ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("arguments, sentence", [
    (dict(), "needs a function, or q= and k=, or weights="), (dict(source=3), "got int"),
    (dict(source=vectors, q=q), "either a function or arrays"), (dict(q=q), "got only q"), (dict(k=k), "got only k"),
    (dict(q=q, k=k, tokens=["a"]), "1 query tokens need as many rows of q, got 6"),
    (dict(weights=np.eye(2), use=attention), "use= needs q= and k="), (dict(mask=MASK), "needs a function"),
    (dict(weights=[1, 2]), "weights must have 2 axes"),
])  # fmt: skip
def test_wrong_calls_are_refused_in_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        explore.attention(**arguments)


# ── the picture without a kernel ─────────────────────────────────────────────────────────────────────────────


def test_bundle_repr_and_figure():
    e = make(mask=MASK)
    data, _ = e._repr_mimebundle_()
    assert data["text/plain"] == repr(e) == "attention explorer: 6 queries, 6 keys, 3 heads"
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    mosaic, heat = e.figure().axes[:2]
    np.testing.assert_allclose(heat.images[0].get_array(), e.weights()[e.head])
    assert [text.get_text() for text in heat.get_xticklabels()] == WORDS
    e.head, e.temperature = (e.head + 1) % H, 3.0
    np.testing.assert_allclose(e.figure().axes[1].images[0].get_array(), e.weights()[e.head])  # the present state
    assert len(make(q=q[0], k=k[0], v=None).figure().axes) == 2  # one head: heat map and its colour bar, no mosaic


def test_every_tile_of_the_mosaic_is_its_head():
    weights = np.stack([np.eye(T), np.eye(T)[::-1], np.tri(T) / np.arange(1, T + 1)[:, None]])
    image = explore.attention(weights=weights, tokens=WORDS).figure().axes[0].images[0].get_array()
    for head, tile in enumerate(np.split(image, H, axis=1)):
        bright = tile[:T, :T, 1] > 0.8  # viridis' brightest is the only one with so much green
        np.testing.assert_array_equal(bright, weights[head] == weights[head].max())


def test_large_pictures_grey_what_is_closed():
    T = 60
    e = explore.attention(q=rng.normal(size=(T, D)), k=rng.normal(size=(T, D)), mask=causal_mask(T))
    cover = e.figure().axes[0].images[1].get_array()
    np.testing.assert_array_equal(cover[..., 3] > 0, ~causal_mask(T))


def test_hostile_tokens_survive_python():
    tokens = ["<img src=x onerror=alert(1)>", "</script>", ".net", "$x$", "\ud800", "", "x" * 200, "\x00", "👨‍👩‍👧‍👦"]
    e = explore.attention(q=rng.normal(size=(9, D)), k=rng.normal(size=(9, D)), tokens=tokens)
    assert e.tokens[:4] == tokens[:4] and e.tokens[4] == "\ufffd" and e.tokens[5:] == tokens[5:]
    json.dumps(e.get_state()["tokens"]).encode()
    assert base64.b64decode(e._repr_mimebundle_()[0]["image/png"]).startswith(b"\x89PNG")


@pytest.mark.parametrize("top, expected", [(1, 1), (0.51, 1), (0.5, 0.5), (0.2, 0.2), (0.19, 0.2), (0.1, 0.1), (0.07, 0.1), (0.03, 0.05), (0, 1)])
def test_the_colour_scale_ends_at_a_round_number(top, expected):
    assert nice_top(top) == pytest.approx(expected)


# ── sorted rows and columns ──────────────────────────────────────────────────────────────────────────────────


def test_columns_and_rows_are_sorted_by_weight_and_go_back_with_another_text():
    e = explore.attention(lambda text: Recording(q=q[:, : len(text)], k=k[:, : len(text)], tokens=list(text)), text="abcdef")
    e.head = 1
    weights = e.weights()[1]
    assert [list(order) for order in e.order()] == [list(range(T)), list(range(T))]
    e.columns_by, e.rows_by = 2, 4
    rows, columns = e.order()
    assert sorted(rows) == sorted(columns) == list(range(T))
    assert (np.diff(weights[2][columns]) <= 0).all() and (np.diff(weights[:, 4][rows]) <= 0).all()
    e.temperature = 0.1  # sorted by what is shown, whatever the controls say
    assert (np.diff(e.weights()[1][2][e.order()[1]]) <= 0).all()
    e.text = "abc"
    assert (e.columns_by, e.rows_by) == (-1, -1)
    e.columns_by = 5  # a late word of the page about a token that has gone
    assert e.columns_by == -1


def test_equal_weights_keep_text_order():
    e = explore.attention(weights=np.array([[0.2, 0.3, 0.2, 0.3], [0.25] * 4, [0.1, 0.4, 0.1, 0.4], [0.0, 0.5, 0.5, 0.0]]), tokens=list("abcd"))
    e.columns_by, e.rows_by = 0, 1
    assert [list(order) for order in e.order()] == [[3, 2, 0, 1], [1, 3, 0, 2]]


def test_the_figure_shows_the_order_with_its_names():
    e = make()
    e.head, e.columns_by, e.rows_by = 2, 1, 3
    rows, columns = e.order()
    ax = e.figure().axes[1]
    np.testing.assert_allclose(ax.images[0].get_array(), e.weights()[2][np.ix_(rows, columns)], atol=1e-12)
    assert [label.get_text() for label in ax.get_yticklabels()] == [WORDS[i] for i in rows]
    assert [label.get_text() for label in ax.get_xticklabels()] == [WORDS[j] for j in columns]
