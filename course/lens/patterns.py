"""Patterns that heads are known for: how much of a head's looking goes to the previous token, the separator, itself …

A score alone says little: on a text of four tokens a head that looks everywhere alike gives each a quarter.  So every
score comes with its baseline, what a head would score that spreads its weights evenly over the keys it may look at.
"""

from typing import NamedTuple

import numpy as np

from course.lens.recording import Recording
from course.lens.run import Run

PATTERNS = ("previous token", "next token", "first token", "separator", "same word", "itself")


class Match(NamedTuple):
    """One head against one pattern, in a whole model; layer and head count from 0."""

    pattern: str
    layer: int
    head: int
    score: float
    baseline: float


def pattern_scores(recording: Recording, special=None) -> dict[str, np.ndarray]:
    """How well each head fits each of PATTERNS: the mean, over queries, of the weight on the pattern's targets.

        score[h] = mean over queries i of  Σ_{j in targets(i)} weights[h, i, j]

    Targets of query i, among the keys it may look at:
        previous token    key i − 1
        next token        key i + 1
        first token       key 0, for every query but the first
        separator         the special tokens, but not one at the very beginning
        same word         the keys with the same token, no special one and not i itself; of two texts (cross-attention):
                          all keys with the same token
        itself            key i
    Left out of the mean are queries without a target, queries with one key alone (they have no choice: the first one
    under a causal mask), and special tokens as queries: [CLS] and [SEP] look for no words.  Where the keys are another
    text, positions say nothing: there only "first token" and "same word" have targets.

    special: (T,) bools, or None for no special tokens; of the queries, and of the keys if these are the same tokens.
    Returns (H,) float64 for each pattern, NaN where no query has a target.
    """
    weights = recording.attend()[1] if recording.weights is None else recording.weights
    return _means(recording, special, lambda targets, allowed: (weights * targets).sum(-1, dtype=np.float64))


def pattern_baselines(recording: Recording, special=None) -> dict[str, np.ndarray]:
    """What a head would score that looks evenly at all keys it may look at: the mean of (targets of i) / (keys of i).

    Queries, targets, arguments and form as in `pattern_scores`.
    """
    return _means(recording, special, lambda targets, allowed: targets.sum(-1) / np.maximum(allowed.sum(-1), 1))


def best(run: Run) -> dict[str, Match]:
    """For each pattern the head of `run` that is furthest above its baseline; ties: the first.

    A pattern without a target anywhere in the text is missing.
    """
    found: dict[str, Match] = {}
    for layer, recording in enumerate(run.layers):
        special = run.special_of(layer)
        scores, baselines = pattern_scores(recording, special), pattern_baselines(recording, special)
        for pattern in PATTERNS:
            for head, (score, baseline) in enumerate(zip(scores[pattern], baselines[pattern])):
                so_far = found.get(pattern)
                if not np.isnan(score) and (so_far is None or score - baseline > so_far.score - so_far.baseline):
                    found[pattern] = Match(pattern, layer, head, float(score), float(baseline))
    return {pattern: found[pattern] for pattern in PATTERNS if pattern in found}


def _means(recording: Recording, special, of_query) -> dict[str, np.ndarray]:
    """The mean over the queries that count, for each pattern and head, of `of_query(targets, allowed)`, (H or 1, T)."""
    H, T, S = recording.heads, len(recording.tokens), len(recording.key_tokens)
    special = np.zeros(T, dtype=bool) if special is None else np.asarray(special, dtype=bool)
    allowed = np.ones((1, T, S), dtype=bool) if recording.mask is None else recording.mask.reshape(-1, T, S)
    means = {}
    for pattern, targets in _targets(recording, special).items():
        targets = targets & allowed  # (H or 1, T, S)
        counts = targets.any(-1) & (allowed.sum(-1) > 1) & ~special  # (H or 1, T)
        values = np.where(counts, of_query(targets, allowed), 0.0)  # (H or 1, T)
        number = counts.sum(-1).astype(np.float64)
        with np.errstate(invalid="ignore"):  # 0 / 0 is NaN, which is what is promised
            means[pattern] = np.broadcast_to(values.sum(-1) / number, H).copy()
    return means


def _targets(recording: Recording, special: np.ndarray) -> dict[str, np.ndarray]:
    """For each pattern the keys that each query should look at, (T, S) bool, whatever the mask."""
    tokens, key_tokens = np.array(recording.tokens, dtype=object), np.array(recording.key_tokens, dtype=object)
    T, S = len(tokens), len(key_tokens)
    one_text = recording.tokens == recording.key_tokens
    distance = np.arange(S) - np.arange(T)[:, None]  # (T, S)  how far ahead of the query the key is
    nowhere = np.zeros((T, S), dtype=bool)
    first = np.broadcast_to(np.arange(S) == 0, (T, S))
    same = tokens[:, None] == key_tokens  # (T, S)
    separators = np.broadcast_to(special & (np.arange(T) > 0), (T, S)) if one_text else nowhere
    return {
        "previous token": distance == -1 if one_text else nowhere,
        "next token": distance == 1 if one_text else nowhere,
        "first token": first & (distance != 0) if one_text else first,
        "separator": separators,
        "same word": same & (distance != 0) & ~special if one_text else same,
        "itself": distance == 0 if one_text else nowhere,
    }
