"""Taking an observation: asking every part of the node once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Final, TypeVar

from nodes.operations.disk import DiskGauge
from nodes.operations.protocol import Sources
from nodes.operations.types import Finding, Observation

KEPT_S: Final = 0.5
"""Several askers at once share one observation."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Observer:
    """Takes observations, at most about two a second. Thread-safe. Idle when nobody asks."""

    def __init__(self, sources: Sources, clock: Callable[[], float] = time.time) -> None:
        self._sources = sources
        self._clock = clock
        self._disk = DiskGauge(sources.folders)
        self._lock = threading.Lock()
        self._last: Observation | None = None
        self._when = float("-inf")
        self._version = version("tallystick")

    def observe(self) -> Observation:
        """The node as it is now, or was half a second ago. Blocks while parts are asked.

        Raises what the ledger raises where it is closed. A part that cannot be asked is named in
        `unanswered`; the rest is told all the same.
        """
        with self._lock:
            if self._last is None or time.monotonic() - self._when > KEPT_S:
                self._last = self._observe()
                self._when = time.monotonic()
            return self._last

    def _observe(self) -> Observation:
        sources, silent = self._sources, list[Finding]()

        def ask(part: str, question: Callable[[], T] | None) -> T | None:
            if question is None:
                return None
            try:
                return question()
            except Exception as error:
                _log.warning("%s could not be observed: %s", part, error)
                silent.append(Finding(part, f"{part} does not answer: {error}"))
                return None

        ledger = sources.ledger
        head, log = ledger.head(), ledger.log
        return Observation(
            taken_at=self._clock(),
            name=sources.name,
            version=self._version,
            chain_id=ledger.chain_id,
            origin=ledger.origin,
            head=head,
            log_size=log.size,
            log_root=log.root,
            driver=sources.driver.status(),
            mempool=ledger.mempool.status(),
            projection=sources.projector.status(),
            refusals=dict(ask("refusals", sources.refusals) or {}),
            capture=ask("capture", sources.capture),
            engine=ask("engine", sources.engine),
            membership=ask("membership", sources.membership),
            witness=ask("witness", sources.witness),
            evidence=tuple(ask("evidence", sources.evidence) or ()),
            snapshots=tuple(ask("snapshots", sources.snapshots) or ()),
            disk=self._disk.parts(),
            unanswered=tuple(silent),
        )
