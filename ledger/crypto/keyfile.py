"""Encrypted key files: Web3 Secret Storage version 3 for accounts, our own for all others.

An Ed25519 key file is a JSON object: the public part, and the sealed seed (`sealing`). A note key
names its public part as `vkey`, a validator key as `kind` and `public` (hex). A sealing key's file
has an `id` there, and the key itself is sealed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from eth_account import Account
from eth_utils.address import to_checksum_address

from ledger.canonical import JsonError, parse_json
from ledger.crypto.account import AccountKey
from ledger.crypto.errors import KeyFileMalformed, KeyMalformed, PassphraseWrong
from ledger.crypto.sealer import SealingKey
from ledger.crypto.sealing import (
    SCRYPT_MEMORY_BYTES_MAX,
    SCRYPT_N,
    SCRYPT_N_WITHOUT_PASSPHRASE,
    seal,
    unseal,
    why_sealed,
)
from ledger.tlog import Ed25519Key, NoteMalformed, NoteSigner, NoteVerifier

NOTE_KEY_FORMAT = "tallystick-note-key/1"
ED25519_KEY_FORMAT = "tallystick-ed25519-key/1"
SEALING_KEY_FORMAT = "tallystick-sealing-key/1"
KEY_FILE_SIZE_BYTES_MAX = 16 * 1024

_PBKDF2_ROUNDS_MAX = 10_000_000
_NOTE_NAMES = frozenset(("format", "vkey", "kdf", "box"))
_ED25519_NAMES = frozenset(("format", "kind", "public", "kdf", "box"))
_SEALING_NAMES = frozenset(("format", "id", "kdf", "box"))


def encode_account(key: AccountKey, passphrase: str) -> bytes:
    """The key as a version 3 key file."""
    rounds = SCRYPT_N if passphrase else SCRYPT_N_WITHOUT_PASSPHRASE
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
            raise PassphraseWrong(f"account key: {why_sealed(passphrase)}") from None
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
    if memory_bytes > SCRYPT_MEMORY_BYTES_MAX or numbers["c"] > _PBKDF2_ROUNDS_MAX:
        raise KeyFileMalformed("account key file: the key derivation asks for too much work")
    if numbers["dklen"] > 64:
        raise KeyFileMalformed("account key file: dklen is over 64")


def encode_note(signer: NoteSigner, passphrase: str) -> bytes:
    """The signer as a note key file. Raises `KeyMalformed` for a key that is not in memory."""
    if not isinstance(signer.key, Ed25519Key):
        raise KeyMalformed("only a key in memory can be written to a file")
    sealed = seal(signer.key.seed, passphrase)
    return _text({"format": NOTE_KEY_FORMAT, "vkey": signer.vkey, **sealed})


def decode_note(data: bytes, passphrase: str) -> NoteSigner:
    """Open a note key file. Raises `KeyFileMalformed`, `PassphraseWrong`."""
    verifier = note_verifier(data)
    key = _opened(_fields(data), passphrase, "note key")
    if key.public_key != verifier.public_key:
        raise KeyFileMalformed("note key file: the key is not that of its vkey")
    return NoteSigner(verifier.name, key, verifier.type)


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


def encode_ed25519(kind: str, key: Ed25519Key, passphrase: str) -> bytes:
    """A validator's key as a key file."""
    sealed = seal(key.seed, passphrase)
    return _text(
        {"format": ED25519_KEY_FORMAT, "kind": kind, "public": key.public_key.hex(), **sealed}
    )


def decode_ed25519(kind: str, data: bytes, passphrase: str) -> Ed25519Key:
    """Open the file of a key of that kind. Raises `KeyFileMalformed`, `PassphraseWrong`."""
    public = ed25519_public(kind, data)
    key = _opened(_fields(data), passphrase, f"{kind} key")
    if key.public_key != public:
        raise KeyFileMalformed(f"{kind} key file: the key is not that of its public part")
    return key


def ed25519_public(kind: str, data: bytes) -> bytes:
    """The public key that such a file names, 32 bytes. Raises `KeyFileMalformed`."""
    fields = _fields(data)
    if fields.keys() != _ED25519_NAMES or fields["format"] != ED25519_KEY_FORMAT:
        raise KeyFileMalformed(f"{kind} key file: not of format {ED25519_KEY_FORMAT}")
    if fields["kind"] != kind:
        raise KeyFileMalformed(f"{kind} key file: it is of a key of another kind")
    return bytes.fromhex(_hex_32(fields["public"], f"{kind} key file: the public key"))


def encode_sealing(key: SealingKey, passphrase: str) -> bytes:
    """A sealing key as a key file."""
    return _text({"format": SEALING_KEY_FORMAT, "id": key.id, **seal(key.secret, passphrase)})


def decode_sealing(data: bytes, passphrase: str) -> SealingKey:
    """Open the file of a sealing key. Raises `KeyFileMalformed`, `PassphraseWrong`."""
    known, fields = sealing_id(data), _fields(data)
    secret = unseal(fields["kdf"], fields["box"], passphrase, "sealing key")
    try:
        key = SealingKey(secret)
    except KeyMalformed as error:
        raise KeyFileMalformed(f"sealing key file: {error}") from None
    if key.id != known:
        raise KeyFileMalformed("sealing key file: the key is not that of its id")
    return key


def sealing_id(data: bytes) -> str:
    """The id that such a file names: 64 digits of hex. Raises `KeyFileMalformed`."""
    fields = _fields(data)
    if fields.keys() != _SEALING_NAMES or fields["format"] != SEALING_KEY_FORMAT:
        raise KeyFileMalformed(f"sealing key file: not of format {SEALING_KEY_FORMAT}")
    return _hex_32(fields["id"], "sealing key file: the id")


def _opened(fields: Mapping[str, object], passphrase: str, what: str) -> Ed25519Key:
    try:
        return Ed25519Key(unseal(fields["kdf"], fields["box"], passphrase, what))
    except NoteMalformed as error:
        raise KeyFileMalformed(f"{what} file: {error}") from None


def _hex_32(value: object, what: str) -> str:
    if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise KeyFileMalformed(f"{what} is not 32 bytes of hex")
    return value


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
