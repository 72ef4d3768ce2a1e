"""`make bench-capture`: EPCIS documents over HTTP, until every event is provable.

A document is done when its job says success, which a node says only after the block is on disk and
the event can be looked up with its proof. The limit in the same run: parsing and hashing alone.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time
from collections.abc import Sequence

import orjson

from benchmarks.events import Story
from benchmarks.load import Connection, get, post
from benchmarks.measure import Row, peak_memory_mib, print_table, row
from benchmarks.serving import host_port, node_under_load
from tests.acceptance.running import RunningNode
from traceability.epcis import parse_document

POLL_S = 0.03


async def capture_all(
    node: RunningNode, documents: Sequence[bytes], connections: int
) -> tuple[float, list[float]]:
    """Seconds until all are provable, and each document's latency."""
    host, port = host_port(node.url)
    queue = iter(documents)
    latencies: list[float] = []
    headers = [("Authorization", f"Bearer {node.key}")]

    async def lane() -> None:
        connection = await Connection.open(host, port)
        for document in queue:
            answer = await connection.exchange(post("/capture", host, document, headers))
            while answer.status in (429, 503):
                await asyncio.sleep(0.1)
                answer = await connection.exchange(post("/capture", host, document, headers))
            if answer.status != 202:
                raise RuntimeError(f"{answer.status}: {answer.body[:500]!r}")
            path = f"/capture/{orjson.loads(answer.body)['captureID']}"
            while True:
                await asyncio.sleep(POLL_S)
                polled = await connection.exchange(get(path, host, headers))
                job = orjson.loads(polled.body)
                if not job["running"]:
                    break
            if not job["success"]:
                raise RuntimeError(f"not captured: {polled.body[:500]!r}")
            latencies.append(polled.ended - answer.started)
        connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(connections)))
    return time.perf_counter() - started, latencies


async def single_events(node: RunningNode, events: Sequence[bytes]) -> tuple[float, list[float]]:
    """One event after the other; POST /events answers when the event is provable."""
    host, port = host_port(node.url)
    headers = [("Authorization", f"Bearer {node.key}")]
    connection = await Connection.open(host, port)
    started = time.perf_counter()
    latencies = []
    for event in events:
        answer = await connection.exchange(post("/events", host, event, headers))
        if answer.status != 201:
            raise RuntimeError(f"{answer.status}: {answer.body[:500]!r}")
        latencies.append(answer.ended - answer.started)
    seconds = time.perf_counter() - started
    connection.close()
    return seconds, latencies


def hashing_limit(documents: Sequence[bytes]) -> Row:
    """What parsing, validating and hashing alone take, on one core."""
    started = time.perf_counter()
    count = 0
    for document in documents:
        for event in parse_document(document).events:
            count += bool(event.event_id and event.digest)
    return row("limit: parse and hash alone, one core", count, time.perf_counter() - started)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--events", type=int, default=100, help="events a document")
    parser.add_argument("--singles", type=int, default=300)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warm_up = list(itertools.islice(Story("w").documents(options.events), 10))
    documents = list(itertools.islice(Story("b").documents(options.events), options.documents))
    singles = [
        orjson.loads(one) for one in itertools.islice(Story("s").documents(1), options.singles)
    ]
    bare = [
        orjson.dumps({"@context": one["@context"], **one["epcisBody"]["eventList"][0]})
        for one in singles
    ]
    rows = []
    with node_under_load() as node:
        asyncio.run(capture_all(node, warm_up, 4))
        seconds, latencies = asyncio.run(single_events(node, bare))
        rows.append(
            row("one event at a time", len(bare), seconds, latencies, note="latency of an event")
        )
        seconds, latencies = asyncio.run(capture_all(node, documents, options.connections))
        rows.append(
            row(
                f"documents of {options.events} events",
                options.documents * options.events,
                seconds,
                latencies,
                peak_memory_mib(node.process.pid),
                f"{options.connections} connections; latency of a document",
            )
        )
    rows.append(hashing_limit(documents[:100]))
    print_table("Capture: from HTTP to provable, events", rows, options.json)


if __name__ == "__main__":
    main()
