"""Organisations and accounts in SQL, filled from genesis and the contract's events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    MetaData,
    SmallInteger,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Row

from contracts.consortium.binding import decode_log
from contracts.consortium.types import (
    Account,
    AccountAdded,
    AccountStatusChanged,
    ConsortiumEvent,
    Founder,
    Kind,
    Organisation,
    OrganisationAdded,
    OrganisationProfileChanged,
    OrganisationRoleChanged,
    OrganisationStatusChanged,
    Profile,
    Role,
    Status,
)
from contracts.genesis import CONSORTIUM_ADDRESS
from ledger.types import Address, CommittedBlock, PlacedLog

metadata: Final = MetaData()

organisation_table: Final = Table(
    "organisation",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("role", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("name", String(128), nullable=False),
    Column("name_zh", String(128), nullable=False),
    Column("uri", String(512), nullable=False),
)
"""Role and status are the contract's numbers (`Role`, `Status`)."""

account_table: Final = Table(
    "account",
    metadata,
    Column("address", String(42), primary_key=True),
    Column("organisation", String(32), ForeignKey("organisation.id"), nullable=False, index=True),
    Column("kind", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
)
"""Accounts and devices; `address` is 0x and 40 lower-case hex digits."""


class ConsortiumHandler:
    """Fills both tables. Implements `ledger.projection.Handler`."""

    name = "consortium"
    metadata = metadata

    def __init__(self, founders: Sequence[Founder], address: Address = CONSORTIUM_ADDRESS) -> None:
        """`founders` are those of the ledger's genesis (`founders_of`), `address` the contract."""
        self.address = address
        self._founders = tuple(founders)

    def reset(self, connection: Connection) -> None:
        """Back to genesis: the founders and nobody else."""
        connection.execute(delete(account_table))
        connection.execute(delete(organisation_table))
        for founder in self._founders:
            _add_organisation(connection, founder.id, founder.role, founder.profile)
            for account in founder.accounts:
                _add_account(connection, account, founder.id, Kind.ACCOUNT)
            for device in founder.devices:
                _add_account(connection, device, founder.id, Kind.DEVICE)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        _apply(connection, decode_log(log.log))


def find_organisation(connection: Connection, organisation: str) -> Organisation | None:
    """The organisation of that id, or None."""
    return find_organisations(connection, [organisation]).get(organisation)


def find_organisations(connection: Connection, ids: Iterable[str]) -> dict[str, Organisation]:
    """Organisations by id; unknown ids are left out."""
    query = select(organisation_table).where(organisation_table.c.id.in_(sorted(set(ids))))
    return {row.id: _organisation(row) for row in connection.execute(query)}


def all_organisations(connection: Connection) -> tuple[Organisation, ...]:
    """Every organisation, by id."""
    query = select(organisation_table).order_by(organisation_table.c.id)
    return tuple(_organisation(row) for row in connection.execute(query))


def list_organisations(
    connection: Connection, *, after: str = "", count: int = 30
) -> tuple[Organisation, ...]:
    """Up to `count` organisations by id, those behind `after`."""
    table = organisation_table
    query = select(table).where(table.c.id > after).order_by(table.c.id).limit(count)
    return tuple(_organisation(row) for row in connection.execute(query))


def find_account(connection: Connection, address: Address) -> Account | None:
    """The account or device of that address, or None."""
    query = select(account_table).where(account_table.c.address == _hex(address))
    row = connection.execute(query).one_or_none()
    return None if row is None else _account(row)


def accounts_of(connection: Connection, organisation: str) -> tuple[Account, ...]:
    """Accounts and devices of an organisation, by address."""
    query = (
        select(account_table)
        .where(account_table.c.organisation == organisation)
        .order_by(account_table.c.address)
    )
    return tuple(_account(row) for row in connection.execute(query))


def _apply(connection: Connection, event: ConsortiumEvent) -> None:
    match event:
        case OrganisationAdded(organisation, _, role, profile):
            _add_organisation(connection, organisation, role, profile)
        case OrganisationProfileChanged(organisation, _, profile):
            _set_organisation(connection, organisation, **_texts(profile))
        case OrganisationRoleChanged(organisation, _, role):
            _set_organisation(connection, organisation, role=int(role))
        case OrganisationStatusChanged(organisation, _, status):
            _set_organisation(connection, organisation, status=int(status))
        case AccountAdded(organisation, account, _, kind):
            _add_account(connection, account, organisation, kind)
        case AccountStatusChanged(_, account, _, status):
            connection.execute(
                update(account_table)
                .where(account_table.c.address == _hex(account))
                .values(status=int(status))
            )


def _add_organisation(connection: Connection, id_: str, role: Role, profile: Profile) -> None:
    row = {"id": id_, "role": int(role), "status": int(Status.ACTIVE), **_texts(profile)}
    connection.execute(insert(organisation_table).values(row))


def _set_organisation(connection: Connection, organisation: str, **values: str | int) -> None:
    connection.execute(
        update(organisation_table).where(organisation_table.c.id == organisation).values(values)
    )


def _add_account(connection: Connection, address: Address, organisation: str, kind: Kind) -> None:
    connection.execute(
        insert(account_table).values(
            address=_hex(address),
            organisation=organisation,
            kind=int(kind),
            status=int(Status.ACTIVE),
        )
    )


def _texts(profile: Profile) -> dict[str, str]:
    return {"name": profile.name, "name_zh": profile.name_zh, "uri": profile.uri}


def _hex(address: Address) -> str:
    return f"0x{address.hex()}"


def _organisation(row: Row[tuple[object, ...]]) -> Organisation:
    profile = Profile(row.name, row.name_zh, row.uri)
    return Organisation(row.id, Role(row.role), Status(row.status), profile)


def _account(row: Row[tuple[object, ...]]) -> Account:
    address = Address(bytes.fromhex(row.address[2:]))
    return Account(address, row.organisation, Kind(row.kind), Status(row.status))
