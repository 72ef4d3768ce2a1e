"""The whole story of one item.

Told are: what names the item; what happened to its containers while it was in them (from ADD to
DELETE of an aggregation or association, containers in containers too); the histories of what it
was made from, up to the moment it went in, and of what that was made from; and what is said of its
whole lot, where its lot is known.

Walked breadth first: each level of depth costs one SQL query, however many things it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection

from traceability.gs1 import Gs1Error, parse_identifier
from traceability.projection.tables import Role
from traceability.projection.vocabulary import extension_name, prefixes_of, thing_key
from traceability.query.history import ALWAYS, Happening, Histories, Mention
from traceability.query.statements import further_statements
from traceability.query.types import Journey, JourneyEvent, Relation

EVENTS_MAX: Final = 500
DEPTH_MAX: Final = 12
ROWS_MAX: Final = 5_000
VISITS_MAX: Final = 2_000
_LOT_NUMBER: Final = "urn:epcglobal:cbv:mda:lotNumber"
_NESTING: Final = frozenset({"AggregationEvent", "AssociationEvent"})
_USED_UP: Final = frozenset({Role.INPUT, Role.INPUT_QUANTITY})
_CAME_OUT: Final = frozenset({Role.OUTPUT, Role.OUTPUT_QUANTITY})
_CLASS_BASE: Final = "https://id.gs1.org/01/"


@dataclass(frozen=True, slots=True)
class _Visit:
    """One thing over one span of time, and why it is looked at."""

    epc: str
    start: int
    end: int
    relation: Relation
    inside: str | None = None
    """What is in it, where it is visited as a container."""


def journey(
    connection: Connection, epc: str, *, events_max: int = EVENTS_MAX, depth_max: int = DEPTH_MAX
) -> Journey:
    """The story of an item, or of a whole class, in order of event time.

    `epc` in any spelling; a Digital Link with lot and serial (`/01/…/10/…/21/…`) tells the lot
    where no event does. An event that belongs in several ways comes once, in the nearest one; but
    once for each organisation that has anchored it, the first of them first. At
    most `events_max` events (those recorded first are kept) within `depth_max` steps from the item;
    `truncated` says whether there was more.
    """
    item = thing_key(epc)
    return _Walk(connection, item, events_max, depth_max).run(lot_of_link(epc))


def lot_of_link(epc: str) -> str | None:
    """Canonical class identifier of the lot that a Digital Link names beside the serial."""
    try:
        identifier = parse_identifier(epc)
    except Gs1Error:
        return None
    if identifier.ai != "01" or identifier.lot is None or identifier.serial is None:
        return None
    return _lot_class(identifier.value, identifier.lot)


class _Walk:
    def __init__(self, connection: Connection, item: str, events_max: int, depth_max: int) -> None:
        self._connection = connection
        self._histories = Histories(connection, ROWS_MAX)
        self._item = item
        self._events_max = events_max
        self._depth_max = depth_max
        self._told: dict[int, tuple[Happening, Relation, str]] = {}
        self._seen: set[_Visit] = set()
        self._transformations: set[str] = set()
        self._truncated = False

    def run(self, lot: str | None) -> Journey:
        level = [_Visit(self._item, *ALWAYS, Relation.SELF)]
        depth = 0
        while level:
            if depth > self._depth_max or len(self._seen) + len(level) > VISITS_MAX:
                self._truncated = True
                break
            self._seen.update(level)
            self._read(level)
            found = [later for visit in level for later in self._visit(visit)]
            if depth == 0:
                found += self._lots(lot)
            level = [visit for visit in dict.fromkeys(found) if visit not in self._seen]
            depth += 1
        return self._journey()

    def _journey(self) -> Journey:
        # Event times are anybody's word. What came first into the log is kept, so that nobody can
        # push a story out of its bounds with later events about an earlier time.
        kept = sorted(self._told.values(), key=lambda one: one[0].key)[: self._events_max]
        told = sorted(kept, key=lambda one: (one[0].time, one[0].key))
        stored = {one.key: one.stored for one, _, _ in told}
        further = further_statements(self._connection, stored)
        events = [
            JourneyEvent(statement, relation, about)
            for happening, relation, about in told
            for statement in (stored[happening.key], *further.get(happening.key, ()))
        ]
        most = self._events_max
        more = len(self._told) > most or len(events) > most
        truncated = self._truncated or self._histories.truncated or more
        return Journey(self._item, tuple(events[:most]), truncated)

    def _read(self, level: list[_Visit]) -> None:
        spans: dict[str, tuple[int, int]] = {}
        for visit in level:
            start, end = spans.get(visit.epc, (visit.start, visit.end))
            spans[visit.epc] = (min(start, visit.start), max(end, visit.end))
        self._histories.read(spans)

    def _visit(self, visit: _Visit) -> Iterator[_Visit]:
        """Tell what happened to a thing; yields what else has to be looked at."""
        end = visit.end
        for mention in self._histories.of(visit.epc):
            happening = mention.happening
            if not visit.start <= happening.time <= end or not self._belongs(visit, mention):
                continue
            if visit.inside is not None and _takes_apart(happening):
                end = happening.time
            self._told.setdefault(happening.key, (happening, visit.relation, visit.epc))
            if happening.event_type in _NESTING and Role.CHILD in mention.roles:
                yield from self._container(visit, happening, end)
            if visit.inside is None and mention.roles & _CAME_OUT:
                yield from self._inputs(happening)

    def _belongs(self, visit: _Visit, mention: Mention) -> bool:
        """Whether an event of a thing is part of this story."""
        happening = mention.happening
        if visit.relation in (Relation.INPUT, Relation.LOT) and mention.roles <= _USED_UP:
            # Another part of the lot went elsewhere; ours is told by the transformation itself.
            return happening.transformation in self._transformations
        if visit.inside is None or mention.roles != {Role.PARENT}:
            return True
        if happening.event_type not in _NESTING or happening.action == "OBSERVE":
            return True
        # Other things put into the container or taken out are not this item's story.
        return _takes_apart(happening)

    def _container(self, visit: _Visit, put_in: Happening, end: int) -> Iterator[_Visit]:
        """The container that the thing was put into, until it was taken out."""
        if put_in.action != "ADD" or put_in.parent is None:
            return
        for mention in self._histories.of(visit.epc):
            later = mention.happening
            if (
                later.action == "DELETE"
                and later.parent == put_in.parent
                and later.event_type == put_in.event_type
                and (later.time, later.key) > (put_in.time, put_in.key)
            ):
                end = min(end, later.time)
                break
        relation = visit.relation if visit.relation is Relation.INPUT else Relation.CONTAINER
        yield _Visit(put_in.parent, put_in.time, end, relation, inside=visit.epc)

    def _inputs(self, made: Happening) -> Iterator[_Visit]:
        """What a transformation used up, also where its inputs and outputs are told apart by a
        transformationID (EPCIS 2.0, section 7.4.6)."""
        parts = [made]
        if made.transformation is not None and made.transformation not in self._transformations:
            self._transformations.add(made.transformation)
            parts += self._histories.transformations([made.transformation])
        for part in parts:
            for epc in part.inputs:
                if epc != self._item:
                    end = max(part.time, made.time)
                    yield _Visit(epc, ALWAYS[0], end, Relation.INPUT)

    def _lots(self, lot_of_link: str | None) -> Iterator[_Visit]:
        """The item's lots: as its events say, else as its link says."""
        gtin = _gtin(self._item)
        if gtin is None:
            return
        lots: set[str] = set()
        for mention in self._histories.of(self._item):
            if Role.EPC in mention.roles or Role.OUTPUT in mention.roles:
                lots.update(_lots_told(mention.happening, gtin))
        if not lots and lot_of_link is not None:
            lots.add(lot_of_link)
        for lot in sorted(lots):
            yield _Visit(lot, *ALWAYS, Relation.LOT)


