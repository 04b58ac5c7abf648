"""The tests of byte-pair encoding and the tokenizer refuse wrong versions: typical mistakes, each planted into a copy."""

import pytest

from tests.mutation import Mutant

B, T = "tests/test_bpe.py::", "tests/test_tokenizer.py::"
PIECES, UNITS, ORDER = B + "test_pieces", B + "test_units_are_bytes", B + "test_bytes_are_in_gpt2s_order"
COUNTED, MERGED = B + "test_pairs_that_overlap_count_and_cuts_separate", B + "test_merging_goes_from_left_to_right_to_the_end"
TIES, ENDS = B + "test_the_most_frequent_pair_first_ties_to_the_smaller_ids", B + "test_training_stops_when_no_pair_is_left"
CUTS, REFRESHED = B + "test_no_merge_crosses_a_cut", B + "test_counts_follow_the_merges"
REPLAYED, CUT_CHARACTER = B + "test_encoding_replays_the_order_of_learning", B + "test_a_cut_character_is_shown_as_replaced_never_raised"
SLOW_LOOP, ANY_MERGES = T + "test_training_finds_the_merges_of_the_slow_loop", T + "test_any_merges_in_any_order"
ROWS, NEVER_SEEN, FULL = T + "test_rows_of_any_length_give_the_same_ids", T + "test_texts_never_seen", T + "test_a_full_memory_changes_no_ids"
OWN, REMEMBERED = T + "test_ids_given_back_are_ones_own", T + "test_a_piece_is_merged_once_and_remembered"
SPECIAL = T + "test_special_tokens_follow_the_merges_and_are_cut_out_first"
NOT_LEARNED, SHOWN = T + "test_nothing_is_learned_from_special_tokens", T + "test_tokens_are_shown_whole_characters_as_text_others_as_hexadecimal"
EXPLAINED, EQUAL = T + "test_the_explanation_replays_the_merges", T + "test_equal_tokenizers_and_their_name"
FIRST, ERRORS = T + "test_the_first_merges_alone", T + "test_errors_say_what_was_given"


def by_hand(name, change, *tests, raises=()):
    return Mutant(f"by hand: {name}", "course.text.bpe", change, tests, raises)


def fast(name, change, *tests, raises=()):
    return Mutant(f"fast: {name}", "course.text.merging", change, tests, raises)


def class_(name, change, *tests, raises=()):
    return Mutant(name, "course.text.tokenizer", change, tests, raises)


def unchecked(name, condition, *raises, unless="False"):
    """A refusal left out: its condition never holds (or only `unless`)."""
    return class_(f"{name} let through", {f"if {condition}:": f"if {unless}:"}, ERRORS, raises=raises)


def backwards(ids, pair, new_id):
    merged = []
    for i in reversed(ids):
        merged.insert(0, i)
        if tuple(merged[:2]) == pair:
            merged[:2] = [new_id]
    return merged


WORDS, WHITE, BEST = r"| ?\p{L}+| ?\p{N}+|", r'r"|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+"', "(-counts[pair], pair))"
EARLIEST = "pair = min(zip(ids, ids[1:]), key=lambda pair: ranks.get(pair, len(merges)))"
JOINED, TOKENS_BY_HAND = 'b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")', "tokens.append(tokens[left] + tokens[right])"
GREATER_FIRST = {
    "heap = [(-count, pair) for pair, count in": "heap = [(-count, (-pair[0], -pair[1])) for pair, count in",
    "count, pair = heapq.heappop(heap)\n": "count, pair = heapq.heappop(heap)\n        pair = (-pair[0], -pair[1])\n",
    "heapq.heappush(heap, (-counts[pair], pair))": "heapq.heappush(heap, (-counts[pair], (-pair[0], -pair[1])))",
    "heapq.heappush(heap, (-count, risen))": "heapq.heappush(heap, (-count, (-risen[0], -risen[1])))",
}

