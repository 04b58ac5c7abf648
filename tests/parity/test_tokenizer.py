"""The tokenizers library finds the same merges and ids, and reads and writes the same files; transformers' GPT-2 too."""

import json
import random
import unicodedata

import pytest
import regex
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import decoders, models, pre_tokenizers, trainers

from course.bench.tokenizer import mixed
from course.text import bpe
from course.text.corpus import python_docs
from course.text.tokenizer import BPETokenizer

DOCS = python_docs()
SPECIAL = ["<|endoftext|>", "<end>", "<end>>"]


def trained(text, vocab_size, special=()):
    """The library's own tokenizer, trained by its own trainer."""
    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    theirs.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
                                  special_tokens=list(special))  # fmt: skip
    theirs.train_from_iterator([text], trainer)
    return theirs


def merges_of(theirs):
    ids = theirs.get_vocab()
    return [(ids[left], ids[right]) for left, right in json.loads(theirs.to_str())["model"]["merges"]]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """One tokenizer of each library, from the same merges, with special tokens: ours saved, theirs loaded."""
    ours = BPETokenizer.train(mixed(200_000), 1500, SPECIAL)
    path = tmp_path_factory.mktemp("both") / "tokenizer.json"
    ours.save(path)
    return ours, tokenizers.Tokenizer.from_file(str(path))


@pytest.mark.parametrize("vocab_size", [512, 1024, 4096])
@pytest.mark.parametrize("name", ["docs", "mixed"])
def test_the_trainer_finds_the_same_merges_and_ids(name, vocab_size):
    text = DOCS if name == "docs" else mixed(300_000)
    theirs, ours = trained(text, vocab_size), BPETokenizer.train(text, vocab_size)
    assert ours.merges == merges_of(theirs) and len(ours) == theirs.get_vocab_size() == vocab_size
    assert ours.encode(text) == theirs.encode(text).ids


@pytest.mark.parametrize("alphabet", ["ab", "abc ", "aé你", "\x1c\x85\u3000 a\n"])
def test_ties_and_runs(alphabet):
    for seed in range(60):
        text = "".join(random.Random(seed).choices(alphabet, k=seed * 5 + 1))
        assert BPETokenizer.train(text, 400).merges == merges_of(trained(text, 400)) == bpe.train(text, 400), text


def test_every_character_is_cut_as_the_library_cuts_it():
    """Those of a newer Unicode than the library's are left out: what Python does not know yet, it need not know."""
    theirs = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    known = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs")]
    for i in range(0, len(known), 4096):
        text = "".join(f"a{c}1{c}! {c}{c}\n" for c in known[i : i + 4096])
        assert bpe.pre_tokenize(text) == [text[start:end] for _, (start, end) in theirs.pre_tokenize_str(text)]


@settings(max_examples=10_000)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_with_the_librarys_ids(both, text):
    ours, theirs = both
    ids = ours.encode(text)
    assert ours.decode(ids) == text
    known = "".join(c for c in text if unicodedata.category(c) != "Cn")
    assert ours.encode(known) == theirs.encode(known).ids


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*SPECIAL, "<end", ">", " ", "\n", "low", "你好", "def", "'s", "é"])).map("".join))
def test_special_tokens_are_cut_out_alike(both, text):
    ours, theirs = both
    ids = ours.encode(text)
    assert ids == theirs.encode(text).ids
    assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False) == text


@settings(max_examples=300)
@given(st.lists(st.integers(0, 1499)))
def test_any_ids_decode_alike(both, ids):
    ours, theirs = both
    assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False)


def test_the_file_is_read_as_it_was_written(both):
    ours, theirs = both
    assert theirs.get_vocab_size() == len(ours) and merges_of(theirs) == ours.merges
    assert {text: theirs.token_to_id(text) for text in SPECIAL} == ours.special_tokens


@pytest.mark.parametrize("special", [(), ("<pad>", "<end>")], ids=["plain", "special first"])
def test_a_file_of_the_librarys_trainer(special, tmp_path):
    theirs = trained(DOCS[:100_000], 600, special)
    theirs.save(str(tmp_path / "tokenizer.json"))
    ours = BPETokenizer.load(tmp_path / "tokenizer.json")
    text, n = DOCS[50_000:120_000], len(special)
    assert ours == BPETokenizer.train(DOCS[:100_000], 600, special)
    assert [i + n for i in ours.encode(text)] == theirs.encode(text).ids  # theirs put the special tokens first
    assert ours.special_tokens == {name: 600 - n + i for i, name in enumerate(special)}


def test_gpt2s_files(tmp_path):
    """In GPT-2's form: 256 bytes, the merges, <|endoftext|> last; read by transformers and by us."""
    from transformers import GPT2TokenizerFast

    ours = BPETokenizer.train(mixed(100_000), 900, ["<|endoftext|>"])
    ours.save(tmp_path / "ours.json")
    model = json.loads((tmp_path / "ours.json").read_text(encoding="utf-8"))["model"]
    folder = tmp_path / "gpt2"
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    lines = ["#version: 0.2", *map(" ".join, model["merges"]), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    loaded, theirs = BPETokenizer.load(folder), GPT2TokenizerFast.from_pretrained(folder)
    text = f"{DOCS[:3000]}<|endoftext|>{mixed(3000)} 's\n\n  \t🙂 end<|endoftext|>"
    assert loaded == ours and loaded.special_tokens == {"<|endoftext|>": 899}
    assert loaded.encode(text) == theirs.encode(text)
    theirs.save_pretrained(tmp_path / "again")
    assert BPETokenizer.load(tmp_path / "again") == ours


def test_the_pattern_is_gpt2s():
    published = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    assert regex.findall(published, DOCS) == bpe.pre_tokenize(DOCS)
