"""Merging all pieces at once, touching only what a merge changes: what `bpe.train` and `bpe.encode` find, fast.

The pieces lie in one row of bytes between separators (−1).  A token is known by the place of its first byte (`head`,
where −2 means that no token begins) and of its last (`tail`; what stands at · is not read again), so that its
neighbours are found by its size alone:

    head  −1  ab  −2   c  −1        tail  −1   ·  ab   c  −1        of the piece abc after merging a, b

For each pair there are the places where it came to stand.  A later merge may have used some of them up; they are
skipped when the pair's turn comes.

A token is made in one round, wherever its pair stands, and never again.  So two tokens come to stand side by side at
one time only, when the later of them is made: all places of a pair are found at once, in order from left to right.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator

from course.text.bpe import BYTE_IDS

Pair = tuple[int, int]
_AS_IDS = bytes(BYTE_IDS)  # for bytes.translate: UTF-8 in, ids out
_ROW = 1 << 16  # how many bytes are encoded in one row, so that a long text needs no more memory than a short one


def byte_ids(piece: str) -> bytes:
    """The ids of the piece's bytes (`bpe.to_ids`), as a sequence of ints 0 … 255."""
    return piece.encode().translate(_AS_IDS)


def learn(piece_counts: dict[str, int], n_merges: int) -> list[Pair]:
    """The first merges of `bpe.train`, for a text of which the pieces and how often each occurs are known.

    Each different piece lies in the row once; a place counts as often as its piece occurs.  Counts of pairs only fall
    after the pair arose, so the top of the heap is the next merge as soon as its count there is still true.  No two
    merges make the same bytes: what happens inside a stretch that becomes one token depends on nothing outside.
    """
    head, weight = [-1], [0]
    for piece, count in piece_counts.items():
        ids = byte_ids(piece)
        head += ids
        head.append(-1)
        weight += [count] * (len(ids) + 1)
    tail, size = head.copy(), [1] * 256
    places = defaultdict(list)
    for place, pair in enumerate(zip(head, head[1:])):
        places[pair].append(place)
    places = {pair: found for pair, found in places.items() if -1 not in pair}
    counts = {pair: sum(map(weight.__getitem__, found)) for pair, found in places.items()}
    heap = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(heap)

    merges = []
    while heap and len(merges) < n_merges:
        count, pair = heapq.heappop(heap)
        if counts[pair] != -count:
            if counts[pair]:
                heapq.heappush(heap, (-counts[pair], pair))
            continue
        new = 256 + len(merges)
        merges.append(pair)
        size.append(size[pair[0]] + size[pair[1]])
        merged = _merge(places.pop(pair), pair, new, head, tail, size)
        for fallen, risen, found in _neighbours(merged, pair, new, head, tail, size):
            count = sum(map(weight.__getitem__, found))
            counts[fallen] -= count  # where that is the merged pair itself, as in aaa, nobody asks again
            counts[risen], places[risen] = count, found
            heapq.heappush(heap, (-count, risen))
    return merges


def replay(pieces: Iterable[str], merges: list[Pair], new_id: dict[Pair, int], size: list[int]) -> Iterator[list[int]]:
    """The ids of each piece after replaying the merges in the order learned (`bpe.encode`).

    merges and new_id say the same: pair i makes token 256 + i; size: how many bytes each token has.
    """
    head = [-1]
    for piece in pieces:
        head += byte_ids(piece)
        head.append(-1)
        if len(head) > _ROW:
            yield from _replay_row(head, merges, new_id, size)
            head = [-1]
    yield from _replay_row(head, merges, new_id, size)


def _replay_row(head: list[int], merges: list[Pair], new_id: dict[Pair, int], size: list[int]) -> Iterator[list[int]]:
    tail, places = head.copy(), defaultdict(list)  # here by the token that the pair would make
    for place, new in enumerate(map(new_id.get, zip(head, head[1:]))):
        if new is not None:
            places[new].append(place)
    heap = list(places)
    heapq.heapify(heap)
    while heap:
        new = heapq.heappop(heap)
        pair = merges[new - 256]
        merged = _merge(places.pop(new), pair, new, head, tail, size)
        for _, risen, found in _neighbours(merged, pair, new, head, tail, size):
            later = new_id.get(risen)
            if later is not None:
                places[later] = found
                heapq.heappush(heap, later)
    ids = []
    for token in head[1:]:
        if token >= 0:
            ids.append(token)
        elif token == -1:
            yield ids
            ids = []


def _merge(places: list[int], pair: Pair, new: int, head: list[int], tail: list[int], size: list[int]) -> list[int]:
    """Merge the pair wherever it still stands, from left to right; returns the places where it did."""
    (left, right), merged = pair, []
    middle, last = size[left], size[new] - 1
    for place in places:
        if head[place] == left and head[place + middle] == right:
            head[place] = tail[place + last] = new
            head[place + middle] = -2
            merged.append(place)
    return merged


def _neighbours(merged: list[int], pair: Pair, new: int, head: list[int], tail: list[int], size: list[int]) -> Iterator:
    """For each token beside the new one: the pair that fell, the pair that rose instead, and where that stands."""
    left, right = pair
    before, after, length = defaultdict(list), defaultdict(list), size[new]
    for place in merged:
        before[tail[place - 1]].append(place)
        after[head[place + length]].append(place)
    before.pop(-1, None)
    after.pop(-1, None)
    after.pop(new, None)  # two new tokens side by side are counted by the right one
    for token, found in before.items():
        fallen = (right, left) if token == new else (token, left)
        start = size[token]
        yield fallen, (token, new), [place - start for place in found]
    for token, found in after.items():
        yield (right, token), (new, token), found
