"""A real JupyterLab in a real browser, driven from Python: for the browser tests and the latency bench.

    with Lab() as lab:                                     # a server of its own, private settings, free port
        with lab.browser() as browser:                     # headless Chromium that can reach 127.0.0.1 only
            notebook = browser.open(["1 + 1", "2 / 0"])    # code cells, or the path of an .ipynb (a copy is opened)
            notebook.run_all()
            notebook.errors()                              # ["cell 1 raised ZeroDivisionError: division by zero"]
            notebook.python("1 + 1")                       # 2, evaluated in the notebook's kernel
            notebook.close()                               # ends the kernel and removes the copy

Needs the packages jupyterlab and playwright, and a Chromium; `missing()` says in one sentence what is not there.
The browser of the machine is used (COURSE_CHROMIUM names another one); nothing is downloaded.
"""

import ast
import contextlib
import importlib.util
import itertools
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    # Only this machine may be asked for anything.  Done here and not by routing requests, which switches the HTTP
    # cache off and makes every page cost eight seconds.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
PRIVATE_FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
    "COURSE_HOME",
)
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none", "scrollPastEnd": False},
}


def chromium() -> str | None:
    """The path of a Chromium or Chrome on this machine, or None."""
    named = os.environ.get("COURSE_CHROMIUM")
    return named or next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), None)


def missing() -> str:
    """One sentence on what is not there to drive JupyterLab; "" where all is there."""
    for package in ("jupyterlab", "playwright"):
        if importlib.util.find_spec(package) is None:
            return f"the package {package} is not installed (pip install -r requirements-test.txt)"
    if chromium() is None:
        return "there is no Chromium (Debian: apt install chromium; or set COURSE_CHROMIUM to a browser's path)"
    return ""


