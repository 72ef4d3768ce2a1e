"""Requests about deals and the payment of receivables, as calls of Settlement.

A deal is delivery versus payment (an offer), or a payment on a condition. Amounts are in hundredths
of the currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from api.acts.common import (
    UINT64_MAX,
    CurrencyCode,
    Decision,
    HashText,
    OrganisationName,
    Remark,
    StrictBody,
    UnixTime,
    hash_of,
    missing,
)
from api.acts.deposits import Amount, Number
from api.acts.plain import ActBody, Plain
from api.operations import Words
from contracts import settlement
from contracts.consortium import Role
from contracts.settlement import (
    Condition,
    ConditionalDraft,
    ConditionKind,
    Discharge,
    Leg,
    OfferDraft,
    StoredDeal,
)
from ledger.types import Address, Hash32

LEGS_MAX: Final = 16

Revision = Annotated[int, Field(ge=1, le=UINT64_MAX)]
Evidence = Annotated[HashText, Field(description="SHA-256 of what the attestor has seen")]
RoleWord = Literal[
    "manufacturer",
    "warehouse",
    "carrier",
    "retailer",
    "bank",
    "regulator",
    "arbitrator",
    "operator",
]


class ConditionBody(StrictBody):
    """What a deal waits for: a date, or the word of an attestor until a deadline."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "date", "due": 1_830_000_000}]}
    )

    kind: Literal["date", "delivery", "inspection"]
    due: Annotated[UnixTime | None, Field(description="of a date: Unix seconds")] = None
    attestor: Annotated[
        OrganisationName | None, Field(description="who says whether it is met")
    ] = None
    subject: Annotated[
        HashText | None,
        Field(description="what is delivered or inspected: an EPCIS event's hash, a batch's root"),
    ] = None
    deadline: Annotated[
        UnixTime | None, Field(description="until when the attestor speaks: Unix seconds")
    ] = None

    def condition(self) -> Condition:
        """Raises `ValidationFailed` where its parts do not go together."""
        told = {
            "due": self.due,
            "attestor": self.attestor,
            "subject": self.subject,
            "deadline": self.deadline,
        }
        needed = {"due"} if self.kind == "date" else {"attestor", "subject", "deadline"}
        for name, value in told.items():
            if (value is not None) != (name in needed):
                does = "has" if name in needed else "has no"
                raise missing(f"condition/{name}", f"a condition of kind {self.kind} {does} {name}")
        return Condition(
            kind=ConditionKind[self.kind.upper()],
            due=self.due or 0,
            deadline=self.deadline or 0,
            attestor=self.attestor,
            subject=None if self.subject is None else hash_of(self.subject),
        )

    @property
    def en(self) -> str:
        """As part of a sentence."""
        if self.kind == "date":
            return f"from {self.due} (Unix seconds) on"
        return f"once {self.attestor} has attested the {self.kind} of {self.subject}"

    @property
    def zh(self) -> str:
        """As part of a sentence."""
        if self.kind == "date":
            return f"自 {self.due}（Unix 秒）起"
        what = "交付" if self.kind == "delivery" else "检验"
        return f"经 {self.attestor} 证明 {self.subject} 的{what}后"


class LegBody(StrictBody):
    """An instrument of an offer, as the seller has seen it."""

    kind: Literal["receipt", "receivable"]
    id: HashText
    revision: Revision


class _Draft(StrictBody):
    number: Number
    currency: CurrencyCode
    amount: Amount
    terms: Annotated[HashText | None, Field(description="SHA-256 of the contract's document")] = (
        None
    )
    remark: Remark = ""

    @property
    def terms_hash(self) -> Hash32 | None:
        """Of the contract's document."""
        return None if self.terms is None else hash_of(self.terms)

    @property
    def money(self) -> str:
        """The amount, as it is written."""
        return f"{self.amount} (hundredths of {self.currency})"

    @property
    def money_zh(self) -> str:
        """The amount in Chinese."""
        return f"{self.amount}（{self.currency} 的百分之一）"


