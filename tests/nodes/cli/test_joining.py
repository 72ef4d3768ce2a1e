"""`tally node join` refuses before it writes, and says what is missing; `tally network trust`."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ledger.chain import Genesis
from ledger.errors import TallystickError
from nodes.cli import founding
from nodes.cli.joining import join
from nodes.errors import NodeError
from nodes.layout import NodeDirectory
from nodes.network import anchoring
from nodes.network.errors import JoinRefused
from nodes.network.founding import consortium_genesis, genesis_hash
from nodes.network.marker import holding_marker
from nodes.operations.runfile import RunFile
from tests import warm
from tests.ledger.consensus.cometbft.network import until
from tests.nodes.network.members import FOUNDERS, GENESIS, TRUST, Member
from tests.nodes.network.support import ORIGIN, TIME, descriptor
from traceability.bundle import Trust

pytestmark = pytest.mark.feature("N1")

_app = typer.Typer()
_app.command("join")(join)
_app.command("trust")(founding.trust)
NEW = ("--organisation", "x", "--name", "X", "--role", "bank", "--p2p", "127.0.0.1:19861")
API = ("--api", "http://127.0.0.1:19862")


def tally(*words: str) -> str:
    done = CliRunner().invoke(_app, [*words])
    if isinstance(done.exception, TallystickError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def member() -> Iterator[Member]:
    one = Member()
    one.start()
    yield one
    one.stop()


def saved(trust: Trust, path: Path) -> str:
    file = path / "given.json"
    trust.save(file)
    return str(file)


@pytest.fixture
def refused(member: Member, tmp_path: Path) -> Callable[..., None]:
    """A join that must be refused with these words, and leave nothing."""

    def check(words: str, trust: Trust, *options: str) -> None:
        place = tmp_path / "node"
        with pytest.raises(JoinRefused, match=words):
            tally("join", member.url, str(place), "--trust", saved(trust, tmp_path), *options)
        assert not place.exists()

    return check


def test_a_trust_file_without_a_pin_is_refused(refused: Callable[..., None]) -> None:
    refused("`tally network trust`.*--genesis-hash", replace(TRUST, genesis=None), *NEW, *API)


def test_another_genesis_is_refused_before_anything_is_written(
    refused: Callable[..., None], member: Member
) -> None:
    fields = json.loads(GENESIS.document)
    fields["tallystick"]["limits"]["transactionSizeBytesMax"] //= 2
    member.genesis = Genesis.parse(fields).document
    refused("another genesis than the trust file pins", TRUST, *NEW, *API)
    given = ("--genesis-hash", genesis_hash(GENESIS))
    refused("another genesis than the trust file", replace(TRUST, genesis=None), *given, *NEW, *API)
    refused("not that of the trust file", TRUST, "--genesis-hash", "ab" * 32, *NEW, *API)


def test_a_new_folder_needs_to_know_whose_it_is(member: Member, tmp_path: Path) -> None:
    trust = saved(TRUST, tmp_path)
    with pytest.raises(NodeError, match=r"--name, --role, --p2p, --api must be given"):
        tally("join", member.url, str(tmp_path / "n"), "--trust", trust, "--organisation", "x")
    assert not (tmp_path / "n").exists()


def test_who_is_not_admitted_in_time_keeps_its_keys_and_may_go_on(
    member: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run needs no options, makes no other keys, and comes further."""
    place, trust = tmp_path / "node", saved(replace(TRUST, genesis=None), tmp_path)
    given = ("--trust", trust, "--genesis-hash", genesis_hash(GENESIS), "--wait", "0", "--no-start")
    with pytest.raises(JoinRefused, match="not admitted this node within 0 s"):
        tally("join", member.url, str(place), *given, *NEW, *API)
    before = (place / "descriptor.json").read_bytes()
    node = json.loads(before)["node"]
    member.nodes = [
        {
            "id": node["id"],
            "organisation": "x",
            "status": "active",
            "validatorKey": node["validatorKey"],
            "p2p": node["p2p"],
        }
    ]
    monkeypatch.setattr(anchoring, "TRIES", 1)
    monkeypatch.setattr(anchoring, "POLL_S", 0)
    with pytest.raises(
        JoinRefused, match="is of the engine's network"
    ):  # that of the test's header
        tally("join", member.url, str(place), *given)
    assert (place / "descriptor.json").read_bytes() == before
    assert Trust.load(place / "trust.json") == TRUST


