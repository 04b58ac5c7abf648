"""What learners might hand in for chapter 01, thought up from the docstrings alone.

WRONG and RIGHT map each task to functions.  A wrong one differs from course.text.bpe on some input a learner could try,
and its name and first line say how; a right one agrees on all of them, by another road.
"""

from collections.abc import Callable

from course.text.bpe import pre_tokenize, to_ids

TASKS = ("pair_counts", "merge", "bpe_train", "bpe_encode", "bpe_decode")
WRONG: dict[str, list[Callable]] = {task: [] for task in TASKS}
RIGHT: dict[str, list[Callable]] = {task: [] for task in TASKS}


def wrong(task: str) -> Callable:
    """Decorator: the function is a wrong answer to the task."""
    return lambda function: WRONG[task].append(function) or function


def right(task: str) -> Callable:
    """Decorator: the function is a right answer to the task."""
    return lambda function: RIGHT[task].append(function) or function


# What the answers below share, each right by itself, so that an answer is wrong in the one way its name says.


def _rows(text: str) -> list[list[int]]:
    return [to_ids(piece) for piece in pre_tokenize(text)]


def _count(rows: list[list[int]]) -> dict:
    counts: dict = {}
    for ids in rows:
        for i in range(1, len(ids)):
            counts[ids[i - 1], ids[i]] = counts.get((ids[i - 1], ids[i]), 0) + 1
    return counts


def _join(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    out: list[int] = []
    i = 0
    while i < len(ids):
        hit = tuple(ids[i : i + 2]) == tuple(pair)
        out.append(new if hit else ids[i])
        i += 2 if hit else 1
    return out


def _learn(text: str, n: int, rows=_rows, count=_count, join=_join, order=lambda counts, pair: (-counts[pair], pair)) -> list:
    """n merges of a text, fewer where no pair is left."""
    pieces, merges = rows(text), []
    for new in range(256, 256 + n):
        counts = count(pieces)
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: order(counts, pair)))
        pieces = [join(ids, merges[-1], new) for ids in pieces]
    return merges


def _replay(ids: list[int], merges: list, first: int = 256) -> list[int]:
    for i, pair in enumerate(merges):
        ids = _join(ids, pair, first + i)
    return ids