BY_HAND = [
    # T1
    by_hand("characters for bytes", {'[BYTE_IDS[byte] for byte in piece.encode("utf-8")]': "[ord(c) for c in piece]"}, UNITS),
    by_hand("half a pair is let through", {'piece.encode("utf-8")': 'piece.encode("utf-8", "surrogatepass")'}, UNITS, raises=["Failed"]),
    by_hand("bytes in order of value", {"tuple(_PRINTED + sorted(set(range(256)) - set(_PRINTED)))": "tuple(range(256))"}, ORDER),
    by_hand("soft hyphen is printed", {"*range(0xA1, 0xAD), *range(0xAE, 0x100)": "*range(0xA1, 0x100)"}, ORDER),
    by_hand("table of bytes for the table of ids", {"tuple(BYTES.index(byte) for byte in range(256))": "BYTES"}, ORDER),
    # the pieces
    by_hand("words without their space", {WORDS: r"|\p{L}+| ?\p{N}+|"}, PIECES),
    by_hand("letters of English", {WORDS: r"| ?[A-Za-z]+| ?\p{N}+|"}, PIECES),
    by_hand("digits for numbers", {WORDS: r"| ?\p{L}+| ?\d+|"}, PIECES),
    by_hand("the last space stays with the others", {WHITE: r'r"|\p{White_Space}+"'}, PIECES),
    by_hand("white space as Python's re has it", {WHITE: r'r"|[\s\x1c-\x1f]+(?![^\s\x1c-\x1f])|[\s\x1c-\x1f]+"', r" ?[^\p{White_Space}\p{L}\p{N}]+": r" ?[^\s\x1c-\x1f\p{L}\p{N}]+"}, PIECES),
    by_hand("white space as JavaScript has it", {WHITE: r'r"|[\s\ufeff]+(?![^\s\ufeff])|[\s\ufeff]+"', r" ?[^\p{White_Space}\p{L}\p{N}]+": r" ?[^\s\ufeff\p{L}\p{N}]+"}, PIECES),
    # T7
    by_hand("pairs counted without overlap", {"for pair in zip(ids, ids[1:]):\n            counts": "for pair in [p for i, p in enumerate(zip(ids, ids[1:])) if i == 0 or ids[i - 1 : i + 1] != ids[i : i + 2]]:\n            counts"}, COUNTED),
    by_hand("pairs counted across cuts", {"for ids in pieces:\n        for pair": "for ids in [sum(pieces, [])]:\n        for pair"}, COUNTED),
    by_hand("no skip after a merge", {"merged.append(new_id)\n            i += 2": "merged.append(new_id)\n            i += 1"}, MERGED),
    by_hand("the first occurrence alone", {"(ids[i], ids[i + 1]) == pair:": "(ids[i], ids[i + 1]) == pair and new_id not in merged:"}, MERGED),
    by_hand("from right to left", {"merge": backwards}, MERGED),
    by_hand("the last id is lost", {"while i < len(ids):": "while i + 1 < len(ids):"}, MERGED),
    by_hand("the list given is changed", {"    return merged\n": "    ids[:] = merged\n    return ids\n"}, MERGED),
    # T4
    by_hand("ties to the pair met first", {BEST: "-counts[pair])"}, TIES),
    by_hand("ties to the greater pair", {BEST: "(-counts[pair], -pair[0], -pair[1]))"}, TIES),
    by_hand("ties by the value of the bytes", {BEST: "(-counts[pair], [BYTES[i] if i < 256 else i for i in pair]))"}, TIES),
    # T8, T9, T10
    by_hand("goes on without pairs", {"        if not counts:\n            break\n": ""}, ENDS, raises=["ValueError"]),
    by_hand("stops at pairs met once", {"if not counts:": "if not counts or max(counts.values()) == 1:"}, ENDS),
    by_hand("one merge too many", {"256 + len(merges) < vocab_size": "256 + len(merges) <= vocab_size"}, TIES, ENDS),
    by_hand("counts are never refreshed", {"        counts = pair_counts(pieces)\n": "        counts.pop(merges[-1], None) if merges else None\n",
            "    merges = []\n    while": "    merges, counts = [], pair_counts(pieces)\n    while"}, REFRESHED),
    by_hand("merges across pieces", {"pieces = [to_ids(piece) for piece in pre_tokenize(text)]": "pieces = [to_ids(text)]"}, CUTS, REFRESHED),
    # T5
    by_hand("the leftmost pair first", {EARLIEST: "pair = next((pair for pair in zip(ids, ids[1:]) if pair in ranks), None)"}, REPLAYED),
    by_hand("the pair learned last first", {EARLIEST: "pair = max(zip(ids, ids[1:]), key=lambda pair: ranks.get(pair, -1))"}, REPLAYED),
    by_hand("one merge in a piece", {"ids = merge(ids, pair, 256 + ranks[pair])": "ids = merge(ids, pair, 256 + ranks[pair])\n            break"}, REPLAYED),
    by_hand("encodes across pieces", {"    encoded = []\n    for piece in pre_tokenize(text):": "    encoded = []\n    for piece in [text]:"}, B + "test_encoding_stays_within_pieces"),
    # T2, T3
    by_hand("token by token", {JOINED: '"".join(tokens[i].decode("utf-8", errors="replace") for i in ids)'}, CUT_CHARACTER, B + "test_any_ids_decode"),
    by_hand("strict", {JOINED: 'b"".join(tokens[i] for i in ids).decode("utf-8")'}, CUT_CHARACTER, raises=["UnicodeDecodeError"]),
    by_hand("cut characters left out", {'errors="replace")\n': 'errors="ignore")\n'}, CUT_CHARACTER),
    by_hand("halves in the other order", {TOKENS_BY_HAND: "tokens.append(tokens[right] + tokens[left])"}, CUT_CHARACTER),
]  # fmt: skip

