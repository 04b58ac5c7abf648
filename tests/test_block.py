"""The three blocks, by hand and as layers: against torch's own encoder layer, and what must hold whatever the numbers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from course.blocks import attention as attention_module
from course.blocks.attention import MultiHeadAttention, attention, causal_mask
from course.blocks.block import (
    STD, BlockSteps, DocumentBlock, PostNormBlock, PreNormBlock, block, block_steps, document_block, parameters_by_hand,
    post_norm_block, self_attention, self_attention_steps,
)  # fmt: skip
from course.blocks.feed_forward import gelu, gelu_tanh, relu
from course.vectors.positions import RotaryPositions, rotate

# All dimensions differ, numbers of scale 1, biases and gains far from 0 and 1, and an eps that counts.
B, T, H, D, F_ = 2, 5, 3, 4, 7
C, EPS = H * D, 0.3
KINDS = {"pre-norm": (PreNormBlock, block), "post-norm": (PostNormBlock, post_norm_block), "document": (DocumentBlock, document_block)}
every_kind = pytest.mark.parametrize("kind", KINDS)
MASK = torch.from_numpy(causal_mask(T))


def a_layer(kind, *, activation="gelu_tanh", bias=True, rotary=None, seed=0):
    """A block in float64 with parameters of scale 0.5; its gains are around 1."""
    torch.manual_seed(seed)
    layer = KINDS[kind][0](C, H, F_, activation=activation, eps=EPS, bias=bias, rotary=rotary).double()
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.normal_(1.0 if "norm" in name and name.endswith("weight") else 0.0, 0.5)
    return layer


def a_text(seed=1, batch=B):
    return torch.randn(batch, T, C, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 1.5 + 0.3


def settings(kind, **more):
    """What the hand version is told of a layer made by `a_layer`."""
    return ({} if kind == "document" else {"eps": EPS}) | more


def same(ours, theirs, rtol=1e-9):
    ours, theirs = (a.detach().numpy() if torch.is_tensor(a) else a for a in (ours, theirs))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-10)


# ── the formulas, against torch's own ───────────────────────────────────────────────────────────────────────


class Document(nn.Module):
    """The document's formula from torch's own parts, with the names of torch's encoder layer."""

    def __init__(self, bias=True):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(C, H, bias=bias, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(C, F_, bias=bias), nn.Linear(F_, C, bias=bias)

    def forward(self, x, hidden):
        x = x + self.self_attn(x, x, x, attn_mask=hidden, need_weights=False)[0]
        return self.linear2(F.gelu(self.linear1(x), approximate="tanh"))


def torchs(kind, layer):
    """torch's encoder layer with the parameters of ours: for pre- and post-norm a class of its own has both."""
    bias = layer.attention.query.bias is not None
    if kind == "document":
        theirs = Document(bias)
    else:
        theirs = nn.TransformerEncoderLayer(C, H, F_, dropout=0.0, activation=lambda x: F.gelu(x, approximate="tanh"), bias=bias,
                                            layer_norm_eps=EPS, batch_first=True, norm_first=kind == "pre-norm")  # fmt: skip
    theirs = theirs.double()
    pairs = [(theirs.self_attn.out_proj, layer.attention.out), (theirs.linear1, layer.feed_forward.up),
             (theirs.linear2, layer.feed_forward.down)]  # fmt: skip
    if kind != "document":
        pairs += [(theirs.norm1, layer.norm_1), (theirs.norm2, layer.norm_2)]
    maps = (layer.attention.query, layer.attention.key, layer.attention.value)
    with torch.no_grad():
        for to, source in pairs:
            to.load_state_dict(source.state_dict())
        theirs.self_attn.in_proj_weight.copy_(torch.cat([linear.weight for linear in maps]))
        if bias:
            theirs.self_attn.in_proj_bias.copy_(torch.cat([linear.bias for linear in maps]))
    return theirs


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "plain"])
@every_kind
def test_layer_is_torchs_with_gradients(kind, bias):
    layer, x = a_layer(kind, bias=bias), a_text().requires_grad_()
    theirs, y = torchs(kind, layer), a_text().requires_grad_()
    ours, others = layer(x, MASK), theirs(y, ~MASK)  # torch's True: may not look
    same(ours, others)
    pull = a_text(seed=7)
    (ours * pull).sum().backward()
    (others * pull).sum().backward()
    same(x.grad, y.grad)
    same(layer.feed_forward.up.weight.grad, theirs.linear1.weight.grad)
    same(layer.attention.out.weight.grad, theirs.self_attn.out_proj.weight.grad)
    maps = (layer.attention.query, layer.attention.key, layer.attention.value)
    same(torch.cat([linear.weight.grad for linear in maps]), theirs.self_attn.in_proj_weight.grad)
    if kind != "document":
        same(layer.norm_1.weight.grad, theirs.norm1.weight.grad)
        same(layer.norm_2.weight.grad, theirs.norm2.weight.grad)


