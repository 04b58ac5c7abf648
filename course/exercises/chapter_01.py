"""The exercises of chapter 01, in the order of its ladder."""

from course.exercises.tasks_01_bpe import DECODE, ENCODE, TRAIN
from course.exercises.tasks_01_pairs import MERGE, PAIR_COUNTS, TRACE

TASKS = (TRACE, PAIR_COUNTS, MERGE, TRAIN, ENCODE, DECODE)
