"""What a check says of answers that go wrong in ways that have nothing to do with the exercise."""

import math
import threading
import time
from collections import Counter

import numpy as np
import pytest
import torch

from course.blocks import attention as package
from course.exercises import exact, verdict
from course.exercises.checking import check
from course.exercises.diagnose import built
from course.exercises.feedback import REFUSED, Feedback, call, is_whole, rows
from course.exercises.store import store
from course.exercises.task import all_tasks
from course.exercises.variants_01 import train_by_words
from course.text import bpe
from course.text.bpe import BYTES, merge, pair_counts, pre_tokenize, to_ids


def right(x, axis=-1):
    e = np.exp(x - np.where(np.isneginf(top := np.max(x, axis=axis, keepdims=True)), 0, top))
    total = e.sum(axis=axis, keepdims=True)
    return e / np.where(total == 0, 1, total)


def said(function, task="softmax"):
    """The feedback on an answer that must be refused, and all that it says."""
    feedback = check(task, function)
    assert feedback.state == REFUSED, feedback
    return feedback.kind, repr(feedback)


# ── one sentence for every way to go wrong ──────────────────────────────────────────────────────────────────


def test_an_exception_is_told_with_the_learners_own_line():
    def helper(x):
        return x.not_there

    def raises(x, axis=-1):
        return helper(x)

    kind, text = said(raises)
    assert kind == "exception"
    assert "It stops with AttributeError: 'numpy.ndarray' object has no attribute 'not_there'" in text
    assert "in your line return x.not_there" in text
    assert "Smallest input that shows it: x = np.array([1.0, 3.0])" in text


def test_an_exception_on_some_inputs_says_on_which():
    def two_axes_only(x, axis=-1):
        if np.ndim(x) == 3:
            raise ValueError("three axes")
        return right(x, axis)

    kind, text = said(two_axes_only)
    assert kind == "exception" and "ValueError: three axes" in text and "Right on 19 of 23 inputs" in text


def test_an_endless_loop_is_stopped_and_the_kernel_goes_on():
    def loops(x, axis=-1):
        while True:
            x = x + 1

    before = threading.active_count()
    kind, text = said(loops)
    assert kind == "too_long" and "after 3 seconds it was still busy with this input" in text and "never ends" in text
    assert "x = x + 1" in text or "while True:" in text
    assert check("softmax", right).passed
    time.sleep(0.1)
    assert threading.active_count() == before


def test_an_endless_loop_that_swallows_everything_is_stopped():
    def stubborn(x, axis=-1):
        while True:
            try:
                x = x + 1
            except BaseException:  # noqa: BLE001
                pass

    assert said(stubborn)[0] == "too_long"


def test_recursion_without_an_end():
    def again(x, axis=-1):
        return again(x, axis)

    kind, text = said(again)
    assert kind == "recursion" and "calls itself again and again" in text


def test_a_shape_that_would_broadcast_is_not_stretched_to_fit():
    kind, text = said(lambda x, axis=-1: right(x, axis)[None])
    assert kind == "shape" and "The shape is (1, 2), and (2,) is asked for" in text


def test_nan_is_called_by_its_name():
    kind, text = said(lambda x, axis=-1: right(x, axis) + np.where(np.ndim(x) == 3, np.nan, 0.0))
    assert kind == "nan" and "24 of 24 numbers are NaN (not a number)" in text


def test_infinity_is_called_by_its_name():
    kind, text = said(lambda x, axis=-1: right(x, axis) + np.where(np.ndim(x) == 3, np.inf, 0.0))
    assert kind == "infinite" and "24 of 24 numbers are infinite" in text


def test_whole_numbers():
    def filled(x, axis=-1):
        out = np.zeros_like(x)
        out[...] = right(x, axis)
        return out

    kind, text = said(filled)
    assert kind == "whole" and "int64" in text and "np.zeros_like" in text and "Right on 22 of 23" in text


