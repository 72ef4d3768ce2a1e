"""Contract versions in SQL, filled from genesis and the contract's events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
)
from sqlalchemy.engine import Row

from contracts.directory.binding import decode_log
from contracts.directory.types import ContractVersion, FoundingContract
from contracts.genesis import DIRECTORY_ADDRESS
from ledger.types import Address, CommittedBlock, Hash32, PlacedLog

metadata: Final = MetaData()

contract_version_table: Final = Table(
    "contract_version",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("address", String(42), nullable=False, index=True),
    Column("code_hash", String(66), nullable=False),
    Column("since_block", BigInteger, nullable=False),
    Column("note", String(512), nullable=False),
)
"""Versions of a name are counted from 0; the highest index is the current one."""


class DirectoryHandler:
    """Fills the table. Implements `ledger.projection.Handler`."""

    name = "directory"
    metadata = metadata

    def __init__(
        self, founding: Sequence[FoundingContract], address: Address = DIRECTORY_ADDRESS
    ) -> None:
        """`founding` are the contracts of the ledger's genesis (`founding_contracts_of`)."""
        self.address = address
        self._founding = tuple(founding)

    def reset(self, connection: Connection) -> None:
        """Back to genesis: the first version of each name."""
        connection.execute(delete(contract_version_table))
        for one in self._founding:
            _add(connection, one.name, 0, one.address, one.code_hash, 0, "")

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        event = decode_log(log.log)
        number = log.block_number
        _add(
            connection,
            event.name,
            event.index,
            event.address,
            event.code_hash,
            number,
            event.note,
        )


def contract_versions(
    connection: Connection, name: str | None = None, *, at_block: int | None = None
) -> tuple[ContractVersion, ...]:
    """Versions of one name or of all, by name and age.

    With `at_block` those that were there after that block, and `current` as it was then.
    """
    table = contract_version_table
    query = select(table).order_by(table.c.name, table.c.version)
    if name is not None:
        query = query.where(table.c.name == name)
    if at_block is not None:
        query = query.where(table.c.since_block <= at_block)
    rows = connection.execute(query).all()
    last = {row.name: row.version for row in rows}
    return tuple(_version(row, last[row.name]) for row in rows)


def find_contract(
    connection: Connection, name: str, *, at_block: int | None = None
) -> ContractVersion | None:
    """The current version of a name, or the one after that block; None where there is none."""
    versions = contract_versions(connection, name, at_block=at_block)
    return versions[-1] if versions else None


def contract_addresses(
    connection: Connection, name: str, *, at_block: int | None = None
) -> tuple[Address, ...]:
    """All addresses that a name has had, oldest first, each once."""
    versions = contract_versions(connection, name, at_block=at_block)
    return tuple(dict.fromkeys(version.address for version in versions))


def contract_of(connection: Connection, address: Address) -> str | None:
    """The name of which the address is or was a version, or None."""
    table = contract_version_table
    query = select(table.c.name).where(table.c.address == f"0x{address.hex()}").limit(1)
    return connection.execute(query).scalar_one_or_none()


def _add(
    connection: Connection,
    name: str,
    index: int,
    address: Address,
    code_hash: Hash32,
    block_number: int,
    note: str,
) -> None:
    connection.execute(
        insert(contract_version_table).values(
            name=name,
            version=index,
            address=f"0x{address.hex()}",
            code_hash=f"0x{code_hash.hex()}",
            since_block=block_number,
            note=note,
        )
    )


def _version(row: Row[tuple[object, ...]], last: int) -> ContractVersion:
    return ContractVersion(
        name=row.name,
        index=row.version,
        address=Address(bytes.fromhex(row.address[2:])),
        code_hash=Hash32(bytes.fromhex(row.code_hash[2:])),
        since_block=row.since_block,
        note=row.note,
        current=row.version == last,
    )
