r"""Embedding: every id of the vocabulary owns one row of a table, and that row is the vector the model works with.

    x_t = E[ids_t] = one_hot(ids_t) E        E: (V, C), learned

The lookup and the product with a one-hot vector are the same map; the second shows that an embedding is a linear layer,
the first is what a program does, since the product spends V multiplications on each number and all but one are by 0.

The hand version comes first (NumPy, float64): `one_hot`, `embed`, `embed_one_hot`, and the lookup's gradient,
`embed_gradient`.  The layers follow (PyTorch): `Embedding`, and `ScaledEmbedding`, which multiplies by √C.

Ids are whole numbers 0 … V−1.  Others are refused: NumPy would take −1 for the last row and say nothing.

    >>> table = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> embed([2, 0, 2], table)
    array([[4., 5.],
           [0., 1.],
           [4., 5.]])
    >>> embed_gradient([2, 0, 2], np.ones((3, 2)), vocab_size=3)
    array([[1., 1.],
           [0., 0.],
           [2., 2.]])
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────


def one_hot(ids, vocab_size: int) -> np.ndarray:
    """Each id as a vector that is 1 at its own place and 0 everywhere else.

    ids: (...,) whole numbers, each 0 … vocab_size−1.  Returns (..., V) float64.
    Raises TypeError for ids that are not whole numbers (text among them), ValueError for one outside the vocabulary.
    """
    ids = _checked(ids, vocab_size)
    return (ids[..., None] == np.arange(vocab_size)).astype(np.float64)  # (..., V)


def embed(ids, table) -> np.ndarray:
    """Look up the row of each id: table[ids].

    ids: (...,) whole numbers, each 0 … V−1;  table: (V, C).  Returns a copy, (..., C) float64.
    Raises TypeError for ids that are not whole numbers, ValueError for one outside the vocabulary or a table that does
    not have two axes.
    """
    table = _checked_table(table)
    return table[_checked(ids, len(table))]  # (..., C)


def embed_one_hot(ids, table) -> np.ndarray:
    """The same as `embed`, by a matrix product: one_hot(ids) @ table.

    V · C multiplications for each id in place of none; the numbers are equal, since every other product is 0 (a table
    with inf or NaN anywhere spoils that: 0 · inf is NaN).  Arguments, result and errors are `embed`'s.
    """
    table = _checked_table(table)
    return one_hot(ids, len(table)) @ table  # (..., C)


def embed_gradient(ids, d_x, vocab_size: int) -> np.ndarray:
    """From the gradient of what was looked up to the gradient of the table: a scatter-add.

        d_table[v] = Σ over places t with ids_t = v of d_x_t        (that is one_hot(ids)ᵀ d_x)

    An id that occurs several times collects from every place; a row that was not looked up gets 0 and does not learn.
    `d_table[ids] += d_x` is another thing: NumPy writes to each row once, and of a repeated id the last place counts.

    ids: (...,) whole numbers, each 0 … vocab_size−1;  d_x: (..., C).  Returns (V, C) float64.
    Raises TypeError and ValueError for ids as `embed`, ValueError where d_x has not one vector for each id.
    """
    ids, d_x = _checked(ids, vocab_size), np.asarray(d_x, dtype=np.float64)
    if d_x.shape[:-1] != ids.shape or d_x.ndim == 0:
        raise ValueError(f"d_x needs one vector for each id, shape {(*ids.shape, 'C')}, got {d_x.shape}")
    d_table = np.zeros((vocab_size, d_x.shape[-1]))
    np.add.at(d_table, ids, d_x)
    return d_table  # (V, C)


def _checked(ids, vocab_size: int) -> np.ndarray:
    """The ids as an array of integers, or one sentence for what they are instead."""
    ids = np.asarray(ids)
    if ids.size == 0 and ids.dtype == np.float64:  # an empty list, which has no numbers to tell a type from
        ids = ids.astype(np.int64)
    if ids.dtype.kind not in "iu":  # True and 1.0 would be taken for something else, or fail in another place
        raise TypeError(f"ids are whole numbers, as a tokenizer's encode(text) gives them; got {_kind(ids)}")
    if ids.size and not (0 <= ids.min() and ids.max() < vocab_size):
        raise ValueError(_outside(ids.min(), ids.max(), vocab_size))
    return ids


def _kind(ids: np.ndarray) -> str:
    return "text" if ids.dtype.kind in "US" else f"an array of {ids.dtype}"


def _outside(least, largest, vocab_size: int) -> str:
    wrong = least if least < 0 else largest
    return f"ids lie between 0 and {vocab_size - 1}, the rows of the vocabulary; got {int(wrong)}"


def _checked_table(table) -> np.ndarray:
    table = np.asarray(table, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"a table has two axes, (V, C), one row for each entry of the vocabulary; got {table.shape}")
    return table


# ── the layers ──────────────────────────────────────────────────────────────────────────────────────────────


class Embedding(nn.Module):
    """The table as a layer: ids in, rows out.  `weight` (V, C) is the table, named as in nn.Embedding.

    vocab_size: V rows;  d_model: width C.  Parameters: V·C, and no others.
    At the start every number is drawn from a normal distribution around 0 with standard deviation `std` = 0.02, which
    is GPT-2's and BERT's (nn.Embedding's is 1).

    `forward(ids)` takes whole numbers (...,), usually (B, T), and returns (..., C).
    Raises TypeError for a tensor that does not hold int32 or int64, ValueError for an id outside the vocabulary.
    """

    def __init__(self, vocab_size: int, d_model: int, std: float = 0.02):
        super().__init__()
        if min(vocab_size, d_model) < 1:
            raise ValueError(f"a table needs at least one row and one column, got ({vocab_size}, {d_model})")
        self.weight = nn.Parameter(torch.randn(vocab_size, d_model) * std)  # (V, C)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        if not torch.is_tensor(ids) or ids.dtype not in (torch.int32, torch.int64):
            kind = ids.dtype if torch.is_tensor(ids) else type(ids).__name__
            raise TypeError(f"ids are a tensor of whole numbers (torch.int64 or torch.int32), got {kind}")
        if ids.numel():  # on a GPU torch itself would stop the whole process, and not say which id
            least, largest = (int(a) for a in torch.aminmax(ids))
            if least < 0 or largest >= len(self.weight):
                raise ValueError(_outside(least, largest, len(self.weight)))
        return F.embedding(ids, self.weight)  # (..., C)


class ScaledEmbedding(Embedding):
    """`Embedding` whose rows are multiplied by √C on the way out (arXiv 1706.03762, section 3.4).

    GPT-2 and BERT do not.  The paper shares the table with the output layer.  There a row of C numbers must be short,
    or the logits are large: so the numbers start with standard deviation 1/√C.  On the way in they are brought back to
    standard deviation 1, about the size of the sines and cosines that are added; else the positions would drown them.
    """

    def __init__(self, vocab_size: int, d_model: int):
        super().__init__(vocab_size, d_model, std=1 / math.sqrt(max(d_model, 1)))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return super().forward(ids) * math.sqrt(self.weight.shape[-1])  # (..., C)
