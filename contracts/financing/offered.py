"""Who is asked to lend on an instrument: it may look at the security while it is.

A bank that a loan was applied for at sees the receipt or receivable behind the application until it
has declined, another bank's offer is accepted, or the application ends or is over, and only as long
as the borrower holds it: who has it then has asked for nothing. What the bank has lent on it goes
on seeing as its pledgee (docs/finance.md, "Who sees what").
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, exists, or_, select

from contracts.financing.decoding import MACHINE
from contracts.financing.tables import application_table, offer_table
from contracts.financing.types import Stance
from contracts.instruments.now import NOW
from contracts.instruments.viewer import Viewer

APPLIED, ACCEPTED = (MACHINE.act(act).to for act in ("apply", "accept"))


def offered_assets(viewer: Viewer, instruments: Table) -> Select[Any]:
    """Ids of those among `instruments` that the viewer's organisation is asked to lend on."""
    return select(application_table.c.asset).where(_is_asked(viewer, instruments))


def is_offered(
    viewer: Viewer, asset: ColumnElement[Any], instruments: Table
) -> ColumnElement[bool]:
    """Condition of a query: the viewer's organisation is asked to lend on `asset` (a column)."""
    asked = _is_asked(viewer, instruments)
    return exists(select(1).where(application_table.c.asset == asset, asked))


def _is_asked(viewer: Viewer, instruments: Table) -> ColumnElement[bool]:
    loan, offer = application_table.c, offer_table.c
    asked = and_(loan.state == APPLIED, loan.expires >= NOW)
    chosen = and_(loan.state == ACCEPTED, loan.bank == viewer.named, loan.valid_until >= NOW)
    return and_(
        offer.id == loan.id,
        offer.bank == viewer.named,
        offer.stance != int(Stance.DECLINED),
        or_(asked, chosen),
        _is_held(loan.asset, loan.borrower, instruments),
    )


def _is_held(
    asset: ColumnElement[Any], holder: ColumnElement[Any], instruments: Table
) -> ColumnElement[bool]:
    one = instruments.alias("held")
    here = select(1).where(one.c.id == asset, one.c.holder == holder)
    return exists(here.correlate_except(one))