@pytest.mark.parametrize("convert, sentence", [
    (lambda weights: weights.tolist(), "It returns a list, and a NumPy array is asked for"),
    (lambda weights: torch.from_numpy(weights), "It returns a torch tensor, and a NumPy array is asked for; .numpy()"),
    (lambda weights: weights.astype(np.float32), "The dtype is float32, and float64 is asked for"),
    (lambda weights: weights.astype(object), "The dtype is object, and float64 is asked for"),
    (lambda weights: "weights", "It returns a str, and a NumPy array is asked for"),
    (lambda weights: np.ma.masked_array(weights), "It returns a MaskedArray, and a NumPy array is asked for"),
    (lambda weights: None, "It returns None. Is a return missing?"),
])  # fmt: skip
def test_another_kind_of_answer(convert, sentence):
    assert sentence in said(lambda x, axis=-1: convert(right(x, axis)))[1]


def test_parts_of_an_answer():
    attention = package.attention
    outputs = {
        "It returns one thing, an ndarray, and 2 are asked for: output, weights": lambda *a: right(a[0]),
        "It returns 3 things, and 2 are asked for: output, weights": lambda *a: (1, 2, 3),
        "It returns a list in weights, and a NumPy array": lambda *a: (attention(*a)[0], attention(*a)[1].tolist()),
    }
    for sentence, function in outputs.items():
        assert sentence in said(function, "attention")[1]


def test_inputs_that_are_changed_in_place():
    def in_place(x, axis=-1):
        answer = right(x, axis)
        x -= 1
        return answer

    kind, text = said(in_place)
    assert kind == "changed_only" and "It changes its argument x in place" in text and "The answers are right" in text
    wrong_too = said(lambda x, axis=-1: (in_place(x, axis), 2.0 ** right(x, axis))[1])[1]
    assert "It changes its argument x in place" in wrong_too
    assert check("softmax", right).passed  # the inputs of the check are what they were


def test_random_answers_and_answers_with_a_memory():
    rng = np.random.default_rng()
    assert said(lambda x, axis=-1: right(x + rng.normal(size=np.shape(x)), axis))[0] == "random"
    calls = []

    def once(x, axis=-1):
        calls.append(x)
        return right(x, axis) if len(calls) <= 23 else right(x, axis) + 0.1

    kind, text = said(once)
    assert kind == "random" and "Two calls with the same input gave two different answers" in text


def test_a_buffer_that_is_given_back_again_and_again():
    buffers = {}

    def reuses(x, axis=-1):
        buffer = buffers.setdefault(np.shape(x), np.empty(np.shape(x)))
        buffer[...] = right(x, axis)
        return buffer

    kind, text = said(reuses)
    assert kind == "overwritten" and "a later call changes one that was given back before" in text


def test_calling_the_courses_own_function_by_another_way():
    kind, text = said(lambda *a: package.attention_steps(*a)[::-1][:2], "attention")
    assert kind == "calls_own" and "this calls attention" in text
    assert check("attention", lambda q, k, v, mask=None: _composed(q, k, v, mask)).passed  # of parts written before


def _composed(q, k, v, mask):
    scores = package.attention_scores(q, k)
    weights = package.softmax(scores if mask is None else np.where(mask, scores, -np.inf))
    return weights @ v, weights


def test_ten_megabytes_of_print(capsys):
    def chatty(x, axis=-1):
        print("x" * 500_000)
        return right(x, axis)

    feedback = check("softmax", chatty)
    assert feedback.passed and "It printed more than" in repr(feedback) and len(repr(feedback)) < 2000
    assert capsys.readouterr().out == ""


def test_a_print_is_shown_and_costs_nothing():
    def prints(x, axis=-1):
        print("shape", np.shape(x))
        return right(x, axis)

    feedback = check("softmax", prints)
    assert feedback.passed and "It printed: shape (2,)" in repr(feedback)


def test_numpy_that_was_redefined(monkeypatch):
    monkeypatch.setattr(np, "exp", lambda x: x)
    kind, text = said(right)
    assert kind == "tampered" and "numpy.exp" in text


def test_numpy_that_is_redefined_while_it_runs():
    exp = np.exp

    def redefines(x, axis=-1):
        np.exp = np.sin
        return right(x, axis)

    check("softmax", redefines)
    assert np.exp is exp
    assert check("softmax", right).passed


