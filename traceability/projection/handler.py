"""BatchAnchored logs become rows of batches and events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Connection, MetaData, Table, bindparam, delete, insert, select

from contracts.errors import CalldataError
from contracts.provenance import (
    PROVENANCE_ADDRESS,
    Batch,
    BatchAnchored,
    Visibility,
    decode_anchor,
    decode_log,
)
from ledger.types import Address, CommittedBlock, PlacedLog
from traceability.projection.errors import PayloadMismatch, PayloadUnreadable
from traceability.projection.fields import EventFields, fields_of
from traceability.projection.payload import batch_of, read_payload
from traceability.projection.prepared import HashedEvent, PreparedBatches
from traceability.projection.tables import (
    BatchStatus,
    batch,
    event,
    event_epc,
    event_key,
    event_quantity,
    event_repeat,
    event_term,
    metadata,
)
from traceability.projection.vocabulary import event_identity

Rows = list[dict[str, object]]

_REASON_MAX: Final = 500
_IN_MAX: Final = 500
"""Values of one IN list."""
_KNOWN: Final = select(event.c.pk, event.c.hash, event.c.digest).where(
    event.c.hash.in_(bindparam("hashes", expanding=True))
)


class ProvenanceHandler:
    """Serves the events of public batches whose payload bears out the anchored root.

    A batch that is not public, or whose payload does not agree with its root, is recorded with the
    reason, and none of its events is served. Whatever a member may put into calldata leads to such
    a record, never to an exception: one member must not be able to stop every node's projection.
    """

    def __init__(
        self,
        prepared: PreparedBatches | None = None,
        address: Address = PROVENANCE_ADDRESS,
    ) -> None:
        self._prepared = prepared if prepared is not None else PreparedBatches()
        self._address = address

    @property
    def name(self) -> str:
        return "provenance"

    @property
    def metadata(self) -> MetaData:
        return metadata

    @property
    def address(self) -> Address:
        return self._address

    def reset(self, connection: Connection) -> None:
        """Remove all rows: at genesis nothing is anchored."""
        for table in metadata.sorted_tables:
            connection.execute(delete(table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Write one batch and, where they may be served, its events."""
        anchored = decode_log(log.log)
        reason: str | None = None
        try:
            status, events, tree = self._events(anchored, block, log)
            fields = [_fields(index, one) for index, one in enumerate(events)]
        except PayloadUnreadable as error:
            status, reason = BatchStatus.PAYLOAD_INVALID, str(error)
        except PayloadMismatch as error:
            status, reason = BatchStatus.PAYLOAD_MISMATCH, str(error)
        self._write_batch(connection, anchored, log, status, reason)
        if status is BatchStatus.OK and tree is not None:
            _write_events(connection, anchored, log, list(zip(events, fields, strict=True)), tree)
            self._prepared.discard(anchored.root)

    def _events(
        self, anchored: BatchAnchored, block: CommittedBlock, log: PlacedLog
    ) -> tuple[BatchStatus, Sequence[HashedEvent], Batch | None]:
        """What is to be served. Raises `PayloadUnreadable` or `PayloadMismatch`."""
        if anchored.visibility is not Visibility.PUBLIC:
            return BatchStatus.WITHHELD, (), None
        payload = self._payload(anchored, block, log)
        if payload is None:
            return BatchStatus.PAYLOAD_MISSING, (), None
        events: Sequence[HashedEvent] | None = self._prepared.get(anchored.root, payload)
        if events is None:
            events = read_payload(payload)
        return BatchStatus.OK, events, batch_of(anchored, events)

    def _payload(
        self, anchored: BatchAnchored, block: CommittedBlock, log: PlacedLog
    ) -> bytes | None:
        """The payload in the transaction; None where another contract called this one."""
        transaction = block.block.transactions[log.transaction_index]
        if transaction.to != log.log.address:
            return None
        try:
            anchor = decode_anchor(transaction.data)
        except CalldataError:
            return None
        return anchor.payload if anchor.root == anchored.root else None

    @staticmethod
    def _write_batch(
        connection: Connection,
        anchored: BatchAnchored,
        log: PlacedLog,
        status: BatchStatus,
        reason: str | None,
    ) -> None:
        connection.execute(
            insert(batch).values(
                leaf_index=log.leaf_index,
                root=anchored.root,
                organisation=anchored.organisation,
                submitter=anchored.submitter,
                block_number=log.block_number,
                block_time=log.block_time,
                transaction_hash=log.transaction_hash,
                log_index=log.log_index,
                count=anchored.count,
                visibility=int(anchored.visibility),
                status=status.value,
                reason=None if reason is None else reason.replace("\0", "\\0")[:_REASON_MAX],
            )
        )


def _fields(index: int, one: HashedEvent) -> EventFields:
    try:
        return fields_of(orjson.loads(one.body))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise PayloadUnreadable(f"event {index}: {type(error).__name__}: {error}") from error


def _write_events(
    connection: Connection,
    anchored: BatchAnchored,
    log: PlacedLog,
    entries: Sequence[tuple[HashedEvent, EventFields]],
    tree: Batch,
) -> None:
    identities = [(*event_identity(one.event_id), bytes.fromhex(one.digest)) for one, _ in entries]
    known = _known(connection, {hash_ for hash_, _, _ in identities})
    events: Rows = []
    epcs: Rows = []
    quantities: Rows = []
    terms: Rows = []
    repeats: Rows = []
    for index, (one, fields) in enumerate(entries):
        hash_, version, digest = identities[index]
        key = event_key(log.leaf_index, index)
        first = known.setdefault((hash_, digest), key)
        if first != key:
            repeats.append(
                {
                    "event": first,
                    "leaf_index": log.leaf_index,
                    "batch_index": index,
                    "batch_path": b"".join(tree.path(index)),
                }
            )
            continue
        events.append(
            {
                "pk": key,
                "hash": hash_,
                "version": version,
                "digest": digest,
                "leaf_index": log.leaf_index,
                "batch_index": index,
                "batch_path": b"".join(tree.path(index)),
                "organisation": anchored.organisation,
                "record_time": log.block_time * 1_000_000,
                "body": one.body,
                **fields.columns,
            }
        )
        epcs += [
            {"epc": epc, "event_time": fields.event_time, "event": key, "role": role}
            for epc, role in fields.things
        ]
        quantities += [
            {"event": key, "place": place, "quantity": quantity}
            for place, quantity in enumerate(fields.quantities)
        ]
        terms += [{"event": key, "field": field, "value": value} for field, value in fields.terms]
    for table, rows in (
        (event, events),
        (event_epc, epcs),
        (event_quantity, quantities),
        (event_term, terms),
        (event_repeat, repeats),
    ):
        _insert(connection, table, rows)


def _insert(connection: Connection, table: Table, rows: Rows) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _known(connection: Connection, hashes: Iterable[bytes]) -> dict[tuple[bytes, bytes], int]:
    """Keys of the events that are there already, by hash and digest."""
    wanted = sorted(hashes)
    found: dict[tuple[bytes, bytes], int] = {}
    for start in range(0, len(wanted), _IN_MAX):
        rows: Any = connection.execute(_KNOWN, {"hashes": wanted[start : start + _IN_MAX]})
        found.update({(bytes(row.hash), bytes(row.digest)): row.pk for row in rows})
    return found
