"""Cross-entropy by hand is torch's; perplexity and bits per byte are its other two faces."""

import doctest
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course.adjust import loss as module
from course.adjust.loss import bits_per_byte, cross_entropy, log_softmax, perplexity, perplexity_of

B, T, V = 2, 5, 7
INF = math.inf


def draw(*shape, seed=0, scale=3.0):
    return np.random.default_rng(seed).normal(size=shape) * scale


def ids(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, V, size=shape)


def torchs(logits, targets):
    return F.cross_entropy(torch.from_numpy(logits).reshape(-1, logits.shape[-1]), torch.from_numpy(targets).reshape(-1)).item()


def near(number):
    return pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize("shape", [(), (T,), (B, T), (2, 1, 3)], ids=str)
@pytest.mark.parametrize("scale", [1e-3, 3.0, 1000.0])
def test_cross_entropy_is_torchs(shape, scale):
    logits, targets = draw(*shape, V, scale=scale), ids(*shape, seed=1)
    found = cross_entropy(logits, np.asarray(targets))
    assert type(found) is float and found == near(torchs(logits, np.asarray(targets)))
    assert perplexity_of(logits, targets) == near(math.exp(min(found, 709.0))) or found > 709.0


def test_targets_of_minus_100_are_left_out_as_torch_does():
    logits, targets = draw(B, T, V), ids(B, T)
    targets[0, 1:] = targets[1, 0] = -100
    assert cross_entropy(logits, targets) == near(torchs(logits, targets))
    assert cross_entropy(logits, targets) == near(cross_entropy(logits[targets >= 0], targets[targets >= 0]))
    means_of_rows = np.mean([cross_entropy(*pair) for pair in zip(logits, targets)])
    assert abs(cross_entropy(logits, targets) - means_of_rows) > 0.01
    logits[targets < 0] = np.nan  # what stands there is not looked at
    assert np.isfinite(cross_entropy(logits, targets))


def test_tensors_are_taken_from_a_graph():
    logits, targets = draw(B, T, V), ids(B, T)
    tensor = torch.from_numpy(logits).requires_grad_()
    assert cross_entropy(tensor, torch.from_numpy(targets)) == near(torchs(logits, targets))
    assert cross_entropy(tensor.to(torch.bfloat16), targets.astype(np.uint8)) == pytest.approx(torchs(logits, targets), rel=0.02)


def test_extreme_logits_keep_their_distance():
    with np.errstate(all="raise", under="ignore"):
        assert cross_entropy([[1e4, 0.0]], [1]) == 1e4
        assert cross_entropy([[-1e4, 0.0, 0.0]], [2]) == near(math.log(2))
        assert cross_entropy([[1e4, 0.0]], [0]) == 0.0
    assert cross_entropy([[-INF, 0.0, 0.0]], [1]) == near(math.log(2)) and cross_entropy([[-INF, 0.0]], [0]) == INF


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)], ids=str)
def test_log_softmax_is_torchs(shape):
    x = draw(*shape, scale=500.0)
    np.testing.assert_allclose(log_softmax(x), torch.log_softmax(torch.from_numpy(x), -1), rtol=1e-12, atol=1e-12)


def test_even_logits_cost_the_logarithm_of_the_vocabulary():
    assert cross_entropy(np.zeros((T, V)), ids(T)) == near(math.log(V)) and perplexity_of(np.zeros((T, V)), ids(T)) == near(V)


def test_perplexity_has_the_base_of_the_logarithm():
    assert perplexity(math.log(70.6)) == near(70.6) and perplexity(0.0) == 1.0
    assert perplexity(709.5) == near(math.exp(709.5)) and perplexity(1000.0) == perplexity(INF) == INF
    assert math.isnan(perplexity(math.nan))


def test_bits_per_byte_do_not_depend_on_how_text_is_cut():
    assert bits_per_byte(math.log(2), 8, 8) == near(1.0)
    assert bits_per_byte(3 * math.log(2), 10, 40) == near(0.75) == bits_per_byte(1.5 * math.log(2), 20, 40)


def test_doctests_hold():
    assert doctest.testmod(module).attempted > 2 and doctest.testmod(module).failed == 0


REFUSED = [
    ("floats", lambda: cross_entropy(draw(T, V), np.ones(T)), TypeError, "targets are ids, whole numbers, got float64"),
    ("bools", lambda: cross_entropy(draw(T, V), np.ones(T, dtype=bool)), TypeError, "targets are ids, whole numbers, got bool"),
    ("shapes", lambda: cross_entropy(draw(B, T, V), ids(T)), ValueError, r"targets \(5,\), logits \(2, 5, 7\)"),
    ("no vocabulary", lambda: cross_entropy(1.0, np.array(0)), ValueError, r"targets \(\), logits \(\)"),
    ("too large", lambda: cross_entropy(draw(2, V), [0, V]), ValueError, "an id from 0 to 6, or -100 to be left out, got 7"),
    ("negative", lambda: cross_entropy(draw(2, V), [0, -1]), ValueError, "an id from 0 to 6, or -100 to be left out, got -1"),
    ("none left", lambda: cross_entropy(draw(2, V), [-100, -100]), ValueError, "no target to take a mean of: of 2, all are -100"),
    ("none there", lambda: perplexity_of(draw(0, V), ids(0)), ValueError, "no target to take a mean of: of 0"),
    ("no tokens", lambda: bits_per_byte(1.0, 0, 5), ValueError, "at least one token, got 0"),
    ("no bytes", lambda: bits_per_byte(1.0, 5, -1), ValueError, "at least one byte, got -1"),
]  # fmt: skip


@pytest.mark.parametrize("call, error, sentence", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_does_not_fit_is_refused_with_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
