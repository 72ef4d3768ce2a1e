"""The store: all or nothing, durable, and honest when there is no room."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.store import (
    KeyInvalid,
    SchemaMismatch,
    Store,
    StoreBusy,
    StoreClosed,
    StoreDamaged,
    StoreFull,
    StoreMissing,
    Table,
    WriteBatch,
    lmdb_file,
)
from ledger.store import store as store_module
from ledger.store.lmdb_file import READERS_MAX

pytestmark = pytest.mark.feature("L1")


def batch_of(entries: dict[bytes, bytes], table: Table = Table.ENTRIES) -> WriteBatch:
    batch = WriteBatch()
    for key, value in entries.items():
        batch.put(table, key, value)
    return batch


def contents(store: Store, table: Table = Table.ENTRIES) -> dict[bytes, bytes]:
    with store.snapshot() as snapshot:
        return dict(snapshot.scan(table))


def test_committed_entries_are_there_after_reopening(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.commit(batch_of({b"a": b"1", b"b": b""}))
    with Store.open(tmp_path) as store:
        assert contents(store) == {b"a": b"1", b"b": b""}


def test_snapshot_does_not_see_later_commits(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.commit(batch_of({b"a": b"1"}))
        with store.snapshot() as before:
            store.commit(batch_of({b"a": b"2", b"b": b"3"}))
            assert before.get(Table.ENTRIES, b"a") == b"1"
            assert before.get(Table.ENTRIES, b"b") is None
            assert before.count(Table.ENTRIES) == 1
        assert contents(store) == {b"a": b"2", b"b": b"3"}


def test_many_threads_read_while_one_writes(tmp_path: Path) -> None:
    failures: list[object] = []
    with Store.open(tmp_path) as store:
        store.commit(batch_of({b"x": b"0", b"y": b"0"}))
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                with store.snapshot() as snapshot:
                    x, y = (snapshot.get(Table.ENTRIES, key) for key in (b"x", b"y"))
                if x != y:
                    failures.append((x, y))

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(50):
            value = str(number).encode()
            store.commit(batch_of({b"x": value, b"y": value}))
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(["put", "delete", "prefix"]),
                st.text("ab", min_size=1, max_size=3).map(str.encode),
                st.binary(max_size=3),
            ),
            max_size=8,
        ),
        max_size=6,
    ),
    start=st.text("ab", max_size=2).map(str.encode),
    stop=st.one_of(st.none(), st.text("ab", min_size=1, max_size=2).map(str.encode)),
)
def test_store_behaves_as_a_sorted_dictionary(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[tuple[str, bytes, bytes]]],
    start: bytes,
    stop: bytes | None,
) -> None:
    model: dict[bytes, bytes] = {}
    with Store.open(tmp_path_factory.mktemp("store"), map_size_bytes=1 << 22) as store:
        for operations in batches:
            batch = WriteBatch()
            for kind, key, value in operations:
                if kind == "put":
                    batch.put(Table.SLOTS, key, value)
                    model[key] = value
                elif kind == "delete":
                    batch.delete(Table.SLOTS, key)
                    model.pop(key, None)
                else:
                    batch.delete_prefix(Table.SLOTS, key)
                    model = {k: v for k, v in model.items() if not k.startswith(key)}
            store.commit(batch)
        expected = [
            (key, model[key])
            for key in sorted(model)
            if key >= start and (stop is None or key < stop)
        ]
        with store.snapshot() as snapshot:
            assert list(snapshot.scan(Table.SLOTS, start, stop=stop)) == expected
            assert (
                list(snapshot.scan(Table.SLOTS, start, stop=stop, reverse=True)) == (expected[::-1])
            )
            assert snapshot.last(Table.SLOTS) == (max(model.items()) if model else None)


def test_full_map_refuses_the_whole_batch_and_goes_on_after_room_is_made(tmp_path: Path) -> None:
    big = {bytes([n]): b"x" * 4000 for n in range(200)}
    with Store.open(tmp_path, map_size_bytes=400_000) as store:
        store.commit(batch_of({b"kept": b"1", b"large": b"y" * 150_000}))
        with pytest.raises(StoreFull, match="map is full"):
            store.commit(batch_of(big))
        assert set(contents(store)) == {b"kept", b"large"}
        make_room = WriteBatch()
        make_room.delete(Table.ENTRIES, b"large")
        store.commit(make_room)
        store.commit(batch_of({b"next": b"z" * 100_000}))
        assert set(contents(store)) == {b"kept", b"next"}
    with Store.open(tmp_path, map_size_bytes=16_000_000) as store:
        store.commit(batch_of(big))
        assert len(contents(store)) == 202


_LIMITED = """
import resource, sys
from ledger.store import Store, StoreFull, Table, WriteBatch

def batch(name, size):
    writes = WriteBatch()
    writes.put(Table.ENTRIES, name, b"v" * size)
    return writes

store = Store.open(sys.argv[1])
store.commit(batch(b"first", 1000))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
try:
    store.commit(batch(b"second", 1_000_000))
    print("accepted")
except StoreFull:
    print("refused")
with store.snapshot() as snapshot:
    print(sorted(key.decode() for key, _ in snapshot.scan(Table.ENTRIES)))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.commit(batch(b"third", 1_000_000))
store.close()
with Store.open(sys.argv[1]) as store, store.snapshot() as snapshot:
    print(sorted(key.decode() for key, _ in snapshot.scan(Table.ENTRIES)))
