"""Reading server-sent events (WHATWG HTML section 9.2.6, "Interpreting an event stream")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

EVENT_SIZE_MAX: Final = 1 << 20
"""Characters of one event."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event, or a change of the last event id alone (`data` is None then)."""

    id: str
    """The last event id after it."""
    kind: str
    data: str | None
    retry_ms: int | None = None
    """As the server has last asked."""


class StreamMalformed(ValueError):
    """What came is no event stream, or an event is larger than any that the node sends."""


def read_events(lines: Iterable[str], last_id: str = "") -> Iterator[ServerEvent]:
    """The events in the lines of a stream; one that is cut off at the end is left out.

    Raises `StreamMalformed`.
    """
    kind, data, size = "", list[str](), 0
    known, retry_ms = last_id, None
    for line in lines:
        if line == "":
            if data:
                yield ServerEvent(known, kind or "message", "\n".join(data), retry_ms)
            elif known != last_id:
                yield ServerEvent(known, "", None, retry_ms)
            last_id = known
            kind, data, size = "", [], 0
            continue
        size += len(line)
        if size > EVENT_SIZE_MAX:
            raise StreamMalformed(f"an event of more than {EVENT_SIZE_MAX} characters")
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            kind = value
        elif field == "id" and "\0" not in value:
            known = value
        elif field == "retry" and value.isascii() and value.isdigit() and len(value) < 10:
            retry_ms = int(value)
