"""The stack explorer in real JupyterLab: its numbers are Python's, by mouse and by keyboard, with and without a kernel."""

import numpy as np
import pytest

from tests import little_models
from tests.browser.lab import CONTRAST, picture
from tests.test_explore_stack import TEXT

pytestmark = pytest.mark.browser

SETUP = f"""import time, torch, numpy as np
from course import explore
from course.blocks.block import DocumentBlock, PreNormBlock
from course.models import GPT, GPTConfig
from course.text.tokenizer import BPETokenizer
tokenizer = BPETokenizer.train({TEXT!r} * 3, 300, special_tokens=["<|endoftext|>"])
def gpt(block=PreNormBlock, **more):
    torch.manual_seed(0)
    made = GPT(GPTConfig(**dict(vocab_size=len(tokenizer), context_length=40, d_model=16, n_heads=2, n_layers=3) | more), block)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.3 * torch.randn(parameter.shape)
    return made
def shown(token): return token.translate(dict(zip(map(ord, " \\n\\r\\t"), "·↵↵⇥"))) or "∅"
model = gpt()"""
ONE = "e = explore.stack(model, tokenizer, 'I like apples', title='The walk'); e"
TWO = "f = explore.stack(gpt(DocumentBlock), tokenizer, 'I like apples', off=['attention 2'], top=5); f"
START = """with e.hold_sync():
    e.text, e.token, e.off, e.follow, e.top = 'I like apples', 0, [], '', 3"""
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"


@pytest.fixture(scope="module")
def shared(browser):
    """One notebook for most tests of this file: opening JupyterLab is what takes their time."""
    notebook = browser.open([SETUP, ONE, "1 + 1"], height=1400)
    notebook.set_theme("light")
    notebook.run_all()
    yield notebook
    notebook.close()


@pytest.fixture
def live(shared):
    """(notebook, root) of the explorer in the state in which it is made."""
    root = shared.explorer(0)
    shared.page.mouse.move(1, 1)  # where it points at nothing
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


def assert_in_step(notebook, root, name: str = "e"):
    """The page comes to show Python's ladder."""
    fields = ("length", "added", "share", "cosine", "p", "rank")

    def shown():
        token, off, right, top = notebook.python(f"[{name}.at, ','.join({name}.off), [[str(getattr(r, n)) for r in {name}.ladder()] for n in {fields!r}], "
                                                 f"[[shown(t) for t, _ in r.top] for r in {name}.ladder()]]")  # fmt: skip
        page = [[float(x) for x in root.get_attribute(f"data-{n}").split()] for n in ("lengths", "added", "shares", "cosines", "p", "rank")]
        rows = root.get_by_role("option").and_(root.locator(".ex-st-row"))
        return [root.get_attribute("data-token"), root.get_attribute("data-off"), root.get_attribute("aria-busy")] == [str(token), off, "false"] and \
            all(len(a) == len(b) and np.allclose(a, [float(x) for x in b], rtol=1e-9, equal_nan=True) for a, b in zip(page, right)) and \
            [row.locator(".ex-st-token").all_text_contents() for row in rows.all()] == top  # fmt: skip

    soon(notebook, shown, True)


def tokens(root):
    return root.locator(".ex-tk-list")


def places(root):
    return root.locator(".ex-st-list")


def open_fold(root, name):
    fold = root.locator("details").filter(has=root.page.get_by_text(name, exact=True))
    if fold.get_attribute("open") is None:
        fold.locator("summary").click()


def test_the_token_is_moved_by_keys_and_by_click(live):
    notebook, root = live
    tokens(root).focus()
    for key, at in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", notebook.python("len(e.tokens()) - 1")), ("Home", 0)):
        with notebook.repaint(root):
            notebook.page.keyboard.press(key)
        assert root.get_attribute("data-token") == str(at)
        assert_in_step(notebook, root)
    with notebook.repaint(root):
        tokens(root).get_by_role("option").nth(2).click()
    assert_in_step(notebook, root)
    assert notebook.python("e.token") == 2


def test_moving_the_token_needs_no_kernel(live):
    notebook, root = live
    notebook.page.evaluate(f"() => {{ {KERNEL}.requestExecute({{code: 'import time; time.sleep(2)', silent: true}}); }}")
    before = root.get_attribute("data-lengths")
    tokens(root).focus()
    with notebook.repaint(root):
        notebook.page.keyboard.press("ArrowRight")
    assert root.get_attribute("data-lengths") != before and notebook.page.evaluate(f"() => {KERNEL}.status") == "busy"
    assert_in_step(notebook, root)


