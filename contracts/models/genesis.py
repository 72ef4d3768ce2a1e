"""The contracts of models in a genesis file."""

from __future__ import annotations

from typing import Final

from contracts.artifact import load_artifact
from contracts.genesis import AllocEntry, alloc

MODELS_ARTIFACT: Final = load_artifact("contracts.models", "Models")
RUNS_ARTIFACT: Final = load_artifact("contracts.models", "Runs")
RELEASES_ARTIFACT: Final = load_artifact("contracts.models", "Releases")


def models_account() -> AllocEntry:
    """The `alloc` entry of Models (what was agreed to): it begins without any record."""
    return alloc(MODELS_ARTIFACT.runtime(), {})


def runs_account() -> AllocEntry:
    """The `alloc` entry of Runs (training): it begins without any record."""
    return alloc(RUNS_ARTIFACT.runtime(), {})


def releases_account() -> AllocEntry:
    """The `alloc` entry of Releases (models, their use, what is owed): without any record."""
    return alloc(RELEASES_ARTIFACT.runtime(), {})
