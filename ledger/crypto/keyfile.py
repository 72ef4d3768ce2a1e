"""Encrypted key files: Web3 Secret Storage version 3 for accounts, one of our own for note keys.

A note key file is a JSON object: the public `vkey`, and the Ed25519 seed in a NaCl secret box
(XSalsa20-Poly1305) whose key is Argon2id of the passphrase.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from eth_account import Account
from eth_utils.address import to_checksum_address
from nacl import pwhash, secret, utils
from nacl.exceptions import CryptoError as BoxError

from ledger.canonical import JsonError, parse_json
from ledger.crypto.account import AccountKey
from ledger.crypto.errors import KeyFileMalformed, PassphraseWrong
from ledger.tlog import NoteMalformed, NoteSigner, NoteVerifier
from ledger.tlog.encoding import decode_base64, encode_base64

NOTE_KEY_FORMAT = "tallystick-note-key/1"
KEY_FILE_SIZE_BYTES_MAX = 16 * 1024

# Stretching slows down guessing; an empty passphrase needs no guessing.
_SCRYPT_N = 2**17
_SCRYPT_N_WITHOUT_PASSPHRASE = 2**12
_SCRYPT_MEMORY_BYTES_MAX = 2**30
_PBKDF2_ROUNDS_MAX = 10_000_000
_ARGON2_OPERATIONS = 3
_ARGON2_MEMORY_BYTES = 64 * 1024 * 1024
_ARGON2_OPERATIONS_MAX = 16
_ARGON2_MEMORY_BYTES_MAX = 2**30

_NOTE_NAMES = frozenset(("format", "vkey", "kdf", "box"))
_KDF_NAMES = frozenset(("name", "operations", "memoryBytes", "salt"))


def encode_account(key: AccountKey, passphrase: str) -> bytes:
    """The key as a version 3 key file."""
    rounds = _SCRYPT_N if passphrase else _SCRYPT_N_WITHOUT_PASSPHRASE
    fields = Account.encrypt(key.private_key, passphrase, kdf="scrypt", iterations=rounds)
    return _text(dict(fields))


def decode_account(data: bytes, passphrase: str) -> AccountKey:
    """Open a version 3 key file, ours or another program's (scrypt or PBKDF2).

    Raises `KeyFileMalformed`, `PassphraseWrong`.
    """
    fields = _fields(data)
    address = account_address(data)
    _require_bounded_kdf(fields)
    try:
        key = AccountKey(bytes(Account.decrypt(fields, passphrase)))
    except ValueError as error:
        if "MAC mismatch" in str(error):
            raise PassphraseWrong(
                "account key: the passphrase is wrong, or the file is damaged"
            ) from None
        raise KeyFileMalformed(f"account key file: {error}") from error
    except (KeyError, TypeError) as error:
        raise KeyFileMalformed(f"account key file: {error!r}") from error
    if key.address.hex() != address:
        raise KeyFileMalformed(f"account key file: the key is not that of address 0x{address}")
    return key


def account_address(data: bytes) -> str:
    """The address that a version 3 key file names: 40 lower-case hex digits, without 0x."""
    fields = _fields(data)
    address = fields.get("address")
    if fields.get("version") != 3 or not isinstance(address, str):
        raise KeyFileMalformed("account key file: not version 3 with an address")
    address = address.lower().removeprefix("0x")
    if len(address) != 40 or set(address) - set("0123456789abcdef"):
        raise KeyFileMalformed("account key file: the address is not 20 bytes of hex")
    return address


def account_checksum_address(data: bytes) -> str:
    """The same as EIP-55 text."""
    return str(to_checksum_address(account_address(data)))


def _require_bounded_kdf(fields: Mapping[str, object]) -> None:
    """Refuse a file that would take the machine's memory or hours to open."""
    crypto = fields.get("crypto", fields.get("Crypto"))
    parameters = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if not isinstance(crypto, dict) or not isinstance(parameters, dict):
        raise KeyFileMalformed("account key file: no crypto section")
    numbers = {name: parameters.get(name, 1) for name in ("n", "r", "p", "c", "dklen")}
    if any(type(number) is not int or number < 1 for number in numbers.values()):
        raise KeyFileMalformed("account key file: a key derivation parameter is no number")
    memory_bytes = 128 * numbers["n"] * numbers["r"] * numbers["p"]
    if memory_bytes > _SCRYPT_MEMORY_BYTES_MAX or numbers["c"] > _PBKDF2_ROUNDS_MAX:
        raise KeyFileMalformed("account key file: the key derivation asks for too much work")
    if numbers["dklen"] > 64:
        raise KeyFileMalformed("account key file: dklen is over 64")


