"""A farm that borrows against wheat in store, two banks, a platform: on a chain in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from contracts.consortium import organisation_id_word
from contracts.financing import (
    ALL,
    APPLICATIONS_ADDRESS,
    FINANCING_ADDRESS,
    PRICING_ADDRESS,
    Application,
    Contribution,
    Loan,
    Mode,
    Offer,
    Request,
    Tier,
    accept_calldata,
    application_calldata,
    apply_calldata,
    approve_calldata,
    commit_calldata,
    commitment,
    decode_application,
    decode_loan,
    decode_offer,
    decode_owed,
    decode_standing,
    draw_down_calldata,
    loan_calldata,
    loan_id,
    offer_calldata,
    offer_hash,
    owed_calldata,
    publish_calldata,
    repay_calldata,
    reveal_calldata,
    standing_calldata,
)
from contracts.genesis import (
    DEPOSITS_ADDRESS,
    PLEDGES_ADDRESS,
    RECEIPTS_ADDRESS,
    RECEIVABLES_ADDRESS,
)
from contracts.pledges import Pledge, decode_pledge, pledge_calldata
from contracts.receivables import Draft, Kind, create_calldata, receivable_id
from contracts.receivables import accept_calldata as debtor_accepts
from contracts.settlement.binding import account_calldata, decode_account, issue_calldata
from ledger.types import Hash32, Log
from tests.contracts.receipts.world import DAY, FOUNDERS, KEYS, World, hash_of
from tests.contracts.scene import CHAIN_ID, MemoryChain, entries
from tests.contracts.tables import Tables

CURRENCY: Final = "CNY"
TIERS: Final = (
    Tier(100_000_00, 90, 450, kind="receipts"),
    Tier(1_000_000_00, 365, 520, kind="receipts"),
    Tier(5_000_000_00, 730, 700),
)
CONTRIBUTION: Final = Contribution(points_per_bp=100, discount_bp_max=60, floor_bp=400)
TERMS: Final = hash_of("terms of the offer")
SALT: Final = hash_of("salt")


class MovingChain(MemoryChain):
    """A chain whose clock can be put forward."""

    ahead = 0

    @property
    def time(self) -> int:
        return super().time + self.ahead


@dataclass
class Loans(World):
    """The world of receipts, with loans."""

    applications: int = 0

    @classmethod
    def opened(cls, *more: Tables) -> Loans:
        """Wheat is counted, both banks have published a table, the farm has a deposit at each."""
        genesis = entries(FOUNDERS, votes={"operator": 1})
        world = cls(MovingChain.of(genesis), [Tables.of(genesis), *more])
        world.lot = world.register("granary", "silo 1", "wheat")
        world.count(world.lot, 1_000_000)
        for bank in ("bank", "other-bank"):
            data = publish_calldata(CURRENCY, TIERS, CONTRIBUTION, hash_of("conditions"))
            world.act(bank, PRICING_ADDRESS, data)
        return world

    def wait(self, seconds: int) -> None:
        assert isinstance(self.chain, MovingChain)
        self.chain.ahead += seconds

    def wait_until(self, time: int) -> None:
        """The next block has this time."""
        self.wait(time - self.chain.time - 1)

    # ---- calls ------------------------------------------------------------------------------

    def apply_(self, who: str, data: bytes) -> list[Log]:
        return self.act(who, APPLICATIONS_ADDRESS, data)

    def finance(self, who: str, data: bytes) -> list[Log]:
        return self.act(who, FINANCING_ADDRESS, data)

    def no_application(self, who: str, data: bytes) -> str:
        return self.refused(who, APPLICATIONS_ADDRESS, data)

    def no_finance(self, who: str, data: bytes) -> str:
        return self.refused(who, FINANCING_ADDRESS, data)

    # ---- steps ------------------------------------------------------------------------------

    def invoice(self, number: str = "I-1", debtor: str = "mill", amount: int = 100_000_00) -> Draft:
        """What is owed to the farm."""
        return Draft(
            kind=Kind.INVOICE,
            number=number,
            creditor="farm",
            debtor=debtor,
            terms=hash_of("terms"),
            amount=amount,
            currency=CURRENCY,
            due=self.chain.time + 90 * DAY,
            keys=(hash_of(number),),
        )

    def receivable(
        self, number: str = "I-1", debtor: str = "mill", amount: int = 100_000_00
    ) -> Hash32:
        """An invoice that its debtor has accepted for good (revision 2)."""
        self.act("farm", RECEIVABLES_ADDRESS, create_calldata(self.invoice(number, debtor, amount)))
        id_ = receivable_id(CHAIN_ID, "farm", number)
        self.act(debtor, RECEIVABLES_ADDRESS, debtor_accepts(id_, 0, disputable=False))
        return id_

    def request(self, asset: Hash32 | None = None, **changes: object) -> Request:
        """What the farm asks for, against a receipt of its own."""
        self.applications += 1
        collateral = self.issue() if asset is None else asset
        request = Request(
            number=f"L-{self.applications}",
            instrument=RECEIPTS_ADDRESS,
            asset=collateral,
            asset_revision=self.get(collateral).revision,
            amount=80_000_00,
            amount_min=50_000_00,
            currency=CURRENCY,
            term_days=60,
            year_days=360,
            mode=Mode.TIERED,
            purpose=hash_of("seed"),
            expires=self.chain.time + 20 * DAY,
            penalty_bp=300,
            grace_seconds=3 * DAY,
            notice_seconds=10 * DAY,
        )
        return replace(request, **changes)  # type: ignore[arg-type]

    def market(self, asset: Hash32 | None = None, **changes: object) -> Request:
        """The same with sealed quotes."""
        now = self.chain.time
        values: dict[str, object] = {
            "mode": Mode.MARKET,
            "quotes_until": now + 2 * DAY,
            "reveal_until": now + 3 * DAY,
            "rate_bp_max": 900,
        }
        return self.request(asset, **values | changes)

    def applied(
        self,
        request: Request | None = None,
        banks: Sequence[str] = ("bank", "other-bank"),
        who: str = "farm",
    ) -> Hash32:
        wanted = request or self.request()
        version = 0 if wanted.mode is Mode.MARKET else 1
        self.apply_(who, apply_calldata(wanted, [(bank, version) for bank in banks]))
        return loan_id(CHAIN_ID, who, wanted.number)

    def approved(self, id_: Hash32, bank: str = "bank", amount: int = 80_000_00) -> Hash32:
        until = self.chain.time + 10 * DAY
        self.apply_(bank, approve_calldata(id_, 0, amount, until, TERMS))
        return offer_hash(id_, bank, self.offer(id_, bank))

    def accepted(self, request: Request | None = None) -> Hash32:
        id_ = self.applied(request)
        self.apply_("farm", accept_calldata(id_, 0, "bank", self.approved(id_)))
        return id_

    def drawn(self, request: Request | None = None) -> Hash32:
        id_ = self.accepted(request)
        self.finance("bank", draw_down_calldata(id_, 0))
        return id_

    def sealed(self, id_: Hash32, bank: str, rate_bp: int, amount: int = 80_000_00) -> None:
        seal = commitment(id_, bank, amount, rate_bp, TERMS, SALT)
        self.apply_(bank, commit_calldata(id_, 0, seal))

    def opened_quote(self, id_: Hash32, bank: str, rate_bp: int, amount: int = 80_000_00) -> None:
        data = reveal_calldata(id_, 0, amount=amount, rate_bp=rate_bp, text=TERMS, salt=SALT)
        self.apply_(bank, data)

    def fund(self, amount: int, who: str = "farm", bank: str = "bank") -> None:
        """The bank owes the organisation more."""
        self.numbers += 1
        data = issue_calldata(who, CURRENCY, amount, f"D-{self.numbers}")
        self.act(bank, DEPOSITS_ADDRESS, data)

    def repaid(self, id_: Hash32, amount: int = ALL, assets: Sequence[Hash32] = ()) -> None:
        self.finance("farm", repay_calldata(id_, 0, amount, assets))

    # ---- answers ----------------------------------------------------------------------------

    def application(self, id_: Hash32) -> Application:
        found = decode_application(self.read(APPLICATIONS_ADDRESS, application_calldata(id_)))
        assert found is not None
        return found

    def offer(self, id_: Hash32, bank: str) -> Offer:
        data = offer_calldata(id_, organisation_id_word(bank))
        return decode_offer(self.read(APPLICATIONS_ADDRESS, data))

    def loan(self, id_: Hash32) -> Loan:
        found = decode_loan(self.read(FINANCING_ADDRESS, loan_calldata(id_)))
        assert found is not None
        return found

    def state(self, id_: Hash32) -> str:
        """Of the loan, or of its application where it was not paid out."""
        revision, state = decode_standing(self.read(FINANCING_ADDRESS, standing_calldata(id_)))
        if revision == 0:
            data = self.read(APPLICATIONS_ADDRESS, standing_calldata(id_))
            _, state = decode_standing(data)
        return state

    def owed(self, id_: Hash32, time: int | None = None) -> tuple[int, int]:
        at = self.chain.time if time is None else time
        return decode_owed(self.read(FINANCING_ADDRESS, owed_calldata(id_, at)))

    def pledge_of(self, id_: Hash32) -> Pledge:
        key = self.loan(id_).pledge
        assert key is not None
        found = decode_pledge(self.read(PLEDGES_ADDRESS, pledge_calldata(key)))
        assert found is not None
        return found

    def deposit(self, who: str = "farm", bank: str = "bank") -> int:
        data = account_calldata(bank, CURRENCY, who)
        found = decode_account(self.read(DEPOSITS_ADDRESS, data))
        return 0 if found is None else found.balance


__all__ = ["CONTRIBUTION", "DAY", "KEYS", "SALT", "TERMS", "TIERS", "Loans", "hash_of"]
