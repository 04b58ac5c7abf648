"""Predictions and quiz in real JupyterLab: answered by keyboard and by mouse, kept once, and never without a click."""

import math

import pytest

from tests.browser.lab import CONTRAST, picture

pytestmark = pytest.mark.browser

HOME = """import os, pathlib, tempfile
home = os.environ["COURSE_HOME"]  # the server's, which is removed at its end
os.makedirs(home, exist_ok=True)
os.environ["COURSE_HOME"] = tempfile.mkdtemp(dir=home)
from course.exercises import my_prediction, quiz, reveal
from course.exercises.store import store
words = ["我", "喜欢", "苹果", "香蕉"]

import tomllib
from course import sentences
from course.exercises import questions  # chapter 97 has the table of this test
questions.table = lambda name: tomllib.loads(TABLE) if name == "questions_97" else sentences.table(name)
TABLE = '''
[prediction.dot]
explanation = "The dot product finds what is *alike*."
options = [{ text = "苹果", leaned = "A food is what 吃 *ought* to find." }, { text = "喜欢", leaned = "You went by the numbers." }]
[quiz.shift]
prompt = "Every score in one row grows by 5. What happens to the weights of that row?"
options = [
  { text = "They stay as they are", right = true, why = "e⁵ stands above and below the fraction bar. Only differences count." },
  { text = "They get sharper", why = "Sharper is what *multiplying* the scores does. Adding leaves every difference as it was." },
  { text = "They get flatter", why = "Flatter is what dividing the scores does." },
  { text = "They all grow", why = "They can't: they have to sum to 1." },
]
'''"""
ASK = 'my_prediction("97.dot", "The largest dot product of *吃* with another word, `x @ x[2]`, is with …", words)'
REVEAL = """from course.figures import table
reveal("97.dot", words[1], table([[0.0, 1.0, 0.4, 0.36]], ["吃"], words, "dot product"))"""
QUIZ = 'card = quiz("97.shift"); card'
RECORD = "[[a.question, a.choice, a.confidence, a.truth, a.loss] for a in store().answers()]"
NOTHING = 'list(map(str, pathlib.Path(os.environ["COURSE_HOME"]).iterdir()))'
FOCUS = "() => { const node = document.activeElement; return [node.tagName, node.innerText.trim()] }"


def select(notebook, index):
    """Puts JupyterLab's cursor on a cell, in command mode, as a click beside it does."""
    notebook.page.evaluate("""index => { document.activeElement.blur(); const content = window.jupyterapp.shell.currentWidget.content;
        content.activeCellIndex = index; content.mode = "command"; content.activate(); }""", index)


def run_cell(notebook):
    """Shift+Enter, as a learner runs a cell."""
    notebook.page.keyboard.press("Shift+Enter")
    notebook.page.wait_for_timeout(300)
    notebook.wait_idle()


def output(notebook, index):
    return notebook.page.locator(".jp-Cell").nth(index).locator(".jp-OutputArea-output").last


def press_until(notebook, key, reached):
    """Presses a key until the focus is where it should be; at most 12 times."""
    for _ in range(12):
        if reached(notebook.page.evaluate(FOCUS)):
            return
        notebook.page.keyboard.press(key)
    raise AssertionError(f"{key} led to {notebook.page.evaluate(FOCUS)}")


def announced(root, said):
    """Waits until a screen reader is told so."""
    root.locator("[role=status][aria-live=polite]", has_text=said).wait_for(state="attached", timeout=5_000)


def settled(notebook, root, said):
    """Waits until the card says what Python decided."""
    root.locator(".qu-status", has_text=said).wait_for(timeout=10_000)
    notebook.wait_idle()


@pytest.mark.parametrize("degree, key, p", [("fairly sure", "f", 0.75), ("certain", "c", 0.95)])
def test_a_prediction_by_keyboard_alone(open_notebook, degree, key, p):
    notebook = open_notebook([HOME, ASK, REVEAL, "after = 1"])
    keyboard = notebook.page.keyboard
    select(notebook, 0)
    run_cell(notebook)
    run_cell(notebook)  # the card is there, and the cursor on the next cell
    root = notebook.explorer()
    before = notebook.cells()
    press_until(notebook, "Shift+Tab", lambda focus: focus[0] == "INPUT")
    keyboard.press("3")
    assert root.get_by_role("radio", name="苹果").is_checked()
    assert notebook.python(RECORD) == []
    keyboard.press(key)
    settled(notebook, root, f"Your prediction: 苹果, {degree}")
    assert notebook.python(RECORD) == [["97.dot", "苹果", p, None, None]]
    announced(root, f"Your prediction: 苹果, {degree}")
    keyboard.press("Escape")  # back to the cell
    keyboard.press("ArrowDown")
    run_cell(notebook)
    loss = -math.log((1 - p) / 3)
    said = output(notebook, 2).inner_text()
    assert f"= {loss:.2f} nats" in said and "A food is what 吃 ought to find." in said and "You went by the numbers" not in said
    assert notebook.python("store().answered('97.dot').loss") == pytest.approx(loss)
    assert notebook.cells() == before
    notebook.no_faults()


