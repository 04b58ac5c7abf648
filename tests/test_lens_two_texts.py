"""Encoder–decoders looked into: three kinds of attention, two texts, what the decoder reads, heads off in each part."""

import copy

import numpy as np
import pytest

from course.lens.encoder_decoder import MOST_WRITTEN, EncoderDecoder, has_both
from course.lens.patterns import PATTERNS, best, pattern_scores
from course.lens.reading import piece
from course.lens.run import NO_HEADS, Part, Runnable, divergence, moved, runnable
from tests.little_models import BART, T5, TWO, bytes_bpe, forward, ids_of, model, needed, outs, without

torch = needed("torch")
needed("transformers")

TEXT, SHORT, TARGET = "I like to eat apples", "I like apples", "my cats like bananas; I like my cats too"
PARTS = (Part("encoder", 2, True), Part("decoder", 3), Part("decoder looks at the text", 3))


@pytest.fixture(scope="module")
def tokenizers():
    return {kind: bytes_bpe(kind) for kind in ("GPT2TokenizerFast", "RobertaTokenizerFast")}


@pytest.fixture
def make(tokenizers):
    """name → (Runnable, model, the maps behind the heads of all layers)."""

    def one(name, **changes):
        kind, config, settings, tokenizer, maps = TWO[name]
        made = model(kind, config, **settings | changes).eval()
        return runnable(made, tokenizers[tokenizer]), made, outs(maps)

    return one


def target_ids(r, run) -> "torch.Tensor":
    """The ids (1, T) of the target, found by their names."""
    names = {piece(r.tokenizer, i, frozenset(r.tokenizer.all_special_ids)): i for i in reversed(range(len(r.tokenizer)))}
    return torch.tensor([[names[token] for token in run.tokens]])


def of_part(run, part):
    start = sum(p.count for p in run.parts[:part])
    return range(start, start + run.parts[part].count)


