"""What each party writes down of a firm: signs of its causes, with noise, gaps and defaults."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from federation.generating.draws import Draws, Floats, exponential, rounded, squash, whole
from federation.generating.firms import Firms
from federation.generating.types import FieldNote
from federation.tables import FieldKind

Columns = dict[str, Floats]

BANK_NOTES: Mapping[str, FieldNote] = {
    "amount": FieldNote("amount of the loan", "CNY thousand"),
    "term": FieldNote("time until it is due", "months"),
    "age": FieldNote("years since the firm was founded", "years"),
    "industry": FieldNote("division of GB/T 4754-2017", kind=FieldKind.CATEGORY),
    "turnover": FieldNote("turnover of its account in twelve months", "CNY thousand"),
    "leverage": FieldNote("debt over assets in the last annual accounts"),
    "current_ratio": FieldNote("current assets over current liabilities, annual accounts"),
    "profit_margin": FieldNote("profit over revenue, annual accounts", "%"),
    "utilisation": FieldNote("credit line in use, mean of three months", "%"),
    "overdue_days": FieldNote("days overdue in the last twelve months", "days"),
    "guarantees": FieldNote("guarantees given for others", "count"),
    "bureau": FieldNote("score of a credit bureau; -999: no file", "points"),
}
MANUFACTURER_NOTES: Mapping[str, FieldNote] = {
    "years_supplying": FieldNote("years as a supplier", "years"),
    "orders": FieldNote("orders placed with it in six months", "CNY thousand"),
    "orders_trend": FieldNote("orders of the last quarter over those of the one before"),
    "order_gap": FieldNote("days since the last order; 999: none within the year", "days"),
    "dependence": FieldNote("our orders over its revenue", "%"),
    "late_share": FieldNote("deliveries that came late", "%"),
    "late_days": FieldNote("mean delay of the late ones", "days"),
    "rejects": FieldNote("parts refused at inspection", "ppm"),
    "claims": FieldNote("claims in twelve months", "count"),
    "audited": FieldNote("passed the last audit", kind=FieldKind.FLAG),
}
PLATFORM_NOTES: Mapping[str, FieldNote] = {
    "power": FieldNote("electricity used in three months; 0: meter not read", "kWh"),
    "power_trend": FieldNote("power of the last quarter over the same one a year before"),
    "power_night": FieldNote("share of power used at night", "%"),
    "idle_days": FieldNote("days with less than a fifth of usual power in three months", "days"),
    "invoiced": FieldNote("invoices written in six months", "CNY thousand"),
    "invoice_trend": FieldNote("invoices of the last quarter over those of the one before"),
    "cancelled": FieldNote("invoices cancelled", "%"),
    "buyers": FieldNote("buyers invoiced in six months", "count"),
    "top_buyer": FieldNote("share of the largest buyer", "%"),
    "tax_late": FieldNote("tax returns filed late in two years", "count"),
    "tax_arrears": FieldNote("owes tax", kind=FieldKind.FLAG),
}


def bank_columns(firms: Firms, draws: Draws) -> Columns:
    """The bank's view: accounts that are a year old, its own account, a bureau."""

    def n(name: str) -> Floats:
        return draws.normal(f"bank/{name}")

    age = whole(exponential(1.9 + 0.6 * n("age")), 1, 60)
    # Some write what looks better: the accounts show soundness, and some wishful thinking.
    shown = 0.75 * firms.soundness + 0.65 * n("accounts")
    overdue = 14.0 * (-0.35 * firms.liquidity - 0.3 * firms.soundness + n("overdue") - 1.2)
    bureau = 620 + 45 * (0.5 * firms.soundness + 0.25 * firms.liquidity + 0.8 * n("bureau"))
    return {
        "amount": whole(exponential(6.2 + 0.7 * firms.size + 0.5 * n("amount")), 50, 1e6),
        "term": np.array([3.0, 6.0, 12.0])[np.floor(draws.uniform("bank/term") * 3).astype(int)],
        "age": age,
        "industry": firms.industry,
        "turnover": _gaps(
            whole(exponential(9.0 + firms.size + 0.15 * firms.time + 0.4 * n("turnover"))),
            draws.uniform("bank/turnover gap") < 0.02,
        ),
        "leverage": _gaps(
            rounded(squash(0.1 - 0.6 * shown + 0.5 * n("leverage")), 4),
            draws.uniform("bank/accounts gap") < 0.08,
        ),
        "current_ratio": _gaps(
            rounded(exponential(0.25 + 0.25 * shown + 0.3 * n("current")), 3),
            draws.uniform("bank/accounts gap") < 0.08,
        ),
        "profit_margin": _gaps(
            rounded(4.0 + 3.5 * shown + 3.0 * n("margin"), 2),
            draws.uniform("bank/accounts gap") < 0.08,
        ),
        "utilisation": rounded(100 * squash(-0.5 * firms.liquidity + 0.9 * n("utilisation")), 1),
        "overdue_days": whole(overdue, 0, 90),
        "guarantees": whole(
            0.8 + 0.4 * firms.size - 0.2 * firms.soundness + n("guarantees"), 0, 20
        ),
        "bureau": _spikes(
            # Young firms are often not known to the bureau.
            _gaps(whole(bureau, 300, 850), draws.uniform("bank/bureau gap") < 0.6 / age),
            draws.uniform("bank/bureau default") < 0.03,
            -999.0,
        ),
    }


