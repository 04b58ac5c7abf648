"""The sampling explorer in real JupyterLab: probabilities and draws are Python's, by mouse and by keyboard."""

import math

import numpy as np
import pytest

from tests import little_models
from tests.browser.lab import CONTRAST, picture
from tests.test_explore_sampling import TEXT

pytestmark = pytest.mark.browser

SETUP = f"""import numpy as np, sys, time, torch
from course import explore
from course.predict.sampling import distribution, sample
from course.text.tokenizer import BPETokenizer
tokenizer = BPETokenizer.train({TEXT!r} * 3, 346, special_tokens=["<|endoftext|>"])
table = 2 * torch.randn(len(tokenizer), len(tokenizer), generator=torch.Generator().manual_seed(0))
asked = []
def model(ids):
    asked.append(ids[0].tolist())
    return table[ids]
def id_of(token): return [tokenizer.token_bytes(i) for i in range(len(tokenizer) - 1)].index(token)"""
ONE = "e = explore.sampling(model, tokenizer, 'I like'); e"
START = """with e.hold_sync():
    e.prompt, e.temperature, e.top_k, e.top_p, e.seed, e.bars, e.many, e.added = 'I like', 1, None, 1, 0, 12, 20, []"""
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"


@pytest.fixture(scope="module")
def shared(browser):
    """One notebook for most tests of this file: opening JupyterLab is what takes their time."""
    notebook = browser.open([SETUP, ONE, "1 + 1"], height=1200)
    notebook.set_theme("light")
    notebook.run_all()
    yield notebook
    notebook.close()


@pytest.fixture
def live(shared):
    """(notebook, root) of the explorer in the state in which it is made."""
    root = shared.explorer(0)
    shared.execute(START)
    assert_in_step(shared, root)
    yield shared, root
    shared.no_faults()


def soon(notebook, found, expected):
    """`found()` comes to be `expected`; a busy machine may take a while to tell the kernel, or the page."""
    for _ in range(80):
        if found() == expected:
            break
        notebook.page.wait_for_timeout(50)
    assert found() == expected


def probs(root) -> list[float]:
    return [float(p) for p in root.get_attribute("data-probs").split()]


def near(found, expected) -> bool:
    return len(found) == len(expected) and bool(np.allclose(found, expected, rtol=0, atol=1e-9))


def assert_in_step(notebook, root, name: str = "e"):
    """The page comes to show Python's state: ids, probabilities, what is kept, entropy."""
    def shown():
        ids, right, kept, nats = notebook.python(f"[{name}.ranked()[:{name}.bars].tolist(), {name}.probs[{name}.ranked()[:{name}.bars]].tolist(), {name}.cuts()[1], {name}.entropy]")
        return [int(i) for i in root.get_attribute("data-ids").split()] == ids and near(probs(root), right) and \
            int(root.get_attribute("data-kept")) == kept and abs(float(root.get_attribute("data-entropy")) - nats) < 1e-9 and \
            root.get_attribute("aria-busy") == "false"  # fmt: skip

    soon(notebook, shown, True)


def slider(root, name):
    return root.get_by_role("slider", name=name)


