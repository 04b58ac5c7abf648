"""The cells of an exercise, made from the package: the stub a learner fills, and the solution shown on request.

The stub is the package's function without its body (or without one piece of it), so that the notebook never says
another thing than the package does.
"""

import ast
import inspect
import re
import sys

from course.exercises.feedback import written
from course.exercises.task import Task

LINES, LINE = "...  # your lines here", "...  # your line"


def stub(task: Task) -> str:
    """Signature, docstring and a marked place; of a task with one blank, everything but that.

    What the docstring says of errors is left out: the check does not ask for them.
    """
    if task.traced:
        return f"{task.name} = [{', '.join(['...'] * len(task.results))}]  # {', '.join(task.results)}"
    source = inspect.getsource(task.reference).rstrip()
    source = re.sub(r"\n    Raises [^\n]*(\n    [^\n]*?)*?(?=\n    \"\"\")", "", source)
    if task.blank:
        return source.replace(task.blank, LINE).replace(f"{LINE}  # ", f"{LINE}: ")
    lines = source.split("\n")
    docstring = ast.parse(source).body[0].body[0]
    return "\n".join([*lines[: docstring.end_lineno], f"    {LINES}"])


def solution(task: Task) -> str:
    """The package's own source, with the imports it needs; of numbers worked out by hand, the way to them."""
    if task.traced:
        known = task.steps.known()
        return "\n".join(f"{name} = {written(known[name])}" for name in task.shown)
    return "\n".join([*_imports(task.reference), "", "", inspect.getsource(task.reference).rstrip()])


def answer(task: Task) -> str:
    """A cell that a learner could have written, and that passes."""
    if task.traced:
        return f"{task.name} = {[round(float(number), 4) for number in task.reference()]}"
    return solution(task)


def _imports(function) -> list[str]:
    """Lines that bring the names which a function takes from its module."""
    module = sys.modules[function.__module__]
    used = {node.id for node in ast.walk(ast.parse(inspect.getsource(function))) if isinstance(node, ast.Name)}
    names = {name: vars(module)[name] for name in sorted(used) if name in vars(module)}
    modules = {name: value.__name__ for name, value in names.items() if inspect.ismodule(value)}
    lines = [f"import {full}" + (f" as {name}" if name != full else "") for name, full in modules.items()]
    own = ", ".join(name for name in names if name not in modules and name != function.__name__)
    return lines + ([f"from {module.__name__} import {own}"] if own else [])
