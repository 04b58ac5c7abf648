"""Published GPT-2 weights in our GPT: OpenAI's, or any checkpoint of that architecture.

    model, tokenizer = load_gpt2("openai-community/gpt2")       # from the Hugging Face hub, or a folder
    model(torch.tensor(tokenizer.encode("I like eating")))      # logits (T, V)

Nothing of the transformers library is used: config.json says the sizes, and each tensor of the safetensors is put where
it belongs.  Two things are done to them.  GPT-2's linear maps ("Conv1D") keep their matrices as (in, out), to stand to the
right of x; ours, as torch's, as (out, in): they are transposed.  And its maps to queries, keys and values are one of three
times the width, `c_attn`: it is cut in three.
"""

import importlib.util
import json
import re
from pathlib import Path

import torch

from course.models.config import GPTConfig
from course.models.gpt import GPT
from course.pretrained.folders import HUB_NAME, WEIGHTS, from_hub, local, no_model
from course.sentences import table
from course.text.tokenizer import BPETokenizer

INDEX = "model.safetensors.index.json"
ACTIVATIONS = {"gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu": "gelu", "relu": "relu", "silu": "silu"}
SIZES = {"vocab_size": "vocab_size", "context_length": "n_positions", "d_model": "n_embd", "n_heads": "n_head", "n_layers": "n_layer"}
# What a checkpoint may ask for and our GPT does not compute, each with the value at which nothing is asked.
PLAIN = {"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False, "reorder_and_upcast_attn": False,
         "add_cross_attention": False}  # fmt: skip
# Parts of a block: their names in the file, and ours; what has several is cut into as many along the last axis.
PARTS = {"ln_1": ("norm_1",), "attn.c_attn": ("attention.query", "attention.key", "attention.value"),
         "attn.c_proj": ("attention.out",), "ln_2": ("norm_2",), "mlp.c_fc": ("feed_forward.up",),
         "mlp.c_proj": ("feed_forward.down",)}  # fmt: skip
MASK = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")  # old files keep the causal mask beside the weights
MOST_NAMES = 4  # tensors that one sentence names


def load_gpt2(name_or_path: str | Path) -> tuple[GPT, BPETokenizer]:
    """(model, tokenizer) from a name of the Hugging Face hub or a folder, in float32, ready to compute.

    A folder holds config.json, model.safetensors (or several, with their index) and vocab.json with merges.txt, or
    tokenizer.json, whose ids are those of a BPETokenizer.  Pickles are never read.  A model may have more rows than there
    are tokens: some are filled up to a round number.
    Raises NoModel, one plain sentence, where there is none, and for what our GPT does not compute; of tensors that are
    missing, too many or of another shape it gives the names.
    """
    name, folder = _find(name_or_path)
    config = _config(folder)
    tensors = _tensors(folder)
    head = tensors.get("lm_head.weight")
    if head is not None and config.tied and not torch.equal(head, tensors.get("wte.weight", head)):
        config = GPTConfig(**vars(config) | {"tied": False})  # the file has two tables, so there are two
    _check(folder, tensors, config)
    tokenizer = _tokenizer(folder, config.vocab_size)
    model = GPT(config)
    model.load_state_dict(_ours(tensors, config))
    model.name = name
    return model.eval(), tokenizer


def _find(name_or_path: str | Path) -> tuple[str, Path]:
    """(name, folder) of the model asked for."""
    if importlib.util.find_spec("safetensors") is None:
        raise no_model("no_transformers")  # which brings it
    named = isinstance(name_or_path, str) and HUB_NAME.fullmatch(name_or_path) and not Path(name_or_path).is_dir()
    if named and importlib.util.find_spec("huggingface_hub") is None:
        raise no_model("no_transformers")
    folder = from_hub(name_or_path) if named else local(Path(name_or_path))
    if folder is None:
        raise no_model("not_on_hub", name=name_or_path)
    return (name_or_path if named else folder.name), local(folder)


# ── config.json ─────────────────────────────────────────────────────────────────────────────────────────────


def _config(folder: Path) -> GPTConfig:
    """The sizes, for our GPT.  Raises NoModel for another architecture and for what our GPT does not compute."""
    path = folder / "config.json"
    settings = _json(path)
    if settings.get("model_type") != "gpt2":
        raise no_model("not_gpt2", path=folder, kind=settings.get("model_type"))
    for option, plain in PLAIN.items():
        if settings.get(option, plain) != plain:
            raise no_model("not_computed", path=path, option=option, value=settings[option])
    activation = settings.get("activation_function", "gelu_new")
    if activation not in ACTIVATIONS:
        raise no_model("not_computed", path=path, option="activation_function", value=activation)
    missing = [name for name in SIZES.values() if name not in settings]
    if missing:
        raise no_model("config_lacks", path=path, names=", ".join(missing))
    try:
        return GPTConfig(
            **{ours: settings[theirs] for ours, theirs in SIZES.items()}, d_ff=settings.get("n_inner") or 0,
            activation=ACTIVATIONS[activation], eps=settings.get("layer_norm_epsilon", 1e-5),
            tied=settings.get("tie_word_embeddings", True))  # fmt: skip
    except (ValueError, TypeError) as error:
        raise no_model("unreadable", path=path, reason=str(error)) from None


def _json(path: Path) -> dict:
    errors = table("pretrained")["errors"]
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise no_model("no_file", path=path.parent, name=path.name) from None
    except ValueError:
        raise no_model("unreadable", path=path, reason=errors["no_json"]) from None
    if not isinstance(settings, dict):
        raise no_model("unreadable", path=path, reason=errors["no_json"])
    return settings


