"""What can be wrong with a price or a debt that is computed here."""

from __future__ import annotations

from contracts.errors import ContractError


class FinancingError(ContractError):
    """Base of this room's errors."""


class NoTierError(FinancingError):
    """No tier of a table is for this instrument, amount and term."""


class PaymentError(FinancingError, ValueError):
    """An amount that cannot be paid: nothing, or more than is owed."""
