"""Text to notebook: executes each chapter's text in a fresh kernel and writes the notebook with its outputs.

    python -m course.build                  all chapters
    python -m course.build 03 05_feed_forward    some of them, by number or name
    python -m course.build --check          run nothing; exit 1 if a text and its notebook disagree
    python -m course.build --quick          rehearse in quick mode: report errors, write nothing

The text, notebooks/source/NN_name.md, is jupytext's Markdown: prose as it is, code in ```python fences (tags after
the word: ```python tags=["nbval-ignore-output"]), and a new prose cell after two blank lines.  The notebook,
notebooks/NN_name.ipynb, is what learners open.  Two builds of the same text give the same bytes but for pictures and
outputs tagged as varying: cell ids come from the content (the text form keeps none), execution counts run from 1, and
what belongs to one run only is left out (times, versions, and widgets, whose models die with their kernel: the
picture and the sentence in an explorer's output stay).  Nothing is written unless the whole chapter ran without an
error, and without a word on stderr (tags: raises-exception, allow-stderr).
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

try:
    import jupytext
    import nbformat
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
except ModuleNotFoundError as missing:
    raise SystemExit(f"Building notebooks needs {missing.name}: pip install -r requirements-test.txt") from None

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 1_000_000  # bytes; GitHub stops rendering larger notebooks reliably
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
SETUP_MARK = '"google.colab" in sys.modules'  # only course/setup_cell.py's cell asks this
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class BuildError(Exception):
    """A chapter that cannot be built; the message says which cell of which chapter, and why."""


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────────


def read_source(path: Path) -> nbformat.NotebookNode:
    """The unexecuted notebook of a text: its cells, with ids and metadata as the build sets them."""
    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md")
    cells = []
    for cell, name in zip(notebook.cells, cell_ids(path.stem, notebook.cells), strict=True):
        make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        cells.append(make(cell.source, id=name, metadata=cell.metadata))
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def cell_ids(chapter: str, cells) -> list[str]:
    """`NN-slug` for each cell: the chapter's number and the first words of the cell; a repeated one is numbered."""
    number = re.sub(r"[^a-z0-9]", "", chapter.split("_")[0].lower()) or "x"
    seen: dict[str, int] = {}
    names = []
    for cell in cells:
        name = f"{number}-{_slug(cell).removeprefix(number + '-')}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}--{seen[name]}")
    return names


def _slug(cell) -> str:
    if cell.cell_type == "code" and SETUP_MARK in cell.source:
        return "set-up"
    lines = [line for line in cell.source.splitlines() if line.strip()]
    headings = [line for line in lines if line.startswith("#")] if cell.cell_type == "markdown" else []
    words = re.findall(r"[a-z0-9]+", "".join((headings or lines or [""])[:1]).lower())
    return "-".join(words[:6])[:40].strip("-") or ("code" if cell.cell_type == "code" else "text")


def disagreements(source: Path, target: Path) -> list[str]:
    """One sentence for each way in which a notebook is not what its text says (outputs aside)."""
    if not target.exists():
        return [f"{source.name} has no notebook {target.name}: run python -m course.build {source.stem}"]
    wanted, found = read_source(source).cells, nbformat.read(target, as_version=4).cells
    problems = []
    if len(wanted) != len(found):
        problems.append(f"{target.name} has {len(found)} cells, its text {len(wanted)}")
    for index, (a, b) in enumerate(zip(wanted, found)):  # noqa: B905 - a difference in length is reported above
        odd = [part for part in ("cell_type", "source", "id", "metadata") if a[part] != b[part]]
        if odd:
            problems.append(f"{target.name}, cell {index + 1} ({a.id}): {' and '.join(odd)} differ from the text")
            break  # after the first, everything may be shifted
    return problems


# ── execution ───────────────────────────────────────────────────────────────────────────────────────────────


class _ThisInterpreter(KernelSpecManager):
    """Whatever kernel is asked for, it is the Python that runs the build, not a `python3` somebody registered."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(**get_kernel_dict(extra_arguments=["--log-level=ERROR"]))


def execute(notebook: nbformat.NotebookNode, name: str, folder: Path, quick: bool = False, timeout: int = 600) -> None:
    """Run all cells in place, in a fresh kernel whose home is empty.  Raises BuildError at the first cell that fails."""
    current = [0]
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisInterpreter()),
        timeout=timeout,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=lambda cell, cell_index: current.__setitem__(0, cell_index),
    )
    with tempfile.TemporaryDirectory(prefix="course-build-", ignore_cleanup_errors=True) as home:
        try:
            client.execute(env=_environment(home, quick), cleanup_kc=True)  # or a kernel that was given lives on
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            where = f"{name}, cell {current[0] + 1} ({notebook.cells[current[0]].id})"
            raise BuildError(f"{where} {_what_happened(error, timeout)}") from None


def _environment(home: str, quick: bool) -> dict[str, str]:
    """The same for every author: nothing of their profile, their progress or their shell's settings leaks in."""
    foreign = ("COURSE_", "MPLBACKEND", "IPYTHON", "PYTEST_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    env |= {"COURSE_HOME": str(Path(home, "course")), "IPYTHONDIR": str(Path(home, "ipython"))}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))
    return env | ({"COURSE_QUICK": "1"} if quick else {})


def _what_happened(error: Exception, timeout: int) -> str:
    if isinstance(error, CellTimeoutError):
        return f"ran for longer than {timeout} seconds"
    if isinstance(error, DeadKernelError):
        return "ended its kernel (out of memory, or a crash in compiled code)"
    trace = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback).strip()
    return f"stopped with {error.ename}: {error.evalue}\n\n{trace}\n"


