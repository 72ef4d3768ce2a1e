"""What members decide gives the same rows on every database, in the migrated tables."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from contracts import directory, governance, network, parameters
from contracts.consortium import CONSORTIUM_ADDRESS, Profile, Role, add_organisation
from contracts.genesis import (
    DIRECTORY_ADDRESS,
    GOVERNANCE_ADDRESS,
    NETWORK_ADDRESS,
    PARAMETERS_ADDRESS,
)
from contracts.governance import Call, Choice
from contracts.handlers import consortium_handlers
from ledger.projection import open_database, upgrade, write_transaction
from tests.contracts.governance.model import founder, node_of
from tests.contracts.scene import MemoryChain, entries, key
from tests.contracts.tables import PLACES, Tables

pytestmark = [pytest.mark.feature("N2"), pytest.mark.feature("N4")]
NAMES = ("alpha", "beta", "delta")
FOUNDERS = tuple(founder(name, key(n).address) for n, name in enumerate(NAMES, 1))
NODES = tuple(node_of(n, name, 10) for n, name in enumerate(NAMES))


def rows(tables: Tables) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, in the order of its key."""
    found: dict[str, list[tuple[object, ...]]] = {}
    with tables.engine.connect() as connection:
        for handler in tables.handlers:
            for table in handler.metadata.sorted_tables:
                query = select(table).order_by(*table.primary_key.columns)
                found[table.name] = [tuple(row) for row in connection.execute(query)]
    return found


def migrated(engine: Engine) -> Tables:
    upgrade(engine)
    tables = Tables(consortium_handlers(PLACES, entries(FOUNDERS, NODES), {}), engine)
    with write_transaction(engine) as connection:
        for handler in tables.handlers:
            handler.reset(connection)
    return tables


def test_decisions_give_the_same_rows_on_every_database(database_url: str) -> None:
    engine = open_database(database_url)
    both = (Tables.of(entries(FOUNDERS, NODES)), migrated(engine))
    chain = MemoryChain.of(entries(FOUNDERS, NODES))
    made = chain.send(key(1), None, bytes.fromhex("60005f5360015ff3")).contract_address
    assert made is not None
    fourth = node_of(9, "fourth", 0)
    longest = Profile("名" * 42, "n" * 128, "u" * 512)
    calls = [
        Call(CONSORTIUM_ADDRESS, add_organisation("fourth", Role.BANK, longest, key(9).address)),
        Call(NETWORK_ADDRESS, network.add_node(fourth)),
        Call(PARAMETERS_ADDRESS, parameters.set_parameter("witnessThreshold", 2)),
        Call(DIRECTORY_ADDRESS, directory.add_version("extra", made, "n" * 512)),
        Call(GOVERNANCE_ADDRESS, governance.set_votes("fourth", 1_000_000)),
    ]
    refused = [Call(NETWORK_ADDRESS, network.set_power(fourth.id, 1_000_000_000))]
    steps = [
        (1, governance.propose(calls, "t" * 1024)),
        (2, governance.vote(1, Choice.NO)),
        (2, governance.vote(1, Choice.YES)),
        (3, governance.vote(1, Choice.YES)),
        (1, governance.execute(1, calls)),
        (1, governance.propose(refused, "too much \U0001f600")),
        (1, governance.withdraw(2)),
    ]
    for sender, data in steps:
        receipt = chain.send(key(sender), GOVERNANCE_ADDRESS, data)
        assert receipt.status == 1
        for tables in both:
            tables.take(receipt, chain.number, chain.time)
    memory, stored = map(rows, both)
    assert stored == memory
    assert len(stored["organisation"]) == 4
    assert len(stored["proposal"]) == 2
    engine.dispose()
