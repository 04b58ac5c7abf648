"""course.blocks.attention gives the numbers that PyTorch gives: outputs, weights and gradients."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course.blocks.attention import SelfAttention, attention, attention_torch, causal_mask, softmax, softmax_jacobian

# All dimensions differ, so that a swapped axis can't hide; inputs of scale ≥ 1, so that a missing scale can't.
B, H, T, S, D, E = 2, 3, 5, 7, 4, 6
SHAPES = [((T, D), (S, D), (S, E)), ((H, T, D), (H, S, D), (H, S, E)), ((B, H, T, D), (B, H, S, D), (B, H, S, E)),
          ((1, D), (S, D), (S, 1)), ((T, 1), (1, 1), (1, E)), ((B, T, D), (B, T, D), (B, T, D))]  # fmt: skip


def draw(shapes, seed=0, scale=2.0):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape) * scale + 0.3 for shape in shapes]


def masks(shapes, seed=0):
    """None, causal, random, and random with rows that have nothing to look at."""
    (q, k, _), random = shapes, np.random.default_rng(seed + 1)
    T, S = q[-2], k[-2]
    full = (*q[:-2], T, S)
    some = random.random(full) < 0.6
    some[..., 0] = True
    empty = random.random(full) < 0.6
    empty[..., T // 2, :] = False
    return {"none": None, "causal": np.tril(np.ones((T, S), bool)), "some": some, "empty rows": empty}


CASES = [pytest.param(shapes, name, id=f"{shapes[0]}-{name}") for shapes in SHAPES for name in masks(SHAPES[0])]


def reference(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, None if mask is None else torch.from_numpy(mask))


def same(ours, theirs):
    ours, theirs = (a.detach().numpy() if torch.is_tensor(a) else a for a in (ours, theirs))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("shapes, name", CASES)
def test_by_hand_equals_torch(shapes, name):
    q, k, v = draw(shapes)
    mask = masks(shapes)[name]
    output, _ = attention(q, k, v, mask)
    same(output, reference(*map(torch.from_numpy, (q, k, v)), mask))


@pytest.mark.parametrize("shapes, name", CASES)
def test_weights_by_hand_equal_torch(shapes, name):
    # With the identity as values the output *is* the weights.
    q, k, _ = draw(shapes)
    mask = masks(shapes)[name]
    identity = np.broadcast_to(np.eye(k.shape[-2]), (*k.shape[:-1], k.shape[-2])).copy()
    _, weights = attention(q, k, identity, mask)
    same(weights, reference(*map(torch.from_numpy, (q, k, identity)), mask))


@pytest.mark.parametrize("shapes, name", CASES)
def test_layer_equals_torch_with_gradients(shapes, name):
    mask = masks(shapes)[name]
    pull = torch.from_numpy(draw([(*shapes[0][:-1], shapes[2][-1])], seed=9)[0])  # d loss / d output
    results = []
    for function in (lambda *a: attention_torch(*a)[0], lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m)):
        tensors = [torch.from_numpy(a).requires_grad_() for a in draw(shapes)]
        output = function(*tensors, None if mask is None else torch.from_numpy(mask))
        results.append((output, *torch.autograd.grad(output, tensors, pull)))
    for ours, theirs in zip(*results):
        assert torch.isfinite(ours).all()
        same(ours, theirs)


@pytest.mark.parametrize("shapes, name", CASES)
def test_layer_weights_equal_by_hand(shapes, name):
    q, k, v = draw(shapes, seed=4)
    mask = masks(shapes)[name]
    _, ours = attention_torch(*map(torch.from_numpy, (q, k, v)), None if mask is None else torch.from_numpy(mask))
    same(ours, attention(q, k, v, mask)[1])


@pytest.mark.parametrize("dtype, rtol", [(torch.float64, 1e-6), (torch.float32, 1e-4)])
def test_self_attention_is_the_same_three_ways(dtype, rtol):
    """forward (fused), attend (with weights) and the hand version on the layer's own matrices."""
    torch.manual_seed(0)
    layer = SelfAttention(d_model=8, d_head=D).to(dtype)
    x = torch.randn(B, T, 8, dtype=dtype) * 2
    mask = torch.from_numpy(causal_mask(T)).expand(B, T, T).clone()
    mask[1, 3] = False  # nothing to look at
    by_hand = attention(*(x.numpy() @ w.weight.detach().numpy().T for w in (layer.query, layer.key, layer.value)), mask.numpy())
    output, weights = layer.attend(x, mask)
    for ours, theirs in [(layer(x, mask), by_hand[0]), (output, by_hand[0]), (weights, by_hand[1])]:
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=rtol, atol=1e-6)
    assert (output[1, 3] == 0).all() and (weights[1, 3] == 0).all()
    layer(x, mask).sum().backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().max() > 0 for p in layer.parameters())


def test_softmax_equals_torch_along_every_axis():
    x = draw([(2, 3, 4)], scale=300.0)[0]
    for axis in (-1, 0, 1, 2):
        same(softmax(x, axis), torch.from_numpy(x).softmax(axis))


def test_jacobian_equals_autograd_and_finite_differences():
    x = draw([(S,)])[0]
    ours = softmax_jacobian(softmax(x))
    same(ours, torch.autograd.functional.jacobian(lambda t: t.softmax(-1), torch.from_numpy(x)))
    step = 1e-6
    numeric = np.stack([(softmax(x + step * e) - softmax(x - step * e)) / (2 * step) for e in np.eye(S)], axis=1)
    np.testing.assert_allclose(ours, numeric, rtol=1e-6, atol=1e-9)


def test_jacobian_of_many_rows_is_each_rows_own():
    weights = softmax(draw([(B, T, S)])[0])
    for index in np.ndindex(B, T):
        same(softmax_jacobian(weights)[index], softmax_jacobian(weights[index]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_the_same_on_a_gpu():
    tensors = [torch.from_numpy(a) for a in draw(SHAPES[2])]
    mask = torch.from_numpy(masks(SHAPES[2])["empty rows"])
    on_gpu = attention_torch(*(t.cuda() for t in tensors), mask.cuda())
    for ours, theirs in zip(on_gpu, attention_torch(*tensors, mask)):
        same(ours.cpu(), theirs)


def test_scale_is_the_width_of_a_head():
    """At D = 1 a missing scale is invisible; here it is not: scores are products / √D."""
    q, k, v = draw(SHAPES[0])
    wrong = softmax(q @ k.T) @ v
    assert np.abs(wrong - attention(q, k, v)[0]).max() > 0.1
    np.testing.assert_allclose(attention(q * math.sqrt(D), k, v)[0], wrong, rtol=1e-9)
