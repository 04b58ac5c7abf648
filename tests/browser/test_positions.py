"""The positions explorer in real JupyterLab: used by mouse and keyboard, it shows what course.vectors.positions computes."""

import math

import numpy as np
import pytest

from tests import little_models
from tests.browser.lab import picture

pytestmark = pytest.mark.browser

CELLS = ["import time, numpy as np\nfrom course import explore", "e = explore.positions(); e", "'a cell after it'"]
STATE = ("kind", "T", "d_model", "base", "position", "reference", "feature")


@pytest.fixture(scope="module")
def shared(browser):
    """One notebook for most tests of this file: opening JupyterLab is what takes their time."""
    notebook = browser.open(CELLS)
    notebook.set_theme("light")
    notebook.run_all()
    for fold in notebook.explorer(0).locator("summary").all():
        fold.click()
    yield notebook
    notebook.close()


@pytest.fixture
def live(shared):
    """(notebook, root) of the explorer in the state in which it is made, its folds open; nothing may go wrong meanwhile."""
    shared.execute("e.kind = 'sinusoidal'; e.T, e.d_model, e.base = 64, 32, 1e4; e.position, e.reference, e.feature = 7, 0, 4")
    root = shared.explorer(0)
    settled(shared)
    yield shared, root
    shared.no_faults()


def settled(notebook):
    """Waits until the page has told the kernel what the hand did, and shows the answer."""
    notebook.page.wait_for_timeout(350)
    notebook.wait_idle()
    notebook.page.wait_for_timeout(100)


def press(notebook, root, *keys):
    for key in keys:
        with notebook.repaint(root):
            notebook.page.keyboard.press(key)


def state(notebook) -> dict:
    return dict(zip(STATE, notebook.python("[" + ", ".join(f"e.{name}" for name in STATE) + "]")))


