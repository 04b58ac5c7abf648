"""check(task, attempt): is it right, and if not, what went wrong?  hint(task), solution(task).

The order: is there anything to check; does it run; is it of the right kind; are the numbers right on every input; and
does it leave its inputs alone, give the same answer twice, and do the work itself.  Whatever fails, it is recognised
first (diagnose.py), and what is said then (verdict.py) claims no more than was seen.
"""

import ast
import copy
import difflib
import dis
import html
import inspect
import sys
import textwrap
from collections.abc import Callable

import numpy as np

from course.exercises import cells, exact
from course.exercises.compare import Answer, difference, expected, largest_gap, same
from course.exercises.diagnose import outcome_of
from course.exercises.feedback import OPEN, PASSED, REFUSED, Feedback, rich, shortened
from course.exercises.run import PRINT_LIMIT, Outcome, called, run, tampered
from course.exercises.store import store
from course.exercises.task import Task, all_tasks
from course.exercises.verdict import LIMIT, changes, refusal, say


_NOTHING = object()


def check(task: str, attempt=_NOTHING) -> Feedback:
    """Check an answer to an exercise, and keep in the learner's record that it was tried, or that it passed.

    task: the exercise's name;  attempt: the learner's function, or the list of numbers where numbers are asked for.
    An untouched stub is "not attempted" and leaves no trace.  Raises ValueError for a name that no exercise has; nothing
    that the attempt does is raised, but for the learner's own interrupt.
    """
    if callable(task):
        raise ValueError(say("verdict", "no_name", name=getattr(task, "__name__", "softmax")))
    exercise = find(task)
    if attempt is _NOTHING:
        raise ValueError(say("verdict", "no_attempt", name=exercise.name, function=exercise.reference.__name__))
    feedback = _judge_numbers(exercise, attempt) if exercise.traced else _judge_function(exercise, attempt)
    if feedback.state != OPEN:
        store().attempted(exercise.name, exercise.chapter)
    if feedback.passed:
        store().passed(exercise.name, exercise.chapter, _source(attempt))
    return feedback


def find(task: str) -> Task:
    """The exercise of this name.  Raises ValueError with the nearest names for one that is not there."""
    tasks = all_tasks()
    if task not in tasks:
        near = difflib.get_close_matches(str(task), tasks, n=3, cutoff=0.3) or list(tasks)
        raise ValueError(say("verdict", "unknown_task", name=task, near=", ".join(near)))
    return tasks[task]


# ── numbers worked out by hand ──────────────────────────────────────────────────────────────────────────────


def _judge_numbers(task: Task, attempt) -> Feedback:
    answer = expected(task, task.reference())
    count = len(answer.parts)
    if attempt is None or attempt is ... or isinstance(attempt, (list, tuple)) and any(part is ... for part in attempt):
        return _open(task, "open")
    if not hasattr(attempt, "__len__") or isinstance(attempt, (str, bytes, dict)):
        return _refused(task, "no_numbers", count=count, type=type(attempt).__name__)
    if len(attempt) != count:
        return _refused(task, "count_of_numbers", count=count, given=len(attempt))
    outcome = Outcome("value", value=tuple(attempt))
    wrong = difference(answer, outcome.value)
    if wrong is None:
        return Feedback(PASSED, task.title, [say("verdict", "passed_traced")], kind="passed")
    return refusal(task, task.inputs, [answer], [outcome], {0: wrong})


# ── functions ───────────────────────────────────────────────────────────────────────────────────────────────


def _judge_function(task: Task, attempt) -> Feedback:
    if attempt is ... or unfinished(attempt):
        return _open(task, "open")
    if not callable(attempt):
        return _refused(task, "no_function", name=task.name, function=task.reference.__name__, type=type(attempt).__name__)
    if inspect.unwrap(attempt) is task.reference:
        return _open(task, "course_own", name=task.reference.__name__)
    if names := tampered():
        return _refused(task, "tampered", "symptom", names=", ".join(f"`{name}`" for name in names[:3]))
    return _judge_runs(task, attempt)


