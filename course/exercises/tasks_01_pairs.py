"""Exercises of chapter 01, first half: pairs counted and merged, by hand and with functions."""

import re

from course.exercises import variants_01 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.text.bpe import merge, pair_counts, pre_tokenize, to_ids

# ── traced by hand ──────────────────────────────────────────────────────────────────────────────────────────

TRACE_TEXT = "brrrrr brrr"  # its pieces: "brrrrr" and " brrr"


def bpe_trace() -> tuple[int, int]:
    """How often the most frequent pair of TRACE_TEXT is met, and how many ids are left once it is merged everywhere."""
    pieces = [to_ids(piece) for piece in pre_tokenize(TRACE_TEXT)]
    counts = pair_counts(pieces)
    best = max(counts, key=counts.get)
    return counts[best], sum(len(merge(ids, best, 256)) for ids in pieces)


TRACE = Task(
    "bpe_trace", "01", bpe_trace,
    Pipeline(bpe_trace, {
        "pieces": lambda: pre_tokenize(TRACE_TEXT),
        "pairs": lambda pieces: [a + b for piece in pieces for a, b in zip(piece, piece[1:]) if a + b == "rr"],
        "merged": lambda pieces: [re.findall("rr|.", piece) for piece in pieces],
        "count": lambda pairs: len(pairs),
        "left": lambda merged: sum(map(len, merged)),
        "numbers": lambda count, left: (count, left),
    }),
    lambda: [Case(())],
    (
        Mistake("no_overlap", {"count": lambda pieces: sum(piece.count("rr") for piece in pieces)}),
        Mistake("letters", {"count": lambda pieces: sum(piece.count("r") for piece in pieces)}),
        Mistake("one_for_each_pair", {"left": lambda pieces, count: sum(map(len, pieces)) - count}),
        Mistake("once_a_piece", {"left": lambda pieces: sum(len(piece.replace("rr", "R", 1)) for piece in pieces)}),
        Mistake("once", {"left": lambda: len(TRACE_TEXT.replace("rr", "R", 1))}),
        Mistake("no_space", {"left": lambda merged: sum(map(len, merged)) - 1}),
        Mistake("merges_counted", {"left": lambda merged: sum(piece.count("rr") for piece in merged)}),
        Mistake("different_ones", {"left": lambda merged: len({token for piece in merged for token in piece})}),
        Mistake("order_swapped", {"numbers": lambda count, left: (left, count)}),
    ),
    variants.TRACE, results=("count", "ids_left"), rtol=0.0, atol=1e-9, difficulty=1, minutes=4, traced=True,
    shown=("pairs", "merged"),
)  # fmt: skip

# ── pairs ───────────────────────────────────────────────────────────────────────────────────────────────────


def _counted(pairs) -> dict:
    counts = {}
    for pair in pairs:
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def in_turn(ids: list[int]) -> list[tuple[int, int]]:
    """The pairs of a piece, but for those that begin inside the same pair before: aaa has aa once."""
    pairs, i = [], 0
    while i + 1 < len(ids):
        pairs.append((ids[i], ids[i + 1]))
        i += 2 if ids[i : i + 2] == ids[i + 1 : i + 3] else 1
    return pairs


def pairs_of(ids: list[int]) -> list[tuple[int, int]]:
    """All neighbours in a piece, from left to right."""
    return list(zip(ids, ids[1:]))


def _sentence_in_pieces(text: str) -> list[list[int]]:
    return [to_ids(piece) for piece in pre_tokenize(text)]


PAIR_COUNTS = Task(
    "pair_counts", "01", pair_counts,
    Pipeline(pair_counts, {
        "rows": lambda pieces: pieces,
        "pairs_of": lambda: pairs_of,
        "pairs": lambda rows, pairs_of: [pairs_of(ids) for ids in rows],
        "counts": lambda pairs: _counted(pair for of_piece in pairs for pair in of_piece),
    }),
    lambda: [
        Case(([[1, 2]],)), Case(([[1, 2, 3], [2, 3]],)), Case(([[3, 1], [2, 1, 3, 1]],)),
        Case(([[7, 7, 7]],), "overlap"),
        Case(([[5, 5, 5, 5, 5], [5], [6, 5, 5]],), "overlap"), Case(([[1, 2, 1, 2, 1]],)),
        Case(([],), "empty"), Case(([[], [4], [], [4, 4]],), "empty"), Case(([[300, 256], [256, 300, 256]],)),
        Case((_sentence_in_pieces("low low lower"),)), Case((_sentence_in_pieces("héhé 你好你好!!!"),)),
    ],
    (
        Mistake("each_once", {"counts": lambda pairs: {pair: 1 for of_piece in pairs for pair in of_piece}}),
        Mistake("begins_at_two", {"counts": lambda pairs: {pair: n + 1 for pair, n in _counted(sum(pairs, [])).items()}}),
        Mistake("begins_at_zero", {"counts": lambda pairs: {pair: n - 1 for pair, n in _counted(sum(pairs, [])).items()}}),
        Mistake("once_a_piece", {"pairs": lambda rows, pairs_of: [list(dict.fromkeys(pairs_of(ids))) for ids in rows]}),
        Mistake("across_pieces", {"rows": lambda pieces: [sum(pieces, [])]}),
        Mistake("first_piece", {"rows": lambda pieces: pieces[:1]}),
        Mistake("last_piece", {"rows": lambda pieces: pieces[-1:]}),
        Mistake("no_overlap", {"pairs_of": lambda: in_turn}),
        Mistake("two_by_two", {"pairs_of": lambda: lambda ids: list(zip(ids[::2], ids[1::2]))}),
        Mistake("last_pair_lost", {"pairs_of": lambda: lambda ids: pairs_of(ids)[:-1]}),
        Mistake("in_a_ring", {"pairs_of": lambda: lambda ids: list(zip(ids, ids[1:] + ids[:1]))}),
        Mistake("either_order", {"pairs_of": lambda: lambda ids: [tuple(sorted(pair)) for pair in pairs_of(ids)]}),
        Mistake("any_two", {"pairs_of": lambda: lambda ids: [(a, b) for i, a in enumerate(ids) for b in ids[i + 1:]]}),
        Mistake("single_ids", {"pairs_of": lambda: lambda ids: ids}),
    ),
    variants.PAIR_COUNTS,
    properties=(Property("total", lambda cases, values: all(
        sum(value.values()) == sum(max(len(ids) - 1, 0) for ids in case.arguments[0]) for case, value in zip(cases, values))),),
    blank="counts.get(pair, 0) + 1", difficulty=1, minutes=4,
)  # fmt: skip

