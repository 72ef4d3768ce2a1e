"""A store that is filled beside the one in use, and takes its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.store import StagedStore, Store, StoreClosed, StoreFull, Table, WriteBatch

pytestmark = pytest.mark.feature("L1")

SIZE = 1 << 26


def put(store: Store, key: bytes, value: bytes) -> None:
    batch = WriteBatch()
    batch.put(Table.META, key, value)
    store.commit(batch)


def numbered(count: int, size: int = 4) -> list[tuple[bytes, bytes]]:
    return [(number.to_bytes(4, "big"), bytes(size)) for number in range(count)]


def test_nobody_sees_it_before_it_is_adopted(tmp_path: Path) -> None:
    with Store.open(tmp_path, SIZE) as store:
        put(store, b"a", b"old")
        staged = store.stage()
        staged.append(Table.HEADERS, numbered(50_000))
        batch = WriteBatch()
        batch.put(Table.META, b"a", b"new")
        staged.put(batch)
        with store.snapshot() as before:
            assert before.get(Table.META, b"a") == b"old"
            assert before.count(Table.HEADERS) == 0
            store.adopt(staged)
            assert before.get(Table.META, b"a") == b"old"
            with store.snapshot() as after:
                assert after.get(Table.META, b"a") == b"new"
                assert after.count(Table.HEADERS) == 50_000
        staged.close()
        put(store, b"b", b"further")
        code = (
            "import sys; from ledger.store import *;"
            "s = Store.open(sys.argv[1], readonly=True).snapshot();"
            "print(s.get(Table.META, b'a'), s.get(Table.META, b'b'), s.count(Table.HEADERS))"
        )
        seen = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
        )
        assert seen.stdout.strip() == "b'new' b'further' 50000"
    with Store.open(tmp_path, SIZE) as store, store.snapshot() as snapshot:
        assert snapshot.get(Table.META, b"b") == b"further"


def test_what_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path, SIZE) as store:
        put(store, b"a", b"old")
        names = {path.name for path in tmp_path.iterdir()}
        with store.stage() as staged:
            staged.append(Table.HEADERS, numbered(10))
        assert {path.name for path in tmp_path.iterdir()} == names
        with pytest.raises(StoreClosed):
            staged.append(Table.HEADERS, numbered(10))
        with pytest.raises(StoreClosed):
            store.adopt(staged)
        put(store, b"a", b"later")


def test_what_a_killed_process_left_is_removed_when_the_store_is_opened(tmp_path: Path) -> None:
    with Store.open(tmp_path, SIZE) as store:
        put(store, b"a", b"old")
    (tmp_path / "restoring.mdb").write_bytes(b"half")
    (tmp_path / "restoring.mdb-lock").write_bytes(b"half")
    with Store.open(tmp_path, readonly=True):
        assert (tmp_path / "restoring.mdb").exists()
    with Store.open(tmp_path, SIZE):
        assert not list(tmp_path.glob("restoring*"))


def test_keys_must_ascend(tmp_path: Path) -> None:
    with Store.open(tmp_path, SIZE) as store, store.stage() as staged:
        staged.append(Table.HEADERS, [(b"b", b"1")])
        for key in (b"a", b"b"):
            with pytest.raises(ValueError, match="ascending"):
                staged.append(Table.HEADERS, [(key, b"2")])
        assert staged.append(Table.HEADERS, [(b"c", b"3")]) == 1
        assert staged.append(Table.HEADERS, []) == 0
        with staged.snapshot() as snapshot:
            assert list(snapshot.scan(Table.HEADERS)) == [(b"b", b"1"), (b"c", b"3")]


def test_a_full_map_is_told_as_such(tmp_path: Path) -> None:
    with Store.open(tmp_path, 1 << 20) as store, store.stage() as staged:
        with pytest.raises(StoreFull):
            staged.append(Table.BODIES, numbered(100, 100_000))
        assert isinstance(staged, StagedStore)