def test_native_radios_and_buttons_by_keyboard(open_notebook):
    notebook = open_notebook([HOME, ASK, "after = 1"])
    notebook.run_all()
    root, keyboard = notebook.explorer(), notebook.page.keyboard
    hunch = ["BUTTON", "a hunch, 50 %"]
    root.get_by_role("radio", name="我").focus()
    keyboard.press("Space")
    keyboard.press("ArrowDown")
    assert root.get_by_role("radio", name="喜欢").is_checked()
    keyboard.down("Enter")  # on to how sure one is; nothing is handed in
    assert notebook.page.evaluate(FOCUS) == hunch
    keyboard.down("Enter")  # still held down
    keyboard.up("Enter")
    assert notebook.page.evaluate(FOCUS) == hunch
    keyboard.press("Shift+Enter")  # runs no cell and hands nothing in, but leaves the card
    assert not root.evaluate("root => root.contains(document.activeElement)")
    notebook.wait_idle()
    assert notebook.python(NOTHING) == []
    root.get_by_role("button", name="a hunch").focus()
    keyboard.press("Tab")
    keyboard.press("Enter")
    settled(notebook, root, "Your prediction: 喜欢, fairly sure")
    assert notebook.python(RECORD) == [["97.dot", "喜欢", 0.75, None, None]]
    notebook.no_faults()


def test_a_prediction_by_mouse_stands_after_reload_and_restart(open_notebook):
    notebook = open_notebook([HOME.replace("tempfile.mkdtemp(dir=home)", "home + '/mouse'"), ASK, REVEAL, "after = 1"])
    select(notebook, 0)
    for _ in range(2):
        run_cell(notebook)
    root = notebook.explorer()
    root.get_by_role("button", name="certain").click(force=True)  # playwright would wait: it says that it is disabled
    assert root.locator(".qu-status").inner_text() == "Choose an option first, then say how sure you are."
    assert notebook.python(RECORD) == []
    root.locator(".qu-option", has_text="喜欢").click()
    assert root.get_by_role("button", name="certain").get_attribute("aria-disabled") == "false"
    assert root.locator(".qu-status").is_hidden()
    root.get_by_role("button", name="certain").click()
    settled(notebook, root, "Your prediction: 喜欢, certain")
    select(notebook, 2)
    run_cell(notebook)
    assert f"= {-math.log(0.95):.2f} nats" in output(notebook, 2).inner_text()
    expected = [["97.dot", "喜欢", 0.95, "喜欢", pytest.approx(-math.log(0.95))]]
    assert notebook.python(RECORD) == expected

    notebook.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    notebook.page.reload(wait_until="domcontentloaded")  # the kernel goes on
    notebook.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.content?.widgets?.length")
    notebook.wait_idle()
    root = notebook.explorer()
    assert root.locator(".qu-status").inner_text().startswith("Your prediction: 喜欢, certain")
    assert_locked(root, "喜欢")

    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    notebook.page.wait_for_timeout(500)
    notebook.run_all()
    root = notebook.explorer()
    settled(notebook, root, "You predicted 喜欢, certain")
    assert_locked(root, "喜欢")
    assert f"= {-math.log(0.95):.2f} nats" in output(notebook, 2).inner_text()
    assert notebook.python(RECORD) == expected
    notebook.console_errors[:] = [text for text in notebook.console_errors if "debugger state" not in text]  # of the restart
    notebook.no_faults()


def assert_locked(root, chosen):
    assert root.locator("input:checked").count() == 1 and root.get_by_role("radio", name=chosen).is_checked()
    assert all(radio.is_disabled() for radio in root.get_by_role("radio").all())
    assert root.get_by_role("button").count() == 0


def test_run_all_records_nothing_and_a_late_answer_neither(open_notebook):
    notebook = open_notebook([HOME, ASK, REVEAL, QUIZ])
    notebook.run_all()
    assert notebook.python(NOTHING) == []
    assert "No prediction was made" in output(notebook, 2).inner_text() and "nats" not in output(notebook, 2).inner_text()
    root = notebook.explorer()
    settled(notebook, root, "The answer is already on the page")
    root.locator(".qu-option", has_text="喜欢").click()
    root.get_by_role("button", name="certain").click()
    settled(notebook, root, "The answer is already on the page, so this one is not recorded: 喜欢, certain.")
    assert notebook.python(NOTHING) == []
    assert_locked(root, "喜欢")
    notebook.no_faults()


