"""The words of the market: people, foods, measure words and numbers, in Chinese and in English.

The tables are typed by hand.  Every Chinese form stands beside its English one, so that a sentence built from a
person, a food and a number is the same sentence twice.  `course.text.market` builds the sentences.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Somebody who can like, buy, sell and give.

    zh, en: the name, in English spelled in pinyin without tones.  pronoun: "he", "she" or "I", which decides the
    English verb form.
    """

    zh: str
    en: str
    pronoun: str

    def verb(self, third: str, other: str) -> str:
        """The form of an English verb after this subject: `third` after a name ("likes"), `other` after I ("like")."""
        return other if self.pronoun == "I" else third


@dataclass(frozen=True)
class Measure:
    """A way to count a food, the prices it is sold at, and how much of it one person takes.

    zh: the measure word between number and food (两斤苹果).  one, many: the English unit ("bottle", "bottles"); both
    empty where English counts the food itself ("two apples").  low, high: what one costs, in yuan.  most: the largest
    number of them that somebody buys.
    """

    zh: str
    one: str
    many: str
    low: int
    high: int
    most: int


@dataclass(frozen=True)
class Food:
    """Something to eat or to drink.

    zh: its name.  one, many: the English singular and plural; the same mass noun twice where English has no plural
    ("milk").  mass: True where it takes a singular verb.  verb: 吃 or 喝.  measures: the ways to count it, none of
    which is right for every food.
    """

    zh: str
    one: str
    many: str
    mass: bool
    verb: str
    measures: tuple[Measure, ...]

    def agree(self, singular: str, plural: str) -> str:
        """The form of an English verb after this food: `singular` after milk, `plural` after apples."""
        return singular if self.mass else plural


VERBS = {"吃": ("eat", "eats", "eating"), "喝": ("drink", "drinks", "drinking")}  # eat, she eats, likes eating

ME = Person("我", "I", "I")

# A given name with 小, a full name, and how one speaks to the elder at a market.
NAMES = tuple(
    Person(zh, en, pronoun)
    for pronoun, people in {
        "he": "小明 Xiaoming, 小刚 Xiaogang, 小军 Xiaojun, 小龙 Xiaolong, 张伟 Zhang Wei, 王强 Wang Qiang, "
        "李军 Li Jun, 赵磊 Zhao Lei, 刘洋 Liu Yang, 陈杰 Chen Jie, 周涛 Zhou Tao, 老马 Lao Ma, "
        "陈叔叔 Uncle Chen, 孙叔叔 Uncle Sun, 刘爷爷 Grandpa Liu, 黄爷爷 Grandpa Huang",
        "she": "小红 Xiaohong, 小丽 Xiaoli, 小美 Xiaomei, 小芳 Xiaofang, 王芳 Wang Fang, 李娜 Li Na, "
        "陈静 Chen Jing, 吴敏 Wu Min, 孙丽 Sun Li, 杨雪 Yang Xue, 林燕 Lin Yan, 高梅 Gao Mei, "
        "张阿姨 Auntie Zhang, 郑阿姨 Auntie Zheng, 李奶奶 Grandma Li, 徐奶奶 Grandma Xu",
    }.items()
    for zh, en in (person.split(" ", 1) for person in people.split(", "))
)  # fmt: skip


def _jin(low: int, high: int) -> Measure:
    """By weight.  A jin is half a kilogram, the unit of China's markets; English has no word of its own for it."""
    return Measure("斤", "jin", "jin", low, high, 5)


def _each(zh: str, low: int, high: int, most: int = 6) -> Measure:
    """By the piece, where English says a number and the food."""
    return Measure(zh, "", "", low, high, most)


def _in(zh: str, one: str, low: int, high: int, most: int = 4) -> Measure:
    """By the bottle, the bag, the bunch …: units with a plural of their own."""
    many = {"loaf": "loaves", "box": "boxes", "bunch": "bunches", "glass": "glasses"}.get(one, one + "s")
    return Measure(zh, one, many, low, high, most)


def _many(zh: str, one: str, *measures: Measure, many: str = "") -> Food:
    return Food(zh, one, many or one + "s", False, "吃", measures)


def _mass(zh: str, name: str, *measures: Measure, verb: str = "吃") -> Food:
    return Food(zh, name, name, True, verb, measures)


