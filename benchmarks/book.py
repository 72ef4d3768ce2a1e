"""A book of live receipts: list, filter and reconcile, by p95.

`python -m benchmarks.book [--receipts 100000] [--url sqlite:///…] [--json]`

Rows are written as the projection writes them (in bulk), over 400 lots of 20 warehouses, held by
200 owners and pledged to 12 banks; an auditor sees everything, a small holder a few.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, insert

from contracts.instruments import Viewer
from contracts.pledges.tables import pledge_asset_table, pledge_party_table, pledge_table
from contracts.receipts import (
    ReceiptQuery,
    find_receipt,
    list_receipts,
)
from contracts.receipts.tables import (
    receipt_lot_party_table,
    receipt_party_table,
    receipt_table,
)
from contracts.stock import LotQuery, list_lots, locations
from contracts.stock.tables import lot_counter_table, lot_party_table, lot_table
from ledger.projection import open_database, upgrade, write_transaction
from ledger.types import Hash32

WAREHOUSES, LOTS, OWNERS, BANKS = 20, 400, 200, 12
DAY = 86_400
NOW = 1_800_000_000
BATCH = 5_000
ALL = Viewer.everything()


def word(kind: str, number: int) -> str:
    return f"0x{random.Random(f'{kind} {number}').getrandbits(256):064x}"


def hash_of(text: str) -> Hash32:
    return Hash32(bytes.fromhex(text[2:]))


def place(position: int) -> dict[str, object]:
    return {
        "block_number": position // 4 + 1,
        "log_index": position % 4,
        "block_time": NOW + position // 100,
        "transaction_hash": word("transaction", position),
        "leaf_index": position,
    }


def seed(engine: Engine, receipts: int) -> None:
    """Fill an empty database."""
    chance = random.Random(4)
    upgrade(engine)
    with write_transaction(engine, relaxed=True) as connection:
        live = [0] * LOTS
        for start in range(0, receipts, BATCH):
            numbers = range(start, min(start + BATCH, receipts))
            rows = [receipt(chance, number, live) for number in numbers]
            write_receipts(connection, rows)
        write_lots(connection, live, receipts)


def receipt(chance: random.Random, number: int, live: list[int]) -> dict[str, object]:
    lot, position = number % LOTS, LOTS + number
    owner = f"owner-{min(int(chance.expovariate(1 / 30)), OWNERS - 1)}"
    bank = f"bank-{chance.randrange(BANKS)}" if chance.random() < 0.4 else None
    quantity = chance.randrange(1_000, 100_000)
    live[lot] += quantity
    return {
        "id": word("receipt", number),
        "position": position,
        "contract": "0x7a1100000000000000000000000000000000000a",
        "warehouse": f"warehouse-{lot % WAREHOUSES}",
        "number": f"R-{number}",
        "lot": word("lot", lot),
        "goods": word("goods", lot % 7),
        "terms": word("terms", number),
        "holder": bank if bank and chance.random() < 0.2 else owner,
        "owner": owner,
        "nominee": None,
        "pledgee": bank,
        "origin": None,
        "successor": None,
        "quantity": quantity,
        "requested": 0,
        "issued": NOW + position,
        "expires": NOW + chance.randrange(1, 365) * DAY,
        "revision": 1,
        "part": 0,
        "state": "live",
        "freezes": 0,
        "locked": False,
        "rejectable": 0,
        "purpose": 0,
        **place(position),
    }


def write_receipts(connection: Connection, rows: list[dict[str, object]]) -> None:
    connection.execute(insert(receipt_table), rows)
    parties, lots = [], set()
    for row in rows:
        names = {row["warehouse"], row["holder"], row["owner"], row["pledgee"]} - {None}
        for name in names:
            parties.append({"id": row["id"], "organisation": name, "position": row["position"]})
            lots.add((row["lot"], name))
    connection.execute(insert(receipt_party_table), parties)
    connection.execute(
        insert(receipt_lot_party_table).prefix_with("OR IGNORE", dialect="sqlite"),
        [{"id": lot, "organisation": name, "position": 0} for lot, name in sorted(lots)],
    )
    pledged = [row for row in rows if row["pledgee"] is not None]
    pledges = [pledge(row) for row in pledged]
    connection.execute(insert(pledge_table), pledges)
    for party in ("pledgor", "pledgee"):
        told = [
            {"id": p["key"], "organisation": p[party], "position": p["position"]} for p in pledges
        ]
        connection.execute(
            insert(pledge_party_table).prefix_with("OR IGNORE", dialect="sqlite"), told
        )
    covers = [
        {"record": p["record"], "instrument": p["instrument"], "pledge": p["key"]} for p in pledges
    ]
    connection.execute(insert(pledge_asset_table), covers)


def pledge(row: dict[str, object]) -> dict[str, object]:
    position = 10_000_000 + int(str(row["position"]))
    return {
        "key": word("pledge", position),
        "position": position,
        "instrument": row["contract"],
        "record": row["id"],
        "instrument_revision": 1,
        "pledgor": row["owner"],
        "pledgee": row["pledgee"],
        "amount": 1_000_00,
        "currency": "CNY",
        "due": NOW + 90 * DAY,
        "notice_seconds": DAY,
        "terms": word("agreement", position),
        "state": 2,
        "assets": 1,
        "since": NOW,
        "loan": None,
        **place(position),
    }


def write_lots(connection: Connection, live: list[int], receipts: int) -> None:
    rows = [
        {
            "key": word("lot", number),
            "position": number,
            "warehouse": f"warehouse-{number % WAREHOUSES}",
            "place": word("place", number % 60),
            "lot": word("batch", number),
            "nature": 2,
            "unit": "TNE",
            "shortfall_bp": 100,
            "adjustment_bp": 100,
            "count_age_max_seconds": 30 * DAY,
            "counted": live[number] * (90 if number % 50 == 0 else 105) // 100,
            "live": live[number],
            "last_count": live[number],
            "counted_at": NOW,
            "short": number % 50 == 0,
            **place(number),
        }
        for number in range(LOTS)
    ]
    connection.execute(insert(lot_table), rows)
    keepers = [
        {"id": r["key"], "organisation": r["warehouse"], "position": r["position"]} for r in rows
    ]
    connection.execute(insert(lot_party_table), keepers)
    counters = [{"lot": r["key"], "organisation": "weighers"} for r in rows]
    connection.execute(insert(lot_counter_table), counters)


Question = Callable[[Connection, random.Random], int]


def listed(viewer: Callable[[random.Random], Viewer], **query: object) -> Question:
    """A page of 50; values may be functions of chance."""

    def ask(connection: Connection, chance: random.Random) -> int:
        chosen = {k: v(chance) if callable(v) else v for k, v in query.items()}
        found = list_receipts(connection, ReceiptQuery(**chosen), viewer(chance))  # type: ignore[arg-type]
        return len(found.items)

    return ask


def everybody(_: random.Random) -> Viewer:
    return ALL


def a_warehouse(chance: random.Random) -> Viewer:
    return Viewer.of(f"warehouse-{chance.randrange(WAREHOUSES)}")


def a_bank(chance: random.Random) -> Viewer:
    return Viewer.of(f"bank-{chance.randrange(BANKS)}")


def the_largest_owner(_: random.Random) -> Viewer:
    return Viewer.of("owner-0")


def a_small_owner(chance: random.Random) -> Viewer:
    return Viewer.of(f"owner-{chance.randrange(100, OWNERS)}")


def an_owner(chance: random.Random) -> str:
    return f"owner-{min(int(chance.expovariate(1 / 30)), OWNERS - 1)}"


def a_lot(chance: random.Random) -> Hash32:
    return hash_of(word("lot", chance.randrange(LOTS)))


def questions(receipts: int) -> dict[str, Question]:
    def deep(chance: random.Random) -> str:
        return str(LOTS + chance.randrange(receipts))

    def one(connection: Connection, chance: random.Random) -> int:
        id_ = hash_of(word("receipt", chance.randrange(receipts)))
        return int(find_receipt(connection, id_, ALL) is not None)

    asked: dict[str, Question] = {"one receipt": one}
    viewers = {
        "all": everybody,
        "warehouse": a_warehouse,
        "bank": a_bank,
        "largest owner": the_largest_owner,
        "small owner": a_small_owner,
    }
    for name, viewer in viewers.items():
        asked |= {
            f"{name}: newest": listed(viewer),
            f"{name}: a page somewhere": listed(viewer, after=deep),
            f"{name}: live": listed(viewer, states=("live",)),
            f"{name}: of no state that there is": listed(viewer, states=("cancelled",)),
            f"{name}: of a holder": listed(viewer, holder=an_owner),
            f"{name}: of an owner": listed(viewer, owner=an_owner),
            f"{name}: pledged to a bank": listed(
                viewer, pledgee=lambda c: f"bank-{c.randrange(BANKS)}"
            ),
            f"{name}: of a warehouse": listed(
                viewer, warehouse=lambda c: f"warehouse-{c.randrange(WAREHOUSES)}"
            ),
            f"{name}: of a lot": listed(viewer, lot=a_lot),
            f"{name}: by number": listed(viewer, number=lambda c: f"R-{c.randrange(receipts)}"),
            f"{name}: expiring": listed(
                viewer, states=("live",), expiring_before=lambda c: NOW + c.randrange(365) * DAY
            ),
            f"{name}: reconcile lots": reconcile_lots(viewer),
            f"{name}: reconcile places": reconcile_places(viewer),
        }
    return asked


def reconcile_lots(viewer: Callable[[random.Random], Viewer]) -> Question:
    def ask(connection: Connection, chance: random.Random) -> int:
        return len(list_lots(connection, LotQuery(limit=50), viewer(chance)).items)

    return ask


def reconcile_places(viewer: Callable[[random.Random], Viewer]) -> Question:
    def ask(connection: Connection, chance: random.Random) -> int:
        return len(locations(connection, viewer(chance)))

    return ask


def measure(engine: Engine, receipts: int, rounds: int) -> dict[str, dict[str, float]]:
    chance = random.Random(7)
    found = {}
    with engine.connect() as connection:
        for name, ask in questions(receipts).items():
            times, rows = [], 0
            ask(connection, chance)  # the statement is compiled once
            for _ in range(rounds):
                start = time.perf_counter()
                rows += ask(connection, chance)
                times.append((time.perf_counter() - start) * 1000)
            found[name] = {
                "p50Ms": round(statistics.median(times), 2),
                "p95Ms": round(statistics.quantiles(times, n=20)[-1], 2),
                "rows": rows // rounds,
            }
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.book")
    parser.add_argument("--receipts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--url", help="an empty database; by default SQLite in a temporary folder")
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(said.url or f"sqlite:///{Path(folder) / 'book.sqlite'}")
        start = time.perf_counter()
        seed(engine, said.receipts)
        seconds = time.perf_counter() - start
        found = measure(engine, said.receipts, said.rounds)
        engine.dispose()
    worst = max(one["p95Ms"] for one in found.values())
    if said.json:
        result = {"receipts": said.receipts, "worstP95Ms": worst, "questions": found}
        print(json.dumps(result, indent=1))
    else:
        print(f"{said.receipts} live receipts in {LOTS} lots, written in {seconds:.1f} s")
        for name, one in found.items():
            print(
                f"{name:40} p50 {one['p50Ms']:8.2f} ms  p95 {one['p95Ms']:8.2f} ms  "
                f"{one['rows']} rows"
            )
        print(f"{'slowest':40} {'':16} p95 {worst:8.2f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
