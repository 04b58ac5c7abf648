"""The picture of a whole model's explorer without a kernel: what it shows where, and what its PNG keeps of it."""

import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from course import explore, figures
from course.explore import model_figure
from tests.test_explore_model import Made
from tests.test_explore_model_parts import Ours

WIDE = "苹" * 40 + " 👩‍👩‍👧‍👦👩‍👩‍👧‍👦 $x$ \x1b[31m a"


def made(text="a b c d e", layer=0):
    e = explore.attention(Made(), text=text)
    e.layer, e.head = layer, 1
    return e


def names(ax):
    """text → where it stands, of the texts of an axes."""
    return {text.get_text(): text.get_position() for text in ax.texts}


@pytest.mark.parametrize("count", (5, 24, 25, 60), ids=str)
def test_names_stand_at_their_cells_and_no_more_than_there_is_room_for(count):
    words = [f"w{i}" for i in range(count)]
    placed = [(text.get_text(), text.get_position()) for text in made(" ".join(words)).figure().axes[1].texts]
    rows = [(name, y) for name, (x, y) in placed if name in words and x < -0.5]
    columns = [(name, x) for name, (x, y) in placed if name in words and y > count - 0.5]
    step = 1 if count <= 24 else 2 if count <= 48 else 3
    assert rows == columns == [(words[i], i) for i in range(0, count, step)]


def test_each_cell_of_a_small_head_bears_its_number_and_closed_ones_none():
    e = made()
    weights, placed = e.weights()[1], e.figure().axes[1].texts
    numbers = {text.get_position(): text.get_text() for text in placed if text.get_position()[0] in range(5) and text.get_position()[1] in range(5)}
    assert numbers == {(j, i): f"{weights[i, j]:.2f}" for i in range(5) for j in range(i + 1)}  # causal
    assert all(text.get_position()[0] not in range(9) or text.get_position()[1] not in range(9)
               for text in made("a b c d e f g h i").figure().axes[1].texts)  # fmt: skip


@pytest.mark.parametrize("text", ("a b c d e", " ".join(map(str, range(50)))), ids=("hatched", "grey"))
def test_one_patch_covers_the_cells_that_may_not_be_looked_at(text):
    e = made(text)
    patch = e.figure().axes[1].patches[-1]
    T = len(e.tokens)
    inside = patch.get_path().contains_points([(j, i) for i in range(T) for j in range(T)]).reshape(T, T)
    assert inside.tolist() == np.triu(np.ones((T, T), dtype=bool), 1).tolist()
    assert bool(patch.get_hatch()) == (T == 5)
    e.closed, e.mask_mode = [1 * T + 2, 3 * T + 0], "draw"
    path = e.figure().axes[1].patches[-1].get_path()
    assert [cell for cell in np.ndindex(T, T) if path.contains_point(cell[::-1])] == [(1, 2), (3, 0)]


def test_the_colour_bar_names_what_its_colours_stand_for():
    e = made("a b c d e f g h", layer=2)
    e.head = 0  # looks evenly: 1/8
    bar = e.figure().axes[2]
    assert e.figure().axes[1].images[0].norm.vmax == 0.2
    placed = names(bar)
    assert {text: placed[text][1] for text in ("0", "0.1", "0.2")} == {"0": 255, "0.1": 127.5, "0.2": 0} and "weight" in placed
    colours = bar.images[0].get_array()[:, 0]
    assert (colours[0], colours[-1]) == (1, 0)


def test_ink_is_the_one_that_reads_better_on_every_colour():
    for share in np.linspace(0, 1, 201):
        channels = np.array(figures.MAGNITUDE(share)[:3])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        contrast = linear @ (0.2126, 0.7152, 0.0722) + 0.05
        chosen = contrast / 0.05 if share > model_figure.BRIGHT else 1.05 / contrast
        assert chosen >= 4.4, share


@pytest.mark.parametrize("text", (WIDE, "a", " ".join(["word"] * 70)), ids=("wide names", "one token", "many"))
def test_the_png_is_what_is_drawn_cut_with_an_even_edge(text):
    e = made(text)
    picture = np.asarray(Image.open(io.BytesIO(e.png())).convert("RGB")).astype(int)
    card = picture[0, 0]
    assert np.abs(card - (0xFB, 0xFB, 0xF8)).max() <= 1
    drawn = (np.abs(picture - card) > 0).any(-1)
    pad = round(0.12 * figures.DPI)
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    edges = (rows[0], len(picture) - 1 - rows[-1], columns[0], picture.shape[1] - 1 - columns[-1])
    assert all(abs(edge - pad) <= 2 for edge in edges)  # the faintest of what is drawn may have become the card's colour
    with figures.style():
        canvas = FigureCanvasAgg(e.figure())
        canvas.draw()
        full = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    ink = (np.abs(full - full[0, 0]) > 8).any(-1)
    assert not (ink[:4].any() or ink[-4:].any() or ink[:, :4].any() or ink[:, -4:].any())  # no name reaches out of the canvas
    top, left = np.flatnonzero(ink.any(1))[0] - rows[0], np.flatnonzero(ink.any(0))[0] - columns[0]
    same = full[max(top, 0) :, max(left, 0) :][: len(picture), : picture.shape[1]]
    assert np.abs(same - picture[: len(same), : same.shape[1]]).mean() < 2


