"""CometBFT's config.toml, from our settings alone: written anew at each start, never edited."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.chain.membership import TRANSACTION_SIZE_BYTES_MAX
from ledger.consensus.cometbft.settings import EngineSettings, PeerAddress, Timings

VERSION: Final = "0.38.25"
BATCH_REQUESTS_MAX: Final = 200
"""Transactions that are offered to the engine in one call."""
RECHECK_TIMEOUT_S: Final = 30
BLOCK_TIME_TOLERANCE_S: Final = 60
INBOUND_PEERS_MAX: Final = 256
RATE_BYTES_PER_S: Final = 20_480_000
"""To and from one peer."""
LOG_LEVEL: Final = "main:info,statesync:info,*:error"

Value = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Sockets:
    """Unix sockets in the private run-time folder."""

    abci: Path
    rpc: Path
    signer: Path | None
    """None where the engine signs with a key file of its own."""


def render_config(
    settings: EngineSettings,
    sockets: Sockets,
    peers: Iterable[PeerAddress],
    *,
    state_sync: bool,
) -> str:
    """The whole file. `state_sync`: whether it is due.

    The chain's own bounds are checked by us: members may change them while the engine runs.
    """
    sections: dict[str, Mapping[str, Value]] = {
        "": _base(settings, sockets),
        "rpc": _rpc(sockets),
        "p2p": _p2p(settings, peers),
        "mempool": _mempool(settings),
        "statesync": _state_sync(settings if state_sync else None),
        "blocksync": {"version": "v0"},
        "consensus": _consensus(settings.timings),
        "storage": {"discard_abci_responses": False},
        "tx_index": {"indexer": "null"},
        "instrumentation": {
            "prometheus": bool(settings.prometheus_listen),
            "prometheus_listen_addr": settings.prometheus_listen,
            "max_open_connections": 3,
            "namespace": "cometbft",
        },
    }
    lines = ["# Written by Tallystick at each start of the engine: edit node.toml instead.", ""]
    for name, entries in sections.items():
        if name:
            lines += ["", f"[{name}]"]
        lines += [f"{key} = {_toml(value)}" for key, value in entries.items()]
    return "\n".join(lines) + "\n"


def _base(settings: EngineSettings, sockets: Sockets) -> dict[str, Value]:
    return {
        "version": VERSION,
        "proxy_app": f"unix://{sockets.abci}",
        "moniker": settings.moniker,
        "db_backend": "goleveldb",
        "db_dir": "data",
        "log_level": LOG_LEVEL,
        "log_format": "json",
        "genesis_file": "config/genesis.json",
        "priv_validator_key_file": "config/priv_validator_key.json",
        "priv_validator_state_file": "data/priv_validator_state.json",
        "priv_validator_laddr": f"unix://{sockets.signer}" if sockets.signer else "",
        "node_key_file": "config/node_key.json",
        "abci": "socket",
        "filter_peers": True,
    }


def _rpc(sockets: Sockets) -> dict[str, Value]:
    return {
        "laddr": f"unix://{sockets.rpc}",
        "cors_allowed_origins": [],
        "grpc_laddr": "",
        "unsafe": False,
        "max_open_connections": 64,
        "max_request_batch_size": BATCH_REQUESTS_MAX,
        "max_body_bytes": 2 * TRANSACTION_SIZE_BYTES_MAX,
        "pprof_laddr": "",
    }


def _p2p(settings: EngineSettings, peers: Iterable[PeerAddress]) -> dict[str, Value]:
    return {
        "laddr": f"tcp://{settings.p2p_listen}",
        "external_address": settings.p2p_external,
        "seeds": "",
        "persistent_peers": ",".join(str(peer) for peer in peers),
        "addr_book_file": "config/addrbook.json",
        "addr_book_strict": False,
        "max_num_inbound_peers": INBOUND_PEERS_MAX,
        "max_num_outbound_peers": 0,
        "flush_throttle_timeout": "5ms",
        "send_rate": RATE_BYTES_PER_S,
        "recv_rate": RATE_BYTES_PER_S,
        "pex": False,
        "seed_mode": False,
        "allow_duplicate_ip": True,
        "handshake_timeout": "20s",
        "dial_timeout": "3s",
    }


def _mempool(settings: EngineSettings) -> dict[str, Value]:
    size = settings.mempool_transactions_max
    return {
        "type": "flood",
        "recheck": True,
        "recheck_timeout": f"{RECHECK_TIMEOUT_S}s",
        "broadcast": True,
        "wal_dir": "",
        "size": size,
        "max_txs_bytes": settings.mempool_size_bytes_max,
        "cache_size": 2 * size,
        "keep-invalid-txs-in-cache": False,
        "max_tx_bytes": TRANSACTION_SIZE_BYTES_MAX,
    }


def _state_sync(settings: EngineSettings | None) -> dict[str, Value]:
    if settings is None or settings.state_sync is None:
        return {"enable": False}
    chosen = settings.state_sync
    return {
        "enable": True,
        "rpc_servers": ",".join(chosen.rpc_servers),
        "trust_height": chosen.trust_height,
        "trust_hash": chosen.trust_hash.hex().upper(),
        "trust_period": f"{chosen.trust_period_s}s",
        "discovery_time": f"{chosen.discovery_time_s}s",
        "temp_dir": str(settings.home / "data"),
        "chunk_request_timeout": "10s",
        "chunk_fetchers": "4",
    }


def _consensus(timings: Timings) -> dict[str, Value]:
    return {
        "wal_file": "data/cs.wal/wal",
        "timeout_propose": f"{timings.propose_ms}ms",
        "timeout_propose_delta": f"{timings.propose_delta_ms}ms",
        "timeout_prevote": f"{timings.vote_ms}ms",
        "timeout_prevote_delta": f"{timings.vote_delta_ms}ms",
        "timeout_precommit": f"{timings.vote_ms}ms",
        "timeout_precommit_delta": f"{timings.vote_delta_ms}ms",
        "timeout_commit": "0ms",
        "double_sign_check_height": 0,
        "skip_timeout_commit": True,
        "create_empty_blocks": False,
        "create_empty_blocks_interval": "0s",
        "peer_gossip_sleep_duration": f"{timings.gossip_sleep_ms}ms",
        "peer_query_maj23_sleep_duration": f"{timings.maj23_sleep_ms}ms",
        "block_time_tolerance": f"{BLOCK_TIME_TOLERANCE_S}s",
    }


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    # A JSON string in ASCII is a TOML basic string (TOML 1.0, "String"), surrogate pairs apart.
    if not value.isascii():
        value = value.encode("ascii", "backslashreplace").decode()
    return json.dumps(value).replace("\x7f", "\\u007f")
