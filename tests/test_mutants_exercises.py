"""The tests of checks refuse wrong versions of the engine: each planted into a copy of the package."""

import pytest

from tests.mutation import Mutant

CHECKS, TASKS = "tests/exercises/test_checking.py::test_", "tests/exercises/test_tasks.py::test_"
OWN_SENTENCE = TASKS + "every_mistake_is_refused_with_its_own_sentence"


def wrong(name, module, change, *tests, raises=()):
    return Mutant(name, f"course.exercises.{module}", change, tests, raises)


MUTANTS = [
    # what is checked, and what is kept of it
    wrong("stubs are run", "checking", {"if attempt is ... or unfinished(attempt):": "if attempt is ...:"},
          TASKS + "an_untouched_stub_is_not_attempted"),
    wrong("stubs leave a trace", "checking", {"if feedback.state != OPEN:": "if True:"}, TASKS + "an_untouched_stub_is_not_attempted"),
    wrong("what passed is not kept", "checking", {"    if feedback.passed:\n": "    if False:\n"},
          TASKS + "the_solution_that_is_shown_passes_and_is_kept", raises=["AttributeError"]),
    wrong("dots in code are unfinished", "checking", {"return any(blank) or all(": "return any(blank) or any("},
          TASKS + "a_line_left_open_is_unfinished_and_a_forgotten_mark_is_not"),
    wrong("random answers pass", "checking", {"if (place := _changes_its_mind(answers, outcomes, again)) is not None:": "if False:"},
          CHECKS + "random_answers_and_answers_with_a_memory"),
    wrong("in place is fine", "checking", {"if changed := {place for outcome in outcomes for place in outcome.changed}:": "if False:"},
          CHECKS + "inputs_that_are_changed_in_place"),
    wrong("buffers are fine", "checking", {"if (place := _overwritten(attempt, task, answers)) is not None:": "if False:"},
          CHECKS + "a_buffer_that_is_given_back_again_and_again"),
    wrong("the course's own passes", "checking", {"if own := called(": "if own := (lambda *_: ())("},
          CHECKS + "calling_the_courses_own_function_by_another_way", TASKS + "the_courses_own_function_is_noticed"),
    wrong("unfinished before missing", "checking", {"helper in missing and helper not in around": "False"},
          CHECKS + "a_helper_that_is_missing_is_named_before_one_that_is_unfinished"),
    wrong("names of the notebook unseen", "checking", {'("LOAD_GLOBAL", "LOAD_NAME")': "()"},
          CHECKS + "data_of_the_notebook_in_place_of_the_arguments", CHECKS + "the_name_np_that_was_lost"),
    # which mistake
    wrong("nothing is recognised", "verdict", {"if complete and not helper else []": "if False else []"}, OWN_SENTENCE + "[softmax-no_max]"),
    wrong("two at most", "diagnose", {"for number in (1, 2, 3)[": "for number in (1, 2)["},
          CHECKS + "three_mistakes_at_once_are_told_one_after_the_other"),
    wrong("three at once of two numbers", "diagnose", {"MOST_TRACED = 2": "MOST_TRACED = 3"},
          CHECKS + "of_two_numbers_no_more_is_told_than_two_numbers_show"),
    wrong("one at a time of two numbers", "diagnose", {"MOST_TRACED = 2": "MOST_TRACED = 1"},
          CHECKS + "of_two_numbers_no_more_is_told_than_two_numbers_show"),
    wrong("two at most of functions, too", "diagnose", {"MOST_TRACED if task.traced else None": "MOST_TRACED"},
          CHECKS + "three_mistakes_at_once_are_told_one_after_the_other"),
    wrong("one input settles it", "diagnose", {"outcomes[i], answers[i]) for i in order)": "outcomes[i], answers[i]) for i in order[:1])"},
          OWN_SENTENCE + "[softmax-sum_without_keepdims]"),
    wrong("what contains another is named too", "diagnose", {"if not any(_contains(version, other) for other in found)": "if found"},
          CHECKS + "of_two_versions_that_do_the_same_the_one_that_does_less_is_named"),
    wrong("the last input that shows it", "verdict", {"for place in sorted(wrong):": "for place in sorted(wrong, reverse=True):"},
          CHECKS + "three_mistakes_at_once_are_told_one_after_the_other", raises=["ValueError"]),
    wrong("a whole number is no number", "compare", {"if whole and (single or abs(": "if whole and (abs("},
          CHECKS + "a_whole_number_where_a_float_is_asked_for_is_compared_as_a_number"),
    wrong("past NumPy's in two numbers", "compare", {"(single or abs(part) > np.iinfo(np.int64).max)": "single"},
          CHECKS + "of_two_numbers_one_may_be_of_any_size", raises=["TypeError"]),
    wrong("two numbers are taken as they come", "compare", {"tuple(map(_as_asked, value, answer.parts))": "tuple(value)"},
          CHECKS + "of_two_numbers_one_may_be_of_any_size", raises=["TypeError"]),
    wrong("floats have no largest", "compare", {"if abs(part) < sys.float_info.max else": "if True else"},
          CHECKS + "a_whole_number_where_a_float_is_asked_for_is_compared_as_a_number",
          CHECKS + "of_two_numbers_one_may_be_of_any_size", raises=["OverflowError"]),
    wrong("infinity has one end", "compare", {"math.inf if part > 0 else -math.inf": "math.inf"},
          CHECKS + "a_whole_number_where_a_float_is_asked_for_is_compared_as_a_number"),
    wrong("whole numbers differ from floats", "compare", {'== {"i", "f"}': "== set()"}, CHECKS + "whole_numbers_in_and_out_hide_no_mistake"),
    # what is said where none is known
    wrong("right on one more", "verdict", {"len(cases) - len(wrong)\n": "len(cases) - len(wrong) + 1\n"},
          CHECKS + "an_exception_on_some_inputs_says_on_which"),
    wrong("a sort of which some are right", "verdict", {"and not notes & others and": "and"},
          CHECKS + "nothing_is_said_of_a_sort_of_which_some_are_right"),
    wrong("properties upside down", "verdict", {"if holds is not None and not holds]": "if holds]"}, CHECKS + "what_is_right_is_said_too"),
    wrong("anything is a truth value", "verdict", {"if array.dtype == bool and not np": "if False and not np"},
          CHECKS + "the_numbers_are_judged_although_the_kind_is_wrong"),
    wrong("constants unseen", "verdict", {"if constant and all(": "if False and all("}, TASKS + "constants_and_arguments_are_refused"),
    wrong("errors unexplained", "verdict", {"return [] if said is None else [": "return [] if said else ["},
          CHECKS + "error_messages_that_say_little_are_explained", raises=["AttributeError"]),
    # kinds, and how it looks
    wrong("shapes stretch", "compare", {"if np.shape(wanted) != np.shape(part):": "if False:"},
          CHECKS + "a_shape_that_would_broadcast_is_not_stretched_to_fit"),
    # lists, dicts and texts
    wrong("1 is True", "exact", {" and not isinstance(value, bool)": ""}, CHECKS + "numbers_of_numpy_are_as_good_as_pythons"),
    wrong("tuples are lists", "exact", {"return None if isinstance(given, asked_for) else": "return None if isinstance(given, (asked_for, tuple)) else"},
          CHECKS + "the_first_place_at_which_a_list_differs", raises=["IndexError"]),
    wrong("the shorter list decides", "exact", {"return len(a) == len(b) and all(equal(x, y": "return all(equal(x, y"},
          CHECKS + "the_first_place_at_which_a_list_differs", raises=["IndexError", "TypeError"]),
    wrong("more keys are fine", "exact", {"return len(a) == len(b) and all(key in b": "return all(key in b"},
          CHECKS + "the_keys_of_a_dict_that_differ"),
    wrong("the last place", "exact", {"return next((place for": "return max((place for", "not equal(*pair)), min(len(wanted), len(given)))":
          "not equal(*pair)), default=min(len(wanted), len(given)))"},
          CHECKS + "a_list_is_shown_around_the_place_that_differs"),
    wrong("lists without a bottom", "exact", {"if depth > DEEPEST:": "if False:"}, CHECKS + "a_list_that_holds_itself_is_like_nothing",
          raises=["RecursionError"]),
    wrong("pairs of an array stay lists", "exact", {"pairs and isinstance(item, list)": "False"},
          CHECKS + "the_first_place_at_which_a_list_differs"),
    wrong("a text from its beginning", "exact", {"first = max(0, min(": "first = 0 * max(0, min("},
          CHECKS + "texts_are_shown_with_what_can_not_be_seen"),
    wrong("keys without end", "verdict", {"MOST_KEYS = 3": "MOST_KEYS = 30"}, CHECKS + "the_keys_of_a_dict_that_differ"),
    wrong("properties may raise", "verdict", {"    except Exception:  # noqa: BLE001\n        return None\n\n\ndef _how":
          "    except KeyError:\n        return None\n\n\ndef _how"}, CHECKS + "a_property_that_can_not_be_looked_at_is_not_spoken_of",
          raises=["TypeError"]),
    wrong("lists told as arrays", "verdict", {'"changed" if any(': '"changed" if True or any('},
          CHECKS + "a_list_changed_in_place_is_told_how_to_begin"),
    wrong("columns from 0", "feedback", {"columns = range(grid.first, grid.first + len(cells[0]))": "columns = range(len(cells[0]))"},
          CHECKS + "a_list_is_shown_around_the_place_that_differs"),
    wrong("long lists written out", "feedback", {"len(written(value)) > LONGEST:": "len(written(value)) > 10**9:"},
          CHECKS + "long_lists_and_texts_are_named_by_their_length"),
    wrong("any dtype", "compare", {"if isinstance(wanted, np.ndarray) and wanted.dtype != part.dtype:": "if False:"}, CHECKS + "whole_numbers"),
    wrong("NaN is a number", "compare", {"odd = np.isnan(part) & ~np.isnan(wanted)": "odd = np.isnan(part) & False"},
          CHECKS + "nan_is_called_by_its_name"),
    wrong("markup in sentences", "feedback", {"html.escape(text, quote=False)": "text"}, CHECKS + "html_is_escaped"),
    wrong("odd cells by frame alone", "feedback", {'"≠ " if odd else ""': '""'},
          CHECKS + "the_smallest_input_is_shown_with_expected_yours_and_difference"),
    wrong("whole numbers with a point", "feedback", {"digits = 0 if whole else 2": "digits = 2"},
          CHECKS + "whole_numbers_are_shown_without_a_point"),
    wrong("no number has a point", "feedback", {"digits = 0 if whole else 2": "digits = 0"},
          CHECKS + "whole_numbers_are_shown_without_a_point"),
    wrong("a point for some numbers of a table", "feedback", {"digits = 0 if whole else 2": "digits = 0 if value == round(value) else 2"},
          CHECKS + "whole_numbers_are_shown_without_a_point"),
    wrong("whole beside halves", "feedback", {"whole = all(_is_whole(": "whole = any(_is_whole("},
          CHECKS + "whole_numbers_are_shown_without_a_point"),
    wrong("stubs speak of errors", "cells", {r'r"\n    Raises ': r'r"\n    Nothing '}, TASKS + "a_stub_is_the_package_function_without_its_body"),
    wrong("a mistake changes the reference", "task", {"self.steps | dict(steps)": "self.steps.update(steps) or self.steps"},
          TASKS + "a_pipeline_knows_its_steps", raises=["TypeError"]),
]  # fmt: skip


@pytest.mark.timeout(900)  # the first one runs the whole table
@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    mutant.assert_caught(among=MUTANTS)