FAST = [
    fast("ids are the bytes", {"piece.encode().translate(_AS_IDS)": "piece.encode()"}, SLOW_LOOP, NEVER_SEEN),
    fast("ties to the greater pair", GREATER_FIRST, SLOW_LOOP),
    fast("merges across pieces", {"    before.pop(-1, None)\n    after.pop(-1, None)\n": ""}, SLOW_LOOP, raises=["KeyError"]),
    fast("each piece counts once", {"weight += [count] * (len(ids) + 1)": "weight += [1] * (len(ids) + 1)"}, SLOW_LOOP),
    fast("fallen pairs count once a piece", {"counts[fallen] -= count  #": "counts[fallen] -= len(found)  #"}, SLOW_LOOP),
    fast("neighbours keep their counts", {"counts[fallen] -= count  #": "pass  #"}, SLOW_LOOP),
    fast("counts of the heap believed", {"if counts[pair] != -count:": "if False:"}, SLOW_LOOP),
    fast("fallen pairs never come again", {"            if counts[pair]:\n": "            if False:\n"}, SLOW_LOOP),
    fast("pairs that are gone are merged", {"            if counts[pair]:\n": "            if True:\n"}, SLOW_LOOP),
    fast("new pairs are not met", {"            heapq.heappush(heap, (-count, risen))\n": ""}, SLOW_LOOP),
    fast("one merge too many", {"len(merges) < n_merges:": "len(merges) <= n_merges:"}, T + "test_training_and_encoding_by_hand"),
    fast("tokens of two bytes", {"size.append(size[pair[0]] + size[pair[1]])": "size.append(2)"}, SLOW_LOOP, raises=["KeyError", "IndexError"]),
    fast("the last byte does not know", {"head[place] = tail[place + last] = new": "head[place] = new"}, SLOW_LOOP, ANY_MERGES, raises=["KeyError"]),
    fast("the right half is not asked", {"if head[place] == left and head[place + middle] == right:": "if head[place] == left:"}, SLOW_LOOP, ANY_MERGES, raises=["IndexError", "KeyError"]),
    fast("two new tokens counted twice", {"    after.pop(new, None)  #": "    #"}, SLOW_LOOP, raises=["KeyError"]),
    fast("two new tokens counted never", {"    for token, found in before.items():\n": "    before.pop(new, None)\n    for token, found in before.items():\n"}, SLOW_LOOP, ANY_MERGES, raises=["KeyError"]),
    fast("what stood between two new tokens", {"fallen = (right, left) if token == new else (token, left)": "fallen = (token, left)"}, SLOW_LOOP, raises=["KeyError"]),
    fast("one byte to the left", {"start = size[token]": "start = 1"}, SLOW_LOOP, ANY_MERGES, raises=["KeyError"]),
    fast("from right to left", {"            head[place + middle] = -2\n            merged.append(place)\n    return merged": "            head[place + middle] = -2\n            merged.insert(0, place)\n    return merged"}, SLOW_LOOP, ANY_MERGES),
    fast("the pair learned last first", {"new = heapq.heappop(heap)": "new = heap.pop(heap.index(max(heap)))"}, ANY_MERGES, raises=["KeyError"]),
    fast("encodes one round", {"                heapq.heappush(heap, later)\n": ""}, ANY_MERGES, ROWS),
    fast("no row is cut", {"if len(head) > _ROW:": "if False:"}, ROWS),
    fast("rows are encoded again", {"            head = [-1]\n    yield": "    yield"}, ROWS),
    fast("the last row is lost", {"            head = [-1]\n    yield from _replay_row(head, merges, new_id, size)\n": "            head = [-1]\n"}, NEVER_SEEN, raises=["KeyError"]),
]  # fmt: skip

