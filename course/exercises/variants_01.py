"""Right answers to chapter 01's exercises that look different: a check must pass every one of them."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np

from course.text.bpe import BYTES, pre_tokenize, to_ids

TRACE = ([6, 8], (6.0, 8), np.array([6, 8]))


def counts_by_counter(pieces):
    """A Counter, which is a dict."""
    return Counter(pair for ids in pieces for pair in pairwise(ids))


def counts_by_index(pieces):
    """Place by place, in a dict that begins at 0 by itself."""
    counts = defaultdict(int)
    for ids in pieces:
        for i in range(len(ids) - 1):
            counts[ids[i], ids[i + 1]] += 1
    return counts


def counts_sorted(pieces):
    """The keys in another order: nothing depends on it."""
    return dict(sorted(counts_by_counter(pieces).items(), reverse=True))


PAIR_COUNTS = (counts_by_counter, counts_by_index, counts_sorted)


def merge_on_a_stack(ids, pair, new_id):
    """Each id is put on a pile, and the upper two are looked at; a token that was merged is marked and not used again."""
    pile, fresh = [], False
    for one in ids:
        if pile and not fresh and (pile[-1], one) == tuple(pair):
            pile[-1], fresh = new_id, True
        else:
            pile.append(one)
            fresh = False
    return pile


def merge_in_a_copy(ids, pair, new_id):
    """Slices of a copy are replaced."""
    merged, i = list(ids), 0
    while i < len(merged) - 1:
        if merged[i : i + 2] == list(pair):
            merged[i : i + 2] = [new_id]
        i += 1
    return merged


def merge_by_generator(ids, pair, new_id):
    """One iterator, and a look ahead."""

    def tokens():
        waiting = None
        for one in ids:
            if waiting is None:
                waiting = one
            elif (waiting, one) == pair:
                yield new_id
                waiting = None
            else:
                yield waiting
                waiting = one
        if waiting is not None:
            yield waiting

    return list(tokens())


MERGE = (merge_on_a_stack, merge_in_a_copy, merge_by_generator)


def train_by_words(text, vocab_size):
    """Each different piece once, with the number of times it is met."""
    words = Counter(tuple(to_ids(piece)) for piece in pre_tokenize(text))
    merges = []
    for new_id in range(256, vocab_size):
        counts = Counter()
        for ids, often in words.items():
            for pair in pairwise(ids):
                counts[pair] += often
        if not counts:
            return merges
        best = min(counts, key=lambda pair: (-counts[pair], pair[0], pair[1]))
        merges.append(best)
        joined = Counter()
        for ids, often in words.items():
            joined[tuple(merge_in_a_copy(ids, best, new_id))] += often
        words = joined
    return merges


def train_by_sorting(text, vocab_size):
    """The pairs sorted, the most frequent first, and the first taken."""
    pieces, merges = [to_ids(piece) for piece in pre_tokenize(text)], []
    while len(merges) < vocab_size - 256 and any(len(ids) > 1 for ids in pieces):
        ((left, right), _), *_ = sorted(counts_by_counter(pieces).items(), key=lambda item: (-item[1], item[0]))
        pieces = [merge_on_a_stack(ids, (left, right), 256 + len(merges)) for ids in pieces]
        merges += [(left, right)]
    return merges


TRAIN = (train_by_words, train_by_sorting)


def encode_merge_by_merge(text, merges):
    """One loop over the merges, each replayed everywhere in a piece: the same as the lowest rank first."""
    encoded = []
    for piece in pre_tokenize(text):
        ids = to_ids(piece)
        for new_id, pair in enumerate(merges, start=256):
            ids = merge_in_a_copy(ids, pair, new_id)
        encoded.extend(ids)
    return encoded


def encode_one_at_a_time(text, merges):
    """Only one occurrence is merged in each round: that with the lowest rank, of several the leftmost."""
    new_ids = {pair: 256 + i for i, pair in enumerate(merges)}

    def of_piece(ids):
        found = [(new_ids[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in new_ids]
        if not found:
            return ids
        new_id, i = min(found)
        return of_piece(ids[:i] + [new_id] + ids[i + 2 :])

    return sum((of_piece(to_ids(piece)) for piece in pre_tokenize(text)), [])


ENCODE = (encode_merge_by_merge, encode_one_at_a_time)


def decode_by_recursion(ids, merges):
    """Each token taken apart until only bytes are left."""

    def bytes_of(id):
        if id < 256:
            return [BYTES[id]]
        left, right = merges[id - 256]
        return bytes_of(left) + bytes_of(right)

    return bytes(byte for id in ids for byte in bytes_of(id)).decode(errors="replace")


def decode_by_undoing(ids, merges):
    """The merges undone one by one, the last first."""
    ids = list(ids)
    for new_id in reversed(range(256, 256 + len(merges))):
        ids = [one for id in ids for one in (merges[new_id - 256] if id == new_id else (id,))]
    return str(bytes(BYTES[id] for id in ids), "utf-8", "replace")


DECODE = (decode_by_recursion, decode_by_undoing)
