"""Calls and logs of the Consortium contract, through the real contract."""

from __future__ import annotations

import pytest

from contracts.consortium import (
    CONSORTIUM_ADDRESS,
    AccountAdded,
    AccountStatusChanged,
    Kind,
    OrganisationAdded,
    OrganisationProfileChanged,
    OrganisationRoleChanged,
    OrganisationStatusChanged,
    Profile,
    Role,
    Standing,
    Status,
    add_account,
    add_device,
    add_organisation,
    decode_log,
    decode_standing,
    multicall,
    organisation_id_text,
    organisation_id_word,
    set_account_status,
    set_organisation_status,
    set_profile,
    set_role,
    standing_calldata,
)
from contracts.errors import CalldataError, CalldataValueError, ContractError, LogError
from ledger.state import keccak
from ledger.types import Address, Hash32, Log
from tests.contracts.scene import FARM, MemoryChain, key

BOSS, FARMER, SCANNER, STRANGER = key(1), key(2), key(4), key(20)
PROFILE = Profile("Harbour Bank", "海港银行", "https://id.gs1.org/417/9521234000013")


def standing(chain: MemoryChain, address: Address) -> Standing | None:
    result = chain.call(STRANGER.address, CONSORTIUM_ADDRESS, standing_calldata(address))
    assert not result.reverted
    return decode_standing(result.output)


@pytest.mark.feature("N1")
def test_every_change_is_told_by_its_event(chain: MemoryChain) -> None:
    bank = key(21).address
    for sender, call, events in [
        (
            BOSS,
            add_organisation("harbour-bank", Role.BANK, PROFILE, bank),
            [
                OrganisationAdded("harbour-bank", BOSS.address, Role.BANK, PROFILE),
                AccountAdded("harbour-bank", bank, BOSS.address, Kind.ACCOUNT),
            ],
        ),
        (
            BOSS,
            set_profile("green-valley", PROFILE),
            [OrganisationProfileChanged("green-valley", BOSS.address, PROFILE)],
        ),
        (
            BOSS,
            set_role("green-valley", Role.CARRIER),
            [OrganisationRoleChanged("green-valley", BOSS.address, Role.CARRIER)],
        ),
        (
            FARMER,
            multicall([add_device(key(22).address), add_account("green-valley", key(23).address)]),
            [
                AccountAdded("green-valley", key(22).address, FARMER.address, Kind.DEVICE),
                AccountAdded("green-valley", key(23).address, FARMER.address, Kind.ACCOUNT),
            ],
        ),
        (
            FARMER,
            set_account_status(SCANNER.address, Status.REVOKED),
            [AccountStatusChanged("green-valley", SCANNER.address, FARMER.address, Status.REVOKED)],
        ),
        (
            BOSS,
            set_organisation_status("green-valley", Status.SUSPENDED),
            [OrganisationStatusChanged("green-valley", BOSS.address, Status.SUSPENDED)],
        ),
    ]:
        receipt = chain.send(sender, CONSORTIUM_ADDRESS, call)
        assert receipt.status == 1
        assert [decode_log(log) for log in receipt.logs] == events


@pytest.mark.feature("N1")
def test_founders_stand_as_genesis_says(chain: MemoryChain) -> None:
    assert standing(chain, BOSS.address) == Standing("tally-operator", Role.OPERATOR, True)
    assert standing(chain, key(3).address) == Standing("green-valley", Role.MANUFACTURER, True)
    assert standing(chain, SCANNER.address) == Standing("green-valley", Role.MANUFACTURER, True)
    assert standing(chain, STRANGER.address) is None


@pytest.mark.feature("N1")
def test_role_gates(chain: MemoryChain) -> None:
    """What each sort of caller may do; everything else is refused and leaves no trace."""
    new = key(30).address
    calls = {
        "admit": add_organisation("new", Role.BANK, PROFILE, new),
        "rename": set_profile("green-valley", PROFILE),
        "promote": set_role("green-valley", Role.OPERATOR),
        "suspend organisation": set_organisation_status("green-valley", Status.SUSPENDED),
        "add own account": add_account("green-valley", new),
        "add other account": add_account("tally-operator", new),
        "add device": add_device(new),
        "suspend own": set_account_status(key(3).address, Status.SUSPENDED),
        "suspend other": set_account_status(BOSS.address, Status.SUSPENDED),
    }
    own = {"add own account", "add device", "suspend own"}
    allowed = {
        BOSS: set(calls) - {"suspend other"},  # that is the last operator account
        FARMER: own,
        SCANNER: set(),
        STRANGER: set(),
    }
    for caller, may in allowed.items():
        for name, call in calls.items():
            before = chain.words(CONSORTIUM_ADDRESS)
            result = chain.call(caller.address, CONSORTIUM_ADDRESS, call)
            assert result.reverted == (name not in may), (name, caller.address.hex())
            assert result.error is None
            assert chain.words(CONSORTIUM_ADDRESS) == before


