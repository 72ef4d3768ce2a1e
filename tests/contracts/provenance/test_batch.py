"""The tree of a batch, against the general functions of the log."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.provenance import COUNT_MAX, Batch, BatchError, batch_leaf
from ledger.canonical import canonical_json
from ledger.tlog import (
    InclusionError,
    inclusion_path,
    leaf_hash,
    root_of,
    verify_inclusion,
)


def entry(number: int) -> tuple[str, str]:
    name = hashlib.sha256(number.to_bytes(8, "big")).hexdigest()
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"ni:///sha-256;{name}?ver=CBV2.0", digest


@pytest.mark.feature("T2")
def test_leaf_data_is_canonical_json() -> None:
    event_id, digest = entry(1)
    assert batch_leaf(event_id, digest) == canonical_json({"eventID": event_id, "digest": digest})


@pytest.mark.feature("T2")
@given(st.integers(1, 70))
def test_root_and_paths_are_those_of_rfc_6962(count: int) -> None:
    entries = [entry(number) for number in range(count)]
    leaves = [leaf_hash(batch_leaf(*e)) for e in entries]
    batch = Batch.of(entries)
    assert (batch.count, batch.root) == (count, root_of(leaves))
    for index in range(count):
        assert tuple(batch.path(index)) == tuple(inclusion_path(leaves, index))
        verify_inclusion(leaves[index], index, count, batch.path(index), batch.root)


def test_a_path_proves_its_own_leaf_only() -> None:
    batch = Batch.of([entry(number) for number in range(10)])
    with pytest.raises(InclusionError):
        verify_inclusion(leaf_hash(batch_leaf(*entry(4))), 3, 10, batch.path(3), batch.root)


@pytest.mark.feature("T2")
def test_order_and_every_digest_count() -> None:
    entries = [entry(number) for number in range(5)]
    roots = {Batch.of(entries).root, Batch.of(entries[::-1]).root, Batch.of(entries[:4]).root}
    event_id, _ = entries[2]
    roots.add(Batch.of([*entries[:2], (event_id, "0" * 64), *entries[3:]]).root)
    assert len(roots) == 4


def test_bounds() -> None:
    entries = [entry(0)] * COUNT_MAX
    batch = Batch.of(entries)
    assert len(batch.path(COUNT_MAX - 1)) <= 14
    assert Batch.of(entries[:1]).path(0) == ()
    for bad in ([], [*entries, entry(1)]):
        with pytest.raises(BatchError, match="not 1 to 10000"):
            Batch.of(bad)
    for index in (-1, COUNT_MAX):
        with pytest.raises(BatchError, match="no leaf"):
            batch.path(index)


@pytest.mark.parametrize(
    ("event_id", "digest"),
    [
        ("urn:uuid:0", "0" * 64),
        (entry(0)[0].upper(), "0" * 64),
        (entry(0)[0] + "\n", "0" * 64),
        (entry(0)[0].replace("2.0", "2.x"), "0" * 64),
        (entry(0)[0], "0" * 63),
        (entry(0)[0], "0" * 64 + "\n"),
        (entry(0)[0], "A" * 64),
        (entry(0)[0], '","eventID":"' + "0" * 51),
    ],
)
def test_wrong_ids_and_digests_are_refused(event_id: str, digest: str) -> None:
    with pytest.raises(BatchError):
        batch_leaf(event_id, digest)
