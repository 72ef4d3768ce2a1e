"""What was acknowledged survives; what cannot be kept is refused."""

from __future__ import annotations

import json
import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.acceptance.running import RunningNode, run_tally, start_node
from tests.acceptance.stories import bare_events, client, documents, finished, patiently
from tests.conftest import skip_or_fail

ROUNDS = 20
CAPTURES = 1_000


def capture_until_killed(
    node: RunningNode, events: list[bytes], acknowledged: list[str], stop: threading.Event
) -> None:
    """Post events one by one; note the job of each that was acknowledged."""
    with client(node) as http:
        for event in events:
            if stop.is_set():
                return
            try:
                answer = http.post(
                    "/capture", content=event, headers={"Content-Type": "application/ld+json"}
                )
            except httpx.HTTPError:
                return
            if answer.status_code == 202:
                acknowledged.append(answer.headers["Location"])


@pytest.mark.slow
@pytest.mark.feature("L1")
@pytest.mark.timeout(1200)
def test_kill_9_at_random_moments_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    draw = random.Random(20_261_121)
    home, directory = tmp_path / "home", tmp_path / "node"
    events = bare_events("k", CAPTURES)
    each = CAPTURES // ROUNDS
    jobs: list[str] = []
    for round_ in range(ROUNDS):
        node = start_node(directory, home)
        acknowledged: list[str] = []
        stop = threading.Event()
        mine = events[round_ * each : (round_ + 1) * each]
        halves = [mine[: each // 2], mine[each // 2 :]]
        threads = [
            threading.Thread(target=capture_until_killed, args=(node, half, acknowledged, stop))
            for half in halves
        ]
        for thread in threads:
            thread.start()
        time.sleep(draw.uniform(0.01, 0.5))
        node.kill()
        stop.set()
        for thread in threads:
            thread.join()
        jobs += acknowledged
    assert len(jobs) > ROUNDS, "the kills came before anything was acknowledged"

    node = start_node(directory, home)
    bundles: list[Path] = []
    with client(node) as http:
        event_ids: set[str] = set()
        for job in jobs:
            body = finished(http, job)
            assert body["success"], body
            event_ids.update(body["eventIDs"])  # type: ignore[arg-type]
        for index, event_id in enumerate(sorted(event_ids)):
            answer = patiently(http, f"/proofs/{quote(event_id, safe='')}")
            assert answer.status_code == 200, answer.text
            path = tmp_path / f"{index}.tally-proof.json"
            path.write_bytes(answer.content)
            bundles.append(path)
        checkpoint = http.get("/log/checkpoint").text
        before = _all_events(http)
    node.stop()

    trust = str(directory / "trust.json")
    done = run_tally(home, "verify", "--trust", trust, *map(str, bundles))
    assert done.returncode == 0, done.stdout[-2000:]
    check = run_tally(home, "node", "check", "--dir", str(directory), "--json", timeout_s=600)
    assert check.returncode == 0, check.stderr
    assert json.loads(check.stdout)["logSize"] == int(checkpoint.splitlines()[1])
    reindexed = run_tally(home, "node", "reindex", "--dir", str(directory), "--json", timeout_s=600)
    assert reindexed.returncode == 0, reindexed.stderr
    node = start_node(directory, home)
    try:
        with client(node) as http:
            after = _all_events(http)
            assert http.get("/log/checkpoint").text.splitlines()[:3] == checkpoint.splitlines()[:3]
    finally:
        node.stop()
    assert event_ids <= set(before)
    assert before == after


def _all_events(http: httpx.Client) -> dict[str, object]:
    """Every event that the node answers, by id."""
    found: dict[str, object] = {}
    url = "/events?perPage=500"
    while url:
        answer = patiently(http, url)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        for event in body["epcisBody"]["queryResults"]["resultsBody"]["eventList"]:
            found[event["eventID"]] = event
        url = answer.links.get("next", {}).get("url", "")
    return found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB."""
    if os.geteuid() != 0:
        skip_or_fail("mounting a small file system needs root")
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(mount)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        skip_or_fail(f"no small file system can be mounted here: {done.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=False)


@pytest.mark.slow
@pytest.mark.feature("L1")
@pytest.mark.timeout(300)
def test_a_full_disk_is_refused_and_nothing_is_corrupted(tmp_path: Path, small_disk: Path) -> None:
    home = tmp_path / "home"
    node = start_node(small_disk / "node", home)
    kept: list[str] = []
    refused: httpx.Response | None = None
    with client(node) as http:
        first = http.post("/capture", content=documents("first", 1, 50)[0])
        assert finished(http, first.headers["Location"])["success"]
        filler = small_disk / "filler"
        free = os.statvfs(small_disk)
        filler.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - (1 << 20))))
        for document in documents("full", 400, 100):
            answer = http.post("/capture", content=document)
            if answer.status_code != 202:
                refused = answer
                break
            kept.append(answer.headers["Location"])
        assert refused is not None, "a full disk was never noticed"
        assert refused.status_code in (503, 507)
        assert refused.headers["content-type"].startswith("application/problem+json")
        assert http.get("/log/checkpoint").status_code == 200
        filler.unlink()
        deadline = time.monotonic() + 60
        while http.post("/capture", content=documents("after", 1, 5)[0]).status_code != 202:
            assert time.monotonic() < deadline, "the node did not go on when space came back"
            time.sleep(0.5)
        for job in kept:
            assert finished(http, job)["success"]
    node.kill()
    check = run_tally(home, "node", "check", "--dir", str(node.directory), timeout_s=240)
    assert check.returncode == 0, check.stderr
