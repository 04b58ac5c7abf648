"""The neurons of the feed-forward part as keys and values: what switches each on, and what it then adds.

    FFN(x) = Σₙ activation(kₙ·x + bₙ) vₙ + b₂       kₙ: row n of `up.weight`, vₙ: row n of W₂ = column n of `down.weight`

Geva, Schuster, Berant, Levy 2021 (Transformer Feed-Forward Layers Are Key-Value Memories, arXiv 2012.14913) look at a
layer in this way: the key of a neuron fits patterns of the texts before a token, which are found by running a corpus
through the model, and its value, read through the unembedding, favours some tokens of the vocabulary.

  * `pre_activations`, `activations`: every neuron at every token of a text, recorded by a hook;
  * `peaks`: of a list of texts, the tokens that switch each neuron on most;
  * `effects`, `extremes`: the tokens that each neuron's value row speaks for and against.

A model is anything called with ids (B, T) that has `blocks`, each with a `feed_forward` (`up`, `down`, `activation`) as
course.blocks.feed_forward.FeedForward, and, for the effects, an `unembedding`.
"""

from collections.abc import Iterable
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from course.blocks.feed_forward import ACTIVATIONS
from course.blocks.norm import LayerNorm

AT_ONCE = 2**24  # numbers of `effects` that `extremes` has in memory at a time
TOGETHER = 2048  # tokens that `peaks` lets the model read at a time


class Peaks(NamedTuple):
    """For each of F_ neurons the k texts that switch it on most, the most first; of each text its strongest token.

    Where fewer than k texts switch a neuron on (z > 0), text and position are −1 and z is 0.
    """

    texts: np.ndarray  # (F_, k) int32, numbers of texts
    positions: np.ndarray  # (F_, k) int32, positions of tokens in them
    z: np.ndarray  # (F_, k) float32, before the bend


class Extremes(NamedTuple):
    """For each of F_ neurons the k tokens that its value row raises most, and the k that it lowers most."""

    raised: np.ndarray  # (F_, k) int64, ids, the most raised first
    raised_by: np.ndarray  # (F_, k) float32
    lowered: np.ndarray  # (F_, k) int64, ids, the most lowered first
    lowered_by: np.ndarray  # (F_, k) float32


# ── the layers ──────────────────────────────────────────────────────────────────────────────────────────────


def feed_forwards(model) -> list[nn.Module]:
    """The feed-forward parts of a model's blocks, in order.  Raises ValueError where one has no neurons of this kind."""
    found = [getattr(block, "feed_forward", None) for block in getattr(model, "blocks", ())]
    if not found:
        raise ValueError(f"the model must have blocks with a feed_forward each, got {type(model).__name__}, which has none")
    for layer in found:
        check_layer(layer)
    return found


def check_layer(layer) -> None:
    """Raises ValueError unless `layer` is up, bend, down, and nothing else."""
    maps = [getattr(layer, name, None) for name in ("up", "down")]
    if not all(isinstance(one, nn.Linear) for one in maps) or hasattr(layer, "gate") or not callable(getattr(layer, "activation", None)):
        raise ValueError(f"a layer must have up, down and activation as FeedForward, and no gate, got {type(layer).__name__}")


def bend(layer) -> str:
    """The name of a layer's activation in course.blocks.feed_forward.  Raises ValueError for one of no name."""
    for name, function in ACTIVATIONS.items():
        if layer.activation is function:
            return name
    raise ValueError(f"the layer's activation must be one of {', '.join(ACTIVATIONS)}, got {layer.activation!r}")


def keys(layer) -> np.ndarray:
    """(F_, C): row n is what neuron n looks for."""
    return _numbers(layer.up.weight)


def biases(layer) -> np.ndarray:
    """(F_,): what is added to key·x; zeros for a layer without biases."""
    return np.zeros(layer.up.out_features, np.float32) if layer.up.bias is None else _numbers(layer.up.bias)


def values(layer) -> np.ndarray:
    """(F_, C): row n is what neuron n adds to the residual stream, times its activation."""
    return _numbers(layer.down.weight.T)


# ── keys: what switches a neuron on ─────────────────────────────────────────────────────────────────────────


def pre_activations(model, ids, layer: int) -> np.ndarray:
    """z = key·x + bias of every neuron at every token of a text.

    ids: T whole numbers;  layer: number of a block, from 0.  The model runs once, in evaluation mode.
    Returns (T, F_) float32.  Raises ValueError for a layer that there is not, and for a text without tokens.
    """
    return _recorded(model, [ids], _layer(model, layer))[0].cpu().numpy()


def activations(model, ids, layer: int) -> np.ndarray:
    """activation(key·x + bias) of every neuron at every token: how much of its value row each adds.  (T, F_) float32."""
    part = _layer(model, layer)
    with torch.inference_mode():
        return part.activation(_recorded(model, [ids], part)[0]).cpu().numpy()


