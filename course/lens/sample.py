"""A head with random vectors, for trying attention's arithmetic on any sentence before there is a trained model."""

import numpy as np

from course.lens.recording import Recording
from course.sentences import table


def split(text: str) -> list[str]:
    """Words at spaces where there are any, else single characters: a stand-in until chapter 01's tokenizer.

    "I like apples" → ["I", "like", "apples"];  "我喜欢吃苹果" → six characters;  "" → [].
    """
    words = text.split()
    return words if len(words) > 1 else list("".join(words))


def random_head(text: str, d_model: int = 16, d_head: int = 8, n_heads: int = 1, seed: int = 0) -> Recording:
    """Queries, keys and values of `text`, from random vectors and random matrices.

    Every word has one vector, drawn from a standard normal with the word itself and `seed` as the seed, so the
    same word gets the same vector on every machine; W_Q, W_K, W_V are drawn with variance 1 / d_model, which keeps
    the numbers of queries and keys at variance 1 (the case for which 1/√d_head is made).

    Returns a Recording with q, k, v (n_heads, T, d_head).  Raises ValueError for a text without words.
    """
    words = split(text)
    if not words:
        raise ValueError(table("recording")["errors"]["no_tokens"])
    # The letters' code points are the seed: no hash, which Python salts anew in every process.
    x = np.stack([np.random.default_rng([seed, *map(ord, word)]).normal(size=d_model) for word in words])  # (T, C)
    W = np.random.default_rng(seed).normal(size=(3, n_heads, d_model, d_head)) / np.sqrt(d_model)
    q, k, v = (x @ w for w in W)  # (H, T, D) each
    return Recording(tokens=tuple(words), q=q, k=k, v=v, note=table("sample")["random_vectors"].format(seed=seed))
