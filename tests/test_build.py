"""From text to notebook: what is kept, what is dropped, what stops the build, and with which sentence."""

import json
import os
import sys
import textwrap

import nbformat
import psutil
import pytest

from course import build
from tests.notebooks.sample import TEXT, build_sample, write_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return build_sample(tmp_path_factory.mktemp("sample"))


def chapter(*cells, tags=""):
    """A text of code cells."""
    return "# 98 · T\n\n" + "\n\n".join(f"```python{tags}\n{code}\n```" for code in cells) + "\n"


def refused(root, *cells, tags="", timeout=60):
    """The sentence with which a chapter of these cells is refused; nothing may have been written."""
    source = write_sample(root, chapter(*cells, tags=tags))
    target = root / "notebooks" / "98_sample.ipynb"
    with pytest.raises(build.BuildError) as error:
        build.build(source, target, quick=True, timeout=timeout)
    assert not target.exists() and not list(target.parent.glob("*.part"))
    return str(error.value)


def built(root, *cells, tags=""):
    return nbformat.read(build_sample(root, chapter(*cells, tags=tags)), as_version=4)


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cells_of_the_text(sample):
    cells = nbformat.read(sample, as_version=4).cells
    assert [cell.id for cell in cells] == [
        "98-a-sample", "98-set-up", "98-numbers", "98-this-prose-has-a-cell-of", "98-import-numpy-as-np",
        "98-for-n-in-range-40", "98-from-course-figures-import-curves-show", "98-import-os", "98-x-7",
        "98-import-ipywidgets", "98-what-the-document-says"]  # fmt: skip
    assert "```text\nthis is no code" in cells[-1].source and cells[-1].cell_type == "markdown"
    assert cells[3].source == "This prose has a cell of its own."
    assert cells[7].metadata == {"tags": ["nbval-ignore-output"]}


def named(*sources):
    cells = [nbformat.v4.new_code_cell(s[1:]) if s[0] == ">" else nbformat.v4.new_markdown_cell(s) for s in sources]
    return build.cell_ids("03_attention", cells)


def test_ids_come_from_the_content():
    assert named("## Why divide by √d_k?\n\nText.", "Some words about this, and more of them, on.") == [
        "03-why-divide-by-d-k", "03-some-words-about-this-and-more"]  # fmt: skip
    assert named(">weights = softmax(scores)", ">#  Turn it\nx = 1", "Words first.\n\n# 03 · Then a title") == [
        "03-weights-softmax-scores", "03-turn-it", "03-then-a-title"]  # fmt: skip
    assert named("我喜欢吃苹果", ">我 = 1", "你好") == ["03-text", "03-1", "03-text--2"]
    assert build.cell_ids("A_toolbox", [nbformat.v4.new_markdown_cell("# Toolbox")]) == ["a-toolbox"]


def test_ids_stay_when_other_cells_come_and_go():
    before = dict(zip(["# One", ">x = 1", "# Two"], named("# One", ">x = 1", "# Two"), strict=True))
    after = dict(zip(["# Zero", "# Two", "# One", ">x = 1"], named("# Zero", "# Two", "# One", ">x = 1"), strict=True))
    assert before == {source: after[source] for source in before}


def test_ids_are_unique_and_valid():
    ids = named(*["# Same"] * 3, "# Same -- 2", ">" + "very_long_name_" * 20, "".join(map(chr, range(33, 127))))
    assert len(set(ids)) == len(ids)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("x", id=name) for name in ids])
    nbformat.validate(notebook)
    assert max(map(len, ids)) <= 64


def test_a_header_is_allowed_and_changes_nothing(tmp_path):
    header = "---\njupyter:\n  kernelspec:\n    display_name: Mine\n    language: python\n    name: mine\n---\n\n"
    with_header = build.read_source(write_sample(tmp_path / "a", header + TEXT))
    assert with_header == build.read_source(write_sample(tmp_path / "b", TEXT))


# ── what a notebook holds ───────────────────────────────────────────────────────────────────────────────────


