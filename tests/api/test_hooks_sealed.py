"""The database holds no secret of a webhook that anybody could sign with."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from api.hooks import HookDraft, HookSettings, HookStore
from api.hooks.signing import new_secret
from api.hooks.tables import webhook_table
from contracts.notices import BEGINNING, NoticeFilter
from ledger.crypto import SealingKey
from ledger.projection import read_transaction, write_transaction
from tests.databases import migrated

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("S4")]

SEALER = SealingKey.generate()
DRAFT = HookDraft("ash", "https://example.org/", NoticeFilter((), ""), False, BEGINNING)
_w = webhook_table.c


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = migrated(database_url)
    yield made
    made.dispose()


def store_of(engine: Engine, sealer: SealingKey = SEALER) -> HookStore:
    return HookStore(engine, HookSettings(), sealer)


def column(engine: Engine, hook_id: str) -> str:
    with read_transaction(engine) as connection:
        return str(connection.execute(select(_w.secret).where(_w.id == hook_id)).scalar_one())


def set_column(engine: Engine, hook_id: str, secret: str) -> None:
    with write_transaction(engine) as connection:
        connection.execute(update(webhook_table).where(_w.id == hook_id).values(secret=secret))


def shows(folder: Path, secret: str) -> bool:
    """Whether any file below the folder holds the secret, as text or in its bytes."""
    forms = (secret.encode(), base64.b64decode(secret.removeprefix("whsec_")))
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert files
    return any(form in data for data in files for form in forms)


def test_what_stands_in_the_database_is_no_secret(engine: Engine, tmp_path: Path) -> None:
    hook = store_of(engine).create(DRAFT)
    assert hook.secret.startswith("whsec_")
    assert len(column(engine, hook.id)) <= 100
    assert hook.secret.removeprefix("whsec_") not in column(engine, hook.id)
    if engine.dialect.name == "sqlite":
        assert not shows(tmp_path, hook.secret)
    assert store_of(engine).find("ash", hook.id) == hook


def test_secrets_that_older_software_left_are_sealed_without_a_trace(
    engine: Engine, tmp_path: Path
) -> None:
    hooks = [store_of(engine).create(DRAFT) for _ in range(20)]
    old = {hook.id: new_secret() for hook in hooks}
    for _ in range(2):  # as after deliveries: rows have been written over before
        for hook_id, secret in old.items():
            set_column(engine, hook_id, secret)
    if engine.dialect.name == "sqlite":
        assert all(shows(tmp_path, secret) for secret in old.values())
    store = store_of(engine)
    assert {hook.id: hook.secret for hook in store.list("ash")} == old
    for hook_id, secret in old.items():
        assert secret not in column(engine, hook_id)
        if engine.dialect.name == "sqlite":
            assert not shows(tmp_path, secret)
    assert store_of(engine).list("ash") == store.list("ash")


def test_a_secret_opens_for_its_own_webhook_with_this_key_alone(engine: Engine) -> None:
    store = store_of(engine)
    one, other = store.create(DRAFT), store.create(DRAFT)
    assert store_of(engine, SealingKey.generate()).find("ash", one.id).secret == ""
    set_column(engine, one.id, column(engine, other.id))
    assert store.find("ash", one.id).secret == ""
    for damaged in ("", "?", "AQ==", "é"):
        set_column(engine, one.id, damaged)
        assert store.find("ash", one.id).secret == ""
    assert store.find("ash", other.id).secret == other.secret
