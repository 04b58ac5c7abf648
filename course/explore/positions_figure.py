"""The positions explorer as a matplotlib picture, for places without a kernel: matrix, dial and similarity."""

import numpy as np

from course import figures, sentences

NOW, BEFORE, RANDOM = figures.COLORS[0], figures.COLORS[1], figures.COLORS[3]
SIGNED = "RdBu_r"
WORDS = sentences.table("explore_positions")["positions"]


def draw(explorer):
    """`explorer`: a PositionsExplorer → Figure with the matrix, the hands of the present pair, and the similarity below."""
    from matplotlib.figure import Figure

    values = explorer.values()
    position, reference = (min(p, len(values) - 1) for p in (explorer.position, explorer.reference))
    feature = min(explorer.feature, values.shape[1] - 1)
    with figures.style():
        fig = Figure(figsize=(8.6, 6.2), layout="constrained")
        axes = fig.subplot_mosaic([["matrix", "dial"], ["similarity", "similarity"]], width_ratios=[3, 2], height_ratios=[3, 2])
        _matrix(axes["matrix"], explorer.kind, values, position, feature)
        _dial(axes["dial"], explorer.kind, values, position, reference, feature // 2)
        _similarity(axes["similarity"], explorer, position, reference)
    return fig


def note(sentence: str):
    """A Figure that holds one sentence, for an explorer whose function never gave numbers."""
    fig, (ax,) = figures.figure(6.4, 1.2)
    with figures.style():
        ax.set_axis_off()
        ax.text(0, 0.5, figures.label(sentence, longest=300), wrap=True, va="center")
    return fig


def _matrix(ax, kind: str, values, position: int, feature: int):
    limit = np.abs(values).max() or 1.0 if kind == "learned" else max(1.0, np.abs(values).max())
    image = ax.imshow(values, cmap=SIGNED, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
    ax.set(title=WORDS["figure_matrix"].format(kind=kind), xlabel=WORDS["feature"].split()[0], ylabel=WORDS["rows"].split()[0])
    ax.spines[:].set_visible(False)
    ax.plot(feature, position, "s", ms=7, mfc="none", mec="black", mew=3)
    ax.plot(feature, position, "s", ms=7, mfc="none", mec="white", mew=1.2)
    ax.figure.colorbar(image, ax=ax, fraction=0.05, pad=0.02).outline.set_visible(False)


def hands(kind: str, values, pair: int) -> np.ndarray:
    """The hand of one pair at each position as (across, up): (T, 2).  Sinusoidal pairs hold (sin, cos): the height first."""
    both = values[:, 2 * pair : 2 * pair + 2]
    return both[:, ::-1] if kind == "sinusoidal" else both


def _dial(ax, kind: str, values, position: int, reference: int, pair: int):
    tips = hands(kind, values, pair)
    longest = np.hypot(*tips.T).max() or 1.0
    radius = longest if kind == "learned" else max(1.0, longest)
    angle = np.linspace(0, 2 * np.pi, 181)
    ax.plot(radius * np.cos(angle), radius * np.sin(angle), color=figures.QUIET, lw=1)
    ax.plot(*tips.T, ".", color=figures.QUIET, ms=4, alpha=0.5)
    for p, colour, dash in ((reference, BEFORE, "--"), (position, NOW, "-")):
        ax.plot([0, tips[p, 0]], [0, tips[p, 1]], color=colour, ls=dash, marker="o", markevery=[1], label=f"{WORDS['position']} {p}")
    across, up = (2 * pair + 1, 2 * pair) if kind == "sinusoidal" else (2 * pair, 2 * pair + 1)
    ax.set(aspect="equal", title=WORDS["figure_dial"].format(pair=pair), xlabel=f"{across} →", ylabel=f"{up} →", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2, fontsize=8)


def _similarity(ax, explorer, position: int, reference: int):
    series = {"same": (False, NOW, "-"), "random": (True, RANDOM, "--")} if explorer.kind == "rotary" else {explorer.kind: (False, NOW, "-")}
    for name, (random, colour, dash) in series.items():
        numbers = explorer.similarity(reference, random=random)
        said = WORDS[f"similarity_{name}"].format(reference=reference)
        ax.plot(numbers, color=colour, ls=dash, lw=1.5, label=said)
        ax.plot(position, numbers[position], "o", color=colour)
    ax.axvline(reference, color=BEFORE, ls="--", lw=1)
    ax.axhline(0, color=figures.QUIET, lw=0.8)
    ax.set(title=WORDS["figure_similarity"].format(reference=reference), xlabel=WORDS["similarity_axis"])
    ax.legend(loc="best", fontsize=8)
