"""Applying for a loan, and every act on it: the act says which contract is called."""

from __future__ import annotations

from functools import partial
from typing import Final

from fastapi import APIRouter
from sqlalchemy import Connection

from api.acts.common import (
    hash_of,
    here_or_not_found,
    valid,
)
from api.acts.loan_requests import ApplicationBody, Invitation
from api.acts.loans import APPLICATION_ACTS, ASSETS_MAX, LOAN_ACTS, LoanAct, LoanTarget
from api.auth import Guard
from api.errors import Unprocessable
from api.operations import Call, Operations
from api.operations.refusing import refused_as
from api.principals import Principal
from api.routes.acting import find_instrument
from api.routes.changing import Changing, who_may
from api.routes.loan_answers import Line, told
from api.routes.loan_shapes import CHANGED
from api.services import Services
from contracts.financing import (
    MACHINE,
    apply_calldata,
    find_application,
    find_loan,
    find_rate_table,
    loan_id,
)
from contracts.instruments import Viewer
from contracts.pledges import pledge_assets
from ledger.projection import read_transaction
from ledger.types import Address, Hash32

BEFORE: Final = frozenset({"applied", "accepted", "withdrawn", "lapsed"})
"""States of applications; the others are of loans that were paid out."""
READ: Final = "financing:read"
WRITE: Final = "financing:write"


def look_up_line(connection: Connection, id_: Hash32, viewer: Viewer) -> Line | None:
    """An application and its loan, or None where there is none that may be seen."""
    asked = find_application(connection, id_, viewer)
    return None if asked is None else Line(asked, find_loan(connection, id_, viewer))


# ---- applying -----------------------------------------------------------------------------------


def add_changes(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations
) -> None:
    """`POST /loans`, and `POST /loans/{id}/<act>` for each act of the table that members do."""
    changes = Changing(
        routes,
        services,
        guard,
        operations,
        "/loans",
        "loan",
        WRITE,
        lambda principal, id_, done: told(id_, principal.viewer, done),
        shape=CHANGED,
    )
    _add_application(changes)
    for name, model in {**APPLICATION_ACTS, **LOAN_ACTS}.items():
        call = partial(_act, services, operations, name)
        changes.add_act(name, model, call, description=f"{who_may(MACHINE, name)}.")


def _add_application(changes: Changing) -> None:
    services, operations = changes.services, changes.operations

    def made(principal: Principal, revision: int, body: ApplicationBody) -> tuple[Call, Hash32]:
        to, borrower = operations.place("applications"), principal.organisation
        asset = hash_of(body.instrument)
        with valid(), read_transaction(services.engine) as connection:
            contract, seen = find_instrument(connection, asset, principal.viewer)
            banks = [(one.bank, _version(connection, one, body)) for one in body.banks]
            request = body.request(contract, revision or seen)
            data = apply_calldata(request, banks, body.remark)
            id_ = loan_id(services.ledger.chain_id, borrower, body.number, to)
        return Call("applications", to, data, "apply", body.words()), id_

    changes.add_making(
        "",
        ApplicationBody,
        made,
        operation_id="applyForLoan",
        summary="Apply to one or several banks for a loan; the holder of the security",
        description=(
            "At the rate of the bank's own table (`tiered`), less what the customer's points take "
            "off (`contribution`), or by sealed quotes (`market`). The instrument must stay as it "
            "is until payout."
        ),
        revised=True,
    )


def _version(connection: Connection, one: Invitation, body: ApplicationBody) -> int:
    """Of the bank's table that counts. Raises `Unprocessable` where it has none."""
    if one.table_version is not None or body.is_market:
        return one.table_version or 0
    found = find_rate_table(connection, one.bank, body.currency)
    if found is None:
        raise Unprocessable(
            f"{one.bank} has published no rate table for {body.currency}: only sealed quotes "
            "(mode market) are possible"
        )
    return found.table.version


# ---- acting -------------------------------------------------------------------------------------


def _act(
    services: Services,
    operations: Operations,
    name: str,
    principal: Principal,
    id_: Hash32,
    revision: int,
    body: LoanAct,
) -> Call:
    with read_transaction(services.engine) as connection:
        found = look_up_line(connection, id_, principal.viewer)
        line = here_or_not_found(found, "loan", f"0x{id_.hex()}")
        covered = _covered(connection, line, principal.viewer)
    contract, to = _place(operations, line, name)
    asset = line.asked.application.request.asset
    origin = services.ledger.origin
    on = LoanTarget(principal.organisation, id_, revision, origin, asset, covered)
    with valid():
        data = body.calldata(on)
    return Call(contract, to, data, name, body.words(on), on.text)


def _place(operations: Operations, line: Line, act: str) -> tuple[str, Address]:
    """Contract of an act, by name and place: payout goes to the Financing of today, what comes
    after it to that which has paid out. Raises `Refused` where the record is on the other side."""
    asked, loan = line.asked, line.loan
    paid_out = asked.state not in BEFORE
    if act in APPLICATION_ACTS and not paid_out:
        return "applications", asked.contract
    if act == "draw-down" and not paid_out:
        return "financing", operations.place("financing")
    if act in LOAN_ACTS and act != "draw-down" and paid_out:
        return "financing", here_or_not_found(loan, "loan", f"0x{asked.id.hex()}").contract
    state = asked.state if loan is None else loan.state
    words = f"{act} is not possible while 0x{asked.id.hex()} is {state}"
    raise refused_as("WrongState", words)


def _covered(connection: Connection, line: Line, viewer: Viewer) -> tuple[Hash32, ...]:
    if line.loan is None or line.loan.loan.pledge is None:
        return ()
    return tuple(pledge_assets(connection, line.loan.loan.pledge, viewer, limit=ASSETS_MAX))
