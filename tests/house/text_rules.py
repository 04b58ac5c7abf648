"""The house's texts: JavaScript, sentences, README and what no file may say.  Same form as python_rules.py."""

import ast
import re
import string
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.house.python_rules import parse, python_files
from tests.notebooks.rules import FORBIDDEN

NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML")
# Put together here, so that this file does not say them itself.
HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("download", "pytorch", "org"),
         ("npmjs", "org"), ("jsdelivr", "net"), ("unpkg", "com"), ("cdnjs", "cloudflare"), ("anaconda", "org"),
         ("debian", "org"), ("hf-mirror", "com"))]  # fmt: skip
PLACES = ["/" + part for part in ("work/", "root/", "opt/wheels", "opt/pypi")]
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
SUFFIXES = {".py", ".js", ".css", ".toml", ".md", ".txt", ".cfg", ".ipynb", ".json", ".yml", ".yaml", ".sh", ""}


def tracked_texts(root: Path) -> Iterator[tuple[Path, str]]:
    """The text files git knows (all files where there is no repository), with their contents."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    whole = not done.returncode and (root / ".git").exists()
    names = done.stdout.split("\0") if whole else [str(path.relative_to(root)) for path in sorted(root.rglob("*"))]
    for path in (root / name for name in names if name):
        if path.is_file() and path.suffix in SUFFIXES:
            yield path, path.read_text(encoding="utf-8", errors="replace")


# ── JavaScript and CSS ──────────────────────────────────────────────────────────────────────────────────────


def scripts(root: Path) -> list[Path]:
    return sorted(path for kind in ("js", "css") for path in (root / "course").rglob(f"*.{kind}"))


def tokens_are_text_never_markup(root: Path) -> list[str]:
    """No JavaScript of the course turns a string into markup or into code."""
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc|setHTML\w*"
    return _search(root, re.compile(rf"\b({ways})\b|\beval\(|\bnew Function\b|set(?:Timeout|Interval)\(\s*[\"'`]"))


def scripts_name_no_network(root: Path) -> list[str]:
    """JavaScript and CSS load nothing: no address but the namespaces of SVG and HTML, no import, no request."""
    ways = r"^\s*import\b|\bimport\(|\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|@import|url\(\s*[\"']?(?!data:|#)"
    address = r"(?:https?:|[\"'(])//[a-z0-9]"
    return _search(root, re.compile(f"{address}|{ways}", re.MULTILINE), NAMESPACES)


def _search(root: Path, pattern: re.Pattern, allowed: tuple[str, ...] = ()) -> list[str]:
    found = []
    for path in scripts(root):
        text = path.read_text(encoding="utf-8")
        for piece in allowed:
            text = text.replace(piece, "")
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(root)}:{line} says {match[0].strip()!r}")
    return found


# ── sentences ───────────────────────────────────────────────────────────────────────────────────────────────


def tables(root: Path) -> dict[str, dict]:
    folder = root / "course" / "sentences" / "en"
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))}


def leaves(table, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(table, dict):
        for key, value in table.items():
            yield from leaves(value, f"{name}.{key}")
    elif isinstance(table, list):
        for item in table:
            yield from leaves(item, name)
    else:
        yield name, table


def sentences_are_sentences(root: Path) -> list[str]:
    """Every table can be read, holds text (and numbers it speaks of), and its holes {…} are names."""
    try:
        found = tables(root)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [f"a table of sentences can't be read: {error}"]
    problems = []
    for name, value in (leaf for table, content in found.items() for leaf in leaves(content, table)):
        try:
            if not isinstance(value, str | int | float):
                problems.append(f"{name} is not text")
            elif not all(hole is None or hole.isidentifier() for _, hole, _, _ in string.Formatter().parse(str(value))):
                problems.append(f"{name} has a hole without a name")
        except ValueError as error:
            problems.append(f"{name} can't be filled: {error}")
    return problems


def sentences_that_are_said_exist(root: Path) -> list[str]:
    """Every sentence that Python or JavaScript asks for by a fixed name is in the table it is asked from."""
    found, known = [], tables(root)
    said_in: dict[str, set[str]] = {}  # name of a script → names its explorers' tables have
    for path in python_files(root):
        tree, where = parse(path), path.relative_to(root)
        for node in ast.walk(tree):
            keys = _subscripts(node)
            if keys and not _reaches(known, keys):
                found.append(f"{where}:{node.lineno} asks for {'.'.join(keys)}, which is in no table")
        topics = [pair for node in ast.walk(tree) for pair in _topics(node)]
        missing = [pair for pair in topics if not _reaches(known, pair)]
        found += [f"{where} names the table {'.'.join(pair)}, which is not there" for pair in missing]
        words = {key for pair in topics if pair not in missing for key in known[pair[0]][pair[1]]}
        if not topics:
            continue
        for name, line in _said(tree):
            found += [] if name in words else [f"{where}:{line} says {name}, which is not in its tables"]
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and str(node.value).endswith(".js"):
                said_in.setdefault(node.value, set()).update(words)
    for path in scripts(root):
        if path.name in said_in and not path.name.startswith("kit"):
            text = path.read_text(encoding="utf-8")
            for match in re.finditer(r"(?:\bwords|\bsentences)\.([a-z]\w*)(?!\w*\()", text):
                if match[1] not in said_in[path.name]:
                    line = text.count("\n", 0, match.start()) + 1
                    found.append(f"{path.relative_to(root)}:{line} says {match[1]}, which is not in its tables")
    return found


def _subscripts(node: ast.AST) -> list[str]:
    """`table("a")["b"]["c"]` → [a, b, c], as far as the names are fixed; [] for anything else."""
    keys: list[str] = []
    while isinstance(node, ast.Subscript):
        keys = [node.slice.value, *keys] if isinstance(node.slice, ast.Constant) else []
        node = node.value
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "table" and len(node.args) == 1:
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
            return [node.args[0].value, *keys]
    return []


def _reaches(known: dict, keys) -> bool:
    for key in keys:
        if not isinstance(known, dict) or key not in known:
            return False
        known = known[key]
    return True


def _topics(node: ast.AST) -> list[tuple[str, str]]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    if node.__class__ in (ast.Assign, ast.AnnAssign) and [getattr(t, "id", "") for t in targets] == ["topics"]:
        return list(ast.literal_eval(node.value))
    return []


def _said(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say" and node.args:
            first = node.args[0]
            options = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            yield from ((o.value, node.lineno) for o in options if isinstance(o, ast.Constant))


# ── README, and what no file says ───────────────────────────────────────────────────────────────────────────


def the_readme_lists_the_chapters(root: Path) -> list[str]:
    """The README's table names each notebook once, in order, and its other links to files lead somewhere."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("|")]
    listed = [name for row in rows for name in re.findall(r"\]\((notebooks/[\w.-]+\.ipynb)\)", row)]
    present = [f"notebooks/{path.name}" for path in sorted((root / "notebooks").glob("*.ipynb"))]
    found = [] if listed == present else [f"the README lists {listed}, there are {present}"]
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", readme) if not re.match(r"[a-z]+:|#", link)]
    return found + [f"the README's link to {link} leads nowhere" for link in links if not (root / link).exists()]


