"""What a client is told when something does not go well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.errors import ApiError


class ClientError(ApiError):
    """Base of all errors of the client."""


class Unreachable(ClientError):
    """The node did not answer, however often it was asked."""


class Malformed(ClientError):
    """The node's answer is not one that this client understands."""


class KeyMalformed(ClientError):
    """The bearer key has characters that no key has; what it is is not told."""


class PreparedWrongly(ClientError):
    """What the node has prepared is not what is to be signed: it was not signed."""


class StillPending(ClientError):
    """Sent, and in no block in time. `transaction` says by what to ask later."""

    def __init__(self, transaction: str) -> None:
        super().__init__(f"transaction {transaction} is in no block yet; ask for it later")
        self.transaction = transaction


class Problem(ClientError):
    """The node has refused the request (RFC 7807)."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.type = str(body.get("type", "about:blank"))
        self.title = str(body.get("title", ""))
        self.detail = str(body.get("detail", ""))
        self.body = dict(body)
        super().__init__(f"{status} {self.title}: {self.detail}")


class Denied(Problem):
    """The key is unknown, was revoked, or may not do this (401, 403)."""


class Missing(Problem):
    """There is nothing under this address that the organisation may see (404)."""


class Refused(Problem):
    """The contract has refused. `refusal` is its error by name, such as `InstrumentPledged`."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status, body)
        self.refusal = str(body.get("refusal") or "")


def problem_of(status: int, body: Mapping[str, Any]) -> Problem:
    """The error that an answer stands for."""
    if body.get("type") == "urn:tallystick:problem:refused":
        return Refused(status, body)
    if status in (401, 403):
        return Denied(status, body)
    return Missing(status, body) if status == 404 else Problem(status, body)
