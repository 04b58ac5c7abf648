"""A stand-in for Google Colab: a second environment with the packages that Colab has around a notebook.

    python = make()        # the interpreter of .colab/, which is made on the first call (15 seconds) and kept
    with Lab(python) as lab: …

Only what differs is installed there (requirements-colab.txt).  The rest, torch and the course among it, is seen in the
environment that runs the tests: its folder comes last on the path, behind the stand-in's own packages.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".colab"
REQUIREMENTS = ROOT / "requirements-colab.txt"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
INSTALL = ["install", "--no-input", "--quiet", "--no-deps", "--retries", "1", "--timeout", "15"]


class NotMade(Exception):
    """The stand-in could not be made; the message says why in one sentence."""


def pinned() -> dict[str, str]:
    """{package: version} of requirements-colab.txt."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def make(folder: Path = FOLDER) -> Path:
    """The interpreter of the stand-in.  What is in place already is left alone.  Raises NotMade."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, wanted = folder / "installed.txt", _digest(folder)
    if not (python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        _run("making the environment", [sys.executable, "-m", "venv", "--without-pip", str(folder)])
        _run("installing requirements-colab.txt", [*PIP, "--python", str(python), *INSTALL, "-r", str(REQUIREMENTS)])
        _put_behind(python)
        stamp.write_text(wanted, encoding="utf-8")  # last: what was cut off is made again
    return python


def _digest(folder: Path) -> str:
    """What the stand-in should hold: a hash of the versions, of the interpreter, and of where all of it lies."""
    parts = [os.fsencode(path) for path in (folder, ROOT, sys.prefix, Path(sys.executable).resolve())]
    return hashlib.sha256(b"\0".join([*parts, REQUIREMENTS.read_bytes()])).hexdigest()


def _put_behind(python: Path):
    """Lets the stand-in see the packages of this environment, and the course, behind its own."""
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(_run("asking for its folder", [str(python), "-c", where]))
    behind = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(ROOT)])
    (own / "behind.pth").write_text("\n".join(behind) + "\n", encoding="utf-8")


def _run(step: str, command: list[str]) -> str:
    """What the command printed, without the white space around it."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").rpartition("\n")[2]
        raise NotMade(f"Colab's stand-in could not be made ({step}: {reason})")
    return done.stdout.strip()
