"""An encoder–decoder of the transformers library as a Runnable: both texts, all three kinds of attention.

The encoder reads the source, each of its tokens looking at all; the decoder writes the target, looking at what it has
written (its self-attention) and at what the encoder made of the source (cross-attention).
"""

from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from course.lens.hooks import Site, record_all, sites, watching
from course.lens.reading import Reading, named, written
from course.lens.recording import Recording
from course.lens.run import NO_HEADS, Part, Run
from course.lens.transformers_model import MOST_TOKENS, TransformersModel, as_it_was, last_vectors, limit_of, pairs
from course.sentences import table

MOST_WRITTEN = 8  # tokens that the decoder writes by itself


def has_both(model) -> bool:
    """Whether `model` has an encoder and a decoder; an encoder that was cut out of such a model has not."""
    two = getattr(getattr(model, "config", None), "is_encoder_decoder", False) and hasattr(model, "get_decoder")
    return bool(two and model.get_decoder() is not None)


@contextmanager
def written_out(model: nn.Module):
    """While this is entered every part of `model` writes its attention out ("eager"); afterwards each is as it was.

    Encoder and decoder that were joined have settings of their own, and their layers others again, which what is asked of
    the whole does not reach.
    """
    found = [getattr(module, "config", None) for module in model.modules()]  # the whole's first, which also sets its parts'
    configs = list({id(config): config for config in found if getattr(config, "_attn_implementation", None)}.values())
    before = [config._attn_implementation for config in configs]
    try:
        for config in configs:
            config._attn_implementation = "eager"
        yield
    finally:
        for config, kernel in zip(configs, before, strict=True):
            config._attn_implementation = kernel


