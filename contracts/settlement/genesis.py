"""The contracts of settlement in a genesis file."""

from __future__ import annotations

from typing import Final

from contracts.artifact import load_artifact
from contracts.genesis import AllocEntry, alloc

DEPOSITS_ARTIFACT: Final = load_artifact("contracts.settlement", "Deposits")
SETTLEMENT_ARTIFACT: Final = load_artifact("contracts.settlement", "Settlement")


def deposits_account() -> AllocEntry:
    """The `alloc` entry of Deposits: it begins without any account."""
    return alloc(DEPOSITS_ARTIFACT.runtime(), {})


def settlement_account() -> AllocEntry:
    """The `alloc` entry of Settlement: it begins without any deal."""
    return alloc(SETTLEMENT_ARTIFACT.runtime(), {})
