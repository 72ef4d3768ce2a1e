"""Receivables in SQL: the handler."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from contracts.directory import FollowingHandler
from contracts.genesis import DIRECTORY_ADDRESS, PLEDGES_ADDRESS, RECEIVABLES_ADDRESS
from contracts.instruments.columns import hex_of, put
from contracts.instruments.places import place_values
from contracts.instruments.viewer import note_parties, note_parties_later
from contracts.pledges.binding import decode_log as decode_pledges_log
from contracts.pledges.types import PledgeChanged
from contracts.receivables.binding import decode_log
from contracts.receivables.tables import (
    metadata,
    receivable_act_table,
    receivable_endorsement_table,
    receivable_party_table,
    receivable_table,
    receivable_terms_table,
)
from contracts.receivables.types import Receivable, ReceivableActed, TermsPublished
from ledger.types import Address, CommittedBlock, PlacedLog

_COLUMNS: Final = tuple(field.name for field in fields(Receivable))
_HASHES: Final = ("terms", "invoice", "origin", "root")


class ReceivablesHandler:
    """Fills the tables. Implements `ledger.projection.Handler`.

    Beside the logs of Receivables it takes those of Pledges: a bank that is offered a receivable
    as security may see it.
    """

    name = "receivables"
    metadata = metadata

    def __init__(
        self, address: Address = RECEIVABLES_ADDRESS, *, pledges: Address = PLEDGES_ADDRESS
    ) -> None:
        self.address = address
        self.pledges = pledges

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no receivables."""
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event. Raises `LogError` where it is none of its contract's."""
        del block
        if log.log.address == self.pledges:
            _pledge(connection, log)
            return
        match decode_log(log.log):
            case ReceivableActed() as acted:
                _act(connection, acted, log)
            case TermsPublished(id_, terms, payload):
                row = {"id": hex_of(id_), "terms": hex_of(terms), "payload": payload}
                put(connection, receivable_terms_table, row)


class ReceivablesFollowing(FollowingHandler):
    """Follows all versions of Receivables, and Pledges beside them."""

    def __init__(self, inner: ReceivablesHandler, directory: Address = DIRECTORY_ADDRESS) -> None:
        super().__init__(inner, "receivables", directory)
        self._pledges = inner.pledges

    def addresses(self, connection: Connection, block: CommittedBlock) -> Collection[Address]:
        """The directory, every version up to this block, and Pledges."""
        return {*super().addresses(connection, block), self._pledges}


def _pledge(connection: Connection, log: PlacedLog) -> None:
    event = decode_pledges_log(log.log)
    if not isinstance(event, PledgeChanged):
        return
    record, parties = str(hex_of(event.pledge.id)), [event.pledge.pledgee]
    note_parties_later(connection, receivable_party_table, receivable_table, record, parties)


def _act(connection: Connection, acted: ReceivableActed, log: PlacedLog) -> None:
    id_, receivable = str(hex_of(acted.id)), acted.receivable
    position = _position(connection, id_)
    if position is None:
        position = log.leaf_index
    row = {
        "id": id_,
        "position": position,
        "contract": hex_of(log.log.address),
        **_values(receivable),
        **place_values(log),
    }
    put(connection, receivable_table, row)
    connection.execute(insert(receivable_act_table), _history(id_, acted, log))
    endorsers = _endorse(connection, id_, acted)
    parties = {
        receivable.issuer,
        receivable.creditor,
        receivable.debtor,
        receivable.attestor,
        receivable.holder,
        receivable.pledgee,
        *endorsers,
    }
    note_parties(connection, receivable_party_table, id_, position, parties)


def _values(receivable: Receivable) -> dict[str, Any]:
    """Columns are named as the record's fields."""
    values = {name: getattr(receivable, name) for name in _COLUMNS}
    for name in _HASHES:
        values[name] = hex_of(values[name])
    values["kind"] = int(receivable.kind)
    return values


def _history(id_: str, acted: ReceivableActed, log: PlacedLog) -> dict[str, Any]:
    receivable = acted.receivable
    return {
        "id": id_,
        **place_values(log),
        "act": acted.act,
        "by": acted.by,
        "detail": hex_of(acted.detail),
        "remark": acted.remark,
        "revision": receivable.revision,
        "state": receivable.state,
        "holder": receivable.holder,
        "pledgee": receivable.pledgee,
        "guarantor": receivable.guarantor,
        "outstanding": receivable.outstanding,
        "paid": receivable.paid,
    }


def _position(connection: Connection, id_: str) -> int | None:
    query = select(receivable_table.c.position).where(receivable_table.c.id == id_)
    return connection.execute(query).scalar_one_or_none()


# ---- endorsers ----------------------------------------------------------------------------------


def _endorse(connection: Connection, id_: str, acted: ReceivableActed) -> set[str]:
    """Bring the endorsers up to date, by how many they are now; who is a party by that."""
    table, receivable = receivable_endorsement_table, acted.receivable
    if receivable.origin is not None and receivable.revision == 1:
        return _inherit(connection, id_, str(hex_of(receivable.origin)))
    if acted.act == "reject":
        _restore(connection, id_, receivable.revision)
        return set()
    standing = (table.c.id == id_) & table.c.until.is_(None)
    depths = connection.execute(select(table.c.depth).where(standing)).scalars().all()
    if receivable.endorsements > len(depths) and acted.by is not None:
        # Whoever passes it on is never one who stands behind it already.
        recourse = receivable.guarantor == acted.by
        row = {"endorser": acted.by, "recourse": recourse, "until": None}
        place = {"id": id_, "since": receivable.revision, "depth": receivable.endorsements}
        connection.execute(insert(table), {**place, **row})
        return {acted.by}
    if receivable.endorsements < len(depths):
        ended = standing & (table.c.depth > receivable.endorsements)
        connection.execute(update(table).where(ended).values(until=receivable.revision))
    return set()


def _inherit(connection: Connection, id_: str, origin: str) -> set[str]:
    """A part has the endorsers of the whole."""
    table = receivable_endorsement_table
    query = select(table).where(table.c.id == origin, table.c.until.is_(None))
    rows = [
        {
            "id": id_,
            "since": 1,
            "depth": row.depth,
            "until": None,
            "endorser": row.endorser,
            "recourse": row.recourse,
        }
        for row in connection.execute(query)
    ]
    if rows:
        connection.execute(insert(table), rows)
    return {str(row["endorser"]) for row in rows if row["recourse"]}


def _restore(connection: Connection, id_: str, revision: int) -> None:
    """As it was before the endorsement that is rejected, which was the last change of them."""
    table = receivable_endorsement_table
    newest = select(func.max(table.c.since), func.max(table.c.until)).where(table.c.id == id_)
    last = max(one or 0 for one in connection.execute(newest).one())
    added = (table.c.id == id_) & (table.c.since == last) & table.c.until.is_(None)
    ended = (table.c.id == id_) & (table.c.until == last)
    connection.execute(update(table).where(added).values(until=revision))
    connection.execute(update(table).where(ended).values(until=None))
