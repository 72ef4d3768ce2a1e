"""A supplier, its customer and the bank of both, whose deposits pay for receivables over HTTP."""

from __future__ import annotations

import time
from typing import Any

from tests.api.conftest import Node
from tests.api.members import Member
from tests.traceability.capture.stack import BANK, CARRIER, FARM

DAY = 86_400
EVIDENCE = f"0x{'e5' * 32}"
SUBJECT = f"0x{'5b' * 32}"
SCOPES = ("receivables:*", "settlement:*", "pledges:*", "supervise")


class SettlementScene:
    """A supplier (the farm), its customer (the carrier), and the bank of both."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.supplier, self.customer, self.bank = (
            Member(node, name, *SCOPES) for name in (FARM, CARRIER, BANK)
        )
        self.numbers = 0
        self.supplier.post("/deposits/homes", {"bank": BANK, "currency": "CNY"})

    def number(self) -> str:
        self.numbers += 1
        return f"N-{self.numbers}"

    def issue(self, to: str, amount: int) -> None:
        body = {"to": to, "currency": "CNY", "amount": amount, "number": self.number()}
        self.bank.post("/deposits", body)

    def receivable(self, debtor: Member | None = None) -> str:
        """Accepted, of 1 000 000, owed by the customer if by nobody else: revision 2."""
        owing = debtor or self.customer
        body = {
            "kind": "invoice",
            "number": self.number(),
            "debtor": owing.name,
            "amount": 1_000_000,
            "currency": "CNY",
            "due": int(time.time()) + 90 * DAY,
            "terms": EVIDENCE,
            "keys": [f"0x{self.numbers:064x}"],
        }
        id_: str = self.supplier.post("/receivables", body)["receivable"]["id"]
        owing.post(f"/receivables/{id_}/accept")
        return id_

    def payment(self, receivable: str, amount: int | str, **more: Any) -> dict[str, Any]:
        return {
            "receivable": receivable,
            "bank": BANK,
            "amount": amount,
            "number": self.number(),
            **more,
        }

    def offer(self, receivable: str, **more: Any) -> dict[str, Any]:
        return {
            "number": self.number(),
            "instruments": [{"kind": "receivable", "id": receivable, "revision": 2}],
            "currency": "CNY",
            "amount": "970000",
            "expires": int(time.time()) + DAY,
            "buyer": BANK,
            **more,
        }

    def offered(self, receivable: str, **more: Any) -> dict[str, Any]:
        answer = self.supplier.send("POST", "/settlements/offers", self.offer(receivable, **more))
        assert answer.status_code == 201, answer.text
        deal: dict[str, Any] = answer.json()["settlement"]
        assert answer.headers["location"] == f"/settlements/{deal['id']}"
        return deal

    def conditional(self, **condition: Any) -> dict[str, Any]:
        return {
            "number": self.number(),
            "payee": FARM,
            "bank": BANK,
            "currency": "CNY",
            "amount": 40_000,
            "condition": condition,
        }

    def inspection(self) -> str:
        """The customer's money waits for the bank's inspection."""
        body = self.conditional(
            kind="inspection",
            attestor=BANK,
            subject=SUBJECT,
            deadline=int(time.time()) + DAY,
        )
        answer = self.customer.post("/settlements/conditional", body)
        deal: dict[str, Any] = answer["settlement"]
        assert (deal["state"], deal["condition"]["kind"]) == ("open", "inspection")
        id_: str = deal["id"]
        return id_

    def account(self, member: Member) -> dict[str, Any]:
        (found,) = member.get(f"/deposits?owner={member.name}")["accounts"]
        return dict(found)

    def balance(self, member: Member) -> str:
        return str(self.account(member)["balance"])
