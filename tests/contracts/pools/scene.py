"""A pool of car loans on a chain in memory: a bank arranges it, investors hold three tranches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from contracts.consortium import Founder, Profile, Role
from contracts.genesis import POOL_BOOK_ADDRESS, POOLS_ADDRESS, RECEIVABLES_ADDRESS
from contracts.pools import binding, logs
from contracts.pools.eligibility import Rules
from contracts.pools.types import (
    Account,
    CashEvent,
    Collection,
    Day,
    Distributed,
    Fee,
    Limits,
    Office,
    Open,
    Owed,
    Payment,
    PaymentDue,
    PoolDraft,
    Terms,
    Tranche,
    TrancheDraft,
)
from contracts.pools.waterfall import Standing
from contracts.receivables import Draft, Kind, create_calldata, receivable_id
from contracts.receivables.binding import accept_calldata
from contracts.refusals import refusal_name
from ledger.types import Address, Hash32, Receipt
from tests.contracts.scene import CHAIN_ID, OPERATOR, Key, MemoryChain, entries, error_of, key, told

ROLES = {
    "car-bank": Role.BANK,
    "trust-house": Role.BANK,
    "loan-service": Role.OPERATOR,
    "north-fund": Role.BANK,
    "south-fund": Role.BANK,
    "east-fund": Role.BANK,
    "market-office": Role.REGULATOR,
    "grain-store": Role.WAREHOUSE,
}
KEYS = {name: key(100 + number) for number, name in enumerate(ROLES)}
KEYS[OPERATOR.id] = key(1)
RULES = Rules.parse(
    b'{"version":1,"rules":[{"field":"balance","atLeast":1,"atMost":50000000},'
    b'{"field":"region","in":["JS","ZJ","SH"]}],"limits":[{"by":"region","shareBpMax":6000}]}'
)
START = date(2026, 12, 31)
TODAY = datetime.fromtimestamp(1_800_000_000, UTC).date()
FIRST = date(2027, 1, 4)


def digest(text: str) -> Hash32:
    return Hash32(sha256(text.encode()).digest())


def founders() -> list[Founder]:
    return [OPERATOR] + [
        Founder(name, role, Profile(name, "", ""), (KEYS[name].address,))
        for name, role in ROLES.items()
    ]


def terms() -> Terms:
    return Terms(
        trustee="trust-house",
        servicer="loan-service",
        residual="car-bank",
        currency="CNY",
        basis=365,
        start=START,
        sequential_bp=500,
        turbo_bp=1_000,
        rules=RULES.hash,
        terms=digest("trust agreement"),
        limits=Limits(2_000_000, date(2027, 6, 30), 10**14),
    )


def draft(number: str = "CAR-2027-1") -> PoolDraft:
    return PoolDraft(
        number=number,
        terms=terms(),
        fees=(Fee("trust-house", 2, 100_00), Fee("loan-service", 50, 0)),
        tranches=(
            TrancheDraft("A", 1, 310, (("north-fund", 500_000_00), ("south-fund", 300_000_01))),
            TrancheDraft("B", 2, 520, (("east-fund", 100_000_00),)),
            TrancheDraft("C", 3, 900, (("car-bank", 50_000_00), ("east-fund", 7_00))),
        ),
        rules_document=RULES.document,
    )


def day(
    count: int = 10,
    *,
    changed: int | None = None,
    performing: int = 950_000_00,
    overdue: int = 0,
    defaulted: int = 0,
    root: str = "root",
) -> Day:
    altered = count if changed is None else changed
    return Day(
        root=digest(root),
        delta=digest("delta") if altered else None,
        performing=performing,
        overdue=overdue,
        defaulted=defaulted,
        count=count,
        changed=altered,
    )


def collection(
    name: str, principal: int, income: int, period: int = 1, count: int = 1
) -> Collection:
    root = digest(f"{name} lines") if count > 1 else None
    return Collection(digest(name), root, count, FIRST, period, principal, income)


@dataclass
class PoolScene:
    """The chain, and who does what on it."""

    chain: MemoryChain = field(
        default_factory=lambda: MemoryChain.of(entries(founders(), votes={OPERATOR.id: 1}))
    )
    receipts: list[Receipt] = field(default_factory=list)

    def send(self, by: str, to: Address, data: bytes) -> Receipt:
        receipt = self.chain.send(self.key(by), to, data)
        self.receipts.append(receipt)
        return receipt

    def book(self, by: str, data: bytes) -> Receipt:
        return self.send(by, POOL_BOOK_ADDRESS, data)

    def cash(self, by: str, data: bytes) -> Receipt:
        return self.send(by, POOLS_ADDRESS, data)

    def refusal(self, by: str, to: Address, data: bytes) -> str | None:
        """Name of the error with which the call is refused; None: it is not."""
        return error_of(self.chain.call(self.key(by).address, to, data))

    def key(self, by: str) -> Key:
        return KEYS[by]

    # ---- shortcuts ----------------------------------------------------------------------------

    def create(self, plan: PoolDraft | None = None, by: str = "car-bank") -> Hash32:
        plan = plan or draft()
        assert self.book(by, binding.create_calldata(plan)).status == 1
        return binding.pool_id(CHAIN_ID, POOL_BOOK_ADDRESS, by, plan.number)

    def active(self, plan: PoolDraft | None = None) -> Hash32:
        plan = plan or draft()
        id_ = self.create(plan)
        for office, by in (
            (Office.TRUSTEE, plan.terms.trustee),
            (Office.SERVICER, plan.terms.servicer),
        ):
            assert self.book(by, binding.accept_calldata(id_, office)).status == 1
        return id_

    def commit(self, id_: Hash32, on: date, state: Day) -> Receipt:
        return self.book("loan-service", binding.commit_calldata(id_, on, state))

    def days(self, id_: Hash32, last: date, state: Day, first: date = FIRST) -> None:
        """The same state on every date from the first one to the last one."""
        on = first
        while on <= last:
            told_state = state if on == first else replace(state, changed=0, delta=None)
            assert self.commit(id_, on, told_state).status == 1
            on += timedelta(days=1)

    def collect(self, id_: Hash32, content: Collection) -> Receipt:
        return self.cash("loan-service", binding.collect_calldata(id_, content))

    def distribute(self, id_: Hash32, period: int, end: date) -> tuple[list[CashEvent], Receipt]:
        seen = self.open(id_, period)
        receipt = self.cash(
            "trust-house", binding.distribute_calldata(id_, period, end, seen.revision)
        )
        return [logs.decode_log(log) for log in told(receipt, POOLS_ADDRESS)], receipt

    def distribute_refused(self, id_: Hash32, period: int, end: date) -> str | None:
        seen = self.open(id_, period)
        data = binding.distribute_calldata(id_, period, end, seen.revision)
        return self.refusal("trust-house", POOLS_ADDRESS, data)

    def voter(self) -> Key:
        return KEYS[OPERATOR.id]

    # ---- reading ------------------------------------------------------------------------------

    def ask(self, to: Address, data: bytes) -> bytes:
        result = self.chain.call(KEYS["market-office"].address, to, data)
        assert not result.reverted, refusal_name(result.output)
        return result.output

    def open(self, id_: Hash32, period: int) -> Open:
        return logs.decode_open(self.ask(POOLS_ADDRESS, logs.open_calldata(id_, period)))

    def account(self, id_: Hash32) -> Account:
        return logs.decode_account(self.ask(POOLS_ADDRESS, logs.account_calldata(id_)))

    def owed(self, id_: Hash32) -> tuple[tuple[Owed, ...], tuple[Owed, ...]]:
        return logs.decode_owed(self.ask(POOLS_ADDRESS, logs.owed_calldata(id_)))

    def payment(self, id_: Hash32, number: int) -> Payment:
        return logs.decode_payment(self.ask(POOLS_ADDRESS, logs.payment_calldata(id_, number)))


def standing(plan: PoolDraft) -> Standing:
    """A pool before its first distribution, as the Python model has it."""
    return Standing(
        terms=plan.terms,
        tranches=tuple(
            Tranche(one.name, one.seniority, one.rate_bp, sum(units for _, units in one.holders))
            for one in plan.tranches
        ),
        fees=plan.fees,
        holdings=tuple(one.holders for one in plan.tranches),
        tranches_owed=tuple(Owed() for _ in plan.tranches),
        fees_owed=tuple(Owed() for _ in plan.fees),
        account=Account(),
    )


def payments_in(events: Sequence[CashEvent]) -> list[Payment]:
    return [event.payment for event in events if isinstance(event, PaymentDue)]


def outcome_in(events: Sequence[CashEvent]) -> Distributed:
    (found,) = [event for event in events if isinstance(event, Distributed)]
    return found


def receivable(scene: PoolScene, number: str = "I-1") -> Hash32:
    """An accepted receivable that the trustee holds."""
    content = Draft(
        kind=Kind.INVOICE,
        number=number,
        creditor="trust-house",
        debtor="car-bank",
        terms=digest("terms"),
        amount=100_00,
        currency="CNY",
        due=scene.chain.time + 90 * 86_400,
        keys=(digest(number),),
    )
    made = scene.send("trust-house", RECEIVABLES_ADDRESS, create_calldata(content))
    assert made.status == 1
    id_ = receivable_id(CHAIN_ID, "trust-house", number)
    taken = accept_calldata(id_, 0, disputable=False)
    assert scene.send("car-bank", RECEIVABLES_ADDRESS, taken).status == 1
    return id_
