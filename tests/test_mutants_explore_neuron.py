"""The tests of the neuron explorer, and of neurons as keys and values, refuse wrong versions, of the page's JavaScript too."""

import shutil

import pytest

from course.explore.base import STATIC
from tests.mutation import Mutant

BASE, EXPLORER, SUBJECT, FIGURE = (f"course.explore.{name}" for name in ("base", "neuron_explorer", "neuron_subject", "neuron_figure"))
LENS = "course.lens.neurons"
L, T = "tests/test_lens_neurons.py::", "tests/test_explore_neuron.py::"
RECORDED = L + "test_what_is_recorded_is_key_times_input_plus_bias"
REST = L + "test_the_model_is_left_as_it_was"
PEAKS = L + "test_peaks_are_each_texts_strongest_token_in_order"
OFF = L + "test_a_neuron_that_nothing_switches_on_has_no_peaks"
EFFECTS = L + "test_effects_are_the_slope_of_the_logits_times_the_norms_division"
NORMS = L + "test_effects_with_other_final_norms"
ENDS = L + "test_extremes_are_the_ends_of_the_effects"
REFUSED = L + "test_what_does_not_fit_is_refused_in_one_sentence"
BENDS = T + "test_the_pages_bends_are_those_by_hand"
COLUMNS = T + "test_columns_and_the_order_of_neurons"
HALVES = T + "test_halves_of_characters_are_whole_again"
TRAVELS = T + "test_what_travels_is_what_python_has"
OPENS = T + "test_it_opens_on_the_most_active_neuron_and_its_token"
TEXTS = T + "test_texts_and_tokens_of_the_neuron"
FAILS = T + "test_a_text_that_fails_says_so_and_the_last_picture_stays"
BAD = T + "test_a_too_large_token_is_the_last_and_bad_numbers_are_refused"
DRAWN = T + "test_the_figure_is_true_to_the_state"
LONG = T + "test_texts_longer_than_the_model_reads_are_shown_in_part"


def script(name, right, wrong, *tests):
    """A mistake in the JavaScript: Python joins the files, so it is planted there."""
    count = (STATIC / "neuron_numbers.js").read_text(encoding="utf-8").count(right)
    assert count == 1, f"{name}: {right!r} occurs {count} times"
    joined = "return _join((*KIT_SCRIPTS, *names))"
    return Mutant(f"page: {name}", BASE, {joined: f"{joined}.replace({right!r}, {wrong!r})"}, tests)


