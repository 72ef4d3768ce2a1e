"""`tally proposal` with a node that runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts import governance
from contracts.consortium import Profile, Role, find_organisation
from contracts.governance import Call, State
from contracts.network import find_nodes
from ledger.crypto import AccountKey, Ed25519Key
from ledger.errors import TallystickError
from ledger.projection import read_transaction
from ledger.types import Log
from nodes.cli.proposals import app
from nodes.endpoints import parse_endpoint
from nodes.founding import MemberSpec
from nodes.network.descriptor import Descriptor
from nodes.proposals import ACTIONS, ActionInvalid, CallRefused, ProposalError, parse_actions
from nodes.runtime import NodeRuntime
from nodes.serving import serving
from tests.nodes.solo import solo_node

pytestmark = pytest.mark.feature("N2")

SOLO, OTHER = "alpha", "beta"
KEY = AccountKey(b"\x07" * 32)
Tally = Callable[..., dict[str, Any]]


MEMBERS = (
    MemberSpec(SOLO, "Alpha", "", Role.OPERATOR),
    MemberSpec(OTHER, "Beta", "", Role.MANUFACTURER),
)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeRuntime]:
    with solo_node(tmp_path / "node", MEMBERS) as node:
        yield node


@pytest.fixture(scope="module")
def any_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeRuntime]:
    """One for all tests that propose nothing."""
    with solo_node(tmp_path_factory.mktemp("any") / "node", MEMBERS) as node:
        yield node


@pytest.fixture
def tally(node: NodeRuntime) -> Iterator[Tally]:
    with asked(node) as tally:
        yield tally


@pytest.fixture(scope="module")
def any_tally(any_node: NodeRuntime) -> Iterator[Tally]:
    with asked(any_node) as tally:
        yield tally


@contextmanager
def asked(node: NodeRuntime) -> Iterator[Tally]:
    """`tally proposal WORDS… --json` against the node; its answer."""
    runner = CliRunner()
    with serving(node) as addresses:
        options = ["--dir", str(node.directory.root), "--rpc", addresses.rpc, "--json"]

        def run(*words: str) -> dict[str, Any]:
            done = runner.invoke(app, [*words, *options])
            if done.exception is not None and isinstance(done.exception, TallystickError):
                raise done.exception
            assert done.exit_code == 0, done.output
            head = node.ledger.head().header.number
            node.projector.wait_for(head, 10)
            answer: dict[str, Any] = json.loads(done.stdout)
            return answer

        yield run


def descriptor(tmp_path: Path, organisation: str = "acme", number: int = 5) -> Path:
    one = Descriptor(
        organisation=organisation,
        profile=Profile("Acme", "艾克"),
        role=Role.WAREHOUSE,
        accounts=(KEY.address,),
        label=f"{organisation}-1",
        node_id=bytes([number]) * 20,
        validator_key=Ed25519Key.generate().public_key,
        witness_key=Ed25519Key.generate().public_key,
        p2p=parse_endpoint("acme.example:26656"),
        api="https://acme.example",
    ).signed(KEY)
    path = tmp_path / f"{organisation}.json"
    path.write_bytes(one.encode())
    return path


def test_one_voter_decides_in_one_transaction(node: NodeRuntime, tally: Tally) -> None:
    made = tally("new", "add-organisation", "acme", "bank", "0x" + "aa" * 20, "Acme & Co", "艾克")
    assert (made["proposal"], made["state"]) == (1, "executed")
    with read_transaction(node.engine) as connection:
        acme = find_organisation(connection, "acme")
    assert acme is not None
    assert acme.profile == Profile("Acme & Co", "艾克")
    shown = tally("show", "1")
    assert shown["votes"] == {shown["organisation"]: "yes"}
    assert shown["calls"][0]["function"] == "addOrganisation"
    assert tally("list")["proposals"] == []
    assert [one["proposal"] for one in tally("list", "--all")["proposals"]] == [1]


def test_a_member_is_admitted_by_its_descriptor(
    node: NodeRuntime, tally: Tally, tmp_path: Path
) -> None:
    path = str(descriptor(tmp_path))
    assert tally("new", "admit", path, "--votes", "0")["state"] == "executed"
    with read_transaction(node.engine) as connection:
        (added,) = find_nodes(connection, "acme")
    assert (added.id, added.power) == (b"\x05" * 20, 0)
    assert added.contact.witness_key.startswith(f"{node.genesis.origin}/acme-1+")
    assert tally("new", "set-endpoints", "acme-1", "new.example:26656")["state"] == "executed"
    done = tally("new", "suspend-node", "050505", "and", "set-votes", "acme", "2")
    assert done["state"] == "executed"
    assert len(done["calls"]) == 2
    assert tally("new", "remove-node", "05" * 20)["state"] == "open"  # one of three votes now


def test_votes_are_cast_changed_and_carried_out(tally: Tally) -> None:
    tally("new", "set-votes", OTHER, "1")
    made = tally("new", "set-role", OTHER, "carrier", "--account", SOLO, "--text", "as it is")
    number = str(made["proposal"])
    assert made["state"] == "open"
    with pytest.raises(ProposalError, match="--account"):
        tally("vote", number, "yes")
    assert tally("vote", number, "no", "--account", OTHER)["state"] == "open"
    with pytest.raises(CallRefused, match="has not passed: 1 of 2 votes say yes"):
        tally("execute", number, "--account", SOLO)
    passed = tally("vote", number, "yes", "--account", OTHER, "--no-execute")
    assert passed["state"] == "passed"
    assert tally("execute", number, "--account", SOLO)["state"] == "executed"
    with pytest.raises(CallRefused, match="decided or has expired"):
        tally("vote", number, "no", "--account", OTHER)
    made = tally("new", "set-role", OTHER, "bank", "--account", OTHER)
    number = str(made["proposal"])
    with pytest.raises(CallRefused, match="did not make this proposal"):
        tally("withdraw", number, "--account", SOLO)
    assert tally("withdraw", number, "--account", OTHER)["state"] == "withdrawn"


def test_what_was_just_made_elsewhere_is_waited_for(
    tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another member's node may be a block behind the one that was told of the proposal."""
    tally("new", "set-votes", OTHER, "1")
    whole, asked = governance.decode_proposal, []

    def late(output: bytes) -> object:
        asked.append(1)
        return whole(output) if len(asked) > 2 else None

    made = str(tally("new", "set-role", OTHER, "carrier", "--account", SOLO)["proposal"])
    monkeypatch.setattr(governance, "decode_proposal", late)
    assert tally("vote", made, "yes", "--account", OTHER)["state"] == "executed"
    assert len(asked) > 2


