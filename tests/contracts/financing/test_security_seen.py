"""A bank sees what it is asked to lend on, as long as it is asked; no other bank does."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from contracts.consortium import Role
from contracts.financing import (
    accept_calldata,
    decline_calldata,
    draw_down_calldata,
    lapse_calldata,
    withdraw_calldata,
)
from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.instruments import Viewer, now
from contracts.receipts import (
    ReceiptQuery,
    find_receipt,
    list_receipts,
    receipt_history,
    receipt_terms,
    transfer_both_calldata,
)
from contracts.receivables import (
    ReceivableQuery,
    find_receivable,
    list_receivables,
    receivable_history,
)
from ledger.types import Hash32
from tests.contracts.financing.loans import DAY, Loans, hash_of

pytestmark = pytest.mark.feature("F8")
BANK, OTHER = (Viewer.of(name, Role.BANK) for name in ("bank", "other-bank"))


@pytest.fixture(scope="module")
def world() -> Loans:
    return Loans.opened()


def sees(world: Loans, receipt: Hash32, viewer: Viewer) -> bool:
    """By id, in the list (also a filtered one) and with its history, or nowhere."""
    with world.connect() as connection:
        found = find_receipt(connection, receipt, viewer) is not None
        acts = receipt_history(connection, receipt, viewer).items
        lists = [
            list_receipts(connection, query, viewer).items
            for query in (ReceiptQuery(), ReceiptQuery(holder="farm", states=("live",)))
        ]
    for items in lists:
        assert (receipt in [one.id for one in items]) == found
    assert bool(acts) == found
    return found


def test_the_banks_of_an_application_see_its_receipt_and_nobody_else_does(world: Loans) -> None:
    receipt = world.issue()
    assert not sees(world, receipt, BANK)
    world.applied(world.request(receipt), banks=("bank",))
    assert sees(world, receipt, BANK)
    assert not sees(world, receipt, OTHER)
    assert not sees(world, receipt, Viewer.of("mill", Role.MANUFACTURER))
    assert not sees(world, receipt, Viewer.nobody())


def test_its_document_is_seen_with_it(world: Loans) -> None:
    document = b'{"goods":"wheat"}'
    terms = Hash32(sha256(document).digest())
    receipt = world.issue(terms=terms, payload=document)
    world.applied(world.request(receipt), banks=("bank",))
    with world.connect() as connection:
        assert receipt_terms(connection, receipt, BANK) == document
        assert receipt_terms(connection, receipt, OTHER) is None


@pytest.mark.parametrize("end", ["declined", "withdrawn", "lapsed"])
def test_an_application_that_is_over_shows_it_no_longer(world: Loans, end: str) -> None:
    receipt = world.issue()
    id_ = world.applied(world.request(receipt, expires=world.chain.time + DAY))
    assert sees(world, receipt, BANK)
    if end == "declined":
        world.apply_("bank", decline_calldata(id_, 0, hash_of("reason")))
        assert sees(world, receipt, OTHER)
    elif end == "withdrawn":
        world.apply_("farm", withdraw_calldata(id_, 0))
    else:
        world.wait(2 * DAY)
        world.apply_("mill", lapse_calldata(id_, 0))
    assert not sees(world, receipt, BANK)
    assert sees(world, receipt, OTHER) == (end == "declined")


@pytest.mark.parametrize("accepted", [False, True])
def test_whoever_buys_it_is_not_watched_by_the_banks_that_were_asked(
    world: Loans, accepted: bool
) -> None:
    receipt = world.issue()
    id_ = world.applied(world.request(receipt), banks=("bank",))
    if accepted:
        world.apply_("farm", accept_calldata(id_, 0, "bank", world.approved(id_)))
    assert sees(world, receipt, BANK)
    world.receipts("farm", transfer_both_calldata(receipt, 0, "mill", "mill"))
    assert not sees(world, receipt, BANK)
    world.receipts("mill", transfer_both_calldata(receipt, 0, "farm", "farm"))
    assert sees(world, receipt, BANK)


@pytest.mark.parametrize("accepted", [False, True])
def test_an_application_is_over_with_its_time_even_if_nobody_says_so(
    world: Loans, monkeypatch: pytest.MonkeyPatch, accepted: bool
) -> None:
    receipt = world.issue()
    id_ = world.applied(world.request(receipt), banks=("bank",))
    until = world.application(id_).request.expires
    if accepted:
        world.apply_("farm", accept_calldata(id_, 0, "bank", world.approved(id_)))
        until = world.application(id_).valid_until
    monkeypatch.setattr(now.time, "time", lambda: until)
    assert sees(world, receipt, BANK)
    monkeypatch.setattr(now.time, "time", lambda: until + 1)
    assert not sees(world, receipt, BANK)


def test_who_lends_goes_on_seeing_it_and_who_lost_does_not(world: Loans) -> None:
    receipt = world.issue()
    id_ = world.applied(world.request(receipt))
    offer = world.approved(id_)
    assert sees(world, receipt, OTHER)
    world.apply_("farm", accept_calldata(id_, 0, "bank", offer))
    assert (sees(world, receipt, BANK), sees(world, receipt, OTHER)) == (True, False)
    world.finance("bank", draw_down_calldata(id_, 0))
    world.fund(10_000_00)
    world.repaid(id_, assets=[receipt])
    assert world.get(receipt).pledgee is None
    assert (sees(world, receipt, BANK), sees(world, receipt, OTHER)) == (True, False)


def test_a_receivable_is_shown_in_the_same_way(world: Loans) -> None:
    id_ = world.receivable()

    def shown(viewer: Viewer) -> bool:
        with world.connect() as connection:
            found = find_receivable(connection, id_, viewer) is not None
            items = list_receivables(connection, ReceivableQuery(), viewer).items
            acts = receivable_history(connection, id_, viewer).items
        assert (bool(items), bool(acts)) == (found, found)
        return found

    assert not shown(BANK)
    asked = world.request(instrument=RECEIVABLES_ADDRESS, asset_revision=2)
    loan = world.applied(replace(asked, asset=id_), banks=("bank",))
    assert (shown(BANK), shown(OTHER)) == (True, False)
    world.apply_("farm", withdraw_calldata(loan, 0))
    assert not shown(BANK)
