"""Real item answers for the pages' tests: the demo's story, hashed, batched, logged and signed.

No node runs here; batches, leaves, tree and signatures are made by the rooms' own functions, so
that a proof is a proof.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contracts.provenance import BATCH_ANCHORED_TOPIC, PROVENANCE_ADDRESS, Batch
from ledger.canonical import canonical_json
from ledger.tlog import (
    BlockLeaf,
    Checkpoint,
    EventLeaf,
    NoteSigner,
    SignatureType,
    TlogProof,
    inclusion_path,
    leaf_hash,
    root_of,
    sign_checkpoint,
)
from ledger.types import Address, Hash32
from nodes.demo.story import ORGANISATIONS, StoryStep, story
from traceability.epcis.context import merged_context
from traceability.epcis.hashing import hash_id, prehash_of
from traceability.gs1 import canonical_or_same

ORIGIN = "tallystick.example/demo"
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)

Json = dict[str, object]


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


@dataclass
class Entry:
    """An anchored event with all that its bundle needs but the final checkpoint."""

    body: Json
    event_id: str
    organisation: str
    batch: Batch
    index: int
    leaf: EventLeaf
    leaf_index: int


@dataclass
class StoryLog:
    """A log that holds a story."""

    steps: Sequence[StoryStep]
    origin: str = ORIGIN
    cosigners: int = 0
    threshold: int = 1
    entries: list[Entry] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        seed = hashlib.sha256(b"the log of the tests").digest()
        self.signers = [NoteSigner(self.origin, seed)]
        for number in range(self.cosigners):
            key = hashlib.sha256(f"member {number}".encode()).digest()
            self.signers.append(
                NoteSigner(f"member-{number}.example", key, SignatureType.COSIGNATURE)
            )
        for number, step in enumerate(self.steps, 1):
            self._append(number, step)
        checkpoint = Checkpoint(self.origin, len(self.hashes), root_of(self.hashes))
        self.note = sign_checkpoint(checkpoint, self.signers)

    def _append(self, number: int, step: StoryStep) -> None:
        bodies = [anchored(step.document, event) for event in events_of(step.document)]
        ids = [hash_id(prehash_of(body)) for body in bodies]
        digests = [hashlib.sha256(canonical_json(body)).hexdigest() for body in bodies]
        batch = Batch.of(list(zip(ids, digests, strict=True)))
        moment = datetime.fromisoformat(str(step.document["creationDate"]))
        leaf = EventLeaf(
            address=PROVENANCE_ADDRESS,
            topics=(
                Hash32(BATCH_ANCHORED_TOPIC),
                batch.root,
                Hash32(step.organisation.encode().ljust(32, b"\0")),
                Hash32(bytes(12) + hashlib.sha256(step.organisation.encode()).digest()[:20]),
            ),
            data=word(len(bodies)) + word(0),
            block_number=number,
            block_time=int(moment.timestamp()) + 40,
            transaction_hash=Hash32(hashlib.sha256(f"transaction {number}".encode()).digest()),
            log_index=0,
        )
        for index, (body, event_id) in enumerate(zip(bodies, ids, strict=True)):
            self.entries.append(
                Entry(body, event_id, step.organisation, batch, index, leaf, len(self.hashes))
            )
        block = BlockLeaf(
            block_hash=Hash32(hashlib.sha256(f"block {number}".encode()).digest()),
            block_number=number,
            block_time=leaf.block_time,
        )
        self.hashes += [leaf_hash(leaf.encode()), leaf_hash(block.encode())]

    @property
    def trust(self) -> Json:
        return {
            "format": "tallystick-trust/1",
            "name": "Demo consortium",
            "origin": self.origin,
            "keys": [signer.vkey for signer in self.signers],
            "threshold": self.threshold,
            "chainId": 827166,
            "contracts": {
                "consortium": "0x" + bytes(Address(bytes(19) + b"\1")).hex(),
                "provenance": "0x" + bytes(PROVENANCE_ADDRESS).hex(),
            },
        }

    def bundle(self, entry: Entry) -> Json:
        path = inclusion_path(self.hashes, entry.leaf_index)
        return {
            "format": "tallystick-proof/1",
            "eventID": entry.event_id,
            "event": entry.body,
            "batch": {
                "index": entry.index,
                "count": entry.batch.count,
                "path": [base64_text(value) for value in entry.batch.path(entry.index)],
            },
            "leaf": json.loads(entry.leaf.encode()),
            "proof": TlogProof(entry.leaf_index, tuple(path), self.note).encode(),
        }

    def answer(self, epc: str) -> Json:
        """The item answer of docs/proof-format.md section 7."""
        wanted = canonical_or_same(epc)
        relations = self._relations(wanted)
        journey: list[Json] = []
        directory = {organisation.id: organisation for organisation in ORGANISATIONS}
        for entry in sorted(self.entries, key=lambda entry: str(entry.body["eventTime"])):
            about = next((epc for epc in mentioned(entry.body) if epc in relations), None)
            if about is None:
                continue
            member = directory[entry.organisation]
            recorded = datetime.fromtimestamp(entry.leaf.block_time, UTC)
            journey.append(
                {
                    "eventID": entry.event_id,
                    "relation": relations[about],
                    "about": about,
                    "recordTime": recorded.isoformat(timespec="milliseconds")[:-6] + "Z",
                    "organisation": {
                        "id": member.id,
                        "name": member.name,
                        "nameZh": member.name_zh,
                        "role": member.role,
                    },
                    "bundle": self.bundle(entry),
                }
            )
        return {"epc": wanted, "trust": self.trust, "journey": journey, "truncated": False}

    def _relations(self, wanted: str) -> dict[str, str]:
        relations = {wanted: "self"}
        for entry in (*self.entries, *self.entries):  # packing into packed things: twice is enough
            children = [canonical_or_same(str(epc)) for epc in listed(entry.body, "childEPCs")]
            outputs = [canonical_or_same(str(epc)) for epc in listed(entry.body, "outputEPCList")]
            if entry.body.get("action") == "ADD" and any(child in relations for child in children):
                parent = canonical_or_same(str(entry.body["parentID"]))
                relations.setdefault(parent, "container")
            if wanted in outputs:
                for element in listed(entry.body, "inputQuantityList"):
                    assert isinstance(element, dict)
                    relations.setdefault(canonical_or_same(str(element["epcClass"])), "input")
        return relations


def story_log(*, cosigners: int = 0, threshold: int = 1) -> StoryLog:
    return StoryLog(story(NOW), cosigners=cosigners, threshold=threshold)


def anchored(document: Json, event: Json) -> Json:
    context = merged_context(document.get("@context"), event.get("@context"))
    return {"@context": context, **{k: v for k, v in event.items() if k != "@context"}}


def events_of(document: Json) -> list[Json]:
    body = document["epcisBody"]
    assert isinstance(body, dict)
    events = body["eventList"]
    assert isinstance(events, list)
    return events


def listed(body: Json, name: str) -> list[object]:
    value = body.get(name, [])
    assert isinstance(value, list)
    return value


def mentioned(body: Json) -> list[str]:
    """Every identifier of goods that an event is about, the item's own kinds of place first."""
    found = [
        *listed(body, "epcList"),
        *listed(body, "childEPCs"),
        *listed(body, "outputEPCList"),
        *([body["parentID"]] if "parentID" in body else []),
    ]
    for name in ("quantityList", "inputQuantityList", "outputQuantityList"):
        elements = listed(body, name)
        found += [element["epcClass"] for element in elements if isinstance(element, dict)]
    return [canonical_or_same(str(epc)) for epc in found]


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()
