"""A reader of the market: it translates the Chinese and answers questions, with tables and templates of its own.

Only the names of people are taken from the course.  What it says of a sentence is the grammar's promise, written a
second time and the other way round: from the finished Chinese sentence to the facts in it.
"""

import re

from course.text import market_words

# ── what the translator knows ───────────────────────────────────────────────────────────────────────────────

# Chinese: English singular / plural, or one word for what has no plural; what is done with it; the right measure words.
FOODS = {zh: (en.replace("_", " ").split("/"), verb, measures) for zh, en, verb, measures in (line.split() for line in """
苹果 apple/apples 吃 斤个
香蕉 banana/bananas 吃 斤根
梨 pear/pears 吃 斤个
桃子 peach/peaches 吃 斤个
橙子 orange/oranges 吃 斤个
葡萄 grape/grapes 吃 斤串
草莓 strawberry/strawberries 吃 斤盒
西瓜 watermelon/watermelons 吃 斤个
芒果 mango/mangoes 吃 斤个
橘子 tangerine/tangerines 吃 斤个
西红柿 tomato/tomatoes 吃 斤个
土豆 potato/potatoes 吃 斤个
黄瓜 cucumber/cucumbers 吃 斤根
胡萝卜 carrot/carrots 吃 斤根
茄子 eggplant/eggplants 吃 斤个
洋葱 onion/onions 吃 斤个
蘑菇 mushroom/mushrooms 吃 斤盒
花生 peanut/peanuts 吃 斤袋
鸡蛋 egg/eggs 吃 斤个盒
包子 steamed_bun/steamed_buns 吃 个
饺子 dumpling/dumplings 吃 斤盒
饼干 cookie/cookies 吃 盒袋
白菜 cabbage 吃 斤棵
豆腐 tofu 吃 块盒
牛肉 beef 吃 斤块
鸡肉 chicken 吃 斤盒
鱼 fish/fish 吃 斤条
面包 bread 吃 个袋
蛋糕 cake 吃 块盒
牛奶 milk 喝 瓶盒
豆浆 soy_milk 喝 杯瓶
绿茶 green_tea 喝 杯瓶
咖啡 coffee 喝 杯瓶
苹果汁 apple_juice 喝 杯瓶
橙汁 orange_juice 喝 杯瓶
可乐 cola 喝 杯瓶
""".strip().splitlines())}  # fmt: skip
UNITS = {"斤": "jin/jin", "串": "bunch/bunches", "盒": "box/boxes", "袋": "bag/bags", "棵": "head/heads", "块": "piece/pieces",
         "瓶": "bottle/bottles", "杯": "glass/glasses"}  # fmt: skip
SPECIAL = {("面包", "个"): "loaf/loaves", ("牛奶", "盒"): "carton/cartons"} | dict.fromkeys(
    [("豆浆", "杯"), ("绿茶", "杯"), ("咖啡", "杯")], "cup/cups")  # fmt: skip
VERBS = {"吃": ("eat", "eating"), "喝": ("drink", "drinking")}
DAYS = {"今天": "today", "昨天": "yesterday", "今天早上": "this morning", "昨天下午": "yesterday afternoon", "昨天晚上":
        "yesterday evening", "星期六": "on Saturday", "星期天": "on Sunday", "上个月": "last month"}  # fmt: skip
PEOPLE = {person.zh: person for person in market_words.NAMES}
DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2}
WORDS = {word: i for i, word in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split())} | {word: 10 * i for i, word in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)}  # fmt: skip


def read_zh(number):
    value, digit = 0, 0
    for c in number:
        if c in "十百":
            value += (digit or 1) * (10 if c == "十" else 100)
            digit = 0
        else:
            digit = DIGITS[c]
    return value + digit


def read_en(number):
    hundreds, _, rest = number.rpartition(" hundred")
    rest = rest.removeprefix(" and ") if hundreds else number
    return (100 * WORDS[hundreds] if hundreds else 0) + sum(WORDS[word] for word in rest.split("-") if word)


