"""Hooks on a model's attention layers: take out queries, keys and values on their way, and keep heads from being heard.

A layer is known by the names of its linear maps, not by its class, so that models of any library, ours included, are
found.  Nothing of the model is changed, and hooks never outlive a run.
"""

import math
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import nn

from course.blocks.attention import causal_mask, softmax
from course.lens.recording import Recording

# Names under which models keep the maps to queries, keys and values (or one to all three), and the map after the heads.
MAPS = (
    ("query", "key", "value"),
    ("q_lin", "k_lin", "v_lin"),
    ("q_proj", "k_proj", "v_proj"),
    ("q", "k", "v"),
    ("c_attn",),
)
OUTPUTS = ("out_lin", "out_proj", "o_proj", "o", "c_proj", "out", "dense")
HEADS = ("num_attention_heads", "num_heads", "n_heads")
ADDED = "relative_attention_bias"  # T5's name for the table of numbers added to the scores, one for each distance and head
CROSS = re.compile("cross|encdec|encoder_attn", re.IGNORECASE)  # a decoder's layer that looks at what the encoder read

SAME = 1e-4  # weights computed anew may differ so much from those the model returned
MOST_ROWS = 64  # queries for which that is tried


@dataclass(frozen=True, eq=False)
class Site:
    """One attention layer: `maps` to queries, keys, values (or one to all three), `out` after the heads, if known.

    `added` gives what is added to the scores, in the layer that has its own;  `cross`: the keys are another text.
    """

    maps: tuple[nn.Module, ...]
    out: nn.Module | None
    heads: int
    scale: float | None  # what the layer says of itself; None: 1/√D
    causal: bool
    added: nn.Module | None = None
    cross: bool = False


@dataclass
class Seen:
    """What passed through a Site: outputs of its maps and of `added`, inputs of its `out`, one entry a call."""

    mapped: list[list[torch.Tensor]] = field(default_factory=list)
    heard: list[torch.Tensor] = field(default_factory=list)  # (1, T, H·D): the heads' outputs side by side
    added: list[torch.Tensor] = field(default_factory=list)  # (T, S, H): the same for every text of this length


def sites(model: nn.Module) -> list[Site]:
    """The attention layers of `model` whose maps are known by name, in order."""
    modules = dict(model.named_modules())
    return [site for name, module in modules.items() if (site := _site(name, module, modules, model))]


def _site(name, module, modules, model) -> Site | None:
    config = getattr(model, "config", None)
    parts = dict(module.named_children())
    names = next((names for names in MAPS if all(n in parts for n in names)), None)
    heads = next((h for o in (module, config) for n in HEADS if isinstance(h := getattr(o, n, None), int)), None)
    if names is None or heads is None:
        return None
    beside = f"{name.rpartition('.')[0]}.output.dense".lstrip(".")  # BERT keeps it outside, beside the attention
    scale = getattr(module, "scaling", None)
    return Site(
        maps=tuple(parts[n] for n in names), out=next((parts[n] for n in OUTPUTS if n in parts), modules.get(beside)),
        heads=heads, scale=scale if isinstance(scale, float) else None,
        causal=bool(getattr(module, "is_causal", False) or getattr(config, "is_decoder", False)),
        added=parts.get(ADDED), cross=bool(CROSS.search(name)))  # fmt: skip


@contextmanager
def watching(places: list[Site], off=frozenset()):
    """While this is entered, what passes through `places` is kept, and (place, head) pairs in `off` hand on nothing.

    Yields a list of Seen, one for each place.  A head is switched off where the heads lie side by side, before the map
    that mixes them: its part is set to 0.  Places with a head to be switched off must have an `out`.
    """
    seen = [Seen([[] for _ in place.maps]) for place in places]
    handles = []
    try:
        for index, (place, kept) in enumerate(zip(places, seen)):
            for module, outputs in zip(place.maps, kept.mapped):
                handles.append(module.register_forward_hook(_keep(outputs)))
            if place.added is not None:
                handles.append(place.added.register_forward_hook(_keep(kept.added)))
            if place.out is not None:
                silent = sorted(head for layer, head in off if layer == index)
                handles.append(place.out.register_forward_pre_hook(_silence(kept.heard, place.heads, silent)))
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _keep(outputs: list):
    return lambda module, args, output: outputs.append(output.detach())  # list.append returns None: the output stays


