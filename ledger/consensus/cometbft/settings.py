"""What an operator decides about the engine, and the timings of consensus."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger.consensus.cometbft.errors import EngineSettingsInvalid
from ledger.consensus.cometbft.execution import ProposalRules
from ledger.consensus.cometbft.genesis import EVIDENCE_AGE_BLOCKS

NODE_ID_SIZE_BYTES: Final = 20
PEERS_MAX: Final = 1_024
RETAIN_HEIGHTS_MIN: Final = EVIDENCE_AGE_BLOCKS
_PEER = re.compile(r"([0-9a-f]{40})@(.+):([0-9]{1,5})")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})")
_RPC_SERVER = re.compile(r"https?://[!-~]{1,300}")


@dataclass(frozen=True, slots=True)
class Timings:
    """How long validators wait for each other, milliseconds. All should have the same.

    Only waiting for who is late takes these times; a round without anybody late does not.
    """

    propose_ms: int
    """For a proposal, its execution by the proposer included; then the round fails."""
    propose_delta_ms: int
    """Added with each round."""
    vote_ms: int
    """For stragglers' votes, once two thirds have voted differently."""
    vote_delta_ms: int
    gossip_sleep_ms: int
    """Of the engine's routines that send proposals and votes on."""
    maj23_sleep_ms: int
    """Between two questions for the votes that another node has seen."""


LOCAL: Final = Timings(
    propose_ms=800,
    propose_delta_ms=400,
    vote_ms=100,
    vote_delta_ms=100,
    gossip_sleep_ms=10,
    maj23_sleep_ms=500,
)
"""Members in one region: round trips of some milliseconds."""
WIDE: Final = Timings(
    propose_ms=3_000,
    propose_delta_ms=500,
    vote_ms=1_000,
    vote_delta_ms=500,
    gossip_sleep_ms=50,
    maj23_sleep_ms=2_000,
)
"""Members around the world: round trips of up to a second."""


@dataclass(frozen=True, slots=True)
class StateSync:
    """How a new node comes by the present state without replaying history."""

    rpc_servers: tuple[str, ...]
    """At least two URLs of members that serve the engine's read-only methods."""
    trust_height: int
    """A height of the engine whose header is known to be right…"""
    trust_hash: bytes
    """…and the header's hash, 32 bytes."""
    trust_period_s: int = 14 * 24 * 3600
    discovery_time_s: int = 5
    """How long snapshots are looked for. The engine takes no less than 5."""

    def __post_init__(self) -> None:
        """Raises `EngineSettingsInvalid`."""
        if len(self.rpc_servers) < 2:
            raise EngineSettingsInvalid(
                "state sync compares the answers of at least two members: name two addresses"
            )
        for server in self.rpc_servers:
            if not _RPC_SERVER.fullmatch(server) or "," in server or '"' in server:
                raise EngineSettingsInvalid(f"{server[:80]!r} is no http:// or https:// address")
        if self.trust_height < 1 or len(self.trust_hash) != 32:
            raise EngineSettingsInvalid("state sync needs a height from 1 and a hash of 32 bytes")
        if self.trust_period_s < 60 or self.discovery_time_s < 5:
            raise EngineSettingsInvalid("state sync trusts for 60 s and looks for 5 s at least")


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """A node that the engine keeps a connection to."""

    id: bytes
    """20 bytes."""
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> PeerAddress:
        """Read `id@host:port`. Raises `EngineSettingsInvalid`."""
        found = _PEER.fullmatch(text)
        if found is None:
            raise EngineSettingsInvalid(
                f"{text[:120]!r} is no peer: 40 hex digits, @, host, :, port"
            )
        check_address(f"{found[2]}:{found[3]}")
        return cls(bytes.fromhex(found[1]), found[2], int(found[3]))

    def __str__(self) -> str:
        return f"{self.id.hex()}@{self.host}:{self.port}"


def check_address(text: str) -> str:
    """`host:port`, IPv6 in brackets. Raises `EngineSettingsInvalid`."""
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 <= int(found[2]) <= 65_535:
        raise EngineSettingsInvalid(f"{text[:120]!r} is no host:port")
    return text


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Everything that the engine is told. Raises `EngineSettingsInvalid` when made."""

    home: Path
    """The engine's folder: keys, blocks, write-ahead log, `log`."""
    p2p_listen: str = "0.0.0.0:26656"
    p2p_external: str = ""
    """Address that peers reach us by, if it is another."""
    peers: tuple[str, ...] = ()
    """Persistent peers, `id@host:port`."""
    timings: Timings = LOCAL
    state_sync: StateSync | None = None
    rules: ProposalRules = field(default_factory=ProposalRules)
    genesis: bytes | None = None
    """The engine's genesis.json of a promoted ledger; by default derived from the ledger."""
    moniker: str = "tallystick"
    mempool_transactions_max: int = 5_000
    """Of the engine's mempool, each checked again after each block; ours may hold more."""
    mempool_size_bytes_max: int = 64 << 20
    retain_heights: int = 0
    """How many of the engine's last blocks are kept at least (and those of the last weeks, see
    `Retention`); 0 keeps all. Who was away for longer, and who joins, needs a snapshot."""
    prometheus_listen: str = ""
    """`host:port` of the engine's own metrics; empty for none."""
    disconnect_interval_s: float = 4.0
    """Between two nodes' restarts of their engines when a member has left."""
    program: Path | None = None
    """CometBFT; by default it is looked for."""

    def __post_init__(self) -> None:
        """Check what can be checked without the machine."""
        check_address(self.p2p_listen)
        for address in (self.p2p_external, self.prometheus_listen):
            if address:
                check_address(address)
        if len(self.peers) > PEERS_MAX:
            raise EngineSettingsInvalid(f"{len(self.peers)} peers; {PEERS_MAX} at most")
        for peer in self.peers:
            PeerAddress.parse(peer)
        if self.mempool_transactions_max < 1 or self.mempool_size_bytes_max < 1:
            raise EngineSettingsInvalid("the engine's mempool must hold something")
        if self.retain_heights and self.retain_heights < RETAIN_HEIGHTS_MIN:
            raise EngineSettingsInvalid(
                f"retain_heights is 0 (all) or at least {RETAIN_HEIGHTS_MIN}: within so many a "
                "double vote can be shown, and members that were away catch up by them"
            )
        if self.disconnect_interval_s < 0:
            raise EngineSettingsInvalid("disconnect_interval_s is not negative")
