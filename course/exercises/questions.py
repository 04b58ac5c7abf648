"""my_prediction(question, …), reveal(question, truth), quiz(question): the learner predicts, and is told the loss.

    my_prediction("03.dot", "The largest product is with …", ["苹果", "喜欢"])     # a card; two clicks answer it
    reveal("03.dot", words[scores.argmax()])         # the truth, computed by the cell, and −log p(truth)
    quiz("03.shift")                                 # a card; each wrong option says why it is wrong

Nothing is recorded without the learner's own click (or `answer=` in the call), so that Run All leaves no trace.  The
first answer stands.  A prediction made after the truth was shown in this kernel is not recorded.  What is said of
single questions is in course/sentences/*/questions_NN.toml.
"""

import dataclasses
import datetime
import difflib
import hashlib
import html
import re
from collections.abc import Iterable

from course.exercises.record_file import MOMENT
from course.exercises.scoring import DEGREES, WORST, scored, surprise
from course.exercises.store import Answer, store
from course.explore.base import clean
from course.explore.question_card import Parts, QuestionCard, as_html, as_text, paragraphs, parts
from course.figures import COLORS
from course.sentences import table

MOST_OPTIONS = 6  # as many as have a key and a probability above scoring.FLOOR
LOSS = COLORS[1]  # the colour of a loss; 3 : 1 and more on both themes' grounds


@dataclasses.dataclass
class Asked:
    """A prediction that was asked for in this kernel."""

    options: list[str]
    card: QuestionCard


_asked: dict[str, Asked] = {}
_shown: set[str] = set()  # questions whose truth was shown in this kernel before there was an answer


# ── predictions ─────────────────────────────────────────────────────────────────────────────────────────────


def my_prediction(
    question: str, prompt: str, options: Iterable, *, answer: str | None = None, confidence: str | None = None
) -> QuestionCard:
    """A card that asks for a prediction, before a cell computes what is true.

    question: "chapter.name", kept for ever;  options: 2 to 6 different texts.
    answer, confidence: an option, and "hunch", "sure" or "certain", where no card can be clicked; the same is recorded.
    Raises ValueError with one sentence for anything that does not fit.
    """
    options = _checked(question, prompt, options)
    degree = _degree_of(question, answer, confidence)
    place = None if answer is None else _place(question, options, answer)
    words = table("questions")["degrees"]
    degrees = [{"id": name, **words[name], "percent": f"{100 * p:g}"} for name, p in DEGREES.items()]
    heard = lambda place, degree: _predicted(question, asked, place, degree)
    card = QuestionCard("prediction", prompt, options, heard, degrees=degrees)
    asked = _asked[question] = Asked(options, card)
    if first := store().answered(question):
        _show_first(card, options, first, "stands")
    elif place is not None:
        _predicted(question, asked, place, degree)
    elif question in _shown:
        card.note(_said("card", "shown"))
    return card


def _predicted(question: str, asked: Asked, place: int, degree: str) -> None:
    """Keep an answer and say so; unless there is one already, or the truth was seen before."""
    record = store()
    first = record.answered(question)
    if first:
        return _show_first(asked.card, asked.options, first, "stands")
    choice, confidence = asked.options[place], DEGREES[degree]
    if question in _shown:
        return asked.card.settle(_said("card", "not_recorded", choice=choice, degree=_degree(confidence)), place)
    first = record.answer(question, "prediction", asked.options, choice, confidence)
    _show_first(asked.card, asked.options, first, "given")


def _show_first(card: QuestionCard, options: list[str], first: Answer, name: str) -> None:
    """The answer that stands, on the card."""
    if first.choice in options and _is_scored(first):
        said = _said("card", name, choice=first.choice, degree=_degree(first.confidence), at=_local(first.at))
        card.settle(said + _unsaved(), options.index(first.choice))
    else:
        card.settle(_said("card", "other_version", choice=str(first.choice), at=_local(first.at)))


def _is_scored(first: Answer) -> bool:
    """Whether an answer from the record is one that can be scored."""
    options = first.options
    known = first.choice in options and options.count(first.choice) == 1 and len(options) <= MOST_OPTIONS
    return known and first.confidence is not None and 1 / len(options) <= first.confidence < 1


# ── reveal ──────────────────────────────────────────────────────────────────────────────────────────────────


class Reveal:
    """What came out, how much it surprised the learner, and why it is so: the value of a cell."""

    def __init__(self, before: list[Parts], bar: tuple[float, float] | None, shown, after: list[Parts]):
        self.before, self.bar, self.shown, self.after = before, bar, shown, after

    def __repr__(self) -> str:
        middle = [] if self.shown is None else [repr(self.shown)]
        return "\n".join([*map(as_text, self.before), *middle, *map(as_text, self.after)])

    def _repr_html_(self) -> str:
        sentences = lambda said: "".join(f"<p>{as_html(sentence)}</p>" for sentence in said)
        bar = "" if self.bar is None else _bar(*self.bar)
        return f"<div>{sentences(self.before)}{bar}{_html_of(self.shown)}{sentences(self.after)}</div>"


