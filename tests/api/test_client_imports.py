"""Who imports the client has not imported the server."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import api
import api.hooks

pytestmark = pytest.mark.feature("A1")

SERVER = ("fastapi", "starlette", "uvicorn", "sqlalchemy", "alembic", "lmdb", "eth")
ROOMS = ("contracts", "traceability", "federation", "nodes", "ledger.chain", "ledger.projection")
SCRIPT = """
import sys
import api.client
print(*sorted(name for name in sys.modules if name.startswith(tuple(sys.argv[1:]))))
"""


def test_the_client_comes_without_web_framework_database_and_contracts() -> None:
    wanted = [f"{name}." for name in (*SERVER, *ROOMS)] + ["fastapi", "sqlalchemy"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *wanted], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("package", [api, api.hooks])
def test_every_public_name_is_there_when_it_is_asked_for(package: ModuleType) -> None:
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError, match="unheard_of"):
        getattr(package, "unheard_" + "of")
