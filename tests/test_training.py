"""Training against what is written out with torch alone: the steps, the schedule, decay, clipping, evaluation."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course.adjust.training import evaluate, gradient_norms, learning_rate, parameter_groups, train
from course.models.config import GPTConfig
from course.models.gpt import GPT
from course.text.windows import batches

V, T, B = 11, 6, 3
CONFIG = GPTConfig(vocab_size=V, context_length=T, d_model=8, n_heads=2, n_layers=2)
IDS = np.random.default_rng(3).integers(0, V, 200)
HELD_OUT = np.random.default_rng(4).integers(0, V, 64)  # not a whole number of windows of 6


def model(seed=0, scale=1.0):
    """A small GPT in float64, the same for the same seed; a larger scale has larger gradients."""
    torch.manual_seed(seed)
    made = GPT(CONFIG).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(scale)
    return made


class Chain(nn.Module):
    """A bigram model: the least that maps ids (B, T) to logits, without a config."""

    def __init__(self, V):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(V, V, dtype=torch.float64))

    def forward(self, ids):
        return self.table[ids]  # (B, T, V)


def parameters(of):
    return [parameter.detach().clone() for parameter in of.parameters()]


def same(a, b):
    return all(torch.equal(one, other) for one, other in zip(a, b, strict=True))


def by_torch(of, steps, lr, warmup, decay, clip, seed, betas=(0.9, 0.95)):
    """The same training, written from torch's functions and the definitions: losses, norms and what is learned."""
    decayed = [p for p in of.parameters() if p.ndim != 1]
    others = [p for p in of.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0}],
                                  lr=123.0, betas=betas, eps=1e-8, foreach=False, fused=False)  # fmt: skip
    losses, norms, source = [], [], batches(IDS, T, B, seed=seed, epochs=None)
    for step in range(1, steps + 1):
        ids, targets = (torch.tensor(a) for a in next(source))
        for p in of.parameters():
            p.grad = None
        loss = F.cross_entropy(of(ids).reshape(-1, V), targets.reshape(-1))
        loss.backward()
        norm = math.sqrt(sum((p.grad**2).sum().item() for p in of.parameters()))
        for p in of.parameters():
            p.grad *= min(1.0, clip / norm)
        optimizer.param_groups[0]["lr"] = optimizer.param_groups[1]["lr"] = rate_by_formula(step, steps, lr, warmup)
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm)
    return losses, norms


def rate_by_formula(step, steps, lr, warmup):
    if step <= warmup:
        return lr * step / warmup
    return lr * (0.55 + 0.45 * math.cos(math.pi * (step - warmup) / (steps - warmup)))


# ── the steps ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("clip, scale", [(math.inf, 1.0), (2.6, 4.0), (0.05, 1.0)], ids=["never-clipped", "clipped-now-and-then", "always-clipped"])
def test_twenty_steps_are_those_of_torchs_adamw(clip, scale):
    ours, theirs = model(scale=scale), model(scale=scale)
    records = list(train(ours, IDS, steps=20, batch_size=B, lr=0.02, warmup=5, weight_decay=0.3, clip=clip, seed=7))
    losses, norms = by_torch(theirs, 20, 0.02, 5, 0.3, clip, 7)
    np.testing.assert_allclose([record.loss for record in records], losses, rtol=1e-6)
    np.testing.assert_allclose([record.gradient_norm for record in records], norms, rtol=1e-5)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), rtol=1e-5, atol=1e-6)  # torch adds 1e-6 to a norm before it divides by it
    # the names of the cases are true:
    assert {math.inf: clip > max(norms), 2.6: min(norms) < clip < max(norms), 0.05: clip < min(norms)}[clip]


def test_what_is_left_out_is_the_usual_recipe():
    ours, spelt_out, theirs = model(), model(), model()
    found = [record.loss for record in train(ours, IDS, steps=30, batch_size=B)]
    assert found == [record.loss for record in train(
        spelt_out, IDS, steps=30, batch_size=B, context_length=T, lr=3e-3, warmup=3, weight_decay=0.1, betas=(0.9, 0.95), clip=1.0, seed=0)]  # fmt: skip
    np.testing.assert_allclose(found, by_torch(theirs, 30, 3e-3, 3, 0.1, 1.0, 0)[0], rtol=1e-6)