"""


def test_disk_without_room_refuses_the_commit_and_nothing_is_torn(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split("\n")[:3] == ["refused", "['first']", "['first', 'third']"], (
        done.stderr
    )


_WRITER = """
import sys
from ledger.store import Store, Table, WriteBatch

with Store.open(sys.argv[1]) as store:
    number = int(sys.argv[2])
    while True:
        batch = WriteBatch()
        for part in range(20):
            key = number.to_bytes(8, "big") + bytes([part])
            batch.put(Table.ENTRIES, key, bytes([part]) * 500)
        batch.put(Table.META, b"head", number.to_bytes(8, "big"))
        store.commit(batch)
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
        number += 1
"""


def test_killed_writer_loses_nothing_acknowledged_and_tears_nothing(tmp_path: Path) -> None:
    start = 0
    for round_number in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), str(start)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            acknowledged = start - 1
            for line in process.stdout:
                acknowledged = int(line)
                if acknowledged >= start + 7 * (round_number + 1):
                    process.send_signal(signal.SIGKILL)
                    break
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        with Store.open(tmp_path) as store, store.snapshot() as snapshot:
            head = int.from_bytes(snapshot.get(Table.META, b"head") or b"", "big")
            assert head >= acknowledged
            assert snapshot.count(Table.ENTRIES) == 20 * (head + 1)
        start = head + 1


def test_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.commit(batch_of({b"a": b"1"}))
        with pytest.raises(StoreBusy):
            Store.open(tmp_path)
        script = (
            "import sys; from ledger.store import *\n"
            "try: Store.open(sys.argv[1]); print('opened')\n"
            "except StoreBusy: print('busy')\n"
            "with Store.open(sys.argv[1], readonly=True) as s, s.snapshot() as t:\n"
            "    print(t.get(Table.ENTRIES, b'a'))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split("\n")[:2] == ["busy", "b'1'"]
    Store.open(tmp_path).close()


def test_store_of_another_layout_is_refused(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.commit(batch_of({b"schema": b"999"}, Table.META))
    with pytest.raises(SchemaMismatch, match="999"):
        Store.open(tmp_path)


def test_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        Store.open(tmp_path / "none", readonly=True)
    (tmp_path / "ledger.mdb").write_bytes(os.urandom(20_000))
    with pytest.raises(StoreDamaged):
        Store.open(tmp_path)


def test_bad_keys_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    batch = WriteBatch()
    for key in (b"", b"k" * 512):
        with pytest.raises(KeyInvalid):
            batch.put(Table.META, key, b"")
    with pytest.raises(KeyInvalid):
        batch.delete_prefix(Table.SLOTS, b"")
    assert len(batch) == 0


def test_closed_store_and_closed_snapshot_say_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    snapshot = store.snapshot()
    snapshot.close()
    snapshot.close()
    with pytest.raises(StoreClosed):
        snapshot.get(Table.META, b"schema")
    with pytest.raises(StoreClosed):
        list(snapshot.scan(Table.META))
    with pytest.raises(StoreClosed):
        snapshot.count(Table.META)
    store.close()
    store.close()
    with pytest.raises(StoreClosed):
        store.snapshot()
    with pytest.raises(StoreClosed):
        store.commit(WriteBatch())


def test_a_closed_snapshot_that_somebody_keeps_takes_no_readers_place(tmp_path: Path) -> None:
    kept = []
    with Store.open(tmp_path) as store:
        for _ in range(READERS_MAX + 1):
            with store.snapshot() as snapshot:
                kept.append(snapshot)
        with store.snapshot() as snapshot:
            assert snapshot.get(Table.META, b"schema") is not None


def test_copy_is_a_whole_store_of_that_moment(tmp_path: Path) -> None:
    with Store.open(tmp_path / "live") as store:
        store.commit(batch_of({b"a": b"1"}))
        store.copy(tmp_path / "backup")
        store.commit(batch_of({b"b": b"2"}))
        assert store.size_bytes() > 0
    with Store.open(tmp_path / "backup") as store:
        assert contents(store) == {b"a": b"1"}


def test_limits_of_this_test_process_are_untouched() -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_what_a_killed_process_left_is_on_the_disk_before_anybody_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last commit may be in the page cache only: told to others, then lost with the power,
    the log would be signed anew with other leaves."""
    done: list[str] = []
    make = store_module.open_environment

    class Recording:
        def __init__(self, environment: Any) -> None:
            self._environment = environment

        def __getattr__(self, name: str) -> Any:
            done.append(name)
            return getattr(self._environment, name)

    with Store.open(tmp_path / "s", 1 << 24):
        pass
    monkeypatch.setattr(
        store_module, "open_environment", lambda *arguments: Recording(make(*arguments))
    )
    with Store.open(tmp_path / "s", 1 << 24):
        pass
    assert done[0] == "sync"


def test_a_new_stores_name_is_durable_up_to_the_first_directory_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synchronised: list[Path] = []
    monkeypatch.setattr(store_module, "sync_directory", synchronised.append)
    monkeypatch.setattr(lmdb_file, "sync_directory", synchronised.append)
    with Store.open(tmp_path / "a" / "b", 1 << 24):
        pass
    assert set(synchronised) == {tmp_path, tmp_path / "a", tmp_path / "a" / "b"}
