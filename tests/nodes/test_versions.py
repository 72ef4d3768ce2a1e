"""A new version of the Provenance contract, voted by the members: from there to the verdict."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from contracts.consortium import CONSORTIUM_ADDRESS
from contracts.directory import add_version
from contracts.genesis import DIRECTORY_ADDRESS, GOVERNANCE_ADDRESS
from contracts.governance import Call, propose_and_execute
from contracts.provenance import (
    PROVENANCE_ADDRESS,
    Batch,
    Visibility,
    anchor_calldata,
    encode_canonical_payload,
)
from contracts.provenance.binding import PROVENANCE_ARTIFACT
from ledger.crypto import NO_PASSPHRASE, AccountKey
from ledger.projection import read_transaction
from ledger.tlog import TlogProof
from ledger.types import Address, CommittedBlock
from nodes.cli.app import app
from nodes.founding import DEVELOPER_LABEL
from nodes.layout import NodeDirectory
from nodes.runtime import NodeRuntime
from nodes.serving import serving
from tests.nodes.test_folder import found
from tests.nodes.test_runtime import quiet
from tests.traceability.capture.stack import CONTEXT
from traceability.bundle import (
    BatchPlace,
    Bundle,
    Outcome,
    StepName,
    Trust,
    TrustStore,
    verify_bundle,
)
from traceability.epcis import Event, parse_document
from traceability.query import stored_event

pytestmark = [pytest.mark.feature("N2"), pytest.mark.feature("L4")]

ITEM = "/01/09506000134352/21/77"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TALLY_URL", raising=False)
    return tmp_path / "home"


@pytest.fixture
def place(tmp_path: Path) -> NodeDirectory:
    return found(tmp_path / "node")


@dataclass
class Site:
    """A running node with its address."""

    node: NodeRuntime
    url: str

    @property
    def developer(self) -> AccountKey:
        key = self.node.secrets.load_account(DEVELOPER_LABEL)
        assert isinstance(key, AccountKey)
        return key

    def send(self, to: bytes, data: bytes) -> tuple[CommittedBlock, Address | None]:
        """A transaction of the member, mined and projected; the block, and what it has deployed."""
        ledger = self.node.ledger
        raw = self.developer.sign_transaction(
            {
                "type": 2,
                "chainId": ledger.chain_id,
                "nonce": ledger.pending_nonce(self.developer.address),
                "gas": 3_000_000,
                "to": bytes(to),
                "value": 0,
                "data": data,
                "maxFeePerGas": 0,
                "maxPriorityFeePerGas": 0,
            }
        )
        mined, receipt = ledger.wait_for(ledger.submit(raw), 10)
        assert receipt.status == 1
        self.node.projector.wait_for(mined.block_number, 10)
        return ledger.committed(mined.block_number), receipt.contract_address

    def deploy(self) -> Address:
        """The same contract once more, elsewhere."""
        data = PROVENANCE_ARTIFACT.bytecode + CONSORTIUM_ADDRESS.rjust(32, b"\0")
        _, address = self.send(b"", data)
        assert address is not None
        return address

    def vote(self, address: Address) -> int:
        """Make it the current version; the number of the block."""
        call = Call(DIRECTORY_ADDRESS, add_version("provenance", address))
        block, _ = self.send(GOVERNANCE_ADDRESS, propose_and_execute([call], "a new version"))
        return block.block.header.number

    def capture(self, step: str) -> str:
        """Id of an event about the item, provable."""
        job = self.node.capture.submit(json.dumps(event_fields(step)).encode(), "acme")
        done = self.node.capture.finished(job).result(30)
        assert done.success, done
        return done.event_ids[0]

    def anchor_by_hand(self, step: str, address: Address) -> bytes:
        """A bundle of an event that was anchored past the capture service."""
        event = event_of(step)
        root = Batch.of([(event.event_id, event.digest)]).root
        payload = encode_canonical_payload([event.canonical_bytes])
        block, _ = self.send(address, anchor_calldata(root, 1, Visibility.PUBLIC, payload))
        (log,) = [one for one in block.logs if one.log.address == address]
        log_of, note = self.node.ledger.log, self.node.ledger.log.checkpoint()
        path = tuple(log_of.inclusion_proof(log.leaf_index, log_of.size))
        return Bundle(
            event.event_id,
            event.canonical_bytes,
            BatchPlace(0, 1, ()),
            log_of.entry(log.leaf_index),
            TlogProof(log.leaf_index, path, note).encode(),
        ).encode()

    def anchored_at(self, event_id: str) -> str:
        """The contract whose log anchored the event."""
        return str(json.loads(self.proof(event_id))["leaf"]["address"])

    def get(self, path: str) -> httpx.Response:
        headers = {"Accept": "application/json"}
        return httpx.get(self.url + path, headers=headers, trust_env=False).raise_for_status()

    def proof(self, event_id: str) -> bytes:
        return self.get(f"/proofs/{event_id}".replace("?", "%3F")).content

    def knows(self, bundle: bytes) -> bool:
        """Whether the node serves the bundle's event."""
        with read_transaction(self.node.engine) as connection:
            return stored_event(connection, json.loads(bundle)["eventID"]) is not None


