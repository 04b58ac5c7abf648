"""The tests of training, of blocks compared by depth and of the small GPT refuse wrong versions, planted into a copy of the package."""

import pytest

from tests.mutation import Mutant

TESTS = "tests/test_training.py::"
TWENTY, USUAL = TESTS + "test_twenty_steps_are_those_of_torchs_adamw", TESTS + "test_what_is_left_out_is_the_usual_recipe"
STEPS = CLIPPED = TWENTY + "[clipped-now-and-then]"
SCHEDULE, RATES = TESTS + "test_the_schedule_is_its_formula", TESTS + "test_records_say_the_rate_of_their_step"
GROUPS, STAYS = TESTS + "test_matrices_decay_and_gains_and_biases_do_not", TESTS + "test_what_needs_no_gradient_stays"
PARTS, MEAN = TESTS + "test_gradient_norms_by_part_are_those_before_clipping", TESTS + "test_evaluation_is_the_mean_over_all_tokens"
UNTOUCHED, MODES = TESTS + "test_evaluation_leaves_the_training_untouched", TESTS + "test_modes_are_set_and_restored"
GIVEN_UP, RECORDS = TESTS + "test_the_mode_is_restored_when_the_training_is_given_up", TESTS + "test_records_count_steps_and_tokens"
SEEDS, OTHERS = TESTS + "test_the_same_seed_gives_the_same_losses_and_another_seed_others", TESTS + "test_training_leaves_the_random_numbers_of_others_alone"
REST, REFUSED = TESTS + "test_a_gradient_from_before_does_not_count", TESTS + "test_what_makes_no_sense_is_refused_at_the_call"
CLOCK, CONTEXT = TESTS + "test_seconds_are_those_of_training_alone", TESTS + "test_the_context_may_be_shorter_than_the_models"
WITHOUT, NO_PART = TESTS + "test_a_model_without_parameters_or_context_is_refused", TESTS + "test_a_part_without_a_gradient_is_left_out"
CHAIN = TESTS + "test_a_chain_learns_which_token_follows"


def train(name, change, *tests, raises=()):
    return Mutant(name, "course.adjust.training", change, tests, raises)


DEPTHS = "tests/test_depth.py::"
EVERY, THE_MODEL = DEPTHS + "test_every_kind_depth_and_seed_is_trained_once_in_order", DEPTHS + "test_a_run_is_the_training_of_that_model"
STREAM, SAME = DEPTHS + "test_the_stream_is_measured_before_and_after", DEPTHS + "test_tokens_that_became_the_same_have_all_in_common"
AGAIN, SENSE = DEPTHS + "test_the_same_again_and_others_random_numbers_are_left_alone", DEPTHS + "test_what_makes_no_sense_is_refused_before_anything_is_trained"
SMALL = "tests/test_small.py::"
KNOWS, FOLLOWS = SMALL + "test_it_knows_the_market_better_than_counts_do", SMALL + "test_what_follows_is_of_the_market"
SMALL_SEED, FULL = SMALL + "test_the_seed_decides_and_others_random_numbers_are_left_alone", SMALL + "test_without_quick_mode_it_is_trained_in_full"
SMALL_MODE = SMALL + "test_sizes_and_mode"


def depth(name, change, *tests, raises=()):
    return Mutant(name, "course.adjust.depth", change, tests, raises)


def small(name, change, *tests, raises=()):
    return Mutant(name, "course.adjust.small", change, tests, raises)


CLIP = "            norm = nn.utils.clip_grad_norm_(model.parameters(), clip)\n"
STEP, ZERO, BACKWARD = "            optimizer.step()\n", "            optimizer.zero_grad()\n", "            loss.backward()\n"
TRAIN_MODE = "            model.train()  # whoever used the model since the last record may have left it in another mode\n"
REST_OF = "    if len(rest := ids[full * T :]) > 1:"
BY_PARTS = "            by_parts = gradient_norms(model) if by_part else None  # before clipping, as the norm of all\n"
EVALUATION = "    finally:\n        model.train(was_training)\n    return total"

