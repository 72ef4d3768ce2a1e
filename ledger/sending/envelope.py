"""EIP-1559 envelopes of this node's accounts: made, hashed for signing, signed.

Sources: EIP-2718 (envelope), EIP-1559 (type 2; the fields and what is signed).
"""

from __future__ import annotations

from typing import Final

from ledger.sending.errors import SigningFailed
from ledger.sending.protocol import Signer
from ledger.sending.types import Unsigned
from ledger.state.keccak import keccak
from ledger.state.rlp import EMPTY_LIST, EMPTY_STRING, encode_bytes, encode_list, encode_uint
from ledger.types import Hash32

TYPE: Final = b"\x02"
SIGNATURE_SIZE_BYTES: Final = 65


def unsigned_envelope(transaction: Unsigned) -> bytes:
    """0x02 and the RLP of the nine fields before the signature; fees and value are zero."""
    return TYPE + encode_list(_fields(transaction))


def signing_hash(transaction: Unsigned) -> Hash32:
    """What the account's key signs."""
    return Hash32(keccak(unsigned_envelope(transaction)))


def signed_envelope(transaction: Unsigned, signer: Signer) -> bytes:
    """The raw transaction. Raises `SigningFailed`."""
    try:
        signature = signer.sign_digest(signing_hash(transaction))
    except Exception as error:  # a token can fail in ways that its driver alone knows
        raise SigningFailed(
            f"account 0x{signer.address.hex()} cannot sign: {type(error).__name__}: {error}"
        ) from error
    if len(signature) != SIGNATURE_SIZE_BYTES:
        raise SigningFailed(f"a signature of {len(signature)} bytes instead of 65")
    return assembled(transaction, signature)


def assembled(transaction: Unsigned, signature: bytes) -> bytes:
    """The raw transaction with r, s and the recovery id (65 bytes)."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    parts = (encode_uint(signature[64]), encode_uint(r), encode_uint(s))
    return TYPE + encode_list((*_fields(transaction), *parts))


def _fields(transaction: Unsigned) -> tuple[bytes, ...]:
    return (
        encode_uint(transaction.chain_id),
        encode_uint(transaction.nonce),
        EMPTY_STRING,  # maxPriorityFeePerGas
        EMPTY_STRING,  # maxFeePerGas
        encode_uint(transaction.gas),
        encode_bytes(transaction.to),
        EMPTY_STRING,  # value
        encode_bytes(transaction.data),
        EMPTY_LIST,
    )
