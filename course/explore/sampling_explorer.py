"""`explore.sampling(model, tokenizer, prompt)`: what a model may say next, and what temperature, top-k and top-p leave of it.

The logits of the last position travel as one float32 bytes trait, and the page does the arithmetic that a control changes.
The kernel is asked only when the text changes: then the model runs again.

Draw number n of a seed always uses the same uniform number, number n of `np.random.default_rng(seed)`; n counts the tokens
added so far.  So a seed gives one text, in the page, by `explorer.sample()`, and by a loop of `course.predict.sample` with a
generator of that seed; after an undo the same draw gives the same token.
"""

import re

import numpy as np
import traitlets

from course.explore.base import Explorer, clean, module, pack, stylesheet
from course.sentences import table
from course.text import bpe

MOST_BARS = 50
MOST_ADDED = 1000  # tokens that can be added to a prompt, and uniform numbers that travel for a seed
HOTTEST = 5.0  # the highest temperature
LENGTHS = ("context_length", "max_position_embeddings", "n_positions")  # names a model's config has for what it can read


class _Refused(ValueError):
    """A sentence for the explorer to say."""


class SamplingExplorer(Explorer):
    """Made by `explore.sampling`.  The traits of the state can be read and set; `probs`, `entropy`, `ids`, `text` follow."""

    kind = "sampling"
    topics = (("explore", "kit"), ("explore_sampling", "sampling"))
    _esm = module("tokens_bpe.js", "sampling_numbers.js", "sampling_controls.js", "sampling_bars.js", "sampling.js")
    _css = stylesheet("sampling.css")

    # the state
    prompt = traitlets.Unicode("").tag(sync=True)  # setting it takes the added tokens away
    added = traitlets.List(traitlets.Int()).tag(sync=True)  # ids that were appended, drawn or chosen by hand
    temperature = traitlets.Float(1.0).tag(sync=True)  # 0 … 5; 0: the most probable token, of equals the smallest id
    top_k = traitlets.Int(None, allow_none=True).tag(sync=True)  # None: all tokens
    top_p = traitlets.Float(1.0).tag(sync=True)  # above 0, at most 1
    seed = traitlets.Int(0).tag(sync=True)
    many = traitlets.Int(20).tag(sync=True)  # how many tokens the button for many draws
    bars = traitlets.Int(12).tag(sync=True)  # tokens with a bar of their own

    # the model's answer: `answer` belongs to the logits, `answered` is what it was asked last, answered well or not
    logit_bytes = traitlets.Bytes(b"").tag(sync=True)  # (V,) float32
    answer = traitlets.Dict().tag(sync=True)  # {"prompt", "added", "tokens", "used", "start", "names": {id: [text, kind]}}
    answered = traitlets.List().tag(sync=True)  # [prompt, added]
    uniforms = traitlets.Bytes(b"").tag(sync=True)  # float64, the first MOST_ADDED numbers of the seed
    uniforms_seed = traitlets.Int(-1).tag(sync=True)  # whose they are

    def __init__(self, model, tokenizer, prompt="", *, context_length=None, title="", **state):
        self.model, self.tokenizer = model, tokenizer
        self.context_length = _context_length(model) if context_length is None else context_length
        self._logits = np.zeros(0, np.float32)
        super().__init__(title=clean(title), prompt=prompt)
        self._run()
        for name, value in state.items():  # after the run, which says how many tokens there are
            setattr(self, name, value)
        self._draw_uniforms()
        self.observe(self._on_prompt, "prompt")
        self.observe(self._run, "added")
        self.observe(self._draw_uniforms, "seed")

    # ── reading it ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def logits(self) -> np.ndarray:
        """The logits of the last position that could be shown, (V,) float32; of shape (0,) before there were any."""
        return self._logits

    @property
    def probs(self) -> np.ndarray:
        """The probabilities after temperature, top-k and top-p, (V,) float64."""
        from course.predict.sampling import distribution

        return distribution(self._logits, self.temperature, self.top_k, self.top_p)

    @property
    def tempered(self) -> np.ndarray:
        """The probabilities after the temperature, before anything is cut, (V,) float64."""
        from course.predict.sampling import distribution

        return distribution(self._logits, self.temperature)

    @property
    def entropy(self) -> float:
        """Of `probs`, in nats."""
        return entropy_of(self.probs)

    @property
    def ids(self) -> list[int]:
        """The prompt's ids and those that were added: what the model goes on from, before a long text is shortened."""
        coded = self.tokenizer.encode(self.prompt)
        read = [int(id) for id in getattr(coded, "ids", coded)]
        start = self._start() if not read else None
        return [*([] if start is None else [start]), *read, *self.added]

    @property
    def text(self) -> str:
        """The prompt and what was added, as one text."""
        return self.prompt + str(self.tokenizer.decode(list(self.added)))

    def name(self, id: int) -> tuple[str, str]:
        """What a token is called, and its kind: "whole", "part" (not whole characters), "special" or "unknown"."""
        return name_of(self.tokenizer, id)

    def ranked(self) -> np.ndarray:
        """All ids, the most probable first, of equals the smaller; those without any probability by their logits."""
        before = self.tempered
        return np.lexsort((np.where(before == 0, -self._logits, 0), -before))

    def cuts(self) -> tuple[int, int]:
        """How many tokens top-k leaves, and how many of these top-p."""
        count = len(self._logits)
        after_k = count if self.top_k is None else min(self.top_k, count)
        if self.top_p == 1:
            return after_k, after_k
        return after_k, int(np.count_nonzero(self.probs))

    def settings(self) -> str:
        """The temperature and the cuts in words."""
        parts = [self.say("summary_temperature", temperature=f"{self.temperature:g}")]
        parts += [self.say("summary_top_k", k=self.top_k)] if self.top_k is not None else []
        parts += [self.say("summary_top_p", p=f"{self.top_p:g}")] if self.top_p < 1 else []
        return ", ".join(parts)

    def summary(self) -> str:
        """Settings, most probable token and entropy."""
        from course import figures

        if not len(self._logits):
            return self.say("summary_empty")
        probs, first = self.probs, int(self.ranked()[0])
        nats, token = entropy_of(probs), figures.label(self.name(first)[0])
        return self.say("summary", tokens=self.answer["tokens"], settings=self.settings(), token=token, p=chance(probs[first]),
                        nats=f"{nats:.2f}", choices=f"{np.exp(nats):.3g}")  # fmt: skip

    def figure(self):
        """The bars, with what is cut and the cumulative mass, as a matplotlib Figure."""
        from course.explore.sampling_figure import draw

        return draw(self)

    # ── changing it ─────────────────────────────────────────────────────────────────────────────────────────────

    def append(self, id: int) -> None:
        """Adds a token to the text.  Raises ValueError for what is no id, or when there is no room."""
        if not 0 <= id < len(self._logits):
            raise ValueError(self.say("bad_id", id=id, count=len(self._logits)))
        if len(self.added) >= MOST_ADDED:
            raise ValueError(self.say("full", count=MOST_ADDED))
        self.added = [*self.added, int(id)]

    def sample(self, count: int = 1) -> list[int]:
        """Draws `count` tokens, one after the other, with the numbers of `seed`, adds them and returns their ids.

        Ends early where the model fails, which `problem` then tells.
        """
        from course.predict.sampling import sample

        drawn = []
        for _ in range(count):
            if not self._ready():
                break
            generator = np.random.default_rng(self.seed)
            generator.random(len(self.added))  # those of the tokens that are there
            drawn.append(int(sample(self.probs, generator)))
            self.append(drawn[-1])
        return drawn

    def undo(self) -> None:
        """Takes the token that was added last away; nothing where there is none."""
        self.added = self.added[:-1]

    # ── the model ───────────────────────────────────────────────────────────────────────────────────────────────

    def _ready(self) -> bool:
        """Are the logits those of the present text?"""
        return bool(self.answer) and [self.answer["prompt"], self.answer["added"]] == [self.prompt, self.added]

    def _start(self) -> int | None:
        """The id a text without tokens starts after, if the tokenizer has one."""
        special = getattr(self.tokenizer, "special_tokens", None)
        own = special.get("<|endoftext|>") if isinstance(special, dict) else None
        return own if own is not None else getattr(self.tokenizer, "bos_token_id", None)

    def _on_prompt(self, _change):
        if self.added:
            self.added = []  # which runs the model
        self._run()

    def _run(self, _change=None):
        """Runs the model on the text.  Where that fails its sentence is shown and the last good picture stays."""
        asked = [self.prompt, list(self.added)]
        if asked == self.answered:
            return
        problem, answer, logits = "", self.answer, self._logits
        try:
            answer, logits = self._ask(*asked)
        except _Refused as refusal:
            problem = str(refusal)
        except Exception as error:
            problem = self.say("failed", kind=type(error).__name__, message=clean(error))
        self._logits = logits
        with self.hold_sync():
            self.logit_bytes, self.answer, self.answered, self.problem = pack(logits), answer, asked, problem

    def _ask(self, prompt: str, added: list[int]) -> tuple[dict, np.ndarray]:
        ids = self.ids
        if not ids:
            raise _Refused(self.say("empty"))
        used = ids if self.context_length is None else ids[-self.context_length :]
        logits = last_logits(self.model, used)
        if logits is None:
            raise _Refused(self.say("bad_shape"))
        if np.isnan(logits).any() or logits.max(initial=-np.inf) == np.inf:
            raise _Refused(self.say("not_numbers"))
        if logits.max(initial=-np.inf) == -np.inf:
            raise _Refused(self.say("all_excluded"))
        shown = {*np.argsort(-logits, kind="stable")[:MOST_BARS].tolist(), *added}
        names = {str(id): [clean(part) for part in self.name(id)] for id in sorted(shown)}
        start = clean(self.name(ids[0])[0]) if prompt == "" and len(ids) > len(added) else ""
        return {"prompt": prompt, "added": added, "tokens": len(ids), "used": len(used), "start": start, "names": names}, logits

    def _draw_uniforms(self, _change=None):
        numbers = np.random.default_rng(self.seed).random(MOST_ADDED).astype("<f8")
        with self.hold_sync():
            self.uniforms, self.uniforms_seed = numbers.tobytes(), self.seed

    # ── checks ──────────────────────────────────────────────────────────────────────────────────────────────────

    @traitlets.validate("prompt")
    def _valid_prompt(self, proposal):
        return clean(proposal["value"])

    @traitlets.validate("temperature", "top_k", "top_p", "seed", "many", "bars", "added")
    def _valid_number(self, proposal):
        name, value, count = proposal["trait"].name, proposal["value"], len(self._logits) or 2**20
        right = {"temperature": lambda: 0 <= value <= HOTTEST, "top_k": lambda: value is None or 1 <= value <= count,
                 "top_p": lambda: 0 < value <= 1, "seed": lambda: 0 <= value < 2**53, "many": lambda: 1 <= value <= MOST_ADDED,
                 "bars": lambda: 1 <= value <= MOST_BARS, "added": lambda: len(value) <= MOST_ADDED}[name]  # fmt: skip
        if not right():
            words = self.sentences[f"bad_{name}"]
            raise traitlets.TraitError(words.format(value=value, count=count, most=MOST_BARS if name == "bars" else MOST_ADDED))
        return value


