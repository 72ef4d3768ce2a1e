"""Calls and logs of the Provenance contract, through the real contract."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.consortium import (
    CONSORTIUM_ADDRESS,
    Profile,
    Role,
    Status,
    add_organisation,
    set_account_status,
    set_organisation_status,
)
from contracts.errors import CalldataError, CalldataValueError, LogError
from contracts.provenance import (
    BATCH_ANCHORED_TOPIC,
    COUNT_MAX,
    PROVENANCE_ADDRESS,
    Anchor,
    AnchoredBatch,
    BatchAnchored,
    Visibility,
    anchor_calldata,
    batch_calldata,
    decode_anchor,
    decode_batch,
    decode_log,
    genesis_account,
)
from contracts.provenance.binding import PROVENANCE_ARTIFACT
from ledger.state import keccak
from ledger.types import Address, Hash32, Log
from tests.contracts.scene import FARM, OPERATOR, MemoryChain, govern, key

BOSS, FARMER, SCANNER, STRANGER = key(1), key(2), key(4), key(20)
ROOT = Hash32(keccak(b"a root"))
PAYLOAD = b"\x01payload"


def refusal(chain: MemoryChain, sender: Address, data: bytes) -> bytes | None:
    """Selector of the custom error, None where the call succeeds."""
    result = chain.call(sender, PROVENANCE_ADDRESS, data)
    assert result.error is None
    return result.output[:4] if result.reverted else None


def error(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


@pytest.mark.feature("T1")
def test_an_anchored_batch_is_told_and_remembered(chain: MemoryChain) -> None:
    call = anchor_calldata(ROOT, 100, Visibility.PUBLIC, PAYLOAD)
    receipt = chain.send(SCANNER, PROVENANCE_ADDRESS, call)
    assert receipt.status == 1
    (log,) = receipt.logs
    assert log.address == PROVENANCE_ADDRESS
    assert decode_log(log) == BatchAnchored(ROOT, FARM.id, SCANNER.address, 100, Visibility.PUBLIC)
    answer = chain.call(BOSS.address, PROVENANCE_ADDRESS, batch_calldata(FARM.id, ROOT))
    assert decode_batch(answer.output) == AnchoredBatch(
        SCANNER.address, chain.time, 100, Visibility.PUBLIC
    )
    answer = chain.call(BOSS.address, PROVENANCE_ADDRESS, batch_calldata(OPERATOR.id, ROOT))
    assert decode_batch(answer.output) is None


@pytest.mark.feature("T1")
def test_the_event_is_that_of_the_proof_format() -> None:
    """docs/proof-format.md, section 2."""
    assert keccak(b"BatchAnchored(bytes32,bytes32,address,uint32,uint8)") == BATCH_ANCHORED_TOPIC
    call = anchor_calldata(ROOT, 1, Visibility.CONFIDENTIAL)
    assert call[:4] == keccak(b"anchor(bytes32,uint32,uint8,bytes)")[:4]
    (event,) = (e for e in PROVENANCE_ARTIFACT.abi if e["type"] == "event")
    assert [(p["name"], p["indexed"]) for p in event["inputs"]] == [
        ("root", True),
        ("organisation", True),
        ("submitter", True),
        ("count", False),
        ("visibility", False),
    ]


@pytest.mark.feature("T1")
def test_a_root_is_anchored_once_per_organisation(chain: MemoryChain) -> None:
    call = anchor_calldata(ROOT, 100, Visibility.PUBLIC, PAYLOAD)
    assert chain.send(FARMER, PROVENANCE_ADDRESS, call).status == 1
    again = refusal(chain, SCANNER.address, anchor_calldata(ROOT, 1, Visibility.CONFIDENTIAL))
    assert again == error("AlreadyAnchored(bytes32,bytes32)")
    words = chain.words(PROVENANCE_ADDRESS)
    assert chain.send(FARMER, PROVENANCE_ADDRESS, call).status == 0
    assert chain.words(PROVENANCE_ADDRESS) == words
    assert chain.send(BOSS, PROVENANCE_ADDRESS, call).status == 1


@pytest.mark.feature("T1")
def test_a_batch_costs_one_slot(chain: MemoryChain) -> None:
    for number in range(1, 4):
        call = anchor_calldata(number.to_bytes(32, "big"), COUNT_MAX, Visibility.PUBLIC, PAYLOAD)
        assert chain.send(FARMER, PROVENANCE_ADDRESS, call).status == 1
        assert len(chain.words(PROVENANCE_ADDRESS)) == number


@pytest.mark.feature("T1")
def test_gas_stays_small(chain: MemoryChain) -> None:
    """Execution without payload is about 59,000 gas, 22,100 of it for the new slot.

    A payload costs 16 gas for each byte that is not zero (EIP-2028; or 40 for all as the floor of
    EIP-7623, where that is more), and nothing in storage.
    """
    small = chain.send(
        FARMER, PROVENANCE_ADDRESS, anchor_calldata(ROOT, 1, Visibility.CONFIDENTIAL)
    )
    assert small.gas_used < 61_000
    payload = b"\x01" * 10_000
    call = anchor_calldata(Hash32(keccak(b"other")), 100, Visibility.PUBLIC, payload)
    large = chain.send(FARMER, PROVENANCE_ADDRESS, call)
    assert large.gas_used < 21_000 + 40 * (len(payload) + 200)


@pytest.mark.feature("S1")
@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.word)
def test_roles_that_capture(chain: MemoryChain, role: Role) -> None:
    member = key(30)
    call = add_organisation("member", role, Profile("Member"), member.address)
    assert govern(chain, (CONSORTIUM_ADDRESS, call)).status == 1
    refused = refusal(chain, member.address, anchor_calldata(ROOT, 1, Visibility.CONFIDENTIAL))
    watches = role in (Role.BANK, Role.REGULATOR, Role.ARBITRATOR)
    assert refused == (error("RoleMayNotCapture(uint8)") if watches else None)


@pytest.mark.feature("S1")
def test_only_active_members_anchor(chain: MemoryChain) -> None:
    call = anchor_calldata(ROOT, 1, Visibility.CONFIDENTIAL)
    inactive = error("CallerNotActive(address)")
    assert refusal(chain, STRANGER.address, call) == inactive
    chain.send(FARMER, CONSORTIUM_ADDRESS, set_account_status(SCANNER.address, Status.SUSPENDED))
    assert refusal(chain, SCANNER.address, call) == inactive
    assert refusal(chain, FARMER.address, call) is None
    govern(chain, (CONSORTIUM_ADDRESS, set_organisation_status(FARM.id, Status.SUSPENDED)))
    assert refusal(chain, FARMER.address, call) == inactive


@pytest.mark.feature("T1")
def test_what_the_contract_refuses_whoever_sends(chain: MemoryChain) -> None:
    def raw(root: bytes, count: int, visibility: int, payload: bytes) -> bytes:
        head = root + count.to_bytes(32, "big") + visibility.to_bytes(32, "big")
        padded = payload.ljust(-(-len(payload) // 32) * 32, b"\0")
        tail = (128).to_bytes(32, "big") + len(payload).to_bytes(32, "big") + padded
        return keccak(b"anchor(bytes32,uint32,uint8,bytes)")[:4] + head + tail

    for call, reason in [
        (raw(ROOT, 1, 0, PAYLOAD), None),
        (raw(ROOT, COUNT_MAX, 2, b""), None),
        (raw(ROOT, 1, 1, PAYLOAD), None),
        (raw(ROOT, 1, 1, b""), None),
        (raw(bytes(32), 1, 0, PAYLOAD), "ZeroRoot()"),
        (raw(ROOT, 0, 0, PAYLOAD), "CountOutOfRange(uint32)"),
        (raw(ROOT, COUNT_MAX + 1, 0, PAYLOAD), "CountOutOfRange(uint32)"),
        (raw(ROOT, 2**32 - 1, 0, PAYLOAD), "CountOutOfRange(uint32)"),
        (raw(ROOT, 1, 3, PAYLOAD), "UnknownVisibility(uint8)"),
        (raw(ROOT, 1, 255, PAYLOAD), "UnknownVisibility(uint8)"),
        (raw(ROOT, 1, 0, b""), "PayloadMissing()"),
        (raw(ROOT, 1, 2, PAYLOAD), "PayloadNotAllowed()"),
    ]:
        expected = None if reason is None else error(reason)
        assert refusal(chain, FARMER.address, call) == expected, reason


def test_the_builder_refuses_what_the_contract_would() -> None:
    for arguments in (
        (bytes(32), 1, Visibility.PUBLIC, PAYLOAD),
        (b"short", 1, Visibility.PUBLIC, PAYLOAD),
        (ROOT, 0, Visibility.PUBLIC, PAYLOAD),
        (ROOT, COUNT_MAX + 1, Visibility.PUBLIC, PAYLOAD),
        (ROOT, 1, Visibility.PUBLIC, b""),
        (ROOT, 1, Visibility.CONFIDENTIAL, PAYLOAD),
    ):
        with pytest.raises(CalldataValueError):
            anchor_calldata(*arguments)


@given(
    st.binary(min_size=32, max_size=32).filter(any),
    st.integers(1, COUNT_MAX),
    st.binary(min_size=1, max_size=200),
)
def test_calldata_reads_back(root: bytes, count: int, payload: bytes) -> None:
    call = anchor_calldata(root, count, Visibility.PUBLIC, payload)
    assert decode_anchor(call) == Anchor(Hash32(root), count, Visibility.PUBLIC, payload)


@given(st.binary(max_size=300))
def test_any_other_bytes_are_refused_in_words(data: bytes) -> None:
    selector = anchor_calldata(ROOT, 1, Visibility.CONFIDENTIAL)[:4]
    for call in (data, selector + data):
        try:
            decode_anchor(call)
        except CalldataError:
            continue
        assert call[:4] == selector
    with pytest.raises(LogError):
        decode_log(Log(PROVENANCE_ADDRESS, (), data))


@given(st.data())
def test_damaged_calldata_is_refused_or_read_as_the_contract_reads_it(data: st.DataObject) -> None:
    call = bytearray(anchor_calldata(ROOT, 7, Visibility.PUBLIC, PAYLOAD * 9))
    spot = data.draw(st.integers(0, len(call) - 1))
    call[spot] ^= data.draw(st.integers(1, 255))
    try:
        decode_anchor(bytes(call))
    except CalldataError:
        return


@pytest.mark.feature("T1")
def test_calldata_with_padding_of_its_own_is_read_as_the_contract_reads_it(
    chain: MemoryChain,
) -> None:
    """Solidity ignores bytes behind the payload and what its padding holds."""
    call = anchor_calldata(ROOT, 7, Visibility.PUBLIC, PAYLOAD)
    for odd in (call + b"more", call[:-1] + b"\x01"):
        assert refusal(chain, FARMER.address, odd) is None
        assert decode_anchor(odd).payload == PAYLOAD


def test_logs_of_something_else_are_refused(chain: MemoryChain) -> None:
    call = anchor_calldata(ROOT, 7, Visibility.PUBLIC, PAYLOAD)
    (good,) = chain.send(FARMER, PROVENANCE_ADDRESS, call).logs
    decode_log(good)
    wild = Hash32(b"\xff" * 32)
    for bad in (
        Log(good.address, (wild, *good.topics[1:]), good.data),
        Log(good.address, good.topics[:3], good.data),
        Log(good.address, (*good.topics, wild), good.data),
        Log(good.address, good.topics, good.data[:-1]),
        Log(good.address, good.topics, good.data[:32] + (3).to_bytes(32, "big")),
        Log(good.address, good.topics, wild + good.data[32:]),
        Log(good.address, (*good.topics[:2], wild, good.topics[3]), good.data),
        Log(good.address, (*good.topics[:3], wild), good.data),
    ):
        with pytest.raises(LogError):
            decode_log(bad)


@pytest.mark.feature("N1")
def test_genesis_code_is_what_deployment_leaves(chain: MemoryChain) -> None:
    arguments = CONSORTIUM_ADDRESS.rjust(32, b"\0")
    receipt = chain.send(BOSS, None, PROVENANCE_ARTIFACT.bytecode + arguments)
    assert receipt.contract_address is not None
    account = chain.state.account(receipt.contract_address)
    assert account is not None
    code = chain.state.code(account.code_hash)
    assert genesis_account() == {
        "nonce": "0x1",
        "balance": "0x0",
        "code": f"0x{code.hex()}",
        "storage": {},
    }
    elsewhere = genesis_account(Address(b"\x77" * 20))
    assert elsewhere["code"] == f"0x{code.replace(CONSORTIUM_ADDRESS, b'w' * 20).hex()}"
