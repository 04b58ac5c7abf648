"""What `start.py test` runs: pytest on the package, on the notebooks and in the browser; the count of all comes last.

    .venv/bin/python tests/run.py [arguments of pytest]

Arguments that name files or folders are run alone; others, such as `-k softmax`, go to each of the three.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PARALLEL = ["-n", "2", "--dist", "loadfile"]
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/sanitize.cfg", "--nbval-cell-timeout=120"]
SUITES = {  # name: arguments of pytest
    "package": ["tests", "--ignore=tests/browser", *PARALLEL],
    "notebooks": ["notebooks", *NBVAL, *PARALLEL],
    "browser": ["tests/browser", *PARALLEL],
}
NOTHING_COLLECTED = 5  # pytest's exit code


def suites(words: list[str]) -> dict[str, list[str]]:
    """The runs of pytest to make, {name: arguments}."""
    paths = [word.partition("::")[0] for word in words if not word.startswith("-")]
    paths = [path for path in paths if (ROOT / path).exists()]
    if not paths:
        return {name: [*arguments, *words] for name, arguments in SUITES.items()}
    notebooks = any(path.endswith(".ipynb") or (ROOT / path) == ROOT / "notebooks" for path in paths)
    return {"chosen": [*(NBVAL if notebooks else []), *words]}


def count(report: Path) -> Counter:
    """How many tests of a JUnit file passed, failed and were skipped; nothing if pytest wrote none."""
    total = Counter()
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            results = {child.tag for child in case}
            total["failed" if results & {"failure", "error"} else "skipped" if "skipped" in results else "passed"] += 1
    return total


def run(name: str, arguments: list[str], report: Path) -> tuple[int, Counter]:
    """Run pytest once.  Returns its exit code and the count."""
    print(f"\n== {name}: pytest {' '.join(arguments)}", flush=True)
    colour = [] if sys.stdout.isatty() else ["--color=no"]
    command = [sys.executable, "-m", "pytest", *colour, *arguments, f"--junit-xml={report}"]
    return subprocess.call(command, cwd=ROOT), count(report)


def main(words: list[str]) -> int:
    os.environ.setdefault("COURSE_QUICK", "1")
    total = Counter()
    with tempfile.TemporaryDirectory(prefix="course-reports-") as folder:
        for name, arguments in suites(words).items():
            code, found = run(name, arguments, Path(folder, f"{name}.xml"))
            empty_on_request = code == NOTHING_COLLECTED and words  # such as -k softmax among the browser tests
            if code and not empty_on_request and not found["failed"]:
                print(f"{name}: pytest ended with {code}, which counts as a failed test.", flush=True)
                found["failed"] = 1
            total += found
    if not total:
        print("No test was found, which counts as a failed test.", flush=True)
        total["failed"] = 1
    print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped", flush=True)
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
