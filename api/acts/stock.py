"""Requests about lots and counts, as calls of the contract."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from api.acts.common import (
    Decision,
    HashText,
    OrganisationName,
    Quantity,
    StrictBody,
    Target,
    UnixTime,
    hash_of,
)
from api.errors import ProblemPart, ValidationFailed
from api.operations import Words
from contracts import stock
from contracts.stock import Agreement, Count, Nature
from ledger.types import Hash32

COUNTERS_MAX: Final = 8
BP_MAX: Final = 10_000

BasisPoints = Annotated[int, Field(ge=0, le=BP_MAX, description="hundredths of a percent")]
Identifier = Annotated[str, Field(min_length=1, max_length=256)]


class AgreementBody(StrictBody):
    """What those who lend on the goods rely on."""

    nature: Literal["fixed", "living"]
    unit: Annotated[str, Field(pattern="^[A-Z0-9]{2,3}$", description="UN/ECE Recommendation 20")]
    shortfall_bp: Annotated[
        BasisPoints, Field(description="what may be missing before issuing stops")
    ] = 0
    adjustment_bp: Annotated[
        BasisPoints, Field(description="how far the warehouse may adjust; living goods only")
    ] = 0
    count_age_max_seconds: Annotated[int, Field(ge=1, lt=1 << 32)]

    @property
    def agreement(self) -> Agreement:
        return Agreement(
            nature=Nature[self.nature.upper()],
            unit=self.unit,
            shortfall_bp=self.shortfall_bp,
            adjustment_bp=self.adjustment_bp,
            count_age_max_seconds=self.count_age_max_seconds,
        )


class LotBody(StrictBody):
    """A lot to be registered. Place and lot by hash, or by identifier (then SHA-256 of it)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "placeId": "silo 1",
                    "lotId": "wheat 2027",
                    "agreement": {"nature": "fixed", "unit": "TNE", "countAgeMaxSeconds": 86400},
                    "counters": ["weigh-masters"],
                }
            ]
        }
    )

    place: HashText | None = None
    place_id: Identifier | None = None
    lot: HashText | None = None
    lot_id: Identifier | None = None
    agreement: AgreementBody
    counters: Annotated[list[OrganisationName], Field(min_length=1, max_length=COUNTERS_MAX)]

    def place_hash(self) -> Hash32:
        """Raises `ValidationFailed` unless it is told in one way."""
        return _hash("place", self.place, self.place_id)

    def lot_hash(self) -> Hash32:
        """Raises `ValidationFailed` unless it is told in one way."""
        return _hash("lot", self.lot, self.lot_id)


def _hash(name: str, hash_: str | None, identifier: str | None) -> Hash32:
    if (hash_ is None) == (identifier is None):
        detail = f"either {name} (a hash) or {name}Id is needed"
        raise ValidationFailed(f"/{name}: {detail}", errors=[ProblemPart(detail, f"/{name}")])
    if hash_ is not None:
        return hash_of(hash_)
    text = identifier or ""
    return Hash32(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


class CountBody(StrictBody):
    """A count. `sequence` is above that of the counter's last count of the lot."""

    lot: Annotated[HashText, Field(description="key of the lot")]
    quantity: Annotated[Quantity, Field(description="thousandths of the lot's unit")]
    counted_at: UnixTime
    sequence: Annotated[int, Field(ge=1, lt=1 << 63)]
    evidence: Annotated[HashText, Field(description="SHA-256 of what supports the count")]

    @property
    def count(self) -> Count:
        return Count(
            key=hash_of(self.lot),
            quantity=self.quantity,
            counted_at=self.counted_at,
            sequence=self.sequence,
            evidence=hash_of(self.evidence),
        )


class SignedCountBody(CountBody):
    """A count as a device has signed it (EIP-712)."""

    signature: Annotated[str, Field(pattern="^0x[0-9a-f]{130}$", description="r, s and v")]


class LotAct(StrictBody):
    """What is done with a lot."""

    def calldata(self, on: Target) -> bytes:
        """The call. Raises `CalldataValueError` or `OrganisationIdError`."""
        raise NotImplementedError

    def words(self, on: Target) -> Words:
        """What it does, for whoever is to sign it."""
        raise NotImplementedError


class SetAgreement(LotAct):
    """Change what was agreed, while no live receipt stands for the goods."""

    agreement: AgreementBody

    def calldata(self, on: Target) -> bytes:
        return stock.set_agreement_calldata(on.id, self.agreement.agreement)

    def words(self, on: Target) -> Words:
        return Words(f"change the agreement about lot {on.text}", f"更改批次 {on.text} 的约定")


class SetCounter(LotAct):
    """Let an organisation count the lot, or no longer."""

    organisation: OrganisationName
    may: bool

    def calldata(self, on: Target) -> bytes:
        return stock.set_counter_calldata(on.id, self.organisation, self.may)

    def words(self, on: Target) -> Words:
        if self.may:
            return Words(
                f"let {self.organisation} count lot {on.text}",
                f"允许 {self.organisation} 盘点批次 {on.text}",
            )
        return Words(
            f"let {self.organisation} count lot {on.text} no longer",
            f"不再允许 {self.organisation} 盘点批次 {on.text}",
        )


class Adjust(LotAct):
    """Book what grew, dried or died between two counts."""

    counted: Quantity
    reason: Annotated[str, Field(min_length=1, max_length=256)]

    def calldata(self, on: Target) -> bytes:
        return stock.adjust_calldata(on.id, self.counted, self.reason)

    def words(self, on: Target) -> Words:
        return Words(
            f"adjust lot {on.text} to {self.counted} (thousandths of its unit)",
            f"将批次 {on.text} 调整为 {self.counted}（单位的千分之一）",
        )


class Entrust(LotAct):
    """Entrust goods of a warehouse that is active no longer to another; an authority."""

    warehouse: OrganisationName
    decision: Decision

    def calldata(self, on: Target) -> bytes:
        return stock.entrust_calldata(on.id, self.warehouse, hash_of(self.decision))

    def words(self, on: Target) -> Words:
        return Words(
            f"entrust lot {on.text} to {self.warehouse} by decision {self.decision}",
            f"依据决定 {self.decision} 将批次 {on.text} 交由 {self.warehouse} 保管",
        )


ACTS: Final[Mapping[str, type[LotAct]]] = {
    "set-agreement": SetAgreement,
    "set-counter": SetCounter,
    "adjust": Adjust,
    "entrust": Entrust,
}
"""What is done with a lot that there is."""