# ── what is recorded ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", TWO)
def test_all_three_kinds_of_attention_are_the_models(make, name):
    r, made, _ = make(name)
    run = r.run(TEXT, target=TARGET)
    assert isinstance(r, EncoderDecoder) and isinstance(r, Runnable) and r.takes_target
    outputs = forward(made, ids_of(r, TEXT), target_ids(r, run))
    expected = (*outputs.encoder_attentions, *outputs.decoder_attentions, *outputs.cross_attentions)
    assert len(run.layers) == len(expected) == 8 and run.parts == PARTS
    for layer, weights in zip(run.layers, expected):
        np.testing.assert_allclose(layer.weights, weights[0], atol=1e-6)
    np.testing.assert_allclose(run.vectors, outputs.decoder_hidden_states[-1][0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(run.logits, outputs.logits[0], rtol=1e-5, atol=1e-5)
    assert run.off == NO_HEADS and run.note == ""


@pytest.mark.parametrize("name", TWO)
def test_rows_and_columns_have_their_own_tokens(make, name):
    r, _, _ = make(name)
    run = r.run(TEXT, target=TARGET)
    expected = [(run.source, run.source), (run.tokens, run.tokens), (run.tokens, run.source)]
    assert run.source != run.tokens and len(run.source) != len(run.tokens)
    for part, texts in enumerate(expected):
        for layer in of_part(run, part):
            assert (run.layers[layer].tokens, run.layers[layer].key_tokens) == texts
            assert run.of_source(layer) == (part == 0)
            assert run.special_of(layer) == (run.source_special if part == 0 else run.special)
    assert "".join(run.source).replace("<s>", "").replace("</s>", "") == TEXT
    assert run.special[0] and not any(run.special[2:])
    assert run.names == ("encoder 1", "encoder 2", "decoder 1", "decoder 2", "decoder 3", "cross 1", "cross 2", "cross 3")


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("target", [TARGET, [0], [0, 7, 9], list(range(5))], ids=["text", "one", "three", "as many as source"])
def test_weights_and_the_heads_outputs_follow_from_what_is_recorded(make, name, target):
    r, made, maps = make(name)
    sides = {}
    if target == list(range(5)):
        target = list(range(len(r.run(TEXT, target=[0]).source)))
    handles = [made.get_submodule(path).register_forward_pre_hook(lambda m, args, path=path: sides.update({path: args[0]}))
               for path, _ in maps]  # fmt: skip
    run = r.run(TEXT, target=target)
    for handle in handles:
        handle.remove()
    for index, layer in enumerate(run.layers):
        H, T, S = layer.weights.shape
        width = layer.q.shape[2]
        assert layer.q.shape == (H, T, width) and layer.k.shape == layer.v.shape == (H, S, width) and H == maps[index][1]
        assert layer.scale == pytest.approx(1.0 if name == "T5" else width**-0.5)
        scores = layer.scale * np.einsum("htd,hsd->hts", layer.q, layer.k)
        assert (layer.bias is None) == (name == "BART" or index >= 5)
        scores = scores if layer.bias is None else scores + layer.bias
        past = 2 <= index < 5 and T > 1
        e = np.exp(scores) * (np.tri(T) if past else 1)
        np.testing.assert_allclose(layer.weights, e / e.sum(-1, keepdims=True), atol=1e-5)
        side_by_side = np.concatenate(list(layer.attend()[0]), axis=-1)  # (T, H·D)
        np.testing.assert_allclose(side_by_side, sides[maps[index][0]][0], rtol=1e-4, atol=1e-5)
        if past:
            assert (layer.mask == np.tri(T, dtype=bool)).all()
        elif T > 1:
            assert layer.mask is None


def test_t5s_added_numbers_are_those_it_computes(make):
    r, made, _ = make("T5")
    run = r.run(TEXT, target=TARGET)
    for stack, layers, size in (("encoder", range(2), len(run.source)), ("decoder", range(2, 5), len(run.tokens))):
        with torch.no_grad():
            expected = getattr(made, stack).block[0].layer[0].SelfAttention.compute_bias(size, size)[0]
        for layer in layers:
            np.testing.assert_allclose(run.layers[layer].bias, expected, atol=1e-6)
    assert np.abs(run.layers[0].bias).max() > 0.1


def test_an_encoder_that_was_cut_out_is_one_stack(tokenizers):
    made = model("T5EncoderModel", "T5Config", **T5)
    r = runnable(made, tokenizers["GPT2TokenizerFast"])
    run = r.run(TEXT)
    assert not has_both(made) and run.parts == () and run.names == ("layer 1", "layer 2") and run.note == ""
    for layer, weights in zip(run.layers, forward(made.eval(), ids_of(r, TEXT)).attentions):
        np.testing.assert_allclose(layer.weights, weights[0], atol=1e-6)
        assert layer.scale == 1.0 and layer.bias is not None


@pytest.mark.parametrize("part", range(3))
def test_one_layer_that_does_not_fit_leaves_all_with_weights_alone(make, part):
    r, made, maps = make("BART")
    path = maps[(1, 3, 6)[part]][0].rpartition(".")[0]
    made.get_submodule(path).register_forward_hook(lambda m, args, output: (output[0], output[1] ** 2, *output[2:]))
    run = r.run(TEXT, target=TARGET)
    assert not any(layer.has_scores for layer in run.layers) and "weights alone" in run.note
    assert [layer.weights.shape for layer in run.layers] == [layer.weights.shape for layer in make("BART")[0].run(TEXT, target=TARGET).layers]


# ── what the decoder reads ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", TWO)
def test_a_target_text_is_moved_one_place_to_the_right_as_in_training(make, name):
    r, made, _ = make(name)
    labels = r.tokenizer(TARGET)["input_ids"]
    labels = labels if labels[-1] == made.config.eos_token_id else [*labels, made.config.eos_token_id]
    expected = made.prepare_decoder_input_ids_from_labels(labels=torch.tensor([labels]))
    assert torch.equal(target_ids(r, r.run(TEXT, target=TARGET)), expected)


@pytest.mark.parametrize("name", TWO)
def test_ids_are_taken_as_they_are(make, name):
    r, _, _ = make(name)
    for ids in ([0, 7, 260], np.array([0, 7, 260]), torch.tensor([0, 7, 260])):
        assert target_ids(r, r.run(TEXT, target=ids)).tolist() == [[0, 7, 260]]


@pytest.mark.parametrize("name", TWO)
def test_without_a_target_the_model_writes_on_greedily(make, name):
    r, made, _ = make(name)
    written = r.run(TEXT)
    settings = dict(do_sample=False, num_beams=1, max_new_tokens=MOST_WRITTEN, forced_eos_token_id=None, use_cache=False,
                    suppress_tokens=[made.config.pad_token_id])  # fmt: skip
    ids = ids_of(r, TEXT)
    expected = made.generate(ids, attention_mask=torch.ones_like(ids), **settings)[0]
    assert len(expected) == MOST_WRITTEN + 1 and target_ids(r, written).tolist() == [expected.tolist()]
    assert f"{MOST_WRITTEN} tokens after the start are what the model writes itself" in written.note
    assert r.run(TEXT, {(0, 0), (3, 1), (6, 1)}).tokens == written.tokens  # written with all heads on


def test_the_model_ends_where_it_says_so(make):
    r, made, _ = make("T5")
    ids = target_ids(r, r.run(SHORT))[0].tolist()
    end = next(i for i in range(2, len(ids)) if ids[i] not in ids[:i])
    made.generation_config.eos_token_id = [299, ids[end]]
    ended = r.run(SHORT)
    assert target_ids(r, ended)[0].tolist() == ids[:end] and f"{end - 1} tokens" in ended.note
    made.generation_config.eos_token_id = ids[1]
    alone = r.run(SHORT)
    assert len(alone.tokens) == 1 and "comes to an end at once" in alone.note and alone.layers[7].weights.shape[1] == 1


def test_padding_is_never_written(make):
    r, made, _ = make("BART")
    ids = target_ids(r, r.run(TEXT))[0].tolist()
    made.config.pad_token_id = made.generation_config.pad_token_id = ids[1]
    second = forward(made, ids_of(r, TEXT), torch.tensor([ids[:1]])).logits[0, -1].topk(2).indices
    assert second[0] == ids[1] and target_ids(r, r.run(TEXT))[0, 1] == second[1]


def test_a_model_without_a_vocabulary_writes_nothing(tokenizers):
    r = runnable(model("T5Model", "T5Config", **T5), tokenizers["GPT2TokenizerFast"])
    run = r.run(TEXT)
    assert run.tokens == ("<|endoftext|>",) and "no vocabulary head" in run.note
    assert run.logits is None and r.top(run, -1) is None
    named = r.run(TEXT, target="my cats")
    assert named.tokens == ("<|endoftext|>", "my", " cats") and named.note == "" and len(named.vectors) == 3


def test_a_target_that_is_too_long_is_cut_and_an_unknown_start_is_said(make):
    r, made, _ = make("BART")
    run = r.run(TEXT, target=[2, *range(40)])
    assert len(run.tokens) == 24 and "41 tokens for the decoder: read and shown are the first 24." in run.note
    for settings in (made.config, made.generation_config):
        settings.decoder_start_token_id = settings.bos_token_id = settings.pad_token_id = None
    for target in (None, "my cats"):
        with pytest.raises(ValueError, match="does not say with which token its decoder starts"):
            r.run(TEXT, target=target)
    assert len(r.run(TEXT, target=[2, 3]).tokens) == 2


@pytest.mark.parametrize("target, sentence", [([], "target is empty"), ([0, 300], r"the id \[300\], .* ids from 0 to 299"),
                                              ([-1], r"the id \[-1\]")], ids=["empty", "above", "below"])  # fmt: skip
def test_targets_that_there_are_not_are_refused(make, target, sentence):
    with pytest.raises(ValueError, match=sentence):
        make("T5")[0].run(TEXT, target=target)


def test_a_text_without_tokens_is_refused_as_ever(make):
    with pytest.raises(ValueError, match=r"^This text has 0 tokens\.$"):
        make("T5")[0].run("", target=TARGET)


# ── heads switched off ───────────────────────────────────────────────────────────────────────────────────────

OFF = {"encoder": {(0, 1)}, "decoder": {(3, 0), (2, 1)}, "cross": {(5, 1)}, "last of all": {(7, 1)}, "everywhere": {(1, 2), (4, 1), (6, 0)}}


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("off", OFF.values(), ids=OFF)
@pytest.mark.parametrize("target", [TARGET, None], ids=["given", "written"])
def test_a_head_that_is_off_contributes_nothing(make, name, off, target):
    r, made, maps = make(name)
    before, after = r.run(TEXT, target=target), r.run(TEXT, off, target=target)
    expected = forward(without(made, maps, off), ids_of(r, TEXT), target_ids(r, before))
    np.testing.assert_allclose(after.logits, expected.logits[0], rtol=1e-5, atol=1e-5)
    for layer, weights in zip(after.layers, (*expected.encoder_attentions, *expected.decoder_attentions, *expected.cross_attentions)):
        np.testing.assert_allclose(layer.weights, weights[0], atol=1e-5)
        assert layer.has_scores
    probs, ids = expected.logits[0, -1].softmax(-1).topk(3)
    found = r.top(after, -1, 3)  # what the model says next
    assert [token for token, _ in found] == [piece(r.tokenizer, i, frozenset(r.tokenizer.all_special_ids)) for i in ids.tolist()]
    np.testing.assert_allclose([p for _, p in found], probs, atol=1e-5)
    assert after.off == off and moved(before, after).max() > 1e-3 and divergence(before, after).max() > 0
    np.testing.assert_array_equal(r.run(TEXT, target=target).logits, before.logits)  # on again


@pytest.mark.parametrize("off", [{(8, 0)}, {(0, 3)}, {(4, 2)}, {(-1, 0)}], ids=str)
def test_heads_that_there_are_not_are_refused(make, off):
    with pytest.raises(ValueError, match="There is no head .* there are 8 layers"):
        make("BART")[0].run(TEXT, off)


def test_what_changed_is_said_for_the_same_two_texts_only(make):
    r, _, _ = make("BART")
    with pytest.raises(ValueError, match="same text"):
        moved(r.run(TEXT, target=TARGET), r.run("I like", target=TARGET))
    with pytest.raises(ValueError, match="same text"):
        moved(r.run(TEXT, target=TARGET), r.run(TEXT, target="my cats"))


# ── patterns, and what stays behind ──────────────────────────────────────────────────────────────────────────


def test_patterns_of_two_texts(make):
    r, _, _ = make("BART")
    run = r.run("my cats like my cats", target="my cats")
    assert run.tokens == ("</s>", "<s>", "my", " cats") and run.source == ("<s>", "my", " cats", " like", " my", " cats", "</s>")
    cross, encoder = run.layers[6], run.layers[0]
    scores = pattern_scores(cross, run.special_of(6))
    assert {pattern for pattern in PATTERNS if not np.isnan(scores[pattern]).any()} == {"first token", "same word"}
    w = cross.weights.astype(float)  # (H, 4, 7)
    np.testing.assert_allclose(scores["same word"], (w[:, 2, 1] + w[:, 3, 2] + w[:, 3, 5]) / 2, atol=1e-6)
    np.testing.assert_allclose(scores["first token"], w[:, 2:, 0].mean(-1), atol=1e-6)
    separator = pattern_scores(encoder, run.special_of(0))["separator"]
    np.testing.assert_allclose(separator, encoder.weights[:, 1:6, 6].mean(-1), atol=1e-6)  # the source's own last token
    assert best(run)["separator"].layer in of_part(run, 0)  # the target has none after its start


def state(made):
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in made.modules())
    kernels = [m.config._attn_implementation for m in made.modules() if hasattr(m, "config")]
    return hooks, [m.training for m in made.modules()], kernels, torch.get_rng_state().tolist()


@pytest.mark.parametrize("name", TWO)
def test_the_model_is_left_as_it_was(make, name):
    r, made, _ = make(name)
    made.train()
    made.set_attn_implementation("sdpa")
    r.run(TEXT)  # transformers hooks itself in at its first run
    numbers, before = copy.deepcopy(made.state_dict()), state(made)
    run = r.run(TEXT, {(1, 2), (6, 0)})
    assert state(made) == before and "sdpa" in before[2]
    assert all(torch.equal(a, b) for a, b in zip(numbers.values(), made.state_dict().values()))
    np.testing.assert_array_equal(run.vectors, r.run(TEXT, {(1, 2), (6, 0)}).vectors)  # no dropout: the run evaluates


def test_a_wrapper_of_an_encoder_decoder_is_taken(tokenizers):
    class Pipeline:
        name, max_length = "translator", 6
        model_, tokenizer = model("BartForConditionalGeneration", "BartConfig", **BART), tokenizers["RobertaTokenizerFast"]

        def __init__(self):
            self.model = self.model_

    r = runnable(Pipeline())
    assert isinstance(r, EncoderDecoder) and r.name == "translator" and len(r.run(TEXT * 3).source) == 6