def test_the_name_np_that_was_lost():
    lost = {"np": 5}
    exec("def softmax(x, axis=-1):\n    return np.exp(x)\n", lost)  # noqa: S102
    kind, text = said(lost["softmax"])
    assert kind == "helper" and "np is not NumPy any more, but of type int" in text and "import numpy as np" in text


def cells(tmp_path, source):
    """What the cells of a notebook define; written down, so that their source can be read."""
    path = tmp_path / "cells.py"
    path.write_text(source, encoding="utf-8")
    defined: dict = {}
    exec(compile(source, str(path), "exec"), defined)  # noqa: S102
    return defined


STUB = "def softmax(x, axis=-1):\n    ...\n\n"


def test_a_helper_that_is_not_finished(tmp_path):
    attention = cells(tmp_path, STUB + "def attention(q, k, v, mask=None):\n    return softmax(q @ k.T) @ v, 1\n")["attention"]
    kind, text = said(attention, "attention")
    assert kind == "helper" and "It calls softmax, and yours is not finished yet" in text
    assert "from course.blocks.attention import softmax" in text


def test_a_helper_that_is_missing_is_named_before_one_that_is_unfinished(tmp_path):
    attend = "def attention(q, k, v, mask=None):\n    return softmax(attention_scores(q, k)) @ v, 1\n"
    kind, text = said(cells(tmp_path, STUB + attend)["attention"], "attention")
    assert kind == "helper" and "It needs attention_scores, and there is none yet" in text


def test_a_result_in_place_of_the_function():
    kind, text = said(right(np.array([1.0, 2.0])))
    assert kind == "no_function" and 'check("softmax", softmax)' in text and "ndarray" in text


@pytest.mark.parametrize("attempt, sentence", [
    ([0.73], "2 numbers are asked for, and this has 1"),
    (0.73, "A list of 2 numbers is asked for. What came is of type float"),
    (["0.73", 12.69], "A number is asked for, and this is a str"),
    ([0.73, 11.0], "Number 2 is not right"),
    ([0.5, 12.69], "Number 1 is not right"),
    ([float("nan"), 12.69], "NaN"),
])  # fmt: skip
def test_numbers_worked_out_by_hand(attempt, sentence):
    feedback = check("attention_trace", attempt)
    assert feedback.state == REFUSED and sentence in repr(feedback), feedback
    assert "0.731" not in repr(feedback) and "12.6" not in repr(feedback)  # the solution is not given away


OTHER_NUMBERS = [
    ("attention_trace", [(0.5, 15), (0.73, 17.31), (0.27, 12.69), (1, 10), (0, 20), (0.7, 13), (0.731, 30), (12.69, 0.73), (2, 1),
                         (7.39, 12.69), (0.73, -12.69), (0.881, 11.19), (0.731, 0.269), (4, 2), (0.622, 13.78), (73, 12.69)]),
    ("heads_trace", [(9, 5), (10, 6), (3, 6), (9, 12), (7, 6), (8, 6), (6, 9), (1, 12), (2, 3), (9, 4), (11, 6), (9.1, 6)]),
]  # fmt: skip


@pytest.mark.parametrize("task, numbers", [(task, pair) for task, pairs in OTHER_NUMBERS for pair in pairs])
def test_other_numbers_are_refused_and_a_mistake_is_named_only_if_it_comes_to_them(task, numbers):
    """Ten and more for each, not taken from the tasks' lists; some are in them."""
    feedback = check(task, list(numbers))
    assert feedback.state == REFUSED
    exercise = all_tasks()[task]
    for version in feedback.versions:
        mistakes = tuple(mistake for mistake in exercise.mistakes if mistake.name in version)
        assert built(exercise, mistakes)() == pytest.approx(numbers, abs=exercise.atol)


@pytest.mark.parametrize("attempt", [None, ..., [..., ...], [0.73, ...]])
def test_numbers_not_filled_in(attempt):
    assert check("attention_trace", attempt).state == "open"


