"""Applications: checks, advice and decision apart, offers, signatures."""

from __future__ import annotations

import pytest

from contracts.financing import (
    APPLICATIONS_ADDRESS,
    Advised,
    ApplicationActed,
    Fact,
    OfferChanged,
    Stance,
    accept_calldata,
    advise_calldata,
    apply_calldata,
    approve_calldata,
    check_calldata,
    decline_calldata,
    decode_log,
    draw_down_calldata,
    lapse_calldata,
    offer_hash,
    sign_calldata,
    withdraw_calldata,
)
from contracts.receipts import freeze_calldata, transfer_both_calldata
from ledger.types import Hash32
from tests.contracts.financing.loans import DAY, TERMS, Loans, hash_of

pytestmark = pytest.mark.feature("F8")


@pytest.fixture
def world() -> Loans:
    return Loans.opened()


def advice(id_: Hash32) -> bytes:
    return advise_calldata(id_, 0, score=712, limit=90_000_00, rate_bp=480, text=hash_of("reasons"))


def test_an_application_tells_all_its_conditions_and_whom_it_is_open_to(world: Loans) -> None:
    request = world.request()
    logs = world.apply_("farm", apply_calldata(request, [("bank", 1), ("other-bank", 1)]))
    acted, first, second = (decode_log(log) for log in logs)
    assert isinstance(acted, ApplicationActed)
    assert (acted.act, acted.state, acted.revision, acted.by) == ("apply", "applied", 1, "farm")
    assert acted.application.request == request
    assert acted.application.open == 2
    assert acted.application.check is None
    assert isinstance(first, OfferChanged)
    assert isinstance(second, OfferChanged)
    assert (first.bank, first.offer.stance, first.offer_hash) == ("bank", Stance.NONE, None)
    assert (second.bank, second.offer.table_version) == ("other-bank", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "0x" + "00" * 32},
        {"amount": 0},
        {"amount": 1 << 120, "amount_min": 1},
        {"amount_min": 0},
        {"amount_min": 80_000_01},
        {"term_days": 0},
        {"term_days": 10_951},
        {"year_days": 366},
        {"purpose": Hash32(bytes(32))},
        {"expires": 1},
        {"expires": 1 << 47},
        {"penalty_bp": 10_001},
        {"grace_seconds": 367 * DAY},
        {"notice_seconds": 367 * DAY},
        {"quotes_until": 1_900_000_000},
        {"rate_bp_max": 1},
        {"asset_revision": 9},
        {"asset": hash_of("nothing")},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_conditions_that_cannot_be_are_refused(world: Loans, wrong: dict[str, object]) -> None:
    request = world.request(**{"asset": world.issue()} | {})
    bad = world.request(request.asset, **{k: v for k, v in wrong.items() if k != "asset"})
    if "asset" in wrong:
        bad = type(bad)(**{**_fields(bad), "asset": wrong["asset"]})
    data = apply_calldata(bad, [("bank", 1)])
    assert world.no_application("farm", data) == "InvalidRequest"
    world.apply_("farm", apply_calldata(request, [("bank", 1)]))


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}  # type: ignore[attr-defined]


def test_only_the_holder_applies_once_and_only_to_banks(world: Loans) -> None:
    request = world.request()
    data = apply_calldata(request, [("bank", 1)])
    assert world.no_application("mill", data) == "InvalidRequest"
    none: list[tuple[str, int]] = []
    assert world.no_application("farm", apply_calldata(request, none)) == "InvalidInvitations"
    for banks, error in (
        ([("mill", 1)], "NotBank"),
        ([("bank", 1), ("bank", 1)], "InvalidInvitations"),
        ([("bank", 2)], "InvalidRequest"),
        ([("bank", 0)], "InvalidRequest"),
    ):
        assert world.no_application("farm", apply_calldata(request, banks)) == error
    world.apply_("farm", data)
    assert world.no_application("farm", data) == "LoanExists"


