"""The sender on a real ledger: tried, signed, followed, sent again, told when it is over."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eth_account import Account

from contracts.consortium import CONSORTIUM_ADDRESS, Profile, set_profile
from contracts.consortium.types import Status
from contracts.provenance import PROVENANCE_ADDRESS, Visibility, anchor_calldata
from ledger.crypto import AccountKey
from ledger.evm import decode_transaction
from ledger.mempool import NotPermitted
from ledger.sending import (
    Busy,
    NonceUsed,
    NoSigner,
    Refused,
    Sender,
    SendingSettings,
    SendingStopped,
    SendingTimeout,
    Signed,
    SigningFailed,
    Unsigned,
    WouldFail,
    assembled,
    signed_envelope,
    signing_hash,
    unsigned_envelope,
)
from ledger.types import Address
from tests.traceability.capture.stack import FARM, Stack, make_identity, running

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("L1")]

FAST = SendingSettings(in_flight_max=5, resubmit_after_s=0.2, tick_s=0.05)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path, make_identity()) as stack:
        yield stack


@pytest.fixture
def sender(stack: Stack) -> Iterator[Sender]:
    sender = Sender(stack.ledger, stack.signers, stack.nonces, FAST)
    sender.start()
    yield sender
    sender.stop()


def anchor(name: object) -> bytes:
    root = hashlib.sha256(str(name).encode()).digest()
    return anchor_calldata(root, 1, Visibility.CONFIDENTIAL, b"")


def sign(sender: Sender, name: object = 1) -> Signed:
    data = anchor(name)
    gas = sender.trial(sender.account(FARM), PROVENANCE_ADDRESS, data)
    return sender.sign(FARM, PROVENANCE_ADDRESS, data, gas)


def wait_until(holds: Callable[[], object], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_signed_is_what_wallets_sign() -> None:
    key = AccountKey(b"\7" * 32)
    one = Unsigned(827166, 5, 100_000, Address(b"\x11" * 20), b"\x12\x34" * 40)
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": one.chain_id,
            "nonce": one.nonce,
            "gas": one.gas,
            "to": bytes(one.to),
            "value": 0,
            "data": one.data,
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
        },
        key.private_key,
    )
    raw = signed_envelope(one, key)
    assert raw == bytes(theirs.raw_transaction)
    assert assembled(one, key.sign_digest(signing_hash(one))) == raw
    assert unsigned_envelope(one)[:1] == b"\x02"
    read = decode_transaction(raw)
    assert (read.sender, read.nonce, read.to, read.data) == (key.address, 5, one.to, one.data)


def test_many_of_one_account_are_under_way_and_end_in_order(stack: Stack, sender: Sender) -> None:
    stack.driver.stop()
    signed = [sign(sender, number) for number in range(5)]
    futures = [sender.submit(one) for one in reversed(signed)]
    assert sender.submit(signed[0]) is futures[-1]
    with pytest.raises(Busy):
        sign(sender)
    stack.driver.start()
    outcomes = [future.result(10) for future in reversed(futures)]
    places = [(one.block_number, one.index) for one in outcomes]
    assert places == sorted(places)
    assert all(one.status == 1 and len(one.logs) == 1 for one in outcomes)
    assert sender.outcome(signed[0].hash) == outcomes[0]
    assert stack.nonces.held(sender.account(FARM)) == 0
    assert sender.wait(sign(sender, "again"), 10).status == 1


def test_what_fails_when_tried_is_told_with_its_data(stack: Stack, sender: Sender) -> None:
    with pytest.raises(WouldFail) as refused:
        sender.trial(sender.account(FARM), CONSORTIUM_ADDRESS, set_profile(FARM, Profile("x")))
    assert refused.value.reverted
    assert len(refused.value.output) >= 4
    with pytest.raises(NoSigner):
        sender.account("nobody")
    with pytest.raises(NoSigner):
        sender.sign("nobody", PROVENANCE_ADDRESS, b"", 100_000)


def test_what_left_the_mempool_is_sent_again(stack: Stack, sender: Sender) -> None:
    stack.driver.stop()
    signed = sign(sender)
    future = sender.submit(signed)
    for one in stack.ledger.pending():
        stack.ledger.mempool.drop(one, RuntimeError("lost"))
    forget = stack.ledger._waiters.admitted
    forget(signed.hash)
    stack.driver.start()
    assert future.result(10).status == 1


def test_a_nonce_given_up_is_filled_for_who_waits_behind_it(stack: Stack, sender: Sender) -> None:
    first, second = sign(sender, 1), sign(sender, 2)
    future = sender.submit(second)
    with pytest.raises(SendingTimeout):
        sender.wait(second, 0.2)
    sender.discard(first)
    assert future.result(10).status == 1
    filler = stack.ledger.block(future.result().block_number)
    assert filler is not None
    nonces = [one.nonce for one in filler.transactions]
    assert stack.ledger.pending_nonce(sender.account(FARM)) == 2
    assert nonces[-1] == 1


def test_a_nonce_that_another_used_is_told(stack: Stack, sender: Sender) -> None:
    signed = sign(sender, 1)
    stack.send(FARM, PROVENANCE_ADDRESS, anchor(2))
    with pytest.raises(NonceUsed):
        sender.wait(signed, 10)
    assert sender.wait(sign(sender, 3), 10).status == 1


def test_what_is_never_taken_is_told_and_its_nonce_given_back(stack: Stack, sender: Sender) -> None:
    signed = sign(sender, 1)
    stack.set_status(FARM, Status.SUSPENDED)
    with pytest.raises(Refused) as refused:
        sender.wait(signed, 10)
    assert isinstance(refused.value.__cause__, NotPermitted)
    stack.set_status(FARM, Status.ACTIVE)
    assert sign(sender, 2).nonce == signed.nonce


def test_a_key_that_cannot_sign_costs_no_nonce(stack: Stack) -> None:
    class Broken:
        address = stack.identity.accounts[FARM].address

        def sign_digest(self, digest: bytes) -> bytes:
            raise OSError("the token was pulled out")

    sender = Sender(stack.ledger, {FARM: Broken()}, stack.nonces, FAST)
    with pytest.raises(SigningFailed, match="pulled out"):
        sender.sign(FARM, PROVENANCE_ADDRESS, anchor(1), 100_000)
    assert stack.nonces.held(Broken.address) == 0


def test_after_the_end_whoever_waits_is_told(stack: Stack) -> None:
    sender = Sender(stack.ledger, stack.signers, stack.nonces, FAST)
    sender.start()
    stack.driver.stop()
    signed = sign(sender)
    future = sender.submit(signed)
    sender.stop()
    with pytest.raises(SendingStopped):
        future.result(1)
    with pytest.raises(SendingStopped):
        sender.submit(signed)
    later = Sender(stack.ledger, stack.signers, stack.nonces, FAST)
    later.adopt(signed)
    later.start()
    stack.driver.start()
    assert later.wait(signed, 10).status == 1, "the same bytes after a restart"
    later.stop()
