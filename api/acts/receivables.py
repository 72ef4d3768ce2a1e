"""Requests about receivables, as calls of the contract.

One class for each act of `contracts/receivables/machine.toml` that members do: the fields of its
body, its calldata, and what it does in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from api.acts.common import (
    CurrencyCode,
    Decision,
    HashText,
    OrganisationName,
    Quantity,
    StrictBody,
    Target,
    UnixTime,
    digest_of,
    hash_of,
    missing,
    published,
)
from api.acts.control import Control, InstrumentAct, control_acts, plain_act
from api.operations import Words
from contracts import receivables
from contracts.instruments import Invoice, invoice_key
from contracts.receivables import Draft, Kind
from ledger.canonical import canonical_json
from ledger.types import Hash32

INVOICES_MAX: Final = 16
"""Each costs a tenth of a second."""
KEYS_MAX: Final = 64
PARTS_MAX: Final = 16
GRACE_S_MAX: Final = 366 * 86_400
NO_HASH: Final = Hash32(bytes(32))

Number = Annotated[str, Field(pattern="^[!-~]{1,32}$", description="the issuer's own")]
Evidence = Annotated[HashText, Field(description="SHA-256 of the document that shows it")]


class InvoiceBody(StrictBody):
    """An invoice by what makes it one; only a fingerprint of it leaves this node."""

    seller_tax_number: Annotated[str, Field(min_length=1, max_length=64)]
    code: Annotated[str, Field(max_length=64)] = ""
    number: Annotated[str, Field(min_length=1, max_length=64)]
    date: Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    total: Annotated[Quantity, Field(description="hundredths of the currency")]

    def key(self, origin: str) -> Hash32:
        """Its claim. Raises `ClaimInvalid` and `ValidationFailed`."""
        try:
            day = date.fromisoformat(self.date)
        except ValueError as error:
            raise missing("invoices", f"{self.date} is no day") from error
        invoice = Invoice(self.seller_tax_number, self.code, self.number, day, self.total)
        return invoice_key(invoice, origin)


class _Claims(InstrumentAct):
    invoices: list[InvoiceBody] = Field(default_factory=list, max_length=INVOICES_MAX)
    keys: list[HashText] = Field(default_factory=list, max_length=KEYS_MAX)
    document: Annotated[
        dict[str, Any] | None, Field(description="what is kept is its hash (RFC 8785)")
    ] = None
    terms: HashText | None = None
    publish: Annotated[
        bool, Field(description="put the document itself on the ledger, for all members")
    ] = False

    def claims(self, origin: str) -> tuple[Hash32, ...]:
        """Keys of the invoices. Raises `ClaimInvalid`."""
        return (*(hash_of(key) for key in self.keys), *(one.key(origin) for one in self.invoices))

    def canonical(self) -> bytes | None:
        """The document's bytes."""
        return None if self.document is None else canonical_json(self.document)


class DraftBody(_Claims):
    """A receivable to be written down. Either a document or its hash is named."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "invoice",
                    "number": "I-2027-17",
                    "debtor": "stone-mill",
                    "amount": "1250000",
                    "currency": "CNY",
                    "due": 1_830_000_000,
                    "document": {"goods": "wheat, grade 2", "weightTonnes": 5},
                    "invoices": [
                        {
                            "sellerTaxNumber": "91230100MA0000000X",
                            "number": "25112000000012345678",
                            "date": "2027-01-09",
                            "total": "1250000",
                        }
                    ],
                }
            ]
        }
    )

    kind: Literal["invoice", "bill", "bank-bill", "order"]
    number: Number
    debtor: OrganisationName
    creditor: Annotated[
        OrganisationName | None, Field(description="by default the issuer; of a bill: the payee")
    ] = None
    amount: Annotated[Quantity, Field(description="hundredths of the currency")]
    currency: CurrencyCode
    due: UnixTime
    grace_seconds: Annotated[int, Field(ge=0, le=GRACE_S_MAX)] = 0
    deliver_by: Annotated[UnixTime, Field(description="of an order")] = 0
    attestor: Annotated[
        OrganisationName | None,
        Field(description="of an order: whose word on delivery counts beside the debtor's"),
    ] = None

    def draft(self, issuer: str, origin: str) -> Draft:
        """The contract's draft. Raises `ValidationFailed` and `ClaimInvalid`."""
        document = self.canonical()
        return Draft(
            kind=Kind[self.kind.upper().replace("-", "_")],
            number=self.number,
            creditor=self.creditor or issuer,
            debtor=self.debtor,
            terms=digest_of("terms", self.terms, document),
            amount=self.amount,
            currency=self.currency,
            due=self.due,
            grace_seconds=self.grace_seconds,
            deliver_by=self.deliver_by,
            attestor=self.attestor,
            keys=self.claims(origin),
            payload=published(document, self.publish),
        )


