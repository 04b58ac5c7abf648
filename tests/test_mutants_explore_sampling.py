"""The tests of the sampling explorer refuse wrong versions, of the page's JavaScript too."""

import shutil

import pytest

from course.explore.base import STATIC
from tests.mutation import Mutant

BASE, EXPLORER, FIGURE = "course.explore.base", "course.explore.sampling_explorer", "course.explore.sampling_figure"
T = "tests/test_explore_sampling.py::"
SAME = T + "test_the_pages_probabilities_are_pythons_in_thousands_of_cases"
EQUALS = T + "test_equal_tokens_are_cut_where_python_cuts_them"
SUMS = T + "test_sums_are_numpys_to_the_last_bit"
RANKS = T + "test_ranks_of_a_large_vocabulary_and_of_both_zeros"
DRAWN = T + "test_the_page_draws_what_python_draws"
CUTS = T + "test_cuts_are_counted_and_the_mass_that_top_p_goes_by"
STOPS = T + "test_sliders_stop_at_the_ends_and_at_one"
SCALE = T + "test_bars_have_a_round_scale_that_holds_the_largest"
PROBS = T + "test_probabilities_are_those_of_the_models_last_logits"
SEED = T + "test_a_seed_gives_the_text_of_a_loop_with_a_generator_of_that_seed"
ONCE = T + "test_the_model_runs_once_for_each_text_and_not_for_a_control"
ANEW = T + "test_added_tokens_are_never_encoded_anew"
NAMES = T + "test_names_travel_for_the_bars_and_for_what_was_added"
LONG = T + "test_a_text_longer_than_the_model_reads_is_shortened_at_its_beginning"
EMPTY = T + "test_an_empty_prompt_starts_after_the_end_of_text_or_says_that_there_is_nothing"
FAILS = T + "test_where_the_model_fails_the_explorer_speaks_and_the_last_picture_stays"
MODE = T + "test_logits_of_one_text_without_a_batch_are_taken_and_training_goes_on_as_before"
THEIRS = T + "test_a_causal_model_of_transformers_and_its_tokenizer"
CALLED = T + "test_what_a_token_is_called"
REFUSED = T + "test_a_refused_state_changes_nothing"
LINE = T + "test_the_picture_without_a_kernel_and_the_line_are_true"
FIGURE_SHOWS = T + "test_the_figure_shows_the_numbers_and_hatches_what_is_cut"
READS = T + "test_a_probability_reads_as_the_page_writes_it"


def script(name, right, wrong, *tests, raises=()):
    """A mistake in the JavaScript: Python joins the files, so it is planted there."""
    count = (STATIC / "sampling_numbers.js").read_text(encoding="utf-8").count(right)
    assert count == 1, f"{name}: {right!r} occurs {count} times"
    joined = "return _join((*KIT_SCRIPTS, *names))"
    return Mutant(f"page: {name}", BASE, {joined: f"{joined}.replace({right!r}, {wrong!r})"}, tests, raises)