ENGLISH = {read_en(en): en for en in map(market_words.number_en, range(1, 1000))}


def a(noun):
    return ("an " if re.match("[aeiou]", noun) else "a ") + noun


def unit(food, measure):
    assert measure in FOODS[food][2], f"{measure} is no measure word of {food}"
    return SPECIAL.get((food, measure)) or UNITS.get(measure, "")


def short(food, amount):
    """两斤 of apples: two jin."""
    n, (one, _, many) = read_zh(amount[:-1]), unit(food, amount[-1]).partition("/")
    return ENGLISH[n] if not one else a(one) if n == 1 else f"{ENGLISH[n]} {many}"


def whole(food, amount):
    """两斤苹果: two jin of apples."""
    names, n = FOODS[food][0], read_zh(amount[:-1])
    if unit(food, amount[-1]):
        return f"{short(food, amount)} of {names[-1]}"
    return a(names[0]) if n == 1 else f"{ENGLISH[n]} {names[-1]}"


def one_of(things):
    return "|".join(sorted(things, key=len, reverse=True))


SLOTS = {"p": one_of([*PEOPLE, "我"]), "q": one_of([*PEOPLE, "我"]), "f": one_of(FOODS), "g": one_of(FOODS), "d": one_of(DAYS),
         "n": "[零一两二三四五六七八九十百]+[^零一两二三四五六七八九十百，。？]", "y": "[零一两二三四五六七八九十百]+",
         "v": "吃|喝", "w": "吃|喝", "u": "块钱|元", "c": ".", "h": "几|多少"}  # fmt: skip


def pattern(template):
    return re.compile(re.sub(r"\{(\w)\}", lambda slot: f"(?P<{slot[1]}>{SLOTS[slot[1]]})", template))


def fill(template, **s):
    """The English of a template: {n} an amount of {f}, {m} the same short; <like> agrees with {p}, [is/are] with {f}."""
    f, p = s.get("f"), s.get("p")
    for verb in ("v", "w"):
        if verb in s:
            assert s[verb] == FOODS[s["f"]][1] == FOODS[s.get("g", f)][1], s
    said = {"p": person(p), "q": "me" if s.get("q") == "我" else person(s.get("q")), "d": DAYS.get(s.get("d"))}
    said |= {slot: FOODS[s[slot]][0][-1] for slot in "fg" if slot in s}
    if "n" in s:
        said |= {"n": whole(f, s["n"]), "m": short(f, s["n"])}
    if "y" in s:
        said["y"] = ENGLISH[read_zh(s["y"])]
    if "c" in s:
        measure = unit(f, s["c"])
        one, _, many = measure.partition("/")
        said |= {"c": a(one) if one else "each", "one": whole(f, "一" + s["c"])}
        said["many"] = f"{many} of {said['f']}" if one else said["f"]
    if f and "v" in s:
        said |= {"v": VERBS[s["v"]][0], "ing": VERBS[s["v"]][1]}
    said["he"] = "I" if p == "我" else PEOPLE[p].pronoun if p else ""
    third = {"do": "does", "am": "is"}
    template = re.sub(r"<(\w+)>", lambda m: m[1] if p == "我" else third.get(m[1], m[1] + "s"), template)
    template = re.sub(r"\[(\w+)/(\w+)\]", lambda m: m[1 if len(FOODS[f][0]) == 1 else 2], template)
    english = template.format(**said)
    return english[0].upper() + english[1:]


def person(zh):
    return "I" if zh == "我" else PEOPLE[zh].en if zh else None


