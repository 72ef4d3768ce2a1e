"""A pool of receivables over HTTP: who has which part in it, on a whole node."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from api import ApiSettings
from contracts.consortium import Role
from contracts.pools import AssetBook, json_rows, load_book
from ledger.types import Hash32
from tests.api.conftest import Node, open_node
from tests.api.described import Described
from tests.traceability.capture.stack import OFFICE, Identity, make_identity

ROLES = {
    OFFICE: Role.OPERATOR,
    "car-bank": Role.BANK,
    "trust-bank": Role.BANK,
    "loan-service": Role.OPERATOR,
    "north-fund": Role.MANUFACTURER,
    "south-fund": Role.MANUFACTURER,
    "seller": Role.MANUFACTURER,
    "buyer": Role.RETAILER,
    "other-bank": Role.BANK,
    "market-office": Role.REGULATOR,
}
SCOPES = ("pools:*", "receivables:*", "settlement:*", "notices:*", "supervise")
EVIDENCE = f"0x{'e5' * 32}"
DAY = 86_400
RULES = {"version": 1, "rules": [{"field": "balance", "atLeast": 1, "atMost": 500_000_000}]}


def pools_identity() -> Identity:
    return make_identity("pools", ROLES)


class PoolScene:
    """Members of the pool, and a number for everything that needs one."""

    def __init__(self, exits: ExitStack, folder: Path, database_url: str) -> None:
        limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
        self.node: Node = open_node(exits, folder, pools_identity(), database_url, limits)
        self.numbers = 0
        names = [name for name in ROLES if name != OFFICE]
        self.members = {name: Described(self.node, name, *SCOPES) for name in names}
        self.arranger, self.trustee, self.servicer = map(
            self.members.__getitem__, ("car-bank", "trust-bank", "loan-service")
        )
        self.north, self.south = self.members["north-fund"], self.members["south-fund"]
        self.stranger = self.members["other-bank"]
        for name in ("north-fund", "south-fund", "loan-service", "seller"):
            self.members[name].post("/deposits/homes", {"bank": "trust-bank", "currency": "CNY"})
        limit = {"debtor": "trust-bank", "currency": "CNY", "limit": 10**12}
        self.arranger.post("/deposits/interbank/limits", limit)

    @property
    def today(self) -> date:
        return datetime.now(UTC).date()

    def number(self) -> str:
        self.numbers += 1
        return f"N-{self.numbers}"

    def draft(self, **more: Any) -> dict[str, Any]:
        """A pool with a senior and a junior tranche; interest runs since ten days ago."""
        start = self.today - timedelta(days=10)
        return {
            "number": self.number(),
            "trustee": "trust-bank",
            "servicer": "loan-service",
            "residual": "car-bank",
            "currency": "CNY",
            "basis": 365,
            "start": start.isoformat(),
            "sequentialBp": 500,
            "turboBp": 1_000,
            "limits": {
                "assetsMax": 1_000,
                "admitUntil": (self.today + timedelta(days=30)).isoformat(),
                "balanceMax": "100000000000",
            },
            "document": {"title": "Trust agreement"},
            "rulesDocument": RULES,
            "publish": True,
            "fees": [{"payee": "loan-service", "rateBp": 50, "fixedAmount": "1000"}],
            "tranches": [
                {
                    "name": "A",
                    "seniority": 1,
                    "rateBp": 365,
                    "holders": [
                        {"organisation": "north-fund", "units": "600000"},
                        {"organisation": "south-fund", "units": "200001"},
                    ],
                },
                {
                    "name": "B",
                    "seniority": 2,
                    "rateBp": 730,
                    "holders": [{"organisation": "car-bank", "units": "100000"}],
                },
            ],
            **more,
        }

    def proposed(self, **more: Any) -> str:
        pool: str = self.arranger.post("/pools", self.draft(**more))["pool"]["id"]
        return pool

    def active(self, **more: Any) -> str:
        pool = self.proposed(**more)
        self.trustee.post(f"/pools/{pool}/accept", {"office": "trustee"})
        self.servicer.post(f"/pools/{pool}/accept", {"office": "servicer"})
        return pool

    def receivable(self, amount: int = 1_000_000, *, sold: bool = True) -> str:
        """What the buyer owes, accepted; sold to the trustee."""
        body = {
            "kind": "invoice",
            "number": self.number(),
            "debtor": "buyer",
            "amount": amount,
            "currency": "CNY",
            "due": int(time.time()) + 90 * DAY,
            "terms": EVIDENCE,
            "keys": [f"0x{self.numbers:064x}"],
        }
        seller, buyer = self.members["seller"], self.members["buyer"]
        id_: str = seller.post("/receivables", body)["receivable"]["id"]
        buyer.post(f"/receivables/{id_}/accept")
        if sold:
            seller.post(f"/receivables/{id_}/endorse", {"to": "trust-bank"})
        return id_

    def paid(self, receivable: str, amount: int) -> str:
        """The buyer pays it, out of a deposit with the trustee; id of the payment."""
        issue = {"to": "buyer", "currency": "CNY", "amount": amount, "number": self.number()}
        self.trustee.post("/deposits", issue)
        body = {
            "receivable": receivable,
            "bank": "trust-bank",
            "amount": amount,
            "number": self.number(),
        }
        payment: str = self.members["buyer"].post("/settlements/payments", body)["payment"]
        return payment

    def state(self, on: date, **more: Any) -> dict[str, Any]:
        return {
            "date": on.isoformat(),
            "root": EVIDENCE,
            "delta": EVIDENCE,
            "performing": "900000",
            "overdue": 0,
            "defaulted": 0,
            "count": 3,
            "changed": 3,
            **more,
        }

    def collection(self, payment: str, period: int = 1, **more: Any) -> dict[str, Any]:
        return {
            "payment": payment,
            "date": self.today.isoformat(),
            "period": period,
            "principal": "100000",
            "income": "20000",
            **more,
        }


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
