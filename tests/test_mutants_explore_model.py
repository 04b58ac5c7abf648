"""The tests of the explorer of a whole model refuse wrong versions, of the page's JavaScript too."""

import shutil

import pytest

from tests.mutation import Mutant

BASE, ATTENTION = "course.explore.base", "course.explore.attention_explorer"
EXPLORER, READOUT, FIGURE = "course.explore.model_explorer", "course.explore.model_readout", "course.explore.model_figure"
BESIDE = "course.explore.model_beside"
M = "tests/test_explore_model.py::test_"
F = "tests/test_explore_model_figure.py::test_"
SORTED = "tests/test_explore_model_parts.py::test_tiles_are_sorted_within_their_part_and_each_part_begins_a_line"
BOTH = F + "the_second_head_stands_beside_in_the_order_of_the_large_one"
FEWER = F + "a_second_head_with_more_or_fewer_tokens_stays_in_text_order"
EACH = F + "each_side_follows_by_itself"
APART = F + "names_and_titles_of_two_heads_stay_apart"
NAMES = F + "names_stand_at_their_cells_and_no_more_than_there_is_room_for"
CUT = F + "the_png_is_what_is_drawn_cut_with_an_even_edge"
PAGE = M + "the_pages_arithmetic_is_numpys_with_a_scale_and_a_bias_of_the_layers_own"


def script(name, right, wrong):
    """A mistake in the JavaScript of the whole model's explorer: Python joins the files, so it is planted there."""
    joined = "return _join((*KIT_SCRIPTS, *names))"
    check = f"(lambda text: text if names[-1:] != ('model.js',) else text.replace({right!r}, {wrong!r}) if {right!r} in text else 1 / 0)"
    return Mutant(f"page: {name}", BASE, {joined: f"return {check}(_join((*KIT_SCRIPTS, *names)))"}, PAGE)


