"""Files that stand in for a key file where the key itself is on a PKCS#11 token. No secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from ledger.canonical import JsonError, parse_json
from ledger.crypto.errors import KeyFileMalformed
from ledger.crypto.types import KeyKind
from ledger.tlog import NoteMalformed, NoteVerifier, SignatureType

FORMAT: Final = "tallystick-token-key/1"
PUBLIC_KEY_SIZE_BYTES: Final = {
    KeyKind.ACCOUNT: 64,
    KeyKind.NOTE: 32,
    KeyKind.VALIDATOR: 32,
}
"""secp256k1: x and y; Ed25519: RFC 8032."""
_SIZE_BYTES_MAX: Final = 16 * 1024
_TEXT_CHARACTERS_MAX: Final = 1024
_NAMES: Final = frozenset(
    ("format", "kind", "backend", "module", "token", "object", "name", "publicKey")
)


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a key lies."""

    module: str
    """Path of the PKCS#11 module: a shared library of the maker of the hardware."""
    token: str
    """Label of the token."""
    object: str
    """Label of the key on it."""


@dataclass(frozen=True, slots=True)
class TokenReference:
    """A key on a token, as a file in the key store names it."""

    kind: KeyKind
    place: TokenPlace
    public_key: bytes
    """32 bytes for Ed25519; for an account x and y of the point, 64 bytes."""
    name: str = ""
    """What a note key signs as."""

    @property
    def public(self) -> str:
        """An EIP-55 address, a verifier key, or hex."""
        if self.kind is KeyKind.ACCOUNT:
            return str(to_checksum_address(keccak(self.public_key)[12:]))
        if self.kind is KeyKind.NOTE:
            return NoteVerifier(self.name, SignatureType.ED25519, self.public_key).vkey
        return self.public_key.hex()

    def encode(self) -> bytes:
        """The file."""
        fields = {
            "format": FORMAT,
            "kind": self.kind,
            "backend": "pkcs11",
            "module": self.place.module,
            "token": self.place.token,
            "object": self.place.object,
            "name": self.name,
            "publicKey": self.public_key.hex(),
        }
        data = json.dumps(fields, indent=2, ensure_ascii=False).encode() + b"\n"
        self.decode(data, self.kind)
        return data

    @classmethod
    def decode(cls, data: bytes, kind: KeyKind) -> TokenReference:
        """Read the file of a key of that kind. Raises `KeyFileMalformed`."""
        fields = _fields(data)
        if fields is None or fields.keys() != _NAMES or fields["format"] != FORMAT:
            raise KeyFileMalformed(f"token key file: not of format {FORMAT}")
        texts = {name: value for name, value in fields.items() if isinstance(value, str)}
        if len(texts) != len(_NAMES) or max(map(len, texts.values())) > _TEXT_CHARACTERS_MAX:
            raise KeyFileMalformed("token key file: a member is no text, or too long")
        if texts["kind"] != kind or texts["backend"] != "pkcs11":
            raise KeyFileMalformed(f"token key file: not a {kind} key, or not of backend pkcs11")
        if not (texts["module"] and texts["token"] and texts["object"]):
            raise KeyFileMalformed("token key file: module, token or object is empty")
        try:
            public_key = bytes.fromhex(texts["publicKey"])
        except ValueError:
            public_key = b""
        if len(public_key) != PUBLIC_KEY_SIZE_BYTES.get(kind):
            raise KeyFileMalformed(f"token key file: publicKey is not that of a {kind} key")
        place = TokenPlace(texts["module"], texts["token"], texts["object"])
        found = cls(kind, place, public_key, texts["name"])
        try:
            if kind is KeyKind.NOTE:
                NoteVerifier.parse(found.public)
        except NoteMalformed as error:
            raise KeyFileMalformed(f"token key file: {error}") from None
        return found


def is_reference(data: bytes) -> bool:
    """Whether a file of the key store says that it is a reference."""
    fields = _fields(data)
    return fields is not None and fields.get("format") == FORMAT


def _fields(data: bytes) -> dict[str, object] | None:
    try:
        fields = parse_json(data, size_bytes_max=_SIZE_BYTES_MAX, depth_max=4)
    except JsonError:
        return None  # whoever reads it as a key file says what is wrong
    return fields if isinstance(fields, dict) else None
