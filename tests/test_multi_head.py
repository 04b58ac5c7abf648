"""What many heads must be whatever the numbers: shapes, independence, masks, switches and errors."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.blocks.attention import (
    MultiHeadAttention, attention, causal_mask, merge_heads, multi_head_attention, padding_mask, split_heads,
)  # fmt: skip

B, T, S, H, D = 2, 5, 7, 3, 4
C = H * D


def draw(*shapes, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape) * 1.5 for shape in shapes]


def drawn(seed=0, keys=T):
    """x (B, T, C), memory (B, keys, C) and W_Q, W_K, W_V, W_O."""
    x, memory, *matrices = draw((B, T, C), (B, keys, C), (C, C), (C, C), (C, C), (C, C), seed=seed)
    return x, memory, [W / 2 for W in matrices]


def a_layer(matrices, bias=False):
    layer = MultiHeadAttention(C, H, bias=bias).double()
    with torch.no_grad():
        for linear, W in zip((layer.query, layer.key, layer.value, layer.out), matrices):
            linear.weight.copy_(torch.from_numpy(W.T))
    return layer


# ── cutting into heads ──────────────────────────────────────────────────────────────────────────────────────


def test_head_h_gets_its_own_features_of_every_position():
    x = np.arange(B * T * C).reshape(B, T, C)
    heads = split_heads(x, H)
    assert heads.shape == (B, H, T, D)
    for b, h, t in np.ndindex(B, H, T):
        np.testing.assert_array_equal(heads[b, h, t], x[b, t, h * D : (h + 1) * D])


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2))
def test_merging_undoes_cutting_for_arrays_and_tensors(n_heads, positions, width, leading):
    x = np.random.default_rng(0).normal(size=(*[2, 3][:leading], positions, n_heads * width))
    heads = split_heads(x, n_heads)
    assert heads.shape == (*x.shape[:-2], n_heads, positions, width)
    np.testing.assert_array_equal(merge_heads(heads), x)
    tensor = torch.from_numpy(x)
    np.testing.assert_array_equal(split_heads(tensor, n_heads).numpy(), heads)
    assert torch.equal(merge_heads(split_heads(tensor, n_heads)), tensor)


def test_reshape_instead_of_transpose_is_something_else():
    """(B, H, T, D) by one reshape has the right shape; a head then gets pieces of other positions."""
    x, _, (W_Q, W_K, W_V, W_O) = drawn()
    wrong = [(x @ W).reshape(B, H, T, D) for W in (W_Q, W_K, W_V)]
    right = [split_heads(x @ W, H) for W in (W_Q, W_K, W_V)]
    assert wrong[0].shape == right[0].shape and not np.allclose(wrong[0], right[0])
    output, weights = attention(*right)
    ours = multi_head_attention(x, W_Q, W_K, W_V, W_O, H)
    np.testing.assert_allclose(ours[0], merge_heads(output) @ W_O, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ours[1], weights, rtol=1e-12)
    mixed = attention(*wrong)[0].reshape(B, T, C) @ W_O
    assert np.abs(mixed - ours[0]).max() > 0.1


# ── what a head is ──────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 1000))
def test_one_head_is_attention(seed):
    x, memory, (W_Q, W_K, W_V, W_O) = drawn(seed, keys=S)
    alone, weights = attention(x @ W_Q, memory @ W_K, memory @ W_V, np.tril(np.ones((T, S), bool)))
    ours = multi_head_attention(x, W_Q, W_K, W_V, W_O, 1, np.tril(np.ones((T, S), bool)), memory)
    np.testing.assert_allclose(ours[0], alone @ W_O, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ours[1], weights[:, None], rtol=1e-12)


def test_a_score_is_divided_by_the_root_of_one_heads_width():
    x, _, matrices = drawn()
    W_Q, W_K, _, _ = matrices
    _, weights = multi_head_attention(x, *matrices, H)
    own = slice(2 * D, 3 * D)  # head 2
    q, k = x[1, 2] @ W_Q[:, own], x[1] @ W_K[:, own]
    e = np.exp(k @ q / np.sqrt(D))
    np.testing.assert_allclose(weights[1, 2, 2], e / e.sum(), rtol=1e-9)


def test_every_head_reads_the_whole_width():
    """Heads are cut after the projection: a feature beyond a head's own columns reaches it too."""
    x, _, matrices = drawn()
    layer = a_layer(matrices)
    _, before = layer.attend(torch.from_numpy(x))
    x[..., -1] += 2.0  # a feature in the last head's range
    _, after = layer.attend(torch.from_numpy(x))
    _, by_hand = multi_head_attention(x, *matrices, H)
    assert all((before[:, h] - after[:, h]).abs().max() > 0.01 for h in range(H))
    np.testing.assert_allclose(after.detach().numpy(), by_hand, rtol=1e-9)