def test_the_last_operator_account_cannot_go(chain: MemoryChain) -> None:
    refused = chain.call(
        BOSS.address, CONSORTIUM_ADDRESS, set_account_status(BOSS.address, Status.REVOKED)
    )
    assert refused.reverted
    assert refused.output == keccak(b"LastOperatorAccount()")[:4]


@pytest.mark.feature("N1")
def test_block_validation_sees_what_the_contract_says(chain: MemoryChain) -> None:
    """Raw storage as docs/architecture.md reads it, after each change."""

    def permitted(address: Address) -> bool:
        entry = int.from_bytes(keccak(address.rjust(32, b"\0") + bytes(32)), "big")
        owner = chain.state.storage(CONSORTIUM_ADDRESS, entry).to_bytes(32, "big")
        place = int.from_bytes(keccak(owner + (1).to_bytes(32, "big")), "big")
        mine = chain.state.storage(CONSORTIUM_ADDRESS, entry + 1) & 0xFF
        theirs = chain.state.storage(CONSORTIUM_ADDRESS, place) & 0xFF
        return mine == 1 and theirs == 1

    def all_permitted() -> list[bool]:
        return [permitted(k.address) for k in (BOSS, FARMER, key(3), SCANNER, STRANGER)]

    assert all_permitted() == [True, True, True, True, False]
    for call, then in [
        (set_account_status(SCANNER.address, Status.SUSPENDED), [True, True, True, False, False]),
        (set_account_status(SCANNER.address, Status.ACTIVE), [True, True, True, True, False]),
        (add_account(FARM.id, STRANGER.address), [True] * 5),
        (set_organisation_status(FARM.id, Status.SUSPENDED), [True] + [False] * 4),
        (set_organisation_status(FARM.id, Status.ACTIVE), [True] * 5),
        (set_organisation_status(FARM.id, Status.REVOKED), [True] + [False] * 4),
    ]:
        assert chain.send(BOSS, CONSORTIUM_ADDRESS, call).status == 1
        assert all_permitted() == then


def test_a_name_that_is_not_utf8_does_not_stop_the_reader(chain: MemoryChain) -> None:
    call = set_profile("green-valley", Profile("abcdefgh"))
    assert call.count(b"abcdefgh") == 1
    receipt = chain.send(BOSS, CONSORTIUM_ADDRESS, call.replace(b"abcdefgh", b"ab\xff\xfedefg"))
    assert receipt.status == 1
    event = decode_log(receipt.logs[0])
    assert isinstance(event, OrganisationProfileChanged)
    assert event.profile.name == "ab��defg"


def test_values_that_do_not_fit_are_refused() -> None:
    for build in (
        lambda: add_account("green-valley", Address(b"short")),
        lambda: add_device(Address(b"x" * 21)),
        lambda: set_account_status(Address(b""), Status.ACTIVE),
        lambda: set_profile("green-valley", Profile("\ud800")),
        lambda: add_organisation("UPPER", Role.BANK, PROFILE, BOSS.address),
    ):
        with pytest.raises((CalldataValueError, ContractError)):
            build()


def test_logs_of_something_else_are_refused(chain: MemoryChain) -> None:
    receipt = chain.send(FARMER, CONSORTIUM_ADDRESS, add_device(key(22).address))
    (good,) = receipt.logs
    decode_log(good)
    topics = good.topics
    wild = Hash32(b"\xff" * 32)
    for bad in (
        Log(good.address, (), good.data),
        Log(good.address, (wild, *topics[1:]), good.data),
        Log(good.address, topics[:-1], good.data),
        Log(good.address, (*topics, wild), good.data),
        Log(good.address, topics, b""),
        Log(good.address, topics, (2).to_bytes(32, "big")),
        Log(good.address, topics, b"\xff" * 32),
        Log(good.address, (topics[0], wild, *topics[2:]), good.data),
        Log(good.address, (*topics[:2], wild, topics[3]), good.data),
    ):
        with pytest.raises(LogError):
            decode_log(bad)


def test_results_of_something_else_are_refused() -> None:
    for output in (b"", b"\x01" * 31, b"\xff" * 96, b"\xff" * 10_000):
        with pytest.raises(CalldataError):
            decode_standing(output)


def test_ids_read_back_as_written() -> None:
    for organisation in ("a", "green-valley", "x" * 32, "0-9"):
        assert organisation_id_text(organisation_id_word(organisation)) == organisation
    for word in (bytes(32), b"a\0b".ljust(32, b"\0"), b"A".ljust(32, b"\0"), b"a", b"\xff" * 32):
        with pytest.raises(ContractError):
            organisation_id_text(word)


def test_roles_are_named_by_their_words() -> None:
    assert [Role.of(role.word) for role in Role] == list(Role)
    assert (Status.ACTIVE.word, Kind.DEVICE.word) == ("active", "device")
    with pytest.raises(ValueError, match="manufacturer, warehouse"):
        Role.of("king")
