"""`tally node status|peers|metrics` against a real listener on a real port."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from nodes.operations import (
    EvidenceView,
    OperationsServer,
    OperationsSettings,
    PeerView,
    RunFile,
)
from nodes.operations.client import OperatorClient
from nodes.operations.protocol import Progress
from tests.acceptance.running import run_tally
from tests.nodes.operations.conftest import TOKEN, Parts
from tests.nodes.operations.observations import WELL, engine

pytestmark = [pytest.mark.feature("A4"), pytest.mark.feature("N5")]


@contextmanager
def serving(parts: Parts, folder: Path, **changed: Any) -> Iterator[str]:
    """The listener on a free port, with its run.json in a folder."""
    bounds = OperationsSettings(disk_free_mib_min=1)
    server = OperationsServer(replace(parts.sources, **changed), bounds, token=TOKEN)
    with socket.socket() as listening, server:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        web = uvicorn.Server(uvicorn.Config(server.application, log_config=None))
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listening]})
        thread.start()
        run = RunFile.of_this_process(operations=url, api="", rpc="", token=TOKEN)
        folder.mkdir(exist_ok=True)
        run.write(folder)
        try:
            yield url
        finally:
            run.remove(folder)
            web.should_exit = True
            thread.join(30)


def test_a_ready_node_is_shown_and_exits_with_0(parts: Parts, tmp_path: Path) -> None:
    parts.mine(2)
    parts.projector.wait_for(2, 30)
    with serving(parts, tmp_path / "node"):
        shown = run_tally(tmp_path, "node", "status", "--dir", str(tmp_path / "node"))
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.startswith("READY\n")
        assert "block 2 of" in shown.stdout
        machine = run_tally(tmp_path, "node", "status", "--dir", str(tmp_path / "node"), "--json")
        assert json.loads(machine.stdout)["head"]["number"] == 2


def test_a_node_that_is_not_ready_exits_with_1_and_says_why(parts: Parts, tmp_path: Path) -> None:
    parts.driver.stop()
    with serving(parts, tmp_path / "node"):
        shown = run_tally(tmp_path, "node", "status", "--dir", str(tmp_path / "node"))
    assert shown.returncode == 1
    assert shown.stdout.startswith("NOT READY\n!  driver: consensus is stopped")


def test_forks_come_first_and_names_cannot_steer_the_terminal(parts: Parts, tmp_path: Path) -> None:
    fork = EvidenceView("e7", 1_800_000_000.0, "mal\x1b[2Jlory", "[bold]two[/] roots at size 7")
    peer = PeerView("ab" * 20, "10.0.0.1:26656", label="x\x1b[31m", organisation="acme", height=9)
    with serving(
        parts,
        tmp_path / "node",
        evidence=lambda: [fork],
        engine=lambda: engine(peers=(peer,)),
        witness=lambda: WELL.witness,
    ):
        shown = run_tally(tmp_path, "node", "status", "--dir", str(tmp_path / "node"))
        peers = run_tally(tmp_path, "node", "peers", "--dir", str(tmp_path / "node"))
    first = shown.stdout.splitlines()[0]
    assert first.startswith("FORK  mal")
    assert "[bold]two[/] roots at size 7" in first
    assert "\x1b[2J" not in shown.stdout + peers.stdout
    assert "\x1b[31m" not in peers.stdout
    assert "1 peers; own height 100" in peers.stdout
    assert "acme" in peers.stdout
    assert "4 of 4 have cosigned" in shown.stdout


def test_metrics_are_printed_as_they_are_scraped(parts: Parts, tmp_path: Path) -> None:
    with serving(parts, tmp_path / "node") as url:
        text = run_tally(tmp_path, "node", "metrics", "--dir", str(tmp_path / "node")).stdout
        by_url = run_tally(tmp_path, "node", "metrics", "--url", url, "--json").stdout
    assert "# HELP tallystick_ready " in text
    assert json.loads(by_url)["tallystick_head_block_number"] == 0


def test_by_url_the_token_comes_from_the_environment(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(parts, tmp_path / "node") as url:
        without = run_tally(tmp_path, "node", "status", "--url", url)
        monkeypatch.setenv("TALLY_OPERATOR_TOKEN", TOKEN)
        with_it = run_tally(tmp_path, "node", "status", "--url", url)
    assert without.returncode == 2
    assert "TALLY_OPERATOR_TOKEN" in without.stderr
    assert with_it.returncode == 0


@pytest.mark.parametrize("command", ["status", "peers", "metrics"])
def test_where_no_node_runs_it_says_so_and_exits_with_2(tmp_path: Path, command: str) -> None:
    done = run_tally(tmp_path, "node", command, "--dir", str(tmp_path))
    assert done.returncode == 2
    assert "no node runs in" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_node_that_is_gone_is_told_in_one_line(parts: Parts, tmp_path: Path) -> None:
    with serving(parts, tmp_path / "node") as url:
        pass
    done = run_tally(tmp_path, "node", "peers", "--url", url)
    assert done.returncode == 2
    assert url in done.stderr


def test_a_backup_by_the_client_waits_and_tells_progress(parts: Parts, tmp_path: Path) -> None:
    def work(target: Path | None, progress: Progress) -> dict[str, object]:
        progress(1, 2)
        return {"target": str(target)}

    steps: list[tuple[int, int]] = []
    with (
        serving(parts, tmp_path / "node", backup=work),
        OperatorClient.of_folder(tmp_path / "node") as client,
    ):
        result = client.backup(tmp_path / "out", lambda done, total: steps.append((done, total)))
    assert result == {"target": str(tmp_path / "out")}
    assert steps[-1] == (1, 2)