def sampling(model, tokenizer, prompt: str = "", *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None,
             seed: int = 0, context_length: int | None = None, title: str = "") -> SamplingExplorer:  # fmt: skip
    """What a model may say next, live: bars, what temperature, top-k and top-p make of them, and draws with a seed.

    model: anything called with ids, a (1, T) LongTensor, that gives logits (1, T, V), or an object that has them as
    `.logits` (a causal model of transformers).  tokenizer: anything with `encode(text)` and `decode(ids)`.  The text is
    never encoded anew: added tokens stay the tokens that were drawn.  A prompt without tokens starts after the tokenizer's
    <|endoftext|>, where it has one.  context_length: how many tokens the model reads, if its config does not say.
    top_p: None is 1, nothing cut.

    Returns the explorer: its settings can be read and set, `.probs` and `.entropy` are what is shown, `.sample(count)`,
    `.append(id)` and `.undo()` change the text as the page's buttons do.
    Raises ValueError for what is no model or no tokenizer, TraitError for settings out of range.
    """
    words = table("explore_sampling")["sampling"]
    if isinstance(model, type) or not callable(model):
        raise ValueError(words["bad_model"].format(kind=_kind(model)))
    if isinstance(tokenizer, type) or not all(callable(getattr(tokenizer, name, None)) for name in ("encode", "decode")):
        raise ValueError(words["bad_tokenizer"].format(kind=_kind(tokenizer)))
    if context_length is not None and context_length < 1:
        raise ValueError(words["bad_length"].format(value=context_length))
    return SamplingExplorer(model, tokenizer, prompt, context_length=context_length, title=title, temperature=temperature,
                            top_k=top_k, top_p=1.0 if top_p is None else top_p, seed=seed)  # fmt: skip


