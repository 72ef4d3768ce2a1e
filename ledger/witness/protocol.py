"""What a witness needs of its node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ledger.chain.logs import CheckpointSource
from ledger.chain.types import LogHead
from ledger.types import CommittedBlock
from ledger.witness.types import PeerWitness

PeersProvider = Callable[[], Sequence[PeerWitness]]
"""The other active nodes, read from the ledger. Called now and then, never under a lock."""


class WitnessedLog(Protocol):
    """The log that is vouched for."""

    def head(self) -> LogHead: ...

    def root_at(self, size: int) -> bytes: ...

    def leaf_index(self, block_number: int, log_index: int | None = None) -> int: ...

    def serve_from(self, source: CheckpointSource | None) -> None: ...


class WitnessedLedger(Protocol):
    """The ledger that it belongs to."""

    @property
    def origin(self) -> str: ...

    @property
    def log(self) -> WitnessedLog: ...

    def subscribe(self, callback: Callable[[CommittedBlock], None], /) -> Callable[[], None]: ...
