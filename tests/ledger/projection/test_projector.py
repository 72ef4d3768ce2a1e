"""The projector applies each log exactly once, and stops rather than skip."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import OperationalError

from ledger.projection import (
    ProjectionAhead,
    ProjectionDiverged,
    ProjectionError,
    ProjectionFailed,
    ProjectionForeign,
    ProjectionStopped,
    ProjectionTimeout,
    Projector,
    ProjectorState,
    SchemaError,
    open_database,
    read_transaction,
)
from ledger.projection import projector as projector_module
from ledger.projection.tables import projection_cursor
from tests.ledger.projection.support import (
    OTHER,
    CountingHandler,
    MemoryChain,
    add_logs,
    counted,
    counted_rows,
    expected_rows,
)

pytestmark = pytest.mark.feature("N4")


def rows(engine: Engine) -> list[tuple[int, int, bytes]]:
    with read_transaction(engine) as connection:
        return counted_rows(connection)


def test_catch_up_applies_every_log_of_the_handlers_contract(engine: Engine) -> None:
    chain = MemoryChain()
    for number in range(600):
        add_logs(chain, *[bytes([number % 251])] * (number % 3))
        add_logs(chain, b"not mine", address=OTHER)
    projector = Projector(engine, chain, [CountingHandler()])
    projector.catch_up()
    assert rows(engine) == expected_rows(chain) != []
    assert projector.block_number == 1200


def test_new_blocks_are_followed_and_awaited(engine: Engine) -> None:
    chain = MemoryChain()
    add_logs(chain, b"early")
    projector = Projector(engine, chain, [CountingHandler()])
    projector.start()
    try:
        projector.wait_for(1, 10)
        reads = chain.reads
        for number in range(20):
            add_logs(chain, bytes([number]))
            projector.wait_for(2 + number, 10)
        assert rows(engine) == expected_rows(chain)
        assert chain.reads == reads, "blocks pushed by the ledger need not be read back"
        status = projector.status()
        assert (status.state, status.behind, status.error) == (ProjectorState.FOLLOWING, 0, None)
    finally:
        projector.stop()
    assert chain.subscribers == 0
    assert projector.status().state is ProjectorState.STOPPED


def test_a_restart_goes_on_where_it_stopped(engine: Engine) -> None:
    chain = MemoryChain()
    add_logs(chain, b"a")
    Projector(engine, chain, [CountingHandler()]).catch_up()
    add_logs(chain, b"b", b"c")
    again = Projector(engine, chain, [CountingHandler()])
    again.catch_up()
    assert rows(engine) == expected_rows(chain)
    assert len(rows(engine)) == 3


def test_a_handler_error_stops_loudly_and_leaves_nothing_of_the_block(engine: Engine) -> None:
    chain = MemoryChain()
    handler = CountingHandler()
    handler.fail_at = 3
    projector = Projector(engine, chain, [handler])
    projector.start()
    try:
        add_logs(chain, b"fine")
        projector.wait_for(1, 10)
        add_logs(chain, b"half", b"bad")
        add_logs(chain, b"after")
        with pytest.raises(ProjectionFailed, match=r"counting cannot apply log 1 of block 2.*told"):
            projector.wait_for(2, 10)
        assert projector.status().state is ProjectorState.FAILED
        assert "told to fail" in str(projector.status().error)
        assert len(rows(engine)) == 1
        handler.fail_at = None
        projector.start()
        projector.wait_for(3, 10)
        assert rows(engine) == expected_rows(chain)
    finally:
        projector.stop()


def test_waiting_is_bounded_and_says_why(engine: Engine) -> None:
    chain = MemoryChain()
    projector = Projector(engine, chain, [CountingHandler()])
    with pytest.raises(ProjectionStopped):
        projector.wait_for(1, 5)
    projector.start()
    with pytest.raises(ProjectionTimeout, match="block 7 was not applied"):
        projector.wait_for(7, 0.05)
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            projector.wait_for(7, 30)
        except ProjectionError as error:
            raised.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.05)
    projector.stop()
    waiter.join(10)
    assert [type(error) for error in raised] == [ProjectionStopped]


def test_rebuild_forgets_foreign_rows_and_gives_equal_ones(engine: Engine) -> None:
    chain = MemoryChain()
    for number in range(30):
        add_logs(chain, bytes([number]))
    Projector(engine, chain, [CountingHandler()]).catch_up()
    before = rows(engine)
    seen: list[tuple[int, int]] = []
    Projector(engine, chain, [CountingHandler()]).rebuild(lambda *place: seen.append(place))
    assert rows(engine) == before
    assert seen[0] == (0, 30)
    assert seen[-1] == (30, 30)

    other = MemoryChain("two")
    add_logs(other, b"elsewhere")
    Projector(engine, other, [CountingHandler()]).rebuild()
    assert rows(engine) == expected_rows(other)


def test_rebuild_beside_a_running_thread_ends_in_step(engine: Engine) -> None:
    chain = MemoryChain()
    projector = Projector(engine, chain, [CountingHandler()])
    projector.start()
    try:
        for number in range(50):
            add_logs(chain, bytes([number]))
            if number == 25:
                projector.rebuild()
        projector.wait_for(50, 10)
        assert rows(engine) == expected_rows(chain)
    finally:
        projector.stop()


def test_a_handler_added_later_catches_up_alone(engine: Engine) -> None:
    chain = MemoryChain()
    for number in range(5):
        add_logs(chain, bytes([number]))
        add_logs(chain, bytes([100 + number]), address=OTHER)
    Projector(engine, chain, [CountingHandler()]).catch_up()
    # Nothing resets the first handler's rows: it is not due.
    late = CountingHandler("late", OTHER)
    late.reset = lambda connection: None  # type: ignore[method-assign]
    Projector(engine, chain, [CountingHandler(), late]).catch_up()
    both = sorted(expected_rows(chain) + expected_rows(chain, OTHER))
    assert rows(engine) == both


def test_a_database_of_another_ledger_is_refused(engine: Engine) -> None:
    chain, other = MemoryChain(), MemoryChain("two")
    Projector(engine, chain, [CountingHandler()]).catch_up()
    with pytest.raises(ProjectionForeign, match="tally node reindex"):
        Projector(engine, other, [CountingHandler()]).start()


def test_a_database_ahead_of_the_chain_is_refused(engine: Engine) -> None:
    chain = MemoryChain()
    add_logs(chain, b"a")
    add_logs(chain, b"b")
    Projector(engine, chain, [CountingHandler()]).catch_up()
    chain.blocks.pop()
    with pytest.raises(ProjectionAhead, match=r"block 2 .* ends at block 1"):
        Projector(engine, chain, [CountingHandler()]).start()


def test_a_database_of_another_history_is_refused(engine: Engine) -> None:
    chain, other = MemoryChain(), MemoryChain()
    add_logs(chain, b"a")
    Projector(engine, chain, [CountingHandler()]).catch_up()
    other.add([(OTHER, b"different", [])])
    with pytest.raises(ProjectionDiverged, match="tally node reindex"):
        Projector(engine, other, [CountingHandler()]).start()


def test_two_projectors_on_one_database_are_noticed(engine: Engine) -> None:
    chain = MemoryChain()
    first = Projector(engine, chain, [CountingHandler()])
    second = Projector(engine, chain, [CountingHandler()])
    first.catch_up()
    second.catch_up()
    add_logs(chain, b"a")
    first.catch_up()
    add_logs(chain, b"b")
    with pytest.raises(ProjectionError, match="another process"):
        second.catch_up()


def forget_blocks_from(engine: Engine, chain: MemoryChain, number: int) -> None:
    """As a server that crashed before it had written what was not waited for."""
    with engine.begin() as connection:
        connection.execute(counted.delete().where(counted.c.block_number >= number))
        before = chain.blocks[number - 1].block
        connection.execute(
            projection_cursor.update().values(block_number=number - 1, block_hash=before.hash)
        )


def test_what_a_crash_of_the_database_took_away_is_applied_again(engine: Engine) -> None:
    chain = MemoryChain()
    projector = Projector(engine, chain, [CountingHandler()])
    projector.start()
    for data in (b"a", b"b", b"c"):
        add_logs(chain, data)
    projector.wait_for(3, 10)
    version = projector.version("counting")
    forget_blocks_from(engine, chain, 2)
    add_logs(chain, b"d")
    projector.wait_for(4, 10)
    assert rows(engine) == expected_rows(chain)
    assert projector.version("counting") >= version + 2
    assert projector.status().state is ProjectorState.FOLLOWING
    projector.stop()


def test_what_a_crash_took_away_comes_back_without_a_new_block(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector_module, "POLL_INTERVAL_S", 0.05)
    chain = MemoryChain()
    projector = Projector(engine, chain, [CountingHandler()])
    projector.start()
    add_logs(chain, b"a")
    add_logs(chain, b"b")
    projector.wait_for(2, 10)
    version = projector.version("counting")
    forget_blocks_from(engine, chain, 2)
    deadline = time.monotonic() + 10
    while rows(engine) != expected_rows(chain):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert projector.version("counting") > version
    projector.stop()


def test_looking_for_what_was_taken_away_leaves_readers_what_they_keep(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(projector_module, "POLL_INTERVAL_S", 0.01)
    chain = MemoryChain()
    projector = Projector(engine, chain, [CountingHandler()])
    real = projector._is_behind
    monkeypatch.setattr(projector, "_is_behind", lambda: looks.append(1) or real())
    projector.start()
    add_logs(chain, b"a")
    projector.wait_for(1, 10)
    version, before = projector.version("counting"), len(looks)
    deadline = time.monotonic() + 10
    while len(looks) < before + 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert projector.version("counting") == version
    projector.stop()


def test_a_lost_connection_is_tried_again(engine: Engine) -> None:
    chain = MemoryChain()
    add_logs(chain, b"a")
    handler = CountingHandler()
    failures = iter([True, True, False])

    def lose(connection: object) -> None:
        if next(failures, False):
            raise OperationalError("COMMIT", {}, Exception("server closed the connection"))

    projector = Projector(engine, chain, [handler])
    projector.catch_up()
    add_logs(chain, b"b")
    event.listen(engine, "commit", lose)
    projector.catch_up()
    assert rows(engine) == expected_rows(chain)


def test_an_answer_lost_after_the_commit_applies_nothing_twice(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = MemoryChain()
    projector = Projector(engine, chain, [CountingHandler()])
    projector.catch_up()
    add_logs(chain, b"a")
    real, losses = projector_module.write_transaction, iter([True])

    @contextmanager
    def losing(engine: Engine, *, relaxed: bool = False) -> Iterator[Connection]:
        with real(engine, relaxed=relaxed) as connection:
            yield connection
        if next(losses, False):
            raise OperationalError("COMMIT", {}, Exception("connection lost"))

    monkeypatch.setattr(projector_module, "write_transaction", losing)
    projector.catch_up()
    assert rows(engine) == expected_rows(chain)
    assert projector.block_number == 1


def test_without_tables_the_error_says_to_upgrade(database_url: str) -> None:
    bare = open_database(database_url)
    with pytest.raises(SchemaError, match="upgrade"):
        Projector(bare, MemoryChain(), [CountingHandler()]).catch_up()
    bare.dispose()


def test_handler_names_must_differ(engine: Engine) -> None:
    with pytest.raises(ValueError, match="distinct"):
        Projector(engine, MemoryChain(), [CountingHandler(), CountingHandler()])


def test_the_cursor_names_block_and_genesis(engine: Engine) -> None:
    chain = MemoryChain()
    add_logs(chain, b"a")
    Projector(engine, chain, [CountingHandler()]).catch_up()
    with read_transaction(engine) as connection:
        row = connection.execute(select(projection_cursor)).one()
    assert row.block_number == 1
    assert bytes(row.block_hash) == chain.head().hash
    assert bytes(row.genesis_hash) == chain.blocks[0].block.hash


def test_the_version_of_a_handlers_rows_moves_with_its_own_logs_and_whenever_in_doubt(
    engine: Engine,
) -> None:
    chain = MemoryChain()
    projector = Projector(engine, chain, [CountingHandler()])
    projector.catch_up()
    first = projector.version("counting")
    add_logs(chain, b"not mine", address=OTHER)
    projector.catch_up()
    assert projector.version("counting") == first
    add_logs(chain, b"mine")
    projector.catch_up()
    second = projector.version("counting")
    assert second != first
    add_logs(chain)
    projector.catch_up()
    assert projector.version("counting") == second
    projector.rebuild()
    assert projector.version("counting") not in (first, second)
    with pytest.raises(KeyError):
        projector.version("nobody")
