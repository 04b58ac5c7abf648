"""Our GPT gives the numbers of transformers' GPT2LMHeadModel, with its parameters, and reads its checkpoints."""

import json

import numpy as np
import pytest

from course.blocks import feed_forward
from course.models import GPT, GPTConfig
from course.models.gpt import by_hand, gpt
from course.pretrained import NoModel, load_gpt2
from course.text.tokenizer import BPETokenizer
from tests.little_models import bytes_bpe, needed

torch = needed("torch")
transformers = needed("transformers")

# Sizes that are powers of nothing, odd numbers of heads, one layer and six, everything that config.json can ask for.
CONFIGS = {
    "one layer": dict(vocab_size=300, n_positions=16, n_embd=12, n_head=3, n_layer=1),
    "odd heads": dict(vocab_size=301, n_positions=17, n_embd=35, n_head=5, n_layer=3),
    "one head": dict(vocab_size=299, n_positions=18, n_embd=9, n_head=1, n_layer=2, tie_word_embeddings=False),
    "six layers": dict(vocab_size=300, n_positions=20, n_embd=28, n_head=7, n_layer=6),
    "wide inside": dict(vocab_size=300, n_positions=16, n_embd=24, n_head=2, n_layer=2, n_inner=131, tie_word_embeddings=False),
    "relu": dict(vocab_size=300, n_positions=16, n_embd=30, n_head=3, n_layer=4, activation_function="relu"),
    "exact gelu": dict(vocab_size=300, n_positions=16, n_embd=22, n_head=11, n_layer=2, activation_function="gelu"),
    "large eps": dict(vocab_size=300, n_positions=16, n_embd=15, n_head=3, n_layer=2, layer_norm_epsilon=0.5),
}
ACTIVATIONS = {"gelu_new": "gelu_tanh", "gelu": "gelu", "relu": "relu"}
T = 14
every_config = pytest.mark.parametrize("name", CONFIGS)