def test_the_controls_give_pythons_probabilities_by_keyboard_and_box(live):
    notebook, root = live
    assert root.locator(".ex-sm-outline:visible").count() == 0  # nothing is cut
    slider(root, "temperature").focus()
    for key in ("ArrowRight", "ArrowRight", "PageUp", "ArrowLeft"):
        with notebook.repaint(root):
            notebook.page.keyboard.press(key)
    assert_in_step(notebook, root)
    hot = notebook.python("e.temperature")
    assert 1 < hot < 5 and root.get_by_role("spinbutton", name="temperature").input_value() == f"{hot:g}"
    root.get_by_role("spinbutton", name="top-k").fill("9")
    slider(root, "top-p").focus()
    for _ in range(20):
        with notebook.repaint(root):
            notebook.page.keyboard.press("ArrowLeft")
    soon(notebook, lambda: notebook.python("[e.top_k, e.top_p]"), [9, 0.8])
    assert_in_step(notebook, root)
    kept = notebook.python("e.cuts()[1]")
    rows = root.get_by_role("option")
    assert rows.first.locator(".ex-sm-outline").is_visible()
    cut = [row.get_attribute("data-cut") for row in rows.all()]
    assert 0 < kept < 9 and cut == [""] * kept + ["p"] * (9 - kept) + ["k"] * 3
    words = rows.locator(".ex-sm-value:nth-child(3)").all_text_contents()
    assert words[kept:] == ["cut: top-p"] * (9 - kept) + ["cut: top-k"] * 3
    assert [float(word) for word in words[:kept]] == pytest.approx(probs(root)[:kept], abs=0.005001)
    sums = notebook.python("np.cumsum(distribution(e.logits, e.temperature, 9)[e.ranked()])[:9].tolist()")
    assert [float(t) for t in rows.locator(".ex-sm-value:nth-child(5)").all_text_contents()[:8]] == pytest.approx(sums[:8], abs=0.005001)
    facts = root.locator(".ex-sm-facts").text_content()
    assert f"{math.exp(notebook.python('e.entropy')):.2f} equally likely" in facts and f"The cuts leave {kept} of 325 tokens" in facts
    slider(root, "temperature").focus()
    with notebook.repaint(root):
        notebook.page.keyboard.press("Home")
    assert probs(root)[0] == 1 and slider(root, "temperature").get_attribute("aria-valuetext") == "0: always the most probable token"
    assert_in_step(notebook, root)
    assert notebook.python("[e.temperature, e.entropy]") == [0, 0]


def test_what_boxes_do_with_odd_numbers(live):
    notebook, root = live
    box = root.get_by_role("spinbutton", name="top-k")
    for typed, value, left in (("7.4", 7, "7"), ("0", 1, "1"), ("99999", None, ""), ("3", 3, "3"), ("", None, "")):
        box.fill(typed)
        soon(notebook, lambda: notebook.python("e.top_k"), value)
        notebook.page.keyboard.press("Tab")
        assert box.input_value() == left
    hot = root.get_by_role("spinbutton", name="temperature")
    for typed, value in (("9", 5), ("-3", 0), ("0.01", 0.01), ("", 0.01)):
        hot.fill(typed)
        soon(notebook, lambda: notebook.python("e.temperature"), value)
        notebook.page.keyboard.press("Tab")
        assert hot.input_value() == f"{value:g}"
    share = root.get_by_role("spinbutton", name="top-p")
    share.fill("0")
    soon(notebook, lambda: notebook.python("e.top_p"), 0.001)
    assert_in_step(notebook, root)


def test_controls_need_no_kernel(live):
    notebook, root = live
    notebook.page.evaluate(f"() => {{ {KERNEL}.requestExecute({{code: 'import time; time.sleep(2)', silent: true}}); }}")
    before = probs(root)
    slider(root, "temperature").focus()
    for _ in range(3):
        with notebook.repaint(root):
            notebook.page.keyboard.press("ArrowRight")
    assert probs(root) != before and notebook.page.evaluate(f"() => {KERNEL}.status") == "busy"
    assert_in_step(notebook, root)


def test_a_bar_is_added_by_enter_and_by_click_and_taken_back(live):
    notebook, root = live
    bars, cells = root.get_by_role("listbox"), notebook.cells()
    bars.focus()
    for key, place in (("ArrowDown", 1), ("ArrowDown", 2), ("d", 2), ("d", 2), ("End", 11), ("ArrowDown", 11), ("PageUp", 1), ("Home", 0), ("ArrowUp", 0), ("ArrowDown", 1)):
        notebook.page.keyboard.press(key)
        chosen = bars.get_by_role("option", selected=True)
        assert chosen.count() == 1 and chosen.get_attribute("id") == bars.get_attribute("aria-activedescendant")
        assert bars.get_by_role("option").nth(place).get_attribute("aria-selected") == "true"
    assert notebook.cells() == cells
    id = int(root.get_attribute("data-ids").split()[1])
    said = bars.get_by_role("option").nth(1).get_attribute("aria-label")
    assert f"id {id}: probability {probs(root)[1]:.2f}." in said and root.locator(".ex-sampling > .ex-sentence, .ex-sentence").first.text_content() == said
    notebook.page.keyboard.press("Enter")
    soon(notebook, lambda: notebook.python("e.added"), [id])
    assert_in_step(notebook, root)
    assert notebook.python("asked[-1]") == notebook.python(f"tokenizer.encode('I like') + [{id}]")
    soon(notebook, lambda: "was added." in root.locator("[aria-live=polite].ex-unseen").text_content(), True)
    second = int(root.get_attribute("data-ids").split()[3])
    bars.get_by_role("option").nth(3).click()
    soon(notebook, lambda: notebook.python("e.added"), [id, second])
    assert_in_step(notebook, root)
    chips = root.locator(".ex-sm-chip")
    assert chips.all_text_contents() == [notebook.python(f"e.name({i})[0].replace(' ', '·').replace('\\n', '↵')") for i in (id, second)]
    undo = root.get_by_role("button", name="Undo")
    undo.click()
    soon(notebook, lambda: notebook.python("e.added"), [id])
    undo.focus()
    notebook.page.keyboard.press("Enter")
    soon(notebook, lambda: notebook.python("e.added"), [])
    assert_in_step(notebook, root)
    assert undo.is_disabled() and root.locator(".ex-sm-added").is_hidden()
    assert root.get_by_role("button", name="Sample one").evaluate("node => node === document.activeElement")


