"""Requests about pledges, as calls of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from api.acts.common import (
    CurrencyCode,
    Decision,
    HashText,
    OrganisationName,
    Quantity,
    Remark,
    StrictBody,
    Target,
    UnixTime,
    hash_of,
)
from api.acts.plain import ActBody, Plain
from api.operations import Words
from contracts import pledges
from contracts.pledges import Terms
from ledger.types import Hash32

ASSETS_MAX: Final = 100
"""Instruments freed or seized by one call."""


class PledgeBody(StrictBody):
    """An instrument that is offered as security. If-Match is the instrument's revision."""

    instrument: Annotated[HashText, Field(description="id of the receipt or receivable")]
    pledgee: Annotated[OrganisationName, Field(description="a bank")]
    amount: Annotated[Quantity, Field(description="secured, in hundredths of the currency")]
    currency: CurrencyCode
    due: UnixTime
    notice_seconds: Annotated[
        int, Field(ge=0, lt=1 << 32, description="from default to enforcement")
    ]
    terms: Annotated[HashText, Field(description="SHA-256 of the agreement")]
    remark: Remark = ""

    @property
    def agreed(self) -> Terms:
        return Terms(
            amount=self.amount,
            currency=self.currency,
            due=self.due,
            notice_seconds=self.notice_seconds,
            terms=hash_of(self.terms),
        )


class PledgeAct(ActBody):
    """What a party does with a pledge."""

    def about_all(self) -> bool:
        """Whether the call names all instruments that the pledge covers."""
        return False

    def calldata(self, on: Target, covered: Sequence[Hash32]) -> bytes:
        """The call; `covered` are the instruments that the pledge covers now, for `about_all`."""
        raise NotImplementedError

    def words(self, on: Target) -> Words:
        """What it does, for whoever is to sign it."""
        raise NotImplementedError


_plain: Final = Plain(PledgeAct, lambda build, remark, on, _covered: build(on.id, remark))

Assets = Annotated[
    list[HashText], Field(min_length=1, max_length=ASSETS_MAX, description="by default all")
]


class _Some(PledgeAct):
    """An act about some of the covered instruments, or all."""

    ids: Assets | None = None

    def about_all(self) -> bool:
        return self.ids is None

    def chosen(self, covered: Sequence[Hash32]) -> list[Hash32]:
        return list(covered) if self.ids is None else [hash_of(text) for text in self.ids]

    def shown(self) -> tuple[str, str]:
        if self.ids is None:
            return "all instruments", "全部"
        told = ", ".join(self.ids)
        return told, told


class Release(_Some):
    """Free covered instruments; all: the pledge ends. The pledgee."""

    def calldata(self, on: Target, covered: Sequence[Hash32]) -> bytes:
        return pledges.release_calldata(on.id, self.chosen(covered), self.remark)

    def words(self, on: Target) -> Words:
        en, zh = self.shown()
        return Words(f"release {en} from pledge {on.text}", f"解除质押 {on.text} 中的{zh}")


class Enforce(_Some):
    """After the time of notice, take covered instruments for oneself or a buyer; the pledgee."""

    to: Annotated[OrganisationName | None, Field(description="by default the pledgee itself")] = (
        None
    )

    def calldata(self, on: Target, covered: Sequence[Hash32]) -> bytes:
        to = self.to or on.organisation
        return pledges.enforce_calldata(on.id, self.chosen(covered), to, self.remark)

    def words(self, on: Target) -> Words:
        (en, zh), to = self.shown(), self.to or on.organisation
        return Words(f"enforce pledge {on.text}: {en} to {to}", f"执行质押 {on.text}：{zh}归 {to}")


class Annul(_Some):
    """Free covered instruments by a decision; the authority that has frozen them."""

    decision: Decision

    def calldata(self, on: Target, covered: Sequence[Hash32]) -> bytes:
        decision = hash_of(self.decision)
        return pledges.annul_calldata(on.id, self.chosen(covered), decision, self.remark)

    def words(self, on: Target) -> Words:
        en, zh = self.shown()
        return Words(
            f"annul pledge {on.text} of {en} by decision {self.decision}",
            f"依据决定 {self.decision} 撤销质押 {on.text} 中的{zh}",
        )


ACTS: Final[Mapping[str, type[PledgeAct]]] = {
    "accept": _plain(
        "Accept",
        "Consent: from now on the instrument is pledged; the pledgee.",
        pledges.accept_calldata,
        "accept pledge {}",
        "接受质押 {}",
    ),
    "decline": _plain(
        "Decline",
        "Refuse a proposal; the pledgee.",
        pledges.decline_calldata,
        "decline pledge {}",
        "拒绝质押 {}",
    ),
    "withdraw": _plain(
        "Withdraw",
        "Take a proposal back; the pledgor.",
        pledges.withdraw_calldata,
        "withdraw the proposal of pledge {}",
        "撤回质押 {} 的申请",
    ),
    "release": Release,
    "declare-default": _plain(
        "DeclareDefault",
        "The debt was due and not paid: the time of notice begins; the pledgee.",
        pledges.declare_default_calldata,
        "declare the debt behind pledge {} in default",
        "宣告质押 {} 所担保的债务违约",
    ),
    "cure": _plain(
        "Cure",
        "The debt was paid after all; the pledgee.",
        pledges.cure_calldata,
        "declare the debt behind pledge {} paid after all",
        "确认质押 {} 所担保的债务已补付",
    ),
    "enforce": Enforce,
    "annul": Annul,
}
"""What parties do with a pledge that was proposed."""
