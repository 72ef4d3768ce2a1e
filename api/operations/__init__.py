"""Changes that clients ask for: tried, signed, durable, sent, and answered once they show."""

from api.operations.answering import (
    CHANGE_PARAMETERS,
    answer,
    answer_again,
    change_extra,
    change_responses,
    done_response,
    idempotency_of,
    under_way_response,
)
from api.operations.errors import KeyReused, Refused, UnderWay
from api.operations.service import Operations
from api.operations.types import (
    Call,
    Done,
    Event,
    Idempotency,
    Limits,
    Prepared,
    Standing,
    Words,
)

__all__ = [
    "CHANGE_PARAMETERS",
    "Call",
    "Done",
    "Event",
    "Idempotency",
    "KeyReused",
    "Limits",
    "Operations",
    "Prepared",
    "Refused",
    "Standing",
    "UnderWay",
    "Words",
    "answer",
    "answer_again",
    "change_extra",
    "change_responses",
    "done_response",
    "idempotency_of",
    "under_way_response",
]
