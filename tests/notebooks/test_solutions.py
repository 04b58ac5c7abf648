"""Every chapter once more, as a learner leaves it who has solved everything: every check passes, and nothing breaks."""

import re

import pytest

from course import build
from course.exercises import cells
from course.exercises.task import all_tasks
from tests.notebooks.rules import Chapter, _is_exercise

CHAPTERS = [chapter for chapter in Chapter.all() if any(map(_is_exercise, chapter.code))]


def solved(chapter):
    """The chapter's text as a notebook with the exercises filled in, and what learners may uncomment uncommented."""
    notebook = build.read_source(chapter.source)
    tasks = iter([task for task in all_tasks().values() if task.chapter == chapter.target.stem[:2]])
    for cell in notebook.cells:
        if cell.cell_type == "code" and _is_exercise(cell):
            cell.source = cells.answer(next(tasks))
        elif cell.cell_type == "code":
            cell.source = re.sub(r"^# (?=explore\.|hint\(|solution\()", "", cell.source, flags=re.MULTILINE)
    return notebook


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.target.stem)
def test_every_check_passes_and_the_explorers_run_on_the_learners_own(chapter):
    notebook = solved(chapter)
    build.execute(notebook, chapter.target.name, chapter.target.parent, quick=True)
    checks = [cell for cell in notebook.cells if cell.cell_type == "code" and re.search(r"^check\(", cell.source, re.MULTILINE)]
    assert len(checks) == len([task for task in all_tasks().values() if task.chapter == chapter.target.stem[:2]])
    for cell in checks:
        assert shown(cell).startswith("✓"), shown(cell)
    own = [cell for cell in notebook.cells if cell.cell_type == "code" and "use=mine" in cell.source]
    for cell in own:
        assert "explorer" in shown(cell) and not re.search("your function (?!gives)", shown(cell).lower()), shown(cell)


def shown(cell):
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
