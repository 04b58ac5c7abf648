"""The fast tokenizer: the ids of the version by hand, its files, its errors; the explanation ends at the ids."""

import doctest
import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.text import bpe, merging, tokenizer, tokenizer_files
from course.text.tokenizer import BPETokenizer

TEXT = "low lower lowest newest 你好 你们好吗，我喜欢吃苹果和香蕉 🙂🙃 été 'll I'll we'll   x\n\n\ny aaaaaaa abababab " * 3
SPECIAL = ["<end>", "<end>>", "你好<"]
OURS = BPETokenizer(bpe.train(TEXT, 327), SPECIAL)
texts = st.text(st.one_of(st.sampled_from("abc lowester你好们<>end'\n\t🙂é"), st.characters(exclude_categories=["Cs"])))


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(tokenizer).failed == 0 and doctest.testmod(tokenizer).attempted >= 3


# ── the same as by hand ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("alphabet", ["ab", "abc ", "aé你", "abcdefg  \n"])
def test_training_finds_the_merges_of_the_slow_loop(alphabet):
    for seed in range(40):
        text = "".join(random.Random(seed).choices(alphabet, k=seed * 4 + 1))
        assert BPETokenizer.train(text, 400).merges == bpe.train(text, 400), text


@settings(max_examples=200)
@given(st.text("aab b你", min_size=1), st.integers(256, 300))
def test_training_and_encoding_by_hand(text, vocab_size):
    ours = BPETokenizer.train(text, vocab_size)
    assert ours.merges == bpe.train(text, vocab_size)
    assert ours.encode(text) == bpe.encode(text, ours.merges)


@given(texts)
def test_texts_never_seen(text):
    ours = BPETokenizer(OURS.merges)
    ids = bpe.encode(text, OURS.merges)
    assert ours.encode(text) == ids == ours.encode(text)  # once computed, once remembered
    assert ours.decode(ids) == text


@pytest.mark.parametrize("seed", range(8))
def test_any_merges_in_any_order(seed):
    """Merges nobody would learn: each of a pair that stands in the text, drawn at random."""
    rng, merges = random.Random(seed), []
    text = "".join(rng.choices("aaab 你", k=400))
    pieces = [bpe.to_ids(piece) for piece in bpe.pre_tokenize(text)]
    while len(merges) < 40 and (pairs := bpe.pair_counts(pieces)):
        merges.append(rng.choice(list(pairs)))
        pieces = [bpe.merge(ids, merges[-1], 255 + len(merges)) for ids in pieces]
    ours, other = BPETokenizer(merges), "".join(rng.choices("aaab 你", k=400))
    for text in (text, other):
        assert ours.encode(text) == bpe.encode(text, merges) == ours.explain(text).ids


def test_a_vocabulary_is_bytes_merges_and_special_tokens():
    assert BPETokenizer.train(TEXT, 330, SPECIAL) == OURS and len(OURS) == 330


def test_several_texts_are_not_joined():
    assert BPETokenizer.train(["ab", "ab", "bc"], 258).merges == bpe.train("ab\nab\nbc", 258)
    assert BPETokenizer.train(iter(["a", "b"]), 300).merges == []


def test_rows_of_any_length_give_the_same_ids(monkeypatch):
    expected, rows, replay_row = bpe.encode(TEXT, OURS.merges), [], merging._replay_row
    monkeypatch.setattr(merging, "_replay_row", lambda head, *rest: (rows.append(len(head)), replay_row(head, *rest))[1])
    for row in (1, 40, 1 << 18):
        monkeypatch.setattr(merging, "_ROW", row)
        rows.clear()
        assert BPETokenizer(OURS.merges).encode(TEXT) == expected
        assert (len(rows) == 1) == (row == 1 << 18) and max(rows) < row + 50  # what is in memory at once


def test_a_full_memory_changes_no_ids(monkeypatch):
    monkeypatch.setattr(tokenizer, "_CACHED_PIECES", 3)
    ours = BPETokenizer(OURS.merges)
    for text in (TEXT, "low lower", TEXT[::-1], "x" * 100, TEXT):
        assert ours.encode(text) == bpe.encode(text, OURS.merges)
        assert len(ours._cache) <= 3 and all(len(piece) <= tokenizer._CACHED_LENGTH for piece in ours._cache)


