"""The batch trie against the reference `trie` library, and its proofs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from ledger.state import EMPTY_TRIE_ROOT, NodeMissing, Trie, keccak, ordered_root
from ledger.state.nodes import decode_node, encode_node
from ledger.state.rlp import encode_uint

pytestmark = pytest.mark.feature("L1")

# Few distinct bytes: long shared prefixes, so that extensions split and merge.
keys = st.lists(st.sampled_from([0x00, 0x01, 0x10, 0x11, 0xFF]), min_size=4, max_size=4).map(bytes)
values = st.one_of(
    st.none(), st.binary(min_size=1, max_size=3), st.binary(min_size=33, max_size=40)
)
batches = st.lists(st.dictionaries(keys, values, max_size=12), min_size=1, max_size=8)


def apply_to_reference(reference: HexaryTrie, changes: dict[bytes, bytes | None]) -> None:
    for key, value in changes.items():
        if value is not None:
            reference[key] = value
        elif key in reference:
            del reference[key]


@settings(max_examples=120, deadline=None)
@given(batches=batches)
def test_root_after_any_batches_is_that_of_the_reference(
    batches: list[dict[bytes, bytes | None]],
) -> None:
    compare_roots(batches)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(batches=batches)
def test_root_after_many_more_batches_is_that_of_the_reference(
    batches: list[dict[bytes, bytes | None]],
) -> None:
    compare_roots(batches)


def compare_roots(batches: list[dict[bytes, bytes | None]]) -> None:
    """Batch by batch; and every root that was is still read as it was."""
    reference = HexaryTrie({})
    stored: dict[bytes, bytes] = {}
    root = EMPTY_TRIE_ROOT
    past: list[tuple[bytes, dict[bytes, bytes]]] = []
    model: dict[bytes, bytes] = {}
    for changes in batches:
        apply_to_reference(reference, changes)
        for key, value in changes.items():
            if value is None:
                model.pop(key, None)
            else:
                model[key] = value
        trie = Trie(stored.get, root)
        root = trie.update(changes)
        stored |= trie.new_nodes
        assert root == reference.root_hash
        past.append((root, dict(model)))
    for old_root, old in past:
        assert dict(Trie(stored.get, old_root).items()) == old


@settings(max_examples=80, deadline=None)
@given(batches=batches, absent=keys)
def test_every_node_is_stored_under_its_hash_and_lookups_agree(
    batches: list[dict[bytes, bytes | None]], absent: bytes
) -> None:
    model: dict[bytes, bytes] = {}
    stored: dict[bytes, bytes] = {}
    root = EMPTY_TRIE_ROOT
    for changes in batches:
        trie = Trie(stored.get, root)
        root = trie.update(changes)
        stored |= trie.new_nodes
        model = {k: v for k, v in (model | changes).items() if v is not None}
    for node_hash, data in stored.items():
        assert keccak(data) == node_hash
        assert encode_node(decode_node(data)) == data
    reader = Trie(stored.get, root)
    for key in [*model, absent]:
        assert reader.get(key) == model.get(key)


def test_unchanged_batch_keeps_the_root_and_adds_no_new_node() -> None:
    trie = Trie(lambda _: None)
    root = trie.update({bytes([n]) * 4: b"v" * 40 for n in range(50)})
    stored = dict(trie.new_nodes)
    again = Trie(stored.get, root)
    assert again.update({b"\xf0" * 4: None, b"\x01" * 4: b"v" * 40}) == root
    assert set(again.new_nodes) <= set(stored)


def test_deleting_everything_leaves_the_empty_root() -> None:
    trie = Trie(lambda _: None)
    entries = {keccak(bytes([n])): bytes([n + 1]) for n in range(100)}
    trie.update(entries)
    assert trie.update(dict.fromkeys(entries)) == EMPTY_TRIE_ROOT
    assert trie.get(keccak(b"\0")) is None
    assert trie.proof(keccak(b"\0")) == []


def test_unknown_root_is_reported_with_its_hash() -> None:
    with pytest.raises(NodeMissing, match="ab" * 32):
        Trie(lambda _: None, b"\xab" * 32).get(b"\0" * 4)


@pytest.mark.parametrize("count", [0, 1, 2, 127, 128, 129, 300])
def test_ordered_root_is_that_of_the_reference(count: int) -> None:
    reference = HexaryTrie({})
    items = [b"item %d" % n * 5 for n in range(count)]
    for index, item in enumerate(items):
        reference[encode_uint(index)] = item
    assert ordered_root(items, [encode_uint(n) for n in range(count)]) == reference.root_hash


def test_bulk_build_of_50000_keys_is_quick() -> None:
    entries: dict[bytes, bytes | None] = {
        keccak(n.to_bytes(32, "big")): encode_uint(n + 1) for n in range(50_000)
    }
    begin = time.perf_counter()
    Trie(lambda _: None).update(entries)
    # A million in two minutes would be 6 s; five times that for a busy machine.
    assert time.perf_counter() - begin < 30
