"""Requests about a pool's money, as calls of Pools."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from api.acts.common import HashText, OrganisationName, hash_of
from api.acts.pool_base import COUNT_MAX, Number, PoolAct, PoolTarget, Reason
from api.acts.pool_drafts import DateText, Hundredths
from api.operations import Words
from contracts.pools import Collection, binding
from contracts.pools.types import PAYMENTS_MAX

Period = Annotated[int, Field(ge=1, le=COUNT_MAX, description="counted from 1")]


class _CashAct(PoolAct):
    contract = "pools"


class Collect(_CashAct):
    """Money has come in from debtors."""

    who = "For: the servicer. While: active, for the period that is distributed next or after it."
    seen = "period"
    payment: Annotated[
        HashText, Field(description="a payment of settlement, or the hash of a bank's entry")
    ]
    root: Annotated[
        HashText | None,
        Field(description="of the tree over several debtors' payments; null where it is one's"),
    ] = None
    count: Annotated[int, Field(ge=1, le=COUNT_MAX, description="debtors' payments in it")] = 1
    date: Annotated[DateText, Field(description="when it came in")]
    period: Period
    principal: Hundredths = 0
    income: Annotated[Hundredths, Field(description="interest, charges, recoveries")] = 0

    def calldata(self, on: PoolTarget) -> bytes:
        content = Collection(
            payment=hash_of(self.payment),
            root=None if self.root is None else hash_of(self.root),
            count=self.count,
            date=date.fromisoformat(self.date),
            period=self.period,
            principal=self.principal,
            income=self.income,
        )
        return binding.collect_calldata(on.id, content)

    def words(self, on: PoolTarget) -> Words:
        return Words(
            f"tell that {self.principal} of principal and {self.income} of income (hundredths of "
            f"{on.currency}) came in for period {self.period} of pool {on.called}",
            f"登记资产池 {on.called} 第 {self.period} 期收款：本金 {self.principal}，"
            f"收益 {self.income}（{on.currency} 的百分之一）",
        )


class VoidCollection(_CashAct):
    """Take back a collection that was told wrongly."""

    who = "For: servicer or trustee. While: active, before its period is distributed."
    number: Annotated[Number, Field(description="of the collection")]
    reason: Reason

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.void_collection_calldata(on.id, self.number, self.reason)

    def words(self, on: PoolTarget) -> Words:
        return Words(
            f"take collection {self.number} of pool {on.called} back",
            f"撤销资产池 {on.called} 的第 {self.number} 笔收款",
        )


class Distribute(_CashAct):
    """Share out all that was collected for a period: the waterfall."""

    who = (
        "For: the trustee. While: active; the next period, up to a date that has a state. Whoever "
        "names no revision shares out what the node has seen."
    )
    seen = "period"
    period: Period
    end: Annotated[DateText, Field(description="last date of the period")]

    def calldata(self, on: PoolTarget) -> bytes:
        end = date.fromisoformat(self.end)
        return binding.distribute_calldata(on.id, self.period, end, on.revision)

    def words(self, on: PoolTarget) -> Words:
        return Words(
            f"share out what was collected for period {self.period} of pool {on.called}, up to "
            f"{self.end}",
            f"分配资产池 {on.called} 第 {self.period} 期（截至 {self.end}）的全部收款",
        )


class Pay(_CashAct):
    """Make payments out of one's deposit, all or none."""

    who = "For: the trustee. While: active."
    numbers: Annotated[
        list[Number],
        Field(min_length=1, max_length=PAYMENTS_MAX, description="of the pool's payments"),
    ]
    bank: Annotated[
        OrganisationName,
        Field(description="where the trustee's deposit is; itself where it is a bank"),
    ]

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.pay_calldata(on.id, self.numbers, self.bank)

    def words(self, on: PoolTarget) -> Words:
        shown = ", ".join(str(one) for one in self.numbers)
        return Words(
            f"make payments {shown} of pool {on.called} out of the deposit at {self.bank}",
            f"以在 {self.bank} 的存款支付资产池 {on.called} 的第 {shown} 笔款项",
        )


class Confirm(_CashAct):
    """A payment was made in another way."""

    who = "For: the trustee. While: active, for a payment that is due."
    number: Annotated[Number, Field(description="of the pool's payment")]
    settled: Annotated[
        HashText, Field(description="a payment of settlement, or the hash of a bank's entry")
    ]

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.confirm_calldata(on.id, self.number, hash_of(self.settled))

    def words(self, on: PoolTarget) -> Words:
        return Words(
            f"confirm that payment {self.number} of pool {on.called} was made by {self.settled}",
            f"确认资产池 {on.called} 的第 {self.number} 笔款项已由 {self.settled} 支付",
        )
