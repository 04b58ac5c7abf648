r"""`explore.tokens(tokenizer)`: a text in tokens, as one types, with as many of the tokenizer's merges as one likes.

For a `BPETokenizer` the page does the arithmetic: bytes, merges and special tokens travel once, and typing and dragging
need no kernel.  Any other tokenizer with `encode` and `decode` runs here, each time the text changes.

Which characters are letters and which are numbers is sent along: `\p{L}` and `\p{N}` belong to a version of Unicode, and
a browser's need not be that of the library `regex`.
"""

import functools
import itertools
import sys
from typing import NamedTuple

import numpy as np
import regex
import traitlets

from course.explore.base import Explorer, clean, module, stylesheet
from course.sentences import table
from course.text import bpe

MOST_TOKENS = 1000  # of another kind of tokenizer, that travel to the page
PAIRS = ("merges", "special_tokens", "token_bytes", "first")  # what a tokenizer has whose arithmetic the page can do


class Counts(NamedTuple):
    """What is counted of a text; the two ratios are None where there is nothing to divide by."""

    characters: int  # code points, as len(text)
    bytes: int  # of the text in UTF-8
    tokens: int
    tokens_per_character: float | None
    bytes_per_token: float | None


class Token(NamedTuple):
    """One token, as pictures show it."""

    id: int
    text: str  # what it spells, of the text where that is known
    name: str  # its name in the tokenizer's vocabulary, or its bytes in hexadecimal where they are no whole characters
    kind: str  # "whole"; "part" or "shared": not whole characters; "special" or "added"

    @property
    def label(self) -> str:
        """The text of whole characters, else the name."""
        return self.text if self.kind in ("whole", "special") else self.name