PYTHON = [
    Mutant("keys are columns", LENS, {"return _numbers(layer.up.weight)": "return _numbers(layer.up.weight.T.reshape(layer.up.weight.shape))"}, RECORDED),
    Mutant("values are not turned", LENS, {"return _numbers(layer.down.weight.T)": "return _numbers(layer.down.weight.reshape(layer.down.weight.T.shape))"}, RECORDED),
    Mutant("activations without a bend", LENS, {"part.activation(_recorded(model, [ids], part)[0])": "_recorded(model, [ids], part)[0]"}, RECORDED),
    Mutant("dropout stays", LENS, {"            part.training = False": "            pass"}, REST),
    Mutant("stays in evaluation", LENS, {"            part.training = True": "            pass"}, REST),
    Mutant("the hook stays", LENS, {"        handle.remove()": "        pass"}, REST),
    Mutant("weakest first", LENS, {"np.lexsort((where[0], -z), axis=0)": "np.lexsort((where[0], z), axis=0)"}, PEAKS),
    Mutant("later text first", LENS, {"np.lexsort((where[0], -z), axis=0)": "np.lexsort((-where[0], -z), axis=0)"}, PEAKS),
    Mutant("last token", LENS, {"place = found.argmax(1)": "place = np.full_like(found.argmax(1), found.shape[1] - 1)"}, PEAKS),
    Mutant("off is on", LENS, {"on = z > 0": "on = z > -1e9"}, [PEAKS, OFF]),
    Mutant("numbered within a length", LENS, {"for number, ids in enumerate(texts):\n        by_length.setdefault(len(ids), []).append((number,": "for number, ids in enumerate(texts):\n        by_length.setdefault(len(ids), []).append((len(by_length[len(ids)]),"},
           PEAKS),
    Mutant("batches lose their ends", LENS, {"[i : i + together]": "[i : i + max(together - 1, 1)]"}, PEAKS),
    Mutant("no scale of the norm", LENS, {"rows = rows * norm.weight.float()": "pass"}, [EFFECTS, NORMS]),
    Mutant("no mean taken off", LENS, {"rows = rows - rows.mean(-1, keepdim=True)": "pass"}, [EFFECTS, NORMS]),
    Mutant("every norm takes the mean off", LENS, {"if isinstance(norm, LayerNorm | nn.LayerNorm):": "if norm is not None:"}, NORMS),
    Mutant("keys read for values", LENS, {"rows = part.down.weight.T[neurons].float()": "rows = part.up.weight[neurons].float()"}, [EFFECTS, NORMS]),
    Mutant("ends swapped", LENS, {"raised.append(found.topk(k))": "raised.append(found.topk(k, largest=False))"}, ENDS),
    Mutant("neurons in steps left out", LENS, {"slice(start, start + step)": "slice(start, start + max(step - 1, 1))"}, ENDS),
    Mutant("layer −1 is the last", LENS, {"if not 0 <= number < len(found):": "if not number < len(found):"}, REFUSED),
    Mutant("gates allowed", LENS, {' or hasattr(layer, "gate")': ""}, REFUSED),
    Mutant("pages of another layer", EXPLORER, {"self.subject.pre_activations(ids[:most], layer)": "self.subject.pre_activations(ids[:most], 0)"}, TRAVELS),
    Mutant("measured once for all", EXPLORER, {"measured = self._measured[layer]": "measured = self._measured[min(self._measured)]"}, TRAVELS),
    Mutant("places as floats", EXPLORER, {'-1).astype("<i4")': '-1).astype("<f4")'}, TRAVELS),
    Mutant("ends in another order", EXPLORER, {"np.stack([found.raised, found.lowered], 1)": "np.stack([found.lowered, found.raised], 1)"}, TRAVELS),
    Mutant("names of the corpus alone", EXPLORER, {"wanted |= set(np.unique(ids).tolist())": "pass"}, TRAVELS),
    Mutant("everything travels", EXPLORER, {"max(MOST_NUMBERS // self.subject.width, 1)": "MOST_TOKENS"}, T + "test_at_first_less_than_two_megabytes_travel_for_a_layer_as_wide_as_gpt_2s"),
    Mutant("opens on neuron 0", EXPLORER, {"self.neuron = int(self.by_strength()[0])": "self.neuron = 0"}, OPENS),
    Mutant("opens on token 0", EXPLORER, {"self.token = int(self._pre[:, self.neuron].argmax())": "self.token = 0"}, OPENS),
    Mutant("the last is followed by none", EXPLORER, {"order[(order.index(self.neuron) + 1) % len(order)]": "order[min(order.index(self.neuron) + 1, len(order) - 1)]"}, OPENS),
    Mutant("always the layer's own bend", EXPLORER, {"return bent(self.activation, self._pre)": "return bent(self.own, self._pre)"}, T + "test_another_bend_changes_the_activations_and_nothing_before_it"),
    Mutant("texts before the bend", EXPLORER, {"bent(self.activation, peaks.z[self.neuron])": "peaks.z[self.neuron]"}, TEXTS),
    Mutant("lowered is raised", EXPLORER, {"return self._said(1)": "return self._said(0)"}, TEXTS),
    Mutant("errors passed on", EXPLORER, {"except Exception as error:": "except ZeroDivisionError as error:"}, FAILS, ["KeyError"]),
    Mutant("answered nobody", EXPLORER, {"self.answered, self.problem = asked, problem": "self.answered, self.problem = self.answered, problem"}, FAILS),
    Mutant("NaN is drawn", EXPLORER, {"if not np.isfinite(pre).all():": "if False:"}, T + "test_numbers_that_are_none_are_refused"),
    Mutant("refresh remembers", EXPLORER, {"        self._measured = {}\n        self.answered = []": "        self.answered = []"}, T + "test_a_model_that_was_trained_on_is_run_again"),
    Mutant("measured each time", EXPLORER, {"if layer not in self._measured:": "if True:"}, T + "test_a_layer_is_measured_once"),
    Mutant("one neuron too many", EXPLORER, {"if not 0 <= value < count:": "if not 0 <= value <= count:"}, BAD, ["Failed"]),
    Mutant("surrogates stay", EXPLORER, {'return clean(proposal["value"])': 'return proposal["value"]'}, BAD),
    Mutant("texts longer than the model reads", EXPLORER, {", self.subject.context_length or MOST_TOKENS)": ")"}, LONG, ["KeyError"]),
    Mutant("halves stay halves", SUBJECT, {'b"".join(half or name.encode() for': 'b"".join(name.encode() for'}, HALVES),
    Mutant("any widths", SUBJECT, {"if len(widths) > 1:": "if False:"}, T + "test_layers_of_different_width_are_refused", ["Failed"]),
    Mutant("short paragraphs first", SUBJECT, {"return [found[i] for i in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)]": "return found[:3]"}, T + "test_without_a_corpus_the_language_reference_is_read"),
    Mutant("figure of the first neuron", FIGURE, {"values, labels = explorer.activations[:, explorer.neuron], explorer.tokens()": "values, labels = explorer.activations[:, 0], explorer.tokens()"}, DRAWN),
    Mutant("figure of the own bend", FIGURE, {'bent(explorer.activation, line), color=LINE, gid="bend"': 'bent(explorer.own, line), color=LINE, gid="bend"'}, DRAWN),
    Mutant("figure without the chosen token", FIGURE, {"if at == explorer.place else {}": "if at == 0 else {}"}, DRAWN),
    Mutant("figure from the start", FIGURE, {"first = min(max(explorer.place - MOST_BARS // 2, 0), max(len(labels) - MOST_BARS, 0))": "first = 0"}, T + "test_the_figure_of_a_long_text_shows_what_is_around_the_token"),
]  # fmt: skip

