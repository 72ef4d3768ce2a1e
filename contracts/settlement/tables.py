"""The tables of deposits and deals, their histories and their parties."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
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

metadata: Final = MetaData()
"""Of Deposits."""

deposit_account_table: Final = Table(
    "deposit_account",
    metadata,
    Column("key", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("bank", String(32), nullable=False),
    Column("owner", String(32), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("balance", Uint128, nullable=False),
    Column("set_aside", Uint128, nullable=False),
    Column("held", Uint128, nullable=False),
    Column("revision", BigInteger, nullable=False),
    *place_columns(),
    Index("ix_deposit_account_position", "position", unique=True),
    Index("ix_deposit_account_bank", "bank", "position"),
    Index("ix_deposit_account_owner", "owner", "position"),
)
"""Each account as it is now. `position` is that of the leaf which opened it, the place that of its
last change."""

deposit_movement_table: Final = Table(
    "deposit_movement",
    metadata,
    *place_columns(key=True),
    Column("account", String(66), nullable=False),
    Column("id", String(66)),
    Column("kind", SmallInteger, nullable=False),
    Column("by", String(32), nullable=False),
    Column("amount", Uint128, nullable=False),
    Column("counterparty", String(32)),
    Column("counterparty_bank", String(32)),
    Column("number", String(66)),
    Column("cause", String(66)),
    Column("rest", Uint128, nullable=False),
    Column("balance", Uint128, nullable=False),
    Column("set_aside", Uint128, nullable=False),
    Column("held", Uint128, nullable=False),
    Column("remark", Text, nullable=False),
    Index("ix_deposit_movement_account", "account", "leaf_index"),
    Index("ix_deposit_movement_id", "id", "leaf_index"),
    Index("ix_deposit_movement_cause", "cause", "leaf_index"),
    Index("ix_deposit_movement_time", "block_time", "leaf_index"),
)
"""Every line of every account's statement, with what it left behind."""

deposit_party_table: Final = party_table("deposit", metadata)
"""Who sees an account: its owner and its bank."""

deposit_redemption_table: Final = Table(
    "deposit_redemption",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("account", String(66), nullable=False),
    Column("number", String(66)),
    Column("amount", Uint128, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("remark", Text, nullable=False),
    *place_columns(),
    Index("ix_deposit_redemption_account", "account", "position"),
    Index("ix_deposit_redemption_state", "state", "position"),
)
"""What owners have asked to be paid out. The remark is that of the last act."""

deposit_hold_table: Final = Table(
    "deposit_hold",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("account", String(66), nullable=False),
    Column("by", String(32), nullable=False),
    Column("cause", String(66)),
    Column("amount", Uint128, nullable=False),
    Column("held", Uint128, nullable=False),
    *place_columns(),
    Index("ix_deposit_hold_account", "account", "position"),
)
"""Holds: the amount in the beginning, and what is still held."""

deposit_home_table: Final = Table(
    "deposit_home",
    metadata,
    Column("organisation", String(32), primary_key=True),
    Column("currency", String(8), primary_key=True),
    Column("bank", String(32), nullable=False),
)
"""Where organisations want to be paid."""

interbank_position_table: Final = Table(
    "interbank_position",
    metadata,
    Column("creditor", String(32), primary_key=True),
    Column("debtor", String(32), primary_key=True),
    Column("currency", String(8), primary_key=True),
    Column("claim", Uint128, nullable=False),
    Column("limit", Uint128, nullable=False),
    *place_columns(),
    Index("ix_interbank_position_debtor", "debtor"),
)
"""What stands between two banks now."""

interbank_movement_table: Final = Table(
    "interbank_movement",
    metadata,
    *place_columns(key=True),
    Column("creditor", String(32), nullable=False),
    Column("debtor", String(32), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("id", String(66)),
    Column("kind", SmallInteger, nullable=False),
    Column("amount", Uint128, nullable=False),
    Column("claim", Uint128, nullable=False),
    Column("limit", Uint128, nullable=False),
    Column("number", String(66)),
    Column("remark", Text, nullable=False),
    Index("ix_interbank_movement_creditor", "creditor", "leaf_index"),
    Index("ix_interbank_movement_debtor", "debtor", "leaf_index"),
    Index("ix_interbank_movement_time", "block_time", "leaf_index"),
)
"""Every change between two banks, with what it left behind."""

deal_metadata: Final = MetaData()
"""Of Settlement."""

deal_table: Final = Table(
    "deal",
    deal_metadata,
    Column("id", String(66), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("contract", String(42), nullable=False),
    Column("number", String(66), nullable=False),
    Column("seller", String(32), nullable=False),
    Column("buyer", String(32)),
    Column("seller_bank", String(32), nullable=False),
    Column("buyer_bank", String(32)),
    Column("terms", String(66)),
    Column("evidence", String(66)),
    Column("cancel_asked_by", String(32)),
    Column("amount", Uint128, nullable=False),
    Column("currency", String(8), nullable=False),
    Column("role", SmallInteger),
    Column("state", String(16), nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("condition", SmallInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("attestor", String(32)),
    Column("subject", String(66)),
    *place_columns(),
    Index("ix_deal_position", "position", unique=True),
    Index("ix_deal_seller", "seller", "position"),
    Index("ix_deal_buyer", "buyer", "position"),
    Index("ix_deal_attestor", "attestor", "position"),
    Index("ix_deal_state", "state", "position"),
    Index("ix_deal_subject", "subject", "position"),
)
"""Each deal as it is now. `contract` is the version of Settlement that keeps it."""

deal_leg_table: Final = Table(
    "deal_leg",
    deal_metadata,
    Column("deal", String(66), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("instrument", String(42), nullable=False),
    Column("record", String(66), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index("ix_deal_leg_record", "record"),
)
"""Instruments of a deal, in its order."""

deal_act_table: Final = Table(
    "deal_act",
    deal_metadata,
    Column("id", String(66), primary_key=True),
    *place_columns(key=True),
    Column("act", String(32), nullable=False),
    Column("by", String(32), nullable=False),
    Column("detail", String(66)),
    Column("remark", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("buyer", String(32)),
)
"""Every act, with what it left behind."""

deal_party_table: Final = party_table("deal", deal_metadata)
