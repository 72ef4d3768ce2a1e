"""Requests about what a pool is, as calls of PoolBook: offices, holdings, assets."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from api.acts.common import HashText, OrganisationName, Quantity, Remark, hash_of
from api.acts.pool_base import PoolAct, PoolTarget, Reason
from api.acts.pool_drafts import DateText, Hundredths
from api.operations import Words
from contracts.pools import Day, Office, binding
from contracts.pools.types import ASSETS_MAX, INSTRUMENTS_MAX, TRANCHES_MAX
from ledger.types import Address, Hash32

OfficeWord = Literal["trustee", "servicer"]
_OFFICES_ZH: Final = {"trustee": "受托机构", "servicer": "服务机构"}


class _BookAct(PoolAct):
    contract = "pool-book"


# ---- offices and holdings -----------------------------------------------------------------------


class Accept(_BookAct):
    """Take the office for which one is named."""

    who = "For: who is named trustee or servicer. While: proposed, or appointed while active."
    office: OfficeWord
    remark: Remark = ""

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.accept_calldata(on.id, Office[self.office.upper()], self.remark)

    def words(self, on: PoolTarget) -> Words:
        return Words(
            f"become {self.office} of pool {on.called}",
            f"接受担任资产池 {on.called} 的{_OFFICES_ZH[self.office]}",
        )


class Withdraw(_BookAct):
    """Take a proposal back."""

    who = "For: the arranger. While: proposed."
    remark: Remark = ""

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.withdraw_calldata(on.id, self.remark)

    def words(self, on: PoolTarget) -> Words:
        return Words(f"withdraw the proposal of pool {on.called}", f"撤回资产池 {on.called} 的提议")


class Appoint(_BookAct):
    """Name the next holder of an office, who then accepts."""

    who = (
        "For: the trustee; a new trustee also the arranger, where the present one is no active "
        "member any more. While: active."
    )
    office: OfficeWord
    organisation: OrganisationName
    remark: Remark = ""

    def calldata(self, on: PoolTarget) -> bytes:
        office = Office[self.office.upper()]
        return binding.appoint_calldata(on.id, office, self.organisation, self.remark)

    def words(self, on: PoolTarget) -> Words:
        return Words(
            f"appoint {self.organisation} as next {self.office} of pool {on.called}",
            f"指定 {self.organisation} 为资产池 {on.called} 的下一任{_OFFICES_ZH[self.office]}",
        )


class Assign(_BookAct):
    """Give a part of a tranche to another organisation: somebody new gets, and who stays keeps, a
    sixteenth of it or more; a smaller part goes on as a whole, or to other holders."""

    who = "For: a holder of the tranche. While: active."
    tranche: Annotated[int, Field(ge=0, lt=TRANCHES_MAX, description="index, from 0")]
    to: OrganisationName
    units: Annotated[Quantity, Field(description="principal at the beginning, in hundredths")]

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.assign_calldata(on.id, self.tranche, self.to, self.units)

    def words(self, on: PoolTarget) -> Words:
        return Words(
            f"give {self.units} units (hundredths of {on.currency}) of tranche {self.tranche} of "
            f"pool {on.called} to {self.to}",
            f"将资产池 {on.called} 第 {self.tranche} 档的 {self.units} 份额"
            f"（{on.currency} 的百分之一）转让给 {self.to}",
        )


class Close(_BookAct):
    """End a pool: everything is distributed and confirmed, what is outstanding is lost; or it never
    began."""

    who = "For: the trustee. While: active, with nothing to distribute and nothing to confirm."
    remark: Remark = ""

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.close_calldata(on.id, self.remark)

    def words(self, on: PoolTarget) -> Words:
        return Words(f"close pool {on.called} for ever", f"终止资产池 {on.called}")


# ---- assets -------------------------------------------------------------------------------------


class Commit(_BookAct):
    """State of the assets on the next date."""

    who = "For: the servicer. While: active. Dates follow one another without a gap."
    date: DateText
    root: Annotated[HashText, Field(description="of the RFC 6962 tree over all assets")]
    delta: Annotated[
        HashText | None,
        Field(description="root of the tree over the changes; null: nothing has changed"),
    ] = None
    performing: Hundredths
    overdue: Hundredths
    defaulted: Hundredths
    count: Annotated[int, Field(ge=1, le=ASSETS_MAX, description="assets in the tree")]
    changed: Annotated[int, Field(ge=0, le=ASSETS_MAX, description="new or different ones")]

    def state(self) -> Day:
        """The state that is committed."""
        return Day(
            root=hash_of(self.root),
            delta=None if self.delta is None else hash_of(self.delta),
            performing=self.performing,
            overdue=self.overdue,
            defaulted=self.defaulted,
            count=self.count,
            changed=self.changed,
        )

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.commit_calldata(on.id, date.fromisoformat(self.date), self.state())

    def words(self, on: PoolTarget) -> Words:
        return Words(
            f"commit the state of {self.count} assets of pool {on.called} on {self.date}: "
            f"{self.changed} changed, root {self.root}",
            f"提交资产池 {on.called} 在 {self.date} 的 {self.count} 项资产状态："
            f"{self.changed} 项有变动，根 {self.root}",
        )


class Correct(Commit):
    """A state in the place of one that was wrong, which stays readable."""

    who = "For: the servicer. While: active. Of a date that has a state."
    seen = "day"
    reason: Reason

    def calldata(self, on: PoolTarget) -> bytes:
        day = date.fromisoformat(self.date)
        return binding.correct_calldata(on.id, day, self.state(), self.reason)

    def words(self, on: PoolTarget) -> Words:
        return Words(
            f"correct the state of pool {on.called} on {self.date}: {self.count} assets, root "
            f"{self.root}",
            f"更正资产池 {on.called} 在 {self.date} 的状态：{self.count} 项资产，根 {self.root}",
        )


class _WithInstruments(_BookAct):
    instruments: Annotated[list[HashText], Field(min_length=1, max_length=INSTRUMENTS_MAX)]

    def ids(self) -> tuple[Hash32, ...]:
        """Those that are named."""
        return tuple(hash_of(one) for one in self.instruments)

    def place(self, on: PoolTarget) -> Address:
        """Their contract, which the route has found."""
        assert on.instrument is not None
        return on.instrument


class Admit(_WithInstruments):
    """Bring receipts or receivables that the trustee holds into the pool."""

    who = "For: the servicer. While: active; they are neither pledged nor frozen nor locked."
    kind: Literal["receivable", "receipt"]

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.admit_calldata(on.id, self.place(on), self.ids())

    def words(self, on: PoolTarget) -> Words:
        shown, kinds = ", ".join(self.instruments), {"receivable": "应收账款", "receipt": "仓单"}
        return Words(
            f"admit {self.kind}s {shown} to pool {on.called}",
            f"将{kinds[self.kind]} {shown} 纳入资产池 {on.called}",
        )


class Dismiss(_WithInstruments):
    """Let instruments go: paid, sold, exchanged."""

    who = "For: the servicer. While: active."
    reason: Reason

    def calldata(self, on: PoolTarget) -> bytes:
        return binding.dismiss_calldata(on.id, self.place(on), self.ids(), self.reason)

    def words(self, on: PoolTarget) -> Words:
        shown = ", ".join(self.instruments)
        return Words(
            f"let {shown} go out of pool {on.called}", f"将 {shown} 移出资产池 {on.called}"
        )
