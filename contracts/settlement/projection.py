"""Deposits and deals in SQL: the handlers."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Table, delete, insert, select

from contracts.genesis import DEPOSITS_ADDRESS, SETTLEMENT_ADDRESS
from contracts.instruments.columns import hex_of, put
from contracts.instruments.places import place_values
from contracts.instruments.viewer import note_parties
from contracts.settlement.decoding import decode_deposits_log, decode_log
from contracts.settlement.tables import (
    deal_act_table,
    deal_leg_table,
    deal_metadata,
    deal_party_table,
    deal_table,
    deposit_account_table,
    deposit_hold_table,
    deposit_home_table,
    deposit_movement_table,
    deposit_party_table,
    deposit_redemption_table,
    interbank_movement_table,
    interbank_position_table,
    metadata,
)
from contracts.settlement.types import (
    AccountChanged,
    DealActed,
    HomeChosen,
    MovementKind,
    PositionChanged,
    RedemptionState,
)
from ledger.types import Address, CommittedBlock, PlacedLog

_REDEMPTIONS: Final = {
    MovementKind.REDEMPTION_REQUESTED: RedemptionState.REQUESTED,
    MovementKind.REDEEMED: RedemptionState.CONFIRMED,
    MovementKind.REDEMPTION_REFUSED: RedemptionState.REFUSED,
    MovementKind.REDEMPTION_WITHDRAWN: RedemptionState.WITHDRAWN,
}
_HOLDS: Final = (MovementKind.HELD, MovementKind.RELEASED, MovementKind.COLLECTED)


class DepositsHandler:
    """Fills the tables of deposits. Implements `ledger.projection.Handler`."""

    name = "deposits"
    metadata = metadata

    def __init__(self, address: Address = DEPOSITS_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no accounts."""
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        match decode_deposits_log(log.log):
            case AccountChanged() as event:
                _change_account(connection, event, log)
            case PositionChanged() as event:
                _change_position(connection, event, log)
            case HomeChosen(organisation, currency, bank):
                row = {"organisation": organisation, "currency": currency, "bank": bank}
                put(connection, deposit_home_table, row)


