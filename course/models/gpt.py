r"""GPT: ids in; out come, for every position, the logits of the token that follows.

    x = embedding(ids) + positions          each id its vector, and where it stands
    x = block(x, causal mask)               L times: words listen to the words before them, then each thinks
    logits = unembedding(norm(x))           each vector is compared with the vector of every token

(Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training"; 2019, "Language Models are
Unsupervised Multitask Learners", which moved the norms and added the last one.)

The hand version comes first (NumPy, float64): `gpt` and `gpt_steps`, which returns every intermediate by name.  The
layer follows (PyTorch): `GPT`, and `by_hand`, which carries its parameters over to the hand version.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from course.blocks.attention import causal_mask
from course.blocks.block import STD, BlockSteps, PreNormBlock, block, block_steps, parameters_by_hand
from course.blocks.feed_forward import gelu_tanh
from course.blocks.norm import LayerNorm, layer_norm
from course.models.config import GPTConfig
from course.vectors.embedding import Embedding, ScaledEmbedding, embed
from course.vectors.positions import LearnedPositions, RotaryPositions, SinusoidalPositions, sinusoidal

# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────


def gpt(ids, parameters: Mapping, n_heads: int, *, activation: Callable = gelu_tanh, eps: float = 1e-5,
        turn: Callable | None = None) -> np.ndarray:  # fmt: skip
    """The whole model: what it expects after each token, having seen that token and those before it.

    ids: (..., T) whole numbers;  n_heads: H;
    parameters: a dict, as `by_hand` makes it:
        embedding (V, C)    the table of the tokens' vectors
        positions (P, C)    the vectors of positions 0 … P−1, T of which are added; zeros where none are
        blocks              L dicts of arrays, see course.blocks.block
        gamma, beta (C,)    the final norm
        unembedding (C, V)  in GPT-2 the embedding, transposed
    activation: array → array, the feed-forward part's bend;  eps: what stands under the root of all norms;
    turn: None, or what turns queries and keys (..., H, T, D), as `lambda a: rotate(a, np.arange(T))` for rotary positions.
    Returns logits (..., T, V) float64: row t is about token t+1.
    Raises ValueError for an id outside the vocabulary, a text longer than the positions, and shapes that do not fit;
    TypeError for ids that are not whole numbers.
    """
    p = parameters
    x = embed(ids, p["embedding"])  # (..., T, C)
    T = _length(x, p["positions"])
    x = x + p["positions"][:T]
    for own in p["blocks"]:
        x = block(x, own, n_heads, causal_mask(T), activation=activation, eps=eps, turn=turn)
    x = layer_norm(x, p["gamma"], p["beta"], eps)
    return x @ p["unembedding"]  # (..., T, V)


class GPTSteps(NamedTuple):
    """What `gpt_steps` returns: every intermediate, in order."""

    embedding: np.ndarray  # (..., T, C)  the tokens' vectors
    positions: np.ndarray  # (T, C)  what is added to them
    x: np.ndarray  # (..., T, C)  their sum, which enters the first block
    blocks: tuple[BlockSteps, ...]  # L of them
    normed: np.ndarray  # (..., T, C)  after the final norm
    logits: np.ndarray  # (..., T, V)


def gpt_steps(ids, parameters: Mapping, n_heads: int, *, activation: Callable = gelu_tanh, eps: float = 1e-5,
              turn: Callable | None = None) -> GPTSteps:  # fmt: skip
    """The same as `gpt`, with every intermediate by name."""
    p = parameters
    embedding = embed(ids, p["embedding"])  # (..., T, C)
    T = _length(embedding, p["positions"])
    x = first = embedding + p["positions"][:T]
    steps = []
    for own in p["blocks"]:
        steps.append(block_steps(x, own, n_heads, causal_mask(T), activation=activation, eps=eps, turn=turn))
        x = steps[-1].output
    normed = layer_norm(x, p["gamma"], p["beta"], eps)
    return GPTSteps(embedding, p["positions"][:T], first, tuple(steps), normed, normed @ p["unembedding"])


def _length(x: np.ndarray, positions: np.ndarray) -> int:
    """T, if x (..., T, C) is a text and there is a vector for each of its positions."""
    if x.ndim < 2:
        raise ValueError("ids needs at least one axis, the positions of a text; got a single id")
    T = x.shape[-2]
    if len(positions) < T:
        raise ValueError(f"there are vectors for {len(positions)} positions, and the text has {T} tokens")
    return T


# ── the layer ───────────────────────────────────────────────────────────────────────────────────────────────

class GPT(nn.Module):
    """The whole model as a layer.

    config: GPTConfig;  block: the class of its blocks, PreNormBlock or another of course.blocks.block.

    Parts, in the order in which the data passes: `embedding` (a ScaledEmbedding beside sinusoidal positions),
    `positions` (what is added, or None: rotary positions are in each block's `attention.rotary`), `blocks`, `norm`
    (nn.Identity for blocks that need none at the end), `unembedding`, whose `weight` is the embedding's own table where
    config.tied.

    Tables start with GPT-2's standard deviations, blocks as their `initialise` says.

    `forward(ids)`: whole numbers (B, T) or (T,) → logits (B, T, V) or (T, V); row t is about token t+1, and sees tokens
    0 … t.  Raises TypeError for what is no tensor of whole numbers, ValueError for ids outside the vocabulary, another
    number of axes, and texts longer than learned positions reach.
    """

    name = "our GPT"

    def __init__(self, config: GPTConfig, block: type[nn.Module] = PreNormBlock):
        super().__init__()
        self.config = config
        V, C = config.vocab_size, config.d_model
        self.embedding, self.positions = _entrance(config)
        rotary = RotaryPositions(config.d_head, config.rotary_base) if config.positions == "rotary" else None
        self.blocks = nn.ModuleList(
            block(C, config.n_heads, config.d_ff, activation=config.activation, eps=config.eps, bias=config.bias, rotary=rotary)
            for _ in range(config.n_layers)
        )
        self.norm = LayerNorm(C, config.eps, config.bias) if block.needs_final_norm else nn.Identity()
        self.unembedding = nn.Linear(C, V, bias=False)
        if config.tied:
            self.unembedding.weight = self.embedding.weight  # one tensor, not two that are equal
        else:
            nn.init.normal_(self.unembedding.weight, std=STD)
        for layer in self.blocks:
            layer.initialise(config.n_layers)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.unembedding(self.hidden(ids))  # (B, T, V)

    def hidden(self, ids: torch.Tensor) -> torch.Tensor:
        """The vectors that are read out, after the final norm: (B, T) → (B, T, C), or (T,) → (T, C)."""
        x = self.embed(ids)
        single = x.ndim == 2
        x = x[None] if single else x  # (B, T, C)  attention's fast path is for batches
        for layer in self.blocks:
            x = layer(x, causal=True)
        x = self.norm(x)
        return x[0] if single else x

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """The vectors that enter the first block: (B, T) → (B, T, C), or (T,) → (T, C)."""
        if torch.is_tensor(ids) and ids.ndim not in (1, 2):
            raise ValueError(f"ids are a text (T,) or texts (B, T), got shape {tuple(ids.shape)}")
        x = self.embedding(ids)
        return x if self.positions is None else self.positions(x)

    def parameter_counts(self) -> dict[str, int]:
        """How many numbers each part learns; of a tied unembedding 0, since its table is the embedding's."""
        count = lambda *modules: sum(p.numel() for module in modules if module is not None for p in module.parameters())
        blocks = {name: count(*(getattr(layer, name) for layer in self.blocks)) for name in ("attention", "feed_forward")}
        norms = count(*self.blocks, self.norm) - sum(blocks.values())
        unembedding = 0 if self.config.tied else count(self.unembedding)
        return {"embedding": count(self.embedding), "positions": count(self.positions), **blocks,
                "norms": norms, "unembedding": unembedding}  # fmt: skip


def _entrance(config: GPTConfig) -> tuple[Embedding, nn.Module | None]:
    """The embedding, and what is added to it, or None.

    Sines and cosines have a size of their own, about 0.7 a number, beside which words of 0.02 would not be heard: with them
    goes the paper's embedding, which brings words to size 1.
    """
    V, C = config.vocab_size, config.d_model
    if config.positions == "sinusoidal":
        return ScaledEmbedding(V, C), SinusoidalPositions(C)
    return Embedding(V, C, std=STD), LearnedPositions(config.context_length, C) if config.positions == "learned" else None


def by_hand(model: GPT) -> dict:
    """What a GPT has learned, as `gpt` takes it: NumPy arrays in float64, copies, matrices to stand to the right of x.

    A bias that there is not is zeros, and so are the positions of a model that adds none; a tied unembedding is a view of
    the embedding (of a scaled one, whose rows are here multiplied by √C, an array of its own).  A model with rotary
    positions also needs `turn`, since nothing of them is learned.
    Raises ValueError for a model of other blocks than PreNormBlock, which `gpt` does not compute.
    """
    for layer in model.blocks:
        if not isinstance(layer, PreNormBlock):
            raise ValueError(f"by hand a gpt has pre-norm blocks, got {type(layer).__name__}")
    array = lambda parameter: parameter.detach().cpu().double().numpy().copy()
    config, table = model.config, array(model.embedding.weight)
    shape = (config.context_length, config.d_model)
    positions = {"learned": lambda: array(model.positions.weight), "sinusoidal": lambda: sinusoidal(*shape)}
    return {
        "embedding": table * config.d_model**0.5 if isinstance(model.embedding, ScaledEmbedding) else table,
        "positions": positions.get(config.positions, lambda: np.zeros(shape))(),
        "blocks": [parameters_by_hand(layer) for layer in model.blocks],
        "gamma": array(model.norm.weight),
        "beta": np.zeros(config.d_model) if model.norm.bias is None else array(model.norm.bias),
        "unembedding": (table if config.tied else array(model.unembedding.weight)).T,
    }
