"""Days as spans of block time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def bounds_of(first: date, last: date, zone: tzinfo = UTC) -> tuple[int, int]:
    """Unix seconds from the first moment of the first day to that after the last day.

    `last` is before 9999-12-31.
    """
    start = datetime.combine(first, time(), zone)
    end = datetime.combine(last + timedelta(days=1), time(), zone)
    return int(start.timestamp()), int(end.timestamp())
