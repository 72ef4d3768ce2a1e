"""Requests about loans, as calls of Applications (before payout) and Financing (from then on).

One class for each act of `contracts/financing/machine.toml` that members do. Documents (offers,
reasons, agreements) stay where they are: the ledger has the hash, told or of what is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field

from api.acts.common import (
    HashText,
    OrganisationName,
    Quantity,
    Target,
    UnixTime,
    digest_of,
    hash_of,
    missing,
)
from api.acts.plain import ActBody, Plain
from api.operations import Words
from contracts import financing
from ledger.canonical import canonical_json
from ledger.types import Hash32

ASSETS_MAX: Final = 100
RATE_BP_MAX: Final = 10_000
SCORE_MAX: Final = (1 << 16) - 1
SEVERITY_MAX: Final = 3

RateBp = Annotated[int, Field(ge=0, le=RATE_BP_MAX, description="hundredths of a percent a year")]
Hundredths = Annotated[Quantity, Field(description="hundredths of the currency")]
Assets = Annotated[list[HashText], Field(max_length=ASSETS_MAX)]
Document = Annotated[
    dict[str, Any] | None, Field(description="what goes onto the ledger is its hash (RFC 8785)")
]


@dataclass(frozen=True, slots=True)
class LoanTarget(Target):
    """The loan that a request is about, with what secures it."""

    asset: Hash32
    """The instrument that it was applied for with."""
    covered: tuple[Hash32, ...] = ()
    """Instruments that its pledge covers now."""


class LoanAct(ActBody):
    """What a member does with a loan."""

    def calldata(self, on: LoanTarget) -> bytes:
        """The call. Raises `ValidationFailed`, `CalldataValueError`, `OrganisationIdError`."""
        raise NotImplementedError

    def words(self, on: LoanTarget) -> Words:
        """What it does, for whoever is to sign it."""
        raise NotImplementedError


def digest(name: str, told: str | None, document: dict[str, Any] | None) -> Hash32:
    """The hash, told or of the document. Raises `ValidationFailed`, `CanonicalError`."""
    return digest_of(name, told, None if document is None else canonical_json(document))


class _WithText(LoanAct):
    text: Annotated[HashText | None, Field(description="SHA-256 of the document")] = None
    document: Document = None

    def hashed(self) -> Hash32:
        """SHA-256 of the document. Raises `ValidationFailed`."""
        return digest("text", self.text, self.document)


# ---- before payout ------------------------------------------------------------------------------


class Advise(_WithText):
    """The platform's advice; banks decide on their own."""

    score: Annotated[int, Field(ge=0, le=SCORE_MAX)]
    limit: Hundredths
    rate_bp: RateBp

    def calldata(self, on: LoanTarget) -> bytes:
        return financing.advise_calldata(
            on.id,
            on.revision,
            score=self.score,
            limit=self.limit,
            rate_bp=self.rate_bp,
            text=self.hashed(),
            remark=self.remark,
        )

    def words(self, on: LoanTarget) -> Words:
        return Words(
            f"advise on loan {on.text}: score {self.score}, up to {self.limit} (hundredths of the "
            f"currency) at {self.rate_bp} bp",
            f"就贷款 {on.text} 出具平台意见：评分 {self.score}，额度 {self.limit}"
            f"（货币单位的百分之一），利率 {self.rate_bp} 基点",
        )


class Approve(_WithText):
    """Offer a loan at the rate of the bank's own table, binding until a time."""

    amount: Hundredths
    valid_until: UnixTime

    def calldata(self, on: LoanTarget) -> bytes:
        return financing.approve_calldata(
            on.id, on.revision, self.amount, self.valid_until, self.hashed(), self.remark
        )

    def words(self, on: LoanTarget) -> Words:
        return Words(
            f"offer {self.amount} (hundredths of the currency) for loan {on.text} at the rate of "
            f"one's table, binding until {self.valid_until}",
            f"就贷款 {on.text} 按自有利率表报价 {self.amount}（货币单位的百分之一），"
            f"有效期至 {self.valid_until}",
        )


class Decline(LoanAct):
    """The bank does not lend, for reasons of its own."""

    reason: Annotated[HashText | None, Field(description="SHA-256 of the reasons")] = None
    document: Document = None

    def calldata(self, on: LoanTarget) -> bytes:
        reason = digest("reason", self.reason, self.document)
        return financing.decline_calldata(on.id, on.revision, reason, self.remark)

    def words(self, on: LoanTarget) -> Words:
        return Words(f"decline loan {on.text}", f"拒绝贷款申请 {on.text}")


