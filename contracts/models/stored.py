"""Records of models as tables have them: with their state and their place on the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Row

from contracts.instruments.places import ChainPlace, place_of
from contracts.models.types import (
    Batch,
    Budget,
    Calls,
    Contribution,
    DataSet,
    Due,
    Fault,
    FaultKind,
    Grant,
    Mark,
    Mode,
    ModelShare,
    Part,
    Party,
    Payment,
    Project,
    Release,
    ReleaseDraft,
    Round,
    Run,
    RunDraft,
    Terms,
)
from ledger.types import Hash32


@dataclass(frozen=True, slots=True)
class Standing:
    """How a record stands."""

    revision: int
    state: str
    place: ChainPlace
    """Of its last act."""


@dataclass(frozen=True, slots=True)
class StoredProject:
    """A project as it is now."""

    id: Hash32
    project: Project
    standing: Standing
    digest: Hash32 | None
    """What `accept` names; None where nothing is proposed."""
    used: Budget
    """What all its runs have set aside or spent."""


@dataclass(frozen=True, slots=True)
class StoredDataSet:
    """A data set as it is now."""

    id: Hash32
    data_set: DataSet
    standing: Standing


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A grant as it is now; one whose time is over is still `given`."""

    id: Hash32
    grant: Grant
    standing: Standing


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it is now."""

    id: Hash32
    run: Run
    standing: Standing


@dataclass(frozen=True, slots=True)
class StoredRound:
    """A round, and where it was recorded."""

    round: Round
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class StoredFault:
    """A fault as somebody has told it."""

    number: int
    fault: Fault
    by: str
    remark: str
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """A release as it is now."""

    id: Hash32
    release: Release
    standing: Standing
    approved_by: tuple[str, ...]
    agreed: Contribution | None
    """What each party has contributed, as all have approved."""
    proposed: Contribution | None
    digest: Hash32 | None
    """What `concur` names."""


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch of calls, priced and shared out."""

    id: Hash32
    project: Hash32
    batch: Batch
    amounts: tuple[int, ...]
    """Each party's part, in the order of the project's parties."""
    standing: Standing


@dataclass(frozen=True, slots=True)
class StoredDispute:
    """A party's own count beside a batch."""

    party: str
    count: int
    evidence: Hash32
    remark: str
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class StoredDue:
    """Who owes whom what for a project."""

    payer: str
    payee: str
    currency: str
    due: Due


@dataclass(frozen=True, slots=True)
class StoredPayment:
    """A payment as it is now."""

    id: Hash32
    payment: Payment
    standing: Standing


@dataclass(frozen=True, slots=True)
class StoredAct:
    """One line of the history."""

    record: Hash32
    kind: str
    """project, data-set, grant, run, release, batch or payment."""
    act: str
    by: str
    state: str | None
    """Of the record after it; None where the act leaves it as it is."""
    revision: int
    detail: str
    remark: str
    place: ChainPlace


def hash_in(text: str) -> Hash32:
    """An id or hash of a column."""
    return Hash32(bytes.fromhex(text[2:]))


def maybe_hash(text: str | None) -> Hash32 | None:
    """The same of a column that may be empty."""
    return None if text is None else hash_in(text)


def standing_of(row: Row[Any]) -> Standing:
    """How the record of a row stands."""
    return Standing(row.revision, row.state, place_of(row))


def terms_of(row: Row[Any]) -> Terms:
    """Terms."""
    return Terms(
        document=hash_in(row.document),
        algorithms=tuple(row.algorithms.split()),
        codes=tuple(hash_in(code) for code in row.codes.split()),
        budget=Budget(row.epsilon, row.delta),
        price=row.price,
        currency=row.currency,
        shares=_numbers(row.shares),
        until=row.until,
    )


def parties_of(row: Row[Any]) -> tuple[Party, ...]:
    """The parties of a project."""
    parts = [Part(int(part)) for part in row.parts.split()]
    names = row.parties.split()
    return tuple(Party(name, part) for name, part in zip(names, parts, strict=True))


def project_of(row: Row[Any], terms: Terms | None, proposed: Terms | None) -> Project:
    """A project, with its terms of rows of their own."""
    return Project(
        proposer=row.proposer,
        number=row.number,
        parties=parties_of(row),
        version=row.version,
        accepted=tuple(row.accepted.split()),
        terms=terms,
        proposed=proposed,
    )


def data_set_of(row: Row[Any]) -> StoredDataSet:
    """A data set."""
    content = DataSet(
        owner=row.owner,
        number=row.number,
        schema=hash_in(row.schema),
        rows=row.size,
        commitment=hash_in(row.commitment),
        quality=hash_in(row.quality),
        replaces=maybe_hash(row.replaces),
    )
    return StoredDataSet(hash_in(row.id), content, standing_of(row))


