"""The positions explorer, Python side: its numbers, sentences and pictures, and the page's arithmetic run by node."""

import base64
import io
import json
import math
import re
import shutil
import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest
import torch

from course import explore, sentences
from course.explore.base import STATIC
from course.explore.positions_explorer import KINDS, PositionsExplorer, fixed, short
from course.explore.positions_figure import hands
from course.vectors import positions as course_positions

TABLE = np.random.default_rng(3).normal(size=(20, 11))
SIZES = [(1, 2, 10.0), (7, 6, 10000.0), (64, 32, 10000.0), (5, 128, 1e6), (512, 4, 37.5)]
SIZE_IDS = [f"{T}x{d}" for T, d, _ in SIZES]


def formula(T, d_model, base):
    """The paper's formula, number by number."""
    angle = [[p / base ** (2 * (j // 2) / d_model) for j in range(d_model)] for p in range(T)]
    return np.array([[math.cos(a) if j % 2 else math.sin(a) for j, a in enumerate(row)] for row in angle])


# ── what is drawn ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("T, d_model, base", SIZES, ids=SIZE_IDS)
def test_the_matrix_is_the_formula(T, d_model, base):
    e = explore.positions(T=T, d_model=d_model, base=base)
    np.testing.assert_allclose(e.values(), formula(T, d_model, base), atol=1e-9)
    e.kind = "rotary"  # the vector (1, 0, 1, 0, …) turned: cosines first
    turned = formula(T, d_model, base).reshape(T, -1, 2)[..., ::-1].reshape(T, d_model)
    np.testing.assert_allclose(e.values(), turned, atol=1e-9)
    np.testing.assert_allclose(e.frequencies(), [base ** (-2 * i / d_model) for i in range(d_model // 2)], rtol=1e-12)


def test_a_table_is_shown_as_far_as_pairs_go():
    e = explore.positions("learned", table=torch.tensor(TABLE, requires_grad=True))
    assert (e.T, e.d_model) == (20, 10) and e.table_given  # the eleventh feature has no partner
    np.testing.assert_allclose(e.values(), TABLE[:, :10], rtol=1e-6)
    np.testing.assert_array_equal(np.frombuffer(e.table_bytes, "<f4").reshape(20, e.table_columns), TABLE[:, :10].astype(np.float32))
    assert "20 positions and 11 features" in e.table_note and e.frequencies() is None
    large = explore.positions("learned", table=np.zeros((600, 300)))
    assert (large.T, large.d_model) == (512, 128) and len(large.table_bytes) == 512 * 128 * 4
    narrow = explore.positions("learned", table=TABLE, T=4, d_model=6)
    np.testing.assert_allclose(narrow.values(), TABLE[:4, :6], rtol=1e-6)


def test_a_fresh_table_is_random_and_the_same_each_time():
    e, again = explore.positions("learned"), explore.positions("learned", T=512, d_model=128)
    np.testing.assert_array_equal(e.values(), again.values()[:64, :32])
    assert again.values().std() == pytest.approx(0.02, rel=0.02) and abs(again.values().mean()) < 1e-3
    rows = np.corrcoef(again.values())
    assert np.abs(np.diag(rows, 1)).max() < 0.5  # neighbours are strangers
    assert "standard deviation 0.02" in e.table_note and not e.table_given


def test_values_are_the_readers_own():
    for kind in KINDS:
        e = explore.positions(kind, table=TABLE, T=9, d_model=4)
        e.values()[:] = 5
        assert np.abs(e.values()).max() < 5
    own = np.full((9, 4), 0.5)
    e = explore.positions(T=9, d_model=4, use=lambda T, d: own)
    e.values()[:] = 5
    own[:] = 7  # what they write afterwards was not returned
    assert (e.values() == 0.5).all()


# ── similarity ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_similarity_is_the_dot_product_with_the_reference(kind):
    e = explore.positions(kind, T=30, d_model=12)
    e.reference = 11
    expected = [sum(a * b for a, b in zip(e.values()[11], row)) for row in e.values()]
    np.testing.assert_allclose(e.similarity(), expected, rtol=1e-12)
    np.testing.assert_allclose(e.similarity(0), e.values() @ e.values()[0], rtol=1e-12)
    if kind != "learned":
        offsets = np.arange(30) - 11
        np.testing.assert_allclose(e.similarity(), [sum(math.cos(o * f) for f in e.frequencies()) for o in offsets], atol=1e-9)


def test_only_the_offset_counts_but_in_a_random_table():
    e = explore.positions("rotary", T=40, d_model=16)
    for random in (False, True):
        np.testing.assert_allclose(e.similarity(10, random)[5:20], e.similarity(30, random)[25:40], atol=1e-9)
    assert np.abs(e.similarity(20, True)[21:40] - e.similarity(20, True)[1:20][::-1]).max() > 0.5  # the sign counts
    np.testing.assert_allclose(e.similarity(20, True)[23], _turned(e.q[:16], 20) @ _turned(e.k[:16], 23), rtol=1e-9)
    e.kind = "learned"
    assert np.abs(e.similarity(10)[5:20] - e.similarity(30)[25:40]).max() > 1e-3


def _turned(vector, position):
    """Rotary by complex numbers: each pair times e^(i·position·frequency)."""
    pairs = vector[0::2] + 1j * vector[1::2]
    turned = pairs * np.exp(1j * position * 10000.0 ** (-np.arange(0, len(vector), 2) / len(vector)))
    return np.stack([turned.real, turned.imag], -1).ravel()


# ── the page's arithmetic ────────────────────────────────────────────────────────────────────────────────────

PAGE = """
const state = JSON.parse(await new Promise((done) => { let text = ""; process.stdin.on("data", (d) => text += d).on("end", () => done(text)); }));
for (const name of ["table_bytes", "random_pair"]) {
    const raw = Buffer.concat([Buffer.from([0]), Buffer.from(state[name], "base64")]); // begins at an odd address
    state[name] = new DataView(raw.buffer, raw.byteOffset + 1, raw.length - 1); }
const model = { get: (name) => state[name] };
const both = floats(model, "random_pair");
const sources = { table: floats(model, "table_bytes"), columns: state.table_columns, q: both.subarray(0, 128), k: both.subarray(128), theirs: state.theirs };
const shown = encode(state, sources);
const all = shown.series.map((series) => { const s = spread(series, shown.T, shown.width);
  return { ...s, low: Array.from(s.low), high: Array.from(s.high), values: Array.from(similarity(series, state.reference, shown.T, shown.width)), name: series.name }; });
const hands = Array.from({ length: shown.T }, (_, p) => hand(shown, state.kind, p, state.pair));
console.log(JSON.stringify({ values: Array.from(shown.values), limit: shown.limit, frequencies: shown.frequencies && Array.from(shown.frequencies), all, hands,
  angles: hands.map((one) => angleBetween(hands[state.reference], one)), texts: state.numbers.map((x) => [short(x), fixed(x)]),
  ticks: roundTicks(...state.axis), places: Array.from({ length: shown.T }, (_, p) => plotPosition(plotX(p, shown.T, 500), shown.T, 500)) }));
"""
NUMBERS = [0, 1, -0.5, 62.83185, 0.1, -0.00133521, 1.26e-6, 6283185.3, 0.0004, -0.0004, 999.6, 19.8692, -1e-5]


def page(e, reference=0, **more):
    """What the page computes of the explorer's state, by node."""
    state = {name: getattr(e, name) for name in ("kind", "T", "d_model", "base", "table_columns")}
    state |= {name: base64.b64encode(getattr(e, name)).decode() for name in ("table_bytes", "random_pair")}
    state |= {"reference": reference, "pair": e.pair, "numbers": NUMBERS, "axis": [-0.8, 16, 4], "theirs": None, **more}
    code = PositionsExplorer._esm + PAGE
    done = subprocess.run(["node", "--input-type=module", "-e", code], input=json.dumps(state), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the browser tests compare the page's numbers too")


@needs_node
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("T, d_model, base", SIZES[:4], ids=SIZE_IDS[:4])
def test_the_pages_numbers_are_pythons(kind, T, d_model, base):
    e = explore.positions(kind, T=T, d_model=d_model, base=base)
    e.pair = d_model // 2 - 1
    reference = T // 3
    computed = page(e, reference)
    np.testing.assert_allclose(np.reshape(computed["values"], (T, d_model)), e.values(), atol=1e-9)
    names = [one["name"] for one in computed["all"]]
    assert names == {"rotary": ["same", "random"], "learned": ["learned"], "sinusoidal": ["sinusoidal"]}[kind]
    for random, one in enumerate(computed["all"]):
        np.testing.assert_allclose(one["values"], e.similarity(reference, bool(random)), rtol=1e-9, atol=1e-9)
        everything = np.array([e.similarity(r, bool(random)) for r in range(T)])  # (reference, position)
        for offset in range(1 - T, T):
            along = np.diagonal(everything, offset)
            assert one["low"][offset + T - 1] == pytest.approx(along.min(), abs=1e-9)
            assert one["high"][offset + T - 1] == pytest.approx(along.max(), abs=1e-9)
        assert one["largest"] == pytest.approx(np.abs(everything).max(), abs=1e-9)
        gaps = np.subtract(one["high"], one["low"])
        assert one["gap"] == pytest.approx(gaps.max(), abs=1e-12) and gaps[one["offset"] + T - 1] == pytest.approx(gaps.max(), abs=1e-12)
        assert one["highest"] - one["lowest"] == pytest.approx(one["gap"], abs=1e-12)
        assert (one["gap"] > 1e-5 * one["largest"]) == (kind == "learned" and T > 1)
    if kind == "learned":
        assert computed["frequencies"] is None and computed["limit"] == pytest.approx(np.abs(e.values()).max())
    else:
        np.testing.assert_allclose(computed["frequencies"], course_positions.frequencies(d_model, base), rtol=1e-12)
        assert computed["limit"] == 1


@needs_node
def test_hands_turn_as_the_frequency_says():
    for kind in ("sinusoidal", "rotary"):
        e = explore.positions(kind, T=9, d_model=8)
        e.pair = 1
        computed = page(e, reference=2)
        np.testing.assert_allclose(computed["hands"], [[math.cos(p / 10), math.sin(p / 10)] for p in range(9)], atol=1e-12)
        np.testing.assert_allclose(computed["hands"], hands(kind, e.values(), 1), atol=1e-9)
        np.testing.assert_allclose(computed["angles"], (np.arange(9) - 2) / 10, atol=1e-12)
    e = explore.positions("learned", table=[[1, 0], [0, 2], [0, 0], [-3, 0]])
    computed = page(e)
    assert computed["hands"] == [[1, 0], [0, 2], [0, 0], [-3, 0]] == hands("learned", e.values(), 0).tolist()
    assert computed["angles"] == [0, pytest.approx(math.pi / 2), None, pytest.approx(math.pi)]


@needs_node
def test_the_learners_numbers_are_drawn_as_they_are():
    e = explore.positions(T=3, d_model=2)
    computed = page(e, theirs={"values": [0, 1, 2, 3], "T": 2, "width": 2})
    assert computed["values"] == [0, 1, 2, 3] and computed["limit"] == 3
    assert computed["all"][0]["values"] == [1, 3]  # (0, 1) times each row
    e.kind = "rotary"
    assert len(page(e, theirs=None)["values"]) == 6


@needs_node
def test_numbers_read_alike_on_page_and_in_python():
    computed = page(explore.positions(T=50))
    assert computed["texts"] == [[short(x), fixed(x)] for x in NUMBERS]
    said = dict(zip(NUMBERS, computed["texts"]))
    assert said[62.83185] == ["62.8", "62.832"] and said[-0.00133521][0] == "−0.00134" and said[6283185.3][0] == "6280000"
    assert said[-0.0004] == ["−0.0004", "0.000"] and said[0.1][0] == "0.1" and said[1.26e-6][0] == "0.00000126" and said[0][0] == "0"
    assert computed["ticks"] == [0, 5, 10, 15]
    assert computed["places"] == list(range(50))  # a click where a position is drawn finds it


# ── the state ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("arguments, message", [
    ({"kind": "relative"}, "kind must be one of sinusoidal, rotary, learned, got 'relative'."),
    ({"d_model": 7}, "d_model must be an even number from 2 to 128, got 7."),
    ({"d_model": 0}, "d_model must be an even number from 2 to 128, got 0."),
    ({"d_model": 130}, "got 130."),
    ({"d_model": 8.0}, "d_model must be a whole number from 2 to 128, got 8.0."),
    ({"T": 0}, "T must be a whole number from 1 to 512, got 0."),
    ({"T": 513}, "got 513."),
    ({"T": "64"}, "T must be a whole number from 1 to 512, got 64."),
    ({"base": 9}, "base must be a number from 10 to 1000000, got 9.0."),
    ({"base": 1e7}, "got 10000000.0."),
    ({"base": float("nan")}, "got nan."),
    ({"base": "e"}, "got e."),
    ({"table": [1.0, 2.0]}, "at least 1 position and 2 features, got shape (2,)."),
    ({"table": [[1.0], [2.0]]}, "got shape (2, 1)."),
    ({"table": np.zeros((0, 4))}, "got shape (0, 4)."),
    ({"table": "abc"}, "got shape str."),
    ({"table": [[1, np.nan], [np.inf, 0]]}, "table must hold finite numbers; 2 are not."),
    ({"use": 3}, "use must be a function sinusoidal(T, d_model), got int."),
    ({"kind": "learned", "table": TABLE, "T": 21}, "T must be a whole number from 1 to 20, got 21."),
    ({"kind": "learned", "table": TABLE, "d_model": 12}, "d_model must be an even number from 2 to 10, got 12."),
])  # fmt: skip
def test_what_does_not_fit_is_said_in_one_sentence(arguments, message):
    with pytest.raises(ValueError) as caught:
        explore.positions(**arguments)
    assert str(caught.value).endswith(message) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name, value", [
    ("kind", "x"), ("d_model", 5), ("d_model", 130), ("T", 0), ("T", 513), ("base", 5.0), ("position", 64), ("position", -1),
    ("reference", 64), ("feature", 32), ("feature", -1), ("pair", 16), ("pair", -1), ("pair", 1.5),
])  # fmt: skip
def test_a_refused_state_changes_nothing(name, value):
    e = explore.positions()
    before = {trait: getattr(e, trait) for trait in ("kind", "d_model", "T", "base", "position", "reference", "feature")}
    with pytest.raises(ValueError, match="must be"):
        setattr(e, name, value)
    assert before == {trait: getattr(e, trait) for trait in before}


def test_pair_and_feature_are_one_cursor():
    e = explore.positions()
    assert (e.position, e.feature, e.pair) == (7, 4, 2)
    e.feature = 9
    assert e.pair == 4
    e.pair = 1
    assert e.feature == 3  # the second of its pair, as before
    small = explore.positions(T=1, d_model=2)
    assert (small.position, small.feature, small.pair) == (0, 1, 0)


def test_smaller_sizes_bring_the_cursor_along():
    e = explore.positions(table=TABLE)
    e.position, e.reference, e.feature = 50, 60, 31
    e.T, e.d_model = 30, 16
    assert (e.position, e.reference, e.feature) == (29, 29, 15)
    e.kind = "learned"
    assert (e.T, e.d_model, e.position, e.feature) == (20, 10, 19, 9)
    with pytest.raises(ValueError, match="from 1 to 20"):
        e.T = 30
    e.kind = "sinusoidal"
    e.T = 512
    assert e.values().shape == (512, 10)


def test_late_words_of_the_page_are_bent_to_what_there_is():
    e = explore.positions(table=TABLE)
    e.set_state({"position": 63, "feature": 31})
    assert (e.position, e.feature) == (63, 31)
    e.set_state({"kind": "learned", "position": 63})  # of the kind before
    assert (e.kind, e.T, e.d_model, e.position, e.feature) == ("learned", 20, 10, 19, 9)
    e.set_state({"T": 400, "reference": 300, "d_model": 0, "feature": -3})
    assert (e.T, e.reference, e.d_model, e.feature) == (20, 19, 2, 0)
    e.set_state({"kind": "rotary", "T": 100, "position": 99, "d_model": 40, "feature": 39})
    assert (e.T, e.position, e.d_model, e.feature) == (100, 99, 40, 39)


# ── the learner's own function ───────────────────────────────────────────────────────────────────────────────


def test_a_right_function_agrees_and_is_asked_for_each_size_once():
    asked = []

    def sinusoidal(T, d_model):
        asked.append((T, d_model))
        return torch.tensor(formula(T, d_model, 10000.0))

    e = explore.positions(use=sinusoidal)
    assert e.uses and e.problem == "" and "agrees with the course's" in e.verdict
    np.testing.assert_array_equal(np.frombuffer(e.theirs, "<f4").reshape(e.theirs_shape), formula(64, 32, 10000.0).astype(np.float32))
    e.T, e.d_model = 10, 8
    e.position = 3
    e.kind = "rotary"
    assert asked == [(64, 32), (10, 32), (10, 8)] and e.answered == [10, 8] == e.theirs_shape
    np.testing.assert_allclose(e.values()[:, 0], np.cos(np.arange(10)), atol=1e-9)  # rotary is the course's
    e.kind = "sinusoidal"
    np.testing.assert_array_equal(e.values(), formula(10, 8, 10000.0))


def test_a_difference_is_named_with_its_place():
    def halves(T, d_model):  # all sines first
        table = formula(T, d_model, 10000.0)
        return np.concatenate([table[:, 0::2], table[:, 1::2]], axis=1)

    e = explore.positions(use=halves, T=4, d_model=4)
    gap = np.abs(halves(4, 4) - formula(4, 4, 10000.0))
    p, j = np.unravel_index(gap.argmax(), gap.shape)
    assert f"by up to {short(gap.max())}, at position {p}, feature {j}: {short(halves(4, 4)[p, j])} where" in e.verdict
    np.testing.assert_array_equal(e.values(), halves(4, 4))
    e.feature, e.position = 1, 2
    assert "Position 2, feature 1: your function gives 0.020; cos(2 · 1) = −0.416." in e.summary()
    assert "Pair 0 should turn once in 6.28 positions (1 radians a position)." in e.summary()


@pytest.mark.parametrize("answer, sentence", [
    (lambda T, d: 1 / 0, "Your function raised ZeroDivisionError: division by zero"),
    (lambda T: None, "Your function raised TypeError: "),
    (lambda T, d: np.zeros((d, T)), "must return an array of shape (64, 32) (positions, features); it returned (32, 64)."),
    (lambda T, d: np.zeros(T), "it returned (64,)."),
    (lambda T, d: None, "must return an array of numbers of shape (64, 32); it returned NoneType."),
    (lambda T, d: "ab", "it returned str."),
    (lambda T, d: [[1, 2], [3]], "it returned list."),
    (lambda T, d: np.where(np.arange(T * d).reshape(T, d) == 3 * d + 5, np.nan, 0), "returned 1 numbers that are not finite (NaN or infinite), the first at position 3, feature 5."),
], ids=range(8))  # fmt: skip
def test_a_broken_function_speaks_in_one_sentence_and_the_last_picture_stays(answer, sentence):
    e = explore.positions(use=answer)
    assert sentence in e.problem and "\n" not in e.problem and e.theirs == b"" and e.answered == [64, 32]
    with pytest.raises(ValueError) as caught:
        e.values()
    assert str(caught.value) == e.problem and e.problem in repr(e)
    assert e.png().startswith(b"\x89PNG")  # the sentence as a picture
    good = explore.positions(use=lambda T, d: answer(T, d) if T == 64 else formula(T, d, 1e4), T=8)
    assert good.problem == ""
    good.T, good.d_model = 64, 32
    assert good.problem and good.theirs_shape == [8, 32] and good.values().shape == (8, 32)
    good.T = 9
    assert good.problem == "" and good.values().shape == (9, 32)


# ── what is said and shown without a kernel ──────────────────────────────────────────────────────────────────


def test_the_sentences_are_true_of_what_is_computed():
    e = explore.positions(d_model=16)
    assert repr(e) == ("positions explorer: sinusoidal, 64 positions × 16 features, base 10000. Position 7, feature 4: sin(7 · 0.1) = 0.644. "
                       "Pair 2 turns once in 62.8 positions (0.1 radians a position).")  # fmt: skip
    e.feature = 5
    assert f"feature 5: cos(7 · 0.1) = {math.cos(0.7):.3f}." in e.summary()
    e.kind = "rotary"
    assert "feature 5: sin(7 · 0.1) = 0.644, from the vector (1, 0, 1, 0, …)" in e.summary()
    e.kind = "learned"
    assert "base" not in e.summary() and f"feature 5: {short(e.values()[7, 5])}, drawn at random." in e.summary()
    assert "read from the table" in explore.positions("learned", table=TABLE).summary()


def test_every_sentence_is_used():
    scripts = "".join((STATIC / name).read_text(encoding="utf-8") for name in ("positions.js", "positions_matrix.js", "positions_pictures.js"))
    python = "".join((STATIC.parent / f"positions_{part}.py").read_text(encoding="utf-8") for part in ("explorer", "figure"))
    known = set(sentences.table("explore_positions")["positions"])
    unused = {name for name in known if not re.search(rf"words\.{name}\b", scripts) and not re.search(rf"[\"']{name}[\"']", python)}
    assert unused == {"similarity_sinusoidal", "similarity_learned", "similarity_same", "similarity_random"}  # named by their series


def test_the_picture_without_a_kernel():
    first, second = explore.positions(), explore.positions()
    bundle = first._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == repr(first) == repr(second)
    pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert pixels.shape[1] > 700 and pixels[..., :3].std() > 0.05
    assert bundle["image/png"] == second._repr_mimebundle_()[0]["image/png"]
    second.position = 20
    assert bundle["image/png"] != second._repr_mimebundle_()[0]["image/png"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_figure_draws_the_present_state(kind):
    e = explore.positions(kind, T=24, d_model=12)
    e.position, e.reference, e.feature = 9, 4, 5
    matrix, dial, similar = e.figure().axes[:3]
    np.testing.assert_array_equal(matrix.images[0].get_array(), e.values())
    low, high = matrix.images[0].get_clim()
    assert -low == high == (np.abs(e.values()).max() if kind == "learned" else 1)
    assert [matrix.lines[0].get_xdata()[0], matrix.lines[0].get_ydata()[0]] == [5, 9]
    hand = e.values()[:, [5, 4]] if kind == "sinusoidal" else e.values()[:, [4, 5]]
    for line, p in zip(dial.lines[2:], (4, 9)):
        np.testing.assert_array_equal(line.get_xydata(), [[0, 0], hand[p]])
    np.testing.assert_array_equal(similar.lines[0].get_ydata(), e.similarity())
    if kind == "rotary":
        np.testing.assert_array_equal(similar.lines[2].get_ydata(), e.similarity(random=True))
    assert similar.lines[-2].get_xdata()[0] == 4


@pytest.mark.parametrize("ending, start", [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_save(tmp_path, ending, start):
    explore.positions(T=1, d_model=2).save(tmp_path / f"p.{ending}")
    assert (tmp_path / f"p.{ending}").read_bytes().startswith(start)


def test_titles_are_text_that_can_travel():
    assert explore.positions(title="a\ud800").title == "a\ufffd"


def test_making_one_imports_no_matplotlib():
    code = "import sys; from course.explore import positions; positions(); print(callable(positions), 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True", "False"], done.stderr
