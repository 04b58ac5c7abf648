"""A small GPT for the chapters that need one at hand: trained on the market, from nothing, while you wait.

    model, tokenizer = small_gpt()                              # about a quarter of a minute on one core
    logits = model(torch.tensor(tokenizer.encode("我喜欢吃")))     # (T, V)
"""

import numpy as np
import torch

from course.adjust.training import train
from course.device import full_or_quick
from course.models.config import GPTConfig
from course.models.gpt import GPT
from course.text import market
from course.text.tokenizer import BPETokenizer

TRAINING_BYTES = 300_000
STEPS, QUICK_STEPS = 600, 120


def small_gpt(seed: int = 0, steps: int | None = None) -> tuple[GPT, BPETokenizer]:
    """A GPT that speaks the language of the market, and its tokenizer.

    What it was trained on: 300 000 bytes of `course.text.market`, half of them Chinese and half English, and nothing
    else.  It knows who likes what and what things cost, in the patterns of that grammar; of the rest of the world, or
    of English beyond the market, it has seen nothing.  `market.text` of another seed than 0 is text it was not trained on.

    The tokenizer: 512 entries, learned on the same text.  Frequent words are one token, as " eating"; of the 169
    Chinese characters a quarter are, and the others are made of two or three tokens, pieces of characters by themselves.
    The model: 3 blocks, width 64, 4 heads, a context of 64 tokens, rotary positions (with learned ones it ends with a
    higher loss after the same steps), AdamW with a highest rate of 8e-3, batches of 8.

    seed: of the parameters at the start and of the batches;  steps: of training, by default 600, and 120 in quick mode
    (COURSE_QUICK=1), which is enough for the commonest words.  torch's own random numbers are left as they were.
    Returns the model, in evaluation mode, and the tokenizer.  Raises ValueError and TypeError for steps as `train`.
    """
    text = market.text(TRAINING_BYTES, share_zh=0.5, seed=0)
    tokenizer = BPETokenizer.train(text, vocab_size=512)
    config = GPTConfig(tokenizer.vocab_size, context_length=64, d_model=64, n_heads=4, n_layers=3, positions="rotary")
    with torch.random.fork_rng(devices=[]):  # the learner's seed stays the learner's
        torch.manual_seed(seed)
        model = GPT(config)
    if steps is None:
        steps = full_or_quick(STEPS, QUICK_STEPS)
    for _ in train(model, np.array(tokenizer.encode(text)), steps=steps, batch_size=8, lr=8e-3, seed=seed):
        pass
    model.zero_grad()
    return model.eval(), tokenizer
