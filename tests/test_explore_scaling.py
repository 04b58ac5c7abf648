"""The Python side of the scaling explorer: its numbers, its sentences, and the picture for readers without a kernel."""

import base64
import io
import math
import re
import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest
import traitlets

from course import explore, sentences
from course.explore.base import STATIC

WIDTHS = [2**n for n in range(11)]


def by_hand(q, k, d_k, scaled):
    """Variance, entropy and gradient, number by number; the gradient by finite differences, not by the formula."""
    scores = [[sum(float(a) * float(b) for a, b in zip(x[:d_k], y[:d_k])) / (math.sqrt(d_k) if scaled else 1) for y in k] for x in q]

    def soft(row):
        e = [math.exp(s - max(row)) for s in row]
        return np.array([x / sum(e) for x in e])

    entropies, norms, flat = [], [], [s for row in scores for s in row]
    for row in scores:
        w, h = soft(row), 1e-5
        entropies.append(-sum(p * math.log2(p) for p in w if p > 0))
        moved = [(soft([s + h * (i == j) for i, s in enumerate(row)]) - soft([s - h * (i == j) for i, s in enumerate(row)])) / (2 * h)
                 for j in range(len(row))]  # fmt: skip
        norms.append(math.sqrt(sum(float(d) ** 2 for column in moved for d in column)))
    mean = sum(flat) / len(flat)
    return sum((s - mean) ** 2 for s in flat) / len(flat), sum(entropies) / len(q), sum(norms) / len(q)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("d_k", [1, 8, 32])
def test_numbers_equal_a_calculation_by_hand(d_k, scaled):
    e = explore.scaling(widest=32, queries=5, keys=3, seed=1)
    expected = by_hand(e.q, e.k, d_k, scaled)
    np.testing.assert_allclose(e.numbers(d_k, scaled), expected, rtol=1e-7)
    e.d_k, e.scaled = d_k, scaled
    assert e.numbers() == e.numbers(d_k, scaled)
    assert e.numbers()._fields == ("variance", "entropy", "gradient")


def test_what_travels_is_what_is_computed_with():
    e = explore.scaling(widest=8, queries=5, keys=3, seed=7)
    random = np.random.default_rng(7)
    q, k = random.standard_normal((5, 8)), random.standard_normal((3, 8))
    sent = np.frombuffer(e.vectors, dtype="<f4").astype(np.float64)
    np.testing.assert_array_equal(sent, np.concatenate([q.ravel(), k.ravel()]).astype(np.float32))
    np.testing.assert_array_equal(sent[:40].reshape(5, 8), e.q)
    np.testing.assert_array_equal(sent[40:].reshape(3, 8), e.k)
    np.testing.assert_allclose(e.scores(4, False), e.q[:, :4] @ e.k[:, :4].T, rtol=1e-15)
    np.testing.assert_allclose(e.scores(4, True) * 2, e.scores(4, False), rtol=1e-15)


def test_weights_are_the_softmax_of_the_present_scores():
    e = explore.scaling(d_k=16)
    for e.scaled in (False, True):
        exponentials = np.exp(e.q[:, :16] @ e.k[:, :16].T / (4 if e.scaled else 1))
        np.testing.assert_allclose(e.weights(), exponentials / exponentials.sum(axis=1, keepdims=True), rtol=1e-12)


def test_the_three_facts_the_explorer_is_there_to_show():
    """Averaged over seeds: variance d_k and 1, entropy and gradient that vanish, and that stay."""
    runs = {scaled: np.array([[explore.scaling(seed=seed).numbers(w, scaled) for w in WIDTHS] for seed in range(12)]).mean(axis=0)
            for scaled in (False, True)}  # fmt: skip
    np.testing.assert_allclose(runs[False][:, 0], WIDTHS, rtol=0.3)
    np.testing.assert_allclose(runs[True][:, 0], 1, rtol=0.3)
    assert (np.diff(runs[False][:, 1]) < 0).all() and runs[False][-1, 1] < 0.3
    assert (runs[True][:, 1] > 3).all() and (runs[True][:, 1] < 4).all()
    assert runs[False][-1, 2] < 0.25 * runs[False][2, 2]
    assert (runs[True][:, 2] > 0.25).all()


def test_the_axis_holds_every_score_at_every_width():
    e = explore.scaling(seed=5)
    for e.d_k in WIDTHS:
        assert abs(e.scores()).max() <= e.limit
        assert e.counts().sum() == 64 * 16
        middles = (np.arange(e.bins) + 0.5) * (2 * e.limit / e.bins) - e.limit
        assert e.counts() @ (middles**2) / 1024 == pytest.approx((e.scores() ** 2).mean(), rel=0.05, abs=1.5)
    assert e.limit < 1.25 * max(abs(e.scores(w, False)).max() for w in WIDTHS)


