"""Exercises of chapter 05 on the feed-forward part: two numbers of it, the bend, the whole of it, and the gated one.

Those on norms are in tasks_05_norm.py.
"""

import itertools

import numpy as np
from torch.nn import functional as F

from course.blocks.feed_forward import feed_forward, gated_feed_forward, gelu, gelu_tanh, relu, silu
from course.exercises import variants_05 as variants
from course.exercises.task import Case, Mistake, Pipeline, Property, Task

# ── traced by hand ──────────────────────────────────────────────────────────────────────────────────────────

TRACE_X = np.array([1.0, 2.0])
TRACE_W_1 = np.array([[2.0, -1.0, 1.0], [1.0, 1.0, -3.0]])  # column n: what neuron n looks for
TRACE_B_1 = np.array([-2.0, 0.0, 1.0])
TRACE_W_2 = np.array([[1.0, 3.0], [-1.0, 2.0], [5.0, 1.0]])  # row n: what neuron n adds
TRACE_B_2 = np.array([1.0, -11.0])


def ffn_trace() -> tuple[float, float]:
    """Two features, three neurons, ReLU: neuron 2 after the bend, and feature 1 of the output, all counted from 0."""
    hidden = relu(TRACE_X @ TRACE_W_1 + TRACE_B_1)
    return hidden[2], (hidden @ TRACE_W_2 + TRACE_B_2)[1]


TRACE = Task(
    "ffn_trace", "05", ffn_trace,
    Pipeline(ffn_trace, {
        "products": lambda: TRACE_X @ TRACE_W_1,
        "before": lambda products: products + TRACE_B_1,
        "hidden": lambda before: relu(before),
        "added": lambda hidden: hidden @ TRACE_W_2,
        "output": lambda added: added + TRACE_B_2,
        "neurons": lambda hidden: hidden,
        "places": lambda: (2, 1),
        "numbers": lambda neurons, output, places: (neurons[places[0]], output[places[1]]),
    }),
    lambda: [Case(())],
    (
        Mistake("no_activation", {"hidden": lambda before: before}),
        Mistake("activation_after_second", {"hidden": lambda before: before,
                                            "output": lambda added: relu(added + TRACE_B_2)}),
        Mistake("activation_twice", {"output": lambda added: relu(added + TRACE_B_2)}),
        Mistake("sign_dropped", {"hidden": lambda before: np.abs(before)}),
        Mistake("before_the_bend", {"neurons": lambda before: before}),
        Mistake("b_1_missing", {"before": lambda products: products}),
        Mistake("b_2_missing", {"output": lambda added: added}),
        Mistake("b_1_after_the_bend", {"before": lambda products: products,
                                       "hidden": lambda before: relu(before) + TRACE_B_1}),
        Mistake("x_added", {"output": lambda added: added + TRACE_B_2 + TRACE_X}),
        Mistake("counted_from_one", {"places": lambda: (1, 0)}),
        Mistake("order_swapped", {"numbers": lambda neurons, output, places: (output[places[1]], neurons[places[0]])}),
    ),
    variants.TRACE, results=("neuron_2", "output_1"), rtol=0.0, atol=6e-3, difficulty=1, minutes=4, traced=True,
    shown=("products", "before", "hidden", "output"),
)  # fmt: skip


def _random(seed: int, *shape: int) -> np.ndarray:
    """Numbers of standard deviation 1.5: on both sides of every bend, and far enough from 0 for one to show."""
    return np.random.default_rng(seed).normal(size=shape) * 1.5


# ── the bend ────────────────────────────────────────────────────────────────────────────────────────────────

_erf = variants.erf

