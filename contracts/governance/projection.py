"""Proposals, votes, weights and thresholds in SQL: the handler."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, update

from contracts.genesis import GOVERNANCE_ADDRESS
from contracts.governance.binding import decode_log
from contracts.governance.tables import (
    metadata,
    proposal_call_table,
    proposal_table,
    threshold_table,
    vote_table,
    voter_table,
)
from contracts.governance.types import (
    TWO_THIRDS,
    DefaultThresholdChanged,
    GovernanceEvent,
    ProposalExecuted,
    ProposalMade,
    ProposalWithdrawn,
    State,
    Threshold,
    ThresholdChanged,
    Voted,
    VotesChanged,
)
from ledger.types import Address, CommittedBlock, PlacedLog

DEFAULT_KEY = ("", "")


class GovernanceHandler:
    """Fills the tables. Implements `ledger.projection.Handler`."""

    name = "governance"
    metadata = metadata

    def __init__(self, votes: Mapping[str, int], address: Address = GOVERNANCE_ADDRESS) -> None:
        """`votes` are the weights of the ledger's genesis (`founding_votes_of`)."""
        self.address = address
        self._votes = dict(votes)

    def reset(self, connection: Connection) -> None:
        """Back to genesis: the founders' weights, and nothing proposed."""
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
        for organisation, votes in self._votes.items():
            _set_votes(connection, organisation, votes)
        _set_threshold(connection, DEFAULT_KEY, TWO_THIRDS)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        _apply(connection, decode_log(log.log), log)


def _apply(connection: Connection, event: GovernanceEvent, log: PlacedLog) -> None:
    match event:
        case ProposalMade():
            _add_proposal(connection, event, log)
        case Voted():
            _vote(connection, event, log)
        case ProposalExecuted(id_):
            _decide(connection, id_, State.EXECUTED, log)
        case ProposalWithdrawn(id_):
            _decide(connection, id_, State.WITHDRAWN, log)
        case VotesChanged(organisation, votes):
            _set_votes(connection, organisation, votes)
        case DefaultThresholdChanged(threshold):
            _set_threshold(connection, DEFAULT_KEY, threshold)
        case ThresholdChanged(target, selector, threshold):
            _set_threshold(connection, (_hex(target), _hex(selector)), threshold)


def _add_proposal(connection: Connection, event: ProposalMade, log: PlacedLog) -> None:
    connection.execute(
        insert(proposal_table).values(
            id=event.id,
            organisation=event.organisation,
            by=_hex(event.by),
            text=event.text.replace("\0", "\ufffd"),  # PostgreSQL has no NUL in texts
            block_number=log.block_number,
            created=log.block_time,
            expires=event.expires,
            transaction_hash=_hex(log.transaction_hash),
        )
    )
    for index, call in enumerate(event.calls):
        connection.execute(
            insert(proposal_call_table).values(
                proposal=event.id, position=index, target=_hex(call.target), data=call.data
            )
        )


def _vote(connection: Connection, event: Voted, log: PlacedLog) -> None:
    table = vote_table
    here = (table.c.proposal == event.id) & (table.c.organisation == event.organisation)
    connection.execute(delete(table).where(here))
    connection.execute(
        insert(table).values(
            proposal=event.id,
            organisation=event.organisation,
            choice=int(event.choice),
            by=_hex(event.by),
            block_number=log.block_number,
        )
    )


def _decide(connection: Connection, proposal: int, state: State, log: PlacedLog) -> None:
    connection.execute(
        update(proposal_table)
        .where(proposal_table.c.id == proposal)
        .values(decided=int(state), decided_block=log.block_number)
    )


def _set_votes(connection: Connection, organisation: str, votes: int) -> None:
    connection.execute(delete(voter_table).where(voter_table.c.organisation == organisation))
    if votes:
        connection.execute(insert(voter_table).values(organisation=organisation, votes=votes))


def _set_threshold(
    connection: Connection, key: tuple[str, str], threshold: Threshold | None
) -> None:
    table = threshold_table
    connection.execute(
        delete(table).where((table.c.target == key[0]) & (table.c.selector == key[1]))
    )
    if threshold is not None:
        connection.execute(
            insert(table).values(
                target=key[0],
                selector=key[1],
                numerator=threshold.numerator,
                denominator=threshold.denominator,
            )
        )


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
