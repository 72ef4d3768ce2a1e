"""Every act in every state by every party, on the real EVM, against the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pytest

from contracts.consortium import organisation_id_word
from contracts.genesis import PLEDGES_ADDRESS, RECEIVABLES_ADDRESS
from contracts.instruments import Act, WhilePledged
from contracts.receivables import (
    MACHINE,
    Receivable,
    accept_calldata,
    agree_cancel_calldata,
    annul_calldata,
    award_calldata,
    cancel_calldata,
    concede_calldata,
    confirm_payment_calldata,
    create_calldata,
    declare_default_calldata,
    deliver_calldata,
    discharge_calldata,
    dispute_calldata,
    endorse_calldata,
    freeze_calldata,
    invoice_calldata,
    lapse_calldata,
    offer_cancel_calldata,
    permit_hash_calldata,
    present_calldata,
    recourse_calldata,
    refuse_calldata,
    reject_calldata,
    split_calldata,
    undertake_calldata,
    unfreeze_calldata,
    uphold_calldata,
    withdraw_dispute_calldata,
)
from contracts.refusals import refusal_name
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32
from tests.contracts.receivables.specimens import (
    BURDENS,
    Maker,
    Specimen,
    call_of,
    roles_of,
    undone,
)
from tests.contracts.receivables.world import (
    DECISION,
    DOCUMENT,
    KEYS,
    MEMBERS,
    World,
    bill,
    hash_of,
    invoice,
    order,
)

pytestmark = [pytest.mark.feature("F5"), pytest.mark.timeout(300)]

CONTRACTS: Final = ("settlement", "pledges", "financing")
FLAVOURS: Final = ("plain", "passed", "drawn", "offered", "endorsed", "invoiced")
LATE: Final = frozenset({"present", "declare-default", "lapse"})
INNER: Final = frozenset({"arise", "arise-order"})
"""Acts that have no function of their own."""

Call = Callable[[Hash32, Receivable | None, str], bytes]


def word(organisation: str) -> bytes:
    return organisation_id_word(organisation)


def holder_of(record: Receivable | None) -> bytes:
    return word(record.holder if record else "supplier")


def outstanding_of(record: Receivable | None) -> int:
    return record.outstanding if record else 5


def less(record: Receivable | None) -> int:
    return max(1, outstanding_of(record) - 1)


CALLS: Final[Mapping[str, Call]] = {
    "freeze": lambda i, r, by: freeze_calldata(i, 0, DECISION),
    "unfreeze": lambda i, r, by: unfreeze_calldata(
        i, 0, by if by in MEMBERS else "court", DECISION
    ),
    "award": lambda i, r, by: award_calldata(i, 0, "other-bank", DECISION),
    "permit": lambda i, r, by: permit_hash_calldata(i, 0, DOCUMENT),
    "encumber": lambda i, r, by: call_of("encumber", i, 0, holder_of(r), word("bank")),
    "disencumber": lambda i, r, by: call_of("disencumber", i, word("bank")),
    "seize": lambda i, r, by: call_of("seize", i, word("bank"), word("other-bank")),
    "lock": lambda i, r, by: call_of("lock", i, 0, holder_of(r)),
    "unlock": lambda i, r, by: call_of("unlock", i),
    "settle": lambda i, r, by: call_of("settle", i, 0, holder_of(r), word("other-bank")),
    "accept": lambda i, r, by: accept_calldata(i, 0),
    "confirm": lambda i, r, by: accept_calldata(i, 0),
    "refuse": lambda i, r, by: refuse_calldata(i, 0),
    "cancel": lambda i, r, by: cancel_calldata(i, 0),
    "offer-cancel": lambda i, r, by: offer_cancel_calldata(i, 0),
    "agree-cancel": lambda i, r, by: agree_cancel_calldata(i, 0),
    "invoice": lambda i, r, by: invoice_calldata(i, 0, [hash_of("new")], DOCUMENT),
    "deliver": lambda i, r, by: deliver_calldata(i, 0, DOCUMENT),
    "lapse": lambda i, r, by: lapse_calldata(i, 0),
    "undertake": lambda i, r, by: undertake_calldata(i, 0, recourse=True),
    "endorse": lambda i, r, by: endorse_calldata(i, 0, "other-bank", recourse=True),
    "reject": lambda i, r, by: reject_calldata(i, 0),
    "split": lambda i, r, by: split_calldata(i, 0, [1, less(r)]),
    "present": lambda i, r, by: present_calldata(i, 0),
    "discharge-part": lambda i, r, by: discharge_calldata(i, 0, "maker", 1),
    "discharge": lambda i, r, by: discharge_calldata(i, 0, "maker", outstanding_of(r)),
    "confirm-part": lambda i, r, by: confirm_payment_calldata(i, 0, 1),
    "confirm-payment": lambda i, r, by: confirm_payment_calldata(i, 0, outstanding_of(r)),
    "dispute": lambda i, r, by: dispute_calldata(i, 0, DOCUMENT, "mouldy"),
    "withdraw-dispute": lambda i, r, by: withdraw_dispute_calldata(i, 0),
    "concede": lambda i, r, by: concede_calldata(i, 0, less(r)),
    "uphold": lambda i, r, by: uphold_calldata(i, 0, less(r), DECISION),
    "annul": lambda i, r, by: annul_calldata(i, 0, DECISION),
    "declare-default": lambda i, r, by: declare_default_calldata(i, 0),
    "recourse": lambda i, r, by: recourse_calldata(i, 0),
}


def further(act: str, specimen: Specimen, record: Receivable | None, by: str) -> str | None:
    """What an act needs beside what the table says; the error where it is not there."""
    flavour, burden = specimen.flavour, specimen.burden
    passed = flavour in ("passed", "endorsed")
    secured = by == "bank" and burden == "pledged"
    needs = {
        "freeze": (burden != "frozen", "FreezeUnchanged"),
        "unfreeze": (burden == "frozen", "FreezeUnchanged"),
        "award": (burden == "frozen", "FreezeUnchanged"),
        "disencumber": (burden == "pledged", "NotEntitled"),
        "seize": (burden == "pledged", "NotEntitled"),
        "unlock": (burden == "locked", "NotLocked"),
        "offer-cancel": (not passed, "InvalidParty"),
        "agree-cancel": (flavour == "offered" and by != "maker", "NotOffered"),
        "deliver": (flavour == "invoiced", "NotInvoiced"),
        "invoice": (flavour != "invoiced" or secured, "InvoiceUnchanged"),
        "reject": (flavour == "endorsed", "NothingToReject"),
        "recourse": (passed, "NobodyStandsBehind"),
        "split": (flavour != "invoiced", "InvoiceUnchanged"),
    }
    fulfilled, error = needs.get(act, (True, ""))
    return None if fulfilled else error


def refused_by_the_table(act: Act, specimen: Specimen, roles: set[str]) -> str | None:
    """The error that the table asks for; None where the act is possible."""
    if not roles & set(act.by):
        return "NotEntitled"
    if specimen.state not in act.states:
        return "WrongState"
    if specimen.burden == "frozen" and not act.while_frozen:
        return "InstrumentFrozen"
    if specimen.burden == "locked" and not act.while_locked:
        return "InstrumentLocked"
    if specimen.burden == "pledged" and act.while_pledged is not WhilePledged.FREE:
        return "InstrumentPledged"
    return None


def expected(act: Act, specimen: Specimen, record: Receivable | None, by: str) -> str | None:
    """The error with which an act ends; None where it goes well."""
    own = not set(act.by) & set(CONTRACTS)
    if by in CONTRACTS:
        if own:
            return "CallerNotActive"
        return refused_by_the_table(act, specimen, {by}) or further(act.name, specimen, record, by)
    if record is None and own:
        return "UnknownInstrument"
    roles = roles_of(record, by)
    return refused_by_the_table(act, specimen, roles) or further(act.name, specimen, record, by)


@dataclass
class Gallery:
    """All specimens, and who asks."""

    world: World
    specimens: list[Specimen] = field(default_factory=list)
    senders: dict[str, Address] = field(default_factory=dict)
    records: dict[Hash32, Receivable | None] = field(default_factory=dict)
    """What each specimen is on the ledger: no test leaves one changed."""

    @classmethod
    def filled(cls) -> Gallery:
        world = World.founded()
        gallery = cls(world)
        maker = Maker(world)
        for state in MACHINE.states:
            for burden in BURDENS:
                for flavour in FLAVOURS:
                    specimen = maker.make(state, burden, flavour)
                    if specimen is not None:
                        gallery.specimens.append(specimen)
        gallery.senders = {name: KEYS[name].address for name in MEMBERS}
        gallery.senders["settlement"] = world.settlement
        gallery.senders["pledges"] = PLEDGES_ADDRESS
        gallery.senders["financing"] = world.financing
        gallery.records = {one.id: world.find(one.id) for one in gallery.specimens}
        return gallery

    def refusal(self, act: Act, specimen: Specimen, record: Receivable | None, by: str) -> str:
        """The error's name, empty where the call goes well."""
        data = CALLS[act.name](specimen.id, record, by)
        chain, number = self.world.chain, self.world.chain.number
        if act.name in LATE and record is not None:
            self.world.wait_until(max(record.due, record.deliver_by) + record.grace_seconds + 1)
        chain.number += 1
        try:
            result = chain.call(self.senders[by], RECEIVABLES_ADDRESS, data)
        finally:
            chain.number = number
        assert result.error is None, result.error
        return (refusal_name(result.output) or "unknown") if result.reverted else ""


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery.filled()


