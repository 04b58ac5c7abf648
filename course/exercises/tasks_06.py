"""Exercises of chapter 06 on counting: the parameters of a small GPT by hand, and of any GPT by a function.

Those on the block and on the whole model are in tasks_06_stack.py.
"""

from course.exercises import variants_06 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.models.counting import parameter_count

# ── counted by hand ─────────────────────────────────────────────────────────────────────────────────────────

TRACE_SIZES = {"vocab_size": 10, "context_length": 8, "d_model": 4, "n_heads": 2, "n_layers": 3, "d_ff": 10}


def stack_trace() -> tuple[int, int]:
    """V = 10, P = 8, C = 4, H = 2, L = 3, F_ = 10, with biases, learned positions, tied: one block, and the whole model."""
    whole, one_less = (sum(parameter_count(**TRACE_SIZES | {"n_layers": L}).values()) for L in (3, 2))
    return whole - one_less, whole


TRACE = Task(
    "stack_trace", "06", stack_trace,
    Pipeline(stack_trace, {
        "C": lambda: 4, "F_": lambda: 10,
        "one_map": lambda C: C * C + C,
        "attention": lambda one_map: 4 * one_map,
        "feed_forward": lambda C, F_: C * F_ + F_ + F_ * C + C,
        "one_norm": lambda C: 2 * C,
        "norms": lambda one_norm: 2 * one_norm,
        "one_block": lambda attention, feed_forward, norms: attention + feed_forward + norms,
        "blocks": lambda one_block: 3 * one_block,
        "embedding": lambda C: 10 * C,
        "positions": lambda C: 8 * C,
        "final_norm": lambda one_norm: one_norm,
        "unembedding": lambda: 0,
        "whole": lambda blocks, embedding, positions, final_norm, unembedding:
            embedding + positions + blocks + final_norm + unembedding,
        "numbers": lambda one_block, whole: (one_block, whole),
    }),
    lambda: [Case(())],
    (
        Mistake("matrices_only", {"one_map": lambda C: C * C, "feed_forward": lambda C, F_: 2 * C * F_,
                                  "one_norm": lambda: 0}),
        Mistake("biases_forgotten", {"one_map": lambda C: C * C, "feed_forward": lambda C, F_: 2 * C * F_}),
        Mistake("biases_or_norms_forgotten", {"one_map": lambda C: C * C}),  # as many: four maps' biases, two norms
        Mistake("feed_forward_biases_forgotten", {"feed_forward": lambda C, F_: 2 * C * F_}),
        Mistake("two_biases_of_width_C", {"feed_forward": lambda C, F_: 2 * C * F_ + 2 * C}),
        Mistake("one_norm_in_a_block", {"norms": lambda one_norm: one_norm}),
        Mistake("shifts_forgotten", {"one_norm": lambda C: C}),
        Mistake("three_maps", {"attention": lambda one_map: 3 * one_map}),
        Mistake("maps_for_each_head", {"attention": lambda one_map: 4 * one_map * 2}),
        Mistake("one_way_only", {"feed_forward": lambda C, F_: C * F_ + F_}),
        Mistake("final_norm_forgotten", {"final_norm": lambda: 0}),
        Mistake("positions_forgotten", {"positions": lambda: 0}),
        Mistake("embedding_forgotten", {"embedding": lambda: 0}),
        Mistake("tied_counted_twice", {"unembedding": lambda C: 10 * C}),
        Mistake("one_block_only", {"blocks": lambda one_block: one_block}),
        Mistake("all_blocks_for_one", {"numbers": lambda blocks, whole: (blocks, whole)}),
        Mistake("order_swapped", {"numbers": lambda one_block, whole: (whole, one_block)}),
    ),
    variants.TRACE, results=("one_block", "whole_model"), rtol=0.0, atol=0.25, difficulty=2, minutes=6, traced=True,
    shown=("attention", "feed_forward", "norms", "one_block", "embedding", "positions", "final_norm", "whole"),
)  # fmt: skip

# ── counted by a function ───────────────────────────────────────────────────────────────────────────────────


def _count_cases() -> list[Case]:
    return [
        Case((10, 8, 4, 2, 1)), Case((10, 8, 4, 2, 3)), Case((10, 8, 4, 1, 1)), Case((10, 8, 4, 4, 1)),
        Case((10, 8, 4, 2, 1, 5), "d_ff"), Case((10, 8, 4, 2, 2, 0, False), "no_bias"),
        Case((10, 8, 4, 2, 1, 0, True, False), "untied"), Case((10, 8, 4, 2, 1, 0, False, False), "untied"),
        Case((10, 8, 4, 2, 1, 0, True, True, "rotary"), "other_positions"),
        Case((10, 8, 4, 2, 1, 0, True, True, "sinusoidal"), "other_positions"),
        Case((10, 8, 4, 2, 1, 0, True, True, "none"), "other_positions"), Case((9, 7, 4, 2, 1, 5, False), "no_bias"),
        Case((50257, 1024, 768, 12, 12), "gpt_2"), Case((50257, 1024, 1600, 25, 48), "gpt_2"),
        Case((32000, 4096, 96, 6, 7, 256, False, False, "rotary"), "untied"),
    ]  # fmt: skip


PARTS = ("embedding", "positions", "attention", "feed_forward", "norms", "unembedding")


