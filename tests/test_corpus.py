"""Texts: what ships with Python, paragraphs without repeats, files, and addresses asked of a server of our own."""

import ast
import hashlib
import itertools
import os
import re
import socket
import sys
import sysconfig
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from pydoc_data.topics import topics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.text import corpus

# ── with Python ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_language_reference_is_all_topics_in_order():
    text = corpus.python_docs()
    place = 0
    for name in sorted(topics):
        topic = topics[name].strip("\n")
        assert text[place : place + len(topic)] == topic, name
        place += len(topic) + 2
    assert place == len(text) + 1 and text.endswith("\n") and not text.endswith("\n\n")  # "\n\n" between, "\n" at the end
    assert 300_000 < len(text) < 1_000_000
    assert corpus.python_docs() is text


def test_topics_are_sorted_and_joined_by_an_empty_line(monkeypatch):
    monkeypatch.setattr("pydoc_data.topics.topics", {"b": "\n  B\n\n\nb\n", "C": "C\n\n", "a": "a"})
    assert corpus.python_docs.__wrapped__() == "C\n\na\n\n  B\n\n\nb\n"


def library(root, files):
    for name, source in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source if isinstance(source, bytes) else source.encode("utf-8"))
    return root


SOURCE = '''"""Module."""
if True:
    def first():
        """One."""
        def within():
            """Two.

                Indented.
            """
else:
    class Third:
        """Three."""
        async def fourth(self):
            """Four."""
        def none(self):
            return """no docstring"""
try:
    def fifth(): "Five."
except ValueError:
    def sixth(): "Six."
else:
    def seventh(): "Seven."
finally:
    def eighth(): "Eight."
match 1:
    case 1:
        def ninth(): "Nine."
for _ in ():
    with open("x"):
        while True:
            def tenth(): "Ten."
x = """not one either"""
'''
DOCUMENTED = ["Module.", "One.", "Two.\n\nIndented.", "Three.", "Four.", "Five.", "Six.", "Seven.", "Eight.", "Nine.", "Ten."]


def of_library(root, monkeypatch) -> str:
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"stdlib": str(root)})
    return corpus.docstrings.__wrapped__()  # past the memory of the real library


def test_docstrings_of_whatever_holds_a_definition(tmp_path, monkeypatch):
    library(tmp_path, {"a.py": SOURCE})
    assert of_library(tmp_path, monkeypatch) == "\n\n".join(DOCUMENTED) + "\n"


def test_docstrings_in_the_order_of_names_each_once_and_nothing_of_what_is_skipped(tmp_path, monkeypatch):
    files = {
        "b.py": '"""B."""\ndef f():\n    """Twice."""\n',
        "a/z.py": '"""AZ."""\ndef f():\n    """Twice."""\n',
        "a/b/c.py": b'# -*- coding: latin-1 -*-\n"""\xe9t\xe9"""\n',
        "a.py": '"""A."""\n',
        "empty.py": '"""  \n  """\ndef f(): ""\n',
        "broken.py": '"""Lost."""\ndef (:\n',
        "undecodable.py": b'"""\xff"""\n',
        "warned.py": r'"""A \d escape."""' + "\n",
        "notes.txt": '"""Text."""\n',
    }
    skipped = {f"{name}/m.py": '"""Skipped."""\n' for name in corpus.SKIPPED} | {"a/tests/m.py": '"""Skipped."""\n'}
    library(tmp_path, files | skipped | {"tests.py": '"""A file, no folder."""\n'})
    expected = ["A.", "été", "AZ.", "Twice.", "B.", "A file, no folder.", r"A \d escape."]
    assert of_library(tmp_path, monkeypatch) == "\n\n".join(expected) + "\n"

    walk = os.walk  # the folder's own order is the file system's affair

    def other_way_round(top):
        for folder, below, names in walk(top):
            below.reverse()
            yield folder, below, sorted(names, reverse=True)

    monkeypatch.setattr(os, "walk", other_way_round)
    assert of_library(tmp_path, monkeypatch) == "\n\n".join(expected) + "\n"


