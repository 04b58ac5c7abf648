"""The whole model: by hand and as a layer, what must hold whatever the numbers, how it starts, what it refuses."""

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from course.blocks import feed_forward
from course.blocks.attention import causal_mask
from course.blocks.block import DocumentBlock, PostNormBlock, PreNormBlock, block_steps
from course.models import GPT, GPTConfig
from course.models.gpt import GPTSteps, by_hand, gpt, gpt_steps
from course.vectors.embedding import ScaledEmbedding
from course.vectors.positions import frequencies, rotate, sinusoidal

B, T, V, P, H, D, L = 2, 6, 19, 9, 3, 4, 3  # P: context_length
C = H * D
SIZES = dict(vocab_size=V, context_length=P, d_model=C, n_heads=H, n_layers=L, d_ff=7, eps=0.1)
POSITIONS = ("learned", "sinusoidal", "rotary", "none")
BLOCKS = {"pre-norm": PreNormBlock, "post-norm": PostNormBlock, "document": DocumentBlock}
every_position = pytest.mark.parametrize("positions", POSITIONS)


def a_model(block=PreNormBlock, seed=0, **choices):
    """A GPT in float64 with parameters of scale 0.5; its gains are around 1."""
    torch.manual_seed(seed)
    model = GPT(GPTConfig(**SIZES | choices), block).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if "norm" in name and name.endswith("weight") else 0.0, 0.5)
    return model


def some_ids(seed=1, *shape):
    return torch.randint(V, shape or (B, T), generator=torch.Generator().manual_seed(seed))


def told(model, T=T):
    """What the hand version is told beside the parameters."""
    turn = (lambda a: rotate(a, np.arange(T), model.config.rotary_base)) if model.config.positions == "rotary" else None
    return dict(n_heads=H, activation=getattr(feed_forward, model.config.activation), eps=model.config.eps, turn=turn)


def same(ours, theirs, rtol=1e-9):
    ours, theirs = (a.detach().numpy() if torch.is_tensor(a) else a for a in (ours, theirs))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-10)


# ── by hand and as a layer ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("choices", [{}, {"tied": False}, {"bias": False}, {"bias": False, "tied": False, "activation": "relu"},
                                     {"activation": "gelu"}, {"activation": "silu", "n_layers": 1}],
                         ids=lambda choices: "-".join(map(str, choices.values())) or "plain")  # fmt: skip
@every_position
def test_by_hand_equals_layer(positions, choices):
    model, ids = a_model(positions=positions, rotary_base=50.0, **choices), some_ids()
    logits = gpt(ids, by_hand(model), **told(model))
    same(logits, model(ids), rtol=1e-10)
    same(gpt_steps(ids, by_hand(model), **told(model)).logits, logits, rtol=1e-12)
    same(gpt(ids[0].tolist(), by_hand(model), **told(model)), model(ids)[0], rtol=1e-10)


def test_every_step_is_what_its_name_says():
    model, ids = a_model(), some_ids()[0].numpy()
    p = by_hand(model)
    steps = gpt_steps(ids, p, **told(model))
    assert isinstance(steps, GPTSteps) and len(steps.blocks) == L
    for t, token in enumerate(ids):
        np.testing.assert_array_equal(steps.embedding[t], model.embedding.weight[token].detach())
        np.testing.assert_array_equal(steps.positions[t], model.positions.weight[t].detach())
    same(steps.x, steps.embedding + steps.positions)
    x = steps.x
    for own, found in zip(p["blocks"], steps.blocks):
        for ours, theirs in zip(found, block_steps(x, own, H, causal_mask(T), eps=0.1)):
            np.testing.assert_array_equal(ours, theirs)
        x = found.output
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    same(steps.normed, (x - mean) / np.sqrt(variance + 0.1) * p["gamma"] + p["beta"])
    same(steps.logits, steps.normed @ model.embedding.weight.detach().numpy().T)


def test_the_defaults_by_hand_are_gpt2s():
    model = a_model(eps=1e-5)
    same(gpt(some_ids(), by_hand(model), H), model(some_ids()), rtol=1e-10)
    same(gpt_steps(some_ids(), by_hand(model), H).logits, model(some_ids()), rtol=1e-10)


