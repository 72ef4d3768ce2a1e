"""The feed: what happened to records, in the chain's order, for those whom it concerns."""

from contracts.notices.errors import NoticeError, NoticeMalformed, PlaceMalformed
from contracts.notices.projection import NoticesHandler
from contracts.notices.queries import (
    find_notices,
    newest_position,
    parties_of,
    position_before,
)
from contracts.notices.tables import metadata
from contracts.notices.types import BEGINNING, NoticeFilter, Place, StoredNotice

__all__ = [
    "BEGINNING",
    "NoticeError",
    "NoticeFilter",
    "NoticeMalformed",
    "NoticesHandler",
    "Place",
    "PlaceMalformed",
    "StoredNotice",
    "find_notices",
    "metadata",
    "newest_position",
    "parties_of",
    "position_before",
]
