"""The learner's copies: made, followed, never overwritten."""

import json

import pytest

from course import workbook
from tests.little_course import notebook

NAME = "03_attention.ipynb"


class Desk:
    """A folder of shipped chapters and a workbook; `refresh` is what a start does."""

    def __init__(self, folder):
        self.notebooks, self.workbook = folder / "notebooks", folder / "workbook"
        self.notebooks.mkdir()

    def ship(self, *sources, name=NAME, **how):
        (self.notebooks / name).write_text(json.dumps(notebook(*sources, **how)), encoding="utf-8")

    def refresh(self, today="2026-11-24"):
        return workbook.refresh(self.notebooks, self.workbook, today)

    def sources(self, name=NAME):
        return [cell["source"] for cell in json.loads((self.workbook / name).read_text(encoding="utf-8"))["cells"]]

    def write(self, *sources, name=NAME):
        (self.workbook / name).write_text(json.dumps(notebook(*sources)), encoding="utf-8")

    @property
    def names(self):
        return sorted(path.name for path in self.workbook.iterdir() if path.name != ".copies.json")


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    desk.ship("x = 1", "y = 2")
    desk.refresh()
    return desk


def test_a_first_start_copies_every_chapter_and_a_second_says_nothing(desk):
    assert desk.sources() == ["x = 1", "y = 2"]
    before = (desk.workbook / NAME).stat().st_mtime_ns
    assert desk.refresh() == []
    assert (desk.workbook / NAME).stat().st_mtime_ns == before
    desk.ship("z", name="04_heads.ipynb")
    assert desk.refresh() == ["workbook/04_heads.ipynb is your copy of this chapter."]
    assert desk.names == [NAME, "04_heads.ipynb"]


def test_outputs_that_give_an_answer_away_do_not_reach_the_copy(desk):
    desk.ship("predict()", tags=[workbook.HIDE], name="04_heads.ipynb")
    shipped = json.loads((desk.notebooks / "04_heads.ipynb").read_text())
    shipped["cells"][0]["metadata"]["jupyter"] = {"outputs_hidden": True}
    (desk.notebooks / "04_heads.ipynb").write_text(json.dumps(shipped))
    desk.refresh()
    outputs = {name: json.loads((desk.workbook / name).read_text())["cells"][0]["outputs"] for name in desk.names}
    assert outputs["04_heads.ipynb"] == []
    copied = json.loads((desk.workbook / "04_heads.ipynb").read_text())["cells"][0]["metadata"]
    assert copied["tags"] == [workbook.HIDE] and "jupyter" not in copied  # folded outputs would stay folded
    assert outputs[NAME][0]["text"] == ["the answer\n"]


def test_a_copy_that_was_only_run_follows_the_new_version(desk):
    ran = json.loads((desk.workbook / NAME).read_text())
    for cell in ran["cells"]:  # what JupyterLab changes when it runs and saves
        cell |= {"outputs": [], "execution_count": 7, "metadata": {"trusted": True}, "source": [cell["source"]]}
    (desk.workbook / NAME).write_text(json.dumps(ran))
    assert desk.refresh() == []
    desk.ship("x = 1", "y = 3")
    assert desk.refresh() == [f"workbook/{NAME} had no changes of yours and follows the new version of its chapter."]
    assert desk.sources() == ["x = 1", "y = 3"]
    assert desk.names == [NAME]


def test_a_changed_copy_is_left_alone_while_nothing_new_comes(desk):
    desk.write("x = 1", "y = mine")
    assert desk.refresh() == []
    assert desk.sources() == ["x = 1", "y = mine"]
    assert desk.names == [NAME]


def test_a_new_version_arrives_beside_a_changed_copy_once(desk):
    desk.write("x = 1", "y = mine")
    desk.ship("x = 1", "y = 3")
    beside = "03_attention (new 2026-11-24).ipynb"
    [sentence] = desk.refresh()
    assert sentence.endswith(f"beside it as workbook/{beside}.")
    assert (desk.sources(), desk.sources(beside)) == (["x = 1", "y = mine"], ["x = 1", "y = 3"])
    assert desk.refresh("2026-11-25") == []
    assert desk.names == [beside, NAME]


