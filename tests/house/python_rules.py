"""The rooms of the house, by reading the package's source: each rule takes a root and returns sentences.

An empty list means the rule is kept.  test_house.py applies every rule to the course, and to small trees with one
violation planted in them.
"""

import ast
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST_FILE, LONGEST_FUNCTION = 400, 70  # lines
DRAWING = {"matplotlib", "ipywidgets", "anywidget"}
HEAVY = ("torch", "numpy", "matplotlib", "ipywidgets", "anywidget", "transformers")
COMMANDS = {"build", "bench", "export", "publish"}  # they may import any room
# What a room may not import from the package: the order is that of the data, text → vectors → blocks → models → …
LOOKING = {"explore", "figures", "exercises"}
LATER = {"models", "predict", "adjust", "pretrained", "lens", "applications"}
CLOSED = {
    "text": LATER | {"vectors", "blocks"},
    "vectors": LATER | {"blocks"},
    "blocks": LATER,
    "models": {"adjust"},
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def python_files(root: Path, folder: str = "course") -> list[Path]:
    return [path for path in sorted((root / folder).rglob("*.py")) if "__pycache__" not in path.parts]


def room(root: Path, path: Path) -> str:
    """The part of the package a file belongs to: `blocks`, `figures`, …; `` for course/__init__.py."""
    part = path.relative_to(root / "course").parts[0]
    return part.removesuffix(".py").replace("__init__", "")


def imports(root: Path, path: Path) -> Iterator[tuple[str, int, bool]]:
    """Absolute dotted names a file imports, with line and whether the import stands inside a function."""
    inside = {id(child) for node in ast.walk(parse(path)) if isinstance(node, Function) for child in ast.walk(node)}
    package = path.relative_to(root).with_suffix("").parts[:-1]
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")) and node.args:
            names = [node.args[0].value] if isinstance(node.args[0], ast.Constant) else []
        else:
            continue
        for name in names:
            yield name, node.lineno, id(node) in inside


def room_imports(root: Path) -> Iterator[tuple[str, str, str]]:
    """(room, room it imports, where) for every import of the package by itself."""
    for path in python_files(root):
        for name, line, _ in imports(root, path):
            if name.startswith("course.") and (here := room(root, path)) != name.split(".")[1]:
                yield here, name.split(".")[1], f"{path.relative_to(root)}:{line}"


# ── who may import whom ─────────────────────────────────────────────────────────────────────────────────────


def earlier_rooms_know_nothing_of_later_ones(root: Path) -> list[str]:
    """Text, vectors and blocks know nothing of models; models know nothing of training."""
    return [f"{where}: {a} imports {b}" for a, b, where in room_imports(root) if b in CLOSED.get(a, ())]


def nothing_imports_what_shows(root: Path) -> list[str]:
    """Explore, figures and exercises are imported by notebooks; exercises may import both, explorers figures."""
    allowed = {"exercises": {"explore", "figures"}, "explore": {"figures"}}
    return [
        f"{where}: {a or 'course'} imports {b}"
        for a, b, where in room_imports(root)
        if b in LOOKING and a not in COMMANDS and b not in allowed.get(a, ())
    ]


def transformers_stay_in_pretrained(root: Path) -> list[str]:
    """The transformers library is imported in pretrained/ only, inside functions."""
    found = []
    for path in python_files(root):
        for name, line, inside in imports(root, path):
            if name.split(".")[0] == "transformers" and not (room(root, path) == "pretrained" and inside):
                found.append(f"{path.relative_to(root)}:{line} imports transformers")
    return found


def drawing_stays_in_figures_and_explorers(root: Path) -> list[str]:
    """Matplotlib, ipywidgets and anywidget are imported in figures.py, explore/ and bench/ only."""
    return [
        f"{path.relative_to(root)}:{line} imports {name}"
        for path in python_files(root)
        for name, line, _ in imports(root, path)
        if name.split(".")[0] in DRAWING and room(root, path) not in ("figures", "explore", "bench")
    ]


def start_needs_only_the_standard_library(root: Path) -> list[str]:
    """start.py runs before anything is installed, and so does what it imports of the course."""
    found, seen, queue = [], set(), [root / "start.py"]
    while queue:
        path = queue.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        for name, line, inside in imports(root, path):
            top, *rest = name.split(".")
            if top == "course":
                queue += [root / "course" / "__init__.py", *_modules(root, rest)]
            elif top not in sys.stdlib_module_names and not inside:
                found.append(f"{path.relative_to(root)}:{line} imports {top}, which start.py can't count on")
    return found


def _modules(root: Path, parts: list[str]) -> list[Path]:
    whole = [root.joinpath("course", *parts[:n]) for n in range(1, len(parts) + 1)]
    return [path for part in whole for path in (part.with_suffix(".py"), part / "__init__.py")]


# ── packages that hand names on ─────────────────────────────────────────────────────────────────────────────


def handed_on_names_are_lazy_and_no_modules(root: Path) -> list[str]:
    """A package hands names on by __getattr__, and none of its modules is called like one of them.

    `from course.explore import attention` must be the function, also once a module of that name was imported.
    """
    found = []
    for path in python_files(root):
        if path.name != "__init__.py":
            continue
        where, body = path.relative_to(root), parse(path).body
        package = ".".join(where.parent.parts)
        for name, line, inside in imports(root, path):
            if name.startswith(f"{package}.") and not inside:
                found.append(f"{where}:{line} imports {name} at once; hand it on by __getattr__")
        if any(_defines(node, "__getattr__") for node in body):
            handed = {node.value for node in ast.walk(parse(path)) if isinstance(node, ast.Constant)}
            modules = [p.stem for p in path.parent.glob("*.py")] + [p.name for p in path.parent.iterdir() if p.is_dir()]
            names = _keys_of_tables(body) or handed
            found += [f"{where} hands on {name}, which is also a module" for name in modules if name in names]
    return found


def _defines(node: ast.stmt, name: str) -> bool:
    targets = [target for part in getattr(node, "targets", []) for target in ast.walk(part)]
    return getattr(node, "name", "") == name or any(getattr(target, "id", "") == name for target in targets)


def _keys_of_tables(body: list[ast.stmt]) -> set:
    """Keys of dictionaries and members of __all__ at the top of an __init__: the names it hands on."""
    keys = set()
    for node in body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Dict):
            keys |= {key.value for key in value.keys if isinstance(key, ast.Constant)}
        elif isinstance(value, ast.List | ast.Tuple):
            keys |= {item.value for item in value.elts if isinstance(item, ast.Constant)}
    return keys


