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
from contracts.genesis import GOVERNANCE_ADDRESS
from ledger.state import keccak
from ledger.types import Address, Hash32, Log, Receipt
from tests.contracts.scene import FARM, Key, MemoryChain, govern, key, told

BOSS, FARMER, SCANNER, STRANGER = key(1), key(2), key(4), key(20)
PROFILE = Profile("Harbour Bank", "海港银行", "https://id.gs1.org/417/9521234000013")


def act(chain: MemoryChain, sender: Key | None, call: bytes) -> Receipt:
    """A call of the Consortium contract; None is a decision of the members."""
    if sender is None:
        return govern(chain, (CONSORTIUM_ADDRESS, call))
    return chain.send(sender, CONSORTIUM_ADDRESS, call)


def standing(chain: MemoryChain, address: Address) -> Standing | None:
    result = chain.call(STRANGER.address, CONSORTIUM_ADDRESS, standing_calldata(address))
    assert not result.reverted
    return decode_standing(result.output)


@pytest.mark.feature("N1")
def test_every_change_is_told_by_its_event(chain: MemoryChain) -> None:
    bank = key(21).address
    for sender, call, events in [
        (
            None,
            add_organisation("harbour-bank", Role.BANK, PROFILE, bank),
            [
                OrganisationAdded("harbour-bank", GOVERNANCE_ADDRESS, Role.BANK, PROFILE),
                AccountAdded("harbour-bank", bank, GOVERNANCE_ADDRESS, Kind.ACCOUNT),
            ],
        ),
        (
            None,
            set_profile("green-valley", PROFILE),
            [OrganisationProfileChanged("green-valley", GOVERNANCE_ADDRESS, PROFILE)],
        ),
        (
            None,
            set_role("green-valley", Role.CARRIER),
            [OrganisationRoleChanged("green-valley", GOVERNANCE_ADDRESS, Role.CARRIER)],
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
            None,
            set_organisation_status("green-valley", Status.SUSPENDED),
            [OrganisationStatusChanged("green-valley", GOVERNANCE_ADDRESS, Status.SUSPENDED)],
        ),
    ]:
        logs = told(act(chain, sender, call), CONSORTIUM_ADDRESS)
        assert [decode_log(log) for log in logs] == events


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
        GOVERNANCE_ADDRESS: set(calls) - {"add device", "suspend other"},  # its last account
        BOSS.address: {"add other account", "add device"},
        FARMER.address: own,
        SCANNER.address: set(),
        STRANGER.address: set(),
    }
    for caller, may in allowed.items():
        for name, call in calls.items():
            before = chain.words(CONSORTIUM_ADDRESS)
            result = chain.call(caller, CONSORTIUM_ADDRESS, call)
            assert result.reverted == (name not in may), (name, caller.hex())
            assert result.error is None
            assert chain.words(CONSORTIUM_ADDRESS) == before


def test_the_last_account_of_an_active_organisation_cannot_go(chain: MemoryChain) -> None:
    call = set_account_status(BOSS.address, Status.REVOKED)
    for caller in (BOSS.address, GOVERNANCE_ADDRESS):
        refused = chain.call(caller, CONSORTIUM_ADDRESS, call)
        assert refused.reverted
        assert refused.output[:4] == keccak(b"LastAccount(bytes32)")[:4]


def test_a_suspended_organisation_comes_back_with_an_account(chain: MemoryChain) -> None:
    """All its accounts can be revoked meanwhile; a new one is needed to be active again."""
    suspend = (CONSORTIUM_ADDRESS, set_organisation_status(FARM.id, Status.SUSPENDED))
    revoke = [
        (CONSORTIUM_ADDRESS, set_account_status(account, Status.REVOKED))
        for account in FARM.accounts
    ]
    back = (CONSORTIUM_ADDRESS, set_organisation_status(FARM.id, Status.ACTIVE))
    new = (CONSORTIUM_ADDRESS, add_account(FARM.id, STRANGER.address))
    assert govern(chain, suspend, *revoke).status == 1
    assert govern(chain, back).status == 0
    assert govern(chain, new, back).status == 1
    assert standing(chain, STRANGER.address) == Standing(FARM.id, FARM.role, True)


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
        assert act(chain, None, call).status == 1
        assert all_permitted() == then


def test_a_name_that_is_not_utf8_does_not_stop_the_reader(chain: MemoryChain) -> None:
    call = set_profile("green-valley", Profile("abcdefgh"))
    assert call.count(b"abcdefgh") == 1
    receipt = act(chain, None, call.replace(b"abcdefgh", b"ab\xff\xfedefg"))
    event = decode_log(told(receipt, CONSORTIUM_ADDRESS)[0])
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
