"""The exercises of chapter 07, in the order of its ladder."""

from course.exercises.tasks_07 import DISTRIBUTION, INVERSE_CDF, PERPLEXITY, TEMPER, TRACE
from course.exercises.tasks_07_filters import TOP_K, TOP_P

TASKS = (TRACE, TEMPER, TOP_K, TOP_P, DISTRIBUTION, PERPLEXITY, INVERSE_CDF)
