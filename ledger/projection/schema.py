"""Schema migrations: one Alembic history that every room takes part in.

A room that has tables ships a folder `<top>/<room>/migrations/` (with an empty `__init__.py`, so
that it is packaged) of Alembic revision files. Nothing is registered: the folders are found. Each
room is a branch of its own, its first file says

    revision = "capture_0001"              # unique in the whole database: <room>_<number>
    down_revision = None                   # the next file: "capture_0001"
    branch_labels = ("capture",)           # first file only
    depends_on = None                      # or revisions of other rooms, e.g. for a foreign key

    def upgrade() -> None:
        op.create_table("capture_job", …)

and a test checks that migrated tables equal the room's `MetaData`. A migration that changes what a
handler stores deletes that handler's row in `projection_cursor` (and its tables' rows): the
projector then fills them again from the chain.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from ledger.projection.database import write_transaction
from ledger.projection.errors import SchemaError

TOP_FOLDERS: Final = ("ledger", "contracts", "traceability", "federation", "api", "nodes")
_ADVISORY_LOCK: Final = 0x7A11_7571


def migration_folders() -> tuple[Path, ...]:
    """Every room's `migrations` folder, in the order of the layers. Imports nothing of them."""
    found: list[Path] = []
    for name in TOP_FOLDERS:
        spec = importlib.util.find_spec(name)
        for location in (spec and spec.submodule_search_locations) or ():
            root = Path(location)
            candidates = [root / "migrations", *sorted(root.glob("*/migrations"))]
            found += [folder for folder in candidates if any(folder.glob("*_[0-9]*.py"))]
    return tuple(found)


def upgrade(engine: Engine) -> None:
    """Bring the database to this software's schema; all or nothing, safe to call at each start.

    Two processes may start at once: the second waits. Raises `SchemaError` if a migration fails or
    the database was written by newer software.
    """
    try:
        with write_transaction(engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK}
                )
            if _is_current(connection):
                return
            command.upgrade(_config(connection), "heads")
    except SQLAlchemyError as error:
        raise SchemaError(
            "a migration of the database schema failed, and nothing was changed: "
            f"{getattr(error, 'orig', None) or error}"
        ) from error
    except CommandError as error:
        raise SchemaError(
            f"the database schema cannot be brought up to date: {error}. If newer software wrote "
            "this database, use that software; otherwise delete it and run `tally node reindex`"
        ) from error


def current_revisions(engine: Engine) -> tuple[str, ...]:
    """The revisions that the database is at, one per room, sorted."""
    with engine.connect() as connection:
        return tuple(sorted(MigrationContext.configure(connection).get_current_heads()))


def _is_current(connection: Connection) -> bool:
    wanted = ScriptDirectory.from_config(_config(connection)).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(wanted)


def _config(connection: Connection) -> Config:
    folders = migration_folders()
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "environment"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(path) for path in folders))
    config.attributes["connection"] = connection
    return config