def theirs(name, dtype=torch.float64, seed=0, std=0.4):
    """GPT2LMHeadModel with all parameters of scale 0.4, biases and gains too: at 0.02 a missing part would not show."""
    config = transformers.GPT2Config(**CONFIGS[name], bos_token_id=0, eos_token_id=None)
    model = transformers.GPT2LMHeadModel(config).to(dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            gain = ".ln_" in parameter_name and parameter_name.endswith("weight")
            parameter.copy_(std * torch.randn(parameter.shape, generator=generator, dtype=torch.float64) + gain)
    return model.eval()


def places(layers):
    """Name of a parameter of theirs → (names of ours, transposed); three of ours are one of theirs, along the last axis."""
    yield "transformer.wte.weight", ["embedding.weight"], False
    yield "transformer.wpe.weight", ["positions.weight"], False
    yield "lm_head.weight", ["unembedding.weight"], False
    for kind in ("weight", "bias"):
        yield f"transformer.ln_f.{kind}", [f"norm.{kind}"], False
        for i in range(layers):
            there, here = f"transformer.h.{i}", f"blocks.{i}"
            yield f"{there}.ln_1.{kind}", [f"{here}.norm_1.{kind}"], False
            yield f"{there}.ln_2.{kind}", [f"{here}.norm_2.{kind}"], False
            yield f"{there}.attn.c_attn.{kind}", [f"{here}.attention.{a}.{kind}" for a in ("query", "key", "value")], True
            yield f"{there}.attn.c_proj.{kind}", [f"{here}.attention.out.{kind}"], True
            yield f"{there}.mlp.c_fc.{kind}", [f"{here}.feed_forward.up.{kind}"], True
            yield f"{there}.mlp.c_proj.{kind}", [f"{here}.feed_forward.down.{kind}"], True


def ours(model):
    """Our GPT with the parameters of theirs."""
    c = model.config
    config = GPTConfig(c.vocab_size, c.n_positions, c.n_embd, c.n_head, c.n_layer, d_ff=c.n_inner or 0, eps=c.layer_norm_epsilon,
                       activation=ACTIVATIONS[c.activation_function], tied=c.tie_word_embeddings)  # fmt: skip
    made = GPT(config).to(model.dtype)
    state, found = made.state_dict(), model.state_dict()
    with torch.no_grad():
        for name, names, turned in places(c.n_layer):
            for our, part in zip(names, found[name].chunk(len(names), dim=-1), strict=True):
                state.pop(our).copy_(part.T if turned and part.ndim == 2 else part)
    assert state == {}  # every one of ours has got its numbers
    return made


def ids_for(name, seed=1):
    return torch.randint(CONFIGS[name]["vocab_size"], (3, T), generator=torch.Generator().manual_seed(seed))


def off(a, b):
    """The largest difference, in parts of the largest logit."""
    return ((a - b).abs().max() / b.abs().max()).item()


# ── the same parameters ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype, limit", [(torch.float64, 1e-10), (torch.float32, 1e-5)], ids=["float64", "float32"])
@every_config
def test_logits_are_theirs(name, dtype, limit):
    model = theirs(name, dtype)
    ids = ids_for(name)
    with torch.no_grad():
        expected, computed = model(ids).logits, ours(model)(ids)
    assert computed.shape == expected.shape and computed.dtype == expected.dtype == dtype
    assert expected.std() > 0.3  # and not all alike
    assert off(computed, expected) < limit


@every_config
def test_by_hand_logits_are_theirs(name):
    model = theirs(name)
    bend = getattr(feed_forward, ACTIVATIONS[model.config.activation_function])
    logits = gpt(ids_for(name), by_hand(ours(model)), model.config.n_head, activation=bend, eps=model.config.layer_norm_epsilon)
    with torch.no_grad():
        assert off(torch.from_numpy(logits), model(ids_for(name)).logits) < 1e-10


@pytest.mark.parametrize("name", ["one layer", "one head", "six layers"])
def test_loss_and_gradients_are_theirs(name):
    model, ids = theirs(name), ids_for(name)
    made = ours(model)
    surprise = lambda logits: torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    loss = surprise(model(ids).logits)
    loss.backward()
    own = surprise(made(ids))
    own.backward()
    assert own.item() == pytest.approx(loss.item(), rel=1e-10)
    parameters, found = dict(made.named_parameters()), dict(model.named_parameters())
    for there, names, turned in places(model.config.n_layer):
        if there not in found:  # a tied head: its gradient is in the table's
            continue
        for our, part in zip(names, found[there].grad.chunk(len(names), dim=-1), strict=True):
            torch.testing.assert_close(parameters[our].grad, part.T if turned and part.ndim == 2 else part, rtol=1e-7, atol=1e-9)


@every_config
def test_parameters_are_as_many_by_name(name):
    model = theirs(name)
    made, found = ours(model), dict(model.named_parameters())
    parameters = dict(made.named_parameters())
    assert sum(made.parameter_counts().values()) == model.num_parameters()
    for there, names, _ in places(model.config.n_layer):
        if there in found:
            assert sum(parameters[our].numel() for our in names) == found[there].numel()
    by_part = lambda *words: sum(p.numel() for n, p in found.items() if any(word in n for word in words))
    assert made.parameter_counts() == {
        "embedding": by_part("wte"), "positions": by_part("wpe"), "attention": by_part(".attn."), "feed_forward": by_part(".mlp."),
        "norms": by_part(".ln_"), "unembedding": by_part("lm_head"),
    }  # fmt: skip


@every_config
def test_greedy_continuations_are_theirs(name):
    model, start = theirs(name), ids_for(name)[:, :4]
    made, ids = ours(model), start
    settings = dict(max_new_tokens=10, do_sample=False, pad_token_id=0, attention_mask=torch.ones_like(start))
    expected = model.generate(start, **settings)
    with torch.no_grad():
        for _ in range(10):
            ids = torch.cat([ids, made(ids)[:, -1:].argmax(-1)], dim=1)
    assert ids.tolist() == expected.tolist()


def drawn(model, start, seed):
    """Ids drawn one by one, by one uniform number each: the first token at which the sum of probabilities exceeds it."""
    random, ids = np.random.default_rng(seed), list(start)
    with torch.no_grad():
        while len(ids) < T:
            probs = model(torch.tensor([ids]))[0, -1].softmax(-1).numpy()
            ids.append(int(np.searchsorted(probs.cumsum(), random.random(), side="right")))
    return ids


@every_config
def test_seeded_samples_are_theirs(name):
    model = theirs(name, std=0.2)
    made, samples = ours(model), []
    for seed in range(3):
        samples.append(drawn(made, [1, 2], seed))
        assert samples[-1] == drawn(lambda ids: model(ids).logits, [1, 2], seed)
    assert samples[0] != samples[1]


# ── their checkpoints ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def saved(tmp_path):
    """Saves a model as transformers does, with a tokenizer of ours, whose ids are the file's."""

    def save(model, **settings):
        model.save_pretrained(tmp_path, **settings)
        BPETokenizer.train("I like apples and bananas; I like my cats " * 3, 270, ["<|endoftext|>"]).save(tmp_path / "tokenizer.json")
        return tmp_path

    return save


@pytest.mark.parametrize("shards", ["5GB", "9KB"], ids=["whole", "sharded"])
@every_config
def test_a_saved_checkpoint_gives_their_logits(saved, name, shards):
    model = theirs(name, torch.float32)
    folder = saved(model, max_shard_size=shards)
    assert (len(list(folder.glob("*.safetensors"))) > 1) == (shards == "9KB")
    made, tokenizer = load_gpt2(folder)
    with torch.no_grad():
        assert off(made(ids_for(name)), model(ids_for(name)).logits) < 1e-5
    assert made.config.tied == model.config.tie_word_embeddings and made.config.context_length == model.config.n_positions
    assert made.name == folder.name and not made.training and len(tokenizer) == 270


def test_half_precision_is_read_as_float32(saved):
    model = theirs("odd heads", torch.bfloat16)
    made, _ = load_gpt2(saved(model))
    assert {parameter.dtype for parameter in made.parameters()} == {torch.float32}
    ids = ids_for("odd heads")
    with torch.no_grad():
        assert off(made(ids), model.float()(ids).logits) < 1e-5


def test_a_checkpoint_without_a_head_and_one_with_a_head_of_its_own(saved, tmp_path):
    """GPT2Model's files have neither "transformer." before the names nor lm_head; two different tables are two."""
    model = theirs("one layer", torch.float32)
    made, _ = load_gpt2(saved(model.transformer))
    with torch.no_grad():
        assert off(made(ids_for("one layer")), model(ids_for("one layer")).logits) < 1e-5
    untied = theirs("one head", torch.float32)
    folder = saved(untied)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"tie_word_embeddings": True}))
    made, _ = load_gpt2(folder)
    assert not made.config.tied
    again = transformers.GPT2LMHeadModel.from_pretrained(folder).eval()
    with torch.no_grad():
        assert off(made(ids_for("one head")), untied(ids_for("one head")).logits) < 1e-5
        assert off(made(ids_for("one head")), again(ids_for("one head")).logits) < 1e-5