SCRIPTS = [
    script("erf of z", "erf(z / Math.SQRT2)", "erf(z)", BENDS),
    script("erf stops early", "1e-17", "1e-3", BENDS),
    script("erf's terms not doubled", "(2 * x * x)", "(x * x)", BENDS),
    script("erf ends at 2", "Math.abs(x) > 6", "Math.abs(x) > 2", BENDS),
    script("another cube", "0.044715", "0.04715", BENDS),
    script("2π for 2/π", "Math.sqrt(2 / Math.PI) * (z", "Math.sqrt(2 * Math.PI) * (z", BENDS),
    script("sigmoid of 2z", "Math.tanh(z / 2)", "Math.tanh(z)", BENDS),
    script("a leak", "Math.max(z, 0)", "Math.max(z, z / 100)", BENDS),
    script("a row for a column", "table[row * width + place]", "table[place * width + row]", COLUMNS),
    script("smallest first", "largest[b] - largest[a]", "largest[a] - largest[b]", COLUMNS),
    script("later of equals", "|| a - b", "|| b - a", COLUMNS),
    script("by the last entry", "if (table[i] > largest[i % width])", "if (i >= 0)", COLUMNS),
    script("a window too short", "place + size + 1", "place + size", COLUMNS),
    script("a window beyond the text", "Math.max(place - size, start)", "Math.max(place - size, 0)", COLUMNS),
    script("marks too far apart", "[1, 2, 5, 10]", "[2, 5, 10]", COLUMNS),
    script("three bytes for four", "all[i] < 0xf0 ? 3 : 4", "all[i] < 0xf8 ? 3 : 4", HALVES),
    script("a byte passed over", "i += found === null ? 1 : size", "i += size", HALVES),
    script("names for halves", "halves ? halves.match", "!text ? halves.match", HALVES),
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
