"""What a measurement gives back, and how it is printed: median, 95th percentile, spread, ratio to the peer, machine."""

import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One thing measured: its samples (in `unit`), the row it is a peer of, and what it must not exceed."""

    work: str  # what is done, the same for a row and its peers
    who: str  # who does it: "ours", or the peer's name
    unit: str
    samples: tuple[float, ...]
    budget: float | None = None  # for the median, in `unit`; None for peers
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        return percentile(self.samples, 95)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a part of the median."""
        return (percentile(self.samples, 75) - percentile(self.samples, 25)) / 2 / self.median if self.median else 0.0


def percentile(samples, percent: float) -> float:
    """The value below which `percent` of the samples lie, between neighbours by straight line (as NumPy's default)."""
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def ratios(rows: list[Row]) -> list[float | None]:
    """For each row, the peer's median divided by ours for the same work (above 1: ours is better); None for ours."""
    ours = {row.work: row.median for row in rows if row.who == "ours"}
    return [None if row.who == "ours" or not ours.get(row.work) else row.median / ours[row.work] for row in rows]


@dataclass
class Machine:
    """Where it was measured; `load` before and after tells how busy others kept it."""

    processor: str
    cores: int
    system: str
    python: str
    packages: dict[str, str]
    load: list[float] = field(default_factory=list)

    @classmethod
    def here(cls, packages) -> "Machine":
        found = {}
        for name in packages:
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(_processor(), cores, platform.platform(), platform.python_version(), found)

    def note_load(self) -> None:
        """Adds the mean number of waiting processes over the last minute, where the system tells it."""
        if hasattr(os, "getloadavg"):
            self.load.append(round(os.getloadavg()[0], 1))

    def describe(self) -> str:
        busy = f", load {' → '.join(map(str, self.load))}" if self.load else ""
        warning = "; busy: only ratios count" if self.load and max(self.load) > 1.5 * self.cores else ""
        packages = ", ".join(f"{name} {version}" for name, version in self.packages.items())
        return f"{self.processor}, {self.cores} cores{busy}{warning}\n{self.system}, Python {self.python}, {packages}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _short(x: float) -> str:
    """Three significant digits, never an exponent: 0.0512, 9.81, 412, 2170."""
    return f"{float(f'{x:.3g}'):.10f}".rstrip("0").rstrip(".")


def as_text(rows: list[Row], machine: Machine) -> str:
    """A table for reading: one line a row."""
    head = ("work", "who", "median", "p95", "spread", "peer ÷ ours", "budget", "")
    lines = [head]
    for row, ratio in zip(rows, ratios(rows)):
        verdict = "" if row.budget is None else f"≤ {row.budget:g} {'kept' if row.median <= row.budget else 'MISSED'}"
        lines.append((row.work, row.who, f"{_short(row.median)} {row.unit}", _short(row.p95) if len(row.samples) > 1 else "", f"±{row.spread:.0%}" if len(row.samples) > 1 else "",
                      "" if ratio is None else f"{ratio:.1f}", verdict, row.note))  # fmt: skip
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    table = "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines)
    return f"{table}\n\n{machine.describe()}"


def as_json(rows: list[Row], machine: Machine) -> dict:
    """The same for programs, with all samples."""
    listed = [asdict(row) | {"median": row.median, "p95": row.p95, "spread": row.spread, "peer_over_ours": ratio}
              for row, ratio in zip(rows, ratios(rows))]  # fmt: skip
    return {"rows": listed, "machine": asdict(machine)}
