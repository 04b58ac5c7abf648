"""What attention must be whatever the numbers: properties, conventions and errors."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course.blocks.attention import (
    attention, attention_scores, attention_steps, attention_torch, causal_mask, padding_mask, softmax, window_mask,
)  # fmt: skip

finite = st.floats(-1e4, 1e4)
rows = st.integers(1, 6).flatmap(lambda n: arrays(np.float64, (3, n), elements=finite))


@given(rows, st.floats(-1e6, 1e6))
def test_softmax_sums_to_one_and_ignores_a_shift(x, shift):
    p = softmax(x)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(-1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(softmax(x + shift), p, atol=1e-8)


def test_softmax_never_overflows():
    np.testing.assert_array_equal(softmax([1e300, 0.0, -1e300]), [1, 0, 0])
    np.testing.assert_allclose(softmax([1000, 1001]), [1 / (1 + np.e), np.e / (1 + np.e)], rtol=1e-12)
    assert softmax([1, 2]).dtype == np.float64  # integers are welcome


def test_softmax_of_hidden_scores():
    p = softmax([[-np.inf, 0.0, 0.0], [-np.inf, -np.inf, -np.inf]])
    np.testing.assert_array_equal(p, [[0, 0.5, 0.5], [0, 0, 0]])
    assert softmax(np.zeros((2, 0))).shape == (2, 0)


def test_masks():
    np.testing.assert_array_equal(causal_mask(3), [[True, False, False], [True, True, False], [True, True, True]])
    assert causal_mask(1).tolist() == [[True]] and causal_mask(0).shape == (0, 0)
    np.testing.assert_array_equal(padding_mask([2, 0, 3], 3), [[True, True, False], [False] * 3, [True] * 3])
    assert causal_mask(4).dtype == padding_mask([1], 4).dtype == np.bool_
    for lengths in ([4], [-1]):
        with pytest.raises(ValueError, match="between 0 and T=3"):
            padding_mask(lengths, 3)


def random_qkv(seed=0, T=5, D=4):
    random = np.random.default_rng(seed)
    return tuple(random.normal(size=(T, D)) * 2 for _ in range(3))


@given(st.integers(0, 10_000), st.integers(0, 4))
def test_the_future_changes_no_earlier_output(seed, t):
    q, k, v = random_qkv(seed)
    before, _ = attention(q, k, v, causal_mask(5))
    k[t + 1 :], v[t + 1 :], q[t + 1 :] = 7.0, -9.0, 3.0
    after, _ = attention(q, k, v, causal_mask(5))
    np.testing.assert_array_equal(before[: t + 1], after[: t + 1])


@given(st.integers(0, 10_000), st.permutations(range(5)))
def test_order_of_keys_does_not_matter_and_queries_follow(seed, order):
    q, k, v = random_qkv(seed)
    output, weights = attention(q, k, v)
    np.testing.assert_allclose(attention(q, k[order], v[order])[0], output, rtol=1e-9)
    np.testing.assert_allclose(attention(q[order], k, v)[1], weights[order], rtol=1e-12)


@given(st.integers(0, 10_000))
def test_output_lies_between_the_values(seed):
    q, k, v = random_qkv(seed)
    output, weights = attention(q, k, v)
    np.testing.assert_allclose(weights.sum(-1), 1.0, rtol=1e-12)
    assert (output <= v.max(0) + 1e-12).all() and (output >= v.min(0) - 1e-12).all()


def test_padding_is_invisible():
    q, k, v = random_qkv()
    alone, _ = attention(q[:3], k[:3], v[:3])
    padded, weights = attention(q, k, v, padding_mask([3], 5))
    np.testing.assert_allclose(padded[:3], alone, rtol=1e-12)
    assert (weights[:, 3:] == 0).all()


def test_nothing_to_look_at_is_zero():
    q, k, v = random_qkv()
    output, weights = attention(q, k, v, np.zeros((5, 5), bool))
    assert (output == 0).all() and (weights == 0).all()
    assert attention(q, k[:0], v[:0])[0].tolist() == np.zeros((5, 4)).tolist()


def test_a_window_ends_with_the_word_itself():
    assert window_mask(4, 2).astype(int).tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    for T in (1, 2, 5):
        np.testing.assert_array_equal(window_mask(T, 1), np.eye(T, dtype=bool))
        np.testing.assert_array_equal(window_mask(T, T), causal_mask(T))
        np.testing.assert_array_equal(window_mask(T, T + 3), causal_mask(T))


def test_scores_are_dot_products_over_the_root_of_the_width():
    q, k, _ = random_qkv()
    for i, j in np.ndindex(5, 5):
        np.testing.assert_allclose(attention_scores(q, k)[i, j], sum(a * b for a, b in zip(q[i], k[j])) / 2, rtol=1e-12)
    assert attention_scores([[1, 2]], [[3, 4]]).dtype == np.float64


def test_steps_are_the_steps():
    q, k, v = random_qkv()
    steps = attention_steps(q, k, v, causal_mask(5))
    np.testing.assert_allclose(steps.products[3, 1], sum(a * b for a, b in zip(q[3], k[1])), rtol=1e-12)
    np.testing.assert_allclose(steps.scores, steps.products / 2, rtol=1e-12)  # √4
    assert (np.isneginf(steps.masked_scores) == ~causal_mask(5)).all()
    np.testing.assert_allclose(steps.output[2], sum(steps.weights[2, j] * v[j] for j in range(5)), rtol=1e-12)


def test_arguments_are_left_alone():
    q, k, v = random_qkv()
    copies = [a.copy() for a in (q, k, v)]
    attention(q, k, v, causal_mask(5))
    for a, copy in zip((q, k, v), copies):
        np.testing.assert_array_equal(a, copy)


q4, k4, v4 = np.ones((2, 3, 4)), np.ones((2, 5, 4)), np.ones((2, 5, 6))
ERRORS = [
    ((q4[..., :3], k4, v4, None), ValueError, "equally wide"),
    ((q4, k4, v4[:, :4], None), ValueError, "every key needs its value"),
    ((q4[0, 0], k4, v4, None), ValueError, "at least two axes"),
    ((q4, k4, v4, np.ones((3, 5))), TypeError, "boolean, True = may look"),
    ((q4, k4, v4, np.ones((5, 3), bool)), ValueError, r"must broadcast to the scores' shape \(2, 3, 5\)"),
    ((q4, k4, v4, np.ones((2, 1, 3, 5), bool)), ValueError, "must broadcast"),
]


@pytest.mark.parametrize("arguments, error, sentence", ERRORS)
def test_errors_say_what_is_wrong(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        attention(*arguments)
    with pytest.raises(error, match=sentence):
        attention_torch(*(None if a is None else torch.from_numpy(a) for a in arguments))


def test_the_example_in_the_docstring():
    import doctest

    import course.blocks.attention as module

    result = doctest.testmod(module)
    assert result.attempted >= 5 and result.failed == 0
