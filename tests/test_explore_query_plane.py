"""The query plane's Python side: its arithmetic, its state, its picture without a kernel, its sentences."""

import base64
import math
import re
from pathlib import Path

import numpy as np
import pytest

from course import explore, sentences
from course.explore import query_plane_figure as picture
from course.explore.query_plane_explorer import MOST_KEYS

KEYS = [[1.2, 0.4], [0.9, 0.8], [-0.3, 1.1], [-1.0, -0.5]]
VALUES = [[1.0, 0.0], [0.8, 0.5], [-0.5, 1.0], [-0.6, -0.9]]
NAMES = ["苹果", "香蕉", "吃", "喜欢"]
HOSTILE = ["<img src=x onerror=alert(1)>", "</script>", ".net", "#tag", "🍎", "مرحبا", "e\u0301\u0301", "\ud800", "", "x" * 200,
           " \n\t", "a\u202eb", "$x^{$"]  # fmt: skip


def by_hand(q, k, v, temperature, scale):
    """Scores, weights and output with nothing but Python's own arithmetic."""
    scores = [(q[0] * a + q[1] * b) / (math.sqrt(2) if scale else 1) for a, b in k]
    e = [math.exp(score / temperature) for score in scores]
    weights = [x / sum(e) for x in e]
    return scores, weights, [sum(w * value[axis] for w, value in zip(weights, v)) for axis in (0, 1)]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 7.0])
@pytest.mark.parametrize("scale", [True, False])
def test_the_numbers_are_those_of_the_formula(temperature, scale):
    q = [1.0, 0.7]
    plane = explore.query_plane(KEYS, VALUES, query=q, temperature=temperature, scale=scale)
    scores, weights, output = by_hand(q, KEYS, VALUES, temperature, scale)
    np.testing.assert_allclose(plane.scores(), scores, rtol=1e-12)
    np.testing.assert_allclose(plane.weights(), weights, rtol=1e-12)
    np.testing.assert_allclose(plane.output(), output, rtol=1e-12)


def test_changing_a_trait_changes_the_numbers():
    plane = explore.query_plane(KEYS, VALUES, query=[1, 0])
    plane.q = [0, 2]
    plane.scale_on = False
    plane.temperature = 2.0
    np.testing.assert_allclose(plane.weights(), by_hand([0, 2], KEYS, VALUES, 2.0, False)[1], rtol=1e-12)
    plane.v = 2 * np.array(VALUES)
    np.testing.assert_allclose(plane.output(), by_hand([0, 2], KEYS, plane.v, 2.0, False)[2], rtol=1e-12)


def test_vectors_are_copies_that_cannot_be_written_to():
    mine = np.array(KEYS)
    plane = explore.query_plane(mine, VALUES)
    mine[0] = 99
    assert plane.k[0].tolist() == KEYS[0]
    with pytest.raises(ValueError, match="read-only"):
        plane.k[0, 0] = 5.0  # would change the array and tell the page nothing