GELU = Task(
    "gelu", "05", gelu,
    Pipeline(gelu, {
        "numbers": lambda x: np.asarray(x, dtype=np.float64),
        "places": lambda numbers: numbers / np.sqrt(2.0),
        "erf": lambda places: _erf(places),
        "below": lambda erf: 1.0 + erf,
        "share": lambda below: below / 2.0,
        "bent": lambda numbers, share: numbers * share,
    }),
    lambda: [
        Case((np.array([3.0]),)), Case((np.array([-1.0, 0.0, 1.0]),)), Case((np.array([2.7]),)),
        Case((np.array([-3, -1, 0, 2]),), "integers"), Case((np.array([-0.75]),)),
        Case((np.array([[-40.0, 40.0], [-6.0, 6.0]]),), "large"), Case((np.linspace(-4, 4, 33),)), Case((_random(1, 3, 4),)),
        Case((_random(2, 3, 4),)), Case((_random(3, 2, 3, 4),), "batch"), Case((_random(4, 3, 3),)),
    ],
    (
        Mistake("share_only", {"bent": lambda share: share}),
        Mistake("by_tanh", {"bent": lambda numbers: gelu_tanh(numbers)}),
        Mistake("is_relu", {"bent": lambda numbers: relu(numbers)}),
        Mistake("is_silu", {"bent": lambda numbers: silu(numbers)}),
        Mistake("by_sigmoid", {"bent": lambda numbers: numbers * (1.0 + np.tanh(0.851 * numbers)) / 2.0}),
        Mistake("no_root_of_2", {"places": lambda numbers: numbers}),
        Mistake("times_root_of_2", {"places": lambda numbers: numbers * np.sqrt(2.0)}),
        Mistake("divided_by_2", {"places": lambda numbers: numbers / 2.0}),
        Mistake("one_missing", {"below": lambda erf: erf}),
        Mistake("one_minus", {"below": lambda erf: 1.0 - erf}),
        Mistake("not_halved", {"share": lambda below: below}),
        Mistake("one_outside", {"share": lambda erf: 1.0 + erf / 2.0}),
        Mistake("density", {"share": lambda numbers: np.exp(-(numbers**2) / 2.0) / np.sqrt(2.0 * np.pi)}),
    ),
    variants.GELU,
    properties=(
        Property("zero_stays", lambda cases, values: all(
            not value[case.arguments[0] == 0].any() for case, value in zip(cases, values))),
        Property("large_ones_pass", lambda cases, values: all(
            np.allclose(value[case.arguments[0] >= 6], case.arguments[0][case.arguments[0] >= 6])
            and np.allclose(value[case.arguments[0] <= -6], 0) for case, value in zip(cases, values))),
        Property("sides_differ_by_x", lambda cases, values: all(
            np.allclose(v - v[::-1], case.arguments[0], atol=1e-6) for case, v in zip(cases, values)
            if v.shape == (33,))),
    ),
    blank="x * (1.0 + _erf(x / math.sqrt(2.0))) / 2.0", off_limits=(F.gelu,), difficulty=2, minutes=5,
)  # fmt: skip

# ── the feed-forward part ───────────────────────────────────────────────────────────────────────────────────


class _Named:
    """A bend that is shown by its name, where an input is written out."""

    def __init__(self, bend):
        self.bend = bend

    def __call__(self, x):
        return self.bend(x)

    def __repr__(self) -> str:
        return self.bend.__name__


RELU, TANH, SILU, GELU_BEND = map(_Named, (relu, np.tanh, silu, gelu))


def _maps(seed: int, C: int, width: int) -> tuple[np.ndarray, ...]:
    shapes = (C, width), (width,), (width, C), (C,)
    return tuple(_random(seed + i, *shape).round(1) for i, shape in enumerate(shapes))


def _feed_forward_cases() -> list[Case]:
    eye, none = np.eye(2), np.zeros(2)
    a, b = np.array([[1.0, -2.0]]), np.array([[-3.0, 1.0]])
    one, three, wide, threes = _maps(10, 2, 3), _maps(20, 3, 5), _maps(30, 4, 16), _maps(40, 3, 3)
    x, square, batch = _random(1, 3, 3), _random(2, 3, 3), _random(5, 2, 3, 4)
    other, changed, others = map(with_other_words, (x, square, batch))
    return [
        Case((a, eye, none, eye, none, RELU), "relu"), Case((a, *one)), Case((b, *one)), Case((a + b, *one)), Case((0 * a, *one)),
        Case((np.array([1.0, -2.0]), *one), "one_vector"), Case((np.array([[1, -2], [0, 3]]), *one), "integers"),
        Case((a, *one, RELU), "relu"), Case((x, *three)), Case((other, *three)), Case((x, *three, TANH), "other_bend"),
        Case((square, *threes), "square"), Case((changed, *threes), "square"),
        Case((_random(4, 4, 4), *_maps(60, 4, 1)), "one_neuron"),
        Case((batch, *wide), "batch"), Case((others, *wide), "batch"), Case((_random(6, 2, 3, 4), *wide, SILU), "batch"),
        Case((_random(7, 5, 4), *wide)), Case((_random(8, 5, 4), *wide, RELU), "relu"),
    ]  # fmt: skip


