"""Windows: a text is split before it is cut, targets are one place further on, each epoch in an order of its own."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.text.corpus import paragraphs, python_docs, without_repeats
from course.text.windows import batches, split, windows

IDS = np.arange(100, 200)  # each id is its place + 100: what came from where can be read off

# ── split ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_end_is_held_out():
    text = "\n\n".join(f"paragraph {i}\nof two lines" for i in range(50))
    training, held_out = split(text, 0.2)
    assert training + held_out == text
    assert training.endswith("lines\n\n") and held_out.startswith("paragraph 40\n") and held_out.count("paragraph") == 10
    assert split(text) == split(text, 0.1) and split(text)[1].count("paragraph") == 5


def test_nothing_that_is_held_out_is_trained_on():
    """G12: windows of the two parts share no place, and no paragraph lies in both."""
    text = "\n\n".join(without_repeats(paragraphs(python_docs())))
    training, held_out = split(text)
    assert training + held_out == text and abs(len(held_out) / len(text) - 0.1) < 0.01
    here, there = paragraphs(training), paragraphs(held_out)
    assert here + there == paragraphs(text)
    assert not set(here) & set(there)


def test_windows_of_the_two_parts_share_no_id():
    training, held_out = split(IDS, 0.25)
    np.testing.assert_array_equal(training, IDS[:75])
    np.testing.assert_array_equal(held_out, IDS[75:])
    seen, hidden = (
        {int(i) for ids, targets in batches(part, 4, 2, epochs=9, random_offsets=True) for i in [*ids.flat, *targets.flat]}
        for part in (training, held_out)
    )
    assert seen and hidden and max(seen) < 175 <= min(hidden)


CUT = [  # a text, the share asked for, and where the held-out part begins
    ("aaaa\n\nbbbb\n\ncccc\n\n", 0.3, 12),
    ("aaaa\n\nbbbb\n\ncccc\n\n", 0.6, 6),
    ("aaaa\n\nbb\n\ncccc", 0.5, 6),  # asked for from 7 on; borders at 6 and 10
    ("aaaa\n\nbb\n\ncccc", 0.35, 10),  # from 9 on
    ("aaaa\n\nbb\n\ncccc", 0.43, 6),  # from 8 on, in the middle between the two: the earlier
    ("aaaaa\n\n\nbb\n\nccc", 0.5, 8),
    ("aaaa\n \t\n\n  bbbb", 0.5, 9),  # the indent belongs to what follows
    ("aaaa\r\n\r\nbbbb", 0.5, 8),
    ("\n\naaaabbbb\n\n", 0.5, 6),  # empty lines at the ends part nothing
    ("  \n\n aaaabbbb \n \n\n", 0.5, 9),
    ("abcdefghij", 0.1, 9),
    ("one\ntwo\nsix\nten", 0.2, 12),
    ("t\n\n" + "a" * 97, 0.1, 90),  # the only border would hold out nearly all …
    ("a" * 97 + "\n\nt", 0.5, 50),  # … or nearly nothing
    ("a" * 78 + "\n\n" + "b" * 20, 0.1, 80),  # twice what was asked …
    ("a" * 77 + "\n\n" + "b" * 21, 0.1, 90),  # … and more than that
    ("a" * 93 + "\n\n" + "b" * 5, 0.1, 95),  # half of it …
    ("a" * 94 + "\n\n" + "b" * 4, 0.1, 90),  # … and less
]


@pytest.mark.parametrize("text, held_out, place", CUT, ids=[str(i) for i in range(len(CUT))])
def test_where_a_text_is_cut(text, held_out, place):
    assert split(text, held_out) == (text[:place], text[place:])


@given(st.text("a \n", min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_both_parts_say_something_or_the_text_is_refused(text, held_out):
    try:
        training, rest = split(text, held_out)
    except ValueError as error:
        assert "too short to hold out" in str(error)
        asked = len(text) - round(len(text) * held_out)
        assert not (text[:asked].strip() and text[asked:].strip())
    else:
        assert training + rest == text and training.strip() and rest.strip()


def test_ids_are_copied():
    ids = IDS.copy()
    training, held_out = split(ids)
    training[:], held_out[:] = 0, 0
    np.testing.assert_array_equal(ids, IDS)
    assert training.dtype == held_out.dtype == np.int64


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, 10, float("nan")])
def test_a_share_lies_between_0_and_1(share):
    for whole in ("one\n\ntwo", IDS):
        with pytest.raises(ValueError, match="held_out is a share between 0 and 1, got"):
            split(whole, share)


@pytest.mark.parametrize("ids, share", [([], 0.5), ([1], 0.5), ([1, 2, 3], 0.1), ([1, 2, 3], 0.9), (range(4), 0.1)])
def test_too_few_ids_to_split(ids, share):
    with pytest.raises(ValueError, match=f"{len(ids)} ids are too few to hold out {share} of them"):
        split(ids, share)


@pytest.mark.parametrize("text", ["", "a", "ab", "\n\n\n\n", "a" + " " * 30, " " * 30 + "a"])
def test_too_short_a_text_to_split(text):
    with pytest.raises(ValueError, match=f"a text of {len(text)} characters is too short to hold out 0.1 of it"):
        split(text)


# ── windows ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_windows_side_by_side():
    inputs, targets = windows([5, 6, 7, 8, 9, 10, 11, 12], 3)
    np.testing.assert_array_equal(inputs, [[5, 6, 7], [8, 9, 10]], strict=True)
    np.testing.assert_array_equal(targets, [[6, 7, 8], [9, 10, 11]], strict=True)
    assert inputs.dtype == targets.dtype == np.int64


def test_windows_that_overlap_and_windows_apart():
    inputs, targets = windows([5, 6, 7, 8, 9], 3, stride=1)
    np.testing.assert_array_equal(inputs, [[5, 6, 7], [6, 7, 8]])
    np.testing.assert_array_equal(targets, [[6, 7, 8], [7, 8, 9]])
    inputs, targets = windows([5, 6, 7, 8, 9, 10], 2, stride=np.int32(3))
    np.testing.assert_array_equal(inputs, [[5, 6], [8, 9]])
    np.testing.assert_array_equal(targets, [[6, 7], [9, 10]])


@given(st.integers(2, 40), st.integers(1, 12), st.integers(1, 12) | st.none())
def test_the_number_of_windows_and_what_is_in_them(M, T, stride):
    ids = np.arange(M) * 3
    if M < T + 1:
        with pytest.raises(ValueError, match=f"a window of T={T} and its targets need {T + 1} ids, got {M}"):
            windows(ids, T, stride)
        return
    inputs, targets = windows(ids, T, stride)
    step = stride or T
    starts = [start for start in range(0, M, step) if start + T < M]
    assert inputs.shape == targets.shape == ((M - 1 - T) // step + 1, T)
    np.testing.assert_array_equal(inputs, [ids[start : start + T] for start in starts])
    np.testing.assert_array_equal(targets, [ids[start + 1 : start + T + 1] for start in starts])


def test_windows_are_arrays_of_their_own():
    ids = IDS.copy()
    inputs, targets = windows(ids, 4)
    inputs[:] = 0
    np.testing.assert_array_equal(ids, IDS)
    np.testing.assert_array_equal(targets[0], IDS[1:5])
    assert torch.from_numpy(inputs).dtype == torch.int64  # as the layers take them, without a warning


# ── batches ─────────────────────────────────────────────────────────────────────────────────────────────────


def starts_of(batch) -> list[int]:
    """Where in IDS the windows of a batch begin; checks that they are windows with their targets."""
    ids, targets = batch
    assert ids.dtype == targets.dtype == np.int64 and ids.shape == targets.shape
    starts = ids[:, 0] - 100
    np.testing.assert_array_equal(ids, IDS[starts[:, None] + np.arange(ids.shape[1])])
    np.testing.assert_array_equal(targets, IDS[starts[:, None] + 1 + np.arange(ids.shape[1])])  # IndexError past the end
    return starts.tolist()


def test_each_window_once_an_epoch():
    T, seen = 7, set()
    for seed in range(60):
        starts = [start for batch in batches(IDS, T, 1, seed) for start in starts_of(batch)]
        first = min(starts)
        assert sorted(starts) == list(range(first, 100 - T, T)) and first < T
        seen.add(first)
    assert seen == set(range(T)), "some offsets never come"


def test_every_place_is_trained_on():
    """All ids but the first are a target at some time, the last among them, and each in every place of a window."""
    T, places = 5, set()
    for ids, targets in batches(IDS, T, 3, seed=1, epochs=200):
        places |= {(int(target), t) for row in targets for t, target in enumerate(row)}
    assert {target for target, _ in places} == set(range(101, 200))
    assert {t for target, t in places if target == 150} == set(range(T))


def test_each_epoch_is_shuffled_anew():
    epochs = [starts_of(batch) for batch in batches(IDS, 1, 99, 3, epochs=5)]  # one batch is all of an epoch
    assert all(sorted(epoch) == list(range(99)) for epoch in epochs)
    for one, other in itertools.combinations([*epochs, list(range(99))], 2):
        assert np.mean(np.equal(one, other)) < 0.2  # an order kept, or turned, or in ascending order would agree wholly


@pytest.mark.parametrize("random_offsets", [False, True])
def test_the_seed_decides(random_offsets):
    def of(seed, epochs=2, B=4):
        return [starts_of(batch) for batch in batches(IDS, 5, B, seed, epochs, random_offsets)]

    assert of(0) == of(0) and of(0) != of(1)
    assert of(0, 3)[: len(of(0))] == of(0), "a longer training begins differently"
    np.random.seed(0)  # a global seed plays no part
    assert of(0) == of(0)
    assert [starts_of(batch) for batch in batches(IDS, 5, 4, epochs=2, random_offsets=random_offsets)] == of(0)


def test_the_rest_of_an_epoch_is_left_out():
    for seed in range(20):
        sizes = [len(starts_of(batch)) for batch in batches(IDS, 9, 4, seed, epochs=3)]
        assert sizes == [4, 4] * 3  # 10 or 11 windows, with the offset
    dropped = [set(range(99)) - {s for b in batches(IDS, 1, 50, seed) for s in starts_of(b)} for seed in range(4)]
    assert all(len(rest) == 49 for rest in dropped) and len(set(map(frozenset, dropped))) == 4  # not always the same


def test_fewer_windows_than_a_batch():
    assert [sorted(starts_of(batch)) for batch in batches(IDS[:3], 1, 8, epochs=2)] == [[0, 1], [0, 1]]
    assert [starts_of(batch) for batch in batches(IDS[:6], 5, 8, epochs=3)] == [[0]] * 3  # one window, no room to move


def test_random_offsets_are_drawn_anywhere():
    drawn = [start for batch in batches(IDS, 5, 4, 0, 60, random_offsets=True) for start in starts_of(batch)]
    assert len(drawn) == 60 * 16  # 19 windows fit side by side: 4 full batches
    assert set(drawn) == set(range(95))
    epoch = [start for batch in batches(IDS, 1, 99, 0, 1, random_offsets=True) for start in starts_of(batch)]
    assert len(epoch) == 99 > len(set(epoch)), "drawn without putting back"
    counts = np.bincount(drawn, minlength=95)
    assert counts[:5].sum() > 20 and counts[-5:].sum() > 20  # about 50 each: the ends are not neglected


def test_for_ever():
    endless = batches(IDS, 50, 1, epochs=None)
    assert len([starts_of(batch) for batch in itertools.islice(endless, 500)]) == 500
    assert len(list(batches(IDS, 99, 1))) == 1  # one epoch by default


def test_batches_do_not_follow_the_caller_s_list():
    ids = IDS.copy()
    run = batches(ids, 5, 2)
    ids[:] = 0
    assert len([starts_of(batch) for batch in run]) == 9
    first, _ = next(run := batches(IDS, 5, 2, epochs=2))
    first[:] = 0
    assert all(starts_of(batch) for batch in run)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────

CUTS = {"windows": lambda ids, T=3: windows(ids, T), "batches": lambda ids, T=3: batches(ids, T, 2)}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize(
    "ids, error, sentence",
    [
        ("a text", TypeError, "ids are needed here, got str: encode the text first"),
        (b"bytes", TypeError, "ids are needed here, got bytes: encode the text first"),
        ([1.0, 2.0, 3.0, 4.0], TypeError, "ids must be whole numbers, got float64"),
        ([True, False, True, True], TypeError, "ids must be whole numbers, got bool"),
        (list("abcd"), TypeError, "ids must be whole numbers, got <U1"),
        ([[1, 2, 3, 4]], ValueError, r"ids have one axis, got shape \(1, 4\)"),
        (7, ValueError, r"ids have one axis, got shape \(\)"),
        ([1, 2, 3], ValueError, "a window of T=3 and its targets need 4 ids, got 3"),
        ([], ValueError, "a window of T=3 and its targets need 4 ids, got 0"),
    ],
    ids=["str", "bytes", "floats", "bools", "letters", "two-axes", "number", "too-few", "none"],
)
def test_what_are_no_ids(cut, ids, error, sentence):
    with pytest.raises(error, match=sentence):
        cut(ids)


def test_bytes_are_no_text_to_split():
    with pytest.raises(TypeError, match="ids are needed here, got bytes: encode the text first"):
        split(b"one\n\ntwo")


@pytest.mark.parametrize("number", [0, -1])
@pytest.mark.parametrize("name", ["T", "B", "epochs", "stride"])
def test_numbers_begin_at_1(name, number):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got {number}"):
        windows(IDS, 3, stride=number) if name == "stride" else batches(IDS, **({"T": 3, "B": 2} | {name: number}))


@pytest.mark.parametrize("number", [2.0, "2", True, [2]], ids=repr)
@pytest.mark.parametrize("name", ["T", "B", "epochs", "stride"])
def test_numbers_are_whole(name, number):
    with pytest.raises(TypeError, match=f"{name} must be a whole number, got "):
        windows(IDS, 3, stride=number) if name == "stride" else batches(IDS, **({"T": 3, "B": 2} | {name: number}))


@pytest.mark.parametrize("kind", [list, tuple, np.uint16, np.int32, torch.tensor], ids=["list", "tuple", "uint16", "int32", "torch"])
def test_any_whole_numbers_in_a_row_are_ids(kind):
    inputs, targets = windows(kind([1, 2, 3, 4]), 3)
    np.testing.assert_array_equal(inputs, [[1, 2, 3]])
    np.testing.assert_array_equal(targets, [[2, 3, 4]])
    assert inputs.dtype == np.int64
