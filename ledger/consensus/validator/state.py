"""What was signed last, on disk before any signature leaves: no validator signs twice."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.canonical import JsonError, parse_json
from ledger.consensus.validator.errors import (
    SignStateBusy,
    SignStateDamaged,
    SignStateForeign,
)
from ledger.consensus.validator.signbytes import Step

FORMAT: Final = "tallystick-sign-state/1"
ROUND_MAX: Final = (1 << 31) - 1
_HEIGHT_MAX: Final = (1 << 63) - 1
_SIZE_BYTES_MAX: Final = 16 * 1024
_NAMES: Final = frozenset(
    ("format", "publicKey", "chainId", "height", "round", "step", "signBytes", "signature")
)


@dataclass(frozen=True, slots=True)
class Signed:
    """The last signature. Nothing at or below its height, round and step is signed any more."""

    chain_id: str = ""
    """Empty before the first signature."""
    height: int = 0
    round: int = 0
    step: Step = Step.NONE
    sign_bytes: bytes = b""
    """Empty where nothing was signed at this very place (`raise_to`)."""
    signature: bytes = b""

    @property
    def place(self) -> tuple[int, int, int]:
        """Height, round and step, in the order in which they are compared."""
        return self.height, self.round, int(self.step)


class SignState:
    """The file of one validator key. One process at a time; it is locked while open."""

    def __init__(self, path: Path, public_key: bytes) -> None:
        """Open, and make where there is none.

        Raises `SignStateBusy`, `SignStateDamaged`, `SignStateForeign`.
        """
        self.path = path
        self._public_key = public_key
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(path.with_name(path.name + ".lock"))
        try:
            self._last = self._read()
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def last(self) -> Signed:
        """What was signed last."""
        return self._last

    def keep(self, signed: Signed) -> None:
        """Replace the record, durable when this returns. Raises OSError; then nothing counts."""
        if signed.place <= self._last.place:
            raise ValueError(f"{signed.place} is not above {self._last.place}")
        write_durable(self.path, _encode(signed, self._public_key))
        self._last = signed

    def raise_to(self, height: int) -> None:
        """Sign nothing at this height or below any more.

        For a restored backup, whose record is older than what the key has signed since. A
        height at or below the recorded one changes nothing.
        """
        if not 0 <= height <= _HEIGHT_MAX:
            raise ValueError(f"{height} is no height")
        bar = Signed(self._last.chain_id, height, ROUND_MAX, Step.PRECOMMIT)
        if bar.place > self._last.place:
            self.keep(bar)

    def close(self) -> None:
        """Let others open it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> SignState:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> Signed:
        try:
            with self.path.open("rb") as file:
                data = file.read(_SIZE_BYTES_MAX + 1)
        except FileNotFoundError:
            first = Signed()
            write_durable(self.path, _encode(first, self._public_key))
            return first
        signed, public_key = _decode(data, self.path)
        if public_key != self._public_key:
            raise SignStateForeign(
                f"{self.path} is of the validator key {public_key.hex()}, not of "
                f"{self._public_key.hex()}; each key has a record of its own"
            )
        return signed


def record_owner(path: Path) -> bytes | None:
    """The public key that the record at `path` is of; None where there is none.

    Raises `SignStateDamaged`.
    """
    try:
        with path.open("rb") as file:
            return _decode(file.read(_SIZE_BYTES_MAX + 1), path)[1]
    except FileNotFoundError:
        return None


def _encode(signed: Signed, public_key: bytes) -> bytes:
    return json.dumps(
        {
            "format": FORMAT,
            "publicKey": public_key.hex(),
            "chainId": signed.chain_id,
            "height": str(signed.height),
            "round": signed.round,
            "step": int(signed.step),
            "signBytes": signed.sign_bytes.hex(),
            "signature": signed.signature.hex(),
        },
        indent=1,
    ).encode()


def _decode(data: bytes, path: Path) -> tuple[Signed, bytes]:
    try:
        fields = parse_json(data, size_bytes_max=_SIZE_BYTES_MAX, depth_max=2)
        if not isinstance(fields, dict) or fields.keys() != _NAMES or fields["format"] != FORMAT:
            raise ValueError(f"not of format {FORMAT}")
        height, round_, step = int(fields["height"]), fields["round"], Step(fields["step"])
        if (
            type(round_) is not int
            or not 0 <= round_ <= ROUND_MAX
            or not 0 <= height <= _HEIGHT_MAX
        ):
            raise ValueError("height or round is out of range")
        signed = Signed(
            str(fields["chainId"]),
            height,
            round_,
            step,
            bytes.fromhex(fields["signBytes"]),
            bytes.fromhex(fields["signature"]),
        )
        if bool(signed.sign_bytes) != (len(signed.signature) == 64):
            raise ValueError("sign bytes without their signature, or the other way round")
        return signed, bytes.fromhex(fields["publicKey"])
    except (JsonError, ValueError, TypeError) as error:
        raise SignStateDamaged(
            f"{path}: {error}. Nothing is signed without it: put back the newest copy, and raise "
            "it to a height that the network has certainly not reached yet"
        ) from error


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise SignStateBusy(f"{path} is held by another process that signs") from error
    return descriptor


def write_durable(path: Path, data: bytes) -> None:
    """The new contents whole on disk, or the old ones."""
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
