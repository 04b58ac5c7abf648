"""Arrays → pictures and tables, in one style for the whole course.

Every figure sits on an opaque light card, so that it reads the same on a light and on a dark page, and travels with
its alternative text:

    fig = heat_map(weights, words, words, title="吃 listens most to 苹果")
    show(fig, "Heat map: rows are queries …")

Figures are built without pyplot: nothing global is left behind, nothing pops up twice.
Labels may hold any text.  Characters that no font at hand can draw become their code point (U+1F34E), never a box.
"""

import base64
import functools
import html
import io
import math
import unicodedata
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import ScalarFormatter
from PIL import Image  # comes with matplotlib

CARD, INK, QUIET, GRID = "#fbfbf8", "#1f2328", "#57606a", "#d8dbe0"
# Okabe & Ito's palette, ordered so that neighbours also differ in lightness; curves differ in dash and marker too.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#8a4f7d", "#56b4e9", "#8a6d00", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKERS = "osD^vPX"
MAGNITUDE: Colormap = mpl.colormaps["viridis"]
DPI = 160
SPACES = {" ": "·", "\n": "↵", "\r": "↵", "\t": "⇥", "\u00a0": "·", "\u3000": "·", "": "∅"}

_BUNDLED = Path(__file__).resolve().parent.parent / "assets" / "fonts" / "CourseCJK-Regular.otf"
_INSTALLED = ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei",
              "WenQuanYi Micro Hei", "Arial Unicode MS", "Noto Sans Symbols 2")  # fmt: skip

# ── text that never becomes boxes ───────────────────────────────────────────────────────────────────────────


@functools.cache
def font_families() -> list[str]:
    """Fonts in the order in which matplotlib tries them for each character."""
    if _BUNDLED.exists():
        font_manager.fontManager.addfont(str(_BUNDLED))
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in ("Course CJK", *_INSTALLED) if name in known)]


@functools.cache
def _drawable() -> frozenset[int]:
    """Code points that at least one of `font_families()` can draw."""
    points: set[int] = set()
    for family in font_families():
        points |= font_manager.get_font(font_manager.findfont(family)).get_charmap().keys()
    return frozenset(points)


def label(text: object, longest: int = 24) -> str:
    """Any text, made fit for a figure: white space visible, no markup, no boxes, at most `longest` characters.

    `" apple"` → `"·apple"`, an empty token → `"∅"`, a character without a glyph → `"U+1F34E"`.
    """
    text = str(text)
    if text == "":
        return SPACES[""]
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return "".join(map(_glyph, text)).replace("$", r"\$")  # a bare $ would start matplotlib's mathematics


def _glyph(character: str) -> str:
    if character in SPACES:
        return SPACES[character]
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") or ord(character) not in _drawable():
        return f"U+{ord(character):04X}"
    return character


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────


def style() -> mpl.RcParams:
    """The course's look, as a context: `with style(): …`."""
    return mpl.rc_context({
        "font.family": font_families(), "font.size": 10, "axes.titlesize": 12, "axes.titleweight": "normal",
        "axes.titlelocation": "left", "axes.labelcolor": INK, "text.color": INK, "axes.titlecolor": INK,
        "xtick.color": QUIET, "ytick.color": QUIET, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
        "axes.edgecolor": QUIET, "figure.facecolor": CARD, "savefig.facecolor": CARD, "axes.facecolor": CARD,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "grid.color": GRID,
        "axes.unicode_minus": True, "legend.frameon": False, "figure.dpi": DPI, "savefig.dpi": DPI,
        "lines.linewidth": 2, "hatch.linewidth": 0.6,
    })  # fmt: skip


