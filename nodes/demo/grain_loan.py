"""The loan of the story: applied for, checked, offered, drawn against the pledge, repaid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from api.client import Tallystick
from nodes.demo.scenes import (
    BANK,
    CURRENCY,
    DAY,
    MILL,
    OTHER_BANK,
    TRADER,
    Scene,
    expect,
    refused,
    sha256,
    yuan,
)

LOAN: Final = 8_000_000
RATE_BP: Final = 450


@dataclass
class Loan:
    """A bank's loan to the trader against the receipt."""

    members: Mapping[str, Tallystick]
    now: int
    _id: str = field(default="", init=False)
    interest: int = field(default=0, init=False)
    """What it has cost, once it is repaid."""

    def tell(self, receipt: str) -> Iterator[Scene]:
        """From the bank's rates to the payout, and what the pledge forbids from then on."""
        trader, bank, other = (self.members[name] for name in (TRADER, BANK, OTHER_BANK))
        offered = trader.pledges.create(self._pledge(receipt)).body["pledge"]["id"]
        tiers = [{"amountMax": 50_000_000, "termDaysMax": 180, "rateBp": RATE_BP}]
        done = bank.rate_tables.publish(
            {"currency": CURRENCY, "tiers": tiers, "document": {"conditions": "as usual"}}
        )
        yield Scene(
            "Harvest Bank publishes its rates: 4.5 % a year",
            "丰收银行公布利率：年利率 4.5%",
            done.leaf,
        )
        done = trader.loans.apply(self._application(receipt))
        self._id = done.body["loan"]["id"]
        yield Scene(
            f"The trader applies for a loan of {yuan(LOAN)} yuan against the receipt",
            f"粮贸商以仓单申请贷款 {yuan(LOAN)} 元",
            done.leaf,
        )
        yield self._check()
        offer = {
            "amount": LOAN,
            "validUntil": self.now + 10 * DAY,
            "document": {"decision": "credit committee 2026/17"},
        }
        done = bank.loans.act(self._id, "approve", offer)
        hash_ = done.body["offers"][0]["offerHash"]
        yield Scene("The bank decides, and offers the loan", "银行审批并报价", done.leaf)
        trader.loans.act(self._id, "accept", {"bank": BANK, "offer": hash_})
        yield self._draw()
        yield refused(
            "River Bank, offered the same receipt, comes too late",
            "江河银行就同一仓单再次质押被拒",
            "AlreadyPledged",
            lambda: other.pledges.act(offered, "accept"),
        )
        yield refused(
            "The trader cannot sell what is pledged",
            "质押期间粮贸商转让仓单被拒",
            "InstrumentPledged",
            lambda: trader.receipts.act(receipt, "transfer-both", {"owner": MILL, "holder": MILL}),
        )

    def _pledge(self, receipt: str) -> dict[str, object]:
        """What the trader offers to the second bank as well."""
        return {
            "instrument": receipt,
            "pledgee": OTHER_BANK,
            "amount": LOAN,
            "currency": CURRENCY,
            "due": self.now + 90 * DAY,
            "noticeSeconds": 7 * DAY,
            "terms": sha256("loan agreement 2026/18"),
        }

    def _application(self, receipt: str) -> dict[str, object]:
        return {
            "number": "HY-L-17",
            "instrument": receipt,
            "banks": [{"bank": BANK}],
            "amount": LOAN,
            "currency": CURRENCY,
            "termDays": 90,
            "expires": self.now + 20 * DAY,
            "document": {"purpose": "seed and fertiliser"},
            "noticeSeconds": 7 * DAY,
        }

    def _check(self) -> Scene:
        done = self.members[BANK].loans.act(self._id, "check")
        check = done.body["loan"]["application"]["check"]
        expect("check", (check["passed"], check["failed"]), (check["applicable"], []))
        return Scene(
            "The ledger shows title and stock, no pledge, no second financing",
            "账本核验：权属、库存无误，无在先质押，无重复融资",
            done.leaf,
        )

    def _draw(self) -> Scene:
        done = self.members[BANK].loans.act(self._id, "draw-down")
        pledge = self.members[TRADER].pledges.get(done.body["loan"]["payout"]["pledge"])
        expect("pledge", (pledge["state"], pledge["pledgee"]), ("active", BANK))
        (account,) = self.members[TRADER].deposits.list(bank=BANK)
        expect("payout", account["balance"], str(LOAN))
        return Scene(
            f"In one transaction Harvest Bank has the pledge, the trader {yuan(LOAN)} yuan",
            f"同一笔交易中丰收银行取得质权，粮贸商收到 {yuan(LOAN)} 元",
            done.leaf,
            balances={TRADER: account["balance"]},
        )

    def repay(self, receipt: str) -> Iterator[Scene]:
        """Out of the deposit; the last payment ends the pledge."""
        trader = self.members[TRADER]
        done = trader.loans.act(self._id, "repay")
        (paid,) = done.body["payments"]
        expect("principal", paid["principal"], str(LOAN))
        self.interest = int(paid["interest"])
        whole = yuan(LOAN + self.interest)
        yield Scene(
            f"The trader repays {whole} yuan out of his deposit",
            f"粮贸商以存款归还 {whole} 元",
            done.leaf,
        )
        expect("loan", trader.loans.get(self._id)["state"], "repaid")
        expect("pledgee", trader.receipts.get(receipt)["pledgee"], None)
        yield Scene("With the last payment the pledge has ended", "贷款结清，质押自动解除")
