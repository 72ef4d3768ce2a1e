"""The tables of pledges, what they cover, and their history."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, SmallInteger, String, Table, Text

from contracts.instruments.columns import Uint128
from contracts.instruments.places import place_columns
from contracts.instruments.viewer import party_table

metadata: Final = MetaData()

pledge_table: Final = Table(
    "pledge",
    metadata,
    Column("key", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("instrument", String(42), nullable=False),
    Column("record", String(66), nullable=False),
    Column("instrument_revision", BigInteger, nullable=False),
    Column("pledgor", String(32), nullable=False),
    Column("pledgee", String(32), nullable=False),
    Column("amount", Uint128, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("notice_seconds", BigInteger, nullable=False),
    Column("terms", String(66), nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("assets", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("loan", String(66)),
    *place_columns(),
    Index("ix_pledge_position", "position", unique=True),
    Index("ix_pledge_record", "record", "position"),
    Index("ix_pledge_pledgor", "pledgor", "position"),
    Index("ix_pledge_pledgee", "pledgee", "position"),
    Index("ix_pledge_state", "state", "position"),
    Index("ix_pledge_loan", "loan", "position"),
)
"""Each pledge as it is now. `position` is that of the leaf which first told it, the place that of
its last act. `record` is the instrument that it was made for."""

pledge_asset_table: Final = Table(
    "pledge_asset",
    metadata,
    Column("record", String(66), primary_key=True),
    Column("instrument", String(42), nullable=False),
    Column("pledge", String(66), nullable=False, index=True),
)
"""Instruments that a live pledge covers now: each has at most one."""

pledge_act_table: Final = Table(
    "pledge_act",
    metadata,
    Column("key", String(66), primary_key=True),
    *place_columns(key=True),
    Column("kind", String(16), nullable=False),
    Column("by", String(32)),
    Column("state", SmallInteger),
    Column("assets", BigInteger),
    Column("record", String(66)),
    Column("receiver", String(32)),
    Column("decision", String(66)),
    Column("remark", Text, nullable=False),
)
"""Everything that happened to a pledge: `changed` with the state and how many instruments it
covers, `covered` and `freed` with the instrument, `annulled` with the decision."""

pledge_party_table: Final = party_table("pledge", metadata)
