"""EPCIS capture over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from api import ApiSettings
from contracts.consortium.types import Status
from tests.api.conftest import Node
from tests.traceability.capture.full_disk import full_disk
from tests.traceability.capture.stack import BANK, CARRIER, FARM, bare, document, event
from traceability.capture import CaptureSettings

pytestmark = [pytest.mark.feature("T1"), pytest.mark.feature("A1")]


def problem(answer: httpx.Response, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    assert "Traceback" not in answer.text
    return body


def test_a_document_is_accepted_and_its_job_tells_how_it_went(node: Node) -> None:
    answer = node.capture(document(event(1), event(2)))
    assert answer.status_code == 202
    assert answer.headers["gs1-capture-error-behaviour"] == "rollback"
    job = node.captured(document(event(3)))
    assert job["success"] is True
    assert job["running"] is False
    assert job["captureErrorBehaviour"] == "rollback"
    assert job["errors"] == []
    assert job["createdAt"] <= job["finishedAt"]
    assert job["transactionHash"].startswith("0x")
    assert job["blockNumber"] >= 1


def test_errors_of_a_job_have_place_and_reason(node: Node) -> None:
    bad = event(2, epcList=["https://id.gs1.org/01/09506000134353/21/2"])
    head = node.stack.head()
    job = node.captured(document(event(1), bad))
    assert job["success"] is False
    assert job["eventIDs"] == []
    (error,) = job["errors"]
    assert error["pointer"] == "/epcisBody/eventList/1/epcList/0"
    assert error["eventIndex"] == 1
    assert "check digit" in error["detail"]
    assert node.stack.head() == head
    proceeding = {"GS1-Capture-Error-Behaviour": "proceed"}
    job = node.captured(document(event(1), bad), **proceeding)
    assert (job["success"], len(job["eventIDs"]), len(job["errors"])) == (False, 1, 1)


def test_a_single_event_is_provable_when_the_answer_comes(node: Node) -> None:
    headers = {"Content-Type": "application/json", **node.auth()}
    answer = node.client.post("/events", content=bare(1), headers=headers)
    assert answer.status_code == 201, answer.text
    found = node.client.get(answer.headers["location"])
    assert found.status_code == 200
    assert found.json()["eventID"] == answer.json()["eventIDs"][0]


def test_an_invalid_single_event_is_refused_and_leaves_nothing(any_node: Node) -> None:
    before = any_node.footprint()
    headers = {"Content-Type": "application/json", **any_node.auth()}
    answer = any_node.client.post("/events", content=bare(1, action="NO"), headers=headers)
    body = problem(answer, 400)
    assert body["errors"][0]["pointer"] == "/action"  # type: ignore[index]
    two = any_node.client.post("/events", content=document(event(1), event(2)), headers=headers)
    problem(two, 400)
    assert any_node.footprint() == before


@pytest.mark.parametrize(
    "data",
    [
        b"",
        document(event(1))[:-20],
        b"[" * 100 + b"]" * 100,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b"\xff\x00",
        b'"text"',
        b'{"type":"Something"}',
        b'{"type":"EPCISDocument","epcisBody":{"eventList":{}}}',
    ],
)
def test_what_is_no_document_is_refused_and_leaves_nothing(any_node: Node, data: bytes) -> None:
    before = any_node.footprint()
    problem(any_node.capture(data), 400)
    assert any_node.footprint() == before


def test_too_much_is_refused_before_it_is_read(make_node: Callable[..., Node]) -> None:
    node = make_node(ApiSettings(body_size_bytes_max=2000))
    before = node.footprint()
    problem(node.capture(document(*(event(n) for n in range(20)))), 413)

    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b" " * 1000

    headers = {"Content-Type": "application/json", **node.auth()}
    chunked = node.client.post("/capture", content=endless(), headers=headers)
    problem(chunked, 413)
    assert node.footprint() == before


def test_too_many_events_are_refused(make_node: Callable[..., Node]) -> None:
    node = make_node()
    node.stack.capture.settings = CaptureSettings(event_count_max=3)
    before = node.footprint()
    problem(node.capture(document(*(event(n) for n in range(4)))), 413)
    assert node.footprint() == before


@pytest.mark.parametrize(
    "media", ["text/plain", "application/xml", "", "application/json; charset=latin-1"]
)
def test_other_media_types_are_refused(any_node: Node, media: str) -> None:
    before = any_node.footprint()
    problem(any_node.capture(document(event(1)), **{"Content-Type": media}), 415)
    problem(any_node.capture(document(event(1)), **{"Content-Encoding": "gzip"}), 415)
    assert any_node.footprint() == before


def test_without_a_good_key_nothing_is_written(node: Node) -> None:
    before = node.footprint()
    data = document(event(1))
    secret, made = node.services.keys.create(FARM)
    node.services.keys.revoke(made.key_id)
    for value in (
        "",
        "Basic Zm9vOmJhcg==",
        "Bearer",
        "Bearer tally_" + "A" * 43,
        f"Bearer {secret}",
        "Bearer " + "x" * 5000,
    ):
        answer = node.capture(data, Authorization=value)
        problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert node.footprint() == before


def test_an_organisation_that_is_not_active_may_not_write(node: Node) -> None:
    stranger, _ = node.services.keys.create("stranger")
    before = node.footprint()
    data = document(event(1))
    problem(node.capture(data, Authorization=f"Bearer {stranger}"), 403)
    assert node.footprint() == before
    node.stack.set_status(FARM, Status.SUSPENDED)
    before = node.footprint()
    problem(node.capture(data), 403)
    headers = {"Content-Type": "application/json", **node.auth()}
    problem(node.client.post("/events", content=bare(1), headers=headers), 403)
    assert node.footprint() == before


def test_a_role_that_may_not_capture_gets_a_failed_job_or_403(node: Node) -> None:
    job = node.captured(document(event(1)), BANK)
    assert (job["success"], job["errors"][0]["status"]) == (False, 403)
    headers = {"Content-Type": "application/json", **node.auth(BANK)}
    problem(node.client.post("/events", content=bare(2), headers=headers), 403)


def test_replayed_documents_are_recognised(node: Node) -> None:
    first = node.captured(document(event(1)))
    head = node.stack.head()
    again = node.captured(document(event(1)))
    assert again["success"] is True
    assert again["alreadyPresent"] == first["eventIDs"]
    assert node.stack.head() == head


def test_the_same_idempotency_key_leads_to_the_same_job(node: Node) -> None:
    key = {"Idempotency-Key": "order-7"}
    first = node.capture(document(event(1)), **key)
    again = node.capture(document(event(1)), **key)
    assert first.headers["location"] == again.headers["location"]
    problem(node.capture(document(event(2)), **key), 409)
    problem(node.capture(document(event(2)), **{"Idempotency-Key": "a b"}), 400)
    problem(node.capture(document(event(2)), **{"Idempotency-Key": "k" * 256}), 400)


def test_an_unknown_error_behaviour_is_refused(any_node: Node) -> None:
    problem(any_node.capture(document(event(1)), **{"GS1-Capture-Error-Behaviour": "maybe"}), 400)


def test_jobs_belong_to_their_organisation(node: Node) -> None:
    locations = [node.capture(document(event(n))).headers["location"] for n in range(3)]
    assert node.client.get(locations[0], headers=node.auth()).status_code == 200
    problem(node.client.get(locations[0], headers=node.auth(CARRIER)), 404)
    problem(node.client.get(locations[0]), 401)
    page = node.client.get("/capture?perPage=2", headers=node.auth())
    assert len(page.json()) == 2
    rest = node.client.get(page.links["next"]["url"], headers=node.auth())
    ids = [job["captureID"] for job in page.json() + rest.json()]
    assert [f"/capture/{one}" for one in ids] == locations[::-1]
    assert node.client.get("/capture", headers=node.auth(CARRIER)).json() == []
    problem(node.client.get("/capture?perPage=0", headers=node.auth()), 400)
    problem(node.client.get("/capture?nextPageToken=x", headers=node.auth()), 400)


def test_a_full_queue_says_when_to_come_back(make_node: Callable[..., Node]) -> None:
    node = make_node()
    node.stack.capture.settings = CaptureSettings(queue_jobs_max=0)
    answer = node.capture(document(event(1)))
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


def test_one_key_may_not_take_everything(make_node: Callable[..., Node]) -> None:
    node = make_node(ApiSettings(rate_per_key_per_s=0.01, rate_per_key_burst=2))
    statuses = [node.client.get("/capture", headers=node.auth()).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert node.client.get("/capture", headers=node.auth(CARRIER)).status_code == 200
    assert node.client.get("/status").status_code == 200


def test_a_disk_that_is_full_is_told_as_507(node: Node) -> None:
    far = {"id": "https://x.example/" + "p" * 900}
    big = document(*(event(n, readPoint=far) for n in range(500)))
    with full_disk(node.stack.capture._committer, node.stack.engine):
        answers = [node.capture(big) for _ in range(10)]
        problem(next(one for one in answers if one.status_code != 202), 507)
    assert node.captured(document(event("after")))["success"] is True


def test_a_job_is_asked_for_with_a_key_first_and_a_well_formed_id_then(node: Node) -> None:
    for job in ("nonsense", "6f1b7a0e-6c2c-4a53-9f4e-9d8f9f3f4a10"):
        problem(node.client.get(f"/capture/{job}"), 401)
    refused = problem(node.client.get("/capture/nonsense", headers=node.auth()), 400)
    assert "UUID" in str(refused["detail"])
    unknown = node.client.get(f"/capture/{job}", headers=node.auth())
    problem(unknown, 404)
