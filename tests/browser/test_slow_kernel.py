"""A kernel that confirms late takes nothing back: the page keeps to the hand, in every explorer that shares its state."""

import pytest

pytestmark = pytest.mark.browser
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"


def sleep_in_kernel(notebook, seconds: float):
    code = f"import time; time.sleep({seconds})"
    notebook.page.evaluate(f"code => {{ {KERNEL}.requestExecute({{code, silent: true}}); }}", code)


def press_while_it_sleeps(notebook, value, times: int = 30) -> list[float]:
    """One press, a pause long enough for its message to leave, then many more; `value` is read after each."""
    sleep_in_kernel(notebook, 1.5)
    notebook.page.keyboard.press("ArrowRight")
    notebook.page.wait_for_timeout(500)
    seen = []
    for _ in range(times):
        notebook.page.keyboard.press("ArrowRight")
        notebook.page.wait_for_timeout(50)
        seen.append(value())
    notebook.page.wait_for_timeout(300)
    return seen


def test_the_cursor_of_attention_is_never_taken_back(open_notebook):
    notebook = open_notebook([
        "import numpy as np\nfrom course import explore\nq = np.random.default_rng(0).normal(size=(40, 4))\n"
        "e = explore.attention(q=q, k=q, v=q, tokens=[str(i) for i in range(40)]); e"])  # fmt: skip
    notebook.run_all()
    root = notebook.explorer(0)
    notebook.execute("e.column = 0")
    root.locator("[role=grid]").first.focus()
    seen = press_while_it_sleeps(notebook, lambda: int(root.get_attribute("data-column")))
    assert seen == list(range(2, 32))
    notebook.wait_idle()
    assert notebook.python("e.column") == 31
    notebook.no_faults()


def test_the_query_of_the_plane_is_never_taken_back(open_notebook):
    notebook = open_notebook(["from course import explore\ne = explore.query_plane([[1, 0], [0, 1]], [[1, 0], [0, 1]], query=[-2, 1]); e"])
    notebook.run_all()
    root = notebook.explorer(0)
    handle = root.locator("[data-id=q]")
    handle.focus()
    seen = press_while_it_sleeps(notebook, lambda: handle.get_attribute("aria-valuetext"))
    assert len(set(seen)) == len(seen)  # never the same place twice: it only moves on
    notebook.wait_idle()
    assert notebook.python("float(e.q[0])") == pytest.approx(-2 + 31 * 0.1, abs=1e-9)
    notebook.no_faults()