def test_what_another_thread_reads_is_not_emptied(monkeypatch):
    monkeypatch.setattr(tokenizer, "_CACHED_PIECES", 3)
    ours = BPETokenizer(OURS.merges)
    ours.encode("low lower")
    read = ours._cache
    before = dict(read)
    ours.encode("newest lowest xyz")
    assert len(before) == 2 and read == before and ours._cache is not read


def test_a_piece_is_merged_once_and_remembered(monkeypatch):
    merged, replay = [], merging.replay
    monkeypatch.setattr(merging, "replay", lambda pieces, *rest: (merged.extend(pieces), replay(pieces, *rest))[1])
    ours, long = BPETokenizer(OURS.merges, ["<end>"]), "x" * (tokenizer._CACHED_LENGTH + 1)
    for _ in range(2):
        ours.encode(f"low low low<end> low {long}")
    assert merged == ["low", " low", f" {long}", f" {long}"]  # the long one is not kept


def test_ids_given_back_are_ones_own():
    ours = BPETokenizer(OURS.merges)
    first = ours.encode("lower")
    first.append(7)
    ours.encode("lower").clear()  # remembered by now
    ours.merges.clear()
    assert ours.merges == OURS.merges
    assert ours.encode("lower") == first[:-1] == bpe.encode("lower", OURS.merges)
    OURS.special_tokens.clear()
    assert list(OURS.special_tokens) == SPECIAL


# ── special tokens ──────────────────────────────────────────────────────────────────────────────────────────


def test_special_tokens_follow_the_merges_and_are_cut_out_first():
    end = 256 + len(OURS.merges)
    assert OURS.special_tokens == {"<end>": end, "<end>>": end + 1, "你好<": end + 2}
    assert len(OURS) == OURS.vocab_size == 330 == end + 3
    assert OURS.encode("low<end>low") == [*OURS.encode("low"), end, *OURS.encode("low")]
    assert OURS.encode("<end>><end>") == [end + 1, end]  # the longest
    assert OURS.encode("你好<end>") == [end + 2, *OURS.encode("end>")]  # the leftmost
    assert OURS.encode("<end") == bpe.encode("<end", OURS.merges)
    assert OURS.decode([end, end + 2]) == "<end>你好<"
    assert BPETokenizer([], ["a.b"]).encode("axb") == bpe.to_ids("axb")  # a name is no pattern


def test_nothing_is_learned_from_special_tokens():
    assert BPETokenizer.train("ab<end>" * 9 + "cd", 300, ["<end>"]).merges == BPETokenizer.train(["ab"] * 9 + ["cd"], 300).merges


@given(st.lists(st.sampled_from([*SPECIAL, "你", "好", "<", "low ", ">"])).map("".join))
def test_texts_with_special_tokens_come_back(text):
    assert OURS.decode(OURS.encode(text)) == text
    assert OURS.explain(text).ids == OURS.encode(text)


# ── looking inside ──────────────────────────────────────────────────────────────────────────────────────────


@given(texts)
def test_the_explanation_replays_the_merges(text):
    explained = OURS.explain(text)
    assert "".join(piece.text for piece in explained.pieces) == text
    assert explained.ids == OURS.encode(text)
    for piece in explained.pieces:
        if piece.text in OURS.special_tokens:
            assert piece.start == piece.ids == (OURS.special_tokens[piece.text],)
            continue
        ids = bpe.to_ids(piece.text)
        assert piece.start == tuple(ids)
        for step in piece.steps:
            assert OURS.merges[step.new_id - 256] == step.pair
            ids = bpe.merge(ids, step.pair, step.new_id)
            assert step.ids == tuple(ids) and step.new_id in ids