def no_file_names_hosts_or_this_machine(root: Path) -> list[str]:
    """Where packages come from is the learner's own setting (but for start.py's one CPU index); no path of a machine."""
    found = []
    for path, text in tracked_texts(root):
        for needle in (*HOSTS, *PLACES):
            count = text.count(needle)
            if path.name in ("start.py", "machine.py") and needle == HOSTS[2]:
                count -= 1
            if count > 0 and not (needle.startswith("/") and re.search(rf"(?<![\w.]){re.escape(needle)}", text) is None):
                found.append(f"{path.relative_to(root)} names {needle}")
    return found


def nothing_is_left_unfinished(root: Path) -> list[str]:
    """No marker of unfinished work in any file."""
    texts = tracked_texts(root)
    return [f"{path.relative_to(root)} says {match[0]}" for path, text in texts for match in UNFINISHED.finditer(text)]


def the_voice_is_kept(root: Path) -> list[str]:
    """The words the course never uses, in its package, its sentences and its README."""
    found = []
    for path, text in tracked_texts(root):
        inside = path.relative_to(root).parts
        if inside[0] in ("course", "README.md", "start.py") and path.suffix in (".py", ".js", ".css", ".toml", ".md"):
            lines = text.splitlines()
            for number, line in enumerate(lines, start=1):
                found += [f"{path.relative_to(root)}:{number} says {m[0]!r}" for m in FORBIDDEN.finditer(line)]
    return found


RULES = [
    tokens_are_text_never_markup,
    scripts_name_no_network,
    sentences_are_sentences,
    sentences_that_are_said_exist,
    the_readme_lists_the_chapters,
    no_file_names_hosts_or_this_machine,
    nothing_is_left_unfinished,
    the_voice_is_kept,
]
