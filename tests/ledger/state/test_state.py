"""Stored state: genesis, changes, the latest and past states, proofs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth.db.account import AccountDB
from eth.db.atomic import AtomicDB
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.state import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    Account,
    AllocationInvalid,
    CodeMissing,
    EmptyState,
    FlatState,
    GenesisAccount,
    NodeMissing,
    ProofInvalid,
    StateChanges,
    TrieState,
    build_genesis_state,
    keccak,
    prove,
    seal_changes,
    verify_account_proof,
    write_changes,
)
from ledger.store import Store, Table, WriteBatch
from ledger.types import Address, Hash32

pytestmark = pytest.mark.feature("L1")

ALICE, BOB, SHOP = (Address(bytes([n]) * 20) for n in (1, 2, 3))
CODE = bytes.fromhex("6001600055")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def commit(store: Store, changes: StateChanges) -> None:
    batch = WriteBatch()
    write_changes(batch, changes)
    store.commit(batch)


def genesis() -> StateChanges:
    return build_genesis_state(
        {
            ALICE: GenesisAccount(balance=10**18, nonce=3),
            SHOP: GenesisAccount(nonce=1, code=CODE, storage={0: 7, 2**255: 1, 5: 0}),
        }
    )


def change(store: Store, slots: dict[int, int], *, cleared: bool = False) -> StateChanges:
    with store.snapshot() as snapshot:
        parent = FlatState(snapshot)
        shop = parent.account(SHOP)
        assert shop is not None
        changes = seal_changes(
            parent, {SHOP: shop}, {SHOP: slots}, frozenset({SHOP} if cleared else ()), {}
        )
    commit(store, changes)
    return changes


def test_empty_roots_are_the_well_known_ones() -> None:
    assert EMPTY_TRIE_ROOT.hex() == (
        "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    )
    assert EMPTY_CODE_HASH.hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )
    assert build_genesis_state({}).root == EMPTY_TRIE_ROOT == EmptyState().root


@settings(max_examples=60, deadline=None)
@given(
    alloc=st.dictionaries(
        st.binary(min_size=20, max_size=20),
        st.builds(
            GenesisAccount,
            balance=st.integers(0, 2**256 - 1),
            nonce=st.integers(1, 2**63),
            code=st.binary(max_size=40),
            storage=st.dictionaries(
                st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1), max_size=6
            ),
        ),
        max_size=6,
    )
)
def test_genesis_root_is_that_of_py_evm(alloc: dict[bytes, GenesisAccount]) -> None:
    reference = AccountDB(AtomicDB())
    for address, entry in alloc.items():
        reference.set_balance(address, entry.balance)
        reference.set_nonce(address, entry.nonce)
        reference.set_code(address, entry.code)
        for slot, value in entry.storage.items():
            reference.set_storage(address, slot, value)
    ours = build_genesis_state({Address(address): entry for address, entry in alloc.items()})
    assert ours.root == reference.make_state_root()


def test_latest_and_past_states_are_readable(store: Store) -> None:
    first = genesis()
    commit(store, first)
    second = change(store, {0: 8, 9: 1, 2**255: 0})
    with store.snapshot() as snapshot:
        latest, old = FlatState(snapshot), TrieState(snapshot, first.root)
        assert latest.root == second.root
        slots = (0, 9, 2**255, 5)
        assert [latest.storage(SHOP, slot) for slot in slots] == [8, 1, 0, 0]
        again = TrieState(snapshot, second.root)
        assert [again.storage(SHOP, slot) for slot in slots] == [8, 1, 0, 0]
        assert [old.storage(SHOP, slot) for slot in slots] == [7, 0, 1, 0]
        assert latest.account(ALICE) == old.account(ALICE)
        assert latest.account(BOB) is None
        assert old.account(BOB) is None
        assert old.storage(BOB, 0) == old.storage(ALICE, 0) == 0
        shop = latest.account(SHOP)
        assert shop is not None
        assert latest.code(shop.code_hash) == CODE
        assert latest.code(Hash32(EMPTY_CODE_HASH)) == b""


def test_cleared_storage_is_gone_from_the_flat_table_and_the_trie(store: Store) -> None:
    commit(store, genesis())
    changes = change(store, {4: 4}, cleared=True)
    with store.snapshot() as snapshot:
        assert snapshot.count(Table.SLOTS) == 1
        for state in (FlatState(snapshot), TrieState(snapshot, changes.root)):
            assert [state.storage(SHOP, slot) for slot in (0, 4, 2**255)] == [0, 4, 0]


def test_deleted_account_is_gone(store: Store) -> None:
    commit(store, genesis())
    with store.snapshot() as snapshot:
        changes = seal_changes(FlatState(snapshot), {SHOP: None}, {}, frozenset({SHOP}), {})
    commit(store, changes)
    with store.snapshot() as snapshot:
        assert FlatState(snapshot).account(SHOP) is None
        assert TrieState(snapshot, changes.root).account(SHOP) is None
        assert snapshot.count(Table.SLOTS) == 0
    assert changes.root == build_genesis_state({ALICE: GenesisAccount(10**18, 3)}).root


def test_unknown_root_and_lost_code_are_errors_not_empty_answers(store: Store) -> None:
    commit(store, genesis())
    with store.snapshot() as snapshot:
        with pytest.raises(NodeMissing):
            TrieState(snapshot, Hash32(b"\x05" * 32))
        with pytest.raises(CodeMissing):
            FlatState(snapshot).code(Hash32(b"\x06" * 32))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (GenesisAccount(balance=-1), "balance"),
        (GenesisAccount(balance=2**256), "balance"),
        (GenesisAccount(nonce=2**64 - 1), "nonce"),
        (GenesisAccount(storage={2**256: 1}), "slot"),
        (GenesisAccount(storage={0: -1}), "slot"),
    ],
)
def test_allocation_out_of_range_is_refused(entry: GenesisAccount, words: str) -> None:
    with pytest.raises(AllocationInvalid, match=words):
        build_genesis_state({ALICE: entry})


def test_allocation_with_a_short_address_is_refused() -> None:
    with pytest.raises(AllocationInvalid, match="20 bytes"):
        build_genesis_state({Address(b"short"): GenesisAccount(balance=1)})


@pytest.mark.feature("L9")
@pytest.mark.parametrize("address", [ALICE, BOB, SHOP])
def test_proofs_of_presence_and_absence_verify(store: Store, address: Address) -> None:
    first = genesis()
    commit(store, first)
    change(store, {n: n for n in range(1, 40)})
    with store.snapshot() as snapshot:
        for state in (FlatState(snapshot), TrieState(snapshot, first.root)):
            slots = [0, 7, 2**255, 12_345]
            proof = prove(state, address, slots)
            assert proof.account == state.account(address)
            assert [entry.value for entry in proof.slots] == [
                state.storage(address, slot) for slot in slots
            ]
            verify_account_proof(proof, state.root)


@pytest.mark.feature("L9")
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_tampered_proof_never_verifies(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    alloc = {Address(bytes([n]) * 20): GenesisAccount(balance=n) for n in range(1, 30)}
    alloc[SHOP] = GenesisAccount(nonce=1, storage={n: n + 1 for n in range(20)})
    changes = build_genesis_state(alloc)
    with Store.open(tmp_path_factory.mktemp("proof"), map_size_bytes=1 << 23) as store:
        commit(store, changes)
        with store.snapshot() as snapshot:
            proof = prove(FlatState(snapshot), SHOP, [3, 99])
    verify_account_proof(proof, changes.root)
    assert proof.account is not None
    kind = data.draw(st.integers(0, 5))
    if kind == 0:
        tampered = replace(proof, account=replace(proof.account, balance=1))
    elif kind == 1:
        tampered = replace(proof, account=None)
    elif kind == 2:
        wrong = replace(proof.slots[data.draw(st.integers(0, 1))], value=77)
        tampered = replace(proof, slots=(wrong,))
    elif kind == 3:
        tampered = replace(proof, proof=proof.proof[:-1])
    elif kind == 4:
        tampered = replace(proof, proof=(*proof.proof, proof.proof[0]))
    else:
        index = data.draw(st.integers(0, len(proof.proof) - 1))
        node = bytearray(proof.proof[index])
        node[data.draw(st.integers(0, len(node) - 1))] ^= data.draw(st.integers(1, 255))
        nodes = (*proof.proof[:index], bytes(node), *proof.proof[index + 1 :])
        tampered = replace(proof, proof=nodes)
    with pytest.raises(ProofInvalid):
        verify_account_proof(tampered, changes.root)


def test_account_of_the_yellow_paper_shape_is_stored() -> None:
    changes = genesis()
    shop = changes.accounts[SHOP]
    assert isinstance(shop, Account)
    assert shop.code_hash == keccak(CODE)
    assert shop.storage_root != EMPTY_TRIE_ROOT
    assert changes.storage == {SHOP: {0: 7, 2**255: 1}}
