"""Senders in the state of one head: what the mempool's door asks, each looked up once."""

from __future__ import annotations

from ledger.chain.permission import Permission
from ledger.chain.types import PermissionLayout
from ledger.evm.messages import is_delegation
from ledger.mempool import SenderState
from ledger.state import EMPTY_CODE_HASH, FlatState
from ledger.store import Store
from ledger.types import Address

SENDERS_MAX = 100_000
_NOBODY = (0, 0, False)


class HeadSenders:
    """A `SenderView`. Thread-safe."""

    def __init__(self, store: Store, layout: PermissionLayout | None) -> None:
        self._store = store
        self._layout = layout
        self._known: dict[Address, SenderState] = {}

    def sender(self, address: Address) -> SenderState:
        """What the state says about the sender."""
        found = self._known.get(address)
        if found is None:
            if len(self._known) >= SENDERS_MAX:
                self._known.clear()
            found = self._known[address] = self._read(address)
        return found

    def _read(self, address: Address) -> SenderState:
        with self._store.snapshot() as snapshot:
            state = FlatState(snapshot)
            account = state.account(address)
            nonce, balance, is_contract = _NOBODY
            if account is not None:
                nonce, balance = account.nonce, account.balance
                if account.code_hash != EMPTY_CODE_HASH:
                    is_contract = not is_delegation(state.code(account.code_hash))
            refusal = Permission(self._layout, state).refusal(address)
        return SenderState(nonce, balance, is_contract, refusal)
