"""A learner's function is run, and nothing else: its inputs, values, exceptions, prints, and whom it calls."""

import functools
import gc
import io
import math
import sys
import threading
import weakref

import numpy as np
import pytest
import torch

from course.blocks import attention as package
from course.exercises.run import PRINT_LIMIT, called, run

ONE = [(np.array([1.0, 2.0]),)]


def only(function, inputs=ONE, seconds=3.0):
    (outcome,) = run(function, inputs, seconds)
    return outcome


# ── values and inputs ───────────────────────────────────────────────────────────────────────────────────────


def test_values_come_back_one_for_each_input():
    outcomes = run(lambda x, y: x + y, [(1, 2), (np.ones(2), 1)])
    assert [outcome.kind for outcome in outcomes] == ["value", "value"]
    assert outcomes[0].value == 3 and outcomes[1].value.tolist() == [2.0, 2.0]
    assert run(len, []) == []


@pytest.mark.parametrize("make", [
    lambda kept: kept, lambda kept: (kept, "x"), lambda kept: {"weights": [kept]}, lambda kept: kept[:],
    lambda kept: np.array([kept, None], dtype=object)[:1],
], ids=["array", "tuple", "dict", "view", "array of objects"])  # fmt: skip
def test_a_value_is_detached_from_what_later_calls_do(make):
    kept = np.zeros(1)

    def same_array(x):
        kept[0] += 1
        return make(kept)

    found = [str(outcome.value) for outcome in run(same_array, [(0,), (0,), (0,)])]
    assert [text.count(number) for text, number in zip(found, "123")] == [1, 1, 1]


def test_a_tensor_that_was_computed_from_parameters_is_detached_too():
    kept = torch.ones(1, requires_grad=True) * 2

    def same_tensor(x):
        with torch.no_grad():
            kept.add_(1)
        return kept

    assert [outcome.value.item() for outcome in run(same_tensor, ONE * 2)] == [3, 4]


def test_what_cannot_be_copied_leaves_its_neighbours_detached():
    kept, lock = np.zeros(1), threading.Lock()

    def both(x):
        kept[0] += 1
        return lock, kept

    assert [outcome.value[1].item() for outcome in run(both, ONE * 2)] == [1, 2]


@pytest.mark.parametrize(
    "make", [lambda: (n for n in "ab"), threading.Lock, lambda: sys], ids=["generator", "lock", "module"]
)
def test_what_cannot_be_copied_comes_back_as_it_is(make):
    thing = make()
    outcome = only(lambda x: (thing, x))
    assert outcome.kind == "value" and outcome.value[0] is thing


def test_the_function_gets_arrays_in_order_that_it_may_write_to():
    fixed = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    fixed.flags.writeable = False

    def looks(x):
        return x.flags.writeable, x.flags.c_contiguous, x.dtype, x.tolist()

    assert only(looks, [(fixed,)]).value == (True, True, np.float32, fixed.tolist())


@pytest.mark.parametrize("value, change", [
    (np.array([1.0, np.nan]), lambda x: x.__setitem__(0, 5)),
    (np.array([1.0, np.nan]), lambda x: np.nan_to_num(x, copy=False)),
    (np.zeros(2), lambda x: x.__imul__(-1)),
    (np.array([[1, 2]]), lambda x: x.resize(2, 1)),
    (np.array([1.5, 2.5]), lambda x: setattr(x, "dtype", np.int64)),
    (np.array([None, [1]], dtype=object), lambda x: x[1].append(2)),
    (np.arange(6.0)[::-1].reshape(2, 3).T, lambda x: x.sort()),
    ([1, 2], lambda x: x.append(3)),
    ([1.0, float("nan")], lambda x: x.__setitem__(0, 2.0)),
    ([np.ones(2), [np.ones(2)]], lambda x: x[1][0].fill(3)),
    ({"a": np.ones(2)}, lambda x: x.update(b=1)),
    ({"a": np.ones(2)}, lambda x: x["a"].fill(3)),
    ({1, 2}, lambda x: x.add(3)),
    (bytearray(b"ab"), lambda x: x.append(3)),
    (torch.tensor([1.0, float("nan")]), lambda x: x.add_(1)),
    (torch.tensor([1, 2]), lambda x: x.mul_(2)),
    (torch.ones(2, 3), lambda x: x.t_()),
])  # fmt: skip
def test_changes_in_place_are_noticed_and_the_callers_value_is_not_touched(value, change):
    before = repr(value)
    assert only(lambda a, x: change(x), [(0, value)]).changed == (1,)
    assert only(lambda a, x: x, [(0, value)]).changed == ()
    assert repr(value) == before