def test_a_second_join_in_the_same_folder_is_refused_and_takes_nothing_away(
    member: Member, tmp_path: Path
) -> None:
    place, trust = NodeDirectory(tmp_path / "node"), saved(TRUST, tmp_path)
    words = ["join", member.url, str(place.root), "--trust", trust, "--no-start", *NEW, *API]
    command = ["-m", "nodes", "node", *words]
    told = tmp_path / "told"
    with told.open("w") as stderr:
        first = warm.start([*command, "--wait", "60"], stderr=stderr)
    try:
        until(lambda: "waiting to be admitted" in told.read_text(), 60)
        place.chain.mkdir()  # as while the state comes
        (place.chain / "data.mdb").write_text("x")
        second = warm.run(command, timeout_s=60)
        assert second.returncode == 2
        assert second.stderr.count("\n") == 1
        assert "another `tally node join` is at work" in second.stderr
        assert all(one.exists() for one in (place.joining, place.genesis, place.trust))
        assert (place.chain / "data.mdb").exists()
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()
    # Who was killed holds nothing any more, and what it left is taken away.
    with pytest.raises(JoinRefused, match="not admitted this node within 0 s"):
        tally(*words, "--wait", "0")
    assert not place.chain.exists()


def test_a_join_that_ended_meanwhile_is_not_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = NodeDirectory(tmp_path)
    place.chain.mkdir()
    with pytest.raises(NodeError, match="has just ended"), holding_marker(place):
        pass
    assert not place.joining.exists()
    place.joining.touch()  # left by an earlier one
    with holding_marker(place) as unfinished:
        assert unfinished
    lock = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        place.joining.unlink()  # the other one ends before we have its lock
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(NodeError, match="has just ended"), holding_marker(place):
        pass
    assert not place.joining.exists()


def test_the_users_only_trust_file_is_not_taken_away(member: Member, tmp_path: Path) -> None:
    place, trust = tmp_path / "node", saved(TRUST, tmp_path)
    words = ("join", member.url, str(place), "--wait", "0", "--no-start")
    with pytest.raises(JoinRefused, match="not admitted"):
        tally(*words, "--trust", trust, *NEW, *API)
    (place / "engine" / "kept").mkdir()
    (place / "kept.json").write_bytes((place / "trust.json").read_bytes())
    outside, inside = tmp_path / "outside.json", place / "engine" / "kept" / "inside.json"
    outside.symlink_to(place / "trust.json")
    inside.symlink_to(trust)
    for given in (place / "trust.json", place / "engine" / ".." / "trust.json", outside, inside):
        with pytest.raises(NodeError, match="copy it to a place outside"):
            tally(*words, "--trust", str(given))
        assert Trust.load(place / "trust.json") == TRUST
    with pytest.raises(JoinRefused, match="not admitted"):
        tally(*words, "--trust", str(place / "kept.json"))
    assert (place / "kept.json").exists()


# ---- the trust file -----------------------------------------------------------------------------


def test_the_trust_file_of_a_genesis_bears_its_pin(tmp_path: Path) -> None:
    genesis = tmp_path / "genesis.json"
    genesis.write_bytes(consortium_genesis(FOUNDERS, ORIGIN, TIME))
    output = tmp_path / "trust.json"
    told = json.loads(tally("trust", str(genesis), "-o", str(output), "--json"))
    assert (told["threshold"], told["members"]) == (3, 4)
    assert Trust.load(output) == TRUST


def test_a_nodes_trust_file_takes_up_who_came_in(member: Member, tmp_path: Path) -> None:
    newcomer = descriptor("newcomer", 9).witness(ORIGIN)
    gone = descriptor("gone", 8).witness(ORIGIN)
    keys = [one.witness(ORIGIN).vkey for one in FOUNDERS]

    def listed(vkey: str, status: str = "active") -> dict[str, Any]:
        return {
            "id": "ab" * 20,
            "organisation": "x",
            "status": status,
            "validatorKey": None,
            "p2p": "",
            "witnessKey": vkey,
        }

    member.nodes = [*map(listed, [*keys, newcomer.vkey]), listed(gone.vkey, "suspended")]
    TRUST.save(tmp_path / "trust.json")
    run = RunFile.of_this_process(
        operations=member.url, api=member.url, rpc=member.url, token="t" * 32
    )
    run.write(tmp_path)
    told = json.loads(tally("trust", str(tmp_path), "--json"))
    assert (told["threshold"], told["members"]) == (4, 5)
    now = Trust.load(tmp_path / "trust.json")
    assert set(now.keys) == {*TRUST.keys, newcomer}
    assert now.genesis == TRUST.genesis