def _heads_change_nothing(cases: list[Case], values: list) -> bool | None:
    alike = [value for case, value in zip(cases, values) if case.arguments[:3] + case.arguments[4:] == (10, 8, 4, 1)]
    return all(value == alike[0] for value in alike) if len(alike) > 1 else None


def _blocks_add_up(cases: list[Case], values: list) -> bool | None:
    """Three blocks have three times as many as one, of what is in blocks and nowhere else."""
    known = {case.arguments: value for case, value in zip(cases, values)}
    if not {(10, 8, 4, 2, 1), (10, 8, 4, 2, 3)} <= known.keys():
        return None
    one, three = known[10, 8, 4, 2, 1], known[10, 8, 4, 2, 3]
    return all(three.get(part, 0) == 3 * one.get(part, 0) for part in ("attention", "feed_forward"))


COUNT = Task(
    "parameter_count", "06", parameter_count,
    Pipeline(parameter_count, {
        "V": lambda vocab_size: vocab_size, "P": lambda context_length: context_length, "C": lambda d_model: d_model,
        "L": lambda n_layers: n_layers,
        "F_": lambda d_ff, d_model: d_ff or 4 * d_model,
        "map_bias": lambda bias: int(bias),
        "norm_bias": lambda bias: int(bias),
        "embedding": lambda V, C: V * C,
        "table": lambda P, C, positions: P * C if positions == "learned" else 0,
        "one_attention": lambda C, map_bias: 4 * (C * C + map_bias * C),
        "one_feed_forward": lambda C, F_, map_bias: 2 * C * F_ + map_bias * (F_ + C),
        "one_norm": lambda C, norm_bias: C + norm_bias * C,
        "number_of_norms": lambda L: 2 * L + 1,
        "unembedding": lambda V, C, tied: 0 if tied else V * C,
        "parts": lambda embedding, table, one_attention, one_feed_forward, one_norm, number_of_norms, unembedding, L: {
            "embedding": embedding, "positions": table, "attention": L * one_attention, "feed_forward": L * one_feed_forward,
            "norms": number_of_norms * one_norm, "unembedding": unembedding},
        "answer": lambda parts: parts,
    }),
    _count_cases,
    (
        Mistake("biases_forgotten", {"map_bias": lambda: 0}),
        Mistake("bias_ignored", {"map_bias": lambda: 1, "norm_bias": lambda: 1}),
        Mistake("attention_biases_forgotten", {"one_attention": lambda C: 4 * C * C}),
        Mistake("two_biases_of_width_C", {"one_feed_forward": lambda C, F_, map_bias: 2 * C * F_ + map_bias * 2 * C}),
        Mistake("two_biases_of_width_F", {"one_feed_forward": lambda C, F_, map_bias: 2 * C * F_ + map_bias * 2 * F_}),
        Mistake("shifts_forgotten", {"norm_bias": lambda: 0}),
        Mistake("shifts_always", {"norm_bias": lambda: 1}),
        Mistake("final_norm_forgotten", {"number_of_norms": lambda L: 2 * L}),
        Mistake("one_norm_in_a_block", {"number_of_norms": lambda L: L + 1}),
        Mistake("three_maps", {"one_attention": lambda C, map_bias: 3 * (C * C + map_bias * C)}),
        Mistake("maps_for_each_head", {"one_attention": lambda C, map_bias, n_heads: 4 * n_heads * (C * C + map_bias * C)}),
        Mistake("one_head_only", {"one_attention": lambda C, map_bias, n_heads: 4 * (C * C + map_bias * C) // n_heads}),
        Mistake("one_way_only", {"one_feed_forward": lambda C, F_, map_bias: C * F_ + map_bias * F_}),
        Mistake("always_4_C", {"F_": lambda d_model: 4 * d_model}),
        Mistake("zero_taken_as_it_is", {"F_": lambda d_ff: d_ff}),
        Mistake("one_block_only", {"L": lambda: 1}),
        Mistake("tied_counted_twice", {"unembedding": lambda V, C: V * C}),
        Mistake("tied_always", {"unembedding": lambda: 0}),
        Mistake("tied_turned_round", {"unembedding": lambda V, C, tied: V * C if tied else 0}),
        Mistake("unembedding_with_bias", {"unembedding": lambda V, C, tied, map_bias: 0 if tied else V * C + map_bias * V}),
        Mistake("positions_always", {"table": lambda P, C: P * C}),
        Mistake("positions_never", {"table": lambda: 0}),
        Mistake("all_that_are_added", {"table": lambda P, C, positions: P * C if positions in ("learned", "sinusoidal") else 0}),
        Mistake("one_for_each_position", {"table": lambda P, positions: P if positions == "learned" else 0}),
        Mistake("blocks_not_multiplied", {"parts": lambda embedding, table, one_attention, one_feed_forward, one_norm,
                                          number_of_norms, unembedding: {
            "embedding": embedding, "positions": table, "attention": one_attention, "feed_forward": one_feed_forward,
            "norms": number_of_norms * one_norm, "unembedding": unembedding}}),
        Mistake("sum_only", {"answer": lambda parts: sum(parts.values())}),
        Mistake("nothing_left_out", {"answer": lambda parts: {name: count for name, count in parts.items() if count}}),
    ),
    variants.COUNT,
    properties=(Property("heads_change_nothing", _heads_change_nothing), Property("blocks_add_up", _blocks_add_up)),
    difficulty=3, minutes=12,
)  # fmt: skip