class OfferBody(_Draft):
    """Instruments against one payment: delivery and payment happen together, or not at all."""

    instruments: Annotated[list[LegBody], Field(min_length=1, max_length=LEGS_MAX)]
    expires: UnixTime
    buyer: Annotated[
        OrganisationName | None, Field(description="by default anybody, of `role` if that is given")
    ] = None
    role: RoleWord | None = None
    bank: Annotated[
        OrganisationName | None, Field(description="by default where the seller wants to be paid")
    ] = None
    condition: ConditionBody | None = None

    def calldata(self, places: Mapping[str, Address]) -> bytes:
        """The call; `places` are the contracts that keep the instruments, by id.

        Raises `CalldataValueError`, `OrganisationIdError` or `ValidationFailed`.
        """
        legs = tuple(Leg(places[one.id], hash_of(one.id), one.revision) for one in self.instruments)
        draft = OfferDraft(
            number=self.number,
            currency=self.currency,
            amount=self.amount,
            expires=self.expires,
            legs=legs,
            buyer=self.buyer,
            role=None if self.role is None else Role.of(self.role),
            seller_bank=self.bank,
            terms=self.terms_hash,
            condition=settlement.NO_CONDITION
            if self.condition is None
            else self.condition.condition(),
        )
        return settlement.offer_calldata(draft, self.remark)

    def words(self) -> Words:
        """What it does, for whoever is to sign it."""
        what = ", ".join(f"{one.kind} {one.id}" for one in self.instruments)
        kinds = {"receipt": "仓单", "receivable": "应收账款"}
        what_zh = "、".join(f"{kinds[one.kind]} {one.id}" for one in self.instruments)
        to = self.buyer or (f"any {self.role}" if self.role else "anybody")
        to_zh = self.buyer or (f"任一 {self.role} 成员" if self.role else "任何成员")
        when = "" if self.condition is None else f", {self.condition.en}"
        when_zh = "" if self.condition is None else f"，{self.condition.zh}交割"
        return Words(
            f"offer {what} to {to} against {self.money}{when}",
            f"向 {to_zh} 要约以 {self.money_zh} 交割{what_zh}{when_zh}",
        )


class ConditionalBody(_Draft):
    """Money set aside for a payee until a condition is met."""

    bank: Annotated[OrganisationName, Field(description="where the payer's money is")]
    payee: OrganisationName
    payee_bank: Annotated[
        OrganisationName | None, Field(description="by default where the payee wants to be paid")
    ] = None
    condition: ConditionBody

    def calldata(self) -> bytes:
        """The call. Raises `CalldataValueError`, `OrganisationIdError` or `ValidationFailed`."""
        draft = ConditionalDraft(
            number=self.number,
            payee=self.payee,
            payer_bank=self.bank,
            currency=self.currency,
            amount=self.amount,
            condition=self.condition.condition(),
            payee_bank=self.payee_bank,
            terms=self.terms_hash,
        )
        return settlement.set_aside_calldata(draft, self.remark)

    def words(self) -> Words:
        """What it does, for whoever is to sign it."""
        return Words(
            f"set {self.money} at {self.bank} aside for {self.payee}, to be paid "
            f"{self.condition.en}",
            f"在 {self.bank} 为 {self.payee} 预留 {self.money_zh}，{self.condition.zh}支付",
        )


class PaymentBody(StrictBody):
    """A receivable is paid, in part or whole, by its debtor."""

    receivable: HashText
    revision: Annotated[
        Revision | None, Field(description="of the receivable, as seen; by default whichever")
    ] = None
    bank: Annotated[OrganisationName, Field(description="where the debtor's money is")]
    amount: Amount
    number: Number
    remark: Remark = ""

    def calldata(self, receivables: Address) -> bytes:
        """The call. Raises `CalldataValueError` or `OrganisationIdError`."""
        debt = Discharge(
            receivables=receivables,
            receivable=hash_of(self.receivable),
            revision=self.revision or 0,
            payer_bank=self.bank,
            amount=self.amount,
            number=self.number,
        )
        return settlement.discharge_calldata(debt, self.remark)

    def words(self) -> Words:
        """What it does, for whoever is to sign it."""
        return Words(
            f"pay {self.amount} (hundredths of the currency) of receivable {self.receivable} out "
            f"of the deposit at {self.bank}",
            f"从 {self.bank} 的存款支付应收账款 {self.receivable} 的款项 {self.amount}"
            "（货币单位的百分之一）",
        )


