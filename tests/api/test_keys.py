"""Bearer keys in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from api import KeyRefused, KeyStore
from api.tables import api_key, metadata
from tests.databases import migrated

pytestmark = pytest.mark.feature("A1")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = migrated(database_url)
    yield engine
    engine.dispose()


def test_a_key_is_found_by_its_secret_and_nothing_else(engine: Engine) -> None:
    keys = KeyStore(engine)
    secret, made = keys.create("green-valley")
    assert keys.find(secret) == made
    assert secret.endswith(made.last_four)
    assert keys.find(secret[:-1] + ("A" if secret[-1] != "A" else "B")) is None
    for other in ("", "tally_", secret + "A", secret.upper(), "x" * 10_000):
        assert keys.find(other) is None


def test_the_secret_is_stored_nowhere(engine: Engine, tmp_path: Path) -> None:
    secret, _ = KeyStore(engine).create("green-valley")
    engine.dispose()
    for path in tmp_path.iterdir():
        assert secret.removeprefix("tally_").encode() not in path.read_bytes()


def test_a_revoked_key_says_so_at_once(engine: Engine) -> None:
    keys = KeyStore(engine)
    secret, made = keys.create("green-valley")
    assert keys.find(secret) is not None
    revoked = keys.revoke(made.key_id)
    assert revoked.revoked is not None
    found = keys.find(secret)
    assert found is not None
    assert found.revoked == revoked.revoked
    assert keys.revoke(made.key_id).revoked == revoked.revoked


def test_a_key_revoked_by_another_process_is_refused_soon(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = KeyStore(engine)
    secret, made = keys.create("green-valley")
    keys.find(secret)
    KeyStore(engine).revoke(made.key_id)
    monkeypatch.setattr("api.keys.CACHE_AGE_S_MAX", 0.0)
    found = keys.find(secret)
    assert found is not None
    assert found.revoked is not None


def test_keys_are_listed_oldest_first_and_by_organisation(engine: Engine) -> None:
    keys = KeyStore(engine)
    made = [keys.create(name)[1] for name in ("b", "a", "b")]
    assert {key.key_id for key in keys.list()} == {key.key_id for key in made}
    assert {key.key_id for key in keys.list("b")} == {made[0].key_id, made[2].key_id}
    assert keys.list("c") == ()


@pytest.mark.parametrize("organisation", ["", "Green", "a" * 33, "a b", "ä"])
def test_malformed_organisations_get_no_key(engine: Engine, organisation: str) -> None:
    with pytest.raises(KeyRefused):
        KeyStore(engine).create(organisation)
    with engine.connect() as connection:
        assert connection.execute(select(api_key)).first() is None


def test_unknown_scopes_and_unknown_keys_are_refused(engine: Engine) -> None:
    keys = KeyStore(engine)
    with pytest.raises(KeyRefused, match="scopes"):
        keys.create("a", ["everything"])
    with pytest.raises(KeyRefused, match="scopes"):
        keys.create("a", [])
    with pytest.raises(KeyRefused, match="no key"):
        keys.revoke("0" * 16)


def test_migrations_make_the_tables_that_the_code_knows(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
