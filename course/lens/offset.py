"""How much a head looks a fixed number of tokens away: one number for each head."""

import numpy as np


def offset_score(weights, offset: int) -> np.ndarray:
    """The mean weight on the key `offset` positions after the query: −1 is the previous token, +1 the next, 0 itself.

    weights: (..., T, T), row = query, column = key.  Queries whose key would lie outside the text are left out of the
    mean.  Returns (...), one number for each head, from 0 to 1; NaN where no query has such a key.
    """
    weights = np.asarray(weights, dtype=np.float64)
    diagonal = np.diagonal(weights, offset, axis1=-2, axis2=-1)  # (..., T − |offset|)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN, which is what is promised
        return diagonal.sum(axis=-1) / diagonal.shape[-1]