def reveal(question: str, truth, shown=None) -> Reveal:
    """The truth, beside what the learner predicted: the surprise −log p(truth) in nats, and the explanation.

    truth: one of the question's options, as the cell computed it;  shown: a table or a picture to be shown with it.
    Records truth and loss beside the first answer; nothing where there is none.  Raises ValueError for a truth that is
    no option.
    """
    truth, first, asked = clean(truth), store().answered(question), _asked.get(question)
    options = asked.options if asked else first.options if first else [truth]
    if truth not in options:
        raise ValueError(_sentence("errors", "truth", truth=truth, question=question, options=_listed(options)))
    words = _words(question, "prediction")
    before, bar, leaned = [_said("reveal", "truth", truth=truth)], None, []
    if first is None:
        _shown.add(question)
        if asked and not asked.card.locked:
            asked.card.note(_said("card", "shown"))
        before.append(_said("reveal", "no_answer"))
    elif not _is_scored(first) or truth not in first.options:
        before.append(_said("reveal", "not_scored", choice=str(first.choice)))
    else:
        said, bar = _score(question, truth, first)
        before += said
        leaned = [parts(each.get("leaned", "")) for each in words.get("options", []) if each["text"] == first.choice]
    return Reveal(before, bar, shown, [*filter(None, leaned), *paragraphs(words.get("explanation", ""))])


def _score(question: str, truth: str, first: Answer) -> tuple[list[Parts], tuple[float, float]]:
    """Record the truth; what is said of the answer, and (surprise, that of guessing evenly) for the bar."""
    p_choice, p_truth, loss = scored(first.options, first.choice, first.confidence, truth)
    even = surprise(1 / len(first.options))
    store().truth(question, truth, loss)
    percents = {"p_choice": _percent(p_choice), "p_truth": _percent(p_truth)}
    name = "right" if first.choice == truth else "wrong"
    said = [_said("reveal", name, choice=first.choice, degree=_degree(first.confidence), **percents)]
    numbers = {"p": f"{p_truth:.3g}", "loss": f"{loss:.2f}", "even": f"{even:.2f}", "count": len(first.options)}
    said.append(_said("reveal", "surprise", **numbers))
    if first.truth not in (None, truth) and first.loss is not None:
        said.append(_said("reveal", "first_truth", truth=str(first.truth), loss=f"{first.loss:.2f}"))
    return said, (loss, even)


def _bar(loss: float, even: float) -> str:
    """The surprise as a bar from 0 to that of a certain miss, with a line at that of guessing evenly."""
    numbers = {"loss": f"{loss:.2f}", "even": f"{even:.2f}", "worst": f"{WORST:.1f}"}
    label = html.escape(_sentence("reveal", "bar_label", **numbers))
    filled, line = (f"{100 * x / WORST:.1f}%" for x in (loss, even))
    tick = f'<div style="position:absolute;left:{line};top:-3px;height:18px;border-left:2px solid currentColor"></div>'
    even_text = html.escape(_sentence("reveal", "bar_even", **numbers))
    scale = f'<span style="position:absolute;left:{line}">{even_text}</span>'
    return (
        f'<div role="img" aria-label="{label}" style="max-width:28em;margin:4px 0 12px;font-size:90%">'
        f'<div style="position:relative;height:12px;border:1px solid currentColor">'
        f'<div style="width:{filled};height:12px;background-color:{LOSS}"></div>{tick}</div>'
        f'<div style="position:relative;display:flex;justify-content:space-between;padding-top:4px">'
        f"<span>0</span>{scale}<span>{numbers['worst']}</span></div></div>"
    )


def _html_of(shown) -> str:
    """Anything a notebook can show, as HTML."""
    if shown is None:
        return ""
    if hasattr(shown, "_repr_mimebundle_"):
        bundle = shown._repr_mimebundle_()
        found = (bundle[0] if isinstance(bundle, tuple) else bundle).get("text/html")
    else:
        found = shown._repr_html_() if hasattr(shown, "_repr_html_") else None
    return found or f"<pre>{html.escape(repr(shown))}</pre>"


# ── quiz ────────────────────────────────────────────────────────────────────────────────────────────────────