def test_the_quiz_by_keyboard(open_notebook):
    notebook = open_notebook([HOME, QUIZ, "after = 1"])
    select(notebook, 0)
    run_cell(notebook)
    run_cell(notebook)
    root, keyboard = notebook.explorer(), notebook.page.keyboard
    before = notebook.cells()
    texts = [text.split("\n")[-1] for text in root.locator(".qu-option").all_inner_texts()]
    wrong, right = texts.index("They get sharper"), texts.index("They stay as they are")
    press_until(notebook, "Shift+Tab", lambda focus: focus[0] == "BUTTON")
    keyboard.press(str(wrong + 1))
    whys = root.locator(".qu-why")
    assert [why.is_visible() for why in whys.all()] == [place == wrong for place in range(4)]
    assert whys.nth(wrong).inner_text().startswith("✗ Not this one. Sharper is what multiplying the scores does.")
    announced(root, "They get sharper: not this one. Sharper is what multiplying")
    press_until(notebook, "ArrowDown", lambda focus: focus[1].endswith("They stay as they are"))
    keyboard.press("Enter")
    assert whys.nth(right).inner_text().startswith("✓ Right. e⁵ stands above and below")
    assert whys.nth(wrong).is_visible()
    announced(root, "They stay as they are: right. e⁵")
    notebook.wait_idle()
    assert notebook.python(RECORD) == [["97.shift", "They get sharper", None, "They stay as they are", None]]
    assert notebook.python("[card.tried, len(store().answers_to('97.shift'))]") == [[wrong, right], 1]
    assert notebook.cells() == before
    picture(notebook, "quiz-light", root)
    notebook.no_faults()


def test_the_quiz_by_mouse_and_again(open_notebook):
    notebook = open_notebook([HOME, QUIZ, 'quiz("97.shift")'])
    notebook.run_all()
    first, second = notebook.explorer(0), notebook.explorer(1)
    first.get_by_role("button", name="They stay as they are").click()
    notebook.wait_idle()
    assert first.locator(".qu-right").count() == 1 and second.locator(".qu-right").count() == 0
    second.get_by_role("button", name="They all grow").click()
    notebook.wait_idle()
    assert notebook.python(RECORD) == [["97.shift", "They stay as they are", None, "They stay as they are", None]]
    select(notebook, 2)
    run_cell(notebook)
    settled(notebook, notebook.explorer(1), "was They stay as they are. Try as often as you like.")
    notebook.no_faults()


def test_keys_pressed_on_a_card_never_reach_the_notebook(open_notebook):
    notebook = open_notebook([HOME, ASK, QUIZ, "after = 1"])
    notebook.run_all()
    before, keyboard = notebook.cells(), notebook.page.keyboard
    for index, stops in ((0, 5), (1, 5)):
        root = notebook.explorer(index)
        root.locator(".qu-prompt").click()  # a click on words: the keys belong to the card all the same
        for stop in range(stops):
            assert root.evaluate("root => root.contains(document.activeElement)"), (index, stop)
            for key in ["d", "d", "x", "a", "b", "m", "y", "0", "0", "7", "z", "Shift+M", "Control+Enter", "Alt+Enter"]:
                keyboard.press(key)
            assert notebook.cells() == before, (index, stop)
            keyboard.press("Tab")
    assert notebook.python(NOTHING) == []
    notebook.explorer(0).locator(".qu-prompt").click()
    for key in ["2", "h", "d", "d", "x"]:  # after the answer, when its button is gone
        keyboard.press(key)
    settled(notebook, notebook.explorer(0), "Your prediction: 喜欢, a hunch")
    keyboard.press("d")
    keyboard.press("d")
    assert notebook.cells() == before and len(notebook.python(RECORD)) == 1
    notebook.no_faults()


def test_an_answer_waits_for_a_busy_kernel(open_notebook):
    notebook = open_notebook([HOME, ASK, "import time; time.sleep(3)"])
    select(notebook, 0)
    run_cell(notebook)
    run_cell(notebook)
    root = notebook.explorer()
    notebook.page.keyboard.press("Shift+Enter")
    root.locator(".qu-option", has_text="香蕉").click()
    root.get_by_role("button", name="a hunch").click()
    root.locator(".qu-status", has_text="Waiting for the kernel").wait_for(timeout=2_500)
    assert_locked(root, "香蕉")
    settled(notebook, root, "Your prediction: 香蕉, a hunch")
    assert notebook.python(RECORD) == [["97.dot", "香蕉", 0.5, None, None]]
    notebook.no_faults()


