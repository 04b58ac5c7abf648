"""What a model is built from: a few numbers, checked once."""

import operator
from dataclasses import dataclass

from course.blocks.feed_forward import ACTIVATIONS

POSITIONS = ("learned", "sinusoidal", "rotary", "none")
_SIZES = ("vocab_size", "context_length", "d_model", "n_heads", "n_layers", "d_ff")


@dataclass(frozen=True)
class GPTConfig:
    """The sizes and choices of a GPT.  What is left out is GPT-2's.

    vocab_size      V, entries of the vocabulary
    context_length  the longest text it is trained on, in tokens; with learned positions also the longest it can read
    d_model         C, width of the residual stream
    n_heads         H, heads of each block; must divide d_model
    n_layers        L, blocks
    d_ff            F_, inner width of the feed-forward part; 0 (not given) becomes 4·C, also in `d_ff` itself
    activation      the bend in the feed-forward part: "relu", "gelu", "gelu_tanh" or "silu"
    eps             what stands under the root of every norm
    bias            whether linear maps and norms have a bias
    tied            whether the unembedding is the embedding's own table
    positions       "learned", "sinusoidal", "rotary" (needs an even d_head) or "none"
    rotary_base     how slowly the slowest pair turns; of use with rotary positions only

    Raises ValueError, one sentence, for what does not fit.
    """

    vocab_size: int
    context_length: int
    d_model: int
    n_heads: int
    n_layers: int
    d_ff: int = 0
    activation: str = "gelu_tanh"
    eps: float = 1e-5
    bias: bool = True
    tied: bool = True
    positions: str = "learned"
    rotary_base: float = 10000.0

    def __post_init__(self):
        for name in _SIZES:
            object.__setattr__(self, name, _whole(name, getattr(self, name)))  # frozen from here on
        if self.d_ff == 0:
            object.__setattr__(self, "d_ff", 4 * self.d_model)
        for name in _SIZES:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.d_model % self.n_heads:
            raise ValueError(f"n_heads must divide d_model, got {self.n_heads} heads for a width of {self.d_model}")
        for name, known in (("activation", tuple(ACTIVATIONS)), ("positions", POSITIONS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if self.positions == "rotary" and self.d_head % 2:
            raise ValueError(f"rotary positions turn pairs, so a head's width must be even, got d_head={self.d_head}")
        for name in ("eps", "rotary_base"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")

    @property
    def d_head(self) -> int:
        """D, the width of one head: C / H."""
        return self.d_model // self.n_heads


def _whole(name: str, value) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, got {value!r}") from None
