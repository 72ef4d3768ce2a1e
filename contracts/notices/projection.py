"""The handler that fills the feed from the events of every room."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import orjson
from sqlalchemy import Connection, delete, insert, select

from contracts.directory import VersionAdded
from contracts.directory import decode_log as decode_directory_log
from contracts.errors import LogError
from contracts.genesis import DIRECTORY_ADDRESS
from contracts.instruments.notices import NOTICES_PER_LOG_MAX, Notice, Source
from contracts.notices.errors import NoticeMalformed
from contracts.notices.tables import (
    metadata,
    notice_contract_table,
    notice_party_table,
    notice_record_party_table,
    notice_record_table,
    notice_table,
)
from contracts.notices.types import Place
from ledger.types import Address, CommittedBlock, PlacedLog

BODY_SIZE_BYTES_MAX: Final = 65_536
_KIND: Final = re.compile(r"(?=.{3,64}\Z)[a-z0-9-]+\.[a-z0-9-]+")
_ID: Final = re.compile(r"0x[0-9a-f]{64}")


class NoticesHandler:
    """Fills the feed. Implements `ledger.projection.FollowingHandler`.

    It reads no other room's tables: each handler stands at a block of its own, and a rebuild must
    give the same rows.
    """

    name = "notices"
    metadata = metadata

    def __init__(
        self,
        contracts: Mapping[str, Address],
        sources: Mapping[str, Source],
        directory: Address = DIRECTORY_ADDRESS,
    ) -> None:
        """`contracts` are the first versions by name, `sources` what turns their logs to notices.

        A contract without a source is not listened to; one that comes later by vote is.
        """
        self.address = directory
        self._first = {name: place for name, place in contracts.items() if name in sources}
        self._sources = dict(sources)

    def addresses(self, connection: Connection, block: CommittedBlock) -> Collection[Address]:
        """The directory, and every version of the contracts up to this block."""
        if not block.logs:
            return ()
        known = connection.execute(select(notice_contract_table.c.address)).scalars()
        new = (event.address for event in self._added(block.logs))
        return {self.address, *(Address(bytes.fromhex(text[2:])) for text in known), *new}

    def reset(self, connection: Connection) -> None:
        """Back to genesis: nothing was told, the first versions are listened to."""
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
        for name, address in self._first.items():
            self._follow(connection, name, address)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Store what a log tells. Raises `NoticeMalformed`, and `LogError` of the room."""
        if log.log.address == self.address:
            for event in self._added([log]):
                self._follow(connection, event.name, event.address)
            return
        notices = self._source(connection, block, log.log.address)(log.log)
        if len(notices) > NOTICES_PER_LOG_MAX:
            raise NoticeMalformed(
                f"log {log.log_index}: {len(notices)} notices; at most {NOTICES_PER_LOG_MAX}"
            )
        for part, notice in enumerate(notices):
            _tell(connection, notice, log, part)

    def _source(self, connection: Connection, block: CommittedBlock, address: Address) -> Source:
        table = notice_contract_table
        query = select(table.c.contract).where(table.c.address == _hex(address))
        name = connection.execute(query).scalar()
        if name is None:  # a version of this very block, which logs before the directory names it
            name = next(new.name for new in self._added(block.logs) if new.address == address)
        return self._sources[name]

    def _follow(self, connection: Connection, name: str, address: Address) -> None:
        table = notice_contract_table
        connection.execute(delete(table).where(table.c.address == _hex(address)))
        connection.execute(insert(table).values(address=_hex(address), contract=name))

    def _added(self, logs: Iterable[PlacedLog]) -> list[VersionAdded]:
        """New versions among these logs of contracts that are listened to."""
        found = []
        for log in logs:
            if log.log.address != self.address:
                continue
            try:
                event = decode_directory_log(log.log)
            except LogError:  # none of the directory's events; its own handler complains
                continue
            if event.name in self._sources:
                found.append(event)
        return found


def _tell(connection: Connection, notice: Notice, log: PlacedLog, part: int) -> None:
    body = _checked(notice)
    before = _parties_of(connection, notice.id)
    after = notice.parties
    if after is None:
        after = (before - notice.leaving) | notice.joining
    told = {*before, *after, *notice.by}
    if notice.alarm:
        told |= _concerned(connection, notice.id)
    place = Place(log.block_number, log.log_index, part)
    connection.execute(
        insert(notice_table).values(
            position=place.position,
            kind=notice.kind,
            record=notice.id,
            body=body,
            time=log.block_time,
            transaction_hash=_hex(log.transaction_hash),
            leaf_index=log.leaf_index,
        )
    )
    if told:
        rows = [{"organisation": name, "position": place.position} for name in sorted(told)]
        connection.execute(insert(notice_party_table), rows)
    _remember(connection, notice, before, after)


def _checked(notice: Notice) -> str:
    """The body as JSON. Raises `NoticeMalformed`."""
    if not _KIND.fullmatch(notice.kind):
        raise NoticeMalformed(f"kind {notice.kind[:80]!r}: <record>.<what happened> is meant")
    if not _ID.fullmatch(notice.id):
        raise NoticeMalformed(f"{notice.kind}: {notice.id[:80]!r} is no id of a record")
    body = orjson.dumps(notice.body)
    if len(body) > BODY_SIZE_BYTES_MAX:
        raise NoticeMalformed(f"{notice.kind}: a body of {len(body)} bytes")
    return body.decode()


def _parties_of(connection: Connection, record: str) -> frozenset[str]:
    table = notice_record_party_table
    query = select(table.c.organisation).where(table.c.id == record)
    return frozenset(connection.execute(query).scalars())


def _concerned(connection: Connection, topic: str) -> set[str]:
    """Parties of all live records of a topic."""
    record, party = notice_record_table, notice_record_party_table
    query = (
        select(party.c.organisation)
        .join(record, record.c.id == party.c.id)
        .where(record.c.topic == topic, record.c.final.is_(False))
        .distinct()
    )
    return set(connection.execute(query).scalars())


def _remember(
    connection: Connection, notice: Notice, before: frozenset[str], after: frozenset[str]
) -> None:
    """Who is a party now, and what the record lives on."""
    parties, records = notice_record_party_table, notice_record_table
    if gone := before - after:
        here = (parties.c.id == notice.id) & parties.c.organisation.in_(sorted(gone))
        connection.execute(delete(parties).where(here))
    if new := after - before:
        rows = [{"id": notice.id, "organisation": name} for name in sorted(new)]
        connection.execute(insert(parties), rows)
    row = connection.execute(select(records).where(records.c.id == notice.id)).first()
    topic = notice.topic or ("" if row is None else row.topic)
    if row is not None and (row.topic, row.final) == (topic, notice.final):
        return
    connection.execute(delete(records).where(records.c.id == notice.id))
    connection.execute(insert(records).values(id=notice.id, topic=topic, final=notice.final))


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
