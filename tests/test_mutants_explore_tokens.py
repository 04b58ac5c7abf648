"""The tests of the tokens explorer refuse wrong versions, of the page's JavaScript too."""

import shutil

import pytest

from course.explore.base import STATIC
from tests.mutation import Mutant

BASE, EXPLORER, FIGURE = "course.explore.base", "course.explore.tokens_explorer", "course.explore.tokens_figure"
T = "tests/test_explore_tokens.py::"
IDS = T + "test_the_pages_ids_are_pythons_for_odd_texts_and_every_number_of_merges"
LONG = T + "test_a_hundred_thousand_characters_and_one_piece_without_an_end"
STEPS = T + "test_steps_end_in_the_tokens_and_each_is_one_merge"
SPELL = T + "test_bytes_of_a_token_and_its_halves"
LOOK = T + "test_what_a_token_looks_like"
SPECIAL = T + "test_special_tokens_follow_the_merges_that_are_used"
FIRST = T + "test_ids_are_those_of_the_first_merges_and_the_tokens_bytes_are_the_texts"
THEIRS = T + "test_a_transformers_tokenizer_tells_names_and_offsets"
DRAWN = T + "test_the_figure_shows_every_token_with_its_id_and_no_box_touches_another"


def script(name, right, wrong, *tests, raises=()):
    """A mistake in the JavaScript: Python joins the files, so it is planted there."""
    count = sum((STATIC / file).read_text(encoding="utf-8").count(right) for file in ("tokens_bpe.js", "tokens_panel.js"))
    assert count == 1, f"{name}: {right!r} occurs {count} times"
    joined = "return _join((*KIT_SCRIPTS, *names))"
    return Mutant(f"page: {name}", BASE, {joined: f"{joined}.replace({right!r}, {wrong!r})"}, tests, raises)


PYTHON = [
    Mutant("letters of ASCII", EXPLORER, {r'r"\p{L}", r"\p{N}")}': r'r"\p{L}", r"\p{N}")} | {r"\p{L}": "A-Za-z"}'}, [IDS, T + "test_letters_numbers_and_white_space_are_those_of_pythons_library"]),
    Mutant("a class in a class", EXPLORER, {"lambda inner: ranges[inner[0]], match[0])": 'lambda inner: f"[{ranges[inner[0]]}]", match[0])'}, IDS),
    Mutant("merges as floats", EXPLORER, {'dtype="<u4"': 'dtype="<f4"'}, [IDS, SPELL], ["RangeError", "AssertionError"]),
    Mutant("specials as given", EXPLORER, {"sorted(by_id, key=len, reverse=True)": "sorted(by_id, key=len)"}, IDS),
    Mutant("specials numbered by length", EXPLORER, {"[[text, by_id.index(text)] for text in": "[[text, len(text)] for text in"}, IDS),
    Mutant("always all merges", EXPLORER, {"return self._shortened[place][1]": "return tokenizer"}, [FIRST, SPECIAL]),
    Mutant("the first n stays", EXPLORER, {"if self._shortened.get(place, (None, None))[0] != n:": "if place not in self._shortened:"}, [FIRST, SPECIAL]),
    Mutant("one n for both", EXPLORER, {"(self.n_merges, self.n_merges_other)[place]": "self.n_merges"}, FIRST, ["ValueError"]),
    Mutant("the other is the first", EXPLORER, {"return self._ids(1) if": "return self._ids(0) if"}, FIRST),
    Mutant("bytes counted as characters", EXPLORER, {"len(self.text.encode())": "len(self.text)"}, T + "test_counts_and_their_ratios"),
    Mutant("ratio upside down", EXPLORER, {"tokens / characters if characters": "characters / tokens if characters"}, T + "test_counts_and_their_ratios"),
    Mutant("nothing to divide by", EXPLORER, {"size / tokens if tokens else None": "size / tokens"}, T + "test_counts_and_their_ratios", ["ZeroDivisionError"]),
    Mutant("opens on the first", EXPLORER, {"int(np.argmax(lengths))": "int(np.argmin(lengths))"}, T + "test_it_opens_on_the_token_with_the_most_bytes"),
    Mutant("half characters as text", EXPLORER, {'.replace(" ", "·"), "part")': '.replace(" ", "·"), "whole")'}, [T + "test_tokens_of_a_part_of_a_character_are_named_by_their_bytes", FIRST]),
    Mutant("lower case bytes", EXPLORER, {'spelled.hex(" ").upper()': 'spelled.hex(" ")'}, T + "test_tokens_of_a_part_of_a_character_are_named_by_their_bytes"),
    Mutant("special tokens as bytes", EXPLORER, {"if id in special:": "if id in ():"}, SPECIAL),
    Mutant("too many merges", EXPLORER, {"not 0 <= value <= count": "not 0 <= value"}, T + "test_a_refused_state_changes_nothing", ["Failed"]),
    Mutant("surrogates stay", EXPLORER, {'return clean(proposal["value"])': 'return proposal["value"]'}, T + "test_a_refused_state_changes_nothing"),
    Mutant("classes are tokenizers", EXPLORER, {"isinstance(one, type) or not": "not"}, T + "test_what_is_no_tokenizer_is_refused_in_one_sentence", ["TypeError", "Failed", "AttributeError"]),
    Mutant("errors passed on", EXPLORER, {"except Exception as error:": "except ZeroDivisionError as error:"}, T + "test_where_it_fails_the_explorer_speaks_and_the_last_tokens_stay", ["KeyError"]),
    Mutant("problem stays", EXPLORER, {"self.answers, self.answered, self.problem = answers, text, problem": "self.answers, self.answered, self.problem = answers, text, problem or self.problem"},
           T + "test_where_it_fails_the_explorer_speaks_and_the_last_tokens_stay"),
    Mutant("answers nobody", EXPLORER, {"self.answered, self.problem = answers, text, problem": "self.answered, self.problem = answers, '', problem"},
           [T + "test_any_encode_and_decode_will_do", T + "test_where_it_fails_the_explorer_speaks_and_the_last_tokens_stay"]),
    Mutant("everything travels", EXPLORER, {"found[:MOST_TOKENS]]": "found]"}, T + "test_long_texts_travel_in_part_and_are_counted_whole"),
    Mutant("the part is counted", EXPLORER, {'"count": len(found)': '"count": len(rows)'}, T + "test_long_texts_travel_in_part_and_are_counted_whole"),
    Mutant("nothing is shared", EXPLORER, {'"shared" if shared else "whole"': '"whole"'}, THEIRS),
    Mutant("nothing is added", EXPLORER, {'"added" if start == end else ': ""}, THEIRS),
    Mutant("names for texts", EXPLORER, {"Token(id, text[start:end], name, kind)": "Token(id, name, name, kind)"}, THEIRS),
    Mutant("the library's names unknown", EXPLORER, {"return list(coded.tokens)": "return [str(id) for id in ids]"}, T + "test_the_tokenizers_library_and_slow_tokenizers"),
    Mutant("one colour", FIGURE, {"COLOURS[number % len(COLOURS)]": "COLOURS[0]"}, DRAWN),
    Mutant("boxes overlap", FIGURE, {"x += width + 0.05": "x += width / 2"}, DRAWN),
    Mutant("lines never end", FIGURE, {"if x + width > WIDTH - 0.1:": "if not lines:"}, DRAWN),
    Mutant("silent about the rest", FIGURE, {"if left_out > 0 else": "if left_out > 10**9 else"}, T + "test_the_figure_of_a_long_text_says_what_it_leaves_out"),
]  # fmt: skip