class TokensExplorer(Explorer):
    """Made by `explore.tokens`.  The traits of the state can be read and set; `ids`, `ids_other` follow from them."""

    kind = "tokens"
    topics = (("explore", "kit"), ("explore_tokens", "tokens"))
    _esm = module("tokens_bpe.js", "tokens_panel.js", "tokens.js")
    _css = stylesheet("tokens.css")

    # the state
    text = traitlets.Unicode("").tag(sync=True)
    n_merges = traitlets.Int(0).tag(sync=True)  # how many of the tokenizer's merges are used, the first ones
    n_merges_other = traitlets.Int(0).tag(sync=True)  # the same of the tokenizer beside it
    token = traitlets.Int(0).tag(sync=True)  # place of the token that is read out; too large a one means the last
    token_other = traitlets.Int(0).tag(sync=True)
    under = traitlets.Enum(("id", "bytes", "nothing"), "id").tag(sync=True)  # what stands below each token

    # what the page needs
    sources = traitlets.List(traitlets.Dict()).tag(sync=True)  # one for each tokenizer, see _source
    merges = traitlets.Bytes(b"").tag(sync=True)  # uint32, left and right id of each merge
    merges_other = traitlets.Bytes(b"").tag(sync=True)
    split = traitlets.Unicode("").tag(sync=True)  # the regular expression that cuts a text into pieces, for JavaScript

    # the answers of tokenizers that run here: {"text", "count", "rows": [id, text, name, kind] of the first tokens}
    answers = traitlets.List(traitlets.Dict()).tag(sync=True)
    answered = traitlets.Unicode("").tag(sync=True)  # the text for which they were asked last

    def __init__(self, tokenizers, text, title=""):
        """tokenizers: one, or two to be shown beside each other."""
        self.tokenizers = tuple(tokenizers)
        self._shortened = {}  # (place, n) → the tokenizer of the first n merges that was used last
        words = table("explore_tokens")["tokens"]
        sources = [_source(tokenizer, words) for tokenizer in self.tokenizers]
        pairs = [source["pairs"] for source in sources]
        state = {f"n_merges{'_other' * place}": source["merges"] for place, source in enumerate(sources)}
        packed = {f"merges{'_other' * i}": _pack(t.merges) for i, t in enumerate(self.tokenizers) if pairs[i]}
        self._counts_of_merges = [source["merges"] if source["pairs"] else None for source in sources]
        super().__init__(text=text, title=clean(title), sources=sources, answers=[{} for _ in sources],
                         split=split_pattern() if any(pairs) else "", **state, **packed)  # fmt: skip
        for place, trait in enumerate(("token", "token_other")[: len(sources)]):
            if pairs[place]:
                self.set_trait(trait, self._worth_seeing(place))
        if not all(pairs):
            self._answer()
            self.observe(self._answer, "text")

    # ── reading it ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def ids(self) -> list[int]:
        """The ids of the text's tokens, as the page shows them."""
        return self._ids(0)

    @property
    def ids_other(self) -> list[int] | None:
        """The ids of the tokenizer beside the first; None where there is none."""
        return self._ids(1) if len(self.tokenizers) == 2 else None

    def used(self, place: int = 0):
        """The tokenizer whose tokens are shown: the one given, or its first merges.  `place` 1: the other one."""
        n, tokenizer = self._n(place), self.tokenizers[place]
        if n is None or n == self._counts_of_merges[place]:
            return tokenizer
        if self._shortened.get(place, (None, None))[0] != n:
            self._shortened[place] = n, tokenizer.first(n)
        return self._shortened[place][1]

    def tokens(self, place: int = 0) -> list[Token]:
        """All tokens of the text.  `place` 1: those of the other tokenizer."""
        if not self.sources[place]["pairs"]:
            return read(self.tokenizers[place], self.text)
        tokenizer = self.used(place)
        special = {id: text for text, id in tokenizer.special_tokens.items()}
        return [_token_of_bytes(id, tokenizer, special) for id in self._ids(place)]

    def counts(self, place: int = 0) -> Counts:
        """Characters, bytes and tokens of the text.  `place` 1: with the tokens of the other tokenizer."""
        characters, size, tokens = len(self.text), len(self.text.encode()), len(self._ids(place))
        return Counts(characters, size, tokens, tokens / characters if characters else None, size / tokens if tokens else None)

    def summary(self) -> str:
        """The counts, of both tokenizers where there are two."""
        first = self.line(0)
        if len(self.tokenizers) == 1:
            return first
        return self.say("summary_two", first=first, name=self.sources[1]["name"], second=self.line(1))

    def line(self, place: int) -> str:
        """The counts of one tokenizer in words."""
        said = self.say("summary", **self.counts(place)._asdict())
        n = self._n(place)
        return said if n is None else said + self.say("summary_merges", n=n, count=self._counts_of_merges[place])

    def figure(self):
        """The tokens as coloured boxes, one tokenizer below the other, as a matplotlib Figure."""
        from course.explore.tokens_figure import draw

        return draw(self)

    def _worth_seeing(self, place: int) -> int:
        """The place of the token with the most bytes, of several the first: it has the most merges to show."""
        tokenizer, shown = self.tokenizers[place], self._ids(place)[:MOST_TOKENS]
        special = set(tokenizer.special_tokens.values())  # made by no merge
        lengths = [0 if id in special else len(tokenizer.token_bytes(id)) for id in shown]
        return int(np.argmax(lengths)) if lengths else 0

    def _n(self, place: int) -> int | None:
        """How many merges are used; None for a tokenizer that does not tell them."""
        return None if self._counts_of_merges[place] is None else (self.n_merges, self.n_merges_other)[place]

    def _ids(self, place: int) -> list[int]:
        if self.sources[place]["pairs"]:
            return list(self.used(place).encode(self.text))
        return [token.id for token in read(self.tokenizers[place], self.text)]

    # ── tokenizers that run here ────────────────────────────────────────────────────────────────────────────────

    def _answer(self, _change=None):
        """Runs them on the text.  Where one fails its sentence is shown and its last tokens stay."""
        answers, problem, text = list(self.answers), "", self.text
        for place, tokenizer in enumerate(self.tokenizers):
            if self.sources[place]["pairs"]:
                continue
            try:
                found = read(tokenizer, text)
                rows = [list(token._replace(text=clean(token.text), name=clean(token.name))) for token in found[:MOST_TOKENS]]
                answers[place] = {"text": text, "count": len(found), "rows": rows}
            except Exception as error:
                answers[place] = answers[place] or {"text": "", "count": 0, "rows": []}
                name = self.sources[place]["name"]
                problem = self.say("failed", name=name, kind=type(error).__name__, message=clean(error))
        with self.hold_sync():
            self.answers, self.answered, self.problem = answers, text, problem

    # ── checks ──────────────────────────────────────────────────────────────────────────────────────────────────

    @traitlets.validate("text")
    def _valid_text(self, proposal):
        return clean(proposal["value"])

    @traitlets.validate("n_merges", "n_merges_other")
    def _valid_merges(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        place = int(name.endswith("_other"))
        count = self._counts_of_merges[place] if place < len(self.tokenizers) else None
        if count is None and value != 0:
            raise traitlets.TraitError(self.say("no_merges_to_set", name=name))
        if count is not None and not 0 <= value <= count:
            raise traitlets.TraitError(self.say("bad_merges", name=name, count=count, value=value))
        return value

    @traitlets.validate("token", "token_other")
    def _valid_token(self, proposal):
        return max(proposal["value"], 0)


def tokens(tokenizer, text: str | None = None, other=None, title: str = "") -> TokensExplorer:
    """A text in tokens, live: coloured, with ids and bytes, and a slider over the merges that are used.

    tokenizer: a `BPETokenizer`, whose merges can be switched off one after the other from the last and watched at work;
    or anything with `encode(text)` and `decode(ids)`, a transformers tokenizer for instance, which has its tokens shown.
    other: a second one, shown beside it.  text: a sentence in English and Chinese if not given.

    Returns the explorer: `.text`, `.n_merges` and `.n_merges_other` can be read and set, `.ids` and `.ids_other` are the
    ids that are shown.  Raises ValueError for something that is no tokenizer.
    """
    words = table("explore_tokens")["tokens"]
    given = (tokenizer,) if other is None else (tokenizer, other)
    for one in given:
        if isinstance(one, type) or not all(callable(getattr(one, name, None)) for name in ("encode", "decode")):
            kind = one.__name__ if isinstance(one, type) else type(one).__name__
            raise ValueError(words["bad_tokenizer"].format(kind=kind))
    return TokensExplorer(given, words["opening_text"] if text is None else text, title)


# ── what a tokenizer is ─────────────────────────────────────────────────────────────────────────────────────


def _source(tokenizer, words) -> dict:
    """What the page has to know: {"name", "pairs": can it do the arithmetic?, "merges": how many, …}."""
    if not all(hasattr(tokenizer, name) for name in PAIRS):
        name = getattr(tokenizer, "name_or_path", "") or type(tokenizer).__name__
        return {"name": clean(name), "pairs": False, "merges": 0}
    by_id = sorted(tokenizer.special_tokens, key=tokenizer.special_tokens.get)
    special = [[text, by_id.index(text)] for text in sorted(by_id, key=len, reverse=True)]
    count = len(tokenizer.merges)
    return {"name": words["name_pairs"].format(count=count), "pairs": True, "merges": count, "special": special, "order": list(bpe.BYTES)}


def _pack(merges) -> bytes:
    return np.asarray(merges, dtype="<u4").reshape(-1, 2).tobytes()


@functools.cache
def split_pattern() -> str:
    r"""`course.text.bpe.SPLIT` for JavaScript: `\p{L}` and `\p{N}` spelled out as ranges of code points."""
    ranges = {name: _code_points(name) for name in (r"\p{L}", r"\p{N}")}

    def spell(match):
        if match[0] in ranges:
            return f"[{ranges[match[0]]}]"
        return regex.sub(r"\\p\{[LN]\}", lambda inner: ranges[inner[0]], match[0])  # a class: its ranges stand in it

    return regex.sub(r"\[[^\]]*\]|\\p\{[LN]\}", spell, bpe.SPLIT)


def _code_points(category: str) -> str:
    r"""All characters of a category as the inside of a class in JavaScript: `\u{41}-\u{5a}…`."""
    everything = "".join(map(chr, itertools.chain(range(0xD800), range(0xE000, sys.maxunicode + 1))))
    runs = regex.finditer(f"{category}+", everything)
    return "".join(rf"\u{{{ord(run[0][0]):x}}}-\u{{{ord(run[0][-1]):x}}}" for run in runs)


def _token_of_bytes(id: int, tokenizer, special: dict[int, str]) -> Token:
    if id in special:
        return Token(id, special[id], special[id], "special")
    spelled = tokenizer.token_bytes(id)
    try:
        return Token(id, spelled.decode(), spelled.decode(), "whole")
    except UnicodeDecodeError:
        return Token(id, spelled.decode(errors="replace"), spelled.hex(" ").upper().replace(" ", "·"), "part")


def read(tokenizer, text: str) -> list[Token]:
    """The tokens of a tokenizer of which nothing is known but `encode` and `decode`; what else it has is made use of.

    Offsets (a fast tokenizer of transformers, or one of the library tokenizers) say what part of the text each stands for.
    """
    if getattr(tokenizer, "is_fast", False) and callable(tokenizer):
        coded = tokenizer(text, return_offsets_mapping=True)
        ids, spans = coded["input_ids"], coded["offset_mapping"]
    else:
        coded = tokenizer.encode(text)
        ids, spans = getattr(coded, "ids", coded), getattr(coded, "offsets", None)
    ids = [int(id) for id in ids]
    names = _names(tokenizer, coded, ids)
    if spans is None:
        return [Token(id, name, name, "whole") for id, name in zip(ids, names)]
    found, spans = [], [tuple(span) for span in spans]
    around = [(0, 0), *spans, (len(text), len(text))]
    for place, (id, name, (start, end)) in enumerate(zip(ids, names, spans)):
        shared = start < around[place][1] or around[place + 2][0] < end and around[place + 2] != (0, 0)
        kind = "added" if start == end else "shared" if shared else "whole"
        found.append(Token(id, text[start:end], name, kind))
    return found


def _names(tokenizer, coded, ids: list[int]) -> list[str]:
    """The tokens' names in the vocabulary, or what each of them decodes to where it does not tell them."""
    if hasattr(coded, "tokens") and not callable(coded.tokens):
        return list(coded.tokens)
    if hasattr(tokenizer, "convert_ids_to_tokens"):
        return [str(name) for name in tokenizer.convert_ids_to_tokens(ids)]
    return [str(tokenizer.decode([id])) for id in ids]
