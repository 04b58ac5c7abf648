"""Our own GPT looked into: what is recorded is what it computed, heads are switched off exactly, nothing stays behind."""

import copy

import numpy as np
import pytest
import torch

from course.blocks.block import DocumentBlock, PostNormBlock, PreNormBlock
from course.lens.our_gpt import OurGPT
from course.lens.run import NO_HEADS, Run, Runnable, divergence, moved, runnable
from course.models import GPT, GPTConfig
from course.models.gpt import by_hand, gpt_steps
from course.text.tokenizer import BPETokenizer
from course.vectors.positions import rotate

H, D, L, P = 3, 4, 3, 12
TEXT = "I like 苹果<end> I"
TOKENIZER = BPETokenizer.train("I like apples and bananas; I like my cats " * 3 + "喜欢" * 9, 280, ["<end>"])
BLOCKS = {"pre-norm": PreNormBlock, "post-norm": PostNormBlock, "document": DocumentBlock}


def a_model(positions="learned", block="pre-norm", vocab_size=285, seed=0):
    torch.manual_seed(seed)
    model = GPT(GPTConfig(vocab_size, P, H * D, H, L, positions=positions), BLOCKS[block])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if "norm" in name and name.endswith("weight") else 0.0, 0.4)
    return model


def ids_of(text=TEXT):
    return torch.tensor(TOKENIZER.encode(text))


