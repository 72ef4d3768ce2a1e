"""OAuth 2.0 client credentials: rules of RFC 6749 section 4.4, RFC 7009 and RFC 8414.

Each bearer key is a client: `client_id` is the key's id, `client_secret` the key itself.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from api.errors import ApiError
from api.keys import ApiKey, KeyStore
from api.principals import MODES, ROOMS, SCOPES, covers
from api.tokens import AccessToken, TokenStore, TooManyTokens

BODY_SIZE_BYTES_MAX: Final = 8192
FIELDS_MAX: Final = 20
GRANT: Final = "client_credentials"
METHODS: Final = ("client_secret_basic", "client_secret_post")
REALM: Final = 'Basic realm="tallystick"'


class OAuthRefused(ApiError):
    """A request that is refused as RFC 6749 section 5.2 says."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, basic: bool = False
    ) -> None:
        """`basic`: the client came with HTTP Basic, and is challenged for it."""
        super().__init__(description)
        self.status = status
        self.headers: dict[str, str] = {"WWW-Authenticate": REALM} if basic else {}
        self.body = {"error": error, "error_description": description}


@dataclass(frozen=True, slots=True)
class Granted:
    """RFC 6749 section 5.1."""

    secret: str
    token: AccessToken
    expires_in_s: int

    def body(self) -> dict[str, Any]:
        """The answer in JSON."""
        return {
            "access_token": self.secret,
            "token_type": "Bearer",
            "expires_in": self.expires_in_s,
            "scope": " ".join(sorted(self.token.scopes)),
        }


def parse_form(body: bytes) -> dict[str, str]:
    """Fields of an `application/x-www-form-urlencoded` body; empty ones count as left out.

    Raises `OAuthRefused` where one comes twice (RFC 6749 section 3.2) or it cannot be read.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError as error:
        raise OAuthRefused("invalid_request", f"the form cannot be read: {error}") from error
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise OAuthRefused("invalid_request", f"the parameter {name[:40]!r} comes twice")
        fields[name] = value
    return {name: value for name, value in fields.items() if value}


def authenticate(keys: KeyStore, authorization: str | None, fields: Mapping[str, str]) -> ApiKey:
    """The client. Raises `OAuthRefused`: unknown, revoked and wrong secrets look alike."""
    by_field = "client_secret" in fields
    basic = authorization is not None
    if basic and by_field:
        raise OAuthRefused("invalid_request", "the client authenticates in one way, not in two")
    if authorization is not None:
        client_id, secret = _basic(authorization)
        if fields.get("client_id", client_id) != client_id:
            raise OAuthRefused("invalid_request", "client_id is another one than that of Basic")
    else:
        client_id, secret = fields.get("client_id", ""), fields.get("client_secret", "")
    key = keys.find(secret)
    good = key is not None and hmac.compare_digest(key.key_id.encode(), client_id.encode())
    if key is None or not good or key.revoked is not None:
        raise OAuthRefused(
            "invalid_client",
            "client_id is the id of a key of this node, and client_secret the key",
            status=401,
            basic=basic,
        )
    return key


def grant(tokens: TokenStore, key: ApiKey, fields: Mapping[str, str], lifetime_s: int) -> Granted:
    """A token for the client, with the scopes that it asks for or else all of its own.

    Raises `OAuthRefused`.
    """
    kind = fields.get("grant_type")
    if kind is None:
        raise OAuthRefused("invalid_request", "grant_type is missing")
    if kind != GRANT:
        raise OAuthRefused("unsupported_grant_type", f"only {GRANT} is granted here")
    asked = frozenset(fields.get("scope", "").split(" ")) - {""}
    for scope in sorted(asked):
        if scope not in SCOPES or not _has(key, scope):
            raise OAuthRefused("invalid_scope", f"the client has no scope {scope[:40]!r}")
    try:
        secret, token = tokens.issue(key.key_id, asked or key.scopes)
    except TooManyTokens as error:
        raise OAuthRefused("invalid_request", str(error), status=429) from error
    return Granted(secret, token, lifetime_s)


def metadata(issuer: str) -> dict[str, Any]:
    """RFC 8414 section 2. There is no authorisation endpoint, hence no response type."""
    scopes = [one for one in SCOPES if not one.endswith("*")]
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "scopes_supported": sorted(scopes),
        "token_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "service_documentation": f"{issuer}/docs",
    }


def _has(key: ApiKey, scope: str) -> bool:
    """Whether the key covers a scope; `<room>:*` also where it has both modes."""
    room, _, mode = scope.partition(":")
    if mode == "*" and room in ROOMS:
        return all(covers(key.scopes, f"{room}:{one}") for one in MODES)
    return covers(key.scopes, scope)


def _basic(authorization: str) -> tuple[str, str]:
    """RFC 6749 section 2.3.1: id and secret are form-encoded before they are put into Basic."""
    refused = OAuthRefused(
        "invalid_client", "the Authorization header is no HTTP Basic", status=401, basic=True
    )
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise refused
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise refused from None
    client_id, colon, secret = pair.partition(":")
    if not colon:
        raise refused
    return unquote_plus(client_id), unquote_plus(secret)
