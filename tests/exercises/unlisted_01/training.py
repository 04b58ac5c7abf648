"""Answers to the exercise bpe_train: wrong ones, then right ones by another road."""

import re
from collections import Counter

from course.text.bpe import BYTE_IDS, pre_tokenize, to_ids
from tests.exercises.unlisted_01.shared import _count, _join, _learn, _rows, right, wrong

# ── wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


@wrong("bpe_train")
def ties_by_the_right_id(text, vocab_size):
    """Of equally frequent pairs the one with the smaller right id."""
    return _learn(text, vocab_size - 256, order=lambda counts, pair: (-counts[pair], pair[1], pair[0]))


@wrong("bpe_train")
def ties_by_the_sum(text, vocab_size):
    """Of equally frequent pairs the one whose ids have the smaller sum."""
    return _learn(text, vocab_size - 256, order=lambda counts, pair: (-counts[pair], sum(pair)))


@wrong("bpe_train")
def ties_by_the_left_id_alone(text, vocab_size):
    """The smaller left id, and then the first met."""
    return _learn(text, vocab_size - 256, order=lambda counts, pair: (-counts[pair], pair[0]))


@wrong("bpe_train")
def ties_for_the_longer_token(text, vocab_size):
    """New ids before old ones."""
    return _learn(text, vocab_size - 256, order=lambda counts, pair: (-counts[pair], -max(pair), pair))


@wrong("bpe_train")
def max_with_the_pair(text, vocab_size):
    """max over (count, pair): the greater ids win."""
    pieces, merges = _rows(text), []
    while 256 + len(merges) < vocab_size:
        counts = _count(pieces)
        if not counts:
            break
        best = max((n, pair) for pair, n in counts.items())[1]
        pieces = [_join(ids, best, 256 + len(merges)) for ids in pieces]
        merges.append(best)
    return merges


@wrong("bpe_train")
def appended_before_the_id_is_read(text, vocab_size):
    """len(merges) is read after append: new ids begin at 257."""
    pieces, merges = _rows(text), []
    while 256 + len(merges) < vocab_size:
        counts = _count(pieces)
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        pieces = [_join(ids, merges[-1], 256 + len(merges)) for ids in pieces]
    return merges


@wrong("bpe_train")
def always_the_same_new_id(text, vocab_size):
    """Every merge makes 256."""
    return _learn(text, vocab_size - 256, join=lambda ids, pair, new: _join(ids, pair, 256))


@wrong("bpe_train")
def merged_nowhere(text, vocab_size):
    """The result of merge is thrown away: the same pair again and again."""
    return _learn(text, vocab_size - 256, join=lambda ids, pair, new: ids)


@wrong("bpe_train")
def merged_in_the_first_piece(text, vocab_size):
    """Only the first piece is merged, the others stay."""
    pieces, merges = _rows(text), []
    for new in range(256, vocab_size):
        counts = _count(pieces)
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        pieces[0] = _join(pieces[0], merges[-1], new)
    return merges


@wrong("bpe_train")
def with_the_new_ids(text, vocab_size):
    """A dict {pair: new id}."""
    return {pair: 256 + i for i, pair in enumerate(_learn(text, vocab_size - 256))}


@wrong("bpe_train")
def triples(text, vocab_size):
    """(left, right, new id)."""
    return [(*pair, 256 + i) for i, pair in enumerate(_learn(text, vocab_size - 256))]


@wrong("bpe_train")
def with_the_pieces(text, vocab_size):
    """(merges, vocabulary), two things."""
    return _learn(text, vocab_size - 256), {i: i for i in range(vocab_size)}


@wrong("bpe_train")
def tokens_as_texts(text, vocab_size):
    """Pairs of texts in place of ids."""
    return [(str(a), str(b)) for a, b in _learn(text, vocab_size - 256)]


@wrong("bpe_train")
def lower_case(text, vocab_size):
    """Learns from the text in small letters."""
    return _learn(text.casefold(), vocab_size - 256)


@wrong("bpe_train")
def words_by_the_space(text, vocab_size):
    """Cut at each space, which goes to the word that follows; other white space and signs are not cut."""
    return _learn(text, vocab_size - 256, rows=lambda text: [to_ids(piece) for piece in re.findall(" ?[^ ]+| ", text)])


@wrong("bpe_train")
def words_without_signs(text, vocab_size):
    r"""\w+ only: white space and signs are lost."""
    return _learn(text, vocab_size - 256, rows=lambda text: [to_ids(piece) for piece in re.findall(r"\w+", text)])


