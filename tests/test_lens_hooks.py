"""Hooks on the course's own layers: what they take out is what was computed, what they silence is silent, they go again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from course.blocks.attention import MultiHeadAttention, causal_mask
from course.lens.hooks import record, record_all, sites, watching
from course.lens.recording import Recording
from course.lens.run import Part, Run, divergence, most_probable, moved

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


class Decoder(nn.Module):
    """Attention to itself and to another text by turns, T5's way: no scale, the first layer's table added in all layers."""

    num_heads = H

    def __init__(self, own_tables: bool = False):
        super().__init__()
        torch.manual_seed(3)
        names = ("SelfAttention", "EncDecAttention")
        self.layers = nn.ModuleList([nn.ModuleDict({name: self.attention(C, own_tables or not i) for name in names}) for i in range(2)])

    @staticmethod
    def attention(width, table):
        maps = nn.ModuleDict({name: nn.Linear(width, width, bias=False) for name in "qkvo"})
        if table:
            maps["relative_attention_bias"] = nn.Embedding(2 * 9 - 1, H)
        maps.num_heads = H
        return maps

    def attend(self, maps, x, y, added=None):
        q, k, v = (maps[name](z).unflatten(-1, (H, -1)).transpose(1, 2) for name, z in zip("qkv", (x, y, y)))
        weights = (q @ k.mT + (0 if added is None else added)).softmax(-1)
        self.weights.append(weights.detach()[0])
        return maps["o"]((weights @ v).transpose(1, 2).flatten(-2))

    def forward(self, x, y):
        self.weights, self.added = [], []
        for layer in self.layers:
            own = layer["SelfAttention"]
            if "relative_attention_bias" in own:
                distance = torch.arange(T) - torch.arange(T)[:, None] + 8
                added = own["relative_attention_bias"](distance).permute(2, 0, 1)
            self.added.append(added.detach())
            x = x + self.attend(own, x, x, added)
            x = x + self.attend(layer["EncDecAttention"], x, y)
        return x


@pytest.fixture
def y():
    return torch.randn(1, T + 3, C, generator=torch.Generator().manual_seed(2))


def both_kinds(model, x, y):
    """(layer that looks at itself, at the other text) twice, as recorded: what is added is that of the stack."""
    places = sites(model)
    kinds = [[i for i, place in enumerate(places) if place.cross == cross] for cross in (False, True)]
    with torch.no_grad(), watching(places) as seen:
        model(x, y)
    recorded = []
    for indices, keys in zip(kinds, (None, tuple("ABCDEFGH"))):
        bare = [Recording(TOKENS, weights=model.weights[i], key_tokens=keys) for i in indices]
        recorded.append(record_all(bare, [places[i] for i in indices], [seen[i] for i in indices]))
    return kinds, recorded


@pytest.mark.parametrize("own_tables", [False, True])
def test_what_is_added_and_what_looks_at_another_text_is_recorded(x, y, own_tables):
    model = Decoder(own_tables)
    kinds, (own, across) = both_kinds(model, x, y)
    assert kinds == [[0, 2], [1, 3]]
    for layer, added in zip(own, model.added):
        np.testing.assert_allclose(layer.bias, added, atol=1e-6)
        assert layer.scale == 1.0 and layer.q.shape == layer.k.shape == (H, T, C // H)
    for layer in across:
        assert layer.bias is None and layer.mask is None and layer.scale == 1.0
        assert layer.q.shape == (H, T, C // H) and layer.k.shape == layer.v.shape == (H, T + 3, C // H)
    for layer, weights in zip((*own, *across), (model.weights[i] for i in (0, 2, 1, 3))):
        again = Recording(TOKENS, layer.q, layer.k, layer.v, layer.mask, None, layer.key_tokens, "", layer.bias, layer.scale)
        np.testing.assert_allclose(again.attend()[1], weights, atol=1e-5)


@pytest.mark.parametrize("wrong", ["table", "twice", "form"])
def test_what_is_added_in_another_way_is_not_recorded(x, y, wrong):
    model = Decoder()
    table = model.layers[0]["SelfAttention"]["relative_attention_bias"]
    if wrong == "twice":
        model.register_forward_pre_hook(lambda module, args: (table(torch.zeros(T, T, dtype=torch.int64)), None)[1])
    places = sites(model)
    own = [i for i, place in enumerate(places) if not place.cross]
    with torch.no_grad(), watching(places) as seen:
        model(x, y)
    if wrong == "table":
        seen[0].added[0] = seen[0].added[0] + torch.arange(T)[:, None] * (torch.arange(T) == 0)[:, None, None]
    if wrong == "form":
        seen[0].added[0] = seen[0].added[0].permute(2, 0, 1)
    bare = [Recording(TOKENS, weights=model.weights[i]) for i in own]
    assert record_all(bare, [places[i] for i in own], [seen[i] for i in own]) is None


@pytest.mark.parametrize("off", [{(0, 1)}, {(1, 2)}, {(3, 0), (2, 1)}], ids=str)
def test_heads_that_look_at_another_text_are_silenced_alike(x, y, off):
    model = Decoder()
    with torch.no_grad(), watching(sites(model), off):
        output = model(x, y)
    outs = [layer[name]["o"] for layer in model.layers for name in ("SelfAttention", "EncDecAttention")]
    with torch.no_grad():
        for layer, head in off:
            outs[layer].weight[:, head * (C // H) : (head + 1) * (C // H)] = 0
        np.testing.assert_allclose(output, model(x, y), rtol=1e-5, atol=1e-5)


# ── what a run of two texts says of its layers ───────────────────────────────────────────────────────────────


def test_a_runs_parts_say_whose_tokens_look():
    source, target = tuple("abc"), tuple("xy")
    shapes = (source, source), (source, source), (target, target), (target, source)
    layers = tuple(Recording(rows, weights=np.ones((1, len(rows), len(columns))) / len(columns), key_tokens=columns) for rows, columns in shapes)
    parts = (Part("encoder", 2, True), Part("decoder", 1), Part("cross", 1))
    two = Run(target, layers, tuple("1234"), np.eye(2), None, (True, False), parts=parts, source=source, source_special=(False, False, True))
    assert [two.of_source(layer) for layer in range(4)] == [True, True, False, False]
    assert [two.special_of(layer) for layer in range(4)] == [(False, False, True)] * 2 + [(True, False)] * 2
    turned = replace(two, layers=layers[::-1], parts=(Part("decoder", 2), Part("encoder", 2, True)))
    assert [turned.of_source(layer) for layer in range(4)] == [False, False, True, True]
    one = Run(target, layers[2:], tuple("12"), np.eye(2), None, (True, False))
    assert not one.of_source(0) and one.special_of(0) == (True, False)
    assert Run(target, layers[:1], ("1",), np.eye(2), None, (True, False)).special_of(0) is None  # of tokens it does not know


# ── what changed between two runs ────────────────────────────────────────────────────────────────────────────


def run(vectors, logits=None, tokens="ab"):
    return Run(tuple(tokens), (), (), np.array(vectors, dtype=np.float32), logits, (False,) * len(tokens))


def test_how_far_vectors_moved():
    before, after = run([[3.0, 4.0], [1.0, 0.0]]), run([[3.0, 4.0], [0.0, 2.0]])
    np.testing.assert_allclose(moved(before, after), [0, np.sqrt(5)])
    np.testing.assert_allclose(moved(after, before), [0, np.sqrt(5) / 2])
    with pytest.raises(ValueError, match="same text"):
        moved(before, run([[1.0], [1.0]], tokens="ac"))
    with pytest.raises(ValueError, match="same text"):
        moved(before, replace(after, source=("another",)))


def test_how_far_predictions_moved():
    p, q = np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[0.5, 0.5], [0.2, 0.8]])
    before, after = run(np.eye(2), np.log(p)), run(np.eye(2), np.log(q) + 7)  # logits are known up to a constant
    np.testing.assert_allclose(divergence(before, after), [0, 0.9 * np.log(0.9 / 0.2) + 0.1 * np.log(0.1 / 0.8)], atol=1e-12)
    assert divergence(before, run(np.eye(2))) is None


def test_the_most_probable_and_ties_to_the_smaller_id():
    found = most_probable(np.log([0.2, 0.35, 0.35, 0.1]), 3)
    assert [token for token, _ in found] == [1, 2, 0]
    np.testing.assert_allclose([p for _, p in found], [0.35, 0.35, 0.2])
