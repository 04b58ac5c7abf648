"""The neuron explorer as a picture: the bend, the activation of each token, texts of the corpus, tokens of the vocabulary."""

import unicodedata

import numpy as np
from matplotlib.figure import Figure

from course import figures
from course.explore.neuron_explorer import bent

WIDTH, UPPER, LABELS, HEAD, ROW, FOOT = 10.0, 3.0, 1.2, 0.4, 0.25, 0.6  # inches: what stands where is said in `draw`
MOST_BARS = 32  # tokens of the text with a bar
LINE, POSITIVE, NEGATIVE = figures.COLORS[0], figures.COLORS[1], figures.COLORS[0]
BEFORE, AFTER = 44, 18  # columns that the text of the corpus may take on either side of the token


def draw(explorer) -> Figure:
    """The figure of a NeuronExplorer's present state."""
    if not len(explorer.pre_activations):
        fig, (ax,) = figures.figure(WIDTH, 1.0)
        ax.axis("off")
        ax.text(0, 0.5, explorer.problem or explorer.summary(), wrap=True)
        return fig
    texts, raised, lowered = explorer.texts(), explorer.raised(), explorer.lowered()
    has_corpus = len(explorer.starts) > 1
    rows = max(len(texts), len(raised) + len(lowered), 1) if has_corpus or raised else 0
    height = UPPER + LABELS + (HEAD + ROW * rows + FOOT if rows else 0)
    with figures.style():
        fig = Figure(figsize=(WIDTH, height))
        # Inches from the left and the top: what stands in an axis, a long token for instance, moves no other.
        place = lambda left, top, wide, high: fig.add_axes((left / WIDTH, 1 - (top + high) / height, wide / WIDTH, high / height))
        _draw_curve(explorer, place(0.65, 0.75, 2.75, UPPER - 0.75))
        _draw_tokens(explorer, place(4.05, 0.75, WIDTH - 4.15, UPPER - 0.75))
        if has_corpus:
            _draw_texts(explorer, place(0.1, UPPER + LABELS + HEAD, 5.6, ROW * rows), texts)
        if raised:
            _draw_said(explorer, place(7.2, UPPER + LABELS + HEAD, WIDTH - 7.3, ROW * rows), raised + lowered[::-1])
            fig.text(5.9 / WIDTH, 1 - (UPPER + LABELS + HEAD - 0.12) / height, explorer.sentences["values"], fontsize=11, va="bottom")
        named = f"{figures.label(explorer.title, 60)}. ".replace(figures.SPACES[" "], " ") if explorer.title else ""
        title = explorer.say("figure_title", layer=explorer.answer["layer"], neuron=explorer.neuron)
        fig.suptitle(f"{named}{title}", x=0.01, y=1 - 0.1 / height, ha="left", va="top", fontsize=11)
    return fig


def _draw_curve(explorer, ax) -> None:
    z = explorer.pre_activations[:, explorer.neuron].astype(np.float64)
    reach = max(3.0, 1.12 * float(np.abs(z).max()))
    line = np.linspace(-reach, reach, 241)
    if explorer.own != explorer.activation:
        ax.plot(line, bent(explorer.own, line), "--", color=figures.QUIET, label=explorer.say("figure_own", name=explorer.own))
        ax.legend(loc="upper left", frameon=False, fontsize=8)
    ax.plot(line, bent(explorer.activation, line), color=LINE, gid="bend")
    ax.scatter(z, bent(explorer.activation, z), s=8, color=figures.INK, alpha=0.5, zorder=3)
    ax.scatter([explorer.z], [explorer.value], s=50, color=figures.INK, ec="white", zorder=4, gid="chosen")
    ax.set(xlabel=explorer.sentences["axis_z"], ylabel=explorer.say("axis_value", name=explorer.activation))
    ax.set_title(explorer.say("figure_curve", name=explorer.activation), fontsize=11)


def _draw_tokens(explorer, ax) -> None:
    """A bar for each token; of a long text those around the one looked at."""
    values, labels = explorer.activations[:, explorer.neuron], explorer.tokens()
    first = min(max(explorer.place - MOST_BARS // 2, 0), max(len(labels) - MOST_BARS, 0))
    shown = range(first, min(first + MOST_BARS, len(labels)))
    for at in shown:
        edge = {"ec": figures.INK, "lw": 1.6} if at == explorer.place else {}
        ax.bar(at, values[at], color=POSITIVE if values[at] > 0 else NEGATIVE, gid=f"token {at}", **edge)
    ax.axhline(0, color=figures.QUIET, lw=0.8)
    ax.set_xticks(shown, [figures.label(labels[at], 12) for at in shown], rotation=60, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(first - 0.7, first + len(shown) - 0.3)
    cut = len(shown) < explorer.answer["tokens"]
    more = explorer.say("figure_more", first=first, last=shown[-1], count=explorer.answer["tokens"])
    ax.set_title(more if cut else explorer.sentences["figure_tokens"], fontsize=11)


def _draw_texts(explorer, ax, texts) -> None:
    ax.axis("off")
    ax.set(xlim=(0, 1), ylim=(max(len(texts), 8) - 0.4, -0.6))
    ax.set_title(explorer.sentences["corpus"], fontsize=11)
    if not texts:
        ax.text(0, 0, explorer.say("corpus_none", count=len(explorer.starts) - 1), va="center", fontsize=8, wrap=True)
    for row, (before, token, after, value) in enumerate(texts):
        before, after = _fitting(before[::-1], BEFORE)[::-1], _fitting(after, AFTER)
        ax.text(0.1, row, f"{value:.3g}", va="center", ha="right", fontsize=8, gid=f"activation {row}")
        ax.text(0.64, row, _shown(before), va="center", ha="right", fontsize=8)
        box = {"boxstyle": "square,pad=0.15", "fc": "#fddbc7", "ec": figures.QUIET, "lw": 0.5}
        ax.annotate(figures.label(token, 8), (0.65, row), va="center", fontsize=8, bbox=box, gid=f"switch {row}")
        ax.text(0.8, row, _shown(after), va="center", fontsize=8)


def _fitting(text: str, columns: int) -> str:
    """The start of `text` that fits; a Chinese character takes two columns."""
    ends = np.cumsum([2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text])
    return text[: int(np.searchsorted(ends, columns, side="right"))]


def _shown(text: str) -> str:
    return figures.label(text, len(text)) if text else ""


def _draw_said(explorer, ax, rows) -> None:
    added = np.array([value for _, value in rows])
    ax.barh(range(len(rows)), added, color=[POSITIVE if value > 0 else NEGATIVE for value in added], height=0.7, gid="said")
    ax.set_yticks(range(len(rows)), [figures.label(name, 16) for name, _ in rows], fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.axvline(0, color=figures.QUIET, lw=0.8)
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(min(added.min() * 1.1, 0), max(added.max() * 1.1, 0)))
    ax.set_xlabel(explorer.sentences["figure_per"], fontsize=8)