# ── the tensors ─────────────────────────────────────────────────────────────────────────────────────────────


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors by name, without the masks and without the "transformer." that some files put before the names."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    found = {}
    for path in _files(folder):
        try:
            read = load_file(path)
        except FileNotFoundError:
            raise no_model("no_file", path=folder, name=path.name) from None
        except (SafetensorError, OSError) as error:
            raise no_model("unreadable", path=path, reason=str(error)) from None
        found |= {name.removeprefix("transformer."): tensor for name, tensor in read.items()}
    return {name: tensor for name, tensor in found.items() if not MASK.fullmatch(name)}


def _files(folder: Path) -> list[Path]:
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        raise no_model("no_weights", path=folder)
    names = _json(folder / INDEX).get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) and name == Path(name).name for name in names.values()):
        raise no_model("unreadable", path=folder / INDEX, reason=table("pretrained")["errors"]["no_weight_map"])
    return [folder / name for name in sorted(set(names.values()))]


def _shapes(config: GPTConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor that a GPT-2 of these sizes has, and its shape."""
    C, F_, V = config.d_model, config.d_ff, config.vocab_size
    widths = {"ln_1": (C,), "attn.c_attn": (C, 3 * C), "attn.c_proj": (C, C), "ln_2": (C,), "mlp.c_fc": (C, F_),
              "mlp.c_proj": (F_, C)}  # fmt: skip
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (V, C), "wpe.weight": (config.context_length, C)}
    for i in range(config.n_layers):
        for part, shape in widths.items():
            shapes |= {f"h.{i}.{part}.weight": shape, f"h.{i}.{part}.bias": shape[-1:]}
    shapes |= {"ln_f.weight": (C,), "ln_f.bias": (C,)}
    return shapes if config.tied else shapes | {"lm_head.weight": (V, C)}


def _check(folder: Path, tensors: dict[str, torch.Tensor], config: GPTConfig) -> None:
    """Raises NoModel that names every tensor which is not as config.json has it (of many the first)."""
    shapes = _shapes(config)
    if config.tied:
        shapes["lm_head.weight"] = shapes["wte.weight"]
    missing = [name for name in shapes if name not in tensors and not (config.tied and name == "lm_head.weight")]
    if missing:
        raise no_model("tensors_missing", path=folder, names=_some(missing))
    superfluous = [name for name in tensors if name not in shapes]
    if superfluous:
        raise no_model("tensors_superfluous", path=folder, names=_some(sorted(superfluous)))
    misfit = [(name, tuple(tensor.shape)) for name, tensor in tensors.items() if tuple(tensor.shape) != shapes[name]]
    if misfit:
        words = [f"{name} {shape}, {shapes[name]}" for name, shape in sorted(misfit)]
        raise no_model("tensors_misfit", path=folder, names=_some(words, "; "))
    no_floats = [f"{name} ({tensor.dtype})" for name, tensor in tensors.items() if not tensor.is_floating_point()]
    if no_floats:
        raise no_model("tensors_no_floats", path=folder, names=_some(sorted(no_floats)))


def _some(names: list[str], between: str = ", ") -> str:
    more = len(names) - MOST_NAMES
    shown = between.join(names[:MOST_NAMES])
    return shown + (table("pretrained")["words"]["more"].format(count=more) if more > 0 else "")


def _ours(tensors: dict[str, torch.Tensor], config: GPTConfig) -> dict[str, torch.Tensor]:
    """The tensors under our names, matrices as (out, in)."""
    ours = {
        "embedding.weight": tensors["wte.weight"], "positions.weight": tensors["wpe.weight"],
        "norm.weight": tensors["ln_f.weight"], "norm.bias": tensors["ln_f.bias"],
        "unembedding.weight": tensors["wte.weight" if config.tied else "lm_head.weight"],
    }  # fmt: skip
    for i in range(config.n_layers):
        for theirs, names in PARTS.items():
            for kind in ("weight", "bias"):
                whole = tensors[f"h.{i}.{theirs}.{kind}"]  # (in, out) or (out,)
                for name, part in zip(names, whole.chunk(len(names), dim=-1), strict=True):
                    ours[f"blocks.{i}.{name}.{kind}"] = part.T if part.ndim == 2 else part
    return ours


# ── the tokenizer ───────────────────────────────────────────────────────────────────────────────────────────


def _first_id(folder: Path) -> int:
    """The id that a folder's file gives to the byte that is 0 in GPT-2's order, which it writes as "!"."""
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        return json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["!"]
    return json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]["!"]


def _tokenizer(folder: Path, vocab_size: int) -> BPETokenizer:
    """Our tokenizer from the folder's files.  Raises NoModel for one of another kind, and for ids without a row."""
    try:
        tokenizer = BPETokenizer.load(folder)
    except FileNotFoundError:
        raise no_model("no_bpe", path=folder) from None
    except (OSError, ValueError) as error:
        raise no_model("other_bpe", path=folder, reason=str(error)) from None
    if (found := _first_id(folder)) != 0:  # special tokens first: BPETokenizer would renumber, the model's rows would not
        raise no_model("other_bpe", path=folder, reason=f"it numbers its tokens in another way: '!' has the id {found}, expected 0")
    if len(tokenizer) > vocab_size:
        raise no_model("few_rows", path=folder, tokens=len(tokenizer), rows=vocab_size)
    return tokenizer
