"""What queries answer with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with where it was first anchored: all that its proof is built from."""

    event_id: str
    """CBV event hash id."""
    digest: str
    """SHA-256 of `body`, 64 lower-case hex digits."""
    body: bytes
    """JCS bytes of the anchored event (docs/proof-format.md, section 1)."""
    event_time: datetime
    record_time: datetime
    """Block time, UTC."""
    organisation: str
    """Id of the organisation that anchored it first."""
    batch_root: bytes
    batch_index: int
    batch_count: int
    batch_path: tuple[bytes, ...]
    """Inclusion path in the batch, from the leaf's sibling up."""
    block_number: int
    log_index: int
    """Of the BatchAnchored log, within the block."""
    leaf_index: int
    """Of the BatchAnchored log, in the transparency log."""
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class Anchoring:
    """One time that an event was anchored."""

    organisation: str
    record_time: datetime
    batch_root: bytes
    batch_index: int
    block_number: int
    leaf_index: int
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the events of a query."""

    events: tuple[StoredEvent, ...]
    next_token: str | None
    """Give it back as `nextPageToken` for more; None at the end."""


class Relation(StrEnum):
    """How an event belongs to an item's journey."""

    SELF = "self"
    """The event names the item."""
    CONTAINER = "container"
    """The event is about something that the item was in at the time."""
    INPUT = "input"
    """The event is about something that the item was made from."""
    LOT = "lot"
    """The event is about the item's whole lot."""


@dataclass(frozen=True, slots=True)
class JourneyEvent:
    """One event of a journey."""

    event: StoredEvent
    relation: Relation
    about: str
    """Canonical identifier of what the event is about: the item, a container, an input, a lot."""


@dataclass(frozen=True, slots=True)
class Journey:
    """An item's story in order of event time."""

    epc: str
    """Canonical identifier of the item."""
    events: tuple[JourneyEvent, ...]
    truncated: bool
    """There is more than the bounds allow to tell."""
