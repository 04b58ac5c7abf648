"""The grammar of the market: how people, foods, amounts and prices become one sentence in two languages.

First the sentences whose content is given, which stories are made of; then the patterns that draw their own content,
`PATTERNS`, which `course.text.market.sentences` hands out.
"""

import random
from dataclasses import dataclass

from course.text.market_words import DAYS, FOODS, ME, NAMES, VERBS, Food, Measure, Person, number_en, number_zh, with_article


@dataclass(frozen=True)
class Sentence:
    """One sentence twice: `zh` in Chinese and `en`, the same people, foods and numbers, in English."""

    zh: str
    en: str


# ── chance ──────────────────────────────────────────────────────────────────────────────────────────────────


class Chance:
    """Draws that a seed fixes for good.

    Python promises the numbers of `random.Random.random` for every version, and nothing about choice, sample and
    shuffle, so those are made here from it.
    """

    def __init__(self, seed: int):
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise TypeError(f"a seed is a whole number, and this is {seed!r}")
        if seed < 0:
            raise ValueError(f"a seed is at least 0, and this is {seed}")  # Python would take -1 for 1
        self._random = random.Random(seed).random

    def below(self, n: int) -> int:
        """A whole number 0 … n − 1, each as likely as the others."""
        return int(self._random() * n)

    def one(self, things):
        """One of a sequence."""
        return things[int(self._random() * len(things))]

    def some(self, things, n: int) -> list:
        """n different ones of a sequence, in random order."""
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(n)]


EATEN = tuple(food for food in FOODS if food.verb == "吃")
DRUNK = tuple(food for food in FOODS if food.verb == "喝")
EVERYBODY = (ME, ME, ME, ME) + NAMES  # 我 is met more often than any name


# ── amounts and prices ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Amount:
    """So much of a food: `n` times `measure`."""

    n: int
    measure: Measure
    food: Food

    @property
    def zh_short(self) -> str:
        """Number and measure word: 两斤."""
        return number_zh(self.n) + self.measure.zh

    @property
    def zh(self) -> str:
        """The whole: 两斤苹果."""
        return self.zh_short + self.food.zh

    @property
    def en_short(self) -> str:
        """Number and unit, where the food was named before: two jin, a bottle, and one or two of the apples."""
        if not self.measure.one:
            return number_en(self.n)
        return with_article(self.measure.one) if self.n == 1 else f"{number_en(self.n)} {self.measure.many}"

    @property
    def en(self) -> str:
        """The whole: two jin of apples, a bottle of milk, an apple, two apples."""
        if self.measure.one:
            return f"{self.en_short} of {self.food.many}"
        return with_article(self.food.one) if self.n == 1 else f"{number_en(self.n)} {self.food.many}"


def amount(chance: Chance, food: Food, least: int = 1) -> Amount:
    """A likely amount of a food: one of its measures, and `least` to the most one person takes."""
    measure = chance.one(food.measures)
    return Amount(least + chance.below(measure.most - least + 1), measure, food)


def price(chance: Chance, measure: Measure) -> int:
    """A likely price of one measure, in whole yuan."""
    return measure.low + chance.below(measure.high - measure.low + 1)


def by_price(chance: Chance, food: Food, other: Food) -> tuple[Food, Food]:
    """The two foods, the cheaper one first: by chance, unless the prices of their first measure leave one order only.

    Prices overlap for apples and pears, so either may be cheaper; carrots are always cheaper than strawberries.
    """
    first, second = food.measures[0], other.measures[0]
    if first.zh == second.zh and (first.high <= second.low or second.high <= first.low):
        return (food, other) if first.high <= second.low else (other, food)
    return (food, other) if chance.below(2) else (other, food)


def capital(text: str) -> str:
    """The text with a capital at its start."""
    return text[0].upper() + text[1:]


# ── sentences whose content is given: the ones that stories are made of ─────────────────────────────────────


def likes(person: Person, foods: list[Food]) -> Sentence:
    """小明喜欢吃苹果和香蕉。 One or two foods, both eaten or both drunk."""
    verb = VERBS[foods[0].verb][2]
    zh, en = "和".join(food.zh for food in foods), " and ".join(food.many for food in foods)
    return Sentence(f"{person.zh}喜欢{foods[0].verb}{zh}。", f"{person.en} {person.verb('likes', 'like')} {verb} {en}.")


def prefers(person: Person, food: Food, other: Food) -> Sentence:
    """比起香蕉，小明更喜欢苹果。"""
    like = person.verb("likes", "like")
    return Sentence(f"比起{other.zh}，{person.zh}更喜欢{food.zh}。", f"{person.en} {like} {food.many} more than {other.many}.")


