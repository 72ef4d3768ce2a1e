"""Whose events are told: one line for each room, by the contract's name in the Directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts.instruments.notices import Source

SOURCES: Final[Mapping[str, Source]] = {}