# ---- deals there are ----------------------------------------------------------------------------


class DealBody(ActBody):
    """What is done with a deal."""

    def calldata(self, on: StoredDeal, revision: int) -> bytes:
        """The call. Raises `CalldataValueError` or `OrganisationIdError`."""
        raise NotImplementedError

    def words(self, on: StoredDeal) -> Words:
        """What it does, for whoever is to sign it."""
        raise NotImplementedError


class _Take(DealBody):
    bank: Annotated[OrganisationName, Field(description="where the buyer's money is")]
    revisions: Annotated[
        list[Annotated[int, Field(ge=0, le=UINT64_MAX)]] | None,
        Field(
            max_length=LEGS_MAX,
            description="of the instruments, in the deal's order, 0 for whichever; by default "
            "those at which they were locked, as the deal shows them",
        ),
    ] = None

    en: ClassVar[str]
    zh: ClassVar[str]

    def seen(self, on: StoredDeal) -> list[int]:
        """Revisions of the instruments that the buyer agrees to."""
        told = self.revisions
        return [leg.revision for leg in on.deal.legs] if told is None else told

    def words(self, on: StoredDeal) -> Words:
        told = {"id": f"0x{on.id.hex()}", "deal": on.deal, "bank": self.bank}
        return Words(self.en.format(**told), self.zh.format(**told))


class Accept(_Take):
    """Pay and take, in one transaction; an offer without a condition."""

    en = (
        "accept offer {id}: pay {deal.seller} {deal.amount} (hundredths of {deal.currency}) out of "
        "the deposit at {bank} and take its instruments"
    )
    zh = (
        "接受要约 {id}：从 {bank} 的存款向 {deal.seller} 支付 {deal.amount}"
        "（{deal.currency} 的百分之一）并受让凭证"
    )

    def calldata(self, on: StoredDeal, revision: int) -> bytes:
        seen = self.seen(on)
        return settlement.accept_calldata(on.id, revision, self.bank, seen, self.remark)


class Commit(_Take):
    """Set the money aside until the condition is met; an offer with a condition."""

    en = (
        "commit to offer {id}: set {deal.amount} (hundredths of {deal.currency}) at {bank} aside "
        "for {deal.seller} until its condition is met"
    )
    zh = (
        "承诺要约 {id}：在 {bank} 为 {deal.seller} 预留 {deal.amount}"
        "（{deal.currency} 的百分之一），直至条件成就"
    )

    def calldata(self, on: StoredDeal, revision: int) -> bytes:
        seen = self.seen(on)
        return settlement.commit_calldata(on.id, revision, self.bank, seen, self.remark)


class Affirm(DealBody):
    """Bind oneself to the instruments as they have become since; what is due is paid at once where
    that is possible. The buyer."""

    revisions: Annotated[
        list[Revision],
        Field(
            min_length=1,
            max_length=LEGS_MAX,
            description="of the instruments as the buyer has seen them, in the deal's order",
        ),
    ]

    def calldata(self, on: StoredDeal, revision: int) -> bytes:
        return settlement.affirm_calldata(on.id, revision, self.revisions, self.remark)

    def words(self, on: StoredDeal) -> Words:
        id_, seen = f"0x{on.id.hex()}", ", ".join(map(str, self.revisions))
        return Words(
            f"stand by deal {id_} with its instruments as they are now (revisions {seen})",
            f"接受交易 {id_} 的凭证现状（版本 {seen}），继续交易",
        )


