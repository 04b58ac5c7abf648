"""publish writes one name in every place, and writing it twice is writing it once."""

import re
import subprocess
import sys

import nbformat
import pytest

from course import build, publish
from course.publish import HOME, Place, badge_table, link_chapter, name_repository
from course.setup_cell import SETUP_CELL

def unpublished(text):
    """As before the course had a public home, so that the tests also hold once it has one."""
    return re.sub(re.escape(HOME) + r"\[.*\]", HOME + "[]", text)


README = """# Predict and Adjust

| chapter | question |
|---|---|
| [03 · Attention](notebooks/03_attention.ipynb) | how does a word find others? |
| [04 · Heads](notebooks/04_heads.ipynb) | why several? |

Read [chapter 03](notebooks/03_attention.ipynb) first, its text is [here](notebooks/source/03_attention.md).
"""

CHAPTER = f"""1. What is a token?

# 03 · Attention

**One question:** how does a word find others?

```python
{unpublished(SETUP_CELL)}
```

```python
# a comment, not a title
print("hello")
```

## Recap
"""


@pytest.fixture
def tree(tmp_path):
    """A repository with a README, the set-up cell, and a chapter built from its text."""
    (tmp_path / "course").mkdir()
    source = (build.ROOT / "course" / "setup_cell.py").read_text(encoding="utf-8")
    (tmp_path / "course" / "setup_cell.py").write_text(unpublished(source), encoding="utf-8")
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    text = tmp_path / "notebooks" / "source" / "03_attention.md"
    text.parent.mkdir(parents=True)
    text.write_text(CHAPTER, encoding="utf-8")
    notebook = build.read_source(text)
    notebook.cells[-2].outputs = [nbformat.v4.new_output("stream", name="stdout", text="hello\n")]
    build.tidy(notebook)
    build.write(notebook, text.parent.parent / "03_attention.ipynb")
    return tmp_path


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_every_place_names_the_repository(tree):
    changed = publish.publish(tree, Place("ann/course", "edition/2"))
    assert {path.relative_to(tree).as_posix() for path in changed} == set(contents(tree))
    line = '    home, places = "/content/predict-and-adjust", [("ann/course", "edition/2")]'
    address = "https://colab.research.google.com/github/ann/course/blob/edition/2/notebooks/03_attention.ipynb"
    text = (tree / "notebooks/source/03_attention.md").read_text(encoding="utf-8")
    assert line in text and f"\n# 03 · Attention\n\n[Open this chapter in Google Colab]({address})\n\n**One" in text
    assert text.count(address) == 1
    notebook = nbformat.read(tree / "notebooks/03_attention.ipynb", as_version=4)
    assert [cell.source.count(address) for cell in notebook.cells] == [1, 0, 0, 0]
    assert line in notebook.cells[1].source and notebook.cells[2].outputs[0].text == "hello\n"
    assert line in (tree / "course/setup_cell.py").read_text(encoding="utf-8")
    readme = (tree / "README.md").read_text(encoding="utf-8")
    badge = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    assert f"| [03 · Attention](notebooks/03_attention.ipynb) {badge}({address}) | how" in readme
    assert readme.count(badge) == 2 and "[chapter 03](notebooks/03_attention.ipynb) first, its" in readme


def test_text_and_notebook_still_agree(tree):
    publish.publish(tree, Place("ann/course"))
    assert build.check(tree / "notebooks") == []


def test_the_second_time_nothing_changes(tree):
    publish.publish(tree, Place("ann/course"))
    once = contents(tree)
    assert publish.publish(tree, Place("ann/course")) == []
    assert contents(tree) == once


def test_a_new_home_replaces_the_old_one(tree):
    publish.publish(tree, Place("bob/elsewhere", "dev"))
    publish.publish(tree, Place("ann/course"))
    assert not [name for name, content in contents(tree).items() if b"bob" in content or b"/dev/" in content]
    moved = contents(tree)
    (tree / "README.md").write_text(README, encoding="utf-8")
    (tree / "notebooks/source/03_attention.md").write_text(CHAPTER, encoding="utf-8")
    publish.publish(tree, Place("ann/course"))
    assert contents(tree) == moved  # as if it had never been elsewhere


@pytest.mark.parametrize("repository, branch", [("ann", "main"), ("ann/", "main"), ("https://github.com/ann/course", "main"),
                                                ("ann/course/tree", "main"), ("an n/course", "main"), ("-a/course", "main"),
                                                ("ann/course", ""), ("ann/course", "-b"), ("ann/course", "a b"),
                                                ("ann/course", "a..b"), ("ann/course", "a/"), ("ann/course", "x;touch y"),
                                                ('ann/"course', "main")])  # fmt: skip
def test_what_is_no_repository_or_branch_is_refused(tree, capsys, repository, branch):
    before = contents(tree)
    with pytest.raises(SystemExit) as stopped:
        publish.main([f"--branch={branch}", "--", repository], root=tree)
    assert stopped.value.code == 2
    assert (branch if repository == "ann/course" else repository) in capsys.readouterr().err
    assert contents(tree) == before


def test_the_command(tree, capsys):
    assert publish.main(["ann/course"], root=tree) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "4 files now name ann/course, branch main."
    assert publish.main(["ann/course"], root=tree) == 0
    assert capsys.readouterr().out == "Nothing to change.\n"
    shown = subprocess.run([sys.executable, "-m", "course.publish", "--help"], capture_output=True, text=True, check=True)
    assert "OWNER/REPO" in shown.stdout and "--branch" in shown.stdout


def test_the_line_that_is_written_is_a_line_of_the_set_up_cell():
    assert SETUP_CELL.count("\n" + HOME + "[") == 1
    named = name_repository(SETUP_CELL, Place("ann/course"))
    changed = [(a, b) for a, b in zip(unpublished(SETUP_CELL).splitlines(), named.splitlines(), strict=True) if a != b]
    assert [b for _, b in changed] == [HOME + '[("ann/course", "main")]']
    compile(named, "set-up cell", "exec")


def test_a_comment_in_code_is_no_title():
    place = Place("ann/course")
    text = "Recall.\n\n```python\n# not this\n```\n\n# This\n\nText.\n"
    assert link_chapter(text, "03_x", place).index("Open this chapter") > text.index("# This")
    assert link_chapter("No title.\n\n```python\n# not this\n```\n", "03_x", place) == "No title.\n\n```python\n# not this\n```\n"


def test_only_rows_of_the_table_get_a_badge():
    text = "See [03](notebooks/03_x.ipynb).\n| [03](notebooks/03_x.ipynb) | [text](notebooks/source/03_x.md) |\n"
    first, second = badge_table(text, Place("ann/course")).splitlines()
    assert first == "See [03](notebooks/03_x.ipynb)."
    assert second.count("Open in Colab") == 1
