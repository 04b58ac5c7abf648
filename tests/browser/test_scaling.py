"""The scaling explorer in a real JupyterLab: what the page shows is what NumPy computes, by mouse and by keyboard."""

import numpy as np
import pytest

from course import explore
from tests.browser.lab import picture

pytestmark = pytest.mark.browser

CELLS = ["from course import explore", "e = explore.scaling(); e"]
WIDTHS = [2**n for n in range(11)]
SLIDER, ROW = "d_k, width of queries and keys", "query whose weights are shown"


@pytest.fixture(scope="module")
def shared(browser):
    """One notebook for the tests of this file: opening JupyterLab is what takes their time."""
    notebook = browser.open([*CELLS, "1 + 1"])
    notebook.set_theme("light")
    notebook.run_all()
    yield notebook
    notebook.close()


@pytest.fixture
def live(shared):
    """(notebook, root) of an explorer in the state in which it is made; nothing may go wrong while it is used."""
    root = shared.explorer(0)
    shared.execute("with e.hold_sync():\n    e.d_k, e.scaled, e.row = 4, False, 0")
    start = "root => root.dataset.width === '4' && root.dataset.scaled === 'false' && root.dataset.row === '0'"
    shared.page.wait_for_function(start, arg=root.element_handle())
    yield shared, root
    shared.no_faults()


def paint(notebook):
    """Two frames: what was asked for has been painted."""
    notebook.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def set_state(notebook, root, **state):
    """Sets traits in the kernel, and waits for the page to show them."""
    notebook.execute("\n".join(f"e.{name} = {value!r}" for name, value in state.items()))
    named = {"d_k": "width"}
    wanted = {named.get(name, name): str(value).lower() for name, value in state.items()}
    shows = "([root, wanted]) => Object.entries(wanted).every(([name, value]) => root.dataset[name] === value)"
    notebook.page.wait_for_function(shows, arg=[root.element_handle(), wanted])


def assert_kernel(notebook, expression, value):
    """The kernel comes to hold `value`; the page's messages may be on their way for a while on a busy machine."""
    for _ in range(50):
        if notebook.python(expression) == value:
            return
        notebook.page.wait_for_timeout(100)
    assert notebook.python(expression) == value


def press(notebook, root, key, times=1):
    for _ in range(times):
        with notebook.repaint(root):
            notebook.page.keyboard.press(key)


def shown(root) -> dict:
    """What the page has computed, with full precision."""
    data = root.evaluate("root => ({...root.dataset})")
    return {
        "d_k": int(data["width"]),
        "scaled": data["scaled"] == "true",
        "row": int(data["row"]),
        "numbers": [float(data[name]) for name in ("variance", "entropy", "gradient")],
        "weights": [float(w) for w in data["weights"].split()],
        "counts": [int(n) for n in data["counts"].split()],
    }


def assert_as_numpy(page: dict, twin):
    """`twin`: the same explorer in this process, computed with course.blocks.attention."""
    twin.d_k, twin.scaled = page["d_k"], page["scaled"]
    np.testing.assert_allclose(page["numbers"], twin.numbers(), rtol=1e-5, err_msg=f"d_k = {twin.d_k}, {twin.scaled}")
    np.testing.assert_allclose(page["weights"], twin.weights()[page["row"]], rtol=1e-5, atol=1e-12)
    np.testing.assert_array_equal(page["counts"], twin.counts())


def test_every_width_equals_numpy_by_keyboard(live):
    notebook, root = live
    twin = explore.scaling()
    root.get_by_role("slider", name=SLIDER).focus()
    press(notebook, root, "Home")
    seen = []
    for width in WIDTHS:
        if width > 1:
            press(notebook, root, "ArrowRight")
        for _ in range(2):
            page = shown(root)
            assert_as_numpy(page, twin)
            seen.append((page["d_k"], page["scaled"]))
            root.get_by_role("checkbox").focus()
            press(notebook, root, "Space")
        root.get_by_role("slider", name=SLIDER).focus()
    assert seen == [(width, scaled) for width in WIDTHS for scaled in (False, True)]
    assert_kernel(notebook, "[e.d_k, e.scaled]", [1024, False])
    np.testing.assert_allclose(notebook.python("list(e.numbers())"), shown(root)["numbers"], rtol=1e-5)


def test_rows_by_keyboard_and_state_from_python(live):
    notebook, root = live
    twin = explore.scaling()
    root.get_by_role("slider", name=ROW).focus()
    press(notebook, root, "ArrowRight", 3)
    assert shown(root)["row"] == 3
    assert_as_numpy(shown(root), twin)
    press(notebook, root, "End")
    assert_kernel(notebook, "e.row", 63)
    set_state(notebook, root, d_k=256, scaled=True, row=5)
    assert (shown(root)["d_k"], shown(root)["scaled"], shown(root)["row"]) == (256, True, 5)
    assert_as_numpy(shown(root), twin)
    assert root.get_by_role("slider", name=SLIDER).get_attribute("aria-valuetext") == "d_k = 256"
    assert root.get_by_role("checkbox").is_checked()


