"""What the mempool needs to know of the chain."""

from __future__ import annotations

from typing import Protocol

from ledger.mempool.types import SenderState
from ledger.types import Address


class SenderView(Protocol):
    """Senders in the state of one head. Thread-safe; a new head is a new view."""

    def sender(self, address: Address) -> SenderState:
        """What that state says about the sender."""
