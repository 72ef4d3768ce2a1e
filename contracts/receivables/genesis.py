"""The Receivables contract in a genesis file."""

from __future__ import annotations

from typing import Final

from contracts.artifact import load_artifact
from contracts.genesis import AllocEntry, alloc

RECEIVABLES_ARTIFACT: Final = load_artifact("contracts.receivables", "Receivables")


def genesis_account() -> AllocEntry:
    """The `alloc` entry of the contract: it begins without any record."""
    return alloc(RECEIVABLES_ARTIFACT.runtime(), {})
