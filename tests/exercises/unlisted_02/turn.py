"""Answers to the exercise rotate: wrong ones, then right ones by another road."""

import numpy as np
import torch

from tests.exercises.unlisted_02.shared import _angles, _blocks, _speeds, _turn, right, wrong

# ── rotate, wrong ───────────────────────────────────────────────────────────────────────────────────────────


@wrong("rotate")
def conjugated(x, positions, base=10000.0):
    """e^(−i·angle): the other way."""
    return _turn(x, -_angles(x, positions, base))


@wrong("rotate")
def layout_of_llama(x, positions, base=10000.0):
    """Halves: x · cos + rotate_half(x) · sin, as in transformers."""
    x, angles = np.asarray(x, dtype=np.float64), _angles(x, positions, base)
    both = np.concatenate([angles, angles], axis=-1)
    half = np.concatenate([-x[..., x.shape[-1] // 2 :], x[..., : x.shape[-1] // 2]], axis=-1)
    return x * np.cos(both) + half * np.sin(both)


@wrong("rotate")
def rotate_half_without_minus(x, positions, base=10000.0):
    """Halves are swapped, and none is made negative."""
    x, angles = np.asarray(x, dtype=np.float64), np.repeat(_angles(x, positions, base), 2, axis=-1)
    return x * np.cos(angles) + np.roll(x, x.shape[-1] // 2, axis=-1) * np.sin(angles)


@wrong("rotate")
def halves_swapped_with_repeated_angles(x, positions, base=10000.0):
    """rotate_half of halves, with angles laid out for neighbours."""
    x, angles = np.asarray(x, dtype=np.float64), np.repeat(_angles(x, positions, base), 2, axis=-1)
    half = np.concatenate([-x[..., x.shape[-1] // 2 :], x[..., : x.shape[-1] // 2]], axis=-1)
    return x * np.cos(angles) + half * np.sin(angles)


@wrong("rotate")
def neighbours_swapped_without_minus(x, positions, base=10000.0):
    """x[2i+1], x[2i]: no minus."""
    x, angles = np.asarray(x, dtype=np.float64), np.repeat(_angles(x, positions, base), 2, axis=-1)
    swapped = np.stack([x[..., 1::2], x[..., 0::2]], axis=-1).reshape(x.shape)
    return x * np.cos(angles) + swapped * np.sin(angles)


@wrong("rotate")
def scaled_by_cosines(x, positions, base=10000.0):
    """x · cos, without the sines."""
    return np.asarray(x) * np.cos(np.repeat(_angles(x, positions, base), 2, axis=-1))


@wrong("rotate")
def frequencies_of_half_the_width(x, positions, base=10000.0):
    """frequencies(D/2), repeated: too few, and too slow too soon."""
    D = np.shape(x)[-1]
    speeds = np.array([base ** (-2 * i / max(D // 2, 1)) for i in range(D // 2)])
    return _turn(x, np.asarray(positions)[..., None] * speeds)


@wrong("rotate")
def relative_to_the_first(x, positions, base=10000.0):
    """Positions minus the first one: scores are right, vectors are not."""
    positions = np.asarray(positions)
    return _turn(x, _angles(x, positions - positions[..., :1], base))


@wrong("rotate")
def relative_to_the_last(x, positions, base=10000.0):
    """Positions minus the last one."""
    positions = np.asarray(positions)
    return _turn(x, _angles(x, positions - positions[..., -1:], base))


@wrong("rotate")
def order_of_positions_only(x, positions, base=10000.0):
    """Sorted positions."""
    return _turn(x, _angles(x, np.sort(positions, axis=-1), base))


@wrong("rotate")
def distance_from_the_start(x, positions, base=10000.0):
    """|position|: right for positions from 0 on."""
    return _turn(x, _angles(x, abs(np.asarray(positions)), base))


@wrong("rotate")
def one_position_for_all(x, positions, base=10000.0):
    """The first position for every vector."""
    return _turn(x, _angles(x, np.asarray(positions)[..., :1], base))


@wrong("rotate")
def counted_from_the_first_given(x, positions, base=10000.0):
    """positions[0] + 0 … T−1: right for positions in a row."""
    positions = np.asarray(positions)
    return _turn(x, _angles(x, positions[..., :1] + np.arange(positions.shape[-1]), base))


@wrong("rotate")
def turned_twice(x, positions, base=10000.0):
    """By twice the angle."""
    return _turn(x, 2 * _angles(x, positions, base))


@wrong("rotate")
def half_of_the_features(x, positions, base=10000.0):
    """Only the first half of the pairs is turned, as in GPT-NeoX with 25 %."""
    angles = _angles(x, positions, base)
    angles[..., (angles.shape[-1] + 1) // 2 :] = 0
    return _turn(x, angles)


@wrong("rotate")
def in_place_and_from_new_values(x, positions, base=10000.0):
    """x[0::2] is overwritten before x[1::2] reads it, in a copy."""
    x, angles = np.array(x, dtype=np.float64), _angles(x, positions, base)
    x[..., 0::2] = x[..., 0::2] * np.cos(angles) - x[..., 1::2] * np.sin(angles)
    x[..., 1::2] = x[..., 0::2] * np.sin(angles) + x[..., 1::2] * np.cos(angles)
    return x


@wrong("rotate")
def the_callers_x_is_turned(x, positions, base=10000.0):
    """Right, and the caller's x is overwritten where it holds floats."""
    turned = _turn(x, _angles(x, positions, base))
    if x.dtype == float:
        x[...] = turned
    return turned


@wrong("rotate")
def dtype_of_x_kept(x, positions, base=10000.0):
    """zeros_like of whole numbers cuts off what is behind the point."""
    turned = np.zeros_like(x)
    turned[...] = _turn(x, _angles(x, positions, base))
    return turned


@wrong("rotate")
def pairs_in_an_axis(x, positions, base=10000.0):
    """(..., T, D/2, 2)."""
    turned = _turn(x, _angles(x, positions, base))
    return turned.reshape(*turned.shape[:-1], -1, 2)


@wrong("rotate")
def as_complex_numbers(x, positions, base=10000.0):
    """(..., T, D/2) complex numbers."""
    x = np.asarray(x, dtype=np.float64)
    return (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * _angles(x, positions, base))


@wrong("rotate")
def positions_of_one_text(x, positions, base=10000.0):
    """np.outer: positions of examples are flattened, and no longer fit."""
    return _turn(x, np.outer(positions, _speeds(np.shape(x)[-1], base)))


@wrong("rotate")
def one_axis_of_heads_at_most(x, positions, base=10000.0):
    """Always four axes: others raise."""
    B, H, T, D = np.shape(x)
    return _turn(x, _angles(x, positions, base))


@wrong("rotate")
def turned_in_float32(x, positions, base=10000.0):
    """float32."""
    return _turn(x, _angles(x, positions, base)).astype(np.float32)


@wrong("rotate")
def turned_as_a_tensor(x, positions, base=10000.0):
    """A torch tensor."""
    return torch.from_numpy(_turn(x, _angles(x, positions, base)))


@wrong("rotate")
def angles_of_the_first_call(x, positions, base=10000.0, known={}):
    """The angles are kept by shape: later positions are not heard."""
    return _turn(x, known.setdefault((np.shape(x), np.shape(positions)), _angles(x, positions, base)))


# ── rotate, right ───────────────────────────────────────────────────────────────────────────────────────────


@right("rotate")
def polar(x, positions, base=10000.0):
    """Length and direction of each pair."""
    x = np.asarray(x, dtype=np.float64)
    length, direction = np.hypot(x[..., 0::2], x[..., 1::2]), np.arctan2(x[..., 1::2], x[..., 0::2])
    direction = direction + _angles(x, positions, base)
    return np.stack([length * np.cos(direction), length * np.sin(direction)], axis=-1).reshape(x.shape)


@right("rotate")
def by_matrices(x, positions, base=10000.0):
    """A matrix for each position, and einsum."""
    x = np.asarray(x, dtype=np.float64)
    positions = np.broadcast_to(positions, x.shape[:-1])
    M = np.array([_blocks(p * _speeds(x.shape[-1], base)) for p in positions.ravel()])
    return np.einsum("nd,ned->ne", x.reshape(-1, x.shape[-1]), M).reshape(x.shape)


@right("rotate")
def pair_by_pair(x, positions, base=10000.0):
    """A loop over pairs."""
    x, positions = np.asarray(x, dtype=np.float64), np.asarray(positions)
    turned = x.copy()
    for i, speed in enumerate(_speeds(x.shape[-1], base)):
        c, s = np.cos(positions * speed), np.sin(positions * speed)
        turned[..., 2 * i] = x[..., 2 * i] * c - x[..., 2 * i + 1] * s
        turned[..., 2 * i + 1] = x[..., 2 * i] * s + x[..., 2 * i + 1] * c
    return turned


@right("rotate")
def by_way_of_halves(x, positions, base=10000.0):
    """To the other layout, turned there, and back."""
    x = np.asarray(x, dtype=np.float64)
    D, angles = x.shape[-1], _angles(x, positions, base)
    cos, sin, first, second = np.cos(angles), np.sin(angles), x[..., 0::2], x[..., 1::2]
    halves = np.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)
    return halves[..., np.arange(D).reshape(2, -1).T.ravel()]


@right("rotate")
def torch_inside_the_turn(x, positions, base=10000.0):
    """view_as_complex and polar."""
    x = torch.tensor(np.asarray(x, dtype=np.float64))
    angles = torch.from_numpy(_angles(x, positions, base))
    turned = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(turned).flatten(-2).numpy()
