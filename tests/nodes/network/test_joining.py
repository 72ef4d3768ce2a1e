"""A joiner believes its trust file, and none of the members' nodes that it asks."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ledger.chain import Genesis
from ledger.tlog import (
    Checkpoint,
    Ed25519Key,
    NoteSigner,
    SignatureType,
    leaf_hash,
    root_of,
    sign_checkpoint,
)
from nodes.cli.start import run_node
from nodes.errors import NodeError, NodeUnreachable
from nodes.layout import NodeDirectory
from nodes.network import joining
from nodes.network.errors import JoinRefused
from nodes.network.founding import consortium_genesis, consortium_trust
from nodes.network.joining import (
    adopt_network,
    check_signed,
    discard,
    fetch_genesis,
    find_anchor,
    wait_admitted,
)
from nodes.network.source import MemberSource, validators_at
from tests.nodes.network.support import ORIGIN, TIME, descriptor
from tests.nodes.network.test_engine_header import SECOND, SECOND_HASH

pytestmark = pytest.mark.feature("N1")

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
        self.checkpoint: str | None = cosigned(3)
        self.nodes: list[dict[str, Any]] = []
        self.headers: dict[int, dict[str, Any]] = {2: SECOND}
        self.raw: dict[str, bytes] = {}
        self.url = ""

    def answer(self, path: str, body: bytes) -> bytes:
        if path in self.raw:
            return self.raw[path]
        if path == "/network/genesis":
            return self.genesis
        if path == "/network":
            engine = {"chainId": "tally-x", "height": 2, "snapshots": []}
            view = {"engine": engine, "checkpoint": self.checkpoint, "nodes": self.nodes}
            return json.dumps(view).encode()
        call = json.loads(body)
        result: dict[str, Any] = {"sync_info": {"latest_block_height": "2"}}
        if call["method"] == "header":
            result = {"header": self.headers.get(int(call["params"]["height"]))}
        return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()


@pytest.fixture
def members() -> Iterator[Callable[[], Member]]:
    servers: list[ThreadingHTTPServer] = []

    def start() -> Member:
        member = Member()

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

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        member.url = f"http://127.0.0.1:{server.server_port}"
        return member

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "POLL_S", 0.01)
    monkeypatch.setattr(joining, "CHECKPOINT_TRIES", 3)


# ---- genesis ------------------------------------------------------------------------------------


def test_the_genesis_is_that_of_the_trust_file(
    members: Callable[[], Member], tmp_path: Path
) -> None:
    sources = [MemberSource(members().url), MemberSource(members().url)]
    place = NodeDirectory(tmp_path)
    assert adopt_network(place, sources, TRUST) == GENESIS
    assert Genesis.load(place.genesis) == GENESIS
    assert place.trust.read_bytes() == TRUST.encode()
    assert adopt_network(place, sources, TRUST) == GENESIS


def test_members_that_show_two_geneses_are_not_believed(members: Callable[[], Member]) -> None:
    honest, other = members(), members()
    other.genesis = Genesis.decode(consortium_genesis(FOUNDERS, ORIGIN, TIME + 1)).document
    sources = [MemberSource(honest.url), MemberSource(other.url)]
    with pytest.raises(JoinRefused, match="another genesis"):
        fetch_genesis(sources, TRUST)


@pytest.mark.parametrize(
    ("founders", "origin", "timestamp", "what"),
    [
        (FOUNDERS, f"{ORIGIN}-2", TIME, "origin"),
        (FOUNDERS, ORIGIN, TIME + 1, "chain id"),
        (FOUNDERS[:3], ORIGIN, TIME, "chain id"),
    ],
)
def test_a_genesis_of_another_ledger_is_refused(
    members: Callable[[], Member], founders: Any, origin: str, timestamp: int, what: str
) -> None:
    member = members()
    member.genesis = Genesis.decode(consortium_genesis(founders, origin, timestamp)).document
    with pytest.raises(JoinRefused, match=what):
        fetch_genesis([MemberSource(member.url)], TRUST)


def test_a_genesis_that_is_there_is_never_replaced(
    members: Callable[[], Member], tmp_path: Path
) -> None:
    place = NodeDirectory(tmp_path)
    place.genesis.write_bytes(consortium_genesis(FOUNDERS, ORIGIN, TIME + 1))
    with pytest.raises(JoinRefused, match="another genesis"):
        adopt_network(place, [MemberSource(members().url)], TRUST)


# ---- the anchor ---------------------------------------------------------------------------------


def test_a_header_with_the_root_that_enough_have_signed_is_the_anchor(
    members: Callable[[], Member],
) -> None:
    anchor = find_anchor(MemberSource(members().url), TRUST)
    assert anchor.header.hash.hex().upper() == SECOND_HASH
    assert (anchor.checkpoint.size, anchor.checkpoint.root) == (5, ROOT)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_signatures_are_none(members: Callable[[], Member], count: int) -> None:
    member = members()
    member.checkpoint = cosigned(count)
    with pytest.raises(JoinRefused, match="nothing can be trusted yet"):
        find_anchor(MemberSource(member.url), TRUST)


def test_signatures_of_strangers_count_nothing(members: Callable[[], Member]) -> None:
    member = members()
    signers = [
        NoteSigner(f"{ORIGIN}/member-{number}", Ed25519Key.generate(), SignatureType.COSIGNATURE)
        for number in range(4)
    ]
    member.checkpoint = sign_checkpoint(Checkpoint(ORIGIN, 5, ROOT), signers)
    with pytest.raises(JoinRefused):
        find_anchor(MemberSource(member.url), TRUST)


def test_a_header_with_another_root_is_no_anchor(members: Callable[[], Member]) -> None:
    member = members()
    member.checkpoint = cosigned(4, root=b"\x01" * 32)
    member.headers[1] = {**SECOND, "height": "1"}
    with pytest.raises(JoinRefused, match="no header of the engine has the root"):
        find_anchor(MemberSource(member.url), TRUST)


def test_a_member_without_a_cosigned_checkpoint_is_waited_for_and_said(
    members: Callable[[], Member],
) -> None:
    member = members()
    member.checkpoint = None
    with pytest.raises(JoinRefused, match="no checkpoint that enough"):
        find_anchor(MemberSource(member.url), TRUST)


# ---- what a snapshot brings ---------------------------------------------------------------------

LEAVES = [leaf_hash(bytes([number])) for number in range(8)]
HALF, WHOLE = root_of(LEAVES[:4]), root_of(LEAVES)


def _with_log(member: Member, *, proof: bytes = root_of(LEAVES[4:]), signed: int = 3) -> None:
    member.checkpoint = cosigned(signed, WHOLE, 8)
    path = base64.b64encode(proof).decode()
    member.raw["/log/consistency?from=4&to=8"] = json.dumps({"proof": [path]}).encode()
    member.raw["/log/consistency?from=8&to=8"] = b'{"proof": []}'


def test_a_log_that_a_signed_one_begins_with_is_believed(members: Callable[[], Member]) -> None:
    member = members()
    _with_log(member)
    check_signed(MemberSource(member.url), TRUST, 4, HALF)
    check_signed(MemberSource(member.url), TRUST, 8, WHOLE)


@pytest.mark.parametrize(("size", "root"), [(4, WHOLE), (8, HALF)])
def test_another_log_than_the_signed_one_is_refused(
    members: Callable[[], Member], size: int, root: bytes
) -> None:
    member = members()
    _with_log(member)
    with pytest.raises(JoinRefused, match="does not begin with"):
        check_signed(MemberSource(member.url), TRUST, size, root)


def test_a_wrong_proof_is_none(members: Callable[[], Member]) -> None:
    member = members()
    _with_log(member, proof=bytes(32))
    with pytest.raises(JoinRefused, match="does not begin with"):
        check_signed(MemberSource(member.url), TRUST, 4, HALF)


def test_blocks_beyond_what_is_signed_are_not_believed(members: Callable[[], Member]) -> None:
    """A sender could put any block behind the newest checkpoint that it shows."""
    member = members()
    _with_log(member)
    with pytest.raises(JoinRefused, match="up to size 9: the newest signed checkpoint has size 8"):
        check_signed(MemberSource(member.url), TRUST, 9, WHOLE)
    _with_log(member, signed=2)
    with pytest.raises(JoinRefused, match="too few members"):
        check_signed(MemberSource(member.url), TRUST, 8, WHOLE)


def test_what_is_thrown_away_leaves_keys_and_the_record_of_votes(tmp_path: Path) -> None:
    place = NodeDirectory(tmp_path)
    data = place.engine / "data"
    (data / "blockstore.db").mkdir(parents=True)
    (data / "cs.wal").mkdir()
    place.chain.mkdir()
    place.keys.mkdir()
    kept = [data / "signer_state.json", data / "signer_state_keys.json", place.keys / "log.key"]
    for path in (*kept, data / "priv_validator_state.json", place.genesis, place.trust):
        path.write_text("x")
    discard(place)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


def test_a_node_that_has_not_finished_joining_does_not_run(tmp_path: Path) -> None:
    place = NodeDirectory(tmp_path)
    place.genesis.write_text("{}")
    place.settings.write_text("")
    place.joining.touch()
    with pytest.raises(NodeError, match="has not finished joining"):
        run_node(place, "", developer=False, as_json=True)


# ---- admission ----------------------------------------------------------------------------------

OWN = descriptor("newcomer", 9)
STANDING = {
    "id": OWN.node_id.hex(),
    "organisation": "newcomer",
    "status": "active",
    "validatorKey": OWN.validator_key.hex(),
    "p2p": str(OWN.p2p),
}


def test_a_node_waits_until_it_is_admitted(members: Callable[[], Member]) -> None:
    member, told = members(), list[str]()

    def tell(line: str) -> None:
        told.append(line)
        member.nodes = [STANDING]

    assert len(wait_admitted([MemberSource(member.url)], OWN, 30, tell)) == 1
    assert "proposal new admit" in told[0]


@pytest.mark.parametrize("changed", [{"validatorKey": "ab" * 32}, {"organisation": "other"}])
def test_a_node_that_was_admitted_as_somebody_else_is_told(
    members: Callable[[], Member], changed: dict[str, str]
) -> None:
    member = members()
    member.nodes = [{**STANDING, **changed}]
    with pytest.raises(JoinRefused, match="another organisation or validator key"):
        wait_admitted([MemberSource(member.url)], OWN, 30, lambda _: None)


def test_waiting_ends(members: Callable[[], Member]) -> None:
    member = members()
    member.nodes = [{**STANDING, "status": "suspended"}]
    with pytest.raises(JoinRefused, match="not admitted this node within 0 s"):
        wait_admitted([MemberSource(member.url)], OWN, 0, lambda _: None)


# ---- what answers -------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b"{}", b'{"engine": 1}', b"9" * (5 << 20)])
def test_what_is_no_node_is_recognised(members: Callable[[], Member], raw: bytes) -> None:
    member = members()
    member.raw["/network"] = raw
    with pytest.raises(JoinRefused, match="not answer as a node"):
        MemberSource(member.url).network()


def test_a_node_that_orders_alone_cannot_be_joined(members: Callable[[], Member]) -> None:
    member = members()
    member.raw["/network"] = b'{"engine": null, "nodes": [], "checkpoint": null}'
    with pytest.raises(JoinRefused, match="orders alone"):
        MemberSource(member.url).network()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no such height"}}',
        b'{"result": []}',
        b"null",
    ],
)
def test_what_the_engine_refuses_is_said(members: Callable[[], Member], raw: bytes) -> None:
    member = members()
    member.raw["/engine"] = raw
    with pytest.raises(JoinRefused):
        MemberSource(member.url).height()
    with pytest.raises(JoinRefused):
        validators_at(MemberSource(member.url).engine, 1)


def test_a_header_of_another_height_is_refused(members: Callable[[], Member]) -> None:
    member = members()
    member.headers[7] = SECOND
    with pytest.raises(JoinRefused, match="header 2 where 7"):
        MemberSource(member.url).header(7)


def test_nobody_there_is_said_in_one_line() -> None:
    with pytest.raises(NodeUnreachable, match="no answer from"):
        MemberSource("http://127.0.0.1:1").network()
    with pytest.raises(NodeUnreachable):
        MemberSource("nonsense")
