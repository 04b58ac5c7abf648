"""Right answers to chapter 02's exercises that look different: a check must pass every one of them."""

import math

import numpy as np
import torch

from course.vectors.positions import interleave

TRACE = ([-0.4161, 0.4794], (-0.42, 0.48), np.array([math.cos(2), math.sin(0.5)]))


def frequencies_by_exp(d_model, base=10000.0):
    """e to the logarithm, as most code has it."""
    return np.exp(np.arange(0, d_model, 2) * (-math.log(base) / d_model))


def frequencies_one_by_one(d_model, base=10000.0):
    """The formula, pair by pair."""
    return np.array([1 / base ** (2 * i / d_model) for i in range((d_model + 1) // 2)])


def frequencies_by_a_ratio(d_model, base=10000.0):
    """Each is the one before, divided by base^(2/C)."""
    return np.cumprod([1.0] + [base ** (-2 / d_model)] * ((d_model - 1) // 2))


FREQUENCIES = (frequencies_by_exp, frequencies_one_by_one, frequencies_by_a_ratio)


def sinusoidal_cell_by_cell(T, d_model, base=10000.0):
    """The formula, number by number."""
    table = np.zeros((T, d_model))
    for p in range(T):
        for j in range(d_model):
            angle = p / base ** (j // 2 * 2 / d_model)
            table[p, j] = math.cos(angle) if j % 2 else math.sin(angle)
    return table


def sinusoidal_as_a_stack(T, d_model, base=10000.0):
    """Pairs in an axis of their own, flattened, and the column too many of an odd width cut off."""
    angles = np.arange(T)[:, None] / base ** (np.arange(0, d_model, 2) / d_model)
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return pairs.reshape(T, 2 * angles.shape[1])[:, :d_model]


def sinusoidal_by_a_phase(T, d_model, base=10000.0):
    """A cosine is a sine that is a quarter turn ahead."""
    column = np.arange(d_model)
    return np.sin(np.arange(T)[:, None] * base ** (-(column - column % 2) / d_model) + column % 2 * np.pi / 2)


def sinusoidal_by_complex_numbers(T, d_model, base=10000.0):
    """The real and the imaginary part of turning numbers."""
    turning = np.exp(1j * np.outer(np.arange(T), base ** (-np.arange(0, d_model, 2) / d_model)))
    table = np.empty((T, d_model))
    table[:, 0::2], table[:, 1::2] = turning.imag, turning.real[:, : d_model // 2]
    return table


SINUSOIDAL = (sinusoidal_cell_by_cell, sinusoidal_as_a_stack, sinusoidal_by_a_phase, sinusoidal_by_complex_numbers)


def shift_block_by_block(offset, d_model, base=10000.0):
    """One 2 × 2 block after the other."""
    M = np.zeros((d_model, d_model))
    for i in range(0, d_model, 2):
        angle = offset * base ** (-i / d_model)
        M[i : i + 2, i : i + 2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    return M


def shift_as_an_exponential(offset, d_model, base=10000.0):
    """Turning is the exponential of a matrix that is its own negative when transposed."""
    speeds = base ** (-np.arange(0, d_model, 2) / d_model)
    generator = np.kron(np.diag(offset * speeds), [[0.0, -1.0], [1.0, 0.0]])
    return torch.linalg.matrix_exp(torch.from_numpy(generator)).numpy()


SHIFT = (shift_block_by_block, shift_as_an_exponential)


def rotate_by_complex_numbers(x, positions, base=10000.0):
    """A pair as a complex number, times e^(i·angle)."""
    x, D = np.asarray(x, dtype=np.float64), np.shape(x)[-1]
    pairs = x[..., 0::2] + 1j * x[..., 1::2]
    turned = pairs * np.exp(1j * np.asarray(positions)[..., None] / base ** (np.arange(0, D, 2) / D))
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)


def rotate_with_swapped_neighbours(x, positions, base=10000.0):
    """x · cos + (−x₁, x₀, −x₃, x₂ …) · sin, as much code has it."""
    x, D = np.asarray(x, dtype=np.float64), np.shape(x)[-1]
    angles = np.repeat(np.asarray(positions)[..., None] * base ** (-np.arange(0, D, 2) / D), 2, axis=-1)
    swapped = np.stack([-x[..., 1::2], x[..., 0::2]], axis=-1).reshape(x.shape)
    return x * np.cos(angles) + swapped * np.sin(angles)


def rotate_vector_by_vector(x, positions, base=10000.0):
    """Each vector times the block matrix of its own position."""
    x = np.asarray(x, dtype=np.float64)
    positions = np.broadcast_to(positions, x.shape[:-1])
    turned = np.empty_like(x)
    for place in np.ndindex(positions.shape):
        turned[place] = x[place] @ shift_block_by_block(-positions[place], x.shape[-1], base)
    return turned


ROTATE = (rotate_by_complex_numbers, rotate_with_swapped_neighbours, rotate_vector_by_vector)


def deinterleave_head_by_head(D, n_heads=1):
    """A list that grows: the even ones of a head, then its odd ones."""
    order = []
    for h in range(n_heads):
        order += range(h * D, (h + 1) * D, 2)
        order += range(h * D + 1, (h + 1) * D, 2)
    return np.array(order)


def deinterleave_by_axes(D, n_heads=1):
    """Heads, pairs and the two of a pair as axes, of which the last two are swapped."""
    return np.arange(n_heads * D).reshape(n_heads, D // 2, 2).swapaxes(1, 2).ravel()


def deinterleave_as_the_way_back(D, n_heads=1):
    """The inverse of the other permutation."""
    return np.argsort(interleave(D, n_heads))


DEINTERLEAVE = (deinterleave_head_by_head, deinterleave_by_axes, deinterleave_as_the_way_back)
