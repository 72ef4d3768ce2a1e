"""Models in SQL: the handlers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select

from contracts.genesis import MODEL_RELEASES_ADDRESS, MODEL_RUNS_ADDRESS, MODELS_ADDRESS
from contracts.instruments.columns import hex_of, put
from contracts.instruments.places import place_values
from contracts.instruments.viewer import note_parties
from contracts.models.decoding import decode_log, decode_releases_log, decode_runs_log
from contracts.models.events import (
    BudgetUsed,
    CallsCounted,
    CallsDisputed,
    ContributionActed,
    DataSetActed,
    DueChanged,
    FaultRecorded,
    GrantActed,
    ModelsEvent,
    PaymentActed,
    ProjectActed,
    ReleaseActed,
    ReleasesEvent,
    RoundRecorded,
    RunActed,
    RunsEvent,
)
from contracts.models.storing import change, empty, listed, store, tell, told, told_within
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
    metadata,
    payment_table,
    project_party_table,
    project_table,
    release_act_table,
    release_table,
    releases_metadata,
    round_table,
    run_act_table,
    run_table,
    runs_metadata,
    share_table,
    terms_table,
)
from contracts.models.types import Contribution, Release, Run, Terms
from ledger.types import Address, CommittedBlock, PlacedLog


class ModelsHandler:
    """Fills the tables of what was agreed to. Implements `ledger.projection.Handler`."""

    name = "models"
    metadata = metadata

    def __init__(self, address: Address = MODELS_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no records."""
        empty(connection, metadata)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        _agreed(connection, decode_log(log.log), log)