def test_the_same_state_gives_the_same_bytes_and_another_state_others():
    assert made().png() == made().png() and made().png() != made(layer=1).png()
    e = explore.attention(Made(), text="")
    assert e.png().startswith(b"\x89PNG")  # the sentence that says why there is none


# ── the second head ──────────────────────────────────────────────────────────────────────────────────────────


def sorted_by_two(**settings):
    e = explore.attention(Made(), text="a b c d e", **settings)
    e.layer, e.head, e.columns_by, e.rows_by = 1, 1, 2, 0
    return e


def cells(ax):
    """(names of the rows from above, of the columns from the left, numbers) of an axes."""
    T, S = ax.images[0].get_array().shape
    rows = [text.get_text() for text in ax.texts if text.get_position()[0] < -0.5 and text.get_position()[1] in range(T)]
    columns = [text.get_text() for text in ax.texts if text.get_position()[1] > T - 0.5 and text.get_position()[0] in range(S)]
    return rows, columns, np.asarray(ax.images[0].get_array())


@pytest.mark.parametrize("second, names", [(dict(text2="f g h i j"), "fghij"), (dict(compare=Made()), "abcde"), ({}, "abcde")],
                         ids=("text", "model", "pin"))  # fmt: skip
def test_the_second_head_stands_beside_in_the_order_of_the_large_one(second, names):
    e = sorted_by_two(**second)
    e.pin = [] if second else [0, 3]
    rows, columns = e.order()
    assert sorted(rows) == list(range(5)) and list(rows) != sorted(rows) and list(columns) != sorted(columns)
    figure = e.figure()
    large, other = figure.axes[1], figure.axes[2]
    shown = np.frombuffer(e.beside_weights, np.float32).reshape(5, 5)
    for ax, words, weights in ((large, "abcde", e.weights()[1]), (other, names, shown)):
        row_names, column_names, numbers = cells(ax)
        assert row_names == [words[i] for i in rows] and column_names == [words[j] for j in columns]
        np.testing.assert_allclose(numbers, weights[np.ix_(rows, columns)], atol=1e-7)
    assert other.get_title(loc="left") == e.beside["title"] and large.get_title(loc="left") == "layer 2 · head 1"
    assert large.images[0].norm.vmax == other.images[0].norm.vmax >= max(shown.max(), e.weights()[1].max())
    if not second:  # its own mask, which moves with its cells
        path = other.patches[-1].get_path()
        assert {(i, j) for i, j in np.ndindex(5, 5) if path.contains_point((j, i))} == {(i, j) for i, j in np.ndindex(5, 5) if columns[j] > rows[i]}


def test_a_second_head_with_more_or_fewer_tokens_stays_in_text_order():
    e = sorted_by_two(text2="f g h")
    row_names, column_names, numbers = cells(e.figure().axes[2])
    assert row_names == column_names == ["f", "g", "h"]
    np.testing.assert_allclose(numbers, np.frombuffer(e.beside_weights, np.float32).reshape(3, 3), atol=1e-7)


def test_two_heads_have_one_scale():
    e = made("a b c d e f g h")
    e.pin = [2, 0]  # looks evenly: 1/8
    figure = e.figure()
    assert [ax.images[0].norm.vmax for ax in figure.axes[1:3]] == [1, 1] and {"0", "0.5", "1"} <= set(names(figure.axes[3]))
    e.layer, e.head, e.pin = 2, 0, [0, 1]
    assert [ax.images[0].norm.vmax for ax in e.figure().axes[1:3]] == [1, 1]


def test_each_side_follows_by_itself():
    """Between two texts the rows may be the large head's tokens while the columns are others."""
    e = explore.attention(Ours(), text="a b c d e f", target="x y z")
    e.layer, e.head, e.pin, e.columns_by, e.rows_by = 2, 0, [3, 1], 2, 0
    rows, columns = e.order()
    second = e.second()
    assert list(second.rows) == list(rows) != [0, 1, 2, 3] and list(columns) != [0, 1, 2, 3]
    assert list(second.columns) == list(range(7)) and second.key_tokens[-1] == "[end]" and second.mask is None


@pytest.mark.parametrize("title", ("l", "a layer whose name takes room"), ids=("short title", "long title"))
@pytest.mark.parametrize("words", ("苹" * 12, "W" * 30, "a"), ids=("Chinese", "wide", "narrow"))
def test_names_and_titles_of_two_heads_stay_apart(words, title):
    e = explore.attention(Made(), text=words, text2=f"{words} {words}s b")
    e.layer_names = [title] * 3
    with figures.style():
        figure = e.figure()
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    large, second = (ax for ax in figure.axes[1:3])
    boxes = [[artist.get_window_extent(canvas.get_renderer()) for artist in (*ax.texts, ax._left_title, ax.images[0])] for ax in (large, second)]
    assert not any(one.overlaps(other) for one in boxes[0] for other in boxes[1])
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0 for side in boxes for box in side)
