"""A model looked into: what is recorded is what it computed, heads are switched off exactly, nothing stays behind."""

import copy
import re

import numpy as np
import pytest

from course.lens.recording import Recording
from course.lens.run import NO_HEADS, Run, Runnable, divergence, moved, runnable
from tests.little_models import BARE, BERT, FULL, bytes_bpe, forward, ids_of, model, needed, without, wordpiece

torch = needed("torch")
needed("transformers")

TEXT = "I like to eat apples and bananas"
ALL = FULL | BARE


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    pieces = wordpiece(tmp_path_factory.mktemp("vocabulary"))
    return {"Bert": pieces, "Roberta": bytes_bpe("RobertaTokenizerFast"), "": bytes_bpe()}


@pytest.fixture
def make(tokenizers):
    """name → (Runnable, model, path of the map behind the heads of a layer, causal)."""

    def one(name, **changes):
        kind, config, settings, path, causal = ALL[name]
        made = model(kind, config, **settings | changes)
        kin = next(kin for kin in tokenizers if kin in kind)
        made.eval()
        return runnable(made, tokenizers[kin]), made, path, causal

    return one


# ── what is recorded ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ALL)
def test_weights_vectors_and_logits_are_the_models(make, name):
    r, made, _, _ = make(name)
    run, outputs = r.run(TEXT), forward(made, ids_of(r, TEXT))
    assert isinstance(run, Run) and isinstance(r, Runnable) and run.off == NO_HEADS
    assert len(run.layers) == len(run.names) == len(outputs.attentions)
    for layer, weights in zip(run.layers, outputs.attentions):
        np.testing.assert_allclose(layer.weights, weights[0], atol=1e-6)
        assert layer.tokens == layer.key_tokens == run.tokens
    np.testing.assert_allclose(run.vectors, outputs.hidden_states[-1][0], rtol=1e-5, atol=1e-5)
    if hasattr(outputs, "logits"):
        np.testing.assert_allclose(run.logits, outputs.logits[0], rtol=1e-5, atol=1e-5)
    else:
        assert run.logits is None and r.top(run, 0) is None


@pytest.mark.parametrize("name", FULL)
def test_weights_and_the_heads_outputs_follow_from_what_is_recorded(make, name):
    r, made, path, causal = make(name)
    run, sides = r.run(TEXT), {}
    for index in range(len(run.layers)):
        keep = lambda m, args, index=index: sides.update({index: args[0]})
        made.get_submodule(path.format(index)).register_forward_pre_hook(keep)
    forward(made, ids_of(r, TEXT))
    for index, layer in enumerate(run.layers):
        H, T, D = layer.q.shape
        assert H == layer.heads == len(layer.weights) and T == len(run.tokens)
        assert layer.k.shape == layer.v.shape == (H, T, D)
        scores = layer.scale * np.einsum("htd,hsd->hts", layer.q, layer.k)
        np.testing.assert_allclose(layer.scores(), scores, rtol=1e-4, atol=1e-5)
        e = np.exp(scores) * (np.tri(T) if causal else 1)
        np.testing.assert_allclose(layer.weights, e / e.sum(-1, keepdims=True), atol=1e-5)
        side_by_side = np.concatenate(list(layer.attend()[0]), axis=-1)  # (T, H·D)
        np.testing.assert_allclose(side_by_side, sides[index][0], rtol=1e-4, atol=1e-5)
        assert (layer.mask is None) != causal and (not causal or (layer.mask == np.tri(T, dtype=bool)).all())
    assert run.note == ""


@pytest.mark.parametrize("name", BARE)
def test_where_scores_are_more_than_queries_times_keys_there_are_weights_alone(make, name):
    run = make(name)[0].run(TEXT)
    assert not any(layer.has_scores or layer.v is not None for layer in run.layers)
    assert "weights alone" in run.note