def buys(person: Person, bought: Amount, when: tuple[str, str] = ("", "")) -> Sentence:
    """小明昨天买了两斤苹果。 when: a day in both languages, or two empty strings."""
    en = f"{person.en} bought {bought.en}"
    return Sentence(f"{person.zh}{when[0]}买了{bought.zh}。", f"{en} {when[1]}." if when[1] else f"{en}.")


def gives(person: Person, other: Person, given: Amount) -> Sentence:
    """小明给了小红两个苹果。"""
    return Sentence(f"{person.zh}给了{other.zh}{given.zh}。", f"{person.en} gave {other.en} {given.en}.")


def costs(food: Food, measure: Measure, yuan: int, unit: str = "块钱") -> Sentence:
    """苹果五块钱一斤。 unit: 块钱, as one speaks, or 元, as one writes."""
    each = with_article(measure.one) if measure.one else "each"
    cost = food.agree("costs", "cost")
    return Sentence(
        f"{food.zh}{number_zh(yuan)}{unit}一{measure.zh}。", f"{capital(food.many)} {cost} {number_en(yuan)} yuan {each}."
    )


CHEAPER, DEARER = ("便宜", "cheaper"), ("贵", "more expensive")


def compares(food: Food, other: Food, how: tuple[str, str]) -> Sentence:
    """苹果比香蕉便宜。 how: `CHEAPER` or `DEARER`."""
    en = f"{capital(food.many)} {food.agree('is', 'are')} {how[1]} than {other.many}."
    return Sentence(f"{food.zh}比{other.zh}{how[0]}。", en)


def sold_out(food: Food) -> Sentence:
    """苹果卖完了。"""
    return Sentence(f"{food.zh}卖完了。", f"The {food.many} {food.agree('has', 'have')} sold out.")


def too_expensive(person: Person, food: Food) -> Sentence:
    """苹果太贵了，所以小明没有买。"""
    was = food.agree("was", "were")
    return Sentence(
        f"{food.zh}太贵了，所以{person.zh}没有买。", f"The {food.many} {was} too expensive, so {person.en} did not buy any."
    )


# ── patterns that draw their own content ────────────────────────────────────────────────────────────────────


def _two(chance: Chance) -> list[Food]:
    """Two different foods, both eaten or, less often, both drunk."""
    return chance.some(DRUNK if chance.below(4) == 0 else EATEN, 2)


def _likes_one(chance):
    return likes(chance.one(EVERYBODY), [chance.one(FOODS)])


def _likes_two(chance):
    return likes(chance.one(EVERYBODY), _two(chance))


def _dislikes(chance):
    person, food = chance.one(EVERYBODY), chance.one(FOODS)
    does = person.verb("does", "do")
    return Sentence(
        f"{person.zh}不喜欢{food.verb}{food.zh}。", f"{person.en} {does} not like {VERBS[food.verb][2]} {food.many}."
    )


def _likes_but(chance):
    person, (food, other) = chance.one(EVERYBODY), _two(chance)
    like, does, verb = person.verb("likes", "like"), person.verb("does", "do"), VERBS[food.verb][2]
    return Sentence(
        f"{person.zh}喜欢{food.verb}{food.zh}，但是不喜欢{other.verb}{other.zh}。",
        f"{person.en} {like} {verb} {food.many} but {does} not like {verb} {other.many}.",
    )


def _prefers(chance):
    return prefers(chance.one(EVERYBODY), *_two(chance))


def _both_like(chance):
    (person, other), food = chance.some(NAMES, 2), chance.one(FOODS)
    return Sentence(
        f"{person.zh}和{other.zh}都喜欢{food.verb}{food.zh}。",
        f"{person.en} and {other.en} both like {VERBS[food.verb][2]} {food.many}.",
    )


def _likes_too(chance):
    person, other, food = chance.one(EVERYBODY), chance.one(NAMES), chance.one(FOODS)
    while other == person:
        other = chance.one(NAMES)
    verb = VERBS[food.verb][2]
    return Sentence(
        f"{person.zh}喜欢{food.verb}{food.zh}，{other.zh}也喜欢。",
        f"{person.en} {person.verb('likes', 'like')} {verb} {food.many}, and {other.en} does too.",
    )


def _other_does_not(chance):
    (person, other), food = chance.some(NAMES, 2), chance.one(FOODS)
    verb = VERBS[food.verb][2]
    return Sentence(
        f"{person.zh}喜欢{food.verb}{food.zh}，可是{other.zh}不喜欢。",
        f"{person.en} likes {verb} {food.many}, but {other.en} does not.",
    )


