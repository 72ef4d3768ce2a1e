"""Real engines around real ledgers, all in one process: as many validators as a test wants."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.chain import Genesis, Ledger
from ledger.consensus.cometbft import (
    CometBftDriver,
    EngineSettings,
    ensure_node_key,
    ensure_validator_key,
)
from ledger.tlog import NoteSigner
from tests.ledger.consensus.cometbft.support import Node, consortium_genesis


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def until(condition: Callable[[], bool], timeout_s: float = 30, what: str = "it") -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come to be in {timeout_s:g} s"
        time.sleep(0.02)


@dataclass
class Member:
    """A node: its ledger, its driver, its folder."""

    index: int
    folder: Path
    settings: EngineSettings
    genesis: Genesis
    node_id: bytes
    ledger: Ledger = field(init=False)
    driver: CometBftDriver = field(init=False)

    def open(self) -> None:
        """Open the ledger and start the driver."""
        signer = NoteSigner("tallystick.example/test", bytes([self.index + 1]) * 32)
        self.ledger = Ledger.open(
            self.folder / "ledger", genesis=self.genesis, signer=signer, map_size_bytes=1 << 30
        )
        self.driver = CometBftDriver(self.ledger, self.settings)
        self.driver.start()

    def close(self) -> None:
        """Stop the driver and close the ledger."""
        self.driver.stop()
        self.ledger.close()


@dataclass
class Net:
    """The members of one network."""

    members: list[Member]

    def __getitem__(self, index: int) -> Member:
        return self.members[index]

    def roots(self) -> set[bytes]:
        """Log roots of all."""
        return {member.ledger.log.root for member in self.members}

    def wait_equal(self, number: int, timeout_s: float = 60) -> None:
        """Wait until all have block `number`, and see that they have the same one."""
        ledgers = [member.ledger for member in self.members]
        until(
            lambda: all(one.head().header.number >= number for one in ledgers),
            timeout_s,
            f"block {number} on all nodes",
        )
        hashes = {block.hash for one in ledgers if (block := one.block(number)) is not None}
        assert len(hashes) == 1


def make_members(
    folder: Path, count: int, genesis_changes: dict[str, Any] | None = None, **settings: Any
) -> list[Member]:
    """Members of a new network, not yet open."""
    ports = free_ports(count)
    homes = [folder / f"node{index}" / "engine" for index in range(count)]
    ids = [ensure_node_key(home) for home in homes]
    keys = [ensure_validator_key(home) for home in homes]
    genesis = consortium_genesis(
        [Node(node_id, key) for node_id, key in zip(ids, keys, strict=True)],
        **(genesis_changes or {}),
    )
    addresses = [f"{i.hex()}@127.0.0.1:{port}" for i, port in zip(ids, ports, strict=True)]
    return [
        Member(
            index,
            homes[index].parent,
            EngineSettings(
                homes[index],
                p2p_listen=f"127.0.0.1:{ports[index]}",
                peers=tuple(one for place, one in enumerate(addresses) if place != index),
                **settings,
            ),
            genesis,
            ids[index],
        )
        for index in range(count)
    ]


@contextmanager
def network(folder: Path, count: int, **settings: Any) -> Iterator[Net]:
    """A running network; all its processes end with the block."""
    net = Net(make_members(folder, count, **settings))
    try:
        for member in net.members:
            member.open()
        for member in net.members:
            member.driver.wait_ready(60)
        yield net
    finally:
        for member in net.members:
            if hasattr(member, "driver"):
                member.close()
