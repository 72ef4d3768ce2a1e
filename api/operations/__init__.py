"""Changes that clients ask for: tried, signed, durable, sent, and answered once they show."""

from api.operations.types import Call, Done, Event, Idempotency, Limits, Prepared, Words

__all__ = ["Call", "Done", "Event", "Idempotency", "Limits", "Prepared", "Words"]
