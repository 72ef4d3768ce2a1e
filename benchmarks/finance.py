"""`make bench-finance`: receipts issued, handed over, pledged and released, through the HTTP API.

A solo node in a process of its own signs for four members. Each connection takes one receipt after
the other through its life, each request with the key of the organisation whose act it is, an
Idempotency-Key and the revision seen (If-Match), as the Python client sends them: issue, hand over,
offer in pledge, accept, release. An answer says that the act is durable, in the log, and in every
list. What was acknowledged is then held against the chain, block by block, and against the lists.

The node is measured as it is by default, its threads on one core, and with `cores = "all"`: they
share one interpreter's lock, and handing it from core to core costs more than a second core brings.

Beside it, in the same run: a plain FastAPI route that inserts a row into SQLite and commits it, and
the execution engine alone with the very same calls, in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Literal

import httpx
import orjson

from api import KeyStore
from benchmarks.finance_peers import DAY, LOTS, bare_engine, plain_route, plan
from benchmarks.load import Answer, Connection, get, post, run_lanes
from benchmarks.measure import (
    ProcessorTime,
    Row,
    peak_memory_mib,
    print_table,
    processor_time,
    row,
)
from benchmarks.serving import UNLIMITED, host_port
from contracts.consortium import Role
from contracts.genesis import RECEIPTS_ADDRESS
from contracts.pledges import Terms, pledge_key
from contracts.receipts import receipt_id
from ledger.projection import open_database, upgrade
from ledger.types import Hash32
from nodes.cli.dev import DEV_MEMBER
from nodes.founding import MemberSpec, found_solo
from nodes.layout import NodeDirectory
from nodes.opening import database_url
from nodes.settings import ApiSettings, NodeSettings, ProcessSettings
from tests.acceptance.running import RunningNode, start_node

GRANARY, TRADER, MILL, BANK = "granary", "trader", "mill", "bank"
MEMBERS: Final = (
    MemberSpec(GRANARY, "Granary", "粮库", Role.WAREHOUSE),
    MemberSpec(TRADER, "Trader", "粮贸商", Role.MANUFACTURER),
    MemberSpec(MILL, "Mill", "面粉厂", Role.MANUFACTURER),
    MemberSpec(BANK, "Bank", "银行", Role.BANK),
)
SCOPES: Final = ("stock:*", "receipts:*", "pledges:*")
KINDS: Final = ("issue", "hand over", "offer in pledge", "accept", "release")
"""The life of a receipt, in this order."""
REVISION_AT_END: Final = 4
"""Issued, handed over, pledged, released."""
ON_ALL_CORES: Final = ", node on all cores"
PAGE: Final = 100
BLOCKS_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Market:
    """A node with members, keys and counted stock."""

    node: RunningNode
    keys: dict[str, str]
    chain_id: int
    lots: tuple[str, ...]
    now: int
    """Unix seconds."""

    @property
    def pids(self) -> list[int]:
        return [self.node.process.pid]

    def headers(self, organisation: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[organisation]}"}


class NotAsAcknowledged(Exception):
    """The ledger has something else than was answered."""


@contextmanager
def market(cores: Literal["one", "all"] = "one") -> Iterator[Market]:
    """A fresh node, four members whose accounts it keeps, lots with goods enough."""
    base = Path(tempfile.mkdtemp(prefix="tally-bench-"))
    place = NodeDirectory(base / "node")
    settings = NodeSettings(
        api=ApiSettings(requests_per_minute=UNLIMITED), process=ProcessSettings(cores=cores)
    )
    found_solo(
        place,
        settings,
        [DEV_MEMBER, *MEMBERS],
        origin_prefix="tallystick.example/bench",
        passphrase="",
        developer_of=DEV_MEMBER.id,
    )
    keys = _keys(place, settings)
    node = start_node(place.root, base / "home")
    try:
        chain_id = int(json.loads(place.genesis.read_text("utf-8"))["config"]["chainId"])
        now = int(time.time())
        yield Market(node, keys, chain_id, _stock(node.url, keys[GRANARY], now), now)
    finally:
        node.stop()
        shutil.rmtree(base, ignore_errors=True)


def _keys(place: NodeDirectory, settings: NodeSettings) -> dict[str, str]:
    """A bearer key of every member, as `tally key create` makes them."""
    engine = open_database(database_url(place, settings))
    upgrade(engine)
    store = KeyStore(engine)
    keys = {member.id: store.create(member.id, SCOPES)[0] for member in MEMBERS}
    engine.dispose()
    return keys


def _stock(url: str, key: str, now: int) -> tuple[str, ...]:
    headers = {"Authorization": f"Bearer {key}"}
    lots = []
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        for lot, count in (plan(number, now) for number in range(LOTS)):
            made = client.post("/stock/lots", json=lot).raise_for_status().json()["lot"]
            client.post("/stock/counts", json=count | {"lot": made}).raise_for_status()
            lots.append(made)
    return tuple(lots)


# ---- requests -----------------------------------------------------------------------------------


def lives(market: Market, name: str, lane: int, count: int) -> list[bytes]:
    """The requests of so many receipts, one after the other."""
    return [
        request
        for number in range(count)
        for request in life(market, f"{name}-{lane}-{number}", market.lots[lane % len(market.lots)])
    ]


def life(market: Market, number: str, lot: str) -> Iterator[bytes]:
    """A receipt from its issue to the end of its pledge; what the ids will be, everybody knows."""
    host, expires = host_port(market.node.url)[0], market.now + 180 * DAY
    id_ = receipt_id(market.chain_id, GRANARY, number)
    terms = Terms(8_000_000, "CNY", market.now + 90 * DAY, 7 * DAY, Hash32(b"\x17" * 32))
    key = pledge_key(RECEIPTS_ADDRESS, id_, 2, MILL, BANK, terms).hex()

    def act(kind: str, organisation: str, path: str, revision: int | None, **body: object) -> bytes:
        headers = [
            ("Authorization", f"Bearer {market.keys[organisation]}"),
            ("Idempotency-Key", f"{number} {kind}".replace(" ", "-")),
        ]
        if revision is not None:
            headers.append(("If-Match", f'"{revision}"'))
        return post(path, host, orjson.dumps(body), headers)

    yield act(
        "issue",
        GRANARY,
        "/receipts",
        None,
        number=number,
        lot=lot,
        holder=TRADER,
        quantity="1000",
        expires=expires,
        document={"number": number, "goods": "maize, class 1", "fee": "0.40 CNY a tonne and day"},
        goodsDescription={"class": "maize", "grade": "1", "unit": "KGM"},
    )
    path = f"/receipts/0x{id_.hex()}/transfer-both"
    yield act("hand over", TRADER, path, 1, owner=MILL, holder=MILL, remark="sold")
    yield act(
        "offer",
        MILL,
        "/pledges",
        2,
        instrument=f"0x{id_.hex()}",
        pledgee=BANK,
        amount=str(terms.amount),
        currency=terms.currency,
        due=terms.due,
        noticeSeconds=terms.notice_seconds,
        terms=f"0x{terms.terms.hex()}",
    )
    yield act("accept", BANK, f"/pledges/0x{key}/accept", None)
    yield act("release", BANK, f"/pledges/0x{key}/release", None, remark="repaid")


# ---- measuring ----------------------------------------------------------------------------------


def measured(
    market: Market,
    name: str,
    lanes: int,
    receipts: int,
    pace_per_s: float | None = None,
    *,
    where: str = "",
) -> tuple[list[Row], list[Answer]]:
    """Rows by kind, and one of all together; the answers. Raises where one is no success.

    `where` the node runs, in words: then, or at a pace, there are no rows by kind.
    """
    each = -(-receipts // lanes)
    requests = [lives(market, name, lane, each) for lane in range(lanes)]
    host, port = host_port(market.node.url)
    before = processor_time(market.pids)
    answered = asyncio.run(run_lanes(host, port, requests, pace_per_s=pace_per_s))
    used = processor_time(market.pids).since(before)
    answers = list(chain.from_iterable(answered))
    for answer in answers:
        if answer.status not in (200, 201):
            raise NotAsAcknowledged(f"{answer.status}: {answer.body[:500]!r}")
    seconds = max(one.ended for one in answers) - min(one.started for one in answers)
    memory = peak_memory_mib(market.node.process.pid)
    paced = "" if pace_per_s is None else f" at {pace_per_s:g}/s"
    rows = []
    if pace_per_s is None and not where:
        for place, kind in enumerate(KINDS):
            some = [one for lane in answered for one in lane[place :: len(KINDS)]]
            rows.append(row(kind, len(some), seconds, _latencies(some)))
    note = f"{lanes} connections; node {_per_operation(used, len(answers))}"
    case = f"together{where}{paced}"
    rows.append(row(case, len(answers), seconds, _latencies(answers), memory, note))
    return rows, answers


def _latencies(answers: Sequence[Answer]) -> list[float]:
    return [one.ended - one.started for one in answers]


def _per_operation(used: ProcessorTime, done: int) -> str:
    return f"{used.application_s * 1000 / done:.1f} ms of processor an operation"


# ---- what the ledger has ------------------------------------------------------------------------


def check(market: Market, answers: Sequence[Answer], receipts: int) -> None:
    """Everything that was acknowledged is there, once, and nothing else. Raises otherwise."""
    told = [orjson.loads(one.body) for one in answers]
    by_transaction = {one["transaction"]: one["block"] for one in told}
    if len(by_transaction) != len(told):
        raise NotAsAcknowledged("one transaction was told for two requests")
    found = mined(market.node.rpc)
    of_setting_up = 2 * LOTS
    if len(found) != len(told) + of_setting_up:
        raise NotAsAcknowledged(
            f"{len(told)} changes and {of_setting_up} before them were answered; the blocks have "
            f"{len(found)} transactions"
        )
    wrong = [one for one, block in by_transaction.items() if found.get(one) != block]
    if wrong:
        raise NotAsAcknowledged(f"{len(wrong)} transactions are not in the block told: {wrong[0]}")
    leaves = [event["leaf"] for one in told for event in one["events"]]
    if len(set(leaves)) != len(leaves):
        raise NotAsAcknowledged("one leaf of the log was told twice")
    asyncio.run(_check_lists(market, receipts))


def mined(rpc: str) -> dict[str, int]:
    """The block of every transaction there is, by its hash."""
    found: dict[str, int] = {}
    with httpx.Client(timeout=120, trust_env=False) as client:
        asked = {"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": []}
        head = int(client.post(rpc, json=asked).json()["result"], 16)
        for first in range(1, head + 1, BLOCKS_AT_ONCE):
            numbers = range(first, min(first + BLOCKS_AT_ONCE, head + 1))
            calls = [
                {
                    "jsonrpc": "2.0",
                    "id": number,
                    "method": "eth_getBlockByNumber",
                    "params": [hex(number), False],
                }
                for number in numbers
            ]
            for one in client.post(rpc, json=calls).json():
                for transaction in one["result"]["transactions"]:
                    if transaction in found:
                        raise NotAsAcknowledged(f"{transaction} is in two blocks")
                    found[transaction] = int(one["result"]["number"], 16)
    return found


async def _check_lists(market: Market, receipts: int) -> None:
    """Every receipt is where its last act left it."""
    host, port = host_port(market.node.url)
    connection = await Connection.open(host, port)
    headers = list(market.headers(BANK).items())
    seen, after = 0, ""
    while True:
        path = f"/receipts?limit={PAGE}{after}"
        page = orjson.loads((await connection.exchange(get(path, host, headers))).body)
        for one in page["receipts"]:
            as_left = (one["state"], one["holder"], one["owner"], one["pledgee"], one["revision"])
            if as_left != ("live", MILL, MILL, None, REVISION_AT_END):
                raise NotAsAcknowledged(f"receipt {one['id']} is {as_left}")
        seen += len(page["receipts"])
        if not page["after"]:
            break
        after = f"&after={page['after']}"
    connection.close()
    if seen != receipts:
        raise NotAsAcknowledged(f"the bank's list has {seen} receipts, not {receipts}")


def main(arguments: Sequence[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.finance")
    parser.add_argument("--receipts", type=int, default=800, help="each takes five operations")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--pace", type=float, default=75.0, help="operations/s of the paced row")
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args(arguments)
    lanes = said.connections
    with market() as place:
        _, first = measured(place, "w", 8, 40)
        rows, second = measured(place, "b", lanes, said.receipts)
        few = max(lanes, said.receipts // 4)
        paced, third = measured(place, "p", lanes, few, said.pace)
        answers = [*first, *second, *third]
        check(place, answers, len(answers) // len(KINDS))
    with market("all") as place:
        measured(place, "w", 8, 40)
        spread, _ = measured(place, "b", lanes, said.receipts, where=ON_ALL_CORES)
    rows += [*paced, *spread]
    rows.append(plain_route(lanes, len(second)))
    rows.append(bare_engine(max(50, said.receipts // 8)))
    print_table("Receipts, from HTTP to durable, listed and provable", rows, said.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
