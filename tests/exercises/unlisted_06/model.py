"""Answers to the exercise gpt: wrong ones, then right ones by another road."""

import numpy as np

from course.blocks.attention import causal_mask
from course.blocks.block import block, post_norm_block
from course.blocks.feed_forward import gelu_tanh
from course.blocks.norm import layer_norm
from tests.exercises.unlisted_06.shared import right, wrong


def _enter(ids, p):
    ids = np.asarray(ids)
    return p["embedding"][ids] + p["positions"][: ids.shape[-1]]


def _leave(x, p):
    return layer_norm(x, p["gamma"], p["beta"]) @ p["unembedding"]


def _through(x, blocks, n_heads):
    for own in blocks:
        x = block(x, own, n_heads, causal_mask(x.shape[-2]))
    return x


# ── gpt, wrong ──────────────────────────────────────────────────────────────────────────────────────────────


@wrong("gpt")
def mask_of_the_width(ids, parameters, n_heads):
    """causal_mask(C): fits only where the text is as long as the vectors are wide."""
    x = _enter(ids, parameters)
    for own in parameters["blocks"]:
        x = block(x, own, n_heads, causal_mask(x.shape[-1]))
    return _leave(x, parameters)


@wrong("gpt")
def length_from_the_batch(ids, parameters, n_heads):
    """T = len(ids): right for one text."""
    p, T = parameters, len(ids)
    x = p["embedding"][ids] + p["positions"][:T]
    for own in p["blocks"]:
        x = block(x, own, n_heads, causal_mask(T))
    return _leave(x, p)


@wrong("gpt")
def sees_itself_not(ids, parameters, n_heads):
    """A mask without its diagonal: the first token has nothing to look at."""
    x = _enter(ids, parameters)
    for own in parameters["blocks"]:
        x = block(x, own, n_heads, np.tril(np.ones((x.shape[-2],) * 2, bool), -1))
    return _leave(x, parameters)


@wrong("gpt")
def sees_one_ahead(ids, parameters, n_heads):
    """A mask with one diagonal more."""
    x = _enter(ids, parameters)
    for own in parameters["blocks"]:
        x = block(x, own, n_heads, np.tril(np.ones((x.shape[-2],) * 2, bool), 1))
    return _leave(x, parameters)


@wrong("gpt")
def post_norm_blocks(ids, parameters, n_heads):
    """The blocks of 2017."""
    x = _enter(ids, parameters)
    for own in parameters["blocks"]:
        x = post_norm_block(x, own, n_heads, causal_mask(x.shape[-2]))
    return _leave(x, parameters)


@wrong("gpt")
def norm_in_every_round(ids, parameters, n_heads):
    """The final norm stands inside of the loop."""
    p, x = parameters, _enter(ids, parameters)
    for own in p["blocks"]:
        x = layer_norm(block(x, own, n_heads, causal_mask(x.shape[-2])), p["gamma"], p["beta"])
    return x @ p["unembedding"]


@wrong("gpt")
def norm_twice(ids, parameters, n_heads):
    """Before the blocks and after them."""
    p = parameters
    return _leave(_through(layer_norm(_enter(ids, p), p["gamma"], p["beta"]), p["blocks"], n_heads), p)


@wrong("gpt")
def norm_of_the_last_block(ids, parameters, n_heads):
    """gamma_2 and beta_2 of the last block in place of the model's own."""
    p, last = parameters, parameters["blocks"][-1]
    x = _through(_enter(ids, p), p["blocks"], n_heads)
    return layer_norm(x, last["gamma_2"], last["beta_2"]) @ p["unembedding"]


@wrong("gpt")
def all_but_the_last(ids, parameters, n_heads):
    """range(L − 1)."""
    return _leave(_through(_enter(ids, parameters), parameters["blocks"][:-1], n_heads), parameters)


@wrong("gpt")
def returns_in_the_loop(ids, parameters, n_heads):
    """A return that is indented too far."""
    x = _enter(ids, parameters)
    for own in parameters["blocks"]:
        x = block(x, own, n_heads, causal_mask(x.shape[-2]))
        return _leave(x, parameters)


@wrong("gpt")
def positions_in_every_round(ids, parameters, n_heads):
    """Positions are added before each block."""
    p = parameters
    x = p["embedding"][ids]
    for own in p["blocks"]:
        x = block(x + p["positions"][: x.shape[-2]], own, n_heads, causal_mask(x.shape[-2]))
    return _leave(x, p)


