"""The market, read by somebody else (`tests.market_reader`): every sentence translated, every question answered."""

import doctest
import hashlib
import re
from collections import Counter

import pytest

from course.text import bpe, market, market_grammar, market_words
from course.text.market import DOCUMENT, FOUR_EN, FOUR_ZH, sentences, stories, text
from tests.market_reader import DAYS, ENGLISH, FOODS, HEADLINES, IN_STORIES, QUESTIONS, SENTENCES
from tests.market_reader import answer_in_english, answers, parse, read_zh, told, translate

DRAWN = sentences(20_000, seed=1)
TOLD = stories(2_000, seed=1)

# ── the words ───────────────────────────────────────────────────────────────────────────────────────────────


def test_doctests():
    for module in (market, market_grammar, market_words):
        assert doctest.testmod(module).failed == 0
    assert doctest.testmod(market).attempted >= 2 and doctest.testmod(market_words).attempted >= 2


def test_the_document_is_cut_into_its_words_and_characters():
    assert DOCUMENT.text == "我喜欢吃苹果和香蕉" == "".join(DOCUMENT.words) == "".join(DOCUMENT.characters)
    assert DOCUMENT.english == "I like eating apples and bananas"
    assert len(DOCUMENT.words) == len(DOCUMENT.pinyin) == len(DOCUMENT.glosses) == 6
    assert len(DOCUMENT.characters) == len(DOCUMENT.character_glosses) == 9
    assert " ".join(DOCUMENT.pinyin) == "wǒ xǐhuan chī píngguǒ hé xiāngjiāo"
    assert " ".join(DOCUMENT.glosses) == "I like eat apple and banana"
    assert " ".join(DOCUMENT.character_glosses) == "I joy glad eat apple fruit and fragrant banana plant"
    assert translate(DOCUMENT.text + "。", SENTENCES) == DOCUMENT.english + "."


@pytest.mark.parametrize("n, zh, en", [
    (1, "一", "one"), (2, "两", "two"), (9, "九", "nine"), (10, "十", "ten"), (12, "十二", "twelve"), (19, "十九", "nineteen"),
    (20, "二十", "twenty"), (22, "二十二", "twenty-two"), (45, "四十五", "forty-five"), (90, "九十", "ninety"), (100, "一百", "one hundred"),
    (102, "一百零二", "one hundred and two"), (110, "一百一十", "one hundred and ten"), (112, "一百一十二", "one hundred and twelve"),
    (220, "两百二十", "two hundred and twenty"), (999, "九百九十九", "nine hundred and ninety-nine"),
], ids=str)  # fmt: skip
def test_numbers(n, zh, en):
    assert (market_words.number_zh(n), market_words.number_en(n)) == (zh, en)


def test_every_number_can_be_read_again():
    assert [read_zh(market_words.number_zh(n)) for n in range(1, 1000)] == list(range(1, 1000))
    assert sorted(ENGLISH) == list(range(1, 1000))


@pytest.mark.parametrize("n", [0, -1, 1000])
def test_numbers_beyond_the_market(n):
    for number in (market_words.number_zh, market_words.number_en):
        with pytest.raises(ValueError, match=f"1 to 999, and this is {n}"):
            number(n)


def test_the_foods_are_those_the_translator_knows():
    assert {food.zh: ([food.one, food.many][food.mass:], food.verb, "".join(m.zh for m in food.measures))
            for food in market_words.FOODS} == FOODS  # fmt: skip
    assert all(0 < m.low < m.high and m.most >= 3 for food in market_words.FOODS for m in food.measures)
    assert len({person.zh for person in market_words.NAMES}) == len({p.en for p in market_words.NAMES}) == 32
    assert dict(market_words.DAYS) == DAYS


def merges_of_four(four):
    pieces = [bpe.to_ids(piece) for piece in bpe.pre_tokenize("\n".join(four))]
    counts = bpe.pair_counts(pieces)
    most = max(counts.values())
    return most, [bytes(bpe.BYTES[i] for i in pair) for pair in counts if counts[pair] == most]


