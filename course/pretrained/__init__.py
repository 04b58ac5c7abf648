"""Other people's weights, loaded from a package, a folder or the Hugging Face hub: `sentence_encoder()`, `load_gpt2()`.

The only part of the course that imports the transformers library, and only inside functions.  The names are fetched
when they are first asked for, so that importing the package stays fast.
"""

from course.lazily import handed_on

_HOMES = {"load_gpt2": "gpt2", "sentence_encoder": "sentence", "SentenceEncoder": "sentence", "NoModel": "folders"}

__getattr__, __dir__, __all__ = handed_on(__name__, _HOMES)