def test_dragging_with_the_mouse(live):
    notebook, root = live
    slider = root.get_by_role("slider", name=SLIDER)
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    notebook.page.mouse.move(box["x"] + 3, y)
    notebook.page.mouse.down()
    widths = []
    for step in range(1, 21):
        notebook.page.mouse.move(box["x"] + step / 20 * (box["width"] - 2), y)
        paint(notebook)
        widths.append(shown(root)["d_k"])
    notebook.page.mouse.up()
    assert widths == sorted(widths) and widths[-1] == 1024
    assert len(set(widths)) >= 9  # each width on the way is painted while the hand moves
    assert_as_numpy(shown(root), explore.scaling())
    with notebook.repaint(root):
        root.get_by_text("divide by").click()
    assert shown(root)["scaled"]


def test_what_is_read_follows_what_is_measured(live):
    notebook, root = live
    spoken, sentence = root.locator("[aria-live=polite].ex-unseen"), root.locator(".ex-sentence")
    for state, verdict in (
        ((4, False), "a query blends several keys"),
        ((16, False), "one key tends to get more than all others together"),
        ((256, False), "the softmax has all but chosen one key"),
        ((256, True), "a query blends several keys"),
    ):
        set_state(notebook, root, d_k=state[0], scaled=state[1])
        notebook.page.wait_for_timeout(600)  # the sentence is spoken when the hand rests
        said = spoken.text_content()
        assert verdict in said and said == notebook.python("e.summary()")
        assert sentence.text_content() == said.replace("d_k", "dk")
    assert sentence.get_attribute("aria-hidden") == "true"
    pictures = root.get_by_role("img")
    assert pictures.count() == 5
    assert pictures.first.get_attribute("aria-label").endswith("variance 0.999, expected 1.")


def test_bars_and_marks_are_drawn_where_the_numbers_are(live):
    notebook, root = live
    set_state(notebook, root, d_k=64, row=7)
    heights = root.locator("svg rect.ex-sc-fill").evaluate_all("bars => bars.map(bar => Number(bar.getAttribute('height')))")
    weights = np.array(shown(root)["weights"])
    np.testing.assert_allclose(heights, weights * (np.max(heights) / weights.max()), atol=1e-6)
    assert len(heights) == 16
    # Tall bars of the histogram are tall: the logarithm of the count, from half a score up.
    path = root.locator("svg path.ex-sc-fill").get_attribute("d")
    tops = [(float(bar.split("V")[0].split()[1]) - float(bar.split("V")[1].split("h")[0])) for bar in path.split("M")[1:]]
    counts = np.array([n for n in shown(root)["counts"] if n])
    np.testing.assert_allclose(tops, np.log(counts / 0.5) * (tops[0] / np.log(counts[0] / 0.5)), rtol=1e-6)
    assert sum(shown(root)["counts"]) == 1024
    # Not scaled falls below scaled in entropy, so its curve ends lower on the screen; and it alone is dashed.
    ends = root.locator(".ex-sc-card").nth(1).locator("polyline").evaluate_all(
        "lines => lines.map(line => [line.classList.contains('ex-sc-scaled'), Number(line.getAttribute('points').split(',').at(-1)), getComputedStyle(line).strokeDasharray, getComputedStyle(line).stroke])")
    plain, scaled = sorted(ends, key=lambda end: end[0])
    assert plain[1] > scaled[1] + 30
    assert plain[2] != "none" and scaled[2] == "none" and plain[3] != scaled[3]
    # The present width is marked on both lines of every curve.
    marks = root.locator("circle").evaluate_all("dots => dots.map(dot => Number(dot.getAttribute('cx')))")
    lines = root.locator("line.ex-sc-here").evaluate_all("lines => lines.map(line => Number(line.getAttribute('x1')))")
    assert marks == [x for x in lines for _ in range(2)]


def test_keys_stay_inside(live):
    notebook, root = live
    cells = notebook.cell_count()
    focusable = root.locator("input, button, [tabindex]")
    assert focusable.count() == 3
    for i in range(focusable.count()):
        assert focusable.nth(i).get_attribute("data-lm-suppress-shortcuts") == "true"
        focusable.nth(i).focus()
        for key in ("d", "d", "x", "a", "b", "ArrowDown", "ArrowUp"):
            notebook.page.keyboard.press(key)
        notebook.page.wait_for_timeout(100)
    assert notebook.cell_count() == cells
    focusable.first.focus()
    notebook.page.keyboard.press("Tab")
    look = "() => [document.activeElement.type, getComputedStyle(document.activeElement).outlineStyle]"
    assert notebook.page.evaluate(look) == ["checkbox", "solid"]