def test_the_first_merge_of_the_four_sentences_is_no_tie():
    assert merges_of_four(FOUR_ZH) == (5, ["喜".encode()[:2]]) and "喝".encode()[:2] == "喜".encode()[:2]
    assert merges_of_four(FOUR_EN) == (10, [b"an"])
    assert merges_of_four([DOCUMENT.text])[0] == 1  # the document's sentence alone is one tie
    learned = [bpe.decode([256 + i], bpe.train("\n".join(FOUR_ZH), 266)) for i in range(10)]
    assert [word for word in learned if "\ufffd" not in word] == ["香", "蕉", "香蕉", "欢", "喜欢"]
    assert FOUR_ZH[0] == DOCUMENT.text and FOUR_EN[0] == DOCUMENT.english
    assert len(FOUR_ZH) == len(FOUR_EN) == len(set(FOUR_ZH)) == 4
    # 香蕉牛奶, banana milk, is sold by the four sentences only
    for zh, en in zip(FOUR_ZH, FOUR_EN):
        assert translate(zh.replace("香蕉牛奶", "牛奶") + "。", SENTENCES) == en.replace("banana milk", "milk") + "."


# ── sentences ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_sentence_is_its_translation():
    for sentence in DRAWN:
        assert translate(sentence.zh, SENTENCES) == sentence.en


def test_every_pattern_is_drawn_and_sentences_differ():
    counts = Counter(parse(sentence.zh, SENTENCES)[0] for sentence in DRAWN)
    assert set(counts) == set(SENTENCES)
    assert len({sentence.zh for sentence in DRAWN}) > 17_000
    assert max(Counter(sentence.zh for sentence in DRAWN).values()) < 20


def test_nobody_meets_himself_and_no_food_itself():
    for sentence in DRAWN + [said for story in TOLD for said in story.sentences]:
        slots = parse(sentence.zh, SENTENCES | IN_STORIES)[1]
        assert slots.get("p", "p") != slots.get("q") and slots.get("f", "f") != slots.get("g"), sentence


def test_two_before_a_measure_word_is_liang():
    wrong = re.compile(r"(?<![十零])二(?![十])|两十|十两|两(?![斤个根串盒袋棵块瓶杯条百元])")
    assert not [sentence.zh for sentence in DRAWN if wrong.search(sentence.zh)]
    assert any("两斤" in sentence.zh for sentence in DRAWN) and any("十二" in sentence.zh for sentence in DRAWN)


def test_what_was_spent_is_a_price_of_what_was_bought():
    for sentence in DRAWN:
        template, slots = parse(sentence.zh, SENTENCES)
        if "{y}" in template:
            measures = {m.zh: m for food in market_words.FOODS if food.zh == slots["f"] for m in food.measures}
            n, measure = (read_zh(slots["n"][:-1]), slots["n"][-1]) if "n" in slots else (1, slots["c"])
            yuan = read_zh(slots["y"])
            assert yuan % n == 0 and measures[measure].low <= yuan // n <= measures[measure].high, sentence
            assert n <= measures[measure].most


def test_what_always_costs_less_is_never_dearer():
    carrots, strawberries, apples, pears = (
        next(food for food in market_words.FOODS if food.many == name) for name in ("carrots", "strawberries", "apples", "pears")
    )
    chance = market_grammar.Chance(0)
    assert {market_grammar.by_price(chance, strawberries, carrots) for _ in range(50)} == {(carrots, strawberries)}
    assert {market_grammar.by_price(chance, carrots, strawberries) for _ in range(50)} == {(carrots, strawberries)}
    assert {market_grammar.by_price(chance, apples, pears)[0].many for _ in range(50)} == {"apples", "pears"}


# ── stories ─────────────────────────────────────────────────────────────────────────────────────────────────

