"""Answers to the exercise shift: wrong ones, then right ones by another road."""

import numpy as np
import torch

from tests.exercises.unlisted_02.shared import _blocks, _sinusoidal, _speeds, right, wrong

# ── shift, wrong ────────────────────────────────────────────────────────────────────────────────────────────


@wrong("shift")
def for_columns_not_rows(offset, d_model, base=10000.0):
    """M @ row in place of row @ M: the transpose."""
    return _blocks(offset * _speeds(d_model, base)).T


@wrong("shift")
def adds_the_difference(offset, d_model, base=10000.0):
    """M − 1: what is to be added to the vector."""
    return _blocks(offset * _speeds(d_model, base)) - np.eye(d_model)


@wrong("shift")
def ones_moved_in_the_table(offset, d_model, base=10000.0):
    """A shifted identity, np.eye(C, k=offset): it moves features, not positions."""
    return np.eye(d_model, k=int(offset))


@wrong("shift")
def ratio_of_two_rows(offset, d_model, base=10000.0):
    """Row `offset` over row 1, on the diagonal."""
    table = _sinusoidal(abs(int(offset)) + 2, d_model, base)
    return np.diag(table[abs(int(offset))] / table[1])


@wrong("shift")
def blocks_of_frequencies(offset, d_model, base=10000.0):
    """The angle is ω, and the block times the offset."""
    return offset * _blocks(_speeds(d_model, base))


@wrong("shift")
def power_by_number(offset, d_model, base=10000.0):
    """One step, each number to the power of the offset."""
    return np.sign(_blocks(_speeds(d_model, base))) * abs(_blocks(_speeds(d_model, base))) ** offset


@wrong("shift")
def whole_powers_of_one_step(offset, d_model, base=10000.0):
    """matrix_power of one step with the offset rounded: right for whole numbers."""
    return np.linalg.matrix_power(_blocks(_speeds(d_model, base)), round(offset))


@wrong("shift")
def forward_only(offset, d_model, base=10000.0):
    """No step for a negative offset."""
    return _blocks(max(offset, 0) * _speeds(d_model, base))


@wrong("shift")
def both_minus(offset, d_model, base=10000.0):
    """A minus on both sides of the diagonal."""
    M = _blocks(offset * _speeds(d_model, base))
    return np.where(np.eye(d_model) == 0, -abs(M), M)


@wrong("shift")
def second_cosine_negative(offset, d_model, base=10000.0):
    """[[cos, sin], [sin, −cos]]: a mirror in place of a turn, of the same lengths."""
    M = _blocks(offset * _speeds(d_model, base))
    M[:, 1::2] *= -1
    return M


@wrong("shift")
def cosines_first(offset, d_model, base=10000.0):
    """For pairs in the order (cos, sin): comes to the transpose, written with a loop."""
    M = np.zeros((d_model, d_model))
    for i, angle in enumerate(offset * _speeds(d_model, base)):
        M[2 * i, 2 * i] = M[2 * i + 1, 2 * i + 1] = np.cos(angle)
        M[2 * i, 2 * i + 1], M[2 * i + 1, 2 * i] = np.sin(angle), -np.sin(angle)
    return M


@wrong("shift")
def blocks_overlap(offset, d_model, base=10000.0):
    """Block i begins at row i, not 2i."""
    M = np.zeros((d_model, d_model))
    for i, angle in enumerate(offset * _speeds(d_model, base)):
        M[i : i + 2, i : i + 2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return M


@wrong("shift")
def a_stack_of_blocks(offset, d_model, base=10000.0):
    """(C/2, 2, 2)."""
    angles = offset * _speeds(d_model, base)
    return np.moveaxis(np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]), -1, 0)


@wrong("shift")
def angles_on_the_diagonal(offset, d_model, base=10000.0):
    """The angles themselves."""
    return np.diag(np.repeat(offset * _speeds(d_model, base), 2))


@wrong("shift")
def filled_up_with_ones(offset, d_model, base=10000.0):
    """np.ones in place of np.zeros outside of the blocks."""
    inside = np.kron(np.eye(d_model // 2), np.ones((2, 2)))
    return np.where(inside == 1, _blocks(offset * _speeds(d_model, base)), 1.0)


@wrong("shift")
def small_angles(offset, d_model, base=10000.0):
    """sin a ≈ a, cos a ≈ 1 − a²/2."""
    angles = offset * _speeds(d_model, base)
    return np.kron(np.diag(1 - angles**2 / 2), np.eye(2)) + np.kron(np.diag(angles), [[0.0, -1.0], [1.0, 0.0]])


@wrong("shift")
def step_in_float32(offset, d_model, base=10000.0):
    """float32."""
    return _blocks(offset * _speeds(d_model, base)).astype(np.float32)


@wrong("shift")
def step_as_nested_lists(offset, d_model, base=10000.0):
    """A list of lists."""
    return _blocks(offset * _speeds(d_model, base)).tolist()


@wrong("shift")
def default_base_only(offset, d_model, base=10000.0):
    """`frequencies(d_model)`: the base is not handed on."""
    return _blocks(offset * _speeds(d_model, 10000.0))


@wrong("shift")
def buffer_of_one_width(offset, d_model, base=10000.0, buffers={}):
    """Right when it returns; the next call of this width overwrites it."""
    buffer = buffers.setdefault(d_model, np.empty((d_model, d_model)))
    buffer[...] = _blocks(offset * _speeds(d_model, base))
    return buffer


# ── shift, right ────────────────────────────────────────────────────────────────────────────────────────────


@right("shift")
def by_kron(offset, d_model, base=10000.0):
    """Two Kronecker products: cosines, and sines beside the diagonal."""
    angles = offset * _speeds(d_model, base)
    return np.kron(np.diag(np.cos(angles)), np.eye(2)) + np.kron(np.diag(np.sin(angles)), [[0, -1], [1, 0]])


@right("shift")
def torch_block_diag(offset, d_model, base=10000.0):
    """torch.block_diag."""
    blocks = [torch.from_numpy(_blocks(np.array([angle]))) for angle in offset * _speeds(d_model, base)]
    return torch.block_diag(*blocks).numpy()


@right("shift")
def number_by_number(offset, d_model, base=10000.0):
    """Two loops and four ifs."""
    M = np.zeros((d_model, d_model))
    for r in range(d_model):
        for c in range(d_model):
            if r // 2 == c // 2:
                angle = offset / base ** (r // 2 * 2 / d_model)
                M[r, c] = np.cos(angle) if r == c else np.sin(angle) if r > c else -np.sin(angle)
    return M


@right("shift")
def identity_turned(offset, d_model, base=10000.0):
    """What becomes of each unit vector, as complex numbers: sin is the imaginary part."""
    turned = (np.eye(d_model)[:, 1::2] + 1j * np.eye(d_model)[:, 0::2]) * np.exp(1j * offset * _speeds(d_model, base))
    return np.stack([turned.imag, turned.real], axis=-1).reshape(d_model, d_model)
