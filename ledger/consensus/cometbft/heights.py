"""How far the peers are, by what they have told the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.consensus.cometbft.rpc import EngineRpc

PEERS_MAX: Final = 1_000
ID_HEX_SIZE: Final = 40


def peer_heights(rpc: EngineRpc) -> dict[bytes, int]:
    """The consensus height that each connected node (by id) works on; not those that are silent.

    Source: CometBFT v0.38 `dump_consensus_state`. Raises `EngineUnreachable`, `EngineRefused`.
    """
    peers = rpc.call("dump_consensus_state").get("peers")
    found: dict[bytes, int] = {}
    for peer in (peers if isinstance(peers, list) else [])[:PEERS_MAX]:
        node, height = _read(peer) if isinstance(peer, Mapping) else (None, None)
        if node is not None and height is not None:
            found[node] = height
    return found


def _read(peer: Mapping[str, object]) -> tuple[bytes | None, int | None]:
    """`{"node_address": "id@ip:port", "peer_state": {"round_state": {"height": "7"}}}`"""
    state: object = peer.get("peer_state")
    for name in ("round_state", "height"):
        state = state.get(name) if isinstance(state, Mapping) else None
    text = str(peer.get("node_address", "")).partition("@")[0]
    try:
        node = bytes.fromhex(text) if len(text) == ID_HEX_SIZE else None
    except ValueError:
        node = None
    # Before a peer has said anything its height is 0.
    known = isinstance(state, str) and state.isdecimal() and len(state) < 20 and state != "0"
    return node, int(str(state)) if known else None