def test_draws_are_those_of_python_and_a_seed_gives_them_again(live):
    notebook, root = live
    notebook.execute("e.top_k = 30; e.many = 12")
    notebook.execute("rng, last, right = np.random.default_rng(5), tokenizer.encode('I like')[-1], []\n"
                     "for _ in range(13):\n    last = int(sample(distribution(table[last], 1, 30), rng)); right.append(last)")  # fmt: skip
    right = notebook.python("right")
    assert len(set(right)) > 5
    root.locator("summary").click()
    root.get_by_role("spinbutton", name="seed").fill("5")
    soon(notebook, lambda: notebook.python("e.seed"), 5)
    root.get_by_role("button", name="Sample one").focus()
    notebook.page.keyboard.press("Enter")
    soon(notebook, lambda: notebook.python("e.added"), right[:1])
    root.get_by_role("button", name="Sample 12").click()
    soon(notebook, lambda: notebook.python("e.added"), right)
    assert_in_step(notebook, root)
    for n in range(3):
        root.get_by_role("button", name="Undo").click()
        soon(notebook, lambda: notebook.python("e.added"), right[: 12 - n])
    for _ in range(3):
        root.get_by_role("button", name="Sample one").click()
    soon(notebook, lambda: notebook.python("e.added"), right)
    root.get_by_role("button", name="Next seed").click()
    soon(notebook, lambda: notebook.python("e.seed"), 6)
    notebook.execute("e.added = []; other = explore.sampling(model, tokenizer, 'I like', top_k=30, seed=6).sample(12)")
    assert_in_step(notebook, root)
    root.get_by_role("button", name="Sample 12").click()
    soon(notebook, lambda: notebook.python("e.added"), notebook.python("other"))
    assert notebook.python("other != right[:12]")
    root.locator("summary").click()


def test_typing_asks_the_model_once_the_hand_rests_and_takes_added_tokens_away(live):
    notebook, root = live
    notebook.execute("e.append(7); asked.clear()")
    box = root.get_by_role("textbox", name="Text")
    box.focus()
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.type(" eating 苹")
    soon(notebook, lambda: notebook.python("e.prompt"), "I like eating 苹")
    assert_in_step(notebook, root)
    assert notebook.python("[e.added, asked[-1] == tokenizer.encode('I like eating 苹'), len(asked) < 5]") == [[], True, True]
    box.fill("")
    soon(notebook, lambda: notebook.python("asked[-1]"), notebook.python("[tokenizer.special_tokens['<|endoftext|>']]"))
    root.get_by_text("The text is empty: the model starts after <|endoftext|>.").wait_for()
    notebook.page.wait_for_timeout(300)
    assert box.input_value() == "" and notebook.python("e.prompt") == ""


