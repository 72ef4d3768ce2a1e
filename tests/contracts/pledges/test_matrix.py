"""Every act on a pledge in every state by every party, on the real EVM, against the table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import pytest

from contracts.genesis import FINANCING_ADDRESS, PLEDGES_ADDRESS, RECEIPTS_ADDRESS
from contracts.instruments import Act
from contracts.instruments.machine import COMMON_ACTS
from contracts.pledges import (
    MACHINE,
    PLEDGES_ARTIFACT,
    PledgeChanged,
    State,
    accept_calldata,
    annul_calldata,
    cure_calldata,
    declare_default_calldata,
    decline_calldata,
    decode_log,
    enforce_calldata,
    pledge_key,
    propose_calldata,
    release_calldata,
    withdraw_calldata,
)
from contracts.receipts import freeze_calldata, part_id, permit_calldata, split_calldata
from contracts.storage import Layout
from ledger.types import Address, Hash32
from tests.contracts.pledges.calls import DECISION, made, secure_calldata
from tests.contracts.receipts.world import DAY, KEYS, World, hash_of
from tests.contracts.scene import error_of

pytestmark = pytest.mark.feature("F2")
WHO: Final[Mapping[str, set[str]]] = {
    "farm": {"pledgor"},
    "bank": {"pledgee"},
    "other-bank": set(),
    "granary": set(),
    "court": {"authority"},
    "office": {"authority"},
    "financing": {"financing"},
}
OWN_ACTS: Final = MACHINE.acts[len(COMMON_ACTS) :]
LAYOUT: Final = Layout.of(PLEDGES_ARTIFACT)
LOAN: Final = hash_of("loan")


class Stage:
    """Pledges of the farm's to the bank, brought into the state that a test wants."""

    def __init__(self) -> None:
        self.world = World.founded()
        self.terms = self.world.terms(due_days=1)
        self.held, self.held_parts = self._divided()
        self.frozen, self.frozen_parts = self._divided()
        for authority, part in itertools.product(("court", "office"), self.frozen_parts):
            self.world.receipts(authority, freeze_calldata(part, 0, DECISION))
        self.proposed = self._proposal()[1]
        self.fresh = self.world.issue()
        self.start = self.world.chain.number

    def _proposal(self) -> tuple[Hash32, Hash32]:
        receipt = self.world.issue()
        what = (RECEIPTS_ADDRESS, receipt, self.world.get(receipt).revision)
        self.world.pledges("farm", propose_calldata(*what, "bank", self.terms))
        return receipt, pledge_key(*what, "farm", "bank", self.terms)

    def _divided(self) -> tuple[Hash32, list[Hash32]]:
        """A pledge that covers two parts of a receipt; Financing has made it."""
        receipt, key = self._proposal()
        self.world.pledges("bank", accept_calldata(key))
        revision = self.world.get(receipt).revision
        split = split_calldata(receipt, revision + 1, [4_000, 6_000])
        self.world.receipts("bank", permit_calldata(receipt, 0, split))
        self.world.receipts("farm", split)
        self._write("_makers", bytes(key), value=int.from_bytes(FINANCING_ADDRESS, "big"))
        return key, [part_id(receipt, 1), part_id(receipt, 2)]

    def call(self, act: str) -> tuple[Hash32, bytes]:
        """The pledge that an act is tried on, and the call."""
        parts = self.frozen_parts if act.startswith("annul") else self.held_parts
        ids = parts[:1] if act.endswith("-some") else parts
        what = (RECEIPTS_ADDRESS, self.fresh, self.world.get(self.fresh).revision)
        made_new = pledge_key(*what, "farm", "bank", self.terms)
        secured = pledge_key(*what, "farm", "bank", self.terms, LOAN)
        return {
            "propose": (made_new, propose_calldata(*what, "bank", self.terms)),
            "secure": (secured, secure_calldata(*what, self.terms, LOAN)),
            "accept": (self.proposed, accept_calldata(self.proposed)),
            "decline": (self.proposed, decline_calldata(self.proposed)),
            "withdraw": (self.proposed, withdraw_calldata(self.proposed)),
            "release": (self.held, release_calldata(self.held, ids)),
            "discharge": (self.held, made("discharge", self.held, ids)),
            "annul": (self.frozen, annul_calldata(self.frozen, ids, DECISION)),
            "declare-default": (self.held, declare_default_calldata(self.held)),
            "cure": (self.held, cure_calldata(self.held)),
            "enforce": (self.held, enforce_calldata(self.held, ids, "mill")),
        }[act.removesuffix("-some")]

    @contextmanager
    def showing(self, key: Hash32, state: str, act: str) -> Iterator[None]:
        """While this lasts the pledge is in that state, and it is the time for the act."""
        chain = self.world.chain
        slots = {address: dict(words) for address, words in chain.state.slots.items()}
        accounts, root = dict(chain.state.accounts), chain.state.root
        try:
            self._write("_pledges", bytes(key), "state", value=MACHINE.states.index(state))
            early = act in ("propose", "secure", "accept")
            chain.number = self.start + (0 if early else 2 * DAY)
            yield
        finally:
            chain.number = self.start
            chain.state.slots, chain.state.accounts, chain.state.root = slots, accounts, root

    def _write(self, label: str, *path: str | bytes, value: int) -> None:
        place = LAYOUT.place(label, *path)
        size = int(LAYOUT.types[place.type]["numberOfBytes"])
        words = self.world.chain.state.slots[PLEDGES_ADDRESS]
        mask = ((1 << (8 * size)) - 1) << (8 * place.offset)
        words[place.slot] = words.get(place.slot, 0) & ~mask | value << (8 * place.offset)

    def refusal(self, who: str, data: bytes) -> str | None:
        return error_of(self.world.chain.call(address_of(who), PLEDGES_ADDRESS, data))