# ── what is recorded ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
def test_every_layer_is_recorded_as_it_computed(positions):
    model = a_model(positions)
    run, T = runnable(model, TOKENIZER).run(TEXT), len(ids_of())
    turn = (lambda a: rotate(a, np.arange(T))) if positions == "rotary" else None
    steps = gpt_steps(ids_of(), by_hand(model), H, turn=turn)
    assert isinstance(run, Run) and len(run.layers) == L and run.names == ("layer 1", "layer 2", "layer 3")
    assert (run.off, run.note, run.parts, run.source) == (NO_HEADS, "", (), ())
    for layer, block in zip(run.layers, steps.blocks):
        assert layer.tokens == layer.key_tokens == run.tokens and layer.scale == 0.5
        np.testing.assert_array_equal(layer.mask, np.tri(T, dtype=bool))
        for name in ("q", "k", "v", "weights"):
            np.testing.assert_allclose(getattr(layer, name), getattr(block, name), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(layer.scores(), block.scores, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(layer.attend()[0], block.heads, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(run.vectors, steps.normed, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(run.logits, steps.logits, rtol=1e-3, atol=1e-3)
    assert run.vectors.dtype == run.logits.dtype == np.float32


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_of_every_kind(block):
    model = a_model(block=block)
    run = runnable(model, TOKENIZER).run(TEXT)
    with torch.no_grad():
        np.testing.assert_allclose(run.logits, model(ids_of()), rtol=1e-4, atol=1e-5)
    for layer in run.layers:
        scores = np.where(layer.mask, layer.scores(), -np.inf)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        np.testing.assert_allclose(layer.weights, e / e.sum(-1, keepdims=True), atol=2e-5)


def test_a_model_in_double_precision_is_recorded_too():
    run = runnable(a_model().double(), TOKENIZER).run(TEXT)
    np.testing.assert_allclose(run.logits, runnable(a_model(), TOKENIZER).run(TEXT).logits, rtol=1e-3, atol=1e-4)
    assert run.logits.dtype == np.float32


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_tokens_are_named_as_text_and_bytes_that_are_none_in_hexadecimal():
    run = runnable(a_model(), TOKENIZER).run("I like 果<end>")
    assert run.tokens[:2] == ("I", " like")
    assert run.tokens[2:] == (" ", "<0xE6>", "<0x9E>", "<0x9C>", "<end>")
    assert run.special == (False,) * 6 + (True,)
    assert "".join(runnable(a_model(), TOKENIZER).run("喜欢 I").tokens) == "喜欢 I"


def test_half_a_surrogate_pair_is_read_as_the_sign_for_it():
    r = runnable(a_model(), TOKENIZER)
    assert r.run("I \ud800").tokens == r.run("I \ufffd").tokens


def test_top_is_the_softmax_of_the_logits():
    model = a_model()
    r = runnable(model, TOKENIZER)
    run = r.run(TEXT)
    with torch.no_grad():
        probs = model(ids_of()).softmax(-1).numpy()
    for position in (0, 4, -1):
        best = np.argsort(-probs[position], kind="stable")[:7]
        top = r.top(run, position, 7)
        np.testing.assert_allclose([p for _, p in top], probs[position][best], rtol=1e-4)
        for (name, _), token in zip(top, best):
            whole = TOKENIZER.decode([token]) if token < len(TOKENIZER) else f"<{token}>"
            assert name == whole or ("\ufffd" in whole and name == "".join(f"<0x{b:02X}>" for b in TOKENIZER.token_bytes(token)))
    assert len(r.top(run, 0)) == 5
    names = [name for name, _ in r.top(run, 0, 285)]
    assert len(names) == 285 and {"<280>", "<284>", "<end>", " like"} <= set(names)  # rows without a token have numbers
    for position in (len(run.tokens), -len(run.tokens) - 1):
        with pytest.raises(ValueError, match="There is no position"):
            r.top(run, position)


@pytest.mark.parametrize("positions, shown", [("learned", P), ("sinusoidal", 40), ("rotary", 40), ("none", 40)])
def test_long_texts_are_cut_where_positions_end(positions, shown):
    run = runnable(a_model(positions), TOKENIZER).run(" like" * 40)
    assert len(run.tokens) == len(run.logits) == shown
    assert run.note == ("40 tokens: this model reads 12, shown are the first 12." if positions == "learned" else "")


def test_what_is_looked_at_has_an_end():
    run = runnable(a_model("none"), TOKENIZER).run(" like" * 1100)
    assert len(run.tokens) == 1024 and run.note == "1100 tokens: read and shown are the first 1024."


# ── heads switched off ──────────────────────────────────────────────────────────────────────────────────────


def without(model, off):
    """A copy whose `out` reads nothing of these heads: their part of the matrix is 0."""
    changed = copy.deepcopy(model)
    with torch.no_grad():
        for layer, head in off:
            changed.blocks[layer].attention.out.weight[:, head * D : (head + 1) * D] = 0
    return changed


@pytest.mark.parametrize("positions", ["learned", "rotary"])
@pytest.mark.parametrize("off", [{(0, 0)}, {(1, 2)}, {(0, 1), (2, 0), (2, 2)}, {(1, h) for h in range(H)}], ids=str)
def test_heads_off_equal_a_direct_computation(positions, off):
    model = a_model(positions)
    r = runnable(model, TOKENIZER)
    before, run, there = r.run(TEXT), r.run(TEXT, frozenset(off)), without(model, off)
    with torch.no_grad():
        np.testing.assert_allclose(run.logits, there(ids_of()), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(run.vectors, there.hidden(ids_of()), rtol=1e-4, atol=1e-5)
    for layer, expected in zip(run.layers, runnable(there, TOKENIZER).run(TEXT).layers):
        np.testing.assert_allclose(layer.weights, expected.weights, atol=1e-5)  # they look, and are not heard
    assert run.off == frozenset(off) and moved(before, run).max() > 1e-3 and divergence(before, run).max() > 1e-4
    np.testing.assert_array_equal(r.run(TEXT).logits, before.logits)  # and afterwards all are on


def test_switches_of_ones_own_are_kept():
    model = a_model()
    model.blocks[1].attention.heads_on[2] = False
    r = runnable(model, TOKENIZER)
    run = r.run(TEXT, frozenset({(0, 0)}))
    with torch.no_grad():
        np.testing.assert_allclose(run.logits, without(a_model(), {(1, 2), (0, 0)})(ids_of()), rtol=1e-4, atol=1e-5)
    assert [block.attention.heads_on.tolist() for block in model.blocks] == [[True] * 3, [True, True, False], [True] * 3]


@pytest.mark.parametrize("layer, head", [(3, 0), (-1, 0), (0, 3), (0, -1)])
def test_heads_that_there_are_not(layer, head):
    model = a_model()
    with pytest.raises(ValueError, match=f"no head {head} in layer {layer}, .* 3 layers, of 3 heads"):
        runnable(model, TOKENIZER).run(TEXT, frozenset({(1, 1), (layer, head)}))
    assert all(block.attention.heads_on.all() for block in model.blocks)


def test_nothing_stays_behind():
    model = a_model().train()
    model.blocks[0].eval()
    r, states = runnable(model, TOKENIZER), [module.training for module in model.modules()]
    hooks = lambda: sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    run = r.run(TEXT, frozenset({(0, 1)}))
    assert [module.training for module in model.modules()] == states and hooks() == 0
    assert all(parameter.grad is None for parameter in model.parameters()) and run.logits is not None
    model.norm.forward = lambda x: 1 / 0
    with pytest.raises(ZeroDivisionError):
        r.run(TEXT, frozenset({(0, 1)}))
    assert all(block.attention.heads_on.all() for block in model.blocks) and hooks() == 0
    assert [module.training for module in model.modules()] == states


# ── what it is picked for ───────────────────────────────────────────────────────────────────────────────────


def test_runnable_picks_it():
    r = runnable(a_model(), TOKENIZER)
    assert isinstance(r, OurGPT) and isinstance(r, Runnable) and r.name == "our GPT" and runnable(r) is r
    assert (r.limit, runnable(a_model("none"), TOKENIZER).limit) == (P, None)
    named = a_model()
    named.name = "a little one"
    assert runnable(named, TOKENIZER).name == "a little one"


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="A GPT reads ids: its tokenizer is needed too"):
        runnable(a_model())
    with pytest.raises(ValueError, match="reads the ids of a BPETokenizer of the course; got a dict"):
        runnable(a_model(), {})
    with pytest.raises(ValueError, match="is a GPT of the course, or comes from the transformers library"):
        runnable(torch.nn.Linear(2, 2), TOKENIZER)
    r = runnable(a_model(vocab_size=260), TOKENIZER)
    with pytest.raises(ValueError, match="gave the id 27., and the model knows ids below 260"):
        r.run("I like apples")
    with pytest.raises(ValueError, match="token"):
        r.run("")


def test_the_attention_explorer_shows_it():
    from course.explore import attention

    model = a_model("rotary")
    shown = attention(model, TOKENIZER, text=TEXT)
    assert type(shown).__name__ == "ModelExplorer" and shown.text == TEXT
    np.testing.assert_array_equal(shown.run.logits, runnable(model, TOKENIZER).run(TEXT).logits)
    assert shown.run.tokens == runnable(model, TOKENIZER).run(TEXT).tokens
