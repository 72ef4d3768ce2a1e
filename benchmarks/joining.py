"""`make bench-joining`: a new member comes in by snapshot, beside replaying all blocks.

The chain is a real one: every block holds a signed call that writes ten new slots and emits an
event, and was executed and committed one after the other. Replay is `import_block`, as a node does
that fetches blocks. Where replaying everything would take too long, a number of first blocks and a
number of blocks on the full state are replayed, and the whole is reckoned from the mean of the
two: the table says so.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, print_table, row
from ledger.chain import Genesis, Ledger, encode_block
from ledger.chain.records import read_header, read_raw_transactions
from ledger.crypto import AccountKey
from ledger.evm import decode_transaction, encode_header
from ledger.snapshot import Restorer, SnapshotStore, make_snapshot
from ledger.store import Snapshot, Store
from ledger.tlog import NoteSigner
from ledger.types import Transaction
from tests.ledger.chain.support import CHAIN_ID, genesis_document

PROJECT = Path(__file__).resolve().parent.parent
WRITER = "0x7a1100000000000000000000000000000000b00c"
KEY = AccountKey((1).to_bytes(32, "big"))
GAS = 1_000_000


def writer_code(slots: int) -> str:
    """A contract that writes `slots` slots of 32 bytes from its first word on, and logs it."""
    return "0x5f35" + "80198155600101" * slots + "50" + "365f5f37" + "602a365fa1" + "00"


def genesis(slots_each: int) -> Genesis:
    document: dict[str, Any] = genesis_document()
    document["alloc"][WRITER] = {"nonce": "0x1", "code": writer_code(slots_each)}
    return Genesis.parse(document)


def open_ledger(path: Path, slots_each: int) -> Ledger:
    signer = NoteSigner("tallystick.example/test", bytes(range(32)))
    return Ledger.open(path, genesis=genesis(slots_each), signer=signer)


def calls(first: int, count: int, slots_each: int) -> Iterator[Transaction]:
    for number in range(first, first + count):
        raw = KEY.sign_transaction(
            {
                "chainId": CHAIN_ID,
                "nonce": number,
                "to": bytes.fromhex(WRITER[2:]),
                "value": 0,
                "gas": GAS,
                "data": (1 + number * slots_each).to_bytes(32, "big"),
                "maxFeePerGas": 0,
                "maxPriorityFeePerGas": 0,
                "type": 2,
                "accessList": [],
            }
        )
        yield decode_transaction(raw)


# ---- each step in a process of its own, so that its memory is its own --------------------------


def step_build(place: Path, first: int, count: int, slots_each: int) -> dict[str, float]:
    """Blocks `first` + 1 and following of the source chain."""
    with open_ledger(place / "source", slots_each) as ledger:
        start = ledger.genesis.block.header.timestamp
        begun = time.perf_counter()
        for number, call in enumerate(calls(first, count, slots_each), first):
            ledger.append_block([call], start + number)
        return {"seconds": time.perf_counter() - begun}


def step_make(place: Path) -> dict[str, float]:
    begun = time.perf_counter()
    info = make_snapshot(place / "source", place / "snapshots")
    took = time.perf_counter() - begun
    shelf = SnapshotStore(place / "snapshots")
    size = sum(len(shelf.chunk(info.height, index)) for index in range(info.chunks))
    plain = json.loads(info.metadata)["sizeBytes"]
    return {"seconds": took, "bytes": size, "plain": plain, "chunks": info.chunks}


def step_apply(place: Path, slots_each: int) -> dict[str, float]:
    shelf = SnapshotStore(place / "snapshots")
    info = shelf.list()[0]
    root = bytes.fromhex(json.loads(info.metadata)["logRoot"][2:])
    with open_ledger(place / "joined", slots_each) as ledger, Restorer(ledger) as restorer:
        begun = time.perf_counter()
        restorer.offer(info, root)
        for index in range(info.chunks):
            restorer.apply(index, shelf.chunk(info.height, index))
        took = time.perf_counter() - begun
        assert ledger.head().header.number == info.height
    return {"seconds": took, "bytes": _file_size(place / "joined")}


def step_replay(
    place: Path, target: str, first: int, count: int, slots_each: int
) -> dict[str, float]:
    """Import blocks of the source into another ledger that has those before."""
    with (
        Store.open(place / "source", readonly=True) as store,
        store.snapshot() as snapshot,
        open_ledger(place / target, slots_each) as ledger,
    ):
        begun = time.perf_counter()
        for number in range(first, first + count):
            ledger.import_block(_block(snapshot, number))
        took = time.perf_counter() - begun
    return {"seconds": took}


def _block(snapshot: Snapshot, number: int) -> bytes:
    header = read_header(snapshot, number)
    assert header is not None
    return encode_block(encode_header(header[0]), read_raw_transactions(snapshot, number))


def _file_size(chain: Path) -> int:
    return os.stat(chain / "ledger.mdb").st_blocks * 512


STEPS: dict[str, Callable[..., dict[str, float]]] = {
    "build": step_build,
    "make": step_make,
    "apply": step_apply,
    "replay": step_replay,
}


class Memory:
    """Peak of this process's own memory, without the pages of the store that it has mapped: these
    are the kernel's, which takes them back when it needs them."""

    def __init__(self) -> None:
        self._peak_kib = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def peak_mib(self) -> float:
        self._look()
        return self._peak_kib / 1024

    def _watch(self) -> None:
        while True:
            self._look()
            time.sleep(0.1)

    def _look(self) -> None:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                self._peak_kib = max(self._peak_kib, int(line.split()[1]))


