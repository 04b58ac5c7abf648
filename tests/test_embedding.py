"""Properties of course.vectors.embedding: lookup and product agree, repeated ids add up, wrong ids are refused."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course.vectors.embedding import Embedding, ScaledEmbedding, embed, embed_gradient, embed_one_hot, one_hot

V, C = 7, 3


def a_table(seed=0):
    return np.random.default_rng(seed).normal(size=(V, C)) * 2


def test_one_hot_by_eye():
    assert one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert one_hot(1, 2).tolist() == [0, 1] and one_hot([1], 2).dtype == np.float64
    assert one_hot([[0], [1]], 2).tolist() == [[[1, 0]], [[0, 1]]]


def test_an_id_gets_its_own_row():
    table = a_table()
    ids = [[6, 0, 6, 1], [3, 3, 2, 5]]
    x = embed(ids, table)
    assert x.shape == (2, 4, C) and x.dtype == np.float64
    for b, t in np.ndindex(2, 4):
        assert x[b, t].tolist() == table[ids[b][t]].tolist()


@given(st.lists(st.integers(0, V - 1), max_size=9), st.integers(0, 10_000))
def test_lookup_product_and_torch_are_one(ids, seed):
    table = a_table(seed)
    np.testing.assert_array_equal(embed(ids, table), embed_one_hot(ids, table))
    theirs = nn.functional.embedding(torch.tensor(ids, dtype=torch.long), torch.from_numpy(table))
    np.testing.assert_array_equal(embed(ids, table), theirs.numpy())


@given(st.lists(st.integers(0, V - 1), max_size=9), st.integers(0, 10_000))
def test_gradient_by_hand_equals_autograd_and_the_product(ids, seed):
    d_x = np.random.default_rng(seed).normal(size=(len(ids), C)) + 0.5
    table = torch.from_numpy(a_table()).requires_grad_()
    x = nn.functional.embedding(torch.tensor(ids, dtype=torch.long), table)
    (theirs,) = torch.autograd.grad(x, table, torch.from_numpy(d_x))
    ours = embed_gradient(ids, d_x, V)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(ours, one_hot(ids, V).T @ d_x, rtol=1e-12, atol=1e-15)


def test_gradient_of_a_repeated_id_is_the_sum_over_all_places():
    d_table = embed_gradient([[4, 1], [4, 4]], [[[1.0], [10.0]], [[100.0], [1000.0]]], V)
    assert d_table.ravel().tolist() == [0, 10, 0, 0, 1101, 0, 0]


def test_results_are_no_views_of_the_table():
    table = a_table()
    before = table.copy()
    for looked_up in (embed([1, 2], table), embed(1, table), embed_one_hot([1, 2], table)):
        looked_up += 1
    np.testing.assert_array_equal(table, before)


def test_no_ids_no_rows():
    assert embed([], a_table()).tolist() == [] and embed([], a_table()).shape == (0, C)
    assert embed_gradient([], np.zeros((0, C)), V).tolist() == np.zeros((V, C)).tolist()


WRONG = {
    "below": ([0, -1], ValueError, r"between 0 and 6.*got -1"),
    "above": ([0, 7], ValueError, r"between 0 and 6.*got 7"),
    "both": ([9, -2], ValueError, "got -2"),
    "text": ("word", TypeError, "got text"),
    "texts": (["a", "b"], TypeError, "got text"),
    "fractions": ([0.0, 1.0], TypeError, "whole numbers.*float64"),
    "bools": ([True, False], TypeError, "whole numbers.*bool"),
}


@pytest.mark.parametrize("ids, error, sentence", WRONG.values(), ids=WRONG)
def test_wrong_ids_are_refused_by_every_function(ids, error, sentence):
    for function in (lambda: one_hot(ids, V), lambda: embed(ids, a_table()), lambda: embed_one_hot(ids, a_table()),
                     lambda: embed_gradient(ids, np.ones((2, C)), V)):  # fmt: skip
        with pytest.raises(error, match=sentence):
            function()


def test_other_arguments_that_do_not_fit_are_refused():
    for function in (embed, embed_one_hot):
        with pytest.raises(ValueError, match="two axes"):
            function([0], np.ones(3))
    for d_x in (np.ones((3, C)), np.ones((1, 2, C)), np.ones(2), 1.0):
        with pytest.raises(ValueError, match="one vector for each id"):
            embed_gradient([0, 1], d_x, V)


def test_layer_equals_the_hand_version_with_its_gradient():
    torch.manual_seed(0)
    layer = Embedding(V, C).double()
    ids = torch.tensor([[1, 6, 1, 0], [2, 1, 5, 5]])
    x = layer(ids)
    np.testing.assert_array_equal(x.detach().numpy(), embed(ids, layer.weight.detach()))
    pull = torch.randn(2, 4, C, dtype=torch.float64)
    x.backward(pull)
    np.testing.assert_allclose(layer.weight.grad.numpy(), embed_gradient(ids, pull, V), rtol=1e-12)
    assert torch.equal(layer(ids.int()), x)


def test_the_scaled_layer_is_the_root_of_the_width_times_larger():
    layer = ScaledEmbedding(V, 9).double()
    ids = torch.tensor([3, 0, 3])
    np.testing.assert_allclose(layer(ids).detach().numpy(), 3 * embed(ids, layer.weight.detach()), rtol=1e-12)
    layer(ids).sum().backward()
    assert layer.weight.grad[:, 0].tolist() == [3, 0, 0, 6, 0, 0, 0]


def test_tables_begin_at_the_size_that_is_promised():
    torch.manual_seed(0)
    plain, scaled = Embedding(500, 64), ScaledEmbedding(500, 64)
    for numbers, std in ((plain.weight, 0.02), (scaled.weight, 1 / 8), (scaled(torch.arange(500)), 1.0)):
        assert abs(numbers.mean().item()) < 0.02 * std and numbers.std().item() == pytest.approx(std, rel=0.02)


def test_parameters_are_one_table_named_as_torchs():
    layer = Embedding(V, C)
    layer.load_state_dict(nn.Embedding(V, C).state_dict())
    assert [(name, tuple(p.shape)) for name, p in layer.named_parameters()] == [("weight", (V, C))]


def test_the_layer_refuses_wrong_ids_and_sizes():
    layer = Embedding(V, C)
    for ids, error, sentence in (
        ([0, -1], ValueError, "got -1"),
        ([7, 1], ValueError, "between 0 and 6.*got 7"),
        ([0.0], TypeError, "torch.float32"),
        ([True], TypeError, "torch.bool"),
    ):
        with pytest.raises(error, match=sentence):
            layer(torch.tensor(ids))
    with pytest.raises(TypeError, match="got list"):
        layer([0, 1])
    assert layer(torch.zeros(2, 0, dtype=torch.long)).shape == (2, 0, C)
    for sizes in ((0, 3), (3, 0)):
        for kind in (Embedding, ScaledEmbedding):
            with pytest.raises(ValueError, match="at least one row"):
                kind(*sizes)


def test_the_example_in_the_docstring():
    import doctest

    import course.vectors.embedding as module

    result = doctest.testmod(module)
    assert result.attempted >= 3 and result.failed == 0
