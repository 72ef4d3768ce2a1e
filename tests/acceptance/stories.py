"""Events for acceptance tests."""

from __future__ import annotations

import itertools
import time

import httpx
import orjson

from benchmarks.events import Story
from tests.acceptance.running import RunningNode


def documents(run: str, count: int, events: int) -> list[bytes]:
    """`count` documents of `events` mixed events; other `run`s give other events."""
    return list(itertools.islice(Story(run).documents(events), count))


def bare_events(run: str, count: int) -> list[bytes]:
    """Single events, each with its own context."""
    return [
        orjson.dumps({"@context": body["@context"], **body["epcisBody"]["eventList"][0]})
        for body in map(orjson.loads, documents(run, count, 1))
    ]


def patiently(http: httpx.Client, path: str) -> httpx.Response:
    """GET that waits as long as it is told to."""
    while (answer := http.get(path)).status_code == 429:
        time.sleep(float(answer.headers["Retry-After"]))
    return answer


def client(node: RunningNode, key: str | None = None) -> httpx.Client:
    """An HTTP client that writes for the node's organisation."""
    return httpx.Client(
        base_url=node.url,
        headers={
            "Authorization": f"Bearer {key or node.key}",
            "Content-Type": "application/ld+json",
        },
        timeout=30,
        trust_env=False,
    )


def finished(http: httpx.Client, job: str, tries: int = 600) -> dict[str, object]:
    """The job once it has ended."""
    for _ in range(tries):
        answer = patiently(http, job)
        assert answer.status_code == 200, f"{job}: {answer.status_code} {answer.text}"
        body: dict[str, object] = answer.json()
        if not body["running"]:
            return body
        time.sleep(0.05)
    raise AssertionError(f"{job} did not end")
