"""Logs and records of the contracts Deposits and Settlement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from contracts.consortium import Role, organisation_id_text
from contracts.events import LogDecoder, Values, address_of
from contracts.instruments import load_machine
from contracts.instruments.records import (
    code_text,
    hash_of,
    members_of,
    named,
    organisation_of,
    struct,
)
from contracts.settlement.genesis import DEPOSITS_ARTIFACT, SETTLEMENT_ARTIFACT
from contracts.settlement.types import (
    Account,
    AccountChanged,
    Condition,
    ConditionKind,
    Deal,
    DealActed,
    DepositEvent,
    Hold,
    HomeChosen,
    Leg,
    Movement,
    MovementKind,
    Position,
    PositionChanged,
    PositionKind,
    Redemption,
    RedemptionState,
)
from ledger.types import Hash32, Log

MACHINE: Final = load_machine("contracts.settlement")
STATES: Final = MACHINE.states
ACTS: Final = tuple(act.name for act in MACHINE.acts)

_ACCOUNT: Final = members_of(DEPOSITS_ARTIFACT, "AccountChanged", "content")
_MOVEMENT: Final = members_of(DEPOSITS_ARTIFACT, "AccountChanged", "movement")
_POSITION: Final = members_of(DEPOSITS_ARTIFACT, "PositionChanged", "content")
_DEAL: Final = members_of(SETTLEMENT_ARTIFACT, "DealActed", "deal")
_REDEMPTION: Final = ("account", "number", "amount", "state")
_HOLD: Final = ("account", "by", "cause", "amount")
_CONDITION: Final = ("kind", "due", "deadline", "attestor", "subject")
_LEG: Final = ("instrument", "revision", "id")


def decode_deposits_log(log: Log) -> DepositEvent:
    """The event in a log of Deposits. Raises `LogError` where it is none of its events."""
    return _DEPOSIT_EVENTS.decode(log)


def decode_log(log: Log) -> DealActed:
    """The event in a log of Settlement. Raises `LogError` where it is none of its events."""
    return _DEAL_EVENTS.decode(log)


# ---- records ------------------------------------------------------------------------------------
# All raise `ContractError` or `ValueError` for what the contracts do not keep.


def account_of(found: Sequence[Any]) -> Account:
    """An account out of its struct."""
    values = struct(_ACCOUNT, found)
    return Account(
        bank=organisation_id_text(values["bank"]),
        owner=organisation_id_text(values["owner"]),
        currency=code_text(values["currency"]),
        balance=values["balance"],
        set_aside=values["setAside"],
        held=values["held"],
        revision=values["revision"],
    )


def redemption_of(found: Sequence[Any]) -> Redemption:
    """A redemption out of its struct."""
    values = struct(_REDEMPTION, found)
    state = RedemptionState(values["state"])
    return Redemption(Hash32(values["account"]), _number(values), values["amount"], state)


def hold_of(found: Sequence[Any]) -> Hold:
    """A hold out of its struct."""
    values = struct(_HOLD, found)
    by = organisation_id_text(values["by"])
    return Hold(Hash32(values["account"]), by, hash_of(values["cause"]), values["amount"])


def deal_of(found: Sequence[Any]) -> Deal:
    """A deal out of its struct."""
    values = struct(_DEAL, found)
    return Deal(
        number=code_text(values["number"]),
        seller=organisation_id_text(values["seller"]),
        buyer=organisation_of(values["buyer"]),
        seller_bank=organisation_id_text(values["sellerBank"]),
        buyer_bank=organisation_of(values["buyerBank"]),
        terms=hash_of(values["terms"]),
        evidence=hash_of(values["evidence"]),
        cancel_asked_by=organisation_of(values["cancelAskedBy"]),
        amount=values["amount"],
        currency=code_text(values["currency"]),
        role=Role(values["role"]) if values["role"] else None,
        state=named(STATES, values["state"], "state"),
        expires=values["expires"],
        revision=values["revision"],
        condition=_condition(values["condition"]),
        legs=tuple(_leg(leg) for leg in values["legs"]),
    )


def _condition(found: Sequence[Any]) -> Condition:
    values = struct(_CONDITION, found)
    return Condition(
        kind=ConditionKind(values["kind"]),
        due=values["due"],
        deadline=values["deadline"],
        attestor=organisation_of(values["attestor"]),
        subject=hash_of(values["subject"]),
    )


def _leg(found: Sequence[Any]) -> Leg:
    values = struct(_LEG, found)
    return Leg(address_of(values["instrument"]), Hash32(values["id"]), values["revision"])


def _number(values: Values) -> str | None:
    return code_text(values["number"]) if any(values["number"]) else None


# ---- events -------------------------------------------------------------------------------------


def _account_changed(values: Values) -> DepositEvent:
    line = struct(_MOVEMENT, values["movement"])
    movement = Movement(
        by=organisation_id_text(line["by"]),
        amount=line["amount"],
        counterparty=organisation_of(line["counterparty"]),
        counterparty_bank=organisation_of(line["counterpartyBank"]),
        number=_number(line),
        cause=hash_of(line["cause"]),
        rest=line["rest"],
    )
    return AccountChanged(
        account=Hash32(values["account"]),
        id=hash_of(values["id"]),
        kind=MovementKind(values["kind"]),
        content=account_of(values["content"]),
        movement=movement,
        remark=values["remark"],
    )


def _position_changed(values: Values) -> DepositEvent:
    content = struct(_POSITION, values["content"])
    return PositionChanged(
        creditor=organisation_id_text(values["creditor"]),
        debtor=organisation_id_text(values["debtor"]),
        id=hash_of(values["id"]),
        kind=PositionKind(values["kind"]),
        currency=code_text(values["currency"]),
        content=Position(content["claim"], content["limit"]),
        amount=values["amount"],
        number=_number(values),
        remark=values["remark"],
    )


def _home_chosen(values: Values) -> DepositEvent:
    return HomeChosen(
        organisation_id_text(values["organisation"]),
        code_text(values["currency"]),
        organisation_id_text(values["bank"]),
    )


def _acted(values: Values) -> DealActed:
    return DealActed(
        id=Hash32(values["id"]),
        by=organisation_id_text(values["by"]),
        act=named(ACTS, values["act"], "act"),
        deal=deal_of(values["deal"]),
        detail=hash_of(values["detail"]),
        remark=values["remark"],
    )


_DEPOSIT_EVENTS: Final = LogDecoder[DepositEvent](
    DEPOSITS_ARTIFACT,
    AccountChanged=_account_changed,
    PositionChanged=_position_changed,
    HomeChosen=_home_chosen,
)
_DEAL_EVENTS: Final = LogDecoder[DealActed](SETTLEMENT_ARTIFACT, DealActed=_acted)
