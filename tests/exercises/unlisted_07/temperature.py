"""Answers to `temper` and `distribution`."""

import math

import numpy as np
import torch

from tests.exercises.unlisted_07.shared import (_log_softmax, _one_hot, _ranks, _shares, _softmax, _temper, _top_k, _top_p,
                                                right, wrong)  # fmt: skip

# ── temper, wrong ───────────────────────────────────────────────────────────────────────────────────────────


@wrong("temper")
def tiny_in_place_of_zero(logits, temperature=1.0):
    """max(temperature, 1e-8): at 0 equals share."""
    return _softmax((logits - np.max(logits, axis=-1, keepdims=True)) / max(temperature, 1e-8))


@wrong("temper")
def a_crumb_added_to_temperature(logits, temperature=1.0):
    """temperature + 1e-3, so that nothing is divided by 0."""
    return _softmax(np.asarray(logits) / (temperature + 1e-3))


@wrong("temper")
def not_below_a_tenth(logits, temperature=1.0):
    """Temperatures below 0.1 are 0.1."""
    return _one_hot(logits) if temperature == 0 else _softmax(np.asarray(logits) / max(temperature, 0.1))


@wrong("temper")
def root_of_temperature(logits, temperature=1.0):
    """√temperature."""
    return _one_hot(logits) if temperature == 0 else _softmax(np.asarray(logits) / math.sqrt(temperature))


@wrong("temper")
def divided_by_root_of_V(logits, temperature=1.0):
    """As in attention: / √V, too."""
    return _temper(np.asarray(logits) / math.sqrt(np.shape(logits)[-1]), temperature)


@wrong("temper")
def powers_of_probabilities_not_divided(logits, temperature=1.0):
    """p^(1/τ), whose rows do not sum to 1."""
    return _one_hot(logits) if temperature == 0 else _softmax(logits) ** (1 / temperature)


@wrong("temper")
def powers_the_other_way(logits, temperature=1.0):
    """p^τ, and divided by the sum."""
    return _one_hot(logits) if temperature == 0 else _shares(_softmax(logits) ** temperature)


