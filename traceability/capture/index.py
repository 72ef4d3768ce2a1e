"""The projection, seen from capture: which events are there already, and what need not be hashed
again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Engine, or_, select

from contracts.directory import find_contract
from contracts.provenance import PROVENANCE_ADDRESS, PROVENANCE_NAME
from ledger.projection import read_transaction
from ledger.types import Address
from traceability.capture.batching import EventKey
from traceability.preparing import PreparedEvent
from traceability.projection import PreparedBatches
from traceability.projection.tables import batch, event, event_repeat

_KEYS_PER_QUERY: Final = 500


class SqlEventIndex:
    """Asks the tables of `traceability.projection`. Thread-safe."""

    def __init__(
        self,
        engine: Engine,
        prepared: PreparedBatches | None,
        provenance: Address = PROVENANCE_ADDRESS,
    ) -> None:
        """`prepared` is the one that the `ProvenanceHandler` of this process reads; `provenance`
        the contract's place where the directory names none."""
        self._engine = engine
        self._founding = provenance
        self._prepared = prepared

    def present(self, organisation: str, keys: Sequence[EventKey]) -> set[EventKey]:
        """Those events that the organisation has anchored, unchanged, in an applied block."""
        wanted = {
            (bytes.fromhex(event_id[14:78]), bytes.fromhex(digest)): (event_id, digest)
            for event_id, digest in keys
        }
        hashes = sorted({hash_ for hash_, _ in wanted})
        found: set[EventKey] = set()
        with read_transaction(self._engine) as connection:
            for start in range(0, len(hashes), _KEYS_PER_QUERY):
                part = hashes[start : start + _KEYS_PER_QUERY]
                repeated = (
                    select(event_repeat.c.event)
                    .join(batch, batch.c.leaf_index == event_repeat.c.leaf_index)
                    .where(
                        event_repeat.c.event == event.c.pk,
                        batch.c.organisation == organisation,
                    )
                    .exists()
                )
                rows = connection.execute(
                    select(event.c.hash, event.c.digest).where(
                        event.c.hash.in_(part),
                        or_(event.c.organisation == organisation, repeated),
                    )
                )
                for row in rows:
                    key = wanted.get((bytes(row.hash), bytes(row.digest)))
                    if key is not None:
                        found.add(key)
        return found

    def provenance(self) -> Address:
        """Where the current version of the Provenance contract is."""
        with read_transaction(self._engine) as connection:
            found = find_contract(connection, PROVENANCE_NAME)
        return self._founding if found is None else found.address

    def prepare(self, root: bytes, events: Sequence[PreparedEvent]) -> None:
        """Hashing is done: spare the projection doing it again."""
        if self._prepared is not None:
            self._prepared.put(root, events)