def test_a_vote_counts_also_where_executing_fails(tally: Tally) -> None:
    tally("new", "set-votes", OTHER, "1")
    same = ("set-role", OTHER, "manufacturer")  # it is one already
    made = tally("new", *same, "--account", SOLO, "--force")
    voted = tally("vote", str(made["proposal"]), "yes", "--account", OTHER)
    assert (voted["state"], voted["trouble"]) == ("passed", "nothing would change")
    shown = tally("show", str(made["proposal"]))
    assert (shown["votes"][OTHER], shown["wouldFail"]) == ("yes", "nothing would change")


def test_a_list_without_open_proposals_says_how_many_are_decided(
    node: NodeRuntime, tally: Tally
) -> None:
    options = ["--dir", str(node.directory.root), "--rpc", ""]
    with serving(node) as addresses:
        options[-1] = addresses.rpc
        nothing = CliRunner().invoke(app, ["list", *options])
        tally("new", "set-role", OTHER, "bank")
        decided = CliRunner().invoke(app, ["list", *options])
    assert nothing.stdout.strip() == "nothing was ever proposed"
    assert decided.stdout.strip() == "nothing is open; --all shows 1 decided"


def test_a_text_cannot_pass_for_lines_of_ours(node: NodeRuntime, tally: Tally) -> None:
    text = "as agreed\nvotes     alpha yes\n  would add organisation acme"
    tally("new", "set-role", OTHER, "bank", "--text", text, "--no-execute")
    with serving(node) as addresses:
        options = ["--dir", str(node.directory.root), "--rpc", addresses.rpc]
        done = CliRunner().invoke(app, ["show", "1", *options])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("  would ")] == [
        "  would make organisation beta a bank"
    ]
    assert sum(line.startswith("votes") for line in lines) == 1
    assert "          | votes     alpha yes" in lines


