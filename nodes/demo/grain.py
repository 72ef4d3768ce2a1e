"""A story of finance: grain in a store, two banks, an invoice that goes down three tiers.

A granary counts maize and issues a receipt for it; the trader who holds it offers it to two banks
at once, and only one gets it. A count finds less than the receipts say: nothing more is issued
until a recount. The bank lets a part go, is paid and releases the rest. The mill that bought the
maize accepts the trader's invoice, which is split and passed on to a farm and to its seed merchant,
and pays.

Every name and number is invented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from api.client import Done, Refused, Tallystick
from nodes.demo.places import StoryOrganisation

GRANARY: Final = "songliao-granary"
TRADER: Final = "heye-grain"
MILL: Final = "yulin-mill"
FARM: Final = "qingshan-farm"
SEEDS: Final = "lvyuan-seeds"
BANK: Final = "harvest-bank"
OTHER_BANK: Final = "river-bank"
FINANCE_ORGANISATIONS: Final = (
    StoryOrganisation(GRANARY, "Songliao Granary", "松辽粮库", "warehouse"),
    StoryOrganisation(TRADER, "Heye Grain Trading", "禾野粮贸", "manufacturer"),
    StoryOrganisation(MILL, "Yulin Flour Mill", "榆林面粉厂", "manufacturer"),
    StoryOrganisation(FARM, "Qingshan Farm", "青山农场", "manufacturer"),
    StoryOrganisation(SEEDS, "Lvyuan Seeds", "绿源种业", "retailer"),
    StoryOrganisation(BANK, "Harvest Bank", "丰收银行", "bank"),
    StoryOrganisation(OTHER_BANK, "River Bank", "江河银行", "bank"),
)
SCOPES: Final = ("stock:*", "receipts:*", "pledges:*", "receivables:*", "notices:read")
DAY: Final = 86_400


class StoryBroken(Exception):
    """The story did not go as it is told; the message says where."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that happened."""

    text: str
    text_zh: str
    leaf: int | None = None
    """Index in the log of its first event; None for what was refused."""
    refusal: str | None = None
    """The contract's error, where it was refused as it should be."""


