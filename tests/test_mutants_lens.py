"""Every part of the lens computed wrongly once, and the test that notices.

Only tests that need no transformers: importing its models for each wrong version would take minutes.
"""

import pytest

from tests.mutation import Mutant

RECORDING, HOOKS, RUN, PATTERNS = (f"course.lens.{name}" for name in ("recording", "hooks", "run", "patterns"))
R, K, P = (f"tests/test_{name}.py::" for name in ("recording", "lens_hooks", "lens_patterns"))
OWN = R + "test_scores_weights_and_output_of_a_layer_with_its_own_scale_and_bias"
THROUGH, NOT = K + "test_what_passes_through_is_recorded", K + "test_what_does_not_follow_is_not_recorded"
SILENT, AGAIN = K + "test_silent_heads_are_those_that_are_switched_off", K + "test_hooks_go_again"
TWO = K + "test_what_is_added_and_what_looks_at_another_text_is_recorded"
WHOSE = K + "test_a_runs_parts_say_whose_tokens_look"
PERFECT, BY_HAND = P + "test_a_perfect_head_scores_one", P + "test_numbers_by_hand"


def wrong(name, module, change, tests, *raises):
    return Mutant(name, module, change, tests, raises)


MUTANTS = [
    wrong("own scale forgotten", RECORDING, {"scores = self.scale * (": "scores = 1 / math.sqrt(self.q.shape[2]) * ("}, OWN),
    wrong("bias forgotten", RECORDING, {"scores if self.bias is None else scores + self.bias": "scores"}, OWN),
    wrong("mask forgotten", RECORDING, {"scores if self.mask is None else np.where(self.mask, scores, -np.inf)": "scores"}, OWN),
    wrong("bias of one head alone", RECORDING, {"np.repeat(self.bias, self.heads, axis=0)": "self.bias"},
          R + "test_one_bias_is_every_heads"),
    wrong("measured weights not used", RECORDING, {"if self.weights is not None:\n            weights =": "if self.q is None:\n            weights ="},
          R + "test_measured_weights_are_what_the_layer_did"),
    wrong("bias not shortened", RECORDING, {"bias=cut(self.bias, T, S)": "bias=self.bias"}, R + "test_shortened_keeps_what_comes_first",
          "ValueError"),

    wrong("own scale of a layer ignored", HOOKS, {"scale if isinstance(scale, float) else None": "None"}, NOT),
    wrong("causal mask never tried", HOOKS, {"(past, None) if causal else (None, past)": "(None,)"}, THROUGH, "AttributeError"),
    wrong("queries and keys swapped", HOOKS, {"q, k, v = parts": "k, q, v = parts"}, THROUGH, "AttributeError"),
    wrong("heads interleaved", HOOKS, {"unflatten(-1, (H, -1)).transpose(0, 1)": "unflatten(-1, (-1, H)).permute(2, 0, 1)"}, THROUGH,
          "AttributeError"),
    wrong("weights never checked", HOOKS, {"if not np.abs(computed - weights[:, rows]).max() <= SAME:": "if False:"}, NOT),
    wrong("values never checked", HOOKS, {"    if z is None:": "    if True:"}, NOT),
    wrong("two calls taken for one", HOOKS, {"if any(len(calls) != 1 for calls in seen.mapped) or len(seen.heard) > 1:": "if False:"}, NOT),
    wrong("the next head is silent", HOOKS, {"z[..., silent, :] = 0": "z[..., [(h + 1) % heads for h in silent], :] = 0"}, SILENT),
    wrong("silent in all layers", HOOKS, {"for layer, head in off if layer == index": "for layer, head in off"}, SILENT),
    wrong("one switch a layer", HOOKS, {"z[..., silent, :] = 0": "z[..., silent[:1], :] = 0"}, SILENT),
    wrong("hooks stay", HOOKS, {"            handle.remove()": "            pass"}, AGAIN),
    wrong("hooks stay after an error", HOOKS, {"        yield seen\n    finally:": "        yield seen\n    except NameError:\n        pass\n    else:"},
          AGAIN),

    wrong("nothing added", HOOKS, {"scores if bias is None else scores + bias[:, rows]": "scores"}, TWO, "TypeError"),
    wrong("added to the wrong rows", HOOKS, {"scores + bias[:, rows]": "scores + bias[:, rows[::-1]]"}, TWO, "TypeError"),
    wrong("added, and not kept", HOOKS, {"scale=scale, bias=bias)": "scale=scale)"}, TWO, "AssertionError", "TypeError"),
    wrong("each layer its own table", HOOKS, {"if place.added is not None else bias": "if place.added is not None else None"}, TWO, "TypeError"),
    wrong("the first table for all", HOOKS, {"if place.added is not None else bias": "if bias is None and place.added is not None else bias"},
          TWO, "TypeError"),
    wrong("any form is added", HOOKS, {"if len(seen.added) != 1 or tuple(seen.added[0].shape) != (*shape[1:], shape[0]):": "if False:"},
          K + "test_what_is_added_in_another_way_is_not_recorded", "IndexError"),
    wrong("always 1/√D", HOOKS, {"else (1 / math.sqrt(q.shape[2]), 1.0)": "else (1 / math.sqrt(q.shape[2]),)"}, TWO, "TypeError"),
    wrong("as many keys as queries", HOOKS, {"zip(parts, (T, S, S))": "zip(parts, (T, T, T))"}, TWO, "TypeError"),
    wrong("no layer looks at another text", HOOKS, {"cross=bool(CROSS.search(name))": "cross=False"}, TWO, "ValueError"),
    wrong("a past between two texts", HOOKS, {"    if T != S:\n        return (None,)\n": ""}, TWO, "IndexError", "ValueError"),

    wrong("all layers are the source's", RUN, {"                return part.of_source": "                return True"}, WHOSE),
    wrong("parts are not counted", RUN, {"            layer -= part.count\n": ""}, WHOSE),
    wrong("the target's frames for the source", RUN, {"            return self.source_special": "            return self.special"}, WHOSE),
    wrong("frames of tokens not known", RUN, {"self.special if self.layers[layer].tokens == self.tokens else None": "self.special"}, WHOSE),
    wrong("another source is the same text", RUN, {"(before.tokens, before.source) != (after.tokens, after.source)": "before.tokens != after.tokens"},
          K + "test_how_far_vectors_moved"),

    wrong("least probable", RUN, {"np.argsort(-probs": "np.argsort(probs"}, K + "test_the_most_probable_and_ties_to_the_smaller_id"),
    wrong("ties anyhow", RUN, {'np.argsort(-probs, kind="stable")': "np.argsort(probs)[::-1]"},
          K + "test_the_most_probable_and_ties_to_the_smaller_id"),
    wrong("divergence turned round", RUN, {"for run in (before, after))": "for run in (after, before))"},
          K + "test_how_far_predictions_moved"),
    wrong("moved in units", RUN, {" / np.maximum(np.linalg.norm(a, axis=1), np.finfo(np.float32).tiny)": ""},
          K + "test_how_far_vectors_moved"),

    wrong("previous and next swapped", PATTERNS, {"distance == -1 if": "distance == 1 if"}, PERFECT),
    wrong("the first looks at itself", PATTERNS, {"first & (distance != 0) if one_text else first": "first"},
          P + "test_against_the_definition"),
    wrong("same word counts itself", PATTERNS, {"same & (distance != 0) & ~special": "same & ~special"}, PERFECT),
    wrong("[CLS] is a separator", PATTERNS, {"special & (np.arange(T) > 0)": "special"},
          P + "test_a_head_that_looks_evenly_scores_its_baseline"),
    wrong("special queries counted", PATTERNS, {" & ~special  # (H or 1, T)": "  # (H or 1, T)"},
          P + "test_against_the_definition"),
    wrong("queries without a choice counted", PATTERNS, {" & (allowed.sum(-1) > 1)": ""}, BY_HAND),
    wrong("queries without a target counted", PATTERNS, {"counts = targets.any(-1) & ": "counts = "}, [PERFECT, BY_HAND]),
    wrong("hidden keys are targets", PATTERNS, {"targets = targets & allowed": "targets = targets & np.ones_like(allowed)"}, BY_HAND),
    wrong("baseline of all keys", PATTERNS, {"targets.sum(-1) / np.maximum(allowed.sum(-1), 1)": "targets.sum(-1) / allowed.shape[-1]"},
          BY_HAND),
    wrong("best without a baseline", PATTERNS, {"score - baseline > so_far.score - so_far.baseline": "score > so_far.score"},
          P + "test_best_is_measured_from_the_baseline"),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    mutant.assert_caught(among=MUTANTS)
