"""eth_ methods that read blocks, transactions, receipts and logs."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain import encode_block
from ledger.evm.codec import encode_header, encode_receipt
from ledger.rpc import params as read
from ledger.rpc.blocks import block_receipts, find_block, need_block, placed
from ledger.rpc.formatting import (
    block_json,
    hex_data,
    log_json,
    receipt_json,
    transaction_json,
)
from ledger.rpc.logs import find_logs
from ledger.rpc.types import Method, RpcContext
from ledger.types import Block

Params = Sequence[object]


class ChainMethods:
    """Reading of what the chain holds."""

    def __init__(self, context: RpcContext) -> None:
        self._ledger = context.ledger
        self._settings = context.settings

    def methods(self) -> dict[str, Method]:
        """Name to method."""
        return {
            "eth_blockNumber": self.block_number,
            "eth_getBlockByNumber": self.block,
            "eth_getBlockByHash": self.block,
            "eth_getBlockTransactionCountByNumber": self.transaction_count,
            "eth_getBlockTransactionCountByHash": self.transaction_count,
            "eth_getUncleCountByBlockNumber": self.uncle_count,
            "eth_getUncleCountByBlockHash": self.uncle_count,
            "eth_getUncleByBlockNumberAndIndex": self.uncle,
            "eth_getUncleByBlockHashAndIndex": self.uncle,
            "eth_getTransactionByHash": self.transaction,
            "eth_getTransactionByBlockNumberAndIndex": self.transaction_at,
            "eth_getTransactionByBlockHashAndIndex": self.transaction_at,
            "eth_getTransactionReceipt": self.receipt,
            "eth_getBlockReceipts": self.receipts,
            "eth_getLogs": self.logs,
        }

    def block_number(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return hex(self._ledger.head().header.number)

    def block(self, params: Params) -> object:
        read.arity(params, 1, 2, "block, whole transactions")
        block = self._find(params[0])
        full = read.boolean(params[1], "whole transactions") if len(params) > 1 else False
        return None if block is None else block_json(block, full)

    def transaction_count(self, params: Params) -> object:
        read.arity(params, 1, 1, "block")
        block = self._find(params[0])
        return None if block is None else hex(len(block.transactions))

    def uncle_count(self, params: Params) -> object:
        read.arity(params, 1, 1, "block")
        return None if self._find(params[0]) is None else "0x0"

    def uncle(self, params: Params) -> object:
        read.arity(params, 2, 2, "block, index")
        self._find(params[0])
        read.quantity(params[1], "index")
        return None

    def transaction(self, params: Params) -> object:
        read.arity(params, 1, 1, "transaction hash")
        wanted = read.hash32(params[0], "transaction hash")
        mined = self._ledger.transaction(wanted)
        if mined is not None:
            return transaction_json(mined)
        pending = self._ledger.pending_transaction(wanted)
        return None if pending is None else transaction_json(pending)

    def transaction_at(self, params: Params) -> object:
        read.arity(params, 2, 2, "block, index")
        block = self._find(params[0])
        index = read.quantity(params[1], "index")
        if block is None or index >= len(block.transactions):
            return None
        return transaction_json(placed(block, index))

    def receipt(self, params: Params) -> object:
        read.arity(params, 1, 1, "transaction hash")
        found = self._ledger.receipt(read.hash32(params[0], "transaction hash"))
        if found is None:
            return None
        mined, receipt = found
        logs = [
            one
            for one in self._ledger.logs(mined.block_number)
            if one.transaction_index == mined.index
        ]
        return receipt_json(mined, receipt, logs)

    def receipts(self, params: Params) -> object:
        read.arity(params, 1, 1, "block")
        block = self._find(params[0])
        if block is None:
            return None
        return [receipt_json(*row) for row in block_receipts(self._ledger, block)]

    def logs(self, params: Params) -> object:
        read.arity(params, 1, 1, "filter")
        query = read.log_query(params[0])
        return [log_json(one) for one in find_logs(self._ledger, self._settings, query)]

    def _find(self, name: object) -> Block | None:
        return find_block(self._ledger, read.block_name(name))


class DebugMethods:
    """Raw encodings, for tools that check the chain themselves."""

    def __init__(self, context: RpcContext) -> None:
        self._ledger = context.ledger

    def methods(self) -> dict[str, Method]:
        """Name to method."""
        return {
            "debug_getRawHeader": self.raw_header,
            "debug_getRawBlock": self.raw_block,
            "debug_getRawTransaction": self.raw_transaction,
            "debug_getRawReceipts": self.raw_receipts,
        }

    def raw_header(self, params: Params) -> object:
        read.arity(params, 1, 1, "block")
        return hex_data(encode_header(self._need(params[0]).header))

    def raw_block(self, params: Params) -> object:
        read.arity(params, 1, 1, "block")
        block = self._need(params[0])
        raws = [transaction.raw for transaction in block.transactions]
        return hex_data(encode_block(encode_header(block.header), raws))

    def raw_transaction(self, params: Params) -> object:
        read.arity(params, 1, 1, "transaction hash")
        mined = self._ledger.transaction(read.hash32(params[0], "transaction hash"))
        return None if mined is None else hex_data(mined.transaction.raw)

    def raw_receipts(self, params: Params) -> object:
        read.arity(params, 1, 1, "block")
        block = self._need(params[0])
        receipts = self._ledger.receipts(block.header.number)
        return [hex_data(encode_receipt(receipt)) for receipt in receipts]

    def _need(self, name: object) -> Block:
        return need_block(self._ledger, read.block_name(name))
