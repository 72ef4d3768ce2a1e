"""Webhooks of an organisation: make, read, test, resume, replay, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import anyio
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.auth import Guard
from api.body import check_media_type, read_body
from api.documentation import bearer, problems
from api.errors import Conflict, Forbidden, NotFound, ProblemPart, Unprocessable, ValidationFailed
from api.formats import json_response
from api.hooks import (
    AddressRefused,
    Attempt,
    Hook,
    HookDraft,
    HookService,
    HookState,
    HookUnknown,
    TooManyHooks,
    check_url,
)
from api.principals import SUPERVISE, Principal
from api.routes.stream import KINDS_MAX, OF_HOOKS, check_kinds, place_of
from api.schemas import Schema
from api.services import Services
from api.sight import readable_kinds
from contracts.notices import BEGINNING, NoticeFilter, Place, position_before
from ledger.projection import read_transaction

BODY_SIZE_BYTES_MAX: Final = 16_384
LOG_PAGE_MAX: Final = 200
READ: Final = "notices:read"
WRITE: Final = "notices:write"

Body = TypeVar("Body", bound=BaseModel)
Found = TypeVar("Found")
HookId = Annotated[str, Path(alias="id", pattern="^wh_[0-9a-f]{24}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class WebhookDraft(_Strict):
    """A webhook to be made."""

    url: Annotated[str, Field(max_length=2_048)]
    kinds: Annotated[list[str], Field(max_length=KINDS_MAX)] = []
    """Whole kinds, or `receipt.*`; none: all."""
    instrument: Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")] | None = None
    since: Annotated[int, Field(ge=0, le=1 << 48)] | None = None
    """Begin with what happened at this time (Unix seconds); by default, with what comes."""


class ReplayPoint(_Strict):
    """From where to send again: a time, or after a notice."""

    since: Annotated[int, Field(ge=0, le=1 << 48)] | None = None
    after: str | None = None


class WebhookSummary(Schema):
    """A webhook as it stands. Times in Unix seconds."""

    id: str
    url: str
    kinds: list[str]
    instrument: str | None
    created: int
    state: str
    """active, or disabled: until it is resumed."""
    reason: str | None
    """Why it is disabled."""
    after: str | None
    """Id of the last notice that the receiver has, or after which the webhook begins."""
    attempts: int
    failures: int
    """Of the notice that is next, in a row."""
    failingSince: int | None  # noqa: N815 - its name in JSON
    nextAttempt: int | None  # noqa: N815 - its name in JSON


class WebhookMade(WebhookSummary):
    """The same, with the secret: shown this once."""

    secret: str


class WebhookList(Schema):
    """The organisation's webhooks."""

    webhooks: list[WebhookSummary]


class DeliveryAttempt(Schema):
    """A line of the delivery log."""

    number: int
    notice: str
    kind: str
    attempt: int
    time: int
    status: int | None
    error: str | None
    latencyMs: int  # noqa: N815 - its name in JSON


class DeliveryLog(Schema):
    """Attempts, the newest first."""

    deliveries: list[DeliveryAttempt]
    before: int | None
    """Where the next page begins."""


class ProbeResult(Schema):
    """What the receiver did with a test message."""

    delivered: bool
    status: int | None
    error: str | None
    latencyMs: int  # noqa: N815 - its name in JSON


def router(services: Services, guard: Guard, hooks: HookService) -> APIRouter:
    """Routes under /webhooks."""
    routes = APIRouter(tags=["webhooks"])
    _add_making(routes, services, guard, hooks)
    _add_reading(routes, guard, hooks)
    _add_acts(routes, services, guard, hooks)
    return routes


