"""A webhook, and what became of its deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from contracts.notices import NoticeFilter


class HookState(Enum):
    """Whether anything is sent."""

    ACTIVE = "active"
    DISABLED = "disabled"
    """Until its organisation resumes it; what happens meanwhile is not lost."""


@dataclass(frozen=True, slots=True)
class HookDraft:
    """A webhook to be made."""

    organisation: str
    url: str
    wanted: NoticeFilter
    supervise: bool
    """See what all see, as long as the organisation is a regulator or an arbitrator."""
    position: int
    """Notices after it are sent."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook as it stands. Times in milliseconds since 1970."""

    id: str
    organisation: str
    url: str
    wanted: NoticeFilter
    supervise: bool
    secret: str = field(repr=False)
    """Empty where the node's key does not open it: nothing can be sent then."""
    created_ms: int
    state: HookState
    reason: str
    """Why it is disabled."""
    position: int
    """Of the last notice that was taken, or after which it begins."""
    generation: int
    """Raised by whoever changes where it goes on: a delivery under way then changes nothing."""
    attempts: int
    """Ever made."""
    failures: int
    """In a row, of the notice that is next."""
    failing_since_ms: int | None
    next_ms: int
    """Not before this is it tried again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt."""

    status: int | None
    """Of HTTP; None where there was no answer."""
    error: str
    """Why it counts as failed; empty where it does not."""
    latency_ms: int
    retry_after_s: float | None = None
    """As the receiver asked."""
    hopeless: bool = False
    """No later attempt will end otherwise: it is for the webhook's organisation to act."""

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return not self.error

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing more (RFC 9110 section 15.5.11)."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Attempt:
    """A line of the delivery log."""

    number: int
    """Counted for each webhook."""
    notice: str
    """Id of the notice."""
    kind: str
    attempt: int
    """1 for the first with this notice."""
    time_ms: int
    status: int | None
    error: str
    latency_ms: int
