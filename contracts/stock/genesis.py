"""The Stock contract in a genesis file."""

from __future__ import annotations

from typing import Final

from contracts.artifact import load_artifact
from contracts.genesis import AllocEntry, alloc

STOCK_ARTIFACT: Final = load_artifact("contracts.stock", "Stock")


def genesis_account() -> AllocEntry:
    """The `alloc` entry of the contract: it begins without any record."""
    return alloc(STOCK_ARTIFACT.runtime(), {})
