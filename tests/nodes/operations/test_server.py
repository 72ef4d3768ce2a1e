"""The operator's listener: who may ask what, and what it answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ledger.consensus import DriverState
from nodes.operations import EvidenceView, OperationsSettings, Progress
from nodes.operations.jobs import REMEMBERED_MAX, Jobs, JobState
from tests.nodes.operations.conftest import TOKEN, Listener, Parts, listening
from tests.nodes.operations.observations import WELL

pytestmark = pytest.mark.feature("N5")
GUARDED = ["/status", "/peers", "/jobs/1"]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_health_and_metrics_need_no_token(listener: Listener, path: str) -> None:
    assert listener.get(path, token=None).status_code == 200


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize(
    "token",
    [None, "", "wrong", TOKEN[:-1], TOKEN + "x", "\u00e9"],
    ids=["none", "empty", "wrong", "short", "long", "not ASCII"],
)
def test_everything_else_needs_the_token(listener: Listener, path: str, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    answer = listener.client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in answer.text


@pytest.mark.parametrize("path", ["/backup", "/snapshot"])
def test_nothing_begins_without_the_token(parts: Parts, path: str) -> None:
    begun: list[object] = []

    def work(target: Path | None, _: Progress) -> Mapping[str, object]:
        begun.append(target)
        return {}

    made = listening(parts, backup=work, snapshot=work)
    assert made.post(path, token="x" * 43).status_code == 401
    assert made.post(path, token=None).status_code == 401
    assert begun == []
    made.server.stop()


def test_a_basic_scheme_with_the_token_is_not_enough(listener: Listener) -> None:
    answer = listener.client.get("/status", headers={"Authorization": f"Basic {TOKEN}"})
    assert answer.status_code == 401


def test_status_tells_everything(parts: Parts, listener: Listener) -> None:
    parts.mine(2)
    parts.projector.wait_for(2, 30)
    body = listener.get("/status").json()
    assert body["ready"] is True
    assert body["reasons"] == body["alerts"] == body["forks"] == []
    assert body["head"]["number"] == 2
    assert body["head"]["hash"] == f"0x{parts.ledger.head().hash.hex()}"
    assert body["log"] == {
        "size": parts.ledger.log.size,
        "root": parts.ledger.log.root.hex(),
    }
    assert body["projection"]["behind"] == 0
    assert body["consensus"] == {"state": "running", "error": None, "engine": None}
    assert {part["part"] for part in body["disk"]} == {"chain", "database"}
    assert listener.get("/peers").json() == {"peers": None}


def test_forks_are_shown_and_leave_the_node_ready(parts: Parts) -> None:
    fork = EvidenceView("e1", 1_800_000_000.0, "mallory", "two roots at size 7")
    made = listening(parts, evidence=lambda: [fork], engine=lambda: WELL.engine)
    body = made.get("/status").json()
    assert body["ready"] is True
    assert body["forks"] == [
        {
            "id": "e1",
            "found": "2027-01-15T08:00:00Z",
            "signer": "mallory",
            "summary": "two roots at size 7",
        }
    ]
    assert body["alerts"][0]["code"] == "fork"
    assert len(made.get("/peers").json()["peers"]) == 3
    made.server.stop()


def test_a_node_whose_driver_stops_is_live_but_not_ready(parts: Parts) -> None:
    parts.driver.stop()
    assert parts.driver.status().state is DriverState.STOPPED
    made = listening(parts)
    assert made.get("/health/live", token=None).status_code == 200
    answer = made.get("/health/ready", token=None)
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["reasons"][0]["code"] == "driver"
    made.server.stop()


def test_a_disk_with_little_room_makes_it_unready(parts: Parts) -> None:
    made = listening(parts, OperationsSettings(disk_free_mib_min=1 << 40))
    answer = made.get("/health/ready", token=None)
    assert answer.status_code == 503
    assert answer.json()["reasons"][0]["code"] == "disk"
    made.server.stop()


def test_a_node_that_cannot_be_observed_is_told_as_such(parts: Parts) -> None:
    def gone() -> object:
        raise OSError("the disk is gone")

    parts.ledger.head = gone  # type: ignore[assignment, method-assign]
    made = listening(parts)
    ready = made.get("/health/ready", token=None)
    assert ready.status_code == 503
    assert "the disk is gone" in ready.json()["reasons"][0]["text"]
    assert made.get("/status").status_code == 503
    assert made.get("/metrics", token=None).status_code == 503
    made.server.stop()


def test_who_asks_too_often_is_told_when_to_come_again(parts: Parts) -> None:
    made = listening(parts, OperationsSettings(requests_per_minute=60))
    answers = [made.get("/health/live", token="wrong") for _ in range(12)]
    codes = [answer.status_code for answer in answers]
    assert codes[:10] == [200] * 10
    assert codes[-1] == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    made.server.stop()


def test_unknown_paths_and_methods_are_refused(listener: Listener) -> None:
    assert listener.get("/nothing").status_code == 404
    assert listener.get("/status/").status_code == 404
    assert listener.post("/status").status_code == 405
    assert listener.get("/backup").status_code == 405
    assert listener.get("/jobs/1").status_code == 404


# ---- long work ----------------------------------------------------------------------------------


def wait_ended(listener: Listener, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        body: dict[str, Any] = listener.get(f"/jobs/{job}").json()
        if body["state"] != "running":
            return body
        time.sleep(0.01)
    raise AssertionError("the job did not end")


def test_a_backup_runs_once_tells_how_far_it_is_and_what_came_out(
    parts: Parts, tmp_path: Path
) -> None:
    go, targets = threading.Event(), []

    def work(target: Path | None, progress: Progress) -> Mapping[str, object]:
        targets.append(target)
        progress(3, 10)
        assert go.wait(30)
        return {"bytes": 7}

    made = listening(parts, backup=work)
    began = made.post("/backup", json={"target": str(tmp_path / "b")})
    assert began.status_code == 202
    job = began.json()["id"]
    assert began.headers["location"] == f"/jobs/{job}"
    assert made.post("/backup").status_code == 409
    while made.get(f"/jobs/{job}").json()["done"] != 3:
        time.sleep(0.01)
    assert made.get(f"/jobs/{job}").json()["total"] == 10
    go.set()
    ended = wait_ended(made, job)
    assert ended["state"] == "done"
    assert ended["result"] == {"bytes": 7}
    assert targets == [tmp_path / "b"]
    again = made.post("/backup")
    assert again.status_code == 202
    wait_ended(made, again.json()["id"])
    assert targets[-1] is None
    made.server.stop()
    assert made.post("/backup").status_code == 503


def test_work_that_fails_says_why(parts: Parts) -> None:
    def work(target: Path | None, progress: Progress) -> Mapping[str, object]:
        raise OSError("no room on the target")

    made = listening(parts, snapshot=work)
    ended = wait_ended(made, made.post("/snapshot").json()["id"])
    assert ended["state"] == "failed"
    assert ended["error"] == "no room on the target"
    made.server.stop()


def test_a_node_without_such_work_says_so(listener: Listener) -> None:
    assert listener.post("/backup").status_code == 501


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"folder": "/x"}',
        b'{"target": "relative"}',
        b'{"target": ""}',
        b'{"target": 7}',
        b'{"target": "/a\\u0000b"}',
        b'{"target": "/' + b"a" * 2000 + b'"}',
        b" " * 5000,
        b"[" * 4000,
    ],
)
def test_a_bad_target_is_refused(parts: Parts, body: bytes) -> None:
    made = listening(parts, backup=lambda _target, _progress: {})
    assert made.post("/backup", content=body).status_code == 400
    made.server.stop()


def test_jobs_are_forgotten_in_the_end() -> None:
    jobs = Jobs()
    first = jobs.begin("backup", lambda _t, _p: {}, None)
    for _ in range(REMEMBERED_MAX + 5):
        jobs.close()
        jobs._closed = False
        last = jobs.begin("backup", lambda _t, _p: {}, None)
    jobs.close()
    assert jobs.find(first.id) is None
    found = jobs.find(last.id)
    assert found is not None
    assert found.state is JobState.DONE
    assert jobs.latest("backup") == found
