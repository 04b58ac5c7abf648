r"""The residual stream of our GPT: what stands in it after each part, what each part adds, what could be read from it there.

In a model of pre-norm blocks the stream at the end is a sum of what the parts gave, each a vector of C numbers:

    x = embedding + positions + Σ over blocks of (attention + feed-forward)         logits = unembedding(norm(x))

So each part has a share of the end, its dot product with x divided by x·x; the shares sum to 1, and a share below 0 is a
part that points away from where the stream ends.  Blocks of another kind normalise or replace the sum, and have no shares.

`read` puts the stream of any place through the final norm and the unembedding, the *logit lens* (nostalgebraist 2020,
"interpreting GPT: the logit lens"): what the model would say if it stopped there.  Nothing in training asks the stream to
mean that at a place before the end, and often it does not.

Parts are named "embedding", "positions" (where the model adds any), "attention 1", "feed_forward 1", "attention 2", …
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from course.blocks.block import DocumentBlock, PostNormBlock, PreNormBlock
from course.lens.neurons import at_rest

KINDS = {PreNormBlock: "sum", PostNormBlock: "normed", DocumentBlock: "replaced"}


class Stream(NamedTuple):
    """What `stream` returns, for P parts and a text of T tokens.  float32."""

    parts: tuple[str, ...]  # P names, in the order in which the data passes
    added: np.ndarray  # (P, T, C)  what each part gives
    x: np.ndarray  # (P, T, C)  the stream after each part
    normed: np.ndarray  # (T, C)  the last of them after the final norm, which the unembedding reads
    logits: np.ndarray  # (T, V)  what the model says


def parts(model) -> tuple[str, ...]:
    """The names of a GPT's parts.  Raises ValueError for a model with blocks of other kinds than course.blocks.block has."""
    kind(model)
    outside = ("embedding", "positions") if model.positions is not None else ("embedding",)
    return (*outside, *(f"{part} {i + 1}" for i in range(len(model.blocks)) for part in ("attention", "feed_forward")))


def kind(model) -> str:
    """What the blocks do with the stream: "sum" (pre-norm: the end is the sum of the parts), "normed" (post-norm: each sum
    is normalised), or "replaced" (the document's block, whose feed-forward part puts its result in the stream's place)."""
    found = {KINDS.get(type(block)) for block in getattr(model, "blocks", ())}
    if len(found) != 1 or None in found:
        names = sorted({type(block).__name__ for block in getattr(model, "blocks", ())})
        raise ValueError(f"the model must have blocks of one kind, {', '.join(one.__name__ for one in KINDS)}, "
                         f"got {type(model).__name__} with {', '.join(names) or 'no blocks'}")  # fmt: skip
    return found.pop()


def stream(model, ids, off: Collection[str] = ()) -> Stream:
    """Runs the model once on a text, in evaluation mode, and keeps the stream.

    ids: T whole numbers;  off: names of parts that give zeros in this run, so that they add nothing.  (The document's
    feed-forward part replaces the stream: switched off, it leaves zeros.)
    Raises ValueError for a text without tokens, and for a part that there is not.
    """
    names = parts(model)
    if unknown := sorted(set(off) - set(names)):
        raise ValueError(f"off must name parts of the model ({', '.join(names)}), got {', '.join(unknown)}")
    ids = torch.tensor([list(map(int, ids))], dtype=torch.long, device=model.embedding.weight.device)  # (1, T)
    if ids.shape[1] == 0:
        raise ValueError("a text of at least one token is needed, got none")
    kept: dict[str, torch.Tensor] = {}
    with at_rest(model), torch.inference_mode(), _heard(model, frozenset(off), kept):
        normed = model.hidden(ids)
        logits = model.unembedding(normed)
    x = [kept[f"x after {name}"] for name in names]
    array = lambda tensors: torch.cat(tensors).float().cpu().numpy()
    return Stream(names, array([kept[name] for name in names]), array(x), array([normed])[0], array([logits])[0])


@torch.inference_mode()
def read(model, x: np.ndarray) -> np.ndarray:
    """The logits that the final norm and the unembedding give for streams: (..., C) → (..., V) float32."""
    weight = model.unembedding.weight
    with at_rest(model):
        return model.unembedding(model.norm(torch.as_tensor(x, dtype=weight.dtype, device=weight.device))).float().cpu().numpy()


def shares(found: Stream) -> np.ndarray:
    """added·end / end·end of each part at each token, (P, T) float64; of a model whose kind is "sum" they sum to 1."""
    added, end = found.added.astype(np.float64), found.x[-1].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # everything switched off: the end is 0, and nothing has a share
        return (added * end).sum(-1) / (end * end).sum(-1)


def cosines(found: Stream) -> np.ndarray:
    """The cosine of the stream after each part to the stream before it, (P, T) float64; NaN where one of them is 0."""
    x = found.x.astype(np.float64)
    before = np.concatenate([np.zeros_like(x[:1]), x[:-1]])
    with np.errstate(invalid="ignore"):
        return (x * before).sum(-1) / (np.linalg.norm(x, axis=-1) * np.linalg.norm(before, axis=-1))


# ── hooks ───────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _heard(model, off: frozenset[str], kept: dict[str, torch.Tensor]) -> Iterator[None]:
    """While this is entered, what each part gives and the stream after it are kept, (1, T, C), and parts in `off` give zeros."""
    handles = []

    def listen(module: nn.Module, hook) -> None:
        handles.append(module.register_forward_hook(hook))

    try:
        listen(model.embedding, _entering(kept, "embedding" in off))
        if model.positions is not None:
            listen(model.positions, _placed(kept, "positions" in off))
        for i, block in enumerate(model.blocks, 1):
            _listen_to_block(block, i, off, kept, listen)
        yield
    finally:
        for handle in handles:
            handle.remove()


def _entering(kept: dict, off: bool):
    def hook(module, args, output):
        output = torch.zeros_like(output) if off else output
        kept["embedding"] = kept["x after embedding"] = output
        return output

    return hook


def _placed(kept: dict, off: bool):
    def hook(module, args, output):
        output = args[0] if off else output
        kept["positions"], kept["x after positions"] = output - args[0], output
        return output

    return hook


def _listen_to_block(block: nn.Module, i: int, off: frozenset[str], kept: dict, listen) -> None:
    attention, feed_forward = f"attention {i}", f"feed_forward {i}"

    def giving(name):
        def hook(module, args, output):
            kept[name] = torch.zeros_like(output) if name in off else output
            return kept[name]

        return hook

    def leaving(module, args, output):
        kept[f"x after {feed_forward}"] = output
        if not isinstance(block, PostNormBlock):
            kept[f"x after {attention}"] = args[0] + kept[attention]

    def between(module, args, output):
        kept[f"x after {attention}"] = output

    listen(block.attention, giving(attention))
    listen(block.feed_forward, giving(feed_forward))
    if isinstance(block, PostNormBlock):
        listen(block.norm_1, between)
    listen(block, leaving)
