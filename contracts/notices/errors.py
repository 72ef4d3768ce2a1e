"""What can go wrong with notices."""

from __future__ import annotations

from contracts.errors import ContractError


class NoticeError(ContractError):
    """Base of all errors of this room."""


class NoticeMalformed(NoticeError):
    """A room has told a notice that does not fit the feed: a fault of that room."""


class PlaceMalformed(NoticeError):
    """A text that is no notice's id."""
