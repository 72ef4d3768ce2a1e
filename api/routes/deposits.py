"""Deposits: accounts, statements, payments, redemptions, holds, and what banks owe each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    HASH,
    JSON_ANSWER,
    ORGANISATION,
    UINT48_MAX,
    RecordId,
    body_schema,
    hash_of,
    here_or_not_found,
    listing,
    page_answer,
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
from api.documentation import BEARER, problems
from api.errors import NotFound
from api.formats import json_response
from api.operations import Call, Done, Operations, answer, change_extra, change_responses
from api.principals import Principal
from api.routes import deposit_answers as answers
from api.schemas import DoneAnswer
from api.services import Services
from contracts.genesis import DEPOSITS_ADDRESS
from contracts.instruments import Viewer
from contracts.instruments.pages import LIMIT_DEFAULT, LIMIT_MAX
from contracts.settlement import (
    AccountQuery,
    MovementKind,
    MovementQuery,
    RedemptionState,
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

_Organisation = Annotated[str | None, Query(pattern=ORGANISATION)]
_Currency = Annotated[str | None, Query(pattern="^[A-Z]{3}$")]
_Hash = Annotated[str | None, Query(pattern=HASH)]
_Time = Annotated[int | None, Query(ge=0, le=UINT48_MAX, description="Unix seconds")]
_After = Annotated[str | None, Query(max_length=40)]
_Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
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
    _add_movements(routes, services, guard)
    _add_redemptions(routes, services, guard)
    _add_between(routes, services, guard)
    _add_homes(routes, services, guard)
    if services.operations is not None:
        _add_making(routes, services, guard, services.operations)
        for kind, acts in (("redemption", REDEMPTION_ACTS), ("hold", HOLD_ACTS)):
            for name, model in acts.items():
                _add_record_act(routes, services, guard, services.operations, kind, name, model)
    _add_accounts(routes, services, guard)
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_accounts(routes: APIRouter, services: Services, guard: Guard) -> None:
    def find(query: AccountQuery, viewer: Viewer) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            page = list_accounts(connection, query, viewer)
            return listing("accounts", page, answers.account_body)

    def one(key: Hash32, viewer: Viewer) -> tuple[dict[str, Any], int]:
        with read_transaction(services.engine) as connection:
            found = find_account(connection, key, viewer)
            stored = here_or_not_found(found, "account", f"0x{key.hex()}")
            holds = list_holds(connection, key, viewer, limit=LIMIT_MAX)
        body = answers.account_body(stored)
        return body | {"holds": [answers.hold_body(hold) for hold in holds]}, (
            stored.account.revision
        )

    @routes.get(
        "/deposits",
        operation_id="listDeposits",
        summary="Accounts of your organisation, and for a bank those of its customers",
        description="Newest first. `free` is what may go out now.",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403)},
        openapi_extra=BEARER,
    )
    async def list_all(
        request: Request,
        bank: _Organisation = None,
        owner: _Organisation = None,
        currency: _Currency = None,
        after: _After = None,
        limit: _Limit = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ)
        query = AccountQuery(bank, owner, currency, after, limit)
        return page_answer(await run_in_threadpool(find, query, principal.viewer))

    @routes.get(
        "/deposits/{id}",
        operation_id="getDeposit",
        summary="An account as it is now, with the holds on it, newest first",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_one(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        body, revision = await run_in_threadpool(one, hash_of(record), principal.viewer)
        return json_response(body, cache="no-cache", headers={"ETag": f'"{revision}"'})


def _add_movements(routes: APIRouter, services: Services, guard: Guard) -> None:
    def find(query: MovementQuery, viewer: Viewer) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            page = list_movements(connection, query, viewer)
            return listing("movements", page, answers.movement_body)

    @routes.get(
        "/deposits/movements",
        operation_id="listDepositMovements",
        summary="Lines of the statements of accounts that you may see, oldest first",
        description="Each with what it left behind, and where its proof is.",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403)},
        openapi_extra=BEARER,
    )
    async def list_all(
        request: Request,
        account: _Hash = None,
        bank: _Organisation = None,
        owner: _Organisation = None,
        currency: _Currency = None,
        payment: Annotated[
            str | None,
            Query(pattern=HASH, description="id of a payment, redemption, hold or deal"),
        ] = None,
        cause: Annotated[
            str | None,
            Query(pattern=HASH, description="the receivable, deal, loan or decision it was for"),
        ] = None,
        kind: Annotated[list[_KindWord] | None, Query(max_length=len(MovementKind))] = None,
        since: _Time = None,
        until: _Time = None,
        after: _After = None,
        limit: _Limit = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ)
        query = MovementQuery(
            account=_maybe(account),
            bank=bank,
            owner=owner,
            currency=currency,
            id=_maybe(payment),
            cause=_maybe(cause),
            kinds=None if kind is None else tuple(MovementKind[_name(one)] for one in kind),
            since=since,
            until=until,
            after=after,
            limit=limit,
        )
        return page_answer(await run_in_threadpool(find, query, principal.viewer))


def _add_redemptions(routes: APIRouter, services: Services, guard: Guard) -> None:
    def find(
        viewer: Viewer,
        account: Hash32 | None,
        states: tuple[RedemptionState, ...] | None,
        after: str | None,
        limit: int,
    ) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            page = list_redemptions(
                connection, viewer, account=account, states=states, after=after, limit=limit
            )
            return listing("redemptions", page, answers.redemption_body)

    def one(id_: Hash32, viewer: Viewer) -> dict[str, Any]:
        with read_transaction(services.engine) as connection:
            found = find_redemption(connection, id_, viewer)
        stored = here_or_not_found(found, "redemption", f"0x{id_.hex()}")
        return answers.redemption_body(stored)

    @routes.get(
        "/deposits/redemptions",
        operation_id="listRedemptions",
        summary="What owners have asked their banks to pay out, newest first",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403)},
        openapi_extra=BEARER,
    )
    async def list_all(
        request: Request,
        account: _Hash = None,
        state: Annotated[list[_StateWord] | None, Query(max_length=len(RedemptionState))] = None,
        after: _After = None,
        limit: _Limit = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ)
        states = None if state is None else tuple(RedemptionState[_name(one)] for one in state)
        found = await run_in_threadpool(
            find, principal.viewer, _maybe(account), states, after, limit
        )
        return page_answer(found)

    @routes.get(
        "/deposits/redemptions/{id}",
        operation_id="getRedemption",
        summary="A redemption as it is now",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_one(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        return page_answer(await run_in_threadpool(one, hash_of(record), principal.viewer))


def _add_between(routes: APIRouter, services: Services, guard: Guard) -> None:
    def stand(viewer: Viewer, bank: str | None, currency: str | None) -> dict[str, Any]:
        with read_transaction(services.engine) as connection:
            found = list_positions(connection, viewer, bank=bank, currency=currency)
        return {"positions": [answers.position_body(one) for one in found]}

    def changes(viewer: Viewer, **wanted: Any) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            page = list_interbank(connection, viewer, **wanted)
            return listing("movements", page, answers.interbank_body)

    @routes.get(
        "/deposits/interbank",
        operation_id="listInterbankPositions",
        summary="What banks owe each other, and up to which limit; for a bank its own",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403)},
        openapi_extra=BEARER,
    )
    async def list_standing(
        request: Request, bank: _Organisation = None, currency: _Currency = None
    ) -> Response:
        principal = guard.principal(request, READ)
        return page_answer(await run_in_threadpool(stand, principal.viewer, bank, currency))

    @routes.get(
        "/deposits/interbank/movements",
        operation_id="listInterbankMovements",
        summary="Limits, claims and settlements between banks, oldest first",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403)},
        openapi_extra=BEARER,
    )
    async def list_changes(
        request: Request,
        currency: _Currency = None,
        since: _Time = None,
        until: _Time = None,
        after: _After = None,
        limit: _Limit = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ)
        found = partial(
            changes, currency=currency, since=since, until=until, after=after, limit=limit
        )
        return page_answer(await run_in_threadpool(found, principal.viewer))


def _add_homes(routes: APIRouter, services: Services, guard: Guard) -> None:
    def find(organisation: str, currency: str, viewer: Viewer) -> dict[str, Any]:
        with read_transaction(services.engine) as connection:
            bank = find_home(connection, organisation, currency, viewer)
        if bank is None:
            raise NotFound(f"{organisation} has not said where to be paid in {currency}")
        return {"organisation": organisation, "currency": currency, "bank": bank}

    @routes.get(
        "/deposits/homes/{organisation}/{currency}",
        operation_id="getHomeBank",
        summary="Where a member wants to be paid; all members see it",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_home(
        request: Request,
        organisation: Annotated[str, Path(pattern=ORGANISATION)],
        currency: Annotated[str, Path(pattern="^[A-Z]{3}$")],
    ) -> Response:
        principal = guard.principal(request, READ)
        found = await run_in_threadpool(find, organisation, currency, principal.viewer)
        return page_answer(found)


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

    routes.add_api_route(
        path,
        post_call,
        methods=["POST"],
        name=model.act,
        operation_id=operation_id,
        summary=_summary(model),
        response_class=Response,
        responses=change_responses(DoneAnswer, created=named is not None),
        openapi_extra=change_extra(**body_schema(model)),
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
        responses=change_responses(DoneAnswer),
        openapi_extra=change_extra(
            **body_schema(model, required=any(f.is_required() for f in model.model_fields.values()))
        ),
    )


def _summary(model: type[DepositCall] | type[RecordCall]) -> str:
    return str(model.__doc__).partition("\n")[0].rstrip(".")


def _maybe(text: str | None) -> Hash32 | None:
    return None if text is None else hash_of(text)


def _name(word: str) -> str:
    return word.upper().replace("-", "_")
