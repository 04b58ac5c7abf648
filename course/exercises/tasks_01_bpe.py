"""Exercises of chapter 01, second half: a byte-pair encoding from scratch.  Train, encode, decode."""

import functools

from course.exercises import variants_01 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.exercises.tasks_01_pairs import MERGE, PAIR_COUNTS, in_turn, pairs_of
from course.text.bpe import BYTE_IDS, BYTES, decode, encode, merge, pair_counts, pre_tokenize, to_ids, train
from course.text.tokenizer import BPETokenizer

# ── training ────────────────────────────────────────────────────────────────────────────────────────────────


def _smaller_ids(counts):
    return min(counts, key=lambda pair: (-counts[pair], pair))


def _learned(units, number, counter, recount, best, fewest, first_id, join, at_the_end) -> list:
    pieces, merges, counts = units, [], {}
    while len(merges) < number:
        counts = counter(pieces) if recount or not merges else {pair: n for pair, n in counts.items() if pair != merges[-1]}
        if not counts and at_the_end():
            break
        pair = best(counts)
        if counts[pair] < fewest:
            break
        pieces = [join(ids, pair, first_id + len(merges)) for ids in pieces]
        merges.append(pair)
    return merges


_first_only = MERGE.steps.replaced({"starts": lambda ids, pair: [
    i for i, two in enumerate(pairs_of(ids)) if two == pair][:1]})
_no_overlap = PAIR_COUNTS.steps.replaced({"pairs_of": lambda: in_turn})
_once_a_piece = PAIR_COUNTS.steps.replaced({"pairs_of": lambda: lambda ids: list(dict.fromkeys(pairs_of(ids)))})

UNITS = (
    Mistake("characters", {"units": lambda cut: [[BYTE_IDS[ord(sign)] for sign in piece] for piece in cut]}),
    Mistake("plain_bytes", {"units": lambda cut: [list(piece.encode()) for piece in cut]}),
    Mistake("not_cut", {"cut": lambda text: [text]}),
    Mistake("spaces_lost", {"cut": lambda text: text.split()}),
)

TRAIN = Task(
    "bpe_train", "01", train,
    Pipeline(train, {
        "cut": lambda text: pre_tokenize(text),
        "units": lambda cut: [to_ids(piece) for piece in cut],
        "number": lambda vocab_size: vocab_size - 256,
        "counter": lambda: pair_counts, "recount": lambda: True, "best": lambda: _smaller_ids, "fewest": lambda: 1,
        "first_id": lambda: 256, "join": lambda: merge, "at_the_end": lambda: lambda: True,
        "learned": _learned,
        "merges": lambda learned: learned,
    }),
    lambda: [
        Case(("aab", 257), "one_merge"), Case(("low low low lower", 259)), Case(("a", 258), "no_pair"),
        Case(("", 300), "no_pair"),
        Case(("abab", 256), "none"), Case(("cab dab", 257), "one_merge"), Case(("aaaaa aaa baaa", 259), "overlap"),
        Case(("zzzz abab", 257), "overlap"),
        Case(("ab abc bcd bc", 261)), Case(("a b a b a b", 259), "cuts"), Case(("don't we'll don't", 262), "cuts"),
        Case(("you yours, your  hour\n", 264), "cuts"), Case(("你好 你们 你", 261), "chinese"),
        Case(("é è ê é", 259), "accents"),
        Case(("zy xw vu", 262), "ties"), Case(("ba ab ca ac", 260), "ties"), Case(("low", 280), "no_pair"),
        Case(("abcabdabc xyzxy", 264)), Case(("Ab AB ab aB", 260)),
    ],
    (
        *UNITS,
        Mistake("number_of_merges", {"number": lambda vocab_size: vocab_size}),
        Mistake("one_too_many", {"number": lambda vocab_size: vocab_size - 255}),
        Mistake("one_too_few", {"number": lambda vocab_size: vocab_size - 257}),
        Mistake("first_met", {"best": lambda: lambda counts: max(counts, key=counts.get)}),
        Mistake("last_met", {"best": lambda: lambda counts: max(reversed(counts), key=counts.get)}),
        Mistake("greater_ids", {"best": lambda: lambda counts: max(counts, key=lambda pair: (counts[pair], pair))}),
        Mistake("printed_form", {"best": lambda: lambda counts: min(counts, key=lambda pair: (-counts[pair], str(pair)))}),
        Mistake("rarest", {"best": lambda: lambda counts: min(counts, key=lambda pair: (counts[pair], pair))}),
        Mistake("no_end", {"at_the_end": lambda: lambda: False}),
        Mistake("met_twice", {"fewest": lambda: 2}),
        Mistake("counted_once", {"recount": lambda: False}),
        Mistake("no_overlap", {"counter": lambda: _no_overlap}),
        Mistake("once_a_piece", {"counter": lambda: _once_a_piece}),
        Mistake("merge_discarded", {"join": lambda: lambda ids, pair, new_id: ids}),
        Mistake("first_occurrence", {"join": lambda: _first_only}),
        Mistake("ids_from_257", {"first_id": lambda: 257}),
        Mistake("ids_from_0", {"first_id": lambda: 0}),
        Mistake("pairs_as_lists", {"merges": lambda learned: [list(pair) for pair in learned]}),
    ),
    variants.TRAIN,
    properties=(Property("known_ids", lambda cases, values: all(
        max(pair) < 256 + i for value in values for i, pair in enumerate(value))),),
    off_limits=(BPETokenizer.train,), difficulty=3, minutes=12,
)  # fmt: skip

