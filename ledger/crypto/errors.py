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


class PassphraseInvalid(CryptoError):
    """The place that should hold the passphrase cannot be read or holds none."""