def test_every_argument_that_was_changed_is_named_also_when_it_fails_afterwards():
    def changes_and_fails(x, y, z):
        x += 1
        z += 1
        raise ValueError

    assert only(changes_and_fails, [(np.ones(1), np.ones(1), np.ones(1))]).changed == (0, 2)


def test_using_a_random_generator_does_not_count_as_changing_it():
    assert only(lambda rng: rng.normal(), [(np.random.default_rng(0),)]).changed == ()


def test_one_array_given_twice_is_two_arguments():
    x = np.ones(2)
    assert only(lambda a, b: a.fill(3), [(x, x)]).changed == (0,)


# ── exceptions ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_exception_is_an_outcome_with_the_learners_innermost_line():
    def inner(x):
        return np.linalg.inv(x)  # raises in NumPy's file

    outcome = only(lambda x: inner(x))
    assert outcome.kind == "exception" and isinstance(outcome.error, np.linalg.LinAlgError)
    assert outcome.line == (inner.__code__.co_firstlineno + 1, "return np.linalg.inv(x)  # raises in NumPy's file")


def test_a_function_of_the_course_has_lines_too():
    outcome = only(package.softmax, [("text",)])
    with open(package.__file__, encoding="utf-8") as file:
        assert file.readlines()[outcome.line[0] - 1].strip() == outcome.line[1]


def test_code_whose_text_is_not_known_has_no_line():
    names = {}
    exec("def fails(x):\n    return x.nothing", names)
    assert only(names["fails"]).line is None
    assert only(math.sqrt, [(-1,)]).line is None


def leave_by_exec(x):
    exec("raise SystemExit(3)")


def leave_by_generator(x):
    raise GeneratorExit


@pytest.mark.parametrize("leave", [sys.exit, leave_by_exec, leave_by_generator])
def test_leaving_python_is_an_outcome_too(leave):
    assert only(leave).kind == "exception"


def test_recursion_without_end_is_an_exception():
    def deeper(x):
        return deeper(x)

    outcome = only(deeper)
    assert isinstance(outcome.error, RecursionError) and outcome.line[1] == "return deeper(x)"


def test_an_exception_that_counts_as_false_is_one():
    class Nothing(Exception):
        def __len__(self):
            return 0

    def raises(x):
        raise Nothing

    assert only(raises).kind == "exception"


def test_an_exception_keeps_nothing_alive_that_the_function_made():
    class Large:
        pass

    made = []

    def fails(x):
        large = Large()
        made.append(weakref.ref(large))
        try:
            raise KeyError(1)
        except KeyError as error:
            raise ValueError(2) from error

    outcome = only(fails)
    gc.collect()
    assert made[0]() is None
    assert isinstance(outcome.error.__cause__, KeyError)


# ── what is printed ─────────────────────────────────────────────────────────────────────────────────────────


def test_prints_are_caught_and_bounded(capsys):
    def chatty(x):
        print("one", file=sys.stderr)
        sys.stdout.write("x" * 10_000_000)
        print("more", flush=True)

    outcome = only(chatty)
    assert outcome.kind == "value"
    assert outcome.printed.startswith("one\nxxx") and len(outcome.printed) == PRINT_LIMIT
    assert capsys.readouterr() == ("", "")


def test_ten_million_characters_in_small_pieces_are_bounded_too():
    def chatty(x):
        for _ in range(100_000):
            print("x" * 100)
        return len(gc.get_objects())

    outcome = only(chatty, seconds=60.0)
    assert outcome.kind == "value" and outcome.printed == (("x" * 100 + "\n") * 20)[:PRINT_LIMIT]


