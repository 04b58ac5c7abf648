"""The picture of a whole model's explorer without a kernel: all tiles as one image, one head large.

It is drawn before the page gets to see anything, so it is drawn quickly: names are texts, not ticks; what may not be
looked at is one patch; and the PNG is cut out of what was drawn, not drawn a second time to learn how far names reach.
"""

import functools
import io
import itertools

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from PIL import Image

from course import figures
from course.explore.attention_figure import CLOSED, HATCHED_CELLS, message, nice_top
from course.explore.model_beside import Head
from course.explore.model_readout import LEVELS, TILE

OFF = 0.35  # how much of a switched-off tile's colour is left
PITCH = 0.36  # inches a tile, at most
LARGEST = 5.2  # inches a side that the large head has at most
GAP = 0.75  # inches between the names under the overview and the title of the large head
MARGIN = 2.0  # inches that names may reach over the sides; LONGEST characters fit, Chinese ones too
BETWEEN = 0.9  # inches from one head to the names of the second's rows: those under its columns reach to the left
LONGEST = 12  # characters of a token's name
MOST_NAMES = 24  # along a side
NUMBERED = 8  # tokens up to which each cell bears its number
HIDDEN, HATCHING = "#e9eaec", "#9aa0a6"  # cells that may not be looked at
BRIGHT = 0.44  # share of the brightest colour from which black reads better than white on it
PAD = 0.12  # inches around the picture


def draw(explorer) -> Figure:
    """The present state of a ModelExplorer."""
    if explorer.recording is None:
        return message(explorer.problem or explorer.sentences["empty"])
    heads = [head for head in (explorer.large(), explorer.second()) if head is not None]
    sizes = [_size(head) for head in heads]
    lefts = [MARGIN, MARGIN + max(sizes[0][1], _inches(heads[0].title)) + BETWEEN + max(map(_inches, map(_token, heads[-1].tokens)))]
    tall, wide = max(tall for tall, _ in sizes), lefts[len(heads) - 1] - MARGIN + sizes[-1][1]
    top = nice_top(max(head.weights.max() for head in heads))
    canvas, places = mosaic(explorer), tile_places(explorer)
    down, across = 1 + max(row for row, _ in places.values()), 1 + max(column for _, column in places.values())
    pitch = min(PITCH, 6.0 / down, 7.0 / across)
    titles = max(left - MARGIN + _inches(head.title) for left, head in zip(lefts, heads))
    width, height = max(wide + 1.0, pitch * across, titles - MARGIN) + 2 * MARGIN, tall + pitch * down + GAP + 2 * MARGIN
    with figures.style():
        figure = Figure(figsize=(width, height))

        def axes(left, bottom, inches_wide, inches_tall):
            ax = figure.add_axes((left / width, bottom / height, inches_wide / width, inches_tall / height))
            ax.set_axis_off()
            return ax

        overview = axes(MARGIN, MARGIN + tall + GAP, pitch * across, pitch * down)
        _overview(overview, explorer, canvas, places)
        for left, head, (high, broad) in zip(lefts, heads, sizes):
            _head(axes(left, MARGIN + tall - high, broad, high), head, top, (high, broad), explorer.sentences["corner"])
        _colour_bar(axes(MARGIN + wide + 0.15, MARGIN, 0.16, tall), top, explorer.sentences["weight"])
    return figure


def png(explorer) -> bytes:
    """`draw` as a PNG of at most 256 colours, cut to what is drawn."""
    if explorer.recording is None:
        return figures.png(draw(explorer))
    with figures.style():
        canvas = FigureCanvasAgg(draw(explorer))
        canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())  # (rows, columns, 4)
    drawn = pixels.view(np.uint32)[..., 0] != pixels[:1, :1].view(np.uint32)[0, 0, 0]  # unlike the corner
    pad = round(PAD * figures.DPI)
    cut = []
    for axis in (1, 0):
        at = np.flatnonzero(drawn.any(axis))
        cut.append(slice(max(at[0] - pad, 0), at[-1] + 1 + pad))
    picture, small = Image.fromarray(np.ascontiguousarray(pixels[tuple(cut)][..., :3])), io.BytesIO()
    picture.quantize(palette=_palette(), dither=Image.Dither.NONE).save(small, format="png")
    return small.getvalue()


