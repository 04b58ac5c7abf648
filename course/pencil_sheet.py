"""The pencil model's sheet: a page to print, with a box for each chapter, blank or filled in.

    python -m course.pencil_sheet              writes assets/pencil_sheet.html and assets/pencil_sheet_solved.html
    pencil_sheet.box("03")                     in a notebook: that box, filled in

The numbers are computed by `course.models.pencil` each time; what stands on the sheet is course/sentences/en/pencil.toml.
"""

import argparse
import html
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course.models import pencil
from course.sentences import table

ASSETS = Path(__file__).resolve().parent.parent / "assets"
DECIMALS = 2
STYLE = """
body { font: 11pt/1.4 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 190mm; margin: 8mm auto; color: #000; background: #fff; }
h1 { font-size: 16pt; margin: 0 0 2mm; } h2 { font-size: 12pt; margin: 0 0 1mm; } p { margin: 0 0 2mm; }
section { border: 1.5px solid #000; border-radius: 2mm; padding: 2mm 3mm; margin: 0 0 4mm; break-inside: avoid; }
.lines { display: flex; flex-wrap: wrap; gap: 2mm 5mm; align-items: flex-end; }
table { border-collapse: collapse; } caption { text-align: left; font-size: 9pt; caption-side: top; }
td { border: 1px solid #555; min-width: 11mm; height: 6.5mm; text-align: right; padding: 0 1mm; font-variant-numeric: tabular-nums; }
th { font-weight: normal; font-size: 9pt; padding: 0 1.5mm; text-align: left; } td.given { background: #eee; }
@page { size: A4; margin: 10mm; } @media print { td.given { print-color-adjust: exact; } }
"""


class Line(NamedTuple):
    """One table of a box: what it is called, its rows and columns, and whether the sheet prints its numbers."""

    name: str  # of [lines] in pencil.toml
    values: np.ndarray  # (R, C')
    rows: tuple[str, ...] = ()  # R names, () for none
    columns: tuple[str, ...] = ()
    given: bool = False


def lines(chapter: str, words: Sequence[str] = pencil.SENTENCE) -> list[Line]:
    """The tables of one chapter's box for a text, with all their numbers.

    chapter: "01" … "07".  Raises ValueError for another one, and as `pencil.to_ids` for words it does not have.
    """
    b, words = pencil.boxes(words), tuple(words)
    last = (words[-1],)
    at_end = lambda array: array[-1:]  # the last word's row
    moments = lambda steps: np.concatenate([at_end(steps.mean), at_end(steps.variance)], axis=1)  # (1, 2)
    found = {
        "01": [Line("ids", b.ids[:, None], words), Line("vectors", b.vectors, words)],
        "02": [Line("x", b.x, words)],
        "03": [
            Line("normed", b.normed, words, given=True), Line("k_2", b.k[1], words), Line("v_2", b.v[1], words),
            Line("q_2", at_end(b.q[1]), last), Line("scores_2", at_end(b.scores[1]), last, words),
            Line("weights_2", at_end(b.weights[1]), last, words), Line("head_2", at_end(b.heads[1]), last),
        ],
        "04": [
            Line("v_1", b.v[0], words), Line("weights_1", at_end(b.weights[0]), last, words),
            Line("head_1", at_end(b.heads[0]), last), Line("concat", at_end(b.concat), last), Line("attended", at_end(b.attended), last),
        ],
        "05": [
            Line("after_attention", at_end(b.after_attention), last), Line("moments", moments(b.norm), last),
            Line("norm", at_end(b.norm.normalised), last), Line("neurons", at_end(b.neurons), last),
            Line("bent", at_end(b.bent), last), Line("thought", at_end(b.thought), last),
        ],
        "06": [
            Line("after_block", at_end(b.after_block), last), Line("final_moments", moments(b.final), last),
            Line("final", at_end(b.final.normalised), last),
        ],
        "07": [Line("logits", at_end(b.logits), last, pencil.WORDS), Line("probs", at_end(b.probs), last, pencil.WORDS)],
    }  # fmt: skip
    if chapter not in found:
        raise ValueError(f"the sheet has boxes {', '.join(found)}, and none for {chapter!r}")
    return found[chapter]