def test_outputs_are_complete_and_tidy(sample):
    notebook = nbformat.read(sample, as_version=4)
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == list(range(1, 8))
    assert [[output.output_type for output in cell.outputs] for cell in codes] == [
        [], ["execute_result"], ["stream"], ["execute_result"], ["execute_result"], ["error"], ["execute_result"]]  # fmt: skip
    assert codes[1].outputs[0].execution_count == 2 and codes[1].outputs[0].data["text/plain"] == "array([0, 2, 4])"
    assert codes[2].outputs[0].text == "".join(f"line {n}\n" for n in range(40))
    assert set(codes[3].outputs[0].data) == {"text/plain", "text/html", "image/png"}
    assert notebook.metadata == build.METADATA and not any("execution" in cell.metadata for cell in codes)


def test_of_a_widget_the_picture_and_the_sentence_stay(sample):
    assert "widget-view" not in sample.read_text(encoding="utf-8")
    shown = nbformat.read(sample, as_version=4).cells[-2].outputs[0].data
    assert set(shown) == {"image/png", "text/plain"} and shown["text/plain"].startswith("sample explorer")


def test_two_builds_give_the_same_file(tmp_path):
    text = TEXT.replace("os.getpid()", "1").replace('os.environ["COURSE_HOME"]', "0")
    first, second = (build_sample(tmp_path / name, text).read_bytes() for name in "ab")
    assert first == second and first.endswith(b"}\n")


def test_the_order_of_outputs_is_that_of_the_code(tmp_path):
    code = "print('a', flush=True)\nprint('b')\ndisplay(1)\nprint('c')\nprint('d', flush=True)\n2"
    outputs = built(tmp_path, code).cells[1].outputs
    texts = [output.get("text") or output.data["text/plain"] for output in outputs]
    assert texts == ["a\nb\n", "1", "c\nd\n", "2"]


def test_neighbouring_pieces_of_a_stream_are_joined_and_no_others():
    def stream(name, text):
        return nbformat.v4.new_output("stream", name=name, text=text)

    pieces = [stream("stdout", "a"), stream("stdout", "b"), stream("stderr", "c"), stream("stdout", "d")]
    assert [(o.name, o.text) for o in build._merge_streams(pieces)] == [("stdout", "ab"), ("stderr", "c"), ("stdout", "d")]


