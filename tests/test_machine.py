"""What start.py says of a machine: each trouble is one sentence that tells what to type."""

import errno
import os
import re
import socket
import string
import sys

import pytest

from course import machine
from course.sentences import table

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
MINT = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n'
ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\n'
PYTHON = f"python3.{sys.version_info[1]}"


@pytest.mark.parametrize("said, name", [
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "full"),
    ("OSError: [WinError 112] There is not enough space on the disk", "full"),
    ("WARNING: Retrying after connection broken by 'ReadTimeoutError(\"timed out\")'\nOSError: [Errno 122] Disk quota exceeded", "full"),
    ("error: [Errno 30] Read-only file system: '.venv'", "read_only"),
    ("PermissionError: [WinError 5] Access is denied: 'C:\\\\course\\\\.venv'", "read_only"),
    ("HINT: This error might have occurred since this system does not have Windows Long Path support enabled.", "long_path"),
    ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))", "certificate"),
    ("NewConnectionError(': Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')", "network"),
    ("[Errno 11001] getaddrinfo failed\nERROR: No matching distribution found for torch==2.13.0", "network"),
    ("ReadTimeoutError: HTTPSConnectionPool(host='x', port=443): Read timed out.", "network"),
    ("ConnectTimeoutError(<HTTPSConnection>, 'Connection to x timed out. (connect timeout=15)')", "network"),
    ("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 403 Forbidden'))", "network"),
    ("ERROR: No matching distribution found for torch==2.13.0", "no_build"),
    ("error: something else\n", "unknown"),
])
def test_pips_words_are_recognised(said, name):
    found, values = machine.recognise(said)
    assert found == name
    sentence = machine.cause(found, **values)
    assert "{" not in sentence
    assert "\n" not in sentence
    assert {"no_build": "no build of torch==2.13.0 for", "unknown": "something else"}.get(name, "") in sentence


def test_a_sentence_names_the_log_only_where_there_is_one(tmp_path):
    log = tmp_path / "install.log"
    assert "install.log" not in machine.cause("full", log)
    log.write_text("pip's words")
    assert f"(all that pip said is in {log})" in machine.cause("full", log)


@pytest.mark.parametrize("number, begins", [
    (errno.ENOSPC, "The disk is full"), (errno.EDQUOT, "The disk is full"), (errno.EROFS, "Nothing can be written to /a/file"),
    (errno.EACCES, "Nothing can be written to /a/file"), (errno.EIO, "The system refused: [Errno 5]"),
])
def test_errors_of_the_system_become_sentences(number, begins):
    assert machine.explain(OSError(number, os.strerror(number), "/a/file")).startswith(begins)


def test_every_sentence_can_be_filled_in():
    """Each place in braces is one that the code fills; there is none that a learner would see empty."""
    code = "".join((machine.ROOT / name).read_text(encoding="utf-8") for name in ("start.py", "course/machine.py", "course/workbook.py"))
    for group in table("start").values():
        for sentence in group.values():
            for _, place, _, _ in string.Formatter().parse(sentence):
                assert place is None or re.search(rf'\b{place}=|"{place}":|\?P<{place}>', code), place


@pytest.mark.parametrize("files, programs, expected", [
    ([], [], False), ([], ["nvidia-smi"], True), (["/usr/lib/wsl/lib/nvidia-smi"], [], True),
    (["/proc/driver/nvidia/version"], [], True), (["/usr/lib/wsl/lib/libdxcore.so"], ["rocm-smi"], False),
])
def test_an_nvidia_driver_is_found_on_the_path_in_the_kernel_and_where_wsl_keeps_it(files, programs, expected):
    found = machine.has_nvidia_driver(exists=files.__contains__, which=lambda name: name if name in programs else None)
    assert found is expected


@pytest.mark.parametrize("system, processor, rosetta, expected", [
    ("Darwin", "arm64", False, None), ("Linux", "x86_64", False, None), ("Windows", "AMD64", False, None),
    ("Darwin", "x86_64", False, "Google Colab"), ("Darwin", "x86_64", True, "Python 3.13 for Apple silicon"),
])
def test_an_intel_mac_is_told_the_way_out(system, processor, rosetta, expected):
    if expected is None:
        machine.check_mac(system, processor, lambda: rosetta)
    else:
        with pytest.raises(machine.Stop, match=expected):
            machine.check_mac(system, processor, lambda: rosetta)


@pytest.mark.parametrize("release, root, line", [
    (DEBIAN, True, f"apt-get update && apt-get install -y {PYTHON}-venv"),
    (MINT, False, f"sudo apt-get update && sudo apt-get install -y {PYTHON}-venv"),
    (ROCKY, False, f"sudo dnf install -y {PYTHON}"),
    ("ID=arch\n", False, None), ("", True, None),
])
def test_the_line_that_installs_venv(release, root, line):
    assert machine.venv_line(release, root) == line


@pytest.mark.parametrize("container, allowed, stops", [(False, False, True), (True, False, False), (False, True, False)])
def test_sudo_is_turned_down_outside_a_container(monkeypatch, container, allowed, stops):
    monkeypatch.setenv("SUDO_UID", "1000")
    monkeypatch.setattr(machine.os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "in_container", lambda: container)
    if stops:
        with pytest.raises(machine.Stop, match="without sudo"):
            machine.check_sudo(allowed)
    else:
        machine.check_sudo(allowed)


@pytest.mark.parametrize("ip", [None, "127.0.0.1", "0.0.0.0", "*"])
def test_a_port_in_use_is_seen_and_a_free_one_passes(ip):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(machine.Stop, match=rf"^Port {port} is in use: type `.*start.py --port {port % 65535 + 1}`"):
            machine.check_port(ip, port)
    machine.check_port(ip, port)


@pytest.mark.parametrize("ip", ["192.0.2.7", "no.such.name.invalid"])
def test_an_address_of_another_machine_is_turned_down(ip):
    with pytest.raises(machine.Stop, match=f"^{ip} is no address of this machine"):
        machine.check_port(ip, 8888)
