"""Errors of pools."""

from __future__ import annotations

from contracts.errors import ContractError


class PoolError(ContractError):
    """Base of what the pools room raises."""


class AssetRefused(PoolError, ValueError):
    """An asset, or a line of a file of assets, is not what it must be."""


class AssetTwice(AssetRefused):
    """An asset stands twice in what is to be a book: `asset` is its reference."""

    def __init__(self, asset: str) -> None:
        super().__init__(f"{asset[:80]!r} stands there twice")
        self.asset = asset


class RulesError(PoolError, ValueError):
    """Eligibility rules are malformed."""


class BookError(PoolError):
    """An asset book cannot do what was asked: it is missing, damaged, or another one."""


class UnknownAsset(BookError, LookupError):
    """The book has no such asset, or had not on that date."""


class DateRefused(BookError, ValueError):
    """A state for a date that is not the next one."""


class AssetProofError(PoolError, ValueError):
    """A proof is malformed, or does not lead to the root."""


class StateUnproven(AssetProofError):
    """The log's entry about a state does not stand where its proof says."""


class WaterfallError(PoolError, ValueError):
    """Numbers that no contract would have accepted."""
