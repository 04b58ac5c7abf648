"""The set-up cell, run as Colab would run it: a session list over HTTP, git on the path, google.colab loaded."""

import http.server
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import urllib.parse

import pytest

from course.publish import HOME, Place, name_repository
from course.setup_cell import SETUP_CELL

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Colab is Linux: the stand-in for git is a script")
UNPUBLISHED = re.sub(re.escape(HOME) + r"\[.*\]", HOME + "[]", SETUP_CELL)  # as before the course had a public home
PUBLISHED = name_repository(SETUP_CELL, Place("owner/the-course", "main"))
LAST = "import json; print('RESULT', json.dumps([sys.path[0], 'google.colab' in sys.modules]))"

FAKE_GIT = '''
import json, os, sys
arguments = sys.argv[1:]
with open(os.environ["GIT_LOG"], "a") as log:
    log.write(json.dumps(arguments) + "\\n")
branch, url, folder = arguments[arguments.index("-b") + 1], *arguments[-2:]
if os.path.exists(folder):
    sys.exit(f"fatal: destination path '{folder}' already exists and is not an empty directory.")
if [url.removeprefix("https://github.com/"), branch] not in json.loads(os.environ["GIT_KNOWS"]):
    sys.exit("fatal: Remote branch not found in upstream origin")
os.makedirs(os.path.join(folder, "course"))
'''


class Colab:
    """A machine that looks like Colab to the cell; `run` gives exit status, output, first path, and git's calls."""

    def __init__(self, folder):
        self.folder, self.home, self.log = folder, folder / "predict-and-adjust", folder / "git.log"
        self.environment = dict(os.environ)
        self.knows([])
        git = folder / "bin" / "git"
        git.parent.mkdir()
        git.write_text(f"#!{sys.executable}{FAKE_GIT}", encoding="utf-8")
        git.chmod(0o755)
        self.environment |= {"PATH": f"{git.parent}{os.pathsep}{os.environ['PATH']}", "GIT_LOG": str(self.log)}

    def knows(self, places):
        self.environment["GIT_KNOWS"] = json.dumps(places)

    def run(self, cell=PUBLISHED, colab=True):
        self.log.write_text("", encoding="utf-8")
        pretend = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n" if colab else ""
        program = pretend + cell.replace("/content/predict-and-adjust", str(self.home)) + "\n" + LAST
        done = subprocess.run([sys.executable, "-c", program], env=self.environment, cwd=self.folder,
                              capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
        calls = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        clones = [(call[-2].removeprefix("https://github.com/"), call[call.index("-b") + 1]) for call in calls]
        return done, clones

    def found(self, done):
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.split("RESULT")[1])[0] == str(self.home)


@pytest.fixture
def colab(tmp_path):
    return Colab(tmp_path)


@pytest.fixture
def sessions(colab):
    """A function that makes Colab's session list answer with these bytes and this status."""
    servers = []

    def answer(body, status=200):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                right = self.path == "/api/sessions"
                self.send_response(status if right else 404)
                self.end_headers()
                self.wfile.write(body if right else b"")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        colab.environment |= {"COLAB_JUPYTER_IP": "127.0.0.1", "KMP_TARGET_PORT": str(server.server_port)}

    yield answer
    for server in servers:
        server.shutdown()
        server.server_close()


def session_list(path):
    return json.dumps([{"id": "1", "path": path, "name": "03_attention.ipynb", "kernel": {"name": "python3"}}]).encode()


def opened_from(address):
    return session_list("fileId=" + urllib.parse.quote(address, safe=""))


@pytest.mark.parametrize("repository, branch", [("ann/fork", "main"), ("a-b/c.d_e", "topic/new-heads"), ("ann/fork", "v1.0"),
                                                ("ann/fork", "notebooks/draft")])  # fmt: skip
def test_the_repository_it_was_opened_from_comes_first(colab, sessions, repository, branch):
    sessions(opened_from(f"https://github.com/{repository}/blob/{branch}/notebooks/03_attention.ipynb"))
    colab.knows([[repository, branch], ["owner/the-course", "main"]])
    done, clones = colab.run()
    assert colab.found(done)
    assert clones[0] == (repository, branch)
    assert "fatal" not in done.stdout + done.stderr


def test_an_unquoted_path_is_understood_too(colab, sessions):
    sessions(session_list("https://github.com/ann/fork/blob/main/notebooks/03_attention.ipynb"))
    colab.knows([["ann/fork", "main"]])
    done, clones = colab.run(UNPUBLISHED)
    assert colab.found(done) and clones == [("ann/fork", "main")]