def _wants(chance):
    person, food = chance.one(EVERYBODY), chance.one(FOODS)
    verb = VERBS[food.verb][0]
    return Sentence(f"{person.zh}想{food.verb}{food.zh}。", f"{person.en} {person.verb('wants', 'want')} to {verb} {food.many}.")


def _buys(chance):
    return buys(chance.one(EVERYBODY), amount(chance, chance.one(FOODS)), chance.one(DAYS))


def _will_buy(chance):
    person, wanted = chance.one(EVERYBODY), amount(chance, chance.one(FOODS))
    return Sentence(
        f"{person.zh}明天想买{wanted.zh}。", f"{person.en} {person.verb('wants', 'want')} to buy {wanted.en} tomorrow."
    )


def _needs_no(chance):
    person, food = chance.one(EVERYBODY), chance.one(FOODS)
    return Sentence(f"{person.zh}今天不买{food.zh}。", f"{person.en} {person.verb('is', 'am')} not buying {food.many} today.")


def _spends(chance):
    person, bought = chance.one(EVERYBODY), amount(chance, chance.one(FOODS))
    yuan = bought.n * price(chance, bought.measure)
    return Sentence(
        f"{person.zh}花了{number_zh(yuan)}块钱买了{bought.zh}。", f"{person.en} spent {number_en(yuan)} yuan on {bought.en}."
    )


def _gives(chance):
    person, other = chance.some(NAMES, 2)
    return gives(person, other, amount(chance, chance.one(FOODS)))


def _gives_me(chance):
    person, given = chance.one(NAMES), amount(chance, chance.one(FOODS))
    return Sentence(f"{person.zh}给了我{given.zh}。", f"{person.en} gave me {given.en}.")


def _costs(chance):
    food = chance.one(FOODS)
    measure = chance.one(food.measures)
    return costs(food, measure, price(chance, measure), chance.one(("块钱", "元")))


def _compares(chance):
    cheap, dear = by_price(chance, *_two(chance))
    return compares(cheap, dear, CHEAPER) if chance.below(2) else compares(dear, cheap, DEARER)


def _sold_out(chance):
    return sold_out(chance.one(FOODS))


def _sells(chance):
    person, (food, other) = chance.one(NAMES), _two(chance)
    return Sentence(f"{person.zh}卖{food.zh}和{other.zh}。", f"{person.en} sells {food.many} and {other.many}.")


def _too_expensive(chance):
    return too_expensive(chance.one(EVERYBODY), chance.one(FOODS))


def _likes_so_buys(chance):
    person, bought = chance.one(EVERYBODY), amount(chance, chance.one(FOODS))
    food = bought.food
    like = person.verb("likes", "like")
    return Sentence(
        f"{person.zh}喜欢{food.verb}{food.zh}，所以买了{bought.zh_short}。",
        f"{person.en} {like} {VERBS[food.verb][2]} {food.many}, so {person.pronoun} bought {bought.en_short}.",
    )


def _if_cheap(chance):
    person, wanted = chance.one(EVERYBODY), amount(chance, chance.one(FOODS))
    food = wanted.food
    return Sentence(
        f"如果{food.zh}便宜，{person.zh}就买{wanted.zh_short}。",
        f"If {food.many} {food.agree('is', 'are')} cheap, {person.en} will buy {wanted.en_short}.",
    )


def _which(chance):
    food, other = _two(chance)
    return Sentence(f"你更喜欢{food.zh}还是{other.zh}？", f"Which do you like more, {food.many} or {other.many}?")


def _in_the_basket(chance):
    there = amount(chance, chance.one(EATEN))
    return Sentence(f"篮子里有{there.zh}。", f"There {'is' if there.n == 1 else 'are'} {there.en} in the basket.")


PATTERNS = (
    _likes_one, _likes_two, _dislikes, _likes_but, _prefers, _both_like, _likes_too, _other_does_not, _wants, _buys,
    _will_buy, _needs_no, _spends, _gives, _gives_me, _costs, _compares, _sold_out, _sells, _too_expensive,
    _likes_so_buys, _if_cheap, _which, _in_the_basket,
)  # fmt: skip


_OF_FEW_SENTENCES = (_sold_out, _in_the_basket, _which, _needs_no, _too_expensive)
_DRAWN = 3 * tuple(pattern for pattern in PATTERNS if pattern not in _OF_FEW_SENTENCES) + _OF_FEW_SENTENCES


def sentence(chance: Chance) -> Sentence:
    """A sentence of the market: one of the patterns, filled by chance.

    Five patterns that hold few sentences, 36 to some 1200, are drawn a third as often as the others.
    """
    return chance.one(_DRAWN)(chance)
