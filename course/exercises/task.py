"""What an exercise is, as data, and where the exercises of all chapters are found."""

import dataclasses
import importlib
import pkgutil

import course.exercises


@dataclasses.dataclass(frozen=True)
class Task:
    """One exercise: its name, as in `restore("attention")`, the chapter it belongs to ("03"), and its title."""

    name: str
    chapter: str
    title: str


def all_tasks() -> dict[str, Task]:
    """Every task of every chapter, by name: what the modules `course.exercises.chapter_NN` list as TASKS."""
    names = sorted(module.name for module in pkgutil.iter_modules(course.exercises.__path__))
    chapters = [importlib.import_module(f"course.exercises.{name}") for name in names if name.startswith("chapter_")]
    return {task.name: task for chapter in chapters for task in chapter.TASKS}
