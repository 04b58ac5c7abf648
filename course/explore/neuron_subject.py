"""What the neuron explorer looks at: a model that reads texts, or one layer that is given vectors."""

import numpy as np

from course.explore.neuron_explorer import SHOWN_TEXTS, SHOWN_TOKENS
from course.explore.sampling_explorer import name_of, spelled
from course.lens import neurons
from course.sentences import table


class ModelSubject:
    """A model with its tokenizer."""

    bare = False

    def __init__(self, model, tokenizer):
        self.model, self.tokenizer = model, tokenizer
        self.layers = neurons.feed_forwards(model)
        self.n_layers = len(self.layers)
        widths = {layer.up.out_features for layer in self.layers}
        if len(widths) > 1:
            raise ValueError(table("explore_neuron")["neuron"]["bad_widths"].format(widths=", ".join(map(str, sorted(widths)))))
        self.width = widths.pop()
        self.context_length = getattr(getattr(model, "config", None), "context_length", None)
        for layer in range(self.n_layers):
            self.bend(layer)  # an activation that is not known is refused before anything is shown

    def encode(self, text: str) -> list[int]:
        coded = self.tokenizer.encode(text)
        return [int(id) for id in getattr(coded, "ids", coded)]

    def name(self, id: int) -> tuple[str, str]:
        return name_of(self.tokenizer, id)

    def label(self, ids: list[int], place: int) -> tuple[str, str]:
        return self.name(ids[place])

    def halves(self, id: int) -> str:
        """The bytes of a token that is no whole characters, in hexadecimal; "" where they are not known or not needed."""
        part = self.name(id)[1] == "part" and hasattr(self.tokenizer, "token_bytes")
        return self.tokenizer.token_bytes(id).hex() if part else ""

    def spell(self, ids: list[int]) -> str:
        """Tokens as one text, in which halves of a character that stand beside each other are whole again."""
        known = [(name, bytes.fromhex(self.halves(id))) for id in ids for name, _ in [self.name(id)]]
        return spelled(b"".join(half or name.encode() for name, half in known))[0]

    def bend(self, layer: int) -> str:
        return neurons.bend(self.layers[layer])

    def biases(self, layer: int) -> np.ndarray:
        return neurons.biases(self.layers[layer])

    def pre_activations(self, ids: list[int], layer: int) -> np.ndarray:
        return neurons.pre_activations(self.model, ids, layer)

    def measure(self, texts: list[list[int]], layer: int) -> dict:
        """{"peaks": …, "extremes": …}: what takes the whole corpus and the whole vocabulary, as far as there are any."""
        found = {}
        if texts:
            found["peaks"] = neurons.peaks(self.model, [ids[: self.context_length] for ids in texts], layer, SHOWN_TEXTS)
        if hasattr(self.model, "unembedding"):
            found["extremes"] = neurons.extremes(self.model, layer, SHOWN_TOKENS)
        return found


class LayerSubject:
    """One FeedForward with the vectors that it is given, (T, C), and names for them."""

    bare, n_layers, context_length = True, 1, None

    def __init__(self, layer, vectors, tokens=None):
        words = table("explore_neuron")["neuron"]
        neurons.check_layer(layer)
        self.layer = layer
        self.vectors = np.asarray(vectors.detach().cpu() if hasattr(vectors, "detach") else vectors, np.float32)
        self.width, size = layer.up.out_features, layer.up.in_features
        if self.vectors.ndim != 2 or self.vectors.shape[1] != size or not len(self.vectors):
            raise ValueError(words["bad_vectors"].format(width=size, shape=self.vectors.shape))
        self.tokens = [str(token) for token in (range(len(self.vectors)) if tokens is None else tokens)]
        if len(self.tokens) != len(self.vectors):
            raise ValueError(words["bad_names"].format(tokens=len(self.tokens), vectors=len(self.vectors)))
        self.bend(0)

    def encode(self, text: str) -> list[int]:
        return list(range(len(self.vectors)))

    def label(self, ids: list[int], place: int) -> tuple[str, str]:
        return self.tokens[place], "whole"

    def bend(self, layer: int) -> str:
        return neurons.bend(self.layer)

    def biases(self, layer: int) -> np.ndarray:
        return neurons.biases(self.layer)

    def pre_activations(self, ids: list[int], layer: int) -> np.ndarray:
        import torch

        up = self.layer.up
        with torch.no_grad():
            return up(torch.as_tensor(self.vectors[ids], dtype=up.weight.dtype, device=up.weight.device)).float().cpu().numpy()

    def measure(self, texts, layer: int) -> dict:
        return {}


def default_corpus(count: int) -> list[str]:
    """`count` paragraphs of the Python language reference, evenly spread over those of more than 80 characters."""
    from course.text.corpus import paragraphs, python_docs, without_repeats

    found = [piece for piece in without_repeats(paragraphs(python_docs())) if len(piece) > 80]
    return [found[i] for i in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)]
