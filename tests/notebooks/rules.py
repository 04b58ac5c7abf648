"""What holds for every chapter, as functions from a chapter to sentences: an empty list means the rule is kept.

`Chapter` is one text of notebooks/source/ with the notebook built from it.  The rules are tried on planted violations
in test_rules.py, and applied to the course's chapters in test_chapters.py.
"""

import ast
import base64
import dataclasses
import functools
import html.parser
import json
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import nbformat

from course import build
from course.exercises import cells
from course.exercises.task import all_tasks
from course.setup_cell import SETUP_CELL
from course.workbook import HIDE

ROOT = build.ROOT
LONGEST_CODE, LONGEST_PROSE, LONGEST_DEFINITION = 30, 60, 10  # lines
SHORTEST_ALT = 20  # characters
FORBIDDEN = re.compile(
    r"\b(simply|just|obviously|clearly|of course(?![./])|trivial(?:ly)?|magic(?:al(?:ly)?)?)\b", re.IGNORECASE
)
LEARNED_ROOMS = ("text", "vectors", "blocks", "models", "predict", "adjust")  # what learners write themselves
DATA = ("corpus", "market")  # beginnings of modules there that hold texts: nobody writes these, and their names are plain words


@dataclasses.dataclass(frozen=True)
class Chapter:
    """A text and its notebook; both files must exist."""

    source: Path
    target: Path

    @classmethod
    def all(cls, root: Path = ROOT) -> list["Chapter"]:
        """All notebooks below root/notebooks, each with the text it should have."""
        targets = sorted((root / "notebooks").glob("*.ipynb"))
        return [cls(path.parent / "source" / f"{path.stem}.md", path) for path in targets]

    @functools.cached_property
    def notebook(self) -> nbformat.NotebookNode:
        return nbformat.read(self.target, as_version=4)

    @property
    def code(self) -> list:
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def prose(self) -> str:
        """All Markdown without code, formulas, links' targets and markup."""
        text = "\n\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")
        text = re.sub(r"^(`{3,}|~{3,}).*?^\1`*\s*$", "", text, flags=re.MULTILINE | re.DOTALL)
        text = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$|`[^`\n]*`|<[^>\n]*>", " ", text, flags=re.DOTALL)
        return re.sub(r"\]\([^)\n]*\)", "]", text)


RULES: list[Callable[[Chapter], list[str]]] = []


def rule(function):
    """Registers a rule: its name is what the test is called, its docstring what it holds."""
    RULES.append(function)
    return function


# ── text and notebook ───────────────────────────────────────────────────────────────────────────────────────


@rule
def paired(chapter: Chapter) -> list[str]:
    """Notebook and text have the same cells, with the ids the build gives."""
    if not chapter.source.exists():
        return [f"{chapter.target.name} has no text in notebooks/source/"]
    return build.disagreements(chapter.source, chapter.target)


@rule
def valid(chapter: Chapter) -> list[str]:
    """The file is a notebook of format 4.5, and its ids are unique and begin with the chapter's number."""
    raw = json.loads(chapter.target.read_text(encoding="utf-8"))  # nbformat.read repairs repeated ids in passing
    errors = list(nbformat.validator.iter_validate(raw))
    if errors:
        return [f"{chapter.target.name} is not valid: {errors[0].message}"]
    ids = [cell["id"] for cell in raw["cells"]]
    number = chapter.target.stem.split("_")[0].lower()
    odd = [name for name in ids if not name.startswith(number + "-") or ids.count(name) > 1]
    return [f"cell id {name!r} is repeated or does not begin with {number}-" for name in odd]


@rule
def executed_in_order(chapter: Chapter) -> list[str]:
    """Every code cell was executed, from 1 on, each once."""
    counts = [cell.execution_count for cell in chapter.code]
    return [] if counts and counts == list(range(1, len(counts) + 1)) else [f"execution counts are {counts}"]


@rule
def outputs_are_committed(chapter: Chapter) -> list[str]:
    """A cell that prints or ends in an expression has its output: a stripped notebook compares nothing."""
    empty = [cell for cell in chapter.code if _shows(cell.source) and not cell.outputs]
    return [f"{cell.id} shows something when run, but has no output" for cell in empty]


def _shows(source: str) -> bool:
    """Certainly shows something: a print, or a last line that is a value or a call known to return one."""
    if build.SETUP_MARK in source or source.rstrip().endswith(";"):
        return False
    expressions = [statement.value for statement in _parse(source).body if isinstance(statement, ast.Expr)]
    if any(isinstance(value, ast.Call) and _name(value.func) == "print" for value in expressions):
        return True
    last = _parse(source).body[-1:]
    if not last or not isinstance(last[0], ast.Expr):
        return False
    value = last[0].value
    if isinstance(value, ast.Call):
        of_explore = isinstance(value.func, ast.Attribute) and _name(value.func.value) == "explore"
        return of_explore or _name(value.func) in ("show", "table")
    return isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp | ast.Compare | ast.Tuple | ast.List)


@rule
def no_errors(chapter: Chapter) -> list[str]:
    """No error, nothing on stderr, unless tagged; and the file is small enough."""
    size = chapter.target.stat().st_size
    found = build.faults(chapter.notebook, chapter.target.stem)
    return found or ([f"{chapter.target.name} has {size:,} bytes"] if size >= build.LARGEST else [])


@rule
def no_widget_state(chapter: Chapter) -> list[str]:
    """Neither the state of widgets, with which GitHub fails to render, nor views of models that are gone."""
    found = ["the notebook's metadata hold widget state"] if "widgets" in chapter.notebook.metadata else []
    return found + [
        f"{cell.id} holds the view of a widget that died with its kernel"
        for cell in chapter.code
        if any(build.WIDGET_VIEW in output.get("data", {}) for output in cell.outputs)
    ]


@rule
def same_metadata(chapter: Chapter) -> list[str]:
    """Nothing of one run or one machine: no versions, no times, no kernel of somebody's own."""
    found = [] if chapter.notebook.metadata == build.METADATA else [f"metadata are {dict(chapter.notebook.metadata)}"]
    return found + [f"{cell.id} holds execution times" for cell in chapter.code if "execution" in cell.metadata]


@rule
def same_set_up_cell(chapter: Chapter) -> list[str]:
    """The first code cell is the set-up cell, word for word, and there is no other."""
    marked = [cell.source for cell in chapter.code if build.SETUP_MARK in cell.source]
    if not chapter.code or chapter.code[0].source != SETUP_CELL:
        return ["the first code cell is not the set-up cell of course/setup_cell.py"]
    return [] if len(marked) == 1 else ["there are several set-up cells"]


# ── pictures ────────────────────────────────────────────────────────────────────────────────────────────────


class _Images(html.parser.HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.images: list[dict] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.images.append(dict(attributes))


@rule
def pictures_have_alternative_text(chapter: Chapter) -> list[str]:
    """A figure has it in HTML (JupyterLab drops it from bare PNGs), an explorer's picture as its one line of text."""
    found = []
    for cell in chapter.code:
        for data in (output.get("data", {}) for output in cell.outputs):
            images = _Images(data.get("text/html", "")).images
            short = [image for image in images if len(image.get("alt") or "") < SHORTEST_ALT]
            found += [f"{cell.id}: <img> without alternative text" for _ in short]
            bare = any(kind.startswith("image/") for kind in data) and not images
            if bare and not _is_caption(data.get("text/plain", "")):
                found.append(f"{cell.id}: a picture without alternative text (use figures.show)")
    for cell in chapter.notebook.cells:
        if cell.cell_type == "markdown":
            images = _Images(cell.source).images
            texts = [i.get("alt") or "" for i in images] + re.findall(r"!\[([^\]]*)\]\(", cell.source)
            found += [f"{cell.id}: a picture without alternative text" for text in texts if len(text) < SHORTEST_ALT]
    return found


def _is_caption(text: str) -> bool:
    return len(text) >= SHORTEST_ALT and "\n" not in text.strip() and not text.startswith("<")


@rule
def pictures_are_pictures(chapter: Chapter) -> list[str]:
    """Each PNG is whole and has more than one pixel: nbval does not look into it."""
    found = []
    for cell in chapter.code:
        for code in (output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})):
            data = base64.b64decode(code)
            whole = data[:8] == b"\x89PNG\r\n\x1a\n" and data.rstrip()[-8:-4] == b"IEND"
            if not whole or min(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) < 32:
                found.append(f"{cell.id}: its picture is broken or tiny")
    return found


@rule
def nothing_is_loaded_from_a_network(chapter: Chapter) -> list[str]:
    """No picture, script or style has an address in a network: a chapter works offline."""
    address = r"(?:https?:)?//"
    pattern = re.compile(rf"(?:src|srcset|data)\s*=\s*[\"']?{address}|!\[[^\]]*\]\({address}|url\([\"' ]*{address}|@import")
    found = []
    for cell in chapter.notebook.cells:
        shown = [cell.source] if cell.cell_type == "markdown" else []
        shown += [str(output.get("data", {}).get("text/html", "")) for output in cell.get("outputs", [])]
        found += [f"{cell.id} loads something from a network" for text in shown if pattern.search(text)]
    return found


# ── size and shape ──────────────────────────────────────────────────────────────────────────────────────────


@rule
def no_cell_longer_than_a_screen(chapter: Chapter) -> list[str]:
    """At most 30 lines of code, 60 of prose (a line of prose counts as many lines of 110 characters)."""
    found = []
    for cell in chapter.notebook.cells:
        lines = cell.source.splitlines()
        if cell.cell_type == "markdown":
            lines = [part for line in lines for part in (textwrap.wrap(line, 110) or [""])]
        limit = LONGEST_CODE if cell.cell_type == "code" else LONGEST_PROSE
        found += [f"{cell.id} has {len(lines)} lines, a screen has {limit}"] if len(lines) > limit else []
    return found


@rule
def code_is_python(chapter: Chapter) -> list[str]:
    """Every code cell is Python alone: no shell lines, no %-commands, which plain Python could not run."""
    found = []
    for cell in chapter.code:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            found.append(f"{cell.id} is not Python: {error.msg}")
    return found


@rule
def long_definitions_belong_in_the_package(chapter: Chapter) -> list[str]:
    """A class or function of more than ten lines that is no exercise is written in the package, and imported."""
    found = []
    for cell in chapter.code:
        for node in ast.walk(_parse(cell.source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not _is_exercise(cell):
                length = node.end_lineno - node.lineno + 1
                found += [f"{cell.id}: {node.name} has {length} lines"] if length > LONGEST_DEFINITION else []
    return found


@rule
def no_package_name_is_redefined(chapter: Chapter) -> list[str]:
    """Only an exercise may define what the package defines: a component is written in one place."""
    names = public_names()
    found = []
    for cell in chapter.code:
        defined = [name for statement in _parse(cell.source).body for name in _defined(statement)]
        if not _is_exercise(cell):
            found += [f"{cell.id} redefines {name} of {names[name]}" for name in defined if name in names]
    return found


@rule
def exercises_are_the_packages(chapter: Chapter) -> list[str]:
    """The exercise cells are the chapter's tasks, in order, each made from the package's function, each with its check."""
    tasks = [task for task in all_tasks().values() if task.chapter == chapter.target.stem[:2]]
    given = [cell for cell in chapter.code if _is_exercise(cell)]
    found = [] if len(given) == len(tasks) else [f"{len(given)} cells are exercises, the chapter has {len(tasks)} tasks"]
    for task, cell in zip(tasks, given):
        found += [] if cell.source == cells.stub(task) else [f"{cell.id} is not the stub of {task.name}"]
        after = "\n".join(later.source for later in chapter.code[chapter.code.index(cell) :])
        found += [] if f'check("{task.name}", ' in after else [f"{cell.id}: no check of {task.name} follows"]
        prose = f"difficulty {task.difficulty} of 5 · {task.minutes} minutes"
        core = "core" if task.core else "extra"
        found += [] if f"{core} · {prose}" in _prose_before(chapter, cell) else [f"{cell.id} does not say: {core} · {prose}"]
    return found


def _prose_before(chapter: Chapter, cell) -> str:
    """The prose right above a cell."""
    above = chapter.notebook.cells[: chapter.notebook.cells.index(cell)]
    return next((other.source for other in reversed(above) if other.cell_type == "markdown"), "")


@rule
def predictions_are_kept_until_they_are_revealed(chapter: Chapter) -> list[str]:
    """After a question its truth is revealed, in a cell whose output is hidden; two questions a chapter at most."""
    asked, found = {}, []
    for cell in chapter.code:
        for name in re.findall(r'\bmy_prediction\(\s*"([^"]+)"', cell.source):
            asked[name] = cell
        for name in re.findall(r'\breveal\(\s*"([^"]+)"', cell.source):
            found += [] if name in asked else [f"{cell.id} reveals {name}, which was not asked before"]
            hidden = HIDE in cell.metadata.get("tags", []) and cell.metadata.get("jupyter", {}).get("outputs_hidden")
            found += [] if hidden else [f"{cell.id} shows the answer to {name} to who scrolls"]
            asked[name] = None
    found += [f"{cell.id} asks {name}, which is never revealed" for name, cell in asked.items() if cell is not None]
    return found + ([f"{len(asked)} predictions, two are enough"] if len(asked) > 2 else [])


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return []


@functools.cache
def public_names() -> dict[str, str]:
    """Functions and classes of the rooms whose contents learners write themselves: name → module."""
    names = {}
    for room in LEARNED_ROOMS:
        for path in sorted((ROOT / "course" / room).glob("*.py")):
            if path.stem.startswith(DATA):
                continue
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    names[node.name] = f"course.{room}.{path.stem}"
    return names


def _is_exercise(cell) -> bool:
    return "exercise" in cell.metadata.get("tags", [])


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])  # code_is_python reports it


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


@rule
def voice(chapter: Chapter) -> list[str]:
    """No word that tells a reader how easy it should have been."""
    prose = chapter.prose
    return [f"the prose says {match[0]!r}: …{_around(prose, match)}…" for match in FORBIDDEN.finditer(prose)]


def _around(text: str, match: re.Match) -> str:
    return " ".join(text[max(0, match.start() - 40) : match.end() + 40].split())


@rule
def anatomy(chapter: Chapter) -> list[str]:
    """Title, question, gain, minutes and place on the map first; the document's claims and a recap last."""
    cells = [cell.source for cell in chapter.notebook.cells if cell.cell_type == "markdown"]
    opening = "\n".join(cell.source for cell in chapter.notebook.cells[: _index_of_set_up(chapter)])
    number = chapter.target.stem.split("_")[0]
    wanted = [rf"^# {number} · \S", r"\*\*One question:\*\*", r"\*\*Afterwards you can\*\*", r"\b\d+ minutes\b"]
    missing = [part for part in (*wanted, "You are here:") if not re.search(part, opening, re.MULTILINE)]
    found = [f"the opening has no {part}" for part in missing]
    headings = [line.removeprefix("## ") for cell in cells for line in cell.splitlines() if line.startswith("## ")]
    if "What the document says" not in headings or "Recap" not in headings[-1:]:
        found.append(f"'What the document says' and then 'Recap' end a chapter; the headings are {headings}")
    text = "\n".join(cells)
    ends = (r"\*\*Next:?\*\*", r"\*\*Sources:?\*\*")
    return found + [f"the end has no {part}" for part in ends if not re.search(part, text)]


def _index_of_set_up(chapter: Chapter) -> int:
    cells = chapter.notebook.cells
    return next((i for i, cell in enumerate(cells) if build.SETUP_MARK in cell.source), len(cells))


@rule
def links_lead_somewhere(chapter: Chapter) -> list[str]:
    """A relative link names a file that exists, a link to a heading a heading of this chapter."""
    cells = [cell.source for cell in chapter.notebook.cells if cell.cell_type == "markdown"]
    headings = {m.strip().replace(" ", "-") for cell in cells for m in re.findall(r"^#+ (.+)$", cell, re.MULTILINE)}
    found = []
    for target in re.findall(r"\]\(([^)\s]+)[^)]*\)", re.sub(r"`[^`\n]*`|\$[^$\n]*\$", "", "\n".join(cells))):
        file, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        if file and not (chapter.target.parent / file).exists():
            found.append(f"the link {target} leads nowhere")
        if not file and heading not in headings:
            found.append(f"the link {target} names no heading of this chapter")
    return found
