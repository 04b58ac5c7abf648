"""The exercises of chapter 02, in the order of its ladder."""

from course.exercises.tasks_02 import FREQUENCIES, SHIFT, SINUSOIDAL, TRACE
from course.exercises.tasks_02_rotary import DEINTERLEAVE, ROTATE

TASKS = (TRACE, FREQUENCIES, SINUSOIDAL, SHIFT, ROTATE, DEINTERLEAVE)
