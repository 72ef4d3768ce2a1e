"""The names of tiles as resources (C2SP tlog-tiles, "Merkle Tree" and "Log entries")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger.tlog.errors import TlogError
from ledger.tlog.tiles import TILE_WIDTH

LEVEL_MAX = 63
_INDEX_MAX = 2**63 - 1
_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]{1,2})/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class TilePath:
    """One tile, or one bundle of entries."""

    level: int | None
    """None for a bundle of entries."""
    index: int
    width: int = TILE_WIDTH
    """Hashes or entries in it: 256 when full."""

    def __str__(self) -> str:
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        index = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{index}{partial}"

    @classmethod
    def parse(cls, path: str) -> TilePath:
        """Read `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`, one spelling only.

        Raises `TlogError`.
        """
        match = _PATH.fullmatch(path)
        if match is None:
            raise TlogError(f"{path[:80]!r} is no path of a tile")
        level = None if match["level"] == "entries" else int(match["level"])
        width = TILE_WIDTH if match["width"] is None else int(match["width"])
        parsed = cls(level, int(match["index"].replace("/", "").replace("x", "")), width)
        bounded = (level or 0) <= LEVEL_MAX and parsed.index <= _INDEX_MAX and width <= TILE_WIDTH
        if not bounded or str(parsed) != path:
            raise TlogError(f"{path[:80]!r} is no path of a tile")
        return parsed
