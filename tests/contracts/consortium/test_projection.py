"""Organisations and accounts in SQL: the same as what the contract says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from eth_abi.abi import encode
from sqlalchemy import Connection, Engine, insert

from contracts.abi import _decoded
from contracts.consortium import (
    CONSORTIUM_ADDRESS,
    Account,
    ConsortiumHandler,
    Kind,
    Organisation,
    Profile,
    Role,
    Status,
    account_table,
    accounts_of,
    add_device,
    add_organisation,
    all_organisations,
    find_account,
    find_organisation,
    find_organisations,
    organisation_table,
    set_account_status,
    set_organisation_status,
    set_profile,
    set_role,
)
from contracts.errors import LogError
from ledger.projection import read_transaction, write_transaction
from ledger.types import Hash32, Log, PlacedLog, Receipt
from tests.contracts.scene import FARM, OPERATOR, MemoryChain, govern, key, told
from tests.databases import migrated

ZERO = Hash32(bytes(32))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = migrated(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def handler() -> ConsortiumHandler:
    return ConsortiumHandler((OPERATOR, FARM))


def decode_texts(data: bytes) -> tuple[str, str, str]:
    """As logs are decoded."""
    return _decoded(["bytes32", "uint8", "(string,string,string)"], data)[2]


def act(chain: MemoryChain, sender: int | None, call: bytes) -> Receipt:
    """A call of one of the keys, or, for None, a decision of the members."""
    if sender is None:
        return govern(chain, (CONSORTIUM_ADDRESS, call))
    return chain.send(key(sender), CONSORTIUM_ADDRESS, call)


def apply(handler: ConsortiumHandler, connection: Connection, receipt: Receipt) -> None:
    for index, log in enumerate(told(receipt, CONSORTIUM_ADDRESS)):
        placed = PlacedLog(log, ZERO, 1, 0, ZERO, 0, index, index)
        handler.apply(connection, None, placed)  # type: ignore[arg-type]


@pytest.mark.feature("N4")
def test_genesis_gives_the_founders(engine: Engine, handler: ConsortiumHandler) -> None:
    with write_transaction(engine) as connection:
        handler.reset(connection)
    with read_transaction(engine) as connection:
        farm = Organisation(FARM.id, FARM.role, Status.ACTIVE, FARM.profile)
        operator = Organisation(OPERATOR.id, OPERATOR.role, Status.ACTIVE, OPERATOR.profile)
        assert all_organisations(connection) == (farm, operator)
        scanner = Account(FARM.devices[0], FARM.id, Kind.DEVICE, Status.ACTIVE)
        assert find_account(connection, FARM.devices[0]) == scanner
        assert len(accounts_of(connection, FARM.id)) == 3
        assert find_account(connection, key(40).address) is None
        assert find_organisation(connection, "nobody") is None


@pytest.mark.feature("N4")
def test_events_change_rows(engine: Engine, handler: ConsortiumHandler, chain: MemoryChain) -> None:
    bank, profile = key(21).address, Profile("Harbour Bank", "海港银行", "https://bank.example")
    steps = [
        (None, add_organisation("harbour-bank", Role.BANK, profile, bank)),
        (None, set_role(FARM.id, Role.RETAILER)),
        (None, set_profile(FARM.id, Profile("Green Valley", "绿谷", ""))),
        (2, add_device(key(22).address)),
        (2, set_account_status(key(22).address, Status.REVOKED)),
        (None, set_organisation_status(FARM.id, Status.SUSPENDED)),
    ]
    with write_transaction(engine) as connection:
        handler.reset(connection)
        for sender, call in steps:
            apply(handler, connection, act(chain, sender, call))
    with read_transaction(engine) as connection:
        found = find_organisations(connection, ["harbour-bank", FARM.id, "nobody"])
        assert found == {
            "harbour-bank": Organisation("harbour-bank", Role.BANK, Status.ACTIVE, profile),
            FARM.id: Organisation(
                FARM.id, Role.RETAILER, Status.SUSPENDED, Profile("Green Valley", "绿谷", "")
            ),
        }
        assert find_account(connection, bank) == Account(
            bank, "harbour-bank", Kind.ACCOUNT, Status.ACTIVE
        )
        assert find_account(connection, key(22).address) == Account(
            key(22).address, FARM.id, Kind.DEVICE, Status.REVOKED
        )


def test_a_name_that_no_database_can_hold_stops_nobody(
    engine: Engine, handler: ConsortiumHandler
) -> None:
    """The contract refuses such names today; an upgraded one might not."""
    texts = tuple(data.encode() for data in ("nul\0l", "\0" * 64, "\ud7ffx\0"))
    event = "(string,string,string)"
    data = encode(["bytes32", "uint8", event.replace("string", "bytes")], [ZERO, 1, texts])
    name, name_zh, uri = decode_texts(data)
    with write_transaction(engine) as connection:
        handler.reset(connection)
        row = {"id": "new", "role": 1, "status": 1, "name": name, "name_zh": name_zh, "uri": uri}
        connection.execute(insert(organisation_table).values(row))
    with read_transaction(engine) as connection:
        found = find_organisation(connection, "new")
    assert found is not None
    assert found.profile == Profile("nul\ufffdl", "\ufffd" * 64, "\ud7ffx\ufffd")


def test_reset_leaves_nothing_but_the_founders(
    engine: Engine, handler: ConsortiumHandler, chain: MemoryChain
) -> None:
    with write_transaction(engine) as connection:
        handler.reset(connection)
        before = [connection.execute(t.select()).all() for t in (organisation_table, account_table)]
        call = add_organisation("new", Role.BANK, Profile("New"), key(21).address)
        apply(handler, connection, act(chain, None, call))
        handler.reset(connection)
        after = [connection.execute(t.select()).all() for t in (organisation_table, account_table)]
    assert after == before


def test_an_unknown_log_stops_the_projection(engine: Engine, handler: ConsortiumHandler) -> None:
    placed = PlacedLog(Log(CONSORTIUM_ADDRESS, (ZERO,), b""), ZERO, 1, 0, ZERO, 0, 0, 0)
    with write_transaction(engine) as connection, pytest.raises(LogError):
        handler.apply(connection, None, placed)  # type: ignore[arg-type]


@pytest.mark.feature("N4")
def test_migrated_tables_are_the_handlers(engine: Engine, handler: ConsortiumHandler) -> None:
    names = set(handler.metadata.tables)

    def ours(_: object, name: str | None, kind: str, *rest: object) -> bool:
        return kind != "table" or name in names

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, handler.metadata) == []


def test_an_account_needs_its_organisation(engine: Engine) -> None:
    values = {"address": "0x" + "1" * 40, "organisation": "nobody", "kind": 0, "status": 1}
    with (
        pytest.raises(Exception, match=r"(?i)foreign key"),
        write_transaction(engine) as connection,
    ):
        connection.execute(insert(account_table).values(values))
