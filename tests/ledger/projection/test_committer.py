"""The one writer of what must be durable."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from ledger.projection import (
    CommitterStopped,
    GroupCommitter,
    StorageFull,
)
from tests.databases import migrated
from tests.traceability.capture.full_disk import full_disk
from traceability.capture.tables import capture_batch

pytestmark = pytest.mark.feature("T1")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = migrated(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def committer(engine: Engine) -> Iterator[GroupCommitter]:
    committer = GroupCommitter(engine)
    committer.start()
    yield committer
    committer.stop()


def add(connection: Connection, nonce: int, size: int = 1, **more: int) -> int:
    result = connection.execute(
        insert(capture_batch).values(
            **more,
            organisation="a",
            account=b"\1" * 20,
            nonce=nonce,
            root=b"\2" * 32,
            transaction_hash=nonce.to_bytes(32, "big"),
            raw=b"\3" * size,
            state="stored",
        )
    )
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(capture_batch)).scalar_one())


def test_a_result_is_there_for_others_once_the_future_is_done(
    engine: Engine, committer: GroupCommitter
) -> None:
    assert committer.submit(lambda c: add(c, 1)).result(10) == 1
    assert count(engine) == 1


def test_what_fails_takes_nothing_of_its_group_along(
    engine: Engine, committer: GroupCommitter
) -> None:
    taken = committer.submit(lambda c: add(c, 9)).result(10)
    gate = threading.Event()
    held = committer.submit(lambda _: gate.wait(10))
    good = [committer.submit(lambda c, n=n: add(c, n)) for n in (1, 2)]  # type: ignore[misc]

    def half(connection: Connection) -> None:
        add(connection, 3)
        raise KeyError("no")

    bad = committer.submit(half)
    clash = committer.submit(lambda c: add(c, 1, sequence=taken))
    last = committer.submit(lambda c: add(c, 4))
    gate.set()
    held.result(10)
    assert [future.result(10) for future in good]
    assert isinstance(bad.exception(10), KeyError)
    assert clash.exception(10) is not None
    last.result(10)
    assert count(engine) == 4


def test_a_full_disk_is_told_and_leaves_nothing_half_done(
    engine: Engine, committer: GroupCommitter
) -> None:
    committer.submit(lambda c: add(c, 1)).result(10)

    # On SQLite the limit belongs to a connection; with one caller at a time the pool has only one.
    with full_disk(committer, engine):
        full = committer.submit(lambda c: add(c, 2, size=1_000_000))
        assert isinstance(full.exception(10), StorageFull)
    assert count(engine) == 1
    committer.submit(lambda c: add(c, 2, size=1_000_000)).result(10)
    assert count(engine) == 2


def test_after_the_end_nothing_is_taken(engine: Engine) -> None:
    committer = GroupCommitter(engine)
    committer.start()
    future = committer.submit(lambda c: add(c, 1))
    committer.stop()
    assert future.result(0) == 1
    with pytest.raises(CommitterStopped):
        committer.submit(lambda c: add(c, 2))
