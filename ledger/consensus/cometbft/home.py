"""The engine's folder: its keys, its genesis, its configuration."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.canonical import JsonError, parse_json
from ledger.consensus.cometbft.errors import EngineHomeInvalid

_KEY_FILE_SIZE_BYTES_MAX: Final = 4_096
_SEED_SIZE_BYTES: Final = 32
_RUN: Final = "tally-"
_ABCI: Final = "abci"
"""Name of the socket in the run-time folder that we listen on."""
_FOLDER_SIZE_BYTES_MAX: Final = 80
"""Paths of unix sockets are short (`AbciServer`)."""


@dataclass(frozen=True, slots=True)
class Home:
    """Paths in the folder that `cometbft --home` is given."""

    path: Path

    @property
    def config(self) -> Path:
        """config.toml."""
        return self.path / "config" / "config.toml"

    @property
    def genesis(self) -> Path:
        """The engine's genesis.json."""
        return self.path / "config" / "genesis.json"

    @property
    def node_key(self) -> Path:
        """The key by which peers know the node; its hash is the node id."""
        return self.path / "config" / "node_key.json"

    @property
    def validator_key(self) -> Path:
        """A validator key that the engine holds itself."""
        return self.path / "config" / "priv_validator_key.json"

    @property
    def validator_state(self) -> Path:
        """What the engine signed last with that key."""
        return self.path / "data" / "priv_validator_state.json"

    @property
    def signer_state(self) -> Path:
        """What our own signer signed last."""
        return self.path / "data" / "signer_state.json"

    @property
    def heights(self) -> Path:
        """When some of the engine's heights were made."""
        return self.path / "data" / "heights.json"

    @property
    def misbehaviour(self) -> Path:
        """Validators that were caught."""
        return self.path / "misbehaviour.json"

    @property
    def log(self) -> Path:
        """The engine's log; `log.1` and so on are older."""
        return self.path / "log"

    @property
    def run(self) -> Path:
        """A link to the folder of its sockets, while it runs."""
        return self.path / "run"

    def make_run_folder(self) -> Path:
        """A private folder with a short path, for sockets; that of a run that was killed goes."""
        self.remove_run_folder()
        usual = tempfile.gettempdir()
        short = len(os.fsencode(usual)) <= _FOLDER_SIZE_BYTES_MAX
        folder = Path(tempfile.mkdtemp(prefix=_RUN, dir=usual if short else "/tmp"))  # noqa: S108
        self.run.symlink_to(folder)
        return folder

    def remove_run_folder(self) -> None:
        """Remove what `make_run_folder` made last, if it is there."""
        if self.run.is_symlink():
            folder = self.run.readlink()
            ours = folder.name.startswith(_RUN) and not folder.is_symlink()
            if ours and not _answers(folder / _ABCI):  # not that of a node this one is a copy of
                shutil.rmtree(folder, ignore_errors=True)
            self.run.unlink()

    def prepare(self) -> None:
        """Make the folders. Only the node's user may enter."""
        for folder in (self.path, self.path / "config", self.path / "data"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)


def _answers(path: Path) -> bool:
    """Whether somebody listens on a unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def ensure_node_key(path: Path) -> bytes:
    """The node id (20 bytes) of the engine's folder at `path`; its key is made where there is none.

    Raises `EngineHomeInvalid`.
    """
    home = Home(path)
    if not home.node_key.exists():
        home.prepare()
        write_private(home.node_key, _node_key_document(Ed25519PrivateKey.generate()))
    return address_of(_public_key(_seed_of(home.node_key)))


def ensure_validator_key(path: Path) -> bytes:
    """The validator key (32 bytes, public) that the engine holds itself; made where there is none.

    For nodes without a signer of their own. Raises `EngineHomeInvalid`.
    """
    home = Home(path)
    if not home.validator_key.exists():
        home.prepare()
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        document = {
            "address": address_of(public).hex().upper(),
            "pub_key": {
                "type": "tendermint/PubKeyEd25519",
                "value": base64.b64encode(public).decode(),
            },
            "priv_key": _private(key),
        }
        write_private(home.validator_key, json.dumps(document, indent=2).encode())
    if not home.validator_state.exists():
        state = {"height": "0", "round": 0, "step": 0}
        write_private(home.validator_state, json.dumps(state).encode())
    return _public_key(_seed_of(home.validator_key))


def address_of(public_key: bytes) -> bytes:
    """20 bytes by which the engine names an Ed25519 key: the beginning of its SHA-256."""
    return hashlib.sha256(public_key).digest()[:20]


def write_private(path: Path, data: bytes) -> None:
    """Replace a file durably at once; only the node's user may read it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _node_key_document(key: Ed25519PrivateKey) -> bytes:
    return json.dumps({"priv_key": _private(key)}).encode()


def _private(key: Ed25519PrivateKey) -> dict[str, str]:
    value = key.private_bytes_raw() + key.public_key().public_bytes_raw()
    return {"type": "tendermint/PrivKeyEd25519", "value": base64.b64encode(value).decode()}


def _seed_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()[: _KEY_FILE_SIZE_BYTES_MAX + 1]
        document = parse_json(data, size_bytes_max=_KEY_FILE_SIZE_BYTES_MAX, depth_max=4)
        match document:
            case {"priv_key": {"type": "tendermint/PrivKeyEd25519", "value": str(text)}}:
                value = base64.b64decode(text, validate=True)
            case _:
                value = b""
    except (OSError, JsonError, ValueError) as error:
        raise EngineHomeInvalid(f"{path} cannot be read: {error}") from error
    if len(value) != 2 * _SEED_SIZE_BYTES:
        raise EngineHomeInvalid(f"{path} holds no Ed25519 key in CometBFT's form")
    return value[:_SEED_SIZE_BYTES]


def _public_key(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