# ── outputs ─────────────────────────────────────────────────────────────────────────────────────────────────


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Leave in the notebook only what is the same at the next build."""
    notebook.metadata = nbformat.from_dict(METADATA)
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(codes, start=1):
        cell.execution_count = count
        cell.metadata.pop("execution", None)
        cell.outputs = _merge_streams(_without_widgets(cell.outputs))
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def _without_widgets(outputs) -> list:
    for output in outputs:
        output.get("data", {}).pop(WIDGET_VIEW, None)
    return [output for output in outputs if output.get("data", True)]


def _merge_streams(outputs) -> list:
    """Neighbouring pieces of one stream become one: how they were cut depends on timing alone."""
    merged: list = []
    for output in outputs:
        if output.output_type == "stream" and merged and merged[-1].get("name") == output.name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def faults(notebook: nbformat.NotebookNode, name: str) -> list[str]:
    """One sentence for each output that must not be published."""
    found = []
    for index, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        for output in cell.get("outputs", []):
            where = f"{name}, cell {index + 1} ({cell.id})"
            if output.output_type == "error" and "raises-exception" not in tags:
                found.append(f"{where} shows an error: {output.ename}: {output.evalue}")
            if output.get("name") == "stderr" and "allow-stderr" not in tags:
                found.append(f"{where} wrote to stderr: {output.text.strip().splitlines()[0] if output.text.strip() else ''}")
    size = len(nbformat.writes(notebook).encode())
    if size >= LARGEST:
        largest = max(notebook.cells, key=lambda cell: len(str(cell.get("outputs", ""))))
        found.append(f"{name} has {size:,} bytes, the limit is {LARGEST:,}; its largest cell is {largest.id}")
    return found


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────


def write(notebook: nbformat.NotebookNode, target: Path) -> None:
    """All or nothing: an interrupted build leaves the old notebook as it was."""
    part = target.with_name(target.name + ".part")
    try:
        part.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def build(source: Path, target: Path | None, quick: bool = False, timeout: int = 600) -> nbformat.NotebookNode:
    """Execute one text and write its notebook to `target` (None: nowhere).  Raises BuildError."""
    notebook = read_source(source)
    execute(notebook, source.stem, source.parent.parent, quick, timeout)
    tidy(notebook)
    nbformat.validate(notebook)
    if problems := faults(notebook, source.stem):
        raise BuildError("\n".join(problems))
    if target:
        write(notebook, target)
    return notebook


def chosen(names: list[str], sources: Path) -> list[Path]:
    """The texts that are meant by `03`, `03_attention` or `notebooks/source/03_attention.md`; all if none is named."""
    texts = sorted(sources.glob("*.md"))
    if not names:
        return texts
    picked = []
    for name in names:
        stem = Path(name).stem
        fitting = [text for text in texts if text.stem == stem or text.stem.split("_")[0] == stem]
        if not fitting:
            known = ", ".join(text.stem for text in texts) or "none"
            raise BuildError(f"there is no chapter {name}; there are: {known}")
        picked += fitting
    return picked


def check(notebooks: Path) -> list[str]:
    """What `--check` prints: every disagreement between texts and notebooks, also a notebook without a text."""
    sources = notebooks / "source"
    problems = [text for path in chosen([], sources) for text in disagreements(path, notebooks / f"{path.stem}.ipynb")]
    orphans = [path.name for path in sorted(notebooks.glob("*.ipynb")) if not (sources / f"{path.stem}.md").exists()]
    return problems + [f"{name} has no text in {sources.name}/" for name in orphans]


def main(arguments: list[str] | None = None, notebooks: Path = ROOT / "notebooks") -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m course.build", description="Executes the chapters' texts.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="chapters, by number or name (default: all)")
    parser.add_argument("--check", action="store_true", help="only say whether texts and notebooks agree")
    parser.add_argument("--quick", action="store_true", help="rehearse in quick mode and write nothing")
    parser.add_argument("--timeout", type=int, default=600, metavar="SECONDS", help="for one cell (default: 600)")
    options = parser.parse_args(arguments)
    if options.check:
        problems = check(notebooks)
        print("\n".join(problems) or "Texts and notebooks agree.")
        return bool(problems)
    try:
        sources = chosen(options.names, notebooks / "source")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    failed = 0
    for source in sources:
        started = time.perf_counter()
        target = notebooks / f"{source.stem}.ipynb"
        print(f"{source.stem} …", end=" ", flush=True)
        try:
            notebook = build(source, None if options.quick else target, options.quick, options.timeout)
        except BuildError as error:
            failed += 1
            print(f"failed\n{error}", flush=True)
        else:
            size = len(nbformat.writes(notebook).encode()) // 1000
            print(f"{len(notebook.cells)} cells, {size} kB, {time.perf_counter() - started:.1f} s", flush=True)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
