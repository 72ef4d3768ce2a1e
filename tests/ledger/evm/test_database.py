"""The undo log: going back to a checkpoint restores everything, warm sets included."""

from __future__ import annotations

from typing import Any

import pytest
from eth_typing import Address as EthAddress
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.evm.database import EMPTY, JournaledAccounts
from ledger.state import GenesisAccount, StateChanges, build_genesis_state
from ledger.types import Address, Hash32

pytestmark = pytest.mark.feature("L1")

ADDRESSES = [EthAddress(bytes([n]) * 20) for n in range(1, 4)]
PARENT = build_genesis_state(
    {
        Address(ADDRESSES[0]): GenesisAccount(balance=5),
        Address(ADDRESSES[1]): GenesisAccount(nonce=1, code=b"\x01", storage={0: 7, 1: 8}),
    }
)


class Parent:
    """The state that the block begins with, in memory."""

    root = PARENT.root

    def __init__(self, changes: StateChanges = PARENT) -> None:
        self.changes = changes

    def account(self, address: Address) -> Any:
        return self.changes.accounts.get(address)

    def storage(self, address: Address, slot: int) -> int:
        return self.changes.storage.get(address, {}).get(slot, 0)

    def code(self, code_hash: Hash32) -> bytes:
        return self.changes.code[code_hash]

    def node(self, node_hash: Hash32) -> bytes | None:
        return self.changes.nodes.get(node_hash)


def accounts() -> JournaledAccounts:
    fresh = JournaledAccounts(None, PARENT.root)
    fresh.attach(Parent())
    return fresh


def seen(db: JournaledAccounts) -> list[Any]:
    """All that can be observed, without changing anything."""
    return [
        (
            db.basics(address),
            db.get_code(address),
            db.is_address_warm(address),
            [
                (
                    db.get_storage(address, slot),
                    db.get_storage(address, slot, from_journal=False),
                    db.is_storage_warm(address, slot),
                    db.get_transient(address, slot),
                )
                for slot in range(3)
            ],
        )
        for address in ADDRESSES
    ]


operations = st.tuples(
    st.sampled_from(
        [
            "balance",
            "nonce",
            "code",
            "uncode",
            "store",
            "delete",
            "wipe",
            "transient",
            "slot",
            "address",
            "touch",
        ]
    ),
    st.sampled_from(ADDRESSES),
    st.integers(0, 2),
    st.integers(0, 3),
)


def perform(db: JournaledAccounts, kind: str, address: EthAddress, slot: int, value: int) -> None:
    actions = {
        "balance": lambda: db.set_balance(address, value),
        "nonce": lambda: db.set_nonce(address, value),
        "code": lambda: db.set_code(address, bytes([value])),
        "uncode": lambda: db.delete_code(address),
        "store": lambda: db.set_storage(address, slot, value),
        "delete": lambda: db.delete_account(address),
        "wipe": lambda: db.delete_storage(address),
        "transient": lambda: db.set_transient(address, slot, bytes([value])),
        "slot": lambda: db.mark_storage_warm(address, slot),
        "address": lambda: db.mark_address_warm(address),
        "touch": lambda: db.touch_account(address),
    }
    actions[kind]()


@settings(max_examples=300, deadline=None)
@given(
    before=st.lists(operations, max_size=6),
    outer=st.lists(operations, max_size=6),
    inner=st.lists(operations, max_size=6),
)
def test_discard_restores_all_that_can_be_seen(
    before: list[Any], outer: list[Any], inner: list[Any]
) -> None:
    db = accounts()
    for operation in before:
        perform(db, *operation)
    first, at_first = db.record(), seen(db)
    for operation in outer:
        perform(db, *operation)
    second, at_second = db.record(), seen(db)
    for operation in inner:
        perform(db, *operation)
    db.discard(second)
    assert seen(db) == at_second
    db.discard(first)
    assert seen(db) == at_first


def test_original_value_survives_an_undone_deletion_and_write() -> None:
    db = accounts()
    checkpoint = db.record()
    db.delete_storage(ADDRESSES[1])
    db.set_storage(ADDRESSES[1], 0, 3)
    db.discard(checkpoint)
    assert db.get_storage(ADDRESSES[1], 0, from_journal=False) == 7


@settings(max_examples=200, deadline=None)
@given(operations_=st.lists(operations, max_size=12))
def test_what_was_undone_is_no_change(operations_: list[Any]) -> None:
    db = accounts()
    checkpoint = db.record()
    for operation in operations_:
        perform(db, *operation)
    db.discard(checkpoint)
    db.lock_changes()
    assert db.changed_storage() == {}
    assert db.changed_accounts({}) == {}
    assert db.cleared() == frozenset()


def test_end_of_transaction_cools_down_and_sets_new_originals() -> None:
    db = accounts()
    contract = ADDRESSES[1]
    db.set_storage(contract, 0, 9)
    db.set_transient(contract, 0, b"\x01")
    db.mark_address_warm(contract)
    db.mark_storage_warm(contract, 0)
    assert db.get_storage(contract, 0, from_journal=False) == 7
    db.lock_changes()
    assert db.get_storage(contract, 0, from_journal=False) == 9
    assert db.get_transient(contract, 0) == b""
    assert not db.is_address_warm(contract)
    assert not db.is_storage_warm(contract, 0)
    assert db.changed_storage() == {Address(contract): {0: 9}}


def test_wiped_account_reads_nothing_of_its_past() -> None:
    db = accounts()
    contract = ADDRESSES[1]
    db.delete_account(contract)
    db.set_nonce(contract, 1)
    db.set_storage(contract, 2, 3)
    db.lock_changes()
    assert [db.get_storage(contract, slot) for slot in range(3)] == [0, 0, 3]
    assert db.cleared() == {Address(contract)}
    assert db.changed_storage() == {Address(contract): {2: 3}}
    assert db.basics(ADDRESSES[2]) == EMPTY


def test_forgotten_parent_state_is_told() -> None:
    with pytest.raises(RuntimeError, match="no parent state"):
        JournaledAccounts(None, PARENT.root).get_balance(ADDRESSES[0])
