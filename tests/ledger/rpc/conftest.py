"""A server over a small chain."""

from __future__ import annotations

import pytest

from ledger.chain import Ledger
from ledger.evm import decode_transaction
from ledger.types import CommittedBlock
from tests.ledger.rpc.support import Rpc


@pytest.fixture
def rpc(open_ledger: Ledger) -> Rpc:
    """A server over a ledger whose blocks are made by `mine`."""
    return Rpc(open_ledger)


def mine(ledger: Ledger, *raws: bytes) -> CommittedBlock:
    """Make a block of signed transactions, a second after the last."""
    transactions = [decode_transaction(raw) for raw in raws]
    return ledger.append_block(transactions, ledger.head().header.timestamp + 1)
