"""How organisations stand on the ledger at this moment, as the projection has it."""

from __future__ import annotations

import threading

from sqlalchemy import Engine

from contracts.consortium import ConsortiumHandler, Organisation, find_organisation
from ledger.projection import Projector, read_transaction

KNOWN_MAX = 10_000


class Standings:
    """Asked at each request; read again once members have changed. Thread-safe."""

    def __init__(self, engine: Engine, projector: Projector) -> None:
        self._engine = engine
        self._projector = projector
        self._lock = threading.Lock()
        self._version = -1
        self._known: dict[str, Organisation | None] = {}

    def of(self, organisation: str) -> Organisation | None:
        """The organisation with its role and status; None where the ledger has none."""
        version = self._projector.version(ConsortiumHandler.name)
        with self._lock:
            if version != self._version or len(self._known) >= KNOWN_MAX:
                self._known.clear()
                self._version = version
            if organisation in self._known:
                return self._known[organisation]
        with read_transaction(self._engine) as connection:
            found = find_organisation(connection, organisation)
        with self._lock:
            if version == self._version:
                self._known[organisation] = found
        return found