def _judge_runs(task: Task, attempt) -> Feedback:
    cases, answers = task.inputs, answers_of(task)
    outcomes = run(attempt, [case.arguments for case in cases], LIMIT)
    wrong = {}
    for place, outcome in enumerate(outcomes):
        found = outcome.kind if outcome.kind != "value" else difference(answers[place], outcome.value)
        if found:
            wrong[place] = found
    if len(outcomes) == len(cases):
        again = run(attempt, [case.arguments for case in cases], LIMIT)
        if (place := _changes_its_mind(answers, outcomes, again)) is not None:
            return _refused(task, "random", "symptom", input=cases[place].arguments)
    if wrong:
        return refusal(task, cases, answers, outcomes, wrong, *_around(attempt, outcomes))
    if changed := {place for outcome in outcomes for place in outcome.changed}:
        return _refused(task, "changed_only", "symptom", change=changes(task, min(changed)))
    if (place := _overwritten(attempt, task, answers)) is not None:
        return _refused(task, "overwritten", "symptom", input=cases[place].arguments)
    if own := called(attempt, cases[1].arguments, (task.reference, *task.off_limits), LIMIT):
        return _refused(task, "calls_own", "symptom", name=min(function.__name__ for function in own))
    return _passed(task, answers, outcomes)


def _overwritten(attempt, task: Task, answers: list[Answer]) -> int | None:
    """The place of a result that is no longer right once the later calls were made: a buffer that is used again."""
    inputs = [case.arguments for case in task.inputs]
    together = run(lambda *_: [attempt(*copy.deepcopy(arguments)) for arguments in inputs], [()], LIMIT)[0]
    values = together.value if together.kind == "value" else []
    return next((place for place, (answer, value) in enumerate(zip(answers, values)) if difference(answer, value)), None)


def answers_of(task: Task) -> list[Answer]:
    """What the reference gives for each input."""
    return [expected(task, outcome_of(task.reference, case.arguments).value) for case in task.inputs]


def _changes_its_mind(answers: list[Answer], first: list[Outcome], second: list[Outcome]) -> int | None:
    """The place of an input for which a second call gave another value (of exceptions only the kind could be compared)."""
    for place, (a, b, answer) in enumerate(zip(first, second, answers)):
        values = a.kind == b.kind == "value"
        right = values and difference(answer, a.value) is None, values and difference(answer, b.value) is None
        if right[0] != right[1] or values and not any(right) and _comparable(a, b, answer) and not same(a, b, answer):
            return place
    return None


def _comparable(a: Outcome, b: Outcome, answer: Answer) -> bool:
    """Values that `same` can look into: each is like itself."""
    return same(a, a, answer) and same(b, b, answer)


def _passed(task: Task, answers: list[Answer], outcomes: list[Outcome]) -> Feedback:
    exactly = all(exact.asked(part) or getattr(part, "dtype", None) == bool for part in answers[0].parts)
    gap = 0.0 if exactly else max(largest_gap(answer, outcome.value) for answer, outcome in zip(answers, outcomes))
    sentence = say("verdict", "passed_exactly" if exactly else "passed", count=len(answers), gap=f"{gap:.0e}" if gap else "0")
    printed = next((outcome.printed for outcome in outcomes if outcome.printed), "")
    return Feedback(PASSED, task.title, [sentence, *said_of_prints(printed)], kind="passed")


def said_of_prints(printed: str) -> list[str]:
    """What a function printed while it ran, in one line."""
    if len(printed) >= PRINT_LIMIT:
        return [say("symptom", "printed_much", limit=PRINT_LIMIT, text=shortened(printed))]
    return [say("symptom", "printed", text=shortened(printed))] if printed.strip() else []


def _open(task: Task, kind: str, /, **values) -> Feedback:
    return Feedback(OPEN, task.title, [say("verdict", kind, **values)], kind=kind)


def _refused(task: Task, kind: str, section: str = "verdict", /, input: tuple | None = None, **values) -> Feedback:
    return Feedback(REFUSED, task.title, [say(section, kind, **values)], kind=kind, input=input)


