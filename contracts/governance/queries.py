"""Proposals as they stand, from SQL: what the contract would answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import Row

from contracts.consortium import Status, organisation_table
from contracts.genesis import CONSORTIUM_ADDRESS, GOVERNANCE_ADDRESS
from contracts.governance.projection import DEFAULT_KEY
from contracts.governance.rules import FunctionKey, Thresholds
from contracts.governance.tables import (
    proposal_call_table,
    proposal_table,
    threshold_table,
    vote_table,
    voter_table,
)
from contracts.governance.types import (
    Call,
    CastVote,
    Choice,
    Proposal,
    State,
    Tally,
    Threshold,
    Voter,
)
from ledger.types import Address

PAGE_MAX = 1_000


def find_voters(connection: Connection) -> tuple[Voter, ...]:
    """Organisations with a weight, by id, and whether it counts now."""
    query = (
        select(voter_table, organisation_table.c.status)
        .join(organisation_table, organisation_table.c.id == voter_table.c.organisation)
        .order_by(voter_table.c.organisation)
    )
    rows = connection.execute(query)
    return tuple(Voter(r.organisation, r.votes, r.status == Status.ACTIVE) for r in rows)


def find_thresholds(
    connection: Connection,
    consortium: Address = CONSORTIUM_ADDRESS,
    governance: Address = GOVERNANCE_ADDRESS,
) -> Thresholds:
    """The thresholds that hold now."""
    default: Threshold | None = None
    own: dict[FunctionKey, Threshold] = {}
    for row in connection.execute(select(threshold_table)):
        threshold = Threshold(row.numerator, row.denominator)
        if (row.target, row.selector) == DEFAULT_KEY:
            default = threshold
        else:
            own[_address(row.target), bytes.fromhex(row.selector[2:])] = threshold
    if default is None:
        return Thresholds(own=own, consortium=consortium, governance=governance)
    return Thresholds(default, own, consortium, governance)


def find_proposal(connection: Connection, proposal: int, now: int) -> Proposal | None:
    """The proposal of that number as it stands at the time `now` (unix seconds), or None."""
    rows = connection.execute(select(proposal_table).where(proposal_table.c.id == proposal)).all()
    found = _proposals(connection, rows, now)
    return found[0] if found else None


def find_proposals(
    connection: Connection,
    now: int,
    *,
    before: int | None = None,
    count: int = 30,
    undecided: bool = False,
) -> tuple[Proposal, ...]:
    """Up to `count` (1 to 1,000) proposals, newest first, with numbers below `before`.

    `undecided` leaves out what is executed, withdrawn or expired.
    """
    query = select(proposal_table).order_by(proposal_table.c.id.desc())
    if before is not None:
        query = query.where(proposal_table.c.id < before)
    if undecided:
        query = query.where(proposal_table.c.decided.is_(None), proposal_table.c.expires > now)
    rows = connection.execute(query.limit(max(1, min(count, PAGE_MAX)))).all()
    return _proposals(connection, rows, now)


def proposal_count(connection: Connection) -> int:
    """How many proposals were ever made."""
    return connection.execute(select(func.count()).select_from(proposal_table)).scalar_one()


def _proposals(
    connection: Connection, rows: Sequence[Row[tuple[object, ...]]], now: int
) -> tuple[Proposal, ...]:
    if not rows:
        return ()
    ids = [row.id for row in rows]
    calls, votes = _calls(connection, ids), _votes(connection, ids)
    thresholds = find_thresholds(connection)
    weights = {v.organisation: v.votes for v in find_voters(connection) if v.counts}
    return tuple(
        _proposal(row, calls.get(row.id, ()), votes.get(row.id, ()), thresholds, weights, now)
        for row in rows
    )


def _proposal(
    row: Row[tuple[object, ...]],
    calls: tuple[Call, ...],
    votes: tuple[CastVote, ...],
    thresholds: Thresholds,
    weights: Mapping[str, int],
    now: int,
) -> Proposal:
    tally = tally_of(votes, weights)
    required = thresholds.required(calls)
    if row.decided is not None:
        state = State(row.decided)
    elif now >= row.expires:
        state = State.EXPIRED
    else:
        state = State.PASSED if required.reached(tally.yes, tally.total) else State.OPEN
    return Proposal(
        id=row.id,
        organisation=row.organisation,
        by=_address(row.by),
        text=row.text,
        block_number=row.block_number,
        created=row.created,
        expires=row.expires,
        state=state,
        decided_block=row.decided_block,
        transaction_hash=row.transaction_hash,
        calls=calls,
        votes=votes,
        tally=tally,
        required=required,
    )


def tally_of(votes: Iterable[CastVote], weights: Mapping[str, int]) -> Tally:
    """Votes by the weights that count now."""
    said = {vote.organisation: vote.choice for vote in votes}
    yes = sum(w for name, w in weights.items() if said.get(name) is Choice.YES)
    no = sum(w for name, w in weights.items() if said.get(name) is Choice.NO)
    return Tally(yes, no, sum(weights.values()))


def _calls(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Call, ...]]:
    table = proposal_call_table
    query = (
        select(table).where(table.c.proposal.in_(ids)).order_by(table.c.proposal, table.c.position)
    )
    found: dict[int, tuple[Call, ...]] = {}
    for row in connection.execute(query):
        call = Call(_address(row.target), bytes(row.data))
        found[row.proposal] = (*found.get(row.proposal, ()), call)
    return found


def _votes(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[CastVote, ...]]:
    table = vote_table
    query = select(table).where(table.c.proposal.in_(ids)).order_by(table.c.organisation)
    found: dict[int, tuple[CastVote, ...]] = {}
    for row in connection.execute(query):
        choice = Choice(row.choice)
        vote = CastVote(row.organisation, choice, _address(row.by), row.block_number)
        found[row.proposal] = (*found.get(row.proposal, ()), vote)
    return found


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text[2:]))
