"""The explorers' kit, Python side and what its files promise."""

import base64
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import traitlets
from matplotlib import colormaps

from course import figures
from course.explore import base

NODE = shutil.which("node")


class Bars(base.Explorer):
    kind = "bars"
    _esm = base.module()
    _css = base.stylesheet()
    height = traitlets.Float(1.0)

    def figure(self):
        return figures.curves([1, 2], {"y": [self.height, 2]}, title="bars", xlabel="x", ylabel="y")

    def summary(self):
        return "2 bars"


def test_names_are_handed_on_as_functions_not_modules():
    from course import explore

    for name in explore.__all__:
        assert callable(getattr(explore, name)) and getattr(explore, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing_like_it"):
        explore.nothing_like_it
    code = "import sys, course.explore; print([m for m in ('matplotlib', 'anywidget', 'torch') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_tensors_travel_as_float32_in_order():
    a, b = np.arange(6.0).reshape(2, 3).T, np.array([0.1], dtype=np.float64)
    assert np.frombuffer(base.pack(a, b), "<f4").tolist() == [0, 3, 1, 4, 2, 5, np.float32(0.1)]


@pytest.mark.parametrize("text", ["苹果", "<img src=x onerror=alert(1)>", "\U0001f468\u200d\U0001f469", "", "e\u0301"])
def test_clean_leaves_text_alone(text):
    assert base.clean(text) == text


def test_clean_makes_lone_surrogates_fit_for_json():
    assert base.clean("a\ud800b") == "a\ufffdb"
    assert base.clean("\ud83c\udf4e") == "\U0001f34e"  # a pair is one character
    json.dumps(base.clean("\udfff")).encode()


def test_bundle_has_live_view_picture_and_line():
    bars = Bars()
    data, metadata = bars._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == bars.model_id
    assert data["text/plain"] == repr(bars) == "bars explorer: 2 bars"
    png = base64.b64decode(data["image/png"])
    assert png.startswith(b"\x89PNG") and metadata == {}
    assert png == base64.b64decode(Bars()._repr_mimebundle_()[0]["image/png"])  # the same state, the same bytes
    assert png != base64.b64decode(Bars(height=5.0)._repr_mimebundle_()[0]["image/png"])  # it is the present state


def test_save_writes_the_format_of_the_ending(tmp_path):
    Bars().save(tmp_path / "a.png")
    Bars().save(tmp_path / "a.svg")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in (tmp_path / "a.svg").read_text()


def test_sentences_come_from_the_tables():
    bars = Bars()
    assert bars.sentences["computing"] == base.sentence_tables.table("explore")["kit"]["computing"]


# ── the files the page gets ──────────────────────────────────────────────────────────────────────────────────

SCRIPTS = sorted(base.STATIC.glob("*.js"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_never_parse_markup_or_fetch(script):
    code = re.sub(r"//.*", "", script.read_text(encoding="utf-8"))
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "fetch(",
                      "XMLHttpRequest", "http://", "https://", "import ", "import("):  # fmt: skip
        found = code.replace("http://www.w3.org/", "")  # names of namespaces are no addresses
        assert forbidden not in found, forbidden


@pytest.mark.parametrize("sheet", sorted(base.STATIC.glob("*.css")), ids=lambda path: path.name)
def test_styles_fetch_nothing(sheet):
    text = sheet.read_text(encoding="utf-8")
    assert "url(" not in text and "@import" not in text


def run_kit(expression: str):
    """What an expression on the kit's functions gives, in node."""
    if NODE is None:
        pytest.skip("node is not installed; the browser tests cover the kit as well")
    code = f"{base.module()}\nconsole.log(JSON.stringify({expression}));"
    done = subprocess.run([NODE, "--input-type=module", "-e", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_colours_are_matplotlibs():
    ours = np.array(run_kit("Array.from({length: 256}, (_, i) => viridis(i / 255))"))
    assert np.abs(ours - np.array([colormaps["viridis"](i)[:3] for i in range(256)]) * 255).max() <= 2
    signed = np.array(run_kit("Array.from({length: 256}, (_, i) => diverging(i / 127.5 - 1))"))
    assert np.abs(signed - np.array([colormaps["RdBu_r"](i)[:3] for i in range(256)]) * 255).max() <= 2


def test_ink_on_every_colour_is_readable():
    inks = run_kit("Array.from({length: 256}, (_, i) => [viridis(i / 255), contrastInk(viridis(i / 255))])")

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.array(rgb) / 255]
        return np.dot(linear, (0.2126, 0.7152, 0.0722))

    for rgb, ink in inks:
        light, dark = sorted((luminance(rgb), 0.0 if ink == "#000" else 1.0), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (rgb, ink)


def test_softmax_and_entropy_equal_numpy():
    from course.blocks.attention import softmax

    scores = (np.random.default_rng(0).normal(size=9) * 200).round(3)
    mask = [1, 0, 1, 1, 0, 1, 1, 1, 1]
    for temperature in (0.05, 1, 20):
        got = run_kit(f"""(() => {{ const out = new Float64Array(9);
            softmaxRow({scores.tolist()}, {mask}, {temperature}, out); return [Array.from(out), entropyBits(out)]; }})()""")
        expected = softmax(np.where(mask, scores / temperature, -np.inf))
        np.testing.assert_allclose(got[0], expected, rtol=1e-9, atol=1e-15)
        positive = expected[expected > 0]
        assert got[1] == pytest.approx(-(positive * np.log2(positive)).sum(), rel=1e-9, abs=1e-12)
    assert run_kit("(() => { const out = new Float64Array([7, 7]); return [softmaxRow([1, 2], [0, 0], 1, out), ...out]; })()") == [False, 0, 0]


def test_tokens_are_made_visible():
    shown = run_kit(r"""["", " a\n\t", "\u0000", "a\u202eb", "</script>", "👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦"].map(visible)""")
    assert shown[:5] == ["∅", "·a↵⇥", "␀", "a⇄b", "</script>"]
    assert run_kit("""shorten("👨‍👩‍👧‍👦".repeat(5), 3)""") == "👨‍👩‍👧‍👦👨‍👩‍👧‍👦…"
    assert run_kit("""[shorten("abc", 3), shorten("abcd", 3)]""") == ["abc", "ab…"]


def test_numbers_for_reading():
    assert run_kit("[0, 3.14159, -18.123, 0.0123, 12345.6, 1e-7, NaN].map((x) => number(x))") == \
        ["0", "3.14", "−18.1", "0.0123", "12346", "1.0e−7", "NaN"]  # fmt: skip
    assert run_kit("[0, 1, 0.414, 0.0012, 0.9971, 0.99999, 1e-9].map(weightText)") == \
        ["0", "1", "0.41", "0.0012", "0.9971", "> 0.9999", "< 0.0001"]  # fmt: skip


def test_sentences_are_filled_once():
    """A token that looks like a hole is not filled again."""
    assert run_kit("""say("{a} looks at {b}, {c}", {a: "{b}", b: "x"})""") == "{b} looks at x, {c}"
