"""The tests of the positions explorer refuse wrong versions, of the page's JavaScript too."""

import shutil

import pytest

from tests.mutation import Mutant

BASE, EXPLORER, FIGURE = "course.explore.base", "course.explore.positions_explorer", "course.explore.positions_figure"
T = "tests/test_explore_positions.py::"
PAGE, HANDS, TEXTS = T + "test_the_pages_numbers_are_pythons", T + "test_hands_turn_as_the_frequency_says", T + "test_numbers_read_alike_on_page_and_in_python"
STATE, REFUSED = T + "test_late_words_of_the_page_are_bent_to_what_there_is", T + "test_what_does_not_fit_is_said_in_one_sentence"
BROKEN = T + "test_a_broken_function_speaks_in_one_sentence_and_the_last_picture_stays"
RIGHT, DIFFERS = T + "test_a_right_function_agrees_and_is_asked_for_each_size_once", T + "test_a_difference_is_named_with_its_place"
DRAWN, SAID = T + "test_the_figure_draws_the_present_state", T + "test_the_sentences_are_true_of_what_is_computed"


def script(name, right, wrong, *tests, raises=()):
    """A mistake in the JavaScript: Python joins the files, so it is planted there."""
    joined = "return _join((*KIT_SCRIPTS, *names))"
    check = f"(lambda text: text.replace({right!r}, {wrong!r}) if {right!r} in text or 'positions.js' not in names else 1 / 0)"
    return Mutant(f"page: {name}", BASE, {joined: f"return {check}(_join((*KIT_SCRIPTS, *names)))"}, tests, raises)


