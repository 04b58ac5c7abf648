"""Exercises of chapter 06 on what stands on what: the block, and the whole model from ids to logits."""

import numpy as np

from course.blocks.attention import causal_mask, softmax
from course.blocks.block import block, block_steps, self_attention
from course.blocks.feed_forward import feed_forward, gelu, gelu_tanh
from course.blocks.norm import layer_norm
from course.exercises import variants_06 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task
from course.exercises.tasks_05 import same_but_x
from course.models.gpt import gpt, gpt_steps

# ── inputs ──────────────────────────────────────────────────────────────────────────────────────────────────


class _Parameters(dict):
    """A dict of arrays that is shown by its keys and sizes, where an input is written out."""

    def __repr__(self) -> str:
        if "blocks" in self:
            V, C = self["embedding"].shape
            return f"{{…}} (V = {V}, C = {C}, L = {len(self['blocks'])}, {len(self['positions'])} positions)"
        return f"{{…}} ({len(self)} arrays, C = {len(self['gamma_1'])}, F_ = {len(self['b_1'])})"


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def _block(seed: int, C: int, width: int) -> _Parameters:
    """A block of random numbers, whose norms have a gain and a shift that can be seen."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.normal(size=shape)
    p = {}
    for n in "12":
        p |= {f"gamma_{n}": 1.0 + draw(C) / 2, f"beta_{n}": draw(C) / 2}
    p |= {f"W_{a}": draw(C, C) for a in "QKVO"} | {f"b_{a}": draw(C) / 2 for a in "QKVO"}
    p |= {"W_1": draw(C, width), "b_1": draw(width) / 2, "W_2": draw(width, C), "b_2": draw(C) / 2}
    return _Parameters(p)


def _silent(seed: int, C: int, width: int) -> _Parameters:
    """A block of which both parts add nothing."""
    p = _block(seed, C, width)
    return _Parameters(p | {name: np.zeros_like(p[name]) for name in ("W_O", "b_O", "W_2", "b_2")})


# ── the block ───────────────────────────────────────────────────────────────────────────────────────────────


def _block_cases() -> list[Case]:
    small, silent, wide, mid = _block(1, 3, 4), _silent(2, 3, 4), _block(3, 4, 7), _block(4, 6, 6)
    x, batch, texts = 3 * _random(5, 3, 4), 3 * _random(6, 2, 3, 4), causal_mask(3)
    other = x.copy()
    other[-1] = [5.0, -4.0, 1.0, 0.0]  # another last word
    each = np.stack([causal_mask(3), np.ones((3, 3), bool)])[:, None]  # (B, 1, T, S)
    return [
        Case((_random(7, 2, 3).round(1), silent, 1), "silent"), Case((_random(8, 1, 3), small, 1), "one_word"),
        Case((3 * _random(9, 2, 3), small, 1)), Case((3 * _random(10, 2, 3), small, 3)),
        Case((3 * _random(10, 2, 3), small, 3, causal_mask(2)), "causal"),
        Case((x, wide, 2)), Case((x + 64, wide, 2), "shifted"), Case((x / 100, wide, 4)), Case((3 * _random(11, 4, 6), mid, 3)),
        Case((x, wide, 2, texts), "causal"), Case((other, wide, 2, texts), "causal"),
        Case((np.array([[3, -1, 0, 2], [1, 1, 4, 0]]), wide, 2), "integers"),
        Case((batch, wide, 2), "batch"), Case((batch, wide, 2, texts), "batch"), Case((batch, wide, 2, each), "batch"),
        Case((3 * _random(12, 2, 3, 4), _silent(13, 4, 5), 2), "silent"),
    ]  # fmt: skip


def _silent_ones_pass(cases: list[Case], values: list) -> bool:
    return all(np.allclose(value, case.arguments[0]) for case, value in zip(cases, values) if not case.arguments[1]["W_2"].any())


def _future_changes_nothing(cases: list[Case], values: list) -> bool | None:
    """Under the causal mask, rows before the first that differs come to the same."""
    causal = [(case, value) for case, value in zip(cases, values) if case.note == "causal" and case.arguments[0].shape == (3, 4)]
    found = [np.allclose(v[:-1], w[:-1]) for _, _, v, w in same_but_x([c for c, _ in causal], [v for _, v in causal])]
    return all(found) if found else None


def _shift_passes(cases: list[Case], values: list) -> bool | None:
    found = [np.allclose(w, v + 64, rtol=1e-6, atol=1e-6)
             for x, y, v, w in same_but_x(cases, values) if np.array_equal(y, x + 64)]  # fmt: skip
    return all(found) if found else None


def _norm(x, p, number, eps):
    return layer_norm(x, p[f"gamma_{number}"], p[f"beta_{number}"], eps)


def _think(x, p, bend):
    return feed_forward(x, p["W_1"], p["b_1"], p["W_2"], p["b_2"], bend)


BLOCK = Task(
    "block", "06", block,
    Pipeline(block, {
        "stream": lambda x: np.asarray(x, dtype=np.float64),
        "p": lambda parameters: parameters,
        "heads": lambda n_heads: n_heads,
        "may_look": lambda mask: mask,
        "bend": lambda activation: activation,
        "one": lambda: 1, "two": lambda: 2,  # whose gain and shift
        "heard": lambda stream, p, one, eps: _norm(stream, p, one, eps),
        "listened": lambda heard, p, heads, may_look, turn: self_attention(heard, p, heads, may_look, turn),
        "middle": lambda stream, listened: stream + listened,
        "read": lambda middle, p, two, eps: _norm(middle, p, two, eps),
        "thought": lambda read, p, bend: _think(read, p, bend),
        "output": lambda middle, thought: middle + thought,
    }),
    _block_cases,
    (
        Mistake("no_residuals", {"middle": lambda listened: listened, "output": lambda thought: thought}),
        Mistake("first_not_added", {"middle": lambda listened: listened}),
        Mistake("second_not_added", {"output": lambda thought: thought}),
        Mistake("attention_only", {"output": lambda middle: middle}),
        Mistake("feed_forward_only", {"middle": lambda stream: stream}),
        Mistake("second_added_to_x", {"output": lambda stream, thought: stream + thought}),
        Mistake("x_added_again", {"output": lambda stream, middle, thought: stream + middle + thought}),
        Mistake("no_norms", {"heard": lambda stream: stream, "read": lambda middle: middle}),
        Mistake("first_norm_missing", {"heard": lambda stream: stream}),
        Mistake("second_norm_missing", {"read": lambda middle: middle}),
        Mistake("post_norm", {"heard": lambda stream: stream, "read": lambda middle: middle,
                              "middle": lambda stream, listened, p, one, eps: _norm(stream + listened, p, one, eps),
                              "output": lambda middle, thought, p, two, eps: _norm(middle + thought, p, two, eps)}),
        Mistake("norm_of_what_is_added", {"heard": lambda stream: stream, "read": lambda middle: middle,
                                          "middle": lambda stream, listened, p, one, eps: stream + _norm(listened, p, one, eps),
                                          "output": lambda middle, thought, p, two, eps: middle + _norm(thought, p, two, eps)}),
        Mistake("added_to_the_normed", {"middle": lambda heard, listened: heard + listened,
                                        "output": lambda read, thought: read + thought}),
        Mistake("as_the_document", {"heard": lambda stream: stream, "read": lambda middle: middle,
                                    "output": lambda thought: thought}),
        Mistake("side_by_side", {"read": lambda stream, p, two, eps: _norm(stream, p, two, eps)}),
        Mistake("second_norm_of_attention", {"read": lambda listened, p, two, eps: _norm(listened, p, two, eps)}),
        Mistake("one_normed_twice", {"read": lambda heard, p, two, eps: _norm(heard, p, two, eps)}),
        Mistake("first_norm_twice", {"two": lambda: 1}),
        Mistake("norms_swapped", {"one": lambda: 2, "two": lambda: 1}),
        Mistake("thinks_first", {"listened": lambda stream, p, two, eps, bend: _think(_norm(stream, p, two, eps), p, bend),
                                 "thought": lambda middle, p, one, eps, heads, may_look, turn: self_attention(
                                     _norm(middle, p, one, eps), p, heads, may_look, turn)}),
        Mistake("norm_at_the_end", {"output": lambda middle, thought, p, two, eps: _norm(middle + thought, p, two, eps)}),
        Mistake("mask_unused", {"may_look": lambda: None}),
        Mistake("always_causal", {"may_look": lambda stream: causal_mask(stream.shape[-2])}),
        Mistake("one_head", {"heads": lambda: 1}),
        Mistake("other_gelu", {"bend": lambda: gelu}),
    ),
    variants.BLOCK,
    properties=(
        Property("silent_ones_pass", _silent_ones_pass),
        Property("future_changes_nothing", _future_changes_nothing),
        Property("shift_passes", _shift_passes),
    ),
    off_limits=(block_steps,), difficulty=3, minutes=10,
)  # fmt: skip

# ── the whole model ─────────────────────────────────────────────────────────────────────────────────────────


def _model(seed: int, V: int, P: int, C: int, L: int, tied: bool = True) -> _Parameters:
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.normal(size=shape)
    table = draw(V, C)
    return _Parameters({
        "embedding": table, "positions": draw(P, C), "blocks": [_block(seed * 100 + n, C, 2 * C + 1) for n in range(L)],
        "gamma": 1.0 + draw(C) / 2, "beta": draw(C) / 2, "unembedding": table.T if tied else draw(C, V),
    })  # fmt: skip


def _gpt_cases() -> list[Case]:
    small, two, deep, untied = _model(1, 3, 4, 4, 1), _model(2, 5, 6, 4, 2), _model(3, 7, 5, 6, 3), _model(4, 5, 6, 4, 2, tied=False)
    return [
        Case((np.array([1]), small, 1), "one_word"), Case((np.array([1, 0, 2]), small, 1)), Case((np.array([1, 0, 0]), small, 1)),
        Case((np.array([1, 1, 1, 1]), small, 2), "same_word"), Case((np.array([4, 0, 2]), two, 2)), Case((np.array([4, 0, 3]), two, 2)),
        Case((np.array([4, 0, 2, 1, 1, 3]), two, 2), "full"), Case((np.array([4, 0, 2]), untied, 2), "untied"),
        Case((np.array([6, 1, 5, 0, 2]), deep, 3), "full"), Case((np.array([[4, 0, 2], [1, 3, 0]]), two, 2), "batch"),
        Case((np.array([[0, 1, 2, 3], [3, 2, 1, 0], [5, 6, 5, 6]]), deep, 2), "batch"),
        Case((np.array([[2, 2], [2, 2], [0, 1]]), untied, 4), "batch"),
    ]  # fmt: skip


def _rows_before_the_end(cases: list[Case], values: list) -> bool | None:
    found = [np.allclose(v[:-1], w[:-1]) for a, b, v, w in same_but_x(cases, values)
             if a.ndim == 1 and a.shape[-1] > 1 and np.array_equal(a[:-1], b[:-1])]  # fmt: skip
    return all(found) if found else None


def _order_is_known(cases: list[Case], values: list) -> bool | None:
    """A word that is repeated has other logits at each place."""
    rows = [value for case, value in zip(cases, values) if case.note == "same_word"]
    return all(not np.allclose(value[0], value[1:]) for value in rows) if rows else None


def _through(x, blocks, n_heads, mask, activation, eps, turn, norm=None):
    """One block after the other; with a norm (gamma, beta) behind each, if one is given."""
    for own in blocks:
        x = block(x, own, n_heads, mask, activation=activation, eps=eps, turn=turn)
        x = x if norm is None else layer_norm(x, norm["gamma"], norm["beta"], eps)
    return x


GPT_STEPS = {
    "p": lambda parameters: parameters,
    "words": lambda ids, p: p["embedding"][ids],
    "T": lambda words: words.shape[-2],
    "places": lambda p, T: p["positions"][:T],
    "entering": lambda words, places: words + places,
    "mask": lambda T: causal_mask(T),
    "own": lambda p: p["blocks"],
    "leaving": lambda entering, own, n_heads, mask, activation, eps, turn:
        _through(entering, own, n_heads, mask, activation, eps, turn),
    "read": lambda leaving, p, eps: layer_norm(leaving, p["gamma"], p["beta"], eps),
    "table": lambda p: p["unembedding"],
    "logits": lambda read, table: read @ table,
}

MODEL = Task(
    "gpt", "06", gpt, Pipeline(gpt, GPT_STEPS), _gpt_cases,
    (
        Mistake("no_positions", {"entering": lambda words: words}),
        Mistake("position_0_for_all", {"places": lambda p: p["positions"][:1]}),
        Mistake("positions_from_one", {"places": lambda p, T: p["positions"][1 : T + 1]}),
        Mistake("last_positions", {"places": lambda p, T: p["positions"][-T:]}),
        Mistake("positions_of_the_batch", {"places": lambda p, words: p["positions"][: len(words)]}),
        Mistake("all_positions", {"places": lambda p: p["positions"]}),
        Mistake("positions_by_id", {"places": lambda p, ids: p["positions"][ids % len(p["positions"])]}),
        Mistake("words_scaled", {"words": lambda ids, p: p["embedding"][ids] * p["embedding"].shape[1] ** 0.5}),
        Mistake("no_mask", {"mask": lambda: None}),
        Mistake("mask_turned_round", {"mask": lambda T: causal_mask(T).T}),
        Mistake("first_block_again_and_again", {"own": lambda p: p["blocks"][:1] * len(p["blocks"])}),
        Mistake("first_block_only", {"own": lambda p: p["blocks"][:1]}),
        Mistake("last_block_only", {"own": lambda p: p["blocks"][-1:]}),
        Mistake("last_block_first", {"own": lambda p: p["blocks"][::-1]}),
        Mistake("no_blocks", {"leaving": lambda entering: entering}),
        Mistake("no_final_norm", {"read": lambda leaving: leaving}),
        Mistake("norm_behind_each_block", {"leaving": lambda entering, own, n_heads, mask, activation, eps, turn, p:
            _through(entering, own, n_heads, mask, activation, eps, turn, p), "read": lambda leaving: leaving}),
        Mistake("norm_before_the_blocks", {"entering": lambda words, places, p, eps: layer_norm(
            words + places, p["gamma"], p["beta"], eps), "read": lambda leaving: leaving}),
        Mistake("always_tied", {"table": lambda p: p["embedding"].T}),
        Mistake("no_unembedding", {"logits": lambda read: read}),
        Mistake("probabilities", {"logits": lambda read, table: softmax(read @ table)}),
        Mistake("log_probabilities", {"logits": lambda read, table: np.log(softmax(read @ table))}),
        Mistake("last_row_only", {"logits": lambda read, table: read[..., -1, :] @ table}),
        Mistake("most_likely_ids", {"logits": lambda read, table: (read @ table).argmax(axis=-1)}),
        Mistake("other_gelu", {"leaving": lambda entering, own, n_heads, mask, eps, turn:
                               _through(entering, own, n_heads, mask, gelu, eps, turn)}),
    ),
    variants.MODEL,
    properties=(
        Property("future_changes_nothing", _rows_before_the_end), Property("order_is_known", _order_is_known),
    ),
    off_limits=(gpt_steps,), difficulty=3, minutes=12,
)  # fmt: skip