# ── what is seen ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_smallest_input_is_shown_with_expected_yours_and_difference():
    feedback = check("softmax", lambda x, axis=-1: right(x, axis) if np.ndim(x) < 2 else right(x, axis) * 1.5)
    text = repr(feedback)
    np.testing.assert_array_equal(feedback.input[0], [[1.0, 2.0, 4.0], [0.0, 5.0, 1.0]])
    assert "x = np.array([[1.0, 2.0, 4.0], [0.0, 5.0, 1.0]])" in text
    expected, yours, difference = feedback.grids
    wanted = right(feedback.input[0])
    assert [[float(c) for c in row] for row in yours.cells] == [[round(1.5 * w, 2) for w in row] for row in wanted]
    assert all(all(row) for row in difference.odd) and "*" in text
    shown = feedback._repr_html_()
    assert "≠" in shown and "outline:2px solid" in shown and "<code>x = np.array([[1.0" in shown


def test_what_is_right_is_said_too():
    text = said(lambda x, axis=-1: right(np.asarray(x) * 1.1, axis))[1]
    assert "don't recognise" in text and "the weights sum to 1 along axis" in text and "none is negative" in text


def test_what_the_wrong_inputs_have_in_common():
    text = said(lambda x, axis=-1: right(x, axis) if x.dtype.kind == "f" else right(x, axis) * 0.9)[1]
    assert "Wrong on every input of one sort and on no other: whole numbers" in text


def test_three_mistakes_at_once_are_told_one_after_the_other():
    """What most people write first."""

    def first_try(x, axis=-1):
        e = np.exp(x)
        return e / e.sum(axis=axis)

    feedback = check("softmax", first_try)
    assert feedback.versions == (("sum_without_keepdims", "no_max", "empty_row"),)
    first, second, error, shown = feedback.sentences
    assert "lets the sum lose its axis, and also does not subtract the largest score" in first and "on all 23 inputs" in first
    assert second.startswith("Begin with the first. Without that axis")
    assert "broadcast" in error  # what it does on the smallest input that shows the first of the three
    np.testing.assert_array_equal(feedback.input[0], [[1.0, 2.0, 4.0], [0.0, 5.0, 1.0]])


def test_of_two_versions_that_do_the_same_the_one_that_does_less_is_named():
    feedback = check("softmax", lambda x, axis=-1: np.exp(x) / np.exp(x).sum())
    assert feedback.versions == (("sum_of_all", "no_max", "empty_row"),)  # and not whole_array, whose maximum is never used


def test_where_more_fit_than_are_named_it_says_among_them(monkeypatch):
    monkeypatch.setattr(verdict, "MOST_VERSIONS", 1)
    every = [(mistake,) for mistake in all_tasks()["softmax"].mistakes[:2]]
    monkeypatch.setattr(verdict, "recognise", lambda *_: every)
    text = said(lambda x, axis=-1: right(x, axis) * 2)[1]
    assert "Several known mistakes come to the same as yours, on all 23 inputs, among them a version that returns" in text
    assert "does not divide by the sum" not in text and "One of these" not in text


def test_data_of_the_notebook_in_place_of_the_arguments():
    cell = {"np": np, "D": 2}
    exec("def attention_scores(q, k):\n    return q @ k.swapaxes(-1, -2) / np.sqrt(D)\n", cell)  # noqa: S102
    assert "It reads D from the notebook, and not from its arguments" in said(cell["attention_scores"], "attention_scores")[1]


@pytest.mark.parametrize("wrong, sentence", [
    (lambda x, axis=-1: right(x, axis) if x > 0 else x, "neither true nor false"),
    (lambda x, axis=-1: x[np.ones(99, bool)], "exactly the array's shape"),
    (lambda x, axis=-1: np.ones((2, 3)) @ np.ones((2, 3)), "the last but one of the second must be equally long"),
    (lambda x, axis=-1: np.ones(3) + np.ones(7), "can't be combined number by number"),
    (lambda x: right(x), "in this order: x, axis"),
    (lambda x, axis=-1: None + x, "Something is None"),
    (lambda x, axis=-1: math.exp(np.ones(3)), "know"),
])  # fmt: skip
def test_error_messages_that_say_little_are_explained(wrong, sentence):
    kind, text = said(wrong)
    assert kind == "exception" and sentence in text, text