# ── a merge ─────────────────────────────────────────────────────────────────────────────────────────────────


def _all_starts(ids, pair, matches) -> list[int]:
    return [i for i in range(len(ids) - 1) if matches(ids[i], ids[i + 1], pair)]


def _left_to_right(ids, pair, matches) -> list[int]:
    starts = []
    for i in _all_starts(ids, pair, matches):
        if not starts or i > starts[-1] + 1:
            starts.append(i)
    return starts


def _right_to_left(ids, pair, matches) -> list[int]:
    starts = []
    for i in reversed(_all_starts(ids, pair, matches)):
        if not starts or i < starts[-1] - 1:
            starts.append(i)
    return starts


def _put_in(ids, starts, inserted, *, skip: bool = True) -> list:
    merged = []
    for i, one in enumerate(ids):
        if i in starts:
            merged += inserted
        elif not (skip and i - 1 in starts):
            merged.append(one)
    return merged


def _undone(cases: list[Case], values: list) -> bool | None:
    """With the pair in the place of the new id the list is what it was, wherever the id was not there before."""
    fresh = [(case.arguments, value) for case, value in zip(cases, values) if case.arguments[2] not in case.arguments[0]]
    return all(ids == [one for id in value for one in (pair if id == new_id else (id,))]
               for (ids, pair, new_id), value in fresh) if fresh else None  # fmt: skip


MERGE = Task(
    "merge", "01", merge,
    Pipeline(merge, {
        "matches": lambda: lambda left, right, pair: (left, right) == pair,
        "starts": lambda ids, pair, matches: _left_to_right(ids, pair, matches),
        "inserted": lambda new_id: [new_id],
        "merged": lambda ids, starts, inserted: _put_in(ids, starts, inserted),
    }),
    lambda: [
        Case(([1, 2], (1, 2), 256)), Case(([1, 2, 3], (1, 2), 256)), Case(([3, 1, 2], (1, 2), 256)),
        Case(([1, 2, 5, 1, 2, 1], (1, 2), 257)), Case(([2, 1, 1, 3, 2, 1], (1, 2), 257), "absent"),
        Case(([], (1, 2), 256), "empty"), Case(([1], (1, 2), 256), "empty"),
        Case(([7, 7, 7], (7, 7), 258), "overlap"), Case(([7, 7, 7, 7, 7, 1], (7, 7), 258), "overlap"),
        Case(([1, 2, 1, 2, 1, 2], (1, 2), 259)), Case(([256, 64, 9, 256, 64, 64], (256, 64), 261)),
        Case(([2, 1, 2, 2, 1], (2, 1), 300)), Case(([1, 3, 1, 2], (1, 2), 256)),
        Case(([11, 2, 1, 21], (1, 2), 256), "absent"),
        Case((to_ids("bananas, bandana"), (65, 64), 256)), Case((to_ids("你好你们"), tuple(to_ids("你")[:2]), 270)),
    ],
    (
        Mistake("nothing_merged", {"starts": lambda: []}),
        Mistake("first_only", {"starts": lambda ids, pair, matches: _all_starts(ids, pair, matches)[:1]}),
        Mistake("second_kept", {"merged": lambda ids, pair, matches, inserted: _put_in(
            ids, _all_starts(ids, pair, matches), inserted, skip=False)}),
        Mistake("one_by_one", {"merged": lambda ids, pair, matches, inserted: _put_in(
            ids[:-1], _all_starts(ids, pair, matches), inserted, skip=False)}),
        Mistake("used_twice", {"starts": lambda ids, pair, matches: _all_starts(ids, pair, matches)}),
        Mistake("right_to_left", {"starts": lambda ids, pair, matches: _right_to_left(ids, pair, matches)}),
        Mistake("end_missed", {"starts": lambda ids, pair, matches: [
            i for i in _left_to_right(ids, pair, matches) if i < len(ids) - 2]}),
        Mistake("last_lost", {"merged": lambda ids, starts, inserted: _put_in(
            ids[:-1] if ids and len(ids) - 2 not in starts else ids, starts, inserted)}),
        Mistake("either_order", {"matches": lambda: lambda left, right, pair: (left, right) in (pair, pair[::-1])}),
        Mistake("left_is_enough", {"matches": lambda: lambda left, right, pair: left == pair[0]}),
        Mistake("always_256", {"inserted": lambda: [256]}),
        Mistake("pair_kept", {"inserted": lambda pair, new_id: [*pair, new_id]}),
        Mistake("thrown_out", {"inserted": lambda: []}),
    ),
    variants.MERGE, properties=(Property("undone", _undone),), difficulty=2, minutes=8,
)  # fmt: skip