# ── the kernel ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_kernel_is_this_python_in_a_home_of_its_own(tmp_path, monkeypatch):
    other = tmp_path / "data" / "kernels" / "python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text(json.dumps({"argv": ["false"], "display_name": "X", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COURSE_LANGUAGE", "zh")
    profile = tmp_path / ".ipython" / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "mine.py").write_text("print = None", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    code = """
        import json, os, sys, course
        variables = [os.environ.get(name) for name in ("COURSE_HOME", "COURSE_QUICK", "COURSE_LANGUAGE")]
        print(json.dumps([sys.executable, os.getcwd(), course.__file__, *variables]))
    """
    shown = json.loads(built(tmp_path, textwrap.dedent(code).strip()).cells[1].outputs[0].text)
    python, folder, package, home, quick, language = shown
    assert python == sys.executable and os.path.samefile(folder, tmp_path / "notebooks")
    assert package == str(build.ROOT / "course" / "__init__.py")
    assert home != os.environ["COURSE_HOME"] and not os.path.exists(home)
    assert (quick, language) == ("1", None)


def test_a_full_build_is_not_quick(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_QUICK", "1")
    source = write_sample(tmp_path, chapter("import os; print('COURSE_QUICK' in os.environ)"))
    assert build.build(source, None).cells[1].outputs[0].text == "False\n"
    assert build.build(source, None, quick=True).cells[1].outputs[0].text == "True\n"


# ── what stops it ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_error_names_chapter_cell_and_line(tmp_path):
    sentence = refused(tmp_path, "x = 1", "y = x +\\\n  z")
    assert sentence.startswith("98_sample, cell 3 (98-y-x) stopped with NameError: name 'z' is not defined")
    assert "y = x +" in sentence and "\x1b[" not in sentence


@pytest.mark.parametrize("code, sentence", [
    ("from sys import stderr\nprint('careful', file=stderr)", "98_sample, cell 2 (98-from-sys-import-stderr) wrote to stderr: careful"),
    ("import warnings; warnings.warn('old')", "UserWarning: old"),
    ("print('x' * 1_000_000)", "its largest cell is 98-print-x-1-000-000"),
    ("import os; os._exit(1)", "ended its kernel"),
    ("raise SystemExit('no')", "SystemExit: no"),
    ("def f(:", "SyntaxError"),
])  # fmt: skip
def test_what_may_not_be_published_stops_the_build(tmp_path, code, sentence):
    assert sentence in refused(tmp_path, code)


def test_an_endless_cell_is_stopped(tmp_path):
    assert "98-while-true-pass) ran for longer than 2 seconds" in refused(tmp_path, "while True: pass", timeout=2)
    assert kernels() == []


def test_no_kernel_outlives_its_chapter(tmp_path):
    built(tmp_path, "print(1)")
    assert kernels() == []


def kernels():
    """Kernels that this process has started and that still run."""
    children = psutil.Process().children(recursive=True)
    return [child.pid for child in children if child.is_running() and "ipykernel_launcher" in " ".join(child.cmdline())]


@pytest.mark.parametrize("tag, code", [("raises-exception", "1 / 0"), ("allow-stderr", "import sys; print(1, file=sys.stderr)")])
def test_tags_allow_it(tmp_path, tag, code):
    notebook = built(tmp_path, code, tags=f' tags=["{tag}"]')
    assert notebook.cells[1].outputs and notebook.cells[1].metadata.tags == [tag]


def test_a_failed_build_leaves_the_old_notebook(tmp_path):
    target = build_sample(tmp_path, chapter("print(1)"))
    old = target.read_bytes()
    with pytest.raises(build.BuildError):
        build_sample(tmp_path, chapter("print(2)", "1 / 0"))
    assert target.read_bytes() == old


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_builds_what_is_named_and_goes_on_after_a_failure(tmp_path, capsys):
    write_sample(tmp_path, chapter("1 / 0"), "97_bad")
    write_sample(tmp_path, chapter("print(1)"), "98_good")
    write_sample(tmp_path, chapter("print(2)"), "99_other")
    notebooks = tmp_path / "notebooks"
    assert build.main(["98", "97_bad"], notebooks) == 1
    said = capsys.readouterr().out
    assert "98_good … 2 cells, " in said and "97_bad … failed\n97_bad, cell 2 (97-1-0) stopped" in said
    assert [path.name for path in notebooks.glob("*.ipynb")] == ["98_good.ipynb"]
    assert build.main(["99_other"], notebooks) == 0 and (notebooks / "99_other.ipynb").exists()
    assert build.main(["42"], notebooks) == 2
    assert capsys.readouterr().err == "there is no chapter 42; there are: 97_bad, 98_good, 99_other\n"


def test_quick_writes_nothing(tmp_path, capsys):
    write_sample(tmp_path, chapter("print(1)"))
    assert build.main(["--quick"], tmp_path / "notebooks") == 0
    assert not list((tmp_path / "notebooks").glob("*.ipynb"))
    assert "2 cells" in capsys.readouterr().out


def test_check_says_what_disagrees(tmp_path, capsys):
    target = build_sample(tmp_path, chapter("print(1)", "print(2)"))
    notebooks = target.parent
    assert build.main(["--check"], notebooks) == 0
    assert capsys.readouterr().out == "Texts and notebooks agree.\n"
    write_sample(tmp_path, chapter("print(1)", "print(3)"))
    write_sample(tmp_path, chapter("print(1)"), "99_new")
    target.with_name("97_orphan.ipynb").write_bytes(target.read_bytes())
    before = target.read_bytes()
    assert build.main(["--check"], notebooks) == 1
    assert capsys.readouterr().out.splitlines() == [
        "98_sample.ipynb, cell 3 (98-print-3): source and id differ from the text",
        "99_new.md has no notebook 99_new.ipynb: run python -m course.build 99_new",
        "97_orphan.ipynb has no text in source/",
    ]
    assert target.read_bytes() == before


def test_an_interrupted_write_leaves_the_old_notebook(tmp_path, monkeypatch):
    target = tmp_path / "x.ipynb"
    target.write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError):
        build.write(nbformat.v4.new_notebook(), target)
    assert target.read_text(encoding="utf-8") == "old" and [p.name for p in tmp_path.iterdir()] == ["x.ipynb"]