def _silence(heard: list, heads: int, silent: list[int]):
    def hook(module, args):
        heard.append(args[0].detach())
        if not silent:
            return None
        z = args[0].unflatten(-1, (heads, -1)).clone()  # (1, T, H, D)
        z[..., silent, :] = 0
        return (z.flatten(-2), *args[1:])

    return hook


def record(bare: Recording, place: Site, seen: Seen, bias=None) -> Recording | None:
    """The layer whose weights `bare` holds with queries, keys, values, mask; None unless weights and output follow.

    That a map is called `query` does not say what becomes of the queries: they may be rotated, biases added, keys
    shared.  That the numbers fit is what decides.  bias: (H, T, S), what is added to the scores, None for nothing.
    """
    parts = _heads_of(seen, bare.weights.shape)
    if parts is None:
        return None
    q, k, v = parts
    z = seen.heard[0][0].float().cpu().numpy() if seen.heard else None  # (T, H·D)
    for scale in (place.scale,) if place.scale else (1 / math.sqrt(q.shape[2]), 1.0):
        for mask in _masks(*bare.weights.shape[1:], place.causal):
            if _explains(bare.weights, q, k, v, z, mask, scale, bias):
                return replace(bare, q=q, k=k, v=v, mask=mask, scale=scale, bias=bias)
    return None


def record_all(bare: list[Recording], places: list[Site], seen: list[Seen]) -> list[Recording] | None:
    """`record` for layers that follow each other in one stack; None if one of them does not fit.

    What one layer adds to its scores, those after it add too, unless they have their own: T5 keeps one table a stack.
    """
    bias, full = None, []
    for layer, place, kept in zip(bare, places, seen, strict=True):
        bias = _added(kept, layer.weights.shape) if place.added is not None else bias
        full.append(record(layer, place, kept, bias))
    return None if any(layer is None for layer in full) else full


def _added(seen: Seen, shape) -> np.ndarray | None:
    """What was added to the scores, (H, T, S) float32; None where it has another form."""
    if len(seen.added) != 1 or tuple(seen.added[0].shape) != (*shape[1:], shape[0]):
        return None
    return seen.added[0].permute(2, 0, 1).float().cpu().numpy()


def _heads_of(seen: Seen, shape) -> tuple[np.ndarray, ...] | None:
    """Queries (H, T, D), keys and values (H, S, D) of the call that was seen; None unless it was one, and they fit."""
    H, T, S = shape
    if any(len(calls) != 1 for calls in seen.mapped) or len(seen.heard) > 1:
        return None
    parts = [calls[0] for calls in seen.mapped]
    if len(parts) == 1 and parts[0].shape[-1] % 3 == 0:
        parts = parts[0].chunk(3, dim=-1)
    width = parts[0].shape[-1]
    if len(parts) != 3 or width % H or any(part.shape != (1, rows, width) for part, rows in zip(parts, (T, S, S))):
        return None
    return tuple(part[0].unflatten(-1, (H, -1)).transpose(0, 1).float().cpu().numpy() for part in parts)


def _masks(T: int, S: int, causal: bool) -> tuple:
    """Masks to try, what the layer says of itself first: on one token both fit.  Between two texts there is no past."""
    if T != S:
        return (None,)
    past = causal_mask(T)
    return (past, None) if causal else (None, past)


def _explains(weights, q, k, v, z, mask, scale, bias) -> bool:
    """Whether weights and, where known, the heads' outputs z (T, H·D) follow from q, k, v; tried on some rows."""
    T = weights.shape[1]
    rows = np.unique(np.linspace(0, T - 1, MOST_ROWS).astype(int))
    scores = scale * (q[:, rows].astype(np.float64) @ k.swapaxes(-1, -2))  # (H, rows, S)
    scores = scores if bias is None else scores + bias[:, rows]
    if mask is not None:
        scores = np.where(mask[rows], scores, -np.inf)
    computed = softmax(scores)
    if not np.abs(computed - weights[:, rows]).max() <= SAME:  # NaN is a difference
        return False
    if z is None:
        return True
    output = (computed @ v).swapaxes(0, 1).reshape(len(rows), -1)  # (rows, H·D)
    return output.shape == z[rows].shape and bool(np.abs(output - z[rows]).max() <= SAME * max(1.0, np.abs(z).max()))
