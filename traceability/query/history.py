"""What happened to many things at once: the rows that journeys are woven from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson
from sqlalchemy import Connection, bindparam, select

from traceability.projection.tables import Role, batch, event, event_epc
from traceability.projection.vocabulary import thing_key
from traceability.query.rows import STORED, stored
from traceability.query.types import StoredEvent

ALWAYS: Final = (-(2**62), 2**62)
"""A span of time without bounds, in microseconds."""
_IN_MAX: Final = 400
_EXTRA: Final = (
    event.c.pk,
    event.c.event_type,
    event.c.action,
    event.c.parent_id,
    event.c.transformation_id,
)
_FIRST_EXTRA: Final = len(STORED)
_HISTORY: Final = (
    select(*STORED, *_EXTRA, event_epc.c.epc, event_epc.c.role)
    .join_from(event_epc, event, event_epc.c.event == event.c.pk)
    .join(batch, event.c.leaf_index == batch.c.leaf_index)
    .where(
        event_epc.c.epc.in_(bindparam("epcs", expanding=True)),
        event_epc.c.event_time >= bindparam("start"),
        event_epc.c.event_time <= bindparam("end"),
    )
    .order_by(event_epc.c.event_time, event_epc.c.event, event_epc.c.epc)
    .limit(bindparam("most"))
)
_TRANSFORMATIONS: Final = (
    select(*STORED, *_EXTRA)
    .join_from(event, batch, event.c.leaf_index == batch.c.leaf_index)
    .where(event.c.transformation_id.in_(bindparam("ids", expanding=True)))
    .order_by(event.c.event_time, event.c.pk)
    .limit(bindparam("most"))
)
_EVENT_TIME: Final = [column.name for column in STORED].index("event_time")
_BODY: Final = [column.name for column in STORED].index("body")


@dataclass
class Happening:
    """An event as the walk through a journey sees it."""

    row: Sequence[Any]

    def __post_init__(self) -> None:
        self.time: int = self.row[_EVENT_TIME]
        (
            self.key,
            self.event_type,
            self.action,
            self.parent,
            self.transformation,
        ) = self.row[_FIRST_EXTRA : _FIRST_EXTRA + len(_EXTRA)]

    @cached_property
    def body(self) -> dict[str, Any]:
        """The anchored event."""
        content: dict[str, Any] = orjson.loads(self.row[_BODY])
        return content

    @property
    def stored(self) -> StoredEvent:
        return stored(self.row)

    @property
    def inputs(self) -> list[str]:
        """Canonical identifiers of what a transformation used up, instances and classes."""
        body = self.body
        instances = body.get("inputEPCList") or ()
        classes = (element["epcClass"] for element in body.get("inputQuantityList") or ())
        return [thing_key(text) for text in (*instances, *classes)]

    @property
    def names_children(self) -> bool:
        return bool(self.body.get("childEPCs") or self.body.get("childQuantityList"))


@dataclass(frozen=True, slots=True)
class Mention:
    """A happening in the history of one thing, with the roles that the thing has in it."""

    happening: Happening
    roles: frozenset[Role]


class Histories:
    """Histories by thing, read in bulk and kept for the length of one journey."""

    def __init__(self, connection: Connection, rows_max: int) -> None:
        self._connection = connection
        self._rows_left = rows_max
        self._spans: dict[str, tuple[int, int]] = {}
        self._mentions: dict[str, list[Mention]] = {}
        self._happenings: dict[int, Happening] = {}
        self.truncated = False

    def of(self, epc: str) -> list[Mention]:
        """What `read` found, in order of event time."""
        return self._mentions.get(epc, [])

    def read(self, spans: dict[str, tuple[int, int]]) -> None:
        """Make sure that the histories of these things over these spans of time are at hand."""
        missing = {}
        for epc, (start, end) in spans.items():
            known = self._spans.get(epc)
            if known is None:
                missing[epc] = (start, end)
            elif start < known[0] or end > known[1]:
                missing[epc] = (min(start, known[0]), max(end, known[1]))
        epcs = sorted(missing)
        for index in range(0, len(epcs), _IN_MAX):
            part = epcs[index : index + _IN_MAX]
            start = min(missing[epc][0] for epc in part)
            end = max(missing[epc][1] for epc in part)
            self._read_part(part, start, end)

    def transformations(self, ids: Iterable[str]) -> list[Happening]:
        """All events that belong to these transformations."""
        values = {"ids": sorted(ids), "most": self._rows_left + 1}
        rows = self._connection.execute(_TRANSFORMATIONS, values).all()
        return [self._happening(row) for row in self._within_bounds(rows)]

    def _read_part(self, epcs: list[str], start: int, end: int) -> None:
        values = {"epcs": epcs, "start": start, "end": end, "most": self._rows_left + 1}
        rows = self._within_bounds(self._connection.execute(_HISTORY, values).all())
        roles: dict[tuple[str, int], set[Role]] = {}
        for row in rows:
            happening = self._happening(row)
            roles.setdefault((row[-2], happening.key), set()).add(Role(row[-1]))
        for epc in epcs:
            self._spans[epc] = (start, end)
            self._mentions[epc] = []
        for (epc, key), its in roles.items():
            self._mentions[epc].append(Mention(self._happenings[key], frozenset(its)))

    def _within_bounds(self, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        if len(rows) > self._rows_left:
            self.truncated = True
            rows = rows[: self._rows_left]
        self._rows_left -= len(rows)
        return rows

    def _happening(self, row: Sequence[Any]) -> Happening:
        key = row[_FIRST_EXTRA]
        found = self._happenings.get(key)
        if found is None:
            found = self._happenings[key] = Happening(row)
        return found
