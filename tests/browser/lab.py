"""Browser tests: how to write one.

    import pytest
    pytestmark = pytest.mark.browser

    def test_something(open_notebook):
        notebook = open_notebook(["from course import explore", "e = explore.query_plane(...); e"])
        notebook.run_all()                        # runs all cells, waits until the kernel is idle
        root = notebook.explorer(0)               # locator of the first explorer's root (the element with data-revision)
        with notebook.repaint(root):              # waits until data-revision has grown
            notebook.page.keyboard.press("ArrowRight")
        assert notebook.python("e.temperature") == 2.0     # evaluated in the kernel; arrays come as lists
        notebook.execute("e.temperature = 0.5")            # statements, outside the notebook's cells
        notebook.set_theme("dark")                # or "light"; every notebook is opened in light
        picture(notebook, "query_plane-dark", root)        # → tests/browser/pictures/query_plane-dark.png
        notebook.no_faults()                      # no cell raised, no console error, nothing asked of another machine

`open_notebook(cells_or_path, width=1280, height=1000, touch=False, reduced_motion=False)` opens a fresh copy in a page
of its own; it is closed (kernel too) after the test.  `notebook.page` is playwright's page.  Also: `errors()`,
`console_errors`, `outside_requests`, `wait_idle()`, `set_size(width, height)`, `cells()`, `cell_count()`, `close()`.

Where there is no Chromium the tests are skipped and say so; with CI set they fail.  The driver itself is
`course.bench.lab`, which the latency bench uses too.
"""

import os
from pathlib import Path

import pytest

from course.bench.lab import Browser, Lab, NotebookPage, missing

PICTURES = Path(__file__).parent / "pictures"

# JavaScript for `evaluate`: what is needed to measure how well a text can be read (WCAG: 4.5 : 1).
CONTRAST = """
    const channels = colour => colour.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = node => { for (; node; node = node.parentElement) {  // the nearest opaque colour behind a node
        const colour = channels(getComputedStyle(node).backgroundColor);
        if (colour.length < 4 || colour[3] > 0.99) return colour; } return [255, 255, 255]; };
    const ratio = (colour, back) => {  // of a colour, perhaps translucent, before an opaque one
        const [r, g, b, alpha = 1] = channels(colour);
        const ink = [r, g, b].map((c, i) => alpha * c + (1 - alpha) * back[i]);
        const [low, high] = [luminance(ink), luminance(back)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05); };
"""

__all__ = ["CONTRAST", "PICTURES", "Browser", "Lab", "NotebookPage", "missing", "picture", "skip_for"]


def picture(notebook: NotebookPage, name: str, of=None) -> Path:
    """Keeps a screenshot (of one locator, or of the window) for a person to look at; git ignores the folder."""
    return notebook.screenshot(PICTURES / f"{name}.png", of)


def skip_for(reason: str):
    """Nothing for ""; else the test that asks is skipped and says why it could not run, or fails where CI is set."""
    if reason and os.environ.get("CI"):
        pytest.fail(f"browser tests must run here, but {reason}", pytrace=False)
    if reason:
        pytest.skip(f"browser tests not run: {reason}")
