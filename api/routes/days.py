"""Days in requests: calendar days of a fixed offset from UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta, timezone
from typing import Annotated, Final

from fastapi import Path, Query

from api.errors import ProblemPart, QueryInvalid
from contracts.settlement import bounds_of

DAYS_MAX: Final = 366
"""That are answered at once."""
_PATTERN: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_FIRST: Final = date(1970, 1, 1)
_LAST: Final = date(9999, 1, 1)
_OFFSET_MAX: Final = 840

DayPath = Annotated[str, Path(alias="date", pattern=_PATTERN, description="YYYY-MM-DD")]
Day = Annotated[str, Query(alias="date", pattern=_PATTERN, description="YYYY-MM-DD")]
LastDay = Annotated[
    str | None,
    Query(alias="to", pattern=_PATTERN, description="the last day; by default the same one"),
]
UtcOffset = Annotated[
    int,
    Query(
        alias="utcOffset",
        ge=-_OFFSET_MAX,
        le=_OFFSET_MAX,
        description="where days begin: minutes east of UTC, such as 480",
    ),
]


@dataclass(frozen=True, slots=True)
class Days:
    """Some days, one after the other."""

    first: date
    last: date
    zone: timezone

    @property
    def bounds(self) -> tuple[int, int]:
        """Unix seconds; the second one is no more of the last day."""
        return bounds_of(self.first, self.last, self.zone)

    def around(self, days: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Bounds of the days before, and of those after."""
        since, until = self.bounds
        return (since - days * 86_400, since), (until, until + days * 86_400)


def days_of(first: str, last: str | None, utc_offset: int) -> Days:
    """What was asked for. Raises `QueryInvalid`."""
    begin = _day("date", first)
    end = begin if last is None else _day("to", last)
    if not 0 <= (end - begin).days < DAYS_MAX:
        raise _invalid("to", f"is not within {DAYS_MAX} days from {begin}")
    return Days(begin, end, timezone(timedelta(minutes=utc_offset)))


def _day(parameter: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise _invalid(parameter, f"{text} is no day") from error
    if not _FIRST <= day <= _LAST:
        raise _invalid(parameter, f"{text} is before {_FIRST} or after {_LAST}")
    return day


def _invalid(parameter: str, told: str) -> QueryInvalid:
    detail = f"{parameter}: {told}"
    return QueryInvalid(detail, errors=[ProblemPart(detail, parameter=parameter)])
