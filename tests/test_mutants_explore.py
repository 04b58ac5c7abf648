"""The tests of Recording, the kit and the attention explorer refuse wrong versions, of the page's JavaScript too."""

import shutil

import pytest

from tests.mutation import Mutant

RECORDING, BASE = "course.lens.recording", "course.explore.base"
EXPLORER, FIGURE = "course.explore.attention_explorer", "course.explore.attention_figure"
R, K, A = "tests/test_recording.py::", "tests/test_explore_kit.py::", "tests/test_explore_attention.py::"
PAGE = A + "test_the_pages_arithmetic_is_numpys_in_every_cell"


def script(name, right, wrong, *tests, raises=()):
    """A mistake in the JavaScript: Python joins the files, so it is planted there."""
    joined = "return _join((*KIT_SCRIPTS, *names))"
    check = f"(lambda text: text.replace({right!r}, {wrong!r}) if {right!r} in text else 1 / 0)"
    return Mutant(f"page: {name}", BASE, {joined: f"return {check}(_join(KIT_SCRIPTS + tuple(names) + ('attention_model.js',) * (not names)))"}, tests, raises)


ORDER, SORTED = "course.explore.attention_order", A + "test_columns_and_rows_are_sorted_by_weight_and_go_back_with_another_text"
PYTHON = [
    Mutant("smallest weights first", ORDER, {"np.argsort(-weights[self.columns_by], kind": "np.argsort(weights[self.columns_by], kind"}, SORTED),
    Mutant("rows sorted by a row", ORDER, {"-weights[:, self.rows_by]": "-weights[self.rows_by]"}, SORTED),
    Mutant("another head sorted", ORDER, {"self.weights()[self.head]": "self.weights()[0]"}, SORTED),
    Mutant("order kept with another text", ORDER, {"self.rows_by = self.columns_by = -1": "pass"}, SORTED),
    Mutant("order by a token that has gone", ORDER, {'return proposal["value"] if 0 <= proposal["value"] < count else -1': 'return proposal["value"]'}, SORTED),
    Mutant("equals in any order", ORDER, {'np.argsort(-weights[self.columns_by], kind="stable")': "np.argsort(weights[self.columns_by])[::-1]"},
           A + "test_equal_weights_keep_text_order"),
    Mutant("figure in text order", FIGURE, {"weights, may = weights[np.ix_(rows, columns)], may[np.ix_(rows, columns)]": "pass"},
           A + "test_the_figure_shows_the_order_with_its_names"),
    Mutant("figure's names in text order", FIGURE, {"[explorer.tokens[i] for i in rows]": "explorer.tokens"},
           A + "test_the_figure_shows_the_order_with_its_names"),
    Mutant("one head keeps two axes", RECORDING, {"array[None] if array.ndim == 2 else array": "array"}, R + "test_one_head_gets_its_axis_and_keys_their_names",
           ["IndexError", "AssertionError", "ValueError"]),
    Mutant("float64 kept", RECORDING, {".astype(np.float32)": ".astype(np.float64)"}, R + "test_everything_is_brought_into_one_form"),
    Mutant("gradients refused", RECORDING, {"array.detach().cpu()": "array.cpu()"}, R + "test_torch_tensors_with_gradients_and_short_floats", ["RuntimeError", "ValueError"]),
    Mutant("shortened forgets the mask", RECORDING, {"mask=cut(self.mask, T, S), ": ""}, R + "test_shortened_keeps_what_comes_first", ["ValueError"]),
    Mutant("NaN let through", RECORDING, {"if wrong:": "if wrong < 0:"}, R + "test_what_does_not_fit_is_refused_in_one_sentence", ["Failed"]),
    Mutant("number masks let through", RECORDING, {"self.mask.dtype != np.bool_": "False"}, R + "test_what_does_not_fit_is_refused_in_one_sentence", ["Failed"]),
    Mutant("rows of k unchecked", RECORDING, {"array.shape[1] != S": "False"}, R + "test_what_does_not_fit_is_refused_in_one_sentence", ["Failed"]),

    Mutant("tensors column by column", BASE, {'np.ascontiguousarray(array, dtype="<f4").tobytes()': 'np.asarray(array, dtype="<f4").tobytes("F")'},
           [K + "test_tensors_travel_as_float32_in_order", A + "test_what_travels_to_the_page_is_what_python_has"]),
    Mutant("surrogates stay", BASE, {'return str(text).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")': "return str(text)"},
           K + "test_clean_makes_lone_surrogates_fit_for_json"),
    Mutant("no picture in the bundle", BASE, {"**figures.Picture(self.png(), repr(self))._repr_mimebundle_()": '"text/plain": repr(self)'}, [K + "test_bundle_has_live_view_picture_and_line"], ["KeyError"]),
    Mutant("address in the repr", BASE, {'return f"{self.kind} explorer: {self.summary()}"': "return object.__repr__(self)"},
           [K + "test_bundle_has_live_view_picture_and_line", A + "test_bundle_repr_and_figure"]),

    Mutant("temperature ignored", EXPLORER, {") / self.temperature": ")"}, A + "test_weights_and_output_are_attentions"),
    Mutant("scale switch ignored", EXPLORER, {"(1.0 if self.scale_on else np.sqrt(width))": "1.0"}, A + "test_weights_and_output_are_attentions"),
    Mutant("causal is given", EXPLORER, {'self.recording.mask if self.mask_mode == "given"': "self.recording.mask if True"}, A + "test_weights_and_output_are_attentions"),
    Mutant("weights travel", EXPLORER, {"parts = [recording.q, recording.k, recording.v] if scores else": "parts = [self._course(recording)[1]] if scores else"},
           A + "test_seventy_two_heads_of_256_tokens_stay_small"),
    Mutant("opens on the sharpest head", EXPLORER, {"return bits(weights.mean(1)) - bits(weights).mean(1)": "return -bits(weights).mean(1)"},
           A + "test_opens_on_the_head_that_depends_most_on_who_looks_and_says_so"),
    Mutant("opens on the diagonal", EXPLORER, {"np.fill_diagonal(shown, -np.inf)": "pass"}, A + "test_opens_on_the_largest_weight_off_the_diagonal"),
    Mutant("cursor off the map", EXPLORER, {"not 0 <= value <= self._last()[name]": "False"}, A + "test_impossible_states_are_refused", ["Failed"]),
    Mutant("late words of the page raise", EXPLORER, {"min(max(value, 0), last[name]) if name in last else value": "value"},
           A + "test_a_late_word_of_the_page_about_a_gone_text_is_bent_to_what_there_is", ["TraitError"]),
    Mutant("answers nobody", EXPLORER, {"self.answered = self.request": "pass"}, A + "test_the_answer_names_the_request_it_answers"),
    Mutant("runs twice", EXPLORER, {"(self.text, self.request) != self._run_for": "True"}, A + "test_the_answer_names_the_request_it_answers"),
    Mutant("only a new text counts", EXPLORER, {'["text", "request"])': '"text")'}, A + "test_the_answer_names_the_request_it_answers"),
    Mutant("error passed on", EXPLORER, {"self.problem = self._failure(\"function_failed\", error)": "raise"},
           A + "test_failing_on_the_first_text", ["KeyError"]),
    Mutant("problem stays for ever", EXPLORER, {'            self.problem = ""\n            self.tokens': "            self.tokens"},
           A + "test_a_failing_function_speaks_and_the_last_picture_stays"),
    Mutant("long texts whole", EXPLORER, {"whole, recording = recording, recording.shortened(MOST_TOKENS)": "whole = recording"}, A + "test_long_texts_are_cut_and_it_says_so"),
    Mutant("the course's weights shown as theirs", EXPLORER, {"self._own_weights = weights": "self._own_weights = self._course(self.recording)[1]"},
           [A + "test_it_is_their_function_that_is_shown_and_called_with_plain_matrices"]),
    Mutant("always agrees", EXPLORER, {"if gap.max() > SAME:": "if False:"}, A + "test_a_difference_is_named_with_its_place"),
    Mutant("output never compared", EXPLORER, {"if not output_gap.max() <= SAME": "if False and not output_gap.max() <= SAME"}, A + "test_right_weights_but_wrong_output"),
    Mutant("shape never checked", EXPLORER, {"if own.shape != (T, S):": "if False:"}, A + "test_broken_attention_speaks_in_one_sentence", ["ValueError"]),
    Mutant("NaN drawn", EXPLORER, {"wrong = np.argwhere(~np.isfinite(own))": "wrong = []"}, A + "test_broken_attention_speaks_in_one_sentence"),
    Mutant("no remark on sums", EXPLORER, {"if not whole.has_scores:": "if False:"}, A + "test_weights_that_are_no_shares_are_remarked"),

    Mutant("picture of head 0", FIGURE, {"large(below, explorer, weights[explorer.head])": "large(below, explorer, weights[0])"}, A + "test_bundle_repr_and_figure"),
    Mutant("tiles out of order", FIGURE, {"_tile(weights[head], _open": "_tile(weights[-1 - head], _open"}, A + "test_every_tile_of_the_mosaic_is_its_head"),
    Mutant("closed cells look like 0", FIGURE, {"cover[~may] = CLOSED": "pass"}, A + "test_large_pictures_grey_what_is_closed"),
    Mutant("odd colour scale", FIGURE, {"for part in (0.2, 0.5)": "for part in (0.3, 0.5)"}, A + "test_the_colour_scale_ends_at_a_round_number"),
]  # fmt: skip

