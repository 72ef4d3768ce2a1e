"""What must hold after every fault: one log on all nodes, with all that was acknowledged, once.

Everything is fetched over HTTP and recomputed here from the entries themselves (RFC 6962 section
2.1), not taken from what a node says of itself.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from tests.acceptance.consortium.http import Http, Unreachable

TILE = 256
WATCH_S = 0.4


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint that a node has signed."""

    size: int
    root: bytes


class Nodes(Protocol):
    """What is asked of a network."""

    def api(self, index: int) -> Http: ...


class ForkSeen(AssertionError):
    """Two checkpoints of one size with different roots."""


class Watcher:
    """Notes every checkpoint of every node while faults happen."""

    def __init__(self, network: Nodes, count: int) -> None:
        self._network = network
        self._count = count
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.seen: dict[int, list[Seen]] = {index: [] for index in range(count)}

    def __enter__(self) -> Watcher:
        for index in range(self._count):
            thread = threading.Thread(target=self._watch, args=(index,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _watch(self, index: int) -> None:
        client: Http | None = None
        while True:
            with suppress(Unreachable):
                client = client or self._network.api(index)
                found = checkpoint(client)
                if found is not None and (not self.seen[index] or self.seen[index][-1] != found):
                    self.seen[index].append(found)
            if self._stop.wait(WATCH_S):
                return


def checkpoint(client: Http) -> Seen | None:
    """The node's checkpoint; None while it does not serve one. Raises Unreachable."""
    reply = client.get("/log/checkpoint")
    if reply.status != 200:
        return None
    lines = reply.body.decode().split("\n")
    return Seen(int(lines[1]), base64.b64decode(lines[2], validate=True))


def wait_same(network: Nodes, nodes: Sequence[int], timeout_s: float) -> Seen:
    """Wait until these nodes have one checkpoint. Raises ForkSeen, or AssertionError in the end."""
    clients = {index: network.api(index) for index in nodes}
    deadline = time.monotonic() + timeout_s
    try:
        while True:
            found = {index: _checkpoint_or_none(client) for index, client in clients.items()}
            known = {one for one in found.values() if one is not None}
            if len({one.size for one in known}) < len(known):
                raise ForkSeen(f"different roots at one size: {found}")
            if None not in found.values() and len(known) == 1:
                return known.pop()
            if time.monotonic() > deadline:
                sizes = {index: one and one.size for index, one in found.items()}
                raise AssertionError(f"no agreement within {timeout_s:g} s; log sizes: {sizes}")
            time.sleep(0.1)
    finally:
        for client in clients.values():
            client.close()


def _checkpoint_or_none(client: Http) -> Seen | None:
    try:
        return checkpoint(client)
    except Unreachable:
        return None


def entries(client: Http, size: int) -> list[bytes]:
    """The log's first `size` entries (C2SP tlog-tiles)."""
    found: list[bytes] = []
    for index in range(-(-size // TILE)):
        width = min(TILE, size - index * TILE)
        path = f"/log/tile/entries/{_tile_index(index)}" + (f".p/{width}" if width < TILE else "")
        while (reply := client.get(path)).status == 429:
            time.sleep(float(reply.headers.get("retry-after", "1")))
        assert reply.status == 200, f"{path}: {reply.status} {reply.body[:300]!r}"
        bundle, offset = reply.body, 0
        for _ in range(width):
            end = offset + 2 + int.from_bytes(bundle[offset : offset + 2], "big")
            found.append(bundle[offset + 2 : end])
            offset = end
        assert offset == len(bundle), path
    return found


def _tile_index(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups)


class Roots:
    """Roots of all beginnings of a log."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
        self._full: dict[tuple[int, int], bytes] = {}

    def at(self, size: int) -> bytes:
        """The root of the first `size` leaves."""
        return self._root(0, size) if size else sha256(b"").digest()

    def _root(self, start: int, end: int) -> bytes:
        count = end - start
        if count == 1:
            return self._leaves[start]
        if (start, end) in self._full:
            return self._full[start, end]
        left = 1 << (count - 1).bit_length() - 1
        left_root, right_root = self._root(start, start + left), self._root(start + left, end)
        root = sha256(b"\x01" + left_root + right_root).digest()
        if count & (count - 1) == 0:
            self._full[start, end] = root
        return root


def check_logs(
    network: Nodes,
    nodes: Sequence[int],
    watched: dict[int, list[Seen]],
    acknowledged: Iterable[str],
    sent: Iterable[str],
    *,
    timeout_s: float = 60,
) -> Seen:
    """All of it; gives the checkpoint that all of `nodes` have.

    `watched` may hold nodes that are down by now: what they signed must be part of the log too.
    """
    agreed = wait_same(network, nodes, timeout_s)
    logs = []
    for index in nodes:
        client = network.api(index)
        logs.append(entries(client, agreed.size))
        client.close()
    first = logs[0]
    for index, log in zip(nodes, logs, strict=True):
        assert log == first, f"node {index} serves other entries under the same checkpoint"
    roots = Roots(first)
    assert roots.at(agreed.size) == agreed.root
    for index, seen in watched.items():
        sizes = [one.size for one in seen]
        assert sizes == sorted(sizes), f"node {index}'s log has shrunk: {sizes}"
        for one in seen:
            assert one.size <= agreed.size, f"node {index} signed a size nobody has now: {one}"
            if roots.at(one.size) != one.root:
                raise ForkSeen(f"node {index} signed another root at size {one.size}")
    check_once(first, acknowledged, sent)
    return agreed


def check_once(leaves: Sequence[bytes], acknowledged: Iterable[str], sent: Iterable[str]) -> None:
    """Each acknowledged transaction, which emits one event, stands in the log exactly once."""
    events = Counter(
        leaf["transactionHash"] for leaf in map(json.loads, leaves) if "transactionHash" in leaf
    )
    wrong = {tx_hash: events[tx_hash] for tx_hash in acknowledged if events[tx_hash] != 1}
    assert not wrong, f"{len(wrong)} acknowledged transactions not once in the log: {wrong}"
    twice = {tx_hash: events[tx_hash] for tx_hash in sent if events[tx_hash] > 1}
    assert not twice, f"transactions more than once in the log: {twice}"
