"""From logits to a token: what must hold for any logits, cases worked out by hand, limits, and what is refused."""

import doctest
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course.predict import (distribution, distribution_steps, entropy, greedy, inverse_cdf, ranks, sample, sampling, temper,
                            top_k_filter, top_p_filter)  # fmt: skip

INF, NAN = math.inf, math.nan
TIED = np.array([1.0, 3.0, 3.0, 2.0, 3.0])
SHAPES = [(7,), (1,), (2, 3, 5)]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape) * 2


def same(ours, theirs, rtol=1e-9, atol=1e-12):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


numbers = st.floats(-30, 30, allow_subnormal=False) | st.integers(-3, 3).map(float) | st.just(-INF)
rows = arrays.arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 8)), elements=numbers)
logits_ = rows.filter(lambda x: not np.isneginf(x).all(axis=-1).any())
temperatures = st.sampled_from([0, 0.01, 0.5, 1, 2.0, 50.0])
shares = st.sampled_from([1e-9, 0.25, 0.5, 0.9, 0.999, 1])


# ── what must hold whatever the numbers ─────────────────────────────────────────────────────────────────────


@given(logits_, temperatures, shares, st.data())
def test_every_distribution_sums_to_one_and_gives_nothing_to_what_is_ruled_out(logits, temperature, p, data):
    k = data.draw(st.integers(1, logits.shape[-1]))
    for probs in (distribution(logits, temperature, k, p), distribution(logits, temperature), temper(logits, temperature)):
        same(probs.sum(axis=-1), np.ones(len(logits)))
        assert not probs[np.isneginf(logits)].any() and (probs >= 0).all()


@given(logits_, st.data())
def test_top_k_keeps_exactly_the_k_likeliest_in_proportion(logits, data):
    k = data.draw(st.integers(1, logits.shape[-1]))
    probs = temper(logits, 1.0)
    for row, kept in zip(probs, top_k_filter(probs, k)):
        stay = sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]  # the definition, in words of Python
        expected = np.zeros(len(row))
        expected[stay] = row[stay] / sum(row[stay])
        same(kept, expected)
        assert (kept > 0).sum() == min(k, (row > 0).sum())


@given(logits_, shares)
def test_top_p_keeps_the_smallest_set_that_reaches_p_in_proportion(logits, p):
    probs = temper(logits, 1.0)
    for row, kept in zip(probs, top_p_filter(probs, p)):
        order = sorted(range(len(row)), key=lambda i: (-row[i], i))
        count, mass = 0, 0.0
        while count < len(row) and mass < p:
            mass, count = mass + row[order[count]], count + 1
        expected = np.zeros(len(row))
        stay = order[: len(row) if p == 1 else count]
        expected[stay] = row[stay] / sum(row[stay])
        same(kept, expected)


@given(logits_)
def test_entropy_grows_with_temperature_and_ends_at_the_logarithm_of_what_is_possible(logits):
    found = np.array([entropy(temper(logits, temperature)) for temperature in (0, 0.05, 0.3, 1, 3, 30, 1e9)])
    assert (np.diff(found, axis=0) >= -1e-9).all() and (found[0] == 0).all()
    same(found[-1], np.log(np.isfinite(logits).sum(axis=-1)), atol=1e-6)


@given(logits_, temperatures)
def test_temperature_keeps_the_order_and_a_constant_changes_nothing(logits, temperature):
    probs = temper(logits, temperature)
    order = np.argsort(logits, axis=-1, kind="stable")
    assert (np.diff(np.take_along_axis(probs, order, axis=-1), axis=-1) >= -1e-15).all() or temperature == 0
    shifted = temper(logits + 64.0, temperature)  # (a rounded last digit counts for a hundredfold at 0.01)
    if np.array_equal((logits + 64.0) - 64.0, logits):
        same(shifted, probs, rtol=1e-6)


@given(logits_, st.integers(0, 5))
def test_a_draw_is_possible_and_comes_from_one_uniform_number_a_row(logits, seed):
    probs = temper(logits, 1.0)
    ids = sample(probs, np.random.default_rng(seed))
    assert (np.take_along_axis(probs, ids[:, None], axis=-1) > 0).all()
    rng = np.random.default_rng(seed)
    one_by_one = [sample(row, rng) for row in probs]
    assert ids.tolist() == one_by_one
    assert rng.random() == np.random.default_rng(seed).random(len(probs) + 1)[-1]


# ── worked out by hand ──────────────────────────────────────────────────────────────────────────────────────


def test_doctests_hold():
    assert doctest.testmod(sampling).attempted > 3 and doctest.testmod(sampling).failed == 0