def test_white_space_half_characters_and_markup_are_shown_and_harm_nothing(live):
    notebook, root = live
    title = notebook.page.title()
    notebook.execute("""hostile = ["</script><img src=x onerror=document.title='gone'>", "a b\\n", "\\u202ex"]
class Odd:
    special_tokens = {}
    def encode(self, text): return [0]
    def decode(self, ids): return "".join(hostile[i] for i in ids)
    def token_bytes(self, i): return hostile[i].encode() if i < 3 else [b"\\xe8", b"", b"x" * 200, "👩‍👧".encode()][i - 3]
old = e.model, e.tokenizer
e.model, e.tokenizer = (lambda ids: -torch.arange(7.).expand(1, ids.shape[1], 7)), Odd()
e.prompt = "x"; e.added = [3, 4, 0, 1, 5]""")
    assert_in_step(notebook, root)
    chips = root.locator(".ex-sm-chip").all_text_contents()
    assert chips[:4] == ["<0xE8>", "∅", "</script><img·src=x·onerror=document.ti…", "a·b↵"] and len(chips[4]) == 40
    names = root.get_by_role("option").locator(".ex-sm-name").all_text_contents()
    assert names[1:5] == ["a·b↵", "⇄x", "<0xE8>", "∅"] and names[6] == "👩‍👧" and len(names) == 7
    assert root.locator(".ex-sm-rest").is_hidden()
    assert root.locator("img, script").count() == 0 and notebook.page.title() == title
    notebook.execute("e.model, e.tokenizer = old; e.prompt = 'I'")
    assert_in_step(notebook, root)


SLOW = """state = {"pause": 0.0}
def slow(ids):
    time.sleep(state["pause"])
    if ids[0, -1] == id_of(b"!"): raise RuntimeError("no <b>more</b>")
    asked.append(ids[0].tolist())
    return table[ids]
e = explore.sampling(slow, tokenizer, "I like", context_length=6); state["pause"] = 0.6; e"""


def test_a_slow_model_says_that_it_computes_can_be_stopped_and_the_newest_text_wins(open_notebook):
    notebook = open_notebook([SETUP, SLOW], height=1200)
    notebook.run_all()
    root = notebook.explorer(0)
    root.get_by_role("button", name="Sample 20").click()
    root.get_by_text("computing …").wait_for()
    assert root.get_attribute("aria-busy") == "true"
    soon(notebook, lambda: root.locator(".ex-sm-chip").count() >= 2, True)
    root.get_by_role("button", name="Stop").click()
    assert root.get_attribute("data-left") == "0" and root.get_by_role("button", name="Sample 20").is_visible()
    notebook.page.wait_for_timeout(1500)
    count = root.locator(".ex-sm-chip").count()
    assert 2 <= count <= 4 and notebook.python("len(e.added)") == count
    assert_in_step(notebook, root)
    notebook.execute("asked.clear()")
    box = root.get_by_role("textbox", name="Text")
    for text in ("I like apples", "I like ba", "I like bananas", "I like cats and dogs and bananas and apples"):
        box.fill(text)
        notebook.page.wait_for_timeout(220)
    last = notebook.python("tokenizer.encode('I like cats and dogs and bananas and apples')")
    for _ in range(60):
        busy, ids = root.get_attribute("aria-busy"), root.get_attribute("data-ids")
        if busy == "false":
            break
        notebook.page.wait_for_timeout(50)
    assert busy == "false" and [int(i) for i in ids.split()] == notebook.python(f"torch.sort(-table[{last[-1]}], stable=True).indices[:12].tolist()")
    assert notebook.python("[len(asked), asked[-1]]") == [2, last[-6:]]
    root.get_by_text(f"{len(last)} tokens: this model reads 6, and sees the last 6.").wait_for()
    notebook.execute("state['pause'] = 0")
    shown = root.get_attribute("data-ids")
    box.fill("I like!")
    root.get_by_role("alert").get_by_text("The model or the tokenizer raised RuntimeError: no <b>more</b>").wait_for()
    assert root.get_attribute("aria-busy") == "false" and root.get_attribute("data-ids") == shown
    assert root.get_by_role("button", name="Sample one").is_disabled() and root.locator(".ex-problem b").count() == 0
    root.get_by_role("option").first.click()
    notebook.page.wait_for_timeout(300)
    assert notebook.python("e.added") == []
    box.fill("I like")
    assert_in_step(notebook, root)
    assert root.get_by_role("alert").count() == 0 or root.get_by_role("alert").is_hidden()
    notebook.no_faults()


LARGE = """big = torch.randn(50_257, generator=torch.Generator().manual_seed(1)) * 3
class Bytes:
    def encode(self, text): return list(text.encode())
    def decode(self, ids): return "".join(f"<{i}>" for i in ids)
f = explore.sampling(lambda ids: big.roll(int(ids.sum())).expand(1, ids.shape[1], 50_257), Bytes(), "I like"); f"""


