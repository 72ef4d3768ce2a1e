"""EPCIS capture (EPCIS 2.0 section 12.6): documents, single events, jobs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api.auth import Guard
from api.body import check_media_type, read_body
from api.documentation import bearer, document_body, event_body, header, problems, query
from api.errors import (
    BodyTooLarge,
    Conflict,
    Forbidden,
    NotFound,
    ProblemPart,
    QueryInvalid,
    StorageExhausted,
    Unavailable,
    ValidationFailed,
)
from api.formats import job_body, json_response
from api.schemas import CaptureJob
from api.services import Services
from traceability.capture import (
    CaptureStopped,
    DocumentMalformed,
    DocumentTooLarge,
    ErrorBehaviour,
    Job,
    JobError,
    JobState,
    KeyReused,
    NoSigner,
    NotPermitted,
    QueueFull,
    StorageFailed,
    StorageFull,
)

SCOPE: Final = "capture"
PER_PAGE_DEFAULT: Final = 30
PER_PAGE_MAX: Final = 100
IDEMPOTENCY_KEY_LENGTH_MAX: Final = 255

_BEHAVIOUR: Final = header(
    "GS1-Capture-Error-Behaviour",
    "what becomes of a document with an invalid event",
    {"type": "string", "enum": ["rollback", "proceed"], "default": "rollback"},
)
_IDEMPOTENCY_KEY: Final = header(
    "Idempotency-Key",
    "the same document under the same key gives the same job",
    {
        "type": "string",
        "pattern": "^[!-~]+$",
        "minLength": 1,
        "maxLength": IDEMPOTENCY_KEY_LENGTH_MAX,
    },
)
_LOCATION: Final = {"Location": {"description": "address of the job", "schema": {"type": "string"}}}
_UUID: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

T = TypeVar("T")


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /capture, and POST /events."""
    routes = APIRouter(tags=["capture"])
    settings = services.settings
    capture = services.capture

    @routes.post(
        "/capture",
        operation_id="captureDocument",
        summary="Capture an EPCIS document; the answer is a job",
        status_code=202,
        response_class=Response,
        responses={
            202: {
                "model": CaptureJob,
                "description": "Accepted, durably",
                "headers": _LOCATION,
                "content": {"application/json": {}},
            },
            **problems(400, 401, 403, 409, 413, 415, 507),
        },
        openapi_extra={
            **bearer(SCOPE),
            **document_body(),
            "parameters": [_BEHAVIOUR, _IDEMPOTENCY_KEY],
        },
    )
    async def capture_document(request: Request) -> Response:
        key = guard.principal(request, SCOPE)
        behaviour = _behaviour(request)
        idempotency_key = _idempotency_key(request)
        check_media_type(request)
        with _refusals():
            capture.check_permitted(key.organisation)
        data = await read_body(
            request,
            size_bytes_max=settings.body_size_bytes_max,
            timeout_s=settings.body_timeout_s,
            advice="split the document",
        )
        with _refusals():
            accepted = capture.accept(
                data, key.organisation, behaviour, idempotency_key=idempotency_key
            )
            capture_id = await _await(accepted)
        headers = {
            "Location": f"/capture/{capture_id}",
            "GS1-Capture-Error-Behaviour": behaviour.value,
        }
        return json_response(_job_body(services, capture_id), status=202, headers=headers)

    @routes.post(
        "/events",
        operation_id="captureEvent",
        summary="Capture one event and wait until it is provable",
        status_code=201,
        response_class=Response,
        responses={
            201: {
                "description": "Anchored and provable",
                "model": CaptureJob,
                "headers": {
                    "Location": {
                        "description": "address of the event",
                        "schema": {"type": "string"},
                    }
                },
                "content": {"application/json": {}},
            },
            202: {
                "model": CaptureJob,
                "description": "Accepted, durably; still under way",
                "headers": _LOCATION,
                "content": {"application/json": {}},
            },
            **problems(400, 401, 403, 413, 415, 507),
        },
        openapi_extra={**bearer(SCOPE), **event_body()},
    )
    async def capture_event(request: Request) -> Response:
        key = guard.principal(request, SCOPE)
        check_media_type(request)
        with _refusals():
            capture.check_permitted(key.organisation)
        data = await read_body(
            request,
            size_bytes_max=settings.event_size_bytes_max,
            timeout_s=settings.body_timeout_s,
            advice="an event of this size is not taken",
        )
        with _refusals():
            prepared = await _await(capture.prepare(data))
            if prepared.errors:
                raise _invalid(prepared.errors)
            if len(prepared.events) != 1:
                raise ValidationFailed("one single event is needed here; use /capture for more")
            accepted = capture.accept(data, key.organisation, prepared=prepared)
            capture_id = await _await(accepted)
            job = await _finished(services, capture_id)
        if job is None:
            headers = {"Location": f"/capture/{capture_id}"}
            return json_response(_job_body(services, capture_id), status=202, headers=headers)
        if job.state is JobState.FAILED:
            raise Forbidden("; ".join(error.detail for error in job.errors))
        location = f"/events/{quote(job.event_ids[0], safe='')}"
        return json_response(job_body(job), status=201, headers={"Location": location})

    @routes.get(
        "/capture",
        operation_id="listCaptureJobs",
        summary="The organisation's capture jobs, newest first",
        response_class=Response,
        responses={
            200: {
                "model": list[CaptureJob],
                "description": "Jobs; `Link: rel=next` leads to older ones",
                "content": {"application/json": {}},
            },
            **problems(400, 401, 403),
        },
        openapi_extra={
            **bearer(SCOPE),
            "parameters": [
                query(
                    "perPage",
                    "jobs of one page",
                    {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": PER_PAGE_MAX,
                        "default": PER_PAGE_DEFAULT,
                    },
                ),
                query(
                    "nextPageToken",
                    "from the `Link` of the page before",
                    {"type": "string", "pattern": "^[0-9]{1,18}$"},
                ),
            ],
        },
    )
    async def list_jobs(request: Request) -> Response:
        key = guard.principal(request, SCOPE)
        limit = _integer(request, "perPage", PER_PAGE_DEFAULT, 1, PER_PAGE_MAX)
        before = _integer(request, "nextPageToken", None, 0, 10**18)
        jobs, more = await run_in_threadpool(
            capture.jobs, key.organisation, before=before, limit=limit or PER_PAGE_DEFAULT
        )
        headers = {}
        if more is not None:
            headers["Link"] = f'</capture?perPage={limit}&nextPageToken={more}>; rel="next"'
        return json_response([job_body(job) for job in jobs], headers=headers)

    @routes.get(
        "/capture/{captureID}",
        operation_id="getCaptureJob",
        summary="How a capture job stands",
        response_class=Response,
        responses={
            200: {
                "model": CaptureJob,
                "description": "The job",
                "content": {"application/json": {}},
            },
            **problems(400, 401, 403, 404),
        },
        openapi_extra=bearer(SCOPE),
    )
    async def get_job(
        request: Request,
        captureID: Annotated[str, Path(json_schema_extra={"pattern": _UUID})],  # noqa: N803
    ) -> Response:
        # The key first: strangers learn nothing, not even what a job's id looks like.
        key = guard.principal(request, SCOPE)
        if not re.fullmatch(_UUID, captureID):
            raise QueryInvalid(
                f"captureID: {captureID[:60]!r} is no id of a job, which is a UUID in lower case"
            )
        job = capture.job(captureID)
        if job is None or job.organisation != key.organisation:
            raise NotFound(f"{key.organisation} has no capture job {captureID}")
        return json_response(job_body(job))

    return routes