BYTES_JOINED = 'b"".join([self._bytes[i] for i in self._checked_ids(ids)]).decode("utf-8", errors="replace")'
KNOWN = "return list(chain.from_iterable(map(known.__getitem__, pieces)))"

CLASS = [
    # T12
    class_("special tokens are not cut out", {"    if not names:\n        return lambda": "    if True:\n        return lambda"}, SPECIAL, NOT_LEARNED),
    class_("the shortest special token first", {"key=len, reverse=True": "key=len"}, SPECIAL),
    class_("special tokens in the order given", {"sorted(names, key=len, reverse=True)": "names"}, SPECIAL),
    class_("special tokens are patterns", {"map(regex.escape, sorted(names, key=len, reverse=True))": "sorted(names, key=len, reverse=True)"}, SPECIAL, raises=["KeyError"]),
    class_("special ids one too high", {"{name: len(self._bytes) + i for": "{name: len(self._bytes) + i + 1 for"}, SPECIAL),
    class_("special ids before the merges", {"{name: len(self._bytes) + i for": "{name: 256 + i for"}, SPECIAL),
    class_("learned from special tokens", {"split(_checked_text(part))[::2]": "split(_checked_text(part))"}, NOT_LEARNED),
    class_("texts joined", {"for part in [text] if isinstance(text, str) else text:": "for part in [text if isinstance(text, str) else ''.join(text)]:"}, T + "test_several_texts_are_not_joined"),
    class_("the ids remembered are handed out", {KNOWN: "return known[pieces[0]] if len(pieces) == 1 else list(chain.from_iterable(map(known.__getitem__, pieces)))"}, OWN),
    class_("the ids handed out are remembered", {"        ids = []\n        for piece in pieces:\n            ids += known.get(piece) or fresh[piece]\n": "        ids = fresh[pieces[0]] if len(pieces) == 1 else [i for piece in pieces for i in known.get(piece) or fresh[piece]]\n"}, OWN),
    class_("remembers without bound", {"if len(known) + len(fresh) > _CACHED_PIECES:": "if False:"}, FULL),
    class_("remembers all of one text", {"known.update(islice(short, _CACHED_PIECES))": "known.update(short)"}, FULL),
    class_("remembers long pieces", {" if len(piece) <= _CACHED_LENGTH)": ")"}, FULL, REMEMBERED),
    class_("remembers nothing", {"        known.update(islice(short, _CACHED_PIECES))\n": ""}, REMEMBERED),
    class_("forgets under another's hands", {"            known = self._cache = {}  #": "            known.clear()  #"}, T + "test_what_another_thread_reads_is_not_emptied"),
    class_("merges a piece again for each time it stands there", {"list(dict.fromkeys([piece for piece in pieces if piece not in known]))": "[piece for piece in pieces if piece not in known]"}, REMEMBERED),
    class_("one memory for all", {"self._cache: dict[str, list[int]] = {}": "self._cache = _shown.__dict__"}, T + "test_training_and_encoding_by_hand", FIRST),
    class_("its own merges handed out", {"return list(self._merges)": "return self._merges"}, OWN),
    class_("its own special tokens handed out", {"return dict(self._special)": "return self._special"}, OWN),
    class_("the first merges without special tokens", {"self._merges[:n_merges], self._special)": "self._merges[:n_merges])"}, FIRST),
    class_("explains the leftmost pair first", {"new = min(self._new_id.get(pair, none) for pair in zip(ids, ids[1:]))": "new = next((self._new_id[pair] for pair in zip(ids, ids[1:]) if pair in self._new_id), none)"}, ANY_MERGES),
    class_("explains with the ids before", {"            ids = merge(ids, pair, new)\n            steps.append(Step(pair, new, tuple(ids)))": "            steps.append(Step(pair, new, tuple(ids)))\n            ids = merge(ids, pair, new)"}, EXPLAINED, ANY_MERGES),
    class_("decodes token by token", {BYTES_JOINED: '"".join([self._bytes[i].decode("utf-8", errors="replace") for i in self._checked_ids(ids)])'}, NEVER_SEEN),
    class_("decodes strictly", {BYTES_JOINED: 'b"".join([self._bytes[i] for i in self._checked_ids(ids)]).decode("utf-8")'}, SHOWN, raises=["UnicodeDecodeError"]),
    class_("leaves cut characters out", {BYTES_JOINED: 'b"".join([self._bytes[i] for i in self._checked_ids(ids)]).decode("utf-8", errors="ignore")'}, SHOWN),
    class_("cut characters shown as replaced", {'errors="surrogateescape")  #': 'errors="replace")  #'}, SHOWN),
    class_("equal whatever the special tokens", {"self._merges == other._merges and self._special == other._special": "self._merges == other._merges"}, EQUAL),
    # each refusal left out
    unchecked("empty training", "not counts", "Failed"),
    unchecked("sizes that are no whole numbers", 'isinstance(vocab_size, bool) or not hasattr(vocab_size, "__index__")', "AssertionError"),
    unchecked("a size of True", 'isinstance(vocab_size, bool) or not hasattr(vocab_size, "__index__")', "ValueError", unless='not hasattr(vocab_size, "__index__")'),
    unchecked("a vocabulary too small", "vocab_size < smallest", "Failed"),
    unchecked("a text for a list of them", "isinstance(names, str)", "Failed", "ValueError"),
    unchecked("an empty special token", "not name", "Failed"),
    unchecked("a special token twice", "name in names[:i]", "Failed"),
    unchecked("a special token that is an ordinary one", "name in written", "Failed"),
    unchecked("merges of later tokens", "not (0 <= left < 256 + i and 0 <= right < 256 + i)", "IndexError"),
    unchecked("merges of negative tokens", "not (0 <= left < 256 + i and 0 <= right < 256 + i)", "Failed", unless="not (left < 256 + i and right < 256 + i)"),
    unchecked("a merge of itself", "not (0 <= left < 256 + i and 0 <= right < 256 + i)", "IndexError", unless="not (0 <= left <= 256 + i and 0 <= right <= 256 + i)"),
    unchecked("a token made twice", "len(set(tokens)) < len(tokens)", "Failed"),
    unchecked("what is no text", "not isinstance(text, str)", "AttributeError", "Failed"),
    unchecked("ids that are a text", "isinstance(ids, (str, bytes))"),
    unchecked("ids above and below", "ids and not 0 <= min(ids) <= max(ids) < len(self._bytes)", "IndexError", "Failed"),
    unchecked("ids below", "ids and not 0 <= min(ids) <= max(ids) < len(self._bytes)", "Failed", unless="ids and not max(ids) < len(self._bytes)"),
    unchecked("one id too many", "ids and not 0 <= min(ids) <= max(ids) < len(self._bytes)", "IndexError", unless="ids and not 0 <= min(ids) <= max(ids) <= len(self._bytes)"),
    unchecked("more merges than there are", "not 0 <= n_merges <= count", "Failed", unless="n_merges < 0"),
    unchecked("fewer merges than none", "not 0 <= n_merges <= count", "Failed", unless="n_merges > count"),
]  # fmt: skip

MUTANTS = [*BY_HAND, *FAST, *CLASS]
BATCH = 30  # mutants in one run: all of them would come near one test's time limit on a busy machine


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    first = MUTANTS.index(mutant) // BATCH * BATCH
    mutant.assert_caught(among=MUTANTS[first : first + BATCH])
