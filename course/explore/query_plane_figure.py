"""The query plane as a matplotlib picture, for places without a kernel: what the page shows, standing still."""

from typing import NamedTuple

import numpy as np

from course import figures, sentences

KEY, QUERY, OUTPUT = figures.COLORS[0], figures.COLORS[1], figures.COLORS[2]
# Where a name may stand: extra distance from the tip (points) and turn from the arrow's direction (radians), the best first.
SPOTS = [(out, turn) for out in (0, 14, 28) for turn in (0.0, 0.6, -0.6, 1.2, -1.2, 1.8, -1.8)]
WORDS = sentences.table("explore_query_plane")["query_plane"]


def draw(q, k, v, names, weights, output):
    """q (2,), k and v (S, 2), names S strings, weights (S,), output (2,) → Figure with three panels side by side."""
    fig, (left, middle, right) = figures.figure(9.6, 3.6, columns=3)
    names = [figures.label(name, longest=10) for name in names]
    thin = [(0.9 + 4.0 * weight, 0.6 + 0.4 * weight) for weight in weights]
    with figures.style():
        _plane(left, WORDS["figure_keys"], [
            Arrow(q, WORDS["query"], QUERY, 2.6, 1.0), *(Arrow(p, n, KEY, *look) for p, n, look in zip(k, names, thin))])  # fmt: skip
        _bars(middle, names, weights)
        _hull(right, v)
        _plane(right, WORDS["figure_values"], [
            *(Arrow(p, n, KEY, *look) for p, n, look in zip(v, names, thin)), Arrow(output, WORDS["output"], OUTPUT, 3.2, 1.0)])  # fmt: skip
    return fig


class Arrow(NamedTuple):
    """An arrow from the origin, and how it is drawn."""

    tip: np.ndarray  # (2,)
    name: str
    color: str
    width: float  # points
    alpha: float


def _plane(ax, title: str, arrows: list[Arrow]):
    reach = 1.35 * max(float(np.abs(arrow.tip).max()) for arrow in arrows) or 1.0
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=title)
    ax.locator_params(nbins=5)
    ax.grid(True, lw=0.6)
    ax.axhline(0, color=figures.QUIET, lw=0.8)
    ax.axvline(0, color=figures.QUIET, lw=0.8)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize=8)
    for arrow in arrows:
        _draw_arrow(ax, arrow)
    for arrow, place in zip(arrows, label_places(arrows, reach)):
        ax.text(*place, arrow.name, fontsize=9, color=figures.INK if arrow.color == KEY else arrow.color, ha="center", va="center")


def _draw_arrow(ax, arrow: Arrow):
    above = 2 if arrow.color == KEY else 3  # query and output are never hidden
    if not np.any(arrow.tip):
        ax.plot([0], [0], "o", color=arrow.color, ms=5, zorder=above)
        return
    ax.annotate("", arrow.tip, (0, 0), zorder=above, arrowprops={"arrowstyle": "-|>", "color": arrow.color, "lw": arrow.width, "alpha": arrow.alpha,
                "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9 + 1.5 * arrow.width})  # fmt: skip


def label_places(arrows: list[Arrow], reach: float) -> np.ndarray:
    """Centres of the names (len(arrows), 2): beyond each tip, turned aside where another name or tip is in the way."""
    point = 2 * reach / 180  # a panel is about 180 typographic points wide
    half = [point * np.array([2 + sum(5.2 if character > "\u2e80" else 2.8 for character in arrow.name), 6.0]) for arrow in arrows]
    taken = [(arrow.tip, point * np.array([4.0, 4.0])) for arrow in arrows]
    places = []
    for i, arrow in enumerate(arrows):
        angle = np.arctan2(arrow.tip[1], arrow.tip[0]) if np.any(arrow.tip) else np.pi / 2
        best = None
        for out, turn in SPOTS:
            way = np.array([np.cos(angle + turn), np.sin(angle + turn)])
            place = arrow.tip + way * (point * (6 + out) + np.abs(way) @ half[i])
            inside = np.clip(place, half[i] - reach, reach - half[i])
            cost = np.abs(place - inside).sum() * reach + sum(
                _overlap(place, half[i], *other) for j, other in enumerate(taken) if j != i)  # fmt: skip
            if best is None or cost < best[0] - 1e-12:
                best = (cost, place)
        places.append(best[1])
        taken.append((best[1], half[i]))
    return np.array(places)


def _overlap(a, half_a, b, half_b) -> float:
    """Area that two boxes (centre, half width and height) share."""
    return float(np.prod(np.clip(np.minimum(a + half_a, b + half_b) - np.maximum(a - half_a, b - half_b), 0, None)))


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
    ax.set_box_aspect(1)  # as tall as the planes beside it


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
