"""`explore.neuron(model, tokenizer)`: one neuron of a feed-forward part, what switches it on, and what it then adds.

The numbers before the bend, of all neurons of one layer at all tokens of the text, travel as one float32 bytes trait; so do
the places of a corpus that switch each of them on most, and the tokens that each value row speaks for and against.  The page
bends them itself: neuron, activation and token need no kernel, which is asked for another layer or text only.
"""

from typing import NamedTuple

import numpy as np
import traitlets

from course.explore.base import Explorer, clean, module, pack, stylesheet
from course.sentences import table

ACTIVATIONS = ("relu", "gelu", "gelu_tanh", "silu")
SHOWN_TEXTS = 6  # of a corpus, for each neuron
SHOWN_TOKENS = 8  # of the vocabulary, for each neuron, for and against
MOST_TOKENS = 256  # of the text, or fewer: as many as MOST_NUMBERS allow
MOST_NUMBERS = 150_000  # tokens × neurons that travel
CORPUS_TEXTS, CORPUS_TOKENS = 200, 64  # texts of the corpus that is taken when none is given; tokens of each text of any


class _Refused(ValueError):
    """A sentence for the explorer to say."""


class Found(NamedTuple):
    """A text of the corpus, in three parts, and the neuron's activation at the token that switches it on most."""

    before: str
    token: str
    after: str
    activation: float


