"""The tokens explorer in real JupyterLab: what is typed and dragged gives Python's ids, by mouse and by keyboard."""

import pytest

from tests import little_models
from tests.browser.lab import CONTRAST, picture
from tests.test_explore_tokens import ODD, SPECIAL, TEXT

pytestmark = pytest.mark.browser

SETUP = f"""from course import explore
from course.text.tokenizer import BPETokenizer
tokenizer = BPETokenizer.train({TEXT!r} * 3, vocab_size=346, special_tokens={SPECIAL!r})"""
ONE = "e = explore.tokens(tokenizer, text='I like apples'); e"
TWO = "f = explore.tokens(tokenizer, text='I like apples 苹果', other=tokenizer, title='one, two'); f.n_merges_other = 5; f"


@pytest.fixture(scope="module")
def shared(browser):
    """One notebook for most tests of this file: opening JupyterLab is what takes their time."""
    notebook = browser.open([SETUP, ONE, TWO, "1 + 1"])
    notebook.set_theme("light")
    notebook.run_all()
    yield notebook
    notebook.close()


@pytest.fixture
def live(shared):
    """(notebook, root) of the first explorer in the state in which it is made."""
    root = shared.explorer(0)
    shared.execute("with e.hold_sync():\n    e.text, e.n_merges, e.token, e.under = 'I like apples', len(tokenizer.merges), 0, 'id'")
    assert_soon(shared, lambda: shown(root), shared.python("e.ids"))
    yield shared, root
    shared.no_faults()


def shown(root, place: int = 0) -> list[int]:
    """The ids of the tokens that are drawn."""
    return [int(id) for id in root.locator(".ex-tk-panel").nth(place).get_attribute("data-ids").split()]


def assert_soon(notebook, found, expected):
    """`found()` comes to be `expected`; a busy machine may take a while to tell the kernel, or the page."""
    for _ in range(50):
        if found() == expected:
            break
        notebook.page.wait_for_timeout(100)
    assert found() == expected


def assert_in_step(notebook, root, name: str = "e"):
    """Python comes to have the page's text and merges, and its ids are the page's."""
    text = root.get_by_role("textbox", name="Text").input_value()
    assert_soon(notebook, lambda: notebook.python(f"{name}.text"), text)
    merges = root.get_by_role("spinbutton").first.input_value()
    assert_soon(notebook, lambda: str(notebook.python(f"{name}.n_merges")), merges)
    assert notebook.python(f"{name}.ids[:1000]") == shown(root)


def sentence(root, place: int = 0) -> str:
    return root.locator(".ex-tk-panel > .ex-sentence").nth(place).text_content()


# Puts each text into the box as a keyboard would, and gives the ids that are painted for it.
TYPE_ALL = """async (root, texts) => {
    const box = root.querySelector("textarea"), panel = root.querySelector(".ex-tk-panel"), found = [];
    for (const text of texts) {
        box.value = text;
        box.dispatchEvent(new Event("input", {bubbles: true}));
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        const count = panel.querySelectorAll("[role=option]").length;
        found.push([panel.dataset.ids, count]);
    }
    return found;
}"""


def test_what_is_typed_gives_pythons_ids(live):
    notebook, root = live
    texts = [*ODD, *[a + b for a, b in zip(ODD, ODD[5:])], *["I like apples. 苹果"[:n] for n in range(16)], "a\ud800b", "\udfff", "x" * 900]
    with_breaks = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]  # as a text area has them
    escaped = [text.encode("utf-16-le", "surrogatepass").hex() for text in with_breaks]
    decoded = "hex => String.fromCharCode(...hex.match(/..../g)?.map(two => parseInt(two.slice(2) + two.slice(0, 2), 16)) ?? [])"
    found = root.evaluate(f"(root, coded) => ({TYPE_ALL})(root, coded.map({decoded}))", escaped)
    notebook.execute(f"coded = {escaped!r}\ntexts = [bytes.fromhex(h).decode('utf-16-le', 'replace') for h in coded]")
    expected = notebook.python("[tokenizer.encode(text) for text in texts]")
    for text, (ids, count), right in zip(texts, found, expected, strict=True):
        assert [int(id) for id in ids.split()] == right and count == len(right), text
    assert_soon(notebook, lambda: notebook.python("e.text"), texts[-1])


def test_line_breaks_that_a_text_area_does_not_have_come_from_python(live):
    notebook, root = live
    for text in ("a\r\nb\r", "\r", ""):
        notebook.execute(f"e.text = {text!r}")
        assert_soon(notebook, lambda: shown(root), notebook.python("e.ids"))
    assert "No text, no tokens" in sentence(root)
    notebook.page.wait_for_timeout(300)
    assert notebook.python("e.text") == ""