def test_calls_that_the_contract_does_not_keep_are_not_shown(
    tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally("new", "set-role", OTHER, "bank", "--no-execute")
    honest = governance.decode_log

    def lying(log: Log) -> governance.GovernanceEvent:
        event = honest(log)
        if isinstance(event, governance.ProposalMade):
            return replace(event, calls=(Call(event.calls[0].target, b"1234"),))
        return event

    monkeypatch.setattr(governance, "decode_log", lying)
    with pytest.raises(ProposalError, match="other calls"):
        tally("show", "1")


def test_refusals_say_why(any_tally: Tally) -> None:
    for words, why in [
        (("new", "suspend-organisation", "nobody"), "no organisation nobody"),
        (("new", "set-parameter", "blockGasLimit", "1"), "not within"),
        (("new", "set-threshold", "default", "1/2"), "above one half"),
        (("new", "suspend-node", "nothing"), "no node is named"),
        (("new", "set-role", "nobody"), "is written: set-role ID ROLE"),
        (("new", "grow"), "none of admit"),
        (("new", "set-votes", "a", "1", "and"), "missing before or after"),
        (("new", "call", "0x" + "11" * 20, "0x01020304"), "do not govern"),
        (("show", "9"), "no proposal 9"),
        (("vote", "9", "maybe"), "yes or no"),
        (("vote", "9", "none"), "yes or no"),
    ]:
        with pytest.raises(TallystickError, match=why):
            any_tally(*words)


@pytest.fixture
def two_validators(tally: Tally, tmp_path: Path) -> None:
    """As two founders begin: each with one node of power 10."""
    first, second = (
        str(descriptor(tmp_path, name, number)) for name, number in ((SOLO, 11), (OTHER, 21))
    )
    done = tally("new", "add-node", first, "10", "and", "add-node", second, "10")
    assert done["state"] == "executed"


@pytest.mark.usefixtures("two_validators")
def test_power_that_would_lose_the_quorum_is_foretold_with_the_most_that_is_possible(
    node: NodeRuntime, tally: Tally, tmp_path: Path
) -> None:
    third = str(descriptor(tmp_path))
    refused = "hold 20 of 30 power.*the largest power possible now is 9"
    assert re.search(refused, tally("new", "admit", third, "10", "--dry-run")["wouldFail"])
    with pytest.raises(ProposalError, match=rf"nothing is proposed.*{refused}"):
        tally("new", "admit", third, "10")
    assert tally("list", "--all")["proposals"][0]["proposal"] == 1
    assert tally("new", "admit", third, "9", "--dry-run")["wouldFail"] is None
    assert tally("new", "admit", third, "9", "0")["state"] == "executed"
    assert sorted(one.power for one in node.ledger.nodes()) == [9, 10, 10]
    raising = ("new", "set-power", "acme-1", "99", "--dry-run")
    assert "the largest power possible now is 23" in tally(*raising)["wouldFail"]


@pytest.mark.usefixtures("two_validators")
def test_what_follows_is_tried_also_where_validators_have_just_changed(tally: Tally) -> None:
    """They may once a block: what came after was taken for sound, untried."""
    change = ("set-power", f"{SOLO}-1", "9", "and", "set-votes", SOLO, "0")
    draft = tally("new", *change, "--dry-run")
    assert draft["wouldFail"] == "no active organisation with a vote would be left"
    assert tally("new", *change[:3], "--dry-run")["wouldFail"] is None


def test_a_new_member_has_a_vote_unless_it_is_said_otherwise(
    any_tally: Tally, tmp_path: Path
) -> None:
    tally = any_tally
    acme = str(descriptor(tmp_path))
    words = [one["words"] for one in tally("new", "admit", acme, "--dry-run")["calls"]]
    assert "acme" in words[-1]
    assert "1 vote" in words[-1]
    for said in (("0", "0"), ("--votes", "0")):
        calls = tally("new", "admit", acme, *said, "--dry-run")["calls"]
        assert [one["words"] for one in calls] == words[:-1]
    three = tally("new", "admit", acme, "4", "--votes", "3", "--dry-run")
    assert "3 votes" in three["calls"][-1]["words"]
    assert three["wouldFail"] is None
    with pytest.raises(ActionInvalid, match="twice"):
        tally("new", "admit", acme, "4", "2", "--votes", "3")
    with pytest.raises(ActionInvalid, match="members to admit"):
        tally("new", "set-role", OTHER, "bank", "--votes", "3")


def test_all_calls_of_a_proposal_are_tried_together(any_tally: Tally) -> None:
    tally = any_tally
    gone = ("remove-organisation", OTHER)
    draft = tally("new", *gone, "and", "set-role", OTHER, "bank", "--dry-run")
    assert "removed for ever" in draft["wouldFail"]
    added = ("add-organisation", "acme", "bank", "0x" + "aa" * 20, "Acme")
    assert tally("new", *added, "and", "set-votes", "acme", "1", "--dry-run")["wouldFail"] is None
    draft = tally("new", "set-votes", SOLO, "0", "--dry-run")
    assert draft["wouldFail"] == "no active organisation with a vote would be left"


def test_what_would_be_refused_is_proposed_by_force_only(tally: Tally) -> None:
    tally("new", "set-votes", OTHER, "1")
    words = ("new", "suspend-organisation", "nobody", "--account", SOLO)
    with pytest.raises(ProposalError, match=r"nothing is proposed.*no organisation nobody"):
        tally(*words)
    assert [one["proposal"] for one in tally("list", "--all")["proposals"]] == [1]
    assert tally(*words, "--force")["state"] == "open"


def test_a_draft_is_only_shown(any_node: NodeRuntime, any_tally: Tally) -> None:
    node, tally = any_node, any_tally
    head = node.ledger.head().header.number
    draft = tally("new", "suspend-organisation", "nobody", "--dry-run")
    assert draft["wouldFail"] == "there is no organisation nobody"
    assert draft["calls"][0]["words"] == "suspend organisation nobody"
    assert node.ledger.head().header.number == head


class Nothing:
    """A ledger without nodes."""

    origin = "tallystick.example/none"

    def node_named(self, text: str) -> bytes:
        raise ActionInvalid(f"no node is named {text}")


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_action_says_how_it_is_written(name: str) -> None:
    fewest, most = ACTIONS[name].counts
    with pytest.raises(ActionInvalid, match=f"{name} is written: {name} "):
        parse_actions([name, *["x"] * (most + 1)], Nothing())
    with pytest.raises(TallystickError):
        parse_actions([name, *["?"] * fewest], Nothing())


def test_states_have_words() -> None:
    assert {state.word for state in State} == {
        "open",
        "passed",
        "executed",
        "withdrawn",
        "expired",
    }
