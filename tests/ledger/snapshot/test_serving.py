"""Snapshots that are kept and served, made beside a node, and asked for by the engine."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.chain import Ledger
from ledger.consensus.cometbft.protocol import (
    ApplyResult,
    ChunkVerdict,
    OfferedSnapshot,
    OfferResult,
)
from ledger.cores import GIVEN
from ledger.evm import decode_transaction
from ledger.snapshot import (
    OfferRefused,
    Restorer,
    SnapshotFailed,
    SnapshotMaker,
    SnapshotMissing,
    SnapshotSchedule,
    SnapshotService,
    SnapshotStore,
    SnapshotWrong,
    make_snapshot,
)
from ledger.snapshot.manifest import height_of
from tests.ledger.chain.support import sender
from tests.ledger.snapshot.conftest import Made
from tests.ledger.snapshot.support import chunks_of, grow, open_at, restore, snapshot_of

pytestmark = pytest.mark.feature("N4")


def mark_of(height: int) -> bytes:
    return json.dumps({"driver": "test", "height": height}).encode()


@pytest.fixture
def shelf(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "shelf")


def test_the_newest_stay(tmp_path: Path, shelf: SnapshotStore) -> None:
    assert list(shelf.list()) == []
    with open_at(tmp_path / "a") as source:
        grow(source, 2)
        for height in (9, 10, 100):
            source.keep(None, mark_of(height))
            snapshot_of(source, shelf.directory)
    assert [one.height for one in shelf.list()] == [100, 10, 9]
    assert [one.height for one in shelf.prune()] == [9]
    assert [one.height for one in shelf.list()] == [100, 10]
    assert sorted(path.name for path in shelf.directory.iterdir()) == ["10-1", "100-1"]
    with pytest.raises(SnapshotMissing):
        shelf.chunk(9, 0)
    for index in (-1, 1):
        with pytest.raises(SnapshotMissing):
            shelf.chunk(10, index)
    with pytest.raises(SnapshotMissing):
        shelf.chunk(10, 0, 2)
    assert shelf.chunk(10, 0) == shelf.chunk(10, 0, 1)


def test_what_is_not_whole_is_not_offered(tmp_path: Path, shelf: SnapshotStore) -> None:
    with open_at(tmp_path / "a") as source:
        grow(source, 2)
        info, _ = snapshot_of(source, shelf.directory)
    folder = shelf.directory / f"{info.height}-1"
    good = (folder / "snapshot.json").read_bytes()
    for bad in (b"", b"{}", b"[]", good[:-9], good.replace(b'"height": 2', b'"height": 3')):
        (folder / "snapshot.json").write_bytes(bad)
        assert list(SnapshotStore(shelf.directory).list()) == []
    (folder / "snapshot.json").write_bytes(good)
    assert list(SnapshotStore(shelf.directory).list()) == [info]
    (folder / "00000.chunk").unlink()
    assert list(SnapshotStore(shelf.directory).list()) == []
    (shelf.directory / ".partial-1").mkdir()
    shelf.prune()
    assert list(shelf.directory.iterdir()) == []


def test_a_process_beside_the_node_makes_it(tmp_path: Path, shelf: SnapshotStore) -> None:
    maker = SnapshotMaker(tmp_path / "a", shelf)
    told: list[tuple[int, int]] = []
    with open_at(tmp_path / "a") as source:
        with pytest.raises(SnapshotFailed, match="no block yet"):
            maker.make()
        grow(source, 3)
        info = maker.make(lambda done, total: told.append((done, total)))
        assert (info, chunks_of(shelf, info)) == snapshot_of(source, tmp_path / "other")
        # The node went on meanwhile and goes on now.
        grow_one(source)
    assert told[-1][0] == told[-1][1] > 0
    with pytest.raises(SnapshotFailed, match="no ledger store"):
        SnapshotMaker(tmp_path / "nothing", shelf).make()


def grow_one(ledger: Ledger, index: int = 4) -> None:
    who = sender(index)
    who.nonce = ledger.pending_nonce(who.address)
    call = decode_transaction(who.call(who.nonce + 1))
    ledger.append_block([call], ledger.head().header.timestamp + 1)


def test_while_blocks_are_made_a_snapshot_is_of_one_of_them(
    tmp_path: Path, shelf: SnapshotStore
) -> None:
    with open_at(tmp_path / "a") as source:
        grow(source, 2)
        stop = threading.Event()

        def load() -> None:
            while not stop.is_set():
                grow_one(source)

        thread = threading.Thread(target=load)
        thread.start()
        try:
            info = SnapshotMaker(tmp_path / "a", shelf).make()
        finally:
            stop.set()
            thread.join()
        block = source.committed(info.height)
        with open_at(tmp_path / "b") as joined:
            root = source.log.root_at(source.log.leaf_index(info.height) + 1)
            assert restore(joined, info, chunks_of(shelf, info), root) == block.block


def test_all_nodes_make_theirs_of_the_same_height(tmp_path: Path, shelf: SnapshotStore) -> None:
    with open_at(tmp_path / "a") as source:
        grow(source, 1)
        maker = SnapshotMaker(tmp_path / "a", shelf)
        schedule = SnapshotSchedule(maker, 8)
        for height in range(1, 6):
            source.keep(None, mark_of(height))
            schedule.reached(height)
        assert maker._child is None  # not due for long
        source.keep(None, mark_of(6))
        schedule.reached(6)
        wait_until(lambda: maker._child is not None and watches(maker._child.pid))
        for height in range(7, 20):
            source.keep(None, mark_of(height))
            schedule.reached(height)
            time.sleep(0.06)
        wait_until(lambda: bool(shelf.list()))
        schedule.close()
        assert [one.height for one in shelf.list()] == [8]


def test_one_is_made_at_once_where_it_is_needed(tmp_path: Path, shelf: SnapshotStore) -> None:
    with open_at(tmp_path / "a") as source:
        grow(source, 2)
        source.keep(None, mark_of(3))
        maker = SnapshotMaker(tmp_path / "a", shelf)
        schedule = SnapshotSchedule(maker, 1_000, soon=lambda: not shelf.list())
        schedule.reached(3)
        wait_until(lambda: bool(shelf.list()))
        wait_until(lambda: maker._child is None)
        schedule.reached(4)  # it is there: the next one is due at 1,000
        assert maker._child is None
        schedule.close()
        assert [one.height for one in shelf.list()] == [3]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def watches(pid: int) -> bool:
    """Whether the process has the chain open."""
    try:
        return "ledger.mdb" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


def test_a_maker_that_is_closed_ends_its_process(
    tmp_path: Path, shelf: SnapshotStore, one_core: frozenset[int]
) -> None:
    with open_at(tmp_path / "a") as source:
        grow(source, 1)
        maker = SnapshotMaker(tmp_path / "a", shelf)
        failed: list[Exception] = []

        def make() -> None:
            try:
                maker.make(height=1_000)
            except SnapshotFailed as error:
                failed.append(error)

        thread = threading.Thread(target=make)
        thread.start()
        while maker._child is None:
            time.sleep(0.01)
        pid = maker._child.pid
        assert os.sched_getaffinity(pid) == GIVEN, "it takes every core"
        assert os.sched_getaffinity(0) == one_core
        with pytest.raises(SnapshotFailed, match="already"):
            maker.make()
        maker.close()
        thread.join(10)
        assert not thread.is_alive()
        assert len(failed) == 1
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_mark_must_say_its_height() -> None:
    assert height_of(None, 7) == 7
    assert height_of(mark_of(12), 7) == 12
    for mark in (b"", b"x", b"[]", b"{}", b'{"height":"1"}', b'{"height":0}', b'{"height":true}'):
        with pytest.raises(OfferRefused):
            height_of(mark, 7)


def offered(made: Made, **changes: object) -> OfferedSnapshot:
    fields = {name: getattr(made.info, name) for name in made.info.__slots__}
    return OfferedSnapshot(**{**fields, **changes})


def test_the_engine_is_answered_in_its_own_words(
    made: Made, empty: Ledger, shelf: SnapshotStore, tmp_path: Path
) -> None:
    taking = SnapshotService(empty, shelf, Restorer(empty))
    assert list(taking.list()) == []
    assert taking.load_chunk(5, 1, 0) == b""
    offer = taking.offer
    assert offer(offered(made, format=9), made.root) is OfferResult.REJECT_FORMAT
    assert offer(offered(made, hash=bytes(32)), made.root) is OfferResult.REJECT_SENDER
    assert offer(offered(made), bytes(32)) is OfferResult.REJECT_SENDER
    assert taking.apply(0, made.chunks[0], "somebody").result is ApplyResult.RETRY_SNAPSHOT
    assert offer(offered(made), made.root) is OfferResult.ACCEPT
    assert taking.apply(0, b"no", "liar") == ChunkVerdict(ApplyResult.RETRY, (0,), ("liar",))
    assert taking.apply(0, made.chunks[0], "friend") == ChunkVerdict(ApplyResult.ACCEPT)
    assert empty.head().hash == made.head
    assert offer(offered(made), made.root) is OfferResult.ABORT
    make_here(empty, shelf)
    [listed] = taking.list()
    assert listed == offered(made)
    assert taking.load_chunk(listed.height, listed.format, 0) == made.chunks[0]
    taking.stop()
    serving = SnapshotService(empty, shelf)
    assert serving.offer(offered(made), made.root) is OfferResult.ABORT
    assert serving.apply(0, made.chunks[0], "").result is ApplyResult.ABORT
    serving.stop()


def make_here(ledger: Ledger, shelf: SnapshotStore) -> None:
    snapshot_of(ledger, shelf.directory)


def test_a_liars_snapshot_is_given_up(made: Made, empty: Ledger, shelf: SnapshotStore) -> None:
    def no(_size: int, _root: bytes) -> None:
        raise ValueError("no")

    service = SnapshotService(empty, shelf, Restorer(empty, trusted=no))
    assert service.offer(offered(made), made.root) is OfferResult.ACCEPT
    verdict = service.apply(0, made.chunks[0], "somebody")
    assert verdict.result is ApplyResult.REJECT_SNAPSHOT
    assert empty.head().header.number == 0


def test_who_sends_a_snapshot_that_is_wrong_as_a_whole_is_asked_no_more(
    made: Made, empty: Ledger, shelf: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    restorer = Restorer(empty)
    service = SnapshotService(empty, shelf, restorer)
    assert service.offer(offered(made), made.root) is OfferResult.ACCEPT

    def wrong(_index: int, _chunk: bytes) -> None:
        raise SnapshotWrong("the state root is another")

    monkeypatch.setattr(restorer, "apply", wrong)
    verdict = service.apply(0, made.chunks[0], "liar")
    assert verdict == ChunkVerdict(ApplyResult.REJECT_SNAPSHOT, (), ("liar",))
    monkeypatch.undo()
    assert service.offer(offered(made), made.root) is OfferResult.ACCEPT
    monkeypatch.setattr(restorer, "apply", wrong)
    assert service.apply(0, made.chunks[0], "other").reject_senders == ("other",)


def test_the_service_makes_snapshots_by_itself(tmp_path: Path, shelf: SnapshotStore) -> None:
    with open_at(tmp_path / "a") as source:
        schedule = SnapshotSchedule(SnapshotMaker(tmp_path / "a", shelf), 3)
        service = SnapshotService(source, shelf, schedule=schedule)
        service.start()
        service.start()
        deadline = time.monotonic() + 60
        while not service.list() and time.monotonic() < deadline:
            grow_one(source)
            time.sleep(0.1)
        service.stop()
        assert service.list()


def test_the_folder_is_readable_by_make_snapshot_alone(tmp_path: Path) -> None:
    with open_at(tmp_path / "a") as source:
        grow(source, 2)
    info = make_snapshot(tmp_path / "a", tmp_path / "s")
    assert make_snapshot(tmp_path / "a", tmp_path / "s") == info
    assert info.height == 2