class Accept(InstrumentAct):
    """Owe it from now on; an order: once its goods are delivered."""

    disputable: Annotated[bool, Field(description="keep the right to contest an invoice")] = False
    evidence: Evidence | None = None

    def calldata(self, on: Target) -> bytes:
        document = NO_HASH if self.evidence is None else hash_of(self.evidence)
        return receivables.accept_calldata(
            on.id, on.revision, disputable=self.disputable, document=document, remark=self.remark
        )

    def words(self, on: Target) -> Words:
        if self.disputable:
            return Words(
                f"accept receivable {on.text}, keeping the right to dispute it",
                f"确认应收账款 {on.text}，保留异议权",
            )
        return Words(f"accept receivable {on.text}", f"确认应收账款 {on.text}")


class NameInvoice(_Claims):
    """Name an order's invoice: kept between creditor and debtor, and claimed on delivery."""

    def calldata(self, on: Target) -> bytes:
        document = self.canonical()
        return receivables.invoice_calldata(
            on.id,
            on.revision,
            self.claims(on.origin),
            digest_of("terms", self.terms, document),
            published(document, self.publish),
            self.remark,
        )

    def words(self, on: Target) -> Words:
        return Words(f"name the invoice of order {on.text}", f"登记订单 {on.text} 的发票")


class Deliver(InstrumentAct):
    """An order's goods were delivered: it is owed from now on."""

    evidence: Evidence

    def calldata(self, on: Target) -> bytes:
        return receivables.deliver_calldata(on.id, on.revision, hash_of(self.evidence), self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"confirm that the goods of order {on.text} were delivered",
            f"确认订单 {on.text} 已交货",
        )


class Undertake(InstrumentAct):
    """Whether the holder stands behind it once settlement hands it over."""

    recourse: bool

    def calldata(self, on: Target) -> bytes:
        return receivables.undertake_calldata(
            on.id, on.revision, recourse=self.recourse, remark=self.remark
        )

    def words(self, on: Target) -> Words:
        if self.recourse:
            return Words(
                f"stand behind receivable {on.text} after its settlement",
                f"声明经结算转让后对应收账款 {on.text} 承担追索责任",
            )
        return Words(
            f"not stand behind receivable {on.text} after its settlement",
            f"声明经结算转让后对应收账款 {on.text} 不承担追索责任",
        )


class Endorse(InstrumentAct):
    """Pass it on, with or without recourse."""

    to: OrganisationName
    recourse: bool = False

    def calldata(self, on: Target) -> bytes:
        return receivables.endorse_calldata(
            on.id, on.revision, self.to, recourse=self.recourse, remark=self.remark
        )

    def words(self, on: Target) -> Words:
        how, how_zh = ("with", "有") if self.recourse else ("without", "无")
        return Words(
            f"pass receivable {on.text} on to {self.to}, {how} recourse",
            f"将应收账款 {on.text} 背书转让给 {self.to}（{how_zh}追索权）",
        )


class Split(InstrumentAct):
    """Divide what is outstanding."""

    amounts: Annotated[list[Quantity], Field(min_length=2, max_length=PARTS_MAX)]

    def calldata(self, on: Target) -> bytes:
        return receivables.split_calldata(on.id, on.revision, self.amounts, self.remark)

    def words(self, on: Target) -> Words:
        parts = ", ".join(str(amount) for amount in self.amounts)
        return Words(
            f"split receivable {on.text} into {parts} (hundredths of the currency)",
            f"将应收账款 {on.text} 拆分为 {parts}（货币单位的百分之一）",
        )


class ConfirmPayment(InstrumentAct):
    """An amount was received outside the ledger."""

    amount: Quantity
    evidence: Evidence | None = None

    def calldata(self, on: Target) -> bytes:
        document = NO_HASH if self.evidence is None else hash_of(self.evidence)
        return receivables.confirm_payment_calldata(
            on.id, on.revision, self.amount, document, self.remark
        )

    def words(self, on: Target) -> Words:
        return Words(
            f"confirm that {self.amount} (hundredths of the currency) of receivable {on.text} was "
            "received outside the ledger",
            f"确认账外收到应收账款 {on.text} 的款项 {self.amount}（货币单位的百分之一）",
        )


class Dispute(InstrumentAct):
    """Contest it before it is due, with a reason."""

    evidence: Evidence

    def calldata(self, on: Target) -> bytes:
        if not self.remark:
            raise missing("remark", "a dispute has a reason")
        return receivables.dispute_calldata(on.id, on.revision, hash_of(self.evidence), self.remark)

    def words(self, on: Target) -> Words:
        return Words(f"dispute receivable {on.text}", f"对应收账款 {on.text} 提出异议")


