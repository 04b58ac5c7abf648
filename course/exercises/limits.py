"""A limit on the time that foreign code may take, which leaves no stuck kernel behind.

On the main thread of Linux and macOS an interval timer interrupts the code; anywhere else (Windows, a thread of its
own) a watchdog thread asks Python to raise in the thread that runs too long.  Both repeat.  Code that catches the first
interrupt and goes on is then met at each of its own lines, so that it can't catch them all.

What Python can't interrupt ends when it ends, and is reported then: a single call of C code, such as a giant matrix
product, and, with the watchdog, a `time.sleep`.
"""

import ctypes
import signal
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

REPEAT = 0.05  # seconds between interrupts, once the time is up
ROOM = 200  # frames beyond the recursion limit for what an interrupt does

_here = threading.local()  # .limit: the innermost limit of this thread


class TimeIsUp(BaseException):
    """Raised inside the code that runs too long.  No Exception, so that `except Exception` does not catch it."""

    def __init__(self):
        self.limit = getattr(_here, "limit", None)
        if self.limit is not None:
            self.limit.interrupted(sys._getframe())

    def __del__(self):
        if self.limit is not None:  # somebody caught it, and goes on
            self.limit.insist(sys._getframe())


class Limit:
    """Seconds for some calls together.

        with Limit(3.0) as limit:
            value = limit.call(function, arguments)     # raises TimeIsUp, inside `function` and to the caller

    `up` says afterwards whether a call was interrupted, for what it made of the interrupt may be anything.  Somebody
    else's alarm, tracing and the recursion limit are as before at the end; an alarm that was due meanwhile rings then.
    """

    def __init__(self, seconds: float):
        self.up = False
        self._seconds = max(seconds, 1e-3)
        self._inside: FrameType | None = None  # the frame that has called the function; None between calls
        self._interrupts = 0
        self._lock = threading.Lock()  # held by the watchdog while it interrupts

    def call(self, function: Callable, arguments: tuple):
        """The value of `function(*arguments)`.  Raises what that raises, and TimeIsUp."""
        if time.monotonic() >= self._deadline:
            self.up = True
            raise TimeIsUp
        self._inside = sys._getframe()
        try:
            return function(*arguments)
        finally:
            self._inside = None  # from here on nobody interrupts …
            with self._lock:  # … and what the watchdog has asked for before is raised here, never later
                pass

    def __enter__(self):
        self._thread, self._outer = threading.get_ident(), getattr(_here, "limit", None)
        self._settings = sys.gettrace(), sys.getprofile(), sys.getrecursionlimit()
        self._deadline = time.monotonic() + self._seconds
        self._stop = _start_timer(self) if _has_timer() else _start_watchdog(self)
        _here.limit = self
        return self

    def __exit__(self, *_):
        self._inside = None
        self._stop()
        _here.limit = self._outer
        now = sys.gettrace(), sys.getprofile(), sys.getrecursionlimit()
        for put_back, before, after in zip((sys.settrace, sys.setprofile, sys.setrecursionlimit), self._settings, now):
            if after != before:
                put_back(before)

    def expire(self) -> None:
        """An interrupt is on its way.  It needs a few frames, also where the code has recursed as deep as it may."""
        self.up = True
        sys.setrecursionlimit(sys.getrecursionlimit() + ROOM)

    # ── code that does not let itself be interrupted ────────────────────────────────────────────────────────

    def interrupted(self, frame: FrameType) -> None:
        """The first interrupt is left to run its course through `finally` and `with`; after it there is no mercy."""
        self._interrupts += 1
        if self._interrupts > 1:
            self.insist(frame)

    def insist(self, frame: FrameType | None) -> None:
        """Raise at the next line of the interrupted code.  Lines of libraries are spared: they may be tidying up."""
        if self._inside is None or self._thread != threading.get_ident():
            return
        sys.settrace(self._raise_at_a_line)
        sys.setprofile(self._insist_again)
        while frame not in (None, self._inside) and frame.f_trace != self._raise_at_a_line:  # above it all have it
            frame.f_trace = self._raise_at_a_line
            frame = frame.f_back

    def _raise_at_a_line(self, frame, event, argument):
        if self._inside is None or is_foreign(frame.f_code.co_filename):
            return None
        if event == "line":
            raise TimeIsUp  # with this Python ends the tracing
        return self._raise_at_a_line

    def _insist_again(self, frame, event, argument):
        self.insist(frame)


# ── two ways to interrupt ───────────────────────────────────────────────────────────────────────────────────


def _has_timer() -> bool:
    """Whether an alarm can reach this thread, and Python can put back the handler that is there now."""
    on_main = threading.current_thread() is threading.main_thread()
    return on_main and hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is not None


def _start_timer(limit: Limit) -> Callable[[], None]:
    def ring(number, frame):
        if limit._inside is not None:
            limit.expire()
            raise TimeIsUp

    def stop():
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 1e-3), interval)

    began = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0.0)  # somebody else's alarm waits meanwhile
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit._seconds, REPEAT)
    return stop


def _start_watchdog(limit: Limit) -> Callable[[], None]:
    over = threading.Event()

    def watch():
        pause = limit._seconds
        while not over.wait(pause):
            with limit._lock:
                if limit._inside is not None:
                    limit.expire()
                    thread = ctypes.c_ulong(limit._thread)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TimeIsUp))
            pause = REPEAT

    def stop():
        over.set()
        watchdog.join()

    watchdog = threading.Thread(target=watch, daemon=True, name="time limit")
    watchdog.start()
    return stop


# ── whose code it is ────────────────────────────────────────────────────────────────────────────────────────


def _folders() -> tuple[str, ...]:
    """Where Python, its libraries and the course live, as paths are written in code objects, links followed or not."""
    paths = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += [Path(__file__).parents[1], Path(threading.__file__).parent]
    return tuple({f"{each}{separator}" for path in paths for each in (path, path.resolve()) for separator in "/\\"})


_FOREIGN = ("<frozen ", *_folders())


def is_foreign(file: str) -> bool:
    """Python's, a library's or the course's own file.  The cells of a notebook are none of these."""
    return file.startswith(_FOREIGN) or "site-packages" in file or "dist-packages" in file