def test_state_travels_without_losing_a_digit():
    third = [[1 / 3, -2 / 3], [1e-17, 1e17]]
    plane = explore.query_plane(third, third, query=[math.pi, -math.e])
    state = plane.get_state()
    assert state["k"] == third and state["v"] == third and state["q"] == [math.pi, -math.e]
    plane.set_state({"q": [0.1, 0.2], "k": [[1, 2]], "v": [[3, 4]], "names": ["a"]})  # as it comes from the page
    assert plane.q.tolist() == [0.1, 0.2] and plane.output().tolist() == [3.0, 4.0]
    assert plane.start["k"] == third  # where "Start again" leads


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(keys=np.ones((3, 4)), values=np.ones((3, 2))), r"k must be points of the plane, shape \(S, 2\), got \(3, 4\)"),
        (dict(keys=KEYS, values=np.ones((4, 3))), r"v must be points of the plane, shape \(S, 2\), got \(4, 3\)"),
        (dict(keys=KEYS, values=VALUES[:3]), "4 keys and 3 values: every key needs its value"),
        (dict(keys=KEYS, values=VALUES, query=[1, 2, 3]), r"q must be one point of the plane, shape \(2,\), got \(3,\)"),
        (dict(keys=KEYS, values=VALUES, query=[1, math.nan]), "q must hold finite numbers"),
        (dict(keys=KEYS, values=VALUES, names=["a"]), "4 keys need 4 names, got 1"),
        (dict(keys=KEYS, values=VALUES, temperature=0), "temperature must lie between 0.05 and 20.0, got 0"),
        (dict(keys=np.ones((17, 2)), values=np.ones((17, 2))), "the plane shows 1 to 16 keys, got 17"),
        (dict(keys=np.ones((0, 2)), values=np.ones((0, 2))), "the plane shows 1 to 16 keys, got 0"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        explore.query_plane(**arguments)


def test_a_key_without_a_value_is_refused_when_asked_for_numbers():
    plane = explore.query_plane(KEYS, VALUES)
    plane.k = KEYS[:2]
    with pytest.raises(ValueError, match="2 keys and 4 values"):
        plane.weights()


def test_the_first_query_points_beside_the_first_key():
    plane = explore.query_plane(KEYS, VALUES)
    cosine = plane.q @ plane.k[0] / np.linalg.norm(plane.q) / np.linalg.norm(plane.k[0])
    assert math.degrees(math.acos(cosine)) == pytest.approx(20, abs=1)
    assert explore.query_plane([[0, 0]], [[1, 1]]).q.tolist() == [1.0, 0.0]


def test_names_are_text_whatever_they_hold():
    k = np.linspace(-1, 1, 2 * len(HOSTILE)).reshape(-1, 2)
    plane = explore.query_plane(k, k, names=HOSTILE)
    assert plane.names == [name if name != "\ud800" else "\ufffd" for name in HOSTILE]
    plane.figure().canvas.draw()  # matplotlib would raise at a lone $ taken as mathematics
    assert plane.labels()[2] == ".net"
    plane.names = ["a"]
    assert plane.labels()[:3] == ["a", "key 2", "key 3"]


def test_repr_and_the_bundle_for_places_without_a_kernel():
    plane = explore.query_plane(KEYS, VALUES, query=[1.0, 0.7], names=NAMES)
    assert repr(plane) == "query_plane explorer: 4 keys; the query listens most to 苹果: weight 0.38; output (0.56, 0.33)"
    data, _ = plane._repr_mimebundle_()
    assert data["text/plain"] == repr(plane)
    assert base64.b64decode(data["image/png"])[:8] == b"\x89PNG\r\n\x1a\n" and len(data["image/png"]) < 60_000
    assert "application/vnd.jupyter.widget-view+json" in data
    assert plane.png() == plane.png()  # two builds of a notebook agree


def test_the_figure_shows_these_numbers(tmp_path):
    plane = explore.query_plane(KEYS, VALUES, query=[1.0, 0.7], names=NAMES)
    left, middle, right = plane.figure().axes
    assert [bar.get_width() for bar in middle.patches] == pytest.approx(plane.weights().tolist())
    assert [label.get_text() for label in middle.get_yticklabels()] == NAMES

    def tips(ax):
        return [note.xy for note in ax.texts if hasattr(note, "arrow_patch") and note.arrow_patch]

    assert np.allclose(tips(left), [plane.q, *plane.k])
    assert np.allclose(tips(right), [*plane.v, plane.output()])
    plane.save(tmp_path / "plane.svg")
    assert "<svg" in (tmp_path / "plane.svg").read_text(encoding="utf-8")


def test_names_in_the_figure_stay_apart():
    arrows = [picture.Arrow(np.array([1.0, 1.0]), name, picture.KEY, 1.0, 1.0) for name in ("苹果", "香蕉", "query")]
    places = picture.label_places(arrows, reach=1.5)
    for a in range(3):
        for b in range(a):
            assert np.abs(places[a] - places[b]).max() > 0.1


def test_the_hull_holds_all_values_and_nothing_more():
    square = [[0, 0], [2, 0], [2, 2], [0, 2]]
    inside = [[1, 1], [0.5, 1.9], [1, 0], [0, 0]]
    assert sorted(picture.convex_hull(inside + square).tolist()) == sorted(square)
    assert picture.convex_hull([[1, 1]]).tolist() == [[1, 1]]
    assert picture.convex_hull([[0, 0], [1, 1], [2, 2]]).tolist() == [[0, 0], [2, 2]]


def test_every_sentence_is_used_and_every_used_one_exists():
    folder = Path(explore.__file__).parent
    script = (folder / "static" / "query_plane.js").read_text(encoding="utf-8")
    python = "".join((folder / name).read_text(encoding="utf-8") for name in ("query_plane_explorer.py", "query_plane_figure.py"))
    used = set(re.findall(r"words\.(\w+)", script)) | set(re.findall(r'WORDS\["(\w+)"\]', python))
    used |= set(re.findall(r'"(show_\w+|needs_points?)"', script + python))
    assert used - {"save_picture"} == set(sentences.table("explore_query_plane")["query_plane"])  # that one is the kit's


def test_page_and_python_allow_the_same_number_of_keys():
    script = (Path(explore.__file__).parent / "static" / "query_plane.js").read_text(encoding="utf-8")
    assert int(re.search(r"MOST_KEYS = (\d+)", script)[1]) == MOST_KEYS
