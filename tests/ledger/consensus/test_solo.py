"""The solo driver: blocks as soon as something is pending, faults that lose nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

import pytest

from ledger.chain import Deadlines, Ledger, NotPermitted
from ledger.consensus import DriverState, SoloDriver
from ledger.evm import PyEvmEngine
from ledger.evm.execution import PyEvmExecution
from ledger.evm.protocol import BlockEnvironment
from ledger.state import StateReader
from ledger.tlog import NoteSigner
from ledger.types import CommittedBlock, Receipt, Transaction
from tests.ledger.chain.support import closing_genesis, make_genesis, sender

pytestmark = pytest.mark.feature("L2")


def until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.01)


def test_an_idle_chain_makes_no_blocks(solo_ledger: Ledger) -> None:
    time.sleep(0.1)
    assert solo_ledger.head().header.number == 0
    assert solo_ledger.log.size == 0


def test_what_comes_while_a_block_is_made_goes_into_one(open_ledger: Ledger) -> None:
    alice = sender(1)
    hashes = [open_ledger.submit(alice.call(n)) for n in range(50)]
    driver = SoloDriver(open_ledger, transactions_max=20)
    driver.start()
    driver.start()
    open_ledger.wait_for(hashes[-1], 20)
    driver.stop()
    driver.stop()
    head = open_ledger.head().header.number
    assert [len(open_ledger.committed(n).block.transactions) for n in range(1, head + 1)] == [
        20,
        20,
        10,
    ]
    assert driver.status().state is DriverState.STOPPED
    assert driver.status().blocks == 3


def test_a_stopped_driver_starts_again(open_ledger: Ledger) -> None:
    alice = sender(1)
    driver = SoloDriver(open_ledger)
    for number in range(3):
        driver.start()
        open_ledger.wait_for(open_ledger.submit(alice.call(number)), 10)
        driver.stop()
    tx_hash = open_ledger.submit(alice.call(9))
    time.sleep(0.1)
    assert open_ledger.receipt(tx_hash) is None
    assert len(open_ledger.pending()) == 1


def test_an_interval_keeps_blocks_apart(open_ledger: Ledger) -> None:
    alice = sender(1)
    driver = SoloDriver(open_ledger, block_interval_ms=200)
    driver.start()
    open_ledger.wait_for(open_ledger.submit(alice.call(1)), 10)
    started = time.monotonic()
    for number in range(2):
        open_ledger.wait_for(open_ledger.submit(alice.call(number)), 10)
    driver.stop()
    assert time.monotonic() - started > 0.3


def test_a_clock_set_back_does_not_stop_the_chain(open_ledger: Ledger) -> None:
    times = iter([0x65000100, 0x65000050, 0x65000101])
    driver = SoloDriver(open_ledger, clock=lambda: next(times))
    alice = sender(1)
    driver.start()
    for number in range(3):
        open_ledger.wait_for(open_ledger.submit(alice.call(number)), 10)
    driver.stop()
    stamps = [open_ledger.committed(n).block.header.timestamp for n in (1, 2, 3)]
    assert stamps == [0x65000100, 0x65000100, 0x65000101]


def test_a_failing_block_is_loud_and_loses_nothing(
    open_ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = open_ledger.append_block
    failures = 0

    def failing(
        transactions: Iterable[Transaction], timestamp: int, *, deadlines: Deadlines
    ) -> CommittedBlock:
        nonlocal failures
        failures += 1
        if failures <= 2:
            raise OSError("the disk is on fire")
        return whole(transactions, timestamp, deadlines=deadlines)

    monkeypatch.setattr(open_ledger, "append_block", failing)
    driver = SoloDriver(open_ledger)
    alice = sender(1)
    tx_hash = open_ledger.submit(alice.call(1))
    with caplog.at_level(logging.CRITICAL):
        driver.start()
        until(lambda: driver.status().state is DriverState.FAILING)
        assert "on fire" in str(driver.status().error)
        open_ledger.wait_for(tx_hash, 20)
    driver.stop()
    assert failures == 3
    assert any("on fire" in str(record.exc_info) for record in caplog.records)


class _FragileExecution(PyEvmExecution):
    def apply(self, transaction: Transaction, deadline: float | None = None) -> Receipt:
        if transaction.data.endswith(b"\xbe\xef"):
            raise ZeroDivisionError("a defect of the engine")
        return super().apply(transaction, deadline)


class _FragileEngine(PyEvmEngine):
    def begin(self, parent: StateReader, env: BlockEnvironment) -> PyEvmExecution:
        return _FragileExecution(parent, env)


def test_a_transaction_that_breaks_the_engine_stops_only_its_sender(
    tmp_path: object, note_signer: NoteSigner, caplog: pytest.LogCaptureFixture
) -> None:
    with Ledger.open(
        f"{tmp_path}/l",
        genesis=make_genesis(),
        signer=note_signer,
        engine=_FragileEngine(),
        map_size_bytes=1 << 28,
    ) as ledger:
        alice, bob = sender(1), sender(2)
        poison = ledger.submit(alice.call(0xBEEF))
        good = [ledger.submit(bob.call(number)) for number in range(3)]
        driver = SoloDriver(ledger)
        driver.start()
        for one in good:
            ledger.wait_for(one, 20)
        driver.stop()
        assert ledger.pending_transaction(poison) is not None
        assert any("defect" in record.getMessage() for record in caplog.records)


def test_a_suspended_senders_transactions_are_dropped_with_the_reason(
    tmp_path: object, note_signer: NoteSigner
) -> None:
    genesis, closing_number = closing_genesis()
    with Ledger.open(
        f"{tmp_path}/l", genesis=genesis, signer=note_signer, map_size_bytes=1 << 28
    ) as ledger:
        alice, bob = sender(1), sender(2)
        closing = ledger.submit(alice.call(closing_number))
        late = [ledger.submit(bob.call(number)) for number in range(3)]
        driver = SoloDriver(ledger, transactions_max=2)
        driver.start()
        ledger.wait_for(closing, 20)
        ledger.wait_for(late[0], 20)
        for one in late[1:]:
            with pytest.raises(NotPermitted, match="organisation 'acme'"):
                ledger.wait_for(one, 20)
        driver.stop()
        assert not ledger.pending()
        assert ledger.head().header.number == 1


def test_settings_out_of_range_are_refused(open_ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="required"):
        SoloDriver(open_ledger, transactions_max=0)
    with pytest.raises(ValueError, match="required"):
        SoloDriver(open_ledger, block_interval_ms=-1)