def test_calls_of_check_that_go_wrong_say_how_it_is_called():
    with pytest.raises(ValueError, match='hands your function over'):
        check("softmax")
    with pytest.raises(ValueError, match="First the name of the exercise, in quotes"):
        check(right)
    assert said(None)[0] == "no_function"


def test_numbers_rounded_to_single_precision_are_called_that():
    rounded = lambda q, k: q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]) * (1 + 3e-6)  # noqa: E731
    kind, text = said(rounded, "attention_scores")
    assert kind == "numbers" and "Right to about" in text and "float32 perhaps" in text


def test_the_numbers_are_judged_although_the_kind_is_wrong():
    upper = said(lambda T: np.triu(np.ones((T, T), bool)).tolist(), "causal_mask")
    assert upper[0] == "list" and "Apart from that, the same answers as a version that has the upper triangle" in upper[1]
    to_be_added = said(lambda T: np.triu(np.full((T, T), -1e9), 1), "causal_mask")
    assert to_be_added[0] == "bool" and "Apart from that" not in to_be_added[1]  # 0 and −1e9 are no False and True
    assert "Apart from that it is right" in said(lambda x, axis=-1: right(x, axis).tolist())[1]


def test_nothing_is_said_of_a_sort_of_which_some_are_right():
    some_columns = lambda x, axis=-1: right(x, axis) * (1.1 if axis != -1 and np.ndim(x) == 2 else 1)  # noqa: E731
    text = said(some_columns)[1]
    assert "axis is not the last one" in text and "of one sort" not in text  # right on three axes


def test_whole_numbers_in_and_out_hide_no_mistake():
    """q kᵀ of whole numbers is whole: the missing scale is the mistake, and not the dtype."""
    feedback = check("attention_scores", lambda q, k: q @ k.swapaxes(-1, -2))
    assert feedback.versions == (("no_scale",),)


def test_html_is_escaped():
    def raises(x, axis=-1):
        raise ValueError("<script>alert(1)</script>")

    shown = check("softmax", raises)._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown


def test_large_inputs_are_named_and_can_be_had():
    feedback = check("attention", lambda q, k, v, mask=None: _composed(q, k, v, mask) if np.ndim(q) < 4 else None)
    assert "q of shape (2, 3, 4, 5), k of shape" in repr(feedback) and ".input" in repr(feedback)
    assert feedback.input[0].shape == (2, 3, 4, 5)


# ── lists, dicts and texts ──────────────────────────────────────────────────────────────────────────────────


def counted(pieces):
    return dict(Counter(pair for ids in pieces for pair in zip(ids, ids[1:])))


def encoded(text, merges):
    ids = [bpe.to_ids(piece) for piece in bpe.pre_tokenize(text)]
    for i, pair in enumerate(merges):
        ids = [bpe.merge(each, pair, 256 + i) for each in ids]
    return sum(ids, [])


def decoded(ids, merges):
    tokens = [bytes([byte]) for byte in bpe.BYTES]
    for left, right_half in merges:
        tokens.append(tokens[left] + tokens[right_half])
    return b"".join(tokens[i] for i in ids).decode("utf-8", "replace")


@pytest.mark.parametrize("change, sentence", [
    (lambda m: [*m, (0, 0)], "It goes on too long: at place 1 stands (0, 0), and the end is asked for. Its length is 2, and 1 is"),
    (lambda m: m[1:] if len(m) == 1 else m, "It ends too early: nothing stands at place 0, and (64, 64) is asked for. Its length is 0,"),
    (lambda m: [(0, 0), *m[1:]], "at place 0 stands (0, 0), and (64, 64) is asked for (places are counted from 0)."),
    (lambda m: [(0, 0), *m], "at place 0 stands (0, 0), and (64, 64) is asked for (places are counted from 0). Its length is 2, and 1"),
    (lambda m: [(float(a), float(b)) for a, b in m], "at place 0 stands (64.0, 64.0), and (64, 64) is asked for"),
    (lambda m: [f"{a} {b}" for a, b in m], "at place 0 stands '64 64', and (64, 64) is asked for"),
    (tuple, "It returns a tuple, and a list is asked for.\nApart from that it is right, on all 19 inputs."),
    (np.array, "It returns an ndarray, and a list is asked for.\nApart from that it is right, on all 19 inputs."),
    (set, "It returns a set, and a list is asked for.\nNot right on any of 19 inputs."),
])  # fmt: skip
def test_the_first_place_at_which_a_list_differs(change, sentence):
    text = said(lambda text, vocab_size: change(train_by_words(text, vocab_size)), "bpe_train")[1]
    assert sentence in text, text


