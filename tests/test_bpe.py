"""Byte-pair encoding by hand: examples worked out on paper, each refusing one known mistake; and properties."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.text import bpe

A, B, C, D = bpe.to_ids("abcd")


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(bpe).failed == 0 and doctest.testmod(bpe).attempted >= 6


def test_bytes_are_in_gpt2s_order():
    assert sorted(bpe.BYTES) == list(range(256)) and [bpe.BYTE_IDS[byte] for byte in bpe.BYTES] == list(range(256))
    assert bpe.BYTES[0] == ord("!") and bpe.BYTES[93] == ord("~") and bpe.BYTES[94] == 0xA1  # vocab.json: "!" 0, "~" 93
    assert (bpe.BYTES[187], bpe.BYTES[188], bpe.BYTES[220], bpe.BYTES[255]) == (0xFF, 0, ord(" "), 0xAD)


@pytest.mark.parametrize("text, pieces", [
    ("", []), ("I'll  pay 20€!", ["I", "'ll", " ", " pay", " 20", "€!"]), ("it's\n\n x\t", ["it", "'s", "\n\n", " x", "\t"]),
    ("I'M", ["I", "'", "M"]), ("我喜欢 吃，123", ["我喜欢", " 吃", "，", "123"]), ("a\x1c\x1c\x85b", ["a", "\x1c\x1c", "\x85", "b"]),
    ("a\x1c\x1fb", ["a", "\x1c\x1f", "b"]), ("a\ufeff\u200b b", ["a", "\ufeff\u200b", " b"]), ("a\u3000\u3000b\xa0", ["a", "\u3000", "\u3000", "b", "\xa0"]), ("x²½Ⅷ", ["x", "²½Ⅷ"]),
], ids=range(10))  # fmt: skip
def test_pieces(text, pieces):
    assert bpe.pre_tokenize(text) == pieces


def test_units_are_bytes():
    assert bpe.to_ids("é你") == [bpe.BYTE_IDS[byte] for byte in (0xC3, 0xA9, 0xE4, 0xBD, 0xA0)]
    with pytest.raises(UnicodeEncodeError):
        bpe.to_ids("\ud83d")


def test_pairs_that_overlap_count_and_cuts_separate():
    assert bpe.pair_counts([[A, A, A], [A, B], [B], [], [A, B]]) == {(A, A): 2, (A, B): 2}


@pytest.mark.parametrize("ids, pair, merged", [
    ([A] * 5, (A, A), [9, 9, A]), ([A, B, A, B], (A, B), [9, 9]), ([B, A, B, C, A], (A, B), [B, 9, C, A]), ([A], (A, A), [A]),
    ([], (A, B), []), ([A, A, B], (A, B), [A, 9]),
], ids=range(6))  # fmt: skip
def test_merging_goes_from_left_to_right_to_the_end(ids, pair, merged):
    before = list(ids)
    assert bpe.merge(ids, pair, 9) == merged and ids == before


def test_the_most_frequent_pair_first_ties_to_the_smaller_ids():
    assert bpe.train("ba ba dc dc", 257) == [(B, A)]  # ba, dc, " b", " d" … : ba and dc twice; a is smaller than c
    assert bpe.train("dc dc ba ba", 257) == [(B, A)]  # whichever is met first
    assert bpe.train("dc dc dc ba ba", 257) == [(D, C)]
    e, l, o, r, w, space = bpe.to_ids("elorw ")
    assert bpe.train("low low low lower", 300) == [(l, o), (256, w), (space, 257), (e, r), (258, 259)]


def test_training_stops_when_no_pair_is_left():
    assert bpe.train("a", 300) == bpe.train("", 300) == bpe.train("ab", 256) == []
    assert bpe.train("abcd", 300) == [(A, B), (C, D), (256, 257)]


def test_no_merge_crosses_a_cut():
    space = bpe.to_ids(" ")[0]
    assert bpe.train("a b a b a b", 300) == [(space, B), (space, A)]


def test_counts_follow_the_merges():
    assert bpe.train("ab\nabc\nbcd\nbc", 300) == [(B, C), (A, B), (A, 256), (256, D)]


def test_encoding_replays_the_order_of_learning():
    assert bpe.encode("abc", [(B, C), (A, B)]) == [A, 256]
    assert bpe.encode("abc", [(A, B), (B, C)]) == [256, C]
    assert bpe.encode("aaaaa", [(A, A), (256, 256)]) == [257, A] and bpe.encode("", []) == []


def test_encoding_stays_within_pieces():
    space = bpe.to_ids(" ")[0]
    assert bpe.encode("a b", [(A, space), (space, B)]) == [A, 257] and bpe.encode("a b", [(A, space)]) == [A, space, B]


def test_a_cut_character_is_shown_as_replaced_never_raised():
    merges = [tuple(bpe.to_ids("你")[1:])]  # 你 is E4 and BD A0
    ids = bpe.encode("你", merges)
    assert len(ids) == 2 and bpe.decode(ids, merges) == "你"
    assert bpe.decode(ids[:1], merges) == "\ufffd" and bpe.decode([256, 0], merges) == "\ufffd\ufffd!"


MERGES = bpe.train("low lower lowest 你好 你们好吗 🙂🙃 été 'll I'll we'll   x\n\n\ny aaaa", 295)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(text):
    assert "".join(bpe.pre_tokenize(text)) == text
    assert bpe.decode(bpe.encode(text, MERGES), MERGES) == text


@given(st.lists(st.integers(0, 255 + len(MERGES))))
def test_any_ids_decode(ids):
    tokens = [bytes([byte]) for byte in bpe.BYTES]
    for left, right in MERGES:
        tokens.append(tokens[left] + tokens[right])
    assert bpe.decode(ids, MERGES) == b"".join(tokens[i] for i in ids).decode(errors="replace")
