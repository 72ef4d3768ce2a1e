"""A notice as the feed keeps it, and its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.instruments.notices import Json
from contracts.notices.errors import PlaceMalformed

_LOG_BITS: Final = 22
_PART_BITS: Final = 4
_BLOCK_MAX: Final = (1 << (63 - _LOG_BITS - _PART_BITS)) - 1
_LOG_MAX: Final = (1 << _LOG_BITS) - 1
_PART_MAX: Final = (1 << _PART_BITS) - 1
_TEXT: Final = re.compile(r"(0|[1-9][0-9]{0,11})-(0|[1-9][0-9]{0,6})-(0|[1-9][0-9]?)")

BEGINNING: Final = -1
"""The position before every notice."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where the chain has a notice: block, log within the block, which of the log's notices.

    Its text, `<block>-<log>-<n>`, is the notice's id; its position (a number of 63 bits) is the
    order of the feed. Both are functions of the chain alone.
    """

    block_number: int
    log_index: int
    part: int

    @property
    def position(self) -> int:
        return (self.block_number << _LOG_BITS | self.log_index) << _PART_BITS | self.part

    @classmethod
    def end_of(cls, block_number: int) -> Place:
        """The last place that a block can have: whoever has read so far goes on after the block."""
        return cls(block_number, _LOG_MAX, _PART_MAX)

    @classmethod
    def of(cls, position: int) -> Place:
        """The place of a position."""
        rest, part = position >> _PART_BITS, position & _PART_MAX
        return cls(rest >> _LOG_BITS, rest & _LOG_MAX, part)

    @classmethod
    def parse(cls, text: str) -> Place:
        """The place in an id. Raises `PlaceMalformed`."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise PlaceMalformed(f"{text[:40]!r} is no notice's id: <block>-<log>-<n> is meant")
        block, log, part = map(int, found.groups())
        if block > _BLOCK_MAX or log > _LOG_MAX or part > _PART_MAX:
            raise PlaceMalformed(f"{text[:40]!r} lies beyond what a chain can have")
        return cls(block, log, part)

    def __str__(self) -> str:
        return f"{self.block_number}-{self.log_index}-{self.part}"


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A notice in the feed."""

    place: Place
    kind: str
    record: str
    """Id of the record: `0x` and 64 hex digits."""
    body: Mapping[str, Json]
    time: int
    """Of the block, Unix seconds."""
    transaction_hash: str
    leaf_index: int
    """Of the event's leaf in the transparency log."""


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices are wanted. Empty parts want all."""

    kinds: tuple[str, ...] = ()
    """Whole kinds, or `<record>.*` for all of one sort of record."""
    record: str = ""
    families: tuple[str, ...] | None = None
    """What kinds begin with before the dot, of which there may be any at all; None: whichever."""

    def wants(self, notice: StoredNotice) -> bool:
        """Whether the notice is among them."""
        if self.record and notice.record != self.record:
            return False
        return self.wants_kind(notice.kind)

    def wants_kind(self, kind: str) -> bool:
        """Whether notices of that kind are among them."""
        family = kind.partition(".")[0]
        if self.families is not None and family not in self.families:
            return False
        return not self.kinds or kind in self.kinds or f"{family}.*" in self.kinds