@pytest.mark.parametrize("files", ["tokenizer.json", "vocab.json and merges.txt"])
def test_a_tokenizer_that_numbers_otherwise_is_refused(saved, files):
    """As the tokenizers library trains it, <|endoftext|> is id 0; a BPETokenizer has special tokens last."""
    theirs_tokenizer, folder = bytes_bpe(), saved(theirs("six layers", torch.float32))
    (folder / "tokenizer.json").unlink()
    if files == "tokenizer.json":
        theirs_tokenizer.save_pretrained(folder)
    else:
        bpe = json.loads(theirs_tokenizer.backend_tokenizer.to_str())["model"]
        (folder / "vocab.json").write_text(json.dumps(bpe["vocab"]), encoding="utf-8")
        merges = "\n".join(" ".join(pair) for pair in bpe["merges"])
        (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    with pytest.raises(NoModel, match="none that the course reads: .* numbers its tokens in another way"):
        load_gpt2(folder)


def test_gpt2s_own_files_are_read(saved):
    """vocab.json and merges.txt, bytes first and <|endoftext|> last, as OpenAI published them: the library's ids are ours."""
    model = theirs("odd heads", torch.float32)
    folder = saved(model)
    bpe = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(bpe["vocab"]), encoding="utf-8")
    merges = "\n".join(" ".join(pair) for pair in bpe["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    made, tokenizer = load_gpt2(str(folder))
    library = transformers.GPT2TokenizerFast(vocab=bpe["vocab"], merges=[tuple(pair) for pair in bpe["merges"]])
    text = "I like 苹 and<|endoftext|>I"
    ids = tokenizer.encode(text)
    assert ids == library(text)["input_ids"] and tokenizer.decode(ids) == text
    with torch.no_grad():
        assert off(made(torch.tensor(ids)), model(torch.tensor([ids])).logits[0]) < 1e-5
