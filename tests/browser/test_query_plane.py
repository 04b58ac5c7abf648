"""The query plane in real JupyterLab: moved by mouse, touch and keyboard, it shows what NumPy computes."""

import shutil

import numpy as np
import pytest

from tests.browser.lab import CONTRAST, PICTURES, picture

pytestmark = pytest.mark.browser

PLANE = """from course import explore
p = explore.query_plane([[1.2, .4], [.9, .8], [-.3, 1.1], [-1, -.5]], [[1, 0], [.8, .5], [-.5, 1], [-.6, -.9]],
                        query=[1, .7], names=["苹果", "香蕉", "吃", "喜欢"])
p"""
STACKED = """from course import explore
p = explore.query_plane([[1, 1]] * 3, [[1, 0]] * 3, query=[1, 1], names=["a", "b", "c"])
p"""
HOSTILE = r"""import numpy as np
from course import explore
names = ["<img src=x onerror=alert(1)>", "</script>", ".net", "#tag", "🍎", "مرحبا", "e\u0301\u0301", "\ud800", "",
         "x" * 200, " \n\t", "a\u202eb", "<b>苹果</b>"]
p = explore.query_plane(np.random.default_rng(0).normal(size=(13, 2)), np.random.default_rng(1).normal(size=(13, 2)), names=names)
p"""


def shown(root) -> dict:
    """The numbers the page shows, in full precision, as arrays."""
    numbers = root.evaluate("""root => ({
        scores: [...root.querySelectorAll("tbody tr")].map(row => Number(row.dataset.score)),
        weights: [...root.querySelectorAll("tbody tr")].map(row => Number(row.dataset.weight)),
        output: ["x", "y"].map(axis => Number(root.querySelector("p[data-x]").dataset[axis])),
    })""")
    return {name: np.array(values) for name, values in numbers.items()}


def computed(notebook) -> dict:
    """The same numbers, computed by NumPy in the kernel from the state that the page told it."""
    return {name: np.array(notebook.python(f"p.{name}()")) for name in ("scores", "weights", "output")}


def assert_agree(notebook, root):
    page, kernel = shown(root), computed(notebook)
    for name in kernel:
        assert page[name].shape == kernel[name].shape
        np.testing.assert_allclose(page[name], kernel[name], rtol=0, atol=1e-12, err_msg=name)


def tip(root, handle: str) -> tuple[float, float]:
    box = root.locator(f'[data-id="{handle}"]').bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def settled(notebook):
    """Waits until the page has told the kernel what the hand did, and every glide of an axis has ended."""
    notebook.page.wait_for_timeout(450)
    notebook.wait_idle()


def drag(notebook, root, handle: str, dx: float, dy: float, steps: int = 8):
    """Drags a handle by pixels to the right and down."""
    x, y = tip(root, handle)
    mouse = notebook.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + dx, y + dy, steps=steps)
    mouse.up()
    settled(notebook)


def test_arrow_keys_move_query_keys_and_values(open_notebook):
    notebook = open_notebook([PLANE])
    notebook.run_all()
    root = notebook.explorer()
    assert_agree(notebook, root)
    keyboard = notebook.page.keyboard
    root.locator('[data-id="q"]').focus()
    for key, expected in [("ArrowRight", [1.1, 0.7]), ("ArrowDown", [1.1, 0.6]), ("Shift+ArrowUp", [1.1, 1.1]), ("ArrowLeft", [1.0, 1.1])]:
        before = shown(root)["weights"]
        with notebook.repaint(root):
            keyboard.press(key)
        settled(notebook)
        assert notebook.python("p.q") == expected
        assert np.abs(shown(root)["weights"] - before).max() > 1e-3
        assert_agree(notebook, root)
    assert root.locator('[data-id="q"]').get_attribute("aria-valuetext") == "query at (1.00, 1.10)"
    keyboard.press("Tab")  # from the query to the first key
    keyboard.press("ArrowLeft")
    settled(notebook)
    assert notebook.python("p.k")[0] == [1.1, 0.4]
    root.locator('[data-id="v3"]').focus()
    keyboard.press("ArrowUp")
    settled(notebook)
    assert notebook.python("p.v")[3] == [-0.6, -0.8]
    assert_agree(notebook, root)
    weights, (x, y) = notebook.python("p.weights()"), notebook.python("p.output()")
    top = ["苹果", "香蕉", "吃", "喜欢"][int(np.argmax(weights))]
    assert root.locator("[role=status]").all_inner_texts()[-1] == (
        f"The query listens most to {top}: weight {max(weights):.2f}; output ({x:.2f}, {y:.2f}).".replace("-", "−"))
    notebook.no_faults()


