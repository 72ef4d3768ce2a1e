"""How things are written in answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from starlette.responses import Response

from ledger.types import Hash32
from traceability.capture import Job, JobError

NO_STORE: Final = "no-store"
FOREVER: Final = "public, max-age=31536000, immutable"


def json_response(
    value: Any,
    *,
    status: int = 200,
    cache: str = NO_STORE,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """JSON at once, without the framework's serialisation."""
    return bytes_response(
        orjson.dumps(value), status=status, cache=cache, media_type=media_type, headers=headers
    )


def bytes_response(
    body: bytes,
    *,
    media_type: str,
    status: int = 200,
    cache: str = NO_STORE,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return Response(
        body,
        status_code=status,
        media_type=media_type,
        headers={"Cache-Control": cache, **(headers or {})},
    )


def timestamp(moment: datetime) -> str:
    """UTC with milliseconds, as in `2026-01-01T00:00:00.000Z`. `moment` is in UTC."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def hex_text(value: Hash32 | bytes) -> str:
    return f"0x{value.hex()}"


def job_body(job: Job) -> dict[str, Any]:
    """EPCISCaptureJob (EPCIS 2.0 section 12.6.1) with what became of its events."""
    first = job.anchorings[0] if job.anchorings else None
    body: dict[str, Any] = {
        "captureID": job.capture_id,
        "createdAt": timestamp(job.created_at),
        "running": job.running,
        "success": job.success,
        "captureErrorBehaviour": job.error_behaviour.value,
        "errors": [error_body(error) for error in job.errors],
        "eventIDs": job.event_ids,
        "alreadyPresent": job.already_present,
        "transactions": [
            {"transactionHash": hex_text(one.transaction_hash), "blockNumber": one.block_number}
            for one in job.anchorings
        ],
    }
    if job.finished_at is not None:
        body["finishedAt"] = timestamp(job.finished_at)
    if first is not None:
        body["transactionHash"] = hex_text(first.transaction_hash)
        body["blockNumber"] = job.anchorings[-1].block_number
    return body


def error_body(error: JobError) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": error.type,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if error.pointer is not None:
        body["pointer"] = error.pointer
    if error.event_index is not None:
        body["eventIndex"] = error.event_index
    return body
