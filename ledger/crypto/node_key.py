"""The key by which CometBFT's peers know a node (CometBFT v0.38, `p2p/key.go`).

CometBFT reads it from a file in clear. It is kept sealed in the key store, is written into the
engine's folder (mode 0600) when the engine starts and removed when it has stopped: at rest nothing
is in clear. Whoever steals it while the node runs can pretend to be this node on the wire; no
vote, checkpoint or transaction is signed with it.
"""

from __future__ import annotations

import base64
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger.tlog import Ed25519Key

NODE_ID_SIZE_BYTES: Final = 20


def node_id(public_key: bytes) -> bytes:
    """Address of an Ed25519 key in CometBFT: the first 20 bytes of its SHA-256."""
    return sha256(public_key).digest()[:NODE_ID_SIZE_BYTES]


def write_node_key(path: Path, key: Ed25519Key) -> None:
    """Write CometBFT's `node_key.json`, in place of one that is there. Mode 0600."""
    value = base64.b64encode(key.seed + key.public_key).decode()
    text = json.dumps({"priv_key": {"type": "tendermint/PrivKeyEd25519", "value": value}})
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