def test_numbers_of_numpy_are_as_good_as_pythons():
    assert check("bpe_encode", lambda text, merges: [np.int64(i) for i in encoded(text, merges)]).passed
    assert check("pair_counts", lambda pieces: Counter({k: np.int64(n) for k, n in counted(pieces).items()})).passed
    assert "stands True, and 1 is" in said(lambda ids, pair, new: [i if i != 1 else True for i in bpe.merge(ids, pair, new)], "merge")[1]


@pytest.mark.parametrize("change, sentence", [
    (lambda counts: counts | {(0, 0): 4}, "Not asked for: (0, 0)."),
    (lambda counts: {key: n for key, n in counts.items() if key != (1, 2)}, "Missing: (1, 2)."),
    (lambda counts: {key: n + 3 if key == (1, 2) else n for key, n in counts.items()}, "Another value is asked for: (1, 2) has 4 in place of 1."),
    (lambda counts: counts | {(0, i): 1 for i in range(7)}, "Not asked for: (0, 0), (0, 1), (0, 2) and 4 more."),
    (lambda counts: list(counts.items()), "It returns a list, and a dict is asked for."),
])  # fmt: skip
def test_the_keys_of_a_dict_that_differ(change, sentence):
    assert sentence in said(lambda pieces: change(counted(pieces)), "pair_counts")[1]


def test_the_order_of_keys_means_nothing():
    assert check("pair_counts", lambda pieces: dict(reversed(counted(pieces).items()))).passed


def test_texts_are_shown_with_what_can_not_be_seen():
    kind, text = said(lambda ids, merges: decoded(ids, merges).replace("\ufeff", ""), "bpe_decode")
    assert "The texts differ from place 0 on: around it yours is 'a\\x00\\u200b', and '\\ufeffa\\x00\\u200b' is asked for." in text
    assert "Wrong on every input of one sort and on no other: signs that can't be seen" in text
    wanted = exact.content("x" * 100, "x" * 50 + "é" + "x" * 49)[1]
    assert wanted["place"] == 50 and wanted["given"] == "… '" + "x" * 8 + "é" + "x" * 15 + "' …"


def test_a_list_is_shown_around_the_place_that_differs():
    feedback = check("bpe_decode", lambda ids, merges: [1])
    assert feedback.kind == "no_text" and feedback.grids == ()
    expected, yours = rows(list(range(20)), [*range(10), -1, *range(11, 19), -1], "")
    assert expected.first == yours.first == 6
    assert expected.cells == [[str(i) for i in range(6, 14)]]
    assert yours.cells[0][4] == "-1" and yours.odd == expected.odd == [[i == 10 for i in range(6, 14)]]
    shown = feedback_of(yours)
    assert '<th scope="col" style="text-align:right">10</th>' in shown._repr_html_() and "*-1" in repr(shown)
    assert repr(shown).split("\n")[2].split() == [str(i) for i in range(6, 14)]


def feedback_of(grid):
    return Feedback(REFUSED, "Title", ["Sentence."], grids=(grid,))


def test_a_list_that_holds_itself_is_like_nothing():
    itself = [1]
    itself.append(itself)
    assert not exact.equal(itself, itself) and exact.equal([(1, 2)], [(1, 2)])

    def holds_itself(text, merges):
        ids = encoded(text, merges)
        ids.append(ids)
        return ids

    kind, text = said(holds_itself, "bpe_encode")
    assert kind == "numbers" and "at place 1 stands [256, [256, [256" in text and "and the end is asked for" in text


