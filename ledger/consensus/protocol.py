"""The seam of consensus: whoever decides which transactions make the next block, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ledger.consensus.types import DriverStatus
from ledger.types import CommittedBlock, Transaction


class Driver(Protocol):
    """Orders transactions and has the ledger append them. One for each open ledger."""

    def start(self) -> None:
        """Begin, in threads of its own. Twice does no harm."""

    def stop(self) -> None:
        """End after the block at hand. Twice does no harm; it can be started again."""

    def status(self) -> DriverStatus:
        """Whether it runs, and what is wrong if anything is."""


class Pool(Protocol):
    """The part of the mempool that a driver uses."""

    def wait_ready(self, timeout_s: float) -> bool: ...

    def select(self, *, transactions_max: int, size_bytes_max: int) -> list[Transaction]: ...

    def hold(self, sender: bytes, duration_s: float) -> None: ...

    def pause(self, reason: str) -> None: ...

    def resume(self) -> None: ...


class BlockSink(Protocol):
    """The part of the `Ledger` that a driver uses."""

    def append_block(
        self, transactions: Sequence[Transaction], timestamp: int
    ) -> CommittedBlock: ...