def quiz(question: str, answer: str | None = None) -> QuestionCard:
    """A card with one question of a chapter's quiz; the first choice is recorded, and one may try again.

    question: "chapter.name", as in questions_NN.toml;  answer: an option, where no card can be clicked.
    Raises ValueError for a question that is not there, and for an answer that is no option.
    """
    words = _words(question, "quiz")
    if not words:
        raise ValueError(_no_quiz(question))
    rows = _in_order(question, words["options"])
    options = [clean(row["text"]) for row in rows]
    right = next(place for place, row in enumerate(rows) if row.get("right"))
    place = None if answer is None else _place(question, options, answer)
    whys = [parts(row.get("why", "")) for row in rows]
    heard = lambda place, _: _first_choice(question, options, right, place, card)
    card = QuestionCard("quiz", words["prompt"], options, heard, right=right, whys=whys)
    if first := store().answered(question):
        card.note(_said("card", "first_quiz", choice=str(first.choice), at=_local(first.at)))
    if place is not None:
        card.tried = [place]
    return card


def _in_order(question: str, rows: list[dict]) -> list[dict]:
    """The options in an order of their own: a table tends to name the right one first."""
    key = lambda place: hashlib.sha256(f"{question}/{place}".encode()).digest()
    return [rows[place] for place in sorted(range(len(rows)), key=key)]


def _first_choice(question: str, options: list[str], right: int, place: int, card: QuestionCard) -> None:
    record = store()
    if record.answered(question) is None:
        record.answer(question, "quiz", options, options[place])
        card.note(_unsaved())
    record.truth(question, options[right], None)


def _no_quiz(question: str) -> str:
    chapter = str(question).partition(".")[0]
    names = [f"{chapter}.{name}" for name in _chapter(chapter).get("quiz", {})]
    if not names:
        return _sentence("errors", "no_quiz_chapter", question=question)
    near = difflib.get_close_matches(str(question), names, n=3, cutoff=0.3) or names
    return _sentence("errors", "no_quiz", question=question, near=", ".join(near))


# ── what is asked, checked ──────────────────────────────────────────────────────────────────────────────────


def _checked(question: str, prompt: str, options: Iterable) -> list[str]:
    """The options as texts."""
    if not isinstance(question, str) or not re.fullmatch(r"[^\s.]+\.\S+", question):
        raise ValueError(_sentence("errors", "question", question=question))
    options = [clean(option) for option in ([options] if isinstance(options, str) else options)]
    if not str(prompt).strip():
        raise ValueError(_sentence("errors", "prompt", question=question))
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise ValueError(_sentence("errors", "count", question=question, most=MOST_OPTIONS, count=len(options)))
    for number, option in enumerate(options, 1):
        if not option.strip():
            raise ValueError(_sentence("errors", "empty", question=question, number=number))
        if option in options[: number - 1]:
            raise ValueError(_sentence("errors", "twice", question=question, option=option))
    return options


def _place(question: str, options: list[str], answer) -> int:
    """The place of an option, from its text or its number as the card shows it."""
    if clean(answer) not in options and clean(answer) in (numbers := [str(n + 1) for n in range(len(options))]):
        return numbers.index(clean(answer))
    if clean(answer) not in options:
        raise ValueError(_sentence("errors", "no_option", given=answer, question=question, options=_listed(options)))
    return options.index(clean(answer))


def _degree_of(question: str, answer: str | None, confidence: str | None) -> str | None:
    """The name of a degree of confidence, from its name or from what the card calls it."""
    if answer is None and confidence is not None:
        raise ValueError(_sentence("errors", "confidence_alone"))
    if answer is None:
        return None
    names = {words["name"]: name for name, words in table("questions")["degrees"].items()}
    degree = names.get(confidence, confidence)
    if degree not in DEGREES:
        raise ValueError(_sentence("errors", "confidence", degrees=_listed(DEGREES), given=confidence))
    return degree


def _listed(options: Iterable[str]) -> str:
    return ", ".join(f'"{option}"' for option in options)


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


def _chapter(chapter: str) -> dict:
    """The table of a chapter's questions; empty where it has none."""
    try:
        return table(f"questions_{chapter}")
    except FileNotFoundError:
        return {}


def _words(question: str, kind: str) -> dict:
    """What is said of one question; empty where nothing is."""
    chapter, _, name = str(question).partition(".")
    return _chapter(chapter).get(kind, {}).get(name, {})


def _sentence(section: str, name: str, /, **values) -> str:
    return table("questions")[section][name].format(**values)


def _said(section: str, name: str, /, **values) -> Parts:
    return parts(table("questions")[section][name], **values)


def _unsaved() -> Parts:
    """A word more where the record can't be written."""
    return [] if store().saved else [["", " "], *_said("card", "not_saved")]


def _degree(confidence: float) -> str:
    names = [name for name, p in DEGREES.items() if p == confidence]
    return table("questions")["degrees"][names[0]]["name"] if names else f"{_percent(confidence)} %"


def _percent(p: float) -> str:
    return f"{100 * p:.3g}"


def _local(moment: str) -> str:
    """A moment of the record where the learner is, to the minute."""
    at = datetime.datetime.strptime(moment, MOMENT).replace(tzinfo=datetime.UTC)
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