def test_every_question_has_the_one_right_answer():
    for story in TOLD:
        facts = [parse(said.zh, SENTENCES | IN_STORIES) for said in story.sentences]
        assert len(story.questions) == len(story.sentences)
        for question in story.questions:
            assert answers(question.zh, facts) == {question.answer_zh}, (story.text_zh, question)
            assert question.answer_zh in story.text_zh
            assert answer_in_english(question.answer_zh, question.zh, facts) == question.answer_en
            assert re.search(rf"(?<!\w){re.escape(question.answer_en)}(?!\w)", story.text_en), (story.text_en, question)


def test_every_question_asks_about_its_own_sentence():
    for story in TOLD:
        for said, question in zip(story.sentences, story.questions):
            assert answers(question.zh, [parse(said.zh, SENTENCES | IN_STORIES)]) == {question.answer_zh}


def test_stories_are_their_translations():
    for story in TOLD:
        for said in story.sentences:
            assert translate(said.zh, SENTENCES | IN_STORIES) == said.en
        for question in story.questions:
            assert translate(question.zh, QUESTIONS) == question.en
        assert translate(story.headline.zh, HEADLINES) == story.headline.en
        assert story.text_zh == "".join(said.zh for said in story.sentences)
        assert story.text_en == " ".join(said.en for said in story.sentences)


def test_every_question_is_asked_in_some_story():
    asked = Counter(parse(question.zh, QUESTIONS)[0] for story in TOLD for question in story.questions)
    assert set(asked) == set(QUESTIONS) and min(asked.values()) > 50
    assert {len(story.sentences) for story in TOLD} == {5, 6, 7}
    assert len({story.text_zh for story in TOLD}) == len(TOLD)


def test_a_dozen_is_asked_for_with_another_word():
    asked = [slots for story in TOLD for question in story.questions for form, slots in [parse(question.zh, QUESTIONS)]
             if "h" in slots]  # fmt: skip
    assert {(x["f"], x["c"]) for x in asked if x["h"] == "多少"} == {("鸡蛋", "个")}
    assert all(x["h"] == "多少" for x in asked if (x["f"], x["c"]) == ("鸡蛋", "个"))


def test_the_place_of_the_right_answer_tells_nothing():
    first = [question.zh.index(question.answer_zh) < max(question.zh.find("还是"), question.zh.find("和"))
             for story in TOLD for question in story.questions if "还是" in question.zh or "哪个" in question.zh]  # fmt: skip
    assert len(first) > 1000 and 0.45 < sum(first) / len(first) < 0.55


def test_the_headline_tells_the_newest():
    for story in TOLD:
        facts = [parse(said.zh, SENTENCES | IN_STORIES) for said in story.sentences]
        sold, gave, bought = (told(facts, form) for form in ("{f}卖完了。", "{p}给了{q}{n}{f}。", "{p}买了{n}{f}。"))
        if sold:
            assert story.headline.zh == sold[0]["f"] + "卖完了"
        elif gave:
            assert story.headline.zh == "{p}给{q}{n}{f}".format(**gave[0])
        else:
            assert story.headline.zh == "{p}买{n}{f}".format(**bought[0])


def test_stories_hold_together():
    for story in TOLD:
        facts = [parse(said.zh, SENTENCES | IN_STORIES) for said in story.sentences]
        (went,) = told(facts, "{p}和{q}{d}去了市场。")
        assert facts[0][1] == went
        bought = told(facts, "{p}买了{n}{f}。")
        assert [x["p"] for x in bought] in ([went["p"]], [went["p"], went["q"]])
        assert len({x["f"] for x in bought}) == len(bought)
        for x in told(facts, "{p}给了{q}{n}{f}。"):  # less is given than was bought, of the same
            assert (x["p"], x["f"], x["n"][-1]) == (bought[0]["p"], bought[0]["f"], bought[0]["n"][-1])
            assert read_zh(x["n"][:-1]) < read_zh(bought[0]["n"][:-1]) and x["q"] not in (went["p"], went["q"])
        gone = {x["f"] for form in ("{f}卖完了。", "{f}太贵了，所以{p}没有买。") for x in told(facts, form)}
        assert not gone & {x["f"] for x in bought} and not gone & {x["f"] for x in told(facts, "{f}{y}{u}一{c}。")}
        assert all(x["p"] == went["q"] for x in told(facts, "{f}太贵了，所以{p}没有买。"))


