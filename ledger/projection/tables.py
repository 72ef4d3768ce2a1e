"""The room's own table."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table

metadata: Final = MetaData()

projection_cursor: Final = Table(
    "projection_cursor",
    metadata,
    Column("handler", String(64), primary_key=True),
    Column("genesis_hash", LargeBinary(32), nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", LargeBinary(32), nullable=False),
)
"""Last block that each handler has applied. A handler without a row has applied nothing."""
