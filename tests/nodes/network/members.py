"""Members' nodes that answer as they are told, honest unless changed."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ledger.chain import Genesis
from ledger.consensus.cometbft import engine_genesis
from ledger.tlog import Checkpoint, Ed25519Key, NoteSigner, SignatureType, sign_checkpoint
from nodes.network.founding import consortium_genesis, consortium_trust
from tests.nodes.network.support import ORIGIN, TIME, descriptor
from tests.nodes.network.test_engine_header import SECOND

KEYS = [Ed25519Key.generate() for _ in range(4)]
FOUNDERS = [
    descriptor(f"member-{number}", number + 1, witness_key=key.public_key)
    for number, key in enumerate(KEYS)
]
GENESIS = Genesis.decode(consortium_genesis(FOUNDERS, ORIGIN, TIME))
TRUST = consortium_trust(GENESIS)
ROOT = bytes.fromhex(SECOND["app_hash"])


def cosigned(count: int, root: bytes = ROOT, size: int = 5) -> str:
    """A checkpoint with the signatures of so many founders."""
    signers = [
        NoteSigner(f"{ORIGIN}/member-{number}", key, SignatureType.COSIGNATURE)
        for number, key in enumerate(KEYS[:count])
    ]
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), signers)


class Member:
    """What a member's node answers; honest unless changed."""

    def __init__(self) -> None:
        self.genesis: bytes = GENESIS.document
        self.engine_genesis: bytes = engine_genesis(GENESIS)
        self.checkpoint: str | None = cosigned(3)
        self.nodes: list[dict[str, Any]] = []
        self.headers: dict[int, dict[str, Any]] = {2: SECOND}
        self.snapshots: list[dict[str, int]] = []
        self.raw: dict[str, bytes] = {}
        self.url = ""
        self._server: ThreadingHTTPServer | None = None

    def answer(self, path: str, body: bytes) -> bytes:
        """The body for a request."""
        if path in self.raw:
            return self.raw[path]
        if path == "/network/genesis":
            return self.genesis
        if path == "/network/engine-genesis":
            return self.engine_genesis
        if path == "/network":
            engine = {"chainId": "tally-x", "height": 2, "snapshots": self.snapshots}
            view = {"engine": engine, "checkpoint": self.checkpoint, "nodes": self.nodes}
            return json.dumps(view).encode()
        call = json.loads(body)
        result: dict[str, Any] = {"sync_info": {"latest_block_height": "2"}}
        if call["method"] == "header":
            result = {"header": self.headers.get(int(call["params"]["height"]))}
        return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()

    def start(self) -> None:
        """Listen on a free port."""
        member = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                data = member.answer(self.path, body)
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