def test_a_chain_learns_which_token_follows():
    """Ids that go round and round: after training, the one that follows has nearly all the probability."""
    chain, ids = Chain(5), np.arange(400) % 5
    records = list(train(chain, ids, steps=200, context_length=7, lr=0.2, weight_decay=0.0))
    assert abs(records[0].loss - math.log(5)) < 1e-9  # the loss is that before the step: all were equally likely
    assert records[-1].loss < 0.02
    assert chain.table.argmax(dim=1).tolist() == [1, 2, 3, 4, 0]


def test_records_count_steps_and_tokens():
    records = list(train(model(), IDS, steps=4, batch_size=B))
    assert [record.step for record in records] == [1, 2, 3, 4]
    assert [record.tokens for record in records] == [B * T, 2 * B * T, 3 * B * T, 4 * B * T]
    assert 0 < records[0].seconds < records[1].seconds < records[3].seconds
    assert all(record.validation_loss is None and record.gradient_norms is None for record in records)
    with pytest.raises(dataclasses.FrozenInstanceError):
        records[0].loss = 0.0


def test_seconds_are_those_of_training_alone(monkeypatch):
    clock = iter(range(1000))  # each look at the clock is one second later
    monkeypatch.setattr("course.adjust.training.time.perf_counter", lambda: next(clock))
    seconds = []
    for record in train(model(), IDS, steps=3, batch_size=B, validation=HELD_OUT, evaluate_every=1):
        for _ in range(10):
            next(clock)  # what the caller does meanwhile
        seconds.append(record.seconds)
    assert seconds == [1, 2, 3]


