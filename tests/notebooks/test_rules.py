"""Each rule about chapters refuses a chapter that breaks it, and none refuses a good one."""

import json
import re

import nbformat
import pytest

from course import build
from tests.notebooks.rules import RULES, Chapter
from tests.notebooks.sample import build_sample

ID = "98-import-numpy-as-np"
STATE = {"application/vnd.jupyter.widget-state+json": {"state": {}}}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return build_sample(tmp_path_factory.mktemp("good"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_chapter_passes(good, rule):
    assert rule(Chapter(good.parent / "source" / "98_sample.md", good)) == []


def cell(notebook, name=ID):
    return next(cell for cell in notebook.cells if cell.id == name)


def picture(notebook):
    return next(o for c in notebook.cells for o in c.get("outputs", []) if "text/html" in o.get("data", {}))


def explorer(notebook):
    return next(o for c in notebook.cells for o in c.get("outputs", []) if "sample explorer" in str(o.get("data")))


def add_code(notebook, source, tags=()):
    made = nbformat.v4.new_code_cell(source, id="98-added", metadata={"tags": list(tags)} if tags else {})
    notebook.cells.insert(5, made)


def add_prose(notebook, source):
    notebook.cells.insert(5, nbformat.v4.new_markdown_cell(source, id="98-added"))


def edit(notebook, old, new):
    hit = [c for c in notebook.cells if old in c.source]
    assert hit, f"{old!r} is nowhere"
    hit[0].source = hit[0].source.replace(old, new)


def bare(notebook):
    del picture(notebook).data["text/html"]
    picture_data = next(o for c in notebook.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})).data
    picture_data["text/plain"] = "<Figure size 640x480 with 1 Axes>"