def test_there_is_a_specimen_of_every_state(gallery: Gallery) -> None:
    for specimen in gallery.specimens:
        record = gallery.world.find(specimen.id)
        assert (record.state if record else "none") == specimen.state
        if record is None:
            continue
        assert (record.freezes, record.locked) == (
            2 * (specimen.burden == "frozen"),
            specimen.burden == "locked",
        )
        assert (record.pledgee == "bank") == (specimen.burden == "pledged")
    assert {specimen.state for specimen in gallery.specimens} == set(MACHINE.states)


@pytest.mark.parametrize(
    "act", [act for act in MACHINE.acts if act.name in CALLS], ids=lambda act: act.name
)
def test_an_act_is_possible_exactly_where_the_table_says(gallery: Gallery, act: Act) -> None:
    done = 0
    for specimen in gallery.specimens:
        record = gallery.records[specimen.id]
        if act.name == "confirm" and specimen.state not in ("none", "confirmed", "lapsed"):
            continue  # of an order, which the other specimens are not
        for by in gallery.senders:
            wanted = expected(act, specimen, record, by) or ""
            found = gallery.refusal(act, specimen, record, by)
            assert found == wanted, f"{act.name} by {by}: {specimen}"
            done += wanted == ""
    assert done or act.name == "confirm", "possible nowhere"


