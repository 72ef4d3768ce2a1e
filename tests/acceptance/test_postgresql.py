"""A whole node on PostgreSQL: captured, traced, killed, reindexed, its server restarted."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from tests.acceptance.running import RunningNode, run_tally, start_node
from tests.acceptance.stories import client, documents, finished
from tests.conftest import skip_or_fail
from tests.postgresql import PostgresqlServer, binaries

pytestmark = [pytest.mark.feature("N4"), pytest.mark.feature("T1"), pytest.mark.timeout(600)]

COMETBFT_IS_SLOW = True
"""What differs is the database."""
ONE_DRIVER = {
    "test_two_ledgers_cannot_share_a_database",
    "test_a_password_in_the_url_is_never_shown",
}
"""What is refused is so before anything is ordered."""


@pytest.fixture
def server() -> Iterator[PostgresqlServer]:
    """One of our own, to be stopped and started."""
    programs = binaries()
    if programs is None:
        skip_or_fail("PostgreSQL is not installed")
    assert programs is not None
    running = PostgresqlServer(programs)
    yield running
    running.stop()


def move_to(directory: Path, url: str) -> None:
    """Name the database in node.toml, as an operator does."""
    settings = directory / "node.toml"
    before = settings.read_text("utf-8")
    after = re.sub(r'(?m)^url = ""$', f'url = "{url}"', before)
    assert after != before
    settings.write_text(after, "utf-8")


def events_on(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = int(connection.execute(text("SELECT count(*) FROM event")).scalar_one())
    engine.dispose()
    return found


def captured(node: RunningNode, bodies: list[bytes]) -> list[str]:
    with client(node) as http:
        jobs = [http.post("/capture", content=body).headers["Location"] for body in bodies]
        done = [finished(http, job) for job in jobs]
    assert all(one["success"] for one in done)
    return [event_id for one in done for event_id in one["eventIDs"]]  # type: ignore[attr-defined]


def told_of(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The journey without its proofs, which lead to the log as it is now."""
    names = ("eventID", "relation", "about", "recordTime", "organisation")
    return [tuple(step[name] for name in names) for step in answer["journey"]]


def test_a_node_moves_to_postgresql_and_lives_there(
    tmp_path: Path, server: PostgresqlServer
) -> None:
    home, directory = tmp_path / "home", tmp_path / "node"
    node = start_node(directory, home)
    first = captured(node, documents("before", 2, 4))
    node.stop()

    move_to(directory, server.url)
    (directory / "tally.sqlite").unlink()
    node = start_node(directory, home)  # the tables are made, and filled from the chain
    second = captured(node, documents("after", 5, 4))
    assert events_on(server.url) == len(first) + len(second) == 28
    assert not (directory / "tally.sqlite").exists()

    with client(node) as http:
        told = [http.get(f"/events/{event_id}") for event_id in (*first, *second)]
        assert {one.status_code for one in told} == {200}
        epc = next(e for e in (one.json().get("epcList") for one in told) if e)[0]
        link = re.sub(r"^https://[^/]+", "", epc)
        journey = http.get(link, headers={"Accept": "application/json"}).json()
    traced = node.tally("trace", link, "--json")
    assert traced.returncode == 0, traced.stderr
    assert journey["journey"]

    # Kill -9 with documents under way: what was acknowledged is there afterwards, once.
    with client(node) as http:
        jobs = [
            http.post("/capture", content=body).headers["Location"]
            for body in documents("killed", 8, 4)
        ]
    node.kill()
    node = start_node(directory, home)
    with client(node) as http:
        assert all(finished(http, job)["success"] for job in jobs)
    assert events_on(server.url) == 28 + 32
    again = captured(node, documents("after", 5, 4))
    assert again == second
    assert events_on(server.url) == 60
    with client(node) as http:
        assert http.get(link, headers={"Accept": "application/json"}).json()["journey"]
    node.stop()

    rebuilt = run_tally(home, "node", "reindex", "--dir", str(directory), "--json")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert json.loads(rebuilt.stdout)["reindexed"] is True
    assert events_on(server.url) == 60
    assert run_tally(home, "node", "check", "--dir", str(directory)).returncode == 0
    node = start_node(directory, home)
    with client(node) as http:
        after = http.get(link, headers={"Accept": "application/json"}).json()
    assert told_of(after) == told_of(journey)
    node.stop()


def test_a_restart_of_the_server_is_survived(tmp_path: Path, server: PostgresqlServer) -> None:
    home, directory = tmp_path / "home", tmp_path / "node"
    start_node(directory, home).stop()
    move_to(directory, server.url)
    node = start_node(directory, home)
    captured(node, documents("before", 1, 3))
    for hard in (False, True):
        server.halt(hard=hard)
        with client(node) as http:
            answer = http.post("/capture", content=documents(f"while{hard}", 1, 3)[0])
            assert answer.status_code in (500, 503, 507), answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert "Traceback" not in answer.text
        server.start()
        deadline = time.monotonic() + 60
        while httpx.get(f"{node.url}/health", trust_env=False).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert len(captured(node, documents(f"then{hard}", 1, 3))) == 3
    assert events_on(server.url) == 9
    node.stop()


def test_two_ledgers_cannot_share_a_database(tmp_path: Path, server: PostgresqlServer) -> None:
    """Another ledger, or another node of the same one: both are refused in one line."""
    home = tmp_path / "home"
    for name in ("one", "two"):
        start_node(tmp_path / name, home).stop()
        move_to(tmp_path / name, server.url)
    node = start_node(tmp_path / "one", home)
    captured(node, documents("mine", 1, 3))
    refused = run_tally(home, "dev", "--dir", str(tmp_path / "two"), "--port", "0", "--json")
    assert refused.returncode == 2
    assert "another ledger" in refused.stderr or "genesis" in refused.stderr
    assert len(captured(node, documents("still", 1, 3))) == 3
    node.stop()


def test_a_password_in_the_url_is_never_shown(tmp_path: Path, server: PostgresqlServer) -> None:
    home, directory = tmp_path / "home", tmp_path / "node"
    start_node(directory, home).stop()
    url = "postgresql://tally:hunter2@127.0.0.1:1/nowhere?connect_timeout=2"
    move_to(directory, url)
    refused = run_tally(home, "dev", "--dir", str(directory), "--port", "0", "--json")
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert "hunter2" not in refused.stderr + refused.stdout
