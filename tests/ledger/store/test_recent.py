"""Values at hand are those of the snapshot's own moment, whatever is committed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.store import Snapshot, Store, StoreFull, Table, WriteBatch, recent
from ledger.store.recent import KEPT_TABLES, RecentValues

pytestmark = pytest.mark.feature("L1")
KEYS = [f"{a}{b}".encode() for a in "ab" for b in "ab"]


def asked(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The keys that are looked up in the file from now on."""
    keys: list[bytes] = []
    real = snapshot._read

    def read(table: Table, key: bytes) -> bytes | None:
        keys.append(key)
        return real(table, key)

    monkeypatch.setattr(snapshot, "_read", read)
    return keys


def put(store: Store, entries: dict[bytes, bytes], table: Table = Table.SLOTS) -> None:
    batch = WriteBatch()
    for key, value in entries.items():
        batch.put(table, key, value)
    store.commit(batch)


@pytest.mark.parametrize("table", KEPT_TABLES)
def test_what_was_written_or_read_is_not_looked_up_again(
    tmp_path: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path) as store:
        put(store, {b"a": b"1"}, table)
        with store.snapshot() as one:
            keys = asked(one, monkeypatch)
            assert [one.get(table, key) for key in (b"a", b"b", b"b")] == [b"1", None, None]
        with store.snapshot() as two:
            keys += asked(two, monkeypatch)
            assert [two.get(table, key) for key in (b"b", b"a")] == [None, b"1"]
    assert keys == [b"b"]


def test_what_was_deleted_by_its_prefix_is_gone(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        put(store, {b"ab": b"1", b"b": b"2"})
        batch = WriteBatch()
        batch.delete_prefix(Table.SLOTS, b"a")
        store.commit(batch)
        with store.snapshot() as snapshot:
            assert snapshot.get(Table.SLOTS, b"ab") is None
            assert snapshot.get(Table.SLOTS, b"b") == b"2"


def test_after_a_commit_that_failed_values_are_at_hand_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path, map_size_bytes=1 << 22) as store:
        put(store, {b"a": b"1"})
        with pytest.raises(StoreFull):
            put(store, {b"a": b"2", b"much": b"x" * (8 << 20)})
        found = []
        for _ in range(2):
            with store.snapshot() as snapshot:
                keys = asked(snapshot, monkeypatch)
                found.append((snapshot.get(Table.SLOTS, b"a"), len(keys)))
    assert found == [(b"1", 1), (b"1", 0)]


def test_nothing_of_before_stands_for_an_adopted_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path) as store:
        put(store, {b"a": b"old"})
        staged = store.stage()
        staged.append(Table.SLOTS, [(b"a", b"new")])
        store.adopt(staged)
        for looked_up in (1, 0):
            with store.snapshot() as snapshot:
                keys = asked(snapshot, monkeypatch)
                assert snapshot.get(Table.SLOTS, b"a") == b"new"
                assert len(keys) == looked_up


_OPERATION = st.tuples(
    st.sampled_from(["put", "delete", "prefix"]), st.sampled_from(KEYS), st.binary(max_size=2)
)
_STEP = st.one_of(
    st.lists(_OPERATION, min_size=1, max_size=4),
    st.just("open"),
    st.just("full"),
    st.tuples(st.integers(0, 9), st.sampled_from(KEYS)),
)


@settings(max_examples=150)
@given(steps=st.lists(_STEP, max_size=40), room=st.sampled_from([1, 3, 100]))
def test_every_snapshot_reads_its_own_moment(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any], room: int
) -> None:
    model: dict[bytes, bytes] = {}
    views: list[tuple[Snapshot, dict[bytes, bytes]]] = []
    with pytest.MonkeyPatch.context() as patch, ExitStack() as exits:
        patch.setattr(recent, "KEPT_MAX", room)
        store = exits.enter_context(
            Store.open(tmp_path_factory.mktemp("store"), map_size_bytes=1 << 22)
        )
        for step in steps:
            if step == "open":
                views.append((exits.enter_context(store.snapshot()), dict(model)))
            elif step == "full":
                with pytest.raises(StoreFull):
                    put(store, {**dict.fromkeys(KEYS, b"never"), b"much": b"x" * (8 << 20)})
            elif isinstance(step, tuple):
                which, key = step
                if views:
                    snapshot, then = views[which % len(views)]
                    assert snapshot.get(Table.SLOTS, key) == then.get(key)
            else:
                store.commit(_batch(step, model))
        for snapshot, then in views:
            assert {key: snapshot.get(Table.SLOTS, key) for key in KEYS} == {
                key: then.get(key) for key in KEYS
            }