PYTHON = [
    Mutant("no cuts", EXPLORER, {"self.top_k, self.top_p)": "self.top_k)"}, [PROBS, FIGURE_SHOWS]),
    Mutant("cuts before the temperature", EXPLORER, {"return distribution(self._logits, self.temperature)": "return distribution(self._logits)"}, PROBS),
    Mutant("equals by larger id", EXPLORER, {"np.lexsort((np.where(before == 0, -self._logits, 0), -before))": "np.argsort(before)"}, [NAMES, FIGURE_SHOWS], ["ValueError"]),
    Mutant("all are kept", EXPLORER, {"return after_k, int(np.count_nonzero(self.probs))": "return after_k, after_k"}, [PROBS, FIGURE_SHOWS]),
    Mutant("every draw the first number", EXPLORER, {"generator.random(len(self.added))": "generator.random(0)"}, SEED),
    Mutant("one seed for all", EXPLORER, {"generator = np.random.default_rng(self.seed)": "generator = np.random.default_rng(0)"}, SEED),
    Mutant("another seed's numbers", EXPLORER, {"np.random.default_rng(self.seed).random(MOST_ADDED)": "np.random.default_rng(self.seed + 1).random(MOST_ADDED)"}, SEED),
    Mutant("numbers as float32", EXPLORER, {'.astype("<f8")': '.astype("<f4")'}, SEED, ["ValueError"]),
    Mutant("undo takes the first", EXPLORER, {"self.added = self.added[:-1]": "self.added = self.added[1:]"}, SEED),
    Mutant("added tokens encoded anew", EXPLORER, {"self.tokenizer.encode(self.prompt)": "self.tokenizer.encode(self.text)", "*read, *self.added]": "*read]"}, ANEW),
    Mutant("added tokens stay with a new prompt", EXPLORER, {"            self.added = []  # which": "            pass  # which"}, ONCE),
    Mutant("the model runs twice", EXPLORER, {"if asked == self.answered:": "if asked is self.answered:"}, ONCE),
    Mutant("names of all", EXPLORER, {"[:MOST_BARS].tolist()": ".tolist()"}, NAMES),
    Mutant("added ones without names", EXPLORER, {".tolist(), *added}": ".tolist()}"}, [NAMES, ANEW], ["KeyError"]),
    Mutant("reads the beginning", EXPLORER, {"ids[-self.context_length :]": "ids[: self.context_length]"}, LONG),
    Mutant("reads everything", EXPLORER, {"used = ids if self.context_length is None else": "used = ids if True else"}, [LONG, THEIRS], ["KeyError", "IndexError"]),
    Mutant("config not read", EXPLORER, {'config = getattr(model, "config", None)': "config = None"}, [LONG, THEIRS]),
    Mutant("no start", EXPLORER, {'special.get("<|endoftext|>")': 'special.get("<|start|>")'}, EMPTY, ["ValueError"]),
    Mutant("starts always", EXPLORER, {"start = self._start() if not read else None": "start = self._start()"}, [ANEW, EMPTY]),
    Mutant("nothing said of no text", EXPLORER, {"if not ids:": "if ids is None:"}, EMPTY),
    Mutant("NaN shown", EXPLORER, {"if np.isnan(logits).any() or logits": "if logits"}, FAILS, ["ValueError"]),
    Mutant("infinity shown", EXPLORER, {"logits.max(initial=-np.inf) == np.inf:": "False:"}, FAILS, ["ValueError"]),
    Mutant("nothing possible shown", EXPLORER, {"if logits.max(initial=-np.inf) == -np.inf:": "if False:"}, FAILS, ["ValueError"]),
    Mutant("one row taken", EXPLORER, {"rows.ndim != 2 or len(rows) != len(ids) or": "rows.ndim != 2 or"}, FAILS),
    Mutant("errors passed on", EXPLORER, {"except Exception as error:\n            problem": "except ZeroDivisionError as error:\n            problem"}, FAILS, ["AttributeError"]),
    Mutant("a failure is no answer", EXPLORER, {"= pack(logits), answer, asked, problem": "= pack(logits), answer, (self.answered if problem else asked), problem"}, FAILS),
    Mutant("draws from the text before", EXPLORER, {"if not self._ready():": "if False:"}, FAILS),
    Mutant("dropout stays on", EXPLORER, {"part.training = False": "pass"}, MODE),
    Mutant("never trains again", EXPLORER, {"part.training = True": "pass"}, MODE),
    Mutant("the first position", EXPLORER, {"return rows[-1].detach()": "return rows[0].detach()"}, [PROBS, MODE, THEIRS]),
    Mutant("logits of transformers refused", EXPLORER, {'found = getattr(found, "logits", found)': "found = found"}, THEIRS, ["ValueError"]),
    Mutant("bytes as they are", EXPLORER, {"256 + place - _PRINTED)": "byte)"}, THEIRS),
    Mutant("half characters forgiven", EXPLORER, {'token.decode(errors="surrogateescape")': 'token.decode(errors="replace")'}, [CALLED, ANEW, THEIRS]),
    Mutant("control characters unseen", EXPLORER, {r"[\x00-\x08": r"[\x00-\x01"}, CALLED),
    Mutant("parts are whole", EXPLORER, {'kind = "part" if': 'kind = "whole" if'}, [CALLED, ANEW]),
    Mutant("special tokens as bytes", EXPLORER, {'return (named, "special") if named is not None else': "return"}, CALLED),
    Mutant("any temperature", EXPLORER, {"0 <= value <= HOTTEST": "value == value"}, REFUSED, ["Failed"]),
    Mutant("any k", EXPLORER, {"1 <= value <= count,": "1 <= value,"}, REFUSED, ["Failed"]),
    Mutant("top-p 0", EXPLORER, {"0 < value <= 1,": "0 <= value <= 1,"}, REFUSED, ["Failed"]),
    Mutant("ids without end", EXPLORER, {"0 <= id < len(self._logits)": "0 <= id <= len(self._logits)"}, REFUSED, ["Failed"]),
    Mutant("the line knows no top-p", EXPLORER, {"if self.top_p < 1 else []": "if self.top_p > 1 else []"}, [LINE, FIGURE_SHOWS]),
    Mutant("choices as nats", EXPLORER, {'choices=f"{np.exp(nats):.3g}")  # fmt': 'choices=f"{nats:.3g}")  # fmt'}, LINE),
    Mutant("false certainty", EXPLORER, {"if p > 0.995:": "if p > 1:"}, READS),
    Mutant("nothing hatched", FIGURE, {'hatch="////" if cut else None': "hatch=None"}, FIGURE_SHOWS),
    Mutant("cuts drawn as kept", FIGURE, {"ax.barh(y, min(p, 1.1 * top)": "ax.barh(y, min(before, 1.1 * top)"}, FIGURE_SHOWS),
    Mutant("top-p for top-k", FIGURE, {'"cut_p" if rank < after_k else "cut_k"': '"cut_k" if rank < after_k else "cut_p"'}, FIGURE_SHOWS),
    Mutant("mass of all", FIGURE, {"before[:after_k] / before[:after_k].sum()": "before[:after_k]"}, FIGURE_SHOWS),
    Mutant("the others forgotten", FIGURE, {"        if others:\n            label": "        if others < 0:\n            label"}, FIGURE_SHOWS, ["KeyError"]),
]  # fmt: skip