@wrong("bpe_train")
def each_word_once(text, vocab_size):
    """set of pieces: a word that stands there twice counts once."""
    return _learn(text, vocab_size - 256, rows=lambda text: [to_ids(piece) for piece in dict.fromkeys(pre_tokenize(text))])


@wrong("bpe_train")
def code_points(text, vocab_size):
    """ord in place of bytes."""
    return _learn(text, vocab_size - 256, rows=lambda text: [[ord(sign) for sign in piece] for piece in pre_tokenize(text)])


@wrong("bpe_train")
def ascii_only(text, vocab_size):
    """Characters beyond ASCII are dropped."""
    return _learn(text.encode("ascii", "ignore").decode(), vocab_size - 256)


@wrong("bpe_train")
def utf_16(text, vocab_size):
    """Bytes of UTF-16."""

    def rows(text):
        return [[BYTE_IDS[byte] for byte in piece.encode("utf-16-le")] for piece in pre_tokenize(text)]

    return _learn(text, vocab_size - 256, rows=rows)


@wrong("bpe_train")
def all_at_once(text, vocab_size):
    """The most frequent pairs of the first count."""
    counts = _count(_rows(text))
    return sorted(counts, key=lambda pair: (-counts[pair], pair))[: vocab_size - 256]


@wrong("bpe_train")
def stops_at_single_pairs(text, vocab_size):
    """No merge for what is met only once."""
    pieces, merges = _rows(text), []
    while 256 + len(merges) < vocab_size:
        counts = {pair: n for pair, n in _count(pieces).items() if n > 1}
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        pieces = [_join(ids, merges[-1], 255 + len(merges)) for ids in pieces]
    return merges


@wrong("bpe_train")
def at_least_one(text, vocab_size):
    """do … while: one merge even if none is asked for."""
    return _learn(text, max(vocab_size - 256, 1))


@wrong("bpe_train")
def vocabulary_of_what_is_met(text, vocab_size):
    """Counts the bytes that are met in the text, and not 256."""
    return _learn(text, vocab_size - len(set(text.encode())))


@wrong("bpe_train")
def weighted_by_length(text, vocab_size):
    """The pair that saves most bytes: count times length of what it makes (new tokens weigh more)."""
    return _learn(text, vocab_size - 256, order=lambda counts, pair: (-counts[pair] * (1 + sum(id > 255 for id in pair)), pair))


# ── right ───────────────────────────────────────────────────────────────────────────────────────────────────


@right("bpe_train")
def by_a_for_loop(text, vocab_size):
    """range over the new ids, and an early return."""
    pieces, merges = _rows(text), []
    for new_id in range(256, vocab_size):
        counts = _count(pieces)
        if len(counts) == 0:
            return merges
        most = max(counts.values())
        best = min(pair for pair, n in counts.items() if n == most)
        pieces = [_join(ids, best, new_id) for ids in pieces]
        merges.append(best)
    return merges


@right("bpe_train")
def pieces_changed_in_place(text, vocab_size):
    """Its own pieces are its own to change."""
    pieces, merges = _rows(text), []
    while len(merges) < vocab_size - 256:
        counts = _count(pieces)
        try:
            best = min(counts, key=lambda pair: (-counts[pair], *pair))
        except ValueError:
            break
        for i, ids in enumerate(pieces):
            pieces[i] = _join(ids, best, 256 + len(merges))
        merges.append(best)
    return merges


@right("bpe_train")
def twice_sorted(text, vocab_size):
    """Sorted by ids, and then by count: sorting keeps the order of what is equal."""
    pieces, merges = _rows(text), []
    for new_id in range(256, vocab_size):
        pairs = sorted(sorted(_count(pieces).items()), key=lambda item: item[1], reverse=True)
        if not pairs:
            break
        merges.append(pairs[0][0])
        pieces = [_join(ids, merges[-1], new_id) for ids in pieces]
    return merges


@right("bpe_train")
def grown_by_recursion(text, vocab_size):
    """One merge, and the rest from the merged pieces."""

    def go_on(pieces, new_id):
        counts = Counter(_count(pieces))
        if not counts or new_id >= vocab_size:
            return []
        best = sorted(counts, key=lambda pair: (counts[pair], -pair[0], -pair[1]))[-1]
        return [best, *go_on([_join(ids, best, new_id) for ids in pieces], new_id + 1)]

    return go_on(_rows(text), 256)
