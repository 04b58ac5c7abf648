"""The exercises of chapter 05, in the order of its ladder."""

from course.exercises.tasks_05 import FEED_FORWARD, GATED, GELU, TRACE
from course.exercises.tasks_05_norm import LAYER_NORM, RMS_NORM

TASKS = (TRACE, GELU, FEED_FORWARD, LAYER_NORM, RMS_NORM, GATED)
