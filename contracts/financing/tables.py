"""The tables of applications, loans and prices, their histories and parties."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

from contracts.instruments.columns import Uint128
from contracts.instruments.places import place_columns
from contracts.instruments.viewer import party_table

application_metadata: Final = MetaData()
loan_metadata: Final = MetaData()
pricing_metadata: Final = MetaData()

# ---- applications -------------------------------------------------------------------------------

application_table: Final = Table(
    "loan_application",
    application_metadata,
    Column("id", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("contract", String(42), nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("borrower", String(32), nullable=False),
    Column("bank", String(32)),
    Column("offer_hash", String(66)),
    Column("signed_by_borrower", String(66)),
    Column("signed_by_bank", String(66)),
    Column("best", String(32)),
    Column("valid_until", BigInteger, nullable=False),
    Column("open", Integer, nullable=False),
    Column("quotes", Integer, nullable=False),
    Column("checks_applicable", SmallInteger, nullable=False),
    Column("checks_passed", SmallInteger, nullable=False),
    Column("checked_block", BigInteger, nullable=False),
    Column("checked_at", BigInteger, nullable=False),
    Column("number", String(66), nullable=False),
    Column("instrument", String(42), nullable=False),
    Column("asset", String(66), nullable=False),
    Column("asset_revision", BigInteger, nullable=False),
    Column("amount", Uint128, nullable=False),
    Column("amount_min", Uint128, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("term_days", Integer, nullable=False),
    Column("year_days", Integer, nullable=False),
    Column("mode", SmallInteger, nullable=False),
    Column("agreement", Boolean, nullable=False),
    Column("purpose", String(66), nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("quotes_until", BigInteger, nullable=False),
    Column("reveal_until", BigInteger, nullable=False),
    Column("rate_bp_max", Integer, nullable=False),
    Column("penalty_bp", Integer, nullable=False),
    Column("grace_seconds", BigInteger, nullable=False),
    Column("notice_seconds", BigInteger, nullable=False),
    *place_columns(),
    Index("ix_loan_application_position", "position", unique=True),
    Index("ix_loan_application_borrower", "borrower", "position"),
    Index("ix_loan_application_bank", "bank", "position"),
    Index("ix_loan_application_state", "state", "position"),
    Index("ix_loan_application_asset", "asset", "position"),
)
"""Each application as it is now, in the words of `types.Application` and `types.Request`.

`position` is that of the leaf which made it; the place (block, …) is that of its last act.
`checked_block` is 0 where nothing was checked.
"""

application_act_table: Final = Table(
    "loan_application_act",
    application_metadata,
    Column("id", String(66), primary_key=True),
    *place_columns(key=True),
    Column("act", String(32), nullable=False),
    Column("by", String(32), nullable=False),
    Column("detail", String(66)),
    Column("remark", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
)
"""Every act on an application."""

offer_table: Final = Table(
    "loan_offer",
    application_metadata,
    Column("id", String(66), primary_key=True),
    Column("bank", String(32), primary_key=True),
    Column("stance", SmallInteger, nullable=False),
    Column("table_version", BigInteger, nullable=False),
    Column("rate_bp", Integer, nullable=False),
    Column("discount_bp", Integer, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Column("decided", BigInteger, nullable=False),
    Column("order", Integer, nullable=False),
    Column("amount", Uint128, nullable=False),
    Column("commitment", String(66)),
    Column("text", String(66)),
    Column("offer_hash", String(66)),
    *place_columns(),
    Index("ix_loan_offer_bank", "bank", "id"),
)
"""How each bank that an application is open to stands to it now."""

advice_table: Final = Table(
    "loan_advice",
    application_metadata,
    Column("id", String(66), primary_key=True),
    *place_columns(key=True),
    Column("by", String(32), nullable=False),
    Column("text", String(66), nullable=False),
    Column("limit", Uint128, nullable=False),
    Column("rate_bp", Integer, nullable=False),
    Column("score", Integer, nullable=False),
    Column("given", BigInteger, nullable=False),
)
"""The platform's advice, each time it was given."""

