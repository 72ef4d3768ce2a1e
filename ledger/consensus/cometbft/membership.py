"""What follows from the ledger's nodes: validators of the engine, peers that it may talk to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from ledger.chain import NodeEntry
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.errors import EngineHalted

TOTAL_POWER_MAX: Final = (2**63 - 1) // 8
"""Of all validators together (CometBFT, types.MaxTotalVotingPower)."""
KEY_SIZE_BYTES: Final = 32
CONNECTIONS_BURST: Final = 6
CONNECTION_EACH_S: Final = 5.0
"""With one peer: so many connections at once, then one in so many seconds."""
PEERS_REMEMBERED_MAX: Final = 1_024


def validators_of(nodes: Iterable[NodeEntry]) -> dict[bytes, int]:
    """Power by Ed25519 key, of those that have any, in the order of the keys.

    Raises `EngineHalted` where there is none or more power than the engine takes: the Network
    contract lets neither happen, and going on would make each node stop in another way.
    """
    powers: dict[bytes, int] = {}
    for node in nodes:
        if node.power and node.validator_key is not None:
            key = node.validator_key
            powers[key] = max(node.power, powers.get(key, 0))
    if not powers:
        raise EngineHalted("the ledger names no validator with voting power")
    if sum(powers.values()) > TOTAL_POWER_MAX:
        raise EngineHalted(f"the validators have more than {TOTAL_POWER_MAX} power together")
    return dict(sorted(powers.items()))


def validator_updates(
    before: Iterable[NodeEntry], after: Iterable[NodeEntry]
) -> list[pb.ValidatorUpdate]:
    """What the engine must change, in the order of the keys; power 0 removes.

    Another key of a node is the removal of the old one and the addition of the new one.
    Raises `EngineHalted` as `validators_of`.
    """
    old, new = validators_of(before), validators_of(after)
    changed = {key: new.get(key, 0) for key in old | new if new.get(key, 0) != old.get(key, 0)}
    return [update(key, power) for key, power in sorted(changed.items())]


def update(key: bytes, power: int) -> pb.ValidatorUpdate:
    """One validator in the engine's words."""
    return pb.ValidatorUpdate(pub_key=pb.PublicKey(ed25519=key), power=power)


def active_ids(nodes: Iterable[NodeEntry]) -> frozenset[bytes]:
    """Ids of the nodes that count."""
    return frozenset(node.id for node in nodes if node.active)


def rank_of(node_id: bytes, nodes: Iterable[NodeEntry]) -> int:
    """Place of a node among the active ones in the order of their ids; behind all if it is none."""
    ids = sorted(active_ids(nodes))
    return ids.index(node_id) if node_id in ids else len(ids)


class PeerFilter:
    """Which nodes the engine may be connected to. Thread-safe.

    Active nodes of the ledger; of the operator's own persistent peers also those that the ledger
    does not know, as long as it has not caught up with the others: a new node knows nobody.
    """

    def __init__(self, known: Iterable[bytes], clock: Callable[[], float] = time.monotonic) -> None:
        """`known`: ids of the configured persistent peers."""
        self.known = frozenset(known)
        self.catching_up = True
        self._clock = clock
        self._lock = threading.Lock()
        self._connections: dict[bytes, tuple[float, float]] = {}
        """Of each peer: connections it still may begin, and when that was counted."""

    def refusal(self, node_id: bytes, nodes: tuple[NodeEntry, ...]) -> str | None:
        """Why a connection with the peer is not wanted now; None where it is.

        Also where too many were begun: a peer that ends each at once (it may have suspended us)
        would otherwise be dialled again without a pause.
        """
        refused = self._standing(node_id, nodes)
        if refused is None and not self._take_turn(node_id):
            return f"node {node_id.hex()} was connected again and again: wait a little"
        return refused

    def _take_turn(self, node_id: bytes) -> bool:
        with self._lock:
            now = self._clock()
            left, since = self._connections.pop(node_id, (float(CONNECTIONS_BURST), now))
            left = min(CONNECTIONS_BURST, left + (now - since) / CONNECTION_EACH_S)
            self._connections[node_id] = (left - 1 if left >= 1 else left, now)
            while len(self._connections) > PEERS_REMEMBERED_MAX:
                del self._connections[next(iter(self._connections))]
            return left >= 1

    def _standing(self, node_id: bytes, nodes: tuple[NodeEntry, ...]) -> str | None:
        for node in nodes:
            if node.id == node_id:
                if node.active:
                    return None
                return f"node {node_id.hex()} of {node.organisation!r} is not active"
        if self.catching_up and node_id in self.known:
            return None
        return f"node {node_id.hex()} is not of this consortium"

    def unwanted(self, node_id: bytes, nodes: tuple[NodeEntry, ...]) -> bool:
        """Whether a peer that is connected would be refused however often it came."""
        active = any(node.id == node_id and node.active for node in nodes)
        listed = any(node.id == node_id for node in nodes)
        return not active and (listed or node_id not in self.known)
