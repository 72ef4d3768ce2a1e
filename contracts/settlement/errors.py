"""What can be wrong with settlement off the chain: statements and days."""

from __future__ import annotations

from contracts.errors import ContractError


class SettlementError(ContractError):
    """Base of what the room raises beside the errors of bindings."""


class StatementInvalid(SettlementError, ValueError):
    """A bank's statement is not what it should be; the message names the place."""


class StatementTooLarge(StatementInvalid):
    """A statement exceeds the bounds within which it is read."""


class PeriodTooLarge(SettlementError, ValueError):
    """The ledger has more lines in these days than are answered at once."""
