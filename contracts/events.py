"""Decoding a contract's logs: one builder for each of its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from contracts.abi import EventKind
from contracts.artifact import Artifact
from contracts.errors import ContractError, LogError
from ledger.types import Address, Hash32, Log

Values = Mapping[str, Any]
"""Parameters of an event by name."""

EventT = TypeVar("EventT")

REMEMBERED: Final = 256
"""Events of a decoder that are kept: several handlers, the feed and the answer ask for the same."""
REMEMBERED_SIZE_BYTES_MAX: Final = 4_096


class LogDecoder(Generic[EventT]):
    """Turns logs of one contract into events of its own types."""

    def __init__(self, artifact: Artifact, **builders: Callable[[Values], EventT]) -> None:
        """`builders` by the event's name. Raises `ArtifactError` where one is not in the ABI."""
        self._name = artifact.name
        kinds = {name: EventKind.of(artifact, name) for name in builders}
        self._events: dict[Hash32, tuple[EventKind, Callable[[Values], EventT]]] = {
            kinds[name].topic: (kinds[name], build) for name, build in builders.items()
        }

        self._remembered = lru_cache(maxsize=REMEMBERED)(self._decode)

    def decode(self, log: Log) -> EventT:
        """The event in a log. Raises `LogError` where it is none that this decoder knows."""
        if len(log.data) > REMEMBERED_SIZE_BYTES_MAX:
            return self._decode(log)
        return self._remembered(log)

    def _decode(self, log: Log) -> EventT:
        if not log.topics or log.topics[0] not in self._events:
            raise LogError(f"log is none of the {self._name} contract's events")
        kind, build = self._events[log.topics[0]]
        values = kind.values(log)
        try:
            return build(values)
        except (ContractError, ValueError) as error:
            raise LogError(f"{kind.name}: {error}") from error


def address_of(text: str) -> Address:
    """An address as eth-abi decodes it (0x and hex digits)."""
    return Address(bytes.fromhex(text[2:]))
