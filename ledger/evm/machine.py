"""py-evm's Prague virtual machine on our account database."""

from __future__ import annotations

from typing import cast

from eth.abc import ComputationAPI, MessageAPI, StateAPI, TransactionContextAPI
from eth.exceptions import OutOfGas
from eth.typing import JournalDBCheckpoint
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth.vm.gas_meter import GasMeter
from eth.vm.memory import Memory
from eth.vm.message import Message
from eth_typing import Address as EthAddress
from eth_typing import BlockNumber
from eth_typing import Hash32 as EthHash32

from ledger.evm.database import JournaledAccounts
from ledger.evm.errors import WorkLimitExceeded
from ledger.evm.interpreter import run
from ledger.evm.precompiles import PRECOMPILES, check_time, narrow_input
from ledger.evm.protocol import BlockEnvironment
from ledger.state import StateReader

_ANCESTORS = 256


class _BoundedComputation(PragueComputation):
    """Prague rules within bounds of memory and time.

    py-evm keeps every inner call until the transaction ends, with its memory and calldata: a
    hundred gas can hold a megabyte. Here an inner call leaves its logs, refunds and deletions to
    the call around it and goes.
    """

    _precompiles = PRECOMPILES

    def __init__(
        self,
        state: StateAPI,
        message: MessageAPI,
        transaction_context: TransactionContextAPI,
    ) -> None:
        super().__init__(state, message, transaction_context)
        self._deleted_inside: list[EthAddress] = []

    def add_child_computation(self, child_computation: ComputationAPI) -> None:
        super().add_child_computation(child_computation)
        self.children.clear()
        # It may be a view, without which our memory can grow in place.
        cast("Message", child_computation.msg).data = b""
        if child_computation.is_success:
            child = cast("_BoundedComputation", child_computation)
            self._log_entries.extend(child._log_entries)
            cast("GasMeter", self._gas_meter).gas_refunded += child.get_gas_refund()
            self._deleted_inside.extend(child.get_accounts_for_deletion())

    def get_accounts_for_deletion(self) -> list[EthAddress]:
        if self.is_error:
            return []
        return list({*self.accounts_to_delete, *self._deleted_inside})


class LedgerComputation(_BoundedComputation):
    """With our inner loop.

    The caller stands still during a call, so that calldata is a view of its memory: copies that
    gas does not price would take minutes a block.
    Gas for a transaction's creation code (EIP-3860) is not taken here: it is intrinsic gas.
    """

    is_calling = False
    """The next piece of memory that is read is the calldata of a call."""

    def memory_read_bytes(self, start_position: int, size: int) -> bytes:
        if not self.is_calling:
            return super().memory_read_bytes(start_position, size)
        self.is_calling = False
        return cast("bytes", cast("Memory", self._memory).read(start_position, size))

    @classmethod
    def apply_computation(
        cls,
        state: StateAPI,
        message: MessageAPI,
        transaction_context: TransactionContextAPI,
        parent_computation: ComputationAPI | None = None,
    ) -> ComputationAPI:
        """Run one message's code or precompiled contract.

        Raises `CallTimeout` where the state has a deadline and it has passed.
        """
        machine = cast("LedgerState", state)
        if machine.deadline is not None:
            check_time(machine.deadline, message)
        with cls(state, message, transaction_context) as computation:
            computation.contracts_created = (
                [] if parent_computation is None else parent_computation.contracts_created
            )
            if message.is_create:
                computation.contracts_created.append(message.storage_address)
            precompile = cls._precompiles.get(message.code_address)
            if precompile is None:
                run(computation, machine.accounts)
            elif not message.is_delegation:
                # EIP-7702: a precompile that an account delegates to counts as empty code.
                narrow_input(message)
                precompile(computation)
        return computation


class ReferenceComputation(_BoundedComputation):
    """With py-evm's own inner loop: what ours is held against (decision D2)."""

    @property
    def is_origin_computation(self) -> bool:
        """py-evm asks whether the origin is the sender, which may be deeper too (EIP-7702)."""
        return self.msg.depth == 0

    @classmethod
    def consume_initcode_gas_cost(cls, computation: ComputationAPI) -> None:
        """Intrinsic gas here."""

    @classmethod
    def apply_computation(
        cls,
        state: StateAPI,
        message: MessageAPI,
        transaction_context: TransactionContextAPI,
        parent_computation: ComputationAPI | None = None,
    ) -> ComputationAPI:
        """As in `LedgerComputation`."""
        machine = cast("LedgerState", state)
        if machine.deadline is not None:
            check_time(machine.deadline, message)
        return super().apply_computation(state, message, transaction_context, parent_computation)