def test_every_call_has_its_own_prints():
    assert [outcome.printed for outcome in run(print, [("a",), ("b",)])] == ["a\n", "b\n"]


def test_the_stream_is_like_a_file_of_text():
    def looks(x):
        with pytest.raises(io.UnsupportedOperation):
            sys.stdout.fileno()
        with pytest.raises(TypeError):
            sys.stdout.write(b"bytes")
        assert sys.stdout.write("é") == 1
        sys.stdout.writelines(["a", "b"])
        return sys.stdout.isatty(), sys.stdout.writable(), sys.stdout.encoding, hasattr(sys.stdout, "buffer")

    outcome = only(looks)
    assert (outcome.kind, outcome.value, outcome.printed) == ("value", (False, True, "utf-8", False), "éab")


@pytest.mark.parametrize("odd", [
    lambda: setattr(sys, "stdout", None), lambda: delattr(sys, "stderr"), lambda: sys.stdout.close(),
], ids=["replaced", "removed", "closed"])  # fmt: skip
def test_streams_are_put_back_whatever_was_done_to_them(odd):
    before = sys.stdout, sys.stderr

    def prints_and_is_odd(x):
        print("first")
        odd()

    assert [outcome.printed for outcome in run(prints_and_is_odd, ONE * 2)] == ["first\n", "first\n"]
    assert (sys.stdout, sys.stderr) == before


# ── who is called ───────────────────────────────────────────────────────────────────────────────────────────


def reference(x):
    return x


def copied_out(x):
    return x


@functools.wraps(reference)
def wrapped(*arguments):
    return reference(*arguments)


sdpa = torch.nn.functional.scaled_dot_product_attention
Q = torch.ones(1, 2, 2)


CALLS = [
    (lambda x: [reference(each) for each in x], ONE[0], (reference, len), {reference}),
    (lambda x: list(map(reference, x)), ONE[0], (reference, len), {reference}),
    (lambda x: wrapped(x), ONE[0], (reference,), {reference}),
    (lambda x: reference(x), ONE[0], (wrapped,), {wrapped}),
    (lambda x: len(x), ONE[0], (reference, len), {len}),
    (lambda x: np.sum(x), ONE[0], (np.sum, np.mean), {np.sum}),
    (lambda q: sdpa(q, q, q), (Q,), (sdpa, len), {sdpa}),
    (lambda x: (reference, len), ONE[0], (reference, len), set()),
    (reference, ONE[0], (reference,), {reference}),
]
WAYS = ["direct", "by map", "wrapper", "watched wrapper", "builtin", "numpy", "torch", "named only", "itself"]


@pytest.mark.parametrize("function, arguments, watched, found", CALLS, ids=WAYS)
def test_calls_are_seen_however_deep(function, arguments, watched, found):
    assert called(function, arguments, watched) == found


def test_calls_are_seen_also_when_it_fails_or_never_ends():
    def fails(x):
        reference(x)
        raise ValueError

    def loops(x):
        reference(x)
        while True:
            pass

    assert called(fails, ONE[0], (reference,)) == {reference}
    assert called(loops, ONE[0], (reference,), 0.2) == {reference}


def test_the_same_words_elsewhere_are_another_function():
    text = "def twin(x):\n    return x\n"
    one, other = {}, {}
    exec(compile(text, "one.py", "exec"), one)
    exec(compile(text, "other.py", "exec"), other)
    assert one["twin"].__code__ == other["twin"].__code__  # which is why they are not compared by value
    assert called(one["twin"], (1,), (other["twin"],)) == set()
    assert called(lambda x: copied_out(x), (1,), (reference,)) == set()


def test_profiling_goes_on_as_before():
    before, seen = sys.getprofile(), []

    def profile(frame, event, argument):
        seen.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        called(wrapped, ONE[0], (reference,))
        after = sys.getprofile()
        copied_out(1)
    finally:
        sys.setprofile(before)
    assert after is profile and "copied_out" in seen


def test_what_a_call_changes_is_put_back_here_too():
    def changes(x):
        np.exp = len

    right = np.exp
    called(changes, ONE[0], (reference,))
    assert np.exp is right
