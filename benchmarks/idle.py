"""`make bench-idle`: what a consortium of four costs while nobody does anything.

Real processes on this machine, after a few transactions so that there is something to keep. Asked:
less than 3 % of a core for each node with its engine, no block, and a disk that does not grow.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.consortium import SENDERS, Consortium, consortium, measure_ours
from benchmarks.measure import machine, peak_memory_mib, processor_time

SETTLE_S = 15.0
"""After the last transaction: witnesses gather, projections catch up, Go frees memory."""


@dataclass(frozen=True, slots=True)
class Idle:
    """One node over the whole time."""

    organisation: str
    engine_percent: float
    """Of one core."""
    node_percent: float
    blocks: int
    disk_growth_bytes: int
    """Of all files in the node's folder, as the disk counts them."""
    peak_mib: float


def disk_usage(folder: Path) -> int:
    """Bytes that a folder takes on disk."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def watch(target: Consortium, seconds: float) -> list[Idle]:
    """Look, wait, look again."""
    network = target.scene.network
    members = network.members
    before = [
        (processor_time([pid]), network.head(index), disk_usage(member.directory))
        for index, (member, pid) in enumerate(zip(members, target.pids, strict=True))
    ]
    began = time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - began
    found = []
    for index, (member, pid) in enumerate(zip(members, target.pids, strict=True)):
        processor, head, disk = before[index]
        used = processor_time([pid]).since(processor)
        found.append(
            Idle(
                organisation=member.organisation,
                engine_percent=used.engine_s / elapsed * 100,
                node_percent=used.application_s / elapsed * 100,
                blocks=network.head(index) - head,
                disk_growth_bytes=disk_usage(member.directory) - disk,
                peak_mib=peak_memory_mib(pid),
            )
        )
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with consortium(options.members) as ours:
        measure_ours(ours, 20 * SENDERS, "something to keep")
        time.sleep(SETTLE_S)
        found = watch(ours, options.seconds)
    title = f"Idle consortium of {options.members}, {options.seconds:.0f} s"
    if options.json:
        rows = [asdict(one) for one in found]
        print(json.dumps({"title": title, "machine": machine(), "rows": rows}))
        return
    print(f"\n{title}\n{machine()}\n")
    print(
        "| node | engine, % of a core | node, % | together, % | blocks | disk, bytes | peak MiB |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    for one in found:
        both = one.engine_percent + one.node_percent
        print(
            f"| {one.organisation} | {one.engine_percent:.2f} | {one.node_percent:.2f} "
            f"| {both:.2f} | {one.blocks} | {one.disk_growth_bytes:,} | {one.peak_mib:.0f} |"
        )
    print()


if __name__ == "__main__":
    main()
