"""Many heads give the numbers that PyTorch gives: nn.MultiheadAttention and scaled_dot_product_attention."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course.blocks.attention import MultiHeadAttention, causal_mask, merge_heads, multi_head_attention, padding_mask, split_heads

# All dimensions differ, so that a swapped axis can't hide; inputs of scale ≥ 1, so that a missing scale can't.
B, T, S, H, D = 2, 5, 7, 3, 4
C = H * D


def a_layer(bias=False, seed=0):
    """A layer in float64 whose parameters, biases too, are all far from 0."""
    torch.manual_seed(seed)
    layer = MultiHeadAttention(C, H, bias=bias).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layer


def texts(cross, seed=1):
    """x (B, T, C) and memory (B, S, C) or None."""
    torch.manual_seed(seed)
    x = (torch.randn(B, T, C, dtype=torch.float64) * 1.5 + 0.3).requires_grad_()
    return x, (torch.randn(B, S, C, dtype=torch.float64) * 1.5 - 0.2).requires_grad_() if cross else None


def same(ours, theirs):
    ours, theirs = (a.detach().numpy() if torch.is_tensor(a) else a for a in (ours, theirs))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


# ── nn.MultiheadAttention ───────────────────────────────────────────────────────────────────────────────────


def torchs(layer):
    """nn.MultiheadAttention with the same parameters."""
    bias = layer.query.bias is not None
    theirs = nn.MultiheadAttention(C, H, bias=bias, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([layer.query.weight, layer.key.weight, layer.value.weight]))
        theirs.out_proj.weight.copy_(layer.out.weight)
        if bias:
            theirs.in_proj_bias.copy_(torch.cat([layer.query.bias, layer.key.bias, layer.value.bias]))
            theirs.out_proj.bias.copy_(layer.out.bias)
    return theirs


def masks_for(kind, keys):
    """(ours, torch's attn_mask, torch's key_padding_mask): theirs are True where one may *not* look."""
    random = np.random.default_rng(3)
    causal = torch.from_numpy(np.tril(np.ones((T, keys), bool)))
    each = random.random((B, H, T, keys)) < 0.5
    each[..., 0] = True  # every query has a key to look at; the other case is below
    each = torch.from_numpy(each)
    real = torch.from_numpy(padding_mask([keys - 3, keys], keys))  # (B, S), keys of the first example are missing
    return {
        "none": (None, None, None),
        "attn_mask of 2 axes": (causal, ~causal, None),
        "attn_mask of 3 axes": (each, ~each.reshape(B * H, T, keys), None),
        "key_padding_mask": (real[:, None, None, :], None, ~real),
        "both, 2 axes": (causal & real[:, None, None, :], ~causal, ~real),
        "both, 3 axes": (each & real[:, None, None, :], ~each.reshape(B * H, T, keys), ~real),
    }[kind]


KINDS = ["none", "attn_mask of 2 axes", "attn_mask of 3 axes", "key_padding_mask", "both, 2 axes", "both, 3 axes"]
every_case = pytest.mark.parametrize(
    "kind, cross, bias", [pytest.param(kind, cross, bias, id=f"{kind}-{'cross' if cross else 'self'}-{'bias' if bias else 'plain'}")
                          for kind in KINDS for cross in (False, True) for bias in (False, True)])  # fmt: skip


def gradients(layer, output, x, memory):
    """d loss / d everything, for a loss that pulls each number of the output its own way."""
    pull = torch.randn(B, T, C, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    inputs = [x] if memory is None else [x, memory]
    found = torch.autograd.grad(output, [*inputs, *layer.parameters()], pull)
    names = ["x", "memory"][: len(inputs)] + [name for name, _ in layer.named_parameters()]
    return dict(zip(names, found, strict=True))


@every_case
def test_layer_equals_torchs_module_with_gradients(kind, cross, bias):
    layer = a_layer(bias)
    reference = torchs(layer)
    x, memory = texts(cross)
    mask, attn_mask, key_padding_mask = masks_for(kind, S if cross else T)
    other = x if memory is None else memory
    theirs, their_weights = reference(x, other, other, key_padding_mask=key_padding_mask, attn_mask=attn_mask,
                                      average_attn_weights=False)  # fmt: skip
    their_gradients = gradients(reference, theirs, x, memory)
    split = {f"{name}.weight": part for name, part in zip(["query", "key", "value"], their_gradients["in_proj_weight"].split(C))}
    split["out.weight"] = their_gradients["out_proj.weight"]
    if bias:
        split |= {f"{name}.bias": part for name, part in zip(["query", "key", "value"], their_gradients["in_proj_bias"].split(C))}
        split["out.bias"] = their_gradients["out_proj.bias"]
    for name in ("x", "memory") if cross else ("x",):
        split[name] = their_gradients[name]

    shown, weights = layer.attend(x, mask, memory)
    same(weights, their_weights)
    for output in (layer(x, mask, memory), shown):
        same(output, theirs)
        ours = gradients(layer, output, x, memory)
        assert ours.keys() == split.keys()
        for name in split:
            assert split[name].abs().max() > 1e-3 or name == "key.bias"  # a bias of the keys shifts all scores of a row
            same(ours[name], split[name])


# ── rows with nothing to look at: torch's module says NaN, scaled_dot_product_attention 0 ───────────────────


def by_torch(layer, x, mask, memory):
    """The layer with torch's function on torch's own cutting into heads."""
    other = x if memory is None else memory
    q, k, v = (linear(a).unflatten(-1, (H, D)).movedim(2, 1) for linear, a in
               ((layer.query, x), (layer.key, other), (layer.value, other)))  # fmt: skip
    return layer.out(F.scaled_dot_product_attention(q, k, v, attn_mask=mask).movedim(1, 2).flatten(2))


@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
def test_rows_with_nothing_to_look_at_equal_torchs_function_with_gradients(cross, bias):
    layer, (x, memory) = a_layer(bias), texts(cross)
    mask = torch.rand(B, H, T, S if cross else T, generator=torch.Generator().manual_seed(5)) < 0.5
    mask[:, 1, 2] = False  # one head of one query
    mask[1, :, 3] = False  # a query in all heads
    theirs = by_torch(layer, x, mask, memory)
    assert torchs(layer)(x, x, x, attn_mask=~torch.zeros(B * H, T, T, dtype=bool))[0].isnan().all()  # the reason for this test
    expected = gradients(layer, theirs, x, memory)
    shown, weights = layer.attend(x, mask, memory)
    for output in (layer(x, mask, memory), shown):
        same(output, theirs)
        for name, gradient in gradients(layer, output, x, memory).items():
            assert gradient.isfinite().all()
            same(gradient, expected[name])
    assert (weights[1, :, 3] == 0).all() and (weights[:, 1, 2] == 0).all() and weights.isfinite().all()
    nothing = layer.out.bias if bias else torch.zeros(C, dtype=torch.float64)
    same(shown[1, 3], nothing)


# ── the hand version ────────────────────────────────────────────────────────────────────────────────────────


def matrices(layer):
    """W_Q, W_K, W_V, W_O as the hand version takes them: rows are the features that come in."""
    return [linear.weight.detach().numpy().T for linear in (layer.query, layer.key, layer.value, layer.out)]


def numpy(tensor):
    return None if tensor is None else tensor.detach().numpy()


@pytest.mark.parametrize("kind", [*KINDS, "empty rows"])
@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
def test_loop_by_hand_equals_layer(kind, cross):
    layer, (x, memory) = a_layer(), texts(cross)
    if kind == "empty rows":
        mask = torch.rand(B, H, T, S if cross else T, generator=torch.Generator().manual_seed(5)) < 0.4
        mask[:, 1, 2] = mask[1, :, 3] = False
    else:
        mask = masks_for(kind, S if cross else T)[0]
    by_hand = multi_head_attention(numpy(x), *matrices(layer), H, numpy(mask), numpy(memory))
    for ours, theirs in zip(by_hand, layer.attend(x, mask, memory)):
        same(ours, theirs)
    same(by_hand[0], layer(x, mask, memory))


@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
def test_a_bias_by_hand_is_a_feature_that_is_always_one(cross):
    layer, (x, memory) = a_layer(bias=True), texts(cross)
    with_one = [None if a is None else np.concatenate([a.detach().numpy(), np.ones((*a.shape[:-1], 1))], -1) for a in (x, memory)]
    linears = (layer.query, layer.key, layer.value)
    wide = [np.vstack([linear.weight.detach().numpy().T, linear.bias.detach().numpy()]) for linear in linears]
    output, weights = multi_head_attention(with_one[0], *wide, matrices(layer)[3], H, None, with_one[1])
    theirs, their_weights = layer.attend(x, None, memory)
    same(weights, their_weights)
    same(output + layer.out.bias.detach().numpy(), theirs)


def test_leading_axes_are_examples_of_their_own():
    layer = a_layer()
    x = np.random.default_rng(0).normal(size=(2, 3, T, C)) * 1.5
    mask = causal_mask(T)
    output, weights = multi_head_attention(x, *matrices(layer), H, mask)
    for index in np.ndindex(2, 3):
        alone = multi_head_attention(x[index], *matrices(layer), H, mask)
        same(output[index], alone[0])
        same(weights[index], alone[1])
    theirs, their_weights = layer.attend(torch.from_numpy(x), torch.from_numpy(mask))
    same(theirs, output)
    same(their_weights, weights)
    same(layer(torch.from_numpy(x[0, 0]), torch.from_numpy(mask)), output[0, 0])  # one text without an axis for it


def test_sum_over_heads_equals_concatenation_times_the_output_matrix():
    """Each head writes to x by D rows of W_O of its own: concat(O_1 … O_H) W_O = Σ O_h W_O_h."""
    layer, (x, _) = a_layer(), texts(False)
    W_Q, W_K, W_V, W_O = matrices(layer)
    _, weights = layer.attend(x)
    heads = weights.detach().numpy() @ split_heads(x.detach().numpy() @ W_V, H)  # (B, H, T, D)
    total = sum(heads[:, h] @ W_O[h * D : (h + 1) * D] for h in range(H))
    np.testing.assert_allclose(total, merge_heads(heads) @ W_O, rtol=1e-12, atol=1e-12)
    same(total, layer(x))


@pytest.mark.parametrize("off", [[0], [1], [2], [0, 2], [0, 1, 2]], ids=str)
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
def test_a_head_switched_off_is_its_term_left_out(off, bias):
    layer, (x, memory) = a_layer(bias), texts(True)
    mask = masks_for("attn_mask of 3 axes", S)[0]
    _, weights = layer.attend(x, mask, memory)
    values = split_heads(layer.value(memory), H)
    terms = [weights[:, h] @ values[:, h] @ layer.out.weight[:, h * D : (h + 1) * D].T for h in range(H)]
    left = sum((terms[h] for h in range(H) if h not in off), torch.zeros(B, T, C, dtype=torch.float64))
    left = left + layer.out.bias if bias else left
    layer.heads_on[off] = False
    shown, still_looking = layer.attend(x, mask, memory)
    for output in (layer(x, mask, memory), shown):
        np.testing.assert_allclose(output.detach().numpy(), left.detach().numpy(), rtol=1e-12, atol=1e-12)
    same(still_looking, weights)
    layer.heads_on[:] = True
    same(layer(x, mask, memory), sum(terms) + (layer.out.bias if bias else 0.0))


@pytest.mark.parametrize("n_heads", [1, 2, 12])
def test_other_numbers_of_heads_equal_torchs_module(n_heads):
    torch.manual_seed(2)
    layer = MultiHeadAttention(C, n_heads).double()
    theirs = nn.MultiheadAttention(C, n_heads, bias=False, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([layer.query.weight, layer.key.weight, layer.value.weight]))
        theirs.out_proj.weight.copy_(layer.out.weight)
    x = torch.randn(B, T, C, dtype=torch.float64) * 3
    expected, weights = theirs(x, x, x, average_attn_weights=False)
    same(layer(x), expected)
    same(layer.attend(x)[1], weights)
    assert multi_head_attention(x.numpy(), *matrices(layer), n_heads)[1].shape == (B, n_heads, T, T)


def test_single_precision_agrees_too():
    layer, (x, memory) = a_layer(bias=True), texts(True)
    expected = layer(x, None, memory)
    ours = layer.float()(x.float(), None, memory.float())
    np.testing.assert_allclose(ours.detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_the_same_on_a_gpu():
    layer, (x, memory) = a_layer(bias=True), texts(True)
    mask = masks_for("both, 3 axes", S)[0]
    layer.heads_on[1] = False
    expected = layer.attend(x, mask, memory)
    layer, on_gpu = layer.cuda(), [a.cuda() for a in (x, mask, memory)]
    for ours, theirs in zip(layer.attend(*on_gpu), expected):
        same(ours.cpu(), theirs)
    same(layer(*on_gpu).cpu(), expected[0])
