"""Asset pools over HTTP: a whole life, bad input, who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.pools import AssetBook, AssetProof, json_rows, load_book
from ledger.types import Hash32
from tests.api.pool_scene import PoolScene
from tests.ledger.projection.support import empty_database

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F7"), pytest.mark.feature("S1")]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PoolScene]:
    folder = tmp_path_factory.mktemp("pools")
    with empty_database(request.param, folder) as url, ExitStack() as exits:
        yield PoolScene(exits, folder, url)


def book_of(folder: Path, pool: str, on: date, receivable: str) -> AssetBook:
    """The servicer's book: one receivable of this ledger and two loans from outside."""
    rows = [
        {"reference": receivable, "kind": "receivable", "balance": 1_000_000},
        {"reference": "LOAN-1", "balance": 70_000, "region": "JS"},
        {"reference": "LOAN-2", "balance": 30_000, "daysPastDue": 12, "region": "ZJ"},
    ]
    path = folder / "pool.book"
    lines = (orjson.dumps(row) for row in rows)
    load_book(path, json_rows(lines), pool=Hash32(bytes.fromhex(pool[2:])), day=on, salt=b"s" * 16)
    return AssetBook(path)


def state_of(book: AssetBook) -> dict[str, Any]:
    """What the servicer commits."""
    state = book.newest()
    day = state.day
    return {
        "date": state.date.isoformat(),
        "root": f"0x{day.root.hex()}",
        "delta": None if day.delta is None else f"0x{day.delta.hex()}",
        "performing": str(day.performing),
        "overdue": str(day.overdue),
        "defaulted": str(day.defaulted),
        "count": day.count,
        "changed": day.changed,
    }


def test_the_life_of_a_pool_from_proposal_to_the_last_payment(
    scene: PoolScene, tmp_path: Path
) -> None:
    draft = scene.draft()
    made = scene.arranger.send("POST", "/pools", draft)
    assert made.status_code == 201, made.text
    pool = made.json()["pool"]["id"]
    assert made.headers["location"] == f"/pools/{pool}"
    assert made.json()["pool"]["state"] == "proposed"
    scene.trustee.post(f"/pools/{pool}/accept", {"office": "trustee"})
    active = scene.servicer.post(f"/pools/{pool}/accept", {"office": "servicer"})["pool"]
    assert (active["state"], active["act"]) == ("active", "accept")

    # Assets: a receivable of this ledger comes in, the servicer's book is committed.
    debt = scene.receivable()
    admitted = {"kind": "receivable", "instruments": [debt]}
    assert scene.servicer.post(f"/pools/{pool}/admit", admitted)["instruments"] == [debt]
    (held,) = scene.north.get(f"/pools/{pool}/instruments")["instruments"]
    assert (held["kind"], held["held"], held["control"]["amount"]) == (
        "receivable",
        True,
        "1000000",
    )
    yesterday = scene.today - timedelta(days=1)
    with book_of(tmp_path, pool, yesterday, debt) as book:
        committed = scene.servicer.post(f"/pools/{pool}/commit", state_of(book))["day"]
        assert committed["overdue"] == "30000"
        proof = book.prove(debt, yesterday, show_attributes=True)
        book.update(scene.today, json_rows([b'{"reference":"LOAN-2","daysPastDue":13}']))
        scene.servicer.post(f"/pools/{pool}/commit", state_of(book))
        later = book.prove("LOAN-2", scene.today)
    for one in (proof, later):
        verdict = verified(scene, pool, one)
        assert verdict["valid"], verdict
        assert verdict["day"]["by"] == "loan-service"

    # Money: the debtor pays the trustee, the servicer tells of it, the waterfall shares it out.
    payment = scene.paid(debt, 400_000)
    body = scene.collection(payment, principal="390000", income="10000")
    told = scene.servicer.post(f"/pools/{pool}/collect", body)
    assert told["open"] == {
        "period": 1,
        "state": "open",
        "principal": "390000",
        "income": "10000",
        "revision": 1,
    }
    answer = scene.trustee.send("GET", f"/pools/{pool}/periods/1")
    assert (answer.json()["state"], answer.headers["etag"]) == ("open", '"1"')
    end = {"period": 1, "end": scene.today.isoformat()}
    shared = scene.trustee.post(f"/pools/{pool}/distribute", end, revision=1)
    # Ten days of 3.65 % on 800 001 and of 7.3 % on 100 000; 0.5 % on both, and 1 000 for it.
    period = shared["period"]
    assert (period["fees"], period["interest"], period["principal"]) == ("1123", "1000", "390000")
    assert int(period["residual"]) == 400_000 - 1_123 - 1_000 - 390_000
    due = scene.trustee.get(f"/pools/{pool}/payments?period=1")["payments"]
    assert sum(int(one["amount"]) for one in due) == 400_000
    assert {one["confirmed"] for one in due} == {None}
    numbers = [one["number"] for one in due]
    paid = scene.trustee.post(f"/pools/{pool}/pay", {"numbers": numbers, "bank": "trust-bank"})
    assert [one["number"] for one in paid["confirmed"]] == numbers
    mine = scene.north.get(f"/pools/{pool}/payments?payee=north-fund")["payments"]
    assert all(one["payee"] == "north-fund" and one["confirmed"] for one in mine)
    (account,) = scene.north.get("/deposits?owner=north-fund")["accounts"]
    assert account["balance"] == str(sum(int(one["amount"]) for one in mine))
    proven = scene.north.get(mine[0]["confirmed"]["proof"])
    assert proven["leaf"] == mine[0]["confirmed"]["leaf"]

    # Each hundredth from the debtor to the investor.
    trace = scene.north.get(f"/pools/{pool}/periods/1/trace?payment={mine[0]['number']}")
    (came,) = trace["collections"]
    assert (came["payment"], came["source"]["payer"], came["source"]["cause"]) == (
        payment,
        "buyer",
        debt,
    )
    assert sum(int(one["amount"]) for one in trace["flows"]) == int(mine[0]["amount"])
    whole = scene.north.get(f"/pools/{pool}/periods/1/trace")
    assert sum(int(one["amount"]) for one in whole["flows"]) == 400_000

    # What is left of it.
    one = scene.south.get(f"/pools/{pool}")
    repaid = [int(tranche["repaid"]) for tranche in one["tranches"]]
    assert sum(repaid) == 390_000
    assert one["account"]["periods"] == 1
    assert one["account"]["unconfirmed"] == 0
    units = {"tranche": 0, "to": "south-fund", "units": "600000"}
    moved = scene.north.post(f"/pools/{pool}/assign", units)["moved"]
    assert (moved["senderUnits"], moved["recipientUnits"]) == ("0", "800001")
    (holder,) = scene.south.get(f"/pools/{pool}/tranches")["tranches"][0]["holders"]
    assert holder == {"organisation": "south-fund", "units": "800001"}
    scene.servicer.post(f"/pools/{pool}/dismiss", {"instruments": [debt], "reason": "sold"})
    assert scene.south.get(f"/pools/{pool}/instruments")["instruments"] == []
    closed = scene.trustee.post(f"/pools/{pool}/close", {"remark": "wound up"})["pool"]
    assert closed["state"] == "closed"
    acts = [one["act"] for one in scene.north.get(f"/pools/{pool}/history")["acts"]]
    assert acts == ["create", "accept", "accept", "admit", "assign", "dismiss", "close"]


def verified(scene: PoolScene, pool: str, proof: AssetProof) -> dict[str, Any]:
    return scene.north.post(f"/pools/{pool}/verify", orjson.loads(proof.encode()))
