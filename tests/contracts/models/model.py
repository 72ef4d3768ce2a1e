"""A plain model of what the contracts of models allow, in a few dictionaries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

PARTIES = ("town-bank", "machine-works", "power-house")
BP = (2_000, 5_000, 3_000)


class Refused(Exception):
    """The contracts would not do it."""


def check(possible: bool) -> None:
    if not possible:
        raise Refused


@dataclass
class ModelRun:
    """A run: what it has set aside, what it has spent, whom it needs."""

    opener: str
    aside: int
    grants: tuple[int, ...]
    joined: set[str] = field(default_factory=set)
    spent: int = 0
    rounds: int = 0
    state: str = "opened"


@dataclass
class ModelRelease:
    """A release: who has approved, and how many calls each has counted."""

    approved: set[str]
    state: str = "offered"
    calls: Counter[str] = field(default_factory=Counter)


@dataclass
class World:
    """One project of three parties, with shares that are fixed."""

    budget: int
    price: int
    closed: bool = False
    grants: dict[int, tuple[str, bool]] = field(default_factory=dict)
    """Owner, and whether it is good."""
    runs: list[ModelRun] = field(default_factory=list)
    releases: list[ModelRelease] = field(default_factory=list)
    owed: Counter[tuple[str, str]] = field(default_factory=Counter)
    paid: Counter[tuple[str, str]] = field(default_factory=Counter)
    payments: list[tuple[str, str, int, str]] = field(default_factory=list)
    """Payer, payee, amount, state."""

    @property
    def used(self) -> int:
        live = ("opened", "running")
        return sum(run.aside if run.state in live else run.spent for run in self.runs)

    # ---- agreement ----------------------------------------------------------------------------

    def give(self, number: int, owner: str) -> None:
        check(not self.closed)
        self.grants[number] = (owner, True)

    def revoke(self, number: int, by: str) -> None:
        owner, good = self.grants[number]
        check(good and by == owner)
        self.grants[number] = (owner, False)

    def close(self) -> None:
        check(not self.closed)
        self.closed = True

    def amend(self, price: int) -> None:
        check(not self.closed)
        self.price = price

    # ---- runs ---------------------------------------------------------------------------------

    def _holds(self, grants: tuple[int, ...]) -> None:
        check(not self.closed and all(self.grants[one][1] for one in grants))

    def open(self, run: ModelRun) -> None:
        self._holds(run.grants)
        check({self.grants[one][0] for one in run.grants} == set(PARTIES))
        check(len(set(run.grants)) == len(run.grants))
        check(self.used + run.aside <= self.budget)
        self.runs.append(run)

    def join(self, run: ModelRun, by: str) -> None:
        check(run.state == "opened")
        self._holds(run.grants)
        check(by not in run.joined)
        run.joined.add(by)
        if run.joined == set(PARTIES):
            run.state = "running"

    def round(self, run: ModelRun, number: int, by: str, spent: int) -> None:
        check(run.state == "running" and by == run.opener)
        self._holds(run.grants)
        check(number == run.rounds + 1 and run.spent + spent <= run.aside)
        run.rounds, run.spent = number, run.spent + spent

    def complete(self, run: ModelRun, by: str) -> None:
        check(run.state == "running" and by == run.opener and run.rounds > 0)
        self._holds(run.grants)
        run.state = "completed"

    def abort(self, run: ModelRun) -> None:
        check(run.state in ("opened", "running"))
        run.state = "aborted"

    # ---- releases -----------------------------------------------------------------------------

    def offer(self, run: ModelRun, by: str) -> None:
        check(run.state == "completed")
        check(all(self.grants[one][1] for one in run.grants))
        self.releases.append(ModelRelease({by}))

    def approve(self, release: ModelRelease, by: str) -> None:
        check(release.state == "offered" and by not in release.approved)
        release.approved.add(by)
        if release.approved == set(PARTIES):
            release.state = "live"

    def retire(self, release: ModelRelease) -> None:
        check(release.state == "live")
        release.state = "retired"

    def count(self, release: ModelRelease, by: str, first: int, count: int) -> None:
        check(release.state == "live" and first == release.calls[by] + 1 and count > 0)
        release.calls[by] += count
        amount, before, bp = count * self.price, 0, 0
        for party, share in zip(PARTIES, BP, strict=True):
            bp += share
            part, before = amount * bp // 10_000 - before, amount * bp // 10_000
            if party != by:
                self.owed[by, party] += part

    # ---- payments -----------------------------------------------------------------------------

    def told(self, payer: str, payee: str) -> int:
        return sum(
            amount
            for one, other, amount, state in self.payments
            if (one, other, state) == (payer, payee, "told")
        )

    def tell(self, payer: str, payee: str, amount: int) -> None:
        left = self.owed[payer, payee] - self.paid[payer, payee] - self.told(payer, payee)
        check(0 < amount <= left)
        self.payments.append((payer, payee, amount, "told"))

    def answer(self, index: int, by: str, state: str) -> None:
        payer, payee, amount, now = self.payments[index]
        check(by == payee and now == "told")
        self.payments[index] = (payer, payee, amount, state)
        if state == "confirmed":
            self.paid[payer, payee] += amount
