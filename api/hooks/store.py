"""Webhooks in SQL, their secrets sealed. Each change is durable when it returns."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    delete,
    func,
    insert,
    select,
    update,
)

from api.hooks.errors import HookUnknown, TooManyHooks
from api.hooks.sealed import open_secret, seal_rows, seal_secret
from api.hooks.settings import HookSettings
from api.hooks.signing import new_secret
from api.hooks.tables import webhook_attempt_table, webhook_table
from api.hooks.types import Attempt, Hook, HookDraft, HookState, Outcome
from contracts.notices import NoticeFilter, StoredNotice
from ledger.crypto import Sealer
from ledger.projection import read_transaction, write_transaction

PREFIX: Final = "wh_"
_w = webhook_table.c
_a = webhook_attempt_table.c


class HookStore:
    """The webhooks of a node. Thread-safe."""

    def __init__(self, engine: Engine, settings: HookSettings, sealer: Sealer) -> None:
        """`sealer` has the node's own key; secrets that stand unsealed are sealed at once."""
        self._engine = engine
        self._settings = settings
        self._sealer = sealer
        seal_rows(engine, sealer)

    def create(self, draft: HookDraft) -> Hook:
        """Make one, with its secret. Raises `TooManyHooks`."""
        hook_id = PREFIX + secrets.token_hex(12)
        row = {
            "id": hook_id,
            "organisation": draft.organisation,
            "url": draft.url,
            "kinds": ",".join(draft.wanted.kinds),
            "record": draft.wanted.record,
            "supervise": draft.supervise,
            "secret": seal_secret(self._sealer, hook_id, new_secret()),
            "created_ms": now_ms(),
            "state": HookState.ACTIVE.value,
            "reason": "",
            "position": draft.position,
            "generation": 0,
            "attempts": 0,
            "failures": 0,
            "failing_since_ms": None,
            "next_ms": 0,
        }
        with write_transaction(self._engine) as connection:
            self._check_room(connection, draft.organisation)
            connection.execute(insert(webhook_table).values(row))
            return self._hook(connection.execute(_one(hook_id)).one())

    def list(self, organisation: str) -> tuple[Hook, ...]:
        """The organisation's, oldest first."""
        query = select(webhook_table).where(_w.organisation == organisation)
        with read_transaction(self._engine) as connection:
            rows = connection.execute(query.order_by(_w.created_ms, _w.id)).all()
        return tuple(map(self._hook, rows))

    def active(self) -> tuple[Hook, ...]:
        """All that are not disabled, the longest due first."""
        query = select(webhook_table).where(_w.state == HookState.ACTIVE.value)
        with read_transaction(self._engine) as connection:
            rows = connection.execute(query.order_by(_w.next_ms, _w.id)).all()
        return tuple(map(self._hook, rows))

    def find(self, organisation: str, hook_id: str) -> Hook:
        """Raises `HookUnknown`, also where it is another organisation's."""
        with read_transaction(self._engine) as connection:
            return self._found(connection, organisation, hook_id)

    def stands(self, hook: Hook) -> bool:
        """Whether it is active and neither deleted nor resumed since it was read."""
        unchanged = (_w.id == hook.id) & (_w.generation == hook.generation)
        query = select(_w.id).where(unchanged & (_w.state == HookState.ACTIVE.value))
        with read_transaction(self._engine) as connection:
            return connection.execute(query).first() is not None

    def delete(self, organisation: str, hook_id: str) -> None:
        """Nothing more is sent, and its log goes. Raises `HookUnknown`."""
        with write_transaction(self._engine) as connection:
            self._found(connection, organisation, hook_id)
            connection.execute(delete(webhook_attempt_table).where(_a.webhook == hook_id))
            connection.execute(delete(webhook_table).where(_w.id == hook_id))

    def resume(self, organisation: str, hook_id: str, position: int | None = None) -> Hook:
        """Send again at once, after `position` or where it stopped. Raises `HookUnknown`."""
        with write_transaction(self._engine) as connection:
            hook = self._found(connection, organisation, hook_id)
            connection.execute(
                update(webhook_table)
                .where(_w.id == hook_id)
                .values(
                    state=HookState.ACTIVE.value,
                    reason="",
                    position=hook.position if position is None else position,
                    generation=hook.generation + 1,
                    failures=0,
                    failing_since_ms=None,
                    next_ms=0,
                )
            )
            return self._found(connection, organisation, hook_id)

    def delivered(self, hook: Hook, notice: StoredNotice, outcome: Outcome) -> Hook | None:
        """The receiver has it: on with the next. None where the webhook was changed meanwhile."""
        values = {
            "position": notice.place.position,
            "failures": 0,
            "failing_since_ms": None,
            "next_ms": 0,
        }
        return self._note(hook, notice, outcome, values)

    def failed(
        self, hook: Hook, notice: StoredNotice, outcome: Outcome, next_ms: int
    ) -> Hook | None:
        """The receiver has it not: again at that time."""
        values = {
            "failures": hook.failures + 1,
            "failing_since_ms": hook.failing_since_ms or now_ms(),
            "next_ms": next_ms,
        }
        return self._note(hook, notice, outcome, values)

    def disabled(
        self, hook: Hook, notice: StoredNotice, outcome: Outcome, reason: str
    ) -> Hook | None:
        """No more until it is resumed."""
        values = {
            "failures": hook.failures + 1,
            "failing_since_ms": hook.failing_since_ms or now_ms(),
            "state": HookState.DISABLED.value,
            "reason": reason,
        }
        return self._note(hook, notice, outcome, values)

    def log(self, hook: Hook, before: int | None, count: int) -> tuple[Attempt, ...]:
        """Up to `count` attempts, the newest first, with numbers below `before`."""
        query = select(webhook_attempt_table).where(_a.webhook == hook.id)
        if before is not None:
            query = query.where(_a.number < before)
        with read_transaction(self._engine) as connection:
            rows = connection.execute(query.order_by(_a.number.desc()).limit(count)).all()
        return tuple(map(_attempt, rows))

    def _note(
        self,
        hook: Hook,
        notice: StoredNotice,
        outcome: Outcome,
        values: Mapping[str, object],
    ) -> Hook | None:
        """A line in the log and the webhook's new standing, in one."""
        number = hook.attempts + 1
        here = (_w.id == hook.id) & (_w.generation == hook.generation)
        with write_transaction(self._engine) as connection:
            query = update(webhook_table).where(here & (_w.attempts == hook.attempts))
            if connection.execute(query.values(attempts=number, **values)).rowcount != 1:
                return None
            connection.execute(
                insert(webhook_attempt_table).values(
                    webhook=hook.id,
                    number=number,
                    notice=str(notice.place),
                    kind=notice.kind,
                    attempt=hook.failures + 1,
                    time_ms=now_ms(),
                    status=outcome.status,
                    error=outcome.error,
                    latency_ms=outcome.latency_ms,
                )
            )
            old = (_a.webhook == hook.id) & (_a.number <= number - self._settings.log_length_max)
            connection.execute(delete(webhook_attempt_table).where(old))
            return self._hook(connection.execute(_one(hook.id)).one())

    def _check_room(self, connection: Connection, organisation: str) -> None:
        count = select(func.count()).select_from(webhook_table)
        own = connection.execute(count.where(_w.organisation == organisation)).scalar_one()
        if own >= self._settings.per_organisation_max:
            raise TooManyHooks(f"{organisation} has {own} webhooks, as many as it may have")
        if connection.execute(count).scalar_one() >= self._settings.total_max:
            raise TooManyHooks("this node has as many webhooks as it may have")

    def _found(self, connection: Connection, organisation: str, hook_id: str) -> Hook:
        query = _one(hook_id).where(_w.organisation == organisation)
        row = connection.execute(query).first()
        if row is None:
            raise HookUnknown(f"{organisation} has no webhook {hook_id[:40]}")
        return self._hook(row)

    def _hook(self, row: Row[Any]) -> Hook:
        return Hook(
            id=row.id,
            organisation=row.organisation,
            url=row.url,
            wanted=NoticeFilter(tuple(filter(None, row.kinds.split(","))), row.record),
            supervise=row.supervise,
            secret=open_secret(self._sealer, row.id, row.secret),
            created_ms=row.created_ms,
            state=HookState(row.state),
            reason=row.reason,
            position=row.position,
            generation=row.generation,
            attempts=row.attempts,
            failures=row.failures,
            failing_since_ms=row.failing_since_ms,
            next_ms=row.next_ms,
        )


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _one(hook_id: object) -> Any:
    return select(webhook_table).where(_w.id == hook_id)


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        number=row.number,
        notice=row.notice,
        kind=row.kind,
        attempt=row.attempt,
        time_ms=row.time_ms,
        status=row.status,
        error=row.error,
        latency_ms=row.latency_ms,
    )
