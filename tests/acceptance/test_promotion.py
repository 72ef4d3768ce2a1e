"""A ledger that one node wrote alone goes on as a consortium's: others come without its keys."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from ledger.consensus.cometbft import EngineMissing, EngineVersionWrong, find_engine
from tests.acceptance.running import run_tally
from tests.acceptance.stories import documents
from tests.acceptance.test_network import checkpoint, interrupt, launch, solo_node, wait_until
from tests.conftest import skip_or_fail
from tests.ledger.consensus.cometbft.network import free_ports

pytestmark = [pytest.mark.feature("N1"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module", autouse=True)
def _engine() -> None:
    try:
        find_engine()
    except (EngineMissing, EngineVersionWrong) as missing:
        skip_or_fail(str(missing))


def capture(home: Path, url: str, key: str, name: str) -> str:
    """One document; the id of its first event."""
    (body,) = documents(name, 1, 2)
    where = ("--url", url, "--key", key)
    done = run_tally(home, "capture", "-", "--json", *where, stdin=body, timeout_s=300)
    assert done.returncode == 0, done.stderr
    first: str = json.loads(done.stdout)["captures"][0]["eventIDs"][0]
    return first


@pytest.mark.slow
def test_a_second_member_joins_a_promoted_ledger_with_keys_of_its_own(tmp_path: Path) -> None:
    home, directory, place = tmp_path / "home", tmp_path / "node", tmp_path / "second"
    first_p2p, second_p2p, second_api = free_ports(3)
    solo = solo_node(directory, home)
    old = capture(home, solo.url, solo.key, "alone")
    reach = ("--p2p", f"127.0.0.1:{first_p2p}", "--api", solo.url)
    promoted = run_tally(home, "node", "promote", str(directory), *reach)
    assert promoted.returncode == 0, promoted.stderr
    assert "node join" in promoted.stdout
    assert "restore" not in promoted.stdout

    node = solo_node(directory, home)
    process, lines = launch(
        tmp_path / "other",
        *("node", "join", node.url, str(place), "--trust", str(directory / "trust.json")),
        *("--json", "--developer", "--organisation", "second", "--name", "Second"),
        *("--role", "retailer", "--p2p", f"127.0.0.1:{second_p2p}"),
        *("--api", f"http://127.0.0.1:{second_api}"),
    )
    try:
        descriptor = json.loads(next(lines))["descriptor"]
        settings = place / "node.toml"
        settings.write_text(settings.read_text().replace("port = 8545", "port = 0"))
        tally(home, "proposal", "new", "admit", descriptor, "4", "0", "--dir", str(directory))
        snapshots = directory / "snapshots"
        wait_until(lambda: bool(list(snapshots.glob("*/snapshot.json"))))
        for number in range(2):  # two heights above the snapshot
            capture(home, node.url, node.key, f"together-{number}")
        line = next(lines, "")
        told = (tmp_path / "other.err").read_text()
        assert line, told
        assert "fetching a snapshot" in told
        second = json.loads(line)
        wait_until(lambda: checkpoint(second["url"]) == checkpoint(node.url))

        # From now on no block is made without the other.
        own = json.loads(Path(descriptor).read_text())["node"]["id"]
        tally(home, "proposal", "new", "set-power", own, "10", "--dir", str(directory))
        by_first = capture(home, node.url, node.key, "by-first")
        by_second = capture(home, second["url"], second["key"], "by-second")
        wait_until(lambda: checkpoint(second["url"]) == checkpoint(node.url))
        for event in (old, by_first, by_second):
            for url in (node.url, second["url"]):
                assert httpx.get(f"{url}/events/{event}", trust_env=False).status_code == 200
        proof = tmp_path / "old.tally-proof.json"
        where = ("-o", str(proof), "--url", second["url"])
        assert run_tally(home, "proof", old, *where).returncode == 0
        keys = {path.read_bytes() for path in (directory / "keys").rglob("*") if path.is_file()}
        assert keys.isdisjoint(p.read_bytes() for p in (place / "keys").rglob("*") if p.is_file())
        assert interrupt(process) == 0
        intact = run_tally(home, "node", "check", str(place), "--json", timeout_s=300)
        assert json.loads(intact.stdout)["intact"] is True
    finally:
        if process.poll() is None:
            interrupt(process)
        node.stop()


def tally(home: Path, *arguments: str) -> None:
    done = run_tally(home, *arguments, timeout_s=300)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