def test_dragging_with_the_mouse(open_notebook):
    notebook = open_notebook([PLANE])
    notebook.run_all()
    root = notebook.explorer()
    for handle, trait in [("q", "p.q"), ("k2", "p.k[2]"), ("v0", "p.v[0]")]:
        before = np.array(notebook.python(trait))
        drag(notebook, root, handle, -40, -30)
        moved = np.array(notebook.python(trait)) - before
        assert moved[0] < -0.1 and moved[1] > 0.1, (handle, moved)  # left and up
        assert_agree(notebook, root)
    notebook.no_faults()


def test_every_frame_of_a_drag_shows_its_own_numbers(open_notebook):
    """During the drag, before Python hears of it: weights on the page belong to the query on the page."""
    notebook = open_notebook([PLANE])
    notebook.run_all()
    root = notebook.explorer()
    x, y = tip(root, "q")
    mouse = notebook.page.mouse
    mouse.move(x, y)
    mouse.down()
    settled(notebook)
    seen = []
    for step in range(1, 9):
        with notebook.repaint(root):
            mouse.move(x - 20 * step, y + 3 * step)
        handle = root.locator('[data-id="q"]')
        q = [float(handle.get_attribute(f"data-{axis}")) for axis in "xy"]
        scores = np.array([[1.2, 0.4], [0.9, 0.8], [-0.3, 1.1], [-1, -0.5]]) @ q / np.sqrt(2)
        e = np.exp(scores - scores.max())
        np.testing.assert_allclose(shown(root)["weights"], e / e.sum(), atol=1e-12)
        seen.append(tuple(q))
    mouse.up()
    assert len(set(seen)) == 8
    notebook.no_faults()


def test_dragging_with_a_finger(open_notebook):
    notebook = open_notebook([PLANE], touch=True)
    notebook.run_all()
    root = notebook.explorer()
    x, y = tip(root, "q")
    fingers = notebook.page.context.new_cdp_session(notebook.page)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        fingers.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x - 4 * step, "y": y + 8 * step}]})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settled(notebook)
    q = notebook.python("p.q")
    assert q[0] < 0.8 and q[1] < 0.2, q  # moved all the way: the page did not scroll instead
    assert_agree(notebook, root)
    notebook.no_faults()


def test_keys_pressed_inside_never_reach_the_notebook(open_notebook):
    notebook = open_notebook(["before = 1", PLANE, "after = 1"])
    notebook.run_all()
    root = notebook.explorer()
    x, y = tip(root, "k0")
    notebook.page.mouse.click(x, y)  # a click on a cell's output puts JupyterLab into command mode
    assert root.evaluate("root => root.contains(document.activeElement)")
    before = notebook.cells()
    keyboard = notebook.page.keyboard
    for stop in range(12):
        for key in ["d", "d", "x", "a", "b", "m", "0", "0", "ArrowDown", "ArrowUp"]:
            keyboard.press(key)
        assert notebook.cells() == before, f"at the stop {stop} of the Tab key"
        keyboard.press("Tab")
    settled(notebook)
    assert len(before) == 3
    assert notebook.python("[before, after]") == [1, 1]
    notebook.no_faults()


