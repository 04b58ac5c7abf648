"""The attention explorer's picture without a kernel: all heads as one mosaic, one head large."""

import math

import numpy as np
from matplotlib.figure import Figure

from course import figures

CLOSED = (0.86, 0.87, 0.88, 1.0)  # cells that may not be looked at, where hatching would be too fine
HATCHED_CELLS = 1600  # up to so many cells are hatched one by one
TILE = 48  # cells a side that a tile shows at most
ACROSS = 12  # tiles in one line of the mosaic


def draw(explorer) -> Figure:
    """The present state of an AttentionExplorer."""
    try:
        weights = explorer.weights()
    except ValueError as nothing:  # the function failed on the first text
        return message(str(nothing))
    H, T, S = weights.shape
    tiles = math.ceil(H / ACROSS) if H > 1 else 0
    width, height = (min(9.0, 2.2 + 0.5 * S), min(8.0, 1.4 + 0.5 * T))
    with figures.style():
        figure = Figure(figsize=(max(width, 7.5 if tiles else 4.0), height + 0.85 * tiles), layout="constrained")
        if tiles:
            above, below = figure.subplots(2, 1, height_ratios=(0.85 * tiles, height))
            _mosaic(above, explorer, weights)
        else:
            below = figure.subplots()
    large(below, explorer, weights[explorer.head])
    return figure


def _open(explorer, head: int, weights) -> np.ndarray:
    """(T, S) bool: where a query may look; False also for rows with nothing to look at."""
    mask = explorer.mask()
    mask = np.ones(weights.shape, dtype=bool) if mask is None else mask[head] if mask.ndim == 3 else mask
    return mask & (weights != 0).any(-1, keepdims=True)


def large(ax, explorer, weights, title: str | None = None):
    """One head as a heat map; `title` in place of the explorer's own."""
    T, S = weights.shape
    may = _open(explorer, explorer.head, weights)
    rows, columns = explorer.order() if title is None else (np.arange(T), np.arange(S))
    weights, may = weights[np.ix_(rows, columns)], may[np.ix_(rows, columns)]
    few = T * S <= HATCHED_CELLS
    words = explorer.sentences
    heads = explorer.recording.heads
    own = words["figure_title"].format(head=explorer.head, last=heads - 1) if heads > 1 else words["figure_one"]
    if explorer.title:
        own = f"{figures.label(explorer.title, 60)}" + (f" · {own}" if heads > 1 else "")
    figures.heat_map(weights, [explorer.tokens[i] for i in rows], [explorer.key_tokens[j] for j in columns], title=own if title is None else title, ax=ax, mask=may if few else None,
                     vmax=nice_top(weights.max()))  # fmt: skip
    if not few:
        _grey(ax, may)


def _mosaic(ax, explorer, weights):
    """All heads in one image, each with its own brightest colour."""
    H, T, S = weights.shape
    lines = math.ceil(H / ACROSS)
    side = min(max(T, S), TILE)
    gap = max(1, side // 8)
    canvas = np.full((lines * (side + gap), min(H, ACROSS) * (side + gap), 4), np.nan)
    with figures.style():
        for head in range(H):
            tile = _tile(weights[head], _open(explorer, head, weights[head]), side)
            y, x = (head // ACROSS) * (side + gap), (head % ACROSS) * (side + gap)
            canvas[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
            chosen = head == explorer.head
            ax.text(x + side / 2, y - gap * 0.4, str(head), ha="center", va="bottom", fontsize=11 if chosen else 8,
                    color=figures.INK if chosen else figures.QUIET)  # fmt: skip
        canvas[np.isnan(canvas)] = 0.0
        ax.imshow(canvas, interpolation="nearest")
        ax.set_axis_off()


def _tile(weights, may, side: int) -> np.ndarray:
    """(rows, columns, 4) colours of a head, each cell the largest weight it covers, at most `side` cells a side."""
    T, S = weights.shape
    rows, columns = min(T, side), min(S, side)
    at = np.ix_(np.arange(T) * rows // T, np.arange(S) * columns // S)
    cells, open_cells = np.zeros((rows, columns)), np.zeros((rows, columns), dtype=bool)
    np.maximum.at(cells, at, weights)
    np.logical_or.at(open_cells, at, may)
    colours = figures.MAGNITUDE(cells / (weights.max() or 1.0))
    colours[~open_cells] = CLOSED
    return colours


def _grey(ax, may):
    """Greys what may not be looked at, in one image."""
    cover = np.zeros((*may.shape, 4))
    cover[~may] = CLOSED
    ax.imshow(cover, interpolation="nearest")


def message(text: str) -> Figure:
    """A picture that says why there is none."""
    figure, (ax,) = figures.figure(6.4, 1.2)
    with figures.style():
        ax.set_axis_off()
        ax.text(0, 0.5, figures.label(text, 200), va="center", wrap=True)
    return figure


def nice_top(top: float) -> float:
    """The value of the brightest colour: the next of 1, 0.5, 0.2, 0.1, 0.05 … that no weight exceeds."""
    if not top > 0:
        return 1.0
    power = 10.0 ** math.ceil(math.log10(top) - 1e-9)
    return next((power * part for part in (0.2, 0.5) if top <= power * part * (1 + 1e-9)), power)
