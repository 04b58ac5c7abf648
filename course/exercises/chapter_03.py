"""The exercises of chapter 03, in the order of its ladder."""

from course.exercises.tasks_03_attention import ATTENTION, SCORES, SOFTMAX, TRACE
from course.exercises.tasks_03_masks import CAUSAL, PADDING, WINDOW

TASKS = (TRACE, PADDING, SOFTMAX, SCORES, CAUSAL, ATTENTION, WINDOW)