def _takes_apart(happening: Happening) -> bool:
    """A DELETE that names no children empties the whole container."""
    return (
        happening.event_type in _NESTING
        and happening.action == "DELETE"
        and not happening.names_children
    )


def _gtin(epc: str) -> str | None:
    """The GTIN of a serialised item."""
    if not epc.startswith(_CLASS_BASE) or "/21/" not in epc:
        return None
    return epc.removeprefix(_CLASS_BASE).partition("/")[0]


def _lot_class(gtin: str, lot: str) -> str:
    return thing_key(f"{_CLASS_BASE}{gtin}/10/{quote(lot, safe='')}")


def _lots_told(happening: Happening, gtin: str) -> set[str]:
    """Lots of that GTIN that a commissioning event or a transformation gives its things."""
    body = happening.body
    lots = {_lot_class(gtin, number) for number in _lot_numbers(body)}
    if happening.action == "ADD" or happening.event_type == "TransformationEvent":
        for name in ("quantityList", "outputQuantityList"):
            for element in body.get(name) or ():
                key = thing_key(element["epcClass"])
                if key.startswith(f"{_CLASS_BASE}{gtin}/10/"):
                    lots.add(key)
    return lots


def _lot_numbers(body: dict[str, Any]) -> Iterator[str]:
    ilmd = body.get("ilmd")
    if ilmd:
        prefixes = prefixes_of(body.get("@context"))
        for name, value in ilmd.items():
            if isinstance(value, str) and extension_name(name, prefixes) == _LOT_NUMBER:
                yield value