class LedgerState(PragueState):
    """py-evm's state object for one block."""

    account_db_class = JournaledAccounts
    computation_class: type[_BoundedComputation] = LedgerComputation

    deadline: float | None = None
    """By `time.monotonic`: for calls and proposals. What is agreed on has none."""

    def __init__(
        self, reader: StateReader, env: BlockEnvironment, *, reference: bool = False
    ) -> None:
        """`reference`: run py-evm's own inner loop."""
        if reference:
            self.computation_class = ReferenceComputation
        self.curve_work = 0
        """Of the transaction at hand, in nominal microseconds."""
        self.curve_work_left = env.curve_work_max
        """What the block has left for it and those after it."""
        self.execution_context = ExecutionContext(
            coinbase=EthAddress(env.coinbase),
            timestamp=env.timestamp,
            block_number=BlockNumber(env.number),
            difficulty=0,
            mix_hash=EthHash32(env.mix_hash),
            gas_limit=env.gas_limit,
            prev_hashes=(),
            chain_id=env.chain_id,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )
        accounts = JournaledAccounts(None, EthHash32(reader.root))
        accounts.attach(reader)
        self.accounts = accounts
        self._account_db = accounts
        self._env = env
        self._precompiles = self.computation_class.get_precompiles()
        # Bound once: each would otherwise cost a call on the way to the same method.
        for name in _DIRECT:
            setattr(self, name, getattr(accounts, name))

    def add_curve_work(self, amount: int) -> None:
        """Count work of precompiled contracts that gas does not price here.

        Raises `OutOfGas`, which fails the contract's call, beyond what a transaction may do, and
        `WorkLimitExceeded` beyond what the block has left.
        """
        work = self.curve_work + amount
        if work > self._env.curve_work_max // 2:
            raise OutOfGas("more elliptic-curve work than a transaction may do on this chain")
        if work > self.curve_work_left:
            raise WorkLimitExceeded(
                f"the block has {self.curve_work_left} of {self._env.curve_work_max} microseconds "
                "for elliptic-curve work left: the transaction must wait"
            )
        self.curve_work = work

    def is_address_warm(self, address: EthAddress) -> bool:
        return self.accounts.is_address_warm(address) or address in self._precompiles

    def get_transient_storage(self, address: EthAddress, slot: int) -> bytes:
        return self.accounts.get_transient(address, slot)

    def set_transient_storage(self, address: EthAddress, slot: int, value: bytes) -> None:
        self.accounts.set_transient(address, slot, value)

    def clear_transient_storage(self) -> None:
        """`JournaledAccounts.lock_changes` does it at the end of the transaction."""

    def snapshot(self) -> tuple[EthHash32, JournalDBCheckpoint]:
        return self.accounts.state_root, self.accounts.record()

    def revert(self, snapshot: tuple[EthHash32, JournalDBCheckpoint]) -> None:
        self.accounts.discard(snapshot[1])

    def commit(self, snapshot: tuple[EthHash32, JournalDBCheckpoint]) -> None:
        """Changes simply stay in the undo log of whatever encloses this snapshot."""

    def get_ancestor_hash(self, block_number: int) -> EthHash32:
        if not max(0, self._env.number - _ANCESTORS) <= block_number < self._env.number:
            return EthHash32(b"")
        return EthHash32(self._env.block_hash(block_number) or b"")


_DIRECT = (
    "get_balance",
    "set_balance",
    "get_nonce",
    "set_nonce",
    "increment_nonce",
    "get_code",
    "set_code",
    "delete_code",
    "get_code_hash",
    "get_storage",
    "set_storage",
    "delete_storage",
    "delete_account",
    "account_exists",
    "account_is_empty",
    "touch_account",
    "is_storage_warm",
    "mark_storage_warm",
    "mark_address_warm",
)
