"""Handing in transactions, and what clients learn of a refusal."""

from __future__ import annotations

import asyncio
import time

import pytest
from eth_hash.auto import keccak

from ledger.chain import Ledger
from ledger.mempool.errors import NotPermitted
from tests.ledger.chain.support import CHAIN_ID, sender
from tests.ledger.rpc.conftest import mine
from tests.ledger.rpc.support import Rpc

pytestmark = pytest.mark.feature("L9")


def test_a_transaction_is_taken_and_named_by_its_hash(rpc: Rpc) -> None:
    signed = sender(1).call()
    assert rpc.call("eth_sendRawTransaction", "0x" + signed.hex()) == "0x" + keccak(signed).hex()


def test_a_refusal_has_the_words_that_clients_look_for(rpc: Rpc) -> None:
    """ethers, viem and web3.py tell these cases apart by the message."""
    one = sender(1)
    used = one.call()
    mine(rpc.ledger, used)
    pending = one.call()
    rpc.call("eth_sendRawTransaction", "0x" + pending.hex())
    for signed, words in (
        (used, "nonce too low"),
        (pending, "already known"),
        (one.sign(nonce=1_000_000), "nonce too high"),
        (one.sign(nonce=2, gas=21_000), "intrinsic gas too low"),
        (one.sign(nonce=2, maxFeePerGas=1), "insufficient funds"),
        (one.sign(nonce=2, chainId=CHAIN_ID + 1), "chain"),
        (sender(9).call(), "0x" + sender(9).address.hex()),
        (pending[:-1], ""),
        (b"\x03" + pending[1:], ""),
        (b"", ""),
        (b"\x00" * 200, ""),
    ):
        for method in ("eth_sendRawTransaction", "eth_sendRawTransactionSync"):
            error = rpc.error(method, "0x" + signed.hex())
            assert error["code"] == -32000, (words, error)
            assert words in error["message"], error
    assert len(rpc.ledger.pending()) == 1


@pytest.mark.parametrize("raw", ["", "0x1", "02f8", None, 1, ["0x"]])
def test_what_is_no_hex_is_refused(rpc: Rpc, raw: object) -> None:
    assert rpc.error("eth_sendRawTransaction", raw)["code"] == -32602


def test_sending_in_sync_answers_the_receipt(solo_ledger: Ledger) -> None:
    rpc = Rpc(solo_ledger)
    signed = sender(1).call(7)
    receipt = rpc.call("eth_sendRawTransactionSync", "0x" + signed.hex(), 5_000)
    assert receipt["status"] == "0x1"
    assert receipt["transactionHash"] == "0x" + keccak(signed).hex()
    assert len(receipt["logs"]) == 1
    assert rpc.call("eth_getTransactionReceipt", receipt["transactionHash"]) == receipt


@pytest.mark.parametrize("timeout", [50, "0x32"])
def test_sending_in_sync_ends_in_time_and_names_the_transaction(rpc: Rpc, timeout: object) -> None:
    """EIP-7966: code 4, the hash as data; the transaction stays pending."""
    signed = sender(1).call()
    began = time.monotonic()
    error = rpc.error("eth_sendRawTransactionSync", "0x" + signed.hex(), timeout)
    assert time.monotonic() - began < 2
    assert (error["code"], error["data"]) == (4, "0x" + keccak(signed).hex())
    assert len(rpc.ledger.pending()) == 1


@pytest.mark.parametrize("timeout", [0, -1, True, 1.5, "soon", "0x"])
def test_a_timeout_that_makes_no_sense_is_refused_before_anything_is_sent(
    rpc: Rpc, timeout: object
) -> None:
    error = rpc.error("eth_sendRawTransactionSync", "0x" + sender(1).call().hex(), timeout)
    assert error["code"] == -32602
    assert rpc.ledger.pending() == ()


def test_those_who_wait_for_receipts_hold_up_nobody(open_ledger: Ledger) -> None:
    rpc = Rpc(open_ledger, waits_at_once_max=2)
    one = sender(1)

    async def scene() -> None:
        ask = rpc.server._dispatcher.answer
        waiting = [asyncio.create_task(ask(_sync(one.call(number), 1_500))) for number in range(3)]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        called = await ask(b'{"id":1,"method":"eth_call","params":[{}]}')
        assert called is not None
        assert b"result" in called
        assert time.monotonic() - began < 1
        answers = [answer for answer in await asyncio.gather(*waiting) if answer is not None]
        codes = sorted(answer.partition(b'"code":')[2].split(b",")[0] for answer in answers)
        assert codes == [b"-32005", b"4", b"4"]

    asyncio.run(scene())


def _sync(signed: bytes, timeout_ms: int) -> bytes:
    return (
        f'{{"id":1,"method":"eth_sendRawTransactionSync","params":["0x{signed.hex()}",'
        f"{timeout_ms}]}}"
    ).encode()


def test_a_transaction_refused_while_its_sender_waits_gives_the_reason(
    rpc: Rpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dropped(_hash: bytes, _timeout_s: float) -> None:
        raise NotPermitted("the organisation was closed meanwhile")

    monkeypatch.setattr(rpc.ledger, "wait_for", dropped)
    error = rpc.error("eth_sendRawTransactionSync", "0x" + sender(1).call().hex())
    assert error == {"code": -32000, "message": "the organisation was closed meanwhile"}
