"""The contracts of pools in a genesis file."""

from __future__ import annotations

from typing import Final

from contracts.artifact import load_artifact
from contracts.genesis import AllocEntry, alloc

POOLS_ARTIFACT: Final = load_artifact("contracts.pools", "Pools")
POOL_BOOK_ARTIFACT: Final = load_artifact("contracts.pools", "PoolBook")


def genesis_account() -> AllocEntry:
    """The `alloc` entry of Pools (the money): it begins without any record."""
    return alloc(POOLS_ARTIFACT.runtime(), {})


def book_genesis_account() -> AllocEntry:
    """The `alloc` entry of PoolBook (offices, tranches, assets): without any record."""
    return alloc(POOL_BOOK_ARTIFACT.runtime(), {})
