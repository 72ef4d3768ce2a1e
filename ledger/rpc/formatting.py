"""Chain objects as Ethereum JSON.

Source: ethereum/execution-apis, schemas "block", "transaction", "receipt".
"""

from __future__ import annotations

from ledger.types import (
    Block,
    Header,
    MinedTransaction,
    PlacedLog,
    Receipt,
    Transaction,
)

Json = dict[str, object]


def hex_quantity(value: int) -> str:
    """QUANTITY."""
    return hex(value)


def hex_data(value: bytes) -> str:
    """DATA."""
    return "0x" + value.hex()


def hex_bloom(value: int) -> str:
    """A logs bloom: 256 bytes."""
    return f"0x{value:0512x}"


def header_json(header: Header, block_hash: bytes) -> Json:
    """The header part, as the newHeads subscription sends it."""
    return {
        "number": hex(header.number),
        "hash": hex_data(block_hash),
        "parentHash": hex_data(header.parent_hash),
        "sha3Uncles": hex_data(header.uncles_hash),
        "miner": hex_data(header.coinbase),
        "stateRoot": hex_data(header.state_root),
        "transactionsRoot": hex_data(header.transactions_root),
        "receiptsRoot": hex_data(header.receipts_root),
        "logsBloom": hex_bloom(header.bloom),
        "difficulty": hex(header.difficulty),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": hex_data(header.extra_data),
        "mixHash": hex_data(header.mix_hash),
        "nonce": hex_data(header.nonce),
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "withdrawalsRoot": hex_data(header.withdrawals_root),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": hex_data(header.parent_beacon_block_root),
        "requestsHash": hex_data(header.requests_hash),
    }


def block_json(block: Block, full: bool) -> Json:
    """A block; with whole transactions if `full`, else their hashes."""
    answer = header_json(block.header, block.hash)
    answer["size"] = hex(block.size_bytes)
    answer["uncles"] = []
    answer["withdrawals"] = []
    if full:
        answer["transactions"] = [
            transaction_json(
                MinedTransaction(
                    transaction, block.hash, block.header.number, block.header.timestamp, index
                )
            )
            for index, transaction in enumerate(block.transactions)
        ]
    else:
        answer["transactions"] = [hex_data(transaction.hash) for transaction in block.transactions]
    return answer


def transaction_json(placed: MinedTransaction | Transaction) -> Json:
    """A transaction, mined or pending."""
    mined = placed if isinstance(placed, MinedTransaction) else None
    transaction = mined.transaction if mined else placed
    assert isinstance(transaction, Transaction)
    answer: Json = {
        "type": hex(transaction.type),
        "hash": hex_data(transaction.hash),
        "from": hex_data(transaction.sender),
        "to": hex_data(transaction.to) if transaction.to is not None else None,
        "nonce": hex(transaction.nonce),
        "value": hex(transaction.value),
        "gas": hex(transaction.gas),
        "gasPrice": hex(effective_gas_price(transaction) if mined else transaction.gas_price),
        "input": hex_data(transaction.data),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
        "blockHash": hex_data(mined.block_hash) if mined else None,
        "blockNumber": hex(mined.block_number) if mined else None,
        "blockTimestamp": hex(mined.block_time) if mined else None,
        "transactionIndex": hex(mined.index) if mined else None,
    }
    if transaction.type == 0:
        chain_id = transaction.chain_id
        base = 27 if chain_id is None else chain_id * 2 + 35
        answer["v"] = hex(base + transaction.y_parity)
    else:
        answer["v"] = answer["yParity"] = hex(transaction.y_parity)
        answer["accessList"] = [
            {"address": hex_data(address), "storageKeys": [f"0x{slot:064x}" for slot in slots]}
            for address, slots in transaction.access_list
        ]
    if transaction.chain_id is not None:
        answer["chainId"] = hex(transaction.chain_id)
    if transaction.type >= 2:
        answer["maxFeePerGas"] = hex(transaction.gas_price)
        answer["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    if transaction.type == 4:
        answer["authorizationList"] = [
            {
                "chainId": hex(one.chain_id),
                "address": hex_data(one.address),
                "nonce": hex(one.nonce),
                "yParity": hex(one.y_parity),
                "r": hex(one.r),
                "s": hex(one.s),
            }
            for one in transaction.authorization_list
        ]
    return answer


def effective_gas_price(transaction: Transaction) -> int:
    """What each gas cost: with a base fee of zero, the tip (EIP-1559)."""
    if transaction.type >= 2:
        return min(transaction.gas_price, transaction.max_priority_fee_per_gas)
    return transaction.gas_price


def log_json(placed: PlacedLog) -> Json:
    """A log of a block of the chain."""
    return {
        "address": hex_data(placed.log.address),
        "topics": [hex_data(topic) for topic in placed.log.topics],
        "data": hex_data(placed.log.data),
        "blockNumber": hex(placed.block_number),
        "blockHash": hex_data(placed.block_hash),
        "blockTimestamp": hex(placed.block_time),
        "transactionHash": hex_data(placed.transaction_hash),
        "transactionIndex": hex(placed.transaction_index),
        "logIndex": hex(placed.log_index),
        "removed": False,
    }


def receipt_json(mined: MinedTransaction, receipt: Receipt, logs: list[PlacedLog]) -> Json:
    """A receipt; `logs` are those of this transaction."""
    transaction = mined.transaction
    created = receipt.contract_address
    return {
        "type": hex(receipt.type),
        "status": hex(receipt.status),
        "transactionHash": hex_data(transaction.hash),
        "transactionIndex": hex(mined.index),
        "blockHash": hex_data(mined.block_hash),
        "blockNumber": hex(mined.block_number),
        "from": hex_data(transaction.sender),
        "to": hex_data(transaction.to) if transaction.to is not None else None,
        "contractAddress": hex_data(created) if created is not None else None,
        "cumulativeGasUsed": hex(receipt.cumulative_gas_used),
        "gasUsed": hex(receipt.gas_used),
        "effectiveGasPrice": hex(effective_gas_price(transaction)),
        "logsBloom": hex_bloom(receipt.bloom),
        "logs": [log_json(one) for one in logs],
    }
