"""The exercises of chapter 06, in the order of its ladder."""

from course.exercises.tasks_06 import COUNT, TRACE
from course.exercises.tasks_06_stack import BLOCK, MODEL

TASKS = (TRACE, BLOCK, MODEL, COUNT)