def _job_body(services: Services, capture_id: str) -> dict[str, Any]:
    job = services.capture.job(capture_id)
    assert job is not None, "a job just stored"
    return job_body(job)


async def _await(future: Future[T]) -> T:
    return await asyncio.shield(asyncio.wrap_future(future))


async def _finished(services: Services, capture_id: str) -> Job | None:
    """The job once it is final; None if that takes too long."""
    waiting = asyncio.wrap_future(services.capture.finished(capture_id))
    done, _ = await asyncio.wait({waiting}, timeout=services.settings.anchor_timeout_s)
    return waiting.result() if done else None


@contextmanager
def _refusals() -> Iterator[None]:
    """What capture refuses, as problems."""
    try:
        yield
    except DocumentMalformed as error:
        parts = [ProblemPart(str(error), error.pointer)] if error.pointer is not None else []
        raise ValidationFailed(str(error), errors=parts) from error
    except DocumentTooLarge as error:
        raise BodyTooLarge(str(error)) from error
    except (NotPermitted, NoSigner) as error:
        raise Forbidden(str(error)) from error
    except QueueFull as error:
        raise Unavailable(str(error), retry_after_s=error.retry_after_s) from error
    except CaptureStopped as error:
        raise Unavailable(str(error), retry_after_s=5) from error
    except KeyReused as error:
        raise Conflict(str(error)) from error
    except StorageFull as error:
        raise StorageExhausted(str(error)) from error
    except StorageFailed as error:
        raise Unavailable(str(error), retry_after_s=5) from error


def _invalid(errors: tuple[JobError, ...]) -> ValidationFailed:
    parts = [ProblemPart(error.detail, error.pointer) for error in errors]
    return ValidationFailed(f"the event is not valid: {errors[0].detail}", errors=parts)


def _behaviour(request: Request) -> ErrorBehaviour:
    value = request.headers.get("gs1-capture-error-behaviour", "rollback")
    try:
        return ErrorBehaviour(value)
    except ValueError as error:
        raise QueryInvalid(
            f"GS1-Capture-Error-Behaviour: {value[:40]!r} is neither rollback nor proceed"
        ) from error


def _idempotency_key(request: Request) -> str | None:
    value = request.headers.get("idempotency-key")
    if value is None:
        return None
    plain = value.isascii() and value.isprintable() and " " not in value
    if not (plain and 0 < len(value) <= IDEMPOTENCY_KEY_LENGTH_MAX):
        raise QueryInvalid(
            f"Idempotency-Key: 1 to {IDEMPOTENCY_KEY_LENGTH_MAX} visible ASCII characters are meant"
        )
    return value


def _integer(request: Request, name: str, default: int | None, least: int, most: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise QueryInvalid(f"{name}: {text[:40]!r} is not a number from {least} to {most}")
    return int(text)