class Lab:
    """A JupyterLab server in a scratch folder; a context manager, started on entering and removed on leaving.

    python: the interpreter whose JupyterLab (3.6 or newer) is started; the kernels run in its environment too.
    """

    def __init__(self, python: str | Path = sys.executable):
        self.python = str(python)

    def __enter__(self) -> "Lab":
        self.scratch = Path(tempfile.mkdtemp(prefix="lab-"))
        self.notebooks = self.scratch / "notebooks"
        self.notebooks.mkdir()
        self.token = secrets.token_hex(8)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        for plugin, value in SETTINGS.items():
            file = self.scratch / "jupyterlab_settings_dir" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(value))
        self._start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.request("POST", "api/shutdown")  # ends the kernels too, on every system
        try:
            self.server.wait(10)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _start(self):
        folders = {name: str(self.scratch / name.lower()) for name in PRIVATE_FOLDERS}
        folders["JUPYTER_PATH"] = ""  # it would come first, with another environment's kernel and widgets
        options = [
            "--no-browser",
            "--ip=127.0.0.1",
            f"--port={self.port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.notebooks}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        ]
        if getattr(os, "geteuid", lambda: 1)() == 0:
            options.append("--allow-root")
        log = self.scratch / "server.log"
        with log.open("w") as output:
            self.server = subprocess.Popen(
                [self.python, "-m", "jupyterlab", *options],
                env=os.environ | folders,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C ends the tests, which then end the server in good order
            )
        for _ in range(240):
            with contextlib.suppress(OSError):
                self.request("GET", "api/status")
                return
            if self.server.poll() is not None:
                break
            time.sleep(0.25)
        raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")

    def request(self, method: str, path: str):
        """Asks the server's own interface, e.g. `request("GET", "api/sessions")`; the decoded JSON or None."""
        call = urllib.request.Request(f"{self.base}/{path}", method=method)
        call.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(call, timeout=10) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    @contextlib.contextmanager
    def browser(self):
        """A headless Chromium for this server.  While it is open, asyncio.run cannot be used in this thread."""
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            program = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
            try:
                yield Browser(self, program)
            finally:
                program.close()


class Browser:
    """Opens notebooks of one `Lab`; pages share a cache, so only the first one is slow (about 5 s, then 2 s)."""

    def __init__(self, lab: Lab, program):
        self.lab, self.program, self.contexts = lab, program, {}
        self.count = itertools.count(1)

    def context(self, touch: bool, reduced_motion: bool):
        key = touch, reduced_motion
        if key not in self.contexts:
            motion = "reduce" if reduced_motion else "no-preference"
            self.contexts[key] = self.program.new_context(has_touch=touch, reduced_motion=motion)
        return self.contexts[key]

    def open(self, cells, width=1280, height=1000, touch=False, reduced_motion=False) -> "NotebookPage":
        """Opens a fresh copy of a notebook and waits for its kernel.

        cells: a list of code cells, or the path of an .ipynb file.  Runs nothing yet: see `NotebookPage.run_all`.
        touch=True gives a page with a touch screen.  Raises playwright's TimeoutError after 90 seconds.
        """
        name = f"test-{next(self.count)}.ipynb" if not isinstance(cells, (str, Path)) else Path(cells).name
        file = self.lab.notebooks / f"{secrets.token_hex(3)}-{name}"
        file.write_text(json.dumps(_notebook(cells)), encoding="utf-8")
        page = self.context(touch, reduced_motion).new_page()
        page.set_viewport_size({"width": width, "height": height})
        return NotebookPage(self.lab, page, file)


def _notebook(cells) -> dict:
    """The notebook to open as JSON: read from a path, or made of code cells."""
    if isinstance(cells, (str, Path)):
        content = json.loads(Path(cells).read_text(encoding="utf-8"))
    else:
        blank = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
        content["cells"] = [blank | {"id": f"cell-{i}", "source": source} for i, source in enumerate(cells)]
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content["metadata"]["kernelspec"] = python
    return content


KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
KERNEL_READY = f"""() => {{
    const panel = window.jupyterapp?.shell?.currentWidget;
    const kernel = panel?.sessionContext?.session?.kernel;
    return panel?.content?.widgets?.length && kernel?.connectionStatus === "connected" && kernel.status === "idle";
}}"""
RUN_ALL = """() => {
    window.__ran = false;
    window.jupyterapp.commands.execute("notebook:run-all-cells").then(() => { window.__ran = true });
}"""
ALL_RAN = f"""() => window.__ran && {KERNEL}.status === "idle" &&
    window.jupyterapp.shell.currentWidget.content.widgets.every(cell => cell.model.type !== "code" ||
        !cell.model.sharedModel.getSource().trim() || cell.model.executionCount)"""
RAISED = """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap((cell, i) => cell.model.type !== "code" ? []
    : cell.model.outputs.toJSON().filter(output => output.output_type === "error")
          .map(output => `cell ${i} raised ${output.ename}: ${output.evalue}`))"""
EVALUATE = f"""async code => {{
    const future = {KERNEL}.requestExecute(
        {{code, silent: true, store_history: false, user_expressions: {{value: "__lab_value"}}}});
    return (await future.done).content;
}}"""
# Everything but the notebook folds away, so that the notebook has the width of the window.
ONLY_THE_NOTEBOOK = """async () => {
    const commands = window.jupyterapp.commands;
    if (!document.querySelector("#jp-left-stack.lm-mod-hidden")) await commands.execute("application:toggle-left-area");
    if (document.querySelector("#jp-main-statusbar:not(.lm-mod-hidden)")) await commands.execute("statusbar:toggle");
}"""


class NotebookPage:
    """One notebook open in JupyterLab.

    page              playwright's page, for mouse, keyboard, touchscreen and locators
    console_errors    texts the browser's console got as errors, and uncaught exceptions
    outside_requests  addresses asked for that are not this server (all refused)
    """

    def __init__(self, lab: Lab, page, file: Path):
        self.lab, self.page, self.file = lab, page, file
        self.console_errors: list[str] = []
        self.outside_requests: list[str] = []
        page.on("console", lambda m: self.console_errors.append(m.text[:500]) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.console_errors.append(f"uncaught: {str(error)[:500]}"))
        page.on("request", lambda request: self._note(request.url))
        page.on("websocket", lambda socket: self._note(socket.url))
        page.goto(f"{lab.base}/lab/tree/{file.name}?token={lab.token}&reset", wait_until="domcontentloaded")
        page.wait_for_function(KERNEL_READY, timeout=90_000)
        page.evaluate(ONLY_THE_NOTEBOOK)

    def _note(self, address: str):
        own = re.match(rf"(https?|wss?)://127\.0\.0\.1:{self.lab.port}/", address)
        if not own and re.match(r"(https?|wss?|ftp):", address):
            self.outside_requests.append(address[:300])

    def run_all(self, timeout: float = 120):
        """Runs all cells from top to bottom and waits until the kernel is idle.  A cell that raises ends the run."""
        self.page.evaluate(RUN_ALL)
        self.page.wait_for_function(f"() => ({ALL_RAN})() || (window.__ran && ({RAISED})().length)", timeout=timeout * 1000)
        self.wait_idle()

    def wait_idle(self, timeout: float = 60):
        """Waits until the kernel has nothing to do and the page has painted twice."""
        self.page.wait_for_function(KERNEL_READY, timeout=timeout * 1000)
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def errors(self) -> list[str]:
        """Cells that raised, one sentence each."""
        return self.page.evaluate(RAISED)

    def no_faults(self):
        """Asserts: no cell raised, the console had no error, nothing was asked of another machine."""
        assert not self.errors(), self.errors()
        assert not self.console_errors, self.console_errors
        assert not self.outside_requests, self.outside_requests

    def python(self, expression: str):
        """The value of an expression in the notebook's kernel, as JSON gives it (arrays as nested lists).

        Changes neither history nor execution count.  Raises RuntimeError with the kernel's exception.
        """
        as_json = f"__import__('json').dumps({expression}, default=lambda array: array.tolist())"
        return json.loads(ast.literal_eval(self._evaluate(f"__lab_value = {as_json}")))

    def execute(self, statements: str):
        """Runs statements in the notebook's kernel, outside its cells."""
        self._evaluate(f"{statements}\n__lab_value = None")

    def _evaluate(self, code: str) -> str:
        reply = self.page.evaluate(EVALUATE, code)
        if reply["status"] != "ok":
            raise RuntimeError(f"{reply.get('ename')}: {reply.get('evalue')}")
        return reply["user_expressions"]["value"]["data"]["text/plain"]

    def explorer(self, index: int = 0):
        """Locator of the index-th explorer's root element, once it has been drawn and scrolled into view."""
        root = self.page.locator("[data-revision]").nth(index)
        root.wait_for(state="visible", timeout=30_000)
        root.scroll_into_view_if_needed()
        return root

    @contextlib.contextmanager
    def repaint(self, root, timeout: float = 10):
        """`with notebook.repaint(root): <action>` returns after the explorer has painted what the action changed."""
        before = int(root.get_attribute("data-revision"))
        yield
        self.page.wait_for_function(
            "([root, before]) => Number(root.dataset.revision) > before", arg=[root.element_handle(), before],
            timeout=timeout * 1000)

    def set_theme(self, theme: str):
        """Switches JupyterLab to "light" or "dark" and waits until its colours are in."""
        name = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[theme]
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
        self.page.wait_for_timeout(300)  # the style sheet's colours fade in

    def set_size(self, width: int, height: int):
        """Resizes the window; the page has settled on return."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_timeout(200)

    def cells(self) -> list[list[str]]:
        """[id, type] of each cell: what stray keys must leave alone.  (In command mode `d d` and `x` take a cell away and
        `a` and `b` put one in, so that their number alone proves nothing.)"""
        return self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.map(c => [c.model.id, c.model.type])")

    def cell_count(self) -> int:
        """Cells the notebook has now (a stray `d d` in command mode deletes one)."""
        return self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")

    def screenshot(self, path: Path, of=None) -> Path:
        """Writes a PNG of the window, or of one locator; returns its path."""
        path.parent.mkdir(parents=True, exist_ok=True)
        (of or self.page).screenshot(path=str(path))
        return path

    def close(self):
        """Ends the kernel, closes the page, removes the copy of the notebook."""
        self.page.close(run_before_unload=False)
        for session in self.lab.request("GET", "api/sessions"):
            if session["path"] == self.file.name:
                self.lab.request("DELETE", f"api/sessions/{session['id']}")
        self.file.unlink(missing_ok=True)
