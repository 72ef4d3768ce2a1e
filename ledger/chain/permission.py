"""Who may transact (decision D6): read from the parent state's storage alone.

The ledger knows the Consortium contract only by address and storage layout, which genesis names.
Storage layout: Solidity "Layout of State Variables in Storage" (mappings, structs).
"""

from __future__ import annotations

from ledger.chain.types import PermissionLayout
from ledger.mempool.errors import NotPermitted
from ledger.state import StateReader, keccak
from ledger.types import Address

ACTIVE = 1
_STATUS_MASK = 0xFF


class Permission:
    """The answer for one state, each sender looked up once. As thread-safe as its state."""

    def __init__(self, layout: PermissionLayout | None, state: StateReader) -> None:
        self._layout = layout
        self._state = state
        self._refusals: dict[Address, str | None] = {}

    def check(self, sender: Address) -> None:
        """Raise `NotPermitted` unless the sender is active in an active organisation."""
        refusal = self.refusal(sender)
        if refusal is not None:
            raise NotPermitted(refusal)

    def refusal(self, sender: Address) -> str | None:
        """Why the sender may not transact; None where it may."""
        if self._layout is None:
            return None
        try:
            return self._refusals[sender]
        except KeyError:
            found = self._refusals[sender] = _refusal(self._layout, self._state, sender)
            return found


def _refusal(layout: PermissionLayout, state: StateReader, sender: Address) -> str | None:
    account = mapping_slot(bytes(12) + sender, layout.accounts_slot)
    organisation = state.storage(layout.contract, account)
    if not organisation:
        return f"0x{sender.hex()} is not an account of any member: ask your operator to add it"
    key = organisation.to_bytes(32, "big")
    name = key.rstrip(b"\0").decode("ascii", "replace")
    if state.storage(layout.contract, (account + 1) % 2**256) & _STATUS_MASK != ACTIVE:
        return f"account 0x{sender.hex()} of {name!r} is not active"
    entry = mapping_slot(key, layout.organisations_slot)
    if state.storage(layout.contract, entry) & _STATUS_MASK != ACTIVE:
        return f"organisation {name!r} of account 0x{sender.hex()} is not active"
    return None


def mapping_slot(key: bytes, slot: int) -> int:
    """Where a mapping at `slot` keeps the value of a 32-byte key."""
    return int.from_bytes(keccak(key + slot.to_bytes(32, "big")), "big")