class NeuronExplorer(Explorer):
    """Made by `explore.neuron`.  The traits of the state can be read and set; `z`, `value`, `texts()`, … follow."""

    kind = "neuron"
    topics = (("explore", "kit"), ("explore_neuron", "neuron"))
    _esm = module("tokens_bpe.js", "tokens_panel.js", "sampling_controls.js", "neuron_numbers.js", "neuron_parts.js", "neuron.js")
    _css = stylesheet("tokens.css", "neuron.css")

    # the state
    text = traitlets.Unicode("").tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    neuron = traitlets.Int(0).tag(sync=True)
    activation = traitlets.Enum(ACTIVATIONS, "relu").tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)  # place of the token looked at; too large a one means the last

    # what the page needs
    own = traitlets.Unicode("").tag(sync=True)  # the layer's own activation
    n_layers = traitlets.Int(1).tag(sync=True)
    width = traitlets.Int(1).tag(sync=True)  # F_, neurons of a layer
    bare = traitlets.Bool(False).tag(sync=True)  # one layer with vectors, no model: there is no text to type
    corpus = traitlets.Bytes(b"").tag(sync=True)  # uint32, the ids of all its texts
    starts = traitlets.List(traitlets.Int()).tag(sync=True)  # where each text starts in it, and the end
    names = traitlets.Dict().tag(sync=True)  # id → [text, kind, bytes in hexadecimal of what is no whole characters]

    # the model's answer; all of it belongs to `answer`.  `answered` is what it was asked last, answered well or not
    answer = traitlets.Dict().tag(sync=True)  # {"text", "layer", "tokens": how many, "labels": [text, kind] of those shown}
    answered = traitlets.List().tag(sync=True)  # [text, layer]
    pre = traitlets.Bytes(b"").tag(sync=True)  # (T, F_) float32, before the bend
    bias = traitlets.Bytes(b"").tag(sync=True)  # (F_,) float32
    peak_places = traitlets.Bytes(b"").tag(sync=True)  # (F_, texts, 2) int32: text, position; −1 for none
    peak_z = traitlets.Bytes(b"").tag(sync=True)  # (F_, texts) float32
    said_ids = traitlets.Bytes(b"").tag(sync=True)  # (F_, 2, tokens) uint32: raised most, lowered most
    said = traitlets.Bytes(b"").tag(sync=True)  # (F_, 2, tokens) float32

    def __init__(self, subject, texts=(), *, layer=0, neuron=None, activation=None, text="", title=""):
        """subject: a _Model or a _Layer; texts: the corpus, as text."""
        self.subject = subject
        self._measured = {}  # layer → what is measured of it once
        self._pre = np.zeros((0, subject.width), np.float32)
        self._texts = [ids for one in texts if (ids := subject.encode(one)[:CORPUS_TOKENS])]
        starts = np.cumsum([0, *map(len, self._texts)]).tolist()
        super().__init__(title=clean(title), n_layers=subject.n_layers, width=subject.width, bare=subject.bare, starts=starts,
                         corpus=np.array([id for ids in self._texts for id in ids], "<u4").tobytes())  # fmt: skip
        self.text, self.layer = text, layer
        self._run()
        self.activation = activation or subject.bend(layer)
        if neuron is not None:
            self.neuron = neuron
        elif len(self._pre):
            self.neuron = int(self.by_strength()[0])
        if len(self._pre):
            self.token = int(self._pre[:, self.neuron].argmax())
        self.observe(self._run, ["text", "layer"])

    # ── reading it ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def pre_activations(self) -> np.ndarray:
        """key·x + bias of every neuron of the layer at every token shown, (T, F_) float32."""
        return self._pre

    @property
    def activations(self) -> np.ndarray:
        """After the bend that is chosen, (T, F_) float64."""
        return bent(self.activation, self._pre)

    @property
    def place(self) -> int:
        """The token looked at; −1 where there is none."""
        return min(self.token, len(self._pre) - 1)

    @property
    def z(self) -> float:
        """key·x + bias of the neuron at the token looked at; NaN where there is none."""
        return float(self._pre[self.place, self.neuron]) if len(self._pre) else float("nan")

    @property
    def value(self) -> float:
        """The neuron's activation there: how much of its value row is added."""
        return float(bent(self.activation, self.z))

    def tokens(self) -> list[str]:
        """The tokens shown."""
        return [label for label, _ in self.answer.get("labels", [])]

    def by_strength(self) -> np.ndarray:
        """All neurons of the layer, the one with the largest activation on this text first, of equals the smaller."""
        return np.argsort(-self._pre.max(axis=0), kind="stable")

    def texts(self) -> list[Found]:
        """The texts of the corpus that switch the neuron on most, the first 64 tokens of each."""
        peaks = self._of_layer().get("peaks")
        if peaks is None:
            return []
        rows = zip(peaks.texts[self.neuron], peaks.positions[self.neuron], bent(self.activation, peaks.z[self.neuron]))
        spell = self.subject.spell
        found = [(self._texts[text], at, float(a)) for text, at, a in rows if text >= 0]
        return [Found(spell(ids[:at]), spell(ids[at : at + 1]), spell(ids[at + 1 :]), a) for ids, at, a in found]

    def raised(self) -> list[tuple[str, float]]:
        """The tokens that the value row raises most, with what it adds to their logits for each 1 of activation.

        An approximation of its direct effect: see `course.lens.neurons.effects`.
        """
        return self._said(0)

    def lowered(self) -> list[tuple[str, float]]:
        """The tokens that the value row lowers most, as `raised`."""
        return self._said(1)

    def summary(self) -> str:
        """Which neuron, and what it does at the token looked at."""
        from course import figures

        if not len(self._pre):
            return self.say("summary_empty", layer=self.layer)
        token = figures.label(self.tokens()[self.place])
        return self.say("summary", layer=self.answer["layer"], neuron=self.neuron, activation=self.activation, token=token,
                        z=f"{self.z:.3g}", value=f"{self.value:.3g}")  # fmt: skip

    def figure(self):
        """Curve, activation of each token, texts of the corpus and tokens of the vocabulary, as a matplotlib Figure."""
        from course.explore.neuron_figure import draw

        return draw(self)

    # ── changing it ─────────────────────────────────────────────────────────────────────────────────────────────

    def next_most_active(self) -> None:
        """Goes to the next neuron in the order of `by_strength`; after the last comes the first."""
        order = self.by_strength().tolist()
        self.neuron = order[(order.index(self.neuron) + 1) % len(order)]

    def refresh(self) -> None:
        """Runs the model again on text and corpus: after it was trained further, for instance."""
        self._measured = {}
        self.answered = []
        self._run()

    # ── the model ───────────────────────────────────────────────────────────────────────────────────────────────

    def _of_layer(self) -> dict:
        return self._measured.get(self.answer.get("layer"), {})

    def _said(self, row: int) -> list[tuple[str, float]]:
        found = self._of_layer().get("extremes")
        if found is None:
            return []
        ids, added = ((found.raised, found.raised_by), (found.lowered, found.lowered_by))[row]
        return [(self._name(id)[0], float(x)) for id, x in zip(ids[self.neuron], added[self.neuron])]

    def _name(self, id: int) -> tuple[str, str]:
        return self.subject.name(int(id))

    def _run(self, _change=None):
        """Runs the model on the text.  Where that fails its sentence is shown and the last good picture stays."""
        asked = [self.text, self.layer]
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

    def _ask(self, text: str, layer: int) -> dict:
        """The traits that show `layer` on `text`."""
        ids = self.subject.encode(text)
        if not ids:
            raise _Refused(self.say("empty"))
        most = min(MOST_TOKENS, max(MOST_NUMBERS // self.subject.width, 1), self.subject.context_length or MOST_TOKENS)
        pre = self.subject.pre_activations(ids[:most], layer)
        if not np.isfinite(pre).all():
            raise _Refused(self.say("not_numbers"))
        if layer not in self._measured:
            self._measured[layer] = self.subject.measure(self._texts, layer)
        measured = self._measured[layer]
        labels = [[clean(part) for part in self.subject.label(ids, place)] for place in range(len(pre))]
        self._pre = pre
        answer = {"text": text, "layer": layer, "tokens": len(ids), "labels": labels}
        return {"answer": answer, "own": self.subject.bend(layer), "pre": pack(pre), "bias": pack(self.subject.biases(layer)), **self._packed(measured)}

    def _packed(self, measured: dict) -> dict:
        """What is measured of a layer, as it travels."""
        traits, wanted = {}, set(map(int, np.frombuffer(self.corpus, "<u4")))
        if (peaks := measured.get("peaks")) is not None:
            traits["peak_places"] = np.stack([peaks.texts, peaks.positions], -1).astype("<i4").tobytes()
            traits["peak_z"] = pack(peaks.z)
        if (found := measured.get("extremes")) is not None:
            ids = np.stack([found.raised, found.lowered], 1)
            traits["said_ids"] = ids.astype("<u4").tobytes()
            traits["said"] = pack(np.stack([found.raised_by, found.lowered_by], 1))
            wanted |= set(np.unique(ids).tolist())
        fresh = {str(id): [clean(part) for part in (*self._name(id), self.subject.halves(id))] for id in sorted(wanted) if str(id) not in self.names}
        return traits | ({"names": self.names | fresh} if fresh else {})

    # ── checks ──────────────────────────────────────────────────────────────────────────────────────────────────

    @traitlets.validate("text")
    def _valid_text(self, proposal):
        return clean(proposal["value"])

    @traitlets.validate("layer", "neuron")
    def _valid_number(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        count = self.n_layers if name == "layer" else self.width
        if not 0 <= value < count:
            raise traitlets.TraitError(self.say("bad_number", name=name, last=count - 1, value=value))
        return value

    @traitlets.validate("token")
    def _valid_token(self, proposal):
        return max(proposal["value"], 0)


def neuron(model, tokenizer=None, layer: int = 0, *, neuron: int | None = None, text: str | None = None, corpus=None,
           activation: str | None = None, vectors=None, tokens=None, title: str = "") -> NeuronExplorer:  # fmt: skip
    """One neuron of a feed-forward part, live: its bend, its activation at each token of a text, and key and value.

    model: a GPT of course.models, or anything called with ids (B, T) that has `blocks[i].feed_forward` (a `FeedForward`);
    with an `unembedding` the tokens are shown that the neuron's value row raises and lowers most.  tokenizer: anything
    with `encode(text)` and `decode(ids)`.  corpus: texts, to find in them what switches each neuron on; of each the first
    64 tokens are read.  None: 200 paragraphs of the Python language reference; []: none.
    Or model: a `FeedForward` alone, and vectors (T, C) that it is given; tokens: T names for them.

    neuron: None for the one most active on the text.  activation: "relu", "gelu", "gelu_tanh" or "silu", None for the
    layer's own; another one is put in place of it at this layer's neurons only, whose inputs stay what they are.

    Returns the explorer: its settings can be read and set; `.z`, `.value`, `.texts()`, `.raised()`, `.lowered()` are what is
    shown, and `.next_most_active()` does what the button does.
    Raises ValueError for what is no model, layer or tokenizer, TraitError for settings out of range.
    """
    from course.explore.neuron_subject import LayerSubject, ModelSubject, default_corpus

    words = table("explore_neuron")["neuron"]
    if vectors is not None:
        return NeuronExplorer(LayerSubject(model, vectors, tokens), layer=layer, neuron=neuron, activation=activation, text=" ", title=title)
    if isinstance(model, type) or not callable(model):
        raise ValueError(words["bad_model"].format(kind=_kind(model)))
    if isinstance(tokenizer, type) or not all(callable(getattr(tokenizer, name, None)) for name in ("encode", "decode")):
        raise ValueError(words["bad_tokenizer"].format(kind=_kind(tokenizer)))
    subject = ModelSubject(model, tokenizer)
    texts = default_corpus(CORPUS_TEXTS) if corpus is None else [corpus] if isinstance(corpus, str) else list(corpus)
    text = words["opening_text"] if text is None else text
    return NeuronExplorer(subject, texts, layer=layer, neuron=neuron, activation=activation, text=text, title=title)


def bent(activation: str, z):
    """`activation` of z, by hand and in float64."""
    from course.blocks import feed_forward

    return getattr(feed_forward, activation)(z)


def _kind(thing) -> str:
    return thing.__name__ if isinstance(thing, type) else type(thing).__name__