# ── model and tokenizer ─────────────────────────────────────────────────────────────────────────────────────


def last_logits(model, ids: list[int]) -> np.ndarray | None:
    """The logits that a model gives after `ids`, (V,) float32; None where it gives something else.

    A module is in evaluation mode meanwhile, and in its own again afterwards.
    """
    import torch

    is_module = isinstance(model, torch.nn.Module)
    place = next(iter(model.parameters()), torch.zeros(0)).device if is_module else "cpu"
    training = [part for part in model.modules() if part.training] if is_module else []
    try:
        for part in training:
            part.training = False
        with torch.inference_mode():
            found = model(torch.tensor([ids], dtype=torch.long, device=place))
    finally:
        for part in training:
            part.training = True
    found = getattr(found, "logits", found)
    if not torch.is_tensor(found):
        return None
    rows = found[0] if found.ndim == 3 and len(found) == 1 else found
    if rows.ndim != 2 or len(rows) != len(ids) or not rows.shape[1]:
        return None
    return rows[-1].detach().cpu().to(torch.float32).numpy().copy()


def _context_length(model) -> int | None:
    config = getattr(model, "config", None)
    return next((value for name in LENGTHS if isinstance(value := getattr(config, name, None), int) and value > 0), None)


def name_of(tokenizer, id: int) -> tuple[str, str]:
    """(text, kind) of a token; bytes that are no whole characters are spelled <0xE8>."""
    try:
        special = getattr(tokenizer, "special_tokens", {})
        if hasattr(tokenizer, "token_bytes"):
            named = {number: text for text, number in special.items()}.get(id)
            return (named, "special") if named is not None else spelled(tokenizer.token_bytes(id))
        text = str(tokenizer.decode([id]))
        names = tokenizer.convert_ids_to_tokens([id]) if hasattr(tokenizer, "convert_ids_to_tokens") else [text]
        if names[0] is None:
            return f"id {id}", "unknown"
        if id in getattr(tokenizer, "all_special_ids", ()):
            return str(names[0]), "special"
        if "\ufffd" not in text:
            return spelled(text.encode())
        name = str(names[0])
        return spelled(bytes(_BYTE_OF[letter] for letter in name)) if all(letter in _BYTE_OF for letter in name) else (name, "part")
    except Exception:  # more logits than tokens, or a tokenizer that refuses: the number names it
        return f"id {id}", "unknown"