def with_other_words(x: np.ndarray) -> np.ndarray:
    """The same in its word 1 and no other: what becomes of that one should stay as it was."""
    others = 4.0 - 3.0 * x[..., ::-1]
    others[..., 1, :] = x[..., 1, :]
    return others


def same_but_x(cases: list[Case], values: list) -> list[tuple]:
    """(x, y, what became of x, of y) for every two inputs with x of one shape and all the rest the same."""
    return [(c.arguments[0], d.arguments[0], v, w) for (c, v), (d, w) in itertools.combinations(list(zip(cases, values)), 2)
            if c.arguments[0].shape == d.arguments[0].shape and len(c.arguments) == len(d.arguments)
            and all(one is two for one, two in zip(c.arguments[1:], d.arguments[1:]))]  # fmt: skip


def rows_alone(cases: list[Case], values: list) -> bool | None:
    """Where two inputs have a row in common and differ in another, that row comes to the same."""
    found = []
    for x, y, v, w in same_but_x(cases, values):
        alike = (x == y).all(axis=-1)
        if alike.any() and not alike.all():
            found.append(np.allclose(v[alike], w[alike]))
    return all(found) if found else None


def _bends(cases: list[Case], values: list) -> bool | None:
    """f(a + b) + f(0) = f(a) + f(b) would hold for any affine map, and so should fail."""
    alike = {}
    for case, value in zip(cases, values):
        if case.arguments[0].shape == (1, 2) and len(case.arguments) == 5:
            alike[tuple(case.arguments[0].ravel())] = value
    asked = [(1.0, -2.0), (-3.0, 1.0), (-2.0, -1.0), (0.0, 0.0)]
    if not all(x in alike for x in asked):
        return None
    f_a, f_b, f_sum, f_0 = (alike[x] for x in asked)
    return not np.allclose(f_sum + f_0, f_a + f_b)


FEED_FORWARD_STEPS = {
    "bend": lambda activation: activation,
    "vectors": lambda x: np.asarray(x, dtype=np.float64),
    "products": lambda vectors, W_1: vectors @ W_1,
    "before": lambda products, b_1: products + b_1,
    "hidden": lambda before, bend: bend(before),
    "added": lambda hidden, W_2: hidden @ W_2,
    "output": lambda added, b_2: added + b_2,
}

FEED_FORWARD = Task(
    "feed_forward", "05", feed_forward, Pipeline(feed_forward, FEED_FORWARD_STEPS), _feed_forward_cases,
    (
        Mistake("no_activation", {"hidden": lambda before: before}),
        Mistake("activation_after_second", {"hidden": lambda before: before,
                                            "output": lambda added, b_2, bend: bend(added + b_2)}),
        Mistake("activation_twice", {"output": lambda added, b_2, bend: bend(added + b_2)}),
        Mistake("activation_first", {"vectors": lambda x, bend: bend(np.asarray(x, dtype=np.float64)),
                                     "hidden": lambda before: before}),
        Mistake("b_1_missing", {"before": lambda products: products}),
        Mistake("b_2_missing", {"output": lambda added: added}),
        Mistake("b_1_after_the_bend", {"before": lambda products: products,
                                       "hidden": lambda before, bend, b_1: bend(before) + b_1}),
        Mistake("always_relu", {"bend": lambda: relu}),
        Mistake("always_gelu", {"bend": lambda: gelu}),
        Mistake("always_gelu_tanh", {"bend": lambda: gelu_tanh}),
        Mistake("x_added", {"output": lambda added, b_2, vectors: added + b_2 + vectors}),
        Mistake("matrices_transposed", {"products": lambda vectors, W_1: vectors @ W_1.T,
                                        "added": lambda hidden, W_2: hidden @ W_2.T}),
        Mistake("matrices_swapped", {"products": lambda vectors, W_2: vectors @ W_2.T,
                                     "added": lambda hidden, W_1: hidden @ W_1.T}),
        Mistake("matrices_on_the_left", {"products": lambda vectors, W_1: W_1 @ vectors,
                                         "added": lambda hidden, W_2: W_2 @ hidden}),
        Mistake("same_way_back", {"added": lambda hidden, W_1: hidden @ W_1.T}),
        Mistake("reshaped_back", {"added": lambda hidden, W_1: hidden @ W_1.reshape(W_1.shape[::-1])}),
        Mistake("biases_swapped", {"before": lambda products, b_2: products + b_2,
                                   "output": lambda added, b_1: added + b_1}),
        Mistake("hidden_only", {"output": lambda hidden: hidden}),
    ),
    variants.FEED_FORWARD,
    properties=(Property("bends", _bends), Property("rows_alone", rows_alone)),
    difficulty=2, minutes=8,
)  # fmt: skip

