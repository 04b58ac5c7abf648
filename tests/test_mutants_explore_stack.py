"""The tests of the stack explorer, and of the residual stream, refuse wrong versions, of the page's JavaScript too."""

import shutil

import pytest

from course.explore.base import STATIC
from tests.mutation import Mutant

BASE, EXPLORER, FIGURE, LENS = "course.explore.base", "course.explore.stack_explorer", "course.explore.stack_figure", "course.lens.stream"
L, T = "tests/test_lens_stream.py::", "tests/test_explore_stack.py::"
SUM = L + "test_the_parts_sum_to_the_end_and_to_every_place_before_it"
HAND = L + "test_every_place_is_the_one_by_hand"
OTHERS = L + "test_blocks_of_other_kinds_are_followed_by_hand"
OFF = L + "test_a_part_that_is_off_adds_nothing_and_those_behind_it_compute_anew"
LEFT = L + "test_the_model_is_left_as_it_was"
PAGE = T + "test_the_pages_ladder_is_pythons"
READINGS = T + "test_the_pages_readings_and_switches"
NUMBERS = T + "test_the_numbers_are_those_of_the_stream"
READ = T + "test_what_is_read_at_each_place"
FOLLOWED = T + "test_a_token_that_is_named_is_followed"
SWITCHED = T + "test_parts_switched_off_change_what_follows_and_the_whole_model_is_still_said"
EQUAL = T + "test_of_equal_tokens_the_smaller_is_first_and_its_rank_says_so"
NO_SUM = T + "test_blocks_whose_stream_is_no_sum_have_no_shares"
AGAIN = T + "test_numbers_that_are_none_are_refused_and_a_changed_model_is_run_again"
LONG = T + "test_a_long_text_is_read_in_part"
BAD = T + "test_settings_out_of_range_are_refused"
DRAWN = T + "test_the_figure_is_true_to_the_state"


def script(name, right, wrong, *tests):
    """A mistake in the JavaScript: Python joins the files, so it is planted there."""
    count = (STATIC / "stack_numbers.js").read_text(encoding="utf-8").count(right)
    assert count == 1, f"{name}: {right!r} occurs {count} times"
    joined = "return _join((*KIT_SCRIPTS, *names))"
    return Mutant(f"page: {name}", BASE, {joined: f"{joined}.replace({right!r}, {wrong!r})"}, tests)


