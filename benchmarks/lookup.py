"""`make bench-lookup`: what a phone asks after a scan: an item's journey with every proof.

Items are drawn without repetition, so that no answer comes from a cache of answers. The floor in
the same run: the same server answering /health.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import time

import orjson

from benchmarks.capture import capture_all
from benchmarks.events import EVENTS_PER_ROUND, ITEMS_PER_CASE, Story, item_path
from benchmarks.load import get, run_lanes
from benchmarks.measure import Row, peak_memory_mib, print_table, row
from benchmarks.serving import host_port, node_under_load
from tests.acceptance.running import RunningNode

DOCUMENT_EVENTS = 500


def ask(node: RunningNode, paths: list[str], connections: int, case: str) -> Row:
    """Ask for every path once."""
    host, port = host_port(node.url)
    accept = [("Accept", "application/json")]
    lanes = [
        [get(path, host, accept) for path in paths[lane::connections]]
        for lane in range(connections)
    ]
    started = time.perf_counter()
    answers = list(
        itertools.chain.from_iterable(asyncio.run(run_lanes(host, port, lanes, keep_bodies=False)))
    )
    seconds = time.perf_counter() - started
    bad = [one for one in answers if one.status != 200]
    if bad:
        raise RuntimeError(f"{len(bad)} refused, first: {bad[0].status} {bad[0].body[:300]!r}")
    latencies = [one.ended - one.started for one in answers]
    return row(case, len(answers), seconds, latencies, peak_memory_mib(node.process.pid))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000, help="events stored before")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    documents = list(
        itertools.islice(Story("l").documents(DOCUMENT_EVENTS), options.events // DOCUMENT_EVENTS)
    )
    items = options.events // EVENTS_PER_ROUND * ITEMS_PER_CASE
    draw = random.Random(7)
    with node_under_load() as node:
        asyncio.run(capture_all(node, documents, 8))
        chosen = draw.sample(range(items), min(items, options.requests + 500))
        paths = [item_path("l", number) for number in chosen]
        ask(node, paths[:500], options.connections, "warm-up")
        sample = _sample(node, paths[0])
        rows = [
            ask(node, paths[500:], options.connections, f"item with {sample[0]} proven events"),
            ask(node, ["/health"] * options.requests, options.connections, "floor: /health"),
        ]
    print_table(
        f"Look-up: item answers with proofs, {options.events:,} events stored, one worker",
        rows,
        options.json,
    )
    if not options.json:
        print(f"An answer of this kind has {sample[1]:,} bytes.")


def _sample(node: RunningNode, path: str) -> tuple[int, int]:
    host, port = host_port(node.url)
    request = get(path, host, [("Accept", "application/json")])
    ((answer,),) = asyncio.run(run_lanes(host, port, [[request]]))
    return len(orjson.loads(answer.body)["journey"]), len(answer.body)


if __name__ == "__main__":
    main()
