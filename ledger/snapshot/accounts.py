"""The last state out of a snapshot: its trie built anew from the flat accounts and slots."""

from __future__ import annotations

from ledger.snapshot.errors import SnapshotWrong
from ledger.snapshot.stream import decode_slots
from ledger.snapshot.writing import Appender
from ledger.sorting import Sorter
from ledger.state import EMPTY_CODE_HASH, FlatTrie, StateInconsistent, keccak
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
        self._nodes = nodes = Sorter(staged.directory)
        self._trie = FlatTrie(lambda node_hash, node: nodes.add(node_hash + node), staged.directory)
        self._last_code = b""
        self._unused: set[bytes] = set()
        self._known: set[bytes] = {EMPTY_CODE_HASH}
        self._address = b""
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
        address, encoded = payload[:_ADDRESS_BYTES], payload[_ADDRESS_BYTES:]
        try:
            account = self._trie.account(address, encoded)
        except StateInconsistent as error:
            raise SnapshotWrong(str(error)) from error
        if account.code_hash not in self._known:
            raise SnapshotWrong(f"account 0x{address.hex()} has code that is not there")
        self._unused.discard(account.code_hash)
        self._address = address
        self._accounts.add(address, encoded)
        self.accounts += 1

    def take_slots(self, payload: bytes) -> None:
        """The next slots of the account, by slot. Raises `SnapshotWrong`."""
        address, trie, flat = self._address, self._trie, self._slots
        try:
            for slot, value in decode_slots(payload):
                trie.slot(slot, value)
                flat.add(address + slot, value)
                self.slots += 1
        except StateInconsistent as error:
            raise SnapshotWrong(str(error)) from error

    def finish(self, state_root: bytes) -> None:
        """After the last account: check the state's root, write all. Raises `SnapshotWrong`."""
        if self._unused:
            raise SnapshotWrong(f"{len(self._unused)} codes that no account has")
        try:
            root = self._trie.root()
        except StateInconsistent as error:
            raise SnapshotWrong(str(error)) from error
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
        self._nodes.close()
        self._trie.close()