class Commit(LoanAct):
    """Hand in a sealed quote: its seal, or all that it is made of, of which only the seal is sent.

    The salt is 32 random bytes. Keep everything: nobody else has it when the quote is opened.
    """

    sealed: Annotated[HashText | None, Field(description="the seal")] = None
    amount: Hundredths | None = None
    rate_bp: RateBp | None = None
    text: HashText | None = None
    document: Document = None
    salt: HashText | None = None

    def calldata(self, on: LoanTarget) -> bytes:
        return financing.commit_calldata(on.id, on.revision, self._seal(on), self.remark)

    def _seal(self, on: LoanTarget) -> Hash32:
        parts = (self.amount, self.rate_bp, self.text or self.document, self.salt)
        if all(part is None for part in parts):
            if self.sealed is None:
                raise missing("sealed", "either the seal or all that it is made of is needed")
            return hash_of(self.sealed)
        if self.amount is None or self.rate_bp is None or self.salt is None:
            raise missing("sealed", "a seal is made of amount, rateBp, text and salt")
        text, salt = digest("text", self.text, self.document), hash_of(self.salt)
        seal = financing.commitment(on.id, on.organisation, self.amount, self.rate_bp, text, salt)
        if self.sealed not in (None, f"0x{seal.hex()}"):
            raise missing("sealed", "the seal is not that of what is sent with it")
        return seal

    def words(self, on: LoanTarget) -> Words:
        return Words(f"hand in a sealed quote for loan {on.text}", f"就贷款 {on.text} 提交密封报价")


class Reveal(_WithText):
    """Open one's sealed quote."""

    amount: Hundredths
    rate_bp: RateBp
    salt: HashText

    def calldata(self, on: LoanTarget) -> bytes:
        return financing.reveal_calldata(
            on.id,
            on.revision,
            amount=self.amount,
            rate_bp=self.rate_bp,
            text=self.hashed(),
            salt=hash_of(self.salt),
            remark=self.remark,
        )

    def words(self, on: LoanTarget) -> Words:
        return Words(
            f"open the quote for loan {on.text}: {self.amount} (hundredths of the currency) at "
            f"{self.rate_bp} bp",
            f"公开对贷款 {on.text} 的报价：{self.amount}（货币单位的百分之一），"
            f"利率 {self.rate_bp} 基点",
        )


class Accept(LoanAct):
    """Accept one offer, named by its hash."""

    bank: OrganisationName
    offer: Annotated[HashText, Field(description="offerHash, as among the offers")]

    def calldata(self, on: LoanTarget) -> bytes:
        offer = hash_of(self.offer)
        return financing.accept_calldata(on.id, on.revision, self.bank, offer, self.remark)

    def words(self, on: LoanTarget) -> Words:
        return Words(
            f"accept offer {self.offer} of {self.bank} for loan {on.text}",
            f"接受 {self.bank} 对贷款 {on.text} 的报价 {self.offer}",
        )


class Sign(LoanAct):
    """Say which agreement one has signed."""

    agreement: Annotated[HashText | None, Field(description="SHA-256 of the agreement")] = None
    document: Document = None

    def calldata(self, on: LoanTarget) -> bytes:
        agreement = digest("agreement", self.agreement, self.document)
        return financing.sign_calldata(on.id, on.revision, agreement, self.remark)

    def words(self, on: LoanTarget) -> Words:
        return Words(
            f"say that the agreement for loan {on.text} is signed",
            f"确认已签署贷款 {on.text} 的合同",
        )


# ---- from payout on -----------------------------------------------------------------------------


class _Paying(LoanAct):
    amount: Annotated[
        Quantity | None, Field(description="hundredths of the currency; null: all that is owed")
    ] = None
    assets: Annotated[
        Assets | None,
        Field(description="what the last payment frees; by default all that the pledge covers"),
    ] = None

    def _amount(self) -> int:
        return financing.ALL if self.amount is None else self.amount

    def _assets(self, on: LoanTarget) -> tuple[Hash32, ...]:
        if self.assets is None:
            return on.covered
        return tuple(hash_of(one) for one in self.assets)

    def _told(self) -> tuple[str, str]:
        if self._amount() == financing.ALL:
            return "all that is owed", "全部欠款"
        return f"{self.amount} (hundredths of the currency)", f"{self.amount}（货币单位的百分之一）"


class Repay(_Paying):
    """Pay out of the deposit at the bank: interest first. The last payment frees the security."""

    def calldata(self, on: LoanTarget) -> bytes:
        return financing.repay_calldata(
            on.id, on.revision, self._amount(), self._assets(on), self.remark
        )

    def words(self, on: LoanTarget) -> Words:
        en, zh = self._told()
        return Words(
            f"repay {en} of loan {on.text} out of the deposit at the bank",
            f"以在该行的存款偿还贷款 {on.text}：{zh}",
        )


