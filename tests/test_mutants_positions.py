"""The tests of embeddings and positions refuse wrong versions: typical mistakes, planted into a copy of the package."""

import pytest

from tests.mutation import Mutant

PARITY, POSITIONS, EMBEDDING = "tests/parity/test_positions.py::", "tests/test_positions.py::", "tests/test_embedding.py::"
FORMULA = POSITIONS + "test_sinusoidal_is_the_papers_formula"
SHIFT = POSITIONS + "test_shift_moves_every_position_is_orthogonal_and_composes"
OFFSET = POSITIONS + "test_scores_of_turned_vectors_depend_on_the_offset_alone"
BY_EYE = POSITIONS + "test_a_pair_is_turned_by_its_angle_by_eye"
LENGTHS = POSITIONS + "test_turning_keeps_lengths_is_undone_by_negative_positions_and_leaves_arguments_alone"
ADDED = POSITIONS + "test_layers_that_add_add_the_row_of_each_position"
TURNED = POSITIONS + "test_the_rotary_layer_is_the_hand_version_with_its_gradient"
REFUSED, BY_HAND = POSITIONS + "test_layers_refuse_positions_and_vectors_that_do_not_fit", POSITIONS + "test_hand_versions_refuse_what_does_not_fit"
FOLLOW = POSITIONS + "test_tables_follow_dtype_grow_and_are_not_saved"
LLAMA, GPTJ = PARITY + "test_halves_are_llamas_and_neighbours_are_too_by_permutation", PARITY + "test_neighbours_are_gptjs"
LAYOUTS = POSITIONS + "test_layouts_are_permutations_of_one_another_in_each_head"

POWER = "return base ** (-np.arange(0, d_model, 2) / d_model)"
SINES, COSINES = "table[:, 0::2] = np.sin(angles)", "table[:, 1::2] = np.cos(angles[:, : d_model // 2])"
TURN = "turned[..., 0::2] = first * cos - second * sin\n    turned[..., 1::2] = first * sin + second * cos"
PAIRS_BY_HAND = "first, second = x[..., 0::2], x[..., 1::2]  # (..., T, D/2) each\n    turned = "
STACK = "torch.stack((first * cos - second * sin, first * sin + second * cos), dim=-1)"
AXIS = "angles = rotation_angles(positions, x.shape[-1], base)  # (..., T, D/2)\n    cos, sin = np.cos(angles), np.sin(angles)\n    first, second = x[..., 0::2]"
ASSUMED = AXIS.replace("(positions, x", "(np.arange(x.shape[-2]), x")


def wrong(name, change, *tests, raises=()):
    return Mutant(name, "course.vectors.positions", change, tests, raises)


def table(name, change, *tests, raises=()):
    return Mutant(name, "course.vectors.embedding", change, tests, raises)


