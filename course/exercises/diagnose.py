"""Which of the known mistakes behaves like this answer, on all inputs?

A mistake is executable (task.py), so the question is settled by running it: an answer and a wrong version are the same
for a learner's purposes if no input of the check tells them apart.  Single mistakes come before two at once, and those
before three (which two numbers worked out by hand never tell apart from chance); where several fit, all of them are returned: nobody can say which one was made.
"""

import itertools
import time
import warnings
from collections.abc import Iterator

import numpy as np

from course.exercises.compare import Answer, same
from course.exercises.run import Outcome
from course.exercises.task import Case, Mistake, Pipeline, Task

Version = tuple[Mistake, ...]  # one mistake, or up to three at once
MOST_TRACED = 2  # mistakes put together where two numbers are all there is to see: three at once would fit nearly any
PATIENCE = 2.0  # seconds, after which no more mistakes are put together


def recognise(task: Task, cases: list[Case], answers: list[Answer], outcomes: list[Outcome],
              wrong: list[int]) -> list[Version]:  # fmt: skip
    """The wrong versions whose behaviour equals the outcomes; [] where none is known.

    cases, answers (of the reference), outcomes: of equal length;  wrong: the places at which the outcome is not right.
    """
    if all(outcome.kind == "exception" for outcome in outcomes):
        return []  # that a name is unknown says nothing about the steps
    order = wrong + [place for place in range(len(cases)) if place not in wrong]  # what differs tells most, and first
    deadline = time.monotonic() + PATIENCE
    for number in (1, 2, 3)[: MOST_TRACED if task.traced else None]:
        versions = itertools.takewhile(lambda _: time.monotonic() < deadline, together(task, number))
        found = [version for version in versions if _fits(built(task, version), cases, answers, outcomes, order)]
        if found:
            return [version for version in found if not any(_contains(version, other) for other in found)]
    return []


def together(task: Task, number: int) -> Iterator[Version]:
    """Every `number` mistakes that replace different steps."""
    for version in itertools.combinations(task.mistakes, number):
        if len(set().union(*(mistake.steps for mistake in version))) == sum(len(mistake.steps) for mistake in version):
            yield version


def built(task: Task, version: Version) -> Pipeline:
    """The wrong version, to be called like the reference."""
    steps = {name: step for mistake in version for name, step in mistake.steps.items()}
    return task.steps.replaced(steps)


def outcome_of(function, arguments: tuple) -> Outcome:
    """What one of our own versions does on an input: in a hurry, and without the guards that a learner's needs."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Outcome("value", value=function(*arguments))
        except Exception as error:  # noqa: BLE001 (an exception is behaviour like any other)
            return Outcome("exception", error=error)


def _contains(version: Version, other: Version) -> bool:
    """Whether a version does all that the other does, and more: the more made no difference, and is not spoken of."""
    steps, fewer = ({(name, step) for each in v for name, step in each.steps.items()} for v in (version, other))
    return fewer < steps


def _fits(version: Pipeline, cases, answers, outcomes, order) -> bool:
    return all(same(outcome_of(version, cases[i].arguments), outcomes[i], answers[i]) for i in order)
