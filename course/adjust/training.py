r"""Training: look at a piece of text, see how wrong the prediction was, change every parameter a little; and again.

    loss = cross-entropy of a batch        loss.backward()        clip the gradient        AdamW's step

`train` is a generator: each step hands out a `Record`, and who asks for the next one decides whether it goes on.  It
prints nothing and draws nothing.

    for record in train(model, ids, steps=200, validation=held_out):
        losses.append(record.loss)

The model is anything that maps ids (B, T) to logits (B, T, V); it is trained where its parameters are.

The recipe is the usual one for small GPTs: AdamW (Loshchilov, Hutter 2017, arXiv 1711.05101) with decay of matrices
only, warm-up, then half a cosine (Loshchilov, Hutter 2016, arXiv 1608.03983) down to a tenth, and gradients clipped by
their common norm (Pascanu, Mikolov, Bengio 2012, arXiv 1211.5063).
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course.text.windows import batches, windows

FLOOR = 0.1  # what is left of the learning rate at the end of the cosine


@dataclass(frozen=True)
class Record:
    """One step of training, as `train` hands it out.

    step             1 … steps
    loss             mean cross-entropy of the step's batch, in nats a token, before the parameters were changed by it
    lr               the learning rate of the step
    gradient_norm    √(sum of squares) of the gradient of all parameters, before it was clipped
    seconds          spent in training steps so far: neither evaluation nor what was done between two records
    tokens           how many targets the model has been trained on so far, those of this step included
    validation_loss  mean cross-entropy on the held-out text after the step, or None where it was not evaluated
    gradient_norms   the gradient's norm by part of the model, as `gradient_norms` gives it, or None if not asked for
    """

    step: int
    loss: float
    lr: float
    gradient_norm: float
    seconds: float
    tokens: int
    validation_loss: float | None = None
    gradient_norms: dict[str, float] | None = None


def train(model: nn.Module, ids, *, steps: int, batch_size: int = 16, context_length: int | None = None,
          lr: float = 3e-3, warmup: int | None = None, weight_decay: float = 0.1, betas: tuple[float, float] = (0.9, 0.95),
          clip: float = 1.0, seed: int = 0, validation=None, evaluate_every: int = 100,
          by_part: bool = False) -> Iterator[Record]:  # fmt: skip
    """Train a model to say, at every position of a text, which token follows.  Yields a Record after each step.

    model: ids (B, T) int64 → logits (B, T, V), changed in place;  ids: (M,) whole numbers, the training text;
    steps: how many batches;  batch_size: B;  context_length: T, by default `model.config.context_length`;
    lr: the highest learning rate, see `learning_rate`;  warmup: steps until it is reached, by default a tenth of all;
    weight_decay: AdamW's, on matrices only, see `parameter_groups`;  betas: AdamW's, of the gradient's running mean and
    of that of its square;  clip: the longest gradient that is taken as it is, math.inf for any;
    seed: of the batches (course.text.windows: another order in each epoch, windows that do not overlap);
    validation: None, or held-out ids (N,), evaluated every `evaluate_every` steps and after the last one;
    by_part: whether records carry `gradient_norms`.

    The same seed and the same parameters at the start give the same losses on one machine's processor.  Between two
    records the model may be used, evaluated or looked into: each step sets it to training mode itself, and the mode in
    which it came is restored at the end, or when the generator is closed.  A loss that is no number is reported, and
    the training goes on: what to do about it is the caller's decision.
    Raises, before the first step, ValueError for numbers that make no sense, a text shorter than T + 1 ids and ids
    outside `model.config.vocab_size`, TypeError for ids that are no whole numbers.
    """
    T = _context_length(model, context_length)
    for name, number in (("steps", steps), ("batch_size", batch_size), ("evaluate_every", evaluate_every)):
        _whole(name, number, 1)
    _whole("warmup", 0 if warmup is None else warmup, 0)
    if not (0 < lr < math.inf and clip > 0 and 0 <= weight_decay < math.inf):
        raise ValueError(f"lr and clip are above 0 and weight_decay is not below, got {lr}, {clip} and {weight_decay}")
    source = batches(_ids(model, ids), T, batch_size, seed=seed, epochs=None)
    held_out = None if validation is None else _ids(model, validation)
    if held_out is not None:
        _at_least_two(held_out)
    rates = [learning_rate(step, steps, lr, steps // 10 if warmup is None else warmup) for step in range(1, steps + 1)]
    optimizer = torch.optim.AdamW(parameter_groups(model, weight_decay), lr=lr, betas=betas, fused=_fused(model))
    return _steps(model, source, rates, optimizer, clip, held_out, (T, batch_size, evaluate_every), by_part)


def _steps(model, source, rates, optimizer, clip, held_out, sizes, by_part):
    """The loop itself; everything has been checked."""
    T, batch_size, evaluate_every = sizes
    device = _device(model)
    was_training, seconds, tokens = model.training, 0.0, 0
    try:
        for step, rate in enumerate(rates, start=1):
            begun = time.perf_counter()
            model.train()  # whoever used the model since the last record may have left it in another mode
            inputs, targets = (torch.from_numpy(a).to(device) for a in next(source))  # (B, T) each
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
            loss.backward()
            by_parts = gradient_norms(model) if by_part else None  # before clipping, as the norm of all
            norm = nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            tokens += targets.numel()
            loss, norm = loss.item(), norm.item()  # waits until a GPU is done, so the time is that of the step
            seconds += time.perf_counter() - begun
            due = held_out is not None and (step % evaluate_every == 0 or step == len(rates))
            validation_loss = evaluate(model, held_out, T, batch_size) if due else None
            yield Record(step, loss, rate, norm, seconds, tokens, validation_loss, by_parts)
    finally:
        model.train(was_training)


def learning_rate(step: int, steps: int, lr: float, warmup: int = 0) -> float:
    """The rate of a step: up in a straight line over the warm-up, then down half a cosine to a tenth.

        step ≤ warmup:  lr · step / warmup
        after it:       lr · (0.1 + 0.9 · (1 + cos(π · done)) / 2),   done = (step − warmup) / (steps − warmup)

    step: 1 … steps;  lr: the highest rate, which step `warmup` has;  a warm-up of `steps` or more only rises.
    """
    if step <= warmup:
        return lr * step / warmup
    done = (step - warmup) / (steps - warmup)
    return lr * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """The parameters in two groups, as torch's optimizers take them: those that decay, and those that do not.

    Decay pulls every number towards 0.  Matrices (two axes or more: linear maps, tables of embeddings and positions)
    have it; gains, shifts and biases (one axis) have not: a gain of 1 is where a norm begins, and 0 would silence it.
    Parameters that need no gradient are in neither; one that is shared is there once.
    """
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in learned if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in learned if p.ndim < 2], "weight_decay": 0.0},
    ]


def gradient_norms(model: nn.Module) -> dict[str, float]:
    """The norm of the gradient by part of the model: {"embedding": …, "blocks.0": …, "blocks.1": …, "norm": …}.

    A part is a child of the model, and of a list of children each one by itself, in the order in which they were made.
    The norm is √(sum of squares) over all parameters of the part that have a gradient; a part without one is left out,
    and a shared parameter counts where it comes first.
    """
    squares: dict[str, list[torch.Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            first, *below = name.split(".")
            part = f"{first}.{below[0]}" if below and below[0].isdigit() else first
            squares.setdefault(part, []).append(parameter.grad.detach().double().square().sum())
    return {part: math.sqrt(sum(s.item() for s in several)) for part, several in squares.items()}


def evaluate(model: nn.Module, ids, context_length: int | None = None, batch_size: int = 16) -> float:
    """The mean cross-entropy of a text, in nats a token: how surprised the model is by what it was not trained on.

    Every id but the first is predicted exactly once: windows of T ids side by side, and what is left at the end as a
    shorter one.  The mean runs over all tokens at once, so the size of the batches does not change it.

    model: ids (B, T) → logits (B, T, V), evaluated without gradients and in evaluation mode; the mode it was in is
    restored.  ids: (N,) whole numbers, N ≥ 2;  context_length: T, by default `model.config.context_length`.
    Raises ValueError and TypeError as `train`.
    """
    T, ids = _context_length(model, context_length), _at_least_two(_ids(model, ids))
    _whole("batch_size", batch_size, 1)
    pieces, full = [], (len(ids) - 1) // T  # pieces: pairs of inputs and targets, (B, T) each
    if full:
        inputs, targets = windows(ids, T)
        pieces += [(inputs[i : i + batch_size], targets[i : i + batch_size]) for i in range(0, full, batch_size)]
    if len(rest := ids[full * T :]) > 1:
        pieces.append((rest[None, :-1], rest[None, 1:]))
    device, was_training, total = _device(model), model.training, 0.0
    model.eval()
    try:
        with torch.no_grad():
            for piece in pieces:
                inputs, targets = (torch.from_numpy(a).to(device) for a in piece)
                total += F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), reduction="sum").item()
    finally:
        model.train(was_training)
    return total / (len(ids) - 1)


def _device(model: nn.Module) -> torch.device:
    parameter = next(model.parameters(), None)
    if parameter is None:
        raise ValueError("this model has no parameters, so there is nothing to train")
    return parameter.device


def _fused(model: nn.Module) -> bool:
    """Whether AdamW can change all parameters in one pass, which is the faster way where there is one."""
    return _device(model).type in ("cpu", "cuda")


def _context_length(model: nn.Module, given: int | None) -> int:
    T = getattr(getattr(model, "config", None), "context_length", None) if given is None else given
    if T is None:
        raise ValueError("this model has no config.context_length: give context_length, how many tokens it sees at once")
    return _whole("context_length", T, 1)


def _ids(model: nn.Module, ids) -> np.ndarray:
    """(M,) int64, all of them in the model's vocabulary, where it says how large that is."""
    if isinstance(ids, (str, bytes)):
        raise TypeError(f"ids are needed here, got {type(ids).__name__}: encode the text first")
    array = ids.detach().cpu().numpy() if torch.is_tensor(ids) else np.asarray(ids)
    if array.ndim != 1:
        raise ValueError(f"ids have one axis, the text's; got shape {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"ids are whole numbers, got {array.dtype}")
    V = getattr(getattr(model, "config", None), "vocab_size", math.inf)
    if (other := (array < 0) | (array >= V)).any():
        raise ValueError(f"the model has {V} entries in its vocabulary, and there is an id {array[other][0]}")
    return array.astype(np.int64)


def _at_least_two(ids: np.ndarray) -> np.ndarray:
    if len(ids) < 2:
        raise ValueError(f"a held-out text needs two ids or more, one to see and one to predict; got {len(ids)}")
    return ids


def _whole(name: str, number, least: int) -> int:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {number!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return int(number)