# ── from a seed ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_seed_gives_the_same_losses_and_another_seed_others():
    runs = [[record.loss for record in train(model(), IDS, steps=8, batch_size=B, seed=seed)] for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_training_leaves_the_random_numbers_of_others_alone():
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(3), np.random.rand(3)
    trained = model()
    torch.manual_seed(5)
    np.random.seed(5)
    list(train(trained, IDS, steps=3, batch_size=B, validation=HELD_OUT, by_part=True))
    assert torch.equal(torch.rand(3), expected[0])
    assert (np.random.rand(3) == expected[1]).all()


# ── the schedule ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("steps, warmup", [(100, 10), (100, 0), (7, 3), (1, 0), (5, 5), (5, 50)])
def test_the_schedule_is_its_formula(steps, warmup):
    rates = [learning_rate(step, steps, 0.3, warmup) for step in range(1, steps + 1)]
    np.testing.assert_allclose(rates, [rate_by_formula(step, steps, 0.3, warmup) for step in range(1, steps + 1)])
    if warmup < steps:
        assert math.isclose(rates[-1], 0.03)  # a tenth
    if 0 < warmup <= steps:
        assert math.isclose(max(rates), rates[warmup - 1]) and math.isclose(rates[warmup - 1], 0.3)


def test_records_say_the_rate_of_their_step():
    records = list(train(model(), IDS, steps=40, batch_size=B, lr=0.01, warmup=7))
    np.testing.assert_allclose([record.lr for record in records], [rate_by_formula(n, 40, 0.01, 7) for n in range(1, 41)])


# ── decay, clipping, gradients by part ──────────────────────────────────────────────────────────────────────


def test_matrices_decay_and_gains_and_biases_do_not():
    made = model()
    made.blocks[0].norm_1.bias.requires_grad_(False)
    decay, others = parameter_groups(made, 0.25)
    assert (decay["weight_decay"], others["weight_decay"]) == (0.25, 0.0)
    names = {id(parameter): name for name, parameter in made.named_parameters()}
    decayed, kept = ([names[id(p)] for p in group["params"]] for group in (decay, others))
    linear = [f"{part}.weight" for part in ("attention.query", "attention.key", "attention.value", "attention.out",
                                            "feed_forward.up", "feed_forward.down")]  # fmt: skip
    matrices = {"embedding.weight", "positions.weight"} | {f"blocks.{i}.{name}" for i in (0, 1) for name in linear}
    assert sorted(decayed) == sorted(matrices)  # the tied table once
    assert sorted(kept) == sorted(set(names.values()) - matrices - {"blocks.0.norm_1.bias"})


def test_what_needs_no_gradient_stays():
    made = model()
    made.embedding.weight.requires_grad_(False)
    before, gain = made.embedding.weight.clone(), made.norm.weight.clone()
    list(train(made, IDS, steps=3, batch_size=B, weight_decay=0.5))
    assert torch.equal(made.embedding.weight, before)
    assert not torch.equal(made.norm.weight, gain)


def test_a_gradient_from_before_does_not_count():
    with_rest, without = model(), model()
    with_rest(torch.tensor([[1, 2, 3]])).sum().backward()
    losses = [[record.loss for record in train(made, IDS, steps=5, batch_size=B)] for made in (with_rest, without)]
    assert losses[0] == losses[1]


def test_gradient_norms_by_part_are_those_before_clipping():
    made = model()
    record = next(train(made, IDS, steps=1, batch_size=B, clip=1e-3, by_part=True))
    reference = model()
    ids, targets = (torch.tensor(a) for a in next(batches(IDS, T, B, seed=0, epochs=None)))
    F.cross_entropy(reference(ids).reshape(-1, V), targets.reshape(-1)).backward()
    expected = {
        name: math.sqrt(sum((p.grad**2).sum().item() for p in part.parameters()))
        for name, part in {
            "embedding": reference.embedding, "positions": reference.positions, "blocks.0": reference.blocks[0],
            "blocks.1": reference.blocks[1], "norm": reference.norm}.items()
    }  # fmt: skip
    assert list(record.gradient_norms) == list(expected)  # in the order in which the data passes
    for part, norm in expected.items():
        assert math.isclose(record.gradient_norms[part], norm, rel_tol=1e-9), part
    assert math.isclose(math.hypot(*expected.values()), record.gradient_norm, rel_tol=1e-9)
    assert math.isclose(math.hypot(*gradient_norms(made).values()), 1e-3, rel_tol=2e-3)  # and these after it


def test_a_part_without_a_gradient_is_left_out():
    made = model()
    assert gradient_norms(made) == {}
    made.norm.weight.grad = torch.full_like(made.norm.weight, 3.0)
    assert gradient_norms(made) == {"norm": pytest.approx(3 * math.sqrt(8))}


# ── evaluation ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("n", [2, 5, 6, 7, 13, 64], ids=lambda n: f"{n}-ids")
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_evaluation_is_the_mean_over_all_tokens(n, batch_size):
    """One token at a time: what is seen of the text is what its window holds, which begins at a multiple of T."""
    made, ids = model(scale=3.0), torch.tensor(HELD_OUT[:n])
    surprises = []
    for place in range(1, n):
        first = (place - 1) // T * T
        with torch.no_grad():
            surprises.append(-F.log_softmax(made(ids[None, first:place])[0, -1], dim=-1)[ids[place]].item())
    assert math.isclose(evaluate(made, HELD_OUT[:n], batch_size=batch_size), sum(surprises) / (n - 1), rel_tol=1e-9)


def test_evaluation_leaves_the_training_untouched():
    with_it, without = model(), model()
    records = list(train(with_it, IDS, steps=10, batch_size=B, validation=HELD_OUT, evaluate_every=3))
    losses = [record.loss for record in train(without, IDS, steps=10, batch_size=B)]
    assert [record.loss for record in records] == losses
    assert same(parameters(with_it), parameters(without))
    assert [record.step for record in records if record.validation_loss is not None] == [3, 6, 9, 10]
    assert math.isclose(records[-1].validation_loss, evaluate(with_it, HELD_OUT), rel_tol=1e-12)
    assert records[-1].validation_loss != records[2].validation_loss


class Dropping(Chain):
    """Says in which mode it was asked."""

    def __init__(self, V):
        super().__init__(V)
        self.modes = []

    def forward(self, ids):
        self.modes.append((self.training, torch.is_grad_enabled()))
        return super().forward(ids)


@pytest.mark.parametrize("mode", [True, False], ids=["training", "evaluation"])
def test_modes_are_set_and_restored(mode):
    made = Dropping(V).train(mode)
    for record in train(made, IDS, steps=3, batch_size=B, context_length=T, validation=HELD_OUT[:4], evaluate_every=2):
        assert made.training
        made.eval()  # as who generates a text meanwhile, and forgets
    assert made.modes == [(True, True), (True, True), (False, False), (True, True), (False, False)]
    assert made.training is mode
    evaluate(made, HELD_OUT, context_length=T)
    assert made.training is mode


def test_the_mode_is_restored_when_the_training_is_given_up():
    made = Dropping(V).eval()
    records = train(made, IDS, steps=100, batch_size=B, context_length=T)
    next(records)
    records.close()
    assert not made.training and len(made.modes) == 1


def test_the_context_may_be_shorter_than_the_models():
    record = next(train(model(), IDS, steps=1, batch_size=B, context_length=4))
    assert record.tokens == 4 * B
    made = model(scale=3.0)
    assert evaluate(made, HELD_OUT, context_length=2) != evaluate(made, HELD_OUT)


def test_ids_may_be_a_list_or_a_tensor():
    losses = [next(train(model(), ids, steps=1, batch_size=B)).loss for ids in (IDS, IDS.tolist(), torch.tensor(IDS))]
    assert losses[0] == losses[1] == losses[2]


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────

WRONG = {
    "text shorter than the context": (dict(ids=IDS[:T]), ValueError, "7 ids, got 6"),
    "no axis too many": (dict(ids=IDS.reshape(2, -1)), ValueError, "one axis"),
    "an id above": (dict(ids=[1, 2, 3] * 5 + [V]), ValueError, "11 entries in its vocabulary, and there is an id 11"),
    "an id below": (dict(ids=[1, 2, 3] * 5 + [-1]), ValueError, "an id -1"),
    "a text": (dict(ids="I like apples"), TypeError, "encode the text first"),
    "fractions": (dict(ids=IDS / 2), TypeError, "whole numbers, got float64"),
    "held-out id above": (dict(validation=[1, V + 2]), ValueError, "an id 13"),
    "held-out ids with two axes": (dict(validation=HELD_OUT.reshape(2, -1)), ValueError, "one axis"),
    "one held-out id": (dict(validation=[1]), ValueError, "two ids or more"),
    "no steps": (dict(steps=0), ValueError, "steps must be at least 1, got 0"),
    "half a step": (dict(steps=1.5), TypeError, "steps must be a whole number, got 1.5"),
    "no batch": (dict(batch_size=0), ValueError, "batch_size must be at least 1"),
    "no context": (dict(context_length=0), ValueError, "context_length must be at least 1"),
    "never evaluated": (dict(evaluate_every=0), ValueError, "evaluate_every must be at least 1"),
    "warm-up below 0": (dict(warmup=-1), ValueError, "warmup must be at least 0"),
    "rate 0": (dict(lr=0.0), ValueError, "above 0"),
    "rate that is no number": (dict(lr=math.nan), ValueError, "above 0"),
    "nothing passes": (dict(clip=0.0), ValueError, "above 0"),
    "decay below 0": (dict(weight_decay=-0.1), ValueError, "not below"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_is_refused_at_the_call(name):
    changed, error, sentence = WRONG[name]
    arguments = dict(ids=IDS, steps=2, batch_size=B) | changed
    with pytest.raises(error, match=sentence):
        train(model(), arguments.pop("ids"), **arguments)  # no record has been asked for


def test_a_model_without_parameters_or_context_is_refused():
    with pytest.raises(ValueError, match="give context_length, how many"):
        train(Chain(V), IDS, steps=1)
    with pytest.raises(ValueError, match="no parameters"):
        train(nn.Identity(), IDS, steps=1, context_length=T)
    with pytest.raises(ValueError, match="two ids or more"):
        evaluate(model(), [1])
    with pytest.raises(ValueError, match="an id 11"):
        evaluate(model(), [1, 11])
