"""A granary, a trader with grain in it, its bank and the platform, over HTTP."""

from __future__ import annotations

import time
from typing import Any

from contracts import consortium
from contracts.consortium import Role
from contracts.governance import Call
from tests.api.conftest import Node
from tests.api.described import Described
from tests.traceability.capture.stack import BANK, CARRIER, FARM, OFFICE

DAY = 86_400
EVIDENCE = f"0x{'e5' * 32}"
SALT = f"0x{'5a' * 32}"
SCOPES = ("stock:*", "receipts:*", "pledges:*", "financing:*", "receivables:*")
AGREEMENT = {
    "nature": "living",
    "unit": "TNE",
    "shortfallBp": 100,
    "adjustmentBp": 500,
    "countAgeMaxSeconds": 30 * DAY,
}
TABLE: dict[str, Any] = {
    "currency": "CNY",
    "tiers": [
        {"kind": "receipts", "amountMax": 10_000_000, "termDaysMax": 90, "rateBp": 450},
        {"amountMax": "50000000000", "termDaysMax": 730, "rateBp": 700},
    ],
    "contribution": {"pointsPerBp": 100, "discountBpMax": 60, "floorBp": 400},
    "document": {"conditions": "as usual"},
}


class LoanScene:
    """A granary (the farm), a trader (the carrier) with grain in it, a bank, the platform."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.warehouse, self.trader, self.bank, self.platform = (
            Described(node, name, *SCOPES) for name in (FARM, CARRIER, BANK, OFFICE)
        )
        self.numbers = 0
        data = consortium.set_role(FARM, Role.WAREHOUSE)
        node.stack.govern(Call(consortium.CONSORTIUM_ADDRESS, data))
        lot = {"placeId": "silo 1", "lotId": "wheat", "agreement": AGREEMENT, "counters": [FARM]}
        self.lot: str = self.warehouse.post("/stock/lots", lot)["lot"]
        count = {
            "lot": self.lot,
            "quantity": 1_000_000,
            "countedAt": int(time.time()) - 5,
            "sequence": 1,
            "evidence": EVIDENCE,
        }
        self.warehouse.post("/stock/counts", count)
        self.bank.post("/rate-tables", TABLE)

    def receipt(self) -> str:
        self.numbers += 1
        body = {
            "number": f"R-{self.numbers}",
            "lot": self.lot,
            "quantity": 10_000,
            "expires": int(time.time()) + 120 * DAY,
            "holder": CARRIER,
            "document": {"goods": "wheat", "number": self.numbers},
            "goodsDescription": {"class": "wheat", "grade": 2, "unit": "TNE"},
        }
        id_: str = self.warehouse.post("/receipts", body)["receipt"]["id"]
        return id_

    def request(self, receipt: str, **changes: Any) -> dict[str, Any]:
        self.numbers += 1
        return {
            "number": f"L-{self.numbers}",
            "instrument": receipt,
            "banks": [{"bank": BANK}],
            "amount": 8_000_000,
            "amountMin": "5000000",
            "currency": "CNY",
            "termDays": 60,
            "expires": int(time.time()) + 20 * DAY,
            "document": {"purpose": "seed"},
            "graceSeconds": 3 * DAY,
            "noticeSeconds": 10 * DAY,
            **changes,
        }

    def applied(self, receipt: str | None = None, **changes: Any) -> str:
        body = self.request(receipt or self.receipt(), **changes)
        answer = self.trader.send("POST", "/loans", body)
        assert answer.status_code == 201, answer.text
        id_: str = answer.json()["loan"]["id"]
        assert answer.headers["location"] == f"/loans/{id_}"
        return id_

    def approved(self, id_: str, **more: Any) -> str:
        body = {
            "amount": 8_000_000,
            "validUntil": int(time.time()) + 10 * DAY,
            "document": {"terms": "of the offer"},
        }
        done = self.bank.post(f"/loans/{id_}/approve", body, **more)
        hash_: str = done["offers"][0]["offerHash"]
        return hash_

    def drawn(self) -> str:
        id_ = self.applied()
        offer = self.approved(id_)
        self.trader.post(f"/loans/{id_}/accept", {"bank": BANK, "offer": offer})
        self.bank.post(f"/loans/{id_}/draw-down")
        return id_