def encode_note(signer: NoteSigner, passphrase: str) -> bytes:
    """The signer as a note key file."""
    salt = utils.random(pwhash.argon2id.SALTBYTES)
    operations, memory_bytes = _ARGON2_OPERATIONS, _ARGON2_MEMORY_BYTES
    if not passphrase:
        operations, memory_bytes = pwhash.argon2id.OPSLIMIT_MIN, pwhash.argon2id.MEMLIMIT_MIN
    box = _box(passphrase, salt, operations, memory_bytes)
    return _text(
        {
            "format": NOTE_KEY_FORMAT,
            "vkey": signer.vkey,
            "kdf": {
                "name": "argon2id",
                "operations": operations,
                "memoryBytes": memory_bytes,
                "salt": encode_base64(salt),
            },
            "box": encode_base64(bytes(box.encrypt(signer.seed))),
        }
    )


def decode_note(data: bytes, passphrase: str) -> NoteSigner:
    """Open a note key file. Raises `KeyFileMalformed`, `PassphraseWrong`."""
    verifier = note_verifier(data)
    fields = _fields(data)
    kdf = fields["kdf"]
    if not isinstance(kdf, dict) or kdf.keys() != _KDF_NAMES or kdf["name"] != "argon2id":
        raise KeyFileMalformed("note key file: kdf is not argon2id with its parameters")
    salt, sealed = _binary(kdf["salt"], "salt"), _binary(fields["box"], "box")
    operations = _within(kdf["operations"], pwhash.argon2id.OPSLIMIT_MIN, _ARGON2_OPERATIONS_MAX)
    memory = _within(kdf["memoryBytes"], pwhash.argon2id.MEMLIMIT_MIN, _ARGON2_MEMORY_BYTES_MAX)
    if len(salt) != pwhash.argon2id.SALTBYTES:
        raise KeyFileMalformed(f"note key file: a salt of {len(salt)} bytes")
    try:
        seed = _box(passphrase, salt, operations, memory).decrypt(sealed)
        signer = NoteSigner(verifier.name, seed, verifier.type)
    except (BoxError, ValueError):
        raise PassphraseWrong("note key: the passphrase is wrong, or the file is damaged") from None
    except NoteMalformed as error:
        raise KeyFileMalformed(f"note key file: {error}") from None
    if signer.verifier != verifier:
        raise KeyFileMalformed("note key file: the key is not that of its vkey")
    return signer


def note_verifier(data: bytes) -> NoteVerifier:
    """The public key that a note key file names. Raises `KeyFileMalformed`."""
    fields = _fields(data)
    vkey = fields.get("vkey")
    if fields.keys() != _NOTE_NAMES or fields["format"] != NOTE_KEY_FORMAT:
        raise KeyFileMalformed(f"note key file: not of format {NOTE_KEY_FORMAT}")
    if not isinstance(vkey, str):
        raise KeyFileMalformed("note key file: vkey is no text")
    try:
        return NoteVerifier.parse(vkey)
    except NoteMalformed as error:
        raise KeyFileMalformed(f"note key file: {error}") from None


def _box(passphrase: str, salt: bytes, operations: int, memory_bytes: int) -> secret.SecretBox:
    key = pwhash.argon2id.kdf(
        secret.SecretBox.KEY_SIZE, passphrase.encode(), salt, operations, memory_bytes
    )
    return secret.SecretBox(key)


def _within(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise KeyFileMalformed("note key file: a parameter of argon2id is out of bounds")
    return value


def _binary(value: object, name: str) -> bytes:
    try:
        return decode_base64(value if isinstance(value, str) else "?")
    except ValueError:
        raise KeyFileMalformed(f"note key file: {name} is not base64") from None


def _text(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, indent=2).encode() + b"\n"


def _fields(data: bytes) -> dict[str, object]:
    try:
        fields = parse_json(data, size_bytes_max=KEY_FILE_SIZE_BYTES_MAX, depth_max=4)
    except JsonError as error:
        raise KeyFileMalformed(f"key file: {error}") from None
    if not isinstance(fields, dict):
        raise KeyFileMalformed("key file: no JSON object")
    return fields