# ── encoding and decoding ───────────────────────────────────────────────────────────────────────────────────


def _earliest(ids, ranks):
    return min(pairs_of(ids), key=lambda pair: ranks.get(pair, len(ranks)))


def _leftmost(ids, ranks):
    return next((pair for pair in pairs_of(ids) if pair in ranks), (-1, -1))


def _most_frequent(ids, ranks):
    counts = {pair: n for pair, n in pair_counts([ids]).items() if pair in ranks}
    return max(counts, key=counts.get) if counts else (-1, -1)


def _latest(ids, ranks):
    return max(pairs_of(ids), key=lambda pair: ranks.get(pair, -1))


def _replayed(ids, merges, pick, first_id, join, rounds) -> list[int]:
    ranks = {pair: i for i, pair in enumerate(merges)}
    while len(ids) > 1 and (pair := pick(ids, ranks)) in ranks and rounds > 0:
        ids, rounds = join(ids, pair, first_id + ranks[pair]), rounds - 1
    return ids


def _tokens(merges) -> list[bytes]:
    tokens = [bytes([byte]) for byte in BYTES]
    for left, right in merges:
        tokens.append(tokens[left] + tokens[right])
    return tokens


def _longest_first(ids, merges) -> list[int]:
    """The longest token that begins here, then the same behind it."""
    tokens = _tokens(merges)
    left, found = b"".join(tokens[i] for i in ids), []
    while left:
        best = max((i for i, token in enumerate(tokens) if left.startswith(token)), key=lambda i: len(tokens[i]))
        found.append(best)
        left = left[len(tokens[best]):]
    return found  # fmt: skip


def _comes_back(cases: list[Case], values: list) -> bool:
    """Decoding what was encoded gives the text, for each."""
    known = all(0 <= id < 256 + len(case.arguments[1]) for case, value in zip(cases, values) for id in value)
    return known and all(decode(value, case.arguments[1]) == case.arguments[0] for case, value in zip(cases, values))


LEARNED = "low lower lowest, slow slower; 你好 你们 我们好; héhé aaaa aaaaaa"


@functools.cache
def _some_merges(number: int) -> tuple:
    return tuple(train(LEARNED, 256 + number))


def _encode_cases() -> list[Case]:
    twelve, thirty = list(_some_merges(12)), list(_some_merges(30))
    return [
        Case(("ab", [(64, 65)])), Case(("abc", [(65, 66), (64, 65)]), "order"), Case(("abab", [(64, 65), (256, 256)])),
        Case(("aaaaa", [(64, 64), (256, 64)]), "overlap"), Case(("", [(64, 65)]), "empty"),
        Case(("héé", []), "no_merges"),
        Case(("ab ab", [(64, 65), (256, 220), (220, 64)]), "cuts"), Case(("ab ab", [(64, 65), (220, 256)]), "cuts"),
        Case(("abcbc", [(64, 65), (65, 66)]), "order"), Case(("abcbcd", [(64, 65), (65, 66), (66, 67)]), "order"),
        Case(("abcd", [(65, 66), (64, 65), (66, 67), (257, 258)]), "order"),
        Case(("bcd", [(65, 66), (66, 67), (65, 257)]), "order"),
        Case(("low slower", twelve)), Case(("low low low", twelve)), Case(("Low LOW", twelve)),
        Case(("you're  low\n", twelve), "cuts"), Case(("你们好", thirty), "chinese"),
        Case(("héhé 🙂 lowest", thirty), "unseen"), Case(("aaaaaaa aaa", thirty), "overlap"),
        Case(("我好 slowest", thirty), "chinese"),
    ]  # fmt: skip


