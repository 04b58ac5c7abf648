"""What the explorer of a whole model shows beside the large head: a pinned head, a second text, another model."""

from typing import NamedTuple

import numpy as np

from course.explore.base import clean, pack
from course.explore.model_readout import looking
from course.lens.run import Run

MOST_TOKENS = 512  # as of the large head


class Head(NamedTuple):
    """One head as a picture shows it; mask: True = may look, None where all may."""

    title: str
    weights: np.ndarray  # (T, S)
    mask: np.ndarray | None  # (T, S) bool
    tokens: list[str]
    key_tokens: list[str]
    rows: np.ndarray  # (T,): which query stands in each row
    columns: np.ndarray  # (S,): which key in each column


def order_beside(order, shape) -> list[np.ndarray]:
    """(rows (T,), columns (S,)) of the second head, whose weights are `shape`, (T, S): the `order` of the large head where
    there are as many tokens, which the shared cursor then visits at the same place; else text order.
    """
    return [places if len(places) == size else np.arange(size) for places, size in zip(order, shape, strict=True)]


def beside(run: Run, layer: int, head: int, title) -> tuple[dict, bytes, bytes]:
    """One head of `run` in the form in which it goes to the page: (what there is to say, weights, mask).

    `title(layer=its name, head=…)` is the sentence over it.  Layer and head are those asked for, or the last there is.
    """
    layer = min(layer, len(run.layers) - 1)
    recording = run.layers[layer].shortened(MOST_TOKENS)
    head = min(head, recording.heads - 1)
    mask = None if recording.mask is None else np.broadcast_to(recording.mask, looking(recording).shape)[head]
    said = {
        "title": title(layer=clean(run.names[layer]), head=head), "layer": layer, "head": head, "masked": mask is not None,
        "tokens": [clean(token) for token in recording.tokens],
        "key_tokens": [clean(token) for token in recording.key_tokens]}  # fmt: skip
    bits = b"" if mask is None else np.ascontiguousarray(mask, dtype=np.uint8).tobytes()
    return said, pack(looking(recording)[head]), bits
