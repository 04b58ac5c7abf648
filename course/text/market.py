"""The market: a small language of people, foods and prices, written for this course in Chinese and in English.

Everything grows out of one sentence, 我喜欢吃苹果和香蕉 (I like eating apples and bananas).  A grammar of two dozen
patterns says who likes what, buys how much and pays what for it; each sentence is made in both languages from the
same people, foods and numbers, so its translation is known, and so are the answers to questions about a story and
its headline.

    sentences   aligned pairs, one by one
    stories     a few sentences that belong together, questions with the one right answer, a headline
    text        as many bytes as wanted, in paragraphs of one language, with a given share of Chinese

The same seed gives the same text on every machine and with every version of Python.

    >>> sentences(1)
    [Sentence(zh='面包七元一个。', en='Bread costs seven yuan a loaf.')]
    >>> stories(1)[0].headline
    Sentence(zh='高梅给小红两袋饼干', en='Gao Mei gives Xiaohong two bags of cookies')
"""

from dataclasses import dataclass

from course.text import market_grammar as grammar
from course.text.market_grammar import DRUNK, EATEN, Amount, Chance, Sentence
from course.text.market_words import DAYS, NAMES, VERBS, Food, Measure, Person, number_en, number_zh

# ── the sentence of the course ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Document:
    """The sentence everything starts from, with its parts: six words, nine characters.

    text, english: the sentence and what it says.  words, pinyin, glosses: six strings each, in order.  characters,
    character_glosses: nine each; what a character means alone is often not what it means in its word.
    """

    text: str
    english: str
    words: tuple[str, ...]
    pinyin: tuple[str, ...]
    glosses: tuple[str, ...]
    characters: tuple[str, ...]
    character_glosses: tuple[str, ...]


DOCUMENT = Document(
    text="我喜欢吃苹果和香蕉",
    english="I like eating apples and bananas",
    words=("我", "喜欢", "吃", "苹果", "和", "香蕉"),
    pinyin=("wǒ", "xǐhuan", "chī", "píngguǒ", "hé", "xiāngjiāo"),
    glosses=("I", "like", "eat", "apple", "and", "banana"),
    characters=("我", "喜", "欢", "吃", "苹", "果", "和", "香", "蕉"),
    character_glosses=("I", "joy", "glad", "eat", "apple", "fruit", "and", "fragrant", "banana plant"),
)

# Four sentences to train byte-pair encoding on by hand, the same four in both languages.  They overlap, so that one pair
# of bytes is met most often and the first merge is no tie: in Chinese the beginning 喜 and 喝 share, E5 96.
FOUR_ZH = (DOCUMENT.text, "我喜欢喝香蕉牛奶", "小红想吃香蕉", "小明喜欢喝香蕉牛奶")
FOUR_EN = (
    DOCUMENT.english,
    "I like drinking banana milk",
    "Xiaohong wants to eat bananas",
    "Xiaoming likes drinking banana milk",
)

# ── what the market hands out ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Question:
    """A question about a story and its answer, in both languages.

    The answer stands in the story's text of its language word for word, and no other would be right.
    """

    zh: str
    en: str
    answer_zh: str
    answer_en: str


@dataclass(frozen=True)
class Story:
    """A few sentences that belong together.

    sentences: 5 to 7 `Sentence`s, in order.  questions: one for each sentence, in the same order.
    headline: a `Sentence` without a full stop that tells the newest of it: what has sold out, or else who gave
    something, or else who bought something.
    """

    sentences: tuple[Sentence, ...]
    questions: tuple[Question, ...]
    headline: Sentence

    @property
    def text_zh(self) -> str:
        """The story in Chinese: its sentences with nothing between them."""
        return "".join(sentence.zh for sentence in self.sentences)

    @property
    def text_en(self) -> str:
        """The story in English: its sentences with a space between them."""
        return " ".join(sentence.en for sentence in self.sentences)


# ── stories ─────────────────────────────────────────────────────────────────────────────────────────────────

# A fact of a story: its sentence and the one question asked about it.
Fact = tuple[Sentence, Question]


def _went(chance: Chance, people: list[Person], day: tuple[str, str]) -> Fact:
    zh, en = "和".join(person.zh for person in people), " and ".join(person.en for person in people)
    said = Sentence(f"{zh}{day[0]}去了市场。", f"{en} went to the market {day[1]}.")
    if chance.below(2):
        return said, Question("谁去了市场？", "Who went to the market?", zh, en)
    return said, Question(f"{zh}什么时候去的市场？", f"When did {en} go to the market?", *day)


