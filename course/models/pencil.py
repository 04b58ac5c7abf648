r"""The pencil model: a GPT small enough to be computed on paper, and a sheet with a box for each chapter.

Nine words, vectors of four numbers (C = 4), two heads of width two, one pre-norm block with five neurons (ReLU), no
biases, tied unembedding, and no parameter with more than one decimal.  It was trained on the eight sentences of this
pattern, with its parameters rounded as it learned:

    我|你  喜欢 吃  苹果 和 香蕉 。        我|你  不 喜欢 吃  苹果 。        (or with the fruits exchanged)

It has learned when a fruit is followed by 和 ("and") and when by the full stop: whoever does not like is done with one.

    >>> model = pencil_model()
    >>> probs = model(torch.tensor(to_ids("我 喜欢 吃 苹果".split())))[-1].softmax(-1)
    >>> WORDS[int(probs.argmax())]
    '和'

`boxes(words)` computes what belongs into each box of the sheet by hand; `python -m course.pencil_sheet` writes the sheet.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from course.blocks.attention import attention_steps, causal_mask, merge_heads, softmax, split_heads
from course.blocks.feed_forward import relu
from course.blocks.norm import LayerNormSteps, layer_norm_steps
from course.models.config import GPTConfig
from course.models.gpt import GPT

WORDS = ("我", "你", "不", "喜欢", "吃", "苹果", "和", "香蕉", "。")  # the id is the place in this list
GLOSSES = ("I", "you", "not", "like", "eat", "apple", "and", "banana", ".")
SENTENCE = ("我", "喜欢", "吃", "苹果")  # the one on the sheet: I like eating apples …
CONFIG = GPTConfig(vocab_size=9, context_length=7, d_model=4, n_heads=2, n_layers=1, d_ff=5, activation="relu", bias=False)

EMBEDDING = np.array([  # (V, C)
    [0.0, 0.0, 0.0, 0.0],  # 我 and 你 make no difference to what follows: they ended at the same vector
    [0.0, 0.0, 0.0, 0.0],
    [-1.4, -0.4, 2.6, 0.0],
    [-0.8, 2.0, 2.7, -1.6],
    [-1.7, 3.0, -1.9, 0.4],
    [0.0, -3.3, 0.0, 1.7],
    [2.4, -1.6, 1.7, -0.7],
    [-1.3, -0.6, -1.4, 2.8],
    [1.9, 1.2, -2.6, -1.6],
])  # fmt: skip
POSITIONS = np.array([  # (context_length, C)
    [0.0, 0.0, 0.0, 0.7],
    [0.0, -0.2, 0.0, 0.0],
    [0.0, 0.0, -0.6, 0.0],
    [0.3, 0.0, 0.1, -0.1],
    [-0.1, 0.0, 0.4, -0.3],
    [0.0, 0.6, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0],
])  # fmt: skip
BLOCK = {
    # (C, C), x @ W: columns 0, 1 are head 1's, columns 2, 3 head 2's.  Head 1 has no queries and keys: it hears all alike.
    "W_Q": np.array([[0.0, 0.0, 0.0, 0.2], [0.0, 0.0, 0.3, 0.4], [0.0, 0.0, 0.0, -0.9], [0.0, 0.0, -0.1, 0.0]]),
    "W_K": np.array([[0.0, 0.0, -0.3, 0.0], [0.0, 0.0, 0.2, 0.6], [0.0, 0.0, 0.0, -1.4], [0.0, 0.0, 0.0, 0.0]]),
    "W_V": np.array([[0.0, 0.2, 0.0, 0.0], [0.0, 0.0, -0.3, 1.7], [-0.7, 0.1, 0.9, 0.0], [1.1, 0.0, -0.7, -0.6]]),
    "W_O": np.array([[-0.2, -0.1, 1.1, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.7, -1.0, 0.7], [0.8, -0.9, -0.2, 0.2]]),
    "W_1": np.array([  # (C, F_)
        [0.0, -1.3, 0.0, 0.0, 0.0],
        [-0.5, 0.0, 0.0, 0.7, -0.2],
        [0.2, 0.0, 0.2, -0.8, 0.3],
        [1.1, 0.0, -1.0, 0.0, -0.6],
    ]),
    "W_2": np.array([  # (F_, C)
        [0.3, 0.7, -0.2, -0.9],
        [1.3, 0.1, 0.0, -0.2],
        [0.0, 0.5, -0.4, 1.1],
        [0.0, -0.6, 0.3, 1.2],
        [-0.5, 0.0, 0.0, 0.6],
    ]),
}  # fmt: skip
HEADS = {f"{part}_{head + 1}": BLOCK[part][:, 2 * head : 2 * head + 2] for part in ("W_Q", "W_K", "W_V") for head in (0, 1)}


class Boxes(NamedTuple):
    """Every number of the sheet, in the order in which it is computed.  T words, head 1 first."""

    ids: np.ndarray  # (T,)                                                     chapter 01
    vectors: np.ndarray  # (T, C)       rows of the embedding
    x: np.ndarray  # (T, C)             vectors + positions                     chapter 02
    normed: np.ndarray  # (T, C)        what the block reads: norm(x); printed on the sheet, computed in chapter 05
    q: np.ndarray  # (H, T, D)                                                  chapter 03 (head 2), 04 (head 1)
    k: np.ndarray  # (H, T, D)
    v: np.ndarray  # (H, T, D)
    scores: np.ndarray  # (H, T, T)     q·k / √2
    weights: np.ndarray  # (H, T, T)
    heads: np.ndarray  # (H, T, D)      weights · v
    concat: np.ndarray  # (T, C)        head 1 beside head 2                    chapter 04
    attended: np.ndarray  # (T, C)      concat · W_O
    after_attention: np.ndarray  # (T, C)  x + attended                         chapter 05
    norm: LayerNormSteps  # its mean, centred, variance, normalised
    neurons: np.ndarray  # (T, F_)      before the bend
    bent: np.ndarray  # (T, F_)         ReLU
    thought: np.ndarray  # (T, C)       bent · W_2
    after_block: np.ndarray  # (T, C)   after_attention + thought               chapter 06
    final: LayerNormSteps  # the norm at the end
    logits: np.ndarray  # (T, V)                                                chapter 07
    probs: np.ndarray  # (T, V)


def to_ids(words: Sequence[str]) -> list[int]:
    """Words → ids.  Raises ValueError for no words, more than the model reads, or a word that it does not have."""
    words = list(words)
    if not 1 <= len(words) <= CONFIG.context_length:
        raise ValueError(f"the pencil model reads 1 to {CONFIG.context_length} words, got {len(words)}")
    unknown = [word for word in words if word not in WORDS]
    if unknown:
        raise ValueError(f"the pencil model has the words {' '.join(WORDS)}, and not {unknown[0]!r}")
    return [WORDS.index(word) for word in words]


def boxes(words: Sequence[str] = SENTENCE) -> Boxes:
    """What belongs into the boxes of the sheet for a text of these words, float64, unrounded.

    Raises ValueError as `to_ids`.
    """
    ids = np.array(to_ids(words))
    T = len(ids)
    vectors = EMBEDDING[ids]  # (T, C)
    x = vectors + POSITIONS[:T]
    normed = layer_norm_steps(x, 1.0, 0.0, CONFIG.eps).output
    q, k, v = (split_heads(normed @ BLOCK[f"W_{a}"], CONFIG.n_heads) for a in "QKV")  # (H, T, D) each
    found = attention_steps(q, k, v, causal_mask(T))
    concat = merge_heads(found.output)  # (T, C)
    attended = concat @ BLOCK["W_O"]
    after_attention = x + attended
    norm = layer_norm_steps(after_attention, 1.0, 0.0, CONFIG.eps)
    neurons = norm.output @ BLOCK["W_1"]  # (T, F_)
    bent = relu(neurons)
    thought = bent @ BLOCK["W_2"]  # (T, C)
    after_block = after_attention + thought
    final = layer_norm_steps(after_block, 1.0, 0.0, CONFIG.eps)
    logits = final.output @ EMBEDDING.T  # (T, V)
    return Boxes(ids, vectors, x, normed, q, k, v, found.scores, found.weights, found.output, concat, attended,
                 after_attention, norm, neurons, bent, thought, after_block, final, logits, softmax(logits))  # fmt: skip


def pencil_model() -> GPT:
    """The same model as a layer, float64: GPT(CONFIG) with these parameters."""
    model = GPT(CONFIG).double()
    block = model.blocks[0]
    places = {
        model.embedding.weight: EMBEDDING, model.positions.weight: POSITIONS,
        block.attention.query.weight: BLOCK["W_Q"].T, block.attention.key.weight: BLOCK["W_K"].T,
        block.attention.value.weight: BLOCK["W_V"].T, block.attention.out.weight: BLOCK["W_O"].T,
        block.feed_forward.up.weight: BLOCK["W_1"].T, block.feed_forward.down.weight: BLOCK["W_2"].T,
    }  # fmt: skip
    with torch.no_grad():
        for parameter, values in places.items():  # norms begin as 1, and stay so
            parameter.copy_(torch.from_numpy(values.copy()))
    return model