# ── reading the learner's source ────────────────────────────────────────────────────────────────────────────


def unfinished(function: Callable) -> bool:
    """Whether nothing was written yet: only a docstring, `...` and `pass`; or a line still has `...` in place of a value."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return False  # a source that can't be read; let it run
    body = tree.body[0].body if tree.body and isinstance(tree.body[0], ast.FunctionDef) else None
    if body is None:
        return False
    blank = [isinstance(node, ast.Return | ast.Assign | ast.AnnAssign) and _is_dots(node.value) for node in ast.walk(tree)]
    return any(blank) or all(map(_says_nothing, body))


def _says_nothing(node: ast.stmt) -> bool:
    """`pass`, `...`, a text, or `raise NotImplementedError`."""
    if isinstance(node, ast.Raise):
        return "NotImplementedError" in ast.unparse(node)
    return isinstance(node, ast.Pass) or isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_dots(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _around(attempt, outcomes: list[Outcome]) -> tuple[str, list[str]]:
    """What is wrong around a function that explains why it fails, "" if nothing; and what else may mislead it."""
    read = _global_names(attempt)
    around = getattr(attempt, "__globals__", {})
    if "np" in read and "np" in around and around["np"] is not sys.modules["numpy"]:
        return say("symptom", "lost_numpy", type=type(around["np"]).__name__), []
    missing = {outcome.error.name for outcome in outcomes if isinstance(outcome.error, NameError)}
    for name, found in (("calls_missing", lambda helper: helper in missing and helper not in around),
                        ("calls_unfinished", lambda helper: helper in around and unfinished(around[helper]))):  # fmt: skip
        for task in all_tasks().values():
            helper = task.reference.__name__
            if helper in read and found(helper):
                line = f"from {task.reference.__module__} import {helper}"
                return say("symptom", name, helper=helper, line=line), []
    data = [name for name in read if isinstance(around.get(name), (int, float, list, np.ndarray))]
    return "", [say("symptom", "reads_notebook", names=", ".join(f"`{name}`" for name in data))] if data else []


def _global_names(function) -> list[str]:
    """The names that a function looks up outside itself, in order."""
    code = getattr(function, "__code__", None)
    steps = dis.get_instructions(code) if code else []
    return list(dict.fromkeys(each.argval for each in steps if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")))


def _source(attempt) -> str:
    """What is kept of an answer that passed."""
    if not callable(attempt):
        return repr([float(number) for number in attempt])
    try:
        return textwrap.dedent(inspect.getsource(attempt))
    except (OSError, TypeError):
        return ""


# ── hints and solutions ─────────────────────────────────────────────────────────────────────────────────────


class Note:
    """A text as the value of a cell: sentences, and code where there is some."""

    def __init__(self, sentences: list[str], code: str = ""):
        self.sentences, self.code = sentences, code

    def __repr__(self) -> str:
        return "\n".join([*(sentence.replace("`", "") for sentence in self.sentences), *filter(None, [self.code])])

    def _repr_html_(self) -> str:
        code = f"<pre><code>{html.escape(self.code)}</code></pre>" if self.code else ""
        return "".join(f"<p>{rich(sentence)}</p>" for sentence in self.sentences) + code


def hint(task: str) -> Note:
    """One hint more at each call, with those before it; the last is nearly the answer.  Which were shown is recorded."""
    exercise = find(task)
    hints = exercise.words["hints"]
    shown = store().hints(task)
    shown = store().hint_shown(task) if shown < len(hints) else len(hints)
    texts = [say("hint", "of", number=n + 1, count=len(hints), text=text) for n, text in enumerate(hints[:shown])]
    return Note(texts + ([say("hint", "last", name=task)] if shown == len(hints) else []))


_asked: set[str] = set()


def solution(task: str) -> Note:
    """The course's own source, at the second time of asking; at once where the exercise is passed already."""
    exercise = find(task)
    if task not in _asked and store().source(task) is None:
        _asked.add(task)
        return Note([say("hint", "ask_again", title=exercise.title, name=task)])
    return Note([], cells.solution(exercise))
