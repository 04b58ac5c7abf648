r"""Positions: attention takes a set of vectors, and order must be written into them.  Three ways to do it.

    sinusoidal   add a fixed vector of sines and cosines           Vaswani et al. 2017, arXiv 1706.03762, section 3.5
    learned      add a learned row of a table                      Gehring et al. 2017, arXiv 1705.03122; GPT-2, BERT
    rotary       turn queries and keys, pair by pair, by angles    Su et al. 2021, arXiv 2104.09864
                 that grow with the position

All but the second are made of the same frequencies, ω_i = base^(−2i/C): pair i turns by ω_i with every step, the first
by one radian, the last so slowly that it hardly turns at all.  The distance of two positions is then a difference of
angles, wherever they stand.

The hand version comes first (NumPy, float64): `frequencies`, `sinusoidal`, `shift`, `similarity`, `rotation_angles`,
`rotate`, `rotate_halves`, and `interleave` and `deinterleave` between the last two.  The layers follow (PyTorch):
`SinusoidalPositions`, `LearnedPositions`, `RotaryPositions`.

Conventions, stated because others exist:
  * positions start at 0; where a function takes positions, they are given and never assumed;
  * sinusoidal: even columns are sines, odd columns cosines, as the paper's formula has them (some put all sines first);
  * rotary: a pair is two neighbours, features (2i, 2i+1), as in the paper and GPT-J; `rotate_halves` pairs feature i
    with feature i + D/2, as GPT-NeoX and LLaMA do in the transformers library.  Published weights fix which.

    >>> sinusoidal(3, 4).round(2)
    array([[ 0.  ,  1.  ,  0.  ,  1.  ],
           [ 0.84,  0.54,  0.01,  1.  ],
           [ 0.91, -0.42,  0.02,  1.  ]])
    >>> q, k = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[0.5, -1.0, 2.0, 0.0]])
    >>> [round(float(rotate(q, [t])[0] @ rotate(k, [t - 3])[0]), 6) for t in (3, 10, 1000)]  # the offset is 3
    [6.960085, 6.960085, 6.960085]
"""

import functools
import operator

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# ── by hand: sinusoidal ─────────────────────────────────────────────────────────────────────────────────────


def frequencies(d_model: int, base: float = 10000.0) -> np.ndarray:
    """How fast each pair of features turns, in radians per position: ω_i = base^(−2i/C), from 1 down to about 1/base.

    d_model: C ≥ 1, the width that is cut into pairs (for rotary positions that of one head).  Pairs are counted from
    i = 0; of an odd width the last has one feature.  Pair i is back where it was after 2π/ω_i positions, its wavelength.
    Returns (⌈C/2⌉,) float64.
    Raises ValueError for a width below 1 or a base that is not positive.
    """
    if d_model < 1 or not base > 0:
        raise ValueError(f"frequencies need a width of at least 1 and a base above 0, got {d_model} and {base}")
    return base ** (-np.arange(0, d_model, 2) / d_model)


