"""What the course says to a learner, kept as data: one TOML table a topic, one folder a language.

A second edition in another language is a second folder; the code does not change.
"""

import functools
import os
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent


@functools.cache
def _load(name: str, language: str) -> dict:
    path = FOLDER / language / f"{name}.toml"
    if not path.exists():
        path = FOLDER / "en" / f"{name}.toml"  # not translated yet
    return tomllib.loads(path.read_text(encoding="utf-8"))


def table(name: str, language: str | None = None) -> dict:
    """The sentences of one topic, e.g. `table("explore")["heat_map"]["cursor"]`.

    `language` defaults to the environment variable COURSE_LANGUAGE, then to "en"; a topic missing in
    that language is read in English.  Raises FileNotFoundError for a topic that does not exist at all.
    """
    return _load(name, language or os.environ.get("COURSE_LANGUAGE", "en"))
