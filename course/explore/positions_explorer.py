"""Position encodings, seen and turned: `explore.positions()`.

    e = explore.positions()                              # sinusoidal; e.kind = "rotary" or the page switches
    e = explore.positions("learned", table=model_table)  # (T, C) numbers of a trained embedding
    e = explore.positions(use=sinusoidal)                # the learner's own sinusoidal(T, d_model) is drawn

Three views of one matrix (positions, features): its colours, one pair of features as the hand of a clock, and the dot
product of one position with all others.  The page computes all of it; the kernel is asked for the learner's function
alone.  `values()` and `similarity()` compute the same with course.vectors.positions.

Sinusoidal positions: Vaswani et al. 2017 (arXiv 1706.03762, section 3.5).  Rotary: Su et al. 2021 (arXiv 2104.09864).
"""

import math

import numpy as np
import traitlets

from course.explore.base import Explorer, clean, module, pack, stylesheet
from course.sentences import table as sentences_of

KINDS = ("sinusoidal", "rotary", "learned")
MOST_T, MOST_WIDTH = 512, 128
BASES = (10.0, 1_000_000.0)
FRESH_STD = 0.02  # of a learned table before training, as GPT-2 begins
SEED = 0  # of the fresh table and of the random query and key
SAME = 1e-6  # numbers that differ by less are called equal
WORDS = sentences_of("explore_positions")["positions"]


