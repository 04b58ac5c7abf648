"""Blocks compared at several depths: what is handed out is what training and the stream give by themselves."""

import math

import numpy as np
import pytest
import torch

from course.adjust.depth import train_at_depths
from course.adjust.training import evaluate, train
from course.blocks.block import DocumentBlock, PostNormBlock, PreNormBlock
from course.models.config import GPTConfig
from course.models.gpt import GPT

V, T, C = 9, 5, 8
IDS = np.random.default_rng(0).integers(0, V, 150)
HELD_OUT = np.random.default_rng(1).integers(0, V, 63)
KINDS = {"document": DocumentBlock, "post": PostNormBlock, "pre": PreNormBlock}
SIZES = dict(vocab_size=V, steps=6, d_model=C, n_heads=2, context_length=T, batch_size=4)


def run(kinds=("pre",), depths=(3,), **changed):
    return list(train_at_depths({kind: KINDS[kind] for kind in kinds}, depths, IDS, HELD_OUT, **SIZES | changed))


def gpt(seed, kind="pre", std=C**-0.5):
    """The model of a run, by itself."""
    torch.manual_seed(seed)
    model = GPT(GPTConfig(V, T, C, 2, 3), KINDS[kind])
    with torch.no_grad():
        model.embedding.weight.mul_(std / 0.02)
    return model


def test_every_kind_depth_and_seed_is_trained_once_in_order():
    runs = run(("document", "pre"), (2, 1), seeds=(5, 3), lr={"document": 0.01, "pre": 0.02, "other": 1.0}, steps=2)
    assert [(one.n_layers, one.kind, one.seed, one.lr) for one in runs] == [
        (L, kind, seed, lr) for L in (2, 1) for kind, lr in (("document", 0.01), ("pre", 0.02)) for seed in (5, 3)
    ]
    losses = [tuple(one.losses) for one in runs]
    assert len(set(losses)) == len(losses)


@pytest.mark.parametrize("std", [{}, {"embedding_std": 0.05}], ids=["length-1", "short"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_the_training_of_that_model(kind, std):
    (found,) = run((kind,), seeds=(4,), lr=0.02, warmup=3, **std)
    model = gpt(4, kind, *std.values())
    records = list(train(model, IDS, steps=6, batch_size=4, lr=0.02, warmup=3, seed=4, by_part=True))
    np.testing.assert_allclose(found.losses, [record.loss for record in records], rtol=1e-6)
    expected = [[record.gradient_norms[f"blocks.{i}"] for i in range(3)] for record in records]
    np.testing.assert_allclose(found.gradients, expected, rtol=1e-5)
    assert math.isclose(found.validation_loss, evaluate(model, HELD_OUT), rel_tol=1e-5)
    assert 0 < found.seconds < 60


def test_the_stream_is_measured_before_and_after():
    """Sizes and what is common, from their definitions, in the first eight windows of the held-out text."""
    (found,) = run(seeds=(4,), lr=0.05)
    model = gpt(4)
    ids = torch.tensor(HELD_OUT[: 8 * T].reshape(8, T))
    for row in (0, 1):
        streams, x = [], model.embed(ids)
        streams.append(x)
        for block in model.blocks:
            streams.append(x := block(x, causal=True))
        for place, stream in enumerate(streams):
            vectors = stream.detach().double().numpy().reshape(-1, C)
            size = (vectors**2).mean()
            assert math.isclose(found.sizes[row, place], math.sqrt(size), rel_tol=1e-5)
            deviation = ((vectors - vectors.mean(axis=0)) ** 2).mean()  # size = common part + deviation from it
            assert math.isclose(found.common[row, place], 1 - deviation / size, rel_tol=1e-4)
        list(train(model, IDS, steps=6, batch_size=4, lr=0.05, seed=4))
    assert found.sizes.shape == found.common.shape == (2, 4)
    assert not np.allclose(found.sizes[0], found.sizes[1])


def test_tokens_that_became_the_same_have_all_in_common(monkeypatch):
    class Silent(PreNormBlock):
        def forward(self, x, mask=None, *, causal=False, positions=None):
            return torch.ones_like(x) * 3 + 0 * super().forward(x, mask, causal=causal)

    (found,) = train_at_depths({"silent": Silent}, (1,), IDS, HELD_OUT, **SIZES)
    np.testing.assert_allclose(found.common[:, 1], 1.0)
    np.testing.assert_allclose(found.sizes[:, 1], 3.0)
    assert (found.common[:, 0] < 0.9).all()


def test_the_same_again_and_others_random_numbers_are_left_alone():
    torch.manual_seed(8)
    expected = torch.rand(3)
    torch.manual_seed(8)
    one, other = run(), run()
    assert torch.equal(torch.rand(3), expected)
    assert (one[0].losses == other[0].losses).all() and (one[0].gradients == other[0].gradients).all()


def test_what_makes_no_sense_is_refused_before_anything_is_trained():
    with pytest.raises(ValueError, match="none for pre"):
        train_at_depths(KINDS, (2,), IDS, HELD_OUT, **SIZES, lr={"document": 0.1, "post": 0.1})
    with pytest.raises(ValueError, match="n_layers must be at least 1"):
        train_at_depths(KINDS, (2, 0), IDS, HELD_OUT, **SIZES)
    with pytest.raises(ValueError, match="need 6 ids, got 3"):
        train_at_depths(KINDS, (2,), IDS, HELD_OUT[:3], **SIZES)
