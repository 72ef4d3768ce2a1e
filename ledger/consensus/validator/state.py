"""What was signed last, on disk before any signature leaves: no validator signs twice.

The file has two places of 4 KiB, written in turn, each with one JSON object, a count and a hash.
What is written is either whole or leaves the place before it as the newest: a record costs one
write of data, no change of the file system's own. A place that is neither empty nor whole stops
the signer: the record in it may have been of a signature that left.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger.canonical import JsonError, canonical_json, parse_json
from ledger.consensus.validator.errors import (
    SignStateBusy,
    SignStateDamaged,
    SignStateForeign,
)
from ledger.consensus.validator.signbytes import Step

FORMAT: Final = "tallystick-sign-state/1"
ROUND_MAX: Final = (1 << 31) - 1
_HEIGHT_MAX: Final = (1 << 63) - 1
_SLOT_SIZE_BYTES: Final = 4096
"""A page, so that neither place shares one with the other."""
_SLOTS: Final = 2
_NAMES: Final = frozenset(
    (
        *("format", "publicKey", "chainId", "height", "round", "step", "signBytes", "signature"),
        *("count", "check"),
    )
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
            self._last, self._count = self._read()
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def last(self) -> Signed:
        """What was signed last."""
        return self._last

    def keep(self, signed: Signed) -> None:
        """Make it the last, durable when this returns. Raises OSError; then it does not count."""
        if signed.place <= self._last.place:
            raise ValueError(f"{signed.place} is not above {self._last.place}")
        count = self._count + 1
        slot = _encode(signed, self._public_key, count)
        _write_slot(self._file, count % _SLOTS * _SLOT_SIZE_BYTES, slot)
        self._last, self._count = signed, count

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
            os.close(self._file)
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> SignState:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> tuple[Signed, int]:
        found = _newest(self.path)
        if found is None:
            first = _encode(Signed(), self._public_key, 0)
            write_durable(self.path, first + b" " * _SLOT_SIZE_BYTES)
            return Signed(), 0
        signed, public_key, count = found
        if public_key != self._public_key:
            raise SignStateForeign(
                f"{self.path} is of the validator key {public_key.hex()}, not of "
                f"{self._public_key.hex()}; each key has a record of its own"
            )
        return signed, count


def record_owner(path: Path) -> bytes | None:
    """The public key that the record at `path` is of; None where there is none.

    Raises `SignStateDamaged`.
    """
    found = _newest(path)
    return None if found is None else found[1]


def _newest(path: Path) -> tuple[Signed, bytes, int] | None:
    """What the file says, of which key, and its count; None where there is no file."""
    try:
        with path.open("rb") as file:
            data = file.read(_SLOTS * _SLOT_SIZE_BYTES + 1)
    except FileNotFoundError:
        return None
    try:
        if len(data) != _SLOTS * _SLOT_SIZE_BYTES:
            raise ValueError(f"{len(data)} bytes")
        slots = [data[:_SLOT_SIZE_BYTES], data[_SLOT_SIZE_BYTES:]]
        found = [_decode(slot) for slot in slots if slot.strip(b" ")]
        if not found or len({owner for _, owner, _ in found}) > 1:
            raise ValueError("nothing is in it, or two keys are")
        newest = max(found, key=lambda one: one[2])
        # Only the first record of all has an empty place beside it.
        if len(found) == 1 and newest[2] > 0:
            raise ValueError("one of its two places is empty")
        return newest
    except (JsonError, ValueError, TypeError) as error:
        raise SignStateDamaged(
            f"{path}: {error}. Nothing is signed without it: put back the newest copy and raise it "
            "to a height that the network has certainly not reached yet, or change the key"
        ) from error


def _encode(signed: Signed, public_key: bytes, count: int) -> bytes:
    fields = {
        "format": FORMAT,
        "publicKey": public_key.hex(),
        "chainId": signed.chain_id,
        "height": str(signed.height),
        "round": signed.round,
        "step": int(signed.step),
        "signBytes": signed.sign_bytes.hex(),
        "signature": signed.signature.hex(),
        "count": count,
    }
    data = canonical_json({**fields, "check": _check(fields)})
    if len(data) >= _SLOT_SIZE_BYTES:
        raise ValueError(f"a record of {len(data)} bytes")
    return data.ljust(_SLOT_SIZE_BYTES - 1) + b"\n"


def _check(fields: Mapping[str, object]) -> str:
    return sha256(canonical_json(fields)).hexdigest()


def _decode(slot: bytes) -> tuple[Signed, bytes, int]:
    fields = parse_json(slot.strip(), size_bytes_max=_SLOT_SIZE_BYTES, depth_max=2)
    if not isinstance(fields, dict) or fields.keys() != _NAMES or fields["format"] != FORMAT:
        raise ValueError(f"not of format {FORMAT}")
    if fields.pop("check") != _check(fields):
        raise ValueError("a record is not as it was written")
    height, round_, step = int(fields["height"]), fields["round"], Step(fields["step"])
    if type(round_) is not int or not (0 <= round_ <= ROUND_MAX and 0 <= height <= _HEIGHT_MAX):
        raise ValueError("height or round is out of range")
    sign_bytes, signature = bytes.fromhex(fields["signBytes"]), bytes.fromhex(fields["signature"])
    if bool(sign_bytes) != (len(signature) == 64):
        raise ValueError("sign bytes without their signature, or the other way round")
    signed = Signed(str(fields["chainId"]), height, round_, step, sign_bytes, signature)
    return signed, bytes.fromhex(fields["publicKey"]), int(fields["count"])


def _write_slot(file: int, offset: int, slot: bytes) -> None:
    """Durable when this returns: the file keeps its size, so its data is all there is to sync."""
    if os.pwrite(file, slot, offset) != len(slot):
        raise OSError(errno.EIO, "the record was written in part")
    os.fdatasync(file)


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
