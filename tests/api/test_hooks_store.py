"""Webhooks in SQL, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from api.hooks import HookDraft, HookSettings, HookState, HookStore, HookUnknown, Outcome
from api.hooks.tables import metadata
from contracts.notices import BEGINNING, NoticeFilter, Place, StoredNotice
from ledger.crypto import SealingKey
from tests.databases import migrated

pytestmark = pytest.mark.feature("A1")

SEALER = SealingKey.generate()
TAKEN = Outcome(204, "", 12)
FAILED = Outcome(None, "no connection", 7)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = migrated(database_url)
    yield made
    made.dispose()


def notice(block: int) -> StoredNotice:
    return StoredNotice(Place(block, 0, 0), "receipt.issue", "0x" + "1" * 64, {}, 9, "0x", block)


def draft(organisation: str = "ash", *kinds: str) -> HookDraft:
    wanted = NoticeFilter(kinds, "0x" + "2" * 64)
    return HookDraft(organisation, "https://example.org/", wanted, True, BEGINNING)


def test_migrated_tables_are_those_of_the_room(engine: Engine) -> None:
    names = set(metadata.tables)

    def ours(_: object, name: str | None, kind: str, *rest: object) -> bool:
        return kind != "table" or name in names

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, metadata) == []


def test_what_is_made_is_found_by_its_organisation_alone(engine: Engine) -> None:
    store = HookStore(engine, HookSettings(), SEALER)
    first, second = store.create(draft("ash", "receipt.*", "loan.drawn")), store.create(draft())
    store.create(draft("birch"))
    assert store.list("ash") == (first, second)
    assert store.find("ash", first.id) == first
    assert first.wanted.kinds == ("receipt.*", "loan.drawn")
    assert first.secret != second.secret
    assert first.secret not in repr(first)
    with pytest.raises(HookUnknown):
        store.find("birch", first.id)
    with pytest.raises(HookUnknown):
        store.delete("birch", first.id)
    assert len(store.active()) == 3


def test_each_attempt_moves_the_webhook_and_is_in_its_log(engine: Engine) -> None:
    store = HookStore(engine, HookSettings(log_length_max=3), SEALER)
    hook = store.create(draft())
    failed = store.failed(hook, notice(1), FAILED, 1_000)
    assert failed is not None
    assert (failed.position, failed.failures, failed.next_ms) == (BEGINNING, 1, 1_000)
    again = store.failed(failed, notice(1), FAILED, 2_000)
    assert again is not None
    assert again.failing_since_ms == failed.failing_since_ms
    taken = store.delivered(again, notice(1), TAKEN)
    assert taken is not None
    assert (taken.position, taken.failures) == (Place(1, 0, 0).position, 0)
    assert taken.failing_since_ms is None
    off = store.disabled(taken, notice(2), FAILED, "because")
    assert off is not None
    assert (off.state, off.reason) == (HookState.DISABLED, "because")
    assert store.active() == ()
    log = store.log(hook, None, 10)
    assert [(one.number, one.attempt, one.status) for one in log] == [
        (4, 1, None),
        (3, 3, 204),
        (2, 2, None),
    ]
    on = store.resume("ash", hook.id)
    assert (on.state, on.reason, on.position) == (HookState.ACTIVE, "", taken.position)


def test_a_delivery_that_was_under_way_undoes_no_replay(engine: Engine) -> None:
    store = HookStore(engine, HookSettings(), SEALER)
    hook = store.create(draft())
    moved = store.resume("ash", hook.id, Place(5, 0, 0).position)
    assert store.delivered(hook, notice(9), TAKEN) is None
    assert store.failed(hook, notice(9), FAILED, 1) is None
    assert store.find("ash", hook.id) == moved
    assert store.log(hook, None, 10) == ()
    store.delete("ash", hook.id)
    assert store.delivered(moved, notice(9), TAKEN) is None


def test_two_deliveries_of_one_webhook_do_not_both_count(engine: Engine) -> None:
    store = HookStore(engine, HookSettings(), SEALER)
    hook = store.create(draft())
    assert store.delivered(hook, notice(1), TAKEN) is not None
    assert store.delivered(hook, notice(1), TAKEN) is None
