r"""`explore.scaling()`: why attention divides its scores by √d_k, seen with a slider.

Queries and keys are drawn once from a standard normal.  A score is then a sum of d_k products, each of mean 0 and
variance 1, so its variance is d_k: the wider the vectors, the further the scores spread, the more the softmax turns
into a choice of one key, and the smaller the gradient that passes through it.  Divided by √d_k the variance is 1 at
every width (Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1).

The vectors travel to the page once; the page does all arithmetic.  `numbers` and `weights` compute the same with
`course.blocks.attention`.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import traitlets

from course.blocks.attention import softmax, softmax_jacobian
from course.explore.base import Explorer, module, pack, stylesheet

LARGEST = {"widest": 4096, "queries": 256, "keys": 64}  # more would neither draw well nor arrive fast
BINS = 120  # of the histogram; even, so that 0 is an edge and both signs are treated alike
ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)  # ends of an axis that read well, times a power of ten


class Numbers(NamedTuple):
    """What the width does to attention, averaged over all rows of scores."""

    variance: float  # of all scores
    entropy: float  # of a row of weights, in bits; at most log2(number of keys)
    gradient: float  # Frobenius norm of the softmax's Jacobian


class ScalingExplorer(Explorer):
    """Scores of random queries and keys, of width `d_k`, divided by √d_k if `scaled`; the weights of one `row`."""

    _esm = module("scaling.js")
    _css = stylesheet("scaling.css")
    kind = "scaling"
    topics = (("explore", "kit"), ("explore_scaling", "scaling"))

    vectors = traitlets.Bytes(b"").tag(sync=True)  # float32: queries (n_queries, widest), then keys (n_keys, widest)
    n_queries = traitlets.Int(1).tag(sync=True)
    n_keys = traitlets.Int(2).tag(sync=True)
    widest = traitlets.Int(2).tag(sync=True)
    limit = traitlets.Float(1.0).tag(sync=True)  # the scores' axis runs from −limit to limit at every width
    bins = traitlets.Int(BINS).tag(sync=True)
    d_k = traitlets.Int(1).tag(sync=True)  # the first d_k components are used: a power of two
    scaled = traitlets.Bool(False).tag(sync=True)
    row = traitlets.Int(0).tag(sync=True)  # the query whose weights are shown

    def __init__(self, q, k, **traits):
        """q: (queries, widest), k: (keys, widest); what is computed is computed from their float32 values."""
        self.q, self.k = (np.asarray(array, dtype=np.float32).astype(np.float64) for array in (q, k))
        (n_queries, widest), n_keys = self.q.shape, len(self.k)
        largest = max(np.abs(self._products(width)).max() for width in _powers(widest))
        sizes = {"n_queries": n_queries, "n_keys": n_keys, "widest": widest, "limit": _round_up(largest)}
        super().__init__(vectors=pack(q, k), **sizes, **traits)

    @traitlets.validate("d_k")
    def _check_d_k(self, proposal):
        value = proposal["value"]
        if value not in _powers(self.widest):
            raise traitlets.TraitError(self.say("bad_d_k", widest=self.widest, value=value))
        return value

    @traitlets.validate("row")
    def _check_row(self, proposal):
        value = proposal["value"]
        if not 0 <= value < self.n_queries:
            raise traitlets.TraitError(self.say("bad_row", last=self.n_queries - 1, value=value))
        return value

    # ── what is measured ────────────────────────────────────────────────────────────────────────────────────

    def _products(self, d_k: int) -> np.ndarray:
        return self.q[:, :d_k] @ self.k[:, :d_k].T  # (queries, keys)

    def scores(self, d_k: int | None = None, scaled: bool | None = None) -> np.ndarray:
        """All scores (queries, keys), float64; width and scaling default to the present state.

        Raises ValueError for a width that is no power of two, or wider than the vectors.
        """
        d_k = self.d_k if d_k is None else d_k
        scaled = self.scaled if scaled is None else scaled
        if d_k not in _powers(self.widest):
            raise ValueError(self.say("bad_d_k", widest=self.widest, value=d_k))
        return self._products(d_k) / (math.sqrt(d_k) if scaled else 1.0)

    def weights(self, d_k: int | None = None, scaled: bool | None = None) -> np.ndarray:
        """The softmax of each row of `scores`: (queries, keys)."""
        return softmax(self.scores(d_k, scaled))

    def numbers(self, d_k: int | None = None, scaled: bool | None = None) -> Numbers:
        """Variance of the scores, mean entropy of the rows in bits, mean size of the softmax's gradient."""
        scores = self.scores(d_k, scaled)
        weights = softmax(scores)
        gradient = np.linalg.norm(softmax_jacobian(weights), axis=(-2, -1))  # (queries,)
        return Numbers(float(scores.var()), float(_entropy_bits(weights).mean()), float(gradient.mean()))

    def counts(self) -> np.ndarray:
        """How many scores fall into each bar of the histogram, from −limit to limit: (bins,) ints."""
        place = np.floor((self.scores() + self.limit) * (self.bins / (2 * self.limit))).astype(int)
        return np.bincount(place.clip(0, self.bins - 1).ravel(), minlength=self.bins)

    @functools.cached_property
    def _curves(self) -> dict[bool, list[Numbers]]:
        return {scaled: [self.numbers(width, scaled) for width in _powers(self.widest)] for scaled in (False, True)}

    # ── what is said and shown without a kernel ─────────────────────────────────────────────────────────────

    def summary(self) -> str:
        """The sentence the page says of the present state."""
        variance, entropy, gradient = map(_number, self.numbers())
        top = float(self.weights().max(axis=-1).mean())
        verdict = next(v["text"] for v in self.sentences["verdicts"] if top >= v["at_least"])
        mode = self.say("scaled" if self.scaled else "not_scaled")
        return self.say(
            "state", d_k=self.d_k, mode=mode, variance=variance, entropy=entropy, gradient=gradient,
            most=f"{math.log2(self.n_keys):.3g}", verdict=verdict.format(top=_number(top, 2)))  # fmt: skip

    def figure(self):
        """Scores and weights of the present state, and the three numbers against d_k, as a matplotlib Figure."""
        from matplotlib.figure import Figure

        from course.figures import COLORS, style

        colour = COLORS[0] if self.scaled else COLORS[1]
        with style():
            fig = Figure(figsize=(9.0, 5.2), layout="constrained")
            mode = _mathematics(self.say("scaled" if self.scaled else "not_scaled"))
            fig.suptitle(f"$d_k$ = {self.d_k}, {mode}", x=0.02, ha="left")
            above = ["scores"] * 7 + ["weights"] * 5
            axes = fig.subplot_mosaic([above, [name for name in Numbers._fields for _ in range(4)]])
            self._draw_scores(axes["scores"], colour)
            self._draw_weights(axes["weights"], colour)
            for name in Numbers._fields:
                self._draw_curve(axes[name], name)
        return fig

    def _draw_scores(self, ax, colour):
        numbers, total = self.numbers(), self.n_queries * self.n_keys
        edges = np.linspace(-self.limit, self.limit, self.bins + 1)
        ax.stairs(self.counts(), edges, fill=True, color=colour, baseline=0.5)
        ax.set_yscale("log")
        ax.set(xlim=(-self.limit, self.limit), ylim=(0.5, total), title=self.say("scores_title", count=total),
               xlabel=self.say("scores_axis"), ylabel=self.say("counts_axis"))  # fmt: skip
        ax.set_yticks([10**n for n in range(len(str(total)))], [f"{10**n}" for n in range(len(str(total)))])
        ax.minorticks_off()
        expected = 1 if self.scaled else self.d_k
        variance = self.say("scores_variance", variance=_number(numbers.variance))
        said = f"{variance}\n{self.say('scores_expected', expected=expected)}"
        ax.text(0.02, 0.97, said, transform=ax.transAxes, va="top", fontsize=9)

    def _draw_weights(self, ax, colour):
        ax.bar(range(self.n_keys), self.weights()[self.row], color=colour)
        ax.axhline(1 / self.n_keys, color="#57606a", lw=1, ls=":")
        ax.set_xticks(range(0, self.n_keys, math.ceil(self.n_keys / 8)))
        title = f"{self.say('weights_title')}: {self.say('row_value', row=self.row)}"
        ax.set(ylim=(0, 1), xlabel=self.say("weights_axis"), title=title)

    def _draw_curve(self, ax, name):
        from course.figures import curves

        widths = _powers(self.widest)
        modes = (("scaled", True), ("not_scaled", False))
        ys = {_mathematics(self.say(mode)): [getattr(n, name) for n in self._curves[scaled]] for mode, scaled in modes}
        title = f"{self.say(name)}: {_number(getattr(self.numbers(), name))}"
        curves(widths, ys, ax=ax, xlog=True, ylog=name == "variance", title=title, xlabel="$d_k$", ylabel="")
        if name == "variance":
            ax.yaxis.set_major_formatter("{x:g}")
        ax.set_xticks(widths[:: max(1, (len(widths) - 1) // 5)])
        ax.axvline(self.d_k, color="#57606a", lw=1, ls=":")
        if name == "entropy":
            ax.axhline(math.log2(self.n_keys), color="#57606a", lw=1)
        if name != "variance":
            ax.set_ylim(bottom=0)
            ax.get_legend().remove()


def scaling(widest: int = 1024, queries: int = 64, keys: int = 16, seed: int = 0, d_k: int = 4, scaled: bool = False):
    """What the width of queries and keys does to attention, with and without dividing the scores by √d_k.

    `queries` and `keys` vectors of width `widest` (a power of two) are drawn from a standard normal; the slider says
    how many of their components, `d_k`, the dot products use.  Returns the explorer: `.d_k`, `.scaled` and `.row` can
    be read and set, `.numbers()` and `.weights()` give what is shown.
    Raises ValueError for sizes out of range, traitlets' TraitError for a `d_k` that is no power of two up to `widest`.
    """
    from course.sentences import table

    say = table("explore_scaling")["scaling"]
    if not _whole(widest, 2, LARGEST["widest"]) or widest & (widest - 1):
        raise ValueError(say["bad_widest"].format(high=LARGEST["widest"], value=widest))
    for name, value, low in (("queries", queries, 1), ("keys", keys, 2)):
        if not _whole(value, low, LARGEST[name]):
            raise ValueError(say["bad_size"].format(name=name, low=low, high=LARGEST[name], value=value))
    random = np.random.default_rng(seed)
    q, k = random.standard_normal((queries, widest)), random.standard_normal((keys, widest))
    return ScalingExplorer(q, k, d_k=d_k, scaled=scaled)


def _whole(value, low: int, high: int) -> bool:
    return isinstance(value, (int, np.integer)) and low <= value <= high


def _powers(widest: int) -> list[int]:
    """1, 2, 4 … up to `widest`."""
    return [2**n for n in range(int(widest).bit_length())]


def _round_up(x: float) -> float:
    """The next number of two digits at most that reads well at the end of an axis."""
    size = 10.0 ** math.floor(math.log10(x))
    return next(step * size for step in ROUND if step * size >= x)


def _entropy_bits(weights) -> np.ndarray:
    """Entropy of each row (last axis) in bits; a weight of 0 adds nothing."""
    return -(weights * np.log2(np.where(weights > 0, weights, 1.0))).sum(axis=-1)


def _number(x: float, digits: int = 3) -> str:
    """Three significant digits, as on the page: 1081, 2.36, 0.0726."""
    if abs(x) < 1e-3:
        return f"{x:.1e}" if x else "0"
    return f"{x:.{min(max(digits - 1 - math.floor(math.log10(abs(x))), 0), 4)}f}"


def _mathematics(text: str) -> str:
    """√d_k and d_k in a sentence, as matplotlib sets them."""
    return text.replace("√d_k", r"$\sqrt{d_k}$").replace(" d_k", " $d_k$")
