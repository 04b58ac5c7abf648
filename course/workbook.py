"""The learner's own copies of the chapters: made from notebooks/, kept in workbook/, never overwritten.

Standard library only: start.py calls `refresh` before anything is installed.

Whether a copy was touched is decided by the sources of its cells, since JupyterLab rewrites outputs.  For each copy
`.copies.json` records the fingerprint of the version it was made from (for a changed copy: of the last version that
was offered beside it):

    copy                        shipped chapter     what happens
    missing                     any                 it is copied
    as recorded (untouched)     newer               the copy follows
    changed                     as recorded         nothing
    changed                     newer               the new version arrives beside it, and replaces an untouched earlier offer
    unreadable                  any                 it is renamed, and a fresh copy takes its place
"""

import datetime
import hashlib
import json
import os
from pathlib import Path

from course.sentences import table

RECORD = ".copies.json"
HIDE = "hide-output-in-workbook"  # tag of cells whose outputs give away what the learner is asked to predict


def refresh(notebooks: Path, workbook: Path, today: str | None = None) -> list[str]:
    """Bring workbook/ up to date with notebooks/.  Returns the sentences to tell the learner; raises OSError."""
    today = today or datetime.date.today().isoformat()
    workbook.mkdir(exist_ok=True)
    record, sentences = _read_record(workbook, today)
    before = dict(record)
    for shipped in sorted(notebooks.glob("*.ipynb")):
        try:
            notebook = read(shipped)
        except ValueError:
            sentences.append(_say("damaged", name=shipped.name))
            continue
        sentences += _follow(notebook, workbook / shipped.name, record, today)
    if record != before:
        write_whole(workbook / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return sentences


def read(path: Path) -> dict:
    """The notebook at `path`; ValueError if that is none."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError(f"{path.name} is not a notebook")
    return notebook


def fingerprint(notebook: dict) -> str:
    """A hash of the kinds and sources of the cells, blind to outputs, counts and metadata."""
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Write a file so that, whenever the machine stops, the old or the new one is there and never a part of one."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)


def _follow(notebook: dict, copy: Path, record: dict, today: str) -> list[str]:
    """Deal with one chapter by the table above; changes `record`."""
    version, recorded = fingerprint(notebook), record.get(copy.name)
    held = _held(copy)
    if held == "unreadable":
        aside = _free(copy, f"unreadable {today}")
        os.replace(copy, aside)
        _put(notebook, copy, record)
        return [_say("unreadable", name=copy.name, aside=aside.name)]
    if held is None:
        _put(notebook, copy, record)
        return [_say("copied", name=copy.name)]
    if held == version:
        record[copy.name] = version
        return []
    if recorded == version:
        return []
    if held == recorded:
        _put(notebook, copy, record)
        return [_say("followed", name=copy.name)]
    return _offer(notebook, copy, record, today)


def _offer(notebook: dict, copy: Path, record: dict, today: str) -> list[str]:
    """Lay a new version beside a changed copy, in place of an earlier offer that nobody touched."""
    version = fingerprint(notebook)
    offers = [path for path in copy.parent.glob("*.ipynb") if path.name.startswith(f"{copy.stem} (new ")]
    held = {path: _held(path) for path in offers}
    fresh = next((path for path in offers if held[path] == version), None)
    stale = [path for path in offers if path is not fresh and held[path] == record.get(path.name)]
    if fresh is None:
        fresh = next((path for path in stale if f"(new {today})" in path.name), None) or _free(copy, f"new {today}")
        _put(notebook, fresh, record)
    record[fresh.name] = record[copy.name] = version
    for path in stale:
        if path != fresh:
            path.unlink()
            del record[path.name]
    return [_say("offered", name=copy.name, beside=fresh.name)]


def _held(path: Path) -> str | None:
    """The fingerprint of the copy at `path`; None where there is none, "unreadable" where it is no notebook."""
    try:
        return fingerprint(read(path))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return "unreadable"


def _put(notebook: dict, path: Path, record: dict) -> None:
    """Write a copy without the outputs that would give an answer away; record what it was made from."""
    cells = [_emptied(cell) if _hides(cell) else cell for cell in notebook["cells"]]
    write_whole(path, json.dumps({**notebook, "cells": cells}, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    record[path.name] = fingerprint(notebook)


def _hides(cell: dict) -> bool:
    return cell["cell_type"] == "code" and HIDE in cell.get("metadata", {}).get("tags", [])


def _emptied(cell: dict) -> dict:
    """Without output, and unfolded: what the learner's own run shows is to be seen."""
    metadata = {name: value for name, value in cell["metadata"].items() if name != "jupyter"}
    return {**cell, "outputs": [], "execution_count": None, "metadata": metadata}


def _free(copy: Path, label: str) -> Path:
    """The first unused name `03_attention (label).ipynb`, `03_attention (label) 2.ipynb`, …"""
    names = (f"{copy.stem} ({label}){number}{copy.suffix}" for number in ["", *(f" {n}" for n in range(2, 1000))])
    return next(path for path in map(copy.with_name, names) if not path.exists())


def _say(sentence: str, /, **values) -> str:
    return table("start")["workbook"][sentence].format(**values)


def _read_record(workbook: Path, today: str) -> tuple[dict, list[str]]:
    """The record and what to say; an unreadable one is renamed, and every copy then counts as changed."""
    path = workbook / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise ValueError
        return record, []
    except FileNotFoundError:
        return {}, []
    except ValueError:
        aside = _free(path, f"unreadable {today}")
        os.replace(path, aside)
        return {}, [_say("record", name=RECORD, aside=aside.name)]