def figure(width: float = 6.4, height: float = 3.4, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty figure of the course's style: inches, and how many axes side by side."""
    with style():
        fig = Figure(figsize=(width, height), layout="constrained")
        axes = fig.subplots(1, columns, squeeze=False)[0]
    return fig, list(axes)


def heat_map(weights, rows, columns, *, title: str, ax: Axes | None = None, mask=None, numbers: bool | None = None,
             vmax: float | None = 1.0, legend: bool = True, xlabel: str = "key", ylabel: str = "query",
             quantity: str = "weight"):  # fmt: skip
    """Weights as coloured cells: rows are queries, columns are keys.

    weights: (T, S); rows, columns: T and S labels; mask: (T, S) bool, False cells are hatched ("may not look");
    numbers: write each value into its cell (default: up to 8 × 8); vmax: value of the brightest colour, None for the
    largest present; quantity: what the colours stand for.  Draws into `ax` if given.  Returns the figure.
    """
    weights = np.asarray(weights, dtype=float)
    T, S = weights.shape
    if len(rows) != T or len(columns) != S:
        raise ValueError(f"{T} rows and {S} columns need as many labels, got {len(rows)} and {len(columns)}")
    if ax is None:
        side = 0.52
        _, (ax,) = figure(min(9.0, 1.9 + side * S), min(8.0, 1.3 + side * T))
    top = float(np.nanmax(weights, initial=0.0)) if vmax is None else vmax
    with style():
        image = ax.imshow(weights, cmap=MAGNITUDE, vmin=0, vmax=top or 1.0, aspect="equal")
        _name_ticks(ax.xaxis, columns)
        _name_ticks(ax.yaxis, rows)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set(title=title, ylabel=ylabel, xlabel=xlabel)
        if mask is not None:
            _hatch(ax, ~np.broadcast_to(mask, weights.shape))
        if numbers if numbers is not None else max(T, S) <= 8:
            for i, j in np.ndindex(T, S):
                if mask is None or np.broadcast_to(mask, weights.shape)[i, j]:
                    ax.text(j, i, f"{weights[i, j]:.2f}", ha="center", va="center", fontsize=8,
                            color=_ink_on(image.cmap(image.norm(weights[i, j]))))  # fmt: skip
        if legend:
            bar = ax.figure.colorbar(image, ax=ax, fraction=0.04, pad=0.02)
            bar.outline.set_visible(False)
            bar.set_label(quantity)
    return ax.figure


def _name_ticks(axis, names) -> None:
    """Name each cell; with many cells only every so-manieth, so that names do not run into each other."""
    names = [label(name, longest=12) for name in names]
    step = math.ceil(len(names) / 32) or 1
    axis.set_ticks(range(0, len(names), step), names[::step])
    crowded = len(names) > 8 or max(map(len, names), default=0) > 4
    if axis.axis_name == "x" and crowded:
        for text in axis.get_ticklabels():
            text.set(rotation=60, ha="right", rotation_mode="anchor")


def _hatch(ax: Axes, hidden: np.ndarray) -> None:
    for i, j in np.argwhere(hidden):
        ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fc="#e9eaec", ec="#9aa0a6", hatch="////", lw=0))


