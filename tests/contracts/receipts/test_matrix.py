"""Every act in every state by every party, on the real EVM, against the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from contracts.consortium import organisation_id_word
from contracts.genesis import RECEIPTS_ADDRESS
from contracts.instruments import COMMON_PARTIES, Act, WhilePledged
from contracts.receipts import (
    MACHINE,
    Draft,
    Purpose,
    ReceiptActed,
    award_calldata,
    cancel_calldata,
    decode_log,
    deliver_calldata,
    endorse_calldata,
    expire_calldata,
    extend_calldata,
    freeze_calldata,
    issue_calldata,
    merge_calldata,
    nominate_calldata,
    permit_hash_calldata,
    recall_calldata,
    reject_both_calldata,
    reject_holding_calldata,
    reject_ownership_calldata,
    replace_calldata,
    request_delivery_calldata,
    restore_calldata,
    shred_calldata,
    split_calldata,
    surrender_calldata,
    to_electronic_calldata,
    to_paper_calldata,
    transfer_both_calldata,
    transfer_holding_calldata,
    unfreeze_calldata,
)
from contracts.receipts.genesis import RECEIPTS_ARTIFACT
from ledger.types import Address
from tests.contracts.receipts.specimens import (
    BURDENS,
    CONTRACTS,
    QUANTITY,
    Cabinet,
    Specimen,
    call_of,
)
from tests.contracts.receipts.world import DAY, KEYS, SCALE, hash_of
from tests.contracts.scene import error_of, key

DECISION: Final = hash_of("decision 7 of 2027")
LIVING: Final = 4_000_000_000
"""A storage period that is not over."""
UNASKED: Final = frozenset({"issue", "arise"})
"""Acts on what does not exist: a test of their own."""

Call = Callable[[Cabinet, str], bytes]


def word(organisation: str) -> bytes:
    return organisation_id_word(organisation)


def correct(cabinet: Cabinet) -> Draft:
    world = cabinet.world
    return Draft("CORRECT", world.lot, hash_of("g"), hash_of("t"), "farm", "farm", 9_000, LIVING)


CALLS: Final[Mapping[str, Call]] = {
    "freeze": lambda c, by: freeze_calldata(c.id, 0, DECISION),
    "unfreeze": lambda c, by: unfreeze_calldata(c.id, 0, by if by in KEYS else "court", DECISION),
    "award": lambda c, by: award_calldata(c.id, 0, "mill", DECISION),
    "permit": lambda c, by: permit_hash_calldata(c.id, 0, DECISION),
    "encumber": lambda c, by: call_of("encumber", c.id, 0, word("farm"), word("bank")),
    "disencumber": lambda c, by: call_of("disencumber", c.id, word("bank")),
    "seize": lambda c, by: call_of("seize", c.id, word("bank"), word("mill")),
    "lock": lambda c, by: call_of("lock", c.id, 0, word("farm")),
    "unlock": lambda c, by: call_of("unlock", c.id),
    "settle": lambda c, by: call_of("settle", c.id, 0, word("farm"), word("mill")),
    "nominate": lambda c, by: nominate_calldata(c.id, 0, "other-bank"),
    "endorse": lambda c, by: endorse_calldata(c.id, 0, "trader"),
    "transfer-holding": lambda c, by: transfer_holding_calldata(c.id, 0, "trader"),
    "transfer-both": lambda c, by: transfer_both_calldata(c.id, 0, "trader", "trader"),
    "reject-ownership": lambda c, by: reject_ownership_calldata(c.id, 0),
    "reject-holding": lambda c, by: reject_holding_calldata(c.id, 0),
    "reject-both": lambda c, by: reject_both_calldata(c.id, 0),
    "surrender": lambda c, by: surrender_calldata(c.id, 0, Purpose.DELIVERY),
    "recall": lambda c, by: recall_calldata(c.id, 0),
    "restore": lambda c, by: restore_calldata(c.id, 0),
    "shred": lambda c, by: shred_calldata(c.id, 0),
    "split": lambda c, by: split_calldata(c.id, 0, [4_000, QUANTITY - 4_000]),
    "merge": lambda c, by: merge_calldata([c.id, c.other], [0, 0]),
    "request-delivery": lambda c, by: request_delivery_calldata(c.id, 0, 500),
    "deliver": lambda c, by: deliver_calldata(c.id, 0),
    "expire": lambda c, by: expire_calldata(c.id, 0),
    "extend": lambda c, by: extend_calldata(c.id, 0, LIVING),
    "cancel": lambda c, by: cancel_calldata(c.id, 0),
    "replace": lambda c, by: replace_calldata(c.id, 0, correct(c)),
    "to-paper": lambda c, by: to_paper_calldata(c.id, 0, hash_of("paper")),
    "to-electronic": lambda c, by: to_electronic_calldata(c.id, 0, "mill", "mill"),
}


def roles_of(specimen: Specimen, by: str) -> set[str]:
    """What the caller is to the receipt, by the words of the table."""
    if by in CONTRACTS:
        return {by}
    sole = specimen.owner == "farm"
    parts = {
        "anybody": True,
        "holder": by == "farm",
        "owner": by == specimen.owner,
        "sole": sole and by == "farm",
        "warehouse": by == "granary",
        "pledgee": specimen.pledged and by == "bank",
        "authority": by in ("court", "office"),
    }
    return {party for party, is_so in parts.items() if is_so}


def expected(act: Act, specimen: Specimen, by: str) -> str | None:
    """The error with which an act ends; None where it goes well."""
    inner = not set(act.by) - set(CONTRACTS)
    if by in CONTRACTS and not inner:
        return "CallerNotActive"
    if by not in CONTRACTS and not inner and specimen.state == "none":
        return "UnknownInstrument"
    if not (roles_of(specimen, by) & set(act.by) and (not inner or by in CONTRACTS)):
        return "NotEntitled"
    if specimen.state not in act.states:
        return "WrongState"
    return _burdened(act, specimen) or _unmet(act.name, specimen)


def _burdened(act: Act, specimen: Specimen) -> str | None:
    if specimen.burden == "frozen" and not act.while_frozen:
        return "InstrumentFrozen"
    if specimen.burden == "locked" and not act.while_locked:
        return "InstrumentLocked"
    allowed = specimen.burden == "permitted" and act.while_pledged is WhilePledged.PERMIT
    if specimen.pledged and act.while_pledged is not WhilePledged.FREE and not allowed:
        return "InstrumentPledged"
    return None


def _unmet(act: str, specimen: Specimen) -> str | None:
    """What an act needs beside the table's columns."""
    sole = specimen.owner == "farm"
    needs = {
        "unfreeze": (specimen.burden == "frozen", "FreezeUnchanged"),
        "award": (specimen.burden == "frozen", "FreezeUnchanged"),
        "unlock": (specimen.burden == "locked", "NotLocked"),
        "disencumber": (specimen.pledged, "NotEntitled"),
        "seize": (specimen.pledged, "NotEntitled"),
        "encumber": (sole, "NotEntitled"),
        "lock": (sole, "NotEntitled"),
        "settle": (sole, "NotEntitled"),
    }
    fulfilled, error = needs.get(act, (True, ""))
    return None if fulfilled else error


