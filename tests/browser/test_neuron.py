"""The neuron explorer in real JupyterLab: its numbers are Python's, by mouse and by keyboard, with and without a kernel."""

import numpy as np
import pytest

from tests import little_models
from tests.browser.lab import CONTRAST, picture
from tests.test_explore_neuron import CORPUS, TEXT

pytestmark = pytest.mark.browser

SETUP = f"""import time, torch, numpy as np
from course import explore
from course.blocks.feed_forward import FeedForward
from course.models import GPT, GPTConfig
from course.text.tokenizer import BPETokenizer
tokenizer = BPETokenizer.train({TEXT!r} * 3, 300, special_tokens=["<|endoftext|>"])
torch.manual_seed(0)
model = GPT(GPTConfig(vocab_size=len(tokenizer), context_length=40, d_model=16, n_heads=2, n_layers=3))
with torch.no_grad():
    for name, parameter in model.named_parameters():
        if "feed_forward" in name:
            parameter += 0.3 * torch.randn(parameter.shape)
corpus = {CORPUS!r}"""
ONE = "e = explore.neuron(model, tokenizer, corpus=corpus, text='I like apples'); e"
BARE = "f = explore.neuron(FeedForward(4, 10, 'relu'), vectors=torch.randn(5, 4), tokens=['我', 'a b', '', '</b>', '\\u202ex'], title='one layer'); f"
START = """with e.hold_sync():
    e.text, e.layer, e.neuron, e.activation, e.token = 'I like apples', 0, 0, 'gelu_tanh', 0"""
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"


@pytest.fixture(scope="module")
def shared(browser):
    """One notebook for most tests of this file: opening JupyterLab is what takes their time."""
    notebook = browser.open([SETUP, ONE, BARE, "1 + 1"], height=1400)
    notebook.set_theme("light")
    notebook.run_all()
    yield notebook
    notebook.close()


@pytest.fixture
def live(shared):
    """(notebook, root) of the first explorer in the state in which it is made."""
    root = shared.explorer(0)
    shared.page.mouse.move(1, 1)  # where it points at no token
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


def values(root) -> list[float]:
    return [float(x) for x in root.get_attribute("data-values").split()]


def assert_in_step(notebook, root, name: str = "e"):
    """The page comes to show Python's state: the same neuron, layer and token, numbers to 1e-6, tokens, texts, value row."""

    def shown():
        neuron, layer, token, z, right, texts = notebook.python(
            f"[{name}.neuron, {name}.answer['layer'], {name}.place, {name}.z, {name}.activations[:, {name}.neuron].tolist(), [list(t) for t in {name}.texts()]]")  # fmt: skip
        found = [int(root.get_attribute(f"data-{what}")) for what in ("neuron", "layer", "token")]
        marks = root.locator(".ex-ne-mark").all_text_contents()
        return found == [neuron, layer, token] and abs(float(root.get_attribute("data-z")) - z) < 1e-6 and \
            len(values(root)) == len(right) and np.allclose(values(root), right, rtol=0, atol=1e-6) and \
            marks == [visible(token) for _, token, _, _ in texts] and root.get_attribute("aria-busy") == "false"  # fmt: skip

    soon(notebook, lambda: bool(shown()), True)


def visible(text: str) -> str:
    return text.replace(" ", "·").replace("\n", "↵").replace("\t", "⇥")


def sentence(root) -> str:
    return root.locator(".ex-sentence").text_content()


def test_numbers_are_pythons_for_every_bend_and_many_neurons(live):
    notebook, root = live
    box, bend = root.get_by_role("spinbutton", name="neuron"), root.get_by_role("combobox", name="activation")
    for neuron, name in ((1, "relu"), (7, "gelu"), (20, "gelu_tanh"), (63, "silu")):
        box.fill(str(neuron))
        bend.select_option(name)
        soon(notebook, lambda: notebook.python("[e.neuron, e.activation]"), [neuron, name])
        assert_in_step(notebook, root)
        raised = notebook.python("[[name, x] for name, x in e.raised() + e.lowered()]")
        assert root.locator(".ex-ne-token").all_text_contents() == [visible(token) for token, _ in raised]
        numbers = [float(text.replace("−", "-")) for text in root.locator(".ex-ne-said .ex-ne-value").all_text_contents()]
        np.testing.assert_allclose(numbers, [x for _, x in raised], rtol=6e-3, atol=6e-5)
        texts = notebook.python("[list(t) for t in e.texts()]")
        assert len(texts) == root.locator(".ex-ne-text").count() and (texts or "No text of the corpus" in root.text_content())
        shown = [text.strip("…") for text in root.locator(".ex-ne-context").all_text_contents()]
        assert all(found in visible(before + token + after) and len(found) > 0 for found, (before, token, after, _) in zip(shown, texts, strict=True))
        exchanged = root.get_by_text(f"With {name} in place of gelu_tanh")
        assert exchanged.is_visible() == (name != "gelu_tanh")


