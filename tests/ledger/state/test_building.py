"""Tries built from sorted streams: the same nodes as any other way, in bounded memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.sorting import Sorter
from ledger.state import (
    EMPTY_TRIE_ROOT,
    Account,
    EmptyState,
    FlatTrie,
    StateInconsistent,
    Trie,
    encode_account,
    seal_changes,
)
from ledger.state.building import SortedTrie
from ledger.types import Address, Hash32

pytestmark = pytest.mark.feature("N4")


def same_length(size: int) -> st.SearchStrategy[dict[bytes, bytes]]:
    keys = st.binary(min_size=size, max_size=size)
    return st.dictionaries(keys, st.binary(min_size=1, max_size=40), max_size=60)


@given(st.sampled_from((1, 2, 4, 32)).flatmap(same_length))
def test_a_sorted_trie_has_the_nodes_of_one_that_was_updated(entries: dict[bytes, bytes]) -> None:
    updated = Trie(lambda _: None)
    root = updated.update(dict(entries))
    nodes: dict[bytes, bytes] = {}
    built = SortedTrie(nodes.__setitem__)
    for key in sorted(entries):
        built.add(key, entries[key])
    assert built.root() == root
    assert nodes == dict(updated.new_nodes)


def test_keys_must_ascend_and_have_one_length() -> None:
    for first, second in ((b"b", b"a"), (b"a", b"a"), (b"a", b"ab"), (b"ab", b"b")):
        trie = SortedTrie(lambda _hash, _node: None)
        trie.add(first, b"1")
        with pytest.raises(ValueError, match="ascend"):
            trie.add(second, b"2")


@given(st.lists(st.binary(max_size=12), max_size=300), st.integers(100, 4_000))
def test_what_does_not_fit_is_sorted_in_files(items: list[bytes], memory: int) -> None:
    with Sorter(memory_bytes=memory) as sorter:
        for item in items:
            sorter.add(item)
        assert list(sorter.sorted()) == sorted(set(items))


def test_many_runs_are_merged_on_the_way(tmp_path: Path) -> None:
    items = [(number * 7919 % 1_000).to_bytes(2, "big") for number in range(1_000)]
    with Sorter(tmp_path, memory_bytes=1) as sorter:
        for item in items:
            sorter.add(item)
        assert list(sorter.sorted()) == sorted(items)
    assert list(tmp_path.iterdir()) == []


addresses = st.binary(min_size=20, max_size=20).map(Address)
storages = st.dictionaries(st.integers(0, 2**256 - 1), st.integers(1, 2**256 - 1), max_size=8)


@given(st.dictionaries(addresses, storages, max_size=8))
def test_the_flat_state_gives_the_root_and_nodes_of_the_state(
    state: dict[Address, dict[int, int]],
) -> None:
    empty = Account(1, 5, Hash32(EMPTY_TRIE_ROOT), Hash32(bytes(32)))
    changes = seal_changes(EmptyState(), dict.fromkeys(state, empty), state, frozenset(), {})
    nodes: dict[bytes, bytes] = {}
    with FlatTrie(nodes.__setitem__) as trie:
        for address in sorted(state):
            account = changes.accounts[address]
            assert account is not None
            assert trie.account(address, encode_account(account)) == account
            for slot, value in sorted(state[address].items()):
                shortest = value.to_bytes((value.bit_length() + 7) // 8, "big")
                trie.slot(slot.to_bytes(32, "big"), shortest)
        assert trie.root() == changes.root
    assert nodes == dict(changes.nodes)


def test_a_flat_state_that_does_not_belong_together_is_refused() -> None:
    account = encode_account(Account(1, 5, Hash32(EMPTY_TRIE_ROOT), Hash32(bytes(32))))
    one, two = bytes(20), bytes(19) + b"\1"

    def trie() -> FlatTrie:
        return FlatTrie(lambda _hash, _node: None)

    with trie() as wrong:
        wrong.account(two, account)
        with pytest.raises(StateInconsistent, match="order"):
            wrong.account(one, account)
    with trie() as wrong, pytest.raises(StateInconsistent, match="order"):
        wrong.account(b"short", account)
    with trie() as wrong, pytest.raises(StateInconsistent):
        wrong.account(one, account[:-1])
    with trie() as wrong:
        wrong.account(one, account)
        wrong.slot(bytes(32), b"\1")
        with pytest.raises(StateInconsistent, match="order"):
            wrong.slot(bytes(32), b"\1")
        with pytest.raises(StateInconsistent, match="storage root"):
            wrong.root()
