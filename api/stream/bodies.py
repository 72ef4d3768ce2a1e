"""A notice as pages, streams and webhooks give it: the same bytes for one organisation."""

from __future__ import annotations

from typing import Any

import orjson

from api.sight import unveiled
from contracts.instruments import Viewer
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


def told_json(notice: StoredNotice, known: bytes, viewer: Viewer) -> bytes:
    """The notice in JSON as it is told to him; `known` is that of who is told all of it."""
    shown = unveiled(notice, viewer)
    return known if shown is notice else notice_json(shown)


def notice_json(notice: StoredNotice) -> bytes:
    """The same, encoded; one line."""
    return orjson.dumps(notice_body(notice))