class Credit(_Paying):
    """Book money that reached the bank outside the ledger."""

    ref: Annotated[
        HashText | None, Field(description="SHA-256 of what shows it; once for each loan")
    ] = None
    document: Document = None

    def calldata(self, on: LoanTarget) -> bytes:
        return financing.credit_calldata(
            on.id,
            on.revision,
            self._amount(),
            digest("ref", self.ref, self.document),
            self._assets(on),
            self.remark,
        )

    def words(self, on: LoanTarget) -> Words:
        en, zh = self._told()
        return Words(
            f"book {en} of loan {on.text} as received outside the ledger",
            f"登记账外收到的贷款 {on.text} 还款：{zh}",
        )


class Warn(_WithText):
    """Warn after payout."""

    severity: Annotated[int, Field(ge=1, le=SEVERITY_MAX)]

    def calldata(self, on: LoanTarget) -> bytes:
        return financing.warn_calldata(
            on.id, on.revision, self.severity, self.hashed(), self.remark
        )

    def words(self, on: LoanTarget) -> Words:
        return Words(
            f"warn of loan {on.text}, severity {self.severity}",
            f"就贷款 {on.text} 发出 {self.severity} 级预警",
        )


class Report(LoanAct):
    """Record what the ledger shows of a piece of the security."""

    asset: Annotated[HashText | None, Field(description="by default what was applied for with")] = (
        None
    )

    def _asset(self, on: LoanTarget) -> Hash32:
        return on.asset if self.asset is None else hash_of(self.asset)

    def calldata(self, on: LoanTarget) -> bytes:
        return financing.report_calldata(on.id, on.revision, self._asset(on), self.remark)

    def words(self, on: LoanTarget) -> Words:
        asset = f"0x{self._asset(on).hex()}"
        return Words(
            f"record what the ledger shows of {asset}, security of loan {on.text}",
            f"记录账本显示的贷款 {on.text} 担保物 {asset} 的情况",
        )


# ---- without fields of their own ----------------------------------------------------------------


_plain: Final = Plain(LoanAct, lambda build, remark, on: build(on.id, on.revision, remark))

APPLICATION_ACTS: Final[Mapping[str, type[LoanAct]]] = {
    "check": _plain(
        "Check",
        "Record what the ledger says of the security.",
        financing.check_calldata,
        "record what the ledger says of the security of loan {}",
        "记录账本对贷款 {} 担保物的核验结果",
    ),
    "advise": Advise,
    "approve": Approve,
    "decline": Decline,
    "commit": Commit,
    "reveal": Reveal,
    "accept": Accept,
    "withdraw": _plain(
        "Withdraw",
        "Take the application back before payout.",
        financing.withdraw_calldata,
        "take the application for loan {} back",
        "撤回贷款申请 {}",
    ),
    "lapse": _plain(
        "Lapse",
        "End what nobody can accept or draw any more.",
        financing.lapse_calldata,
        "end loan {}, which nobody can accept or draw any more",
        "终止已无法接受或提款的贷款 {}",
    ),
    "sign": Sign,
}
"""Acts of the Applications contract by name, as in machine.toml."""
LOAN_ACTS: Final[Mapping[str, type[LoanAct]]] = {
    "draw-down": _plain(
        "DrawDown",
        "Pledge the security and pay out, or neither.",
        financing.draw_down_calldata,
        "pledge the security of loan {} and pay it out",
        "质押担保物并发放贷款 {}",
    ),
    "repay": Repay,
    "credit": Credit,
    "fall-overdue": _plain(
        "FallOverdue",
        "It was not paid in time.",
        financing.fall_overdue_calldata,
        "record that loan {} is overdue",
        "记录贷款 {} 已逾期",
    ),
    "warn": Warn,
    "report": Report,
    "declare-default": _plain(
        "DeclareDefault",
        "The loan is in default, as its pledge is.",
        financing.declare_default_calldata,
        "declare loan {} in default",
        "宣布贷款 {} 违约",
    ),
    "cure": _plain(
        "Cure",
        "Take a default back, as that of the pledge was.",
        financing.cure_calldata,
        "take the default of loan {} back",
        "撤回贷款 {} 的违约宣告",
    ),
    "exhaust": _plain(
        "Exhaust",
        "The pledge was enforced: no security is left.",
        financing.exhaust_calldata,
        "record that the pledge of loan {} was enforced",
        "记录贷款 {} 的质押已执行完毕",
    ),
}
"""Acts of the Financing contract by name, as in machine.toml."""
