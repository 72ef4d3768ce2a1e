"""Models as they stand, from SQL, for whoever may see them.

The parties of a project see all of it; a data set is seen by its owner and the parties of the
projects that may use some of its fields; supervisors see everything. What is not seen is in no
list, no page and no count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, exists, select, union_all
from sqlalchemy.engine import Row

from contracts.instruments.columns import hex_of
from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.viewer import Viewer
from contracts.models.stored import (
    StoredAct,
    StoredBatch,
    StoredDataSet,
    StoredDispute,
    StoredDue,
    StoredFault,
    StoredGrant,
    StoredPayment,
    StoredProject,
    StoredRelease,
    StoredRound,
    StoredRun,
    act_of,
    batch_of,
    contribution_of,
    data_set_of,
    dispute_of,
    due_of,
    fault_of,
    grant_of,
    hash_in,
    maybe_hash,
    payment_of,
    project_of,
    release_of,
    round_of,
    run_of,
    share_of,
    standing_of,
    terms_of,
)
from contracts.models.tables import (
    act_table,
    batch_table,
    budget_table,
    contribution_table,
    data_set_party_table,
    data_set_table,
    dispute_table,
    due_table,
    fault_table,
    grant_table,
    payment_table,
    project_party_table,
    project_table,
    release_act_table,
    release_table,
    round_table,
    run_act_table,
    run_table,
    share_table,
    terms_table,
)
from contracts.models.types import Budget, Mark
from ledger.types import Hash32

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ProjectQuery:
    """Which projects are asked for; what is None does not matter."""

    states: tuple[str, ...] | None = None
    party: str | None = None
    proposer: str | None = None
    number: str | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class DataSetQuery:
    """Which data sets are asked for; what is None does not matter."""

    states: tuple[str, ...] | None = None
    owner: str | None = None
    number: str | None = None
    after: str | None = None
    limit: int = 50


# ---- what was agreed to -------------------------------------------------------------------------


def find_project(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredProject | None:
    """The project, or None where there is none or the viewer may not see it."""
    table = project_table
    seen = viewer.may_see(project_party_table, table.c.id)
    query = select(table).where(table.c.id == hex_of(id_), seen)
    row = connection.execute(query).one_or_none()
    return None if row is None else _projects(connection, [row])[0]


def list_projects(
    connection: Connection, query: ProjectQuery, viewer: Viewer
) -> Page[StoredProject]:
    """A page of the projects that the viewer may see, newest first. Raises `CursorInvalid`."""
    table, limit = project_table, bounded(query.limit)
    conditions = [viewer.may_see(project_party_table, table.c.id)]
    wanted = {table.c.proposer: query.proposer, table.c.number: query.number}
    conditions += [column == value for column, value in wanted.items() if value is not None]
    if query.states is not None:
        conditions.append(table.c.state.in_(query.states))
    if query.party is not None:
        party = project_party_table
        here = (party.c.id == table.c.id) & (party.c.organisation == query.party)
        conditions.append(exists(select(1).select_from(party).where(here)))
    rows = _newest(connection, table, conditions, query.after, limit)
    made = {one.id: one for one in _projects(connection, rows[:limit])}
    return page_of(rows, limit, lambda row: made[hash_in(row.id)], lambda row: [row.position])


def _projects(connection: Connection, rows: Sequence[Row[Any]]) -> list[StoredProject]:
    ids = [row.id for row in rows]
    query = select(terms_table).where(terms_table.c.id.in_(ids))
    terms = {(row.id, row.proposed): terms_of(row) for row in connection.execute(query)}
    spent = select(budget_table).where(budget_table.c.id.in_(ids))
    used = {row.id: Budget(row.epsilon, row.delta) for row in connection.execute(spent)}
    return [
        StoredProject(
            id=hash_in(row.id),
            project=project_of(row, terms.get((row.id, False)), terms.get((row.id, True))),
            standing=standing_of(row),
            digest=maybe_hash(row.digest),
            used=used.get(row.id, Budget()),
        )
        for row in rows
    ]


def find_data_set(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredDataSet | None:
    """The data set, or None where there is none or the viewer may not see it."""
    table = data_set_table
    seen = viewer.may_see(data_set_party_table, table.c.id)
    row = connection.execute(select(table).where(table.c.id == hex_of(id_), seen)).one_or_none()
    return None if row is None else data_set_of(row)


def list_data_sets(
    connection: Connection, query: DataSetQuery, viewer: Viewer
) -> Page[StoredDataSet]:
    """A page of the data sets that the viewer may see, newest first. Raises `CursorInvalid`."""
    table, limit = data_set_table, bounded(query.limit)
    conditions = [viewer.may_see(data_set_party_table, table.c.id)]
    wanted = {table.c.owner: query.owner, table.c.number: query.number}
    conditions += [column == value for column, value in wanted.items() if value is not None]
    if query.states is not None:
        conditions.append(table.c.state.in_(query.states))
    rows = _newest(connection, table, conditions, query.after, limit)
    return page_of(rows, limit, data_set_of, lambda row: [row.position])


def find_grant(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredGrant | None:
    """The grant, or None where there is none or the viewer may not see it."""
    return _find(connection, grant_table, id_, viewer, grant_of)


def project_grants(
    connection: Connection,
    project: Hash32,
    viewer: Viewer,
    *,
    owner: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredGrant]:
    """Grants of a project, newest first. Raises `CursorInvalid`."""
    more = [] if owner is None else [grant_table.c.owner == owner]
    return _of(connection, grant_table, project, viewer, grant_of, after, limit, more)


# ---- what was done ------------------------------------------------------------------------------


def find_run(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredRun | None:
    """The run, or None where there is none or the viewer may not see it."""
    return _find(connection, run_table, id_, viewer, run_of)


def project_runs(
    connection: Connection,
    project: Hash32,
    viewer: Viewer,
    *,
    states: tuple[str, ...] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredRun]:
    """Runs of a project, newest first. Raises `CursorInvalid`."""
    more = [] if states is None else [run_table.c.state.in_(states)]
    return _of(connection, run_table, project, viewer, run_of, after, limit, more)


def run_rounds(
    connection: Connection,
    run: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredRound]:
    """Rounds of a run by number. Raises `CursorInvalid`."""
    return _inside(connection, round_table, run_table, run, viewer, round_of, after, limit)


def run_faults(
    connection: Connection,
    run: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredFault]:
    """Faults of a run by number. Raises `CursorInvalid`."""
    return _inside(connection, fault_table, run_table, run, viewer, fault_of, after, limit)


# ---- what came of it ----------------------------------------------------------------------------


def find_release(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredRelease | None:
    """The release, or None where there is none or the viewer may not see it."""
    return _find(
        connection, release_table, id_, viewer, lambda row: _releases(connection, [row])[0]
    )


def project_releases(
    connection: Connection,
    project: Hash32,
    viewer: Viewer,
    *,
    states: tuple[str, ...] | None = None,
    mark: Mark | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredRelease]:
    """Releases of a project, newest first. Raises `CursorInvalid`."""
    more: list[ColumnElement[bool]] = []
    if states is not None:
        more.append(release_table.c.state.in_(states))
    if mark is not None:
        more.append(release_table.c.mark == int(mark))
    page = _of(connection, release_table, project, viewer, lambda row: row, after, limit, more)
    made = {one.id: one for one in _releases(connection, page.items)}
    return page.map(lambda row: made[hash_in(row.id)])


def _releases(connection: Connection, rows: Sequence[Row[Any]]) -> list[StoredRelease]:
    ids = [row.id for row in rows]
    shares: dict[str, list[Row[Any]]] = {}
    for share in _rows(connection, share_table, ids):
        shares.setdefault(share.id, []).append(share)
    said = {(row.id, row.proposed): row for row in _rows(connection, contribution_table, ids)}
    projects = _rows(connection, project_table, [row.project for row in rows])
    parties = {row.id: row.parties.split() for row in projects}
    found = []
    for row in rows:
        parts = sorted(shares.get(row.id, []), key=lambda share: share.ordinal)
        release = release_of(row, tuple(share_of(part) for part in parts))
        agreed, proposed = said.get((row.id, False)), said.get((row.id, True))
        found.append(
            StoredRelease(
                id=hash_in(row.id),
                release=release,
                standing=standing_of(row),
                approved_by=tuple(parties[row.project][place] for place in release.approved),
                agreed=None if agreed is None else contribution_of(agreed),
                proposed=None if proposed is None else contribution_of(proposed),
                digest=None if proposed is None else maybe_hash(proposed.digest),
            )
        )
    return found


def find_batch(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredBatch | None:
    """The batch of calls, or None where there is none or the viewer may not see it."""
    return _find(connection, batch_table, id_, viewer, batch_of)


def project_batches(
    connection: Connection,
    project: Hash32,
    viewer: Viewer,
    *,
    release: Hash32 | None = None,
    asker: str | None = None,
    states: tuple[str, ...] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredBatch]:
    """Batches of calls of a project's models, newest first. Raises `CursorInvalid`."""
    table = batch_table
    more: list[ColumnElement[bool]] = []
    if states is not None:
        more.append(table.c.state.in_(states))
    wanted = {table.c.release: hex_of(release), table.c.asker: asker}
    more += [column == value for column, value in wanted.items() if value is not None]
    return _of(connection, table, project, viewer, batch_of, after, limit, more)