def test_rows_of_weights_sum_to_one_and_heads_differ():
    x, memory, matrices = drawn(keys=S)
    _, weights = multi_head_attention(x, *matrices, H, None, memory)
    assert weights.shape == (B, H, T, S)
    np.testing.assert_allclose(weights.sum(-1), 1.0, rtol=1e-12)
    assert np.abs(weights[:, 0] - weights[:, 1]).max() > 0.1


def test_parameters_are_four_squares_however_many_heads():
    for n_heads in (1, 3, 12):
        assert sum(p.numel() for p in MultiHeadAttention(C, n_heads).parameters()) == 4 * C * C
        assert sum(p.numel() for p in MultiHeadAttention(C, n_heads, bias=True).parameters()) == 4 * C * C + 4 * C


# ── who sees whom ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
def test_examples_do_not_see_each_other(cross):
    x, memory, matrices = drawn(keys=S)
    layer = a_layer(matrices)

    def results():
        tensors = torch.from_numpy(x), None, torch.from_numpy(memory) if cross else None
        outputs = [layer(*tensors), *layer.attend(*tensors), *multi_head_attention(x, *matrices, H, None, memory if cross else None)]
        return [np.asarray(a.detach() if torch.is_tensor(a) else a).copy() for a in outputs]

    before = results()
    x[1], memory[1] = 7.0, -3.0
    for old, new in zip(before, results()):
        np.testing.assert_array_equal(old[0], new[0])
        assert not np.allclose(old[1], new[1])


@given(st.integers(0, 1000), st.integers(0, T - 1))
def test_the_future_changes_no_earlier_output(seed, t):
    x, _, matrices = drawn(seed)
    layer, mask = a_layer(matrices), causal_mask(T)
    before = multi_head_attention(x, *matrices, H, mask)[0]
    layers = [f(torch.from_numpy(x.copy()), torch.from_numpy(mask)) for f in (layer, lambda *a: layer.attend(*a)[0])]
    x[:, t + 1 :] = 4.0
    np.testing.assert_allclose(multi_head_attention(x, *matrices, H, mask)[0][:, : t + 1], before[:, : t + 1], rtol=1e-12)
    for f, old in zip((layer, lambda *a: layer.attend(*a)[0]), layers):
        new = f(torch.from_numpy(x), torch.from_numpy(mask))
        np.testing.assert_allclose(new[:, : t + 1].detach(), old[:, : t + 1].detach(), rtol=1e-10, atol=1e-12)


def test_padding_is_invisible_in_every_head():
    x, _, matrices = drawn()
    layer, lengths = a_layer(matrices), [3, 5]
    mask = padding_mask(lengths, T)[:, None, None, :]  # (B, 1, 1, T)
    output, weights = multi_head_attention(x, *matrices, H, mask)
    shown, shown_weights = layer.attend(torch.from_numpy(x), torch.from_numpy(mask))
    for b, length in enumerate(lengths):
        alone = multi_head_attention(x[b, :length], *matrices, H)[0]
        for result in (output, shown.detach().numpy(), layer(torch.from_numpy(x), torch.from_numpy(mask)).detach().numpy()):
            np.testing.assert_allclose(result[b, :length], alone, rtol=1e-9, atol=1e-12)
        assert (weights[b, :, :, length:] == 0).all() and (shown_weights[b, :, :, length:] == 0).all()


def test_each_head_of_each_example_gets_its_own_mask():
    """With as many heads as examples an exchange of the two axes would keep every shape."""
    n_heads, C = 2, 8
    x, *matrices = draw((2, T, C), (C, C), (C, C), (C, C), (C, C))
    mask = np.ones((2, n_heads, T, T), bool)
    mask[0, 1, :, 2] = False  # example 0, head 1 may not look at key 2
    layer = MultiHeadAttention(C, n_heads).double()
    _, by_hand = multi_head_attention(x, *matrices, n_heads, mask)
    _, shown = layer.attend(torch.from_numpy(x), torch.from_numpy(mask))
    for weights in (by_hand, shown.detach().numpy()):
        hidden = (weights == 0).all(axis=-2)  # (B, H, S)
        assert hidden.sum() == 1 and hidden[0, 1, 2]


def test_nothing_to_look_at_is_zero():
    x, _, matrices = drawn()
    layer, mask = a_layer(matrices), np.zeros((T, T), bool)
    results = multi_head_attention(x, *matrices, H, mask)
    tensors = torch.from_numpy(x), torch.from_numpy(mask)
    assert all((np.asarray(a) == 0).all() for a in results)
    assert all((a == 0).all() for a in (layer(*tensors), *layer.attend(*tensors)))


# ── switches ────────────────────────────────────────────────────────────────────────────────────────────────


