"""The handler that fills the feed from the events of every room."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select

from contracts.directory import VersionAdded
from contracts.directory import decode_log as decode_directory_log
from contracts.errors import ContractError, LogError
from contracts.genesis import DIRECTORY_ADDRESS
from contracts.instruments.columns import put_later
from contracts.instruments.notices import NOTICES_PER_LOG_MAX, Notice, Source
from contracts.notices.errors import NoticeMalformed
from contracts.notices.tables import (
    metadata,
    notice_contract_table,
    notice_party_table,
    notice_record_table,
    notice_table,
)
from contracts.notices.types import Place
from ledger.projection import flush, write_later
from ledger.types import Address, CommittedBlock, PlacedLog

BODY_SIZE_BYTES_MAX: Final = 65_536
READ_AT_ONCE: Final = 500
_r = notice_record_table.c
_RECORDS: Final = select(notice_record_table).where(_r.id.in_(bindparam("ids", expanding=True)))
_CONCERNED: Final = (
    select(_r.parties).where(_r.topic == bindparam("topic"), _r.final.is_(False)).distinct()
)
_TELL: Final = insert(notice_table)
_TELL_WHOM: Final = insert(notice_party_table)
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
        self._listening: dict[Address, str] | None = None
        """Name by address, as in the table; None before it was read. What a transaction that fails
        leaves here is there again once its block is applied."""
        self._blockful: _Blockful | None = None

    def addresses(self, connection: Connection, block: CommittedBlock) -> Collection[Address]:
        """The directory, and every version of the contracts up to this block."""
        if not block.logs:
            return ()
        new = (event.address for event in self._added(block.logs))
        return {self.address, *self._known(connection), *new}

    def reset(self, connection: Connection) -> None:
        """Back to genesis: nothing was told, the first versions are listened to."""
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
        self._listening = self._blockful = None
        for name, address in self._first.items():
            self._follow(connection, name, address)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Store what a log tells. Raises `NoticeMalformed`, and `LogError` of the room."""
        if log.log.address == self.address:
            for event in self._added([log]):
                self._follow(connection, event.name, event.address)
            return
        here = self._of_block(connection, block)
        notices = here.notices.get(log.log_index)
        if notices is None:
            notices = self._notices(connection, block, log)
            here.records |= _records(connection, {one.id for one in notices} - set(here.records))
        for part, notice in enumerate(notices):
            _tell(connection, notice, log, part, here.records)

    def _of_block(self, connection: Connection, block: CommittedBlock) -> _Blockful:
        """The notices of all of the block's logs, and their records, which are read at once."""
        here, transaction = self._blockful, connection.get_transaction()
        if here is not None and here.block is block and here.transaction is transaction:
            return here
        known = self._known(connection)
        notices = {}
        for log in block.logs:
            if log.log.address in known:
                with suppress(ContractError):  # told once it is that log's turn
                    notices[log.log_index] = self._notices(connection, block, log)
        ids = {one.id for some in notices.values() for one in some}
        here = _Blockful(block, transaction, notices, _records(connection, ids))
        self._blockful = here
        return here

    def _notices(
        self, connection: Connection, block: CommittedBlock, log: PlacedLog
    ) -> tuple[Notice, ...]:
        notices = self._source(connection, block, log.log.address)(log.log)
        if len(notices) > NOTICES_PER_LOG_MAX:
            raise NoticeMalformed(
                f"log {log.log_index}: {len(notices)} notices; at most {NOTICES_PER_LOG_MAX}"
            )
        return notices

    def _known(self, connection: Connection) -> dict[Address, str]:
        if self._listening is None:
            rows = connection.execute(select(notice_contract_table))
            self._listening = {
                Address(bytes.fromhex(row.address[2:])): row.contract for row in rows
            }
        return self._listening

    def _source(self, connection: Connection, block: CommittedBlock, address: Address) -> Source:
        name = self._known(connection).get(address)
        if name is None:  # a version of this very block, which logs before the directory names it
            name = next(new.name for new in self._added(block.logs) if new.address == address)
        return self._sources[name]

    def _follow(self, connection: Connection, name: str, address: Address) -> None:
        self._known(connection)[address] = name
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


@dataclass(frozen=True, slots=True)
class _Record:
    """A record as of its last notice, as in the table."""

    topic: str = ""
    final: bool = False
    parties: str = ""


@dataclass(slots=True)
class _Blockful:
    """What the handler knows of the block at hand."""

    block: CommittedBlock
    transaction: object
    notices: dict[int, tuple[Notice, ...]]
    """By index of the log."""
    records: dict[str, _Record]
    """As they are after the logs so far, by id."""


def _tell(
    connection: Connection,
    notice: Notice,
    log: PlacedLog,
    part: int,
    records: dict[str, _Record],
) -> None:
    body = _checked(notice)
    known = records.get(notice.id)
    record = known or _Record()
    before = frozenset(record.parties.split())
    after = notice.parties
    if after is None:
        after = (before - notice.leaving) | notice.joining
    told = {*before, *after, *notice.by}
    if notice.alarm:
        told |= _concerned(connection, notice.id)
    place = Place(log.block_number, log.log_index, part)
    row = {
        "position": place.position,
        "kind": notice.kind,
        "record": notice.id,
        "body": body,
        "time": log.block_time,
        "transaction_hash": _hex(log.transaction_hash),
        "leaf_index": log.leaf_index,
    }
    write_later(connection, _TELL, row)
    rows = [{"organisation": name, "position": place.position} for name in sorted(told)]
    write_later(connection, _TELL_WHOM, *rows)
    now = _Record(notice.topic or record.topic, notice.final, " ".join(sorted(after)))
    if now != known:
        records[notice.id] = now
        values = {"topic": now.topic, "final": now.final, "parties": now.parties}
        put_later(connection, notice_record_table, {"id": notice.id, **values})


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


def _records(connection: Connection, ids: set[str]) -> dict[str, _Record]:
    flush(connection, notice_record_table)
    found = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), READ_AT_ONCE):
        part = wanted[start : start + READ_AT_ONCE]
        for row in connection.execute(_RECORDS, {"ids": part}):
            found[row.id] = _Record(row.topic, row.final, row.parties)
    return found


def _concerned(connection: Connection, topic: str) -> set[str]:
    """Parties of all live records of a topic."""
    flush(connection, notice_record_table)
    found = connection.execute(_CONCERNED, {"topic": topic}).scalars()
    return {name for parties in found for name in parties.split()}


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