class RunsHandler:
    """Fills the tables of what was done. Implements `ledger.projection.Handler`."""

    name = "model-runs"
    metadata = runs_metadata

    def __init__(self, address: Address = MODEL_RUNS_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no records."""
        empty(connection, runs_metadata)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        _done(connection, decode_runs_log(log.log), log)


class ReleasesHandler:
    """Fills the tables of what came of it. Implements `ledger.projection.Handler`."""

    name = "model-releases"
    metadata = releases_metadata

    def __init__(self, address: Address = MODEL_RELEASES_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no records."""
        empty(connection, releases_metadata)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        _came(connection, decode_releases_log(log.log), log)


# ---- what was agreed to -------------------------------------------------------------------------


def _agreed(connection: Connection, event: ModelsEvent, log: PlacedLog) -> None:
    match event:
        case ProjectActed():
            _project(connection, event, log)
            told(connection, act_table, event, log, "project", hex_of(event.id))
        case DataSetActed():
            _data_set(connection, event, log)
            told(connection, act_table, event, log, "data-set", None)
        case GrantActed():
            _grant(connection, event, log)
            told(connection, act_table, event, log, "grant", hex_of(event.project))


def _project(connection: Connection, event: ProjectActed, log: PlacedLog) -> None:
    project = event.project
    parties = [party.organisation for party in project.parties]
    row = {
        "proposer": project.proposer,
        "number": project.number,
        "parties": listed(parties),
        "parts": listed(int(party.part) for party in project.parties),
        "version": project.version,
        "accepted": listed(project.accepted),
        "digest": hex_of(event.digest),
    }
    position = store(connection, project_table, event, log, row)
    id_ = str(hex_of(event.id))
    _terms(connection, id_, project.terms, proposed=False)
    _terms(connection, id_, project.proposed, proposed=True)
    note_parties(connection, project_party_table, id_, position, parties)


def _terms(connection: Connection, id_: str, terms: Terms | None, *, proposed: bool) -> None:
    table = terms_table
    if terms is None:
        here = (table.c.id == id_) & (table.c.proposed == proposed)
        connection.execute(delete(table).where(here))
        return
    row = {
        "document": hex_of(terms.document),
        "algorithms": listed(terms.algorithms),
        "codes": listed(hex_of(code) for code in terms.codes),
        "epsilon": terms.budget.epsilon,
        "delta": terms.budget.delta,
        "price": terms.price,
        "currency": terms.currency,
        "shares": listed(terms.shares),
        "until": terms.until,
    }
    put(connection, table, {"id": id_, "proposed": proposed, **row})


def _data_set(connection: Connection, event: DataSetActed, log: PlacedLog) -> None:
    content = event.data_set
    row = {
        "owner": content.owner,
        "number": content.number,
        "schema": hex_of(content.schema),
        "size": content.rows,
        "commitment": hex_of(content.commitment),
        "quality": hex_of(content.quality),
        "replaces": hex_of(content.replaces),
    }
    position = store(connection, data_set_table, event, log, row)
    id_ = str(hex_of(event.id))
    note_parties(connection, data_set_party_table, id_, position, [content.owner])


def _grant(connection: Connection, event: GrantActed, log: PlacedLog) -> None:
    grant = event.grant
    row = {
        "project": hex_of(grant.project),
        "data_set": hex_of(grant.data_set),
        "owner": grant.owner,
        "number": grant.number,
        "fields": hex_of(grant.fields),
        "until": grant.until,
    }
    store(connection, grant_table, event, log, row)
    # Whoever may use some of its fields sees what the data set is.
    data_set = str(hex_of(grant.data_set))
    position = select(data_set_table.c.position).where(data_set_table.c.id == data_set)
    query = select(project_party_table.c.organisation).where(
        project_party_table.c.id == hex_of(grant.project)
    )
    parties = connection.execute(query).scalars().all()
    known = connection.execute(position).scalar_one()
    note_parties(connection, data_set_party_table, data_set, known, parties)


# ---- what was done ------------------------------------------------------------------------------


def _done(connection: Connection, event: RunsEvent, log: PlacedLog) -> None:
    match event:
        case RunActed():
            store(connection, run_table, event, log, _run_row(event.run))
            told(connection, run_act_table, event, log, "run", hex_of(event.project))
        case RoundRecorded():
            _round(connection, event, log)
        case FaultRecorded():
            _fault(connection, event, log)
        case BudgetUsed(project, _, used):
            row = {"epsilon": used.epsilon, "delta": used.delta}
            put(connection, budget_table, {"id": hex_of(project), **row})


def _run_row(run: Run) -> dict[str, Any]:
    draft = run.draft
    return {
        "project": hex_of(draft.project),
        "opener": run.opener,
        "number": draft.number,
        "algorithm": draft.algorithm,
        "code": hex_of(draft.code),
        "config": hex_of(draft.config),
        "seed": hex_of(draft.seed),
        "epsilon": draft.budget.epsilon,
        "delta": draft.budget.delta,
        "spent_epsilon": run.spent.epsilon,
        "spent_delta": run.spent.delta,
        "participants": listed(draft.participants),
        "nodes": listed(hex_of(node) or "-" for node in run.nodes),
        "grants": listed(hex_of(grant) for grant in draft.grants),
        "rounds": run.rounds,
        "faults": run.faults,
        "opened": run.opened,
        "ended": run.ended,
        "outcome": hex_of(run.outcome),
    }


def _round(connection: Connection, event: RoundRecorded, log: PlacedLog) -> None:
    content = event.round
    row = {
        "id": hex_of(event.id),
        "number": content.number,
        "record": hex_of(content.record),
        "epsilon": content.spent.epsilon,
        "delta": content.spent.delta,
        "delivered": listed(content.delivered),
    }
    connection.execute(insert(round_table).values(**row, **place_values(log)))
    changed = {
        "rounds": content.number,
        "spent_epsilon": event.spent.epsilon,
        "spent_delta": event.spent.delta,
    }
    change(connection, run_table, event, log, changed)
    detail = f"round {content.number}"
    told_within(connection, run_act_table, event, log, "run", "round", detail)


def _fault(connection: Connection, event: FaultRecorded, log: PlacedLog) -> None:
    content = event.fault
    row = {
        "id": hex_of(event.id),
        "number": event.number,
        "party": content.party,
        "kind": int(content.kind),
        "round": content.round,
        "evidence": hex_of(content.evidence),
        "by": event.by,
        "remark": event.remark,
    }
    connection.execute(insert(fault_table).values(**row, **place_values(log)))
    change(connection, run_table, event, log, {"faults": event.number})
    detail = f"{content.party}: {content.kind.name.lower()}"
    told_within(connection, run_act_table, event, log, "run", "fault", detail, event.remark)


# ---- what came of it ----------------------------------------------------------------------------


def _came(connection: Connection, event: ReleasesEvent, log: PlacedLog) -> None:
    match event:
        case ReleaseActed():
            _release(connection, event, log)
            told(connection, release_act_table, event, log, "release", hex_of(event.project))
        case ContributionActed():
            _contribution(connection, event, log)
        case CallsCounted():
            _count(connection, event, log)
        case CallsDisputed():
            _dispute(connection, event, log)
        case DueChanged():
            row = {
                "id": hex_of(event.project),
                "currency": event.currency,
                "payer": event.payer,
                "payee": event.payee,
                "accrued": event.due.accrued,
                "paid": event.due.paid,
                "reported": event.due.reported,
            }
            put(connection, due_table, row)
        case PaymentActed():
            _pay(connection, event, log)
            told(connection, release_act_table, event, log, "payment", hex_of(event.project))


def _release(connection: Connection, event: ReleaseActed, log: PlacedLog) -> None:
    release: Release = event.release
    draft = release.draft
    row = {
        "project": hex_of(release.project),
        "run": hex_of(draft.run),
        "maker": release.maker,
        "number": draft.number,
        "card": hex_of(draft.card),
        "metrics": hex_of(draft.metrics),
        "approved": listed(release.approved),
        "mark": int(release.mark),
        "live": release.live,
        "retired": release.retired,
    }
    store(connection, release_table, event, log, row)
    for ordinal, share in enumerate(draft.shares):
        part = {"party": share.party, "model": hex_of(share.model), "data": hex_of(share.data)}
        put(connection, share_table, {"id": hex_of(event.id), "ordinal": ordinal, **part})


def _contribution(connection: Connection, event: ContributionActed, log: PlacedLog) -> None:
    id_ = str(hex_of(event.id))
    _shares(connection, id_, event.agreed, None, proposed=False)
    _shares(connection, id_, event.proposed, hex_of(event.digest), proposed=True)
    change(connection, release_table, event, log, {})
    said = event.proposed or event.agreed
    detail = "" if said is None else f"version {said.version}: {listed(said.shares)}"
    what = (connection, release_act_table, event, log, "release")
    told_within(*what, event.act, detail, event.remark)


def _shares(
    connection: Connection,
    id_: str,
    content: Contribution | None,
    digest: str | None,
    *,
    proposed: bool,
) -> None:
    table = contribution_table
    if content is None:
        here = (table.c.id == id_) & (table.c.proposed == proposed)
        connection.execute(delete(table).where(here))
        return
    row = {
        "version": content.version,
        "shares": listed(content.shares),
        "evidence": hex_of(content.evidence),
        "accepted": listed(content.accepted),
        "digest": digest,
    }
    put(connection, table, {"id": id_, "proposed": proposed, **row})


def _count(connection: Connection, event: CallsCounted, log: PlacedLog) -> None:
    batch, calls = event.batch, event.batch.calls
    row = {
        "id": hex_of(event.id),
        "position": log.leaf_index,
        "revision": 1,
        "state": "counted",
        "project": hex_of(event.project),
        "release": hex_of(event.release),
        "asker": batch.asker,
        "number": calls.number,
        "mode": int(calls.mode),
        "first": calls.first,
        "size": calls.count,
        "root": hex_of(calls.root),
        "since": calls.since,
        "until": calls.until,
        "price": batch.price,
        "currency": batch.currency,
        "amount": batch.amount,
        "amounts": listed(event.amounts),
        "disputes": batch.disputes,
    }
    connection.execute(insert(batch_table).values(**row, **place_values(log)))
    tell(
        connection,
        release_act_table,
        log,
        project=hex_of(event.project),
        record=hex_of(event.id),
        kind="batch",
        act="count",
        by=batch.asker,
        state="counted",
        revision=1,
        detail=f"{calls.count} calls",
        remark=event.remark,
    )


def _dispute(connection: Connection, event: CallsDisputed, log: PlacedLog) -> None:
    row = {
        "id": hex_of(event.id),
        "organisation": event.by,
        "size": event.count,
        "evidence": hex_of(event.evidence),
        "remark": event.remark,
    }
    connection.execute(insert(dispute_table).values(**row, **place_values(log)))
    table = batch_table
    changed = {"state": "disputed", "disputes": table.c.disputes + 1}
    change(connection, table, event, log, changed)
    what = (connection, release_act_table, event, log, "batch")
    told_within(*what, "dispute", f"{event.count} calls", event.remark)


def _pay(connection: Connection, event: PaymentActed, log: PlacedLog) -> None:
    payment = event.payment
    row = {
        "project": hex_of(payment.project),
        "payer": payment.payer,
        "number": payment.number,
        "payee": payment.payee,
        "currency": payment.currency,
        "amount": payment.amount,
        "settled": hex_of(payment.settled),
    }
    store(connection, payment_table, event, log, row)
