"""What an exercise is, as data, and where the exercises of all chapters are found.

The reference of an exercise is a function of the package.  Beside it stands the same function cut into named steps, a
`Pipeline`.  A known mistake replaces one step (or a few), so that a wrong version is executable, and two mistakes
together are one as well: their replacements are put in side by side.

    softmax_in_steps = Pipeline(softmax, {
        "largest": lambda x, axis: x.max(axis=axis, keepdims=True),
        "e": lambda x, largest: np.exp(x - largest),                       # a step takes arguments and earlier steps by name
        "weights": lambda e, axis: e / e.sum(axis=axis, keepdims=True),    # the last step is what is returned
    })
    without_max = softmax_in_steps.replaced({"largest": lambda x, axis: 0.0})

docs/writing_an_exercise.md tells how one is added, and tests/exercises/test_tasks.py holds every task to it.
"""

import dataclasses
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from types import MappingProxyType

import course.exercises
from course import sentences


class Pipeline:
    """A function as named steps, in order.  Called like `like`, whose parameters the steps may ask for by name."""

    def __init__(self, like: Callable, steps: Mapping[str, Callable]):
        self.signature = inspect.signature(like)
        self.steps = dict(steps)
        self._asked = {name: tuple(inspect.signature(step).parameters) for name, step in self.steps.items()}

    def __call__(self, *arguments):
        return self.known(*arguments)[next(reversed(self.steps))]

    def known(self, *arguments) -> dict:
        """The arguments and the result of every step, by name."""
        bound = self.signature.bind(*arguments)
        bound.apply_defaults()
        known = dict(bound.arguments)
        for name, step in self.steps.items():
            known[name] = step(*(known[asked] for asked in self._asked[name]))
        return known

    def replaced(self, steps: Mapping[str, Callable]) -> "Pipeline":
        """The same with some steps replaced.  Raises ValueError for a step that is not there."""
        if unknown := steps.keys() - self.steps.keys():
            raise ValueError(f"no step is called {', '.join(sorted(unknown))}; there are {', '.join(self.steps)}")
        new = object.__new__(Pipeline)
        new.signature, new.steps = self.signature, self.steps | dict(steps)
        new._asked = self._asked | {name: tuple(inspect.signature(step).parameters) for name, step in steps.items()}
        return new


@dataclasses.dataclass(frozen=True, eq=False)
class Mistake:
    """What people do wrong: the steps that it replaces.  Its sentences stand under its name in the chapter's table."""

    name: str
    steps: Mapping[str, Callable]


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """One input of a check.  `note` names a sentence of the chapter's table that says what is special about it."""

    arguments: tuple
    note: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class Property:
    """Something true of every right answer that has a name: rows sum to 1, the future changes nothing.

    `holds(cases, values)` gets the inputs and what was returned for each (both of equal length), and says True, False,
    or None where these inputs can't tell.
    """

    name: str
    holds: Callable[[list[Case], list], bool | None]


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """One exercise.

    reference: the package's function (of a task to trace by hand: one without arguments, that returns the numbers);
    steps: the same as a Pipeline;  cases: makes the inputs, from small to large;  mistakes: simplest first;
    variants: right answers that look different;  results: names of the parts of an answer that is a tuple;
    blank: the piece of the reference that the learner fills in, where it is one line only;
    traced: the answer is numbers worked out by hand, and `shown` the steps that its solution shows;
    off_limits: functions that do the whole exercise, so that calling them is no answer.
    """

    name: str
    chapter: str
    reference: Callable
    steps: Pipeline
    cases: Callable[[], list[Case]]
    mistakes: tuple[Mistake, ...]
    variants: tuple
    properties: tuple[Property, ...] = ()
    results: tuple[str, ...] = ()
    blank: str = ""
    off_limits: tuple[Callable, ...] = ()
    rtol: float = 1e-6
    atol: float = 1e-9
    difficulty: int = 2  # 1 … 5
    minutes: int = 5
    core: bool = True
    traced: bool = False
    shown: tuple[str, ...] = ()

    @property
    def words(self) -> Mapping:
        """The task's own sentences: title, hints, mistakes, properties, notes."""
        return sentences.table(f"exercises_{self.chapter}")[self.name]

    @property
    def title(self) -> str:
        """What it is called in a list."""
        return self.words["title"]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the function's arguments."""
        return tuple(inspect.signature(self.reference).parameters)

    @functools.cached_property
    def inputs(self) -> list[Case]:
        """The inputs of the check, made once."""
        return self.cases()


def all_tasks() -> Mapping[str, Task]:
    """Every task of every chapter, by name: what the modules `course.exercises.chapter_NN…` list as TASKS."""
    return MappingProxyType(_all_tasks())


@functools.cache
def _all_tasks() -> dict[str, Task]:
    names = sorted(module.name for module in pkgutil.iter_modules(course.exercises.__path__))
    chapters = [importlib.import_module(f"course.exercises.{name}") for name in names if name.startswith("chapter_")]
    return {task.name: task for chapter in chapters for task in chapter.TASKS}