@pytest.fixture
def site(place: NodeDirectory) -> Iterator[Site]:
    with running(place) as one:
        yield one


@contextmanager
def running(place: NodeDirectory) -> Iterator[Site]:
    """A node that serves."""
    with NodeRuntime.open(place.root, NO_PASSPHRASE, quiet) as node, serving(node) as addresses:
        yield Site(node, addresses.api)


def event_fields(step: str) -> dict[str, Any]:
    return {
        "@context": [CONTEXT],
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": step,
        "eventTime": "2026-01-01T08:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [f"https://id.gs1.org{ITEM}"],
        "readPoint": {"id": "https://id.gs1.org/414/9506000134369"},
    }


def event_of(step: str) -> Event:
    return parse_document(json.dumps(event_fields(step)).encode()).events[0]


def leaf_reason(data: bytes, trust: Trust) -> str:
    """Why the leaf makes the bundle invalid."""
    verdict = verify_bundle(data, trust)
    assert verdict.outcome is Outcome.INVALID
    (failed,) = [step for step in verdict.steps if step.outcome is Outcome.INVALID]
    assert failed.name is StepName.LEAF
    return failed.reason


def tally(*words: str) -> dict[str, Any]:
    """`tally WORDS… --json`, which must succeed."""
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def settled(find: Callable[[], Trust], expected: Trust) -> bool:
    """Whether it becomes so within a moment: the file follows in a thread of its own."""
    deadline = time.monotonic() + 10
    while (same := find() == expected) is False and time.monotonic() < deadline:
        time.sleep(0.02)
    return same


