"""Measure what the course promises, each line beside its peers in the same run.

    python -m course.bench                    everything
    python -m course.bench --quick            fewer repetitions
    python -m course.bench explorer_latency   one measurement
    python -m course.bench --json FILE        also as JSON, with all samples

Only ratios taken in one run mean something on a machine that is shared.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

from course.bench.report import Machine, as_json, as_text

# Each is a module of this package with `missing() -> str` ("" or one sentence) and `measure(quick) -> list[Row]`.
MEASUREMENTS = ("explorer_latency", "explorer_bytes", "explorer_model", "checks", "tokenizer")
PACKAGES = ("numpy", "matplotlib", "ipywidgets", "anywidget", "jupyterlab", "playwright", "bertviz", "circuitsvis",
            "tokenizers", "transformers")  # fmt: skip


def main(arguments=None) -> int:
    """Runs the measurements asked for; returns 0, or 1 when a budget was missed or a measurement could not run."""
    parser = argparse.ArgumentParser(prog="python -m course.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which measurements: {', '.join(MEASUREMENTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows, samples and machine to FILE")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]!r}; there are: {', '.join(MEASUREMENTS)}")

    machine = Machine.here(PACKAGES)
    machine.note_load()
    rows, failed = [], False
    for name in options.names or MEASUREMENTS:
        module = importlib.import_module(f"course.bench.{name}")
        reason = module.missing()
        if reason:
            print(f"{name} not measured: {reason}", file=sys.stderr)
            failed = True
            continue
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += module.measure(options.quick)
    machine.note_load()
    if rows:
        print(as_text(rows, machine))
    if options.json:
        options.json.write_text(json.dumps(as_json(rows, machine), ensure_ascii=False, indent=1), encoding="utf-8")
    return int(failed or any(row.budget is not None and row.median > row.budget for row in rows))


if __name__ == "__main__":
    sys.exit(main())
