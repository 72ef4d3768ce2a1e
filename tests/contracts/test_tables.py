"""Migrated tables are those that the handlers declare."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData

from contracts.claims.projection import metadata as claims
from contracts.directory.following import metadata as following
from contracts.directory.projection import metadata as directory
from contracts.financing.tables import application_metadata as applications
from contracts.financing.tables import loan_metadata as financing
from contracts.financing.tables import pricing_metadata as pricing
from contracts.governance.tables import metadata as governance
from contracts.models.tables import metadata as models
from contracts.models.tables import releases_metadata as model_releases
from contracts.models.tables import runs_metadata as model_runs
from contracts.network.projection import metadata as network
from contracts.notices import metadata as notices
from contracts.parameters.projection import metadata as parameters
from contracts.pledges.tables import metadata as pledges
from contracts.pools.tables import cash_metadata as pools
from contracts.pools.tables import metadata as pool_book
from contracts.receipts.tables import metadata as receipts
from contracts.receivables.tables import metadata as receivables
from contracts.settlement.tables import deal_metadata as settlement
from contracts.settlement.tables import metadata as deposits
from contracts.stock.tables import metadata as stock
from ledger.projection import open_database, upgrade
from tests.ledger.projection.support import BACKENDS, empty_database


@pytest.fixture(scope="module", params=BACKENDS)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A migrated database of each kind, for all of the module: it is only looked at."""
    with empty_database(request.param, tmp_path_factory.mktemp("tables")) as url:
        made = open_database(url)
        upgrade(made)
        yield made
        made.dispose()


@pytest.mark.feature("N4")
@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(claims, id="claims"),
        pytest.param(deposits, id="deposits"),
        pytest.param(directory, id="directory"),
        pytest.param(applications, id="applications"),
        pytest.param(financing, id="financing"),
        pytest.param(following, id="following"),
        pytest.param(governance, id="governance"),
        pytest.param(models, id="models"),
        pytest.param(model_releases, id="model-releases"),
        pytest.param(model_runs, id="model-runs"),
        pytest.param(network, id="network"),
        pytest.param(notices, id="notices"),
        pytest.param(parameters, id="parameters"),
        pytest.param(pledges, id="pledges"),
        pytest.param(pool_book, id="pool-book"),
        pytest.param(pools, id="pools"),
        pytest.param(pricing, id="pricing"),
        pytest.param(receipts, id="receipts"),
        pytest.param(receivables, id="receivables"),
        pytest.param(settlement, id="settlement"),
        pytest.param(stock, id="stock"),
    ],
)
def test_migrated_tables_are_the_handlers(metadata: MetaData, engine: Engine) -> None:
    names = set(metadata.tables)

    def ours(_: object, name: str | None, kind: str, *rest: object) -> bool:
        return kind != "table" or name in names

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, metadata) == []