class _Witness(DealBody):
    evidence: Evidence

    en: ClassVar[str]
    zh: ClassVar[str]

    def words(self, on: StoredDeal) -> Words:
        id_ = f"0x{on.id.hex()}"
        return Words(self.en.format(id_, self.evidence), self.zh.format(id_, self.evidence))


class Attest(_Witness):
    """The condition is met. What is due is paid at once where that is possible."""

    en = "attest by {1} that the condition of deal {0} is met"
    zh = "依据 {1} 证明交易 {0} 的条件成就"

    def calldata(self, on: StoredDeal, revision: int) -> bytes:
        return settlement.attest_calldata(on.id, revision, hash_of(self.evidence), self.remark)


class Deny(_Witness):
    """The condition is not met: money and instruments go back."""

    en = "state by {1} that the condition of deal {0} is not met"
    zh = "依据 {1} 证明交易 {0} 的条件未成就"

    def calldata(self, on: StoredDeal, revision: int) -> bytes:
        return settlement.deny_calldata(on.id, revision, hash_of(self.evidence), self.remark)


class Quash(DealBody):
    """End it by decision: money and instruments go back. Arbitrators and regulators."""

    decision: Decision

    def calldata(self, on: StoredDeal, revision: int) -> bytes:
        return settlement.quash_calldata(on.id, revision, hash_of(self.decision), self.remark)

    def words(self, on: StoredDeal) -> Words:
        return Words(
            f"end deal 0x{on.id.hex()} by decision {self.decision}",
            f"依据决定 {self.decision} 终止交易 0x{on.id.hex()}",
        )


_plain: Final = Plain(DealBody, lambda build, remark, on, revision: build(on.id, revision, remark))

ACTS: Final[Mapping[str, type[DealBody]]] = {
    "accept": Accept,
    "commit": Commit,
    "decline": _plain(
        "Decline",
        "Not want it; the instruments are unlocked. The named buyer.",
        settlement.decline_calldata,
        "decline offer {}",
        "谢绝要约 {}",
    ),
    "withdraw": _plain(
        "Withdraw",
        "Take an offer back; the instruments are unlocked.",
        settlement.withdraw_calldata,
        "take offer {} back",
        "撤回要约 {}",
    ),
    "expire": _plain(
        "Expire",
        "An offer's time is over; the instruments are unlocked.",
        settlement.expire_calldata,
        "end offer {}, whose time is over",
        "终止已到期的要约 {}",
    ),
    "affirm": Affirm,
    "rescind": _plain(
        "Rescind",
        "An instrument is not what the buyer has bound himself to, or would not go to him now: "
        "money and instruments go back. The buyer.",
        settlement.rescind_calldata,
        "end deal {}, whose instruments are not what was agreed",
        "因凭证已非约定状态，终止交易 {}",
    ),
    "attest": Attest,
    "deny": Deny,
    "execute": _plain(
        "Execute",
        "Money and instruments change hands: the condition is met, or the date has come.",
        settlement.execute_calldata,
        "execute deal {}",
        "执行交易 {}",
    ),
    "give-back": _plain(
        "GiveBack",
        "The deadline has passed without an attestation, or a week after the date or the "
        "attestation an instrument still is not what the buyer has bound himself to: money and "
        "instruments go back.",
        settlement.give_back_calldata,
        "give back what deal {} holds, as its time has passed",
        "因期限已过，退回交易 {} 的款项与凭证",
    ),
    "ask-cancel": _plain(
        "AskCancel",
        "Want to end a deal under way.",
        settlement.ask_cancel_calldata,
        "propose to end deal {}",
        "提议合意解除交易 {}",
    ),
    "agree-cancel": _plain(
        "AgreeCancel",
        "Agree to end it: money and instruments go back. The other party.",
        settlement.agree_cancel_calldata,
        "agree to end deal {}",
        "同意解除交易 {}",
    ),
    "quash": Quash,
}
"""What members do with a deal that there is, as in machine.toml."""
