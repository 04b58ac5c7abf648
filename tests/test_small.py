"""The small GPT: its text, its seed, its mode, and that it has learned the market, as far as quick mode goes."""

import numpy as np
import pytest
import torch

from course.adjust.loss import bits_per_byte
from course.adjust.small import QUICK_STEPS, STEPS, small_gpt
from course.adjust.training import evaluate
from course.text import market

HELD_OUT = market.text(4000, share_zh=0.5, seed=1)


@pytest.fixture(scope="module")
def small():
    return small_gpt()  # tests run in quick mode


def nexts(small, prompt):
    """How likely each token is to follow, by its text; tokens that are no whole characters under one name."""
    model, tokenizer = small
    with torch.no_grad():
        probs = model(torch.tensor(tokenizer.encode(prompt)))[-1].double().softmax(-1)
    found = {}
    for i, p in enumerate(probs.tolist()):
        found[tokenizer.decode([i])] = found.get(tokenizer.decode([i]), 0.0) + p
    return found


def test_it_knows_the_market_better_than_counts_do(small):
    """Counts of single tokens, the best that is to be had without looking at what came before."""
    model, tokenizer = small
    ids = np.array(tokenizer.encode(HELD_OUT))
    counts = np.bincount(tokenizer.encode(market.text(300_000, share_zh=0.5, seed=0)), minlength=512) + 1
    unigram = -np.log(counts / counts.sum())[ids[1:]].mean()
    loss = evaluate(model, ids)
    assert loss < 0.55 * unigram
    assert bits_per_byte(loss, len(ids) - 1, len(HELD_OUT.encode())) < 1.8


def test_what_follows_is_of_the_market(small):
    assert small[1].tokens(small[1].encode("I like eating")) == ["I", " like", " eating"]
    after_eating = nexts(small, "I like eating")
    assert sum(p for token, p in after_eating.items() if token.startswith(" ")) > 0.8  # a new word
    assert after_eating[" eating"] < 0.02
    assert nexts(small, "Xiaohong likes")[" eating"] > 0.2
    assert nexts(small, "我喜欢吃")["�"] > 0.15  # the beginning of a character: most foods begin with one that is split


def test_sizes_and_mode(small):
    model, tokenizer = small
    assert tokenizer.vocab_size == model.config.vocab_size == 512
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert QUICK_STEPS * 5 <= STEPS


def test_the_seed_decides_and_others_random_numbers_are_left_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    models = [small_gpt(seed=seed, steps=2)[0] for seed in (0, 0, 1)]
    assert torch.equal(torch.rand(2), expected)
    first, again, other = (torch.cat([p.detach().flatten() for p in model.parameters()]) for model in models)
    assert torch.equal(first, again)
    tables = np.stack([models[i].embedding.weight.detach().numpy().ravel() for i in (0, 2)])
    assert abs(np.corrcoef(tables)[0, 1]) < 0.1  # drawn anew, and not only trained on other batches
    assert (first != other).float().mean() > 0.9


def test_without_quick_mode_it_is_trained_in_full(monkeypatch):
    asked = []

    def train(model, ids, *, steps, **settings):
        asked.append((steps, len(ids)))
        return iter(())

    monkeypatch.setattr("course.adjust.small.train", train)
    monkeypatch.delenv("COURSE_QUICK")
    small_gpt()
    monkeypatch.setenv("COURSE_QUICK", "1")
    small_gpt()
    small_gpt(steps=7)
    assert [steps for steps, _ in asked] == [STEPS, QUICK_STEPS, 7]
    assert asked[0][1] == asked[1][1] > 100_000