@every_kind
def test_by_hand_is_torchs(kind):
    layer, x = a_layer(kind), a_text()
    same(KINDS[kind][1](x, parameters_by_hand(layer), H, causal_mask(T), **settings(kind)), torchs(kind, layer)(x, ~MASK))


@pytest.mark.parametrize("name, bend", [("relu", relu), ("gelu", gelu), ("gelu_tanh", gelu_tanh)], ids=["relu", "gelu", "gelu_tanh"])
@every_kind
def test_by_hand_equals_layer_whatever_the_bend(kind, name, bend):
    layer, x = a_layer(kind, activation=name, bias=False), a_text()
    same(KINDS[kind][1](x, parameters_by_hand(layer), H, **settings(kind, activation=bend)), layer(x), rtol=1e-11)


def test_the_bend_is_gelu_tanh_unless_told():
    x, wide = a_text(), a_layer("pre-norm", activation="gelu_tanh")
    exact = a_layer("pre-norm", activation="gelu")
    same(block(x, parameters_by_hand(wide), H, eps=EPS), wide(x), rtol=1e-11)
    assert not torch.allclose(exact(x), wide(x), rtol=0, atol=1e-6)
    assert isinstance(PreNormBlock(C, H, F_).norm_2.eps, float) and PreNormBlock(C, H, F_).norm_2.eps == 1e-5


# ── every step by name ──────────────────────────────────────────────────────────────────────────────────────


def normed(x, gamma, beta):
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPS)
    return x * gamma + beta


def test_every_step_is_what_its_name_says():
    p, x = parameters_by_hand(a_layer("pre-norm")), a_text().numpy()
    steps = block_steps(x, p, H, causal_mask(T), eps=EPS)
    assert isinstance(steps, BlockSteps)
    np.testing.assert_array_equal(steps.x, x)
    same(steps.normed_1, normed(x, p["gamma_1"], p["beta_1"]))
    for b, h in np.ndindex(B, H):
        own = slice(h * D, (h + 1) * D)
        q, k, v = (steps.normed_1[b] @ p[f"W_{a}"][:, own] + p[f"b_{a}"][own] for a in "QKV")
        same(steps.q[b, h], q)
        same(steps.k[b, h], k)
        same(steps.v[b, h], v)
        same(steps.scores[b, h], q @ k.T / 2)  # √4
        found, weights = attention(q, k, v, causal_mask(T))
        same(steps.weights[b, h], weights)
        same(steps.heads[b, h], found)
        assert (np.triu(steps.weights[b, h], 1) == 0).all()
    side_by_side = np.concatenate(list(steps.heads.swapaxes(0, 1)), axis=-1)  # (B, T, C)
    same(steps.attention, side_by_side @ p["W_O"] + p["b_O"])
    same(steps.middle, x + steps.attention)
    same(steps.normed_2, normed(steps.middle, p["gamma_2"], p["beta_2"]))
    same(steps.inner, steps.normed_2 @ p["W_1"] + p["b_1"])
    same(steps.hidden, gelu_tanh(steps.inner))
    same(steps.feed_forward, steps.hidden @ p["W_2"] + p["b_2"])
    same(steps.output, steps.middle + steps.feed_forward)


