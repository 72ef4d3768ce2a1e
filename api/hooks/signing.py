"""Signatures of messages as Standard Webhooks has them: `v1`, HMAC-SHA256 (RFC 2104).

Signed is `<webhook-id>.<webhook-timestamp>.<body>`; the headers are `webhook-id` (the same for all
attempts and replays of a notice), `webhook-timestamp` (seconds since 1970, of the attempt) and
`webhook-signature` (one or more of `v1,<base64>`, with spaces between).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from typing import Final

from api.hooks.errors import SecretMalformed, SignatureInvalid

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a prefix, no secret
SECRET_SIZE_BYTES: Final = 32
TOLERANCE_S: Final = 300
"""How far the clocks of sender and receiver may be apart."""
SIGNATURES_MAX: Final = 10

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_ID: Final = re.compile(r"[!-~]{1,128}")


def new_secret() -> str:
    """A secret of 256 random bits."""
    return secret_of(secrets.token_bytes(SECRET_SIZE_BYTES))


def secret_of(key: bytes) -> str:
    """The key as its receiver gets it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def sign_message(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers. Raises `SecretMalformed`."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{_signature(secret, message_id, str(timestamp), body)}",
    }


def verify_message(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_s: int = TOLERANCE_S,
    now_s: float | None = None,
) -> str:
    """The message's id, where it is signed with the secret and not older than the tolerance.

    `headers` by name, in whatever case; `body` are the very bytes that came. A receiver keeps ids
    that he has worked off: the same one may come again. Raises `SignatureInvalid` and
    `SecretMalformed`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id = given.get("webhook-id", "")
    timestamp = given.get("webhook-timestamp", "")
    if not _ID.fullmatch(message_id) or not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureInvalid("webhook-id or webhook-timestamp is missing or malformed")
    apart_s = abs((time.time() if now_s is None else now_s) - int(timestamp))
    if apart_s > tolerance_s:
        raise SignatureInvalid(
            f"the message is {apart_s:.0f} s away from this clock; {tolerance_s} s are allowed"
        )
    expected = _signature(secret, message_id, timestamp, body).encode()
    for one in given.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]:
        version, _, value = one.partition(",")
        if version == "v1" and hmac.compare_digest(value.encode(), expected):
            return message_id
    raise SignatureInvalid("none of the signatures is of this message with this secret")


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that are signed with. Raises `SecretMalformed`."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX).encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise SecretMalformed(f"a secret is {SECRET_PREFIX} and base64") from error
    if not secret.startswith(SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise SecretMalformed(f"a secret is {SECRET_PREFIX} and base64 of 24 to 64 bytes")
    return key