def test_folders_that_are_skipped_are_not_even_entered(tmp_path, monkeypatch):
    library(tmp_path, {"a.py": SOURCE, "site-packages/deep/b.py": SOURCE})
    seen, walk = [], os.walk
    monkeypatch.setattr(os, "walk", lambda top: (seen.append(step[0]) or step for step in walk(top)))
    of_library(tmp_path, monkeypatch)
    assert seen == [str(tmp_path)]


def test_a_python_without_sources_is_said(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=re.escape(f"without the sources of its standard library: none are in {tmp_path}")):
        of_library(tmp_path, monkeypatch)


def test_the_real_library():
    before = set(sys.modules)
    text = corpus.docstrings()
    assert set(sys.modules) == before, "something was imported"
    assert corpus.docstrings() is text
    assert 1_000_000 < len(text) < 3_000_000 and text.isprintable() is False
    for module in (itertools.__name__, "argparse", "textwrap"):
        source = Path(sysconfig.get_paths()["stdlib"], f"{module}.py")
        if source.exists():
            assert ast.get_docstring(ast.parse(source.read_bytes())).strip() in text
    for name in ("unittest", "json"):  # packages too
        init = Path(sysconfig.get_paths()["stdlib"], name, "__init__.py")
        assert ast.get_docstring(ast.parse(init.read_bytes())).strip() in text
    assert len(corpus.sha256(text)) == 12  # it can be encoded


# ── paragraphs ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", []),
        (" \n\t\n", []),
        ("one", ["one"]),
        ("one\ntwo", ["one\ntwo"]),
        ("one\n\ntwo\n", ["one", "two"]),
        ("one\n \t\n\u3000\n\n  two\n  three\n\n", ["one", "  two\n  three"]),
        ("  \none  \n\n", ["one  "]),
        ("one\r\ntwo\r\n\r\nthree\r\n", ["one\r\ntwo", "three"]),
    ],
    ids=["nothing", "blanks", "one", "lines", "two", "indent", "ends", "crlf"],
)
def test_paragraphs(text, expected):
    assert corpus.paragraphs(text) == expected


@given(st.lists(st.text("ab \n", max_size=6), max_size=8))
def test_paragraphs_lose_no_word_and_hold_no_empty_line(pieces):
    found = corpus.paragraphs("\n".join(pieces))
    assert " ".join(found).split() == "\n".join(pieces).split()
    assert all(line.strip() for piece in found for line in piece.split("\n"))
    assert corpus.paragraphs("\n\n".join(found)) == found


def test_repeats_differ_in_more_than_blanks():
    pieces = ["b  c", "a", "b\nc", "A", "a ", " b c", "bc"]
    assert corpus.without_repeats(iter(pieces)) == ["b  c", "a", "A", "bc"]


def test_the_language_reference_repeats_itself():
    pieces = corpus.paragraphs(corpus.python_docs())
    kept = corpus.without_repeats(pieces)
    assert 0.1 < 1 - len(kept) / len(pieces) < 0.35
    assert {" ".join(piece.split()) for piece in pieces} == {" ".join(piece.split()) for piece in kept}
    assert len({" ".join(piece.split()) for piece in kept}) == len(kept)


def test_the_short_name_of_a_text():
    assert corpus.sha256("我喜欢吃苹果") == hashlib.sha256("我喜欢吃苹果".encode()).hexdigest()[:12]


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with-mark"])
def test_a_file_with_any_line_ends(tmp_path, mark):
    (tmp_path / "a.txt").write_bytes(mark + "苹果\r\nb\rc\n\n".encode())
    assert corpus.from_path(tmp_path / "a.txt") == corpus.from_path(str(tmp_path / "a.txt")) == "苹果\nb\nc\n\n"


