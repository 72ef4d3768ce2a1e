"""The tables of receipts, their history and their parties."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

from contracts.instruments.columns import Uint128
from contracts.instruments.places import place_columns
from contracts.instruments.viewer import party_table

metadata: Final = MetaData()

receipt_table: Final = Table(
    "receipt",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("contract", String(42), nullable=False),
    Column("warehouse", String(32), nullable=False),
    Column("number", String(66)),
    Column("lot", String(66), nullable=False),
    Column("goods", String(66), nullable=False),
    Column("terms", String(66), nullable=False),
    Column("holder", String(32), nullable=False),
    Column("owner", String(32), nullable=False),
    Column("nominee", String(32)),
    Column("pledgee", String(32)),
    Column("origin", String(66)),
    Column("successor", String(66)),
    Column("quantity", Uint128, nullable=False),
    Column("requested", Uint128, nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("freezes", SmallInteger, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("rejectable", SmallInteger, nullable=False),
    Column("purpose", SmallInteger, nullable=False),
    *place_columns(),
    Index("ix_receipt_position", "position", unique=True),
    Index("ix_receipt_warehouse", "warehouse", "position"),
    Index("ix_receipt_number", "number", "position"),
    Index("ix_receipt_lot", "lot", "state", "position"),
    Index("ix_receipt_holder", "holder", "position"),
    Index("ix_receipt_owner", "owner", "position"),
    Index("ix_receipt_nominee", "nominee", "position"),
    Index("ix_receipt_pledgee", "pledgee", "position"),
    Index("ix_receipt_origin", "origin", "position"),
    Index("ix_receipt_state", "state", "position"),
    Index("ix_receipt_expires", "state", "expires", "position"),
)
"""Each receipt as it is now, in the words of `types.Receipt`.

`position` is that of the leaf which made it; the place (block, …) is that of its last act.
`contract` is the version of Receipts that keeps it.
"""

receipt_act_table: Final = Table(
    "receipt_act",
    metadata,
    Column("id", String(66), primary_key=True),
    *place_columns(key=True),
    Column("act", String(32), nullable=False),
    Column("by", String(32), nullable=False),
    Column("detail", String(66)),
    Column("remark", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("holder", String(32), nullable=False),
    Column("owner", String(32), nullable=False),
    Column("pledgee", String(32)),
    Column("quantity", Uint128, nullable=False),
)
"""Every act, with what it left behind."""

receipt_terms_table: Final = Table(
    "receipt_terms",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("terms", String(66), nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
"""Documents that were published with a receipt."""

receipt_party_table: Final = party_table("receipt", metadata)

receipt_lot_party_table: Final = party_table("receipt_lot", metadata)
"""Who is or was a party to a receipt for goods of a lot (`id`): they may see the lot's stock."""

receipt_keeper_table: Final = Table(
    "receipt_keeper",
    metadata,
    Column("lot", String(66), primary_key=True),
    Column("warehouse", String(32), nullable=False),
)
"""Who keeps the goods of a lot that an authority has entrusted to another warehouse."""