MUTANTS = [
    train("gradients never cleared", {ZERO: ""}, STEPS, USUAL),
    train("cleared after backward", {ZERO + "            loss = F.cross": "            loss = F.cross", BACKWARD: BACKWARD + ZERO}, STEPS,
          raises=["RuntimeError", "AttributeError"]),
    train("cleared only after the step", {ZERO: "", STEP: STEP + ZERO}, REST),
    train("clipped before backward", {CLIP: "", BACKWARD: CLIP + BACKWARD}, STEPS, USUAL),
    train("clipped after the step", {CLIP: "", STEP: STEP + CLIP}, CLIPPED),
    train("never clipped", {"clip_grad_norm_(model.parameters(), clip)": "clip_grad_norm_(model.parameters(), math.inf)"}, CLIPPED),
    train("each number clipped", {"norm = nn.utils.clip_grad_norm_(model.parameters(), clip)": "norm = nn.utils.clip_grad_norm_(model.parameters(), math.inf); nn.utils.clip_grad_value_(model.parameters(), clip)"}, CLIPPED),
    train("Adam for AdamW", {"torch.optim.AdamW(": "torch.optim.Adam("}, STEPS, USUAL),
    train("decay for all", {'"weight_decay": 0.0}': '"weight_decay": weight_decay}'}, GROUPS, STEPS),
    train("decay for none", {'"weight_decay": weight_decay}': '"weight_decay": 0.0}'}, GROUPS, STEPS),
    train("decay for gains", {"p.ndim >= 2": "p.ndim < 2 and p is not None", "if p.ndim < 2]": "if p.ndim >= 2]"}, GROUPS, STEPS),
    train("what is frozen decays", {" if parameter.requires_grad]": "]"}, GROUPS),
    train("betas forgotten", {"lr=lr, betas=betas, ": "lr=lr, "}, STEPS, USUAL),
    train("another decay", {"weight_decay: float = 0.1,": "weight_decay: float = 0.01,"}, USUAL),
    train("another clip", {"clip: float = 1.0": "clip: float = 0.1"}, USUAL),
    train("another rate", {"lr: float = 3e-3,": "lr: float = 1e-3,"}, USUAL),
    train("no warm-up", {"steps // 10 if warmup is None": "0 if warmup is None"}, USUAL),
    train("rate set after the step", {'            for group in optimizer.param_groups:\n                group["lr"] = rate\n': "",
          STEP: STEP + '            for group in optimizer.param_groups:\n                group["lr"] = rate\n'}, STEPS, USUAL),
    train("rate of one group", {"for group in optimizer.param_groups:": "for group in optimizer.param_groups[:1]:"}, STEPS, USUAL),
    train("steps from 0", {"for step in range(1, steps + 1)]": "for step in range(steps)]"}, RATES, STEPS),
    train("warm-up by whole numbers", {"return lr * step / warmup": "return lr * (step // warmup)"}, SCHEDULE, RATES),
    train("warm-up without an end", {"if step <= warmup:": "if warmup:"}, SCHEDULE, RATES),
    train("cosine down to nothing", {"FLOOR = 0.1": "FLOOR = 0.0"}, SCHEDULE),
    train("a whole cosine", {"math.cos(math.pi * done)": "math.cos(2 * math.pi * done)"}, SCHEDULE),
    train("a straight line", {"(1 + math.cos(math.pi * done)) / 2": "(1 - done)"}, SCHEDULE),
    train("cosine of all steps", {"done = (step - warmup) / (steps - warmup)": "done = step / steps"}, SCHEDULE),
    train("targets not shifted", {"F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())\n            loss.backward": "F.cross_entropy(model(inputs).flatten(0, 1), inputs.flatten())\n            loss.backward"}, STEPS, CHAIN),
    train("softmax before the loss", {"F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())\n            loss.backward": "F.cross_entropy(model(inputs).softmax(-1).flatten(0, 1), targets.flatten())\n            loss.backward"}, STEPS, CHAIN),
    train("batches by order", {"T, batch_size, seed=seed, epochs=None)": "T, batch_size, seed=0, epochs=None)"}, SEEDS, STEPS),
    train("batches at random places", {"seed=seed, epochs=None)": "seed=seed, epochs=None, random_offsets=True)"}, STEPS, USUAL),
    train("one epoch", {"seed=seed, epochs=None)": "seed=seed, epochs=1)"}, STEPS, USUAL, raises=["RuntimeError"]),
    train("torch seeded by us", {"    was_training, seconds, tokens = model": "    torch.manual_seed(0)\n    was_training, seconds, tokens = model"}, OTHERS),
    train("loss after the step", {STEP: STEP + "            loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())\n"}, STEPS, CHAIN),
    train("norm after clipping", {STEP: "            norm = nn.utils.get_total_norm([p.grad for p in model.parameters()])\n" + STEP}, CLIPPED, PARTS),
    train("parts after clipping", {BY_PARTS: "", CLIP: CLIP + BY_PARTS}, PARTS),
    train("sums of squares", {"math.sqrt(sum(s.item() for s in several))": "sum(s.item() for s in several)"}, PARTS, NO_PART),
    train("norms added up", {".double().square().sum()": ".double().norm()", "math.sqrt(sum(s.item() for s in several))": "sum(s.item() for s in several)"}, PARTS),
    train("all blocks one part", {" if below and below[0].isdigit() else first": " if False else first"}, PARTS, raises=["KeyError"]),
    train("each parameter a part", {"part = f\"{first}.{below[0]}\" if below and below[0].isdigit() else first": "part = name"}, PARTS, raises=["KeyError"]),
    train("last batch counted as one", {"targets.flatten(), reduction=\"sum\").item()": "targets.flatten()).item() * inputs.numel()", "    return total / (len(ids) - 1)": "    return total / (len(pieces) * batch_size * T)"}, MEAN),
    train("mean of the batches' means", {"reduction=\"sum\").item()": "reduction=\"mean\").item()", "    return total / (len(ids) - 1)": "    return total / len(pieces)"}, MEAN, raises=["ZeroDivisionError"]),
    train("the rest left out", {REST_OF: "    if len(rest := ids[full * T :]) > 1 and not full:"}, MEAN),
    train("divided by all ids", {"    return total / (len(ids) - 1)": "    return total / len(ids)"}, MEAN),
    train("evaluation without its mode", {"    model.eval()\n": ""}, MODES),
    train("evaluation stays on", {EVALUATION: "    finally:\n        pass\n    return total", TRAIN_MODE: ""}, MODES),
    train("evaluation ends in training mode", {EVALUATION: "    finally:\n        model.train()\n    return total"}, MODES + "[evaluation]"),
    train("evaluation with gradients", {"with torch.no_grad():": "with torch.enable_grad():"}, MODES),
    train("trained in the mode it is left in", {TRAIN_MODE: ""}, MODES),
    train("training mode left on", {"    finally:\n        model.train(was_training)\n\n\ndef learning_rate": "    finally:\n        pass\n\n\ndef learning_rate"}, GIVEN_UP),
    train("evaluated before the first step", {"step % evaluate_every == 0": "step % evaluate_every == 1"}, UNTOUCHED, raises=["TypeError"]),
    train("the last step not evaluated", {" or step == len(rates))": ")"}, UNTOUCHED),
    train("evaluated on the training batch", {"evaluate(model, held_out, T, batch_size) if due": "loss if due"}, UNTOUCHED),
    train("tokens are batches", {"tokens += targets.numel()": "tokens += len(targets)"}, RECORDS, CONTEXT),
    train("seconds of this step only", {"seconds += time.perf_counter() - begun": "seconds = time.perf_counter() - begun"}, CLOCK),
    train("the clock is not stopped", {"            begun = time.perf_counter()\n": "            begun = time.perf_counter() if step == 1 else begun\n", "seconds += time": "seconds = time"}, CLOCK),
    train("the model's context always", {"T = getattr(getattr(model, \"config\", None), \"context_length\", None) if given is None else given": "T = getattr(getattr(model, \"config\", None), \"context_length\", given)"}, CONTEXT),
    train("any id taken", {"if (other := (array < 0) | (array >= V)).any():": "if (other := array < -9).any():"}, REFUSED, WITHOUT, raises=["IndexError"]),
    train("negative ids taken", {"if (other := (array < 0) | (array >= V)).any():": "if (other := array >= V).any():"}, REFUSED),
    train("text taken for ids", {"    if isinstance(ids, (str, bytes)):": "    if False:"}, REFUSED, raises=["ValueError"]),
    train("fractions cut", {'    if array.size and array.dtype.kind not in "iu":': "    if False:"}, REFUSED),
    train("any number of axes", {"    if array.ndim != 1:": "    if False:"}, REFUSED),
    train("half a step", {"    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):": "    if False:"}, REFUSED),
    train("no least number", {"    if number < least:": "    if False:"}, REFUSED, raises=["ValueError", "ZeroDivisionError"]),
    train("any rate", {"if not (0 < lr < math.inf and clip > 0 and 0 <= weight_decay < math.inf):": "if False:"}, REFUSED, raises=["ValueError"]),
    train("one held-out id", {"    if len(ids) < 2:": "    if False:"}, REFUSED, WITHOUT, raises=["ZeroDivisionError"]),
    train("no parameters", {"    if parameter is None:": "    if False:"}, WITHOUT, raises=["AttributeError"]),
    train("no context", {"    if T is None:": "    if False:"}, WITHOUT, raises=["TypeError"]),
    depth("one rate for all", {"rates[kind], seed, ids": "max(rates.values()), seed, ids"}, EVERY),
    depth("one seed for all", {"        for seed in seeds\n": "        for seed in [0 for _ in seeds]\n"}, EVERY),
    depth("kind by kind", {"        for config in configs\n        for kind, block in blocks.items()\n": "        for kind, block in blocks.items()\n        for config in configs\n"}, EVERY),
    depth("batches of one seed", {"lr=lr, seed=seed, by_part": "lr=lr, seed=0, by_part"}, THE_MODEL),
    depth("always pre-norm", {"model = GPT(config, block)": "model = GPT(config)"}, THE_MODEL),
    depth("GPT-2's table", {"        model.embedding.weight *= std / STD  # drawn with STD\n": ""}, THE_MODEL, STREAM),
    depth("always length 1", {"1 / math.sqrt(d_model) if embedding_std is None else embedding_std": "1 / math.sqrt(d_model)"}, THE_MODEL),
    depth("gradients of the last step", {"for r in records]),\n        sizes": "for r in records[-1:]]),\n        sizes"}, THE_MODEL),
    depth("warm-up forgotten", {", warmup=warmup)": ")"}, THE_MODEL),
    depth("evaluated on the training text", {"evaluate(model, validation)": "evaluate(model, ids)"}, THE_MODEL),
    depth("measured after training only", {"zip(before, _stream": "zip(_stream(model, looked_at), _stream"}, STREAM),
    depth("measured in other windows", {"[0][:LOOKED_AT]": "[0][1 : LOOKED_AT + 1]"}, STREAM),
    depth("size without a root", {"sizes.append(math.sqrt(square))": "sizes.append(square)"}, STREAM, SAME),
    depth("looks ahead", {"block(x, causal=True)": "block(x)"}, STREAM),
    depth("common part not squared", {"vectors.mean(dim=0).square().mean().item() / square": "vectors.mean(dim=0).abs().mean().item() / square"}, STREAM, SAME),
    depth("mean over features", {"vectors.mean(dim=0).square()": "vectors.mean(dim=1).square()"}, STREAM),
    depth("torch's seed changed", {"with torch.random.fork_rng(devices=[]), torch.no_grad():": "with torch.no_grad():"}, AGAIN),
    depth("a rate may be missing", {"    if missing := [kind": "    if False and [kind"}, SENSE, raises=["KeyError"]),
    small("Chinese alone", {"share_zh=0.5, seed=0)": "share_zh=1.0, seed=0)"}, FOLLOWS, raises=["KeyError"]),
    small("hardly trained", {"QUICK_STEPS = 600, 120": "QUICK_STEPS = 600, 10"}, KNOWS),
    small("targets of another text", {"np.array(tokenizer.encode(text))": "np.array(tokenizer.encode(text))[::-1].copy()"}, KNOWS, FOLLOWS),
    small("left in training mode", {"return model.eval(), tokenizer": "return model.train(), tokenizer"}, SMALL_MODE),
    small("gradients left", {"    model.zero_grad()\n": ""}, SMALL_MODE),
    small("one seed", {"torch.manual_seed(seed)": "torch.manual_seed(0)"}, SMALL_SEED),
    small("torch's seed changed", {"with torch.random.fork_rng(devices=[]):  #": "if True:  #"}, SMALL_SEED),
    small("never quick", {"full_or_quick(STEPS, QUICK_STEPS)": "STEPS"}, FULL),
    small("steps never asked", {"    if steps is None:\n": "    if True:\n"}, FULL),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    mutant.assert_caught(among=MUTANTS)
