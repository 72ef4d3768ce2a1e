"""A receipt that is to come into being: issued, merged, in the place of a wrong one."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from api.acts.common import (
    HashText,
    OrganisationName,
    Quantity,
    Remark,
    StrictBody,
    Target,
    UnixTime,
    digest_of,
    hash_of,
    missing,
    published,
)
from api.acts.control import InstrumentAct
from api.operations import Words
from contracts import receipts
from contracts.instruments import goods_key, item_key
from contracts.receipts import Draft
from ledger.canonical import canonical_json

KEYS_MAX: Final = 256
FINGERPRINTS_MAX: Final = 16
"""Each costs a tenth of a second."""
PARTS_MAX: Final = 16

Number = Annotated[str, Field(pattern="^[!-~]{1,32}$", description="the warehouse's own")]
Keys = Annotated[list[HashText], Field(max_length=KEYS_MAX)]


class DraftBody(InstrumentAct):
    """A receipt to be issued. Either a document or its hash is named; so with the goods."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": "R-2027-17",
                    "lot": f"0x{'5e' * 32}",
                    "quantity": "25000",
                    "expires": 1_830_000_000,
                    "holder": "green-valley",
                    "document": {"goods": "wheat, grade 2", "weightTonnes": 25},
                    "goodsDescription": {"class": "wheat", "grade": 2, "unit": "TNE"},
                }
            ]
        }
    )

    number: Number
    lot: Annotated[HashText, Field(description="key of the lot in stock")]
    quantity: Annotated[Quantity, Field(description="thousandths of the lot's unit")]
    expires: UnixTime
    holder: OrganisationName | None = None
    owner: Annotated[OrganisationName | None, Field(description="by default the holder")] = None
    document: Annotated[
        dict[str, Any] | None,
        Field(description="all elements of the receipt; what is kept is its hash (RFC 8785)"),
    ] = None
    terms: HashText | None = None
    publish: Annotated[
        bool, Field(description="put the document itself on the ledger, for all members")
    ] = False
    goods_description: Annotated[
        dict[str, Any] | None, Field(description="what makes goods equal: class, grade, unit")
    ] = None
    goods: HashText | None = None
    items: list[Annotated[str, Field(max_length=1_024)]] = Field(
        default_factory=list,
        max_length=KEYS_MAX,
        description="canonical EPC URIs of these very items",
    )
    fingerprints: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=FINGERPRINTS_MAX,
        description="descriptions of goods, to be hashed",
    )
    keys: Keys = Field(default_factory=list)

    def draft(self, origin: str, holder: str | None = None, owner: str | None = None) -> Draft:
        """The contract's draft. Raises `ValidationFailed` and `ClaimInvalid`."""
        holder = self.holder or holder
        if holder is None:
            raise missing("holder", "the organisation that controls the receipt is missing")
        document = None if self.document is None else canonical_json(self.document)
        goods = None if self.goods_description is None else canonical_json(self.goods_description)
        keys = [hash_of(key) for key in self.keys]
        keys += [item_key(uri) for uri in self.items]
        keys += [goods_key(one, origin) for one in self.fingerprints]
        return Draft(
            number=self.number,
            lot=hash_of(self.lot),
            goods=digest_of("goods", self.goods, goods, "goodsDescription"),
            terms=digest_of("terms", self.terms, document),
            holder=holder,
            owner=self.owner or owner or holder,
            quantity=self.quantity,
            expires=self.expires,
            keys=tuple(keys),
            payload=published(document, self.publish),
        )


class Replace(DraftBody):
    """A correct receipt in the place of this one, which was surrendered for correction."""

    def calldata(self, on: Target) -> bytes:
        # Holder and owner stay: the contract takes them from the wrong receipt.
        draft = self.draft(on.origin, holder=on.organisation)
        return receipts.replace_calldata(on.id, on.revision, draft, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"replace receipt {on.text} by a correct one under number {self.number}",
            f"以编号 {self.number} 的更正仓单替换仓单 {on.text}",
        )


class MergePart(StrictBody):
    """One of the receipts to be merged."""

    id: HashText
    revision: Annotated[int, Field(ge=0, le=(1 << 64) - 1)]


class Merge(StrictBody):
    """Receipts for equal goods of one lot, to be one."""

    receipts: Annotated[list[MergePart], Field(min_length=2, max_length=PARTS_MAX)]
    remark: Remark = ""
