"""Where published weights lie on this machine, and reading them without a word on the screen.

Everything is loaded from a folder.  It comes from one of three places: an installed package that is nothing but a
model, a folder of one's own, or the Hugging Face hub, whose files are copied to its cache first.  Only safetensors are
read: the other format, pickle, can run code of whoever wrote the file.
"""

import contextlib
import functools
import hashlib
import importlib.util
import logging
import re
import warnings
from pathlib import Path

from course.sentences import table

WEIGHTS = "model.safetensors"
FILES = ("config.json", "*.safetensors", "*.safetensors.index.json", "modules.json", "sentence_*_config.json",
         "1_Pooling/config.json", "token*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt",
         "*.model")  # what is read of a model's files: no pickle among them  # fmt: skip
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


class NoModel(Exception):
    """One plain sentence that says why there is no model, and what to do."""


def no_model(sentence: str, /, **values) -> NoModel:
    """The error with a sentence of course/sentences/*/pretrained.toml."""
    return NoModel(table("pretrained")["errors"][sentence].format(**values))


def packaged(package: str) -> Path | None:
    """The folder `model` of an installed package; its code is not run.  None where there is no such package."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / "model" / WEIGHTS).is_file():
            return Path(place) / "model"
    return None


def local(path: Path) -> Path:
    """A folder of one's own.  Raises NoModel where it is none, or holds no weights that are safe to read."""
    path = Path(path).expanduser().absolute()
    if not path.is_dir():
        raise no_model("no_folder", path=path)
    if not list(path.glob("*.safetensors")):
        raise no_model("pickle_only" if list(path.glob("*.bin")) else "no_weights", path=path)
    return path


def from_hub(name: str, revision: str | None = None) -> Path | None:
    """The folder of the hub's cache that holds this model, fetched there if need be.  None if it can't be had.

    What is in the cache is taken without asking the network.  Without one the hub's own client would try for half a
    minute, so first one request without repetition finds out whether anything answers.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.utils import get_session

    fetch = functools.partial(snapshot_download, name, revision=revision, allow_patterns=list(FILES))
    with contextlib.suppress(Exception):  # not in the cache, or not all of it
        return local(fetch(local_files_only=True))
    if constants.HF_HUB_OFFLINE:
        return None
    try:
        get_session().head(constants.ENDPOINT, timeout=5)
        return Path(fetch())
    except Exception:  # no network, no such name, no right to read it: the caller has one sentence for all
        return None


@functools.cache
def _sha256(path: Path, size: int, modified: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256(path: Path) -> str:
    """The file's SHA-256, computed once as long as its size and time of change stay what they are."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@contextlib.contextmanager
def silence():
    """No progress bars, warnings or reports of the transformers library; its settings are put back."""
    import transformers

    told = transformers.utils.logging
    bars, level, hub = told.is_progress_bar_enabled(), told.get_verbosity(), logging.getLogger("huggingface_hub")
    hub_level = hub.level
    told.disable_progress_bar()
    told.set_verbosity_error()
    hub.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        told.set_verbosity(level)
        hub.setLevel(hub_level)
        if bars:
            told.enable_progress_bar()


def load(folder: Path):
    """(model, tokenizer) of the transformers library from a folder: float32, ready to compute, attention written out.

    Attention is "eager": the one implementation that can hand over its weights.  Nothing is asked of the network and no
    code from the folder is run.  Raises NoModel if the folder can't be read, or some of the weights are not in it.
    """
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model, told = AutoModel.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, attn_implementation="eager",
            dtype="float32", output_loading_info=True,
        )  # fmt: skip
    except Exception as error:  # a damaged file, an unknown architecture, shapes that do not fit: many kinds
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise no_model("unreadable", path=folder, reason=f"{type(error).__name__}: {reason}") from None
    missing = sorted(name for name in told["missing_keys"] if "pooler" not in name)  # of no use here, and often left out
    if missing:
        raise no_model("incomplete", path=folder, count=len(missing), first=missing[0])
    if len(tokenizer) <= len(set(tokenizer.all_special_tokens)):  # what comes of a folder without a vocabulary
        raise no_model("no_tokenizer", path=folder)
    return model.eval(), tokenizer
