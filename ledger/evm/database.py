"""The accounts that a block is changing: py-evm's account database over a `StateReader`.

Every change goes through one undo log, so that a checkpoint is a length and going back is
replaying the log backwards. Nothing is hashed until the block is sealed.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, NoReturn

from eth.abc import AccountDatabaseAPI, AtomicDatabaseAPI, MetaWitnessAPI
from eth.typing import JournalDBCheckpoint
from eth_typing import Address as EthAddress
from eth_typing import Hash32 as EthHash32

from ledger.state import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, NEW_ACCOUNT, Account, StateReader, keccak
from ledger.types import Address, Hash32


class Basics(NamedTuple):
    """An account without its storage root, which stays unknown until the block is sealed."""

    nonce: int
    balance: int
    code_hash: bytes


EMPTY: Final = Basics(0, 0, EMPTY_CODE_HASH)
_ABSENT: Final[Any] = object()


class JournaledAccounts(AccountDatabaseAPI):
    """Accounts, slots, code, warm sets and transient storage under one undo log.

    An account that is empty (EIP-161) is the same as one that does not exist.
    Not thread-safe.
    """

    def __init__(self, db: AtomicDatabaseAPI | None, state_root: EthHash32) -> None:
        """py-evm's signature. `attach` gives it the state to read."""
        del db
        self._root = state_root
        self._reader: StateReader = _NO_STATE
        self._log: list[tuple[dict[Any, Any], Any, Any]] = []
        self.accounts: dict[EthAddress, Basics | None] = {}
        """Accounts read or changed so far; None where there is none."""
        self.storage: dict[EthAddress, dict[int, int]] = {}
        """Slots read or changed so far."""
        self.wiped: dict[EthAddress, bool] = {}
        """Accounts deleted in this block: their slots in the parent state no longer count."""
        self.new_code: dict[bytes, bytes] = {}
        self._code: dict[bytes, bytes] = {}
        self._originals: dict[tuple[EthAddress, int], int] = {}
        """Values before this transaction of the slots that it wrote."""
        self._touched_slots: dict[tuple[EthAddress, int], bool] = {}
        self._touched_accounts: dict[EthAddress, bool] = {}
        self._warm_addresses: dict[EthAddress, bool] = {}
        self._warm_slots: dict[tuple[EthAddress, int], bool] = {}
        self._transient: dict[tuple[EthAddress, int], bytes] = {}

    def attach(self, reader: StateReader) -> None:
        """Set the parent state. Call once, before anything else."""
        self._reader = reader

    # -- undo log ---------------------------------------------------------------------------

    def record(self) -> JournalDBCheckpoint:
        return JournalDBCheckpoint(len(self._log))

    def discard(self, checkpoint: JournalDBCheckpoint) -> None:
        log = self._log
        while len(log) > checkpoint:
            table, key, before = log.pop()
            if before is _ABSENT:
                del table[key]
            else:
                table[key] = before

    def commit(self, checkpoint: JournalDBCheckpoint) -> None:
        """Nothing to do: changes after a checkpoint simply stay in the log."""

    def lock_changes(self) -> None:
        """End the transaction: no more going back, nothing warm, transient storage empty."""
        self._log.clear()
        for key in self._originals:
            self._touched_slots[key] = True
        self._originals.clear()
        self._warm_addresses.clear()
        self._warm_slots.clear()
        self._transient.clear()

    def forget_originals(self) -> None:
        """After going back to the beginning of a call: nothing was written in this transaction."""
        self._originals.clear()

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        self._log.append((table, key, table.get(key, _ABSENT)))
        table[key] = value

    # -- accounts ---------------------------------------------------------------------------

    def basics(self, address: EthAddress) -> Basics:
        """The account; `EMPTY` where there is none."""
        try:
            found = self.accounts[address]
        except KeyError:
            account = self._reader.account(Address(address))
            found = None
            if account is not None:
                found = Basics(account.nonce, account.balance, account.code_hash)
            self.accounts[address] = found
        return EMPTY if found is None else found

    def _set_basics(self, address: EthAddress, basics: Basics) -> None:
        self._set(self.accounts, address, None if basics == EMPTY else basics)
        self._touched_accounts[address] = True

    def get_balance(self, address: EthAddress) -> int:
        return self.basics(address).balance

    def set_balance(self, address: EthAddress, balance: int) -> None:
        nonce, _, code_hash = self.basics(address)
        self._set_basics(address, Basics(nonce, balance, code_hash))

    def get_nonce(self, address: EthAddress) -> int:
        return self.basics(address).nonce

    def set_nonce(self, address: EthAddress, nonce: int) -> None:
        _, balance, code_hash = self.basics(address)
        self._set_basics(address, Basics(nonce, balance, code_hash))

    def increment_nonce(self, address: EthAddress) -> None:
        nonce, balance, code_hash = self.basics(address)
        self._set_basics(address, Basics(nonce + 1, balance, code_hash))

    def get_code_hash(self, address: EthAddress) -> EthHash32:
        return EthHash32(self.basics(address).code_hash)

    def get_code(self, address: EthAddress) -> bytes:
        code_hash = self.basics(address).code_hash
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self.new_code.get(code_hash) or self._code.get(code_hash)
        if code is None:
            code = self._code[code_hash] = self._reader.code(Hash32(code_hash))
        return code

    def set_code(self, address: EthAddress, code: bytes) -> None:
        nonce, balance, _ = self.basics(address)
        code_hash = keccak(code)
        if code:
            self._set(self.new_code, code_hash, code)
        self._set_basics(address, Basics(nonce, balance, code_hash))

    def delete_code(self, address: EthAddress) -> None:
        nonce, balance, _ = self.basics(address)
        self._set_basics(address, Basics(nonce, balance, EMPTY_CODE_HASH))

    def account_has_code_or_nonce(self, address: EthAddress) -> bool:
        nonce, _, code_hash = self.basics(address)
        return nonce != 0 or code_hash != EMPTY_CODE_HASH

    def account_exists(self, address: EthAddress) -> bool:
        return self.basics(address) != EMPTY

    def account_is_empty(self, address: EthAddress) -> bool:
        return self.basics(address) == EMPTY

    def touch_account(self, address: EthAddress) -> None:
        """EIP-161: an empty account that is touched goes away."""
        if self.basics(address) == EMPTY:
            self._set_basics(address, EMPTY)

    def delete_account(self, address: EthAddress) -> None:
        self._set_basics(address, EMPTY)
        self.delete_storage(address)

    # -- storage ----------------------------------------------------------------------------

    def get_storage(self, address: EthAddress, slot: int, from_journal: bool = True) -> int:
        slots = self.storage.get(address)
        if slots is None:
            slots = self.storage[address] = {}
        value = slots.get(slot)
        if value is None:
            value = 0 if address in self.wiped else self._reader.storage(Address(address), slot)
            slots[slot] = value
        if from_journal:
            return value
        return self._originals.get((address, slot), value)

    def set_storage(self, address: EthAddress, slot: int, value: int) -> None:
        before = self.get_storage(address, slot)
        if before == value:
            return
        slots = self.storage[address]
        self._log.append((slots, slot, before))
        slots[slot] = value
        if (address, slot) not in self._originals:
            # Undone with the write: a deletion undone as well may have made `before` a zero.
            self._set(self._originals, (address, slot), before)
        self._touched_accounts[address] = True

    def delete_storage(self, address: EthAddress) -> None:
        self._set(self.storage, address, {})
        self._set(self.wiped, address, True)
        self._touched_accounts[address] = True

    # -- transient storage (EIP-1153) and warm sets (EIP-2929) --------------------------------

    def get_transient(self, address: EthAddress, slot: int) -> bytes:
        """Transient value, empty where unset."""
        return self._transient.get((address, slot), b"")

    def set_transient(self, address: EthAddress, slot: int, value: bytes) -> None:
        """Set until the end of the transaction."""
        self._set(self._transient, (address, slot), value)

    def is_storage_warm(self, address: EthAddress, slot: int) -> bool:
        return (address, slot) in self._warm_slots

    def mark_storage_warm(self, address: EthAddress, slot: int) -> None:
        if (address, slot) not in self._warm_slots:
            self._set(self._warm_slots, (address, slot), True)

    def is_address_warm(self, address: EthAddress) -> bool:
        return address in self._warm_addresses

    def mark_address_warm(self, address: EthAddress) -> None:
        if address not in self._warm_addresses:
            self._set(self._warm_addresses, address, True)

    # -- the end of the block -----------------------------------------------------------------

    def changed_accounts(
        self, changed_storage: dict[Address, dict[int, int]]
    ) -> dict[Address, Account | None]:
        """Accounts that differ from the parent state in themselves or in their storage.

        Storage roots in them are those of the parent state.
        """
        changed: dict[Address, Account | None] = {}
        cleared = self.cleared()
        for key in self._touched_accounts:
            address = Address(key)
            self.basics(key)
            basics = self.accounts[key]
            before = self._reader.account(address)
            if basics is None:
                if before is not None:
                    changed[address] = None
                continue
            storage_root = (before or NEW_ACCOUNT).storage_root
            after = Account(basics.nonce, basics.balance, storage_root, Hash32(basics.code_hash))
            if after != before or address in changed_storage or address in cleared:
                changed[address] = after
        return changed

    def changed_storage(self) -> dict[Address, dict[int, int]]:
        """Slots whose value differs from the parent state (from none, where wiped)."""
        changed: dict[Address, dict[int, int]] = {}
        for key, slot in self._touched_slots:
            if self.basics(key) == EMPTY:
                continue
            address = Address(key)
            before = 0 if key in self.wiped else self._reader.storage(address, slot)
            after = self.get_storage(key, slot)
            if after != before:
                changed.setdefault(address, {})[slot] = after
        return changed

    def cleared(self) -> frozenset[Address]:
        """Accounts whose slots in the parent state are gone."""
        return frozenset(
            Address(address)
            for address in self.wiped
            if (self._reader.account(Address(address)) or NEW_ACCOUNT).storage_root
            != EMPTY_TRIE_ROOT
        )

    def code_in_use(self, changed: dict[Address, Account | None]) -> dict[Hash32, bytes]:
        """New code that some changed account has."""
        return {
            account.code_hash: self.new_code[account.code_hash]
            for account in changed.values()
            if account is not None and account.code_hash in self.new_code
        }

    # -- of py-evm's interface, never needed here ---------------------------------------------

    @property
    def state_root(self) -> EthHash32:
        """Root of the parent state."""
        return self._root

    @state_root.setter
    def state_root(self, value: EthHash32) -> None:
        self._root = value

    def has_root(self, state_root: bytes) -> bool:
        return state_root == self._root

    def make_state_root(self) -> EthHash32:
        raise NotImplementedError("the root is computed when the block is sealed")

    def persist(self) -> MetaWitnessAPI:
        raise NotImplementedError("changes are handed over when the block is sealed")


class _NoState:
    """Stands where `attach` was forgotten."""

    @property
    def root(self) -> Hash32:
        self._fail()

    def account(self, address: Address) -> Account | None:
        self._fail(address)

    def storage(self, address: Address, slot: int) -> int:
        self._fail(address, slot)

    def code(self, code_hash: Hash32) -> bytes:
        self._fail(code_hash)

    def node(self, node_hash: Hash32) -> bytes | None:
        self._fail(node_hash)

    def _fail(self, *_: object) -> NoReturn:
        raise RuntimeError("no parent state is attached")


_NO_STATE: Final = _NoState()
