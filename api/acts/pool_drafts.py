"""A pool that is to come into being: what is agreed about it, its tranches and its fees."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from api.acts.common import (
    CurrencyCode,
    HashText,
    OrganisationName,
    Quantity,
    Remark,
    StrictBody,
    digest_of,
    missing,
)
from api.operations import Words
from contracts.pools import Fee, Limits, PoolDraft, Rules, RulesError, Terms, TrancheDraft
from contracts.pools.types import ASSETS_MAX, FEES_MAX, HOLDERS_MAX, TRANCHES_MAX, days_of
from ledger.canonical import canonical_json
from ledger.types import Hash32

BP_MAX: Final = 10_000
SHARE_BP_MAX: Final = (1 << 16) - 1
DATE: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def _date(value: str) -> str:
    if days_of(date.fromisoformat(value)) < 1:
        raise ValueError("dates begin with 1970-01-02")
    return value


DateText = Annotated[
    str,
    Field(pattern=DATE),
    AfterValidator(_date),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2027-01-04"]}),
]
"""A date of the calendar: `YYYY-MM-DD`."""
Hundredths = Annotated[Quantity, Field(description="hundredths of the pool's currency")]
RateBp = Annotated[int, Field(ge=0, le=BP_MAX, description="hundredths of a percent a year")]
ShareBp = Annotated[int, Field(ge=0, le=SHARE_BP_MAX)]
PoolNumber = Annotated[str, Field(pattern="^[!-~]{1,32}$", description="the arranger's own")]


class LimitsBody(StrictBody):
    """What a state of the pool may not exceed."""

    assets_max: Annotated[int, Field(ge=1, le=ASSETS_MAX)]
    admit_until: Annotated[DateText, Field(description="last date on which assets come in")]
    balance_max: Annotated[
        Quantity, Field(description="of performing and overdue assets together, in hundredths")
    ]


class FeeBody(StrictBody):
    """What somebody gets before the investors."""

    payee: OrganisationName
    rate_bp: RateBp = 0
    fixed_amount: Annotated[Hundredths, Field(description="a year, by days as the rate")] = 0


class HolderBody(StrictBody):
    """A part of a tranche."""

    organisation: OrganisationName
    units: Annotated[Quantity, Field(description="principal, in hundredths")]


class TrancheBody(StrictBody):
    """A rank of investors with its first holders."""

    name: Annotated[str, Field(pattern="^[!-~]{1,32}$")]
    seniority: Annotated[int, Field(ge=1, le=255, description="1 is paid first")]
    rate_bp: RateBp
    holders: Annotated[list[HolderBody], Field(min_length=1, max_length=HOLDERS_MAX)]

    def draft(self) -> TrancheDraft:
        """The contract's draft."""
        holders = tuple((one.organisation, one.units) for one in self.holders)
        return TrancheDraft(self.name, self.seniority, self.rate_bp, holders)


