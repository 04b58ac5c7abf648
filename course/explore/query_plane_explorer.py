"""One query in the plane: drag it, and see which keys it listens to and what it hears.

    plane = explore.query_plane(keys, values, query=[1, 0.5], names=["苹果", "香蕉"])
    plane                              # as the last line of a cell: the live picture
    plane.q, plane.temperature         # what the learner's hand has set; assigning moves the picture
    plane.weights(), plane.output()    # what it shows, computed by course.blocks.attention

The page computes with the same formula in JavaScript (static/query_plane.js), so a drag asks the kernel nothing.
"""

import math

import numpy as np
import traitlets

from course import sentences
from course.blocks.attention import attention
from course.explore.base import Explorer, clean, module, stylesheet

MOST_KEYS = 16
TEMPERATURES = (0.05, 20.0)
D_HEAD = 2  # the plane has two axes

WORDS = sentences.table("explore_query_plane")["query_plane"]


class Vectors(traitlets.TraitType):
    """A trait that holds float64 vectors of the plane: (2,) for one, (S, 2) for several.

    Takes anything NumPy makes such an array of, and keeps a copy that can't be written to: assigning a new array is what
    the page hears of, writing into the old one it would not.  Travels as nested lists, so that no digit is lost.
    """

    def __init__(self, several: bool):
        super().__init__(np.eye(D_HEAD) if several else np.eye(D_HEAD)[0])
        self.several = several
        self.tag(sync=True, to_json=lambda array, _: array.tolist(), from_json=lambda points, _: np.array(points, dtype=float))

    def validate(self, owner, value):
        array = np.array(value, dtype=np.float64)
        wanted = array.ndim == 2 if self.several else array.ndim == 1
        if not wanted or array.shape[-1] != D_HEAD:
            name = "needs_points" if self.several else "needs_point"
            raise ValueError(WORDS[name].format(name=self.name, shape=array.shape))
        if self.several and not 1 <= len(array) <= MOST_KEYS:
            raise ValueError(WORDS["too_many"].format(most=MOST_KEYS, count=len(array)))
        if not np.isfinite(array).all():
            raise ValueError(WORDS["needs_numbers"].format(name=self.name))
        array.flags.writeable = False
        return array


class QueryPlane(Explorer):
    """The explorer that `query_plane` makes: state as traits, arithmetic through course.blocks.attention.

    (`keys` is taken: ipywidgets keeps the names of a widget's traits there.  So the vectors have the course's short names.)
    """

    _esm = module("plane.js", "query_plane_save.js", "query_plane.js")
    _css = stylesheet("query_plane.css")
    kind = "query_plane"
    topics = (("explore", "kit"), ("explore_query_plane", "query_plane"))

    q = Vectors(several=False)  # (2,)    the query
    k = Vectors(several=True)  # (S, 2)  keys
    v = Vectors(several=True)  # (S, 2)  values
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)  # S names, one for each key and its value
    temperature = traitlets.Float(1.0).tag(sync=True)  # scores are divided by it before the softmax
    scale_on = traitlets.Bool(True).tag(sync=True)  # divide q·k by √d_k, √2 in the plane
    show_projections = traitlets.Bool(False).tag(sync=True)  # the shadow of each key on the query's line
    show_levels = traitlets.Bool(False).tag(sync=True)  # lines on which all keys have the same score
    show_sum = traitlets.Bool(False).tag(sync=True)  # the output as weight · value, tip to tail
    start = traitlets.Dict().tag(sync=True)  # where "Start again" leads

    def __init__(self, **traits):
        super().__init__(**traits)
        self.start = {
            "q": self.q.tolist(), "k": self.k.tolist(), "v": self.v.tolist(), "names": list(self.names),
            "temperature": self.temperature, "scale_on": self.scale_on,
        }  # fmt: skip

    @traitlets.validate("temperature")
    def _check_temperature(self, proposal):
        low, high = TEMPERATURES
        if not low <= proposal["value"] <= high:
            raise ValueError(WORDS["temperature_range"].format(low=low, high=high, value=proposal["value"]))
        return proposal["value"]

    @traitlets.validate("names")
    def _clean_names(self, proposal):
        return [clean(name) for name in proposal["value"]]

    def labels(self) -> list[str]:
        """One name for each key; a key that was given none is "key 1", "key 2", …"""
        given = self.names[: len(self.k)]
        return given + [WORDS["default_name"].format(number=j + 1) for j in range(len(given), len(self.k))]

    def scores(self) -> np.ndarray:
        """(S,) q·k of each key, divided by √2 if the scale is on; before temperature and softmax."""
        return self.k @ self.q / (math.sqrt(D_HEAD) if self.scale_on else 1.0)

    def weights(self) -> np.ndarray:
        """(S,) how much the query listens to each key: softmax(scores / temperature)."""
        return self._attend()[1][0]

    def output(self) -> np.ndarray:
        """(2,) what it hears: the values, blended with these weights."""
        return self._attend()[0][0]

    def _attend(self):
        # `attention` divides by √2 itself and knows no temperature; both only stretch the query.
        stretch = (1.0 if self.scale_on else math.sqrt(D_HEAD)) / self.temperature
        return attention(self.q[None] * stretch, self.k, self.v)

    def summary(self) -> str:
        weights, (x, y) = self.weights(), self.output()
        top = int(weights.argmax())
        says = WORDS["says_most"].format(name=self.labels()[top], weight=f"{weights[top]:.2f}", x=f"{x:.2f}", y=f"{y:.2f}")
        return WORDS["summary"].format(count=len(self.k), says=says[0].lower() + says[1:].rstrip("."))

    def figure(self):
        """The present state as a matplotlib Figure: query and keys, weights, values and output."""
        from course.explore.query_plane_figure import draw

        return draw(self.q, self.k, self.v, self.labels(), self.weights(), self.output())


def query_plane(keys, values, query=None, names=None, temperature: float = 1.0, scale: bool = True) -> QueryPlane:
    """A plane to explore attention in: one query, some keys and their values, all arrows that can be dragged.

    keys, values: (S, 2), S from 1 to 16;  query: (2,), by default pointing a little beside the first key;
    names: S strings, for keys and values alike;  temperature: 0.05 to 20, scores are divided by it;
    scale: divide scores by √2.  Raises ValueError with one sentence for anything that does not fit.
    """
    k, v = QueryPlane.k.validate(None, keys), QueryPlane.v.validate(None, values)
    if len(k) != len(v):
        raise ValueError(WORDS["unmatched_call"].format(keys=len(k), values=len(v)))
    if names is not None and len(names) != len(k):
        raise ValueError(WORDS["too_few_names"].format(keys=len(k), names=len(names)))
    shown = {} if names is None else {"names": [str(name) for name in names]}
    return QueryPlane(q=_beside(k[0]) if query is None else query, k=k, v=v, temperature=temperature, scale_on=scale, **shown)


def _beside(key: np.ndarray) -> np.ndarray:
    """A first query: 20° beside the first key and as long, or (1, 0) where that key is zero."""
    turn = math.radians(20)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return (rotation @ key).round(2) if key.any() else np.array([1.0, 0.0])
