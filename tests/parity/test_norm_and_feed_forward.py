"""RMSNorm is T5's and LLaMA's, GELU by tanh is GPT-2's, and SwiGLU is LLaMA's, of the transformers library."""

import numpy as np
import pytest
import torch
from transformers.activations import ACT2FN
from transformers.models.llama.modeling_llama import LlamaConfig, LlamaMLP, LlamaRMSNorm
from transformers.models.t5.modeling_t5 import T5LayerNorm

from course.blocks import feed_forward as ff
from course.blocks.norm import RMSNorm, rms_norm

B, T, C, INNER = 2, 5, 3, 7


def draw(*shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(size=shape) * scale + 0.7 * scale


def same(ours, theirs, rtol=1e-6):
    ours, theirs = (a.detach().numpy() if torch.is_tensor(a) else a for a in (ours, theirs))
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("eps", [1e-6, 0.1])
@pytest.mark.parametrize("scale", [3.0, 1e-3])
@pytest.mark.parametrize("theirs", [T5LayerNorm, LlamaRMSNorm], ids=["T5", "LLaMA"])
def test_rms_norm_is_theirs(theirs, eps, scale):
    x, gamma, module = draw(B, T, C, scale=scale), draw(C, seed=2), theirs(C, eps)
    ours = RMSNorm(C, eps)
    for layer in (ours, module):
        layer.load_state_dict({"weight": torch.from_numpy(gamma)})
    expected = module(torch.from_numpy(x).float())  # both take the mean in float32
    same(ours(torch.from_numpy(x).float()), expected, rtol=1e-5)
    same(rms_norm(x, gamma, eps), expected.double(), rtol=1e-5)
    assert T5LayerNorm(C).variance_epsilon == RMSNorm(C).eps


def test_gelu_by_tanh_is_gpt2s():
    x = np.concatenate([np.linspace(-6, 6, 241), [2.7, 40.0, -40.0]])
    same(ff.gelu_tanh(x), ACT2FN["gelu_new"](torch.from_numpy(x)), rtol=1e-9)


def test_swiglu_is_llamas():
    x = draw(B, T, C)
    theirs = LlamaMLP(LlamaConfig(hidden_size=C, intermediate_size=INNER, num_attention_heads=1, hidden_act="silu")).double()
    ours, names = ff.GatedFeedForward(C, INNER).double(), ("gate", "up", "down")
    ours.load_state_dict({f"{name}.weight": getattr(theirs, f"{name}_proj").weight for name in names})
    same(ours(torch.from_numpy(x)), theirs(torch.from_numpy(x)))
    matrices = [getattr(theirs, f"{name}_proj").weight.detach().numpy().T for name in names]
    same(ff.gated_feed_forward(x, *matrices), theirs(torch.from_numpy(x)))