@dataclass
class GrainStory:
    """Told once, over HTTP, each act with its own organisation's key."""

    members: Mapping[str, Tallystick]
    now: int
    """Unix seconds."""
    _sequence: int = field(default=0, init=False)
    _pledge_key: str = field(default="", init=False)

    def tell(self) -> Iterator[Scene]:
        """Each scene once it has happened. Raises `StoryBroken` and the client's errors."""
        lot = self._register()
        yield self._count(lot, 50_000_000, "The granary counts 50 t of maize", "粮库盘点玉米 50 吨")
        issued, receipt = self._issue(lot)
        yield issued
        yield from self._pledge(receipt)
        yield from self._shortfall(lot)
        yield from self._part(receipt)
        yield from self._release(receipt)
        yield from self._tiers()

    # ---- the grain ------------------------------------------------------------------------------

    def _register(self) -> str:
        lot: str = (
            self.members[GRANARY]
            .lots.create(
                {
                    "placeId": "https://id.gs1.org/414/9521234000013",
                    "lotId": "maize-2026-07",
                    "agreement": {
                        "nature": "living",
                        "unit": "KGM",
                        "shortfallBp": 100,
                        "adjustmentBp": 150,
                        "countAgeMaxSeconds": 30 * DAY,
                    },
                    "counters": [GRANARY],
                }
            )
            .body["lot"]
        )
        return lot

    def _count(self, lot: str, quantity: int, text: str, text_zh: str) -> Scene:
        self._sequence += 1
        done = self.members[GRANARY].change(
            "/stock/counts",
            {
                "lot": lot,
                "quantity": quantity,
                "countedAt": self.now + self._sequence,
                "sequence": self._sequence,
                "evidence": _sha256(f"weighing slip {self._sequence}"),
            },
        )
        return Scene(text, text_zh, done.leaf)

    def _draft(self, lot: str, number: str, quantity: int) -> dict[str, Any]:
        return {
            "number": number,
            "lot": lot,
            "holder": TRADER,
            "quantity": quantity,
            "expires": self.now + 180 * DAY,
            "document": {"goods": "maize, class 1", "fee": "0.40 CNY per tonne and day"},
            "goodsDescription": {"class": "maize", "grade": "1", "unit": "KGM"},
        }

    def _issue(self, lot: str) -> tuple[Scene, str]:
        done = self.members[GRANARY].receipts.create(self._draft(lot, "SL-0001", 40_000_000))
        text = "A receipt for 40 t is issued to the trader"
        return Scene(text, "向粮贸商签发 40 吨仓单", done.leaf), done.body["receipt"]["id"]

    # ---- two banks ------------------------------------------------------------------------------

    def _pledge(self, receipt: str) -> Iterator[Scene]:
        terms = {
            "instrument": receipt,
            "amount": 8_000_000,
            "currency": "CNY",
            "due": self.now + 90 * DAY,
            "noticeSeconds": 7 * DAY,
            "terms": _sha256("loan agreement 2026/17"),
        }
        trader = self.members[TRADER].pledges
        keys = {
            bank: trader.create({**terms, "pledgee": bank}).body["pledge"]["id"]
            for bank in (BANK, OTHER_BANK)
        }
        self._pledge_key = keys[BANK]
        done = self.members[BANK].pledges.act(keys[BANK], "accept")
        yield Scene("Harvest Bank takes it in pledge", "丰收银行接受质押", done.leaf)
        yield _refused(
            "River Bank, offered the same receipt, comes too late",
            "江河银行就同一仓单再次质押被拒",
            "AlreadyPledged",
            lambda: self.members[OTHER_BANK].pledges.act(keys[OTHER_BANK], "accept"),
        )
        yield _refused(
            "The trader cannot sell what is pledged",
            "质押期间粮贸商转让仓单被拒",
            "InstrumentPledged",
            lambda: self.members[TRADER].receipts.act(
                receipt, "transfer-both", {"owner": MILL, "holder": MILL}
            ),
        )

    def _shortfall(self, lot: str) -> Iterator[Scene]:
        yield self._count(
            lot, 30_000_000, "A count finds 30 t only: a shortfall", "再次盘点仅 30 吨，出现短缺"
        )
        self._await_alarm(lot)
        yield Scene("Holder and pledgee are told at once", "持有人和质权人即时收到预警")
        yield _refused(
            "While goods are missing nothing more is issued",
            "短缺期间停止签发",
            "StockShort",
            lambda: self.members[GRANARY].receipts.create(self._draft(lot, "SL-0002", 1_000_000)),
        )
        yield self._count(
            lot,
            49_600_000,
            "The second silo was forgotten: 49.6 t, dried a little",
            "补盘二号仓，共 49.6 吨",
        )

    def _await_alarm(self, lot: str) -> None:
        for member in (TRADER, BANK):
            told = self.members[member].notices.list(kinds=["stock.shortfall-began"])
            if not any(notice.instrument == lot for notice in told):
                raise StoryBroken(f"{member} was not told of the shortfall")

    # ---- out again ------------------------------------------------------------------------------

    def _part(self, receipt: str) -> Iterator[Scene]:
        trader, bank, granary = (self.members[name] for name in (TRADER, BANK, GRANARY))
        wanted = {"quantity": 10_000_000}
        revision = trader.receipts.get(receipt)["revision"]
        done = bank.receipts.act(
            receipt,
            "permit",
            {"act": "request-delivery", "arguments": wanted},
            revision=revision,
        )
        yield Scene(
            "The bank permits that 10 t leave, and no more", "银行许可提取 10 吨", done.leaf
        )
        trader.receipts.act(receipt, "request-delivery", wanted, revision=revision + 1)
        done = granary.receipts.act(receipt, "deliver", {"remark": "gate 2"})
        if done.body["receipt"]["quantity"] != "30000000":
            raise StoryBroken("after the part delivery the receipt is for another quantity")
        yield Scene(
            "10 t are handed out; the receipt is for 30 t now",
            "交付 10 吨，仓单余 30 吨",
            done.leaf,
        )

    def _release(self, receipt: str) -> Iterator[Scene]:
        done = self.members[BANK].pledges.act(self._pledge_key, "release", {"remark": "repaid"})
        yield Scene("The loan is repaid, and the pledge released", "贷款结清，解除质押", done.leaf)
        done = self.members[TRADER].receipts.act(
            receipt, "transfer-both", {"owner": MILL, "holder": MILL}
        )
        yield Scene("The receipt is sold to the mill", "仓单转让给面粉厂", done.leaf)

    # ---- the invoice ----------------------------------------------------------------------------

    def _invoice(self, number: str) -> dict[str, Any]:
        return {
            "kind": "invoice",
            "number": number,
            "debtor": MILL,
            "amount": 7_500_000,
            "currency": "CNY",
            "due": self.now + 60 * DAY,
            "document": {"order": "PO-771", "goods": "maize, 30 t"},
            "invoices": [
                {
                    "sellerTaxNumber": "91220000MA0000000X",
                    "number": "25222000000000771123",
                    "date": "2026-11-02",
                    "total": 7_500_000,
                }
            ],
        }

    def _tiers(self) -> Iterator[Scene]:
        trader, mill, farm, seeds = (
            self.members[name].records("/receivables") for name in (TRADER, MILL, FARM, SEEDS)
        )
        whole = trader.create(self._invoice("HY-771")).body["receivable"]["id"]
        done = mill.act(whole, "accept")
        yield Scene(
            "The mill accepts the trader's invoice", "面粉厂确认粮贸商的应收账款", done.leaf
        )
        yield _refused(
            "The same invoice cannot be written down again",
            "同一发票重复登记被拒",
            "AlreadyClaimed",
            lambda: trader.create(self._invoice("HY-772")),
        )
        done = trader.act(whole, "split", {"amounts": [4_500_000, 3_000_000]})
        part = next(
            one["id"]
            for one in done.body["receivables"]
            if one["id"] != whole and one["amount"] == "3000000"
        )
        yield Scene("It is split into two parts", "应收账款拆分为两份", done.leaf)
        done = trader.act(part, "endorse", {"to": FARM, "recourse": True})
        yield Scene("One goes to the farm, with recourse", "一份有追索权转让给农场", done.leaf)
        done = farm.act(part, "endorse", {"to": SEEDS})
        yield Scene("and on to the seed merchant", "农场再转让给种子商", done.leaf)
        done = seeds.act(part, "confirm-payment", {"amount": 3_000_000})
        if done.body["receivable"]["state"] != "paid":
            raise StoryBroken("the receivable was paid and does not say so")
        yield Scene(
            "The mill pays; the seed merchant confirms it", "面粉厂付款，种子商确认", done.leaf
        )


def _refused(text: str, text_zh: str, refusal: str, act: Callable[[], Done]) -> Scene:
    try:
        act()
    except Refused as refused:
        if refused.refusal != refusal:
            raise StoryBroken(f"{text}: refused as {refused.refusal}: {refused}") from refused
        return Scene(text, text_zh, refusal=refusal)
    raise StoryBroken(f"{text}: it was not refused")


def _sha256(text: str) -> str:
    return f"0x{hashlib.sha256(text.encode()).hexdigest()}"