@wrong("gpt")
def positions_after_the_blocks(ids, parameters, n_heads):
    """Positions are added at the end."""
    p = parameters
    x = _through(p["embedding"][ids], p["blocks"], n_heads)
    return _leave(x + p["positions"][: x.shape[-2]], p)


@wrong("gpt")
def positions_side_by_side(ids, parameters, n_heads):
    """Concatenated in place of added: wider than the blocks take."""
    p = parameters
    x = p["embedding"][ids]
    places = np.broadcast_to(p["positions"][: x.shape[-2]], x.shape)
    return _leave(_through(np.concatenate([x, places], axis=-1), p["blocks"], n_heads), p)


@wrong("gpt")
def ids_as_columns(ids, parameters, n_heads):
    """embedding[:, ids]."""
    p = parameters
    x = p["embedding"][:, np.asarray(ids) % p["embedding"].shape[1]].T
    return _leave(_through(x + p["positions"][: x.shape[-2]], p["blocks"], n_heads), p)


@wrong("gpt")
def log_probabilities(ids, parameters, n_heads):
    """log-softmax of the logits."""
    z = _leave(_through(_enter(ids, parameters), parameters["blocks"], n_heads), parameters)
    return z - np.logaddexp.reduce(z, axis=-1, keepdims=True)


@wrong("gpt")
def mean_over_the_text(ids, parameters, n_heads):
    """One vector for the whole text is read out."""
    x = _through(_enter(ids, parameters), parameters["blocks"], n_heads)
    return _leave(x.mean(axis=-2), parameters)


@wrong("gpt")
def logits_scaled(ids, parameters, n_heads):
    """Divided by √C, as T5 does."""
    x = _through(_enter(ids, parameters), parameters["blocks"], n_heads)
    return _leave(x, parameters) / np.sqrt(x.shape[-1])


@wrong("gpt")
def without_the_first_row(ids, parameters, n_heads):
    """Shifted by one already: T − 1 rows."""
    return _leave(_through(_enter(ids, parameters), parameters["blocks"], n_heads), parameters)[..., 1:, :]


@wrong("gpt")
def blocks_are_used_up(ids, parameters, n_heads):
    """pop(0) from the caller's list."""
    x = _enter(ids, parameters)
    while parameters["blocks"]:
        x = block(x, parameters["blocks"].pop(0), n_heads, causal_mask(x.shape[-2]))
    return _leave(x, parameters)


# ── gpt, right ──────────────────────────────────────────────────────────────────────────────────────────────


@right("gpt")
def by_recursion(ids, parameters, n_heads, activation=gelu_tanh, eps=1e-5, turn=None):
    """The stack, as a function that calls itself."""
    p = parameters

    def climb(x, n):
        return x if n == len(p["blocks"]) else climb(block(x, p["blocks"][n], n_heads, causal_mask(x.shape[-2])), n + 1)

    return _leave(climb(_enter(ids, p), 0), p)


@right("gpt")
def by_a_loop_over_places(ids, parameters, n_heads, activation=gelu_tanh, eps=1e-5, turn=None):
    """Row t from a text that ends there: a causal model does not know what comes."""
    ids = np.asarray(ids)
    rows = [_leave(_through(_enter(ids[..., : t + 1], parameters), parameters["blocks"], n_heads), parameters)[..., -1, :]
            for t in range(ids.shape[-1])]  # fmt: skip
    return np.stack(rows, axis=-2)


@right("gpt")
def by_contributions(ids, parameters, n_heads, activation=gelu_tanh, eps=1e-5, turn=None):
    """The stream as a sum of what each block has added."""
    stream = _enter(ids, parameters)
    for own in parameters["blocks"]:
        added = block(stream, own, n_heads, causal_mask(stream.shape[-2])) - stream
        stream = stream + added
    return _leave(stream, parameters)


@right("gpt")
def by_comparing_with_every_token(ids, parameters, n_heads, activation=gelu_tanh, eps=1e-5, turn=None):
    """A dot product with each column of the unembedding."""
    p = parameters
    h = layer_norm(_through(_enter(ids, p), p["blocks"], n_heads), p["gamma"], p["beta"], eps)
    return np.stack([h @ p["unembedding"][:, v] for v in range(p["unembedding"].shape[1])], axis=-1)
