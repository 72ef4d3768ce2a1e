"""Validators that the engine has caught voting twice or lying, with proof in its blocks.

Source: CometBFT v0.38, ABCI 2.0 `Misbehavior`. The engine drops its blocks after some weeks: what
was told is kept in a file of the node's own.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ledger.canonical import JsonError, parse_json
from ledger.chain import NodeEntry
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.home import address_of, write_private

FORMAT: Final = "tallystick-misbehaviour/1"
KEPT_MAX: Final = 1_000
_SIZE_BYTES_MAX: Final = 1 << 20
_KINDS: Final = {1: "voted twice", 2: "showed a light client a false header"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One proven case."""

    validator: str
    """The engine's address of the key: 20 bytes in hex."""
    organisation: str
    """Whose node had that key when it was told; empty where no node had it any more."""
    kind: str
    """What was done, in words."""
    height: int
    """Of the engine, at which it was done."""
    time: int
    """Of that height, seconds since 1970."""


class Misbehaviours:
    """What was told so far, oldest first. Thread-safe."""

    def __init__(self, path: Path) -> None:
        """`path`: where it is kept; what is damaged there is logged and begun anew."""
        self._path = path
        self._lock = threading.Lock()
        self._known = self._read()

    def cases(self) -> tuple[Misbehaviour, ...]:
        """All that is kept."""
        with self._lock:
            return tuple(self._known)

    def take(self, told: Iterable[pb.Misbehavior], nodes: Iterable[NodeEntry]) -> None:
        """What a block brings; again changes nothing. `nodes`: whose keys are whose."""
        owners = {
            address_of(one.validator_key): one.organisation
            for one in nodes
            if one.validator_key is not None
        }
        cases = [_case(one, owners.get(one.validator.address, "")) for one in told]
        with self._lock:
            known = {_identity(one) for one in self._known}
            new = [one for one in cases if _identity(one) not in known]
            if not new:
                return
            self._known = [*self._known, *new][-KEPT_MAX:]
            self._write()
        for one in new:
            _log.error(
                "validator 0x%s of %s %s at height %d",
                one.validator,
                one.organisation or "nobody any more",
                one.kind,
                one.height,
            )

    def _read(self) -> list[Misbehaviour]:
        try:
            with self._path.open("rb") as file:
                data = file.read(_SIZE_BYTES_MAX + 1)
            fields = parse_json(data, size_bytes_max=_SIZE_BYTES_MAX, depth_max=4)
            if not isinstance(fields, dict) or fields.get("format") != FORMAT:
                raise ValueError(f"not of format {FORMAT}")
            return [
                Misbehaviour(
                    str(one["validator"]),
                    str(one["organisation"]),
                    str(one["kind"]),
                    int(one["height"]),
                    int(one["time"]),
                )
                for one in fields["cases"][-KEPT_MAX:]
            ]
        except FileNotFoundError:
            return []
        except (OSError, JsonError, ValueError, TypeError, KeyError) as error:
            _log.error("%s: %s; what it told is in the engine's blocks alone", self._path, error)
            return []

    def _write(self) -> None:
        fields = {"format": FORMAT, "cases": [asdict(one) for one in self._known]}
        try:
            write_private(self._path, json.dumps(fields, indent=1).encode())
        except OSError as error:
            _log.error("%s cannot be written: %s", self._path, error)


def _case(told: pb.Misbehavior, organisation: str) -> Misbehaviour:
    kind = _KINDS.get(told.type, f"did something of kind {told.type}")
    address = told.validator.address.hex()
    return Misbehaviour(address, organisation, kind, told.height, max(0, told.time.seconds))


def _identity(one: Misbehaviour) -> tuple[str, str, int]:
    return one.validator, one.kind, one.height