class SettlementHandler:
    """Fills the tables of deals, of all versions. Implements `ledger.projection.Handler`."""

    name = "settlement"
    metadata = deal_metadata

    def __init__(self, address: Address = SETTLEMENT_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no deals."""
        for table in reversed(deal_metadata.sorted_tables):
            connection.execute(delete(table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        _act(connection, decode_log(log.log), log)


def _position(connection: Connection, table: Table, key: str, log: PlacedLog) -> int:
    """Of the record: that of the leaf which made it."""
    (primary,) = table.primary_key.columns
    known = select(table.c.position).where(primary == key)
    found: int | None = connection.execute(known).scalar_one_or_none()
    return log.leaf_index if found is None else found


# ---- deposits -----------------------------------------------------------------------------------


def _change_account(connection: Connection, event: AccountChanged, log: PlacedLog) -> None:
    key, account = str(hex_of(event.account)), event.content
    position = _position(connection, deposit_account_table, key, log)
    amounts = {
        "balance": account.balance,
        "set_aside": account.set_aside,
        "held": account.held,
    }
    row = {
        "key": key,
        "position": position,
        "bank": account.bank,
        "owner": account.owner,
        "currency": account.currency,
        "revision": account.revision,
        **amounts,
        **place_values(log),
    }
    put(connection, deposit_account_table, row)
    note_parties(connection, deposit_party_table, key, position, [account.bank, account.owner])
    line = event.movement
    movement = {
        "account": key,
        "id": hex_of(event.id),
        "kind": int(event.kind),
        "by": line.by,
        "amount": line.amount,
        "counterparty": line.counterparty,
        "counterparty_bank": line.counterparty_bank,
        "number": line.number,
        "cause": hex_of(line.cause),
        "rest": line.rest,
        "remark": event.remark,
        **amounts,
        **place_values(log),
    }
    connection.execute(insert(deposit_movement_table).values(movement))
    # A payment to the bank itself is told as redeemed, too; a redemption has no counterparty.
    if event.kind in _REDEMPTIONS and line.counterparty is None:
        _change_redemption(connection, event, log)
    if event.kind in _HOLDS:
        _change_hold(connection, event, log)


def _change_redemption(connection: Connection, event: AccountChanged, log: PlacedLog) -> None:
    id_ = str(hex_of(event.id))
    row = {
        "id": id_,
        "position": _position(connection, deposit_redemption_table, id_, log),
        "account": hex_of(event.account),
        "number": event.movement.number,
        "amount": event.movement.amount,
        "state": int(_REDEMPTIONS[event.kind]),
        "remark": event.remark,
        **place_values(log),
    }
    put(connection, deposit_redemption_table, row)


def _change_hold(connection: Connection, event: AccountChanged, log: PlacedLog) -> None:
    id_, line = str(hex_of(event.id)), event.movement
    row: dict[str, object] = {"id": id_, "held": line.rest, **place_values(log)}
    if event.kind is MovementKind.HELD:
        row |= {
            "position": log.leaf_index,
            "account": hex_of(event.account),
            "by": line.by,
            "cause": hex_of(line.cause),
            "amount": line.amount,
        }
        put(connection, deposit_hold_table, row)
        return
    here = deposit_hold_table.c.id == id_
    connection.execute(deposit_hold_table.update().where(here).values(row))


def _change_position(connection: Connection, event: PositionChanged, log: PlacedLog) -> None:
    between = {"creditor": event.creditor, "debtor": event.debtor, "currency": event.currency}
    amounts = {"claim": event.content.claim, "limit": event.content.limit}
    put(connection, interbank_position_table, {**between, **amounts, **place_values(log)})
    movement = {
        **between,
        **amounts,
        "id": hex_of(event.id),
        "kind": int(event.kind),
        "amount": event.amount,
        "number": event.number,
        "remark": event.remark,
        **place_values(log),
    }
    connection.execute(insert(interbank_movement_table).values(movement))


# ---- deals --------------------------------------------------------------------------------------


def _act(connection: Connection, event: DealActed, log: PlacedLog) -> None:
    key, deal, condition = str(hex_of(event.id)), event.deal, event.deal.condition
    position = _position(connection, deal_table, key, log)
    row = {
        "id": key,
        "position": position,
        "contract": hex_of(log.log.address),
        "number": deal.number,
        "seller": deal.seller,
        "buyer": deal.buyer,
        "seller_bank": deal.seller_bank,
        "buyer_bank": deal.buyer_bank,
        "terms": hex_of(deal.terms),
        "evidence": hex_of(deal.evidence),
        "cancel_asked_by": deal.cancel_asked_by,
        "amount": deal.amount,
        "currency": deal.currency,
        "role": None if deal.role is None else int(deal.role),
        "state": deal.state,
        "expires": deal.expires,
        "revision": deal.revision,
        "condition": int(condition.kind),
        "due": condition.due,
        "deadline": condition.deadline,
        "attestor": condition.attestor,
        "subject": hex_of(condition.subject),
        **place_values(log),
    }
    put(connection, deal_table, row)
    for place, leg in enumerate(deal.legs):
        put(
            connection,
            deal_leg_table,
            {
                "deal": key,
                "place": place,
                "instrument": hex_of(leg.instrument),
                "record": hex_of(leg.id),
                "revision": leg.revision,
            },
        )
    parties = [deal.seller, deal.buyer, deal.seller_bank, deal.buyer_bank, condition.attestor]
    note_parties(connection, deal_party_table, key, position, parties)
    act = {
        "id": key,
        "act": event.act,
        "by": event.by,
        "detail": hex_of(event.detail),
        "remark": event.remark,
        "revision": deal.revision,
        "state": deal.state,
        "buyer": deal.buyer,
        **place_values(log),
    }
    connection.execute(insert(deal_act_table).values(act))
