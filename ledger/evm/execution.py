"""One block under execution: transactions in order, receipts out, one sealing at the end."""

from __future__ import annotations

from eth.constants import SYSTEM_ADDRESS
from eth.vm.forks.cancun.constants import BEACON_ROOTS_ADDRESS
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.forks.prague.constants import HISTORY_STORAGE_ADDRESS
from eth.vm.message import Message
from eth_typing import Address as EthAddress

from ledger.evm.codec import bloom_of
from ledger.evm.errors import (
    CallTimeout,
    ChainIdMismatch,
    FeeInvalid,
    GasLimitExceeded,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    SenderIsContract,
    TimeLimitExceeded,
    WorkLimitExceeded,
)
from ledger.evm.machine import LedgerState
from ledger.evm.messages import is_delegation, run_message
from ledger.evm.protocol import BlockEnvironment
from ledger.evm.transactions import check_standing_alone
from ledger.state import StateChanges, StateReader, seal_changes
from ledger.state.trie import NodeCache
from ledger.types import Address, Hash32, Log, Receipt, Transaction

_SYSTEM_GAS = 30_000_000
_UINT256_BYTES = 32


class PyEvmExecution:
    """A block on top of `parent`. Not thread-safe."""

    def __init__(
        self,
        parent: StateReader,
        env: BlockEnvironment,
        cache: NodeCache | None = None,
        *,
        reference: bool = False,
    ) -> None:
        self._parent = parent
        self._env = env
        self._cache = cache
        self._state = LedgerState(parent, env, reference=reference)
        self._gas_used = 0
        self._sealed = False
        system_call(self._state, BEACON_ROOTS_ADDRESS, env.parent_beacon_block_root)
        system_call(self._state, HISTORY_STORAGE_ADDRESS, env.parent_hash)

    @property
    def gas_used(self) -> int:
        """Gas of the transactions so far."""
        return self._gas_used

    def apply(self, transaction: Transaction, deadline: float | None = None) -> Receipt:
        """Execute the next transaction. Raises a `TransactionRefused`; nothing has changed then.

        Only a block that is not agreed on yet may have a `deadline` (`time.monotonic`): what all
        have accepted must be executed however long it takes.
        """
        if self._sealed:
            raise RuntimeError("the block is sealed")
        accounts = self._state.accounts
        intrinsic, floor = self._check(transaction)
        price = min(transaction.gas_price, transaction.max_priority_fee_per_gas)
        sender = EthAddress(transaction.sender)
        checkpoint = accounts.record()
        self._state.curve_work = 0
        self._state.deadline = deadline
        try:
            if price:
                accounts.set_balance(sender, accounts.get_balance(sender) - transaction.gas * price)
            outcome = run_message(
                self._state,
                sender=transaction.sender,
                to=transaction.to,
                value=transaction.value,
                data=transaction.data,
                gas=transaction.gas,
                intrinsic=intrinsic,
                floor=floor,
                gas_price=price,
                access_list=transaction.access_list,
                authorization_list=transaction.authorization_list,
            )
            coinbase = EthAddress(self._env.coinbase)
            if price:
                back = (transaction.gas - outcome.gas_used) * price
                accounts.set_balance(sender, accounts.get_balance(sender) + back)
                fee = outcome.gas_used * price
                accounts.set_balance(coinbase, accounts.get_balance(coinbase) + fee)
            accounts.touch_account(coinbase)
        except BaseException as error:
            accounts.discard(checkpoint)
            accounts.forget_originals()
            if isinstance(error, WorkLimitExceeded):
                # Its work is done and lost. Nobody else shall begin such work in this block.
                self._state.curve_work_left = 0
            if isinstance(error, CallTimeout):
                raise TimeLimitExceeded(
                    f"transaction 0x{transaction.hash.hex()} runs longer than this machine gives "
                    "a single one in a block that is to be agreed on: divide it into smaller ones"
                ) from None
            raise
        accounts.lock_changes()
        self._state.curve_work_left -= self._state.curve_work
        self._gas_used += outcome.gas_used
        computation = outcome.computation
        logs = tuple(
            Log(
                address=Address(address),
                topics=tuple(Hash32(topic.to_bytes(_UINT256_BYTES, "big")) for topic in topics),
                data=data,
            )
            for address, topics, data in computation.get_log_entries()
        )
        return Receipt(
            type=transaction.type,
            status=int(computation.is_success),
            gas_used=outcome.gas_used,
            cumulative_gas_used=self._gas_used,
            logs=logs,
            bloom=bloom_of(logs),
            contract_address=outcome.created,
        )

    def seal(self) -> StateChanges:
        """Compute the new state root and hand over all changes. Call once, last."""
        if self._sealed:
            raise RuntimeError("the block is sealed")
        self._sealed = True
        accounts = self._state.accounts
        accounts.lock_changes()
        storage = accounts.changed_storage()
        changed = accounts.changed_accounts(storage)
        return seal_changes(
            self._parent,
            changed,
            storage,
            accounts.cleared(),
            accounts.code_in_use(changed),
            self._cache,
        )

    def _check(self, transaction: Transaction) -> tuple[int, int]:
        """All that makes a transaction valid here. Returns intrinsic gas and floor gas."""
        env = self._env
        if transaction.chain_id != env.chain_id:
            raise ChainIdMismatch(
                f"signed for chain {transaction.chain_id}; this is chain {env.chain_id}"
            )
        intrinsic, floor = check_standing_alone(transaction)
        left = env.gas_limit - self._gas_used
        if transaction.gas > left:
            raise GasLimitExceeded(
                f"transaction wants {transaction.gas} gas; the block has {left} of "
                f"{env.gas_limit} left"
            )
        if transaction.max_priority_fee_per_gas > transaction.gas_price:
            raise FeeInvalid(
                f"maxPriorityFeePerGas {transaction.max_priority_fee_per_gas} is above "
                f"maxFeePerGas {transaction.gas_price}"
            )
        sender = EthAddress(transaction.sender)
        accounts = self._state.accounts
        nonce, balance, _ = accounts.basics(sender)
        if transaction.nonce < nonce:
            raise NonceTooLow(f"nonce too low: have {transaction.nonce}, want {nonce}")
        if transaction.nonce > nonce:
            raise NonceTooHigh(f"nonce too high: have {transaction.nonce}, want {nonce}")
        code = accounts.get_code(sender)
        if code and not is_delegation(code):
            raise SenderIsContract(f"0x{sender.hex()} is a contract (EIP-3607)")
        cost = transaction.gas * transaction.gas_price + transaction.value
        if balance < cost:
            raise InsufficientFunds(
                f"insufficient funds for gas * price + value: have {balance}, want {cost}"
            )
        return intrinsic, floor


def system_call(state: LedgerState, address: bytes, data: bytes) -> None:
    """A call at the beginning of the block (EIP-4788, EIP-2935); nothing without a contract."""
    accounts = state.accounts
    target = EthAddress(address)
    code = accounts.get_code(target)
    if not code:
        return
    message = Message(
        gas=_SYSTEM_GAS,
        to=target,
        sender=SYSTEM_ADDRESS,
        value=0,
        data=data,
        code=code,
        should_transfer_value=False,
    )
    context = CancunTransactionContext(gas_price=0, origin=SYSTEM_ADDRESS)
    state.computation_class.apply_message(state, message, context)
    accounts.lock_changes()
