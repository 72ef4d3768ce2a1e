"""Whatever dies when: the rows stay a function of the chain."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from ledger.projection import (
    ProjectionFailed,
    Projector,
    open_database,
    projector,
    read_transaction,
    upgrade,
)
from tests.ledger.projection.support import (
    COUNTED,
    OTHER,
    CountingHandler,
    MemoryChain,
    add_logs,
    counted_rows,
    expected_rows,
    metadata,
)
from tests.postgresql import fresh_postgresql

pytestmark = pytest.mark.feature("N4")


class Crash(BaseException):
    """The process dies here: nothing in the code may catch it."""


class DyingHandler(CountingHandler):
    """Dies once, at the given log."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.countdown = at

    def apply(self, connection, block, log):  # type: ignore[no-untyped-def]
        super().apply(connection, block, log)
        self.countdown -= 1
        if self.countdown == 0:
            raise Crash


BLOCKS = st.lists(st.lists(st.binary(max_size=4), max_size=4), max_size=12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("blocks"), BLOCKS),
        st.tuples(st.just("die in a handler"), st.integers(1, 12)),
        st.tuples(st.just("die at commit"), st.integers(1, 4)),
        st.tuples(st.just("catch up"), st.none()),
        st.tuples(st.just("rebuild"), st.none()),
        st.tuples(st.just("die in rebuild"), st.integers(1, 12)),
    ),
    max_size=12,
)


def rows(engine: Engine) -> list[tuple[int, int, bytes]]:
    with read_transaction(engine) as connection:
        return counted_rows(connection)


def die_at_commit(engine: Engine, chain: MemoryChain, at: int) -> None:
    """Everything applied, nothing committed, and the process gone."""
    left = at

    def die(connection: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crash

    event.listen(engine, "commit", die)
    try:
        Projector(engine, chain, [CountingHandler()]).catch_up()
    except Crash:
        pass
    finally:
        event.remove(engine, "commit", die)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, group=st.integers(1, 5))
def test_after_any_crashes_the_rows_are_those_of_the_chain(
    steps: list[tuple[str, object]], group: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        crash_and_compare(f"sqlite:///{Path(folder) / 'db'}", steps, group)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, group=st.integers(1, 5))
def test_after_many_more_crashes_they_still_are(
    steps: list[tuple[str, object]], group: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        crash_and_compare(f"sqlite:///{Path(folder) / 'db'}", steps, group)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, group=st.integers(1, 5))
def test_after_any_crashes_it_is_so_on_postgresql_too(
    steps: list[tuple[str, object]], group: int
) -> None:
    with fresh_postgresql() as url:
        crash_and_compare(url, steps, group)


def crash_and_compare(url: str, steps: list[tuple[str, object]], group: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projector, "GROUP_BLOCKS_MAX", group)
        engine = open_database(url)
        upgrade(engine)
        metadata.create_all(engine)
        chain = MemoryChain()
        for step, value in steps:
            if step == "blocks":
                for number, datas in enumerate(value):  # type: ignore[arg-type, var-annotated]
                    add_logs(chain, *datas, address=OTHER if number % 5 == 4 else COUNTED)
            elif step == "die at commit":
                die_at_commit(engine, chain, int(value))  # type: ignore[call-overload]
            elif step.startswith("die"):
                dying = Projector(engine, chain, [DyingHandler(int(value))])  # type: ignore[call-overload]
                with suppress(Crash):
                    dying.rebuild() if step == "die in rebuild" else dying.catch_up()
            elif step == "rebuild":
                Projector(engine, chain, [CountingHandler()]).rebuild()
            else:
                Projector(engine, chain, [CountingHandler()]).catch_up()
            found = rows(engine)
            assert found == expected_rows(chain)[: len(found)], "never a hole, never twice"
        Projector(engine, chain, [CountingHandler()]).catch_up()
        assert rows(engine) == expected_rows(chain)
        engine.dispose()


def test_a_failure_in_a_group_keeps_the_groups_before_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "GROUP_BLOCKS_MAX", 3)
    chain = MemoryChain()
    for number in range(10):
        add_logs(chain, bytes([number]))
    handler = CountingHandler()
    handler.fail_at = chain.blocks[8].logs[0].leaf_index
    failing = Projector(engine, chain, [handler])
    with pytest.raises(ProjectionFailed, match="block 8"):
        failing.catch_up()
    assert failing.block_number == 6
    assert len(rows(engine)) == 6