def _likes(chance: Chance, person: Person, foods: list[Food]) -> Fact:
    verb, food = foods[0].verb, chance.one(foods)
    to_eat, _, eating = VERBS[verb]
    if chance.below(2):
        question = Question(f"谁喜欢{verb}{food.zh}？", f"Who likes {eating} {food.many}?", person.zh, person.en)
    else:
        zh, en = "和".join(food.zh for food in foods), " and ".join(food.many for food in foods)
        question = Question(f"{person.zh}喜欢{verb}什么？", f"What does {person.en} like to {to_eat}?", zh, en)
    return grammar.likes(person, foods), question


def _prefers(chance: Chance, person: Person, food: Food, other: Food) -> Fact:
    first, second = chance.some((food, other), 2)
    return grammar.prefers(person, food, other), Question(
        f"{person.zh}更喜欢{first.zh}还是{second.zh}？",
        f"Which does {person.en} like more, {first.many} or {second.many}?",
        food.zh,
        food.many,
    )


def _compares(chance: Chance, food: Food, other: Food) -> Fact:
    cheap, dear = grammar.by_price(chance, food, other)
    first, second = chance.some((food, other), 2)
    zh, en = f"{first.zh}和{second.zh}，哪个便宜？", f"Which is cheaper, {first.many} or {second.many}?"
    if chance.below(2):
        said = grammar.compares(cheap, dear, grammar.CHEAPER)
        return said, Question(zh, en, cheap.zh, grammar.capital(cheap.many))  # it stands there with a capital
    return grammar.compares(dear, cheap, grammar.DEARER), Question(zh, en, cheap.zh, cheap.many)


def _costs(chance: Chance, food: Food, measure: Measure) -> Fact:
    yuan = grammar.price(chance, measure)
    return grammar.costs(food, measure, yuan), Question(
        f"{food.zh}多少钱一{measure.zh}？",
        f"How much does {Amount(1, measure, food).en} cost?",
        f"{number_zh(yuan)}块钱",
        f"{number_en(yuan)} yuan",
    )


def _buys(chance: Chance, person: Person, bought: Amount) -> Fact:
    food, measure = bought.food, bought.measure
    questions = [
        Question(f"谁买了{food.zh}？", f"Who bought {food.many}?", person.zh, person.en),
        Question(f"{person.zh}买了什么？", f"What did {person.en} buy?", bought.zh, bought.en),
    ]
    if bought.n > 1:
        how_many = ("几" if measure.most < 10 else "多少") + measure.zh
        counted = f"{measure.many} of {food.many}" if measure.one else food.many
        questions.append(
            Question(
                f"{person.zh}买了{how_many}{food.zh}？",
                f"How many {counted} did {person.en} buy?",
                bought.zh_short,
                bought.en_short,
            )
        )
    return grammar.buys(person, bought), chance.one(questions)


def _gives(chance: Chance, person: Person, other: Person, given: Amount) -> Fact:
    questions = (
        Question(f"谁给了{other.zh}{given.zh}？", f"Who gave {other.en} {given.en}?", person.zh, person.en),
        Question(f"{person.zh}给了谁{given.zh}？", f"Who did {person.en} give {given.en} to?", other.zh, other.en),
        Question(f"{person.zh}给了{other.zh}什么？", f"What did {person.en} give {other.en}?", given.zh, given.en),
    )
    return grammar.gives(person, other, given), chance.one(questions)


def _sold_out(food: Food) -> Fact:
    has = food.agree("has", "have")
    return grammar.sold_out(food), Question("什么卖完了？", "What has sold out?", food.zh, f"The {food.many}")


def _too_expensive(person: Person, food: Food) -> Fact:
    return grammar.too_expensive(person, food), Question(
        f"{person.zh}为什么没有买{food.zh}？",
        f"Why did {person.en} not buy any {food.many}?",
        f"{food.zh}太贵了",
        f"The {food.many} {food.agree('was', 'were')} too expensive",
    )


def _before(chance: Chance, people: list[Person], bought: Amount, foods: list[Food]) -> list[Fact]:
    """What is known before anything is bought: two or three facts about tastes and prices.

    Each fact speaks of foods of its own, so that no question gets a second answer; only the buyer may like what is
    bought later, whose price is told too.
    """
    buyer, _, other, chooser, _ = people
    liked = [bought.food] if chance.below(2) else foods[0:2]
    facts = [
        _likes(chance, buyer, liked),
        _likes(chance, other, foods[2 : 3 + chance.below(2)]),
        _costs(chance, bought.food, bought.measure),
        _prefers(chance, chooser, *foods[4:6]),
        _compares(chance, *foods[6:8]),
    ]
    return chance.some(facts, 2 + chance.below(2))


