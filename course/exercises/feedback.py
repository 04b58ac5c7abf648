"""What a check says: a mark, a few sentences, and where numbers differ a small picture of them.

Shown as the value of a cell.  In a notebook it is HTML (JupyterLab, Colab), in a terminal the same as text.  Nothing
in the picture is told by colour alone: an odd cell has a frame and a sign before its number.
"""

import dataclasses
import html
import re

import numpy as np

from course.exercises import exact
from course.figures import table
from course.sentences import table as sentences

OPEN, PASSED, REFUSED = "open", "passed", "refused"
MARKS = {OPEN: "○", PASSED: "✓", REFUSED: "✗"}
SHOWN = 8  # rows and columns of an array that are shown
INLINE = 24  # numbers of an input that are written out in a sentence
LONGEST = 240  # characters of a list or a text that are


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """A part of an array or a list to be shown as a table: rows of text, which cells are odd, the first column's number."""

    caption: str
    cells: list[list[str]]
    odd: list[list[bool]]
    first: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Feedback:
    """The result of a check.

    state: "open" (not attempted), "passed" or "refused";  sentences: what is said, most telling first;
    versions: names of the known mistakes that behave like the answer, each a tuple of one or two;
    input: the arguments that the sentences speak of, or None;  kind: the name of the first sentence.
    """

    state: str
    title: str
    sentences: list[str]
    kind: str = ""
    versions: tuple[tuple[str, ...], ...] = ()
    input: tuple | None = None
    grids: tuple[Grid, ...] = ()

    @property
    def passed(self) -> bool:
        return self.state == PASSED

    def __repr__(self) -> str:
        first, *more = self.sentences
        lines = [f"{MARKS[self.state]} {self.title}: {first}", *more, *map(_grid_text, self.grids)]
        return "\n".join(line.replace("`", "") for line in lines)

    def _repr_html_(self) -> str:
        first, *more = map(rich, self.sentences)
        mark = f"<strong>{MARKS[self.state]} {html.escape(self.title)}:</strong>"
        body = f"<p>{mark} {first}</p>" + "".join(f"<p>{sentence}</p>" for sentence in more)
        grids = "".join(f'<div style="margin:0 1.5em 0.5em 0">{_grid_html(grid)}</div>' for grid in self.grids)
        return body + (f'<div style="display:flex;flex-wrap:wrap;align-items:flex-start">{grids}</div>' if grids else "")


def rich(text: str) -> str:
    """A sentence as HTML: escaped, with `…` as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


# ── numbers in sentences ────────────────────────────────────────────────────────────────────────────────────


def written(value) -> str:
    """An argument as a learner would type it, to three decimals."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    text = np.array2string(value, separator=", ", precision=3, suppress_small=True, floatmode="maxprec", threshold=INLINE)
    text = re.sub(r" (?=[\],])", "", re.sub(r"\s+", " ", text).replace("[ ", "["))
    text = re.sub(r"(\d)\.(?!\d)", r"\1.0", text)
    return "np.array(" + re.sub("(inf|nan)", r"np.\1", text) + ")"


def call(names: tuple[str, ...], arguments: tuple) -> str:
    """`q = [[1.0, 2.0]]`, `k = …`: the arguments written out, or if they are long the shapes of arrays, the lengths of lists."""
    words, long = sentences("exercises")["evidence"], _are_long(arguments)

    def shown(name, value) -> str:
        if long and isinstance(value, np.ndarray):
            return words["array"].format(name=name, shape=value.shape)
        if not isinstance(value, np.ndarray) and len(written(value)) > LONGEST:
            return words["text" if isinstance(value, str) else "list"].format(name=name, length=len(value))
        return f"`{name} = {written(value)}`"

    return ", ".join(map(shown, names, arguments))


def is_whole(arguments: tuple) -> bool:
    """Whether `call` shows every digit."""
    arrays = [value for value in arguments if isinstance(value, np.ndarray)]
    rounded = [np.round(value, 3) if value.dtype.kind == "f" else value for value in arrays]
    short = all(len(written(value)) <= LONGEST for value in arguments if not isinstance(value, np.ndarray))
    return short and not _are_long(arguments) and all(map(np.array_equal, arrays, rounded))


