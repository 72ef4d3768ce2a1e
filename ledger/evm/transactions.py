"""Signed transactions: decoding with the sender recovered, and their intrinsic cost.

Sources: EIP-2718 envelopes, EIP-155 and EIP-2 signatures, EIP-2930, EIP-1559, EIP-7702.
"""

from __future__ import annotations

from typing import Final

import coincurve

from ledger.evm.errors import (
    AuthorizationListEmpty,
    ChainIdMissing,
    InitCodeTooLarge,
    IntrinsicGasTooLow,
    SignatureInvalid,
    TransactionMalformed,
    TransactionTooLarge,
    TransactionTypeUnsupported,
)
from ledger.state.errors import RlpMalformed
from ledger.state.keccak import keccak
from ledger.state.rlp import (
    Item,
    as_bytes,
    as_list,
    as_uint,
    decode_list,
    encode,
    encode_list,
    encode_uint,
)
from ledger.types import Address, Authorization, Hash32, Transaction

TRANSACTION_SIZE_BYTES_MAX: Final = 1 << 20
SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF_ORDER: Final = SECP256K1_ORDER // 2
_NONCE_LIMIT: Final = (1 << 64) - 1
_BLOB_TYPE: Final = 3
_SET_CODE_TYPE: Final = 4
_FIELDS: Final = {1: 11, 2: 12, 4: 13}
_AUTHORIZATION_MAGIC: Final = b"\x05"

INIT_CODE_SIZE_BYTES_MAX: Final = 49_152
_GAS_TRANSACTION: Final = 21_000
_GAS_CREATE: Final = 32_000
_GAS_INIT_CODE_WORD: Final = 2
_GAS_ACCESS_ADDRESS: Final = 2_400
_GAS_ACCESS_SLOT: Final = 1_900
_GAS_AUTHORIZATION: Final = 25_000
_GAS_TOKEN: Final = 4
_GAS_TOKEN_FLOOR: Final = 10
_TOKENS_NON_ZERO: Final = 4


def decode_transaction(raw: bytes, size_bytes_max: int = TRANSACTION_SIZE_BYTES_MAX) -> Transaction:
    """Decode an EIP-2718 envelope (types 0, 1, 2 and 4) and recover its sender.

    Raises a `TransactionMalformed` that says which field is wrong. Only the canonical encoding is
    accepted. Whether the transaction fits the state is for execution to tell.
    """
    if not raw:
        raise TransactionMalformed("transaction is empty")
    if len(raw) > size_bytes_max:
        raise TransactionTooLarge(
            f"transaction of {len(raw)} bytes; this chain takes at most {size_bytes_max}"
        )
    try:
        if raw[0] >= 0xC0:
            return _decode_legacy(raw)
        if raw[0] in _FIELDS:
            return _decode_typed(raw)
    except RlpMalformed as error:
        raise TransactionMalformed(f"transaction is malformed: {error}") from error
    if raw[0] == _BLOB_TYPE:
        raise TransactionTypeUnsupported("blob transactions (type 3) are not supported here")
    raise TransactionTypeUnsupported(
        f"transaction type {raw[0]:#04x} is unknown; types 0, 1, 2 and 4 are supported"
    )


def intrinsic_gas(transaction: Transaction) -> int:
    """Gas that a transaction costs before any code runs (EIP-2028, 2930, 3860, 7702)."""
    return intrinsic_gas_of(
        transaction.data,
        creates=transaction.to is None,
        access_addresses=len(transaction.access_list),
        access_slots=sum(len(slots) for _, slots in transaction.access_list),
        authorizations=len(transaction.authorization_list),
    )


