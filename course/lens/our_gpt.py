"""Our own GPT with a BPETokenizer as a Runnable: every layer's queries, keys, values and weights, heads switched off."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from course.blocks.attention import causal_mask
from course.lens.reading import Reading, clean
from course.lens.recording import Recording
from course.lens.run import NO_HEADS, Run, most_probable
from course.lens.transformers_model import MOST_TOKENS, as_it_was, pairs
from course.models.gpt import GPT
from course.sentences import table
from course.text.tokenizer import BPETokenizer


class OurGPT:
    """Made by `runnable`, of a GPT of course.models and the tokenizer its ids come from.

    limit: how many tokens the model reads; None where its positions have no end.  Queries and keys are recorded as they
    meet, turned where positions are rotary.
    """

    def __init__(self, model: GPT, tokenizer: BPETokenizer):
        if not isinstance(tokenizer, BPETokenizer):
            raise ValueError(table("lens")["errors"]["not_our_tokenizer"].format(kind=type(tokenizer).__name__))
        self.model, self.tokenizer, self.name = model, tokenizer, model.name
        self.limit: int | None = getattr(model.positions, "context_length", None)

    def run(self, text: str, off: frozenset[tuple[int, int]] = NO_HEADS) -> Run:
        """See Runnable."""
        reading, off = self._read(text), pairs(off)
        self._check_heads(off)
        ids = torch.tensor([reading.ids], device=self.model.embedding.weight.device)  # (1, T)
        with as_it_was(self.model), torch.no_grad(), self._without(off), self._heard() as inputs:
            vectors = self.model.hidden(ids)  # (1, T, C)
            logits = self.model.unembedding(vectors)[0].float().cpu().numpy()
            layers = tuple(self._record(*pair, reading.tokens) for pair in zip(self.model.blocks, inputs, strict=True))
        name = table("lens")["names"]["layer"]
        return Run(
            tokens=reading.tokens, layers=layers, names=tuple(name.format(n=i + 1) for i in range(len(layers))),
            vectors=vectors[0].float().cpu().numpy(), logits=logits, special=reading.special, off=off,
            note=" ".join(reading.notes))  # fmt: skip

    def top(self, run: Run, position: int, n: int = 5) -> list[tuple[str, float]]:
        """See Runnable.  `position` may count from the end, as in a list."""
        if not -len(run.tokens) <= position < len(run.tokens):
            raise ValueError(self._error("position", position=position, last=len(run.tokens) - 1))
        return [(self._piece(token), p) for token, p in most_probable(run.logits[position], n)]

    def _record(self, block, x: torch.Tensor, tokens: tuple[str, ...]) -> Recording:
        """One layer, from what its attention was given, x (1, T, C)."""
        q, k, v = (a[0] for a in block.attention.heads(x))  # (H, T, D) each
        _, weights = block.attention.attend(x, causal=True)
        return Recording(tokens, q=q, k=k, v=v, mask=causal_mask(len(tokens)), weights=weights[0])

    @contextmanager
    def _heard(self) -> Iterator[list[torch.Tensor]]:
        """While this is entered, what each layer's attention is given, x (1, T, C), is kept."""
        inputs: list[torch.Tensor] = []
        keep = lambda module, args: inputs.append(args[0])  # returns None: the input stays
        handles = [block.attention.register_forward_pre_hook(keep) for block in self.model.blocks]
        try:
            yield inputs
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def _without(self, off: frozenset[tuple[int, int]]) -> Iterator[None]:
        """While this is entered, the heads in `off` are switched off; afterwards every switch is as it was."""
        before = [block.attention.heads_on.clone() for block in self.model.blocks]
        try:
            for layer, head in off:
                self.model.blocks[layer].attention.heads_on[head] = False
            yield
        finally:
            for block, switches in zip(self.model.blocks, before):
                block.attention.heads_on.copy_(switches)

    def _read(self, text: str) -> Reading:
        ids = self.tokenizer.encode(clean(text))
        if not ids:
            raise ValueError(table("recording")["errors"]["no_tokens"])
        longest, notes = min(self.limit or MOST_TOKENS, MOST_TOKENS), []
        if len(ids) > longest:
            sentence = table("lens")["notes"]["cut_by_the_model" if longest == self.limit else "cut"]
            notes.append(sentence.format(count=len(ids), shown=longest))
        ids, known = ids[:longest], self.model.config.vocab_size
        if max(ids) >= known:  # the ids of another model's tokenizer
            raise ValueError(self._error("other_tokenizer", id=max(ids), known=known))
        special = set(self.tokenizer.special_tokens.values())
        return Reading(ids, tuple(map(self._piece, ids)), tuple(token in special for token in ids), notes)

    def _piece(self, token: int) -> str:
        """What an id stands for: " like"; bytes that are no whole character as "<0xE8>"; an id without a token as "<300>"."""
        if token >= len(self.tokenizer):
            return f"<{token}>"
        raw = self.tokenizer.token_bytes(token)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return "".join(f"<0x{byte:02X}>" for byte in raw)

    def _check_heads(self, off: frozenset[tuple[int, int]]) -> None:
        layers, heads = self.model.config.n_layers, self.model.config.n_heads
        for layer, head in sorted(off):
            if not (0 <= layer < layers and 0 <= head < heads):
                raise ValueError(self._error("no_head", layer=layer, head=head, layers=layers, heads=heads))

    def _error(self, sentence: str, **values) -> str:
        return table("lens")["errors"][sentence].format(**values)