def test_typing_and_dragging_need_no_kernel(live):
    notebook, root = live
    tokenizer = notebook.python("tokenizer.merges")
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    notebook.page.evaluate(f"() => {{ {kernel}.requestExecute({{code: 'import time; time.sleep(2.5)', silent: true}}); }}")
    root.get_by_role("textbox", name="Text").focus()
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.type(" and bananas")
    with_all = shown(root)
    root.get_by_role("slider").first.focus()
    with notebook.repaint(root):
        notebook.page.keyboard.press("Home")
    assert len(shown(root)) == len("I like apples and bananas") > len(with_all)
    assert notebook.page.evaluate(f"() => {kernel}.status") == "busy"
    for _ in range(3):
        with notebook.repaint(root):
            notebook.page.keyboard.press("ArrowRight")
    assert root.get_by_role("spinbutton").input_value() == "3" and len(tokenizer) > 3
    assert_in_step(notebook, root)
    assert notebook.python("e.ids == tokenizer.first(3).encode('I like apples and bananas')")


def test_the_number_box_and_the_mouse_set_the_merges(live):
    notebook, root = live
    box, slider = root.get_by_role("spinbutton"), root.get_by_role("slider")
    box.fill("12")
    assert_in_step(notebook, root)
    assert notebook.python("e.n_merges") == 12 and slider.input_value() == "12"
    assert slider.get_attribute("aria-valuetext").startswith("the first 12 of ")
    box.fill("99999")
    notebook.page.keyboard.press("Tab")
    most = notebook.python("len(tokenizer.merges)")
    assert box.input_value() == str(most)
    place = slider.bounding_box()
    notebook.page.mouse.move(place["x"] + place["width"] - 8, place["y"] + place["height"] / 2)
    notebook.page.mouse.down()
    notebook.page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2, steps=5)
    notebook.page.mouse.up()
    assert_in_step(notebook, root)
    assert abs(notebook.python("e.n_merges") - most / 2) < most / 8


def test_a_token_is_chosen_by_key_and_by_mouse_and_read_out(live):
    notebook, root = live
    notebook.execute("e.text = 'xyz bananas 苹'; e.n_merges = 60")
    assert_soon(notebook, lambda: shown(root), notebook.python("e.ids"))
    tokens = root.get_by_role("listbox")
    tokens.focus()
    cells = notebook.cells()
    for key, place in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("d", 2), ("d", 2), ("x", 2), ("ArrowLeft", 1), ("End", None), ("ArrowRight", None)):
        notebook.page.keyboard.press(key)
        notebook.page.wait_for_timeout(60)
        chosen = tokens.get_by_role("option", selected=True)
        expected = len(shown(root)) - 1 if place is None else place
        assert chosen.count() == 1 and chosen.get_attribute("id") == tokens.get_attribute("aria-activedescendant")
        assert tokens.get_by_role("option").nth(expected).get_attribute("aria-selected") == "true"
    assert notebook.cells() == cells
    assert_soon(notebook, lambda: notebook.python("e.token"), len(shown(root)) - 1)
    last = notebook.python("e.ids[-1]")
    assert f"id {last}" in sentence(root)
    assert_soon(notebook, lambda: root.locator("[aria-live=polite].ex-unseen").text_content(), sentence(root))

    place = notebook.python("[t.text for t in e.tokens()].index(' bananas') if ' bananas' in [t.text for t in e.tokens()] else 3")
    tokens.get_by_role("option").nth(place).click()
    assert_soon(notebook, lambda: notebook.python("e.token"), place)
    id = notebook.python(f"e.ids[{place}]")
    left, right = notebook.python(f"[tokenizer.token_bytes(half).decode() for half in tokenizer.merges[{id} - 256]]")
    spelled = notebook.python(f"tokenizer.token_bytes({id}).hex(' ').upper()")
    visible = f"{left}{right}".replace(" ", "·")
    assert sentence(root) == f"{visible}, id {id}, bytes {spelled}: merge {id - 256} = {left} + {right}.".replace(f"= {left}", f"= {left.replace(' ', '·')}")


