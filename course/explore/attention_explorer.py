"""The attention explorer: one layer, one head or many, live.

Queries and keys travel to the page, which computes scores, scale, temperature, mask, softmax and blends itself; the
kernel is asked when the text changes, or when the attention shown is the learner's own function.
"""

import numpy as np
import traitlets

from course.blocks import attention as course_attention
from course.explore.attention_order import SortedCells
from course.explore.base import clean, module, pack, stylesheet
from course.lens.recording import Recording
from course.lens.run import Runnable, runnable
from course.sentences import table

MOST_TOKENS = 512  # what the page draws without freezing, on a layer of 12 heads
SAME = 1e-6  # weights that differ by less are called equal
MODES = ("none", "causal", "given")


def attention(source=None, tokenizer=None, *, q=None, k=None, v=None, weights=None, mask=None, tokens=None, text=None,
              use=None, title=None, **more):  # fmt: skip
    """A live picture of a whole model's attention, or of one attention layer.

        attention(model, tokenizer, text="I like apples")     all layers and heads of whatever course.lens.run.runnable
                                                              takes; **more: see ModelExplorer

        attention(q=q, k=k, v=v, mask=mask, tokens=words)     (T, D) or (H, T, D) arrays: everything can be changed
        attention(weights=w, tokens=words)                    (T, S) or (H, T, S): shown as they are
        attention(function, text="我喜欢吃苹果和香蕉")             function(text) → Recording, run again as you type
        attention(recording)                                  a Recording
        attention(q=q, k=k, tokens=words, use=my_attention)   your own attention(q, k, v, mask) → (output, weights)
                                                              computes what is shown, compared with the course's

    mask: (T, S) or (H, T, S) bool, True = may look.  tokens: T names, or a pair (names of the queries, names of the keys)
    where they differ; numbers if not given.  With `use`, temperature and scale are folded into q, and your function is
    called once a head with 2-D arrays; without v it gets the identity matrix, so that its output is its weights.

    Returns an AttentionExplorer, of a model a ModelExplorer.  Raises ValueError with one sentence for arrays that do not fit together.
    """
    errors = table("explore")["attention"]["errors"]
    arrays = {name: value for name, value in dict(q=q, k=k, v=v, weights=weights, mask=mask).items() if value is not None}
    if source is not None and (arrays or tokens is not None):
        raise ValueError(errors["two_sources"])
    if tokenizer is not None or _is_model(source):
        if use is not None:
            raise ValueError(errors["use_model"])
        from course.explore.model_explorer import ModelExplorer

        return ModelExplorer(runnable(source, tokenizer), source=source, text=text, title=title or "", **more)
    if more:
        raise TypeError(errors["only_models"].format(names=", ".join(more)))
    if source is None:
        if not arrays.keys() - {"mask", "v"}:
            raise ValueError(errors["no_arrays"])
        source = _from_arrays(arrays, tokens)
    elif not callable(source) and not isinstance(source, Recording):
        raise ValueError(errors["source"].format(kind=type(source).__name__))
    if use is not None and isinstance(source, Recording) and not source.has_scores:
        raise ValueError(errors["use_weights"])
    return AttentionExplorer(source, text=text or "", use=use, title=title or "")


def _is_model(source) -> bool:
    """Whether `source` is something that `runnable` takes; a function of a text is not."""
    if isinstance(source, type):
        return False
    held = hasattr(source, "model") and hasattr(source, "tokenizer")
    return isinstance(source, Runnable) or held or hasattr(source, "get_input_embeddings")


def _from_arrays(arrays: dict, tokens) -> Recording:
    """A Recording of bare arrays; `tokens` as in `attention`."""
    if tokens is None:
        rows = np.shape(arrays["weights"] if "weights" in arrays else arrays.get("q", arrays.get("k")))[-2:]
        columns = rows[-1:] if "weights" in arrays else np.shape(arrays.get("k", arrays.get("q")))[-2:]
        tokens = tuple(tuple(map(str, range(size[0]))) if size else () for size in (rows, columns))
    elif not (len(tokens) == 2 and not any(isinstance(part, str) for part in tokens)):
        tokens = (tokens, None)
    return Recording(tokens=tokens[0], key_tokens=tokens[1], **arrays)


