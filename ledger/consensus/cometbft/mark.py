"""The consensus mark: how far the engine has come, stored with the block in the same commit.

Every node writes the same bytes for a height, so that snapshots of it are equal byte by byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.canonical import JsonError, canonical_json, parse_json
from ledger.consensus.cometbft.errors import MarkInvalid

DRIVER: Final = "cometbft"
_SIZE_BYTES_MAX: Final = 1_024
_HEIGHT_MAX: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Mark:
    """The engine's last height that the ledger has made durable."""

    chain: str
    """The engine's chain id: marks of another network are told apart."""
    height: int
    time_ns: int
    """The engine's block time, nanoseconds since 1970."""

    def encode(self) -> bytes:
        """RFC 8785 canonical JSON."""
        return canonical_json(
            {
                "chain": self.chain,
                "driver": DRIVER,
                "height": self.height,
                "nanos": self.time_ns % 10**9,
                "seconds": self.time_ns // 10**9,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Mark:
        """Read `encode` back. Raises `MarkInvalid`."""
        try:
            fields = parse_json(data, size_bytes_max=_SIZE_BYTES_MAX, depth_max=2)
        except JsonError as error:
            raise MarkInvalid(f"the stored consensus mark is damaged: {error}") from error
        match fields:
            case {
                "driver": "cometbft",
                "chain": str(chain),
                "height": int(height),
                "seconds": int(seconds),
                "nanos": int(nanos),
            } if 0 < height <= _HEIGHT_MAX and 0 <= nanos < 10**9:
                # int(): what JSON calls true must not come out as it went in.
                mark = cls(chain, int(height), int(seconds) * 10**9 + int(nanos))
                if mark.encode() == data:
                    return mark
        raise MarkInvalid(f"the stored consensus mark is not one of {DRIVER}: {data[:80]!r}")
