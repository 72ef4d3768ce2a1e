"""CometBFT block headers: their hash, computed here, so that it binds the log root in them.

Source: CometBFT v0.38, `types/block.go` (`Header.Hash`), spec/core/encoding.md and
spec/core/data_structures.md. The hash is the RFC 6962 Merkle root of the fields, each in protobuf.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.tlog import leaf_hash, root_of
from nodes.network.errors import JoinRefused

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
_NUMBER_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class EngineHeader:
    """What is needed of a header."""

    height: int
    hash: bytes
    """32 bytes, computed from all its fields."""
    chain_id: str
    """Of the engine's network."""
    app_hash: bytes
    """Root of the log before this height's transactions."""


def read_header(fields: object) -> EngineHeader:
    """A header as the engine's RPC has it. Raises `JoinRefused` for anything else."""
    try:
        if not isinstance(fields, dict):
            raise TypeError("it is no object")
        height, chain_id = _number(fields["height"]), _text(fields["chain_id"])
        parts = [
            _version(fields["version"]),
            _wrapped(chain_id.encode()),
            _field(1, height),
            _timestamp(_text(fields["time"])),
            _block_id(fields["last_block_id"]),
            *(_wrapped(bytes.fromhex(_text(fields[name]))) for name in _HASHES),
        ]
        app_hash = bytes.fromhex(_text(fields["app_hash"]))
    except (KeyError, TypeError, ValueError) as bad:
        raise JoinRefused(f"what should be a header of the engine is none: {bad!r}") from None
    digest = root_of([leaf_hash(part) for part in parts])
    return EngineHeader(height, digest, chain_id, app_hash)


_HASHES = (
    "last_commit_hash",
    "data_hash",
    "validators_hash",
    "next_validators_hash",
    "consensus_hash",
    "app_hash",
    "last_results_hash",
    "evidence_hash",
    "proposer_address",
)


def _version(fields: Mapping[str, Any]) -> bytes:
    return _field(1, _number(fields["block"])) + _field(2, _number(fields.get("app", 0)))


def _timestamp(text: str) -> bytes:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:60]!r} is no time")
    seconds = calendar.timegm(datetime.fromisoformat(found[1]).timetuple())
    if seconds < 0:
        raise ValueError(f"{text[:60]!r} is before 1970")
    return _field(1, seconds) + _field(2, int((found[2] or "0").ljust(9, "0")))


def _block_id(fields: Mapping[str, Any]) -> bytes:
    parts = fields["parts"]
    inner = _field(1, _number(parts["total"])) + _bytes(2, bytes.fromhex(_text(parts["hash"])))
    # The part set header is not optional: it is written also where it is empty.
    return _bytes(1, bytes.fromhex(_text(fields["hash"]))) + b"\x12" + _varint(len(inner)) + inner


def _wrapped(value: bytes) -> bytes:
    """A BytesValue or StringValue; nothing for an empty one."""
    return _bytes(1, value)


def _bytes(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(value)) + value if value else b""


def _field(number: int, value: int) -> bytes:
    return bytes([number << 3]) + _varint(value) if value else b""


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(value: object) -> int:
    """64-bit numbers are strings in the engine's JSON, smaller ones are not."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text[:40]!r} is no number")
    if len(text) > 19 or int(text) > _NUMBER_MAX:
        raise ValueError(f"{text[:40]!r} is too large")
    return int(text)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value