def test_tokens_are_shown_whole_characters_as_text_others_as_hexadecimal():
    ours = BPETokenizer([tuple(bpe.to_ids("你")[:2]), tuple(bpe.to_ids("a你")[:2])], ["<end>"])
    found = ours.tokens([*ours.encode("a你"), 257, 258, 188, bpe.BYTE_IDS[0xFF]])
    assert found == ["a", "⟨E4 BD⟩", "⟨A0⟩", "a⟨E4⟩", "<end>", "\0", "⟨FF⟩"]
    assert ours.tokens(ours.encode("你")) == ["⟨E4 BD⟩", "⟨A0⟩"]
    assert ours.decode([256, 0]) == "\ufffd!"  # a cut character is replaced, never raised or left out
    assert ours.token_bytes(256) == b"\xe4\xbd" and ours.token_bytes(258) == b"<end>" and ours.token_bytes(64) == b"a"


def test_the_first_merges_alone():
    few = OURS.first(5)
    assert few.merges == OURS.merges[:5] and few.special_tokens == {"<end>": 261, "<end>>": 262, "你好<": 263}
    assert few.encode("lower<end>") == [*bpe.encode("lower", OURS.merges[:5]), 261]
    assert OURS.first(len(OURS.merges)) == OURS and OURS.first(0).encode("lower") == bpe.to_ids("lower")


def test_equal_tokenizers_and_their_name():
    same = BPETokenizer(OURS.merges, SPECIAL)
    assert same == OURS and hash(same) == hash(OURS) and OURS != BPETokenizer(OURS.merges) and OURS != OURS.first(3)
    assert BPETokenizer([], ["<a>", "<b>"]) != BPETokenizer([], ["<b>", "<a>"]) and OURS != 3
    assert repr(OURS) == "<BPETokenizer: 330 tokens, 71 merges, special tokens <end>, <end>>, 你好<>"
    assert repr(BPETokenizer([])) == "<BPETokenizer: 256 tokens, 0 merges>"


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_saved_and_loaded(tmp_path):
    path = tmp_path / "tokenizer.json"
    OURS.save(path)
    assert BPETokenizer.load(path) == OURS == BPETokenizer.load(str(tmp_path)) and os.listdir(tmp_path) == [path.name]
    OURS.first(4).save(str(path))
    assert BPETokenizer.load(path) == OURS.first(4)


def test_what_stands_in_the_file(tmp_path):
    path = tmp_path / "tokenizer.json"
    BPETokenizer([tuple(bpe.to_ids(" 你")[:2]), tuple(bpe.to_ids("\n\0"))], ["<end>", "<a>"]).save(path)
    data = json.loads(path.read_bytes().decode("utf-8"))
    names, ids = list(data["model"]["vocab"]), list(data["model"]["vocab"].values())
    assert ids == list(range(260)) and names[:2] + names[94:96] + names[255:] == ["!", '"', "¡", "¢", "Ń", "Ġä", "ĊĀ", "<end>", "<a>"]
    assert data["model"]["merges"] == [["Ġ", "ä"], ["Ċ", "Ā"]] and [names[220], names[198], names[188]] == ["Ġ", "Ċ", "Ā"]
    added = [(token["id"], token["content"], token["special"], token["normalized"]) for token in data["added_tokens"]]
    assert added == [(258, "<end>", True, False), (259, "<a>", True, False)]
    assert data["decoder"]["type"] == "ByteLevel"


@pytest.mark.skipif(os.name != "posix", reason="permissions of the POSIX kind")
def test_others_may_read_the_file_as_any_other(tmp_path):
    mask = os.umask(0o027)
    try:
        OURS.save(tmp_path / "t.json")
        left = os.umask(0o027)
    finally:
        os.umask(mask)
    assert (tmp_path / "t.json").stat().st_mode & 0o777 == 0o640 and left == 0o027


def gpt2s_files(folder, tokens, merges):
    (folder / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(tokens)}), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")


