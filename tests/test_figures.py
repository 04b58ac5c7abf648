"""Figures hold the data they claim to show, and no label ever becomes a box."""

import io

import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image

from course import figures

HOSTILE = ["<img src=x onerror=alert(1)>", "</script>", "$\\frac{", "_x^2", "🍎", "👩‍👩‍👧", "שלום", "é", "é", "", " ", "\n\t",
           "\ud800", "\x00", "喜欢", "龘", "a" * 300, "%s{}", "\u202e"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_every_character_of_a_label_can_be_drawn(text):
    shown = figures.label(text)
    assert shown and len(shown) <= 24 * 8
    glyphs = set().union(*(font_manager.get_font(font_manager.findfont(f)).get_charmap() for f in figures.font_families()))
    assert all(ord(c) in glyphs for c in shown)


def test_labels_keep_what_they_can():
    assert [figures.label(t) for t in (" 苹果", "", "a\nb", "\ud800", "a" * 30)] == ["·苹果", "∅", "a↵b", "U+D800", "a" * 23 + "…"]
    assert figures.label("cost: $5") == r"cost:·\$5"


def test_the_course_draws_chinese_without_any_installed_font(recwarn, caplog):
    assert "Course CJK" in figures.font_families()
    chapter = set("我喜欢吃苹果和香蕉")
    bundled = font_manager.get_font(str(figures._BUNDLED)).get_charmap()
    assert all(ord(c) in bundled for c in chapter)
    blank, drawn = (figures.png(figures.heat_map(np.eye(2), [t, t], [t, t], title="t")) for t in ("U+FFFF", "苹果"))
    assert blank != drawn
    assert not [w for w in recwarn if "Glyph" in str(w.message)] and not caplog.records


def test_hostile_labels_make_a_picture():
    n = len(HOSTILE)
    data = figures.png(figures.heat_map(np.full((n, n), 1 / n), HOSTILE, HOSTILE, title="hostile"))
    assert np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).std() > 10


def test_a_heat_map_draws_its_weights():
    weights = np.array([[0.25, 0.75, 0.0], [0.5, 0.125, 0.375]])
    mask = np.array([[True, True, False], [True, True, True]])
    ax = figures.heat_map(weights, ["a", "b"], ["x", "y", "z"], title="a hears y", mask=mask).axes[0]
    np.testing.assert_array_equal(ax.images[0].get_array(), weights)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title("left") or ax.get_title()) == ("key", "query", "a hears y")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    assert [t.get_text() for t in ax.texts] == ["0.25", "0.75", "0.50", "0.12", "0.38"]  # the hidden cell has no number
    assert [p.get_xy() for p in ax.patches] == [(1.5, -0.5)]  # and is hatched


def test_many_cells_name_only_some_and_wrong_labels_are_refused():
    ax = figures.heat_map(np.eye(100), range(100), range(100), title="t").axes[0]
    assert len(ax.get_xticklabels()) <= 32 and not ax.texts
    with pytest.raises(ValueError, match="2 rows and 2 columns need as many labels"):
        figures.heat_map(np.eye(2), ["a"], ["b", "c"], title="t")


def test_curves_draw_their_numbers_and_differ_in_more_than_colour():
    ax = figures.curves([1, 2, 4], {"a": [1, 2, 3], "b": [3, 2, 1]}, title="t", xlabel="x", ylabel="y", xlog=True).axes[0]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 2, 3], [3, 2, 1]]
    assert len({(line.get_linestyle(), line.get_marker()) for line in ax.lines}) == 2
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b"]


def test_a_picture_carries_its_alternative_text_everywhere():
    bundle = figures.show(figures.heat_map(np.eye(2), "ab", "ab", title="t"), 'a "quoted" <alt>')._repr_mimebundle_()
    assert bundle["text/plain"] == 'a "quoted" <alt>'
    assert bundle["text/html"].startswith('<img alt="a &quot;quoted&quot; &lt;alt&gt;" src="data:image/png;base64,')
    assert bundle["image/png"] in bundle["text/html"]


def test_pictures_stand_on_an_opaque_card():
    image = Image.open(io.BytesIO(figures.png(figures.heat_map(np.eye(2), "ab", "ab", title="t"))))
    assert "transparency" not in image.info
    corner = image.convert("RGB").getpixel((0, 0))
    assert min(corner) > 240


def contrast(a: str, b: str) -> float:
    def luminance(color):
        rgb = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        return np.dot([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb], (0.2126, 0.7152, 0.0722))

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_ink_reads_on_the_card_and_in_every_cell():
    assert contrast(figures.INK, figures.CARD) > 7 and contrast(figures.QUIET, figures.CARD) > 4.5
    for t in np.linspace(0, 1, 41):
        rgba = figures.MAGNITUDE(t)
        cell = "#" + "".join(f"{round(c * 255):02x}" for c in rgba[:3])
        assert contrast(figures._ink_on(rgba), cell) >= 4.5


def test_a_table_is_readable_as_text_and_as_html():
    table = figures.table([[1.005, -0.0], [-np.inf, np.nan]], ["苹果", "<b>"], ["x", "long name"], "Caption")
    assert repr(table).split("\n") == ["Caption", "         x  long name", "苹果  1.00       0.00", " <b>    −∞        nan"]
    page = table._repr_html_()
    assert "&lt;b&gt;" in page and "<b>" not in page and '<th scope="row"' in page and "<caption" in page
    with pytest.raises(ValueError, match=r"1 rows and 3 columns can't hold values of shape \(1, 2\)"):
        figures.table([[1, 2]], ["a"], ["x", "y", "z"])
