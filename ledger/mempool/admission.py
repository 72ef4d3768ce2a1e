"""The door: rules that a transaction must meet to become pending."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.evm import check_standing_alone
from ledger.evm.errors import (
    ChainIdMismatch,
    FeeInvalid,
    GasLimitExceeded,
    InsufficientFunds,
    NonceTooLow,
    SenderIsContract,
    TransactionTooLarge,
)
from ledger.mempool.errors import NotPermitted
from ledger.mempool.types import SenderState
from ledger.types import Transaction


@dataclass(frozen=True, slots=True)
class ChainRules:
    """Bounds of the chain that the door applies."""

    chain_id: int
    gas_limit: int
    """Of a block."""
    transaction_size_bytes_max: int


def check_form(transaction: Transaction, rules: ChainRules) -> None:
    """Rules that need no state. Raises a `TransactionRefused`."""
    if len(transaction.raw) > rules.transaction_size_bytes_max:
        raise TransactionTooLarge(
            f"transaction of {len(transaction.raw)} bytes; "
            f"this chain takes at most {rules.transaction_size_bytes_max}"
        )
    if transaction.chain_id != rules.chain_id:
        raise ChainIdMismatch(
            f"signed for chain {transaction.chain_id}; this is chain {rules.chain_id}"
        )
    if transaction.gas > rules.gas_limit:
        raise GasLimitExceeded(
            f"transaction wants {transaction.gas} gas; a block has {rules.gas_limit}"
        )
    if transaction.max_priority_fee_per_gas > transaction.gas_price:
        raise FeeInvalid(
            f"maxPriorityFeePerGas {transaction.max_priority_fee_per_gas} is above "
            f"maxFeePerGas {transaction.gas_price}"
        )
    check_standing_alone(transaction)


def check_sender(transaction: Transaction, sender: SenderState) -> None:
    """Rules about the sender in the head's state. Raises a `TransactionRefused`."""
    if sender.refusal is not None:
        raise NotPermitted(sender.refusal)
    if transaction.nonce < sender.nonce:
        raise NonceTooLow(f"nonce too low: have {transaction.nonce}, want {sender.nonce}")
    if sender.is_contract:
        raise SenderIsContract(f"0x{transaction.sender.hex()} is a contract (EIP-3607)")
    cost = transaction.gas * transaction.gas_price + transaction.value
    if sender.balance < cost:
        raise InsufficientFunds(
            f"insufficient funds for gas * price + value: have {sender.balance}, want {cost}"
        )