def test_the_ledger_says_what_is_amiss_with_a_collateral(world: Loans) -> None:
    request = world.request()
    id_ = world.applied(request)

    def found() -> Fact:
        world.apply_("operator", check_calldata(id_, 0))
        check = world.application(id_).check
        assert check is not None
        assert check.block_number == world.chain.number
        assert check.applicable == Fact(15)
        return check.failed

    assert not found()
    world.count(world.lot, 1_000)
    assert found() == Fact.STOCK
    world.count(world.lot, 1_000_000)
    world.wait(31 * DAY)
    assert found() == Fact.STOCK  # the count is too old to lend on
    world.count(world.lot, 1_000_000)
    freeze = freeze_calldata(request.asset, 0, hash_of("decision"))
    world.receipts("court", freeze)
    assert found() == Fact.TITLE


def test_pledge_and_second_application_are_seen(world: Loans) -> None:
    asset = world.issue()
    first, second = world.applied(world.request(asset)), world.applied(world.request(asset))
    hash_ = world.approved(second)
    world.apply_("farm", accept_calldata(first, 0, "bank", world.approved(first)))
    world.apply_("bank", check_calldata(second, 0))
    check = world.application(second).check
    assert check is not None
    assert check.failed == Fact.DUPLICATE
    accept = accept_calldata(second, 0, "bank", hash_)
    assert world.no_application("farm", accept) == "CheckFailed"
    world.finance("bank", draw_down_calldata(first, 0))
    world.apply_("bank", check_calldata(second, 0))
    check = world.application(second).check
    assert check is not None
    assert check.failed & Fact.PLEDGE


def test_a_withdrawn_acceptance_frees_the_collateral_for_another(world: Loans) -> None:
    asset = world.issue()
    first, second = world.applied(world.request(asset)), world.applied(world.request(asset))
    world.apply_("farm", accept_calldata(first, 0, "bank", world.approved(first)))
    world.apply_("farm", withdraw_calldata(first, 0))
    assert world.state(first) == "withdrawn"
    world.apply_("farm", accept_calldata(second, 0, "bank", world.approved(second)))
    assert world.state(second) == "accepted"


def test_advice_is_the_operators_and_decides_nothing(world: Loans) -> None:
    id_ = world.applied()
    assert world.no_application("bank", advice(id_)) == "NotEntitled"
    assert world.no_application("farm", advice(id_)) == "NotEntitled"
    before = world.offer(id_, "bank")
    logs = world.apply_("operator", advice(id_))
    told = decode_log(logs[1])
    assert isinstance(told, Advised)
    assert (told.advice.score, told.advice.limit, told.advice.rate_bp) == (712, 90_000_00, 480)
    assert world.offer(id_, "bank") == before
    until = world.chain.time + DAY
    decision = approve_calldata(id_, 0, 80_000_00, until, TERMS)
    assert world.no_application("operator", decision) == "NotEntitled"
    refusal = decline_calldata(id_, 0, hash_of("no"))
    assert world.no_application("operator", refusal) == "NotEntitled"
    # The bank is not bound by advice: it offers more than the limit that was advised.
    world.apply_("bank", approve_calldata(id_, 0, 80_000_00, until, TERMS))


def test_a_bank_decides_once_and_its_offer_binds_until_it_ends(world: Loans) -> None:
    id_ = world.applied()
    assert world.no_application("mill", decline_calldata(id_, 0, TERMS)) == "NotEntitled"
    world.approved(id_)
    again = approve_calldata(id_, 0, 60_000_00, world.chain.time + 2 * DAY, TERMS)
    assert world.no_application("bank", again) == "OfferStands"
    assert world.no_application("bank", decline_calldata(id_, 0, TERMS)) == "OfferStands"
    old = offer_hash(id_, "bank", world.offer(id_, "bank"))
    world.wait(11 * DAY)
    assert world.no_application("farm", accept_calldata(id_, 0, "bank", old)) == "OutOfTime"
    until = world.chain.time + 2 * DAY
    world.apply_("bank", approve_calldata(id_, 0, 60_000_00, until, TERMS))
    assert world.no_application("farm", accept_calldata(id_, 0, "bank", old)) == "OfferDiffers"
    new = offer_hash(id_, "bank", world.offer(id_, "bank"))
    world.apply_("farm", accept_calldata(id_, 0, "bank", new))