PYTHON = [
    Mutant("models are functions", ATTENTION, {"return isinstance(source, Runnable) or held or hasattr(source, \"get_input_embeddings\")": "return isinstance(source, Runnable) or held"},
           M + "what_is_no_model_or_does_not_fit_is_refused_in_one_sentence", ["Failed"]),
    Mutant("encoders are no models", ATTENTION, {"or held or": "or"}, M + "whatever_can_be_run_is_taken", ["ValueError"]),
    Mutant("half characters come back", ATTENTION, {'if "text" in sync_data:': "if False:"}, M + "three_hundred_odd_texts_are_read_out_or_refused_in_a_sentence", ["UnicodeEncodeError"]),
    Mutant("tiles average", READOUT, {"array = np.maximum.reduceat(array,": "array = np.add.reduceat(array * 0.5,"}, M + "tiles_are_the_models_weights_with_the_largest_of_each_block"),
    Mutant("tiles in one scale", READOUT, {"small.max((1, 2), keepdims=True)": "small.max()"}, M + "tiles_are_the_models_weights_with_the_largest_of_each_block"),
    Mutant("tiles show what is closed", READOUT, {"if recording.mask is not None:\n            cells": "if False:\n            cells"},
           [M + "tiles_are_the_models_weights_with_the_largest_of_each_block", M + "a_small_picture_has_a_pixel_a_cell"]),
    Mutant("blocks are one off", READOUT, {"-(-np.arange(TILE) * size // TILE)": "np.arange(TILE) * size // TILE"}, M + "tiles_are_the_models_weights_with_the_largest_of_each_block"),
    Mutant("all layers travel", EXPLORER, {"self.tensors += pack(recording.bias)": "self.tensors += pack(recording.bias, recording.bias)"},
           M + "only_the_layer_looked_at_travels_and_the_next_when_asked_for"),
    Mutant("another layer is not sent", EXPLORER, {"self._show(self.run.layers[self.layer])": "pass"}, M + "only_the_layer_looked_at_travels_and_the_next_when_asked_for"),
    Mutant("scale forgotten", EXPLORER, {"recording.scale if self.scale_on else 1.0": "recording.q.shape[-1] ** -0.5 if self.scale_on else 1.0"}, PAGE),
    Mutant("bias forgotten", EXPLORER, {"scores if recording.bias is None else scores + recording.bias": "scores"}, PAGE),
    Mutant("opens on a dull head", READOUT, {"if match.pattern not in DULL": "if match.pattern in DULL"}, M + "it_opens_on_the_clearest_match_that_not_every_text_shows_and_says_why"),
    Mutant("opens on a frame", READOUT, {"ordinary[:, frame[: len(shown)]] = -np.inf": "pass"}, M + "it_opens_on_a_weight_between_two_ordinary_words_where_there_is_one"),
    Mutant("before is after", EXPLORER, {"self.run, self.run_before, self._before_of = after, before, self._of(text)": "self.run, self.run_before, self._before_of = after, after, self._of(text)"},
           [M + "switched_off_heads_change_what_a_direct_computation_says", M + "without_a_vocabulary_it_says_how_far_each_vector_moved"]),
    Mutant("before is the last text's", EXPLORER, {"if self._before_of != self._of(text) else self.run_before": "if self._before_of is None else self.run_before"},
           M + "heads_stay_off_on_the_next_text_and_its_before_is_of_that_text", ["ValueError"]),
    Mutant("one head stays on", EXPLORER, {"first, off = self.run is None, frozenset(map(tuple, self.off))": "first, off = self.run is None, frozenset(map(tuple, self.off[:1]))"},
           M + "switched_off_heads_change_what_a_direct_computation_says"),
    Mutant("predictions of the first token", READOUT, {"top = [model.top(run, position, MOST_NEAR)": "top = [model.top(run, 0, MOST_NEAR)"}, M + "switched_off_heads_change_what_a_direct_computation_says"),
    Mutant("the cursor moves nothing", EXPLORER, {'self.observe(self._on_row, ["row"])': "pass"}, M + "switched_off_heads_change_what_a_direct_computation_says"),
    Mutant("point of the first token", READOUT, {"run.vectors.astype(np.float64).mean(0)": "run.vectors.astype(np.float64)[0]"}, M + "the_nearest_sentences_before_are_the_encoders_own"),
    Mutant("farthest sentences", READOUT, {"np.argsort(-cosines": "np.argsort(cosines"}, M + "the_nearest_sentences_before_are_the_encoders_own"),
    Mutant("a failed switch stays", EXPLORER, {"            self.off = [list(pair) for pair in self.off_shown]\n": ""}, M + "heads_that_cannot_be_switched_off_stay_on_and_it_says_so"),
    Mutant("a failed switch runs again", EXPLORER, {"tuple(map(tuple, self.off_shown)))  # nothing": "None)  # nothing"}, M + "heads_that_cannot_be_switched_off_stay_on_and_it_says_so"),
    Mutant("one request runs often", EXPLORER, {"if self._asked() != self._run_for:": "if True:"}, M + "a_request_of_the_page_is_one_run_and_its_answer_names_it"),
    Mutant("heads alone ask nothing", EXPLORER, {'self.observe(self._on_text, ["off", "target"])': "pass"}, M + "without_a_vocabulary_it_says_how_far_each_vector_moved", ["KeyError"]),
    Mutant("layers are not bent", EXPLORER, {'if self._ready() and "layer" in sync_data:': "if False:"}, M + "a_late_word_of_the_page_is_bent_to_what_there_is", ["TraitError"]),
    Mutant("drawn masks do nothing", EXPLORER, {'self.drawn if self.mask_mode == "draw"': 'self.drawn if self.mask_mode == "no"'}, M + "a_mask_drawn_by_hand_acts_on_the_picture_and_not_on_the_model"),
    Mutant("drawn masks outlive the words", EXPLORER, {"self.closed = []  # what": "pass  # what"}, M + "a_mask_drawn_by_hand_acts_on_the_picture_and_not_on_the_model"),
    Mutant("a layer's mask stays lifted", EXPLORER, {'self.mask_mode = "given"  # the last': "pass  # the last"}, M + "a_layer_with_a_mask_is_shown_under_it_whichever_was_seen_before"),
    Mutant("the pin follows", EXPLORER, {"beside(self.run, *self.pin, lambda": "beside(self.run, self.layer, self.head, lambda"}, M + "a_pinned_head_stays_while_another_is_chosen"),
    Mutant("the second text's head stays", EXPLORER, {'self.observe(self._tell_beside, ["layer", "head", "pin", "text2"])': 'self.observe(self._tell_beside, ["layer", "pin", "text2"])'},
           M + "the_same_head_on_a_second_text_with_the_same_heads_off"),
    Mutant("the second text runs each time", EXPLORER, {"if key not in self._besides:": "if True:"}, M + "the_same_head_on_a_second_text_with_the_same_heads_off"),
    Mutant("the other model reads the first text", EXPLORER, {"self._beside_run(self.compare, self._before_of[0], frozenset())": "self._beside_run(self.compare, 'i like apples', frozenset())"},
           M + "two_models_on_one_text"),
    Mutant("first head beside", BESIDE, {"pack(looking(recording)[head])": "pack(looking(recording)[0])"}, [M + "a_pinned_head_stays_while_another_is_chosen", M + "two_models_on_one_text"]),
    Mutant("mosaic mirrored", FIGURE, {"for place in places[layer, head])": "for place in places[layer, count - 1 - head])"},
           M + "the_mosaic_shows_each_tile_in_its_place_and_pales_what_is_off"),
    Mutant("what is off looks on", FIGURE, {"colours[..., 3] = OFF": "pass"}, M + "the_mosaic_shows_each_tile_in_its_place_and_pales_what_is_off"),
    Mutant("names one row down", FIGURE, {"_name(ax, -0.5 - off_x, i, _token(head.tokens[head.rows[i]])": "_name(ax, -0.5 - off_x, i + 1, _token(head.tokens[head.rows[i]])"}, NAMES),
    Mutant("names of queries under the columns", FIGURE, {"[_token(head.key_tokens[j]) for j in head.columns]": "[_token(head.tokens[j]) for j in head.columns[::-1]]"}, NAMES),
    Mutant("names run into each other", FIGURE, {"range(0, S, -(-S // MOST_NAMES))": "range(S)"}, NAMES),
    Mutant("a closed run one too long", FIGURE, {"ends - 0.5": "ends + 0.5"}, F + "one_patch_covers_the_cells_that_may_not_be_looked_at"),
    Mutant("numbers on closed cells", FIGURE, {"in np.argwhere(open_cells)": "in np.argwhere(weights >= 0)"}, F + "each_cell_of_a_small_head_bears_its_number_and_closed_ones_none"),
    Mutant("white on yellow", FIGURE, {"BRIGHT = 0.44": "BRIGHT = 0.6"}, F + "ink_is_the_one_that_reads_better_on_every_colour"),
    Mutant("colour bar upside down", FIGURE, {"np.linspace(1, 0, 256)": "np.linspace(0, 1, 256)"}, F + "the_colour_bar_names_what_its_colours_stand_for"),
    Mutant("colour bar in other numbers", FIGURE, {'f"{share * top:g}"': 'f"{share:g}"'}, F + "the_colour_bar_names_what_its_colours_stand_for", ["KeyError"]),
    Mutant("cut without an edge", FIGURE, {"pad = round(PAD * figures.DPI)": "pad = 0"}, CUT),
    Mutant("names reach out of the picture", FIGURE, {"MARGIN = 2.0": "MARGIN = 0.9"}, CUT),
    Mutant("colours of another map", FIGURE, {"weights = figures.MAGNITUDE(np.linspace(0, 1, 160))": "weights = figures.MAGNITUDE(np.linspace(0, 0.5, 160))"}, CUT),
    Mutant("tiles sorted over all parts", EXPLORER, {"np.lexsort((-above, part))": "np.lexsort((part, -above))"}, SORTED),
    Mutant("all layers in one part", EXPLORER, {'if layer < part["stop"]), 0)': "if layer < 0), 0)"}, SORTED),
    Mutant("parts share a line", FIGURE, {"line = 1 + max(": "line = max("}, SORTED),
    Mutant("the best of the first part", FIGURE, {"here = explorer.part_of(explorer.layer)": "here = 0"}, SORTED),
    Mutant("a part named at its last line", FIGURE, {"row = min(row for": "row = max(row for"}, SORTED),
    Mutant("the second head unsorted", BESIDE, {"places if len(places) == size else": "places if False else"}, [BOTH, EACH]),
    Mutant("the second head is told another text's places", BESIDE, {"places if len(places) == size else np.arange(size)": "places"}, [FEWER, EACH], ["IndexError"]),
    Mutant("rows and columns change places", BESIDE, {"zip(order, shape, strict=True)": "zip(order[::-1], shape, strict=True)"}, [BOTH, EACH]),
    Mutant("the second head's cells stay", FIGURE, {"seen = np.ix_(head.rows, head.columns)": "seen = np.ix_(*map(np.arange, weights.shape))"}, BOTH),
    Mutant("each head a scale of its own", FIGURE, {"_head(axes(left, MARGIN + tall - high, broad, high), head, top,":
                                                    "_head(axes(left, MARGIN + tall - high, broad, high), head, nice_top(head.weights.max()),"}, F + "two_heads_have_one_scale"),
    Mutant("the second head's mask is forgotten", EXPLORER, {'.reshape(shape) > 0 if self.beside["masked"] else None': "if False else None"}, BOTH, ["IndexError"]),
    Mutant("no room for the second head's names", FIGURE, {" + max(map(_inches, map(_token, heads[-1].tokens)))": ""}, APART),
    Mutant("no room for the large head's title", FIGURE, {"max(sizes[0][1], _inches(heads[0].title))": "sizes[0][1]"}, APART),
    Mutant("heads that are off go unsaid", EXPLORER, {'self.say("summary_off", names=self._names(self.off_shown)) if self.off_shown else ""': '""'}, M + "line_and_picture_say_the_same_for_the_same_state"),
]  # fmt: skip

SCRIPTS = [
    script("bias unread", "if (this.bias) for (let j = 0;", "if (false) for (let j = 0;"),
    script("first head's bias for all", "this.bias[head * this.T * this.S + cell]", "this.bias[cell]"),
    script("scale unread", "this.ownScale || 1 / Math.sqrt(this.D) : 1", "1 / Math.sqrt(this.D) : 1"),
    script("scores and baselines change places", "[0, 1].map((part) => numbers", "[1, 0].map((part) => numbers"),
    script("the best score, not the furthest above", "scores[h] - baselines[h] > scores[best] - baselines[best]", "scores[h] < scores[best]"),
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
