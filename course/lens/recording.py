"""Recording: what one attention layer computed on one text, kept for looking at.

A model, a learner's function and bare arrays all become a Recording first; explorers and lenses read nothing else.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from course.blocks.attention import softmax
from course.sentences import table


@dataclass(frozen=True, eq=False)
class Recording:
    """One layer's attention on one text.

    tokens      the T queries' names;  key_tokens: the S keys' names, `tokens` if not given
    q, k, v     (H, T, D), (H, S, D), (H, S, Dv) float32, or None;  (T, D) counts as one head
    mask        (T, S) or (H, T, S) bool, True = may look, or None
    weights     (H, T, S) float32, or None: what was measured; needed where queries and keys are not to be had
    bias        (H, T, S) float32 or None: what the layer adds to its scores (T5's relative positions);  (T, S) and
                (1, T, S) are every head's
    scale       what q·k is multiplied by: a positive number, 1/√D if not given (T5: 1.0); None without q and k
    note        one line for the learner, "" for none

    After creation all names are strings and all arrays have the shapes above.  Numbers may come as NumPy arrays, lists
    or torch tensors (on any device, with or without gradients).  Raises ValueError, one sentence, if they do not fit.
    """

    tokens: tuple[str, ...]
    q: np.ndarray | None = None
    k: np.ndarray | None = None
    v: np.ndarray | None = None
    mask: np.ndarray | None = None
    weights: np.ndarray | None = None
    key_tokens: tuple[str, ...] | None = None
    note: str = ""
    bias: np.ndarray | None = None
    scale: float | None = None

    def __post_init__(self):
        keep = lambda name, value: object.__setattr__(self, name, value)  # the dataclass is frozen from here on
        keep("tokens", tuple(map(str, self.tokens)))
        keep("key_tokens", self.tokens if self.key_tokens is None else tuple(map(str, self.key_tokens)))
        for name in ("q", "k", "v", "weights", "bias"):
            keep(name, _heads(name, getattr(self, name)))
        keep("mask", None if self.mask is None else _to_numpy(self.mask))
        self._check()
        if self.bias is not None and len(self.bias) == 1:
            keep("bias", np.repeat(self.bias, self.heads, axis=0))
        if self.has_scores:
            keep("scale", 1 / math.sqrt(self.q.shape[2]) if self.scale is None else float(self.scale))

    @property
    def has_scores(self) -> bool:
        """True where queries and keys are known, so that scores can be computed anew."""
        return self.q is not None

    @property
    def heads(self) -> int:
        return len(self.weights if self.q is None else self.q)

    def scores(self) -> np.ndarray:
        """scale · q kᵀ + bias, before any mask: (H, T, S) float64.  Raises ValueError where there are only weights."""
        if not self.has_scores:
            _refuse("no_scores")
        scores = self.scale * (self.q.astype(np.float64) @ self.k.astype(np.float64).swapaxes(-1, -2))  # (H, T, S)
        return scores if self.bias is None else scores + self.bias

    def attend(self) -> tuple[np.ndarray | None, np.ndarray]:
        """What the layer did: output (H, T, Dv), or None without values, and weights (H, T, S), float64.

        The weights are those measured; where none were, the softmax of the scores under the mask.
        """
        if self.weights is not None:
            weights = self.weights.astype(np.float64)
        else:
            scores = self.scores()
            weights = softmax(scores if self.mask is None else np.where(self.mask, scores, -np.inf))
        return None if self.v is None else weights @ self.v, weights

    def shortened(self, longest: int) -> "Recording":
        """The same with at most the first `longest` queries and keys."""
        T, S = min(len(self.tokens), longest), min(len(self.key_tokens), longest)
        cut = lambda array, *ends: None if array is None else array[(..., *(slice(end) for end in ends))]
        return replace(
            self, tokens=self.tokens[:T], key_tokens=self.key_tokens[:S], q=cut(self.q, T, None),
            k=cut(self.k, S, None), v=cut(self.v, S, None), mask=cut(self.mask, T, S), weights=cut(self.weights, T, S),
            bias=cut(self.bias, T, S))  # fmt: skip

    def _check(self):
        T, S = len(self.tokens), len(self.key_tokens)
        if not T or not S:
            _refuse("no_tokens")
        if (self.q is None) != (self.k is None):
            _refuse("half", name="k" if self.q is None else "q")
        if self.q is None and self.weights is None:
            _refuse("nothing")
        sizes = (("q", T, None), ("k", None, None), ("v", None, None), ("weights", T, S), ("bias", T, S))
        for name, rows, columns in sizes:
            array = getattr(self, name)
            if array is None:
                continue
            if rows is not None and array.shape[1] != rows:
                _refuse("rows", name=name, T=T, rows=array.shape[1])
            if columns is None and rows is None and array.shape[1] != S:
                _refuse("columns", name=name, what="rows", S=S, columns=array.shape[1])
            if columns is not None and array.shape[2] != columns:
                _refuse("columns", name=name, what="columns", S=S, columns=array.shape[2])
            if array.shape[0] != self.heads and not (name == "bias" and array.shape[0] == 1):
                a_name = "weights" if self.q is None else "q"
                _refuse("heads", a=self.heads, a_name=a_name, b=array.shape[0], b_name=name)
        if self.q is not None and self.q.shape[2] != self.k.shape[2]:
            _refuse("width", q=self.q.shape[2], k=self.k.shape[2])
        if self.q is not None and self.q.shape[2] == 0:
            _refuse("no_width")
        self._check_scoring()
        self._check_mask(T, S)

    def _check_scoring(self):
        for name in ("scale", "bias"):
            if self.q is None and getattr(self, name) is not None:
                _refuse("no_use", name=name)
        scale = 1.0 if self.scale is None else self.scale
        if not (isinstance(scale, (int, float, np.number)) and 0 < scale < math.inf):
            _refuse("scale", scale=scale)

    def _check_mask(self, T, S):
        if self.mask is None:
            return
        if self.mask.dtype != np.bool_:  # 0 and 1, or numbers to be added, are other conventions: refuse, not guess
            _refuse("mask_type", dtype=self.mask.dtype)
        if self.mask.shape not in ((T, S), (self.heads, T, S)):
            _refuse("mask_shape", expected=(T, S), expected_heads=(self.heads, T, S), shape=self.mask.shape)


def _refuse(sentence: str, **values):
    raise ValueError(table("recording")["errors"][sentence].format(**values))


def _to_numpy(array) -> np.ndarray:
    if hasattr(array, "detach"):  # a torch tensor; bfloat16 has no NumPy counterpart
        array = array.detach().cpu()
        array = array.float() if array.is_floating_point() else array
    return np.asarray(array)


def _heads(name: str, array) -> np.ndarray | None:
    """`array` as finite float32 with a leading axis of heads."""
    if array is None:
        return None
    try:
        array = _to_numpy(array).astype(np.float32)
    except (TypeError, ValueError):
        _refuse("not_numbers", name=name, kind=type(array).__name__)
    if array.ndim not in (2, 3):
        _refuse("axes", name=name, axes=array.ndim)
    wrong = int((~np.isfinite(array)).sum())
    if wrong:
        _refuse("not_finite", name=name, count=wrong)
    return array[None] if array.ndim == 2 else array
