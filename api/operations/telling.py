"""Logs of instruments in words: by the contracts' ABIs, as JSON."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Final

from sqlalchemy import Engine

from api.operations.types import Event
from api.sight import INSTRUMENTS
from contracts.abi import EventKind
from contracts.artifact import load_artifact
from contracts.directory import contract_of
from contracts.errors import LogError
from ledger.projection import read_transaction
from ledger.types import Address, Hash32, Log, PlacedLog

BYTES_SHOWN_MAX: Final = 1024
"""Longer `bytes` (a document) are null: whoever wants them reads the transaction."""
NUMBER_BITS_MAX: Final = 48

_IDS: Final = frozenset(
    {
        "account",
        "asset",
        "assets",
        "breachAsset",
        "commitment",
        "decision",
        "delta",
        "document",
        "evidence",
        "goods",
        "id",
        "ids",
        "invoice",
        "key",
        "loan",
        "lot",
        "offerHash",
        "origin",
        "pledge",
        "purpose",
        "ref",
        "root",
        "rules",
        "signedByBank",
        "signedByBorrower",
        "successor",
        "terms",
        "text",
    }
)
"""Parameters of events that are ids or hashes and nothing else."""
_TEXT: Final = re.compile(rb"[0-9A-Za-z][ -~]*")


class Teller:
    """Knows which contract is where. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._names: dict[Address, str] = {}

    def name(self, address: Address) -> str | None:
        """Name in the Directory, of whichever version; None for what is no contract of it."""
        with self._lock:
            known = self._names.get(address)
        if known is not None:
            return known
        with read_transaction(self._engine) as connection:
            found = contract_of(connection, address)
        if found is not None:
            with self._lock:
                self._names[address] = found
        return found

    def events(self, logs: Iterable[PlacedLog]) -> tuple[Event, ...]:
        """In words. Never raises: what is not known has no name and no values."""
        return tuple(self._event(placed) for placed in logs)

    def _event(self, placed: PlacedLog) -> Event:
        address = placed.log.address
        contract = self.name(address) or f"0x{address.hex()}"
        name, values = in_words(placed.log)
        return Event(contract, name, values, placed.leaf_index, placed)


def in_words(log: Log) -> tuple[str, Mapping[str, Any]]:
    """An event's name and values; none of either where it is not known."""
    known = _EVENTS.get(log.topics[0]) if log.topics else None
    if known is None:
        return "", {}
    _, kind, parameters = known
    try:
        values = kind.values(log)
    except LogError:
        return "", {}
    return kind.name, {one["name"]: told_value(one, values[one["name"]]) for one in parameters}


def teller_of(topic: Hash32 | None) -> str | None:
    """The contract of finance (by name) that tells such events; None where none does."""
    known = None if topic is None else _EVENTS.get(topic)
    return None if known is None else known[0]


def told_value(parameter: Mapping[str, Any], value: Any) -> Any:
    """A decoded value of an ABI type as JSON.

    Fixed bytes that are nothing but text (organisation ids, currencies, numbers) are text where
    they are not known to be ids or hashes, zero is null, and the rest is hex: an answer to be
    read. What counts are the log's own bytes.
    """
    kind = str(parameter["type"])
    if kind.endswith("]"):
        element = {**parameter, "type": kind[: kind.rindex("[")]}
        return [told_value(element, one) for one in value]
    if kind == "tuple":
        parts: Sequence[Mapping[str, Any]] = parameter["components"]
        return {p["name"]: told_value(p, v) for p, v in zip(parts, value, strict=True)}
    if isinstance(value, bool) or kind == "string":
        return value
    if isinstance(value, int):
        bits = int(re.sub(r"\D", "", kind) or 256)
        return value if bits <= NUMBER_BITS_MAX else str(value)
    if isinstance(value, bytes):
        if kind == "bytes":
            return f"0x{value.hex()}" if len(value) <= BYTES_SHOWN_MAX else None
        return f"0x{value.hex()}" if _is_id(parameter, value) else _fixed(value)
    return str(value)


def _is_id(parameter: Mapping[str, Any], value: bytes) -> bool:
    """Whether it is an id or a hash, which is no text whatever its bytes look like."""
    return parameter["name"] in _IDS and any(value)


def _fixed(value: bytes) -> str | None:
    stripped = value.rstrip(b"\0")
    if not stripped:
        return None
    return stripped.decode("ascii") if _TEXT.fullmatch(stripped) else f"0x{value.hex()}"


def _events() -> dict[Hash32, tuple[str, EventKind, Sequence[Mapping[str, Any]]]]:
    """Events of all instruments by their topic, with the contract's name."""
    found: dict[Hash32, tuple[str, EventKind, Sequence[Mapping[str, Any]]]] = {}
    for contract, (room, name) in INSTRUMENTS.items():
        package = f"contracts.{room}"
        if find_spec(package) is None:
            continue
        if not files(package).joinpath("artifacts", f"{name}.json").is_file():
            continue
        artifact = load_artifact(package, name)
        for entry in artifact.abi:
            if entry["type"] == "event":
                kind = EventKind.of(artifact, entry["name"])
                found[kind.topic] = (contract, kind, entry["inputs"])
    return found


_EVENTS: Final = _events()
