"""What never ends is stopped, on the main thread and on others, and nothing of the limit is left behind.

Each function below is tried in three ways: on the main thread, where a timer interrupts; on a thread of its own, where
a watchdog does; and on a main thread that has no timer, as on Windows.
"""

import contextlib
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch

from course.exercises.limits import Limit, TimeIsUp
from course.exercises.run import run

pytestmark = pytest.mark.timeout(60, method="thread")  # by signal, it would itself wait for what never ends
ONE = [(np.array([1.0, 2.0]),)]
SHORT = 0.2


def on_main(work):
    work()


def on_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def on_main_without_a_timer(work):
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(signal, "setitimer")
        work()


WAYS = [on_main, on_a_thread, on_main_without_a_timer]
in_each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


@pytest.fixture(autouse=True)
def nothing_is_left():
    """No thread, no handler, no tracing; and a while of ordinary code in which nothing arrives late."""

    def now():
        return set(threading.enumerate()), signal.getsignal(signal.SIGALRM), sys.gettrace(), sys.getprofile()

    before, depth = now(), sys.getrecursionlimit()
    yield
    end = time.monotonic() + 0.12  # two intervals of the interrupts
    while time.monotonic() < end:
        pass
    assert now() == before and sys.getrecursionlimit() == depth


# ── code that never ends ────────────────────────────────────────────────────────────────────────────────────


def loops(x):
    while True:
        pass


def sleeps_again_and_again(x):
    while True:
        time.sleep(0.01)


def catches_all(x):
    while True:
        try:
            time.sleep(0.001)
        except:  # noqa: E722
            pass


def catches_all_and_keeps_it(x):
    kept = []
    while True:
        try:
            time.sleep(0.001)
        except BaseException as error:  # noqa: BLE001
            kept.append(error)


def catches_all_twice(x):
    while True:
        try:
            while True:
                try:
                    x = x + 0
                except BaseException:  # noqa: BLE001
                    pass
        except BaseException:  # noqa: BLE001
            pass


def catches_all_here_and_there(x):
    while True:
        try:
            catches_all(x)
        except BaseException:  # noqa: BLE001
            continue


def goes_on_in_finally(x):
    while True:
        try:
            x = x + 0
        finally:
            continue


def loops_in_finally(x):
    try:
        loops(x)
    finally:
        loops(x)


def suppresses(x):
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.001)


def with_a_stubborn_generator(x):
    def numbers():
        while True:
            try:
                yield 1
            except BaseException:  # noqa: BLE001
                pass

    while True:
        for _ in numbers():
            pass


def recurses_at_every_failure(x):
    try:
        return recurses_at_every_failure(x)
    except:  # noqa: E722 (2 ** 1000 calls)
        return recurses_at_every_failure(x)


def prints(x):
    while True:
        print("again")


def calls_numpy(x):
    while True:
        x = np.linalg.qr(np.outer(x, x))[1][0]


class Lingering:
    def __del__(self):
        loops(self)


def in_a_destructor(x):
    while True:
        Lingering()


def in_a_callback(x):
    return sorted([2, 1], key=loops)


ENDLESS = [
    loops, sleeps_again_and_again, catches_all, catches_all_and_keeps_it, catches_all_twice, catches_all_here_and_there,
    goes_on_in_finally, loops_in_finally, suppresses, with_a_stubborn_generator, recurses_at_every_failure, prints,
    calls_numpy, in_a_destructor, in_a_callback,
]  # fmt: skip


@in_each_way
@pytest.mark.parametrize("function", ENDLESS, ids=lambda function: function.__name__)
def test_what_never_ends_is_stopped(function, way):
    found = []
    way(lambda: found.extend(run(function, ONE * 3, SHORT)))
    assert [outcome.kind for outcome in found] == ["too_long"]
    assert run(np.sum, ONE)[0].value == 3


def test_a_long_sleep_is_cut_short_where_there_is_a_timer():
    assert run(lambda x: time.sleep(1000), ONE, SHORT)[0].kind == "too_long"
    assert run(time.sleep, [(1000,)], SHORT)[0].kind == "too_long"


@in_each_way
@pytest.mark.parametrize("function", [loops, catches_all, in_a_callback], ids=lambda function: function.__name__)
def test_the_line_that_was_interrupted_is_the_learners(function, way):
    found = []
    way(lambda: found.extend(run(function, ONE, SHORT)))
    number, text = found[0].line
    with open(__file__, encoding="utf-8") as file:
        assert file.readlines()[number - 1].strip() == text
    code = (function if function is catches_all else loops).__code__
    assert code.co_firstlineno < number <= max(line for _, _, line in code.co_lines() if line)


@in_each_way
def test_whatever_is_made_of_the_interrupt_it_was_too_long(way):
    def answers(x):
        try:
            loops(x)
        except BaseException:  # noqa: BLE001
            return 5

    def complains(x):
        try:
            loops(x)
        except BaseException as error:
            raise ValueError("mine") from error

    found = []
    way(lambda: found.extend(run(answers, ONE * 2, SHORT) + run(complains, ONE * 2, SHORT)))
    assert [(outcome.kind, outcome.value, outcome.error) for outcome in found] == [("too_long", None, None)] * 2