# rule, what goes wrong, and (part of) the sentence that must say so
PLANTED = [
    ("paired", lambda n: edit(n, "x * 2", "x * 3"), "98-import-numpy-as-np.: source differ"),
    ("paired", lambda n: n.cells.pop(), r"has \d+ cells, its text"),
    ("paired", lambda n: cell(n).update(id="98-another"), "id differ"),
    ("paired", lambda n: cell(n)["metadata"].update(tags=["nbval-skip"]), "metadata differ"),
    ("paired", lambda n: cell(n).update(cell_type="markdown"), "cell_type differ"),
    ("valid", lambda n: cell(n).update(id="import"), "does not begin with 98-"),
    ("valid", lambda n: n.cells[-1].update(id=ID), "repeated"),
    ("valid", lambda n: cell(n).pop("metadata"), "not valid"),
    ("executed_in_order", lambda n: cell(n).update(execution_count=7), r"\[1, 7, 3"),
    ("executed_in_order", lambda n: cell(n).update(execution_count=None), "None"),
    ("executed_in_order", lambda n: n.cells.clear(), r"are \[\]"),
    ("outputs_are_committed", lambda n: cell(n).update(outputs=[]), "shows something"),
    ("outputs_are_committed", lambda n: add_code(n, "print(1)"), "98-added shows"),
    ("outputs_are_committed", lambda n: add_code(n, "explore.attention(q=q)"), "98-added shows"),
    ("outputs_are_committed", lambda n: add_code(n, "show(heat_map(w), 'alt')"), "98-added shows"),
    ("no_errors", lambda n: cell(n, "98-x-7").metadata.clear(), "shows an error: IndexError"),
    ("no_errors", lambda n: cell(n).outputs.append(nbformat.v4.new_output("stream", name="stderr", text="Warning!\n")),
     "wrote to stderr: Warning!"),
    ("no_errors", lambda n: cell(n).outputs.append(nbformat.v4.new_output("stream", text="x" * 1_000_000)), "1,0.* bytes"),
    ("no_widget_state", lambda n: n.metadata.update(widgets=STATE), "widget state"),
    ("no_widget_state", lambda n: explorer(n).data.update({build.WIDGET_VIEW: {"model_id": "1"}}), "died with its kernel"),
    ("same_metadata", lambda n: n.metadata.kernelspec.update(name="mine"), "metadata are"),
    ("same_metadata", lambda n: n.metadata.language_info.update(version="3.11.2"), "metadata are"),
    ("same_metadata", lambda n: cell(n).metadata.update(execution={"iopub.execute_input": "now"}), "execution times"),
    ("same_set_up_cell", lambda n: edit(n, "timeout=9", "timeout=8"), "is not the set-up cell"),
    ("same_set_up_cell", lambda n: n.cells.insert(0, nbformat.v4.new_code_cell("1", id="98-1")), "is not the set-up"),
    ("same_set_up_cell", lambda n: add_code(n, n.cells[1].source), "several"),
    ("same_set_up_cell", lambda n: n.cells.clear(), "is not the set-up cell"),
    ("pictures_have_alternative_text", lambda n: edit_html(n, 'alt="A curve that rises from one to three."', ""), "<img>"),
    ("pictures_have_alternative_text", lambda n: edit_html(n, "A curve that rises from one to three.", ""), "<img>"),
    ("pictures_have_alternative_text", lambda n: edit_html(n, "A curve that rises from one to three.", "curve"), "<img>"),
    ("pictures_have_alternative_text", bare, "use figures.show"),
    ("pictures_have_alternative_text", lambda n: explorer(n).data.pop("text/plain"), "use figures.show"),
    ("pictures_have_alternative_text", lambda n: add_prose(n, "![](assets/x.png)"), "98-added: a picture"),
    ("pictures_have_alternative_text", lambda n: add_prose(n, "<img src='x.png'>"), "98-added: a picture"),
    ("pictures_are_pictures", lambda n: explorer(n).data.update({"image/png": "iVBORw0KGgo="}), "broken or tiny"),
    ("nothing_is_loaded_from_a_network", lambda n: add_prose(n, "![a](https://example.org/x.png)"), "98-added loads"),
    ("nothing_is_loaded_from_a_network", lambda n: add_prose(n, "<img src=//example.org/x.png>"), "98-added loads"),
    ("nothing_is_loaded_from_a_network", lambda n: edit_html(n, "<img", "<script src='https://x.org/a.js'></script><img"),
     "loads something"),
    ("no_cell_longer_than_a_screen", lambda n: add_code(n, "x = 1\n" * 31), "31 lines, a screen has 30"),
    ("no_cell_longer_than_a_screen", lambda n: add_prose(n, "line\n" * 61), "61 lines, a screen has 60"),
    ("no_cell_longer_than_a_screen", lambda n: add_prose(n, "word " * 1500), "a screen has 60"),
    ("code_is_python", lambda n: add_code(n, "!pip install numpy"), "98-added is not Python"),
    ("code_is_python", lambda n: add_code(n, "%%bash\nls"), "98-added is not Python"),
    ("long_definitions_belong_in_the_package", lambda n: add_code(n, "def f():\n" + "    x = 1\n" * 10), "f has 11 lines"),
    ("long_definitions_belong_in_the_package", lambda n: add_code(n, "class A:\n" + "    x = 1\n" * 10), "A has 11 lines"),
    ("no_package_name_is_redefined", lambda n: add_code(n, "def softmax(x):\n    pass"), "softmax of course.blocks.attention"),
    ("no_package_name_is_redefined", lambda n: add_code(n, "attention, y = 1, 2"), "redefines attention"),
    ("exercises_are_the_packages", lambda n: add_code(n, "def softmax(x):\n    ...", ["exercise"]), "1 cells are exercises, .* 0"),
    ("predictions_are_kept_until_they_are_revealed", lambda n: add_code(n, 'my_prediction("98.a", "?", [])'), "never revealed"),
    ("predictions_are_kept_until_they_are_revealed", lambda n: add_code(n, 'reveal("98.a", 1)'), "was not asked before"),
    ("predictions_are_kept_until_they_are_revealed", lambda n: add_code(n, 'my_prediction("98.a")\nreveal("98.a", 1)'),
     "to who scrolls"),
    ("predictions_are_kept_until_they_are_revealed", lambda n: add_code(n, "\n".join(f'my_prediction("98.{i}")' for i in "abc")),
     "two are enough"),
    ("voice", lambda n: add_prose(n, "This is **just** an average."), "'just'"),
    ("voice", lambda n: add_prose(n, "Of course it is."), "'Of course'"),
    ("voice", lambda n: add_prose(n, "It is, clearly,\ntrivially so."), "'clearly'"),
    ("voice", lambda n: add_prose(n, "Read [obviously](x.md)."), "'obviously'"),
    ("anatomy", lambda n: edit(n, "# 98 · A", "# A"), "the opening has no .*98"),
    ("anatomy", lambda n: edit(n, "**One question:**", "Question:"), "One question"),
    ("anatomy", lambda n: edit(n, "2 minutes", "Minutes"), "minutes"),
    ("anatomy", lambda n: edit(n, "You are here", "Here"), "You are here"),
    ("anatomy", lambda n: edit(n, "## What the document says", "## Claims"), "What the document says"),
    ("anatomy", lambda n: edit(n, "**Next:**", "Next"), "the end has no .*Next"),
    ("anatomy", lambda n: edit(n, "**Sources**", "## Sources\n\n**Sources**"), "'Recap' end a chapter"),
    ("links_lead_somewhere", lambda n: add_prose(n, "[x](97_missing.ipynb)"), "97_missing.ipynb leads nowhere"),
    ("links_lead_somewhere", lambda n: add_prose(n, "[x](#No-such-heading)"), "names no heading"),
]  # fmt: skip