def test_a_layers_own_scale_is_recorded(make):
    r, made, _, _ = make("BERT")
    made.encoder.layer[1].attention.self.scaling = 0.1
    assert [round(layer.scale, 4) for layer in r.run(TEXT).layers] == [0.4472, 0.1, 0.4472]


def test_one_layer_that_does_not_fit_leaves_all_with_weights_alone(make):
    r, made, _, _ = make("BERT")
    attention = made.encoder.layer[1].attention.self
    attention.register_forward_hook(lambda m, args, output: (output[0], output[1] ** 2))  # returns others than it used
    run = r.run(TEXT)
    assert not any(layer.has_scores for layer in run.layers) and "weights alone" in run.note


def test_values_that_do_not_give_the_output_are_not_shown(make):
    r, made, path, _ = make("BERT")
    made.encoder.layer[0].attention.self.register_forward_hook(lambda m, args, output: (output[0] * 2, *output[1:]))
    assert not any(layer.has_scores for layer in r.run(TEXT).layers)


def test_layers_are_counted_from_one_and_are_one_group(make):
    run = make("BERT")[0].run(TEXT)
    assert run.names == ("layer 1", "layer 2", "layer 3")
    assert (run.parts, run.source, run.source_special) == ((), (), ())
    assert not run.of_source(2) and run.special_of(2) == run.special


def test_long_texts_are_looked_at_in_some_rows_only_and_found_out(make):
    r, made, _, _ = make("BERT", max_position_embeddings=200)
    text = "I like apples . " * 30
    assert len(r.run(text).tokens) > 100 and all(layer.has_scores for layer in r.run(text).layers)


# ── heads switched off ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("off", [{(0, 1)}, {(0, 0), (0, 2)}, {(1, 2), (0, 1)}], ids=str)
def test_a_head_that_is_off_contributes_nothing(make, name, off):
    changes = dict(num_hidden_layers=2) if name == "BERT with words" else {}
    r, made, path, _ = make(name, **changes)
    before, after = r.run(TEXT), r.run(TEXT, off)
    expected = forward(without(made, path, off, before.layers[0].heads), ids_of(r, TEXT))
    np.testing.assert_allclose(after.vectors, expected.hidden_states[-1][0], rtol=1e-5, atol=1e-5)
    for layer, weights in zip(after.layers, expected.attentions):
        np.testing.assert_allclose(layer.weights, weights[0], atol=1e-5)
    assert after.off == off and moved(before, after).max() > 1e-3
    assert [layer.has_scores for layer in after.layers] == [layer.has_scores for layer in before.layers]
    np.testing.assert_array_equal(r.run(TEXT).vectors, before.vectors)  # on again


def test_what_changed(make):
    r, _, _, _ = make("GPT-2")
    before, after = r.run(TEXT), r.run(TEXT, {(1, 3)})
    a, b = before.vectors.astype(float), after.vectors.astype(float)
    expected = [np.sqrt(((y - x) ** 2).sum() / (x**2).sum()) for x, y in zip(a, b)]
    np.testing.assert_allclose(moved(before, after), expected)
    p, q = (torch.tensor(run.logits).double().log_softmax(-1) for run in (before, after))
    expected = torch.nn.functional.kl_div(q, p, log_target=True, reduction="none").sum(-1)
    np.testing.assert_allclose(divergence(before, after), expected)
    assert (moved(before, before) == 0).all() and (divergence(before, before) == 0).all()
    bert = make("BERT")[0]
    assert divergence(bert.run(TEXT), bert.run(TEXT, {(0, 0)})) is None
    with pytest.raises(ValueError, match="same text"):
        moved(before, r.run("I like"))


@pytest.mark.parametrize("off", [{(3, 0)}, {(0, 3)}, {(-1, 0)}, {(0, -1)}], ids=str)
def test_heads_that_there_are_not_are_refused(make, off):
    with pytest.raises(ValueError, match="There is no head .* there are 3 layers, of 3 heads"):
        make("BERT")[0].run(TEXT, off)