MUTANTS = [
    # P1, P2, P5, P6, P9, P11
    wrong("exponent doubled", {POWER: "return base ** (-2 * np.arange(0, d_model, 2) / d_model)"}, FORMULA, BY_EYE),
    wrong("exponent halved", {POWER: "return base ** (-np.arange((d_model + 1) // 2) / d_model)"}, FORMULA, BY_EYE),
    wrong("growing frequencies", {POWER: "return base ** (np.arange(0, d_model, 2) / d_model)"}, FORMULA, BY_EYE),
    wrong("cosine with an exponent of its own", {COSINES: "table[:, 1::2] = np.cos(np.outer(np.arange(T), base ** (-np.arange(1, d_model, 2) / d_model)))"},
          FORMULA, SHIFT, POSITIONS + "test_dot_products_of_positions_depend_on_the_offset_alone"),
    wrong("base 1000", {"def frequencies(d_model: int, base: float = 10000.0)": "def frequencies(d_model: int, base: float = 1000.0)"},
          POSITIONS + "test_the_base_is_ten_thousand_unless_given"),
    wrong("base of the table 1000", {"def sinusoidal(T: int, d_model: int, base: float = 10000.0)": "def sinusoidal(T: int, d_model: int, base: float = 1000.0)"},
          POSITIONS + "test_the_base_is_ten_thousand_unless_given"),
    wrong("base of the rotary layer ignored", {"_cosines_and_sines, D=d_head, base=base": "_cosines_and_sines, D=d_head, base=10000.0"}, TURNED),
    wrong("base of the sinusoidal layer ignored", {"partial(sinusoidal, d_model=d_model, base=base)": "partial(sinusoidal, d_model=d_model)"}, ADDED),
    wrong("halves for columns in turn", {SINES: "half = (d_model + 1) // 2\n    table[:, :half] = np.sin(angles)",
          COSINES: "table[:, half:] = np.cos(angles[:, : d_model // 2])"}, FORMULA, SHIFT),
    wrong("sine and cosine swapped", {SINES: "table[:, 0::2] = np.cos(angles)", COSINES: "table[:, 1::2] = np.sin(angles[:, : d_model // 2])"}, FORMULA, SHIFT),
    wrong("odd widths fail", {COSINES: "table[:, 1::2] = np.cos(angles)"}, FORMULA, raises=["ValueError"]),
    wrong("positions from 1", {"angles = np.outer(np.arange(T), f": "angles = np.outer(np.arange(1, T + 1), f"}, FORMULA),
    wrong("shift the other way", {"M[cosine, sine] = np.sin(angles)": "M[cosine, sine] = -np.sin(angles)", "M[sine, cosine] = -np.sin": "M[sine, cosine] = np.sin"}, SHIFT),
    wrong("shift that mirrors", {"M[sine, cosine] = -np.sin": "M[sine, cosine] = np.sin"}, SHIFT),
    wrong("similarity as a mean", {"base)).sum(-1)": "base)).mean(-1)"}, POSITIONS + "test_dot_products_of_positions_depend_on_the_offset_alone"),
    # P7, P8
    wrong("rows by the batch axis", {"T = x.shape[-2]\n            return (x + self._rows.first(T, x)[:T])": "T = x.shape[0]\n            return (x + self._rows.first(T, x)[:T, None])"},
          ADDED, raises=["RuntimeError"]),
    wrong("one row for the first T", {"self._rows.first(T, x)[:T])": "self._rows.first(T + 1, x)[T])"}, ADDED),
    wrong("one learned row for the first T", {"return x + self.weight[:T]": "return x + self.weight[T - 1]"}, ADDED),
    wrong("given positions ignored, sinusoidal", {"(x + self._rows.at(positions, x))": "(x + self._rows.first(x.shape[-2], x)[: x.shape[-2]])"}, ADDED),
    wrong("given positions ignored, learned", {"F.embedding(positions, self.weight)": "self.weight[: x.shape[-2]]"}, ADDED,
          POSITIONS + "test_learned_positions_learn_where_they_are_used"),
    wrong("learned positions wrap", {"self._check_range(int(positions.max()) if positions.numel() else 0)\n": "positions = positions % self.context_length\n"},
          POSITIONS + "test_learned_positions_end_and_the_others_go_on"),
    wrong("learned positions run out silently", {"self._check_range(T - 1)\n": "\n"},
          POSITIONS + "test_learned_positions_end_and_the_others_go_on", raises=["RuntimeError"]),
    wrong("learned range one too long", {"if largest >= self.context_length": "if largest > self.context_length"},
          POSITIONS + "test_learned_positions_end_and_the_others_go_on", raises=["IndexError", "RuntimeError"]),
    wrong("a learned row ten times too large", {"torch.randn(context_length, d_model) * 0.01": "torch.randn(context_length, d_model) * 0.1"},
          POSITIONS + "test_learned_positions_learn_where_they_are_used"),
    wrong("negative positions wrap", {"if positions.numel() and int(positions.min()) < 0:": "if False:"}, REFUSED),
    wrong("fractions are cut off", {"if positions.dtype not in (torch.int32, torch.int64) and positions.numel():": "if False:"}, REFUSED),
    wrong("widths broadcast", {"if x.ndim < 2 or x.shape[-1] != width or": "if x.ndim < 2 or"}, REFUSED, raises=["RuntimeError", "ValueError"]),
    wrong("one position for all", {"if positions[-1:] != x[-2:-1] or not": "if not"}, REFUSED, BY_HAND, raises=["RuntimeError", "ValueError"]),
    wrong("positions broadcast as they may", {"fits = len(positions) == len(x) - 1 and all(p in (1, n) for p, n in zip(positions, x))": "fits = True"},
          BY_HAND, REFUSED, raises=["ValueError", "RuntimeError"]),
    # R1, R2, R6 and other ways to turn
    wrong("halves for neighbours", {PAIRS_BY_HAND: "first, second = np.split(x, 2, axis=-1)\n    turned = ", TURN:
          "turned[...] = np.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)"}, BY_EYE, LLAMA, GPTJ, TURNED),
    wrong("neighbours laid down as halves", {STACK + "  # (..., T, D/2, 2)": STACK.replace("stack", "cat") + "[..., None]"}, TURNED, GPTJ, LLAMA),
    wrong("neighbours for halves", {"return np.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)": "return rotate(x, positions, base)"}, LAYOUTS, LLAMA),
    wrong("angles and pairs that do not match", {AXIS: AXIS.replace("    first, second", "    cos, sin = cos[..., ::-1], np.roll(sin, 1, -1)\n    first, second")}, LENGTHS, OFFSET),
    wrong("positions assumed", {AXIS: ASSUMED}, BY_EYE, POSITIONS + "test_positions_may_differ_between_examples", raises=["ValueError"]),
    wrong("positions assumed by the layer", {"cos, sin = self._rows.at(positions, x)": "cos, sin = self._rows.first(x.shape[-2], x)[: x.shape[-2]]"}, TURNED),
    wrong("turned the other way", {TURN: TURN.replace(" - ", " ~ ").replace(" + ", " - ").replace(" ~ ", " + ")}, BY_EYE, SHIFT, LAYOUTS),
    wrong("a sign forgotten", {TURN: TURN.replace(" - ", " + ")}, LENGTHS, OFFSET),
    wrong("a sign forgotten in the layer", {STACK: STACK.replace(" - ", " + ")}, TURNED),
    wrong("second half not turned", {TURN: TURN.replace("first * sin + second * cos", "second")}, LENGTHS, OFFSET),
    wrong("turned in place", {"turned = np.empty_like(x)\n": "turned, first, second = x, first.copy(), second.copy()\n"}, LENGTHS),
    wrong("no axis of heads", {"positions = positions[:, None]  # (B, 1, T)  an axis of heads": "pass"}, TURNED, raises=["ValueError"]),
    wrong("to halves the wrong way", {"np.arange(D).reshape(-1, 2).T": "np.arange(D).reshape(2, -1).T"}, LAYOUTS, LLAMA),
    wrong("to neighbours the wrong way", {"np.arange(D).reshape(2, -1).T": "np.arange(D).reshape(-1, 2).T"}, LAYOUTS, LLAMA),
    wrong("permuted across the heads", {"order = np.arange(D).reshape(-1, 2).T.ravel()  # (D,)  pairs are rows, and are read column by column\n    return (starts + order).ravel()": "return np.arange(n_heads * D).reshape(-1, 2).T.ravel()"},
          LAYOUTS, POSITIONS + "test_weights_are_carried_over_between_layouts"),
    # tables
    wrong("tables in float32 always", {"dtype = torch.float64 if like.dtype == torch.float64 else torch.float32": "dtype = torch.float32"}, TURNED, ADDED),
    wrong("tables in half precision", {"dtype = torch.float64 if like.dtype == torch.float64 else torch.float32": "dtype = like.dtype"},
          POSITIONS + "test_half_precision_is_rounded_once"),
    wrong("tables computed in float32", {".to(dtype).to(like.device)": ".float().to(dtype).to(like.device)"}, TURNED, ADDED),
    wrong("dtype of the table returned", {"turned.flatten(-2).to(x.dtype)": "turned.flatten(-2)"}, POSITIONS + "test_tables_are_exact_for_every_dtype_far_out_too"),
    wrong("table kept whatever the dtype", {" or kept.dtype != dtype": ""}, FOLLOW),
    wrong("table made anew each time", {"if len(kept) < T or": "if True or"}, POSITIONS + "test_a_table_is_computed_once_and_doubled_when_it_is_too_short"),
    wrong("table one row short", {"int(positions.max()) + 1 if": "int(positions.max()) if"}, ADDED, TURNED, raises=["IndexError"]),
    wrong("table of the first length for good", {"if len(kept) < T or": "if not len(kept) or"}, FOLLOW, raises=["IndexError"]),
    wrong("a view of a table made while generating", {"return self.first(T, like)[positions]": "return self.first(T, like)[: positions.shape[-1]]"},
          POSITIONS + "test_tables_made_while_generating_serve_while_training", raises=["RuntimeError"]),
    # embeddings
    table("a repeated id counts once", {"np.add.at(d_table, ids, d_x)": "d_table[ids] += d_x"},
          EMBEDDING + "test_gradient_of_a_repeated_id_is_the_sum_over_all_places", EMBEDDING + "test_gradient_by_hand_equals_autograd_and_the_product"),
    table("the last one counts", {"np.add.at(d_table, ids, d_x)": "d_table[ids] = d_x"}, EMBEDDING + "test_gradient_of_a_repeated_id_is_the_sum_over_all_places"),
    table("columns looked up", {"return table[_checked(ids, len(table))]": "return table.T[_checked(ids, len(table))]"},
          EMBEDDING + "test_an_id_gets_its_own_row", raises=["IndexError"]),
    table("negative ids wrap", {"not (0 <= ids.min() and ids.max()": "not (ids.max()"}, EMBEDDING + "test_wrong_ids_are_refused_by_every_function"),
    table("ids above are let through", {"0 <= ids.min() and ids.max() < vocab_size": "0 <= ids.min()"},
          EMBEDDING + "test_wrong_ids_are_refused_by_every_function", raises=["IndexError"]),
    table("one id too many", {"ids.max() < vocab_size": "ids.max() <= vocab_size"}, EMBEDDING + "test_wrong_ids_are_refused_by_every_function", raises=["IndexError"]),
    table("bools as a mask", {'not in "iu"': 'not in "iub"'}, EMBEDDING + "test_wrong_ids_are_refused_by_every_function", raises=["IndexError"]),
    table("ids from 1", {"== np.arange(vocab_size))": "== np.arange(vocab_size) + 1)"}, EMBEDDING + "test_one_hot_by_eye", EMBEDDING + "test_lookup_product_and_torch_are_one"),
    table("the table itself is handed out", {"return table[_checked(ids, len(table))]": "return table[_checked(ids, len(table))] if np.ndim(ids) else table[int(_checked(ids, len(table)))]"},
          EMBEDDING + "test_results_are_no_views_of_the_table"),
    table("layer lets −1 through", {"if least < 0 or largest": "if largest"}, EMBEDDING + "test_the_layer_refuses_wrong_ids_and_sizes", raises=["IndexError"]),
    # P10
    table("no root of the width", {" * math.sqrt(self.weight.shape[-1])": ""}, EMBEDDING + "test_the_scaled_layer_is_the_root_of_the_width_times_larger"),
    table("divided by the root", {" * math.sqrt(self.weight": " / math.sqrt(self.weight"}, EMBEDDING + "test_the_scaled_layer_is_the_root_of_the_width_times_larger"),
    table("root of the vocabulary", {"math.sqrt(self.weight.shape[-1])": "math.sqrt(self.weight.shape[0])"}, EMBEDDING + "test_the_scaled_layer_is_the_root_of_the_width_times_larger"),
    table("torch's initialisation", {"torch.randn(vocab_size, d_model) * std": "torch.randn(vocab_size, d_model)"}, EMBEDDING + "test_tables_begin_at_the_size_that_is_promised"),
    table("the table does not learn", {"F.embedding(ids, self.weight)": "F.embedding(ids, self.weight.detach())"},
          EMBEDDING + "test_layer_equals_the_hand_version_with_its_gradient", raises=["RuntimeError"]),
]  # fmt: skip


BATCH = 23  # mutants in one run: all of them would come near one test's time limit on a busy machine


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    first = MUTANTS.index(mutant) // BATCH * BATCH
    mutant.assert_caught(among=MUTANTS[first : first + BATCH])