def test_neuron_bend_and_token_need_no_kernel(live):
    notebook, root = live
    notebook.page.evaluate(f"() => {{ {KERNEL}.requestExecute({{code: 'time.sleep(3)', silent: true}}); }}")
    root.get_by_role("slider", name="neuron").focus()
    seen = []
    for _ in range(8):
        with notebook.repaint(root):
            notebook.page.keyboard.press("ArrowRight")
        seen.append(root.get_attribute("data-values"))
    order = [int(n) for n in root.get_attribute("data-order").split()]
    for _ in range(2):
        with notebook.repaint(root):
            root.get_by_role("button", name="Next most active").click()
    with notebook.repaint(root):
        root.get_by_role("combobox", name="activation").select_option("relu")
    root.get_by_role("listbox").focus()
    with notebook.repaint(root):
        notebook.page.keyboard.press("End")
    assert len(set(seen)) == 8 and min(values(root)) >= 0
    assert notebook.page.evaluate(f"() => {KERNEL}.status") == "busy"
    soon(notebook, lambda: notebook.python("[e.activation, e.token == len(e.tokens()) - 1]"), ["relu", True])
    assert_in_step(notebook, root)
    assert order == notebook.python("e.by_strength()[:20].tolist()")
    after = (notebook.python("e.by_strength().tolist()").index(8) + 2) % 64
    assert notebook.python("e.neuron") == notebook.python(f"int(e.by_strength()[{after}])")
    assert f"Number {after + 1} of 64" in root.text_content()


def test_a_token_is_chosen_by_key_and_by_mouse_and_read_out(live):
    notebook, root = live
    cells = notebook.cells()
    tokens = root.get_by_role("listbox")
    tokens.focus()
    for key, place in (("ArrowRight", 1), ("ArrowRight", 2), ("d", 2), ("d", 2), ("ArrowLeft", 1), ("Home", 0), ("ArrowLeft", 0), ("ArrowRight", 1)):
        notebook.page.keyboard.press(key)
        notebook.page.wait_for_timeout(60)
        assert tokens.get_by_role("option").nth(place).get_attribute("aria-selected") == "true"
    assert notebook.cells() == cells
    soon(notebook, lambda: notebook.python("e.token"), 1)
    tokens.get_by_role("option").nth(3).click()
    soon(notebook, lambda: notebook.python("e.token"), 3)
    assert_in_step(notebook, root)
    z, value, bias = notebook.python("[e.z, e.value, float(np.frombuffer(e.bias, '<f4')[e.neuron])]")
    said = [float(x.replace("−", "-").replace(" ", "")) for x in __import__("re").findall(r"= ((?:−)?[\d.]+)(?= [+−]|,|\.)", sentence(root).replace(". It", ". ").replace(". A", ". "))]
    np.testing.assert_allclose(said, [z - bias, z, value], rtol=6e-3, atol=1e-3)
    live_region = root.locator("[aria-live=polite].ex-unseen")
    soon(notebook, lambda: live_region.text_content(), f"neuron 0 of 0 to 63. {sentence(root)}")
    label = notebook.python("e.tokens()[3]")
    assert sentence(root).startswith(f"At {visible(label)}, place 3: ")


def test_what_the_sentence_says_of_zero_and_below(live):
    notebook, root = live
    notebook.execute("i = np.argwhere((e.pre_activations < -0.2) & (e.pre_activations > -2)); e.token, e.neuron = i[0].tolist()")
    assert_in_step(notebook, root)
    assert "takes" in sentence(root) and "value row away" in sentence(root)
    root.get_by_role("combobox", name="activation").select_option("relu")
    root.get_by_text("It is switched off").first.wait_for()


def test_another_layer_and_another_text_run_the_model(live):
    notebook, root = live
    for layer in (2, 1):
        root.get_by_role("combobox", name="layer").select_option(str(layer))
        soon(notebook, lambda: notebook.python("e.layer"), layer)
        assert_in_step(notebook, root)
    root.get_by_role("textbox", name="Text").fill("我喜欢吃 bananas\n\tx <b>")
    soon(notebook, lambda: notebook.python("e.text"), "我喜欢吃 bananas\n\tx <b>")
    assert_in_step(notebook, root)
    assert root.locator(".ex-tk-text").all_text_contents() == [visible(token) for token in notebook.python("e.tokens()")]
    assert root.locator("b").count() == 0
    root.get_by_role("textbox", name="Text").fill("")
    root.get_by_role("alert").get_by_text("The text has no tokens").wait_for()
    assert len(values(root)) > 5
    root.get_by_role("textbox", name="Text").fill("low " * 60)
    root.get_by_text("tokens: showing the first 40").wait_for()
    assert_in_step(notebook, root)
    title = notebook.page.title()
    notebook.execute("e.text = \"</script><img src=x onerror=document.title='gone'>\"")
    assert_in_step(notebook, root)
    assert root.locator("img, script").count() == 0 and notebook.page.title() == title