def test_the_ladder_is_read_by_keys_and_the_sentence_says_its_numbers(live):
    notebook, root = live
    cells = notebook.cells()
    places(root).focus()
    for key, at in (("ArrowDown", 1), ("ArrowDown", 2), ("d", 2), ("d", 2), ("End", 8), ("ArrowDown", 8), ("ArrowUp", 7), ("Home", 0), ("ArrowDown", 1), ("ArrowDown", 2)):
        notebook.page.keyboard.press(key)
        chosen = places(root).get_by_role("option", selected=True)
        assert chosen.count() == 1 and chosen.get_attribute("id") == places(root).get_attribute("aria-activedescendant")
        assert places(root).get_by_role("option").nth(at).get_attribute("aria-selected") == "true"
    assert notebook.cells() == cells
    said = places(root).get_by_role("option").nth(2).get_attribute("aria-label")
    share, rank = notebook.python("[e.ladder()[2].share, e.ladder()[2].rank]")
    assert said.startswith("I, at attention 1: the stream is ") and f"rank {rank} of 300" in said
    assert float(said.split("share of the end is ")[1].split(". ")[0].replace("−", "-")) == pytest.approx(share, abs=6e-4)
    assert root.locator(".ex-sentence").first.text_content() == said
    soon(notebook, lambda: root.locator("[aria-live=polite].ex-unseen").text_content(), said)


def test_parts_are_switched_off_and_on_again(live):
    notebook, root = live
    open_fold(root, "Switch parts off")
    box = root.get_by_role("checkbox", name="attention 2")
    box.focus()
    notebook.page.keyboard.press("Space")
    soon(notebook, lambda: notebook.python("e.answered[1]"), ["attention 2"])
    assert_in_step(notebook, root)
    root.get_by_role("checkbox", name="position").uncheck()
    soon(notebook, lambda: notebook.python("e.answered[1]"), ["positions", "attention 2"])
    assert_in_step(notebook, root)
    lines = root.locator(".ex-st-line")
    for line, name in ((lines.nth(0), "before"), (lines.nth(1), "after")):
        soon(notebook, lambda: line.locator(".ex-st-token").all_text_contents(), notebook.python(f"[shown(t) for t, _ in e.{name}()]"))
    assert "With 2 switched off" in lines.nth(1).text_content()
    assert root.locator(".ex-st-off .ex-st-name").all_text_contents() == ["position", "attention 2"]
    root.get_by_role("button", name="All on").click()
    soon(notebook, lambda: notebook.python("e.answered[1]"), [])
    assert_in_step(notebook, root)
    assert lines.nth(1).is_hidden() and root.get_by_role("button", name="All on").is_disabled()


def test_readings_table_and_a_token_to_follow(live):
    notebook, root = live
    open_fold(root, "Readings: how many tokens, and which one to follow")
    root.get_by_role("spinbutton", name="tokens read at each place").fill("6")
    soon(notebook, lambda: notebook.python("e.top"), 6)
    assert_in_step(notebook, root)
    root.get_by_role("textbox", name="follow").fill("low")
    soon(notebook, lambda: notebook.python("e.answered[2]"), "low")
    assert_in_step(notebook, root)
    open_fold(root, "All numbers of this token")
    rows = root.locator(".ex-st-table tbody tr")
    soon(notebook, lambda: rows.count(), 9)
    rank = notebook.python("[r.rank for r in e.ladder()]")
    assert [int(text.split("(")[1][:-1]) for text in root.locator(".ex-st-table tbody tr td:last-child").all_text_contents()] == rank
    assert rows.last.locator("td").nth(1).text_content() == "–"


def test_hostile_tokens_are_shown_and_harm_nothing(live):
    notebook, root = live
    title = notebook.page.title()
    hostile = "</script><img src=x onerror=document.title='gone'> a\n\t\u202e𠀀é👩‍👧"
    notebook.execute(f"e.text = {hostile!r}; e.token = 0")
    assert_in_step(notebook, root)
    soon(notebook, lambda: notebook.python("e.tokens()")[0] in ("<", "</"), True)
    notebook.execute("e.text = '喜a\\n\\t b<|endoftext|>𠀀\\u202e'")
    soon(notebook, lambda: root.get_by_role("option").count() > 9, True)
    soon(notebook, lambda: "↵" in "".join(tokens(root).locator(".ex-tk-text").all_text_contents()), True)
    shown = "".join(tokens(root).locator(".ex-tk-text").all_text_contents())
    assert "<0xF0>" in shown and "⇥" in shown and "·" in shown and "<|endoftext|>" in shown
    assert root.locator("img, script").count() == 0 and notebook.page.title() == title


