"""A notebook run and written as one page: what is in the file; how it behaves is in tests/browser/test_export_page.py."""

import html.parser
import json

import nbformat
import pytest

from course import export
from course.build import ROOT

HOSTILE = '</script><img src=x onerror="window.harmed=1">'
EXPLORER = f"""
import numpy as np
from course import explore
explore.attention(weights=np.array([[1, 0], [0.25, 0.75]]), tokens=[{HOSTILE!r}, "吃"])
"""


def write(folder, name, *cells):
    path = folder / f"{name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    return path


class Parsed(html.parser.HTMLParser):
    """Scripts by their type, and the attributes of all pictures."""

    def __init__(self, page: str):
        super().__init__()
        self.scripts: dict[str, list[str]] = {}
        self.pictures: list[dict] = []
        self.type = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "script":
            self.type = dict(attrs).get("type", "")
        if tag == "img":
            self.pictures.append(dict(attrs))

    def handle_endtag(self, tag):
        if tag == "script":
            self.type = None

    def handle_data(self, data):
        if self.type is not None:
            self.scripts.setdefault(self.type, []).append(data)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(the notebook, its bytes before, the page)"""
    folder = tmp_path_factory.mktemp("export")
    source = write(folder, "live", EXPLORER)
    before = source.read_bytes()
    assert export.main([str(source), "--out", str(folder / "new" / "pages")]) == 0
    return source, before, (folder / "new" / "pages" / "live.html").read_text(encoding="utf-8")


def test_the_state_is_in_the_page_and_not_in_the_notebook(exported):
    source, before, page = exported
    scripts = Parsed(page).scripts
    (view,) = map(json.loads, scripts["application/vnd.jupyter.widget-view+json"])
    (state,) = map(json.loads, scripts["application/vnd.jupyter.widget-state+json"])
    model = state["state"][view["model_id"]]
    assert model["model_module"] == "anywidget" and HOSTILE in json.dumps(model["state"]).replace('\\"', '"')
    assert source.read_bytes() == before


def test_the_picture_stands_beside_the_view_with_its_words(exported):
    (picture,) = Parsed(exported[2]).pictures  # and the hostile token made none
    assert picture["src"].startswith("data:image/png;base64,") and "attention explorer" in picture["alt"]


def test_the_page_names_no_folder_of_the_machine(exported):
    source, _, page = exported
    assert str(ROOT) not in page and str(source.parent) not in page


def test_a_cell_that_fails_is_named_and_nothing_is_written(tmp_path, capsys):
    source = write(tmp_path, "broken", "1 + 1", "1 / 0")
    target = tmp_path / "broken.html"
    target.write_text("of an earlier run")
    assert export.main([str(source)]) == 1
    assert "broken, cell 2" in (said := capsys.readouterr().err) and "ZeroDivisionError" in said
    assert target.read_text() == "of an earlier run"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.html", "broken.ipynb"]


def test_what_is_no_notebook_is_one_sentence_and_the_others_are_written(tmp_path, capsys):
    (tmp_path / "text.ipynb").write_text("# no notebook")
    good = write(tmp_path, "good", "6 * 7")
    assert export.main([str(tmp_path / "absent.ipynb"), str(tmp_path / "text.ipynb"), str(good)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "there is no notebook" in lines[0] and "is not a notebook" in lines[1]
    assert "42" in (tmp_path / "good.html").read_text(encoding="utf-8")