def sinusoidal(T: int, d_model: int, base: float = 10000.0) -> np.ndarray:
    """A vector for each position 0 … T−1, to be added to the word that stands there.

        table[p, 2i] = sin(p · ω_i)        table[p, 2i+1] = cos(p · ω_i)        ω_i = base^(−2i/C)

    (arXiv 1706.03762, section 3.5).  Of an odd width the sines have one column more than the cosines.  Any T will do:
    there is a vector for positions that no training text reached, and no promise that a model makes sense of it.

    Returns (T, C) float64.
    Raises TypeError for a T that is no whole number, ValueError for one below 0, and as `frequencies`.
    """
    if operator.index(T) < 0:
        raise ValueError(f"a text has 0 positions or more, got T={T}")
    angles = np.outer(np.arange(T), frequencies(d_model, base))  # (T, ⌈C/2⌉)
    table = np.empty((T, d_model))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles[:, : d_model // 2])
    return table  # (T, C)


def shift(offset: float, d_model: int, base: float = 10000.0) -> np.ndarray:
    """The matrix that moves a position by `offset`, wherever it is: sinusoidal(…)[p] @ M = sinusoidal(…)[p + offset].

    Each pair (sin pω_i, cos pω_i), columns 2i and 2i+1, is turned by offset·ω_i, where ω_i = base^(−2i/C), by the block
    [[cos, −sin], [sin, cos]] of that angle; M is these blocks on the diagonal.  So M is orthogonal, shift(a) @ shift(b)
    = shift(a + b), and shift(−a) is the way back.

    offset: any number, negative ones too.  Returns (C, C) float64; vectors are rows, as in x @ W_Q.
    Raises ValueError for an odd width, of which the last sine has no cosine to turn with.
    """
    _check_even(d_model)
    angles = offset * frequencies(d_model, base)  # (C/2,)
    sine, cosine = np.arange(0, d_model, 2), np.arange(1, d_model, 2)
    M = np.zeros((d_model, d_model))
    M[sine, sine] = M[cosine, cosine] = np.cos(angles)
    M[cosine, sine] = np.sin(angles)  # the cosine's part in the new sine
    M[sine, cosine] = -np.sin(angles)
    return M


def similarity(offsets, d_model: int, base: float = 10000.0) -> np.ndarray:
    """The dot product of two sinusoidal vectors, from how far apart they stand: Σ_i cos(offset · ω_i).

    sin a sin b + cos a cos b = cos(a − b), pair by pair: the positions themselves drop out.  It is C/2 at offset 0, the
    squared length of every vector, and the same for an offset and its negative: a distance without a direction.

    offsets: numbers of any shape.  Returns float64 of that shape.
    Raises ValueError for an odd width, for which it does not hold.
    """
    _check_even(d_model)
    return np.cos(np.asarray(offsets, dtype=np.float64)[..., None] * frequencies(d_model, base)).sum(-1)


# ── by hand: rotary ─────────────────────────────────────────────────────────────────────────────────────────


def rotation_angles(positions, D: int, base: float = 10000.0) -> np.ndarray:
    """By how much each pair of features is turned at each position, in radians: position · ω_i.

    positions: (..., T) numbers, negative ones turn the other way;  D: an even width.  Returns (..., T, D/2) float64.
    Raises ValueError for an odd width.
    """
    _check_even(D)
    return np.asarray(positions, dtype=np.float64)[..., None] * frequencies(D, base)


def rotate(x, positions, base: float = 10000.0) -> np.ndarray:
    """Turn each pair of neighbouring features (2i, 2i+1) by position · ω_i, in radians, with ω_i = base^(−2i/D).

        x'[2i]   = x[2i] · cos − x[2i+1] · sin
        x'[2i+1] = x[2i] · sin + x[2i+1] · cos

    Lengths stay.  Of a query and a key, both turned, the dot product depends on the distance of their positions alone,
    and values are not turned: what is handed over does not depend on where it was.

    x: (..., T, D) queries or keys, D even;  positions: (T,), or one for each vector of x, (..., T), where the axes
    before T may be 1.  They are given, not assumed: behind six words kept from before, the next has position 6.
    Returns (..., T, D) float64.  rotate(rotate(x, p), −p) is x again.
    Raises ValueError for an odd width and for positions that do not fit, among them (B, T) for x of (B, H, T, D):
    positions[:, None] gives them an axis of heads.
    """
    x, positions = np.asarray(x, dtype=np.float64), np.asarray(positions)
    _check_positions(positions.shape, x.shape)
    angles = rotation_angles(positions, x.shape[-1], base)  # (..., T, D/2)
    cos, sin = np.cos(angles), np.sin(angles)
    first, second = x[..., 0::2], x[..., 1::2]  # (..., T, D/2) each
    turned = np.empty_like(x)
    turned[..., 0::2] = first * cos - second * sin
    turned[..., 1::2] = first * sin + second * cos
    return turned  # (..., T, D)


def rotate_halves(x, positions, base: float = 10000.0) -> np.ndarray:
    """`rotate` in the other layout: a pair is feature i and feature i + D/2, as GPT-NeoX and LLaMA have it.

    The two are one map with the features in another order, and each is wrong for weights made for the other:
    rotate(x, p) = rotate_halves(x[..., deinterleave(D)], p)[..., interleave(D)].  Arguments, result and errors are
    `rotate`'s.
    """
    x, positions = np.asarray(x, dtype=np.float64), np.asarray(positions)
    _check_positions(positions.shape, x.shape)
    angles = rotation_angles(positions, x.shape[-1], base)  # (..., T, D/2)
    cos, sin = np.cos(angles), np.sin(angles)
    first, second = np.split(x, 2, axis=-1)  # (..., T, D/2) each
    return np.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)  # (..., T, D)


