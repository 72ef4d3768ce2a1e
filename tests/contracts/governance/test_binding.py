"""Calls and logs of Governance, Directory and Parameters, their genesis, and calls in words."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import directory, governance, parameters
from contracts.consortium import (
    Profile,
    Role,
    Status,
    add_account,
    add_organisation,
    administers_calldata,
    decode_administers,
    set_account_status,
    set_organisation_status,
    set_profile,
    set_role,
)
from contracts.errors import CalldataValueError, GenesisError, LogError
from contracts.founding import FIXED
from contracts.genesis import (
    CONSORTIUM_ADDRESS,
    DIRECTORY_ADDRESS,
    GOVERNANCE_ADDRESS,
    NETWORK_ADDRESS,
    PARAMETERS_ADDRESS,
    PROVENANCE_ADDRESS,
    AllocEntry,
)
from contracts.governance import (
    Call,
    Choice,
    DefaultThresholdChanged,
    ProposalExecuted,
    ProposalMade,
    ProposalWithdrawn,
    Threshold,
    ThresholdChanged,
    Voted,
    VotesChanged,
    decode_log,
)
from contracts.network import NodeStatus, add_node, remove_node, set_node_status, set_power
from contracts.refusals import explain
from contracts.wording import describe, function_of
from ledger.state import keccak
from ledger.types import Address, Hash32, Log
from tests.contracts.governance.model import node_of
from tests.contracts.scene import FARM, OPERATOR, MemoryChain, entries, govern, key, told

BOSS = key(1)
SET_ROLE = set_role(FARM.id, Role.CARRIER)


@pytest.mark.feature("N2")
def test_every_decision_is_told_by_its_event(chain: MemoryChain) -> None:
    calls = (Call(CONSORTIUM_ADDRESS, SET_ROLE),)
    made = chain.send(BOSS, GOVERNANCE_ADDRESS, governance.propose(calls, "why 绿", 60))
    expires = chain.time + 60
    assert [decode_log(log) for log in told(made, GOVERNANCE_ADDRESS)] == [
        ProposalMade(1, OPERATOR.id, BOSS.address, calls, "why 绿", expires),
        Voted(1, OPERATOR.id, BOSS.address, Choice.YES),
    ]
    voted = chain.send(BOSS, GOVERNANCE_ADDRESS, governance.vote(1, Choice.NO))
    expected = Voted(1, OPERATOR.id, BOSS.address, Choice.NO)
    assert decode_log(told(voted, GOVERNANCE_ADDRESS)[0]) == expected
    gone = chain.send(BOSS, GOVERNANCE_ADDRESS, governance.withdraw(1))
    assert decode_log(told(gone, GOVERNANCE_ADDRESS)[0]) == ProposalWithdrawn(1, BOSS.address)
    function = (CONSORTIUM_ADDRESS, SET_ROLE[:4])
    done = govern(
        chain,
        (GOVERNANCE_ADDRESS, governance.set_votes(FARM.id, 3)),
        (GOVERNANCE_ADDRESS, governance.set_default_threshold(Threshold(3, 4))),
        (GOVERNANCE_ADDRESS, governance.set_threshold(*function, Threshold(1, 1))),
        (GOVERNANCE_ADDRESS, governance.set_threshold(*function, None)),
    )
    assert [decode_log(log) for log in told(done, GOVERNANCE_ADDRESS)][2:] == [
        ProposalExecuted(2, BOSS.address),
        VotesChanged(FARM.id, 3),
        DefaultThresholdChanged(Threshold(3, 4)),
        ThresholdChanged(*function, Threshold(1, 1)),
        ThresholdChanged(*function, None),
    ]


@pytest.mark.feature("N2")
def test_directory_and_parameters_tell_their_events(chain: MemoryChain) -> None:
    code = chain.state.account(PROVENANCE_ADDRESS)
    assert code is not None
    old = chain.call(BOSS.address, DIRECTORY_ADDRESS, directory.current_calldata("provenance"))
    assert directory.decode_current(old.output) == PROVENANCE_ADDRESS
    deployed = chain.send(BOSS, None, bytes.fromhex("6001600c60003960016000f300"))  # one STOP
    assert deployed.contract_address is not None
    new = deployed.contract_address
    done = govern(
        chain,
        (DIRECTORY_ADDRESS, directory.add_version("provenance", new, "https://notes.example/2")),
        (PARAMETERS_ADDRESS, parameters.set_parameter("blockGasLimit", 30_000_000)),
    )
    (added,) = told(done, DIRECTORY_ADDRESS)
    assert directory.decode_log(added) == directory.VersionAdded(
        "provenance",
        new,
        GOVERNANCE_ADDRESS,
        1,
        Hash32(keccak(b"\0")),
        "https://notes.example/2",
    )
    (changed,) = told(done, PARAMETERS_ADDRESS)
    assert parameters.decode_log(changed) == parameters.ParameterChanged(
        "blockGasLimit", GOVERNANCE_ADDRESS, 0, 30_000_000
    )
    now = chain.call(BOSS.address, DIRECTORY_ADDRESS, directory.current_calldata("provenance"))
    assert directory.decode_current(now.output) == new
    count = chain.call(BOSS.address, DIRECTORY_ADDRESS, directory.count_calldata("provenance"))
    assert directory.decode_count(count.output) == 2
    value = chain.call(BOSS.address, PARAMETERS_ADDRESS, parameters.value_calldata("blockGasLimit"))
    assert parameters.decode_value(value.output) == 30_000_000


@pytest.mark.feature("N2")
def test_contracts_that_the_ledger_reads_keep_their_version(chain: MemoryChain) -> None:
    for name in ("consortium", "network", "governance", "directory", "parameters"):
        call = directory.add_version(name, PROVENANCE_ADDRESS)
        refused = chain.call(GOVERNANCE_ADDRESS, DIRECTORY_ADDRESS, call)
        assert explain(refused.output) == f"contract {name} has one version for ever"


@pytest.mark.feature("N2")
def test_who_administers_what(chain: MemoryChain) -> None:
    def asked(address: Address) -> str | None:
        data = administers_calldata(address)
        return decode_administers(chain.call(BOSS.address, CONSORTIUM_ADDRESS, data).output)

    assert asked(BOSS.address) == OPERATOR.id
    assert asked(FARM.devices[0]) is None
    assert asked(key(90).address) is None


READERS: list[tuple[Address, Callable[[AllocEntry], object], object]] = [
    (GOVERNANCE_ADDRESS, governance.founding_votes_of, {OPERATOR.id: 1, FARM.id: 1}),
    (PARAMETERS_ADDRESS, parameters.founding_values_of, dict.fromkeys(parameters.BOUNDS, 0)),
]


@pytest.mark.parametrize(("address", "read", "expected"), READERS, ids=["governance", "parameters"])
def test_genesis_is_read_back_and_nothing_else_is(
    address: Address, read: Callable[[AllocEntry], object], expected: object
) -> None:
    entry = entries()[address]
    assert read(entry) == expected
    for slot in (1, 5, 2**200):
        changed = copy.deepcopy(entry)
        changed["storage"][f"0x{slot:064x}"] = f"0x{9:064x}"
        with pytest.raises(GenesisError):
            read(changed)


def test_the_directory_of_genesis_knows_every_contract_by_its_code() -> None:
    alloc = entries()
    found = directory.founding_contracts_of(alloc[DIRECTORY_ADDRESS])
    assert {one.address for one in found} == set(alloc)
    for one in found:
        code = bytes.fromhex(alloc[one.address]["code"][2:])
        assert one.code_hash == keccak(code)
        assert one.fixed == (one.name in FIXED)
    assert {"consortium", "claims", "stock", "pledges"} <= FIXED
    assert not {"provenance", "receipts", "receivables", "financing"} & FIXED
    changed = copy.deepcopy(alloc[DIRECTORY_ADDRESS])
    changed["storage"][f"0x{2**200:064x}"] = f"0x{1:064x}"
    with pytest.raises(GenesisError):
        directory.founding_contracts_of(changed)


def test_values_that_the_contracts_refuse_are_refused() -> None:
    call = Call(CONSORTIUM_ADDRESS, SET_ROLE)
    builds: list[Callable[[], bytes]] = [
        lambda: governance.propose([], ""),
        lambda: governance.propose([call] * 33, ""),
        lambda: governance.propose([Call(CONSORTIUM_ADDRESS, bytes(70_000))], ""),
        lambda: governance.propose([call], "ä" * 513),
        lambda: governance.propose([call], "", 91 * 86_400),
        lambda: governance.set_votes(FARM.id, 1_000_001),
        lambda: governance.set_default_threshold(Threshold(1, 2)),
        lambda: governance.set_default_threshold(Threshold(4, 3)),
        lambda: parameters.set_parameter("chainId", 1),
        lambda: parameters.set_parameter("blockGasLimit", 1),
        lambda: directory.add_version("Upper", PROVENANCE_ADDRESS),
        lambda: directory.add_version("provenance", PROVENANCE_ADDRESS, "two words"),
    ]
    for build in builds:
        with pytest.raises(CalldataValueError):
            build()
    for values in ({"chainId": 1}, {"witnessThreshold": 129}):
        with pytest.raises(GenesisError):
            parameters.genesis_account(values)


def test_bounds_are_those_of_the_contract(chain: MemoryChain) -> None:
    for name, (low, high) in parameters.BOUNDS.items():
        word = name.encode().ljust(32, b"\0")
        for value, refused in ((low, False), (high, False), (low - 1, low > 1), (high + 1, True)):
            call = keccak(b"set(bytes32,uint256)")[:4] + word + value.to_bytes(32, "big")
            result = chain.call(GOVERNANCE_ADDRESS, PARAMETERS_ADDRESS, call)
            assert result.reverted == (refused or value == 0), (name, value)


def test_logs_of_something_else_are_refused(chain: MemoryChain) -> None:
    call = governance.propose([Call(CONSORTIUM_ADDRESS, SET_ROLE)], "")
    made = chain.send(BOSS, GOVERNANCE_ADDRESS, call)
    good = made.logs[0]
    for bad in (
        Log(good.address, (), good.data),
        Log(good.address, good.topics[:-1], good.data),
        Log(good.address, good.topics, good.data[:40]),
        Log(
            good.address,
            (good.topics[0], good.topics[1], Hash32(b"\xff" * 32), good.topics[3]),
            good.data,
        ),
    ):
        with pytest.raises(LogError):
            decode_log(bad)


# ---- words --------------------------------------------------------------------------------------

NODE = node_of(1, FARM.id, 10)
SAID = [
    (
        CONSORTIUM_ADDRESS,
        add_organisation("acme", Role.BANK, Profile("Acme\n", "艾克", ""), BOSS.address),
        f"add organisation acme as bank, named 'Acme\ufffd' ('艾克'), with account "
        f"0x{BOSS.address.hex()}",
    ),
    (CONSORTIUM_ADDRESS, SET_ROLE, "make organisation green-valley a carrier"),
    (
        CONSORTIUM_ADDRESS,
        set_organisation_status(FARM.id, Status.REVOKED),
        "remove for ever organisation green-valley",
    ),
    (
        CONSORTIUM_ADDRESS,
        add_account(FARM.id, BOSS.address),
        f"add account 0x{BOSS.address.hex()} to organisation green-valley",
    ),
    (
        CONSORTIUM_ADDRESS,
        set_account_status(BOSS.address, Status.SUSPENDED),
        f"suspend account 0x{BOSS.address.hex()}",
    ),
    (NETWORK_ADDRESS, remove_node(NODE.id), f"remove node {NODE.id.hex()}"),
    (
        NETWORK_ADDRESS,
        set_node_status(NODE.id, NodeStatus.SUSPENDED),
        f"suspend node {NODE.id.hex()}",
    ),
    (NETWORK_ADDRESS, set_power(NODE.id, 7), f"give node {NODE.id.hex()} power 7"),
    (GOVERNANCE_ADDRESS, governance.set_votes(FARM.id, 1), "give organisation green-valley 1 vote"),
    (
        GOVERNANCE_ADDRESS,
        governance.set_default_threshold(Threshold(3, 4)),
        "require more than 3/4 of all votes where nothing else is set",
    ),
    (
        GOVERNANCE_ADDRESS,
        governance.set_threshold(*function_of("network.setPower"), Threshold(1, 1)),
        "require all votes for network.setPower",
    ),
    (
        PARAMETERS_ADDRESS,
        parameters.set_parameter("witnessThreshold", 3),
        "set witnessThreshold to 3",
    ),
    (
        DIRECTORY_ADDRESS,
        directory.add_version("provenance", BOSS.address),
        f"make 0x{BOSS.address.hex()} the current version of contract provenance",
    ),
]


@pytest.mark.feature("N2")
@pytest.mark.parametrize(("target", "data", "words"), SAID, ids=range(len(SAID)))
def test_calls_are_told_in_words(target: Address, data: bytes, words: str) -> None:
    assert describe(Call(target, data)).words == words


def test_a_node_is_told_with_all_that_matters() -> None:
    words = describe(Call(NETWORK_ADDRESS, add_node(NODE))).words
    assert NODE.validator_key is not None
    for part in (NODE.id.hex(), FARM.id, NODE.contact.p2p, "power 10", NODE.validator_key.hex()):
        assert part in words


def _with(data: bytes, index: int, number: int) -> bytes:
    """Calldata with another number as one of its arguments."""
    start = 4 + 32 * index
    return data[:start] + number.to_bytes(32, "big") + data[start + 32 :]


@pytest.mark.parametrize("number", range(6))
def test_numbers_that_stand_for_nothing_hold_up_no_list(number: int) -> None:
    """Whoever may propose could otherwise keep everybody from reading proposals."""
    for target, data, index in (
        (CONSORTIUM_ADDRESS, set_organisation_status(FARM.id, Status.ACTIVE), 1),
        (CONSORTIUM_ADDRESS, set_account_status(BOSS.address, Status.ACTIVE), 1),
        (CONSORTIUM_ADDRESS, set_role(FARM.id, Role.BANK), 1),
        (NETWORK_ADDRESS, set_node_status(NODE.id, NodeStatus.ACTIVE), 1),
        (GOVERNANCE_ADDRESS, governance.set_threshold(BOSS.address, b"1234", None), 3),
    ):
        assert describe(Call(target, _with(data, index, number))).words


def test_names_cannot_go_on_with_words_of_their_own() -> None:
    profile = Profile("Farm", "x), with account 0x11", "y) and set votes (z")
    words = describe(Call(CONSORTIUM_ADDRESS, set_profile(FARM.id, profile))).words
    assert words.endswith("'Farm' ('x), with account 0x11', 'y) and set votes (z')")


def test_calls_that_are_not_known_differ_where_their_bytes_do() -> None:
    one, other = (Call(BOSS.address, b"1234" + bytes(64) + bytes([last])) for last in (1, 2))
    assert describe(one).words != describe(other).words
    assert "69 bytes" in describe(one).words


@given(
    st.binary(max_size=80),
    st.sampled_from([address for address, _, _ in SAID]),
    st.sampled_from([call for _, call, _ in SAID]),
)
def test_any_bytes_are_told_somehow(data: bytes, target: Address, call_of: bytes) -> None:
    for call in (Call(target, data), Call(target, call_of[:4] + data)):
        words = describe(call).words
        assert words
        assert words.isprintable()


@given(st.binary(max_size=100))
def test_any_refusal_is_explained(data: bytes) -> None:
    assert explain(data)
    for name in (b"QuorumLost(uint256,uint256)", b"NotPassed(uint256,uint256,uint256)"):
        assert explain(keccak(name)[:4] + data)


def test_functions_are_named_as_people_write_them() -> None:
    assert function_of("consortium.setRole") == (CONSORTIUM_ADDRESS, SET_ROLE[:4])
    assert function_of("0x" + "11" * 20 + ".0x01020304") == (b"\x11" * 20, b"\x01\x02\x03\x04")
    for wrong in ("consortium.grow", "setRole", "0x11.0x22", ""):
        with pytest.raises(ValueError, match=r"consortium\.setRole"):
            function_of(wrong)
