"""The last state out of a snapshot: its trie built anew from the flat accounts and slots."""

from __future__ import annotations

from ledger.snapshot.errors import SnapshotWrong
from ledger.snapshot.sorting import Sorter
from ledger.snapshot.stream import decode_slots
from ledger.snapshot.writing import Appender
from ledger.state import (
    EMPTY_CODE_HASH,
    Account,
    RlpMalformed,
    decode_account,
    keccak,
)
from ledger.state.building import SortedTrie
from ledger.state.rlp import encode_bytes
from ledger.store import StagedStore, Table

_ADDRESS_BYTES = 20
_HASH_BYTES = 32


class StateIntake:
    """Codes, then accounts, each with its slots; all in ascending order."""

    def __init__(self, staged: StagedStore) -> None:
        self._staged = staged
        self._codes = Appender(staged, Table.CODE)
        self._accounts = Appender(staged, Table.ACCOUNTS)
        self._slots = Appender(staged, Table.SLOTS)
        self._nodes = Sorter(staged.directory)
        self._leaves = Sorter(staged.directory)
        """Account trie keys and values."""
        self._storage = Sorter(staged.directory)
        """Storage trie keys and values of the account at hand."""
        self._last_code = b""
        self._unused: set[bytes] = set()
        self._known: set[bytes] = {EMPTY_CODE_HASH}
        self._address = b""
        self._account: Account | None = None
        self._last_slot = b""
        self.codes = 0
        self.accounts = 0
        self.slots = 0

    def take_code(self, code: bytes) -> None:
        """The next code, by hash. Raises `SnapshotWrong`."""
        code_hash = keccak(code)
        if code_hash <= self._last_code:
            raise SnapshotWrong(f"code 0x{code_hash.hex()} is not in the order of hashes")
        self._last_code = code_hash
        self._unused.add(code_hash)
        self._known.add(code_hash)
        self._codes.add(code_hash, code)
        self.codes += 1

    def take_account(self, payload: bytes) -> None:
        """The next account, by address. Raises `SnapshotWrong`."""
        self._close_account()
        address, encoded = payload[:_ADDRESS_BYTES], payload[_ADDRESS_BYTES:]
        if len(address) != _ADDRESS_BYTES or address <= self._address:
            raise SnapshotWrong(f"account 0x{address.hex()} is not in the order of addresses")
        try:
            account = decode_account(encoded)
        except RlpMalformed as error:
            raise SnapshotWrong(f"account 0x{address.hex()}: {error}") from error
        if account.code_hash not in self._known:
            raise SnapshotWrong(f"account 0x{address.hex()} has code that is not there")
        self._unused.discard(account.code_hash)
        self._address, self._account, self._last_slot = address, account, b""
        self._accounts.add(address, encoded)
        self._leaves.add(keccak(address) + encoded)
        self.accounts += 1

    def take_slots(self, payload: bytes) -> None:
        """The next slots of the account, by slot. Raises `SnapshotWrong`."""
        if self._account is None:
            raise SnapshotWrong("slots without an account")
        last, address, storage, flat = self._last_slot, self._address, self._storage, self._slots
        for slot, value in decode_slots(payload):
            if slot <= last:
                raise SnapshotWrong(
                    f"slot 0x{slot.hex()} of account 0x{address.hex()} is not in order"
                )
            last = slot
            flat.add(address + slot, value)
            storage.add(keccak(slot) + encode_bytes(value))
            self.slots += 1
        self._last_slot = last

    def finish(self, state_root: bytes) -> None:
        """After the last account: check the state's root, write all. Raises `SnapshotWrong`."""
        self._close_account()
        if self._unused:
            raise SnapshotWrong(f"{len(self._unused)} codes that no account has")
        root = self._build(self._leaves)
        if root != state_root:
            raise SnapshotWrong(
                f"the accounts give state root 0x{root.hex()}, the head has 0x{state_root.hex()}"
            )
        for appender in (self._codes, self._accounts, self._slots):
            appender.flush()
        nodes = ((item[:_HASH_BYTES], item[_HASH_BYTES:]) for item in self._nodes.sorted())
        self._staged.append(Table.NODES, nodes)
        self.close()

    def close(self) -> None:
        """Let go of memory and temporary files."""
        for sorter in (self._nodes, self._leaves, self._storage):
            sorter.close()

    def _close_account(self) -> None:
        account = self._account
        if account is None:
            return
        root = self._build(self._storage)
        if root != account.storage_root:
            raise SnapshotWrong(
                f"the slots of account 0x{self._address.hex()} give storage root "
                f"0x{root.hex()}, the account has 0x{account.storage_root.hex()}"
            )
        self._storage = Sorter(self._staged.directory)
        self._account = None

    def _build(self, sorter: Sorter) -> bytes:
        nodes = self._nodes
        trie = SortedTrie(lambda node_hash, node: nodes.add(node_hash + node))
        for item in sorter.sorted():
            trie.add(item[:_HASH_BYTES], item[_HASH_BYTES:])
        sorter.close()
        return trie.root()
