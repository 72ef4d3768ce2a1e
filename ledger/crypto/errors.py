"""What can be wrong with keys and key files."""

from __future__ import annotations

from ledger.errors import LedgerError


class CryptoError(LedgerError):
    """Base class of everything that handling keys refuses."""


class KeyLabelInvalid(CryptoError):
    """The label may not name a key file."""


class KeyMalformed(CryptoError):
    """The bytes are no key of this kind."""


class KeyNotFound(CryptoError):
    """No key of this kind and label is stored."""


class KeyExists(CryptoError):
    """A key of this kind and label is stored already; keys are never overwritten."""


class KeyFileMalformed(CryptoError):
    """The key file is not in its format, or its public part belongs to another key."""


class KeyFileExposed(CryptoError):
    """Other users of the machine may read the key file."""


class PassphraseWrong(CryptoError):
    """The key file does not open with this passphrase."""


class SealBroken(CryptoError):
    """The box does not open: another key, another purpose, or damaged."""


class PassphraseInvalid(CryptoError):
    """The place that should hold the passphrase cannot be read or holds none."""


class PinInvalid(CryptoError):
    """The place that should hold a token's PIN cannot be read or holds none."""


class Pkcs11Error(CryptoError):
    """Something about a key on a PKCS#11 token; the message names module and token."""


class Pkcs11Missing(Pkcs11Error):
    """The module (a shared library) or the Python package is not there or does not load."""


class TokenMissing(Pkcs11Error):
    """No token of this name is plugged in."""


class PinRefused(Pkcs11Error):
    """The token refused the PIN, or is locked after too many wrong ones."""


class TokenKeyMissing(Pkcs11Error):
    """The token holds no such key, or more than one of the same label."""


class TokenFailed(Pkcs11Error):
    """The token could not do what was asked, or gave a signature that is not of this key."""
