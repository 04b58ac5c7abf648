"""Windows: a long text cut into pieces of T ids, each with its targets, the same ids one place further on.

    training, held_out = split(text)                        # first of all: what is held out is never trained on
    for ids, targets in batches(tokenizer.encode(training), T=128, B=32, seed=0, epochs=2):
        ...                                                 # both (B, T): targets[b, t] is what follows ids[b, t]

The order matters.  Windows that are cut first and split afterwards overlap, and then the held-out text has been
trained on.  NumPy only; with torch write `torch.from_numpy(ids)`.
"""

import re
from collections.abc import Iterator

import numpy as np

BORDER = re.compile(r"\n(?:[ \t\r]*\n)+")  # between paragraphs: empty lines, without the indent of what follows


def split(text_or_ids, held_out: float = 0.1):
    """Cut the end off: (training, held out), in their order and with nothing lost between them.

    text_or_ids: a text, which is cut at the border of paragraphs nearest to the place asked for (the earlier of two;
    the empty lines stay with the training part), or at exactly that place where every border would hold out less than
    half or more than twice of what was asked; or ids (N,), cut at that place.
    held_out: the share at the end, above 0 and below 1.
    Returns two texts, or two int64 arrays.  Raises ValueError where a part would be empty.
    """
    if not 0 < held_out < 1:
        raise ValueError(f"held_out is a share between 0 and 1, got {held_out}")
    if isinstance(text_or_ids, str):
        text = text_or_ids
        place = _border(text, round(len(text) * held_out))
        if not (text[:place].strip() and text[place:].strip()):
            raise ValueError(f"a text of {len(text)} characters is too short to hold out {held_out:g} of it")
        return text[:place], text[place:]
    ids = _ids(text_or_ids)
    place = len(ids) - round(len(ids) * held_out)
    if not 0 < place < len(ids):
        raise ValueError(f"{len(ids)} ids are too few to hold out {held_out:g} of them")
    return ids[:place], ids[place:]


def _border(text: str, size: int) -> int:
    """Where to cut so that about `size` characters are held out."""
    first, last = len(text) - len(text.lstrip()), len(text.rstrip())  # empty lines at the ends part nothing
    ends = (match.end() for match in BORDER.finditer(text, first, last))
    near = [end for end in ends if size <= 2 * (len(text) - end) <= 4 * size]
    place = len(text) - size
    return min(near, key=lambda end: abs(end - place), default=place)


def windows(ids, T: int, stride: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """All windows of T ids from the beginning on, one every `stride` ids, and the targets of each.

    ids: (M,) whole numbers;  T ≥ 1;  stride ≥ 1, by default T, so that every id is a target once at most.
    Returns inputs and targets, (N, T) int64 each, N = (M − 1 − T) // stride + 1: a window counts if each of its ids
    has one after it, so the first id is never a target, and at the end up to stride − 1 ids are left over.
    Raises ValueError for fewer than T + 1 ids.
    """
    ids = _ids(ids)
    starts = np.arange(0, _last_start(ids, T) + 1, _at_least_1("stride", T if stride is None else stride))
    return _cut(ids, starts, T)


def batches(
    ids, T: int, B: int, seed: int = 0, epochs: int | None = 1, random_offsets: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of B windows of T ids with their targets, in another order in each epoch, the same for the same seed.

    An epoch goes through windows side by side (each id is a target once at most), in a new random order, and begins
    at a new random offset below T, so that a long training sees every id in every place of a window.
    `random_offsets=True` draws each window anywhere instead, as nanoGPT-style training does; an epoch then is as many
    windows as fit side by side, and some ids come twice and others not at all.

    ids: (M,) whole numbers, at least T + 1;  T, B ≥ 1;  epochs: how many, or None for ever.
    Yields (ids, targets), (B, T) int64 each.  What remains of an epoch after its full batches is left out; an epoch of
    fewer than B windows is one smaller batch.  No window goes across the end of the text.
    Raises ValueError for fewer than T + 1 ids and for numbers below 1, at the call, before a batch is asked for.
    """
    ids, B = _ids(ids), _at_least_1("B", B)
    last = _last_start(ids, T)
    if epochs is not None:
        _at_least_1("epochs", epochs)
    return _epochs(ids, last, T, B, np.random.default_rng(seed), epochs, random_offsets)


def _epochs(ids, last: int, T: int, B: int, rng, epochs: int | None, random_offsets: bool):
    epoch = 0
    while epochs is None or epoch < epochs:
        if random_offsets:
            starts = rng.integers(0, last + 1, size=last // T + 1)
        else:
            starts = rng.permutation(np.arange(rng.integers(0, min(T, last + 1)), last + 1, T))
        full = len(starts) - len(starts) % B or len(starts)
        for first in range(0, full, B):
            yield _cut(ids, starts[first : first + B], T)
        epoch += 1


def _cut(ids: np.ndarray, starts: np.ndarray, T: int) -> tuple[np.ndarray, np.ndarray]:
    places = starts[:, None] + np.arange(T)  # (N, T)
    return ids[places], ids[places + 1]


def _last_start(ids: np.ndarray, T: int) -> int:
    """Where the last window may begin; ValueError if there is no room for one."""
    _at_least_1("T", T)
    if len(ids) < T + 1:
        raise ValueError(f"a window of T={T} and its targets need {T + 1} ids, got {len(ids)}")
    return len(ids) - T - 1


def _at_least_1(name: str, number) -> int:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {number!r}")
    if number < 1:
        raise ValueError(f"{name} must be at least 1, got {number}")
    return int(number)


def _ids(ids) -> np.ndarray:
    """(M,) int64."""
    if isinstance(ids, (str, bytes)):
        raise TypeError(f"ids are needed here, got {type(ids).__name__}: encode the text first")
    array = np.asarray(ids)
    if array.ndim != 1:
        raise ValueError(f"ids have one axis, got shape {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"ids must be whole numbers, got {array.dtype}")
    return array.astype(np.int64)
