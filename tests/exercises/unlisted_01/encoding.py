"""Answers to the exercise bpe_encode: wrong ones, then right ones by another road."""

import heapq

import numpy as np

from course.text.bpe import BYTE_IDS, BYTES, pre_tokenize, to_ids
from tests.exercises.unlisted_01.shared import _join, _replay, _rows, right, wrong

# ── wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


@wrong("bpe_encode")
def in_reverse(text, merges):
    """The merges from the last to the first."""
    out = []
    for ids in _rows(text):
        for i in reversed(range(len(merges))):
            ids = _join(ids, merges[i], 256 + i)  # noqa: PLW2901
        out += ids
    return out


@wrong("bpe_encode")
def left_to_right_once(text, merges):
    """One pass over the ids, each pair that is known is merged at once."""
    new_ids, out = {pair: 256 + i for i, pair in enumerate(merges)}, []
    for ids in _rows(text):
        pile = []
        for id in ids:
            while pile and (pile[-1], id) in new_ids:
                id = new_ids[pile.pop(), id]  # noqa: PLW2901
            pile.append(id)
        out += pile
    return out


@wrong("bpe_encode")
def whole_text(text, merges):
    """Without a cut."""
    return _replay(to_ids(text), merges)


@wrong("bpe_encode")
def merges_of_bytes_only(text, merges):
    """Pairs with merged tokens are never looked up."""
    return [id for ids in _rows(text) for id in _replay(ids, [pair if max(pair) < 256 else (-1, -1) for pair in merges])]


@wrong("bpe_encode")
def wrong_start(text, merges):
    """The first merge makes 257."""
    return [id for ids in _rows(text) for id in _replay(ids, merges, 257)]


@wrong("bpe_encode")
def first_at_255(text, merges):
    """The first merge makes 255, which is a byte."""
    return [id for ids in _rows(text) for id in _replay(ids, merges, 255)]


@wrong("bpe_encode")
def nested(text, merges):
    """A list for each piece."""
    return [_replay(ids, merges) for ids in _rows(text)]


@wrong("bpe_encode")
def an_array(text, merges):
    """A NumPy array."""
    return np.array([id for ids in _rows(text) for id in _replay(ids, merges)], dtype=int)


@wrong("bpe_encode")
def a_generator(text, merges):
    """yield, and no list."""
    return (id for ids in _rows(text) for id in _replay(ids, merges))


@wrong("bpe_encode")
def words(text, merges):
    """text.split(): the spaces are lost."""
    return [id for word in text.split() for id in _replay(to_ids(word), merges)]


@wrong("bpe_encode")
def min_of_nothing(text, merges):
    """A piece of one byte has no pair: min raises ValueError."""
    ranks, out = {pair: i for i, pair in enumerate(merges)}, []
    for ids in _rows(text):
        while True:
            pair = min(zip(ids, ids[1:]), key=lambda pair: ranks.get(pair, 10**9))
            if pair not in ranks:
                break
            ids = _join(ids, pair, 256 + ranks[pair])  # noqa: PLW2901
        out += ids
    return out


@wrong("bpe_encode")
def key_error(text, merges):
    """ranks[pair] without a default."""
    ranks, out = {pair: i for i, pair in enumerate(merges)}, []
    for ids in _rows(text):
        while len(ids) > 1:
            pair = min(zip(ids, ids[1:]), key=lambda pair: ranks[pair])
            ids = _join(ids, pair, 256 + ranks[pair])  # noqa: PLW2901
        out += ids
    return out


@wrong("bpe_encode")
def first_two_only(text, merges):
    """Stops after two merges of a piece."""
    out = []
    for ids in _rows(text):
        done = 0
        for i, pair in enumerate(merges):
            joined = _join(ids, pair, 256 + i)
            if joined != ids and done < 2:
                ids, done = joined, done + 1  # noqa: PLW2901
        out += ids
    return out


@wrong("bpe_encode")
def unknown_signs_left_out(text, merges):
    """Bytes that occur in no merge are dropped."""
    known = {id for pair in merges for id in pair}
    return [id for ids in _rows(text) for id in _replay([id for id in ids if id in known], merges)]