def test_hidden_and_embed_are_parts_of_forward():
    model, ids = a_model(tied=False), some_ids()
    steps = gpt_steps(ids, by_hand(model), **told(model))
    same(model.embed(ids), steps.x)
    same(model.hidden(ids), steps.normed)
    same(model(ids), F.linear(model.hidden(ids), model.unembedding.weight))
    same(model.hidden(ids[0]), steps.normed[0])


# ── what must hold whatever the numbers ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", BLOCKS)
@every_position
@settings(max_examples=20)
@given(seed=st.integers(0, 1000), t=st.integers(0, T - 2))
def test_a_later_token_changes_no_earlier_logits(positions, kind, seed, t):
    model, ids = a_model(BLOCKS[kind], positions=positions), some_ids(seed)
    changed = ids.clone()
    changed[:, t + 1 :] = (ids[:, t + 1 :] + 1 + some_ids(seed + 1)[:, t + 1 :] % (V - 1)) % V  # each another one
    before, after = model(ids), model(changed)
    np.testing.assert_allclose(after[:, : t + 1].detach(), before[:, : t + 1].detach(), rtol=1e-9, atol=1e-11)
    assert (before - after).abs().amax(-1)[:, t + 1 :].min() > 1e-9
    same(model(ids[:, : t + 1]), before[:, : t + 1])  # and what is not there yet, neither


@pytest.mark.parametrize("kind", BLOCKS)
@every_position
def test_a_batch_is_its_texts(positions, kind):
    model, ids = a_model(BLOCKS[kind], positions=positions), some_ids(3, 4, T)
    for row, alone in zip(model(ids), ids):
        same(model(alone[None])[0], row)
        same(model(alone), row)


@pytest.mark.parametrize("positions, told_apart", [("learned", True), ("sinusoidal", True), ("rotary", True), ("none", False)])
def test_order_is_told_by_positions(positions, told_apart):
    """In one block the last word hears a set: without positions the order of those before it makes no difference."""
    model, ids = a_model(positions=positions, n_layers=1), torch.tensor([3, 5, 8, 1, 2])
    other = ids[[2, 0, 3, 1, 4]]
    assert torch.allclose(model(ids)[-1], model(other)[-1], rtol=0, atol=1e-9) != told_apart


def test_positions_are_the_published_ones():
    model, ids = a_model(positions="sinusoidal"), some_ids()
    table = model.embedding.weight.detach().numpy()
    same(model.embed(ids), table[ids.numpy()] * math.sqrt(C) + sinusoidal(T, C), rtol=1e-12)
    assert isinstance(model.embedding, ScaledEmbedding) and model.unembedding.weight is model.embedding.weight
    learned = a_model()
    same(learned.embed(ids), learned.embedding.weight[ids] + learned.positions.weight[:T], rtol=1e-12)
    rotary = a_model(positions="rotary", rotary_base=30.0)
    assert rotary.positions is None and len({id(layer.attention.rotary) for layer in rotary.blocks}) == 1
    q = torch.randn(1, H, 2, D, dtype=torch.float64)
    turned = rotary.blocks[0].attention.rotary(q, torch.tensor([0, 1]))
    speeds = torch.from_numpy(frequencies(D, 30.0))
    same(turned[0, 0, 1, 0], q[0, 0, 1, 0] * speeds[0].cos() - q[0, 0, 1, 1] * speeds[0].sin())
    same(turned[0, 0, 1, 2], q[0, 0, 1, 2] * speeds[1].cos() - q[0, 0, 1, 3] * speeds[1].sin())
    assert a_model(positions="none").blocks[0].attention.rotary is None


@pytest.mark.parametrize("kind", BLOCKS)
@every_position
def test_gradients_reach_every_parameter_and_are_right(positions, kind):
    model, ids = a_model(BLOCKS[kind], positions=positions, tied=False), some_ids(2, 2, P)
    loss = lambda: F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    loss().backward()
    for name, parameter in model.named_parameters():
        gradient = parameter.grad.clone()
        if "key.bias" in name and positions != "rotary":  # the same for every key: a softmax does not see it
            assert gradient.abs().max() < 1e-9
            continue
        assert gradient.abs().max() > 1e-6, name
        direction, step = gradient / gradient.norm(), 1e-5
        with torch.no_grad():
            parameter += step * direction
            up = loss()
            parameter -= 2 * step * direction
            slope = (up - loss()) / (2 * step)
            parameter += step * direction
        assert slope.item() == pytest.approx(gradient.norm().item(), rel=1e-4), name


