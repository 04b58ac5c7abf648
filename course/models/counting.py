"""How many numbers a GPT learns, counted from its sizes: `parameter_count`.  No model is built for it.

    >>> sum(parameter_count(vocab_size=50257, context_length=1024, d_model=768, n_heads=12, n_layers=12).values())  # GPT-2
    124439808
"""

from course.models.config import GPTConfig


def parameter_count(vocab_size: int, context_length: int, d_model: int, n_heads: int, n_layers: int, d_ff: int = 0,
                    bias: bool = True, tied: bool = True, positions: str = "learned") -> dict[str, int]:  # fmt: skip
    """How many numbers each part of a GPT learns.

    The sizes are V, P, C, H, L and F_; a d_ff of 0 stands for 4·C.
    bias: whether linear maps and norms have one;  tied: whether the unembedding is the embedding's own table;
    positions: "learned" (a table of P vectors), or "sinusoidal", "rotary", "none", which learn nothing.

    A block has attention (four maps C → C), a feed-forward part (a map C → F_ and one back) and two norms; one more norm
    stands at the end.  A linear map has a matrix, and with `bias` one number for each feature that it makes; the
    unembedding, a map C → V, never has these.  A norm has C gains, and with `bias` C shifts.

    Returns a dict with these keys in all cases: embedding, positions, attention, feed_forward, norms, unembedding.
    Attention, feed-forward part and norms are those of all blocks together; what learns nothing, or is counted
    already, is 0.  The sum of the values is the whole model.
    Raises ValueError for sizes that do not fit, as GPTConfig does.
    """
    c = GPTConfig(vocab_size, context_length, d_model, n_heads, n_layers, d_ff, bias=bias, tied=tied, positions=positions)
    V, P, C, L, F_ = c.vocab_size, c.context_length, c.d_model, c.n_layers, c.d_ff
    b = int(bool(bias))
    return {
        "embedding": V * C,
        "positions": P * C if positions == "learned" else 0,
        "attention": L * 4 * (C * C + b * C),
        "feed_forward": L * (2 * C * F_ + b * (F_ + C)),
        "norms": (2 * L + 1) * (C + b * C),
        "unembedding": 0 if tied else C * V,
    }
