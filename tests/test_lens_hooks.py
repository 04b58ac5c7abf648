"""Hooks on the course's own layers: what they take out is what was computed, what they silence is silent, they go again."""

import numpy as np
import pytest
import torch
from torch import nn

from course.blocks.attention import MultiHeadAttention, causal_mask
from course.lens.hooks import record, sites, watching
from course.lens.recording import Recording
from course.lens.run import Run, divergence, most_probable, moved

T, C, H = 5, 12, 3
TOKENS = tuple("abcde")


class Two(nn.Module):
    """Two attention layers, one after the other, which keep their weights."""

    def __init__(self, mask=None):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = MultiHeadAttention(C, H), MultiHeadAttention(C, H, bias=True)
        self.mask = mask
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.mul_(3)  # so that no head looks everywhere alike

    def forward(self, x):
        self.weights = []
        for layer in (self.first, self.second):
            output, weights = layer.attend(x, self.mask)
            x = x + output
            self.weights.append(weights.detach()[0])
        return x


@pytest.fixture
def x():
    return torch.randn(1, T, C, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("mask", [None, torch.tensor(causal_mask(T))], ids=["all", "causal"])
def test_what_passes_through_is_recorded(x, mask):
    model = Two(mask)
    places = sites(model)
    assert [(place.heads, place.out) for place in places] == [(H, model.first.out), (H, model.second.out)]
    with torch.no_grad(), watching(places) as seen:
        model(x)
    for layer, weights, place, kept in zip((model.first, model.second), model.weights, places, seen):
        recording = record(Recording(TOKENS, weights=weights), place, kept)
        assert recording.q.shape == recording.k.shape == recording.v.shape == (H, T, C // H)
        np.testing.assert_allclose(recording.weights, weights)
        side_by_side = np.concatenate(list(recording.attend()[0]), axis=-1)
        np.testing.assert_allclose(side_by_side, kept.heard[0][0], rtol=1e-4, atol=1e-5)
        again = Recording(TOKENS, recording.q, recording.k, recording.v, recording.mask)
        np.testing.assert_allclose(again.attend()[1], weights, atol=1e-5)
        assert (recording.mask is None) == (mask is None)


@pytest.mark.parametrize("wrong", ["weights", "values", "scale", "twice"])
def test_what_does_not_follow_is_not_recorded(x, wrong):
    model = Two()
    model.first.scaling = 0.2 if wrong == "scale" else None
    places = sites(model)
    with torch.no_grad(), watching(places) as seen:
        model(x)
        if wrong == "twice":
            model(x)
    if wrong == "values":
        seen[0].mapped[2][0] = seen[0].mapped[2][0] + 1
    weights = model.weights[0].flip(-1) if wrong == "weights" else model.weights[0]
    assert record(Recording(TOKENS, weights=weights), places[0], seen[0]) is None


@pytest.mark.parametrize("off", [{(0, 1)}, {(0, 0), (0, 2)}, {(1, 2), (0, 1)}], ids=str)
def test_silent_heads_are_those_that_are_switched_off(x, off):
    model = Two()
    with torch.no_grad(), watching(sites(model), off):
        output = model(x)
    for layer, head in off:
        (model.first, model.second)[layer].heads_on[head] = False
    np.testing.assert_allclose(output.detach(), model(x).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("breaks", [False, True])
def test_hooks_go_again(x, breaks):
    model = Two()
    with pytest.raises(ZeroDivisionError if breaks else StopIteration):
        with watching(sites(model), {(0, 0)}):
            model(x)
            if breaks:
                raise ZeroDivisionError
        raise StopIteration
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


# ── what changed between two runs ────────────────────────────────────────────────────────────────────────────


def run(vectors, logits=None, tokens="ab"):
    return Run(tuple(tokens), (), (), np.array(vectors, dtype=np.float32), logits, (False,) * len(tokens))


def test_how_far_vectors_moved():
    before, after = run([[3.0, 4.0], [1.0, 0.0]]), run([[3.0, 4.0], [0.0, 2.0]])
    np.testing.assert_allclose(moved(before, after), [0, np.sqrt(5)])
    np.testing.assert_allclose(moved(after, before), [0, np.sqrt(5) / 2])
    with pytest.raises(ValueError, match="same text"):
        moved(before, run([[1.0], [1.0]], tokens="ac"))


def test_how_far_predictions_moved():
    p, q = np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[0.5, 0.5], [0.2, 0.8]])
    before, after = run(np.eye(2), np.log(p)), run(np.eye(2), np.log(q) + 7)  # logits are known up to a constant
    np.testing.assert_allclose(divergence(before, after), [0, 0.9 * np.log(0.9 / 0.2) + 0.1 * np.log(0.1 / 0.8)], atol=1e-12)
    assert divergence(before, run(np.eye(2))) is None


def test_the_most_probable_and_ties_to_the_smaller_id():
    found = most_probable(np.log([0.2, 0.35, 0.35, 0.1]), 3)
    assert [token for token, _ in found] == [1, 2, 0]
    np.testing.assert_allclose([p for _, p in found], [0.35, 0.35, 0.2])