@pytest.mark.parametrize("turn", [None, lambda a: rotate(a, np.arange(T) + 3)], ids=["plain", "rotary"])
def test_steps_end_where_the_block_ends(turn):
    p, x = parameters_by_hand(a_layer("pre-norm")), a_text().numpy()
    rest = dict(activation=relu, eps=EPS, turn=turn)
    same(block_steps(x, p, H, causal_mask(T), **rest).output, block(x, p, H, causal_mask(T), **rest), rtol=1e-13)
    part = self_attention_steps(x, p, H, causal_mask(T), turn)
    same(part.attention, self_attention(x, p, H, causal_mask(T), turn), rtol=1e-13)
    assert not np.allclose(block(x, p, H, **rest), block(x, p, H, causal_mask(T), **rest))


# ── what must hold whatever the numbers ─────────────────────────────────────────────────────────────────────


def silent(layer):
    """The layer with parts that give 0: the maps that write have no weights and no biases."""
    with torch.no_grad():
        for linear in (layer.attention.out, layer.feed_forward.down):
            linear.weight.zero_()
            linear.bias.zero_()
    return layer


def test_with_silent_parts_a_pre_norm_block_is_the_identity():
    layer, x = silent(a_layer("pre-norm")), a_text()
    np.testing.assert_array_equal(layer(x).detach(), x)
    np.testing.assert_array_equal(block(x, parameters_by_hand(layer), H), x)


def test_with_silent_parts_a_post_norm_block_is_its_norms():
    layer, x = silent(a_layer("post-norm")), a_text()
    p = parameters_by_hand(layer)
    expected = normed(normed(x.numpy(), p["gamma_1"], p["beta_1"]), p["gamma_2"], p["beta_2"])
    same(layer(x), expected)
    same(post_norm_block(x, p, H, eps=EPS), expected)


def test_with_silent_parts_the_documents_block_forgets_everything():
    layer, x = silent(a_layer("document")), a_text()
    assert (layer(x) == 0).all() and (document_block(x, parameters_by_hand(layer), H) == 0).all()


@every_kind
@given(seed=st.integers(0, 1000), t=st.integers(0, T - 2))
def test_the_future_changes_no_earlier_output(kind, seed, t):
    layer, x = a_layer(kind), a_text(seed)
    p, changed = parameters_by_hand(layer), x.clone()
    changed[:, t + 1 :] = a_text(seed + 1)[:, t + 1 :] * 9
    for run in (lambda a: layer(a, causal=True), lambda a: layer(a, MASK),
                lambda a: torch.from_numpy(KINDS[kind][1](a, p, H, causal_mask(T)))):  # fmt: skip
        before, after = run(x), run(changed)
        np.testing.assert_allclose(after[:, : t + 1].detach(), before[:, : t + 1].detach(), rtol=1e-9, atol=1e-11)
        assert not torch.allclose(before[:, t + 1 :], after[:, t + 1 :])


@every_kind
def test_causal_is_the_causal_mask_and_no_mask_is_none(kind):
    layer, x = a_layer(kind), a_text()
    same(layer(x, causal=True), layer(x, MASK))
    assert not torch.allclose(layer(x)[:, 0], layer(x, MASK)[:, 0])  # without a mask the first word hears the last


@every_kind
def test_a_batch_is_its_examples(kind):
    layer, x = a_layer(kind), a_text()
    together, p = layer(x, causal=True), parameters_by_hand(layer)
    for one, alone in zip(together, x):
        same(layer(alone[None], causal=True)[0], one)
        same(KINDS[kind][1](alone, p, H, causal_mask(T), **settings(kind)), one)