def test_partial_characters_white_space_and_markup(live):
    notebook, root = live
    notebook.execute("e.n_merges = 0; e.text = '你 \\n\\t<b>'")
    assert_soon(notebook, lambda: shown(root), notebook.python("e.ids"))
    texts = root.locator(".ex-tk-text").all_text_contents()
    assert texts == ["E4", "BD", "A0", "·", "↵", "⇥", "<", "b", ">"] and root.locator("b").count() == 0
    root.get_by_role("option").nth(1).hover()
    assert sentence(root).startswith("BD, id") and sentence(root).endswith("its bytes belong to 你.")
    root.get_by_role("radio", name="bytes").click()
    assert_soon(notebook, lambda: root.locator(".ex-tk-below").all_text_contents()[2:5], ["A0", "20", "0A"])
    notebook.execute("e.n_merges = len(tokenizer.merges); e.text = '我喜欢吃苹 <|endoftext|>'; e.under = 'id'")
    assert_soon(notebook, lambda: shown(root), notebook.python("e.ids"))
    assert root.locator(".ex-tk-text").all_text_contents() == notebook.python("[t.label.replace(' ', '·') for t in e.tokens()]")
    root.get_by_role("option").last.click()
    assert "a special token, split off before anything is merged" in sentence(root)
    title = notebook.page.title()
    notebook.execute("e.text = \"</script><img src=x onerror=document.title='gone'>\"")
    assert_soon(notebook, lambda: shown(root), notebook.python("e.ids"))
    assert root.locator("img, script").count() == 0 and notebook.page.title() == title


def test_the_steps_of_a_piece(live):
    notebook, root = live
    notebook.execute("e.text = 'x bananas <|end|> ' + 'low' * 40; e.token = 1")
    assert_soon(notebook, lambda: shown(root), notebook.python("e.ids"))
    summary = root.locator("summary")
    summary.focus()
    notebook.page.keyboard.press("Enter")
    rows = root.locator(".ex-tk-steps tr")
    rows.first.wait_for()
    assert rows.first.locator(".ex-tk-step").all_text_contents() == " bananas".encode().hex(" ").upper().split()
    ranks = [int(text.split()[1].rstrip(":")) for text in rows.locator("th").all_text_contents()[1:]]
    assert ranks == sorted(ranks) and len(ranks) >= 2
    ids = notebook.python("tokenizer.encode(' bananas')")
    assert rows.last.locator(".ex-tk-step").count() == len(ids) and rows.last.locator(".ex-tk-fresh").count() >= 1
    assert root.locator(".ex-tk-piece").count() == len(ids)
    root.get_by_role("listbox").focus()
    notebook.page.keyboard.press("Home")
    root.get_by_text("Piece 1 of").wait_for()
    special = notebook.python("[t.kind for t in e.tokens()].index('special')")
    root.get_by_role("option").nth(special).click()
    root.get_by_text("it is taken whole").wait_for()
    root.get_by_role("option").last.click()
    root.get_by_text("This piece has 121 bytes").wait_for()
    summary.click()
    assert root.locator(".ex-tk-steps").is_hidden()


def test_a_long_text_is_counted_whole_and_shown_in_part(live):
    notebook, root = live
    notebook.execute("e.text = 'I like apples. ' * 6700")
    count = notebook.python("len(e.ids)")
    root.get_by_text(f"{count} tokens: showing the first 1000.").wait_for()
    assert root.get_by_role("option").count() == 1000 and shown(root) == notebook.python("e.ids[:1000]")
    assert root.locator(".ex-tk-value").all_text_contents()[:3] == ["100500", "100500", str(count)]


def test_two_tokenizers_beside_each_other(shared):
    root = shared.explorer(1)
    assert_soon(shared, lambda: [shown(root), shown(root, 1)], shared.python("[f.ids, f.ids_other]"))
    assert shown(root) != shown(root, 1)
    panels = [root.locator(".ex-tk-panel").nth(place).bounding_box() for place in (0, 1)]
    assert panels[0]["x"] + panels[0]["width"] <= panels[1]["x"] and panels[0]["y"] == panels[1]["y"]
    root.get_by_role("slider").nth(1).focus()
    for key in ("End", "ArrowLeft"):
        with shared.repaint(root):
            shared.page.keyboard.press(key)
    last = shared.python("len(tokenizer.merges) - 1")
    assert_soon(shared, lambda: shared.python("f.n_merges_other"), last)
    assert shown(root, 1) == shared.python(f"tokenizer.first({last}).encode(f.text)")
    root.get_by_role("listbox").nth(1).focus()
    shared.page.keyboard.press("End")
    assert_soon(shared, lambda: shared.python("[f.token_other == len(f.ids_other) - 1, f.n_merges == last + 1]".replace("last", str(last))), [True, True])
    ids = shared.page.evaluate("() => [...document.querySelectorAll('.ex-tokens [id]')].map(node => node.id)")
    assert len(ids) == len(set(ids)) > 10
    shared.no_faults()


SLOW = """import time, sys
sys.path.insert(0, {root!r})
class Slow:
    def encode(self, text):
        time.sleep(0.8 if "cat" in text else 0)
        if "!" in text: raise KeyError("no word for !")
        return [len(word) for word in text.split()]
    def decode(self, ids): return "".join("x" * id for id in ids)
e = explore.tokens(Slow(), text="I like apples"); e"""


