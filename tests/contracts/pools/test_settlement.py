"""What pools pay out of deposits: through Settlement, in one transaction."""

from __future__ import annotations

import pytest

from contracts.abi import Function
from contracts.consortium import organisation_id_word
from contracts.genesis import DEPOSITS_ADDRESS, POOLS_ADDRESS, SETTLEMENT_ADDRESS
from contracts.pools import binding, logs
from contracts.pools.types import Payment, PaymentConfirmed
from contracts.settlement.binding import choose_home_calldata, set_limit_calldata
from contracts.settlement.decoding import decode_deposits_log
from contracts.settlement.genesis import SETTLEMENT_ARTIFACT
from contracts.settlement.types import AccountChanged, PositionChanged
from ledger.state.keccak import keccak
from ledger.types import Hash32
from tests.contracts.pools.scene import FIRST, PoolScene, collection, day, payments_in
from tests.contracts.scene import told

pytestmark = pytest.mark.feature("F7")
TRUSTEE = "trust-house"
BANKS = ("north-fund", "south-fund", "east-fund", "car-bank")


def due(scene: PoolScene) -> tuple[Hash32, list[Payment]]:
    id_ = scene.active()
    scene.commit(id_, FIRST, day())
    scene.collect(id_, collection("p1", 100_000_00, 20_000_00))
    events, _ = scene.distribute(id_, 1, FIRST)
    return id_, payments_in(events)


def allow(scene: PoolScene, banks: tuple[str, ...]) -> None:
    """The banks take payments from the trustee's, and the servicer is paid there."""
    for bank in banks:
        limit = set_limit_calldata(TRUSTEE, "CNY", 10**12)
        assert scene.send(bank, DEPOSITS_ADDRESS, limit).status == 1
    home = choose_home_calldata(TRUSTEE, "CNY")
    assert scene.send("loan-service", DEPOSITS_ADDRESS, home).status == 1


def test_all_payments_of_a_period_go_out_in_one_transaction() -> None:
    scene = PoolScene()
    id_, payments = due(scene)
    allow(scene, BANKS)
    numbers = list(range(1, len(payments) + 1))
    receipt = scene.cash(TRUSTEE, binding.pay_calldata(id_, numbers, TRUSTEE))
    confirmed = [logs.decode_log(log) for log in told(receipt, POOLS_ADDRESS)]
    assert [one.number for one in confirmed if isinstance(one, PaymentConfirmed)] == numbers
    assert len({one.settled for one in confirmed if isinstance(one, PaymentConfirmed)}) == len(
        payments
    )
    moved = [decode_deposits_log(log) for log in told(receipt, DEPOSITS_ADDRESS)]
    claims = sum(one.amount for one in moved if isinstance(one, PositionChanged))
    to_banks = sum(payment.amount for payment in payments if payment.payee in BANKS)
    assert claims == to_banks > 0
    accounts = [one for one in moved if isinstance(one, AccountChanged)]
    (servicer,) = [one for one in accounts if one.content.owner == "loan-service"]
    fee = next(payment.amount for payment in payments if payment.payee == "loan-service")
    assert servicer.content.balance == fee
    assert scene.account(id_).unconfirmed == 0
    again = binding.pay_calldata(id_, [1], TRUSTEE)
    assert scene.refusal(TRUSTEE, POOLS_ADDRESS, again) == "PaymentConfirmedAlready"


def test_one_payment_that_cannot_be_made_stops_them_all() -> None:
    scene = PoolScene()
    id_, payments = due(scene)
    allow(scene, BANKS[1:])
    numbers = list(range(1, len(payments) + 1))
    data = binding.pay_calldata(id_, numbers, TRUSTEE)
    before = scene.chain.words(DEPOSITS_ADDRESS), scene.chain.words(POOLS_ADDRESS)
    assert scene.refusal(TRUSTEE, POOLS_ADDRESS, data) == "LimitExceeded"
    assert scene.cash(TRUSTEE, data).status == 0
    assert (scene.chain.words(DEPOSITS_ADDRESS), scene.chain.words(POOLS_ADDRESS)) == before


def test_what_the_trustee_itself_is_owed_it_keeps() -> None:
    scene = PoolScene()
    id_, payments = due(scene)
    assert payments[0].payee == TRUSTEE
    receipt = scene.cash(TRUSTEE, binding.pay_calldata(id_, [1], TRUSTEE))
    (event,) = (logs.decode_log(log) for log in told(receipt, POOLS_ADDRESS))
    assert isinstance(event, PaymentConfirmed)
    assert event.settled == keccak(id_ + (1).to_bytes(32, "big"))
    assert not told(receipt, DEPOSITS_ADDRESS)


def test_nobody_but_the_trustee_pays_and_nobody_but_pools_asks_settlement() -> None:
    scene = PoolScene()
    id_, _ = due(scene)
    allow(scene, BANKS)
    data = binding.pay_calldata(id_, [1], TRUSTEE)
    for other in ("car-bank", "loan-service", "north-fund", "market-office"):
        assert scene.refusal(other, POOLS_ADDRESS, data) == "NotOffice"
    direct = Function.of(SETTLEMENT_ARTIFACT, "payFor").calldata(
        *(organisation_id_word(TRUSTEE), (bytes(32), bytes(32), bytes(32), b"CNY", 1, b"1"), id_)
    )
    assert scene.refusal(TRUSTEE, SETTLEMENT_ADDRESS, direct) == "NotCaller"
    for count in ([], list(range(1, 34))):
        wrong = binding.pay_calldata(id_, count, TRUSTEE)
        assert scene.refusal(TRUSTEE, POOLS_ADDRESS, wrong) == "WrongPaymentCount"
