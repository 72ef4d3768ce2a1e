"""Alignment of two parties' ids in two processes over mutual TLS, beside the bare multiplications.

`python -m benchmarks.alignment [--ids 100000] [--common 0.5] [--threads 1] [--json]`

Both processes share the machine's cores. First each multiplies bare points (X25519 of libsodium in
a plain loop) for a second or two, at the same time as the other: four multiplications for each of
the ids are needed whatever is around them, and that is the limit set beside the figure. Processor
time is told too, for a machine that is busy with something else stretches the clock only.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import secrets
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any

from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base

from benchmarks.measure import machine
from federation.alignment import AlignmentSettings, align_as_guest, align_as_host
from federation.channel import (
    Address,
    Identity,
    Listener,
    create_authority,
    issue_identity,
    open_tls_channel,
)

RUN = "0x" + "11" * 32
CODE = bytes(32)
BARE = 20_000


@dataclass(frozen=True, slots=True)
class Side:
    """What one party measured."""

    seconds: float
    processor_s: float
    bare_s: float
    """Clock time of `BARE` bare multiplications."""
    bare_processor_s: float
    sent_bytes: int
    peak_mib: float
    common: int
    digest: int
    """Hash of the aligned ids in their order: equal at both."""


@dataclass(frozen=True, slots=True)
class Result:
    """The figure and its limit."""

    ids: int
    common: int
    seconds: float
    processor_s: float
    """Of both parties together."""
    size_bytes: int
    """What both sent: messages with their frames, without TLS records and TCP."""
    multiplications: int
    limit_s: float
    """The same number of bare multiplications by both processes at once, by the clock."""
    limit_processor_s: float
    peak_mib: float


def bare() -> tuple[float, float]:
    """Clock and processor seconds of `BARE` multiplications in a plain loop."""
    secret = secrets.token_bytes(32)
    point = crypto_scalarmult_base(secrets.token_bytes(32))
    began, used = time.perf_counter(), time.process_time()
    for _ in range(BARE):
        point = crypto_scalarmult(secret, point)
    return time.perf_counter() - began, time.process_time() - used


def act(
    me: str,
    identity: Identity,
    ids: list[str],
    threads: int,
    address: Address | None,
    pipe: Connection,
    barrier: Any,
) -> None:
    """One party, in its process. The bank listens, and tells where."""
    listener = Listener() if address is None else None
    if listener is not None:
        pipe.send(listener.address)
    other = "mill" if me == "bank" else "bank"
    channel = open_tls_channel(
        RUN, me, identity, {other: address}, code=CODE, listener=listener, timeout_s=300
    )
    barrier.wait()
    bare_s, bare_processor_s = bare()
    barrier.wait()
    began, used = time.perf_counter(), time.process_time()
    settings = AlignmentSettings(threads=threads)
    if me == "bank":
        rows = align_as_guest(channel, [other], ids, settings)
    else:
        rows = align_as_host(channel, other, ids, settings)
    seconds, processor_s = time.perf_counter() - began, time.process_time() - used
    barrier.wait()
    pipe.send(
        Side(
            seconds,
            processor_s,
            bare_s,
            bare_processor_s,
            channel.traffic.sent_bytes,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            len(rows),
            hash(tuple(int(ids[row].removeprefix("id-")) for row in rows)),
        )
    )
    channel.close()


def measure(ids: int, common: float, threads: int) -> Result:
    """Align `ids` with `ids`, of which a share is common; both are in no particular order."""
    shared = round(ids * common)
    of_bank = [f"id-{n}" for n in range(ids)]
    of_mill = [f"id-{n}" for n in range(ids - shared, 2 * ids - shared)]
    authority = create_authority("Benchmark")
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    pipes = {}
    processes = []
    address = None
    for me, own in (("bank", of_bank), ("mill", of_mill)):
        ours, theirs = context.Pipe()
        arguments = (me, issue_identity(authority, me), own, threads, address, theirs, barrier)
        process = context.Process(target=act, args=arguments)
        process.start()
        processes.append(process)
        pipes[me] = ours
        if address is None:
            address = ours.recv()
    sides: list[Side] = [pipe.recv() for pipe in pipes.values()]
    for process in processes:
        process.join()
    bank, mill = sides
    assert (bank.common, bank.digest) == (mill.common, mill.digest)
    assert bank.common == shared
    needed = 4 * ids
    return Result(
        ids=ids,
        common=bank.common,
        seconds=max(bank.seconds, mill.seconds),
        processor_s=bank.processor_s + mill.processor_s,
        size_bytes=bank.sent_bytes + mill.sent_bytes,
        multiplications=needed,
        limit_s=needed / 2 / BARE * max(bank.bare_s, mill.bare_s),
        limit_processor_s=needed / 2 / BARE * (bank.bare_processor_s + mill.bare_processor_s),
        peak_mib=bank.peak_mib + mill.peak_mib,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ids", type=int, default=100_000)
    parser.add_argument("--common", type=float, default=0.5, help="share that both have")
    parser.add_argument("--threads", type=int, default=1, help="of each party")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = measure(arguments.ids, arguments.common, arguments.threads)
    if arguments.json:
        print(json.dumps({"machine": machine(), **asdict(result)}))
        return
    print(f"\nAlignment\n{machine()}\n")
    print("| ids of each | common | s | processor s | MB | MiB | bare s | bare processor s |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    print(
        f"| {result.ids:,} | {result.common:,} | {result.seconds:.1f} | {result.processor_s:.1f} "
        f"| {result.size_bytes / 1e6:.2f} | {result.peak_mib:.0f} "
        f"| {result.limit_s:.1f} | {result.limit_processor_s:.1f} |"
    )
    print(f"\n{result.multiplications:,} multiplications; the limit is those alone.\n")


if __name__ == "__main__":
    main()