def test_heads_switched_off_are_not_heard():
    model, ids = a_model(), some_ids()
    changed = copy.deepcopy(model)
    changed.blocks[1].attention.out.weight.data[:, D : 2 * D] = 0
    model.blocks[1].attention.heads_on[1] = False
    same(model(ids), changed(ids))
    assert not torch.allclose(model(ids), a_model()(ids))
    model.blocks[1].attention.heads_on[1] = True
    np.testing.assert_array_equal(model(ids).detach(), a_model()(ids).detach())


# ── what it consists of ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@every_position
def test_counts_sum_to_the_parameters(positions, tied, kind):
    counts = a_model(BLOCKS[kind], positions=positions, tied=tied).parameter_counts()
    model = GPT(GPTConfig(**SIZES | dict(positions=positions, tied=tied)), BLOCKS[kind])
    assert sum(counts.values()) == sum({id(p): p.numel() for p in model.parameters()}.values())
    norms = {"pre-norm": 2 * L + 1, "post-norm": 2 * L, "document": 0}[kind]
    assert counts == {
        "embedding": V * C, "positions": P * C if positions == "learned" else 0, "attention": L * (4 * C**2 + 4 * C),
        "feed_forward": L * (2 * C * 7 + 7 + C), "norms": norms * 2 * C, "unembedding": 0 if tied else V * C,
    }  # fmt: skip


def test_blocks_are_built_anew_and_as_asked():
    model = a_model(bias=False)
    assert len({id(p) for layer in model.blocks for p in layer.parameters()}) == L * 8
    assert model.norm.eps == model.blocks[0].norm_2.eps == 0.1 and model.norm.bias is None
    for kind in ("post-norm", "document"):
        assert all(type(layer) is BLOCKS[kind] for layer in a_model(BLOCKS[kind]).blocks)
        assert isinstance(a_model(BLOCKS[kind]).norm, torch.nn.Identity)


def test_tied_is_one_tensor_and_stays_one():
    model, ids = a_model(), some_ids() % (V - 1)  # the last token occurs in no text
    for each in (model, copy.deepcopy(model), model.float()):
        assert each.unembedding.weight is each.embedding.weight
        before = each(ids).detach().clone()
        with torch.no_grad():
            each.embedding.weight[V - 1] += 1
        moved = (each(ids) - before).abs()
        assert (moved[..., : V - 1] == 0).all() and moved[..., V - 1].min() > 0
    untied = a_model(tied=False)
    assert untied.unembedding.weight is not untied.embedding.weight


def test_by_hand_are_copies_and_a_tied_table_is_one():
    model, ids = a_model(), some_ids()
    p, before = by_hand(model), model(ids).detach().clone()
    assert np.shares_memory(p["embedding"], p["unembedding"])
    p["embedding"][...] = 3.0
    p["positions"][...] = p["gamma"][...] = p["blocks"][0]["W_1"][...] = 3.0
    assert (p["unembedding"] == 3).all()
    np.testing.assert_array_equal(model(ids).detach(), before)
    q = by_hand(a_model(tied=False))
    assert not np.shares_memory(q["embedding"], q["unembedding"]) and not np.allclose(q["embedding"], q["unembedding"].T)


def test_the_start():
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=500, context_length=200, d_model=128, n_heads=4, n_layers=8, tied=False))
    std = lambda tensor: tensor.std().item()
    assert std(model.embedding.weight) == pytest.approx(0.02, rel=0.03)
    assert std(model.unembedding.weight) == pytest.approx(0.02, rel=0.03)
    assert std(model.positions.weight) == pytest.approx(0.01, rel=0.03)
    for layer in model.blocks:
        for linear in (layer.attention.query, layer.attention.key, layer.attention.value, layer.feed_forward.up):
            assert std(linear.weight) == pytest.approx(0.02, rel=0.05) and (linear.bias == 0).all()
        for linear in (layer.attention.out, layer.feed_forward.down):
            assert std(linear.weight) == pytest.approx(0.02 / 4, rel=0.05) and (linear.bias == 0).all()  # √(2·8)
    ids = torch.randint(500, (4, 50))
    loss = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    assert loss.item() == pytest.approx(math.log(500), abs=0.05)  # it expects nothing yet


