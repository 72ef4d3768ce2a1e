"""What the HTTP interface refuses, each as one RFC 7807 problem.

Where EPCIS 2.0 (section 12, REST binding) names an exception, `type` is that name
(`epcisException:…`); the rest are `urn:tallystick:problem:…`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ledger.errors import TallystickError


@dataclass(frozen=True, slots=True)
class ProblemPart:
    """One of several reasons within a problem."""

    detail: str
    pointer: str | None = None
    """RFC 6901 pointer into the request body, where the fault has a place."""
    parameter: str | None = None
    """Name of the query parameter or header at fault."""


class ApiError(TallystickError):
    """Base of all errors of this room."""


class KeyRefused(ApiError):
    """A bearer key cannot be made or revoked as asked."""


class Refusal(ApiError):
    """Base of all refusals over HTTP. `detail` says what was wrong, where, and what to do."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "epcisException:ImplementationException"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[ProblemPart] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        """`members` stand in the problem beside those of RFC 7807 (its section 3.2)."""
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.members = dict(members or {})
        self.headers = dict(headers or {})


class ValidationFailed(Refusal):
    """The body is not what the standard allows."""

    status, type, title = 400, "epcisException:ValidationException", "Document is not valid"


class QueryInvalid(Refusal):
    """A query parameter or path identifier cannot be understood."""

    status, type, title = 400, "epcisException:QueryParameterException", "Query is not valid"


class Unauthenticated(Refusal):
    """No usable bearer key."""

    status, type, title = 401, "epcisException:SecurityException", "A valid bearer key is needed"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="tallystick"'})


class Forbidden(Refusal):
    """The key is good, but may not do this."""

    status, type, title = 403, "epcisException:SecurityException", "Not permitted"


class NotFound(Refusal):
    """Nothing is known under this address."""

    status, type, title = 404, "epcisException:NoSuchResourceException", "Not found"


class MethodNotAllowed(Refusal):
    """The address exists, but not for this method."""

    status, type, title = 405, "urn:tallystick:problem:method-not-allowed", "Method not allowed"


class NotAcceptable(Refusal):
    """No representation fits the request's Accept header."""

    status, type, title = 406, "epcisException:NotAcceptableException", "Not acceptable"


class BodyTimeout(Refusal):
    """The body did not arrive in time."""

    status, type, title = 408, "urn:tallystick:problem:timeout", "Request timed out"


class Conflict(Refusal):
    """The request contradicts an earlier one."""

    status, type, title = 409, "epcisException:ResourceAlreadyExistsException", "Conflict"


class BodyTooLarge(Refusal):
    """More bytes or events than one capture may have."""

    status, type, title = 413, "epcisException:CaptureLimitExceededException", "Body is too large"


class UriTooLong(Refusal):
    """The request target is longer than this server reads."""

    status, type, title = 414, "epcisException:URITooLongException", "Address is too long"


class UnsupportedMediaType(Refusal):
    """The body is in a format that this address does not read."""

    status, type, title = (
        415,
        "epcisException:UnsupportedMediaTypeException",
        "Unsupported media type",
    )


class Unprocessable(Refusal):
    """Well-formed, but not something that can be done."""

    status, type, title = 422, "urn:tallystick:problem:unprocessable", "Cannot be processed"


class RateLimited(Refusal):
    """Too many requests from one key or address."""

    status, type, title = 429, "urn:tallystick:problem:rate-limited", "Too many requests"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class HeadersTooLarge(Refusal):
    """More header bytes or lines than this server reads."""

    status, type, title = 431, "urn:tallystick:problem:headers-too-large", "Headers are too large"


class InternalError(Refusal):
    """A fault of this server. The log holds the cause under the instance's id."""


class Unavailable(Refusal):
    """Cannot be served just now; trying again later helps."""

    status, type, title = 503, "urn:tallystick:problem:unavailable", "Not available now"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class StorageExhausted(Refusal):
    """The disk is full: nothing was accepted."""

    status, type, title = 507, "urn:tallystick:problem:storage-full", "Storage is full"


PROBLEMS: tuple[type[Refusal], ...] = (
    ValidationFailed,
    QueryInvalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    BodyTimeout,
    Conflict,
    BodyTooLarge,
    UriTooLong,
    UnsupportedMediaType,
    Unprocessable,
    RateLimited,
    HeadersTooLarge,
    InternalError,
    Unavailable,
    StorageExhausted,
)
