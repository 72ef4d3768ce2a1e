"""Requests about deposits, as calls of the contract.

Amounts are in hundredths of the currency. `number` is the sender's own number of what he does: it
is used once, so that the same order never counts twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import Field

from api.acts.common import (
    CurrencyCode,
    Decision,
    OrganisationName,
    Quantity,
    Remark,
    StrictBody,
    hash_of,
)
from api.operations import Words
from contracts import settlement
from contracts.settlement import Payment
from ledger.types import Hash32

Amount = Annotated[Quantity, Field(description="hundredths of the currency")]
Number = Annotated[
    str, Field(pattern="^[!-~]{1,32}$", description="the sender's own, used once for all")
]


class DepositCall(StrictBody):
    """What is done with deposits."""

    act: ClassVar[str]

    def calldata(self) -> bytes:
        """The call. Raises `CalldataValueError` or `OrganisationIdError`."""
        raise NotImplementedError

    def words(self) -> Words:
        """What it does, for whoever is to sign it."""
        raise NotImplementedError


class NumberedCall(DepositCall):
    """What has a number of its sender's, and so an id (`payment_id`)."""

    number: Number
    currency: CurrencyCode
    amount: Amount
    remark: Remark = ""

    @property
    def money(self) -> str:
        """The amount, as it is written."""
        return f"{self.amount} (hundredths of {self.currency})"

    @property
    def money_zh(self) -> str:
        """The amount in Chinese."""
        return f"{self.amount}（{self.currency} 的百分之一）"


class Issue(NumberedCall):
    """Owe an organisation a deposit: it has paid that in. Banks."""

    act: ClassVar[str] = "issue"
    to: OrganisationName

    def calldata(self) -> bytes:
        return settlement.issue_calldata(
            self.to, self.currency, self.amount, self.number, self.remark
        )

    def words(self) -> Words:
        return Words(
            f"issue a deposit of {self.money} to {self.to}",
            f"向 {self.to} 发行存款 {self.money_zh}",
        )


class Pay(NumberedCall):
    """Pay an organisation, at the same bank or within its limit at another one."""

    act: ClassVar[str] = "pay"
    bank: Annotated[OrganisationName, Field(description="where the payer's money is")]
    payee: OrganisationName
    payee_bank: Annotated[
        OrganisationName | None,
        Field(description="by default where the payee wants to be paid"),
    ] = None

    def calldata(self) -> bytes:
        payment = Payment(
            payer_bank=self.bank,
            payee=self.payee,
            currency=self.currency,
            amount=self.amount,
            number=self.number,
            payee_bank=self.payee_bank,
        )
        return settlement.pay_calldata(payment, self.remark)

    def words(self) -> Words:
        at, at_zh = "", ""
        if self.payee_bank is not None:
            at, at_zh = f" at {self.payee_bank}", f"（开户于 {self.payee_bank}）"
        return Words(
            f"pay {self.payee}{at} {self.money} out of the deposit at {self.bank}",
            f"从 {self.bank} 的存款向 {self.payee}{at_zh} 支付 {self.money_zh}",
        )


class RequestRedemption(NumberedCall):
    """Ask one's bank to pay a deposit out: the amount is set aside until it answers."""

    act: ClassVar[str] = "request-redemption"
    bank: OrganisationName

    def calldata(self) -> bytes:
        return settlement.request_redemption_calldata(
            self.bank, self.currency, self.amount, self.number, self.remark
        )

    def words(self) -> Words:
        return Words(
            f"ask {self.bank} to pay out {self.money} of the deposit",
            f"申请由 {self.bank} 兑付存款 {self.money_zh}",
        )


class ConfirmSettlement(NumberedCall):
    """Confirm that another bank has paid what it owes, in central-bank money or set off."""

    act: ClassVar[str] = "confirm-settlement"
    debtor: OrganisationName

    def calldata(self) -> bytes:
        return settlement.confirm_settlement_calldata(
            self.debtor, self.currency, self.amount, self.number, self.remark
        )

    def words(self) -> Words:
        return Words(
            f"confirm that {self.debtor} has settled {self.money} outside the ledger",
            f"确认 {self.debtor} 已在账外清偿 {self.money_zh}",
        )


class ChooseHome(DepositCall):
    """Say at which bank to be paid in a currency; opens the account."""

    act: ClassVar[str] = "choose-home"
    bank: OrganisationName
    currency: CurrencyCode

    def calldata(self) -> bytes:
        return settlement.choose_home_calldata(self.bank, self.currency)

    def words(self) -> Words:
        return Words(
            f"be paid at {self.bank} in {self.currency} from now on",
            f"今后在 {self.bank} 收取 {self.currency} 款项",
        )


