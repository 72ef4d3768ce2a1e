"""Deposits: accounts, statements, payments, redemptions, holds, and what banks owe each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    HASH,
    ORGANISATION,
    RecordId,
    body_schema,
    hash_of,
    here_or_not_found,
    json_answer,
    listing,
    maybe_hash,
    read_strict,
    valid,
)
from api.acts.deposits import (
    HOLD_ACTS,
    REDEMPTION_ACTS,
    ChooseHome,
    ConfirmSettlement,
    DepositCall,
    Hold,
    Issue,
    NumberedCall,
    Pay,
    RecordCall,
    RequestRedemption,
    SetLimit,
)
from api.auth import Guard
from api.documentation import bearer, problems
from api.errors import NotFound
from api.operations import Call, Done, Operations, answer, change_extra
from api.principals import Principal
from api.routes import deposit_answers as answers
from api.routes.changing import changed
from api.routes.reading import (
    After,
    CurrencyQuery,
    HashQuery,
    Limit,
    OrganisationQuery,
    Reading,
    Seen,
    TimeQuery,
)
from api.services import Services
from api.shapes import HASH_TEXT, TEXT, list_shape, object_shape, page_shape
from contracts.genesis import DEPOSITS_ADDRESS
from contracts.instruments import Viewer
from contracts.instruments.pages import LIMIT_DEFAULT, LIMIT_MAX
from contracts.settlement import (
    AccountQuery,
    MovementKind,
    MovementQuery,
    RedemptionState,
    StoredAccount,
    StoredRedemption,
    account_key,
    find_account,
    find_hold,
    find_home,
    find_redemption,
    list_accounts,
    list_holds,
    list_interbank,
    list_movements,
    list_positions,
    list_redemptions,
    payment_id,
)
from ledger.projection import read_transaction
from ledger.types import Hash32

READ: Final = "settlement:read"
WRITE: Final = "settlement:write"

_KindWord = Literal[
    "opened",
    "issued",
    "redemption-requested",
    "redeemed",
    "redemption-refused",
    "redemption-withdrawn",
    "sent",
    "received",
    "set-aside",
    "given-back",
    "held",
    "released",
    "collected",
]
_StateWord = Literal["requested", "confirmed", "refused", "withdrawn"]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /deposits; those that change something where this node sends for members."""
    routes = APIRouter(tags=["deposits"])
    accounts = Reading(
        routes, services, guard, "/deposits", "account", "Deposit", READ, find_account
    )
    redemptions = Reading(
        routes,
        services,
        guard,
        "/deposits/redemptions",
        "redemption",
        "Redemption",
        READ,
        find_redemption,
    )
    _add_movements(accounts)
    _add_redemptions(redemptions)
    _add_between(accounts)
    _add_homes(routes, accounts)
    if services.operations is not None:
        _add_making(routes, services, guard, services.operations)
        for kind, acts in (("redemption", REDEMPTION_ACTS), ("hold", HOLD_ACTS)):
            for name, model in acts.items():
                _add_record_act(routes, services, guard, services.operations, kind, name, model)
    _add_accounts(accounts)
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_accounts(accounts: Reading[StoredAccount]) -> None:
    @accounts.get_list(
        "listDeposits",
        summary="Accounts of your organisation, and for a bank those of its customers",
        description="Newest first. `free` is what may go out now.",
        shape=page_shape("accounts", answers.ACCOUNT),
    )
    async def list_all(
        request: Request,
        bank: OrganisationQuery = None,
        owner: OrganisationQuery = None,
        currency: CurrencyQuery = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        query = AccountQuery(bank, owner, currency, after, limit)
        return await accounts.listed(
            request, list_accounts, query, answers.account_body, "accounts"
        )

    def body(seen: Seen[StoredAccount]) -> dict[str, Any]:
        holds = list_holds(seen.connection, seen.id, seen.viewer, limit=LIMIT_MAX)
        shown = [answers.hold_body(hold) for hold in holds]
        return answers.account_body(seen.record) | {"holds": shown}

    @accounts.get(
        "",
        summary="An account as it is now, with the holds on it, newest first",
        shape=answers.ACCOUNT_WITH_HOLDS,
    )
    async def get_one(request: Request, record: RecordId) -> Response:
        return await accounts.record(request, record, body, lambda stored: stored.account.revision)


def _add_movements(accounts: Reading[StoredAccount]) -> None:
    @accounts.get_list(
        "listDepositMovements",
        part="movements",
        summary="Lines of the statements of accounts that you may see, oldest first",
        description="Each with what it left behind, and where its proof is.",
        shape=page_shape("movements", answers.MOVEMENT),
    )
    async def list_all(
        request: Request,
        account: HashQuery = None,
        bank: OrganisationQuery = None,
        owner: OrganisationQuery = None,
        currency: CurrencyQuery = None,
        payment: Annotated[
            str | None,
            Query(pattern=HASH, description="id of a payment, redemption, hold or deal"),
        ] = None,
        cause: Annotated[
            str | None,
            Query(pattern=HASH, description="the receivable, deal, loan or decision it was for"),
        ] = None,
        kind: Annotated[list[_KindWord] | None, Query(max_length=len(MovementKind))] = None,
        since: TimeQuery = None,
        until: TimeQuery = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        query = MovementQuery(
            account=maybe_hash(account),
            bank=bank,
            owner=owner,
            currency=currency,
            id=maybe_hash(payment),
            cause=maybe_hash(cause),
            kinds=None if kind is None else tuple(MovementKind[_name(one)] for one in kind),
            since=since,
            until=until,
            after=after,
            limit=limit,
        )
        return await accounts.listed(
            request, list_movements, query, answers.movement_body, "movements"
        )


def _add_redemptions(redemptions: Reading[StoredRedemption]) -> None:
    @redemptions.get_list(
        "listRedemptions",
        summary="What owners have asked their banks to pay out, newest first",
        shape=page_shape("redemptions", answers.REDEMPTION),
    )
    async def list_all(
        request: Request,
        account: HashQuery = None,
        state: Annotated[list[_StateWord] | None, Query(max_length=len(RedemptionState))] = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        of = maybe_hash(account)
        states = None if state is None else tuple(RedemptionState[_name(one)] for one in state)

        def found(connection: Connection, viewer: Viewer) -> dict[str, Any]:
            page = list_redemptions(
                connection, viewer, account=of, states=states, after=after, limit=limit
            )
            return listing("redemptions", page, answers.redemption_body)

        return await redemptions.ask(request, found)

    redemptions.add_record(
        lambda seen: answers.redemption_body(seen.record),
        summary="A redemption as it is now",
        shape=answers.REDEMPTION,
    )


def _add_between(accounts: Reading[StoredAccount]) -> None:
    @accounts.get_list(
        "listInterbankPositions",
        part="interbank",
        summary="What banks owe each other, and up to which limit; for a bank its own",
        shape=object_shape(positions=list_shape(answers.POSITION)),
    )
    async def list_standing(
        request: Request, bank: OrganisationQuery = None, currency: CurrencyQuery = None
    ) -> Response:
        def found(connection: Connection, viewer: Viewer) -> dict[str, Any]:
            positions = list_positions(connection, viewer, bank=bank, currency=currency)
            return {"positions": [answers.position_body(one) for one in positions]}

        return await accounts.ask(request, found)

    @accounts.get_list(
        "listInterbankMovements",
        part="interbank/movements",
        summary="Limits, claims and settlements between banks, oldest first",
        shape=page_shape("movements", answers.INTERBANK_MOVEMENT),
    )
    async def list_changes(
        request: Request,
        currency: CurrencyQuery = None,
        since: TimeQuery = None,
        until: TimeQuery = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        def found(connection: Connection, viewer: Viewer) -> dict[str, Any]:
            page = list_interbank(
                connection,
                viewer,
                currency=currency,
                since=since,
                until=until,
                after=after,
                limit=limit,
            )
            return listing("movements", page, answers.interbank_body)

        return await accounts.ask(request, found)


_HOME: Final = object_shape(organisation=TEXT, currency=TEXT, bank=TEXT)


def _add_homes(routes: APIRouter, accounts: Reading[StoredAccount]) -> None:
    @routes.get(
        "/deposits/homes/{organisation}/{currency}",
        operation_id="getHomeBank",
        summary="Where a member wants to be paid; all members see it",
        response_class=Response,
        responses={**json_answer(_HOME), **problems(400, 401, 403, 404)},
        openapi_extra=bearer(READ),
    )
    async def get_home(
        request: Request,
        organisation: Annotated[str, Path(pattern=ORGANISATION)],
        currency: Annotated[str, Path(pattern="^[A-Z]{3}$")],
    ) -> Response:
        def found(connection: Connection, viewer: Viewer) -> dict[str, Any]:
            bank = find_home(connection, organisation, currency, viewer)
            if bank is None:
                raise NotFound(f"{organisation} has not said where to be paid in {currency}")
            return {"organisation": organisation, "currency": currency, "bank": bank}

        return await accounts.ask(request, found)


# ---- acting -------------------------------------------------------------------------------------

_Named = Callable[[DepositCall, Principal, int], str]


def _add_making(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations
) -> None:
    """What makes something: path, body, and where it is found afterwards."""
    made: tuple[tuple[str, str, type[DepositCall], _Named | None], ...] = (
        ("/deposits", "issueDeposit", Issue, _account_of),
        ("/deposits/payments", "payDeposit", Pay, None),
        ("/deposits/redemptions", "requestRedemption", RequestRedemption, _redemption_of),
        ("/deposits/homes", "chooseHomeBank", ChooseHome, None),
        ("/deposits/interbank/limits", "setInterbankLimit", SetLimit, None),
        ("/deposits/interbank/settlements", "confirmInterbank", ConfirmSettlement, None),
        ("/deposits/holds", "holdDeposit", Hold, None),
    )
    for path, operation_id, model, named in made:
        _add_call(routes, services, guard, operations, path, operation_id, model, named)


def _account_of(body: DepositCall, principal: Principal, chain_id: int) -> str:
    del chain_id
    assert isinstance(body, Issue)
    return f"/deposits/0x{account_key(principal.organisation, body.currency, body.to).hex()}"


def _redemption_of(body: DepositCall, principal: Principal, chain_id: int) -> str:
    assert isinstance(body, RequestRedemption)
    id_ = payment_id(chain_id, principal.organisation, body.number)
    return f"/deposits/redemptions/0x{id_.hex()}"


def _add_call(
    routes: APIRouter,
    services: Services,
    guard: Guard,
    operations: Operations,
    path: str,
    operation_id: str,
    model: type[DepositCall],
    named: _Named | None,
) -> None:
    chain_id, timeout_s = services.ledger.chain_id, services.settings.body_timeout_s

    async def post_call(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        body, raw = await read_strict(request, model, timeout_s=timeout_s)
        with valid():
            data = body.calldata()
            where = None if named is None else named(body, principal, chain_id)
        call = Call("deposits", DEPOSITS_ADDRESS, data, body.act, body.words())

        def more(done: Done) -> Mapping[str, Any]:
            told = answers.told(principal, done)
            if isinstance(body, NumberedCall):
                id_ = payment_id(chain_id, principal.organisation, body.number)
                return {"payment": f"0x{id_.hex()}", **told}
            return told

        location = None if where is None else lambda _: where
        return await answer(request, operations, principal, call, raw, more=more, location=location)

    more_told = {"payment": HASH_TEXT} if issubclass(model, NumberedCall) else {}
    shape = object_shape(**more_told, **answers.CHANGED)
    routes.add_api_route(
        path,
        post_call,
        methods=["POST"],
        name=model.act,
        operation_id=operation_id,
        summary=_summary(model),
        response_class=Response,
        responses=changed(shape, created=named is not None),
        openapi_extra=change_extra(**bearer(WRITE), **body_schema(model)),
    )


def _add_record_act(
    routes: APIRouter,
    services: Services,
    guard: Guard,
    operations: Operations,
    kind: str,
    name: str,
    model: type[RecordCall],
) -> None:
    def made(principal: Principal, id_: Hash32, body: RecordCall) -> Call:
        text = f"0x{id_.hex()}"
        find = find_redemption if kind == "redemption" else find_hold
        with read_transaction(services.engine) as connection:
            here_or_not_found(find(connection, id_, principal.viewer), kind, text)
        with valid():
            data = body.calldata(id_)
        return Call("deposits", DEPOSITS_ADDRESS, data, f"{name}-{kind}", body.words(text), text)

    async def post_act(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, WRITE, instrument=record)
        timeout_s = services.settings.body_timeout_s
        body, raw = await read_strict(request, model, timeout_s=timeout_s)
        call = await run_in_threadpool(made, principal, hash_of(record), body)
        more = partial(answers.told, principal)
        return await answer(request, operations, principal, call, raw, more=more)

    routes.add_api_route(
        f"/deposits/{kind}s/{{id}}/{name}",
        post_act,
        methods=["POST"],
        name=f"{name}-{kind}",
        operation_id=f"{name}{kind.capitalize()}",
        summary=_summary(model),
        response_class=Response,
        responses=changed(object_shape(**answers.CHANGED)),
        openapi_extra=change_extra(
            **bearer(WRITE),
            **body_schema(
                model, required=any(f.is_required() for f in model.model_fields.values())
            ),
        ),
    )


def _summary(model: type[DepositCall] | type[RecordCall]) -> str:
    return str(model.__doc__).partition("\n")[0].rstrip(".")


def _name(word: str) -> str:
    return word.upper().replace("-", "_")
