"""Which of a validator's keys the engine is given: the ledger decides, not a file.

A node that changes its validator key writes the new one to the Network contract. CometBFT lets a
new validator set count two heights after the block that made it, and asks the signer for the key
after each height it commits: the answer changes at the very height at which the set does.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger.canonical import JsonError, parse_json
from ledger.consensus.validator.errors import SignStateDamaged, ValidatorError
from ledger.consensus.validator.guard import GuardedKey
from ledger.consensus.validator.state import SignState, record_owner, write_durable
from ledger.crypto.errors import CryptoError
from ledger.crypto.protocol import ValidatorSigner

FORMAT: Final = "tallystick-validator-keys/1"
DELAY_HEIGHTS: Final = 2
"""From the block that changes the validators to the height at which the change counts."""
_ADDRESS_SIZE_BYTES: Final = 20
_SIZE_BYTES_MAX: Final = 4096
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Named:
    """Which key the ledger names for this node, and which it named before."""

    key: bytes
    before: bytes
    """Empty where it never changed."""
    since: int
    """Height of the engine whose block named it."""

    def at(self, height: int) -> bytes:
        """The key that counts at a height of the engine."""
        return self.key if not self.before or height >= self.since + DELAY_HEIGHTS else self.before


class KeyRing:
    """The keys of one validator, each with its own record of what it signed. Thread-safe."""

    def __init__(
        self,
        signer: ValidatorSigner,
        state_path: Path,
        find: Callable[[bytes], ValidatorSigner | None] = lambda _: None,
        *,
        signed_up_to: int = 0,
        accept_loss: bool = False,
    ) -> None:
        """`signer` is the key in use; `find` gives another by its public key, if this node has it.

        `signed_up_to` is the last height that is durable: nothing at it or below is signed any
        more, whatever the records say, for one may be lost or old. Of a key without a record it
        is not known whether it voted on the next height: that is barred as well, unless the
        operator answers for it (`accept_loss`).

        Raises `SignStateBusy`, `SignStateDamaged`.
        """
        self._path = state_path
        self._find = find
        self._first = signer.public_key
        self._named_path = state_path.with_name(f"{state_path.stem}_keys.json")
        self._named = self._read()
        self._written = True
        self._height = 0
        self._signed_up_to = signed_up_to
        self._accept_loss = accept_loss
        self._keys: dict[bytes, GuardedKey] = {}
        self._states: list[SignState] = []
        self._turning = threading.RLock()
        self._open(signer)

    def close(self) -> None:
        """Let go of the records."""
        for state in self._states:
            state.close()

    def committed(self, height: int, public_key: bytes | None) -> None:
        """The engine's block of this height is durable, and the ledger names this key since.

        To be told before the engine is answered; at the start, of the last height that is
        durable. None, for a node that does not validate, changes nothing.
        """
        with self._turning:
            self._height = height
            named = self._named
            if public_key is None or (named is not None and named.key == public_key):
                self._write()
                return
            if named is None:
                changed = Named(public_key, b"", height)
            else:
                # At the start: had it changed at an earlier height, that would be written down.
                changed = Named(public_key, named.key, height)
                # Its record is there before it can sign: one that is missing later was lost.
                self._begin(public_key)
                _LOG.warning(
                    "the ledger names validator key %s from engine height %d",
                    public_key.hex(),
                    height + DELAY_HEIGHTS,
                )
            self._named, self._written = changed, False
            self._write()

    def _write(self) -> None:
        """Write down what is named; where the disk does not take it, after the next height."""
        if self._written or self._named is None:
            return
        try:
            write_durable(self._named_path, _encode(self._named))
            self._written = True
        except OSError as error:
            _LOG.critical("%s cannot be written: %s", self._named_path, error)

    def current(self) -> GuardedKey:
        """The key for the engine's next height. One it does not have is told, not waited for."""
        with self._turning:
            named = self._named
            wanted = self._first if named is None else named.at(self._height + 1)
            held = self._keys.get(wanted) or self._fetch(wanted)
            if held is None:
                _LOG.critical(
                    "the ledger names validator key %s, which is not among this node's keys: "
                    "it does not validate until it is",
                    wanted.hex(),
                )
                return self._keys[self._first]
            return held

    def of_address(self, address: bytes) -> GuardedKey | None:
        """The key of a validator address (20 bytes), if it was in use since the start."""
        with self._turning:
            for public_key, key in self._keys.items():
                if sha256(public_key).digest()[:_ADDRESS_SIZE_BYTES] == address:
                    return key
        return None

    def _begin(self, public_key: bytes) -> None:
        """Open a key that the ledger names for the first time, if this node has it."""
        if public_key not in self._keys:
            self._fetch(public_key, is_new=True)

    def _fetch(self, public_key: bytes, *, is_new: bool = False) -> GuardedKey | None:
        try:
            signer = self._find(public_key)
            return None if signer is None else self._open(signer, is_new=is_new)
        except (CryptoError, ValidatorError) as error:
            _LOG.critical("validator key %s cannot be opened: %s", public_key.hex(), error)
            return None

    def _open(self, signer: ValidatorSigner, *, is_new: bool = False) -> GuardedKey:
        path = state_path_of(self._path, signer.public_key)
        is_lost = not is_new and self._signed_up_to > 0 and not path.exists()
        state = SignState(path, signer.public_key)
        self._states.append(state)
        state.raise_to(self._signed_up_to)
        if is_lost:
            self._bar_next(path, state)
        key = self._keys[signer.public_key] = GuardedKey(signer, state)
        return key

    def _bar_next(self, path: Path, state: SignState) -> None:
        """Nothing says what a key voted on at the height after the last durable one."""
        if self._accept_loss:
            _LOG.critical("%s is missing; the operator answers for no vote being lost", path)
            return
        state.raise_to(self._signed_up_to + 1)
        _LOG.critical(
            "%s is missing, the record of what this validator has signed: it signs nothing up to "
            "height %d, which it may have voted on. If the network cannot pass that height without "
            "it, and it surely has not voted there: remove the new record and start with "
            "--accept-loss",
            path,
            self._signed_up_to + 1,
        )

    def _read(self) -> Named | None:
        try:
            with self._named_path.open("rb") as file:
                return _decode(file.read(_SIZE_BYTES_MAX + 1), self._named_path)
        except FileNotFoundError:
            return None