def test_another_kind_of_tokenizer_runs_in_python_and_the_newest_text_wins(open_notebook, request):
    notebook = open_notebook([SETUP, SLOW.format(root=str(request.config.rootpath))])
    notebook.run_all()
    root = notebook.explorer(0)
    assert shown(root) == [1, 4, 6] and root.get_by_role("slider").is_disabled()
    root.get_by_text("Python computes them, and there is nothing to slide").wait_for()
    box = root.get_by_role("textbox", name="Text")
    box.fill("my cat sat")
    root.get_by_text("computing …").wait_for()
    assert root.get_attribute("aria-busy") == "true" and shown(root) == [1, 4, 6]
    box.fill("my cat sat on a mat")
    notebook.page.wait_for_timeout(300)
    box.fill("we like")
    for _ in range(40):
        ids, busy = shown(root), root.get_attribute("aria-busy")
        assert busy == "true" or ids == [2, 4], ids
        notebook.page.wait_for_timeout(60)
    assert_soon(notebook, lambda: [shown(root), root.get_attribute("aria-busy")], [[2, 4], "false"])
    box.fill("we like it!")
    root.get_by_role("alert").get_by_text("Slow raised KeyError: 'no word for !'").wait_for()
    assert_soon(notebook, lambda: root.get_attribute("aria-busy"), "false")
    assert shown(root) == [2, 4]
    root.locator("summary").click()
    root.get_by_text("does not tell its merges, so there are no steps").wait_for()
    notebook.no_faults()


def test_a_transformers_tokenizer_beside_ours(open_notebook, request):
    cell = """import sys, pathlib, tempfile
sys.path.insert(0, {root!r})
from tests import little_models
theirs = little_models.wordpiece(pathlib.Path(tempfile.mkdtemp()))
e = explore.tokens(tokenizer, text="I like 苹果", other=theirs); e""".format(root=str(request.config.rootpath))
    notebook = open_notebook([SETUP, cell])
    notebook.run_all()
    root = notebook.explorer(0)
    assert shown(root, 1) == notebook.python("theirs('I like 苹果')['input_ids']") == notebook.python("e.ids_other")
    second = root.locator(".ex-tk-panel").nth(1)
    assert second.locator(".ex-tk-text").all_text_contents() == ["[CLS]", "I", "like", "苹", "果", "[SEP]"]
    second.get_by_role("option").nth(1).click()
    assert sentence(root, 1) == "I, id 5: i in the tokenizer's vocabulary."
    picture(notebook, "tokens_theirs", root)
    notebook.no_faults()


# Texts of the explorer below 4.5 : 1, as [text, ratio].
FAINT = """root => { """ + CONTRAST + """
    return [...root.querySelectorAll("*")].filter(node => !node.closest("[hidden], .ex-unseen, .ex-off")
        && [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()))
        .map(node => [node.textContent, ratio(getComputedStyle(node).color, ground(node))]).filter(([, found]) => found < 4.5); }"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_a_narrow_page_and_no_fault_for_axe(open_notebook, theme):
    axe = little_models.needed("axe_playwright_python.sync_playwright").Axe()
    text = "I like <|endoftext|> eating apples. 我喜欢吃苹果 👩‍👩‍👧\\n\\tx = f(y)"
    notebook = open_notebook([SETUP, f"e = explore.tokens(tokenizer, text='{text}', title='Tokens'); e",
                              f"f = explore.tokens(tokenizer, text='{text}', other=tokenizer); f.n_merges_other = 20; f"], height=1500)  # fmt: skip
    notebook.run_all()
    notebook.set_theme(theme)
    roots = [notebook.explorer(i) for i in (0, 1)]
    picture(notebook, f"tokens_{theme}", roots[0])
    for summary in notebook.page.locator(".ex-tokens summary").all():
        summary.click()
    notebook.page.wait_for_timeout(300)
    for i, root in enumerate(roots):
        assert root.evaluate(FAINT) == []
        picture(notebook, f"tokens_{theme}_{i}_open", root)
    found = axe.run(notebook.page, context=".ex").response["violations"]
    assert [(fault["id"], node["html"][:200]) for fault in found if fault["impact"] in ("serious", "critical") for node in fault["nodes"]] == []
    notebook.set_size(460, 1800)
    for i, root in enumerate(roots):
        root.evaluate("root => { root.style.width = '360px'; }")
        notebook.page.wait_for_timeout(200)
        assert root.evaluate("root => root.scrollWidth <= root.clientWidth && root.clientWidth <= 360")
        picture(notebook, f"tokens_{theme}_{i}_narrow", root)
    notebook.no_faults()
