"""Exercises, predictions, and the learner's record of both.

`check(task, attempt)`, `hint(task)`, `solution(task)`;  `my_prediction(question, …)`, `reveal(question, truth)`,
`quiz(question)`;  `progress()`, `restore(task)`, `export()`, `import_(path)`.

The names are fetched when they are first asked for, so that importing the package stays fast.
"""

from course.lazily import handed_on

_HOMES = {
    "check": "checking", "hint": "checking", "solution": "checking",
    "my_prediction": "questions", "reveal": "questions", "quiz": "questions",
    "progress": "record", "restore": "record", "export": "record", "import_": "record",
}  # fmt: skip

__getattr__, __dir__, __all__ = handed_on(__name__, _HOMES)