def test_a_list_changed_in_place_is_told_how_to_begin():
    def in_place(ids, pair, new_id):
        ids[:] = bpe.merge(list(ids), pair, new_id)
        return ids

    assert "Begin with a new list, [] or list(ids)" in said(in_place, "merge")[1]


def test_a_property_that_can_not_be_looked_at_is_not_spoken_of():
    text = said(lambda text, vocab_size: [None] * (vocab_size - 256), "bpe_train")[1]
    assert "at place 0 stands None, and (64, 64) is asked for" in text and "ids that exist" not in text


def test_long_lists_and_texts_are_named_by_their_length():
    names, arguments = ("ids", "text"), (list(range(500)), "x" * 300)
    assert call(names, arguments) == "`ids` of length 500, `text`, a text of 300 characters"
    assert not is_whole(arguments) and is_whole(([1, 2], "ab"))


# ── what is recorded ────────────────────────────────────────────────────────────────────────────────────────


def test_tries_and_passes_are_recorded():
    check("softmax", lambda x, axis=-1: x)
    check("softmax", right)
    check("softmax", right)
    (entry,) = store().tasks()
    assert (entry.attempts, entry.first_passed is not None) == (3, True)
    assert "def right(x, axis=-1):" in entry.source


def test_random_state_and_settings_are_left_alone():
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    wanted = np.random.rand(), torch.rand(1).item()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)

    def draws(x, axis=-1):
        np.random.rand(7), torch.rand(7)  # noqa: NPY002
        np.seterr(all="raise")
        return right(x, axis)

    settings = np.geterr()
    check("softmax", draws)
    assert (np.random.rand(), torch.rand(1).item()) == wanted  # noqa: NPY002
    assert np.geterr() == settings


@pytest.mark.parametrize("name, attempt, sentence", [
    ("bpe_trace", [7, 8], "Number 1 is not right"),  # three mistakes at once would come to these, and nobody made them
    ("bpe_trace", [4, 8], "Number 1 is not right"),
    ("bpe_trace", [6, 7], "a version that leaves the space out of what is left."),
    ("bpe_trace", [3, 7], "counts only pairs that do not overlap, and also leaves the space out"),
    ("positions_trace", [math.cos(2), math.cos(0.5)], "a version that has a cosine in both columns. Column 2 is even"),
    ("positions_trace", [math.sin(2), math.sin(0.5)], "a version that has a sine in both columns. Column 1 is odd"),
    ("positions_trace", [math.sin(0.5), math.cos(2)], "or has the two numbers in the other order. Here the columns"),
    ("positions_trace", [math.cos(0.5), math.sin(0.5)], "I don't recognise how yours came about"),
])  # fmt: skip
def test_of_two_numbers_no_more_is_told_than_two_numbers_show(name, attempt, sentence):
    text = said(attempt, name)[1]
    assert sentence in text and text.count("and also") <= 1


def test_whole_numbers_are_shown_without_a_point():
    grids = check("deinterleave", lambda D, n_heads=1: np.arange(n_heads * D)).grids
    assert [cell for grid in grids for row in grid.cells for cell in row] == [*"0213", *"0123", "0", "−1", "1", "0"]
    halves = check("sinusoidal", lambda T, d_model, base=1e4: np.full((T, d_model), 0.5)).grids
    assert halves[0].cells == [["0.00", "1.00", "0.00", "1.00"]]  # beside halves these have their point, too


def test_a_merge_that_is_not_kept_and_bytes_without_brackets():
    def discards(text, vocab_size):
        pieces, merges = [to_ids(piece) for piece in pre_tokenize(text)], []
        while 256 + len(merges) < vocab_size and (counts := pair_counts(pieces)):
            best = min(counts, key=lambda pair: (-counts[pair], pair))
            for ids in pieces:
                merge(ids, best, 256 + len(merges))
            merges.append(best)
        return merges

    def zeros(ids, merges):
        tokens = [bytes(BYTES[id]) for id in range(256)]
        for left, right in merges:
            tokens.append(tokens[left] + tokens[right])
        return b"".join(tokens[id] for id in ids).decode("utf-8", errors="replace")

    assert "`merge` gives a new list and leaves the old one" in check("bpe_train", discards).sentences[0]
    assert "`bytes(3)` is three zero bytes in Python" in check("bpe_decode", zeros).sentences[0]