def test_controls_and_everything_folded_away(open_notebook):
    notebook = open_notebook([PLANE])
    notebook.run_all()
    root = notebook.explorer()
    page = notebook.page
    root.get_by_label("divide scores by √d_k").focus()
    page.keyboard.press("Space")
    settled(notebook)
    assert notebook.python("p.scale_on") is False
    assert_agree(notebook, root)
    temperature = root.get_by_role("slider", name="temperature")
    temperature.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    settled(notebook)
    assert notebook.python("p.temperature") > 1.2
    assert_agree(notebook, root)
    root.get_by_role("spinbutton", name="temperature").fill("0.25")
    settled(notebook)
    assert notebook.python("p.temperature") == 0.25
    assert_agree(notebook, root)

    root.get_by_text("More to see and to change").click()
    for label, trait in [("shadow of every key", "show_projections"), ("lines of equal score", "show_levels"), ("output as a sum", "show_sum")]:
        root.get_by_label(label).check()
        settled(notebook)
        assert notebook.python(f"p.{trait}") is True
    assert root.locator(".qp-foot").count() == 4 and root.locator(".qp-part").count() == 4 and root.locator(".qp-level").count() == 9
    picture(notebook, "query_plane-everything", root)

    root.get_by_role("button", name="Add a key").click()
    root.get_by_label("5", exact=True).fill("和")
    settled(notebook)
    assert notebook.python("p.names") == ["苹果", "香蕉", "吃", "喜欢", "和"]
    assert notebook.python("[len(p.k), len(p.v)]") == [5, 5]
    assert_agree(notebook, root)
    root.get_by_role("button", name="Remove key 2").click()
    settled(notebook)
    assert notebook.python("p.names") == ["苹果", "吃", "喜欢", "和"]
    assert notebook.python("p.k")[1] == [-0.3, 1.1]
    assert_agree(notebook, root)
    root.get_by_role("button", name="Remove key 1").evaluate("button => { for (let i = 0; i < 9; i++) button.click() }")
    settled(notebook)
    assert root.get_by_role("button", name="Remove key 1").is_disabled()
    assert root.locator(".qp-says").inner_text().startswith("There is one key, 和, and it gets the whole weight")
    root.get_by_role("button", name="Add a key").evaluate("button => { for (let i = 0; i < 20; i++) button.click() }")
    settled(notebook)
    assert notebook.python("len(p.k)") == 16 and root.get_by_role("button", name="Add a key").is_disabled()
    assert_agree(notebook, root)
    root.get_by_role("button", name="Start again").click()
    settled(notebook)
    assert notebook.python("p.k") == [[1.2, 0.4], [0.9, 0.8], [-0.3, 1.1], [-1, -0.5]]
    assert notebook.python("[p.temperature, p.scale_on, p.names]") == [1.0, True, ["苹果", "香蕉", "吃", "喜欢"]]
    notebook.no_faults()


def test_python_moves_the_picture_and_any_state_agrees(open_notebook):
    notebook = open_notebook([PLANE])
    notebook.run_all()
    root = notebook.explorer()
    rng = np.random.default_rng(0)
    for size, temperature, scale in [(1, 1, True), (30, 0.05, False), (1e3, 20, True), (1e-4, 1, True), (1, 0.3, False)]:
        k, v, q = (rng.normal(size=shape) * size for shape in ((6, 2), (6, 2), (2,)))
        with notebook.repaint(root):
            notebook.execute(f"with p.hold_sync():\n    p.k, p.v, p.q = {k.tolist()}, {v.tolist()}, {q.tolist()}\n"
                             f"    p.temperature, p.scale_on = {temperature}, {scale}")  # fmt: skip
        settled(notebook)
        page, kernel = shown(root), computed(notebook)
        np.testing.assert_allclose(page["weights"], kernel["weights"], atol=1e-12)
        np.testing.assert_allclose(page["scores"], kernel["scores"], rtol=1e-12)
        np.testing.assert_allclose(page["output"], kernel["output"], rtol=1e-9, atol=1e-12 * size)
        x, y = tip(root, "k0")
        box = root.locator("svg").first.bounding_box()
        assert box["x"] <= x <= box["x"] + box["width"] and box["y"] <= y <= box["y"] + box["height"]  # the axes made room
    with notebook.repaint(root):
        notebook.execute("p.k = [[1, 0]]")
    assert root.locator("[role=alert]").inner_text().startswith("1 keys and 6 values: every key needs its value")
    with notebook.repaint(root):
        notebook.execute("p.v = [[2, 3]]")
    assert root.locator("[role=alert]").is_hidden()
    assert shown(root)["output"].tolist() == [2, 3]
    notebook.no_faults()