@pytest.mark.parametrize("kind", ["Albert", "DebertaV2"])
def test_models_whose_heads_are_not_found_show_weights_and_switch_none_off(tokenizers, kind):
    """ALBERT's layers are one and the same, DeBERTa's maps have other names."""
    settings = dict(vocab_size=33, hidden_size=12, num_attention_heads=3, num_hidden_layers=2, intermediate_size=8,
                    max_position_embeddings=20)  # fmt: skip
    made = model(f"{kind}Model", f"{kind}Config", **settings)
    r = runnable(made, tokenizers["Bert"])
    run, outputs = r.run(TEXT), forward(made.eval(), ids_of(r, TEXT))
    for layer, weights in zip(run.layers, outputs.attentions):
        assert not layer.has_scores
        np.testing.assert_allclose(layer.weights, weights[0], atol=1e-6)
    with pytest.raises(ValueError, match="can't be switched off"):
        r.run(TEXT, {(0, 0)})


# ── nothing stays behind ─────────────────────────────────────────────────────────────────────────────────────


def state(made):
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in made.modules())
    gradients = [(p.requires_grad, p.grad is None) for p in made.parameters()]
    training, kernel = [m.training for m in made.modules()], made.config._attn_implementation
    return hooks, gradients, training, kernel, torch.get_rng_state().tolist()


@pytest.mark.parametrize("name", ["BERT", "GPT-2"])
def test_the_model_is_left_as_it_was(make, name):
    r, made, path, _ = make(name)
    made.train()
    made.get_submodule(path.format(1)).eval()  # a mixture
    made.set_attn_implementation("sdpa")
    r.run(TEXT)  # transformers hooks itself in at its first run
    numbers, before = copy.deepcopy(made.state_dict()), state(made)
    assert before[3] == "sdpa" and len(set(before[2])) == 2
    run = r.run(TEXT, {(1, 2)})
    assert state(made) == before
    assert all(torch.equal(a, b) for a, b in zip(numbers.values(), made.state_dict().values()))
    np.testing.assert_array_equal(run.vectors, r.run(TEXT, {(1, 2)}).vectors)  # no dropout: the run evaluates
    expected = forward(made.eval(), ids_of(r, TEXT)).hidden_states[-1][0]
    np.testing.assert_allclose(r.run(TEXT).vectors, expected, rtol=1e-5, atol=1e-5)


def test_the_model_is_left_as_it_was_after_an_error_too(make):
    r, made, _, _ = make("BERT")
    r.run(TEXT)  # transformers hooks itself in at its first run
    made.train()
    made.set_attn_implementation("sdpa")

    def breaks(module, args):
        raise RuntimeError("broken on purpose")

    handle = made.encoder.layer[2].register_forward_pre_hook(breaks)
    before = state(made)
    with pytest.raises(RuntimeError, match="broken on purpose"):
        r.run(TEXT, {(0, 0)})
    assert state(made) == before
    handle.remove()
    assert r.run(TEXT).layers[0].has_scores


def test_recordings_do_not_share_memory_with_the_model(make):
    r, made, _, _ = make("GPT-2")
    first = r.run(TEXT)
    kept = [layer.q.copy() for layer in first.layers]
    r.run("bananas and bananas")
    for layer, q in zip(first.layers, kept):
        np.testing.assert_array_equal(layer.q, q)
        assert layer.weights.base is None and layer.weights.dtype == layer.q.dtype == first.vectors.dtype == np.float32


def test_half_precision_is_looked_into_too(make):
    r, made, _, _ = make("BERT")
    made.bfloat16()
    run = r.run(TEXT)
    assert run.vectors.dtype == np.float32
    for layer in run.layers:  # its rounding is coarser than the difference that is allowed
        np.testing.assert_allclose(layer.weights.sum(-1), 1, atol=0.02)


# ── predictions, names, and what is taken ────────────────────────────────────────────────────────────────────