class Concede(InstrumentAct):
    """Waive a part, so that this remains."""

    outstanding: Quantity

    def calldata(self, on: Target) -> bytes:
        return receivables.concede_calldata(on.id, on.revision, self.outstanding, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"waive receivable {on.text} down to {self.outstanding} (hundredths of the currency)",
            f"将应收账款 {on.text} 减让至 {self.outstanding}（货币单位的百分之一）",
        )


class Uphold(InstrumentAct):
    """Decide that so much is owed."""

    outstanding: Quantity
    decision: Decision

    def calldata(self, on: Target) -> bytes:
        return receivables.uphold_calldata(
            on.id, on.revision, self.outstanding, hash_of(self.decision), self.remark
        )

    def words(self, on: Target) -> Words:
        return Words(
            f"decide that {self.outstanding} (hundredths of the currency) of receivable {on.text} "
            f"is owed, by decision {self.decision}",
            f"依据决定 {self.decision} 确认应收账款 {on.text} 应付 {self.outstanding}"
            "（货币单位的百分之一）",
        )


class Annul(InstrumentAct):
    """Decide that nothing is owed."""

    decision: Decision

    def calldata(self, on: Target) -> bytes:
        return receivables.annul_calldata(on.id, on.revision, hash_of(self.decision), self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"decide that nothing of receivable {on.text} is owed, by decision {self.decision}",
            f"依据决定 {self.decision} 裁定应收账款 {on.text} 无付款义务",
        )


_PLAIN: Final = {
    "refuse": plain_act(
        "Refuse",
        "Do not owe it.",
        receivables.refuse_calldata,
        "refuse receivable {}",
        "拒绝确认应收账款 {}",
    ),
    "cancel": plain_act(
        "Cancel",
        "Take it back before it was accepted.",
        receivables.cancel_calldata,
        "take receivable {} back",
        "撤销应收账款 {}",
    ),
    "offer-cancel": plain_act(
        "OfferCancel",
        "Propose to end it.",
        receivables.offer_cancel_calldata,
        "propose to end receivable {}",
        "提议解除应收账款 {}",
    ),
    "agree-cancel": plain_act(
        "AgreeCancel",
        "Agree to end it, as the very next act.",
        receivables.agree_cancel_calldata,
        "agree to end receivable {}",
        "同意解除应收账款 {}",
    ),
    "lapse": plain_act(
        "Lapse",
        "An order's goods were not delivered in time.",
        receivables.lapse_calldata,
        "declare that the goods of order {} were not delivered in time",
        "宣告订单 {} 逾期未交货",
    ),
    "reject": plain_act(
        "Reject",
        "Give back what was just endorsed.",
        receivables.reject_calldata,
        "give receivable {} back to its endorser",
        "拒收应收账款 {} 的背书",
    ),
    "recourse": plain_act(
        "Recourse",
        "Give it back to the nearest endorser who stands behind it.",
        receivables.recourse_calldata,
        "take recourse for receivable {}",
        "就应收账款 {} 行使追索",
    ),
    "present": plain_act(
        "Present",
        "Present it for payment, once due.",
        receivables.present_calldata,
        "present receivable {} for payment",
        "就应收账款 {} 提示付款",
    ),
    "declare-default": plain_act(
        "DeclareDefault",
        "It was due and not paid.",
        receivables.declare_default_calldata,
        "declare receivable {} defaulted",
        "宣布应收账款 {} 违约",
    ),
    "withdraw-dispute": plain_act(
        "WithdrawDispute",
        "Take the dispute back.",
        receivables.withdraw_dispute_calldata,
        "take back the dispute of receivable {}",
        "撤回对应收账款 {} 的异议",
    ),
}


ACTS: Final[Mapping[str, type[InstrumentAct]]] = {
    "accept": Accept,
    "invoice": NameInvoice,
    "deliver": Deliver,
    "undertake": Undertake,
    "endorse": Endorse,
    "split": Split,
    "confirm-payment": ConfirmPayment,
    "dispute": Dispute,
    "concede": Concede,
    "uphold": Uphold,
    "annul": Annul,
    **_PLAIN,
    **control_acts(
        Control(
            noun="receivable",
            noun_zh="应收账款",
            freeze=receivables.freeze_calldata,
            unfreeze=receivables.unfreeze_calldata,
            award=receivables.award_calldata,
            permit_hash=receivables.permit_hash_calldata,
            acts=lambda: ACTS,
        )
    ),
}
"""What members do with a receivable that there is, as in machine.toml."""
