"""Chapter 03 as its learner meets it: opened in JupyterLab, run from top to bottom, its explorers moved by hand."""

from pathlib import Path

import numpy as np
import pytest

from tests.browser.lab import picture

pytestmark = pytest.mark.browser
CHAPTER = Path(__file__).parents[2] / "notebooks" / "03_attention.ipynb"
PLANE, TABLE, OWN = 1, 2, 5  # explorers and question cards in the order of the chapter; the others have tests of their own


@pytest.fixture
def chapter(open_notebook):
    notebook = open_notebook(CHAPTER)
    notebook.run_all()
    return notebook


def focus(notebook, root, selector):
    target = root.locator(selector).first
    target.scroll_into_view_if_needed()
    target.focus()
    return target


def test_it_runs_without_a_fault_in_both_themes(chapter):
    for theme in ("light", "dark"):
        chapter.set_theme(theme)
        picture(chapter, f"chapter_03-{theme}")
    live = "[type(w).__name__ for w in Out.values() if hasattr(w, '_esm')]"
    assert chapter.python(f"[{live}.count('QuestionCard'), len({live})]") == [5, 9]  # two predictions, three quiz; explorers
    chapter.no_faults()


def test_the_table_shows_the_weights_derived_in_the_chapter(chapter):
    root = chapter.explorer(TABLE)
    grid = focus(chapter, root, "canvas[tabindex], [role=grid], [role=application]")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        with chapter.repaint(root):
            grid.press(key)
    row, column = (int(root.get_attribute(f"data-{name}")) for name in ("row", "column"))
    assert (row, column) != (0, 0)
    assert float(root.get_attribute("data-weight")) == pytest.approx(chapter.python(f"float(weights[{row}, {column}])"), abs=1e-5)
    assert float(root.get_attribute("data-score")) == pytest.approx(chapter.python(f"float(scores[{row}, {column}])"), abs=1e-5)
    words = chapter.python("words")
    assert words[row] in root.inner_text() and words[column] in root.inner_text()
    chapter.no_faults()


def test_a_query_of_zero_hears_the_plain_average(chapter):
    """What the chapter's third thing to try promises, with the query moved by arrow keys alone."""
    plane = "next(w for w in Out.values() if getattr(w, 'kind', '') == 'query_plane')"
    root = chapter.explorer(PLANE)
    chapter.execute(f"{plane}.q = [0.1, 0.0]")
    handle = focus(chapter, root, "[data-id='q']")
    with chapter.repaint(root):
        handle.press("ArrowLeft")
    chapter.wait_idle()
    assert np.abs(chapter.python(f"{plane}.q.tolist()")).max() < 1e-9
    np.testing.assert_allclose(chapter.python(f"{plane}.output().tolist()"), chapter.python("v.mean(axis=0).tolist()"), atol=1e-9)
    chapter.no_faults()


def test_a_sentence_of_ones_own(chapter):
    root = chapter.explorer(OWN)
    box = focus(chapter, root, "input[type=text], textarea")
    box.fill("the cat sees the dog")
    own = "[w for w in Out.values() if getattr(w, 'kind', '') == 'attention'][-1]"
    for _ in range(100):  # the text leaves when the hand rests, and its picture comes when the kernel has answered
        chapter.page.wait_for_timeout(200)
        weights = np.array(chapter.python(f"{own}.weights().tolist()"))
        weights = weights[0] if weights.ndim == 3 else weights
        row, column = (int(root.get_attribute(f"data-{name}")) for name in ("row", "column"))
        if weights.shape == (5, 5) and abs(float(root.get_attribute("data-weight")) - weights[row, column]) < 1e-5:
            break
    assert weights.shape == (5, 5)
    np.testing.assert_allclose(weights[0], weights[3], atol=1e-7)  # "the" twice: the same row
    np.testing.assert_allclose(weights[:, 0], weights[:, 3], atol=1e-7)  # and the same column
    row, column = (int(root.get_attribute(f"data-{name}")) for name in ("row", "column"))
    assert float(root.get_attribute("data-weight")) == pytest.approx(weights[row, column], abs=1e-5)
    chapter.no_faults()
