"""A directory of encrypted key files."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ledger.crypto import keyfile
from ledger.crypto.account import AccountKey
from ledger.crypto.errors import KeyExists, KeyFileExposed, KeyLabelInvalid, KeyNotFound
from ledger.crypto.passphrase import NO_PASSPHRASE
from ledger.tlog import NoteSigner

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


class KeyKind(StrEnum):
    """What a key is for."""

    ACCOUNT = "account"
    """secp256k1: signs Ethereum transactions."""
    NOTE = "note"
    """Ed25519: signs checkpoints."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """The public part of a stored key."""

    kind: KeyKind
    label: str
    public: str
    """An EIP-55 address for an account, a C2SP verifier key for a note key."""
    path: Path


class KeyStore:
    """Keys by kind and label, each in its own file `<label>.<kind>.json` of mode 0600.

    All files open with one passphrase; the empty one leaves the file mode as the only
    protection. Labels are lower-case letters, digits, `.`, `_` and `-`. Keys are never
    overwritten.
    """

    def __init__(self, directory: Path, passphrase: str = NO_PASSPHRASE) -> None:
        self.directory = directory
        self._passphrase = passphrase

    def create_account(self, label: str) -> AccountKey:
        """Make and store a new account key. Raises `KeyExists`, `KeyLabelInvalid`."""
        return self.add_account(label, AccountKey.generate())

    def add_account(self, label: str, key: AccountKey) -> AccountKey:
        """Store an account key. Raises `KeyExists`, `KeyLabelInvalid`."""
        self._write(KeyKind.ACCOUNT, label, keyfile.encode_account(key, self._passphrase))
        return key

    def load_account(self, label: str) -> AccountKey:
        """Open an account key.

        Raises `KeyNotFound`, `PassphraseWrong`, `KeyFileMalformed`, `KeyFileExposed`.
        """
        return keyfile.decode_account(self._read(KeyKind.ACCOUNT, label), self._passphrase)

    def create_note(self, label: str, name: str) -> NoteSigner:
        """Make and store a new note key that signs as `name` (by custom the log's origin).

        Raises `KeyExists`, `KeyLabelInvalid`, `NoteMalformed`.
        """
        return self.add_note(label, NoteSigner.generate(name))

    def add_note(self, label: str, signer: NoteSigner) -> NoteSigner:
        """Store a note key. Raises `KeyExists`, `KeyLabelInvalid`."""
        self._write(KeyKind.NOTE, label, keyfile.encode_note(signer, self._passphrase))
        return signer

    def load_note(self, label: str) -> NoteSigner:
        """Open a note key.

        Raises `KeyNotFound`, `PassphraseWrong`, `KeyFileMalformed`, `KeyFileExposed`.
        """
        return keyfile.decode_note(self._read(KeyKind.NOTE, label), self._passphrase)

    def list(self) -> tuple[KeyEntry, ...]:
        """The public parts of all keys, by kind and label. Needs no passphrase.

        Raises `KeyFileMalformed` for a file with a key's name and other contents.
        """
        found = []
        for kind in KeyKind:
            for path in sorted(self.directory.glob(f"*.{kind}.json")):
                label = path.name.removesuffix(f".{kind}.json")
                if _LABEL.fullmatch(label):
                    found.append(KeyEntry(kind, label, self._public(kind, label), path))
        return tuple(found)

    def _public(self, kind: KeyKind, label: str) -> str:
        data = self._read(kind, label)
        if kind is KeyKind.NOTE:
            return keyfile.note_verifier(data).vkey
        return keyfile.account_checksum_address(data)

    def path(self, kind: KeyKind, label: str) -> Path:
        """Where the key's file is, or would be. Raises `KeyLabelInvalid`."""
        if not _LABEL.fullmatch(label):
            raise KeyLabelInvalid(
                f"{label[:80]!r} may not name a key: 1 to 64 of a-z 0-9 . _ -, "
                "beginning and ending with a letter or digit"
            )
        return self.directory / f"{label}.{kind}.json"

    def _read(self, kind: KeyKind, label: str) -> bytes:
        path = self.path(kind, label)
        try:
            with path.open("rb") as file:
                exposed = os.fstat(file.fileno()).st_mode & 0o077
                data = file.read(keyfile.KEY_FILE_SIZE_BYTES_MAX + 1)
        except FileNotFoundError:
            raise KeyNotFound(f"no {kind} key {label!r} in {self.directory}") from None
        if exposed and os.name == "posix":
            raise KeyFileExposed(f"others may read {path}: run chmod 600 on it")
        return data

    def _write(self, kind: KeyKind, label: str, data: bytes) -> None:
        """Write whole and durable under a new name, or not at all."""
        path = self.path(kind, label)
        if path.exists():
            raise KeyExists(f"a {kind} key {label!r} exists in {self.directory}")
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            raise KeyExists(f"a {kind} key {label!r} exists in {self.directory}") from None
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
        _sync_directory(self.directory)


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
