"""OAuth 2.0: tokens for clients (RFC 6749 section 4.4), their end (RFC 7009), metadata (8414)."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.auth import Guard
from api.body import read_body
from api.documentation import problems
from api.errors import Refusal
from api.formats import json_response
from api.oauth import (
    BODY_SIZE_BYTES_MAX,
    GRANT,
    OAuthRefused,
    authenticate,
    grant,
    metadata,
    parse_form,
)
from api.schemas import AuthorizationServer, OAuthError, TokenAnswer
from api.services import Services
from api.tokens import LIFETIME_S, TokenStore

FORM: Final = "application/x-www-form-urlencoded"

_NO_STORE: Final = {"Pragma": "no-cache"}
_BASIC: Final[dict[str, Any]] = {"security": [{"client": []}, {}]}


def router(services: Services, guard: Guard, tokens: TokenStore) -> APIRouter:
    """Routes under /oauth, and the metadata."""
    routes = APIRouter(tags=["oauth"])

    @routes.post(
        "/oauth/token",
        operation_id="getToken",
        summary="A short-lived access token for a key (client credentials)",
        description=(
            "`client_id` is the key's id and `client_secret` the key, by HTTP Basic or in the "
            "form. `scope` may ask for fewer scopes than the key has."
        ),
        response_class=Response,
        responses={
            200: {"model": TokenAnswer, "description": "The token", "content": _JSON},
            **_errors(400, 401, 429),
        },
        openapi_extra={
            **_BASIC,
            "requestBody": _form(
                {
                    "grant_type": {"const": GRANT},
                    "scope": {"type": "string"},
                    **_CLIENT,
                },
                ["grant_type"],
                {"grant_type": GRANT, "scope": "receipts:read"},
            ),
        },
    )
    async def get_token(request: Request) -> Response:
        try:
            fields = await _fields(request)
            key = authenticate(services.keys, request.headers.get("authorization"), fields)
            guard.count(key)
            granted = grant(tokens, key, fields, LIFETIME_S)
        except OAuthRefused as refused:
            return _refused(refused)
        return json_response(granted.body(), headers=_NO_STORE)

    @routes.post(
        "/oauth/revoke",
        operation_id="revokeToken",
        summary="End an access token",
        response_class=Response,
        responses={
            200: {"description": "It is good no more, if it ever was", "content": _JSON},
            **_errors(400, 401, 429),
        },
        openapi_extra={
            **_BASIC,
            "requestBody": _form(
                {
                    "token": {"type": "string"},
                    "token_type_hint": {"type": "string"},
                    **_CLIENT,
                },
                ["token"],
                {"token": "tallyt_…"},
            ),
        },
    )
    async def revoke_token(request: Request) -> Response:
        try:
            fields = await _fields(request)
            key = authenticate(services.keys, request.headers.get("authorization"), fields)
            guard.count(key)
            if "token" not in fields:
                raise OAuthRefused("invalid_request", "token is missing")
        except OAuthRefused as refused:
            return _refused(refused)
        tokens.revoke(fields["token"], key.key_id)
        return json_response({}, headers=_NO_STORE)

    @routes.get(
        "/.well-known/oauth-authorization-server",
        operation_id="getAuthorizationServer",
        summary="Where and how tokens are got (RFC 8414)",
        response_class=Response,
        responses={
            200: {"model": AuthorizationServer, "description": "Metadata", "content": _JSON},
            **problems(),
        },
    )
    async def get_metadata(request: Request) -> Response:
        issuer = services.public_url or str(request.base_url)
        return json_response(metadata(issuer.rstrip("/")), cache="no-cache")

    return routes


async def _fields(request: Request) -> dict[str, str]:
    """The form's. Raises `OAuthRefused`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise OAuthRefused("invalid_request", f"send the parameters as {FORM}")
    try:
        body = await read_body(request, size_bytes_max=BODY_SIZE_BYTES_MAX, timeout_s=10.0)
    except Refusal as error:
        refused = OAuthRefused("invalid_request", error.detail)
        refused.headers.update(error.headers)
        raise refused from error
    return parse_form(body)


def _refused(refused: OAuthRefused) -> Response:
    headers = {**_NO_STORE, **refused.headers}
    return json_response(refused.body, status=refused.status, headers=headers)


_JSON: Final[dict[str, Any]] = {"application/json": {}}
_CLIENT: Final = {"client_id": {"type": "string"}, "client_secret": {"type": "string"}}


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Errors of OAuth in its own JSON, beside problems that any route may answer."""
    known = problems(*statuses)
    schema = OAuthError.model_json_schema()
    for status in statuses:
        content = {**known[status]["content"], "application/json": {"schema": schema}}
        known[status] = {"description": "RFC 6749 section 5.2", "content": content}
    return known


def _form(
    properties: dict[str, Any], required: list[str], example: dict[str, str]
) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"required": True, "content": {FORM: {"schema": schema, "example": example}}}