PYTHON = [
    Mutant("base forgotten", EXPLORER, {"return sinusoidal(self.T, self.d_model, self.base)": "return sinusoidal(self.T, self.d_model)"}, T + "test_the_matrix_is_the_formula"),
    Mutant("rotary forgets the base", EXPLORER, {"np.arange(self.T), self.base)": "np.arange(self.T))"}, T + "test_the_matrix_is_the_formula"),
    Mutant("rotary begins at 1", EXPLORER, {"np.arange(self.T), self.base": "np.arange(1, self.T + 1), self.base"}, T + "test_the_matrix_is_the_formula"),
    Mutant("rotary turns another vector", EXPLORER, {"np.tile([1.0, 0.0], self.d_model // 2)": "np.tile([0.0, 1.0], self.d_model // 2)"}, T + "test_the_matrix_is_the_formula"),
    Mutant("odd column kept", EXPLORER, {": min(columns - columns % 2, MOST_WIDTH)]\n": ": min(columns, MOST_WIDTH)]\n"}, T + "test_a_table_is_shown_as_far_as_pairs_go"),
    Mutant("long tables whole", EXPLORER, {"self.table[:MOST_T, :": "self.table[:, :"}, T + "test_a_table_is_shown_as_far_as_pairs_go", ["ValueError"]),
    Mutant("fresh table too large", EXPLORER, {"random.normal(0.0, FRESH_STD,": "random.normal(0.0, 1.0,"}, T + "test_a_fresh_table_is_random_and_the_same_each_time"),
    Mutant("the table itself handed out", EXPLORER, {"self.table[: self.T, : self.d_model].copy()": "self.table[: self.T, : self.d_model]"}, T + "test_values_are_the_readers_own"),
    Mutant("their array kept", EXPLORER, {"own = _numbers(answer)": "own = np.asarray(answer, dtype=np.float64)"}, T + "test_values_are_the_readers_own"),
    Mutant("similarity with position 0", EXPLORER, {"return right @ left[reference]": "return right @ left[0]"}, T + "test_similarity_is_the_dot_product_with_the_reference"),
    Mutant("query and key swapped", EXPLORER, {"for vector in (self.q, self.k))": "for vector in (self.k, self.q))"}, T + "test_only_the_offset_counts_but_in_a_random_table"),
    Mutant("q with itself", EXPLORER, {"for vector in (self.q, self.k))": "for vector in (self.q, self.q))"}, T + "test_only_the_offset_counts_but_in_a_random_table"),

    Mutant("odd widths", EXPLORER, {"if value % 2 or not 2": "if not 2"}, REFUSED, ["Failed"]),
    Mutant("table's sizes unchecked", EXPLORER, {"return tuple(self.most.get(kind, (MOST_T, MOST_WIDTH)))": "return (MOST_T, MOST_WIDTH)"}, [REFUSED, STATE], ["Failed", "ValueError"]),
    Mutant("NaN in the table", EXPLORER, {"if not np.isfinite(array).all():": "if False:"}, REFUSED, ["Failed"]),
    Mutant("any base", EXPLORER, {"if not low <= proposal[\"value\"] <= high:": "if proposal[\"value\"] < low:"}, REFUSED, ["Failed"]),
    Mutant("position may be T", EXPLORER, {"if not low <= value <= high:\n            raise ValueError(WORDS[\"bad_whole\"]": "if not low <= value <= high + 1:\n            raise ValueError(WORDS[\"bad_whole\"]"},
           T + "test_a_refused_state_changes_nothing", ["Failed"]),
    Mutant("pair forgets which of the two", EXPLORER, {"2 * int(value) + self.feature % 2": "2 * int(value)"}, T + "test_pair_and_feature_are_one_cursor"),
    Mutant("pair counts features", EXPLORER, {"return self.feature // 2": "return self.feature"}, T + "test_pair_and_feature_are_one_cursor"),
    Mutant("reference left behind", EXPLORER, {", min(self.reference, self.T - 1)\n": ", self.reference\n"}, T + "test_smaller_sizes_bring_the_cursor_along", ["ValueError"]),
    Mutant("feature left behind", EXPLORER, {"self.feature = min(self.feature, self.d_model - 1)": "pass"}, T + "test_smaller_sizes_bring_the_cursor_along"),
    Mutant("width of the old kind", EXPLORER, {"self.T, self.d_model = min(self.T, most_T), min(self.d_model, most_width)": "self.T = min(self.T, most_T)"},
           T + "test_smaller_sizes_bring_the_cursor_along"),
    Mutant("late words raise", EXPLORER, {"super().set_state(state)": "super().set_state(sync_data)"}, STATE, ["ValueError"]),
    Mutant("late words of the kind before", EXPLORER, {"self._limits(state.get(\"kind\", self.kind))": "self._limits(self.kind)"}, STATE, ["ValueError"]),

    Mutant("asked again for nothing", EXPLORER, {"if [self.T, self.d_model] != self.answered:": "if True:"}, RIGHT),
    Mutant("never asked again", EXPLORER, {"if [self.T, self.d_model] != self.answered:": "if False:"}, [RIGHT, BROKEN]),
    Mutant("theirs as rotary too", EXPLORER, {'if self.kind == "rotary":\n            return self._turned': 'if self.kind == "rotary" and not self.uses:\n            return self._turned'}, RIGHT),
    Mutant("sizes change places", EXPLORER, {"expected = (self.T, self.d_model)": "expected = (self.d_model, self.T)"}, RIGHT, ["ValueError"]),
    Mutant("always agrees", EXPLORER, {"if gap.max() <= SAME:": "if True:"}, DIFFERS),
    Mutant("place of the smallest gap", EXPLORER, {"np.unravel_index(gap.argmax()": "np.unravel_index(gap.argmin()"}, DIFFERS),
    Mutant("yours and ours swapped", EXPLORER, {"theirs=short(own[p, j]), ours=short(ours[p, j])": "theirs=short(ours[p, j]), ours=short(own[p, j])"}, DIFFERS),
    Mutant("shape unchecked", EXPLORER, {"if own.shape != expected:": "if False:"}, BROKEN, ["ValueError"]),
    Mutant("NaN drawn", EXPLORER, {"wrong = np.argwhere(~np.isfinite(own))": "wrong = []"}, BROKEN),
    Mutant("exception passed on", EXPLORER, {"self.problem = str(error) if": "raise\n                self.problem = str(error) if"}, BROKEN, ["ZeroDivisionError"]),
    Mutant("problem stays for ever", EXPLORER, {'                self.problem = ""\n': ""}, BROKEN),
    Mutant("last picture thrown away", EXPLORER, {"            try:\n                self._theirs = self._ask": "            self._theirs = None\n            try:\n                self._theirs = self._ask"}, BROKEN, ["ValueError"]),
    Mutant("no picture, no bundle", EXPLORER, {"if self.own_numbers and self._theirs is None else draw(self)": "if False else draw(self)"}, BROKEN, ["ValueError"]),

    Mutant("frequency of the feature, not the pair", EXPLORER, {"self.base ** (-2 * (j // 2) / values": "self.base ** (-j / values"}, SAID),
    Mutant("sine and cosine swapped", EXPLORER, {"sine = (j % 2 == 0) == (": "sine = (j % 2 == 1) == ("}, SAID),
    Mutant("wavelength without 2π", EXPLORER, {"short(2 * math.pi / frequency)": "short(1 / frequency)"}, SAID),
    Mutant("their pair turns by itself", EXPLORER, {'"turn_theirs" if self.own_numbers else "turn"': '"turn"'}, DIFFERS),
    Mutant("figure without the reference", FIGURE, {"ax.axvline(reference,": "ax.axvline(0,"}, DRAWN),
    Mutant("figure's hands mirrored", FIGURE, {'return both[:, ::-1] if kind == "sinusoidal" else both': "return both"}, [DRAWN, HANDS]),
    Mutant("figure's colours uneven", FIGURE, {"vmin=-limit": "vmin=values.min()"}, DRAWN),
    Mutant("figure's cursor transposed", FIGURE, {'ax.plot(feature, position, "s", ms=7, mfc="none", mec="black", mew=3)': 'ax.plot(position, feature, "s")'}, DRAWN),
]  # fmt: skip

