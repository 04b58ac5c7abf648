"""What start.py must know of a machine before it installs anything, and what went wrong, in one sentence.

Standard library only.  The sentences themselves are in course/sentences/*/start.toml.
"""

import contextlib
import errno
import importlib.util
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from course import sentences

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "py start.py" if os.name == "nt" else f"{Path(sys.executable).name} start.py"  # what the learner types
NEEDED_GB = {"small": 3, "large": 9}  # free disk for an installation without and with CUDA, pip's downloads included


class Stop(Exception):
    """One plain sentence that ends the program."""


def text(table, name, /, **values):
    """A sentence of course/sentences/*/start.toml with its places filled in."""
    return sentences.table("start")[table][name].format(**{"command": COMMAND, **values})


def say(table, name, /, **values):
    """Print a sentence at once."""
    print(text(table, name, **values), flush=True)


# ---- What went wrong, in one sentence --------------------------------------------------------------------------------

CAUSES = {  # what pip says; the first that fits counts, since a full disk brings other troubles with it
    "full": r"No space left|not enough space|Disk quota|Errno 28\b|WinError 112",
    "read_only": r"Read-only file system|Permission denied|Access is denied|Errno 13\b|Errno 30\b",
    "long_path": r"Long Path support",
    "certificate": r"CERTIFICATE_VERIFY_FAILED|SSLError",
    "network": r"NameResolution|name resolution|getaddrinfo|nodename nor servname|establish a new connection|timed out"
               r"|No route to host|Network is unreachable|Connection (refused|reset|aborted)|Connect ?[Tt]imeout|ProxyError",
    "no_build": r"No matching distribution found for (?P<package>[^\s(]+)",
}


def recognise(output):
    """(name, values) of the cause in what venv or pip said."""
    for name, pattern in CAUSES.items():
        match = re.search(pattern, output)
        if match:
            return name, match.groupdict()
    return "unknown", {"last": output.strip().rpartition("\n")[2].rstrip(".")}


def cause(name, log=None, /, **values):
    """The sentence for a cause; `log` is the file that holds all that pip said."""
    log = text("causes", "log", path=log) if log and log.exists() else ""
    return text("causes", name, **{"log": log, "where": ROOT, "gb": NEEDED_GB["small"], "machine": platform.platform(),
                                   "python": platform.python_version(), **values})


def explain(error):
    """The sentence for an OSError of this program's own."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)) or getattr(error, "winerror", None) == 112:
        return cause("full")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return cause("read_only", where=error.filename or ROOT)
    return text("machine", "other", error=error)


# ---- What this machine is like ---------------------------------------------------------------------------------------

def has_nvidia_driver(exists=os.path.exists, which=shutil.which):
    """Whether CUDA could be of use; WSL keeps nvidia-smi off the PATH."""
    return bool(which("nvidia-smi")) or exists("/usr/lib/wsl/lib/nvidia-smi") or exists("/proc/driver/nvidia/version")


def in_container():
    """Whether Docker, Podman or the like runs us."""
    return "container" in os.environ or os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv")


def is_rosetta():
    """Whether an Intel Python runs on an Apple processor, which makes that look like an Intel Mac."""
    asked = subprocess.run(["sysctl", "-n", "sysctl.proc_translated"], capture_output=True, check=False)
    return asked.stdout.strip() == b"1"


def check_mac(system, machine, rosetta=is_rosetta):
    """Raise Stop where the processor or Python is one that PyTorch has left behind."""
    if (system, machine) == ("Darwin", "x86_64"):
        raise Stop(text("machine", "rosetta" if rosetta() else "intel_mac"))


def check_sudo(allow_root):
    """In a container everyone is root; on a learner's machine sudo would leave files they cannot change."""
    if "SUDO_UID" in os.environ and os.geteuid() == 0 and not allow_root and not in_container():
        raise Stop(text("machine", "sudo"))


def venv_line(release, root):
    """The line that installs venv and ensurepip, or None.  release: the text of /etc/os-release."""
    family = " ".join(re.findall(r'^ID(?:_LIKE)?="?([^"\n]*)', release, re.MULTILINE))
    sudo, python = "" if root else "sudo ", f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if "debian" in family or "ubuntu" in family:
        return f"{sudo}apt-get update && {sudo}apt-get install -y {python}-venv"
    return f"{sudo}dnf install -y {python}" if "fedora" in family or "rhel" in family else None


def check_venv_module():
    """Raise Stop where the system's Python came without venv or ensurepip, as Debian's does."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    release = Path("/etc/os-release")
    line = venv_line(release.read_text(encoding="utf-8") if release.exists() else "", os.name == "posix" and not os.geteuid())
    minor = "{}.{}".format(*sys.version_info)
    raise Stop(text("machine", "no_venv" if line else "no_venv_unknown", line=line, minor=minor))


def check_writable():
    """Meet a read-only or full disk now, and not half-way."""
    probe = ROOT / ".start-probe"
    try:
        probe.write_bytes(bytes(65536))
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


def check_space(size):
    """Raise Stop where the disk has no room for an installation of this size."""
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDED_GB[size]:
        raise Stop(text("machine", "space", gb=NEEDED_GB[size], free=free, where=ROOT))


def check_port(ip, port):
    """Raise Stop if JupyterLab could not listen at the address asked for."""
    try:
        addresses = socket.getaddrinfo("0.0.0.0" if ip == "*" else ip or "localhost", port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise Stop(text("machine", "no_address", ip=ip)) from None
    for family, kind, protocol, _, address in addresses:
        try:
            with socket.socket(family, kind, protocol) as attempt:
                if os.name == "posix":
                    attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                attempt.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Stop(text("machine", "port_used", port=port, other=port % 65535 + 1)) from None
            if error.errno == errno.EACCES:
                raise Stop(text("machine", "port_kept", port=port)) from None
            if ip:  # for the default, localhost, one of ::1 and 127.0.0.1 may be missing
                raise Stop(text("machine", "no_address", ip=ip)) from None