def _add_making(routes: APIRouter, services: Services, guard: Guard, hooks: HookService) -> None:
    def create(principal: Principal, draft: WebhookDraft) -> Hook:
        position = hooks.tail.end()
        if draft.since is not None:
            position = _before(services, draft.since)
        return hooks.store.create(
            HookDraft(
                organisation=principal.organisation,
                url=draft.url,
                wanted=NoticeFilter(_kinds(principal, draft.kinds), draft.instrument or ""),
                supervise=principal.may(SUPERVISE),
                position=position,
            )
        )

    @routes.post(
        "/webhooks",
        operation_id="createWebhook",
        summary="Have notices sent to an address",
        description=(
            "Messages are POSTed one after the other, each until the receiver answers 2xx, and "
            "signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp`, "
            "`webhook-signature` (v1, HMAC-SHA256). The secret is in this answer and nowhere else. "
            "Sent are kinds of rooms that the key may read; that stays so for this webhook, which "
            "belongs to the organisation."
        ),
        response_class=Response,
        responses={
            201: {
                "model": WebhookMade,
                "description": "Made",
                "content": {"application/json": {}},
            },
            **problems(400, 401, 403, 409, 413, 415, 422),
        },
        openapi_extra={**bearer(WRITE), **_body(WebhookDraft)},
    )
    async def create_webhook(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        draft = await _read(request, WebhookDraft)
        try:
            check_url(draft.url, allow_private=hooks.settings.allow_private_addresses)
            hook = await anyio.to_thread.run_sync(create, principal, draft)
        except AddressRefused as error:
            part = ProblemPart(str(error), pointer="/url")
            raise Unprocessable(str(error), errors=[part]) from error
        except TooManyHooks as error:
            raise Conflict(str(error)) from error
        hooks.changed()
        headers = {"Location": f"/webhooks/{hook.id}"}
        body = {**webhook_body(hook), "secret": hook.secret}
        return json_response(body, status=201, headers=headers)

    @routes.delete(
        "/webhooks/{id}",
        operation_id="deleteWebhook",
        summary="Have nothing more sent",
        response_class=Response,
        status_code=204,
        responses={204: {"description": "Deleted"}, **problems(400, 401, 403, 404)},
        openapi_extra=bearer(WRITE),
    )
    async def delete_webhook(request: Request, hook_id: HookId) -> Response:
        principal = guard.principal(request, WRITE)
        await _known(lambda: hooks.store.delete(principal.organisation, hook_id))
        hooks.changed()
        return Response(status_code=204)


def _add_reading(routes: APIRouter, guard: Guard, hooks: HookService) -> None:
    @routes.get(
        "/webhooks",
        operation_id="listWebhooks",
        summary="The organisation's webhooks",
        response_class=Response,
        responses={**_answer(WebhookList), **problems(401, 403)},
        openapi_extra=bearer(READ),
    )
    async def list_webhooks(request: Request) -> Response:
        principal = guard.principal(request, READ)
        found = await anyio.to_thread.run_sync(hooks.store.list, principal.organisation)
        return json_response({"webhooks": [webhook_body(one) for one in found]})

    @routes.get(
        "/webhooks/{id}",
        operation_id="getWebhook",
        summary="A webhook: where it is, and whether it fails",
        response_class=Response,
        responses={**_answer(WebhookSummary), **problems(400, 401, 403, 404)},
        openapi_extra=bearer(READ),
    )
    async def get_webhook(request: Request, hook_id: HookId) -> Response:
        principal = guard.principal(request, READ)
        hook = await _known(lambda: hooks.store.find(principal.organisation, hook_id))
        return json_response(webhook_body(hook))

    @routes.get(
        "/webhooks/{id}/deliveries",
        operation_id="listDeliveries",
        summary="The last attempts, with status and latency",
        response_class=Response,
        responses={**_answer(DeliveryLog), **problems(400, 401, 403, 404)},
        openapi_extra=bearer(READ),
    )
    async def list_deliveries(
        request: Request,
        hook_id: HookId,
        before: Annotated[int | None, Query(ge=1, le=1 << 62)] = None,
        limit: Annotated[int, Query(ge=1, le=LOG_PAGE_MAX)] = 50,
    ) -> Response:
        principal = guard.principal(request, READ)

        def find() -> tuple[Attempt, ...]:
            hook = hooks.store.find(principal.organisation, hook_id)
            return hooks.store.log(hook, before, limit + 1)

        found = await _known(find)
        shown = found[:limit]
        body = {
            "deliveries": [_attempt_body(one) for one in shown],
            "before": shown[-1].number if len(found) > limit else None,
        }
        return json_response(body)


def _add_acts(routes: APIRouter, services: Services, guard: Guard, hooks: HookService) -> None:
    @routes.post(
        "/webhooks/{id}/replay",
        operation_id="replayWebhook",
        summary="Send again from a point in time, or after a notice",
        description=(
            "Notices keep their ids. A disabled webhook is active again. Replaying the past of "
            "all time: `since` 0."
        ),
        response_class=Response,
        responses={**_answer(WebhookSummary), **problems(400, 401, 403, 404, 413, 415)},
        openapi_extra={**bearer(WRITE), **_body(ReplayPoint)},
    )
    async def replay_webhook(request: Request, hook_id: HookId) -> Response:
        principal = guard.principal(request, WRITE)
        point = await _read(request, ReplayPoint)
        if (point.since is None) == (point.after is None):
            raise ValidationFailed("name either since (Unix seconds) or after (a notice's id)")
        position = BEGINNING if point.after is None else place_of(point.after)

        def replay() -> Hook:
            start = position if point.since is None else _before(services, point.since)
            return hooks.store.resume(principal.organisation, hook_id, start)

        hook = await _known(replay)
        hooks.changed()
        return json_response(webhook_body(hook))

    @routes.post(
        "/webhooks/{id}/resume",
        operation_id="resumeWebhook",
        summary="Go on where it stopped, at once",
        response_class=Response,
        responses={**_answer(WebhookSummary), **problems(400, 401, 403, 404)},
        openapi_extra=bearer(WRITE),
    )
    async def resume_webhook(request: Request, hook_id: HookId) -> Response:
        principal = guard.principal(request, WRITE)
        hook = await _known(lambda: hooks.store.resume(principal.organisation, hook_id))
        hooks.changed()
        return json_response(webhook_body(hook))

    @routes.post(
        "/webhooks/{id}/test",
        operation_id="testWebhook",
        summary="Send one message `webhook.test` now, and say what became of it",
        response_class=Response,
        responses={**_answer(ProbeResult), **problems(400, 401, 403, 404)},
        openapi_extra=bearer(WRITE),
    )
    async def test_webhook(request: Request, hook_id: HookId) -> Response:
        principal = guard.principal(request, WRITE)
        hook = await _known(lambda: hooks.store.find(principal.organisation, hook_id))
        outcome = await anyio.to_thread.run_sync(hooks.probe, hook)
        body = {
            "delivered": outcome.taken,
            "status": outcome.status,
            "error": outcome.error or None,
            "latencyMs": outcome.latency_ms,
        }
        return json_response(body)


def webhook_body(hook: Hook) -> dict[str, Any]:
    """A webhook in JSON, without its secret."""
    waits = hook.state is HookState.ACTIVE and hook.failures > 0
    return {
        "id": hook.id,
        "url": hook.url,
        "kinds": list(hook.wanted.kinds),
        "instrument": hook.wanted.record or None,
        "created": hook.created_ms // 1000,
        "state": hook.state.value,
        "reason": hook.reason or None,
        "after": str(Place.of(hook.position)) if hook.position >= 0 else None,
        "attempts": hook.attempts,
        "failures": hook.failures,
        "failingSince": hook.failing_since_ms and hook.failing_since_ms // 1000,
        "nextAttempt": hook.next_ms // 1000 if waits else None,
    }


def _attempt_body(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "notice": attempt.notice,
        "kind": attempt.kind,
        "attempt": attempt.attempt,
        "time": attempt.time_ms // 1000,
        "status": attempt.status,
        "error": attempt.error or None,
        "latencyMs": attempt.latency_ms,
    }


def _kinds(principal: Principal, wanted: list[str]) -> tuple[str, ...]:
    """Kinds that a webhook is for, which its maker's key may read, and of webhooks themselves.

    Raises `Forbidden` for others, `QueryInvalid` for what can be no kind.
    """
    kinds, readable = check_kinds(tuple(wanted)), readable_kinds(principal)
    if readable is None:
        return kinds
    own = (*readable, OF_HOOKS)
    for one in kinds:
        if one.partition(".")[0] not in own:
            raise Forbidden(f"the key {principal.key_id} may not read notices {one[:64]}")
    return kinds or tuple(f"{family}.*" for family in own)


async def _known(find: Callable[[], Found]) -> Found:
    """What the store says, in a thread. Raises `NotFound`."""
    try:
        return await anyio.to_thread.run_sync(find)
    except HookUnknown as error:
        raise NotFound(str(error)) from error


async def _read(request: Request, model: type[Body]) -> Body:
    """The body as that model. Raises `ValidationFailed`, and what `read_body` raises."""
    check_media_type(request)
    data = await read_body(request, size_bytes_max=BODY_SIZE_BYTES_MAX, timeout_s=30.0)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        parts = [
            ProblemPart(fault["msg"], pointer="".join(f"/{step}" for step in fault["loc"]))
            for fault in error.errors()
        ]
        raise ValidationFailed("the body is not what is needed here", errors=parts) from error


def _before(services: Services, since: int) -> int:
    with read_transaction(services.engine) as connection:
        return position_before(connection, since)


def _answer(model: type[Schema]) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": model, "description": "As of now", "content": {"application/json": {}}}}


def _body(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