def test_the_most_probable_tokens(make, tokenizers):
    r, made, _, _ = make("BERT with words")
    run = r.run("I like [MASK] .")
    position = run.tokens.index("[MASK]")
    assert not run.special[position] and run.special[0]
    probs, ids = forward(made, ids_of(r, "I like [MASK] .")).logits[0, position].softmax(-1).topk(4)
    found = r.top(run, position, 4)
    assert [token for token, _ in found] == tokenizers["Bert"].convert_ids_to_tokens(ids)
    np.testing.assert_allclose([p for _, p in found], probs, rtol=1e-4)
    assert r.top(run, position - len(run.tokens), 4) == found and len(r.top(run, 0, 999)) == 33
    with pytest.raises(ValueError, match="There is no position 99: the last is 5"):
        r.top(run, 99)


def test_a_classifier_has_no_predictions_of_tokens(tokenizers):
    made = model("BertForTokenClassification", "BertConfig", **BERT)
    r = runnable(made, tokenizers["Bert"])
    assert r.run(TEXT).logits is None and r.top(r.run(TEXT), 0) is None


class Wrapper:
    """As a sentence encoder is: a model and its tokenizer."""

    def __init__(self, model, tokenizer, **more):
        self.model, self.tokenizer = model, tokenizer
        self.__dict__ |= more


def test_what_can_be_made_runnable(make, tokenizers):
    r, made, _, _ = make("BERT")
    assert runnable(r) is r and r.name == "BertModel"
    made.config.name_or_path = "somebody/little-bert"
    assert runnable(made, tokenizers["Bert"]).name == "somebody/little-bert"
    wrapped = runnable(Wrapper(made, tokenizers["Bert"], name="MiniLM", max_length=7))
    assert wrapped.name == "MiniLM" and len(wrapped.run(TEXT).tokens) == 7
    np.testing.assert_array_equal(runnable(Wrapper(made, tokenizers["Bert"])).run(TEXT).vectors, r.run(TEXT).vectors)
    writer = make("GPT-2")[1]
    assert runnable(Wrapper(writer, tokenizers[""], lowercase=True)).run("I LIKE").tokens == ("i", " like")


def test_a_model_from_a_folder_is_called_by_its_class(make, tokenizers, tmp_path):
    _, made, _, _ = make("BERT")
    made.config.name_or_path = str(tmp_path)
    assert runnable(made, tokenizers["Bert"]).name == "BertModel"


class Ours:
    """A model that keeps to the protocol."""

    name = "ours"

    def run(self, text, off=NO_HEADS):
        recording = Recording(tuple(text), np.eye(len(text)), np.eye(len(text)))
        return Run(recording.tokens, (recording,), ("layer 1",), np.eye(len(text)), None, (False,) * len(text), off)

    def top(self, run, position, n=5):
        return None


def test_what_keeps_to_the_protocol_is_taken_as_it_is():
    ours = Ours()
    assert runnable(ours) is ours
    with pytest.raises(ValueError, match="got type"):
        runnable(Ours)
    with pytest.raises(ValueError, match="got Linear"):
        runnable(torch.nn.Linear(2, 2))


def test_a_model_needs_its_own_tokenizer(make, tokenizers):
    _, made, _, _ = make("BERT")
    with pytest.raises(ValueError, match="BertModel reads ids: its tokenizer is needed too"):
        runnable(made)
    with pytest.raises(ValueError, match=r"gave the id \d+, and the model knows ids below 33"):
        runnable(made, tokenizers[""]).run(TEXT)


def test_a_model_without_attention_weights_says_so(make, tokenizers):
    _, made, _, _ = make("BERT")
    made.set_attn_implementation = lambda name: None  # cannot be asked for another implementation
    made.config._attn_implementation = "sdpa"
    if made(torch.tensor([[1]]), output_attentions=True).attentions:
        pytest.skip("this transformers returns them anyway")
    with pytest.raises(ValueError, match=re.escape('load it with attn_implementation="eager"')):
        runnable(made, tokenizers["Bert"]).run(TEXT)
