"""A new node comes in by the engine's state sync, from real engines, without replaying a block."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ledger.chain import Genesis, Ledger, StateNotKept
from ledger.consensus.cometbft import (
    CometBftDriver,
    EngineSettings,
    StateSync,
    ensure_node_key,
    ensure_validator_key,
)
from ledger.consensus.cometbft.mark import Mark
from ledger.snapshot import (
    Restorer,
    SnapshotMaker,
    SnapshotService,
    SnapshotStore,
    manifest,
    stream,
    write_snapshot,
)
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import sender
from tests.ledger.consensus.cometbft.conftest import cometbft  # noqa: F401
from tests.ledger.consensus.cometbft.network import free_ports, until
from tests.ledger.consensus.cometbft.support import Node, consortium_genesis

pytestmark = [
    pytest.mark.feature("N4"),
    pytest.mark.consortium,
    pytest.mark.usefixtures("cometbft"),
    pytest.mark.timeout(240),
]


@contextmanager
def light_service(driver: CometBftDriver) -> Iterator[str]:
    """The engine's read-only methods over HTTP, as a member's API serves them."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = {"jsonrpc": "2.0", "id": asked["id"]}
            try:
                answer["result"] = driver.engine_rpc(asked["method"], asked.get("params") or {})
            except Exception as error:
                answer["error"] = {"code": -32603, "message": str(error), "data": ""}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Liar(SnapshotService):
    """Serves chunks with one bit flipped."""

    asked = 0

    def load_chunk(self, height: int, format: int, index: int) -> bytes:  # noqa: A002
        self.asked += 1
        chunk = bytearray(super().load_chunk(height, format, index))
        chunk[len(chunk) // 2] ^= 1
        return bytes(chunk)


@dataclass
class Party:
    """A validator, a node that only follows it, and one that is about to join."""

    homes: list[Path]
    ports: list[int]
    ids: list[bytes]
    genesis: Genesis

    @classmethod
    def at(cls, place: Path) -> Party:
        homes = [place / name / "engine" for name in ("validator", "follower", "joiner")]
        ids = [ensure_node_key(home) for home in homes]
        validator = Node(ids[0], ensure_validator_key(homes[0]))
        others = [Node(one, None, power=0) for one in ids[1:]]
        return cls(homes, free_ports(3), ids, consortium_genesis([validator, *others]))

    def ledger(self, index: int) -> Ledger:
        return Ledger.open(
            self.homes[index].parent / "chain",
            genesis=self.genesis,
            signer=NoteSigner("tallystick.example/test", bytes([index + 1]) * 32),
            map_size_bytes=1 << 30,
        )

    def shelf(self, index: int) -> SnapshotStore:
        return SnapshotStore(self.homes[index].parent / "snapshots")

    def settings(
        self, index: int, peers: tuple[int, ...], state_sync: StateSync | None = None
    ) -> EngineSettings:
        return EngineSettings(
            self.homes[index],
            p2p_listen=f"127.0.0.1:{self.ports[index]}",
            peers=tuple(f"{self.ids[one].hex()}@127.0.0.1:{self.ports[one]}" for one in peers),
            state_sync=state_sync,
        )


@contextmanager
def running(ledger: Ledger, settings: EngineSettings, service: SnapshotService) -> Iterator[Any]:
    driver = CometBftDriver(ledger, settings, snapshots=service)
    driver.start()
    try:
        yield driver
    finally:
        driver.stop()


def stands_still(one: Ledger, other: Ledger) -> bool:
    """Whether both are at one height and stay there: no empty block follows any more."""
    before = one.consensus_mark()
    time.sleep(0.7)
    return before == one.consensus_mark() == other.consensus_mark()


def since_the_first(driver: CometBftDriver, url: str) -> StateSync:
    """Trust in the first header; what its hash is, a member would read in a bulletin."""
    commit: Any = driver.engine_rpc("commit", {"height": "1"})
    trusted = bytes.fromhex(commit["signed_header"]["commit"]["block_id"]["hash"])
    return StateSync((url, url), trust_height=1, trust_hash=trusted)


def test_a_node_joins_by_snapshot_and_goes_on_with_the_others(tmp_path: Path) -> None:
    party, who = Party.at(tmp_path), sender(1)
    with party.ledger(0) as old, party.ledger(2) as new:
        service = SnapshotService(old, party.shelf(0))
        with running(old, party.settings(0, ()), service) as first:
            first.wait_ready(60)
            for number in range(6):
                old.wait_for(old.submit(who.call(number)), 60)
            info = SnapshotMaker(party.homes[0].parent / "chain", party.shelf(0)).make()
            for number in range(6, 9):  # the light client needs two headers behind it
                old.wait_for(old.submit(who.call(number)), 60)
            until(lambda: first.height() >= info.height + 2)
            taking = SnapshotService(new, party.shelf(2), Restorer(new))
            with (
                light_service(first) as url,
                running(new, party.settings(2, (0,), since_the_first(first, url)), taking),
            ):
                until(lambda: new.log.root == old.log.root, 120, "the same log root")
                mark = new.consensus_mark()
                assert mark is not None
                assert Mark.decode(mark).height >= info.height
                with pytest.raises(StateNotKept), new.state(3):
                    pass
                assert new.committed(2) == old.committed(2)
                old.wait_for(old.submit(who.call(99)), 60)
                until(lambda: new.head() == old.head(), 60, "the next block")
                new.verify_integrity()


def test_chunks_of_a_liar_are_fetched_from_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (manifest, stream):
        monkeypatch.setattr(module, "CHUNK_SIZE_BYTES", 1_000)
    party, who = Party.at(tmp_path), sender(1)
    with party.ledger(0) as old, party.ledger(1) as follower, party.ledger(2) as new:
        honest = SnapshotService(old, party.shelf(0))
        liar = Liar(follower, party.shelf(1))
        with (
            running(old, party.settings(0, ()), honest) as first,
            running(follower, party.settings(1, (0,)), liar),
        ):
            first.wait_ready(60)
            for number in range(9):
                old.wait_for(old.submit(who.call(number)), 60)
            until(lambda: stands_still(old, follower), what="an idle network")
            for index, ledger in ((0, old), (1, follower)):
                with ledger._open_snapshot() as view:
                    info = write_snapshot(view, party.shelf(index).directory)
            assert party.shelf(0).list() == party.shelf(1).list() == [info]
            assert info.chunks > 10
            for number in range(9, 12):
                old.wait_for(old.submit(who.call(number)), 60)
            until(lambda: first.height() >= info.height + 2)
            taking = SnapshotService(new, party.shelf(2), Restorer(new))
            with (
                light_service(first) as url,
                running(new, party.settings(2, (0, 1), since_the_first(first, url)), taking),
            ):
                until(lambda: new.log.root == old.log.root, 180, "the same log root")
            assert liar.asked
            with pytest.raises(StateNotKept), new.state(3):
                pass
