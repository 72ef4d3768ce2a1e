"""A small world: events, batches, a transparency log in memory, keys and the trust in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import eth_abi

from contracts.genesis import CONSORTIUM_ADDRESS
from contracts.provenance import BATCH_ANCHORED_TOPIC, PROVENANCE_ADDRESS, Batch, Visibility
from ledger.canonical import canonical_json
from ledger.tlog import (
    BlockLeaf,
    Checkpoint,
    EventLeaf,
    Note,
    NoteSigner,
    NoteVerifier,
    append_leaves,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    sign_checkpoint,
    signed_by,
    tree_root,
)
from ledger.types import Address, Hash32
from traceability.bundle import Bundle, Trust, build_bundle
from traceability.epcis import Event, parse_document
from traceability.query.types import StoredEvent

ORIGIN = "ledger.example/demo"
BLOCK_TIME = 1_767_225_600
SUBMITTER = Address(b"\x11" * 20)


def signer(name: str = ORIGIN, seed: int = 1) -> NoteSigner:
    """A key that is the same in every run."""
    return NoteSigner(name, bytes([seed]) * 32)


def event_json(serial: int, **changes: Any) -> dict[str, Any]:
    """A bare event about one item."""
    return {
        "@context": [
            "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
            {"example": "https://ns.example.com/epcis/"},
        ],
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "epcList": [f"https://id.gs1.org/01/09521002000016/21/{serial}"],
        "eventTime": "2026-01-01T08:30:00.000+08:00",
        "eventTimeZoneOffset": "+08:00",
        "readPoint": {"id": "https://id.gs1.org/414/9521002000009"},
        "example:note": "浆果 🫐",
        "example:weight": 12.50,
    } | changes


def events(count: int) -> tuple[Event, ...]:
    """Parsed events, all different."""
    return tuple(
        parse_document(canonical_json(event_json(serial))).events[0] for serial in range(count)
    )


class Tiles(dict[tuple[int, int], bytes]):
    """Tiles in memory."""

    def tile(self, level: int, index: int) -> bytes | None:
        return self.get((level, index))


@dataclass
class World:
    """A ledger as far as bundles need one; it is its own log."""

    signers: Sequence[NoteSigner] = field(default_factory=lambda: (signer(),))
    origin: str = ORIGIN
    tiles: Tiles = field(default_factory=Tiles)
    entries: list[bytes] = field(default_factory=list)
    blocks: int = 0

    @property
    def log(self) -> World:
        return self

    def checkpoint(self) -> str:
        size = len(self.entries)
        head = Checkpoint(self.origin, size, tree_root(self.tiles, size))
        return sign_checkpoint(head, self.signers)

    def witnessed(
        self, size_min: int, threshold: int, keys: Sequence[NoteVerifier] | None = None
    ) -> str | None:
        note = self.checkpoint()
        known = [one.verifier for one in self.signers] if keys is None else keys
        enough = len(signed_by(Note.decode(note), known)) >= threshold
        return note if enough and size_min <= len(self.entries) else None

    def entry(self, index: int) -> bytes:
        return self.entries[index]

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        return inclusion_proof(self.tiles, index, size)

    def consistency_proof(self, size1: int, size2: int) -> tuple[bytes, ...]:
        return consistency_proof(self.tiles, size1, size2)

    def append(self, *leaves: bytes) -> int:
        """Index of the first new leaf."""
        start = len(self.entries)
        self.tiles.update(append_leaves(self.tiles, start, [leaf_hash(leaf) for leaf in leaves]))
        self.entries.extend(leaves)
        return start

    def anchor(
        self,
        batch_events: Sequence[Event],
        *,
        address: Address = PROVENANCE_ADDRESS,
        topic: bytes = BATCH_ANCHORED_TOPIC,
        count: int | None = None,
        block_time: int = BLOCK_TIME,
    ) -> tuple[StoredEvent, ...]:
        """A block with one batch; the events as the projection stores them."""
        batch = Batch.of([(event.event_id, event.digest) for event in batch_events])
        self.blocks += 1
        data = eth_abi.encode(
            ["uint32", "uint8"], [batch.count if count is None else count, int(Visibility.PUBLIC)]
        )
        topics = (
            Hash32(topic),
            batch.root,
            Hash32(b"green-valley".ljust(32, b"\0")),
            Hash32(SUBMITTER.rjust(32, b"\0")),
        )
        transaction_hash = Hash32(bytes([self.blocks]) * 32)
        leaf = EventLeaf(address, topics, data, self.blocks, block_time, transaction_hash, 0)
        block = BlockLeaf(Hash32(bytes([255 - self.blocks]) * 32), self.blocks, block_time)
        leaf_index = self.append(leaf.encode(), block.encode())
        return tuple(
            StoredEvent(
                event_id=event.event_id,
                digest=event.digest,
                body=event.canonical_bytes,
                event_time=event.event_time,
                record_time=datetime.fromtimestamp(BLOCK_TIME, UTC),
                organisation="green-valley",
                batch_root=batch.root,
                batch_index=index,
                batch_count=batch.count,
                batch_path=batch.path(index),
                block_number=self.blocks,
                log_index=0,
                leaf_index=leaf_index,
                transaction_hash=transaction_hash,
            )
            for index, event in enumerate(batch_events)
        )

    def bundle(self, stored: StoredEvent) -> Bundle:
        return build_bundle(stored, self)

    def trust(self, threshold: int = 1, **changes: Any) -> Trust:
        fields: dict[str, Any] = {
            "name": "Demo consortium",
            "origin": self.origin,
            "keys": tuple(one.verifier for one in self.signers),
            "threshold": threshold,
            "chain_id": 827166,
            "consortium": CONSORTIUM_ADDRESS,
            "provenance": PROVENANCE_ADDRESS,
        }
        return Trust(**(fields | changes))


def small_world() -> tuple[World, tuple[StoredEvent, ...]]:
    """Three blocks with batches of 5, 1 and 3 events."""
    world = World()
    made = events(9)
    stored = world.anchor(made[:5]) + world.anchor(made[5:6]) + world.anchor(made[6:])
    return world, stored
