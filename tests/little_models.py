"""Models and tokenizers of the transformers library, made on the spot: a few hundred random numbers, real classes."""

import copy
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
    text = ["I like apples and bananas; I like my cats"] * 9
    bpe.train_from_iterator(text, vocab_size=300, min_frequency=2, special_tokens=special, show_progress=False)
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


BERT = dict(vocab_size=33, hidden_size=15, num_attention_heads=3, num_hidden_layers=3, intermediate_size=8,
            max_position_embeddings=20)  # fmt: skip
GPT2 = dict(vocab_size=300, n_embd=21, n_head=7, n_layer=3, n_positions=20, bos_token_id=0, eos_token_id=0)
BERT_OUT = "bert.encoder.layer.{}.attention.output.dense"

# name: class, configuration, its settings, where the map behind the heads of layer i is, and causal or not
FULL = {
    "BERT": ("BertModel", "BertConfig", BERT, "encoder.layer.{}.attention.output.dense", False),
    "BERT with words": ("BertForMaskedLM", "BertConfig", BERT | dict(num_hidden_layers=1, num_attention_heads=5),
                        BERT_OUT, False),
    "BERT that writes": ("BertLMHeadModel", "BertConfig", BERT | dict(is_decoder=True), BERT_OUT, True),
    "DistilBERT": ("DistilBertForMaskedLM", "DistilBertConfig",
                   dict(vocab_size=33, dim=21, n_heads=7, n_layers=2, hidden_dim=8, max_position_embeddings=20),
                   "distilbert.transformer.layer.{}.attention.out_lin", False),
    "RoBERTa": ("RobertaForMaskedLM", "RobertaConfig", BERT | dict(vocab_size=300, max_position_embeddings=22),
                "roberta.encoder.layer.{}.attention.output.dense", False),  # its positions are counted from 2
    "GPT-2": ("GPT2LMHeadModel", "GPT2Config", GPT2, "transformer.h.{}.attn.c_proj", True),
    "GPT-2 scaled by layer": ("GPT2LMHeadModel", "GPT2Config",
                              GPT2 | dict(n_head=3, scale_attn_by_inverse_layer_idx=True),
                              "transformer.h.{}.attn.c_proj", True),
    "OPT": ("OPTForCausalLM", "OPTConfig",
            dict(vocab_size=300, hidden_size=15, word_embed_proj_dim=15, num_attention_heads=3, num_hidden_layers=2,
                 ffn_dim=8, max_position_embeddings=20),
            "model.decoder.layers.{}.self_attn.out_proj", True),
}  # fmt: skip
# … and models whose scores are not queries times keys divided by √D, or are more than that
BARE = {
    "Llama": ("LlamaForCausalLM", "LlamaConfig",
              dict(vocab_size=300, hidden_size=24, num_attention_heads=6, num_key_value_heads=3, num_hidden_layers=2,
                   intermediate_size=8, max_position_embeddings=20),
              "model.layers.{}.self_attn.o_proj", True),
    "GPT-Neo": ("GPTNeoForCausalLM", "GPTNeoConfig",
                dict(vocab_size=300, hidden_size=15, num_heads=3, num_layers=2, window_size=3, intermediate_size=8,
                     attention_types=[[["global", "local"], 1]], max_position_embeddings=20, bos_token_id=0,
                     eos_token_id=0),
                "transformer.h.{}.attn.attention.out_proj", True),
}  # fmt: skip
# name: class, configuration, its settings, the tokenizer's class, and where the maps behind the heads of the encoder's
# layers, of the decoder's and of those between them are: (name with a hole for the layer, layers, heads) each
BART = dict(vocab_size=300, d_model=12, encoder_layers=2, decoder_layers=3, encoder_attention_heads=3,
            decoder_attention_heads=2, encoder_ffn_dim=8, decoder_ffn_dim=8, max_position_embeddings=24)  # fmt: skip
T5 = dict(vocab_size=300, d_model=12, d_kv=5, num_heads=3, num_layers=2, num_decoder_layers=3, d_ff=8, pad_token_id=0,
          decoder_start_token_id=0, eos_token_id=1)  # fmt: skip
T5_MAPS = (("encoder.block.{}.layer.0.SelfAttention.o", 2, 3), ("decoder.block.{}.layer.0.SelfAttention.o", 3, 3),
           ("decoder.block.{}.layer.1.EncDecAttention.o", 3, 3))  # fmt: skip
BART_MAPS = (("model.encoder.layers.{}.self_attn.out_proj", 2, 3), ("model.decoder.layers.{}.self_attn.out_proj", 3, 2),
             ("model.decoder.layers.{}.encoder_attn.out_proj", 3, 2))  # fmt: skip
TWO = {
    "T5": ("T5ForConditionalGeneration", "T5Config", T5, "GPT2TokenizerFast", T5_MAPS),
    "BART": ("BartForConditionalGeneration", "BartConfig", BART, "RobertaTokenizerFast", BART_MAPS),
}


def forward(made, ids, target=None):
    """The model by itself, eager, on ids (B, T): what there is to compare with.  target: what a decoder reads, (B, U)."""
    torch = needed("torch")
    made.set_attn_implementation("eager")
    settings = dict(attention_mask=torch.ones_like(ids), output_attentions=True, output_hidden_states=True)
    with torch.no_grad():
        return made(input_ids=ids, **settings, **({} if target is None else {"decoder_input_ids": target}))


def ids_of(runnable, text):
    """The ids (1, T) of `text` for the model of `runnable`."""
    return needed("torch").tensor([runnable.tokenizer(text)["input_ids"]])


def outs(maps) -> list[tuple[str, int]]:
    """(name of the map behind the heads, heads) of each layer of an encoder–decoder, in the order of a Run's layers."""
    return [(path.format(layer), heads) for path, layers, heads in maps for layer in range(layers)]


def without(made, path, off, heads=None):
    """A copy whose maps behind the heads read nothing of those switched off: their part of the matrix is 0.

    path: the name of such a map with a hole for the layer, `heads` heads in each; or places as `outs` returns them.
    """
    torch = needed("torch")
    changed = copy.deepcopy(made)
    for layer, head in off:
        name, count = (path.format(layer), heads) if isinstance(path, str) else path[layer]
        out = changed.get_submodule(name)
        across = out.weight if type(out).__name__ == "Conv1D" else out.weight.T  # (H·D, C)
        D = len(across) // count
        with torch.no_grad():
            across[head * D : (head + 1) * D] = 0
    return changed
