"""Run a command without any network but the loopback that kernels need, where the system allows it."""

import functools
import subprocess
import sys

# Inside a new network namespace even the loopback is down; `ip` is not installed everywhere, so Python raises it.
LOOPBACK = """
import fcntl, os, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 1 | 64))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
os.execvp(sys.argv[1], sys.argv[1:])
"""


def offline(*command: str) -> list[str]:
    """The command that runs `command` without a network."""
    return ["unshare", "-rn", sys.executable, "-c", LOOPBACK, *command]


@functools.cache
def why_not() -> str:
    """Why no command can be run without a network here; "" where it can."""
    if sys.platform != "linux":
        return "network namespaces are a feature of Linux"
    try:
        done = subprocess.run(offline(sys.executable, "-c", "print(1)"), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "there is no unshare command"
    return "" if done.returncode == 0 else f"unshare is not allowed: {done.stderr.strip()}"
