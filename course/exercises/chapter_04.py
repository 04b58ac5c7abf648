"""The exercises of chapter 04, in the order of its ladder."""

from course.exercises.tasks_04 import MANY, MERGE, OFFSET, SPLIT, TRACE

TASKS = (TRACE, SPLIT, MERGE, MANY, OFFSET)
