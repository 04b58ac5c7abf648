"""The residual stream: parts sum to its end, readings are the model's, parts switched off add nothing."""

import numpy as np
import pytest
import torch

from course.blocks.attention import causal_mask
from course.blocks.block import DocumentBlock, PostNormBlock, PreNormBlock, parameters_by_hand, self_attention
from course.blocks.feed_forward import feed_forward, gelu_tanh
from course.blocks.norm import layer_norm
from course.lens import stream as lens
from course.models import GPT, GPTConfig
from course.models.gpt import by_hand, gpt_steps

IDS = [3, 17, 5, 5, 29, 0]
KINDS = ("learned", "sinusoidal", "rotary", "none")


def little(positions="learned", block=PreNormBlock, seed=0, **settings):
    torch.manual_seed(seed)
    sizes = {"vocab_size": 31, "context_length": 12, "d_model": 12, "n_heads": 3, "n_layers": 2, "positions": positions}
    model = GPT(GPTConfig(**sizes | settings), block)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape)
    return model


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("positions", KINDS)
def test_the_parts_sum_to_the_end_and_to_every_place_before_it(positions, tied):
    model = little(positions, tied=tied)
    found = lens.stream(model, IDS)
    np.testing.assert_allclose(found.added.sum(0), found.x[-1], atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(np.cumsum(found.added, 0), found.x, atol=1e-5, rtol=1e-5)
    assert found.parts[: 1 + (model.positions is not None)] == (("embedding", "positions") if positions in KINDS[:2] else ("embedding",))
    assert found.parts[-4:] == ("attention 1", "feed_forward 1", "attention 2", "feed_forward 2")
    with torch.no_grad():
        logits = model(torch.tensor(IDS)).numpy()
    np.testing.assert_allclose(found.logits, logits, atol=1e-5)
    np.testing.assert_allclose(lens.read(model, found.x[-1]), logits, atol=1e-5)
    np.testing.assert_allclose(lens.shares(found).sum(0), 1, atol=1e-5)


def test_every_place_is_the_one_by_hand():
    model = little()
    found, steps = lens.stream(model, IDS), gpt_steps(IDS, by_hand(model), 3)
    right = [steps.embedding, steps.positions, *(part for one in steps.blocks for part in (one.attention, one.feed_forward))]
    np.testing.assert_allclose(found.added, np.stack(right), atol=1e-5)
    places = [steps.embedding, steps.x, *(x for one in steps.blocks for x in (one.middle, one.output))]
    np.testing.assert_allclose(found.x, np.stack(places), atol=1e-5)
    np.testing.assert_allclose(found.normed, steps.normed, atol=1e-5)
    table, gamma, beta = (by_hand(model)[name] for name in ("unembedding", "gamma", "beta"))
    np.testing.assert_allclose(lens.read(model, found.x[2]), layer_norm(places[2], gamma, beta, 1e-5) @ table, atol=1e-4)
    end = places[-1]
    np.testing.assert_allclose(lens.shares(found), [(part * end).sum(-1) / (end * end).sum(-1) for part in right], atol=1e-5)
    cosine = lambda a, b: (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    np.testing.assert_allclose(lens.cosines(found)[1:], [cosine(a, b) for a, b in zip(places, places[1:])], atol=1e-5)
    assert np.isnan(lens.cosines(found)[0]).all()


@pytest.mark.parametrize("block", [PostNormBlock, DocumentBlock], ids=["post-norm", "document"])
def test_blocks_of_other_kinds_are_followed_by_hand(block):
    model = little(block=block)
    found = lens.stream(model, IDS)
    x = found.x[1].astype(float)
    for i, layer in enumerate(model.blocks):
        p = parameters_by_hand(layer)
        for name, give in (("attention", lambda x, p=p: self_attention(x, p, 3, causal_mask(len(IDS)))),
                           ("feed_forward", lambda x, p=p: feed_forward(x, p["W_1"], p["b_1"], p["W_2"], p["b_2"], gelu_tanh))):  # fmt: skip
            place = found.parts.index(f"{name} {i + 1}")
            given = give(x)
            np.testing.assert_allclose(found.added[place], given, atol=1e-4, rtol=1e-4)
            n = 1 + (name == "feed_forward")
            if block is PostNormBlock:
                x = layer_norm(x + given, p[f"gamma_{n}"], p[f"beta_{n}"])
            else:
                x = x + given if n == 1 else given
            np.testing.assert_allclose(found.x[place], x, atol=1e-4, rtol=1e-4)
    np.testing.assert_array_equal(found.normed, found.x[-1])
    assert lens.kind(model) == {PostNormBlock: "normed", DocumentBlock: "replaced"}[block] and lens.kind(little()) == "sum"


@pytest.mark.parametrize("positions", KINDS)
def test_a_part_that_is_off_adds_nothing_and_those_behind_it_compute_anew(positions):
    model = little(positions)
    whole = lens.stream(model, IDS)
    for place, name in enumerate(whole.parts):
        found = lens.stream(model, IDS, [name])
        assert not found.added[place].any()
        np.testing.assert_array_equal(found.added[:place], whole.added[:place])
        np.testing.assert_allclose(np.cumsum(found.added, 0), found.x, atol=1e-5, rtol=1e-5)
        assert np.abs(found.logits - whole.logits).max() > 1e-3
        np.testing.assert_allclose(found.logits, lens.read(model, found.x[-1]), atol=1e-5)
    two = lens.stream(model, IDS, {"attention 1", "feed_forward 2"})
    assert [bool(part.any()) for part in two.added[-4:]] == [False, True, True, False]
    nothing = lens.stream(model, IDS, whole.parts)
    assert not nothing.x.any() and np.isnan(lens.shares(nothing)).all() and np.isnan(lens.cosines(nothing)).all()


def test_the_model_is_left_as_it_was():
    model = little().train()
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    with torch.no_grad():
        right = model(torch.tensor([IDS]))
    lens.stream(model, IDS, ["attention 1"])
    lens.read(model, np.zeros((2, 12)))
    with pytest.raises(ValueError):
        lens.stream(model, [99])
    assert model.training and all(part.training for part in model.modules())
    assert not any(part._forward_hooks for part in model.modules())
    with torch.no_grad():
        torch.testing.assert_close(model(torch.tensor([IDS])), right, rtol=0, atol=0)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


def test_what_does_not_fit_is_refused_in_one_sentence():
    model = little()
    for call, sentence in ((lambda: lens.stream(model, []), "at least one token"),
                           (lambda: lens.stream(model, IDS, ["attention 3"]), r"off must name parts of the model \(embedding, .*\), got attention 3"),
                           (lambda: lens.parts(torch.nn.Linear(2, 2)), "got Linear with no blocks")):  # fmt: skip
        with pytest.raises(ValueError, match=sentence):
            call()
    model.blocks[1] = PostNormBlock(12, 3, 48)
    with pytest.raises(ValueError, match="blocks of one kind, PreNormBlock, PostNormBlock, DocumentBlock, got GPT with PostNormBlock, PreNormBlock"):
        lens.stream(model, IDS)
