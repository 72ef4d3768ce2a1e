"""Decoding a contract's logs: one builder for each of its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from contracts.abi import EventKind
from contracts.artifact import Artifact
from contracts.errors import ContractError, LogError
from ledger.types import Address, Hash32, Log

Values = Mapping[str, Any]
"""Parameters of an event by name."""

EventT = TypeVar("EventT")


class LogDecoder(Generic[EventT]):
    """Turns logs of one contract into events of its own types."""

    def __init__(self, artifact: Artifact, **builders: Callable[[Values], EventT]) -> None:
        """`builders` by the event's name. Raises `ArtifactError` where one is not in the ABI."""
        self._name = artifact.name
        kinds = {name: EventKind.of(artifact, name) for name in builders}
        self._events: dict[Hash32, tuple[EventKind, Callable[[Values], EventT]]] = {
            kinds[name].topic: (kinds[name], build) for name, build in builders.items()
        }

    def decode(self, log: Log) -> EventT:
        """The event in a log. Raises `LogError` where it is none that this decoder knows."""
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
