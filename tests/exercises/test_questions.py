"""Predictions, reveal and quiz: what is recorded, when nothing is, what is said, and how a prediction is scored."""

import html.parser
import json
import math
import re
import subprocess
import sys
import tomllib

import hypothesis
import hypothesis.strategies as st
import pytest

from course import figures, sentences
from course.exercises import my_prediction, progress, questions, quiz, reveal, scoring
from course.exercises.scoring import DEGREES, FLOOR, WORST, probabilities, surprise
from course.exercises.store import store
from course.explore.question_card import as_html, as_text, paragraphs, parts

WORDS = ["我", "喜欢", "苹果", "香蕉"]
PROMPT = "The largest dot product of 吃 with another word is with …"
HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "🍎 *bold* `code` {hole}", "مرحبا\u202e b", "x" * 300, "&lt;b&gt;"]
TABLE = """
[prediction.dot]
explanation = "It is *alike*, see `x @ x[2]`.\\n\\nAlike is not what it needs."
options = [{ text = "苹果", leaned = "A food would make sense." }, { text = "喜欢", leaned = "You went by the numbers." }, { text = "我" }]
[quiz.shift]
prompt = "Every score grows by 5. What happens to the *weights*?"
options = [
  { text = "They stay", right = true, why = "Only `differences` count." },
  { text = "They get sharper", why = "Sharper is what multiplying does." },
  { text = "They get flatter", why = "Flatter is what dividing does." },
]
[quiz.future]
prompt = "Which outputs change?"
options = [{ text = "All", why = "Not with a mask." }, { text = "The last", right = true, why = "Nobody before it may look." }]
"""


@pytest.fixture(autouse=True)
def new_kernel(monkeypatch):
    """Nothing was asked or shown yet, and chapter 97 has the table above.  Returns a function: the kernel is restarted."""
    tables = {"questions_97": tomllib.loads(TABLE)}
    monkeypatch.setattr(questions, "table", lambda name: tables[name] if name in tables else sentences.table(name))

    def restart():
        questions._asked.clear()
        questions._shown.clear()

    restart()
    yield restart
    restart()


def ask(options=WORDS, **answered):
    return my_prediction("97.dot", PROMPT, options, **answered)


def click(card, place, degree):
    """What the page sends."""
    card.set_state({"given": [place, degree]})


def recorded(question="97.dot"):
    return store().answers_to(question)