@pytest.fixture(scope="module")
def cabinet() -> Cabinet:
    return Cabinet.filled()


SENDERS: Final = (*KEYS, *CONTRACTS)
OWN_ACTS: Final = [act for act in MACHINE.acts if act.name not in UNASKED]


def address_of(by: str) -> Address:
    return CONTRACTS[by] if by in CONTRACTS else KEYS[by].address


def refusal(cabinet: Cabinet, specimen: Specimen, act: Act, by: str) -> str | None:
    """Name of the error that the act meets; None where it goes well."""
    if specimen.state == "none":
        cabinet = Cabinet(cabinet.world, hash_of("no receipt"), cabinet.other)
        data = CALLS[act.name](cabinet, by)
        answer = cabinet.world.chain.call(address_of(by), RECEIPTS_ADDRESS, data)
    else:
        data = CALLS[act.name](cabinet, by)
        with cabinet.showing(specimen, act.name, data, by):
            answer = cabinet.world.chain.call(address_of(by), RECEIPTS_ADDRESS, data)
    return error_of(answer)


def test_every_act_of_the_table_is_asked_for() -> None:
    assert {act.name for act in OWN_ACTS} == set(CALLS)
    functions = {e["name"] for e in RECEIPTS_ARTIFACT.abi if e["type"] == "function"}
    assert "arise" not in functions
    assert set(MACHINE.parties) - set(COMMON_PARTIES) == {"warehouse", "owner", "sole"}


