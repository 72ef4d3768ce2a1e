"""The conditions that a query is made of, each knowing its SQL. All must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from operator import eq, ge, gt, le, lt
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, false, or_, select

from traceability.projection.tables import (
    Role,
    event,
    event_epc,
    event_quantity,
    event_term,
)
from traceability.query.patterns import Matcher, prefix_end


class Comparison(Enum):
    """The comparing starts of parameter names."""

    EQ = "EQ"
    GT = "GT"
    GE = "GE"
    LT = "LT"
    LE = "LE"

    @property
    def operator(self) -> Callable[[Any, Any], Any]:
        return {"EQ": eq, "GT": gt, "GE": ge, "LT": lt, "LE": le}[self.value]


class Condition(Protocol):
    """One condition; hashable and of stable `repr`, which page tokens are bound to."""

    def clause(self) -> ColumnElement[bool]:
        """True for the rows of table `event` that it lets pass."""


@dataclass(frozen=True, slots=True)
class ColumnIn:
    """A column has one of the values, or begins with one of the prefixes."""

    column: str
    values: tuple[str, ...]
    prefixes: tuple[str, ...] = ()

    def clause(self) -> ColumnElement[bool]:
        return _matches(event.c[self.column], self.values, self.prefixes)


@dataclass(frozen=True, slots=True)
class ColumnCompare:
    """A time column compares with a moment in microseconds since 1970."""

    column: str
    comparison: Comparison
    value: int

    def clause(self) -> ColumnElement[bool]:
        clause: ColumnElement[bool] = self.comparison.operator(event.c[self.column], self.value)
        return clause


@dataclass(frozen=True, slots=True)
class ColumnExists:
    """A column has a value."""

    column: str

    def clause(self) -> ColumnElement[bool]:
        return event.c[self.column].is_not(None)


@dataclass(frozen=True, slots=True)
class HasThing:
    """The event names one of these things in one of these roles."""

    roles: tuple[Role, ...]
    things: Matcher

    def clause(self) -> ColumnElement[bool]:
        found = select(event_epc.c.event).where(
            _matches(event_epc.c.epc, self.things.exact, self.things.prefixes),
            event_epc.c.role.in_([int(role) for role in self.roles]),
        )
        return event.c.pk.in_(found)


@dataclass(frozen=True, slots=True)
class HasTerm:
    """The event has this field with one of the values; with any value where none is given."""

    field: str
    values: tuple[str, ...] = ()

    def clause(self) -> ColumnElement[bool]:
        found = select(event_term.c.event).where(event_term.c.field == self.field)
        if self.values:
            found = found.where(event_term.c.value.in_(self.values))
        return event.c.pk.in_(found)


@dataclass(frozen=True, slots=True)
class HasQuantity:
    """One of the event's quantities compares with the value."""

    comparison: Comparison
    value: float

    def clause(self) -> ColumnElement[bool]:
        compared = self.comparison.operator(event_quantity.c.quantity, self.value)
        return event.c.pk.in_(select(event_quantity.c.event).where(compared))


@dataclass(frozen=True, slots=True)
class HasEventId:
    """The event has one of these ids: hash ids as (hash, version), or its submitter's own."""

    hashes: tuple[tuple[bytes, str], ...]
    own: tuple[str, ...]

    def clause(self) -> ColumnElement[bool]:
        clauses: list[ColumnElement[bool]] = []
        if self.hashes:
            versions = {version for _, version in self.hashes}
            for version in sorted(versions):
                hashes = [hash_ for hash_, its in self.hashes if its == version]
                clauses.append(and_(event.c.hash.in_(hashes), event.c.version == version))
        own = HasTerm("eventID", self.own)
        if self.own:
            clauses.append(own.clause())
        return or_(false(), *clauses)


def _matches(
    column: ColumnElement[str], values: tuple[str, ...], prefixes: tuple[str, ...]
) -> ColumnElement[bool]:
    clauses: list[ColumnElement[bool]] = [
        and_(column >= prefix, column < prefix_end(prefix)) for prefix in prefixes
    ]
    if values:
        clauses.append(column.in_(values))
    return or_(false(), *clauses)