def assert_as_python(notebook, root):
    """State, every cell, the cursor's value, the hand and the similarity are Python's, to 1e-6."""
    settled(notebook)
    now, data = state(notebook), root.evaluate("root => ({...root.dataset})")
    page = {"kind": data["kind"], "base": float(data["base"]), "T": int(data["length"]), "d_model": int(data["width"]),
            **{name: int(data[name]) for name in ("position", "reference", "feature")}}  # fmt: skip
    assert page == now
    values = np.array(notebook.python("e.values()"))
    np.testing.assert_allclose(np.reshape(root.evaluate("root => Array.from(root.matrix)"), values.shape), values, atol=1e-6)
    assert float(data["value"]) == pytest.approx(values[now["position"], now["feature"]], abs=1e-6)
    pair = values[now["position"], 2 * (now["feature"] // 2) :][:2]
    np.testing.assert_allclose([float(x) for x in data["hand"].split()], pair[::-1] if now["kind"] == "sinusoidal" else pair, atol=1e-6)
    curves = root.evaluate("root => root.similarity.map(values => Array.from(values))")
    for random, curve in enumerate(curves):
        np.testing.assert_allclose(curve, notebook.python(f"e.similarity(random={bool(random)})"), rtol=1e-6, atol=1e-6)
    assert len(curves) == 1 + (now["kind"] == "rotary")
    return now


def grid(root):
    return root.get_by_role("grid")


def said(root) -> list[str]:
    """The two sentences beside the dial."""
    return root.locator(".ex-po-dial ~ .ex-po-text").all_text_contents()


def test_the_cursor_is_moved_with_keys_and_read_out(live):
    notebook, root = live
    grid(root).focus()
    for key, place in (("ArrowDown", (8, 4)), ("ArrowRight", (8, 5)), ("ArrowRight", (8, 6)), ("PageDown", (18, 6)), ("ArrowUp", (17, 6)),
                       ("End", (17, 31)), ("Home", (17, 0)), ("Control+End", (63, 31)), ("ArrowLeft", (63, 30)), ("Control+Home", (0, 0))):  # fmt: skip
        press(notebook, root, key)
        now = assert_as_python(notebook, root)
        assert (now["position"], now["feature"]) == place
        frequency = 10000 ** (-2 * (place[1] // 2) / 32)
        value = (math.cos if place[1] % 2 else math.sin)(place[0] * frequency)
        cell = grid(root).get_by_role("gridcell").text_content()
        assert cell.startswith(f"Position {place[0]}, feature {place[1]}: {'cos' if place[1] % 2 else 'sin'}({place[0]} · ")
        assert cell.endswith(f" = {value:.3f}.".replace("-", "−")) and root.locator(".ex-sentence").text_content() == cell
        assert notebook.python("e.summary()").split(". ", 1)[1].startswith(cell)
    notebook.page.wait_for_timeout(300)
    spoken = root.locator(".ex-unseen[aria-live=polite]").text_content()
    assert spoken.startswith("Position 0, feature 0: sin(0 · 1) = 0.000. Pair 0 turns once in 6.28 positions")


def test_the_mouse_finds_the_cell_under_it(live):
    notebook, root = live
    box = grid(root).locator("canvas").bounding_box()
    x0, y0 = box["x"] + 64, box["y"] + 36  # where the cells begin
    notebook.page.mouse.click(box["x"] + box["width"] - 6, box["y"] + box["height"] - 6)
    now = assert_as_python(notebook, root)
    assert (now["position"], now["feature"]) == (63, 31)
    notebook.page.mouse.move(x0 + 2, y0 + 2)
    notebook.page.mouse.down()
    notebook.page.mouse.move(x0 + 60, y0 + 100, steps=6)
    notebook.page.mouse.up()
    now = assert_as_python(notebook, root)
    assert now["position"] > 5 and now["feature"] >= 2


def test_the_hand_turns_with_the_position(live):
    notebook, root = live
    notebook.execute("e.d_model, e.pair = 16, 2")
    settled(notebook)
    assert said(root)[0] == "Pair 2 turns once in 62.8 positions (0.1 radians a position)."
    root.get_by_role("slider", name="position", exact=True).focus()
    for p in (8, 9, 10):
        press(notebook, root, "ArrowRight")
        assert float(root.get_attribute("data-turn")) == pytest.approx(p / 10)
        tip = root.locator(".ex-po-tip").evaluate("tip => [Number(tip.getAttribute('cx')), Number(tip.getAttribute('cy'))]")
        np.testing.assert_allclose(tip, [132 + 92 * math.cos(p / 10), 130 - 92 * math.sin(p / 10)], atol=1e-6)
    assert_as_python(notebook, root)
    root.get_by_role("slider", name="compared with").focus()
    press(notebook, root, *["ArrowRight"] * 3)
    assert said(root)[1] == "From position 3 to position 10: 0.7 radians, 40°."
    root.get_by_role("slider", name="pair").focus()
    press(notebook, root, "Home")
    now = assert_as_python(notebook, root)
    assert (now["feature"], now["position"], now["reference"]) == (0, 10, 3)
    assert said(root)[1] == "From position 3 to position 10: 7 radians, 1.11 turns."
    assert root.get_by_role("slider", name="pair").get_attribute("aria-valuetext") == "pair 0, features 0 and 1"


@pytest.mark.parametrize("kind", ["rotary", "learned", "sinusoidal"])
def test_every_kind_is_pythons_and_says_what_the_distance_does(live, kind):
    notebook, root = live
    root.get_by_role("radio", name="learned" if kind == "sinusoidal" else "sinusoidal").check()
    root.get_by_role("radio", name=kind).check()
    assert assert_as_python(notebook, root)["kind"] == kind
    notebook.execute("e.reference, e.position, e.feature = 30, 44, 9")
    assert_as_python(notebook, root)
    fold = root.locator("details").first.text_content()
    wanted = {"sinusoidal": "to the left as to the right: only the distance counts", "rotary": "only the offset counts, and for two different vectors its sign",
              "learned": "The same distance gives different numbers"}  # fmt: skip
    assert wanted[kind] in fold and ("A fresh table knows no distances" in fold) == (kind == "learned") == ("shaded" in fold)
    assert root.get_by_role("slider", name="base").is_disabled() == (kind == "learned")
    cell = root.get_by_role("gridcell").text_content()
    assert cell in notebook.python("e.summary()")
    picture(notebook, f"positions-{kind}", root)


def test_the_reference_is_dragged_and_its_curve_moves_as_a_whole(live):
    notebook, root = live
    plot = root.locator(".ex-po-plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    place = lambda p: box["x"] + 46 + p / 63 * (box["width"] - 58)  # noqa: E731
    mouse, curves = notebook.page.mouse, {}
    mouse.move(place(0), box["y"] + 80)
    mouse.down()
    for p in (10, 20, 40):
        with notebook.repaint(root):
            mouse.move(place(p) + 2, box["y"] + 90)
        assert root.get_attribute("data-reference") == str(p)
        curves[p] = root.evaluate("root => Array.from(root.similarity[0])")
    mouse.up()
    assert assert_as_python(notebook, root)["reference"] == 40
    np.testing.assert_allclose(curves[20][10:60], curves[10][:50], atol=1e-9)
    np.testing.assert_allclose(curves[40][30:], curves[20][10:44], atol=1e-9)


def test_width_base_and_length(live):
    notebook, root = live
    notebook.execute("e.position, e.feature, e.reference = 60, 31, 50")
    settled(notebook)
    for name, typed, trait, value in (("width d_model", "17", "d_model", 16), ("length T", "20", "T", 20), ("base", "500", "base", 500.0),
                                      ("length T", "9999", "T", 512), ("width d_model", "128", "d_model", 128), ("base", "3", "base", 10.0)):  # fmt: skip
        box = root.get_by_role("spinbutton", name=name)
        box.fill(typed)
        box.blur()
        assert assert_as_python(notebook, root)[trait] == value
        assert float(box.input_value()) == value
    now = state(notebook)
    assert (now["position"], now["feature"], now["reference"]) == (19, 15, 19)  # within the smallest sizes on the way
    root.get_by_role("slider", name="base").focus()
    press(notebook, root, "End")
    assert assert_as_python(notebook, root)["base"] == 1e6
    root.get_by_role("slider", name="length T").focus()
    press(notebook, root, "Home")
    root.get_by_role("slider", name="width d_model").focus()
    press(notebook, root, "Home")
    now = assert_as_python(notebook, root)
    assert (now["T"], now["d_model"], now["position"], now["feature"]) == (1, 2, 0, 1)
    assert root.get_by_text("There is one position").is_visible()
    picture(notebook, "positions-smallest", root)


def test_typing_beyond_the_last_position_is_bent_back(live):
    notebook, root = live
    box = root.get_by_role("spinbutton", name="position", exact=True)
    box.fill("700")
    box.blur()
    assert assert_as_python(notebook, root)["position"] == 63
    assert box.input_value() == "63"


def test_keys_stay_inside(live):
    notebook, root = live
    cells = notebook.cells()
    focusable = root.locator("input, button, summary, [tabindex]")
    assert focusable.count() == 18  # three radios, the grid, six sliders with their boxes, two folds
    for i in range(focusable.count()):
        assert focusable.nth(i).get_attribute("data-lm-suppress-shortcuts") == "true"
    for i in (0, 3, 4, 10):
        focusable.nth(i).focus()
        for key in ("d", "d", "x", "a", "b", "m", "ArrowDown", "ArrowUp"):
            notebook.page.keyboard.press(key)
    settled(notebook)
    assert notebook.cells() == cells


USE = """def sinusoidal(T, d_model):
    asked.append((T, d_model))
    if T == 13: raise RuntimeError("thirteen <b>rows</b>")
    if T == 14: return np.zeros((d_model, T))
    time.sleep(0.5 if T > 100 else 0)
    angle = np.arange(T)[:, None] / 10000 ** (np.arange(d_model) // 2 * 2 / d_model)
    return np.where(np.arange(d_model) % 2 == 0, np.sin(angle), np.cos(angle) * scale)
asked, scale = [], 1
e = explore.positions(use=sinusoidal); e"""


def test_the_learners_function_is_asked_when_the_hand_rests(open_notebook):
    notebook = open_notebook([CELLS[0], USE])
    notebook.run_all()
    root = notebook.explorer(0)
    for fold in root.locator("summary").all():
        fold.click()
    assert root.get_by_text("Your function agrees with the course's sinusoidal").is_visible()
    assert_as_python(notebook, root)
    assert root.get_by_role("slider", name="base").is_disabled()
    length = root.get_by_role("slider", name="length T")
    length.focus()
    for _ in range(12):
        notebook.page.keyboard.press("ArrowRight")
    assert_as_python(notebook, root)
    assert notebook.python("asked[-1]") == [76, 32] and notebook.python("len(asked)") <= 4
    box = root.get_by_role("spinbutton", name="length T")
    box.fill("200")  # slow: the old picture stays, and a quiet sign says why
    assert root.get_by_text("asking your function …").is_visible() and root.get_attribute("data-length") == "76"
    notebook.page.wait_for_function("root => root.getAttribute('aria-busy') === 'false'", arg=root.element_handle())
    assert_as_python(notebook, root)
    box.fill("13")
    settled(notebook)
    alert = root.get_by_role("alert")
    assert alert.text_content() == "Your function raised RuntimeError: thirteen <b>rows</b>" and root.locator("b").count() == 0
    assert root.get_attribute("data-length") == "200" and root.get_attribute("aria-busy") == "false"  # the last good picture
    picture(notebook, "positions-failed", root)
    box.fill("14")
    settled(notebook)
    assert alert.text_content().endswith("must return an array of shape (14, 32) (positions, features); it returned (32, 14).")
    notebook.execute("scale = 0.5; e.position, e.reference, e.feature = 1, 0, 0")
    box.fill("15")
    settled(notebook)
    degrees = math.degrees(math.atan2(math.sin(1), math.cos(1) / 2) - 0)  # a hand squeezed to half its width
    assert said(root) == ["Pair 0 should turn once in 6.28 positions (1 radians a position).", f"Between the hands of positions 0 and 1: {degrees:.0f}°."]
    assert alert.is_hidden() and root.get_by_text("Your function differs from the course's sinusoidal by up to 0.5").is_visible()
    assert_as_python(notebook, root)
    assert notebook.python("asked") == notebook.python("list(dict.fromkeys(asked))")  # no sizes twice
    notebook.execute("scale = 1")
    for length in ("13", "15"):  # the same size again, and another answer
        box.fill(length)
        settled(notebook)
    assert root.get_by_text("Your function agrees with the course's sinusoidal").is_visible()
    assert_as_python(notebook, root)
    root.get_by_role("radio", name="rotary").check()
    assert_as_python(notebook, root)
    notebook.no_faults()


def test_a_function_that_never_worked_leaves_its_sentence(open_notebook):
    notebook = open_notebook([CELLS[0], "e = explore.positions(use=lambda T, d_model: None if T == 64 else np.zeros((T, d_model))); e"])
    notebook.run_all()
    root = notebook.explorer(0)
    assert "it returned NoneType" in root.get_by_role("alert").text_content() and grid(root).is_hidden()
    root.get_by_text("Width, base and length").click()
    root.get_by_role("spinbutton", name="length T").fill("5")
    settled(notebook)
    assert root.get_by_role("alert").is_hidden() and grid(root).is_visible()
    assert "your function gives 0.000" in grid(root).get_by_role("gridcell").text_content()
    notebook.no_faults()


def test_a_table_limits_the_sizes_and_two_views_are_one_state(open_notebook):
    table = "e = explore.positions('learned', table=np.random.default_rng(0).normal(size=(20, 11)), title='<img src=x> 位置'); e"
    notebook = open_notebook([CELLS[0], table, "e"])
    notebook.run_all()
    first, second = notebook.explorer(0), notebook.explorer(1)
    ids = notebook.page.evaluate("() => [...document.querySelectorAll('.ex-positions [id]')].map(node => node.id)")
    assert len(ids) > 10 and len(ids) == len(set(ids))
    assert first.locator("img").count() == 0 and first.get_by_text("<img src=x> 位置").is_visible()
    assert first.get_by_text("The table has 20 positions and 11 features. Shown are the first 20 positions and 10 features").is_visible()
    for root in (first, second):
        for fold in root.locator("summary").all():
            fold.click()
    assert_as_python(notebook, first)
    notebook.execute("e.kind = 'sinusoidal'; e.T, e.d_model = 300, 64")
    settled(notebook)
    with notebook.repaint(second):
        first.get_by_role("radio", name="learned").check()
    for root in (first, second):
        now = assert_as_python(notebook, root)
        assert (now["T"], now["d_model"]) == (20, 10)
    assert first.get_by_role("slider", name="length T").get_attribute("max") == "20"
    notebook.no_faults()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_any_kind(live, theme):
    axe = little_models.needed("axe_playwright_python.sync_playwright").Axe()
    notebook, root = live
    notebook.set_theme(theme)
    for kind in ("sinusoidal", "rotary", "learned"):
        notebook.execute(f"e.kind, e.reference = {kind!r}, 20")
        settled(notebook)
        found = axe.run(notebook.page, context=".ex-positions").response["violations"]
        grave = [(fault["id"], node["html"][:200], node["failureSummary"][:300]) for fault in found if fault["impact"] in ("serious", "critical")
                 for node in fault["nodes"]]  # fmt: skip
        assert grave == []
    picture(notebook, f"positions-{theme}-learned", root)
    notebook.set_theme("light")


def test_a_narrow_page_in_both_themes(live):
    notebook, root = live
    notebook.set_size(480, 1900)
    root.evaluate("root => { root.style.width = '360px'; }")
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        for kind, T, d_model in (("sinusoidal", 64, 32), ("rotary", 512, 128), ("learned", 16, 8)):
            notebook.execute(f"e.kind = {kind!r}; e.T, e.d_model = {T}, {d_model}")
            assert_as_python(notebook, root)
            assert root.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
            out = root.evaluate("""root => [...root.querySelectorAll('svg, canvas, input, label, p')].filter(node => node.getClientRects().length
                && node.getBoundingClientRect().right > root.getBoundingClientRect().right).map(node => node.outerHTML.slice(0, 90))""")
            assert out == []
        picture(notebook, f"positions-narrow-{theme}", root)
    root.evaluate("root => { root.style.width = ''; }")
    notebook.set_theme("light")
    notebook.set_size(1280, 1000)


def test_nothing_moves_by_itself(live):
    notebook, root = live
    before = root.get_attribute("data-revision")
    notebook.page.wait_for_timeout(600)
    assert root.get_attribute("data-revision") == before
    assert root.evaluate("root => root.getAnimations({subtree: true}).length") == 0