@pytest.mark.feature("F1")
@pytest.mark.parametrize("state", MACHINE.states)
@pytest.mark.parametrize("owner", ["farm", "mill"])
def test_every_party_may_what_the_table_says(cabinet: Cabinet, state: str, owner: str) -> None:
    specimen = Specimen(state, owner=owner)
    for act in OWN_ACTS:
        for by in SENDERS:
            found = refusal(cabinet, specimen, act, by)
            assert found == expected(act, specimen, by), f"{act.name} in {state} by {by}"


@pytest.mark.feature("F2")
@pytest.mark.feature("F4")
@pytest.mark.parametrize("burden", BURDENS)
@pytest.mark.parametrize("state", MACHINE.states[1:])
def test_a_burden_stops_what_the_table_says(cabinet: Cabinet, state: str, burden: str) -> None:
    """By whoever might without it, and by one who might not."""
    specimen = Specimen(state, burden)
    for act in OWN_ACTS:
        might = [by for by in SENDERS if expected(act, specimen, by) != "NotEntitled"]
        for by in (*might[:2], "trader"):
            found = refusal(cabinet, specimen, act, by)
            assert found == expected(act, specimen, by), f"{act.name} {burden} in {state} by {by}"


@pytest.mark.feature("F1")
@pytest.mark.parametrize("act", OWN_ACTS, ids=lambda act: act.name)
def test_an_act_leads_where_the_table_says(cabinet: Cabinet, act: Act) -> None:
    """In each state, mined: the event tells the receipt as it is then, one revision on."""
    burden = {"unfreeze": "frozen", "award": "frozen", "permit": "pledged"}.get(act.name, "plain")
    for state in sorted(act.states):
        specimen = Specimen(state, burden)
        may = [by for by in KEYS if expected(act, specimen, by) is None]
        if not may:
            assert set(act.by) <= set(CONTRACTS), act.name
            continue
        data = CALLS[act.name](cabinet, may[0])
        with cabinet.showing(specimen, act.name, data, may[0]):
            before = cabinet.world.get(cabinet.id)
            mined = cabinet.world.chain.send(KEYS[may[0]], RECEIPTS_ADDRESS, data)
            after = cabinet.world.get(cabinet.id)
        assert mined.status == 1
        assert after.state == MACHINE.after(act, state)
        assert after.revision == before.revision + 1
        events = [decode_log(log) for log in mined.logs if log.address == RECEIPTS_ADDRESS]
        acted = [e for e in events if isinstance(e, ReceiptActed) and e.id == cabinet.id]
        assert [(e.act, e.by, e.receipt) for e in acted] == [(act.name, may[0], after)]


@pytest.mark.feature("F1")
@pytest.mark.parametrize("act", OWN_ACTS, ids=lambda act: act.name)
def test_what_is_refused_changes_nothing(cabinet: Cabinet, act: Act) -> None:
    chain = cabinet.world.chain
    for state in MACHINE.states[1:]:
        specimen = Specimen(state)
        refused = [by for by in KEYS if expected(act, specimen, by) is not None]
        if not refused:
            assert act.by == ("anybody",)
            continue
        data = CALLS[act.name](cabinet, refused[0])
        with cabinet.showing(specimen, act.name, data, refused[0]):
            before = {address: dict(words) for address, words in chain.state.slots.items()}
            mined = chain.send(KEYS[refused[0]], RECEIPTS_ADDRESS, data)
            assert (mined.status, mined.logs) == (0, ())
            assert chain.state.slots == before


@pytest.mark.feature("F1")
@pytest.mark.parametrize("act", OWN_ACTS, ids=lambda act: act.name)
def test_devices_and_strangers_do_nothing(cabinet: Cabinet, act: Act) -> None:
    for sender in (SCALE, key(77)):
        specimen = Specimen(min(act.states))
        data = CALLS[act.name](cabinet, "farm")
        with cabinet.showing(specimen, act.name, data, "farm"):
            answer = cabinet.world.chain.call(sender.address, RECEIPTS_ADDRESS, data)
        inner = not set(act.by) - set(CONTRACTS)
        assert error_of(answer) == ("NotEntitled" if inner else "CallerNotActive")


