"""Nonces: taken by others, and left open by refusals."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from ledger.chain import Ledger
from ledger.consensus import SoloDriver
from ledger.projection import open_database
from tests.traceability.capture.conftest import Start
from tests.traceability.capture.stack import FARM, Identity, Stack, document, event
from traceability.capture import CaptureSettings, Job
from traceability.capture.tables import capture_batch, capture_job

pytestmark = pytest.mark.feature("T1")


def leave_batches(start: Start, count: int) -> list[str]:
    """A node that stops with `count` documents signed and stored, none of them on the chain."""
    settings = CaptureSettings(workers=0, transactions_in_flight_max=count)
    with start(settings) as stack:
        stack.driver.stop()
        ids = []
        for number in range(count):
            ids.append(stack.capture.submit(document(event(number)), FARM))
            wait_until(lambda: len(nonces(stack)) == number + 1)  # noqa: B023
        assert nonces(stack) == list(range(count))
    return ids


def nonces(stack: Stack) -> list[int]:
    with stack.engine.connect() as connection:
        return list(
            connection.execute(
                select(capture_batch.c.nonce).order_by(capture_batch.c.sequence)
            ).scalars()
        )


def wait_until(holds: object, timeout_s: float = 10.0) -> None:
    assert callable(holds)
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def done(stack: Stack, capture_id: str) -> Job:
    return stack.capture.finished(capture_id).result(30)


def test_stored_transactions_are_sent_as_they_are_after_a_restart(
    start: Start, identity: Identity
) -> None:
    ids = leave_batches(start, 3)
    with start() as stack:
        jobs = [done(stack, one) for one in ids]
        assert all(job.success for job in jobs)
        hashes = [job.anchorings[0].transaction_hash for job in jobs]
        key = identity.accounts[FARM].address
        found = [stack.ledger.transaction(one) for one in hashes]
        assert [one.transaction.nonce for one in found if one] == [0, 1, 2]
        assert {one.transaction.sender for one in found if one} == {key}


def test_a_nonce_that_another_took_is_replaced_and_nothing_lost(
    start: Start, tmp_path: Path, identity: Identity
) -> None:
    ids = leave_batches(start, 2)
    key = identity.accounts[FARM]
    ledger = Ledger.open(tmp_path / "chain", genesis=identity.genesis, signer=identity.signer)
    driver = SoloDriver(ledger, block_interval_ms=0)
    driver.start()
    # Against the rule that only the service signs: the same key is used elsewhere.
    raw = key.sign_transaction(
        {
            "type": 2,
            "chainId": ledger.chain_id,
            "nonce": 0,
            "gas": 21_000,
            "to": bytes(key.address),
            "value": 0,
            "data": b"",
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
        }
    )
    ledger.wait_for(ledger.submit(raw), 10)
    driver.stop()
    ledger.close()
    with start() as stack:
        assert all(done(stack, one).success for one in ids)
        assert sorted(nonces(stack)) == [1, 2]


def test_a_gap_left_by_a_refusal_is_filled(
    start: Start, database_url: str, identity: Identity
) -> None:
    first, second = leave_batches(start, 2)
    engine = open_database(database_url)
    with engine.begin() as connection:
        connection.execute(
            update(capture_batch).where(capture_batch.c.nonce == 0).values(state="failed")
        )
        connection.execute(
            update(capture_job)
            .where(capture_job.c.capture_id == first)
            .values(state="failed", finished_ms=1, document=None)
        )
    engine.dispose()
    with start() as stack:
        assert done(stack, second).success
        assert stack.ledger.pending_nonce(identity.accounts[FARM].address) == 2