class Page(html.parser.HTMLParser):
    """Tags, attributes and text of a piece of HTML, each element closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.open = [], {}, "", []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.update(attrs)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


# ── the score ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("n, choice, confidence, expected", [
    (2, 0, 0.50, [0.50, 0.50]),
    (3, 1, 0.50, [0.25, 0.50, 0.25]),
    (4, 3, 0.75, [1 / 12, 1 / 12, 1 / 12, 0.75]),
    (4, 0, 0.95, [0.95, 0.05 / 3, 0.05 / 3, 0.05 / 3]),
    (6, 2, 0.95, [0.01, 0.01, 0.95, 0.01, 0.01, 0.01]),
    (10, 0, 0.95, [0.91] + [0.01] * 9),  # the floor
    (3, 0, 1.00, [0.98, 0.01, 0.01]),
])  # fmt: skip
def test_probabilities_by_hand(n, choice, confidence, expected):
    assert probabilities(n, choice, confidence) == pytest.approx(expected, rel=1e-12)


@hypothesis.given(st.integers(2, 40), st.integers(0, 39), st.sampled_from(sorted(DEGREES.values())))
def test_probabilities_sum_to_one_and_stay_above_the_floor(n, choice, confidence):
    p = probabilities(n, choice % n, confidence)
    assert math.fsum(p) == pytest.approx(1, abs=1e-12)
    assert min(p) >= FLOOR * (1 - 1e-9) and max(p) == p[choice % n]
    assert max(map(surprise, p)) <= WORST + 1e-9


@pytest.mark.parametrize("arguments", [(1, 0, 0.5), (4, 4, 0.5), (4, -1, 0.5), (4, 0, 0.2), (4, 0, 1.1), (4, 0, math.nan), (101, 0, 0.95)])
def test_what_has_no_probabilities(arguments):
    with pytest.raises(ValueError):
        probabilities(*arguments)


def test_surprise_is_minus_log_p():
    assert surprise(0.5) == pytest.approx(0.693147, abs=1e-6)
    assert surprise(1 / 4) == pytest.approx(math.log(4))
    assert surprise(0.01) == WORST == pytest.approx(4.60517, abs=1e-5)
    assert math.copysign(1, surprise(1)) == 1 and surprise(1) == 0


# ── a prediction ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_untouched_notebook_records_nothing(course_home):
    card = ask()
    result = reveal("97.dot", "喜欢")
    quiz("97.shift")
    repr(card), repr(result), card._repr_mimebundle_(), result._repr_html_()
    assert list(course_home.iterdir()) == []


def test_a_click_is_recorded():
    card = ask()
    assert not card.locked and not recorded()
    click(card, 2, "sure")
    (answer,) = recorded()
    assert answer[:5] == ("97.dot", "prediction", tuple(WORDS), "苹果", 0.75)
    assert answer.truth is None and answer.loss is None
    assert card.locked and card.chosen == 2
    assert as_text(card.status).startswith('Your prediction: "苹果", fairly sure (20')


@pytest.mark.parametrize("confidence", ["certain", "hunch", "sure", "a hunch", "fairly sure"])
def test_an_answer_in_the_call_is_recorded_the_same(confidence):
    card = ask(answer="苹果", confidence=confidence)
    degree = {"a hunch": "hunch", "fairly sure": "sure"}.get(confidence, confidence)
    assert [(a.kind, a.choice, a.confidence) for a in recorded()] == [("prediction", "苹果", DEGREES[degree])]
    assert card.locked and card.chosen == 2
    assert 'Your prediction: "苹果", ' + sentences.table("questions")["degrees"][degree]["name"] in repr(card)


def test_the_first_answer_stands(new_kernel):
    first, second = ask(), ask()
    click(first, 2, "sure")
    click(second, 1, "certain")  # a card of the same question that was still open
    new_kernel()
    third = ask(answer="我", confidence="certain")
    assert [(a.choice, a.confidence) for a in recorded()] == [("苹果", 0.75)]
    for card in (second, third, ask()):
        assert card.locked and card.chosen == 2
        assert 'You predicted "苹果", fairly sure (20' in as_text(card.status) and "first answer stands" in repr(card)


def test_what_a_locked_card_is_sent_changes_nothing():
    card = ask()
    click(card, 2, "sure")
    said = card.status
    click(card, 1, "certain")
    assert len(recorded()) == 1 and card.chosen == 2 and card.status == said


@pytest.mark.parametrize("given", [[4, "sure"], [-1, "sure"], [0, "quite"], ["0", "sure"], [0], [0, "sure", 1], [None, None]])
def test_rubbish_from_the_page_is_no_answer(given):
    card = ask()
    card.set_state({"given": given})
    assert not recorded() and not card.locked


@pytest.mark.parametrize("change, sentence", [
    ({"question": "dot"}, 'A question is called "chapter.name", as in "03.saturation"; got \'dot\'.'),
    ({"question": 3}, "got 3."),
    ({"prompt": " "}, "The prompt of 97.dot is empty."),
    ({"options": ["a"]}, "97.dot needs 2 to 6 options, got 1."),
    ({"options": "abc"}, "97.dot needs 2 to 6 options, got 1."),
    ({"options": list("abcdefg")}, "97.dot needs 2 to 6 options, got 7."),
    ({"options": ["a", " "]}, "Option 2 of 97.dot is empty."),
    ({"options": ["a", "b", "a"]}, "The option 'a' of 97.dot is there twice."),
    ({"answer": "梨", "confidence": "sure"}, '\'梨\' is none of the options of 97.dot: "我", "喜欢", "苹果", "香蕉".'),
    ({"answer": "苹果"}, 'confidence is one of "hunch", "sure", "certain"; got None.'),
    ({"answer": "苹果", "confidence": 0.75}, "got 0.75."),
    ({"confidence": "sure"}, 'confidence needs an answer: add answer="…" with the text of an option.'),
])  # fmt: skip
def test_what_does_not_fit_is_said_in_one_sentence(change, sentence):
    with pytest.raises(ValueError) as caught:
        my_prediction(**{"question": "97.dot", "prompt": PROMPT, "options": WORDS} | change)
    assert str(caught.value).endswith(sentence) and "\n" not in str(caught.value)
    assert not recorded() and not questions._asked


def test_options_may_be_numbers():
    import numpy as np

    my_prediction("97.n", "How many?", np.array([1, 2, 3]), answer=np.int64(2), confidence="sure")
    assert "0.75" in repr(reveal("97.n", np.int64(2)))
    assert store().answered("97.n").choice == store().answered("97.n").truth == "2"


def test_a_home_that_cannot_be_written_is_told(course_home, monkeypatch):
    (course_home / "file").touch()
    monkeypatch.setenv("COURSE_HOME", str(course_home / "file"))
    card = ask()
    click(card, 0, "hunch")
    assert "could not be saved" in repr(card) and "Your prediction" in repr(card)


# ── reveal ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("degree, p", [("hunch", 0.5), ("sure", 0.75), ("certain", 0.95)])
@pytest.mark.parametrize("truth", ["苹果", "喜欢"])
def test_the_surprise_is_the_loss_of_the_stated_probabilities(degree, p, truth):
    click(ask(), 2, degree)
    p_truth = p if truth == "苹果" else (1 - p) / 3
    result = reveal("97.dot", truth)
    answer = store().answered("97.dot")
    assert answer.truth == truth and answer.loss == pytest.approx(-math.log(p_truth), rel=1e-12)
    said = repr(result)
    assert f"−ln {p_truth:.3g} = {-math.log(p_truth):.2f} nats" in said
    assert "ln 4 = 1.39" in said and f'The answer: "{truth}".' in said
    assert ("That is what you said" in said) == (truth == "苹果")
    assert f"{100 * p_truth:.3g} %" in said
    page = Page(result._repr_html_())
    assert f"width:{100 * -math.log(p_truth) / WORST:.1f}%" in result._repr_html_()
    assert f"left:{100 * math.log(4) / WORST:.1f}%" in result._repr_html_()
    assert page.attributes["role"] == "img"
    assert page.attributes["aria-label"] == f"Your surprise is {-math.log(p_truth):.2f} nats on a bar from 0 to 4.6; guessing evenly costs 1.39."
    assert "A model is trained with the same loss." in page.text
    assert f"1 prediction, loss {-math.log(p_truth):.2f} nats (guessing evenly: 1.39)" in progress({}).text


def test_each_leaning_hears_its_own_sentence():
    click(ask(), 2, "sure")
    said = repr(reveal("97.dot", "喜欢"))
    assert "A food would make sense." in said and "You went by the numbers." not in said
    assert said.index("A food") < said.index("It is alike, see x @ x[2].")  # then the explanation, its marks taken off
    assert "<em>alike</em>, see <code>x @ x[2]</code>.</p><p>Alike is not" in reveal("97.dot", "喜欢")._repr_html_()


@pytest.mark.parametrize("place", [0, 3])
def test_an_option_without_a_sentence_is_left_without(place):
    click(ask(), place, "sure")
    said = repr(reveal("97.dot", "喜欢"))
    assert "A food" not in said and "by the numbers" not in said and "It is alike" in said


def test_without_an_answer_truth_and_explanation_are_shown():
    ask()
    result = reveal("97.dot", "喜欢")
    said = repr(result)
    assert 'The answer: "喜欢".' in said and "No prediction was made" in said and "It is alike" in said
    assert "nats" not in said and "A food" not in said and "by the numbers" not in said and "role" not in result._repr_html_()
    assert repr(reveal("97.dot", "喜欢")) == said


def test_a_prediction_after_the_truth_was_shown_is_not_recorded(new_kernel, course_home):
    card = ask()
    reveal("97.dot", "喜欢")
    assert not card.locked and "already on the page" in as_text(card.status)
    click(card, 1, "certain")
    assert card.locked and card.chosen == 1
    assert as_text(card.status) == 'The answer is already on the page, so this one is not recorded: "喜欢", certain.'
    again = ask()
    assert "already on the page" in repr(again) and not again.locked
    assert "not recorded" in repr(ask(answer="喜欢", confidence="certain"))
    assert "No prediction was made" in repr(reveal("97.dot", "喜欢"))
    assert list(course_home.iterdir()) == []
    new_kernel()
    click(ask(), 0, "hunch")  # a day later
    assert len(recorded()) == 1


def test_reveal_needs_no_card_in_this_kernel(new_kernel):
    click(ask(), 2, "sure")
    new_kernel()
    assert "2.48 nats" in repr(reveal("97.dot", "喜欢"))
    with pytest.raises(ValueError, match="is none of the options of 97.dot"):
        reveal("97.dot", "梨")
    assert 'The answer: "a".' in repr(reveal("97.unknown", "a"))


def test_a_truth_that_is_no_option_is_refused_and_leaves_no_trace():
    card = ask()
    with pytest.raises(ValueError) as caught:
        reveal("97.dot", "梨")
    assert str(caught.value) == 'The truth \'梨\' is none of the options of 97.dot: "我", "喜欢", "苹果", "香蕉".'
    click(card, 2, "sure")
    with pytest.raises(ValueError):
        reveal("97.dot", "梨")
    assert [a.truth for a in recorded()] == [None]


def test_only_the_first_truth_counts_and_another_one_is_told():
    click(ask(), 2, "sure")
    assert "first time" not in repr(reveal("97.dot", "喜欢"))
    assert "first time" not in repr(reveal("97.dot", "喜欢"))
    said = repr(reveal("97.dot", "苹果"))
    assert "0.29 nats" in said and 'In your record stands what came out the first time: "喜欢", 2.48 nats.' in said
    assert store().answered("97.dot").truth == "喜欢"


def test_the_options_in_another_order_are_the_same_question(new_kernel):
    click(ask(), 2, "sure")
    new_kernel()
    card = ask(WORDS[::-1])
    assert card.chosen == 1 and "0.29 nats" in repr(reveal("97.dot", "苹果"))


def test_an_earlier_version_of_a_question(new_kernel):
    click(ask(["梨", "喜欢"]), 0, "sure")
    new_kernel()
    card = ask()
    assert card.locked and card.chosen == -1 and 'earlier version of this question with "梨"' in repr(card)
    assert "not scored" in repr(reveal("97.dot", "苹果"))
    assert store().answered("97.dot").truth is None
    assert "−ln 0.25" in repr(reveal("97.dot", "喜欢"))  # both versions have it


@pytest.mark.parametrize("choice, confidence", [("苹果", None), ("苹果", 0.1), ("苹果", 1.0), ("苹果", 7.0), (2, 0.75)])
def test_a_record_from_elsewhere_is_read_with_care(choice, confidence):
    store().answer("97.dot", "prediction", WORDS, choice, confidence)
    assert ask().locked
    assert "not scored" in repr(reveal("97.dot", "喜欢"))
    assert store().answered("97.dot").loss is None


def test_what_is_shown_stands_between_score_and_explanation():
    click(ask(), 2, "sure")
    products = figures.table([[1.25]], ["吃"], ["苹果"], "products")
    result = reveal("97.dot", "喜欢", products)
    assert repr(products) in repr(result) and products._repr_html_() in result._repr_html_()
    for shown in (repr(result), result._repr_html_()):
        assert shown.index("nats") < shown.index("1.25") < shown.index("A food")


def test_whatever_is_shown_is_shown():
    picture = figures.show(figures.curves([1, 2], {"y": [1, 2]}, title="t", xlabel="x", ylabel="y"), "A line that rises <steeply>")
    page = Page(reveal("97.dot", "a", picture)._repr_html_().replace('height:auto">', 'height:auto"></img>'))
    assert page.attributes["alt"] == "A line that rises <steeply>"
    assert "A line that rises" in repr(reveal("97.dot", "a", picture))
    assert "<pre>[&#x27;&lt;b&gt;&#x27;]</pre>" in reveal("97.dot", "a", ["<b>"])._repr_html_()
    card = quiz("97.future")
    assert "Which outputs change?" in reveal("97.dot", "a", card)._repr_html_()


# ── quiz ────────────────────────────────────────────────────────────────────────────────────────────────────


def place_of(card, text):
    return [as_text(option) for option in card.options].index(text)


def test_the_first_choice_is_recorded_and_others_are_not(new_kernel):
    card = quiz("97.shift")
    sharper, stay = place_of(card, "They get sharper"), place_of(card, "They stay")
    card.set_state({"tried": [sharper]})
    (answer,) = recorded("97.shift")
    assert (answer.kind, answer.choice, answer.confidence, answer.truth, answer.loss) == ("quiz", "They get sharper", None, "They stay", None)
    card.set_state({"tried": [sharper, stay]})
    new_kernel()
    again = quiz("97.shift")
    assert 'Your first choice (20' in repr(again) and 'was "They get sharper"' in repr(again) and not again.locked
    again.set_state({"tried": [stay]})
    assert len(recorded("97.shift")) == 1
    quiz("97.future", answer="The last")
    assert "Quiz: 1 of 2 right at the first try" in progress({}).text


def test_each_option_is_answered_with_its_own_explanation():
    card = quiz("97.shift", answer="They get sharper")
    assert repr(card).endswith('"They get sharper": not this one. Sharper is what multiplying does.')
    card = quiz("97.shift", answer="They stay")
    assert repr(card).endswith('"They stay": right. Only differences count.')
    assert "<code>differences</code>" in card._html()
    assert [as_text(card.whys[place_of(card, "They get flatter")]), card.right] == ["Flatter is what dividing does.", place_of(card, "They stay")]


def test_an_option_may_be_named_by_its_number():
    ask(answer=2, confidence="sure")
    assert recorded()[0].choice == WORDS[1]


def test_an_untouched_quiz_gives_nothing_away():
    card = quiz("97.shift")
    for shown in (repr(card), card._html()):
        assert "differences" not in shown and "✓" not in shown and shown.count("They") == 3


def test_the_order_of_options_is_its_own():
    orders = [[row["i"] for row in questions._in_order(f"03.{name}", [{"i": i} for i in range(4)])] for name in range(200)]
    assert orders == [[row["i"] for row in questions._in_order(f"03.{name}", [{"i": i} for i in range(4)])] for name in range(200)]
    for place in range(4):
        assert 25 <= [order[0] for order in orders].count(place) <= 80  # 50 each, were they drawn evenly
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)


@pytest.mark.parametrize("tried", [[3], [-1], ["0"], [None], [[0]]])
def test_rubbish_from_the_page_is_no_choice(tried):
    quiz("97.shift").set_state({"tried": tried})
    assert not recorded("97.shift")


@pytest.mark.parametrize("question, sentence", [
    ("97.shfit", "There is no quiz question '97.shfit'. Did you mean 97.shift, 97.future?"),
    ("97.q", "There is no quiz question '97.q'. Did you mean 97.shift, 97.future?"),
    ("96.shift", "There is no quiz question '96.shift', and none at all in that chapter."),
    ("shift", "There is no quiz question 'shift', and none at all in that chapter."),
    (3, "There is no quiz question 3, and none at all in that chapter."),
    ("../questions_97.shift", "There is no quiz question '../questions_97.shift', and none at all in that chapter."),
])  # fmt: skip
def test_a_quiz_question_that_is_not_there(question, sentence):
    with pytest.raises(ValueError) as caught:
        quiz(question)
    assert str(caught.value) == sentence


def test_a_quiz_answer_that_is_no_option():
    with pytest.raises(ValueError, match='\'no\' is none of the options of 97.future: "'):
        quiz("97.future", answer="no")
    assert not recorded("97.future")


# ── how cards are shown ─────────────────────────────────────────────────────────────────────────────────────


def test_the_bundle_is_fixed_and_readable():
    bundles = [ask()._repr_mimebundle_()[0] for _ in range(2)]
    view = "application/vnd.jupyter.widget-view+json"
    assert bundles[0].keys() == {view, "text/plain", "text/html"}
    assert [{**bundle, view: 0} for bundle in bundles] == [{**bundles[0], view: 0}] * 2
    assert bundles[0]["text/plain"].splitlines()[:3] == [f"Your prediction: {PROMPT}", "  1  我", "  2  喜欢"]
    assert "answer=…" in bundles[0]["text/plain"] and "Run this cell" in bundles[0]["text/html"]
    page = Page(bundles[0]["text/html"])
    assert page.tags.count("li") == 4 and PROMPT in page.text


@pytest.mark.parametrize("place", range(6))
def test_hostile_texts_stay_text(place):
    card = my_prediction("97.hostile", HOSTILE[0], HOSTILE)
    for text in (HOSTILE[0], HOSTILE[1], HOSTILE[4], HOSTILE[5]):
        assert text in repr(card) and text in Page(card._html()).text
    assert set(Page(card._html()).tags) <= {"p", "strong", "ol", "li", "em", "code"}
    click(card, place, "certain")
    result = reveal("97.hostile", HOSTILE[(place + 1) % 6])
    page = Page(result._repr_html_())
    assert set(page.tags) <= {"div", "p", "strong", "span"} and not any(name.startswith("on") for name in page.attributes)
    assert store().answered("97.hostile").choice == HOSTILE[place]
    json.dumps(card.get_state()["options"])  # nothing but plain text travels
    assert Page(card._html()).text.count("alert") == 3 + (place < 2)


def test_half_a_surrogate_pair_harms_nothing():
    card = my_prediction("97.pair", "a\ud800", ["b\udfff", "c"])
    json.dumps(card.get_state()["options"]).encode()
    click(card, 0, "sure")
    assert store().answered("97.pair").choice == "b\ufffd"
    assert "0.29 nats" in repr(reveal("97.pair", "b\udfff"))


@pytest.mark.parametrize("text, expected", [
    ("plain", [["", "plain"]]),
    ("a `b*c*` d", [["", "a "], ["code", "b*c*"], ["", " d"]]),
    ("*all* and *some*.", [["em", "all"], ["", " and "], ["em", "some"], ["", "."]]),
    ("1*2*3, a * b * c, **, a*", [["", "1*2*3, a * b * c, **, a*"]]),
    ("a `b", [["", "a `b"]]),
    ("{x}", [["", "{x}"]]),
    ("", []),
])  # fmt: skip
def test_marks_in_texts(text, expected):
    assert parts(text) == expected


def test_what_fills_a_hole_is_text_whatever_it_holds():
    assert parts("*a* {choice} {n}", choice="*b* {n}", n="*1*") == [["em", "a"], ["", " "], ["option", "b {n}"], ["", " "], ["", "*1*"]]
    assert as_html(parts("{choice} <b>", choice="<i>")) == '<strong dir="auto">&lt;i&gt;</strong> &lt;b&gt;'
    assert as_text(parts("{choice} {n}", choice="b", n=1)) == '"b" 1'
    assert paragraphs("one\ntwo\n\n  \nthree\n") == [[["", "one\ntwo"]], [["", "three"]]]


def test_a_terminal_needs_no_notebook(course_home):
    code = f"""from course.exercises import my_prediction, reveal, quiz
