"""Secrets under a passphrase: a NaCl secret box (XSalsa20-Poly1305) whose key is stretched.

Sources: RFC 7914 (scrypt), RFC 9106 (Argon2id, of files that older versions wrote).
"""

from __future__ import annotations

from hashlib import scrypt

from nacl import pwhash, utils
from nacl.exceptions import CryptoError as BoxError
from nacl.secret import SecretBox

from ledger.crypto.errors import KeyFileMalformed, PassphraseWrong
from ledger.crypto.passphrase import FILE_VARIABLE, NO_PASSPHRASE, VARIABLE
from ledger.tlog.encoding import decode_base64, encode_base64

# Stretching slows down guessing; an empty passphrase needs no guessing.
SCRYPT_N = 2**17
SCRYPT_N_WITHOUT_PASSPHRASE = 2**12
SCRYPT_MEMORY_BYTES_MAX = 2**30
_SCRYPT_MAXMEM = 2**31 - 1  # what OpenSSL takes at most
_SCRYPT_N_LEAST = 2**10
_SCRYPT_R, _SCRYPT_P = 8, 1
_SALT_SIZE_BYTES = 16
_ARGON2_OPERATIONS_MAX = 16
_ARGON2_MEMORY_BYTES_MAX = 2**30
_SCRYPT_NAMES = frozenset(("name", "n", "r", "p", "salt"))
_ARGON2_NAMES = frozenset(("name", "operations", "memoryBytes", "salt"))


def seal(secret: bytes, passphrase: str) -> dict[str, object]:
    """The members `kdf` and `box` of a key file."""
    salt = utils.random(_SALT_SIZE_BYTES)
    n = SCRYPT_N if passphrase else SCRYPT_N_WITHOUT_PASSPHRASE
    box = SecretBox(_scrypt(passphrase, salt, n, _SCRYPT_R, _SCRYPT_P))
    return {
        "kdf": {
            "name": "scrypt",
            "n": n,
            "r": _SCRYPT_R,
            "p": _SCRYPT_P,
            "salt": encode_base64(salt),
        },
        "box": encode_base64(bytes(box.encrypt(secret))),
    }


def unseal(kdf: object, box: object, passphrase: str, what: str) -> bytes:
    """What `seal` put in. Raises `KeyFileMalformed`, `PassphraseWrong`, naming `what`."""
    sealed = _binary(box, "box", what)
    key = _stretched(kdf, passphrase, what)
    try:
        return SecretBox(key).decrypt(sealed)
    except (BoxError, ValueError):
        raise PassphraseWrong(f"{what}: {why_sealed(passphrase)}") from None


def why_sealed(passphrase: str) -> str:
    """Why a file does not open, in words."""
    if passphrase == NO_PASSPHRASE:
        return (
            "no passphrase was given, and the file is sealed with one: --passphrase-file, "
            f"{FILE_VARIABLE} or {VARIABLE} names it"
        )
    return "the passphrase is wrong, or the file is damaged"


def _stretched(kdf: object, passphrase: str, what: str) -> bytes:
    if not isinstance(kdf, dict):
        raise KeyFileMalformed(f"{what} file: kdf is no object")
    if kdf.get("name") == "scrypt" and kdf.keys() == _SCRYPT_NAMES:
        n = _within(kdf["n"], _SCRYPT_N_LEAST, SCRYPT_MEMORY_BYTES_MAX // 128, what)
        r = _within(kdf["r"], 1, 64, what)
        p = _within(kdf["p"], 1, 16, what)
        # RFC 7914, section 2: N below 2^(128 r / 8), which OpenSSL refuses as well.
        if n & (n - 1) or n >= 2 ** (16 * r) or 128 * n * r * p > SCRYPT_MEMORY_BYTES_MAX:
            raise KeyFileMalformed(f"{what} file: the parameters of scrypt are out of bounds")
        return _scrypt(passphrase, _salt(kdf["salt"], what), n, r, p)
    if kdf.get("name") == "argon2id" and kdf.keys() == _ARGON2_NAMES:
        least, most = pwhash.argon2id.OPSLIMIT_MIN, _ARGON2_OPERATIONS_MAX
        operations = _within(kdf["operations"], least, most, what)
        least, most = pwhash.argon2id.MEMLIMIT_MIN, _ARGON2_MEMORY_BYTES_MAX
        memory_bytes = _within(kdf["memoryBytes"], least, most, what)
        salt = _salt(kdf["salt"], what)
        return pwhash.argon2id.kdf(
            SecretBox.KEY_SIZE, passphrase.encode(), salt, operations, memory_bytes
        )
    raise KeyFileMalformed(f"{what} file: kdf is neither scrypt nor argon2id with its parameters")


def _scrypt(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return scrypt(
        passphrase.encode(),
        salt=salt,
        n=n,
        r=r,
        p=p,
        maxmem=_SCRYPT_MAXMEM,
        dklen=SecretBox.KEY_SIZE,
    )


def _salt(value: object, what: str) -> bytes:
    salt = _binary(value, "salt", what)
    if len(salt) != _SALT_SIZE_BYTES:
        raise KeyFileMalformed(f"{what} file: a salt of {len(salt)} bytes")
    return salt


def _within(value: object, least: int, most: int, what: str) -> int:
    if type(value) is not int or not least <= value <= most:
        raise KeyFileMalformed(f"{what} file: a parameter of the key derivation is out of bounds")
    return value


def _binary(value: object, name: str, what: str) -> bytes:
    try:
        return decode_base64(value if isinstance(value, str) else "?")
    except ValueError:
        raise KeyFileMalformed(f"{what} file: {name} is not base64") from None
