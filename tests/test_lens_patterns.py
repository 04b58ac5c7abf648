"""Patterns of heads: by hand on perfect heads, against loops that read like the definition, and over a model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.blocks.attention import causal_mask, softmax
from course.lens.patterns import PATTERNS, Match, best, pattern_baselines, pattern_scores
from course.lens.recording import Recording
from course.lens.run import Run

TOKENS = "[CLS] the cat saw the dog [SEP]".split()
SPECIAL = [True, False, False, False, False, False, True]
T = len(TOKENS)


def one_hot(targets):
    """A head that looks at one key each, (1, T, T)."""
    return np.eye(T)[np.array(targets)][None]


PERFECT = {
    "previous token": [0, 0, 1, 2, 3, 4, 5], "next token": [1, 2, 3, 4, 5, 6, 6], "first token": [0] * 7,
    "separator": [6] * 7, "same word": [0, 4, 0, 0, 1, 0, 0], "itself": range(7),
}  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_perfect_head_scores_one(pattern):
    scores = pattern_scores(Recording(TOKENS, weights=one_hot(PERFECT[pattern])), SPECIAL)
    assert tuple(scores) == PATTERNS and scores[pattern] == [1.0] and scores[pattern].dtype == np.float64
    others = {name: value for name, value in scores.items() if name != pattern}
    assert all(value < 1 for value in others.values()), others


def test_a_head_that_looks_evenly_scores_its_baseline():
    even = Recording(TOKENS, weights=np.full((2, T, T), 1 / T))
    scores, baselines = pattern_scores(even, SPECIAL), pattern_baselines(even, SPECIAL)
    for pattern in PATTERNS:
        np.testing.assert_allclose(scores[pattern], [1 / 7, 1 / 7], rtol=1e-6)
        np.testing.assert_allclose(baselines[pattern], scores[pattern], rtol=1e-6)


def test_numbers_by_hand():
    """Three words, no special ones, causal: every weight is written down."""
    weights = [[1, 0, 0], [0.3, 0.7, 0], [0.2, 0.1, 0.7]]
    recording = Recording("aba", weights=weights, q=np.ones((3, 1)), k=np.ones((3, 1)), mask=causal_mask(3))
    scores, baselines = pattern_scores(recording), pattern_baselines(recording)
    expected = {  # rows 1 and 2 count: row 0 has one key
        "previous token": ((0.3 + 0.1) / 2, (1 / 2 + 1 / 3) / 2), "next token": (np.nan, np.nan),
        "first token": ((0.3 + 0.2) / 2, (1 / 2 + 1 / 3) / 2), "separator": (np.nan, np.nan), "same word": (0.2, 1 / 3),
        "itself": ((0.7 + 0.7) / 2, (1 / 2 + 1 / 3) / 2),
    }  # fmt: skip
    for pattern, (score, baseline) in expected.items():
        found = [scores[pattern][0], baselines[pattern][0]]
        np.testing.assert_allclose(found, [score, baseline], rtol=1e-6, err_msg=pattern)


def test_weights_are_computed_where_none_were_measured():
    rng = np.random.default_rng(0)
    q, k = rng.normal(size=(2, 2, T, 3))
    measured = softmax(q @ k.swapaxes(1, 2) / np.sqrt(3))
    computed = pattern_scores(Recording(TOKENS, q, k), SPECIAL)
    given_ = pattern_scores(Recording(TOKENS, weights=measured), SPECIAL)
    for pattern in PATTERNS:
        np.testing.assert_allclose(computed[pattern], given_[pattern], rtol=1e-5)


def test_keys_of_another_text():
    recording = Recording(["le", "chat", "OK"], weights=np.ones((1, 3, 2)) * [0.25, 0.75], key_tokens=["the", "OK"])
    scores, baselines = pattern_scores(recording), pattern_baselines(recording)
    assert scores["first token"] == 0.25 and scores["same word"] == 0.75 and baselines["same word"] == 0.5
    assert all(np.isnan(scores[name]) for name in PATTERNS if name not in ("first token", "same word"))


def by_the_definition(recording, special):
    """The same by loops over heads and queries: {pattern: (scores, baselines)}."""
    tokens, key_tokens, found = recording.tokens, recording.key_tokens, {}
    one_text = tokens == key_tokens
    targets = {
        "previous token": lambda i, j: one_text and j == i - 1, "next token": lambda i, j: one_text and j == i + 1,
        "first token": lambda i, j: j == 0 and (not one_text or i != 0),
        "separator": lambda i, j: one_text and special[j] and j > 0,
        "same word": lambda i, j: tokens[i] == key_tokens[j] and (not one_text or (i != j and not special[j])),
        "itself": lambda i, j: one_text and i == j,
    }  # fmt: skip
    for pattern, is_target in targets.items():
        rows = []
        for h in range(recording.heads):
            scores, baselines = [], []
            for i in range(len(tokens)):
                mask = recording.mask if recording.mask is None or recording.mask.ndim == 2 else recording.mask[h]
                keys = [j for j in range(len(key_tokens)) if mask is None or mask[i, j]]
                aims = [j for j in keys if is_target(i, j)]
                if special[i] or len(keys) < 2 or not aims:
                    continue
                scores.append(sum(float(recording.weights[h, i, j]) for j in aims))
                baselines.append(len(aims) / len(keys))
            rows.append((np.mean(scores), np.mean(baselines)) if scores else (np.nan, np.nan))
        found[pattern] = np.array(rows).T
    return found


@given(st.data())
def test_against_the_definition(data):
    rows, heads = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    tokens = data.draw(st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows))
    key_tokens = data.draw(st.none() | st.lists(st.sampled_from("abc"), min_size=1, max_size=5))
    columns = rows if key_tokens is None else len(key_tokens)
    special = data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    shape = data.draw(st.sampled_from([(rows, columns), (heads, rows, columns)]))
    mask = data.draw(st.sampled_from([None, rng.random(shape) > 0.4]))
    weights = rng.random((heads, rows, columns))
    if mask is not None:
        weights = weights * mask
    q, k = np.ones((heads, rows, 1)), np.ones((heads, columns, 1))
    recording = Recording(tokens, q, k, weights=weights, mask=mask, key_tokens=key_tokens)
    scores, baselines = pattern_scores(recording, special), pattern_baselines(recording, special)
    for pattern, expected in by_the_definition(recording, special).items():
        np.testing.assert_allclose([scores[pattern], baselines[pattern]], expected, rtol=1e-5, err_msg=pattern)
        assert scores[pattern].shape == baselines[pattern].shape == (heads,)


# ── over a whole model ───────────────────────────────────────────────────────────────────────────────────────


def run_of(*layers):
    """A run whose layers are recordings, or lists of heads' weights."""
    made = [one if isinstance(one, Recording) else Recording(TOKENS, weights=np.concatenate(one)) for one in layers]
    return Run(tuple(TOKENS), tuple(made), tuple("ab"), np.eye(T), None, tuple(SPECIAL))


