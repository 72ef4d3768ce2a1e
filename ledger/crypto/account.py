"""Account keys: secp256k1, signing Ethereum transactions (through eth-account and coincurve)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_account.types import TransactionDictType
from eth_keys.backends.coincurve import CoinCurveECCBackend
from eth_keys.datatypes import PrivateKey
from eth_utils.address import to_checksum_address

from ledger.crypto.errors import KeyMalformed
from ledger.types import Address

PRIVATE_KEY_SIZE_BYTES = 32
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of secp256k1 (SEC 2, section 2.4.1); private keys are 1 to this less one."""


@dataclass(frozen=True, slots=True)
class AccountKey:
    """A secp256k1 private key, which is an Ethereum account."""

    private_key: bytes = field(repr=False)
    """32 bytes. Secret."""

    def __post_init__(self) -> None:
        size = len(self.private_key)
        if size != PRIVATE_KEY_SIZE_BYTES:
            raise KeyMalformed(f"a private key of {size} bytes instead of {PRIVATE_KEY_SIZE_BYTES}")
        if not 0 < int.from_bytes(self.private_key, "big") < GROUP_ORDER:
            raise KeyMalformed("the private key is not within the order of secp256k1")

    @classmethod
    def generate(cls) -> AccountKey:
        """A new random key."""
        return cls((1 + secrets.randbelow(GROUP_ORDER - 1)).to_bytes(PRIVATE_KEY_SIZE_BYTES, "big"))

    @property
    def address(self) -> Address:
        """20 bytes: the end of the keccak-256 of the public key."""
        key = PrivateKey(self.private_key, backend=CoinCurveECCBackend())
        return Address(key.public_key.to_canonical_address())

    @property
    def checksum_address(self) -> str:
        """The address as EIP-55 text."""
        return str(to_checksum_address(self.address))

    @property
    def signer(self) -> LocalAccount:
        """The key as an eth-account signer, for messages and typed data."""
        account: LocalAccount = Account.from_key(self.private_key)
        return account

    def sign_transaction(self, transaction: TransactionDictType) -> bytes:
        """The raw signed transaction (EIP-2718 envelope).

        `transaction` has the names of JSON-RPC (`nonce`, `to`, `gas`, `chainId`, …), as web3.py
        and eth-account take them. Raises `KeyMalformed` where fields are missing or wrong.
        """
        try:
            return bytes(self.signer.sign_transaction(transaction).raw_transaction)
        except (TypeError, ValueError) as error:
            raise KeyMalformed(f"the transaction cannot be signed: {error}") from error
