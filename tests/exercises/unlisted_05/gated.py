"""Answers to the exercise gated_feed_forward: wrong ones, then right ones by another road."""

import numpy as np

from tests.exercises.unlisted_05.shared import _swish, right, wrong

# ── gated_feed_forward, wrong ───────────────────────────────────────────────────────────────────────────────


@wrong("gated_feed_forward")
def gate_in_another_direction(x, W_gate, W_up, W_down, activation=_swish):
    """Roles of the two matrices swapped."""
    return (activation(x @ W_up) * (x @ W_gate)) @ W_down


@wrong("gated_feed_forward")
def matrices_added(x, W_gate, W_up, W_down, activation=_swish):
    """One map with the sum of both matrices."""
    return activation(x @ (W_gate + W_up)) @ W_down


@wrong("gated_feed_forward")
def matrices_multiplied(x, W_gate, W_up, W_down, activation=_swish):
    """One map with the product of both, number by number."""
    return activation(x @ (W_gate * W_up)) @ W_down


@wrong("gated_feed_forward")
def side_by_side(x, W_gate, W_up, W_down, activation=_swish):
    """Concatenated, and brought down by W_down twice."""
    hidden = np.concatenate([activation(x @ W_gate), x @ W_up], axis=-1)
    return hidden @ np.concatenate([W_down, W_down])


@wrong("gated_feed_forward")
def dot_product(x, W_gate, W_up, W_down, activation=_swish):
    """One number for each word in place of one for each neuron."""
    product = (activation(x @ W_gate) * (x @ W_up)).sum(axis=-1, keepdims=True)
    return product * W_down.sum(axis=0)


@wrong("gated_feed_forward")
def gate_then_complement(x, W_gate, W_up, W_down, activation=_swish):
    """g·u + (1 − g)·u: the gate cancels."""
    g, u = activation(x @ W_gate), x @ W_up
    return (g * u + (1 - g) * u) @ W_down


@wrong("gated_feed_forward")
def switched(x, W_gate, W_up, W_down, activation=_swish):
    """A gate that is open or shut."""
    return ((x @ W_gate > 0) * (x @ W_up)) @ W_down


@wrong("gated_feed_forward")
def gate_normalised(x, W_gate, W_up, W_down, activation=_swish):
    """The gate is divided by its largest."""
    g = activation(x @ W_gate)
    return (g / np.abs(g).max(axis=-1, keepdims=True) * (x @ W_up)) @ W_down


@wrong("gated_feed_forward")
def gate_twice(x, W_gate, W_up, W_down, activation=_swish):
    """The gate is squared."""
    return (activation(x @ W_gate) ** 2 * (x @ W_up)) @ W_down


@wrong("gated_feed_forward")
def x_as_the_other(x, W_gate, W_up, W_down, activation=_swish):
    """x itself is gated: stops unless there are as many neurons as features."""
    return (activation(x @ W_gate) * x) @ W_down


@wrong("gated_feed_forward")
def up_scaled(x, W_gate, W_up, W_down, activation=_swish):
    """Divided by the root of the width."""
    return (activation(x @ W_gate) * (x @ W_up)) @ W_down / np.sqrt(W_up.shape[1])


# ── gated_feed_forward, right ───────────────────────────────────────────────────────────────────────────────


@right("gated_feed_forward")
def the_other_way_round(x, W_gate, W_up, W_down, activation=_swish):
    """A product does not mind its order."""
    up = x @ W_up
    return np.multiply(up, activation(x @ W_gate)) @ W_down


@right("gated_feed_forward")
def by_einsum(x, W_gate, W_up, W_down, activation=_swish):
    """Gate, up and down in one sum."""
    return np.einsum("...f,...f,fc->...c", activation(x @ W_gate), np.asarray(x) @ W_up, W_down)


@right("gated_feed_forward")
def column_by_column(x, W_gate, W_up, W_down, activation=_swish):
    """One feature of the output at a time."""
    g, u = activation(x @ W_gate), x @ W_up
    return np.stack([(g * u * W_down[:, c]).sum(axis=-1) for c in range(W_down.shape[1])], axis=-1)


@right("gated_feed_forward")
def with_the_way_down_drawn_in(x, W_gate, W_up, W_down, activation=_swish):
    """The gate moves into the matrix of the way down."""
    g = activation(x @ W_gate)
    return ((x @ W_up)[..., None, :] @ (g[..., None] * W_down))[..., 0, :]


@right("gated_feed_forward")
def two_matrices_in_one_array(x, W_gate, W_up, W_down, activation=_swish):
    """Both maps stacked, (2, C, F), and one product with an axis more."""
    x = np.asarray(x, dtype=float)
    g, u = np.tensordot(np.stack([W_gate, W_up]), x, axes=([1], [x.ndim - 1])) if x.ndim == 1 else (x @ W_gate, x @ W_up)
    return activation(g) * u @ W_down
