"""Reading: any text is read or refused in one sentence, what is left out is said, every token has a readable name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.lens.reading import clean, piece, read
from course.lens.run import runnable
from tests.little_models import bytes_bpe, model, needed, wordpiece

torch = needed("torch")
needed("transformers")


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    return wordpiece(tmp_path_factory.mktemp("vocabulary"))


@pytest.fixture(scope="module")
def bytes_():
    return bytes_bpe()


@pytest.fixture(scope="module")
def runnables(pieces, bytes_):
    bert = model("BertModel", "BertConfig", vocab_size=30, hidden_size=6, num_attention_heads=3, num_hidden_layers=1,
                 intermediate_size=4, max_position_embeddings=12)  # fmt: skip
    gpt2 = model("GPT2Model", "GPT2Config", vocab_size=300, n_embd=6, n_head=3, n_layer=1, n_positions=12)
    return {"pieces": runnable(bert, pieces), "bytes": runnable(gpt2, bytes_)}


# ── hostile texts ────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = {
    "half a character": "I like \ud83c apples", "two halves": "\ud83c\udf4e",
    "control characters": "I\x00 like\x1b[31m \x7fapples\x9f", "emoji": "I like 👩‍👩‍👧‍👦 🍎",
    "right to left": "אני אוהב תפוחים \u202e and", "combining marks": "e\u0301\u0301\u0301 like",
    "markup": "</script><img src=x onerror=alert(1)> like",
    "special names": "[SEP] like [CLS] <|endoftext|> [MASK] [PAD] [UNK]",
    "line ends": "I\r\nlike\u2028apples\x0b\x0c", "one letter often": "a" * 100_000, "long": "I like apples , " * 7_000,
    "characters that are none": "\ufffe\uffff like", "nothing but joiners": "\u200d\u200b like",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["pieces", "bytes"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_read(runnables, kind, text):
    run = runnables[kind].run(text)
    assert 0 < len(run.tokens) <= 12 and len(run.vectors) == len(run.special) == len(run.tokens)
    assert run.layers[0].weights.shape == (3, len(run.tokens), len(run.tokens))
    "".join(run.tokens).encode("utf-8")  # no halves of characters left


EMPTY = [("pieces", ""), ("pieces", "  \n\t "), ("pieces", "\x00\x01"), ("bytes", "")]


@pytest.mark.parametrize("kind, text", EMPTY, ids=repr)
def test_a_text_without_tokens_is_refused_in_one_sentence(runnables, kind, text):
    with pytest.raises(ValueError, match=r"^This text has 0 tokens\.$"):
        runnables[kind].run(text)


@given(text=st.text(st.characters(codec=None), max_size=30))
def test_any_text_is_read_or_has_no_tokens(runnables, text):
    for one in runnables.values():
        try:
            assert one.run(text).layers[0].has_scores
        except ValueError as refusal:
            assert str(refusal) == "This text has 0 tokens."


def test_clean():
    assert clean("a\ud83c\udf4eb") == "a🍎b" and clean("a\ud83cb") == "a\ufffdb" and clean("苹果 🍎") == "苹果 🍎"


# ── what was left out ────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_that_fits_needs_no_note(runnables):
    assert [one.run("I like apples").note for one in runnables.values()] == ["", ""]
    text = "i like to eat apple and banana my cat ."  # with [CLS] and [SEP] exactly 12
    assert len(runnables["pieces"].run(text).tokens) == 12 and runnables["pieces"].run(text).note == ""


def test_what_is_too_long_is_cut_and_the_separator_stays(runnables):
    run = runnables["pieces"].run("i like to eat apple and banana my cat sit .")
    assert run.note == "13 tokens: this model reads 12, shown are the first 12."
    assert run.tokens == ("[CLS]", *"i like to eat apple and banana my cat sit".split(), "[SEP]")
    run = runnables["bytes"].run("wxyz" * 4)
    assert run.note == "16 tokens: this model reads 12, shown are the first 12." and run.tokens == tuple("wxyz" * 3)


def test_a_model_without_limit_of_its_own_is_given_one(pieces):
    reading = read(pieces, "like " * 50, limit=None, most=20)
    assert len(reading.ids) == 20 and reading.notes == ["52 tokens: read and shown are the first 20."]
    assert len(read(pieces, "like " * 50, limit=9, most=20).ids) == 9
    assert len(read(pieces, "like " * 50, limit=99, most=20).ids) == 20


def test_a_model_with_room_for_its_own_tokens_alone_is_refused(pieces):
    with pytest.raises(ValueError, match="reads 2 tokens, and 2 are its own"):
        read(pieces, "like", limit=2, most=9)


@pytest.mark.parametrize("own, limit", [({}, 12), ({"model_max_length": 9}, 9), ({"model_max_length": 99}, 12)])
def test_the_smaller_limit_of_tokenizer_and_model_holds(runnables, tmp_path, own, limit):
    one = runnable(runnables["pieces"].model, wordpiece(tmp_path, **own))
    assert one.limit == limit and len(one.run("like " * 50).tokens) == limit


def test_robertas_positions_begin_behind_the_paddings():
    made = model("RobertaModel", "RobertaConfig", vocab_size=300, hidden_size=6, num_attention_heads=3,
                 num_hidden_layers=1, intermediate_size=4, max_position_embeddings=14)  # fmt: skip
    one = runnable(made, bytes_bpe("RobertaTokenizerFast"))
    assert one.limit == 12 and len(one.run("like " * 50).tokens) == 12


def test_unknown_words_are_counted(runnables):
    run = runnables["pieces"].run("I like zebras 🍎 and apples")
    assert run.tokens == ("[CLS]", "i", "like", "[UNK]", "[UNK]", "and", "apple", "##s", "[SEP]")
    assert run.note == "2 of 7 tokens are unknown to this model ([UNK])."
    assert run.special == (True, *[False] * 7, True)
    assert runnables["bytes"].run("zebras <|endoftext|>").note == ""  # to bytes nothing is unknown


def test_both_notes(runnables):
    note = runnables["pieces"].run("zebra " * 20).note
    cut = "22 tokens: this model reads 12, shown are the first 12."
    assert note == cut + " 10 of 10 tokens are unknown to this model ([UNK])."


# ── names of tokens ──────────────────────────────────────────────────────────────────────────────────────────


def test_pieces_of_words(pieces):
    tokens = read(pieces, "My apples, 苹果 .", None, 99).tokens
    assert tokens == ("[CLS]", "my", "apple", "##s", ",", "苹", "果", ".", "[SEP]")


def test_bytes_are_shown_as_what_they_say(bytes_):
    reading = read(bytes_, "I like apples\n苹", None, 99)
    assert reading.tokens == ("I", " like", " apples", "\n", "<0xE8>", "<0x8B>", "<0xB9>") and not any(reading.special)
    assert read(bytes_, "é", None, 99).tokens == ("<0xC3>", "<0xA9>")


def test_every_id_has_a_name(pieces, bytes_):
    for tokenizer in (pieces, bytes_):
        names = [piece(tokenizer, token) for token in range(len(tokenizer))]
        assert len(set(names)) == len(names) and all(names)
    ids = bytes_.convert_tokens_to_ids(["Ā", "Ń", "ÿ"])
    assert [piece(bytes_, token) for token in ids] == ["\x00", "<0xAD>", "<0xFF>"]
    assert piece(pieces, 999) == "<999>"


def test_special_tokens_are_those_that_stand_for_no_text(pieces, bytes_):
    reading = read(pieces, "like [SEP] [MASK] [PAD] [UNK]", None, 99)
    special = {token for token, is_special in zip(reading.tokens, reading.special) if is_special}
    assert special == {"[CLS]", "[SEP]", "[PAD]"} and {"[MASK]", "[UNK]"} < set(reading.tokens)
    reading = read(bytes_, "I<|endoftext|>I", None, 99)
    assert reading.tokens == ("I", "<|endoftext|>", "I") and reading.special == (False, True, False)


def test_sentencepieces_spaces():
    transformers, tokenizers = needed("transformers"), needed("tokenizers")
    words = [("<unk>", 0.0), ("▁like", -1.0), ("s", -2.0), ("▁", -3.0)]
    unigram = tokenizers.Tokenizer(tokenizers.models.Unigram(words, unk_id=0))
    unigram.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    unigram.decoder = tokenizers.decoders.Metaspace()
    wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=unigram, unk_token="<unk>")
    reading = read(wrapped, "likes zlikes", None, 99)
    assert reading.tokens == (" like", "s", " ", "<unk>", "s") and not any(reading.special)
    assert reading.notes == ["1 of 5 tokens are unknown to this model (<unk>)."]