def test_switches_are_no_parameters_and_are_not_saved():
    layer = MultiHeadAttention(C, H)
    assert layer.heads_on.dtype == torch.bool and layer.heads_on.tolist() == [True] * H
    assert {name.split(".")[0] for name in layer.state_dict()} == {"query", "key", "value", "out"}
    layer.heads_on[1] = False
    assert copy.deepcopy(layer).heads_on.tolist() == [True, False, True]
    MultiHeadAttention(C, H).load_state_dict(layer.state_dict())  # strict: no key is missing


def test_a_head_that_is_off_is_not_heard_even_where_it_is_not_a_number():
    x, _, matrices = drawn()
    layer = a_layer(matrices)
    x = torch.from_numpy(x)
    layer.heads_on[1] = False
    before = layer(x).detach()
    with torch.no_grad():
        layer.value.weight[D : 2 * D] = torch.nan
    for output in (layer(x), layer.attend(x)[0]):
        np.testing.assert_allclose(output.detach(), before, rtol=1e-12, atol=1e-12)


def test_a_head_that_is_off_gets_no_gradient():
    x, _, matrices = drawn()
    layer = a_layer(matrices)
    layer.heads_on[1] = False
    layer(torch.from_numpy(x)).sum().backward()
    for linear in (layer.query, layer.key, layer.value):
        assert (linear.weight.grad[D : 2 * D] == 0).all()
        assert (linear.weight.grad[:D] != 0).any() and (linear.weight.grad[2 * D :] != 0).any()


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────

REFUSED_MASKS = [
    (np.ones((B, T, T), bool), ValueError, r"two axes, or all 4 of the scores \(2, 3, 5, 5\); got \(2, 5, 5\), and mask\[:, None\]"),
    (np.ones((H, T, T), bool), ValueError, "two axes, or all 4"),
    (np.ones((T,), bool), ValueError, "two axes, or all 4"),
    (np.ones((1, B, 1, T, T), bool), ValueError, "two axes, or all 4"),
    (np.ones((B, H, T, T)), TypeError, "boolean, True = may look"),
    (np.ones((T, T + 1), bool), ValueError, r"must broadcast to the scores' shape \(2, 3, 5, 5\)"),
    (np.ones((H, B, T, T), bool), ValueError, "must broadcast"),
]


@pytest.mark.parametrize("mask, error, sentence", REFUSED_MASKS, ids=[f"{m.shape}-{m.dtype}" for m, _, _ in REFUSED_MASKS])
def test_masks_that_do_not_fit_or_can_be_read_two_ways_are_refused(mask, error, sentence):
    x, _, matrices = drawn()
    layer = a_layer(matrices)
    with pytest.raises(error, match=sentence):
        multi_head_attention(x, *matrices, H, mask)
    for call in (layer, layer.attend):
        with pytest.raises(error, match=sentence):
            call(torch.from_numpy(x), torch.from_numpy(mask))


def test_a_text_without_a_batch_takes_a_mask_for_each_head():
    x, _, matrices = drawn()
    mask = np.stack([causal_mask(T), np.eye(T, dtype=bool), np.ones((T, T), bool)])  # (H, T, T)
    output, weights = multi_head_attention(x[0], *matrices, H, mask)
    np.testing.assert_array_equal(weights > 0, mask)
    np.testing.assert_allclose(a_layer(matrices)(torch.from_numpy(x[0]), torch.from_numpy(mask)).detach(), output, rtol=1e-9)


def test_widths_that_can_not_be_cut_are_refused():
    x, _, matrices = drawn()
    for n_heads in (5, 0, -3, 24):
        for make in (lambda n: MultiHeadAttention(C, n), lambda n: split_heads(x, n), lambda n: multi_head_attention(x, *matrices, n)):
            with pytest.raises(ValueError, match=f"a width of 12 can't be cut into {n_heads}"):
                make(n_heads)
    W_Q, W_K, W_V, W_O = matrices
    for wrong in ([W_Q, W_K[:, :6], W_V, W_O], [W_Q, W_K, W_V[:, :9], W_O], [W_Q, W_K, W_V, W_O[:6]]):
        with pytest.raises(ValueError, match="equally many columns and W_O as many rows"):
            multi_head_attention(x, *wrong, H)


def test_arguments_are_left_alone():
    x, memory, matrices = drawn(keys=S)
    mask = np.tril(np.ones((T, S), bool))
    copies = [a.copy() for a in (x, memory, mask, *matrices)]
    multi_head_attention(x, *matrices, H, mask, memory)
    for a, kept in zip((x, memory, mask, *matrices), copies):
        np.testing.assert_array_equal(a, kept)
    assert multi_head_attention([[1, 2]], np.eye(2), np.eye(2), np.eye(2), np.eye(2), 2)[0].dtype == np.float64
