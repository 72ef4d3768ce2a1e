"""`tally node suspend`, `replace` and `leave` with a node that runs, whose member decides alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from contracts.consortium import Profile, Role
from contracts.network import Node, find_nodes
from ledger.crypto import AccountKey
from ledger.errors import TallystickError
from ledger.projection import read_transaction
from ledger.tlog import Ed25519Key
from nodes.cli import standing
from nodes.cli.proposals import app as proposals
from nodes.endpoints import parse_endpoint
from nodes.errors import NodeError
from nodes.founding import MemberSpec
from nodes.network.descriptor import Descriptor
from nodes.proposals import ActionInvalid
from nodes.runtime import NodeRuntime
from nodes.serving import serving
from tests.nodes.solo import solo_node

pytestmark = [pytest.mark.feature("N1"), pytest.mark.feature("N2")]

KEY = AccountKey(b"\x07" * 32)
Tally = Callable[..., dict[str, Any]]

_app = typer.Typer()
_app.command("suspend")(standing.suspend)
_app.command("replace")(standing.replace)
_app.command("leave")(standing.leave)
_app.add_typer(proposals, name="proposal")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeRuntime]:
    members = [MemberSpec("alpha", "Alpha", "", Role.OPERATOR)]
    with solo_node(tmp_path / "node", members) as node:
        yield node


@pytest.fixture
def tally(node: NodeRuntime) -> Iterator[Tally]:
    """`tally WORDS… --dir NODE --json`; its answer, once the tables know it."""
    with serving(node):

        def run(*words: str) -> dict[str, Any]:
            options = ["--dir", str(node.directory.root), "--json"]
            done = CliRunner().invoke(_app, [*words, *options])
            if isinstance(done.exception, TallystickError):
                raise done.exception
            assert done.exit_code == 0, done.output
            node.projector.wait_for(node.ledger.head().header.number, 10)
            answer: dict[str, Any] = json.loads(done.stdout)
            return answer

        yield run


def described(path: Path, number: int, organisation: str = "acme") -> str:
    """A descriptor of acme's node of that number, as a file."""
    one = Descriptor(
        organisation=organisation,
        profile=Profile(organisation.title(), ""),
        role=Role.WAREHOUSE,
        accounts=(KEY.address,),
        label=f"{organisation}-{number}",
        node_id=bytes([number]) * 20,
        validator_key=Ed25519Key.generate().public_key,
        witness_key=Ed25519Key.generate().public_key,
        p2p=parse_endpoint(f"{organisation}-{number}.example:26656"),
        api=f"https://{organisation}-{number}.example",
    ).signed(KEY)
    file = path / f"{organisation}-{number}.json"
    file.write_bytes(one.encode())
    return str(file)


def nodes_of(node: NodeRuntime) -> dict[str, Node]:
    """By the label in their witness keys."""
    with read_transaction(node.engine) as connection:
        found = find_nodes(connection)
    return {one.contact.witness_key.split("+")[0].rpartition("/")[2]: one for one in found}


@pytest.fixture
def acme(tally: Tally, tmp_path: Path) -> None:
    """A member with a node that validates."""
    assert (
        tally("proposal", "new", "admit", described(tmp_path, 1), "4", "0")["state"] == "executed"
    )


@pytest.mark.usefixtures("acme")
def test_a_suspended_node_counts_no_more_until_it_is_brought_back(
    node: NodeRuntime, tally: Tally, tmp_path: Path
) -> None:
    more = described(tmp_path, 2)  # the last validator with power cannot be suspended
    tally("proposal", "new", "add-node", more, "1")
    done = tally("suspend", "acme-2", "--text", "key may be stolen")
    assert done["state"] == "executed"
    assert len(done["calls"]) == 1
    assert nodes_of(node)["acme-2"].status.word == "suspended"
    assert [one.id for one in node.ledger.nodes() if one.active] == [b"\x01" * 20]
    shown = tally("proposal", "show", str(done["proposal"]))
    assert shown["text"] == "key may be stolen"
    assert shown["calls"][0]["contract"] == "network"
    tally("proposal", "new", "reactivate-node", "acme-2")
    assert sorted(one.power for one in node.ledger.nodes() if one.active) == [1, 4]


@pytest.mark.usefixtures("acme")
def test_a_node_is_named_by_its_id_too(node: NodeRuntime, tally: Tally, tmp_path: Path) -> None:
    tally("proposal", "new", "add-node", described(tmp_path, 2), "1")
    tally("suspend", "020202")
    assert nodes_of(node)["acme-2"].status.word == "suspended"


@pytest.mark.usefixtures("acme")
def test_a_new_node_takes_the_place_and_the_power_of_the_old_one_in_one_step(
    node: NodeRuntime, tally: Tally, tmp_path: Path
) -> None:
    tally("proposal", "new", "add-node", described(tmp_path, 2), "1")
    before = node.ledger.head().header.number
    done = tally("replace", "acme-2", described(tmp_path, 3))
    assert done["state"] == "executed"
    assert len(done["calls"]) == 2
    assert node.ledger.head().header.number == before + 1, "one proposal, one transaction"
    powers = {one.id: one.power for one in node.ledger.nodes()}
    assert powers == {b"\x01" * 20: 4, b"\x03" * 20: 1}
    found = nodes_of(node)["acme-3"]
    assert (found.organisation, found.contact.p2p) == ("acme", "acme-3.example:26656")
    tally("replace", "acme-3", described(tmp_path, 4), "--power", "0")
    assert {one.id: one.power for one in node.ledger.nodes()}[b"\x04" * 20] == 0


@pytest.mark.usefixtures("acme")
def test_another_members_node_never_takes_a_place(
    node: NodeRuntime, tally: Tally, tmp_path: Path
) -> None:
    with pytest.raises(NodeError, match=r"acme-1 is a node of acme, the new one of other"):
        tally("replace", "acme-1", described(tmp_path, 5, "other"))
    assert list(nodes_of(node)) == ["acme-1"]


@pytest.mark.usefixtures("acme")
def test_nodes_that_are_not_there_are_refused(tally: Tally, tmp_path: Path) -> None:
    with pytest.raises(ActionInvalid, match="nobody"):
        tally("suspend", "nobody")
    with pytest.raises(ActionInvalid, match="nobody"):
        tally("replace", "nobody", described(tmp_path, 3))


@pytest.mark.usefixtures("acme")
def test_the_last_validator_is_not_suspended(node: NodeRuntime, tally: Tally) -> None:
    with pytest.raises(TallystickError, match=r"(?i)validator|power"):
        tally("suspend", "acme-1")
    assert nodes_of(node)["acme-1"].status.word == "active"


@pytest.mark.usefixtures("acme")
def test_who_leaves_is_removed_first_and_stops_then(
    node: NodeRuntime, tally: Tally, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node of this folder is registered as alpha's; its process is that of the tests."""
    own = Descriptor.load(Path(described(tmp_path, 6, "alpha")))
    key = node.secrets.load_account("alpha")
    mine = replace(own, accounts=(key.address,), signature=b"").signed(key)
    node.directory.descriptor.write_bytes(mine.encode())
    tally("proposal", "new", "add-node", str(node.directory.descriptor), "1")
    assert "alpha-6" in nodes_of(node)
    stopped: list[Path] = []
    monkeypatch.setattr(standing, "stop_node", lambda place: stopped.append(place.root))
    done = CliRunner().invoke(_app, ["leave", str(node.directory.root), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["left"] is True
    assert stopped == [node.directory.root]
    assert [one.id for one in node.ledger.nodes()] == [b"\x01" * 20]