@pytest.mark.parametrize("arguments, message", [
    ({"widest": 1000}, "widest must be a power of two from 2 to 4096, got 1000."),
    ({"widest": 0}, "widest must be a power of two from 2 to 4096, got 0."),
    ({"widest": 8192}, "got 8192."),
    ({"widest": 64.0}, "got 64.0."),
    ({"queries": 0}, "queries must be a whole number from 1 to 256, got 0."),
    ({"keys": 1}, "keys must be a whole number from 2 to 64, got 1."),
    ({"keys": "x"}, "keys must be a whole number from 2 to 64, got x."),
    ({"d_k": 3}, "d_k must be a power of two from 1 to 1024, got 3."),
    ({"widest": 2}, "d_k must be a power of two from 1 to 2, got 4."),
])  # fmt: skip
def test_what_does_not_fit_is_said_in_one_sentence(arguments, message):
    with pytest.raises((ValueError, traitlets.TraitError)) as caught:
        explore.scaling(**arguments)
    assert str(caught.value).endswith(message) and "\n" not in str(caught.value)


def test_a_refused_state_changes_nothing():
    e = explore.scaling()
    for name, value in (("d_k", 2048), ("d_k", 0), ("d_k", 6), ("row", 64), ("row", -1)):
        before = e.d_k, e.row
        with pytest.raises(traitlets.TraitError, match="must be"):
            setattr(e, name, value)
        assert (e.d_k, e.row) == before
    with pytest.raises(ValueError, match="d_k must be a power of two from 1 to 1024, got 12."):
        e.numbers(12)


@pytest.mark.parametrize("state, said", [
    ((4, False), "d_k = 4, not scaled: variance 6.11, entropy 2.36 bits of 4, gradient 0.336: a query blends several keys "
                 "(a row's largest weight is 0.44 on average)."),
    ((16, False), "one key tends to get more than all others together"),
    ((256, False), "the softmax has all but chosen one key"),
    ((256, True), "d_k = 256, divided by √d_k: variance 0.999, entropy 3.42 bits of 4, gradient 0.303: a query blends several keys"),
])  # fmt: skip
def test_the_sentence_is_true_of_what_is_computed(state, said):
    e = explore.scaling()
    e.d_k, e.scaled = state
    assert said in e.summary()
    assert repr(e) == f"scaling explorer: {e.summary()}"


def test_verdicts_cover_every_largest_weight_from_the_highest_down():
    bounds = [verdict["at_least"] for verdict in sentences.table("explore_scaling")["scaling"]["verdicts"]]
    assert bounds == sorted(bounds, reverse=True) and bounds[-1] == 0


def test_every_sentence_is_used_and_every_used_one_exists():
    page = (STATIC / "scaling.js").read_text(encoding="utf-8")
    python = (STATIC.parent / "scaling_explorer.py").read_text(encoding="utf-8")
    known = set(sentences.table("explore_scaling")["scaling"])
    on_page = set(re.findall(r"\bwords\.(\w+)", page))
    assert on_page <= known
    named = {name for name in known if re.search(rf"[\"']{name}[\"']", python)}
    assert known - on_page - named == set()


def test_the_picture_without_a_kernel():
    first, second = explore.scaling(), explore.scaling()
    bundle = first._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == repr(first) == repr(second) and "0x" not in repr(first)
    pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert pixels.shape[1] > 700 and pixels[..., :3].std() > 0.05
    assert bundle["image/png"] == second._repr_mimebundle_()[0]["image/png"]
    second.d_k = 512
    assert bundle["image/png"] != second._repr_mimebundle_()[0]["image/png"]


def test_the_figure_draws_the_present_state():
    e = explore.scaling(d_k=32)
    e.row, e.scaled = 9, True
    axes = {ax.get_title("left").split(":")[0]: ax for ax in e.figure().axes}
    bars = [patch.get_height() for patch in axes["Softmax weights of one row"].patches]
    np.testing.assert_array_equal(bars, e.weights()[9])
    stairs = axes["All 1024 scores"].patches[0].get_data()
    np.testing.assert_array_equal(stairs.values, e.counts())
    assert (stairs.edges[0], stairs.edges[-1]) == (-e.limit, e.limit)
    assert "expected 1" in axes["All 1024 scores"].texts[0].get_text()
    for field, title in enumerate(("Variance of the scores", "Entropy of a row", "Size of the gradient")):
        scaled, plain = axes[title].lines[:2]
        np.testing.assert_array_equal(scaled.get_ydata(), [e.numbers(w, True)[field] for w in WIDTHS])
        np.testing.assert_array_equal(plain.get_ydata(), [e.numbers(w, False)[field] for w in WIDTHS])
        assert scaled.get_color() != plain.get_color() and scaled.get_linestyle() != plain.get_linestyle()
        assert axes[title].lines[2].get_xdata()[0] == 32


@pytest.mark.parametrize("ending, start", [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_save(tmp_path, ending, start):
    path = tmp_path / f"scaling.{ending}"
    explore.scaling(widest=16).save(path)
    assert path.read_bytes().startswith(start)


def test_an_explorer_of_another_size():
    e = explore.scaling(widest=2, queries=1, keys=2, d_k=1)
    assert e.weights().shape == (1, 2) and "bits of 1," in e.summary()
    assert e.png().startswith(b"\x89PNG")
    assert "bits of 3.91," in explore.scaling(keys=15).summary()


def test_asking_for_the_name_gives_the_function_and_imports_no_matplotlib():
    code = "import sys; from course.explore import scaling; scaling(widest=4); print(callable(scaling), 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True", "False"], done.stderr
