"""A chapter exported as HTML, as nbconvert and JupyterLab do it: where a widget was, its picture stands, with its words."""

import base64
import html.parser

import nbconvert
import nbformat
import pytest

from tests.notebooks.rules import Chapter

CHAPTERS = Chapter.all()


class Images(html.parser.HTMLParser):
    """Alternative texts and bytes of the pictures that a page carries itself."""

    def __init__(self, page: str):
        super().__init__()
        self.found: dict[str, bytes] = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "img" and str(attrs.get("src", "")).startswith("data:image/png;base64,"):
            self.found[attrs.get("alt") or ""] = base64.b64decode(attrs["src"].partition(",")[2])


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.target.stem)
def test_every_explorer_is_a_picture_in_the_export(chapter):
    page, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.read(chapter.target, as_version=4))
    explorers = [output["data"]["text/plain"] for cell in chapter.code for output in cell.outputs
                 if " explorer: " in str(output.get("data", {}).get("text/plain", ""))]  # fmt: skip
    assert explorers
    pictures = Images(page).found
    for line in explorers:
        assert pictures[line].startswith(b"\x89PNG") and len(pictures[line]) > 5_000
    assert "application/vnd.jupyter.widget-view+json" not in page  # or a reader without a network sees an empty place


def test_question_cards_are_words_in_the_export():
    chapter = next(chapter for chapter in CHAPTERS if chapter.target.stem.startswith("03_"))
    page, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.read(chapter.target, as_version=4))
    assert "Every score in one row grows by 5" in page and "They get sharper" in page
