"""GPT-2 checkpoints made on the spot: what is read is computed as the file means it, what is not is refused by name.

transformers is not imported here: what the file means is written out in NumPy.  The library itself is in tests/parity.
"""

import json
import math
import pickle

import numpy as np
import pytest
import torch

from course.pretrained import NoModel, gpt2, load_gpt2
from course.text.tokenizer import BPETokenizer
from tests.little_models import needed

safetensors = needed("safetensors.torch")

V, P, C, H, L, F_ = 265, 11, 15, 3, 2, 26  # all different: 256 bytes, some merges, one special token, a row to spare
CONFIG = dict(model_type="gpt2", vocab_size=V, n_positions=P, n_embd=C, n_head=H, n_layer=L, n_inner=F_, layer_norm_epsilon=0.2,
              activation_function="gelu_new", tie_word_embeddings=True)  # fmt: skip
TEXT = "I like apples; I like cats"


def some_tensors(seed=0, tied=True, d_ff=F_):
    """Random tensors of scale 0.5 under GPT-2's names, matrices (in, out)."""
    random = np.random.default_rng(seed)
    shapes = {"wte.weight": (V, C), "wpe.weight": (P, C), "ln_f.weight": (C,), "ln_f.bias": (C,)}
    for i in range(L):
        for part, shape in (("ln_1", (C,)), ("attn.c_attn", (C, 3 * C)), ("attn.c_proj", (C, C)), ("ln_2", (C,)),
                            ("mlp.c_fc", (C, d_ff)), ("mlp.c_proj", (d_ff, C))):  # fmt: skip
            shapes |= {f"h.{i}.{part}.weight": shape, f"h.{i}.{part}.bias": shape[-1:]}
    shapes |= {} if tied else {"lm_head.weight": (V, C)}
    return {name: random.normal(size=shape) * 0.5 for name, shape in shapes.items()}


