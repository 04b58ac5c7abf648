"""Every rule of rules.py, for every chapter of the course."""

import pytest

from tests.notebooks.rules import ROOT, RULES, Chapter

CHAPTERS = Chapter.all()


def test_there_are_chapters():
    texts = {path.stem for path in (ROOT / "notebooks" / "source").glob("*.md")}
    assert texts and texts == {chapter.target.stem for chapter in CHAPTERS}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.target.stem)
def test_chapter(chapter, rule):
    assert rule(chapter) == [], rule.__doc__
