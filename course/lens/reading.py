"""Text → ids for looking inside: any text is read or refused in one sentence, every token gets a readable name.

Works with any tokenizer of the transformers library, by its methods alone.
"""

from typing import NamedTuple

from course.sentences import table

ROLES = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


class Reading(NamedTuple):
    """A text as a model reads it."""

    ids: list[int]  # T of them
    tokens: tuple[str, ...]
    special: tuple[bool, ...]
    notes: list[str]  # sentences: what was cut off, what is unknown


def clean(text: str) -> str:
    """`text` with each lone surrogate, which no tokenizer reads, as U+FFFD; a pair becomes its character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read(tokenizer, text: str, limit: int | None, most: int) -> Reading:
    """The ids of `text` with the special tokens the model expects, at most `limit` (the model's; None: any) and `most`.

    Raises ValueError with one sentence for a text without tokens.
    """
    words = table("lens")
    text = clean(text)
    own = len(tokenizer("", verbose=False)["input_ids"])  # [CLS] and [SEP], which are always there
    count = len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
    if not count:
        raise ValueError(table("recording")["errors"]["no_tokens"])
    longest = most if limit is None else min(limit, most)
    if longest <= own:
        raise ValueError(words["errors"]["no_room"].format(limit=longest, own=own))
    ids = list(tokenizer(text, truncation=True, max_length=longest, verbose=False)["input_ids"])
    notes = []
    if count + own > len(ids):
        sentence = words["notes"]["cut_by_the_model" if longest == limit else "cut"]
        notes.append(sentence.format(count=count + own, shown=len(ids)))
    return named(tokenizer, ids, notes)


def written(tokenizer, text: str, start: int) -> list[int]:
    """The ids that a decoder reads while it writes `text`: `start`, and what the tokenizer makes of it, its end left off.

    So it is trained too: what is to be written, moved one place to the right.
    """
    ids = list(tokenizer(text_target=clean(text), verbose=False)["input_ids"])
    end = getattr(tokenizer, "eos_token_id", None)
    return [start, *(ids[:-1] if ids and ids[-1] == end else ids)]


def named(tokenizer, ids: list[int], notes: list[str]) -> Reading:
    """`ids` with their names, and with a sentence more in `notes` where some are unknown."""
    frames, unknown = _special_ids(tokenizer)
    special = tuple(token in frames for token in ids)
    notes = list(notes)
    if ids.count(unknown):
        unread, name = ids.count(unknown), tokenizer.unk_token
        notes.append(table("lens")["notes"]["unknown"].format(unknown=unread, count=len(ids) - sum(special), name=name))
    return Reading(ids, tuple(piece(tokenizer, token, frames) for token in ids), special, notes)


def piece(tokenizer, token: int, frames=frozenset()) -> str:
    """What token id `token` stands for: " like", "##ing", "[SEP]"; bytes that are no whole character as "<0xE8>"."""
    raw = tokenizer.convert_ids_to_tokens(token)
    if raw is None:  # an id that a model has room for and its tokenizer does not use
        return f"<{token}>"
    if token in frames:
        return raw
    if "▁" in raw:  # SentencePiece's space, which decoding a token by itself would drop
        return raw.replace("▁", " ")
    text = tokenizer.decode([token], clean_up_tokenization_spaces=False)
    if "\N{REPLACEMENT CHARACTER}" not in text:
        return text
    return "".join(f"<0x{_BYTES[c]:02X}>" for c in raw) if all(c in _BYTES for c in raw) else raw


def _special_ids(tokenizer) -> tuple[frozenset[int], int | None]:
    """The ids that stand for no text, and the id for what is unknown (None where no id is for that alone).

    A mask stands for a word that is hidden and an unknown token for one that could not be read: both are text.
    """
    roles = {role: getattr(tokenizer, f"{role}_token_id", None) for role in ROLES}
    unknown = roles.pop("unk")
    if unknown in roles.values():  # GPT-2's <|endoftext|> plays every part, and no text is unknown to bytes
        unknown = None
    return frozenset(tokenizer.all_special_ids) - {unknown, roles["mask"]}, unknown


def _byte_characters() -> dict[str, int]:
    """The printable characters by which byte-level tokenizers write bytes, as GPT-2 published them → the bytes."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


_BYTES = _byte_characters()
