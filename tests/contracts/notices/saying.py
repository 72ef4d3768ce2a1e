"""A contract that says in JSON what is to be told, and a handler that listens to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from contracts.instruments.notices import Notice
from contracts.notices import NoticesHandler
from ledger.types import Log
from tests.ledger.projection.support import COUNTED, OTHER

NAMES = ("ash", "birch", "cedar")
RECORDS = tuple(f"0x{number:064x}" for number in range(4))


def told(log: Log) -> tuple[Notice, ...]:
    """A source whose logs say in JSON what is to be told."""
    return tuple(
        Notice(
            **{
                **one,
                "parties": None if one["parties"] is None else frozenset(one["parties"]),
                "by": tuple(one.get("by", ())),
            }
        )
        for one in orjson.loads(log.data)
    )


def say(*notices: dict[str, Any]) -> Log:
    return Log(COUNTED, (), orjson.dumps(list(notices)))


def one(
    kind: str = "thing.done", record: int = 0, parties: Sequence[str] | None = NAMES
) -> dict[str, Any]:
    return {"kind": kind, "id": RECORDS[record], "parties": parties, "body": {"n": record}}


def handler() -> NoticesHandler:
    return NoticesHandler({"receipts": COUNTED}, {"receipts": told}, OTHER)
