"""Answers to the exercise feed_forward: wrong ones, then right ones by another road."""

import numpy as np

from tests.exercises.unlisted_05.shared import _bend, right, wrong

# ── feed_forward, wrong ─────────────────────────────────────────────────────────────────────────────────────


@wrong("feed_forward")
def biases_before_the_maps(x, W_1, b_1, W_2, b_2, activation=_bend):
    """(x + b₁) W₁: stops unless there are as many neurons as features."""
    return (activation((x + b_1) @ W_1) + b_2) @ W_2


@wrong("feed_forward")
def no_biases(x, W_1, b_1, W_2, b_2, activation=_bend):
    """Both left out."""
    return activation(x @ W_1) @ W_2


@wrong("feed_forward")
def one_bias_for_all_neurons(x, W_1, b_1, W_2, b_2, activation=_bend):
    """The mean of b₁."""
    return activation(x @ W_1 + np.mean(b_1)) @ W_2 + b_2


@wrong("feed_forward")
def biases_subtracted(x, W_1, b_1, W_2, b_2, activation=_bend):
    """− b₁, as a threshold is written."""
    return activation(x @ W_1 - b_1) @ W_2 + b_2


@wrong("feed_forward")
def softmax_over_neurons(x, W_1, b_1, W_2, b_2, activation=_bend):
    """Neurons made into shares that sum to 1."""
    hidden = activation(x @ W_1 + b_1)
    e = np.exp(hidden - hidden.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ W_2 + b_2


@wrong("feed_forward")
def as_a_block(x, W_1, b_1, W_2, b_2, activation=_bend):
    """Normalised before, added after."""
    x = np.asarray(x, dtype=float)
    n = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return x + activation(n @ W_1 + b_1) @ W_2 + b_2


@wrong("feed_forward")
def mean_over_words(x, W_1, b_1, W_2, b_2, activation=_bend):
    """One vector for the whole text, repeated."""
    x = np.asarray(x, dtype=float)
    middle = x.mean(axis=-2, keepdims=True) if x.ndim > 1 else x
    return np.broadcast_to(activation(middle @ W_1 + b_1) @ W_2 + b_2, x.shape).copy()


@wrong("feed_forward")
def first_example_only(x, W_1, b_1, W_2, b_2, activation=_bend):
    """x[0] where there is a batch."""
    x = np.asarray(x, dtype=float)
    return activation((x[0] if x.ndim == 3 else x) @ W_1 + b_1) @ W_2 + b_2


@wrong("feed_forward")
def maps_multiplied_first(x, W_1, b_1, W_2, b_2, activation=_bend):
    """activation(x (W₁ W₂) + …): the two made one, and bent afterwards."""
    return activation(x @ (W_1 @ W_2) + b_1 @ W_2 + b_2)


@wrong("feed_forward")
def positive_weights(x, W_1, b_1, W_2, b_2, activation=_bend):
    """|W₁| in place of W₁."""
    return activation(x @ np.abs(W_1) + b_1) @ W_2 + b_2


@wrong("feed_forward")
def bent_twice_in_between(x, W_1, b_1, W_2, b_2, activation=_bend):
    """activation(activation(…)): right for ReLU."""
    return activation(activation(x @ W_1 + b_1)) @ W_2 + b_2


@wrong("feed_forward")
def each_weight_bent(x, W_1, b_1, W_2, b_2, activation=_bend):
    """The matrix goes through the bend and not the neurons."""
    return (x @ activation(W_1) + b_1) @ W_2 + b_2


@wrong("feed_forward")
def second_bias_twice(x, W_1, b_1, W_2, b_2, activation=_bend):
    """b₂ added two times."""
    return activation(x @ W_1 + b_1) @ W_2 + 2 * b_2


@wrong("feed_forward")
def half_of_the_neurons(x, W_1, b_1, W_2, b_2, activation=_bend):
    """Every other neuron: dropout that was left on."""
    return activation(x @ W_1 + b_1)[..., ::2] @ W_2[::2] + b_2


@wrong("feed_forward")
def all_vectors_in_one_row(x, W_1, b_1, W_2, b_2, activation=_bend):
    """(N, C): leading axes are lost."""
    x = np.reshape(x, (-1, len(W_1)))
    return activation(x @ W_1 + b_1) @ W_2 + b_2


@wrong("feed_forward")
def in_place(x, W_1, b_1, W_2, b_2, activation=_bend):
    """The right numbers, written over x; whole ones lose their fractions."""
    x[...] = activation(x @ W_1 + b_1) @ W_2 + b_2
    return x


# ── feed_forward, right ─────────────────────────────────────────────────────────────────────────────────────


@right("feed_forward")
def as_linear_layers_have_it(x, W_1, b_1, W_2, b_2, activation=_bend):
    """Matrices stored the other way round, and turned back."""
    linear = lambda a, weight, bias: a @ weight.T + bias
    return linear(activation(linear(x, W_1.T, b_1)), W_2.T, b_2)


@right("feed_forward")
def columns_and_back(x, W_1, b_1, W_2, b_2, activation=_bend):
    """Vectors as columns, as in books."""
    columns = np.swapaxes(np.atleast_2d(x), -1, -2)
    output = W_2.T @ activation(W_1.T @ columns + b_1[:, None]) + b_2[:, None]
    return np.swapaxes(output, -1, -2).reshape(np.shape(x))


@right("feed_forward")
def word_by_word(x, W_1, b_1, W_2, b_2, activation=_bend):
    """np.apply_along_axis."""
    return np.apply_along_axis(lambda v: activation(v @ W_1 + b_1) @ W_2 + b_2, -1, np.asarray(x, dtype=float))


@right("feed_forward")
def in_two_halves(x, W_1, b_1, W_2, b_2, activation=_bend):
    """Neurons in two groups, whose additions are summed, as when they live on two machines."""
    cut = len(b_1) // 2
    parts = [activation(x @ W_1[:, s] + b_1[s]) @ W_2[s] for s in (slice(cut), slice(cut, None))]
    return sum(parts) + b_2


@right("feed_forward")
def by_tensordot(x, W_1, b_1, W_2, b_2, activation=_bend):
    """The last axis of one with the first of the other."""
    return np.tensordot(activation(np.tensordot(x, W_1, 1) + b_1), W_2, 1) + b_2