def _story(chance: Chance) -> Story:
    """Two people go to the market, and what happens there is told fact by fact."""
    people, foods = chance.some(NAMES, 5), chance.some(EATEN, 10)
    if chance.below(2):
        at = 2 * chance.below(5)
        foods[at : at + 2] = chance.some(DRUNK, 2)
    buyer, companion, _, _, friend = people
    bought, missed = grammar.amount(chance, foods[8]), foods[9]
    facts = [_went(chance, [buyer, companion], chance.one(DAYS)), *_before(chance, people, bought, foods)]
    facts.append(_buys(chance, buyer, bought))
    headline = Sentence(f"{buyer.zh}买{bought.zh}", f"{buyer.en} buys {bought.en}")
    if bought.n > 1 and chance.below(2):
        given = Amount(1 + chance.below(bought.n - 1), bought.measure, bought.food)
        facts.append(_gives(chance, buyer, friend, given))
        headline = Sentence(f"{buyer.zh}给{friend.zh}{given.zh}", f"{buyer.en} gives {friend.en} {given.en}")
    end = chance.below(3)
    if end == 0:
        facts.append(_sold_out(missed))
        headline = Sentence(f"{missed.zh}卖完了", f"{grammar.capital(missed.many)} sold out")
    elif end == 1:
        facts.append(_too_expensive(companion, missed))
    else:
        facts.append(_buys(chance, companion, grammar.amount(chance, missed)))
    return Story(tuple(said for said, _ in facts), tuple(question for _, question in facts), headline)


# ── as much as wanted ───────────────────────────────────────────────────────────────────────────────────────


def _whole(value, name: str, least: int) -> int:
    """The value, if it is a whole number of at least `least`; otherwise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is a whole number, and this is {value!r}")
    if value < least:
        raise ValueError(f"{name} is at least {least}, and this is {value}")
    return value


def sentences(n: int, seed: int = 0) -> list[Sentence]:
    """n sentences of the market, each drawn anew: a long list holds some of them more than once.

    The first k of n sentences are those that `sentences(k, seed)` gives.  Raises TypeError or ValueError for an n
    that is no whole number of at least 0, likewise for the seed.
    """
    chance = Chance(seed)
    return [grammar.sentence(chance) for _ in range(_whole(n, "n", 0))]


def stories(n: int, seed: int = 0) -> list[Story]:
    """n stories, each drawn anew, with their questions and headlines.  Errors as `sentences`."""
    chance = Chance(seed)
    return [_story(chance) for _ in range(_whole(n, "n", 0))]


def text(n_bytes: int, share_zh: float = 0.5, seed: int = 0) -> str:
    """At least `n_bytes` bytes of the market in UTF-8, in paragraphs of one language each.

    A paragraph is a story, or four to eight sentences that have nothing to do with each other; paragraphs are divided
    by an empty line, and the text ends with a line break.  It stops with the paragraph that reaches `n_bytes`.

    share_zh: the share of the *bytes* that is Chinese, 0 … 1.  A Chinese sentence of the market has about four fifths of
    the bytes and a quarter of the characters of its translation, so the share of the characters is smaller.  The next
    paragraph is in the language that is behind its share, so the text keeps the share, within a paragraph, from its
    first line to its last.  A paragraph is drawn for one language; its translation is nowhere in the text, unless
    chance draws it again.

    Raises TypeError or ValueError for an n_bytes that is no whole number of at least 1 or a share outside 0 … 1.
    """
    _whole(n_bytes, "n_bytes", 1)
    if isinstance(share_zh, bool) or not isinstance(share_zh, int | float):
        raise TypeError(f"share_zh is a number from 0 to 1, and this is {share_zh!r}")
    if not 0 <= share_zh <= 1:
        raise ValueError(f"share_zh is a number from 0 to 1, and this is {share_zh}")
    chance = Chance(seed)
    paragraphs, total, chinese = [], 0, 0
    while total < n_bytes:
        zh = share_zh > 0 and chinese <= share_zh * total
        if chance.below(2):
            story = _story(chance)
            paragraph = story.text_zh if zh else story.text_en
        else:
            several = [grammar.sentence(chance) for _ in range(4 + chance.below(5))]
            paragraph = "".join(one.zh for one in several) if zh else " ".join(one.en for one in several)
        size = len(paragraph.encode("utf-8")) + (2 if paragraphs else 1)  # with the empty line, or the last line break
        paragraphs.append(paragraph)
        total += size
        chinese += size if zh else 0
    return "\n\n".join(paragraphs) + "\n"