def address_of(who: str) -> Address:
    return FINANCING_ADDRESS if who == "financing" else KEYS[who].address


def expected(act: Act, state: str, who: str) -> str | None:
    """The error with which an act ends; None where it goes well."""
    makes, inner = "none" in act.states, set(act.by) == {"financing"}
    if not makes and state == "none":
        return "UnknownPledge"
    if inner != (who == "financing"):
        return "CallerNotActive"
    if not WHO[who] & set(act.by):
        return "NotEntitled" if act.name == "propose" else "NotParty"  # to the instrument
    if state not in act.states:
        return "PledgeExists" if makes else "WrongState"
    return None


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


def test_the_table_and_python_know_the_same_states() -> None:
    assert MACHINE.states == ("none", *(state.word for state in State))
    assert {party for act in OWN_ACTS for party in act.by} == set().union(*WHO.values())


@pytest.mark.parametrize("state", MACHINE.states)
def test_an_act_is_possible_exactly_when_the_table_says_so(stage: Stage, state: str) -> None:
    for act in OWN_ACTS:
        key, data = stage.call(act.name)
        with stage.showing(key, state, act.name):
            for who in WHO:
                said = stage.refusal(who, data)
                assert said == expected(act, state, who), f"{act.name} in {state} by {who}"


@pytest.mark.parametrize(
    "act", [act for act in OWN_ACTS if act.by != ("financing",)], ids=lambda act: act.name
)
def test_an_act_leads_where_the_table_says(stage: Stage, act: Act) -> None:
    key, data = stage.call(act.name)
    for state, who in itertools.product(sorted(act.states), WHO):
        if expected(act, state, who) is not None:
            continue
        with stage.showing(key, state, act.name):
            mined = stage.world.chain.send(KEYS[who], PLEDGES_ADDRESS, data)
            assert mined.status == 1
            events = [decode_log(log) for log in mined.logs if log.address == PLEDGES_ADDRESS]
            changes = [event for event in events if isinstance(event, PledgeChanged)]
        assert [(one.key, one.by) for one in changes] == [(key, who)]
        assert changes[0].pledge.state.word == MACHINE.after(act, state)


@pytest.mark.parametrize(
    "act", [act for act in OWN_ACTS if act.name.endswith("-some")], ids=lambda act: act.name
)
def test_with_some_it_is_as_with_all_but_that_the_pledge_stays(act: Act) -> None:
    whole = MACHINE.act(act.name.removesuffix("-some"))
    assert (act.states, act.by) == (whole.states, whole.by)
    assert act.to is None
    assert whole.to is not None