application_party_table: Final = party_table("loan_application", application_metadata)

# ---- loans --------------------------------------------------------------------------------------

loan_table: Final = Table(
    "loan",
    loan_metadata,
    Column("id", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("contract", String(42), nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("borrower", String(32), nullable=False),
    Column("bank", String(32), nullable=False),
    Column("terms", String(66), nullable=False),
    Column("pledge", String(66)),
    Column("instrument", String(42), nullable=False),
    Column("asset", String(66), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("year_days", Integer, nullable=False),
    Column("rate_bp", Integer, nullable=False),
    Column("penalty_bp", Integer, nullable=False),
    Column("grace_seconds", BigInteger, nullable=False),
    Column("lent", Uint128, nullable=False),
    Column("principal", Uint128, nullable=False),
    Column("interest_paid", Uint128, nullable=False),
    Column("accrued", String(78), nullable=False),
    Column("drawn", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("accrued_at", BigInteger, nullable=False),
    Column("breach_asset", String(66)),
    Column("breach_since", BigInteger, nullable=False),
    Column("warnings", BigInteger, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("breach", SmallInteger, nullable=False),
    *place_columns(),
    Index("ix_loan_position", "position", unique=True),
    Index("ix_loan_borrower", "borrower", "position"),
    Index("ix_loan_bank", "bank", "position"),
    Index("ix_loan_state", "state", "position"),
    Index("ix_loan_asset", "asset", "position"),
    Index("ix_loan_due", "state", "due", "position"),
)
"""Each loan as it is now, in the words of `types.Loan`. `accrued` is a whole number in digits:
it may be larger than 128 bits."""

loan_act_table: Final = Table(
    "loan_act",
    loan_metadata,
    Column("id", String(66), primary_key=True),
    *place_columns(key=True),
    Column("act", String(32), nullable=False),
    Column("by", String(32), nullable=False),
    Column("detail", String(66)),
    Column("remark", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("principal", Uint128, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("breach", SmallInteger, nullable=False),
)
"""Every act on a loan, with what it left behind."""

payment_table: Final = Table(
    "loan_payment",
    loan_metadata,
    Column("id", String(66), primary_key=True),
    *place_columns(key=True),
    Column("by", String(32), nullable=False),
    Column("interest", Uint128, nullable=False),
    Column("principal", Uint128, nullable=False),
    Column("ref", String(66)),
)
"""Money that came in, and what it went to."""

loan_party_table: Final = party_table("loan", loan_metadata)

# ---- prices -------------------------------------------------------------------------------------

rate_table: Final = Table(
    "rate_table",
    pricing_metadata,
    Column("bank", String(32), primary_key=True),
    Column("currency", String(8), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("document", String(66), nullable=False),
    Column("points_per_bp", Uint128, nullable=False),
    Column("discount_bp_max", BigInteger, nullable=False),
    Column("floor_bp", BigInteger, nullable=False),
    *place_columns(),
)
"""Every version of every bank's table."""

tier_table: Final = Table(
    "rate_tier",
    pricing_metadata,
    Column("bank", String(32), primary_key=True),
    Column("currency", String(8), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("tier", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(66)),
    Column("amount_max", Uint128, nullable=False),
    Column("term_days_max", Integer, nullable=False),
    Column("rate_bp", Integer, nullable=False),
)
"""Their rows, counted from 0."""

points_table: Final = Table(
    "contribution_points",
    pricing_metadata,
    Column("bank", String(32), primary_key=True),
    Column("customer", String(32), primary_key=True),
    Column("points", BigInteger, nullable=False),
    *place_columns(),
    Index("ix_contribution_points_customer", "customer", "bank"),
)
"""Customers' points with each bank now."""

points_act_table: Final = Table(
    "contribution_act",
    pricing_metadata,
    Column("bank", String(32), primary_key=True),
    Column("ref", String(66), primary_key=True),
    Column("customer", String(32), nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    *place_columns(),
    Index("ix_contribution_act_customer", "bank", "customer", "leaf_index"),
)
"""Every booking of points."""