def page_outcomes(node: str, root: Path, answer: bytes) -> list[str]:
    """What the consumer page's own check finds: of the whole answer, then of each entry."""
    script = f"""
        import {{ checkAnswer }} from "{root}/api/web/static/page/check.js";
        import {{ identifierOf }} from "{root}/api/web/static/page/model/identifier.js";
        const chunks = [];
        for await (const chunk of process.stdin) chunks.push(chunk);
        const answer = JSON.parse(Buffer.concat(chunks).toString("utf8"));
        const check = await checkAnswer(answer, identifierOf("{ITEM}"));
        const found = [check.outcome, ...check.entries.map((entry) => entry.result.outcome)];
        process.stdout.write(JSON.stringify(found));
    """
    done = subprocess.run(
        [node, "--input-type=module", "-e", script],
        input=answer,
        capture_output=True,
        timeout=60,
        check=True,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_a_voted_version_works_from_capture_to_the_consumers_page(
    place: NodeDirectory,
    tmp_path: Path,
    require: Callable[[str], str],
    project_root: Path,
) -> None:
    program = require("node")
    old_file, kept = tmp_path / "old-trust.json", tmp_path / "kept-trust.json"
    with running(place) as site:
        for path in (old_file, kept):
            path.write_bytes(site.get("/log/trust").content)
        first = site.capture("commissioning")
        new = site.deploy()
        since = site.vote(new)
        second = site.capture("shipping")
        assert site.anchored_at(first) == f"0x{PROVENANCE_ADDRESS.hex()}"
        assert site.anchored_at(second) == f"0x{new.hex()}"
        proofs = [site.proof(first), site.proof(second)]

        served = Trust.parse(site.get("/log/trust").content)
        assert [(one.address, one.from_block) for one in served.later] == [(new, since)]
        assert settled(lambda: Trust.load(place.trust), served)
        for proof in proofs:
            assert verify_bundle(proof, served).outcome is Outcome.VALID
        answer = site.get(ITEM).content
        assert [one["eventID"] for one in json.loads(answer)["journey"]] == [first, second]
        assert page_outcomes(program, project_root, answer) == ["valid"] * 3

        old = Trust.load(old_file)
        assert verify_bundle(proofs[0], old).outcome is Outcome.VALID
        reason = leaf_reason(proofs[1], old)
        assert f"0x{new.hex()}" in reason
        assert "tally network update" in reason
        stale = json.loads(answer) | {"trust": old.fields()}
        outcomes = page_outcomes(program, project_root, json.dumps(stale).encode())
        assert outcomes == ["invalid", "valid", "invalid"]

        done = tally("network", "update", site.url, "--trust", str(kept))
        assert done["added"] == [{"address": f"0x{new.hex()}", "fromBlock": since}]
        assert Trust.load(kept) == served
        offline = tmp_path / "versions.json"
        offline.write_bytes(site.get("/log/versions").content)
    assert tally("network", "update", str(offline), "--trust", str(kept))["added"] == []
    assert tally("network", "update", str(offline), "--trust", str(old_file))["added"]
    assert Trust.load(old_file) == served
    for proof in proofs:
        assert verify_bundle(proof, Trust.load(kept)).outcome is Outcome.VALID

    assert tally("node", "reindex", str(place.root))["reindexed"]
    with running(place) as site:
        assert site.get(ITEM).json()["journey"] == json.loads(answer)["journey"]
        assert Trust.parse(site.get("/log/trust").content) == served
        third = site.capture("receiving")
        assert site.anchored_at(third) == f"0x{new.hex()}"


def test_only_what_the_members_have_named_counts_and_only_from_then_on(site: Site) -> None:
    """Also under the contract's own code: other code may have stood there before."""
    named, other = site.deploy(), site.deploy()
    planted, foreign = (
        site.anchor_by_hand("shipping", named),
        site.anchor_by_hand("receiving", other),
    )
    trust = Trust.parse(site.get("/log/trust").content)
    for bundle, address in ((planted, named), (foreign, other)):
        assert f"0x{address.hex()} is none that the trust file names" in leaf_reason(bundle, trust)
    since = site.vote(named)
    trust = Trust.parse(site.get("/log/trust").content)
    assert f"believed from block {since} on" in leaf_reason(planted, trust)
    assert f"0x{other.hex()} is none" in leaf_reason(foreign, trust)
    sound = site.anchor_by_hand("packing", named)
    assert verify_bundle(sound, trust).outcome is Outcome.VALID
    assert [site.knows(one) for one in (planted, foreign, sound)] == [False, False, True]


def test_a_version_that_comes_back_counts_from_where_it_was_named_first(site: Site) -> None:
    new = site.deploy()
    since = site.vote(new)
    proofs = [site.proof(site.capture("shipping"))]
    for address in (PROVENANCE_ADDRESS, new, site.deploy()):
        last = site.vote(address)
        proofs.append(site.proof(site.capture(f"urn:example:{last}")))
    trust = Trust.parse(site.get("/log/trust").content)
    assert [(one.address, one.from_block) for one in trust.later] == [(new, since), (address, last)]
    assert {verify_bundle(one, trust).outcome for one in proofs} == {Outcome.VALID}


def test_the_users_known_log_goes_along_when_the_node_starts_again(place: NodeDirectory) -> None:
    store = TrustStore()
    with running(place) as site:
        store.add(site.node.trust)
        new = site.deploy()
        site.vote(new)
        tally("network", "update", site.url)
        known = store.find(site.node.genesis.origin)
        assert known is not None
        assert [one.address for one in known.later] == [new]
        store.add(site.node.trust)  # what this node knew when it started
        assert store.find(site.node.genesis.origin) == known
    with running(place) as site:
        assert site.node.trust == known


def test_a_node_that_missed_the_vote_learns_of_it_when_it_starts(place: NodeDirectory) -> None:
    old = place.trust.read_bytes()
    with running(place) as site:
        new = site.deploy()
        site.vote(new)
    place.trust.write_bytes(old)
    with running(place) as site:
        assert [one.address for one in site.node.trust.later] == [new]
        assert Trust.load(place.trust) == site.node.trust