def test_fifty_thousand_tokens(open_notebook):
    notebook = open_notebook([SETUP, LARGE])
    notebook.run_all()
    root = notebook.explorer(0)
    assert_in_step(notebook, root, "f")
    slider(root, "top-k").focus()
    for _ in range(30):
        with notebook.repaint(root):
            notebook.page.keyboard.press("ArrowLeft")
    assert_in_step(notebook, root, "f")
    assert 100 < notebook.python("f.top_k") < 10_000
    root.get_by_role("spinbutton", name="top-p").fill("0.35")
    root.get_by_role("button", name="Sample one").click()
    soon(notebook, lambda: notebook.python("f.added"), notebook.python("explore.sampling(f.model, f.tokenizer, 'I like', top_k=f.top_k, top_p=.35).sample(1)"))
    assert_in_step(notebook, root, "f")
    notebook.no_faults()


def test_without_a_kernel_the_controls_work_and_the_others_say_so(open_notebook):
    notebook = open_notebook([SETUP, ONE])
    notebook.page.evaluate("() => { document.documentElement.dataset.courseAlone = ''; }")
    notebook.run_all()
    root = notebook.explorer(0)
    before = probs(root)
    slider(root, "temperature").focus()
    with notebook.repaint(root):
        notebook.page.keyboard.press("ArrowRight")
    assert probs(root) != before
    for name in ("Sample one", "Sample 20", "Undo"):
        button = root.get_by_role("button", name=name)
        assert button.is_disabled() and "needs Python" in button.get_attribute("title")
    box = root.get_by_role("textbox", name="Text")
    assert box.is_disabled() and root.get_by_text("This needs Python").first.is_visible()
    root.get_by_role("option").nth(1).click()
    notebook.page.wait_for_timeout(300)
    assert notebook.python("e.added") == []


# Texts of the explorer below 4.5 : 1, as [text, ratio].
FAINT = """root => { """ + CONTRAST + """
    return [...root.querySelectorAll("*")].filter(node => !node.closest("[hidden], .ex-unseen, .ex-off, :disabled")
        && [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()))
        .map(node => [node.textContent, ratio(getComputedStyle(node).color, ground(node))]).filter(([, found]) => found < 4.5); }"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_a_narrow_page_and_no_fault_for_axe(open_notebook, theme):
    axe = little_models.needed("axe_playwright_python.sync_playwright").Axe()
    notebook = open_notebook([SETUP, "e = explore.sampling(model, tokenizer, 'I like', title='Sampling'); e",
                              "f = explore.sampling(model, tokenizer, 'I like', temperature=.6, top_k=10, top_p=.85); f.sample(30); f"], height=1900)  # fmt: skip
    notebook.run_all()
    notebook.set_theme(theme)
    roots = [notebook.explorer(i) for i in (0, 1)]
    picture(notebook, f"sampling_{theme}", roots[0])
    for root in roots:
        root.locator("summary").click()
    notebook.page.wait_for_timeout(300)
    for i, root in enumerate(roots):
        assert root.evaluate(FAINT) == []
        picture(notebook, f"sampling_{theme}_{i}_open", root)
    found = axe.run(notebook.page, context=".ex").response["violations"]
    assert [(fault["id"], node["html"][:200]) for fault in found if fault["impact"] in ("serious", "critical") for node in fault["nodes"]] == []
    ids = notebook.page.evaluate("() => [...document.querySelectorAll('.ex-sampling [id]')].map(node => node.id)")
    assert len(ids) == len(set(ids)) > 20
    notebook.set_size(460, 2600)
    for i, root in enumerate(roots):
        root.evaluate("root => { root.style.width = '360px'; }")
        notebook.page.wait_for_timeout(200)
        assert root.evaluate("root => root.scrollWidth <= root.clientWidth && root.clientWidth <= 360")
        assert root.evaluate("root => [...root.querySelectorAll('.ex-sm-heads > span')].every(one => one.scrollWidth <= one.clientWidth + 1)")
        picture(notebook, f"sampling_{theme}_{i}_narrow", root)
    notebook.no_faults()