def test_two_views_and_two_explorers_on_a_page(open_notebook):
    notebook = open_notebook([*CELLS, "e", "other = explore.scaling(widest=64, queries=9, keys=5, seed=3); other"])
    notebook.run_all()
    first, second, other = (notebook.explorer(i) for i in range(3))
    ids = notebook.page.evaluate("() => [...document.querySelectorAll('.ex-scaling [id]')].map(node => node.id)")
    assert len(ids) == len(set(ids)) >= 6
    with notebook.repaint(second):
        first.get_by_role("slider", name=SLIDER).focus()
        notebook.page.keyboard.press("End")
    assert shown(second)["d_k"] == 1024 and shown(other)["d_k"] == 4
    other.get_by_role("slider", name=SLIDER).focus()
    press(notebook, other, "End")
    twin = explore.scaling(widest=64, queries=9, keys=5, seed=3)
    assert shown(other)["d_k"] == 64
    assert_as_numpy(shown(other), twin)
    notebook.no_faults()


def test_a_slow_kernel_takes_nothing_back(live):
    """The kernel confirms a value late, while the hand is already further: the page keeps to the hand."""
    notebook, root = live
    root.get_by_role("slider", name=ROW).focus()
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    notebook.page.evaluate(f"() => {{ {kernel}.requestExecute({{code: 'import time; time.sleep(1.5)', silent: true}}); }}")
    rows = []
    notebook.page.keyboard.press("ArrowRight")
    notebook.page.wait_for_timeout(500)  # long enough for the value to be on its way
    for _ in range(40):
        notebook.page.keyboard.press("ArrowRight")
        notebook.page.wait_for_timeout(50)
        rows.append(shown(root)["row"])
    notebook.page.wait_for_timeout(200)
    assert rows == sorted(rows) and shown(root)["row"] == 41
    assert_kernel(notebook, "e.row", 41)
    assert shown(root)["row"] == 41


def test_pictures_fill_their_places_even_after_a_change_in_hiding(live):
    notebook, root = live
    root.evaluate("root => { root.style.display = 'none'; }")
    notebook.execute("e.d_k = 512")
    notebook.page.wait_for_function("root => root.dataset.width === '512'", arg=root.element_handle())
    root.evaluate("root => { root.style.display = ''; }")
    notebook.page.wait_for_timeout(200)
    sizes = "plots => plots.map(plot => [plot.firstChild.getBoundingClientRect().width, plot.clientWidth])"
    for window in (1280, 700):
        notebook.set_size(window, 1000)
        notebook.page.wait_for_timeout(200)
        for drawn, place in root.locator(".ex-sc-plot").evaluate_all(sizes):
            assert drawn > 120 and place - 1.5 <= drawn <= place
    notebook.set_size(1280, 1000)


def test_pictures_in_both_themes_and_on_a_narrow_page(live):
    notebook, root = live
    set_state(notebook, root, d_k=256)
    colour = "root => getComputedStyle(root).backgroundColor"
    light = root.evaluate(colour)
    picture(notebook, "scaling-light", root)
    for d_k in (1, 4, 1024):
        set_state(notebook, root, d_k=d_k)
        picture(notebook, f"scaling-light-{d_k}", root)
    set_state(notebook, root, d_k=256, scaled=True)
    notebook.set_theme("dark")
    assert root.evaluate(colour) != light
    assert root.evaluate(CONTRAST) == []
    root.get_by_role("slider", name=SLIDER).focus()
    picture(notebook, "scaling-dark-scaled", root)
    set_state(notebook, root, scaled=False)
    picture(notebook, "scaling-dark", root)
    notebook.set_theme("light")
    assert root.evaluate(CONTRAST) == []
    notebook.set_size(460, 1500)
    root.evaluate("root => { root.style.width = '360px'; }")
    notebook.page.wait_for_timeout(300)
    assert root.evaluate("root => root.clientWidth") <= 360
    assert root.evaluate(OVERFLOWING) == []
    picture(notebook, "scaling-narrow", root)
    root.evaluate("root => { root.style.width = ''; }")
    notebook.set_size(1280, 1000)


# Texts whose contrast against the ground is below 4.5:1 (WCAG), as [text, ratio].
CONTRAST = """root => {
    const channels = colour => colour.match(/[\\d.]+/g).map(Number);
    const ground = channels(getComputedStyle(root).backgroundColor);
    const luminance = c => { const [r, g, b] = c.slice(0, 3).map(v => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const over = (c, alpha) => c.slice(0, 3).map((v, i) => v * alpha + ground[i] * (1 - alpha));
    return [...root.querySelectorAll("*")].filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim())
        && node.closest("[hidden], .ex-unseen") === null).map(node => {
        const style = getComputedStyle(node);
        const ink = channels(node.ownerSVGElement ? style.fill : style.color);
        const [a, b] = [luminance(over(ink, ink[3] ?? 1)), luminance(ground)];
        return [node.textContent, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    }).filter(([, ratio]) => !(ratio >= 4.5));
}"""
# Elements that reach over the root's edges.
OVERFLOWING = """root => {
    const box = root.getBoundingClientRect();
    return [...root.querySelectorAll("*")].filter(node => !node.closest(".ex-unseen")).map(node => [node.tagName, node.textContent, node.getBoundingClientRect()])
        .filter(([, , part]) => part.width && (part.left < box.left - 0.5 || part.right > box.right + 0.5)).map(([tag, text]) => `${tag}: ${text}`);
}"""
