"""An application for a loan, as the call of Applications that makes it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from api.acts.common import (
    CurrencyCode,
    HashText,
    OrganisationName,
    Quantity,
    Remark,
    StrictBody,
    UnixTime,
    hash_of,
)
from api.acts.loans import Document, RateBp, digest
from api.operations import Words
from contracts.financing import Mode, Request
from ledger.types import Address

BANKS_MAX: Final = 16
NUMBER: Final = "^[!-~]{1,32}$"
SECONDS_MAX: Final = 366 * 86_400
TERM_DAYS_MAX: Final = 10_950
VERSION_MAX: Final = 10_000


class Invitation(StrictBody):
    """A bank that an application is open to."""

    bank: OrganisationName
    table_version: Annotated[
        int | None,
        Field(ge=1, le=VERSION_MAX, description="of its rate table; by default the present one"),
    ] = None


class ApplicationBody(StrictBody):
    """What is asked for. If-Match is the instrument's revision; none: as it is now."""

    number: Annotated[str, Field(pattern=NUMBER, description="the borrower's own")]
    instrument: Annotated[HashText, Field(description="id of the receipt or receivable")]
    banks: Annotated[list[Invitation], Field(min_length=1, max_length=BANKS_MAX)]
    amount: Annotated[Quantity, Field(description="hundredths of the currency")]
    amount_min: Annotated[
        Quantity | None, Field(description="the least of an offer; by default the amount")
    ] = None
    currency: CurrencyCode
    term_days: Annotated[int, Field(ge=1, le=TERM_DAYS_MAX, description="from payout to due")]
    year_days: Literal[360, 365] = 360
    mode: Literal["tiered", "contribution", "market"] = "tiered"
    expires: Annotated[UnixTime, Field(description="until when it can be accepted and drawn")]
    purpose: Annotated[HashText | None, Field(description="SHA-256 of what it is for")] = None
    document: Document = None
    agreement: Annotated[bool, Field(description="both sign one before payout")] = False
    quotes_until: Annotated[UnixTime, Field(description="of sealed quotes (market)")] = 0
    reveal_until: Annotated[UnixTime, Field(description="when they are opened (market)")] = 0
    rate_bp_max: Annotated[RateBp, Field(description="of a quote, in bp (market)")] = 0
    penalty_bp: Annotated[RateBp, Field(description="added after the due date, in bp")] = 0
    grace_seconds: Annotated[int, Field(ge=0, le=SECONDS_MAX)] = 0
    notice_seconds: Annotated[
        int, Field(ge=0, le=SECONDS_MAX, description="from default to enforcement")
    ] = 0
    remark: Remark = ""

    @property
    def is_market(self) -> bool:
        """Whether banks hand in sealed quotes, so that no table counts."""
        return self.mode == "market"

    def request(self, contract: Address, revision: int) -> Request:
        """The contract's request. Raises `ValidationFailed`, `CanonicalError`."""
        return Request(
            number=self.number,
            instrument=contract,
            asset=hash_of(self.instrument),
            asset_revision=revision,
            amount=self.amount,
            amount_min=self.amount if self.amount_min is None else self.amount_min,
            currency=self.currency,
            term_days=self.term_days,
            year_days=self.year_days,
            mode=Mode[self.mode.upper()],
            purpose=digest("purpose", self.purpose, self.document),
            expires=self.expires,
            agreement=self.agreement,
            quotes_until=self.quotes_until,
            reveal_until=self.reveal_until,
            rate_bp_max=self.rate_bp_max,
            penalty_bp=self.penalty_bp,
            grace_seconds=self.grace_seconds,
            notice_seconds=self.notice_seconds,
        )

    def words(self) -> Words:
        """What it does, for whoever is to sign it."""
        banks = ", ".join(one.bank for one in self.banks)
        return Words(
            f"apply to {banks} for {self.amount} (hundredths of {self.currency}) over "
            f"{self.term_days} days against {self.instrument}, number {self.number}",
            f"以 {self.instrument} 为担保向 {banks} 申请贷款 {self.amount}"
            f"（{self.currency} 的百分之一），期限 {self.term_days} 天，编号 {self.number}",
        )