ENCODE = Task(
    "bpe_encode", "01", encode,
    Pipeline(encode, {
        "cut": lambda text: pre_tokenize(text),
        "units": lambda cut: [to_ids(piece) for piece in cut],
        "pick": lambda: _earliest, "first_id": lambda: 256, "join": lambda: merge, "rounds": lambda: 10**6,
        "replayed": lambda units, merges, pick, first_id, join, rounds: [
            _replayed(ids, merges, pick, first_id, join, rounds) for ids in units],
        "encoded": lambda replayed: [id for ids in replayed for id in ids],
    }),
    _encode_cases,
    (
        *UNITS,
        Mistake("leftmost", {"pick": lambda: _leftmost}),
        Mistake("most_frequent", {"pick": lambda: _most_frequent}),
        Mistake("latest", {"pick": lambda: _latest}),
        Mistake("longest_token", {"replayed": lambda units, merges: [_longest_first(ids, merges) for ids in units]}),
        Mistake("one_merge", {"rounds": lambda: 1}),
        Mistake("only_bytes", {"rounds": lambda: 0}),
        Mistake("first_occurrence", {"replayed": lambda units, merges: [
            functools.reduce(lambda ids, i: _first_only(ids, merges[i], 256 + i), range(len(merges)), ids) for ids in units]}),
        Mistake("places_for_ids", {"first_id": lambda: 0}),
        Mistake("ids_from_257", {"first_id": lambda: 257}),
        Mistake("piece_by_piece", {"encoded": lambda replayed: replayed}),
        Mistake("last_piece", {"encoded": lambda replayed: replayed[-1] if replayed else []}),
    ),
    variants.ENCODE, properties=(Property("comes_back", _comes_back),),
    off_limits=(BPETokenizer.encode,), difficulty=3, minutes=12,
)  # fmt: skip


def _decode_cases() -> list[Case]:
    thirty = list(_some_merges(30))
    you, accent = to_ids("你"), to_ids("é")
    return [
        Case(([64, 65], [])), Case(([256, 64], [(64, 65)])), Case(([257], [(64, 65), (256, 64)]), "nested"),
        Case(([], [(64, 65)]), "empty"),
        Case((accent, []), "cut"), Case(([you[0], 256, 0], [tuple(you[1:])]), "cut"),
        Case(([220, 64, 220, 220, 198], []), "spaces"),
        Case(([you[0]], []), "broken"), Case(([64, you[0], you[1], 65], []), "broken"),
        Case(([you[2], 256], [tuple(you[:2])]), "broken"),
        Case(([258, 257, 256], [(64, 65), (256, 66), (220, 257)]), "nested"),
        Case((encode("héhé 🙂", thirty), thirty), "cut"),
        Case((encode("  slow\n lowest, 你们好 ", thirty), thirty), "spaces"),
        Case((list(range(250, 286)), thirty), "broken"),
        Case((to_ids("\ufeffa\x00\u200b"), []), "odd"), Case((to_ids("\ufeffb\r\n"), []), "odd"),
    ]  # fmt: skip


def _one_level(merges, alphabet) -> list[bytes]:
    """Merges of merges are left out: only bytes are looked up."""
    return alphabet + [b"".join(alphabet[id] for id in pair if id < 256) for pair in merges]


def _grown(merges, alphabet, order) -> list[bytes]:
    tokens = list(alphabet)
    for pair in merges:
        left, right = order(pair)
        tokens.append(tokens[left] + tokens[right])
    return tokens


def _read(errors: str):
    return lambda parts: b"".join(parts).decode("utf-8", errors)


DECODE = Task(
    "bpe_decode", "01", decode,
    Pipeline(decode, {
        "alphabet": lambda: [bytes([byte]) for byte in BYTES],
        "order": lambda: lambda pair: pair,
        "tokens": lambda merges, alphabet, order: _grown(merges, alphabet, order),
        "parts": lambda ids, tokens: [tokens[id] for id in ids],
        "read": lambda: _read("replace"),
        "text": lambda parts, read: read(parts),
        "whole": lambda text: text,
    }),
    _decode_cases,
    (
        Mistake("each_alone", {"text": lambda parts, read: "".join(read([part]) for part in parts)}),
        Mistake("strict", {"read": lambda: _read("strict")}),
        Mistake("left_out", {"read": lambda: _read("ignore")}),
        Mistake("escaped", {"read": lambda: _read("backslashreplace")}),
        Mistake("latin_1", {"read": lambda: lambda parts: b"".join(parts).decode("latin-1")}),
        Mistake("plain_bytes", {"alphabet": lambda: [bytes([byte]) for byte in range(256)]}),
        Mistake("zero_bytes", {"alphabet": lambda: [bytes(byte) for byte in BYTES]}),
        Mistake("other_table", {"alphabet": lambda: [bytes([id]) for id in BYTE_IDS]}),
        Mistake("right_before_left", {"order": lambda: lambda pair: pair[::-1]}),
        Mistake("one_level", {"tokens": lambda merges, alphabet: _one_level(merges, alphabet)}),
        Mistake("spaces_between", {"text": lambda parts, read: " ".join(read([part]) for part in parts)}),
        Mistake("from_the_end", {"parts": lambda ids, tokens: [tokens[id] for id in reversed(ids)]}),
        Mistake("stripped", {"whole": lambda text: text.strip()}),
        Mistake("as_bytes", {"whole": lambda parts: b"".join(parts)}),
    ),
    variants.DECODE, off_limits=(BPETokenizer.decode,), difficulty=2, minutes=8,
)  # fmt: skip