def importing_the_course_imports_nothing_heavy(root: Path) -> list[str]:
    """`import course` is done in a moment: neither torch, NumPy, matplotlib nor widgets come with it."""
    program = f"import sys, course; print(course.__file__, *[name for name in {HEAVY} if name in sys.modules])"
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return [f"import course fails: {done.stderr.strip().splitlines()[-1]}"]
    file, *heavy = done.stdout.split()
    elsewhere = [] if Path(file).resolve().is_relative_to(root.resolve()) else [f"course was imported from {file}"]
    return elsewhere + [f"import course imports {name}" for name in heavy]


# ── how it is written ───────────────────────────────────────────────────────────────────────────────────────


def public_names_have_docstrings(root: Path) -> list[str]:
    """Every module, public function and public class says what it is for."""
    found = []
    for path in python_files(root):
        where, tree = path.relative_to(root), parse(path)
        if tree.body and not ast.get_docstring(tree):
            found.append(f"{where} has no docstring")
        for node in tree.body:
            public = isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                found.append(f"{where}:{node.lineno} {node.name} has no docstring")
    return found


def files_and_functions_are_short(root: Path) -> list[str]:
    """A file has fewer than 400 lines, Python and JavaScript alike, a function at most 70."""
    found = []
    scripts = [path for kind in ("js", "css") for path in sorted((root / "course").rglob(f"*.{kind}"))]
    for path in [*python_files(root), *scripts, *[p for p in [root / "start.py"] if p.exists()]]:
        count = len(path.read_text(encoding="utf-8").splitlines())
        found += [f"{path.relative_to(root)} has {count} lines"] if count >= LONGEST_FILE else []
    for path in python_files(root):
        for node in ast.walk(parse(path)):
            if isinstance(node, Function) and (length := node.end_lineno - node.lineno + 1) > LONGEST_FUNCTION:
                found.append(f"{path.relative_to(root)}:{node.lineno} {node.name} has {length} lines")
    return found


def every_test_asserts_something(root: Path) -> list[str]:
    """A test function states something that can turn out false, itself or through a helper of the tests."""
    trees = {path: parse(path) for path in python_files(root, "tests")}
    functions = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, Function)]
    asserting: set[str] = set()
    while True:  # helpers that assert through helpers
        more = {node.name for node in functions if not node.name.startswith("test_") and _asserts(node, asserting)}
        if more <= asserting:
            break
        asserting |= more
    return [
        f"{path.relative_to(root)}:{node.lineno} {node.name} asserts nothing"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, Function) and node.name.startswith("test_") and not _asserts(node, asserting)
    ]


def _asserts(function: ast.AST, helpers: set[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in helpers or name.startswith("assert_") or ast.unparse(node.func) in ("pytest.raises", "pytest.warns"):
                return True
    return False


RULES = [
    earlier_rooms_know_nothing_of_later_ones,
    nothing_imports_what_shows,
    transformers_stay_in_pretrained,
    drawing_stays_in_figures_and_explorers,
    start_needs_only_the_standard_library,
    handed_on_names_are_lazy_and_no_modules,
    importing_the_course_imports_nothing_heavy,
    public_names_have_docstrings,
    files_and_functions_are_short,
    every_test_asserts_something,
]