SCRIPTS = [
    script("half of a dot product", "for (let i = 0; i < length; i++) sum +=", "for (let i = 1; i < length; i++) sum +=", PAGE),
    script("temperature multiplies", "(scores[j] - top) / temperature", "(scores[j] - top) * temperature", PAGE),
    script("no scale", "1 / Math.sqrt(this.D) : 1", "1 : 1", PAGE),
    script("sees one ahead", "cell % S <= Math.floor", "cell % S <= 1 + Math.floor", PAGE),
    script("first head's mask for all", "this.mask.subarray(head * T * S, (head + 1) * T * S)", "this.mask.subarray(0, T * S)", PAGE),
    script("first head's values for all", "v[(head * S + j) * Dv + d]", "v[j * Dv + d]", PAGE),
    script("empty rows average", "out.fill(0); return false;", "out.fill(1 / size); return true;", PAGE, K + "test_softmax_and_entropy_equal_numpy"),
    script("buffer not copied", "new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))",
           "new Float32Array(view.buffer.slice(0, view.byteLength))", PAGE),
    script("entropy in nats", "bits -= p * Math.log2(p)", "bits -= p * Math.log(p)", PAGE, K + "test_softmax_and_entropy_equal_numpy"),
    script("distance without sign", "Math.abs(row - j)", "(row - j)", PAGE),
    script("empty rows counted", "if (shown.nothing[i]) continue;", "", PAGE),
    script("exp overflows", "Math.exp((scores[j] - top) / temperature)", "Math.exp(scores[j] / temperature)", K + "test_softmax_and_entropy_equal_numpy", raises=["TypeError"]),
    script("white space unseen", "replace(/[ \\n\\r\\t\\u00a0\\u3000]/g", "replace(/[\\n\\r\\t]/g", K + "test_tokens_are_made_visible"),
    script("emoji cut in two", "graphemes ? Array.from", "false ? Array.from", K + "test_tokens_are_made_visible"),
    script("filled twice", "name in values ? String(values[name]) : hole", "name in values ? say(values[name], values) : hole", K + "test_sentences_are_filled_once"),
    script("a false 1", "w > 0.9999 ? \"> 0.9999\"", "w > 0.9999 ? \"1.00\"", K + "test_numbers_for_reading"),
    script("white ink everywhere", '> 0.179 ? "#000"', '> 2 ? "#000"', K + "test_ink_on_every_colour_is_readable"),
    script("other colours", "function viridis(t) { return VIRIDIS[place256(t)]; }", "function viridis(t) { return VIRIDIS[place256(1 - t)]; }", K + "test_colours_are_matplotlibs"),
]  # fmt: skip


@pytest.mark.timeout(900)  # the first one runs the whole table
@pytest.mark.parametrize("mutant", PYTHON, ids=str)
def test_wrong_python_is_caught(mutant):
    mutant.assert_caught(among=PYTHON)


@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("mutant", SCRIPTS, ids=str)
def test_wrong_javascript_is_caught(mutant):
    mutant.assert_caught(among=SCRIPTS)
