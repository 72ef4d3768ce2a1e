"""How operations end that do not end well, each as one answer over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from api.errors import ApiError, Refusal
from ledger.types import Hash32


class Refused(Refusal):
    """Base of what a contract refuses; the member `refusal` names its error."""

    status, type, title = 409, "urn:tallystick:problem:refused", "The contract refused"

    def __init__(
        self, detail: str, *, refusal: str | None, transaction: Hash32 | None = None
    ) -> None:
        """`transaction` where it was in a block all the same, and its nonce is used."""
        self.refusal = refusal
        members: dict[str, object] = {}
        if refusal is not None:
            members["refusal"] = refusal
        if transaction is not None:
            members["transaction"] = f"0x{transaction.hex()}"
        super().__init__(detail, members=members)


class RefusedConflict(Refused):
    """Not in this state, or somebody was faster."""


class RefusedForbidden(Refused):
    """The act is not this organisation's."""

    status = 403


class RefusedStale(Refused):
    """The record has changed since the revision in If-Match (RFC 9110, section 13.1.1)."""

    status = 412


class RefusedUnprocessable(Refused):
    """What is asked for makes no sense to the contract."""

    status = 422


class KeyReused(Refusal):
    """The Idempotency-Key came before, with another request."""

    status, type, title = (
        422,
        "urn:tallystick:problem:idempotency-key-reused",
        "Idempotency-Key was used for another request",
    )


class UnderWay(ApiError):
    """No block yet: the transaction was sent, and its sender is told where to ask (202)."""

    def __init__(self, transaction: Hash32) -> None:
        super().__init__(f"transaction 0x{transaction.hex()} is under way")
        self.transaction = transaction

    def body(self) -> Mapping[str, str]:
        """The answer in JSON."""
        text = f"0x{self.transaction.hex()}"
        return {"transaction": text, "status": "pending", "location": f"/transactions/{text}"}
