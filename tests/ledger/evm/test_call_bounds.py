"""Calls that leave no trace are bounded in time; BLAKE2F is native."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.chain import Genesis, Ledger
from ledger.evm import PyEvmEngine
from ledger.evm.errors import CallFailed
from ledger.evm.protocol import CallRequest
from ledger.tlog import NoteSigner
from ledger.types import Address
from tests.ledger.chain.support import genesis_document

LOOP = Address(bytes.fromhex("00" * 18 + "9001"))
LOOP_CODE = "0x5b5f5f5f5f5f60045af1505f56"
"""Calls the identity contract for ever: the dearest work for the gas."""
NOBODY = Address(bytes(20))
GAS = 50_000_000


def precompiled(number: int) -> Address:
    return Address(number.to_bytes(20, "big"))


@pytest.fixture
def hasty(tmp_path: Path, note_signer: NoteSigner) -> Iterator[Ledger]:
    """A ledger that gives calls half a second."""
    document = genesis_document()
    document["alloc"]["0x" + LOOP.hex()] = {"nonce": "0x1", "code": LOOP_CODE, "balance": "0x0"}
    with Ledger.open(
        tmp_path / "hasty",
        genesis=Genesis.parse(document),
        signer=note_signer,
        engine=PyEvmEngine(call_time_s_max=0.5),
        map_size_bytes=1 << 30,
    ) as ledger:
        yield ledger


@pytest.mark.feature("L9")
def test_a_call_that_takes_too_long_is_ended(hasty: Ledger) -> None:
    began = time.monotonic()
    result = hasty.call(CallRequest(NOBODY, LOOP, 0, b"", GAS))
    assert result.error == "execution aborted (timeout = 0.5s)"
    assert time.monotonic() - began < 3


@pytest.mark.feature("L9")
def test_an_estimate_that_takes_too_long_is_ended(hasty: Ledger) -> None:
    with pytest.raises(CallFailed, match="timeout"):
        hasty.estimate_gas(CallRequest(NOBODY, LOOP, 0, b"", GAS))


@pytest.mark.feature("L9")
def test_a_pairing_too_large_to_be_done_in_time_is_not_begun(hasty: Ledger) -> None:
    began = time.monotonic()
    result = hasty.call(CallRequest(NOBODY, precompiled(8), 0, bytes(192 * 200), GAS))
    assert "timeout" in str(result.error)
    assert time.monotonic() - began < 0.5


@pytest.mark.feature("L9")
def test_what_is_called_after_a_call_was_ended_is_answered(hasty: Ledger) -> None:
    hasty.call(CallRequest(NOBODY, LOOP, 0, b"", GAS))
    assert hasty.call(CallRequest(NOBODY, precompiled(4), 0, b"x", GAS)).output == b"x"


@pytest.mark.feature("L1")
def test_a_million_rounds_of_blake2_take_no_more_than_moments(hasty: Ledger) -> None:
    """In Python alone it would be ten seconds, and a block may hold a hundred times as many."""
    rounds = (1_000_000).to_bytes(4, "big")
    result = hasty.call(CallRequest(NOBODY, precompiled(9), 0, rounds + bytes(208) + b"\x01", GAS))
    assert result.error is None
    assert len(result.output) == 64
