r"""Byte-pair encoding by hand: the pair that is met most often becomes a token, again and again.

    Sennrich et al. 2016, arXiv 1508.07909, section 3.2; on bytes: Radford et al. 2019 (GPT-2), section 2.2

Everything here is a pure function of lists and tuples, as slow as the idea is plain: every round of `train` counts
every piece of the text again.  `course.text.tokenizer` gives the same ids fast.

Conventions, stated because others exist:
  * the units are bytes, never characters: ids 0 … 255 are the 256 bytes in the order GPT-2 published them, and merge
    number i makes the token 256 + i;
  * the text is cut into pieces first (`SPLIT`), and a pair never crosses a cut;
  * the most frequent pair is merged first; of pairs equally frequent the one with the smaller ids;
  * a text is encoded by replaying the merges in the order in which they were learned.
With these the merges are those that the trainer of the tokenizers library finds.

    >>> merges = train("low low low lower", 259)
    >>> merges
    [(75, 78), (256, 86), (220, 257)]
    >>> encode("a low", merges)
    [64, 258]
    >>> decode([64, 258], merges)
    'a low'
"""

import regex

# GPT-2's pattern: an English ending after an apostrophe, a word, a number, a run of other signs (each with the space
# before it), white space up to the last of it, which goes to the word that follows, and white space at the end.
# White space is written as the Unicode property, since what \s means differs: Python's re counts U+001C … U+001F in,
# JavaScript's counts U+FEFF in and U+0085 out.
SPLIT = (
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+"
    r"|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+"
)

# The bytes in GPT-2's order: those that Latin-1 prints first, then the others.  BYTES[id] is a byte, BYTE_IDS[byte] an id.
_PRINTED = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
BYTES = tuple(_PRINTED + sorted(set(range(256)) - set(_PRINTED)))
BYTE_IDS = tuple(BYTES.index(byte) for byte in range(256))


def pre_tokenize(text: str) -> list[str]:
    """Cut a text into the pieces that no merge may cross.

    text: any str.  Returns what `SPLIT` finds, from left to right; the pieces joined are the text.

        >>> pre_tokenize("I'll pay  20 €!")
        ['I', "'ll", ' pay', ' ', ' 20', ' €!']
    """
    return regex.findall(SPLIT, text)


def to_ids(piece: str) -> list[int]:
    """The bytes of a piece as ids, one for each byte of its UTF-8 form.

    Returns a list of ints 0 … 255: the place of each byte in GPT-2's order, `BYTE_IDS[byte]`.  A Chinese character
    has three bytes, an emoji four.  Raises UnicodeEncodeError, a ValueError, for half of a surrogate pair, which has no
    UTF-8 form.

        >>> to_ids("é")
        [127, 102]
    """
    return [BYTE_IDS[byte] for byte in piece.encode("utf-8")]


def pair_counts(pieces: list[list[int]]) -> dict[tuple[int, int], int]:
    """How often each pair of neighbours stands in the pieces.

    pieces: lists of ids, some of them perhaps empty.  Returns a dict {(left, right): count} of the pairs that are met;
    the order of its keys means nothing.  Pairs that overlap are counted as they stand: aaa holds the pair aa twice.
    Neighbours in different pieces are no pair.
    """
    counts = {}
    for ids in pieces:
        for pair in zip(ids, ids[1:]):
            counts[pair] = counts.get(pair, 0) + 1
    return counts


def merge(ids: list[int], pair: tuple[int, int], new_id: int) -> list[int]:
    """Replace every occurrence of the pair by the new id, from left to right; what was merged is not used twice.

    ids: a list of any length.  Returns a new list: a a a a a with (a, a) → A becomes A A a.  `ids` stays as it is.
    """
    merged = []
    i = 0
    while i < len(ids):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            merged.append(new_id)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def train(text: str, vocab_size: int) -> list[tuple[int, int]]:
    """Learn merges from a text until there are `vocab_size` tokens, or no pair is left.

    The text is cut into pieces, `pre_tokenize(text)`, and each becomes a list of ids, `to_ids(piece)`.  Each round counts
    all pairs in all pieces, takes the most frequent one (of several the one with the smaller ids: the smaller left id,
    then the smaller right id) and merges it everywhere.  A pair met once is merged too.

    vocab_size: 256 for the bytes and one for each merge.  Returns the merges as a list of tuples (left, right), in the
    order in which they were learned; merge number i, counted from 0, makes the token 256 + i.
    """
    pieces = [to_ids(piece) for piece in pre_tokenize(text)]
    merges = []
    while 256 + len(merges) < vocab_size:
        counts = pair_counts(pieces)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        pieces = [merge(ids, best, 256 + len(merges)) for ids in pieces]
        merges.append(best)
    return merges


def encode(text: str, merges: list[tuple[int, int]]) -> list[int]:
    """Turn a text into ids: cut it into pieces, and replay the merges on each in the order they were learned.

    The pieces are `pre_tokenize(text)`, and each begins as the ids of its bytes, `to_ids(piece)`.  merges: as `train`
    returns them, or [].  Returns a list of ints, the pieces' ids one after another; [] for an empty text.  Of the pairs
    in a piece the one learned earliest is merged first, not the leftmost and not the longest.
    """
    ranks = {pair: i for i, pair in enumerate(merges)}
    encoded = []
    for piece in pre_tokenize(text):
        ids = to_ids(piece)
        while len(ids) > 1:
            pair = min(zip(ids, ids[1:]), key=lambda pair: ranks.get(pair, len(merges)))
            if pair not in ranks:
                break
            ids = merge(ids, pair, 256 + ranks[pair])
        encoded += ids
    return encoded


def decode(ids: list[int], merges: list[tuple[int, int]]) -> str:
    """Turn ids into a text again: join the tokens' bytes, then read them as UTF-8, once.

    An id below 256 is the byte `BYTES[id]`; 256 + i is the two tokens of merge number i, one after the other.  A token can
    end inside a character, so single tokens can't be decoded and joined.  Bytes that are no UTF-8 become U+FFFD
    (errors="replace"); nothing is raised for them.  Returns a str; decode(encode(text, merges), merges) is the text.
    """
    tokens = [bytes([byte]) for byte in BYTES]
    for left, right in merges:
        tokens.append(tokens[left] + tokens[right])
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")
