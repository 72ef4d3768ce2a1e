"""The whole state's trie from its flat accounts and slots, in one pass and bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ledger.closing import Closing
from ledger.sorting import Sorter
from ledger.state.account import decode_account
from ledger.state.building import SortedTrie
from ledger.state.errors import RlpMalformed, StateInconsistent
from ledger.state.keccak import keccak
from ledger.state.protocol import Account
from ledger.state.rlp import encode_bytes

_ADDRESS_BYTES = 20
_HASH_BYTES = 32


class FlatTrie(Closing):
    """Takes accounts by address, each followed by its slots; all in ascending order.

    The trie orders by hash: what does not fit into memory is sorted in files. Not thread-safe.
    """

    def __init__(self, emit: Callable[[bytes, bytes], object], scratch: Path | None = None) -> None:
        """`emit` is told of each trie node, hash and RLP; equal ones may come twice."""
        self._emit = emit
        self._scratch = scratch
        self._leaves = Sorter(scratch)
        self._storage = Sorter(scratch)
        self._address = b""
        self._account: Account | None = None
        self._last_slot = b""

    def account(self, address: bytes, encoded: bytes) -> Account:
        """The next account, as the flat table has it. Raises `StateInconsistent`."""
        self._close_account()
        place = f"account 0x{address.hex()}"
        if len(address) != _ADDRESS_BYTES or address <= self._address:
            raise StateInconsistent(f"{place} is not in the order of addresses")
        try:
            account = decode_account(encoded)
        except RlpMalformed as error:
            raise StateInconsistent(f"{place}: {error}") from error
        self._address, self._account, self._last_slot = address, account, b""
        self._leaves.add(keccak(address) + encoded)
        return account

    def slot(self, slot: bytes, value: bytes) -> None:
        """The account's next slot: 32 bytes, and its value, shortest. Raises `StateInconsistent`.

        Requires an account.
        """
        if slot <= self._last_slot or len(slot) != _HASH_BYTES:
            raise StateInconsistent(
                f"slot 0x{slot.hex()} of account 0x{self._address.hex()} is not in order"
            )
        self._last_slot = slot
        self._storage.add(keccak(slot) + encode_bytes(value))

    def root(self) -> bytes:
        """The state root, after the last account. Raises `StateInconsistent`."""
        self._close_account()
        return self._build(self._leaves)

    def close(self) -> None:
        """Let go of memory and files."""
        self._leaves.close()
        self._storage.close()

    def _close_account(self) -> None:
        account, self._account = self._account, None
        if account is None:
            return
        root = self._build(self._storage)
        if root != account.storage_root:
            raise StateInconsistent(
                f"the slots of account 0x{self._address.hex()} give storage root "
                f"0x{root.hex()}, the account has 0x{account.storage_root.hex()}"
            )
        self._storage = Sorter(self._scratch)

    def _build(self, sorter: Sorter) -> bytes:
        trie = SortedTrie(self._emit)
        for item in sorter.sorted():
            trie.add(item[:_HASH_BYTES], item[_HASH_BYTES:])
        sorter.close()
        return trie.root()
