"""The stack explorer as a picture: at each place the stream's length, what the part added, its share, and what is read there."""

import numpy as np
from matplotlib.figure import Figure

from course import figures
from course.explore.sampling_explorer import chance

WIDTH, ROW, HEAD = 10.0, 0.3, 1.5  # inches
LENGTH, ADDED, NEGATIVE = figures.COLORS[0], figures.QUIET, figures.COLORS[1]


def draw(explorer) -> Figure:
    """The figure of a StackExplorer's present state."""
    rungs = explorer.ladder()
    if not rungs:
        fig, (ax,) = figures.figure(WIDTH, 1.0)
        ax.axis("off")
        ax.text(0, 0.5, explorer.problem or explorer.summary(), wrap=True)
        return fig
    is_sum = explorer.stream_kind == "sum"
    with figures.style():
        fig = Figure(figsize=(WIDTH, HEAD + ROW * len(rungs)), layout="constrained")
        axes = fig.subplots(1, 3 if is_sum else 2, sharey=True, width_ratios=(3, 2, 3) if is_sum else (3, 3))
        _draw_lengths(explorer, axes[0], rungs)
        if is_sum:
            _draw_shares(explorer, axes[1], rungs)
        _draw_readings(explorer, axes[-1], rungs)
        fig.suptitle(_title(explorer), x=0.01, ha="left", fontsize=11)
    return fig


def _title(explorer) -> str:
    named = f"{figures.label(explorer.title, 60)}. ".replace(figures.SPACES[" "], " ") if explorer.title else ""
    said = explorer.say("figure_title", token=figures.label(explorer.tokens()[explorer.at]), at=explorer.at)
    off = explorer.answer["off"]
    line = named + said + (explorer.say("figure_off", names=", ".join(map(explorer.place_name, off))) if off else "")
    return line if explorer.stream_kind == "sum" else f"{line}\n{explorer.sentences[f'not_sum_{explorer.stream_kind}']}"


def _draw_lengths(explorer, ax, rungs) -> None:
    """Bars with their numbers.  The final norm sets a length of its own, beside which the others may be too short to see."""
    lengths = [0.0 if rung.place == "norm" else rung.length for rung in rungs]
    for y, rung in enumerate(rungs):
        ax.annotate(f"{rung.length:.3g}", (lengths[y], y), (4, 0), textcoords="offset points", va="center", fontsize=8)
    ax.barh(range(len(rungs)), lengths, height=0.7, color=LENGTH, gid="length", label=explorer.sentences["key_length"])
    ax.barh(range(len(rungs)), np.nan_to_num([rung.added for rung in rungs]), height=0.25, color=ADDED, gid="added", label=explorer.sentences["key_added"])
    ax.set_yticks(range(len(rungs)), [explorer.place_name(rung.place) for rung in rungs])
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(rungs) - 0.4, -0.6), xlabel=explorer.sentences["figure_length"])
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8)


def _draw_shares(explorer, ax, rungs) -> None:
    shares = np.nan_to_num([rung.share for rung in rungs])
    ax.barh(range(len(rungs)), shares, height=0.6, color=[LENGTH if share >= 0 else NEGATIVE for share in shares], gid="share")
    ax.axvline(0, color=figures.QUIET, lw=0.8)
    ax.tick_params(axis="y", length=0, labelleft=False)
    ax.set(xlabel=explorer.sentences["figure_share"])


def _draw_readings(explorer, ax, rungs) -> None:
    ax.barh(range(len(rungs)), [rung.p for rung in rungs], height=0.7, color=LENGTH, alpha=0.35, gid="followed")
    for y, rung in enumerate(rungs):
        said = "  ".join(f"{figures.label(token, 12)} {chance(p)}" for token, p in rung.top[:3])
        ax.text(0.01, y, said, va="center", fontsize=8, gid=f"read {y}")
    ax.tick_params(axis="y", length=0, labelleft=False)
    ax.set(xlim=(0, 1), xlabel=explorer.say("figure_followed", token=figures.label(explorer.followed())))
