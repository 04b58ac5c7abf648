"""The tests of normalisation and the feed-forward part refuse wrong versions, planted into a copy of the package."""

import pytest

from tests.mutation import Mutant

TESTS = "tests/test_norm_and_feed_forward.py::"
LAYER_NORM, RMS = TESTS + "test_layer_norm_is_torchs_with_gradients", TESTS + "test_rms_norm_is_torchs_with_gradients"
STEPS, CONSTANT = TESTS + "test_every_intermediate_is_what_its_name_says", TESTS + "test_a_constant_vector_becomes_beta_and_a_zero_vector_zero"
BENDS, SAME_BENDS = TESTS + "test_activations_are_torchs", TESTS + "test_a_layer_bends_as_the_hand_version_of_its_name"
TWO_MAPS, SWIGLU = TESTS + "test_feed_forward_is_torchs_two_linear_maps_with_gradients", TESTS + "test_swiglu_is_its_formula_with_gradients"
ALONE, AFFINE = TESTS + "test_each_vector_is_normalised_by_itself", TESTS + "test_without_a_bend_two_maps_are_one_and_with_it_they_are_not"
REFUSED, BEGINS = TESTS + "test_what_does_not_fit_is_refused_with_a_sentence", TESTS + "test_layer_norm_begins_as_torchs_and_may_have_no_bias"

MEAN = "mean = x.mean(axis=-1, keepdims=True)  # (..., 1)\n    variance"


def norm(name, change, *tests, raises=()):
    return Mutant(name, "course.blocks.norm", change, tests, raises)


def ffn(name, change, *tests, raises=()):
    return Mutant(name, "course.blocks.feed_forward", change, tests, raises)