def deinterleave(D: int, n_heads: int = 1) -> np.ndarray:
    """Indices that bring features from neighbours to halves, in each head: 0, 2, 4 … 1, 3, 5 …

    x[..., deinterleave(D)] is laid out for `rotate_halves`.  Of matrices whose columns are the features of several
    heads side by side, W_Q[:, deinterleave(D, H)] and W_K[:, deinterleave(D, H)] do for `rotate_halves` what W_Q and
    W_K do for `rotate` (the rows of a linear layer's `weight`, which is transposed); W_V and W_O stay as they are.

    D: width of one head, even;  n_heads: H.  Head h has the features from h·D on, and they stay there.
    Returns (H·D,) ints, a permutation.
    Raises ValueError for an odd width or fewer than one head.
    """
    starts = _first_features(D, n_heads)  # (H, 1)
    order = np.arange(D).reshape(-1, 2).T.ravel()  # (D,)  pairs are rows, and are read column by column
    return (starts + order).ravel()


def interleave(D: int, n_heads: int = 1) -> np.ndarray:
    """Indices that bring features from halves to neighbours, in each head: 0, D/2, 1, D/2+1 …

    The way back from `deinterleave`: W_Q[:, interleave(D, H)] and W_K[:, interleave(D, H)] carry the weights of a LLaMA
    over to `rotate`.  Arguments, result and errors are `deinterleave`'s.
    """
    starts = _first_features(D, n_heads)  # (H, 1)
    order = np.arange(D).reshape(2, -1).T.ravel()  # (D,)  halves are rows, and are read column by column
    return (starts + order).ravel()


def _first_features(D: int, n_heads: int) -> np.ndarray:
    """Where each head begins among the features of all, (H, 1): an order across the whole width would mix them."""
    _check_even(D)
    if n_heads < 1:
        raise ValueError(f"features belong to at least one head, got n_heads={n_heads}")
    return np.arange(n_heads)[:, None] * D


def _check_even(width: int) -> None:
    if width < 2 or width % 2:
        raise ValueError(f"features turn in pairs, so the width must be even and at least 2, got {width}")


def _check_positions(positions: tuple[int, ...], x: tuple[int, ...]) -> None:
    """Refuse what broadcasting would let pass: (B, T) positions for x of (B, H, T, D) fit by chance where B = H."""
    if len(x) < 2:
        raise ValueError(f"x needs at least two axes (positions, width), got shape {x}")
    fits = len(positions) == len(x) - 1 and all(p in (1, n) for p, n in zip(positions, x))
    if positions[-1:] != x[-2:-1] or not (fits or len(positions) == 1):
        raise ValueError(f"one position for each of the T={x[-2]} vectors, or shape {x[:-1]}; got shape {positions}")


# ── the layers ──────────────────────────────────────────────────────────────────────────────────────────────


