"""Running one message (a transaction's or a call's) and settling its gas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth.abc import ComputationAPI
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.exceptions import ContractCreationCollision
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.forks.prague.constants import DELEGATION_DESIGNATION_PREFIX
from eth.vm.message import Message
from eth_typing import Address as EthAddress

from ledger.evm.machine import LedgerState
from ledger.evm.transactions import contract_address, recover_authority
from ledger.types import Address, Authorization

_REFUND_QUOTIENT = 5
_REFUND_AUTHORIZATION = 25_000 - 12_500
_NONCE_LAST = (1 << 64) - 1
_ZERO_ADDRESS = bytes(20)

AccessList = Sequence[tuple[Address, tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message ended. Gas is settled, fees are not yet paid."""

    computation: ComputationAPI
    gas_used: int
    """After refunds (EIP-3529) and the calldata floor (EIP-7623)."""
    gas_spent: int
    """Before refunds: what must have been there for it to go through."""
    created: Address | None


def run_message(
    state: LedgerState,
    *,
    sender: Address,
    to: Address | None,
    value: int,
    data: bytes,
    gas: int,
    intrinsic: int,
    floor: int,
    gas_price: int = 0,
    access_list: AccessList = (),
    authorization_list: Sequence[Authorization] = (),
) -> Outcome:
    """Execute a message from an account (yellow paper section 6.2, from the nonce's increment on).

    Requires gas >= max(intrinsic, floor), and the sender to own `value`.
    """
    accounts = state.accounts
    origin = EthAddress(sender)
    nonce = accounts.get_nonce(origin)
    accounts.set_nonce(origin, nonce + 1)
    refund = apply_authorizations(state, authorization_list) if authorization_list else 0
    accounts.mark_address_warm(origin)
    for address, slots in access_list:
        accounts.mark_address_warm(EthAddress(address))
        for slot in slots:
            accounts.mark_storage_warm(EthAddress(address), slot)
    context = CancunTransactionContext(gas_price=gas_price, origin=origin)
    created: Address | None = None
    if to is None:
        created = contract_address(sender, nonce)
        message = Message(
            gas=gas - intrinsic,
            to=CREATE_CONTRACT_ADDRESS,
            sender=origin,
            value=value,
            data=b"",
            code=data,
            create_address=EthAddress(created),
            refund=refund,
        )
        accounts.mark_address_warm(EthAddress(created))
        computation = _create(state, message, context)
    else:
        target = EthAddress(to)
        accounts.mark_address_warm(target)
        code = accounts.get_code(target)
        delegated = is_delegation(code)
        if delegated:
            delegate = EthAddress(code[3:])
            accounts.mark_address_warm(delegate)
            code = accounts.get_code(delegate)
        message = Message(
            gas=gas - intrinsic,
            to=target,
            sender=origin,
            value=value,
            data=data,
            code=code,
            refund=refund,
            is_delegation=delegated,
        )
        computation = state.computation_class.apply_message(state, message, context)
    spent = gas - computation.get_gas_remaining()
    used = spent - min(computation.get_gas_refund(), spent // _REFUND_QUOTIENT)
    for destroyed in computation.get_accounts_for_deletion():
        accounts.delete_account(destroyed)
    return Outcome(computation, max(used, floor), max(spent, floor), created)


def is_delegation(code: bytes) -> bool:
    """Whether code is an EIP-7702 delegation designator."""
    return len(code) == 23 and code.startswith(DELEGATION_DESIGNATION_PREFIX)


def apply_authorizations(state: LedgerState, authorizations: Sequence[Authorization]) -> int:
    """Set the code of those who authorised it (EIP-7702). Returns the gas refund.

    An authorization that is not good is passed over.
    """
    accounts = state.accounts
    refund = 0
    for authorization in authorizations:
        if authorization.chain_id not in (0, state.execution_context.chain_id):
            continue
        if authorization.nonce >= _NONCE_LAST:
            continue
        recovered = recover_authority(authorization)
        if recovered is None:
            continue
        authority = EthAddress(recovered)
        accounts.mark_address_warm(authority)
        code = accounts.get_code(authority)
        if code and not is_delegation(code):
            continue
        if accounts.get_nonce(authority) != authorization.nonce:
            continue
        if accounts.account_exists(authority):
            refund += _REFUND_AUTHORIZATION
        if authorization.address == _ZERO_ADDRESS:
            accounts.delete_code(authority)
        else:
            accounts.set_code(authority, DELEGATION_DESIGNATION_PREFIX + authorization.address)
        accounts.increment_nonce(authority)
    return refund


def _create(
    state: LedgerState, message: Message, context: CancunTransactionContext
) -> ComputationAPI:
    address = message.storage_address
    if state.accounts.account_has_code_or_nonce(address):
        computation = state.get_computation(message, context)
        computation.error = ContractCreationCollision(f"a contract is at 0x{address.hex()} already")
        return computation
    return state.computation_class.apply_create_message(state, message, context)