def test_every_act_has_its_row_and_its_call() -> None:
    assert set(CALLS) | INNER | {"create"} == {act.name for act in MACHINE.acts}


def test_an_act_leads_where_the_table_says(gallery: Gallery) -> None:
    """Once for each act in each state that allows it, sent as a transaction."""
    world, led = gallery.world, set()
    for act in MACHINE.acts:
        for specimen in gallery.specimens:
            record = gallery.records[specimen.id]
            place = (act.name, specimen.state)
            if act.name not in CALLS or act.name == "confirm" or place in led or record is None:
                continue
            senders = [*MEMBERS, "settlement"]
            may = [by for by in senders if expected(act, specimen, record, by) is None]
            if not may:
                continue
            with undone(world):
                if act.name in LATE:
                    until = max(record.due, record.deliver_by) + record.grace_seconds + 1
                    world.wait_until(until)
                world.act(may[0], CALLS[act.name](specimen.id, record, may[0]))
                after = world.get(specimen.id)
                assert after.state == MACHINE.after(act, specimen.state), place
                assert after.revision == record.revision + 1
            led.add(place)
    possible = {(act.name, state) for act in MACHINE.acts for state in act.states}
    outside = {"create", "confirm", *INNER, "encumber", "disencumber", "seize"}  # by Pledges
    assert {place for place in possible if place[0] not in outside} == led


@pytest.mark.parametrize("by", [*MEMBERS])
def test_whoever_trades_creates_for_himself(gallery: Gallery, by: str) -> None:
    world = gallery.world
    debtor = "tier-two" if by == "maker" else "maker"
    keys = (hash_of("a new key"),)
    own = create_calldata(invoice(world, "own", creditor=by, debtor=debtor, keys=keys))
    drawn = create_calldata(bill(world, "drawn", creditor="other-bank", debtor=debtor))
    watches = by in ("regulator", "court")
    assert world.refusal(by, own) == ("InvalidParty" if watches else None)
    assert world.refusal(by, drawn) == ("InvalidParty" if watches else None)


def test_an_order_is_confirmed_by_its_debtor_alone(gallery: Gallery) -> None:
    world = gallery.world
    with undone(world):
        id_ = world.create(order(world, "to-confirm"))
        for by in MEMBERS:
            found = world.refusal(by, accept_calldata(id_, 0))
            assert found == (None if by == "maker" else "NotEntitled")
        world.act("maker", accept_calldata(id_, 0))
        assert world.get(id_).state == "confirmed"


def test_a_permit_is_for_one_call_once(gallery: Gallery) -> None:
    world = gallery.world
    for act in MACHINE.acts:
        if act.while_pledged is not WhilePledged.PERMIT or act.name == "reject":
            continue
        wanted = [s for s in gallery.specimens if s.burden == "pledged" and s.state in act.states]
        fits = [s for s in wanted if further(act.name, s, None, "") is None]
        specimen = fits[0]
        record = world.get(specimen.id)
        with undone(world):
            call = CALLS[act.name](specimen.id, record, record.holder)
            other = CALLS[act.name](specimen.id, record, record.holder) + b"\0"
            world.act("bank", permit_hash_calldata(specimen.id, 0, Hash32(keccak(call))))
            assert world.refusal(record.holder, other) == "InstrumentPledged"
            world.act(record.holder, call)
            after = world.get(specimen.id)
            if act.to is None or act.to not in ("paid", "split"):
                assert world.refusal(record.holder, call) is not None
            assert after.revision == record.revision + 2
