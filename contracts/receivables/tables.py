"""The tables of receivables, their history, their endorsers and their parties."""

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

receivable_table: Final = Table(
    "receivable",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("contract", String(42), nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("issuer", String(32), nullable=False),
    Column("number", String(66)),
    Column("creditor", String(32), nullable=False),
    Column("debtor", String(32), nullable=False),
    Column("attestor", String(32)),
    Column("terms", String(66), nullable=False),
    Column("invoice", String(66)),
    Column("holder", String(32), nullable=False),
    Column("pledgee", String(32)),
    Column("guarantor", String(32)),
    Column("origin", String(66)),
    Column("root", String(66), nullable=False),
    Column("amount", Uint128, nullable=False),
    Column("outstanding", Uint128, nullable=False),
    Column("paid", Uint128, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("deliver_by", BigInteger, nullable=False),
    Column("presented", BigInteger, nullable=False),
    Column("grace_seconds", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    Column("endorsements", SmallInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("freezes", SmallInteger, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("disputable", Boolean, nullable=False),
    Column("undertaken", Boolean, nullable=False),
    Column("rejectable", Boolean, nullable=False),
    Column("financed", Boolean, nullable=False),
    *place_columns(),
    Index("ix_receivable_position", "position", unique=True),
    Index("ix_receivable_number", "number", "position"),
    Index("ix_receivable_issuer", "issuer", "position"),
    Index("ix_receivable_creditor", "creditor", "position"),
    Index("ix_receivable_debtor", "debtor", "position"),
    Index("ix_receivable_holder", "holder", "position"),
    Index("ix_receivable_pledgee", "pledgee", "position"),
    Index("ix_receivable_guarantor", "guarantor", "position"),
    Index("ix_receivable_origin", "origin", "position"),
    Index("ix_receivable_root", "root", "position"),
    Index("ix_receivable_state", "state", "position"),
    Index("ix_receivable_due", "state", "due", "position"),
)
"""Each receivable as it is now, in the words of `types.Receivable`.

`position` is that of the leaf which made it; the place (block, …) is that of its last act.
`contract` is the version of Receivables that keeps it.
"""

receivable_act_table: Final = Table(
    "receivable_act",
    metadata,
    Column("id", String(66), primary_key=True),
    *place_columns(key=True),
    Column("act", String(32), nullable=False),
    Column("by", String(32)),
    Column("detail", String(66)),
    Column("remark", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("holder", String(32), nullable=False),
    Column("pledgee", String(32)),
    Column("guarantor", String(32)),
    Column("outstanding", Uint128, nullable=False),
    Column("paid", Uint128, nullable=False),
)
"""Every act, with what it left behind."""

receivable_endorsement_table: Final = Table(
    "receivable_endorsement",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("depth", SmallInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger),
    Column("endorser", String(32), nullable=False),
    Column("recourse", Boolean, nullable=False),
)
"""Who passed it on. Since and until are revisions of the receivable; where `until` is NULL, the
endorser stands before the holder now, at that depth: the first is 1."""

receivable_terms_table: Final = Table(
    "receivable_terms",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("terms", String(66), primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
"""Documents that were published with a receivable: its terms, an order's invoice."""

receivable_party_table: Final = party_table("receivable", metadata)
"""Who is or was a party, and who stands behind a part of what he passed on."""