def test_temperature_divides_logits():
    same(temper([0.0, math.log(3.0)], 1.0), [0.25, 0.75])
    same(temper([0.0, math.log(3.0)], 0.5), [0.1, 0.9])  # 3² to 1
    same(temper([0.0, math.log(9.0)], 2.0), [0.25, 0.75])  # √9 to 1
    same(temper([0.0, math.log(3.0)]), [0.25, 0.75])


@pytest.mark.parametrize("k, kept", [(1, [1]), (2, [1, 2]), (3, [1, 2, 4]), (4, [1, 2, 3, 4]), (5, [0, 1, 2, 3, 4])], ids=str)
def test_of_equals_top_k_keeps_the_smaller_ids(k, kept):
    assert np.flatnonzero(top_k_filter(temper(TIED, 1.0), k)).tolist() == kept
    assert np.flatnonzero(distribution(TIED, top_k=k)).tolist() == kept


@pytest.mark.parametrize("p, kept", [
    (0.125, [2]), (0.5, [2]), (0.5001, [0, 2]), (0.75, [0, 2]), (0.7501, [0, 1, 2]), (0.875, [0, 1, 2]), (1.0, [0, 1, 2, 3]),
], ids=str)  # fmt: skip
def test_top_p_keeps_what_crosses_the_line_and_no_more(p, kept):
    probs = np.array([0.25, 0.125, 0.5, 0.125])  # halves of halves: every sum of them is exact
    assert np.flatnonzero(top_p_filter(probs, p)).tolist() == kept
    same(top_p_filter(probs, p)[kept], probs[kept] / probs[kept].sum())


def test_top_p_of_one_keeps_what_rounding_would_lose():
    probs = np.array([1e-20, 0.5, 1e-30, 0.5])
    assert (top_p_filter(probs, 1) > 0).all() and (top_p_filter(probs, 0.99) > 0).tolist() == [False, True, False, True]


def test_the_order_is_temperature_top_k_renormalise_top_p():
    logits = np.log([0.4, 0.3, 0.2, 0.1])
    kept = lambda **how: np.flatnonzero(distribution(logits, **how)).tolist()
    assert kept(top_p=0.65) == [0, 1] and kept(top_k=3, top_p=0.65) == [0, 1]
    assert kept(top_k=2, top_p=0.56) == [0]  # 0.4 of what is left is 4/7
    assert kept(top_p=0.56) == [0, 1]
    assert kept(temperature=0.5, top_p=0.65) == [0, 1] and kept(temperature=0.5, top_p=0.5) == [0]
    assert kept(temperature=2.0, top_p=0.65) == [0, 1, 2]
    same(distribution(logits, 0.5, 3, 0.6), [16 / 25, 9 / 25, 0, 0])


def test_every_intermediate_is_what_its_name_says():
    logits = np.array([[1.0, -INF, 3.0, 2.0, 2.0], [0.0, 0.5, 0.25, -1.0, 4.0]])
    steps = distribution_steps(logits, 2.0, 3, 0.7)
    same(steps.scaled, logits / 2.0)
    same(steps.tempered, temper(logits, 2.0))
    same(steps.after_top_k, top_k_filter(steps.tempered, 3))
    assert steps.kept_by_top_k.tolist() == [[False, False, True, True, True], [False, True, True, False, True]]
    assert steps.order.tolist() == [[2, 3, 4, 0, 1], [4, 1, 2, 0, 3]]
    same(steps.mass, [np.cumsum(row[order]) for row, order in zip(steps.after_top_k, steps.order)])
    same(steps.probs, top_p_filter(steps.after_top_k, 0.7))
    assert (steps.kept_by_top_p == (steps.probs > 0)).all()
    same(steps.probs, distribution(logits, 2.0, 3, 0.7))
    bare, at_zero = distribution_steps(logits), distribution_steps(logits, 0)
    same(bare.probs, bare.tempered)
    assert bare.kept_by_top_k.all() and bare.kept_by_top_p.all()
    assert at_zero.scaled.tolist() == [[-INF, -INF, 0, -INF, -INF], [-INF, -INF, -INF, -INF, 0]]


def test_ranks_are_places_by_id():
    assert ranks([0.1, 0.4, 0.2, 0.3]).tolist() == [3, 0, 2, 1]
    assert ranks([[0.2, 0.4, 0.4], [0.5, 0.0, 0.5]]).tolist() == [[2, 0, 1], [0, 2, 1]]


