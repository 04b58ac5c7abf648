"""A question on a card: options as native controls, for the learner's predictions and the quiz.

What an answer means, and whether it is kept, is not decided here: the card tells its `on_answer`, and shows what it is
told (`settle`, `note`).  course/exercises/questions.py makes the cards.

Prompts, explanations and options may hold `code` and *emphasis*.  They travel to the page as parts, [kind, text] with
kind "", "code", "em" or "option", which become text nodes there and escaped HTML here: nothing from outside is markup.
"""

import html
import re
from collections.abc import Callable, Sequence

import traitlets

from course.explore.base import Explorer, clean, module, stylesheet

_MARKS = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|(?<![\w*])\*(?=[^\s*])(?P<em>[^*\n]+?)(?<=[^\s*])\*(?![\w*])"  # 1*2*3 and a * b are no emphasis
    r"|\{(?P<hole>\w+)\}"
)
_OPTIONS = {"choice", "option", "truth"}  # holes that are filled with a learner's or a notebook's words
_TAGS = {"code": "code", "em": "em", "option": "strong"}

Parts = list[list[str]]


def parts(text: str, **values) -> Parts:
    """A sentence in parts, its holes {…} filled: by parts, or by text that stays text whatever it holds."""
    found, at = [], 0
    for match in _MARKS.finditer(text):
        kind, content = match.lastgroup, match[match.lastgroup]
        if kind == "hole" and content not in values:
            continue
        found.append(["", text[at : match.start()]])
        found += _filled(content, values[content]) if kind == "hole" else [[kind, content]]
        at = match.end()
    return [part for part in [*found, ["", text[at:]]] if part[1]]


def _filled(hole: str, value) -> Parts:
    if isinstance(value, list):
        return value
    return [["option", plain(value)]] if hole in _OPTIONS else [["", str(value)]]


def paragraphs(text: str) -> list[Parts]:
    """A text in paragraphs, which blank lines divide."""
    return [parts(paragraph.strip()) for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]


def plain(text: str) -> str:
    """A text without its marks, as a sentence names it."""
    return "".join(part for _, part in parts(text))


def as_text(sentence: Parts) -> str:
    """For a terminal: an option stands in quotation marks."""
    return "".join(f'"{text}"' if kind == "option" else text for kind, text in sentence)


def as_html(sentence: Parts) -> str:
    """Escaped HTML; an option keeps its direction of writing to itself."""
    return "".join(_element(kind, html.escape(text)) for kind, text in sentence)


def _element(kind: str, text: str) -> str:
    tag = _TAGS.get(kind)
    if tag is None:
        return text
    direction = ' dir="auto"' if kind == "option" else ""
    return f"<{tag}{direction}>{text}</{tag}>"


class QuestionCard(Explorer):
    """One question.  In the mode "prediction" an option and a degree of confidence are one answer, in "quiz" an option is.

    on_answer(choice, degree): called with the place of an option and the name of a degree (None in a quiz), once for
    each answer of a prediction, and for the first choice in a quiz.
    """

    _esm = module("question.js")
    _css = stylesheet("question.css")
    kind = "question"
    topics = (("explore", "kit"), ("questions", "card"))

    mode = traitlets.Enum(("prediction", "quiz"), "prediction").tag(sync=True)
    prompt = traitlets.List().tag(sync=True)  # paragraphs
    options = traitlets.List().tag(sync=True)  # parts of each
    degrees = traitlets.List().tag(sync=True)  # {id, name, key, percent} of each degree of confidence
    right = traitlets.Int(-1).tag(sync=True)  # quiz: place of the right option
    whys = traitlets.List().tag(sync=True)  # quiz: parts of what is said to each option
    given = traitlets.List().tag(sync=True)  # from the page: [place, id of the degree]
    tried = traitlets.List().tag(sync=True)  # quiz, from the page: places in the order in which they were tried
    chosen = traitlets.Int(-1).tag(sync=True)  # the place that is marked as the learner's answer
    status = traitlets.List().tag(sync=True)  # parts of what is said below the options
    locked = traitlets.Bool(False).tag(sync=True)  # nothing can be chosen any more

    def __init__(self, mode: str, prompt: str, options: Sequence[str], on_answer: Callable, **traits):
        super().__init__(mode=mode, prompt=paragraphs(clean(prompt)), options=list(map(parts, options)), **traits)
        self.title = self.sentences[mode]
        self._on_answer = on_answer
        self.observe(self._hear_given, "given")
        self.observe(self._hear_tried, "tried")

    def _hear_given(self, change) -> None:
        degrees = [degree["id"] for degree in self.degrees]
        match change["new"]:
            case [int(place), str(degree)] if 0 <= place < len(self.options) and degree in degrees and not self.locked:
                self._on_answer(place, degree)

    def _hear_tried(self, change) -> None:
        match change["old"], change["new"]:
            case [], [int(place), *_] if 0 <= place < len(self.options):
                self._on_answer(place, None)

    def note(self, sentence: Parts) -> None:
        """Say something below the options, and leave them open."""
        self.status = sentence

    def settle(self, sentence: Parts, chosen: int = -1) -> None:
        """Say what became of the answer, mark the option that counts, and take no other."""
        with self.hold_sync():
            self.chosen, self.status, self.locked = chosen, sentence, True

    # ── without a page ──────────────────────────────────────────────────────────────────────────────────────

    def _verdicts(self) -> list[Parts]:
        """What is said to each option that was tried in a quiz."""
        said = []
        for place in dict.fromkeys(self.tried):
            sentence = self.sentences["announce_right" if place == self.right else "announce_wrong"]
            option = "".join(text for _, text in self.options[place])
            said.append(parts(sentence, option=[["option", option]], why=self.whys[place]))
        return said

    def __repr__(self) -> str:
        prompt = "\n".join(map(as_text, self.prompt))
        options = [f"  {number}  {as_text(option)}" for number, option in enumerate(self.options, 1)]
        return "\n".join([f"{self.title}: {prompt}", *options, *map(as_text, self._said("terminal_" + self.mode))])

    def summary(self) -> str:
        """The question in one line."""
        return " ".join(map(as_text, self.prompt))

    def _said(self, otherwise: str) -> list[Parts]:
        """What stands below the options: what was answered, or else how to."""
        return [*([self.status] if self.status else []), *self._verdicts()] or [parts(self.sentences[otherwise])]

    def _html(self) -> str:
        prompt = "".join(f"<p>{as_html(paragraph)}</p>" for paragraph in self.prompt)
        options = "".join(f'<li dir="auto">{as_html(option)}</li>' for option in self.options)
        said = "".join(f"<p>{as_html(sentence)}</p>" for sentence in self._said("run_me"))
        return f"<p><strong>{html.escape(self.title)}</strong></p>{prompt}<ol>{options}</ol>{said}"

    def _repr_mimebundle_(self, **kwargs):
        """A live view; without a kernel the question as text, and no picture: there is nothing in it but words."""
        bundle = super(Explorer, self)._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/plain": repr(self), "text/html": self._html()}, metadata