HOSTILE = r"""texts = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "🍎 `code` *em* {n}", "مرحبا\u202e b", "x" * 300, "&lt;b&gt; " * 40]
my_prediction("97.hostile", "<b onclick=alert(3)>" + texts[1], texts)"""


def test_hostile_options_are_text(open_notebook):
    notebook = open_notebook([HOME, HOSTILE, 'reveal("97.hostile", texts[0])'])
    dialogs = []
    notebook.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    select(notebook, 0)
    run_cell(notebook)
    run_cell(notebook)
    root = notebook.explorer()
    shown = root.locator(".qu-text").all_inner_texts()
    assert shown[0] == "</script><script>alert(1)</script>" and shown[1] == "<img src=x onerror=alert(2)>"
    assert shown[2] == "🍎 code em {n}" and shown[3] == "مرحبا\u202e b" and shown[4] == "x" * 300
    assert root.locator(".qu-text code").count() == 1 and root.locator(".qu-text em").count() == 1
    picture(notebook, "prediction-hostile", root)
    notebook.set_size(360, 1400)
    assert root.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
    notebook.set_size(1280, 1000)
    root.locator(".qu-option").nth(1).click()
    root.get_by_role("button", name="certain").click()
    settled(notebook, root, "Your prediction: <img src=x onerror=alert(2)>, certain")
    select(notebook, 2)
    run_cell(notebook)
    assert "The answer: </script><script>alert(1)</script>." in output(notebook, 2).inner_text()
    assert root.locator("img, script, b").count() == 0 and output(notebook, 2).locator("img, script, b").count() == 0
    assert not dialogs
    assert notebook.python("store().answered('97.hostile').choice") == "<img src=x onerror=alert(2)>"
    notebook.no_faults()


WORST = "root => {" + CONTRAST + """
    const found = [];
    for (const node of [root, ...root.querySelectorAll("*")]) {
        const own = [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
        if (own && node.getClientRects().length) found.push([ratio(getComputedStyle(node).color, ground(node)), node.textContent.slice(0, 40)]);
    }
    const bar = root.querySelector("[role=img] > div > div");
    return { text: found.sort((a, b) => a[0] - b[0])[0], count: found.length,
        bar: bar && ratio(getComputedStyle(bar).backgroundColor, ground(root)) };
}"""


def assert_readable(node, *context):
    measured = node.evaluate(WORST)
    assert measured["count"] >= 4 and measured["text"][0] >= 4.5, (context, measured)
    assert measured["bar"] is None or measured["bar"] >= 3, (context, measured)
    return measured


def test_both_themes_are_readable_and_a_phone_shows_all(open_notebook):
    notebook = open_notebook([HOME, ASK, QUIZ, REVEAL])
    select(notebook, 0)
    for _ in range(3):
        run_cell(notebook)
    card, question = notebook.explorer(0), notebook.explorer(1)

    def looked_at(name):
        for theme in ("light", "dark"):
            notebook.set_theme(theme)
            for node, kind in ((card, "prediction"), (question, "quiz")):
                assert_readable(node, theme, name, kind)
                picture(notebook, f"{kind}-{name}-{theme}", node)

    looked_at("fresh")
    card.get_by_role("radio", name="苹果").focus()
    notebook.page.keyboard.press("Space")
    ring = card.locator(".qu-chosen").evaluate("node => { const s = getComputedStyle(node); return [s.outlineStyle, s.outlineWidth]; }")
    assert ring == ["solid", "2px"]
    notebook.page.keyboard.press("Tab")
    ring = card.locator(".qu-degree").first.evaluate("node => { const s = getComputedStyle(node); return [s.outlineStyle, s.outlineWidth]; }")
    assert ring == ["solid", "2px"]
    for option in ("They get sharper", "They stay as they are"):
        question.get_by_role("button", name=option).click()
    looked_at("chosen")
    card.get_by_role("button", name="certain").click()
    settled(notebook, card, "Your prediction: 苹果, certain")
    select(notebook, 3)
    run_cell(notebook)
    looked_at("answered")
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        measured = assert_readable(output(notebook, 3), theme, "reveal")
        assert measured["bar"] >= 3
        picture(notebook, f"reveal-{theme}", output(notebook, 3))
    notebook.set_size(360, 1800)
    for node, name in ((card, "prediction"), (question, "quiz"), (output(notebook, 3), "reveal")):
        assert node.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), name
        assert node.evaluate("node => [...node.querySelectorAll('button, label, p, [role=img] *')].every(inner => !inner.getClientRects().length ||"
                             " inner.closest('.ex-unseen') || inner.getBoundingClientRect().right <= node.getBoundingClientRect().right + 1)"), name  # fmt: skip
        picture(notebook, f"{name}-360", node)
    notebook.no_faults()