def manufacturer_columns(firms: Firms, draws: Draws) -> Columns:
    """The manufacturer's view of its suppliers: orders, deliveries, quality."""

    def n(name: str) -> Floats:
        return draws.normal(f"manufacturer/{name}")

    orders = exponential(7.0 + 0.8 * firms.size + 0.45 * firms.demand + 0.5 * n("orders"))
    gap = exponential(2.6 - 0.45 * firms.demand + 0.5 * n("gap"))
    dormant = firms.demand + n("dormant") < -2.6
    late = squash(-1.1 - 0.55 * firms.operations - 0.1 * firms.liquidity + 0.5 * n("late"))
    rejects = exponential(6.0 - 0.6 * firms.operations + 0.5 * n("rejects"))
    claims = -0.6 * firms.operations + 0.9 * n("claims") - 0.3
    return {
        "years_supplying": whole(exponential(1.2 + 0.6 * n("years")), 0, 30),
        "orders": _spikes(whole(orders), dormant, 0.0),
        "orders_trend": _gaps(
            rounded(exponential(0.3 * firms.demand - 0.02 + 0.22 * n("trend")), 3), dormant
        ),
        "order_gap": _spikes(whole(gap, 0, 360), dormant, 999.0),
        "dependence": rounded(100 * squash(-0.6 - 0.3 * firms.size + 0.6 * n("dependence")), 1),
        "late_share": rounded(100 * late, 1),
        "late_days": _gaps(
            rounded(exponential(0.9 - 0.3 * firms.operations + 0.4 * n("late days")), 1),
            late < 0.03,
        ),
        "rejects": _gaps(whole(rejects), draws.uniform("manufacturer/inspection gap") < 0.12),
        "claims": whole(claims, 0, 12),
        "audited": (firms.operations + n("audit") > -1.0).astype(np.float64),
    }


def platform_columns(firms: Firms, draws: Draws) -> Columns:
    """The platform's view: power, invoices, tax."""

    def n(name: str) -> Floats:
        return draws.normal(f"platform/{name}")

    activity = 0.6 * firms.demand + 0.35 * firms.liquidity
    # Power became dearer: all use less of it, which says nothing of a firm.
    power = exponential(
        10.5 + 0.9 * firms.size + 0.2 * activity - 0.35 * firms.time + 0.4 * n("power")
    )
    unread = draws.uniform("platform/meter") < 0.04
    trend = exponential(0.22 * activity - 0.1 * firms.time + 0.2 * n("power trend"))
    arrears = firms.liquidity + 0.9 * n("arrears") < -1.9
    return {
        "power": _spikes(whole(power), unread, 0.0),
        "power_trend": _gaps(rounded(trend, 3), unread),
        "power_night": rounded(100 * squash(-0.7 + 0.5 * n("night")), 1),
        "idle_days": whole(3.0 - 5.0 * activity + 4.0 * n("idle"), 0, 92),
        "invoiced": whole(
            exponential(8.2 + firms.size + 0.25 * firms.demand + 0.1 * firms.time + 0.4 * n("inv"))
        ),
        "invoice_trend": _gaps(
            rounded(exponential(0.28 * firms.demand + 0.24 * n("invoice trend")), 3),
            draws.uniform("platform/invoice gap") < 0.03,
        ),
        "cancelled": rounded(100 * squash(-2.2 - 0.8 * firms.liquidity + 0.6 * n("cancelled")), 2),
        "buyers": whole(exponential(2.2 + 0.5 * firms.size + 0.5 * n("buyers")), 1, 5_000),
        "top_buyer": rounded(100 * squash(-0.1 - 0.4 * firms.size + 0.7 * n("top buyer")), 1),
        "tax_late": whole(-1.0 - 1.1 * firms.liquidity + 1.0 * n("tax late"), 0, 24),
        "tax_arrears": arrears.astype(np.float64),
    }


def _gaps(values: Floats, gone: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    return np.where(gone, np.nan, values)


def _spikes(
    values: Floats, where: np.ndarray[tuple[int], np.dtype[np.bool_]], default: float
) -> Floats:
    return np.where(where, default, values)