class _Rows:
    """The rows of a formula for positions 0 … n−1, kept, and doubled in number when a later position is asked for.

    They are computed by hand, in float64, and rounded once.  No buffer of a module: `model.double()` would widen rows
    that are rounded already; here they are made anew for another dtype or device.
    """

    def __init__(self, formula):
        self.formula = formula  # T → (T, W) float64
        self.kept = torch.empty(0, 0)

    def first(self, T: int, like: torch.Tensor) -> torch.Tensor:
        """Rows 0 … T−1 (or more), on the device of `like`; float64 if `like` is, else float32 (half too)."""
        dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
        kept = self.kept
        if len(kept) < T or kept.dtype != dtype or kept.device != like.device:
            n = len(kept) if T <= len(kept) else max(T, 2 * len(kept))
            self.kept = kept = torch.from_numpy(self.formula(n)).to(dtype).to(like.device)
        return kept

    def at(self, positions: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """The rows of checked positions: (...,) → (..., W)."""
        T = int(positions.max()) + 1 if positions.numel() else 0
        return self.first(T, like)[positions]


def _whole(positions, like: torch.Tensor) -> torch.Tensor:
    """Positions as whole numbers, 0 or more, on the device of `like`: rows of a table, where −1 would wrap."""
    positions = torch.as_tensor(positions, device=like.device)
    if positions.dtype not in (torch.int32, torch.int64) and positions.numel():
        raise TypeError(f"positions are whole numbers (torch.int64 or torch.int32), got {positions.dtype}")
    if positions.numel() and int(positions.min()) < 0:
        raise ValueError(f"positions start at 0, got {int(positions.min())}")
    return positions.long()


def _check_vectors(x: torch.Tensor, width: int) -> None:
    if x.ndim < 2 or x.shape[-1] != width or not x.is_floating_point():
        raise ValueError(f"x is (..., T, {width}) of floating point numbers, got {tuple(x.shape)} of {x.dtype}")


class SinusoidalPositions(nn.Module):
    """Add the paper's sines and cosines to the vectors of the words.  Nothing is learned, nothing is saved.

    Range: any length.  Beyond the lengths a model was trained on the numbers are defined; quality is not promised.

    `forward(x, positions=None)`: x (..., T, C), usually (B, T, C);  positions: None for 0 … T−1, or whole numbers (T,)
    or (..., T), as for words that follow others kept from before (7 … 12).  Returns the shape and dtype of x.
    The table grows with the largest position seen.
    Raises ValueError where shapes do not fit or a position is negative, TypeError for positions that are not whole.
    """

    context_length: int | None = None  # no limit

    def __init__(self, d_model: int, base: float = 10000.0):
        super().__init__()
        frequencies(d_model, base)  # refuses what has none
        self.d_model = d_model
        self._rows = _Rows(functools.partial(sinusoidal, d_model=d_model, base=base))

    def forward(self, x: torch.Tensor, positions: torch.Tensor | None = None) -> torch.Tensor:
        _check_vectors(x, self.d_model)
        if positions is None:
            T = x.shape[-2]
            return (x + self._rows.first(T, x)[:T]).to(x.dtype)
        positions = _whole(positions, x)
        _check_positions(tuple(positions.shape), tuple(x.shape))
        return (x + self._rows.at(positions, x)).to(x.dtype)  # (..., T, C)


class LearnedPositions(nn.Module):
    """Add a learned vector to each position: row p of `weight` (context_length, C), as GPT-2 and BERT do.

    Range: positions 0 … context_length−1.  There is no row for a later one, so it is refused: cut the text, or use one
    of the others.  A row learns from texts that reach its position, and only from them; two neighbouring rows begin as
    unlike as any two.  Parameters: context_length·C, drawn with standard deviation 0.01, as in GPT-2's code.

    `forward(x, positions=None)` as in `SinusoidalPositions`.
    Raises ValueError for positions outside the table, and as there.
    """

    def __init__(self, context_length: int, d_model: int):
        super().__init__()
        if min(context_length, d_model) < 1:
            raise ValueError(f"a table needs at least one row and one column, got ({context_length}, {d_model})")
        self.context_length = context_length
        self.weight = nn.Parameter(torch.randn(context_length, d_model) * 0.01)  # (context_length, C)

    def forward(self, x: torch.Tensor, positions: torch.Tensor | None = None) -> torch.Tensor:
        _check_vectors(x, self.weight.shape[-1])
        if positions is None:
            T = x.shape[-2]
            self._check_range(T - 1)
            return x + self.weight[:T]
        positions = _whole(positions, x)
        _check_positions(tuple(positions.shape), tuple(x.shape))
        self._check_range(int(positions.max()) if positions.numel() else 0)
        return x + F.embedding(positions, self.weight)  # (..., T, C)

    def _check_range(self, largest: int) -> None:
        if largest >= self.context_length:
            raise ValueError(f"learned positions end at {self.context_length - 1}, got position {largest}")


class RotaryPositions(nn.Module):
    """Turn queries and keys by their positions: `rotate` as a layer.  Nothing is learned, nothing is saved.

        q, k = rotary(q, positions), rotary(k, positions)        before the scores; never v

    Range: any length, with the same reservation as `SinusoidalPositions`.  One layer may serve all blocks of a model.

    `forward(x, positions)`: x (B, H, T, D), or any (..., T, D);  positions: whole numbers (T,), or (B, T) for x of
    (B, H, T, D) where examples differ, as with padding on the left.  Returns the shape and dtype of x; half
    precision is turned in float32 and rounded at the end.  The tables grow with the largest position seen.
    Raises ValueError where shapes do not fit or a position is negative, TypeError for positions that are not whole.
    """

    context_length: int | None = None  # no limit

    def __init__(self, d_head: int, base: float = 10000.0):
        super().__init__()
        _check_even(d_head)
        frequencies(d_head, base)  # refuses what has none
        self.d_head = d_head
        self._rows = _Rows(functools.partial(_cosines_and_sines, D=d_head, base=base))

    def forward(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        _check_vectors(x, self.d_head)
        positions = _whole(positions, x)
        if positions.ndim == 2 and x.ndim == 4:
            positions = positions[:, None]  # (B, 1, T)  an axis of heads
        _check_positions(tuple(positions.shape), tuple(x.shape))
        cos, sin = self._rows.at(positions, x).chunk(2, dim=-1)  # (..., T, D/2) each
        first, second = x[..., 0::2], x[..., 1::2]  # (..., T, D/2) each
        turned = torch.stack((first * cos - second * sin, first * sin + second * cos), dim=-1)  # (..., T, D/2, 2)
        return turned.flatten(-2).to(x.dtype)  # (..., T, D)


def _cosines_and_sines(T: int, D: int, base: float) -> np.ndarray:
    angles = rotation_angles(np.arange(T), D, base)
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=-1)  # (T, D)
