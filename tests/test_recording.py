"""Recording: what fits together is taken and brought into one form; what does not is refused with one sentence."""

import numpy as np
import pytest
import torch

from course.lens.recording import Recording

rng = np.random.default_rng(0)
T, S, H, D, Dv = 3, 5, 2, 4, 6
q, k, v = rng.normal(size=(H, T, D)), rng.normal(size=(H, S, D)), rng.normal(size=(H, S, Dv))
weights = rng.random((H, T, S))
QUERIES, KEYS = "abc", "vwxyz"


def test_everything_is_brought_into_one_form():
    mask = rng.random((T, S)) > 0.5
    r = Recording(QUERIES, q, k, v, mask=mask, key_tokens=list(KEYS), note="n")
    assert r.tokens == ("a", "b", "c") and r.key_tokens == tuple("vwxyz")
    for name, array in dict(q=q, k=k, v=v).items():
        assert getattr(r, name).dtype == np.float32
        np.testing.assert_array_equal(getattr(r, name), array.astype(np.float32))
    np.testing.assert_array_equal(r.mask, mask)
    assert r.has_scores and r.heads == H and r.note == "n"


def test_one_head_gets_its_axis_and_keys_their_names():
    r = Recording(("a", "b", "c"), q[0], q[1])
    assert r.q.shape == (1, T, D) and r.heads == 1 and r.key_tokens == r.tokens
    np.testing.assert_array_equal(r.k[0], q[1].astype(np.float32))


def test_weights_alone():
    r = Recording(QUERIES, weights=weights, key_tokens=KEYS)
    assert not r.has_scores and r.heads == H
    np.testing.assert_array_equal(r.weights, weights.astype(np.float32))


def test_torch_tensors_with_gradients_and_short_floats():
    tensor = torch.tensor(q, requires_grad=True)
    r = Recording(QUERIES, tensor, torch.tensor(k, dtype=torch.bfloat16), mask=torch.ones(T, S, dtype=torch.bool), key_tokens=KEYS)
    np.testing.assert_array_equal(r.q, q.astype(np.float32))
    np.testing.assert_allclose(r.k, k, rtol=1e-2)
    assert r.mask.all() and r.mask.dtype == bool


