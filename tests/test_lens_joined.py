"""An encoder and a decoder of their own kinds, joined by transformers' EncoderDecoderModel: BERT2BERT and its like."""

import copy

import numpy as np
import pytest

from course import explore
from course.lens.encoder_decoder import EncoderDecoder
from course.lens.run import runnable
from tests.little_models import BERT, GPT2, needed, outs, wordpiece, without

torch = needed("torch")
transformers = needed("transformers")

TEXT, TARGET = "i like to eat apples", "my cat like banana"
ENCODER = BERT | dict(num_hidden_layers=2)
DECODER = BERT | dict(num_hidden_layers=3, num_attention_heads=5, hidden_size=20, is_decoder=True, add_cross_attention=True)
LAYERS = "decoder.bert.encoder.layer.{}"
MAPS = outs((("encoder.encoder.layer.{}.attention.output.dense", 2, 3), (f"{LAYERS}.attention.output.dense", 3, 5),
             (f"{LAYERS}.crossattention.output.dense", 3, 5)))  # fmt: skip
KERNELS = {"eager": ("eager", "eager"), "fused": ("sdpa", "sdpa"), "one fused": ("eager", "sdpa")}


def joined(decoder=None, kernels=("sdpa", "sdpa")):
    """A BERT and `decoder`, a BERT that writes if not given, with random numbers, each with its own attention kernel."""
    made = []
    for kind, settings, kernel in zip(("BertModel", "BertLMHeadModel"), (ENCODER, DECODER), kernels):
        made.append(getattr(transformers, kind)(transformers.BertConfig(**settings, attn_implementation=kernel)))
    model = transformers.EncoderDecoderModel(encoder=made[0], decoder=decoder or made[1])
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.1 * noise if parameter.ndim == 1 and name.endswith("weight") else 0.4 * noise)
    for settings in (model.config, model.generation_config):
        settings.decoder_start_token_id, settings.pad_token_id, settings.eos_token_id = 2, 0, 3
    return model.eval()


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return wordpiece(tmp_path_factory.mktemp("bert"))


def direct(model, tokenizer, target):
    """What transformers itself gives: every attention written out.  target: the decoder's ids."""
    model = copy.deepcopy(model)
    for module in model.modules():
        if hasattr(module, "config"):
            module.config._attn_implementation = "eager"
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=torch.ones_like(ids), decoder_input_ids=torch.tensor([target]),
                     output_attentions=True, output_hidden_states=True, use_cache=False)  # fmt: skip


def attentions(outputs):
    return (*outputs.encoder_attentions, *outputs.decoder_attentions, *outputs.cross_attentions)