SENTENCES = {
    "{p}喜欢{v}{f}。": "{p} <like> {ing} {f}.",
    "{p}喜欢{v}{f}和{g}。": "{p} <like> {ing} {f} and {g}.",
    "{p}不喜欢{v}{f}。": "{p} <do> not like {ing} {f}.",
    "{p}喜欢{v}{f}，但是不喜欢{w}{g}。": "{p} <like> {ing} {f} but <do> not like {ing} {g}.",
    "比起{g}，{p}更喜欢{f}。": "{p} <like> {f} more than {g}.",
    "{p}和{q}都喜欢{v}{f}。": "{p} and {q} both like {ing} {f}.",
    "{p}喜欢{v}{f}，{q}也喜欢。": "{p} <like> {ing} {f}, and {q} does too.",
    "{p}喜欢{v}{f}，可是{q}不喜欢。": "{p} <like> {ing} {f}, but {q} does not.",
    "{p}想{v}{f}。": "{p} <want> to {v} {f}.",
    "{p}{d}买了{n}{f}。": "{p} bought {n} {d}.",
    "{p}明天想买{n}{f}。": "{p} <want> to buy {n} tomorrow.",
    "{p}今天不买{f}。": "{p} <am> not buying {f} today.",
    "{p}花了{y}块钱买了{n}{f}。": "{p} spent {y} yuan on {n}.",
    "{p}给了{q}{n}{f}。": "{p} gave {q} {n}.",
    "{f}{y}{u}一{c}。": "{f} [costs/cost] {y} yuan {c}.",
    "{f}比{g}便宜。": "{f} [is/are] cheaper than {g}.",
    "{f}比{g}贵。": "{f} [is/are] more expensive than {g}.",
    "{f}卖完了。": "The {f} [has/have] sold out.",
    "{p}卖{f}和{g}。": "{p} <sell> {f} and {g}.",
    "{f}太贵了，所以{p}没有买。": "The {f} [was/were] too expensive, so {p} did not buy any.",
    "{p}喜欢{v}{f}，所以买了{n}。": "{p} <like> {ing} {f}, so {he} bought {m}.",
    "如果{f}便宜，{p}就买{n}。": "If {f} [is/are] cheap, {p} will buy {m}.",
    "你更喜欢{f}还是{g}？": "Which do you like more, {f} or {g}?",
    "篮子里有{n}{f}。": "There {be} {n} in the basket.",
}
IN_STORIES = {"{p}买了{n}{f}。": "{p} bought {n}.", "{p}和{q}{d}去了市场。": "{p} and {q} went to the market {d}."}
QUESTIONS = {
    "谁去了市场？": "Who went to the market?",
    "{p}和{q}什么时候去的市场？": "When did {p} and {q} go to the market?",
    "谁喜欢{v}{f}？": "Who likes {ing} {f}?",
    "{p}喜欢{v}什么？": "What does {p} like to %s?",
    "{p}更喜欢{f}还是{g}？": "Which does {p} like more, {f} or {g}?",
    "{f}和{g}，哪个便宜？": "Which is cheaper, {f} or {g}?",
    "{f}多少钱一{c}？": "How much does {one} cost?",
    "谁买了{f}？": "Who bought %s?",
    "{p}买了什么？": "What did {p} buy?",
    "{p}买了{h}{c}{f}？": "How many {many} did {p} buy?",
    "谁给了{q}{n}{f}？": "Who gave {q} {n}?",
    "{p}给了谁{n}{f}？": "Who did {p} give {n} to?",
    "{p}给了{q}什么？": "What did {p} give {q}?",
    "什么卖完了？": "What has sold out?",
    "{p}为什么没有买{f}？": "Why did {p} not buy any {f}?",
}
HEADLINES = {
    "{f}卖完了": "{f} sold out",
    "{p}给{q}{n}{f}": "{p} gives {q} {n}",
    "{p}买{n}{f}": "{p} buys {n}",
}
COMPILED = {zh: pattern(zh) for table in (SENTENCES, IN_STORIES, QUESTIONS, HEADLINES) for zh in table}


def parse(zh, templates):
    """The one template that fits, and what stands in its slots."""
    found = [(template, match.groupdict()) for template in templates if (match := COMPILED[template].fullmatch(zh))]
    assert len(found) == 1, (zh, found)
    return found[0]


