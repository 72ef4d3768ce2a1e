"""Account keys: secp256k1, signing Ethereum transactions (through eth-account and coincurve)."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import cast

import coincurve
from eth_account import Account
from eth_account._utils.signing import sign_transaction_dict
from eth_account.messages import SignableMessage
from eth_account.signers.local import LocalAccount
from eth_account.types import TransactionDictType
from eth_keys.backends.coincurve import CoinCurveECCBackend
from eth_keys.datatypes import PrivateKey, Signature
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from ledger.crypto.errors import KeyMalformed
from ledger.types import Address

PRIVATE_KEY_SIZE_BYTES = 32
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of secp256k1 (SEC 2, section 2.4.1); private keys are 1 to this less one."""


class DigestSigner(ABC):
    """What an account does with signatures over 32-byte digests, wherever its key is."""

    __slots__ = ()

    @property
    @abstractmethod
    def address(self) -> Address:
        """20 bytes: the end of the keccak-256 of the public key."""

    @abstractmethod
    def sign_digest(self, digest: bytes) -> bytes:
        """r, s and the recovery id (0 or 1), 65 bytes; s is in the lower half (EIP-2)."""

    @property
    def checksum_address(self) -> str:
        """The address as EIP-55 text."""
        return str(to_checksum_address(self.address))

    def sign_message(self, message: SignableMessage) -> bytes:
        """Sign a message of EIP-191 or EIP-712: r, s and v (27 or 28), 65 bytes."""
        signature = self.sign_digest(
            keccak(b"\x19" + message.version + message.header + message.body)
        )
        return signature[:64] + bytes([27 + signature[64]])

    def sign_transaction(self, transaction: TransactionDictType) -> bytes:
        """The raw signed transaction (EIP-2718 envelope).

        `transaction` has the names of JSON-RPC (`nonce`, `to`, `gas`, `chainId`, …), as web3.py
        and eth-account take them. Raises `KeyMalformed` where fields are missing or wrong.
        """
        fields = dict(transaction)
        sender = fields.pop("from", self.checksum_address)
        if sender != self.checksum_address:
            raise KeyMalformed(f"the transaction is from {sender!r}, not {self.checksum_address}")
        key = cast(PrivateKey, _HashSigner(self))
        try:
            *_, raw = sign_transaction_dict(key, fields)
        except (TypeError, ValueError) as error:
            raise KeyMalformed(f"the transaction cannot be signed: {error}") from error
        return bytes(raw)


class _HashSigner:
    """As much of an eth-keys private key as signing a transaction takes."""

    def __init__(self, signer: DigestSigner) -> None:
        self._signer = signer

    def sign_msg_hash(self, digest: bytes) -> Signature:
        return Signature(self._signer.sign_digest(bytes(digest)), backend=CoinCurveECCBackend())


@dataclass(frozen=True, slots=True)
class AccountKey(DigestSigner):
    """A secp256k1 private key in memory, which is an Ethereum account: an `AccountSigner`."""

    private_key: bytes = field(repr=False)
    """32 bytes. Secret."""
    _key: coincurve.PrivateKey = field(init=False, repr=False, compare=False)
    """Made once: it takes three times as long as a signature."""

    def __post_init__(self) -> None:
        size = len(self.private_key)
        if size != PRIVATE_KEY_SIZE_BYTES:
            raise KeyMalformed(f"a private key of {size} bytes instead of {PRIVATE_KEY_SIZE_BYTES}")
        if not 0 < int.from_bytes(self.private_key, "big") < GROUP_ORDER:
            raise KeyMalformed("the private key is not within the order of secp256k1")
        object.__setattr__(self, "_key", coincurve.PrivateKey(self.private_key))

    @classmethod
    def generate(cls) -> AccountKey:
        """A new random key."""
        return cls((1 + secrets.randbelow(GROUP_ORDER - 1)).to_bytes(PRIVATE_KEY_SIZE_BYTES, "big"))

    @property
    def address(self) -> Address:
        """20 bytes: the end of the keccak-256 of the public key."""
        key = PrivateKey(self.private_key, backend=CoinCurveECCBackend())
        return Address(key.public_key.to_canonical_address())

    def sign_digest(self, digest: bytes) -> bytes:
        """r, s and the recovery id (0 or 1), 65 bytes; s is in the lower half (EIP-2)."""
        return self._key.sign_recoverable(digest, hasher=None)

    @property
    def signer(self) -> LocalAccount:
        """The key as an eth-account signer."""
        account: LocalAccount = Account.from_key(self.private_key)
        return account