class AttentionExplorer(SortedCells):
    """Made by `explore.attention`.  The traits below are the state of the picture: Python and the page both set them."""

    kind = "attention"
    topics = (("explore", "kit"), ("explore", "attention"))
    _esm = module("attention_model.js", "attention_heat.js", "attention_lines.js", "attention_tiles.js",
                  "attention_detail.js", "attention_picture.js", "attention_order.js", "attention_view.js", "attention.js")  # fmt: skip
    _css = stylesheet("attention.css")

    # the state
    head = traitlets.Int(0).tag(sync=True)
    row = traitlets.Int(0).tag(sync=True)  # the query under the cursor
    column = traitlets.Int(0).tag(sync=True)  # the key under the cursor
    temperature = traitlets.Float(1.0).tag(sync=True)
    scale_on = traitlets.Bool(True).tag(sync=True)  # scores are q·k / √D, or q·k
    mask_mode = traitlets.Enum(MODES, "none").tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)

    # what the page needs to draw it
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    key_tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    tensors = traitlets.Bytes(b"").tag(sync=True)  # q, k, v, or weights, float32
    mask_bits = traitlets.Bytes(b"").tag(sync=True)
    shape = traitlets.Dict().tag(sync=True)
    data_revision = traitlets.Int(0).tag(sync=True)  # counts recordings; 0 = there has been none
    why = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    opening_head = traitlets.Int(0).tag(sync=True)

    # asking for another text: the page counts its requests, and draws only the answer to the newest
    can_type = traitlets.Bool(False).tag(sync=True)
    request = traitlets.Int(0).tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)

    # the learner's own attention
    uses = traitlets.Bool(False).tag(sync=True)
    theirs = traitlets.Bytes(b"").tag(sync=True)
    theirs_state = traitlets.Dict().tag(sync=True)  # the state for which it was computed
    theirs_revision = traitlets.Int(0).tag(sync=True)
    verdict = traitlets.Unicode("").tag(sync=True)

    def __init__(self, source, *, text="", use=None, title=""):
        function = None if isinstance(source, Recording) else source
        super().__init__(text=clean(text), title=clean(title), can_type=function is not None, uses=use is not None)
        self.function, self.use = function, use
        self.recording: Recording | None = None
        self._own_weights = None  # (H, T, S), what `use` returned last
        self._run_for = (self.text, self.request)
        if function is None:
            self._show(source)
        else:
            self._run_text()
        self.observe(self._on_text, ["text", "request"])
        self.observe(self._on_state, ["temperature", "scale_on", "mask_mode"])

    # ── reading it ──────────────────────────────────────────────────────────────────────────────────────────────

    def weights(self) -> np.ndarray:
        """What the page shows, computed here with the present state: (H, T, S) float64."""
        if self.recording is None or (self.uses and self._own_weights is None):
            raise ValueError(self.problem or self.sentences["empty"])
        if self.uses:
            return self._own_weights
        return self._course(self.recording)[1]

    def output(self) -> np.ndarray | None:
        """The blends of values that the page shows, (H, T, Dv) float64; None where there are no values."""
        v = self.recording.v if self.recording else None
        return None if v is None else self.weights() @ v.astype(np.float64)

    def mask(self) -> np.ndarray | None:
        """The mask in force, (T, S) or (H, T, S) bool, True = may look; None where all may."""
        if self.mask_mode == "none" or self.recording is None:
            return None
        return self.recording.mask if self.mask_mode == "given" else course_attention.causal_mask(len(self.tokens))

    def summary(self) -> str:
        if self.recording is None:
            return self.sentences["empty"]
        H, T, S = self.recording.heads, len(self.tokens), len(self.key_tokens)
        heads = self.say("one_head") if H == 1 else self.say("many_heads", heads=H)
        return self.say("summary", rows=T, columns=S, heads=heads)

    def figure(self):
        from course.explore.attention_figure import draw

        return draw(self)

    # ── running ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _factor(self, width: int) -> float:
        """What queries are multiplied by so that the plain q·k/√D gives the scores of the present state."""
        return (1.0 if self.scale_on else np.sqrt(width)) / self.temperature

    def _course(self, recording: Recording):
        """(output, weights) of the course's attention in the present state; what was given where there are only weights."""
        if not recording.has_scores:
            return None, recording.weights.astype(np.float64)
        q = recording.q.astype(np.float64) * self._factor(recording.q.shape[-1])
        values = np.eye(len(recording.key_tokens))[None] if recording.v is None else recording.v
        return course_attention.attention(q, recording.k, np.broadcast_to(values, (recording.heads, *values.shape[1:])), self.mask())

    def _on_text(self, _change):
        if self.function is not None and (self.text, self.request) != self._run_for:
            self._run_for = (self.text, self.request)
            self._run_text()

    def _run_text(self):
        """Runs the function on the text; where it fails, its sentence is shown and the last good picture stays."""
        with self.hold_sync():
            try:
                recording = self.function(self.text)
                if not isinstance(recording, Recording):
                    raise ValueError(self._error("not_recording", kind=type(recording).__name__))
                self._show(recording)
            except Exception as error:
                self.problem = self._failure("function_failed", error)
            self.answered = self.request

    def _on_state(self, _change):
        if self.uses and self.recording is not None:
            with self.hold_sync():
                self._run_use()

    def _show(self, recording: Recording):
        """Takes over a recording: state made to fit, tensors packed, the learner's attention run."""
        count = max(len(recording.tokens), len(recording.key_tokens))
        whole, recording = recording, recording.shortened(MOST_TOKENS)
        notes = [clean(recording.note)] if recording.note else []
        if count > MOST_TOKENS:
            notes.append(self.say("too_long", count=count, shown=MOST_TOKENS))
        if not whole.has_scores:
            notes += self._rows_that_do_not_sum(whole)
        first = self.recording is None
        with self.hold_sync():
            self.recording = recording
            self.problem = ""
            self.tokens = [clean(token) for token in recording.tokens]
            self.key_tokens = [clean(token) for token in recording.key_tokens]
            self._fit_state(first)
            H, T, S = recording.heads, len(self.tokens), len(self.key_tokens)
            scores, mask = recording.has_scores, recording.mask
            parts = [recording.q, recording.k, recording.v] if scores else [recording.weights]
            self.tensors = pack(*(part for part in parts if part is not None))
            self.mask_bits = b"" if mask is None else np.ascontiguousarray(mask, dtype=np.uint8).tobytes()
            self.shape = dict(
                heads=H, rows=T, columns=S, has_scores=scores, width=recording.q.shape[2] if scores else 0,
                value_width=recording.v.shape[2] if scores and recording.v is not None else 0,
                mask_heads=0 if mask is None else 1 if mask.ndim == 2 else H)  # fmt: skip
            if first:
                self._open_where_it_is_worth_seeing()
            self.note = " ".join(notes)
            self.data_revision += 1
            if self.uses:
                self._run_use()

    def _fit_state(self, first: bool):
        """Makes head, cursor and mask possible for the present recording."""
        last = self._last()
        for name in last:
            setattr(self, name, min(getattr(self, name), last[name]))
        given = self.recording.mask is not None
        if first and given:
            self.mask_mode = "given"
        elif (self.mask_mode == "given" and not given) or (self.mask_mode == "causal" and last["row"] != last["column"]):
            self.mask_mode = "none"

    def _last(self) -> dict[str, int]:
        return {"head": self.recording.heads - 1, "row": len(self.tokens) - 1, "column": len(self.key_tokens) - 1}

    def _open_where_it_is_worth_seeing(self):
        """The head whose looking depends most on who looks, and the largest weight there that is not on the diagonal."""
        weights = self._course(self.recording)[1]
        if len(weights) > 1:
            bits = _dependence(weights)
            self.head = self.opening_head = int(bits.argmax())
            self.why = self.say("why", head=self.head, bits=f"{bits.max():.2f}")
        shown = weights[self.head].copy()
        if len(self.tokens) > 1 and self.tokens == self.key_tokens:
            np.fill_diagonal(shown, -np.inf)
        self.row, self.column = map(int, np.unravel_index(shown.argmax(), shown.shape))

    def _rows_that_do_not_sum(self, recording: Recording) -> list[str]:
        """A sentence where weights that were given are not shares of 1."""
        sums = recording.weights.sum(-1, dtype=np.float64)
        wrong = np.argwhere((np.abs(sums - 1) > 1e-3) & (recording.weights != 0).any(-1))
        if not len(wrong):
            return []
        head, row = map(int, wrong[0])
        return [self.say("rows_sum", head=head, row=row, sum=f"{sums[head, row]:.3g}")]

    # ── the learner's own attention ─────────────────────────────────────────────────────────────────────────────

    def _run_use(self):
        """Computes the weights with the learner's function; where it fails, its sentence is shown and the last stay."""
        try:
            output, weights = self._ask_theirs()
        except Exception as error:
            self.problem = self._failure("use_failed", error)
            return
        self.problem = ""
        self._own_weights = weights
        self.verdict = self._compare(output, weights)
        self.theirs = pack(weights)
        self.theirs_state = {name: getattr(self, name) for name in ("temperature", "scale_on", "mask_mode")}
        self.theirs_revision += 1

    def _ask_theirs(self):
        """(output (H, T, Dv), weights (H, T, S)) of the learner's function, one call a head."""
        recording, mask = self.recording, self.mask()
        T, S = len(self.tokens), len(self.key_tokens)
        outputs, weights = [], []
        for head in range(recording.heads):
            q = recording.q[head].astype(np.float64) * self._factor(recording.q.shape[-1])
            v = np.eye(S) if recording.v is None else recording.v[head].astype(np.float64)
            head_mask = mask[head] if mask is not None and mask.ndim == 3 else mask
            answer = self.use(q, recording.k[head].astype(np.float64), v, None if head_mask is None else head_mask.copy())
            if not isinstance(answer, (tuple, list)) or len(answer) != 2:
                raise _Refused(self._error("use_pair", kind=type(answer).__name__))
            output, own = (np.asarray(part.detach() if hasattr(part, "detach") else part, dtype=np.float64) for part in answer)
            if own.shape != (T, S):
                raise _Refused(self._error("use_shape", expected=(T, S), shape=own.shape))
            if output.shape != (T, v.shape[1]):
                raise _Refused(self._error("use_output", expected=(T, v.shape[1]), shape=output.shape))
            wrong = np.argwhere(~np.isfinite(own))
            if len(wrong):
                raise _Refused(self._error("use_finite", count=len(wrong), row=wrong[0][0], column=wrong[0][1]))
            outputs.append(output)
            weights.append(own)
        return np.stack(outputs), np.stack(weights)

    def _compare(self, output, weights) -> str:
        """One sentence: does it agree with the course's attention, and where not."""
        course_output, course_weights = self._course(self.recording)
        gap = np.abs(weights - course_weights)
        if gap.max() > SAME:
            head, row, column = map(int, np.unravel_index(gap.argmax(), gap.shape))
            place = self.say("place" if len(weights) == 1 else "place_head", head=head, row=row, column=column)
            cell = (head, row, column)
            return self.say("theirs_differs", difference=f"{gap.max():.2g}", place=place, theirs=f"{weights[cell]:.4g}",
                            ours=f"{course_weights[cell]:.4g}")  # fmt: skip
        output_gap = np.abs(output - course_output)
        if not output_gap.max() <= SAME * max(1.0, np.abs(course_output).max()):  # NaN counts as different
            _, row, element = map(int, np.unravel_index(np.nan_to_num(output_gap, nan=np.inf).argmax(), output_gap.shape))
            return self.say("theirs_output", difference=f"{output_gap[_, row, element]:.2g}", row=row, element=element)
        return self.say("theirs_agrees", difference=f"{gap.max():.0e}" if gap.max() else "0")

    # ── errors and checks ───────────────────────────────────────────────────────────────────────────────────────

    def _error(self, name: str, /, **values) -> str:
        return self.sentences["errors"][name].format(**values)

    def _failure(self, name: str, error: Exception) -> str:
        """The sentence for an exception: our own refusals as they are, others introduced by whose function raised them."""
        message = clean(error) or type(error).__name__
        return message if isinstance(error, _Refused) else self._error(name, kind=type(error).__name__, message=message)

    @traitlets.validate("head", "row", "column")
    def _valid_index(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if self._ready() and not 0 <= value <= self._last()[name]:
            raise traitlets.TraitError(self._error("index", name=name, last=self._last()[name], value=value))
        return value

    @traitlets.validate("temperature")
    def _valid_temperature(self, proposal):
        if not proposal["value"] > 0:
            raise traitlets.TraitError(self._error("temperature", value=proposal["value"]))
        return proposal["value"]

    @traitlets.validate("mask_mode")
    def _valid_mask(self, proposal):
        mode, last = proposal["value"], self._last() if self._ready() else None
        if last and mode == "given" and self.recording.mask is None:
            raise traitlets.TraitError(self._error("mask_missing"))
        if last and mode == "causal" and last["row"] != last["column"]:
            raise traitlets.TraitError(self._error("mask_causal", rows=last["row"] + 1, columns=last["column"] + 1))
        return mode

    def _ready(self) -> bool:
        return getattr(self, "recording", None) is not None

    def set_state(self, sync_data):
        """What the page says about a text that has gone meanwhile is bent to what there is now."""
        if self._ready():
            last = self._last()
            sync_data = {name: min(max(value, 0), last[name]) if name in last else value for name, value in sync_data.items()}
        if "text" in sync_data:  # what a keyboard sends may hold half of a pair, which no message can carry back
            sync_data = {**sync_data, "text": clean(sync_data["text"])}
        super().set_state(sync_data)


class _Refused(ValueError):
    """An answer of the learner's function that can't be drawn; its message is the whole sentence."""


def _dependence(weights) -> np.ndarray:
    """How many bits knowing the query tells about where a head looks: H(mean row) − mean H(row), for each head.

    weights: (H, T, S).  0 for heads that look at one place always, or everywhere equally.
    """
    def bits(p):
        return -(p * np.log2(np.where(p > 0, p, 1.0))).sum(-1)

    return bits(weights.mean(1)) - bits(weights).mean(1)
