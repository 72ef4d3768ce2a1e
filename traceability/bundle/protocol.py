"""What building a bundle needs of a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ledger.tlog import NoteVerifier


class LogView(Protocol):
    """The transparency log, as it stands."""

    def checkpoint(self) -> str:
        """The latest checkpoint as a signed note."""

    def witnessed(
        self, size_min: int, threshold: int, keys: Sequence[NoteVerifier] | None = None
    ) -> str | None:
        """The newest of at least `size_min` leaves that `threshold` members of `keys` signed."""

    def entry(self, index: int) -> bytes:
        """Leaf data."""

    def inclusion_proof(self, index: int, size: int) -> Sequence[bytes]:
        """Path of the leaf in the tree of `size`."""


class LedgerView(Protocol):
    """A ledger, or anything that has its log."""

    @property
    def log(self) -> LogView:
        """The transparency log."""
