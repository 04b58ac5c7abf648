"""Real text, on every machine: what ships with Python itself, and the learner's own, from a file or an address.

    text = python_docs()                                     # the language reference, about half a megabyte
    text = "\\n\\n".join(without_repeats(paragraphs(text)))    # before anything is held out: see `without_repeats`
    sha256(text)                                             # what a figure names: Python releases differ a little
"""

import ast
import functools
import hashlib
import os
import re
import sysconfig
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import warnings
from http.client import HTTPException
from pathlib import Path

LIMIT = 100 * 2**20  # bytes: what `from_url` takes at most
PATIENCE = 10.0  # seconds without a byte after which `from_url` gives up
SKIPPED = {"test", "tests", "idlelib", "lib2to3", "turtledemo", "site-packages", "dist-packages", "ensurepip", "pydoc_data"}


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

    Read from the sources; nothing is imported.  Left out: tests, IDLE, what was packed for installing, and files
    that can't be read.  Takes some seconds the first time in a process.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    found: dict[str, None] = {}  # a dict keeps the order in which things came
    for name in files:
        if SKIPPED.isdisjoint(name.split("/")[:-1]):
            found.update(dict.fromkeys(_docstrings_of(root / name)))
    return "\n\n".join(found) + "\n"


def _docstrings_of(path: Path) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old sources hold escapes that Python warns of
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    nodes.sort(key=lambda node: getattr(node, "lineno", 0))
    texts = (ast.get_docstring(node) for node in nodes)
    return [text.strip() for text in texts if text and text.strip()]


# ── paragraphs ──────────────────────────────────────────────────────────────────────────────────────────────


def paragraphs(text: str) -> list[str]:
    """The pieces between empty lines (lines of blanks count as empty), in order; none is empty."""
    pieces = re.split(r"\n(?:[ \t\r]*\n)+", text)
    return [stripped for piece in pieces if (stripped := piece.strip("\r\n")).strip()]


def without_repeats(pieces) -> list[str]:
    """Each once, where it came first; differences in spaces and line breaks alone don't count.

    Done before a text is split: the language reference says many paragraphs twice, and one that is in both parts is
    held out in name only.
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
    path = Path(path).expanduser()
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; the path of one text file is needed")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path} (looked for in {Path.cwd()})")
    return _decode(path.read_bytes(), str(path))


def from_url(url: str, sha256: str | None = None) -> str:
    """A text (UTF-8) from an http or https address, kept in the learner's data folder: fetched once, then read there.

    Prints where the text is kept and its SHA-256.  sha256: all 64 hexadecimal digits that are expected, or None.
    Raises ValueError for another kind of address, for more than LIMIT bytes, a text that is empty or not UTF-8, or
    another checksum; ConnectionError where the address can't be reached or stops answering.  Whatever is raised,
    nothing new is kept.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"an address that begins with http:// or https:// is needed, got {url!r}")
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"sha256 is 64 hexadecimal digits, got {sha256!r}")
    kept = _folder() / f"{hashlib.sha256(url.encode('utf-8')).hexdigest()[:24]}.txt"
    fresh = not kept.is_file()
    data = _fetch(url) if fresh else kept.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256.lower():
        where = url if fresh else f"{kept} (kept from {url}; delete it to fetch it anew)"
        raise ValueError(f"SHA-256 {sha256.lower()} was expected, {where} has {found}")
    text = _decode(data, url)
    if fresh:
        _write(kept, data)
    print(f"{url}\n  {'kept in' if fresh else 'read from'} {kept}\n  SHA-256 {found}")
    return text


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https; urllib alone would also follow one to ftp."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if urllib.parse.urlsplit(newurl).scheme not in ("http", "https"):
            raise ValueError(f"{req.full_url} leads on to {newurl}, which is neither http nor https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "predict-and-adjust", "Accept-Encoding": "identity"})
    try:
        with urllib.request.build_opener(_OnlyWeb).open(request, timeout=PATIENCE) as answer:
            announced = int(answer.headers.get("Content-Length") or 0)
            data = b"" if announced > LIMIT else answer.read(LIMIT + 1)
    except urllib.error.HTTPError as error:
        raise ConnectionError(f"{url} answers {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:  # URLError and time-outs are OSErrors
        reason = getattr(error, "reason", None) or error
        raise ConnectionError(f"{url} can't be reached ({reason}): is this machine online?") from error
    if max(announced, len(data)) > LIMIT:
        raise ValueError(f"{url} is larger than {LIMIT / 2**20:g} MiB, the most that is taken")
    if len(data) < announced:
        raise ConnectionError(f"{url} stopped after {len(data)} of {announced} bytes: try again")
    return data


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
        mark = 3 if data.startswith(b"\xef\xbb\xbf") else 0  # the codec counts without the mark
        place = error.start + mark if error.object is not data else error.start
        raise ValueError(f"{name} is not UTF-8 text: byte {place} is 0x{data[place]:02x}") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ValueError(f"{name} is empty: there is no text in it")
    return text
