"""The tests of sampling and of the loss refuse wrong versions, planted into a copy of the package."""

import pytest

from tests.mutation import Mutant

TESTS, THEIRS, LOSS = "tests/test_sampling.py::", "tests/parity/test_sampling.py::", "tests/test_loss.py::"
DIVIDES, THEIR_TEMPERATURE = TESTS + "test_temperature_divides_logits", THEIRS + "test_temperature_is_theirs"
AT_ZERO, NEAR_ZERO = TESTS + "test_temperature_zero_is_the_argmax_and_of_equals_the_smaller_id", TESTS + "test_near_zero_equals_share_and_nothing_overflows"
EXACTLY_K, EQUALS = TESTS + "test_top_k_keeps_exactly_the_k_likeliest_in_proportion", TESTS + "test_of_equals_top_k_keeps_the_smaller_ids"
SMALLEST, LINE = TESTS + "test_top_p_keeps_the_smallest_set_that_reaches_p_in_proportion", TESTS + "test_top_p_keeps_what_crosses_the_line_and_no_more"
THEIR_K, THEIR_P = THEIRS + "test_top_k_is_theirs", THEIRS + "test_top_p_is_theirs"
ORDER, THEIR_ORDER = TESTS + "test_the_order_is_temperature_top_k_renormalise_top_p", THEIRS + "test_the_order_is_theirs"
STEPS, ENTROPY = TESTS + "test_every_intermediate_is_what_its_name_says", TESTS + "test_entropy_in_nats"
FALLS, DRAWS = TESTS + "test_a_number_falls_on_the_token_whose_share_holds_it", TESTS + "test_draws_are_as_frequent_as_probable_and_the_same_with_the_same_seed"
REFUSED, TENSORS = TESTS + "test_what_does_not_fit_is_refused_with_a_sentence", TESTS + "test_tensors_are_taken_and_arguments_left_alone"
TORCHS, LEFT_OUT = LOSS + "test_cross_entropy_is_torchs", LOSS + "test_targets_of_minus_100_are_left_out_as_torch_does"
EXTREME, LOSS_REFUSED = LOSS + "test_extreme_logits_keep_their_distance", LOSS + "test_what_does_not_fit_is_refused_with_a_sentence"

KEPT_K, KEPT_P = "np.where(ranks(probs) < k, probs, 0.0)", "np.where(ranks(probs) < needed, probs, 0.0)"
SHORT, MEAN = "np.cumsum(falling, axis=-1) < p ", "return float(-log_probs[np.arange(len(ids)), ids].mean())"
ORDER_OF = 'order = np.argsort(-as_array(probs), axis=-1, kind="stable")'
FILTERS = "probs = temper(logits, temperature)\n    if top_k is not None:\n        probs = top_k_filter(probs, top_k)\n" \
          "    if top_p is not None:\n        probs = top_p_filter(probs, top_p)\n"  # fmt: skip
SWAPPED = "probs = temper(logits, temperature)\n    if top_p is not None:\n        probs = top_p_filter(probs, top_p)\n" \
          "    if top_k is not None:\n        probs = top_k_filter(probs, top_k)\n"  # fmt: skip
LAST = "probs = temper(logits, 1.0)\n    if top_k is not None:\n        probs = top_k_filter(probs, top_k)\n    if top_p is not None:\n" \
       "        probs = top_p_filter(probs, top_p)\n    with np.errstate(divide='ignore'):\n        probs = temper(np.log(probs), temperature)\n"  # fmt: skip


def sampling(name, change, *tests, raises=()):
    return Mutant(name, "course.predict.sampling", change, tests, raises)


def loss(name, change, *tests, raises=()):
    return Mutant(name, "course.adjust.loss", change, tests, raises)


def top_k_with_all_ties(probs, k):
    probs = _checked_probs(probs)  # noqa: F821
    _check_k(k, probs.shape[-1])  # noqa: F821
    kept = np.where(probs >= -np.sort(-probs, axis=-1)[..., k - 1 : k], probs, 0.0)  # noqa: F821
    return kept / kept.sum(axis=-1, keepdims=True)


