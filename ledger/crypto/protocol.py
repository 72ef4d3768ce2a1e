"""Seams of keys. Those that sign have two implementations: a key file, and a PKCS#11 token."""

from __future__ import annotations

from typing import Protocol

from eth_account.messages import SignableMessage
from eth_account.types import TransactionDictType

from ledger.tlog.protocol import Ed25519Signer
from ledger.types import Address


class ValidatorSigner(Ed25519Signer, Protocol):
    """The key of a CometBFT validator.

    It signs whatever it is given: only `ledger.consensus.validator` may hold it at work, which
    keeps a record of what was signed last.
    """


class Sealer(Protocol):
    """Seals secrets that are to lie in a database (`SealingKey`)."""

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """The secret in a box."""

    def unseal(self, box: bytes, purpose: str) -> bytes:
        """What `seal` put in for that purpose. Raises `SealBroken`."""


class AccountSigner(Protocol):
    """A secp256k1 private key, which is an Ethereum account."""

    @property
    def address(self) -> Address:
        """20 bytes: the end of the keccak-256 of the public key."""

    @property
    def checksum_address(self) -> str:
        """The address as EIP-55 text."""

    def sign_digest(self, digest: bytes) -> bytes:
        """r, s and the recovery id (0 or 1), 65 bytes; s is in the lower half (EIP-2)."""

    def sign_message(self, message: SignableMessage) -> bytes:
        """Sign a message of EIP-191 or EIP-712: r, s and v (27 or 28), 65 bytes."""

    def sign_transaction(self, transaction: TransactionDictType) -> bytes:
        """The raw signed transaction (EIP-2718 envelope).

        `transaction` has the names of JSON-RPC (`nonce`, `to`, `gas`, `chainId`, …). Raises
        `KeyMalformed` where fields are missing or wrong.
        """
