"""Properties of course.vectors.positions: offsets, rotations, layouts, layers; and why attention needs positions."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.blocks.attention import attention, causal_mask
from course.vectors import positions as module
from course.vectors.positions import (
    LearnedPositions, RotaryPositions, SinusoidalPositions, deinterleave, frequencies, interleave, rotate, rotate_halves,
    rotation_angles, shift, similarity, sinusoidal,
)  # fmt: skip

B, H, T, D = 2, 3, 5, 4
far = st.integers(-300, 300)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape) * 2 + 0.3


# ── attention can't tell the order ──────────────────────────────────────────────────────────────────────────


def layers(x, n, mask=None):
    for _ in range(n):
        x, _ = attention(x, x, x, mask)
    return x


@given(st.permutations(range(6)), st.integers(1, 2))
def test_without_positions_permuted_words_are_permuted_outputs(order, n):
    x = draw(6, D) / 2
    np.testing.assert_allclose(layers(x[order], n), layers(x, n)[order], rtol=0, atol=1e-12)


def test_with_a_causal_mask_the_second_layer_can_tell_the_order_and_the_first_can_not():
    x, order = draw(6, D) / 2, [3, 1, 4, 0, 2, 5]  # the last word stays where it is
    last = [layers(words, n, causal_mask(6))[-1] for n in (1, 2) for words in (x, x[order])]
    np.testing.assert_allclose(last[1], last[0], rtol=0, atol=1e-12)
    assert 1e-3 < abs(last[3] - last[2]).max() < 10


@pytest.mark.parametrize("add", ["sinusoidal", "rotary"])
def test_with_positions_one_layer_can_tell_the_order(add):
    x, order = draw(6, D) / 2, [3, 1, 4, 0, 2, 5]

    def last(words):
        if add == "sinusoidal":
            return layers(words + sinusoidal(6, D), 1)[-1]
        turned = rotate(words, np.arange(6))
        return attention(turned, turned, words)[0][-1]

    assert abs(last(x[order]) - last(x)).max() > 1e-2


# ── sinusoidal ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("C", [1, 2, 4, 6, 7])
@pytest.mark.parametrize("base", [10000.0, 50.0])
def test_sinusoidal_is_the_papers_formula(C, base):
    table = sinusoidal(T, C, base)
    assert table.shape == (T, C) and table.dtype == np.float64
    for p, c in np.ndindex(T, C):
        i = c // 2
        angle = p / math.pow(base, 2 * i / C)
        assert table[p, c] == pytest.approx(math.cos(angle) if c % 2 else math.sin(angle), rel=1e-12, abs=1e-15)


def test_the_base_is_ten_thousand_unless_given():
    np.testing.assert_allclose(frequencies(4), [1, 0.01], rtol=1e-14)
    np.testing.assert_array_equal(sinusoidal(3, 4), sinusoidal(3, 4, 10000.0))
    np.testing.assert_allclose(rotation_angles([2], 4), [[2, 0.02]], rtol=1e-14)
    np.testing.assert_array_equal(rotate(draw(3, 4), [0, 1, 2]), rotate(draw(3, 4), [0, 1, 2], 10000.0))
    for halves in (rotate, rotate_halves):
        assert abs(halves(draw(3, 4), [0, 1, 2], 50.0) - halves(draw(3, 4), [0, 1, 2])).max() > 0.01


@given(st.integers(0, 200), far, st.sampled_from([2, 6, 16]))
def test_dot_products_of_positions_depend_on_the_offset_alone(p, offset, C):
    table = sinusoidal(501, C)
    p = p if 0 <= p + offset <= 500 else 300
    expected = sum(math.cos(offset / 10000 ** (2 * i / C)) for i in range(C // 2))
    assert table[p] @ table[p + offset] == pytest.approx(expected, abs=1e-12)
    assert similarity(offset, C) == pytest.approx(expected, abs=1e-12)
    assert similarity([[offset, 0]], C, 50.0).shape == (1, 2) and similarity(0, C) == C / 2


@given(far, far, st.sampled_from([2, 6, 16]))
def test_shift_moves_every_position_is_orthogonal_and_composes(a, b, C):
    table, M = sinusoidal(700, C, 900.0), shift(a, C, 900.0)
    np.testing.assert_allclose(table[300:400] @ M, table[300 + a : 400 + a], rtol=0, atol=1e-11)
    np.testing.assert_allclose(M @ M.T, np.eye(C), rtol=0, atol=1e-13)
    np.testing.assert_allclose(M @ shift(b, C, 900.0), shift(a + b, C, 900.0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(rotate(table, np.full(700, -a), 900.0), table @ M, rtol=0, atol=1e-12)


# ── rotary ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pair_is_turned_by_its_angle_by_eye():
    quarter = np.pi / 2  # a position is any number
    np.testing.assert_allclose(rotate([[1.0, 0.0]], [quarter]), [[0, 1]], atol=1e-15)
    np.testing.assert_allclose(rotate([[1.0, 0, 0, 0, 0, 0]], [quarter], 1.0), [[0, 1, 0, 0, 0, 0]], atol=1e-15)
    np.testing.assert_allclose(rotate_halves([[1.0, 0, 0, 0, 0, 0]], [quarter], 1.0), [[0, 0, 0, 1, 0, 0]], atol=1e-15)
    x = draw(T, 6)
    for t, i in np.ndindex(T, 3):
        z = complex(*x[t, 2 * i : 2 * i + 2]) * np.exp(1j * (t + 7) / 10000 ** (2 * i / 6))
        np.testing.assert_allclose(rotate(x, np.arange(7, 12))[t, 2 * i : 2 * i + 2], [z.real, z.imag], rtol=1e-12)


@pytest.mark.parametrize("turn", [rotate, rotate_halves])
@given(st.integers(0, 5000), st.integers(0, 5000), far, st.integers(0, 100))
def test_scores_of_turned_vectors_depend_on_the_offset_alone(turn, p, other, offset, seed):
    q, k = draw(2, 1, 8, seed=seed)
    scores = [float(turn(q, [s + offset])[0] @ turn(k, [s])[0]) for s in (p, other)]
    assert scores[0] == pytest.approx(scores[1], rel=0, abs=1e-10)  # angles of up to 5 300 radians
    near = [float(turn(q, [s + offset % 9])[0] @ turn(k, [s])[0]) for s in (p % 9, other % 9)]
    assert near[0] == pytest.approx(near[1], rel=0, abs=1e-12)


@pytest.mark.parametrize("turn", [rotate, rotate_halves])
def test_turning_keeps_lengths_is_undone_by_negative_positions_and_leaves_arguments_alone(turn):
    x, p = draw(B, H, T, 6), np.arange(7, 12)
    before = x.copy()
    turned = turn(x, p)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(turn(turned, -p), x, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(turn(x, np.zeros(T)), x)
    np.testing.assert_array_equal(x, before)
    assert abs(turned - x).max() > 1


@pytest.mark.parametrize("turn", [rotate, rotate_halves])
def test_positions_may_differ_between_examples(turn):
    x = draw(B, H, T, 6)
    p = np.array([[0, 0, 0, 1, 2], [3, 4, 5, 6, 9]])
    together = turn(x, p[:, None])
    for b, t in np.ndindex(B, T):
        np.testing.assert_array_equal(together[b, :, t : t + 1], turn(x[b, :, t : t + 1], [p[b, t]]))
    np.testing.assert_array_equal(turn(x, np.broadcast_to(p[:, None], (B, H, T))), together)


def test_layouts_are_permutations_of_one_another_in_each_head():
    assert deinterleave(6).tolist() == [0, 2, 4, 1, 3, 5] and interleave(6).tolist() == [0, 3, 1, 4, 2, 5]
    assert deinterleave(4, 2).tolist() == [0, 2, 1, 3, 4, 6, 5, 7] and interleave(4, 2).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    for D, H in ((2, 1), (6, 1), (8, 3)):
        assert interleave(D, H)[deinterleave(D, H)].tolist() == deinterleave(D, H)[interleave(D, H)].tolist() == list(range(D * H))
    x, p = draw(T, 8), np.arange(T) + 3
    np.testing.assert_array_equal(rotate(x, p), rotate_halves(x[:, deinterleave(8)], p)[:, interleave(8)])


def test_weights_are_carried_over_between_layouts():
    D, C = 6, 5
    x, p = draw(T, C), np.arange(T) + 3
    W_Q, W_K = draw(2, C, H * D, seed=1) / 2

    def scores(turn, W_Q, W_K):
        q, k = (turn((x @ W).reshape(T, H, D).swapaxes(0, 1), p) for W in (W_Q, W_K))
        return q @ k.swapaxes(-1, -2)

    order = deinterleave(D, H)
    np.testing.assert_allclose(scores(rotate_halves, W_Q[:, order], W_K[:, order]), scores(rotate, W_Q, W_K), rtol=1e-11, atol=1e-11)
    order = interleave(D, H)
    np.testing.assert_allclose(scores(rotate, W_Q[:, order], W_K[:, order]), scores(rotate_halves, W_Q, W_K), rtol=1e-11, atol=1e-11)
    assert abs(scores(rotate, W_Q, W_K) - scores(rotate_halves, W_Q, W_K)).max() > 0.1


# ── the layers ──────────────────────────────────────────────────────────────────────────────────────────────

torch64 = torch.from_numpy


def learned(C, length=20):
    layer = LearnedPositions(length, C).double()
    with torch.no_grad():
        layer.weight.copy_(torch64(draw(length, C, seed=4)))
    return layer


@pytest.mark.parametrize("layer, table", [(SinusoidalPositions(6), lambda: sinusoidal(20, 6)), (SinusoidalPositions(7, 50.0), lambda: sinusoidal(20, 7, 50.0)),
                                          (learned(6), lambda: draw(20, 6, seed=4))], ids=["sinusoidal", "odd, base 50", "learned"])  # fmt: skip
def test_layers_that_add_add_the_row_of_each_position(layer, table):
    table = table()
    x = draw(B, T, table.shape[1])
    each = np.array([[0, 0, 1, 2, 3], [7, 8, 9, 10, 11]])
    cases = ((None, np.arange(T)), (np.arange(7, 12), np.arange(7, 12)), (each, each), (each[1:], each[1]), ([4, 3, 2, 1, 0], [4, 3, 2, 1, 0]))
    for given_, p in cases:
        ours = layer(torch64(x), given_ if given_ is None or isinstance(given_, list) else torch64(given_))
        assert ours.dtype == torch.float64
        np.testing.assert_allclose(ours.detach().numpy(), x + table[p], rtol=0, atol=1e-14)
    assert torch.equal(layer(torch64(x[0])), layer(torch64(x))[0])


def test_the_rotary_layer_is_the_hand_version_with_its_gradient():
    layer = RotaryPositions(6, base=500.0)
    x = torch64(draw(B, H, T, 6)).requires_grad_()
    p = np.arange(7, 12)
    np.testing.assert_allclose(layer(x, torch64(p)).detach().numpy(), rotate(x.detach(), p, 500.0), rtol=0, atol=1e-14)
    each = np.array([[0, 0, 0, 1, 2], [30, 4, 5, 6, 900]])
    ours = layer(x, torch64(each))
    np.testing.assert_allclose(ours.detach().numpy(), rotate(x.detach(), each[:, None], 500.0), rtol=0, atol=1e-14)
    pull = draw(B, H, T, 6, seed=3)
    (d_x,) = torch.autograd.grad(ours, x, torch64(pull))
    np.testing.assert_allclose(d_x.numpy(), rotate(pull, -each[:, None], 500.0), rtol=0, atol=1e-14)
    np.testing.assert_allclose(layer(x[0], p).detach().numpy(), rotate(x[0].detach(), p, 500.0), rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype, within", [(torch.float64, 1e-12), (torch.float32, 2e-6), (torch.float16, 3e-3), (torch.bfloat16, 2e-2)])
def test_tables_are_exact_for_every_dtype_far_out_too(dtype, within):
    x = torch64(draw(1, 1, 3, 8)).to(dtype)
    p = [0, 4999, 12345]
    rotary, added = RotaryPositions(8), SinusoidalPositions(8)
    for layer, expected in ((rotary, rotate(x.double(), p)), (added, x[0, 0].double().numpy() + sinusoidal(12346, 8)[p])):
        result = layer(x, p) if layer is rotary else layer(x, [[p]])
        assert result.dtype == dtype
        assert abs(result.double().numpy() - expected).max() <= within * 4


def test_half_precision_is_rounded_once():
    x = torch64(draw(1, 1, 40, 8)).to(torch.bfloat16)
    exact = torch64(rotate(x.double(), np.arange(40))).float().to(torch.bfloat16)
    assert (RotaryPositions(8)(x, torch.arange(40)) == exact).double().mean() > 0.99
    exact = (x.double() + torch64(sinusoidal(40, 8))).float().to(torch.bfloat16)
    assert (SinusoidalPositions(8)(x) == exact).double().mean() > 0.99


@pytest.mark.parametrize("kind", [RotaryPositions, SinusoidalPositions])
def test_tables_follow_dtype_grow_and_are_not_saved(kind):
    layer, x = kind(6), draw(1, 1, T, 6)
    fresh = lambda y, p: kind(6)(y, p)  # noqa: E731
    p = torch.arange(7, 12)[None, None] if kind is SinusoidalPositions else torch.arange(7, 12)
    for y, shift_ in ((x, 0), (x.astype(np.float32), 0), (x, 0), (x, 40), (x, 3)):
        y = torch64(y)
        assert torch.equal(layer(y, p + shift_), fresh(y, p + shift_))
    assert torch.equal(layer.float()(torch64(x), p), layer.double()(torch64(x), p))
    assert list(layer.state_dict()) == list(layer.parameters()) == []
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(torch64(x), p), layer(torch64(x), p))


def test_a_table_is_computed_once_and_doubled_when_it_is_too_short(monkeypatch):
    lengths = []
    layer = SinusoidalPositions(6)
    formula = layer._rows.formula
    monkeypatch.setattr(layer._rows, "formula", lambda T: lengths.append(T) or formula(T))
    for T in (10, 10, 4, 11, 12, 20, 90):
        np.testing.assert_allclose(layer(torch.zeros(T, 6, dtype=torch.float64)).numpy(), sinusoidal(T, 6), rtol=0, atol=1e-15)
    layer(torch.zeros(3, 6))
    assert lengths == [10, 20, 90, 90]


@pytest.mark.parametrize("kind", [RotaryPositions, SinusoidalPositions])
def test_tables_made_while_generating_serve_while_training(kind):
    layer, p = kind(6), torch.arange(T)
    with torch.inference_mode():
        layer(torch.ones(T, 6), p)
    x = torch.ones(T, 6, requires_grad=True)
    layer(x, p).square().sum().backward()
    assert torch.isfinite(x.grad).all() and (x.grad != 0).any()


def test_learned_positions_learn_where_they_are_used():
    layer = learned(3)
    layer(torch.zeros(B, 2, 3, dtype=torch.float64), [4, 1]).sum().backward()
    assert layer.weight.grad[:, 0].tolist() == [0, 2, 0, 0, 2] + [0] * 15
    torch.manual_seed(0)
    fresh = LearnedPositions(300, 64)
    assert fresh.weight.std().item() == pytest.approx(0.01, rel=0.02) and [n for n, _ in fresh.named_parameters()] == ["weight"]


def test_learned_positions_end_and_the_others_go_on():
    layer = learned(6, length=8)
    assert layer(torch.zeros(8, 6)).shape == (8, 6) and layer.context_length == 8
    for x, p, largest in ((torch.zeros(9, 6), None, 8), (torch.zeros(B, 2, 6), [3, 8], 8), (torch.zeros(1, 6), [100], 100)):
        with pytest.raises(ValueError, match=f"end at 7, got position {largest}"):
            layer(x, p)
    assert SinusoidalPositions.context_length is RotaryPositions.context_length is None
    assert torch.isfinite(SinusoidalPositions(6)(torch.zeros(9000, 6))).all()
    assert torch.isfinite(RotaryPositions(6)(torch.ones(1, 6), [9000])).all()


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────

x64, every = torch.zeros(B, T, 6, dtype=torch.float64), (SinusoidalPositions(6), learned(6), RotaryPositions(6))


@pytest.mark.parametrize("layer", every, ids=lambda layer: type(layer).__name__)
def test_layers_refuse_positions_and_vectors_that_do_not_fit(layer):
    for x, p, error, sentence in (
        (x64, torch.arange(T) - 1, ValueError, "start at 0, got -1"),
        (x64, torch.arange(T) / 1, TypeError, "whole numbers.*float32"),
        (x64, torch.ones(T, dtype=torch.bool), TypeError, "whole numbers.*bool"),
        (x64, torch.arange(T - 1), ValueError, r"each of the T=5 vectors.*got shape \(4,\)"),
        (x64, torch.tensor([3]), ValueError, r"got shape \(1,\)"),
        (x64, torch.zeros(3, T, dtype=torch.long), ValueError, "each of the T=5"),
        (x64[..., :4], torch.arange(T), ValueError, r"x is \(..., T, 6\)"),
        (x64[..., :1], torch.arange(T), ValueError, r"x is \(..., T, 6\)"),
        (x64[0, 0], torch.arange(T), ValueError, r"x is \(..., T, 6\)"),
        (x64.long(), torch.arange(T), ValueError, "floating point.*int64"),
    ):
        with pytest.raises(error, match=sentence):
            layer(x, p)
    assert layer(x64[:, :0], []).shape == (B, 0, 6)


def test_hand_versions_refuse_what_does_not_fit():
    x = draw(2, 2, T, 6)
    for turn in (rotate, rotate_halves):
        for p in (np.zeros((2, T)), np.arange(T - 1), [3], 3, np.zeros((2, 2, 1)), np.zeros((2, 3, T))):
            with pytest.raises(ValueError, match="each of the T=5 vectors"):
                turn(x, p)
        with pytest.raises(ValueError, match=r"got shape \(1,\)"):
            turn(x[0, 0], [3])
        with pytest.raises(ValueError, match="even and at least 2, got 5"):
            turn(x[..., :5], np.arange(T))
        with pytest.raises(ValueError, match="two axes"):
            turn(x[0, 0, 0], [0])
    for odd in (lambda: shift(1, 5), lambda: similarity(1, 5), lambda: rotation_angles([1], 5), lambda: interleave(5),
                lambda: deinterleave(0), lambda: RotaryPositions(5)):  # fmt: skip
        with pytest.raises(ValueError, match="even and at least 2"):
            odd()
    for heads in (interleave, deinterleave):
        with pytest.raises(ValueError, match="at least one head"):
            heads(4, 0)
    for wrong in (lambda: frequencies(0), lambda: frequencies(4, 0.0), lambda: sinusoidal(3, 4, -1.0), lambda: SinusoidalPositions(0),
                  lambda: RotaryPositions(4, math.nan)):  # fmt: skip
        with pytest.raises(ValueError, match="width of at least 1 and a base above 0"):
            wrong()
    with pytest.raises(ValueError, match="got T=-1"):
        sinusoidal(-1, 4)
    with pytest.raises(TypeError, match="float"):
        sinusoidal(3.0, 4)
    with pytest.raises(ValueError, match="at least one row"):
        LearnedPositions(0, 4)
    assert sinusoidal(0, 4).shape == (0, 4)


def test_the_examples_in_the_docstring():
    import doctest

    result = doctest.testmod(module)
    assert result.attempted >= 3 and result.failed == 0
