"""Proofs that several members have signed, and what is answered while they have not yet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api import ApiSettings, create_app
from ledger.canonical import canonical_json
from ledger.chain import Ledger, encode_block
from ledger.evm import encode_header
from ledger.tlog import Checkpoint, Note, NoteSigner
from ledger.witness import FILE_SUFFIX, PeerWitness, Witness, cosigner_verifier, examine
from ledger.witness.examining import Weight
from tests.api.conftest import Node
from tests.traceability.capture.stack import ORIGIN, bare
from traceability.bundle import Outcome, Trust, verify_bundle

pytestmark = pytest.mark.feature("L4")

ITEM = "/01/09506000134352/21/1"


@dataclass
class Pair:
    """A whole node and another member's ledger that follows its blocks."""

    node: Node
    own: Witness
    other_ledger: Ledger
    other: Witness
    trust: Trust
    client: TestClient
    app: FastAPI

    def follow(self) -> None:
        """The other member takes over the blocks, both cosign, and its cosignatures are met."""
        first = self.other_ledger.head().header.number + 1
        for number in range(first, self.node.stack.head() + 1):
            block = self.node.stack.ledger.block(number)
            assert block is not None
            raws = [one.raw for one in block.transactions]
            self.other_ledger.import_block(encode_block(encode_header(block.header), raws))
        peer = self.own.refresh()[0]
        deadline = time.monotonic() + 10
        for witness in (self.own, self.other):  # each does in a thread of its own
            while not witness.cosignatures(self.node.stack.ledger.log.size):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        self.own.meet_cosignatures(peer, self.other.cosignature_text(0))


@pytest.fixture
def pair(make_node: Callable[..., Node], tmp_path: Path) -> Iterator[Pair]:
    node = make_node()
    stack = node.stack
    other_signer = NoteSigner(ORIGIN, b"other".ljust(32))
    with ExitStack() as exits:
        other_ledger = exits.enter_context(
            Ledger.open(
                tmp_path / "other",
                genesis=stack.identity.genesis,
                signer=other_signer,
                map_size_bytes=1 << 30,
            )
        )
        keys = {
            "own": cosigner_verifier(ORIGIN, "own", stack.identity.signer.verifier.public_key),
            "other": cosigner_verifier(ORIGIN, "other", other_signer.verifier.public_key),
        }
        peers = [PeerWitness(label, key, "") for label, key in keys.items()]
        made = {}
        for label, ledger, signer in (
            ("own", stack.ledger, stack.identity.signer),
            ("other", other_ledger, other_signer),
        ):
            folder = tmp_path / f"witness-{label}"
            made[label] = exits.enter_context(
                Witness.open(
                    ledger,
                    signer,
                    label,
                    folder,
                    folder / "evidence",
                    peers=lambda: peers,
                    threshold=lambda: 2,
                )
            )
            made[label].start()
        trust = replace(node.services.trust, keys=tuple(keys.values()), threshold=2)
        services = replace(
            node.services,
            trust=trust,
            witness=made["own"],
            settings=ApiSettings(witness_wait_s=0.0),
        )
        app = create_app(services)
        client = exits.enter_context(TestClient(app, raise_server_exceptions=False))
        yield Pair(node, made["own"], other_ledger, made["other"], trust, client, app)


def test_a_proof_is_undecided_until_enough_members_have_signed(pair: Pair) -> None:
    (event_id,) = pair.node.captured(bare())["eventIDs"]
    early = pair.client.get(f"/proofs/{event_id}")
    assert early.headers["cache-control"] == "no-store"
    verdict = verify_bundle(early.content, pair.trust)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "1 of 2 known members have signed, 2 are required" in verdict.reason
    pair.follow()
    answer = pair.client.get(f"/proofs/{event_id}")
    assert answer.headers["cache-control"] == "no-cache"
    verdict = verify_bundle(answer.content, pair.trust)
    assert verdict.outcome is Outcome.VALID
    assert verdict.statement is not None
    assert verdict.statement.signers == (f"{ORIGIN}/own", f"{ORIGIN}/other")


def test_what_too_few_have_signed_is_not_kept(pair: Pair) -> None:
    pair.node.captured(bare())
    headers = {"Accept": "application/json"}
    early = pair.client.get(ITEM, headers=headers).json()
    pair.follow()
    late = pair.client.get(ITEM, headers=headers).json()
    outcomes = []
    for answer in (early, late):
        data = canonical_json(answer["journey"][0]["bundle"]) + b"\n"
        outcomes.append(verify_bundle(data, pair.trust).outcome)
    assert outcomes == [Outcome.UNKNOWN, Outcome.VALID]