def peaks(model, texts: Iterable, layer: int, k: int = 6) -> Peaks:
    """The tokens of a corpus that switch each neuron of a layer on most: of each text at most one, so that texts differ.

    texts: one list of ids each; those without tokens are passed over.  The order is that of z before the bend, which is
    that of the activation too: all four bends rise where z > 0, and are at most 0 elsewhere.  Of equals the earlier text
    is first, in a text the earlier token.
    """
    part = _layer(model, layer)
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    width = part.up.out_features
    z = np.full((k, width), -np.inf, np.float32)
    where = np.full((2, k, width), -1, np.int32)  # text, position
    for numbers, batch in _of_equal_length(texts):
        found = _recorded(model, batch, part).cpu().numpy()  # (B, T, F_)
        place = found.argmax(1)  # (B, F_)
        here = np.stack([np.broadcast_to(np.array(numbers)[:, None], place.shape), place]).astype(np.int32)
        z = np.vstack([z, np.take_along_axis(found, place[:, None], 1)[:, 0]])
        where = np.concatenate([where, here], axis=1)
        best = np.lexsort((where[0], -z), axis=0)[:k]
        z, where = np.take_along_axis(z, best, 0), np.take_along_axis(where, best[None], 1)
    on = z > 0
    texts_of, positions = np.where(on, where, -1)
    return Peaks(texts_of.T.copy(), positions.T.copy(), np.where(on, z, 0).T.copy())


def _of_equal_length(texts: Iterable):
    """Batches (numbers of texts, ids (B, T)) of texts with as many tokens each: none has to be filled up."""
    by_length: dict[int, list] = {}
    for number, ids in enumerate(texts):
        by_length.setdefault(len(ids), []).append((number, list(map(int, ids))))
    for length in sorted(by_length.keys() - {0}):
        together = max(TOGETHER // length, 1)
        for batch in (by_length[length][i : i + together] for i in range(0, len(by_length[length]), together)):
            yield [number for number, _ in batch], [ids for _, ids in batch]


def _layer(model, number: int) -> nn.Module:
    found = feed_forwards(model)
    if not 0 <= number < len(found):
        raise ValueError(f"layer must be from 0 to {len(found) - 1}, got {number}")
    return found[number]


def _recorded(model, batch, part: nn.Module) -> torch.Tensor:
    """What the layer's `up` gives while the model reads `batch`, B texts of T ids: (B, T, F_) float32."""
    ids = torch.tensor([list(map(int, text)) for text in batch], dtype=torch.long, device=part.up.weight.device)
    if ids.shape[1] == 0:
        raise ValueError("a text of at least one token is needed, got none")
    kept: list[torch.Tensor] = []
    handle = part.up.register_forward_hook(lambda module, args, output: kept.append(output.detach()))
    try:
        with at_rest(model), torch.inference_mode():
            model(ids)
    finally:
        handle.remove()
    if not kept:
        raise ValueError("the model gave its answer without running this layer")
    return kept[-1].reshape(*ids.shape, -1).float()


@contextmanager
def at_rest(model):
    """Every part of the model in evaluation mode while this is entered, and in its own again afterwards."""
    training = [part for part in model.modules() if part.training] if isinstance(model, nn.Module) else []
    try:
        for part in training:
            part.training = False
        yield
    finally:
        for part in training:
            part.training = True


# ── values: what a neuron adds ──────────────────────────────────────────────────────────────────────────────


def effects(model, layer: int, neurons=None) -> np.ndarray:
    """What each neuron's value row says about the next token, read directly through the unembedding.

    An approximation of its direct effect on the logits, for each 1 of activation.  Of the final norm the parts that are
    the same for every token are applied (a LayerNorm's mean taken off, the scale γ), its division by the standard
    deviation is not; and what later layers make of the row is left out.  A model without a final norm has the row itself read.
    neurons: which, None for all.  Returns (n, V) float32.
    """
    return _effects(model, _layer(model, layer), slice(None) if neurons is None else neurons).cpu().numpy()


def extremes(model, layer: int, k: int = 8) -> Extremes:
    """The tokens with the largest and smallest of `effects`, for all neurons of a layer; at most V, of equals any."""
    part = _layer(model, layer)
    size = model.unembedding.weight.shape[0]
    k = min(k, size)
    step = max(AT_ONCE // size, 1)
    raised, lowered = [], []
    for start in range(0, part.up.out_features, step):
        found = _effects(model, part, slice(start, start + step))
        raised.append(found.topk(k))
        lowered.append(found.topk(k, largest=False))
    join = lambda parts, name: torch.cat([getattr(part, name) for part in parts]).cpu().numpy()
    return Extremes(join(raised, "indices"), join(raised, "values"), join(lowered, "indices"), join(lowered, "values"))


@torch.no_grad()
def _effects(model, part: nn.Module, neurons) -> torch.Tensor:
    rows = part.down.weight.T[neurons].float()  # (n, C)
    norm = getattr(model, "norm", None)
    if isinstance(norm, LayerNorm | nn.LayerNorm):
        rows = rows - rows.mean(-1, keepdim=True)
    if getattr(norm, "weight", None) is not None:
        rows = rows * norm.weight.float()
    return rows @ model.unembedding.weight.float().T


def _numbers(parameter: torch.Tensor) -> np.ndarray:
    return parameter.detach().cpu().float().numpy().copy()
