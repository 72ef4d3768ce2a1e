"""Sealed quotes of several banks."""

from __future__ import annotations

import pytest

from contracts.financing import (
    APPLICATIONS_ADDRESS,
    Application,
    ApplicationActed,
    Mode,
    SealedQuote,
    Stance,
    accept_calldata,
    approve_calldata,
    best_quote,
    commit_calldata,
    commitment,
    decline_calldata,
    decode_log,
    find_application,
    offer_hash,
    reveal_calldata,
)
from contracts.instruments import Viewer
from ledger.types import Hash32, Log
from tests.contracts.financing.loans import DAY, SALT, TERMS, Loans, hash_of

pytestmark = pytest.mark.feature("F9")


@pytest.fixture
def world() -> Loans:
    return Loans.opened()


def opening(id_: Hash32, rate_bp: int, amount: int = 80_000_00, salt: Hash32 = SALT) -> bytes:
    del amount
    return reveal_calldata(id_, 0, amount=80_000_00, rate_bp=rate_bp, text=TERMS, salt=salt)


def test_the_lowest_rate_wins_whoever_opens_first(world: Loans) -> None:
    id_ = world.applied(world.market())
    world.sealed(id_, "bank", 480)
    world.sealed(id_, "other-bank", 450)
    world.wait(2 * DAY)
    world.opened_quote(id_, "bank", 480)
    assert world.application(id_).best == "bank"
    world.opened_quote(id_, "other-bank", 450)
    assert world.application(id_).best == "other-bank"
    hashes = {
        bank: offer_hash(id_, bank, world.offer(id_, bank)) for bank in ("bank", "other-bank")
    }
    early = accept_calldata(id_, 0, "other-bank", hashes["other-bank"])
    assert world.no_application("farm", early) == "OutOfTime"
    world.wait(DAY)
    assert world.no_application("farm", accept_calldata(id_, 0, "bank", hashes["bank"])) == (
        "NotBest"
    )
    world.apply_("farm", early)
    assert world.application(id_).bank == "other-bank"


def test_no_event_says_what_sealed_quotes_have_made_of_an_application(world: Loans) -> None:
    """Hashes of events are public: small numbers in them would be. The tables have them all the
    same, by the offers."""
    request = world.market()
    id_ = world.applied(request, banks=("bank", "other-bank"))

    def told(logs: list[Log]) -> Application:
        events = [decode_log(one) for one in logs if one.address == APPLICATIONS_ADDRESS]
        (acted,) = [one for one in events if isinstance(one, ApplicationActed)]
        with world.connect() as connection:
            stored = find_application(connection, id_, Viewer.everything())
        assert stored is not None
        assert stored.application == world.application(id_)
        return acted.application

    def counted(one: Application) -> tuple[str | None, int, int]:
        return one.best, one.open, one.quotes

    seal = commitment(id_, "bank", 80_000_00, 480, TERMS, SALT)
    assert counted(told(world.apply_("bank", commit_calldata(id_, 0, seal)))) == (None, 0, 0)
    declined = world.apply_("other-bank", decline_calldata(id_, 0, TERMS))
    assert counted(told(declined)) == (None, 0, 0)
    world.wait(2 * DAY)
    assert counted(told(world.apply_("bank", opening(id_, 480)))) == (None, 0, 0)
    assert counted(told(world.apply_("farm", _nothing(id_)))) == (None, 0, 0)
    assert counted(world.application(id_)) == ("bank", 1, 1)
    world.wait(DAY)
    hash_ = offer_hash(id_, "bank", world.offer(id_, "bank"))
    accepted = world.apply_("farm", accept_calldata(id_, 0, "bank", hash_))
    assert counted(told(accepted)) == ("bank", 1, 1)


def test_of_equal_rates_that_which_was_sealed_first_wins(world: Loans) -> None:
    id_ = world.applied(world.market())
    world.sealed(id_, "other-bank", 450)
    world.sealed(id_, "bank", 450)
    world.wait(2 * DAY)
    world.opened_quote(id_, "bank", 450)
    world.opened_quote(id_, "other-bank", 450)
    assert world.application(id_).best == "other-bank"
    quotes = [
        SealedQuote(bank, offer.rate_bp, offer.order)
        for bank in ("bank", "other-bank")
        for offer in [world.offer(id_, bank)]
    ]
    found = best_quote(quotes)
    assert found is not None
    assert found.bank == "other-bank"
    assert best_quote([]) is None


