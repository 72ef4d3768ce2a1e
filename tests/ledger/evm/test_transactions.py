"""Decoding signed transactions: all four types, and precise refusals."""

from __future__ import annotations

from typing import Any

import pytest
from eth.vm.forks.prague import PragueVM
from eth_account import Account as Wallet
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.evm import (
    AuthorizationListEmpty,
    ChainIdMissing,
    InitCodeTooLarge,
    IntrinsicGasTooLow,
    SignatureInvalid,
    TransactionMalformed,
    TransactionRefused,
    TransactionTooLarge,
    TransactionTypeUnsupported,
    check_standing_alone,
    contract_address,
    decode_transaction,
    floor_gas_of,
    intrinsic_gas,
)
from ledger.evm.transactions import SECP256K1_ORDER
from ledger.state import keccak
from ledger.state.rlp import decode_list, encode
from ledger.types import Address, Transaction

pytestmark = pytest.mark.feature("L1")

WALLET = Wallet.from_key(b"\x11" * 32)
TO = bytes.fromhex("c0" * 20)


def signed(kind: int = 2, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "chainId": 7, "nonce": 1, "gas": 100_000, "to": TO, "value": 5, "data": b"\x01\x00",
    }  # fmt: skip
    if kind < 2:
        fields["gasPrice"] = 3
    else:
        fields |= {"maxFeePerGas": 3, "maxPriorityFeePerGas": 2}
    if kind:
        keys = ["0x" + "00" * 31 + "05"]
        fields |= {"type": kind, "accessList": [{"address": "0x" + TO.hex(), "storageKeys": keys}]}
    if kind == 4:
        authorization = {"chainId": 7, "address": TO, "nonce": 2}
        fields["authorizationList"] = [WALLET.sign_authorization(authorization)]
    return bytes(WALLET.sign_transaction(fields | changes).raw_transaction)


@pytest.mark.parametrize("kind", [0, 1, 2, 4])
def test_every_type_decodes_with_its_sender_and_hash(kind: int) -> None:
    raw = signed(kind)
    transaction = decode_transaction(raw)
    reference = PragueVM.get_transaction_builder().decode(raw)
    assert transaction.sender.hex() == WALLET.address[2:].lower()
    assert transaction.hash == reference.hash == keccak(raw)
    assert transaction.raw == raw
    assert (transaction.type, transaction.chain_id, transaction.nonce) == (kind, 7, 1)
    assert (transaction.to, transaction.value, transaction.data) == (TO, 5, b"\x01\x00")
    assert (transaction.gas, transaction.gas_price) == (100_000, 3)
    assert transaction.max_priority_fee_per_gas == (3 if kind < 2 else 2)
    assert transaction.access_list == (((TO, (5,)),) if kind else ())
    assert len(transaction.authorization_list) == (kind == 4)
    assert (transaction.r, transaction.s) == (reference.r, reference.s)
    assert transaction.y_parity == reference.y_parity


def test_creation_has_no_recipient() -> None:
    assert decode_transaction(signed(2, to=b"")).to is None


def test_the_example_of_eip_155_decodes() -> None:
    raw = bytes.fromhex(
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025"
        "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
        "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    )
    transaction = decode_transaction(raw)
    assert transaction.sender.hex() == "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"
    assert (transaction.chain_id, transaction.nonce, transaction.value) == (1, 9, 10**18)


@settings(max_examples=300, deadline=None)
@given(raw=st.one_of(st.binary(max_size=200), st.builds(bytes, st.lists(st.integers(0, 255)))))
def test_noise_is_refused_and_never_breaks(raw: bytes) -> None:
    with pytest.raises(TransactionMalformed):
        decode_transaction(raw)


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from([0, 1, 2, 4]), at=st.integers(0, 10_000), mask=st.integers(1, 255))
def test_changed_byte_never_keeps_sender_and_hash(kind: int, at: int, mask: int) -> None:
    raw = bytearray(signed(kind))
    original = decode_transaction(bytes(raw))
    raw[at % len(raw)] ^= mask
    try:
        changed = decode_transaction(bytes(raw))
    except TransactionMalformed:
        return
    assert changed.sender != original.sender
    assert changed.hash != original.hash


