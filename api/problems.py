"""RFC 7807 problems as responses, and the handlers that turn every failure into one."""

from __future__ import annotations

import logging
import uuid
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.errors import (
    PROBLEMS,
    InternalError,
    MethodNotAllowed,
    NotFound,
    ProblemPart,
    QueryInvalid,
    Refusal,
    ValidationFailed,
)
from api.faults import parameter_part, part_of
from api.resources import Resources

MEDIA_TYPE: Final = "application/problem+json"
ERRORS_SHOWN_MAX: Final = 100

_log = logging.getLogger("api")


def problem_body(error: Refusal, *, instance: str | None = None) -> dict[str, Any]:
    """The members of RFC 7807 section 3.1, `errors` where there is more than one reason, and the
    error's own."""
    body: dict[str, Any] = {
        "type": error.type,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if instance is not None:
        body["instance"] = instance
    if error.errors:
        body["errors"] = [_part(part) for part in error.errors[:ERRORS_SHOWN_MAX]]
    return {**error.members, **body}


def problem_response(error: Refusal, *, instance: str | None = None) -> Response:
    """A complete answer. `Cache-Control: no-store`, because refusals pass."""
    return Response(
        orjson.dumps(problem_body(error, instance=instance)),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **error.headers},
    )


def internal_problem(error: BaseException) -> Response:
    """Answer for a fault of our own: the log gets everything, the client an id to quote."""
    instance = f"urn:uuid:{uuid.uuid4()}"
    _log.error("request failed (%s)", instance, exc_info=error)
    detail = "the server failed to answer; quote the instance id to its operator"
    return problem_response(InternalError(detail), instance=instance)


def install_problem_handlers(app: FastAPI, resources: Resources) -> None:
    """Every error that leaves a route, or finds none, is answered as a problem."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return problem_response(error)

    async def routing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(_from_http(request, error, resources))

    async def validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(_from_validation(error))

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, routing)
    app.add_exception_handler(RequestValidationError, validation)


def _from_http(request: Request, error: HTTPException, resources: Resources) -> Refusal:
    path = request.url.path[:200]
    if error.status_code == 404:
        return NotFound(f"there is nothing at {path}")
    if error.status_code == 405:
        allow = ", ".join(resources.methods(request.scope))
        detail = f"{path} does not know {request.method[:20]}; it knows {allow}"
        return MethodNotAllowed(detail, headers={"Allow": allow})
    for known in PROBLEMS:
        if known.status == error.status_code and known.__init__ is Refusal.__init__:
            return known(str(error.detail))
    return InternalError(str(error.detail))


def _from_validation(error: RequestValidationError) -> Refusal:
    parts = []
    in_body = False
    for fault in error.errors()[:ERRORS_SHOWN_MAX]:
        source, *place = fault["loc"]
        if source == "body":
            in_body = True
            parts.append(part_of(fault, place))
        else:
            parts.append(parameter_part(fault, place))
    refusal = ValidationFailed if in_body else QueryInvalid
    told = "; ".join(f"{part.parameter or part.pointer}: {part.detail}" for part in parts)
    return refusal(told or "the request is not valid", errors=parts)


def _part(part: ProblemPart) -> dict[str, str]:
    shown = {"detail": part.detail}
    if part.pointer is not None:
        shown["pointer"] = part.pointer
    if part.parameter is not None:
        shown["parameter"] = part.parameter
    return shown
