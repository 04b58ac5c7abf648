"""The attention explorer for a whole model: all layers and heads as tiles, one head large, and heads to switch off.

Of the layer looked at, queries and keys travel as float32, and the page computes; of the others only small pictures,
one byte a cell, until they are asked for.  The kernel runs the model when the text or the heads switched off change.
"""

import numpy as np
import traitlets

from course.blocks.attention import softmax
from course.explore import model_readout as readout
from course.explore.attention_explorer import MODES, AttentionExplorer, _dependence, _Refused
from course.explore.base import clean, module, pack, stylesheet
from course.explore.model_beside import Head, beside, order_beside
from course.lens.patterns import PATTERNS
from course.lens.recording import Recording
from course.lens.run import Run, Runnable, runnable
from course.sentences import table


class ModelExplorer(AttentionExplorer):
    """Made by `explore.attention(model, tokenizer, text=…)`.  Layers and heads are counted from 0.

    neighbours      sentences to compare with, for a model with `encode` (a sentence encoder): with heads switched off, the
                    nearest before and after are shown
    target          for a model that reads a text and writes another (its takes_target): what it writes, a text or the
                    decoder's ids; "" for what it writes by itself
    text2           a second text, on which the large head is shown beside itself
    compare         a second model, or a pair (model, tokenizer), whose head of the same place is shown beside the large one
    run, run_before what the model computed with the heads of `off` switched off, and with all on (Run)
    """

    topics = (("explore", "kit"), ("explore", "attention"), ("explore_model", "page"))
    _esm = module("attention_model.js", "attention_heat.js", "attention_lines.js", "attention_tiles.js",
                  "attention_detail.js", "attention_picture.js", "attention_order.js", "attention_view.js", "model_tiles.js", "model_panels.js",
                  "model_drawing.js", "model_beside.js", "model.js")  # fmt: skip
    _css = stylesheet("attention.css", "model.css")

    # the state
    layer = traitlets.Int(0).tag(sync=True)
    off = traitlets.List(traitlets.List(traitlets.Int(), minlen=2, maxlen=2)).tag(sync=True)  # [layer, head] pairs
    pattern = traitlets.Unicode("").tag(sync=True)  # one of PATTERNS, "" for none
    tile_order = traitlets.Enum(("layers", "pattern"), "layers").tag(sync=True)  # "pattern": the best match for `pattern` first
    mask_mode = traitlets.Enum((*MODES, "draw"), "none").tag(sync=True)
    closed = traitlets.List(traitlets.Int()).tag(sync=True)  # cells that the drawn mask hides, row · S + column

    pin = traitlets.List(traitlets.Int()).tag(sync=True)  # [layer, head] of the head that stays beside the large one, or []
    target = traitlets.Union([traitlets.Unicode(), traitlets.List(traitlets.Int())]).tag(sync=True)
    text2 = traitlets.Unicode("").tag(sync=True)  # on which the large head is shown a second time, "" for none

    # what the page needs to draw it
    layer_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    parts = traitlets.List().tag(sync=True)  # {"name", "start", "stop", "between"} of each group of layers, [] for one group
    takes_target = traitlets.Bool(False).tag(sync=True)
    tiles = traitlets.Bytes(b"").tag(sync=True)
    tile_shapes = traitlets.List().tag(sync=True)  # for each layer [heads, rows, columns]
    patterns = traitlets.List(traitlets.Unicode(), list(PATTERNS)).tag(sync=True)
    pattern_numbers = traitlets.Bytes(b"").tag(sync=True)  # (P, 2, N) float32
    run_revision = traitlets.Int(0).tag(sync=True)  # counts runs that could be shown
    opening_layer = traitlets.Int(0).tag(sync=True)
    shown_layer = traitlets.Int(0).tag(sync=True)  # whose tensors were sent last
    off_shown = traitlets.List().tag(sync=True)  # the heads that were off in the run that is shown
    effect = traitlets.Dict().tag(sync=True)  # what they changed, {} where all are on

    beside = traitlets.Dict().tag(sync=True)  # see model_beside.beside, {} for nothing
    beside_weights = traitlets.Bytes(b"").tag(sync=True)
    beside_mask = traitlets.Bytes(b"").tag(sync=True)
    beside_revision = traitlets.Int(0).tag(sync=True)

    def __init__(self, model: Runnable, *, source=None, text=None, title="", neighbours=(), target="", text2="",
                 compare=None):  # fmt: skip
        pair = compare if isinstance(compare, tuple) else (compare,)
        self.compare = None if compare is None else runnable(*pair)
        self._besides, self._beside_problem = {}, ""  # the last run beside: (text, heads off) → Run; what was said of it
        self.model, self.run, self.run_before = model, None, None
        self._before_of = None  # (text, target) of run_before
        self._encode = getattr(source, "encode", None)
        self._sentences = [clean(sentence) for sentence in neighbours]
        self._points = None  # (N, C), of the sentences to compare with; made when they are first asked for
        words = table("explore_model")["page"]
        if self._sentences and not callable(self._encode):
            raise ValueError(words["refusals"]["neighbours"].format(name=model.name))
        self.set_trait("takes_target", getattr(model, "takes_target", False))
        given = clean(target) if isinstance(target, str) else [int(token) for token in target]
        if len(given) and not self.takes_target:
            raise ValueError(words["refusals"]["target"].format(name=model.name))
        self.set_trait("target", given)
        self.set_trait("text2", clean(text2))
        super().__init__(self._layer_of_run, text=words["opening_text"] if text is None else text, title=title or model.name)
        self._run_for = self._asked()
        self.observe(self._on_text, ["off", "target"])
        self.observe(self._on_layer, ["layer"])
        self.observe(self._on_row, ["row"])
        self.observe(self._tell_beside, ["layer", "head", "pin", "text2"])

    # ── reading it ──────────────────────────────────────────────────────────────────────────────────────────────

    def summary(self) -> str:
        if self.run is None:
            return self.sentences["empty"]
        off = self.say("summary_off", names=self._names(self.off_shown)) if self.off_shown else ""
        heads = sorted({recording.heads for recording in self.run.layers})
        name, read = ("summary_two", len(self.run.source)) if self.run.source else ("summary", 0)
        return self.say(name, layers=len(self.layer_names), heads="/".join(map(str, heads)), tokens=len(self.run.tokens), read=read,
                        layer=self.layer_names[self.layer], head=self.head, off=off)  # fmt: skip

    def large(self) -> Head:
        """The large head as it is shown: under the present mask, in the present order."""
        title, mask = self.say("title_one", layer=self.layer_names[self.layer], head=self.head), self.mask()
        mask = mask[self.head] if mask is not None and mask.ndim == 3 else mask
        return Head(title, self.weights()[self.head], mask, self.tokens, self.key_tokens, *self.order())

    def second(self) -> Head | None:
        """The head beside it, None for none: under its own mask, in the large one's order."""
        if not self.beside:
            return None
        shape = len(self.beside["tokens"]), len(self.beside["key_tokens"])
        weights = np.frombuffer(self.beside_weights, np.float32).reshape(shape)
        mask = np.frombuffer(self.beside_mask, np.uint8).reshape(shape) > 0 if self.beside["masked"] else None
        names = self.beside["tokens"], self.beside["key_tokens"]
        return Head(self.beside["title"], weights, mask, *names, *order_beside(self.order(), shape))

    def figure(self):
        from course.explore.model_figure import draw

        return draw(self)

    def png(self) -> bytes:
        """As of every explorer, but made in a fraction of the time: the page waits for it."""
        from course.explore.model_figure import png

        return png(self)

    def sequence(self) -> list[tuple[int, int]]:
        """(layer, head) of all tiles in the order in which they are seen.

        Sorted by a pattern, the head furthest above looking evenly is the first of its part (a model of one stack is one
        part); of equals the one in the earlier layer, then with the smaller number; heads of layers in which the pattern
        has no target are the last.
        """
        heads = [(layer, head) for layer, (count, _, _) in enumerate(self.tile_shapes) for head in range(count)]
        if not self.pattern or self.tile_order == "layers" or self.run is None:
            return heads
        scores, baselines = readout.pattern_table(self.run)[PATTERNS.index(self.pattern)].astype(np.float64)
        above = np.where(np.isnan(scores), -np.inf, scores - baselines)
        part = [self.part_of(layer) for layer, _ in heads]
        return [heads[number] for number in np.lexsort((-above, part))]  # by part first; keeps equals in their order

    def part_of(self, layer: int) -> int:
        """The number of the part in which `layer` is, 0 where there is one."""
        return next((number for number, part in enumerate(self.parts) if layer < part["stop"]), 0)

    @property
    def drawn(self) -> np.ndarray:
        """The mask drawn by hand, (T, S) bool, True = may look; it is in force while mask_mode is "draw"."""
        mask = np.ones(len(self.tokens) * len(self.key_tokens), dtype=bool)
        mask[self.closed] = False
        return mask.reshape(len(self.tokens), len(self.key_tokens))

    @drawn.setter
    def drawn(self, mask):
        mask, expected = np.asarray(mask), (len(self.tokens), len(self.key_tokens))
        if mask.dtype != np.bool_ or mask.shape != expected:
            raise ValueError(self._refusal("drawn", expected=expected, dtype=mask.dtype, shape=mask.shape))
        self.closed = np.flatnonzero(~mask).tolist()

    def mask(self) -> np.ndarray | None:
        """See AttentionExplorer."""
        return self.drawn if self.mask_mode == "draw" and self.recording is not None else super().mask()

    def _names(self, heads) -> str:
        return ", ".join(self.say("head_name", layer=self.layer_names[layer], head=head) for layer, head in heads)

    # ── running ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _asked(self):
        return self.text, self.request, self._of(self.text)[1], tuple(map(tuple, self.off))

    def _of(self, text: str) -> tuple:
        """What a run is of: the text that is read and the one that is written, None for what the model writes."""
        target = self.target if isinstance(self.target, str) else tuple(self.target)
        return text, (target or None) if self.takes_target else None

    def _on_text(self, _change):
        if self._asked() != self._run_for:
            self._run_for = self._asked()
            self._run_text()

    def _layer_of_run(self, text: str) -> Recording:
        """Runs the model, takes over what it computed for all layers, and returns the one that is shown."""
        first, off = self.run is None, frozenset(map(tuple, self.off))
        before = self._run_model(text, frozenset()) if self._before_of != self._of(text) else self.run_before
        try:
            after = self._run_model(text, off) if off else before
        except _Refused:  # these heads can't be switched off: those that were stay so
            self._run_for = (*self._asked()[:-1], tuple(map(tuple, self.off_shown)))  # nothing to run again
            self.off = [list(pair) for pair in self.off_shown]
            raise
        self.run, self.run_before, self._before_of = after, before, self._of(text)
        self.parts = readout.parts(after)
        self.layer_names = [clean(name) for name in after.names]
        self.tiles, self.tile_shapes = readout.tiles(after)
        self.pattern_numbers = pack(readout.pattern_table(after))
        self.off_shown = [list(pair) for pair in sorted(off)]
        if first:
            self._choose_opening()
        self.layer = min(self.layer, len(after.layers) - 1)
        self.run_revision += 1
        return after.layers[self.layer]

    def _run_model(self, text: str, off, model: Runnable | None = None) -> Run:
        try:
            model = model or self.model
            target = self._of(text)[1] if getattr(model, "takes_target", False) else None
            return model.run(clean(text), off) if target is None else model.run(clean(text), off, target)
        except ValueError as error:  # a sentence of its own
            raise _Refused(clean(error)) from error
        except Exception as error:
            raise _Refused(self._refusal("run_failed", kind=type(error).__name__, message=clean(error))) from error

    def _show(self, recording: Recording):
        before, tokens = self.recording, (self.tokens, self.key_tokens)
        with self.hold_sync():
            self.shown_layer = self.layer
            super()._show(recording)
            recording = self.recording
            if tokens != (self.tokens, self.key_tokens):
                self.closed = []  # what was drawn was drawn for other words
            if before is not None and before.mask is None and recording.mask is not None and self.mask_mode == "none":
                self.mask_mode = "given"  # the last layer had none to lift
            if recording.has_scores:
                self.shape = self.shape | {"scale": recording.scale, "bias": recording.bias is not None}
                if recording.bias is not None:
                    self.tensors += pack(recording.bias)
            self.note = " ".join(filter(None, [clean(self.run.note), self.note]))
            self._tell_effect()
            self._tell_beside()

    def _on_layer(self, _change):
        if self.run is not None and self.layer != self.shown_layer:
            self._show(self.run.layers[self.layer])

    def _on_row(self, _change):
        if self.effect and "top" in self.effect:
            self._tell_effect()

    def _tell_effect(self):
        """What the heads that are off change: at the cursor's token, and for the sentence as a whole."""
        if not self.off_shown:
            self.effect = {}
            return
        told = readout.effect(self.model, self.run_before, self.run, self._position())
        told["fixed"] = not self._looks_from_run()
        told["names"] = self._names(self.off_shown)
        if self._sentences:
            if self._points is None:
                self._points = np.asarray(self._encode(self._sentences))
            told["near"] = [readout.nearest(readout.point_of(run), self._points, self._sentences)
                            for run in (self.run_before, self.run)]  # fmt: skip
        self.effect = told

    def _tell_beside(self, _change=None):
        """The second head: the pinned one, or the large one's like on the second text or in the other model."""
        if self.run is None:
            return
        answer, problem = ({}, b"", b""), ""
        with self.hold_sync():
            try:
                if self.pin:
                    answer = beside(self.run, *self.pin, lambda **place: self.say("beside_pin", **place))
                elif self.text2.strip():
                    run = self._beside_run(self.model, self.text2, frozenset(map(tuple, self.off_shown)))
                    answer = beside(run, self.layer, self.head, lambda **place: self.say("beside_text", **place))
                elif self.compare is not None:
                    run = self._beside_run(self.compare, self._before_of[0], frozenset())
                    name = clean(self.compare.name)
                    answer = beside(run, self.layer, self.head, lambda **place: self.say("beside_model", name=name, **place))
            except _Refused as error:
                problem = str(error)
            if problem or self.problem == self._beside_problem:
                self.problem = problem
            self._beside_problem = problem
            if answer != (self.beside, self.beside_weights, self.beside_mask):
                self.beside, self.beside_weights, self.beside_mask = answer
                self.beside_revision += 1

    def _beside_run(self, model: Runnable, text: str, off) -> Run:
        key = (self._of(text), off)
        if key not in self._besides:
            self._besides = {key: self._run_model(text, off, model)}
        return self._besides[key]

    def _position(self) -> int:
        """Where in the run's tokens the cursor's query is; the last where this layer's queries are another text."""
        return self.row if self._looks_from_run() else len(self.run.tokens) - 1

    def _looks_from_run(self) -> bool:
        """Whether this layer's queries are the tokens at which the run has vectors and predictions."""
        return not self.run.of_source(self.layer) and self.run.layers[self.layer].tokens == self.run.tokens

    # ── where it opens ──────────────────────────────────────────────────────────────────────────────────────────

    def _choose_opening(self):
        match = readout.worth_seeing(self.run)
        if match is None:
            return
        self.layer, self.head = match.layer, match.head
        self.why = self.say("opens", layer=self.layer_names[match.layer], head=match.head, score=f"{match.score:.2f}",
                            pattern=match.pattern, baseline=f"{match.baseline:.2f}")  # fmt: skip

    def _open_where_it_is_worth_seeing(self):
        if not self.why:
            bits = _dependence(readout.looking(self.recording))
            self.head = int(bits.argmax())
            self.why = self.say("opens_plainly", layer=self.layer_names[self.layer], head=self.head, bits=f"{abs(bits.max()):.2f}")
        self.opening_layer, self.opening_head = self.layer, self.head
        special = self.run.special_of(self.layer)
        self.row, self.column = readout.opening_cell(self.recording, self.head, special)

    # ── computing ───────────────────────────────────────────────────────────────────────────────────────────────

    def _course(self, recording: Recording):
        """(output, weights) of the layer in the present state: its own scale and what it adds to its scores included."""
        if not recording.has_scores:
            return None, recording.weights.astype(np.float64)
        scores = recording.q.astype(np.float64) @ recording.k.astype(np.float64).swapaxes(-1, -2)  # (H, T, S)
        scores = scores * (recording.scale if self.scale_on else 1.0)
        scores = (scores if recording.bias is None else scores + recording.bias) / self.temperature
        mask = self.mask()
        weights = softmax(scores if mask is None else np.where(mask, scores, -np.inf))
        return None if recording.v is None else weights @ recording.v.astype(np.float64), weights

    # ── errors and checks ───────────────────────────────────────────────────────────────────────────────────────

    def _refusal(self, name: str, /, **values) -> str:
        return self.sentences["refusals"][name].format(**values)

    @traitlets.validate("layer")
    def _valid_layer(self, proposal):
        last = len(self.layer_names) - 1
        if self._ready() and not 0 <= proposal["value"] <= last:
            raise traitlets.TraitError(self._refusal("layer", last=last, value=proposal["value"]))
        return proposal["value"]

    @traitlets.validate("pin")
    def _valid_pin(self, proposal):
        pin, sizes = proposal["value"], [shape[0] for shape in self.tile_shapes]
        there = len(pin) == 2 and 0 <= pin[0] < len(sizes) and 0 <= pin[1] < sizes[pin[0]]
        if pin and self._ready() and not there:
            raise traitlets.TraitError(self._refusal("pin", value=pin))
        return pin

    @traitlets.validate("closed")
    def _valid_closed(self, proposal):
        """In order, each once; cells of a text that has gone meanwhile are left out."""
        return [cell for cell in sorted(set(proposal["value"])) if 0 <= cell < len(self.tokens) * len(self.key_tokens)]

    @traitlets.validate("pattern")
    def _valid_pattern(self, proposal):
        if proposal["value"] not in ("", *PATTERNS):
            raise traitlets.TraitError(self._refusal("pattern", patterns=", ".join(PATTERNS), value=proposal["value"]))
        return proposal["value"]

    @traitlets.validate("off")
    def _sorted_off(self, proposal):
        return [list(pair) for pair in sorted(set(map(tuple, proposal["value"])))]

    def set_state(self, sync_data):
        if self._ready() and "layer" in sync_data:
            layer = min(max(sync_data["layer"], 0), len(self.layer_names) - 1)
            super().set_state({"layer": layer})  # first: head and cursor are those of this layer, which may have more
            sync_data = {name: value for name, value in sync_data.items() if name != "layer"}
        super().set_state(sync_data)
