"""`explore.stack(model, tokenizer, text)`: one token's walk through the model, from place to place of the residual stream.

What is measured of every token at every place travels as one float32 bytes trait, and so do the tokens read there: another
token of the text, or more tokens read at a place, needs no kernel.  The kernel is asked for another text, for parts
switched off, and for another token to follow: then the model runs again.
"""

from typing import NamedTuple

import numpy as np
import traitlets

from course.explore.base import Explorer, clean, module, pack, stylesheet
from course.explore.sampling_explorer import chance, name_of
from course.sentences import table

MOST_TOKENS = 256  # of the text
MOST_TOP = 10  # tokens read at a place
MEASURED = ("length", "added", "with_end", "with_before", "p", "rank")  # what travels of each place and token, in this order


class _Refused(ValueError):
    """A sentence for the explorer to say."""


class Rung(NamedTuple):
    """One place of the ladder, for the token looked at.  NaN for what there is not."""

    place: str  # "embedding", "positions", "attention 1", "feed_forward 1", …, "norm"
    length: float  # of the stream
    added: float  # length of what the part gave
    share: float  # of the end
    cosine: float  # to the stream before
    top: list[tuple[str, float]]  # tokens read here, with probabilities
    p: float  # of the token that is followed
    rank: int  # and its rank, 1 for the most probable