class EncoderDecoder(TransformersModel):
    """Made by `runnable`.  A Run's layers are the encoder's, then the decoder's, then those from decoder to source.

    target_limit: how many tokens the decoder reads, None where it has no limit of its own.

    Encoder and decoder may be models of their own kind, joined by EncoderDecoderModel (BERT2BERT).
    Raises ValueError with one sentence for a model that reads pictures or sounds, or whose decoder never looks at the source.
    """

    takes_target = True

    def __init__(self, model, tokenizer, name: str = "", max_length: int | None = None, lowercase: bool = False):
        super().__init__(model, tokenizer, name, max_length, lowercase)
        self.limit = limit_of(model.get_encoder(), tokenizer, max_length)
        self.target_limit = limit_of(model.get_decoder(), tokenizer, None)
        inputs = getattr(model, "main_input_name", "input_ids")
        if inputs != "input_ids":
            raise ValueError(self._error("no_reader", name=self.name, inputs=inputs))
        _, own, between = self._places()
        if own and not between:
            raise ValueError(self._error("no_cross", name=self.name))

    def run(self, text: str, off: frozenset[tuple[int, int]] = NO_HEADS, target=None) -> Run:
        """See Runnable.  target: a text; ids, the decoder's start token among them; or None for MOST_WRITTEN tokens that
        the model writes, the most probable each time (ties: the smaller id, no padding), or fewer if it comes to an end.

        Raises ValueError with one sentence also for a target without tokens or with ids that there are not.
        """
        source, off = self._read(text), pairs(off)
        parts = self._places()
        places = [place for part in parts for place in part]
        self._check_heads(off, places)
        with written_out(self.model), as_it_was(self.model), torch.no_grad():
            target = self._target(source, target)
            with watching(places, off) as seen:
                outputs = self._both(target.ids, source.ids)
        return self._run_of(source, target, outputs, parts, seen, off)

    def _run_of(self, source: Reading, target: Reading, outputs, parts, seen, off) -> Run:
        attentions = outputs.encoder_attentions, outputs.decoder_attentions, outputs.cross_attentions
        for weights, places in zip(attentions, parts):
            self._check_weights(weights, len(places), off)
        texts = (source.tokens, None), (target.tokens, None), (target.tokens, source.tokens)
        bare = [[Recording(rows, weights=weights[0], key_tokens=columns) for weights in part]
                for part, (rows, columns) in zip(attentions, texts)]  # fmt: skip
        full, seen = [], iter(seen)
        for layers, places in zip(bare, parts):
            watched = [next(seen) for _ in places]
            full.append(record_all(layers, places, watched) if len(places) == len(layers) else None)
        known = all(full)
        layers = [layer for part in (full if known else bare) for layer in part]
        words = table("lens")
        kinds = ("encoder", "decoder", "cross")
        return Run(
            tokens=target.tokens, layers=tuple(layers), vectors=last_vectors(outputs, "decoder_"),
            names=tuple(words["names"][kind].format(n=i + 1) for kind, part in zip(kinds, bare) for i in range(len(part))),
            logits=self._logits(outputs), special=target.special, off=off,
            note=" ".join([*source.notes, *target.notes, *self._without_scores(known)]),
            parts=tuple(Part(words["parts"][kind], len(part), kind == "encoder") for kind, part in zip(kinds, bare)),
            source=source.tokens, source_special=source.special)  # fmt: skip

    def _places(self) -> list[list[Site]]:
        """The layers whose maps are known: the encoder's, the decoder's, those between them."""
        found = sites(self.model.get_decoder())
        return [sites(self.model.get_encoder()), [s for s in found if not s.cross], [s for s in found if s.cross]]

    # ── what the decoder reads ──────────────────────────────────────────────────────────────────────────────────

    def _target(self, source: Reading, target) -> Reading:
        notes, words = [], table("lens")["notes"]
        if target is None:
            ids = self._continued(source.ids)
            sentence = "start_alone" if not self._writes() else "written" if len(ids) > 1 else "ended"
            notes.append(words[sentence].format(count=len(ids) - 1))
        elif isinstance(target, str):
            ids = self._without_end(written(self.tokenizer, target.lower() if self.lowercase else target, self._start()))
        else:
            ids = [int(token) for token in target]
        known = self.model.get_decoder().get_input_embeddings().num_embeddings
        wrong = [token for token in ids if not 0 <= token < known]
        if wrong or not ids:
            raise ValueError(self._error("target_id" if wrong else "no_target", id=wrong[:1], last=known - 1))
        longest = MOST_TOKENS if self.target_limit is None else min(self.target_limit, MOST_TOKENS)
        if len(ids) > longest:
            notes.append(words["cut_target"].format(count=len(ids), shown=longest))
        reading = named(self.tokenizer, ids[:longest], notes)
        return reading._replace(special=(True, *reading.special[1:]))  # whichever token a model starts with

    def _without_end(self, ids: list[int]) -> list[int]:
        """What the decoder reads has no end; where the tokenizer has no token for it, as BERT's, its separator is the end."""
        no_end = getattr(self.tokenizer, "eos_token_id", None) is None
        return ids[:-1] if no_end and len(ids) > 1 and ids[-1] == getattr(self.tokenizer, "sep_token_id", None) else ids

    def _continued(self, source: list[int]) -> list[int]:
        """The start token and what the model writes after it."""
        ids = [self._start()]
        if not self._writes():
            return ids
        ends, padding = self._settings("eos_token_id"), self._settings("pad_token_id")
        read = self.model.get_encoder()(**self._inputs(source), return_dict=True)
        while len(ids) <= MOST_WRITTEN:
            logits = self._both(ids, source, encoder_outputs=read).logits[0, -1].float().cpu().numpy()
            logits[padding] = -np.inf
            token = int(logits.argmax())  # ties: the first
            if token in ends:
                break
            ids.append(token)
        return ids

    def _start(self) -> int:
        for name in ("decoder_start_token_id", "bos_token_id", "pad_token_id"):
            found = self._settings(name)
            if found:
                return found[0]
        raise ValueError(self._error("no_start", name=self.name))

    def _settings(self, name: str) -> list[int]:
        """The ids that the model's settings name so: for writing, or for all it does."""
        found = [getattr(getattr(self.model, where, None), name, None) for where in ("generation_config", "config")]
        ids = next((ids for ids in found if ids is not None), [])
        return [int(ids)] if isinstance(ids, int) else list(map(int, ids))

    # ── running ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _inputs(self, ids: list[int]) -> dict[str, torch.Tensor]:
        ids = torch.tensor([ids], device=next(self.model.parameters()).device)  # (1, S)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def _both(self, target: list[int], source: list[int], encoder_outputs=None):
        """What the model gives for both texts; the encoder is not run again where its outputs are at hand."""
        inputs = self._inputs(source)
        if encoder_outputs is not None:
            inputs = {"encoder_outputs": encoder_outputs, "attention_mask": inputs["attention_mask"]}
        ids = torch.tensor([target], device=inputs["attention_mask"].device)  # (1, T)
        return self.model(**inputs, decoder_input_ids=ids, decoder_attention_mask=torch.ones_like(ids), use_cache=False,
                          output_attentions=True, output_hidden_states=True, return_dict=True)  # fmt: skip