def test_amounts_and_times_of_an_offer_keep_to_the_application(world: Loans) -> None:
    id_, now = world.applied(), world.chain.time
    for amount in (49_999_99, 80_000_01):
        data = approve_calldata(id_, 0, amount, now + DAY, TERMS)
        assert world.no_application("bank", data) == "InvalidAmount"
    for until in (now, now + 21 * DAY):
        data = approve_calldata(id_, 0, 60_000_00, until, TERMS)
        assert world.no_application("bank", data) == "InvalidTime"
    data = approve_calldata(id_, 0, 60_000_00, now + DAY, Hash32(bytes(32)))
    assert world.no_application("bank", data) == "HashMissing"


def test_when_all_have_declined_or_time_is_over_anybody_ends_it(world: Loans) -> None:
    id_ = world.applied()
    world.apply_("bank", decline_calldata(id_, 0, hash_of("too much")))
    assert world.no_application("mill", lapse_calldata(id_, 0)) == "NotYet"
    world.apply_("other-bank", decline_calldata(id_, 0, hash_of("no wheat")))
    world.apply_("mill", lapse_calldata(id_, 0))
    assert world.state(id_) == "lapsed"
    other = world.applied()
    assert world.no_application("mill", lapse_calldata(other, 0)) == "NotYet"
    world.wait(21 * DAY)
    world.apply_("mill", lapse_calldata(other, 0))
    assert world.state(other) == "lapsed"


def test_collateral_that_changed_hands_can_back_nothing(world: Loans) -> None:
    request = world.request()
    id_ = world.applied(request)
    hash_ = world.approved(id_)
    world.receipts("farm", transfer_both_calldata(request.asset, 0, "mill", "mill"))
    accept = accept_calldata(id_, 0, "bank", hash_)
    assert world.no_application("farm", accept) == "CheckFailed"


def test_both_sign_the_same_agreement_before_payout(world: Loans) -> None:
    id_ = world.accepted(world.request(agreement=True))
    draw = draw_down_calldata(id_, 0)
    assert world.no_finance("bank", draw) == "NotSigned"
    world.apply_("farm", sign_calldata(id_, 0, hash_of("agreement")))
    assert world.no_finance("bank", draw) == "NotSigned"
    world.apply_("bank", sign_calldata(id_, 0, hash_of("another")))
    assert world.no_finance("bank", draw) == "NotSigned"
    assert world.no_application("other-bank", sign_calldata(id_, 0, TERMS)) == "NotEntitled"
    world.apply_("bank", sign_calldata(id_, 0, hash_of("agreement")))
    world.finance("bank", draw)
    assert world.loan(id_).terms == hash_of("agreement")
    assert world.pledge_of(id_).terms.terms == hash_of("agreement")


def test_who_acts_on_what_he_has_not_seen_is_refused(world: Loans) -> None:
    id_ = world.applied()
    assert world.no_application("farm", withdraw_calldata(id_, 2)) == "StaleRevision"
    world.apply_("farm", withdraw_calldata(id_, 1))
    assert world.no_application("farm", withdraw_calldata(id_, 2)) == "WrongState"
    unknown = hash_of("unknown")
    assert world.no_application("farm", withdraw_calldata(unknown, 0)) == "UnknownLoan"
    remark = withdraw_calldata(id_, 0, "x" * 257)
    assert world.no_application("farm", remark) == "RemarkTooLong"


def test_an_offer_is_concluded_by_financing_alone(world: Loans) -> None:
    from contracts.abi import Function
    from contracts.consortium import organisation_id_word
    from contracts.financing import APPLICATIONS_ARTIFACT

    id_ = world.accepted()
    conclude = Function.of(APPLICATIONS_ARTIFACT, "conclude")
    data = conclude.calldata(id_, 0, organisation_id_word("bank"))
    assert world.refused("bank", APPLICATIONS_ADDRESS, data) == "NotFinancing"
    assert world.no_finance("farm", draw_down_calldata(id_, 0)) == "NotEntitled"
    assert world.no_finance("other-bank", draw_down_calldata(id_, 0)) == "NotEntitled"