def test_a_sealed_quote_is_neither_changed_nor_copied(world: Loans) -> None:
    id_ = world.applied(world.market())
    world.sealed(id_, "bank", 480)
    seal = commitment(id_, "bank", 80_000_00, 400, TERMS, SALT)
    assert world.no_application("bank", commit_calldata(id_, 0, seal)) == "AlreadyCommitted"
    assert world.no_application("bank", decline_calldata(id_, 0, TERMS)) == "OfferStands"
    copied = world.offer(id_, "bank").commitment
    assert copied is not None
    world.apply_("other-bank", commit_calldata(id_, 0, copied))
    world.wait(2 * DAY)
    assert world.no_application("bank", opening(id_, 479)) == "CommitmentDiffers"
    other_salt = opening(id_, 480, salt=hash_of("another"))
    assert world.no_application("bank", other_salt) == "CommitmentDiffers"
    world.opened_quote(id_, "bank", 480)
    # Who has copied the seal cannot open it: his own name is in what he would have to open.
    assert world.no_application("other-bank", opening(id_, 480)) == "CommitmentDiffers"


def test_quotes_are_handed_in_and_opened_each_in_its_time(world: Loans) -> None:
    request = world.market()
    id_ = world.applied(request)
    world.sealed(id_, "bank", 480)
    assert world.no_application("bank", opening(id_, 480)) == "OutOfTime"
    world.wait_until(request.quotes_until)
    seal = commitment(id_, "other-bank", 80_000_00, 460, TERMS, SALT)
    late = commit_calldata(id_, 0, seal)
    world.apply_("farm", _nothing(id_))  # a block at that very time
    assert world.no_application("other-bank", late) == "OutOfTime"
    assert world.no_application("other-bank", opening(id_, 460)) == "NoOffer"
    world.wait_until(request.reveal_until)
    world.apply_("farm", _nothing(id_))
    assert world.no_application("bank", opening(id_, 480)) == "OutOfTime"
    assert world.offer(id_, "bank").stance is Stance.COMMITTED
    assert world.application(id_).best is None  # what was not opened has lost


def _nothing(id_: Hash32) -> bytes:
    from contracts.financing import check_calldata

    return check_calldata(id_, 0)


def test_what_the_borrower_did_not_ask_for_cannot_be_opened(world: Loans) -> None:
    id_ = world.applied(world.market())
    world.sealed(id_, "bank", 901)
    world.sealed(id_, "other-bank", 300, amount=49_999_99)
    world.wait(2 * DAY)
    assert world.no_application("bank", opening(id_, 901)) == "InvalidRate"
    small = reveal_calldata(id_, 0, amount=49_999_99, rate_bp=300, text=TERMS, salt=SALT)
    assert world.no_application("other-bank", small) == "InvalidAmount"


def test_modes_do_not_mix(world: Loans) -> None:
    market, tiered = world.applied(world.market()), world.applied()
    seal = commitment(tiered, "bank", 80_000_00, 400, TERMS, SALT)
    assert world.no_application("bank", commit_calldata(tiered, 0, seal)) == "WrongMode"
    until = world.chain.time + DAY
    data = approve_calldata(market, 0, 80_000_00, until, TERMS)
    assert world.no_application("bank", data) == "WrongMode"
    assert world.application(market).request.mode is Mode.MARKET


def test_a_market_loan_is_drawn_at_the_winning_rate(world: Loans) -> None:
    from contracts.financing import draw_down_calldata

    id_ = world.applied(world.market())
    world.sealed(id_, "other-bank", 455, amount=70_000_00)
    world.wait(2 * DAY)
    world.opened_quote(id_, "other-bank", 455, amount=70_000_00)
    world.wait(DAY)
    hash_ = offer_hash(id_, "other-bank", world.offer(id_, "other-bank"))
    world.apply_("farm", accept_calldata(id_, 0, "other-bank", hash_))
    world.finance("other-bank", draw_down_calldata(id_, 0))
    loan = world.loan(id_)
    assert (loan.bank, loan.rate_bp, loan.debt.lent) == ("other-bank", 455, 70_000_00)
    assert world.deposit(bank="other-bank") == 70_000_00