BENDS = {
    "gelu_new": lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "gelu": lambda x: x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def gpt2_by_the_file(t, ids, bend="gelu_new", eps=0.2):
    """What a GPT-2 with these tensors computes: logits (T, V), each step as OpenAI's code names it."""
    T, D = len(ids), C // H

    def norm(x, name):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) * t[f"{name}.weight"] + t[f"{name}.bias"]

    def conv1d(x, name):
        return x @ t[f"{name}.weight"] + t[f"{name}.bias"]

    x = t["wte.weight"][ids] + t["wpe.weight"][:T]
    for i in range(L):
        qkv = conv1d(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn")  # (T, 3·C): all queries, all keys, all values
        found = np.zeros((T, C))
        for head in range(H):
            q, k, v = (qkv[:, part * C + head * D : part * C + (head + 1) * D] for part in range(3))
            for row in range(T):
                e = np.exp(q[row] @ k[: row + 1].T / math.sqrt(D))
                found[row, head * D : (head + 1) * D] = e / e.sum() @ v[: row + 1]
        x = x + conv1d(found, f"h.{i}.attn.c_proj")
        x = x + conv1d(BENDS[bend](conv1d(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc")), f"h.{i}.mlp.c_proj")
    return norm(x, "ln_f") @ t.get("lm_head.weight", t["wte.weight"]).T


@pytest.fixture
def checkpoint(tmp_path):
    """Writes a folder: tensors (arrays, or torch tensors), config.json, a tokenizer; returns its path."""

    def write(tensors, config=CONFIG, name="model.safetensors"):
        folder = tmp_path / "a_model"
        folder.mkdir(exist_ok=True)
        to_torch = lambda a: a if torch.is_tensor(a) else torch.tensor(a, dtype=torch.float32)
        safetensors.save_file({key: to_torch(a).contiguous() for key, a in tensors.items()}, folder / name)
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        BPETokenizer.train(TEXT, 264, ["<|endoftext|>"]).save(folder / "tokenizer.json")
        return folder

    return write


def agrees(model, tensors, ids=(3, 250, 7, 7, 100), **settings):
    expected = gpt2_by_the_file({k: np.float64(np.float32(a)) for k, a in tensors.items()}, list(ids), **settings)
    with torch.no_grad():
        computed = model.double()(torch.tensor(ids)).numpy()
    assert computed.shape == expected.shape and np.abs(expected).max() > 1
    np.testing.assert_allclose(computed, expected, rtol=1e-9, atol=1e-9)


# ── what is read ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("bend", BENDS)
def test_logits_are_what_the_file_means(checkpoint, bend, tied):
    tensors = some_tensors(tied=tied)
    model, tokenizer = load_gpt2(checkpoint(tensors, CONFIG | dict(activation_function=bend, tie_word_embeddings=tied)))
    assert model.config.tied == tied and {p.dtype for p in model.parameters()} == {torch.float32}
    agrees(model, tensors, bend=bend)
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT and len(tokenizer) <= V
    assert model.name == "a_model" and not model.training


def test_what_config_json_leaves_out_is_gpt2s(checkpoint):
    few = {name: CONFIG[name] for name in ("model_type", "vocab_size", "n_positions", "n_embd", "n_head", "n_layer")}
    tensors = some_tensors(d_ff=4 * C)
    agrees(load_gpt2(checkpoint(tensors, few | {"n_inner": None}))[0], tensors, eps=1e-5)
    agrees(load_gpt2(checkpoint(tensors, few))[0], tensors, eps=1e-5)


def test_names_with_transformer_before_them_and_masks_beside_them(checkpoint):
    tensors = some_tensors()
    old = {f"transformer.{name}": a for name, a in tensors.items()} | {"lm_head.weight": tensors["wte.weight"]}
    old |= {f"transformer.h.{i}.attn.bias": np.tri(P)[None, None] for i in range(L)}
    old |= {f"transformer.h.{i}.attn.masked_bias": np.array(-1e4) for i in range(L)}
    model, _ = load_gpt2(checkpoint(old))
    agrees(model, tensors)
    assert model.unembedding.weight is model.embedding.weight


def test_a_tied_config_with_two_different_tables_has_two(checkpoint):
    tensors = some_tensors(tied=False)
    model, _ = load_gpt2(checkpoint(tensors))
    agrees(model, tensors)
    assert not model.config.tied


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_other_precisions_become_float32(checkpoint, dtype):
    tensors = {name: torch.tensor(a).to(dtype) for name, a in some_tensors().items()}
    model, _ = load_gpt2(checkpoint(tensors))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    agrees(model, {name: a.double().numpy() for name, a in tensors.items()})


def sharded(checkpoint, tensors):
    """A folder with the tensors in three files, and their index."""
    names = sorted(tensors)
    files = {name: f"model-0000{i % 3 + 1}-of-00003.safetensors" for i, name in enumerate(names)}
    for file in set(files.values()):
        folder = checkpoint({name: tensors[name] for name in names if files[name] == file}, name=file)
    (folder / gpt2.INDEX).write_text(json.dumps({"metadata": {}, "weight_map": files}), encoding="utf-8")
    return folder


def test_several_files_with_their_index(checkpoint):
    tensors = some_tensors()
    agrees(load_gpt2(sharded(checkpoint, tensors))[0], tensors)


def test_a_tokenizer_of_two_files(checkpoint):
    folder = checkpoint(some_tensors())
    there = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    expected = BPETokenizer.load(folder / "tokenizer.json")
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(there["vocab"]), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(map(" ".join, there["merges"])), encoding="utf-8")
    assert load_gpt2(folder)[1] == expected


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────


def changed(**more):
    """The tensors with some others; None takes one out.  __ stands for a dot."""
    tensors = some_tensors()
    for name, a in more.items():
        tensors[name.replace("__", ".")] = a
    return {name: a for name, a in tensors.items() if a is not None}


TENSORS = [
    (changed(h__1__attn__c_attn__bias=None), "missing: h.1.attn.c_attn.bias."),
    (changed(ln_f__weight=None, h__0__mlp__c_fc__weight=None), "missing: h.0.mlp.c_fc.weight, ln_f.weight."),
    ({name: a for name, a in some_tensors().items() if not name.startswith("h.0.")},
     "missing: h.0.ln_1.weight, h.0.ln_1.bias, h.0.attn.c_attn.weight, h.0.attn.c_attn.bias and 8 more."),
    (changed(h__2__ln_1__weight=np.ones(C), score__weight=np.ones((2, C))), "does not have: h.2.ln_1.weight, score.weight."),
    (changed(h__0__crossattention__c_attn__weight=np.ones((C, 2 * C))), "does not have: h.0.crossattention.c_attn.weight."),
    (changed(h__1__mlp__c_fc__weight=np.ones((F_, C))), "h.1.mlp.c_fc.weight (26, 15), (15, 26)."),
    (changed(wte__weight=np.ones((V + 1, C)), wpe__weight=np.ones((P, 1))), "wpe.weight (11, 1), (11, 15); wte.weight (266, 15), (265, 15)."),
    (changed(ln_f__bias=np.ones((1, C))), "ln_f.bias (1, 15), (15,)."),
    (changed(lm_head__weight=np.ones((V, 2))), "lm_head.weight (265, 2), (265, 15)."),
    (changed(ln_f__bias=torch.ones(C, dtype=torch.int8)), "no floating point numbers: ln_f.bias (torch.int8)."),
]  # fmt: skip


@pytest.mark.parametrize("tensors, names", TENSORS, ids=range(len(TENSORS)))
def test_tensors_that_are_not_as_they_should_be_are_named(checkpoint, tensors, names):
    with pytest.raises(NoModel) as error:
        load_gpt2(checkpoint(tensors))
    assert str(error.value).endswith(names) and "a_model" in str(error.value)


def test_an_untied_model_needs_its_head(checkpoint):
    with pytest.raises(NoModel, match=r"missing: lm_head\.weight\."):
        load_gpt2(checkpoint(some_tensors(), CONFIG | {"tie_word_embeddings": False}))


SETTINGS = [
    (dict(scale_attn_by_inverse_layer_idx=True), "has scale_attn_by_inverse_layer_idx = True, which the course's GPT does not compute"),
    (dict(reorder_and_upcast_attn=True), "has reorder_and_upcast_attn = True, which"),
    (dict(add_cross_attention=True), "has add_cross_attention = True, which"),
    (dict(scale_attn_weights=False), "has scale_attn_weights = False, which"),
    (dict(activation_function="tanh"), "has activation_function = tanh, which"),
    (dict(model_type="gpt_neo"), "is no GPT-2: its config.json has the model_type gpt_neo"),
    (dict(model_type=None), "is no GPT-2"),
    (dict(n_head=4), "n_heads must divide d_model, got 4 heads for a width of 15"),
    (dict(n_layer="two"), "n_layers must be a whole number, got 'two'"),
]


@pytest.mark.parametrize("settings, sentence", SETTINGS, ids=range(len(SETTINGS)))
def test_what_our_gpt_does_not_compute_is_refused_by_name(checkpoint, settings, sentence):
    with pytest.raises(NoModel) as error:
        load_gpt2(checkpoint(some_tensors(), CONFIG | settings))
    assert sentence in str(error.value) and str(error.value).endswith(".")


def test_sizes_are_not_guessed(checkpoint):
    few = {name: value for name, value in CONFIG.items() if name not in ("n_embd", "n_positions")}
    with pytest.raises(NoModel, match="config.json does not give n_positions, n_embd"):
        load_gpt2(checkpoint(some_tensors(), few))


class Bomb:
    """An object whose reading runs a command, as a pickle's may."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_is_never_read(checkpoint, tmp_path):
    folder, trace = checkpoint(some_tensors()), tmp_path / "it_was_read"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(trace)))
    load_gpt2(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(NoModel, match="weights as .bin only, a format that can run code"):
        load_gpt2(folder)
    (folder / "adapter.safetensors").write_bytes(b"")
    with pytest.raises(NoModel, match="holds no weights"):
        load_gpt2(folder)
    assert not trace.exists()


def test_damaged_files_are_said_in_one_sentence(checkpoint):
    folder = checkpoint(some_tensors())
    whole = (folder / "model.safetensors").read_bytes()
    for damaged in (whole[:-20], b"", b"\x00" * 100):
        (folder / "model.safetensors").write_bytes(damaged)
        with pytest.raises(NoModel, match=r"model\.safetensors can't be read \("):
            load_gpt2(folder)
    (folder / "model.safetensors").write_bytes(whole)
    for text in ("{", "[]", "\udcff"):
        (folder / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(NoModel, match=r"config\.json can't be read \(it is no JSON\)"):
            load_gpt2(folder)
    (folder / "config.json").unlink()
    with pytest.raises(NoModel, match=r"holds no config\.json"):
        load_gpt2(folder)


def test_an_index_leads_nowhere_else(checkpoint):
    folder = sharded(checkpoint, some_tensors())
    index = json.loads((folder / gpt2.INDEX).read_text(encoding="utf-8"))
    missing = "model-00002-of-00003.safetensors"
    (folder / missing).rename(folder.parent / missing)
    with pytest.raises(NoModel, match=f"holds no {missing}"):
        load_gpt2(folder)
    moved = {name: file.replace("model-00002", "../model-00002") for name, file in index["weight_map"].items()}
    for wrong in ({"weight_map": moved}, {"weight_map": {"wte.weight": 3}}, {"weight_map": []}, {}):
        (folder / gpt2.INDEX).write_text(json.dumps(wrong), encoding="utf-8")
        with pytest.raises(NoModel, match="its weight_map names no files of the folder"):
            load_gpt2(folder)


def test_a_tokenizer_there_must_be_and_it_must_fit(checkpoint):
    folder = checkpoint(some_tensors())
    BPETokenizer.train(TEXT * 2 + "quite other words", 270, []).save(folder / "tokenizer.json")
    with pytest.raises(NoModel, match="has 270 tokens, and the model 265 rows"):
        load_gpt2(folder)
    (folder / "tokenizer.json").write_text('{"model": {"type": "Unigram", "vocab": []}}', encoding="utf-8")
    with pytest.raises(NoModel, match="none that the course reads: .* expected BPE"):
        load_gpt2(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(NoModel, match=r"vocab\.json with merges\.txt, or tokenizer\.json, is needed"):
        load_gpt2(folder)


def test_a_folder_there_must_be(tmp_path):
    with pytest.raises(NoModel, match="There is no folder"):
        load_gpt2(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoModel, match="holds no weights"):
        load_gpt2(tmp_path / "empty")


# ── the hub ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_is_asked_of_the_hub(checkpoint, monkeypatch):
    asked, folder, tensors = [], checkpoint(some_tensors()), some_tensors()
    monkeypatch.setattr(gpt2, "from_hub", lambda name: asked.append(name) or folder)
    model, _ = load_gpt2("openai-community/gpt2")
    assert asked == ["openai-community/gpt2"] and model.name == "openai-community/gpt2"
    agrees(model, tensors)
    monkeypatch.setattr(gpt2, "from_hub", lambda name: None)
    with pytest.raises(NoModel, match="the Hugging Face hub did not give a model of that name"):
        load_gpt2("gpt2-none")


def test_a_folder_goes_before_a_name_of_the_hub(checkpoint, monkeypatch):
    folder = checkpoint(some_tensors())
    monkeypatch.chdir(folder.parent)
    monkeypatch.setattr(gpt2, "from_hub", lambda name: pytest.fail(f"the hub was asked for {name}"))
    assert load_gpt2("a_model")[0].name == "a_model"


def test_without_the_library_one_sentence(checkpoint, monkeypatch):
    folder, there = checkpoint(some_tensors()), gpt2.importlib.util.find_spec
    for missing, asked in (("safetensors", folder), ("huggingface_hub", "gpt2")):
        monkeypatch.setattr(gpt2.importlib.util, "find_spec", lambda name, missing=missing: None if name == missing else there(name))
        with pytest.raises(NoModel, match="transformers library is not installed"):
            load_gpt2(asked)
