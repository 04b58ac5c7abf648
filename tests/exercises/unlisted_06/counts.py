"""Answers to the exercise parameter_count: wrong ones, then right ones by another road."""

import torch
from torch import nn

from tests.exercises.unlisted_06.shared import right, wrong


def _count(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned") -> dict:
    F = F or 4 * C
    return {
        "embedding": V * C, "positions": P * C * (positions == "learned"), "attention": L * 4 * C * (C + bias),
        "feed_forward": L * (C * F + F * C + bias * (F + C)), "norms": C * (1 + bias) * (2 * L + 1),
        "unembedding": V * C * (not tied),
    }  # fmt: skip


# ── parameter_count, wrong ──────────────────────────────────────────────────────────────────────────────────


@wrong("parameter_count")
def twelve_C_squared(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """The rule of thumb: 4 C² and 8 C² for each block, and nothing besides."""
    return _count(V, P, C, H, L, F, bias, tied, positions) | {"attention": 4 * L * C**2, "feed_forward": 8 * L * C**2, "norms": 0}


@wrong("parameter_count")
def queries_and_keys_of_one_head(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """W_Q and W_K of width C/H, W_V and W_O whole."""
    D = C // H
    return _count(V, P, C, H, L, F, bias, tied, positions) | {"attention": L * (2 * (C * D + bias * D) + 2 * C * (C + bias))}


@wrong("parameter_count")
def bias_for_the_output_map_only(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """Attention has one bias, behind W_O."""
    return _count(V, P, C, H, L, F, bias, tied, positions) | {"attention": L * (4 * C * C + bias * C)}


@wrong("parameter_count")
def a_third_matrix(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """The gated feed-forward part, with three matrices."""
    wide = F or 4 * C
    return _count(V, P, C, H, L, F, bias, tied, positions) | {"feed_forward": L * (3 * C * wide + bias * (2 * wide + C))}


@wrong("parameter_count")
def one_bias_for_the_feed_forward_part(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """C biases, behind the way down."""
    return _count(V, P, C, H, L, F, bias, tied, positions) | {"feed_forward": L * (2 * C * (F or 4 * C) + bias * C)}


@wrong("parameter_count")
def norms_over_positions(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """A gain and a shift for each position."""
    return _count(V, P, C, H, L, F, bias, tied, positions) | {"norms": P * (1 + bias) * (2 * L + 1)}


@wrong("parameter_count")
def norms_of_two_numbers(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """One gain and one shift for each norm."""
    return _count(V, P, C, H, L, F, bias, tied, positions) | {"norms": (1 + bias) * (2 * L + 1)}


@wrong("parameter_count")
def a_norm_behind_the_embedding(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """2 L + 2 norms, as BERT has one behind its embeddings."""
    return _count(V, P, C, H, L, F, bias, tied, positions) | {"norms": C * (1 + bias) * (2 * L + 2)}


@wrong("parameter_count")
def tied_shared_out(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """Half of the table is counted at each end."""
    parts = _count(V, P, C, H, L, F, bias, tied, positions)
    return parts | ({"embedding": V * C // 2, "unembedding": V * C // 2} if tied else {})


@wrong("parameter_count")
def tied_counted_at_the_end(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """The table is counted as the unembedding, and the embedding is 0."""
    parts = _count(V, P, C, H, L, F, bias, tied, positions)
    return parts | ({"embedding": 0, "unembedding": V * C} if tied else {})


@wrong("parameter_count")
def rotary_has_a_table(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """Rotary positions as a table of P × C/H."""
    parts = _count(V, P, C, H, L, F, bias, tied, positions)
    return parts | ({"positions": P * C // H} if positions == "rotary" else {})


@wrong("parameter_count")
def floats(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """The right numbers, as floats."""
    return {name: float(count) for name, count in _count(V, P, C, H, L, F, bias, tied, positions).items()}


@wrong("parameter_count")
def in_millions(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """Divided by 10⁶."""
    return {name: count / 1e6 for name, count in _count(V, P, C, H, L, F, bias, tied, positions).items()}


@wrong("parameter_count")
def with_a_total(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """One key too many."""
    parts = _count(V, P, C, H, L, F, bias, tied, positions)
    return parts | {"total": sum(parts.values())}


@wrong("parameter_count")
def other_names(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """ffn for feed_forward."""
    parts = _count(V, P, C, H, L, F, bias, tied, positions)
    return {name.replace("feed_forward", "ffn"): count for name, count in parts.items()}


@wrong("parameter_count")
def a_list_of_counts(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """Numbers without their names."""
    return list(_count(V, P, C, H, L, F, bias, tied, positions).values())


@wrong("parameter_count")
def needs_all_arguments(V, P, C, H, L, F, bias, tied, positions):
    """No defaults: stops where they are left out."""
    return _count(V, P, C, H, L, F, bias, tied, positions)


@wrong("parameter_count")
def blocks_share_their_norms(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """Two norms for all blocks, and one at the end."""
    return _count(V, P, C, H, L, F, bias, tied, positions) | {"norms": 3 * C * (1 + bias)}


# ── parameter_count, right ──────────────────────────────────────────────────────────────────────────────────


@right("parameter_count")
def by_building_layers(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """PyTorch's layers on the meta device, which has no memory, and their numbers."""
    with torch.device("meta"):
        linear = lambda i, o: sum(p.numel() for p in nn.Linear(i, o, bias=bias).parameters())
        norm = sum(p.numel() for p in nn.LayerNorm(C, bias=bias).parameters())
        F = F or 4 * C
        return {"embedding": V * C, "positions": {"learned": P * C}.get(positions, 0), "attention": 4 * L * linear(C, C),
                "feed_forward": L * (linear(C, F) + linear(F, C)), "norms": norm + 2 * L * norm,
                "unembedding": 0 if tied else nn.Linear(C, V, bias=False).weight.numel()}  # fmt: skip


@right("parameter_count")
def in_another_order(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """The keys of a dict have no order that matters."""
    return dict(reversed(_count(V, P, C, H, L, F, bias, tied, positions).items()))


@right("parameter_count")
def by_if_and_else(V, P, C, H, L, F=0, bias=True, tied=True, positions="learned"):
    """Every choice written out."""
    if F == 0:
        F = 4 * C
    if bias:
        attention, thinking, norm = 4 * C * C + 4 * C, C * F + F + F * C + C, 2 * C
    else:
        attention, thinking, norm = 4 * C * C, 2 * C * F, C
    counts = {"embedding": V * C, "attention": L * attention, "feed_forward": L * thinking, "norms": norm}
    for _ in range(L):
        counts["norms"] += 2 * norm
    counts["positions"] = P * C if positions == "learned" else 0
    counts["unembedding"] = 0 if tied else C * V
    return counts