def test_causal_builds_no_mask(monkeypatch):
    asked, fused = [], F.scaled_dot_product_attention
    monkeypatch.setattr(attention_module.F, "scaled_dot_product_attention", lambda *a, **k: asked.append(k) or fused(*a, **k))
    layer, x = a_layer("pre-norm"), a_text()
    layer(x, causal=True)
    layer(x, MASK)
    assert [(call["attn_mask"] is None, call["is_causal"]) for call in asked] == [(True, True), (False, False)]


# ── rotary positions ────────────────────────────────────────────────────────────────────────────────────────


@every_kind
def test_rotary_by_hand_equals_layer(kind):
    layer, x = a_layer(kind, rotary=RotaryPositions(D)), a_text()
    p, turn = parameters_by_hand(layer), lambda a: rotate(a, np.arange(T))
    by_hand = KINDS[kind][1](x, p, H, causal_mask(T), turn=turn, **settings(kind))
    same(layer(x, causal=True), by_hand)
    assert not np.allclose(KINDS[kind][1](x, p, H, causal_mask(T), **settings(kind)), by_hand)


@every_kind
def test_rotary_tells_distances_alone(kind):
    layer, x, near = a_layer(kind, rotary=RotaryPositions(D)), a_text(), torch.arange(T)
    for far in (near + 40, torch.stack([near + 3, near + 700])):  # (T,), and (B, T): each example its own
        same(layer(x, causal=True, positions=far), layer(x, causal=True), rtol=1e-6)
    assert not torch.allclose(layer(x, causal=True, positions=2 * near), layer(x, causal=True))


def test_rotary_turns_queries_and_keys_and_no_values():
    plain, x = a_layer("pre-norm").attention, a_text()
    turned = a_layer("pre-norm", rotary=RotaryPositions(D)).attention
    positions = torch.arange(T) + 2
    q, k, v = plain.heads(x)
    for ours, theirs in zip(turned.heads(x, positions=positions), (rotate(q.detach(), positions), rotate(k.detach(), positions), v)):
        same(ours, theirs)
    z, weights = turned.attend(x, causal=True, positions=positions)
    same(z, turned(x, causal=True, positions=positions))
    assert (weights.triu(1) == 0).all() and torch.allclose(weights.sum(-1), torch.ones(B, H, T, dtype=torch.float64))


# ── parameters ──────────────────────────────────────────────────────────────────────────────────────────────


@every_kind
def test_parameters_are_as_many_as_written(kind):
    norms = 0 if kind == "document" else 2
    for bias in (True, False):
        count = sum(p.numel() for p in KINDS[kind][0](C, H, F_, bias=bias).parameters())
        assert count == 4 * C**2 + 2 * C * F_ + norms * C + (5 * C + F_ + norms * C if bias else 0)


def test_two_thirds_of_a_usual_block_are_in_the_feed_forward_part():
    layer = PreNormBlock(128, 4, 4 * 128, bias=False)
    part = sum(p.numel() for p in layer.feed_forward.parameters()) / sum(p.numel() for p in layer.parameters())
    assert part == pytest.approx(2 / 3, abs=0.002)


def test_by_hand_are_copies_of_all():
    layer = a_layer("post-norm", bias=False)
    p = parameters_by_hand(layer)
    assert len(p) == 16 and all(a.dtype == np.float64 for a in p.values())
    assert all((p[name] == 0).all() for name in ("b_Q", "b_K", "b_V", "b_O", "b_1", "b_2", "beta_1", "beta_2"))
    np.testing.assert_array_equal(p["W_1"], layer.feed_forward.up.weight.detach().T)
    for array in p.values():
        array[...] = 7.0
    assert not any((parameter == 7).any() for parameter in layer.parameters())
    assert sorted(parameters_by_hand(a_layer("document"))) == sorted(name for name in p if name[:2] not in ("ga", "be"))


