"""The tests of many heads refuse wrong versions: typical mistakes, each planted into a copy of the package."""

import pytest

from tests.mutation import Mutant

PARITY, PROPERTIES = "tests/parity/test_multi_head.py::", "tests/test_multi_head.py::"
TORCHS_MODULE = PARITY + "test_layer_equals_torchs_module_with_gradients"
TORCHS_FUNCTION = PARITY + "test_rows_with_nothing_to_look_at_equal_torchs_function_with_gradients"
LOOP = PARITY + "test_loop_by_hand_equals_layer"

CUT = "x.reshape(*lead, T, n_heads, _head_width(C, n_heads)).swapaxes(-3, -2)"
PROJECT = "x @ W_Q[:, own], memory @ W_K[:, own], memory @ W_V[:, own]"
MIXED = "return self.out(merge_heads(z))"
SWITCH = "z = z.masked_fill(~self.heads_on[:, None, None], 0.0)\n"


def wrong(name, change, *tests, raises=()):
    return Mutant(name, "course.blocks.attention", change, tests, raises)


MUTANTS = [
    # H1: one reshape in place of cutting the width and swapping axes, in and out
    wrong("reshape for transpose", {CUT: "x.reshape(*lead, n_heads, T, _head_width(C, n_heads))"},
          PROPERTIES + "test_head_h_gets_its_own_features_of_every_position", PROPERTIES + "test_reshape_instead_of_transpose_is_something_else",
          TORCHS_MODULE, LOOP),
    wrong("reshape for transpose, both ways", {CUT: "x.reshape(*lead, n_heads, T, _head_width(C, n_heads))",
          "x.swapaxes(-3, -2).reshape(*lead, T, H * D)": "x.reshape(*lead, T, H * D)"}, TORCHS_MODULE, LOOP),
    wrong("merged without swapping back", {"x.swapaxes(-3, -2).reshape(*lead, T, H * D)": "x.reshape(*lead, T, H * D)"},
          PROPERTIES + "test_merging_undoes_cutting_for_arrays_and_tensors", TORCHS_MODULE),
    wrong("features dealt out in turn", {CUT: "x.reshape(*lead, T, _head_width(C, n_heads), n_heads).swapaxes(-1, -2).swapaxes(-3, -2)"},
          PROPERTIES + "test_head_h_gets_its_own_features_of_every_position", TORCHS_MODULE),
    # H4: nothing mixes the heads
    wrong("no W_O in the layer", {MIXED: "return merge_heads(z)"}, TORCHS_MODULE, TORCHS_FUNCTION, raises=["RuntimeError"]),
    wrong("no W_O by hand", {"return concat @ W_O, np.stack": "return concat, np.stack"}, LOOP, PROPERTIES + "test_one_head_is_attention"),
    # H6: the input is cut, not what was projected
    wrong("the input is cut into heads", {PROJECT: "x[..., own] @ W_Q[own, own], memory[..., own] @ W_K[own, own], memory[..., own] @ W_V[own, own]"},
          LOOP, PROPERTIES + "test_every_head_reads_the_whole_width"),
    # H7: attention along the batch
    wrong("attention along the batch", {"linear = (self.query(x), self.key(memory), self.value(memory))":
          "x, memory = x.transpose(0, -2), memory.transpose(0, -2)\n        linear = (self.query(x), self.key(memory), self.value(memory))",
          MIXED: "return self.out(merge_heads(z)).transpose(0, -2)"},
          PROPERTIES + "test_examples_do_not_see_each_other", TORCHS_MODULE, raises=["ValueError"]),
    # A7: the root of the whole width
    wrong("scaled by the width of all heads, fused", {"scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal))":
          "scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=self.query.in_features**-0.5))"}, TORCHS_MODULE, TORCHS_FUNCTION),
    wrong("scaled by the width of all heads, with weights", {"k, v = (split_heads(a, self.n_heads) for a in linear)":
          "k, v = (split_heads(a, self.n_heads) for a in linear)\n        q = q / self.n_heads**0.5"}, TORCHS_MODULE, LOOP),
    wrong("scaled by the width of all heads, by hand", {"W_Q[:, own], memory @ W_K": "W_Q[:, own] / np.sqrt(n_heads), memory @ W_K"},
          LOOP, PROPERTIES + "test_a_score_is_divided_by_the_root_of_one_heads_width"),
    # A20: the mask in another order of examples and heads
    wrong("mask repeated in the other order, by hand", {"np.broadcast_to(True if mask is None else mask, scores)":
          "np.broadcast_to(True if mask is None else mask, scores).reshape(n_heads, -1, *scores[-2:]).swapaxes(0, 1).reshape(scores)"},
          LOOP, PROPERTIES + "test_each_head_of_each_example_gets_its_own_mask"),
    wrong("every head gets the first head's mask", {"mask[..., h, :, :])": "mask[..., 0, :, :])"}, LOOP,
          PROPERTIES + "test_each_head_of_each_example_gets_its_own_mask"),
    wrong("mask repeated in the other order, in the layer", {"q, k, v = self.heads(x, mask, memory, positions)\n": "q, k, v = self.heads(x, mask, memory, positions)\n"
          "        if mask is not None and mask.ndim == 4 and mask.shape[:2] == q.shape[:2]:\n"
          "            mask = mask.transpose(0, 1).reshape(mask.shape)\n"}, TORCHS_MODULE, TORCHS_FUNCTION),
    # and others
    wrong("keys and values from x itself", {"memory = x if memory is None else memory\n        linear": "memory = x\n        linear"},
          TORCHS_MODULE, raises=["ValueError"]),
    wrong("queries from memory", {"linear = (self.query(x), self.key(memory)": "linear = (self.query(memory), self.key(x)"},
          TORCHS_MODULE, raises=["ValueError", "RuntimeError"]),
    wrong("values from x, by hand", {"memory @ W_V[:, own]": "x @ W_V[:, own]"}, LOOP, raises=["ValueError"]),
    wrong("keys and values swapped by hand", {PROJECT: "x @ W_Q[:, own], memory @ W_V[:, own], memory @ W_K[:, own]"}, LOOP),
    wrong("heads in reverse order", {"own = slice(h * D, (h + 1) * D)": "own = slice((n_heads - 1 - h) * D, (n_heads - h) * D)"}, LOOP,
          PROPERTIES + "test_a_score_is_divided_by_the_root_of_one_heads_width"),
    wrong("mask not used where weights are not asked for", {"attn_mask=mask, is_causal=causal))": "is_causal=causal))"},
          TORCHS_MODULE, PROPERTIES + "test_the_future_changes_no_earlier_output", PROPERTIES + "test_padding_is_invisible_in_every_head"),
    wrong("mask not used where weights are asked for", {"self.heads(x, mask, memory, positions), mask)": "self.heads(x, mask, memory, positions))"},
          TORCHS_MODULE, PROPERTIES + "test_the_future_changes_no_earlier_output", PROPERTIES + "test_nothing_to_look_at_is_zero"),
    wrong("weights averaged over heads", {"return self._mix(z), weights": "return self._mix(z), weights.mean(-3, keepdim=True).expand_as(weights)"},
          TORCHS_MODULE, LOOP),
    wrong("bias left out", {"self.value = nn.Linear(d_model, d_model, bias=bias)\n        self.out": "self.value = nn.Linear(d_model, d_model, bias=False)\n        self.out"},
          PROPERTIES + "test_parameters_are_four_squares_however_many_heads", TORCHS_MODULE, raises=["AttributeError", "TypeError"]),
    wrong("key and query share a matrix", {"self.key = nn.Linear(d_model, d_model, bias=bias)\n        self.value": "self.key = self.query\n        self.value"},
          PROPERTIES + "test_parameters_are_four_squares_however_many_heads", TORCHS_MODULE, raises=["RuntimeError", "KeyError"]),
    wrong("switches turned round", {"~self.heads_on[:, None, None]": "self.heads_on[:, None, None]"},
          PARITY + "test_a_head_switched_off_is_its_term_left_out", raises=["RuntimeError"]),
    wrong("switches along positions", {"self.heads_on[:, None, None]": "self.heads_on[:, None]"},
          PARITY + "test_a_head_switched_off_is_its_term_left_out", raises=["RuntimeError"]),
    wrong("switches never read", {SWITCH: "pass\n"}, PARITY + "test_a_head_switched_off_is_its_term_left_out",
          PROPERTIES + "test_a_head_that_is_off_gets_no_gradient"),
    wrong("a head that is off is multiplied by 0", {SWITCH: "z = z * self.heads_on[:, None, None]\n"},
          PROPERTIES + "test_a_head_that_is_off_is_not_heard_even_where_it_is_not_a_number"),
    wrong("switches are saved", {"dtype=torch.bool), persistent=False)": "dtype=torch.bool))"},
          PROPERTIES + "test_switches_are_no_parameters_and_are_not_saved"),
    wrong("three axes are guessed", {"mask.ndim not in (2, len(scores))": "mask.ndim > len(scores)"},
          PROPERTIES + "test_masks_that_do_not_fit_or_can_be_read_two_ways_are_refused"),
    wrong("unequal heads accepted", {"if n_heads < 1 or width % n_heads:": "if False:"},
          PROPERTIES + "test_widths_that_can_not_be_cut_are_refused", raises=["ZeroDivisionError", "RuntimeError", "ValueError"]),
    wrong("widths unchecked by hand", {"if not W_Q.shape[-1] == W_K.shape[-1] == W_V.shape[-1] == W_O.shape[0]:": "if False:"},
          PROPERTIES + "test_widths_that_can_not_be_cut_are_refused", raises=["ValueError"]),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    mutant.assert_caught(among=MUTANTS)
