"""What all explorers share: joining their JavaScript, tensors as bytes, the picture without a kernel, sentences.

An explorer is one Python file (traits, model side, matplotlib picture) and its JavaScript and CSS in `static/`.
The kit's files and the explorer's are joined here into one ES module, since relative imports fail in the blob modules
that anywidget makes.
"""

from pathlib import Path

import anywidget
import numpy as np
import traitlets

from course import sentences as sentence_tables

STATIC = Path(__file__).parent / "static"
KIT_SCRIPTS = ("kit.js", "kit_controls.js", "kit_drawing.js", "kit_shell.js")
KIT_STYLES = ("kit.css",)


def _join(names) -> str:
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def module(*names: str) -> str:
    """The kit and the explorer's JavaScript files of `static/`, in this order, as one ES module."""
    return _join((*KIT_SCRIPTS, *names))


def stylesheet(*names: str) -> str:
    """The kit's and the explorer's style sheets as one."""
    return _join((*KIT_STYLES, *names))


def pack(*arrays) -> bytes:
    """Arrays → their float32 numbers, row by row, one after the other (the form in which tensors travel to the page)."""
    return b"".join(np.ascontiguousarray(array, dtype="<f4").tobytes() for array in arrays)


def clean(text) -> str:
    """`text` as a string that JSON and UTF-8 can carry: each lone surrogate becomes U+FFFD, pairs become one character."""
    return str(text).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Explorer(anywidget.AnyWidget):
    """A live picture with a fallback for readers without a kernel.

    A subclass sets `_esm = module("name.js")`, `_css = stylesheet("name.css")`, `kind`, `topics` (pairs of table and
    section of course/sentences), and defines `figure()` and `summary()`.
    """

    kind = "explorer"
    topics: tuple[tuple[str, str], ...] = (("explore", "kit"),)

    sentences = traitlets.Dict().tag(sync=True)  # what the page says, by name
    title = traitlets.Unicode("").tag(sync=True)  # "" for none
    problem = traitlets.Unicode("").tag(sync=True)  # one sentence, shown in the explorer until it is solved

    def __init__(self, **traits):
        words = {}
        for table, section in self.topics:
            words |= sentence_tables.table(table)[section]
        super().__init__(sentences=words, **traits)

    def say(self, name: str, /, **values) -> str:
        """The sentence `name` of this explorer with its holes {…} filled."""
        return self.sentences[name].format(**values)

    def figure(self):
        """The present state as a matplotlib Figure."""
        raise NotImplementedError

    def summary(self) -> str:
        """One line of text that says what is shown; the same for the same state."""
        raise NotImplementedError

    def save(self, path) -> None:
        """Writes the present state as a picture; the ending of `path` (.png, .svg, .pdf) says in which format."""
        from course import figures

        with figures.style():
            self.figure().savefig(path, bbox_inches="tight")

    def png(self) -> bytes:
        """The present state as a PNG, for places without a kernel."""
        from course import figures

        return figures.png(self.figure())

    def __repr__(self) -> str:
        return f"{self.kind} explorer: {self.summary()}"

    def _repr_mimebundle_(self, **kwargs):
        from course import figures

        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        # JupyterLab shows the live view; before the cell has run, and in exports, the picture with its alternative text;
        # GitHub and a PDF the bare picture, a terminal the line.
        return {**data, **figures.Picture(self.png(), repr(self))._repr_mimebundle_()}, metadata

    if hasattr(anywidget.AnyWidget, "_ipython_display_"):  # ipywidgets 7, which asks for no bundle and shows no picture

        def _ipython_display_(self, **kwargs):
            from IPython.display import display

            data, metadata = self._repr_mimebundle_()
            # A message of its own, as ipywidgets 7 sends one: Colab adds to it where its code for widgets is.
            display(data, metadata=metadata, raw=True)
            self._handle_displayed(**kwargs)
