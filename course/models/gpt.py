r"""GPT: ids in, for every position the logits of the next token out.

    x = embedding(ids) + positions        x = block(x), L times        logits = unembedding(norm(x))

(Radford et al. 2018; 2019, GPT-2.)
"""

import math

import torch
from torch import nn

from course.blocks.block import PreNormBlock
from course.blocks.norm import LayerNorm
from course.models.config import GPTConfig
from course.vectors.embedding import Embedding
from course.vectors.positions import LearnedPositions, RotaryPositions, SinusoidalPositions

STD = 0.02  # of every matrix at the start: GPT-2's


class GPT(nn.Module):
    """The whole model as a layer.

    config: GPTConfig;  block: the class of its blocks, PreNormBlock or another of course.blocks.block.

    Parts, in the order in which the data passes: `embedding`, `positions` (what is added, or None: rotary positions are
    in each block's `attention.rotary`), `blocks`, `norm` (nn.Identity for blocks that need none at the end),
    `unembedding`, whose `weight` is the embedding's own table where config.tied.

    Matrices start normally distributed with standard deviation 0.02, biases at 0, as GPT-2's; of the maps that write
    into the residual stream it is 0.02 / √(2L), so that a sum of 2L parts does not grow with the depth.

    `forward(ids)`: whole numbers (B, T) or (T,) → logits (B, T, V) or (T, V); row t is about token t+1, and sees tokens
    0 … t.  Raises TypeError for what is no tensor of whole numbers, ValueError for ids outside the vocabulary, another
    number of axes, and texts longer than learned positions reach.
    """

    name = "our GPT"

    def __init__(self, config: GPTConfig, block: type[nn.Module] = PreNormBlock):
        super().__init__()
        self.config = config
        V, C = config.vocab_size, config.d_model
        self.embedding = Embedding(V, C, std=STD)
        self.positions = _added_positions(config)
        rotary = RotaryPositions(config.d_head, config.rotary_base) if config.positions == "rotary" else None
        self.blocks = nn.ModuleList(
            block(C, config.n_heads, config.d_ff, activation=config.activation, eps=config.eps, bias=config.bias, rotary=rotary)
            for _ in range(config.n_layers)
        )
        self.norm = LayerNorm(C, config.eps, config.bias) if block.needs_final_norm else nn.Identity()
        self.unembedding = nn.Linear(C, V, bias=False)
        if config.tied:
            self.unembedding.weight = self.embedding.weight  # one tensor, not two that are equal
        self._initialise()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.unembedding(self.hidden(ids))  # (B, T, V)

    def hidden(self, ids: torch.Tensor) -> torch.Tensor:
        """The vectors that are read out, after the final norm: (B, T) → (B, T, C), or (T,) → (T, C)."""
        x = self.embed(ids)  # (B, T, C)
        for block in self.blocks:
            x = block(x, causal=True)
        return self.norm(x)

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """The vectors that enter the first block: (B, T) → (B, T, C), or (T,) → (T, C)."""
        x = self.embedding(ids)
        return x if self.positions is None else self.positions(x)

    def parameter_counts(self) -> dict[str, int]:
        """How many numbers each part learns; of a tied unembedding 0, since its table is the embedding's."""
        count = lambda *modules: sum(p.numel() for module in modules if module is not None for p in module.parameters())
        blocks = {name: count(*(getattr(block, name) for block in self.blocks)) for name in ("attention", "feed_forward")}
        norms = count(*self.blocks, self.norm) - sum(blocks.values())
        unembedding = 0 if self.config.tied else count(self.unembedding)
        return {"embedding": count(self.embedding), "positions": count(self.positions), **blocks,
                "norms": norms, "unembedding": unembedding}  # fmt: skip

    @torch.no_grad()
    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=STD)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for block in self.blocks:
            for writer in (block.attention.out, block.feed_forward.down):
                writer.weight /= math.sqrt(2 * len(self.blocks))


def _added_positions(config: GPTConfig) -> nn.Module | None:
    """What is added to the embeddings: a module, or None."""
    makers = {
        "learned": lambda: LearnedPositions(config.context_length, config.d_model),
        "sinusoidal": lambda: SinusoidalPositions(config.d_model),
        "rotary": lambda: None,
        "none": lambda: None,
    }
    return makers[config.positions]()
