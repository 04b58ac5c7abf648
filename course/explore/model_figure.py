"""The picture of a whole model's explorer without a kernel: all tiles as one image, one head large."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course import figures
from course.explore.attention_figure import CLOSED, large, message
from course.explore.model_readout import LEVELS, TILE

OFF = 0.35  # how much of a switched-off tile's colour is left
PITCH = 0.36  # inches a tile, at most
LARGEST = 5.2  # inches a side that the large head has at most
GAP = 0.75  # inches between the overview and the large head


def draw(explorer) -> Figure:
    """The present state of a ModelExplorer."""
    if explorer.recording is None:
        return message(explorer.problem or explorer.sentences["empty"])
    weights = explorer.weights()
    _, T, S = weights.shape
    tall, wide = (min(LARGEST, max(1.2, 0.5 * size)) for size in (T, S))
    layers, heads = len(explorer.tile_shapes), max(shape[0] for shape in explorer.tile_shapes)
    pitch = min(PITCH, 6.0 / layers, 7.0 / heads)
    width, height = max(wide + 1.0, pitch * heads), tall + pitch * layers + GAP
    with figures.style():
        figure = Figure(figsize=(width, height))  # names stick out on the left and below: the picture is cut to what is drawn
        top = figure.add_axes((0, 1 - pitch * layers / height, pitch * heads / width, pitch * layers / height))
        below = figure.add_axes((0, 0, (wide + 1.0) / width, tall / height))
        _overview(top, explorer)
    name = explorer.say("title_one", layer=explorer.layer_names[explorer.layer], head=explorer.head)
    large(below, explorer, weights[explorer.head], title=_plain(name, 60))
    return figure


def mosaic(explorer, side: int = TILE) -> np.ndarray:
    """All tiles in one picture, (layers · (side + gap), heads · (side + gap), 4): a row a layer, a column a head."""
    gap = max(1, side // 8)
    heads = max(shape[0] for shape in explorer.tile_shapes)
    canvas = np.zeros((len(explorer.tile_shapes) * (side + gap), heads * (side + gap), 4))
    levels = np.frombuffer(explorer.tiles, dtype=np.uint8)
    off = set(map(tuple, explorer.off_shown))
    start = 0
    for layer, (count, rows, columns) in enumerate(explorer.tile_shapes):
        cells = levels[start : start + count * rows * columns].reshape(count, rows, columns)
        start += cells.size
        for head in range(count):
            colours = figures.MAGNITUDE((cells[head].astype(float) - 1) / LEVELS)
            colours[cells[head] == 0] = CLOSED
            if (layer, head) in off:
                colours[..., 3] = OFF
            tall, wide = (max(1, round(side * size / max(rows, columns))) for size in (rows, columns))
            y, x = layer * (side + gap), head * (side + gap)
            canvas[y : y + tall, x : x + wide] = colours[np.arange(tall) * rows // tall][:, np.arange(wide) * columns // wide]
    return canvas


def _overview(ax, explorer):
    gap, pitch = max(1, TILE // 8), TILE + max(1, TILE // 8)
    canvas = mosaic(explorer)
    ax.imshow(canvas, interpolation="nearest")
    middle = (TILE - 1) / 2
    layers, heads = canvas.shape[0] // pitch, canvas.shape[1] // pitch
    ax.set_xticks(np.arange(heads) * pitch + middle, [str(head) for head in range(heads)], fontsize=8)
    ax.set_yticks(np.arange(layers) * pitch + middle, [_plain(name, 16) for name in explorer.layer_names], fontsize=8)
    ax.tick_params(length=0)
    ax.set_frame_on(False)
    corner = (explorer.head * pitch - gap / 2, explorer.layer * pitch - gap / 2)
    frame = Rectangle(corner, TILE + gap - 1, TILE + gap - 1, fill=False, edgecolor=figures.INK, linewidth=1.5, clip_on=False)
    ax.add_patch(frame)
    ax.set_title(_plain(explorer.say("figure_overview", name=explorer.title), 80), loc="left")


def _plain(text: str, longest: int) -> str:
    """A name as it can be drawn, its spaces left as they are."""
    return " ".join(figures.label(word, longest) for word in text.split(" ") if word)