class Box:
    """A box of the sheet, filled in; JupyterLab shows it as tables, a terminal as text.  Made by `box`."""

    def __init__(self, chapter: str, words: Sequence[str]):
        self.chapter, self.words, self.lines = chapter, tuple(words), lines(chapter, words)

    def _repr_html_(self) -> str:
        return f'<div lang="zh-Hans">{"".join(_table(line, self.words, filled=True) for line in self.lines)}</div>'

    def __repr__(self) -> str:
        said = table("pencil")["lines"]
        rows = [(said[line.name].format(last=self.words[-1]), line) for line in self.lines]
        return "\n".join(f"{name}\n" + "\n".join("  " + "  ".join(_number(v) for v in row) for row in line.values) for name, line in rows)


def box(chapter: str, words: Sequence[str] = pencil.SENTENCE) -> Box:
    """The box of one chapter, "01" … "07", filled in, for the sheet's text or another.  Raises ValueError as `lines`."""
    return Box(chapter, words)


def page(filled: bool) -> str:
    """The whole sheet as an HTML page that needs nothing else, to print on A4; `filled`: with all the answers."""
    said = table("pencil")
    words = "".join(pencil.SENTENCE)
    title = said["sheet"]["solved" if filled else "title"]
    names = tuple(f"{i} {w} {g}" for i, (w, g) in enumerate(zip(pencil.WORDS, pencil.GLOSSES)))
    given = [("E", pencil.EMBEDDING, names), ("P", pencil.POSITIONS[: len(pencil.SENTENCE)], tuple("0123"))]
    given += [(name.replace("_1", ", head 1").replace("_2", ", head 2"), matrix, ()) for name, matrix in pencil.HEADS.items()
              if matrix.any()]  # fmt: skip
    given += [("W_O", pencil.BLOCK["W_O"], ()), ("W₁", pencil.BLOCK["W_1"], ()), ("W₂", pencil.BLOCK["W_2"], ())]
    tables = "".join(_grid(name, matrix, rows, (), 1, shown=True) for name, matrix, rows in given)
    boxes = "".join(
        f"<section><h2>Box {chapter}</h2><p>{html.escape(text)}</p><div class='lines'>"
        + "".join(_table(line, pencil.SENTENCE, filled) for line in lines(chapter))
        + "</div></section>"
        for chapter, text in said["boxes"].items()
    )
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title><style>{STYLE}</style></head>"
        f"<body><h1>{title}</h1><p>{html.escape(said['sheet']['intro'])}</p>"
        f"<p>{html.escape(said['sheet']['words'].format(words=words))}</p>"
        f"<section><h2>{html.escape(said['sheet']['parameters'])}</h2><div class='lines'>{tables}</div></section>{boxes}</body></html>\n"
    )


def _table(line: Line, words: Sequence[str], filled: bool) -> str:
    name = table("pencil")["lines"][line.name].format(last=words[-1])
    whole = line.values.dtype.kind == "i"
    return _grid(name, line.values, line.rows, line.columns, 0 if whole else DECIMALS, shown=filled or line.given)


def _grid(name: str, values, rows, columns, decimals: int, shown: bool) -> str:
    kind = " class='given'" if shown else ""
    head = "<tr>" + ("<th></th>" if rows else "") + "".join(f"<th scope='col'>{html.escape(c)}</th>" for c in columns) + "</tr>"
    body = ""
    for i, row in enumerate(values):
        label = f"<th scope='row'>{html.escape(rows[i])}</th>" if rows else ""
        body += f"<tr>{label}" + "".join(f"<td{kind}>{_number(v, decimals) if shown else ''}</td>" for v in row) + "</tr>"
    return f"<table><caption style='text-align:left'>{html.escape(name)}</caption>{head if columns else ''}{body}</table>"


def _number(value, decimals: int = DECIMALS) -> str:
    return f"{round(float(value), decimals) + 0.0:.{decimals}f}".replace("-", "−")  # + 0.0: no "−0.00"


def main(arguments: list[str]) -> int:
    """Writes both sheets.  Returns 0."""
    parser = argparse.ArgumentParser(prog="python -m course.pencil_sheet", description="Writes the pencil model's sheets.")
    parser.add_argument("--out", type=Path, default=ASSETS, help="the folder they go to (default: assets)")
    folder = parser.parse_args(arguments).out
    folder.mkdir(parents=True, exist_ok=True)
    for name, filled in (("pencil_sheet.html", False), ("pencil_sheet_solved.html", True)):
        (folder / name).write_text(page(filled), encoding="utf-8")
        print(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