def edit_html(notebook, old, new):
    data = picture(notebook).data
    assert old in data["text/html"]
    data["text/html"] = data["text/html"].replace(old, new)


def test_every_rule_has_a_planted_violation():
    assert {name for name, _, _ in PLANTED} == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize("name, plant, sentence", PLANTED, ids=[f"{i}-{name}" for i, (name, _, _) in enumerate(PLANTED)])
def test_a_violation_is_noticed(good, tmp_path, name, plant, sentence):
    notebook = nbformat.read(good, as_version=4)
    plant(notebook)
    source = tmp_path / "notebooks" / "source" / "98_sample.md"
    source.parent.mkdir(parents=True)
    source.write_bytes((good.parent / "source" / "98_sample.md").read_bytes())
    target = source.parent.parent / "98_sample.ipynb"
    target.write_text(json.dumps(notebook), encoding="utf-8")
    rule = next(rule for rule in RULES if rule.__name__ == name)
    assert any(re.search(sentence, found) for found in rule(Chapter(source, target)))


@pytest.mark.parametrize("tags, found", [((), True), (("exercise",), False)])
def test_an_exercise_may_define_what_the_package_defines(good, tmp_path, tags, found):
    notebook = nbformat.read(good, as_version=4)
    add_code(notebook, "def softmax(x):\n" + "    x = 1\n" * 12, tags)
    target = tmp_path / "98_sample.ipynb"
    target.write_text(json.dumps(notebook), encoding="utf-8")
    chapter = Chapter(good.parent / "source" / "98_sample.md", target)
    for rule in RULES:
        if rule.__name__ in ("no_package_name_is_redefined", "long_definitions_belong_in_the_package"):
            assert bool(rule(chapter)) is found


def test_a_stub_that_was_changed_is_noticed(tmp_path):
    chapter = next(chapter for chapter in Chapter.all() if chapter.target.stem.startswith("03_"))
    rule = next(rule for rule in RULES if rule.__name__ == "exercises_are_the_packages")
    for old, new, sentence in [
        ("def softmax(x, axis: int = -1)", "def softmax(x)", "is not the stub of softmax"),
        ('check("softmax"', 'check("softmaxx"', "no check of softmax follows"),
        ("difficulty 2 of 5 · 8 minutes", "difficulty 1 of 5 · 8 minutes", "does not say: core · difficulty 2 of 5 · 8 minutes"),
    ]:
        notebook = nbformat.read(chapter.target, as_version=4)
        edit(notebook, old, new)
        target = tmp_path / chapter.target.name
        target.write_text(json.dumps(notebook), encoding="utf-8")
        assert any(sentence in found for found in rule(Chapter(chapter.source, target)))


def test_words_inside_code_and_longer_words_are_allowed(good, tmp_path):
    notebook = nbformat.read(good, as_version=4)
    add_prose(notebook, "Adjust the `just` of $clearly$; see course.build, part of course/build.\n\n```text\nobviously\n```")
    target = tmp_path / "98_sample.ipynb"
    target.write_text(json.dumps(notebook), encoding="utf-8")
    voice = next(rule for rule in RULES if rule.__name__ == "voice")
    assert voice(Chapter(good.parent / "source" / "98_sample.md", target)) == []


def test_a_notebook_without_a_text_is_noticed(good, tmp_path):
    paired = next(rule for rule in RULES if rule.__name__ == "paired")
    assert paired(Chapter(tmp_path / "none.md", good)) == ["98_sample.ipynb has no text in notebooks/source/"]
