"""Answers to the exercise merge: wrong ones, then right ones by another road."""

import functools

import numpy as np

from tests.exercises.unlisted_01.shared import _join, right, wrong

# ── wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


@wrong("merge")
def for_loop_with_a_step(ids, pair, new_id):
    """i += 2 in a for loop does nothing: the second id stays."""
    merged = []
    for i in range(len(ids)):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            merged.append(new_id)
            i += 2  # noqa: PLW2901
        else:
            merged.append(ids[i])
    return merged


@wrong("merge")
def two_by_two(ids, pair, new_id):
    """Looks at first and second, third and fourth only."""
    merged = []
    for i in range(0, len(ids), 2):
        two = tuple(ids[i : i + 2])
        merged += [new_id] if two == pair else two
    return merged


@wrong("merge")
def no_look_at_the_end(ids, pair, new_id):
    """ids[i + 1] behind the end: IndexError wherever the last id is not merged."""
    merged, i = [], 0
    while i < len(ids):
        if (ids[i], ids[i + 1]) == pair:
            merged.append(new_id)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


@wrong("merge")
def in_place(ids, pair, new_id):
    """Right, and the argument is changed."""
    ids[:] = _join(ids, pair, new_id)
    return ids


@wrong("merge")
def in_place_without_return(ids, pair, new_id):
    """The argument is changed and nothing returned."""
    ids[:] = _join(ids, pair, new_id)


@wrong("merge")
def slices_that_step_over(ids, pair, new_id):
    """After a merge in a copy goes on two further: the next pair is missed."""
    out, i = list(ids), 0
    while i < len(out) - 1:
        if (out[i], out[i + 1]) == pair:
            out[i : i + 2] = [new_id]
            i += 2
        else:
            i += 1
    return out


@wrong("merge")
def by_text(ids, pair, new_id):
    """Replaced in "1 2 12": numbers that end or begin alike are hit, too."""
    text = " ".join(map(str, ids)).replace(f"{pair[0]} {pair[1]}", str(new_id))
    return [int(number) for number in text.split()]


@wrong("merge")
def compares_with_a_list(ids, pair, new_id):
    """A slice is a list, and never equal to a tuple: nothing is merged."""
    out, i = [], 0
    while i < len(ids):
        if ids[i : i + 2] == pair:
            out.append(new_id)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


@wrong("merge")
def any_of_the_two(ids, pair, new_id):
    """Each id of the pair is replaced, wherever it stands."""
    return [new_id if id in pair else id for id in ids]


@wrong("merge")
def a_tuple(ids, pair, new_id):
    """A tuple in place of a list."""
    return tuple(_join(ids, pair, new_id))


@wrong("merge")
def an_array(ids, pair, new_id):
    """A NumPy array in place of a list."""
    return np.array(_join(ids, pair, new_id), dtype=int)


@wrong("merge")
def right_id_is_enough(ids, pair, new_id):
    """Merges where the right id of the pair stands, whatever is left of it."""
    out = []
    for id in ids:
        if out and id == pair[1]:
            out[-1] = new_id
        else:
            out.append(id)
    return out


@wrong("merge")
def pile_that_merges_on(ids, pair, new_id):
    """A pile whose top is compared with the id before it in the text: overlapping pairs are merged twice."""
    out, before = [], None
    for id in ids:
        if out and (before, id) == pair:
            out[-1] = new_id
        else:
            out.append(id)
        before = id
    return out


@wrong("merge")
def up_to_the_last_pair(ids, pair, new_id):
    """while i < len(ids) - 1, and the last id is forgotten."""
    merged, i = [], 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) == pair:
            merged.append(new_id)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


@wrong("merge")
def the_last_one_only(ids, pair, new_id):
    """Merges the last occurrence."""
    places = [i for i in range(len(ids) - 1) if (ids[i], ids[i + 1]) == pair]
    return ids[: places[-1]] + [new_id] + ids[places[-1] + 2 :] if places else list(ids)


@wrong("merge")
def at_most_two(ids, pair, new_id):
    """Two merges, and the rest as it was."""
    out, i, done = [], 0, 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair and done < 2:
            out.append(new_id)
            i, done = i + 2, done + 1
        else:
            out.append(ids[i])
            i += 1
    return out


@wrong("merge")
def a_level_of_brackets(ids, pair, new_id):
    """[new_id] is appended, a list in the list."""
    return [[id] if id == new_id else id for id in _join(ids, pair, new_id)]


@wrong("merge")
def only_if_different(ids, pair, new_id):
    """a a is not merged."""
    return list(ids) if pair[0] == pair[1] else _join(ids, pair, new_id)


# ── right ───────────────────────────────────────────────────────────────────────────────────────────────────


@right("merge")
def by_recursion(ids, pair, new_id):
    """The beginning, and then the same with what is behind it."""
    if len(ids) < 2:
        return ids[:]
    if (ids[0], ids[1]) == pair:
        return [new_id, *by_recursion(ids[2:], pair, new_id)]
    return [ids[0], *by_recursion(ids[1:], pair, new_id)]


@right("merge")
def by_skipping(ids, pair, new_id):
    """A for loop and a mark."""
    merged, skip = [], False
    for i, id in enumerate(ids):
        if skip:
            skip = False
        elif id == pair[0] and i < len(ids) - 1 and ids[i + 1] == pair[1]:
            merged.append(new_id)
            skip = True
        else:
            merged.append(id)
    return merged


@right("merge")
def by_characters(ids, pair, new_id):
    """Ids as characters of a text, whose replace goes from left to right."""
    return [ord(sign) for sign in "".join(map(chr, ids)).replace(chr(pair[0]) + chr(pair[1]), chr(new_id))]


@right("merge")
def by_popping_a_copy(ids, pair, new_id):
    """Ids taken from the front of a copy."""
    left, merged = list(ids), []
    while left:
        id = left.pop(0)
        if left and (id, left[0]) == pair:
            left.pop(0)
            id = new_id
        merged.append(id)
    return merged


@right("merge")
def by_reduce(ids, pair, new_id):
    """Pairs (id, fresh) folded from the left."""

    def step(done, id):
        if done and not done[-1][1] and (done[-1][0], id) == pair:
            return [*done[:-1], (new_id, True)]
        return [*done, (id, False)]

    return [id for id, _ in functools.reduce(step, ids, [])]
