"""A model of the transformers library as a Runnable: with queries and keys, or with weights alone where they say less.

The library is never imported: what is used are the methods of the model and the tokenizer that are handed in.
"""

import os
from contextlib import contextmanager

import torch
from torch import nn

from course.lens.hooks import record_all, sites, watching
from course.lens.reading import Reading, piece, read
from course.lens.recording import Recording
from course.lens.run import NO_HEADS, Run, most_probable
from course.sentences import table

MOST_TOKENS = 1024  # a layer keeps H · T² weights
NO_LIMIT = 10**9  # tokenizers say "any length" with a huge number


class TransformersModel:
    """Made by `runnable`, of a model with one stack of layers; those with two are an EncoderDecoder.

    model, tokenizer: transformers' own objects;  name: what a learner calls it;  limit: how many tokens it reads, None
    where it has no limit of its own;  lowercase: whether texts are put in small letters before the tokenizer sees them.
    """

    def __init__(self, model, tokenizer, name: str = "", max_length: int | None = None, lowercase: bool = False):
        self.model, self.tokenizer, self.lowercase = model, tokenizer, lowercase
        self.name = name or _name(model)
        self.limit = limit_of(model, tokenizer, max_length)

    def run(self, text: str, off: frozenset[tuple[int, int]] = NO_HEADS) -> Run:
        """See Runnable."""
        reading = self._read(text)
        places, off = sites(self.model), pairs(off)
        self._check_heads(off, places)
        with as_it_was(self.model), torch.no_grad(), watching(places, off) as seen:
            outputs = self._forward(reading.ids)
        self._check_weights(outputs.attentions, len(places), off)
        bare = [Recording(reading.tokens, weights=weights[0]) for weights in outputs.attentions]
        full = record_all(bare, places, seen) if len(places) == len(bare) else None
        name = table("lens")["names"]["layer"]
        return Run(
            tokens=reading.tokens, layers=tuple(full or bare), names=tuple(name.format(n=i + 1) for i in range(len(bare))),
            vectors=last_vectors(outputs, ""), logits=self._logits(outputs), special=reading.special, off=off,
            note=" ".join([*reading.notes, *self._without_scores(full)]))  # fmt: skip

    def top(self, run: Run, position: int, n: int = 5) -> list[tuple[str, float]] | None:
        """See Runnable.  `position` may count from the end, as in a list."""
        if run.logits is None:
            return None
        if not -len(run.tokens) <= position < len(run.tokens):
            raise ValueError(self._error("position", position=position, last=len(run.tokens) - 1))
        frames = frozenset(self.tokenizer.all_special_ids)
        return [(piece(self.tokenizer, token, frames), p) for token, p in most_probable(run.logits[position], n)]

    def _forward(self, ids: list[int]):
        ids = torch.tensor([ids], device=next(self.model.parameters()).device)  # (1, T)
        return self.model(input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=True,
                          output_hidden_states=True, return_dict=True)  # fmt: skip

    def _read(self, text: str) -> Reading:
        reading = read(self.tokenizer, text.lower() if self.lowercase else text, self.limit, MOST_TOKENS)
        known = self.model.get_input_embeddings().num_embeddings
        if max(reading.ids) >= known:  # the ids of another model's tokenizer
            raise ValueError(self._error("other_tokenizer", id=max(reading.ids), known=known))
        return reading

    def _logits(self, outputs):
        """(T, V) float32; None where what the model calls so is no prediction of tokens."""
        logits = getattr(outputs, "logits", None)
        return logits[0].float().cpu().numpy() if self._writes() and logits is not None else None

    def _writes(self) -> bool:
        return getattr(self.model, "get_output_embeddings", lambda: None)() is not None

    def _without_scores(self, full) -> list[str]:
        return [] if full else [table("lens")["notes"]["weights_only"]]

    def _check_weights(self, attentions, known: int, off):
        """Weights there must be; and as many of them as layers that were found, where heads are switched off."""
        if not attentions or any(weights is None for weights in attentions):
            raise ValueError(self._error("no_attentions", name=self.name))
        if off and known != len(attentions):
            raise ValueError(self._error("cannot_switch", name=self.name))

    def _check_heads(self, off, places):
        for layer, head in sorted(off):
            if places and not (0 <= layer < len(places) and 0 <= head < places[layer].heads):
                heads = places[min(max(layer, 0), len(places) - 1)].heads
                raise ValueError(self._error("no_head", layer=layer, head=head, layers=len(places), heads=heads))
            if not places or places[layer].out is None:
                raise ValueError(self._error("cannot_switch", name=self.name))

    def _error(self, sentence: str, **values) -> str:
        return table("lens")["errors"][sentence].format(**values)


def pairs(off) -> frozenset[tuple[int, int]]:
    """Heads as they are compared: (layer, head) pairs of plain numbers."""
    return frozenset((int(layer), int(head)) for layer, head in off)


def last_vectors(outputs, prefix: str):
    """The last hidden states, (T, C) float32, of outputs whose names begin with `prefix`."""
    vectors = getattr(outputs, "last_hidden_state", None)
    vectors = getattr(outputs, f"{prefix}hidden_states")[-1] if vectors is None else vectors
    return vectors[0].float().cpu().numpy()


@contextmanager
def as_it_was(model: nn.Module):
    """While this is entered the model evaluates and returns its weights; afterwards every module is as it was.

    Only attention written out ("eager") has weights to return; the fused kernels never hold them all.
    """
    training = {module: module.training for module in model.modules()}
    before = getattr(model.config, "_attn_implementation", None)
    switch = before not in (None, "eager") and hasattr(model, "set_attn_implementation")
    try:
        model.eval()
        if switch:
            model.set_attn_implementation("eager")
        yield
    finally:
        if switch:
            model.set_attn_implementation(before)
        for module, flag in training.items():
            module.training = flag


def _name(model) -> str:
    """The name under which the model is published; its class where it came from a folder or from nowhere."""
    published = str(getattr(model.config, "name_or_path", "") or "")
    return type(model).__name__ if not published or os.path.exists(published) else published


def limit_of(model: nn.Module, tokenizer, max_length: int | None) -> int | None:
    """How many tokens the model reads: what its positions, its tokenizer and its wrapper allow; None: any number."""
    positions = getattr(model.config, "max_position_embeddings", None)
    limits = [max_length, getattr(tokenizer, "model_max_length", None), positions]
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            limits.append(module.num_embeddings - module.padding_idx - 1)  # RoBERTa counts from there
    return min((int(limit) for limit in limits if limit and limit < NO_LIMIT), default=None)
