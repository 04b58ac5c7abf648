"""The tokens explorer as a picture: coloured boxes in lines, the id below each, the counts above."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course import figures

# The page's colours on a light ground (tokens.css): they stay apart for colour-blind readers, neighbours most of all.
COLOURS = ("#94b073", "#71eef7", "#c4f7d0", "#6aaddc", "#fbec9b", "#cb9aa9")
MOST_TOKENS = 150  # of one tokenizer
WIDTH = 9.0  # inches
LINE, HEAD, GAP = 0.46, 0.42, 0.16  # inches: a line of tokens, a heading, what is between two tokenizers
SIZE, SMALL = 11, 7  # points


def draw(explorer) -> Figure:
    """The figure of a TokensExplorer's present state."""
    with figures.style():
        fig = Figure(figsize=(WIDTH, 1))
        renderer = FigureCanvasAgg(fig).get_renderer()
        blocks = [_block(explorer, place, fig, renderer) for place in range(len(explorer.tokenizers))]
        height = sum(HEAD + LINE * max(len(lines), 1) + GAP for _, lines, _ in blocks)
        fig.set_size_inches(WIDTH, height)
        ax = fig.add_axes((0, 0, 1, 1))
        ax.set(xlim=(0, WIDTH), ylim=(height, 0))
        ax.axis("off")
        top = 0.0
        for title, lines, more in blocks:
            ax.text(0.1, top + HEAD / 2, title, va="center", fontsize=SIZE, wrap=True)
            top += HEAD
            for line in lines:
                _draw_line(ax, line, top)
                top += LINE
            if more:
                ax.text(WIDTH - 0.1, top - 0.02, more, va="top", ha="right", fontsize=SMALL)
            top += GAP + (0 if lines else LINE)
    return fig


def _block(explorer, place: int, fig, renderer):
    """(title, lines, words on what is left out) of one tokenizer; a line is a list of (x, width, number, token)."""
    found = explorer.tokens(place)
    named = explorer.title if explorer.title and len(explorer.tokenizers) == 1 else explorer.sources[place]["name"]
    name = figures.label(named, 60).replace(figures.SPACES[" "], " ")
    title = explorer.say("figure_title", name=name, summary=explorer.line(place))
    lines, x = [], WIDTH
    for number, token in enumerate(found[:MOST_TOKENS]):
        words = [(label_of(token), SIZE), (str(token.id), SMALL)]
        width = max(_width(fig, renderer, text, size) for text, size in words) + 0.14
        if x + width > WIDTH - 0.1:
            lines.append([])
            x = 0.1
        lines[-1].append((x, width, number, token))
        x += width + 0.05
    left_out = len(found) - MOST_TOKENS
    return title, lines, explorer.say("figure_more", count=left_out) if left_out > 0 else ""


def label_of(token) -> str:
    """A token's text or name, fit for a figure."""
    return figures.label(token.label, longest=30)


def _width(fig, renderer, text: str, size: float) -> float:
    """Inches that a text takes."""
    drawn = fig.text(0, 0, text, fontsize=size)
    width = drawn.get_window_extent(renderer).width / fig.dpi
    drawn.remove()
    return width


def _draw_line(ax, line, top: float) -> None:
    for x, width, number, token in line:
        box = Rectangle((x, top), width, LINE - 0.08, fc=COLOURS[number % len(COLOURS)], lw=0, gid=f"token {number}")
        edge = Rectangle((x, top), 0.03, LINE - 0.08, fc=figures.INK, lw=0)
        ax.add_patch(box)
        ax.add_patch(edge)
        style = "italic" if token.kind in ("part", "shared", "added") else "normal"
        ax.text(x + 0.085, top + 0.13, label_of(token), va="center", fontsize=SIZE, color="#111418", style=style)
        ax.text(x + 0.085, top + 0.3, str(token.id), va="center", fontsize=SMALL, color="#111418")