def _batch(operations: list[tuple[str, bytes, bytes]], model: dict[bytes, bytes]) -> WriteBatch:
    """The operations, carried out on the model as well."""
    batch = WriteBatch()
    for kind, key, value in operations:
        if kind == "put":
            batch.put(Table.SLOTS, key, value)
            model[key] = value
        elif kind == "delete":
            batch.delete(Table.SLOTS, key)
            model.pop(key, None)
        else:
            batch.delete_prefix(Table.SLOTS, key[:1])
            for gone in [other for other in model if other[:1] == key[:1]]:
                del model[gone]
    return batch


def test_readers_beside_a_writer_see_whole_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "KEPT_MAX", len(KEYS) - 1)
    faults: list[object] = []
    ended = threading.Event()
    with Store.open(tmp_path) as store:
        put(store, dict.fromkeys(KEYS, b"0"))

        def read() -> None:
            while not ended.is_set():
                with store.snapshot() as snapshot:
                    found = {snapshot.get(Table.SLOTS, key) for key in KEYS}
                    if len(found) != 1:
                        faults.append(found)

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(300):
            put(store, dict.fromkeys(KEYS, str(number).encode()))
        ended.set()
        for thread in threads:
            thread.join()
    assert faults == []


def at_the_first_look_up(snapshot: Snapshot, then: Callable[[], None]) -> None:
    """`then` happens between a look-up in the file and what is made of it."""
    real = snapshot._read

    def read(table: Table, key: bytes) -> bytes | None:
        value = real(table, key)
        snapshot._read = real  # type: ignore[method-assign]
        then()
        return value

    snapshot._read = read  # type: ignore[method-assign]


def test_what_was_read_just_before_a_commit_is_not_kept_as_if_read_after_it(
    tmp_path: Path,
) -> None:
    with Store.open(tmp_path) as store:
        put(store, {b"a": b"old"})
        store._recent.forget()
        with store.snapshot() as snapshot:
            at_the_first_look_up(snapshot, lambda: put(store, {b"a": b"new"}))
            assert snapshot.get(Table.SLOTS, b"a") == b"old"
        with store.snapshot() as snapshot:
            assert snapshot.get(Table.SLOTS, b"a") == b"new"


@pytest.mark.parametrize("moment", ["before it is written", "after it is written"])
def test_a_snapshot_opened_during_a_commit_reads_the_file(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bytes | None] = []
    with Store.open(tmp_path) as store:
        put(store, {b"a": b"old"})
        real = store._write

        def look() -> None:
            with store.snapshot() as snapshot:
                found.append(snapshot.get(Table.SLOTS, b"a"))

        def write(batch: WriteBatch) -> None:
            if moment == "before it is written":
                look()
            real(batch)
            if moment == "after it is written":
                look()

        monkeypatch.setattr(store, "_write", write)
        put(store, {b"a": b"new"})
        look()
    first = b"old" if moment == "before it is written" else b"new"
    assert found == [first, b"new"]


def test_a_reader_in_another_store_sees_what_the_writer_has_written_since(tmp_path: Path) -> None:
    """As another process: it is told of no commit."""
    with Store.open(tmp_path) as writer:
        put(writer, {b"a": b"1"})
        copy = tmp_path / "copy"
        writer.copy(copy)
    with Store.open(copy, readonly=True) as reader, reader.snapshot() as snapshot:
        assert snapshot.get(Table.SLOTS, b"a") == b"1"
        assert all(not values for values in reader._recent.tables.values()), "nothing is kept"


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "KEPT_MAX", 5)
    values = RecentValues()
    batch = WriteBatch()
    for number in range(23):
        batch.put(Table.SLOTS, bytes([number]), b"x")
    values.follow(batch)
    for number in range(100, 123):
        values.keep(Table.SLOTS, bytes([number]), None, values.moment)
        assert len(values.tables[Table.SLOTS]) <= 5