def begin_record(path: Path, public_key: bytes) -> None:
    """For a key that was just made: its record, so that its absence later is known as a loss.

    `path` is that of the first key a node had. Raises `SignStateBusy`, `SignStateDamaged`.
    """
    SignState(state_path_of(path, public_key), public_key).close()


def state_path_of(path: Path, public_key: bytes) -> Path:
    """Where the record of a key is, or would be: at `path` that of the first key a node had."""
    own = path.with_name(f"{path.stem}-{public_key.hex()[:16]}{path.suffix}")
    if own.exists() or record_owner(path) not in (None, public_key):
        return own
    return path


def _encode(named: Named) -> bytes:
    fields = {
        "format": FORMAT,
        "key": named.key.hex(),
        "before": named.before.hex(),
        "since": str(named.since),
    }
    return json.dumps(fields, indent=1).encode()


def _decode(data: bytes, path: Path) -> Named:
    try:
        fields = parse_json(data, size_bytes_max=_SIZE_BYTES_MAX, depth_max=2)
        if not isinstance(fields, dict) or fields.get("format") != FORMAT:
            raise ValueError(f"not of format {FORMAT}")
        key, before = bytes.fromhex(fields["key"]), bytes.fromhex(fields["before"])
        since = int(fields["since"])
        if len(key) != 32 or len(before) not in (0, 32) or since < 0:
            raise ValueError("a key or a height is out of range")
        return Named(key, before, since)
    except (JsonError, ValueError, TypeError, KeyError) as error:
        raise SignStateDamaged(
            f"{path}: {error}; remove it if the validator key was never changed"
        ) from error
