"""parameter_count against models that are built: ours, and GPT-2 as the transformers library has it."""

import doctest

import pytest

from course.models import GPT, GPTConfig, counting
from course.models.counting import parameter_count

SIZES = [(11, 7, 4, 2, 1, 0), (10, 5, 6, 3, 2, 9), (3, 40, 8, 1, 3, 1), (50, 2, 12, 6, 1, 20)]


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_part_has_as_many_numbers_as_the_model_that_is_built(sizes, tied, bias, positions):
    model = GPT(GPTConfig(*sizes, bias=bias, tied=tied, positions=positions))
    counted = parameter_count(*sizes, bias, tied, positions)
    assert counted == model.parameter_counts()
    assert list(counted) == list(model.parameter_counts())
    assert sum(counted.values()) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("tied", [True, False])
def test_gpt_2_of_the_transformers_library_has_as_many(tied):
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(vocab_size=31, n_positions=9, n_embd=8, n_layer=3, n_head=2, n_inner=20, tie_word_embeddings=tied)
    model = transformers.GPT2LMHeadModel(config)
    assert sum(parameter_count(31, 9, 8, 2, 3, 20, tied=tied).values()) == sum(p.numel() for p in model.parameters())


def test_the_example_of_the_file_is_true():
    assert doctest.testmod(counting).failed == 0 and doctest.testmod(counting).attempted == 1


@pytest.mark.parametrize("arguments, message", [
    ((10, 8, 4, 3, 1), "n_heads must divide d_model, got 3 heads for a width of 4"),
    ((10, 8, 4, 2, 0), "n_layers must be at least 1, got 0"),
    ((10, 8, 4, 2, 1, 16, True, True, "absolute"), "positions must be one of"),
], ids=["heads", "layers", "positions"])  # fmt: skip
def test_sizes_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        parameter_count(*arguments)