def test_entropy_in_nats():
    same(entropy([0.5, 0.5]), math.log(2))
    same(entropy([[0.25] * 4, [1.0, 0, 0, 0], [0.5, 0.25, 0.25, 0]]), [math.log(4), 0, 1.5 * math.log(2)])
    assert math.copysign(1.0, entropy([0.0, 1.0])) == 1.0


@pytest.mark.parametrize("u, token", [(0.0, 1), (0.2, 1), (0.25, 2), (0.7, 2), (0.75, 4), (1 - 2**-53, 4)], ids=str)
def test_a_number_falls_on_the_token_whose_share_holds_it(u, token):
    assert inverse_cdf([0.0, 0.25, 0.5, 0.0, 0.25, 0.0], u) == token


def test_rounding_never_draws_what_is_beyond_the_last_token():
    for total in (1 - 1e-3, 1 + 1e-3, 1 - 2**-53, 1.0):
        probs = np.array([0.3, 0.7, 0.0, 0.0]) * total
        assert inverse_cdf(probs, 1 - 2**-53) == 1


def test_rows_have_a_number_each():
    probs = np.broadcast_to([0.25, 0.25, 0.5], (2, 3, 3))
    u = np.array([[0.0, 0.3, 0.6], [0.9, 0.5, 0.25]])
    assert inverse_cdf(probs, u).tolist() == [[0, 1, 2], [2, 2, 1]]


def test_draws_are_as_frequent_as_probable_and_the_same_with_the_same_seed():
    probs = np.array([0.1, 0.0, 0.6, 0.3])
    many = np.broadcast_to(probs, (20000, 4))
    ids = sample(many, np.random.default_rng(1))
    counts = np.bincount(ids, minlength=4)
    chi_square = ((counts - 20000 * probs)[probs > 0] ** 2 / (20000 * probs)[probs > 0]).sum()
    assert counts[1] == 0 and chi_square < 13.8  # two degrees of freedom: 0.1 % of right samplers are above
    assert (ids == sample(many, np.random.default_rng(1))).all()
    assert (ids != sample(many, np.random.default_rng(2))).any()


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_temperature_zero_is_the_argmax_and_of_equals_the_smaller_id():
    same(temper(TIED, 0), [0, 1, 0, 0, 0])
    same(temper([[0.0, 2.0], [5.0, 5.0]], 0), [[0, 1], [1, 0]])
    assert greedy(TIED) == 1 and greedy([[0.0, 2.0], [5.0, 5.0]]).tolist() == [1, 0]


@pytest.mark.parametrize("temperature", [1e-3, 1e-300, 5e-324], ids=str)
def test_near_zero_equals_share_and_nothing_overflows(temperature):
    with np.errstate(all="raise", under="ignore"):
        same(temper(TIED, temperature), [0, 1 / 3, 1 / 3, 0, 1 / 3])
        same(temper([[900.0, -INF, 1000.0], [-7.0, -6.0, -7.0]], temperature), [[0, 0, 1], [0, 1, 0]])


def test_hot_is_even_among_what_is_possible():
    same(temper([5.0, -INF, 1.0, -1000.0], 1e300), [1 / 3, 0, 1 / 3, 1 / 3])


