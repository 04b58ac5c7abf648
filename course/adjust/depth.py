"""The same training for several kinds of block at several depths: what becomes of loss, gradient and stream.

    kinds = {"the document's": DocumentBlock, "post-norm": PostNormBlock, "pre-norm": PreNormBlock}
    for run in train_at_depths(kinds, (2, 6, 12), ids, held_out, vocab_size=320, steps=120):
        ...                                  # run.losses (steps,), run.gradients (steps, L), run.sizes (2, L+1)

All runs see the same batches in the same order and have the same budget of steps; what differs is the block, the number
of blocks, and what is drawn at the start.

The table of embeddings is drawn with standard deviation 1/√C, so that a token's vector has about length 1.  GPT-2's
0.02, at a width of 768, makes it about half as long; at width 32 it makes it a ninth, and then the outcome is another:
among models of twelve blocks those with post-norm learn fastest.  `embedding_std` asks for either.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from course.adjust.training import evaluate, train
from course.blocks.block import STD
from course.models.config import GPTConfig
from course.models.gpt import GPT
from course.text.windows import windows

LOOKED_AT = 8  # windows of the held-out text in which the stream is measured


@dataclass(frozen=True, eq=False)
class DepthRun:
    """One model of `train_at_depths`, trained.

    kind              the name of its kind of block
    n_layers          L
    seed, lr          from which it was drawn, and its highest learning rate
    losses            (steps,)       of each step's batch, nats a token
    validation_loss   on the held-out text after the last step, nats a token
    gradients         (steps, L)     norm of the gradient of each block's parameters, before clipping
    sizes             (2, L+1)       root mean square of the stream: what enters the first block, what leaves each;
                                     row 0 before training, row 1 after it
    common            (2, L+1)       the share of that which all tokens have in common, 0 … 1: |mean vector|² over the
                                     mean of |vector|².  At 1 all tokens have become the same vector, and nothing that
                                     follows can tell one from another
    seconds           of training
    """

    kind: str
    n_layers: int
    seed: int
    lr: float
    losses: np.ndarray
    validation_loss: float
    gradients: np.ndarray
    sizes: np.ndarray
    common: np.ndarray
    seconds: float


def train_at_depths(blocks: Mapping[str, type[nn.Module]], depths: Sequence[int], ids, validation, *, vocab_size: int,
                    steps: int, lr: float | Mapping[str, float] = 3e-3, warmup: int | None = None, d_model: int = 32,
                    n_heads: int = 4, context_length: int = 32, batch_size: int = 16,
                    embedding_std: float | None = None, seeds: Sequence[int] = (0,)) -> Iterator[DepthRun]:  # fmt: skip
    """Train a GPT of each kind of block at each depth from each seed; yields a `DepthRun` when each is done.

    blocks: name → class of course.blocks.block;  depths: numbers of blocks L;  ids, validation: whole numbers, (M,)
    and (N,), the second held out and at least one window long;  lr: the highest rate, one for all kinds or name → rate;
    embedding_std: of the numbers in the table of embeddings at the start, by default 1/√C;  the rest as for GPTConfig
    and `train`.
    The order is depth by depth, within it kind by kind, within it seed by seed.  torch's own random numbers are left as
    they were.  Raises ValueError for a kind that has no rate, and as GPTConfig and `train` do.
    """
    rates = dict(lr) if isinstance(lr, Mapping) else dict.fromkeys(blocks, lr)
    if missing := [kind for kind in blocks if kind not in rates]:
        raise ValueError(f"lr gives a rate for each kind of block, and there is none for {', '.join(missing)}")
    configs = [GPTConfig(vocab_size, context_length, d_model, n_heads, L) for L in depths]
    looked_at = windows(validation, context_length)[0][:LOOKED_AT]  # (B, T)
    settings = dict(steps=steps, batch_size=batch_size, warmup=warmup)
    std = 1 / math.sqrt(d_model) if embedding_std is None else embedding_std
    return (
        _run(kind, block, config, rates[kind], seed, ids, validation, looked_at, std, settings)
        for config in configs
        for kind, block in blocks.items()
        for seed in seeds
    )


def _run(kind, block, config, lr, seed, ids, validation, looked_at, std, settings) -> DepthRun:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = GPT(config, block)
        model.embedding.weight *= std / STD  # drawn with STD
    before = _stream(model, looked_at)
    records = list(train(model, ids, lr=lr, seed=seed, by_part=True, **settings))
    sizes, common = zip(before, _stream(model, looked_at), strict=True)
    return DepthRun(
        kind, config.n_layers, seed, lr,
        losses=np.array([record.loss for record in records]),
        validation_loss=evaluate(model, validation),
        gradients=np.array([[r.gradient_norms[f"blocks.{i}"] for i in range(config.n_layers)] for r in records]),
        sizes=np.array(sizes), common=np.array(common), seconds=records[-1].seconds,
    )  # fmt: skip


def _stream(model: GPT, ids: np.ndarray) -> tuple[list[float], list[float]]:
    """Root mean square of the stream at the L + 1 places between blocks, and how much of it is common to all tokens."""
    sizes, common = [], []
    with torch.no_grad():
        x = model.embed(torch.from_numpy(ids))  # (B, T, C)
        for block in (None, *model.blocks):
            x = x if block is None else block(x, causal=True)
            vectors = x.flatten(0, 1).double()  # (B·T, C)
            square = vectors.square().mean().item()
            sizes.append(math.sqrt(square))
            common.append(vectors.mean(dim=0).square().mean().item() / square)
    return sizes, common
