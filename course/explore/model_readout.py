"""What the explorer of a whole model reads off a Run: small pictures of all heads, patterns, and what a head was for."""

import numpy as np

from course.lens.patterns import PATTERNS, Match, best, pattern_baselines, pattern_scores
from course.lens.recording import Recording
from course.lens.run import Run, Runnable, moved

TILE = 32  # cells a side that a small picture has at most
LEVELS = 254  # shades of a small picture; 0 says closed
DULL = ("first token", "separator", "itself")  # patterns that a model shows on any text, worth opening on if nothing else
MOST_NEAR = 5  # sentences and predictions that are listed


def tiles(run: Run) -> tuple[bytes, list[list[int]]]:
    """All heads of `run` as small pictures, one byte a cell, and for each layer [heads, rows, columns] of its pictures.

    A byte is 0 where nothing under it may be looked at, else 1 + LEVELS · (largest weight under it) / (largest of all).
    """
    parts, shapes = [], []
    for recording in run.layers:
        weights = looking(recording)  # (H, T, S)
        small = _pooled(weights)
        top = np.maximum(small.max((1, 2), keepdims=True), np.finfo(np.float32).tiny)
        cells = 1 + np.rint(LEVELS * small / top).astype(np.uint8)  # (H, rows, columns)
        if recording.mask is not None:
            cells = np.where(_pooled(np.atleast_3d(recording.mask.T).T.astype(np.uint8)) > 0, cells, np.uint8(0))
        parts.append(np.ascontiguousarray(cells).tobytes())
        shapes.append([int(size) for size in cells.shape])
    return b"".join(parts), shapes


def looking(recording: Recording) -> np.ndarray:
    """The layer's own weights (H, T, S), float32 where they were measured."""
    return recording.attend()[1] if recording.weights is None else recording.weights


def _pooled(array: np.ndarray) -> np.ndarray:
    """(H, T, S) → (H, ≤ TILE, ≤ TILE), the largest number of each block."""
    for axis in (1, 2):
        size = array.shape[axis]
        if size > TILE:
            array = np.maximum.reduceat(array, -(-np.arange(TILE) * size // TILE), axis=axis)
    return array


def pattern_table(run: Run) -> np.ndarray:
    """(P, 2, N) float32: for each of PATTERNS score and baseline of all N heads, layer after layer; NaN for no target."""
    layers = []
    for layer, recording in enumerate(run.layers):
        special = run.special_of(layer)
        scores, baselines = pattern_scores(recording, special), pattern_baselines(recording, special)
        layers.append([[scores[pattern], baselines[pattern]] for pattern in PATTERNS])
    return np.concatenate(layers, axis=2).astype(np.float32)


def parts(run: Run) -> list[dict]:
    """The groups of layers that a learner chooses from, [] where there is one: layers `start` to `stop`, the last left out.

    "between" says that there queries and keys are two texts.
    """
    found, start = [], 0
    for part in run.parts if len(run.parts) > 1 else ():
        layers = run.layers[start : start + part.count]
        between = any(layer.tokens != layer.key_tokens for layer in layers)
        found.append({"name": part.name, "start": start, "stop": start + part.count, "between": between})
        start += part.count
    return found


def worth_seeing(run: Run) -> Match | None:
    """The head to open on: the clearest match for a pattern that not every text shows; None if no pattern has a target."""
    found = best(run).values()
    telling = [match for match in found if match.pattern not in DULL] or list(found)
    return max(telling, key=lambda match: match.score - match.baseline, default=None)


def opening_cell(recording: Recording, head: int, special) -> tuple[int, int]:
    """The largest weight of a head that is not on the diagonal, between ordinary tokens if there are two of them.

    special: (T,) bools of the tokens of the text, or None where the queries are another text.
    """
    shown = looking(recording)[head].astype(np.float64)  # (T, S)
    ordinary = shown.copy()
    if recording.tokens == recording.key_tokens:
        np.fill_diagonal(ordinary, -np.inf)
        if special is not None:
            frame = np.asarray(special, dtype=bool)
            ordinary[frame[: len(shown)]] = -np.inf
            ordinary[:, frame[: len(shown)]] = -np.inf
    if recording.mask is not None:
        ordinary[~np.broadcast_to(recording.mask, (recording.heads, *shown.shape))[head]] = -np.inf
    ordinary = ordinary if np.isfinite(ordinary).any() else shown
    row, column = np.unravel_index(ordinary.argmax(), ordinary.shape)
    return int(row), int(column)


def effect(model: Runnable, before: Run, after: Run, position: int) -> dict:
    """What switching heads off changed, in the form in which it goes to the page.

    {"token": the token at `position`, "top": [before, after]} where the model has a vocabulary head, each a list of
    [token, probability];  {"token": …, "moved": [[token, part], …]} where it has none, for all tokens.
    """
    position = position if position < len(before.tokens) else len(before.tokens) - 1
    top = [model.top(run, position, MOST_NEAR) for run in (before, after)]
    if all(part is not None for part in top):
        return {"token": before.tokens[position], "position": position, "top": [[list(pair) for pair in part] for part in top]}
    parts = [[token, float(part)] for token, part in zip(before.tokens, moved(before, after))]
    return {"token": before.tokens[position], "position": position, "moved": parts}


def nearest(point: np.ndarray, points: np.ndarray, sentences) -> list[list]:
    """The MOST_NEAR sentences whose points have the largest cosine with `point`: [sentence, cosine], the nearest first."""
    cosines = points.astype(np.float64) @ point.astype(np.float64)
    return [[sentences[i], float(cosines[i])] for i in np.argsort(-cosines, kind="stable")[:MOST_NEAR]]


def point_of(run: Run) -> np.ndarray:
    """The sentence's point as a sentence encoder makes it: the mean of all tokens' last vectors, divided by its length."""
    mean = run.vectors.astype(np.float64).mean(0)  # (C,)
    return mean / max(float(np.linalg.norm(mean)), np.finfo(np.float32).tiny)
