"""A limit on the time that foreign code may take, which leaves no stuck kernel behind.

On the main thread of Linux and macOS an interval timer interrupts the code; anywhere else (Windows, a thread of its own) a
watchdog thread asks Python to raise in the thread that runs too long.  Both repeat, so that code which catches the first
interrupt meets the next.  Neither can break into a single call of C code, such as a giant matrix product: that ends when
it ends, and is then reported.
"""

import contextlib
import ctypes
import signal
import threading
import time
from collections.abc import Iterator

REPEAT = 0.05  # seconds between interrupts, once the time is up


class TimeIsUp(BaseException):
    """Raised inside the code that runs too long.  No Exception, so that `except Exception` does not catch it."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises TimeIsUp in the body once `seconds` are over, and again and again until the body ends."""
    on_main = threading.current_thread() is threading.main_thread()
    with (_by_timer if on_main and hasattr(signal, "setitimer") else _by_watchdog)(max(seconds, 1e-3)):
        yield


@contextlib.contextmanager
def _by_timer(seconds: float) -> Iterator[None]:
    armed = True

    def ring(number, frame):
        if armed:
            raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    began = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT)
    try:
        yield
    finally:
        armed = False  # from here on a late ring does nothing
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before if before is not None else signal.SIG_DFL)
        if left:  # somebody's own alarm: it gets what is left of its time
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 1e-3), interval)


@contextlib.contextmanager
def _by_watchdog(seconds: float) -> Iterator[None]:
    target, over, lock = threading.get_ident(), threading.Event(), threading.Lock()

    def watch():
        pause = seconds
        while not over.wait(pause):
            with lock:
                if not over.is_set():
                    _raise_in(target, TimeIsUp)
            pause = REPEAT

    watchdog = threading.Thread(target=watch, daemon=True, name="time limit of a check")
    watchdog.start()
    try:
        yield
    finally:
        _stop(over, lock, watchdog, target)


def _stop(over: threading.Event, lock: threading.Lock, watchdog: threading.Thread, target: int) -> None:
    """End the watchdog; what it has asked for and Python has not raised yet is withdrawn."""
    while True:
        try:
            with lock:
                over.set()
                _raise_in(target, None)
            watchdog.join()
            return
        except TimeIsUp:  # asked for just before: it arrived here, where it does no harm
            continue


def _raise_in(thread: int, exception: type | None) -> None:
    """Ask Python to raise `exception` in a thread at its next step; None withdraws what was asked."""
    what = ctypes.py_object(exception) if exception else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