def test_the_newest_text_wins_and_work_is_said(live):
    notebook, root = live
    notebook.execute("""asked = []
def slow(module, args):
    asked.append(args[0].shape[1]); time.sleep(0.7)
handle = model.register_forward_pre_hook(slow)""")
    box = root.get_by_role("textbox", name="Text")
    box.fill("apples and")
    root.get_by_text("computing …").wait_for()
    assert root.get_attribute("aria-busy") == "true"
    for text in ("apples and b", "apples and ba", "bananas"):
        box.fill(text)
        notebook.page.wait_for_timeout(40)
    soon(notebook, lambda: notebook.python("e.text"), "bananas")
    notebook.execute("handle.remove()")
    assert_in_step(notebook, root)
    assert box.input_value() == "bananas" and len(notebook.python("asked")) == 2


def test_a_layer_alone_with_its_vectors(shared):
    root = shared.explorer(1)
    assert_in_step(shared, root, "f")
    assert root.locator(".ex-tk-text").all_text_contents() == ["我", "a·b", "∅", "</b>", "⇄x"]
    assert not root.get_by_role("textbox").count() and not root.get_by_role("combobox", name="layer").count()
    assert not root.locator(".ex-ne-part").first.is_visible() and root.locator(".ex-title").text_content() == "one layer"
    ids = shared.page.evaluate("() => [...document.querySelectorAll('.ex-neuron [id]')].map(node => node.id)")
    assert len(ids) == len(set(ids)) > 5
    shared.no_faults()


def test_alone_what_needs_python_says_so_and_the_rest_works(open_notebook):
    notebook = open_notebook([SETUP, "1 + 1", ONE])
    notebook.page.evaluate("() => document.documentElement.setAttribute('data-course-alone', '')")
    notebook.run_all()
    root = notebook.explorer(0)
    assert root.get_by_role("textbox", name="Text").is_disabled() and root.get_by_role("combobox", name="layer").is_disabled()
    assert "This needs Python" in root.text_content()
    before = values(root)
    with notebook.repaint(root):
        root.get_by_role("button", name="Next most active").click()
    with notebook.repaint(root):
        root.get_by_role("combobox", name="activation").select_option("silu")
    assert values(root) != before and root.get_by_role("listbox").get_by_role("option").count() == len(before)
    notebook.no_faults()


# Texts of the explorer below 4.5 : 1, as [text, ratio].
FAINT = """root => { """ + CONTRAST + """
    return [...root.querySelectorAll("*")].filter(node => !node.closest("[hidden], .ex-unseen, .ex-off, option")
        && [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()))
        .map(node => [node.textContent, ratio(getComputedStyle(node).color, ground(node))]).filter(([, found]) => found < 4.5); }"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_a_narrow_page_and_no_fault_for_axe(open_notebook, theme):
    axe = little_models.needed("axe_playwright_python.sync_playwright").Axe()
    text = "I like <|endoftext|> eating apples. 我喜欢吃苹果 👩‍👩‍👧\\n\\tx = f(y)"
    notebook = open_notebook([SETUP, f"e = explore.neuron(model, tokenizer, corpus=corpus, text='{text}', title='A neuron'); e.activation = 'relu'; e", BARE], height=1500)
    notebook.run_all()
    notebook.set_theme(theme)
    notebook.page.wait_for_timeout(600)
    roots = [notebook.explorer(i) for i in (0, 1)]
    for i, root in enumerate(roots):
        assert root.evaluate(FAINT) == []
        picture(notebook, f"neuron_{theme}_{i}", root)
    found = axe.run(notebook.page, context=".ex").response["violations"]
    assert [(fault["id"], node["html"][:200]) for fault in found if fault["impact"] in ("serious", "critical") for node in fault["nodes"]] == []
    notebook.set_size(460, 2200)
    for i, root in enumerate(roots):
        root.evaluate("root => { root.style.width = '360px'; }")
        notebook.page.wait_for_timeout(300)
        assert root.evaluate("root => root.scrollWidth <= root.clientWidth && root.clientWidth <= 360")
        picture(notebook, f"neuron_{theme}_{i}_narrow", root)
    notebook.no_faults()
