"""Neurons as keys and values: what a hook records is what the layer computes, peaks and effects are what they are called."""

import numpy as np
import pytest
import torch
from torch import nn

from course.blocks import feed_forward as by_hand
from course.blocks.feed_forward import FeedForward, GatedFeedForward
from course.blocks.norm import LayerNorm, RMSNorm
from course.lens import neurons

V, C, WIDTH = 11, 6, 9


class Block(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.feed_forward = FeedForward(C, WIDTH, activation)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        return x + self.dropout(self.feed_forward(x))


class Little(nn.Module):
    """A model without attention: embedding, running mean, feed-forward blocks, norm, unembedding."""

    def __init__(self, *activations, norm=None, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.embedding = nn.Embedding(V, C)
        self.blocks = nn.ModuleList(Block(activation) for activation in activations or ("gelu", "relu"))
        self.norm = LayerNorm(C) if norm is None else norm
        self.unembedding = nn.Linear(C, V, bias=False)
        with torch.no_grad():
            for parameter in self.norm.parameters():
                parameter.add_(0.3 * torch.randn(C))

    def stream(self, ids, layer):
        x = self.embedding(ids)
        x = x.cumsum(1) / torch.arange(1, ids.shape[1] + 1)[:, None]
        for block in self.blocks[:layer]:
            x = block(x)
        return x

    def forward(self, ids):
        return self.unembedding(self.norm(self.stream(ids, len(self.blocks))))


TEXTS = [[1, 2, 3], [], [4, 5, 6, 7], [3, 2, 1], [0], [4, 5, 6, 7], [8, 9, 10, 0, 1, 2], [1, 2, 3]]


@pytest.mark.parametrize("layer", [0, 1])
def test_what_is_recorded_is_key_times_input_plus_bias(layer):
    model = Little().eval()
    part, ids = model.blocks[layer].feed_forward, [1, 2, 3, 4, 5]
    with torch.no_grad():
        x = model.stream(torch.tensor([ids]), layer)[0].numpy()
    z = neurons.pre_activations(model, ids, layer)
    assert z.shape == (5, WIDTH) and z.dtype == np.float32
    np.testing.assert_allclose(z, x @ neurons.keys(part).T + neurons.biases(part), atol=1e-5)
    bend = getattr(by_hand, neurons.bend(part))
    np.testing.assert_allclose(neurons.activations(model, ids, layer), bend(z), atol=1e-6)
    added = bend(z) @ neurons.values(part) + part.down.bias.detach().numpy()
    np.testing.assert_allclose(added, part(torch.tensor(x)).detach().numpy(), atol=1e-5)


def test_the_model_is_left_as_it_was():
    model = Little()
    model.blocks[1].eval()
    before = [part.training for part in model.modules()]
    first, second = (neurons.pre_activations(model, [1, 2, 3], 1) for _ in range(2))
    np.testing.assert_array_equal(first, second)  # no dropout while it is measured
    assert [part.training for part in model.modules()] == before
    assert not any(part._forward_hooks for part in model.modules())
    with pytest.raises(IndexError):
        neurons.pre_activations(model, [V], 0)
    assert [part.training for part in model.modules()] == before
    assert not any(part._forward_hooks for part in model.modules())


@pytest.mark.parametrize("together", [1, 7, 2048])
@pytest.mark.parametrize("k", [1, 3, 20])
def test_peaks_are_each_texts_strongest_token_in_order(k, together, monkeypatch):
    monkeypatch.setattr(neurons, "TOGETHER", together)
    model = Little().eval()
    found = neurons.peaks(model, TEXTS, 0, k)
    assert found.texts.shape == found.positions.shape == found.z.shape == (WIDTH, k)
    each = {number: neurons.pre_activations(model, ids, 0) for number, ids in enumerate(TEXTS) if ids}
    assert found.z.max() > 0
    for neuron in range(WIDTH):
        strongest = [(-z[:, neuron].max().round(4), number, z[:, neuron].argmax()) for number, z in each.items() if z[:, neuron].max() > 0]
        right = sorted(strongest)[:k]
        count = len(right)
        assert found.texts[neuron].tolist() == [number for _, number, _ in right] + [-1] * (k - count)
        assert found.positions[neuron].tolist() == [place for _, _, place in right] + [-1] * (k - count)
        np.testing.assert_allclose(found.z[neuron], [-z for z, _, _ in right] + [0] * (k - count), atol=1e-4)


def test_a_neuron_that_nothing_switches_on_has_no_peaks():
    model = Little().eval()
    with torch.no_grad():
        model.blocks[0].feed_forward.up.bias[4] = -1000
    found = neurons.peaks(model, TEXTS, 0, 3)
    assert (found.texts[4] == -1).all() and (found.positions[4] == -1).all() and (found.z[4] == 0).all()
    empty = neurons.peaks(model, [], 0, 2)
    assert (empty.texts == -1).all() and empty.z.shape == (WIDTH, 2)


def test_the_order_before_the_bend_is_the_order_after_it():
    z = np.sort(np.random.default_rng(0).normal(size=200) * 3)
    for name in ("relu", "gelu", "gelu_tanh", "silu"):
        a = getattr(by_hand, name)(z)
        assert (np.diff(a[z > 0]) > 0).all() and (a[z <= 0] <= 0).all()


def test_effects_are_the_slope_of_the_logits_times_the_norms_division():
    model = Little().double().eval()
    part = model.blocks[-1].feed_forward
    read = lambda x: model.unembedding(model.norm(x))
    dice = torch.Generator().manual_seed(3)
    for neuron in range(WIDTH):
        row = part.down.weight[:, neuron].detach()
        flat = row - row.mean()
        x = torch.randn(C, generator=dice, dtype=torch.float64)
        x = x - (x - x.mean()) @ flat / (flat @ flat) * flat  # the division itself does not change along the row
        slope = torch.autograd.functional.jvp(read, x, row)[1] * (x.var(correction=0) + model.norm.eps).sqrt()
        np.testing.assert_allclose(neurons.effects(model, 1, [neuron])[0], slope, atol=1e-5)


@pytest.mark.parametrize(
    ("norm", "expected"),
    [(nn.Identity(), lambda row, norm: row), (RMSNorm(C), lambda row, norm: row * norm.weight), (nn.LayerNorm(C), lambda row, norm: (row - row.mean()) * norm.weight)],
    ids=["none", "rms", "torchs"],
)
def test_effects_with_other_final_norms(norm, expected):
    model = Little(norm=norm)
    row = model.blocks[0].feed_forward.down.weight[:, 2]
    right = model.unembedding.weight @ expected(row, model.norm)
    np.testing.assert_allclose(neurons.effects(model, 0, [2])[0], right.detach(), atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 25, 2**24])
def test_extremes_are_the_ends_of_the_effects(at_once, monkeypatch):
    monkeypatch.setattr(neurons, "AT_ONCE", at_once)
    model = Little()
    every, found = neurons.effects(model, 1), neurons.extremes(model, 1, 4)
    assert every.shape == (WIDTH, V)
    order = np.argsort(every, axis=1)
    np.testing.assert_array_equal(found.raised, order[:, ::-1][:, :4])
    np.testing.assert_array_equal(found.lowered, order[:, :4])
    np.testing.assert_allclose(found.raised_by, np.take_along_axis(every, found.raised, 1), atol=1e-6)
    np.testing.assert_allclose(found.lowered_by, np.take_along_axis(every, found.lowered, 1), atol=1e-6)
    assert neurons.extremes(model, 1, 100).raised.shape == (WIDTH, V)


def test_every_bend_is_known_by_its_name():
    for name in by_hand.ACTIVATIONS:
        assert neurons.bend(FeedForward(2, 3, name)) == name
    layer = FeedForward(2, 3, bias=False)
    assert neurons.biases(layer).tolist() == [0, 0, 0]
    layer.activation = torch.tanh
    with pytest.raises(ValueError, match="must be one of relu, gelu, gelu_tanh, silu, got"):
        neurons.bend(layer)


class Aside(Little):
    """A model that never runs its blocks."""

    def forward(self, ids):
        return self.unembedding(self.embedding(ids))


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: neurons.pre_activations(Little(), [1], 2), "layer must be from 0 to 1, got 2"),
        (lambda: neurons.pre_activations(Little(), [1], -1), "layer must be from 0 to 1, got -1"),
        (lambda: neurons.pre_activations(Little(), [], 0), "at least one token"),
        (lambda: neurons.pre_activations(Aside(), [1], 0), "without running this layer"),
        (lambda: neurons.peaks(Little(), TEXTS, 0, 0), "k must be at least 1, got 0"),
        (lambda: neurons.feed_forwards(nn.Linear(2, 2)), "got Linear, which has none"),
        (lambda: neurons.check_layer(GatedFeedForward(2, 3)), "no gate, got GatedFeedForward"),
        (lambda: neurons.check_layer(None), "got NoneType"),
    ],
    ids=["layer 2", "layer -1", "no token", "not run", "k 0", "no blocks", "gated", "none"],
)
def test_what_does_not_fit_is_refused_in_one_sentence(act, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_our_gpt_has_neurons():
    from course.models import GPT, GPTConfig

    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=20, context_length=8, d_model=8, n_heads=2, n_layers=2))
    z = neurons.pre_activations(model, [1, 2, 3], 1)
    assert z.shape == (3, 32) and neurons.bend(model.blocks[1].feed_forward) == "gelu_tanh"
    logits = model(torch.tensor([[1, 2, 3]]))
    inner = []
    model.blocks[1].feed_forward.up.register_forward_pre_hook(lambda module, args: inner.append(args[0][0].detach().numpy()))
    torch.testing.assert_close(model(torch.tensor([[1, 2, 3]])), logits)
    np.testing.assert_allclose(z, inner[0] @ neurons.keys(model.blocks[1].feed_forward).T, atol=1e-6)
