"""The Applications, Financing and Pricing contracts in a genesis file."""

from __future__ import annotations

from typing import Final

from contracts.artifact import load_artifact
from contracts.genesis import AllocEntry, alloc

APPLICATIONS_ARTIFACT: Final = load_artifact("contracts.financing", "Applications")
FINANCING_ARTIFACT: Final = load_artifact("contracts.financing", "Financing")
PRICING_ARTIFACT: Final = load_artifact("contracts.financing", "Pricing")


def applications_account() -> AllocEntry:
    """The `alloc` entry of Applications: it begins without any record."""
    return alloc(APPLICATIONS_ARTIFACT.runtime(), {})


def financing_account() -> AllocEntry:
    """The `alloc` entry of Financing: it begins without any record."""
    return alloc(FINANCING_ARTIFACT.runtime(), {})


def pricing_account() -> AllocEntry:
    """The `alloc` entry of Pricing: it begins without any table."""
    return alloc(PRICING_ARTIFACT.runtime(), {})
