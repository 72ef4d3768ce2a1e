"""What is told of a document, or an event in it, that is not valid: one function a reason."""

from __future__ import annotations

from traceability.preparing.types import JobError

VALIDATION = "epcisException:ValidationException"
LIMIT = "epcisException:CaptureLimitExceededException"


def invalid_event(detail: str, pointer: str | None, event_index: int | None) -> JobError:
    return JobError(VALIDATION, "Event is not valid", 400, detail, pointer, event_index)


def invalid_document(detail: str, pointer: str | None) -> JobError:
    return JobError(VALIDATION, "Document is not valid", 400, detail, pointer)


def event_too_large(detail: str, pointer: str, event_index: int) -> JobError:
    return JobError(LIMIT, "Event is too large", 413, detail, pointer, event_index)


def too_many_events(count: int, count_max: int) -> JobError:
    detail = f"the document has {count} events; {count_max} are allowed"
    return JobError(LIMIT, "Document is too large", 413, detail)


def no_events() -> JobError:
    return invalid_document("the document holds no event", None)
