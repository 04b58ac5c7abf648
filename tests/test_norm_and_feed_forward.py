"""Normalisation and the feed-forward part: PyTorch's numbers and gradients, and what holds whatever the numbers."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course.blocks import feed_forward as ff
from course.blocks.norm import LayerNorm, RMSNorm, layer_norm, layer_norm_steps, rms_norm

B, T, C, INNER = 2, 5, 3, 7
EPS = pytest.mark.parametrize("eps", [1e-5, 1e-12, 0.1])
SIZES = pytest.mark.parametrize("scale", [3.0, 1e-3])  # at 1e-3 eps counts: outside the root it would show


def draw(*shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(size=shape) * scale + 0.7 * scale


def same(ours, theirs, rtol=1e-6, atol=1e-12):
    theirs = theirs.detach().numpy() if torch.is_tensor(theirs) else theirs
    ours = ours.detach().numpy() if torch.is_tensor(ours) else ours
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def with_gradients(module, x, d_y):
    """Output, gradient of the input and of every parameter, by name."""
    x = torch.from_numpy(x).requires_grad_()
    y = module(x)
    y.backward(torch.from_numpy(d_y))
    return y, x.grad, {name: p.grad for name, p in module.named_parameters()}


# ── normalisation ───────────────────────────────────────────────────────────────────────────────────────────


@EPS
@SIZES
def test_layer_norm_is_torchs_with_gradients(eps, scale):
    x, d_y = draw(B, T, C, scale=scale), draw(B, T, C, seed=1)
    gamma, beta = draw(C, seed=2), draw(C, seed=3)
    same(layer_norm(x, gamma, beta, eps), F.layer_norm(*map(torch.from_numpy, (x,)), (C,), torch.from_numpy(gamma), torch.from_numpy(beta), eps))
    ours, theirs = LayerNorm(C, eps).double(), nn.LayerNorm(C, eps).double()
    for module in (ours, theirs):
        module.load_state_dict({"weight": torch.from_numpy(gamma), "bias": torch.from_numpy(beta)})
    (y, d_x, grads), (y_theirs, d_x_theirs, grads_theirs) = with_gradients(ours, x, d_y), with_gradients(theirs, x, d_y)
    same(y, y_theirs)
    same(d_x, d_x_theirs)
    assert grads.keys() == grads_theirs.keys()
    for name in grads:
        same(grads[name], grads_theirs[name])


def test_layer_norm_begins_as_torchs_and_may_have_no_bias():
    same(LayerNorm(C).double()(torch.from_numpy(draw(T, C))), nn.LayerNorm(C).double()(torch.from_numpy(draw(T, C))))
    ours, theirs = LayerNorm(C, bias=False).double(), nn.LayerNorm(C, bias=False).double()
    assert ours.state_dict().keys() == theirs.state_dict().keys() == {"weight"}


@EPS
@SIZES
def test_rms_norm_is_torchs_with_gradients(eps, scale):
    x, d_y, gamma = draw(B, T, C, scale=scale), draw(B, T, C, seed=1), draw(C, seed=2)
    ours, theirs = RMSNorm(C, eps).double(), nn.RMSNorm(C, eps).double()
    for module in (ours, theirs):
        module.load_state_dict({"weight": torch.from_numpy(gamma)})
    (y, d_x, grads), (y_theirs, d_x_theirs, grads_theirs) = with_gradients(ours, x, d_y), with_gradients(theirs, x, d_y)
    same(rms_norm(x, gamma, eps), y_theirs)
    same(y, y_theirs)
    same(d_x, d_x_theirs)
    same(grads["weight"], grads_theirs["weight"])


def test_in_half_precision_large_numbers_do_not_overflow():
    x = torch.tensor([[300.0, -400.0]], dtype=torch.float16)  # squares are beyond 65504
    same(RMSNorm(2).half()(x).float(), np.array([[0.8485, -1.1314]]), rtol=1e-3)


# ── feed forward ────────────────────────────────────────────────────────────────────────────────────────────

X = np.concatenate([np.linspace(-6, 6, 241), [2.7, -2.7, 40.0, -40.0, 800.0, -800.0]])


@pytest.mark.parametrize("by_hand, theirs", [
    (ff.relu, F.relu), (ff.gelu, F.gelu), (ff.gelu_tanh, lambda x: F.gelu(x, approximate="tanh")), (ff.silu, F.silu),
], ids=["relu", "gelu", "gelu_tanh", "silu"])  # fmt: skip
def test_activations_are_torchs(by_hand, theirs):
    with np.errstate(all="raise"):
        same(by_hand(X), theirs(torch.from_numpy(X)), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", ff.ACTIVATIONS)
def test_a_layer_bends_as_the_hand_version_of_its_name(name):
    same(getattr(ff, name)(X), ff.ACTIVATIONS[name](torch.from_numpy(X)), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", ff.ACTIVATIONS)
def test_feed_forward_is_torchs_two_linear_maps_with_gradients(name):
    x, d_y = draw(B, T, C), draw(B, T, C, seed=1)
    ours = ff.FeedForward(C, INNER, name).double()
    theirs = nn.Sequential(nn.Linear(C, INNER), nn.Identity(), nn.Linear(INNER, C)).double()
    theirs[1].forward = ff.ACTIVATIONS[name]
    theirs[0].load_state_dict(ours.up.state_dict())
    theirs[2].load_state_dict(ours.down.state_dict())
    (y, d_x, grads), (y_theirs, d_x_theirs, grads_theirs) = with_gradients(ours, x, d_y), with_gradients(theirs, x, d_y)
    same(y, y_theirs)
    same(d_x, d_x_theirs)
    for name_, gradient in zip(("up.weight", "up.bias", "down.weight", "down.bias"), grads_theirs.values()):
        same(grads[name_], gradient)
    W_1, b_1, W_2, b_2 = (a.detach().numpy() for a in (ours.up.weight.T, ours.up.bias, ours.down.weight.T, ours.down.bias))
    same(ff.feed_forward(x, W_1, b_1, W_2, b_2, getattr(ff, name)), y_theirs)
    same(ours.hidden(torch.from_numpy(x)), getattr(ff, name)(x @ W_1 + b_1))


def test_swiglu_is_its_formula_with_gradients():
    x, d_y = draw(B, T, C), draw(B, T, C, seed=1)
    ours = ff.GatedFeedForward(C, INNER).double()
    gate, up, down = (module.weight.detach().clone().requires_grad_() for module in (ours.gate, ours.up, ours.down))
    y, _, grads = with_gradients(ours, x, d_y)
    theirs = (F.silu(torch.from_numpy(x) @ gate.T) * (torch.from_numpy(x) @ up.T)) @ down.T
    theirs.backward(torch.from_numpy(d_y))
    same(y, theirs)
    for name, matrix in (("gate.weight", gate), ("up.weight", up), ("down.weight", down)):
        same(grads[name], matrix.grad)
    same(ff.gated_feed_forward(x, *(matrix.detach().numpy().T for matrix in (gate, up, down))), theirs)


# ── what must hold whatever the numbers ─────────────────────────────────────────────────────────────────────


def test_every_intermediate_is_what_its_name_says():
    x, gamma, beta = draw(B, T, C, scale=3.0), draw(C, seed=2), draw(C, seed=3)
    steps = layer_norm_steps(x, gamma, beta, eps=0.1)
    same(steps.mean[..., 0], x.sum(axis=-1) / C)
    same(steps.centred, x - steps.mean)
    same(steps.variance[..., 0], x.var(axis=-1))
    same(steps.normalised, (x - steps.mean) / np.sqrt(x.var(axis=-1, keepdims=True) + 0.1))
    same(steps.output, steps.normalised * gamma + beta)


def test_each_vector_is_normalised_by_itself():
    x, gamma, beta = draw(B, T, C), draw(C, seed=2), draw(C, seed=3)
    other = x.copy()
    other[1, 2] += 5.0
    for norm in (lambda a: layer_norm(a, gamma, beta), lambda a: rms_norm(a, gamma)):
        moved = np.abs(norm(other) - norm(x)).max(axis=-1) > 1e-9
        assert moved.sum() <= 1 and moved.sum() == moved[1, 2]
    assert np.abs(rms_norm(other, gamma) - rms_norm(x, gamma))[1, 2].max() > 1e-3


def test_a_constant_vector_becomes_beta_and_a_zero_vector_zero():
    same(layer_norm(np.full((2, C), 5.0), draw(C), draw(C, seed=3)), np.broadcast_to(draw(C, seed=3), (2, C)))
    same(rms_norm(np.zeros((2, C)), draw(C)), np.zeros((2, C)))


def test_without_a_bend_two_maps_are_one_and_with_it_they_are_not():
    W_1, b_1, W_2, b_2 = draw(C, INNER), draw(INNER, seed=1), draw(INNER, C, seed=2), draw(C, seed=3)
    a, b, zero = draw(T, C, seed=4), -2 * draw(T, C, seed=5), np.zeros((T, C))

    def affine_gap(activation):
        f = lambda x: ff.feed_forward(x, W_1, b_1, W_2, b_2, activation)  # noqa: E731
        return np.abs(f(a + b) + f(zero) - f(a) - f(b)).max()

    assert affine_gap(lambda h: h) < 1e-12
    assert all(affine_gap(activation) > 0.1 for activation in (ff.relu, ff.gelu, ff.gelu_tanh, ff.silu))


@pytest.mark.parametrize("call, sentence", [
    (lambda: layer_norm(draw(T, C), np.ones((C, 1)), 0.0), r"gamma needs one number for each of 3 features, shape \(3,\), got \(3, 1\)"),
    (lambda: layer_norm(draw(T, C), 1.0, np.ones(C + 1)), r"beta needs one number for each of 3 features"),
    (lambda: layer_norm(draw(T, C), 1.0, 0.0, eps=-1.0), "eps is a small number, 0 or more"),
    (lambda: layer_norm(np.ones((3, 0)), 1.0, 0.0), r"nothing to take a mean of in x of shape \(3, 0\)"),
    (lambda: rms_norm(1.0, 1.0), r"nothing to take a mean of in x of shape \(\)"),
    (lambda: rms_norm(draw(T, C), np.ones(T)), r"gamma needs one number for each of 3 features"),
    (lambda: ff.feed_forward(draw(T, C), draw(INNER, C), draw(INNER), draw(C, INNER), draw(C)), "do not fit together"),
    (lambda: ff.feed_forward(draw(T, C), draw(C, INNER), draw(1), draw(INNER, C), draw(C)), "do not fit together"),
    (lambda: ff.feed_forward(draw(T, C), draw(C, INNER), draw(INNER), draw(INNER, C), draw(1)), "do not fit together"),
    (lambda: ff.gated_feed_forward(draw(T, C), draw(C, INNER), draw(C, 1), draw(INNER, C)), "do not fit together"),
    (lambda: ff.gated_feed_forward(draw(T, 4), draw(C, INNER), draw(C, INNER), draw(INNER, C)), "do not fit together"),
    (lambda: ff.FeedForward(C, INNER, "tanh"), "there is no activation 'tanh'; there are relu, gelu, gelu_tanh, silu"),
], ids=range(12))  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_defaults_are_the_published_ones():
    x = draw(T, C, scale=1e-3)
    same(layer_norm(x, 1.0, 0.0), layer_norm(x, 1.0, 0.0, 1e-5))
    same(rms_norm(x, 1.0), rms_norm(x, 1.0, 1e-6))
    assert (LayerNorm(C).eps, RMSNorm(C).eps) == (1e-5, 1e-6)
