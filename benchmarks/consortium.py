"""`make bench-consortium`: validators as real processes, contract calls until they are final.

Four validators, then seven, each a node with its CometBFT, all on this machine with the load
generator. At a steady pace the latency is that of a member's app; at saturation each sender keeps a
bounded number of transactions on their way. In the same run, with the same client, CometBFT's own
kvstore application with as many validators: what the engine alone can do here.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

from benchmarks.finality import (
    Lane,
    Prepared,
    engine_follower,
    ethereum_follower,
    ethereum_request,
    measure_finality,
)
from benchmarks.kvstore import KvNetwork, kvstore_network
from benchmarks.measure import Row, peak_memory_mib, print_table, processor_time, row
from ledger.consensus.cometbft import find_engine
from tests.acceptance.consortium.hosts import LoopbackHosts
from tests.acceptance.consortium.load import CALL_GAS, PUT, new_senders, sign
from tests.acceptance.consortium.network import Network, found_network
from tests.acceptance.consortium.scene import Scene

SENDERS: Final = 16
PACES: Final = (20, 50, 100)
WINDOW: Final = 25
"""Transactions of one sender on their way at once, at saturation."""


@dataclass
class Consortium:
    """Our nodes under measurement; a sender's nonces go on from case to case."""

    scene: Scene
    nonce: int = 0

    @property
    def urls(self) -> list[str]:
        """JSON-RPC of each node."""
        return [str(member.ready["rpc"]) for member in self.scene.network.members]

    @property
    def pids(self) -> list[int]:
        """Of each node."""
        processes = [member.process for member in self.scene.network.members]
        return [process.pid for process in processes if process is not None]

    def lanes(self, count: int) -> list[Lane]:
        """`count` signed calls, spread over the senders, and they over the nodes."""
        each = count // len(self.scene.senders)
        lanes = []
        for index, sender in enumerate(self.scene.senders):
            url = self.urls[index % len(self.urls)]
            place = urlsplit(url)
            calls = [self._call(url, index, sender, self.nonce + number) for number in range(each)]
            lanes.append(Lane(str(place.hostname), int(place.port or 80), calls))
        self.nonce += each
        return lanes

    def _call(self, url: str, lane: int, sender: LocalAccount, nonce: int) -> Prepared:
        stage = self.scene.stage
        data = PUT + (lane << 32 | nonce).to_bytes(32, "big") + (nonce + 1).to_bytes(32, "big")
        signed = sign(
            sender,
            stage.chain_id,
            nonce,
            CALL_GAS,
            to=to_checksum_address(stage.contract),
            data=data,
        )
        return Prepared(signed.tx_hash, ethereum_request(url, signed.raw))


@contextmanager
def consortium(members: int) -> Iterator[Consortium]:
    """A network of our nodes, with a contract and permitted senders."""
    base = Path(tempfile.mkdtemp(prefix="tally-bench-"))
    try:
        with LoopbackHosts(members) as hosts:
            found_network(base / "network", hosts)
            with Network(base / "network", hosts) as network, Scene(network) as scene:
                scene.senders = new_senders(SENDERS)
                network.start()
                scene.set_stage()
                yield Consortium(scene)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def measure_ours(target: Consortium, count: int, case: str, pace: float | None = None) -> Row:
    """One case on our network."""
    lanes = target.lanes(count)
    before = processor_time(target.pids)
    found = asyncio.run(
        measure_finality(ethereum_follower, target.urls[0], lanes, pace_per_s=pace, window=WINDOW)
    )
    used = processor_time(target.pids).since(before)
    note = (
        f"processor a transaction, all nodes: {used.engine_s / found.done * 1000:.1f} ms engine, "
        f"{used.application_s / found.done * 1000:.1f} ms node"
    )
    peak = sum(map(peak_memory_mib, target.pids))
    return row(case, found.done, found.seconds, found.latencies_s, peak, note)


def measure_kvstore(target: KvNetwork, count: int, case: str, pace: float | None = None) -> Row:
    """The same case on CometBFT's kvstore."""
    lanes = target.lanes(count, SENDERS, f"{case}-{count}-")
    before = processor_time(target.pids)
    found = asyncio.run(
        measure_finality(engine_follower, target.urls[0], lanes, pace_per_s=pace, window=WINDOW)
    )
    used = processor_time(target.pids).since(before)
    note = f"processor a transaction, all nodes: {used.engine_s / found.done * 1000:.1f} ms"
    peak = sum(map(peak_memory_mib, target.pids))
    return row(case, found.done, found.seconds, found.latencies_s, peak, note)


def cases(
    count: int, seconds: float, paces: Sequence[int]
) -> Iterator[tuple[str, int, float | None]]:
    """What is measured: name, transactions, pace."""
    for pace in paces:
        yield f"at {pace}/s", max(SENDERS, int(pace * seconds)), float(pace)
    yield f"saturated, {SENDERS} x {WINDOW} on their way", count, None


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, nargs="+", default=[4, 7])
    parser.add_argument("--paces", type=int, nargs="*", default=list(PACES))
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each pace is kept")
    parser.add_argument("--transactions", type=int, default=4_000, help="at saturation")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    program = find_engine()
    for members in options.members:
        rows: list[Row] = []
        with consortium(members) as ours:
            measure_ours(ours, 10 * SENDERS, "warm-up")
            for case, count, pace in cases(options.transactions, options.seconds, options.paces):
                rows.append(measure_ours(ours, count, f"tallystick, {case}", pace))
        with kvstore_network(program, members) as peer:
            measure_kvstore(peer, 10 * SENDERS, "warm-up")
            for case, count, pace in cases(options.transactions, options.seconds, options.paces):
                rows.append(measure_kvstore(peer, count, f"CometBFT kvstore, {case}", pace))
        print_table(
            f"Consortium of {members} validators: contract calls, until final", rows, options.json
        )


if __name__ == "__main__":
    main()
