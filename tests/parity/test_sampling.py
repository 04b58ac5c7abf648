"""Temperature, top-k, top-p and their order are those of the transformers library; draws are NumPy's, and torch's in kind."""

import numpy as np
import pytest
import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from course.predict import distribution, entropy, greedy, sample, temper, top_k_filter, top_p_filter

B, V = 3, 11
NONE = torch.zeros((B, 1), dtype=torch.long)


def draw(seed=0):
    return np.random.default_rng(seed).normal(size=(B, V)) * 3  # no two alike


def theirs(logits, *warpers):
    return torch.softmax(LogitsProcessorList(warpers)(NONE, torch.from_numpy(logits.copy())), -1).numpy()


def same(ours, expected):
    assert ours.shape == expected.shape
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 3.0])
def test_temperature_is_theirs(temperature):
    same(temper(draw(), temperature), theirs(draw(), TemperatureLogitsWarper(temperature)))


@pytest.mark.parametrize("k", [1, 2, 5, 10, 11])
def test_top_k_is_theirs(k):
    same(top_k_filter(temper(draw()), k), theirs(draw(), TopKLogitsWarper(k)))


@pytest.mark.parametrize("p", [0.01, 0.3, 0.6, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize("seed", range(4))
def test_top_p_is_theirs(p, seed):
    same(top_p_filter(temper(draw(seed)), p), theirs(draw(seed), TopPLogitsWarper(p)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("temperature, k, p", [(0.7, 5, 0.9), (2.0, 5, 0.6), (1.5, 3, 0.8), (1.0, 11, 0.5)])
def test_the_order_is_theirs(temperature, k, p, seed):
    warpers = TemperatureLogitsWarper(temperature), TopKLogitsWarper(k), TopPLogitsWarper(p)
    same(distribution(draw(seed), temperature, k, p), theirs(draw(seed), *warpers))


def test_of_equals_they_keep_all_and_we_the_smaller_ids():
    tied = np.array([[1.0, 3.0, 3.0, 2.0, 3.0]])
    assert np.flatnonzero(theirs(tied, TopKLogitsWarper(2))).tolist() == [1, 2, 4]
    assert np.flatnonzero(top_k_filter(temper(tied), 2)).tolist() == [1, 2]


def test_a_draw_is_numpys_choice():
    for seed in range(20):
        row = temper(draw(seed)[0], 2.0)
        assert sample(row, np.random.default_rng(seed)) == np.random.default_rng(seed).choice(V, p=row)


def test_entropy_and_argmax_are_torchs():
    logits = torch.from_numpy(draw())
    same(entropy(temper(logits)), torch.distributions.Categorical(logits=logits).entropy().numpy())
    assert greedy(logits).tolist() == logits.argmax(-1).tolist()


def test_draws_are_distributed_as_torchs():
    """Two samples of 20 000 by different samplers: chi-square of a table with two rows."""
    n, probs = 20000, distribution(draw()[0], 2.0, top_k=6)
    ours = np.bincount(sample(np.broadcast_to(probs, (n, V)), np.random.default_rng(0)), minlength=V)
    generator = torch.Generator().manual_seed(0)
    torchs = np.bincount(torch.multinomial(torch.from_numpy(probs), n, replacement=True, generator=generator), minlength=V)
    expected = (ours + torchs)[probs > 0] / 2
    assert ours.sum() == torchs.sum() == n and not ours[probs == 0].any()
    chi_square = sum(((counts[probs > 0] - expected) ** 2 / expected).sum() for counts in (ours, torchs))
    assert chi_square < 20.5  # five degrees of freedom: 0.1 % of equal samplers are above
