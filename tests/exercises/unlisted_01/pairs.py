"""Answers to the exercise pair_counts: wrong ones, then right ones by another road."""

import itertools
from collections import Counter, OrderedDict

import numpy as np

from tests.exercises.unlisted_01.shared import _count, right, wrong

# ── wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


@wrong("pair_counts")
def no_default(pieces):
    """counts[pair] + 1 without a start: KeyError at the first pair."""
    counts = {}
    for ids in pieces:
        for pair in zip(ids, ids[1:]):
            counts[pair] = counts[pair] + 1
    return counts


@wrong("pair_counts")
def get_without_a_default(pieces):
    """None + 1: TypeError at the first pair."""
    counts = {}
    for ids in pieces:
        for pair in zip(ids, ids[1:]):
            counts[pair] = counts.get(pair) + 1
    return counts


@wrong("pair_counts")
def empty_at_each_piece(pieces):
    """The dict is made inside the loop: only the last piece counts, and no piece at all raises an error."""
    for ids in pieces:
        counts = {}
        for pair in zip(ids, ids[1:]):
            counts[pair] = counts.get(pair, 0) + 1
    return counts


@wrong("pair_counts")
def list_of_entries(pieces):
    """A list of (pair, count), sorted."""
    return sorted(_count(pieces).items())


@wrong("pair_counts")
def only_more_than_one(pieces):
    """Pairs met once are left out."""
    return {pair: n for pair, n in _count(pieces).items() if n > 1}


@wrong("pair_counts")
def most_common_three(pieces):
    """Only the three most frequent pairs."""
    return dict(Counter(_count(pieces)).most_common(3))


@wrong("pair_counts")
def lists_as_keys(pieces):
    """A list can't be a key: TypeError."""
    counts = {}
    for ids in pieces:
        for i in range(len(ids) - 1):
            pair = ids[i : i + 2]
            counts[pair] = counts.get(pair, 0) + 1
    return counts


@wrong("pair_counts")
def texts_as_keys(pieces):
    """The key is "1 2" and not (1, 2)."""
    return {f"{a} {b}": n for (a, b), n in _count(pieces).items()}


@wrong("pair_counts")
def nested_dicts(pieces):
    """{left: {right: count}}."""
    nested = {}
    for (a, b), n in _count(pieces).items():
        nested.setdefault(a, {})[b] = n
    return nested


@wrong("pair_counts")
def turned_round(pieces):
    """(right, left)."""
    return {(b, a): n for (a, b), n in _count(pieces).items()}


@wrong("pair_counts")
def shares(pieces):
    """Shares of all pairs, which sum to 1."""
    counts = _count(pieces)
    return {pair: n / sum(counts.values()) for pair, n in counts.items()}


@wrong("pair_counts")
def floats(pieces):
    """1.0 in place of 1."""
    return {pair: float(n) for pair, n in _count(pieces).items()}


@wrong("pair_counts")
def one_too_far(pieces):
    """range(len(ids)) reaches behind the end: IndexError."""
    counts = {}
    for ids in pieces:
        for i in range(len(ids)):
            pair = ids[i], ids[i + 1]
            counts[pair] = counts.get(pair, 0) + 1
    return counts


@wrong("pair_counts")
def first_id_skipped(pieces):
    """Begins at the second id of each piece."""
    return _count([ids[1:] for ids in pieces])


@wrong("pair_counts")
def pieces_counted(pieces):
    """In how many pieces a pair is met."""
    return Counter(pair for ids in pieces for pair in set(zip(ids, ids[1:])))


@wrong("pair_counts")
def with_single_ids(pieces):
    """Pairs and single ids in one dict."""
    return _count(pieces) | Counter(itertools.chain(*pieces))


@wrong("pair_counts")
def equal_neighbours_left_out(pieces):
    """a a is taken for no pair."""
    return {(a, b): n for (a, b), n in _count(pieces).items() if a != b}


@wrong("pair_counts")
def zeros_too(pieces):
    """All pairs of ids that are there, also those that are never neighbours, with 0."""
    ids = sorted({id for piece in pieces for id in piece})
    return {pair: 0 for pair in itertools.product(ids, ids)} | _count(pieces)


@wrong("pair_counts")
def distance_two_as_well(pieces):
    """Counts ids with one between them, too."""
    return dict(Counter(_count(pieces)) + Counter(pair for ids in pieces for pair in zip(ids, ids[2:])))


@wrong("pair_counts")
def pops_from_its_argument(pieces):
    """Right, and the pieces are empty afterwards."""
    counts = _count(pieces)
    pieces.clear()
    return counts


@wrong("pair_counts")
def triples(pieces):
    """Three in a row."""
    return dict(Counter(three for ids in pieces for three in zip(ids, ids[1:], ids[2:])))


# ── right ───────────────────────────────────────────────────────────────────────────────────────────────────


@right("pair_counts")
def by_setdefault(pieces):
    """setdefault, and then one more."""
    counts = {}
    for ids in pieces:
        for left, right_one in itertools.pairwise(ids):
            counts.setdefault((left, right_one), 0)
            counts[left, right_one] += 1
    return counts


@right("pair_counts")
def by_asking_first(pieces):
    """if … in, else."""
    counts = {}
    for ids in pieces:
        for i in range(len(ids) - 1):
            pair = (ids[i], ids[i + 1])
            if pair in counts:
                counts[pair] += 1
            else:
                counts[pair] = 1
    return counts


@right("pair_counts")
def counters_added(pieces):
    """One Counter for each piece, added up."""
    return sum((Counter(zip(ids[:-1], ids[1:])) for ids in pieces), Counter())


@right("pair_counts")
def by_numpy(pieces):
    """NumPy counts, and its whole numbers are as good as Python's."""
    pairs = [pair for ids in pieces for pair in zip(ids, ids[1:])]
    if not pairs:
        return {}
    rows, counts = np.unique(np.array(pairs), axis=0, return_counts=True)
    return OrderedDict((tuple(row.tolist()), n) for row, n in zip(rows, counts))
