"""From a chain to a snapshot to a chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.store import Store, Table
from tests.ledger.snapshot.support import grow, open_at, restore, snapshot_of

pytestmark = pytest.mark.feature("N4")

DERIVED = set(Table) - {Table.NODES, Table.META, Table.CODE}


def tables(path: Path) -> dict[Table, dict[bytes, bytes]]:
    with Store.open(path, readonly=True) as store, store.snapshot() as snapshot:
        return {table: dict(snapshot.scan(table)) for table in Table}


def test_a_restored_ledger_is_the_one_that_the_snapshot_was_made_of(tmp_path: Path) -> None:
    with open_at(tmp_path / "a") as source:
        grow(source)
        info, chunks = snapshot_of(source, tmp_path / "snapshots")
        with open_at(tmp_path / "b") as joined:
            head = restore(joined, info, chunks, source.log.root)
            assert head == joined.head() == source.head()
            assert joined.log.head() == source.log.head()
            for number in range(1, head.header.number + 1):
                assert joined.committed(number) == source.committed(number)
    first, second = tables(tmp_path / "a"), tables(tmp_path / "b")
    for table in DERIVED:
        assert first[table] == second[table], table
    assert second[Table.NODES].items() <= first[Table.NODES].items()
