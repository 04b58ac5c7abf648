"""A whole model on one text: what every layer recorded, what came out, and what changes when heads are switched off.

Whatever has `name`, `run` and `top` as in Runnable can be looked at, ours or anybody's, whether it has one stack of
layers or an encoder and a decoder; `runnable` makes one of our GPT, or of a transformers model.  Layers and heads are counted from 0 in
code and arrays; `Run.names` are what a learner reads.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from course.blocks.attention import softmax
from course.lens.recording import Recording
from course.sentences import table

NO_HEADS: frozenset[tuple[int, int]] = frozenset()


class Part(NamedTuple):
    """Layers of a run that belong together and follow each other: the encoder's, the decoder's, those between them."""

    name: str  # what a learner chooses it by
    count: int  # how many layers
    of_source: bool = False  # its queries are the tokens of Run.source; else those of Run.tokens


@dataclass(frozen=True, eq=False)
class Run:
    """One run of a model on one text, of an encoder–decoder on two: the source that it reads, the target that it writes.

    tokens      the T tokens as they are read out: pieces of text, special tokens by their names; of two texts the
                target's, beginning with the decoder's start token
    layers      a Recording for each attention layer, in the order in which they computed, part after part
    names       theirs: "layer 1", …; an encoder–decoder has "encoder 1", …, "decoder 1", …, "cross 1", …
    vectors     (T, C) float32, the last hidden states
    logits      (T, V) float32, or None where the model has no vocabulary head
    special     (T,) bools: tokens that stand for no text ([CLS], [SEP], <|endoftext|>); a [MASK] stands for a word
    off         the heads that were switched off, (layer, head) pairs: they looked (their weights are recorded) and
                handed on nothing
    note        what a learner should know about this run, "" for nothing
    parts       the layers in groups, in order: () for one group of all, which needs no name
    source      the S tokens that an encoder read, () where there is one text;  source_special: as `special`, of these

    A Recording's own tokens and key_tokens say what its rows and columns are: T × T in a decoder, S × S in an encoder,
    T × S between them.
    """

    tokens: tuple[str, ...]
    layers: tuple[Recording, ...]
    names: tuple[str, ...]
    vectors: np.ndarray
    logits: np.ndarray | None
    special: tuple[bool, ...]
    off: frozenset[tuple[int, int]] = NO_HEADS
    note: str = ""
    parts: tuple[Part, ...] = ()
    source: tuple[str, ...] = ()
    source_special: tuple[bool, ...] = ()

    def of_source(self, layer: int) -> bool:
        """Whether the queries of `layer` are the source's tokens: then `tokens`, vectors and logits are another text's."""
        for part in self.parts:
            if layer < part.count:
                return part.of_source
            layer -= part.count
        return False

    def special_of(self, layer: int) -> tuple[bool, ...] | None:
        """Which of the queries of `layer` stand for no text; None where it does not look from the run's own tokens."""
        if self.of_source(layer):
            return self.source_special
        return self.special if self.layers[layer].tokens == self.tokens else None


@runtime_checkable
class Runnable(Protocol):
    """What can be run on a text and looked into.

    name    what a learner calls it
    run     text → Run, with the heads in `off`, (layer, head) pairs, contributing nothing.  Raises ValueError with
            one sentence for a text without tokens and for heads that there are not
    top     the n tokens that `run` finds most probable at `position` (the next token, or the one that is masked), with
            their probabilities, the most probable first; None where the model has no vocabulary head

    A model with one stack of layers needs no more.  One that reads a text and writes another (an encoder–decoder) has

    takes_target    True.  Then `run` has a third argument, `target`: the text that is written, or the ids that the
                    decoder reads; None for what the model itself writes, with all heads on whatever `off` says, so that
                    runs with and without heads can be compared.  Its Runs have `parts` and `source`
    """

    name: str

    def run(self, text: str, off: frozenset[tuple[int, int]] = NO_HEADS) -> Run: ...

    def top(self, run: Run, position: int, n: int = 5) -> list[tuple[str, float]] | None: ...


def runnable(model, tokenizer=None) -> Runnable:
    """`model` as something that can be run and looked into.

    model: a Runnable (returned as it is); a GPT of course.models, with its BPETokenizer; a transformers model, with its
    tokenizer; or an object that holds both as `.model` and `.tokenizer`, as sentence encoders and transformers' pipelines
    do.
    Raises ValueError with one sentence for anything else.
    """
    if isinstance(model, Runnable) and not isinstance(model, type):
        return model
    from course.lens.encoder_decoder import EncoderDecoder, has_both
    from course.lens.our_gpt import GPT, OurGPT
    from course.lens.transformers_model import TransformersModel

    errors = table("lens")["errors"]
    if tokenizer is None and hasattr(model, "model") and hasattr(model, "tokenizer"):
        own = {key: getattr(model, key) for key in ("name", "max_length", "lowercase") if hasattr(model, key)}
        return (EncoderDecoder if has_both(model.model) else TransformersModel)(model.model, model.tokenizer, **own)
    if isinstance(model, GPT) and tokenizer is not None:
        return OurGPT(model, tokenizer)
    if not isinstance(model, GPT) and not (hasattr(model, "named_modules") and hasattr(model, "get_input_embeddings")):
        raise ValueError(errors["not_a_model"].format(kind=type(model).__name__))
    if tokenizer is None:
        raise ValueError(errors["no_tokenizer"].format(kind=type(model).__name__))
    return (EncoderDecoder if has_both(model) else TransformersModel)(model, tokenizer)


def moved(before: Run, after: Run) -> np.ndarray:
    """How far each token's last vector moved, in parts of its length: |after − before| / |before|.

    Two runs on the same text.  Returns (T,) float64; 0 where nothing changed.
    """
    _same_text(before, after)
    a, b = before.vectors.astype(np.float64), after.vectors.astype(np.float64)
    return np.linalg.norm(b - a, axis=1) / np.maximum(np.linalg.norm(a, axis=1), np.finfo(np.float32).tiny)


def divergence(before: Run, after: Run) -> np.ndarray | None:
    """How much more the predictions before surprise, on average, whoever expects those after, at each position.

    Kullback–Leibler divergence Σ p log (p / p′) in nats; p before, p′ after, on the same text.  Returns (T,) float64,
    never below 0; None where there is no vocabulary head.
    """
    _same_text(before, after)
    if before.logits is None or after.logits is None:
        return None
    log_p, log_p_after = (_log_softmax(run.logits.astype(np.float64)) for run in (before, after))
    return np.maximum((np.exp(log_p) * (log_p - log_p_after)).sum(axis=1), 0.0)  # rounding may leave −1e-17


def most_probable(logits: np.ndarray, n: int) -> list[tuple[int, float]]:
    """The n ids with the largest logits (V,) and their probabilities, the most probable first; ties: the smaller id."""
    probs = softmax(logits)
    return [(int(token), float(probs[token])) for token in np.argsort(-probs, kind="stable")[:n]]


def _log_softmax(x: np.ndarray) -> np.ndarray:
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def _same_text(before: Run, after: Run) -> None:
    if (before.tokens, before.source) != (after.tokens, after.source):
        raise ValueError(table("lens")["errors"]["two_texts"])
