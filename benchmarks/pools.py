"""`make bench-pools`: the daily job of a securitisation, on the asset book alone.

A tape of 1,500,000 loans is loaded under eligibility rules, 50,000 of them change on the next day,
and single assets are proved on both days, each proof in a book that was just opened.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

from benchmarks.measure import Row, peak_memory_mib, print_table, row
from contracts.pools.book import AssetBook
from contracts.pools.eligibility import Rules
from contracts.pools.loading import load_book
from contracts.pools.rows import read_rows
from ledger.types import Hash32

FIRST = date(2027, 1, 4)
RULES = Rules.parse(
    b'{"version":1,"rules":[{"field":"balance","atLeast":1,"atMost":100000000},'
    b'{"field":"region","in":["JS","ZJ","SH","AH"]},{"field":"maturity","atMost":"2031-12-31"}],'
    b'"limits":[{"by":"region","shareBpMax":6000}]}'
)


def write_tape(path: Path, count: int, rng: random.Random) -> None:
    """A loan tape with invented loans."""
    with path.open("w", encoding="utf-8") as out:
        out.write("reference,balance,daysPastDue,debtor,region,maturity,rateBp\n")
        for number in range(count):
            days = rng.randrange(1, 90) if rng.random() < 0.05 else 0
            out.write(
                f"LOAN-{number:09d},{rng.randrange(1_000, 10_000_000)},{days},"
                f"C{rng.randrange(1_000_000):07d},{rng.choice(('JS', 'ZJ', 'SH', 'AH'))},"
                f"20{rng.randrange(27, 32)}-0{rng.randrange(1, 10)}-15,{rng.randrange(300, 900)}\n"
            )


def write_changes(path: Path, count: int, changed: int, rng: random.Random) -> None:
    """What one day has changed."""
    with path.open("w", encoding="utf-8") as out:
        out.write("reference,balance,daysPastDue\n")
        for number in rng.sample(range(count), changed):
            out.write(
                f"LOAN-{number:09d},{rng.randrange(10_000_000)},{rng.choice((0, 0, 1, 31))}\n"
            )


def prove(path: Path, references: Sequence[str], day: date) -> list[float]:
    """Seconds for each proof: open, find, prove, encode. Each is verified, outside the time."""
    found = []
    for reference in references:
        started = time.perf_counter()
        with AssetBook(path) as book:
            proof = book.prove(reference, day, show_attributes=True)
            proof.encode()
            found.append(time.perf_counter() - started)
            state = book.state(day)
        if state is None:
            raise RuntimeError(f"no state of {day}")
        proof.verify(state.day.root, state.day.count)
    return found


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(folder: Path, assets: int, changed: int, proofs: int) -> list[Row]:
    """Load, update, prove."""
    rng = random.Random(7)
    tape, changes, path = folder / "tape.csv", folder / "changes.csv", folder / "pool.book"
    write_tape(tape, assets, rng)
    write_changes(changes, assets, changed, rng)
    pool, second = Hash32(bytes(32)), FIRST + timedelta(days=1)
    seconds = timed(lambda: load_book(path, read_rows(tape), pool=pool, day=FIRST, rules=RULES))
    size = path.stat().st_size >> 20
    rows = [row("load", assets, seconds, (), peak_memory_mib(os.getpid()), f"{size} MiB on disk")]
    with AssetBook(path) as book:
        seconds = timed(lambda: book.update(second, read_rows(changes)))
    rows.append(row("update of a day", changed, seconds, (), peak_memory_mib(os.getpid())))
    references = [f"LOAN-{number:09d}" for number in rng.sample(range(assets), proofs)]
    for name, day in (("proof, newest day", second), ("proof, former day", FIRST)):
        latencies = prove(path, references, day)
        peak = peak_memory_mib(os.getpid())
        rows.append(row(name, proofs, sum(latencies), latencies, peak))
    return rows


def main() -> None:
    """Entry of `python -m benchmarks.pools`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=1_500_000)
    parser.add_argument("--changed", type=int, default=50_000)
    parser.add_argument("--proofs", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tally-pools-") as folder:
        rows = run(Path(folder), options.assets, options.changed, options.proofs)
    print_table("Asset pool: the daily job", rows, options.json)


if __name__ == "__main__":
    main()