MUTANTS = [
    norm("mean over positions", {MEAN: MEAN.replace("axis=-1", "axis=0")}, LAYER_NORM, ALONE),
    norm("mean over everything", {MEAN: MEAN.replace("axis=-1, ", "")}, LAYER_NORM, ALONE),
    norm("mean not subtracted", {"return (x - mean) / np": "return x / np"}, LAYER_NORM, CONSTANT),
    norm("unbiased variance", {"x.var(axis=-1, keepdims=True)": "x.var(axis=-1, keepdims=True, ddof=1)"}, LAYER_NORM),
    norm("eps outside the root", {"(x - mean) / np.sqrt(variance + eps)": "(x - mean) / (np.sqrt(variance) + eps)"}, LAYER_NORM),
    norm("no eps", {"(x - mean) / np.sqrt(variance + eps)": "(x - mean) / np.sqrt(variance)"}, LAYER_NORM, CONSTANT),
    norm("no root", {"(x - mean) / np.sqrt(variance + eps)": "(x - mean) / (variance + eps)"}, LAYER_NORM),
    norm("shifted before scaled", {"return (x - mean) / np.sqrt(variance + eps) * gamma + beta":
                                   "return ((x - mean) / np.sqrt(variance + eps) + beta) * gamma"}, LAYER_NORM),
    norm("no gamma", {"eps) * gamma + beta": "eps) + beta"}, LAYER_NORM),
    norm("no beta", {"eps) * gamma + beta": "eps) * gamma"}, LAYER_NORM, CONSTANT),
    norm("steps: variance of what is not centred", {"(centred**2).mean": "(x**2).mean"}, STEPS),
    norm("steps: no eps", {"centred / np.sqrt(variance + eps), output": "centred / np.sqrt(variance), output"}, STEPS),
    norm("steps: not centred", {"centred = x - mean": "centred = x"}, STEPS),
    norm("steps: the output is the normalised", {"np.sqrt(variance + eps), output)": "np.sqrt(variance + eps), centred)"}, STEPS),
    norm("default eps of another model", {"def layer_norm(x, gamma, beta, eps: float = 1e-5)": "def layer_norm(x, gamma, beta, eps: float = 1e-2)"},
         TESTS + "test_defaults_are_the_published_ones"),
    norm("layer's eps ignored", {"self.weight, self.bias, self.eps)": "self.weight, self.bias)"}, LAYER_NORM),
    norm("layer begins with zeros", {"self.eps = eps\n        self.weight = nn.Parameter(torch.ones(d_model))\n        self.bias":
         "self.eps = eps\n        self.weight = nn.Parameter(torch.zeros(d_model))\n        self.bias"}, BEGINS),
    norm("bias kept", {" if bias else None": ""}, BEGINS),
    norm("mean of RMS over everything", {"(x**2).mean(axis=-1, keepdims=True) + eps": "(x**2).mean() + eps"}, RMS, ALONE),
    norm("sum of squares", {"(x**2).mean(axis=-1, keepdims=True) + eps": "(x**2).sum(axis=-1, keepdims=True) + eps"}, RMS),
    norm("RMS eps outside the root", {"np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)": "(np.sqrt((x**2).mean(axis=-1, keepdims=True)) + eps)"}, RMS),
    norm("RMS layer without gain", {".to(x.dtype) * self.weight": ".to(x.dtype)"}, RMS, raises=["RuntimeError"]),
    norm("RMS in half precision", {"x.float() if x.dtype in (torch.float16, torch.bfloat16) else x": "x"},
         TESTS + "test_in_half_precision_large_numbers_do_not_overflow"),
    norm("any shape of gamma", {"if shape not in ((), (x[-1],)):": "if False:"}, REFUSED, raises=["ValueError"]),
    norm("negative eps taken", {"if eps < 0:": "if False:"}, REFUSED),
    norm("nothing to take a mean of", {"if not x or x[-1] == 0:": "if False:"}, REFUSED, raises=["IndexError", "AxisError"]),
    ffn("GELU without x", {"return x * (1.0 + _erf(x / math.sqrt(2.0))) / 2.0": "return (1.0 + _erf(x / math.sqrt(2.0))) / 2.0"}, BENDS, SAME_BENDS),
    ffn("GELU without the root of 2", {"_erf(x / math.sqrt(2.0))": "_erf(x)"}, BENDS, SAME_BENDS),
    ffn("GELU not halved", {"_erf(x / math.sqrt(2.0))) / 2.0": "_erf(x / math.sqrt(2.0)))"}, BENDS, SAME_BENDS),
    ffn("tanh for erf", {"x * (1.0 + _erf(x / math.sqrt(2.0))) / 2.0": "gelu_tanh(x)"}, BENDS, SAME_BENDS),
    ffn("erf for tanh", {"x / 2.0 * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))": "gelu(x)"}, BENDS, SAME_BENDS),
    ffn("another constant", {"0.044715 * x**3)))": "0.044175 * x**3)))"}, BENDS, SAME_BENDS),
    ffn("silu of a plain exponential", {"x * (1.0 + np.tanh(x / 2.0)) / 2.0": "x / (1.0 + np.exp(-x))"}, BENDS, raises=["FloatingPointError"]),
    ffn("σ for silu", {"return x * (1.0 + np.tanh(x / 2.0)) / 2.0": "return (1.0 + np.tanh(x / 2.0)) / 2.0"}, BENDS, SAME_BENDS),
    ffn("no bend by hand", {"hidden = activation(x @ W_1 + b_1)": "hidden = x @ W_1 + b_1"}, TWO_MAPS, AFFINE),
    ffn("no first bias", {"hidden = activation(x @ W_1 + b_1)": "hidden = activation(x @ W_1)"}, TWO_MAPS),
    ffn("no second bias", {"return hidden @ W_2 + b_2": "return hidden @ W_2"}, TWO_MAPS),
    ffn("no bend in the layer", {"return self.activation(self.up(x))": "return self.up(x)"}, TWO_MAPS),
    ffn("bend behind the second map", {"return self.down(self.hidden(x))": "return self.activation(self.down(self.up(x)))"}, TWO_MAPS),
    ffn("biases never", {"self.up = nn.Linear(d_model, d_ff, bias=bias)": "self.up = nn.Linear(d_model, d_ff, bias=False)"}, TWO_MAPS, raises=["RuntimeError", "AttributeError"]),
    ffn("gate and up swapped by hand", {"activation(x @ W_gate) * (x @ W_up)": "activation(x @ W_up) * (x @ W_gate)"}, SWIGLU),
    ffn("gate and up swapped in the layer", {"self.activation(self.gate(x)) * self.up(x)": "self.gate(x) * self.activation(self.up(x))"}, SWIGLU),
    ffn("added for multiplied", {"activation(x @ W_gate) * (x @ W_up)": "activation(x @ W_gate) + (x @ W_up)"}, SWIGLU),
    ffn("one bias for all neurons", {"fits = W_1.ndim == W_2.ndim == 2 and W_2.shape[:1] == W_1.shape[1:] == b_1.shape and": "fits = W_1.ndim == W_2.ndim == 2 and W_2.shape[:1] == W_1.shape[1:] and"}, REFUSED),
    ffn("any name is an activation", {"    if name not in ACTIVATIONS:": "    if False:"}, REFUSED, raises=["KeyError"]),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_wrong_version_is_caught(mutant):
    mutant.assert_caught(among=MUTANTS)
