"""Answers to the exercise bpe_decode: wrong ones, then right ones by another road."""

import codecs
import io

from course.text.bpe import BYTE_IDS, BYTES
from tests.exercises.unlisted_01.shared import right, wrong


def _tokens(merges) -> list[bytes]:
    table = [bytes([byte]) for byte in BYTES]
    for left, right_one in merges:
        table.append(table[left] + table[right_one])
    return table


def _bytes(ids, merges) -> bytes:
    return b"".join(_tokens(merges)[id] for id in ids)


# ── wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


@wrong("bpe_decode")
def token_by_token(ids, merges):
    """Each token decoded alone, strictly: an error inside a character."""
    return "".join(token.decode("utf-8") for token in map(_tokens(merges).__getitem__, ids))


@wrong("bpe_decode")
def by_characters(ids, merges):
    """chr of each byte."""
    return "".join(chr(byte) for byte in _bytes(ids, merges))


@wrong("bpe_decode")
def question_marks(ids, merges):
    """? in place of U+FFFD."""
    return _bytes(ids, merges).decode("utf-8", "replace").replace("\ufffd", "?")


@wrong("bpe_decode")
def nothing_for_an_error(ids, merges):
    """An empty text, if anything is broken."""
    try:
        return _bytes(ids, merges).decode()
    except UnicodeDecodeError:
        return ""


@wrong("bpe_decode")
def a_list_of_tokens(ids, merges):
    """Tokens in a list."""
    return [_tokens(merges)[id].decode("utf-8", "replace") for id in ids]


@wrong("bpe_decode")
def the_repr_of_bytes(ids, merges):
    """str(bytes): b'…' as text."""
    return str(_bytes(ids, merges))


@wrong("bpe_decode")
def ascii_signs(ids, merges):
    """ASCII with replacement: every byte of é becomes U+FFFD."""
    return _bytes(ids, merges).decode("ascii", "replace")


@wrong("bpe_decode")
def one_level_by_hand(ids, merges):
    """A merged token is replaced by its pair once; halves that are merged themselves raise IndexError."""
    flat = [one for id in ids for one in (merges[id - 256] if id > 255 else (id,))]
    return bytes(BYTES[id] for id in flat).decode("utf-8", "replace")


@wrong("bpe_decode")
def off_by_one(ids, merges):
    """id > 256 is merged: 256 itself raises IndexError."""

    def expand(id):
        return BYTES[id : id + 1] if id <= 256 else expand(merges[id - 257][0]) + expand(merges[id - 257][1])

    return bytes(byte for id in ids for byte in expand(id)).decode("utf-8", "replace")


@wrong("bpe_decode")
def plain_table(ids, merges):
    """bytes([id]) in place of BYTES."""
    table = {i: bytes([i]) for i in range(256)}
    for i, (left, right_one) in enumerate(merges):
        table[256 + i] = table[left] + table[right_one]
    return b"".join(table[id] for id in ids).decode("utf-8", errors="replace")


@wrong("bpe_decode")
def table_the_other_way(ids, merges):
    """BYTE_IDS in place of BYTES."""
    table = [bytes([id]) for id in BYTE_IDS]
    for left, right_one in merges:
        table.append(table[left] + table[right_one])
    return b"".join(table[id] for id in ids).decode("utf-8", errors="replace")


@wrong("bpe_decode")
def stand_in_letters(ids, merges):
    """GPT-2's stand-in letters: Ġ for a space, two signs for é."""
    letters = [chr(byte) if chr(byte).isprintable() and byte != 32 else chr(256 + byte) for byte in range(256)]
    return "".join(letters[byte] for byte in _bytes(ids, merges))


@wrong("bpe_decode")
def cleaned_up(ids, merges):
    """Spaces before commas are taken away, and double ones."""
    return " ".join(_bytes(ids, merges).decode("utf-8", "replace").split())


@wrong("bpe_decode")
def without_a_byte_order_mark(ids, merges):
    """utf-8-sig swallows U+FEFF at the beginning."""
    return _bytes(ids, merges).decode("utf-8-sig", "replace")


@wrong("bpe_decode")
def line_ends(ids, merges):
    r"""Read as a file: \r\n becomes \n."""
    return io.TextIOWrapper(io.BytesIO(_bytes(ids, merges)), "utf-8", "replace").read()


@wrong("bpe_decode")
def a_character_for_each_lost_byte(ids, merges):
    """One U+FFFD for every byte that is lost, where Python gives one for a beginning of a character."""
    return _bytes(ids, merges).decode("utf-8", "surrogateescape").translate({0xDC00 + i: 0xFFFD for i in range(256)})


@wrong("bpe_decode")
def surrogates(ids, merges):
    """Lost bytes kept as halves of surrogates."""
    return _bytes(ids, merges).decode("utf-8", "surrogateescape")


@wrong("bpe_decode")
def known_ids_only(ids, merges):
    """Merged tokens are left out."""
    return bytes(BYTES[id] for id in ids if id < 256).decode("utf-8", "replace")


@wrong("bpe_decode")
def each_id_once(ids, merges):
    """A set of ids."""
    return _bytes(dict.fromkeys(ids), merges).decode("utf-8", "replace")


@wrong("bpe_decode")
def printable_only(ids, merges):
    """Signs that can't be seen are dropped."""
    return "".join(sign for sign in _bytes(ids, merges).decode("utf-8", "replace") if sign.isprintable())


@wrong("bpe_decode")
def a_bytearray(ids, merges):
    """The bytes, not the text."""
    return bytearray(_bytes(ids, merges))


@wrong("bpe_decode")
def merges_as_a_dict(ids, merges):
    """merges.items(): a list has none."""
    table = {i: bytes([byte]) for i, byte in enumerate(BYTES)}
    for pair, id in merges.items():
        table[id] = table[pair[0]] + table[pair[1]]
    return b"".join(table[id] for id in ids).decode("utf-8", "replace")


# ── right ───────────────────────────────────────────────────────────────────────────────────────────────────


@right("bpe_decode")
def by_a_dict(ids, merges):
    """The table as a dict."""
    table = {i: bytes([byte]) for i, byte in enumerate(BYTES)}
    for i, (left, right_one) in enumerate(merges):
        table[256 + i] = table[left] + table[right_one]
    return b"".join(map(table.__getitem__, ids)).decode("utf-8", errors="replace")


@right("bpe_decode")
def with_a_pile(ids, merges):
    """A pile of what is still to be taken apart."""
    pile, out = list(reversed(ids)), bytearray()
    while pile:
        id = pile.pop()
        if id < 256:
            out.append(BYTES[id])
        else:
            pile += reversed(merges[id - 256])
    return out.decode("utf-8", errors="replace")


@right("bpe_decode")
def bit_by_bit(ids, merges):
    """A decoder that remembers half a character from token to token."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    table = _tokens(merges)
    return "".join(decoder.decode(table[id]) for id in ids) + decoder.decode(b"", final=True)


@right("bpe_decode")
def bytes_added_up(ids, merges):
    """Bytes added one token after the other, and codecs at the end."""
    out = b""
    for id in ids:
        out += _tokens(merges)[id]
    return codecs.decode(out, "utf-8", "replace")