# ── the gated one ───────────────────────────────────────────────────────────────────────────────────────────


def _gated_cases() -> list[Case]:
    eye = np.eye(2)
    three, wide, threes = _gates(110, 3, 5), _gates(120, 4, 10), _gates(130, 3, 3)
    x, square, batch = _random(11, 3, 3), _random(12, 3, 3), _random(13, 2, 3, 4)
    other, changed, others = map(with_other_words, (x, square, batch))
    return [
        Case((np.array([[1.0, -2.0]]), eye, 3 * eye, eye)), Case((np.array([[1.0, -2.0]]), *_gates(100, 2, 3))),
        Case((np.array([2.0, -1.0]), *_gates(100, 2, 3)), "one_vector"), Case((np.array([[2, -1]]), *_gates(100, 2, 3)), "integers"),
        Case((x, *three)), Case((other, *three)), Case((x, three[0], 2 * three[1], three[2])),
        Case((x, *three, RELU), "other_bend"), Case((x, *three, GELU_BEND), "other_bend"),
        Case((square, *threes), "square"), Case((changed, *threes), "square"),
        Case((batch, *wide), "batch"), Case((others, *wide), "batch"),
        Case((_random(15, 5, 4), *wide, GELU_BEND), "other_bend"), Case((_random(16, 4, 4), *_gates(140, 4, 1)), "one_neuron"),
    ]  # fmt: skip


def _linear_in_up(cases: list[Case], values: list) -> bool | None:
    """W_up twice as large, the rest alike: what comes out is twice as large."""
    pairs = itertools.permutations([(case.arguments, value) for case, value in zip(cases, values) if len(case.arguments) == 4], 2)
    found = [np.allclose(w, 2 * v) for (c, v), (d, w) in pairs
             if c[0] is d[0] and c[1] is d[1] and c[3] is d[3] and np.array_equal(d[2], 2 * c[2])]  # fmt: skip
    return all(found) if found else None


def _gates(seed: int, C: int, width: int) -> tuple[np.ndarray, ...]:
    return tuple(_random(seed + i, *shape).round(1) for i, shape in enumerate([(C, width), (C, width), (width, C)]))


GATED = Task(
    "gated_feed_forward", "05", gated_feed_forward,
    Pipeline(gated_feed_forward, {
        "vectors": lambda x: np.asarray(x, dtype=np.float64),
        "bend": lambda activation: activation,
        "gate": lambda vectors, W_gate: vectors @ W_gate,
        "up": lambda vectors, W_up: vectors @ W_up,
        "opened": lambda gate, bend: bend(gate),
        "hidden": lambda opened, up: opened * up,
        "output": lambda hidden, W_down: hidden @ W_down,
    }),
    _gated_cases,
    (
        Mistake("no_activation", {"opened": lambda gate: gate}),
        Mistake("other_one_bent", {"opened": lambda gate: gate, "hidden": lambda opened, up, bend: opened * bend(up)}),
        Mistake("both_bent", {"hidden": lambda opened, up, bend: opened * bend(up)}),
        Mistake("product_bent", {"opened": lambda gate: gate, "hidden": lambda opened, up, bend: bend(opened * up)}),
        Mistake("added", {"hidden": lambda opened, up: opened + up}),
        Mistake("gate_only", {"hidden": lambda opened: opened}),
        Mistake("up_only", {"hidden": lambda up: up}),
        Mistake("up_from_gate", {"up": lambda vectors, W_gate: vectors @ W_gate}),
        Mistake("matrices_on_the_left", {"gate": lambda vectors, W_gate: W_gate @ vectors, "up": lambda vectors, W_up: W_up @ vectors,
                                         "output": lambda hidden, W_down: W_down @ hidden}),
        Mistake("always_silu", {"bend": lambda: silu}),
        Mistake("always_gelu", {"bend": lambda: gelu}),
        Mistake("always_sigmoid", {"bend": lambda: variants.sigmoid}),
        Mistake("output_bent", {"output": lambda hidden, W_down, bend: bend(hidden @ W_down)}),
        Mistake("x_added", {"output": lambda hidden, W_down, vectors: hidden @ W_down + vectors}),
    ),
    variants.GATED,
    properties=(
        Property("rows_alone", rows_alone),
        Property("linear_in_up", _linear_in_up),
    ),
    difficulty=2, minutes=6, core=False,
)  # fmt: skip