@pytest.mark.feature("F1")
@pytest.mark.parametrize("by", [*KEYS])
def test_warehouses_issue_and_only_against_their_own_stock(cabinet: Cabinet, by: str) -> None:
    world = cabinet.world
    data = issue_calldata(world.draft(1_000))
    answer = world.chain.call(KEYS[by].address, RECEIPTS_ADDRESS, data)
    assert error_of(answer) == (None if by == "granary" else "NotWarehouse")


@pytest.mark.feature("F1")
@pytest.mark.parametrize("state", MACHINE.states[1:])
def test_a_number_is_issued_once_whatever_became_of_it(cabinet: Cabinet, state: str) -> None:
    world = cabinet.world
    number = world.get(cabinet.id).number
    data = issue_calldata(world.draft(1_000, number=number))
    with cabinet.showing(Specimen(state), "issue", data, "granary"):
        answer = world.chain.call(KEYS["granary"].address, RECEIPTS_ADDRESS, data)
    assert error_of(answer) == "InstrumentExists"


@pytest.mark.feature("F1")
@pytest.mark.parametrize("act", OWN_ACTS, ids=lambda act: act.name)
def test_an_act_on_what_was_seen_before_is_late(cabinet: Cabinet, act: Act) -> None:
    """The revision stands in the second word of each call that has one."""
    if act.name in ("disencumber", "seize", "unlock", "merge"):
        return
    specimen = Specimen(min(act.states), "pledged" if act.name == "permit" else "plain")
    sender = next(by for by in SENDERS if roles_of(specimen, by) & set(act.by))
    data = bytearray(CALLS[act.name](cabinet, sender))
    data[4 + 32 : 4 + 64] = (6).to_bytes(32, "big")
    with cabinet.showing(specimen, act.name, bytes(data), sender):
        chain = cabinet.world.chain
        answer = chain.call(address_of(sender), RECEIPTS_ADDRESS, bytes(data))
    assert error_of(answer) == "StaleRevision"


@pytest.mark.feature("F4")
def test_what_is_awarded_after_its_surrender_lives_and_is_not_handed_out(cabinet: Cabinet) -> None:
    """Told in one event, with the record as it then is."""
    world, award = cabinet.world, CALLS["award"](cabinet, "court")
    with cabinet.showing(Specimen("surrendered", "frozen"), "award", award, "court"):
        assert world.get(cabinet.id).purpose is Purpose.DELIVERY
        (log,) = world.receipts("court", award)
        found = world.get(cabinet.id)
        world.receipts("court", unfreeze_calldata(cabinet.id, 0, "court", DECISION))
        shred = world.refused("granary", RECEIPTS_ADDRESS, shred_calldata(cabinet.id, 0))
    told = decode_log(log)
    assert isinstance(told, ReceiptActed)
    assert (told.act, told.receipt) == ("award", found)
    assert (found.state, found.purpose) == ("live", Purpose.NONE)
    assert (found.holder, found.owner) == ("mill", "mill")
    assert shred == "WrongState"


@pytest.mark.feature("F1")
@pytest.mark.parametrize("act", ["recall", "restore", "to-electronic"])
def test_what_comes_back_too_late_expires_at_once(cabinet: Cabinet, act: str) -> None:
    row = MACHINE.act(act)
    by = "granary" if act != "recall" else "farm"
    data = CALLS[act](cabinet, by)
    with cabinet.showing(Specimen(min(row.states)), "expire", data, by):
        world = cabinet.world
        mined = world.chain.send(KEYS[by], RECEIPTS_ADDRESS, data)
        events = [decode_log(log) for log in mined.logs if log.address == RECEIPTS_ADDRESS]
        acts = [e.act for e in events if isinstance(e, ReceiptActed)]
        assert acts == [act, "expire"]
        assert world.get(cabinet.id).state == "expired"
        assert world.get(cabinet.id).expires <= world.chain.time - DAY