SLOW = """class Slow:
    pause, asked = 0.0, []
    def encode(self, text):
        time.sleep(self.pause)
        if "!" in text: raise RuntimeError("no <b>more</b>")
        self.asked.append(text)
        return tokenizer.encode(text)
    def decode(self, ids): return tokenizer.decode(ids)
    def token_bytes(self, id): return tokenizer.token_bytes(id)
slow = Slow()
e = explore.stack(model, slow, "I like"); slow.pause = 0.8; slow.asked.clear(); e"""


def test_a_slow_model_says_so_the_newest_text_wins_and_errors_speak(open_notebook):
    notebook = open_notebook([SETUP, SLOW], height=1200)
    notebook.run_all()
    root = notebook.explorer(0)
    box = root.get_by_role("textbox", name="Text")
    for text in ("I like apples", "I like ba", "I like bananas", "bananas and apples"):
        box.fill(text)
        notebook.page.wait_for_timeout(220)
    root.get_by_text("computing …").wait_for()
    soon(notebook, lambda: root.get_attribute("aria-busy"), "false")
    assert notebook.python("slow.asked") == ["I like apples", "bananas and apples"]
    notebook.execute("slow.pause = 0")
    assert_in_step(notebook, root)
    shown = root.get_attribute("data-lengths")
    box.fill("I like!")
    root.get_by_role("alert").get_by_text("The model or the tokenizer raised RuntimeError: no <b>more</b>").wait_for()
    assert root.get_attribute("data-lengths") == shown and root.locator(".ex-problem b").count() == 0
    box.fill("low " * 60)
    root.get_by_text("this model reads 40, showing the first 40.").wait_for()
    assert_in_step(notebook, root)
    notebook.no_faults()


def test_without_a_kernel_the_token_moves_and_the_others_say_so(open_notebook):
    notebook = open_notebook([SETUP, ONE])
    notebook.page.evaluate("() => { document.documentElement.dataset.courseAlone = ''; }")
    notebook.run_all()
    root = notebook.explorer(0)
    before = root.get_attribute("data-lengths")
    tokens(root).focus()
    with notebook.repaint(root):
        notebook.page.keyboard.press("ArrowLeft")
    assert root.get_attribute("data-lengths") != before
    open_fold(root, "Switch parts off")
    assert root.get_by_role("textbox", name="Text").is_disabled() and root.get_by_role("checkbox", name="attention 1").is_disabled()
    assert root.get_by_text("This needs Python").first.is_visible() and "This needs Python" in root.locator(".ex-st-part").text_content()


# Texts of the explorer below 4.5 : 1, as [text, ratio].
FAINT = """root => { """ + CONTRAST + """
    return [...root.querySelectorAll("*")].filter(node => !node.closest("[hidden], .ex-unseen, .ex-off, :disabled")
        && [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()))
        .map(node => [node.textContent, ratio(getComputedStyle(node).color, ground(node))]).filter(([, found]) => found < 4.5); }"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_a_narrow_page_and_no_fault_for_axe(open_notebook, theme):
    axe = little_models.needed("axe_playwright_python.sync_playwright").Axe()
    notebook = open_notebook([SETUP, ONE, TWO], height=2600)
    notebook.run_all()
    notebook.set_theme(theme)
    roots = [notebook.explorer(i) for i in (0, 1)]
    picture(notebook, f"stack_{theme}", roots[0])
    for root in roots:
        for summary in root.locator("summary").all():
            summary.click()
    notebook.page.wait_for_timeout(300)
    for i, root in enumerate(roots):
        assert root.evaluate(FAINT) == []
        picture(notebook, f"stack_{theme}_{i}_open", root)
    found = axe.run(notebook.page, context=".ex").response["violations"]
    assert [(fault["id"], node["html"][:200]) for fault in found if fault["impact"] in ("serious", "critical") for node in fault["nodes"]] == []
    assert roots[1].get_by_text("no part has a share of it").is_visible()
    notebook.set_size(460, 3600)
    for i, root in enumerate(roots):
        root.evaluate("root => { root.style.width = '360px'; }")
        notebook.page.wait_for_timeout(200)
        assert root.evaluate("root => root.scrollWidth <= root.clientWidth && root.clientWidth <= 360")
        picture(notebook, f"stack_{theme}_{i}_narrow", root)
    notebook.no_faults()
