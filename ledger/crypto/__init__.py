"""Keys: Ed25519 note and validator keys, secp256k1 account keys, sealing keys; files, tokens."""

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
    PinInvalid,
    PinRefused,
    Pkcs11Error,
    Pkcs11Missing,
    SealBroken,
    TokenFailed,
    TokenKeyMissing,
    TokenMissing,
)
from ledger.crypto.keystore import KeyStore
from ledger.crypto.passphrase import (
    NO_PASSPHRASE,
    ask_passphrase,
    passphrase_from_environment,
    passphrase_from_file,
    pin_from_environment,
)
from ledger.crypto.protocol import AccountSigner, Sealer, ValidatorSigner
from ledger.crypto.reference import TokenPlace
from ledger.crypto.sealer import SealingKey
from ledger.crypto.types import KeyEntry, KeyKind
from ledger.crypto.unlocking import new_passphrase, open_keys, passphrase_for
from ledger.tlog import Ed25519Key

__all__ = [
    "NO_PASSPHRASE",
    "AccountKey",
    "AccountSigner",
    "CryptoError",
    "Ed25519Key",
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
    "PinInvalid",
    "PinRefused",
    "Pkcs11Error",
    "Pkcs11Missing",
    "SealBroken",
    "Sealer",
    "SealingKey",
    "TokenFailed",
    "TokenKeyMissing",
    "TokenMissing",
    "TokenPlace",
    "ValidatorSigner",
    "ask_passphrase",
    "new_passphrase",
    "open_keys",
    "passphrase_for",
    "passphrase_from_environment",
    "passphrase_from_file",
    "pin_from_environment",
]
