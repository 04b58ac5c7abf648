"""The random head: the same word is the same vector, on every machine, and its scores have the scale they should."""

import subprocess
import sys

import numpy as np
import pytest

from course.blocks.attention import attention_steps
from course.lens.sample import random_head, split


def test_split():
    assert split("I  like\napples ") == ["I", "like", "apples"]
    assert split("我喜欢") == ["我", "喜", "欢"] and split(" word ") == list("word")
    assert split("") == split(" \n\u3000") == []


def test_the_same_word_is_the_same_vector_wherever_it_stands():
    r = random_head("a b a c")
    np.testing.assert_array_equal(r.q[:, 0], r.q[:, 2])
    assert np.abs(r.q[:, 0] - r.q[:, 1]).max() > 0.1
    np.testing.assert_allclose(random_head("c x b").k[:, 2], r.k[:, 1], rtol=1e-5)
    assert np.abs(random_head("a b", seed=1).q - random_head("a b").q).max() > 0.1


def test_the_same_in_another_process():
    code = "from course.lens.sample import random_head; print(float(random_head('苹果 x').q[0, 0, 0]))"
    numbers = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in "ab"}
    assert numbers == {f"{float(random_head('苹果 x').q[0, 0, 0])}\n"}


def test_scores_have_variance_one():
    r = random_head(" ".join(map(str, range(300))), d_model=64, d_head=32, n_heads=4)
    assert r.q.shape == (4, 300, 32)
    assert 0.8 < attention_steps(r.q, r.k, r.v).scores.var() < 1.25


def test_no_words_is_one_sentence_and_odd_words_are_words():
    with pytest.raises(ValueError, match="token"):
        random_head(" ")
    assert random_head("\ud800 👩‍👩‍👧 ‮ x").tokens == ("\ud800", "👩‍👩‍👧", "‮", "x")