def _ink_on(rgba) -> str:
    """Black or white, whichever reads better on a colour (relative luminance as in WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgba[:3]]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return "#000000" if luminance > 0.179 else "#ffffff"


def curves(x, ys: dict, *, title: str, xlabel: str, ylabel: str, ax: Axes | None = None, xlog: bool = False,
           ylog: bool = False) -> Figure:  # fmt: skip
    """Several curves over one x, told apart by colour, dash and marker; ys: name → values."""
    if ax is None:
        _, (ax,) = figure()
    with style():
        for n, (name, y) in enumerate(ys.items()):
            ax.plot(x, y, color=COLORS[n % len(COLORS)], ls=DASHES[n % len(DASHES)], marker=MARKERS[n % len(MARKERS)],
                    ms=5, label=name)  # fmt: skip
        if xlog:
            ax.set_xscale("log", base=2)
            ax.xaxis.set_major_formatter(ScalarFormatter())
            ax.set_xticks(x)
            ax.minorticks_off()
        if ylog:
            ax.set_yscale("log")
        ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
        ax.grid(axis="y")
        ax.legend(loc="best")
    return ax.figure


# ── showing ─────────────────────────────────────────────────────────────────────────────────────────────────


def png(fig: Figure) -> bytes:
    """The figure as a PNG of 256 colours, which keeps notebooks small."""
    raw, small = io.BytesIO(), io.BytesIO()
    with style():
        fig.savefig(raw, format="png", bbox_inches="tight", pad_inches=0.12)
    Image.open(raw).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


class Picture:
    """A figure together with its alternative text: HTML where there is HTML, a PNG elsewhere, the text at least."""

    def __init__(self, data: bytes, alt: str):
        self.data, self.alt = data, alt
        self.width = round(int.from_bytes(data[16:20], "big") / DPI * 100)  # the width in a PNG's header, to CSS pixels

    def _repr_mimebundle_(self, include=None, exclude=None):
        code = base64.b64encode(self.data).decode()
        size = f"width:{self.width}px;max-width:100%;height:auto"
        image = f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{code}" style="{size}">'
        return {"text/plain": self.alt, "text/html": image, "image/png": code}

    def __repr__(self) -> str:
        return self.alt


def show(fig: Figure, alt: str) -> Picture:
    """Make a figure the result of a cell, with alternative text (JupyterLab drops it from bare PNGs).

    alt: one or two sentences that give what the figure shows to somebody who can't see it.
    """
    return Picture(png(fig), alt)


class Table:
    """Numbers with named rows and columns, readable in both themes and as plain text."""

    def __init__(self, values, rows, columns, caption: str = "", digits: int = 2):
        self.values = np.asarray(values)
        self.rows, self.columns = list(map(str, rows)), list(map(str, columns))
        self.caption, self.digits = caption, digits

    def _cells(self) -> list[list[str]]:
        return [[_number(value, self.digits) for value in row] for row in self.values]

    def _repr_html_(self) -> str:
        def cell(tag: str, text: str, extra: str = "") -> str:
            return f'<{tag}{extra} style="text-align:right">{html.escape(text)}</{tag}>'

        head = "".join(cell("th", name, ' scope="col"') for name in ("", *self.columns))
        body = "".join(
            "<tr>" + cell("th", name, ' scope="row"') + "".join(cell("td", text) for text in row) + "</tr>"
            for name, row in zip(self.rows, self._cells())
        )
        caption = f'<caption style="text-align:left;caption-side:top">{html.escape(self.caption)}</caption>'
        return f"<table>{caption if self.caption else ''}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __repr__(self) -> str:
        grid = [["", *self.columns], *([name, *row] for name, row in zip(self.rows, self._cells()))]
        widths = [max(map(_columns_wide, column)) for column in zip(*grid)]
        lines = ["  ".join(" " * (w - _columns_wide(text)) + text for text, w in zip(row, widths)) for row in grid]
        return "\n".join([self.caption, *lines] if self.caption else lines)


def _number(value, digits: int) -> str:
    """A float with `digits` decimals, a true minus sign and never "-0.00"; anything else as it is."""
    if not isinstance(value, (float, np.floating)):
        return str(value)
    text = f"{value:.{digits}f}"
    if text.strip("-0.") == "":
        return text.lstrip("-")
    return text.replace("inf", "∞").replace("-", "−")


def _columns_wide(text: str) -> int:
    """Columns a text takes in a terminal: Chinese characters take two, combining marks none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(values, rows, columns, caption: str = "", digits: int = 2) -> Table:
    """A labelled table of numbers as the result of a cell.

    values: (len(rows), len(columns)), numbers or strings; digits: decimals of the floats.
    Raises ValueError when labels and values do not match.
    """
    shape = np.shape(values)
    if shape != (len(rows), len(columns)):
        raise ValueError(f"a table of {len(rows)} rows and {len(columns)} columns can't hold values of shape {shape}")
    return Table(values, rows, columns, caption, digits)
