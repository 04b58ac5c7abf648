"""The query plane as a matplotlib picture, for places without a kernel: what the page shows, standing still."""

import numpy as np

from course import figures, sentences

KEY, QUERY, OUTPUT = figures.COLORS[0], figures.COLORS[1], figures.COLORS[2]
WORDS = sentences.table("explore_query_plane")["query_plane"]


def draw(q, k, v, names, weights, output):
    """q (2,), k and v (S, 2), names S strings, weights (S,), output (2,) → Figure with three panels side by side."""
    fig, (left, middle, right) = figures.figure(9.6, 3.5, columns=3)
    names = [figures.label(name, longest=10) for name in names]
    with figures.style():
        _plane(left, [q, *k], WORDS["figure_keys"])
        _arrows(left, k, names, weights)
        _arrow(left, q, WORDS["query"], QUERY, 2.6, bold=True)
        _bars(middle, names, weights)
        _plane(right, v, WORDS["figure_values"])
        _hull(right, v)
        _arrows(right, v, names, weights)
        _arrow(right, output, WORDS["output"], OUTPUT, 3.2, bold=True)
    return fig


def _plane(ax, points, title: str):
    reach = 1.35 * float(np.abs(points).max()) or 1.0
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=title)
    ax.locator_params(nbins=5)
    ax.grid(True, lw=0.6)
    ax.axhline(0, color=figures.QUIET, lw=0.8)
    ax.axvline(0, color=figures.QUIET, lw=0.8)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize=8)


def _arrows(ax, points, names, weights):
    for point, name, weight in zip(points, names, weights):
        _arrow(ax, point, name, KEY, 0.9 + 4.0 * weight, alpha=0.6 + 0.4 * weight)


def _arrow(ax, tip, name: str, color: str, width: float, alpha: float = 1.0, bold: bool = False):
    length = float(np.hypot(*tip))
    if length == 0:
        ax.plot([0], [0], "o", color=color, ms=5)
    else:
        ax.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": color, "lw": width, "alpha": alpha,
                    "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9 + 1.5 * width})  # fmt: skip
    direction = np.asarray(tip) / length if length else np.array([0.0, 1.0])
    ax.annotate(name, tip, 9 * direction, textcoords="offset points", fontsize=9, color=color if bold else figures.INK,
                fontweight="bold" if bold else "normal", annotation_clip=False,
                ha="center" if abs(direction[0]) < 0.5 else "left" if direction[0] > 0 else "right",
                va="center" if abs(direction[1]) < 0.5 else "bottom" if direction[1] > 0 else "top")  # fmt: skip


def _bars(ax, names, weights):
    rows = np.arange(len(names))
    ax.barh(rows, weights, color=KEY, height=0.62)
    for row, weight in zip(rows, weights):
        ax.text(weight + 0.02, row, f"{weight:.2f}", va="center", fontsize=8)
    ax.set_yticks(rows, names)
    ax.set(xlim=(0, 1.18), title=WORDS["figure_weights"], ylim=(len(names) - 0.4, -0.6))
    ax.set_xticks([0, 0.5, 1])
    ax.tick_params(length=0, labelsize=8)
    ax.spines["left"].set_visible(False)


def _hull(ax, points):
    """The convex hull of the values, lightly: the output never leaves it."""
    corners = convex_hull(points)
    ax.fill(*corners.T, facecolor=OUTPUT, alpha=0.09)
    ax.plot(*np.vstack([corners, corners[:1]]).T, color=OUTPUT, lw=0.8, ls=":", alpha=0.8)


def convex_hull(points) -> np.ndarray:
    """Corners of the convex hull of points (S, 2), counter-clockwise: Andrew's monotone chain.  Returns (corners, 2)."""
    ordered = sorted(set(map(tuple, np.asarray(points, dtype=float).tolist())))

    def half(chain_of):
        chain = []
        for x, y in chain_of:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], (x, y)) <= 0:
                chain.pop()
            chain.append((x, y))
        return chain

    if len(ordered) < 3:
        return np.array(ordered)
    return np.array(half(ordered)[:-1] + half(ordered[::-1])[:-1])


def _turn(o, a, b) -> float:
    """Positive where o → a → b turns left."""
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