@pytest.mark.parametrize("number", [3, 10**30, -(10**400)], ids=["small", "past NumPy's", "past floats"])
def test_a_whole_number_where_a_float_is_asked_for_is_compared_as_a_number(number):
    """Python's whole numbers have no end; a wrong one is told as a number, and no array is asked for."""
    said = str(check("perplexity", lambda logits, targets: number))
    assert "array is asked for" not in said and "an int" not in said
    assert "expected" in said and ("-∞" if number < -(10**300) else "1e+30" if number > 3 else "3") in said.replace("−", "-")


@pytest.mark.parametrize("number", [10**30, -(10**30), 10**400], ids=["past NumPy's", "below NumPy's", "past floats"])
@pytest.mark.parametrize("name, right", [("positions_trace", math.cos(2)), ("bpe_trace", 6)], ids=["floats", "whole numbers"])
def test_of_two_numbers_one_may_be_of_any_size(name, right, number):
    """A slip of the hand, as in pasting; the number that is right is not called wrong because of it."""
    feedback = check(name, [right, number])
    text = " ".join(feedback.sentences)
    assert feedback.state == "refused" and "Number 1" not in text and "stopped" not in text
    assert ("infinite" if number > 10**300 else "Number 2 is not right") in text


def _by_columns(T, d_model, base=10000.0):
    angles = np.outer(np.arange(T), base ** (-np.arange(0, d_model, 2) / d_model))
    table = np.zeros((T, d_model))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles)
    return table


def _stacked(T, d_model, base=10000.0):
    angles = np.outer(np.arange(T), base ** (-np.arange(0, d_model, 2) / d_model))
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(T, d_model)


def _by_loop(T, d_model, base=10000.0):
    table = np.zeros((T, d_model))
    for p in range(T):
        for i in range(d_model // 2):
            table[p, 2 * i] = math.sin(p * base ** (-2 * i / d_model))
            table[p, 2 * i + 1] = math.cos(p * base ** (-2 * i / d_model))
    return table


def _every_column(T, d_model, base=10000.0):
    table = np.zeros((T, d_model))
    for p in range(T):
        for j in range(d_model):
            table[p, j] = (math.cos if j % 2 else math.sin)(p * base ** (-2 * j / d_model))
    return table


def _new_axis_second(x, positions, base=10000.0):
    turned, angles = np.empty(x.shape), positions[:, None] * base ** (-np.arange(0, x.shape[-1], 2) / x.shape[-1])
    turned[..., 0::2] = x[..., 0::2] * np.cos(angles) - x[..., 1::2] * np.sin(angles)
    turned[..., 1::2] = x[..., 0::2] * np.sin(angles) + x[..., 1::2] * np.cos(angles)
    return turned


def _slice_and_tuple(ids, pair, new_id):
    new, i = [], 0
    while i < len(ids):
        merged = ids[i : i + 2] == pair
        new.append(new_id if merged else ids[i])
        i += 2 if merged else 1
    return new


def _each_neighbour(ids, pair, new_id):
    return [new_id if (ids[i], ids[i + 1]) == pair else ids[i] for i in range(len(ids) - 1)]


@pytest.mark.parametrize("name, attempt, tip", [
    ("sinusoidal", _by_columns, "for which a table of odd width has no room"),
    ("sinusoidal", _stacked, "which do not fit into an odd width"),
    ("sinusoidal", _by_loop, "leaves the last column of an odd width empty"),
    ("sinusoidal", _every_column, "column j belongs to pair `j // 2`"),
    ("rotate", _new_axis_second, "`positions[..., None]`"),
    ("merge", _slice_and_tuple, "a list never equals a tuple"),
    ("merge", _each_neighbour, "the second id of a pair stays and the last id of the list is lost"),
], ids=lambda value: getattr(value, "__name__", None))  # fmt: skip
def test_what_learners_write_first_has_a_sentence_of_its_own(name, attempt, tip):
    feedback = check(name, attempt)
    assert feedback.kind == "mistake" and tip in feedback.sentences[0]
    assert len(feedback.versions) == 1