def test_scores_weights_and_output_of_a_layer_with_its_own_scale_and_bias():
    mask, bias = rng.random((T, S)) > 0.3, rng.normal(size=(H, T, S))
    mask[1] = False
    r = Recording(QUERIES, q, k, v, mask=mask, key_tokens=KEYS, bias=bias, scale=0.7)
    scores = 0.7 * np.einsum("htd,hsd->hts", q, k) + bias
    np.testing.assert_allclose(r.scores(), scores, rtol=1e-5, atol=1e-6)
    e = np.exp(scores) * mask
    expected = np.divide(e, e.sum(-1, keepdims=True), where=mask.any(-1)[:, None], out=np.zeros_like(e))
    output, computed = r.attend()
    np.testing.assert_allclose(computed, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(output, expected @ v, rtol=1e-5, atol=1e-6)
    assert computed.dtype == output.dtype == np.float64


def test_without_a_scale_it_is_that_of_the_paper():
    r = Recording(QUERIES, q, k, key_tokens=KEYS)
    assert r.scale == 1 / 2 and r.attend()[0] is None
    np.testing.assert_allclose(r.scores(), np.einsum("htd,hsd->hts", q, k) / 2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bias", [rng.normal(size=(T, S)), rng.normal(size=(1, T, S))])
def test_one_bias_is_every_heads(bias):
    r = Recording(QUERIES, q, k, key_tokens=KEYS, bias=bias)
    assert r.bias.shape == (H, T, S)
    np.testing.assert_allclose(r.scores() - Recording(QUERIES, q, k, key_tokens=KEYS).scores(), r.bias, atol=1e-6)


def test_measured_weights_are_what_the_layer_did():
    r = Recording(QUERIES, q, k, v, weights=weights, key_tokens=KEYS)
    output, measured = r.attend()
    np.testing.assert_array_equal(measured, weights.astype(np.float32))
    np.testing.assert_allclose(output, weights @ v, rtol=1e-5)
    bare = Recording(QUERIES, weights=weights, key_tokens=KEYS)
    assert bare.scale is None
    with pytest.raises(ValueError, match="have no scores"):
        bare.scores()


def test_shortened_keeps_what_comes_first():
    mask = rng.random((H, T, S)) > 0.5
    r = Recording(QUERIES, q, k, v, mask=mask, weights=weights, key_tokens=KEYS, bias=weights, scale=3).shortened(2)
    assert r.tokens == ("a", "b") and r.key_tokens == ("v", "w")
    for name, whole in dict(q=q[:, :2], k=k[:, :2], v=v[:, :2], weights=weights[:, :2, :2], bias=weights[:, :2, :2]).items():
        np.testing.assert_array_equal(getattr(r, name), whole.astype(np.float32))
    np.testing.assert_array_equal(r.mask, mask[:, :2, :2])
    assert r.scale == 3
    assert Recording(QUERIES, q, k, key_tokens=KEYS).shortened(99).tokens == ("a", "b", "c")


REFUSED = {
    "no tokens": (dict(tokens="", q=q, k=k), "This text has 0 tokens."),
    "nothing": (dict(tokens=QUERIES), "needs queries and keys, or weights"),
    "only queries": (dict(tokens=QUERIES, q=q), "got only q"),
    "only keys": (dict(tokens=QUERIES, k=k, weights=weights), "got only k"),
    "axes": (dict(tokens=QUERIES, q=q[None], k=k, key_tokens=KEYS), "q must have 2 axes .* or 3 .*, got 4"),
    "rows of q": (dict(tokens="ab", q=q, k=k, key_tokens=KEYS), "2 query tokens need as many rows of q, got 3"),
    "rows of k": (dict(tokens=QUERIES, q=q, k=k, key_tokens="vw"), "2 key tokens need as many rows of k, got 5"),
    "rows of v": (dict(tokens=QUERIES, q=q, k=k, v=v[:, :4], key_tokens=KEYS), "5 key tokens need as many rows of v, got 4"),
    "columns of weights": (dict(tokens=QUERIES, weights=weights, key_tokens="vw"), "need as many columns of weights, got 5"),
    "heads": (dict(tokens=QUERIES, q=q, k=k[:1], key_tokens=KEYS), "number of heads, got 2 for q and 1 for k"),
    "width": (dict(tokens=QUERIES, q=q, k=v, key_tokens=KEYS), "equally wide .*, got 4 and 6"),
    "no width": (dict(tokens=QUERIES, q=q[..., :0], k=k[..., :0], key_tokens=KEYS), "their width is 0"),
    "NaN": (dict(tokens=QUERIES, q=np.full((T, D), np.nan), k=k[0], key_tokens=KEYS), "q holds 12 numbers that are not finite"),
    "words": (dict(tokens=QUERIES, q="abc", k=k, key_tokens=KEYS), "q must be an array of numbers, got str"),
    "rows of bias": (dict(tokens=QUERIES, q=q, k=k, key_tokens=KEYS, bias=weights[:, :2]), "3 query tokens .* rows of bias, got 2"),
    "heads of bias": (dict(tokens=QUERIES, q=q, k=k, key_tokens=KEYS, bias=np.ones((3, T, S))), "got 2 for q and 3 for bias"),
    "infinite bias": (dict(tokens=QUERIES, q=q, k=k, key_tokens=KEYS, bias=np.full((T, S), -np.inf)), "bias holds 15 numbers"),
    "bias alone": (dict(tokens=QUERIES, weights=weights, key_tokens=KEYS, bias=weights), "A bias belongs to scores"),
    "scale alone": (dict(tokens=QUERIES, weights=weights, key_tokens=KEYS, scale=1.0), "A scale belongs to scores"),
    "no scale": (dict(tokens=QUERIES, q=q, k=k, key_tokens=KEYS, scale=0), "positive number, got 0"),
    "endless scale": (dict(tokens=QUERIES, q=q, k=k, key_tokens=KEYS, scale=np.inf), "positive number, got inf"),
    "words for a scale": (dict(tokens=QUERIES, q=q, k=k, key_tokens=KEYS, scale="1"), "positive number, got 1"),
    "mask of numbers": (dict(tokens=QUERIES, q=q, k=k, key_tokens=KEYS, mask=np.ones((T, S), int)), "A mask is boolean.* got int64"),
    "mask's shape": (dict(tokens=QUERIES, q=q, k=k, key_tokens=KEYS, mask=np.ones((S, T), bool)), r"shape \(3, 5\) or \(2, 3, 5\), got \(5, 3\)"),
}  # fmt: skip


@pytest.mark.parametrize("parts, sentence", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(parts, sentence):
    with pytest.raises(ValueError, match=sentence) as refusal:
        Recording(**parts)
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 120
