"""How long a learner waits for a check: right answers, and the diagnosis of wrong ones (the slowest of each counts).

Peers there are none: others' checks say pass or fail.
"""

import itertools
import os
import tempfile
import time

from course.bench.report import Row

RIGHT, WRONG = 2000, 5000  # ms allowed


def missing() -> str:
    """Nothing but the course is needed."""
    return ""


def measure(quick: bool) -> list[Row]:
    """For each exercise: the time of checking every variant, every known mistake, and some of two and three at once."""
    from course.exercises.diagnose import built, outcome_of, together
    from course.exercises.task import all_tasks

    rows = []
    for task in all_tasks().values():
        versions = [*together(task, 1), *itertools.islice(together(task, 2), 0, None, 10 if quick else 1)]
        versions += itertools.islice(together(task, 3), 0, None, 200 if quick else 20)
        wrong = [built(task, version) for version in versions]
        if task.traced:  # what is handed in are numbers, those that the wrong version comes to
            outcomes = [outcome_of(version, ()) for version in wrong]
            wrong = [outcome.value for outcome in outcomes if outcome.kind == "value"]
        unknown = [] if task.traced else [lambda *arguments: 0.5]  # like no mistake: all of them are tried
        rows += [
            Row(f"{task.name}: right", "check", "ms", _times(task, task.variants), budget=RIGHT),
            Row(f"{task.name}: wrong", "check", "ms", _times(task, [*wrong, *unknown]), budget=WRONG),
        ]
    return rows


def _times(task, attempts) -> tuple[float, ...]:
    from course.exercises.checking import check

    home = os.environ.get("COURSE_HOME")
    times = []
    with tempfile.TemporaryDirectory(prefix="course-bench-", ignore_cleanup_errors=True) as folder:
        os.environ["COURSE_HOME"] = folder  # nothing of this belongs into a learner's record
        try:
            for attempt in attempts:
                began = time.perf_counter()
                check(task.name, attempt)
                times.append(1000 * (time.perf_counter() - began))
        finally:
            os.environ.pop("COURSE_HOME") if home is None else os.environ.update(COURSE_HOME=home)
    return tuple(times)
