"""A directory of encrypted key files, and of references to keys in hardware."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from ledger.crypto import keyfile, reference, token_keys
from ledger.crypto.account import AccountKey
from ledger.crypto.errors import (
    KeyExists,
    KeyFileExposed,
    KeyLabelInvalid,
    KeyMalformed,
    KeyNotFound,
    PassphraseWrong,
)
from ledger.crypto.passphrase import NO_PASSPHRASE, pin_from_environment
from ledger.crypto.protocol import AccountSigner, ValidatorSigner
from ledger.crypto.reference import TokenPlace, TokenReference
from ledger.crypto.sealer import SealingKey
from ledger.crypto.types import KeyEntry, KeyKind
from ledger.tlog import Ed25519Key, NoteSigner, NoteVerifier

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


class KeyStore:
    """Keys by kind and label, each in its own file `<label>.<kind>.json` of mode 0600.

    All files open with one passphrase; the empty one leaves the file mode as the only
    protection. Labels are lower-case letters, digits, `.`, `_` and `-`. Keys are never
    overwritten. A file may also name a key on a PKCS#11 token: it is then signed with there, and
    `load_…` gives a signer all the same.
    """

    def __init__(
        self,
        directory: Path,
        passphrase: str = NO_PASSPHRASE,
        *,
        pin: Callable[[str], str] = pin_from_environment,
    ) -> None:
        """`pin` gives the user PIN of a token, by the token's name; asked only when needed."""
        self.directory = directory
        self._passphrase = passphrase
        self._pin = pin

    # ---- accounts -------------------------------------------------------------------------------

    def create_account(self, label: str) -> AccountKey:
        """Make and store a new account key. Raises `KeyExists`, `KeyLabelInvalid`."""
        return self.add_account(label, AccountKey.generate())

    def add_account(self, label: str, key: AccountKey) -> AccountKey:
        """Store an account key. Raises `KeyExists`, `KeyLabelInvalid`."""
        self._write(KeyKind.ACCOUNT, label, keyfile.encode_account(key, self._passphrase))
        return key

    def load_account(self, label: str) -> AccountSigner:
        """Open an account key: an `AccountKey` from a file, or one on a token.

        Raises `KeyNotFound`, `PassphraseWrong`, `KeyFileMalformed`, `KeyFileExposed`, and for a
        token `Pkcs11Error`.
        """
        data = self._read(KeyKind.ACCOUNT, label)
        held = self._reference(KeyKind.ACCOUNT, data)
        if held is None:
            return keyfile.decode_account(data, self._passphrase)
        return token_keys.TokenAccountKey(held.place, held.public_key, self._pin)

    # ---- note keys ------------------------------------------------------------------------------

    def create_note(self, label: str, name: str) -> NoteSigner:
        """Make and store a new note key that signs as `name` (by custom the log's origin).

        Raises `KeyExists`, `KeyLabelInvalid`, `NoteMalformed`.
        """
        return self.add_note(label, NoteSigner.generate(name))

    def add_note(self, label: str, signer: NoteSigner) -> NoteSigner:
        """Store a note key. Raises `KeyExists`, `KeyLabelInvalid`, `KeyMalformed`."""
        self._write(KeyKind.NOTE, label, keyfile.encode_note(signer, self._passphrase))
        return signer

    def load_note(self, label: str) -> NoteSigner:
        """Open a note key, of a file or on a token. Raises as `load_account`."""
        data = self._read(KeyKind.NOTE, label)
        held = self._reference(KeyKind.NOTE, data)
        if held is None:
            return keyfile.decode_note(data, self._passphrase)
        key = token_keys.TokenEd25519Key(held.place, held.public_key, self._pin)
        return NoteSigner(held.name, key)

    # ---- validator keys -------------------------------------------------------------------------

    def create_validator(self, label: str) -> Ed25519Key:
        """Make and store a new validator key. Raises `KeyExists`, `KeyLabelInvalid`."""
        return self.add_validator(label, Ed25519Key.generate())

    def add_validator(self, label: str, key: Ed25519Key) -> Ed25519Key:
        """Store a validator key. Raises `KeyExists`, `KeyLabelInvalid`."""
        data = keyfile.encode_ed25519(KeyKind.VALIDATOR, key, self._passphrase)
        self._write(KeyKind.VALIDATOR, label, data)
        return key

    def load_validator(self, label: str) -> ValidatorSigner:
        """Open a validator key, of a file or on a token. Raises as `load_account`."""
        data = self._read(KeyKind.VALIDATOR, label)
        held = self._reference(KeyKind.VALIDATOR, data)
        if held is None:
            return keyfile.decode_ed25519(KeyKind.VALIDATOR, data, self._passphrase)
        return token_keys.TokenEd25519Key(held.place, held.public_key, self._pin)

    def find_validator(self, public_key: bytes) -> ValidatorSigner | None:
        """The validator key with this public half: in use, next or retired; None where none is.

        Raises as `load_account`.
        """
        for store in (self, self.next, self.retired):
            for entry in store.list():
                if entry.kind is KeyKind.VALIDATOR and entry.public == public_key.hex():
                    return store.load_validator(entry.label)
        return None

    # ---- sealing keys ---------------------------------------------------------------------------

    def create_sealing(self, label: str) -> SealingKey:
        """Make and store a new sealing key. Raises `KeyExists`, `KeyLabelInvalid`."""
        key = SealingKey.generate()
        self._write(KeyKind.SEALING, label, keyfile.encode_sealing(key, self._passphrase))
        return key

    def load_sealing(self, label: str) -> SealingKey:
        """Open a sealing key. Raises as `load_account`, but for tokens: it is in a file."""
        return keyfile.decode_sealing(self._read(KeyKind.SEALING, label), self._passphrase)

    # ---- keys on tokens -------------------------------------------------------------------------

    def create_on_token(
        self, kind: KeyKind, label: str, place: TokenPlace, name: str = ""
    ) -> KeyEntry:
        """Make a new key on a PKCS#11 token, which it never leaves, and refer to it here.

        `name`: what a note key signs as. Raises `KeyExists`, `KeyLabelInvalid`, `KeyMalformed` for
        a kind that no token holds, `Pkcs11Error`.
        """
        self._require_free(kind, label)
        return self._refer(kind, label, place, name, token_keys.generate(kind, place, self._pin))

    def adopt_from_token(
        self, kind: KeyKind, label: str, place: TokenPlace, name: str = ""
    ) -> KeyEntry:
        """Refer to a key that is on a token already. Raises as `create_on_token`."""
        self._require_free(kind, label)
        return self._refer(kind, label, place, name, token_keys.find(kind, place, self._pin))

    def _require_free(self, kind: KeyKind, label: str) -> None:
        if kind not in reference.PUBLIC_KEY_SIZE_BYTES:
            raise KeyMalformed(f"a {kind} key is kept in a file, not on a token")
        if self.path(kind, label).exists():
            raise KeyExists(f"a {kind} key {label!r} exists in {self.directory}")

    def _refer(
        self, kind: KeyKind, label: str, place: TokenPlace, name: str, public_key: bytes
    ) -> KeyEntry:
        held = TokenReference(kind, place, public_key, name)
        self._write(kind, label, held.encode())
        return self._entry(kind, label)

    def _reference(self, kind: KeyKind, data: bytes) -> TokenReference | None:
        return TokenReference.decode(data, kind) if reference.is_reference(data) else None

    # ---- listing and changing -------------------------------------------------------------------

    def list(self) -> tuple[KeyEntry, ...]:
        """The public parts of all keys, by kind and label. Needs no passphrase.

        Raises `KeyFileMalformed` for a file with a key's name and other contents.
        """
        found = []
        for kind in KeyKind:
            for path in sorted(self.directory.glob(f"*.{kind}.json")):
                label = path.name.removesuffix(f".{kind}.json")
                if _LABEL.fullmatch(label):
                    found.append(self._entry(kind, label))
        return tuple(found)

    def entry(self, kind: KeyKind, label: str) -> KeyEntry | None:
        """The public part of one key; None where there is none. Needs no passphrase."""
        return self._entry(kind, label) if self.path(kind, label).exists() else None

    def note_verifier(self, label: str) -> NoteVerifier:
        """The public half of a note key. Needs no passphrase. Raises as `list`, `KeyNotFound`."""
        return NoteVerifier.parse(self._entry(KeyKind.NOTE, label).public)

    def _entry(self, kind: KeyKind, label: str) -> KeyEntry:
        data, path = self._read(kind, label), self.path(kind, label)
        held = self._reference(kind, data)
        if held is not None:
            return KeyEntry(kind, label, held.public, path, held.place.token)
        if kind is KeyKind.NOTE:
            public = keyfile.note_verifier(data).vkey
        elif kind is KeyKind.ACCOUNT:
            public = keyfile.account_checksum_address(data)
        elif kind is KeyKind.SEALING:
            public = keyfile.sealing_id(data)
        else:
            public = keyfile.ed25519_public(kind, data).hex()
        return KeyEntry(kind, label, public, path)

    @property
    def next(self) -> KeyStore:
        """Keys that are to succeed those here, not in use yet (folder `next`)."""
        return KeyStore(self.directory / "next", self._passphrase, pin=self._pin)

    @property
    def retired(self) -> KeyStore:
        """Keys that were in use (folder `retired`)."""
        return KeyStore(self.directory / "retired", self._passphrase, pin=self._pin)

    def promote(self, kind: KeyKind, label: str) -> None:
        """The key of that label in `next` takes the place of the one here, which is retired.

        At every moment there is one of that label. After an interruption it is done again. Raises
        `KeyNotFound` where none is next.
        """
        successor = self.next.path(kind, label)
        if not successor.exists():
            raise KeyNotFound(f"no {kind} key {label!r} in {successor.parent}")
        self._link_retired(kind, label)
        successor.replace(self.path(kind, label))
        _sync_directory(self.directory)
        _sync_directory(successor.parent)

    def retire(self, kind: KeyKind, label: str) -> None:
        """Take a key out of use; it is kept among `retired`. Raises `KeyNotFound`."""
        self._link_retired(kind, label)
        self.remove(kind, label)

    def _link_retired(self, kind: KeyKind, label: str) -> None:
        path = self.path(kind, label)
        retired = self.retired
        mark = sha256(self._entry(kind, label).public.encode()).hexdigest()[:8]
        target = retired.path(kind, f"{label[:50]}.{mark}")
        retired.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):  # interrupted before
            os.link(path, target)
        _sync_directory(retired.directory)

    def remove(self, kind: KeyKind, label: str) -> None:
        """Delete a key file or reference for good. Raises `KeyNotFound`."""
        try:
            self.path(kind, label).unlink()
        except FileNotFoundError:
            raise KeyNotFound(f"no {kind} key {label!r} in {self.directory}") from None
        _sync_directory(self.directory)

    def opens(self) -> bool:
        """Whether the passphrase opens a key file here; true where there is none."""
        for entry in self.list():
            if entry.token is None:
                try:
                    self._open_sealed(entry.kind, self._read(entry.kind, entry.label))
                except PassphraseWrong:
                    return False
                return True
        return True

    def change_passphrase(self, passphrase: str) -> int:
        """Seal all key files anew; how many there are. Keys on tokens have PINs of their own.

        File after file: interrupted, it is done again in the same way, and passes over those that
        open with the new passphrase already. Raises `PassphraseWrong` where a file opens with
        neither, before anything is changed.
        """
        new = KeyStore(self.directory, passphrase, pin=self._pin)
        stores = (self, self.next, self.retired)
        sealed = [one for store in stores for one in store.list() if one.token is None]
        fresh = [(entry, self._resealed(entry, new)) for entry in sealed]
        for entry, data in fresh:
            if data is not None:
                _replace(entry.path, data)
        self._passphrase = passphrase
        return len(sealed)

    def _resealed(self, entry: KeyEntry, new: KeyStore) -> bytes | None:
        data = self._read_file(entry.path, entry.kind, entry.label)
        try:
            new._open_sealed(entry.kind, data)
        except PassphraseWrong:
            key = self._open_sealed(entry.kind, data)
        else:
            return None
        if isinstance(key, NoteSigner):
            return keyfile.encode_note(key, new._passphrase)
        if isinstance(key, AccountKey):
            return keyfile.encode_account(key, new._passphrase)
        if isinstance(key, SealingKey):
            return keyfile.encode_sealing(key, new._passphrase)
        return keyfile.encode_ed25519(entry.kind, key, new._passphrase)

    def _open_sealed(
        self, kind: KeyKind, data: bytes
    ) -> NoteSigner | AccountKey | Ed25519Key | SealingKey:
        if kind is KeyKind.NOTE:
            return keyfile.decode_note(data, self._passphrase)
        if kind is KeyKind.ACCOUNT:
            return keyfile.decode_account(data, self._passphrase)
        if kind is KeyKind.SEALING:
            return keyfile.decode_sealing(data, self._passphrase)
        return keyfile.decode_ed25519(kind, data, self._passphrase)

    def path(self, kind: KeyKind, label: str) -> Path:
        """Where the key's file is, or would be. Raises `KeyLabelInvalid`."""
        if not _LABEL.fullmatch(label):
            raise KeyLabelInvalid(
                f"{label[:80]!r} may not name a key: 1 to 64 of a-z 0-9 . _ -, "
                "beginning and ending with a letter or digit"
            )
        return self.directory / f"{label}.{kind}.json"

    def _read(self, kind: KeyKind, label: str) -> bytes:
        return self._read_file(self.path(kind, label), kind, label)

    def _read_file(self, path: Path, kind: KeyKind, label: str) -> bytes:
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
        draft = _drafted(path, data)
        try:
            os.link(draft, path)
        except FileExistsError:
            raise KeyExists(f"a {kind} key {label!r} exists in {self.directory}") from None
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
        _sync_directory(self.directory)


def _drafted(path: Path, data: bytes) -> Path:
    """The data durable beside its place, under a name that is no key's."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(FileNotFoundError):
            draft.unlink()
        raise
    return draft


def _replace(path: Path, data: bytes) -> None:
    """New contents whole and durable, or the old ones."""
    _drafted(path, data).replace(path)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
