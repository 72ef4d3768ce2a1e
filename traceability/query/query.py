"""An event query, parsed: conditions, order, bounds, page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from traceability.projection.vocabulary import prefixes_of
from traceability.query.conditions import Condition
from traceability.query.errors import QueryParameterUnsupported, QueryValueInvalid
from traceability.query.parameters import condition

PER_PAGE_DEFAULT: Final = 30
PER_PAGE_MAX: Final = 1_000
PARAMETERS_MAX: Final = 40
LIMIT_MAX: Final = 1_000_000
_ORDER_COLUMNS: Final = {"eventTime": "event_time", "recordTime": "record_time"}


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What to find. Made by `parse`."""

    conditions: tuple[Condition, ...] = ()
    order_by: str | None = None
    """Column of table `event`, or None: in the order of anchoring."""
    descending: bool = False
    event_count_limit: int | None = None
    """No more than this many events, over all pages."""
    max_event_count: int | None = None
    """More matching events than this are an error."""
    per_page: int = PER_PAGE_DEFAULT
    page_token: str | None = None

    @classmethod
    def parse(
        cls, parameters: Iterable[tuple[str, str]], namespaces: Mapping[str, str] | None = None
    ) -> EventQuery:
        """Read query parameters by their names in the standard; several values stand between `|`.

        `namespaces`: prefixes of extension names to IRIs (header `GS1-Extensions`). Raises
        `QueryParameterUnknown`, `QueryParameterUnsupported` or `QueryValueInvalid`.
        """
        given = _distinct(parameters)
        prefixes = prefixes_of(dict(namespaces or {}))
        limit = _count(given, "eventCountLimit", 1, LIMIT_MAX)
        most = _count(given, "maxEventCount", 1, LIMIT_MAX)
        if limit is not None and most is not None:
            raise QueryValueInvalid("eventCountLimit and maxEventCount exclude each other")
        order_by = _order(given.pop("orderBy", None))
        descending = _direction(given.pop("orderDirection", None), order_by)
        per_page = _count(given, "perPage", 1, PER_PAGE_MAX) or PER_PAGE_DEFAULT
        token = given.pop("nextPageToken", None)
        conditions = tuple(condition(name, text, prefixes) for name, text in given.items())
        return cls(conditions, order_by, descending, limit, most, per_page, token)

    @property
    def fingerprint(self) -> str:
        """Equal for queries that give the same events in the same order, whatever the page."""
        parts = (
            sorted(map(repr, self.conditions)),
            self.order_by,
            self.descending,
            self.event_count_limit,
            self.max_event_count,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _distinct(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, text in parameters:
        if name in given:
            raise QueryValueInvalid(f"{name}: given twice; write several values with | between")
        if not _is_unicode(name + text):
            raise QueryValueInvalid("a parameter holds half a character (a lone surrogate)")
        given[name] = text
        if len(given) > PARAMETERS_MAX:
            raise QueryValueInvalid(f"more than {PARAMETERS_MAX} parameters")
    return given


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _count(given: dict[str, str], name: str, least: int, most: int) -> int | None:
    text = given.pop(name, None)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise QueryValueInvalid(f"{name}: {text[:40]!r} is not a number from {least} to {most}")
    return int(text)


def _order(text: str | None) -> str | None:
    if text is None:
        return None
    if text not in _ORDER_COLUMNS:
        raise QueryParameterUnsupported(
            f"orderBy: {text[:80]!r} is not supported, only eventTime and recordTime are"
        )
    return _ORDER_COLUMNS[text]


def _direction(text: str | None, order_by: str | None) -> bool:
    """Descending, as the standard's default has it, where there is an order at all."""
    if text not in (None, "ASC", "DESC"):
        raise QueryValueInvalid(f"orderDirection: {str(text)[:40]!r} is neither ASC nor DESC")
    if order_by is None:
        if text is not None:
            raise QueryValueInvalid("orderDirection: needs orderBy")
        return False
    return text != "ASC"
