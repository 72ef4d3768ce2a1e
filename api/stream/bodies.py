"""A notice as pages, streams and webhooks give it: the same bytes everywhere."""

from __future__ import annotations

from typing import Any

import orjson

from contracts.notices import StoredNotice


def notice_body(notice: StoredNotice) -> dict[str, Any]:
    """The notice in JSON. `time` in Unix seconds; `proof` is where the leaf's proof is had."""
    return {
        "id": str(notice.place),
        "kind": notice.kind,
        "instrument": notice.record,
        "time": notice.time,
        "transaction": notice.transaction_hash,
        "block": notice.place.block_number,
        "leaf": notice.leaf_index,
        "proof": f"/log/proof/{notice.leaf_index}",
        "body": notice.body,
    }


def notice_json(notice: StoredNotice) -> bytes:
    """The same, encoded; one line."""
    return orjson.dumps(notice_body(notice))
