"""A course in miniature for the tests of start.py: its real files, tiny wheels for its packages, an index to get them from.

Real Python, real venv and real pip, but nothing is downloaded and an installation takes seconds.
"""

import contextlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ["start.py", "tests/run.py", "course/machine.py", "course/workbook.py",
         "course/sentences/__init__.py", "course/sentences/en/start.toml"]
JUPYTERLAB = """
import json, os, signal, sys, time
told = {"arguments": sys.argv[1:], "python": sys.executable, "folder": os.getcwd(), "environment": dict(os.environ)}
print("JUPYTERLAB " + json.dumps(told), flush=True)
if os.environ.get("STAY"):
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    time.sleep(60)
"""
PYTEST = """
import os, sys
report = [word.partition("=")[2] for word in sys.argv if word.startswith("--junit-xml=")][0]
open(report, "w").write("<testsuites><testsuite><testcase name='one'/></testsuite></testsuites>")
print("PYTEST", os.environ["COURSE_QUICK"], os.environ["COURSE_HOME"], *sys.argv[1:], flush=True)
"""
TORCH = "import os\nwith open(os.environ['COURSE_TEST_IMPORTS'], 'a') as file:\n    file.write('torch\\n')\n"
LIBRARY = ("library-around-the-model>=2",)  # it is nowhere to be had, so asking for it would fail
CUDA = ("nvidia-cudnn-cu13==9.20.0.48; platform_system == 'Linux'",)


def wheel(folder, name, version, modules=None, requires=()):
    """Write NAME-VERSION-py3-none-any.whl into `folder`; modules: {path: text or bytes}."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"] + [f"Requires-Dist: {need}\n" for need in requires]
    files = {**(modules or {f"{name}/__init__.py": ""}), f"{info}/METADATA": "".join(metadata),
             f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in files.items():
            archive.writestr(place, content)
        archive.writestr(f"{info}/RECORD", "".join(f"{place},,\n" for place in [*files, f"{info}/RECORD"]))
    return path


def wheels(folder, torch=True):
    """All that the little course needs, the CPU build of torch included or not."""
    wheel(folder, "jupyterlab", "1.0", {"jupyterlab/__init__.py": "", "jupyterlab/__main__.py": JUPYTERLAB,
                                        "jupyterlab/pages.html": "all of it"})
    wheel(folder, "matplotlib", "1.0")
    wheel(folder, "pytest", "1.0", {"pytest/__init__.py": "", "pytest/__main__.py": PYTEST})
    wheel(folder, "platformdirs", "1.0")
    wheel(folder, "little_model", "1.0", {"little_model/__init__.py": "1 / 0", "little_model/model/weights": "90 MB"}, LIBRARY)
    if torch:
        wheel(folder, "torch", "9.9.0+cpu", {"torch/__init__.py": TORCH})


def notebook(*sources, tags=()):
    """A notebook with these code cells, each with an output, as a dict."""
    output = {"output_type": "stream", "name": "stdout", "text": ["the answer\n"]}
    return {"cells": [{"cell_type": "code", "id": f"cell-{number}", "metadata": {"tags": list(tags)}, "source": source,
                       "execution_count": 1, "outputs": [output]} for number, source in enumerate(sources)],
            "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


class LittleCourse:
    """One checkout at `root`; `start` runs its start.py."""

    def __init__(self, root: Path, **environment: str):
        self.root, self.imports = root, root.parent / f"{root.name}-imports"
        for name in FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        (root / "course/__init__.py").write_text("")
        (root / "pyproject.toml").write_text("")
        (root / "requirements.txt").write_text("torch==9.9.0\nmatplotlib==1.0\njupyterlab==1.0\n")
        (root / "requirements-test.txt").write_text("pytest==1.0\n")
        (root / "requirements-models.txt").write_text("little-model==1.0\n")
        self.write_chapter("print(1)")
        hidden = ("PIP_", "PYTHON", "PYTEST_", "JUPYTER", "COURSE_", "SUDO_", "VIRTUAL_ENV")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        self.environment |= {"PIP_CONFIG_FILE": os.devnull, "COURSE_TEST_IMPORTS": str(self.imports), **environment}

    def write_chapter(self, *sources):
        (self.root / "notebooks").mkdir(exist_ok=True)
        (self.root / "notebooks/03_attention.ipynb").write_text(json.dumps(notebook(*sources)))

    def edit(self, name, old, new):
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")

    def open(self, *words, python=sys.executable, before=(), **environment):
        """Start start.py in a process group of its own, as a terminal does, and do not wait for it."""
        return subprocess.Popen(
            [*before, python, str(self.root / "start.py"), *words], env={**self.environment, **environment}, text=True,
            cwd=self.root.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))

    def start(self, *words, **how):
        """Run start.py to its end.  Returns (exit code, what it said, what it said on stderr)."""
        with self.open(*words, **how) as process:
            try:
                out, err = process.communicate(timeout=250)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return process.returncode, out, err

    @property
    def site(self):
        return next((self.root / ".venv").glob("lib/python3*/site-packages"))

    @property
    def log(self):
        return (self.root / ".venv/install.log").read_text(encoding="utf-8")


def jupyterlab(out):
    """What the little JupyterLab says it was started with."""
    return json.loads(next(line for line in out.splitlines() if line.startswith("JUPYTERLAB ")).partition(" ")[2])


def unshared(flag):
    """The words that run a command with mounts (-m) or a network (-n) of its own, or None where that is not allowed."""
    for words in (["unshare", "-r", flag, "--"], ["unshare", flag, "--"]):  # as anyone; as root, inside a chroot too
        if shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True).returncode == 0:
            return words
    return None


class Index(http.server.ThreadingHTTPServer):
    """Package indexes on this machine: `address/FOLDER/` serves the wheels of a folder.

    `asked` lists the wheels that were fetched; while `gate` is cleared, each fetch waits in `waiting`.
    """

    daemon_threads = True

    def __init__(self, **folders: Path):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folders, self.asked, self.gate, self.waiting = folders, [], threading.Event(), threading.Event()
        self.gate.set()

    def address(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}/"

    def handle_error(self, *_):
        """A client that was killed is no error here."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        index, name, *rest = self.path.strip("/").split("/")
        folder = self.server.folders[index]
        if name.endswith(".whl"):
            return self.send_wheel(folder, name.replace("%2B", "+"))
        files = sorted(folder.glob(f"{name.replace('-', '_')}-*.whl"))
        links = "".join(f'<a href="/{index}/{file.name}">{file.name}</a>' for file in files)
        self.answer(200 if links else 404, "text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode())

    def send_wheel(self, folder, name):
        self.server.asked.append(name)
        self.server.waiting.set()
        self.server.gate.wait(60)
        self.answer(200, "application/octet-stream", (folder / name).read_bytes())

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(**folders):
    """A running Index."""
    index = Index(**folders)
    threading.Thread(target=index.serve_forever, daemon=True).start()
    try:
        yield index
    finally:
        index.gate.set()
        index.shutdown()
        index.server_close()