@functools.cache
def _palette() -> Image.Image:
    """The 256 colours of a picture: weights, the same paled, and inks fading into the card, as at the edges of letters.

    They are known beforehand; to find 256 in the finished picture would take longer than to draw it.
    """
    card, closed = np.array(to_rgb(figures.CARD)), np.array([CLOSED[:3], to_rgb(HIDDEN), to_rgb(HATCHING)])
    weights = figures.MAGNITUDE(np.linspace(0, 1, 160))[:, :3]
    paled = OFF * weights[::5] + (1 - OFF) * card  # (32, 3)
    inks = [np.outer(part, to_rgb(ink)) + np.outer(1 - part, card)
            for ink, part in ((figures.INK, np.linspace(0, 1, 37)), (figures.QUIET, np.linspace(0.1, 1, 24)))]  # fmt: skip
    colours = np.concatenate([weights, paled, closed, *inks])  # (256, 3)
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.rint(255 * colours).astype(np.uint8).tobytes())
    return palette


def tile_places(explorer) -> dict[tuple[int, int], tuple[int, int]]:
    """(layer, head) → (row, column) of its tile: a row a layer, a column a head; sorted tiles follow each other line by line,
    and each part begins a line of its own.
    """
    sequence, across = explorer.sequence(), max(count for count, _, _ in explorer.tile_shapes)
    if not is_sorted(explorer):
        return {place: place for place in sequence}
    places, line = {}, 0
    for _, part in itertools.groupby(sequence, key=lambda place: explorer.part_of(place[0])):
        places |= {place: (line + number // across, number % across) for number, place in enumerate(part)}
        line = 1 + max(row for row, _ in places.values())
    return places


def is_sorted(explorer) -> bool:
    """Whether the tiles stand in the order of a pattern."""
    return bool(explorer.pattern) and explorer.tile_order == "pattern"


def mosaic(explorer, side: int = TILE) -> np.ndarray:
    """All tiles in one picture, (rows · (side + gap), columns · (side + gap), 4), each where `tile_places` has it."""
    gap, places = max(1, side // 8), tile_places(explorer)
    down, across = 1 + max(row for row, _ in places.values()), 1 + max(column for _, column in places.values())
    canvas = np.zeros((down * (side + gap), across * (side + gap), 4))
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
            y, x = (place * (side + gap) for place in places[layer, head])
            canvas[y : y + tall, x : x + wide] = colours[np.arange(tall) * rows // tall][:, np.arange(wide) * columns // wide]
    return canvas


def _overview(ax, explorer, canvas, places):
    gap, pitch = max(1, TILE // 8), TILE + max(1, TILE // 8)
    ax.imshow(canvas, interpolation="nearest", aspect="auto")
    middle = (TILE - 1) / 2
    down, across = canvas.shape[0] // pitch, canvas.shape[1] // pitch
    if is_sorted(explorer):
        here = explorer.part_of(explorer.layer)
        layer, head = next(place for place in explorer.sequence() if explorer.part_of(place[0]) == here)
        best = explorer.say("tile", layer=explorer.layer_names[layer], head=head)
        title = explorer.say("figure_sorted", name=explorer.title, pattern=explorer.pattern, best=best)
        for number, part in enumerate(explorer.parts):
            row = min(row for (layer, _), (row, _) in places.items() if explorer.part_of(layer) == number)
            _name(ax, -gap, row * pitch + middle, _plain(part["name"], 26), ha="right", va="center", fontsize=8)
    else:
        title = explorer.say("figure_overview", name=explorer.title)
        for head in range(across):
            _name(ax, head * pitch + middle, down * pitch, str(head), ha="center", va="top", fontsize=8)
        for layer, name in enumerate(explorer.layer_names):
            _name(ax, -gap, layer * pitch + middle, _plain(name, 16), ha="right", va="center", fontsize=8)
    row, column = places[explorer.layer, explorer.head]
    ax.add_patch(Rectangle((column * pitch - gap / 2, row * pitch - gap / 2), TILE + gap - 1, TILE + gap - 1, fill=False,
                           edgecolor=figures.INK, linewidth=1.5, clip_on=False))  # fmt: skip
    ax.set_title(_plain(title, 80), loc="left")


def _size(head: Head) -> tuple[float, float]:
    """Inches of its cells, (tall, wide)."""
    most = max(head.weights.shape)
    cell = min(max(0.5, 1.2 / most), LARGEST / most)
    tall, wide = (max(cell * size, 0.2) for size in head.weights.shape)
    return tall, wide


def _inches(text: str) -> float:
    """About how wide a name or a title is, rather too much than too little."""
    return sum(0.1 if character.isascii() else 0.16 for character in text)


def _head(ax, head: Head, top: float, size, corner):
    """A head as a heat map of `size` inches, (tall, wide); `top` has the brightest colour; corner: what rows and columns are."""
    weights, (T, S) = head.weights, head.weights.shape
    mask = np.True_ if head.mask is None else head.mask
    open_cells = mask & (weights != 0).any(-1, keepdims=True) & np.ones(weights.shape, dtype=bool)
    seen = np.ix_(head.rows, head.columns)
    weights, open_cells = weights[seen], open_cells[seen]
    ax.imshow(weights, cmap=figures.MAGNITUDE, vmin=0, vmax=top, interpolation="nearest", aspect="auto")
    ax.add_patch(_closed(~open_cells))
    if max(T, S) <= NUMBERED:
        for i, j in np.argwhere(open_cells):
            ink = "#000000" if weights[i, j] > BRIGHT * top else "#ffffff"
            _name(ax, j, i, f"{weights[i, j]:.2f}", ha="center", va="center", fontsize=8, color=ink)
    off_y, off_x = 0.07 * T / size[0], 0.07 * S / size[1]  # of the names from the cells, in cells
    for i in range(0, T, -(-T // MOST_NAMES)):
        _name(ax, -0.5 - off_x, i, _token(head.tokens[head.rows[i]]), ha="right", va="center")
    names = [_token(head.key_tokens[j]) for j in head.columns]
    crowded = S > 8 or max(map(len, names)) > 4
    turned = dict(rotation=60, ha="right", rotation_mode="anchor") if crowded else dict(ha="center")
    for j in range(0, S, -(-S // MOST_NAMES)):
        _name(ax, j, T - 0.5 + off_y, names[j], va="top", **turned)
    query, key = corner
    _name(ax, -0.5 - off_x, -0.5 - off_y, query, ha="right", va="bottom", color=figures.QUIET)
    _name(ax, S - 0.5 + 2 * off_x, T - 0.5 + 2 * off_y, key, ha="left", va="top", color=figures.QUIET)
    ax.set_title(_plain(head.title, 60), loc="left")


def _closed(hidden) -> PathPatch:
    """One patch over all cells where `hidden`, (T, S) bool, is True: a rectangle for each run in a row."""
    edges = np.diff(np.pad(hidden.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    (rows, starts), (_, ends) = np.nonzero(edges == 1), np.nonzero(edges == -1)
    left, right, above, below = starts - 0.5, ends - 0.5, rows - 0.5, rows + 0.5
    corners = np.stack([[left, above], [right, above], [right, below], [left, below], [left, above]]).transpose(2, 0, 1)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(rows)
    look = dict(fc=HIDDEN, ec=HATCHING, hatch="////") if hidden.size <= HATCHED_CELLS else dict(fc=CLOSED)
    return PathPatch(Path(corners.reshape(-1, 2), codes), lw=0, **look)


def _colour_bar(ax, top: float, quantity: str):
    ax.imshow(np.linspace(1, 0, 256)[:, None], cmap=figures.MAGNITUDE, vmin=0, vmax=1, aspect="auto")
    for share in (0, 0.5, 1):
        _name(ax, 1.0, 255 * (1 - share), f"{share * top:g}", ha="left", va="center")
    _name(ax, 4.6, 127.5, quantity, rotation=90, ha="center", va="center")


def _name(ax, x, y, text: str, **look):
    """A text at data coordinates; one that the first font can draw is not tried with the others, which takes its time."""
    ax.text(x, y, text, family=figures.font_families()[:1] if text.isascii() else None, **look)


def _token(token: str) -> str:
    """A token's name; one of several U+…, for characters that no font has, is cut once more."""
    text = figures.label(token, LONGEST)
    return text if len(text) <= LONGEST + 4 else text[: LONGEST + 3] + "…"


def _plain(text: str, longest: int) -> str:
    """A name as it can be drawn, its spaces left as they are."""
    return " ".join(figures.label(word, longest) for word in text.split(" ") if word)