class StackExplorer(Explorer):
    """Made by `explore.stack`.  The traits of the state can be read and set; `ladder()`, `shares`, `before()`, … follow."""

    kind = "stack"
    topics = (("explore", "kit"), ("explore_stack", "stack"))
    _esm = module("tokens_bpe.js", "tokens_panel.js", "sampling_controls.js", "stack_numbers.js", "stack_ladder.js", "stack.js")
    _css = stylesheet("tokens.css", "stack.css")

    # the state
    text = traitlets.Unicode("").tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)  # place of the token looked at; too large a one means the last
    off = traitlets.List(traitlets.Unicode()).tag(sync=True)  # names of parts
    follow = traitlets.Unicode("").tag(sync=True)  # its first token is followed; "": the token that the whole model says
    top = traitlets.Int(3).tag(sync=True)  # tokens read at each place

    # what the page needs
    parts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    stream_kind = traitlets.Unicode("sum").tag(sync=True)  # see course.lens.stream.kind
    normed = traitlets.Bool(True).tag(sync=True)  # is there a final norm?
    size = traitlets.Int(0).tag(sync=True)  # V

    # the model's answer; all of it belongs to `answer`.  `answered` is what it was asked last, answered well or not
    answer = traitlets.Dict().tag(sync=True)  # {"text", "off", "follow", "tokens", "labels", "followed": ids, "names", …}
    answered = traitlets.List().tag(sync=True)  # [text, off, follow]
    numbers = traitlets.Bytes(b"").tag(sync=True)  # (6, places, T) float32, see MEASURED
    top_ids = traitlets.Bytes(b"").tag(sync=True)  # (places, T, MOST_TOP) uint32
    top_probs = traitlets.Bytes(b"").tag(sync=True)  # … float32
    whole_ids = traitlets.Bytes(b"").tag(sync=True)  # (T, MOST_TOP) uint32, what the model says with all parts on
    whole_probs = traitlets.Bytes(b"").tag(sync=True)  # … float32

    def __init__(self, model, tokenizer, text, *, off=(), follow="", title=""):
        from course.lens import stream

        self.model, self.tokenizer = model, tokenizer
        self._measured = np.zeros((len(MEASURED), 0, 0), np.float32)
        self._whole = {}  # ids of a text → what the model says with all parts on
        self._read = self._said = (np.zeros((0, 0, 0), np.uint32), np.zeros((0, 0, 0), np.float32))
        super().__init__(title=clean(title), parts=list(stream.parts(model)), stream_kind=stream.kind(model), normed=hasattr(model.norm, "weight"),
                         size=model.unembedding.weight.shape[0])  # fmt: skip
        self.text, self.off, self.follow = text, list(off), follow
        self._run()
        self.token = max(self._measured.shape[2] - 1, 0)
        self.observe(self._run, ["text", "off", "follow"])

    # ── reading it ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def places(self) -> list[str]:
        """The parts, and "norm" where the model has a final norm."""
        return [*self.parts, *(["norm"] if self.normed else [])]

    @property
    def lengths(self) -> np.ndarray:
        """The length of the stream at each place, (places, T) float64."""
        return self._row("length")

    @property
    def added(self) -> np.ndarray:
        """The length of what each part gave, (places, T) float64; NaN for the final norm."""
        return self._row("added")

    @property
    def shares(self) -> np.ndarray:
        """Each part's share of the end, (places, T) float64; NaN for the final norm, and where the end is no sum of parts."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = self._row("with_end") / self.lengths[len(self.parts) - 1] ** 2
        return found if self.stream_kind == "sum" else np.full_like(found, np.nan)

    @property
    def cosines(self) -> np.ndarray:
        """The cosine of the stream at each place to the one before, (places, T) float64; NaN for the first."""
        lengths = self.lengths
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._row("with_before") / (lengths * np.concatenate([np.full_like(lengths[:1], np.nan), lengths[:-1]]))

    @property
    def at(self) -> int:
        """The place of the token looked at; −1 where there is none."""
        return min(self.token, self._measured.shape[2] - 1)

    def tokens(self) -> list[str]:
        """The tokens shown."""
        return [label for label, _ in self.answer.get("labels", [])]

    def followed(self) -> str:
        """The token whose probability is followed from place to place."""
        return self.name(self.answer["followed"][self.at])[0]

    def name(self, id: int) -> tuple[str, str]:
        """What a token is called, and its kind."""
        return name_of(self.tokenizer, int(id))

    def ladder(self) -> list[Rung]:
        """Every place of the walk of the token looked at."""
        at = self.at
        if at < 0:
            return []
        columns = [table[:, at] for table in (self.lengths, self.added, self.shares, self.cosines, self._row("p"), self._row("rank"))]
        return [Rung(place, float(length), float(added), float(share), float(cosine), self._named(self._read, (i, at)), float(p), int(rank))
                for i, (place, length, added, share, cosine, p, rank) in enumerate(zip(self.places, *columns))]  # fmt: skip

    def before(self) -> list[tuple[str, float]]:
        """The most probable next tokens after the token looked at, with all parts on."""
        return self._named(self._said, (0, self.at))

    def after(self) -> list[tuple[str, float]]:
        """The same with the parts in `off` switched off."""
        return self._named(self._read, (-1, self.at))

    def place_name(self, place: str) -> str:
        """A place as it is shown."""
        part, _, layer = place.partition(" ")
        return self.say(f"place_{part}", layer=layer)

    def summary(self) -> str:
        """Which token, how long the stream gets, and what the model says."""
        from course import figures

        if self.at < 0:
            return self.say("summary_empty")
        token, [(following, p), *_] = figures.label(self.tokens()[self.at]), self.after()
        said = self.say("summary", token=token, at=self.at, count=len(self.tokens()), next=figures.label(following), p=chance(p),
                        length=f"{self.lengths[len(self.parts) - 1, self.at]:.3g}")  # fmt: skip
        return said + (self.say("summary_off", names=", ".join(map(self.place_name, self.answer["off"]))) if self.answer["off"] else "")

    def figure(self):
        """The ladder of the token looked at, as a matplotlib Figure."""
        from course.explore.stack_figure import draw

        return draw(self)

    def refresh(self) -> None:
        """Runs the model again: after it was trained further, for instance."""
        self._whole = {}
        self.answered = []
        self._run()

    # ── the model ───────────────────────────────────────────────────────────────────────────────────────────────

    def _row(self, name: str) -> np.ndarray:
        return self._measured[MEASURED.index(name)].astype(np.float64)

    def _named(self, found, where: tuple[int, int]) -> list[tuple[str, float]]:
        if self.at < 0:
            return []
        ids, probs = found
        return [(self.name(id)[0], float(p)) for id, p in zip(ids[where][: self.top], probs[where])]

    def _run(self, _change=None):
        """Runs the model on the text.  Where that fails its sentence is shown and the last good picture stays."""
        asked = [self.text, list(self.off), self.follow]
        if asked == self.answered:
            return
        problem, fresh = "", {}
        try:
            fresh = self._ask(*asked)
        except _Refused as refusal:
            problem = str(refusal)
        except Exception as error:
            problem = self.say("failed", kind=type(error).__name__, message=clean(error))
        with self.hold_sync():
            for name, value in fresh.items():
                setattr(self, name, value)
            self.answered, self.problem = asked, problem

    def _ask(self, text: str, off: list[str], follow: str) -> dict:
        """The traits that show `text` with the parts in `off` switched off."""
        from course.lens import stream

        coded, following = self._encode(text), self._encode(follow) if follow else []
        if not coded:
            raise _Refused(self.say("empty"))
        limit = self.model.config.context_length
        ids = coded[: min(limit, MOST_TOKENS)]
        found = stream.stream(self.model, ids, off)
        if not (np.isfinite(found.x).all() and np.isfinite(found.logits).all()):
            raise _Refused(self.say("not_numbers"))
        said = self._says(ids, found.logits if not off else None)
        followed = np.full(len(ids), following[0]) if following else said[0][0, :, 0].astype(np.int64)
        self._measured, self._read = self._measure(found, followed)
        self._said = said
        self._whole = {tuple(ids): said}  # the next run is most often of the same text
        wanted = sorted({*np.unique(self._read[0]).tolist(), *np.unique(said[0]).tolist(), *followed.tolist()})
        answer = {"text": text, "off": off, "follow": follow, "tokens": len(coded), "limit": limit, "following": len(following), "followed": followed.tolist(),
                  "labels": [[clean(part) for part in self.name(id)] for id in ids],
                  "names": {str(id): [clean(part) for part in self.name(id)] for id in wanted}}  # fmt: skip
        travels = lambda ids: ids.astype("<u4").tobytes()
        return {"answer": answer, "numbers": pack(self._measured), "top_ids": travels(self._read[0]), "top_probs": pack(self._read[1]),
                "whole_ids": travels(said[0]), "whole_probs": pack(said[1])}  # fmt: skip

    def _encode(self, text: str) -> list[int]:
        coded = self.tokenizer.encode(text)
        return [int(id) for id in getattr(coded, "ids", coded)]

    def _says(self, ids: list[int], logits: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """The most probable tokens with all parts on, (1, T, n) ids and probabilities."""
        from course.lens import stream

        if logits is None and tuple(ids) in self._whole:
            return self._whole[tuple(ids)]
        probs = _probabilities(stream.stream(self.model, ids).logits if logits is None else logits)
        found = _most_probable(probs)
        return found[None].astype(np.uint32), np.take_along_axis(probs, found, -1)[None].astype(np.float32)

    def _measure(self, found, followed: np.ndarray):
        """(6, places, T) of what MEASURED names, and the tokens read at each place: (places, T, n) ids and probabilities."""
        from course.lens import stream

        x = found.x.astype(np.float64)
        added = found.added.astype(np.float64)
        lengths, given, with_end = np.linalg.norm(x, axis=-1), np.linalg.norm(added, axis=-1), (added * x[-1]).sum(-1)
        nothing = np.full_like(lengths[:1], np.nan)
        with_before = np.concatenate([nothing, (x[1:] * x[:-1]).sum(-1)])
        if self.normed:
            end = found.normed.astype(np.float64)
            lengths = np.concatenate([lengths, np.linalg.norm(end, axis=-1)[None]])
            given, with_end = np.concatenate([given, nothing]), np.concatenate([with_end, nothing])
            with_before = np.concatenate([with_before, (end * x[-1]).sum(-1)[None]])
        ids, probs, p, rank = [], [], [], []
        for place in range(len(self.places)):  # one at a time: of a large vocabulary there are many logits
            here = _probabilities(stream.read(self.model, found.x[place]) if place < len(self.parts) else found.logits)  # (T, V)
            ids.append(_most_probable(here))
            probs.append(np.take_along_axis(here, ids[-1], -1))
            own = np.take_along_axis(here, followed[:, None], -1)
            p.append(own[:, 0])
            # Of equals the smaller id is first, as in the tokens read.
            rank.append(1 + (here > own).sum(-1) + ((here == own) & (np.arange(here.shape[1]) < followed[:, None])).sum(-1))
        measured = np.stack([lengths, given, with_end, with_before, np.stack(p), np.stack(rank)]).astype(np.float32)
        return measured, (np.stack(ids).astype(np.uint32), np.stack(probs).astype(np.float32))

    # ── checks ──────────────────────────────────────────────────────────────────────────────────────────────────

    @traitlets.validate("text", "follow")
    def _valid_text(self, proposal):
        return clean(proposal["value"])

    @traitlets.validate("off")
    def _valid_off(self, proposal):
        unknown = [name for name in proposal["value"] if name not in self.parts]
        if unknown:
            raise traitlets.TraitError(self.say("bad_off", names=", ".join(self.parts), value=", ".join(unknown)))
        return [name for name in self.parts if name in proposal["value"]]

    @traitlets.validate("top")
    def _valid_top(self, proposal):
        if not 1 <= proposal["value"] <= MOST_TOP:
            raise traitlets.TraitError(self.say("bad_top", most=MOST_TOP, value=proposal["value"]))
        return proposal["value"]

    @traitlets.validate("token")
    def _valid_token(self, proposal):
        return max(proposal["value"], 0)


def stack(model, tokenizer, text: str | None = None, *, off=(), follow: str = "", token: int | None = None, top: int = 3,
          title: str = "") -> StackExplorer:  # fmt: skip
    """One token's walk through the model, live: the residual stream after every part, and what could be read from it there.

    model: a GPT of course.models, with blocks of any kind of course.blocks.block.  tokenizer: anything with `encode(text)`
    and `decode(ids)`.  Of a text that is longer than the model reads the first tokens are shown.
    off: names of parts that are switched off ("attention 1", "feed_forward 2", "positions", …).  follow: a text whose first
    token is followed from place to place; "": the token that the whole model says next.  token: the place of the token
    looked at, None for the last.  top: how many tokens are read at each place, 1 to 10.

    Returns the explorer: its settings can be read and set, `.ladder()` is what is shown of the token looked at, `.shares`,
    `.lengths`, `.cosines` are those of all tokens, `.before()` and `.after()` what the model says.
    Raises ValueError for what is no such model or no tokenizer, TraitError for settings out of range.
    """
    from course.models import GPT

    words = table("explore_stack")["stack"]
    if not isinstance(model, GPT):
        raise ValueError(words["bad_model"].format(kind=_kind(model)))
    if isinstance(tokenizer, type) or not all(callable(getattr(tokenizer, name, None)) for name in ("encode", "decode")):
        raise ValueError(words["bad_tokenizer"].format(kind=_kind(tokenizer)))
    e = StackExplorer(model, tokenizer, words["opening_text"] if text is None else text, off=off, follow=follow, title=title)
    e.top = top
    if token is not None:
        e.token = token
    return e


def _probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, float64."""
    logits = logits.astype(np.float64)
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _most_probable(probs: np.ndarray) -> np.ndarray:
    """The MOST_TOP most probable ids of each row, the most probable first, of equals the smaller."""
    kept = min(MOST_TOP, probs.shape[-1])
    least = np.partition(probs, -kept, axis=-1)[:, -kept]  # sorting whole rows of a large vocabulary would take seconds
    found = [np.flatnonzero(row >= limit) for row, limit in zip(probs, least)]
    return np.stack([ids[np.argsort(-row[ids], kind="stable")[:kept]] for row, ids in zip(probs, found)])


def _kind(thing) -> str:
    return thing.__name__ if isinstance(thing, type) else type(thing).__name__