def test_gpt2s_two_files(tmp_path):
    sign, space = bpe.to_ids("# ")
    letters = [tokenizer_files.written(bytes([byte])) for byte in bpe.BYTES]
    gpt2s_files(tmp_path, [*letters, "##", "Ġ##", "<|endoftext|>"], ["# #", "Ġ ##"])  # a sign, no comment
    assert BPETokenizer.load(tmp_path) == BPETokenizer([(sign, sign), (space, 256)], ["<|endoftext|>"])
    gpt2s_files(tmp_path, [*letters, "##"], ["# #"])
    assert BPETokenizer.load(tmp_path) == BPETokenizer([(sign, sign)])
    (tmp_path / "merges.txt").unlink()
    OURS.save(tmp_path / "tokenizer.json")
    assert BPETokenizer.load(tmp_path) == OURS
    gpt2s_files(tmp_path, letters, ["# # #"])
    with pytest.raises(ValueError, match="merge 0 of .* must be of two tokens made before it, got '# # #'"):
        BPETokenizer.load(tmp_path)
    gpt2s_files(tmp_path, [*letters, "Ġ##", "##"], ["Ġ ##", "# #"])
    with pytest.raises(ValueError, match="merge 0 of .* must be of two tokens made before it, got 'Ġ ##'"):
        BPETokenizer.load(tmp_path)


def test_a_broken_off_save_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    OURS.save(path)
    there = []

    def broken(data, file, **options):
        file.write("{")
        there.extend(sorted(os.listdir(tmp_path), reverse=True))
        raise KeyboardInterrupt

    monkeypatch.setattr(tokenizer_files.json, "dump", broken)
    with pytest.raises(KeyboardInterrupt):
        OURS.first(1).save(path)
    assert os.listdir(tmp_path) == [path.name] and BPETokenizer.load(path) == OURS
    assert len(there) == 2 and there[0] == path.name  # beside it, since a file can't be renamed from one disk to another