def _are_long(arguments: tuple) -> bool:
    return sum(value.size for value in arguments if isinstance(value, np.ndarray)) > INLINE


def shortened(text: object, longest: int = 160) -> str:
    """One line of at most `longest` characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


# ── the picture ─────────────────────────────────────────────────────────────────────────────────────────────


def grids(wanted: np.ndarray, given: np.ndarray, result: str, rtol: float, atol: float) -> tuple[Grid, ...]:
    """Expected, yours and the difference of two arrays of the same shape: the first flat piece in which they differ."""
    words = sentences("exercises")["evidence"]
    with np.errstate(all="ignore"):
        odd = ~np.isclose(given, wanted, rtol=rtol, atol=atol, equal_nan=True)
        gap = None if wanted.dtype == bool else given - wanted
    place = tuple(np.argwhere(odd)[0][:-2]) if wanted.ndim > 2 else ()
    name = f" `{result}`" if result else ""
    where = f", {words['slice'].format(place=', '.join(map(str, place)))}" if place else ""
    parts = [(words["expected"] + name + where, wanted), (words["yours"], given)]
    parts += [] if gap is None else [(words["difference"], gap)]
    whole = all(_is_whole(part[place]) for _, part in parts)
    return tuple(_grid(caption, part[place], odd[place], whole) for caption, part in parts)


def rows(wanted: list, given: list, result: str) -> tuple[Grid, ...]:
    """Expected and yours of two lists, around the first place at which they differ."""
    words = sentences("exercises")["evidence"]
    first = max(0, exact.first_place(wanted, given) - SHOWN // 2)
    alike = [exact.equal(a, b) for a, b in zip(wanted, given)]
    parts = {words["expected"] + (f" `{result}`" if result else ""): wanted, words["yours"]: given}
    return tuple(
        Grid(caption, [[exact.shown(item) for item in part[first : first + SHOWN]]],
             [[not (i < len(alike) and alike[i]) for i in range(first, min(first + SHOWN, len(part)))]], first)
        for caption, part in parts.items()
    )  # fmt: skip


def _is_whole(values: np.ndarray) -> bool:
    """Whether no number of an array has anything behind the point."""
    return values.dtype.kind in "iu" or bool((np.isfinite(values) & (values == np.trunc(values))).all())


def _grid(caption: str, values: np.ndarray, odd: np.ndarray, whole: bool = False) -> Grid:
    flat = (slice(SHOWN), slice(SHOWN))
    values, odd = np.atleast_2d(values)[flat], np.atleast_2d(odd)[flat]
    return Grid(caption, [[_short(value, whole) for value in row] for row in values], odd.tolist())


def _short(value, whole: bool) -> str:
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    value = float(value)
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"
    digits = 0 if whole else 2
    text = f"{value:.{digits}f}" if value == 0 or 0.005 <= abs(value) < 1e4 else f"{value:.0e}"
    return text.replace("-", "−")


def _grid_text(grid: Grid) -> str:
    cells = [["*" + text if odd else text for text, odd in zip(*row)] for row in zip(grid.cells, grid.odd)]
    columns = range(grid.first, grid.first + len(cells[0]))
    return repr(table(cells, range(len(cells)), columns, grid.caption)).replace("`", "")


def _grid_html(grid: Grid) -> str:
    def cell(text: str, odd: bool) -> str:
        frame = "outline:2px solid currentColor;outline-offset:-2px;font-weight:bold" if odd else ""
        return f'<td style="text-align:right;{frame}">{"≠ " if odd else ""}{html.escape(text)}</td>'

    columns = range(grid.first, grid.first + len(grid.cells[0]))
    head = "".join(f'<th scope="col" style="text-align:right">{j}</th>' for j in ("", *columns))
    rows = "".join(
        f'<tr><th scope="row">{i}</th>' + "".join(cell(text, odd) for text, odd in zip(*row)) + "</tr>"
        for i, row in enumerate(zip(grid.cells, grid.odd))
    )
    caption = f'<caption style="text-align:left;caption-side:top;white-space:nowrap">{rich(grid.caption)}</caption>'
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