@in_each_way
def test_what_is_tidied_up_in_libraries_and_by_the_learner_is_tidied_up(way):
    tidied = []

    def in_good_order(x):
        with torch.no_grad(), np.errstate(all="raise"):
            try:
                loops(x)
            finally:
                tidied.append("mine")
                tidied.append("mine too")

    def work():
        run(in_good_order, ONE, SHORT)
        tidied.append(torch.is_grad_enabled())

    way(work)
    assert tidied == ["mine", "mine too", True]


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────


@in_each_way
def test_the_limit_is_for_all_calls_together(way):
    found = []
    way(lambda: found.extend(run(lambda x: time.sleep(0.15), ONE * 10, 0.4)))
    assert [outcome.kind for outcome in found] in [["value"] * count + ["too_long"] for count in (1, 2)]


@in_each_way
def test_calls_that_end_in_time_are_let_alone_to_the_last(way):
    found = []
    way(lambda: found.extend(run(lambda x: x + 1, ONE * 300, 60.0)))
    assert [outcome.kind for outcome in found] == ["value"] * 300


def test_no_time_is_left_for_another_call():
    with Limit(0.001) as limit:
        time.sleep(0.01)
        with pytest.raises(TimeIsUp):
            limit.call(pytest.fail, ("was called",))
        assert limit.up


@in_each_way
def test_what_ends_when_the_time_does_is_not_interrupted_afterwards(way):
    ended, usual = [], sys.getswitchinterval()

    def work():
        for count in range(150):  # up to three times as long as the limit: now and then both come together
            until = time.monotonic() + 0.00004 * count

            def busy():
                while time.monotonic() < until:
                    pass

            with Limit(0.002) as limit:
                try:
                    limit.call(busy, ())
                    ended.append("in time")
                except TimeIsUp:
                    ended.append("up")
            for _ in range(50):  # an interrupt that came late would be raised in here
                time.sleep(0)

    sys.setswitchinterval(1e-4)  # the watchdog and what it watches take turns often
    try:
        way(work)
    finally:
        sys.setswitchinterval(usual)
    assert len(ended) == 150 and set(ended) == {"in time", "up"}


def test_an_interrupt_that_is_on_its_way_arrives_before_the_call_is_over(monkeypatch):
    usual, ended = Limit.expire, []

    def slowly(self):
        usual(self)
        time.sleep(0.2)

    def work():
        with Limit(0.02) as limit:
            try:
                limit.call(lambda: [time.sleep(0.001) for _ in range(50)], ())
            except TimeIsUp:
                ended.append("up")
        ended.append("went on")

    monkeypatch.setattr(Limit, "expire", slowly)
    on_a_thread(work)
    assert ended == ["up", "went on"]


@in_each_way
def test_a_limit_inside_a_limit(way):
    found = []

    def outer(x):
        found.extend(run(loops, ONE, SHORT))
        found.append("went on")
        catches_all(x)

    way(lambda: found.extend(run(outer, ONE, 2 * SHORT)))
    assert [getattr(each, "kind", each) for each in found] == ["too_long", "went on", "too_long"]


# ── what was there before ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def alarm():
    """Somebody's own alarm, which notes when it rings; the one of the test runner comes back afterwards."""
    rung = []
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    yield rung
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    signal.setitimer(signal.ITIMER_REAL, left, interval)


def wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.mark.parametrize("function", [loops, lambda x: x], ids=["endless", "quick"])
def test_somebody_elses_alarm_rings_at_its_time(alarm, function):
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.6)
    run(function, ONE, SHORT)
    spent = time.monotonic() - began
    assert alarm == [] and 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 0.6 - spent + 0.02
    assert wait_for(lambda: alarm) and alarm[0] - began >= 0.59


def test_an_alarm_that_was_due_meanwhile_rings_afterwards(alarm):
    signal.setitimer(signal.ITIMER_REAL, 0.05, 100.0)
    assert run(loops, ONE, SHORT)[0].kind == "too_long"
    assert wait_for(lambda: alarm) and len(alarm) == 1
    assert signal.getitimer(signal.ITIMER_REAL)[1] == 100.0


def test_no_alarm_is_left_where_there_was_none(alarm):
    run(loops, ONE, SHORT)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@in_each_way
def test_somebody_elses_tracing_goes_on(way):
    seen, kept = [], []

    def trace(frame, event, argument):
        seen.append(frame.f_code.co_name)

    def work():
        before = sys.gettrace(), sys.getprofile()
        sys.settrace(trace)
        sys.setprofile(trace)
        try:
            run(catches_all_twice, ONE, SHORT)
            kept.extend([sys.gettrace(), sys.getprofile()])
        finally:
            sys.settrace(before[0])
            sys.setprofile(before[1])

    way(work)
    assert kept == [trace, trace] and "catches_all_twice" in seen
