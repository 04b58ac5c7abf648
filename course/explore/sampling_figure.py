"""The sampling explorer as a picture: bars with what is cut, and the cumulative mass beside them."""

import numpy as np
from matplotlib.figure import Figure

from course import figures
from course.explore.sampling_explorer import chance, entropy_of

WIDTH, ROW, HEAD = 8.0, 0.27, 1.35  # inches
BAR, EDGE = figures.COLORS[0], figures.QUIET


def draw(explorer) -> Figure:
    """The figure of a SamplingExplorer's present state."""
    if not len(explorer.logits):
        fig, (ax,) = figures.figure(WIDTH, 1.0)
        ax.axis("off")
        ax.text(0, 0.5, explorer.problem or explorer.say("summary_empty"), wrap=True)
        return fig
    order, probs, before = explorer.ranked(), explorer.probs, explorer.tempered
    shown = min(explorer.bars, len(order))
    others = len(order) - shown
    with figures.style():
        fig = Figure(figsize=(WIDTH, HEAD + ROW * (shown + bool(others))), layout="constrained")
        bars, mass = fig.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        rows = [(explorer.name(int(id))[0], probs[id], before[id], _cut(explorer, rank)) for rank, id in enumerate(order[:shown])]
        if others:
            label = explorer.say("rest_one" if others == 1 else "rest", count=others)
            rows.append((label, probs[order[shown:]].sum(), before[order[shown:]].sum(), _cut(explorer, shown)))
        _draw_bars(explorer, bars, rows, shown)
        _draw_mass(explorer, mass, before[order], shown, len(rows))
        fig.suptitle(_title(explorer, probs), x=0.01, ha="left", fontsize=11)
    return fig


def _cut(explorer, rank: int) -> str:
    """The name of the sentence that says what cuts the token of this rank; "" where nothing does."""
    after_k, kept = explorer.cuts()
    return "" if rank < kept else "cut_p" if rank < after_k else "cut_k"


def _draw_bars(explorer, ax, rows, shown: int) -> None:
    """The bars.  The others together may hold far more than one token: their bar ends at the scale's end."""
    any_cut = explorer.cuts()[1] < len(explorer.logits)
    top = max(max(p, before) for _, p, before, _ in rows[:shown])
    for y, (_, p, before, cut) in enumerate(rows):
        ax.barh(y, min(p, 1.1 * top), height=0.6, color=BAR, gid=f"probability {y}")
        if any_cut:
            ax.barh(y, min(before, 1.1 * top), height=0.78, fill=False, ec=EDGE, ls="--", lw=0.8, hatch="////" if cut else None, gid=f"before {y}")
        word = explorer.sentences[cut] if cut else chance(p)
        word = explorer.say("figure_longer", word=word) if max(p, before if any_cut else 0) > 1.1 * top else word
        ax.annotate(word, (min(max(p, before if any_cut else 0), 1.1 * top), y), (4, 0), textcoords="offset points", va="center", fontsize=8)
    names = [figures.label(name, 18) if y < shown else name for y, (name, *_) in enumerate(rows)]
    ax.set_yticks(range(len(rows)), names)
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.3 * top), xlabel=explorer.sentences["figure_after" if any_cut else "figure_axis"])


def _draw_mass(explorer, ax, before: np.ndarray, shown: int, rows: int) -> None:
    """The cumulative mass that top-p goes by: of the tokens that top-k leaves."""
    after_k = explorer.cuts()[0]
    mass = np.cumsum(before[:after_k] / before[:after_k].sum())
    heights = [*mass[:shown], *([1.0] if rows > shown and after_k > shown else [])]
    ax.barh(range(len(heights)), heights, height=0.35, color=EDGE, gid="mass")
    if explorer.top_p < 1:
        ax.axvline(explorer.top_p, color=figures.INK, lw=1.5, gid="limit")
        ax.annotate(f"top-p {explorer.top_p:g}", (explorer.top_p, -0.6), (0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=8)
    ax.tick_params(axis="y", length=0, labelleft=False)
    ax.set(xlim=(0, 1), xticks=(0, 0.5, 1), xlabel=explorer.sentences["figure_before_p" if explorer.top_p < 1 else "figure_cumulative"])


def _title(explorer, probs) -> str:
    nats = entropy_of(probs)
    entropy = explorer.say("figure_entropy", nats=f"{nats:.2f}", choices=f"{np.exp(nats):.3g}")
    kept, count = explorer.cuts()[1], len(probs)
    left = explorer.say("figure_kept", kept=kept, count=count) if kept < count else ""
    named = f"{figures.label(explorer.title, 60)}. ".replace(figures.SPACES[" "], " ") if explorer.title else ""
    return f"{named}{explorer.say('figure_title', settings=explorer.settings())}\n{entropy}{left}"