def run(step: str, *arguments: object) -> dict[str, float]:
    """A step in a process of its own; what it measured, with its peak memory."""
    command = [sys.executable, "-m", "benchmarks.joining", "--step", step]
    command += ["--arguments", json.dumps([str(arguments[0]), *arguments[1:]])]
    done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(place: Path, blocks: int, slots_each: int, replayed: int) -> list[Row]:
    """All rows."""
    whole = replayed >= blocks
    built = run("build", place, 0, blocks, slots_each)
    made = run("make", place)
    applied = run("apply", place, slots_each)
    first = run("replay", place, "replayed", 1, min(replayed, blocks), slots_each)
    source = _file_size(place / "source")
    rows = [
        row("executing all blocks at the source", blocks, built["seconds"], (), built["peak"],
            f"{_used(built)}; {_mib(source)} on disk, all past states kept"),
        row("making the snapshot", blocks, made["seconds"], (), made["peak"],
            f"{_used(made)}; {made['chunks']:.0f} chunks, {_mib(made['bytes'])} "
            f"({_mib(made['plain'])} before compression)"),
        row("joining: applying the snapshot", blocks, applied["seconds"], (), applied["peak"],
            f"{_used(applied)}; {_mib(applied['bytes'])} on disk"),
    ]  # fmt: skip
    if whole:
        rows.append(
            row("replay of all blocks", blocks, first["seconds"], (), first["peak"], _used(first))
        )
        return rows
    run("build", place, blocks, replayed, slots_each)
    last = run("replay", place, "joined", blocks + 1, replayed, slots_each)
    mean = (first["seconds"] + last["seconds"]) / 2 / replayed * blocks
    rows += [
        row(f"replay of the first {replayed:,} blocks", replayed, first["seconds"], (),
            first["peak"], _used(first)),
        row(f"replay of {replayed:,} blocks on the full state, in the joined ledger", replayed,
            last["seconds"], (), last["peak"], _used(last)),
        row("replay of all blocks, reckoned", blocks, mean, (), None,
            "not measured: mean of the two rows above, times all blocks"),
    ]  # fmt: skip
    return rows


def _used(step: dict[str, float]) -> str:
    """Processor time, which other work on the machine leaves as it is; opening is part of it."""
    return f"{step['processor']:.1f} s of processor"


def _mib(size: float) -> str:
    return f"{size / (1 << 20):,.0f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=100_000)
    parser.add_argument("--slots", type=int, default=1_000_000)
    parser.add_argument("--replayed", type=int, default=5_000, help="blocks to replay")
    parser.add_argument("--dir", type=Path, help="where the chains go (default: a temporary one)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--step", choices=sorted(STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--arguments", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        place, *rest = options.arguments
        memory = Memory()
        found = STEPS[options.step](Path(place), *rest)
        used = resource.getrusage(resource.RUSAGE_SELF)
        own = {"peak": memory.peak_mib(), "processor": used.ru_utime + used.ru_stime}
        print(json.dumps(found | own))
        print(options.step, found | own, file=sys.stderr)
        return
    place = Path(tempfile.mkdtemp(prefix="tally-joining-", dir=options.dir))
    try:
        slots_each = max(1, options.slots // options.blocks)
        rows = measure(place, options.blocks, slots_each, options.replayed)
        title = f"Joining: {options.blocks:,} blocks, {options.blocks * slots_each:,} slots"
        print_table(title, rows, options.json)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