def resigned(index: int, value: int | bytes) -> bytes:
    items: list[Any] = decode_list(signed(0))
    items[index] = value
    return encode(items)


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        (b"", TransactionMalformed, "empty"),
        (signed()[:-1], TransactionMalformed, "runs past"),
        (signed() + b"\0", TransactionMalformed, "follow"),
        (b"\x03" + signed()[1:], TransactionTypeUnsupported, "blob"),
        (b"\x05" + signed()[1:], TransactionTypeUnsupported, "0x05"),
        (b"\x00" + signed(0), TransactionTypeUnsupported, "0x00"),
        (resigned(6, 27), ChainIdMissing, "EIP-155"),
        (resigned(6, 30), SignatureInvalid, "v is 30"),
        (resigned(7, 0), SignatureInvalid, "curve order"),
        (resigned(7, SECP256K1_ORDER), SignatureInvalid, "curve order"),
        (resigned(8, SECP256K1_ORDER // 2 + 1), SignatureInvalid, "EIP-2"),
        (resigned(3, b"\x01" * 19), TransactionMalformed, "19 bytes"),
        (resigned(0, 2**64 - 1), TransactionMalformed, "EIP-2681"),
        (resigned(0, b"\0\1"), TransactionMalformed, "leading zero"),
        (resigned(2, 2**64), TransactionMalformed, "gas: longer"),
        (resigned(4, 2**256), TransactionMalformed, "value: longer"),
    ],
)
def test_what_is_wrong_is_named(raw: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        decode_transaction(raw)
    assert isinstance(caught.value, TransactionRefused)


def test_upper_half_signature_of_a_valid_one_is_refused() -> None:
    items: list[Any] = decode_list(signed(0))
    items[8] = SECP256K1_ORDER - int.from_bytes(items[8], "big")
    items[6] = int.from_bytes(items[6], "big") ^ 1 ^ 0  # the other parity of v = 49 or 50
    with pytest.raises(SignatureInvalid):
        decode_transaction(encode(items))


def test_size_is_bounded() -> None:
    raw = signed(data=b"\x01" * 2000)
    decode_transaction(raw)
    with pytest.raises(TransactionTooLarge, match="at most 1000"):
        decode_transaction(raw, size_bytes_max=1000)


def decoded(kind: int = 2, **changes: Any) -> Transaction:
    return decode_transaction(signed(kind, **changes))


def test_intrinsic_gas_counts_every_part() -> None:
    assert intrinsic_gas(decoded(0, data=b"")) == 21_000
    assert intrinsic_gas(decoded(0, data=b"\0\1")) == 21_000 + 4 + 16
    assert intrinsic_gas(decoded(2, data=b"")) == 21_000 + 2_400 + 1_900
    assert intrinsic_gas(decoded(4, data=b"")) == 21_000 + 2_400 + 1_900 + 25_000
    creation = intrinsic_gas(decoded(0, to=b"", data=b"\1" * 33))
    assert creation == 21_000 + 32_000 + 33 * 16 + 2 * 2
    assert floor_gas_of(b"\0\1") == 21_000 + 10 + 40


def test_rules_that_need_no_state_are_checked() -> None:
    with pytest.raises(IntrinsicGasTooLow, match="have 20999, want"):
        check_standing_alone(decoded(0, gas=20_999, data=b""))
    # EIP-7623: 1,000 non-zero bytes cost 37,000 at least to run, but 61,000 at least to carry.
    with pytest.raises(IntrinsicGasTooLow, match="want 61000"):
        check_standing_alone(decoded(0, gas=60_999, data=b"\1" * 1000))
    check_standing_alone(decoded(0, gas=61_000, data=b"\1" * 1000))
    with pytest.raises(InitCodeTooLarge, match="49153"):
        check_standing_alone(decoded(0, gas=3_000_000, to=b"", data=b"\1" * 49_153))
    check_standing_alone(decoded(0, gas=3_000_000, to=b"", data=b"\1" * 49_152))
    empty = decode_list(signed(4)[1:])
    empty[9] = []
    transaction = decode_transaction(b"\x04" + encode(empty))
    with pytest.raises(AuthorizationListEmpty):
        check_standing_alone(transaction)


def test_contract_address_is_the_well_known_one() -> None:
    sender = Address(bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"))
    assert contract_address(sender, 0).hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert contract_address(sender, 1).hex() == "343c43a37d37dff08ae8c4a11544c718abb4fcf8"
