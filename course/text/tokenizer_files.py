"""The files of a byte-level BPE tokenizer: one JSON file as the tokenizers library writes it, or GPT-2's two.

In them a token is written with one visible character for each byte (a space is Ġ), the mapping GPT-2 published.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from course.text.bpe import BYTES

Pair = tuple[int, int]

# Printed bytes are written as their Latin-1 character, the others as U+0100 and following, in order of their ids.
_CHARACTERS = [chr(byte) for byte in BYTES[:188]] + [chr(0x100 + i) for i in range(68)]
_WRITTEN = dict(zip(BYTES, _CHARACTERS))
_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_GPT2_SPECIAL = "<|endoftext|>"


def written(token: bytes) -> str:
    """How a file writes the token: one character for each byte."""
    return "".join([_WRITTEN[byte] for byte in token])


def write(path: Path, merges: list[Pair], special: dict[str, int]) -> None:
    """Write the tokenizer as the library's JSON, whole or not at all.

    special: the special tokens and their ids, in the order of their ids.  Raises OSError where it can't be written.
    """
    names = list(_CHARACTERS)
    for left, right in merges:
        names.append(names[left] + names[right])
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    data = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": name} | flags for name, i in special.items()],
        "normalizer": None,
        "pre_tokenizer": _BYTE_LEVEL,
        "post_processor": None,
        "decoder": _BYTE_LEVEL,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {name: i for i, name in enumerate([*names, *special])},
            "merges": [[names[left], names[right]] for left, right in merges],
        },
    }  # fmt: skip
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file, as {path / 'tokenizer.json'}")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            json.dump(data, file, ensure_ascii=False, indent=1)
        with contextlib.suppress(OSError):  # mkstemp's files are private; a file of the usual kind is not
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read(path: Path) -> tuple[list[Pair], list[str]]:
    """The merges, as pairs of ids, and the special tokens in the order of their ids.

    path: the library's JSON, or a folder with vocab.json and merges.txt (GPT-2's: `<|endoftext|>` is special there, if
    the vocabulary has it), or with the library's JSON as tokenizer.json.
    Raises OSError for what can't be read, ValueError for what is no byte-level BPE with GPT-2's pieces, and for ids that
    are not the bytes in GPT-2's order, then the merges, then the special tokens (or these first: they come last here).
    """
    if not path.is_dir():
        return _read_json(path)
    if (path / "vocab.json").is_file() and (path / "merges.txt").is_file():
        return _read_gpt2(path)
    if (path / "tokenizer.json").is_file():
        return _read_json(path / "tokenizer.json")
    raise FileNotFoundError(f"the folder {path} has neither vocab.json with merges.txt nor tokenizer.json")


def _read_json(path: Path) -> tuple[list[Pair], list[str]]:
    data = _json(path)
    model = data.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), (dict, list)):
        raise ValueError(f"{path} is no tokenizer of the tokenizers library: it has no model with a vocabulary")
    try:
        for place, found, expected in _differences(data, model):
            raise ValueError(f"{path} is another kind of tokenizer: its {place} is {found}, expected {expected}")
        added = {token["content"]: token["id"] for token in data.get("added_tokens") or []}
        merges = [tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge) for merge in model["merges"]]
        return _from_names(path, model["vocab"], merges, added)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not as the tokenizers library writes it: {type(error).__name__} {error}") from None


def _differences(data: dict, model: dict) -> Iterator[tuple]:
    """What in the file would make other ids: (where, what is there, what should be)."""
    if model.get("type", "BPE") != "BPE":
        yield "model", model["type"], "BPE"
    if "merges" not in model:
        yield "list of merges", "missing", "in its place"
    cutting = data.get("pre_tokenizer") or {}
    if cutting.get("type") != "ByteLevel":
        yield "pre_tokenizer", cutting.get("type"), "ByteLevel"
    for name, expected in (("add_prefix_space", False), ("use_regex", True)):
        if cutting.get(name, True) != expected:
            yield f"pre_tokenizer's {name}", cutting.get(name, True), expected
    if data.get("normalizer"):
        yield "normalizer", data["normalizer"].get("type"), "none"
    after = data.get("post_processor") or {}
    adds_nothing = after.get("type") == "TemplateProcessing" and not after.get("special_tokens")
    if after.get("type", "ByteLevel") != "ByteLevel" and not adds_nothing:
        yield "post_processor", after["type"], "none or one that adds no tokens"
    if (data.get("decoder") or {}).get("type", "ByteLevel") != "ByteLevel":
        yield "decoder", data["decoder"]["type"], "ByteLevel"
    for name in ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges"):
        if model.get(name):
            yield f"model's {name}", model[name], "none"
    for token in data.get("added_tokens") or []:
        for name in ("single_word", "lstrip", "rstrip"):
            if token.get(name):
                yield f"{name} of added token {token.get('content')!r}", True, False


def _read_gpt2(folder: Path) -> tuple[list[Pair], list[str]]:
    vocabulary = _json(folder / "vocab.json")
    lines = _text(folder / "merges.txt").split("\n")
    merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
    special = {name: vocabulary[name] for name in [_GPT2_SPECIAL] if name in vocabulary}
    return _from_names(folder, vocabulary, merges, special)


def _from_names(
    path: Path, vocabulary: dict[str, int], merges: list[tuple[str, ...]], added: dict[str, int]
) -> tuple[list[Pair], list[str]]:
    """Merges of names → merges of ids, and the names that were added in the order of their ids.

    The vocabulary must be the 256 bytes, one token for each merge, and what was added, with ids in this order; or with
    what was added first, as the library's trainer numbers: that is converted, and every other id becomes smaller by their
    number.  A file that numbers in any other way is refused, since a model's rows belong to its own ids.
    """
    ids = {name: i for i, name in enumerate(_CHARACTERS)}
    missing = [name for name in _CHARACTERS if name not in vocabulary]
    if missing:
        first = missing[0]
        raise ValueError(f"{path} lacks {len(missing)} of the 256 bytes, the first as {first!r}: no byte-level BPE")
    pairs = []
    for i, names in enumerate(merges):
        if len(names) != 2 or not all(name in ids for name in names):
            raise ValueError(f"merge {i} of {path} must be of two tokens made before it, got {' '.join(names)!r}")
        name = names[0] + names[1]
        if name in ids or name not in vocabulary:
            raise ValueError(f"merge {i} of {path} must make one new token of the vocabulary, got {name!r}")
        ids[name] = 256 + i
        pairs.append((ids[names[0]], ids[names[1]]))
    unmade = [name for name in vocabulary if name not in ids and name not in added]
    if unmade:
        raise ValueError(f"{path} has {len(unmade)} tokens that no merge makes, the first {unmade[0]!r}")
    special = sorted(added, key=added.__getitem__)
    first = special and added[special[0]] == 0
    for i, name in enumerate([*special, *ids] if first else [*ids, *special]):
        found = added.get(name, vocabulary.get(name))
        if found != i:
            raise ValueError(f"{path} numbers its tokens in another way: {name!r} has the id {found!r}, expected {i}")
    return pairs, special


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from None


def _json(path: Path) -> dict:
    try:
        data = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path} must hold a JSON object, got a {type(data).__name__}")
    return data
