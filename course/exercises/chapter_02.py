"""The exercises of chapter 02, in the order of its ladder."""

from course.exercises.tasks_02 import DEINTERLEAVE, FREQUENCIES, ROTATE, SHIFT, SINUSOIDAL, TRACE

TASKS = (TRACE, FREQUENCIES, SINUSOIDAL, SHIFT, ROTATE, DEINTERLEAVE)