class SetLimit(DepositCall):
    """Set up to which amount another bank may owe one's own. Banks."""

    act: ClassVar[str] = "set-limit"
    debtor: OrganisationName
    currency: CurrencyCode
    limit: Amount
    remark: Remark = ""

    def calldata(self) -> bytes:
        return settlement.set_limit_calldata(self.debtor, self.currency, self.limit, self.remark)

    def words(self) -> Words:
        return Words(
            f"let {self.debtor} owe up to {self.limit} (hundredths of {self.currency})",
            f"允许 {self.debtor} 的欠款上限为 {self.limit}（{self.currency} 的百分之一）",
        )


class Hold(DepositCall):
    """Keep an amount in an account, by decision. Arbitrators and regulators."""

    act: ClassVar[str] = "hold"
    bank: OrganisationName
    owner: OrganisationName
    currency: CurrencyCode
    amount: Amount
    decision: Decision
    remark: Remark = ""

    def calldata(self) -> bytes:
        decision = hash_of(self.decision)
        return settlement.hold_calldata(
            self.bank, self.currency, self.owner, self.amount, decision, self.remark
        )

    def words(self) -> Words:
        return Words(
            f"hold {self.amount} (hundredths of {self.currency}) of the deposit of {self.owner} at "
            f"{self.bank}, by decision {self.decision}",
            f"依据决定 {self.decision} 止付 {self.owner} 在 {self.bank} 的存款 {self.amount}"
            f"（{self.currency} 的百分之一）",
        )


# ---- what there is already ----------------------------------------------------------------------


class RecordCall(StrictBody):
    """What is done with a redemption or a hold."""

    remark: Remark = ""

    def calldata(self, id_: Hash32) -> bytes:
        """The call. Raises `CalldataValueError`."""
        raise NotImplementedError

    def words(self, id_: str) -> Words:
        """What it does, for whoever is to sign it."""
        raise NotImplementedError


class _Redemption(RecordCall):
    en: ClassVar[str]
    zh: ClassVar[str]

    def words(self, id_: str) -> Words:
        return Words(self.en.format(id_), self.zh.format(id_))


class ConfirmRedemption(_Redemption):
    """It was paid out; the remark says how. The bank."""

    en = "confirm that redemption {} was paid out"
    zh = "确认兑付 {} 已支付"

    def calldata(self, id_: Hash32) -> bytes:
        return settlement.confirm_redemption_calldata(id_, self.remark)


class RefuseRedemption(_Redemption):
    """It is not paid out; the remark says why. The bank."""

    en = "refuse redemption {}"
    zh = "拒绝兑付 {}"

    def calldata(self, id_: Hash32) -> bytes:
        return settlement.refuse_redemption_calldata(id_, self.remark)


class WithdrawRedemption(_Redemption):
    """Take a request back. The owner."""

    en = "take back the request for redemption {}"
    zh = "撤回兑付申请 {}"

    def calldata(self, id_: Hash32) -> bytes:
        return settlement.withdraw_redemption_calldata(id_, self.remark)


class Release(RecordCall):
    """Give some of a hold free; who holds it. An authority, by its decision: also what a pledgee
    holds. The account's owner: what a pledgee holds once the pledge has ended, and what is more
    than an agreed pledge's amount."""

    amount: Amount
    decision: Decision | None = None

    def calldata(self, id_: Hash32) -> bytes:
        decision = None if self.decision is None else hash_of(self.decision)
        return settlement.release_calldata(id_, self.amount, decision, self.remark)

    def words(self, id_: str) -> Words:
        by, by_zh = "", ""
        if self.decision is not None:
            by, by_zh = f", by decision {self.decision}", f"依据决定 {self.decision} "
        return Words(
            f"give {self.amount} (hundredths of the currency) of hold {id_} free{by}",
            f"{by_zh}解除止付 {id_} 中的 {self.amount}（货币单位的百分之一）",
        )


class Collect(RecordCall):
    """Take what was paid on one's security, while the pledge lives, in its currency and up to its
    amount in all. The pledgee, who is the bank."""

    amount: Amount

    def calldata(self, id_: Hash32) -> bytes:
        return settlement.collect_calldata(id_, self.amount, self.remark)

    def words(self, id_: str) -> Words:
        return Words(
            f"take {self.amount} (hundredths of the currency) of hold {id_} against the debt",
            f"从止付 {id_} 中扣收 {self.amount}（货币单位的百分之一）抵偿债务",
        )


REDEMPTION_ACTS: Final[Mapping[str, type[RecordCall]]] = {
    "confirm": ConfirmRedemption,
    "refuse": RefuseRedemption,
    "withdraw": WithdrawRedemption,
}
HOLD_ACTS: Final[Mapping[str, type[RecordCall]]] = {"release": Release, "collect": Collect}
