"""Fixtures of the browser tests; `tests/browser/lab.py` shows how they are used."""

import pytest

from tests.browser.lab import Lab, missing, skip_for


@pytest.fixture(scope="session")
def lab():
    """One JupyterLab server for all browser tests of this process."""
    skip_for(missing())
    with Lab() as server:
        yield server


# One browser a module, not a session: while playwright is started this thread has a running asyncio loop, and other
# tests of the same process (notebooks executed through nbclient) could not start theirs.
@pytest.fixture(scope="module")
def browser(lab):
    with lab.browser() as program:
        yield program


@pytest.fixture
def open_notebook(browser):
    """A function that opens a fresh copy of a notebook (list of code cells, or path); all are closed after the test."""
    opened = []

    def open_notebook(cells, **window):
        notebook = browser.open(cells, **window)
        opened.append(notebook)
        notebook.set_theme("light")  # the theme is a setting of the server and outlives a page
        return notebook

    yield open_notebook
    for notebook in opened:
        notebook.close()