class PositionsExplorer(Explorer):
    """Made by `explore.positions`.  The traits of the first group are its state: Python and the page both set them."""

    _esm = module("positions_numbers.js", "positions_matrix.js", "positions_pictures.js", "positions.js")
    _css = stylesheet("positions.css")
    topics = (("explore", "kit"), ("explore_positions", "positions"))

    # the state
    kind = traitlets.Unicode("sinusoidal").tag(sync=True)
    d_model = traitlets.Int(32).tag(sync=True)
    T = traitlets.Int(64).tag(sync=True)
    base = traitlets.Float(10000.0).tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)  # the row under the cursor, and the dial's hand
    feature = traitlets.Int(0).tag(sync=True)  # the column under the cursor; the dial shows its pair
    reference = traitlets.Int(0).tag(sync=True)  # what `position` is compared with

    # what the page draws with
    most = traitlets.Dict().tag(sync=True)  # kind → largest [T, d_model]
    table_bytes = traitlets.Bytes(b"").tag(sync=True)  # float32 (rows, columns) of the learned kind
    table_columns = traitlets.Int(2).tag(sync=True)
    table_note = traitlets.Unicode("").tag(sync=True)
    table_given = traitlets.Bool(False).tag(sync=True)
    random_pair = traitlets.Bytes(b"").tag(sync=True)  # float32: a query and a key, MOST_WIDTH components each

    # the learner's own function
    uses = traitlets.Bool(False).tag(sync=True)
    theirs = traitlets.Bytes(b"").tag(sync=True)  # float32 (T, d_model), what it returned last
    theirs_shape = traitlets.List([0, 0]).tag(sync=True)
    answered = traitlets.List([0, 0]).tag(sync=True)  # the sizes it was asked for last, whether it could answer or not
    verdict = traitlets.Unicode("").tag(sync=True)

    def __init__(self, table=None, use=None, **state):
        """table: (rows, columns) float array or None for a fresh one; use: function (T, d_model) → array, or None."""
        random = np.random.default_rng(SEED)
        self.q, self.k = random.standard_normal((2, MOST_WIDTH)).astype(np.float32).astype(np.float64)
        fresh = random.normal(0.0, FRESH_STD, (MOST_T, MOST_WIDTH))
        self.table = np.asarray(fresh if table is None else table, dtype=np.float32).astype(np.float64)
        rows, columns = self.table.shape
        shown = self.table[:MOST_T, : min(columns - columns % 2, MOST_WIDTH)]
        self.use, self._theirs = use, None
        most = {kind: [*shown.shape] if kind == "learned" else [MOST_T, MOST_WIDTH] for kind in KINDS}
        note = WORDS["note_fresh"].format(std=FRESH_STD) if table is None else WORDS["note_table"].format(rows=rows, columns=columns)
        super().__init__(most=most, table_bytes=pack(shown), table_columns=shown.shape[1], table_note=note, uses=use is not None,
                         table_given=table is not None, random_pair=pack(self.q, self.k), **state)  # fmt: skip
        self._run_use()
        self.observe(self._fit, ["kind", "T", "d_model"])

    # ── reading it ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def pair(self) -> int:
        """The pair of features (2·pair, 2·pair + 1) on the dial: the one that holds `feature`.  Setting it moves the cursor."""
        return self.feature // 2

    @pair.setter
    def pair(self, value: int):
        if not _whole(value, 0, self.d_model // 2 - 1):
            raise ValueError(self.say("bad_whole", name="pair", low=0, high=self.d_model // 2 - 1, value=value))
        self.feature = 2 * int(value) + self.feature % 2

    def values(self) -> np.ndarray:
        """The matrix that is drawn, (T, d_model) float64.

        Rotary: the vector (1, 0, 1, 0, …) turned by each position.  With `use`, of the sinusoidal kind: what the
        learner's function returned, of the last sizes that it could do; ValueError where it never could.
        """
        if self.kind == "learned":
            return self.table[: self.T, : self.d_model].copy()
        if self.kind == "rotary":
            return self._turned(np.tile([1.0, 0.0], self.d_model // 2))
        if not self.uses:
            return self._sinusoidal()
        if self._theirs is None:
            raise ValueError(self.problem or self.say("empty"))
        return self._theirs.copy()

    def similarity(self, reference: int | None = None, random: bool = False) -> np.ndarray:
        """Dot product of position `reference` (default: the present one) with every position, (T,) float64.

        Rotary: of the query (1, 0, 1, 0, …) turned by `reference` with the same vector, as a key, turned by each position;
        with `random=True`, of a random query and another random key.  Other kinds have no random pair: ValueError.
        """
        left = right = self.values()
        reference = min(self.reference, len(left) - 1) if reference is None else reference
        if not _whole(reference, 0, len(left) - 1):
            raise ValueError(self.say("bad_whole", name="reference", low=0, high=len(left) - 1, value=reference))
        if random:
            if self.kind != "rotary":
                raise ValueError(self.say("no_random", kind=self.kind))
            left, right = (self._turned(vector[: self.d_model]) for vector in (self.q, self.k))
        return right @ left[reference]

    def frequencies(self) -> np.ndarray | None:
        """Radians that each pair turns from one position to the next, (d_model/2,); None for a learned table."""
        from course.vectors.positions import frequencies

        return None if self.kind == "learned" else frequencies(self.d_model, self.base)

    def _sinusoidal(self) -> np.ndarray:
        from course.vectors.positions import sinusoidal

        return sinusoidal(self.T, self.d_model, self.base)

    def _turned(self, vector) -> np.ndarray:
        """`vector` (d_model,) rotated to each position: (T, d_model)."""
        from course.vectors.positions import rotate

        return rotate(np.tile(vector, (self.T, 1)), np.arange(self.T), self.base)

    # ── what is said and shown without a kernel ─────────────────────────────────────────────────────────────

    def __repr__(self) -> str:  # `kind` is the encoding's here, not the explorer's
        return f"positions explorer: {self.summary()}"

    def summary(self) -> str:
        """Kind and sizes, the cell under the cursor, and how its pair turns."""
        try:
            values = self.values()
        except ValueError as error:
            return str(error)
        (T, d_model), base = values.shape, ""
        if self.kind != "learned" and not self.own_numbers:
            base = self.say("summary_base", base=short(self.base))
        parts = {"cell": self.cell(values), "turn": self.turn(), "base": base}
        return self.say("summary", kind=self.kind, T=T, d_model=d_model, **parts)

    @property
    def own_numbers(self) -> bool:
        """Whether the numbers shown are the learner's function's."""
        return self.uses and self.kind == "sinusoidal"

    def cell(self, values) -> str:
        """The sentence of the cell under the cursor of `values` (T, d_model), as the page says it."""
        p, j = min(self.position, len(values) - 1), min(self.feature, values.shape[1] - 1)
        if self.kind == "learned":
            return self.say("cell_table" if self.table_given else "cell_fresh", position=p, feature=j, value=short(values[p, j]))
        frequency = self.base ** (-2 * (j // 2) / values.shape[1])
        sine = (j % 2 == 0) == (self.kind == "sinusoidal")
        filled = {"position": p, "feature": j, "function": "sin" if sine else "cos", "frequency": short(frequency), "value": fixed(values[p, j])}
        if self.own_numbers:
            expected = math.sin(p * frequency) if sine else math.cos(p * frequency)
            return self.say("cell_theirs", expected=fixed(expected), **filled)
        return self.say("cell_sinusoidal" if self.kind == "sinusoidal" else "cell_rotary", **filled)

    def turn(self) -> str:
        """The sentence on how the present pair turns; of a learned table, that it does not."""
        frequencies = self.frequencies()
        if frequencies is None:
            return self.say("no_clock", pair=self.pair)
        frequency = frequencies[self.pair]
        said = {"pair": self.pair, "wavelength": short(2 * math.pi / frequency), "frequency": short(frequency)}
        return self.say("turn_theirs" if self.own_numbers else "turn", **said)

    def figure(self):
        """The present state as a matplotlib Figure: matrix, dial, similarity; the problem's sentence where there are no numbers."""
        from course.explore.positions_figure import draw, note

        return note(self.problem) if self.own_numbers and self._theirs is None else draw(self)

    # ── the learner's own function ──────────────────────────────────────────────────────────────────────────

    def _run_use(self):
        """Asks the learner's function for the present sizes; where it fails, its sentence is shown and the last numbers stay."""
        if self.use is None:
            return
        with self.hold_sync():
            try:
                self._theirs = self._ask_theirs()
            except Exception as error:
                self.problem = str(error) if isinstance(error, _Refused) else self.say(
                    "use_failed", kind=type(error).__name__, message=clean(error) or type(error).__name__)  # fmt: skip
            else:
                self.problem = ""
                self.theirs, self.theirs_shape = pack(self._theirs), [self.T, self.d_model]
                self.verdict = self._compare(self._theirs)
            self.answered = [self.T, self.d_model]

    def _ask_theirs(self) -> np.ndarray:
        expected = (self.T, self.d_model)
        answer = self.use(*expected)
        try:
            own = _numbers(answer)
        except (TypeError, ValueError):
            raise _Refused(self.say("use_array", expected=expected, kind=type(answer).__name__)) from None
        if own.shape != expected:
            name = "use_array" if answer is None or not own.ndim else "use_shape"
            raise _Refused(self.say(name, expected=expected, shape=own.shape, kind=type(answer).__name__))
        wrong = np.argwhere(~np.isfinite(own))
        if len(wrong):
            raise _Refused(self.say("use_finite", count=len(wrong), position=wrong[0][0], feature=wrong[0][1]))
        return own

    def _compare(self, own) -> str:
        """One sentence: do these numbers agree with the course's, and where not."""
        ours = self._sinusoidal()
        gap = np.abs(own - ours)
        p, j = map(int, np.unravel_index(gap.argmax(), gap.shape))
        if gap.max() <= SAME:
            return self.say("theirs_agrees", difference=f"{gap.max():.0e}" if gap.max() else "0")
        return self.say("theirs_differs", difference=short(gap.max()), position=p, feature=j, theirs=short(own[p, j]), ours=short(ours[p, j]))

    # ── errors and checks ───────────────────────────────────────────────────────────────────────────────────

    def _limits(self, kind: str) -> tuple[int, int]:
        """Largest (T, d_model) of a kind; before the sizes are known, the explorer's own."""
        return tuple(self.most.get(kind, (MOST_T, MOST_WIDTH)))

    @traitlets.validate("kind")
    def _check_kind(self, proposal):
        if proposal["value"] not in KINDS:
            raise ValueError(WORDS["bad_kind"].format(kinds=", ".join(KINDS), value=proposal["value"]))
        return proposal["value"]

    @traitlets.validate("T", "position", "reference", "feature")
    def _check_whole(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        low, high = (1, self._limits(self.kind)[0]) if name == "T" else (0, (self.d_model if name == "feature" else self.T) - 1)
        if not low <= value <= high:
            raise ValueError(WORDS["bad_whole"].format(name=name, low=low, high=high, value=value))
        return value

    @traitlets.validate("d_model")
    def _check_d_model(self, proposal):
        value, high = proposal["value"], self._limits(self.kind)[1]
        if value % 2 or not 2 <= value <= high:
            raise ValueError(WORDS["bad_even"].format(high=high, value=value))
        return value

    @traitlets.validate("base")
    def _check_base(self, proposal):
        low, high = BASES
        if not low <= proposal["value"] <= high:
            raise ValueError(WORDS["bad_base"].format(low=short(low), high=short(high), value=proposal["value"]))
        return proposal["value"]

    def _fit(self, change):
        """Brings the sizes within the kind's, the cursor within the sizes; then the learner's function is asked."""
        with self.hold_sync():
            most_T, most_width = self._limits(self.kind)
            if self.T > most_T or self.d_model > most_width:
                self.T, self.d_model = min(self.T, most_T), min(self.d_model, most_width)  # calls this again
                return
            self.position, self.reference = min(self.position, self.T - 1), min(self.reference, self.T - 1)
            self.feature = min(self.feature, self.d_model - 1)
            if [self.T, self.d_model] != self.answered:
                self._run_use()

    def set_state(self, sync_data):
        """What the page says of sizes that have gone meanwhile is bent to those that there are."""
        state = dict(sync_data)
        most_T, most_width = self._limits(state.get("kind", self.kind))
        for name, low, most in (("T", 1, most_T), ("d_model", 2, most_width)):
            if name in state:
                state[name] = min(max(state[name], low), most)
        T, d_model = min(state.get("T", self.T), most_T), min(state.get("d_model", self.d_model), most_width)
        for name, size in (("position", T), ("reference", T), ("feature", d_model)):
            value = min(max(state.get(name, getattr(self, name)), 0), size - 1)
            if name in state or value != getattr(self, name):
                state[name] = value
        super().set_state(state)


class _Refused(ValueError):
    """An answer of the learner's function that can't be drawn; its message is the whole sentence."""


def positions(kind: str = "sinusoidal", d_model: int | None = None, T: int | None = None, base: float = 10000.0, table=None,
              use=None, title: str = ""):  # fmt: skip
    """A live picture of how a model is told where a word stands: matrix, dial and similarity of a position encoding.

    kind: "sinusoidal", "rotary" or "learned";  d_model: even, 2 to 128, by default 32;  T: 1 to 512, by default 64 (a table
    that is given sets both, as far as they can be shown);  base: 10 to 1 000 000;
    table: (rows, columns) numbers of a learned embedding, array or tensor;  without one the learned kind is random;
    use: your own sinusoidal(T, d_model), whose numbers are then drawn instead of the course's.

    Returns a PositionsExplorer: `.kind`, `.d_model`, `.T`, `.base`, `.pair`, `.position`, `.feature` and `.reference` can be
    read and set, `.values()` and `.similarity()` give what is shown.  Raises ValueError with one sentence for what does
    not fit.
    """
    if use is not None and not callable(use):
        raise ValueError(WORDS["bad_use"].format(kind=type(use).__name__))
    table = None if table is None else _as_table(table)
    rows, columns = (64, 32) if table is None or kind != "learned" else table.shape
    T = min(rows, MOST_T) if T is None else T
    d_model = min(columns - columns % 2, MOST_WIDTH) if d_model is None else d_model
    for name, value in (("T", T), ("d_model", d_model)):
        if not isinstance(value, (int, np.integer)):
            raise ValueError(WORDS["bad_whole"].format(name=name, low=1 if name == "T" else 2, high=MOST_T if name == "T" else MOST_WIDTH, value=value))
    if not isinstance(base, (int, float, np.number)):
        raise ValueError(WORDS["bad_base"].format(low=short(BASES[0]), high=short(BASES[1]), value=base))
    opening = {"position": min(7, T - 1), "feature": min(4, d_model - 1)} if T > 0 and d_model > 0 else {}
    return PositionsExplorer(table=table, use=use, kind=kind, d_model=int(d_model), T=int(T), base=float(base), title=clean(title),
                             **opening)  # fmt: skip


def _as_table(table) -> np.ndarray:
    """`table` as a float64 array (rows, columns); ValueError where it is none."""
    try:
        array = _numbers(table)
    except (TypeError, ValueError):
        raise ValueError(WORDS["bad_table"].format(shape=type(table).__name__)) from None
    if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < 2:
        raise ValueError(WORDS["bad_table"].format(shape=array.shape))
    if not np.isfinite(array).all():
        raise ValueError(WORDS["bad_numbers"].format(count=int((~np.isfinite(array)).sum())))
    return array


def _numbers(array) -> np.ndarray:
    """A float64 copy of an array, a nested list or a tensor, so that what is written into theirs later changes nothing here."""
    return np.array(array.detach().cpu().double().numpy() if hasattr(array, "detach") else array, dtype=np.float64)


def _whole(value, low: int, high: int) -> bool:
    return isinstance(value, (int, np.integer)) and low <= value <= high


def short(x: float) -> str:
    """Three significant digits without zeros at their end and without an exponent, as on the page: 62.8, 0.1, −0.00133."""
    if x == 0:
        return "0"
    if abs(x) < 1e-6:
        return f"{x:.2e}".replace("e-0", "e-").replace("-", "−")
    return np.format_float_positional(float(f"{x:.2e}"), trim="-").replace("-", "−")


def fixed(x: float) -> str:
    """Three decimals, a true minus sign, never −0.000."""
    text = f"{x:.3f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")
