"""A story of finance: grain in a store, a loan, two banks, an invoice that goes down three tiers.

A granary counts maize and issues a receipt for it. The trader who holds it applies for a loan; the
bank looks, decides, and pays out against the pledge in one transaction, and a second bank to which
the same receipt was offered comes too late. A count finds less than the receipts say: nothing more
is issued until a recount. With the bank's permit a part goes to the mill, which accepts the
trader's invoice; that is split and passed on to a farm and to its seed merchant, and the mill pays
all three in deposits. The trader repays, the pledge ends, the rest is sold for money, and the banks
settle.

Every name and number is invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from api.client import Tallystick
from nodes.demo.grain_goods import Goods
from nodes.demo.grain_loan import Loan
from nodes.demo.grain_trade import Trade
from nodes.demo.scenes import FINANCE_ORGANISATIONS, Scene, StoryBroken

__all__ = ["FINANCE_ORGANISATIONS", "SCOPES", "GrainStory", "Scene", "StoryBroken"]

SCOPES: Final = (
    *("stock:*", "receipts:*", "pledges:*", "receivables:*"),
    *("financing:*", "settlement:*", "notices:read"),
)


@dataclass(frozen=True)
class GrainStory:
    """Told once, over HTTP, each act with its own organisation's key."""

    members: Mapping[str, Tallystick]
    now: int
    """Unix seconds."""

    def tell(self) -> Iterator[Scene]:
        """Each scene once it has happened. Raises `StoryBroken` and the client's errors."""
        given = (self.members, self.now)
        goods, loan, trade = Goods(*given), Loan(*given), Trade(*given)
        lot = goods.register()
        yield goods.count(lot, 50_000_000, "The granary counts 50 t of maize", "粮库盘点玉米 50 吨")
        issued, receipt = goods.issue(lot)
        yield issued
        yield from loan.tell(receipt)
        yield from goods.shortfall(lot)
        yield from goods.part(receipt)
        yield from trade.tiers()
        yield from trade.money()
        yield from trade.payments()
        yield from loan.repay(receipt)
        yield from trade.sale(receipt)
        yield from trade.clearing()
        yield trade.end(repaid=loan.interest)