MUTANTS = [
    sampling("temperature multiplies", {"softmax(below / temperature)": "softmax(below * temperature)"}, DIVIDES, THEIR_TEMPERATURE),
    sampling("temperature after softmax", {"softmax(below / temperature)": "softmax(below) / temperature"}, DIVIDES),
    sampling("temperature twice", {"softmax(below / temperature)": "softmax(below / temperature / temperature)"}, DIVIDES),
    sampling("no case for temperature 0", {"    if temperature == 0:\n        return (np": "    if False:\n        return (np"}, AT_ZERO),
    sampling("equals share at temperature 0", {"(np.arange(logits.shape[-1]) == greedy(logits)[..., None]).astype(np.float64)":
             "softmax(np.where(logits == logits.max(axis=-1, keepdims=True), 0.0, -np.inf))"}, AT_ZERO),
    sampling("largest of all rows", {"below = logits - logits.max(axis=-1, keepdims=True)": "below = logits - logits.max()"},
             NEAR_ZERO),
    sampling("divided before the largest is taken", {"below = logits - logits.max(axis=-1, keepdims=True)": "below = logits"},
             NEAR_ZERO, raises=["FloatingPointError"]),
    sampling("default temperature", {"def temper(logits, temperature: float = 1.0)": "def temper(logits, temperature: float = 0.7)"}, DIVIDES),
    sampling("least likely first", {ORDER_OF: ORDER_OF.replace("-as_array", "as_array")}, EXACTLY_K),
    sampling("unstable order", {ORDER_OF: 'order = np.argsort(as_array(probs), axis=-1, kind="stable")[..., ::-1]'}, EXACTLY_K, EQUALS),
    sampling("places for ids", {"return np.argsort(order, axis=-1)\n\n\ndef top_k": "return order\n\n\ndef top_k"}, EXACTLY_K),
    sampling("k + 1", {KEPT_K: "np.where(ranks(probs) <= k, probs, 0.0)"}, EXACTLY_K, THEIR_K),
    sampling("all that equal the k-th", {"top_k_filter": top_k_with_all_ties}, EXACTLY_K, EQUALS),
    sampling("top-k not renormalised", {KEPT_K + "\n    return kept / kept.sum(axis=-1, keepdims=True)": KEPT_K + "\n    return kept"},
             EXACTLY_K, raises=["ValueError"]),
    sampling("top-k renormalised over all rows", {KEPT_K + "\n    return kept / kept.sum(axis=-1, keepdims=True)": KEPT_K + "\n    return kept / kept.sum()"},
             EXACTLY_K),
    sampling("crossing token lost", {".sum(axis=-1, keepdims=True) + 1  #": ".sum(axis=-1, keepdims=True)  #"}, SMALLEST, LINE),
    sampling("one too many where p is met", {SHORT: "np.cumsum(falling, axis=-1) <= p "}, LINE),
    sampling("at least two", {SHORT: "np.cumsum(falling, axis=-1) - falling < p "}, SMALLEST, LINE, THEIR_P),
    sampling("from the least likely up", {"falling = -np.sort(-probs, axis=-1)": "falling = np.sort(probs, axis=-1)"}, SMALLEST, LINE),
    sampling("unsorted mass", {"falling = -np.sort(-probs, axis=-1)": "falling = probs"}, SMALLEST, LINE),
    sampling("p = 1 by the sum", {"    if p == 1:": "    if False:"}, TESTS + "test_top_p_of_one_keeps_what_rounding_would_lose"),
    sampling("argument handed back", {"return probs / probs.sum(axis=-1, keepdims=True)  #": "return probs  #"}, TENSORS),
    sampling("top-p not renormalised", {KEPT_P + "\n    return kept / kept.sum(axis=-1, keepdims=True)": KEPT_P + "\n    return kept"}, SMALLEST, LINE),
    sampling("top-p first", {FILTERS: SWAPPED}, ORDER, THEIR_ORDER),
    sampling("temperature last", {FILTERS: LAST}, ORDER),
    sampling("k of 1 forgotten", {"if top_k is not None:\n        probs": "if top_k is not None and top_k > 1:\n        probs"}, EQUALS),
    sampling("steps: mass by id", {"mass = np.take_along_axis(after_top_k, order, axis=-1)": "mass = after_top_k"}, STEPS),
    sampling("steps: ranks for order", {"order = np.argsort(ranks(after_top_k), axis=-1)": "order = ranks(after_top_k)"}, STEPS),
    sampling("steps: order before top-k", {"mass = np.take_along_axis(after_top_k, order": "mass = np.take_along_axis(tempered, order"}, STEPS),
    sampling("steps: ties kept by top-k", {"everything if top_k is None else ranks(tempered) < top_k": "everything if top_k is None else ranks(tempered) <= top_k"}, STEPS),
    sampling("steps: temperature 0 divides", {"scaled = np.where(tempered == 1.0, 0.0, -np.inf)": "scaled = as_array(logits)"}, STEPS),
    sampling("steps: not divided", {"scaled = as_array(logits) / temperature": "scaled = as_array(logits)"}, STEPS),
    sampling("entropy in bits", {"probs * np.log(np": "probs * np.log2(np"}, ENTROPY, THEIRS + "test_entropy_and_argmax_are_torchs"),
    sampling("entropy without its sign", {"return 0.0 - (probs * np.log": "return 0.0 + (probs * np.log"}, ENTROPY),
    sampling("entropy of minus nothing", {"return 0.0 - (probs": "return -(probs"}, ENTROPY),
    sampling("0 ln 0", {"np.log(np.where(probs > 0.0, probs, 1.0))": "np.log(probs)"}, ENTROPY),
    sampling("entropy over rows", {"probs, 1.0))).sum(axis=-1)": "probs, 1.0))).sum(axis=0)"}, ENTROPY),
    sampling("the end belongs to its token", {"(ends <= u[..., None])": "(ends < u[..., None])"}, FALLS),
    sampling("rounding draws beyond", {"    ends = ends / ends[..., -1:]": "    ends = ends + 0.0"}, TESTS + "test_rounding_never_draws_what_is_beyond_the_last_token"),
    sampling("mass along rows", {"ends = probs.cumsum(axis=-1)": "ends = probs.cumsum(axis=0)"}, TESTS + "test_rows_have_a_number_each"),
    sampling("argmax for a draw", {"return inverse_cdf(probs, rng.random(probs.shape[:-1]))": "return probs.argmax(axis=-1)"}, DRAWS, THEIRS + "test_draws_are_distributed_as_torchs"),
    sampling("one number for all rows", {"rng.random(probs.shape[:-1])": "np.full(probs.shape[:-1], rng.random())"}, DRAWS),
    sampling("even draws", {"return inverse_cdf(probs, rng.random": "return inverse_cdf(0 * probs + 1 / probs.shape[-1], rng.random"}, DRAWS),
    sampling("chance of its own", {"rng.random(probs.shape[:-1])": "np.random.default_rng().random(probs.shape[:-1])"}, DRAWS),
    sampling("any chance", {"if not isinstance(rng, np.random.Generator):": "if False:"}, TESTS + "test_chance_comes_from_a_generator", raises=["AttributeError"]),
    sampling("tensors in half precision", {"x.detach().cpu().double().numpy()": "x.detach().cpu().numpy()"}, TENSORS, raises=["TypeError"]),
    sampling("+inf taken", {"if (infinite := np.isposinf(logits)).any():": "if False:"}, REFUSED),
    sampling("NaN taken", {"if np.isnan(x).any():": "if False:"}, REFUSED),
    sampling("nothing possible taken", {"if (none := np.isneginf(logits).all(axis=-1)).any():": "if False:"}, REFUSED),
    sampling("empty taken", {"if x.ndim == 0 or x.shape[-1] == 0:": "if False:"}, REFUSED, raises=["ValueError", "IndexError", "AxisError"]),
    sampling("negative taken", {"if (negative := probs < 0).any():": "if False:"}, REFUSED),
    sampling("any sum taken", {"if (off := ~(np.abs(total - 1) <= ROUNDING)).any():": "if False:"}, REFUSED),
    sampling("infinite temperature taken", {"and 0 <= temperature < np.inf)": "and 0 <= temperature)"}, REFUSED),
    sampling("negative temperature taken", {"and 0 <= temperature < np.inf)": "and temperature < np.inf)"}, REFUSED),
    sampling("k of 0 taken", {"and 1 <= k <= V)": "and 0 <= k <= V)"}, REFUSED),
    sampling("k above V taken", {"and 1 <= k <= V)": "and 1 <= k)"}, REFUSED),
    sampling("p of 0 taken", {"and 0 < p <= 1)": "and 0 <= p <= 1)"}, REFUSED),
    sampling("p above 1 taken", {"and 0 < p <= 1)": "and 0 < p)"}, REFUSED),
    sampling("u of 1 taken", {"(0 <= u) & (u < 1)": "(0 <= u) & (u <= 1)"}, REFUSED),
    loss("logarithm of the softmax", {"below - np.log(np.exp(below).sum(axis=-1, keepdims=True))": "np.log(np.exp(below) / np.exp(below).sum(axis=-1, keepdims=True))"},
         EXTREME, LOSS + "test_log_softmax_is_torchs", raises=["FloatingPointError"]),
    loss("largest not subtracted", {"below = x - x.max(axis=-1, keepdims=True)": "below = x"}, EXTREME, raises=["FloatingPointError"]),
    loss("sum over rows", {"np.exp(below).sum(axis=-1, keepdims=True)": "np.exp(below).sum(axis=0, keepdims=True)"}, TORCHS, LOSS + "test_log_softmax_is_torchs"),
    loss("no sign", {MEAN: MEAN.replace("-log_probs", "log_probs")}, TORCHS),
    loss("sum for mean", {MEAN: MEAN.replace("mean", "sum")}, TORCHS, LEFT_OUT),
    loss("mean over all", {MEAN: MEAN.replace("ids].mean()", "ids].sum() / targets.size")}, LEFT_OUT),
    loss("mean of means", {"return float(-log_probs[np.arange(len(ids)), ids].mean())":
         "rows = np.argwhere(counted)[:, :1].sum(axis=1)\n    each = -log_probs[np.arange(len(ids)), ids]\n    return float(np.mean([each[rows == row].mean() for row in set(rows)]))"}, LEFT_OUT),
    loss("perplexity to base 2", {"return math.exp(loss)": "return 2.0**loss"}, LOSS + "test_perplexity_has_the_base_of_the_logarithm", LOSS + "test_even_logits_cost_the_logarithm_of_the_vocabulary"),
    loss("overflow raised", {"    except OverflowError:": "    except KeyError:"}, LOSS + "test_perplexity_has_the_base_of_the_logarithm", raises=["OverflowError"]),
    loss("nats a byte", {"(math.log(2.0) * bytes)": "bytes"}, LOSS + "test_bits_per_byte_do_not_depend_on_how_text_is_cut"),
    loss("bytes a token", {"loss * tokens / (math.log(2.0) * bytes)": "loss * bytes / (math.log(2.0) * tokens)"}, LOSS + "test_bits_per_byte_do_not_depend_on_how_text_is_cut"),
    loss("floats for targets", {'if targets.dtype.kind not in "iu":': "if False:"}, LOSS_REFUSED, raises=["IndexError"]),
    loss("shapes stretched", {"if logits.ndim == 0 or logits.shape[:-1] != targets.shape:": "if logits.ndim == 0:"}, LOSS_REFUSED, raises=["IndexError"]),
    loss("negative ids taken", {"(counted < 0) | (counted >= V)": "counted >= V"}, LOSS_REFUSED),
    loss("nothing to take a mean of", {"if counted.size == 0:": "if False:"}, LOSS_REFUSED),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    mutant.assert_caught(among=MUTANTS)