@wrong("temper")
def whole_temperature(logits, temperature=1.0):
    """// in place of /."""
    return _one_hot(logits) if temperature == 0 else _softmax(np.asarray(logits) // temperature)


@wrong("temper")
def temperature_subtracted(logits, temperature=1.0):
    """A constant less everywhere changes nothing."""
    return _one_hot(logits) if temperature == 0 else _softmax(np.asarray(logits) - temperature)


@wrong("temper")
def always_greedy(logits, temperature=1.0):
    """All of it to the largest, at every temperature."""
    return _one_hot(logits)


@wrong("temper")
def smallest_at_zero(logits, temperature=1.0):
    """argmin at temperature 0."""
    return _one_hot(-np.asarray(logits)) if temperature == 0 else _temper(logits, temperature)


@wrong("temper")
def whole_numbers_at_zero(logits, temperature=1.0):
    """At temperature 0 an array of ints."""
    return _one_hot(logits).astype(int) if temperature == 0 else _temper(logits, temperature)


@wrong("temper")
def rows_share_their_largest(logits, temperature=1.0):
    """At temperature 0 every row is 1 where the first row has its largest."""
    if temperature == 0:
        probs = np.zeros(np.shape(logits))
        probs[..., np.argmax(np.reshape(logits, (-1, np.shape(logits)[-1]))[0])] = 1.0
        return probs
    return _temper(logits, temperature)


@wrong("temper")
def ruled_out_comes_back(logits, temperature=1.0):
    """nan_to_num makes −inf a number, and here it becomes 0."""
    return _temper(np.where(np.isneginf(logits), 0.0, logits), temperature)


@wrong("temper")
def clipped(logits, temperature=1.0):
    """Scaled logits are clipped to ±50."""
    return _one_hot(logits) if temperature == 0 else _softmax(np.clip(np.asarray(logits) / temperature, -50, 50))


@wrong("temper")
def sigmoids(logits, temperature=1.0):
    """A sigmoid each, and divided by the sum."""
    return _one_hot(logits) if temperature == 0 else _shares(1 / (1 + np.exp(-np.asarray(logits) / temperature)))


@wrong("temper")
def default_is_another(logits, temperature=0.7):
    """The default temperature is 0.7."""
    return _temper(logits, temperature)


@wrong("temper")
def in_single_precision(logits, temperature=1.0):
    """float32."""
    return _temper(logits, temperature).astype(np.float32)


@wrong("temper")
def a_tensor(logits, temperature=1.0):
    """A torch tensor."""
    return torch.from_numpy(_temper(logits, temperature))


@wrong("temper")
def scales_the_argument(logits, temperature=1.0):
    """Right, but the caller's logits have been divided."""
    if temperature == 0:
        return _one_hot(logits)
    if logits.dtype.kind == "f":
        logits /= temperature
        return _softmax(logits)
    return _temper(logits, temperature)


@wrong("temper")
def one_draw(logits, temperature=1.0):
    """A one-hot row that was drawn, in place of the probabilities."""
    flat = _temper(logits, temperature).reshape(-1, np.shape(logits)[-1])
    return np.array([np.random.default_rng().multinomial(1, row / row.sum()) for row in flat], float).reshape(np.shape(logits))


@wrong("temper")
def rounded(logits, temperature=1.0):
    """Three decimals."""
    return _temper(logits, temperature).round(3)


# ── temper, right ───────────────────────────────────────────────────────────────────────────────────────────


@right("temper")
def differences_to_all_others(logits, temperature=1.0):
    """p_i = 1 / Σ_j exp((z_j − z_i) / τ)."""
    if temperature == 0:
        return _one_hot(logits)
    z = np.asarray(logits, float)
    with np.errstate(all="ignore"):
        rivals = np.exp((z[..., None, :] - z[..., :, None]) / temperature).sum(axis=-1)
    return np.where(np.isneginf(z), 0.0, 1 / rivals)


@right("temper")
def logarithms_first(logits, temperature=1.0):
    """exp(z/τ − log Σ exp z/τ)."""
    return _one_hot(logits) if temperature == 0 else np.exp(_log_softmax(np.asarray(logits, float) / temperature))


@right("temper")
def torch_does_it(logits, temperature=1.0):
    """torch.softmax, and one_hot at 0."""
    z = torch.tensor(np.asarray(logits, float))
    if temperature == 0:
        return torch.nn.functional.one_hot(torch.tensor(np.asarray(logits).argmax(-1)), z.shape[-1]).double().numpy()
    return torch.softmax(z / temperature, dim=-1).numpy()


@right("temper")
def ties_settled_by_hand(logits, temperature=1.0):
    """At 0: what is the largest and first of its kind, by cumsum."""
    z = np.asarray(logits, float)
    if temperature:
        return _softmax(z / temperature)
    largest = z == z.max(-1, keepdims=True)
    return (largest & (largest.cumsum(-1) == 1)).astype(float)


@right("temper")
def in_another_base(logits, temperature=1.0):
    """2 to the power z · log₂ e / τ."""
    if temperature == 0:
        return _one_hot(logits)
    z = np.asarray(logits, float)
    return _shares(np.exp2((z - z.max(-1, keepdims=True)) * np.log2(np.e) / temperature))


# ── distribution, wrong ─────────────────────────────────────────────────────────────────────────────────────


def _through(probs, k, p):
    probs = probs if k is None else _top_k(probs, k)
    return probs if p is None else _top_p(probs, p)


@wrong("distribution")
def k_and_p_exchanged(logits, temperature=1.0, top_k=None, top_p=None):
    """p for k and k for p: fails, or cuts nothing."""
    return _through(_temper(logits, temperature), top_p, top_k)


@wrong("distribution")
def only_one_filter(logits, temperature=1.0, top_k=None, top_p=None):
    """elif: with top-k there is no top-p."""
    probs = _temper(logits, temperature)
    if top_k is not None:
        return _top_k(probs, top_k)
    elif top_p is not None:
        return _top_p(probs, top_p)
    return probs


@wrong("distribution")
def filters_need_a_partner(logits, temperature=1.0, top_k=None, top_p=None):
    """Filters only where both are given."""
    probs = _temper(logits, temperature)
    return probs if top_k is None or top_p is None else _top_p(_top_k(probs, top_k), top_p)


@wrong("distribution")
def k_of_one_is_none(logits, temperature=1.0, top_k=None, top_p=None):
    """if top_k > 1."""
    return _through(_temper(logits, temperature), top_k if top_k is not None and top_k > 1 else None, top_p)


@wrong("distribution")
def k_one_too_many(logits, temperature=1.0, top_k=None, top_p=None):
    """k + 1 of them."""
    return _through(_temper(logits, temperature), None if top_k is None else top_k + 1, top_p)


@wrong("distribution")
def filters_lost(logits, temperature=1.0, top_k=None, top_p=None):
    """The results of the filters are not assigned."""
    probs = _temper(logits, temperature)
    if top_k is not None:
        _top_k(probs, top_k)
    if top_p is not None:
        _top_p(probs, top_p)
    return probs


@wrong("distribution")
def zero_is_not_greedy(logits, temperature=1.0, top_k=None, top_p=None):
    """Temperature 0 is taken for 1."""
    return _through(_temper(logits, temperature or 1.0), top_k, top_p)


@wrong("distribution")
def filtered_logits_filled_with_zero(logits, temperature=1.0, top_k=None, top_p=None):
    """What top-k cuts gets the logit 0 and not −inf."""
    logits = np.asarray(logits, float)
    if top_k is not None:
        logits = np.where(_ranks(logits) < top_k, logits, 0.0)
    return _through(_temper(logits, temperature), None, top_p)


@wrong("distribution")
def p_of_what_is_to_go(logits, temperature=1.0, top_k=None, top_p=None):
    """1 − p."""
    return _through(_temper(logits, temperature), top_k, None if top_p is None else max(1 - top_p, 1e-9))


@wrong("distribution")
def steps_are_returned(logits, temperature=1.0, top_k=None, top_p=None):
    """All intermediates."""
    probs = _temper(logits, temperature)
    return probs, _through(probs, top_k, top_p)


@wrong("distribution")
def tempered_by_default(logits, temperature=0.8, top_k=None, top_p=None):
    """The default temperature is another."""
    return _through(_temper(logits, temperature), top_k, top_p)


@wrong("distribution")
def first_row_for_all(logits, temperature=1.0, top_k=None, top_p=None):
    """Which tokens stay is decided by the first row."""
    probs = _temper(logits, temperature)
    first = probs.reshape(-1, probs.shape[-1])[0]
    return _shares(np.where(_through(first, top_k, top_p) > 0, probs, 0.0))


# ── distribution, right ─────────────────────────────────────────────────────────────────────────────────────


@right("distribution")
def cut_logits_to_minus_infinity(logits, temperature=1.0, top_k=None, top_p=None):
    """Logits are cut, and the softmax at the end does all the dividing."""
    if temperature == 0:
        return _one_hot(logits)
    z = np.asarray(logits, float) / temperature
    if top_k is not None:
        z = np.where(_ranks(z) < top_k, z, -np.inf)
    if top_p is not None:
        z = np.where(_top_p(_softmax(z), top_p) > 0, z, -np.inf)
    return _softmax(z)


@right("distribution")
def without_k_all(logits, temperature=1.0, top_k=None, top_p=None):
    """No filter is a filter that keeps everything."""
    probs = _top_k(_temper(logits, temperature), np.shape(logits)[-1] if top_k is None else top_k)
    return _top_p(probs, 1.0 if top_p is None else top_p)


@right("distribution")
def in_a_list_of_filters(logits, temperature=1.0, top_k=None, top_p=None):
    """A loop over filters and their settings."""
    probs = _temper(logits, temperature)
    for keep, setting in ((_top_k, top_k), (_top_p, top_p)):
        probs = probs if setting is None else keep(probs, setting)
    return probs


@right("distribution")
def p_scaled_in_place_of_dividing(logits, temperature=1.0, top_k=None, top_p=None):
    """The filters do not divide; p is made smaller by as much as top-k has cut."""
    probs = _temper(logits, temperature)
    kept = probs if top_k is None else np.where(_ranks(probs) < top_k, probs, 0.0)
    if top_p is not None:
        falling = -np.sort(-kept, axis=-1)
        needed = (falling.cumsum(-1) < top_p * kept.sum(-1, keepdims=True) - 1e-12).sum(-1, keepdims=True) + 1
        kept = np.where(_ranks(kept) < needed, kept, 0.0)
    return _shares(kept)


@right("distribution")
def row_after_row(logits, temperature=1.0, top_k=None, top_p=None):
    """apply_along_axis."""
    return np.apply_along_axis(lambda row: _through(_temper(row, temperature), top_k, top_p), -1, np.asarray(logits, float))