# ── text, and seeds ─────────────────────────────────────────────────────────────────────────────────────────


def is_chinese(paragraph):
    return ord(paragraph[0]) > 0x2E80


@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.5, 0.9, 1])
def test_the_share_of_chinese_is_kept_from_the_first_line_to_the_last(share):
    written = text(60_000, share, seed=2)
    paragraphs = written.removesuffix("\n").split("\n\n")
    longest = max(len(paragraph.encode()) + 2 for paragraph in paragraphs)
    assert 60_000 <= len(written.encode()) < 60_000 + longest and written.endswith("\n")
    total = chinese = 0
    for paragraph in paragraphs:
        marks = re.compile(r"[A-Za-z .]+") if is_chinese(paragraph) else re.compile(r"[^ -~]")
        assert not marks.search(paragraph) and "\n" not in paragraph
        total += len(paragraph.encode()) + 2
        chinese += (len(paragraph.encode()) + 2) * is_chinese(paragraph)
        assert abs(chinese - share * total) <= longest
    assert abs(chinese / total - share) < 0.01


def test_paragraphs_are_stories_and_single_sentences():
    kinds = Counter()
    for paragraph in text(60_000, 1).strip().split("\n\n"):
        said = re.findall("[^。？]+[。？]", paragraph)
        assert 4 <= len(said) <= 8 and "".join(said) == paragraph
        for zh in said:
            parse(zh, SENTENCES | IN_STORIES)
        kinds["去了市场" in paragraph] += 1
    assert 0.4 < kinds[True] / kinds.total() < 0.6


def test_a_text_is_its_seed():
    assert text(3_000, 0.4, seed=5) == text(3_000, 0.4, seed=5) != text(3_000, 0.4, seed=6)
    assert text(9_000, seed=5).startswith(text(3_000, seed=5)[:-1])  # more of it begins the same
    assert sentences(50, seed=4) == sentences(80, seed=4)[:50] != sentences(50, seed=5) and stories(3) == stories(5)[:3]
    assert sentences(5) == sentences(5, seed=0) and sentences(0) == [] == stories(0) and len(stories(7)) == 7


@pytest.mark.parametrize("drawn, digest", [
    (lambda: text(100_000), "3192864db9c8ff16"), (lambda: repr(sentences(2_000, seed=7)), "31c600abb37a46e0"), (lambda: repr(stories(300, seed=7)), "056f32ddb6a76808"),
], ids=["text", "sentences", "stories"])  # fmt: skip
def test_the_same_on_every_machine_and_with_every_python(drawn, digest):
    assert hashlib.sha256(drawn().encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize("call, error, said", [
    (lambda: sentences(-1), ValueError, "n is at least 0, and this is -1"), (lambda: sentences(2.0), TypeError, "n is a whole number"),
    (lambda: stories(True), TypeError, "n is a whole number, and this is True"), (lambda: stories(-3), ValueError, "this is -3"),
    (lambda: sentences(1, seed="a"), TypeError, "a seed is a whole number, and this is 'a'"),
    (lambda: sentences(1, seed=-1), ValueError, "a seed is at least 0, and this is -1"),
    (lambda: text(0), ValueError, "n_bytes is at least 1, and this is 0"), (lambda: text(1e6), TypeError, "n_bytes is a whole number"),
    (lambda: text(10, 1.5), ValueError, "share_zh is a number from 0 to 1, and this is 1.5"), (lambda: text(10, -0.1), ValueError, "-0.1"),
    (lambda: text(10, float("nan")), ValueError, "this is nan"), (lambda: text(10, "half"), TypeError, "this is 'half'"),
    (lambda: text(10, True), TypeError, "share_zh is a number from 0 to 1, and this is True"),
    (lambda: text(10, seed=None), TypeError, "a seed is a whole number, and this is None"),
], ids=range(14))  # fmt: skip
def test_errors_say_what_was_given(call, error, said):
    with pytest.raises(error, match=re.escape(said)):
        call()