@wrong("bpe_encode")
def lower_case(text, merges):
    """Small letters and no white space at the ends."""
    return [id for ids in _rows(text.strip().lower()) for id in _replay(ids, merges)]


@wrong("bpe_encode")
def code_points(text, merges):
    """ord in place of bytes."""
    return [id for piece in pre_tokenize(text) for id in _replay([ord(sign) for sign in piece], merges)]


@wrong("bpe_encode")
def bytes_for_ids(text, merges):
    """BYTES[byte] in place of BYTE_IDS[byte]."""
    return [id for piece in pre_tokenize(text) for id in _replay([BYTES[byte] for byte in piece.encode()], merges)]


@wrong("bpe_encode")
def without_duplicates(text, merges):
    """Each piece once."""
    return [id for piece in dict.fromkeys(pre_tokenize(text)) for id in _replay(to_ids(piece), merges)]


@wrong("bpe_encode")
def pieces_from_the_end(text, merges):
    """The pieces in reverse order."""
    return [id for ids in reversed(_rows(text)) for id in _replay(ids, merges)]


@wrong("bpe_encode")
def an_end_after_each_piece(text, merges):
    """The id of a space after each piece."""
    return [id for ids in _rows(text) for id in [*_replay(ids, merges), 220]]


@wrong("bpe_encode")
def as_texts(text, merges):
    """Ids as texts."""
    return [str(id) for ids in _rows(text) for id in _replay(ids, merges)]


@wrong("bpe_encode")
def longest_of_the_piece(text, merges):
    """A piece that is a token as a whole gets its id, others only bytes."""
    tokens = [bytes([byte]) for byte in BYTES]
    for left, right_one in merges:
        tokens.append(tokens[left] + tokens[right_one])
    out = []
    for piece in pre_tokenize(text):
        out += [tokens.index(piece.encode())] if piece.encode() in tokens else to_ids(piece)
    return out


@wrong("bpe_encode")
def rank_changed_by_sorting(text, merges):
    """The merges sorted by their ids."""
    order = sorted(range(len(merges)), key=lambda i: merges[i])
    out = []
    for ids in _rows(text):
        for i in order:
            ids = _join(ids, merges[i], 256 + i)  # noqa: PLW2901
        out += ids
    return out


@wrong("bpe_encode")
def eats_the_merges(text, merges):
    """Right for the first piece, and the merges are gone."""
    out = []
    for ids in _rows(text):
        new = 256
        while merges:
            ids = _join(ids, merges.pop(0), new)  # noqa: PLW2901
            new += 1
        out += ids
    return out


# ── right ───────────────────────────────────────────────────────────────────────────────────────────────────


@right("bpe_encode")
def merge_after_merge(text, merges):
    """All pieces at once, merge after merge."""
    rows = _rows(text)
    for i, pair in enumerate(merges):
        rows = [_join(ids, pair, 256 + i) for ids in rows]
    return sum(rows, [])


@right("bpe_encode")
def until_nothing_changes(text, merges):
    """The earliest pair that is there, until none is."""
    out = []
    for piece in pre_tokenize(text):
        ids = [BYTE_IDS[byte] for byte in piece.encode()]
        while there := [i for i, pair in enumerate(merges) if pair in list(zip(ids, ids[1:]))]:
            ids = _join(ids, merges[there[0]], 256 + there[0])
        out.extend(ids)
    return out


@right("bpe_encode")
def by_a_heap(text, merges):
    """A heap of (rank, place); what is out of date is passed over."""
    ranks, out = {pair: i for i, pair in enumerate(merges)}, []
    for ids in _rows(text):
        ids = list(ids)  # noqa: PLW2901
        while True:
            heap = [(ranks[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]
            heapq.heapify(heap)
            if not heap:
                break
            rank, i = heapq.heappop(heap)
            ids[i : i + 2] = [256 + rank]
        out += ids
    return out


@right("bpe_encode")
def with_a_memory_for_pieces(text, merges):
    """Pieces met before are looked up, within one call."""
    known = {}
    for piece in pre_tokenize(text):
        if piece not in known:
            known[piece] = _replay(to_ids(piece), merges)
    return [id for piece in pre_tokenize(text) for id in known[piece]]
