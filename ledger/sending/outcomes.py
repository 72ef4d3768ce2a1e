"""What became of transactions, out of blocks."""

from __future__ import annotations

from collections.abc import Container, Iterator

from ledger.sending.protocol import Chain
from ledger.sending.types import Outcome
from ledger.types import CommittedBlock, Hash32


def outcomes_of(block: CommittedBlock, wanted: Container[Hash32]) -> Iterator[Outcome]:
    """Of the wanted transactions of a block."""
    header = block.block.header
    pairs = zip(block.block.transactions, block.receipts, strict=True)
    for index, (transaction, receipt) in enumerate(pairs):
        if transaction.hash in wanted:
            yield Outcome(
                hash=transaction.hash,
                block_number=header.number,
                block_hash=block.block.hash,
                block_time=header.timestamp,
                index=index,
                status=receipt.status,
                gas_used=receipt.gas_used,
                logs=tuple(one for one in block.logs if one.transaction_index == index),
            )


def find_outcome(ledger: Chain, transaction_hash: Hash32) -> Outcome | None:
    """A transaction in its block; None where it is in none (yet)."""
    found = ledger.receipt(transaction_hash)
    if found is None:
        return None
    mined, receipt = found
    logs = ledger.logs(mined.block_number) if receipt.logs else ()
    return Outcome(
        hash=transaction_hash,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        block_time=mined.block_time,
        index=mined.index,
        status=receipt.status,
        gas_used=receipt.gas_used,
        logs=tuple(one for one in logs if one.transaction_index == mined.index),
    )