class PoolBody(StrictBody):
    """A pool to be proposed. Agreement and rules are sent themselves or by their hashes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": "CAR-2027-1",
                    "trustee": "town-bank",
                    "servicer": "loan-service",
                    "residual": "car-bank",
                    "currency": "CNY",
                    "basis": 365,
                    "start": "2026-12-31",
                    "sequentialBp": 500,
                    "turboBp": 1_000,
                    "limits": {
                        "assetsMax": 2_000_000,
                        "admitUntil": "2027-06-30",
                        "balanceMax": "100000000000000",
                    },
                    "document": {"title": "Trust agreement CAR-2027-1"},
                    "rulesDocument": {
                        "version": 1,
                        "rules": [{"field": "balance", "atLeast": 1, "atMost": 50_000_000}],
                    },
                    "publish": True,
                    "fees": [{"payee": "loan-service", "rateBp": 50}],
                    "tranches": [
                        {
                            "name": "A",
                            "seniority": 1,
                            "rateBp": 310,
                            "holders": [{"organisation": "town-bank", "units": "80000000"}],
                        }
                    ],
                }
            ]
        }
    )

    number: PoolNumber
    trustee: Annotated[OrganisationName, Field(description="who has the money")]
    servicer: Annotated[OrganisationName, Field(description="who has the assets' data")]
    residual: Annotated[OrganisationName, Field(description="who gets what is left")]
    currency: CurrencyCode
    basis: Annotated[Literal[360, 365], Field(description="days of a year for interest")]
    start: Annotated[DateText, Field(description="interest runs after this date")]
    sequential_bp: Annotated[
        ShareBp,
        Field(
            description="share of overdue and defaulted balance from which on principal is repaid "
            "by rank; 0: always, above 10000: never"
        ),
    ]
    turbo_bp: Annotated[
        ShareBp, Field(description="share from which on nothing is left to the residual")
    ]
    limits: LimitsBody
    fees: list[FeeBody] = Field(default_factory=list, max_length=FEES_MAX)
    tranches: Annotated[list[TrancheBody], Field(min_length=1, max_length=TRANCHES_MAX)]
    terms: Annotated[HashText | None, Field(description="SHA-256 of the agreement")] = None
    document: Annotated[
        dict[str, Any] | None,
        Field(description="the agreement; what is kept is its hash (RFC 8785)"),
    ] = None
    rules: Annotated[HashText | None, Field(description="SHA-256 of the eligibility rules")] = None
    rules_document: Annotated[
        dict[str, Any] | None, Field(description="the eligibility rules themselves")
    ] = None
    publish: Annotated[
        bool, Field(description="put the rules themselves on the ledger, for all members")
    ] = False
    remark: Remark = ""

    def draft(self) -> PoolDraft:
        """The contract's draft. Raises `ValidationFailed` and `CanonicalError`."""
        agreement = None if self.document is None else canonical_json(self.document)
        terms = Terms(
            trustee=self.trustee,
            servicer=self.servicer,
            residual=self.residual,
            currency=self.currency,
            basis=self.basis,
            start=date.fromisoformat(self.start),
            sequential_bp=self.sequential_bp,
            turbo_bp=self.turbo_bp,
            rules=self._rules_hash(),
            terms=digest_of("terms", self.terms, agreement),
            limits=Limits(
                self.limits.assets_max,
                date.fromisoformat(self.limits.admit_until),
                self.limits.balance_max,
            ),
        )
        return PoolDraft(
            number=self.number,
            terms=terms,
            fees=tuple(Fee(one.payee, one.rate_bp, one.fixed_amount) for one in self.fees),
            tranches=tuple(one.draft() for one in self.tranches),
            rules_document=self._published(),
        )

    def _parsed(self) -> Rules | None:
        if self.rules_document is None:
            return None
        try:
            return Rules.parse(canonical_json(self.rules_document))
        except RulesError as error:
            raise missing("rulesDocument", str(error)) from error

    def _rules_hash(self) -> Hash32:
        rules = self._parsed()
        document = None if rules is None else rules.document
        return digest_of("rules", self.rules, document, "rulesDocument")

    def _published(self) -> bytes:
        rules = self._parsed()
        if not self.publish:
            return b""
        if rules is None:
            raise missing("rulesDocument", "what is to be published is missing")
        return rules.document

    def words(self) -> Words:
        """What it does, for whoever is to sign it."""
        total = sum(one.units for tranche in self.tranches for one in tranche.holders)
        count = len(self.tranches)
        return Words(
            f"propose pool {self.number}, trustee {self.trustee}, servicer {self.servicer}, with "
            f"{count} tranche{'s' if count > 1 else ''} of {total} (hundredths of "
            f"{self.currency}) in all",
            f"提议设立资产池 {self.number}，受托机构 {self.trustee}，服务机构 {self.servicer}，"
            f"共 {count} 档，合计 {total}（{self.currency} 的百分之一）",
        )