PYTHON = [
    Mutant("positions as the sum", LENS, {'kept["positions"], kept["x after positions"] = output - args[0], output': 'kept["positions"], kept["x after positions"] = output, output'}, [SUM, HAND]),
    Mutant("the block's start for its middle", LENS, {"args[0] + kept[attention]": "args[0]"}, [SUM, HAND]),
    Mutant("read without the norm", LENS, {"model.norm(torch.as_tensor(x, dtype=weight.dtype, device=weight.device))": "torch.as_tensor(x, dtype=weight.dtype, device=weight.device)"}, [SUM, HAND]),
    Mutant("share by length", LENS, {"/ (end * end).sum(-1)": "/ np.sqrt((end * end).sum(-1))"}, [SUM, HAND]),
    Mutant("cosine to the end", LENS, {"before = np.concatenate([np.zeros_like(x[:1]), x[:-1]])": "before = np.broadcast_to(x[-1], x.shape)"}, HAND),
    Mutant("post-norm before its norm", LENS, {"listen(block.norm_1, between)": "listen(block.norm_1, lambda module, args, output: kept.update({f'x after {attention}': args[0]}))"}, OTHERS),
    Mutant("off is recorded only", LENS, {"            return kept[name]\n": "            return None\n"}, OFF),
    Mutant("the embedding stays on", LENS, {"output = torch.zeros_like(output) if off else output": "pass"}, OFF),
    Mutant("positions stay on", LENS, {"output = args[0] if off else output": "pass"}, OFF),
    Mutant("the hooks stay", LENS, {"            handle.remove()": "            pass"}, LEFT),
    Mutant("share of the wrong end", EXPLORER, {'self._row("with_end") / self.lengths[len(self.parts) - 1] ** 2': 'self._row("with_end") / self.lengths[-1] ** 2'}, NUMBERS),
    Mutant("share where there is none", EXPLORER, {'return found if self.stream_kind == "sum" else np.full_like(found, np.nan)': "return found"}, NO_SUM),
    Mutant("weakest first", EXPLORER, {"np.argsort(-row[ids]": "np.argsort(row[ids]"}, READ),
    Mutant("equals by chance", EXPLORER, {"np.flatnonzero(row >= limit)": "np.flatnonzero(row >= limit)[::-1]"}, EQUAL),
    Mutant("rank from 0", EXPLORER, {"rank.append(1 + (here > own)": "rank.append((here > own)"}, READ),
    Mutant("rank passes equals over", EXPLORER, {"(np.arange(here.shape[1]) < followed[:, None])": "(np.arange(here.shape[1]) < 0)"}, EQUAL),
    Mutant("follows the last token", EXPLORER, {"np.full(len(ids), following[0])": "np.full(len(ids), following[-1])"}, FOLLOWED),
    Mutant("before is after", EXPLORER, {"found.logits if not off else None": "found.logits"}, SWITCHED),
    Mutant("an old text's answer", EXPLORER, {"self._whole[tuple(ids)]": "next(iter(self._whole.values()))", "tuple(ids) in self._whole": "self._whole"}, SWITCHED, ["IndexError"]),
    Mutant("the norm is forgotten", EXPLORER, {"if place < len(self.parts) else found.logits": "if place < len(self.parts) else stream.read(self.model, found.normed)"}, READ),
    Mutant("refresh asks nothing", EXPLORER, {"        self.answered = []\n": ""}, AGAIN),
    Mutant("a long text from its end", EXPLORER, {"coded[: min(limit, MOST_TOKENS)]": "coded[-min(limit, MOST_TOKENS) :]"}, LONG),
    Mutant("a small token is kept", EXPLORER, {'return max(proposal["value"], 0)': 'return proposal["value"]'}, BAD),
    Mutant("added drawn for length", FIGURE, {"np.nan_to_num([rung.added for rung in rungs])": "[rung.length for rung in rungs]"}, DRAWN),
    Mutant("shares without their sign", FIGURE, {"np.nan_to_num([rung.share for rung in rungs])": "np.abs(np.nan_to_num([rung.share for rung in rungs]))"}, DRAWN),
]  # fmt: skip
SCRIPTS = [
    script("token and place swapped", "(row * places + place) * tokens + at", "(row * tokens + at) * places + place", PAGE),
    script("the end of the norm", "read(0, parts - 1)", "read(0, places - 1)", PAGE),
    script("share by length", "withEnd / (end * end)", "withEnd / end", PAGE),
    script("shares of every kind", "isSum && place < parts", "place < parts", PAGE),
    script("cosine to itself", "read(0, place - 1)", "read(0, place)", PAGE),
    script("rank and chance swapped", "withBefore, p, rank] =", "withBefore, rank, p] =", PAGE),
    script("readings of another token", "(place * tokens + at) * kept", "(place * tokens + at - 1) * kept", READINGS),
    script("more than there are", "Math.min(count, kept)", "count", READINGS),
    script("on is off", "!isOn : off", "isOn : off", READINGS),
]


@pytest.mark.timeout(900)  # the first one runs the whole table
@pytest.mark.parametrize("mutant", PYTHON, ids=str)
def test_wrong_python_is_caught(mutant):
    mutant.assert_caught(among=PYTHON)


@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("mutant", SCRIPTS, ids=str)
def test_wrong_javascript_is_caught(mutant):
    mutant.assert_caught(among=SCRIPTS)