@pytest.mark.parametrize(
    "data, sentence",
    [
        (b"", "is empty: there is no text in it"),
        (b"\xef\xbb\xbf", "is empty"),
        (b" \r\n\t", "is empty"),
        (b"ab\xffc", "is not UTF-8 text: byte 2 is 0xff"),
        (b"\xef\xbb\xbfab\xfec", "is not UTF-8 text: byte 5 is 0xfe"),
        ("a苹".encode()[:-1], "is not UTF-8 text: byte 1 is 0xe8"),
        ("ab".encode("utf-16"), "is not UTF-8 text: byte 0 is 0x"),
    ],
    ids=["empty", "mark-only", "blanks", "latin", "latin-after-mark", "cut-character", "utf-16"],
)
def test_a_file_that_is_no_text(tmp_path, data, sentence):
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'a.txt'} {sentence}")):
        corpus.from_path(tmp_path / "a.txt")


def test_no_file_and_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=re.escape(f"there is no file {tmp_path / 'none.txt'}")):
        corpus.from_path("none.txt")
    with pytest.raises(IsADirectoryError, match="is a folder; the path of one text file is needed"):
        corpus.from_path(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        corpus.from_path("~nobody-of-this-name/a.txt")


def test_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert corpus.from_path("~/mine.txt") == "mine"


# ── addresses ───────────────────────────────────────────────────────────────────────────────────────────────

TEXT = "我喜欢吃苹果和香蕉\r\nI like eating apples.\n".encode()
READ = TEXT.decode().replace("\r\n", "\n")
SUM = hashlib.sha256(TEXT).hexdigest()


class Answers(BaseHTTPRequestHandler):
    """Answers of every kind; each request's path is written down."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        self.close_connection = True
        name, _, rest = self.path.lstrip("/").partition("?")
        getattr(self, f"on_{name.partition('/')[0].replace('-', '_').replace('.', '_')}")(rest)

    def send(self, code=200, body=TEXT, **headers):
        self.send_response(code)
        for key, value in ({"Content_Length": str(len(body))} | headers).items():
            if value is not None:
                self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def on_text(self, rest):
        self.send()

    def on_wiki(self, rest):
        self.send(body=f"{self.path}".encode())

    def on_no_length(self, rest):
        self.send(Content_Length=None)

    def on_odd_length(self, rest):
        self.send(Content_Length="many")

    def on_none(self, rest):
        self.send(404, b"not here")

    def on_truncated(self, rest):
        self.send(Content_Length=str(len(TEXT) + 9))

    def on_truncated_chunks(self, rest):
        self.send(body=b"5\r\nabcde\r\n8\r\nabc", Content_Length=None, Transfer_Encoding="chunked")

    def on_chunks(self, rest):
        self.send(body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(TEXT), TEXT), Content_Length=None, Transfer_Encoding="chunked")

    def on_redirect(self, rest):
        code, _, target = rest.partition("&")
        self.send(int(code), b"", Location=target)

    def on_silent(self, rest):
        self.server.end.wait(20)

    def on_falls_silent(self, rest):
        self.send(Content_Length=str(len(TEXT) + 9))
        self.wfile.flush()
        self.server.end.wait(20)

    def on_empty(self, rest):
        self.send(body=b" \n")

    def on_latin(self, rest):
        self.send(body=b"ab\xe9")

    def on_nonsense(self, rest):
        self.wfile.write(b"SMTP ready\r\n\r\n")

    def log_message(self, *args):
        """Nothing on the terminal."""


@pytest.fixture
def server(monkeypatch):
    """The server; `server.at(path)` is an address of it, `server.asked` the paths that were asked for."""
    monkeypatch.setenv("no_proxy", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked, server.end, server.daemon_threads = [], threading.Event(), True
    server.at = lambda path: f"http://127.0.0.1:{server.server_port}/{path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.end.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty COURSE_HOME."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def kept(home) -> list[bytes]:
    return [path.read_bytes() for path in home.rglob("*") if path.is_file()]


def test_fetched_once_then_read_without_a_request(server, home, capsys):
    url = server.at("text")
    assert corpus.from_url(url) == READ
    (path,) = (home / "texts").iterdir()
    assert kept(home) == [TEXT] and path.suffix == ".txt"
    assert capsys.readouterr().out == f"{url}\n  kept in {path}\n  SHA-256 {SUM}\n"
    assert corpus.from_url(url, sha256=SUM.upper()) == READ
    assert capsys.readouterr().out == f"{url}\n  read from {path}\n  SHA-256 {SUM}\n"
    assert server.asked == ["/text"]


def test_each_address_has_a_place_of_its_own(server, home):
    assert corpus.from_url(server.at("wiki/a?page=1")) == "/wiki/a?page=1"
    assert corpus.from_url(server.at("wiki/a?page=2")) == "/wiki/a?page=2"
    assert sorted(kept(home)) == [b"/wiki/a?page=1", b"/wiki/a?page=2"]


@pytest.mark.parametrize("name", ["no-length", "odd-length", "chunks"])
def test_an_answer_without_its_length(server, home, name):
    assert corpus.from_url(server.at(name), sha256=SUM) == READ and kept(home) == [TEXT]


def test_an_address_in_chinese(server, home):
    assert corpus.from_url(server.at("wiki/苹果?q=香 蕉%20&x=[1]#顶")) == (
        "/wiki/%E8%8B%B9%E6%9E%9C?q=%E9%A6%99%20%E8%95%89%20&x=[1]"
    )
    assert corpus._in_ascii("https://例子.测试:8080/a") == "https://xn--fsqu00a.xn--0zwm56d:8080/a"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(server, home, code):
    assert corpus.from_url(server.at(f"redirect?{code}&/text")) == READ
    assert server.asked == [f"/redirect?{code}&/text", "/text"] and kept(home) == [TEXT]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["file", "ftp", "data"])
def test_redirects_out_of_the_web_are_refused(server, home, code, scheme, tmp_path):
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    target = f"{scheme}://127.0.0.1{tmp_path}/secret.txt"
    with pytest.raises(ValueError, match=f"leads on to {scheme}:.*, which is neither http nor https"):
        corpus.from_url(server.at(f"redirect?{code}&{target}"))
    assert kept(home) == []


def test_redirects_without_end(server, home):
    with pytest.raises(ConnectionError, match="answers 302"):
        corpus.from_url(server.at("redirect?302&/redirect?302&"))
    assert kept(home) == [] and len(server.asked) < 20


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "data:text/plain,a", "a.txt", "", "//x/a"])
def test_other_addresses_are_refused(home, url):
    with pytest.raises(ValueError, match=re.escape(f"http:// or https:// is needed, got {url!r}")):
        corpus.from_url(url)
    assert kept(home) == []


@pytest.mark.parametrize(
    "name, error, sentence",
    [
        ("none", ConnectionError, "answers 404 Not Found"),
        ("truncated", ConnectionError, f"stopped after {len(TEXT)} of {len(TEXT) + 9} bytes: try again"),
        ("truncated-chunks", ConnectionError, r"stopped in the middle of its answer \(.*\): try again"),
        ("silent", ConnectionError, r"can't be reached \(timed out\): is this machine online\?"),
        ("falls-silent", ConnectionError, r"stopped in the middle of its answer \(timed out\): try again"),
        ("nonsense", ConnectionError, r"can't be reached \(.*SMTP ready.*\)"),
        ("empty", ValueError, "is empty: there is no text in it"),
        ("latin", ValueError, "is not UTF-8 text: byte 2 is 0xe9"),
        ("a b", ValueError, "is no address: "),
    ],
    ids=["404", "truncated", "truncated-chunks", "silent", "falls-silent", "nonsense", "empty", "latin", "blank-in-it"],
)
def test_what_goes_wrong_is_said_and_nothing_is_kept(server, home, monkeypatch, name, error, sentence):
    monkeypatch.setattr(corpus, "PATIENCE", 0.3)
    url = server.at(name)
    with pytest.raises(error, match=re.escape(repr(url) if name == "a b" else url) + " " + sentence):
        corpus.from_url(url)
    assert kept(home) == []


@pytest.mark.parametrize("url", ["http://果..a/", "http://127.0.0.1:port/", "http://" + "果" * 80 + "/"])
def test_what_can_be_no_address(home, url):
    with pytest.raises(ValueError, match=re.escape(f"{url!r} is no address: ")):
        corpus.from_url(url)
    assert kept(home) == []


def test_no_server(home, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: refused
        with pytest.raises(ConnectionError, match=r"can't be reached \(.*refused.*\): is this machine online\?"):
            corpus.from_url(f"http://127.0.0.1:{free.getsockname()[1]}/a")
    assert kept(home) == []


@pytest.mark.parametrize("name", ["text", "no-length", "chunks"])
def test_the_limit_is_the_last_size_that_is_taken(server, home, monkeypatch, name):
    monkeypatch.setattr(corpus, "LIMIT", len(TEXT) - 1)
    with pytest.raises(ValueError, match="is larger than .* MiB, the most that is taken"):
        corpus.from_url(server.at(name))
    assert kept(home) == []
    monkeypatch.setattr(corpus, "LIMIT", len(TEXT))
    assert corpus.from_url(server.at(name)) == READ


def test_another_checksum_leaves_nothing_behind(server, home):
    wrong = "0" * 64
    with pytest.raises(ValueError, match=f"SHA-256 {wrong} was expected, {re.escape(server.at('text'))} has {SUM}"):
        corpus.from_url(server.at("text"), sha256=wrong)
    assert kept(home) == []


def test_a_kept_text_that_was_changed_is_noticed_by_its_checksum(server, home):
    corpus.from_url(server.at("text"))
    (path,) = (home / "texts").iterdir()
    path.write_bytes(b"changed")
    with pytest.raises(ValueError, match=re.escape(f"{path} (kept from {server.at('text')}; delete it to fetch it anew)")):
        corpus.from_url(server.at("text"), sha256=SUM)
    assert path.read_bytes() == b"changed" and server.asked == ["/text"]
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=re.escape(f"{path} (kept from") + ".*is empty"):
        corpus.from_url(server.at("text"))


@pytest.mark.parametrize("given", ["", "abc", SUM[:-1], SUM + "0", SUM[:-1] + "g", SUM + "\n"])
def test_a_checksum_has_64_digits(server, home, given):
    with pytest.raises(ValueError, match="sha256 is 64 hexadecimal digits, got"):
        corpus.from_url(server.at("text"), sha256=given)
    assert server.asked == []


def test_a_text_that_can_not_be_put_in_place_is_not_half_kept(server, home, monkeypatch):
    def no_room(*paths):
        raise OSError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_room)
        with pytest.raises(OSError, match="no room"):
            corpus.from_url(server.at("text"))
    assert kept(home) == []
    assert corpus.from_url(server.at("text")) == READ


def test_the_place_changes_hands_only_when_the_text_is_whole(server, home, monkeypatch):
    moved, replace = [], os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (moved.append((Path(a).read_bytes(), Path(b))), replace(a, b)))
    corpus.from_url(server.at("text"))
    (path,) = (home / "texts").iterdir()
    assert moved == [(TEXT, path)]


def test_without_course_home_the_user_s_data_folder(tmp_path, monkeypatch):
    import platformdirs

    monkeypatch.delenv("COURSE_HOME")
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name, appauthor: str(tmp_path / f"{name}-{appauthor}"))
    assert corpus._folder() == tmp_path / "predict-and-adjust-False" / "texts"