def test_zero_query_and_handles_on_one_spot(open_notebook):
    notebook = open_notebook([STACKED])
    notebook.run_all()
    root = notebook.explorer()
    focused = "() => document.activeElement.dataset.id"
    x, y = tip(root, "q")
    visited = []
    for _ in range(5):  # each click without a move goes to the next one on the spot
        notebook.page.mouse.click(x, y)
        visited.append(notebook.page.evaluate(focused))
    assert set(visited) == {"q", "k0", "k1", "k2"}
    root.locator('[data-id="k1"]').focus()
    drag(notebook, root, "k1", 0, 60)  # the focused one is the one that moves
    k = notebook.python("p.k")
    assert k[0] == k[2] == [1, 1] and k[1][1] < 0.8 and notebook.python("p.q") == [1, 1]
    labels = [root.locator(f".qp-labels text:has-text('{name}')").first.bounding_box() for name in ("a", "c", "query")]
    for a in range(3):
        for b in range(a):
            assert abs(labels[a]["x"] - labels[b]["x"]) > 4 or abs(labels[a]["y"] - labels[b]["y"]) > 4

    root.locator('[data-id="q"]').focus()
    notebook.page.keyboard.press("Home")
    settled(notebook)
    assert notebook.python("p.q") == [0, 0]
    assert root.locator(".qp-says").inner_text().startswith("The query is zero, so every score is 0 and all 3 keys have weight 0.33")
    assert_agree(notebook, root)
    drag(notebook, root, "q", 30, -30)  # a zero vector can be taken hold of
    assert min(notebook.python("p.q")) > 0.1
    notebook.no_faults()


def test_axes_hold_still_during_a_drag(open_notebook):
    notebook = open_notebook([PLANE])
    notebook.run_all()
    root = notebook.explorer()
    ticks = "root => [...root.querySelector('svg').querySelectorAll('.qp-tick')].map(node => [node.textContent, node.getAttribute('x')])"
    before = root.evaluate(ticks)
    x, y = tip(root, "q")
    mouse = notebook.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 2000, y, steps=10)  # far out of the window
    notebook.page.wait_for_timeout(300)
    assert root.evaluate(ticks) == before
    mouse.up()
    settled(notebook)
    assert root.evaluate(ticks) != before  # now there is room to go on
    assert_agree(notebook, root)
    notebook.no_faults()


def test_hostile_names_are_text(open_notebook):
    notebook = open_notebook([HOSTILE])
    dialogs = []
    notebook.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    notebook.run_all()
    root = notebook.explorer()
    root.get_by_text("More to see and to change").click()
    root.get_by_label("3", exact=True).fill("<img src=y onerror=alert(2)>")
    settled(notebook)
    assert not dialogs
    assert root.locator("img, script, b, #tag").count() == 0
    rows = root.locator("tbody th").all_inner_texts()
    assert rows[1] == "</script>" and rows[2].startswith("<img") and rows[4] == "🍎" and rows[8] == "∅" and rows[10] == "·↵⇥"
    assert notebook.python("p.names[2]") == "<img src=y onerror=alert(2)>"
    handle = root.locator('[data-id="k0"]')
    assert handle.get_attribute("aria-label") == "key <img·src=x·onerror=alert(1)>"
    assert root.evaluate("root => root.scrollWidth <= root.clientWidth + 1")  # 200 characters do not push the page apart
    picture(notebook, "query_plane-hostile", root)
    notebook.no_faults()


