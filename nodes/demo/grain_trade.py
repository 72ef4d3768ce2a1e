"""The trade of the story: an invoice down three tiers and paid, goods for money, clearing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from api.client import Tallystick
from nodes.demo.scenes import (
    BANK,
    CURRENCY,
    DAY,
    FARM,
    MILL,
    OTHER_BANK,
    SEEDS,
    TRADER,
    Scene,
    expect,
    refused,
    yuan,
)

INVOICE: Final = 7_500_000
PARTS: Final = {TRADER: 4_500_000, FARM: 1_800_000, SEEDS: 1_200_000}
"""Of the invoice, by who has it in the end."""
PRICE: Final = 6_000_000
"""Of the rest of the maize."""
MONEY: Final = 15_000_000
"""What the mill has paid in at its bank."""
_NAMES: Final = {
    TRADER: ("the trader", "粮贸商"),
    FARM: ("the farm", "农场"),
    SEEDS: ("the seed merchant", "种子商"),
    MILL: ("the mill", "面粉厂"),
}


@dataclass
class Trade:
    """What the mill owes and pays."""

    members: Mapping[str, Tallystick]
    now: int
    _debts: dict[str, str] = field(default_factory=dict, init=False)
    """The invoice's parts, by who has each."""

    # ---- the invoice ----------------------------------------------------------------------------

    def _invoice(self, number: str) -> dict[str, Any]:
        return {
            "kind": "invoice",
            "number": number,
            "debtor": MILL,
            "amount": INVOICE,
            "currency": CURRENCY,
            "due": self.now + 60 * DAY,
            "document": {"order": "PO-771", "goods": "maize, 10 t"},
            "invoices": [
                {
                    "sellerTaxNumber": "91220000MA0000000X",
                    "number": "25222000000000771123",
                    "date": "2026-11-02",
                    "total": INVOICE,
                }
            ],
        }

    def tiers(self) -> Iterator[Scene]:
        """Accepted, split, and passed on twice."""
        trader, mill, farm = (self.members[name].receivables for name in (TRADER, MILL, FARM))
        whole = trader.create(self._invoice("HY-771")).body["receivable"]["id"]
        done = mill.act(whole, "accept")
        yield Scene(
            "The mill accepts the trader's invoice", "面粉厂确认粮贸商的应收账款", done.leaf
        )
        yield refused(
            "The same invoice cannot be written down again",
            "同一发票重复登记被拒",
            "AlreadyClaimed",
            lambda: trader.create(self._invoice("HY-772")),
        )
        passed_on = INVOICE - PARTS[TRADER]
        done = trader.act(whole, "split", {"amounts": [PARTS[TRADER], passed_on]})
        self._debts[TRADER] = _part(done.body, PARTS[TRADER])
        part = _part(done.body, passed_on)
        yield Scene("It is split into two parts", "应收账款拆分为两份", done.leaf)
        done = trader.act(part, "endorse", {"to": FARM, "recourse": True})
        yield Scene("One goes to the farm, with recourse", "一份有追索权转让给农场", done.leaf)
        done = farm.act(part, "split", {"amounts": [PARTS[FARM], PARTS[SEEDS]]})
        self._debts[FARM] = _part(done.body, PARTS[FARM])
        self._debts[SEEDS] = _part(done.body, PARTS[SEEDS])
        done = farm.act(self._debts[SEEDS], "endorse", {"to": SEEDS})
        yield Scene(
            "and some of it from there to the seed merchant",
            "农场将其中部分再转让给种子商",
            done.leaf,
        )

    # ---- the money ------------------------------------------------------------------------------

    def money(self) -> Iterator[Scene]:
        """The mill pays in at its bank; Harvest Bank lets that bank owe it something."""
        issue = {"currency": CURRENCY, "amount": MONEY, "number": "IN-1", "to": MILL}
        done = self.members[OTHER_BANK].deposits.issue(issue)
        yield Scene(
            f"The mill pays {yuan(MONEY)} yuan in at River Bank, which issues a deposit",
            f"面粉厂在江河银行存入 {yuan(MONEY)} 元，银行发行存款",
            done.leaf,
            balances={MILL: self.balance(MILL)},
        )
        for member in PARTS:
            self.members[member].deposits.choose_home(BANK, CURRENCY)
        limit = {"debtor": OTHER_BANK, "currency": CURRENCY, "limit": 20_000_000}
        done = self.members[BANK].deposits.set_limit(limit)
        yield Scene(
            "Harvest Bank lets River Bank owe it up to 200,000 yuan",
            "丰收银行给予江河银行 200,000 元清算限额",
            done.leaf,
        )

    def payments(self) -> Iterator[Scene]:
        """Each tier is paid by the debtor, on the ledger, whatever bank its deposit is at."""
        for number, (payee, amount) in enumerate(PARTS.items(), 1):
            before = int(self.balance(payee))
            done = self.members[MILL].settlements.pay(
                {
                    "receivable": self._debts[payee],
                    "bank": OTHER_BANK,
                    "amount": amount,
                    "number": f"PAY-{number}",
                }
            )
            expect("receivable", done.body["receivable"]["state"], "paid")
            expect(f"balance of {payee}", self.balance(payee), str(before + amount))
            name, name_zh = _NAMES[payee]
            yield Scene(
                f"The mill pays {name} {yuan(amount)} yuan: debt and deposit change together",
                f"面粉厂向{name_zh}支付 {yuan(amount)} 元，债务与存款同步变更",
                done.leaf,
                balances={MILL: self.balance(MILL), payee: self.balance(payee)},
            )

    def sale(self, receipt: str) -> Iterator[Scene]:
        """The rest of the maize against money, in one transaction."""
        trader, mill = self.members[TRADER], self.members[MILL]
        offer = {
            "number": "HY-S-1",
            "currency": CURRENCY,
            "amount": PRICE,
            "expires": self.now + DAY,
            "buyer": MILL,
            "bank": BANK,
            "instruments": [
                {
                    "kind": "receipt",
                    "id": receipt,
                    "revision": trader.receipts.get(receipt)["revision"],
                }
            ],
        }
        deal = trader.settlements.offer(offer).body["settlement"]["id"]
        done = mill.settlements.act(deal, "accept", {"bank": OTHER_BANK})
        expect("sale", done.body["settlement"]["state"], "settled")
        expect("holder", mill.receipts.get(receipt)["holder"], MILL)
        yield Scene(
            f"The mill buys the other 30 t: receipt against {yuan(PRICE)} yuan, both or neither",
            f"面粉厂购入其余 30 吨：仓单与 {yuan(PRICE)} 元券款对付",
            done.leaf,
            balances={MILL: self.balance(MILL), TRADER: self.balance(TRADER)},
        )

    def clearing(self) -> Iterator[Scene]:
        """What the day leaves between the banks, and its settlement."""
        bank = self.members[BANK]
        owed = INVOICE + PRICE
        (pair,) = bank.clearing(datetime.now(UTC).date().isoformat())["bilateral"]
        net = {"payer": OTHER_BANK, "payee": BANK, "amount": str(owed)}
        expect("net position", pair["net"], net)
        yield Scene(
            f"Clearing: River Bank owes Harvest Bank {yuan(owed)} yuan net",
            f"清算：江河银行轧差应付丰收银行 {yuan(owed)} 元",
        )
        done = bank.deposits.confirm_settlement(
            {"debtor": OTHER_BANK, "currency": CURRENCY, "amount": owed, "number": "HVPS-1"}
        )
        expect("settled", done.body["positions"][0]["claim"], "0")
        yield Scene(
            "It settles in central-bank money; Harvest Bank confirms",
            "以央行货币结清，丰收银行确认",
            done.leaf,
        )

    def end(self, repaid: int) -> Scene:
        """Who has how much, to the last fen; `repaid` is what the loan has cost the trader."""
        wanted = {
            TRADER: PARTS[TRADER] + PRICE - repaid,
            FARM: PARTS[FARM],
            SEEDS: PARTS[SEEDS],
            MILL: MONEY - INVOICE - PRICE,
        }
        found = {name: self.balance(name) for name in wanted}
        expect("balances", found, {name: str(amount) for name, amount in wanted.items()})
        shown = [(*_NAMES[name], yuan(amount)) for name, amount in wanted.items()]
        return Scene(
            "In the end: " + ", ".join(f"{name} {amount}" for name, _, amount in shown),
            "最终余额：" + "，".join(f"{name} {amount}" for _, name, amount in shown),
            balances=found,
        )

    def balance(self, organisation: str) -> str:
        """Of all its deposits, in hundredths."""
        return str(
            sum(
                int(account["balance"])
                for account in self.members[organisation].deposits.list(owner=organisation)
            )
        )


def _part(body: Mapping[str, Any], amount: int) -> str:
    """The id of the part with that amount."""
    return next(
        str(one["id"])
        for one in body["receivables"]
        if one["amount"] == str(amount) and one["state"] != "split"
    )