@pytest.mark.parametrize("kind, biased", [(kind, bias) for kind in KINDS for bias in (True, False)])
def test_the_start(kind, biased):
    torch.manual_seed(0)
    C, L = 128, 8
    layer = KINDS[kind][0](C, 4, 4 * C, bias=biased)
    for parameter in layer.parameters():
        nn.init.constant_(parameter, 1.0)
    layer.initialise(L)
    writers = ("attention.out", "feed_forward.down")
    for name, linear in layer.named_modules():
        if not isinstance(linear, nn.Linear):
            continue
        inward = math.sqrt((2 if name == writers[1] else 1) / linear.in_features)
        expected = inward if kind == "document" else STD / (math.sqrt(2 * L) if name in writers else 1)
        assert linear.weight.std().item() == pytest.approx(expected, rel=0.03), name
        assert abs(linear.weight.mean().item()) < expected / 20
        assert linear.bias is None if not biased else (linear.bias == 0).all()
    assert STD == 0.02
    if kind != "document":
        assert (layer.norm_1.weight == 1).all() and (layer.norm_2.weight == 1).all()


def test_the_documents_block_starts_without_fading():
    torch.manual_seed(0)
    layer = DocumentBlock(128, 4, 4 * 128)
    layer.initialise(1)
    x = torch.randn(4, 16, 128)
    assert 0.5 < (layer(x, causal=True).std() / x.std()).item() < 1.5


def test_which_stacks_need_a_norm_at_the_end():
    assert [KINDS[kind][0].needs_final_norm for kind in ("pre-norm", "post-norm", "document")] == [True, False, False]


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = parameters_by_hand(a_layer("pre-norm"))
X = a_text().numpy()
BY_HAND = [
    (X, {name: a for name, a in GOOD.items() if name not in ("b_K", "W_2")}, None, ValueError, "lack b_K, W_2"),
    (X, GOOD | {"b_O": np.zeros(1)}, None, ValueError, r"b_O needs shape \(12,\) beside x of width 12, got \(1,\)"),
    (X, GOOD | {"W_1": GOOD["W_1"].T}, None, ValueError, r"W_1 needs shape \(12, 7\) .* got \(7, 12\)"),
    (X, GOOD | {"gamma_2": np.ones((C, 1))}, None, ValueError, "gamma_2 needs shape"),
    (X[..., :8], GOOD, None, ValueError, "beside x of width 8"),
    (X[0, 0], GOOD, None, ValueError, "at least two axes"),
    (X, GOOD, np.ones((B, T, T), bool), ValueError, "has two axes, or all 4"),
    (X, GOOD, np.ones((T, T)), TypeError, "boolean, True = may look"),
]


@pytest.mark.parametrize("x, p, mask, error, sentence", BY_HAND, ids=range(len(BY_HAND)))
@pytest.mark.parametrize("function", [block, block_steps, post_norm_block], ids=lambda function: function.__name__)
def test_errors_by_hand_say_what_is_wrong(function, x, p, mask, error, sentence):
    with pytest.raises(error, match=sentence):
        function(x, p, H, mask)


def test_the_documents_block_needs_no_norms():
    bare = {name: a for name, a in GOOD.items() if not name.startswith(("gamma", "beta"))}
    np.testing.assert_array_equal(document_block(X, bare, H), document_block(X, GOOD, H))
    with pytest.raises(ValueError, match="lack gamma_1, beta_1, gamma_2, beta_2"):
        block(X, bare, H)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="a width of 12 can't be cut into 5"):
        block(X, GOOD, 5)
    with pytest.raises(ValueError, match="a width of 12 can't be cut into 5"):
        PreNormBlock(C, 5, F_)


def test_causal_goes_with_no_other_mask_and_with_one_text():
    layer, x = MultiHeadAttention(C, H).double(), a_text()
    for method in (layer, layer.attend):
        for more in ({"mask": MASK}, {"memory": x}):
            with pytest.raises(ValueError, match="give no other mask and no memory"):
                method(x, causal=True, **more)
    turning = MultiHeadAttention(C, H, rotary=RotaryPositions(D)).double()
    with pytest.raises(ValueError, match="no memory with them"):
        turning(x, memory=x)
