"""`tally key`: bearer keys with scopes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api import KeyRefused
from contracts.consortium import Role
from nodes.cli.access import app
from nodes.errors import NodeError
from nodes.founding import MemberSpec
from tests.nodes.solo import solo_node

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("S1")]

ID = f"0x{'ab' * 32}"


def tally(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_keys_are_made_with_scopes_listed_and_revoked(tmp_path: Path) -> None:
    with solo_node(tmp_path / "node", [MemberSpec("farm", "Farm", "农场", Role.WAREHOUSE)]) as node:
        place = ("--dir", str(node.directory.root))
        scopes = ("--scope", "receipts:*", "--scope", "stock:read")
        made = json.loads(tally("create", "farm", *place, *scopes, "--json"))
        found = node.keys.find(made["key"])
        assert found is not None
        assert found.scopes == {"receipts:*", "stock:read"}
        bound = json.loads(tally("create", "farm", *place, "--instrument", ID, "--json"))
        assert bound["instruments"] == [ID]
        assert bound["scopes"] == ["capture"]
        listed = json.loads(tally("list", *place, "--json"))["keys"]
        assert {one["id"] for one in listed} == {made["id"], bound["id"]}
        assert "receipts:* stock:read" in tally("list", *place)
        tally("revoke", made["id"], *place)
        assert "revoked" in tally("list", *place)
        with pytest.raises(KeyRefused, match="no scope"):
            tally("create", "farm", *place, "--scope", "everything")
        with pytest.raises(NodeError, match="no organisation"):
            tally("create", "nobody", *place)
    assert "settlement:write" in tally("scopes").split()