def test_the_newest_checkpoint_with_enough_signatures_is_chosen(pair: Pair) -> None:
    first = pair.node.captured(bare(1))["eventIDs"][0]
    pair.follow()
    size = pair.node.stack.ledger.log.size
    pair.node.captured(bare(2))
    assert pair.node.stack.ledger.log.size > size
    verdict = verify_bundle(pair.client.get(f"/proofs/{first}").content, pair.trust)
    assert verdict.outcome is Outcome.VALID
    assert verdict.statement is not None
    assert verdict.statement.tree_size == size


def test_a_proof_waits_a_moment_for_the_other_members(pair: Pair) -> None:
    (event_id,) = pair.node.captured(bare())["eventIDs"]
    late = threading.Timer(0.3, pair.follow)
    late.start()
    answer = pair.client.get(f"/proofs/{quote(event_id)}?wait=2000")
    late.join()
    assert verify_bundle(answer.content, pair.trust).outcome is Outcome.VALID
    for bad in ("2001", "-1", "x"):
        assert pair.client.get(f"/proofs/{quote(event_id)}?wait={bad}").status_code == 400


def test_cosignatures_and_checkpoint_are_served(pair: Pair) -> None:
    pair.node.captured(bare())
    pair.follow()
    size = pair.node.stack.ledger.log.size
    text = pair.client.get("/log/cosignatures?from=1").text
    assert text.split("\n")[0] == ORIGIN
    assert [line.split()[0] for line in text.split("\n")[1:-1:2]] == [str(size)]
    assert pair.client.get(f"/log/cosignatures?from={size + 1}").text == f"{ORIGIN}\n"
    assert len(pair.client.get("/log/cosignatures?from=0&limit=1").text.split("\n")) == 4
    note = Note.decode(pair.client.get("/log/checkpoint").text)
    assert [one.name for one in note.signatures] == [ORIGIN, f"{ORIGIN}/own", f"{ORIGIN}/other"]
    for bad in ("", "from=x", "from=-1", "from=0&limit=0", "from=0&limit=1001"):
        assert pair.client.get(f"/log/cosignatures?{bad}").status_code == 400


def test_status_tells_who_has_not_signed(pair: Pair) -> None:
    pair.node.captured(bare())
    status = pair.client.get("/status").json()["witness"]
    assert status["missing"] == [f"{ORIGIN}/other"]
    assert (status["threshold"], status["evidence"], status["witnessedSize"]) == (2, 0, 0)
    pair.follow()
    status = pair.client.get("/status").json()["witness"]
    assert status["missing"] == []
    assert status["witnessedSize"] == pair.node.stack.ledger.log.size


@pytest.mark.feature("L5")
def test_evidence_is_listed_and_served_as_it_is_kept(pair: Pair) -> None:
    pair.node.captured(bare())
    assert pair.client.get("/log/evidence").json() == {"origin": ORIGIN, "evidence": []}
    size = pair.node.stack.ledger.log.size
    text = Checkpoint(ORIGIN, size, bytes(32)).text
    liar = NoteSigner(ORIGIN, b"other".ljust(32)).cosigner(f"{ORIGIN}/other")
    pair.own.meet(Note(text, (liar.sign(text),)).encode())
    (entry,) = pair.client.get("/log/evidence").json()["evidence"]
    assert (entry["kind"], entry["accused"]) == ("same-size", f"{ORIGIN}/other")
    answer = pair.client.get(f"/log/evidence/{entry['id']}")
    path = pair.own.evidence.directory / f"{entry['id']}{FILE_SUFFIX}"
    assert answer.content == path.read_bytes()
    assert examine(answer.content, pair.trust.keys, ORIGIN).weight is Weight.PROVEN
    assert pair.client.get("/log/evidence/" + "0" * 64).status_code == 404
    assert pair.client.get("/status").json()["witness"]["evidence"] == 1


def test_a_node_that_is_no_witness_says_so(node: Node) -> None:
    for path in ("/log/cosignatures?from=0", "/log/evidence", "/log/evidence/" + "0" * 64):
        answer = node.client.get(path)
        assert answer.status_code == 404
        assert "no witness" in answer.json()["detail"]
    assert "witness" not in node.client.get("/status").json()