def batch_disputes(
    connection: Connection, batch: Hash32, viewer: Viewer
) -> tuple[StoredDispute, ...]:
    """Other parties' own counts of a batch, in the order in which they came."""
    table = dispute_table
    if find_batch(connection, batch, viewer) is None:
        return ()
    query = select(table).where(table.c.id == hex_of(batch)).order_by(table.c.leaf_index)
    return tuple(dispute_of(row) for row in connection.execute(query))


def project_dues(connection: Connection, project: Hash32, viewer: Viewer) -> tuple[StoredDue, ...]:
    """Who owes whom what for a project's models, by currency, payer and payee."""
    table = due_table
    seen = viewer.may_see(project_party_table, table.c.id)
    query = select(table).where(table.c.id == hex_of(project), seen)
    order = (table.c.currency, table.c.payer, table.c.payee)
    return tuple(due_of(row) for row in connection.execute(query.order_by(*order)))


def find_payment(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredPayment | None:
    """The payment, or None where there is none or the viewer may not see it."""
    return _find(connection, payment_table, id_, viewer, payment_of)


def project_payments(
    connection: Connection,
    project: Hash32,
    viewer: Viewer,
    *,
    states: tuple[str, ...] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredPayment]:
    """Payments of what is owed for a project's models, newest first. Raises `CursorInvalid`."""
    more = [] if states is None else [payment_table.c.state.in_(states)]
    return _of(connection, payment_table, project, viewer, payment_of, after, limit, more)


def project_history(
    connection: Connection,
    project: Hash32,
    viewer: Viewer,
    *,
    record: Hash32 | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[StoredAct]:
    """All acts of a project and its records, or of one of them; oldest first.

    Raises `CursorInvalid`.
    """
    limit = bounded(limit)
    since = parse_cursor(after, 1)
    parts = []
    for table in (act_table, run_act_table, release_act_table):
        seen = viewer.may_see(project_party_table, table.c.project)
        part = select(table).where(table.c.project == hex_of(project), seen)
        if record is not None:
            part = part.where(table.c.record == hex_of(record))
        if since is not None:
            part = part.where(table.c.leaf_index > since[0])
        parts.append(part)
    both = union_all(*parts).subquery()
    query = select(both).order_by(both.c.leaf_index).limit(limit + 1)
    rows = connection.execute(query).all()
    return page_of(rows, limit, act_of, lambda row: [row.leaf_index])


def data_set_history(connection: Connection, id_: Hash32, viewer: Viewer) -> tuple[StoredAct, ...]:
    """All acts of a data set, at most three; oldest first."""
    table = act_table
    seen = viewer.may_see(data_set_party_table, table.c.record)
    query = select(table).where(table.c.record == hex_of(id_), seen).order_by(table.c.leaf_index)
    return tuple(act_of(row) for row in connection.execute(query))


# ---- within -------------------------------------------------------------------------------------


def _rows(connection: Connection, table: Table, ids: Sequence[str]) -> Sequence[Row[Any]]:
    return connection.execute(select(table).where(table.c.id.in_(ids))).all()


def _find(
    connection: Connection,
    table: Table,
    id_: Hash32,
    viewer: Viewer,
    item: Callable[[Row[Any]], Item],
) -> Item | None:
    seen = viewer.may_see(project_party_table, table.c.project)
    row = connection.execute(select(table).where(table.c.id == hex_of(id_), seen)).one_or_none()
    return None if row is None else item(row)


def _newest(
    connection: Connection, table: Table, conditions: Sequence[Any], after: str | None, limit: int
) -> Sequence[Row[Any]]:
    query = select(table).where(*conditions)
    if (since := parse_cursor(after, 1)) is not None:
        query = query.where(table.c.position < since[0])
    return connection.execute(query.order_by(table.c.position.desc()).limit(limit + 1)).all()


def _of(
    connection: Connection,
    table: Table,
    project: Hash32,
    viewer: Viewer,
    item: Callable[[Row[Any]], Item],
    after: str | None,
    limit: int,
    more: Sequence[Any],
) -> Page[Item]:
    limit = bounded(limit)
    seen = viewer.may_see(project_party_table, table.c.project)
    conditions = [table.c.project == hex_of(project), seen, *more]
    rows = _newest(connection, table, conditions, after, limit)
    return page_of(rows, limit, item, lambda row: [row.position])


def _inside(
    connection: Connection,
    table: Table,
    records: Table,
    id_: Hash32,
    viewer: Viewer,
    item: Callable[[Row[Any]], Item],
    after: str | None,
    limit: int,
) -> Page[Item]:
    """Parts of a record by number."""
    limit = bounded(limit)
    seen = viewer.may_see(project_party_table, records.c.project)
    whole = exists(select(1).select_from(records).where(records.c.id == table.c.id, seen))
    query = select(table).where(table.c.id == hex_of(id_), whole)
    if (since := parse_cursor(after, 1)) is not None:
        query = query.where(table.c.number > since[0])
    rows = connection.execute(query.order_by(table.c.number).limit(limit + 1)).all()
    return page_of(rows, limit, item, lambda row: [row.number])