@pytest.mark.parametrize("kernels", KERNELS.values(), ids=KERNELS)
def test_all_three_kinds_of_attention_are_transformers_own(tokenizer, kernels):
    model = joined(kernels=kernels)
    r = runnable(model, tokenizer)
    run = r.run(TEXT, target=[2, 7, 9, 11])
    expected = direct(model, tokenizer, [2, 7, 9, 11])
    assert isinstance(r, EncoderDecoder) and [part.count for part in run.parts] == [2, 3, 3]
    assert [layer.heads for layer in run.layers] == [3, 3, 5, 5, 5, 5, 5, 5]
    for layer, weights in zip(run.layers, attentions(expected), strict=True):
        np.testing.assert_allclose(layer.weights, weights[0], atol=1e-5)
        scores = np.einsum("htd,hsd->hts", layer.q, layer.k) * layer.q.shape[2] ** -0.5
        e = np.exp(scores) * (1 if layer.mask is None else layer.mask)
        np.testing.assert_allclose(e / e.sum(-1, keepdims=True), weights[0], atol=1e-5)
    assert [layer.mask is not None for layer in run.layers] == [False, False, True, True, True, False, False, False]
    np.testing.assert_allclose(run.logits, expected.logits[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(run.vectors, expected.decoder_hidden_states[-1][0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("off", [{(1, 2)}, {(3, 4), (2, 0)}, {(6, 3)}, {(0, 0), (4, 1), (7, 4)}], ids=["encoder", "decoder", "cross", "each"])
@pytest.mark.parametrize("target", [[2, 7, 9, 11], None], ids=["given", "written"])
def test_a_head_that_is_off_contributes_nothing(tokenizer, off, target):
    model = joined()
    r = runnable(model, tokenizer)
    before, after = r.run(TEXT, target=target), r.run(TEXT, off, target=target)
    ids = target or tokenizer.convert_tokens_to_ids([token for token in before.tokens])
    expected = direct(without(model, MAPS, off), tokenizer, ids)
    np.testing.assert_allclose(after.logits, expected.logits[0], rtol=1e-5, atol=1e-5)
    for layer, weights in zip(after.layers, attentions(expected), strict=True):
        np.testing.assert_allclose(layer.weights, weights[0], atol=1e-5)
    assert before.tokens == after.tokens and np.abs(before.logits - after.logits).max() > 1e-3


def test_a_target_text_is_moved_one_place_to_the_right_as_in_training(tokenizer):
    model = joined()
    expected = model.prepare_decoder_input_ids_from_labels(torch.tensor([tokenizer(TARGET)["input_ids"]]))
    run = runnable(model, tokenizer).run(TEXT, target=TARGET)
    assert run.tokens == tuple(tokenizer.convert_ids_to_tokens(expected[0])) == ("[CLS]", "[CLS]", "my", "cat", "like", "banana")
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.eos_token = "[SEP]"  # as its users often set it: one end, not two, is left off
    assert runnable(model, tokenizer).run(TEXT, target=TARGET + " [SEP]").tokens == (*run.tokens, "[SEP]")


def test_every_kernel_is_as_it_was(tokenizer):
    model = joined(kernels=("eager", "sdpa"))
    kernels = lambda: [module.config._attn_implementation for module in model.modules() if hasattr(module, "config")]
    before = kernels()
    model.train()
    r = runnable(model, tokenizer)
    r.run(TEXT, {(6, 1)}, target=TARGET)
    assert kernels() == before and {"eager", "sdpa"} <= set(before) and all(module.training for module in model.modules())
    with pytest.raises(ValueError, match="ids from 0 to 32"):
        r.run(TEXT, target=[99])
    assert kernels() == before


def test_a_decoder_whose_maps_are_not_known_is_shown_and_switched_with_weights_alone(tokenizer):
    made = transformers.GPT2LMHeadModel(transformers.GPT2Config(**GPT2 | dict(is_decoder=True, add_cross_attention=True)))
    model = joined(made)
    maps = outs((("encoder.encoder.layer.{}.attention.output.dense", 2, 3), ("decoder.transformer.h.{}.attn.c_proj", 3, 7),
                 ("decoder.transformer.h.{}.crossattention.c_proj", 3, 7)))  # fmt: skip
    r = runnable(model, tokenizer)
    for off in ({(1, 1)}, {(3, 6)}, {(7, 2)}):
        run = r.run(TEXT, off, target=[2, 7, 9])
        expected = direct(without(model, maps, off), tokenizer, [2, 7, 9])
        np.testing.assert_allclose(run.logits, expected.logits[0], rtol=1e-4, atol=1e-4)
        for layer, weights in zip(run.layers, attentions(expected), strict=True):
            np.testing.assert_allclose(layer.weights, weights[0], atol=1e-5)
        assert not any(layer.has_scores for layer in run.layers) and "weights alone" in run.note


def test_what_cannot_be_looked_into_is_refused_in_one_sentence(tokenizer):
    bare = transformers.BertLMHeadModel(transformers.BertConfig(**DECODER | dict(add_cross_attention=False)))
    with pytest.raises(ValueError, match=r"^The decoder of EncoderDecoderModel has no layers that look at what its encoder read .*=True\.$"):
        runnable(joined(bare), tokenizer)
    pictures = transformers.ViTConfig(hidden_size=12, num_attention_heads=3, num_hidden_layers=1, intermediate_size=8, image_size=8, patch_size=4)
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(pictures, transformers.BertConfig(**DECODER))
    with pytest.raises(ValueError, match=r"^VisionEncoderDecoderModel reads pixel_values, not the ids of a text: .*\.$"):
        runnable(transformers.VisionEncoderDecoderModel(config), tokenizer)


def test_the_explorer_shows_it_in_parts(tokenizer):
    e = explore.attention(joined(), tokenizer, text=TEXT, target=TARGET)
    assert [part["name"] for part in e.parts] == ["encoder", "decoder", "decoder looks at the text"] and e.problem == ""
    e.layer, e.head = 6, 4
    expected = attentions(direct(e.model.model, tokenizer, tokenizer.convert_tokens_to_ids(list(e.run.tokens))))
    np.testing.assert_allclose(e.weights()[4], expected[6][0, 4], atol=1e-5)
    assert (e.tokens, e.key_tokens) == (list(e.run.tokens), list(e.run.source))
