"""Answers to the exercise block: wrong ones, then right ones by another road."""

import numpy as np

from course.blocks.attention import attention
from course.blocks.feed_forward import gelu_tanh, relu
from tests.exercises.unlisted_06.shared import _listen, _normed, _think, right, wrong

# ── block, wrong ────────────────────────────────────────────────────────────────────────────────────────────


@wrong("block")
def multiplied_in_place_of_added(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """x · attention."""
    x = x * _listen(_normed(x, parameters, 1), parameters, n_heads, mask)
    return x * _think(_normed(x, parameters, 2), parameters, activation)


@wrong("block")
def averaged(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """(x + f) / 2."""
    x = (x + _listen(_normed(x, parameters, 1), parameters, n_heads, mask)) / 2
    return (x + _think(_normed(x, parameters, 2), parameters, activation)) / 2


@wrong("block")
def halved_contributions(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """x + f/√2, as if to keep the variance."""
    x = x + _listen(_normed(x, parameters, 1), parameters, n_heads, mask) / np.sqrt(2)
    return x + _think(_normed(x, parameters, 2), parameters, activation) / np.sqrt(2)


@wrong("block")
def attention_twice(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """Attention in both lines."""
    x = x + _listen(_normed(x, parameters, 1), parameters, n_heads, mask)
    return x + _listen(_normed(x, parameters, 2), parameters, n_heads, mask)


@wrong("block")
def thinking_twice(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """The feed-forward part in both lines."""
    x = x + _think(_normed(x, parameters, 1), parameters, activation)
    return x + _think(_normed(x, parameters, 2), parameters, activation)


@wrong("block")
def only_attention(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """The second line is missing."""
    return x + _listen(_normed(x, parameters, 1), parameters, n_heads, mask)


@wrong("block")
def only_thinking(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """The first line is missing."""
    return x + _think(_normed(x, parameters, 2), parameters, activation)


@wrong("block")
def norm_around_both(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """One norm inside and one outside of each part."""
    p = parameters
    x = x + _normed(_listen(_normed(x, p, 1), p, n_heads, mask), p, 1)
    return x + _normed(_think(_normed(x, p, 2), p, activation), p, 2)


@wrong("block")
def pre_and_post(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """Pre-norm for attention, post-norm for the feed-forward part."""
    p = parameters
    x = x + _listen(_normed(x, p, 1), p, n_heads, mask)
    return _normed(x + _think(x, p, activation), p, 2)


@wrong("block")
def gains_left_out(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """Norms without gain and shift."""
    plain = lambda a: (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + 1e-5)
    x = x + _listen(plain(np.asarray(x, dtype=float)), parameters, n_heads, mask)
    return x + _think(plain(x), parameters, activation)


@wrong("block")
def root_mean_square_norms(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """RMSNorm in place of layer norm."""
    p = parameters
    rms = lambda a, n: a / np.sqrt((a**2).mean(-1, keepdims=True) + 1e-5) * p[f"gamma_{n}"] + p[f"beta_{n}"]
    x = x + _listen(rms(np.asarray(x, dtype=float), 1), p, n_heads, mask)
    return x + _think(rms(x, 2), p, activation)


@wrong("block")
def bends_with_relu(x, parameters, n_heads, mask=None):
    """ReLU, whatever the default says."""
    x = x + _listen(_normed(x, parameters, 1), parameters, n_heads, mask)
    return x + _think(_normed(x, parameters, 2), parameters, relu)


@wrong("block")
def mask_inverted(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """True = may not look."""
    x = x + _listen(_normed(x, parameters, 1), parameters, n_heads, None if mask is None else ~mask)
    return x + _think(_normed(x, parameters, 2), parameters, activation)


@wrong("block")
def both_from_one_norm(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """Both parts read the first norm of x, and everything is summed."""
    h = _normed(x, parameters, 1)
    return x + _listen(h, parameters, n_heads, mask) + _think(h, parameters, activation)


@wrong("block")
def one_example_for_all(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """The first example, where there is a batch."""
    x = x[0] if np.ndim(x) == 3 else x
    mask = mask[0, 0] if mask is not None and mask.ndim == 4 else mask
    x = x + _listen(_normed(x, parameters, 1), parameters, n_heads, mask)
    return x + _think(_normed(x, parameters, 2), parameters, activation)


@wrong("block")
def added_in_place(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """x += …: the caller's array is changed."""
    x += _listen(_normed(x, parameters, 1), parameters, n_heads, mask)
    x += _think(_normed(x, parameters, 2), parameters, activation)
    return x


@wrong("block")
def gives_both_streams(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """A pair: after attention, and at the end."""
    x = x + _listen(_normed(x, parameters, 1), parameters, n_heads, mask)
    return x, x + _think(_normed(x, parameters, 2), parameters, activation)


@wrong("block")
def forgets_to_return(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """No return."""
    x = x + _listen(_normed(x, parameters, 1), parameters, n_heads, mask)
    x = x + _think(_normed(x, parameters, 2), parameters, activation)


@wrong("block")
def a_key_that_is_not_there(x, parameters, n_heads, mask=None, activation=gelu_tanh):
    """parameters["gamma"]: KeyError."""
    return x + _listen(x * parameters["gamma"], parameters, n_heads, mask)


# ── block, right ────────────────────────────────────────────────────────────────────────────────────────────


@right("block")
def two_named_contributions(x, parameters, n_heads, mask=None, activation=gelu_tanh, eps=1e-5, turn=None):
    """The stream stays x; what is added has names."""
    heard = _listen(_normed(x, parameters, 1, eps), parameters, n_heads, mask)
    thought = _think(_normed(x + heard, parameters, 2, eps), parameters, activation)
    return np.asarray(x) + heard + thought


@right("block")
def a_loop_over_parts(x, parameters, n_heads, mask=None, activation=gelu_tanh, eps=1e-5, turn=None):
    """Both lines as one."""
    parts = (lambda h: _listen(h, parameters, n_heads, mask)), (lambda h: _think(h, parameters, activation))
    for number, part in enumerate(parts, 1):
        x = x + part(_normed(x, parameters, number, eps))
    return x


@right("block")
def head_by_head(x, parameters, n_heads, mask=None, activation=gelu_tanh, eps=1e-5, turn=None):
    """Each head adds to the stream by itself, through its own rows of W_O."""
    p, x = parameters, np.asarray(x, dtype=float)
    h, D = _normed(x, p, 1, eps), x.shape[-1] // n_heads
    stream = x + p["b_O"]
    for n in range(n_heads):
        s = slice(n * D, (n + 1) * D)
        q, k, v = (h @ p["W_" + a][:, s] + p["b_" + a][s] for a in "QKV")
        own = mask if mask is None or mask.ndim < 3 else mask[..., min(n, mask.shape[-3] - 1), :, :]
        stream = stream + attention(q, k, v, own)[0] @ p["W_O"][s]
    return stream + _think(_normed(stream, p, 2, eps), p, activation)


@right("block")
def by_positional_names(x, parameters, n_heads, mask=None, **more):
    """Everything else by name, with the defaults of the docstring."""
    activation, eps = more.get("activation", gelu_tanh), more.get("eps", 1e-5)
    middle = np.add(x, _listen(_normed(x, parameters, 1, eps), parameters, n_heads, mask))
    return np.add(middle, _think(_normed(middle, parameters, 2, eps), parameters, activation))
