"""Who is asked to lend on an instrument: it may look at the security while it is.

A bank that a loan was applied for at sees the receipt or receivable behind the application until it
has declined, another bank's offer is accepted, or the application ends. What it has lent on it goes
on seeing as its pledgee (docs/finance.md, "Who sees what").
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from contracts.financing.decoding import MACHINE
from contracts.financing.tables import application_table, offer_table
from contracts.financing.types import Stance
from contracts.instruments.viewer import Viewer

APPLIED, ACCEPTED = (MACHINE.act(act).to for act in ("apply", "accept"))


def offered_assets(viewer: Viewer) -> Select[Any]:
    """Ids of the instruments that the viewer's organisation is asked to lend on."""
    return select(application_table.c.asset).where(_is_asked(viewer))


def is_offered(viewer: Viewer, asset: ColumnElement[Any]) -> ColumnElement[bool]:
    """Condition of a query: the viewer's organisation is asked to lend on `asset` (a column)."""
    return exists(select(1).where(application_table.c.asset == asset, _is_asked(viewer)))


def _is_asked(viewer: Viewer) -> ColumnElement[bool]:
    loan, offer = application_table.c, offer_table.c
    chosen = and_(loan.state == ACCEPTED, loan.bank == viewer.named)
    return and_(
        offer.id == loan.id,
        offer.bank == viewer.named,
        offer.stance != int(Stance.DECLINED),
        or_(loan.state == APPLIED, chosen),
    )