def test_two_views_and_a_second_plane_on_one_page(open_notebook):
    notebook = open_notebook([PLANE, "p", "o = explore.query_plane([[1, 0]], [[0, 1]]); o"])
    notebook.run_all()
    first, second, other = (notebook.explorer(i) for i in range(3))
    ids = notebook.page.evaluate("() => [...document.querySelectorAll('[data-revision] [id]')].map(node => node.id)")
    assert len(ids) > 6 and len(ids) == len(set(ids))
    before = shown(other)
    drag(notebook, first, "q", -50, 20)
    assert shown(first)["weights"].tolist() == shown(second)["weights"].tolist()
    assert shown(other)["weights"].tolist() == before["weights"].tolist()
    assert_agree(notebook, second)
    notebook.no_faults()


WORST = "root => {" + CONTRAST + """
    const worst = [];
    for (const node of root.querySelectorAll("p, th, td, label, summary, button, text, .qp-figure")) {
        if (!node.textContent.trim() || !node.getClientRects().length) continue;
        const style = getComputedStyle(node);
        const colour = node instanceof SVGElement ? style.fill : style.color;
        worst.push([ratio(colour, ground(node)), node.textContent.slice(0, 40)]);
    }
    return worst.sort((a, b) => a[0] - b[0])[0];
}"""


def test_both_themes_are_readable_and_a_phone_shows_all(open_notebook):
    notebook = open_notebook([PLANE])
    notebook.run_all()
    root = notebook.explorer()
    root.get_by_text("More to see and to change").click()
    notebook.execute("p.show_levels = p.show_projections = True")
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        root.locator('[data-id="k2"]').focus()
        settled(notebook)
        ratio, text = root.evaluate(WORST)
        assert ratio >= 4.5, (theme, ratio, text)
        picture(notebook, f"query_plane-{theme}", root)
    notebook.set_theme("light")
    notebook.set_size(360, 1800)
    settled(notebook)
    assert root.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
    assert root.evaluate("root => [...root.querySelectorAll('svg, table, input, button')].every(node =>"
                         " node.getBoundingClientRect().right <= root.getBoundingClientRect().right)")  # fmt: skip
    drag(notebook, root, "q", -30, 10)
    assert_agree(notebook, root)
    picture(notebook, "query_plane-360", root)
    notebook.no_faults()


def test_the_saved_picture_shows_the_present_state(open_notebook, tmp_path):
    from PIL import Image

    notebook = open_notebook([PLANE])
    notebook.run_all()
    root = notebook.explorer()
    sizes = []
    for query in ([1, 0.7], [-1, -0.7]):
        notebook.execute(f"p.q = {query}")
        settled(notebook)
        with notebook.page.expect_download() as download:
            root.get_by_role("button", name="Save picture").click()
        assert download.value.suggested_filename == "query-plane.png"
        download.value.save_as(tmp_path / "plane.png")
        pixels = np.asarray(Image.open(tmp_path / "plane.png").convert("RGB")).astype(int)
        is_query = np.abs(pixels - [0xC1, 0x4A, 0x00]).sum(axis=-1) < 30  # the query's colour in the light theme
        side = root.locator("svg").first.bounding_box()["width"]
        x = np.argwhere(is_query[40:-40])[:, 1] / 2 - 16 - side / 2  # in CSS pixels right of the origin
        sizes.append(np.sign(np.mean(x)))
        assert len(x) > 500
    assert sizes == [1, -1]
    PICTURES.mkdir(exist_ok=True)
    shutil.copy(tmp_path / "plane.png", PICTURES / "query_plane-saved.png")
    notebook.no_faults()


def test_reduced_motion_glides_nowhere(open_notebook):
    notebook = open_notebook([PLANE], reduced_motion=True)
    notebook.run_all()
    root = notebook.explorer()
    notebook.page.wait_for_timeout(300)
    before = int(root.get_attribute("data-revision"))
    with notebook.repaint(root):
        notebook.execute("p.k = 50 * p.k")
    settled(notebook)
    assert int(root.get_attribute("data-revision")) == before + 1  # one picture, no frames between
    notebook.no_faults()