SCRIPTS = [
    script("one merge more", "rank < n ?", "rank <= n ?", IDS, STEPS),
    script("right to left", "const at = top % size;", "const at = size - 1 - top % size;", IDS),
    script("dead pairs merged", "if (gone[at] || rankAt(at) !== rank) continue;", "if (gone[at] || next[at] >= size) continue;",
           T + "test_a_pair_whose_right_half_was_merged_away_is_no_pair_any_more"),
    script("the gone merge again", "if (gone[at] || rankAt", "if (rankAt", LONG),
    script("neighbour before forgotten", "if (before[at] >= 0) consider(before[at]);", "", IDS),
    script("neighbour after forgotten", "      consider(at);\n      if (before", "      if (before", IDS),
    script("back links stay", "if (next[at] < size) before[next[at]] = at;", "", IDS),
    script("bytes unordered", "this.idOfByte[byte] = id;", "this.idOfByte[byte] = byte;", IDS, STEPS),
    script("halves swapped", "both.set(left);", "both.set(right);", SPELL),
    script("special ids of all merges", "special: 256 + n +", "special: 256 + this.count +", IDS),
    script("special tokens are patterns", '"\\\\$&")', '"$&")', IDS, raises=["SyntaxError"]),
    script("special tokens swallowed", "${spelled.join(\"|\")})`", "${spelled.join(\"|\")})`.slice(1, -1)", IDS),
    script("remembers for any n", "if (this.remembered.n !== n || ", "if (this.remembered.n === -1 || ", IDS),
    script("surrogates stay", 'text.replace(/\\p{Cs}/gu, "\\ufffd")', 'text.replace(/\\p{Cs}/gu, "?")', T + "test_lone_surrogates_become_what_clean_makes_of_them"),
    script("one place a step", "fresh.push(row.length);", "fresh.push(0);", STEPS),
    script("overlaps merged", "          i++;\n", "", STEPS, raises=["AssertionError"]),
    script("forgiving decoder", "fatal: true, ", "fatal: false, ", LOOK),
    script("byte order mark lost", "ignoreBOM: true", "ignoreBOM: false", LOOK),
    script("unpadded bytes", '.padStart(2, "0")).join(separator)', ").join(separator)", LOOK),
    script("joiners named inside", "(?!\\u200d)\\p{Cf}", "\\p{Cf}", LOOK),
    script("marks without ground", '"◌$&"', '"$&"', LOOK),
    script("spaces unseen", "shown.replace(/\\p{Zs}/gu", "shown.replace(/\\p{Zs}{9}/gu", LOOK),
    script("characters as UTF-16", "for (const _ of text) characters++;", "characters = text.length;", LOOK),
    script("character before counted in", "if (at > start) found", "if (at >= start) found", LOOK),
    script("larger child up", "values[below + 1] < values[below]) below++", "values[below + 1] > values[below]) below++", T + "test_the_smallest_number_leaves_the_heap_first"),
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
