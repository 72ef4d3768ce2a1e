"""Asking the engine now and then how it is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ledger.consensus.cometbft.errors import EngineRefused, EngineUnreachable
from ledger.consensus.cometbft.rpc import EngineRpc
from ledger.consensus.cometbft.types import Peer

POLL_S: Final = 2.0
POLL_FIRST_S: Final = 0.1
"""Until it has answered for the first time."""
FRESH_S: Final = 10.0
"""An answer counts for so long."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the engine said last."""

    height: int
    catching_up: bool
    validator_address: bytes | None
    power: int
    peers: tuple[Peer, ...]
    at: float
    """Monotonic seconds."""


class Monitor:
    """One thread that asks. Thread-safe."""

    def __init__(self, rpc: EngineRpc, seen: Callable[[Seen], None]) -> None:
        """`seen` is called after each answer."""
        self._rpc = rpc
        self._told = seen
        self._last: Seen | None = None
        self._answered = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine-monitor", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def seen(self) -> Seen | None:
        """The last answer; None where the last one is too old."""
        last = self._last
        return last if last is not None and time.monotonic() - last.at < FRESH_S else None

    def wait_answer(self, timeout_s: float, hopeless: Callable[[], bool]) -> bool:
        """Wait for the first answer; False where none comes, or none can come any more."""
        deadline = time.monotonic() + timeout_s
        while not self._answered.wait(min(POLL_FIRST_S, max(0.0, deadline - time.monotonic()))):
            if hopeless() or time.monotonic() >= deadline:
                return False
        return True

    def ask_peers(self) -> tuple[Peer, ...]:
        """Who is connected right now; none where the engine does not answer."""
        try:
            return _peers(self._rpc.call("net_info"))
        except (EngineUnreachable, EngineRefused):
            return ()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                seen = _seen(self._rpc.call("status"), _peers(self._rpc.call("net_info")))
            except (EngineUnreachable, EngineRefused) as error:
                _log.debug("%s", error)
            except Exception:
                _log.exception("the engine's answer was not understood")
            else:
                self._last = seen
                self._answered.set()
                self._told(seen)
            first = not self._answered.is_set()
            self._stopping.wait(POLL_FIRST_S if first else POLL_S)


def _seen(status: Mapping[str, object], peers: tuple[Peer, ...]) -> Seen:
    sync, validator = _part(status, "sync_info"), _part(status, "validator_info")
    address = bytes.fromhex(str(validator.get("address", "")))
    return Seen(
        height=_number(sync.get("latest_block_height")),
        catching_up=bool(sync.get("catching_up")),
        validator_address=address or None,
        power=_number(validator.get("voting_power")),
        peers=peers,
        at=time.monotonic(),
    )


def _peers(answer: Mapping[str, object]) -> tuple[Peer, ...]:
    entries = answer.get("peers")
    if not isinstance(entries, list):
        return ()
    return tuple(_peer(entry) for entry in entries if isinstance(entry, dict))


def _peer(entry: Mapping[str, object]) -> Peer:
    info, connection = _part(entry, "node_info"), _part(entry, "connection_status")
    listens = str(info.get("listen_addr", "")).rpartition(":")[2]
    return Peer(
        id=bytes.fromhex(str(info.get("id", ""))),
        moniker=str(info.get("moniker", ""))[:100],
        address=f"{entry.get('remote_ip', '')}:{listens}",
        outbound=bool(entry.get("is_outbound")),
        connected_s=_number(connection.get("Duration")) / 1e9,
        sent_bytes=_number(_part(connection, "SendMonitor").get("Bytes")),
        received_bytes=_number(_part(connection, "RecvMonitor").get("Bytes")),
    )


def _part(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: object) -> int:
    return int(value) if isinstance(value, str | int) else 0