def intrinsic_gas_of(
    data: bytes,
    *,
    creates: bool,
    access_addresses: int = 0,
    access_slots: int = 0,
    authorizations: int = 0,
) -> int:
    """`intrinsic_gas` from its parts."""
    gas = _GAS_TRANSACTION + _GAS_TOKEN * _tokens(data)
    if creates:
        gas += _GAS_CREATE + _GAS_INIT_CODE_WORD * ((len(data) + 31) // 32)
    gas += _GAS_ACCESS_ADDRESS * access_addresses + _GAS_ACCESS_SLOT * access_slots
    return gas + _GAS_AUTHORIZATION * authorizations


def floor_gas_of(data: bytes) -> int:
    """Least gas that calldata costs whatever the code does (EIP-7623)."""
    return _GAS_TRANSACTION + _GAS_TOKEN_FLOOR * _tokens(data)


def check_standing_alone(transaction: Transaction) -> tuple[int, int]:
    """Rules that need no state. Returns intrinsic gas and floor gas.

    Raises `IntrinsicGasTooLow`, `InitCodeTooLarge`, `AuthorizationListEmpty`.
    """
    if transaction.to is None and len(transaction.data) > INIT_CODE_SIZE_BYTES_MAX:
        raise InitCodeTooLarge(
            f"contract creation code of {len(transaction.data)} bytes; "
            f"EIP-3860 allows {INIT_CODE_SIZE_BYTES_MAX}"
        )
    if transaction.type == _SET_CODE_TYPE and not transaction.authorization_list:
        raise AuthorizationListEmpty("type 4 transaction without authorizations")
    intrinsic = intrinsic_gas(transaction)
    floor = floor_gas_of(transaction.data)
    if transaction.gas < max(intrinsic, floor):
        raise IntrinsicGasTooLow(
            f"intrinsic gas too low: have {transaction.gas}, want {max(intrinsic, floor)}"
        )
    return intrinsic, floor


def recover_authority(authorization: Authorization) -> Address | None:
    """Who signed an EIP-7702 authorization; None where the signature is no good."""
    if authorization.y_parity > 1 or not 0 < authorization.s <= _HALF_ORDER:
        return None
    message = _AUTHORIZATION_MAGIC + encode(
        (authorization.chain_id, authorization.address, authorization.nonce)
    )
    try:
        return _recover(keccak(message), authorization.y_parity, authorization.r, authorization.s)
    except SignatureInvalid:
        return None


def _tokens(data: bytes) -> int:
    return len(data) * _TOKENS_NON_ZERO - data.count(0) * (_TOKENS_NON_ZERO - 1)


def _decode_legacy(raw: bytes) -> Transaction:
    items = decode_list(raw, fields=9)
    v = as_uint(items[6], "v")
    if v in (27, 28):
        raise ChainIdMissing("legacy transaction without a chain id: sign it with EIP-155")
    if v < 35:
        raise SignatureInvalid(f"v is {v}; EIP-155 has 35 + 2 * chain id, or one more")
    chain_id, y_parity = divmod(v - 35, 2)
    unsigned = encode((*_plain(items[:6]), chain_id, b"", b""))
    r, s = as_uint(items[7], "r"), as_uint(items[8], "s")
    gas_price = as_uint(items[1], "gasPrice")
    return Transaction(
        raw=raw,
        hash=Hash32(keccak(raw)),
        sender=_sender(unsigned, y_parity, r, s),
        type=0,
        chain_id=chain_id,
        nonce=_nonce(items[0]),
        to=_recipient(items[3]),
        value=as_uint(items[4], "value"),
        gas=as_uint(items[2], "gas", 8),
        data=as_bytes(items[5], "data"),
        gas_price=gas_price,
        max_priority_fee_per_gas=gas_price,
        access_list=(),
        authorization_list=(),
        y_parity=y_parity,
        r=r,
        s=s,
    )


def _decode_typed(raw: bytes) -> Transaction:
    kind = raw[0]
    items = decode_list(raw[1:], fields=_FIELDS[kind])
    unsigned = raw[:1] + encode_list(map(_encode_item, items[:-3]))
    # chainId, nonce, fees (one before EIP-1559, two since), gas, to, value, data, accessList
    fees = 1 if kind == 1 else 2
    priority = as_uint(items[2], "maxPriorityFeePerGas" if fees == 2 else "gasPrice")
    cap = as_uint(items[1 + fees], "maxFeePerGas")
    gas, to, value, data, access_list = items[2 + fees : 7 + fees]
    recipient = _recipient(to)
    if kind == _SET_CODE_TYPE and recipient is None:
        raise TransactionMalformed("type 4 transaction without a recipient (EIP-7702)")
    y_parity = as_uint(items[-3], "yParity", 1)
    r, s = as_uint(items[-2], "r"), as_uint(items[-1], "s")
    return Transaction(
        raw=raw,
        hash=Hash32(keccak(raw)),
        sender=_sender(unsigned, y_parity, r, s),
        type=kind,
        chain_id=as_uint(items[0], "chainId"),
        nonce=_nonce(items[1]),
        to=recipient,
        value=as_uint(value, "value"),
        gas=as_uint(gas, "gas", 8),
        data=as_bytes(data, "data"),
        gas_price=cap,
        max_priority_fee_per_gas=priority,
        access_list=_access_list(access_list),
        authorization_list=_authorizations(items[9]) if kind == _SET_CODE_TYPE else (),
        y_parity=y_parity,
        r=r,
        s=s,
    )


def _plain(items: list[Item]) -> list[bytes]:
    return [as_bytes(item, "legacy transaction field") for item in items]


def _encode_item(item: Item) -> bytes:
    return encode(item) if isinstance(item, bytes) else encode_list(map(_encode_item, item))


def _nonce(item: Item) -> int:
    nonce = as_uint(item, "nonce", 8)
    if nonce >= _NONCE_LIMIT:
        raise TransactionMalformed("nonce is 2**64 - 1 or more (EIP-2681)")
    return nonce


def _recipient(item: Item) -> Address | None:
    data = as_bytes(item, "to")
    if not data:
        return None
    if len(data) != 20:
        raise TransactionMalformed(f"to has {len(data)} bytes; an address has 20")
    return Address(data)


def _access_list(item: Item) -> tuple[tuple[Address, tuple[int, ...]], ...]:
    entries: list[tuple[Address, tuple[int, ...]]] = []
    for entry in as_list(item, "accessList"):
        address, slots = as_list(entry, "accessList entry", 2)
        entries.append(
            (
                Address(as_bytes(address, "accessList address", 20)),
                tuple(
                    int.from_bytes(as_bytes(slot, "accessList storage key", 32), "big")
                    for slot in as_list(slots, "accessList storage keys")
                ),
            )
        )
    return tuple(entries)


def _authorizations(item: Item) -> tuple[Authorization, ...]:
    found: list[Authorization] = []
    for entry in as_list(item, "authorizationList"):
        chain_id, address, nonce, y_parity, r, s = as_list(entry, "authorization", 6)
        found.append(
            Authorization(
                chain_id=as_uint(chain_id, "authorization chainId"),
                address=Address(as_bytes(address, "authorization address", 20)),
                nonce=as_uint(nonce, "authorization nonce", 8),
                y_parity=as_uint(y_parity, "authorization yParity", 1),
                r=as_uint(r, "authorization r"),
                s=as_uint(s, "authorization s"),
            )
        )
    return tuple(found)


def _sender(unsigned: bytes, y_parity: int, r: int, s: int) -> Address:
    if y_parity > 1:
        raise SignatureInvalid(f"yParity is {y_parity}; it can be 0 or 1")
    if s > _HALF_ORDER:
        raise SignatureInvalid("s is in the upper half of the curve order (EIP-2)")
    return _recover(keccak(unsigned), y_parity, r, s)


def _recover(digest: bytes, y_parity: int, r: int, s: int) -> Address:
    if not (0 < r < SECP256K1_ORDER and 0 < s < SECP256K1_ORDER):
        raise SignatureInvalid("r or s is not between 0 and the curve order")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((y_parity,))
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception for an unrecoverable signature
        raise SignatureInvalid("the signature recovers no public key") from error
    return Address(keccak(key.format(compressed=False)[1:])[12:])


def contract_address(sender: Address, nonce: int) -> Address:
    """Where a contract goes that `sender` creates with `nonce` (yellow paper, section 7)."""
    return Address(keccak(encode_list((b"\x94" + sender, encode_uint(nonce))))[12:])
