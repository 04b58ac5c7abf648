"""The driver itself must see the faults it is there to see; else every browser test is worthless."""

import pytest

pytestmark = pytest.mark.browser


def test_values_and_state_of_the_kernel(open_notebook):
    notebook = open_notebook(["import numpy as np", "a = np.arange(3.0) / 3", ""])
    notebook.run_all()
    assert notebook.python("a") == [0.0, 1 / 3, 2 / 3]
    notebook.execute("b = a.sum()\nc = '苹果 <b>'")
    assert notebook.python("[b, c]") == [1.0, "苹果 <b>"]
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        notebook.python("1 / 0")
    assert notebook.cell_count() == 3
    notebook.no_faults()


def test_a_cell_that_raises_is_a_fault(open_notebook):
    notebook = open_notebook(["1 + 1", "2 / 0", "3"])
    notebook.run_all()
    assert notebook.errors() == ["cell 1 raised ZeroDivisionError: division by zero"]
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        notebook.no_faults()


def test_a_console_error_is_a_fault(open_notebook):
    notebook = open_notebook(["from IPython.display import Javascript", "Javascript('console.error(\"broken\")')"])
    notebook.run_all()
    with pytest.raises(AssertionError, match="broken"):
        notebook.no_faults()


def test_a_request_to_another_machine_is_refused_and_a_fault(open_notebook):
    notebook = open_notebook([""])
    for address in ("http://192.0.2.1/picture.png", "https://example.org/font.woff2"):
        asked = notebook.page.evaluate("a => fetch(a, {mode: 'no-cors'}).then(() => 'sent', () => 'refused')", address)
        assert asked == "refused"
    assert notebook.outside_requests == ["http://192.0.2.1/picture.png", "https://example.org/font.woff2"]
    with pytest.raises(AssertionError):
        notebook.no_faults()


def test_themes_and_a_second_page(open_notebook):
    notebook = open_notebook(["1"])
    background = "() => getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor"
    light = notebook.page.evaluate(background)
    notebook.set_theme("dark")
    dark = notebook.page.evaluate(background)
    assert light == "rgb(255, 255, 255)" and dark != light
    second = open_notebook(["2"])  # opened in light again
    assert second.page.evaluate(background) == light
    second.no_faults()


def test_closing_ends_the_kernel(lab, browser):
    notebook = browser.open(["1"])
    assert [s for s in lab.request("GET", "api/sessions") if s["path"] == notebook.file.name]
    notebook.close()
    assert not [s for s in lab.request("GET", "api/sessions") if s["path"] == notebook.file.name]
    assert not notebook.file.exists()


def test_after_the_browser_asyncio_works_again(lab):
    """Would fail if playwright's loop stayed running in this thread (run alone or before the module's browser opens)."""
    import subprocess
    import sys

    code = (
        "import asyncio\nfrom course.bench.lab import Lab\n"
        "with Lab() as lab:\n    with lab.browser() as browser:\n        pass\n"
        "async def three(): return 3\nprint(asyncio.run(three()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "3", done.stderr