@pytest.mark.parametrize("day", ["2026-11-24", "2026-12-01"])
def test_offers_do_not_pile_up_but_a_changed_offer_is_kept(desk, day):
    desk.write("x = 1", "y = mine")
    desk.ship("version 2")
    desk.refresh("2026-11-24")
    desk.ship("version 3")
    desk.refresh(day)
    offer = f"03_attention (new {day}).ipynb"
    assert desk.names == [offer, NAME]
    assert desk.sources(offer) == ["version 3"]
    desk.write("version 3 with notes", name=offer)
    desk.ship("version 4")
    desk.refresh(day)
    assert desk.names == sorted([offer, f"03_attention (new {day}) 2.ipynb", NAME])
    assert desk.sources(offer) == ["version 3 with notes"]
    assert desk.sources(f"03_attention (new {day}) 2.ipynb") == ["version 4"]
    assert desk.sources() == ["x = 1", "y = mine"]


def test_a_learner_who_takes_the_new_version_over_follows_again(desk):
    desk.write("mine")
    desk.ship("version 2")
    desk.refresh()
    desk.write("version 2")
    desk.refresh()
    desk.ship("version 3")
    desk.refresh("2026-12-01")
    assert desk.sources() == ["version 3"]


def test_a_deleted_copy_comes_back_fresh(desk):
    (desk.workbook / NAME).unlink()
    assert desk.refresh() == [f"workbook/{NAME} is your copy of this chapter."]
    assert desk.sources() == ["x = 1", "y = 2"]


@pytest.mark.parametrize("broken", ["{ half a", "[]", '{"cells": 3}', '{"cells": [{"source": "no kind"}]}', "\udcff"])
def test_an_unreadable_copy_is_set_aside_and_kept(desk, broken):
    (desk.workbook / NAME).write_bytes(broken.encode("utf-8", "surrogateescape"))
    [sentence] = desk.refresh()
    aside = "03_attention (unreadable 2026-11-24).ipynb"
    assert aside in sentence
    assert (desk.workbook / aside).read_bytes() == broken.encode("utf-8", "surrogateescape")
    assert desk.sources() == ["x = 1", "y = 2"]
    assert desk.refresh() == []


@pytest.mark.parametrize("record", ["not json", "[1]"])
def test_with_an_unreadable_record_nothing_of_the_learner_is_lost(desk, record):
    desk.write("mine")
    (desk.workbook / ".copies.json").write_text(record)
    sentences = desk.refresh()
    assert len(sentences) == 2
    assert (desk.workbook / ".copies (unreadable 2026-11-24).json").read_text() == record
    assert desk.sources() == ["mine"]
    assert desk.sources("03_attention (new 2026-11-24).ipynb") == ["x = 1", "y = 2"]
    assert desk.refresh() == []


def test_without_a_record_an_untouched_copy_is_known_by_what_it_holds(desk):
    (desk.workbook / ".copies.json").unlink()
    assert desk.refresh() == []
    desk.ship("version 2")
    desk.refresh()
    assert desk.sources() == ["version 2"]


def test_a_damaged_shipped_chapter_touches_no_copy(desk):
    (desk.notebooks / NAME).write_text("<<<<<<< a merge")
    assert desk.refresh() == [f"notebooks/{NAME} is damaged: `git checkout -- notebooks` brings it back."]
    assert desk.sources() == ["x = 1", "y = 2"]


def test_a_stop_between_copy_and_record_is_made_good(desk, monkeypatch):
    desk.write("mine")
    desk.ship("version 2")
    with monkeypatch.context() as patch:
        write = workbook.write_whole
        patch.setattr(workbook, "write_whole", lambda path, text: path.name != ".copies.json" and write(path, text))
        desk.refresh()
    assert len(desk.names) == 2
    desk.refresh("2026-12-01")
    assert desk.names == ["03_attention (new 2026-11-24).ipynb", NAME]
    assert desk.refresh("2026-12-02") == []


def test_a_write_that_is_cut_off_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "chapter.ipynb"
    path.write_text("old")
    monkeypatch.setattr(workbook.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        workbook.write_whole(path, "new")
    assert path.read_text() == "old"