def spelled(token: bytes) -> tuple[str, str]:
    """(text, kind) of bytes: those that belong to no whole character, and ASCII's control characters, are spelled <0xE8>."""
    text = token.decode(errors="surrogateescape")
    kind = "part" if any(0xDC80 <= ord(c) <= 0xDCFF for c in text) else "whole"
    return "".join(f"<0x{ord(c) % 0x100:02X}>" if _UNSEEN(c) else c for c in text), kind


_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\udc80-\udcff]").match

# The letters in which byte-level vocabularies write bytes: printed ones as they are, the others from U+0100 on.
_PRINTED = bpe.BYTES.index(0)
_BYTE_OF = {chr(byte if place < _PRINTED else 256 + place - _PRINTED): byte for place, byte in enumerate(bpe.BYTES)}


def _kind(thing) -> str:
    return thing.__name__ if isinstance(thing, type) else type(thing).__name__


def entropy_of(probs: np.ndarray) -> float:
    """In nats, with 0 · ln 0 = 0."""
    from course.predict.sampling import entropy

    return float(entropy(probs))


def chance(p: float) -> str:
    """A probability for reading, as the page writes it: never a false 0 or 1."""
    if p in (0, 1):
        return f"{p:.0f}"
    if p < 5e-5:
        return "< 0.0001"
    if p > 0.995:
        return "> 0.9999" if p > 0.9999 else f"{p:.4f}"
    return f"{p:.4f}" if p < 0.01 else f"{p:.2f}"
