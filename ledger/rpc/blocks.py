"""Finding the block, transaction or state that a request names."""

from __future__ import annotations

from ledger.chain import Ledger
from ledger.rpc.errors import ResourceNotFound
from ledger.rpc.params import BlockName
from ledger.types import Block, MinedTransaction, PlacedLog, Receipt


def find_block(ledger: Ledger, name: BlockName) -> Block | None:
    """The block, or None.

    Blocks are final at once, so safe and finalized are the latest one. So is pending: no block is
    built before its transactions are in it; what waits shows in nonces and the txpool alone.
    """
    if isinstance(name, str):
        return ledger.block(0) if name == "earliest" else ledger.head()
    return ledger.block(name)


def need_block(ledger: Ledger, name: BlockName) -> Block:
    """The block. Raises ResourceNotFound."""
    block = find_block(ledger, name)
    if block is None:
        shown = name if isinstance(name, (int, str)) else "0x" + name.hex()
        raise ResourceNotFound(
            f"block {shown} not found; the head is {ledger.head().header.number}"
        )
    return block


def placed(block: Block, index: int) -> MinedTransaction:
    """Transaction `index` of a block. Requires 0 <= index < number of transactions."""
    return MinedTransaction(
        block.transactions[index],
        block.hash,
        block.header.number,
        block.header.timestamp,
        index,
    )


def block_receipts(
    ledger: Ledger, block: Block
) -> list[tuple[MinedTransaction, Receipt, list[PlacedLog]]]:
    """Every transaction of a block with its receipt and logs."""
    logs = ledger.logs(block.header.number)
    receipts = ledger.receipts(block.header.number)
    return [
        (placed(block, index), receipt, [one for one in logs if one.transaction_index == index])
        for index, receipt in enumerate(receipts)
    ]