def test_special_tokens_first_as_the_librarys_trainer_numbers_them_are_converted(tmp_path):
    """They come last here, in the order of their ids, and every other id is smaller by their number."""
    library = pytest.importorskip("tokenizers")
    path = tmp_path / "tokenizer.json"
    OURS.save(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    data["model"]["merges"] = [" ".join(merge) for merge in data["model"]["merges"]]  # as older versions write them
    data["added_tokens"] = data["added_tokens"][::-1]  # their order in the file means nothing, their ids do
    path.write_text(json.dumps(data), encoding="utf-8")
    text = "low# 你好<end>"
    assert BPETokenizer.load(path) == OURS
    assert library.Tokenizer.from_file(str(path)).encode(text).ids == OURS.encode(text)

    n, V = len(SPECIAL), OURS.vocab_size
    shifted = {name: i + n for name, i in data["model"]["vocab"].items() if name not in SPECIAL}
    data["model"]["vocab"] = {name: i for i, name in enumerate(SPECIAL)} | shifted
    data["added_tokens"] = [token | {"id": SPECIAL.index(token["content"])} for token in data["added_tokens"]]
    path.write_text(json.dumps(data), encoding="utf-8")
    loaded = BPETokenizer.load(path)
    assert loaded == OURS
    theirs = library.Tokenizer.from_file(str(path)).encode(text).ids
    assert theirs != loaded.encode(text) and [(i - n) % V for i in theirs] == loaded.encode(text)


def swap(*names):
    """Two tokens of the vocabulary get each other's ids."""

    def swapped(data):
        vocabulary = data["model"]["vocab"]
        one, other = (name(data) if callable(name) else name for name in names)
        vocabulary[one], vocabulary[other] = vocabulary[other], vocabulary[one]

    return swapped


def made_by(i):
    return lambda data: "".join(data["model"]["merges"][i])


def change(*keys, to):
    def changed(data):
        place = data
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to

    return changed


BAD_FILES = {
    "wordpiece": (change("model", "type", to="WordPiece"), "its model is WordPiece, expected BPE"),
    "metaspace": (change("pre_tokenizer", to={"type": "Metaspace"}), "its pre_tokenizer is Metaspace, expected ByteLevel"),
    "no cutting": (change("pre_tokenizer", to=None), "its pre_tokenizer is None"),
    "space": (change("pre_tokenizer", "add_prefix_space", to=True), "add_prefix_space is True, expected False"),
    "no pattern": (change("pre_tokenizer", "use_regex", to=False), "use_regex is False, expected True"),
    "normalizer": (change("normalizer", to={"type": "NFC"}), "its normalizer is NFC, expected none"),
    "post": (change("post_processor", to={"type": "TemplateProcessing", "special_tokens": {"<s>": {}}}), "its post_processor is TemplateProcessing"),
    "own kind of post": (change("post_processor", to={"type": "BertProcessing"}), "its post_processor is BertProcessing"),
    "decoder": (change("decoder", to={"type": "WordPiece"}), "its decoder is WordPiece, expected ByteLevel"),
    "suffix": (change("model", "end_of_word_suffix", to="</w>"), "end_of_word_suffix is </w>, expected none"),
    "prefix": (change("model", "continuing_subword_prefix", to="##"), "continuing_subword_prefix is ##, expected none"),
    "dropout": (change("model", "dropout", to=0.1), "dropout is 0.1, expected none"),
    "fallback": (change("model", "byte_fallback", to=True), "byte_fallback is True, expected none"),
    "whole words": (change("model", "ignore_merges", to=True), "ignore_merges is True, expected none"),
    "strip": (change("added_tokens", 0, "lstrip", to=True), "its lstrip of added token '<end>' is True, expected False"),
    "strip behind": (change("added_tokens", 1, "rstrip", to=True), "its rstrip of added token '<end>>' is True"),
    "single word": (change("added_tokens", 2, "single_word", to=True), "its single_word of added token '你好<' is True"),
    "no merges": (lambda data: data["model"].pop("merges"), "its list of merges is missing, expected in its place"),
    "text for a part": (change("normalizer", to="NFC"), "is not as the tokenizers library writes it: AttributeError"),
    "numbers added": (change("added_tokens", to=[5]), "is not as the tokenizers library writes it: AttributeError"),
    "no model": (change("model", to=None), "it has no model with a vocabulary"),
    "a list": (change("model", "vocab", to=[]), "lacks 256 of the 256 bytes"),
    "no id": (change("added_tokens", to=[{"content": "<x>"}]), "is not as the tokenizers library writes it: KeyError 'id'"),
    "unknown part": (change("model", "merges", 1, to=["!", "nobody"]), "merge 1 of .* two tokens made before it, got '! nobody'"),
    "three parts": (change("model", "merges", 0, to=["a", "b", "c"]), "merge 0 of .* must be of two tokens made before it, got 'a b c'"),
    "later part": (lambda data: data["model"]["merges"].insert(0, data["model"]["merges"].pop()), "merge 0 of .* made before it"),
    "not in it": (lambda data: data["model"]["vocab"].pop("".join(data["model"]["merges"][3])), "merge 3 of .* must make one new token of the vocabulary"),
    "twice": (lambda data: data["model"]["merges"].append(data["model"]["merges"][0]), "must make one new token of the vocabulary"),
    "unmade": (change("model", "vocab", "nobody", to=999), "has 1 tokens that no merge makes, the first 'nobody'"),
    "bytes in another order": (swap("a", "b"), "numbers its tokens in another way: 'a' has the id 65, expected 64"),
    "merges in another order": (swap(made_by(0), made_by(2)), "another way: .* has the id 258, expected 256"),
    "a gap before special tokens": (change("added_tokens", 0, "id", to=999), "numbers its tokens in another way: '<end>>' has the id 328, expected 327"),
    "missing byte": (lambda data: data["model"]["vocab"].pop("!"), "lacks 1 of the 256 bytes, the first as '!'"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_another_kind_of_tokenizer_is_refused(name, tmp_path):
    path = tmp_path / "tokenizer.json"
    OURS.save(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    BAD_FILES[name][0](data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=BAD_FILES[name][1]):
        BPETokenizer.load(path)


def test_what_is_no_file_of_a_tokenizer(tmp_path):
    path = tmp_path / "t.json"
    for content, sentence in ((b"{", "is not JSON"), (b'"\xff"', "is not UTF-8: byte 1 is 0xff"), (b"[1]", "a JSON object, got a list")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=sentence):
            BPETokenizer.load(path)
    with pytest.raises(IsADirectoryError, match="is a folder; give the name of a file"):
        OURS.save(tmp_path)
    with pytest.raises(FileNotFoundError, match="has neither vocab.json with merges.txt nor tokenizer.json"):
        BPETokenizer.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        BPETokenizer.load(tmp_path / "none.json")


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────

ERRORS = [
    (lambda: BPETokenizer.train("", 300), ValueError, "the text to train on is empty"),
    (lambda: BPETokenizer.train([], 300), ValueError, "the text to train on is empty"),
    (lambda: BPETokenizer.train("<end>", 300, ["<end>"]), ValueError, "the text to train on is empty"),
    (lambda: BPETokenizer.train(b"ab", 300), TypeError, "the text must be a str, got int"),
    (lambda: BPETokenizer.train(["a", None], 300), TypeError, "the text must be a str, got NoneType"),
    (lambda: BPETokenizer.train("a", 255), ValueError, "vocab_size must be at least 256, .* got 255"),
    (lambda: BPETokenizer.train("a", 256, ["<end>"]), ValueError, "at least 257, 256 bytes and 1 special tokens, got 256"),
    (lambda: BPETokenizer.train("a", 300.0), TypeError, "vocab_size must be a whole number, got 300.0"),
    (lambda: BPETokenizer.train("a", True), TypeError, "vocab_size must be a whole number, got True"),
    (lambda: BPETokenizer.train("a", 300, "<end>"), TypeError, "got the one text '<end>'"),
    (lambda: BPETokenizer.train("a", 300, ["<a>", ""]), ValueError, "must not be empty, got '' at position 1"),
    (lambda: BPETokenizer.train("a", 300, ["<a>", "<a>"]), ValueError, "must differ, got '<a>' twice"),
    (lambda: BPETokenizer([(64, 65)], ["ab"]), ValueError, "'ab' is how a file writes an ordinary token"),
    (lambda: BPETokenizer([(64, 256)]), ValueError, r"merge 0 must be of tokens 0 to 255.*got \(64, 256\)"),
    (lambda: BPETokenizer([(64, -1)]), ValueError, "merge 0 must be of tokens 0 to 255"),
    (lambda: BPETokenizer([(64, 65), (257, 65)]), ValueError, r"merge 1 must be of tokens 0 to 256.*got \(257, 65\)"),
    (lambda: BPETokenizer([], [3]), TypeError, "a special token must be a str, got int"),
    (lambda: BPETokenizer([(64, 65), (64, 65)]), ValueError, "two make b'ab'"),
    (lambda: OURS.encode([1, 2]), TypeError, "the text must be a str, got list"),
    (lambda: OURS.encode("ab\ud83d"), ValueError, r"half of a surrogate pair, U\+D83D at position 2"),
    (lambda: BPETokenizer.train("\udfff", 300), ValueError, r"U\+DFFF at position 0"),
    (lambda: BPETokenizer([], ["<\ud800>"]), ValueError, r"a special token holds half of a surrogate pair, U\+D800 at position 1"),
    (lambda: OURS.decode("12"), TypeError, "ids, whole numbers, got str"),
    (lambda: OURS.decode([1.0]), TypeError, r"ids must be a sequence of whole numbers, got \[1.0\]"),
    (lambda: OURS.decode(5), TypeError, "ids must be a sequence of whole numbers, got 5"),
    (lambda: OURS.decode([0, 330]), ValueError, "ids must lie between 0 and 329, got 330"),
    (lambda: OURS.tokens([-1]), ValueError, "ids must lie between 0 and 329, got -1"),
    (lambda: OURS.token_bytes(330), ValueError, "got 330"),
    (lambda: OURS.first(72), ValueError, "n_merges must lie between 0 and 71, the merges there are, got 72"),
    (lambda: OURS.first(-1), ValueError, "got -1"),
]


@pytest.mark.parametrize("act, kind, sentence", ERRORS, ids=range(len(ERRORS)))
def test_errors_say_what_was_given(act, kind, sentence):
    with pytest.raises(kind, match=sentence):
        act()