def translate(zh, templates):
    template, slots = parse(zh, templates)
    english = templates[template].replace("{be}", "is" if slots.get("n", "")[:-1] == "一" else "are")
    if "%s" in english:
        english %= VERBS[slots["v"]][0] if "v" in slots else FOODS[slots["f"]][0][-1]
        slots.pop("v", None)
    return fill(english, **slots)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────

_CHEAP, _DEAR = "{f}比{g}便宜。", "{f}比{g}贵。"


def told(facts, template, **known):
    """The slots of every fact of one form that agrees with what is known."""
    return [slots for form, slots in facts if form == template and all(slots[key] == value for key, value in known.items())]


def answers(zh, facts):
    """Everything the facts allow as an answer to a question."""
    asked, s = parse(zh, QUESTIONS)
    s = {key: value for key, value in s.items() if key not in "hw"}
    went, bought, gave = "{p}和{q}{d}去了市场。", "{p}买了{n}{f}。", "{p}给了{q}{n}{f}。"
    likes, both = "{p}喜欢{v}{f}。", "{p}喜欢{v}{f}和{g}。"
    if asked == "谁去了市场？":
        return {x["p"] + "和" + x["q"] for x in told(facts, went)}
    if "什么时候" in asked:
        return {x["d"] for x in told(facts, went, **s)}
    if asked == "谁喜欢{v}{f}？":
        second = told(facts, both, v=s["v"], g=s["f"])
        preferring = told(facts, "比起{g}，{p}更喜欢{f}。", f=s["f"])
        return {x["p"] for x in told(facts, likes, **s) + told(facts, both, **s) + second + preferring}
    if asked == "{p}喜欢{v}什么？":
        return {x["f"] for x in told(facts, likes, **s)} | {x["f"] + "和" + x["g"] for x in told(facts, both, **s)}
    if asked == "{p}更喜欢{f}还是{g}？":
        f, g = s.pop("f"), s.pop("g")
        return {x["f"] for x in told(facts, "比起{g}，{p}更喜欢{f}。", **s) if {x["f"], x["g"]} == {f, g}}
    if "哪个便宜" in asked:
        pair, ways = set(s.values()), ((_CHEAP, "f"), (_DEAR, "g"))
        return {x[key] for form, key in ways for x in told(facts, form) if {x["f"], x["g"]} == pair}
    if "多少钱" in asked:
        return {x["y"] + x["u"] for x in told(facts, "{f}{y}{u}一{c}。", **s)}
    if "{c}" in asked:
        measure = s.pop("c")
        return {x["n"] for x in told(facts, bought, **s) if x["n"][-1] == measure}
    if asked == "什么卖完了？":
        return {x["f"] for x in told(facts, "{f}卖完了。")}
    if "为什么" in asked:
        return {x["f"] + "太贵了" for x in told(facts, "{f}太贵了，所以{p}没有买。", **s)}
    form = gave if "给了" in asked else bought
    wanted = "p" if asked.startswith("谁") else "q" if "给了谁" in asked else None
    return {x[wanted] if wanted else x["n"] + x["f"] for x in told(facts, form, **s)}


def answer_in_english(zh, question, facts):
    """The English of an answer, by the words in it."""
    if zh in PEOPLE or zh in DAYS:
        return PEOPLE[zh].en if zh in PEOPLE else DAYS[zh]
    if zh in FOODS:
        name = FOODS[zh][0][-1]
        if "什么卖完了" in question:
            return "The " + name
        return name.capitalize() if told(facts, _CHEAP, f=zh) and "便宜" in question else name
    if zh.endswith("太贵了"):
        names = FOODS[zh.removesuffix("太贵了")][0]
        return f"The {names[-1]} {'was' if len(names) == 1 else 'were'} too expensive"
    if zh.endswith("块钱"):
        return ENGLISH[read_zh(zh.removesuffix("块钱"))] + " yuan"
    if "和" in zh:
        return " and ".join(answer_in_english(part, question, facts) for part in zh.split("和"))
    amount, food = re.fullmatch(f"({SLOTS['n']})(.*)", zh).groups()
    return whole(food, amount) if food else short(parse(question, QUESTIONS)[1]["f"], amount)
