"""A node's trust file follows its own ledger: new versions of the Provenance contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from contracts.directory import stored_versions
from contracts.provenance import PROVENANCE_NAME
from ledger.chain import Ledger
from ledger.types import CommittedBlock
from nodes.membership import StoredWords
from nodes.trust_file import change_trust
from traceability.bundle import Trust, versions_of


def recorded_trust(ledger: Ledger, trust: Trust) -> Trust:
    """The trust with the Directory of the ledger and the versions that it has named by now."""
    directory = ledger.genesis.contracts.get("directory")
    if directory is None:
        return trust
    with ledger.state() as state:
        found = stored_versions(StoredWords(state, directory), PROVENANCE_NAME)
    later = versions_of(found, trust.provenance)
    return replace(trust.with_versions_that_fit(later), directory=directory)


def refresh_trust(ledger: Ledger, path: Path) -> Trust:
    """Bring a node's trust file up to its ledger. Raises `TrustMalformed`."""
    return change_trust(path, lambda trust: recorded_trust(ledger, trust))


def follow_versions(ledger: Ledger, path: Path) -> Callable[[], None]:
    """Do so whenever the Directory speaks; returns what ends it."""
    directory = ledger.genesis.contracts.get("directory")
    if directory is None:
        return lambda: None

    def on_block(block: CommittedBlock) -> None:
        if any(placed.log.address == directory for placed in block.logs):
            refresh_trust(ledger, path)

    return ledger.subscribe(on_block)
