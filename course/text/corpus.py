"""Real text, on every machine: what ships with Python itself, and the learner's own, from a file or an address.

    text = python_docs()                                     # the language reference, about half a megabyte
    text = "\\n\\n".join(without_repeats(paragraphs(text)))    # before anything is held out: see `without_repeats`
    sha256(text)                                             # what a figure names: Python releases differ a little
"""

import ast
import functools
import hashlib
import itertools
import os
import re
import string
import sysconfig
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterable
from http.client import HTTPException, InvalidURL
from pathlib import Path

LIMIT = 100 * 2**20  # bytes: what `from_url` takes at most
PATIENCE = 10.0  # seconds without a byte after which `from_url` gives up
WEB = ("http", "https")
# Folders of the standard library that `docstrings` leaves out: no part of it, tests, and what says little in many
# files (each of the encodings is a table with the same sentence above it).
SKIPPED = {"site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo", "lib2to3", "distutils", "ensurepip",
           "encodings", "pydoc_data"}  # fmt: skip


# ── with Python ─────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def python_docs() -> str:
    """The Python language reference as it ships with this Python: English prose, tables and code.

    The topics of pydoc_data.topics as they are, sorted by name, an empty line between them.
    """
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n"


@functools.cache
def docstrings() -> str:
    """The docstrings of Python's standard library, each once, in the order of the files' names and then of the lines.

    About one and a half million characters, read from the sources; nothing is imported.  Left out: the folders named
    in SKIPPED, and files that can't be read.  Takes about two seconds the first time in a process.
    Raises FileNotFoundError where Python came without its sources.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    found: dict[str, None] = {}  # a dict keeps the order in which things came
    for name in _sources(root):
        found.update(dict.fromkeys(_docstrings_of(root / name)))
    if not found:
        raise FileNotFoundError(f"this Python came without the sources of its standard library: none are in {root}")
    return "\n\n".join(found) + "\n"


def _sources(root: Path) -> list[str]:
    """The Python files below a folder, as paths from there with "/" on every system, sorted."""
    names = []
    for folder, below, files in os.walk(root):
        below[:] = [name for name in below if name not in SKIPPED]  # not entered: site-packages holds thousands
        names += [Path(folder, name).relative_to(root).as_posix() for name in files if name.endswith(".py")]
    return sorted(names)


def _docstrings_of(path: Path) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old sources hold escapes that Python warns of
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    return [text for node in _documented(tree) if (text := (ast.get_docstring(node) or "").strip())]


def _documented(node: ast.AST):
    """The module, class or function and those within it, in the order of the lines.

    Expressions, seven nodes in eight, are never entered: a definition can't stand in one.
    """
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node
    for field in ("body", "cases", "handlers", "orelse", "finalbody"):  # as they follow one another in a source
        for child in getattr(node, field, ()):
            yield from _documented(child)


# ── paragraphs ──────────────────────────────────────────────────────────────────────────────────────────────


def paragraphs(text: str) -> list[str]:
    """The pieces between empty lines (lines of blanks count as empty), in order; none is empty."""
    groups = itertools.groupby(text.split("\n"), key=lambda line: bool(line.strip()))
    return ["\n".join(lines).rstrip("\r") for filled, lines in groups if filled]


def without_repeats(pieces: Iterable[str]) -> list[str]:
    """Each once, where it came first; differences in spaces and line breaks alone don't count.

    Done before a text is split: the language reference says one paragraph in five again (in 3.11.7, 537 of 2608), and
    one that is in both parts is held out in name only.
    """
    seen: dict[str, str] = {}
    for piece in pieces:
        seen.setdefault(" ".join(piece.split()), piece)
    return list(seen.values())


def sha256(text: str) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a text's UTF-8 bytes: short enough for a figure's title."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


# ── the learner's own ───────────────────────────────────────────────────────────────────────────────────────


def from_path(path: str | os.PathLike) -> str:
    """A text file, in UTF-8 with or without a byte order mark; line ends become "\\n".

    Raises OSError where there is none (FileNotFoundError) or where it is a folder (IsADirectoryError), and
    ValueError where it is empty or not UTF-8.
    """
    path = Path(os.path.expanduser(path))
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; the path of one text file is needed")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path.absolute()}")
    return _decode(path.read_bytes(), str(path))


def from_url(url: str, sha256: str | None = None) -> str:
    """A text (UTF-8) from an http or https address, kept in the learner's data folder: fetched once, then read there.

    Prints where the text is kept and its SHA-256.  sha256: all 64 hexadecimal digits that are expected, or None.
    Raises ValueError for another kind of address, also behind a redirect, for more than LIMIT bytes, a text that is
    empty or not UTF-8, or another checksum; ConnectionError where the address can't be reached or stops answering;
    OSError where the folder can't be written.  Whatever is raised, nothing new is kept.
    """
    if not _is_web(url):
        raise ValueError(f"an address that begins with http:// or https:// is needed, got {url!r}")
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"sha256 is 64 hexadecimal digits, got {sha256!r}")
    kept = _folder() / f"{hashlib.sha256(url.encode('utf-8')).hexdigest()[:24]}.txt"
    fresh = not kept.is_file()
    data = _fetch(url) if fresh else kept.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    source = url if fresh else f"{kept} (kept from {url}; delete it to fetch it anew)"
    if sha256 is not None and found != sha256.lower():
        raise ValueError(f"SHA-256 {sha256.lower()} was expected, {source} has {found}")
    text = _decode(data, source)
    if fresh:
        _write(kept, data)
    print(f"{url}\n  {'kept in' if fresh else 'read from'} {kept}\n  SHA-256 {found}")
    return text


def _is_web(url: str) -> bool:
    return urllib.parse.urlsplit(url).scheme in WEB


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https; urllib alone would also follow one to ftp."""

    def http_error_302(self, req, fp, code, msg, headers):
        target = urllib.parse.urljoin(req.full_url, headers.get("Location", ""))
        if not _is_web(target):
            fp.close()
            raise ValueError(f"{req.full_url} leads on to {target}, which is neither http nor https")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _fetch(url: str) -> bytes:
    """What the address answers, all of it; the errors are those of `from_url`."""
    agent = {"User-Agent": "predict-and-adjust", "Accept-Encoding": "identity"}
    try:
        request = urllib.request.Request(_in_ascii(url), headers=agent)
        answer = urllib.request.build_opener(_OnlyWeb).open(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        error.close()  # it is the answer, too, and holds the connection
        raise ConnectionError(f"{url} answers {error.code} {error.reason}") from error
    except (InvalidURL, UnicodeError) as error:
        raise ValueError(f"{url!r} is no address: {error}") from error
    except (OSError, HTTPException) as error:  # URLError and time-outs are OSErrors
        reason = str(getattr(error, "reason", None) or error).strip()
        raise ConnectionError(f"{url} can't be reached ({reason}): is this machine online?") from error
    with answer:
        announced = answer.length or 0  # bytes, from Content-Length; None where the answer doesn't say
        try:
            data = b"" if announced > LIMIT else answer.read(LIMIT + 1)
        except (OSError, HTTPException) as error:
            raise ConnectionError(f"{url} stopped in the middle of its answer ({error}): try again") from error
    if max(announced, len(data)) > LIMIT:
        raise ValueError(f"{url} is larger than {LIMIT / 2**20:g} MiB, the most that is taken")
    if len(data) < announced:
        raise ConnectionError(f"{url} stopped after {len(data)} of {announced} bytes: try again")
    return data


def _in_ascii(url: str) -> str:
    """The address as it travels: what a browser shows as …/wiki/苹果 is sent as …/wiki/%E8%8B%B9%E6%9E%9C."""
    if url.isascii():
        return url
    parts = urllib.parse.urlsplit(url)
    host = ":".join(part.encode("idna").decode("ascii") for part in parts.netloc.split(":"))  # the port apart
    rest = urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
    return f"{parts.scheme}://{host}{urllib.parse.quote(rest, safe=string.punctuation)}"


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: written beside its place, then moved there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _folder() -> Path:
    """Where texts are kept: COURSE_HOME/texts, or else in the user's data folder of this system."""
    if home := os.environ.get("COURSE_HOME"):
        return Path(home).expanduser().absolute() / "texts"
    import platformdirs

    return Path(platformdirs.user_data_dir("predict-and-adjust", appauthor=False)) / "texts"


def _decode(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = error.start + len(data) - len(error.object)  # the codec counts from behind the mark
        raise ValueError(f"{name} is not UTF-8 text: byte {place} is 0x{data[place]:02x}") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ValueError(f"{name} is empty: there is no text in it")
    return text
