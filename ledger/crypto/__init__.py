"""Keys: Ed25519 note keys, secp256k1 account keys, encrypted key files."""

from ledger.crypto.account import AccountKey
from ledger.crypto.errors import (
    CryptoError,
    KeyExists,
    KeyFileExposed,
    KeyFileMalformed,
    KeyLabelInvalid,
    KeyMalformed,
    KeyNotFound,
    PassphraseInvalid,
    PassphraseWrong,
)
from ledger.crypto.keystore import KeyEntry, KeyKind, KeyStore
from ledger.crypto.passphrase import NO_PASSPHRASE, passphrase_from_environment

__all__ = [
    "NO_PASSPHRASE",
    "AccountKey",
    "CryptoError",
    "KeyEntry",
    "KeyExists",
    "KeyFileExposed",
    "KeyFileMalformed",
    "KeyKind",
    "KeyLabelInvalid",
    "KeyMalformed",
    "KeyNotFound",
    "KeyStore",
    "PassphraseInvalid",
    "PassphraseWrong",
    "passphrase_from_environment",
]