SURPRISES = {
    "a Drive id": session_list("fileId=1aBcD_efGhIjK"),
    "no sessions": b"[]",
    "an object": b'{"message": "Forbidden"}',
    "not JSON": b"<html>504</html>",
    "not text": b"\xff\xfe\x00",
    "nothing": b"",
    "another site": opened_from("https://gitlab.com/ann/fork/blob/main/notebooks/03_attention.ipynb"),
    "not our folder": opened_from("https://github.com/ann/fork/blob/main/03_attention.ipynb"),
    "a command": opened_from("https://github.com/ann/fork/blob/main;touch owned/notebooks/03_attention.ipynb"),
    "an option": opened_from("https://github.com/ann/fork$(touch owned)/blob/main/notebooks/03_attention.ipynb"),
}


@pytest.mark.parametrize("body", SURPRISES.values(), ids=SURPRISES)
def test_any_surprise_falls_back_to_the_constant(colab, sessions, body):
    sessions(body)
    colab.knows([["owner/the-course", "main"]])
    done, clones = colab.run()
    assert colab.found(done)
    assert clones == [("owner/the-course", "main")]
    assert not (colab.folder / "owned").exists()


def test_an_error_of_the_session_list_falls_back(colab, sessions):
    sessions(opened_from("https://github.com/ann/fork/blob/main/notebooks/03_attention.ipynb"), status=403)
    colab.knows([["ann/fork", "main"], ["owner/the-course", "main"]])
    done, clones = colab.run()
    assert colab.found(done) and clones == [("owner/the-course", "main")]


def test_no_server_and_no_address_fall_back(colab):
    colab.knows([["owner/the-course", "main"]])
    for address in ({}, {"COLAB_JUPYTER_IP": "127.0.0.1", "KMP_TARGET_PORT": "9"}):  # port 9: nobody listens
        colab.environment |= address
        done, clones = colab.run()
        assert colab.found(done)
        assert clones[:1] == [("owner/the-course", "main")]


def test_a_private_or_vanished_fork_falls_back(colab, sessions):
    sessions(opened_from("https://github.com/ann/gone/blob/main/notebooks/03_attention.ipynb"))
    colab.knows([["owner/the-course", "main"]])
    done, clones = colab.run()
    assert colab.found(done)
    assert clones == [("ann/gone", "main"), ("owner/the-course", "main")]


def test_run_again_it_keeps_what_it_has(colab):
    colab.knows([["owner/the-course", "main"]])
    colab.run()
    (colab.home / "notes.txt").write_text("mine", encoding="utf-8")
    colab.knows([])  # as if the network were gone
    done, _ = colab.run()
    assert colab.found(done)
    assert done.stderr == "" and done.stdout.startswith("RESULT")
    assert (colab.home / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("cell", [UNPUBLISHED, PUBLISHED], ids=["not published", "published"])
def test_without_any_source_it_says_one_sentence(colab, cell):
    done, _ = colab.run(cell)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.strip() == "The course was not found: open this chapter with File > Open notebook > GitHub."


def test_outside_colab_it_does_nothing(colab):
    done, clones = colab.run(colab=False)
    assert done.returncode == 0 and not colab.found(done)
    assert clones == [] and not colab.home.exists()
    loaded = "import sys; before = set(sys.modules)\n" + SETUP_CELL + "\nprint(set(sys.modules) - before)"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_with_real_git_the_clone_is_shallow(colab, sessions):
    origin = colab.folder / "origins" / "ann" / "fork"
    script = f"""
        set -e
        mkdir -p {origin}/course; cd {origin}; git init -q -b main .
        git config user.name test; git config user.email test@localhost
        echo old > course/__init__.py; git add .; git commit -qm one
        git switch -qc topic/x; echo new > course/__init__.py; git commit -qam two
    """
    colab.environment["PATH"] = os.environ["PATH"]
    subprocess.run(["sh", "-c", textwrap.dedent(script)], check=True, env=colab.environment)
    # git itself turns the address into that of the local repository
    colab.environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{colab.folder}/origins/.insteadOf",
                          "GIT_CONFIG_VALUE_0": "https://github.com/"}  # fmt: skip
    sessions(opened_from("https://github.com/ann/fork/blob/topic/x/notebooks/03_attention.ipynb"))
    done, _ = colab.run(UNPUBLISHED)
    assert colab.found(done)
    assert (colab.home / "course" / "__init__.py").read_text(encoding="utf-8") == "new\n"
    count = subprocess.run(["git", "-C", str(colab.home), "rev-list", "--count", "HEAD"], capture_output=True, text=True)
    assert count.stdout.strip() == "1"


def test_it_is_short_enough_to_read():
    lines = SETUP_CELL.splitlines()
    assert len(lines) <= 12 and max(map(len, lines)) <= 120
