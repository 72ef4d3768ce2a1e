"""Taking a run up again: the same model as without interruption."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.channel import PartyGone
from federation.trees import GuestState, HostState, PartyWrong, StateInvalid

pytestmark = pytest.mark.feature("D8")

Make = Callable[..., Any]


class Stopped(Exception):
    """The process was ended here."""


def interrupted(parties: Any, settings: Any, after: int, who: str) -> tuple[bytes, bytes]:
    """The states that are stored when `who` ends as it is about to store tree `after + 1`."""
    stored: dict[str, bytes] = {}

    def store(name: str) -> Callable[[Any], None]:
        def keep(state: Any) -> None:
            trees = state.trees if isinstance(state, HostState) else len(state.part.trees)
            if name == who and trees == after + 1:
                raise Stopped
            stored[name] = state.to_bytes()

        return keep

    with pytest.raises((Stopped, PartyGone)):
        parties.fit(settings, bank={"on_state": store("bank")}, host0={"on_state": store("host0")})
    return stored["bank"], stored["host0"]


@pytest.mark.parametrize("who", ["bank", "host0"])
@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize(
    "more", [{}, {"top_bp": 3000, "other_bp": 3000}, {"validation_bp": 2000, "patience": 4}]
)
def test_a_run_that_was_ended_goes_on_to_the_same_model(
    parties_of: Make, rehearsal: Make, who: str, after: int, more: dict[str, int]
) -> None:
    parties, settings = parties_of(200, (2, 2)), rehearsal(trees=5, **more)
    whole = parties.fit(settings)
    guest, host = interrupted(parties, settings, after, who)
    states = {
        "bank": {"state": GuestState.from_bytes(guest)},
        "host0": {"state": HostState.from_bytes(host)},
    }
    # The host stores first: when the guest ends, the host is one tree ahead.
    assert states["host0"]["state"].trees == (after + 1 if who == "bank" else after)
    assert len(states["bank"]["state"].part.trees) == after
    again = parties.fit(settings, **states)
    assert again.guest.to_json() == whole.guest.to_json()
    assert again.hosts["host0"].to_json() == whole.hosts["host0"].to_json()


def test_a_host_that_lost_its_state_is_named(parties_of: Make, rehearsal: Make) -> None:
    parties, settings = parties_of(150, (2, 2)), rehearsal(trees=4)
    guest, _ = interrupted(parties, settings, 2, "bank")
    with pytest.raises(PartyWrong, match="state is lost") as raised:
        parties.fit(settings, bank={"state": GuestState.from_bytes(guest)})
    assert raised.value.party == "host0"


def test_only_the_run_it_belongs_to_takes_a_state(parties_of: Make, rehearsal: Make) -> None:
    parties, settings = parties_of(150, (2, 2)), rehearsal(trees=4)
    guest, host = interrupted(parties, settings, 2, "bank")
    others = [
        (parties_of(150, (2, 2), seed=6), settings),
        (parties, rehearsal(trees=4, depth=2)),
        (type(parties)(parties.guest, 1 - parties.label, parties.hosts), settings),
        (type(parties)(parties.guest, parties.label, parties.hosts, seed=12), settings),
    ]
    for other, chosen in others:
        with pytest.raises(StateInvalid):
            other.fit(chosen, bank={"state": GuestState.from_bytes(guest)})
    states: dict[str, BaseException] = {}
    try:
        parties_of(150, (2, 2), seed=6).fit(settings, host0={"state": HostState.from_bytes(host)})
    except Exception as error:
        states = error.args[-1]
    assert isinstance(states["host0"], StateInvalid)


@given(st.data())
def test_a_damaged_state_is_refused_or_read_as_some_state(
    states: tuple[bytes, bytes], data: st.DataObject
) -> None:
    guest, host = states
    for stored, kind in ((guest, GuestState), (host, HostState)):
        place = data.draw(st.integers(0, len(stored) - 1))
        damaged = bytearray(stored)
        damaged[place] ^= data.draw(st.integers(1, 255))
        for one in (bytes(damaged), stored[:place]):
            try:
                assert isinstance(kind.from_bytes(one), kind)
            except StateInvalid:
                continue


@pytest.fixture(scope="module")
def states(parties_of: Make, rehearsal: Make) -> tuple[bytes, bytes]:
    return interrupted(parties_of(100, (2, 2)), rehearsal(trees=3), 2, "bank")


def test_the_states_of_guest_and_host_are_told_apart(states: tuple[bytes, bytes]) -> None:
    guest, host = states
    with pytest.raises(StateInvalid, match="kind"):
        GuestState.from_bytes(host)
    with pytest.raises(StateInvalid, match="kind"):
        HostState.from_bytes(guest)
    assert GuestState.from_bytes(guest).to_bytes() == guest
    assert HostState.from_bytes(host).to_bytes() == host
