"""Rotary positions give the numbers of the transformers library, in the layout of LLaMA and in that of GPT-J."""

import numpy as np
import pytest
import torch
from transformers.models.gptj import modeling_gptj as gptj
from transformers.models.llama import modeling_llama as llama

from course.vectors.positions import RotaryPositions, deinterleave, interleave, rotate, rotate_halves, sinusoidal

B, H, T = 2, 3, 5
POSITIONS = {"from 0": np.arange(T), "behind seven": np.arange(7, 12), "each its own": np.array([[0, 0, 0, 1, 2], [30, 4, 5, 6, 9]])}
every_case = pytest.mark.parametrize("D", [2, 4, 10])
every_place = pytest.mark.parametrize("places", POSITIONS)


def draw(D, seed=0):
    return np.random.default_rng(seed).normal(size=(B, H, T, D)) * 2 + 0.3


def on_every_head(positions):
    """(T,) or (B, T) as the hand version takes them for (B, H, T, D)."""
    return positions if positions.ndim == 1 else positions[:, None]


def llamas(q, k, positions, base):
    """LLaMA's own modules; its tables are float32, whatever x is."""
    D = q.shape[-1]
    config = llama.LlamaConfig(hidden_size=H * D, num_attention_heads=H, head_dim=D,
                               rope_parameters={"rope_type": "default", "rope_theta": base})  # fmt: skip
    cos, sin = llama.LlamaRotaryEmbedding(config)(q, torch.from_numpy(np.broadcast_to(positions, (B, T)).copy()))
    return llama.apply_rotary_pos_emb(q, k, cos, sin)


def same(ours, theirs, within):
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=within)


@every_case
@every_place
@pytest.mark.parametrize("base", [10000.0, 500.0])
def test_halves_are_llamas_and_neighbours_are_too_by_permutation(D, places, base):
    q, k, p = draw(D), draw(D, seed=1), POSITIONS[places]
    theirs = llamas(torch.from_numpy(q), torch.from_numpy(k), p, base)
    there, back = deinterleave(D), interleave(D)
    for x, turned in zip((q, k), theirs):
        same(rotate_halves(x, on_every_head(p), base), turned, 2e-5)  # float32 angles of up to 30 radians
        same(rotate(x[..., back], on_every_head(p), base)[..., there], turned, 2e-5)
        layer = RotaryPositions(D, base)(torch.from_numpy(x[..., back].copy()), torch.from_numpy(p))
        same(layer.numpy()[..., there], turned, 2e-5)


@every_case
@every_place
def test_halves_are_llamas_function_exactly_where_its_tables_are_float64(D, places):
    q, p = draw(D), np.broadcast_to(POSITIONS[places], (B, T))
    angles = torch.from_numpy(p.copy()).double()[..., None] / 10000.0 ** (torch.arange(0, D, 2, dtype=torch.float64) / D)
    table = torch.cat([angles, angles], dim=-1)  # (B, T, D), as LlamaRotaryEmbedding lays it out
    theirs, _ = llama.apply_rotary_pos_emb(torch.from_numpy(q), torch.from_numpy(q), table.cos(), table.sin())
    same(rotate_halves(q, on_every_head(p)), theirs, 1e-13)


@every_case
@every_place
def test_neighbours_are_gptjs(D, places):
    q, p = draw(D), POSITIONS[places]
    sin, cos = gptj.create_sinusoidal_positions(40, D)[torch.from_numpy(p).expand(B, T)].chunk(2, dim=-1)  # (B, T, D/2)
    theirs = gptj.apply_rotary_pos_emb(torch.from_numpy(q).transpose(1, 2), sin, cos).transpose(1, 2)
    same(rotate(q, on_every_head(p)), theirs, 2e-5)
    same(RotaryPositions(D)(torch.from_numpy(q), torch.from_numpy(p)).numpy(), theirs, 2e-5)


@every_case
def test_sinusoidal_has_gptjs_sines_and_cosines_in_turn(D):
    theirs = gptj.create_sinusoidal_positions(40, D)
    same(sinusoidal(40, D)[:, deinterleave(D)], theirs, 1e-5)
