"""Requests about banks' rate tables and their customers' points, as calls of Pricing."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from api.acts.common import CurrencyCode, HashText, OrganisationName, Quantity, StrictBody
from api.acts.loans import Document, RateBp, digest
from api.operations import Words
from contracts.financing import Contribution, Tier, publish_calldata, record_points_calldata

DAYS_MAX: Final = (1 << 16) - 1
POINTS_MAX: Final = (1 << 63) - 1
TIERS_MAX: Final = 64


class TierBody(StrictBody):
    """A row: the first one that is for the instrument, amount and term gives the rate."""

    kind: Annotated[
        Literal["receipts", "receivables"] | None, Field(description="null: for both")
    ] = None
    amount_max: Annotated[Quantity, Field(description="hundredths of the currency")]
    term_days_max: Annotated[int, Field(ge=1, le=DAYS_MAX)]
    rate_bp: RateBp


class ContributionBody(StrictBody):
    """What customers' points do to rates."""

    points_per_bp: Annotated[
        int, Field(ge=0, le=(1 << 53) - 1, description="0: points count for nothing")
    ] = 0
    discount_bp_max: RateBp = 0
    floor_bp: RateBp = 0


class PricingBody(StrictBody):
    """What a bank says of its prices."""

    @property
    def about(self) -> str:
        """What it is about beside the bank, as in paths."""
        raise NotImplementedError

    def calldata(self) -> bytes:
        """The call. Raises `ValidationFailed`, `CalldataValueError`, `OrganisationIdError`."""
        raise NotImplementedError

    def words(self) -> Words:
        """What it does, for whoever is to sign it."""
        raise NotImplementedError


class TableBody(PricingBody):
    """The next version of a bank's table for a currency; versions before it stay."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "currency": "CNY",
                    "tiers": [
                        {
                            "kind": "receipts",
                            "amountMax": "10000000",
                            "termDaysMax": 90,
                            "rateBp": 450,
                        },
                        {"amountMax": "50000000000", "termDaysMax": 730, "rateBp": 700},
                    ],
                    "contribution": {"pointsPerBp": 100, "discountBpMax": 60, "floorBp": 400},
                    "document": {"conditions": "as usual"},
                }
            ]
        }
    )

    currency: CurrencyCode
    tiers: Annotated[list[TierBody], Field(min_length=1, max_length=TIERS_MAX)]
    contribution: ContributionBody = Field(default_factory=ContributionBody)
    conditions: Annotated[
        HashText | None, Field(description="SHA-256 of the conditions in words")
    ] = None
    document: Document = None

    @property
    def about(self) -> str:
        return self.currency

    def calldata(self) -> bytes:
        rows = [
            Tier(one.amount_max, one.term_days_max, one.rate_bp, kind=one.kind)
            for one in self.tiers
        ]
        given = self.contribution
        terms = Contribution(given.points_per_bp, given.discount_bp_max, given.floor_bp)
        document = digest("conditions", self.conditions, self.document)
        return publish_calldata(self.currency, rows, terms, document)

    def words(self) -> Words:
        return Words(
            f"publish a rate table for {self.currency} of {len(self.tiers)} rows",
            f"发布 {self.currency} 利率表（{len(self.tiers)} 档）",
        )


class PointsBody(PricingBody):
    """A booking of a customer's points with a bank."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"customer": "stone-mill", "change": 600, "document": {"for": "payroll accounts"}}
            ]
        }
    )

    customer: OrganisationName
    change: Annotated[int, Field(ge=-POINTS_MAX, le=POINTS_MAX, description="not 0")]
    ref: Annotated[
        HashText | None, Field(description="SHA-256 of what it is booked for; once for each bank")
    ] = None
    document: Document = None

    @property
    def about(self) -> str:
        return self.customer

    def calldata(self) -> bytes:
        ref = digest("ref", self.ref, self.document)
        return record_points_calldata(self.customer, self.change, ref)

    def words(self) -> Words:
        return Words(
            f"book {self.change:+d} contribution points of {self.customer}",
            f"登记 {self.customer} 的贡献积分 {self.change:+d}",
        )