def test_the_same_seed_starts_the_same_model():
    for kind in BLOCKS.values():
        one, two = (GPT(GPTConfig(**SIZES), kind) for _ in range(2) if torch.manual_seed(5))
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters()))


# ── config and errors ───────────────────────────────────────────────────────────────────────────────────────


def test_a_config_fills_in_and_is_frozen():
    config = GPTConfig(vocab_size=np.int64(10), context_length=8, d_model=12, n_heads=3, n_layers=2)
    assert (config.d_ff, config.d_head, config.vocab_size) == (48, 4, 10) and type(config.vocab_size) is int
    assert dataclasses.astuple(config) == (10, 8, 12, 3, 2, 48, "gelu_tanh", 1e-5, True, True, "learned", 10000.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.d_model = 3
    assert dataclasses.replace(config, d_model=24, d_ff=0).d_ff == 96
    assert GPT(config).name == "our GPT" and GPT(config).config is config


REFUSED = [
    (dict(d_model=13), "n_heads must divide d_model, got 3 heads for a width of 13"),
    (dict(n_layers=0), "n_layers must be at least 1, got 0"),
    (dict(vocab_size=-1), "vocab_size must be at least 1"),
    (dict(d_ff=-4), "d_ff must be at least 1, got -4"),
    (dict(d_model=0), "d_model must be at least 1|d_ff must be at least 1"),
    (dict(n_heads=0), "n_heads must be at least 1"),
    (dict(n_heads=1.5), "n_heads must be a whole number, got 1.5"),
    (dict(context_length=True), "context_length must be a whole number, got True"),
    (dict(activation="swish"), "activation must be one of relu, gelu, gelu_tanh, silu, got 'swish'"),
    (dict(positions="alibi"), "positions must be one of learned, sinusoidal, rotary, none, got 'alibi'"),
    (dict(positions="rotary", n_heads=4), "a head's width must be even, got d_head=3"),
    (dict(eps=0.0), "eps must be above 0"),
    (dict(eps=float("nan")), "eps must be above 0"),
    (dict(rotary_base=-1.0), "rotary_base must be above 0"),
]


@pytest.mark.parametrize("choices, sentence", REFUSED, ids=range(len(REFUSED)))
def test_a_config_refuses_what_does_not_fit(choices, sentence):
    with pytest.raises(ValueError, match=sentence):
        GPTConfig(**SIZES | choices)


def test_ids_that_are_none_are_refused():
    model = a_model()
    for ids, error, sentence in (
        (torch.tensor([[0, V]]), ValueError, f"between 0 and {V - 1}"),
        (torch.tensor([[-1, 0]]), ValueError, "got -1"),
        (torch.tensor([[0.0]]), TypeError, "whole numbers"),
        ([1, 2], TypeError, "got list"),
        (torch.tensor(3), ValueError, r"\(T,\) or texts \(B, T\), got shape"),
        (torch.zeros(2, 3, 4, dtype=torch.long), ValueError, r"\(T,\) or texts \(B, T\), got shape"),
        (torch.zeros(1, P + 1, dtype=torch.long), ValueError, f"learned positions end at {P - 1}"),
    ):
        with pytest.raises(error, match=sentence):
            model(ids)


@pytest.mark.parametrize("positions", ["sinusoidal", "rotary", "none"])
def test_only_learned_positions_end(positions):
    model, ids = a_model(positions=positions), some_ids(1, 1, 3 * P)
    same(model(ids)[:, :T], model(ids[:, :T]))
    assert model(ids).shape == (1, 3 * P, V)


def test_errors_by_hand_say_what_is_wrong():
    p = by_hand(a_model())
    for ids, error, sentence in (
        ([V], ValueError, f"between 0 and {V - 1}"),
        ("abc", TypeError, "whole numbers"),
        (3, ValueError, "got a single id"),
        ([0] * (P + 1), ValueError, f"vectors for {P} positions, and the text has {P + 1} tokens"),
    ):
        for function in (gpt, gpt_steps):
            with pytest.raises(error, match=sentence):
                function(ids, p, H)
    with pytest.raises(ValueError, match="pre-norm blocks, got PostNormBlock"):
        by_hand(a_model(PostNormBlock))
