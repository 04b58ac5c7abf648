"""Answers to the exercise multi_head_attention: wrong ones, then right ones by another road."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from tests.exercises.unlisted_03.shared import _hide, _products, _scores, _weights
from tests.exercises.unlisted_04.shared import _join, _mix, _qkv, _split, _whole, right, wrong

# ── multi_head_attention, wrong ─────────────────────────────────────────────────────────────────────────────


@wrong("multi_head_attention")
def scale_of_the_model(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """√(H·D): right for one head."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_products(q, k) / np.sqrt(W_Q.shape[1]), mask)), v, W_O)


@wrong("multi_head_attention")
def no_scale_at_all(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """q kᵀ as it is: right for heads of width 1."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_products(q, k), mask)), v, W_O)


@wrong("multi_head_attention")
def scale_by_heads(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """√H in place of √D: right where H = D."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_products(q, k) / np.sqrt(n_heads), mask)), v, W_O)


@wrong("multi_head_attention")
def width_of_x_cut(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """D = C / H: right where H·D = C, else the heads are too narrow or don't fit."""
    own = slice(0, x.shape[-1] // n_heads * n_heads)
    return _whole(x, W_Q[:, own], W_K[:, own], W_V[:, own], W_O[own], n_heads, mask, memory)


@wrong("multi_head_attention")
def one_wide_head(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Attention at full width, its weights shown H times."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, 1, memory)
    weights = _weights(_hide(np.repeat(_scores(q, k), n_heads, axis=-3), mask))
    return _mix(weights, _split(v[..., 0, :, :], n_heads), W_O)


@wrong("multi_head_attention")
def softmax_over_heads(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """The heads' weights for a key sum to 1."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_scores(q, k), mask), axis=-3), v, W_O)


@wrong("multi_head_attention")
def softmax_down_the_columns(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Each key's weights sum to 1."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_scores(q, k), mask), axis=-2), v, W_O)


@wrong("multi_head_attention")
def queries_split_by_one_reshape(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Right shape; queries get pieces of other positions."""
    _, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    q = (x @ W_Q).reshape(*x.shape[:-2], n_heads, x.shape[-2], k.shape[-1])
    return _mix(_weights(_hide(_scores(q, k), mask)), v, W_O)


@wrong("multi_head_attention")
def columns_dealt_to_heads(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Head h owns columns h, h + H …; the concatenation has heads side by side."""
    own = np.arange(W_Q.shape[1]).reshape(-1, n_heads).T.ravel()
    return _whole(x, W_Q[:, own], W_K[:, own], W_V[:, own], W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def key_head_0_for_all(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """All heads share the first head's keys and values."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_scores(q, k[..., :1, :, :]), mask)), np.broadcast_to(v[..., :1, :, :], v.shape), W_O)


@wrong("multi_head_attention")
def keys_by_w_q(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """W_K is never used."""
    return _whole(x, W_Q, W_Q, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def keys_and_values_exchanged(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """W_V makes keys, W_K makes values."""
    return _whole(x, W_Q, W_V, W_K, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def matrices_of_linear_layers(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """x Wᵀ, as torch stores them, where the matrices are square."""
    if W_Q.shape[0] == W_Q.shape[1]:
        W_Q, W_K, W_V = W_Q.T, W_K.T, W_V.T
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def w_o_turned(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """W_Oᵀ, where it is square."""
    return _whole(x, W_Q, W_K, W_V, W_O.T if W_O.shape[0] == W_O.shape[1] else W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def w_o_forgotten(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """The concatenation comes back."""
    _, weights = _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)
    return _join(weights @ _split((x if memory is None else memory) @ W_V, n_heads)), weights


@wrong("multi_head_attention")
def one_block_of_w_o_for_all(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Each head meets the first D rows of W_O, and the results are summed."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    weights = _weights(_hide(_scores(q, k), mask))
    return (weights @ v @ W_O[: v.shape[-1]]).sum(axis=-3), weights


@wrong("multi_head_attention")
def mean_of_the_heads(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Each head meets its own rows of W_O, and the results are averaged."""
    output, weights = _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)
    return output / n_heads, weights


@wrong("multi_head_attention")
def last_head_counts(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """The output is overwritten in each round of the loop."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    weights = _weights(_hide(_scores(q, k), mask))
    for h in range(n_heads):
        output = weights[..., h, :, :] @ v[..., h, :, :] @ np.split(W_O, n_heads)[h]
    return output, weights


@wrong("multi_head_attention")
def heads_pile_up(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Head h's output contains those of the heads before it: the sum starts only once."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    weights = _weights(_hide(_scores(q, k), mask))
    return _join(np.cumsum(weights @ v, axis=-3)) @ W_O, weights


@wrong("multi_head_attention")
def merged_by_one_reshape(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Heads and positions are mixed before W_O."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    weights = _weights(_hide(_scores(q, k), mask))
    return (weights @ v).reshape(*weights.shape[:-3], x.shape[-2], -1) @ W_O, weights


@wrong("multi_head_attention")
def x_added(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """A residual connection."""
    output, weights = _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)
    return output + x, weights


@wrong("multi_head_attention")
def a_bias_of_one(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """1 is added to every query: 'a layer has a bias'."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_scores(q + 1, k), mask)), v, W_O)


@wrong("multi_head_attention")
def weights_in_reverse(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """The output is right; the last head's weights come first."""
    output, weights = _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)
    return output, weights[..., ::-1, :, :]


@wrong("multi_head_attention")
def weights_averaged(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """The output is right; the weights are the mean over heads."""
    output, weights = _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)
    return output, weights.mean(axis=-3)


@wrong("multi_head_attention")
def weights_of_the_last_head(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """The output is right; the loop's last weights come with it."""
    output, weights = _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)
    return output, weights[..., -1, :, :]


@wrong("multi_head_attention")
def heads_stacked_in_front(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """The output is right; weights are (H, ..., T, S): right for one text."""
    output, weights = _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)
    return output, np.moveaxis(weights, -3, 0)


@wrong("multi_head_attention")
def weights_before_the_softmax(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """The output is right; scores come with it."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)[0], _hide(_scores(q, k), mask)


@wrong("multi_head_attention")
def weights_come_first(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """(weights, output)."""
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)[::-1]


@wrong("multi_head_attention")
def the_output_alone(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """No weights."""
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)[0]


@wrong("multi_head_attention")
def mask_unused(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """The mask is never looked at."""
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, None, memory)


@wrong("multi_head_attention")
def mask_means_hidden(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """True is hidden."""
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, None if mask is None else ~mask, memory)


@wrong("multi_head_attention")
def mask_of_head_0_for_all(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """One head's mask for every head."""
    mask = mask if mask is None or mask.ndim < 3 else mask[..., :1, :, :]
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def mask_of_example_0_for_all(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """A mask of four axes is cut to its first example."""
    mask = mask if mask is None or mask.ndim < 4 else mask[0]
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def mask_for_the_first_head_only(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Other heads see everything."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    scores = _scores(q, k)
    seen = np.broadcast_to(True if mask is None else mask, scores.shape).copy()
    seen[..., 1:, :, :] = True
    return _mix(_weights(_hide(scores, seen)), v, W_O)


@wrong("multi_head_attention")
def what_one_head_may_see_all_may(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """any over the heads of the mask."""
    mask = mask if mask is None or mask.ndim < 3 else mask.any(axis=-3, keepdims=True)
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def mask_gets_an_axis_in_any_case(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """mask[..., None, :, :], 'for the heads', also where it has one: (1, T, S) helps, (H, T, S) doesn't."""
    mask = None if mask is None else mask[..., None, :, :]
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def ones_of_the_mask_squeezed(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """(B, 1, T, S) becomes (B, T, S), which is read as heads."""
    mask = None if mask is None else mask.squeeze()
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def mask_after_the_softmax(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Hidden weights are set to 0; rows sum to less than 1."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_hide(_weights(_scores(q, k)), mask, 0.0), v, W_O)


@wrong("multi_head_attention")
def hidden_scores_are_low(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """−1e9: a query that may look at nothing looks at everything."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_scores(q, k), mask, -1e9)), v, W_O)


@wrong("multi_head_attention")
def nan_where_all_is_hidden(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """−inf − (−inf)."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    scores = _hide(_scores(q, k), mask)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return _mix(e / e.sum(axis=-1, keepdims=True), v, W_O)


@wrong("multi_head_attention")
def a_writer_cannot_look_ahead(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Causal without being asked."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    scores = _scores(q, k)
    return _mix(_weights(_hide(_hide(scores, mask), np.tri(*scores.shape[-2:], dtype=bool))), v, W_O)


@wrong("multi_head_attention")
def memory_unheard(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Keys and values come from x, where a mask for memory fits."""
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, None)


@wrong("multi_head_attention")
def memory_for_keys_only(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Values come from x: no fit unless S = T."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_scores(q, k), mask)), _split(x @ W_V, n_heads), W_O)


@wrong("multi_head_attention")
def memory_for_values_only(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Keys come from x: no fit unless S = T."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    return _mix(_weights(_hide(_scores(q, _split(x @ W_K, n_heads)), mask)), v, W_O)


@wrong("multi_head_attention")
def memory_asks(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Queries come from memory, keys and values from x."""
    memory = x if memory is None else memory
    return _whole(memory, W_Q, W_K, W_V, W_O, n_heads, mask, x)


@wrong("multi_head_attention")
def memory_asks_itself(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """x is replaced by memory."""
    return _whole(x if memory is None else memory, W_Q, W_K, W_V, W_O, n_heads, mask, None)


@wrong("multi_head_attention")
def memory_is_kept(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None, kept={}):
    """The memory of an earlier call is used where none is given and the shape fits."""
    shape = (*x.shape[:-2], x.shape[-1])
    if memory is not None:
        kept[shape] = memory.copy()
    elif mask is None:
        memory = kept.get(shape)
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def only_a_matrix(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """T, C = x.shape: a batch raises an error."""
    T, C = x.shape
    return _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def first_example_for_all_keys(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """k[0]: every example of a batch looks at the first one's keys."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    k = k[:1] if k.ndim > 3 else k
    return _mix(_weights(_hide(_scores(q, k), mask)), v, W_O)


@wrong("multi_head_attention")
def x_scaled_in_place(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Right answers; the caller's x is smaller afterwards."""
    answers = _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)
    x /= np.sqrt(W_Q.shape[1] // n_heads + 1)
    return answers


@wrong("multi_head_attention")
def six_digits(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """float32."""
    return tuple(a.astype(np.float32) for a in _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory))


@wrong("multi_head_attention")
def attended_and_forgotten(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """No return."""
    _whole(x, W_Q, W_K, W_V, W_O, n_heads, mask, memory)


@wrong("multi_head_attention")
def outputs_of_all_calls(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None, outputs={}):
    """The list of heads is never emptied; its first H are used, where they fit."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    weights = _weights(_hide(_scores(q, k), mask))
    outputs.setdefault(q.shape, []).extend(np.moveaxis(weights @ v, -3, 0))
    return np.concatenate(outputs[q.shape][:n_heads], axis=-1) @ W_O, weights


@wrong("multi_head_attention")
def dropout_left_on(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Some weights get lost, others grow."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    weights = _weights(_hide(_scores(q, k), mask))
    weights = weights * (np.random.default_rng().random(weights.shape) >= 0.1) / 0.9
    return _mix(weights, v, W_O)


# ── multi_head_attention, right ─────────────────────────────────────────────────────────────────────────────


@right("multi_head_attention")
def all_by_letters(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """einsum with W as (C, H, D) and W_O as (H, D, C): no head is ever split or merged."""
    memory = x if memory is None else memory
    W_Q, W_K, W_V = (W.reshape(len(W), n_heads, -1) for W in (W_Q, W_K, W_V))
    q = np.einsum("...tc,chd->...htd", x, W_Q)
    k, v = (np.einsum("...sc,chd->...hsd", memory, W) for W in (W_K, W_V))
    weights = _weights(_hide(np.einsum("...htd,...hsd->...hts", q, k) / np.sqrt(q.shape[-1]), mask))
    W_O = W_O.reshape(n_heads, -1, W_O.shape[1])
    return np.einsum("...hts,...hsd,hdc->...tc", weights, v, W_O), weights


@right("multi_head_attention")
def heads_that_add_up(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Each head writes through its own rows of W_O, and the outputs are summed."""
    memory = x if memory is None else memory
    output, all_weights = 0.0, []
    parts = [np.split(W, n_heads, axis=1) for W in (W_Q, W_K, W_V)] + [np.split(W_O, n_heads)]
    for h, (to_q, to_k, to_v, out) in enumerate(zip(*parts)):
        seen = mask if mask is None or mask.ndim == 2 else mask[..., h % mask.shape[-3], :, :]
        weights = _weights(_hide(_scores(x @ to_q, memory @ to_k), seen))
        output = output + weights @ (memory @ to_v) @ out
        all_weights.append(weights)
    return output, np.stack(all_weights, axis=-3)


@right("multi_head_attention")
def by_torch_fused(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """torch's scaled_dot_product_attention, for the values and for the identity, which gives the weights."""
    x, W_Q, W_K, W_V, W_O = (torch.tensor(a, dtype=torch.float64) for a in (x, W_Q, W_K, W_V, W_O))
    memory = x if memory is None else torch.tensor(memory, dtype=torch.float64)
    seen = torch.tensor(True if mask is None else mask)
    q, k, v = (
        (a @ W).unflatten(-1, (n_heads, -1)).transpose(-3, -2) for a, W in ((x, W_Q), (memory, W_K), (memory, W_V))
    )
    lead = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    q, k, v = (a.expand(*lead, *a.shape[-2:]) for a in (q, k, v))
    seen = seen.expand(*lead, q.shape[-2], k.shape[-2])
    identity = torch.eye(k.shape[-2], dtype=torch.float64).expand(*lead, -1, -1)
    weights = F.scaled_dot_product_attention(q, k, identity, attn_mask=seen).nan_to_num(0.0)
    return ((weights @ v).transpose(-3, -2).flatten(-2) @ W_O).numpy(), weights.numpy()


@right("multi_head_attention")
def circuits(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """One matrix for asking, W_Q W_Kᵀ, and one for answering, W_V W_O, for each head: no query, key or value."""
    memory = x if memory is None else memory
    ask, found, hand, out = (np.split(W, n_heads, axis=1) for W in (W_Q, W_K, W_V, W_O.T))
    scores = np.stack([x @ (a @ f.T) @ memory.swapaxes(-1, -2) for a, f in zip(ask, found)], axis=-3)
    weights = _weights(_hide(scores / np.sqrt(W_Q.shape[1] / n_heads), mask))
    return sum(weights[..., h, :, :] @ memory @ (hand[h] @ out[h].T) for h in range(n_heads)), weights


@right("multi_head_attention")
def query_by_query_and_head_by_head(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Loops and math; hidden keys are never touched."""
    q, k, v = _qkv(x, W_Q, W_K, W_V, n_heads, memory)
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    (T, D), S = q.shape[-2:], k.shape[-2]
    q, k, v = (np.broadcast_to(a, (*lead, *a.shape[-2:])) for a in (q, k, v))
    seen = np.broadcast_to(True if mask is None else mask, (*lead, T, S))
    weights, concat = np.zeros((*lead, T, S)), np.zeros((*lead[:-1], T, n_heads * D))
    for *b, h, t in np.ndindex(*lead, T):
        keys = np.flatnonzero(seen[(*b, h, t)]).tolist()
        scores = [math.fsum(q[(*b, h, t)] * k[(*b, h, s)]) / math.sqrt(D) for s in keys]
        e = [math.exp(score - max(scores)) for score in scores]
        for s, one in zip(keys, e):
            weights[(*b, h, t, s)] = one / sum(e)
            concat[(*b, t, slice(h * D, (h + 1) * D))] += one / sum(e) * v[(*b, h, s)]
    return concat @ W_O, weights


@right("multi_head_attention")
def full_width_with_zeros(x, W_Q, W_K, W_V, W_O, n_heads, mask=None, memory=None):
    """Heads stay full width, with 0 in others' columns of queries and values; the mask is added as a logarithm."""
    memory = x if memory is None else memory
    width = W_Q.shape[1]
    own = (np.arange(width) * n_heads // width == np.arange(n_heads)[:, None])[:, None, :]  # (H, 1, H·D)
    q = np.where(own, (x @ W_Q)[..., None, :, :], 0.0)
    scores = q @ (memory @ W_K)[..., None, :, :].swapaxes(-1, -2) * math.sqrt(n_heads / width)
    with np.errstate(divide="ignore"):
        scores = scores + np.log(1.0 if mask is None else mask.astype(float))
    weights = _weights(scores)
    return (weights @ np.where(own, (memory @ W_V)[..., None, :, :], 0.0)).sum(axis=-3) @ W_O, weights