def grant_of(row: Row[Any]) -> StoredGrant:
    """A grant."""
    content = Grant(
        owner=row.owner,
        number=row.number,
        data_set=hash_in(row.data_set),
        project=hash_in(row.project),
        fields=hash_in(row.fields),
        until=row.until,
    )
    return StoredGrant(hash_in(row.id), content, standing_of(row))


def run_of(row: Row[Any]) -> StoredRun:
    """A run."""
    draft = RunDraft(
        project=hash_in(row.project),
        number=row.number,
        algorithm=row.algorithm,
        code=hash_in(row.code),
        config=hash_in(row.config),
        seed=hash_in(row.seed),
        budget=Budget(row.epsilon, row.delta),
        participants=tuple(row.participants.split()),
        grants=tuple(hash_in(grant) for grant in row.grants.split()),
    )
    nodes = tuple(None if node == "-" else hash_in(node) for node in row.nodes.split())
    run = Run(
        opener=row.opener,
        draft=draft,
        nodes=nodes,
        spent=Budget(row.spent_epsilon, row.spent_delta),
        rounds=row.rounds,
        faults=row.faults,
        opened=row.opened,
        ended=row.ended,
        outcome=maybe_hash(row.outcome),
    )
    return StoredRun(hash_in(row.id), run, standing_of(row))


def round_of(row: Row[Any]) -> StoredRound:
    """A round."""
    spent = Budget(row.epsilon, row.delta)
    delivered = tuple(row.delivered.split())
    return StoredRound(Round(row.number, hash_in(row.record), spent, delivered), place_of(row))


def fault_of(row: Row[Any]) -> StoredFault:
    """A fault."""
    fault = Fault(row.party, FaultKind(row.kind), row.round, hash_in(row.evidence))
    return StoredFault(row.number, fault, row.by, row.remark, place_of(row))


def release_of(row: Row[Any], shares: tuple[ModelShare, ...]) -> Release:
    """A release, with its shares of rows of their own."""
    draft = ReleaseDraft(
        run=hash_in(row.run),
        number=row.number,
        card=hash_in(row.card),
        metrics=hash_in(row.metrics),
        shares=shares,
    )
    return Release(
        project=hash_in(row.project),
        maker=row.maker,
        draft=draft,
        approved=_numbers(row.approved),
        mark=Mark(row.mark),
        live=row.live,
        retired=row.retired,
    )


def share_of(row: Row[Any]) -> ModelShare:
    """A participant's part of a model."""
    return ModelShare(row.party, hash_in(row.model), hash_in(row.data))


def contribution_of(row: Row[Any]) -> Contribution:
    """A contribution."""
    shares, accepted = _numbers(row.shares), _numbers(row.accepted)
    return Contribution(row.version, shares, hash_in(row.evidence), accepted)


def batch_of(row: Row[Any]) -> StoredBatch:
    """A batch of calls."""
    calls = Calls(
        release=hash_in(row.release),
        number=row.number,
        mode=Mode(row.mode),
        first=row.first,
        count=row.size,
        root=hash_in(row.root),
        since=row.since,
        until=row.until,
    )
    batch = Batch(row.asker, calls, row.price, row.currency, row.amount, row.disputes)
    amounts = _numbers(row.amounts)
    return StoredBatch(hash_in(row.id), hash_in(row.project), batch, amounts, standing_of(row))


def dispute_of(row: Row[Any]) -> StoredDispute:
    """A dispute."""
    evidence = hash_in(row.evidence)
    return StoredDispute(row.organisation, row.size, evidence, row.remark, place_of(row))


def due_of(row: Row[Any]) -> StoredDue:
    """What somebody owes."""
    due = Due(row.accrued, row.paid, row.reported)
    return StoredDue(row.payer, row.payee, row.currency, due)


def payment_of(row: Row[Any]) -> StoredPayment:
    """A payment."""
    content = Payment(
        payer=row.payer,
        number=row.number,
        project=hash_in(row.project),
        payee=row.payee,
        currency=row.currency,
        amount=row.amount,
        settled=maybe_hash(row.settled),
    )
    return StoredPayment(hash_in(row.id), content, standing_of(row))


def act_of(row: Row[Any]) -> StoredAct:
    """A line of the history."""
    return StoredAct(
        record=hash_in(row.record),
        kind=row.kind,
        act=row.act,
        by=row.by,
        state=row.state,
        revision=row.revision,
        detail=row.detail,
        remark=row.remark,
        place=place_of(row),
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split())
