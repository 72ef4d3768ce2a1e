"""Where the contracts are, as the projection has the Directory."""

from __future__ import annotations

import threading

from sqlalchemy import Engine

from api.errors import Unavailable
from contracts.directory import DirectoryHandler, find_contract
from ledger.projection import Projector, read_transaction
from ledger.types import Address


class Places:
    """Asked at each operation; read again once the Directory has changed. Thread-safe."""

    def __init__(self, engine: Engine, projector: Projector) -> None:
        self._engine = engine
        self._projector = projector
        self._lock = threading.Lock()
        self._version = -1
        self._known: dict[str, Address] = {}

    def of(self, contract: str) -> Address:
        """The current version of that name. Raises `Unavailable` where there is none."""
        version = self._projector.version(DirectoryHandler.name)
        with self._lock:
            if version != self._version:
                self._known.clear()
                self._version = version
            known = self._known.get(contract)
        if known is not None:
            return known
        with read_transaction(self._engine) as connection:
            found = find_contract(connection, contract)
        if found is None:
            raise Unavailable(f"this ledger has no contract {contract}", retry_after_s=3600)
        with self._lock:
            if version == self._version:
                self._known[contract] = found.address
        return found.address