print(my_prediction("97.dot", "Which?", ["a", "b"], answer="a", confidence="certain"))
print(reveal("97.dot", "b"))
print(quiz("03.shift"))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert 'Your prediction: "a", certain' in done.stdout and "3.00 nats" in done.stdout and "Quiz: " in done.stdout
    assert done.stderr == ""


# ── the tables of all chapters ──────────────────────────────────────────────────────────────────────────────

CHAPTERS = sorted((sentences.FOLDER / "en").glob("questions_*.toml"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_questions_of_a_chapter(path):
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    predictions, quizzes = content.get("prediction", {}), content.get("quiz", {})
    assert not predictions.keys() & quizzes.keys()  # one name, one record
    assert content.keys() <= {"prediction", "quiz"} and predictions | quizzes
    for name, words in predictions.items():
        assert words["explanation"].strip(), name
        texts = [option["text"] for option in words.get("options", [])]
        assert len(texts) == len(set(texts)) and all(option["leaned"].strip() for option in words.get("options", [])), name
    for name, words in quizzes.items():
        options = words["options"]
        assert words["prompt"].strip() and 2 <= len(options) <= questions.MOST_OPTIONS, name
        assert len({option["text"] for option in options}) == len(options), name
        assert [option.get("right", False) for option in options].count(True) == 1, name
        assert all(option["text"].strip() and option["why"].strip() for option in options), name
        chapter = re.fullmatch(r"questions_(\d\d)", path.stem)[1]
        assert quiz(f"{chapter}.{name}").right >= 0


def test_chapter_03_has_questions():
    assert "questions_03" in [path.stem for path in CHAPTERS]


def test_scored_is_what_a_record_is_scored_by():
    assert scoring.scored(("a", "b", "c"), "b", 0.75, "c") == pytest.approx((0.75, 0.125, math.log(8)))