def test_large_logits_do_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        same(temper([1e6, 1e6 + math.log(3.0)], 1.0), [0.25, 0.75], rtol=1e-6)
        same(temper([-1e306, 1e306], 1.0), [0, 1])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_axes_in_front_are_rows_by_themselves(shape):
    logits = draw(*shape)
    V, k = shape[-1], min(2, shape[-1])
    flat = logits.reshape(-1, V)
    found = distribution(logits, 0.7, k, 0.8)
    same(found.reshape(-1, V), [distribution(row, 0.7, k, 0.8) for row in flat])
    same(np.reshape(entropy(temper(logits)), -1), [entropy(temper(row)) for row in flat])
    assert np.reshape(greedy(logits), -1).tolist() == [greedy(row) for row in flat]
    assert found.shape == shape and sample(found, np.random.default_rng(0)).shape == shape[:-1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_tensors_are_taken_and_arguments_left_alone(dtype):
    logits = torch.from_numpy(draw(2, 6)).to(dtype).requires_grad_()
    as_numbers = logits.detach().double().numpy()
    found = distribution(logits, 0.7, 3, 0.8)
    assert type(found) is np.ndarray and found.dtype == np.float64
    same(found, distribution(as_numbers, 0.7, 3, 0.8))
    probs = torch.softmax(logits, -1)
    assert top_p_filter(probs, 0.5).shape == (2, 6) and inverse_cdf(probs, torch.tensor([0.0, 0.5])).shape == (2,)
    before = as_numbers.copy()
    kept = top_p_filter(temper(as_numbers), 1)
    assert (as_numbers == before).all()
    plain = temper(as_numbers)
    kept = top_p_filter(plain, 1)
    kept[:] = 0
    assert plain.any()


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────

GOOD = np.array([0.5, 0.25, 0.25])
REFUSED = [
    ("empty", lambda: temper([], 1.0), r"logits need one number for each token along their last axis, got shape \(0,\)"),
    ("single", lambda: greedy(1.0), r"logits need one number for each token along their last axis, got shape \(\)"),
    ("NaN", lambda: temper([[0.0, 1.0], [NAN, 0.0]], 1.0), r"logits must be numbers, and there is NaN at place \[1, 0\]"),
    ("+inf", lambda: temper([0.0, INF], 1.0), r"a logit is a finite number.*; \+inf stands at place \[1\]"),
    ("all −inf", lambda: temper([[0.0, 1.0], [-INF, -INF]], 1.0), r"at least one token of each row .* −inf at row \[1\]"),
    ("the only row −inf", lambda: greedy([-INF, -INF]), "all logits are −inf in the only row"),
    ("greedy NaN", lambda: greedy([0.0, NAN]), "there is NaN"),
    ("temperature −1", lambda: temper(GOOD, -1), "temperature is a number, 0 or more and not infinite, got -1"),
    ("temperature NaN", lambda: temper(GOOD, NAN), "temperature is a number, 0 or more"),
    ("temperature inf", lambda: temper(GOOD, INF), "temperature is a number, 0 or more"),
    ("temperature text", lambda: distribution(GOOD, "hot"), "temperature is a number, 0 or more .* got 'hot'"),
    ("k 0", lambda: top_k_filter(GOOD, 0), "top-k keeps a whole number of tokens, from 1 to the 3 of the vocabulary, got 0"),
    ("k 4", lambda: distribution(GOOD, top_k=4), "from 1 to the 3 of the vocabulary, got 4"),
    ("k 1.5", lambda: top_k_filter(GOOD, 1.5), "a whole number of tokens"),
    ("k True", lambda: top_k_filter(GOOD, True), "a whole number of tokens"),
    ("p 0", lambda: top_p_filter(GOOD, 0), "top-p keeps a share of the mass, above 0 and at most 1, got 0"),
    ("p 1.1", lambda: distribution(GOOD, top_p=1.1), "above 0 and at most 1, got 1.1"),
    ("p NaN", lambda: top_p_filter(GOOD, NAN), "above 0 and at most 1"),
    ("p True", lambda: top_p_filter(GOOD, True), "above 0 and at most 1"),
    ("p text", lambda: top_p_filter(GOOD, "0.9"), "above 0 and at most 1"),
    ("logits for probabilities", lambda: top_k_filter([-1.0, 2.0], 1), r"probabilities are 0 or more, got -1 at place \[0\]; are these"),
    ("sum 2", lambda: top_p_filter([[0.5, 0.5], [1.0, 1.0]], 0.5), r"probabilities of a row sum to 1, got 2 at row \[1\]"),
    ("sum ∞", lambda: entropy([INF, 0.5]), "probabilities of a row sum to 1, got inf in the only row"),
    ("sum 0", lambda: sample([0.0, 0.0], np.random.default_rng(0)), "sum to 1, got 0"),
    ("NaN probability", lambda: entropy([NAN, 1.0]), "probabilities must be numbers, and there is NaN"),
    ("no probabilities", lambda: top_k_filter(np.zeros((2, 0)), 1), r"probabilities need one number .* got shape \(2, 0\)"),
    ("u 1", lambda: inverse_cdf(GOOD, 1.0), "u must lie between 0 and 1, 0 included and 1 not"),
    ("u −0.1", lambda: inverse_cdf(GOOD, -0.1), "u must lie between 0 and 1"),
    ("u NaN", lambda: inverse_cdf(GOOD, NAN), "u must lie between 0 and 1"),
    ("one u for two rows", lambda: inverse_cdf([GOOD, GOOD], 0.5), r"each row takes one number u, shape \(2,\), got \(\)"),
]  # fmt: skip


@pytest.mark.parametrize("call, sentence", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_does_not_fit_is_refused_with_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_chance_comes_from_a_generator():
    with pytest.raises(TypeError, match="chance comes from a np.random.Generator, such as np.random.default_rng.7., got 7"):
        sample(GOOD, 7)


def test_coarse_sums_of_half_precision_are_taken():
    same(top_k_filter(np.array([0.502, 0.25, 0.25]), 3).sum(), 1.0)
    assert inverse_cdf([0.5, 0.497], 0.999) == 1
