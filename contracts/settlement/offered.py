"""Who is named as the buyer of an instrument: it may look at it while the deal stands.

The seller who names a buyer lets him see what is sold, by id, in lists and with its history, until
the offer is declined, withdrawn or over, or the deal has ended: as long as the instrument is locked
for it. Once it is settled he sees it as its holder (docs/finance.md, "Who sees what"). Whoever may
take an offer that names nobody, or a role, sees the deal alone.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from contracts.instruments.now import NOW
from contracts.instruments.viewer import Viewer
from contracts.settlement.decoding import MACHINE
from contracts.settlement.tables import deal_leg_table, deal_table

OFFERED: Final = MACHINE.act("offer").to
COMMITTED: Final = MACHINE.act("affirm").states
"""States in which the buyer's money waits for the instruments."""


def sold_assets(viewer: Viewer) -> Select[Any]:
    """Ids of the instruments that the viewer's organisation is the buyer of in a deal under way."""
    return select(deal_leg_table.c.record).where(_is_buyer(viewer))


def is_sold(viewer: Viewer, asset: ColumnElement[Any]) -> ColumnElement[bool]:
    """Condition of a query: the viewer's organisation is to buy `asset` (a column)."""
    return exists(select(1).where(deal_leg_table.c.record == asset, _is_buyer(viewer)))


def _is_buyer(viewer: Viewer) -> ColumnElement[bool]:
    deal = deal_table.c
    stands = and_(deal.state == OFFERED, deal.expires >= NOW)
    # One by one: a list would be written into the statement anew each time it runs.
    waits = (deal.state == state for state in sorted(COMMITTED))
    return and_(
        deal.id == deal_leg_table.c.deal,
        deal.buyer == viewer.named,
        or_(stands, *waits),
    )
