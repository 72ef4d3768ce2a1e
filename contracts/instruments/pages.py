"""Lists in pages: by key, so that a page is as quick as the first, and nothing comes twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy.engine import Row

from contracts.errors import ContractError

LIMIT_MAX: Final = 1_000
LIMIT_DEFAULT: Final = 50
_CURSOR: Final = re.compile(r"\d{1,19}(-\d{1,19})?")
_WORD_MAX: Final = 2**63 - 1

Item = TypeVar("Item")
Other = TypeVar("Other")


class CursorInvalid(ContractError, ValueError):
    """What should go on after a page was given by no page."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list."""

    items: tuple[Item, ...]
    after: str | None
    """Where the next page begins; None: this was the last."""

    def map(self, change: Callable[[Item], Other]) -> Page[Other]:
        """The same page of something else."""
        return Page(tuple(change(item) for item in self.items), self.after)


def page_of(
    rows: Sequence[Row[Any]],
    limit: int,
    item: Callable[[Row[Any]], Item],
    cursor: Callable[[Row[Any]], Sequence[int]],
) -> Page[Item]:
    """A page of `limit` rows out of up to one more, which says that there is another page."""
    shown = rows[:limit]
    after = "-".join(str(part) for part in cursor(shown[-1])) if len(rows) > limit else None
    return Page(tuple(item(row) for row in shown), after)


def parse_cursor(after: str | None, parts: int) -> tuple[int, ...] | None:
    """The numbers in a cursor. Raises `CursorInvalid` where it has not that many."""
    if after is None:
        return None
    if not _CURSOR.fullmatch(after):
        raise CursorInvalid(f"after: {after[:40]!r} is not what a page of this list has given")
    numbers = tuple(int(part) for part in after.split("-"))
    if len(numbers) != parts or max(numbers) > _WORD_MAX:
        raise CursorInvalid(f"after: {after[:40]!r} is not what a page of this list has given")
    return numbers


def bounded(limit: int) -> int:
    """A limit within 1 and `LIMIT_MAX`."""
    return max(1, min(limit, LIMIT_MAX))
