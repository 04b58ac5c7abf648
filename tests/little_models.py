"""Models and tokenizers of the transformers library, made on the spot: a few hundred random numbers, real classes."""

import importlib
import json
import os

import pytest


def needed(name: str):
    """The module `name`; a test that needs it is skipped with a plain message where it is missing, and fails in CI."""
    try:
        return importlib.import_module(name)
    except ImportError:
        message = f"{name} is not installed"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message, allow_module_level=True)


WORDS = "i like to eat apple ##s and banana my cat sit on the mat , . 我 喜 欢 吃 苹 果 和 香 蕉".split()


def wordpiece(folder, **settings):
    """A real BertTokenizerFast over WORDS: "apples" is two pieces, other words are unknown."""
    transformers = needed("transformers")
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]), encoding="utf-8")
    return transformers.BertTokenizerFast.from_pretrained(folder, **settings)


def bytes_bpe(kind: str = "GPT2TokenizerFast", **settings):
    """A real byte-level tokenizer: every byte and a few merges; "苹" stays three tokens, none of them a character."""
    transformers, tokenizers = needed("transformers"), needed("tokenizers")
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] if kind.startswith("Roberta") else ["<|endoftext|>"]
    bpe = tokenizers.ByteLevelBPETokenizer()
    bpe.train_from_iterator(["I like apples and bananas; I like my cats"] * 9, vocab_size=300, min_frequency=2, special_tokens=special,
                            show_progress=False)  # fmt: skip
    vocabulary = bpe.get_vocab(with_added_tokens=True)
    merges = [tuple(merge) for merge in json.loads(bpe.to_str())["model"]["merges"]]
    return getattr(transformers, kind)(vocab=vocabulary, merges=merges, **settings)


def model(kind: str, config: str, *, seed: int = 0, **settings):
    """A model of class `kind` with random numbers large enough that no head looks everywhere alike."""
    transformers, torch = needed("transformers"), needed("torch")
    made = getattr(transformers, kind)(getattr(transformers, config)(**settings))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            norm = parameter.ndim == 1 and name.endswith("weight")  # those of layer norms stay near 1
            parameter.copy_(1 + 0.1 * noise if norm else 0.4 * noise)
    return made