SCRIPTS = [
    script("equals by larger id", "(0xffffffff - rising) * SHIFT + i", "(0xffffffff - rising) * SHIFT + size - i", RANKS, raises=["AssertionError"]),
    script("negative logits upside down", "bits[i] >>> 31 ? ~bits[i] >>> 0 : ", "bits[i] >>> 31 ? bits[i] : ", RANKS, SAME),
    script("two zeros", "logits[i] + 0;", "logits[i];", RANKS),
    script("ids overflow", "const SHIFT = 2 ** 20;", "const SHIFT = 2 ** 10;", RANKS),
    script("sums from left to right", "if (size < 8) {", "if (size < 1e9) {", SUMS, EQUALS),
    script("halves at odd places", "const half = size / 2 - ((size / 2) % 8);", "const half = Math.floor(size / 2);", SUMS),
    script("one half", "pairwiseSum(numbers, from, half) + pairwiseSum(numbers, from + half, size - half)", "2 * pairwiseSum(numbers, from, half)", SUMS),
    script("the rest forgotten", "for (let i = whole; i < size; i++) sum += numbers[from + i];", "", SUMS, SAME),
    script("bits", "nats -= p * Math.log(p)", "nats -= p * Math.log2(p)", SAME),
    script("equals not settled", "fixed.subarray(start, end).sort();", ";", SAME),
    script("temperature times", "(logits[id] - logits[first]) / temperature", "(logits[id] - logits[first]) * temperature", SAME),
    script("nothing subtracted", "(logits[id] - logits[first]) / temperature", "logits[id] / temperature", SAME),
    script("temperature 0 divides", "if (temperature === 0) tempered[first] = 1;\n  else {", "{", SAME),
    script("zero goes to token 0", "tempered[first] = 1;", "tempered[0] = 1;", SAME),
    script("top-k keeps one more", "for (let rank = keptK; rank < size; rank++) byId", "for (let rank = keptK + 1; rank < size; rank++) byId", SAME),
    script("top-p before renormalising", "    normalise(byId);\n  }\n  const upTo", "  }\n  const upTo", SAME, CUTS),
    script("the one that crosses is cut", "kept = rank + 1;", "kept = rank || 1;", SAME, EQUALS),
    script("mass must exceed p", "sum >= topP", "sum > topP", EQUALS),
    script("not renormalised", "    for (let rank = kept; rank < keptK; rank++) byId[order[rank]] = 0;\n    normalise(byId);", "    for (let rank = kept; rank < keptK; rank++) byId[order[rank]] = 0;", SAME),
    script("entropy of what was", "entropy: entropyNats(byId)", "entropy: entropyNats(tempered)", SAME),
    script("mass of top-k", "sumOf(before, kept) : 1", "sumOf(before, keptK) : 1", CUTS),
    script("draws the one before", "if (sum / total > u) return id;", "if (sum / total >= u) return id;", DRAWN),
    script("draws by rank", "drawn(byId, u) {", "drawn(byId, u) { byId = byId.slice().sort().reverse();", DRAWN),
    script("scale too small", "if (next < largest) return scale;", "if (next < largest) return next;", SCALE),
    script("no stop at one", "0.04 * 125 ** (i / 150)", "0.05 * 100 ** (i / 150)", STOPS),
    script("no zero", "const TEMPERATURES = [0, ...", "const TEMPERATURES = [0.01, ...", STOPS),
    script("steps of one", "Math.max(1, Math.round(k / 10))", "1", STOPS),
    script("the stop below", "Math.abs(stop - x) < Math.abs(stops[best] - x)", "stop <= x", STOPS),
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
