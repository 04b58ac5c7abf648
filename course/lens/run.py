"""A whole model on one text: what every layer recorded, what came out, and what changes when heads are switched off.

Whatever has `name`, `run` and `top` as in Runnable can be looked at, ours or anybody's; `runnable` makes one of a
transformers model.  Layers and heads are counted from 0 in code and arrays; `Run.names` are what a learner reads.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from course.blocks.attention import softmax
from course.lens.recording import Recording
from course.sentences import table

NO_HEADS: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, eq=False)
class Run:
    """One run of a model on one text.

    tokens      the T tokens as they are read out: pieces of text, special tokens by their names
    layers      a Recording for each attention layer, in the order in which they computed
    names       theirs: "layer 1", …; an encoder–decoder has "encoder 1", "decoder 1", "cross 1"
    vectors     (T, C) float32, the last hidden states
    logits      (T, V) float32, or None where the model has no vocabulary head
    special     (T,) bools: tokens that stand for no text ([CLS], [SEP], <|endoftext|>); a [MASK] stands for a word
    off         the heads that were switched off, (layer, head) pairs: they looked (their weights are recorded) and
                handed on nothing
    note        what a learner should know about this run, "" for nothing
    """

    tokens: tuple[str, ...]
    layers: tuple[Recording, ...]
    names: tuple[str, ...]
    vectors: np.ndarray
    logits: np.ndarray | None
    special: tuple[bool, ...]
    off: frozenset[tuple[int, int]] = NO_HEADS
    note: str = ""


@runtime_checkable
class Runnable(Protocol):
    """What can be run on a text and looked into.

    name    what a learner calls it
    run     text → Run, with the heads in `off`, (layer, head) pairs, contributing nothing.  Raises ValueError with
            one sentence for a text without tokens and for heads that there are not
    top     the n tokens that `run` finds most probable at `position` (the next token, or the one that is masked), with
            their probabilities, the most probable first; None where the model has no vocabulary head
    """

    name: str

    def run(self, text: str, off: frozenset[tuple[int, int]] = NO_HEADS) -> Run: ...

    def top(self, run: Run, position: int, n: int = 5) -> list[tuple[str, float]] | None: ...


def runnable(model, tokenizer=None) -> Runnable:
    """`model` as something that can be run and looked into.

    model: a Runnable (returned as it is); a transformers model, with its tokenizer; or an object that holds both as
    `.model` and `.tokenizer`, as sentence encoders and transformers' pipelines do.
    Raises ValueError with one sentence for anything else.
    """
    if isinstance(model, Runnable) and not isinstance(model, type):
        return model
    from course.lens.transformers_model import TransformersModel

    errors = table("lens")["errors"]
    if tokenizer is None and hasattr(model, "model") and hasattr(model, "tokenizer"):
        own = {key: getattr(model, key) for key in ("name", "max_length", "lowercase") if hasattr(model, key)}
        return TransformersModel(model.model, model.tokenizer, **own)
    if not hasattr(model, "named_modules") or not hasattr(model, "get_input_embeddings"):
        raise ValueError(errors["not_a_model"].format(kind=type(model).__name__))
    if tokenizer is None:
        raise ValueError(errors["no_tokenizer"].format(kind=type(model).__name__))
    return TransformersModel(model, tokenizer)


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
    if before.tokens != after.tokens:
        raise ValueError(table("lens")["errors"]["two_texts"])