FOODS = (
    _many("苹果", "apple", _jin(4, 9), _each("个", 1, 3)),
    _many("香蕉", "banana", _jin(3, 7), _each("根", 1, 2)),
    _many("梨", "pear", _jin(3, 8), _each("个", 1, 3)),
    _many("桃子", "peach", _jin(5, 12), _each("个", 2, 4), many="peaches"),
    _many("橙子", "orange", _jin(4, 9), _each("个", 1, 3)),
    _many("葡萄", "grape", _jin(6, 15), _in("串", "bunch", 6, 15)),
    _many("草莓", "strawberry", _jin(12, 30), _in("盒", "box", 10, 25), many="strawberries"),
    _many("西瓜", "watermelon", _jin(2, 4), _each("个", 12, 30, 3)),
    _many("芒果", "mango", _jin(6, 14), _each("个", 3, 8), many="mangoes"),
    _many("橘子", "tangerine", _jin(3, 7), _each("个", 1, 2)),
    _many("西红柿", "tomato", _jin(3, 7), _each("个", 1, 2), many="tomatoes"),
    _many("土豆", "potato", _jin(2, 4), _each("个", 1, 2), many="potatoes"),
    _many("黄瓜", "cucumber", _jin(3, 6), _each("根", 1, 3)),
    _many("胡萝卜", "carrot", _jin(2, 5), _each("根", 1, 2)),
    _many("茄子", "eggplant", _jin(3, 6), _each("个", 2, 4)),
    _many("洋葱", "onion", _jin(2, 5), _each("个", 1, 2)),
    _many("蘑菇", "mushroom", _jin(6, 12), _in("盒", "box", 5, 10)),
    _many("花生", "peanut", _jin(6, 12), _in("袋", "bag", 5, 15)),
    _many("鸡蛋", "egg", _jin(5, 8), _each("个", 1, 2, 12), _in("盒", "box", 10, 25)),
    _many("包子", "steamed bun", _each("个", 1, 3)),
    _many("饺子", "dumpling", _jin(18, 35), _in("盒", "box", 12, 28)),
    _many("饼干", "cookie", _in("盒", "box", 8, 20), _in("袋", "bag", 5, 15)),
    _mass("白菜", "cabbage", _jin(1, 3), _in("棵", "head", 2, 6)),
    _mass("豆腐", "tofu", _in("块", "piece", 2, 5), _in("盒", "box", 3, 6)),
    _mass("牛肉", "beef", _jin(30, 48), _in("块", "piece", 25, 60)),
    _mass("鸡肉", "chicken", _jin(9, 18), _in("盒", "box", 12, 25)),
    _many("鱼", "fish", _jin(8, 20), _each("条", 12, 40, 3), many="fish"),
    _mass("面包", "bread", _in("个", "loaf", 5, 15), _in("袋", "bag", 8, 16)),
    _mass("蛋糕", "cake", _in("块", "piece", 8, 20), _in("盒", "box", 20, 45)),
    _mass("牛奶", "milk", _in("瓶", "bottle", 5, 12), _in("盒", "carton", 3, 8), verb="喝"),
    _mass("豆浆", "soy milk", _in("杯", "cup", 2, 5), _in("瓶", "bottle", 4, 9), verb="喝"),
    _mass("绿茶", "green tea", _in("杯", "cup", 6, 15), _in("瓶", "bottle", 3, 6), verb="喝"),
    _mass("咖啡", "coffee", _in("杯", "cup", 12, 30), _in("瓶", "bottle", 6, 12), verb="喝"),
    _mass("苹果汁", "apple juice", _in("杯", "glass", 6, 15), _in("瓶", "bottle", 5, 12), verb="喝"),
    _mass("橙汁", "orange juice", _in("杯", "glass", 6, 15), _in("瓶", "bottle", 5, 12), verb="喝"),
    _mass("可乐", "cola", _in("杯", "glass", 4, 9), _in("瓶", "bottle", 3, 6), verb="喝"),
)

_ZH = "零一二三四五六七八九"
_EN = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " \
      "eighteen nineteen".split()  # fmt: skip
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
LARGEST = 999


def number_zh(n: int) -> str:
    """A number before a measure word, 1 … 999: 2 is 两 there, while 12 and 22 keep 二 (十二, 二十二), as does 20.

    n: a whole number.  Raises ValueError outside of 1 … 999.

        >>> number_zh(2) + "斤", number_zh(12) + "斤", number_zh(105) + "块钱"
        ('两斤', '十二斤', '一百零五块钱')
    """
    if not 1 <= n <= LARGEST:
        raise ValueError(f"a number of the market is 1 to {LARGEST}, and this is {n}")
    hundreds, rest = divmod(n, 100)
    tens, ones = divmod(rest, 10)
    if not hundreds:
        if n == 2:
            return "两"
        return (_ZH[tens] if tens > 1 else "") + ("十" if tens else "") + (_ZH[ones] if ones else "")
    written = ("两" if hundreds == 2 else _ZH[hundreds]) + "百"
    if tens:
        return written + _ZH[tens] + "十" + (_ZH[ones] if ones else "")
    return written + ("零" + _ZH[ones] if ones else "")


def number_en(n: int) -> str:
    """A number as an English word, 1 … 999.  Raises ValueError outside of it.

        >>> number_en(12), number_en(45), number_en(105)
        ('twelve', 'forty-five', 'one hundred and five')
    """
    if not 1 <= n <= LARGEST:
        raise ValueError(f"a number of the market is 1 to {LARGEST}, and this is {n}")
    hundreds, rest = divmod(n, 100)
    written = _EN[hundreds] + " hundred" + (" and " if rest else "") if hundreds else ""
    if rest and rest < 20:
        return written + _EN[rest]
    return written + (_TENS[rest // 10] + ("-" + _EN[rest % 10] if rest % 10 else "") if rest else "")


def with_article(noun: str) -> str:
    """An English noun with a or an before it, by its first letter: right for every noun and unit of the tables."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun

# When something was bought, in the order each language wants it: before the verb in Chinese, at the end in English.
DAYS = (
    ("今天", "today"), ("昨天", "yesterday"), ("今天早上", "this morning"), ("昨天下午", "yesterday afternoon"),
    ("昨天晚上", "yesterday evening"), ("星期六", "on Saturday"), ("星期天", "on Sunday"), ("上个月", "last month"),
)  # fmt: skip
