"""The tests of attention and figures refuse wrong versions: typical mistakes, each planted into a copy of the package."""

import pytest

from tests.mutation import Mutant

ATTENTION = "course.blocks.attention"
PARITY, PROPERTIES, FIGURES = "tests/parity/test_attention.py::", "tests/test_attention.py::", "tests/test_figures.py::"


def exp_over_sum(x, axis=-1):
    e = np.exp(np.asarray(x, dtype=np.float64))  # noqa: F821
    return e / e.sum(axis=axis, keepdims=True)


def weights_of_all_heads_mixed(weights):
    w = np.asarray(weights, dtype=np.float64)  # noqa: F821
    return np.diag(w.ravel()[: w.shape[-1]]) - w[..., :, None] * w[..., None, :]  # noqa: F821


def wrong(name, change, *tests, module=ATTENTION, raises=()):
    return Mutant(name, module, change, tests, raises)


MUTANTS = [
    wrong("exp over sum", {"softmax": exp_over_sum}, PROPERTIES + "test_softmax_never_overflows"),
    wrong("softmax over queries", {"weights = softmax(scores)": "weights = softmax(scores, axis=-2)"},
          PARITY + "test_by_hand_equals_torch", PROPERTIES + "test_output_lies_between_the_values"),
    wrong("softmax ignores its axis", {"largest = x.max(axis=axis": "largest = x.max(axis=-1"},
          PARITY + "test_softmax_equals_torch_along_every_axis"),
    wrong("no 1/√d by hand", {"k.swapaxes(-1, -2) / math.sqrt(D)": "k.swapaxes(-1, -2)"},
          PARITY + "test_by_hand_equals_torch", PARITY + "test_scale_is_the_width_of_a_head"),
    wrong("divided by d", {"k.swapaxes(-1, -2) / math.sqrt(D)": "k.swapaxes(-1, -2) / D"}, PARITY + "test_weights_by_hand_equal_torch"),
    wrong("no 1/√d in torch", {"k.transpose(-1, -2) / math.sqrt(D)": "k.transpose(-1, -2)"},
          PARITY + "test_layer_equals_torch_with_gradients", PARITY + "test_self_attention_is_the_same_three_ways"),
    wrong("mask filled with 0", {"scores = np.where(mask, scores, -np.inf)\n    weights": "scores = np.where(mask, scores, 0.0)\n    weights"},
          PARITY + "test_by_hand_equals_torch", PROPERTIES + "test_padding_is_invisible"),
    wrong("True means hide", {"scores = np.where(mask, scores, -np.inf)\n    weights": "scores = np.where(mask, -np.inf, scores)\n    weights"}, PARITY + "test_by_hand_equals_torch"),
    wrong("mask never used", {"    if mask is not None:\n        scores =": "    if False:\n        scores ="},
          PROPERTIES + "test_the_future_changes_no_earlier_output"),
    wrong("upper triangle", {"np.tril(": "np.triu("}, PROPERTIES + "test_masks", PROPERTIES + "test_the_future_changes_no_earlier_output"),
    wrong("sees one ahead", {"np.ones((T, T), dtype=bool))": "np.ones((T, T), dtype=bool), 1)"},
          PROPERTIES + "test_the_future_changes_no_earlier_output"),
    wrong("padding off by one", {"np.arange(T) < lengths": "np.arange(T) <= lengths"}, PROPERTIES + "test_padding_is_invisible"),
    wrong("empty rows are NaN", {"np.where(total == 0.0, 1.0, total)": "total", "np.where(np.isneginf(largest), 0.0, largest)": "largest"},
          PROPERTIES + "test_nothing_to_look_at_is_zero", PROPERTIES + "test_softmax_of_hidden_scores"),
    wrong("empty rows are NaN in torch", {".softmax(-1).masked_fill(~mask, 0.0)": ".softmax(-1)"},
          PARITY + "test_layer_equals_torch_with_gradients", PARITY + "test_layer_weights_equal_by_hand"),
    wrong("empty rows are uniform", {"masked_fill(~mask, -torch.inf).softmax(-1).masked_fill(~mask, 0.0)": "masked_fill(~mask, -1e30).softmax(-1)"},
          PARITY + "test_layer_equals_torch_with_gradients", PARITY + "test_layer_weights_equal_by_hand"),
    wrong("reshape for transpose", {"k.swapaxes(-1, -2) / math.sqrt(D)": "k.reshape(*k.shape[:-2], k.shape[-1], k.shape[-2]) / math.sqrt(D)"},
          PARITY + "test_by_hand_equals_torch", PROPERTIES + "test_steps_are_the_steps"),
    wrong("query and key swapped", {"self.query(x), self.key(x), self.value(x)  #": "self.key(x), self.query(x), self.value(x)  #"},
          PARITY + "test_self_attention_is_the_same_three_ways"),
    wrong("window one too wide", {"distance < width": "distance <= width"}, PROPERTIES + "test_a_window_ends_with_the_word_itself"),
    wrong("window sees the future", {"(distance >= 0) & (distance < width)": "abs(distance) < width"},
          PROPERTIES + "test_a_window_ends_with_the_word_itself"),
    wrong("scores divided by the width", {"k.swapaxes(-1, -2) / math.sqrt(D)": "k.swapaxes(-1, -2) / D"},
          PROPERTIES + "test_scores_are_dot_products_over_the_root_of_the_width"),
    wrong("Jacobian of the wrong row", {"softmax_jacobian": weights_of_all_heads_mixed},
          PARITY + "test_jacobian_of_many_rows_is_each_rows_own", raises=["ValueError"]),
    wrong("Jacobian without the diagonal", {"(np.eye(w.shape[-1]) - w[..., None, :])": "-w[..., None, :]"},
          PARITY + "test_jacobian_equals_autograd_and_finite_differences"),
    wrong("inputs changed", {"    _check(q, k, v, mask)\n\n    scores = attention_scores": "    _check(q, k, v, mask)\n    q *= 2; q /= 2; q += 1e-9\n    scores = attention_scores"},
          PROPERTIES + "test_arguments_are_left_alone"),
    wrong("number masks accepted", {'raise TypeError(f"a mask is boolean': 'return TypeError(f"a mask is boolean'},
          PROPERTIES + "test_errors_say_what_is_wrong"),
    wrong("labels keep odd characters", {"ord(character) not in _drawable()": "False"},
          FIGURES + "test_every_character_of_a_label_can_be_drawn", module="course.figures"),
    wrong("white ink everywhere", {"luminance > 0.179": "luminance > 2"}, FIGURES + "test_ink_reads_on_the_card_and_in_every_cell",
          module="course.figures"),
    wrong("transposed heat map", {"image = ax.imshow(weights,": "image = ax.imshow(weights.T,"},
          FIGURES + "test_a_heat_map_draws_its_weights", module="course.figures"),
    wrong("alternative text forgotten", {'alt="{html.escape(self.alt)}"': 'alt=""'},
          FIGURES + "test_a_picture_carries_its_alternative_text_everywhere", module="course.figures"),
    wrong("salted vectors", {"[seed, *map(ord, word)]": "abs(hash(word))"}, "tests/test_sample.py::test_the_same_in_another_process",
          module="course.lens.sample"),
    wrong("matrices too large", {" / np.sqrt(d_model)": ""}, "tests/test_sample.py::test_scores_have_variance_one",
          module="course.lens.sample"),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    mutant.assert_caught(among=MUTANTS)
