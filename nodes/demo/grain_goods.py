"""The goods of the story: counted, short, counted again, and handed out in part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.client import Tallystick
from nodes.demo.scenes import (
    BANK,
    DAY,
    GRANARY,
    TRADER,
    Scene,
    StoryBroken,
    expect,
    refused,
    sha256,
)


@dataclass
class Goods:
    """A granary's maize, and the receipt for it."""

    members: Mapping[str, Tallystick]
    now: int
    """Unix seconds."""
    _sequence: int = field(default=0, init=False)

    def register(self) -> str:
        """The lot's key."""
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

    def count(self, lot: str, quantity: int, text: str, text_zh: str) -> Scene:
        """Tell a count, in thousandths of a kilogram."""
        self._sequence += 1
        done = self.members[GRANARY].stock.count(
            {
                "lot": lot,
                "quantity": quantity,
                "countedAt": self.now + self._sequence,
                "sequence": self._sequence,
                "evidence": sha256(f"weighing slip {self._sequence}"),
            }
        )
        return Scene(text, text_zh, done.leaf)

    def issue(self, lot: str) -> tuple[Scene, str]:
        """The receipt's id with the scene."""
        done = self.members[GRANARY].receipts.create(self._draft(lot, "SL-0001", 40_000_000))
        text = "A receipt for 40 t is issued to the trader"
        return Scene(text, "向粮贸商签发 40 吨仓单", done.leaf), done.body["receipt"]["id"]

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

    def shortfall(self, lot: str) -> Iterator[Scene]:
        """Less is found than receipts stand for; then the rest."""
        yield self.count(
            lot, 30_000_000, "A count finds 30 t only: a shortfall", "再次盘点仅 30 吨，出现短缺"
        )
        for member in (TRADER, BANK):
            told = self.members[member].notices.list(kinds=["stock.shortfall-began"])
            if not any(notice.instrument == lot for notice in told):
                raise StoryBroken(f"{member} was not told of the shortfall")
        yield Scene("Holder and pledgee are told at once", "持有人和质权人即时收到预警")
        yield refused(
            "While goods are missing nothing more is issued",
            "短缺期间停止签发",
            "StockShort",
            lambda: self.members[GRANARY].receipts.create(self._draft(lot, "SL-0002", 1_000_000)),
        )
        yield self.count(
            lot,
            49_600_000,
            "The second silo was forgotten: 49.6 t, dried a little",
            "补盘二号仓，共 49.6 吨",
        )

    def part(self, receipt: str) -> Iterator[Scene]:
        """A part goes out while the rest stays pledged, as the pledgee permits."""
        trader, bank, granary = (self.members[name] for name in (TRADER, BANK, GRANARY))
        wanted = {"quantity": 10_000_000}
        revision = trader.receipts.get(receipt)["revision"]
        permit = {"act": "request-delivery", "arguments": wanted}
        done = bank.receipts.act(receipt, "permit", permit, revision=revision)
        yield Scene(
            "The bank permits that 10 t leave, and no more", "银行许可提取 10 吨", done.leaf
        )
        trader.receipts.act(receipt, "request-delivery", wanted, revision=revision + 1)
        done = granary.receipts.act(receipt, "deliver", {"remark": "gate 2"})
        expect("part delivery", done.body["receipt"]["quantity"], "30000000")
        yield Scene(
            "10 t are handed out; the receipt is for 30 t now",
            "交付 10 吨，仓单余 30 吨",
            done.leaf,
        )