def test_the_best_head_of_all_layers():
    even = np.full((1, T, T), 1 / T)
    heads = {pattern: one_hot(targets) for pattern, targets in PERFECT.items()}
    found = best(run_of([even, heads["separator"], 0.5 * even + 0.5 * heads["itself"]],
                        [heads["previous token"], heads["itself"], heads["previous token"]]))  # fmt: skip
    assert list(found) == list(PATTERNS)
    assert found["separator"] == Match("separator", 0, 1, 1.0, pytest.approx(1 / 7))
    assert found["itself"][1:3] == (1, 1) and found["previous token"][1:3] == (1, 0)  # of two alike the first


def test_best_is_measured_from_the_baseline():
    """In a causal layer the previous token is one of few: 0.5 there is less than 0.45 where all may be looked at."""
    halves = 0.5 * np.eye(T, k=-1)[None] + 0.5 * np.eye(T)
    causal = Recording(TOKENS, np.ones((T, 1)), np.ones((T, 1)), weights=halves, mask=causal_mask(T))
    assert best(run_of(causal, [0.9 * halves]))["previous token"].layer == 1
    assert best(run_of([0.9 * halves], causal))["previous token"].layer == 0


def test_what_has_no_target_has_no_best_head():
    words = Recording("abc", weights=np.full((1, 3, 3), 1 / 3))
    found = best(Run(words.tokens, (words,), ("layer 1",), np.eye(3), None, (False,) * 3))
    assert set(found) == set(PATTERNS) - {"separator", "same word"}


def test_layers_over_other_tokens_know_no_special_ones():
    """A decoder's layers in a run whose tokens are the encoder's."""
    other = Recording("ab", weights=np.full((1, 2, 2), 1 / 2))
    assert "separator" not in best(run_of(other))
