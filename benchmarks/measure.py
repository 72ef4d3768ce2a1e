"""Measuring and printing: latencies, peak memory, the machine, the table."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. Throughput and latency always stand together (L3)."""

    case: str
    done: int
    """Requests, transactions or events done."""
    seconds: float
    per_second: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    peak_mib: float | None
    """Peak resident memory of the serving processes together."""
    note: str = ""


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile. Requires a non-empty ascending sequence, 0 < share <= 1."""
    rank = max(1, -(-len(sorted_values) * share // 1))
    return sorted_values[int(rank) - 1]


def row(
    case: str,
    done: int,
    seconds: float,
    latencies_s: Sequence[float] = (),
    peak_mib: float | None = None,
    note: str = "",
) -> Row:
    """Make a row from raw measurements."""
    ordered = sorted(latencies_s)
    p50, p95, p99 = (
        (percentile(ordered, share) * 1000 if ordered else None) for share in (0.5, 0.95, 0.99)
    )
    return Row(case, done, seconds, done / seconds, p50, p95, p99, peak_mib, note)


def peak_memory_mib(pid: int) -> float:
    """Sum of the peak resident memory (VmHWM) of a process and its descendants, in MiB.

    Peaks of the processes need not fall together, so this is an upper bound.
    """
    total_kib = 0
    for one in (pid, *_descendants(pid)):
        try:
            for line in Path(f"/proc/{one}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total_kib += int(line.split()[1])
        except FileNotFoundError:
            continue
    return total_kib / 1024


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Processor seconds that a set of processes has used so far."""

    engine_s: float
    """CometBFT."""
    application_s: float
    """Everything else: our node, its workers."""

    def since(self, before: ProcessorTime) -> ProcessorTime:
        """What was used in between."""
        return ProcessorTime(
            self.engine_s - before.engine_s, self.application_s - before.application_s
        )


def processor_time(pids: Sequence[int]) -> ProcessorTime:
    """User and system time (proc(5), stat) of processes and their descendants.

    Children that have ended and were waited for count for their parent's side.
    """
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    engine = application = 0
    for one in {each for pid in pids for each in (pid, *_descendants(pid))}:
        try:
            name, _, rest = Path(f"/proc/{one}/stat").read_text().partition("(")[2].rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        used = sum(map(int, rest.split()[11:15]))
        if name == "cometbft":
            engine += used
        else:
            application += used
    return ProcessorTime(engine / ticks_per_s, application / ticks_per_s)


def _descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parent = int(stat.rsplit(")", 1)[1].split()[1])
            parents.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    queue = [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found.extend(children)
        queue.extend(children)
    return found


def machine() -> str:
    """The machine in one line, so that a table can be read later."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return (
        f"{os.cpu_count()} cores ({model}), {memory_kib / 1024 / 1024:.0f} GiB, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )


def print_table(title: str, rows: Sequence[Row], as_json: bool = False) -> None:
    """Print a Markdown table, or one JSON object with the same content."""
    if as_json:
        print(json.dumps({"title": title, "machine": machine(), "rows": [asdict(r) for r in rows]}))
        return
    print(f"\n{title}\n{machine()}\n")
    print("| case | done | s | per second | p50 ms | p95 ms | p99 ms | peak MiB | note |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|---|")
    for one in rows:
        cells = [one.p50_ms, one.p95_ms, one.p99_ms, one.peak_mib]
        shown = " | ".join("–" if cell is None else f"{cell:.1f}" for cell in cells)
        print(
            f"| {one.case} | {one.done:,} | {one.seconds:.1f} | {one.per_second:,.0f} "
            f"| {shown} | {one.note} |"
        )
    print()