SCRIPTS = [
    script("half the frequency", "base ** ((-2 * i) / d_model)", "base ** ((-i) / d_model)", PAGE),
    script("cosines first", "out[p * d_model + 2 * i] = Math.sin(p * frequency);\n      out[p * d_model + 2 * i + 1] = Math.cos",
           "out[p * d_model + 2 * i] = Math.cos(p * frequency);\n      out[p * d_model + 2 * i + 1] = Math.sin", PAGE, HANDS),
    script("turns backwards", "x * c - y * s;\n      out[p * d_model + 2 * i + 1] = x * s + y * c", "x * c + y * s;\n      out[p * d_model + 2 * i + 1] = y * c - x * s", PAGE, HANDS),
    script("halves instead of neighbours", "const [x, y] = [vector[2 * i], vector[2 * i + 1]];", "const [x, y] = [vector[i], vector[i + d_model / 2]];", PAGE),
    script("rows of the wrong length", "table.subarray(p * columns, p * columns + d_model)", "table.subarray(p * d_model, p * d_model + d_model)", PAGE),
    script("similarity with position 0", "dot(left, right, reference * width, p * width, width)", "dot(left, right, 0, p * width, width)", PAGE),
    script("key at the reference", "dot(left, right, reference * width, p * width, width)", "dot(left, right, p * width, reference * width, width)", PAGE),
    script("spread of the nearest only", "for (let r = 0; r < T; r++) {\n    for (let p", "for (let r = 0; r < 1; r++) {\n    for (let p", PAGE),
    script("mirrored where it is not", "const mirrored = left === right;", "const mirrored = true;", PAGE, raises=["TypeError"]),
    script("one side only", "if (mirrored) note(r - p + T - 1, product);", "", PAGE, raises=["TypeError"]),
    script("largest with its sign", "if (Math.abs(product) > largest) largest = Math.abs(product);", "if (product > largest) largest = product;", PAGE),
    script("always even", "offset: worst - (T - 1)", "offset: worst", PAGE, raises=["IndexError"]),
    script("colours end at 1", "|| 1;\n    return { values, T, width: d_model, frequencies: null, limit,", "|| 1;\n    return { values, T, width: d_model, frequencies: null, limit: 1,", PAGE),
    script("query twice", "const [left, right] = [sources.q, sources.k].map", "const [left, right] = [sources.q, sources.q].map", PAGE),
    script("theirs ignored", "sources.theirs || {", "{", T + "test_the_learners_numbers_are_drawn_as_they_are"),
    script("theirs beyond the colours", "Math.max(most, Math.abs(value)), 1) : 1", "1, 1) : 1", T + "test_the_learners_numbers_are_drawn_as_they_are"),
    script("hands mirrored", 'return kind === "sinusoidal" ? [second, first] : [first, second];', "return [first, second];", HANDS),
    script("angle the other way", "Math.atan2(x1 * y2 - y1 * x2,", "Math.atan2(y1 * x2 - x1 * y2,", HANDS),
    script("an angle for no hand", "(x1 || y1) && (x2 || y2) ?", "true ?", HANDS),
    script("zeros at the end", "String(Number(x.toPrecision(3)))", "String(x.toPrecision(3))", TEXTS),
    script("minus zero", 'Number(text) === 0 ? text.replace("-", "")', "false ? text", TEXTS),
    script("clicks find the neighbour", "Math.round(((x - PLOT.left)", "Math.floor(((x - PLOT.left)", TEXTS),
    script("ticks off the axis", "Math.ceil(low / step - 1e-9)", "Math.floor(low / step - 1e-9)", TEXTS),
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
